/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/wheel.h"
#include "base/xalloc.h"

struct loop_note {
	struct loop_note *next;
	void (*fn)(void *arg);
	void *arg;
};

struct loop_work {
	uv_work_t req;
	struct loop_work *next, **link;
	struct loop *loop;
	void (*work)(void *arg);
	void (*done)(void *arg, int err);
	void *arg;
};

struct loop {
	uv_loop_t uv;
	uv_async_t wake;       /* posts and stop */
	uv_prepare_t turn_end; /* the last thing before the poll */
	uv_timer_t wheel_tick;
	struct wheel *wheel;
	int64_t wheel_armed_ms; /* what wheel_tick waits for; -1: nothing */
	struct loop_hook *hooks;
	struct loop_work *jobs;
	void (*enter)(void);
	void (*leave)(void);
	_Atomic(struct loop_note *) notes; /* newest first */
	atomic_bool is_stopping;
};

/* The uv handle comes first in these, so that one close callback frees them all. */
struct loop_watch {
	uv_poll_t poll;
	struct loop *loop;
	int fd;
	unsigned events;
	loop_ready_fn on_ready;
	void *arg;
};

struct loop_timer {
	uv_timer_t timer;
	struct loop *loop;
	void (*on_due)(void *arg);
	void *arg;
};

struct loop_signal {
	uv_signal_t signal;
	struct loop *loop;
	void (*on_signal)(void *arg, int signum);
	void *arg;
};

static void loop_enter(const struct loop *l)
{
	if (l->enter)
		l->enter();
}

static void loop_leave(const struct loop *l)
{
	if (l->leave)
		l->leave();
}

static void loop_on_closed(uv_handle_t *handle)
{
	xfree(handle);
}

/* ---- the turn ---- */

/* The newest note is on top of the stack; the oldest is to run first. */
static struct loop_note *loop_take_notes(struct loop *l)
{
	struct loop_note *stack = atomic_exchange_explicit(&l->notes, NULL, memory_order_acquire);
	struct loop_note *queue = NULL;

	while (stack) {
		struct loop_note *next = stack->next;

		stack->next = queue;
		queue = stack;
		stack = next;
	}
	return queue;
}

static void loop_on_wake(uv_async_t *handle)
{
	struct loop *l = handle->data;
	struct loop_note *note = loop_take_notes(l);

	while (note) {
		struct loop_note *next = note->next;

		loop_enter(l);
		note->fn(note->arg);
		loop_leave(l);
		xfree(note);
		note = next;
	}
	if (atomic_exchange_explicit(&l->is_stopping, false, memory_order_acquire))
		uv_stop(&l->uv);
}

static void loop_on_wheel_tick(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	l->wheel_armed_ms = -1;
	loop_enter(l);
	(void)wheel_run(l->wheel, loop_now_ms(l));
	loop_leave(l);
}

static void loop_arm_wheel(struct loop *l)
{
	int64_t due = wheel_next(l->wheel), now = loop_now_ms(l);

	if (due == l->wheel_armed_ms)
		return;
	l->wheel_armed_ms = due;
	if (due < 0)
		uv_timer_stop(&l->wheel_tick);
	else
		uv_timer_start(&l->wheel_tick, loop_on_wheel_tick,
			due > now ? (uint64_t)(due - now) : 0, 0);
}

static void loop_run_hooks(struct loop *l)
{
	struct loop_hook *next;

	if (!l->hooks)
		return;
	loop_enter(l);
	for (struct loop_hook *h = l->hooks; h; h = next) {
		next = h->next;
		h->fn(h->arg);
	}
	loop_leave(l);
}

static void loop_on_turn(uv_prepare_t *handle)
{
	struct loop *l = handle->data;

	loop_run_hooks(l);
	loop_arm_wheel(l);
}

