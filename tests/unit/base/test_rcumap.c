/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/rand.h"
#include "base/rcumap.h"
#include "base/xalloc.h"

enum { NAMES = 200, READERS = 3, CHANGES = 30000, ALIVE = 0x600d, DEAD = 0xdead };

struct lease {
	struct rcumap_node node;
	int magic;
	unsigned version;
	unsigned check; /* version * 31 + id */
	unsigned id;
	char name[16];
};

static const struct hash_key KEY = {11, 22};

static uint64_t name_hash(const char *name)
{
	return hash_bytes(&KEY, name, strlen(name));
}

static bool name_eq(const struct rcumap_node *n, const void *key)
{
	return strcmp(((const struct lease *)n)->name, key) == 0;
}

static void lease_free(struct rcumap_node *n)
{
	struct lease *l = (struct lease *)n;

	l->magic = DEAD;
	xfree(l);
}

static struct lease *lease_make(unsigned id, unsigned version)
{
	struct lease *l = xcalloc(1, sizeof(*l));

	l->magic = ALIVE;
	l->id = id;
	l->version = version;
	l->check = version * 31 + id;
	snprintf(l->name, sizeof(l->name), "host-%u", id);
	return l;
}

static bool lease_put(struct rcumap *m, struct lease *l)
{
	return rcumap_put(m, &l->node, name_hash(l->name), name_eq, l->name);
}

static struct lease *lease_get(struct rcumap *m, const char *name)
{
	return (struct lease *)rcumap_get(m, name_hash(name), name_eq, name);
}

static int group_setup(void **state)
{
	(void)state;
	rcu_thread_register();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	rcu_barrier_all();
	rcu_thread_unregister();
	return 0;
}

static void put_get_replace_delete(void **state)
{
	struct rcumap *m = rcumap_new(10, lease_free);
	struct lease *l;

	(void)state;
	rcu_enter();
	assert_null(lease_get(m, "host-1"));
	rcu_leave();
	assert_false(lease_put(m, lease_make(1, 1)));
	assert_false(lease_put(m, lease_make(2, 1)));
	assert_true(lease_put(m, lease_make(1, 2)));
	assert_int_equal(rcumap_count(m), 2);
	rcu_enter();
	l = lease_get(m, "host-1");
	assert_int_equal(l->version, 2);
	rcu_leave();
	rcumap_del(m, &l->node);
	assert_int_equal(rcumap_count(m), 1);
	rcu_enter();
	assert_null(lease_get(m, "host-1"));
	assert_non_null(lease_get(m, "host-2"));
	rcu_leave();
	rcumap_free(m);
	rcumap_free(NULL);
}

static bool collide_eq(const struct rcumap_node *n, const void *key)
{
	return ((const struct lease *)n)->id == *(const unsigned *)key;
}

static void equal_hashes_are_told_apart(void **state)
{
	struct rcumap *m = rcumap_new(10, lease_free);

	(void)state;
	for (unsigned id = 0; id < 50; id++) {
		struct lease *l = lease_make(id, 1);

		assert_false(rcumap_put(m, &l->node, 7, collide_eq, &id));
	}
	rcu_enter();
	for (unsigned id = 0; id < 50; id++) {
		struct lease *l = (struct lease *)rcumap_get(m, 7, collide_eq, &id);

		assert_int_equal(l->id, id);
	}
	rcu_leave();
	rcumap_free(m);
}

static void more_than_expected_still_works(void **state)
{
	struct rcumap *m = rcumap_new(1, lease_free);

	(void)state;
	for (unsigned id = 0; id < 5000; id++)
		lease_put(m, lease_make(id, id));
	assert_int_equal(rcumap_count(m), 5000);
	rcu_enter();
	for (unsigned id = 0; id < 5000; id++) {
		char name[16];

		snprintf(name, sizeof(name), "host-%u", id);
		assert_int_equal(lease_get(m, name)->version, id);
	}
	rcu_leave();
	rcumap_free(m);
}

struct walk {
	struct rcumap *map;
	unsigned n_met, stop_after;
};

