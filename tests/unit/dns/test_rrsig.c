/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrsig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wbuf.h"
#include "dns/dname.h"
#include "dns/ds.h"
#include "dns/rrtype.h"
#include "unit/dns/fake_signer.h"
#include "unit/dns/fake_zone.h"

#define MEM 70000

static uint8_t scratch[RRSIG_SCRATCH_MAX];
static struct rrsig_env env = {
	.scratch = scratch, .scratch_len = sizeof(scratch), .now_s = FAKE_NOW};

static int make_crypto(void **state)
{
	(void)state;
	env.crypto = crypto_new();
	return env.crypto ? 0 : -1;
}

static int free_crypto(void **state)
{
	(void)state;
	crypto_free(env.crypto);
	return 0;
}

/* ---- real signatures ---- */

static bool any_key_verifies(struct rrset *rr, const struct rrsig *sig, struct rrset *keys)
{
	struct rrset_iter it = rrset_begin(keys);
	struct dnskey key;

	while (rrset_next(&it) && !it.is_sig) {
		assert_int_equal(dnskey_parse(it.rdata, it.len, &key), 0);
		if (key.algorithm == sig->algorithm && key.tag == sig->tag)
			return rrsig_verify(&env, rr, sig, &key) == RRSIG_GENUINE;
	}
	return false;
}

/* Every signature of the file, one by one, at the time of its inception. */
static unsigned verify_file(struct fake_zone *z)
{
	struct rrset *rr;
	unsigned n = 0;

	for (size_t i = 0; (rr = fake_zone_at(z, i)); i++) {
		struct rrset_iter it = rrset_begin(rr);

		while (rrset_next(&it)) {
			char signer[DNAME_TEXT_MAX];
			struct rrsig sig;

			if (!it.is_sig)
				continue;
			assert_int_equal(rrsig_parse(it.rdata, it.len, &sig), 0);
			assert_int_equal(
				rrsig_check(&sig, rr, sig.signer, sig.inception, 0), RRSIG_GENUINE);
			dname_format(sig.signer, signer);
			if (!any_key_verifies(rr, &sig, fake_zone_get(z, signer, "DNSKEY")))
				fail_msg("%s type %u", signer, rr->type);
			n++;
		}
	}
	return n;
}

static void signatures_printed_in_rfcs_verify(void **state)
{
	struct fake_zone *z = fake_zone_open("rfc.zone");

	(void)state;
	assert_int_equal(verify_file(z), 16);
	fake_zone_close(z);
}

static void the_example_of_rfc_5702_verifies_and_its_small_key_is_refused(void **state)
{
	struct fake_zone *z = fake_zone_open("rfc5702.zone");
	struct rrset *rr = fake_zone_get(z, "www.example.net", "A");
	struct rrset *keys = fake_zone_get(z, "example.net", "DNSKEY");
	struct rrset_iter it = rrset_begin(rr);
	struct rrsig_proof proof;
	struct rrsig sig;
	struct dnskey key;

	(void)state;
	assert_int_equal(rrsig_verify_rrset(&env, rr, fake_name("example.net"), keys, &proof),
		RRSIG_GENUINE);
	assert_int_equal(proof.sig.algorithm, CRYPTO_RSASHA512);
	while (!it.is_sig)
		assert_true(rrset_next(&it));
	assert_int_equal(rrsig_parse(it.rdata, it.len, &sig), 0);
	it = rrset_begin(keys);
	assert_true(dnskey_find(&it, CRYPTO_RSASHA256, 9033, &key));
	assert_int_equal(rrsig_verify(&env, rr, &sig, &key), RRSIG_KEY_UNSUPPORTED);
	fake_zone_close(z);
}

static void everything_that_bind_and_ldns_signed_verifies(void **state)
{
	static const char *const FILES[] = {
		"nsec.zone", "nsec3.zone", "optout.zone", "types.zone", "algorithms.zone"};
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct fake_zone *z = fake_zone_open(FILES[i]);

		n += verify_file(z);
		fake_zone_close(z);
	}
	assert_true(n > 200);
}

