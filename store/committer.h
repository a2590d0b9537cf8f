/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The commit thread: takes everything queued, writes it in one transaction with one fsync, while
 * the next batch gathers (group commit with two buffers). The batch size adjusts itself to the
 * disk: rate x time of a commit.
 *
 * Submit from any thread; on_done runs wherever the caller's post function takes it (the service
 * loop). A batch is acknowledged only after its fsync; when a commit fails every waiter of it gets
 * the error and the next batch is tried afresh. Never blocks the submitter on the disk. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/leasedb.h"

struct committer;

/* Called once for each accepted submission, in order of submission. err: 0 on disk, else not. */
typedef void (*committer_done_fn)(void *arg, int err);
/* Must arrange that fn(fn_arg) runs on the thread that wants the answers, once, in order of the
 * calls. Called from the commit thread. */
typedef void (*committer_post_fn)(void *post_arg, void (*fn)(void *fn_arg), void *fn_arg);

/* Starts the thread; s must outlive it and from now on only the committer writes to it. */
MUST_CHECK int committer_start(
	struct store *s, committer_post_fn post, void *post_arg, struct committer **out);
/* Commits what is queued, posts its on_dones, ends the thread, frees. NULL allowed. The posts must
 * still run (or be dropped) by the caller's loop. */
void committer_stop(struct committer *c);

/* Queue n changes (copied). All or none: either all n are committed in one piece or on_done gets an
 * error. on_done may be NULL. ERR_LIMIT: the queue holds COMMITTER_QUEUE_MAX (nothing was taken,
 * on_done is not called); ERR_MALFORMED; ERR_RANGE: n is over STORE_TXN_RECORDS; ERR_CLOSED:
 * stopping. */
MUST_CHECK int committer_submit(struct committer *c, const struct lease_change *changes, size_t n,
	committer_done_fn on_done, void *arg);
/* Queue a statedb_put (copied); len up to STATEDB_VALUE_MAX. */
MUST_CHECK int committer_put_state(struct committer *c, const char *name, const void *data,
	size_t len, committer_done_fn on_done, void *arg);

struct committer_stats {
	uint64_t n_commits, n_records, n_failures, n_refused;
	uint32_t queued;	 /* records waiting now */
	uint32_t p50_us, p99_us; /* of a commit, from a histogram in steps of a quarter octave */
	uint32_t max_us;
	uint32_t max_batch; /* records in the largest commit */
};
/* Any thread. */
struct committer_stats committer_stats(const struct committer *c);
