/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "dns/dname.h"

static const uint8_t DATA[] = "data to be signed";

static int make_crypto(void **state)
{
	*state = crypto_new();
	return *state ? 0 : -1;
}

static int free_crypto(void **state)
{
	crypto_free(*state);
	return 0;
}

/* ---- digests and hashes ---- */

static void digests_are_the_known_ones(void **state)
{
	static const struct {
		uint8_t type;
		const char *hex;
	} ABC[] = {
		{CRYPTO_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{CRYPTO_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{CRYPTO_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
				"8086072ba1e7cc2358baeca134c825a7"},
	};
	uint8_t out[CRYPTO_DIGEST_MAX];
	char hex[100];

	for (size_t i = 0; i < 3; i++) {
		size_t len = crypto_digest_len(ABC[i].type);

		assert_true(crypto_has_digest(*state, ABC[i].type));
		assert_int_equal(crypto_digest(*state, ABC[i].type, (const uint8_t *)"a", 1,
					 (const uint8_t *)"bc", 2, out),
			0);
		assert_string_equal(codec_hex(out, len, 0, hex, sizeof(hex)), ABC[i].hex);
	}
	for (unsigned type = 0; type < 256; type++) {
		if (type == CRYPTO_SHA1 || type == CRYPTO_SHA256 || type == CRYPTO_SHA384)
			continue;
		assert_false(crypto_has_digest(*state, (uint8_t)type));
		assert_int_equal(crypto_digest_len((uint8_t)type), 0);
		assert_int_equal(
			crypto_digest(*state, (uint8_t)type, out, 1, out, 1, out), ERR_UNSUPPORTED);
	}
}

static void only_the_algorithms_of_rfc_9904_are_trusted(void **state)
{
	for (unsigned a = 0; a < 256; a++) {
		bool want = a == 8 || a == 10 || (a >= 13 && a <= 16);

		assert_int_equal(crypto_is_trusted(*state, (uint8_t)a), want);
	}
}

static int count_and_limit(void *arg, enum crypto_cost cost)
{
	unsigned *left = arg;

	if (left[cost] == 0)
		return ERR_LIMIT;
	left[cost]--;
	return 0;
}

static void each_hash_is_paid_for(void **state)
{
	unsigned left[3] = {0, 0, 2};
	const struct crypto_meter meter = {count_and_limit, left};
	uint8_t out[CRYPTO_NSEC3_LEN];
	char hex[50];

	/* RFC 5155 A: H(example) with salt aabbccdd and 12 iterations */
	assert_int_equal(crypto_nsec3(*state, &meter, (const uint8_t *)"\7example", 9,
				 (const uint8_t *)"\xaa\xbb\xcc\xdd", 4, 12, out),
		0);
	assert_string_equal(codec_hex(out, sizeof(out), 0, hex, sizeof(hex)),
		"065368abeed7ec6e9feba96b8c8bc3e8b791f716");
	assert_int_equal(crypto_nsec3(*state, &meter, (const uint8_t *)"", 1, NULL, 0, 0, out), 0);
	assert_int_equal(left[2], 0);
	assert_int_equal(
		crypto_nsec3(*state, &meter, (const uint8_t *)"", 1, NULL, 0, 0, out), ERR_LIMIT);
	assert_int_equal(crypto_counts(*state).hashes, 2);
}

/* ---- RSA keys (RFC 3110) ---- */

/* A key field with a modulus of bits, odd or not, and this exponent. Nobody knows its factors; it
 * is only looked at. */
static size_t make_rsa(uint8_t *out, unsigned bits, uint64_t exponent, bool is_odd)
{
	size_t len = (bits + 7) / 8, n = 1;

	out[0] = 0;
	for (int shift = 56; shift >= 0; shift -= 8) {
		if (exponent >> shift) {
			out[n++] = (uint8_t)(exponent >> shift);
			out[0]++;
		}
	}
	memset(out + n, 0x5a, len);
	out[n] = (uint8_t)(0xff >> (8 * len - bits));
	out[n + len - 1] = is_odd ? 0x5b : 0x5a;
	return n + len;
}

static enum crypto_verdict try_rsa(struct crypto *c, const uint8_t *key, size_t len)
{
	static const uint8_t SIG[600];
	uint8_t *exact = malloc(len ? len : 1);
	enum crypto_verdict v;

	memcpy(exact, key, len);
	v = crypto_verify(
		c, NULL, CRYPTO_RSASHA256, exact, len, DATA, sizeof(DATA), SIG, sizeof(SIG));
	free(exact);
	return v;
}

static void rsa_sizes_have_bounds(void **state)
{
	static const struct {
		unsigned bits;
		uint64_t exponent;
		enum crypto_verdict v;
	} KNOWN[] = {
		{512, 65537, CRYPTO_KEY_UNSUPPORTED},
		{CRYPTO_RSA_BITS_MIN - 1, 65537, CRYPTO_KEY_UNSUPPORTED},
		{CRYPTO_RSA_BITS_MIN, 65537, CRYPTO_FORGED},
		{1025, 65537, CRYPTO_FORGED},
		{CRYPTO_RSA_BITS_MAX, 65537, CRYPTO_FORGED},
		{CRYPTO_RSA_BITS_MAX + 1, 65537, CRYPTO_KEY_UNSUPPORTED},
		{2048, 3, CRYPTO_FORGED},
		{2048, 0x100000001, CRYPTO_FORGED},
		{2048, ((uint64_t)1 << 35) - 1, CRYPTO_FORGED},
		{2048, ((uint64_t)1 << 35) + 1, CRYPTO_KEY_UNSUPPORTED},
		{2048, UINT64_MAX, CRYPTO_KEY_UNSUPPORTED},
		{2048, 1, CRYPTO_KEY_MALFORMED},
		{2048, 2, CRYPTO_KEY_MALFORMED},
		{2048, 0, CRYPTO_KEY_MALFORMED},
		{2048, 65536, CRYPTO_KEY_MALFORMED},
	};
	uint8_t key[1200];

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		assert_int_equal(
			try_rsa(*state, key, make_rsa(key, KNOWN[i].bits, KNOWN[i].exponent, true)),
			KNOWN[i].v);
	assert_int_equal(
		try_rsa(*state, key, make_rsa(key, 2048, 65537, false)), CRYPTO_KEY_MALFORMED);
}

static void a_long_exponent_costs_nothing(void **state)
{
	uint8_t key[1 + 2 + 512 + 512];

	/* the length in three octets, RFC 3110 2: an exponent as long as the modulus */
	memset(key, 0xff, sizeof(key));
	memcpy(key, "\0\2\0", 3);
	assert_int_equal(try_rsa(*state, key, sizeof(key)), CRYPTO_KEY_UNSUPPORTED);
	assert_int_equal(try_rsa(*state, key, sizeof(key) - 500), CRYPTO_KEY_UNSUPPORTED);
	assert_int_equal(try_rsa(*state, key, 3 + 512), CRYPTO_KEY_MALFORMED); /* no modulus */
	assert_int_equal(try_rsa(*state, key, 3 + 511), CRYPTO_KEY_MALFORMED); /* cut short */
}

static void a_cut_rsa_key_is_malformed(void **state)
{
	uint8_t key[600];
	size_t len = make_rsa(key, 2048, 65537, true);

	for (size_t cut = 0; cut < len; cut++) {
		enum crypto_verdict v = try_rsa(*state, key, cut);

		if (cut <= 4)
			assert_int_equal(v, CRYPTO_KEY_MALFORMED);
		else
			assert_true(v != CRYPTO_GENUINE);
	}
	/* longer than anything with our bounds */
	memset(key, 1, sizeof(key));
	key[0] = 3;
	assert_int_equal(try_rsa(*state, key, sizeof(key)), CRYPTO_KEY_UNSUPPORTED);
}

static void a_field_of_64_kib_is_not_looked_into(void **state)
{
	static uint8_t key[65531];

	memset(key, 0xff, sizeof(key));
	memcpy(key, "\3\1\0\1", 4);
	assert_int_equal(try_rsa(*state, key, sizeof(key)), CRYPTO_KEY_UNSUPPORTED);
	assert_int_equal(try_rsa(*state, key, 1028), CRYPTO_KEY_UNSUPPORTED);
	assert_int_equal(try_rsa(*state, key, 1027), CRYPTO_KEY_UNSUPPORTED);
	assert_int_equal(crypto_counts(*state).keys_built, 1);
}

/* ---- curves ---- */

static void points_off_the_curve_and_wrong_lengths_are_malformed(void **state)
{
	static const struct {
		uint8_t algorithm;
		size_t key_len, sig_len;
	} CURVES[] = {{CRYPTO_ECDSAP256, 64, 64}, {CRYPTO_ECDSAP384, 96, 96}};
	uint8_t key[200], sig[200] = {1};

	memset(key, 0x11, sizeof(key));
	for (size_t i = 0; i < 2; i++) {
		for (size_t len = 0; len < 130; len++)
			assert_int_equal(crypto_verify(*state, NULL, CURVES[i].algorithm, key, len,
						 DATA, sizeof(DATA), sig, CURVES[i].sig_len),
				CRYPTO_KEY_MALFORMED);
	}
	for (size_t len = 0; len < 130; len++) {
		enum crypto_verdict v = crypto_verify(
			*state, NULL, CRYPTO_ED25519, key, len, DATA, sizeof(DATA), sig, 64);

		assert_int_equal(v == CRYPTO_KEY_MALFORMED, len != 32);
		v = crypto_verify(
			*state, NULL, CRYPTO_ED448, key, len, DATA, sizeof(DATA), sig, 114);
		assert_int_equal(v == CRYPTO_KEY_MALFORMED, len != 57);
	}
}

/* A P-256 key of the test's own. */
static EVP_PKEY *make_p256(uint8_t key[64])
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	uint8_t point[65];
	size_t len;

	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_octet_string_param(
				 pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len),
		1);
	assert_int_equal(len, 65);
	memcpy(key, point + 1, 64);
	return pkey;
}