/* The same records as a stranger's server may send them: another order, another case wherever case
 * does not count, another TTL. */
static struct rrset *scrambled(struct rrset *rr, void *mem)
{
	struct rrset *out;
	uint8_t owner[DNAME_MAX], rdata[2000];
	size_t len = dname_copy(rrset_owner(rr), owner);

	for (size_t i = 0; i < len; i++) {
		if (owner[i] >= 'a' && owner[i] <= 'z')
			owner[i] = (uint8_t)(owner[i] - 32);
	}
	out = rrset_init(mem, MEM, owner, rr->type, rr->class, 17);
	for (unsigned n = rr->n_rr; n > 0; n--) {
		struct rrset_iter it = rrset_begin(rr);

		for (unsigned k = 0; k < n; k++)
			assert_true(rrset_next(&it));
		memcpy(rdata, it.rdata, it.len);
		rrtype_lower_rdata(rr->type, rdata, it.len);
		assert_int_equal(rrset_add(out, MEM, rdata, it.len), 0);
	}
	for (struct rrset_iter it = rrset_begin(rr); rrset_next(&it);) {
		if (it.is_sig)
			assert_int_equal(rrset_add_sig(out, MEM, it.rdata, it.len), 0);
	}
	return out;
}

static void order_case_and_ttl_do_not_matter(void **state)
{
	struct fake_zone *z = fake_zone_open("types.zone");
	struct rrset *keys = fake_zone_get(z, "types.example", "DNSKEY"), *rr;
	static _Alignas(8) uint8_t mem[MEM];
	struct rrsig_proof proof;

	(void)state;
	for (size_t i = 0; (rr = fake_zone_at(z, i)); i++) {
		if (rr->n_sig == 0)
			continue;
		assert_int_equal(rrsig_verify_rrset(&env, scrambled(rr, mem),
					 fake_name("tYPES.example"), keys, &proof),
			RRSIG_GENUINE);
		assert_int_equal(proof.ttl, 17);
	}
	fake_zone_close(z);
}

static void a_record_twice_in_another_case_is_signed_once(void **state)
{
	struct fake_zone *z = fake_zone_open("types.zone");
	struct rrset *rr = fake_zone_get(z, "types.example", "MX");
	static _Alignas(8) uint8_t mem[MEM];
	struct rrset *twice = (struct rrset *)mem;
	struct rrset_iter it = rrset_begin(rr);
	struct rrsig_proof proof;
	uint16_t len;
	size_t first;

	/* what rrset_add would have dropped, put in by hand */
	(void)state;
	assert_true(rrset_next(&it));
	first = (size_t)(it.next - rr->data);
	len = it.len;
	memcpy(twice, rr, sizeof(*rr) + first);
	memcpy(twice->data + first, it.rdata - sizeof(len), sizeof(len) + len);
	twice->data[first + 2 + 2 + 1] ^= 0x20; /* a letter of the exchange */
	memcpy(twice->data + first + 2 + len, rr->data + first, rr->size - sizeof(*rr) - first);
	twice->size = rr->size + 2 + len;
	twice->n_rr++;
	assert_true(rrset_is_sound(twice, twice->size));
	assert_int_equal(rrsig_verify_rrset(&env, twice, fake_name("types.example"),
				 fake_zone_get(z, "types.example", "DNSKEY"), &proof),
		RRSIG_GENUINE);
	fake_zone_close(z);
}

/* Any octet of the records or the signature changed, and it does not verify any more; but for case
 * in names. */
