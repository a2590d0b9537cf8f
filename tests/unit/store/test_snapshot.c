/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/storetest.h"

#include <pthread.h>
#include <stdatomic.h>

#include "store/check.h"
#include "store/snapshot.h"
#include "store/statedb.h"
#include "store/store_limits.h"

static bool snapshot_exists(const char *dir, unsigned n)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "snapshots/leases-%u.mdb", n);
	return access(path_of(dir, name), F_OK) == 0;
}

static void the_newest_few_are_kept_and_each_is_sound(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct snapshot_name names[8];
	struct check check;
	size_t n;

	assert_int_equal(snapshot_list(s, names, 8), 0);
	for (unsigned i = 1; i <= 6; i++) {
		assert_int_equal(put_leases(s, 0, 100 * i, i), 0);
		assert_int_equal(snapshot_write(s, &n), 0);
		assert_int_equal(n, 100 * i);
	}
	assert_int_equal(snapshot_list(s, names, 8), SNAPSHOT_KEEP);
	assert_int_equal(names[0].number, 6);
	for (unsigned i = 1; i <= 6; i++)
		assert_int_equal(snapshot_exists(*state, i), i > 6 - SNAPSHOT_KEEP);
	for (size_t i = 0; i < SNAPSHOT_KEEP; i++) {
		char name[64];
		int fd;

		(void)snprintf(name, sizeof(name), "snapshots/%s", names[i].file);
		fd = open(path_of(*state, name), O_RDONLY);
		assert_int_equal(check_file(fd, &check), 0);
		assert_int_equal(check.n_bad, 0);
		check_fini(&check);
		close(fd);
	}
	assert_int_equal(access(path_of(*state, "snapshots/new.mdb"), F_OK), -1);
	store_close(s);
}

static void strange_files_beside_them_are_left_alone(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	size_t n;

	assert_int_equal(snapshot_write(s, &n), 0);
	file_write(path_of(*state, "snapshots/leases-9.mdb.bak"), "x", 1);
	file_write(path_of(*state, "snapshots/leases-007.mdb"), "x", 1);
	file_write(path_of(*state, "snapshots/new.mdb"), "left by a crash", 15);
	assert_int_equal(snapshot_write(s, &n), 0);
	assert_true(snapshot_exists(*state, 2));
	assert_int_equal(access(path_of(*state, "snapshots/leases-9.mdb.bak"), F_OK), 0);
	assert_int_equal(access(path_of(*state, "snapshots/leases-007.mdb"), F_OK), 0);
	store_close(s);
}

struct side {
	struct store *s;
	atomic_bool stop;
	atomic_uint n;
};

static void *snapshots_until_told(void *arg)
{
	struct side *side = arg;
	size_t n;

	while (!atomic_load(&side->stop)) {
		if (snapshot_write(side->s, &n) != 0 || n < 1000)
			abort();
		atomic_fetch_add(&side->n, 1);
	}
	return NULL;
}

static void commits_go_on_while_a_snapshot_is_made(void **state)
{
	struct side side = {.s = store_open_ok(*state, NULL)};
	pthread_t thread;

	assert_int_equal(put_leases(side.s, 0, 1000, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, snapshots_until_told, &side), 0);
	for (uint32_t i = 0; i < 500 || atomic_load(&side.n) < 3; i++)
		assert_int_equal(put_lease(side.s, i % 1000, 2), 0);
	atomic_store(&side.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(count_leases(side.s).good, 1000);
	store_close(side.s);
}

static void damage_is_told_and_the_older_snapshots_stand(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	size_t n, len;
	char path[400];

	assert_int_equal(put_leases(s, 0, 20, 1), 0);
	assert_int_equal(snapshot_write(s, &n), 0);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	s = store_open_ok(*state, NULL);
	/* rot while we run: behind LMDB's back, into its map */
	uint8_t *p = file_read(path, &len);
	int fd = open(path, O_WRONLY);
	for (size_t i = 0; i + 8 < len; i++)
		if (!memcmp(p + i, "host-3-1", 8))
			assert_int_equal(pwrite(fd, "X", 1, (off_t)i), 1);
	close(fd);
	free(p);
	assert_int_equal(snapshot_write(s, &n), ERR_CORRUPT);
	assert_true(snapshot_exists(*state, 1));
	assert_false(snapshot_exists(*state, 2));
	store_close(s);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_PATCHED);
	assert_int_equal(get_lease(s, 3), 1);
	store_close(s);
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH(the_newest_few_are_kept_and_each_is_sound),
		SCRATCH(strange_files_beside_them_are_left_alone),
		SCRATCH(commits_go_on_while_a_snapshot_is_made),
		SCRATCH(damage_is_told_and_the_older_snapshots_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
