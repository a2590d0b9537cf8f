/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of servers into a whole resolver. The input holds one reply after another, each as a
 * length of two octets and what follows the ID; ID and question are made to fit, so that it is read
 * to its last record. Whatever is said: one question ends with at most one sound answer, costs no
 * more packets than its budget, and leaves nothing behind. The first octet chooses the question. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/rbuf.h"
#include "base/rcu.h"
#include "base/wheel.h"
#include "base/xalloc.h"
#include "dns/msg_write.h"
#include "resolver/cache.h"
#include "resolver/cache_rrset.h"
#include "resolver/query.h"
#include "resolver/resolver.h"
#include "resolver/resolver_conf.h"
#include "resolver/resolver_limits.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

enum { ASKS = 8, HINT_LEN = 128, REPLY_MAX = 16384 };

struct fuzz_ask {
	struct transport_ask ask;
	uint64_t handle; /* 0: free */
	int64_t due_ms;
	uint8_t bytes[512];
};

struct fuzz {
	struct transport transport;
	struct resolver_env env;
	struct resolver *r;
	struct resolver_conf conf;
	void *conf_slot;
	struct fuzz_ask asks[ASKS];
	struct rbuf input;
	int64_t now_ms;
	uint64_t handle;
	unsigned n_sent, n_answers;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fuzz_start(struct transport *t, const struct transport_ask *ask, uint64_t *out)
{
	struct fuzz *f = (struct fuzz *)(void *)t;

	for (int i = 0; i < ASKS; i++) {
		struct fuzz_ask *a = &f->asks[i];

		if (a->handle)
			continue;
		a->ask = *ask;
		a->handle = *out = ++f->handle;
		a->due_ms = f->now_ms + ask->timeout_ms;
		memcpy(a->bytes, ask->query, ask->query_len);
		f->n_sent++;
		return 0;
	}
	return ERR_LIMIT;
}

static void fuzz_cancel(struct transport *t, uint64_t handle)
{
	struct fuzz *f = (struct fuzz *)(void *)t;

	for (int i = 0; i < ASKS; i++) {
		if (f->asks[i].handle == handle)
			f->asks[i].handle = 0;
	}
}

static const struct transport_ops FUZZ_OPS = {fuzz_start, fuzz_cancel};

static int64_t fuzz_now(void *arg)
{
	return ((struct fuzz *)arg)->now_ms;
}

static void fuzz_on_answer(void *arg, const uint8_t *wire, size_t len)
{
	static struct msg m;
	struct fuzz *f = arg;

	f->n_answers++;
	assert(msg_parse(wire, len, &m) == 0);
	assert(m.counts[0] == 1);
}

static struct rrset *fuzz_hint(const uint8_t *owner, uint16_t type, const void *rdata, size_t len)
{
	struct rrset *rr = xcalloc(1, HINT_LEN);