static void no_octet_can_be_changed(void **state)
{
	struct fake_zone *z = fake_zone_open("algorithms.zone");
	static const char *const ZONES[] = {"rsasha256.test", "rsasha512.test",
		"ecdsap256sha256.test", "ed25519.test", "rsasha1.test"};

	(void)state;
	for (size_t k = 0; k < 5; k++) {
		struct rrset *rr = fake_zone_get(z, ZONES[k], "SOA");
		struct rrset *keys = fake_zone_get(z, ZONES[k], "DNSKEY");
		struct rrset_iter it = rrset_begin(rr);
		struct rrsig sig;
		size_t n_genuine = 0, n_letters = 0;

		while (!it.is_sig)
			assert_true(rrset_next(&it));
		assert_int_equal(rrsig_parse(it.rdata, it.len, &sig), 0);
		assert_true(any_key_verifies(rr, &sig, keys));
		for (size_t i = rr->owner_len + 2u; i < rr->size - sizeof(*rr); i++) {
			uint8_t *p = &rr->data[i];

			if (it.rdata <= p && p < sig.signer + sig.signer_len)
				continue;
			*p ^= 0x20;
			if (rrset_is_sound(rr, rr->size)) {
				n_genuine += any_key_verifies(rr, &sig, keys);
				n_letters += p < it.rdata - 22 && (*p | 0x20) >= 'a' &&
					     (*p | 0x20) <= 'z';
			}
			*p ^= 0x20;
		}
		assert_int_equal(n_genuine, n_letters); /* of the two names */
		assert_true(n_letters > 20);
		assert_true(any_key_verifies(rr, &sig, keys));
	}
	fake_zone_close(z);
}

/* ---- what is judged before arithmetic ---- */

struct made {
	struct fake_signer signer;
	struct rrset *rr, *keys;
	struct fake_fields f;
	_Alignas(8) uint8_t mem[MEM], key_mem[MEM];
};

static struct made made;

/* An RRset of zone, not signed yet, with the fields that would be right. */
static void make(const char *owner, uint16_t type, const char *zone)
{
	fake_signer_init(&made.signer, 1, 0x100);
	made.rr = rrset_init(made.mem, MEM, fake_name(owner), type, DNS_CLASS_IN, 3600);
	assert_int_equal(rrset_add(made.rr, MEM, (const uint8_t *)"\300\0\2\1", 4), 0);
	made.keys =
		rrset_init(made.key_mem, MEM, fake_name(zone), DNS_TYPE_DNSKEY, DNS_CLASS_IN, 3600);
	assert_int_equal(
		rrset_add(made.keys, MEM, made.signer.rdata, sizeof(made.signer.rdata)), 0);
	made.f = fake_signer_fields(&made.signer, made.rr, fake_name(zone));
}

static enum rrsig_result sign_and_verify(const char *zone, struct rrsig_proof *proof)
{
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	return rrsig_verify_rrset(&env, made.rr, fake_name(zone), made.keys, proof);
}

static void expect(const char *zone, enum rrsig_result want)
{
	struct rrsig_proof proof;
	struct crypto_counts before = crypto_counts(env.crypto);
	enum rrsig_result r = sign_and_verify(zone, &proof);

	if (r != want)
		fail_msg("%s instead of %s", rrsig_text(r), rrsig_text(want));
	if (r != RRSIG_GENUINE && r != RRSIG_FORGED)
		assert_int_equal(crypto_counts(env.crypto).checks, before.checks);
	assert_true(proof.has_sig);
}

static void what_an_honest_signer_writes_is_genuine(void **state)
{
	struct rrsig_proof proof;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_false(proof.is_wildcard);
	assert_int_equal(proof.ttl, 3600);
	assert_int_equal(proof.sig.tag, made.signer.key.tag);
	make("example", DNS_TYPE_A, "example");
	expect("example", RRSIG_GENUINE);
	make(".", DNS_TYPE_A, ".");
	expect(".", RRSIG_GENUINE);
	make("a.b.c.d.example", DNS_TYPE_A, "example");
	expect("eXAMPLE", RRSIG_GENUINE);
}

static void the_signer_s_case_does_not_matter(void **state)
{
	struct rrsig_proof proof;
	struct rrset_iter it;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	it = rrset_begin(made.rr);
	while (!it.is_sig)
		assert_true(rrset_next(&it));
	((uint8_t *)made.rr)[it.rdata + 19 - (uint8_t *)made.rr] = 'E';
	assert_int_equal(rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
		RRSIG_GENUINE);
	assert_int_equal(proof.sig.signer[1], 'E');
}

static void a_signature_over_nothing_proves_nothing(void **state)
{
	struct rrsig_proof proof;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	made.rr->n_rr = 0;
	made.rr->size = (uint32_t)(sizeof(struct rrset) + made.rr->owner_len);
	assert_int_not_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
}

