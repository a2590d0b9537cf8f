/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How many lines of one kind a minute may have: a counter over fixed windows that any thread may
 * ask without a lock. log.c keeps one for each ID; others may keep their own. Pure: `now` comes in.
 */
#include <stdbool.h>
#include <stdint.h>

enum { LOGLIMIT_WINDOW_MS = 60 * 1000 };

/* Zero-initialised is ready. Touched by loglimit_ functions only. */
struct loglimit {
	int64_t window_ms; /* start of the window plus one; 0: none yet */
	uint32_t n_seen;   /* in this window */
};

/* LOGLIMIT_LAST: this one may still be written and the next will be left out, say so. */
enum loglimit_verdict { LOGLIMIT_WRITE, LOGLIMIT_LAST, LOGLIMIT_DROP };

/* One more event at now_ms (monotonic); at most `most` a window are written. *out_dropped is how
 * many the window before left out, told once, else 0. */
enum loglimit_verdict loglimit_admit(
	struct loglimit *l, int64_t now_ms, uint32_t most, uint32_t *out_dropped);
/* How many were left out and not told yet; starts a new window. */
uint32_t loglimit_flush(struct loglimit *l, uint32_t most);
