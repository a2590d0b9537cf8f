/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/front.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rcu.h"
#include "base/wbuf.h"
#include "base/xalloc.h"
#include "dns/msg_write.h"
#include "resolver/acl.h"
#include "resolver/cache.h"
#include "resolver/query.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"

#define T0 1000000 /* ms */

/* ---- what stands behind the front: the resolver and our own zones, as the tests want them ---- */

static struct {
	unsigned n;
	struct query_ask ask;
	struct msg_query msg;
	enum client_kind kind;
	uint8_t target[DNAME_MAX];
} started;

void query_start(struct resolver *r, const struct query_ask *ask)
{
	(void)r;
	started.n++;
	started.ask = *ask;
	started.msg = *ask->msg;
	started.kind = ask->client->kind;
	if (ask->target)
		dname_copy(ask->target, started.target);
}

static struct {
	unsigned n;
	enum zones_verdict verdict;
	struct zones_answer answer;
} local;

enum zones_verdict zones_decide(const struct zones *z, const struct question *q,
	const struct ip *client, int64_t wall_s, uint8_t *mem, size_t cap, struct trace *trace,
	struct zones_answer *out)
{
	(void)z;
	(void)q;
	(void)client;
	(void)mem;
	(void)trace;
	assert_true(cap >= ZONES_BLOCK_LEN);
	assert_int_equal(wall_s, 77);
	local.n++;
	*out = local.answer;
	return local.verdict;
}

void zones_free(struct zones *z)
{
	(void)z;
}

/* ---- a worker with nothing but a front ---- */

static struct {
	struct resolver r;
	struct resolver_conf *conf;
	struct stats *stats;
	struct client client;
	int64_t now_ms;
	uint8_t out[65535];
	size_t out_len;
	struct msg reply;
} lan;

static int64_t lan_now(void *arg)
{
	(void)arg;
	return lan.now_ms;
}

static int64_t lan_wall(void *arg)
{
	(void)arg;
	return 77;
}

static int setup(void **state)
{
	static struct zones *const some = (struct zones *)&lan;
	struct ip_prefix allowed;

	(void)state;
	memset(&started, 0, sizeof(started));
	memset(&local, 0, sizeof(local));
	memset(&lan, 0, sizeof(lan));
	local.answer.ede = DNS_EDE_NONE;
	lan.conf = xcalloc(1, sizeof(*lan.conf));
	assert_int_equal(ip_prefix_read("192.168.1.0/24", &allowed), 0);
	lan.conf->acl = acl_new(&allowed, 1);
	lan.conf->zones = some;
	lan.conf->generation = 1;
	lan.conf->edns_size = 1232;
	lan.conf->prefetch = true;
	lan.conf->minimal_responses = true;
	lan.stats = stats_new();
	lan.now_ms = T0;
	lan.r.env.cache = cache_new(0);
	lan.r.env.conf = (void *const *)&lan.conf;
	lan.r.env.stats = lan.stats;
	lan.r.env.now_ms = lan_now;
	lan.r.env.wall_s = lan_wall;
	lan.client.kind = CLIENT_UDP;
	assert_int_equal(ip_port_read("192.168.1.7:4000", 0, &lan.client.peer), 0);
	rcu_enter();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rcu_leave();
	cache_free(lan.r.env.cache);
	resolver_conf_free(lan.conf);
	stats_free(lan.stats);
	return 0;
}

/* A query as a client writes it; edns: its udp_size, 0 for none. */
struct asking {
	const char *name;
	uint16_t type, class, flags;
	uint16_t udp_size;
	bool is_do;
	uint8_t version;
};

static size_t write_query(const struct asking *a, uint8_t *wire, size_t cap)
{
	struct question q = {.type = a->type, .class = a->class ? a->class : DNS_CLASS_IN};
	struct edns_reply edns = {.udp_size = a->udp_size,
		.is_do = a->is_do,
		.version = a->version,
		.ede = DNS_EDE_NONE};
	size_t len;

	assert_int_equal(dname_read(a->name, q.name, &len), 0);
	q.name_len = (uint8_t)len;
	assert_int_equal(
		msg_write_query(wire, cap, 0xbeef, a->flags, &q, a->udp_size ? &edns : NULL, &len),
		0);
	return len;
}

