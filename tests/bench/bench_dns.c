/* SPDX-License-Identifier: Apache-2.0 */
/* Nanoseconds of what every question costs: msg_parse_query, dname_hash, zones_decide that says
 * "not ours" with ten thousand hosts, and a few answers. Prints the best of several rounds, because
 * the machine is shared. Not a test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rcu.h"
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

static void run(struct bench *b, const char *what, void (*fn)(struct bench *b, unsigned i))
{
	double best = 1e18;

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_ns(), took;

		for (unsigned i = 0; i < PER_TURN; i++)
			fn(b, i % NAMES);
		took = (now_ns() - start) / PER_TURN;
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
	run(b, "msg_parse_query, plain", parse_query);
	set_questions(b, "www%u.some-domain.net", DNS_TYPE_A, true);
	run(b, "msg_parse_query, EDNS with cookie", parse_query);
	run(b, "dname_hash, 26 octets", hash_name);
	run(b, "msg_write of one A record", write_answer);
	run(b, "zones_decide miss, no label in common", decide);
	set_questions(b, "www%u.example.com", DNS_TYPE_A, false);
	run(b, "zones_decide miss beside 10k names of a zone", decide);
	set_questions(b, "host%u.home.arpa", DNS_TYPE_A, false);
	run(b, "zones_decide host", decide);
	set_questions(b, "host%u", DNS_TYPE_A, false);
	run(b, "zones_decide host by its bare name", decide);
	set_questions(b, "lease%u.home.arpa", DNS_TYPE_A, false);
	run(b, "zones_decide lease", decide);
	set_questions(b, "nobody%u.home.arpa", DNS_TYPE_A, false);
	run(b, "zones_decide NXDOMAIN in our zone", decide);
	zones_free(b->z);
	leasename_free(b->leases);
	rcu_thread_unregister();
	printf("(%llu)\n", (unsigned long long)b->sink);
	free(b);
	return 0;
}
