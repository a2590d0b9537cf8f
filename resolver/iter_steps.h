/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The steps of the machine in iter.c, one function per state, and what they share. Each returns the
 * state to go to. For iter*.c alone. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/iter.h"
#include "resolver/query_state.h"
#include "resolver/scrub.h"

/* iter_look.c */
enum iter_state iter_look(struct query *q);
enum iter_state iter_follow(struct query *q);
/* iter_ask.c */
enum iter_state iter_find_cut(struct query *q);
enum iter_state iter_minimise(struct query *q);
enum iter_state iter_pick_server(struct query *q);
/* iter_addrs.c */
enum iter_state iter_glueless(struct query *q);
/* iter_reply.c */
enum iter_state iter_classify(struct query *q);
/* iter_end.c */
enum iter_state iter_validate(struct query *q);
enum iter_state iter_fail(struct query *q);

/* The zone to ask has changed: everything under way for the old one ends. */
void iter_enter(struct query *q, struct delegation *d);
/* Nobody is left to ask here: look again above, once, or give up. */
enum iter_state iter_out_of_servers(struct query *q);
/* Nothing but empty replies: that is the answer. */
enum iter_state iter_take_empty(struct query *q);
/* Append to the answer or the authority section; false when there is no room. */
bool iter_add_answer(struct query *q, const struct rrset *rr);
bool iter_add_authority(struct query *q, const struct rrset *rr);
/* What a reply taught goes to the RRset cache (iter_store.c). */
void iter_store_answer(struct query *q, const struct scrub_out *s);
void iter_store_negative(struct query *q, const struct scrub_out *s, bool is_nxdomain);
void iter_store_referral(struct query *q, const struct scrub_out *s);
/* An answer from expired cache entries for the whole question (iter_end.c). False: there is none.
 */
bool iter_find_stale(struct query *q, struct query_result *out);

struct delegation_in iter_delegation_in(struct query *q);
/* Trace lines for `explain`; cost nothing when off. */
#define ITER_TRACE(q, ...)                                                                         \
	do {                                                                                       \
		if ((q)->budget->trace)                                                            \
			iter_trace((q), __VA_ARGS__);                                              \
	} while (0)
void iter_trace(struct query *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
