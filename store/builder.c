/* SPDX-License-Identifier: Apache-2.0 */
#include "store/builder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/wbuf.h"
#include "base/xalloc.h"
#include "store/env.h"
#include "store/store_inside.h"
#include "store/store_limits.h"

/* Records of one transaction: nobody waits for one of these, but dirty pages take memory. */
#define BUILDER_TXN_RECORDS 2048

struct builder {
	struct env env;
	char *path;
	MDB_txn *txn;
	size_t n_in_txn, n_records;
	uint64_t max_stamp;
	int err;
};

int builder_new(const char *path, size_t map_len, struct builder **out)
{
	struct env_conf conf = {.path = path, .map_len = map_len, .create = true, .private = true};
	struct builder *b = xcalloc(1, sizeof(*b));
	int err;

	if (unlink(path) < 0 && errno != ENOENT) {
		xfree(b);
		return err_from_errno(errno);
	}
	b->path = xstrdup(path);
	err = env_open(&b->env, &conf);
	if (err) {
		builder_abandon(b);
		return err;
	}
	*out = b;
	return 0;
}

static void builder_flush(struct builder *b)
{
	if (!b->txn)
		return;
	if (b->err)
		mdb_txn_abort(b->txn);
	else
		b->err = env_err(mdb_txn_commit(b->txn));
	b->txn = NULL;
	b->n_in_txn = 0;
}

static bool builder_put(struct builder *b, const struct record_raw *raw, uint64_t stamp)
{
	MDB_val key = {.mv_size = raw->key_len, .mv_data = (void *)raw->key};
	MDB_val value = {.mv_size = raw->value_len, .mv_data = (void *)raw->value};
	MDB_val old;
	struct record before;
	int rc;

	if (!b->txn)
		b->err = env_err(mdb_txn_begin(b->env.mdb, NULL, 0, &b->txn));
	if (b->err)
		return false;
	rc = mdb_get(b->txn, b->env.dbi[raw->table], &key, &old);
	if (!rc) {
		struct record_raw old_raw = *raw;

		old_raw.value = old.mv_data;
		old_raw.value_len = old.mv_size;
		if (record_parse(&old_raw, &before) && before.stamp >= stamp)
			return false;
	} else {
		b->n_records++;
	}
	b->err = env_err(mdb_put(b->txn, b->env.dbi[raw->table], &key, &value, 0));
	if (++b->n_in_txn >= BUILDER_TXN_RECORDS || b->err)
		builder_flush(b);
	return !b->err;
}

bool builder_add(struct builder *b, const struct record_raw *raw)
{
	struct record rec;

	if (b->err || raw->table == RECORD_META || !raw->key_len || raw->key_len > STORE_KEY_MAX ||
		!record_parse(raw, &rec))
		return false;
	if (rec.stamp > b->max_stamp)
		b->max_stamp = rec.stamp;
	return builder_put(b, raw, rec.stamp);
}

static void builder_put_meta(struct builder *b)
{
	uint8_t payload[STORE_SCHEMA_LEN], value[STORE_SCHEMA_LEN + RECORD_OVERHEAD];
	struct record_raw raw = {.table = RECORD_META,
		.key = STORE_SCHEMA_KEY,
		.key_len = strlen(STORE_SCHEMA_KEY),
		.value = value,
		.value_len = sizeof(value)};
	struct wbuf w = wbuf_of(payload, sizeof(payload));

	wbuf_u32(&w, STORE_SCHEMA);
	wbuf_u64(&w, b->max_stamp);
	record_write(
		RECORD_META, b->max_stamp, raw.key, raw.key_len, payload, sizeof(payload), value);
	(void)builder_put(b, &raw, b->max_stamp);
}

int builder_finish(struct builder *b, size_t *out_records)
{
	int err;

	if (!b->err) {
		*out_records = b->n_records;
		builder_put_meta(b);
	}
	builder_flush(b);
	err = b->err;
	if (err) {
		builder_abandon(b);
		return err;
	}
	env_close(&b->env);
	xfree(b->path);
	xfree(b);
	return 0;
}

void builder_abandon(struct builder *b)
{
	if (!b)
		return;
	if (b->txn)
		mdb_txn_abort(b->txn);
	env_close(&b->env);
	(void)unlink(b->path);
	xfree(b->path);
	xfree(b);
}
