/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrtype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dns_const.h"

static void types_have_names_both_ways(void **state)
{
	char buf[16];
	uint16_t type, back;

	(void)state;
	assert_string_equal(rrtype_name(DNS_TYPE_HTTPS, buf), "HTTPS");
	assert_string_equal(rrtype_name(65280, buf), "TYPE65280");
	assert_string_equal(rrtype_name(23, buf), "TYPE23");
	for (uint32_t t = 0; t <= UINT16_MAX; t++) {
		type = (uint16_t)t;
		assert_int_equal(rrtype_read(rrtype_name(type, buf), &back), 0);
		assert_int_equal(back, type);
	}
	assert_int_equal(rrtype_read("aaaa", &type), 0);
	assert_int_equal(type, DNS_TYPE_AAAA);
	assert_int_equal(rrtype_read("type28", &type), 0);
	assert_int_equal(rrtype_read("TYPE65536", &type), ERR_RANGE);
	assert_int_equal(rrtype_read("TYPE", &type), ERR_MALFORMED);
	assert_int_equal(rrtype_read("TYPE1x", &type), ERR_MALFORMED);
	assert_int_equal(rrtype_read("TYPE-1", &type), ERR_MALFORMED);
	assert_int_equal(rrtype_read("TYPE000000001", &type), ERR_MALFORMED);
	assert_int_equal(rrtype_read("", &type), ERR_MALFORMED);
	assert_int_equal(rrtype_read("NOPE", &type), ERR_MALFORMED);
}

static void meta_types_are_told(void **state)
{
	(void)state;
	assert_true(rrtype_is_meta(DNS_TYPE_OPT));
	assert_true(rrtype_is_meta(DNS_TYPE_ANY));
	assert_true(rrtype_is_meta(DNS_TYPE_AXFR));
	assert_true(rrtype_is_meta(DNS_TYPE_TSIG));
	assert_true(rrtype_is_meta(0));
	assert_false(rrtype_is_meta(DNS_TYPE_A));
	assert_false(rrtype_is_meta(DNS_TYPE_CAA));
	assert_false(rrtype_is_meta(65280));
}

static void rcodes_have_names(void **state)
{
	char buf[16];

	(void)state;
	assert_string_equal(rcode_name(DNS_RCODE_NXDOMAIN, buf), "NXDOMAIN");
	assert_string_equal(rcode_name(DNS_RCODE_BADVERS, buf), "BADVERS");
	assert_string_equal(rcode_name(DNS_RCODE_BADCOOKIE, buf), "BADCOOKIE");
	assert_string_equal(rcode_name(4095, buf), "RCODE4095");
}

/* rdata that stands behind a header and the name "x." at offset 12 */
static int expand(
	uint16_t type, const void *rdata, size_t len, size_t after, uint8_t *out, size_t *n)
{
	uint8_t *exact = calloc(1, 15 + len + after);
	struct rbuf b = rbuf_of(exact, 15 + len + after);
	struct wbuf w = wbuf_of(out, 512);
	int err;

	memcpy(exact + 12, "\1x", 3);
	memcpy(exact + 15, rdata, len);
	b.pos = 15;
	err = rrtype_expand_rdata(&b, type, (uint16_t)len, &w);
	free(exact);
	*n = w.len;
	if (err != 0)
		assert_int_equal(w.len, 0);
	else
		assert_int_equal(b.pos, 15 + len);
	return err;
}

struct sample {
	uint16_t type;
	const char *rdata;
	size_t len;
	const char *expect;
	size_t expect_len;
};
#define SAME(type, rdata)                                                                          \
	{                                                                                          \
		type, rdata, sizeof(rdata) - 1, rdata, sizeof(rdata) - 1                           \
	}
#define MADE(type, rdata, made)                                                                    \
	{                                                                                          \
		type, rdata, sizeof(rdata) - 1, made, sizeof(made) - 1                             \
	}

