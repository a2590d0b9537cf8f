/* SPDX-License-Identifier: Apache-2.0 */
#include "store/txn.h"

#include <string.h>

#include "base/xalloc.h"
#include "store/env.h"
#include "store/record.h"
#include "store/statedir.h"
#include "store/store_inside.h"
#include "store/store_limits.h"

struct txn {
	struct store *s;
	MDB_txn *mdb;
	uint64_t stamp;
	bool writes;
	int err;
};

static const enum record_table TXN_TABLES[TXN_N_TABLES] = {
	[TXN_LEASE] = RECORD_LEASE,
	[TXN_STATE] = RECORD_STATE,
	[TXN_DAMAGED] = RECORD_DAMAGED,
};

/* Begins with the environment's lock held for reading. After a failed meta write LMDB answers
 * MDB_PANIC until it is opened anew: once that is tried here. */
static int txn_open(struct txn *t)
{
	unsigned flags = t->writes ? 0 : MDB_RDONLY;
	int rc, err = 0;

	for (int try = 0; try < 2; try++) {
		pthread_rwlock_rdlock(&t->s->env_lock);
		rc = t->s->env.mdb ? mdb_txn_begin(t->s->env.mdb, NULL, flags, &t->mdb) : MDB_PANIC;
		if (!rc)
			return 0;
		pthread_rwlock_unlock(&t->s->env_lock);
		t->mdb = NULL;
		if (rc != MDB_PANIC)
			return env_err(rc);
		if ((err = store_reopen(t->s)) < 0)
			return err;
	}
	return ERR_IO;
}

static void txn_close(struct txn *t)
{
	if (t->mdb) {
		mdb_txn_abort(t->mdb);
		pthread_rwlock_unlock(&t->s->env_lock);
	}
	xfree(t);
}

struct txn *txn_begin(struct store *s)
{
	struct txn *t = xcalloc(1, sizeof(*t));

	t->s = s;
	t->writes = true;
	t->err = s->read_only ? ERR_DENIED : txn_open(t);
	if (!t->err)
		t->stamp = s->stamp_base + mdb_txn_id(t->mdb);
	return t;
}

int txn_read(struct store *s, struct txn **out)
{
	struct txn *t = xcalloc(1, sizeof(*t));
	int err;

	t->s = s;
	err = txn_open(t);
	if (err) {
		xfree(t);
		return err;
	}
	*out = t;
	return 0;
}

static MDB_val val_of(const void *data, size_t len)
{
	return (MDB_val){.mv_size = len, .mv_data = (void *)data};
}

void txn_put(struct txn *t, enum txn_table table, const void *key, size_t key_len, const void *data,
	size_t len)
{
	enum record_table id = TXN_TABLES[table];
	MDB_val k = val_of(key, key_len);
	MDB_val v = {.mv_size = len + RECORD_OVERHEAD};

	if (t->err)
		return;
	if (!key_len || key_len > STORE_KEY_MAX || len > STORE_RECORD_MAX) {
		t->err = ERR_RANGE;
		return;
	}
	t->err = env_err(mdb_put(t->mdb, t->s->env.dbi[id], &k, &v, MDB_RESERVE));
	if (!t->err)
		record_write(id, t->stamp, key, key_len, data, len, v.mv_data);
}

void txn_del(struct txn *t, enum txn_table table, const void *key, size_t key_len)
{
	MDB_val k = val_of(key, key_len);
	int rc;

	if (t->err)
		return;
	rc = mdb_del(t->mdb, t->s->env.dbi[TXN_TABLES[table]], &k, NULL);
	if (rc != MDB_NOTFOUND)
		t->err = env_err(rc);
}

int txn_get(struct txn *t, enum txn_table table, const void *key, size_t key_len, const void **data,
	size_t *len)
{
	struct record_raw raw = {.table = TXN_TABLES[table], .key = key, .key_len = key_len};
	MDB_val k = val_of(key, key_len), v;
	struct record rec;
	int err;

	if (t->err)
		return t->err;
	err = env_err(mdb_get(t->mdb, t->s->env.dbi[raw.table], &k, &v));
	if (err)
		return err;
	raw.value = v.mv_data;
	raw.value_len = v.mv_size;
	if (!record_parse(&raw, &rec))
		return ERR_CORRUPT;
	*data = rec.payload;
	*len = rec.payload_len;
	return 0;
}

static struct txn_item txn_item_of(enum record_table table, const MDB_val *k, const MDB_val *v)
{
	struct record_raw raw = {.table = table,
		.key = k->mv_data,
		.key_len = k->mv_size,
		.value = v->mv_data,
		.value_len = v->mv_size};
	struct txn_item item = {
		.key = raw.key, .key_len = raw.key_len, .raw = raw.value, .raw_len = raw.value_len};
	struct record rec;

	if (!record_parse(&raw, &rec)) {
		item.bad = true;
		return item;
	}
	item.data = rec.payload;
	item.len = rec.payload_len;
	return item;
}

int txn_each(struct txn *t, enum txn_table table, const void *from, size_t from_len, txn_each_fn fn,
	void *arg)
{
	MDB_val k = val_of(from, from_len), v;
	MDB_cursor *cursor;
	int rc, verdict = 0;

	if (t->err)
		return t->err;
	rc = mdb_cursor_open(t->mdb, t->s->env.dbi[TXN_TABLES[table]], &cursor);
	if (rc)
		return env_err(rc);
	rc = mdb_cursor_get(cursor, &k, &v, from ? MDB_SET_RANGE : MDB_FIRST);
	while (!rc && !verdict) {
		struct txn_item item = txn_item_of(TXN_TABLES[table], &k, &v);

		verdict = fn(&item, arg);
		if (!verdict)
			rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return verdict || rc == MDB_NOTFOUND ? verdict : env_err(rc);
}

/* Book-keeping that status and metrics show. */
static void txn_count(struct store *s, int err)
{
	atomic_store_explicit(&s->last_err, err, memory_order_relaxed);
	if (err) {
		atomic_fetch_add_explicit(&s->n_failures, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&s->failures_in_a_row, 1, memory_order_relaxed);
		return;
	}
	atomic_fetch_add_explicit(&s->n_commits, 1, memory_order_relaxed);
	atomic_store_explicit(&s->failures_in_a_row, 0, memory_order_relaxed);
}

int txn_commit(struct txn *t)
{
	struct store *s = t->s;
	int err = t->err;

	if (!err) {
		err = env_err(mdb_txn_commit(t->mdb)); /* frees it, also when it fails */
		err = statedir_judge_err(s->dir_fd, err);
		t->mdb = NULL;
		if (!err)
			store_grow(s);
		pthread_rwlock_unlock(&s->env_lock);
	}
	txn_count(s, err);
	txn_close(t);
	return err;
}

void txn_abort(struct txn *t)
{
	if (t)
		txn_close(t);
}
