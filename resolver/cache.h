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
/* bytes: index and entries together; reserved at once, resident as it fills. At least 1 MiB is
 * used. */
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
/* Fetch the index lines of a question, and later the lines of its entry, into the CPU's cache: a
 * batch does each for all its packets before the next step. No effect otherwise. */
void cache_prefetch(const struct cache *c, uint64_t hash);
void cache_reach(const struct cache *c, uint64_t hash);

enum cache_result {
	CACHE_MISS,
	CACHE_HIT,
	CACHE_HIT_REFRESH, /* a hit, and this caller was elected to refresh it (prefetch) */
	CACHE_OLD_POLICY   /* a hit judged under an older generation: judge again, then
			      cache_restamp */
};
/* On a hit the wire is copied to mem, which becomes out->wire (its question in lower case, its
 * first four bytes unset: answer_patch fills both in place), with its age in seconds. Of a blob
 * longer than cap only the fields and the question come along: it will be sent as TC. cap >= 512.
 */
enum cache_result cache_find(struct cache *c, const struct cache_question *q, uint32_t generation,
	int64_t now_ms, uint8_t *mem, size_t cap, struct answer_blob *out, uint32_t *age_s);
/* Stores a copy in place of what is there. Not stored: ttl_s 0, more TTLs than a blob has offsets
 * for, another question than q, longer than a slot. */
void cache_put(struct cache *c, const struct cache_question *q, const struct answer_blob *blob,
	uint32_t generation, int64_t now_ms);
void cache_restamp(struct cache *c, const struct cache_question *q, uint32_t generation);
/* The answers to one name, or to all names under it; NULL: everything. Walks the whole cache: for
 * control, never for a packet. Returns how many went. */
size_t cache_flush(struct cache *c, const uint8_t *name, bool is_tree);
void cache_usage(const struct cache *c, struct cache_usage *out);