/* r and s as RFC 6605 4 has them. */
static void sign_p256(EVP_PKEY *pkey, const uint8_t *data, size_t len, uint8_t sig[64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[80];
	const uint8_t *p = der;
	size_t der_len = sizeof(der);
	ECDSA_SIG *rs;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &der_len, data, len), 1);
	rs = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(rs), sig, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(rs), sig + 32, 32), 32);
	ECDSA_SIG_free(rs);
	EVP_MD_CTX_free(ctx);
}

/* One half in 256 begins with a zero octet, every second with a set bit: DER writes them all
 * differently. */
static void numbers_of_every_length_are_understood(void **state)
{
	uint8_t key[64], sig[64], data[4] = {0};
	EVP_PKEY *pkey = make_p256(key);
	unsigned n_short = 0;

	for (unsigned i = 0; n_short < 12; i++) {
		memcpy(data, &i, sizeof(data));
		sign_p256(pkey, data, sizeof(data), sig);
		n_short += sig[0] == 0 || sig[32] == 0;
		assert_int_equal(crypto_verify(*state, NULL, CRYPTO_ECDSAP256, key, 64, data,
					 sizeof(data), sig, 64),
			CRYPTO_GENUINE);
	}
	memset(sig, 0, 64);
	assert_int_equal(
		crypto_verify(*state, NULL, CRYPTO_ECDSAP256, key, 64, data, sizeof(data), sig, 64),
		CRYPTO_FORGED);
	memset(sig, 0xff, 64);
	assert_int_equal(
		crypto_verify(*state, NULL, CRYPTO_ECDSAP256, key, 64, data, sizeof(data), sig, 64),
		CRYPTO_FORGED);
	EVP_PKEY_free(pkey);
}

