/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <string.h>

#include "base/xalloc.h"
#include "dns/crypto_parts.h"

/* RFC 9904 and the registry it points to. Missing on purpose: RSAMD5 and DSA (broken), GOST (RFC
 * 9906). */
static const struct crypto_row ROWS[] = {
	{CRYPTO_RSASHA1, CRYPTO_KIND_RSA, CRYPTO_MD_SHA1, false, 0, 0, 0},
	{CRYPTO_RSASHA1_NSEC3, CRYPTO_KIND_RSA, CRYPTO_MD_SHA1, false, 0, 0, 0},
	{CRYPTO_RSASHA256, CRYPTO_KIND_RSA, CRYPTO_MD_SHA256, true, 0, 0, 0},
	{CRYPTO_RSASHA512, CRYPTO_KIND_RSA, CRYPTO_MD_SHA512, true, 0, 0, 0},
	{CRYPTO_ECDSAP256, CRYPTO_KIND_EC, CRYPTO_MD_SHA256, true, 64, 64, 0},
	{CRYPTO_ECDSAP384, CRYPTO_KIND_EC, CRYPTO_MD_SHA384, true, 96, 96, 1},
	{CRYPTO_ED25519, CRYPTO_KIND_ED25519, CRYPTO_MD_NONE, true, 32, 64, 0},
	{CRYPTO_ED448, CRYPTO_KIND_ED448, CRYPTO_MD_NONE, true, 57, 114, 0},
};

/* Tag, length and a sign octet before each half of the largest signature, and the sequence's own
 * head: RFC 6605 4 has two integers of fixed size, OpenSSL wants them in DER. */
#define DER_MAX (2 * (2 + 1 + 48) + 3)

/* The row, when this machine can do it. */
static const struct crypto_row *find_row(const struct crypto *c, uint8_t algorithm)
{
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		const struct crypto_row *r = &ROWS[i];

		if (r->algorithm != algorithm)
			continue;
		if (r->kind == CRYPTO_KIND_EC && !c->curve[r->curve])
			return NULL;
		return c->builder[r->kind] && (r->md == CRYPTO_MD_NONE || c->md[r->md]) ? r : NULL;
	}
	return NULL;
}

static bool has_what_all_need(const struct crypto *c)
{
	return c->digest && c->one_shot && crypto_has_digest(c, CRYPTO_SHA256) &&
	       find_row(c, CRYPTO_RSASHA256) && find_row(c, CRYPTO_ECDSAP256);
}

static void fetch(struct crypto *c)
{
	static const char *const MDS[CRYPTO_MD_COUNT] = {
		NULL, "SHA1", "SHA2-256", "SHA2-384", "SHA2-512"};
	static const char *const KINDS[CRYPTO_KIND_COUNT] = {"RSA", "EC", "ED25519", "ED448"};

	for (size_t i = 1; i < CRYPTO_MD_COUNT; i++)
		c->md[i] = EVP_MD_fetch(c->lib, MDS[i], NULL);
	for (size_t i = 0; i < CRYPTO_KIND_COUNT; i++) {
		c->builder[i] = EVP_PKEY_CTX_new_from_name(c->lib, KINDS[i], NULL);
		if (c->builder[i] && EVP_PKEY_fromdata_init(c->builder[i]) <= 0) {
			EVP_PKEY_CTX_free(c->builder[i]);
			c->builder[i] = NULL;
		}
	}
	crypto_key_prepare(c);
	c->digest = EVP_MD_CTX_new();
	c->one_shot = EVP_MD_CTX_new();
}

struct crypto *crypto_new(void)
{
	struct crypto *c = xcalloc(1, sizeof(*c));

