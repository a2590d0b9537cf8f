/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Large byte images that may be lost but must never be wrong: the resolver's cache over a restart.
 * A file <dir>/<name>.image, written beside the old one, synced and renamed over it, with a CRC-32C
 * a chunk. Kept out of LMDB so that snapshots and the check at start stay small.
 * Any thread that may block (a pool job, or main at start and end). */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store;
struct image_writer;

/* Bytes go in piece by piece; nothing is visible before image_finish. ERR_FULL, ERR_IO, ERR_DENIED,
 * ERR_LIMIT (over IMAGE_MAX); sticky: check the end alone. */
MUST_CHECK int image_begin(struct store *s, const char *name, struct image_writer **out);
void image_add(struct image_writer *w, const void *data, size_t len);
/* Frees w. 0: the new image is on disk. Otherwise the old one stands. */
MUST_CHECK int image_finish(struct image_writer *w);
void image_abandon(struct image_writer *w); /* NULL allowed */

/* Hands the image to fn chunk by chunk, each checked before it is handed over; a chunk is borrowed
 * for the call. fn's non-zero value ends it and is returned. ERR_ABSENT, ERR_CORRUPT (what came
 * before was good), ERR_IO. */
MUST_CHECK int image_each(struct store *s, const char *name,
	int (*fn)(const void *chunk, size_t len, void *arg), void *arg);
int image_del(struct store *s, const char *name);
