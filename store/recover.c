/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/builder.h"
#include "store/pagefile.h"
#include "store/snapshot.h"
#include "store/statedir.h"
#include "store/store_inside.h"
#include "store/store_limits.h"
#include "store/txn.h"

struct rebuild {
	struct builder *builder;
	bool carving; /* the table is what the value claims */
	size_t n_taken;
	uint32_t schema; /* largest met */
};

static bool raw_from_item(const struct pagefile_item *item, bool carving, struct record_raw *out)
{
	*out = (struct record_raw){.key = item->key,
		.key_len = item->key_len,
		.value = item->data,
		.value_len = item->len};
	out->table = carving ? record_claimed_table(item->data, item->len)
			     : record_table_find(item->table, item->table_len);
	return out->table != 0;
}

static void rebuild_on_item(const struct pagefile_item *item, void *arg)
{
	struct rebuild *r = arg;
	struct record_raw raw;
	struct record rec;
	uint32_t schema;
	uint64_t base;

	if (!raw_from_item(item, r->carving, &raw))
		return;
	if (raw.table == RECORD_META) {
		if (record_parse(&raw, &rec) && check_parse_schema(&rec, &schema, &base) &&
			schema > r->schema)
			r->schema = schema;
		return;
	}
	r->n_taken += builder_add(r->builder, &raw);
}

/* Opens the newest snapshot that is sound throughout; -1: none. */
static int snapshot_open_good(const struct store *s, struct store_report *report)
{
	struct snapshot_name names[2 * SNAPSHOT_KEEP];
	size_t n = snapshot_list(s, names, 2 * SNAPSHOT_KEEP);

	for (size_t i = 0; i < n; i++) {
		char rel[64], path[STORE_PATH_MAX];
		struct check check;
		int fd, err;

		(void)snprintf(rel, sizeof(rel), STORE_SNAPSHOTS "/%s", names[i].file);
		fd = openat(s->dir_fd, rel, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;
		err = check_file(fd, &check);
		if (!err && !check.n_bad && store_path(s, rel, path)) {
			(void)snprintf(report->snapshot, sizeof(report->snapshot), "%.*s",
				(int)sizeof(report->snapshot) - 1, path);
			check_fini(&check);
			return fd;
		}
		check_fini(&check);
		close(fd);
	}
	return -1;
}

/* Gives the old file its second name, so that at no instant there is none. */
static int rebuild_put_aside(struct store *s, struct store_report *report)
{
	char name[64], path[STORE_PATH_MAX];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), STORE_DATA_FILE ".damaged-%" PRId64,
			clock_wall_s() + i);
		if (linkat(s->dir_fd, STORE_DATA_FILE, s->dir_fd, name, 0) == 0) {
			if (store_path(s, name, path))
				(void)snprintf(report->aside, sizeof(report->aside), "%.*s",
					(int)sizeof(report->aside) - 1, path);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return err_from_errno(errno);
}

static int rebuild_install(struct store *s, bool had_file, struct store_report *report)
{
	int err = had_file ? rebuild_put_aside(s, report) : 0;

	if (err)
		return err;
	if (renameat(s->dir_fd, STORE_NEW_FILE, s->dir_fd, STORE_DATA_FILE) < 0)
		return err_from_errno(errno);
	return statedir_sync(s->dir_fd);
}

