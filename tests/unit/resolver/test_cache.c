/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/cache.h"

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
#include "dns/msg_write.h"

#define MIB ((size_t)1 << 20)
#define T0  1000000 /* ms */

/* A question and the blob that answers it. */
struct item {
	struct question q;
	struct cache_question key;
	struct answer_blob blob;
	uint8_t wire[65535];
};

static void ask_for(
	struct cache *c, struct item *it, const char *name, uint16_t type, unsigned bits)
{
	size_t len;

	it->q = (struct question){.type = type, .class = DNS_CLASS_IN};
	assert_int_equal(dname_read(name, it->q.name, &len), 0);
	it->q.name_len = (uint8_t)len;
	it->key = (struct cache_question){.name = it->q.name,
		.name_len = it->q.name_len,
		.is_do = bits & 1,
		.is_cd = bits & 2,
		.type = type,
		.class = DNS_CLASS_IN};
	it->key.hash = cache_hash(c, &it->key);
}

/* n addresses that tell a number. */
static void answer_with(struct item *it, uint32_t number, unsigned n, uint32_t ttl_s)
{
	struct msg_writer w;

	msg_write_begin(&w, it->wire, sizeof(it->wire), 0, 0, &it->q);
	for (unsigned i = 0; i < n; i++) {
		uint8_t rdata[6] = {0, (uint8_t)i, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			(uint8_t)(number >> 8), (uint8_t)number};

		assert_int_equal(msg_write_rr(&w, DNS_SECTION_ANSWER, it->q.name, 65280,
					 DNS_CLASS_IN, ttl_s, rdata, sizeof(rdata)),
			0);
	}
	it->blob = (struct answer_blob){.len = (uint16_t)msg_write_end(&w),
		.question_len = (uint16_t)(it->q.name_len + 4),
		.n_ttl = (uint8_t)(w.n_ttl <= ANSWER_TTL_OFFSETS ? w.n_ttl : 255),
		.ttl_s = ttl_s,
		.ede = DNS_EDE_NONE,
		.wire = it->wire};
	for (unsigned i = 0; i < w.n_ttl && i < ANSWER_TTL_OFFSETS; i++)
		it->blob.ttl_off[i] = w.ttl_off[i];
}

static struct item *put(struct cache *c, const char *name, unsigned bits, uint32_t number,
	uint32_t ttl_s, int64_t now_ms)
{
	struct item *it = malloc(sizeof(*it));

	ask_for(c, it, name, DNS_TYPE_A, bits);
	answer_with(it, number, 2, ttl_s);
	cache_put(c, &it->key, &it->blob, 1, now_ms);
	return it;
}

struct found {
	enum cache_result result;
	struct answer_blob blob;
	uint32_t age_s;
	uint8_t mem[65535 + 64];
};

static struct found *look(
	struct cache *c, const struct item *it, uint32_t generation, int64_t now_ms, size_t cap)
{
	static struct found f;

	memset(f.mem, 0xaa, cap + 64);
	f.result = cache_find(c, &it->key, generation, now_ms, f.mem, cap, &f.blob, &f.age_s);
	for (size_t i = cap; i < cap + 64; i++)
		assert_int_equal(f.mem[i], 0xaa);
	return &f;
}

static enum cache_result result_of(struct cache *c, const struct item *it, int64_t now_ms)
{
	return look(c, it, 1, now_ms, 4096)->result;
}

