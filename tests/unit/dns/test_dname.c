/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/dname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ip.h"

static const uint8_t HEADER[12];

/* A message: 12 octets of header, then these. */
static struct rbuf message(uint8_t *buf, const void *octets, size_t len, size_t pos)
{
	struct rbuf b;

	memcpy(buf, HEADER, 12);
	memcpy(buf + 12, octets, len);
	b = rbuf_of(buf, 12 + len);
	b.pos = 12 + pos;
	return b;
}

static int parse(
	const void *octets, size_t len, size_t pos, uint8_t *out, size_t *out_len, struct rbuf *b)
{
	uint8_t *buf = malloc(12 + len);
	int err;

	*b = message(buf, octets, len, pos);
	err = dname_parse(b, out, out_len);
	free(buf);
	return err;
}

static const uint8_t *name(const char *text)
{
	static uint8_t store[8][DNAME_MAX];
	static unsigned i;
	size_t len;
	uint8_t *out = store[i++ % 8];

	assert_int_equal(dname_read(text, out, &len), 0);
	assert_int_equal(dname_len(out), len);
	return out;
}

static void parse_expands_pointers_and_ends_behind_the_first(void **state)
{
	static const uint8_t wire[] = "\3com\0\7Example\300\14\3www\300\21xx";
	uint8_t out[DNAME_MAX];
	struct rbuf b;
	size_t len;

	(void)state;
	assert_int_equal(parse(wire, sizeof(wire) - 1, 15, out, &len, &b), 0);
	assert_memory_equal(out, "\3www\7Example\3com", 17);
	assert_int_equal(len, 17);
	assert_int_equal(b.pos, 12 + 21);
	assert_false(b.bad);
}

static void parse_refuses_pointers_that_do_not_lead_strictly_back(void **state)
{
	static const struct {
		const char *octets;
		size_t len, pos;
	} bad[] = {
		{"\300\14", 2, 0},		    /* itself */
		{"\300\16\1a", 4, 0},		    /* forward */
		{"\300\16\300\14", 4, 2},	    /* two that point at each other */
		{"\300\0", 2, 0},		    /* into the header */
		{"\300\13", 2, 0},		    /* its last octet */
		{"\1a\300\14", 4, 0},		    /* the start of its own part */
		{"\1a\300\16", 4, 0},		    /* its own first octet */
		{"\377\377", 2, 0},		    /* far past the end */
		{"\1a\1b\300\16\1c\300\20", 10, 6}, /* back into a part that loops */
	};
	uint8_t out[DNAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rbuf b;
		size_t len = 99;

		assert_int_equal(
			parse(bad[i].octets, bad[i].len, bad[i].pos, out, &len, &b), ERR_MALFORMED);
		assert_true(b.bad);
		assert_int_equal(len, 99);
	}
}

static void parse_refuses_what_is_cut_short(void **state)
{
	static const char *const cut[] = {"", "\1", "\3ww", "\3www", "\300", "\1a\300"};
	static const size_t lens[] = {0, 1, 3, 4, 1, 3};
	uint8_t out[DNAME_MAX];
	struct rbuf b;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(parse(cut[i], lens[i], 0, out, &len, &b), ERR_TRUNC);
	assert_int_equal(parse("\100a\0", 3, 0, out, &len, &b), ERR_MALFORMED);
	assert_int_equal(parse("\200a\0", 3, 0, out, &len, &b), ERR_MALFORMED);
}

/* A name of n octets, n >= 131, made of two labels of 63 and one or two more. */
static size_t long_name(uint8_t *out, size_t n)
{
	size_t at = 0;

	while (n - at > 1) {
		size_t label = n - at - 2;

		if (label > 63)
			label = n - at - 1 - 64 == 1 ? 62 : 63;
		out[at] = (uint8_t)label;
		memset(out + at + 1, 'x', label);
		at += 1 + label;
	}
	out[at++] = 0;
	return at;
}

static void names_end_at_255_octets(void **state)
{
	uint8_t wire[300], out[DNAME_MAX];
	struct rbuf b;
	size_t len;

	(void)state;
	assert_int_equal(long_name(wire, 255), 255);
	assert_int_equal(parse(wire, 255, 0, out, &len, &b), 0);
	assert_int_equal(len, 255);
	b = rbuf_of(wire, 255);
	assert_int_equal(dname_parse_plain(&b, out, &len), 0);
	b = rbuf_of(wire, 255);
	assert_int_equal(dname_skip(&b), 0);
	assert_int_equal(b.pos, 255);

	assert_int_equal(long_name(wire, 256), 256);
	assert_int_equal(parse(wire, 256, 0, out, &len, &b), ERR_MALFORMED);
	b = rbuf_of(wire, 256);
	assert_int_equal(dname_parse_plain(&b, out, &len), ERR_MALFORMED);
	b = rbuf_of(wire, 256);
	assert_int_equal(dname_skip(&b), ERR_MALFORMED);
}

