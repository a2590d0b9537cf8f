/* SPDX-License-Identifier: Apache-2.0 */
/* Nanoseconds of what every question costs: msg_parse_query, dname_hash, zones_decide that says
 * "not ours" with ten thousand hosts, and a few answers. Prints the best of several rounds, because
 * the machine is shared. Not a test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rcu.h"
#include "base/wbuf.h"
#include "dns/msg_parse.h"
#include "dns/msg_write.h"
#include "zones/leasename.h"
#include "zones/zones.h"

#define ROUNDS	 20
#define PER_TURN 100000
#define HOSTS	 10000
#define NAMES	 4096 /* different questions, so that the branch predictor does not learn one */

struct bench {
	struct zones *z;
	struct leasename *leases;
	struct question q[NAMES];
	uint8_t wire[NAMES][512];
	size_t len[NAMES];
	uint64_t sink;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run(
	struct bench *b, const char *what, unsigned slow, void (*fn)(struct bench *b, unsigned i))
{
	double best = 1e18;

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_ns(), took;

		for (unsigned i = 0; i < PER_TURN / slow; i++)
			fn(b, i % NAMES);
		took = (now_ns() - start) / (PER_TURN / slow);
		if (took < best)
			best = took;
	}
	printf("%-44s %7.1f ns\n", what, best);
}

static void set_questions(struct bench *b, const char *format, uint16_t type, bool with_edns)
{
	struct edns_reply e = {.udp_size = 1232,
		.cookie_len = 8,
		.cookie = (const uint8_t *)"abcdefgh",
		.ede = DNS_EDE_NONE};

	for (unsigned i = 0; i < NAMES; i++) {
		char text[128];
		size_t len;

		snprintf(text, sizeof(text), format, i * 7919 % HOSTS);
		if (dname_read(text, b->q[i].name, &len) != 0)
			abort();
		b->q[i].name_len = (uint8_t)len;
		b->q[i].type = type;
		b->q[i].class = DNS_CLASS_IN;
		if (msg_write_query(b->wire[i], sizeof(b->wire[i]), (uint16_t)i, DNS_FLAG_RD,
			    &b->q[i], with_edns ? &e : NULL, &b->len[i]) != 0)
			abort();
	}
}

static void parse_query(struct bench *b, unsigned i)
{
	struct msg_query q;

	if (msg_parse_query(b->wire[i], b->len[i], &q) != 0)
		abort();
	b->sink += q.q.name_len;
}

static void hash_name(struct bench *b, unsigned i)
{
	static const struct hash_key key = {1, 2};

	b->sink += dname_hash(&key, b->q[i].name, b->q[i].name_len);
}

static void decide(struct bench *b, unsigned i)
{
	_Alignas(16) uint8_t mem[ZONES_BLOCK_LEN];
	static const struct ip client = {AF_INET, {192, 168, 1, 50}};
	struct zones_answer a;

	rcu_enter();
	b->sink += zones_decide(b->z, &b->q[i], &client, 1000, mem, sizeof(mem), NULL, &a);
	rcu_leave();
}

/* ---- replies: an ordinary one, and the worst we could think of (B12 of the threat list) ---- */

struct reply {
	uint8_t wire[65535];
	size_t len;
	struct msg m;
	struct rrset *sets[MSG_RR_MAX];
	struct arena_pool *pool;
	uint8_t out[65535];
};

static struct reply *reply;

static void parse_reply(struct bench *b, unsigned i)
{
	struct arena *a = arena_new(reply->pool, 4 << 20);
	struct msg_writer w;

	(void)i;
	if (msg_parse(reply->wire, reply->len, &reply->m) != 0)
		abort();
	msg_write_begin(&w, reply->out, sizeof(reply->out), 1, DNS_FLAG_QR, &reply->m.q);
	for (int s = DNS_SECTION_ANSWER; s <= DNS_SECTION_ADDITIONAL; s++) {
		size_t n = 0;

		if (msg_parse_rrsets(
			    &reply->m, (enum dns_section)s, a, reply->sets, MSG_RR_MAX, &n) != 0)
			abort();
		for (size_t k = 0; k < n; k++) {
			if (msg_write_rrset(&w, (enum dns_section)s, reply->sets[k], 60, true) != 0)
				break;
		}
		b->sink += n;
	}
	b->sink += msg_write_end(&w);
	arena_free(a);
}

/* www CNAME web, web A A, two NS with glue */
static void ordinary_reply(struct bench *b)
{
	static const uint8_t web[] = "\3web\7example\3com",
			     ns[2][17] = {"\3ns1\7example\3com", "\3ns2\7example\3com"};
	struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	struct msg_writer w;
	size_t len;
	int err = dname_read("www.example.com", q.name, &len);

	q.name_len = (uint8_t)len;
	msg_write_begin(&w, reply->wire, sizeof(reply->wire), 1, DNS_FLAG_QR, &q);
	err |= msg_write_rr(&w, 0, q.name, DNS_TYPE_CNAME, 1, 60, web, sizeof(web));
	err |= msg_write_rr(&w, 0, web, DNS_TYPE_A, 1, 60, (const uint8_t *)"abcd", 4);
	err |= msg_write_rr(&w, 0, web, DNS_TYPE_A, 1, 60, (const uint8_t *)"abce", 4);
	for (int i = 0; i < 2; i++) {
		err |= msg_write_rr(&w, 1, web + 4, DNS_TYPE_NS, 1, 60, ns[i], 17);
		err |= msg_write_rr(&w, 2, ns[i], DNS_TYPE_A, 1, 60, (const uint8_t *)"abcd", 4);
	}
	if (err != 0)
		abort();
	reply->len = msg_write_end(&w);
	(void)b;
}

