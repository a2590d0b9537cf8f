/* SPDX-License-Identifier: Apache-2.0 */
/* The whole way of a cached answer, socket to socket, with nothing behind it: net/udp, the front, a
 * cache filled from a list of names. To be held against a bare echo under the same load.
 *
 *   bench_serve PORT FILE        FILE: lines of "name type"; runs until a signal ends it
 *
 * Questions that are not in FILE get no answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rcu.h"
#include "base/xalloc.h"
#include "dns/msg_write.h"
#include "dns/rrtype.h"
#include "net/loop.h"
#include "net/udp.h"
#include "resolver/acl.h"
#include "resolver/cache.h"
#include "resolver/front.h"
#include "resolver/query.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"

#define CACHE_BYTES ((size_t)512 << 20)

/* Link instead of the rooms' own. */
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

struct server {
	struct resolver r;
	struct resolver_conf *conf;
	int64_t now_ms;
	struct front_slot slots[UDP_BATCH];
	struct client clients[UDP_BATCH];
};

static int64_t serve_now(void *arg)
{
	return *(int64_t *)arg;
}

/* The same steps as daemon/worker. */
static void serve_batch(void *arg, struct udp *u, struct udp_batch *b, int64_t now_ms)
{
	struct server *s = arg;
	size_t len;

	(void)u;
	s->now_ms = now_ms;
	for (size_t i = 0; i < b->n; i++) {
		if (b->rx[i].len == 0)
			continue;
		s->clients[i].peer = udp_peer(b->rx[i].from);
		front_stage(&s->r, &s->slots[i], b->rx[i].bytes, b->rx[i].len, &s->clients[i]);
	}
	for (size_t i = 0; i < b->n; i++)
		if (b->rx[i].len)
			front_reach(&s->r, &s->slots[i]);
	for (size_t i = 0; i < b->n; i++) {
		if (b->rx[i].len && front_answer(&s->r, &s->slots[i], &s->clients[i], b->tx[i],
					    UDP_TX_LEN, &len) == FRONT_SEND)
			b->tx_len[i] = (uint32_t)len;
	}
}

static void put(struct server *s, const char *name, const char *type)
{
	static const uint8_t addr[16] = {192, 0, 2, 1};
	uint8_t wire[512];
	struct question q = {.class = DNS_CLASS_IN};
	struct answer_blob blob = {.ttl_s = 3600, .ede = DNS_EDE_NONE, .wire = wire};
	struct cache_question key;
	struct msg_writer w;
	size_t len;

	if (dname_read(name, q.name, &len) != 0 || rrtype_read(type, &q.type) != 0)
		return;
	q.name_len = (uint8_t)len;
	key = (struct cache_question){
		.name = q.name, .name_len = q.name_len, .type = q.type, .class = q.class};
	key.hash = cache_hash(s->r.env.cache, &key);
	msg_write_begin(&w, wire, sizeof(wire), 0, 0, &q);
	if (msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, q.type, q.class, 3600, addr,
		    q.type == DNS_TYPE_AAAA ? 16 : 4) != 0)
		return;
	blob.len = (uint16_t)msg_write_end(&w);
	blob.question_len = (uint16_t)(len + 4);
	blob.n_ttl = 1;
	blob.ttl_off[0] = w.ttl_off[0];
	cache_put(s->r.env.cache, &key, &blob, 1, s->now_ms);
}

static void fill(struct server *s, const char *path)
{
	char name[256], type[16];
	FILE *f = fopen(path, "r");

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	while (fscanf(f, "%255s %15s", name, type) == 2)
		put(s, name, type);
	fclose(f);
}

int main(int argc, char **argv)
{
	struct server *s = xcalloc(1, sizeof(*s));
	struct udp_conf conf = {.reuseport = true};
	struct loop *loop = loop_new();
	struct ip_prefix allowed;
	struct udp *u;

	if (argc != 3)
		return 2;
	rcu_thread_register();
	if (loop == NULL || ip_prefix_read("127.0.0.0/8", &allowed) != 0 ||
		ip_read("127.0.0.1", &conf.bind.ip) != 0)
		return 1;
	conf.bind.port = (uint16_t)strtoul(argv[1], NULL, 10);
	s->conf = xcalloc(1, sizeof(*s->conf));
	s->conf->acl = acl_new(&allowed, 1);
	s->conf->generation = 1;
	s->conf->edns_size = 1232;
	s->now_ms = loop_now_ms(loop);
	s->r.env.cache = cache_new(CACHE_BYTES);
	s->r.env.stats = stats_new();
	s->r.env.conf = (void *const *)&s->conf;
	s->r.env.now_ms = serve_now;
	s->r.env.clock_arg = &s->now_ms;
	fill(s, argv[2]);
	if (udp_open(&conf, &u) != 0 || udp_start(u, loop, serve_batch, s) != 0) {
		fprintf(stderr, "cannot listen on port %s\n", argv[1]);
		return 1;
	}
	loop_set_guard(loop, rcu_enter, rcu_leave);
	loop_run(loop);
	return 0;
}