static void parse_refuses_a_name_that_pointers_make_too_long(void **state)
{
	uint8_t wire[600], out[DNAME_MAX];
	struct rbuf b;
	size_t n = long_name(wire, 250), len;

	(void)state;
	memcpy(wire + n, "\6abcdef\300\14", 9);
	assert_int_equal(parse(wire, n + 9, n, out, &len, &b), ERR_MALFORMED);
	memcpy(wire + n, "\4abcd\300\14", 7);
	assert_int_equal(parse(wire, n + 7, n, out, &len, &b), 0);
	assert_int_equal(len, 255);
}

/* Labels that each stand before a pointer of their own. */
static size_t ladder(uint8_t *wire, unsigned steps, size_t *last)
{
	size_t at = 1;

	wire[0] = 0;
	*last = 0;
	for (unsigned i = 0; i < steps; i++) {
		size_t target = 12 + *last;

		*last = at;
		wire[at++] = 1;
		wire[at++] = 'a';
		wire[at++] = (uint8_t)(0xc0 | target >> 8);
		wire[at++] = (uint8_t)target;
	}
	return at;
}

static void a_ladder_of_pointers_is_followed_so_far_and_no_farther(void **state)
{
	uint8_t wire[600], out[DNAME_MAX];
	size_t last, len, at = ladder(wire, DNAME_POINTERS_MAX, &last);
	struct rbuf b;

	(void)state;
	assert_int_equal(parse(wire, at, last, out, &len, &b), 0);
	assert_int_equal(dname_labels(out), DNAME_POINTERS_MAX);
	at = ladder(wire, DNAME_POINTERS_MAX + 1, &last);
	assert_int_equal(parse(wire, at, last, out, &len, &b), ERR_MALFORMED);
}

static void plain_refuses_pointers(void **state)
{
	uint8_t out[DNAME_MAX];
	struct rbuf b = rbuf_of("\1a\300\0", 4);
	size_t len;

	(void)state;
	assert_int_equal(dname_parse_plain(&b, out, &len), ERR_MALFORMED);
	assert_true(b.bad);
	b = rbuf_of("\1a", 2);
	assert_int_equal(dname_parse_plain(&b, out, &len), ERR_TRUNC);
}

static void skip_ends_behind_a_pointer(void **state)
{
	struct rbuf b = rbuf_of("\1a\300\0x", 5);

	(void)state;
	assert_int_equal(dname_skip(&b), 0);
	assert_int_equal(b.pos, 4);
	b = rbuf_of("\1a\300", 3);
	assert_int_equal(dname_skip(&b), ERR_TRUNC);
	b = rbuf_of("\2a", 2);
	assert_int_equal(dname_skip(&b), ERR_TRUNC);
	assert_int_equal(dname_skip(&b), ERR_TRUNC);
}

