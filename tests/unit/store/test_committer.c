/* SPDX-License-Identifier: Apache-2.0 */
#define SCRATCH_ON_DISK
#include "unit/store/storetest.h"

#include "unit/store/diskfault.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/rand.h"
#include "store/committer.h"
#include "store/statedb.h"
#include "store/store_limits.h"

/* A loop in miniature: posts are kept and run by whoever waits. */
struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} posts[4096];
	size_t n, taken;
	unsigned n_ok, n_failed;
	int last_err;
	uint32_t order; /* of the next ack, when they are numbered */
};

static void mailbox_init(struct mailbox *m)
{
	*m = (struct mailbox){0};
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->more, NULL);
}

static void mailbox_post(void *arg, void (*fn)(void *), void *fn_arg)
{
	struct mailbox *m = arg;

	pthread_mutex_lock(&m->lock);
	assert(m->n < 4096);
	m->posts[m->n].fn = fn;
	m->posts[m->n++].arg = fn_arg;
	pthread_cond_signal(&m->more);
	pthread_mutex_unlock(&m->lock);
}

/* Runs the posts there are; waits for one first when `wait`. */
static void mailbox_run(struct mailbox *m, bool wait)
{
	pthread_mutex_lock(&m->lock);
	while (wait && m->taken == m->n)
		pthread_cond_wait(&m->more, &m->lock);
	while (m->taken < m->n) {
		size_t i = m->taken++;

		pthread_mutex_unlock(&m->lock);
		m->posts[i].fn(m->posts[i].arg);
		pthread_mutex_lock(&m->lock);
	}
	m->n = m->taken = 0;
	pthread_mutex_unlock(&m->lock);
}

static void on_done(void *arg, int err)
{
	struct mailbox *m = arg;

	if (err)
		m->n_failed++;
	else
		m->n_ok++;
	m->last_err = err;
}

static int submit(struct committer *c, uint32_t n, uint32_t g, committer_done_fn fn, void *arg)
{
	struct lease_record r = lease_of(n, g);
	struct lease_change change = {.op = LEASE_PUT, .record = &r};

	return committer_submit(c, &change, 1, fn, arg);
}

static void an_answer_comes_after_the_lease_is_on_disk(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct committer *c;
	struct mailbox m;

	mailbox_init(&m);
	assert_int_equal(committer_start(s, mailbox_post, &m, &c), 0);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(submit(c, i, 1, on_done, &m), 0);
		mailbox_run(&m, true);
		assert_int_equal(m.n_ok, i + 1);
		assert_int_equal(get_lease(s, i), 1);
	}
	assert_int_equal(committer_stats(c).n_commits, 100);
	assert_int_equal(committer_stats(c).queued, 0);
	assert_true(committer_stats(c).p50_us > 0);
	assert_true(committer_stats(c).p50_us <= committer_stats(c).p99_us);
	committer_stop(c);
	store_close(s);
}

static void what_comes_during_a_commit_goes_together_in_the_next(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct committer *c;
	struct mailbox m;

	mailbox_init(&m);
	assert_int_equal(committer_start(s, mailbox_post, &m, &c), 0);
	for (uint32_t i = 0; i < 2000; i++)
		assert_int_equal(submit(c, i, 1, on_done, &m), 0);
	while (m.n_ok < 2000)
		mailbox_run(&m, true);
	struct committer_stats stats = committer_stats(c);
	assert_int_equal(stats.n_records, 2000);
	assert_true(stats.n_commits < 1000);
	assert_true(stats.max_batch <= STORE_TXN_RECORDS && stats.max_batch > 1);
	committer_stop(c);
	assert_int_equal(count_leases(s).good, 2000);
	store_close(s);
}

struct numbered {
	struct mailbox *m;
	uint32_t number;
};

static void on_numbered(void *arg, int err)
{
	struct numbered *n = arg;

	assert_int_equal(err, 0);
	assert_int_equal(n->number, n->m->order++);
}