static void only_the_zone_itself_may_sign(void **state)
{
	(void)state;
	make("www.example", DNS_TYPE_A, "example"); /* a sibling */
	made.f.signer = fake_name("other");
	expect("example", RRSIG_OTHER_SIGNER);
	make("www.example", DNS_TYPE_A, "example"); /* the parent */
	made.f.signer = fake_name(".");
	expect("example", RRSIG_OTHER_SIGNER);
	make("www.example", DNS_TYPE_A, "example"); /* a child */
	made.f.signer = fake_name("www.example");
	expect("example", RRSIG_OTHER_SIGNER);
	make("www.other", DNS_TYPE_A, "example"); /* data of others, by its own keys */
	expect("example", RRSIG_OTHER_SIGNER);
	make("wwwexample", DNS_TYPE_A, "example"); /* below is by labels */
	expect("example", RRSIG_OTHER_SIGNER);
}

static void a_zone_cannot_sign_its_own_ds(void **state)
{
	(void)state;
	make("sub.example", DNS_TYPE_DS, "example");
	expect("example", RRSIG_GENUINE);
	make("example", DNS_TYPE_DS, "example");
	expect("example", RRSIG_OTHER_SIGNER);
}

static void a_wildcard_makes_no_ds(void **state)
{
	(void)state;
	make("sub.example", DNS_TYPE_DS, "example");
	made.f.labels = 1;
	expect("example", RRSIG_WILDCARD_DS);
	make("*.example", DNS_TYPE_DS, "example");
	expect("example", RRSIG_GENUINE);
}

static void another_type_is_not_covered(void **state)
{
	struct rrsig_proof proof;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	made.rr->type = DNS_TYPE_AAAA;
	assert_int_equal(rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
		RRSIG_OTHER_TYPE);
}

static void a_wildcard_is_verified_and_told(void **state)
{
	struct rrsig_proof proof;

	(void)state;
	make("a.b.example", DNS_TYPE_A, "example");
	made.f.labels = 1;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_true(proof.is_wildcard);
	assert_int_equal(proof.sig.labels, 1);
	make("A.B.Sub.Example", DNS_TYPE_A, "example");
	made.f.labels = 2;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_true(proof.is_wildcard);
	/* asked for by its own name it is no expansion (D4) */
	make("*.example", DNS_TYPE_A, "example");
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_false(proof.is_wildcard);
	/* a name that begins with * made from a wildcard further up is one */
	make("*.sub.example", DNS_TYPE_A, "example");
	made.f.labels = 1;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_true(proof.is_wildcard);
}

/* D1 */
static void a_wildcard_above_the_signer_is_bogus(void **state)
{
	(void)state;
	make("www.evil.example", DNS_TYPE_A, "evil.example");
	made.f.labels = 2;
	expect("evil.example", RRSIG_GENUINE);
	make("www.evil.example", DNS_TYPE_A, "evil.example");
	made.f.labels = 1;
	expect("evil.example", RRSIG_TOO_FEW_LABELS);
	make("www.evil.example", DNS_TYPE_A, "evil.example");
	made.f.labels = 0;
	expect("evil.example", RRSIG_TOO_FEW_LABELS);
	make("evil.example", DNS_TYPE_A, "evil.example");
	made.f.labels = 0;
	expect("evil.example", RRSIG_TOO_FEW_LABELS);
}

static void more_labels_than_the_name_has_are_bogus(void **state)
{
	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	made.f.labels = 3;
	expect("example", RRSIG_TOO_MANY_LABELS);
	make("*.example", DNS_TYPE_A, "example"); /* the asterisk does not count */
	made.f.labels = 2;
	expect("example", RRSIG_TOO_MANY_LABELS);
	make(".", DNS_TYPE_A, ".");
	made.f.labels = 1;
	expect(".", RRSIG_TOO_MANY_LABELS);
}

