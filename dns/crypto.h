/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The arithmetic of DNSSEC: signature checks, digests, and the hash of NSEC3. OpenSSL is included
 * here and nowhere else in the room. A struct crypto belongs to one thread (a worker). It has an
 * OpenSSL library context of its own, so that workers share no lock of OpenSSL's and no file is
 * read; the EVP objects are fetched once; and keys that have verified something stay ready for use,
 * because building one costs 2 to 25 us next to the 20 to 80 of a check.
 *
 * All work is paid for: each check and each hash asks a meter first, here, so that no path leads
 * around the budget (Unbound CVE-2026-50045, BIND CVE-2026-11605). What the keys cache is a pure
 * function of bytes; there is nothing to invalidate. Never decides what is trusted: see rrsig.h. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* RSA moduli in bits. Smaller ones can be factored; larger ones are beyond RFC 3110 and RFC 5702,
 * and a check costs with the square. */
#define CRYPTO_RSA_BITS_MIN 1024
#define CRYPTO_RSA_BITS_MAX 4096
/* A check costs one squaring per bit of the exponent. 2^32 + 1 is the largest in use (BIND's
 * value). */
#define CRYPTO_RSA_EXPONENT_BITS_MAX 35

/* Keys kept ready per thread; with OpenSSL's part 0.5 to 4 KB each, 12 MB of P-256. */
#define CRYPTO_KEYS_MAX	  4096
#define CRYPTO_DIGEST_MAX 48
#define CRYPTO_NSEC3_LEN  20 /* SHA-1 */

enum crypto_algorithm {
	CRYPTO_RSASHA1 = 5,
	CRYPTO_RSASHA1_NSEC3 = 7,
	CRYPTO_RSASHA256 = 8,
	CRYPTO_RSASHA512 = 10,
	CRYPTO_ECDSAP256 = 13,
	CRYPTO_ECDSAP384 = 14,
	CRYPTO_ED25519 = 15,
	CRYPTO_ED448 = 16
};

enum crypto_digest { CRYPTO_SHA1 = 1, CRYPTO_SHA256 = 2, CRYPTO_SHA384 = 4 }; /* DS digest types */

/* Units of a check by ECDSA P-384, which takes 680 us where all others take 6 to 200: 32 units are
 * to be less than 20 ms. */
#define CRYPTO_P384_UNITS 2

/* Who pays. take() is called before each signature check (once per unit), after each one that
 * failed, and before each NSEC3 hash of a name; a result other than 0 forbids the work. A NULL
 * meter pays all. */
enum crypto_cost { CRYPTO_COST_CHECK, CRYPTO_COST_FAILURE, CRYPTO_COST_HASH };
struct crypto_meter {
	int (*take)(void *arg, enum crypto_cost cost);
	void *arg;
};

struct crypto;
/* NULL when this machine's OpenSSL has not what every validator must have (RFC 9904: SHA-256,
 * RSASHA256, ECDSAP256): say so and do not start. Any other algorithm it lacks is one that we do
 * not support. Takes about 1 ms. */
struct crypto *crypto_new(void);
void crypto_free(struct crypto *c); /* NULL allowed */

/* May a chain of trust rest on it (RFC 9904)? Not on RSASHA1 (RFC 9905): zones that have nothing
 * else are insecure, though crypto_verify knows how to check it. */
bool crypto_is_trusted(const struct crypto *c, uint8_t algorithm);
/* A DS digest type we can compute. SHA-1 is the last resort: see ds.h. */
bool crypto_has_digest(const struct crypto *c, uint8_t digest_type);
/* Octets of a digest; 0 for an unknown type. */
size_t crypto_digest_len(uint8_t digest_type);

/* Digest of a followed by b. out holds CRYPTO_DIGEST_MAX. ERR_UNSUPPORTED. 0.3 us for a key. */
MUST_CHECK int crypto_digest(struct crypto *c, uint8_t digest_type, const uint8_t *a, size_t a_len,
	const uint8_t *b, size_t b_len, uint8_t *out);

enum crypto_verdict {
	CRYPTO_GENUINE,
	CRYPTO_FORGED,		/* the signature is not this key's over this data */
	CRYPTO_KEY_MALFORMED,	/* no key of its algorithm looks like this */
	CRYPTO_KEY_UNSUPPORTED, /* a key, but an RSA modulus or exponent outside our bounds */
	CRYPTO_UNSUPPORTED,	/* the algorithm is */
	CRYPTO_LIMIT		/* the meter said no */
};

/* key: the public key field of a DNSKEY. Costs per check beyond the arithmetic about 1 us, and the
 * building of the key when it is not in the cache. A key enters the cache with its first genuine
 * signature, so that strangers' junk cannot fill it. */
enum crypto_verdict crypto_verify(struct crypto *c, const struct crypto_meter *meter,
	uint8_t algorithm, const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
	const uint8_t *sig, size_t sig_len);

/* RFC 5155 5: SHA-1 over name and salt, iterated iterations + 1 times. One unit of the meter.
 * ERR_LIMIT: the meter said no; ERR_UNSUPPORTED: no SHA-1 here. */
MUST_CHECK int crypto_nsec3(struct crypto *c, const struct crypto_meter *meter, const uint8_t *name,
	size_t name_len, const uint8_t *salt, size_t salt_len, uint16_t iterations,
	uint8_t out[CRYPTO_NSEC3_LEN]);

/* For tests and the curious. */
struct crypto_counts {
	uint64_t checks, failures, keys_built, hashes;
	size_t n_keys;
};
struct crypto_counts crypto_counts(const struct crypto *c);
