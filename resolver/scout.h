/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Exploration that costs no client any time: now and then a server that is unknown, out of date or
 * thought dead is asked a question of no interest (the SOA of the zone), next to the real one that
 * goes to a better server, and only its time is noted. Paid from the budget of the query that gave
 * the occasion; few at a time; one server at most once in SERVERS_PROBE_MIN_MS. */
#include "base/ip.h"

#define SCOUT_MAX	  8  /* under way at a time, per worker */
#define SCOUT_ONE_IN	  16 /* questions that may also try an unknown server */
#define SCOUT_DEAD_ONE_IN 4  /* questions that may also try a dead one whose time has come */

struct scout_table;
struct query;
struct resolver;

struct scout_table *scout_table_new(struct resolver *r);
/* Cancels what is under way. */
void scout_table_free(struct scout_table *t); /* NULL allowed */

/* q is about to ask somebody: shall another of its servers be tried too? */
void scout_consider(struct query *q);