static enum front_verdict give(const uint8_t *wire, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	enum front_verdict v;

	memcpy(exact, wire, len);
	lan.out_len = 0;
	v = front_one(&lan.r, exact, len, &lan.client, lan.out,
		lan.client.kind == CLIENT_UDP ? 4096 : sizeof(lan.out), &lan.out_len);
	if (v == FRONT_SEND) {
		assert_int_equal(msg_parse(lan.out, lan.out_len, &lan.reply), 0);
		assert_true(lan.reply.flags & DNS_FLAG_QR);
	} else {
		assert_int_equal(lan.out_len, 0);
	}
	free(exact);
	return v;
}

static enum front_verdict ask(struct asking a)
{
	uint8_t wire[512];

	return give(wire, write_query(&a, wire, sizeof(wire)));
}

/* The rcode of the reply, -1 when there is none. */
static int rcode_of(struct asking a)
{
	return ask(a) == FRONT_SEND ? lan.reply.rcode : -1;
}

#define RD DNS_FLAG_RD

/* Puts n addresses under a name, as a query would have done. */
static void remember(const char *name, bool is_do, unsigned n, uint32_t ttl_s)
{
	uint8_t wire[4096];
	struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	struct answer_blob blob = {.ede = DNS_EDE_NONE, .ttl_s = ttl_s, .wire = wire};
	struct cache_question key;
	struct msg_writer w;
	size_t len;

	assert_int_equal(dname_read(name, q.name, &len), 0);
	q.name_len = (uint8_t)len;
	msg_write_begin(&w, wire, sizeof(wire), 0, 0, &q);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t addr[4] = {192, 0, 2, (uint8_t)i};

		assert_int_equal(msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, DNS_TYPE_A,
					 DNS_CLASS_IN, ttl_s, addr, 4),
			0);
	}
	blob.len = (uint16_t)msg_write_end(&w);
	blob.question_len = (uint16_t)(len + 4);
	blob.n_ttl = (uint8_t)w.n_ttl;
	memcpy(blob.ttl_off, w.ttl_off, w.n_ttl * sizeof(w.ttl_off[0]));
	key = (struct cache_question){.name = q.name,
		.name_len = q.name_len,
		.is_do = is_do,
		.type = DNS_TYPE_A,
		.class = DNS_CLASS_IN};
	key.hash = cache_hash(lan.r.env.cache, &key);
	cache_put(lan.r.env.cache, &key, &blob, lan.conf->generation, lan.now_ms);
}

static uint64_t counted(enum stats_counter c)
{
	return stats_get(lan.stats, c);
}

/* ---- who and what is not answered ---- */

static void strangers_get_no_packet(void **state)
{
	(void)state;
	assert_int_equal(ip_port_read("203.0.113.5:4000", 0, &lan.client.peer), 0);
	assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_DROP);
	assert_int_equal(counted(STATS_DENIED), 1);
	assert_int_equal(counted(STATS_UDP), 0);
	lan.client.kind = CLIENT_TCP;
	assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_DROP);
	/* our own questions come from nowhere */
	lan.client.kind = CLIENT_CALL;
	lan.client.peer = (struct ip_port){.port = 0};
	assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_LATER);
	assert_int_equal(counted(STATS_CALLS), 1);
	assert_int_equal(ip_port_read("192.168.1.7:0", 0, &lan.client.peer), 0);
	lan.client.kind = CLIENT_UDP;
	lan.client.peer.port = 0;
	assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_DROP);
}

static void replies_and_scraps_are_dropped(void **state)
{
	uint8_t wire[512];
	size_t len = write_query(&(struct asking){"a.example.", 1, 1, RD, 0, 0, 0}, wire, 512);

	(void)state;
	for (size_t n = 0; n < 12; n++)
		assert_int_equal(give(wire, n), FRONT_DROP);
	wire[2] |= 0x80;
	assert_int_equal(give(wire, len), FRONT_DROP);
	assert_int_equal(counted(STATS_GARBAGE), 13);
	assert_int_equal(started.n, 0);
}

