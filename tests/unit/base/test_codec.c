/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/codec.h"
#include "base/xalloc.h"

static void hex_goes_there_and_back(void **state)
{
	static const uint8_t data[] = {0x00, 0x11, 0xab, 0xff};
	uint8_t back[8];
	size_t n;
	char buf[32];

	(void)state;
	assert_string_equal(codec_hex(data, 4, ':', buf, sizeof(buf)), "00:11:ab:ff");
	assert_string_equal(codec_hex(data, 4, 0, buf, sizeof(buf)), "0011abff");
	assert_string_equal(codec_hex(data, 0, ':', buf, sizeof(buf)), "");
	assert_int_equal(codec_unhex("00:11:AB-fF", back, sizeof(back), &n), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(back, data, 4);
	assert_int_equal(codec_unhex("0011abff", back, sizeof(back), &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(codec_unhex("", back, sizeof(back), &n), 0);
	assert_int_equal(n, 0);
}

static void hex_is_cut_between_bytes(void **state)
{
	static const uint8_t data[] = {1, 2, 3};

	(void)state;
	for (size_t cap = 0; cap < 12; cap++) {
		char *buf = xalloc(cap);

		codec_hex(data, 3, ':', buf, cap);
		if (cap > 0) {
			assert_true(strlen(buf) < cap);
			assert_true(strlen(buf) == 0 || strlen(buf) % 3 == 2);
			assert_int_equal(strncmp("01:02:03", buf, strlen(buf)), 0);
		}
		xfree(buf);
	}
}

static void what_is_no_hex_is_refused(void **state)
{
	static const char *const texts[] = {
		"0", "000", "0g", "g0", ":00", "00:", "00::11", "00 11", "00:1", "-", "0x00"};
	uint8_t out[8];
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(codec_unhex(texts[i], out, sizeof(out), &n), ERR_MALFORMED);
	assert_int_equal(codec_unhex("000102", out, 2, &n), ERR_SPACE);
	assert_int_equal(n, 77);
}

static void macs(void **state)
{
	static const char *const good[] = {
		"00:11:22:33:44:05", "0:11:22:33:44:5", "00-11-22-33-44-05"};
	static const char *const bad[] = {"", "00:11:22:33:44", "00:11:22:33:44:05:06",
		"00:11:22:33:44:055", "00:11:22:33:44:", "001122334405", "00:11:22:33:44:0g",
		"00:11:22:33:44:05 ", "::::::"};
	static const uint8_t want[6] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x05};
	uint8_t mac[6];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		memset(mac, 0xee, 6);
		assert_int_equal(codec_mac_read(good[i], mac), 0);
		assert_memory_equal(mac, want, 6);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(codec_mac_read(bad[i], mac), ERR_MALFORMED);
		assert_memory_equal(mac, want, 6); /* left alone */
	}
}

static void strangers_text_cannot_move_the_cursor(void **state)
{
	static const char nasty[] = "a\\\n\x1b[2J\x7f\xc3\xa9 z\0!";
	char buf[128];

	(void)state;
	assert_string_equal(codec_escape(nasty, sizeof(nasty) - 1, buf, sizeof(buf)),
		"a\\x5c\\x0a\\x1b[2J\\x7f\\xc3\\xa9 z\\x00!");
}

static void an_escape_is_never_cut_in_two(void **state)
{
	static const char text[] = "ab\ncd\ne";
	static const char want[] = "ab\\x0acd\\x0ae";

	(void)state;
	for (size_t cap = 0; cap < 20; cap++) {
		char *buf = xalloc(cap), *slash;

		codec_escape(text, 7, buf, cap);
		if (cap > 0) {
			assert_true(strlen(buf) < cap);
			assert_int_equal(strncmp(want, buf, strlen(buf)), 0);
			slash = strrchr(buf, '\\');
			assert_true(!slash || strlen(slash) >= 4);
		}
		xfree(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(hex_is_cut_between_bytes),
		cmocka_unit_test(what_is_no_hex_is_refused),
		cmocka_unit_test(macs),
		cmocka_unit_test(strangers_text_cannot_move_the_cursor),
		cmocka_unit_test(an_escape_is_never_cut_in_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