static bool drop_odd(struct rcumap_node *n, void *arg)
{
	struct walk *w = arg;

	w->n_met++;
	if (((struct lease *)n)->id % 2)
		rcumap_del(w->map, n);
	return w->n_met != w->stop_after;
}

static void each_meets_all_may_delete_and_stop(void **state)
{
	struct walk w = {.map = rcumap_new(10, lease_free)};

	(void)state;
	for (unsigned id = 0; id < 100; id++)
		lease_put(w.map, lease_make(id, 1));
	rcumap_each(w.map, drop_odd, &w);
	assert_int_equal(w.n_met, 100);
	assert_int_equal(rcumap_count(w.map), 50);
	w.n_met = 0;
	w.stop_after = 7;
	rcumap_each(w.map, drop_odd, &w);
	assert_int_equal(w.n_met, 7);
	rcumap_free(w.map);
}

static void entries_may_outlive_the_map(void **state)
{
	struct rcumap *m = rcumap_new(10, NULL);
	struct lease *l = lease_make(1, 1);

	(void)state;
	lease_put(m, l);
	rcumap_free(m);
	assert_int_equal(l->magic, ALIVE);
	xfree(l);
}

struct shared {
	struct rcumap *map;
	bool stop;
	unsigned seed;
};

static bool check_one(struct rcumap_node *n, void *arg)
{
	const struct lease *l = (const struct lease *)n;
	unsigned *n_bad = arg;

	*n_bad += l->magic != ALIVE || l->check != l->version * 31 + l->id;
	return true;
}

/* Names below NAMES / 2 are replaced but never deleted: a reader must always find them, and in
 * versions that only go up. */
static void *reader(void *arg)
{
	struct shared *s = arg;
	struct rand_source *r = rand_new_seeded(__atomic_add_fetch(&s->seed, 1, __ATOMIC_RELAXED));
	unsigned last[NAMES] = {0}, n_bad = 0;

	rcu_thread_register();
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		rcu_enter();
		for (int i = 0; i < 64; i++) {
			unsigned id = rand_below(r, NAMES);
			char name[16];
			struct lease *l;

			snprintf(name, sizeof(name), "host-%u", id);
			l = lease_get(s->map, name);
			if (!l) {
				n_bad += id < NAMES / 2;
				continue;
			}
			check_one(&l->node, &n_bad);
			n_bad += l->version < last[id] || l->id != id;
			last[id] = l->version;
		}
		rcu_leave();
		rcumap_each(s->map, check_one, &n_bad);
	}
	rcu_thread_unregister();
	rand_free(r);
	return (void *)(uintptr_t)n_bad;
}

static void change_one(struct rcumap *m, struct rand_source *r, unsigned version)
{
	unsigned id = rand_below(r, NAMES);
	char name[16];
	struct lease *l;

	snprintf(name, sizeof(name), "host-%u", id);
	rcu_enter();
	l = lease_get(m, name);
	rcu_leave();
	if (l && id >= NAMES / 2)
		rcumap_del(m, &l->node); /* ours alone: the one writer holds it without a section */
	else
		lease_put(m, lease_make(id, version));
}

static void readers_see_whole_entries_while_one_writes(void **state)
{
	struct shared s = {.map = rcumap_new(64, lease_free)};
	struct rand_source *r = rand_new_seeded(99);
	pthread_t thread[READERS];

	(void)state;
	for (unsigned id = 0; id < NAMES / 2; id++)
		lease_put(s.map, lease_make(id, 0));
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader, &s), 0);
	for (unsigned i = 1; i <= CHANGES; i++)
		change_one(s.map, r, i);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++) {
		void *n_bad;

		assert_int_equal(pthread_join(thread[i], &n_bad), 0);
		assert_int_equal((uintptr_t)n_bad, 0);
	}
	rcumap_free(s.map);
	rand_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_get_replace_delete),
		cmocka_unit_test(equal_hashes_are_told_apart),
		cmocka_unit_test(more_than_expected_still_works),
		cmocka_unit_test(each_meets_all_may_delete_and_stop),
		cmocka_unit_test(entries_may_outlive_the_map),
		cmocka_unit_test(readers_see_whole_entries_while_one_writes),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
