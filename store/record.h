/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The envelope around every value in every table:
 *
 *     format u8 | table u8 | stamp u64 | payload ... | CRC-32C u32       (big-endian)
 *
 * The CRC covers all before it, then the key, then the key's length: a flipped bit in either is
 * found, and a record that turns up under another key, or in another table, is not believed. stamp
 * is the number of the commit that wrote it: of two copies the larger is the newer. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_FORMAT	1
#define RECORD_OVERHEAD 14

/* On disk: never renumber. */
enum record_table {
	RECORD_META = 1, /* one record: see store_inside.h */
	RECORD_LEASE = 2,
	RECORD_STATE = 3,
	RECORD_DAMAGED = 4, /* key: table u8, key; payload: the value as it was found */
};
#define RECORD_N_TABLES 4

/* A record as it stands in a file, borrowed. */
struct record_raw {
	enum record_table table;
	const void *key, *value;
	size_t key_len, value_len;
};

struct record {
	uint64_t stamp;
	const void *payload;
	size_t payload_len;
};

/* out must hold len + RECORD_OVERHEAD bytes. */
void record_write(enum record_table table, uint64_t stamp, const void *key, size_t key_len,
	const void *payload, size_t len, void *out);
/* false: not a good record of that table and key. *out borrows from raw->value. */
bool record_parse(const struct record_raw *raw, struct record *out);
/* The table a value claims to belong to, 0 when it is no value of ours. For carving. */
enum record_table record_claimed_table(const void *value, size_t len);

/* LMDB's name of a table, and back (0: no table of ours). */
const char *record_table_name(enum record_table table);
enum record_table record_table_find(const void *name, size_t len);
