/* SPDX-License-Identifier: Apache-2.0 */
/* Before anybody is asked: is the name ours, is it in the RRset cache? Data counts as an answer
 * from the rank of an answer on (RFC 2181 5.4.1); glue and what referrals say does not. */
#include "dns/dname.h"
#include "dns/rrtype.h"
#include "resolver/cache_rrset.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"
#include "resolver/valid.h"

struct delegation_in iter_delegation_in(struct query *q)
{
	return (struct delegation_in){
		.r = q->r,
		.conf = resolver_conf(q->r),
		.arena = q->arena,
		.now_ms = resolver_now_ms(q->r),
	};
}

bool iter_add_answer(struct query *q, const struct rrset *rr)
{
	if (q->out.n_answer >= QUERY_ANSWER_MAX)
		return false;
	q->out.answer[q->out.n_answer++] = rr;
	return true;
}

bool iter_add_authority(struct query *q, const struct rrset *rr)
{
	if (q->out.n_authority >= QUERY_AUTHORITY_MAX)
		return false;
	q->out.authority[q->out.n_authority++] = rr;
	return true;
}

/* ---- our own zones, at the end of an alias or for a name server ---- */

static bool iter_copy_local(struct query *q, const struct zones_answer *a)
{
	for (unsigned i = 0; i < a->n_answer; i++) {
		struct rrset *rr = arena_memdup(q->arena, a->answer[i], a->answer[i]->size);

		if (!rr || !iter_add_answer(q, rr))
			return false;
	}
	for (unsigned i = 0; i < a->n_authority; i++) {
		struct rrset *rr = arena_memdup(q->arena, a->authority[i], a->authority[i]->size);

		if (!rr || !iter_add_authority(q, rr))
			return false;
	}
	return true;
}

/* ITER_FIND_CUT when the name is not ours. */
static enum iter_state iter_look_local(struct query *q, const struct resolver_conf *conf)
{
	struct question question = {.type = q->type, .class = q->class};
	static const struct ip nobody;
	struct zones_answer a = {.ede = DNS_EDE_NONE};
	const struct ip *client = q->waiters ? &q->waiters->client.peer.ip : &nobody;
	uint8_t *target;

	if (!conf->zones)
		return ITER_FIND_CUT;
	/* A name server with a name of ours: nothing we tell strangers' zones. */
	if (q->is_internal)
		return zones_is_local(conf->zones, q->target) ? ITER_FAIL : ITER_FIND_CUT;
	question.name_len = (uint8_t)dname_copy(q->target, question.name);
	switch (zones_decide(conf->zones, &question, client, q->r->env.wall_s(q->r->env.clock_arg),
		q->r->local, ZONES_BLOCK_LEN, q->budget->trace, &a)) {
	case ZONES_RESOLVE:
		return ITER_FIND_CUT;
	case ZONES_ANSWER:
		q->out.is_uncached = true;
		q->out.rcode = a.rcode;
		q->out.ede = a.ede;
		return iter_copy_local(q, &a) ? ITER_VALIDATE : ITER_FAIL;
	case ZONES_CNAME:
		q->out.is_uncached = true;
		target = arena_alloc(q->arena, dname_len(a.target));
		if (!target || !iter_copy_local(q, &a))
			return ITER_FAIL;
		dname_copy_lower(a.target, target);
		q->target = target;
		q->n_chain++;
		return ITER_FOLLOW;
	default:
		q->out.is_uncached = true;
		q->out.ede = DNS_EDE_BLOCKED;
		return ITER_FAIL;
	}
}

/* ---- the RRset cache ---- */

static struct rrset *iter_cached(struct query *q, uint16_t type)
{
	struct rrset *rr = cache_rrset_get(
		q->r->env.rrsets, q->target, type, q->class, resolver_now_ms(q->r), 0, q->arena);

	if (!rr || rr->security == RRSET_BOGUS)
		return NULL;
	if (rr->rank < RRSET_RANK_ANSWER_NA && rr->security != RRSET_SECURE)
		return NULL;
	/* Without the proof that came with it a wildcard's answer cannot be judged. */
	if (resolver_conf(q->r)->validate && valid_is_expanded(rr))
		return NULL;
	return rr;
}

static bool iter_cached_negative(struct query *q)
{
	struct cache_proof proof;
	enum cache_negative kind = cache_rrset_negative(q->r->env.rrsets, q->target, q->type,
		q->class, resolver_now_ms(q->r), q->arena, &proof);

	if (kind == CACHE_NEGATIVE_NONE || proof.rank < RRSET_RANK_AUTHORITY_NA ||
		proof.security == RRSET_BOGUS)
		return false;
	q->out.rcode = kind == CACHE_NEGATIVE_NXDOMAIN ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
	for (unsigned i = 0; i < proof.n; i++)
		(void)iter_add_authority(q, proof.rr[i]);
	return true;
}

/* RFC 8020: what does not exist has nothing beneath. Only a proven denial counts: some servers deny
 * names that only have names beneath them. */
