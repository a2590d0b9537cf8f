/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Judges a data file or snapshot that nobody has open: structure by pagefile, records by their CRC,
 * schema by the meta record. Changes nothing. Inside store/ only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/record.h"

/* More damaged records than this are no slip of a bit: the whole file counts as damaged. */
#define CHECK_BAD_MAX 1024

struct check_bad {
	enum record_table table;
	size_t key_len, value_len;
	uint8_t *bytes; /* key, then value */
};

struct check {
	uint32_t schema;     /* 0: not seen */
	uint64_t stamp_base; /* with schema */
	uint64_t used_len;   /* bytes the file may come to need at once */
	size_t n_good;
	struct check_bad *bad; /* n_bad of them, at most CHECK_BAD_MAX */
	size_t n_bad;
	char text[160]; /* what is wrong, "" when nothing */
};

/* 0: the structure is sound (n_bad may still be > 0). ERR_CORRUPT. ERR_VERSION: written by a newer
 * Lanthorn or LMDB, or by somebody else. *out is filled in any case; check_fini frees it. */
MUST_CHECK int check_file(int fd, struct check *out);
void check_fini(struct check *c);

/* schema and stamp base out of a good meta record's payload; false: too short. */
bool check_parse_schema(const struct record *rec, uint32_t *out_schema, uint64_t *out_base);
