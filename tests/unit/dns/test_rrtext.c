/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrtext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "dns/dns_const.h"

static const uint8_t HOME[] = "\4home\4arpa";

static void a_record_is_read_whole(void **state)
{
	struct rrtext_rr rr;

	(void)state;
	assert_int_equal(rrtext_read("nas 120 IN A 192.168.1.10", 300, HOME, &rr), 0);
	assert_memory_equal(rr.owner, "\3nas\4home\4arpa", 15);
	assert_int_equal(rr.owner_len, 15);
	assert_int_equal(rr.ttl, 120);
	assert_int_equal(rr.type, DNS_TYPE_A);
	assert_int_equal(rr.class, DNS_CLASS_IN);
	assert_int_equal(rr.rdlen, 4);
	assert_memory_equal(rr.rdata, "\300\250\1\12", 4);
	assert_int_equal(rrtext_read("nas.example. MX 10 mail", 300, HOME, &rr), 0);
	assert_int_equal(rr.ttl, 300);
	assert_memory_equal(rr.rdata, "\0\12\4mail\4home\4arpa", 18);
}

static void rdata_of_many_types_goes_both_ways(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
	} same[] = {
		{DNS_TYPE_A, "192.0.2.1"},
		{DNS_TYPE_AAAA, "fd77::1"},
		{DNS_TYPE_CNAME, "other.example."},
		{DNS_TYPE_MX, "10 mail.example."},
		{DNS_TYPE_TXT, "\"v=spf1 -all\" \"second; part\""},
		{DNS_TYPE_SRV, "0 5 5060 sip.example."},
		{DNS_TYPE_CAA, "0 issue \"ca.example\""},
		{DNS_TYPE_DS, "20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237"
			      "c7f8ec8d"},
		{DNS_TYPE_NSEC, "host.example. A MX RRSIG NSEC"},
		{DNS_TYPE_NAPTR, "100 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.example."},
		{65280, "\\# 3 0a0b0c"},
		{65280, "\\# 0"},
	};
	uint8_t rdata[512];
	char buf[512];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(rrtext_read_rdata(same[i].type, same[i].text, NULL, rdata,
					 sizeof(rdata), &len),
			0);
		assert_string_equal(rrtext_format_rdata(same[i].type, rdata, len, buf, sizeof(buf)),
			same[i].text);
	}
}

static void bad_text_is_malformed(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
	} bad[] = {
		{DNS_TYPE_A, ""},
		{DNS_TYPE_A, "1.2.3"},
		{DNS_TYPE_A, "1.2.3.4.5"},
		{DNS_TYPE_A, "::1"},
		{DNS_TYPE_A, "1.2.3.4\n. 0 IN A 1.2.3.5"},
		{DNS_TYPE_AAAA, "1.2.3.4"},
		{DNS_TYPE_MX, "mail.example."},
		{DNS_TYPE_MX, "99999 mail.example."},
		{DNS_TYPE_MX, "-1 mail.example."},
		{DNS_TYPE_SRV, "0 5 65536 sip.example."},
		{DNS_TYPE_CNAME, "a..b."},
		{DNS_TYPE_A, "\\# 3 010203"},
		{65280, "\\# 3 0102"},
	};
	uint8_t rdata[512];
	char text[RRTEXT_LINE_MAX + 100];
	size_t len = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int err = rrtext_read_rdata(
			bad[i].type, bad[i].text, NULL, rdata, sizeof(rdata), &len);

		if (err != ERR_MALFORMED)
			print_error("row %zu: %s\n", i, bad[i].text);
		assert_int_equal(err, ERR_MALFORMED);
		assert_int_equal(len, 7);
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(
		rrtext_read_rdata(DNS_TYPE_TXT, text, NULL, rdata, sizeof(rdata), &len), ERR_LIMIT);
	assert_int_equal(rrtext_read_rdata(DNS_TYPE_A, "1.2.3.4", NULL, rdata, 3, &len), ERR_LIMIT);
}

static void a_line_of_an_rrset_per_record(void **state)
{
	_Alignas(struct rrset) uint8_t mem[512];
	struct rrset *rr = rrset_init(mem, sizeof(mem), HOME, DNS_TYPE_A, 1, 60);
	static const uint8_t sig[] = "\0\1\10\2\0\0\1\54\0\0\0\1\0\0\0\0\1\2\4home\0SIG";
	char *text;

	(void)state;
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\1\2\3\4", 4), 0);
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\1\2\3\5", 4), 0);
	assert_int_equal(rrset_add_sig(rr, sizeof(mem), sig, sizeof(sig) - 1), 0);
	text = rrtext_format_rrset(rr, false);
	assert_string_equal(text, "home.arpa. 60 IN A 1.2.3.4\nhome.arpa. 60 IN A 1.2.3.5\n");
	xfree(text);
	text = rrtext_format_rrset(rr, true);
	assert_non_null(strstr(text, "\nhome.arpa. 60 IN RRSIG A 8 2 300 "));
	xfree(text);
}

static void rdata_of_a_stranger_is_printed_whatever_it_is(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(rrtext_format_rdata(DNS_TYPE_A, (const uint8_t *)"\1\2\3", 3, buf, 64),
		"\\# 3 010203");
	assert_string_equal(rrtext_format_rdata(DNS_TYPE_NS, (const uint8_t *)"\300\0", 2, buf, 64),
		"\\# 2 c000");
	assert_string_equal(
		rrtext_format_rdata(65280, (const uint8_t *)"abcdefgh", 8, buf, 9), "\\# 8 616");
	assert_string_equal(
		rrtext_format_rdata(DNS_TYPE_TXT, (const uint8_t *)"\3\33[m", 4, buf, 64),
		"\"\\027[m\"");
	assert_string_equal(rrtext_format((const uint8_t *)"\2\n\"", 16, 3, 7,
				    (const uint8_t *)"\1a", 2, buf, 64),
		"\\010\\\". 7 CLASS3 TXT \"a\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_whole),
		cmocka_unit_test(rdata_of_many_types_goes_both_ways),
		cmocka_unit_test(bad_text_is_malformed),
		cmocka_unit_test(a_line_of_an_rrset_per_record),
		cmocka_unit_test(rdata_of_a_stranger_is_printed_whatever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
