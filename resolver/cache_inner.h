/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of the slab, for its own three files: cache_slab.c (put, get, walks), cache_index.c
 * (which word names which slot) and cache_evict.c (where free slots come from). Whatever takes a
 * shard is called with that shard's lock held. */
#include <pthread.h>

#include "resolver/cache_slab.h"

#define CACHE_NO_PAGE UINT32_MAX
#define CACHE_CLASSES 20

/* A plain answer takes 96 octets in either cache. */
static const uint32_t CACHE_CLASS_BYTES[CACHE_CLASSES] = {96, 128, 160, 192, 256, 320, 384, 512,
	640, 768, 1024, 1280, 1536, 2048, 3072, 4096, 8192, 16384, 32768, CACHE_SLAB_PAGE};

struct cache_slab_page {
	uint32_t next;	    /* ring of its class */
	uint32_t free_next; /* list of the pages of its class with free slots */
	uint16_t free_slot; /* first free slot + 1, chained through their heads' hash; 0: none */
	uint16_t shard;
	uint8_t class;
	uint8_t is_ready; /* atomic, set once: shard may be read */
};

/* One size class of one shard. */
struct cache_slab_class {
	uint32_t n_pages;
	uint32_t hand_page, hand_slot; /* the next slot the hand looks at; no page: CACHE_NO_PAGE */
	uint32_t fill_page, fill_slot; /* the next slot of a fresh page; none: CACHE_NO_PAGE */
	uint32_t free_page;	       /* pages with slots given back */
	uint32_t lap_left;	       /* slots to the end of the lap */
	uint32_t churn;		       /* bytes evicted since it last asked for a page */
	int64_t lap_start_ms, last_lap_ms;
};

struct cache_slab_shard {
	pthread_mutex_t lock;
	struct cache_slab_view *view;
	uint32_t id, n_pages, quota;
	struct cache_slab_class classes[CACHE_CLASSES];
	uint64_t entries, inserted, evicted, expired; /* atomic: read by usage without the lock */
} __attribute__((aligned(128)));

static inline void cache_count(uint64_t *n, int64_t by)
{
	__atomic_store_n(n, __atomic_load_n(n, __ATOMIC_RELAXED) + (uint64_t)by, __ATOMIC_RELAXED);
}

static inline uint32_t cache_class_for(size_t len)
{
	uint32_t c = 0;

	while (CACHE_CLASS_BYTES[c] < len + sizeof(struct cache_slab_head))
		c++;
	return c;
}

static inline uint32_t cache_class_slots(uint32_t c)
{
	return CACHE_SLAB_PAGE / CACHE_CLASS_BYTES[c];
}

static inline struct cache_slab_head *cache_page_slot(
	const struct cache_slab *s, uint32_t page, uint32_t c, uint32_t i)
{
	return (struct cache_slab_head *)(s->arena + (size_t)page * CACHE_SLAB_PAGE +
					  (size_t)i * CACHE_CLASS_BYTES[c]);
}

static inline uint32_t cache_slot_page(
	const struct cache_slab *s, const struct cache_slab_head *slot)
{
	return (uint32_t)((size_t)((const uint8_t *)slot - s->arena) / CACHE_SLAB_PAGE);
}

static inline uint32_t cache_slot_word(
	const struct cache_slab *s, const struct cache_slab_head *slot)
{
	return (uint32_t)((size_t)((const uint8_t *)slot - s->arena) / CACHE_SLAB_UNIT) + 1;
}

static inline uint8_t cache_slot_ref(const struct cache_slab_head *slot)
{
	return __atomic_load_n(&slot->ref, __ATOMIC_RELAXED);
}

static inline bool cache_slot_has_expired(const struct cache_slab_head *slot, int64_t now_ms)
{
	return slot->expires_s <= (uint64_t)now_ms / 1000;
}

/* ---- cache_index.c ---- */

#define CACHE_BUCKET_BYTES (CACHE_SLAB_WAYS * sizeof(uint64_t))
#define CACHE_INDEX_LEAST  64 /* buckets of a new index: 4 KiB */

/* Octets of address space that a shard's index needs to grow up to max buckets, all its earlier
 * sizes included: each size has a place of its own. A multiple of a 4 KiB page. */
size_t cache_index_reserve(uint32_t max);
/* mem: that much, all zeros. */
void cache_index_init(struct cache_slab_shard *sh, void *mem);
/* The word that names slot, or NULL. */
uint64_t *cache_index_find(const struct cache_slab *s, const struct cache_slab_shard *sh,
	const struct cache_slab_head *slot);
/* A free word for a new slot of this hash, made by growing the index or by moving another word to
 * its second home when it must be; NULL when there is none. */
uint64_t *cache_index_room(struct cache_slab *s, struct cache_slab_shard *sh, uint64_t hash);
/* Publish: from here on readers find slot. */
void cache_index_set(
	const struct cache_slab *s, uint64_t *word, const struct cache_slab_head *slot);
/* The slot's value is no longer to be found; the slot is still nobody's. */
void cache_index_unlink(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot);

/* ---- cache_evict.c ---- */

/* A free slot for a value of class c, not in the index. NULL: the shard has no page at all. */
struct cache_slab_head *cache_evict_slot(
	struct cache_slab *s, struct cache_slab_shard *sh, uint32_t c, int64_t now_ms);
/* A word of this hash's first bucket, which is full: its least used value is evicted. */
uint64_t *cache_evict_word(
	struct cache_slab *s, struct cache_slab_shard *sh, uint64_t hash, int64_t now_ms);
/* A slot without a value goes to the free ones of its class. */
void cache_evict_give_back(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot);

/* ---- cache_slab.c ---- */

void cache_slab_write(struct cache_slab_head *slot, uint64_t hash,
	const struct cache_slab_value *value, uint8_t ref);
