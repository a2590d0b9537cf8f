/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/iter.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/trace.h"
#include "dns/dname.h"
#include "dns/rrtype.h"
#include "resolver/iter_steps.h"
#include "resolver/query_table.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

#define BIT(state) (1u << (state))

/* Where each state may go. A state without a step waits for an event. Everything alive may be told
 * that its time is over (FAIL) or that nobody waits for it (DROP). */
#define ITER_ALWAYS (BIT(ITER_FAIL) | BIT(ITER_DROP))

static const struct {
	const char *name;
	enum iter_state (*step)(struct query *q);
	uint32_t may_go_to;
} ITER[ITER_STATES] = {
	[ITER_LOOK] = {"look", iter_look,
		BIT(ITER_FIND_CUT) | BIT(ITER_FOLLOW) | BIT(ITER_VALIDATE) | ITER_ALWAYS},
	[ITER_FIND_CUT] = {"find-cut", iter_find_cut, BIT(ITER_MINIMISE) | ITER_ALWAYS},
	[ITER_MINIMISE] = {"minimise", iter_minimise, BIT(ITER_PICK_SERVER) | ITER_ALWAYS},
	[ITER_PICK_SERVER] = {"pick-server", iter_pick_server,
		BIT(ITER_AWAIT) | BIT(ITER_PICK_SERVER) | BIT(ITER_GLUELESS) |
			BIT(ITER_AWAIT_ADDRS) | BIT(ITER_FIND_CUT) | ITER_ALWAYS},
	[ITER_AWAIT] = {"await", NULL, BIT(ITER_CLASSIFY) | BIT(ITER_PICK_SERVER) | ITER_ALWAYS},
	[ITER_GLUELESS] = {"glueless", iter_glueless,
		BIT(ITER_AWAIT_ADDRS) | BIT(ITER_PICK_SERVER) | BIT(ITER_FIND_CUT) |
			BIT(ITER_VALIDATE) | ITER_ALWAYS},
	[ITER_AWAIT_ADDRS] = {"await-addrs", NULL,
		BIT(ITER_CLASSIFY) | BIT(ITER_PICK_SERVER) | BIT(ITER_GLUELESS) | ITER_ALWAYS},
	[ITER_CLASSIFY] = {"classify", iter_classify,
		BIT(ITER_PICK_SERVER) | BIT(ITER_MINIMISE) | BIT(ITER_FOLLOW) | BIT(ITER_VALIDATE) |
			ITER_ALWAYS},
	[ITER_FOLLOW] = {"follow", iter_follow, BIT(ITER_LOOK) | ITER_ALWAYS},
	[ITER_VALIDATE] = {"validate", iter_validate,
		BIT(ITER_DONE) | BIT(ITER_AWAIT_KEYS) | BIT(ITER_LOOK) | ITER_ALWAYS},
	[ITER_AWAIT_KEYS] = {"await-keys", NULL, BIT(ITER_VALIDATE) | ITER_ALWAYS},
	[ITER_FAIL] = {"fail", iter_fail, BIT(ITER_DONE) | BIT(ITER_DROP)},
	[ITER_DONE] = {"done", NULL, 0},
	[ITER_DROP] = {"drop", NULL, 0},
};

const char *iter_state_name(enum iter_state state)
{
	return ITER[state].name;
}

static void iter_move(struct query *q, enum iter_state to)
{
	assert(ITER[q->state].may_go_to & BIT(to));
	if (log_is_on(LOG_LEVEL_DEBUG)) {
		char name[DNAME_TEXT_MAX], type[16];

		log_write(LOG_LEVEL_DEBUG, RESOLVER_STEP, "%s %s: %s -> %s",
			dname_format(q->name, name), rrtype_name(q->type, type),
			ITER[q->state].name, ITER[to].name);
	}
	q->state = to;
}

bool iter_run(struct query *q)
{
	while (ITER[q->state].step)
		iter_move(q, ITER[q->state].step(q));
	if (q->state == ITER_DONE) {
		query_finish(q);
		return false;
	}
	if (q->state == ITER_DROP) {
		query_free(q);
		return false;
	}
	return true;
}

void iter_wake(struct query *q, enum iter_state state)
{
	iter_move(q, state);
	query_ready(q);
}

static bool iter_is_waiting(const struct query *q)
{
	return q->state == ITER_AWAIT || q->state == ITER_AWAIT_ADDRS ||
	       q->state == ITER_AWAIT_KEYS;
}

/* ---- timers ---- */

#define ITER_QUERY_OF(timer, member)                                                               \
	((struct query *)(void *)((char *)(timer)-offsetof(struct query, member)))

/* The same server once more, without EDNS. */
static void iter_plan_plain(struct query *q, const struct exchange *x)
{
	q->at->addrs[x->plan.addr].is_plain = true;
	q->plan = x->plan;
	q->plan.is_set = true;
	q->plan.no_edns = true;
}

