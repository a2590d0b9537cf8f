/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Wire answers in front of the RRsets (notes: performance 2.3, 2.4): key (folded name, type, class,
 * DO, CD) to a blob ready to patch. Any worker reads without a lock and without a store on a warm
 * hit; writers take a shard lock. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "resolver/answer.h"
#include "resolver/cache_rrset.h"

struct cache;
struct cache *cache_new(size_t bytes);
void cache_free(struct cache *c);
const struct hash_key *cache_key(const struct cache *c);

struct cache_question {
	const uint8_t *name; /* any case */
	uint8_t name_len;
	bool is_do, is_cd;
	uint16_t type, class;
	uint64_t hash; /* from cache_hash */
};
uint64_t cache_hash(const struct cache *c, const struct cache_question *q);
void cache_prefetch(const struct cache *c, uint64_t hash);

enum cache_result {
	CACHE_MISS,
	CACHE_HIT,
	CACHE_HIT_REFRESH, /* a hit, and this caller was elected to refresh it (prefetch) */
	CACHE_OLD_POLICY /* a hit judged under an older generation: judge again, then cache_restamp
			  */
};
/* On a hit the blob is copied to out->wire = mem (cap >= 65535 or ERR: a larger blob is a miss)
 * with its age in seconds. */
enum cache_result cache_find(struct cache *c, const struct cache_question *q, uint32_t generation,
	int64_t now_ms, uint8_t *mem, size_t cap, struct answer_blob *out, uint32_t *age_s);
void cache_put(struct cache *c, const struct cache_question *q, const struct answer_blob *blob,
	uint32_t generation, int64_t now_ms);
void cache_restamp(struct cache *c, const struct cache_question *q, uint32_t generation);
size_t cache_flush(struct cache *c, const uint8_t *name, bool is_tree);
void cache_usage(const struct cache *c, struct cache_usage *out);
