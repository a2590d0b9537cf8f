/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk is a header and chunk_len bytes. The arena's own struct stands at the start of its first
 * chunk, so a query costs no malloc at all once the pool is warm. Under AddressSanitizer the
 * bytes not handed out are poisoned and each allocation is followed by a red zone. */
#include "base/arena.h"

#include <string.h>

#include "base/xalloc.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define ARENA_POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define ARENA_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
enum { ARENA_RED_ZONE = 16 };
#else
#define ARENA_POISON(p, n)   ((void)0)
#define ARENA_UNPOISON(p, n) ((void)0)
enum { ARENA_RED_ZONE = 0 };
#endif

enum { ARENA_ALIGN = 16, ARENA_MIN_CHUNK = 256 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t cap;
	_Alignas(ARENA_ALIGN) uint8_t bytes[];
};

struct arena_pool {
	struct arena_chunk *kept; /* free chunks of chunk_len bytes */
	size_t n_kept, max_kept;
	size_t chunk_len;
};

struct arena {
	struct arena_pool *pool;
	struct arena_chunk *chunks; /* the newest first; bump allocation goes on in `bump` */
	uint8_t *bump;
	size_t bump_left;
	size_t used, cap;
};

static size_t arena_round(size_t n)
{
	return (n + (ARENA_ALIGN - 1)) & ~(size_t)(ARENA_ALIGN - 1);
}

struct arena_pool *arena_pool_new(size_t chunk_len, size_t max_kept)
{
	struct arena_pool *pool = xcalloc(1, sizeof(*pool));

	pool->chunk_len = arena_round(chunk_len < ARENA_MIN_CHUNK ? ARENA_MIN_CHUNK : chunk_len);
	pool->max_kept = max_kept;
	return pool;
}

void arena_pool_free(struct arena_pool *pool)
{
	struct arena_chunk *c;

	if (!pool)
		return;
	while ((c = pool->kept)) {
		pool->kept = c->next;
		ARENA_UNPOISON(c->bytes, c->cap);
		xfree(c);
	}
	xfree(pool);
}

static struct arena_chunk *arena_chunk_get(struct arena_pool *pool, size_t len)
{
	struct arena_chunk *c = pool->kept;

	if (len <= pool->chunk_len && c) {
		pool->kept = c->next;
		pool->n_kept--;
		return c;
	}
	if (len < pool->chunk_len)
		len = pool->chunk_len;
	c = xalloc(sizeof(*c) + len);
	c->cap = len;
	ARENA_POISON(c->bytes, c->cap);
	return c;
}

static void arena_chunk_put(struct arena_pool *pool, struct arena_chunk *c)
{
	if (c->cap != pool->chunk_len || pool->n_kept >= pool->max_kept) {
		ARENA_UNPOISON(c->bytes, c->cap);
		xfree(c);
		return;
	}
	ARENA_POISON(c->bytes, c->cap);
	c->next = pool->kept;
	pool->kept = c;
	pool->n_kept++;
}

struct arena *arena_new(struct arena_pool *pool, size_t cap)
{
	struct arena_chunk *c = arena_chunk_get(pool, pool->chunk_len);
	size_t own = arena_round(sizeof(struct arena));
	struct arena *a;

	c->next = NULL;
	ARENA_UNPOISON(c->bytes, sizeof(*a));
	a = (struct arena *)c->bytes;
	*a = (struct arena){
		.pool = pool,
		.chunks = c,
		.bump = c->bytes + own,
		.bump_left = c->cap - own,
		.cap = cap,
	};
	return a;
}

void arena_free(struct arena *a)
{
	struct arena_pool *pool;
	struct arena_chunk *c, *next;

	if (!a)
		return;
	pool = a->pool;
	for (c = a->chunks; c; c = next) {
		next = c->next;
		arena_chunk_put(pool, c);
	}
}

/* A chunk for a request that does not fit into what is left of the current one. A large request
 * gets its own and leaves the bump pointer where it is. */
static void *arena_alloc_slow(struct arena *a, size_t room)
{
	struct arena_chunk *c = arena_chunk_get(a->pool, room);

	c->next = a->chunks;
	a->chunks = c;
	if (c->cap - room > a->bump_left) {
		a->bump = c->bytes + room;
		a->bump_left = c->cap - room;
	}
	return c->bytes;
}

void *arena_alloc(struct arena *a, size_t len)
{
	size_t room;
	void *p;

	if (len > a->cap - a->used)
		return NULL;
	room = arena_round((len ? len : 1) + ARENA_RED_ZONE);
	if (room < len)
		return NULL;
	if (room <= a->bump_left) {
		p = a->bump;
		a->bump += room;
		a->bump_left -= room;
	} else {
		p = arena_alloc_slow(a, room);
	}
	a->used += len;
	ARENA_UNPOISON(p, len);
	return p;
}

void *arena_zalloc(struct arena *a, size_t len)
{
	void *p = arena_alloc(a, len);

	if (p)
		memset(p, 0, len);
	return p;
}

void *arena_memdup(struct arena *a, const void *p, size_t len)
{
	void *q = arena_alloc(a, len);

	if (q && len)
		memcpy(q, p, len);
	return q;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
