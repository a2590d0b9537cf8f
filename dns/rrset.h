/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An RRset with its RRSIGs as ONE flat block without pointers, so that it can lie in a query's
 * arena, in a cache slot or in a static zone alike, and be copied by memcpy.
 *
 * Layout of data[]: owner name (uncompressed, case as received), then n_rr times {u16 rdlen in host
 * order, rdata}, then n_sig times the same for RRSIG rdata. Names inside rdata are uncompressed for
 * the types of RFC 3597 4; other rdata is opaque. Never two equal RRs (RFC 2181 5). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* How far the data may be trusted, RFC 2181 5.4.1, lowest first. */
enum rrset_rank {
	RRSET_RANK_NONE = 0,
	RRSET_RANK_ADDITIONAL,	 /* glue and other additional data */
	RRSET_RANK_REFERRAL,	 /* NS of a referral's authority section */
	RRSET_RANK_AUTHORITY_NA, /* authority section of a non-authoritative answer */
	RRSET_RANK_ANSWER_NA,	 /* answer section without AA (forwarder) */
	RRSET_RANK_AUTHORITY_AA, /* authority section with AA */
	RRSET_RANK_ANSWER_AA,	 /* answer section with AA */
	RRSET_RANK_LOCAL	 /* hints, our own zones */
};

/* RFC 4033 5 and 4035 4.3. UNCHECKED: the validator has not looked yet. */
enum rrset_security {
	RRSET_UNCHECKED = 0,
	RRSET_BOGUS,
	RRSET_INDETERMINATE,
	RRSET_INSECURE,
	RRSET_SECURE
};

#define RRSET_RR_MAX   100 /* records per RRset; CacheFlush and CVE-2024-1737 (BIND's value) */
#define RRSET_SIG_MAX  8   /* RRSIGs kept per RRset; KeyTrap (Unbound's value) */
#define RRSET_SIZE_MAX 65535u

struct rrset {
	uint32_t size; /* of the whole block */
	uint32_t ttl;  /* seconds, already clamped to 2^31-1 (RFC 2181 8) */
	uint16_t type;
	uint16_t class;
	uint16_t n_rr;
	uint8_t n_sig;
	uint8_t rank;	  /* enum rrset_rank */
	uint8_t security; /* enum rrset_security */
	uint8_t owner_len;
	uint8_t pad[2];
	uint8_t data[];
};

static inline const uint8_t *rrset_owner(const struct rrset *rr)
{
	return rr->data;
}

/* A walk: struct rrset_iter it = rrset_begin(rr); while (rrset_next(&it)) use it.rdata, it.len,
 * it.is_sig. Records first, then signatures. */
struct rrset_iter {
	const struct rrset *rr;
	const uint8_t *next, *rdata;
	uint16_t len;
	uint16_t i;
	bool is_sig;
};
struct rrset_iter rrset_begin(const struct rrset *rr);
bool rrset_next(struct rrset_iter *it);

/* Building: caller's memory of cap bytes. add returns ERR_SPACE or ERR_LIMIT and leaves it valid; a
 * record equal to one present is silently dropped. Signatures come after all records. */
struct rrset *rrset_init(
	void *mem, size_t cap, const uint8_t *owner, uint16_t type, uint16_t class, uint32_t ttl);
MUST_CHECK int rrset_add(struct rrset *rr, size_t cap, const uint8_t *rdata, size_t len);
MUST_CHECK int rrset_add_sig(struct rrset *rr, size_t cap, const uint8_t *rdata, size_t len);
/* Bytes and structure agree (for blocks read back from a cache image or a fuzzer). */
bool rrset_is_sound(const struct rrset *rr, size_t len);
/* Same owner, type, class and the same set of rdata, order and TTL aside. */
bool rrset_equal(const struct rrset *a, const struct rrset *b);
/* type covered by an RRSIG rdata */
static inline uint16_t rrset_sig_covers(const uint8_t *rdata)
{
	return (uint16_t)(rdata[0] << 8 | rdata[1]);
}
