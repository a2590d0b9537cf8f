/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A signer for tests that may sign what no honest signer would: any label count, signer, time or
 * tag. Ed25519, so that the same seed and data give the same octets. It builds the signed data by
 * itself, not with dns/rrsig. */
#include <stddef.h>
#include <stdint.h>

#include "dns/dnskey.h"
#include "dns/rrset.h"

#define FAKE_NOW       1782864000 /* 2026-07-01 */
#define FAKE_INCEPTION 1767225600 /* 2026-01-01 */
#define FAKE_EXPIRY    1798761600 /* 2027-01-01 */

struct fake_signer {
	uint8_t seed[32];
	uint8_t rdata[36]; /* of the DNSKEY */
	struct dnskey key; /* the same, parsed */
};

/* What goes into the RRSIG. */
struct fake_fields {
	uint8_t algorithm, labels;
	uint32_t original_ttl, expiration, inception;
	uint16_t tag;
	const uint8_t *signer;
};

void fake_signer_init(struct fake_signer *s, uint8_t seed, uint16_t flags);
/* What an honest signer of zone would write for rr. */
struct fake_fields fake_signer_fields(
	const struct fake_signer *s, const struct rrset *rr, const uint8_t *zone);
/* Adds a signature to rr, whose rdata must be in canonical form and order. */
void fake_signer_sign(
	const struct fake_signer *s, struct rrset *rr, size_t cap, const struct fake_fields *f);
/* Both in one. */
void fake_signer_sign_as(
	const struct fake_signer *s, struct rrset *rr, size_t cap, const uint8_t *zone);
