/* SPDX-License-Identifier: Apache-2.0 */
/* Names that clients send, forty of them and more: a clean label or none, never trouble. */
#include "dhcp/ddname.h"

#include "fake_lan.h"

struct name_case {
	const char *text;
	size_t len; /* 0: strlen */
	const char *want;
};

static void every_name_becomes_one_clean_label_or_none(void **state)
{
	static const struct name_case cases[] = {
		{"nas", 0, "nas"},
		{"NAS", 0, "nas"},
		{"nas.lab.test", 0, "nas"},
		{"nas.lab.test.", 0, "nas"},
		{"a.b.c", 0, "a"},
		{".", 0, ""},
		{"..", 0, ""},
		{".nas", 0, ""},
		{"-a", 0, "a"},
		{"a-", 0, "a"},
		{"---", 0, ""},
		{"_x", 0, "x"},
		{"x_y", 0, "x-y"},
		{"10", 0, "10"},
		{"10.77.0.5", 0, ""},
		{"nas\0", 4, "nas"},
		{"nas\0\0 \0", 7, "nas"},
		{"nas  ", 0, "nas"},
		{" nas", 0, "nas"},
		{"na\0s", 4, ""},
		{"nas\n", 0, ""},
		{"nas\r\nx", 0, ""},
		{"\x1b[31mred", 0, ""},
		{"nas\x7f", 0, ""},
		{"<script>alert(1)</script>", 0, "script-alert-1-script"},
		{"$(reboot)", 0, "reboot"},
		{"`id`", 0, "id"},
		{"a;b|c&d", 0, "a-b-c-d"},
		{"John's iPhone", 0, "johns-iphone"},
		{"b\xc3\xbcro", 0, "b-ro"},
		{"\xe2\x98\x83", 0, ""},
		{"xn--bro-hoa", 0, "xn--bro-hoa"},
		{"android-1a2b3c4d5e6f", 0, "android-1a2b3c4d5e6f"},
		{"*", 0, ""},
		{"*.lab.test", 0, ""},
		{"a b  c", 0, "a-b-c"},
		{"a - b", 0, "a-b"},
		{"=cmd", 0, "cmd"},
		{"../../etc/passwd", 0, ""},
		{"%s%n", 0, "s-n"},
		{"\xff\xfe", 0, ""},
	};
	char out[DDNAME_LEN];

	(void)state;
	ddname_clean_text((const uint8_t *)"", 0, out);
	assert_string_equal("", out);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
		uint8_t *exact = xmemdup(cases[i].text, len);

		ddname_clean_text(exact, len, out);
		assert_string_equal(cases[i].want, out);
		xfree(exact);
	}
}

static void long_names_are_cut_to_a_label(void **state)
{
	static const size_t lens[] = {62, 63, 64, 255, 256, 1000};
	uint8_t text[1000];
	char out[DDNAME_LEN];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ddname_clean_text(text, lens[i], out);
		assert_int_equal(lens[i] < 63 ? lens[i] : 63, strlen(out));
	}
	for (size_t n = 58; n < 70; n++) { /* signs and hyphens around the cut */
		memset(text, 'a', sizeof(text));
		text[n] = ' ';
		text[n - 3] = '-';
		ddname_clean_text(text, 80, out);
		assert_true(strlen(out) <= 63);
		assert_true(out[strlen(out) - 1] != '-');
	}
}

/* Options of a message with the given bytes behind the header. */
static struct ddname_asked asked_of(const void *options, size_t len, struct opt4 *o, uint8_t *buf)
{
	memset(buf, 0, DHCP_HEADER_LEN);
	memcpy(buf + DHCP_HEADER_LEN, options, len);
	assert_int_equal(0, opt4_parse(o, buf, DHCP_HEADER_LEN + len));
	return ddname_asked(o);
}

static void the_fqdn_option_comes_before_the_host_name(void **state)
{
	static const uint8_t both[] = {12, 3, 'o', 'l', 'd', 81, 6, 0, 0, 0, 'n', 'e', 'w'};
	static const uint8_t empty[] = {12, 3, 'o', 'l', 'd', 81, 3, 1, 0, 0};
	static const uint8_t cut[] = {12, 3, 'o', 'l', 'd', 81, 2, 1, 0};
	uint8_t buf[512];
	char out[DDNAME_LEN];
	struct ddname_asked a;
	struct opt4 o;

	(void)state;
	a = asked_of(both, sizeof(both), &o, buf);
	ddname_clean(&a, out);
	assert_string_equal("new", out);
	a = asked_of(empty, sizeof(empty), &o, buf);
	assert_true(a.has_fqdn);
	ddname_clean(&a, out);
	assert_string_equal("old", out);
	a = asked_of(cut, sizeof(cut), &o, buf);
	assert_false(a.has_fqdn);
}

