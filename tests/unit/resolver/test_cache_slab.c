/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/cache_slab.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/rand.h"
#include "resolver/cache_rrset.h"

#define MIB ((size_t)1 << 20)

/* A value proves itself: word 0 is its key, word 1 its version and length, the rest follows from
 * these. */
static uint64_t filler(uint64_t key, uint64_t version, size_t i)
{
	return (key ^ version << 20 ^ i) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_of(uint64_t key)
{
	static const struct hash_key HASH = {1, 2};

	return hash_bytes(&HASH, &key, sizeof(key));
}

static bool match(const void *arg, const struct cache_slab_head *slot)
{
	return slot->value[0] == *(const uint64_t *)arg;
}

static uint64_t *make(uint64_t key, uint64_t version, size_t words)
{
	uint64_t *v = malloc(words * 8);

	v[0] = key;
	v[1] = version << 16 | words;
	for (size_t i = 2; i < words; i++)
		v[i] = filler(key, version, i);
	return v;
}

static bool put_for(struct cache_slab *s, uint64_t key, uint64_t version, size_t words,
	uint32_t expires_s, int64_t now_ms)
{
	uint64_t *v = make(key, version, words);
	struct cache_slab_piece pieces[] = {{v, 8}, {v + 1, words * 8 - 8}};
	bool is_put;

	cache_slab_lock(s, hash_of(key));
	is_put = cache_slab_put(s, hash_of(key), match, &key,
		&(struct cache_slab_value){pieces, 2, expires_s, 0}, now_ms);
	cache_slab_unlock(s, hash_of(key));
	free(v);
	return is_put;
}

static bool put(struct cache_slab *s, uint64_t key, uint64_t version, size_t words, int64_t now_ms)
{
	return put_for(s, key, version, words, UINT32_MAX, now_ms);
}

static void del(struct cache_slab *s, uint64_t key)
{
	struct cache_slab_head *slot;

	cache_slab_lock(s, hash_of(key));
	slot = cache_slab_get(s, hash_of(key), match, &key);
	if (slot)
		cache_slab_del(s, slot);
	cache_slab_unlock(s, hash_of(key));
}

/* Version + 1 of what is stored under key, 0 when nothing is; *is_sound: it proved itself. */
static uint64_t look(struct cache_slab *s, uint64_t key, uint64_t *copy, size_t *words,
	bool *is_sound, bool touch)
{
	*is_sound = true;
	for (int tries = 0; tries < CACHE_SLAB_TRIES; tries++) {
		struct cache_slab_walk w = cache_slab_begin(s, hash_of(key));
		bool is_torn = false;

		while (!is_torn && cache_slab_next(&w)) {
			uint32_t len = cache_slab_len(w.slot);

			cache_slab_copy(w.slot, 0, copy, len);
			is_torn = !cache_slab_is_same(&w);
			if (is_torn || copy[0] != key)
				continue;
			if (touch)
				(void)cache_slab_touch(w.slot);
			*words = copy[1] & 0xffff;
			*is_sound = *words * 8 == len;
			for (size_t i = 2; i < *words; i++)
				*is_sound &= copy[i] == filler(key, copy[1] >> 16, i);
			return (copy[1] >> 16) + 1;
		}
		if (!is_torn)
			return 0;
	}
	return 0;
}

static uint64_t find(struct cache_slab *s, uint64_t key, bool touch)
{
	static uint64_t copy[CACHE_SLAB_PAGE / 8];
	size_t words;
	bool is_sound;
	uint64_t found = look(s, key, copy, &words, &is_sound, touch);

	assert_true(is_sound);
	return found;
}

static struct cache_usage usage(struct cache_slab *s)
{
	struct cache_usage u;

	cache_slab_usage(s, &u);
	return u;
}

static bool count_one(void *arg, const struct cache_slab_head *slot)
{
	(void)slot;
	(*(uint64_t *)arg)++;
	return false;
}

static void what_is_put_is_found_until_deleted(void **state)
{
	struct cache_slab *s = cache_slab_new(4 * MIB);

	(void)state;
	assert_int_equal(find(s, 7, false), 0);
	assert_true(put(s, 7, 1, 4, 0));
	assert_int_equal(find(s, 7, false), 2);
	assert_true(put(s, 7, 2, 4, 0));
	assert_int_equal(find(s, 7, false), 3);
	assert_int_equal(usage(s).entries, 1);
	del(s, 7);
	assert_int_equal(find(s, 7, false), 0);
	assert_int_equal(usage(s).entries, 0);
	del(s, 7);
	cache_slab_free(s);
	cache_slab_free(NULL);
}

static void values_of_every_size_come_back_whole(void **state)
{
	struct cache_slab *s = cache_slab_new(64 * MIB);
	size_t most = CACHE_SLAB_VALUE_MAX / 8;

	(void)state;
	for (size_t words = 2; words <= most; words += words < 300 ? 1 : 611)
		assert_true(put(s, words, words, words, 0));
	for (size_t words = 2; words <= most; words += words < 300 ? 1 : 611)
		assert_int_equal(find(s, words, false), words + 1);
	assert_true(put(s, 1, 5, most, 0));
	assert_int_equal(find(s, 1, false), 6);
	assert_false(put(s, 1, 6, most + 1, 0));
	assert_int_equal(find(s, 1, false), 6);
	cache_slab_free(s);
}

static void pieces_begin_on_words(void **state)
{
	struct cache_slab *s = cache_slab_new(MIB);
	const struct cache_slab_piece pieces[] = {{"12345678", 8}, {"abc", 3}, {"x", 0}, {"yz", 2}};
	const uint64_t key = 1;
	struct cache_slab_walk w;
	char out[24] = {0};

	(void)state;
	cache_slab_lock(s, 9);
	assert_true(
		cache_slab_put(s, 9, match, &key, &(struct cache_slab_value){pieces, 4, 10, 5}, 0));
	cache_slab_unlock(s, 9);
	w = cache_slab_begin(s, 9);
	assert_true(cache_slab_next(&w));
	assert_int_equal(cache_slab_len(w.slot), 18);
	assert_int_equal(cache_slab_kind(w.slot), 5);
	assert_int_equal(cache_slab_expires_s(w.slot), 10);
	cache_slab_copy(w.slot, 0, out, 18);
	assert_memory_equal(out, "12345678abc\0\0\0\0\0yz", 19);
	assert_true(cache_slab_is_same(&w));
	cache_slab_free(s);
}

static void a_value_may_grow_and_shrink_under_its_key(void **state)
{
	struct cache_slab *s = cache_slab_new(8 * MIB);
	struct rand_source *r = rand_new_seeded(3);

	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t key = rand_below(r, 50);

		assert_true(put(s, key, i, 2 + rand_below(r, 2000), (int64_t)i));
		assert_int_equal(find(s, key, false), i + 1);
	}
	assert_int_equal(usage(s).entries, 50);
	rand_free(r);
	cache_slab_free(s);
}

