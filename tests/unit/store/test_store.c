/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/storetest.h"

#include <stdbool.h>
#include <sys/wait.h>

#include "store/record.h"
#include "store/snapshot.h"
#include "store/store_limits.h"

static void a_first_start_makes_the_directory_with_its_parents(void **state)
{
	struct store_report report;
	char dir[400];
	struct stat st;
	struct store *s;

	(void)snprintf(dir, sizeof(dir), "%s/a/b/c", (char *)*state);
	s = store_open_ok(dir, &report);
	assert_int_equal(report.found, STORE_NEW);
	assert_string_equal(report.text, "");
	assert_string_equal(store_dir(s), dir);
	assert_int_equal(count_leases(s).good, 0);
	store_close(s);
	assert_int_equal(stat(path_of(dir, "data.mdb"), &st), 0);
	assert_true(st.st_blocks * 512 >= 4 << 20); /* the first part of the disk is taken */
	assert_int_equal(st.st_mode & 07, 0);
}

static void what_was_committed_is_there_after_closing(void **state)
{
	struct store_report report;
	struct store *s = store_open_ok(*state, NULL);

	assert_int_equal(put_leases(s, 0, 1000, 3), 0);
	store_close(s);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_CLEAN);
	assert_int_equal(report.n_records, 1001); /* and the schema */
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(get_lease(s, i), 3);
	store_close(s);
}

static void a_second_daemon_is_refused_and_told_who_is_first(void **state)
{
	const struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	struct store *s = store_open_ok(*state, NULL), *other = NULL;
	struct store_report report;
	char pid[32];

	assert_int_equal(store_open(*state, &opts, &other, &report), ERR_BUSY);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_non_null(strstr(report.text, pid));
	assert_int_equal(store_open_offline(*state, true, &other, &report), ERR_BUSY);
	assert_null(other);
	store_close(s);
	assert_int_equal(store_open_offline(*state, true, &other, &report), 0);
	store_close(other);
}

static void two_readers_may_look_at_once_and_change_nothing(void **state)
{
	struct store *s = store_open_ok(*state, NULL), *a, *b = NULL;
	struct store_report report;

	assert_int_equal(put_lease(s, 1, 1), 0);
	store_close(s);
	assert_int_equal(store_open_offline(*state, true, &a, &report), 0);
	assert_int_equal(get_lease(a, 1), 1);
	assert_int_equal(put_lease(a, 2, 1), ERR_DENIED);
	assert_int_equal(snapshot_write(a, &(size_t){0}), ERR_DENIED);
	/* LMDB must not be opened twice in one process: a child stands for the other command */
	pid_t pid = fork();
	if (pid == 0)
		_exit(store_open_offline(*state, true, &b, &report) == 0 && get_lease(b, 1) == 1
				? 0
				: 1);
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	store_close(a);
}

static void a_reader_does_not_make_what_is_not_there(void **state)
{
	struct store_report report;
	struct store *s;

	assert_int_equal(store_open_offline(*state, true, &s, &report), ERR_ABSENT);
	assert_int_equal(access(path_of(*state, "data.mdb"), F_OK), -1);
	assert_true(strlen(report.text) > 0);
}

/* Turns the schema number in a data file into another, with a right CRC. */
static void set_schema(const char *path, uint8_t schema)
{
	size_t len, i;
	uint8_t *p = file_read(path, &len);
	struct record_raw raw = {.table = RECORD_META, .key = "schema", .key_len = 6};
	struct record rec;

	for (i = 2 * 4096; i + 64 < len; i++) {
		raw.value = p + i + 6;
		raw.value_len = 12 + RECORD_OVERHEAD;
		if (memcmp(p + i, "schema", 6) == 0 && record_parse(&raw, &rec))
			break;
	}
	assert_true(i + 64 < len);
	uint8_t payload[12];
	memcpy(payload, rec.payload, 12);
	payload[3] = schema;
	record_write(RECORD_META, rec.stamp, "schema", 6, payload, 12, p + i + 6);
	file_write(path, p, len);
	free(p);
}

