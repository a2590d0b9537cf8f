/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loglimit.h"

static void a_window_lets_only_so_many_through(void **state)
{
	struct loglimit l = {0};
	uint32_t dropped;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(loglimit_admit(&l, 1000 + i, 5, &dropped), LOGLIMIT_WRITE);
	assert_int_equal(loglimit_admit(&l, 1004, 5, &dropped), LOGLIMIT_LAST);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(loglimit_admit(&l, 2000 + i, 5, &dropped), LOGLIMIT_DROP);
		assert_int_equal(dropped, 0);
	}
}

static void the_next_window_tells_what_was_left_out(void **state)
{
	struct loglimit l = {0};
	uint32_t dropped;

	(void)state;
	for (int i = 0; i < 12; i++)
		loglimit_admit(&l, 0, 5, &dropped);
	assert_int_equal(loglimit_admit(&l, LOGLIMIT_WINDOW_MS - 1, 5, &dropped), LOGLIMIT_DROP);
	assert_int_equal(dropped, 0);
	assert_int_equal(loglimit_admit(&l, LOGLIMIT_WINDOW_MS, 5, &dropped), LOGLIMIT_WRITE);
	assert_int_equal(dropped, 8);
	assert_int_equal(loglimit_admit(&l, LOGLIMIT_WINDOW_MS + 1, 5, &dropped), LOGLIMIT_WRITE);
	assert_int_equal(dropped, 0);
}

static void a_quiet_window_tells_nothing(void **state)
{
	struct loglimit l = {0};
	uint32_t dropped;

	(void)state;
	loglimit_admit(&l, 0, 5, &dropped);
	assert_int_equal(loglimit_admit(&l, 10 * LOGLIMIT_WINDOW_MS, 5, &dropped), LOGLIMIT_WRITE);
	assert_int_equal(dropped, 0);
}

static void flush_tells_what_nobody_asked_for_again(void **state)
{
	struct loglimit l = {0};
	uint32_t dropped;

	(void)state;
	assert_int_equal(loglimit_flush(&l, 5), 0);
	for (int i = 0; i < 7; i++)
		loglimit_admit(&l, 50, 5, &dropped);
	assert_int_equal(loglimit_flush(&l, 5), 2);
	assert_int_equal(loglimit_flush(&l, 5), 0);
	assert_int_equal(loglimit_admit(&l, 51, 5, &dropped), LOGLIMIT_WRITE);
	assert_int_equal(dropped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_lets_only_so_many_through),
		cmocka_unit_test(the_next_window_tells_what_was_left_out),
		cmocka_unit_test(a_quiet_window_tells_nothing),
		cmocka_unit_test(flush_tells_what_nobody_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
