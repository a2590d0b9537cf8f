/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DNSKEY rdata taken apart (RFC 4034 2), and its key tag. Pure; borrows the bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/rrset.h"

enum dnskey_flag { DNSKEY_SEP = 0x0001, DNSKEY_REVOKE = 0x0080, DNSKEY_ZONE = 0x0100 };

struct dnskey {
	uint16_t flags;
	uint8_t protocol, algorithm;
	uint16_t tag;
	uint16_t key_len, rdlen;
	const uint8_t *key; /* the public key field; life: that of the rdata */
	const uint8_t *rdata;
};

/* ERR_MALFORMED: fewer than five octets. Says nothing about the key itself. */
MUST_CHECK int dnskey_parse(const uint8_t *rdata, size_t len, struct dnskey *out);

/* RFC 4034 appendix B, with B.1 for algorithm 1. */
uint16_t dnskey_tag(const uint8_t *rdata, size_t len);

/* May sign for its zone: zone flag, protocol 3 (RFC 4034 2.1), and not revoked (RFC 5011 2.1). */
bool dnskey_is_zone_key(const struct dnskey *k);
bool dnskey_is_revoked(const struct dnskey *k);
bool dnskey_is_sep(const struct dnskey *k);
/* The same key, whether one of them is marked as revoked or not: algorithm and public key agree. */
bool dnskey_is_same(const struct dnskey *a, const struct dnskey *b);

/* The next zone key of keys (a DNSKEY RRset) with this algorithm and tag; *it is a walk begun with
 * rrset_begin(). False when there is none left. Malformed and revoked keys are passed over. */
bool dnskey_find(struct rrset_iter *it, uint8_t algorithm, uint16_t tag, struct dnskey *out);
