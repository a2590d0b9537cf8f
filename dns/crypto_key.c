/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys: from the octets of a DNSKEY to an EVP_PKEY with a verification begun, and a bounded
 * cache of those. The cache drops by the clock rule: a hand goes round, spares once what was used
 * since it last came by, and takes the first that was not. */
#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/rbuf.h"
#include "base/xalloc.h"
#include "dns/crypto_parts.h"

#define RSA_OCTETS_MAX (CRYPTO_RSA_BITS_MAX / 8)
#define EC_OCTETS_MAX  96 /* both coordinates of P-384 */
/* Exponent and modulus of the largest size, and the length before them: what is longer is not
 * looked into, nor hashed, nor copied. */
#define KEY_OCTETS_MAX (RSA_OCTETS_MAX * 2 + 3)

/* An unsigned integer of the wire, without leading zeros. */
struct integer {
	const uint8_t *be;
	size_t len;
};

static struct integer take_integer(struct rbuf *b, size_t len)
{
	struct integer i = {.be = rbuf_take(b, len), .len = len};

	if (!i.be)
		i.len = 0;
	while (i.len && *i.be == 0) {
		i.be++;
		i.len--;
	}
	return i;
}

static size_t n_bits(struct integer i)
{
	size_t n = 8 * i.len;

	for (unsigned top = i.len ? i.be[0] : 0x80; !(top & 0x80); top <<= 1)
		n--;
	return n;
}

static bool is_odd(struct integer i)
{
	return i.len && (i.be[i.len - 1] & 1);
}

/* OpenSSL takes integers in the byte order of the machine. */
static OSSL_PARAM integer_param(const char *name, struct integer i, uint8_t *native)
{
	for (size_t k = 0; k < i.len; k++)
		native[k] = i.be[__BYTE_ORDER == __LITTLE_ENDIAN ? i.len - 1 - k : k];
	return OSSL_PARAM_construct_BN(name, native, i.len);
}

/* RFC 3110 2: length of the exponent in one octet, or in two after a zero; exponent; modulus. */
static enum crypto_verdict build_rsa(struct crypto *c, struct crypto_key *k)
{
	uint8_t native_n[RSA_OCTETS_MAX], native_e[(CRYPTO_RSA_EXPONENT_BITS_MAX + 7) / 8];
	struct rbuf b = rbuf_of(k->bytes, k->len);
	OSSL_PARAM params[3];
	struct integer e, n;
	size_t e_len = rbuf_u8(&b);

	if (e_len == 0)
		e_len = rbuf_u16(&b);
	e = take_integer(&b, e_len);
	n = take_integer(&b, rbuf_left(&b));
	/* 1 leaves every message as it is; an even number has no inverse */
	if (b.bad || !is_odd(e) || !is_odd(n) || n_bits(e) < 2)
		return CRYPTO_KEY_MALFORMED;
	if (n_bits(n) < CRYPTO_RSA_BITS_MIN || n_bits(n) > CRYPTO_RSA_BITS_MAX ||
		n_bits(e) > CRYPTO_RSA_EXPONENT_BITS_MAX)
		return CRYPTO_KEY_UNSUPPORTED;
	k->sig_len = (uint16_t)n.len;
	params[0] = integer_param(OSSL_PKEY_PARAM_RSA_N, n, native_n);
	params[1] = integer_param(OSSL_PKEY_PARAM_RSA_E, e, native_e);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(c->builder[CRYPTO_KIND_RSA], &k->pkey, EVP_PKEY_PUBLIC_KEY, params) <=
		0)
		return CRYPTO_KEY_MALFORMED;
	return CRYPTO_GENUINE;
}

void crypto_key_prepare(struct crypto *c)
{
	static const char *const NAMES[CRYPTO_CURVES] = {"P-256", "P-384"};

	for (size_t i = 0; c->builder[CRYPTO_KIND_EC] && i < CRYPTO_CURVES; i++) {
		const OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(
				OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)NAMES[i], 0),
			OSSL_PARAM_construct_end()};

		(void)EVP_PKEY_fromdata(c->builder[CRYPTO_KIND_EC], &c->curve[i],
			EVP_PKEY_KEY_PARAMETERS, (OSSL_PARAM *)(uintptr_t)params);
	}
}

/* RFC 6605 4: the point's coordinates. OpenSSL wants to be told that they are not compressed, and
 * refuses a point that is not on the curve. */
static enum crypto_verdict build_ec(struct crypto *c, struct crypto_key *k)
{
	uint8_t point[1 + EC_OCTETS_MAX] = {4};