	/* No configuration file: what an administrator sets up for TLS is not meant for us, and
	 * the sandbox would forbid to read it. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	c->hash_key = hash_key_random();
	c->lib = OSSL_LIB_CTX_new();
	if (c->lib)
		c->provider = OSSL_PROVIDER_load(c->lib, "default");
	if (c->provider)
		fetch(c);
	ERR_clear_error();
	if (c->provider && has_what_all_need(c))
		return c;
	crypto_free(c);
	return NULL;
}

void crypto_free(struct crypto *c)
{
	if (!c)
		return;
	crypto_key_drop_all(c);
	for (size_t i = 0; i < CRYPTO_KIND_COUNT; i++)
		EVP_PKEY_CTX_free(c->builder[i]);
	for (size_t i = 0; i < CRYPTO_CURVES; i++)
		EVP_PKEY_free(c->curve[i]);
	for (size_t i = 0; i < CRYPTO_MD_COUNT; i++)
		EVP_MD_free(c->md[i]);
	EVP_MD_CTX_free(c->digest);
	EVP_MD_CTX_free(c->one_shot);
	if (c->provider)
		OSSL_PROVIDER_unload(c->provider);
	OSSL_LIB_CTX_free(c->lib);
	xfree(c);
}

static enum crypto_md md_of_digest(uint8_t digest_type)
{
	switch (digest_type) {
	case CRYPTO_SHA1:
		return CRYPTO_MD_SHA1;
	case CRYPTO_SHA256:
		return CRYPTO_MD_SHA256;
	case CRYPTO_SHA384:
		return CRYPTO_MD_SHA384;
	default:
		return CRYPTO_MD_NONE; /* 3 is GOST (RFC 9906) */
	}
}

bool crypto_is_trusted(const struct crypto *c, uint8_t algorithm)
{
	const struct crypto_row *row = find_row(c, algorithm);

	return row && row->is_trusted;
}

bool crypto_has_digest(const struct crypto *c, uint8_t digest_type)
{
	return c->md[md_of_digest(digest_type)] != NULL;
}

size_t crypto_digest_len(uint8_t digest_type)
{
	static const uint8_t LEN[CRYPTO_MD_COUNT] = {0, 20, 32, 48, 64};

	return LEN[md_of_digest(digest_type)];
}

/* a, then b, by md. OpenSSL fails here only when it is out of memory. */
static bool digest_two(struct crypto *c, enum crypto_md md, const uint8_t *a, size_t a_len,
	const uint8_t *b, size_t b_len, uint8_t *out)
{
	return EVP_DigestInit_ex2(c->digest, c->md[md], NULL) > 0 &&
	       EVP_DigestUpdate(c->digest, a, a_len) > 0 &&
	       (b_len == 0 || EVP_DigestUpdate(c->digest, b, b_len) > 0) &&
	       EVP_DigestFinal_ex(c->digest, out, NULL) > 0;
}

int crypto_digest(struct crypto *c, uint8_t digest_type, const uint8_t *a, size_t a_len,
	const uint8_t *b, size_t b_len, uint8_t *out)
{
	if (!crypto_has_digest(c, digest_type))
		return ERR_UNSUPPORTED;
	if (!digest_two(c, md_of_digest(digest_type), a, a_len, b, b_len, out))
		return ERR_INTERNAL;
	return 0;
}

static bool is_paid(const struct crypto_meter *meter, enum crypto_cost cost)
{
	return !meter || meter->take(meter->arg, cost) == 0;
}

/* A DER INTEGER of an unsigned number: no leading zeros but the one that keeps it positive. */
static size_t put_der_integer(const uint8_t *p, size_t len, uint8_t *out)
{
	size_t n = 0;

	while (len > 1 && *p == 0) {
		p++;
		len--;
	}
	out[n++] = 2;
	out[n++] = (uint8_t)(len + (*p >> 7));
	if (*p >> 7)
		out[n++] = 0;
	memcpy(out + n, p, len);
	return n + len;
}

static size_t put_der_signature(const uint8_t *sig, size_t len, uint8_t out[DER_MAX])
{
	uint8_t body[DER_MAX];
	size_t n = put_der_integer(sig, len / 2, body);

	n += put_der_integer(sig + len / 2, len / 2, body + n);
	out[0] = 0x30;
	out[1] = (uint8_t)n; /* 102 at most: one octet of length will do */
	memcpy(out + 2, body, n);
	return 2 + n;
}

