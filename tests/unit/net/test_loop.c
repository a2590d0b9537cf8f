/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "net/loop.h"

enum { POSTERS = 4, POSTS = 20000 };

struct poster {
	pthread_t thread;
	struct loop *loop;
	struct counter *counter;
	uint32_t id;
};

struct counter {
	struct loop *loop;
	uint32_t seen[POSTERS];
	uint32_t total;
	bool out_of_order;
	pthread_t owner;
};

struct ticket {
	struct counter *counter;
	uint32_t poster, number;
};

static struct ticket tickets[POSTERS][POSTS];

static void count_ticket(void *arg)
{
	struct ticket *t = arg;
	struct counter *c = t->counter;

	assert_true(pthread_equal(pthread_self(), c->owner));
	if (c->seen[t->poster] != t->number)
		c->out_of_order = true;
	c->seen[t->poster]++;
	if (++c->total == POSTERS * POSTS)
		loop_stop(c->loop);
}

static void *post_many(void *arg)
{
	struct poster *p = arg;

	for (uint32_t i = 0; i < POSTS; i++) {
		tickets[p->id][i] = (struct ticket){p->counter, p->id, i};
		loop_post(p->loop, count_ticket, &tickets[p->id][i]);
	}
	return NULL;
}

static void every_post_of_many_threads_arrives_in_order(void **state)
{
	struct counter c = {.loop = loop_new(), .owner = pthread_self()};
	struct poster p[POSTERS];

	(void)state;
	assert_non_null(c.loop);
	for (uint32_t i = 0; i < POSTERS; i++) {
		p[i] = (struct poster){.loop = c.loop, .counter = &c, .id = i};
		assert_int_equal(0, pthread_create(&p[i].thread, NULL, post_many, &p[i]));
	}
	loop_run(c.loop);
	for (uint32_t i = 0; i < POSTERS; i++)
		pthread_join(p[i].thread, NULL);
	assert_int_equal(POSTERS * POSTS, c.total);
	assert_false(c.out_of_order);
	loop_free(c.loop);
}

static void *stop_it(void *arg)
{
	loop_stop(arg);
	return NULL;
}

static void another_thread_can_stop_a_sleeping_loop(void **state)
{
	struct loop *l = loop_new();
	pthread_t thread;

	(void)state;
	assert_int_equal(0, pthread_create(&thread, NULL, stop_it, l));
	loop_run(l);
	pthread_join(thread, NULL);
	/* A stop before the run counts as well. */
	loop_stop(l);
	loop_run(l);
	loop_free(l);
}

static void posts_that_never_ran_are_dropped_without_a_leak(void **state)
{
	struct loop *l = loop_new();
	struct ticket t = {0};

	(void)state;
	loop_post(l, count_ticket, &t);
	loop_post(l, count_ticket, &t);
	loop_free(l);
}

struct turns {
	struct loop *loop;
	struct loop_hook hook;
	struct wheel_timer timer;
	unsigned hooked, fired, depth, deepest;
	int64_t fired_ms;
};

static struct turns *turns_now;

static void turns_enter(void)
{
	turns_now->depth++;
	if (turns_now->depth > turns_now->deepest)
		turns_now->deepest = turns_now->depth;
}

static void turns_leave(void)
{
	turns_now->depth--;
}

static void turns_on_hook(void *arg)
{
	struct turns *t = arg;

	assert_int_equal(1, t->depth);
	t->hooked++;
}

static void turns_on_due(struct wheel_timer *timer, int64_t now_ms)
{
	struct turns *t = (struct turns *)((char *)timer - offsetof(struct turns, timer));

	assert_int_equal(1, t->depth);
	t->fired++;
	t->fired_ms = now_ms;
	loop_stop(t->loop);
}