static void what_was_put_comes_back(void **state)
{
	struct cache *c = cache_new(4 * MIB);
	struct item *it = malloc(sizeof(*it));
	struct found *f;

	(void)state;
	ask_for(c, it, "www.Example.", DNS_TYPE_A, 0);
	answer_with(it, 7, 3, 300);
	it->blob.rcode = DNS_RCODE_NXDOMAIN;
	it->blob.is_aa = true;
	it->blob.security = RRSET_SECURE;
	it->blob.ede = DNS_EDE_STALE;
	assert_int_equal(result_of(c, it, T0), CACHE_MISS);
	cache_put(c, &it->key, &it->blob, 1, T0);
	f = look(c, it, 1, T0 + 5999, 4096);
	assert_int_equal(f->result, CACHE_HIT);
	assert_int_equal(f->age_s, 5);
	assert_int_equal(f->blob.len, it->blob.len);
	assert_int_equal(f->blob.rcode, DNS_RCODE_NXDOMAIN);
	assert_int_equal(f->blob.question_len, it->blob.question_len);
	assert_int_equal(f->blob.security, RRSET_SECURE);
	assert_int_equal(f->blob.ede, DNS_EDE_STALE);
	assert_int_equal(f->blob.ttl_s, 300);
	assert_true(f->blob.is_aa);
	assert_int_equal(f->blob.n_ttl, 3);
	assert_memory_equal(f->blob.ttl_off, it->blob.ttl_off, 6);
	assert_ptr_equal(f->blob.wire, f->mem);
	/* all but id, flags and the case of the name */
	assert_memory_equal(f->mem + 4, it->wire + 4, 8);
	assert_memory_equal(f->mem + 12, "\3www\7example\0\0\1\0\1", 17);
	assert_memory_equal(f->mem + 29, it->wire + 29, it->blob.len - 29u);
	free(it);
	cache_free(c);
}

static void the_case_of_the_question_does_not_matter(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = put(c, "wWw.eXample.", 0, 1, 300, T0), other;

	(void)state;
	ask_for(c, &other, "WWW.EXAMPLE.", DNS_TYPE_A, 0);
	assert_int_equal(other.key.hash, it->key.hash);
	assert_int_equal(result_of(c, &other, T0), CACHE_HIT);
	free(it);
	cache_free(c);
}

static void everything_else_in_the_key_does(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = put(c, "www.example.", 1, 1, 300, T0);
	struct item *other = malloc(sizeof(*other));

	(void)state;
	assert_int_equal(result_of(c, it, T0), CACHE_HIT);
	for (unsigned bits = 0; bits < 4; bits++) {
		ask_for(c, other, "www.example.", DNS_TYPE_A, bits);
		assert_int_equal(result_of(c, other, T0), bits == 1 ? CACHE_HIT : CACHE_MISS);
		/* not by the hash alone */
		other->key.hash = it->key.hash;
		assert_int_equal(result_of(c, other, T0), bits == 1 ? CACHE_HIT : CACHE_MISS);
	}
	ask_for(c, other, "www.example.", DNS_TYPE_AAAA, 1);
	other->key.hash = it->key.hash;
	assert_int_equal(result_of(c, other, T0), CACHE_MISS);
	ask_for(c, other, "www.exbmple.", DNS_TYPE_A, 1);
	other->key.hash = it->key.hash;
	assert_int_equal(result_of(c, other, T0), CACHE_MISS);
	ask_for(c, other, "www.example.org.", DNS_TYPE_A, 1);
	other->key.hash = it->key.hash;
	assert_int_equal(result_of(c, other, T0), CACHE_MISS);
	ask_for(c, other, "www.example.", DNS_TYPE_A, 1);
	other->key.class = DNS_CLASS_CH;
	assert_int_equal(result_of(c, other, T0), CACHE_MISS);
	free(other);
	free(it);
	cache_free(c);
}

static void an_answer_lives_as_long_as_its_lowest_ttl(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = put(c, "a.", 0, 1, 10, T0);

	(void)state;
	assert_int_equal(result_of(c, it, T0 + 9999), CACHE_HIT);
	assert_int_equal(result_of(c, it, T0 + 10000), CACHE_MISS);
	/* a clock that goes backwards makes nothing older */
	assert_int_equal(look(c, it, 1, T0 - 100000, 4096)->age_s, 0);
	free(it);
	it = put(c, "b.", 0, 1, 0, T0);
	assert_int_equal(result_of(c, it, T0), CACHE_MISS);
	free(it);
	cache_free(c);
}