static void malformed_queries_get_formerr(void **state)
{
	uint8_t wire[512];
	size_t len = write_query(&(struct asking){"a.example.", 1, 1, RD, 1232, 0, 0}, wire, 512);

	(void)state;
	assert_int_equal(give(wire, len), FRONT_LATER);
	for (size_t n = 12; n < len; n++) {
		assert_int_equal(give(wire, n), FRONT_SEND);
		assert_int_equal(lan.reply.rcode, DNS_RCODE_FORMERR);
	}
	wire[5] = 2; /* QDCOUNT, RFC 9619 */
	assert_int_equal(give(wire, len), FRONT_SEND);
	assert_int_equal(lan.reply.rcode, DNS_RCODE_FORMERR);
	wire[5] = 0;
	assert_int_equal(give(wire, len), FRONT_SEND);
	assert_int_equal(lan.reply.rcode, DNS_RCODE_FORMERR);
	assert_int_equal(lan.reply.counts[0], 0);
	assert_int_equal(counted(STATS_FORMERR), len - 12 + 2);
	assert_int_equal(started.n, 1);
}

static void a_malformed_cookie_is_a_malformed_query(void **state)
{
	uint8_t wire[512];
	size_t len = write_query(&(struct asking){"a.example.", 1, 1, RD, 1232, 0, 0}, wire, 512);

	(void)state;
	memcpy(wire + len, "\0\12\0\5abcde", 9);
	wire[len - 1] = 9;
	assert_int_equal(give(wire, len + 9), FRONT_SEND);
	assert_int_equal(lan.reply.rcode, DNS_RCODE_FORMERR);
	assert_true(lan.reply.edns.present);
}

static void only_queries_of_class_in_are_served(void **state)
{
	uint8_t wire[512];
	size_t len;

	(void)state;
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		len = write_query(&(struct asking){"a.", 6, 1, RD, 0, 0, 0}, wire, 512);
		wire[2] = (uint8_t)(opcode << 3);
		assert_int_equal(give(wire, len), FRONT_SEND);
		assert_int_equal(lan.reply.rcode, DNS_RCODE_NOTIMP);
		assert_int_equal(lan.reply.opcode, opcode);
	}
	assert_int_equal(
		rcode_of((struct asking){"version.bind.", 16, 3, RD, 0, 0, 0}), DNS_RCODE_REFUSED);
	assert_int_equal(rcode_of((struct asking){"a.", 1, 4, RD, 0, 0, 0}), DNS_RCODE_REFUSED);
	assert_int_equal(rcode_of((struct asking){"a.", 1, 255, RD, 0, 0, 0}), DNS_RCODE_REFUSED);
	assert_int_equal(counted(STATS_NOTIMP), 15);
	assert_int_equal(counted(STATS_REFUSED), 3);
	assert_int_equal(started.n, 0);
	assert_int_equal(local.n, 0);
}

static void a_later_edns_gets_badvers(void **state)
{
	(void)state;
	assert_int_equal(
		rcode_of((struct asking){"a.", 1, 1, RD, 1232, true, 1}), DNS_RCODE_BADVERS);
	assert_int_equal(lan.reply.edns.version, 0);
	assert_int_equal(counted(STATS_BADVERS), 1);
}

