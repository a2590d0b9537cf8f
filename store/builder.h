/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Builds a fresh data file out of records of any origin: of two with the same key the newer stamp
 * wins, what is not a good record is left out. For snapshots and for recovery. The file is private
 * until it is finished; whoever asked for it renames it into place. Inside store/ only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/record.h"

struct builder;

/* path: the file, removed first if it is there. */
MUST_CHECK int builder_new(const char *path, size_t map_len, struct builder **out);
/* Returns true when it went in. Errors are sticky, builder_finish tells. Meta records are not
 * taken: the new file gets its own. */
bool builder_add(struct builder *b, const struct record_raw *raw);
/* Completes, syncs and closes the file, frees b. On an error the file is gone. */
MUST_CHECK int builder_finish(struct builder *b, size_t *out_records);
void builder_abandon(struct builder *b); /* NULL allowed; removes the file */