/* Against a table of what was put last: whatever is found is that, and while it all fits, it is
 * found. */
static void model(size_t bytes, uint64_t n_keys, bool must_hold, uint64_t seed)
{
	struct cache_slab *s = cache_slab_new(bytes);
	struct rand_source *r = rand_new_seeded(seed);
	uint64_t *last = calloc(n_keys, sizeof(*last)), live = 0, counted = 0;

	for (uint64_t i = 1; i < 30000; i++) {
		uint64_t key = rand_below(r, (uint32_t)n_keys), found;
		size_t words = 2 + rand_below(r, rand_below(r, 20) ? 60 : 3000);

		switch (rand_below(r, 8)) {
		case 0:
			del(s, key);
			last[key] = 0;
			break;
		case 1:
		case 2:
		case 3:
			assert_true(put(s, key, i, words, (int64_t)i));
			last[key] = i + 1;
			break;
		default:
			found = find(s, key, true);
			if (must_hold || found)
				assert_int_equal(found, last[key]);
			break;
		}
	}
	for (uint64_t key = 0; key < n_keys; key++)
		live += find(s, key, false) != 0;
	cache_slab_sweep(s, count_one, &counted);
	assert_int_equal(counted, live);
	assert_int_equal(usage(s).entries, live);
	assert_true(usage(s).bytes <= usage(s).capacity);
	assert_true(usage(s).capacity <= bytes);
	free(last);
	rand_free(r);
	cache_slab_free(s);
}

static void it_agrees_with_a_naive_model(void **state)
{
	(void)state;
	model(32 * MIB, 2000, true, 1);
	model(MIB, 2000, false, 2);
	model(8 * MIB, 30000, false, 4);
}

