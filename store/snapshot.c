/* SPDX-License-Identifier: Apache-2.0 */
#include "store/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/builder.h"
#include "store/statedir.h"
#include "store/store_inside.h"
#include "store/store_limits.h"
#include "store/txn.h"

#define SNAPSHOT_NEW STORE_SNAPSHOTS "/new.mdb"

/* The number in leases-<n>.mdb; false for any other name. */
static bool snapshot_number(const char *name, uint64_t *out)
{
	char again[32];

	if (sscanf(name, "leases-%" SCNu64 ".mdb", out) != 1)
		return false;
	(void)snprintf(again, sizeof(again), "leases-%" PRIu64 ".mdb", *out);
	return strcmp(name, again) == 0;
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = ((const struct snapshot_name *)a)->number;
	uint64_t y = ((const struct snapshot_name *)b)->number;

	return x > y ? -1 : x < y;
}

static int snapshots_open(const struct store *s)
{
	return openat(s->dir_fd, STORE_SNAPSHOTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

size_t snapshot_list(const struct store *s, struct snapshot_name *out, size_t cap)
{
	int fd = snapshots_open(s);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (const struct dirent *e; n < cap && (e = readdir(dir));) {
		if (!snapshot_number(e->d_name, &out[n].number))
			continue;
		(void)snprintf(
			out[n].file, sizeof(out[n].file), "leases-%" PRIu64 ".mdb", out[n].number);
		n++;
	}
	closedir(dir);
	qsort(out, n, sizeof(*out), newest_first);
	return n;
}

struct snapshot_copy {
	struct builder *builder;
	enum record_table table;
	size_t n_bad;
};

static int snapshot_on_item(const struct txn_item *item, void *arg)
{
	struct snapshot_copy *c = arg;
	struct record_raw raw = {.table = c->table,
		.key = item->key,
		.key_len = item->key_len,
		.value = item->raw,
		.value_len = item->raw_len};

	c->n_bad += item->bad;
	(void)builder_add(c->builder, &raw);
	return 0;
}

/* Copies from one point in time; the commit thread goes on writing meanwhile. */
static int snapshot_copy(struct store *s, struct snapshot_copy *c)
{
	struct txn *txn;
	int err = txn_read(s, &txn);

	if (err)
		return err;
	c->table = RECORD_LEASE;
	err = txn_each(txn, TXN_LEASE, NULL, 0, snapshot_on_item, c);
	c->table = RECORD_STATE;
	if (!err)
		err = txn_each(txn, TXN_STATE, NULL, 0, snapshot_on_item, c);
	txn_abort(txn);
	return err;
}

/* Renames the finished file to its number and drops the ones beyond SNAPSHOT_KEEP. */
static int snapshot_install(struct store *s)
{
	struct snapshot_name names[64];
	int fd = snapshots_open(s), err = 0;
	char to[32];
	size_t n;

	if (fd < 0)
		return err_from_errno(errno);
	n = snapshot_list(s, names, 64);
	(void)snprintf(to, sizeof(to), "leases-%" PRIu64 ".mdb", n ? names[0].number + 1 : 1);
	if (renameat(fd, "new.mdb", fd, to) < 0)
		err = err_from_errno(errno);
	if (!err)
		err = statedir_sync(fd);
	for (size_t i = SNAPSHOT_KEEP - 1; !err && i < n; i++)
		(void)unlinkat(fd, names[i].file, 0);
	close(fd);
	return err;
}

static int snapshot_write_one(struct store *s, size_t *out_records)
{
	struct snapshot_copy copy = {0};
	char path[STORE_PATH_MAX];
	int err;

	if (!store_path(s, SNAPSHOT_NEW, path))
		return ERR_LIMIT;
	if (mkdirat(s->dir_fd, STORE_SNAPSHOTS, 0750) < 0 && errno != EEXIST)
		return err_from_errno(errno);
	if ((err = builder_new(path, s->map_len, &copy.builder)) < 0)
		return err;
	err = snapshot_copy(s, &copy);
	if (!err && copy.n_bad) /* an older one may have the record that went bad: let it stand */
		err = ERR_CORRUPT;
	if (err) {
		builder_abandon(copy.builder);
		return err;
	}
	if ((err = builder_finish(copy.builder, out_records)) < 0)
		return err;
	return snapshot_install(s);
}

int snapshot_write(struct store *s, size_t *out_records)
{
	int err;

	if (s->read_only)
		return ERR_DENIED;
	if (atomic_exchange(&s->snapshot_runs, true))
		return ERR_BUSY;
	err = statedir_judge_err(s->dir_fd, snapshot_write_one(s, out_records));
	atomic_store(&s->snapshot_runs, false);
	return err;
}
