/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reads an LMDB 0.9 data file as bytes, with pread and without LMDB: the check before it is mapped,
 * and the reading of what is left of a damaged one. LMDB itself believes its file: a flipped bit
 * comes back as data, a truncated file is a SIGBUS, a bad page an abort. This code believes
 * nothing: it visits every page that either the tables or the list of free pages refer to, once,
 * and checks all that LMDB would later rely on.
 *
 * Any thread, any time nobody writes to the file. Never maps, never writes, never crashes on
 * any bytes (pagefile_fuzz.c). */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A key and its value as they stand in a table, borrowed for the call. */
struct pagefile_item {
	const char *table; /* not NUL-terminated; table_len 0 where it is not known (carving) */
	size_t table_len;
	const uint8_t *key, *data;
	size_t key_len, len;
};
typedef void (*pagefile_item_fn)(const struct pagefile_item *item, void *arg);
/* A table of the main database, before its items. */
typedef void (*pagefile_table_fn)(const char *name, size_t name_len, void *arg);

struct pagefile_visitor {
	pagefile_table_fn on_table; /* may be NULL */
	pagefile_item_fn on_item;   /* may be NULL */
	void *arg;
};

struct pagefile_verdict {
	const char *what;  /* what is wrong, static text; NULL: nothing */
	uint64_t page;	   /* where */
	uint64_t txn;	   /* number of the newest transaction */
	uint64_t used_len; /* bytes the file claims to need; it may be shorter when the last pages
			      are free ones */
};

/* The whole structure. Items are handed out as they are met, so before the verdict is known.
 * ERR_CORRUPT (see verdict), ERR_VERSION: an LMDB format this code does not know. */
MUST_CHECK int pagefile_check(
	int fd, const struct pagefile_visitor *visitor, struct pagefile_verdict *out);

/* Every item of every page of the file that looks like a leaf, in use or not, of whatever age:
 * what to believe is up to the caller (the records carry a CRC). */
void pagefile_carve(int fd, const struct pagefile_visitor *visitor);
