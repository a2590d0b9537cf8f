/* SPDX-License-Identifier: Apache-2.0 */
/* What a cached answer costs in user code: the front over a warm cache, without a socket. Fills the
 * cache with names, then asks for them in random order, in batches staged as the worker does.
 *
 *   bench_front [NAMES [BATCH [ROUNDS]]]      defaults 10000 32 2000000
 *
 * Prints nanoseconds of CPU time per answer, bytes of memory per name, and how often malloc was
 * called in the measured part (it must say 0). Under callgrind count bench_run alone:
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_run bench_front 1000 32 100000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/rcu.h"
#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/msg_write.h"
#include "resolver/acl.h"
#include "resolver/cache.h"
#include "resolver/front.h"
#include "resolver/query.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"

#define BATCH_MAX 64
#define QUERY_LEN 80

/* The program's own malloc, counted. */
void *__libc_malloc(size_t len);
static unsigned long bench_mallocs;
__attribute__((visibility("default"))) void *malloc(size_t len)
{
	bench_mallocs++;
	return __libc_malloc(len);
}

void query_start(struct resolver *r, const struct query_ask *ask)
{
	(void)r;
	(void)ask;
}

void zones_free(struct zones *z)
{
	(void)z;
}

enum zones_verdict zones_decide(const struct zones *z, const struct question *q,
	const struct ip *client, int64_t wall_s, uint8_t *mem, size_t cap, struct trace *trace,
	struct zones_answer *out)
{
	(void)z, (void)q, (void)client, (void)wall_s, (void)mem, (void)cap, (void)trace, (void)out;
	return ZONES_RESOLVE;
}

static int64_t bench_now(void *arg)
{
	return *(int64_t *)arg;
}

struct bench {
	struct resolver r;
	struct resolver_conf *conf;
	int64_t now_ms;
	struct client client;
	uint32_t n_names, batch;
	uint8_t *queries; /* n_names x QUERY_LEN, the length in the last octet */
	struct front_slot slots[BATCH_MAX];
	uint8_t rx[BATCH_MAX][2048];
	uint8_t tx[BATCH_MAX][4096 + 192];
};

/* Names of 20 to 30 octets with an address each, half the queries with EDNS. */
static void bench_name(struct bench *b, uint32_t i)
{
	uint8_t wire[512], *query = b->queries + (size_t)i * QUERY_LEN;
	struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	struct edns_reply edns = {.udp_size = 1232, .ede = DNS_EDE_NONE};
	struct answer_blob blob = {.ttl_s = 3600, .ede = DNS_EDE_NONE, .wire = wire};
	struct cache_question key;
	const uint8_t addr[4] = {192, 0, 2, 1};
	struct msg_writer w;
	char name[64];
	size_t len;

	snprintf(name, sizeof(name), "host-%u.example%u.com.", i, i % 97);
	if (dname_read(name, q.name, &len) != 0)
		abort();
	q.name_len = (uint8_t)len;
	key = (struct cache_question){
		.name = q.name, .name_len = q.name_len, .type = q.type, .class = q.class};
	key.hash = cache_hash(b->r.env.cache, &key);
	msg_write_begin(&w, wire, sizeof(wire), 0, 0, &q);
	if (msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, q.type, q.class, 3600, addr, 4) != 0)
		abort();
	blob.len = (uint16_t)msg_write_end(&w);
	blob.question_len = (uint16_t)(len + 4);
	blob.n_ttl = 1;
	blob.ttl_off[0] = w.ttl_off[0];
	cache_put(b->r.env.cache, &key, &blob, 1, b->now_ms);
	if (msg_write_query(wire, sizeof(wire), (uint16_t)i, DNS_FLAG_RD, &q, i % 2 ? &edns : NULL,
		    &len) != 0 ||
		len >= QUERY_LEN)
		abort();
	memcpy(query, wire, len);
	query[QUERY_LEN - 1] = (uint8_t)len;
}

