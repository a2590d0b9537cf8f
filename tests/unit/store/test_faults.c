/* SPDX-License-Identifier: Apache-2.0 */
/* Every call that LMDB makes to the disk fails once, in turn. The commit must say so, nothing that
 * was acknowledged may go, and the next commit must work without anybody's help. */
#include "unit/store/storetest.h"

#include "unit/store/diskfault.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/snapshot.h"
#include "store/statedb.h"
#include "store/statedir.h"

enum { N = 50 };

static const char *const CALLS[] = {"write", "meta write", "sync"};

static struct store *store_watched(const char *dir)
{
	struct store *s = store_open_ok(dir, NULL);

	disk_fail(0, 0, 0, 0);
	disk_watch(path_of(dir, "data.mdb"));
	return s;
}

/* Commits N leases one by one; `at` of its calls of one kind fails. Returns how many commits
 * failed. */
static int run_with_fault(const char *dir, enum disk_call call, long at, long times, int errnum)
{
	struct store *s = store_watched(dir);
	int acked[N], n_failed = 0;

	assert_int_equal(put_leases(s, 0, N, 1), 0);
	for (int i = 0; i < N; i++)
		acked[i] = 1;
	disk_fail(call, at, times, errnum);
	for (int i = 0; i < N; i++) {
		int err = put_lease(s, (uint32_t)i, 2);

		if (!err) {
			acked[i] = 2;
			continue;
		}
		n_failed++;
		assert_int_equal(err, errnum == ENOSPC ? ERR_FULL : ERR_IO);
		assert_int_equal(store_health(s).last_err, err);
		/* what is not acknowledged may be there or not, but nothing else */
		int g = get_lease(s, (uint32_t)i);
		if (g != 1 && g != 2)
			fail_msg("%s %ld: generation %d", CALLS[call], at, g);
		acked[i] = -1;
	}
	assert_int_equal(store_health(s).last_err, 0);
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < N; i++) {
			int g = get_lease(s, (uint32_t)i);

			assert_true(g == 1 || g == 2);
			assert_true(acked[i] < 0 || g == acked[i]);
		}
		store_close(s);
		s = store_open_ok(dir, &(struct store_report){0});
	}
	store_close(s);
	return n_failed;
}

static void a_failed_call_costs_one_commit_and_no_lease(void **state)
{
	static const int ERRNOS[] = {EIO, ENOSPC};

	for (enum disk_call call = 0; call < DISK_N_CALLS; call++)
		for (long at = 0; at < 24; at++)
			for (int e = 0; e < 2; e++) {
				disk.fail_short = at % 2;
				assert_int_equal(run_with_fault(*state, call, at, 1, ERRNOS[e]), 1);
			}
	disk.fail_short = false;
}

static void several_failures_in_a_row_are_counted_and_survived(void **state)
{
	struct store *s;

	for (enum disk_call call = 0; call < DISK_N_CALLS; call++)
		for (long times = 2; times < 9; times += 3)
			assert_true(run_with_fault(*state, call, 3, times, EIO) >= 1);
	s = store_watched(*state);
	disk_fail(DISK_SYNC, 0, 5, EIO);
	for (int i = 0; i < 5; i++)
		assert_int_equal(put_lease(s, 1, 1), ERR_IO);
	assert_int_equal(store_health(s).failures_in_a_row, 5);
	assert_int_equal(put_lease(s, 1, 1), 0);
	assert_int_equal(store_health(s).failures_in_a_row, 0);
	store_close(s);
}

static void a_failed_meta_write_is_followed_by_a_reopening(void **state)
{
	struct store *s = store_watched(*state);

	assert_int_equal(put_lease(s, 1, 1), 0);
	disk_fail(DISK_META_WRITE, 0, 1, EIO);
	assert_int_equal(put_lease(s, 1, 2), ERR_IO);
	assert_int_equal(put_lease(s, 1, 3), 0);
	assert_int_equal(store_health(s).n_reopens, 1);
	assert_int_equal(get_lease(s, 1), 3);
	store_close(s);
}

static void reading_works_while_writing_fails(void **state)
{
	struct store *s = store_watched(*state);

	assert_int_equal(put_leases(s, 0, 30, 1), 0);
	disk_fail(DISK_META_WRITE, 0, 1000, EIO);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(put_lease(s, 1, 2), ERR_IO);
		assert_int_equal(count_leases(s).wrong, 0);
		assert_int_equal(count_leases(s).good, 30);
	}
	disk_fail(0, 0, 0, 0);
	assert_int_equal(put_lease(s, 1, 2), 0);
	store_close(s);
}

