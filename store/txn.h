/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A transaction over the store's tables, sticky: after the first error every further call does
 * nothing and txn_commit returns that error, so a writer checks once. Adds to each record its
 * envelope (format, commit number, CRC-32C) and takes it off again. Turns LMDB's codes into ours
 * and reopens the environment when a failed meta write has made it unusable.
 * Inside store/ only; one writer at a time, on its own thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store;
struct txn;

enum txn_table { TXN_LEASE, TXN_STATE, TXN_DAMAGED, TXN_N_TABLES };

/* A write transaction; never NULL (a failure to begin is kept for txn_commit). */
struct txn *txn_begin(struct store *s);
/* A read transaction: a point-in-time view. *out on success. */
MUST_CHECK int txn_read(struct store *s, struct txn **out);

/* key <= STORE_KEY_MAX, len <= STORE_RECORD_MAX; both copied. */
void txn_put(struct txn *t, enum txn_table table, const void *key, size_t key_len, const void *data,
	size_t len);
void txn_del(struct txn *t, enum txn_table table, const void *key, size_t key_len);
/* *data is borrowed until the next write or the end of t. ERR_ABSENT and ERR_CORRUPT are not
 * sticky. */
MUST_CHECK int txn_get(struct txn *t, enum txn_table table, const void *key, size_t key_len,
	const void **data, size_t *len);

/* Calls fn for every record from the first key >= from (NULL: the first), in order of keys, until
 * it returns non-zero, which is returned. */
struct txn_item {
	const void *key, *data; /* data: NULL when bad */
	size_t key_len, len;
	const void *raw; /* the value with its envelope */
	size_t raw_len;
	bool bad; /* the envelope does not hold */
};
typedef int (*txn_each_fn)(const struct txn_item *item, void *arg);
MUST_CHECK int txn_each(struct txn *t, enum txn_table table, const void *from, size_t from_len,
	txn_each_fn fn, void *arg);

/* Ends and frees t. Write: 0 = on disk. Read: always txn_abort. */
MUST_CHECK int txn_commit(struct txn *t);
void txn_abort(struct txn *t); /* NULL allowed */
