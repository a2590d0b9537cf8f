/* SPDX-License-Identifier: Apache-2.0 */
/* CPU of a cache miss without the kernel: front, query, iteration, caches; replies are made by a
 * stand-in whose own time is taken off. Two kinds: a new name in a zone known already (one question
 * upstream), and a new name in a new zone (a referral and an answer). Counts mallocs too.
 *   bench_miss [names] */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rand.h"
#include "base/rcu.h"
#include "base/wheel.h"
#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/msg_write.h"
#include "resolver/acl.h"
#include "resolver/cache.h"
#include "resolver/cache_rrset.h"
#include "resolver/front.h"
#include "resolver/resolver.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

enum { DEPTH = 64, HINT_LEN = 128 };

struct asked {
	struct transport_ask ask;
	uint8_t bytes[512];
};

struct bench {
	struct transport transport;
	struct resolver_env env;
	struct resolver *r;
	void *conf_slot;
	struct asked ring[DEPTH];
	unsigned head, tail;
	int64_t now_ms;
	uint64_t n_answers, n_sent, server_ns;
	uint64_t handle;
};

static uint64_t n_mallocs;
extern void *__libc_malloc(size_t len);

void *malloc(size_t len)
{
	n_mallocs++;
	return __libc_malloc(len);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int start(struct transport *t, const struct transport_ask *ask, uint64_t *out)
{
	struct bench *b = (struct bench *)(void *)t;
	struct asked *a = &b->ring[b->tail++ % DEPTH];

	a->ask = *ask;
	memcpy(a->bytes, ask->query, ask->query_len);
	b->n_sent++;
	*out = ++b->handle;
	return 0;
}

static void cancel(struct transport *t, uint64_t handle)
{
	(void)t;
	(void)handle;
}

static const struct transport_ops OPS = {start, cancel};

/* The root and com refer, everybody else has an address. */
static size_t reply(const struct asked *a, uint8_t *out)
{
	static const uint8_t address[4] = {203, 0, 113, 1};
	static struct msg_query q;
	struct msg_writer w;
	unsigned labels;
	bool is_parent = a->ask.server.ip.bytes[0] == 198;
	/* com is served from 198/8 like the root, zones below it from 192/8. */
	uint8_t ns[DNAME_MAX], glue[4] = {192, 0, 2, 0};

	if (msg_parse_query(a->bytes, a->ask.query_len, &q) != 0)
		abort();
	labels = dname_labels(q.q.name);
	msg_write_begin(&w, out, 4096, q.id, DNS_FLAG_QR | (is_parent ? 0 : DNS_FLAG_AA), &q.q);
	if (labels < 2)
		glue[0] = 198;
	if (is_parent) {
		const uint8_t *cut = labels > 2 ? dname_suffix(q.q.name, 2) : q.q.name;

		for (uint8_t i = 0; i < 2; i++) {
			ns[0] = 3;
			memcpy(ns + 1, "ns", 2);
			ns[3] = (uint8_t)('1' + i);
			dname_copy(cut, ns + 4);
			glue[3] = (uint8_t)(q.q.name[1] % 16 * 2 + i + 1);
			(void)!msg_write_rr(&w, DNS_SECTION_AUTHORITY, cut, DNS_TYPE_NS, 1, 86400,
				ns, dname_len(ns));
		}
		for (uint8_t i = 0; i < 2; i++) {
			ns[3] = (uint8_t)('1' + i);
			glue[3] = (uint8_t)(q.q.name[1] % 16 * 2 + i + 1);
			(void)!msg_write_rr(
				&w, DNS_SECTION_ADDITIONAL, ns, DNS_TYPE_A, 1, 86400, glue, 4);
		}
	} else {
		(void)!msg_write_rr(&w, DNS_SECTION_ANSWER, q.q.name, q.q.type, 1, 300, address, 4);
	}
	(void)!msg_write_opt(&w, &(struct edns_reply){.udp_size = 1232, .ede = DNS_EDE_NONE});
	return msg_write_end(&w);
}

static void serve(struct bench *b)
{
	while (b->head != b->tail) {
		struct asked a = b->ring[b->head++ % DEPTH];
		uint64_t begin = cpu_ns();
		uint8_t out[4096];
		size_t len = reply(&a, out);

		b->server_ns += cpu_ns() - begin;
		(void)a.ask.on_reply(a.ask.arg, out, len);
	}
}

static void on_send(void *arg, const struct client *c, const uint8_t *wire, size_t len)
{
	struct bench *b = arg;

	(void)c;
	(void)wire;
	b->n_answers += len > 40;
}

static int64_t now_ms(void *arg)
{
	return ((struct bench *)arg)->now_ms;
}

static struct rrset *hint(const char *owner, uint16_t type, const void *rdata, size_t len)
{
	uint8_t name[DNAME_MAX];
	size_t name_len;
	struct rrset *rr = xcalloc(1, HINT_LEN);

	if (dname_read(owner, name, &name_len) != 0)
		abort();
	rr = rrset_init(rr, HINT_LEN, name, type, 1, 3600000);
	if (rrset_add(rr, HINT_LEN, rdata, len) != 0)
		abort();
	return rr;
}

static void set_up(struct bench *b)
{
	static const struct rrset *hints[2];
	struct resolver_conf *c = xcalloc(1, sizeof(*c));
	struct ip_prefix all = {.ip = {.family = AF_INET}};

	hints[0] = hint(".", DNS_TYPE_NS, "\1k\4root", 8);
	hints[1] = hint("k.root", DNS_TYPE_A, "\306\51\0\4", 4);
	*c = (struct resolver_conf){
		.generation = 1,
		.acl = acl_new(&all, 1),
		.n_hints = 2,
		.hints = hints,
		.qname_minimisation = true,
		.case_randomisation = true,
		.cookies = true,
		.rebind_protection = true,
		.harden_glue = true,
		.minimal_responses = true,
		.ipv4 = true,
		.ipv6 = true,
		.max_ttl_s = 86400,
		.max_negative_ttl_s = 3600,
		.serve_stale_s = 86400,
		.edns_size = 1232,
	};
	b->transport.ops = &OPS;
	b->conf_slot = c;
	b->now_ms = 1000;
	b->env = (struct resolver_env){
		.cache = cache_new(256 << 20),
		.rrsets = cache_rrset_new(256 << 20),
		.servers = servers_new(0),
		.iterate = &b->transport,
		.wheel = wheel_new(1000),
		.rand = rand_new(),
		.stats = stats_new(),
		.conf = &b->conf_slot,
		.send = on_send,
		.send_arg = b,
		.now_ms = now_ms,
		.wall_s = now_ms,
		.clock_arg = b,
	};
	b->r = resolver_new(&b->env);
}

static void ask(struct bench *b, const char *name)
{
	struct client c = {.kind = CLIENT_UDP, .peer = {.ip = ip_from4(0x0a000001), .port = 1024}};
	struct question q = {.type = DNS_TYPE_A, .class = 1};
	struct edns_reply e = {.udp_size = 1232, .ede = DNS_EDE_NONE};
	uint8_t query[512], out[4096];
	size_t len, out_len;
	uint64_t begin = cpu_ns();

	if (dname_read(name, q.name, &len) != 0)
		abort();
	q.name_len = (uint8_t)len;
	if (msg_write_query(
		    query, sizeof(query), (uint16_t)b->n_answers, DNS_FLAG_RD, &q, &e, &len) != 0)
		abort();
	b->server_ns += cpu_ns() - begin;
	if (front_one(b->r, query, len, &c, out, sizeof(out), &out_len) == FRONT_SEND)
		b->n_answers++;
	serve(b);
}

static void measure(struct bench *b, const char *what, unsigned n, const char *format)
{
	uint64_t mallocs = n_mallocs, sent = b->n_sent, answers = b->n_answers;
	uint64_t begin = cpu_ns(), clock_ns, took;
	char name[64];

	/* What reading the clock costs is taken off with the rest. */
	for (unsigned i = 0; i < n; i++)
		(void)cpu_ns();
	clock_ns = cpu_ns() - begin;
	b->server_ns = 0;
	begin = cpu_ns();
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), format, i);
		ask(b, name);
		if (i % 64 == 0)
			wheel_run(b->env.wheel, ++b->now_ms);
	}
	took = cpu_ns() - begin;
	printf("%-24s %6.2f us a miss, %.2f questions upstream, %.3f mallocs, %lu answered\n", what,
		(double)(took - b->server_ns - clock_ns) / n / 1000, (double)(b->n_sent - sent) / n,
		(double)(n_mallocs - mallocs) / n, (unsigned long)(b->n_answers - answers));
}

int main(int argc, char **argv)
{
	static struct bench b;
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;

	rcu_thread_register();
	set_up(&b);
	rcu_enter();
	for (int round = 0; round < 3; round++) {
		char known[64], fresh[64];

		snprintf(known, sizeof(known), "n%%u-%d.example.com", round);
		snprintf(fresh, sizeof(fresh), "www.z%%u-%d.com", round);
		measure(&b, "new name, known zone", n, known);
		measure(&b, "new name, new zone", n, fresh);
	}
	rcu_leave();
	rcu_thread_unregister();
	return 0;
}
