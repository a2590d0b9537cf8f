/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/check.h"
#include "store/recover.h"
#include "store/statedir.h"
#include "store/store_inside.h"
#include "store/store_limits.h"

bool store_path(const struct store *s, const char *name, char *out)
{
	int n = snprintf(out, STORE_PATH_MAX, "%s/%s", s->dir, name);

	return n > 0 && n < STORE_PATH_MAX;
}

const char *store_dir(const struct store *s)
{
	return s->dir;
}

static int store_open_env(struct store *s)
{
	char path[STORE_PATH_MAX];
	struct env_conf conf = {.path = path, .map_len = s->map_len, .read_only = s->read_only};

	if (!store_path(s, STORE_DATA_FILE, path))
		return ERR_LIMIT;
	return env_open(&s->env, &conf);
}

int store_reopen(struct store *s)
{
	int err;

	pthread_rwlock_wrlock(&s->env_lock);
	env_close(&s->env);
	err = store_open_env(s);
	atomic_fetch_add_explicit(&s->n_reopens, 1, memory_order_relaxed);
	pthread_rwlock_unlock(&s->env_lock);
	return err;
}

void store_grow(struct store *s)
{
	uint64_t used = env_used(&s->env), want;
	mdb_filehandle_t fd;

	atomic_store_explicit(&s->used_len, used, memory_order_relaxed);
	if (s->read_only || used + STORE_PREALLOC_LEN / 4 <= s->alloc_len ||
		mdb_env_get_fd(s->env.mdb, &fd))
		return;
	want = (used / STORE_PREALLOC_LEN + 1) * STORE_PREALLOC_LEN + STORE_PREALLOC_LEN / 4;
	if (want > s->map_len)
		want = s->map_len;
	/* No disk now is no error now. Not asked again before the next step is due. */
	if (want > s->alloc_len)
		(void)!fallocate(fd, 0, 0, (off_t)want);
	s->alloc_len = want;
}

/* Text for the operator when a check failed and a recovery followed. */
static void store_say(struct store_report *r, const char *what)
{
	char tail[300] = "";

	if (r->snapshot[0])
		(void)snprintf(tail, sizeof(tail), " with the help of %.250s", r->snapshot);
	if (r->found == STORE_LOST)
		(void)snprintf(r->text, sizeof(r->text),
			"%s: nothing could be read in it and there is no good snapshot; all "
			"leases are lost; the file is kept as %.200s",
			what, r->aside);
	else if (r->found == STORE_PATCHED)
		(void)snprintf(r->text, sizeof(r->text),
			"%zu records were damaged and are kept in the table `damaged`; %zu were "
			"restored%s",
			r->n_damaged, r->n_restored, tail);
	else
		(void)snprintf(r->text, sizeof(r->text), "%s: %zu records were recovered%s%s%.200s",
			what, r->n_records, tail, r->aside[0] ? "; the file is kept as " : "",
			r->aside);
}

/* There is no data file: the first start, or somebody took it away. */
static int store_create(struct store *s, struct store_report *report)
{
	int err;

	if (s->read_only) {
		(void)snprintf(report->text, sizeof(report->text), "there is no data file in it");
		return ERR_ABSENT;
	}
	err = recover_rebuild(s, -1, report);
	if (err)
		return err;
	if (report->found == STORE_LOST)
		report->found = STORE_NEW;
	else
		store_say(report, "the data file is missing (to start empty, remove the snapshots "
				  "too)");
	return 0;
}

/* The check said what: either refuse, or rebuild. */
static int store_judge(
	struct store *s, int fd, int err, const char *what, struct store_report *report)
{
	(void)snprintf(
		report->text, sizeof(report->text), "%s/" STORE_DATA_FILE ": %s", s->dir, what);
	if (err != ERR_CORRUPT || s->read_only)
		return err;
	err = recover_rebuild(s, fd, report);
	if (err == ERR_VERSION)
		(void)snprintf(report->text, sizeof(report->text),
			"%s/" STORE_DATA_FILE
			": it is damaged (%s) and was written by a newer version",
			s->dir, what);
	if (!err) {
		char path_what[256];

		(void)snprintf(
			path_what, sizeof(path_what), "the data file was damaged: %.160s", what);
		store_say(report, path_what);
	}
	return err;
}

/* A file may end before its last, free, pages. LMDB would map beyond the end; make it whole. */
static int store_pad_file(struct store *s, int fd, uint64_t used_len)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_from_errno(errno);
	s->alloc_len = (uint64_t)st.st_size;
	if (s->read_only || (uint64_t)st.st_size >= used_len)
		return 0;
	return ftruncate(fd, (off_t)used_len) < 0 ? err_from_errno(errno) : 0;
}

