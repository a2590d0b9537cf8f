/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One question being resolved, with every client that waits for it. query_start joins an identical
 * live question (name, type, class, DO, CD) or makes one in an arena of its own; iter and forward
 * drive it; query_finish is the only place that answers the waiters, stores the outcome and frees
 * the arena. A query belongs to the worker that received it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/answer.h"
#include "resolver/resolver.h"

struct query;

/* Take a question that neither the cache nor our own zones could answer. msg: the client's query
 * bytes (copied; the question's case and EDNS are echoed to each waiter). When it returns, the
 * answer may have been sent already (RRset cache); what cannot be taken is answered SERVFAIL or
 * dropped by the limits, and counted. Never fails for the caller. prefix: CNAME RRsets of our own
 * to stand before the answer (ZONES_CNAME), with target the name to resolve; NULL/0 otherwise. */
struct query_ask {
	const struct msg_query *msg;
	const struct answer_client *shape;
	const struct client *client;
	const struct rrset *const *prefix;
	size_t n_prefix;
	const uint8_t *target;
	bool is_prefetch; /* nobody waits; ignore the cached answer and refresh it */
};
void query_start(struct resolver *r, const struct query_ask *ask);