static void types_that_are_no_data_are_turned_away(void **state)
{
	static const struct {
		uint16_t type;
		int rcode;
	} want[] = {
		{DNS_TYPE_AXFR, DNS_RCODE_REFUSED},
		{DNS_TYPE_IXFR, DNS_RCODE_REFUSED},
		{DNS_TYPE_OPT, DNS_RCODE_NOTIMP},
		{DNS_TYPE_TKEY, DNS_RCODE_NOTIMP},
		{DNS_TYPE_TSIG, DNS_RCODE_NOTIMP},
		{DNS_TYPE_MAILA, DNS_RCODE_NOTIMP},
		{DNS_TYPE_MAILB, DNS_RCODE_NOTIMP},
		{128, DNS_RCODE_FORMERR},
		{0, DNS_RCODE_FORMERR},
		{200, DNS_RCODE_NOTIMP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(rcode_of((struct asking){"a.", want[i].type, 1, RD, 0, 0, 0}),
			want[i].rcode);
	assert_int_equal(started.n, 0);
	assert_int_equal(ask((struct asking){"a.", 65280, 1, RD, 0, 0, 0}), FRONT_LATER);
	assert_int_equal(ask((struct asking){"a.", DNS_TYPE_CAA, 1, RD, 0, 0, 0}), FRONT_LATER);
}

/* ---- the cache ---- */

static void a_cached_answer_is_sent_at_once(void **state)
{
	(void)state;
	remember("www.example.", false, 2, 300);
	lan.now_ms += 10000;
	assert_int_equal(ask((struct asking){"WWW.eXample.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
	assert_int_equal(lan.reply.id, 0xbeef);
	assert_int_equal(lan.reply.flags, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA);
	assert_memory_equal(lan.reply.q.name, "\3WWW\7eXample", 13);
	assert_int_equal(lan.reply.n_rr, 2);
	assert_int_equal(lan.reply.rr[1].ttl, 290);
	assert_int_equal(counted(STATS_HITS), 1);
	assert_int_equal(counted(STATS_UDP), 1);
	assert_int_equal(local.n, 0);
	assert_int_equal(started.n, 0);
	/* DO is another question */
	assert_int_equal(
		ask((struct asking){"www.example.", 1, 1, RD, 1232, true, 0}), FRONT_LATER);
	assert_int_equal(
		ask((struct asking){"www.example.", 1, 1, RD | DNS_FLAG_CD, 0, 0, 0}), FRONT_LATER);
}

static void stages_do_the_same_for_a_batch(void **state)
{
	struct front_slot slots[8];
	uint8_t wires[8][64];

	(void)state;
	remember("n3.example.", false, 1, 300);
	for (unsigned i = 0; i < 8; i++) {
		char name[] = "n0.example.";

		name[1] = (char)('0' + i);
		front_stage(&lan.r, &slots[i], wires[i],
			write_query(&(struct asking){name, 1, 1, RD, 0, 0, 0}, wires[i], 64),
			&lan.client);
	}
	for (unsigned i = 0; i < 8; i++)
		front_reach(&lan.r, &slots[i]);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(
			front_answer(&lan.r, &slots[i], &lan.client, lan.out, 4096, &lan.out_len),
			i == 3 ? FRONT_SEND : FRONT_LATER);
}

static void a_long_cached_answer_is_cut_for_udp_only(void **state)
{
	(void)state;
	remember("long.example.", false, 60, 300);
	assert_int_equal(ask((struct asking){"long.example.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
	assert_true(lan.reply.flags & DNS_FLAG_TC);
	assert_int_equal(lan.reply.n_rr, 0);
	assert_int_equal(counted(STATS_TRUNCATED), 1);
	assert_int_equal(ask((struct asking){"long.example.", 1, 1, RD, 4096, 0, 0}), FRONT_SEND);
	assert_false(lan.reply.flags & DNS_FLAG_TC);
	lan.client.kind = CLIENT_TCP;
	assert_int_equal(ask((struct asking){"long.example.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
	assert_int_equal(lan.reply.n_rr, 60);
	assert_int_equal(counted(STATS_TCP), 1);
}

static void a_miss_goes_to_our_zones_then_to_the_resolver(void **state)
{
	(void)state;
	assert_int_equal(ask((struct asking){"a.example.", 28, 1, RD, 0, 0, 0}), FRONT_LATER);
	assert_int_equal(local.n, 1);
	assert_int_equal(started.n, 1);
	assert_int_equal(started.msg.q.type, 28);
	assert_null(started.ask.prefix);
	assert_false(started.ask.is_prefetch);
	assert_int_equal(counted(STATS_MISSES), 1);
}

static void without_rd_only_what_is_at_hand_is_given(void **state)
{
	(void)state;
	assert_int_equal(
		rcode_of((struct asking){"a.example.", 1, 1, 0, 0, 0, 0}), DNS_RCODE_REFUSED);
	assert_int_equal(counted(STATS_NORECURSE), 1);
	assert_int_equal(started.n, 0);
	remember("a.example.", false, 1, 300);
	assert_int_equal(rcode_of((struct asking){"a.example.", 1, 1, 0, 0, 0, 0}), 0);
	assert_int_equal(lan.reply.n_rr, 1);
	assert_false(lan.reply.flags & DNS_FLAG_RD);
}

static void the_popular_are_refreshed_by_one(void **state)
{
	(void)state;
	remember("a.example.", false, 1, 100);
	lan.now_ms += 95000;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
	assert_int_equal(started.n, 1);
	assert_true(started.ask.is_prefetch);
	assert_int_equal(started.kind, CLIENT_CALL);
	assert_int_equal(counted(STATS_PREFETCH), 1);
	assert_int_equal(counted(STATS_HITS), 3);
	lan.conf->prefetch = false;
	remember("b.example.", false, 1, 100);
	lan.now_ms += 95000;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask((struct asking){"b.example.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
	assert_int_equal(started.n, 1);
}

/* ---- our own zones ---- */

static struct rrset *address(const char *owner, uint16_t n)
{
	static uint8_t blocks[4][4096] __attribute__((aligned(16)));
	static unsigned next;
	uint8_t *block = blocks[next++ % 4], name[DNAME_MAX];
	struct rrset *rr;
	size_t len;

	assert_int_equal(dname_read(owner, name, &len), 0);
	rr = rrset_init(block, 4096, name, DNS_TYPE_A, DNS_CLASS_IN, 60);
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(rrset_add(rr, 4096, (uint8_t[]){10, 0, 0, (uint8_t)i}, 4), 0);
	return rr;
}

static void say_local(enum zones_verdict verdict, const struct rrset *answer)
{
	local.verdict = verdict;
	local.answer = (struct zones_answer){.is_aa = true, .ede = DNS_EDE_NONE};
	if (answer)
		local.answer.answer[local.answer.n_answer++] = answer;
}

static void a_local_name_is_answered_here_and_never_cached(void **state)
{
	struct cache_usage u;

	(void)state;
	say_local(ZONES_ANSWER, address("nas.home.arpa.", 1));
	assert_int_equal(
		ask((struct asking){"NAS.home.arpa.", 1, 1, RD, 1232, true, 0}), FRONT_SEND);
	assert_int_equal(lan.reply.flags, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD | DNS_FLAG_RA);
	assert_int_equal(lan.reply.n_rr, 1);
	assert_int_equal(lan.reply.rr[0].ttl, 60);
	assert_memory_equal(lan.reply.q.name, "\3NAS\4home", 9);
	assert_true(lan.reply.edns.present && lan.reply.edns.is_do);
	assert_int_equal(counted(STATS_LOCAL), 1);
	assert_int_equal(started.n, 0);
	cache_usage(lan.r.env.cache, &u);
	assert_int_equal(u.entries, 0);
	/* also for those who do not want recursion */
	assert_int_equal(rcode_of((struct asking){"nas.home.arpa.", 1, 1, 0, 0, 0, 0}), 0);
}

static void a_local_denial_carries_its_soa(void **state)
{
	(void)state;
	say_local(ZONES_ANSWER, NULL);
	local.answer.rcode = DNS_RCODE_NXDOMAIN;
	local.answer.authority[0] = address("home.arpa.", 1);
	local.answer.n_authority = 1;
	assert_int_equal(
		rcode_of((struct asking){"x.home.arpa.", 1, 1, RD, 0, 0, 0}), DNS_RCODE_NXDOMAIN);
	assert_int_equal(lan.reply.counts[1], 0);
	assert_int_equal(lan.reply.counts[2], 1);
}

static void a_local_answer_too_long_is_cut(void **state)
{
	(void)state;
	say_local(ZONES_ANSWER, address("many.home.arpa.", 90));
	assert_int_equal(rcode_of((struct asking){"many.home.arpa.", 1, 1, RD, 1232, 0, 0}), 0);
	assert_true(lan.reply.flags & DNS_FLAG_TC);
	assert_true(lan.reply.flags & DNS_FLAG_AA);
	assert_int_equal(lan.reply.n_rr, 0);
	assert_true(lan.reply.edns.present);
	lan.client.kind = CLIENT_TCP;
	assert_int_equal(rcode_of((struct asking){"many.home.arpa.", 1, 1, RD, 1232, 0, 0}), 0);
	assert_int_equal(lan.reply.n_rr, 90);
}

static void our_zones_may_drop_or_refuse(void **state)
{
	(void)state;
	say_local(ZONES_DROP, NULL);
	assert_int_equal(ask((struct asking){"x.", 1, 1, RD, 0, 0, 0}), FRONT_DROP);
	assert_int_equal(counted(STATS_LOCAL_DROP), 1);
	say_local(ZONES_REFUSE, NULL);
	local.answer.ede = DNS_EDE_BLOCKED;
	assert_int_equal(rcode_of((struct asking){"x.", 1, 1, RD, 1232, 0, 0}), DNS_RCODE_REFUSED);
	assert_int_equal(lan.reply.edns.ede, DNS_EDE_BLOCKED);
	assert_int_equal(started.n, 0);
}

static void a_local_alias_goes_on_outside(void **state)
{
	static const uint8_t target[] = "\3www\7example";

	(void)state;
	say_local(ZONES_CNAME, address("alias.home.arpa.", 1));
	local.answer.target = target;
	assert_int_equal(ask((struct asking){"alias.home.arpa.", 1, 1, RD, 0, 0, 0}), FRONT_LATER);
	assert_int_equal(started.ask.n_prefix, 1);
	assert_memory_equal(started.target, target, sizeof(target));
	/* without RD the alias alone */
	assert_int_equal(rcode_of((struct asking){"alias.home.arpa.", 1, 1, 0, 0, 0, 0}), 0);
	assert_int_equal(lan.reply.n_rr, 1);
	assert_int_equal(started.n, 1);
}

static void a_new_configuration_judges_cached_answers_again(void **state)
{
	(void)state;
	remember("a.example.", false, 1, 300);
	lan.conf->generation = 2;
	assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
	assert_int_equal(local.n, 1);
	assert_int_equal(counted(STATS_REJUDGED), 1);
	/* once */
	assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
	assert_int_equal(local.n, 1);
	assert_int_equal(lan.reply.n_rr, 1);
	/* and when the name has become ours, the cached answer is gone for good */
	lan.conf->generation = 3;
	say_local(ZONES_ANSWER, address("a.example.", 3));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask((struct asking){"a.example.", 1, 1, RD, 0, 0, 0}), FRONT_SEND);
		assert_int_equal(lan.reply.n_rr, 3);
		assert_true(lan.reply.flags & DNS_FLAG_AA);
	}
	assert_int_equal(local.n, 3);
}

static void any_is_answered_with_one_record(void **state)
{
	(void)state;
	assert_int_equal(
		rcode_of((struct asking){"a.example.", DNS_TYPE_ANY, 1, RD, 1232, true, 0}), 0);
	assert_int_equal(lan.reply.n_rr, 1);
	assert_int_equal(lan.reply.rr[0].type, DNS_TYPE_HINFO);
	assert_int_equal(lan.reply.rr[0].rdlen, 9);
	assert_true(lan.out_len < 100);
	assert_int_equal(counted(STATS_ANY), 1);
	assert_int_equal(started.n, 0);
	/* but ours first */
	say_local(ZONES_ANSWER, address("nas.home.arpa.", 1));
	assert_int_equal(
		rcode_of((struct asking){"nas.home.arpa.", DNS_TYPE_ANY, 1, RD, 0, 0, 0}), 0);
	assert_int_equal(lan.reply.rr[0].type, DNS_TYPE_A);
}

/* Every type, every size offered: never more out than 1232, never records in a cut reply. */
static void no_type_amplifies(void **state)
{
	(void)state;
	remember("a.example.", false, 60, 300);
	remember("a.example.", true, 60, 300);
	for (unsigned type = 0; type < 65536; type += type < 300 ? 1 : 977) {
		static const uint16_t sizes[] = {0, 512, 1232, 65535};

		for (int i = 0; i < 4; i++) {
			if (ask((struct asking){"a.example.", (uint16_t)type, 1, RD, sizes[i],
				    i & 1, 0}) != FRONT_SEND)
				continue;
			assert_true(lan.out_len <= (sizes[i] < 512 ? 512u : 1232u));
			if (lan.reply.flags & DNS_FLAG_TC)
				assert_int_equal(lan.reply.n_rr, 0);
		}
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(strangers_get_no_packet),
		CASE(replies_and_scraps_are_dropped),
		CASE(malformed_queries_get_formerr),
		CASE(a_malformed_cookie_is_a_malformed_query),
		CASE(only_queries_of_class_in_are_served),
		CASE(a_later_edns_gets_badvers),
		CASE(types_that_are_no_data_are_turned_away),
		CASE(a_cached_answer_is_sent_at_once),
		CASE(stages_do_the_same_for_a_batch),
		CASE(a_long_cached_answer_is_cut_for_udp_only),
		CASE(a_miss_goes_to_our_zones_then_to_the_resolver),
		CASE(without_rd_only_what_is_at_hand_is_given),
		CASE(the_popular_are_refreshed_by_one),
		CASE(a_local_name_is_answered_here_and_never_cached),
		CASE(a_local_denial_carries_its_soa),
		CASE(a_local_answer_too_long_is_cut),
		CASE(our_zones_may_drop_or_refuse),
		CASE(a_local_alias_goes_on_outside),
		CASE(a_new_configuration_judges_cached_answers_again),
		CASE(any_is_answered_with_one_record),
		CASE(no_type_amplifies),
	};
	int failed;

	rcu_thread_register();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_unregister();
	return failed;
}