static bool iter_is_cut_off(struct query *q, const struct resolver_conf *conf)
{
	const struct resolver_forward *governor = resolver_conf_forward(conf, q->target);
	unsigned labels = dname_labels(q->target);

	for (unsigned n = 1; conf->validate && n < labels; n++) {
		const uint8_t *above = dname_strip(q->target, n);
		struct cache_proof proof;

		if (governor && resolver_conf_forward(conf, above) != governor)
			return false;
		if (cache_rrset_negative(q->r->env.rrsets, above, q->type, q->class,
			    resolver_now_ms(q->r), q->arena, &proof) != CACHE_NEGATIVE_NXDOMAIN ||
			proof.security != RRSET_SECURE)
			continue;
		q->out.rcode = DNS_RCODE_NXDOMAIN;
		for (unsigned i = 0; i < proof.n; i++)
			(void)iter_add_authority(q, proof.rr[i]);
		return true;
	}
	return false;
}

/* Follow an alias. */
static enum iter_state iter_go_along(struct query *q, const struct rrset *cname)
{
	struct rrset_iter it = rrset_begin(cname);
	uint8_t *target;

	if (!rrset_next(&it) || !iter_add_answer(q, cname))
		return ITER_FAIL;
	target = arena_alloc(q->arena, it.len);
	if (!target)
		return ITER_FAIL;
	dname_copy_lower(it.rdata, target);
	q->target = target;
	q->n_chain++;
	q->was_upstream = true;
	return ITER_FOLLOW;
}

/* What a DNAME says of one name holds for all beneath it, once it is proven (RFC 6672 3.4). */
static enum iter_state iter_look_dname(struct query *q)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	const struct resolver_forward *governor = resolver_conf_forward(conf, q->target);
	unsigned labels = dname_labels(q->target);

	for (unsigned n = 1; conf->validate && !q->is_cd && n < labels; n++) {
		const uint8_t *above = dname_strip(q->target, n);
		struct rrset *rr, *cname;

		if (governor && resolver_conf_forward(conf, above) != governor)
			break;
		rr = cache_rrset_get(q->r->env.rrsets, above, DNS_TYPE_DNAME, q->class,
			resolver_now_ms(q->r), 0, q->arena);
		if (!rr || rr->security != RRSET_SECURE)
			continue;
		if (scrub_make_alias(q->arena, rr, q->target, &cname) != 0)
			break;
		return iter_add_answer(q, rr) ? iter_go_along(q, cname) : ITER_FAIL;
	}
	return ITER_FIND_CUT;
}

static enum iter_state iter_look_cache(struct query *q)
{
	struct rrset *rr;

	if (q->type == DNS_TYPE_ANY)
		return ITER_FIND_CUT;
	rr = iter_cached(q, q->type);
	if (rr) {
		q->was_upstream = true;
		return iter_add_answer(q, rr) ? ITER_VALIDATE : ITER_FAIL;
	}
	if (iter_cached_negative(q))
		return ITER_VALIDATE;
	/* A DS belongs to the zone above, where the child's word on the name does not count. */
	if (q->type == DNS_TYPE_CNAME || q->type == DNS_TYPE_DS)
		return iter_is_cut_off(q, resolver_conf(q->r)) ? ITER_VALIDATE : ITER_FIND_CUT;
	rr = iter_cached(q, DNS_TYPE_CNAME);
	if (rr)
		return iter_go_along(q, rr);
	if (iter_look_dname(q) == ITER_FOLLOW)
		return ITER_FOLLOW;
	return iter_is_cut_off(q, resolver_conf(q->r)) ? ITER_VALIDATE : ITER_FIND_CUT;
}

enum iter_state iter_look(struct query *q)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	enum iter_state next = ITER_FIND_CUT;
	char text[DNAME_TEXT_MAX];

	/* The first name of a client's question was judged in front of the cache. */
	if (q->n_chain > 0 || q->is_internal)
		next = iter_look_local(q, conf);
	if (next != ITER_FIND_CUT) {
		ITER_TRACE(q, "%s: our own", dname_format(q->target, text));
		return next;
	}
	if (q->is_prefetch || q->is_fresh)
		return ITER_FIND_CUT;
	next = iter_look_cache(q);
	if (next != ITER_FIND_CUT)
		ITER_TRACE(q, "cache: %s",
			next == ITER_FOLLOW ? "alias" : rcode_name(q->out.rcode, text));
	return next;
}

/* ---- the chain ---- */

/* Each alias of the answer has led on from its owner; leading back to one is a loop. */
static bool iter_is_loop(const struct query *q)
{
	for (unsigned i = 0; i < q->out.n_answer; i++) {
		const struct rrset *rr = q->out.answer[i];

		if (rr->type == DNS_TYPE_CNAME && dname_equal(rrset_owner(rr), q->target))
			return true;
	}
	return false;
}

enum iter_state iter_follow(struct query *q)
{
	char text[DNAME_TEXT_MAX];

	ITER_TRACE(q, "alias to %s", dname_format(q->target, text));
	if (q->n_chain > RESOLVER_CHAIN_MAX || iter_is_loop(q)) {
		stats_add(q->r->env.stats, STATS_LIMIT_CHAIN);
		q->is_chain_broken = true;
		return ITER_FAIL;
	}
	iter_enter(q, NULL);
	/* The steps taken count on: a chain is no way to more of them. */
	q->qmin = (struct qmin){.steps = q->qmin.steps};
	q->max_labels = DNAME_LABELS_MAX;
	q->went_up = false;
	q->n_tries = 0;
	return ITER_LOOK;
}