static void a_newer_schema_is_refused_and_left_untouched(void **state)
{
	const struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	char path[400];
	size_t len, len2;

	assert_int_equal(put_leases(s, 0, 10, 1), 0);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	set_schema(path, 2);
	uint8_t *before = file_read(path, &len);
	assert_int_equal(store_open(*state, &opts, &s, &report), ERR_VERSION);
	assert_non_null(strstr(report.text, "newer version"));
	uint8_t *after = file_read(path, &len2);
	assert_int_equal(len, len2);
	assert_memory_equal(before, after, len);

	/* also when it is damaged on top: the rest may be laid out in ways we do not know */
	after[16] ^= 0x40; /* magic number */
	file_write(path, after, len);
	assert_int_equal(store_open(*state, &opts, &s, &report), ERR_VERSION);
	set_schema(path, 1);
	free(before);
	free(after);
}

static void a_foreign_lmdb_file_is_refused(void **state)
{
	const struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	char path[400];
	size_t len;

	assert_int_equal(put_lease(s, 1, 1), 0);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	uint8_t *p = file_read(path, &len);
	static const char *const NAMES[] = {"damaged", "lease", "meta", "state"};
	for (size_t i = 0; i + 16 < len; i++)
		for (int k = 0; k < 4; k++)
			if (!memcmp(p + i, NAMES[k], strlen(NAMES[k])))
				p[i] = 'x', p[i + 1] = (uint8_t)('a' + k);
	file_write(path, p, len);
	free(p);
	assert_int_equal(store_open(*state, &opts, &s, &report), ERR_VERSION);
	assert_non_null(strstr(report.text, "not one of ours"));
}

static void a_damaged_file_is_kept_and_all_that_is_readable_comes_back(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	char path[400];
	size_t len;

	assert_int_equal(put_leases(s, 0, 500, 1), 0);
	assert_int_equal(put_leases(s, 100, 50, 2), 0);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	uint8_t *p = file_read(path, &len);
	p[0 * 4096 + 16] ^= 1; /* the magic number of a meta page */
	file_write(path, p, len);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_RECOVERED);
	assert_int_equal(report.n_records, 500);
	assert_true(strlen(report.text) > 0);
	assert_int_equal(access(report.aside, F_OK), 0);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(get_lease(s, i), i >= 100 && i < 150 ? 2 : 1);
	/* and goes on: a later commit is newer than all that was recovered */
	assert_int_equal(put_lease(s, 7, 9), 0);
	store_close(s);
	p[1 * 4096 + 16] ^= 1;
	free(p);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_CLEAN);
	assert_int_equal(get_lease(s, 7), 9);
	store_close(s);
}

static void a_reader_refuses_a_damaged_file_and_leaves_it_alone(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	char path[400];
	size_t len, len2;

	assert_int_equal(put_leases(s, 0, 10, 1), 0);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	uint8_t *p = file_read(path, &len);
	p[16] ^= 1;
	file_write(path, p, len);
	assert_int_equal(store_open_offline(*state, true, &s, &report), ERR_CORRUPT);
	assert_non_null(strstr(report.text, "meta page"));
	uint8_t *after = file_read(path, &len2);
	assert_int_equal(len, len2);
	assert_memory_equal(p, after, len);
	free(p);
	free(after);
}

static void newest_wins_after_two_recoveries(void **state)
{
	struct store_report report;
	char path[400];
	uint8_t *p;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	for (uint32_t g = 0; g < 5; g++) {
		struct store *s = store_open_ok(*state, &report);

		if (g)
			assert_int_equal(get_lease(s, 1), (int)g - 1);
		assert_int_equal(put_lease(s, 1, g), 0);
		store_close(s);
		p = file_read(path, &len);
		p[20] ^= 0xff;
		file_write(path, p, len);
		free(p);
		usleep(1000);
	}
}

