/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of a question being resolved, for query*.c and the machine that drives it (iter*.c,
 * exchange.c); everybody else sees query.h. One struct query lives in its own arena with all it
 * reaches (life: query) and dies in query_finish or query_drop, nowhere else.
 *
 * Queries wait for each other along edges (struct query_sub): a parent that needs the address of a
 * name server, later a key, starts or joins a child, which is a query like any other and may have
 * clients of its own. An edge that would close a circle is refused. All work is done from the
 * ready list in query_run_ready, never from inside another query's step, so no depth of stack
 * depends on what strangers send. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "base/wheel.h"
#include "resolver/budget.h"
#include "resolver/classify.h"
#include "resolver/delegation.h"
#include "resolver/exchange.h"
#include "resolver/iter.h"
#include "resolver/qmin.h"
#include "resolver/query.h"
#include "resolver/resolver_limits.h"

#define QUERY_ANSWER_MAX    48 /* RRsets: a chain of 11 DNAMEs with their CNAMEs, and ANY's types */
#define QUERY_AUTHORITY_MAX 9  /* SOA and proofs, or a wildcard's proofs */
#define QUERY_EXCHANGES	    3  /* open at once: the one asked now, and late ones still welcome */

struct valid; /* resolver/valid_parts.h */

/* A client that waits. Behind it lie the bytes that shape.query points to. */
struct query_waiter {
	struct query_waiter *next;
	struct client client;
	struct answer_client shape;
	int64_t since_ms;
};

/* What came out. RRsets are borrowed from the query's arena. */
struct query_result {
	uint16_t rcode;
	uint8_t security; /* enum rrset_security of the weakest part */
	bool is_stale;
	bool is_local;	  /* a failure of our own making: not to be held against anybody */
	bool is_uncached; /* not for the wire cache: local data in it, or nothing says how long */
	int ede;
	struct ip_port from; /* who answered; zero: not asked */
	uint8_t n_answer, n_authority;
	const struct rrset *answer[QUERY_ANSWER_MAX];
	const struct rrset *authority[QUERY_AUTHORITY_MAX];
};

/* "parent waits for child". Lives in the parent's arena. */
struct query_sub {
	struct query *parent, *child;
	struct query_sub *next_of_child, **link_of_child; /* the child's other parents */
	struct query_sub *next_of_parent;		  /* the parent's other children */
	/* The child is done; out dies with it. Runs inside query_finish(child): copies what it
	 * needs and may iter_wake(parent), nothing else. */
	void (*on_done)(struct query_sub *s, const struct query_result *out);
	unsigned tag; /* the parent's own use */
};

struct query {
	struct table_node node; /* in query_table.live */
	struct query *all_next, **all_link;
	struct query *ready_next, **ready_link;
	struct query *age_next, **age_link; /* those that may lose their slot, oldest first */
	struct resolver *r;
	struct arena *arena;
	struct budget *budget;
	enum iter_state state;

	/* the question */
	const uint8_t *name; /* lower case */
	uint8_t name_len;
	uint16_t type, class;
	bool is_cd;
	bool is_internal;      /* a sub-query: nobody outside asked */
	bool is_prefetch;      /* the cached answer is to be replaced */
	bool is_kept;	       /* goes on though nobody waits */
	bool has_prefix;       /* begins with CNAMEs of our own */
	bool is_unlisted;      /* not to be joined: traced, or with a prefix */
	bool wants_do[2];      /* a reply with and without DNSSEC records is wanted */
	uint8_t depth;	       /* sub-queries above it */
	struct question asked; /* as the first client wrote it */

	/* who waits */
	struct query_waiter *waiters, **last_waiter;
	unsigned n_waiters;
	struct query_sub *parents, *children;
	uint32_t mark; /* of the last search for a circle that came by */
	struct query *search_next;
	int64_t start_ms;

	/* where it stands: iter*.c */
	const uint8_t *target; /* the name looked for now: end of the chain so far */
	const uint8_t *asking; /* the ancestor of target asked for now */
	uint16_t asking_type;
	uint8_t n_chain;
	bool is_stale_tried;  /* the alarm for expired data has gone off */
	bool is_chain_broken; /* too long, or in a circle */
	bool was_upstream;    /* something came from outside: rebinding protection applies */
	bool takes_cached;    /* nobody here speaks for the zone: what caches say will have to do */
	bool has_empty;	      /* somebody answered with nothing at all */
	bool is_fresh;	      /* what the cache holds did not stand the test: ask */
	bool was_judged;      /* an answer was found bogus, and another server is asked */
	struct ip_port doubted; /* who gave it; zero: nobody */
	int doubt_ede;
	struct valid *valid; /* what the validator has found out; NULL until it begins */
	bool went_up;	     /* the parent was asked again once, for glue that got lost */
	uint8_t max_labels;  /* of a cut that may be used */
	uint8_t n_tries;     /* packets for the present question at this cut */
	uint8_t n_sends;     /* packets for this query */
	int last_err;	     /* of the last exchange that failed, for the extended error */
	struct qmin qmin;
	struct delegation *at;
	struct exchange ex[QUERY_EXCHANGES];
	struct exchange *heard;	   /* in ITER_CLASSIFY: whose reply lies in r->msg */
	enum classify_kind kind;   /* of that reply */
	struct exchange_plan plan; /* what PICK_SERVER has to do first, when plan.is_set */
	struct wheel_timer retry;  /* time to try another server */
	struct wheel_timer alarm;  /* time for a stale answer, then the end */
	struct query_result out;
};

/* ---- query.c: for the machine ---- */

struct query_table *query_table_new(void);
void query_table_free(struct query_table *t);
size_t query_table_count(const struct query_table *t);

/* Puts q at the end of the ready list. */
void query_ready(struct query *q);
/* Runs everything that is ready until nothing is. Every callback of the loop that woke a query ends
 * with it. Inside itself it does nothing. */
void query_run_ready(struct resolver *r);

/* Answers the waiters, stores the outcome, tells the parents, frees. From the driver only. */
void query_finish(struct query *q);
/* The waiters are answered with expired data; q goes on without them. Changes *out. */
void query_answer_waiters(struct query *q, struct query_result *out);

/* ---- query_sub.c ---- */

struct query_sub_ask {
	const uint8_t *name;
	uint16_t type;
	void (*on_done)(struct query_sub *s, const struct query_result *out);
	unsigned tag;
	bool is_fresh;		       /* not from the cache */
	const struct ip_port *doubted; /* nor from there, if that can be; or NULL */
	enum budget_item charge; /* what one that is not under way yet costs the parent's budget */
};
/* Makes parent wait for a question of its own; the child starts in a later step. ERR_LIMIT past the
 * depth, with the budget, table or arena full; ERR_BUSY when the question waits for parent already;
 * ERR_ABSENT when it failed a moment ago. */
MUST_CHECK int query_sub_start(struct query *parent, const struct query_sub_ask *ask);
/* Nobody waits for it but the cache. parent may be NULL. */
void query_sub_detached(struct resolver *r, const uint8_t *name, uint16_t type);
/* parent waits no longer for anything. Children nobody waits for are dropped. */
void query_sub_forget_children(struct query *parent);