static void answers_come_in_order_and_the_last_change_stands(void **state)
{
	enum { N = 500 };
	static struct numbered numbers[N];
	struct store *s = store_open_ok(*state, NULL);
	struct committer *c;
	struct mailbox m;

	mailbox_init(&m);
	assert_int_equal(committer_start(s, mailbox_post, &m, &c), 0);
	for (uint32_t i = 0; i < N; i++) {
		numbers[i] = (struct numbered){&m, i};
		assert_int_equal(submit(c, 7, i, on_numbered, &numbers[i]), 0);
		if (i % 97 == 0)
			assert_int_equal(
				committer_put_state(c, "time-floor", &i, sizeof(i), NULL, NULL), 0);
	}
	committer_stop(c);
	mailbox_run(&m, false);
	assert_int_equal(m.order, N);
	assert_int_equal(get_lease(s, 7), N - 1);
	void *got;
	size_t len;
	assert_int_equal(statedb_get(s, "time-floor", &got, &len), 0);
	assert_int_equal(len, 4);
	assert_int_equal(*(uint32_t *)got, N / 97 * 97);
	xfree(got);
	store_close(s);
}

static void a_full_queue_refuses_at_once(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct committer *c;
	struct mailbox m;
	uint32_t i;
	int err = 0;

	mailbox_init(&m);
	assert_int_equal(committer_start(s, mailbox_post, &m, &c), 0);
	for (i = 0; i < 4 * COMMITTER_QUEUE_MAX && !err; i++)
		err = submit(c, i, 1, NULL, NULL);
	/* a fast disk may keep up; then nothing was refused */
	if (err) {
		assert_int_equal(err, ERR_LIMIT);
		assert_true(committer_stats(c).queued <= COMMITTER_QUEUE_MAX);
		assert_int_equal(committer_stats(c).n_refused, 1);
	}
	committer_stop(c);
	mailbox_run(&m, false);
	assert_int_equal(count_leases(s).good, err ? i - 1 : i);
	store_close(s);
}

static void a_bad_record_is_refused_and_leaves_no_trace(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct lease_record good = lease_of(1, 1), bad = lease_of(2, 1);
	struct lease_change both[] = {
		{.op = LEASE_PUT, .record = &good}, {.op = LEASE_PUT, .record = &bad}};
	struct committer *c;
	struct mailbox m;

	bad.hw_len = 17;
	mailbox_init(&m);
	assert_int_equal(committer_start(s, mailbox_post, &m, &c), 0);
	assert_int_equal(committer_submit(c, both, 2, on_done, &m), ERR_MALFORMED);
	assert_int_equal(committer_put_state(c, "", "x", 1, on_done, &m), ERR_MALFORMED);
	assert_int_equal(committer_submit(c, both, STORE_TXN_RECORDS + 1, NULL, NULL), ERR_RANGE);
	assert_int_equal(submit(c, 3, 1, on_done, &m), 0);
	committer_stop(c);
	mailbox_run(&m, false);
	assert_int_equal(m.n_ok, 1);
	assert_int_equal(get_lease(s, 1), -1);
	assert_int_equal(get_lease(s, 3), 1);
	store_close(s);
}

static void every_waiter_of_a_failed_commit_hears_and_the_next_works(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct committer *c;
	struct mailbox m;

	mailbox_init(&m);
	disk_watch(path_of(*state, "data.mdb"));
	assert_int_equal(committer_start(s, mailbox_post, &m, &c), 0);
	disk_fail(DISK_SYNC, 0, 1000000, EIO);
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(submit(c, i, 1, on_done, &m), 0);
	while (m.n_failed < 50)
		mailbox_run(&m, true);
	assert_int_equal(m.n_ok, 0);
	assert_int_equal(m.last_err, ERR_IO);
	assert_true(committer_stats(c).n_failures >= 1);
	disk.fail_times = 0;
	assert_int_equal(submit(c, 1, 2, on_done, &m), 0);
	mailbox_run(&m, true);
	assert_int_equal(m.n_ok, 1);
	disk.inode = 0;
	committer_stop(c);
	assert_int_equal(get_lease(s, 1), 2);
	assert_int_equal(count_leases(s).good, 1);
	store_close(s);
}