static void memory_has_a_ceiling_and_entries_are_counted(void **state)
{
	struct cache_slab *s = cache_slab_new(4 * MIB);
	struct cache_usage u = usage(s);
	uint64_t counted = 0, kept = 0, newest = 0;

	(void)state;
	assert_true(u.capacity <= 4 * MIB && u.capacity > 4 * MIB * 95 / 100);
	assert_int_equal(u.bytes, 4096);
	for (uint64_t key = 0; key < 200000; key++)
		assert_true(put(s, key, 0, 9, (int64_t)key));
	u = usage(s);
	assert_int_equal(u.bytes, u.capacity);
	assert_int_equal(u.inserted, 200000);
	assert_int_equal(u.inserted - u.evicted - u.expired, u.entries);
	/* 72 octets and their head take 96; a tenth of the memory is index, all the rest is used */
	assert_true(u.entries > u.capacity / 96 * 90 / 100);
	cache_slab_sweep(s, count_one, &counted);
	assert_int_equal(counted, u.entries);
	for (uint64_t key = 0; key < 200000; key++)
		kept += find(s, key, false) != 0;
	assert_int_equal(kept, u.entries);
	/* hardly one had to go early because its bucket was full */
	for (uint64_t key = 200000 - u.entries * 9 / 10; key < 200000; key++)
		newest += find(s, key, false) != 0;
	assert_true(newest >= u.entries * 9 / 10 - 100);
	cache_slab_free(s);
}

static void the_smallest_slab_still_works(void **state)
{
	struct cache_slab *s = cache_slab_new(0);

	(void)state;
	assert_true(usage(s).capacity <= CACHE_SLAB_MIN);
	for (uint64_t key = 0; key < 5000; key++) {
		assert_true(put(s, key, 0, 2 + key % 8000, (int64_t)key));
		assert_int_equal(find(s, key, false), 1);
	}
	cache_slab_free(s);
}

static void the_expired_go_first(void **state)
{
	struct cache_slab *s = cache_slab_new(2 * MIB);
	uint64_t n = 0, kept = 0, late = 100000;

	(void)state;
	/* Fill it, every fourth value short-lived. */
	for (; usage(s).evicted == 0; n++)
		put_for(s, n, 0, 9, n % 4 ? 1000 : 5, 1000);
	/* A fifth of that anew, when these have expired. */
	for (uint64_t i = 0; i < n / 5; i++)
		put_for(s, late + i, 0, 9, 1000, 10000);
	for (uint64_t key = 0; key < n; key++)
		kept += key % 4 && find(s, key, false);
	assert_true(kept > n * 3 / 4 * 93 / 100);
	cache_slab_free(s);
}

static void the_popular_survive_a_scan(void **state)
{
	struct cache_slab *s = cache_slab_new(4 * MIB);
	uint64_t kept = 0;

	(void)state;
	for (uint64_t key = 0; key < 1000; key++)
		put(s, key, 0, 10, 0);
	for (uint64_t i = 0; i < 60000; i++) {
		put(s, 1000 + i, 0, 10, (int64_t)i);
		(void)find(s, i % 1000, true);
	}
	for (uint64_t key = 0; key < 1000; key++)
		kept += find(s, key, false) != 0;
	assert_true(kept > 990);
	cache_slab_free(s);
}

static void the_popular_move_when_their_page_is_taken(void **state)
{
	struct cache_slab *s = cache_slab_new(4 * MIB);
	uint64_t kept = 0;

	(void)state;
	for (uint64_t key = 0; key < 28000; key++)
		put(s, key, 0, 10, (int64_t)key);
	/* One in seven hundred is popular; the rest gives way to fat values. */
	for (uint64_t i = 0; i < 3000; i++) {
		for (uint64_t key = 0; key < 28000; key += 700)
			(void)find(s, key, true);
		put(s, 100000 + i, 0, 1000, 1000000 + (int64_t)i);
	}
	for (uint64_t key = 0; key < 28000; key += 700)
		kept += find(s, key, false) != 0;
	assert_int_equal(kept, 40);
	assert_true(usage(s).entries < 3000);
	cache_slab_free(s);
}

static void the_popular_survive_a_flood_of_fat_values(void **state)
{
	struct cache_slab *s = cache_slab_new(16 * MIB);
	uint64_t hits = 0, asked = 0;

	(void)state;
	/* 500 fat values a second, 8,000 questions a second for a thousand names, a minute and a
	 * half. */
	for (int64_t now_ms = 0; now_ms < 30000; now_ms += 2) {
		put(s, 1000000 + (uint64_t)now_ms, 0, 500 + (uint64_t)now_ms % 7 * 500, now_ms);
		for (int i = 0; i < 16; i++) {
			uint64_t key = (uint64_t)(now_ms / 2 * 16 + i) * 7 % 1000;

			asked++;
			if (find(s, key, true))
				hits++;
			else
				put(s, key, 0, 10, now_ms);
		}
	}
	assert_true(hits > asked * 98 / 100);
	cache_slab_free(s);
}

