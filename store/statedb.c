/* SPDX-License-Identifier: Apache-2.0 */
/* A value is one record under its name: kind u8, then either the bytes, or generation u64 and
 * length u64 of bytes that stand in records of their own under name, NUL, generation u64, index
 * u32. The chunks of a new generation are written first, in small transactions, then the record
 * under the name changes over to them, then the old generation goes: a crash between any two of
 * these leaves one whole value. */
#include "store/statedb.h"

#include <string.h>

#include "base/rbuf.h"
#include "base/wbuf.h"
#include "base/xalloc.h"
#include "store/store_limits.h"
#include "store/txn.h"

enum { STATEDB_INLINE, STATEDB_CHUNKED };

#define STATEDB_KEY_MAX	 (STATEDB_NAME_MAX + 13)
#define STATEDB_HEAD_LEN 17

struct statedb_head {
	uint8_t kind;
	uint64_t generation, len;
	const uint8_t *data; /* INLINE */
};

static bool name_is_valid(const char *name)
{
	size_t len = strnlen(name, STATEDB_NAME_MAX + 1);

	return len > 0 && len <= STATEDB_NAME_MAX;
}

static size_t chunk_key(
	const char *name, uint64_t generation, uint32_t index, uint8_t out[STATEDB_KEY_MAX])
{
	struct wbuf b = wbuf_of(out, STATEDB_KEY_MAX);

	wbuf_put(&b, name, strlen(name) + 1);
	wbuf_u64(&b, generation);
	wbuf_u32(&b, index);
	return b.len;
}

static int head_get(struct txn *t, const char *name, struct statedb_head *out)
{
	const void *data;
	struct rbuf b;
	size_t len;
	int err = txn_get(t, TXN_STATE, name, strlen(name), &data, &len);

	if (err)
		return err;
	b = rbuf_of(data, len);
	*out = (struct statedb_head){.kind = rbuf_u8(&b)};
	if (out->kind == STATEDB_INLINE) {
		out->len = rbuf_left(&b);
		out->data = rbuf_take(&b, out->len);
	} else {
		out->generation = rbuf_u64(&b);
		out->len = rbuf_u64(&b);
	}
	return b.bad || out->kind > STATEDB_CHUNKED || out->len > STATEDB_VALUE_MAX ? ERR_CORRUPT
										    : 0;
}

/* The generation in use, 0 when there is none. */
static int generation_get(struct store *s, const char *name, uint64_t *out)
{
	struct statedb_head head;
	struct txn *t;
	int err = txn_read(s, &t);

	if (err)
		return err;
	err = head_get(t, name, &head);
	txn_abort(t);
	*out = err ? 0 : head.generation;
	return err == ERR_ABSENT || err == ERR_CORRUPT ? 0 : err;
}

struct statedb_sweep {
	struct txn *reader;
	const char *name;
	uint64_t keep; /* this generation's chunks stay; 0: none do */
	struct {
		uint8_t bytes[STATEDB_KEY_MAX];
		size_t len;
	} keys[STATEDB_TXN_CHUNKS * 4];
	size_t n;
};

static int sweep_on_item(const struct txn_item *item, void *arg)
{
	struct statedb_sweep *sweep = arg;
	size_t prefix = strlen(sweep->name) + 1;
	struct rbuf b = rbuf_of(item->key, item->key_len);
	const uint8_t *name = rbuf_take(&b, prefix);
	uint64_t generation = rbuf_u64(&b);

	if (!name || memcmp(name, sweep->name, prefix) != 0)
		return 1;
	if (b.bad || item->key_len > STATEDB_KEY_MAX || generation == sweep->keep)
		return 0;
	memcpy(sweep->keys[sweep->n].bytes, item->key, item->key_len);
	sweep->keys[sweep->n++].len = item->key_len;
	return sweep->n == sizeof(sweep->keys) / sizeof(sweep->keys[0]);
}

/* Deletes the chunks of all generations but one, a few a transaction. */
static int statedb_sweep(struct store *s, const char *name, uint64_t keep)
{
	struct statedb_sweep sweep;
	struct txn *t;
	int err;

	do {
		sweep = (struct statedb_sweep){.name = name, .keep = keep};
		if ((err = txn_read(s, &t)) < 0)
			return err;
		err = txn_each(t, TXN_STATE, name, strlen(name) + 1, sweep_on_item, &sweep);
		txn_abort(t);
		if (err < 0)
			return err;
		if (!sweep.n)
			return 0;
		t = txn_begin(s);
		for (size_t i = 0; i < sweep.n; i++)
			txn_del(t, TXN_STATE, sweep.keys[i].bytes, sweep.keys[i].len);
		err = txn_commit(t);
	} while (!err);
	return err;
}