/* Nobody has answered in time: hold it against who was asked, and ask somebody else too. */
static void iter_on_retry(struct wheel_timer *t, int64_t now_ms)
{
	struct query *q = ITER_QUERY_OF(t, retry);

	for (int i = 0; i < QUERY_EXCHANGES; i++) {
		struct exchange *x = &q->ex[i];

		if (!exchange_is_open(x) || x->is_overdue || x->due_ms > now_ms)
			continue;
		x->is_overdue = true;
		/* It did answer something: a FORMERR without a question, as servers from before
		 * EDNS do. Nothing better has come. */
		if (x->saw_refusal && x->has_edns && !q->plan.is_set)
			iter_plan_plain(q, x);
		stats_add(q->r->env.stats, STATS_TIMEOUTS);
		servers_on_timeout(
			q->r->env.servers, &q->at->addrs[x->plan.addr].at, resolver_now_ms(q->r));
	}
	if (q->state == ITER_AWAIT) {
		iter_wake(q, ITER_PICK_SERVER);
		query_run_ready(q->r);
	}
}

static void iter_set_alarm(struct query *q)
{
	int64_t due_ms = q->budget->deadline_ms;
	const struct resolver_conf *conf = resolver_conf(q->r);

	if (conf->serve_stale_s > 0 && !q->is_internal && !q->is_kept && !q->is_stale_tried &&
		q->start_ms + RESOLVER_STALE_WAIT_MS < due_ms)
		due_ms = q->start_ms + RESOLVER_STALE_WAIT_MS;
	wheel_start(q->r->env.wheel, &q->alarm, due_ms);
}

/* RFC 8767 5: the client has waited long enough for the truth; the query goes on. Or the end. */
static void iter_on_alarm(struct wheel_timer *t, int64_t now_ms)
{
	struct query *q = ITER_QUERY_OF(t, alarm);
	struct resolver *r = q->r;
	struct query_result stale;

	(void)now_ms;
	if (budget_left_ms(q->budget, resolver_now_ms(r)) == 0) {
		if (iter_is_waiting(q))
			iter_wake(q, ITER_FAIL);
		query_run_ready(r);
		return;
	}
	q->is_stale_tried = true;
	if (q->waiters && iter_find_stale(q, &stale))
		query_answer_waiters(q, &stale);
	iter_set_alarm(q);
}

void iter_begin(struct query *q)
{
	q->retry.on_due = iter_on_retry;
	q->alarm.on_due = iter_on_alarm;
	iter_set_alarm(q);
}

/* ---- events of exchanges ---- */

void iter_on_reply(struct query *q, struct exchange *x)
{
	q->heard = x;
	iter_wake(q, ITER_CLASSIFY);
}

/* It was asked over TCP for a reason that TCP could not settle. */
static bool iter_retry_udp(struct query *q, struct exchange *x)
{
	struct delegation_addr *a = &q->at->addrs[x->plan.addr];

	a->n_tcp_fails++;
	if (x->plan.doubt == EXCHANGE_TRUST) {
		/* It was told to: TC. One try more, then it is of no use. */
		a->is_failed = a->n_tcp_fails >= 2;
		return false;
	}
	a->is_tcp = false;
	a->is_failed = a->n_tcp_fails >= 2;
	if (x->plan.doubt != EXCHANGE_DOUBT_CASE || a->is_failed)
		return false;
	/* Only the ID and the port protect this one; 0x20 does not work there, nor TCP. */
	q->plan = (struct exchange_plan){
		.is_set = true,
		.addr = x->plan.addr,
		.no_edns = x->plan.no_edns,
		.no_case = true,
	};
	return true;
}

void iter_on_exchange_fail(struct query *q, struct exchange *x, int err)
{
	struct delegation_addr *a = &q->at->addrs[x->plan.addr];

	q->last_err = err;
	if (err == ERR_LIMIT) {
		if (iter_is_waiting(q))
			iter_wake(q, ITER_FAIL);
		return;
	}
	if (!x->is_overdue) {
		stats_add(q->r->env.stats, err == ERR_TIMEOUT ? STATS_TIMEOUTS : STATS_UNREACHABLE);
		servers_on_timeout(q->r->env.servers, &a->at, resolver_now_ms(q->r));
	}
	if (err == ERR_UNREACHABLE && !x->plan.is_tcp)
		a->is_failed = true; /* nothing listens there */
	if (x->plan.is_tcp)
		(void)iter_retry_udp(q, x);
	if (x->saw_refusal && x->has_edns)
		iter_plan_plain(q, x);
	/* Whoever is asked still may answer; a new try is due when the newest has had its time. */
	if (q->state == ITER_AWAIT && (q->plan.is_set || !x->is_overdue || !exchange_any_open(q)))
		iter_wake(q, ITER_PICK_SERVER);
}

/* ---- trace ---- */

void iter_trace(struct query *q, const char *fmt, ...)
{
	char line[DNAME_TEXT_MAX + 256];
	va_list args;
	int n = snprintf(line, sizeof(line), "%*s", 2 * q->depth, "");

	va_start(args, fmt);
	(void)vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, args);
	va_end(args);
	trace_add(q->budget->trace, "%s", line);
}
