/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/failures.h"
#include "resolver/resolver_limits.h"

#define TEST(name) static void name(void **state __attribute__((unused)))

TEST(a_failure_is_remembered_for_five_seconds_then_twice_as_long)
{
	struct failures *f = failures_new();
	int64_t now = 1000000;
	uint32_t want[] = {5, 10, 20, 40, 80, 160, 300, 300};

	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(0, failures_left_ms(f, 7, 1, now));
		assert_int_equal(want[i], failures_put(f, 7, false, 1, now));
		assert_int_equal(want[i] * 1000, failures_left_ms(f, 7, 1, now));
		now += want[i] * 1000;
	}
	failures_free(f);
}

TEST(a_success_or_a_long_time_begins_anew)
{
	struct failures *f = failures_new();

	failures_put(f, 7, false, 1, 1000);
	failures_del(f, 7);
	assert_int_equal(0, failures_left_ms(f, 7, 1, 1000));
	assert_int_equal(5, failures_put(f, 7, false, 1, 6000));
	assert_int_equal(10, failures_put(f, 7, false, 1, 12000));
	assert_int_equal(5, failures_put(f, 7, false, 1, 22000 + 300 * 1000));
	failures_free(f);
}

TEST(our_own_failures_are_forgotten_after_a_second)
{
	struct failures *f = failures_new();

	assert_int_equal(RESOLVER_FAILURE_LOCAL_S, failures_put(f, 7, true, 1, 0));
	assert_int_equal(RESOLVER_FAILURE_LOCAL_S, failures_put(f, 7, true, 1, 2000));
	assert_int_equal(5, failures_put(f, 7, false, 1, 4000));
	failures_free(f);
}

TEST(the_return_of_the_network_forgives)
{
	struct failures *f = failures_new();

	failures_put(f, 7, false, 1, 0);
	assert_int_equal(0, failures_left_ms(f, 7, 2, 10));
	failures_put(f, 8, false, 2, 0);
	failures_flush(f);
	assert_int_equal(0, failures_left_ms(f, 8, 2, 10));
	failures_free(f);
}

TEST(whoever_collides_only_forgets)
{
	struct failures *f = failures_new();

	failures_put(f, 7, false, 1, 0);
	failures_put(f, 7 + RESOLVER_FAILURES, false, 1, 0);
	assert_int_equal(0, failures_left_ms(f, 7, 1, 10));
	failures_del(f, 7);
	assert_int_not_equal(0, failures_left_ms(f, 7 + RESOLVER_FAILURES, 1, 10));
	failures_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_remembered_for_five_seconds_then_twice_as_long),
		cmocka_unit_test(a_success_or_a_long_time_begins_anew),
		cmocka_unit_test(our_own_failures_are_forgotten_after_a_second),
		cmocka_unit_test(the_return_of_the_network_forgives),
		cmocka_unit_test(whoever_collides_only_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