/* Part of what was put last, half a cache of it, that is still there. */
static double shift(struct cache_slab *s, size_t words, uint64_t first, int64_t now_ms)
{
	uint64_t n = usage(s).capacity / (words * 8) * 3, half = n / 6, kept = 0;

	for (uint64_t i = 0; i < n; i++)
		assert_true(put(s, first + i, 0, words, now_ms + (int64_t)i));
	for (uint64_t i = n - half; i < n; i++)
		kept += find(s, first + i, false) != 0;
	return (double)kept / (double)half;
}

static void memory_follows_the_sizes_in_demand(void **state)
{
	struct cache_slab *s = cache_slab_new(2 * MIB);

	(void)state;
	assert_true(shift(s, 10, 0, 0) > 0.95);
	assert_true(shift(s, 450, 1000000, 10000000) > 0.8);
	assert_true(shift(s, 10, 2000000, 20000000) > 0.8);
	assert_true(shift(s, 60, 3000000, 30000000) > 0.8);
	assert_true(shift(s, 3900, 4000000, 40000000) > 0.8);
	assert_true(shift(s, 10, 5000000, 50000000) > 0.8);
	cache_slab_free(s);
}

struct copies {
	uint64_t n, bad;
};

static void check_copy(void *arg, struct cache_slab_head *copy)
{
	struct copies *c = arg;
	uint64_t version = copy->value[1] >> 16;

	c->n++;
	c->bad += copy->len != (copy->value[1] & 0xffff) * 8;
	for (size_t i = 2; i < copy->len / 8; i++)
		c->bad += copy->value[i] != filler(copy->value[0], version, i);
}

static bool is_even(void *arg, const struct cache_slab_head *slot)
{
	(void)arg;
	return slot->value[0] % 2 == 0;
}

/* A reader that was about to copy from a small slot must not take what a large value holds at that
 * place for a head, however well it is made up. */
static void a_page_that_changes_its_class_ends_every_reading(void **state)
{
	struct cache_slab *s = cache_slab_new(0);
	uint64_t key = 0, n = 0;
	struct cache_slab_walk w;
	uint64_t *forged = malloc(65000);

	(void)state;
	for (; usage(s).evicted == 0; n++)
		put(s, n, 0, 10, 0);
	/* any that is not at the start of its page, where there is always a head */
	do {
		w = cache_slab_begin(s, hash_of(++key));
	} while (!cache_slab_next(&w) || (uintptr_t)w.slot % CACHE_SLAB_PAGE == 0);
	assert_true(cache_slab_is_same(&w));
	for (int i = 0; i < 65000 / 8; i++)
		forged[i] = w.seq;
	for (uint64_t i = 0; i < 300; i++) {
		struct cache_slab_piece piece = {forged, 65000};

		forged[0] = 1000000 + i;
		cache_slab_lock(s, hash_of(forged[0]));
		assert_true(cache_slab_put(s, hash_of(forged[0]), match, &forged[0],
			&(struct cache_slab_value){&piece, 1, UINT32_MAX, 0},
			1000000 + (int64_t)i * 1000));
		cache_slab_unlock(s, hash_of(forged[0]));
	}
	assert_int_equal(__atomic_load_n(&w.slot->seq, __ATOMIC_RELAXED), w.seq);
	assert_false(cache_slab_is_same(&w));
	free(forged);
	cache_slab_free(s);
}

static void walks_see_every_value_once(void **state)
{
	struct cache_slab *s = cache_slab_new(16 * MIB);
	struct copies c = {0, 0};

	(void)state;
	for (uint64_t key = 0; key < 3000; key++)
		put(s, key, 3, 2 + key % 150, 0);
	cache_slab_each(s, check_copy, &c);
	assert_int_equal(c.n, 3000);
	assert_int_equal(c.bad, 0);
	assert_int_equal(cache_slab_sweep(s, is_even, NULL), 1500);
	for (uint64_t key = 0; key < 3000; key++)
		assert_int_equal(find(s, key, false), key % 2 ? 4 : 0);
	assert_int_equal(usage(s).entries, 1500);
	cache_slab_free(s);
}

/* ---- several threads ---- */

#define KEYS 3000

