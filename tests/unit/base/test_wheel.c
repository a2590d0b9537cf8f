/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/rand.h"
#include "base/wheel.h"
#include "base/xalloc.h"

struct probe {
	struct wheel_timer timer;
	struct wheel *wheel;
	struct probe *victim; /* cancelled when this one fires */
	int64_t fired_ms;
	int n_fired;
	int64_t again_ms; /* delay of a restart from within, 0: none */
	int n_again;
};

static void probe_on_due(struct wheel_timer *t, int64_t now_ms)
{
	struct probe *p = (struct probe *)t;

	assert_false(wheel_is_running(t));
	p->fired_ms = now_ms;
	p->n_fired++;
	if (p->victim)
		wheel_cancel(p->wheel, &p->victim->timer);
	if (p->n_again > 0) {
		p->n_again--;
		wheel_start(p->wheel, t, now_ms + p->again_ms);
	}
}

static struct probe probe_of(struct wheel *w)
{
	return (struct probe){.timer = {.on_due = probe_on_due}, .wheel = w, .fired_ms = -1};
}

/* Goes on until nothing runs, at the times the wheel itself asks for. */
static void run_all(struct wheel *w)
{
	int64_t next;

	while ((next = wheel_next(w)) >= 0)
		wheel_run(w, next);
}

static void an_idle_wheel_asks_for_nothing(void **state)
{
	struct wheel *w = wheel_new(5);

	(void)state;
	assert_int_equal(wheel_next(w), -1);
	assert_int_equal(wheel_run(w, 1000000), -1);
	wheel_free(w);
	wheel_free(NULL);
}

static void it_fires_within_a_tick_and_never_early(void **state)
{
	static const int64_t delays[] = {1, 7, 8, 9, 63, 64, 500, 511, 512, 513, 4096, 32767, 32768,
		32769, 100000, 3600000, 7200001, 86400000, 30ll * 86400000, 400ll * 86400000};

	(void)state;
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++)
		for (int64_t base = 0; base < 20; base += 3) {
			struct wheel *w = wheel_new(base);
			struct probe p = probe_of(w);

			wheel_run(w, base + 12345);
			wheel_start(w, &p.timer, base + 12345 + delays[i]);
			run_all(w);
			assert_int_equal(p.n_fired, 1);
			assert_in_range(p.fired_ms, base + 12345 + delays[i],
				base + 12345 + delays[i] + WHEEL_TICK_MS);
			wheel_free(w);
		}
}

static void next_is_never_later_than_the_due_tick(void **state)
{
	struct wheel *w = wheel_new(0);
	struct probe near = probe_of(w), far = probe_of(w);

	(void)state;
	wheel_start(w, &far.timer, 3600000);
	assert_in_range(wheel_next(w), 1, 3600000);
	wheel_start(w, &near.timer, 100);
	assert_in_range(wheel_next(w), 100, 100 + WHEEL_TICK_MS);
	wheel_cancel(w, &near.timer);
	wheel_cancel(w, &far.timer);
	assert_int_equal(wheel_next(w), -1);
	wheel_free(w);
}

static void one_late_run_fires_everything_in_order(void **state)
{
	struct wheel *w = wheel_new(0);
	struct probe p[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		p[i] = probe_of(w);
		wheel_start(w, &p[i].timer, 1000 * i + 1);
	}
	assert_in_range(wheel_run(w, 3900), 3901, 4001 + WHEEL_TICK_MS);
	for (int i = 0; i < 4; i++)
		assert_int_equal(p[i].n_fired, 1);
	assert_int_equal(p[4].n_fired, 0);
	wheel_cancel(w, &p[4].timer);
	wheel_free(w);
}

static void what_is_due_already_fires_with_the_next_tick(void **state)
{
	struct wheel *w = wheel_new(1000);
	struct probe p = probe_of(w);

	(void)state;
	wheel_run(w, 5000);
	wheel_start(w, &p.timer, -77);
	wheel_run(w, 5000 + WHEEL_TICK_MS);
	assert_int_equal(p.n_fired, 1);
	wheel_free(w);
}

static void a_callback_that_restarts_at_once_ends(void **state)
{
	struct wheel *w = wheel_new(0);
	struct probe p = probe_of(w);

	(void)state;
	p.n_again = 1000000;
	wheel_start(w, &p.timer, 8);
	wheel_run(w, 80);
	assert_in_range(p.n_fired, 1, 11);
	assert_true(wheel_is_running(&p.timer));
	wheel_cancel(w, &p.timer);
	wheel_free(w);
}

