/* SPDX-License-Identifier: Apache-2.0 */
/* Microseconds of a signature check per algorithm: OpenSSL alone with everything prepared, ours
 * with the key in the cache (all checks, canonical form, digest), and with a key seen for the first
 * time; and what proofs of denial cost. Prints the best of several rounds, because the machine is
 * shared. Not a test. */
#include <malloc.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/wbuf.h"
#include "dns/dname.h"
#include "dns/nsec3.h"
#include "dns/rrsig.h"

#define ROUNDS	15
#define ROUND_S 0.02
#define MEM	4096
#define NOW	1782864000 /* 2026-07-01 */
#define KEYS	64	   /* for the memory of one */

static const struct algorithm {
	uint8_t number;
	const char *name, *type;
	int bits;
	size_t point;
} ALGORITHMS[] = {
	{CRYPTO_RSASHA256, "RSA-1024 SHA-256", "RSA", 1024, 0},
	{CRYPTO_RSASHA256, "RSA-2048 SHA-256", "RSA", 2048, 0},
	{CRYPTO_RSASHA256, "RSA-4096 SHA-256", "RSA", 4096, 0},
	{CRYPTO_ECDSAP256, "ECDSA P-256", "P-256", 0, 64},
	{CRYPTO_ECDSAP384, "ECDSA P-384", "P-384", 0, 96},
	{CRYPTO_ED25519, "Ed25519", "ED25519", 0, 32},
	{CRYPTO_ED448, "Ed448", "ED448", 0, 57},
};

struct bench {
	const struct algorithm *a;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx;
	EVP_MD_CTX *md_ctx;
	const EVP_MD *md;
	uint8_t data[512], der[1024], sig[1024], digest[64];
	size_t data_len, der_len, sig_len;
	struct rrset *rr, *forged, *keys;
	_Alignas(8) uint8_t mem[MEM], forged_mem[MEM], key_mem[MEM];
	struct crypto *crypto;
	struct rrsig_env env;
	const uint8_t *zone;
};

static uint8_t scratch[RRSIG_SCRATCH_MAX];

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Best of ROUNDS, in us a call. */
static double measure(void (*fn)(void *arg), void *arg)
{
	double best = 1e9;

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_s(), took;
		unsigned n = 0;

		do {
			for (unsigned i = 0; i < 8; i++, n++)
				fn(arg);
			took = now_s() - start;
		} while (took < ROUND_S);
		if (took / n < best)
			best = took / n;
	}
	return best * 1e6;
}

static void must(int ok)
{
	if (ok <= 0)
		abort();
}

/* ---- a signed RRset ---- */

static size_t put_rsa(EVP_PKEY *pkey, uint8_t *out)
{
	BIGNUM *n = NULL, *e = NULL;
	size_t len;

	must(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n));
	must(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e));
	out[0] = (uint8_t)BN_num_bytes(e);
	len = 1 + (size_t)BN_bn2bin(e, out + 1);
	len += (size_t)BN_bn2bin(n, out + len);
	BN_free(n);
	BN_free(e);
	return len;
}

static size_t put_key(struct bench *b, uint8_t *out)
{
	uint8_t point[128];
	size_t len = sizeof(point);

	memcpy(out, "\1\0\3", 3);
	out[3] = b->a->number;
	if (b->a->bits)
		return 4 + put_rsa(b->pkey, out + 4);
	must(EVP_PKEY_get_octet_string_param(
		b->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len));
	memcpy(out + 4, point + len - b->a->point, b->a->point);
	return 4 + b->a->point;
}

