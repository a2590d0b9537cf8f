/* SPDX-License-Identifier: Apache-2.0 */
/* The last steps: the validator's seat, and what to say when there is no answer. */
#include <string.h>

#include "dns/dname.h"
#include "resolver/cache_rrset.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"
#include "resolver/valid.h"

/* The answer is whole: chain, end or denial with its proofs. A bogus one is asked for once more, of
 * somebody else where there is one; never is it replaced by expired data. */
static enum iter_state iter_on_bogus(struct query *q)
{
	int ede = q->out.ede;
	bool is_local = q->out.is_local;

	if (!q->was_judged && !q->has_prefix && !is_local) {
		ITER_TRACE(q, "bogus: once more");
		q->was_judged = q->is_fresh = true;
		q->doubted = q->out.from;
		q->doubt_ede = ede;
		q->valid = NULL;
		q->target = q->name;
		q->n_chain = 0;
		q->max_labels = DNAME_LABELS_MAX;
		q->qmin = (struct qmin){.steps = q->qmin.steps};
		memset(&q->out, 0, sizeof(q->out));
		q->out.ede = DNS_EDE_NONE;
		iter_enter(q, NULL);
		return ITER_LOOK;
	}
	stats_add(q->r->env.stats, STATS_BOGUS);
	memset(&q->out, 0, sizeof(q->out));
	q->out.rcode = DNS_RCODE_SERVFAIL;
	q->out.security = RRSET_BOGUS;
	q->out.ede = ede == DNS_EDE_NONE ? DNS_EDE_BOGUS : ede;
	q->out.is_local = is_local;
	return ITER_DONE;
}

enum iter_state iter_validate(struct query *q)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	const struct resolver_forward *f = resolver_conf_forward(conf, q->target);

	if (!conf->validate || (f && !f->validate)) {
		q->out.security = RRSET_INSECURE;
		return ITER_DONE;
	}
	q->out.security = RRSET_UNCHECKED;
	if (q->at && q->heard)
		q->out.from = q->at->addrs[q->heard->plan.addr].at;
	/* What only we ourselves want is judged by who wants it: addresses of servers not at all,
	 * keys and delegations by the chain they are a link of. */
	if (q->is_cd || (q->is_internal && q->n_waiters == 0))
		return ITER_DONE;
	switch (valid_run(q)) {
	case VALID_WAITS:
		return ITER_AWAIT_KEYS;
	case VALID_BOGUS:
		return iter_on_bogus(q);
	case VALID_INSECURE:
		stats_add(q->r->env.stats, STATS_INSECURE);
		q->out.security = RRSET_INSECURE;
		return ITER_DONE;
	case VALID_SECURE:
		stats_add(q->r->env.stats, STATS_SECURE);
		q->out.security = RRSET_SECURE;
		return ITER_DONE;
	}
	return ITER_FAIL;
}

/* RFC 8767: the whole chain from expired entries, none of them bogus. */
bool iter_find_stale(struct query *q, struct query_result *out)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	int64_t now_ms = resolver_now_ms(q->r);
	const uint8_t *name = q->name;

	if (conf->serve_stale_s == 0 || q->has_prefix)
		return false;
	memset(out, 0, sizeof(*out));
	out->ede = DNS_EDE_STALE;
	out->is_stale = true;
	out->security = RRSET_INSECURE;
	q->was_upstream = true;
	while (out->n_answer <= RESOLVER_CHAIN_MAX) {
		struct rrset *rr = cache_rrset_get(q->r->env.rrsets, name, q->type, q->class,
			now_ms, conf->serve_stale_s, q->arena);
		bool is_end = rr != NULL;
		struct rrset_iter it;

		if (!rr)
			rr = cache_rrset_get(q->r->env.rrsets, name, DNS_TYPE_CNAME, q->class,
				now_ms, conf->serve_stale_s, q->arena);
		if (rr && conf->validate && rr->security < RRSET_INSECURE)
			return false;
		if (!rr || rr->security == RRSET_BOGUS || rr->rank < RRSET_RANK_ANSWER_NA)
			return false;
		out->answer[out->n_answer++] = rr;
		if (is_end)
			return true;
		it = rrset_begin(rr);
		if (!rrset_next(&it))
			return false;
		name = it.rdata;
	}
	return false;
}

static int iter_failure_ede(const struct query *q)
{
	switch (q->last_err) {
	case ERR_UNREACHABLE:
	case ERR_DENIED:
	case ERR_IO:
	case ERR_CLOSED:
		return DNS_EDE_NETWORK_ERROR;
	default:
		break;
	}
	if (q->was_judged)
		return q->doubt_ede;
	if (q->is_chain_broken)
		return DNS_EDE_OTHER;
	return q->at ? DNS_EDE_NO_REACHABLE_AUTHORITY : DNS_EDE_NONE;
}

enum iter_state iter_fail(struct query *q)
{
	int64_t now_ms = resolver_now_ms(q->r);
	/* A sub-question that ran out of another's budget has not been tried in earnest. */
	bool is_local =
		q->out.is_local || servers_is_offline(q->r->env.servers, now_ms) ||
		(q->is_internal && (q->budget->is_spent || budget_left_ms(q->budget, now_ms) == 0));
	int ede = q->out.ede != DNS_EDE_NONE ? q->out.ede : iter_failure_ede(q);
	struct query_result stale;

	exchange_cancel_all(q, false);
	wheel_cancel(q->r->env.wheel, &q->retry);
	if (q->waiters && iter_find_stale(q, &stale)) {
		ITER_TRACE(q, "failed: expired data instead");
		q->out = stale;
		return ITER_DONE;
	}
	ITER_TRACE(q, "failed");
	memset(&q->out, 0, sizeof(q->out));
	q->out.rcode = DNS_RCODE_SERVFAIL;
	q->out.ede = ede;
	q->out.is_local = is_local;
	return ITER_DONE;
}
