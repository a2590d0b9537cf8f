/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/cache_rrset.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/rand.h"
#include "dns/dname.h"
#include "dns/dns_const.h"

#define MIB ((size_t)1 << 20)
#define T0  1000000 /* ms */
#define S   1000

static struct {
	struct cache_rrset *c;
	struct arena_pool *pool;
	struct arena *a;
} t;

static int setup(void **state)
{
	(void)state;
	t.c = cache_rrset_new(4 * MIB);
	t.pool = arena_pool_new(16384, 4);
	t.a = arena_new(t.pool, 8 * MIB);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(t.a);
	arena_pool_free(t.pool);
	cache_rrset_free(t.c);
	return 0;
}

static const uint8_t *wire(const char *name)
{
	static uint8_t buf[8][DNAME_MAX];
	static unsigned next;
	uint8_t *out = buf[next++ % 8];
	size_t len;

	assert_int_equal(dname_read(name, out, &len), 0);
	return out;
}

/* One record whose rdata is n repeated. */
static struct rrset *make(const char *owner, uint16_t type, uint32_t ttl, uint8_t rank, uint8_t n)
{
	struct rrset *rr = arena_alloc(t.a, 512);
	uint8_t rdata[4];

	memset(rdata, n, sizeof(rdata));
	rr = rrset_init(rr, 512, wire(owner), type, DNS_CLASS_IN, ttl);
	assert_int_equal(rrset_add(rr, 512, rdata, sizeof(rdata)), 0);
	rr->rank = rank;
	return rr;
}

static bool put(const char *owner, uint16_t type, uint32_t ttl, uint8_t rank, uint8_t n, int64_t ms)
{
	return cache_rrset_put(t.c, make(owner, type, ttl, rank, n), ms);
}

static struct rrset *get(const char *name, uint16_t type, int64_t now_ms)
{
	return cache_rrset_get(t.c, wire(name), type, DNS_CLASS_IN, now_ms, 0, t.a);
}

/* The number make was given, -1 when nothing is there. */
static int number(const char *name, uint16_t type, int64_t now_ms)
{
	struct rrset *rr = get(name, type, now_ms);
	struct rrset_iter it;

	if (rr == NULL)
		return -1;
	it = rrset_begin(rr);
	assert_true(rrset_next(&it));
	return it.rdata[0];
}

static void what_is_put_comes_back_with_the_time_left(void **state)
{
	struct rrset *in = make("WWW.Example.", 1, 300, RRSET_RANK_ANSWER_AA, 7), *out;

	(void)state;
	in->security = RRSET_INSECURE;
	assert_null(get("www.example.", 1, T0));
	assert_true(cache_rrset_put(t.c, in, T0));
	out = get("www.eXample.", 1, T0 + 100 * S);
	assert_non_null(out);
	assert_int_equal(out->ttl, 200);
	assert_int_equal(out->rank, RRSET_RANK_ANSWER_AA);
	assert_int_equal(out->security, RRSET_INSECURE);
	assert_true(rrset_equal(in, out));
	assert_true(rrset_is_sound(out, out->size));
	assert_memory_equal(rrset_owner(out), "\3WWW\7Example", 13);
	assert_null(get("www.example.", 28, T0));
	assert_null(get("example.", 1, T0));
	assert_null(cache_rrset_get(t.c, wire("www.example."), 1, 3, T0, 0, t.a));
}

static void the_expired_are_gone_or_stale(void **state)
{
	struct rrset *rr;

	(void)state;
	assert_true(put("a.", 1, 10, RRSET_RANK_ANSWER_AA, 1, T0));
	assert_int_equal(get("a.", 1, T0 + 9999)->ttl, 1);
	assert_null(get("a.", 1, T0 + 10 * S));
	rr = cache_rrset_get(t.c, wire("a."), 1, 1, T0 + 10 * S, 60, t.a);
	assert_non_null(rr);
	assert_int_equal(rr->ttl, 0);
	assert_non_null(cache_rrset_get(t.c, wire("a."), 1, 1, T0 + 69 * S, 60, t.a));
	assert_null(cache_rrset_get(t.c, wire("a."), 1, 1, T0 + 70 * S, 60, t.a));
	assert_false(put("b.", 1, 0, RRSET_RANK_ANSWER_AA, 1, T0));
	assert_null(get("b.", 1, T0));
}