/* RSA and ECDSA: over a digest of the data, with the context that the key holds ready. */
static bool verify_digest(struct crypto *c, struct crypto_key *k, const uint8_t *data, size_t len,
	const uint8_t *sig, size_t sig_len)
{
	uint8_t digest[EVP_MAX_MD_SIZE], der[DER_MAX];

	if (!digest_two(c, k->row->md, data, len, NULL, 0, digest))
		return false;
	if (k->row->kind == CRYPTO_KIND_EC) {
		sig_len = put_der_signature(sig, sig_len, der);
		sig = der;
	}
	return EVP_PKEY_verify(k->verify, sig, sig_len, digest,
		       (size_t)EVP_MD_get_size(c->md[k->row->md])) == 1;
}

/* The Edwards curves: over the data itself. */
static bool verify_data(struct crypto *c, struct crypto_key *k, const uint8_t *data, size_t len,
	const uint8_t *sig, size_t sig_len)
{
	bool is_good =
		EVP_DigestVerifyInit_ex(c->one_shot, NULL, NULL, c->lib, NULL, k->pkey, NULL) > 0 &&
		EVP_DigestVerify(c->one_shot, sig, sig_len, data, len) == 1;

	EVP_MD_CTX_reset(c->one_shot); /* it holds the key, which may go */
	return is_good;
}

static enum crypto_verdict check(struct crypto *c, const struct crypto_row *row, const uint8_t *key,
	size_t key_len, const uint8_t *data, size_t len, const uint8_t *sig, size_t sig_len)
{
	enum crypto_verdict v;
	struct crypto_key *k = crypto_key_get(c, row, key, key_len, &v);
	bool is_good = false;

	if (!k)
		return v;
	c->counts.checks++;
	if (sig_len == k->sig_len)
		is_good = k->verify ? verify_digest(c, k, data, len, sig, sig_len)
				    : verify_data(c, k, data, len, sig, sig_len);
	crypto_key_done(c, k, is_good);
	return is_good ? CRYPTO_GENUINE : CRYPTO_FORGED;
}

enum crypto_verdict crypto_verify(struct crypto *c, const struct crypto_meter *meter,
	uint8_t algorithm, const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
	const uint8_t *sig, size_t sig_len)
{
	const struct crypto_row *row = find_row(c, algorithm);
	enum crypto_verdict v;

	if (!row)
		return CRYPTO_UNSUPPORTED;
	for (unsigned i = 0; i < (algorithm == CRYPTO_ECDSAP384 ? CRYPTO_P384_UNITS : 1); i++) {
		if (!is_paid(meter, CRYPTO_COST_CHECK))
			return CRYPTO_LIMIT;
	}
	v = check(c, row, key, key_len, data, len, sig, sig_len);
	if (v == CRYPTO_GENUINE)
		return v;
	c->counts.failures++;
	ERR_clear_error(); /* OpenSSL keeps what it did not like, per thread */
	return is_paid(meter, CRYPTO_COST_FAILURE) ? v : CRYPTO_LIMIT;
}

int crypto_nsec3(struct crypto *c, const struct crypto_meter *meter, const uint8_t *name,
	size_t name_len, const uint8_t *salt, size_t salt_len, uint16_t iterations,
	uint8_t out[CRYPTO_NSEC3_LEN])
{
	uint8_t hash[EVP_MAX_MD_SIZE];

	if (!c->md[CRYPTO_MD_SHA1])
		return ERR_UNSUPPORTED;
	if (!is_paid(meter, CRYPTO_COST_HASH))
		return ERR_LIMIT;
	c->counts.hashes++;
	if (!digest_two(c, CRYPTO_MD_SHA1, name, name_len, salt, salt_len, hash))
		return ERR_INTERNAL;
	for (unsigned i = 0; i < iterations; i++) {
		if (!digest_two(c, CRYPTO_MD_SHA1, hash, CRYPTO_NSEC3_LEN, salt, salt_len, hash))
			return ERR_INTERNAL;
	}
	memcpy(out, hash, CRYPTO_NSEC3_LEN);
	return 0;
}

struct crypto_counts crypto_counts(const struct crypto *c)
{
	struct crypto_counts counts = c->counts;

	counts.n_keys = c->keys.count;
	return counts;
}
