/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/opt4.h"

#include "fake_lan.h"

/* A header, then the given bytes as options; on the heap to its exact length. */
struct raw {
	uint8_t *bytes;
	size_t len;
};

static struct raw raw_of(const void *options, size_t len)
{
	struct raw r = {.len = DHCP_HEADER_LEN + len};

	r.bytes = xcalloc(1, r.len);
	memcpy(r.bytes + DHCP_HEADER_LEN, options, len);
	return r;
}

static int parse(struct opt4 *o, const struct raw *r)
{
	return opt4_parse(o, r->bytes, r->len);
}

#define RAW(...) raw_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void options_are_found_by_number(void **state)
{
	struct raw r = RAW(0, 0, 53, 1, 3, 12, 3, 'a', 'b', 'c', 0, 51, 4, 0, 0, 1, 0, 255, 9, 9);
	struct opt4 o;
	uint8_t type;
	uint32_t lease;
	size_t len;

	(void)state;
	assert_int_equal(0, parse(&o, &r));
	assert_true(opt4_u8(&o, 53, &type));
	assert_int_equal(3, type);
	assert_true(opt4_u32(&o, 51, &lease));
	assert_int_equal(256, lease);
	assert_memory_equal("abc", opt4_get(&o, 12, &len), 3);
	assert_int_equal(3, len);
	assert_null(opt4_get(&o, 9, &len)); /* behind the end */
	assert_false(opt4_has(&o, 0));
	assert_false(opt4_has(&o, 255));
	xfree(r.bytes);
}

static void a_missing_end_is_taken_for_one(void **state)
{
	struct raw r = RAW(53, 1, 3);
	struct opt4 o;

	(void)state;
	assert_int_equal(0, parse(&o, &r));
	assert_true(opt4_has(&o, 53));
	xfree(r.bytes);
}

static void lengths_past_the_end_are_malformed(void **state)
{
	struct raw cases[] = {RAW(53), RAW(53, 1), RAW(12, 255, 'a'), RAW(53, 1, 1, 12, 2, 'a')};
	struct opt4 o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ERR_MALFORMED, parse(&o, &cases[i]));
		xfree(cases[i].bytes);
	}
}

static void wrong_sizes_are_not_numbers(void **state)
{
	struct raw r = RAW(51, 3, 1, 2, 3, 57, 1, 4, 53, 0, 93, 4, 0, 7, 0, 9, 255);
	struct opt4 o;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	size_t len;

	(void)state;
	assert_int_equal(0, parse(&o, &r));
	assert_false(opt4_u32(&o, 51, &u32));
	assert_false(opt4_u16(&o, 57, &u16));
	assert_false(opt4_u8(&o, 53, &u8));
	assert_true(opt4_has(&o, 53));
	opt4_get(&o, 53, &len);
	assert_int_equal(0, len);
	assert_true(opt4_u16(&o, 93, &u16)); /* a list: its first */
	assert_int_equal(7, u16);
	xfree(r.bytes);
}

static void parts_of_an_option_are_joined(void **state)
{
	struct raw r =
		RAW(12, 2, 'a', 'b', 61, 1, 7, 12, 1, 'c', 61, 2, 8, 9, 12, 0, 55, 1, 1, 255);
	struct opt4 o;
	size_t len;

	(void)state;
	assert_int_equal(0, parse(&o, &r));
	assert_memory_equal("abc", opt4_get(&o, 12, &len), 3);
	assert_int_equal(3, len);
	assert_memory_equal("\7\10\11", opt4_get(&o, 61, &len), 3);
	assert_int_equal(3, len);
	assert_memory_equal("\1", opt4_get(&o, 55, &len), 1);
	xfree(r.bytes);
}

static void empty_parts_join_to_an_empty_option(void **state)
{
	struct raw r = RAW(80, 0, 80, 0, 255);
	struct opt4 o;
	size_t len = 9;

	(void)state;
	assert_int_equal(0, parse(&o, &r));
	assert_true(opt4_has(&o, 80));
	opt4_get(&o, 80, &len);
	assert_int_equal(0, len);
	xfree(r.bytes);
}