static void a_new_answer_takes_the_place_of_the_old(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = put(c, "a.", 0, 1, 10, T0);
	struct cache_usage u;

	(void)state;
	for (unsigned n = 60; n > 0; n -= 3) {
		answer_with(it, n, n, 20);
		cache_put(c, &it->key, &it->blob, 1, T0 + 5000);
		assert_int_equal(look(c, it, 1, T0 + 15000, 4096)->blob.len, it->blob.len);
	}
	cache_usage(c, &u);
	assert_int_equal(u.entries, 1);
	free(it);
	cache_free(c);
}

static void of_a_long_answer_only_the_question_is_copied(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = malloc(sizeof(*it));
	struct found *f;

	(void)state;
	ask_for(c, it, "long.example.", DNS_TYPE_A, 0);
	answer_with(it, 1, 60, 300);
	assert_true(it->blob.len > 600);
	cache_put(c, &it->key, &it->blob, 1, T0);
	f = look(c, it, 1, T0, 512);
	assert_int_equal(f->result, CACHE_HIT);
	assert_int_equal(f->blob.len, it->blob.len);
	assert_memory_equal(f->mem + 12, it->wire + 12, it->blob.question_len);
	assert_int_equal(f->mem[12 + it->blob.question_len], 0xaa);
	f = look(c, it, 1, T0, it->blob.len);
	assert_memory_equal(f->mem + 12, it->wire + 12, it->blob.len - 12u);
	/* more TTLs than offsets: not kept */
	answer_with(it, 1, 65, 300);
	ask_for(c, it, "longer.example.", DNS_TYPE_A, 0);
	cache_put(c, &it->key, &it->blob, 1, T0);
	assert_int_equal(result_of(c, it, T0), CACHE_MISS);
	free(it);
	cache_free(c);
}

static void an_answer_to_another_question_is_not_kept(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = malloc(sizeof(*it));

	(void)state;
	ask_for(c, it, "a.example.", DNS_TYPE_A, 0);
	answer_with(it, 1, 1, 300);
	ask_for(c, it, "b.example.", DNS_TYPE_A, 0);
	cache_put(c, &it->key, &it->blob, 1, T0);
	assert_int_equal(result_of(c, it, T0), CACHE_MISS);
	free(it);
	cache_free(c);
}

static void an_older_generation_is_judged_again_then_restamped(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = put(c, "a.example.", 0, 9, 300, T0);
	struct found *f;

	(void)state;
	f = look(c, it, 2, T0, 4096);
	assert_int_equal(f->result, CACHE_OLD_POLICY);
	assert_int_equal(f->blob.len, it->blob.len);
	cache_restamp(c, &it->key, 2);
	assert_int_equal(look(c, it, 2, T0, 4096)->result, CACHE_HIT);
	assert_int_equal(look(c, it, 1, T0, 4096)->result, CACHE_OLD_POLICY);
	assert_int_equal(look(c, it, 2, T0, 4096)->blob.len, it->blob.len);
	ask_for(c, it, "absent.example.", DNS_TYPE_A, 0);
	cache_restamp(c, &it->key, 2);
	free(it);
	cache_free(c);
}

static void one_asker_is_elected_to_refresh(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = put(c, "a.example.", 0, 9, 100, T0);

	(void)state;
	assert_int_equal(result_of(c, it, T0 + 89000), CACHE_HIT);
	assert_int_equal(result_of(c, it, T0 + 90000), CACHE_HIT); /* exactly a tenth is left */
	assert_int_equal(result_of(c, it, T0 + 91000), CACHE_HIT_REFRESH);
	assert_int_equal(result_of(c, it, T0 + 91000), CACHE_HIT);
	assert_int_equal(result_of(c, it, T0 + 99000), CACHE_HIT);
	cache_put(c, &it->key, &it->blob, 1, T0 + 100000);
	assert_int_equal(result_of(c, it, T0 + 191000), CACHE_HIT_REFRESH);
	free(it);
	/* nobody but the first: not popular enough */
	it = put(c, "b.example.", 0, 9, 100, T0);
	assert_int_equal(result_of(c, it, T0 + 95000), CACHE_HIT);
	assert_int_equal(result_of(c, it, T0 + 95000), CACHE_HIT_REFRESH);
	free(it);
	cache_free(c);
}