static void validity_is_judged_to_the_second(void **state)
{
	static const struct {
		int64_t now;
		uint32_t skew;
		enum rrsig_result r;
	} AT[] = {
		{FAKE_INCEPTION, 0, RRSIG_GENUINE},
		{FAKE_INCEPTION - 1, 0, RRSIG_NOT_YET},
		{FAKE_INCEPTION - 1, 1, RRSIG_GENUINE},
		{FAKE_INCEPTION - 3600, 3600, RRSIG_GENUINE},
		{FAKE_INCEPTION - 3601, 3600, RRSIG_NOT_YET},
		{FAKE_EXPIRY, 0, RRSIG_GENUINE},
		{FAKE_EXPIRY + 1, 0, RRSIG_EXPIRED},
		{FAKE_EXPIRY + 3600, 3600, RRSIG_GENUINE},
		{FAKE_EXPIRY + 3601, 3600, RRSIG_EXPIRED},
		{0, 3600, RRSIG_NOT_YET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(AT) / sizeof(AT[0]); i++) {
		make("www.example", DNS_TYPE_A, "example");
		env.now_s = AT[i].now;
		env.skew_s = AT[i].skew;
		expect("example", AT[i].r);
	}
	env.now_s = FAKE_NOW;
	env.skew_s = 0;
}

static void times_wrap_around_in_2106(void **state)
{
	static const int64_t WRAP = (int64_t)1 << 32;

	(void)state;
	for (int64_t now = WRAP - 2000; now <= WRAP + 2000; now += 500) {
		make("www.example", DNS_TYPE_A, "example");
		made.f.inception = (uint32_t)(WRAP - 1000);
		made.f.expiration = (uint32_t)(WRAP + 1000);
		env.now_s = now;
		expect("example", now < WRAP - 1000   ? RRSIG_NOT_YET
				  : now > WRAP + 1000 ? RRSIG_EXPIRED
						      : RRSIG_GENUINE);
	}
	env.now_s = FAKE_NOW;
}

static void a_signature_that_expires_before_it_begins_is_bogus(void **state)
{
	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	made.f.inception = FAKE_NOW + 10;
	made.f.expiration = FAKE_NOW - 10;
	env.skew_s = 3600;
	expect("example", RRSIG_BACKWARDS);
	env.skew_s = 0;
}

/* RFC 4035 5.3.3 */
static void the_ttl_ends_with_the_signature(void **state)
{
	struct rrsig_proof proof;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	made.f.original_ttl = 60;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_int_equal(proof.ttl, 60);
	make("www.example", DNS_TYPE_A, "example");
	made.f.original_ttl = 86400;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_int_equal(proof.ttl, 3600);
	make("www.example", DNS_TYPE_A, "example");
	made.f.expiration = FAKE_NOW + 100;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_int_equal(proof.ttl, 100);
	make("www.example", DNS_TYPE_A, "example");
	made.f.expiration = FAKE_NOW;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_int_equal(proof.ttl, 0);
	/* the skew alone keeps it: not for long */
	env.skew_s = 3600;
	make("www.example", DNS_TYPE_A, "example");
	made.f.expiration = FAKE_NOW - 100;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_int_equal(proof.ttl, RRSIG_SKEWED_TTL_S);
	make("www.example", DNS_TYPE_A, "example");
	made.f.expiration = FAKE_NOW - 3590;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_int_equal(proof.ttl, 10);
	env.skew_s = 0;
}

static void a_wrong_tag_or_algorithm_finds_no_key(void **state)
{
	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	made.f.tag++;
	expect("example", RRSIG_NO_KEY);
	make("www.example", DNS_TYPE_A, "example");
	made.f.algorithm = CRYPTO_ED448;
	expect("example", RRSIG_NO_KEY);
	make("www.example", DNS_TYPE_A, "example");
	made.f.algorithm = 200;
	expect("example", RRSIG_UNSUPPORTED);
	make("www.example", DNS_TYPE_A, "example");
	made.f.algorithm = CRYPTO_RSASHA1; /* RFC 9905 */
	expect("example", RRSIG_UNSUPPORTED);
}

static void keys_that_are_none_do_not_verify(void **state)
{
	static const uint16_t FLAGS[] = {0, DNSKEY_SEP, DNSKEY_ZONE | DNSKEY_REVOKE};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		make("www.example", DNS_TYPE_A, "example");
		fake_signer_init(&made.signer, 2, FLAGS[i]);
		assert_int_equal(rrset_add(made.keys, MEM, made.signer.rdata, 36), 0);
		made.f = fake_signer_fields(&made.signer, made.rr, fake_name("example"));
		expect("example", RRSIG_NO_KEY);
	}
}