/* ---- kill -9 ---- */

enum { KILL_LEASES = 300 };

struct ack {
	uint32_t n, g;
};

struct ack_ctx {
	int fd;
	struct ack ack;
	bool busy;
};

static void on_ack(void *arg, int err)
{
	struct ack_ctx *a = arg;

	a->busy = false;
	if (!err && write(a->fd, &a->ack, sizeof(a->ack)) != sizeof(a->ack))
		_exit(3);
}

/* Grants leases as fast as it can and tells each acknowledged one over the pipe. */
static void child_run(const char *dir, int fd, uint32_t g)
{
	static struct ack_ctx acks[KILL_LEASES];
	struct rand_source *r = rand_new();
	struct committer *c;
	struct store *s;
	struct mailbox m;

	mailbox_init(&m);
	s = store_open_ok(dir, NULL);
	if (committer_start(s, mailbox_post, &m, &c))
		_exit(2);
	for (;;) {
		uint32_t n = rand_below(r, KILL_LEASES);

		mailbox_run(&m, acks[n].busy);
		if (acks[n].busy)
			continue;
		acks[n] = (struct ack_ctx){.fd = fd, .ack = {n, g}, .busy = true};
		if (submit(c, n, g, on_ack, &acks[n]))
			_exit(4);
		if (rand_below(r, 16) == 0)
			g++;
	}
}

static void kill_nine_at_any_moment_loses_no_acknowledged_lease(void **state)
{
	const char *env = getenv("LANTHORN_KILLS");
	int n_kills = env ? atoi(env) : 25;
	static uint32_t acked[KILL_LEASES];
	struct rand_source *r = rand_new_seeded(9);
	uint32_t g = 1;
	size_t n_acks = 0;

	memset(acked, 0, sizeof(acked));
	for (int k = 0; k < n_kills; k++) {
		struct timespec nap = {.tv_nsec = 1000000 * (1 + (long)rand_below(r, 60))};
		int fds[2], status;
		struct ack ack;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			close(fds[0]);
			child_run(*state, fds[1], g);
		}
		close(fds[1]);
		(void)fcntl(fds[0], F_SETPIPE_SZ, 1 << 20);
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &ack, sizeof(ack)) == sizeof(ack)) {
			acked[ack.n] = ack.g;
			g = ack.g > g ? ack.g : g;
			n_acks++;
		}
		close(fds[0]);
		g += 1000;
		struct store_report report;
		struct store *s = store_open_ok(*state, &report);
		assert_true(report.found == STORE_CLEAN || report.found == STORE_NEW);
		assert_int_equal(count_leases(s).wrong + count_leases(s).bad, 0);
		for (uint32_t n = 0; n < KILL_LEASES; n++)
			if (acked[n])
				assert_true(get_lease(s, n) >= (int)acked[n]);
		store_close(s);
	}
	printf("%d kills, %zu acknowledged leases, none lost\n", n_kills, n_acks);
	rand_free(r);
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH(an_answer_comes_after_the_lease_is_on_disk),
		SCRATCH(what_comes_during_a_commit_goes_together_in_the_next),
		SCRATCH(answers_come_in_order_and_the_last_change_stands),
		SCRATCH(a_full_queue_refuses_at_once),
		SCRATCH(a_bad_record_is_refused_and_leaves_no_trace),
		SCRATCH(every_waiter_of_a_failed_commit_hears_and_the_next_works),
		SCRATCH(kill_nine_at_any_moment_loses_no_acknowledged_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
