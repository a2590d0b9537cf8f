/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The records of one zone that deny something, NSEC or NSEC3, gathered from a reply as they are
 * verified, and the four questions a validator has for them. Which kind a zone uses is decided
 * here and nowhere above. Stack-allocated; one thread; borrows the RRsets. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/nsec.h"
#include "dns/nsec3.h"

#define DENIAL_MAX 8 /* records per set; three are the most that an honest reply needs */

struct denial {
	const uint8_t *zone; /* life: as long as this */
	struct crypto *crypto;
	const struct crypto_meter *meter;
	uint8_t n_nsec, n_nsec3;
	struct nsec nsec[DENIAL_MAX];
	struct nsec3 nsec3[DENIAL_MAX];
};

void denial_init(struct denial *d, const uint8_t *zone, struct crypto *crypto,
	const struct crypto_meter *meter);
/* rr: a verified NSEC or NSEC3 RRset of the zone; labels: of the signature that verified it (struct
 * rrsig_proof). Left out and told why: ERR_MALFORMED, ERR_UNSUPPORTED (see nsec_parse,
 * nsec3_parse), ERR_LIMIT. */
MUST_CHECK int denial_add(struct denial *d, const struct rrset *rr, uint8_t labels);

/* As nsec_nxdomain() and so on. */
enum nsec_verdict denial_nxdomain(const struct denial *d, const uint8_t *name);
enum nsec_verdict denial_nodata(const struct denial *d, const uint8_t *name, uint16_t type);
enum nsec_verdict denial_wildcard(const struct denial *d, const uint8_t *name, unsigned labels);
enum nsec_verdict denial_no_ds(const struct denial *d, const uint8_t *name);