static void a_revoked_key_verifies_when_it_is_named(void **state)
{
	struct rrsig_proof proof;

	(void)state;
	make("example", DNS_TYPE_DNSKEY, "example");
	fake_signer_init(&made.signer, 2, DNSKEY_ZONE | DNSKEY_REVOKE | DNSKEY_SEP);
	made.f = fake_signer_fields(&made.signer, made.rr, fake_name("example"));
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	assert_int_equal(
		rrsig_verify_by_key(&env, made.rr, fake_name("example"), &made.signer.key, &proof),
		RRSIG_GENUINE);
	fake_signer_init(&made.signer, 3, DNSKEY_ZONE);
	assert_int_equal(
		rrsig_verify_by_key(&env, made.rr, fake_name("example"), &made.signer.key, &proof),
		RRSIG_NO_KEY);
}

static void another_key_s_signature_is_forged(void **state)
{
	struct fake_signer other;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	fake_signer_init(&other, 9, 0x100);
	made.f.tag = made.signer.key.tag;
	made.signer = other;
	expect("example", RRSIG_FORGED);
}

static void no_signature_is_missing_and_a_broken_one_malformed(void **state)
{
	struct rrsig_proof proof;
	uint8_t sig[19] = {0, DNS_TYPE_A};

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	assert_int_equal(rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
		RRSIG_MISSING);
	assert_false(proof.has_sig);
	assert_int_equal(rrset_add_sig(made.rr, MEM, sig, sizeof(sig)), 0);
	assert_int_equal(rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
		RRSIG_MALFORMED);
	assert_false(proof.has_sig);
}

static void one_genuine_signature_among_bad_ones_is_enough(void **state)
{
	struct rrsig_proof proof;
	struct fake_fields good;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	good = made.f;
	made.f.labels = 0;
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	made.f = good;
	made.f.expiration = FAKE_NOW - 1;
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	assert_int_equal(rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
		RRSIG_EXPIRED);
	made.f = good;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	assert_int_equal(proof.sig.expiration, FAKE_EXPIRY);
}

static void the_most_telling_reason_is_kept(void **state)
{
	struct rrsig_proof proof;
	struct fake_fields good;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	good = made.f;
	made.f.expiration = FAKE_NOW - 1;
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	made.f = good;
	made.f.tag++;
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_EXPIRED);
	assert_true(proof.has_sig);
	assert_int_equal(proof.sig.expiration, FAKE_NOW - 1);
	assert_int_equal(rrsig_ede(RRSIG_EXPIRED), DNS_EDE_SIGNATURE_EXPIRED);
	assert_string_equal(rrsig_text(RRSIG_EXPIRED), "signature expired");
}

/* ---- work ---- */

struct purse {
	unsigned checks, failures;
};

static int take(void *arg, enum crypto_cost cost)
{
	struct purse *p = arg;
	unsigned *left = cost == CRYPTO_COST_CHECK ? &p->checks : &p->failures;

	if (*left == 0)
		return ERR_LIMIT;
	(*left)--;
	return 0;
}

/* B7: keys of one tag: a key with two 16-bit words exchanged has the tag of the original. */
static void add_colliding_keys(unsigned n)
{
	uint8_t rdata[36];

	for (unsigned i = 0; i < n; i++) {
		unsigned a = 4 + 2 * (i % 16), b = 4 + 2 * (i / 16 + i % 16 + 1) % 32;

		memcpy(rdata, made.signer.rdata, 36);
		for (unsigned k = 0; k < 2; k++) {
			uint8_t byte = rdata[a + k];

			rdata[a + k] = rdata[b + k];
			rdata[b + k] = byte;
		}
		assert_int_equal(rrset_add(made.keys, MEM, rdata, 36), 0);
	}
}