static void bench_init(struct bench *b, uint32_t n_names, uint32_t batch)
{
	struct ip_prefix allowed[3];

	b->n_names = n_names;
	b->batch = batch;
	b->now_ms = 5000000;
	b->conf = xcalloc(1, sizeof(*b->conf));
	if (ip_prefix_read("127.0.0.0/8", &allowed[0]) != 0 ||
		ip_prefix_read("192.168.1.0/24", &allowed[1]) != 0 ||
		ip_prefix_read("10.0.0.0/8", &allowed[2]) != 0 ||
		ip_port_read("192.168.1.7:4000", 0, &b->client.peer) != 0)
		abort();
	b->conf->acl = acl_new(allowed, 3);
	b->conf->generation = 1;
	b->conf->edns_size = 1232;
	b->r.env.cache = cache_new((size_t)16 << 20 | (size_t)n_names * 200);
	b->r.env.stats = stats_new();
	b->r.env.conf = (void *const *)&b->conf;
	b->r.env.now_ms = bench_now;
	b->r.env.clock_arg = &b->now_ms;
	b->queries = xalloc((size_t)n_names * QUERY_LEN);
	memset(b->rx, 0, sizeof(b->rx));
	memset(b->tx, 0, sizeof(b->tx));
}

static void bench_fini(struct bench *b)
{
	cache_free(b->r.env.cache);
	stats_free(b->r.env.stats);
	resolver_conf_free(b->conf);
	xfree(b->queries);
	xfree(b);
}

/* One batch as daemon/worker does it; the packets lie in b->rx. Returns octets sent. */
static __attribute__((noinline)) size_t bench_run(struct bench *b, const uint8_t *lens)
{
	size_t sent = 0, len;

	for (uint32_t i = 0; i < b->batch; i++)
		front_stage(&b->r, &b->slots[i], b->rx[i], lens[i], &b->client);
	for (uint32_t i = 0; i < b->batch; i++)
		front_reach(&b->r, &b->slots[i]);
	for (uint32_t i = 0; i < b->batch; i++) {
		if (front_answer(&b->r, &b->slots[i], &b->client, b->tx[i], sizeof(b->tx[i]),
			    &len) == FRONT_SEND)
			sent += len;
	}
	return sent;
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static long resident_bytes(void)
{
	long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%ld %ld", &pages, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv)
{
	uint32_t n_names = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000;
	uint32_t batch = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 32;
	uint32_t rounds = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 2000000;
	struct bench *b = xcalloc(1, sizeof(*b));
	struct rand_source *r = rand_new_seeded(1);
	int64_t spent = 0;
	unsigned long mallocs = 0;
	long before, after;
	size_t sent = 0;

	if (n_names == 0 || batch == 0 || batch > BATCH_MAX)
		return 2;
	rcu_thread_register();
	bench_init(b, n_names, batch);
	memset(b->queries, 1, (size_t)n_names * QUERY_LEN);
	before = resident_bytes();
	for (uint32_t i = 0; i < n_names; i++)
		bench_name(b, i);
	after = resident_bytes();
	for (uint32_t done = 0; done < rounds; done += batch) {
		uint8_t lens[BATCH_MAX];
		unsigned long mallocs_before;
		int64_t start;

		for (uint32_t i = 0; i < batch; i++) {
			const uint8_t *query =
				b->queries + (size_t)rand_below(r, n_names) * QUERY_LEN;

			lens[i] = query[QUERY_LEN - 1];
			memcpy(b->rx[i], query, lens[i]);
		}
		mallocs_before = bench_mallocs;
		start = cpu_ns();
		rcu_enter();
		sent += bench_run(b, lens);
		rcu_leave();
		spent += cpu_ns() - start;
		mallocs += bench_mallocs - mallocs_before;
	}
	printf("%u names, batches of %u: %.1f ns an answer, %.1f octets sent, %.1f %% hits, "
	       "%ld bytes a name, %lu mallocs\n",
		n_names, batch, (double)spent / rounds, (double)sent / rounds,
		100.0 * (double)stats_get(b->r.env.stats, STATS_HITS) / rounds,
		(after - before) / (long)n_names, mallocs);
	rcu_thread_unregister();
	rand_free(r);
	bench_fini(b);
	return mallocs != 0;
}
