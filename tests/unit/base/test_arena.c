/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

enum { CHUNK = 1024 };

static int pool_setup(void **state)
{
	*state = arena_pool_new(CHUNK, 2);
	return 0;
}

static int pool_teardown(void **state)
{
	arena_pool_free(*state);
	return 0;
}

static void every_pointer_is_aligned_and_apart(void **state)
{
	struct arena *a = arena_new(*state, 1 << 20);
	uint8_t *p[200];
	size_t len[200], sum = 0;

	for (size_t i = 0; i < 200; i++) {
		len[i] = 1 + (i * 37) % 300;
		p[i] = arena_alloc(a, len[i]);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, len[i]);
		sum += len[i];
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < len[i]; j++)
			assert_int_equal(p[i][j], (uint8_t)i);
	assert_int_equal(arena_used(a), sum);
	arena_free(a);
}

static void the_cap_is_a_hard_end(void **state)
{
	struct arena *a = arena_new(*state, 100);

	assert_non_null(arena_alloc(a, 60));
	assert_null(arena_alloc(a, 41));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_int_equal(arena_used(a), 60);
	assert_non_null(arena_alloc(a, 40));
	assert_null(arena_alloc(a, 1));
	assert_non_null(arena_alloc(a, 0));
	assert_null(arena_zalloc(a, 1));
	assert_null(arena_memdup(a, "x", 1));
	arena_free(a);
}

static void a_large_request_does_not_waste_the_chunk(void **state)
{
	struct arena *a = arena_new(*state, 1 << 20);
	uint8_t *before = arena_alloc(a, 16), *large = arena_alloc(a, CHUNK * 10), *after;

	memset(large, 0xee, CHUNK * 10);
	after = arena_alloc(a, 16);
	assert_true(after > before && after < before + CHUNK);
	arena_free(a);
}

static void zalloc_zeroes_recycled_memory(void **state)
{
	static const uint8_t zero[256];

	for (int round = 0; round < 4; round++) {
		struct arena *a = arena_new(*state, 4096);
		void *p = arena_zalloc(a, sizeof(zero));

		assert_memory_equal(p, zero, sizeof(zero));
		memset(p, 0xff, sizeof(zero));
		arena_free(a);
	}
}

static void a_freed_arena_is_reused(void **state)
{
	struct arena *a = arena_new(*state, 4096), *b;

	arena_free(a);
	b = arena_new(*state, 4096);
	assert_ptr_equal(a, b);
	assert_int_equal(arena_used(b), 0);
	arena_free(b);
	arena_free(NULL);
}

static void memdup_copies(void **state)
{
	struct arena *a = arena_new(*state, 4096);
	char *s = arena_memdup(a, "lease", 6);

	assert_string_equal(s, "lease");
	assert_non_null(arena_memdup(a, NULL, 0));
	arena_free(a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, pool_setup, pool_teardown)
	const struct CMUnitTest tests[] = {
		T(every_pointer_is_aligned_and_apart),
		T(the_cap_is_a_hard_end),
		T(a_large_request_does_not_waste_the_chunk),
		T(zalloc_zeroes_recycled_memory),
		T(a_freed_arena_is_reused),
		T(memdup_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
