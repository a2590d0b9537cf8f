/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/valid.h"

#include "dns/dname.h"
#include "dns/rrtype.h"
#include "resolver/anchors.h"
#include "resolver/cache_rrset.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"
#include "resolver/valid_parts.h"

/* ---- who pays ---- */

static int valid_take(void *arg, enum crypto_cost cost)
{
	static const enum budget_item ITEM[] = {
		[CRYPTO_COST_CHECK] = BUDGET_SIGS,
		[CRYPTO_COST_FAILURE] = BUDGET_SIG_FAILS,
		[CRYPTO_COST_HASH] = BUDGET_HASHES,
	};
	struct valid *v = arg;
	int err = budget_take(v->q->budget, ITEM[cost], resolver_now_ms(v->q->r));

	if (err != 0)
		v->is_limited = true;
	return err;
}

void valid_note(struct valid *v, int ede)
{
	if (v->ede == DNS_EDE_NONE)
		v->ede = ede;
}

/* ---- signatures ---- */

static uint8_t valid_signed_labels(const uint8_t *name)
{
	return (uint8_t)(dname_labels(name) - (dname_is_wildcard(name) ? 1 : 0));
}

/* The least of all: whoever adds a signature that says more cannot hide a wildcard. */
uint8_t valid_labels(const struct rrset *rr, const uint8_t *zone)
{
	struct rrset_iter it = rrset_begin(rr);
	uint8_t least = valid_signed_labels(rrset_owner(rr));
	struct rrsig sig;

	while (rrset_next(&it)) {
		if (!it.is_sig || rrsig_parse(it.rdata, it.len, &sig) != 0)
			continue;
		if (sig.labels < least && (!zone || dname_equal(sig.signer, zone)))
			least = sig.labels;
	}
	return least;
}

bool valid_is_expanded(const struct rrset *rr)
{
	return rr->n_sig > 0 && valid_labels(rr, NULL) < valid_signed_labels(rrset_owner(rr));
}

const uint8_t *valid_signer(struct valid *v, const struct rrset *rr)
{
	struct rrset_iter it = rrset_begin(rr);
	const uint8_t *owner = rrset_owner(rr);
	struct rrsig sig;

	(void)v;
	while (rrset_next(&it)) {
		if (!it.is_sig || rrsig_parse(it.rdata, it.len, &sig) != 0 ||
			!dname_is_under(owner, sig.signer))
			continue;
		if (rr->type == DNS_TYPE_DS && owner[0] && dname_equal(owner, sig.signer))
			continue;
		return sig.signer;
	}
	return NULL;
}

enum rrsig_result valid_verify(struct valid *v, struct rrset *rr, const struct valid_zone *z)
{
	struct rrsig_proof proof;
	enum rrsig_result r;

	if (rr->security == RRSET_SECURE)
		return RRSIG_GENUINE;
	if (rr->security == RRSET_BOGUS)
		return RRSIG_FORGED;
	r = rrsig_verify_rrset(&v->env, rr, z->name, z->keys, &proof);
	if (r != RRSIG_GENUINE) {
		if (r != RRSIG_LIMIT)
			rr->security = RRSET_BOGUS;
		return r;
	}
	rr->security = RRSET_SECURE;
	if (proof.ttl < rr->ttl)
		rr->ttl = proof.ttl;
	return r;
}

void valid_store(struct valid *v, const struct rrset *rr)
{
	(void)cache_rrset_put(v->q->r->env.rrsets, rr, resolver_now_ms(v->q->r));
}

bool valid_may_sign(struct valid *v, const uint8_t *name, uint16_t type, const uint8_t *signer)
{
	const uint8_t *anchor;

	if (type == DNS_TYPE_DS && name[0])
		name = dname_strip(name, 1);
	anchor = anchors_find(v->conf, name);
	return anchor && dname_is_under(signer, anchor);
}

static void valid_mark(struct valid *v, struct rrset *rr, enum rrset_security s)
{
	rr->security = (uint8_t)s;
	cache_rrset_set_security(v->q->r->env.rrsets, rr, s, resolver_now_ms(v->q->r));
}

/* ---- the parts of an answer ---- */

/* A CNAME that scrub made from the DNAME before it is as true as that. */
static bool valid_is_made(const struct query_result *out, unsigned i)
{
	const struct rrset *rr = out->answer[i], *before = i > 0 ? out->answer[i - 1] : NULL;

	return before && rr->type == DNS_TYPE_CNAME && before->type == DNS_TYPE_DNAME &&
	       rr->n_sig == 0 && dname_is_under(rrset_owner(rr), rrset_owner(before)) &&
	       !dname_equal(rrset_owner(rr), rrset_owner(before));
}

/* Nobody wants it judged: no anchor, a negative one, or a forward zone that is exempt. */
static bool valid_is_exempt(struct valid *v, const uint8_t *name)
{
	const struct resolver_forward *f = resolver_conf_forward(v->conf, name);

	return (f && !f->validate) || !anchors_find(v->conf, name);
}

static void valid_trace(struct valid *v, const struct rrset *rr, const char *why)
{
	char name[DNAME_TEXT_MAX], type[16];

	ITER_TRACE(v->q, "bogus: %s %s: %s", dname_format(rrset_owner(rr), name),
		rrtype_name(rr->type, type), why);
}

