/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Spare copies of the tables: <dir>/snapshots/leases-<n>.mdb, SNAPSHOT_KEEP of them, what
 * store_open falls back on. A copy is made record by record from one read transaction and each
 * CRC is checked on the way, so damage is never copied; it is written aside, synced, renamed.
 * Called on the caller's schedule from a thread that may block (a pool job); the commit thread
 * goes on meanwhile. One at a time. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store;

/* *out_records: records copied. ERR_CORRUPT: the store holds a damaged record; no snapshot is made,
 * since an older one may have the good version (store_open puts the two together). ERR_FULL,
 * ERR_IO, ERR_BUSY (another runs). The older ones stand until the new one is complete. */
MUST_CHECK int snapshot_write(struct store *s, size_t *out_records);

/* Names of the snapshots there are, newest first, into out; returns how many (<= cap). */
struct snapshot_name {
	uint64_t number;
	char file[32]; /* leases-<number>.mdb, below STORE_SNAPSHOTS */
};
size_t snapshot_list(const struct store *s, struct snapshot_name *out, size_t cap);
