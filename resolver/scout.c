/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/scout.h"

#include <string.h>

#include "base/rand.h"
#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/msg_write.h"
#include "resolver/query_state.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

enum { SCOUT_QUERY_MAX = DNS_HEADER_LEN + DNAME_MAX + 4 + EDNS_PLAIN_LEN, SCOUT_WAIT_MS = 3000 };

struct scout {
	struct resolver *r;
	struct transport *via;
	uint64_t handle; /* 0: free */
	struct ip_port at;
	int64_t sent_ms;
	uint16_t id;
	size_t question_len;
	uint8_t question[DNAME_MAX + 4];
};

struct scout_table {
	struct scout scouts[SCOUT_MAX];
};

struct scout_table *scout_table_new(struct resolver *r)
{
	struct scout_table *t = xcalloc(1, sizeof(*t));

	for (int i = 0; i < SCOUT_MAX; i++)
		t->scouts[i].r = r;
	return t;
}

void scout_table_free(struct scout_table *t)
{
	if (!t)
		return;
	for (int i = 0; i < SCOUT_MAX; i++) {
		if (t->scouts[i].handle)
			transport_cancel(t->scouts[i].via, t->scouts[i].handle);
	}
	xfree(t);
}

/* ID and question must be ours; what it says does not matter. */
static enum transport_verdict scout_on_reply(void *arg, const uint8_t *bytes, size_t len)
{
	struct scout *p = arg;
	int64_t now_ms = resolver_now_ms(p->r);

	if (len < DNS_HEADER_LEN + p->question_len || (bytes[0] << 8 | bytes[1]) != p->id ||
		!(bytes[2] & 0x80) ||
		memcmp(bytes + DNS_HEADER_LEN, p->question, p->question_len) != 0)
		return TRANSPORT_WAIT;
	p->handle = 0;
	servers_on_reply(p->r->env.servers, &p->at, now_ms - p->sent_ms, now_ms);
	return TRANSPORT_TAKE;
}

static void scout_on_fail(void *arg, int err)
{
	struct scout *p = arg;

	(void)err;
	p->handle = 0;
	servers_on_timeout(p->r->env.servers, &p->at, resolver_now_ms(p->r));
}

static void scout_start(struct scout *p, const struct query *q, const struct ip_port *at)
{
	struct question question = {.type = DNS_TYPE_SOA, .class = DNS_CLASS_IN};
	struct edns_reply edns = {
		.udp_size = resolver_conf(p->r)->edns_size,
		.ede = DNS_EDE_NONE,
	};
	uint8_t buf[SCOUT_QUERY_MAX];
	struct transport_ask ask = {
		.server = *at,
		.query = buf,
		.timeout_ms = SCOUT_WAIT_MS,
		.arg = p,
		.on_reply = scout_on_reply,
		.on_fail = scout_on_fail,
	};

	question.name_len = (uint8_t)dname_copy(q->at->zone, question.name);
	p->id = rand_u16(p->r->env.rand);
	if (msg_write_query(buf, sizeof(buf), p->id, 0, &question, &edns, &ask.query_len) != 0)
		return;
	p->at = *at;
	p->via = p->r->env.iterate;
	p->sent_ms = resolver_now_ms(p->r);
	p->question_len = question.name_len + 4u;
	memcpy(p->question, buf + DNS_HEADER_LEN, p->question_len);
	if (transport_start(p->via, &ask, &p->handle) != 0) {
		p->handle = 0;
		return;
	}
	stats_add(p->r->env.stats, STATS_PROBES);
}

void scout_consider(struct query *q)
{
	struct resolver *r = q->r;
	int64_t now_ms = resolver_now_ms(r);
	uint32_t dice = rand_below(r->env.rand, SCOUT_ONE_IN);
	const struct delegation_addr *a;
	struct scout *p = NULL;

	if (dice % SCOUT_DEAD_ONE_IN != 0 || q->at->n_addrs < 2 ||
		q->at->kind == DELEGATION_FORWARD)
		return;
	for (int i = 0; i < SCOUT_MAX && !p; i++) {
		if (!r->scouts->scouts[i].handle)
			p = &r->scouts->scouts[i];
	}
	a = &q->at->addrs[rand_below(r->env.rand, q->at->n_addrs)];
	if (!p || a->tries > 0 || a->is_failed ||
		!servers_take_probe(r->env.servers, &a->at, dice != 0, now_ms) ||
		budget_take(q->budget, BUDGET_SENDS, now_ms) != 0)
		return;
	scout_start(p, q, &a->at);
}
