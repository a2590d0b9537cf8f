/* SPDX-License-Identifier: Apache-2.0 */
/* Which word names which slot. A value lives in its first bucket, or in its second when that is
 * full: readers mostly look at one line. When both are full a value at home in one of them is
 * pushed to its second home, so that the index fills to seven eighths without evicting anybody.
 * Both homes follow from the tag alone, which is in the word: none of this touches a slot.
 *
 * The index begins with one page and grows by half when it is full, so that what is resident is in
 * proportion to what is cached. The larger one is filled beside the smaller, then shown to readers,
 * and the smaller one's memory goes back to the kernel; who still reads it finds the values there,
 * or zeros: a miss. */
#include <assert.h>
#include <sys/mman.h>

#include "resolver/cache_inner.h"

/* Octets of an index of n buckets: n is a multiple of CACHE_INDEX_LEAST, so whole 4 KiB pages. */
static size_t index_bytes(uint32_t n)
{
	return (size_t)n * CACHE_BUCKET_BYTES;
}

/* The size after n; n itself when it is the last. */
static uint32_t index_next(uint32_t n, uint32_t max)
{
	uint32_t next = (n + n / 2 + CACHE_INDEX_LEAST - 1) / CACHE_INDEX_LEAST * CACHE_INDEX_LEAST;

	return next < max ? next : max;
}

size_t cache_index_reserve(uint32_t max)
{
	size_t sum = 0;

	for (uint32_t n = CACHE_INDEX_LEAST; n < max; n = index_next(n, max))
		sum += index_bytes(n);
	return sum + index_bytes(max);
}

void cache_index_init(struct cache_slab_shard *sh, void *mem)
{
	sh->view->index = mem;
	sh->view->n_buckets = CACHE_INDEX_LEAST;
}

static uint64_t *home(const struct cache_slab_shard *sh, uint64_t word, bool is_second)
{
	return cache_slab_bucket(sh->view->index, sh->view->n_buckets, word, is_second);
}

uint64_t *cache_index_find(const struct cache_slab *s, const struct cache_slab_shard *sh,
	const struct cache_slab_head *slot)
{
	uint64_t want = (slot->hash & ~(uint64_t)UINT32_MAX) | cache_slot_word(s, slot);

	for (int second = 0; second < 2; second++) {
		uint64_t *bucket = home(sh, want, second);

		for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++)
			if (bucket[i] == want)
				return &bucket[i];
	}
	return NULL;
}

void cache_index_unlink(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot)
{
	uint64_t *word = cache_index_find(s, sh, slot);

	assert(word && slot->expires_s);
	if (word)
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
	cache_count(&sh->entries, -1);
}

static uint64_t *bucket_room(uint64_t *bucket)
{
	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++)
		if (bucket[i] == 0)
			return &bucket[i];
	return NULL;
}

/* Moves a value of this bucket that is at home here to its second one; the word it left, or NULL.
 * Readers look at home first, so they do not miss it on its way. */
static uint64_t *bucket_push(const struct cache_slab_shard *sh, uint64_t *bucket)
{
	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++) {
		uint64_t *room;

		if (home(sh, bucket[i], false) != bucket)
			continue;
		room = bucket_room(home(sh, bucket[i], true));
		if (room == NULL)
			continue;
		__atomic_store_n(room, bucket[i], __ATOMIC_RELEASE);
		__atomic_store_n(&bucket[i], 0, __ATOMIC_RELEASE);
		return &bucket[i];
	}
	return NULL;
}

static uint64_t *index_room(const struct cache_slab_shard *sh, uint64_t hash)
{
	uint64_t *first = home(sh, hash, false);
	uint64_t *second = home(sh, hash, true);
	uint64_t *word = bucket_room(first);

	if (word == NULL)
		word = bucket_room(second);
	if (word == NULL)
		word = bucket_push(sh, first);
	if (word == NULL)
		word = bucket_push(sh, second);
	return word;
}

/* Fills the larger index from words and shows it. The rare word without room in it is dropped, its
 * slot evicted. */
static void index_grow(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t n_buckets)
{
	struct cache_slab_view *view = sh->view, old = *view, fresh = *view;
	size_t n_words = (size_t)old.n_buckets * CACHE_SLAB_WAYS;

	fresh.index = old.index + n_words;
	fresh.n_buckets = n_buckets;
	sh->view = &fresh;
	for (size_t i = 0; i < n_words; i++) {
		uint64_t word = old.index[i], *room = word ? index_room(sh, word) : NULL;
		struct cache_slab_head *slot;

		if (room) {
			__atomic_store_n(room, word, __ATOMIC_RELAXED);
		} else if (word) {
			slot = cache_slab_slot(s, word);
			__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
			cache_evict_give_back(s, sh, slot);
			cache_count(&sh->entries, -1);
			cache_count(&sh->evicted, 1);
		}
	}
	sh->view = view;
	__atomic_store_n(&view->index, fresh.index, __ATOMIC_RELEASE);
	__atomic_store_n(&view->n_buckets, fresh.n_buckets, __ATOMIC_RELEASE);
	(void)madvise(old.index, index_bytes(old.n_buckets), MADV_DONTNEED);
}

uint64_t *cache_index_room(struct cache_slab *s, struct cache_slab_shard *sh, uint64_t hash)
{
	uint32_t n = sh->view->n_buckets, next = index_next(n, s->index_max);
	uint64_t *word;

	if (next > n && sh->entries >= (uint64_t)n * CACHE_SLAB_WAYS * 7 / 8)
		index_grow(s, sh, next);
	word = index_room(sh, hash);
	if (word == NULL && next > n && sh->view->n_buckets == n) {
		index_grow(s, sh, next);
		word = index_room(sh, hash);
	}
	return word;
}

void cache_index_set(const struct cache_slab *s, uint64_t *word, const struct cache_slab_head *slot)
{
	uint64_t value = (slot->hash & ~(uint64_t)UINT32_MAX) | cache_slot_word(s, slot);

	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}
