/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The shared memory of both caches: values of any size up to a page, found by a 64-bit keyed hash,
 * read by every worker without a lock and without a store. It owns the index, the slots and their
 * eviction; what a value means is the business of cache.c and cache_rrset.c, which compare the
 * whole key themselves. Used by these two and nobody else; any thread.
 *
 * Index: buckets of one cache line, eight words {tag 32 | slot 32}, two candidate buckets a hash;
 * it grows with what it names.
 * Slots: pages of 64 KiB carved into slots of one size class. The head of a slot holds a sequence
 * number that is odd while the slot is written; a reader copies, then looks whether the number is
 * still the same (a seqlock). No slot holds a pointer, so nothing needs reclaiming. The essay on
 * writers, eviction and how the classes share the pages is in cache_slab.c. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
/* All shared data is read and written by atomics, so that the fences order, but hide no race. */
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#define CACHE_SLAB_UNIT	     32 /* a slot is named by its offset in units: 32 bits reach 128 GiB */
#define CACHE_SLAB_PAGE	     65536
#define CACHE_SLAB_WAYS	     8	/* words of a bucket: one cache line */
#define CACHE_SLAB_REF_MAX   3	/* the CLOCK counter's ceiling */
#define CACHE_SLAB_TRIES     3	/* readings of what changes under the reader; then it is a miss */
#define CACHE_SLAB_SPINS     64 /* looks at a slot that is being written: some 100 ns */
#define CACHE_SLAB_VALUE_MAX (CACHE_SLAB_PAGE - sizeof(struct cache_slab_head))
#define CACHE_SLAB_MIN	     ((size_t)1 << 20)

/* Before each value; everything in it is read and written by atomics of its own size. */
struct cache_slab_head {
	uint32_t seq;  /* odd: being written */
	uint8_t ref;   /* CLOCK counter, raised by hits */
	uint8_t mark;  /* the user's; 0 in a new value */
	uint16_t kind; /* the user's; stays with the value */
	uint64_t hash;
	uint32_t expires_s; /* when it is of no more use; 0: the slot is free */
	uint32_t len;	    /* of the value */
	uint64_t value[];
};

/* What readers need to know of a shard, on a cache line of its own. */
struct cache_slab_view {
	uint32_t layout;    /* grows when a page changes its class */
	uint32_t n_buckets; /* of the index as it is now */
	uint64_t *index;
} __attribute__((aligned(64)));

struct cache_slab_shard;

struct cache_slab {
	uint8_t *arena; /* pages */
	struct cache_slab_view *views;
	uint32_t shard_mask; /* n_shards - 1 */
	uint32_t n_pages;
	struct cache_slab_shard *shards;
	struct cache_slab_page *pages;
	uint32_t pages_used; /* atomic */
	uint32_t index_max;  /* buckets of a shard's index at its largest */
	size_t map_len;
	void *map;
};

/* bytes: index and pages together, at least CACHE_SLAB_MIN are taken. Reserved at once, resident as
 * it fills. */
struct cache_slab *cache_slab_new(size_t bytes);
void cache_slab_free(struct cache_slab *s); /* NULL allowed; nobody uses it any more */

/* ---- reading, without a lock ---- */

/* The shard comes from the hash's lowest bits, all else in the index from its upper half, the tag.
 */
static inline uint32_t cache_slab_shard_of(const struct cache_slab *s, uint64_t hash)
{
	return (uint32_t)hash & s->shard_mask;
}

static inline const struct cache_slab_view *cache_slab_view(
	const struct cache_slab *s, uint64_t hash)
{
	return &s->views[cache_slab_shard_of(s, hash)];
}

/* One of the two buckets a tag may be in. */
static inline uint64_t *cache_slab_bucket(
	uint64_t *index, uint32_t n_buckets, uint64_t hash, bool is_second)
{
	uint32_t tag = (uint32_t)(hash >> 32), mixed = is_second ? tag * 0x9e3779b1u : tag;

	return index + ((uint64_t)mixed * n_buckets >> 32) * CACHE_SLAB_WAYS;
}

