/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/stats.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void counters_count_and_sum(void **state)
{
	struct stats *a = stats_new(), *b = stats_new(), *sum = stats_new();

	(void)state;
	assert_int_equal((uintptr_t)a % 128, 0);
	stats_add(a, STATS_HITS);
	stats_add(a, STATS_HITS);
	stats_add_n(b, STATS_HITS, 40);
	stats_add(b, STATS_MISSES);
	assert_int_equal(stats_get(a, STATS_HITS), 2);
	assert_int_equal(stats_get(a, STATS_MISSES), 0);
	stats_sum(sum, a);
	stats_sum(sum, b);
	assert_int_equal(stats_get(sum, STATS_HITS), 42);
	assert_int_equal(stats_get(sum, STATS_MISSES), 1);
	stats_free(a);
	stats_free(b);
	stats_free(sum);
	stats_free(NULL);
}

static void every_counter_has_a_metric_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < STATS_COUNT; i++) {
		const char *name = stats_name((enum stats_counter)i);

		assert_true(strlen(name) > 0);
		assert_true(strlen(stats_help((enum stats_counter)i)) > 0);
		for (const char *p = name; *p; p++)
			assert_true(islower((unsigned char)*p) || isdigit((unsigned char)*p) ||
				    *p == '_');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(name, stats_name((enum stats_counter)k));
	}
}

static void latencies_fall_into_doubling_buckets(void **state)
{
	struct stats *s = stats_new(), *sum = stats_new();
	uint64_t n = 0;

	(void)state;
	assert_int_equal(stats_latency_bound_us(0), 128);
	assert_int_equal(stats_latency_bound_us(1), 256);
	assert_true(stats_latency_bound_us(STATS_LATENCY_BUCKETS - 1) == UINT64_MAX);
	stats_latency(s, 0);
	stats_latency(s, 127);
	stats_latency(s, 128);
	stats_latency(s, 7000000);
	stats_latency(s, 1000000000);
	assert_int_equal(s->latency[0], 2);
	assert_int_equal(s->latency[1], 1);
	assert_int_equal(s->latency[16], 1);
	assert_int_equal(s->latency[17], 1);
	stats_sum(sum, s);
	for (size_t i = 0; i < STATS_LATENCY_BUCKETS; i++)
		n += sum->latency[i];
	assert_int_equal(n, 5);
	assert_int_equal(sum->latency_sum_us, 127 + 128 + 7000000 + 1000000000);
	stats_free(s);
	stats_free(sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_count_and_sum),
		cmocka_unit_test(every_counter_has_a_metric_name_of_its_own),
		cmocka_unit_test(latencies_fall_into_doubling_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
