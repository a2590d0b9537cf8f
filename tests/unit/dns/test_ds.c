/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/ds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/wbuf.h"
#include "dns/dname.h"
#include "dns/root_anchors.h"
#include "unit/dns/fake_signer.h"
#include "unit/dns/fake_zone.h"

#define MEM 20000

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

/* ---- digests ---- */

/* Does each DS of owner match exactly one key? */
static unsigned match_all(struct fake_zone *z, const char *owner)
{
	struct rrset_iter it = rrset_begin(fake_zone_get(z, owner, "DS"));
	unsigned n = 0;

	while (rrset_next(&it) && !it.is_sig) {
		struct rrset_iter keys = rrset_begin(fake_zone_get(z, owner, "DNSKEY"));
		unsigned matches = 0;
		struct dnskey key;
		struct ds ds;

		assert_int_equal(ds_parse(it.rdata, it.len, &ds), 0);
		while (rrset_next(&keys) && !keys.is_sig) {
			assert_int_equal(dnskey_parse(keys.rdata, keys.len, &key), 0);
			matches += ds_matches(env.crypto, &ds, fake_name(owner), &key);
		}
		assert_int_equal(matches, 1);
		n++;
	}
	return n;
}

static void digests_are_those_of_the_rfcs(void **state)
{
	struct fake_zone *z = fake_zone_open("rfc.zone");

	(void)state;
	assert_int_equal(match_all(z, "dskey.example.com"), 2);
	assert_int_equal(match_all(z, "DSKEY.Example.Com"), 2);
	assert_int_equal(match_all(z, "example.net"), 2);
	assert_int_equal(match_all(z, "example.com"), 4);
	fake_zone_close(z);
}

static void the_built_in_anchors_are_the_keys_of_the_root(void **state)
{
	struct fake_zone *z = fake_zone_open("rfc.zone");
	struct rrset_iter it = rrset_begin(fake_zone_get(z, ".", "DNSKEY"));

	(void)state;
	for (size_t i = 0; i < ROOT_ANCHORS_COUNT; i++) {
		struct dnskey key;
		struct ds ds;

		assert_true(rrset_next(&it));
		assert_int_equal(dnskey_parse(it.rdata, it.len, &key), 0);
		assert_int_equal(ds_parse(root_anchors_ds(i), ROOT_ANCHORS_LEN, &ds), 0);
		assert_true(ds_is_usable(env.crypto, &ds));
		assert_true(ds_matches(env.crypto, &ds, fake_name("."), &key));
	}
	fake_zone_close(z);
}

static void a_digest_of_the_wrong_length_matches_nothing(void **state)
{
	struct fake_zone *z = fake_zone_open("rfc.zone");
	struct rrset_iter it = rrset_begin(fake_zone_get(z, "example.com", "DS"));
	struct rrset_iter keys = rrset_begin(fake_zone_get(z, "example.com", "DNSKEY"));
	struct dnskey key;
	struct ds ds;

	(void)state;
	assert_true(rrset_next(&it) && rrset_next(&keys));
	assert_int_equal(dnskey_parse(keys.rdata, keys.len, &key), 0);
	for (size_t len = 0; len < it.len; len++) {
		int err = ds_parse(it.rdata, len, &ds);

		assert_int_equal(err, len < 5 ? ERR_MALFORMED : 0);
		if (err == 0)
			assert_false(ds_matches(env.crypto, &ds, fake_name("example.com"), &key));
	}
	fake_zone_close(z);
}

static void a_digest_with_another_tag_or_algorithm_is_of_another_key(void **state)
{
	struct fake_zone *z = fake_zone_open("rfc.zone");
	struct rrset_iter it = rrset_begin(fake_zone_get(z, "example.com", "DS"));
	struct rrset_iter keys = rrset_begin(fake_zone_get(z, "example.com", "DNSKEY"));
	struct dnskey key;
	struct ds ds;

	(void)state;
	assert_true(rrset_next(&it) && rrset_next(&keys));
	assert_int_equal(dnskey_parse(keys.rdata, keys.len, &key), 0);
	assert_int_equal(ds_parse(it.rdata, it.len, &ds), 0);
	assert_true(ds_matches(env.crypto, &ds, fake_name("example.com"), &key));
	ds.tag++;
	assert_false(ds_matches(env.crypto, &ds, fake_name("example.com"), &key));
	ds.tag--;
	ds.algorithm++;
	assert_false(ds_matches(env.crypto, &ds, fake_name("example.com"), &key));
	fake_zone_close(z);
}

/* ---- from DS to DNSKEY ---- */