static int statedb_put_chunks(
	struct store *s, const char *name, uint64_t generation, const uint8_t *data, size_t len)
{
	uint8_t key[STATEDB_KEY_MAX];
	uint32_t index = 0;
	int err = 0;

	for (size_t done = 0; done < len && !err;) {
		struct txn *t = txn_begin(s);

		for (int i = 0; i < STATEDB_TXN_CHUNKS && done < len; i++) {
			size_t n = len - done < STATEDB_CHUNK ? len - done : STATEDB_CHUNK;
			size_t key_len = chunk_key(name, generation, index++, key);

			txn_put(t, TXN_STATE, key, key_len, data + done, n);
			done += n;
		}
		err = txn_commit(t);
	}
	return err;
}

static int statedb_put_head(struct store *s, const char *name, const void *bytes, size_t len)
{
	struct txn *t = txn_begin(s);

	txn_put(t, TXN_STATE, name, strlen(name), bytes, len);
	return txn_commit(t);
}

static int statedb_put_inline(struct store *s, const char *name, const void *data, size_t len)
{
	uint8_t *bytes = xalloc(len + 1);
	int err;

	bytes[0] = STATEDB_INLINE;
	if (len)
		memcpy(bytes + 1, data, len);
	err = statedb_put_head(s, name, bytes, len + 1);
	xfree(bytes);
	return err;
}

int statedb_put(struct store *s, const char *name, const void *data, size_t len)
{
	uint8_t head[STATEDB_HEAD_LEN];
	struct wbuf b = wbuf_of(head, sizeof(head));
	uint64_t before;
	int err;

	if (!name_is_valid(name))
		return ERR_MALFORMED;
	if (len > STATEDB_VALUE_MAX)
		return ERR_LIMIT;
	if ((err = generation_get(s, name, &before)) < 0)
		return err;
	if (len <= STATEDB_CHUNK) {
		err = statedb_put_inline(s, name, data, len);
		return err || !before ? err : statedb_sweep(s, name, 0);
	}
	/* what an interrupted put left behind must not be taken for part of the next */
	if ((err = statedb_sweep(s, name, before)) < 0 ||
		(err = statedb_put_chunks(s, name, before + 1, data, len)) < 0)
		return err;
	wbuf_u8(&b, STATEDB_CHUNKED);
	wbuf_u64(&b, before + 1);
	wbuf_u64(&b, len);
	if ((err = statedb_put_head(s, name, head, b.len)) < 0)
		return err;
	return statedb_sweep(s, name, before + 1);
}

static int statedb_gather(
	struct txn *t, const char *name, const struct statedb_head *head, uint8_t *out)
{
	uint8_t key[STATEDB_KEY_MAX];
	uint64_t done = 0;

	for (uint32_t index = 0; done < head->len; index++) {
		size_t key_len = chunk_key(name, head->generation, index, key), len;
		const void *data;
		int err = txn_get(t, TXN_STATE, key, key_len, &data, &len);

		if (err || !len || len > head->len - done)
			return err && err != ERR_ABSENT ? err : ERR_CORRUPT;
		memcpy(out + done, data, len);
		done += len;
	}
	return 0;
}

int statedb_get(struct store *s, const char *name, void **out, size_t *out_len)
{
	struct statedb_head head;
	uint8_t *bytes;
	struct txn *t;
	int err;

	if (!name_is_valid(name))
		return ERR_MALFORMED;
	if ((err = txn_read(s, &t)) < 0)
		return err;
	err = head_get(t, name, &head);
	if (err) {
		txn_abort(t);
		return err;
	}
	bytes = xalloc(head.len + 1);
	if (head.kind == STATEDB_CHUNKED)
		err = statedb_gather(t, name, &head, bytes);
	else
		memcpy(bytes, head.data, head.len);
	txn_abort(t);
	if (err) {
		xfree(bytes);
		return err;
	}
	bytes[head.len] = 0;
	*out = bytes;
	*out_len = head.len;
	return 0;
}

int statedb_del(struct store *s, const char *name)
{
	struct txn *t;
	int err;

	if (!name_is_valid(name))
		return ERR_MALFORMED;
	t = txn_begin(s);
	txn_del(t, TXN_STATE, name, strlen(name));
	err = txn_commit(t);
	return err ? err : statedb_sweep(s, name, 0);
}