static enum valid_verdict valid_judge_signed(
	struct valid *v, struct rrset *rr, const struct valid_zone *z)
{
	bool was_unknown = rr->security == RRSET_UNCHECKED;
	struct nsec nsec;
	enum rrsig_result r = valid_verify(v, rr, z);

	if (r != RRSIG_GENUINE) {
		valid_trace(v, rr, rrsig_text(r));
		valid_note(v, rrsig_ede(r));
		if (r != RRSIG_LIMIT)
			valid_mark(v, rr, RRSET_BOGUS);
		return VALID_BOGUS;
	}
	if (valid_is_expanded(rr))
		return valid_deny_closer(v, rr, z);
	/* Genuine, and still a lie about another zone (BIND CVE-2026-13321). */
	if (rr->type == DNS_TYPE_NSEC &&
		nsec_parse(rr, z->name, valid_labels(rr, z->name), &nsec) != 0) {
		valid_mark(v, rr, RRSET_BOGUS);
		return VALID_BOGUS;
	}
	if (was_unknown)
		valid_store(v, rr);
	return VALID_SECURE;
}

static enum valid_verdict valid_judge(struct valid *v, struct rrset *rr)
{
	const uint8_t *owner = rrset_owner(rr), *stop;
	struct valid_zone z = {0};
	enum valid_verdict verdict;
	const uint8_t *signer;

	if (rr->rank == RRSET_RANK_LOCAL || rr->security == RRSET_INSECURE ||
		valid_is_exempt(v, owner))
		return VALID_INSECURE;
	if (rr->security == RRSET_SECURE && !valid_is_expanded(rr))
		return VALID_SECURE;
	signer = valid_signer(v, rr);
	if (signer && !valid_may_sign(v, owner, rr->type, signer))
		signer = NULL;
	stop = signer ? signer : owner;
	if (!signer && rr->type == DNS_TYPE_DS && owner[0])
		stop = dname_strip(owner, 1);
	verdict = valid_chain(v, stop, &z);
	if (verdict == VALID_INSECURE)
		valid_mark(v, rr, RRSET_INSECURE);
	if (verdict != VALID_SECURE)
		return verdict;
	if (!signer) {
		valid_trace(v, rr, rrsig_text(RRSIG_MISSING));
		valid_note(v, DNS_EDE_RRSIGS_MISSING);
		valid_mark(v, rr, RRSET_BOGUS);
		return VALID_BOGUS;
	}
	return valid_judge_signed(v, rr, &z);
}

/* Does the chain end in nothing? */
static bool valid_is_denial(const struct query *q)
{
	if (q->out.rcode == DNS_RCODE_NXDOMAIN)
		return true;
	if (q->out.rcode != DNS_RCODE_NOERROR)
		return false;
	for (unsigned i = 0; i < q->out.n_answer; i++) {
		const struct rrset *rr = q->out.answer[i];

		if (dname_equal(rrset_owner(rr), q->target) &&
			(rr->type == q->type || q->type == DNS_TYPE_ANY))
			return false;
	}
	return true;
}

static enum valid_verdict valid_judge_all(struct valid *v)
{
	struct query *q = v->q;
	/* That a DNAME makes too long a name is nothing anybody has signed. */
	enum valid_verdict worst =
		q->out.rcode == DNS_RCODE_YXDOMAIN ? VALID_INSECURE : VALID_SECURE;

	for (unsigned i = 0; i < q->out.n_answer; i++) {
		enum valid_verdict verdict;

		if (valid_is_made(&q->out, i))
			continue;
		verdict = valid_judge(v, (struct rrset *)q->out.answer[i]);
		if (verdict <= VALID_BOGUS)
			return verdict;
		if (verdict < worst)
			worst = verdict;
	}
	if (valid_is_denial(q)) {
		enum valid_verdict verdict =
			valid_is_exempt(v, q->target)
				? VALID_INSECURE
				: valid_deny(v, q->out.rcode == DNS_RCODE_NXDOMAIN);

		if (verdict < worst)
			worst = verdict;
	}
	return worst;
}

static struct valid *valid_begin(struct query *q)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	struct valid *v = q->valid;

	if (!v) {
		v = arena_zalloc(q->arena, sizeof(*v));
		if (!v)
			return NULL;
		v->q = q;
		v->meter = (struct crypto_meter){.take = valid_take, .arg = v};
		q->valid = v;
	}
	v->conf = conf;
	v->ede = DNS_EDE_NONE;
	v->env = (struct rrsig_env){
		.crypto = q->r->crypto,
		.meter = &v->meter,
		.scratch = q->r->signed_data,
		.scratch_len = RRSIG_SCRATCH_MAX,
		.now_s = q->r->env.wall_s(q->r->env.clock_arg),
		.skew_s = conf->signature_skew_s,
	};
	return v;
}

enum valid_verdict valid_run(struct query *q)
{
	struct valid *v = valid_begin(q);
	enum valid_verdict verdict;

	if (!v || !q->r->crypto) {
		q->out.is_local = true;
		return VALID_BOGUS;
	}
	verdict = valid_judge_all(v);
	if (verdict == VALID_WAITS)
		return verdict;
	if (verdict != VALID_SECURE && q->out.ede == DNS_EDE_NONE)
		q->out.ede = v->ede;
	if (verdict == VALID_BOGUS && v->is_limited)
		q->out.is_local = true;
	return verdict;
}
