/* SPDX-License-Identifier: Apache-2.0 */
/* A value lives in its first bucket, or in its second when that is full: readers mostly look at one
 * line. When both are full a value at home in one of them is pushed to its second home, so that the
 * index fills to three quarters without evicting anybody. */
#include <assert.h>

#include "resolver/cache_inner.h"

uint64_t *cache_index_find(const struct cache_slab *s, const struct cache_slab_head *slot)
{
	uint64_t want = (slot->hash & ~(uint64_t)UINT32_MAX) | cache_slot_word(s, slot);

	for (int second = 0; second < 2; second++) {
		uint64_t *bucket = cache_slab_bucket(s, slot->hash, second);

		for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++)
			if (bucket[i] == want)
				return &bucket[i];
	}
	return NULL;
}

void cache_index_unlink(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot)
{
	uint64_t *word = cache_index_find(s, slot);

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
static uint64_t *bucket_push(const struct cache_slab *s, uint64_t *bucket)
{
	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++) {
		uint64_t hash = cache_slab_slot(s, bucket[i])->hash, *room;

		if (cache_slab_bucket(s, hash, false) != bucket)
			continue;
		room = bucket_room(cache_slab_bucket(s, hash, true));
		if (room == NULL)
			continue;
		__atomic_store_n(room, bucket[i], __ATOMIC_RELEASE);
		__atomic_store_n(&bucket[i], 0, __ATOMIC_RELEASE);
		return &bucket[i];
	}
	return NULL;
}

uint64_t *cache_index_room(const struct cache_slab *s, uint64_t hash)
{
	uint64_t *first = cache_slab_bucket(s, hash, false);
	uint64_t *second = cache_slab_bucket(s, hash, true);
	uint64_t *word = bucket_room(first);

	if (word == NULL)
		word = bucket_room(second);
	if (word == NULL)
		word = bucket_push(s, first);
	if (word == NULL)
		word = bucket_push(s, second);
	return word;
}

void cache_index_set(const struct cache_slab *s, uint64_t *word, const struct cache_slab_head *slot)
{
	uint64_t value = (slot->hash & ~(uint64_t)UINT32_MAX) | cache_slot_word(s, slot);

	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}