static void every_algorithm_s_zone_is_entered_by_its_ds(void **state)
{
	static const struct {
		const char *zone;
		bool is_trusted;
	} ZONES[] = {
		{"rsasha1.test", false},
		{"nsec3rsasha1.test", false},
		{"rsasha256.test", true},
		{"rsasha512.test", true},
		{"ecdsap256sha256.test", true},
		{"ecdsap384sha384.test", true},
		{"ed25519.test", true},
		{"ed448.test", true},
	};
	struct fake_zone *z = fake_zone_open("algorithms.zone");
	struct rrsig_proof proof;
	enum dns_ede why;

	(void)state;
	for (size_t i = 0; i < sizeof(ZONES) / sizeof(ZONES[0]); i++) {
		struct rrset *ds = fake_zone_get(z, ZONES[i].zone, "DS");
		struct rrset *keys = fake_zone_get(z, ZONES[i].zone, "DNSKEY");
		const uint8_t *zone = fake_name(ZONES[i].zone);

		assert_int_equal(ds_is_any_usable(env.crypto, ds, &why), ZONES[i].is_trusted);
		if (!ZONES[i].is_trusted) {
			assert_int_equal(why, DNS_EDE_UNSUPPORTED_ALGORITHM);
			continue;
		}
		assert_int_equal(ds->n_rr, 3);
		assert_int_equal(ds_verify_keys(&env, ds, keys, zone, &proof), RRSIG_GENUINE);
		assert_int_equal(rrsig_verify_rrset(&env, fake_zone_get(z, ZONES[i].zone, "SOA"),
					 zone, keys, &proof),
			RRSIG_GENUINE);
	}
	fake_zone_close(z);
}

/* A zone of our own: three keys, DS records as wanted. */
struct made {
	struct fake_signer signer[3];
	struct rrset *ds, *keys;
	_Alignas(8) uint8_t ds_mem[MEM], key_mem[MEM];
};

static struct made made;

static const uint8_t *zone_name(void)
{
	return fake_name("zone.example");
}

static void make(void)
{
	made.ds = rrset_init(made.ds_mem, MEM, zone_name(), DNS_TYPE_DS, 1, 3600);
	made.keys = rrset_init(made.key_mem, MEM, zone_name(), DNS_TYPE_DNSKEY, 1, 3600);
	for (unsigned i = 0; i < 3; i++)
		fake_signer_init(&made.signer[i], (uint8_t)(i + 1), DNSKEY_ZONE | DNSKEY_SEP);
}

/* In canonical order, which fake_signer wants. */
static void add_keys(unsigned mask)
{
	bool is_done[3] = {false};

	for (unsigned n = 0; n < 3; n++) {
		unsigned least = 3;

		for (unsigned i = 0; i < 3; i++) {
			if (!is_done[i] &&
				(least == 3 || memcmp(made.signer[i].rdata,
						       made.signer[least].rdata, 36) < 0))
				least = i;
		}
		is_done[least] = true;
		if (mask & 1u << least)
			assert_int_equal(
				rrset_add(made.keys, MEM, made.signer[least].rdata, 36), 0);
	}
}

static void add_ds(unsigned key, uint8_t algorithm, uint8_t digest_type, bool is_right)
{
	uint8_t rdata[4 + CRYPTO_DIGEST_MAX] = {0}, owner[DNAME_MAX];
	const struct fake_signer *s = &made.signer[key];
	size_t len = crypto_digest_len(digest_type);

	rdata[0] = (uint8_t)(s->key.tag >> 8);
	rdata[1] = (uint8_t)s->key.tag;
	rdata[2] = algorithm;
	rdata[3] = digest_type;
	if (len)
		assert_int_equal(
			crypto_digest(env.crypto, digest_type, owner,
				dname_copy_lower(zone_name(), owner), s->rdata, 36, rdata + 4),
			0);
	rdata[4] ^= is_right ? 0 : 1;
	assert_int_equal(rrset_add(made.ds, MEM, rdata, 4 + (len ? len : 32)), 0);
}

static void sign(unsigned key)
{
	fake_signer_sign_as(&made.signer[key], made.keys, MEM, zone_name());
}

static enum rrsig_result verify(void)
{
	struct rrsig_proof proof;

	return ds_verify_keys(&env, made.ds, made.keys, zone_name(), &proof);
}

static void the_key_of_the_ds_must_have_signed(void **state)
{
	(void)state;
	make();
	add_keys(3);
	add_ds(0, 15, CRYPTO_SHA256, true);
	assert_int_equal(verify(), RRSIG_NO_DS_SIG);
	sign(1);
	assert_int_equal(verify(), RRSIG_NO_DS_SIG);
	sign(0);
	assert_int_equal(verify(), RRSIG_GENUINE);
}

