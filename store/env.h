/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One LMDB environment with our tables open in it: the thin layer that knows LMDB's calls, flags
 * and error numbers. Inside store/ only; lmdb.h is seen here and in txn.c and nowhere else. */
#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/record.h"

#if MDB_VERSION_MAJOR != 0 || MDB_VERSION_MINOR != 9
#error "store/ is written for LMDB 0.9: pagefile.c knows its file format"
#endif

struct env {
	MDB_env *mdb;
	MDB_dbi dbi[RECORD_N_TABLES + 1]; /* by enum record_table */
};

struct env_conf {
	const char *path; /* the data file */
	size_t map_len;
	bool read_only; /* no lock file either */
	bool create;	/* make the file and the tables */
	bool private;	/* nobody else will open it: no lock file */
};

/* ERR_ABSENT, ERR_CORRUPT, ERR_VERSION, ERR_FULL, ERR_DENIED, ERR_IO. */
MUST_CHECK int env_open(struct env *e, const struct env_conf *conf);
void env_close(struct env *e); /* harmless when not open */
/* Bytes of the map in use. */
size_t env_used(const struct env *e);
/* Our code for LMDB's or an errno value. */
int env_err(int rc);