static void sign(struct bench *b)
{
	const uint8_t *p = b->der;
	ECDSA_SIG *rs;
	int half;

	b->der_len = sizeof(b->der);
	must(EVP_DigestSignInit(b->md_ctx, NULL, b->md, NULL, b->pkey));
	must(EVP_DigestSign(b->md_ctx, b->der, &b->der_len, b->data, b->data_len));
	memcpy(b->sig, b->der, b->der_len);
	b->sig_len = b->der_len;
	if (strncmp(b->a->type, "P-", 2) != 0)
		return;
	half = (int)b->a->point / 2;
	rs = d2i_ECDSA_SIG(NULL, &p, (long)b->der_len);
	must(BN_bn2binpad(ECDSA_SIG_get0_r(rs), b->sig, half));
	must(BN_bn2binpad(ECDSA_SIG_get0_s(rs), b->sig + half, half));
	b->sig_len = 2 * (size_t)half;
	ECDSA_SIG_free(rs);
}

static void build(struct bench *b)
{
	static const uint8_t OWNER[] = "\3www\11some-name\7example", ADDR[] = {192, 0, 2, 1};
	struct wbuf w = wbuf_of(b->data, sizeof(b->data));
	uint8_t key[1024], rdata[1200];
	size_t len = put_key(b, key), head;

	b->zone = OWNER + 4;
	b->keys = rrset_init(b->key_mem, MEM, b->zone, DNS_TYPE_DNSKEY, DNS_CLASS_IN, 3600);
	must(rrset_add(b->keys, MEM, key, len) == 0);
	wbuf_u16(&w, DNS_TYPE_A);
	wbuf_u8(&w, b->a->number);
	wbuf_u8(&w, 3);
	wbuf_u32(&w, 3600);
	wbuf_u32(&w, NOW + 1000000);
	wbuf_u32(&w, NOW - 1000000);
	wbuf_u16(&w, dnskey_tag(key, len));
	wbuf_put(&w, b->zone, dname_len(b->zone));
	head = w.len;
	memcpy(rdata, b->data, head);
	wbuf_put(&w, OWNER, sizeof(OWNER));
	wbuf_put(&w, "\0\1\0\1\0\0\x0e\x10\0\4", 10);
	wbuf_put(&w, ADDR, 4);
	b->data_len = w.len;
	sign(b);
	memcpy(rdata + head, b->sig, b->sig_len);
	b->rr = rrset_init(b->mem, MEM, OWNER, DNS_TYPE_A, DNS_CLASS_IN, 3600);
	must(rrset_add(b->rr, MEM, ADDR, 4) == 0);
	must(rrset_add_sig(b->rr, MEM, rdata, head + b->sig_len) == 0);
	/* the same signature over another address */
	b->forged = rrset_init(b->forged_mem, MEM, OWNER, DNS_TYPE_A, DNS_CLASS_IN, 3600);
	must(rrset_add(b->forged, MEM, ADDR + 1, 3) == 0);
	must(rrset_add_sig(b->forged, MEM, rdata, head + b->sig_len) == 0);
}

static void prepare(struct bench *b, const struct algorithm *a)
{
	bool is_edwards = a->type[0] == 'E';

	*b = (struct bench){.a = a, .crypto = b->crypto, .env = b->env};
	b->pkey = a->bits      ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)a->bits)
		  : is_edwards ? EVP_PKEY_Q_keygen(NULL, NULL, a->type)
			       : EVP_PKEY_Q_keygen(NULL, NULL, "EC", a->type);
	must(b->pkey != NULL);
	b->md = is_edwards ? NULL : a->point == 96 ? EVP_sha384() : EVP_sha256();
	b->md_ctx = EVP_MD_CTX_new();
	build(b);
	if (is_edwards)
		return;
	b->ctx = EVP_PKEY_CTX_new(b->pkey, NULL);
	must(EVP_PKEY_verify_init(b->ctx));
	must(EVP_PKEY_CTX_set_signature_md(b->ctx, b->md));
	must(EVP_Digest(b->data, b->data_len, b->digest, NULL, b->md, NULL));
}

/* ---- the measured ---- */

static void evp_alone(void *arg)
{
	struct bench *b = (struct bench *)arg;

	if (b->ctx) {
		must(EVP_PKEY_verify(
			b->ctx, b->der, b->der_len, b->digest, (size_t)EVP_MD_get_size(b->md)));
		return;
	}
	must(EVP_DigestVerifyInit(b->md_ctx, NULL, NULL, NULL, b->pkey));
	must(EVP_DigestVerify(b->md_ctx, b->sig, b->sig_len, b->data, b->data_len));
	EVP_MD_CTX_reset(b->md_ctx);
}