static void loop_init_handles(struct loop *l)
{
	uv_prepare_init(&l->uv, &l->turn_end);
	uv_timer_init(&l->uv, &l->wheel_tick);
	l->wake.data = l;
	l->turn_end.data = l;
	l->wheel_tick.data = l;
	uv_prepare_start(&l->turn_end, loop_on_turn);
}

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	if (uv_loop_init(&l->uv) < 0) {
		xfree(l);
		return NULL;
	}
	if (uv_async_init(&l->uv, &l->wake, loop_on_wake) < 0) {
		uv_loop_close(&l->uv);
		xfree(l);
		return NULL;
	}
	loop_init_handles(l);
	l->wheel = wheel_new(loop_now_ms(l));
	l->wheel_armed_ms = -1;
	return l;
}

static void loop_close_handle(uv_handle_t *handle, void *arg)
{
	struct loop *l = arg;
	bool is_ours = handle == (uv_handle_t *)&l->wake || handle == (uv_handle_t *)&l->turn_end ||
		       handle == (uv_handle_t *)&l->wheel_tick;

	if (!uv_is_closing(handle))
		uv_close(handle, is_ours ? NULL : loop_on_closed);
}

void loop_free(struct loop *l)
{
	struct loop_note *note;

	if (!l)
		return;
	for (struct loop_work *j = l->jobs; j; j = j->next)
		uv_cancel((uv_req_t *)&j->req); /* one that runs already is waited for */
	uv_walk(&l->uv, loop_close_handle, l);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	uv_walk(&l->uv, loop_close_handle, l); /* what a last `done` made */
	uv_run(&l->uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(&l->uv);
	note = loop_take_notes(l);
	while (note) {
		struct loop_note *next = note->next;

		xfree(note);
		note = next;
	}
	wheel_free(l->wheel);
	xfree(l);
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
	loop_run_hooks(l);
}

void loop_turn(struct loop *l, bool wait)
{
	uv_run(&l->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	loop_run_hooks(l);
}

void loop_stop(struct loop *l)
{
	atomic_store_explicit(&l->is_stopping, true, memory_order_release);
	uv_async_send(&l->wake);
}

void loop_set_guard(struct loop *l, void (*enter)(void), void (*leave)(void))
{
	l->enter = enter;
	l->leave = leave;
}

int64_t loop_now_ms(const struct loop *l)
{
	return (int64_t)uv_now(&l->uv);
}

void loop_update_now(struct loop *l)
{
	uv_update_time(&l->uv);
}

struct wheel *loop_wheel(struct loop *l)
{
	return l->wheel;
}

/* ---- descriptors ---- */

static int loop_uv_events(unsigned events)
{
	return (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
}

/* libuv stops a watch at the first EPOLLERR, so that one ICMP error would make a socket deaf:
 * take the error off the socket and watch on. */
static int loop_take_error(struct loop_watch *w);

static void loop_on_poll(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *w = (struct loop_watch *)handle;
	const struct loop *l = w->loop;
	unsigned ready = LOOP_ERROR;
	int err = 0;

	if (status < 0)
		err = loop_take_error(w);
	else
		ready = (events & UV_READABLE ? LOOP_READ : 0u) |
			(events & UV_WRITABLE ? LOOP_WRITE : 0u);
	loop_enter(l);
	w->on_ready(w->arg, ready, err);
	loop_leave(l);
}

static int loop_take_error(struct loop_watch *w)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = 0;
	if (w->events)
		uv_poll_start(&w->poll, loop_uv_events(w->events), loop_on_poll);
	return error ? err_from_errno(error) : ERR_CLOSED;
}

struct loop_watch *loop_watch_new(struct loop *l, int fd, loop_ready_fn on_ready, void *arg)
{
	struct loop_watch *w = xcalloc(1, sizeof(*w));

	w->loop = l;
	w->fd = fd;
	w->on_ready = on_ready;
	w->arg = arg;
	if (uv_poll_init(&l->uv, &w->poll, fd) < 0) {
		xfree(w);
		return NULL;
	}
	return w;
}

void loop_watch_set(struct loop_watch *w, unsigned events)
{
	if (events == w->events)
		return;
	w->events = events;
	if (events)
		uv_poll_start(&w->poll, loop_uv_events(events), loop_on_poll);
	else
		uv_poll_stop(&w->poll);
}

void loop_watch_free(struct loop_watch *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->poll, loop_on_closed);
}

/* ---- timers ---- */

static void loop_on_timer(uv_timer_t *handle)
{
	struct loop_timer *t = (struct loop_timer *)handle;
	const struct loop *l = t->loop;

	loop_enter(l);
	t->on_due(t->arg);
	loop_leave(l);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*on_due)(void *arg), void *arg)
{
	struct loop_timer *t = xcalloc(1, sizeof(*t));

	t->loop = l;
	t->on_due = on_due;
	t->arg = arg;
	uv_timer_init(&l->uv, &t->timer);
	return t;
}

