/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DS records: which of them count, and the step from a parent's DS RRset to the DNSKEY RRset of its
 * child (RFC 4035 5.2). A set without any that counts makes the child insecure (RFC 6840 5.2).
 * Called by the validator and for trust anchors, which are DS rdata. One thread; no allocation. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/crypto.h"
#include "dns/dnskey.h"
#include "dns/rrset.h"
#include "dns/rrsig.h"

/* DS records of a set that are tried (PowerDNS's value; Unbound stops at 4 mismatches). */
#define DS_TRIED_MAX 8

struct ds {
	uint16_t tag;
	uint8_t algorithm, digest_type;
	uint16_t digest_len;
	const uint8_t *digest; /* life: that of the rdata */
};

/* ERR_MALFORMED. */
MUST_CHECK int ds_parse(const uint8_t *rdata, size_t len, struct ds *out);

/* Algorithm trusted and digest type known. */
bool ds_is_usable(const struct crypto *c, const struct ds *ds);

/* Has the set a usable record? If not, *why tells which extended error fits: the algorithm's or the
 * digest's (RFC 8914 4.2, 4.3). */
bool ds_is_any_usable(const struct crypto *c, const struct rrset *set, enum dns_ede *why);

/* Is this DNSKEY of zone the one that ds speaks of? */
bool ds_matches(
	struct crypto *c, const struct ds *ds, const uint8_t *zone, const struct dnskey *key);

/* Is keys (zone's DNSKEY RRset) signed by a key that a usable record of set speaks of? SHA-1
 * digests do not count where a usable record has a better one (RFC 4509 3). RRSIG_NO_DS_KEY: no
 * such key; RRSIG_NO_DS_SIG: it did not sign. RRSIG_KEY_UNSUPPORTED: each usable record leads to a
 * key whose size is outside our bounds; the zone is insecure. Ask ds_is_any_usable first. *out is
 * always written. */
enum rrsig_result ds_verify_keys(const struct rrsig_env *env, const struct rrset *set,
	const struct rrset *keys, const uint8_t *zone, struct rrsig_proof *out);
