/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/warm.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "resolver/cache_rrset.h"
#include "store/store.h"

#define WALL 1800000000

struct world {
	char dir[64];
	struct store *store;
	struct cache_rrset *cache;
	struct arena_pool *pool;
	struct arena *arena;
};

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1, .map_len = 1 << 24};
	struct store_report report;

	strcpy(w->dir, "/tmp/test_warm.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(store_open(w->dir, &opts, &w->store, &report), 0);
	w->cache = cache_rrset_new(8 << 20);
	w->pool = arena_pool_new(65536, 1);
	w->arena = arena_new(w->pool, 1 << 24);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char cmd[128];

	arena_free(w->arena);
	arena_pool_free(w->pool);
	cache_rrset_free(w->cache);
	store_close(w->store);
	snprintf(cmd, sizeof(cmd), "rm -r %s", w->dir);
	assert_int_equal(system(cmd), 0);
	xfree(w);
	return 0;
}

static void put(struct world *w, const char *name, uint32_t ttl, size_t rdlen)
{
	uint8_t owner[DNAME_MAX], rdata[60000];
	size_t len, cap = rdlen + 512;
	struct rrset *rr;

	assert_int_equal(dname_read(name, owner, &len), 0);
	rr = rrset_init(arena_alloc(w->arena, cap), cap, owner, DNS_TYPE_TXT, DNS_CLASS_IN, ttl);
	rr->rank = RRSET_RANK_ANSWER_AA;
	memset(rdata, name[0], rdlen);
	assert_int_equal(rrset_add(rr, cap, rdata, rdlen), 0);
	assert_true(cache_rrset_put(w->cache, rr, 1000));
}

static struct rrset *get(struct world *w, const char *name)
{
	uint8_t owner[DNAME_MAX];
	size_t len;

	assert_int_equal(dname_read(name, owner, &len), 0);
	return cache_rrset_get(w->cache, owner, DNS_TYPE_TXT, DNS_CLASS_IN, 1000, 0, w->arena);
}

static size_t restart(struct world *w, int64_t wall_s, int want_err)
{
	size_t n = 0;

	cache_rrset_free(w->cache);
	w->cache = cache_rrset_new(8 << 20);
	assert_int_equal(warm_load(w->store, w->cache, 1000, wall_s, &n), want_err);
	return n;
}

static void what_is_left_of_a_ttl_is_left_after_a_restart(void **state)
{
	struct world *w = *state;
	size_t n;

	put(w, "a.example.", 300, 10);
	put(w, "b.example.", 20, 10);
	assert_int_equal(warm_save(w->store, w->cache, 1000, WALL, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(restart(w, WALL + 30, 0), 1);
	assert_non_null(get(w, "a.example."));
	assert_int_equal(get(w, "a.example.")->ttl, 270);
	assert_null(get(w, "b.example."));
}

static void large_rrsets_cross_chunks_unharmed(void **state)
{
	struct world *w = *state;
	char name[32];
	size_t n;

	for (int i = 0; i < 26; i++) {
		snprintf(name, sizeof(name), "%c.example.", 'a' + i);
		put(w, name, 3600, 1000 + 517 * (size_t)i);
	}
	assert_int_equal(warm_save(w->store, w->cache, 1000, WALL, &n), 0);
	assert_int_equal(n, 26);
	assert_int_equal(restart(w, WALL, 0), 26);
	for (int i = 0; i < 26; i++) {
		struct rrset_iter it;

		snprintf(name, sizeof(name), "%c.example.", 'a' + i);
		it = rrset_begin(get(w, name));
		assert_true(rrset_next(&it));
		assert_int_equal(it.len, 1000 + 517 * i);
		assert_int_equal(it.rdata[it.len - 1], 'a' + i);
	}
}

static void a_clock_that_went_backwards_throws_the_image_away(void **state)
{
	struct world *w = *state;
	size_t n;

	put(w, "a.example.", 300, 10);
	assert_int_equal(warm_save(w->store, w->cache, 1000, WALL, &n), 0);
	assert_int_equal(restart(w, WALL - 1, ERR_RANGE), 0);
}

static void no_image_is_no_trouble(void **state)
{
	assert_int_equal(restart(*state, WALL, ERR_ABSENT), 0);
}

static void a_damaged_image_gives_nothing_wrong(void **state)
{
	struct world *w = *state;
	char path[128];
	size_t n;
	FILE *f;

	put(w, "a.example.", 300, 10);
	assert_int_equal(warm_save(w->store, w->cache, 1000, WALL, &n), 0);
	snprintf(path, sizeof(path), "%s/cache.image", w->dir);
	f = fopen(path, "r+b");
	assert_non_null(f);
	fseek(f, -20, SEEK_END);
	fputc(0x55, f);
	fclose(f);
	assert_int_equal(restart(w, WALL, ERR_CORRUPT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_left_of_a_ttl_is_left_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(
			large_rrsets_cross_chunks_unharmed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_clock_that_went_backwards_throws_the_image_away, setup, teardown),
		cmocka_unit_test_setup_teardown(no_image_is_no_trouble, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_damaged_image_gives_nothing_wrong, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