static void keytrap_costs_two_checks_a_signature(void **state)
{
	struct crypto_counts before = crypto_counts(env.crypto), after;
	struct rrsig_proof proof;
	struct fake_signer evil;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	made.keys->n_rr = 0; /* the true key is not among them */
	made.keys->size = (uint32_t)(sizeof(struct rrset) + made.keys->owner_len);
	add_colliding_keys(95);
	assert_true(made.keys->n_rr > 50);
	for (unsigned i = 0; i < RRSET_SIG_MAX; i++) {
		fake_signer_init(&evil, (uint8_t)(20 + i), 0x100);
		fake_signer_sign(&evil, made.rr, MEM, &made.f);
	}
	assert_int_equal(made.rr->n_sig, RRSET_SIG_MAX);
	assert_int_equal(rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
		RRSIG_FORGED);
	after = crypto_counts(env.crypto);
	/* some of these keys are no points of the curve and cost less */
	assert_true(after.keys_built - before.keys_built <= RRSIG_KEYS_PER_TAG * RRSET_SIG_MAX);
	assert_true(after.checks - before.checks <= RRSIG_KEYS_PER_TAG * RRSET_SIG_MAX);
}

static void the_second_key_of_a_tag_is_tried_and_the_third_is_not(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 2; n++) {
		make("www.example", DNS_TYPE_A, "example");
		made.keys->n_rr = 0;
		made.keys->size = (uint32_t)(sizeof(struct rrset) + made.keys->owner_len);
		add_colliding_keys(n);
		assert_int_equal(rrset_add(made.keys, MEM, made.signer.rdata, 36), 0);
		expect("example", n < RRSIG_KEYS_PER_TAG ? RRSIG_GENUINE : RRSIG_FORGED);
	}
}

static void an_empty_purse_ends_the_work(void **state)
{
	struct purse purse = {.checks = 0, .failures = 9};
	const struct crypto_meter meter = {take, &purse};
	struct crypto_counts before = crypto_counts(env.crypto);
	struct rrsig_proof proof;
	struct fake_signer evil;

	(void)state;
	env.meter = &meter;
	make("www.example", DNS_TYPE_A, "example");
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_LIMIT);
	assert_int_equal(crypto_counts(env.crypto).checks, before.checks);
	/* failures have a purse of their own: the second one ends it, before the true signature */
	purse = (struct purse){.checks = 9, .failures = 1};
	make("www.example", DNS_TYPE_A, "example");
	for (unsigned i = 0; i < 3; i++) {
		fake_signer_init(&evil, (uint8_t)(20 + i), 0x100);
		fake_signer_sign(&evil, made.rr, MEM, &made.f);
	}
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_LIMIT);
	assert_int_equal(purse.checks, 7);
	purse = (struct purse){.checks = 4, .failures = 3};
	assert_int_equal(rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
		RRSIG_GENUINE);
	assert_int_equal(purse.checks + purse.failures, 0);
	/* nor is a second key of the tag tried */
	purse = (struct purse){.checks = 9, .failures = 0};
	make("www.example", DNS_TYPE_A, "example");
	made.keys->n_rr = 0;
	made.keys->size = (uint32_t)(sizeof(struct rrset) + made.keys->owner_len);
	add_colliding_keys(2);
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_LIMIT);
	assert_int_equal(purse.checks, 8);
	env.meter = NULL;
}