static void a_signature_of_another_length_is_forged(void **state)
{
	uint8_t key[64], sig[200] = {0};
	EVP_PKEY *pkey = make_p256(key);

	sign_p256(pkey, DATA, sizeof(DATA), sig);
	for (size_t len = 0; len < sizeof(sig); len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, sig, len);
		assert_int_equal(crypto_verify(*state, NULL, CRYPTO_ECDSAP256, key, 64, DATA,
					 sizeof(DATA), exact, len),
			len == 64 ? CRYPTO_GENUINE : CRYPTO_FORGED);
		free(exact);
	}
	EVP_PKEY_free(pkey);
}

/* ---- payment and the cache of keys ---- */

static void each_check_and_each_failure_is_paid_for(void **state)
{
	unsigned left[3] = {2, 1, 0};
	const struct crypto_meter meter = {count_and_limit, left};
	uint8_t key[64], sig[64];
	EVP_PKEY *pkey = make_p256(key);
	struct crypto_counts n;

	sign_p256(pkey, DATA, sizeof(DATA), sig);
	assert_int_equal(crypto_verify(*state, &meter, CRYPTO_ECDSAP256, key, 64, DATA,
				 sizeof(DATA), sig, 64),
		CRYPTO_GENUINE);
	assert_int_equal(left[CRYPTO_COST_CHECK], 1);
	assert_int_equal(left[CRYPTO_COST_FAILURE], 1);
	assert_int_equal(crypto_verify(*state, &meter, CRYPTO_ECDSAP256, key, 64, DATA,
				 sizeof(DATA) - 1, sig, 64),
		CRYPTO_FORGED);
	assert_int_equal(left[CRYPTO_COST_CHECK], 0);
	assert_int_equal(left[CRYPTO_COST_FAILURE], 0);
	n = crypto_counts(*state);
	assert_int_equal(crypto_verify(*state, &meter, CRYPTO_ECDSAP256, key, 64, DATA,
				 sizeof(DATA), sig, 64),
		CRYPTO_LIMIT);
	assert_int_equal(crypto_counts(*state).checks, n.checks);
	left[CRYPTO_COST_CHECK] = 1;
	assert_int_equal(crypto_verify(*state, &meter, CRYPTO_ECDSAP256, key, 64, DATA,
				 sizeof(DATA) - 1, sig, 64),
		CRYPTO_LIMIT);
	/* a key that is none has to be paid as well: building it is most of the cost
	 * (CVE-2025-8677) */
	left[CRYPTO_COST_CHECK] = left[CRYPTO_COST_FAILURE] = 1;
	assert_int_equal(crypto_verify(*state, &meter, CRYPTO_ECDSAP256, key, 63, DATA,
				 sizeof(DATA), sig, 64),
		CRYPTO_KEY_MALFORMED);
	assert_int_equal(left[CRYPTO_COST_CHECK] + left[CRYPTO_COST_FAILURE], 0);
	/* P-384 takes ten times as long as P-256 */
	left[CRYPTO_COST_CHECK] = CRYPTO_P384_UNITS - 1;
	left[CRYPTO_COST_FAILURE] = 1;
	n = crypto_counts(*state);
	assert_int_equal(crypto_verify(*state, &meter, CRYPTO_ECDSAP384, key, 64, DATA,
				 sizeof(DATA), sig, 64),
		CRYPTO_LIMIT);
	assert_int_equal(crypto_counts(*state).keys_built, n.keys_built);
	left[CRYPTO_COST_CHECK] = CRYPTO_P384_UNITS;
	assert_int_equal(crypto_verify(*state, &meter, CRYPTO_ECDSAP384, key, 64, DATA,
				 sizeof(DATA), sig, 64),
		CRYPTO_KEY_MALFORMED);
	assert_int_equal(left[CRYPTO_COST_CHECK], 0);
	/* an unknown algorithm costs nothing */
	assert_int_equal(crypto_verify(*state, &meter, 200, key, 64, DATA, sizeof(DATA), sig, 64),
		CRYPTO_UNSUPPORTED);
	EVP_PKEY_free(pkey);
}

