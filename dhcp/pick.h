/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which addresses of the pools are free: a bitmap of four levels a pool (a set bit: something below
 * is free), so that the next free address costs four steps in a pool of any size. The search goes
 * on from where the last one ended: neighbouring leases share pages on the disk.
 * Knows nothing of leases; the lease table and the offers tell it what is taken. One thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PICK_NO_POOL 0xffffffffu
/* A /8: 2 MiB. Larger pools are cut to it. */
#define PICK_POOL_MAX (1u << 24)

struct pick;
struct pick *pick_new(void);
void pick_free(struct pick *p); /* NULL allowed */

/* A pool of all addresses first..last, free. Its number: 0, 1, ... Where pools overlap an address
 * belongs to the one added first. */
unsigned pick_add(struct pick *p, uint32_t first, uint32_t last);
/* Never hand this one out (our own, a router, a device's). */
void pick_block(struct pick *p, uint32_t addr);

/* The pool an address belongs to, or PICK_NO_POOL; also for blocked ones. O(pools). */
unsigned pick_pool_of(const struct pick *p, uint32_t addr);
bool pick_is_blocked(const struct pick *p, uint32_t addr);
/* In some pool, not blocked, not taken. */
bool pick_is_free(const struct pick *p, uint32_t addr);
/* Mark as taken, or free again. No-ops outside the pools and for blocked addresses. */
void pick_take(struct pick *p, uint32_t addr);
void pick_give(struct pick *p, uint32_t addr);
/* A free address of that pool, which stays free until taken. ERR_FULL. */
MUST_CHECK int pick_find(struct pick *p, unsigned pool, uint32_t *out);

struct pick_stats {
	uint64_t n_usable; /* not blocked */
	uint64_t n_free;
};
struct pick_stats pick_stats(const struct pick *p, unsigned pool);
unsigned pick_count(const struct pick *p); /* pools */
