/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The machine that resolves a query: states, legal moves, one driver. Steps are plain functions
 * from a query to the state it goes to; a state without a step waits for an event (a reply, a
 * timer, a sub-query), which calls iter_wake. Nothing here blocks, and no step calls another.
 *
 *   LOOK -> FIND_CUT -> MINIMISE -> PICK_SERVER -> (AWAIT) -> CLASSIFY -> ... -> VALIDATE -> DONE
 *
 * The worker that owns the query, from query_run_ready only. */
#include <stdbool.h>
#include <stdint.h>

struct query;
struct exchange;

enum iter_state {
	ITER_LOOK,	  /* is it in the RRset cache, or ours? */
	ITER_FIND_CUT,	  /* who serves the nearest zone above it? */
	ITER_MINIMISE,	  /* which part of the name is asked for next? */
	ITER_PICK_SERVER, /* whom to ask now, and ask */
	ITER_AWAIT,	  /* waits for replies */
	ITER_GLUELESS,	  /* start looking for a name server's address */
	ITER_AWAIT_ADDRS, /* waits for sub-queries */
	ITER_CLASSIFY,	  /* a reply is here */
	ITER_FOLLOW,	  /* the chain goes on at another name */
	ITER_VALIDATE,	  /* the answer is whole: is it true? */
	ITER_AWAIT_KEYS,  /* waits for keys and delegations of the chain of trust */
	ITER_FAIL,	  /* no answer: stale data or SERVFAIL */
	ITER_DONE,	  /* to be finished by the driver */
	ITER_DROP,	  /* nobody waits for it any more */
	ITER_STATES
};

/* Runs q until it waits or is gone. Returns false when q was freed. */
bool iter_run(struct query *q);
/* An event: go to that state with the next round of the ready list. Asserts the move is legal. */
void iter_wake(struct query *q, enum iter_state state);
const char *iter_state_name(enum iter_state state);

/* From exchange.c: is what lies in r->msg sound down to its records? Scrubs it into r->scrubbed and
 * notes its kind in q. False: it is no answer. */
bool iter_can_read(struct query *q, struct exchange *x);
/* Events: a reply that iter_can_read is here; an exchange ended without one. */
void iter_on_reply(struct query *q, struct exchange *x);
void iter_on_exchange_fail(struct query *q, struct exchange *x, int err);
/* From query.c when q begins: sets timers. */
void iter_begin(struct query *q);
