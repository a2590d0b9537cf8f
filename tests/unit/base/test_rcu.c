/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>

#include "base/rcu.h"
#include "base/xalloc.h"

enum { READERS = 3, SWAPS = 3000, ALIVE = 0x600d, DEAD = 0xdead };

struct config {
	struct rcu_later later;
	int magic;
	int generation;
};

struct shared {
	void *config;
	bool stop;
	int n_freed;
};

static struct config *config_make(int generation)
{
	struct config *c = xcalloc(1, sizeof(*c));

	c->magic = ALIVE;
	c->generation = generation;
	return c;
}

static void config_free(void *object)
{
	struct config *c = object;

	c->magic = DEAD;
	xfree(c);
}

static void *reader(void *arg)
{
	struct shared *s = arg;
	int last = 0, n_bad = 0;

	rcu_thread_register();
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		struct config *c;

		rcu_enter();
		rcu_enter(); /* nests */
		c = rcu_get(&s->config);
		rcu_leave();
		n_bad += c->magic != ALIVE || c->generation < last;
		last = c->generation;
		rcu_leave();
	}
	rcu_thread_unregister();
	return (void *)(intptr_t)n_bad;
}

static void readers_never_see_a_freed_object(void **state)
{
	struct shared s = {.config = config_make(0)};
	pthread_t thread[READERS];

	(void)state;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader, &s), 0);
	for (int i = 1; i <= SWAPS; i++) {
		struct config *old = s.config;

		rcu_publish(&s.config, config_make(i));
		rcu_free_later(&old->later, config_free, old);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++) {
		void *n_bad;

		assert_int_equal(pthread_join(thread[i], &n_bad), 0);
		assert_int_equal((intptr_t)n_bad, 0);
	}
	rcu_barrier_all();
	config_free(s.config);
}

struct counted {
	struct rcu_later later;
	int *n_freed;
};

static void counted_free(void *object)
{
	struct counted *c = object;

	__atomic_add_fetch(c->n_freed, 1, __ATOMIC_RELAXED);
	xfree(c);
}

static void the_barrier_waits_for_all(void **state)
{
	int n_freed = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct counted *c = xcalloc(1, sizeof(*c));

		c->n_freed = &n_freed;
		rcu_free_later(&c->later, counted_free, c);
	}
	rcu_barrier_all();
	assert_int_equal(__atomic_load_n(&n_freed, __ATOMIC_RELAXED), 1000);
}

static void nothing_is_freed_under_a_reader(void **state)
{
	struct counted *c = xcalloc(1, sizeof(*c));
	int n_freed = 0;

	(void)state;
	c->n_freed = &n_freed;
	rcu_thread_register();
	rcu_enter();
	rcu_free_later(&c->later, counted_free, c);
	for (volatile int i = 0; i < 20000000; i++)
		;
	assert_int_equal(__atomic_load_n(&n_freed, __ATOMIC_RELAXED), 0);
	rcu_leave();
	rcu_barrier_all();
	assert_int_equal(__atomic_load_n(&n_freed, __ATOMIC_RELAXED), 1);
	rcu_thread_unregister();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_see_a_freed_object),
		cmocka_unit_test(the_barrier_waits_for_all),
		cmocka_unit_test(nothing_is_freed_under_a_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