static void text_both_ways(void **state)
{
	static const char *const same[] = {".", "a.", "www.Example.com.", "\\.a\\\\b.c.",
		"a\\000b.", "\\255\\032\\127.x.", "\\@\\;\\\"\\(\\)\\$."};
	char buf[DNAME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_string_equal(dname_format(name(same[i]), buf), same[i]);
	assert_string_equal(dname_format(name("nas.home.arpa"), buf), "nas.home.arpa.");
	assert_string_equal(dname_format(name("\\097"), buf), "a.");
}

static void read_refuses_bad_text(void **state)
{
	static const char *const bad[] = {
		"", "..", ".a", "a..b", "a..", "\\", "a\\", "\\25", "\\256", "\\2x5", "a\\1"};
	uint8_t out[DNAME_MAX];
	char text[400];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(dname_read(bad[i], out, &len), ERR_MALFORMED);
	memset(text, 'a', 64);
	text[64] = '\0';
	assert_int_equal(dname_read(text, out, &len), ERR_RANGE);
	text[63] = '\0';
	assert_int_equal(dname_read(text, out, &len), 0);
	assert_int_equal(len, 65);
}

static void read_takes_255_octets_and_no_more(void **state)
{
	uint8_t wire[300], out[DNAME_MAX];
	char text[DNAME_TEXT_MAX + 200];
	size_t len;

	(void)state;
	long_name(wire, 255);
	dname_format(wire, text);
	assert_int_equal(dname_read(text, out, &len), 0);
	assert_int_equal(len, 255);
	text[strlen(text) - 1] = '\0'; /* without the last dot */
	assert_int_equal(dname_read(text, out, &len), 0);
	strcat(text, "x.");
	assert_int_equal(dname_read(text, out, &len), ERR_RANGE);
	for (size_t i = 0; i < 254; i++)
		memcpy(text + 2 * i, "a.", 3);
	assert_int_equal(dname_read(text, out, &len), ERR_RANGE);
	text[254] = '\0';
	assert_int_equal(dname_read(text, out, &len), 0);
	assert_int_equal(dname_labels(out), 127);
}

static void longest_text_fits_its_buffer(void **state)
{
	uint8_t wire[300];
	char text[DNAME_TEXT_MAX];

	(void)state;
	long_name(wire, 255);
	for (size_t at = 0; wire[at]; at += 1 + (size_t)wire[at])
		memset(wire + at + 1, 0xff, wire[at]);
	assert_true(strlen(dname_format(wire, text)) < DNAME_TEXT_MAX);
}

static void equality_ignores_ascii_case_only(void **state)
{
	(void)state;
	assert_true(dname_equal(name("WWW.Example.COM"), name("www.eXAMPLE.com")));
	assert_false(dname_equal(name("www.example.com"), name("www.example.org")));
	assert_false(dname_equal(name("a.b"), name("ab")));
	/* neighbours of the letters, and the same with the top bit set */
	assert_false(dname_equal(name("\\064abcdefg"), name("\\096abcdefg")));
	assert_false(dname_equal(name("\\091abcdefg"), name("\\123abcdefg")));
	assert_false(dname_equal(name("\\193abcdefg"), name("\\225abcdefg")));
	assert_false(dname_equal(name("\\193"), name("\\225")));
	assert_true(dname_equal(name("\\065\\090bcdefg"), name("\\097\\122bcdefg")));
}

static void under_is_by_whole_labels(void **state)
{
	(void)state;
	assert_true(dname_is_under(name("nas.home.arpa"), name("HOME.arpa")));
	assert_true(dname_is_under(name("home.arpa"), name("home.arpa")));
	assert_true(dname_is_under(name("home.arpa"), name(".")));
	assert_false(dname_is_under(name("myhome.arpa"), name("home.arpa")));
	assert_false(dname_is_under(name("arpa"), name("home.arpa")));
	/* the octets of the zone inside a label are not the zone */
	assert_false(dname_is_under(name("x\\004home\\004arpa"), name("home.arpa")));
}

static void suffixes_are_counted_from_the_root(void **state)
{
	const uint8_t *n = name("a.b.c.d");

	(void)state;
	assert_int_equal(dname_common(n, name("x.C.d")), 2);
	assert_int_equal(dname_common(n, name("e")), 0);
	assert_int_equal(dname_common(n, n), 4);
	assert_true(dname_equal(dname_strip(n, 2), name("c.d")));
	assert_true(dname_equal(dname_suffix(n, 1), name("d")));
	assert_true(dname_equal(dname_suffix(n, 0), name(".")));
	assert_ptr_equal(dname_suffix(n, 4), n);
	assert_true(dname_equal(dname_strip(n, 9), name(".")));
}

static void order_is_that_of_rfc_4034(void **state)
{
	static const char *const order[] = {"example", "a.example", "yljkjljk.a.example",
		"Z.a.example", "zABC.a.EXAMPLE", "z.example", "\\001.z.example", "*.z.example",
		"\\200.z.example"};

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		for (size_t k = 0; k < 9; k++) {
			int c = dname_compare(name(order[i]), name(order[k]));

			assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
		}
	}
}

static void hash_is_that_of_the_lower_case_name(void **state)
{
	struct hash_key key = {1, 2};
	char text[80] = "";

	(void)state;
	/* every length modulo eight */
	for (unsigned i = 0; i < 40; i++) {
		uint8_t lower[DNAME_MAX];
		const uint8_t *n;
		size_t len;

		text[i] = (char)(i % 2 ? 'Q' : 'z');
		n = name(text);
		len = dname_copy_lower(n, lower);
		assert_int_equal(dname_hash(&key, n, len), hash_bytes(&key, lower, len));
		assert_int_equal(dname_hash(&key, n, len), dname_hash(&key, lower, len));
	}
	assert_true(dname_hash(&key, name("a"), 3) != dname_hash(&key, name("b"), 3));
}

