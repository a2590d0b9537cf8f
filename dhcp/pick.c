/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/pick.h"

#include <string.h>

#include "base/xalloc.h"

enum { PICK_LEVELS = 4 };

/* Level 0 has one bit an address; a bit of level n stands for a word of level n - 1. */
struct pick_pool {
	uint32_t first, last;
	uint32_t cursor; /* offset to go on from */
	uint64_t *level[PICK_LEVELS];
	uint64_t *blocked; /* one bit an address */
	uint64_t n_usable, n_free;
};

struct pick {
	struct pick_pool *pools;
	unsigned n_pools;
};

static size_t pick_words(uint64_t bits)
{
	return (size_t)((bits + 63) / 64);
}

struct pick *pick_new(void)
{
	return xcalloc(1, sizeof(struct pick));
}

void pick_free(struct pick *p)
{
	for (unsigned i = 0; p && i < p->n_pools; i++) {
		for (unsigned n = 0; n < PICK_LEVELS; n++)
			xfree(p->pools[i].level[n]);
		xfree(p->pools[i].blocked);
	}
	if (p)
		xfree(p->pools);
	xfree(p);
}

static struct pick_pool *pick_pool_at(const struct pick *p, uint32_t addr)
{
	for (unsigned i = 0; i < p->n_pools; i++) {
		struct pick_pool *pool = &p->pools[i];

		if (addr >= pool->first && addr <= pool->last)
			return pool;
	}
	return NULL;
}

static bool pick_bit(const uint64_t *words, uint32_t at)
{
	return words[at / 64] >> (at % 64) & 1;
}

static void pick_set(struct pick_pool *pool, uint32_t at)
{
	for (unsigned n = 0; n < PICK_LEVELS; n++, at /= 64)
		pool->level[n][at / 64] |= UINT64_C(1) << (at % 64);
}

static void pick_clear(struct pick_pool *pool, uint32_t at)
{
	for (unsigned n = 0; n < PICK_LEVELS; n++, at /= 64) {
		pool->level[n][at / 64] &= ~(UINT64_C(1) << (at % 64));
		if (pool->level[n][at / 64])
			return;
	}
}

/* All bits of n on, at every level. */
static void pick_fill(struct pick_pool *pool, uint64_t n)
{
	for (unsigned level = 0; level < PICK_LEVELS; level++) {
		size_t words = pick_words(n);

		pool->level[level] = xalloc(words * sizeof(uint64_t));
		memset(pool->level[level], 0xff, words * sizeof(uint64_t));
		if (n % 64)
			pool->level[level][words - 1] = (UINT64_C(1) << (n % 64)) - 1;
		n = words;
	}
}

static void pick_block_at(struct pick_pool *pool, uint32_t at)
{
	if (pick_bit(pool->blocked, at))
		return;
	if (pick_bit(pool->level[0], at)) {
		pick_clear(pool, at);
		pool->n_free--;
	}
	pool->blocked[at / 64] |= UINT64_C(1) << (at % 64);
	pool->n_usable--;
}

unsigned pick_add(struct pick *p, uint32_t first, uint32_t last)
{
	struct pick_pool *pool;

	if (last < first)
		last = first;
	if (last - first >= PICK_POOL_MAX)
		last = first + PICK_POOL_MAX - 1;
	p->pools = xrealloc(p->pools, (p->n_pools + 1) * sizeof(*p->pools));
	pool = &p->pools[p->n_pools];
	*pool = (struct pick_pool){.first = first, .last = last};
	pool->n_usable = pool->n_free = (uint64_t)last - first + 1;
	pool->blocked = xcalloc(pick_words(pool->n_usable), sizeof(uint64_t));
	pick_fill(pool, pool->n_usable);
	for (unsigned i = 0; i < p->n_pools; i++) { /* what an earlier one has */
		const struct pick_pool *other = &p->pools[i];
		uint32_t from = other->first > first ? other->first : first;
		uint32_t to = other->last < last ? other->last : last;

		for (uint64_t addr = from; addr <= to; addr++)
			pick_block_at(pool, (uint32_t)addr - first);
	}
	return p->n_pools++;
}

void pick_block(struct pick *p, uint32_t addr)
{
	struct pick_pool *pool = pick_pool_at(p, addr);

	if (pool)
		pick_block_at(pool, addr - pool->first);
}

unsigned pick_pool_of(const struct pick *p, uint32_t addr)
{
	const struct pick_pool *pool = pick_pool_at(p, addr);

	return pool ? (unsigned)(pool - p->pools) : PICK_NO_POOL;
}

bool pick_is_blocked(const struct pick *p, uint32_t addr)
{
	const struct pick_pool *pool = pick_pool_at(p, addr);

	return pool && pick_bit(pool->blocked, addr - pool->first);
}

bool pick_is_free(const struct pick *p, uint32_t addr)
{
	const struct pick_pool *pool = pick_pool_at(p, addr);

	return pool && pick_bit(pool->level[0], addr - pool->first);
}

void pick_take(struct pick *p, uint32_t addr)
{
	struct pick_pool *pool = pick_pool_at(p, addr);

	if (!pool || !pick_bit(pool->level[0], addr - pool->first))
		return;
	pick_clear(pool, addr - pool->first);
	pool->n_free--;
}

void pick_give(struct pick *p, uint32_t addr)
{
	struct pick_pool *pool = pick_pool_at(p, addr);

	if (!pool || pick_bit(pool->level[0], addr - pool->first) ||
		pick_bit(pool->blocked, addr - pool->first))
		return;
	pick_set(pool, addr - pool->first);
	pool->n_free++;
}

/* First set bit at or after `at`, going up where a word has none and down again. */
static bool pick_next(const struct pick_pool *pool, uint32_t at, uint32_t *out)
{
	uint64_t n_bits = (uint64_t)pool->last - pool->first + 1;
	uint64_t bits[PICK_LEVELS];
	unsigned level = 0;
	uint64_t pos = at;

	for (unsigned n = 0; n < PICK_LEVELS; n++, n_bits = pick_words(n_bits))
		bits[n] = n_bits;
	for (;;) {
		uint64_t word;

		if (level == PICK_LEVELS || pos >= bits[level])
			return false;
		word = pool->level[level][pos / 64] >> (pos % 64) << (pos % 64);
		if (word == 0) {
			pos = pos / 64 + 1;
			level++;
			continue;
		}
		pos = pos / 64 * 64 + (uint64_t)__builtin_ctzll(word);
		if (level == 0) {
			*out = (uint32_t)pos;
			return true;
		}
		pos *= 64;
		level--;
	}
}

int pick_find(struct pick *p, unsigned pool_no, uint32_t *out)
{
	struct pick_pool *pool;
	uint32_t at = 0;

	if (pool_no >= p->n_pools)
		return ERR_FULL;
	pool = &p->pools[pool_no];
	if (!pick_next(pool, pool->cursor, &at) && !pick_next(pool, 0, &at))
		return ERR_FULL;
	pool->cursor = at;
	*out = pool->first + at;
	return 0;
}

struct pick_stats pick_stats(const struct pick *p, unsigned pool_no)
{
	const struct pick_pool *pool = &p->pools[pool_no];

	return (struct pick_stats){.n_usable = pool->n_usable, .n_free = pool->n_free};
}

unsigned pick_count(const struct pick *p)
{
	return p->n_pools;
}