static void an_overload_adds_file_and_sname(void **state)
{
	static const uint8_t want[][3] = {{1, 1, 0}, {2, 0, 1}, {3, 1, 1}};
	struct opt4 o;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct raw r = RAW(52, 1, want[i][0], 12, 1, 'a', 255);

		memcpy(r.bytes + DHCP_FILE_AT, "\14\1b\x3c\1v\xff", 7);
		memcpy(r.bytes + DHCP_SNAME_AT, "\14\1c\x3d\1i\xff", 7);
		assert_int_equal(0, parse(&o, &r));
		assert_int_equal(want[i][1], opt4_has(&o, 60));
		assert_int_equal(want[i][2], opt4_has(&o, 61));
		assert_int_equal(want[i][1], o.file_taken);
		assert_int_equal(want[i][2], o.sname_taken);
		opt4_get(&o, 12, &len);
		assert_int_equal(1u + want[i][1] + want[i][2], len);
		if (i == 2) /* RFC 3396 5: options, file, sname */
			assert_memory_equal("abc", opt4_get(&o, 12, &len), 3);
		xfree(r.bytes);
	}
}

static void a_nonsensical_overload_is_malformed(void **state)
{
	struct raw cases[] = {RAW(52, 1, 0, 255), RAW(52, 1, 4, 255), RAW(52, 0, 255),
		RAW(52, 2, 1, 1, 255), RAW(52, 1, 1, 52, 1, 2, 255)};
	struct raw deep = RAW(52, 1, 1, 255);
	struct opt4 o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ERR_MALFORMED, parse(&o, &cases[i]));
		xfree(cases[i].bytes);
	}
	/* An overload inside an overload is only bytes; its field must still hold together. */
	memcpy(deep.bytes + DHCP_FILE_AT, "\x34\1\2\xff", 4);
	assert_int_equal(0, parse(&o, &deep));
	assert_false(o.sname_taken);
	memset(deep.bytes + DHCP_FILE_AT, 0, DHCP_FILE_LEN);
	deep.bytes[DHCP_FILE_AT + DHCP_FILE_LEN - 1] = 12; /* a number without a length */
	assert_int_equal(ERR_MALFORMED, parse(&o, &deep));
	xfree(deep.bytes);
}

static void sub_options_stay_inside(void **state)
{
	static const uint8_t data[] = {1, 2, 'a', 'b', 2, 0, 5, 4, 1, 2, 3, 4, 9, 200, 1};
	size_t len;

	(void)state;
	assert_memory_equal("ab", opt4_sub(data, sizeof(data), 1, &len), 2);
	assert_int_equal(2, len);
	assert_non_null(opt4_sub(data, sizeof(data), 2, &len));
	assert_int_equal(0, len);
	assert_non_null(opt4_sub(data, sizeof(data), 5, &len));
	assert_int_equal(4, len);
	assert_null(opt4_sub(data, sizeof(data), 9, &len));
	assert_null(opt4_sub(data, sizeof(data), 7, &len));
	assert_null(opt4_sub(NULL, 0, 7, &len));
	assert_null(opt4_sub(data, 1, 1, &len));
}

static void many_parts_cost_no_more_than_their_bytes(void **state)
{
	uint8_t options[DHCP_PACKET_MAX - DHCP_HEADER_LEN];
	struct raw r;
	struct opt4 o;
	size_t n = 0, len;

	(void)state;
	for (; n + 3 <= sizeof(options); n += 3) {
		options[n] = (uint8_t)(n % 2 ? 12 : 61);
		options[n + 1] = 1;
		options[n + 2] = (uint8_t)n;
	}
	r = raw_of(options, n);
	assert_int_equal(0, parse(&o, &r));
	opt4_get(&o, 12, &len);
	assert_int_equal(n / 3 / 2, len);
	xfree(r.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_found_by_number),
		cmocka_unit_test(a_missing_end_is_taken_for_one),
		cmocka_unit_test(lengths_past_the_end_are_malformed),
		cmocka_unit_test(wrong_sizes_are_not_numbers),
		cmocka_unit_test(parts_of_an_option_are_joined),
		cmocka_unit_test(empty_parts_join_to_an_empty_option),
		cmocka_unit_test(an_overload_adds_file_and_sname),
		cmocka_unit_test(a_nonsensical_overload_is_malformed),
		cmocka_unit_test(sub_options_stay_inside),
		cmocka_unit_test(many_parts_cost_no_more_than_their_bytes),
	};

	return FAKE_RUN(tests);
}