static void a_wrong_digest_enters_nothing(void **state)
{
	(void)state;
	make();
	add_keys(3);
	sign(0);
	add_ds(0, 15, CRYPTO_SHA256, false);
	add_ds(2, 15, CRYPTO_SHA256, true); /* whose key is not there */
	assert_int_equal(verify(), RRSIG_NO_DS_KEY);
	add_ds(0, 15, CRYPTO_SHA384, true);
	assert_int_equal(verify(), RRSIG_GENUINE);
}

/* RFC 4509 3 */
static void sha1_does_not_count_beside_a_better_digest(void **state)
{
	(void)state;
	make();
	add_keys(3);
	sign(0);
	add_ds(0, 15, CRYPTO_SHA1, true);
	assert_int_equal(verify(), RRSIG_GENUINE);
	add_ds(0, 200, CRYPTO_SHA256, false); /* of an algorithm nobody knows: not better */
	assert_int_equal(verify(), RRSIG_GENUINE);
	add_ds(0, 15, CRYPTO_SHA256, false);
	assert_int_equal(verify(), RRSIG_NO_DS_KEY);
}

static void unknown_algorithms_and_digests_make_insecure(void **state)
{
	enum dns_ede why;

	(void)state;
	make();
	assert_false(ds_is_any_usable(env.crypto, made.ds, &why));
	add_ds(0, 200, CRYPTO_SHA256, true);
	add_ds(0, CRYPTO_RSASHA1_NSEC3, CRYPTO_SHA256, true);
	add_ds(0, 3, CRYPTO_SHA256, true); /* DSA */
	add_ds(0, 12, 3, true);		   /* GOST (RFC 9906) */
	assert_false(ds_is_any_usable(env.crypto, made.ds, &why));
	assert_int_equal(why, DNS_EDE_UNSUPPORTED_ALGORITHM);
	add_ds(0, 15, 3, true);
	add_ds(0, 15, 77, true);
	add_ds(0, 15, 0, true);
	assert_false(ds_is_any_usable(env.crypto, made.ds, &why));
	assert_int_equal(why, DNS_EDE_UNSUPPORTED_DIGEST);
	/* D6: one that is usable and the zone has to be secure */
	add_ds(0, 15, CRYPTO_SHA256, false);
	assert_true(ds_is_any_usable(env.crypto, made.ds, &why));
}

static void a_revoked_key_is_no_entry(void **state)
{
	(void)state;
	make();
	fake_signer_init(&made.signer[0], 1, DNSKEY_ZONE | DNSKEY_SEP | DNSKEY_REVOKE);
	add_keys(3);
	add_ds(0, 15, CRYPTO_SHA256, true);
	sign(0);
	assert_int_equal(verify(), RRSIG_NO_DS_KEY);
}

static void eight_records_are_tried_and_the_ninth_is_not(void **state)
{
	(void)state;
	for (unsigned wrong = DS_TRIED_MAX - 1; wrong <= DS_TRIED_MAX; wrong++) {
		make();
		add_keys(1);
		sign(0);
		for (unsigned i = 0; i < wrong; i++) {
			add_ds(0, 15, CRYPTO_SHA256, false);
			((uint8_t *)made.ds)[made.ds->size - 1] ^= (uint8_t)(i + 1);
		}
		add_ds(0, 15, CRYPTO_SHA256, true);
		assert_int_equal(made.ds->n_rr, wrong + 1);
		assert_int_equal(verify(), wrong < DS_TRIED_MAX ? RRSIG_GENUINE : RRSIG_NO_DS_KEY);
	}
}