/* Checks the data file, makes or repairs it, and opens the environment. */
static int store_open_checked(struct store *s, struct store_report *report)
{
	struct check check = {0};
	int fd = openat(s->dir_fd, STORE_DATA_FILE, (s->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	int err;

	if (fd < 0) {
		if (errno != ENOENT)
			return err_from_errno(errno);
		err = store_create(s, report);
		return err ? err : store_open_env(s);
	}
	err = check_file(fd, &check);
	if (!err) {
		report->found = STORE_CLEAN;
		report->n_records = check.n_good;
		s->stamp_base = check.stamp_base;
		err = store_pad_file(s, fd, check.used_len);
	} else {
		err = store_judge(s, fd, err, check.text, report);
	}
	close(fd);
	if (!err)
		err = store_open_env(s);
	if (!err && check.n_bad && !s->read_only) {
		err = recover_patch(s, &check, report);
		if (!err)
			store_say(report, "");
	} else if (!err && check.n_bad) {
		report->n_damaged = check.n_bad;
	}
	check_fini(&check);
	return err;
}

/* The base of stamps in a file that was just built. */
static int store_read_base(struct store *s)
{
	struct record_raw raw = {
		.table = RECORD_META, .key = STORE_SCHEMA_KEY, .key_len = strlen(STORE_SCHEMA_KEY)};
	MDB_val key = {.mv_size = raw.key_len, .mv_data = (void *)raw.key}, value;
	struct record rec;
	uint32_t schema;
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env.mdb, NULL, MDB_RDONLY, &txn);

	if (rc)
		return env_err(rc);
	rc = mdb_get(txn, s->env.dbi[RECORD_META], &key, &value);
	if (!rc) {
		raw.value = value.mv_data;
		raw.value_len = value.mv_size;
		if (!record_parse(&raw, &rec) || !check_parse_schema(&rec, &schema, &s->stamp_base))
			rc = MDB_CORRUPTED;
	}
	mdb_txn_abort(txn);
	return env_err(rc);
}

int store_open(const char *dir, const struct store_opts *opts, struct store **out,
	struct store_report *report)
{
	struct store *s = xcalloc(1, sizeof(*s));
	int err;

	*report = (struct store_report){0};
	s->dir = xstrdup(dir);
	s->dir_fd = s->lock_fd = -1;
	s->read_only = opts->read_only;
	s->map_len = opts->map_len ? opts->map_len : STORE_MAP_LEN;
	pthread_rwlock_init(&s->env_lock, NULL);
	if (s->read_only) {
		s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = s->dir_fd < 0 ? err_from_errno(errno) : 0;
	} else {
		err = statedir_make(dir, opts->uid, opts->gid, &s->dir_fd);
	}
	if (!err)
		err = statedir_lock(
			s->dir_fd, s->read_only, report->text, sizeof(report->text), &s->lock_fd);
	if (!err)
		err = store_open_checked(s, report);
	if (!err)
		err = store_read_base(s);
	if (err) {
		if (!report->text[0])
			(void)snprintf(report->text, sizeof(report->text), "%.400s: %s", dir,
				err_text(err));
		store_close(s);
		return err;
	}
	store_grow(s);
	if (!s->read_only)
		statedir_chown(s->dir_fd, opts->uid, opts->gid);
	*out = s;
	return 0;
}

int store_open_offline(
	const char *dir, bool read_only, struct store **out, struct store_report *report)
{
	const struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1, .read_only = read_only};
	struct stat st;

	/* keep the owner: a root's import must not lock the daemon's user out of its own files */
	if (!read_only && stat(dir, &st) == 0) {
		struct store_opts same = opts;

		same.uid = st.st_uid;
		same.gid = st.st_gid;
		return store_open(dir, &same, out, report);
	}
	return store_open(dir, &opts, out, report);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	env_close(&s->env);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	pthread_rwlock_destroy(&s->env_lock);
	xfree(s->dir);
	xfree(s);
}

struct store_health store_health(const struct store *s)
{
	return (struct store_health){
		.map_len = s->map_len,
		.used_len = atomic_load_explicit(&s->used_len, memory_order_relaxed),
		.n_commits = atomic_load_explicit(&s->n_commits, memory_order_relaxed),
		.n_failures = atomic_load_explicit(&s->n_failures, memory_order_relaxed),
		.n_reopens = atomic_load_explicit(&s->n_reopens, memory_order_relaxed),
		.failures_in_a_row =
			atomic_load_explicit(&s->failures_in_a_row, memory_order_relaxed),
		.last_err = atomic_load_explicit(&s->last_err, memory_order_relaxed),
	};
}