static void a_key_is_built_once_when_it_has_verified(void **state)
{
	uint8_t key[64], sig[64];
	EVP_PKEY *pkey = make_p256(key);
	struct crypto_counts n;

	sign_p256(pkey, DATA, sizeof(DATA), sig);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			crypto_verify(*state, NULL, CRYPTO_ECDSAP256, key, 64, DATA, 1, sig, 64),
			CRYPTO_FORGED);
	n = crypto_counts(*state);
	assert_int_equal(n.keys_built, 3);
	assert_int_equal(n.n_keys, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(crypto_verify(*state, NULL, CRYPTO_ECDSAP256, key, 64, DATA,
					 sizeof(DATA), sig, 64),
			CRYPTO_GENUINE);
	/* a failure does not drop it again */
	assert_int_equal(crypto_verify(*state, NULL, CRYPTO_ECDSAP256, key, 64, DATA, 1, sig, 64),
		CRYPTO_FORGED);
	n = crypto_counts(*state);
	assert_int_equal(n.keys_built, 4);
	assert_int_equal(n.n_keys, 1);
	/* the same octets for another algorithm are another key */
	assert_int_not_equal(
		crypto_verify(*state, NULL, CRYPTO_RSASHA256, key, 64, DATA, sizeof(DATA), sig, 64),
		CRYPTO_GENUINE);
	EVP_PKEY_free(pkey);
}