static void an_interrupted_long_state_value_leaves_the_old_one(void **state)
{
	static uint8_t a[300000], b[400000];
	size_t len;
	void *got;

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	for (long at = 0; at < 4; at++) {
		struct store *s = store_watched(*state);

		assert_int_equal(statedb_put(s, "config", a, sizeof(a)), 0);
		disk_fail(DISK_SYNC, at, 1, EIO);
		int err = statedb_put(s, "config", b, sizeof(b));
		assert_int_equal(statedb_get(s, "config", &got, &len), 0);
		if (err && len == sizeof(a))
			assert_memory_equal(got, a, len);
		else
			assert_memory_equal(got, b, sizeof(b));
		xfree(got);
		disk_fail(0, 0, 0, 0);
		assert_int_equal(statedb_put(s, "config", b, sizeof(b)), 0);
		assert_int_equal(statedb_get(s, "config", &got, &len), 0);
		assert_int_equal(len, sizeof(b));
		assert_memory_equal(got, b, len);
		xfree(got);
		store_close(s);
	}
}

/* A disk of 16 MB (a small tmpfs), filled to the brim. */
static void a_full_disk_refuses_new_leases_and_renews_old_ones(void **state)
{
	char dir[400];
	static uint8_t junk[65536];
	struct store *s;
	uint32_t n = 0;
	ssize_t wrote;
	int fd, err = 0;

	(void)snprintf(dir, sizeof(dir), "%s/disk", (char *)*state);
	mkdir(dir, 0700);
	if (mount("none", dir, "tmpfs", 0, "size=16m") < 0) {
		rmdir(dir);
		skip();
	}
	disk.inode = 0;
	s = store_open_ok(dir, NULL);
	assert_int_equal(put_leases(s, 0, 2000, 1), 0);
	fd = open(path_of(dir, "junk"), O_WRONLY | O_CREAT, 0600);
	while ((wrote = write(fd, junk, sizeof(junk))) > 0 || (wrote < 0 && errno == EINTR))
		;
	/* what is preallocated serves on for thousands of leases; then new ones are refused */
	for (n = 2000; n < 60000 && !err; n += 50)
		err = put_leases(s, n, 50, 1);
	assert_int_equal(err, ERR_FULL);
	assert_true(n > 10000);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(put_lease(s, i * 19, 2), 0);
	assert_int_equal(snapshot_write(s, &(size_t){0}), ERR_FULL);
	/* LMDB calls a write cut short an I/O error */
	assert_int_equal(statedir_judge_err(fd, ERR_IO), ERR_FULL);
	unlink(path_of(dir, "junk"));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(statedir_judge_err(fd, ERR_IO), ERR_IO);
	assert_int_equal(statedir_judge_err(fd, ERR_BUSY), ERR_BUSY);
	close(fd);
	assert_int_equal(put_lease(s, 70000, 1), 0);
	assert_int_equal(snapshot_write(s, &(size_t){0}), 0);
	store_close(s);
	s = store_open_ok(dir, NULL);
	assert_int_equal(count_leases(s).wrong + count_leases(s).bad, 0);
	assert_int_equal(get_lease(s, 19), 2);
	store_close(s);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
	rmdir(dir);
}

/* The same without root's help: a limit on the length of files. */
static void a_file_size_limit_is_an_error_not_a_signal(void **state)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		const struct rlimit limit = {.rlim_cur = 5 << 20, .rlim_max = 5 << 20};
		struct store *s;
		uint32_t n;
		int err = 0;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		s = store_open_ok(*state, NULL);
		for (n = 0; n < 100000 && !err; n += 50)
			err = put_leases(s, n, 50, 1);
		if (err != ERR_FULL || put_lease(s, 7, 2) != 0 || get_lease(s, 7) != 2)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH(a_failed_call_costs_one_commit_and_no_lease),
		SCRATCH(several_failures_in_a_row_are_counted_and_survived),
		SCRATCH(a_failed_meta_write_is_followed_by_a_reopening),
		SCRATCH(reading_works_while_writing_fails),
		SCRATCH(an_interrupted_long_state_value_leaves_the_old_one),
		SCRATCH(a_full_disk_refuses_new_leases_and_renews_old_ones),
		SCRATCH(a_file_size_limit_is_an_error_not_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
