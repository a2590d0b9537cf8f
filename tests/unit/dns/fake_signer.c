/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/dns/fake_signer.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/wbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"

#define ED25519 15

static EVP_PKEY *key_of(const struct fake_signer *s)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, s->seed, 32);

	assert_non_null(key);
	return key;
}

void fake_signer_init(struct fake_signer *s, uint8_t seed, uint16_t flags)
{
	EVP_PKEY *key;
	size_t len = 32;

	memset(s->seed, seed, sizeof(s->seed));
	s->rdata[0] = (uint8_t)(flags >> 8);
	s->rdata[1] = (uint8_t)flags;
	s->rdata[2] = 3;
	s->rdata[3] = ED25519;
	key = key_of(s);
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, s->rdata + 4, &len), 1);
	EVP_PKEY_free(key);
	assert_int_equal(dnskey_parse(s->rdata, sizeof(s->rdata), &s->key), 0);
}

struct fake_fields fake_signer_fields(
	const struct fake_signer *s, const struct rrset *rr, const uint8_t *zone)
{
	const uint8_t *owner = rrset_owner(rr);

	return (struct fake_fields){
		.algorithm = ED25519,
		.labels = (uint8_t)(dname_labels(owner) - dname_is_wildcard(owner)),
		.original_ttl = rr->ttl,
		.expiration = FAKE_EXPIRY,
		.inception = FAKE_INCEPTION,
		.tag = s->key.tag,
		.signer = zone,
	};
}

static void put_lower(struct wbuf *w, const uint8_t *name)
{
	uint8_t lower[DNAME_MAX];
	size_t len = dname_copy_lower(name, lower);

	wbuf_put(w, lower, len);
}

static void put_records(struct wbuf *w, const struct rrset *rr, const struct fake_fields *f)
{
	struct rrset_iter it = rrset_begin(rr);
	const uint8_t *owner = rrset_owner(rr);
	unsigned labels = dname_labels(owner) - dname_is_wildcard(owner);

	while (rrset_next(&it) && !it.is_sig) {
		if (f->labels < labels) {
			wbuf_put(w, "\1*", 2);
			put_lower(w, dname_suffix(owner, f->labels));
		} else {
			put_lower(w, owner);
		}
		wbuf_u16(w, rr->type);
		wbuf_u16(w, rr->class);
		wbuf_u32(w, f->original_ttl);
		wbuf_u16(w, it.len);
		wbuf_put(w, it.rdata, it.len);
	}
}

void fake_signer_sign(
	const struct fake_signer *s, struct rrset *rr, size_t cap, const struct fake_fields *f)
{
	static uint8_t data[200000];
	struct wbuf w = wbuf_of(data, sizeof(data));
	uint8_t rdata[18 + DNAME_MAX + 64];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *key = key_of(s);
	size_t len = 64, head;

	wbuf_u16(&w, rr->type);
	wbuf_u8(&w, f->algorithm);
	wbuf_u8(&w, f->labels);
	wbuf_u32(&w, f->original_ttl);
	wbuf_u32(&w, f->expiration);
	wbuf_u32(&w, f->inception);
	wbuf_u16(&w, f->tag);
	put_lower(&w, f->signer);
	head = w.len;
	memcpy(rdata, data, head);
	put_records(&w, rr, f);
	assert_false(w.bad);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, rdata + head, &len, data, w.len), 1);
	assert_int_equal(rrset_add_sig(rr, cap, rdata, head + len), 0);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

void fake_signer_sign_as(
	const struct fake_signer *s, struct rrset *rr, size_t cap, const uint8_t *zone)
{
	struct fake_fields f = fake_signer_fields(s, rr, zone);

	fake_signer_sign(s, rr, cap, &f);
}
