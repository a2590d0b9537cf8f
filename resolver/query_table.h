/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The live questions of one worker: by name for joining, by age for jostling, and those ready to
 * run. For query*.c alone. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "resolver/budget.h"

#define QUERY_CLIENT_SLOTS                                                                         \
	4096 /* counters of waiting questions by hash of the client's address                      \
	      */

struct query;
struct ip;
struct resolver;

struct query_list {
	struct query *first, **last;
};

struct query_table {
	struct table live;
	struct query *all; /* listed in `live` or not */
	size_t n;
	struct query_list ready;
	/* Questions of clients beyond the first half of the slots: when all are taken, the oldest
	 * of these makes room (Unbound's jostle list: one half runs to its end, whatever comes). */
	struct query_list late;
	size_t n_late;
	bool is_running;
	uint32_t mark; /* searches for circles so far */
	struct budget_pool budgets;
	uint16_t clients[QUERY_CLIENT_SLOTS];
};

/* A question in an arena of its own, listed unless is_unlisted; state ITER_LOOK, not ready yet. */
struct query_new {
	const uint8_t *name; /* any case */
	uint16_t type, class;
	bool is_cd, is_internal, is_unlisted;
	uint8_t depth;
	struct budget *budget; /* its reference goes to the question */
};
/* NULL when its arena has no room (never, but for absurd limits). */
struct query *query_new(struct resolver *r, const struct query_new *in);
/* Who is alive and may be joined, or NULL. */
struct query *query_live(
	const struct resolver *r, const uint8_t *name, uint16_t type, uint16_t class, bool is_cd);
/* Off every list, waiters and parents forgotten, children told, memory returned. Tells nobody. */
void query_free(struct query *q);
uint64_t query_hash(
	const struct resolver *r, const uint8_t *name, uint16_t type, uint16_t class, bool is_cd);
/* RFC 9520: it failed a moment ago and is not to be tried yet. */
bool query_has_failed(const struct resolver *r, const uint8_t *name, uint16_t type, bool is_cd);
uint16_t *query_client_slot(struct resolver *r, const struct ip *ip);

/* ---- query_answer.c ---- */

struct client;
struct query_result;

void query_send(struct resolver *r, const struct client *c, const uint8_t *wire, size_t len);
/* The outcome is final: remember a failure, filter what must not reach a LAN, answer the waiters,
 * store the wire answers. Changes *out. */
void query_deliver(struct query *q, struct query_result *out);
/* Expired data for those who have waited long enough; stored for a moment, so that the next ones
 * need not wait. */
void query_deliver_stale(struct query *q, struct query_result *out);