static void lowering_leaves_lengths_and_high_octets_alone(void **state)
{
	uint8_t n[DNAME_MAX] = {4, 'A', 0xc1, 'Z', '[', 1, '@', 0};

	(void)state;
	dname_lower(n, 8);
	assert_memory_equal(n, "\4a\301z[\1@", 8);
}

static void join_knows_the_limit(void **state)
{
	uint8_t long_one[300], out[DNAME_MAX];
	size_t len;

	(void)state;
	assert_int_equal(dname_join((const uint8_t *)"\1a\1b", 4, name("c.d"), out, &len), 0);
	assert_true(dname_equal(out, name("a.b.c.d")));
	assert_int_equal(len, 9);
	long_name(long_one, 251);
	assert_int_equal(dname_join((const uint8_t *)"\1a\1b", 4, long_one, out, &len), 0);
	assert_int_equal(len, 255);
	long_name(long_one, 252);
	assert_int_equal(dname_join((const uint8_t *)"\1a\1b", 4, long_one, out, &len), ERR_SPACE);
}

static void addresses_become_names_and_return(void **state)
{
	static const char *const ips[] = {"192.168.1.10", "0.0.0.0", "255.100.9.99", "fd77::1",
		"2001:db8:ffff:1234:5678:9abc:def0:1"};
	uint8_t out[DNAME_MAX];
	struct ip ip, back;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(ip_read(ips[i], &ip), 0);
		len = dname_from_ip(&ip, out);
		assert_int_equal(len, dname_len(out));
		assert_true(dname_to_ip(out, &back));
		assert_true(ip_equal(&ip, &back));
	}
	assert_int_equal(ip_read("192.168.1.10", &ip), 0);
	dname_from_ip(&ip, out);
	assert_true(dname_equal(out, name("10.1.168.192.in-addr.arpa")));
	assert_true(dname_to_ip(name("1.0.0.127.IN-ADDR.arpa"), &ip));
	assert_true(ip_is_loopback(&ip));
}

static void near_misses_are_no_addresses(void **state)
{
	static const char *const bad[] = {"in-addr.arpa", "1.168.192.in-addr.arpa",
		"256.1.168.192.in-addr.arpa", "01.1.168.192.in-addr.arpa",
		"x.1.168.192.in-addr.arpa", "1.1.1.1.1.in-addr.arpa", "1000.1.1.1.in-addr.arpa",
		"1.ip6.arpa",
		"g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
		"10.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
		"1.0.0.127.in-addr.arpb"};
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(dname_to_ip(name(bad[i]), &ip));
	assert_true(dname_is_wildcard(name("*.a")));
	assert_false(dname_is_wildcard(name("**.a")));
	assert_false(dname_is_wildcard(name("a.*")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_expands_pointers_and_ends_behind_the_first),
		cmocka_unit_test(parse_refuses_pointers_that_do_not_lead_strictly_back),
		cmocka_unit_test(parse_refuses_what_is_cut_short),
		cmocka_unit_test(names_end_at_255_octets),
		cmocka_unit_test(parse_refuses_a_name_that_pointers_make_too_long),
		cmocka_unit_test(a_ladder_of_pointers_is_followed_so_far_and_no_farther),
		cmocka_unit_test(plain_refuses_pointers),
		cmocka_unit_test(skip_ends_behind_a_pointer),
		cmocka_unit_test(text_both_ways),
		cmocka_unit_test(read_refuses_bad_text),
		cmocka_unit_test(read_takes_255_octets_and_no_more),
		cmocka_unit_test(longest_text_fits_its_buffer),
		cmocka_unit_test(equality_ignores_ascii_case_only),
		cmocka_unit_test(under_is_by_whole_labels),
		cmocka_unit_test(suffixes_are_counted_from_the_root),
		cmocka_unit_test(order_is_that_of_rfc_4034),
		cmocka_unit_test(hash_is_that_of_the_lower_case_name),
		cmocka_unit_test(lowering_leaves_lengths_and_high_octets_alone),
		cmocka_unit_test(join_knows_the_limit),
		cmocka_unit_test(addresses_become_names_and_return),
		cmocka_unit_test(near_misses_are_no_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