static void a_wheel_timer_wakes_the_loop_and_hooks_run_inside_the_guard(void **state)
{
	struct turns t = {.loop = loop_new()};
	int64_t start;

	(void)state;
	turns_now = &t;
	loop_set_guard(t.loop, turns_enter, turns_leave);
	t.hook = (struct loop_hook){.fn = turns_on_hook, .arg = &t};
	t.timer.on_due = turns_on_due;
	loop_on_turn_end(t.loop, &t.hook);
	start = loop_now_ms(t.loop);
	assert_true(start <= clock_mono_ms() && start > clock_mono_ms() - 10000);
	wheel_start(loop_wheel(t.loop), &t.timer, start + 30);
	loop_run(t.loop);
	assert_int_equal(1, t.fired);
	assert_true(t.fired_ms >= start + 30);
	assert_true(t.hooked >= 2);
	assert_int_equal(0, t.depth);
	assert_int_equal(1, t.deepest);
	loop_hook_del(&t.hook);
	loop_hook_del(&t.hook);
	t.hooked = 0;
	loop_turn(t.loop, false);
	assert_int_equal(0, t.hooked);
	loop_free(t.loop);
}

struct sooner {
	struct loop *loop;
	struct wheel_timer late, soon;
	unsigned order, late_at, soon_at;
};

static void sooner_on_late(struct wheel_timer *timer, int64_t now_ms)
{
	struct sooner *s = (struct sooner *)((char *)timer - offsetof(struct sooner, late));

	(void)now_ms;
	s->late_at = ++s->order;
}

static void sooner_on_soon(struct wheel_timer *timer, int64_t now_ms)
{
	struct sooner *s = (struct sooner *)((char *)timer - offsetof(struct sooner, soon));

	(void)now_ms;
	s->soon_at = ++s->order;
	loop_stop(s->loop);
}

static void sooner_start(void *arg)
{
	struct sooner *s = arg;

	wheel_start(loop_wheel(s->loop), &s->soon, loop_now_ms(s->loop) + 10);
}

static void a_timer_started_later_but_due_sooner_comes_first(void **state)
{
	struct sooner s = {.loop = loop_new()};

	(void)state;
	s.late.on_due = sooner_on_late;
	s.soon.on_due = sooner_on_soon;
	wheel_start(loop_wheel(s.loop), &s.late, loop_now_ms(s.loop) + 600 * 1000);
	loop_turn(s.loop, false);
	loop_post(s.loop, sooner_start, &s);
	loop_run(s.loop);
	assert_int_equal(1, s.soon_at);
	assert_int_equal(0, s.late_at);
	loop_free(s.loop);
}

struct ticker {
	struct loop *loop;
	struct loop_timer *timer;
	unsigned left;
};

static void ticker_on_due(void *arg)
{
	struct ticker *t = arg;

	if (--t->left == 0) {
		loop_timer_free(t->timer);
		loop_stop(t->loop);
	}
}

static void a_repeating_timer_may_free_itself(void **state)
{
	struct ticker t = {.loop = loop_new(), .left = 3};

	(void)state;
	t.timer = loop_timer_new(t.loop, ticker_on_due, &t);
	loop_timer_start(t.timer, 1, 1);
	loop_run(t.loop);
	assert_int_equal(0, t.left);
	loop_free(t.loop);
}

struct ears {
	struct loop *loop;
	struct loop_watch *watch;
	int fd;
	unsigned errors, reads;
	int err;
};

static void ears_on_ready(void *arg, unsigned events, int err)
{
	struct ears *e = arg;
	char byte;

	if (events & LOOP_ERROR) {
		e->errors++;
		e->err = err;
	}
	if (events & LOOP_READ) {
		e->reads++;
		assert_int_equal(1, recv(e->fd, &byte, 1, 0));
	}
	loop_stop(e->loop);
}