static void a_callback_may_cancel_its_neighbour(void **state)
{
	struct wheel *w = wheel_new(0);
	struct probe a = probe_of(w), b = probe_of(w), c = probe_of(w);

	(void)state;
	/* One tick, one slot; whoever of a and b comes first cancels the other. */
	a.victim = &b;
	b.victim = &a;
	wheel_start(w, &a.timer, 100);
	wheel_start(w, &c.timer, 100);
	wheel_start(w, &b.timer, 100);
	run_all(w);
	assert_int_equal(a.n_fired + b.n_fired, 1);
	assert_int_equal(c.n_fired, 1);
	wheel_free(w);
}

static void a_restart_moves_the_timer(void **state)
{
	struct wheel *w = wheel_new(0);
	struct probe p = probe_of(w);

	(void)state;
	wheel_start(w, &p.timer, 100);
	wheel_start(w, &p.timer, 90000);
	wheel_run(w, 80000);
	assert_int_equal(p.n_fired, 0);
	wheel_start(w, &p.timer, 80100);
	wheel_run(w, 80200);
	assert_int_equal(p.n_fired, 1);
	wheel_cancel(w, &p.timer);
	wheel_free(w);
}

static void the_far_future_does_not_overflow(void **state)
{
	struct wheel *w = wheel_new(INT64_MIN / 2);
	struct probe p = probe_of(w);

	(void)state;
	wheel_start(w, &p.timer, INT64_MAX);
	wheel_run(w, 0);
	assert_true(wheel_is_running(&p.timer) || p.n_fired == 1);
	wheel_cancel(w, &p.timer);
	wheel_free(w);
}

enum { MODEL_TIMERS = 4000, MODEL_STEPS = 60000 };

/* Delays of all magnitudes up to eleven days. */
static int64_t model_delay(struct rand_source *r)
{
	return (int64_t)(rand_u32(r) % (1u << rand_below(r, 31)));
}

static void model_check(const struct probe *p, const int64_t *due, int64_t now)
{
	for (int i = 0; i < MODEL_TIMERS; i++) {
		bool is_running = wheel_is_running(&p[i].timer);

		/* Whatever is more than a tick overdue must have fired; what is not due, must not.
		 */
		assert_int_equal(is_running, due[i] >= 0);
		if (is_running)
			assert_true(due[i] + WHEEL_TICK_MS > now);
	}
}

static void thousands_of_random_timers_agree_with_a_model(void **state)
{
	struct rand_source *r = rand_new_seeded(20261120);
	struct wheel *w = wheel_new(777);
	struct probe *p = xcalloc(MODEL_TIMERS, sizeof(*p));
	int64_t *due = xcalloc(MODEL_TIMERS, sizeof(*due)), now = 777;

	(void)state;
	for (int i = 0; i < MODEL_TIMERS; i++) {
		p[i] = probe_of(w);
		due[i] = -1;
	}
	for (int step = 0; step < MODEL_STEPS; step++) {
		int i = (int)rand_below(r, MODEL_TIMERS);

		if (rand_below(r, 8) == 0) {
			wheel_cancel(w, &p[i].timer);
			due[i] = -1;
		} else {
			due[i] = now + model_delay(r);
			wheel_start(w, &p[i].timer, due[i]);
		}
		if (rand_below(r, 20) != 0)
			continue;
		now += model_delay(r) >> 8;
		wheel_run(w, now);
		for (int j = 0; j < MODEL_TIMERS; j++)
			if (due[j] >= 0 && p[j].n_fired) {
				assert_true(due[j] <= now);
				due[j] = -1;
				p[j].n_fired = 0;
			}
		model_check(p, due, now);
	}
	for (int i = 0; i < MODEL_TIMERS; i++)
		wheel_cancel(w, &p[i].timer);
	assert_int_equal(wheel_next(w), -1);
	wheel_free(w);
	xfree(p);
	xfree(due);
	rand_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_wheel_asks_for_nothing),
		cmocka_unit_test(it_fires_within_a_tick_and_never_early),
		cmocka_unit_test(next_is_never_later_than_the_due_tick),
		cmocka_unit_test(one_late_run_fires_everything_in_order),
		cmocka_unit_test(what_is_due_already_fires_with_the_next_tick),
		cmocka_unit_test(a_callback_that_restarts_at_once_ends),
		cmocka_unit_test(a_callback_may_cancel_its_neighbour),
		cmocka_unit_test(a_restart_moves_the_timer),
		cmocka_unit_test(the_far_future_does_not_overflow),
		cmocka_unit_test(thousands_of_random_timers_agree_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
