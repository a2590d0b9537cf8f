/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/commit.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "store/store_limits.h"

/* What goes to the committer in one submission: all of it is on the disk, or none. */
struct commit_piece {
	struct commit *c;
	struct commit_piece *next;
	size_t n_stages, n_changes;
	struct server4_stage *stages[STORE_TXN_RECORDS];
	struct lease_change changes[STORE_TXN_RECORDS];
};

struct commit {
	struct commit_opts opts;
	struct commit_piece *gathering; /* NULL: nothing yet */
	struct commit_piece *spare;
	size_t pending;
	bool is_failing;
	struct server4_reply reply;
};

struct commit *commit_new(const struct commit_opts *opts)
{
	struct commit *c = xcalloc(1, sizeof(*c));

	c->opts = *opts;
	return c;
}

static struct commit_piece *commit_piece_get(struct commit *c)
{
	struct commit_piece *p = c->spare;

	if (p)
		c->spare = p->next;
	else
		p = xalloc(sizeof(*p));
	p->c = c;
	p->next = NULL;
	p->n_stages = p->n_changes = 0;
	return p;
}

static void commit_note(struct commit *c, int err)
{
	if (err < 0 && !c->is_failing)
		log_error(DHCP_COMMIT_FAILED, "leases cannot be written, no ACK is sent: %s",
			err_text(err));
	if (err == 0 && c->is_failing)
		log_warn(DHCP_COMMIT_WORKS, "leases are being written again");
	c->is_failing = err < 0;
}

/* The committer's answer for one piece; also called when it would not take it. */
static void commit_on_done(void *arg, int err)
{
	struct commit_piece *p = (struct commit_piece *)arg;
	struct commit *c = p->c;
	struct server4_now now = c->opts.now(c->opts.now_arg);

	commit_note(c, err);
	for (size_t i = 0; i < p->n_stages; i++) {
		c->pending--;
		if (server4_committed(c->opts.server, p->stages[i], err, now, &c->reply) ==
			SERVER4_SEND)
			c->opts.send(c->opts.send_arg, &c->reply);
	}
	p->next = c->spare;
	c->spare = p;
}

void commit_flush(struct commit *c)
{
	struct commit_piece *p = c->gathering;
	int err;

	if (!p)
		return;
	c->gathering = NULL;
	err = c->opts.submit(c->opts.submit_arg, p->changes, p->n_changes, commit_on_done, p);
	if (err < 0) /* nothing was taken */
		commit_on_done(p, err);
}

void commit_add(struct commit *c, struct server4_stage *stage)
{
	size_t n;
	const struct lease_change *changes = server4_changes(stage, &n);
	struct commit_piece *p = c->gathering;

	if (p && p->n_changes + n > STORE_TXN_RECORDS) {
		commit_flush(c);
		p = NULL;
	}
	if (!p)
		p = c->gathering = commit_piece_get(c);
	p->stages[p->n_stages++] = stage;
	for (size_t i = 0; i < n; i++)
		p->changes[p->n_changes++] = changes[i];
	c->pending++;
}

size_t commit_pending(const struct commit *c)
{
	return c->pending;
}

void commit_free(struct commit *c)
{
	if (!c)
		return;
	if (c->gathering)
		commit_on_done(c->gathering, ERR_CLOSED);
	while (c->spare) {
		struct commit_piece *next = c->spare->next;

		xfree(c->spare);
		c->spare = next;
	}
	xfree(c);
}
