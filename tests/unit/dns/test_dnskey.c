/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/dnskey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dns_const.h"
#include "unit/dns/fake_signer.h"
#include "unit/dns/fake_zone.h"

#define MEM 4096

/* Tags as the RFCs and IANA print them, in the order of the file. */
static void tags_are_those_of_the_rfcs(void **state)
{
	static const struct {
		const char *zone;
		uint16_t tags[4];
	} KNOWN[] = {
		{"example", {38519, 9465}},
		{"dskey.example.com", {60485}},
		{"example.net", {55648, 10771}},
		{"example.com", {3613, 35217, 9713, 38353}},
		{".", {20326, 38696}},
	};
	struct fake_zone *z = fake_zone_open("rfc.zone");

	(void)state;
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		struct rrset_iter it = rrset_begin(fake_zone_get(z, KNOWN[i].zone, "DNSKEY"));
		struct dnskey key;

		for (size_t k = 0; rrset_next(&it) && !it.is_sig; k++) {
			assert_int_equal(dnskey_parse(it.rdata, it.len, &key), 0);
			assert_int_equal(key.tag, KNOWN[i].tags[k]);
			assert_true(dnskey_is_zone_key(&key));
			assert_int_equal(key.key_len, it.len - 4);
			assert_ptr_equal(key.key, it.rdata + 4);
		}
	}
	fake_zone_close(z);
}

static void rsamd5_takes_its_tag_from_the_modulus(void **state)
{
	static const uint8_t KEY[] = {1, 0, 3, 1, 1, 3, 0xaa, 0xbb, 0xcc, 0xdd};

	(void)state;
	assert_int_equal(dnskey_tag(KEY, sizeof(KEY)), 0xbbcc);
}

static void short_rdata_is_not_read_past_its_end(void **state)
{
	static const uint8_t KEY[] = {1, 0, 3, 1, 1, 3};

	(void)state;
	for (size_t len = 0; len <= sizeof(KEY); len++) {
		size_t size = sizeof(struct rrset) + 9 + sizeof(uint16_t) + len;
		struct rrset *rr = rrset_init(
			malloc(size), size, fake_name("example"), DNS_TYPE_DNSKEY, 1, 60);
		uint8_t *exact = malloc(len ? len : 1);
		struct rrset_iter it = rrset_begin(rr);
		struct dnskey key;

		memcpy(exact, KEY, len);
		dnskey_tag(exact, len);
		assert_int_equal(rrset_add(rr, size, exact, len), 0);
		assert_false(dnskey_find(&it, 1, 0xffff, &key));
		free(exact);
		free(rr);
	}
}

static void an_odd_length_counts_its_last_octet_high(void **state)
{
	static const uint8_t KEY[] = {1, 0, 3, 13, 0x80};

	(void)state;
	assert_int_equal(dnskey_tag(KEY, sizeof(KEY)), 0x0100 + 0x030d + 0x8000);
}

static void only_unrevoked_zone_keys_of_protocol_3_may_sign(void **state)
{
	static const struct {
		uint16_t flags;
		uint8_t protocol;
		bool is_zone_key, is_revoked, is_sep;
	} KNOWN[] = {
		{256, 3, true, false, false},
		{257, 3, true, false, true},
		{0, 3, false, false, false},
		{1, 3, false, false, true},
		{256, 2, false, false, false},
		{256 | 128, 3, false, true, false},
		{257 | 128, 3, false, true, true},
		{256 | 0x8000, 3, true, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		uint8_t rdata[] = {(uint8_t)(KNOWN[i].flags >> 8), (uint8_t)KNOWN[i].flags,
			KNOWN[i].protocol, 13, 1, 2, 3};
		struct dnskey key;

		assert_int_equal(dnskey_parse(rdata, sizeof(rdata), &key), 0);
		assert_int_equal(dnskey_is_zone_key(&key), KNOWN[i].is_zone_key);
		assert_int_equal(dnskey_is_revoked(&key), KNOWN[i].is_revoked);
		assert_int_equal(dnskey_is_sep(&key), KNOWN[i].is_sep);
	}
}

static void a_key_stays_the_same_when_it_is_revoked(void **state)
{
	struct fake_signer a, revoked, other;

	(void)state;
	fake_signer_init(&a, 1, DNSKEY_ZONE | DNSKEY_SEP);
	fake_signer_init(&revoked, 1, DNSKEY_ZONE | DNSKEY_SEP | DNSKEY_REVOKE);
	fake_signer_init(&other, 2, DNSKEY_ZONE | DNSKEY_SEP);
	assert_int_equal(revoked.key.tag, a.key.tag + DNSKEY_REVOKE);
	assert_true(dnskey_is_same(&a.key, &revoked.key));
	assert_false(dnskey_is_same(&a.key, &other.key));
	other.key = a.key;
	other.key.algorithm++;
	assert_false(dnskey_is_same(&a.key, &other.key));
}

static void find_walks_over_what_cannot_sign(void **state)
{
	_Alignas(8) uint8_t mem[MEM];
	struct rrset *rr = rrset_init(mem, MEM, fake_name("example"), DNS_TYPE_DNSKEY, 1, 60);
	struct fake_signer s;
	uint8_t twin[36];
	struct rrset_iter it;
	struct dnskey key;

	(void)state;
	fake_signer_init(&s, 1, DNSKEY_ZONE);
	assert_int_equal(rrset_add(rr, MEM, (const uint8_t *)"\1\0\3", 3), 0); /* cut short */
	/* the same tag, another algorithm: what one octet gains the next word loses */
	memcpy(twin, s.rdata, sizeof(twin));
	twin[3]--;
	twin[5] = (uint8_t)(twin[5] + 1);
	if (twin[5])
		assert_int_equal(dnskey_tag(twin, sizeof(twin)), s.key.tag);
	assert_int_equal(rrset_add(rr, MEM, twin, sizeof(twin)), 0);
	assert_int_equal(rrset_add(rr, MEM, s.rdata, sizeof(s.rdata)), 0);
	it = rrset_begin(rr);
	assert_true(dnskey_find(&it, s.key.algorithm, s.key.tag, &key));
	assert_memory_equal(key.rdata, s.rdata, sizeof(s.rdata));
	assert_false(dnskey_find(&it, s.key.algorithm, s.key.tag, &key));
	it = rrset_begin(rr);
	assert_false(dnskey_find(&it, s.key.algorithm, (uint16_t)(s.key.tag + 1), &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_those_of_the_rfcs),
		cmocka_unit_test(rsamd5_takes_its_tag_from_the_modulus),
		cmocka_unit_test(short_rdata_is_not_read_past_its_end),
		cmocka_unit_test(an_odd_length_counts_its_last_octet_high),
		cmocka_unit_test(only_unrevoked_zone_keys_of_protocol_3_may_sign),
		cmocka_unit_test(a_key_stays_the_same_when_it_is_revoked),
		cmocka_unit_test(find_walks_over_what_cannot_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
