/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The state directory and the LMDB environment in it (<dir>/data.mdb): what must outlive the
 * process. Owns the lock that keeps a second daemon out, the check of the file before it is
 * mapped, recovery from snapshots, and the reopening of the environment after an I/O error.
 *
 * Opened in main before threads start. Afterwards one thread writes (the committer, or whoever
 * holds the store alone); any thread may read or write a snapshot meanwhile. Never read on a
 * packet's path: memory serves, the disk remembers. Never logs: callers log the report. LMDB's
 * flags that give up durability (NOSYNC, NOMETASYNC, WRITEMAP, MAPASYNC) are not offered. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct store;

struct store_opts {
	uid_t uid;	/* owner of the directory and its files; (uid_t)-1: leave as they are */
	gid_t gid;	/* (gid_t)-1: leave */
	bool read_only; /* change nothing, recover nothing; ERR_ABSENT when there is no data file */
	size_t map_len; /* 0: STORE_MAP_LEN; tests take less */
};

enum store_found {
	STORE_NEW,	 /* there was no data file: an empty one was made */
	STORE_CLEAN,	 /* all of it was read and is good */
	STORE_PATCHED,	 /* some records were damaged: kept aside in table `damaged`, each restored
			    from the newest good snapshot that has it */
	STORE_RECOVERED, /* the file was damaged and renamed to `aside`; what could be read in it
			    and in `snapshot` makes up the new one */
	STORE_LOST,	 /* as RECOVERED, but nothing at all could be read: empty */
};

/* What opening found, for the caller to log: text is one line for an operator. */
struct store_report {
	enum store_found found;
	size_t n_records;   /* good ones there now, all tables */
	size_t n_damaged;   /* records found damaged */
	size_t n_restored;  /* of all records, those that came out of a snapshot */
	char text[1024];    /* "" when found is NEW or CLEAN and all is well */
	char aside[256];    /* path of the damaged file, or "" */
	char snapshot[256]; /* path of the snapshot used, or "" */
};

/* Makes dir with its parents when missing (0755), takes <dir>/lock, checks, maps.
 * Errors: ERR_BUSY another process has it (its pid is in report->text); ERR_VERSION a newer
 * Lanthorn wrote it (nothing was touched); ERR_CORRUPT read_only and damaged; ERR_DENIED, ERR_FULL,
 * ERR_IO, ERR_ABSENT from the file system. report is filled in either case (text tells why). */
MUST_CHECK int store_open(const char *dir, const struct store_opts *opts, struct store **out,
	struct store_report *report);
/* For the command line while no daemon runs: as store_open, owner left alone. ERR_BUSY: one runs.
 */
MUST_CHECK int store_open_offline(
	const char *dir, bool read_only, struct store **out, struct store_report *report);
/* NULL allowed. No transaction may be open. */
void store_close(struct store *s);

/* Health for status and metrics. Any thread. */
struct store_health {
	uint64_t map_len, used_len; /* bytes of the map, bytes of it in use (alarm at half) */
	uint64_t n_commits, n_failures, n_reopens;
	uint32_t failures_in_a_row; /* >= STORE_DEGRADED_AFTER: say so to the operator */
	int last_err;		    /* of the last commit: 0 or ERR_... */
};
struct store_health store_health(const struct store *s);

/* The state directory, as given. Life: until store_close. */
const char *store_dir(const struct store *s);
