/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 5452: a reply counts when it comes from the address and port that was asked (the transport
 * sees to that), with our ID, our question octet by octet, and QR set. Everything else is waited
 * out, so that a wrong packet can neither be taken nor end the wait. What each kind of wrong packet
 * means:
 * - a wrong ID: somebody is guessing. The question moves to TCP, at a bounded rate.
 * - our name in another case: a forger that knows the name, or a server that folds case. TCP
 *   tells: when the case comes back wrong there too, the server is remembered as such.
 * - an error without a question: a server from before EDNS, perhaps. It is asked without EDNS when
 *   nothing better comes.
 * - anything else: counted; after RESOLVER_BAD_REPLIES of them TCP. */
#include "resolver/exchange.h"

#include <assert.h>
#include <string.h>

#include "base/rbuf.h"
#include "dns/dname.h"
#include "dns/msg_parse.h"
#include "dns/msg_write.h"
#include "resolver/query_state.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

enum {
	EXCHANGE_QUERY_MAX = DNS_HEADER_LEN + DNAME_MAX + 4 + EDNS_PLAIN_LEN + 4 + 40,
	EXCHANGE_TCP_MS = 3000, /* connect, ask and answer */
	EXCHANGE_LATE_MS = 2000 /* an answer over UDP is welcome that long, if not waited for */
};

enum exchange_verdict {
	EXCHANGE_GOOD,
	EXCHANGE_BAD,
	EXCHANGE_WRONG_ID,
	EXCHANGE_WRONG_CASE,
};

static struct stats *exchange_stats(const struct exchange *x)
{
	return x->q->r->env.stats;
}

static const struct ip_port *exchange_server(const struct exchange *x)
{
	return &x->q->at->addrs[x->plan.addr].at;
}

/* ---- asking ---- */

/* 0x20: each letter's case from one random bit. */
static void exchange_mix_case(struct rand_source *rand, uint8_t *name, size_t len)
{
	uint64_t bits = 0;
	unsigned n_left = 0;

	for (size_t i = 0; i < len; i++) {
		if ((name[i] | 0x20) < 'a' || (name[i] | 0x20) > 'z')
			continue;
		if (n_left == 0) {
			bits = rand_u64(rand);
			n_left = 64;
		}
		if (bits & 1)
			name[i] ^= 0x20;
		bits >>= 1;
		n_left--;
	}
}

static const uint8_t *exchange_name(struct exchange *x, const struct resolver_conf *conf)
{
	struct query *q = x->q;
	size_t len = dname_len(q->asking);
	uint8_t *name = arena_memdup(q->arena, q->asking, len);

	if (!name)
		return NULL;
	x->name_len = (uint8_t)len;
	x->has_case = conf->case_randomisation && !x->plan.no_case;
	if (x->has_case)
		exchange_mix_case(q->r->env.rand, name, len);
	return name;
}

/* Label octets are below 64 and so never look like letters. */
static int exchange_write(struct exchange *x, const struct resolver_conf *conf,
	const struct servers_info *info, uint8_t *buf, size_t cap, size_t *out_len)
{
	struct query *q = x->q;
	struct question question = {.type = x->type, .class = q->class};
	bool may_recurse = q->at->kind == DELEGATION_FORWARD || q->takes_cached;
	uint16_t flags = may_recurse ? DNS_FLAG_RD : 0;
	uint8_t cookie[8 + SERVERS_COOKIE_MAX];
	struct edns_reply edns = {
		.udp_size = conf->edns_size,
		.is_do = true,
		.ede = DNS_EDE_NONE,
	};

	memcpy(question.name, x->name, x->name_len);
	question.name_len = x->name_len;
	x->has_cookie = x->has_edns && conf->cookies;
	if (x->has_cookie) {
		servers_client_cookie(q->r->env.servers, exchange_server(x), x->cookie);
		memcpy(cookie, x->cookie, 8);
		memcpy(cookie + 8, info->cookie, info->cookie_len);
		edns.cookie = cookie;
		edns.cookie_len = (uint8_t)(8 + info->cookie_len);
	}
	return msg_write_query(
		buf, cap, x->id, flags, &question, x->has_edns ? &edns : NULL, out_len);
}