/* As the index is now. Should it grow between the two loads, the bucket is a wrong one, inside the
 * map: a miss. */
static inline const uint64_t *cache_slab_bucket_now(
	const struct cache_slab_view *v, uint64_t hash, bool is_second)
{
	uint64_t *index = __atomic_load_n(&v->index, __ATOMIC_ACQUIRE);
	uint32_t n_buckets = __atomic_load_n(&v->n_buckets, __ATOMIC_RELAXED);

	return cache_slab_bucket(index, n_buckets, hash, is_second);
}

static inline struct cache_slab_head *cache_slab_slot(const struct cache_slab *s, uint64_t word)
{
	return (struct cache_slab_head *)(s->arena +
					  ((uint64_t)(uint32_t)word - 1) * CACHE_SLAB_UNIT);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define CACHE_SLAB_TAG_AT 1
#else
#define CACHE_SLAB_TAG_AT 0
#endif

/* One bit for each word of the bucket that has the hash's tag; a free word may be among them. */
static inline uint32_t cache_slab_tags(const uint64_t *bucket, uint64_t hash)
{
	const uint32_t *halves = (const uint32_t *)bucket + CACHE_SLAB_TAG_AT;
	uint32_t tag = (uint32_t)(hash >> 32), hits = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++)
		hits |= (uint32_t)(__atomic_load_n(&halves[2 * i], __ATOMIC_RELAXED) == tag) << i;
	return hits;
}

/* A walk over the slots that may hold a hash. begin; while (next) { copy; if (is_same) ... }. */
struct cache_slab_walk {
	const struct cache_slab *slab;
	const struct cache_slab_view *view;
	struct cache_slab_head *slot;
	uint64_t hash;
	const uint64_t *bucket;
	uint32_t hits, seq, layout;
	bool is_second;
};

static inline struct cache_slab_walk cache_slab_begin(const struct cache_slab *s, uint64_t hash)
{
	struct cache_slab_walk w = {.slab = s, .hash = hash, .view = cache_slab_view(s, hash)};

	w.layout = __atomic_load_n(&w.view->layout, __ATOMIC_ACQUIRE);
	w.bucket = cache_slab_bucket_now(w.view, hash, false);
	w.hits = cache_slab_tags(w.bucket, hash);
	return w;
}

/* The next slot whose whole hash agrees and that is not being written. */
static inline bool cache_slab_next(struct cache_slab_walk *w)
{
	for (;;) {
		uint64_t word;

		if (w->hits == 0) {
			if (w->is_second)
				return false;
			w->is_second = true;
			w->bucket = cache_slab_bucket_now(w->view, w->hash, true);
			w->hits = cache_slab_tags(w->bucket, w->hash);
			continue;
		}
		word = __atomic_load_n(&w->bucket[__builtin_ctz(w->hits)], __ATOMIC_ACQUIRE);
		w->hits &= w->hits - 1;
		if ((uint32_t)word == 0)
			continue;
		w->slot = cache_slab_slot(w->slab, word);
		w->seq = __atomic_load_n(&w->slot->seq, __ATOMIC_ACQUIRE);
		for (int spins = 0; (w->seq & 1) && spins < CACHE_SLAB_SPINS; spins++)
			w->seq = __atomic_load_n(&w->slot->seq, __ATOMIC_ACQUIRE);
		if ((w->seq & 1) == 0 &&
			__atomic_load_n(&w->slot->hash, __ATOMIC_RELAXED) == w->hash)
			return true;
	}
}

/* True when all that was read of w->slot since cache_slab_next belongs together. */
static inline bool cache_slab_is_same(const struct cache_slab_walk *w)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&w->slot->seq, __ATOMIC_RELAXED) == w->seq &&
	       __atomic_load_n(&w->view->layout, __ATOMIC_RELAXED) == w->layout;
}

static inline uint32_t cache_slab_len(const struct cache_slab_head *slot)
{
	uint32_t len = __atomic_load_n(&slot->len, __ATOMIC_RELAXED);

	/* In a torn reading it can be anything; a copy of this many bytes stays inside the map. */
	return len <= CACHE_SLAB_VALUE_MAX ? len : 0;
}

