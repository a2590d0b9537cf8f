/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The event loop of one thread, over libuv, which nobody above net/ sees (daemon/ may).
 *
 * A loop belongs to the thread that runs it: every function here is for that thread only, or for
 * the thread that set it up before loop_run, but for loop_post and loop_stop, which any thread may
 * call. Callbacks never nest: the loop calls them one after another.
 *
 * A turn is: timers, then I/O, posts and finished jobs, then the turn-end hooks, then sleep. What a
 * callback borrows "for the turn" is gone when the callback returns, unless it says otherwise.
 *
 * loop_set_guard names two functions called around every callback (rcu_enter and rcu_leave in the
 * daemon), so that no callback need think of RCU; registering the thread is the daemon's business.
 * The loop never blocks but in its poll, and never allocates on the path of an fd event. */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct wheel;

/* NULL when the kernel gives no epoll or event descriptor. */
struct loop *loop_new(void);
/* After loop_run has returned. Waits for pool jobs under way and calls their done with ERR_CLOSED;
 * watches, timers and signals still there are forgotten; posts not yet run are dropped. NULL is
 * allowed. */
void loop_free(struct loop *l);
/* Runs until loop_stop; may be called again. loop_turn: one turn; waits for an event only when
 * `wait`. */
void loop_run(struct loop *l);
void loop_turn(struct loop *l, bool wait);
/* Makes loop_run return after the present turn. Any thread; may precede loop_run. */
void loop_stop(struct loop *l);
void loop_set_guard(struct loop *l, void (*enter)(void), void (*leave)(void));

/* CLOCK_MONOTONIC in ms, read once a turn: free, comparable with clock_mono_ms, and behind it by
 * the length of the turn so far. loop_update_now reads the clock again, for long callbacks. */
int64_t loop_now_ms(const struct loop *l);
void loop_update_now(struct loop *l);

/* The timer wheel of this loop, life: the loop. wheel_start from a callback is all it takes: the
 * loop looks at it before it sleeps. The place for timers that come in numbers. */
struct wheel *loop_wheel(struct loop *l);

/* ---- descriptors ---- */

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_ERROR = 4 };

struct loop_watch;
/* events: LOOP_READ | LOOP_WRITE that hold now (level-triggered). LOOP_ERROR comes alone, with err
 * from the socket's SO_ERROR (cleared by that), or ERR_CLOSED when the descriptor is at its end
 * and has no error; the watch goes on. An owner that gets LOOP_ERROR and does nothing with a dead
 * descriptor gets it again. */
typedef void (*loop_ready_fn)(void *arg, unsigned events, int err);

/* Watches nothing until loop_watch_set. The fd stays the caller's, is made non-blocking, and must
 * be open until loop_watch_free. NULL when the kernel refuses (a regular file, no memory). */
struct loop_watch *loop_watch_new(struct loop *l, int fd, loop_ready_fn on_ready, void *arg);
/* 0 stops. Costs two epoll_ctl: not to be toggled per packet. No-op when nothing changes. */
void loop_watch_set(struct loop_watch *w, unsigned events);
/* on_ready is not called any more, from here on. The fd may be closed right after. NULL allowed. */
void loop_watch_free(struct loop_watch *w);

/* ---- timers: for the few; see loop_wheel ---- */

struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, void (*on_due)(void *arg), void *arg);
/* First after_ms from now, then every repeat_ms when that is not 0. Restarts a running one. */
void loop_timer_start(struct loop_timer *t, int64_t after_ms, int64_t repeat_ms);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL allowed; also from its own callback */

/* ---- the end of a turn ---- */

/* Owned by the caller; in no list when zeroed. */
struct loop_hook {
	struct loop_hook *next, **link;
	void (*fn)(void *arg);
	void *arg;
};
/* fn is called once a turn, after I/O and timers and before the loop sleeps: the place to flush
 * send queues and hand over batches. A hook may delete itself and no other. It calls nobody who
 * could give work to another hook: that one may have run already, and the loop would sleep on it.
 */
void loop_on_turn_end(struct loop *l, struct loop_hook *hook);
void loop_hook_del(struct loop_hook *hook); /* no-op when not in a list */

/* ---- across threads ---- */

/* Runs fn(arg) on the loop's thread, in the order of the posts of one thread. Any thread, never
 * blocks, one write(2) at most for a whole batch of posts. The number of posts outstanding is the
 * callers' to bound. */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

/* Runs work(arg) on a thread of libuv's pool (four for the whole process), then done(arg, err) on
 * the loop; err: 0, or ERR_CLOSED when the loop ended before work began. For what takes long or
 * touches the disk; never on a packet's path. done may be NULL. */
MUST_CHECK int loop_job(
	struct loop *l, void (*work)(void *arg), void (*done)(void *arg, int err), void *arg);

/* ---- signals ---- */

/* on_signal is called on the loop, some time after the signal. One loop of the process only. */
MUST_CHECK int loop_signal(
	struct loop *l, int signum, void (*on_signal)(void *arg, int signum), void *arg);
