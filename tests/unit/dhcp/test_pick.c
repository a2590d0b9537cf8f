/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/pick.h"

#include "fake_lan.h"

static void every_address_is_found_once(void **state)
{
	static const uint32_t sizes[] = {1, 2, 63, 64, 65, 4095, 4096, 4097, 262145};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pick *p = pick_new();
		unsigned pool = pick_add(p, 1000, 1000 + sizes[i] - 1);
		uint32_t addr;

		for (uint32_t n = 0; n < sizes[i]; n++) {
			assert_int_equal(0, pick_find(p, pool, &addr));
			assert_int_equal(1000 + n, addr);
			pick_take(p, addr);
		}
		assert_int_equal(ERR_FULL, pick_find(p, pool, &addr));
		assert_int_equal(0, pick_stats(p, pool).n_free);
		pick_give(p, 1000 + sizes[i] / 2);
		assert_int_equal(0, pick_find(p, pool, &addr));
		assert_int_equal(1000 + sizes[i] / 2, addr);
		pick_free(p);
	}
}

static void the_search_goes_on_and_wraps(void **state)
{
	struct pick *p = pick_new();
	unsigned pool = pick_add(p, 0, 999);
	uint32_t addr;

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(0, pick_find(p, pool, &addr));
		pick_take(p, addr);
	}
	pick_give(p, 3); /* behind the cursor: used last */
	assert_int_equal(0, pick_find(p, pool, &addr));
	assert_int_equal(10, addr);
	for (uint32_t a = 10; a < 1000; a++)
		pick_take(p, a);
	assert_int_equal(0, pick_find(p, pool, &addr));
	assert_int_equal(3, addr);
	pick_free(p);
}

static void blocked_addresses_never_come_free(void **state)
{
	struct pick *p = pick_new();
	unsigned pool = pick_add(p, 10, 12);
	uint32_t addr;

	(void)state;
	pick_block(p, 10);
	pick_take(p, 11);
	pick_block(p, 11);
	pick_give(p, 10);
	pick_give(p, 11);
	pick_block(p, 99); /* in no pool */
	assert_int_equal(1, pick_stats(p, pool).n_usable);
	assert_int_equal(1, pick_stats(p, pool).n_free);
	assert_false(pick_is_free(p, 10));
	assert_true(pick_is_blocked(p, 11));
	assert_int_equal(0, pick_find(p, pool, &addr));
	assert_int_equal(12, addr);
	pick_free(p);
}

static void where_pools_overlap_the_first_has_the_address(void **state)
{
	struct pick *p = pick_new();
	unsigned a = pick_add(p, 10, 20), b = pick_add(p, 15, 30), c = pick_add(p, 5, 40);
	uint32_t addr;

	(void)state;
	assert_int_equal(a, pick_pool_of(p, 15));
	assert_int_equal(b, pick_pool_of(p, 21));
	assert_int_equal(c, pick_pool_of(p, 9));
	assert_int_equal(PICK_NO_POOL, pick_pool_of(p, 41));
	assert_int_equal(11, pick_stats(p, a).n_free);
	assert_int_equal(10, pick_stats(p, b).n_free);
	assert_int_equal(15, pick_stats(p, c).n_free);
	assert_int_equal(0, pick_find(p, b, &addr));
	assert_int_equal(21, addr);
	pick_free(p);
}

static void taking_twice_counts_once(void **state)
{
	struct pick *p = pick_new();
	unsigned pool = pick_add(p, 0, 9);

	(void)state;
	pick_take(p, 4);
	pick_take(p, 4);
	assert_int_equal(9, pick_stats(p, pool).n_free);
	pick_give(p, 4);
	pick_give(p, 4);
	assert_int_equal(10, pick_stats(p, pool).n_free);
	pick_free(p);
}

static void the_largest_pool_is_bounded_and_quick(void **state)
{
	struct pick *p = pick_new();
	unsigned pool = pick_add(p, IP4(10, 0, 0, 0), IP4(12, 0, 0, 0));
	uint32_t addr;

	(void)state;
	assert_int_equal(PICK_POOL_MAX, pick_stats(p, pool).n_usable);
	for (uint32_t a = 0; a < 100000; a++)
		pick_take(p, IP4(10, 0, 0, 0) + a);
	assert_int_equal(0, pick_find(p, pool, &addr));
	assert_int_equal(IP4(10, 0, 0, 0) + 100000, addr);
	pick_free(p);
	p = pick_new();
	pool = pick_add(p, 0xfffffffe, 0xffffffff); /* the end of all addresses */
	assert_int_equal(2, pick_stats(p, pool).n_free);
	pick_add(p, 0xfffffff0, 0xffffffff);
	pick_free(p);
}

/* Against a plain array, at random. */
static void it_agrees_with_a_plain_array(void **state)
{
	enum { N = 5000 };
	static bool taken[N];
	struct pick *p = pick_new();
	unsigned pool = pick_add(p, 0, N - 1), n_free = N;

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		uint32_t addr = (uint32_t)rand() % N;

		if (rand() % 100 < 55) {
			n_free -= !taken[addr];
			taken[addr] = true;
			pick_take(p, addr);
		} else {
			n_free += taken[addr];
			taken[addr] = false;
			pick_give(p, addr);
		}
		assert_int_equal(n_free, pick_stats(p, pool).n_free);
		if (i % 16 == 0 && pick_find(p, pool, &addr) == 0)
			assert_false(taken[addr]);
	}
	pick_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_is_found_once),
		cmocka_unit_test(the_search_goes_on_and_wraps),
		cmocka_unit_test(blocked_addresses_never_come_free),
		cmocka_unit_test(where_pools_overlap_the_first_has_the_address),
		cmocka_unit_test(taking_twice_counts_once),
		cmocka_unit_test(the_largest_pool_is_bounded_and_quick),
		cmocka_unit_test(it_agrees_with_a_plain_array),
	};

	return FAKE_RUN(tests);
}
