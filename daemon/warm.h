/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The cache over a restart: the RRsets with what is left of their TTLs, as an image file in the
 * state dir. It may be missing or old (it is written at a clean stop and with the snapshots) but
 * never wrong: chunks carry a CRC, each RRset is checked for soundness, and time that has passed is
 * taken off by the wall clock; a clock that went backwards throws the image away. May block: a pool
 * job, or main at start and end. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cache_rrset;
struct store;

/* *out_n: RRsets written. */
MUST_CHECK int warm_save(
	struct store *s, struct cache_rrset *c, int64_t now_ms, int64_t wall_s, size_t *out_n);
/* *out_n: RRsets that were still good. ERR_ABSENT: there is no image. What was taken in before an
 * error stays. */
MUST_CHECK int warm_load(
	struct store *s, struct cache_rrset *c, int64_t now_ms, int64_t wall_s, size_t *out_n);