static void the_wire_form_of_a_name_is_read_within_its_bounds(void **state)
{
	static const struct {
		uint8_t bytes[16];
		size_t len;
		const char *want;
	} cases[] = {
		{{81, 8, 4, 0, 0, 3, 'n', 'a', 's', 0}, 10, "nas"},
		{{81, 7, 4, 0, 0, 3, 'n', 'a', 's'}, 9, "nas"}, /* no root: a partial name */
		{{81, 7, 4, 0, 0, 9, 'n', 'a', 's'}, 9, ""},	/* runs past the end */
		{{81, 5, 4, 0, 0, 0xc0, 3}, 7, ""},		/* a compression pointer */
		{{81, 4, 4, 0, 0, 0}, 6, ""},
		{{81, 4, 4, 0, 0, 64}, 6, ""},
	};
	uint8_t buf[512];
	char out[DDNAME_LEN];
	struct opt4 o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ddname_asked a = asked_of(cases[i].bytes, cases[i].len, &o, buf);

		ddname_clean(&a, out);
		assert_string_equal(cases[i].want, out);
	}
}

static void reserved_names_are_known(void **state)
{
	static const char *const ours[] = {"Router"};

	(void)state;
	assert_true(ddname_is_reserved("wpad", NULL, 0));
	assert_true(ddname_is_reserved("isatap", NULL, 0));
	assert_true(ddname_is_reserved("arpa", NULL, 0));
	assert_true(ddname_is_reserved("router", ours, 1));
	assert_false(ddname_is_reserved("router", NULL, 0));
	assert_false(ddname_is_reserved("tv", NULL, 0));
	assert_false(ddname_is_reserved("nas", ours, 1));
}

static void a_suffix_is_steady_and_fits(void **state)
{
	char a[DDNAME_LEN], b[DDNAME_LEN], label[DDNAME_LEN];

	(void)state;
	ddname_suffix("nas", 42, 0, a);
	ddname_suffix("nas", 42, 0, b);
	assert_string_equal(a, b);
	ddname_suffix("nas", 42, 1, b);
	assert_string_not_equal(a, b);
	ddname_suffix("nas", 43, 0, b);
	assert_string_not_equal(a, b);
	memset(label, 'x', 63);
	label[63] = '\0';
	label[57] = '-';
	ddname_suffix(label, 42, 0, a);
	assert_true(strlen(a) <= 63);
	assert_int_equal('-', a[strlen(a) - 5]);
	assert_int_not_equal('-', a[strlen(a) - 6]);
}

static void fqdn_replies_say_who_updates(void **state)
{
	static const struct {
		uint8_t asked, want;
		const char *granted;
	} cases[] = {
		{0x00, 0x03, "nas"}, /* client wanted to: overridden */
		{0x01, 0x01, "nas"},
		{0x05, 0x05, "nas"},
		{0x08, 0x03, "nas"},
		{0x01, 0x0a, ""},
		{0x00, 0x08, ""},
	};
	uint8_t out[DDNAME_FQDN_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ddname_asked a = {.has_fqdn = true, .fqdn_flags = cases[i].asked};

		ddname_fqdn_reply(&a, cases[i].granted, "lab.test", out, &len);
		assert_true(len >= 3);
		assert_int_equal(cases[i].want, out[0]);
		assert_int_equal(255, out[1]);
		assert_int_equal(255, out[2]);
	}
	ddname_fqdn_reply(&(struct ddname_asked){0}, "nas", "lab.test", out, &len);
	assert_int_equal(0, len);
}

static void an_fqdn_too_long_for_the_wire_is_left_out(void **state)
{
	struct ddname_asked a = {.has_fqdn = true, .fqdn_flags = 4};
	uint8_t out[DDNAME_FQDN_MAX];
	char domain[256];
	size_t len;

	(void)state;
	for (size_t i = 0; i < 255; i++)
		domain[i] = i % 50 == 49 ? '.' : 'd';
	domain[255] = '\0';
	ddname_fqdn_reply(&a, "nas", domain, out, &len);
	assert_int_equal(0, len);
	a.fqdn_flags = 0;
	ddname_fqdn_reply(&a, "nas", domain, out, &len);
	assert_int_equal(0, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_becomes_one_clean_label_or_none),
		cmocka_unit_test(long_names_are_cut_to_a_label),
		cmocka_unit_test(the_fqdn_option_comes_before_the_host_name),
		cmocka_unit_test(the_wire_form_of_a_name_is_read_within_its_bounds),
		cmocka_unit_test(reserved_names_are_known),
		cmocka_unit_test(a_suffix_is_steady_and_fits),
		cmocka_unit_test(fqdn_replies_say_who_updates),
		cmocka_unit_test(an_fqdn_too_long_for_the_wire_is_left_out),
	};

	return FAKE_RUN(tests);
}