static void a_full_arena_gives_nothing(void **state)
{
	struct arena *small = arena_new(t.pool, 16);

	(void)state;
	assert_true(put("a.", 1, 10, RRSET_RANK_ANSWER_AA, 1, T0));
	assert_null(cache_rrset_get(t.c, wire("a."), 1, 1, T0, 0, small));
	arena_free(small);
}

/* RFC 2181 5.4.1, every pair of ranks. */
static void only_an_equal_or_higher_rank_replaces(void **state)
{
	(void)state;
	for (uint8_t old = RRSET_RANK_ADDITIONAL; old <= RRSET_RANK_LOCAL; old++) {
		for (uint8_t fresh = RRSET_RANK_ADDITIONAL; fresh <= RRSET_RANK_LOCAL; fresh++) {
			char name[16];

			snprintf(name, sizeof(name), "r%u-%u.", old, fresh);
			assert_true(put(name, 16, 100, old, 1, T0));
			assert_int_equal(put(name, 16, 100, fresh, 2, T0 + S), fresh >= old);
			assert_int_equal(number(name, 16, T0 + S), fresh >= old ? 2 : 1);
			/* the expired ranks nowhere */
			assert_true(put(name, 16, 100, fresh, 3, T0 + 200 * S));
			assert_int_equal(number(name, 16, T0 + 200 * S), 3);
		}
	}
}

static bool put_secure(uint8_t security, uint8_t rank, uint8_t n, int64_t ms)
{
	struct rrset *rr = make("s.", 1, 100, rank, n);

	rr->security = security;
	return cache_rrset_put(t.c, rr, ms);
}

static void the_proven_give_way_only_to_the_proven(void **state)
{
	(void)state;
	assert_true(put_secure(RRSET_SECURE, RRSET_RANK_ANSWER_AA, 1, T0));
	assert_false(put_secure(RRSET_UNCHECKED, RRSET_RANK_ANSWER_AA, 2, T0 + S));
	assert_false(put_secure(RRSET_BOGUS, RRSET_RANK_ANSWER_AA, 3, T0 + S));
	assert_false(put_secure(RRSET_INSECURE, RRSET_RANK_ANSWER_AA, 3, T0 + S));
	assert_int_equal(number("s.", 1, T0 + S), 1);
	assert_true(put_secure(RRSET_SECURE, RRSET_RANK_ANSWER_AA, 4, T0 + S));
	/* a refresh at its end may store before it is proven, but not what is known bogus */
	assert_false(put_secure(RRSET_UNCHECKED, RRSET_RANK_ANSWER_AA, 5, T0 + 91 * S));
	assert_false(put_secure(RRSET_BOGUS, RRSET_RANK_ANSWER_AA, 5, T0 + 92 * S));
	assert_false(put_secure(RRSET_UNCHECKED, RRSET_RANK_ADDITIONAL, 5, T0 + 92 * S));
	assert_true(put_secure(RRSET_UNCHECKED, RRSET_RANK_ANSWER_AA, 5, T0 + 92 * S));
	/* our own word always counts */
	assert_true(put_secure(RRSET_SECURE, RRSET_RANK_ANSWER_AA, 6, T0 + 92 * S));
	assert_true(put_secure(RRSET_UNCHECKED, RRSET_RANK_LOCAL, 7, T0 + 92 * S));
}

static void the_bogus_give_way_to_any_answer(void **state)
{
	(void)state;
	assert_true(put_secure(RRSET_BOGUS, RRSET_RANK_ANSWER_AA, 1, T0));
	assert_false(put_secure(RRSET_UNCHECKED, RRSET_RANK_ADDITIONAL, 2, T0));
	assert_true(put_secure(RRSET_UNCHECKED, RRSET_RANK_ANSWER_NA, 3, T0));
	assert_int_equal(number("s.", 1, T0), 3);
}

static void a_verdict_is_kept_with_the_data_it_was_given_for(void **state)
{
	struct rrset *rr = make("v.", 1, 100, RRSET_RANK_ANSWER_AA, 1);
	struct rrset *other = make("v.", 1, 100, RRSET_RANK_ANSWER_AA, 2);

	(void)state;
	assert_true(cache_rrset_put(t.c, rr, T0));
	cache_rrset_set_security(t.c, other, RRSET_BOGUS, T0);
	assert_int_equal(get("v.", 1, T0)->security, RRSET_UNCHECKED);
	cache_rrset_set_security(t.c, rr, RRSET_SECURE, T0 + 5 * S);
	assert_int_equal(get("v.", 1, T0 + 5 * S)->security, RRSET_SECURE);
	assert_int_equal(get("v.", 1, T0 + 5 * S)->ttl, 95);
	cache_rrset_set_security(t.c, make("absent.", 1, 1, 1, 1), RRSET_SECURE, T0);
}

