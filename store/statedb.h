/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A small table of named byte strings that must survive a power cut: trust anchors, the time
 * floor, the last good configuration. Values over STATEDB_CHUNK are kept in chunks and become
 * visible all at once. The cache image is not here: it is large and may be lost (store/image.h).
 * Written by the writer's thread (see committer_put_state), read at start. */
#include <stddef.h>

#include "base/err.h"

struct store;

#define STATEDB_NAME_MAX 64

/* Names in use. */
#define STATEDB_ANCHORS	   "anchors"
#define STATEDB_TIME_FLOOR "time-floor"
#define STATEDB_CONFIG	   "config"

/* On disk when it returns 0. name: 1..STATEDB_NAME_MAX bytes of text. ERR_LIMIT: len over
 * STATEDB_VALUE_MAX. ERR_FULL, ERR_IO: the old value stands. */
MUST_CHECK int statedb_put(struct store *s, const char *name, const void *data, size_t len);
/* *out is xalloc'd, one NUL byte follows the data; the caller frees it with xfree. ERR_ABSENT,
 * ERR_CORRUPT, ERR_IO. */
MUST_CHECK int statedb_get(struct store *s, const char *name, void **out, size_t *out_len);
/* Absent already: no error. */
MUST_CHECK int statedb_del(struct store *s, const char *name);