static inline uint32_t cache_slab_expires_s(const struct cache_slab_head *slot)
{
	return __atomic_load_n(&slot->expires_s, __ATOMIC_RELAXED);
}

static inline uint16_t cache_slab_kind(const struct cache_slab_head *slot)
{
	return __atomic_load_n(&slot->kind, __ATOMIC_RELAXED);
}

static inline uint64_t cache_slab_word(const struct cache_slab_head *slot, size_t i)
{
	return __atomic_load_n(&slot->value[i], __ATOMIC_RELAXED);
}

/* Copy len bytes of the value, from word i on. The caller keeps i and len inside the page's bounds:
 * at most CACHE_SLAB_VALUE_MAX from the slot's start. */
static inline void cache_slab_copy(
	const struct cache_slab_head *slot, size_t i, void *out, size_t len)
{
	uint8_t *to = (uint8_t *)out;
	uint64_t word;

#pragma GCC unroll 4
	for (; len >= 8; len -= 8, to += 8) {
		word = cache_slab_word(slot, i++);
		memcpy(to, &word, 8);
	}
	if (len) {
		word = cache_slab_word(slot, i);
		memcpy(to, &word, len);
	}
}

/* A hit: raise the CLOCK counter unless it is full, which it is for whatever is popular, so that
 * its line stays shared between the cores. Returns the counter as it was. */
static inline uint8_t cache_slab_touch(struct cache_slab_head *slot)
{
	uint8_t ref = __atomic_load_n(&slot->ref, __ATOMIC_RELAXED);

	if (ref < CACHE_SLAB_REF_MAX)
		__atomic_store_n(&slot->ref, (uint8_t)(ref + 1), __ATOMIC_RELAXED);
	return ref;
}

/* ---- writing: everything for one hash happens between lock and unlock of its shard ---- */

/* Does this slot hold the key behind arg? Only called for slots whose whole hash agrees, with the
 * lock held: nobody writes, plain reads are sound. */
typedef bool (*cache_slab_match)(const void *arg, const struct cache_slab_head *slot);

void cache_slab_lock(struct cache_slab *s, uint64_t hash);
void cache_slab_unlock(struct cache_slab *s, uint64_t hash);
/* NULL when absent. Good until unlock or the next put. */
struct cache_slab_head *cache_slab_get(
	struct cache_slab *s, uint64_t hash, cache_slab_match match, const void *arg);

/* The value's bytes in pieces; each begins on an eight-octet boundary, the gap before it is 0. */
struct cache_slab_piece {
	const void *data;
	size_t len;
};
/* Store under hash, in place of what match finds. A reader sees the old or the new one. false:
 * longer than CACHE_SLAB_VALUE_MAX. */
struct cache_slab_value {
	const struct cache_slab_piece *pieces;
	size_t n_pieces;
	uint32_t expires_s;
	uint16_t kind;
};
bool cache_slab_put(struct cache_slab *s, uint64_t hash, cache_slab_match match, const void *arg,
	const struct cache_slab_value *value, int64_t now_ms);
/* Change word i of a value in place. */
void cache_slab_set_word(struct cache_slab_head *slot, size_t i, uint64_t word);
void cache_slab_del(struct cache_slab *s, struct cache_slab_head *slot);

/* Calls fn on every slot in use with its shard locked; drops it when fn says so. Whole-cache walk,
 * the lock is taken anew for each page. Returns how many were dropped. */
size_t cache_slab_sweep(
	struct cache_slab *s, bool (*fn)(void *arg, const struct cache_slab_head *slot), void *arg);
/* Calls fn with a copy of every slot in use, fn's to change; no lock held. */
void cache_slab_each(
	struct cache_slab *s, void (*fn)(void *arg, struct cache_slab_head *copy), void *arg);

struct cache_usage;
void cache_slab_usage(const struct cache_slab *s, struct cache_usage *out);