static void sound_rdata_is_expanded(void **state)
{
	static const struct sample good[] = {
		SAME(DNS_TYPE_A, "\1\2\3\4"),
		SAME(DNS_TYPE_AAAA, "0123456789abcdef"),
		MADE(DNS_TYPE_NS, "\300\14", "\1x\0"),
		MADE(DNS_TYPE_SOA, "\2ns\300\14\300\14aaaabbbbccccddddeeee",
			"\2ns\1x\0\1x\0aaaabbbbccccddddeeee"),
		MADE(DNS_TYPE_SRV, "\0\1\0\2\0\3\1s\300\14", "\0\1\0\2\0\3\1s\1x\0"),
		MADE(DNS_TYPE_DNAME, "\300\14", "\1x\0"),
		MADE(DNS_TYPE_NAPTR, "\0\1\0\2\1u\0\2!!\300\14", "\0\1\0\2\1u\0\2!!\1x\0"),
		SAME(DNS_TYPE_TXT, "\3abc\0\1d"),
		SAME(DNS_TYPE_TXT, "\0"),
		SAME(DNS_TYPE_HINFO, "\3abc\1d"),
		SAME(DNS_TYPE_DS, "\1\2\10\2d"),
		SAME(DNS_TYPE_DNSKEY, "\1\1\3\10key"),
		SAME(DNS_TYPE_NSEC, "\1n\0\0\6@\1\0\0\0\3"),
		SAME(DNS_TYPE_NSEC, "\1n\0\0\1@\2\1\1"),
		SAME(DNS_TYPE_NSEC3, "\1\0\0\1\2ss\4hash\0\1@"),
		SAME(DNS_TYPE_NSEC3, "\1\0\0\1\0\4hash"),
		SAME(DNS_TYPE_NSEC3PARAM, "\1\0\0\1\2ss"),
		SAME(DNS_TYPE_HTTPS, "\0\1\0\0\1\0\3\2h2\0\4\0\4abcd"),
		SAME(DNS_TYPE_HTTPS, "\0\0\1t\0"),
		SAME(DNS_TYPE_CAA, "\0\5issueca.example"),
		SAME(108, "abcdef"),
		SAME(109, "abcdefgh"),
		SAME(65280, "anything"),
		SAME(65280, ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t out[512];
		size_t n;

		assert_int_equal(expand(good[i].type, good[i].rdata, good[i].len, 8, out, &n), 0);
		assert_int_equal(n, good[i].expect_len);
		assert_memory_equal(out, good[i].expect, n);
	}
}

static void broken_rdata_is_malformed(void **state)
{
	static const struct sample bad[] = {
		SAME(DNS_TYPE_A, "\1\2\3"),
		SAME(DNS_TYPE_A, "\1\2\3\4\5"),
		SAME(DNS_TYPE_AAAA, "0123456789abcde"),
		SAME(DNS_TYPE_NS, ""),
		SAME(DNS_TYPE_NS, "\300"),
		SAME(DNS_TYPE_NS, "\2a"),
		SAME(DNS_TYPE_NS, "\1a"),
		SAME(DNS_TYPE_SOA, "\0\0aaaabbbbccccddddeee"),
		SAME(DNS_TYPE_SOA, "\0\0aaaabbbbccccddddeeeef"),
		SAME(DNS_TYPE_TXT, ""),
		SAME(DNS_TYPE_TXT, "\4abc"),
		SAME(DNS_TYPE_HINFO, "\3abc"),
		SAME(DNS_TYPE_DS, "\1\2\10\2"),
		SAME(DNS_TYPE_DNSKEY, "\1\1\3"),
		SAME(DNS_TYPE_RRSIG, "\0\1\10\2\0\0\1\54....####\1\2\300\14S"),
		SAME(DNS_TYPE_RRSIG, "\0\1\10\2\0\0\1\54....####\1\2\0"),
		SAME(DNS_TYPE_NSEC, "\300\14\0\1@"),
		SAME(DNS_TYPE_NSEC, "\1n\0\0"),
		SAME(DNS_TYPE_NSEC, "\1n\0\0\0"),	/* window of no octets */
		SAME(DNS_TYPE_NSEC, "\1n\0\0\1@\0\1@"), /* windows not rising */
		SAME(DNS_TYPE_NSEC, "\1n\0\0\41@"
				    "0123456789abcdef0123456789abcdef"), /* 33 octets */
		SAME(DNS_TYPE_NSEC3, "\1\0\0\1\0\0"),
		SAME(DNS_TYPE_NSEC3, "\1\0\0\1\7ss\4hash"),
		SAME(DNS_TYPE_NSEC3PARAM, "\1\0\0\1\2sss"),
		SAME(DNS_TYPE_HTTPS, "\0\1\0\0\3\0\0\0\1\0\0"), /* keys not rising */
		SAME(DNS_TYPE_HTTPS, "\0\1\0\0\1\0\3\2h"),
		SAME(DNS_TYPE_HTTPS, "\0\1\300\14"),
		SAME(DNS_TYPE_CAA, "\0\0issue"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t out[512];
		size_t n;

		/* with octets behind to run into, and without */
		assert_int_equal(
			expand(bad[i].type, bad[i].rdata, bad[i].len, 64, out, &n), ERR_MALFORMED);
		assert_int_equal(
			expand(bad[i].type, bad[i].rdata, bad[i].len, 0, out, &n), ERR_MALFORMED);
	}
}

static void cut_rdata_and_a_small_buffer_are_told_apart(void **state)
{
	struct rbuf b = rbuf_of("abc", 3);
	uint8_t out[4];
	struct wbuf w = wbuf_of(out, 2);

	(void)state;
	assert_int_equal(rrtype_expand_rdata(&b, DNS_TYPE_A, 4, &w), ERR_TRUNC);
	b = rbuf_of("abcd", 4);
	assert_int_equal(rrtype_expand_rdata(&b, DNS_TYPE_A, 4, &w), ERR_SPACE);
}

static void names_to_compress_are_found(void **state)
{
	static const uint8_t soa[] = "\2ns\1x\0\1y\0aaaabbbbccccddddeeee";
	static const uint8_t srv[] = "\0\1\0\2\0\3\1s\0";
	size_t pos = 0, at;

	(void)state;
	assert_true(rrtype_next_name(DNS_TYPE_SOA, soa, sizeof(soa) - 1, &pos, &at));
	assert_int_equal(at, 0);
	assert_true(rrtype_next_name(DNS_TYPE_SOA, soa, sizeof(soa) - 1, &pos, &at));
	assert_int_equal(at, 6);
	assert_int_equal(pos, 9);
	assert_false(rrtype_next_name(DNS_TYPE_SOA, soa, sizeof(soa) - 1, &pos, &at));
	pos = 0;
	assert_false(rrtype_next_name(DNS_TYPE_SRV, srv, sizeof(srv) - 1, &pos, &at));
	pos = 0;
	assert_false(rrtype_next_name(65280, srv, sizeof(srv) - 1, &pos, &at));
	/* rdata that is not what its type says is left alone */
	pos = 0;
	assert_false(rrtype_next_name(DNS_TYPE_NS, (const uint8_t *)"\5ab", 3, &pos, &at));
	pos = 0;
	assert_false(rrtype_next_name(DNS_TYPE_MX, (const uint8_t *)"a", 1, &pos, &at));
}

static void canonical_form_lowers_the_right_names(void **state)
{
	uint8_t mx[] = "\0\12\4MAIL\0", nsec[] = "\1N\0\0\1@", srv[] = "\0\1\0\2\0\3\1S\0";
	uint8_t sig[] = "\0\1\10\2\0\0\1\54....####\1\2\2EX\0SIG", txt[] = "\3ABC";
	uint8_t naptr[] = "\0\1\0\2\1U\3SIP\0\1N\0";

	(void)state;
	rrtype_lower_rdata(DNS_TYPE_MX, mx, sizeof(mx) - 1);
	assert_memory_equal(mx, "\0\12\4mail\0", 8);
	rrtype_lower_rdata(DNS_TYPE_SRV, srv, sizeof(srv) - 1);
	assert_memory_equal(srv + 6, "\1s\0", 3);
	rrtype_lower_rdata(DNS_TYPE_NAPTR, naptr, sizeof(naptr) - 1);
	assert_memory_equal(naptr, "\0\1\0\2\1U\3SIP\0\1n\0", 14);
	rrtype_lower_rdata(DNS_TYPE_RRSIG, sig, sizeof(sig) - 1);
	assert_memory_equal(sig + 18, "\2ex\0SIG", 7);
	rrtype_lower_rdata(DNS_TYPE_NSEC, nsec, sizeof(nsec) - 1); /* RFC 6840 5.1 */
	assert_memory_equal(nsec, "\1N\0", 3);
	rrtype_lower_rdata(DNS_TYPE_TXT, txt, sizeof(txt) - 1);
	assert_memory_equal(txt, "\3ABC", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_names_both_ways),
		cmocka_unit_test(meta_types_are_told),
		cmocka_unit_test(rcodes_have_names),
		cmocka_unit_test(sound_rdata_is_expanded),
		cmocka_unit_test(broken_rdata_is_malformed),
		cmocka_unit_test(cut_rdata_and_a_small_buffer_are_told_apart),
		cmocka_unit_test(names_to_compress_are_found),
		cmocka_unit_test(canonical_form_lowers_the_right_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