/* A9: the parent gave a delegation for 100 s and takes it away; the child renews for a day. */
static void a_child_does_not_prolong_its_delegation(void **state)
{
	const uint16_t ns = DNS_TYPE_NS;

	(void)state;
	assert_true(put("ghost.", ns, 100, RRSET_RANK_REFERRAL, 1, T0));
	assert_true(put("ghost.", ns, 86400, RRSET_RANK_AUTHORITY_AA, 2, T0 + 10 * S));
	assert_int_equal(get("ghost.", ns, T0 + 10 * S)->ttl, 90);
	assert_int_equal(number("ghost.", ns, T0 + 10 * S), 2);
	assert_int_equal(get("ghost.", ns, T0)->ttl, 90); /* also when a clock goes back */
	for (int s = 20; s < 100; s += 10) {
		/* the phoenix: other servers each time */
		assert_true(put("ghost.", ns, 86400, RRSET_RANK_ANSWER_AA, (uint8_t)s, T0 + s * S));
		assert_int_equal(get("ghost.", ns, T0 + s * S)->ttl, 100 - s);
	}
	assert_null(get("ghost.", ns, T0 + 100 * S));
	/* a shorter life is the child's to choose */
	assert_true(put("child.", ns, 100, RRSET_RANK_REFERRAL, 1, T0));
	assert_true(put("child.", ns, 20, RRSET_RANK_AUTHORITY_AA, 2, T0));
	assert_null(get("child.", ns, T0 + 20 * S));
}

static void the_parent_may_prolong_a_delegation(void **state)
{
	(void)state;
	assert_true(put("z.", DNS_TYPE_NS, 100, RRSET_RANK_REFERRAL, 1, T0));
	assert_true(put("z.", DNS_TYPE_NS, 100, RRSET_RANK_REFERRAL, 1, T0 + 50 * S));
	assert_int_equal(get("z.", DNS_TYPE_NS, T0 + 50 * S)->ttl, 100);
}

static void a_child_does_not_prolong_its_glue(void **state)
{
	(void)state;
	assert_true(put("ns.ghost.", 1, 100, RRSET_RANK_ADDITIONAL, 1, T0));
	assert_true(put("ns.ghost.", 1, 86400, RRSET_RANK_ANSWER_AA, 2, T0 + 10 * S));
	assert_int_equal(get("ns.ghost.", 1, T0 + 10 * S)->ttl, 90);
	/* nor from one authoritative answer to the next */
	assert_true(put("ns.ghost.", 1, 86400, RRSET_RANK_ANSWER_AA, 3, T0 + 95 * S));
	assert_int_equal(get("ns.ghost.", 1, T0 + 95 * S)->ttl, 5);
	assert_null(get("ns.ghost.", 1, T0 + 100 * S));
	/* an address that never was glue is free */
	assert_true(put("www.", 1, 100, RRSET_RANK_ANSWER_AA, 1, T0));
	assert_true(put("www.", 1, 300, RRSET_RANK_ANSWER_AA, 1, T0 + 50 * S));
	assert_int_equal(get("www.", 1, T0 + 50 * S)->ttl, 300);
	/* nor is one that came back after it had died */
	assert_true(put("ns.ghost.", 1, 500, RRSET_RANK_ANSWER_AA, 4, T0 + 200 * S));
	assert_int_equal(get("ns.ghost.", 1, T0 + 200 * S)->ttl, 500);
}

/* ---- what does not exist ---- */

static struct cache_proof proof_of(uint8_t rank, unsigned n)
{
	struct cache_proof p = {.security = RRSET_INSECURE, .rank = rank, .n = (uint8_t)n};

	for (unsigned i = 0; i < n; i++)
		p.rr[i] = make(i ? "nsec.example." : "example.", i ? DNS_TYPE_NSEC : DNS_TYPE_SOA,
			60 + i, rank, (uint8_t)i);
	return p;
}