	rr = rrset_init(rr, HINT_LEN, owner, type, DNS_CLASS_IN, 3600);
	assert(rrset_add(rr, HINT_LEN, rdata, len) == 0);
	return rr;
}

static void fuzz_set_up(struct fuzz *f)
{
	static const struct rrset *hints[2];

	rcu_thread_register();
	hints[0] = fuzz_hint((const uint8_t *)"", DNS_TYPE_NS, "\1k\4root", 8);
	hints[1] = fuzz_hint((const uint8_t *)"\1k\4root", DNS_TYPE_A, "\306\51\0\4", 4);
	f->conf = (struct resolver_conf){
		.n_hints = 2,
		.hints = hints,
		.qname_minimisation = true,
		.rebind_protection = true,
		.harden_glue = true,
		.ipv4 = true,
		.ipv6 = true,
		.max_ttl_s = 86400,
		.max_negative_ttl_s = 3600,
		.edns_size = 1232,
	};
	f->transport.ops = &FUZZ_OPS;
	f->conf_slot = &f->conf;
	f->now_ms = 1000;
	f->env = (struct resolver_env){
		.cache = cache_new(1 << 20),
		.rrsets = cache_rrset_new(1 << 20),
		.servers = servers_new(64),
		.iterate = &f->transport,
		.wheel = wheel_new(1000),
		.rand = rand_new_seeded(1),
		.stats = stats_new(),
		.conf = &f->conf_slot,
		.now_ms = fuzz_now,
		.wall_s = fuzz_now,
		.clock_arg = f,
	};
	f->r = resolver_new(&f->env);
}

/* The next reply of the input, made to fit a; its length, 0 when there is none. */
static size_t fuzz_reply(struct fuzz *f, const struct fuzz_ask *a, uint8_t *out)
{
	static struct msg_query q;
	size_t len = rbuf_u16(&f->input), question;
	const uint8_t *body;

	if (len > rbuf_left(&f->input))
		len = rbuf_left(&f->input);
	body = rbuf_take(&f->input, len);
	if (!body || len < 10 || len > REPLY_MAX)
		return 0;
	assert(msg_parse_query(a->bytes, a->ask.query_len, &q) == 0);
	question = q.question_len;
	memcpy(out, a->bytes, DNS_HEADER_LEN + question);
	memcpy(out + 2, body, 10);
	out[2] = (uint8_t)((out[2] & 0x87) | 0x80);
	out[4] = 0;
	out[5] = 1;
	memcpy(out + DNS_HEADER_LEN + question, body + 10, len - 10);
	return DNS_HEADER_LEN + question + len - 10;
}

static void fuzz_serve(struct fuzz *f)
{
	static uint8_t out[REPLY_MAX + 600];

	for (int i = 0; i < ASKS; i++) {
		struct fuzz_ask *a = &f->asks[i];
		struct transport_ask ask = a->ask;
		uint64_t handle = a->handle;
		size_t len;

		if (!handle)
			continue;
		len = fuzz_reply(f, a, out);
		if (len && ask.on_reply(ask.arg, out, len) == TRANSPORT_TAKE) {
			if (a->handle == handle)
				a->handle = 0;
		} else if (a->handle == handle && a->due_ms <= f->now_ms) {
			a->handle = 0;
			ask.on_fail(ask.arg, ERR_TIMEOUT);
		}
	}
}

/* A reply comes with the next tick; without any, whatever is due first. */
static int64_t fuzz_next(struct fuzz *f)
{
	int64_t next_ms = wheel_next(f->env.wheel);

	if (rbuf_left(&f->input) > 0)
		return f->now_ms + 8;
	for (int i = 0; i < ASKS; i++) {
		if (f->asks[i].handle && (next_ms < 0 || f->asks[i].due_ms < next_ms))
			next_ms = f->asks[i].due_ms;
	}
	return next_ms > f->now_ms ? next_ms : f->now_ms + 8;
}

static void fuzz_ask_once(struct fuzz *f, uint8_t choice)
{
	static const uint16_t TYPES[] = {DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_CNAME, DNS_TYPE_ANY,
		DNS_TYPE_NS, DNS_TYPE_DS, DNS_TYPE_HTTPS, DNS_TYPE_DNAME};
	struct client c = {.kind = CLIENT_CALL, .on_answer = fuzz_on_answer, .arg = f};
	struct question q = {.name = "\3www\7example\3com", .name_len = 17, .class = 1};
	struct answer_client shape = {.is_tcp = true, .has_edns = true, .is_do = choice & 64};
	static struct msg_query msg;
	uint8_t query[300];
	size_t len;

	q.type = TYPES[choice & 7];
	f->conf.qname_minimisation = choice & 8;
	f->conf.case_randomisation = choice & 16;
	f->conf.harden_glue = choice & 32;
	assert(msg_write_query(query, sizeof(query), 1, DNS_FLAG_RD, &q, NULL, &len) == 0);
	assert(msg_parse_query(query, len, &msg) == 0);
	shape.query = query;
	shape.question_len = msg.question_len;
	query_start(f->r, &(struct query_ask){.msg = &msg, .shape = &shape, .client = &c});
	for (int i = 0; i < 2000 && resolver_live(f->r) > 0; i++) {
		f->now_ms = fuzz_next(f);
		fuzz_serve(f);
		wheel_run(f->env.wheel, f->now_ms);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz *f;

	if (!f) {
		f = xcalloc(1, sizeof(*f));
		fuzz_set_up(f);
	}
	if (size < 1)
		return 0;
	rcu_enter();
	f->n_sent = f->n_answers = 0;
	f->input = rbuf_of(data + 1, size - 1);
	fuzz_ask_once(f, data[0]);
	assert(f->n_answers == 1);
	assert(resolver_live(f->r) == 0);
	assert(f->n_sent <= RESOLVER_SENDS_MAX);
	/* Each input finds the world as the first one did. */
	cache_flush(f->env.cache, NULL, false);
	cache_rrset_flush(f->env.rrsets, NULL, false);
	resolver_network_changed(f->r);
	f->now_ms += 3600 * 1000;
	wheel_run(f->env.wheel, f->now_ms);
	rcu_leave();
	return 0;
}