/* Free pages hold older versions of records, before and behind the newest in the file. */
static void of_all_versions_the_newest_is_recovered(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	uint32_t newest[300];
	char path[400];
	size_t len;

	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	assert_int_equal(put_leases(s, 0, 300, 0), 0);
	for (uint32_t i = 0; i < 300; i++)
		newest[i] = 0;
	for (uint32_t g = 1; g < 200; g++) {
		uint32_t n = g * 7919 % 300;

		assert_int_equal(put_lease(s, n, g), 0);
		newest[n] = g;
	}
	store_close(s);
	uint8_t *p = file_read(path, &len);
	p[16] ^= 1;
	file_write(path, p, len);
	free(p);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_RECOVERED);
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(get_lease(s, i), (int)newest[i]);
	store_close(s);
}

static void a_hopeless_file_is_kept_and_the_snapshot_is_used(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	char path[400];
	size_t n;

	assert_int_equal(put_leases(s, 0, 300, 1), 0);
	assert_int_equal(snapshot_write(s, &n), 0);
	assert_int_equal(n, 300);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	file_write(path, "not a database", 14);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_RECOVERED);
	assert_int_equal(report.n_records, 300);
	assert_int_equal(report.n_restored, 300);
	assert_non_null(strstr(report.text, "leases-1.mdb"));
	assert_int_equal(count_leases(s).good, 300);
	store_close(s);
}

static void a_hopeless_file_without_snapshot_is_said_aloud(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	char path[400];

	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	file_write(path, "", 0);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_LOST);
	assert_non_null(strstr(report.text, "all leases are lost"));
	assert_int_equal(access(report.aside, F_OK), 0);
	store_close(s);
}

static void a_vanished_file_comes_back_from_the_snapshot(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	size_t n;

	assert_int_equal(put_leases(s, 0, 20, 1), 0);
	assert_int_equal(snapshot_write(s, &n), 0);
	store_close(s);
	assert_int_equal(unlink(path_of(*state, "data.mdb")), 0);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_RECOVERED);
	assert_int_equal(count_leases(s).good, 20);
	assert_true(strlen(report.text) > 0);
	store_close(s);
}

/* Flips a bit in each place where the text stands, in pages that are in use or not. */
static void spoil(uint8_t *p, size_t len, const char *text)
{
	size_t n_found = 0, n = strlen(text);

	for (size_t i = 0; i + n < len; i++)
		if (!memcmp(p + i, text, n)) {
			p[i] ^= 1;
			n_found++;
		}
	assert_true(n_found > 0);
}

static void a_damaged_record_is_kept_aside_and_replaced_from_the_snapshot(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_report report;
	char path[400];
	size_t n, len;

	assert_int_equal(put_leases(s, 0, 10, 1), 0);
	assert_int_equal(snapshot_write(s, &n), 0);
	assert_int_equal(put_lease(s, 5, 2), 0);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	uint8_t *p = file_read(path, &len);
	spoil(p, len, "host-5-2");
	spoil(p, len, "host-8-1");
	file_write(path, p, len);
	free(p);
	/* a reader changes nothing, skips it and says so */
	assert_int_equal(store_open_offline(*state, true, &s, &report), 0);
	assert_int_equal(report.n_damaged, 2);
	assert_int_equal(count_leases(s).bad, 2);
	assert_int_equal(count_leases(s).good, 8);
	assert_int_equal(get_lease(s, 5), -2);
	store_close(s);

	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_PATCHED);
	assert_int_equal(report.n_damaged, 2);
	assert_int_equal(report.n_restored, 2);
	assert_true(strlen(report.text) > 0);
	assert_int_equal(get_lease(s, 5), 1); /* older, but true once */
	assert_int_equal(get_lease(s, 8), 1);
	assert_int_equal(count_leases(s).good, 10);
	assert_int_equal(count_leases(s).bad, 0);
	store_close(s);
	s = store_open_ok(*state, &report);
	assert_int_equal(report.found, STORE_CLEAN);
	assert_int_equal(report.n_records, 13); /* ten, two kept aside, the schema */
	store_close(s);
}