static struct exchange *exchange_free_slot(struct query *q)
{
	for (int i = 0; i < QUERY_EXCHANGES; i++) {
		if (!exchange_is_open(&q->ex[i]))
			return &q->ex[i];
	}
	return NULL;
}

static enum transport_verdict exchange_on_reply(void *arg, const uint8_t *bytes, size_t len);
static void exchange_on_fail(void *arg, int err);

static int exchange_send(struct exchange *x, const uint8_t *bytes, size_t len, uint32_t rto_ms)
{
	struct query *q = x->q;
	int64_t now_ms = resolver_now_ms(q->r);
	int64_t wait_ms = x->plan.is_tcp ? EXCHANGE_TCP_MS : (int64_t)rto_ms * 2;
	int64_t left_ms = budget_left_ms(q->budget, now_ms);
	struct transport_ask ask = {
		.server = *exchange_server(x),
		.query = bytes,
		.query_len = len,
		.tcp = x->plan.is_tcp,
		.arg = x,
		.on_reply = exchange_on_reply,
		.on_fail = exchange_on_fail,
	};
	int err;

	if (!x->plan.is_tcp && wait_ms < EXCHANGE_LATE_MS)
		wait_ms = EXCHANGE_LATE_MS;
	ask.timeout_ms = (int)(wait_ms < left_ms ? wait_ms : left_ms);
	x->via = q->at->kind == DELEGATION_FORWARD ? q->r->env.forward : q->r->env.iterate;
	if (!x->via)
		return ERR_UNSUPPORTED;
	err = transport_start(x->via, &ask, &x->handle);
	if (err != 0)
		x->handle = 0;
	return err;
}

int exchange_start(struct query *q, const struct exchange_plan *plan, struct exchange **out)
{
	struct exchange *x = exchange_free_slot(q);
	const struct resolver_conf *conf = resolver_conf(q->r);
	int64_t now_ms = resolver_now_ms(q->r);
	uint8_t buf[EXCHANGE_QUERY_MAX];
	struct servers_info info;
	size_t len;
	int err;

	if (!x)
		return ERR_BUSY;
	err = budget_take(q->budget, BUDGET_SENDS, now_ms);
	if (err != 0)
		return err;
	*x = (struct exchange){.q = q, .plan = *plan, .type = q->asking_type, .sent_ms = now_ms};
	servers_get(q->r->env.servers, exchange_server(x), now_ms, &info);
	if (info.traits & SERVERS_NO_EDNS || q->at->addrs[plan->addr].is_plain)
		x->plan.no_edns = true;
	if (plan->is_plain_try && !(info.traits & SERVERS_EDNS_OK))
		x->plan.no_edns = true;
	if (info.traits & SERVERS_NO_CASE)
		x->plan.no_case = true;
	x->has_edns = !x->plan.no_edns;
	x->id = rand_u16(q->r->env.rand);
	x->name = exchange_name(x, conf);
	if (!x->name)
		return ERR_LIMIT;
	err = exchange_write(x, conf, &info, buf, sizeof(buf), &len);
	if (err != 0)
		return err;
	err = exchange_send(x, buf, len, info.rto_ms);
	if (err != 0) {
		budget_give_back(q->budget, BUDGET_SENDS);
		/* Its own limit is the transport's, not the budget's. */
		return err == ERR_LIMIT ? ERR_AGAIN : err;
	}
	q->n_sends++;
	stats_add(exchange_stats(x), plan->is_tcp ? STATS_SENT_TCP : STATS_SENT_UDP);
	x->due_ms = now_ms + (plan->is_tcp ? EXCHANGE_TCP_MS : (int64_t)info.rto_ms);
	*out = x;
	return 0;
}

/* ---- ending ---- */

void exchange_cancel(struct exchange *x, bool is_outrun)
{
	int64_t now_ms;

	if (!exchange_is_open(x))
		return;
	now_ms = resolver_now_ms(x->q->r);
	transport_cancel(x->via, x->handle);
	x->handle = 0;
	if (is_outrun && !x->plan.is_tcp)
		servers_on_slower(
			x->q->r->env.servers, exchange_server(x), now_ms - x->sent_ms, now_ms);
}

