/* SPDX-License-Identifier: Apache-2.0 */
/* Shards. Hashes are divided among up to 16 shards of at least SHARD_PAGES pages. A shard has its
 * own part of the index, its own pages and one mutex; all writing for a hash happens under it, so
 * inside a shard there is one writer and the rest is plain sequential code. Writers are misses:
 * rare enough for a mutex, which, unlike a spinlock, also behaves when its holder loses the CPU.
 *
 * Pages. All shards draw pages from the front of one arena, so what is resident is what is used. A
 * shard may draw its quota; pages never change shards, the keyed hash keeps these even.
 *
 * How slots become free stands in cache_evict.c. */
#include "resolver/cache_slab.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/xalloc.h"
#include "resolver/cache_inner.h"
#include "resolver/cache_rrset.h"

#define SHARDS_MAX  16
#define SHARD_PAGES 64	/* 4 MiB: enough that every class can hold a page of its own */
#define SMALL_PAGES 128 /* 8 MiB without huge pages: what a small network fills stays small */
#define VIEWS_BYTES 4096
#define PAGES_MAX   ((size_t)UINT32_MAX / (CACHE_SLAB_PAGE / CACHE_SLAB_UNIT) - 1)
static void slot_begin(struct cache_slab_head *slot)
{
	__atomic_store_n(&slot->seq, slot->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void slot_end(struct cache_slab_head *slot)
{
	__atomic_store_n(&slot->seq, slot->seq + 1, __ATOMIC_RELEASE);
}

/* Length of the value the pieces make. */
static size_t value_len(const struct cache_slab_value *v)
{
	size_t len = 0;

	for (size_t i = 0; i < v->n_pieces; i++)
		if (v->pieces[i].len)
			len = ((len + 7) & ~(size_t)7) + v->pieces[i].len;
	return len;
}

void cache_slab_write(struct cache_slab_head *slot, uint64_t hash,
	const struct cache_slab_value *value, uint8_t ref)
{
	size_t at = 0;

	slot_begin(slot);
	__atomic_store_n(&slot->ref, ref, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->mark, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->kind, value->kind, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->hash, hash, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->expires_s, value->expires_s, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->len, (uint32_t)value_len(value), __ATOMIC_RELAXED);
	for (size_t i = 0; i < value->n_pieces; i++) {
		const uint8_t *p = value->pieces[i].data;

		for (size_t left = value->pieces[i].len; left;) {
			size_t n = left < 8 ? left : 8;
			uint64_t word = 0;

			memcpy(&word, p, n);
			__atomic_store_n(&slot->value[at++], word, __ATOMIC_RELAXED);
			p += n;
			left -= n;
		}
	}
	slot_end(slot);
}

static struct cache_slab_shard *shard_of(const struct cache_slab *s, uint64_t hash)
{
	return &s->shards[cache_slab_shard_of(s, hash)];
}

static void shard_init(struct cache_slab *s, uint32_t id, struct cache_slab_view *view, void *index)
{
	struct cache_slab_shard *sh = &s->shards[id];

	sh->id = id;
	sh->view = view;
	sh->quota = s->n_pages / (s->shard_mask + 1);
	pthread_mutex_init(&sh->lock, NULL);
	cache_index_init(sh, index);
	for (uint32_t c = 0; c < CACHE_CLASSES; c++)
		sh->classes[c].hand_page = sh->classes[c].fill_page = sh->classes[c].free_page =
			CACHE_NO_PAGE;
}

/* One mapping: views, the shards' indexes, then the pages on a page's boundary and one page more,
 * which a torn length may read. */
static bool slab_map(struct cache_slab *s, size_t front)
{
	uintptr_t base;

	s->map_len = front + ((size_t)s->n_pages + 2) * CACHE_SLAB_PAGE;
	s->map = mmap(NULL, s->map_len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->map == MAP_FAILED)
		return false;
	base = (uintptr_t)s->map;
	s->views = s->map;
	s->arena = (uint8_t *)((base + front + CACHE_SLAB_PAGE - 1) &
			       ~(uintptr_t)(CACHE_SLAB_PAGE - 1));
	/* Fewer TLB misses where the kernel can; and what people looked up has no place in a core
	 * file. */
	if (s->n_pages > SMALL_PAGES)
		(void)madvise(s->arena + (size_t)SMALL_PAGES * CACHE_SLAB_PAGE,
			(size_t)(s->n_pages - SMALL_PAGES) * CACHE_SLAB_PAGE, MADV_HUGEPAGE);
	(void)madvise(s->map, s->map_len, MADV_DONTDUMP);
	return true;
}

/* Divide bytes into index and pages and map them. */
static bool slab_size(struct cache_slab *s, size_t bytes)
{
	size_t index_per_page = CACHE_SLAB_PAGE / CACHE_CLASS_BYTES[0] * sizeof(uint64_t) * 8 / 7;
	size_t n_pages = bytes / (CACHE_SLAB_PAGE + index_per_page), n_shards = 1, n_buckets;

	if (n_pages > PAGES_MAX)
		n_pages = PAGES_MAX;
	while (n_shards < SHARDS_MAX && n_pages / (n_shards * 2) >= SHARD_PAGES)
		n_shards *= 2;
	n_pages -= n_pages % n_shards;
	n_buckets = n_pages / n_shards * index_per_page / CACHE_BUCKET_BYTES;
	s->n_pages = (uint32_t)n_pages;
	s->index_max = (uint32_t)(n_buckets - n_buckets % CACHE_INDEX_LEAST);
	s->shard_mask = (uint32_t)n_shards - 1;
	return slab_map(s, VIEWS_BYTES + cache_index_reserve(s->index_max) * n_shards);
}

struct cache_slab *cache_slab_new(size_t bytes)
{
	struct cache_slab *s = xcalloc(1, sizeof(*s));

	/* Address space is short only on small machines: there a smaller cache is better than none.
	 */
	while (!slab_size(s, bytes > CACHE_SLAB_MIN ? bytes : CACHE_SLAB_MIN)) {
		if (bytes <= CACHE_SLAB_MIN)
			abort();
		bytes /= 2;
	}
	s->shards = xcalloc(s->shard_mask + 1, sizeof(*s->shards));
	s->pages = xcalloc(s->n_pages, sizeof(*s->pages));
	for (uint32_t i = 0; i <= s->shard_mask; i++)
		shard_init(s, i, &s->views[i],
			(uint8_t *)s->map + VIEWS_BYTES + i * cache_index_reserve(s->index_max));
	return s;
}

void cache_slab_free(struct cache_slab *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i <= s->shard_mask; i++)
		pthread_mutex_destroy(&s->shards[i].lock);
	munmap(s->map, s->map_len);
	xfree(s->shards);
	xfree(s->pages);
	xfree(s);
}

void cache_slab_lock(struct cache_slab *s, uint64_t hash)
{
	pthread_mutex_lock(&shard_of(s, hash)->lock);
}

void cache_slab_unlock(struct cache_slab *s, uint64_t hash)
{
	pthread_mutex_unlock(&shard_of(s, hash)->lock);
}

struct cache_slab_head *cache_slab_get(
	struct cache_slab *s, uint64_t hash, cache_slab_match match, const void *arg)
{
	struct cache_slab_walk w = cache_slab_begin(s, hash);

	while (cache_slab_next(&w))
		if (match(arg, w.slot))
			return w.slot;
	return NULL;
}

/* A slot of have bytes serves a value of want as well: no move for a few bytes more or less. */
static bool class_still_fits(uint32_t have, uint32_t want)
{
	return CACHE_CLASS_BYTES[want] <= CACHE_CLASS_BYTES[have] &&
	       CACHE_CLASS_BYTES[want] * 2 >= CACHE_CLASS_BYTES[have];
}

bool cache_slab_put(struct cache_slab *s, uint64_t hash, cache_slab_match match, const void *arg,
	const struct cache_slab_value *value, int64_t now_ms)
{
	struct cache_slab_shard *sh = shard_of(s, hash);
	struct cache_slab_head *old, *slot;
	size_t len = value_len(value);
	uint32_t c;

	if (len > CACHE_SLAB_VALUE_MAX)
		return false;
	assert(value->expires_s);
	c = cache_class_for(len);
	cache_count(&sh->inserted, 1);
	old = cache_slab_get(s, hash, match, arg);
	if (old && class_still_fits(s->pages[cache_slot_page(s, old)].class, c)) {
		cache_slab_write(old, hash, value, cache_slot_ref(old));
		return true;
	}
	slot = cache_evict_slot(s, sh, c, now_ms);
	if (slot == NULL)
		return false;
	/* Once more: making room may have moved or evicted it. */
	old = cache_slab_get(s, hash, match, arg);
	cache_slab_write(slot, hash, value, old ? cache_slot_ref(old) : 0);
	if (old) {
		cache_index_set(s, cache_index_find(s, sh, old), slot);
		cache_evict_give_back(s, sh, old);
	} else {
		uint64_t *word = cache_index_room(s, sh, hash);

		cache_index_set(s, word ? word : cache_evict_word(s, sh, hash, now_ms), slot);
		cache_count(&sh->entries, 1);
	}
	return true;
}

void cache_slab_set_word(struct cache_slab_head *slot, size_t i, uint64_t word)
{
	slot_begin(slot);
	__atomic_store_n(&slot->value[i], word, __ATOMIC_RELAXED);
	slot_end(slot);
}

static void slot_drop(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot)
{
	cache_index_unlink(s, sh, slot);
	cache_evict_give_back(s, sh, slot);
}

void cache_slab_del(struct cache_slab *s, struct cache_slab_head *slot)
{
	slot_drop(s, shard_of(s, slot->hash), slot);
}

/* ---- walks over everything ---- */

/* Locks the shard of a page in use; NULL when the page was never used. */
static struct cache_slab_shard *page_lock(struct cache_slab *s, uint32_t page)
{
	struct cache_slab_shard *sh;

	if (!__atomic_load_n(&s->pages[page].is_ready, __ATOMIC_ACQUIRE))
		return NULL;
	sh = &s->shards[s->pages[page].shard];
	pthread_mutex_lock(&sh->lock);
	return sh;
}

size_t cache_slab_sweep(
	struct cache_slab *s, bool (*fn)(void *arg, const struct cache_slab_head *slot), void *arg)
{
	size_t dropped = 0;

	for (uint32_t page = 0; page < s->n_pages; page++) {
		struct cache_slab_shard *sh = page_lock(s, page);
		uint32_t c;

		if (sh == NULL)
			continue;
		c = s->pages[page].class;
		for (uint32_t i = 0; i < cache_class_slots(c); i++) {
			struct cache_slab_head *slot = cache_page_slot(s, page, c, i);

			if (slot->expires_s && fn(arg, slot)) {
				slot_drop(s, sh, slot);
				dropped++;
			}
		}
		pthread_mutex_unlock(&sh->lock);
	}
	return dropped;
}

/* Copies slot i of the page, as it is carved now. false: no such slot. *is_used: it holds a value.
 */
static bool each_copy(struct cache_slab *s, uint32_t page, uint32_t i, struct cache_slab_head *copy,
	bool *is_used)
{
	struct cache_slab_shard *sh = page_lock(s, page);
	struct cache_slab_head *slot;
	uint32_t c;

	if (sh == NULL)
		return false;
	c = s->pages[page].class;
	slot = cache_page_slot(s, page, c, i);
	*is_used = i < cache_class_slots(c) && slot->expires_s;
	if (*is_used) {
		copy->hash = slot->hash;
		copy->kind = slot->kind;
		copy->expires_s = slot->expires_s;
		copy->len = slot->len;
		cache_slab_copy(slot, 0, copy->value, slot->len);
	}
	pthread_mutex_unlock(&sh->lock);
	return i < cache_class_slots(c);
}

void cache_slab_each(
	struct cache_slab *s, void (*fn)(void *arg, struct cache_slab_head *copy), void *arg)
{
	struct cache_slab_head *copy = xcalloc(1, CACHE_SLAB_PAGE);
	bool is_used;

	for (uint32_t page = 0; page < s->n_pages; page++)
		for (uint32_t i = 0; each_copy(s, page, i, copy, &is_used); i++)
			if (is_used)
				fn(arg, copy);
	xfree(copy);
}

void cache_slab_usage(const struct cache_slab *s, struct cache_usage *out)
{
	size_t index = 0;

	*out = (struct cache_usage){0};
	for (uint32_t i = 0; i <= s->shard_mask; i++) {
		const struct cache_slab_shard *sh = &s->shards[i];

		index += __atomic_load_n(&s->views[i].n_buckets, __ATOMIC_RELAXED) *
			 CACHE_BUCKET_BYTES;
		out->entries += __atomic_load_n(&sh->entries, __ATOMIC_RELAXED);
		out->inserted += __atomic_load_n(&sh->inserted, __ATOMIC_RELAXED);
		out->evicted += __atomic_load_n(&sh->evicted, __ATOMIC_RELAXED);
		out->expired += __atomic_load_n(&sh->expired, __ATOMIC_RELAXED);
	}
	out->bytes =
		index + (size_t)__atomic_load_n(&s->pages_used, __ATOMIC_RELAXED) * CACHE_SLAB_PAGE;
	out->capacity = (size_t)s->index_max * (s->shard_mask + 1) * CACHE_BUCKET_BYTES +
			(size_t)s->n_pages * CACHE_SLAB_PAGE;
}