static void deny(const char *name, uint16_t type, enum cache_negative kind, uint8_t rank,
	unsigned n, uint32_t ttl_s, int64_t now_ms)
{
	struct cache_proof p = proof_of(rank, n);

	cache_rrset_put_negative(t.c, wire(name), type, DNS_CLASS_IN, kind, &p, ttl_s, now_ms);
}

static enum cache_negative denied(
	const char *name, uint16_t type, int64_t now_ms, struct cache_proof *out)
{
	return cache_rrset_negative(t.c, wire(name), type, DNS_CLASS_IN, now_ms, t.a, out);
}

static void nodata_is_for_one_type(void **state)
{
	struct cache_proof p;

	(void)state;
	deny("a.Example.", 28, CACHE_NEGATIVE_NODATA, RRSET_RANK_AUTHORITY_AA, 3, 60, T0);
	assert_int_equal(denied("A.example.", 28, T0 + 20 * S, &p), CACHE_NEGATIVE_NODATA);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.rank, RRSET_RANK_AUTHORITY_AA);
	assert_int_equal(p.security, RRSET_INSECURE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(p.rr[i]->ttl, 40 + i);
		assert_true(rrset_is_sound(p.rr[i], p.rr[i]->size));
	}
	assert_int_equal(p.rr[0]->type, DNS_TYPE_SOA);
	assert_int_equal(p.rr[2]->type, DNS_TYPE_NSEC);
	assert_int_equal(denied("a.example.", 1, T0, &p), CACHE_NEGATIVE_NONE);
	assert_null(get("a.example.", 28, T0));
	assert_int_equal(denied("a.example.", 28, T0 + 60 * S, &p), CACHE_NEGATIVE_NONE);
}

static void nxdomain_is_for_all_types(void **state)
{
	struct cache_proof p;

	(void)state;
	deny("no.example.", 28, CACHE_NEGATIVE_NXDOMAIN, RRSET_RANK_AUTHORITY_AA, 0, 60, T0);
	assert_int_equal(denied("no.example.", 1, T0, &p), CACHE_NEGATIVE_NXDOMAIN);
	assert_int_equal(denied("no.example.", 16, T0, &p), CACHE_NEGATIVE_NXDOMAIN);
	assert_int_equal(p.n, 0);
	assert_int_equal(denied("sub.no.example.", 16, T0, &p), CACHE_NEGATIVE_NONE);
	/* until the name is seen */
	assert_true(put("no.example.", 1, 60, RRSET_RANK_ADDITIONAL, 1, T0));
	assert_int_equal(denied("no.example.", 16, T0, &p), CACHE_NEGATIVE_NXDOMAIN);
	assert_true(put("no.example.", 1, 60, RRSET_RANK_ANSWER_AA, 1, T0));
	assert_int_equal(denied("no.example.", 16, T0, &p), CACHE_NEGATIVE_NONE);
}

static void data_and_its_absence_replace_each_other_by_rank(void **state)
{
	struct cache_proof p;

	(void)state;
	assert_true(put("x.", 1, 100, RRSET_RANK_ANSWER_AA, 1, T0));
	deny("x.", 1, CACHE_NEGATIVE_NODATA, RRSET_RANK_AUTHORITY_NA, 1, 60, T0);
	assert_int_equal(number("x.", 1, T0), 1);
	deny("x.", 1, CACHE_NEGATIVE_NODATA, RRSET_RANK_AUTHORITY_AA, 1, 60, T0);
	assert_null(get("x.", 1, T0));
	assert_int_equal(denied("x.", 1, T0, &p), CACHE_NEGATIVE_NODATA);
	assert_false(put("x.", 1, 100, RRSET_RANK_ADDITIONAL, 2, T0));
	assert_true(put("x.", 1, 100, RRSET_RANK_ANSWER_AA, 3, T0));
	assert_int_equal(denied("x.", 1, T0, &p), CACHE_NEGATIVE_NONE);
	assert_int_equal(number("x.", 1, T0), 3);
}

/* ---- control ---- */