static void the_scratch_fits_the_largest_set_and_its_end_is_seen(void **state)
{
	static uint8_t rdata[600];
	struct rrsig_proof proof;
	char owner[300] = "";
	size_t need;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		snprintf(owner + strlen(owner), 80, "%.63s.",
			"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww");
	strcat(owner, "example");
	make(owner, DNS_TYPE_TXT, "example");
	made.rr->n_rr = 0;
	made.rr->size = (uint32_t)(sizeof(struct rrset) + made.rr->owner_len);
	for (unsigned i = 0; i < RRSET_RR_MAX; i++) {
		rdata[1] = (uint8_t)i;
		assert_int_equal(rrset_add(made.rr, MEM, rdata, sizeof(rdata)), 0);
	}
	assert_int_equal(sign_and_verify("example", &proof), RRSIG_GENUINE);
	/* each rdata once to sort, and all of it with what stands before */
	need = 18 + 9 + RRSET_RR_MAX * (600 + 600 + 10 + made.rr->owner_len);
	for (size_t less = need; less <= need; less = less > 7919 ? less - 7919 : less - 1) {
		size_t cap = need - less;

		env.scratch_len = cap;
		assert_int_equal(
			rrsig_verify_rrset(&env, made.rr, fake_name("example"), made.keys, &proof),
			cap < need ? RRSIG_LIMIT : RRSIG_GENUINE);
	}
	env.scratch_len = sizeof(scratch);
}

static void a_cut_signature_record_is_malformed(void **state)
{
	struct rrset_iter it;
	struct rrsig sig;
	struct dnskey key;

	(void)state;
	make("www.example", DNS_TYPE_A, "example");
	fake_signer_sign(&made.signer, made.rr, MEM, &made.f);
	it = rrset_begin(made.rr);
	while (!it.is_sig)
		assert_true(rrset_next(&it));
	for (size_t len = 0; len < it.len; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, it.rdata, len);
		assert_int_equal(rrsig_parse(exact, len, &sig), len > 27 ? 0 : ERR_MALFORMED);
		free(exact);
	}
	for (size_t len = 0; len < 5; len++)
		assert_int_equal(dnskey_parse(it.rdata, len, &key), ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_printed_in_rfcs_verify),
		cmocka_unit_test(the_example_of_rfc_5702_verifies_and_its_small_key_is_refused),
		cmocka_unit_test(everything_that_bind_and_ldns_signed_verifies),
		cmocka_unit_test(order_case_and_ttl_do_not_matter),
		cmocka_unit_test(a_record_twice_in_another_case_is_signed_once),
		cmocka_unit_test(no_octet_can_be_changed),
		cmocka_unit_test(what_an_honest_signer_writes_is_genuine),
		cmocka_unit_test(the_signer_s_case_does_not_matter),
		cmocka_unit_test(a_signature_over_nothing_proves_nothing),
		cmocka_unit_test(only_the_zone_itself_may_sign),
		cmocka_unit_test(a_zone_cannot_sign_its_own_ds),
		cmocka_unit_test(a_wildcard_makes_no_ds),
		cmocka_unit_test(another_type_is_not_covered),
		cmocka_unit_test(a_wildcard_is_verified_and_told),
		cmocka_unit_test(a_wildcard_above_the_signer_is_bogus),
		cmocka_unit_test(more_labels_than_the_name_has_are_bogus),
		cmocka_unit_test(validity_is_judged_to_the_second),
		cmocka_unit_test(times_wrap_around_in_2106),
		cmocka_unit_test(a_signature_that_expires_before_it_begins_is_bogus),
		cmocka_unit_test(the_ttl_ends_with_the_signature),
		cmocka_unit_test(a_wrong_tag_or_algorithm_finds_no_key),
		cmocka_unit_test(keys_that_are_none_do_not_verify),
		cmocka_unit_test(a_revoked_key_verifies_when_it_is_named),
		cmocka_unit_test(another_key_s_signature_is_forged),
		cmocka_unit_test(no_signature_is_missing_and_a_broken_one_malformed),
		cmocka_unit_test(one_genuine_signature_among_bad_ones_is_enough),
		cmocka_unit_test(the_most_telling_reason_is_kept),
		cmocka_unit_test(keytrap_costs_two_checks_a_signature),
		cmocka_unit_test(the_second_key_of_a_tag_is_tried_and_the_third_is_not),
		cmocka_unit_test(an_empty_purse_ends_the_work),
		cmocka_unit_test(the_scratch_fits_the_largest_set_and_its_end_is_seen),
		cmocka_unit_test(a_cut_signature_record_is_malformed),
	};

	return cmocka_run_group_tests(tests, make_crypto, free_crypto);
}
