/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/clock.h"

static void units_agree(void **state)
{
	int64_t us = clock_mono_us(), ms = clock_mono_ms(), s = clock_wall_s();
	int64_t wall_ms = clock_wall_ms();

	(void)state;
	assert_in_range(ms, us / 1000, us / 1000 + 1000);
	assert_in_range(wall_ms / 1000, s, s + 1);
	assert_in_range(s, time(NULL) - 1, time(NULL) + 1);
	assert_true(clock_boot_s() >= ms / 1000 - 1);
}

static void monotonic_does_not_go_back(void **state)
{
	int64_t last = clock_mono_us();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t now = clock_mono_us();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_agree),
		cmocka_unit_test(monotonic_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
