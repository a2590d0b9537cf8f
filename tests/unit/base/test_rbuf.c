/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rbuf.h"

static void fields_come_in_network_order(void **state)
{
	static const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct rbuf b = rbuf_of(wire, sizeof(wire));

	(void)state;
	assert_int_equal(rbuf_u8(&b), 1);
	assert_int_equal(rbuf_u16(&b), 0x0203);
	assert_int_equal(rbuf_u32(&b), 0x04050607);
	assert_true(rbuf_u64(&b) == 0x08090a0b0c0d0e0fu);
	assert_int_equal(rbuf_left(&b), 0);
	assert_false(b.bad);
}

static void a_read_past_the_end_sticks(void **state)
{
	struct rbuf b = rbuf_of((const uint8_t[]){1, 2, 3}, 3);

	(void)state;
	assert_int_equal(rbuf_u32(&b), 0);
	assert_true(b.bad);
	assert_int_equal(b.pos, 0);
	assert_int_equal(rbuf_u8(&b), 0); /* would have fitted */
	assert_int_equal(rbuf_left(&b), 0);
	assert_null(rbuf_take(&b, 0));
}

static void a_huge_length_does_not_wrap(void **state)
{
	struct rbuf b = rbuf_of((const uint8_t[]){1, 2, 3}, 3);

	(void)state;
	rbuf_skip(&b, 2);
	assert_null(rbuf_take(&b, SIZE_MAX));
	assert_true(b.bad);
}

static void copy_zeroes_what_is_not_there(void **state)
{
	struct rbuf b = rbuf_of((const uint8_t[]){1, 2, 3}, 3);
	uint8_t out[4] = {9, 9, 9, 9}, zero[4] = {0};

	(void)state;
	rbuf_copy(&b, out, 2);
	assert_int_equal(out[1], 2);
	rbuf_copy(&b, out, 4);
	assert_memory_equal(out, zero, 4);
	assert_true(b.bad);
}

static void sub_ends_where_it_should(void **state)
{
	struct rbuf b = rbuf_of((const uint8_t[]){1, 2, 3, 4}, 4), s = rbuf_sub(&b, 2), t;

	(void)state;
	assert_int_equal(rbuf_u16(&s), 0x0102);
	assert_int_equal(rbuf_u8(&s), 0);
	assert_true(s.bad);
	assert_false(b.bad);
	assert_int_equal(rbuf_u8(&b), 3);
	t = rbuf_sub(&b, 2);
	assert_true(t.bad);
	assert_true(b.bad);
}

static void an_empty_buffer_gives_nothing(void **state)
{
	struct rbuf b = rbuf_of(NULL, 0);

	(void)state;
	assert_int_equal(rbuf_left(&b), 0);
	assert_int_equal(rbuf_u8(&b), 0);
	assert_true(b.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_come_in_network_order),
		cmocka_unit_test(a_read_past_the_end_sticks),
		cmocka_unit_test(a_huge_length_does_not_wrap),
		cmocka_unit_test(copy_zeroes_what_is_not_there),
		cmocka_unit_test(sub_ends_where_it_should),
		cmocka_unit_test(an_empty_buffer_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