int recover_rebuild(struct store *s, int fd, struct store_report *report)
{
	struct rebuild r = {.carving = true};
	struct pagefile_visitor visitor = {.on_item = rebuild_on_item, .arg = &r};
	struct pagefile_verdict ignored;
	char path[STORE_PATH_MAX];
	int err, snap;

	if (!store_path(s, STORE_NEW_FILE, path))
		return ERR_LIMIT;
	if ((err = builder_new(path, s->map_len, &r.builder)) < 0)
		return err;
	if (fd >= 0)
		pagefile_carve(fd, &visitor);
	if (r.schema > STORE_SCHEMA) {
		builder_abandon(r.builder);
		return ERR_VERSION;
	}
	snap = snapshot_open_good(s, report);
	if (snap >= 0) {
		r.carving = false;
		r.n_taken = 0;
		/* sound a moment ago, and what changed since has no good CRC */
		(void)!pagefile_check(snap, &visitor, &ignored);
		report->n_restored = r.n_taken;
		close(snap);
	}
	if ((err = builder_finish(r.builder, &report->n_records)) < 0)
		return err;
	report->found = report->n_records ? STORE_RECOVERED : STORE_LOST;
	return rebuild_install(s, fd >= 0, report);
}

/* ---- single records ---- */

struct patch {
	struct store *s;
	struct txn *txn;
	size_t n_in_txn, n_restored;
	int err;
};

/* Ends a transaction in time to keep it small; the next begins with the next record. */
static void patch_step(struct patch *p, bool last)
{
	if (!p->txn || (!last && ++p->n_in_txn < STORE_TXN_RECORDS))
		return;
	p->err = txn_commit(p->txn);
	p->txn = NULL;
	p->n_in_txn = 0;
}

static struct txn *patch_txn(struct patch *p)
{
	if (!p->txn)
		p->txn = txn_begin(p->s);
	return p->txn;
}

static void patch_on_item(const struct pagefile_item *item, void *arg)
{
	struct patch *p = arg;
	struct record_raw raw;
	struct record rec;
	enum txn_table table;
	const void *data;
	size_t len;

	if (p->err || !raw_from_item(item, false, &raw) || !record_parse(&raw, &rec))
		return;
	if (raw.table != RECORD_LEASE && raw.table != RECORD_STATE)
		return;
	table = raw.table == RECORD_LEASE ? TXN_LEASE : TXN_STATE;
	if (txn_get(patch_txn(p), table, raw.key, raw.key_len, &data, &len) != ERR_ABSENT)
		return;
	txn_put(p->txn, table, raw.key, raw.key_len, rec.payload, rec.payload_len);
	p->n_restored++;
	patch_step(p, false);
}

static void patch_move_bad(struct patch *p, const struct check_bad *bad)
{
	static const enum txn_table TABLES[] = {[RECORD_LEASE] = TXN_LEASE,
		[RECORD_STATE] = TXN_STATE,
		[RECORD_DAMAGED] = TXN_DAMAGED};
	uint8_t key[STORE_KEY_MAX];
	size_t key_len = bad->key_len < sizeof(key) ? bad->key_len : sizeof(key) - 1;
	size_t len = bad->value_len < STORE_RECORD_MAX ? bad->value_len : STORE_RECORD_MAX;

	key[0] = (uint8_t)bad->table;
	memcpy(key + 1, bad->bytes, key_len);
	if (bad->table != RECORD_DAMAGED)
		txn_put(patch_txn(p), TXN_DAMAGED, key, key_len + 1, bad->bytes + bad->key_len,
			len);
	txn_del(patch_txn(p), TABLES[bad->table], bad->bytes, bad->key_len);
	patch_step(p, false);
}

int recover_patch(struct store *s, const struct check *check, struct store_report *report)
{
	struct patch p = {.s = s};
	struct pagefile_visitor visitor = {.on_item = patch_on_item, .arg = &p};
	struct pagefile_verdict ignored;
	int snap;

	for (size_t i = 0; i < check->n_bad && !p.err; i++)
		patch_move_bad(&p, &check->bad[i]);
	snap = snapshot_open_good(s, report);
	if (snap >= 0) {
		(void)!pagefile_check(snap, &visitor, &ignored);
		close(snap);
	}
	patch_step(&p, true);
	report->found = STORE_PATCHED;
	report->n_damaged = check->n_bad;
	report->n_restored = p.n_restored;
	report->n_records = check->n_good + p.n_restored;
	return p.err;
}
