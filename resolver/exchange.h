/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One question put to one server, once: random ID, random case (0x20), EDNS with DO, our cookie;
 * and the judgement whether what comes back answers it. A bad packet never ends the wait (TuDoor);
 * a wrong ID moves the question to TCP, at a bounded rate. Charged to the query's budget where the
 * packet leaves. It belongs to a query, knows nothing of zones, and never chooses a server. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/transport.h"

struct query;

enum exchange_doubt {
	EXCHANGE_TRUST,
	EXCHANGE_DOUBT_ID,  /* over TCP because somebody is guessing IDs */
	EXCHANGE_DOUBT_CASE /* over TCP because the case of our name came back wrong */
};

/* How to ask. */
struct exchange_plan {
	bool is_set;
	uint8_t addr; /* index into q->at->addrs */
	bool is_tcp;
	bool no_edns;
	bool is_plain_try; /* without EDNS, unless the server is known to speak it */
	bool no_case;
	uint8_t doubt; /* enum exchange_doubt */
};

struct exchange {
	struct query *q;
	struct transport *via;
	uint64_t handle; /* 0: idle */
	struct exchange_plan plan;
	uint16_t id;
	uint16_t type;
	uint8_t name_len;
	uint8_t n_bad; /* packets that were no answer */
	bool has_edns, has_case, has_cookie;
	bool saw_refusal;    /* one of these was an error without a question: FORMERR, NOTIMP */
	bool is_folded;	     /* its reply had our name in another case */
	bool is_overdue;     /* its time has passed and was held against the server */
	const uint8_t *name; /* with the case it was sent in; life: query */
	int64_t sent_ms;
	int64_t due_ms; /* when the next server is asked */
	uint8_t cookie[8];
};

/* Ask q->asking, q->asking_type of the server of the plan. ERR_LIMIT: the budget is used up;
 * ERR_AGAIN: no socket is free now; ERR_BUSY: all of q's exchanges are open; others as
 * transport_start. *out is the
 * exchange, whose due_ms says how long to wait before asking somebody else. */
MUST_CHECK int exchange_start(
	struct query *q, const struct exchange_plan *plan, struct exchange **out);
/* The oldest of the open ones, NULL when none is. */
struct exchange *exchange_oldest(struct query *q);
/* No more is expected of it. What its silence tells about the server is noted when is_outrun. */
void exchange_cancel(struct exchange *x, bool is_outrun);
void exchange_cancel_all(struct query *q, bool is_outrun);
static inline bool exchange_is_open(const struct exchange *x)
{
	return x->handle != 0;
}
bool exchange_any_open(const struct query *q);
