/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from the network into the front, over a cache and zones that hold a few names: whatever
 * comes, a reply is a sound message for that client, no longer than it takes, and the question of a
 * query that was handed on is the one it holds. The first octet chooses transport and moment. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/rcu.h"
#include "base/xalloc.h"
#include "dns/msg_write.h"
#include "resolver/acl.h"
#include "resolver/cache.h"
#include "resolver/front.h"
#include "resolver/query.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Links instead of the room's own: nothing behind the front runs. */
void query_start(struct resolver *r, const struct query_ask *ask)
{
	(void)r;
	assert(ask->msg->has_question);
	assert(dname_len(ask->msg->q.name) == ask->msg->q.name_len);
	assert(ask->shape->question_len == ask->msg->q.name_len + 4);
}

void zones_free(struct zones *z)
{
	(void)z;
}

/* Names that begin with an "l" are ours: an address, an alias, a denial, ... */
enum zones_verdict zones_decide(const struct zones *z, const struct question *q,
	const struct ip *client, int64_t wall_s, uint8_t *mem, size_t cap, struct trace *trace,
	struct zones_answer *out)
{
	struct rrset *rr = rrset_init(mem, cap, q->name, DNS_TYPE_A, DNS_CLASS_IN, 60);

	(void)z;
	(void)client;
	(void)wall_s;
	(void)trace;
	if (q->name_len < 3 || (q->name[1] | 0x20) != 'l')
		return ZONES_RESOLVE;
	for (uint8_t i = 0; i < q->name_len % 100; i++)
		assert(rrset_add(rr, cap, (uint8_t[]){10, 0, 0, i}, 4) == 0);
	*out = (struct zones_answer){.is_aa = true,
		.n_answer = 1,
		.answer = {rr},
		.target = q->name,
		.ede = q->type % 24};
	return (enum zones_verdict)(q->type % 5);
}

static int64_t now_at(void *arg)
{
	return *(int64_t *)arg;
}

struct house {
	struct resolver r;
	struct resolver_conf *conf;
	int64_t now_ms;
	uint8_t out[65535];
};

/* Short names with 1 to 60 addresses, so that a fuzzer meets them. */
static void fill(struct house *h)
{
	static const char *const names[] = {"a", "b", "c", "dd", "www"};
	uint8_t wire[4096];

	for (unsigned i = 0; i < 5; i++) {
		struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
		struct answer_blob blob = {.wire = wire, .ttl_s = 300, .ede = (int16_t)i - 1};
		struct cache_question key;
		struct msg_writer w;
		size_t len;

		assert(dname_read(names[i], q.name, &len) == 0);
		q.name_len = (uint8_t)len;
		msg_write_begin(&w, wire, sizeof(wire), 0, 0, &q);
		for (uint8_t k = 0; k <= i * 14; k++)
			assert(msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, q.type, q.class, 300,
				       (uint8_t[]){192, 0, 2, k}, 4) == 0);
		blob.len = (uint16_t)msg_write_end(&w);
		blob.question_len = (uint16_t)(len + 4);
		blob.security = (uint8_t)i;
		blob.n_ttl = (uint8_t)w.n_ttl;
		memcpy(blob.ttl_off, w.ttl_off, w.n_ttl * sizeof(w.ttl_off[0]));
		key = (struct cache_question){.name = q.name,
			.name_len = q.name_len,
			.is_do = i % 2,
			.type = q.type,
			.class = q.class};
		key.hash = cache_hash(h->r.env.cache, &key);
		cache_put(h->r.env.cache, &key, &blob, i % 2, h->now_ms);
	}
}

static struct house *house_open(void)
{
	static struct house h;
	struct ip_prefix all;

	if (h.conf)
		return &h;
	rcu_thread_register();
	assert(ip_prefix_read("192.168.0.0/16", &all) == 0);
	h.conf = xcalloc(1, sizeof(*h.conf));
	h.conf->acl = acl_new(&all, 1);
	h.conf->zones = (struct zones *)&h;
	h.conf->edns_size = 1232;
	h.conf->generation = 1;
	h.conf->prefetch = true;
	h.conf->minimal_responses = true;
	h.r.env.cache = cache_new(0);
	h.r.env.stats = stats_new();
	h.r.env.conf = (void *const *)&h.conf;
	h.r.env.now_ms = h.r.env.wall_s = now_at;
	h.r.env.clock_arg = &h.now_ms;
	return &h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct house *h = house_open();
	struct client c = {.kind = CLIENT_UDP};
	struct msg_query asked;
	struct msg reply;
	size_t len, limit;
	bool is_tcp;

	if (size < 1)
		return 0;
	is_tcp = data[0] & 1;
	c.kind = is_tcp ? CLIENT_TCP : CLIENT_UDP;
	assert(ip_port_read("192.168.1.7:4000", 0, &c.peer) == 0);
	h->now_ms = 1000000;
	fill(h);
	h->now_ms += (data[0] >> 1) * 4 * 1000;
	rcu_enter();
	memset(&asked, 0, sizeof(asked));
	if (front_one(&h->r, data + 1, size - 1, &c, h->out, is_tcp ? 65535 : 4096, &len) ==
		FRONT_SEND) {
		(void)!msg_parse_query(data + 1, size - 1, &asked);
		assert(msg_parse(h->out, len, &reply) == 0);
		assert(reply.id == asked.id && reply.opcode == asked.opcode);
		assert(reply.flags & DNS_FLAG_QR);
		limit = asked.edns.present && asked.edns.udp_size > 512 ? asked.edns.udp_size : 512;
		assert(is_tcp || len <= (limit < 1232 ? limit : 1232));
		assert(!(reply.flags & DNS_FLAG_TC) || reply.n_rr == 0);
		if (reply.counts[0])
			assert(memcmp(h->out + 12, data + 13, asked.question_len) == 0);
	}
	rcu_leave();
	return 0;
}