/* MSG_RR_MAX records whose owners each climb a ladder of as many pointers as are followed. same:
 * all are one name, at different places; else all differ in their first label. */
static void nasty_reply(bool same)
{
	struct wbuf w = wbuf_of(reply->wire, sizeof(reply->wire));
	size_t last;

	wbuf_u32(&w, 1u << 16 | DNS_FLAG_QR);
	wbuf_u32(&w, 0);
	wbuf_u32(&w, 0);
	/* the ladder stands in the rdata of a first record of a type that nobody reads */
	wbuf_set16(reply->wire + 6, MSG_RR_MAX);
	wbuf_u8(&w, 0);
	wbuf_u32(&w, 65280u << 16 | 1);
	wbuf_u32(&w, 60);
	wbuf_u16(&w, 1 + (DNAME_POINTERS_MAX - 1) * 8);
	last = w.len;
	wbuf_u8(&w, 0);
	for (unsigned i = 0; i < DNAME_POINTERS_MAX - 1; i++) {
		size_t at = w.len;

		wbuf_u8(&w, 5);
		wbuf_u32(&w, 0x61616161);
		wbuf_u8(&w, 'a');
		wbuf_u16(&w, (unsigned)(0xc000 | last));
		last = at;
	}
	for (unsigned i = 1; i < MSG_RR_MAX; i++) {
		wbuf_u8(&w, 3);
		wbuf_u8(&w, 'x');
		wbuf_u16(&w, same ? 0x6161 : 0x6161 + i);
		wbuf_u16(&w, (unsigned)(0xc000 | last));
		wbuf_u32(&w, 65280u << 16 | 1);
		wbuf_u32(&w, 60);
		wbuf_u16(&w, same ? 0 : 2);
		if (!same)
			wbuf_u16(&w, i);
	}
	reply->len = w.len;
}

static void run_replies(struct bench *b)
{
	reply = calloc(1, sizeof(*reply));
	reply->pool = arena_pool_new(16384, 16);
	ordinary_reply(b);
	run(b, "reply of 7 records: parse, RRsets, write", 100, parse_reply);
	nasty_reply(true);
	run(b, "1024 records, one name behind 40 pointers", 1000, parse_reply);
	nasty_reply(false);
	run(b, "1024 records, names behind 40 pointers", 1000, parse_reply);
	arena_pool_free(reply->pool);
	free(reply);
}

static void build(struct bench *b)
{
	static const struct ip_prefix lan = {{AF_INET, {10, 0, 0, 0}}, 8};
	struct zones_conf conf = {.domain = "home.arpa",
		.special_zones = true,
		.lan_prefixes = &lan,
		.n_lan_prefixes = 1,
		.local_ttl_s = 60};
	char *text = malloc(HOSTS * 100);
	size_t at = 0;
	struct zones_builder *builder;

	b->leases = leasename_new();
	conf.leases = b->leases;
	builder = zones_builder_new(&conf);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct ip ip = ip_from4(0x0a800000u + i);
		char label[32];

		at += (size_t)sprintf(
			text + at, "10.1.%u.%u host%u srv%u.example.com\n", i / 250, i % 250, i, i);
		snprintf(label, sizeof(label), "lease%u", i);
		if (leasename_put(b->leases, 0, label, &ip, i, 100000) != 0)
			abort();
	}
	if (zones_builder_hosts(builder, "bench", text, at, NULL, NULL) != 0)
		abort();
	b->z = zones_builder_finish(builder);
	free(text);
}

static void write_answer(struct bench *b, unsigned i)
{
	static const uint8_t addr[4] = {192, 0, 2, 1};
	uint8_t buf[1232];
	struct msg_writer w;

	msg_write_begin(&w, buf, sizeof(buf), 1, DNS_FLAG_QR, &b->q[i]);
	if (msg_write_rr(&w, DNS_SECTION_ANSWER, b->q[i].name, DNS_TYPE_A, DNS_CLASS_IN, 60, addr,
		    sizeof(addr)) != 0)
		abort();
	b->sink += msg_write_end(&w);
}

int main(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	rcu_thread_register();
	build(b);
	set_questions(b, "www%u.some-domain.net", DNS_TYPE_A, false);
	run(b, "msg_parse_query, plain", 1, parse_query);
	set_questions(b, "www%u.some-domain.net", DNS_TYPE_A, true);
	run(b, "msg_parse_query, EDNS with cookie", 1, parse_query);
	run(b, "dname_hash, 26 octets", 1, hash_name);
	run(b, "msg_write of one A record", 1, write_answer);
	run(b, "zones_decide miss, no label in common", 1, decide);
	set_questions(b, "www%u.example.com", DNS_TYPE_A, false);
	run(b, "zones_decide miss beside 10k names of a zone", 1, decide);
	set_questions(b, "host%u.home.arpa", DNS_TYPE_A, false);
	run(b, "zones_decide host", 1, decide);
	set_questions(b, "host%u", DNS_TYPE_A, false);
	run(b, "zones_decide host by its bare name", 1, decide);
	set_questions(b, "lease%u.home.arpa", DNS_TYPE_A, false);
	run(b, "zones_decide lease", 1, decide);
	set_questions(b, "nobody%u.home.arpa", DNS_TYPE_A, false);
	run(b, "zones_decide NXDOMAIN in our zone", 1, decide);
	run_replies(b);
	zones_free(b->z);
	leasename_free(b->leases);
	rcu_thread_unregister();
	printf("(%llu)\n", (unsigned long long)b->sink);
	free(b);
	return 0;
}