static void flush_takes_a_name_a_tree_or_all(void **state)
{
	struct cache_usage u;

	(void)state;
	assert_true(put("example.", 1, 60, 6, 1, T0));
	assert_true(put("A.example.", 1, 60, 6, 1, T0));
	assert_true(put("a.example.", 16, 60, 6, 1, T0));
	assert_true(put("b.a.example.", 1, 60, 6, 1, T0));
	assert_true(put("notexample.", 1, 60, 6, 1, T0));
	deny("c.example.", 1, CACHE_NEGATIVE_NODATA, RRSET_RANK_AUTHORITY_AA, 1, 60, T0);
	assert_int_equal(cache_rrset_flush(t.c, wire("a.example."), false), 2);
	assert_int_equal(number("b.a.example.", 1, T0), 1);
	assert_int_equal(cache_rrset_flush(t.c, wire("EXAMPLE."), true), 3);
	assert_int_equal(number("notexample.", 1, T0), 1);
	cache_rrset_usage(t.c, &u);
	assert_int_equal(u.entries, 1);
	assert_int_equal(cache_rrset_flush(t.c, NULL, true), 1);
	assert_null(get("notexample.", 1, T0));
	cache_rrset_free(NULL);
}

struct seen {
	unsigned n;
	uint32_t ttl_sum;
};

static void see(void *arg, const struct rrset *rr, uint32_t ttl_left_s)
{
	struct seen *s = arg;

	assert_true(rrset_is_sound(rr, rr->size));
	assert_int_equal(rr->ttl, ttl_left_s);
	s->n++;
	s->ttl_sum += ttl_left_s;
}

static void each_shows_the_live_rrsets(void **state)
{
	struct seen s = {0, 0};

	(void)state;
	assert_true(put("a.", 1, 100, 6, 1, T0));
	assert_true(put("b.", 1, 200, 6, 1, T0));
	assert_true(put("c.", 1, 5, 6, 1, T0));
	deny("d.", 1, CACHE_NEGATIVE_NODATA, RRSET_RANK_AUTHORITY_AA, 1, 60, T0);
	cache_rrset_each(t.c, T0 + 10 * S, see, &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.ttl_sum, 90 + 190);
}

static void large_rrsets_are_kept_whole_and_the_largest_not(void **state)
{
	uint8_t *block = malloc(RRSET_SIZE_MAX), *rdata = calloc(1, 660);
	struct rrset *rr =
		rrset_init(block, RRSET_SIZE_MAX, wire("big.example."), 16, DNS_CLASS_IN, 300);

	(void)state;
	for (uint8_t i = 0; i < 95; i++) {
		memset(rdata, i, 660);
		assert_int_equal(rrset_add(rr, RRSET_SIZE_MAX, rdata, 660), 0);
	}
	rr->rank = RRSET_RANK_ANSWER_AA;
	assert_true(cache_rrset_put(t.c, rr, T0));
	assert_true(rrset_equal(rr, get("big.example.", 16, T0)));
	for (uint8_t i = 95; i < 98; i++) {
		memset(rdata, i, 660);
		assert_int_equal(rrset_add(rr, RRSET_SIZE_MAX, rdata, 660), 0);
	}
	memset(rdata, 99, 660);
	assert_int_equal(rrset_add(rr, RRSET_SIZE_MAX, rdata, 65535 - rr->size - 2), 0);
	assert_int_equal(rr->size, 65535);
	assert_false(cache_rrset_put(t.c, rr, T0));
	free(rdata);
	free(block);
}

/* Random puts of one name's types against the rules in their plainest form. */
static void it_agrees_with_a_naive_model(void **state)
{
	enum { NAMES = 300 };
	struct rand_source *r = rand_new_seeded(5);
	struct {
		uint8_t rank, n;
		int64_t until_ms;
	} model[NAMES] = {{0, 0, 0}};
	int64_t now_ms = T0;

	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		unsigned k = rand_below(r, NAMES);
		bool is_live = model[k].until_ms > now_ms;
		struct rrset *rr;
		char name[32];

		now_ms += rand_below(r, 20) * 100;
		now_ms -= now_ms % S; /* whole seconds: no rounding in the model */
		is_live = model[k].until_ms > now_ms;
		snprintf(name, sizeof(name), "n%u.example.", k);
		if (i % 100 == 0) {
			arena_free(t.a);
			t.a = arena_new(t.pool, 8 * MIB);
		}
		if (rand_below(r, 2)) {
			uint8_t rank = (uint8_t)(1 + rand_below(r, 7)), n = (uint8_t)i;
			uint32_t ttl = 1 + rand_below(r, 500);
			bool is_put = !is_live || rank >= model[k].rank;

			assert_int_equal(put(name, 16, ttl, rank, n, now_ms), is_put);
			if (is_put) {
				model[k].rank = rank;
				model[k].n = n;
				model[k].until_ms = now_ms + (int64_t)ttl * S;
			}
			continue;
		}
		rr = get(name, 16, now_ms);
		assert_int_equal(rr != NULL, is_live);
		if (rr) {
			assert_int_equal(rr->ttl, (model[k].until_ms - now_ms) / S);
			assert_int_equal(rr->rank, model[k].rank);
			assert_int_equal(number(name, 16, now_ms), model[k].n);
		}
	}
	rand_free(r);
}