struct crew {
	struct cache_slab *slab;
	uint64_t seed, bad, stale, found;
	int64_t now_ms;	      /* atomic */
	int stop;	      /* atomic */
	uint64_t least[KEYS]; /* atomic: a version that was surely put, or evicted */
};

struct member {
	struct crew *crew;
	uint64_t id, bad, stale, found;
};

static void *write_along(void *arg)
{
	struct member *m = arg;
	struct rand_source *r = rand_new_seeded(m->id);

	for (uint64_t i = 1; !__atomic_load_n(&m->crew->stop, __ATOMIC_RELAXED); i++) {
		/* a key has one writer, so its versions only grow */
		uint64_t key = rand_below(r, KEYS / 2) * 2 + m->id % 2;
		int64_t now_ms = __atomic_add_fetch(&m->crew->now_ms, 1, __ATOMIC_RELAXED);

		if (rand_below(r, 50) == 0)
			del(m->crew->slab, key);
		else
			put(m->crew->slab, key, i, 2 + rand_below(r, (i >> 12) % 2 ? 40 : 3000),
				now_ms);
		__atomic_store_n(&m->crew->least[key], i, __ATOMIC_RELEASE);
	}
	rand_free(r);
	return NULL;
}

static void *read_along(void *arg)
{
	struct member *m = arg;
	struct rand_source *r = rand_new_seeded(m->id);
	uint64_t *copy = malloc(CACHE_SLAB_PAGE);

	while (!__atomic_load_n(&m->crew->stop, __ATOMIC_RELAXED)) {
		uint64_t key = rand_below(r, KEYS);
		uint64_t least = __atomic_load_n(&m->crew->least[key], __ATOMIC_ACQUIRE);
		size_t words;
		bool is_sound;
		uint64_t version = look(m->crew->slab, key, copy, &words, &is_sound, true);

		m->bad += !is_sound;
		m->found += version != 0;
		m->stale += version != 0 && version - 1 < least;
	}
	rand_free(r);
	free(copy);
	return NULL;
}

static void *walk_along(void *arg)
{
	struct member *m = arg;

	while (!__atomic_load_n(&m->crew->stop, __ATOMIC_RELAXED)) {
		struct copies c = {0, 0};

		cache_slab_each(m->crew->slab, check_copy, &c);
		m->bad += c.bad;
		m->found += c.n;
	}
	return NULL;
}

static void readers_never_see_a_torn_or_old_value(void **state)
{
	struct crew crew = {.slab = cache_slab_new(2 * MIB)};
	struct member members[5];
	pthread_t threads[5];
	void *(*const jobs[])(void *) = {
		write_along, write_along, read_along, read_along, walk_along};
	uint64_t counted = 0;

	(void)state;
	for (uint64_t i = 0; i < 5; i++) {
		members[i] = (struct member){.crew = &crew, .id = i};
		assert_int_equal(pthread_create(&threads[i], NULL, jobs[i], &members[i]), 0);
	}
	for (int i = 0; i < 200 && __atomic_load_n(&crew.now_ms, __ATOMIC_RELAXED) < 200000; i++) {
		struct timespec nap = {0, 10000000};

		nanosleep(&nap, NULL);
	}
	__atomic_store_n(&crew.stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	for (int i = 2; i < 5; i++) {
		assert_int_equal(members[i].bad, 0);
		assert_int_equal(members[i].stale, 0);
		assert_true(members[i].found > 100);
	}
	cache_slab_sweep(crew.slab, count_one, &counted);
	assert_int_equal(usage(crew.slab).entries, counted);
	cache_slab_free(crew.slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found_until_deleted),
		cmocka_unit_test(values_of_every_size_come_back_whole),
		cmocka_unit_test(pieces_begin_on_words),
		cmocka_unit_test(a_value_may_grow_and_shrink_under_its_key),
		cmocka_unit_test(it_agrees_with_a_naive_model),
		cmocka_unit_test(memory_has_a_ceiling_and_entries_are_counted),
		cmocka_unit_test(the_smallest_slab_still_works),
		cmocka_unit_test(the_expired_go_first),
		cmocka_unit_test(the_popular_survive_a_scan),
		cmocka_unit_test(the_popular_move_when_their_page_is_taken),
		cmocka_unit_test(the_popular_survive_a_flood_of_fat_values),
		cmocka_unit_test(memory_follows_the_sizes_in_demand),
		cmocka_unit_test(a_page_that_changes_its_class_ends_every_reading),
		cmocka_unit_test(walks_see_every_value_once),
		cmocka_unit_test(readers_never_see_a_torn_or_old_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
