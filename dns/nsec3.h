/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* NSEC3 records (RFC 5155) and what a set of them proves. As nsec.h, with hashes: each costs a unit
 * of the meter, a proof costs at most one per label and one for the wildcard, and records with more
 * iterations than NSEC3_ITERATIONS_MAX are never hashed for, on any path (BIND CVE-2026-1519,
 * CVE-2026-11605): what they may prove is insecure (RFC 9276 3.2), and
 * what they cannot prove whatever the hashes are is not proven.
 *
 * The owner must be one label, the hash in base32hex, directly below the zone that signed it (BIND
 * CVE-2026-10723). One thread; no allocation. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/crypto.h"
#include "dns/nsec.h"
#include "dns/rrset.h"

#define NSEC3_ITERATIONS_MAX 50 /* BIND's, Knot's and PowerDNS's value */
#define NSEC3_HASH_LEN	     CRYPTO_NSEC3_LEN
#define NSEC3_TEXT_LEN	     32 /* base32hex of a hash */

struct nsec3 {
	uint8_t owner[NSEC3_HASH_LEN];
	const uint8_t *next; /* NSEC3_HASH_LEN octets; life: the RRset */
	const uint8_t *salt;
	uint8_t salt_len;
	bool is_opt_out;
	uint16_t iterations;
	struct nsec_types types;
};

/* Lower-case base32hex (RFC 4648 7) without padding and NUL; any case is read. */
void nsec3_format_hash(const uint8_t hash[NSEC3_HASH_LEN], char out[NSEC3_TEXT_LEN]);
MUST_CHECK int nsec3_read_hash(const char text[NSEC3_TEXT_LEN], uint8_t out[NSEC3_HASH_LEN]);

/* rr: a verified NSEC3 RRset of zone; labels: of the signature that verified it. ERR_MALFORMED: it
 * proves nothing. ERR_UNSUPPORTED: another hash, or flags nobody knows: to be ignored (RFC 5155
 * 8.1, 8.2). */
MUST_CHECK int nsec3_parse(
	const struct rrset *rr, const uint8_t *zone, uint8_t labels, struct nsec3 *out);

/* Hash strictly between owner and next. */
bool nsec3_covers(const struct nsec3 *n, const uint8_t hash[NSEC3_HASH_LEN]);
/* The hash of name (any case) by the parameters of n. ERR_LIMIT, ERR_UNSUPPORTED. */
MUST_CHECK int nsec3_hash(struct crypto *c, const struct crypto_meter *meter, const struct nsec3 *n,
	const uint8_t *name, uint8_t out[NSEC3_HASH_LEN]);

/* Records of one zone. Sets whose parameters differ prove nothing. */
struct nsec3_set {
	struct crypto *crypto;
	const struct crypto_meter *meter; /* NULL: pays all */
	const uint8_t *zone;
	const struct nsec3 *rr;
	size_t n;
};

/* The questions of nsec.h. NSEC_INSECURE: an opt-out record covers what had to be denied (RFC 5155
 * 9.2), or the iterations are too many. */
enum nsec_verdict nsec3_nxdomain(const struct nsec3_set *set, const uint8_t *name);
enum nsec_verdict nsec3_nodata(const struct nsec3_set *set, const uint8_t *name, uint16_t type);
enum nsec_verdict nsec3_wildcard(const struct nsec3_set *set, const uint8_t *name, unsigned labels);
enum nsec_verdict nsec3_no_ds(const struct nsec3_set *set, const uint8_t *name);
