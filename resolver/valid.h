/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The validator: is a finished answer true (RFC 4033 to 4035, 5155, 6840)? valid_run judges what
 * lies in q->out, RRset by RRset along the chain of aliases and then the denial at its end, each by
 * the keys of its zone. Keys and delegations it lacks are questions of their own, on the budget of
 * the client's; valid_run says so, and is called again from the start when they are here. What was
 * verified is marked in the RRsets themselves, so that nothing is computed twice.
 *
 * valid.c judges answers, valid_deny.c denials, valid_chain.c finds the way from the anchor to a
 * zone's keys. The worker that owns the query; never blocks; does not send. */
#include <stdbool.h>

#include "dns/rrset.h"

struct query;

enum valid_verdict { VALID_WAITS, VALID_BOGUS, VALID_INSECURE, VALID_SECURE };

/* VALID_WAITS: sub-queries will wake q in ITER_VALIDATE. Otherwise the verdict of the weakest part;
 * q->out.ede says why it is not better, and is_local that a budget ran out. */
enum valid_verdict valid_run(struct query *q);

/* By its signatures the RRset was expanded from a wildcard: true only with a proof beside it. */
bool valid_is_expanded(const struct rrset *rr);
