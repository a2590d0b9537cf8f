/* SPDX-License-Identifier: Apache-2.0 */
/* Where to ask, what, and whom.
 *
 * Whom: every server that may still be of use for the question falls into a class (good; dead or of
 * a family that seems down; lame) and a round (how often it was asked already). Of the best class
 * and round, one is drawn at random among those whose time is within 10 ms or a quarter of the
 * best: the load spreads, and guessing which server is asked next stays hard. IPv6 counts as 10 ms
 * nearer. A server never heard of counts as ITER_UNKNOWN_MS away: tried before a far one, not
 * before a near one. */
#include "base/ip.h"
#include "base/rand.h"
#include "dns/dname.h"
#include "dns/rrtype.h"
#include "resolver/cache_rrset.h"
#include "resolver/iter_steps.h"
#include "resolver/prime.h"
#include "resolver/resolver_conf.h"
#include "resolver/scout.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

enum {
	ITER_AGAIN_MS = 50,
	ITER_UNKNOWN_MS = 60,
	ITER_BAND_MS = 10,
	ITER_IPV6_MS = 10,
	ITER_PLAIN_AFTER = 2
};

/* Whoever gave an answer that was bogus is asked again only where there is nobody else. */
static void iter_pass_over(const struct query *q, struct delegation *d)
{
	bool has_others = d->n_addrs > 1 || d->n_ns > 1;

	for (unsigned i = 0; has_others && i < d->n_addrs; i++) {
		if (ip_equal(&d->addrs[i].at.ip, &q->doubted.ip))
			d->addrs[i].is_failed = d->addrs[i].is_lame = true;
	}
}

void iter_enter(struct query *q, struct delegation *d)
{
	exchange_cancel_all(q, true);
	query_sub_forget_children(q);
	wheel_cancel(q->r->env.wheel, &q->retry);
	q->at = d;
	q->plan.is_set = false;
	q->takes_cached = q->has_empty = false;
	q->n_tries = 0;
	if (d && q->doubted.ip.family)
		iter_pass_over(q, d);
	if (d)
		qmin_rebase(&q->qmin, dname_labels(d->zone));
}

enum iter_state iter_find_cut(struct query *q)
{
	struct delegation_in in = iter_delegation_in(q);
	const uint8_t *name = q->target;
	struct delegation *d;
	char text[DNAME_TEXT_MAX];

	/* RFC 4035 3.1.4.1: DS lives above the cut. */
	if (q->type == DNS_TYPE_DS && name[0])
		name = dname_strip(name, 1);
	d = delegation_find(&in, name, q->max_labels);
	if (!d) {
		q->out.is_local = true;
		return ITER_FAIL;
	}
	if (d->kind == DELEGATION_HINTS)
		prime_start(q->r);
	iter_enter(q, d);
	ITER_TRACE(q, "%s %s, %u addresses known",
		d->kind == DELEGATION_FORWARD ? "forward zone"
		: d->kind == DELEGATION_STUB  ? "stub zone"
		: d->kind == DELEGATION_HINTS ? "root hints"
					      : "zone",
		dname_format(d->zone, text), d->n_addrs);
	return ITER_MINIMISE;
}

/* Is it known already that there is nothing to learn by asking for name? Its own authority was
 * asked and answered; had there been a cut with other servers, it would be in the cache. */
static bool iter_is_uncut(struct query *q, const uint8_t *name)
{
	struct cache_proof proof;
	int64_t now_ms = resolver_now_ms(q->r);
	struct rrset *rr =
		cache_rrset_get(q->r->env.rrsets, name, DNS_TYPE_A, q->class, now_ms, 0, q->arena);

	if (rr)
		return rr->rank >= RRSET_RANK_ANSWER_AA;
	return cache_rrset_negative(q->r->env.rrsets, name, DNS_TYPE_A, q->class, now_ms, q->arena,
		       &proof) == CACHE_NEGATIVE_NODATA &&
	       proof.rank >= RRSET_RANK_AUTHORITY_AA;
}

