/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Carries staged ACKs to the disk and back: gathers what one turn of the loop staged, hands it to
 * the store's committer in as few pieces as fit, and when a piece is on disk asks server4_committed
 * what to send. While one piece is being written the next gathers. Service thread only. Never
 * waits, never sends before the commit. A failed commit is said once and again when it is over. */
#include <stddef.h>

#include "dhcp/server4.h"
#include "store/committer.h"

struct commit;

struct commit_opts {
	struct server4 *server;
	/* committer_submit with its committer as arg, or a test's stand-in with the same promise.
	 */
	int (*submit)(void *arg, const struct lease_change *changes, size_t n,
		committer_done_fn on_done, void *done_arg);
	void *submit_arg;
	void (*send)(void *arg, const struct server4_reply *reply);
	void *send_arg;
	struct server4_now (*now)(void *arg);
	void *now_arg;
};

struct commit *commit_new(const struct commit_opts *opts);
/* NULL allowed. Pieces still at the committer must have come back (committer_stop first). What was
 * gathered and not handed over is given up without an ACK. */
void commit_free(struct commit *c);

/* A verdict said SERVER4_STAGE. */
void commit_add(struct commit *c, struct server4_stage *stage);
/* The turn ends: hand over what was gathered. */
void commit_flush(struct commit *c);
/* Stages gathered or at the committer. */
size_t commit_pending(const struct commit *c);