static void ours(void *arg)
{
	struct bench *b = (struct bench *)arg;
	struct rrsig_proof proof;

	must(rrsig_verify_rrset(&b->env, b->rr, b->zone, b->keys, &proof) == RRSIG_GENUINE);
}

/* A key that never gets into the cache, because nothing verifies with it. */
static void ours_cold(void *arg)
{
	struct bench *b = (struct bench *)arg;
	struct rrsig_proof proof;

	must(rrsig_verify_rrset(&b->env, b->forged, b->zone, b->keys, &proof) == RRSIG_FORGED);
}

static void check_alone(void *arg)
{
	struct bench *b = (struct bench *)arg;
	struct rrset_iter it = rrset_begin(b->rr);
	struct rrsig sig;

	while (rrset_next(&it)) {
		if (it.is_sig &&
			(rrsig_parse(it.rdata, it.len, &sig) != 0 ||
				rrsig_check(&sig, b->rr, b->zone, NOW, 0) != RRSIG_GENUINE))
			abort();
	}
}

static void free_bench(struct bench *b)
{
	EVP_PKEY_CTX_free(b->ctx);
	EVP_MD_CTX_free(b->md_ctx);
	EVP_PKEY_free(b->pkey);
}

static void run_algorithms(struct bench *b)
{
	printf("%-20s %9s %9s %9s %9s %9s %7s\n", "us a check", "OpenSSL", "ours", "more",
		"new key", "header", "B/key");
	for (size_t i = 0; i < sizeof(ALGORITHMS) / sizeof(ALGORITHMS[0]); i++) {
		double bare, cold, warm, header;
		size_t before, after;

		prepare(b, &ALGORITHMS[i]);
		cold = measure(ours_cold, b);
		bare = measure(evp_alone, b);
		warm = measure(ours, b);
		header = measure(check_alone, b);
		free_bench(b);
		before = mallinfo2().uordblks;
		for (unsigned k = 0; k < KEYS; k++) {
			prepare(b, &ALGORITHMS[i]);
			ours(b);
			free_bench(b);
		}
		after = mallinfo2().uordblks;
		printf("%-20s %9.2f %9.2f %9.2f %9.2f %9.2f %7zu\n", ALGORITHMS[i].name, bare, warm,
			warm - bare, cold, header, (after - before) / KEYS);
	}
}

/* ---- denial ---- */

struct hash_bench {
	struct crypto *crypto;
	uint16_t iterations;
};

static void hash_name(void *arg)
{
	static const uint8_t NAME[] = "\3www\11some-name\7example", SALT[] = {1, 2, 3, 4};
	struct hash_bench *h = (struct hash_bench *)arg;
	uint8_t out[NSEC3_HASH_LEN];

	must(crypto_nsec3(h->crypto, NULL, NAME, sizeof(NAME), SALT, 4, h->iterations, out) == 0);
}

static void run_hashes(struct crypto *c)
{
	static const uint16_t ITERATIONS[] = {0, 10, NSEC3_ITERATIONS_MAX};

	for (size_t i = 0; i < 3; i++) {
		struct hash_bench h = {c, ITERATIONS[i]};

		printf("NSEC3 hash, %2u iterations %9.2f us\n", ITERATIONS[i],
			measure(hash_name, &h));
	}
}

int main(void)
{
	struct bench *b = (struct bench *)calloc(1, sizeof(*b));

	b->crypto = crypto_new();
	must(b->crypto != NULL);
	b->env = (struct rrsig_env){.crypto = b->crypto,
		.scratch = scratch,
		.scratch_len = sizeof(scratch),
		.now_s = NOW};
	run_algorithms(b);
	run_hashes(b->crypto);
	crypto_free(b->crypto);
	free(b);
	return 0;
}