void exchange_cancel_all(struct query *q, bool is_outrun)
{
	for (int i = 0; i < QUERY_EXCHANGES; i++)
		exchange_cancel(&q->ex[i], is_outrun);
}

struct exchange *exchange_oldest(struct query *q)
{
	struct exchange *oldest = NULL;

	for (int i = 0; i < QUERY_EXCHANGES; i++) {
		struct exchange *x = &q->ex[i];

		if (exchange_is_open(x) && (!oldest || x->sent_ms < oldest->sent_ms))
			oldest = x;
	}
	return oldest;
}

bool exchange_any_open(const struct query *q)
{
	for (int i = 0; i < QUERY_EXCHANGES; i++) {
		if (exchange_is_open(&q->ex[i]))
			return true;
	}
	return false;
}

static void exchange_on_fail(void *arg, int err)
{
	struct exchange *x = arg;
	struct query *q = x->q;
	struct resolver *r = q->r;

	x->handle = 0;
	if (x->plan.is_tcp && err != ERR_TIMEOUT)
		stats_add(r->env.stats, STATS_TCP_FAILED);
	iter_on_exchange_fail(q, x, err);
	query_run_ready(r);
}

/* ---- judging ---- */

/* The question, octet by octet where the case was ours to choose. */
static enum exchange_verdict exchange_judge_question(
	struct exchange *x, const uint8_t *bytes, size_t len)
{
	size_t n = x->name_len;
	const uint8_t *q = bytes + DNS_HEADER_LEN;

	if (len < DNS_HEADER_LEN + n + 4)
		return EXCHANGE_BAD;
	if ((q[n] << 8 | q[n + 1]) != x->type || (q[n + 2] << 8 | q[n + 3]) != x->q->class)
		return EXCHANGE_BAD;
	if (memcmp(q, x->name, n) == 0)
		return EXCHANGE_GOOD;
	/* Compared label by label, so q need not be a sound name. */
	for (size_t i = 0; i < n; i++) {
		uint8_t a = q[i], b = x->name[i];

		if (a != b && ((a ^ b) != 0x20 || (a | 0x20) < 'a' || (a | 0x20) > 'z'))
			return EXCHANGE_BAD;
	}
	return x->has_case ? EXCHANGE_WRONG_CASE : EXCHANGE_GOOD;
}

/* Our cookie must come back when any comes (RFC 7873 5.3). */
static bool exchange_is_cookie_ours(const struct exchange *x, const struct edns *edns)
{
	if (!x->has_cookie || edns->cookie_len == 0)
		return !edns->cookie_malformed;
	return edns->cookie_len >= 8 && memcmp(edns->cookie, x->cookie, 8) == 0;
}

/* Takes the message apart, from a copy in which the question has its own case again: names that
 * point to it would carry our random one into the cache. */
static bool exchange_parse(struct exchange *x, const uint8_t *bytes, size_t len)
{
	struct resolver *r = x->q->r;

	if (len > UINT16_MAX)
		return false;
	memcpy(r->in, bytes, len);
	memcpy(r->in + DNS_HEADER_LEN, x->q->asking, x->name_len);
	return msg_parse(r->in, len, r->msg) == 0;
}

static enum exchange_verdict exchange_judge(struct exchange *x, const uint8_t *bytes, size_t len)
{
	struct rbuf b = rbuf_of(bytes, len);
	uint16_t id = rbuf_u16(&b);
	uint16_t flags = rbuf_u16(&b);
	uint16_t n_questions = rbuf_u16(&b);
	enum exchange_verdict v;

	if (b.bad || !(flags & DNS_FLAG_QR) || (flags >> 11 & 15) != DNS_OPCODE_QUERY)
		return EXCHANGE_BAD;
	if (id != x->id)
		return EXCHANGE_WRONG_ID;
	if (n_questions == 0) {
		uint16_t rcode = flags & 15;

		if (rcode == DNS_RCODE_FORMERR || rcode == DNS_RCODE_NOTIMP)
			x->saw_refusal = true;
		return EXCHANGE_BAD;
	}
	if (n_questions != 1)
		return EXCHANGE_BAD;
	v = exchange_judge_question(x, bytes, len);
	/* Over TCP there is no forger: it is the server that folds the case. */
	if (v == EXCHANGE_BAD || (v == EXCHANGE_WRONG_CASE && !x->plan.is_tcp))
		return v;
	x->is_folded = v == EXCHANGE_WRONG_CASE;
	if (!exchange_parse(x, bytes, len)) {
		/* Nothing of a truncated reply is used but the fact, over UDP. */
		if (!(flags & DNS_FLAG_TC) || x->plan.is_tcp)
			return EXCHANGE_BAD;
		x->q->r->msg->n_rr = 0;
		x->q->r->msg->edns.present = false;
	}
	return exchange_is_cookie_ours(x, &x->q->r->msg->edns) ? EXCHANGE_GOOD : EXCHANGE_BAD;
}

