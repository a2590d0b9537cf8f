/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Memory of one query: bump allocation in chunks that come from a per-thread
 * freelist, freed all at once. An arena has a cap; past it arena_alloc returns
 * NULL and the query is shed. Not thread-safe: a pool belongs to one thread. */
#include <stddef.h>
#include <stdint.h>

struct arena_pool;
struct arena;

/* chunk_len bytes a chunk; at most max_kept free chunks are kept for reuse. */
struct arena_pool *arena_pool_new(size_t chunk_len, size_t max_kept);
void arena_pool_free(struct arena_pool *pool);

/* cap: most bytes this arena may ever hand out. Never NULL. */
struct arena *arena_new(struct arena_pool *pool, size_t cap);
void arena_free(struct arena *a); /* NULL allowed */

/* 16-byte aligned, uninitialised; NULL when the cap is reached. A request larger
 * than a chunk gets a chunk of its own. */
void *arena_alloc(struct arena *a, size_t len);
void *arena_zalloc(struct arena *a, size_t len);
void *arena_memdup(struct arena *a, const void *p, size_t len);
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);