enum iter_state iter_minimise(struct query *q)
{
	const uint8_t *next = q->target;

	q->n_tries = 0;
	q->plan.is_set = false;
	delegation_new_question(q->at);
	if (resolver_conf(q->r)->qname_minimisation && q->at->kind != DELEGATION_FORWARD) {
		do
			next = qmin_next(&q->qmin, q->target);
		while (!dname_equal(next, q->target) && iter_is_uncut(q, next));
	}
	q->asking = next;
	q->asking_type = dname_equal(next, q->target) ? q->type : DNS_TYPE_A;
	return ITER_PICK_SERVER;
}

/* ---- whom ---- */

struct iter_choice {
	unsigned key; /* class and round, lower is better */
	uint32_t ms;
};

static struct iter_choice iter_judge(
	struct query *q, const struct delegation_addr *a, int64_t now_ms)
{
	struct servers *servers = q->r->env.servers;
	struct servers_info info;
	struct iter_choice c;
	unsigned class = 0;

	servers_get(servers, &a->at, now_ms, &info);
	if (info.is_dead || servers_family_is_down(servers, a->at.ip.family, now_ms))
		class = 1;
	if (q->at->kind != DELEGATION_FORWARD &&
		servers_is_lame(servers, &a->at, q->at->zone, now_ms))
		class = 2;
	c.key = class * 16 + a->tries;
	c.ms = info.is_known ? info.srtt_ms : ITER_UNKNOWN_MS;
	if (a->at.ip.family == AF_INET6)
		c.ms = c.ms > ITER_IPV6_MS ? c.ms - ITER_IPV6_MS : 0;
	return c;
}

/* Index of the address to ask, -1 when none is left. */
static int iter_choose(struct query *q)
{
	struct delegation *d = q->at;
	int64_t now_ms = resolver_now_ms(q->r);
	struct iter_choice all[DELEGATION_ADDRS_MAX];
	struct iter_choice best = {UINT32_MAX, UINT32_MAX};
	uint8_t in_band[DELEGATION_ADDRS_MAX];
	uint32_t n = 0, limit_ms;

	for (unsigned i = 0; i < d->n_addrs; i++) {
		const struct delegation_addr *a = &d->addrs[i];

		all[i].key = UINT32_MAX;
		if (a->is_failed || a->tries >= RESOLVER_TRIES_SERVER)
			continue;
		all[i] = iter_judge(q, a, now_ms);
		if (all[i].key < best.key || (all[i].key == best.key && all[i].ms < best.ms))
			best = all[i];
	}
	if (best.key == UINT32_MAX)
		return -1;
	limit_ms = best.ms + (best.ms / 4 > ITER_BAND_MS ? best.ms / 4 : ITER_BAND_MS);
	for (unsigned i = 0; i < d->n_addrs; i++) {
		if (all[i].key == best.key && all[i].ms <= limit_ms)
			in_band[n++] = (uint8_t)i;
	}
	return in_band[n > 1 ? rand_below(q->r->env.rand, n) : 0];
}

static bool iter_may_try(struct query *q)
{
	if (q->n_tries >= RESOLVER_TRIES_MAX) {
		stats_add(q->r->env.stats, STATS_LIMIT_TRIES);
		return false;
	}
	if (q->n_sends < RESOLVER_SENDS_PER_NAME)
		return true;
	stats_add(q->r->env.stats, STATS_LIMIT_NAME);
	return false;
}

/* What is left when no address can be asked (again). */
static enum iter_state iter_nobody_left(struct query *q)
{
	if (exchange_any_open(q))
		return ITER_AWAIT;
	return ITER_GLUELESS;
}

/* It could not even be sent. */
static enum iter_state iter_cannot_send(struct query *q, const struct exchange_plan *plan, int err)
{
	struct delegation_addr *a = &q->at->addrs[plan->addr];