/* Keys whose size is outside our bounds, as the parent vouches for them. */
static void a_zone_with_nothing_but_odd_key_sizes_is_told_apart(void **state)
{
	static const char TEXT[] =
		"example.net. IN DNSKEY 256 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2F"
		"h36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk=\n"
		"example.net. IN RRSIG DNSKEY 8 2 3600 20300101000000 20000101000000 9033 "
		"example.net. kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEa"
		"cFYK/lPtPiVYP4bwg==\n";
	struct fake_zone *z = fake_zone_parse(TEXT);
	struct rrset *keys = fake_zone_get(z, "example.net", "DNSKEY");
	const uint8_t *zone = fake_name("example.net");
	struct rrset_iter it = rrset_begin(keys);
	uint8_t rdata[36], owner[DNAME_MAX];
	struct rrsig_proof proof;
	struct rrset *ds, *both;
	struct fake_signer good;

	(void)state;
	ds = rrset_init(made.ds_mem, MEM, zone, DNS_TYPE_DS, 1, 3600);
	assert_true(rrset_next(&it));
	memcpy(rdata, "\x23\x49\x08\x02", 4); /* 9033 */
	assert_int_equal(crypto_digest(env.crypto, CRYPTO_SHA256, owner,
				 dname_copy_lower(zone, owner), it.rdata, it.len, rdata + 4),
		0);
	assert_int_equal(rrset_add(ds, MEM, rdata, 36), 0);
	assert_int_equal(ds_verify_keys(&env, ds, keys, zone, &proof), RRSIG_KEY_UNSUPPORTED);
	/* not when another DS promises a key that we could use: who strips it, or its signature,
	 * gains nothing */
	fake_signer_init(&good, 1, DNSKEY_ZONE);
	wbuf_set16(rdata, good.key.tag);
	rdata[2] = CRYPTO_ED25519;
	assert_int_equal(crypto_digest(env.crypto, CRYPTO_SHA256, owner,
				 dname_copy_lower(zone, owner), good.rdata, 36, rdata + 4),
		0);
	assert_int_equal(rrset_add(ds, MEM, rdata, 36), 0);
	assert_int_equal(ds_verify_keys(&env, ds, keys, zone, &proof), RRSIG_NO_DS_KEY);
	both = rrset_init(made.key_mem, MEM, zone, DNS_TYPE_DNSKEY, 1, 3600);
	assert_int_equal(rrset_add(both, MEM, it.rdata, it.len), 0);
	assert_int_equal(rrset_add(both, MEM, good.rdata, 36), 0);
	assert_true(rrset_next(&it) && it.is_sig);
	assert_int_equal(rrset_add_sig(both, MEM, it.rdata, it.len), 0);
	assert_int_equal(ds_verify_keys(&env, ds, both, zone, &proof), RRSIG_NO_DS_SIG);
	fake_zone_close(z);
}

/* B7: however many DS and DNSKEY records, two checks a signature at most. */
static void many_records_for_one_key_cost_one_check(void **state)
{
	struct crypto_counts before = crypto_counts(env.crypto);
	struct rrset_iter it;

	(void)state;
	make();
	add_keys(1);
	sign(0);
	it = rrset_begin(made.keys);
	while (!it.is_sig)
		assert_true(rrset_next(&it));
	((uint8_t *)made.keys)[it.rdata + it.len - 1 - (uint8_t *)made.keys] ^= 1;
	add_ds(0, 15, CRYPTO_SHA256, true);
	add_ds(0, 15, CRYPTO_SHA384, true);
	assert_int_equal(verify(), RRSIG_FORGED);
	assert_int_equal(crypto_counts(env.crypto).checks, before.checks + 1);
}

static int refuse(void *arg, enum crypto_cost cost)
{
	(void)cost;
	(*(unsigned *)arg)++;
	return ERR_LIMIT;
}

static void an_empty_purse_ends_it(void **state)
{
	unsigned n_asked = 0;
	const struct crypto_meter meter = {refuse, &n_asked};

	(void)state;
	make();
	add_keys(1);
	sign(0);
	add_ds(0, 15, CRYPTO_SHA256, true);
	add_ds(0, 15, CRYPTO_SHA384, true);
	env.meter = &meter;
	assert_int_equal(verify(), RRSIG_LIMIT);
	assert_int_equal(n_asked, 1);
	env.meter = NULL;
	assert_int_equal(verify(), RRSIG_GENUINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_rfcs),
		cmocka_unit_test(the_built_in_anchors_are_the_keys_of_the_root),
		cmocka_unit_test(a_digest_of_the_wrong_length_matches_nothing),
		cmocka_unit_test(a_digest_with_another_tag_or_algorithm_is_of_another_key),
		cmocka_unit_test(every_algorithm_s_zone_is_entered_by_its_ds),
		cmocka_unit_test(the_key_of_the_ds_must_have_signed),
		cmocka_unit_test(a_wrong_digest_enters_nothing),
		cmocka_unit_test(sha1_does_not_count_beside_a_better_digest),
		cmocka_unit_test(unknown_algorithms_and_digests_make_insecure),
		cmocka_unit_test(a_revoked_key_is_no_entry),
		cmocka_unit_test(eight_records_are_tried_and_the_ninth_is_not),
		cmocka_unit_test(a_zone_with_nothing_but_odd_key_sizes_is_told_apart),
		cmocka_unit_test(many_records_for_one_key_cost_one_check),
		cmocka_unit_test(an_empty_purse_ends_it),
	};

	return cmocka_run_group_tests(tests, make_crypto, free_crypto);
}
