/* SPDX-License-Identifier: Apache-2.0 */
/* A sound reply lies in r->msg: what kind is it, what of it may be used, where to go from here. */
#include <string.h>

#include "base/ip.h"
#include "dns/dname.h"
#include "resolver/classify.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

static bool iter_is_minimised(const struct query *q)
{
	return q->asking_type != q->type || !dname_equal(q->asking, q->target);
}

/* The same server once more, in another way. */
static enum iter_state iter_ask_again(struct query *q, bool is_tcp, bool no_edns)
{
	q->plan = q->heard->plan;
	q->plan.is_set = true;
	q->plan.is_tcp = is_tcp;
	q->plan.no_edns = no_edns;
	return ITER_PICK_SERVER;
}

/* A server breaks on a part of the name: ask for the whole from now on (RFC 9156 2.3). */
static enum iter_state iter_ask_whole(struct query *q)
{
	stats_add(q->r->env.stats, STATS_QMIN_OFF);
	q->qmin.is_off = true;
	exchange_cancel_all(q, true);
	return ITER_MINIMISE;
}

/* Of no use for this question; somebody else may do better. */
static enum iter_state iter_no_use(struct query *q, bool is_lame)
{
	struct delegation_addr *a = &q->at->addrs[q->heard->plan.addr];

	stats_add(q->r->env.stats, is_lame ? STATS_LAME : STATS_SERVER_FAILURES);
	if (iter_is_minimised(q))
		return iter_ask_whole(q);
	a->is_failed = true;
	if (is_lame && q->at->kind != DELEGATION_FORWARD) {
		a->is_lame = true;
		servers_set_lame(q->r->env.servers, &a->at, q->at->zone, resolver_now_ms(q->r));
	}
	return ITER_PICK_SERVER;
}

static enum iter_state iter_on_no_edns(struct query *q)
{
	stats_add(q->r->env.stats, STATS_NO_EDNS);
	q->at->addrs[q->heard->plan.addr].is_plain = true;
	return iter_ask_again(q, q->heard->plan.is_tcp, true);
}

/* It has sent a server cookie, noted already. Once more with it; then TCP, where none is needed. */
static enum iter_state iter_on_cookie(struct query *q)
{
	bool is_second = q->at->addrs[q->heard->plan.addr].tries > 1;

	if (q->heard->plan.is_tcp)
		return iter_no_use(q, false);
	return iter_ask_again(q, is_second, false);
}

/* What the way it was asked and answered tells about the server. */
static void iter_learn_edns(struct query *q)
{
	const struct exchange *x = q->heard;
	struct delegation_addr *a = &q->at->addrs[x->plan.addr];
	struct servers_info info;
	int64_t now_ms = resolver_now_ms(q->r);

	if (x->has_edns) {
		if (q->r->msg->edns.present)
			servers_set_trait(q->r->env.servers, &a->at, SERVERS_EDNS_OK, now_ms);
		return;
	}
	servers_get(q->r->env.servers, &a->at, now_ms, &info);
	if (a->is_plain || !(info.traits & (SERVERS_EDNS_OK | SERVERS_NO_EDNS)))
		servers_set_trait(q->r->env.servers, &a->at, SERVERS_NO_EDNS, now_ms);
}

/* ---- content ---- */

static bool iter_take_answer(struct query *q, const struct scrub_out *s)
{
	q->n_chain = (uint8_t)(q->n_chain + s->n_chain);
	if (q->n_chain > RESOLVER_CHAIN_MAX) {
		stats_add(q->r->env.stats, STATS_LIMIT_CHAIN);
		q->is_chain_broken = true;
		return false;
	}
	for (unsigned i = 0; i < s->n_answer; i++) {
		if (!iter_add_answer(q, s->answer[i]))
			return false;
	}
	for (unsigned i = 0; i < s->n_proof; i++)
		(void)iter_add_authority(q, s->proof[i]);
	q->target = s->target;
	q->was_upstream = true;
	return true;
}

static enum iter_state iter_on_answer(struct query *q, const struct scrub_out *s)
{
	iter_store_answer(q, s);
	if (iter_is_minimised(q))
		return ITER_MINIMISE;
	if (!iter_take_answer(q, s))
		return ITER_FAIL;
	q->out.rcode = DNS_RCODE_NOERROR;
	return ITER_VALIDATE;
}

static enum iter_state iter_on_chain(struct query *q, const struct scrub_out *s)
{
	iter_store_answer(q, s);
	if (iter_is_minimised(q))
		return ITER_MINIMISE;
	return iter_take_answer(q, s) ? ITER_FOLLOW : ITER_FAIL;
}

static enum iter_state iter_on_too_long(struct query *q, const struct scrub_out *s)
{
	if (iter_is_minimised(q))
		return iter_ask_whole(q);
	iter_store_answer(q, s);
	if (!iter_take_answer(q, s))
		return ITER_FAIL;
	q->out.rcode = DNS_RCODE_YXDOMAIN;
	return ITER_VALIDATE;
}

enum iter_state iter_take_empty(struct query *q)
{
	exchange_cancel_all(q, true);
	wheel_cancel(q->r->env.wheel, &q->retry);
	q->was_upstream = true;
	q->out.rcode = DNS_RCODE_NOERROR;
	q->out.is_uncached = true;
	return ITER_VALIDATE;
}