/* A connected UDP socket that meets ICMP port unreachable, and after it a real datagram. */
static void an_icmp_error_does_not_make_a_watch_deaf(void **state)
{
	struct ears e = {.loop = loop_new()};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in own;
	socklen_t len = sizeof(a), own_len = sizeof(own);
	int closed = socket(AF_INET, SOCK_DGRAM, 0), open;

	(void)state;
	assert_int_equal(0, bind(closed, (struct sockaddr *)&a, sizeof(a)));
	assert_int_equal(0, getsockname(closed, (struct sockaddr *)&a, &len));
	e.fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(0, connect(e.fd, (struct sockaddr *)&a, sizeof(a)));
	assert_int_equal(0, getsockname(e.fd, (struct sockaddr *)&own, &own_len));
	close(closed);
	e.watch = loop_watch_new(e.loop, e.fd, ears_on_ready, &e);
	loop_watch_set(e.watch, LOOP_READ);
	assert_int_equal(1, send(e.fd, "x", 1, 0));
	loop_run(e.loop);
	assert_int_equal(1, e.errors);
	assert_int_equal(ERR_UNREACHABLE, e.err);

	open = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(0, bind(open, (struct sockaddr *)&a, sizeof(a)));
	assert_int_equal(1, sendto(open, "y", 1, 0, (struct sockaddr *)&own, own_len));
	loop_run(e.loop);
	assert_int_equal(1, e.reads);
	assert_int_equal(1, e.errors);
	loop_watch_free(e.watch);
	close(e.fd);
	close(open);
	loop_free(e.loop);
}

struct jobs {
	struct loop *loop;
	atomic_uint worked;
	unsigned done, closed;
	pthread_t owner;
};

static void jobs_work(void *arg)
{
	struct jobs *j = arg;

	assert_false(pthread_equal(pthread_self(), j->owner));
	atomic_fetch_add(&j->worked, 1);
}

static void jobs_done(void *arg, int err)
{
	struct jobs *j = arg;

	assert_true(pthread_equal(pthread_self(), j->owner));
	j->done++;
	if (err == ERR_CLOSED)
		j->closed++;
	else if (j->done == 10)
		loop_stop(j->loop);
}

static void jobs_work_elsewhere_and_end_on_the_loop(void **state)
{
	struct jobs j = {.loop = loop_new(), .owner = pthread_self()};

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(0, loop_job(j.loop, jobs_work, jobs_done, &j));
	loop_run(j.loop);
	assert_int_equal(10, j.worked);
	assert_int_equal(10, j.done);
	/* Freeing the loop ends every job one way or the other. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(0, loop_job(j.loop, jobs_work, jobs_done, &j));
	loop_free(j.loop);
	assert_int_equal(110, j.done);
	assert_int_equal(110, j.worked + j.closed);
}

static void on_usr1(void *arg, int signum)
{
	assert_int_equal(SIGUSR1, signum);
	loop_stop(arg);
}

static void a_signal_comes_to_the_loop(void **state)
{
	struct loop *l = loop_new();

	(void)state;
	assert_int_equal(0, loop_signal(l, SIGUSR1, on_usr1, l));
	kill(getpid(), SIGUSR1);
	loop_run(l);
	loop_free(l);
}

static void a_regular_file_cannot_be_watched(void **state)
{
	struct loop *l = loop_new();
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	assert_null(loop_watch_new(l, fileno(f), ears_on_ready, NULL));
	loop_watch_free(NULL);
	loop_timer_free(NULL);
	fclose(f);
	loop_free(l);
	loop_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_post_of_many_threads_arrives_in_order),
		cmocka_unit_test(another_thread_can_stop_a_sleeping_loop),
		cmocka_unit_test(posts_that_never_ran_are_dropped_without_a_leak),
		cmocka_unit_test(a_wheel_timer_wakes_the_loop_and_hooks_run_inside_the_guard),
		cmocka_unit_test(a_timer_started_later_but_due_sooner_comes_first),
		cmocka_unit_test(a_repeating_timer_may_free_itself),
		cmocka_unit_test(an_icmp_error_does_not_make_a_watch_deaf),
		cmocka_unit_test(jobs_work_elsewhere_and_end_on_the_loop),
		cmocka_unit_test(a_signal_comes_to_the_loop),
		cmocka_unit_test(a_regular_file_cannot_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