static void health_counts_what_is_in_use(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct store_health h = store_health(s);

	assert_int_equal(h.map_len, SCRATCH_MAP);
	assert_int_equal(h.n_commits, 0);
	assert_int_equal(put_leases(s, 0, 2000, 1), 0);
	assert_true(store_health(s).used_len > h.used_len);
	assert_int_equal(store_health(s).n_commits, 2000 / STORE_TXN_RECORDS);
	assert_int_equal(store_health(s).last_err, 0);
	store_close(s);
}

static void a_full_map_refuses_new_leases_and_renews_old_ones(void **state)
{
	const struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1, .map_len = 1 << 20};
	struct store_report report;
	struct store *s;
	uint32_t n = 0;
	int err;

	assert_int_equal(store_open(*state, &opts, &s, &report), 0);
	while ((err = put_lease(s, n, 1)) == 0)
		n++;
	assert_int_equal(err, ERR_FULL);
	assert_true(n > 1000);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(put_lease(s, (i * 37) % n, 2), 0);
	assert_int_equal(put_lease(s, n + 1, 1), ERR_FULL);
	store_close(s);
	assert_int_equal(store_open(*state, &opts, &s, &report), 0);
	assert_int_equal(report.found, STORE_CLEAN);
	assert_int_equal(count_leases(s).good, n);
	store_close(s);
}

static uid_t owner_of(const char *dir, const char *name)
{
	struct stat st;

	assert_int_equal(stat(path_of(dir, name), &st), 0);
	return st.st_uid;
}

static void what_root_makes_belongs_to_the_daemons_user(void **state)
{
	static const char *const NAMES[] = {".", "lock", "data.mdb", "data.mdb-lock", "snapshots",
		"snapshots/leases-1.mdb", "snapshots/leases-2.mdb"};
	const struct store_opts opts = {.uid = 12345, .gid = 12345, .map_len = SCRATCH_MAP};
	struct store_report report;
	struct store *s;
	size_t n;

	if (geteuid() != 0)
		skip();
	assert_int_equal(store_open(*state, &opts, &s, &report), 0);
	assert_int_equal(snapshot_write(s, &n), 0);
	store_close(s);
	/* the command line, as root, with no daemon running: an import, then a look */
	assert_int_equal(store_open_offline(*state, false, &s, &report), 0);
	assert_int_equal(put_lease(s, 1, 1), 0);
	assert_int_equal(snapshot_write(s, &n), 0);
	store_close(s);
	assert_int_equal(unlink(path_of(*state, "lock")), 0);
	assert_int_equal(store_open_offline(*state, true, &s, &report), 0);
	store_close(s);
	assert_int_equal(store_open(*state, &opts, &s, &report), 0);
	store_close(s);
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		assert_int_equal(owner_of(*state, NAMES[i]), 12345);
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH(a_first_start_makes_the_directory_with_its_parents),
		SCRATCH(what_was_committed_is_there_after_closing),
		SCRATCH(a_second_daemon_is_refused_and_told_who_is_first),
		SCRATCH(two_readers_may_look_at_once_and_change_nothing),
		SCRATCH(a_reader_does_not_make_what_is_not_there),
		SCRATCH(a_newer_schema_is_refused_and_left_untouched),
		SCRATCH(a_foreign_lmdb_file_is_refused),
		SCRATCH(a_damaged_file_is_kept_and_all_that_is_readable_comes_back),
		SCRATCH(a_reader_refuses_a_damaged_file_and_leaves_it_alone),
		SCRATCH(newest_wins_after_two_recoveries),
		SCRATCH(of_all_versions_the_newest_is_recovered),
		SCRATCH(a_hopeless_file_is_kept_and_the_snapshot_is_used),
		SCRATCH(a_hopeless_file_without_snapshot_is_said_aloud),
		SCRATCH(a_vanished_file_comes_back_from_the_snapshot),
		SCRATCH(a_damaged_record_is_kept_aside_and_replaced_from_the_snapshot),
		SCRATCH(what_root_makes_belongs_to_the_daemons_user),
		SCRATCH(health_counts_what_is_in_use),
		SCRATCH(a_full_map_refuses_new_leases_and_renews_old_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