	q->last_err = err;
	switch (err) {
	case ERR_BUSY:
		exchange_cancel(exchange_oldest(q), false);
		q->plan = *plan;
		q->plan.is_set = true;
		return ITER_PICK_SERVER;
	case ERR_AGAIN:
		/* Sockets come back within moments; the deadline ends the waiting. */
		q->plan = *plan;
		q->plan.is_set = true;
		q->out.is_local = true;
		wheel_start(q->r->env.wheel, &q->retry, resolver_now_ms(q->r) + ITER_AGAIN_MS);
		return ITER_AWAIT;
	case ERR_LIMIT:
		if (exchange_any_open(q))
			return ITER_AWAIT;
		/* Out of memory: ours. A spent budget is ours when others spent it. */
		q->out.is_local = !q->budget->is_spent || q->is_internal;
		return ITER_FAIL;
	case ERR_UNREACHABLE:
		stats_add(q->r->env.stats, STATS_UNREACHABLE);
		servers_on_unreachable(q->r->env.servers, &a->at, resolver_now_ms(q->r));
		break;
	default:
		break;
	}
	/* Where nothing gets out at all, nobody else is to blame. */
	if (q->n_tries == 0)
		q->out.is_local = true;
	a->is_failed = true;
	return ITER_PICK_SERVER;
}

enum iter_state iter_pick_server(struct query *q)
{
	struct exchange_plan plan = q->plan;
	struct delegation_addr *a;
	struct exchange *x;
	char text[DNAME_TEXT_MAX], at[IP_TEXT_LEN], type[16];
	int err;

	q->plan.is_set = false;
	if (!iter_may_try(q))
		return iter_nobody_left(q);
	if (!plan.is_set) {
		int i = iter_choose(q);

		if (i < 0)
			return iter_nobody_left(q);
		a = &q->at->addrs[i];
		plan = (struct exchange_plan){
			.addr = (uint8_t)i,
			.is_tcp = a->is_tcp,
			.no_edns = a->is_plain,
			/* Some drop what they do not understand. */
			.is_plain_try = a->tries == ITER_PLAIN_AFTER,
		};
	}
	a = &q->at->addrs[plan.addr];
	err = exchange_start(q, &plan, &x);
	if (err != 0)
		return iter_cannot_send(q, &plan, err);
	q->out.is_local = false;
	if (q->n_tries == 0)
		scout_consider(q);
	a->tries++;
	q->n_tries++;
	wheel_start(q->r->env.wheel, &q->retry, x->due_ms);
	ITER_TRACE(q, "ask %s%s%s: %s %s", ip_port_format(&a->at, at),
		x->plan.is_tcp ? " over TCP" : "", x->has_edns ? "" : " without EDNS",
		dname_format(q->asking, text), rrtype_name(q->asking_type, type));
	return ITER_AWAIT;
}

/* Some of them offered what others had told them. Better than nothing: ask them to recurse. */
static bool iter_turn_to_caches(struct query *q)
{
	bool has_any = false;

	if (q->takes_cached)
		return false;
	for (unsigned i = 0; i < q->at->n_addrs; i++) {
		struct delegation_addr *a = &q->at->addrs[i];

		if (!a->is_recursive)
			continue;
		has_any = true;
		a->is_failed = a->is_lame = false;
		a->tries = 0;
	}
	q->takes_cached = has_any;
	return has_any;
}

enum iter_state iter_out_of_servers(struct query *q)
{
	unsigned labels = dname_labels(q->at->zone);
	char text[DNAME_TEXT_MAX];

	if (q->has_empty)
		return iter_take_empty(q);
	/* A cut that came from the cache may have moved, or its glue be lost: the parent knows. */
	if (!q->went_up && q->at->kind == DELEGATION_ZONE && !q->at->is_referral && labels > 0) {
		q->went_up = true;
		q->max_labels = (uint8_t)(labels - 1);
		ITER_TRACE(q, "no use asking in %s; again from above",
			dname_format(q->at->zone, text));
		return ITER_FIND_CUT;
	}
	if (iter_turn_to_caches(q)) {
		ITER_TRACE(q, "nobody speaks for %s; what do their caches say?",
			dname_format(q->at->zone, text));
		return ITER_PICK_SERVER;
	}
	return ITER_FAIL;
}