/* May one more question move to TCP in this second? */
static bool exchange_may_move(struct resolver *r, int64_t now_ms)
{
	if (r->spoof_second != now_ms / 1000) {
		r->spoof_second = now_ms / 1000;
		r->n_spoof = 0;
	}
	if (r->n_spoof >= RESOLVER_SPOOF_TCP_RATE)
		return false;
	r->n_spoof++;
	return true;
}

/* The UDP exchange ends; the same server is asked over TCP. */
static enum transport_verdict exchange_move_to_tcp(struct exchange *x, enum exchange_doubt doubt)
{
	struct query *q = x->q;
	struct resolver *r = q->r;

	if (!exchange_may_move(r, resolver_now_ms(r)))
		return TRANSPORT_WAIT;
	stats_add(r->env.stats, STATS_SPOOF_TCP);
	x->handle = 0;
	q->plan = x->plan;
	q->plan.is_set = true;
	q->plan.is_tcp = true;
	q->plan.doubt = (uint8_t)doubt;
	iter_wake(q, ITER_PICK_SERVER);
	query_run_ready(r);
	return TRANSPORT_TAKE;
}

static enum transport_verdict exchange_on_bad(struct exchange *x, enum exchange_verdict v)
{
	x->n_bad++;
	stats_add(exchange_stats(x), v == EXCHANGE_WRONG_ID	? STATS_WRONG_ID
				     : v == EXCHANGE_WRONG_CASE ? STATS_WRONG_CASE
								: STATS_BAD_REPLIES);
	if (x->plan.is_tcp)
		return TRANSPORT_WAIT;
	if (v != EXCHANGE_BAD || x->n_bad >= RESOLVER_BAD_REPLIES)
		return exchange_move_to_tcp(
			x, v == EXCHANGE_WRONG_CASE ? EXCHANGE_DOUBT_CASE : EXCHANGE_DOUBT_ID);
	return TRANSPORT_WAIT;
}

/* What a sound reply tells about its server. */
static void exchange_learn(struct exchange *x, const struct msg *m)
{
	struct servers *servers = x->q->r->env.servers;
	const struct ip_port *at = exchange_server(x);
	int64_t now_ms = resolver_now_ms(x->q->r);

	servers_on_reply(servers, at, x->plan.is_tcp ? -1 : now_ms - x->sent_ms, now_ms);
	if (m->edns.present && m->edns.cookie_len > 8)
		servers_set_cookie(
			servers, at, m->edns.cookie + 8, m->edns.cookie_len - 8u, now_ms);
	if (x->is_folded)
		servers_set_trait(servers, at, SERVERS_NO_CASE, now_ms);
}

static enum transport_verdict exchange_on_reply(void *arg, const uint8_t *bytes, size_t len)
{
	struct exchange *x = arg;
	struct query *q = x->q;
	struct resolver *r = q->r;
	enum exchange_verdict v;

	assert(exchange_is_open(x));
	if (budget_take_bytes(q->budget, len) != 0) {
		x->handle = 0;
		iter_on_exchange_fail(q, x, ERR_LIMIT);
		query_run_ready(r);
		return TRANSPORT_TAKE;
	}
	v = exchange_judge(x, bytes, len);
	if (v == EXCHANGE_GOOD && !iter_can_read(q, x))
		v = EXCHANGE_BAD;
	if (v != EXCHANGE_GOOD)
		return exchange_on_bad(x, v);
	x->handle = 0;
	exchange_learn(x, r->msg);
	iter_on_reply(q, x);
	query_run_ready(r);
	return TRANSPORT_TAKE;
}
