/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of store/ share: the store's body and its one record in table `meta`. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/env.h"
#include "store/store.h"

/* Meta record: key "schema"; payload: schema u32 | stamp base u64. A newer schema may lay out
 * everything else anew, but keeps this record, its envelope and LMDB's format. */
#define STORE_SCHEMA	 1
#define STORE_SCHEMA_KEY "schema"
#define STORE_SCHEMA_LEN 12
#define STORE_DATA_FILE	 "data.mdb"
#define STORE_NEW_FILE	 "data.mdb.new"
#define STORE_SNAPSHOTS	 "snapshots"
#define STORE_PATH_MAX	 4096

struct store {
	char *dir;
	int dir_fd, lock_fd;
	bool read_only;
	size_t map_len;
	uint64_t stamp_base; /* stamp of a commit: this plus LMDB's transaction number */

	/* Held for reading while a transaction is open, for writing while the environment is
	 * closed and opened again. */
	pthread_rwlock_t env_lock;
	struct env env;
	uint64_t alloc_len; /* bytes of the file that have their disk already; the writer's */

	atomic_bool snapshot_runs;
	atomic_uint_fast64_t n_commits, n_failures, n_reopens, used_len;
	atomic_uint failures_in_a_row;
	atomic_int last_err;
};

/* <dir>/<name> into out (STORE_PATH_MAX); false: too long. */
bool store_path(const struct store *s, const char *name, char *out);
/* Closes the environment and opens it again: what LMDB asks for after a failed meta write. Waits
 * for open transactions of other threads; the caller's must be ended. */
MUST_CHECK int store_reopen(struct store *s);
/* Takes disk for the file in advance, a step beyond what is in use. The writer's thread. */
void store_grow(struct store *s);