static enum iter_state iter_on_negative(
	struct query *q, const struct scrub_out *s, bool is_nxdomain)
{
	if (iter_is_minimised(q)) {
		/* Some servers deny names that only have names beneath them. */
		if (is_nxdomain)
			return iter_ask_whole(q);
		if (s->n_answer == 0)
			iter_store_negative(q, s, false);
		return ITER_MINIMISE;
	}
	iter_store_answer(q, s);
	iter_store_negative(q, s, is_nxdomain);
	if (s->soa && !iter_add_authority(q, s->soa))
		return ITER_FAIL;
	if (!iter_take_answer(q, s))
		return ITER_FAIL;
	q->out.rcode = is_nxdomain ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
	q->out.is_uncached |= !s->soa;
	return ITER_VALIDATE;
}

/* NOERROR and nothing else. A second server that says so, or the lack of one, makes it NODATA. */
static enum iter_state iter_on_empty(struct query *q)
{
	if (iter_is_minimised(q))
		return ITER_MINIMISE;
	if (q->has_empty)
		return iter_take_empty(q);
	q->has_empty = true;
	q->at->addrs[q->heard->plan.addr].is_failed = true;
	return ITER_PICK_SERVER;
}

/* Asked for the DS of a cut, the parent refers to the child instead, as it would for other types.
 * What was asked for lies in the authority section then: the DS, or the proof that there is none.
 */
static enum iter_state iter_on_ds_referral(struct query *q, const struct scrub_out *s)
{
	if (!s->ds && s->n_proof == 0)
		return iter_no_use(q, true);
	iter_store_referral(q, s);
	if (s->ds && !iter_add_answer(q, s->ds))
		return ITER_FAIL;
	for (unsigned i = 0; !s->ds && i < s->n_proof; i++)
		(void)iter_add_authority(q, s->proof[i]);
	q->was_upstream = true;
	q->out.is_uncached = !s->ds;
	return ITER_VALIDATE;
}

static enum iter_state iter_on_referral(struct query *q, const struct scrub_out *s)
{
	struct delegation_in in = iter_delegation_in(q);
	struct delegation *d;
	char text[DNAME_TEXT_MAX];

	if (q->type == DNS_TYPE_DS && dname_equal(rrset_owner(s->ns), q->target))
		return iter_on_ds_referral(q, s);
	iter_store_referral(q, s);
	d = delegation_from_referral(&in, s->ns, s->glue, s->n_glue);
	if (!d) {
		q->out.is_local = true;
		return ITER_FAIL;
	}
	stats_add(q->r->env.stats, STATS_REFERRALS);
	ITER_TRACE(q, "referral to %s: %u name servers, %u addresses", dname_format(d->zone, text),
		d->n_ns, d->n_addrs);
	iter_enter(q, d);
	return ITER_MINIMISE;
}

static enum iter_state iter_on_content(
	struct query *q, enum classify_kind kind, const struct scrub_out *s)
{
	switch (kind) {
	case CLASSIFY_ANSWER:
		return iter_on_answer(q, s);
	case CLASSIFY_CHAIN:
		return iter_on_chain(q, s);
	case CLASSIFY_TOO_LONG:
		return iter_on_too_long(q, s);
	case CLASSIFY_NODATA:
		return iter_on_negative(q, s, false);
	case CLASSIFY_NXDOMAIN:
		return iter_on_negative(q, s, true);
	case CLASSIFY_REFERRAL:
		return iter_on_referral(q, s);
	case CLASSIFY_TRUNCATED:
		stats_add(q->r->env.stats, STATS_TRUNCATED_REPLIES);
		q->at->addrs[q->heard->plan.addr].is_tcp = true;
		return iter_ask_again(q, true, q->heard->plan.no_edns);
	case CLASSIFY_NO_EDNS:
		return iter_on_no_edns(q);
	case CLASSIFY_COOKIE:
		return iter_on_cookie(q);
	case CLASSIFY_EMPTY:
		return iter_on_empty(q);
	case CLASSIFY_RECURSIVE:
		q->at->addrs[q->heard->plan.addr].is_recursive = true;
		return iter_no_use(q, true);
	case CLASSIFY_REFUSED:
	case CLASSIFY_LAME:
		return iter_no_use(q, true);
	default:
		return iter_no_use(q, false);
	}
}

/* Usable replies end the wait for the others that were asked the same. */
static bool iter_is_final(enum classify_kind kind)
{
	return kind >= CLASSIFY_ANSWER;
}

bool iter_can_read(struct query *q, struct exchange *x)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	const struct msg *m = q->r->msg;
	struct scrub_in in = {
		.m = m,
		.conf = conf,
		.arena = q->arena,
		.name = q->asking,
		.type = q->asking_type,
		.zone = q->at->zone,
		.is_tcp = x->plan.is_tcp,
		.is_priming = q->asking_type == DNS_TYPE_NS && q->asking[0] == 0,
	};
	int err;

	q->kind = classify_header(m, x->has_edns, x->plan.is_tcp);
	if (q->kind != CLASSIFY_READ)
		return true;
	in.governor = resolver_conf_forward(conf, q->asking);
	err = scrub_reply(&in, q->r->scrubbed);
	if (err == ERR_MALFORMED || err == ERR_TRUNC)
		return false;
	if (err == ERR_SPACE)
		stats_add(q->r->env.stats, STATS_LIMIT_ARENA);
	q->kind = err == 0 ? classify_content(m, q->r->scrubbed,
				     q->at->kind == DELEGATION_FORWARD || q->takes_cached)
			   : CLASSIFY_BROKEN;
	return true;
}

enum iter_state iter_classify(struct query *q)
{
	ITER_TRACE(q, "reply: %s", classify_name(q->kind));
	if (iter_is_final(q->kind)) {
		iter_learn_edns(q);
		exchange_cancel_all(q, true);
		wheel_cancel(q->r->env.wheel, &q->retry);
	}
	return iter_on_content(q, q->kind, q->r->scrubbed);
}