/* ---- several workers ---- */

struct worker {
	struct cache_rrset *c;
	unsigned id;
	int *stop; /* atomic */
	uint64_t bad, found;
};

/* An RRset of a name's number: as many records as it says, all the same but for their index. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct rand_source *r = rand_new_seeded(w->id);
	struct arena_pool *pool = arena_pool_new(16384, 4);
	uint8_t block[4096] __attribute__((aligned(16)));

	while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED)) {
		struct arena *a = arena_new(pool, MIB);
		uint8_t name[] = {2, 0, 0, 4, 'w', 'o', 'r', 'k', 0};
		uint32_t n = rand_below(r, 1500);
		struct rrset *rr;

		name[1] = (uint8_t)(n & 31);
		name[2] = (uint8_t)(n >> 5);
		rr = cache_rrset_get(w->c, name, 16, DNS_CLASS_IN, T0, 0, a);
		if (rr && rand_below(r, 8)) {
			struct rrset_iter it = rrset_begin(rr);

			__atomic_fetch_add(&w->found, 1, __ATOMIC_RELAXED);
			w->bad += !rrset_is_sound(rr, rr->size) || !dname_equal(rr->data, name);
			for (unsigned i = 0; rrset_next(&it); i++)
				w->bad += it.len != 9 || it.rdata[0] != i ||
					  memcmp(it.rdata + 1, &n, 4) != 0 ||
					  it.rdata[5] != rr->n_rr;
			if (rand_below(r, 20) == 0)
				cache_rrset_set_security(w->c, rr, RRSET_INSECURE, T0);
		} else {
			uint8_t rdata[9] = {0}, count = (uint8_t)(1 + rand_below(r, 90));

			rr = rrset_init(block, sizeof(block), name, 16, DNS_CLASS_IN, 300);
			rr->rank = RRSET_RANK_ANSWER_AA;
			memcpy(rdata + 1, &n, 4);
			rdata[5] = count;
			for (uint8_t i = 0; i < count; i++) {
				rdata[0] = i;
				w->bad += rrset_add(rr, sizeof(block), rdata, 9) != 0;
			}
			w->bad += !cache_rrset_put(w->c, rr, T0);
		}
		arena_free(a);
	}
	arena_pool_free(pool);
	rand_free(r);
	return NULL;
}

static void workers_share_it_without_harm(void **state)
{
	struct cache_rrset *c = cache_rrset_new(MIB);
	struct worker workers[3];
	pthread_t threads[3];
	struct timespec nap = {0, 20000000};
	int stop = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		workers[i] = (struct worker){.c = c, .id = i, .stop = &stop};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	/* As long as it takes on this machine: CTest has the last word. */
	for (unsigned i = 0; i < 3; i++)
		while (__atomic_load_n(&workers[i].found, __ATOMIC_RELAXED) < 1000)
			nanosleep(&nap, NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].bad, 0);
	}
	cache_rrset_free(c);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_put_comes_back_with_the_time_left),
		CASE(the_expired_are_gone_or_stale),
		CASE(a_full_arena_gives_nothing),
		CASE(only_an_equal_or_higher_rank_replaces),
		CASE(the_proven_give_way_only_to_the_proven),
		CASE(the_bogus_give_way_to_any_answer),
		CASE(a_verdict_is_kept_with_the_data_it_was_given_for),
		CASE(a_child_does_not_prolong_its_delegation),
		CASE(the_parent_may_prolong_a_delegation),
		CASE(a_child_does_not_prolong_its_glue),
		CASE(nodata_is_for_one_type),
		CASE(nxdomain_is_for_all_types),
		CASE(data_and_its_absence_replace_each_other_by_rank),
		CASE(flush_takes_a_name_a_tree_or_all),
		CASE(each_shows_the_live_rrsets),
		CASE(large_rrsets_are_kept_whole_and_the_largest_not),
		CASE(it_agrees_with_a_naive_model),
		CASE(workers_share_it_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
