/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* RRsets with their signatures, trust and security, in seqlock slabs shared by all workers. Readers
 * take no lock and get a copy in their own arena; writers take a shard lock. RFC 2181 5.4.1 ranking
 * and the ghost-domain rule (an NS or glue RRset never outlives the entry it replaces unless it
 * comes from the parent) are kept in cache_rrset_put. Negative facts (NXDOMAIN per name, NODATA per
 * type) stand beside them with their SOA. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dns/rrset.h"

struct cache_rrset;
struct cache_rrset *cache_rrset_new(size_t bytes);
void cache_rrset_free(struct cache_rrset *c);

/* A copy in a with rr->ttl being what is left (>= 1), or NULL when absent or expired. stale_s > 0
 * also gives entries expired for less than that, with ttl 0. */
struct rrset *cache_rrset_get(struct cache_rrset *c, const uint8_t *name, uint16_t type,
	uint16_t class, int64_t now_ms, uint32_t stale_s, struct arena *a);
/* Stores a copy unless what is there ranks higher and has not expired, or is SECURE, far from its
 * end, and rr is not: the validator stores what it has proven once more. A NODATA of the type and
 * an NXDOMAIN of the name give way. Returns true when stored. */
bool cache_rrset_put(struct cache_rrset *c, const struct rrset *rr, int64_t now_ms);
/* Update the verdict of the validator in place (same rdata only). */
void cache_rrset_set_security(
	struct cache_rrset *c, const struct rrset *rr, enum rrset_security s, int64_t now_ms);

enum cache_negative { CACHE_NEGATIVE_NONE, CACHE_NEGATIVE_NODATA, CACHE_NEGATIVE_NXDOMAIN };
/* The proof: SOA RRset (with its RRSIG) then NSEC/NSEC3 RRsets; flat blocks one after another. */
struct cache_proof {
	uint8_t security;
	uint8_t rank;
	uint8_t n;
	struct rrset *rr[8];
};
/* NODATA of type, or NXDOMAIN of the name (type-independent). */
enum cache_negative cache_rrset_negative(struct cache_rrset *c, const uint8_t *name, uint16_t type,
	uint16_t class, int64_t now_ms, struct arena *a, struct cache_proof *out);
void cache_rrset_put_negative(struct cache_rrset *c, const uint8_t *name, uint16_t type,
	uint16_t class, enum cache_negative kind, const struct cache_proof *proof, uint32_t ttl_s,
	int64_t now_ms);

/* Flush: the name, the name and all below it (is_tree), or everything (name NULL). Walks the whole
 * cache: for control, never for a packet. Returns how many entries went. */
size_t cache_rrset_flush(struct cache_rrset *c, const uint8_t *name, bool is_tree);
struct cache_usage {
	uint64_t entries;
	uint64_t bytes;	   /* touched so far, index included */
	uint64_t capacity; /* most that bytes may become */
	uint64_t inserted, evicted, expired;
};
void cache_rrset_usage(const struct cache_rrset *c, struct cache_usage *out);
/* Calls fn on each positive entry that has not expired (for dump and image), without holding a
 * lock; not a snapshot. rr is borrowed until fn returns. */
void cache_rrset_each(struct cache_rrset *c, int64_t now_ms,
	void (*fn)(void *arg, const struct rrset *rr, uint32_t ttl_left_s), void *arg);
