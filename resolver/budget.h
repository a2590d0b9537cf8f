/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What one client query may cost, in one object that the query and every sub-query made for it
 * share by reference and that nothing ever resets (BIND CVE-2026-1519 and Unbound CVE-2026-50045
 * are what happens otherwise). It is charged where the packet leaves, where its answer arrives and
 * where the crypto runs. A sub-query that two client queries come to wait for goes on charging the
 * one that started it; a client that joins it brings its own budget, which takes over. One thread;
 * budgets come from the pool of a query table and return to it with the last reference. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct stats;
struct trace;

enum budget_item {
	BUDGET_SENDS,	   /* packets to servers */
	BUDGET_NS_LOOKUPS, /* name servers' addresses we had to ask for */
	BUDGET_NS_NX,	   /* of these, that did not exist */
	BUDGET_SIGS,	   /* signature checks */
	BUDGET_SIG_FAILS,  /* of these, that failed */
	BUDGET_HASHES,	   /* NSEC3 hashes */
	BUDGET_LINKS,	   /* keys and delegations fetched for chains of trust */
	BUDGET_ITEMS
};

struct budget {
	struct budget *next_free;
	uint32_t n_refs;
	uint16_t left[BUDGET_ITEMS];
	uint32_t bytes_left;
	int64_t deadline_ms;
	bool is_spent;	     /* something was refused: what fails now fails for our own reasons */
	struct trace *trace; /* of the call that wants to know why; NULL off */
	struct stats *stats; /* borrowed, life: the worker */
};

struct budget_pool {
	struct budget *free;
};

/* A full budget with one reference. Never NULL. */
struct budget *budget_new(struct budget_pool *pool, struct stats *stats, int64_t now_ms);
struct budget *budget_ref(struct budget *b);
void budget_unref(struct budget_pool *pool, struct budget *b); /* NULL allowed */
/* Frees what the pool keeps. Every budget must be back. */
void budget_pool_fini(struct budget_pool *pool);

/* Take one. ERR_LIMIT when none is left or the time is over; counted once per budget and item. */
MUST_CHECK int budget_take(struct budget *b, enum budget_item item, int64_t now_ms);
/* What was taken did not happen after all. */
void budget_give_back(struct budget *b, enum budget_item item);
/* Bytes that a server sent, wanted or not. */
MUST_CHECK int budget_take_bytes(struct budget *b, size_t n);
static inline int64_t budget_left_ms(const struct budget *b, int64_t now_ms)
{
	return b->deadline_ms > now_ms ? b->deadline_ms - now_ms : 0;
}
