/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Timers of one thread: a hashed timing wheel, O(1) start and cancel, driven by
 * whoever owns the clock (one uv_timer in the daemon, a virtual clock in tests).
 * A timer is embedded in what it times; it fires once, never early, at most one
 * tick late. A callback may start and cancel any timer, its own too. */
#include <stdbool.h>
#include <stdint.h>

#define WHEEL_TICK_MS 8

struct wheel_timer {
	struct wheel_timer *next, **link; /* link NULL: not running */
	int64_t due_ms;
	void (*on_due)(struct wheel_timer *t, int64_t now_ms);
};

struct wheel;
struct wheel *wheel_new(int64_t now_ms);
void wheel_free(struct wheel *w); /* running timers are forgotten, not fired */

/* Starts or restarts t. on_due must be set. */
void wheel_start(struct wheel *w, struct wheel_timer *t, int64_t due_ms);
void wheel_cancel(struct wheel *w, struct wheel_timer *t); /* no-op when not running */
static inline bool wheel_is_running(const struct wheel_timer *t)
{
	return t->link != 0;
}

/* Fires everything due at now_ms. Returns the next due time (a lower bound), or -1 when no
 * timer runs. */
int64_t wheel_run(struct wheel *w, int64_t now_ms);
/* The next due time as above without firing. */
int64_t wheel_next(const struct wheel *w);