	if (k->len != k->row->key_len)
		return CRYPTO_KEY_MALFORMED;
	k->sig_len = k->row->sig_len;
	memcpy(point + 1, k->bytes, k->len);
	k->pkey = EVP_PKEY_dup(c->curve[k->row->curve]);
	if (!k->pkey || EVP_PKEY_set1_encoded_public_key(k->pkey, point, k->len + 1u) <= 0)
		return CRYPTO_KEY_MALFORMED;
	return CRYPTO_GENUINE;
}

/* RFC 8080 3: the octets as they are. */
static enum crypto_verdict build_edwards(struct crypto *c, struct crypto_key *k)
{
	OSSL_PARAM params[2];

	if (k->len != k->row->key_len)
		return CRYPTO_KEY_MALFORMED;
	k->sig_len = k->row->sig_len;
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, k->bytes, k->len);
	params[1] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(c->builder[k->row->kind], &k->pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return CRYPTO_KEY_MALFORMED;
	return CRYPTO_GENUINE;
}

static enum crypto_verdict build(struct crypto *c, struct crypto_key *k)
{
	switch (k->row->kind) {
	case CRYPTO_KIND_RSA:
		return build_rsa(c, k);
	case CRYPTO_KIND_EC:
		return build_ec(c, k);
	default:
		return build_edwards(c, k);
	}
}

/* What would otherwise be done anew for each signature. */
static bool begin_verify(struct crypto *c, struct crypto_key *k)
{
	if (k->row->md == CRYPTO_MD_NONE)
		return true;
	k->verify = EVP_PKEY_CTX_new_from_pkey(c->lib, k->pkey, NULL);
	if (!k->verify || EVP_PKEY_verify_init(k->verify) <= 0)
		return false;
	if (k->row->kind != CRYPTO_KIND_RSA)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(k->verify, RSA_PKCS1_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_signature_md(k->verify, c->md[k->row->md]) > 0;
}

static void free_key(struct crypto_key *k)
{
	EVP_PKEY_CTX_free(k->verify);
	EVP_PKEY_free(k->pkey);
	xfree(k);
}

static uint64_t hash_of(
	const struct crypto *c, const struct crypto_row *row, const uint8_t *key, size_t len)
{
	return hash_bytes(&c->hash_key, key, len) ^ row->algorithm;
}

static struct crypto_key *find(
	struct crypto *c, const struct crypto_row *row, const uint8_t *key, size_t len)
{
	struct table_node *n = table_find(&c->keys, hash_of(c, row, key, len));

	for (; n; n = table_next(n)) {
		struct crypto_key *k = (struct crypto_key *)n;

		if (k->row == row && k->len == len && memcmp(k->bytes, key, len) == 0)
			return k;
	}
	return NULL;
}

struct crypto_key *crypto_key_get(struct crypto *c, const struct crypto_row *row,
	const uint8_t *key, size_t len, enum crypto_verdict *verdict)
{
	struct crypto_key *k;

	if (len > KEY_OCTETS_MAX) {
		*verdict = row->kind == CRYPTO_KIND_RSA ? CRYPTO_KEY_UNSUPPORTED
							: CRYPTO_KEY_MALFORMED;
		return NULL;
	}
	k = find(c, row, key, len);
	if (k) {
		k->is_used = true;
		return k;
	}
	k = xcalloc(1, sizeof(*k) + len);
	k->row = row;
	k->len = (uint16_t)len;
	memcpy(k->bytes, key, len);
	c->counts.keys_built++;
	*verdict = build(c, k);
	if (*verdict == CRYPTO_GENUINE && !begin_verify(c, k))
		*verdict = CRYPTO_KEY_MALFORMED;
	if (*verdict == CRYPTO_GENUINE)
		return k;
	free_key(k);
	return NULL;
}

static void drop(struct crypto *c, struct crypto_key *k)
{
	table_del(&c->keys, &k->node);
	c->slots[k->slot] = NULL;
	free_key(k);
}

/* A free slot; the hand comes to rest behind it. */
static size_t make_room(struct crypto *c)
{
	for (;;) {
		size_t slot = c->hand;
		struct crypto_key *k = c->slots[slot];

		c->hand = (slot + 1) % CRYPTO_KEYS_MAX;
		if (k && k->is_used) {
			k->is_used = false;
			continue;
		}
		if (k)
			drop(c, k);
		return slot;
	}
}

void crypto_key_done(struct crypto *c, struct crypto_key *k, bool is_proven)
{
	if (k->is_cached)
		return;
	if (!is_proven) {
		free_key(k);
		return;
	}
	k->is_cached = true;
	k->slot = (uint16_t)make_room(c);
	c->slots[k->slot] = k;
	table_put(&c->keys, &k->node, hash_of(c, k->row, k->bytes, k->len));
}

void crypto_key_drop_all(struct crypto *c)
{
	for (size_t i = 0; i < CRYPTO_KEYS_MAX; i++) {
		if (c->slots[i])
			drop(c, c->slots[i]);
	}
	table_fini(&c->keys);
}