void loop_timer_start(struct loop_timer *t, int64_t after_ms, int64_t repeat_ms)
{
	uv_timer_start(&t->timer, loop_on_timer, after_ms > 0 ? (uint64_t)after_ms : 0,
		repeat_ms > 0 ? (uint64_t)repeat_ms : 0);
}

void loop_timer_stop(struct loop_timer *t)
{
	uv_timer_stop(&t->timer);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->timer, loop_on_closed);
}

/* ---- the end of a turn ---- */

void loop_on_turn_end(struct loop *l, struct loop_hook *hook)
{
	assert(!hook->link && hook->fn);
	hook->next = l->hooks;
	hook->link = &l->hooks;
	if (l->hooks)
		l->hooks->link = &hook->next;
	l->hooks = hook;
}

void loop_hook_del(struct loop_hook *hook)
{
	if (!hook->link)
		return;
	*hook->link = hook->next;
	if (hook->next)
		hook->next->link = hook->link;
	hook->next = NULL;
	hook->link = NULL;
}

/* ---- across threads ---- */

/* Only the post that finds the stack empty wakes the loop: whoever comes later is taken by the
 * same turn, for the loop empties the stack after it woke. */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct loop_note *note = xalloc(sizeof(*note));
	struct loop_note *top = atomic_load_explicit(&l->notes, memory_order_relaxed);

	note->fn = fn;
	note->arg = arg;
	do {
		note->next = top;
	} while (!atomic_compare_exchange_weak_explicit(
		&l->notes, &top, note, memory_order_release, memory_order_relaxed));
	if (!top)
		uv_async_send(&l->wake);
}

static void loop_on_work(uv_work_t *req)
{
	struct loop_work *j = req->data;

	j->work(j->arg);
}

static void loop_on_worked(uv_work_t *req, int status)
{
	struct loop_work *j = req->data;
	const struct loop *l = j->loop;

	*j->link = j->next;
	if (j->next)
		j->next->link = j->link;
	loop_enter(l);
	if (j->done)
		j->done(j->arg, status < 0 ? ERR_CLOSED : 0);
	loop_leave(l);
	xfree(j);
}

int loop_job(struct loop *l, void (*work)(void *arg), void (*done)(void *arg, int err), void *arg)
{
	struct loop_work *j = xcalloc(1, sizeof(*j));

	j->loop = l;
	j->work = work;
	j->done = done;
	j->arg = arg;
	j->req.data = j;
	if (uv_queue_work(&l->uv, &j->req, loop_on_work, loop_on_worked) < 0) {
		xfree(j);
		return ERR_INTERNAL;
	}
	j->next = l->jobs;
	j->link = &l->jobs;
	if (l->jobs)
		l->jobs->link = &j->next;
	l->jobs = j;
	return 0;
}

/* ---- signals ---- */

static void loop_on_signal(uv_signal_t *handle, int signum)
{
	struct loop_signal *s = (struct loop_signal *)handle;
	const struct loop *l = s->loop;

	loop_enter(l);
	s->on_signal(s->arg, signum);
	loop_leave(l);
}

int loop_signal(struct loop *l, int signum, void (*on_signal)(void *arg, int signum), void *arg)
{
	struct loop_signal *s = xcalloc(1, sizeof(*s));
	int rc;

	s->loop = l;
	s->on_signal = on_signal;
	s->arg = arg;
	rc = uv_signal_init(&l->uv, &s->signal);
	if (rc < 0) {
		xfree(s);
		return err_from_errno(-rc);
	}
	rc = uv_signal_start(&s->signal, loop_on_signal, signum);
	if (rc < 0) {
		uv_close((uv_handle_t *)&s->signal, loop_on_closed);
		return err_from_errno(-rc);
	}
	return 0;
}
