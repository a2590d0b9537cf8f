/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/budget.h"
#include "resolver/resolver_limits.h"
#include "resolver/stats.h"

#define TEST(name) static void name(void **state __attribute__((unused)))

TEST(each_item_lasts_as_long_as_its_limit)
{
	static const unsigned MOST[BUDGET_ITEMS] = {RESOLVER_SENDS_MAX, RESOLVER_NS_LOOKUPS_MAX,
		RESOLVER_NS_NX_MAX, RESOLVER_SIGS_MAX, RESOLVER_SIG_FAILS_MAX, RESOLVER_HASHES_MAX,
		RESOLVER_LINKS_MAX};
	struct budget_pool pool = {0};
	struct stats *stats = stats_new();

	for (int i = 0; i < BUDGET_ITEMS; i++) {
		struct budget *b = budget_new(&pool, stats, 0);

		for (unsigned k = 0; k < MOST[i]; k++)
			assert_int_equal(0, budget_take(b, (enum budget_item)i, 0));
		assert_false(b->is_spent);
		assert_int_equal(ERR_LIMIT, budget_take(b, (enum budget_item)i, 0));
		assert_true(b->is_spent);
		budget_unref(&pool, b);
	}
	assert_int_equal(1, stats_get(stats, STATS_LIMIT_SENDS));
	assert_int_equal(1, stats_get(stats, STATS_LIMIT_HASHES));
	budget_pool_fini(&pool);
	stats_free(stats);
}

TEST(bytes_end)
{
	struct budget_pool pool = {0};
	struct stats *stats = stats_new();
	struct budget *b = budget_new(&pool, stats, 0);

	assert_int_equal(0, budget_take_bytes(b, RESOLVER_BYTES_MAX));
	assert_int_equal(ERR_LIMIT, budget_take_bytes(b, 1));
	assert_int_equal(ERR_LIMIT, budget_take_bytes(b, 1));
	assert_int_equal(1, stats_get(stats, STATS_LIMIT_BYTES));
	budget_unref(&pool, b);
	budget_pool_fini(&pool);
	stats_free(stats);
}

TEST(time_ends)
{
	struct budget_pool pool = {0};
	struct stats *stats = stats_new();
	struct budget *b = budget_new(&pool, stats, 500);

	assert_int_equal(RESOLVER_WALL_MS, budget_left_ms(b, 500));
	assert_int_equal(0, budget_take(b, BUDGET_SENDS, 500 + RESOLVER_WALL_MS - 1));
	assert_int_equal(ERR_LIMIT, budget_take(b, BUDGET_SENDS, 500 + RESOLVER_WALL_MS));
	assert_int_equal(0, budget_left_ms(b, 500 + RESOLVER_WALL_MS));
	budget_unref(&pool, b);
	budget_pool_fini(&pool);
	stats_free(stats);
}

TEST(what_many_share_is_spent_once_and_lives_as_long_as_the_last)
{
	struct budget_pool pool = {0};
	struct stats *stats = stats_new();
	struct budget *b = budget_new(&pool, stats, 0), *other = budget_ref(b), *again;

	assert_int_equal(0, budget_take(b, BUDGET_SENDS, 0));
	budget_unref(&pool, b);
	assert_int_equal(RESOLVER_SENDS_MAX - 1, other->left[BUDGET_SENDS]);
	budget_give_back(other, BUDGET_SENDS);
	assert_int_equal(RESOLVER_SENDS_MAX, other->left[BUDGET_SENDS]);
	budget_unref(&pool, other);
	/* A new one from the pool is full. */
	again = budget_new(&pool, stats, 0);
	assert_ptr_equal(again, other);
	assert_int_equal(RESOLVER_SENDS_MAX, again->left[BUDGET_SENDS]);
	assert_false(again->is_spent);
	budget_unref(&pool, again);
	budget_pool_fini(&pool);
	stats_free(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_item_lasts_as_long_as_its_limit),
		cmocka_unit_test(bytes_end),
		cmocka_unit_test(time_ends),
		cmocka_unit_test(what_many_share_is_spent_once_and_lives_as_long_as_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
