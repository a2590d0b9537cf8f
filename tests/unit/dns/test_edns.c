/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/edns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* class, TTL, rdlen, options */
static int parse(unsigned size, uint32_t ttl, const void *options, size_t len, struct edns *out)
{
	uint8_t *exact = calloc(1, 8 + len);
	struct wbuf w = wbuf_of(exact, 8 + len);
	struct rbuf b = rbuf_of(exact, 8 + len);
	int err;

	wbuf_u16(&w, size);
	wbuf_u32(&w, ttl);
	wbuf_u16(&w, (unsigned)len);
	wbuf_put(&w, options, len);
	err = edns_parse(&b, out);
	if (err == 0)
		assert_int_equal(b.pos, 8 + len);
	free(exact);
	return err;
}

static void fields_are_read(void **state)
{
	struct edns e;

	(void)state;
	assert_int_equal(parse(4096, 0x12008000, NULL, 0, &e), 0);
	assert_true(e.present && e.is_do);
	assert_int_equal(e.ext_rcode, 0x12);
	assert_int_equal(e.version, 0);
	assert_int_equal(e.udp_size, 4096);
	assert_int_equal(e.ede, DNS_EDE_NONE);
	assert_int_equal(parse(0, 0, NULL, 0, &e), 0);
	assert_int_equal(e.udp_size, 512);
	assert_false(e.is_do);
}

static void cookies_have_the_lengths_of_rfc_7873(void **state)
{
	struct edns e;

	(void)state;
	for (uint8_t n = 0; n < 60; n++) {
		uint8_t option[64] = {0, EDNS_OPTION_COOKIE, 0, n};
		bool ok = n == 8 || (n >= 16 && n <= 40);

		assert_int_equal(parse(1232, 0, option, 4 + (size_t)n, &e), 0);
		assert_int_equal(e.cookie_len, ok ? n : 0);
		assert_int_equal(e.cookie_malformed, !ok);
	}
}

static void only_the_first_cookie_and_error_count(void **state)
{
	static const char options[] = "\0\12\0\10abcdefgh"
				      "\0\12\0\10ABCDEFGH"
				      "\0\12\0\1x"
				      "\0\17\0\4\0\6hi"
				      "\0\17\0\2\0\7"
				      "\0\17\0\1x";
	struct edns e;

	(void)state;
	assert_int_equal(parse(1232, 0, options, sizeof(options) - 1, &e), 0);
	assert_memory_equal(e.cookie, "abcdefgh", 8);
	assert_false(e.cookie_malformed);
	assert_int_equal(e.ede, 6);
}

static void options_that_run_over_are_malformed(void **state)
{
	struct edns e;

	(void)state;
	assert_int_equal(parse(1232, 0, "\0\12\0", 3, &e), ERR_MALFORMED);
	assert_int_equal(parse(1232, 0, "\0\12\0\1", 4, &e), ERR_MALFORMED);
	assert_int_equal(parse(1232, 0, "\377\377\377\377x", 5, &e), ERR_MALFORMED);
}

static void another_version_is_reported_not_read(void **state)
{
	struct edns e;

	(void)state;
	assert_int_equal(parse(1232, 0x00010000, "\377\377\377\377", 4, &e), 0);
	assert_int_equal(e.version, 1);
}

/* B12: thousands of empty options cost EDNS_OPTION_MAX looks. */
static void a_flood_of_options_is_not_walked(void **state)
{
	uint8_t *options = calloc(1, 65532);
	struct edns e;

	(void)state;
	for (size_t i = 0; i < 65532; i += 4)
		options[i + 1] = 250;
	memcpy(options + 4 * EDNS_OPTION_MAX, "\377\377\377\377", 4); /* would be malformed */
	assert_int_equal(parse(1232, 0, options, 65532, &e), 0);
	memcpy(options + 4 * EDNS_OPTION_MAX - 4, "\377\377\377\377", 4);
	assert_int_equal(parse(1232, 0, options, 65532, &e), ERR_MALFORMED);
	free(options);
}

static void every_cut_is_told(void **state)
{
	struct edns e;

	(void)state;
	for (size_t n = 0; n < 8; n++) {
		uint8_t zero[8] = {0};
		struct rbuf b = rbuf_of(zero, n);

		assert_int_equal(edns_parse(&b, &e), ERR_TRUNC);
	}
}

static void what_is_written_is_read_back(void **state)
{
	char text[300];
	struct edns_reply r = {.udp_size = 1400,
		.rcode = 0x123,
		.is_do = true,
		.cookie_len = 24,
		.cookie = (const uint8_t *)"abcdefghABCDEFGH01234567",
		.ede = DNS_EDE_STALE,
		.ede_text = text};
	uint8_t buf[512];
	struct wbuf w = wbuf_of(buf, sizeof(buf));
	struct rbuf b;
	struct edns e;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[299] = '\0';
	edns_write(&w, &r);
	assert_false(w.bad);
	assert_int_equal(w.len, edns_write_len(&r));
	assert_true(w.len < 300);
	b = rbuf_of(buf, w.len);
	rbuf_skip(&b, 3);
	assert_int_equal(edns_parse(&b, &e), 0);
	assert_int_equal(b.pos, w.len);
	assert_int_equal(e.ext_rcode, 0x12);
	assert_int_equal(e.cookie_len, 24);
	assert_int_equal(e.ede, DNS_EDE_STALE);
	r = (struct edns_reply){.ede = DNS_EDE_NONE};
	assert_int_equal(edns_write_len(&r), EDNS_PLAIN_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read),
		cmocka_unit_test(cookies_have_the_lengths_of_rfc_7873),
		cmocka_unit_test(only_the_first_cookie_and_error_count),
		cmocka_unit_test(options_that_run_over_are_malformed),
		cmocka_unit_test(another_version_is_reported_not_read),
		cmocka_unit_test(a_flood_of_options_is_not_walked),
		cmocka_unit_test(every_cut_is_told),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