static void flush_takes_a_name_a_tree_or_all(void **state)
{
	static const char *const names[] = {
		"example.", "a.example.", "b.a.example.", "notexample.", "a.org.", "."};
	struct cache *c = cache_new(4 * MIB);
	struct item *items[6];
	uint8_t name[DNAME_MAX];
	size_t len;

	(void)state;
	for (int i = 0; i < 6; i++) {
		items[i] = put(c, names[i], 0, 1, 300, T0);
		free(put(c, names[i], 1, 1, 300, T0));
	}
	assert_int_equal(dname_read("A.example.", name, &len), 0);
	assert_int_equal(cache_flush(c, name, false), 2);
	assert_int_equal(result_of(c, items[1], T0), CACHE_MISS);
	assert_int_equal(result_of(c, items[2], T0), CACHE_HIT);
	assert_int_equal(dname_read("eXample.", name, &len), 0);
	assert_int_equal(cache_flush(c, name, true), 4);
	assert_int_equal(result_of(c, items[0], T0), CACHE_MISS);
	assert_int_equal(result_of(c, items[2], T0), CACHE_MISS);
	assert_int_equal(result_of(c, items[3], T0), CACHE_HIT);
	assert_int_equal(cache_flush(c, NULL, true), 6);
	assert_int_equal(result_of(c, items[5], T0), CACHE_MISS);
	for (int i = 0; i < 6; i++)
		free(items[i]);
	cache_free(c);
}

static void prefetching_touches_nothing(void **state)
{
	struct cache *c = cache_new(MIB);
	struct item *it = put(c, "a.example.", 0, 9, 100, T0);

	(void)state;
	cache_prefetch(c, it->key.hash);
	cache_reach(c, it->key.hash);
	cache_reach(c, ~it->key.hash);
	assert_int_equal(result_of(c, it, T0), CACHE_HIT);
	assert_non_null(cache_key(c));
	free(it);
	cache_free(c);
	cache_free(NULL);
}

/* Random questions against a plain table: what is found is what was put last and has not expired;
 * while all fits, all is found. */
static void it_agrees_with_a_naive_model(void **state)
{
	enum { NAMES = 500 };
	struct cache *c = cache_new(16 * MIB);
	struct rand_source *r = rand_new_seeded(11);
	struct item *it = malloc(sizeof(*it));
	struct {
		uint32_t number, ttl_s;
		int64_t put_ms;
	} model[NAMES] = {{0, 0, 0}};
	int64_t now_ms = T0;

	(void)state;
	for (uint32_t i = 1; i < 20000; i++) {
		uint32_t n = rand_below(r, NAMES);
		char name[64];
		struct found *f;

		now_ms += rand_below(r, 50);
		snprintf(name, sizeof(name), "n%u.%s.", n / 2, n % 2 ? "example" : "eXaMple.org");
		ask_for(c, it, name, DNS_TYPE_A, n % 4);
		if (rand_below(r, 3) == 0) {
			answer_with(it, i, rand_below(r, 30), 1 + rand_below(r, 1000));
			cache_put(c, &it->key, &it->blob, 1, now_ms);
			model[n].number = i << 8 | it->blob.n_ttl;
			model[n].ttl_s = it->blob.ttl_s;
			model[n].put_ms = now_ms;
			continue;
		}
		f = look(c, it, 1, now_ms, 4096);
		if (model[n].number == 0 ||
			now_ms / 1000 - model[n].put_ms / 1000 >= model[n].ttl_s) {
			assert_int_equal(f->result, CACHE_MISS);
			continue;
		}
		assert_int_not_equal(f->result, CACHE_MISS);
		assert_int_equal(f->age_s, now_ms / 1000 - model[n].put_ms / 1000);
		assert_int_equal(f->blob.n_ttl, model[n].number & 0xff);
		if (f->blob.n_ttl) {
			const uint8_t *end = f->mem + f->blob.len - 4;

			assert_int_equal((uint32_t)end[0] << 24 | (uint32_t)end[1] << 16 |
						 (uint32_t)end[2] << 8 | end[3],
				model[n].number >> 8);
		}
	}
	free(it);
	rand_free(r);
	cache_free(c);
}