/* An Ed25519 key and its signature, by number. */
static void use_ed25519(struct crypto *c, uint32_t i)
{
	uint8_t seed[32] = {0}, key[32], sig[64];
	size_t key_len = sizeof(key), sig_len = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *pkey;

	memcpy(seed, &i, sizeof(i));
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, key, &key_len), 1);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &sig_len, DATA, sizeof(DATA)), 1);
	assert_int_equal(
		crypto_verify(c, NULL, CRYPTO_ED25519, key, 32, DATA, sizeof(DATA), sig, 64),
		CRYPTO_GENUINE);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

static void the_cache_is_bounded_and_keeps_what_is_used(void **state)
{
	uint64_t built;

	for (uint32_t i = 0; i < CRYPTO_KEYS_MAX; i++)
		use_ed25519(*state, i);
	assert_int_equal(crypto_counts(*state).n_keys, CRYPTO_KEYS_MAX);
	use_ed25519(*state, 0); /* again: the hand will spare it */
	use_ed25519(*state, CRYPTO_KEYS_MAX);
	assert_int_equal(crypto_counts(*state).n_keys, CRYPTO_KEYS_MAX);
	built = crypto_counts(*state).keys_built;
	assert_int_equal(built, CRYPTO_KEYS_MAX + 1);
	use_ed25519(*state, 0);
	use_ed25519(*state, 2);
	assert_int_equal(crypto_counts(*state).keys_built, built);
	use_ed25519(*state, 1); /* went in its place */
	assert_int_equal(crypto_counts(*state).keys_built, built + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CRYPTO_TEST(t) cmocka_unit_test_setup_teardown(t, make_crypto, free_crypto)
		CRYPTO_TEST(digests_are_the_known_ones),
		CRYPTO_TEST(only_the_algorithms_of_rfc_9904_are_trusted),
		CRYPTO_TEST(each_hash_is_paid_for),
		CRYPTO_TEST(rsa_sizes_have_bounds),
		CRYPTO_TEST(a_long_exponent_costs_nothing),
		CRYPTO_TEST(a_cut_rsa_key_is_malformed),
		CRYPTO_TEST(a_field_of_64_kib_is_not_looked_into),
		CRYPTO_TEST(points_off_the_curve_and_wrong_lengths_are_malformed),
		CRYPTO_TEST(numbers_of_every_length_are_understood),
		CRYPTO_TEST(a_signature_of_another_length_is_forged),
		CRYPTO_TEST(each_check_and_each_failure_is_paid_for),
		CRYPTO_TEST(a_key_is_built_once_when_it_has_verified),
		CRYPTO_TEST(the_cache_is_bounded_and_keeps_what_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
