/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Questions that could not be resolved, so that they are not tried again at once (RFC 9520): first
 * for RESOLVER_FAILURE_MIN_S, then doubling up to RESOLVER_FAILURE_MAX_S. One table per worker, one
 * slot per keyed hash: whoever collides only forgets. Failures of our own making are remembered
 * for RESOLVER_FAILURE_LOCAL_S and never double. Pure but for its memory; one thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct failures;
struct failures *failures_new(void);
void failures_free(struct failures *f); /* NULL allowed */

/* Milliseconds for which the question should still not be tried; 0: try. epoch: servers_epoch; a
 * failure of an older epoch does not count, the network has come back since. */
int64_t failures_left_ms(const struct failures *f, uint64_t hash, uint32_t epoch, int64_t now_ms);
/* Returns for how many seconds it is remembered. */
uint32_t failures_put(
	struct failures *f, uint64_t hash, bool is_local, uint32_t epoch, int64_t now_ms);
/* It was resolved. */
void failures_del(struct failures *f, uint64_t hash);
void failures_flush(struct failures *f);
