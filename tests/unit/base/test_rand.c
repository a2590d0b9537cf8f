/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/rand.h"

static void a_seed_repeats_itself(void **state)
{
	struct rand_source *a = rand_new_seeded(9), *b = rand_new_seeded(9);
	struct rand_source *c = rand_new_seeded(10);
	int n_equal = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		uint64_t v = rand_u64(a);

		assert_true(v == rand_u64(b));
		n_equal += v == rand_u64(c);
	}
	assert_int_equal(n_equal, 0);
	rand_free(a);
	rand_free(b);
	rand_free(c);
	rand_free(NULL);
}

static void two_kernel_sources_differ(void **state)
{
	struct rand_source *a = rand_new(), *b = rand_new();

	(void)state;
	assert_true(rand_u64(a) != rand_u64(b));
	rand_free(a);
	rand_free(b);
}

static void long_reads_cross_the_buffer(void **state)
{
	static uint8_t big[20000];
	struct rand_source *r = rand_new();
	size_t n_zero = 0;

	(void)state;
	for (size_t len = 1; len < 6000; len += 613) {
		memset(big, 0, sizeof(big));
		rand_bytes(r, big, len);
		for (size_t i = len; i < sizeof(big); i++)
			assert_int_equal(big[i], 0);
	}
	rand_bytes(r, big, sizeof(big));
	for (size_t i = 0; i < sizeof(big); i++)
		n_zero += big[i] == 0;
	/* Of 20,000 bytes 78 are zero on average, with a deviation of 9. */
	assert_in_range(n_zero, 20, 150);
	rand_free(r);
}

/* Chi-squared with 99 degrees of freedom: above 165 once in 30,000 runs. */
static void below_is_uniform(void **state)
{
	enum { N = 100, EACH = 2000 };
	struct rand_source *r = rand_new_seeded(77);
	unsigned count[N] = {0};
	double chi = 0;

	(void)state;
	for (int i = 0; i < N * EACH; i++) {
		uint32_t v = rand_below(r, N);

		assert_true(v < N);
		count[v]++;
	}
	for (int i = 0; i < N; i++)
		chi += ((double)count[i] - EACH) * ((double)count[i] - EACH) / EACH;
	assert_true(chi < 165);
	rand_free(r);
}

/* Three quarters of 2^32: plain modulo would give the lower third twice as often as the rest,
 * the high half of a product every third number. */
static void below_has_no_modulo_bias(void **state)
{
	struct rand_source *r = rand_new_seeded(5);
	uint32_t n = 0xc0000000u;
	int low = 0, third = 0;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		uint32_t v = rand_below(r, n);

		low += v < n / 3;
		third += v % 3 == 0;
	}
	assert_in_range(low, 9600, 10400);
	assert_in_range(third, 9600, 10400);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rand_below(r, 1), 0);
	rand_free(r);
}

static void sixteen_bits_cover_their_range(void **state)
{
	static uint8_t seen[65536];
	struct rand_source *r = rand_new();
	int n = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint16_t v = rand_u16(r);

		n += !seen[v];
		seen[v] = 1;
	}
	/* 65,536 * (1 - e^-1.526) = 51,288, deviation about 86 */
	assert_in_range(n, 50600, 51900);
	rand_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_repeats_itself),
		cmocka_unit_test(two_kernel_sources_differ),
		cmocka_unit_test(long_reads_cross_the_buffer),
		cmocka_unit_test(below_is_uniform),
		cmocka_unit_test(below_has_no_modulo_bias),
		cmocka_unit_test(sixteen_bits_cover_their_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
