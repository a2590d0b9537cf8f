/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What crypto.c (digests, checks) and crypto_key.c (public keys and their cache) share. Included by
 * these two alone. */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/table.h"
#include "dns/crypto.h"

enum crypto_md {
	CRYPTO_MD_NONE,
	CRYPTO_MD_SHA1,
	CRYPTO_MD_SHA256,
	CRYPTO_MD_SHA384,
	CRYPTO_MD_SHA512,
	CRYPTO_MD_COUNT
};

enum crypto_kind {
	CRYPTO_KIND_RSA,
	CRYPTO_KIND_EC,
	CRYPTO_KIND_ED25519,
	CRYPTO_KIND_ED448,
	CRYPTO_KIND_COUNT
};

#define CRYPTO_CURVES 2

/* One algorithm of DNSKEY and RRSIG. */
struct crypto_row {
	uint8_t algorithm;
	uint8_t kind; /* enum crypto_kind */
	uint8_t md;   /* enum crypto_md; NONE: the algorithm hashes by itself */
	bool is_trusted;
	uint8_t key_len, sig_len; /* in octets; 0 for RSA, where they vary */
	uint8_t curve;		  /* of struct crypto, for CRYPTO_KIND_EC */
};

/* A public key ready for use. In the cache, or on its way there. */
struct crypto_key {
	struct table_node node; /* must be first */
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verify; /* begun; not for the Edwards curves */
	const struct crypto_row *row;
	bool is_cached;
	bool is_used;	  /* since the hand last came by */
	uint16_t slot;	  /* in the cache */
	uint16_t sig_len; /* octets of each of its signatures */
	uint16_t len;
	uint8_t bytes[];
};

struct crypto {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *provider;
	EVP_MD *md[CRYPTO_MD_COUNT];
	EVP_PKEY_CTX *builder[CRYPTO_KIND_COUNT];
	EVP_PKEY *curve[CRYPTO_CURVES]; /* P-256 and P-384 without a point: copies cost a fifth of
					   new ones */
	EVP_MD_CTX *digest, *one_shot;	/* reused */
	struct hash_key hash_key;
	struct table keys;
	size_t hand; /* where the search for a key to drop goes on */
	struct crypto_counts counts;
	struct crypto_key *slots[CRYPTO_KEYS_MAX];
};

/* The ready key for these bytes, from the cache or new; *verdict tells why there is none. */
struct crypto_key *crypto_key_get(struct crypto *c, const struct crypto_row *row,
	const uint8_t *key, size_t len, enum crypto_verdict *verdict);
/* Done with it: it stays in the cache, joins it when it proved itself, or is freed. */
void crypto_key_done(struct crypto *c, struct crypto_key *k, bool is_proven);
void crypto_key_drop_all(struct crypto *c);
/* c->curve, NULL where OpenSSL has none. */
void crypto_key_prepare(struct crypto *c);