static void memory_stays_below_its_ceiling(void **state)
{
	struct cache *c = cache_new(4 * MIB);
	struct cache_usage u;

	(void)state;
	for (unsigned i = 0; i < 12000; i++) {
		struct item *it = malloc(sizeof(*it));
		char name[64];

		snprintf(name, sizeof(name), "random-%u.example.", i);
		ask_for(c, it, name, DNS_TYPE_A, 0);
		answer_with(it, i, i % 60, 300);
		cache_put(c, &it->key, &it->blob, 1, T0 + i);
		assert_int_equal(result_of(c, it, T0 + i), CACHE_HIT);
		free(it);
	}
	cache_usage(c, &u);
	assert_true(u.bytes <= 4 * MIB);
	assert_true(u.evicted > 0);
	cache_free(c);
}

/* ---- several workers ---- */

struct crew {
	struct cache *cache;
	int stop; /* atomic */
	uint64_t bad[4], hits[4];
};

struct worker {
	struct crew *crew;
	unsigned id;
};

/* All records of an answer carry one number, which tells the name. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct rand_source *r = rand_new_seeded(w->id);
	struct item *it = malloc(sizeof(*it));
	uint8_t *mem = malloc(65535);
	struct answer_blob blob;
	uint32_t age_s;

	while (!__atomic_load_n(&w->crew->stop, __ATOMIC_RELAXED)) {
		uint32_t n = rand_below(r, 2000);
		char name[64];
		const uint8_t *p;

		snprintf(name, sizeof(name), "n%u.example.", n);
		ask_for(w->crew->cache, it, name, DNS_TYPE_A, 0);
		if (cache_find(w->crew->cache, &it->key, 1, T0, mem, 4096, &blob, &age_s) ==
				CACHE_MISS ||
			rand_below(r, 10) == 0) {
			answer_with(it, n, 1 + rand_below(r, 60), 300);
			cache_put(w->crew->cache, &it->key, &it->blob, 1, T0);
			continue;
		}
		w->crew->hits[w->id]++;
		for (unsigned i = 0; i < blob.n_ttl; i++) {
			p = mem + blob.ttl_off[i];
			w->crew->bad[w->id] +=
				p[7] != i || p[10] != (uint8_t)(n >> 8) || p[11] != (uint8_t)n;
		}
		w->crew->bad[w->id] += mem[7] != blob.n_ttl;
		if (rand_below(r, 100) == 0)
			cache_restamp(w->crew->cache, &it->key, 1);
	}
	free(mem);
	free(it);
	rand_free(r);
	return NULL;
}

static void workers_share_it_without_harm(void **state)
{
	struct crew crew = {.cache = cache_new(MIB)};
	struct worker workers[3];
	pthread_t threads[3];
	struct timespec nap = {0, 700000000};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		workers[i] = (struct worker){&crew, i};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	nanosleep(&nap, NULL);
	__atomic_store_n(&crew.stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crew.bad[i], 0);
		assert_true(crew.hits[i] > 100);
	}
	cache_free(crew.cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_comes_back),
		cmocka_unit_test(the_case_of_the_question_does_not_matter),
		cmocka_unit_test(everything_else_in_the_key_does),
		cmocka_unit_test(an_answer_lives_as_long_as_its_lowest_ttl),
		cmocka_unit_test(a_new_answer_takes_the_place_of_the_old),
		cmocka_unit_test(of_a_long_answer_only_the_question_is_copied),
		cmocka_unit_test(an_answer_to_another_question_is_not_kept),
		cmocka_unit_test(an_older_generation_is_judged_again_then_restamped),
		cmocka_unit_test(one_asker_is_elected_to_refresh),
		cmocka_unit_test(flush_takes_a_name_a_tree_or_all),
		cmocka_unit_test(prefetching_touches_nothing),
		cmocka_unit_test(it_agrees_with_a_naive_model),
		cmocka_unit_test(memory_stays_below_its_ceiling),
		cmocka_unit_test(workers_share_it_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
