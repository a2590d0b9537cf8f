/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Signatures over RRsets: RRSIG rdata taken apart, everything that can be judged without
 * arithmetic (RFC 4035 5.3.1), the signed data in canonical form (RFC 4034 6, RFC 6840 5.1), and
 * the check itself over crypto.h. Called by the validator; one thread; no allocation.
 *
 * The checks that cost nothing come first and all of them: a signature is only computed when its
 * type, signer, label count, algorithm, validity and key tag allow it to count (KeyTrap). The
 * signer must be the very zone that the caller has keys of: whoever signs for another zone is not
 * even looked at. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/crypto.h"
#include "dns/dns_const.h"
#include "dns/dnskey.h"
#include "dns/rrset.h"

/* Keys of one tag and algorithm tried per signature: honest zones have one, and two by accident
 * (PowerDNS's value; KeyTrap CVE-2023-50387). */
#define RRSIG_KEYS_PER_TAG 2
/* Scratch that is enough for every RRset: the records' canonical rdata once to sort, and once with
 * owner, type, class, TTL and length before each, behind the fixed fields and the signer. */
#define RRSIG_SCRATCH_MAX (2 * RRSET_SIZE_MAX + RRSET_RR_MAX * (255 + 10) + 18 + 255)
/* Time to live, in seconds, of data whose signature only the skew keeps valid. */
#define RRSIG_SKEWED_TTL_S 60

struct rrsig {
	uint16_t type;
	uint8_t algorithm, labels;
	uint32_t original_ttl, expiration, inception;
	uint16_t tag;
	uint8_t signer_len;
	uint16_t signature_len, rdlen;
	const uint8_t *signer, *signature, *rdata; /* life: that of the rdata */
};

/* ERR_MALFORMED. */
MUST_CHECK int rrsig_parse(const uint8_t *rdata, size_t len, struct rrsig *out);

/* What came of it. When several signatures fail, the reason that is last in this list is told.
 * name, EDE, text */
#define RRSIG_RESULTS(X)                                                                           \
	X(RRSIG_GENUINE, DNS_EDE_NONE, "signature is genuine")                                     \
	X(RRSIG_MISSING, DNS_EDE_RRSIGS_MISSING, "no signature")                                   \
	X(RRSIG_MALFORMED, DNS_EDE_BOGUS, "malformed signature record")                            \
	X(RRSIG_OTHER_TYPE, DNS_EDE_RRSIGS_MISSING, "signature covers another type")               \
	X(RRSIG_OTHER_SIGNER, DNS_EDE_BOGUS, "signer is not the zone")                             \
	X(RRSIG_TOO_MANY_LABELS, DNS_EDE_BOGUS, "more labels signed than the name has")            \
	X(RRSIG_TOO_FEW_LABELS, DNS_EDE_BOGUS, "wildcard above the signer's own zone")             \
	X(RRSIG_WILDCARD_DS, DNS_EDE_BOGUS, "a wildcard makes no delegation")                      \
	X(RRSIG_UNSUPPORTED, DNS_EDE_UNSUPPORTED_ALGORITHM, "algorithm not supported")             \
	X(RRSIG_NO_DS_KEY, DNS_EDE_DNSKEY_MISSING, "no key matches a DS record")                   \
	X(RRSIG_NO_DS_SIG, DNS_EDE_RRSIGS_MISSING, "not signed by the key of a DS record")         \
	X(RRSIG_NO_KEY, DNS_EDE_DNSKEY_MISSING, "the zone has no such key")                        \
	X(RRSIG_KEY_MALFORMED, DNS_EDE_BOGUS, "malformed key")                                     \
	X(RRSIG_KEY_UNSUPPORTED, DNS_EDE_UNSUPPORTED_ALGORITHM, "key size not supported")          \
	X(RRSIG_BACKWARDS, DNS_EDE_BOGUS, "signature expires before its inception")                \
	X(RRSIG_NOT_YET, DNS_EDE_SIGNATURE_NOT_YET_VALID, "signature not yet valid")               \
	X(RRSIG_EXPIRED, DNS_EDE_SIGNATURE_EXPIRED, "signature expired")                           \
	X(RRSIG_FORGED, DNS_EDE_BOGUS, "signature does not verify")                                \
	X(RRSIG_LIMIT, DNS_EDE_OTHER, "the budget of the query is used up")

enum rrsig_result {
#define RRSIG_ENUM(name, ede, text) name,
	RRSIG_RESULTS(RRSIG_ENUM)
#undef RRSIG_ENUM
};

const char *rrsig_text(enum rrsig_result r); /* static */
enum dns_ede rrsig_ede(enum rrsig_result r);

/* What stays the same from check to check. */
struct rrsig_env {
	struct crypto *crypto;
	const struct crypto_meter *meter; /* NULL: pays all */
	uint8_t *scratch;		  /* RRSIG_SCRATCH_MAX fits every RRset */
	size_t scratch_len;
	int64_t now_s;	 /* Unix time */
	uint32_t skew_s; /* how far clocks may differ */
};

/* The signature that counted, or that failed in the most telling way. */
struct rrsig_proof {
	bool has_sig; /* sig is set */
	struct rrsig sig;
	bool is_wildcard; /* expanded: prove, too, that nothing stood closer to the name */
	uint32_t ttl;	  /* RFC 4035 5.3.3: the most the RRset may be kept, in seconds */
};

/* All that can be said before arithmetic. zone: whose keys would be used. RRSIG_GENUINE stands for
 * "may count". */
enum rrsig_result rrsig_check(const struct rrsig *sig, const struct rrset *rr, const uint8_t *zone,
	int64_t now_s, uint32_t skew_s);

/* The arithmetic alone, for any key and any algorithm: RRSIG_GENUINE, _FORGED, _KEY_MALFORMED,
 * _KEY_UNSUPPORTED, _UNSUPPORTED, _LIMIT (also: scratch too small). sig must have passed
 * rrsig_check. */
enum rrsig_result rrsig_verify(const struct rrsig_env *env, const struct rrset *rr,
	const struct rrsig *sig, const struct dnskey *key);

/* Is one of the signatures of rr genuine, by a key of keys (zone's validated DNSKEY RRset)?
 * Untrusted algorithms do not count. *out is always written. */
enum rrsig_result rrsig_verify_rrset(const struct rrsig_env *env, const struct rrset *rr,
	const uint8_t *zone, const struct rrset *keys, struct rrsig_proof *out);

/* The same by one key, revoked or not (trust anchors, RFC 5011). */
enum rrsig_result rrsig_verify_by_key(const struct rrsig_env *env, const struct rrset *rr,
	const uint8_t *zone, const struct dnskey *key, struct rrsig_proof *out);
