/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "base/rand.h"
#include "base/table.h"
#include "base/xalloc.h"

struct entry {
	struct table_node node;
	int key;
	bool is_in;
};

static struct entry *entry_find(const struct table *t, uint64_t hash, int key)
{
	struct table_node *n;

	for (n = table_find(t, hash); n; n = table_next(n)) {
		assert_true(n->hash == hash);
		if (((struct entry *)n)->key == key)
			return (struct entry *)n;
	}
	return NULL;
}

static void an_empty_table_finds_nothing(void **state)
{
	struct table t = {0};

	(void)state;
	assert_null(table_find(&t, 42));
	table_each(&t, NULL, NULL);
	table_fini(&t);
}

/* Ten hashes for all entries: chains of equal and of colliding hashes. */
static void it_agrees_with_an_array_under_random_changes(void **state)
{
	enum { N = 500 };
	struct rand_source *r = rand_new_seeded(1);
	struct entry *e = xcalloc(N, sizeof(*e));
	struct table t = {0};
	size_t count = 0;

	(void)state;
	for (int i = 0; i < N; i++)
		e[i].key = i;
	for (int step = 0; step < 20000; step++) {
		int i = (int)rand_below(r, N);
		uint64_t hash = (uint64_t)(i % 10) << 60 | (uint64_t)(i % 7);

		assert_ptr_equal(entry_find(&t, hash, i), e[i].is_in ? &e[i] : NULL);
		if (e[i].is_in)
			table_del(&t, &e[i].node);
		else
			table_put(&t, &e[i].node, hash);
		e[i].is_in = !e[i].is_in;
		count += e[i].is_in ? 1 : (size_t)-1;
		assert_int_equal(t.count, count);
	}
	table_fini(&t);
	xfree(e);
	rand_free(r);
}

static void it_grows_and_keeps_everything(void **state)
{
	enum { N = 10000 };
	struct entry *e = xcalloc(N, sizeof(*e));
	struct table t = {0};

	(void)state;
	for (int i = 0; i < N; i++) {
		e[i].key = i;
		table_put(&t, &e[i].node, (uint64_t)i * 0x9e3779b97f4a7c15u);
	}
	assert_true(t.n_buckets >= N && (t.n_buckets & (t.n_buckets - 1)) == 0);
	for (int i = 0; i < N; i++)
		assert_ptr_equal(entry_find(&t, (uint64_t)i * 0x9e3779b97f4a7c15u, i), &e[i]);
	table_fini(&t);
	xfree(e);
}

static void drop_odd(struct table_node *n, void *arg)
{
	struct entry *e = (struct entry *)n;
	struct table *t = arg;

	assert_false(e->is_in);
	e->is_in = true; /* met */
	if (e->key % 2)
		table_del(t, n);
}

static void each_meets_all_and_may_delete(void **state)
{
	enum { N = 100 };
	struct entry e[N] = {0};
	struct table t = {0};

	(void)state;
	for (int i = 0; i < N; i++) {
		e[i].key = i;
		table_put(&t, &e[i].node, (uint64_t)i % 8);
	}
	table_each(&t, drop_odd, &t);
	assert_int_equal(t.count, N / 2);
	for (int i = 0; i < N; i++) {
		assert_true(e[i].is_in);
		assert_ptr_equal(entry_find(&t, (uint64_t)i % 8, i), i % 2 ? NULL : (void *)&e[i]);
	}
	table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_finds_nothing),
		cmocka_unit_test(it_agrees_with_an_array_under_random_changes),
		cmocka_unit_test(it_grows_and_keeps_everything),
		cmocka_unit_test(each_meets_all_and_may_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
