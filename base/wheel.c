/* SPDX-License-Identifier: Apache-2.0 */
/* A hierarchical wheel of LEVELS rings of 64 slots. Time is counted in ticks since the wheel was
 * made, a timer's tick being its due time rounded up. A timer stands on the level of the highest
 * 6-bit digit in which its tick differs from the current tick, in the slot of that digit. So
 * everything on a level lies in the current turn of the level above it, and the earliest
 * thing to do is the first used slot of the lowest used level: one bitmap scan a level. When the
 * current tick reaches a slot of a higher level, its timers move down. Eight levels reach 71,000
 * years, so no timer is too far away and nothing is ever looked at turn after turn. */
#include "base/wheel.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/xalloc.h"

enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 8 };

#define WHEEL_TICK_MAX ((UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS)) - 1)

struct wheel {
	int64_t base_ms; /* time of tick 0 */
	uint64_t tick;	 /* everything up to and with this one has fired */
	bool is_running;
	uint64_t used[WHEEL_LEVELS]; /* a bit for each slot that has timers */
	struct wheel_timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
	struct wheel_timer *firing; /* the rest of the slot that is being fired */
};

/* First tick that is not before ms. */
static uint64_t wheel_tick_after(const struct wheel *w, int64_t ms)
{
	uint64_t since, tick;

	if (ms <= w->base_ms)
		return 0;
	since = (uint64_t)ms - (uint64_t)w->base_ms;
	tick = since / WHEEL_TICK_MS + (since % WHEEL_TICK_MS != 0);
	return tick < WHEEL_TICK_MAX ? tick : WHEEL_TICK_MAX;
}

/* Last tick that is not after ms. */
static uint64_t wheel_tick_at(const struct wheel *w, int64_t ms)
{
	uint64_t tick;

	if (ms <= w->base_ms)
		return 0;
	tick = ((uint64_t)ms - (uint64_t)w->base_ms) / WHEEL_TICK_MS;
	return tick < WHEEL_TICK_MAX ? tick : WHEEL_TICK_MAX;
}

static void wheel_link(struct wheel_timer **head, struct wheel_timer *t)
{
	t->next = *head;
	if (t->next)
		t->next->link = &t->next;
	t->link = head;
	*head = t;
}

static void wheel_unlink(struct wheel *w, struct wheel_timer *t)
{
	uintptr_t first = (uintptr_t)w->slots, at = (uintptr_t)t->link;
	struct wheel_timer **link = t->link;

	*link = t->next;
	if (t->next)
		t->next->link = link;
	t->next = NULL;
	t->link = NULL;
	if (!*link && at >= first && at - first < sizeof(w->slots)) {
		size_t slot = (at - first) / sizeof(w->slots[0][0]);

		w->used[slot / WHEEL_SLOTS] &= ~(UINT64_C(1) << slot % WHEEL_SLOTS);
	}
}

/* tick >= w->tick */
static void wheel_place(struct wheel *w, struct wheel_timer *t, uint64_t tick)
{
	uint64_t differ = tick ^ w->tick;
	unsigned level = differ ? (unsigned)(63 - __builtin_clzll(differ)) / WHEEL_BITS : 0;
	unsigned slot = (unsigned)(tick >> (level * WHEEL_BITS)) % WHEEL_SLOTS;

	wheel_link(&w->slots[level][slot], t);
	w->used[level] |= UINT64_C(1) << slot;
}

/* Takes all timers of a slot as one list whose head is *into. */
static void wheel_take(struct wheel *w, unsigned level, unsigned slot, struct wheel_timer **into)
{
	*into = w->slots[level][slot];
	if (*into)
		(*into)->link = into;
	w->slots[level][slot] = NULL;
	w->used[level] &= ~(UINT64_C(1) << slot);
}

/* The next tick at which a slot has to be fired or moved down; false when no timer runs. */
static bool wheel_next_tick(const struct wheel *w, uint64_t *out_tick)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned shift = level * WHEEL_BITS;

		if (w->used[level]) {
			uint64_t slot = (uint64_t)__builtin_ctzll(w->used[level]);
			uint64_t turn = w->tick >> (shift + WHEEL_BITS);

			*out_tick = (turn << WHEEL_BITS | slot) << shift;
			return true;
		}
	}
	return false;
}

static void wheel_move_down(struct wheel *w, unsigned level, unsigned slot)
{
	struct wheel_timer *list, *t;

	wheel_take(w, level, slot, &list);
	while ((t = list)) {
		uint64_t tick = wheel_tick_after(w, t->due_ms);

		wheel_unlink(w, t);
		wheel_place(w, t, tick > w->tick ? tick : w->tick);
	}
}

static void wheel_fire_tick(struct wheel *w, uint64_t tick, int64_t now_ms)
{
	struct wheel_timer *t;

	w->tick = tick;
	for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--) {
		unsigned shift = level * WHEEL_BITS;
		unsigned slot = (unsigned)(tick >> shift) % WHEEL_SLOTS;

		if ((tick & ((UINT64_C(1) << shift) - 1)) == 0 && w->slots[level][slot])
			wheel_move_down(w, level, slot);
	}
	wheel_take(w, 0, (unsigned)tick % WHEEL_SLOTS, &w->firing);
	while ((t = w->firing)) {
		wheel_unlink(w, t);
		t->on_due(t, now_ms);
	}
}

struct wheel *wheel_new(int64_t now_ms)
{
	struct wheel *w = xcalloc(1, sizeof(*w));

	w->base_ms = now_ms;
	return w;
}

void wheel_free(struct wheel *w)
{
	xfree(w);
}

void wheel_start(struct wheel *w, struct wheel_timer *t, int64_t due_ms)
{
	uint64_t tick = wheel_tick_after(w, due_ms);

	assert(t->on_due);
	if (t->link)
		wheel_unlink(w, t);
	t->due_ms = due_ms;
	/* What is due already fires with the next tick, so that a callback that starts itself
	 * again with no delay cannot keep wheel_run for ever. */
	wheel_place(w, t, tick > w->tick ? tick : w->tick + 1);
}

void wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
	if (t->link)
		wheel_unlink(w, t);
}

int64_t wheel_run(struct wheel *w, int64_t now_ms)
{
	uint64_t until = wheel_tick_at(w, now_ms), tick;

	assert(!w->is_running);
	w->is_running = true;
	while (wheel_next_tick(w, &tick) && tick <= until)
		wheel_fire_tick(w, tick, now_ms);
	/* No used slot begins in between, so every timer keeps its place. */
	if (until > w->tick)
		w->tick = until;
	w->is_running = false;
	return wheel_next(w);
}

int64_t wheel_next(const struct wheel *w)
{
	uint64_t tick;

	if (!wheel_next_tick(w, &tick))
		return -1;
	return w->base_ms + (int64_t)(tick * WHEEL_TICK_MS);
}
