/* SPDX-License-Identifier: Apache-2.0 */
/* From the closest anchor down to the zone that holds a name: at each label the DS RRset, or the
 * proof that there is none, and below a DS the keys it vouches for (RFC 4035 5.2). Each of these
 * facts comes from the cache, where referrals leave them, or else from a sub-query; one that does
 * not stand the test is asked for again, of whom the resolver chooses. Where the chain ends,
 * proven, all beneath is insecure; where it breaks, all beneath is bogus. */
#include "dns/dname.h"
#include "dns/ds.h"
#include "resolver/anchors.h"
#include "resolver/cache_rrset.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"
#include "resolver/valid_parts.h"

enum valid_link {
	VALID_LINK_WAITS,
	VALID_LINK_BROKEN,
	VALID_LINK_INSECURE,
	VALID_LINK_NO_CUT, /* the zone goes on beneath this name */
	VALID_LINK_END,	   /* nothing is beneath this name */
	VALID_LINK_SECURE
};

/* ---- facts ---- */

static struct valid_fact *valid_fact(struct valid *v, const uint8_t *name, uint16_t type)
{
	struct valid_fact *f;

	for (unsigned i = 0; i < v->n_facts; i++) {
		f = v->facts[i];
		if (f->type == type && dname_equal(f->name, name))
			return f;
	}
	if (v->n_facts == VALID_FACTS_MAX)
		return NULL;
	f = arena_zalloc(v->q->arena, sizeof(*f));
	if (!f)
		return NULL;
	f->name = name;
	f->type = type;
	v->facts[v->n_facts++] = f;
	return f;
}

static struct rrset *valid_copy(struct valid *v, const struct rrset *rr)
{
	return arena_memdup(v->q->arena, rr, rr->size);
}

static void valid_take_result(struct valid *v, struct valid_fact *f, const struct query_result *out)
{
	f->is_here = true;
	f->from = out->from;
	f->rcode = out->rcode;
	f->has_failed = out->rcode != DNS_RCODE_NOERROR && out->rcode != DNS_RCODE_NXDOMAIN;
	for (unsigned i = 0; i < out->n_answer && !f->rr && !f->has_failed; i++) {
		const struct rrset *rr = out->answer[i];

		if (dname_equal(rrset_owner(rr), f->name) &&
			(rr->type == f->type || rr->type == DNS_TYPE_CNAME))
			f->rr = valid_copy(v, rr);
	}
	for (unsigned i = 0; i < out->n_authority && f->n_proof < VALID_PROOF_MAX; i++) {
		struct rrset *rr = valid_copy(v, out->authority[i]);

		if (rr)
			f->proof[f->n_proof++] = rr;
	}
}

static void valid_on_fact(struct query_sub *s, const struct query_result *out)
{
	struct query *q = s->parent;
	struct valid_fact *f;

	if (!q->valid || s->tag >= q->valid->n_facts)
		return;
	f = q->valid->facts[s->tag];
	f->is_pending = false;
	valid_take_result(q->valid, f, out);
	if (q->state == ITER_AWAIT_KEYS)
		iter_wake(q, ITER_VALIDATE);
}

static bool valid_from_cache(struct valid *v, struct valid_fact *f)
{
	struct query *q = v->q;
	int64_t now_ms = resolver_now_ms(q->r);
	struct cache_proof proof;

	f->rr = cache_rrset_get(q->r->env.rrsets, f->name, f->type, q->class, now_ms, 0, q->arena);
	if (f->rr && f->rr->security != RRSET_BOGUS) {
		f->is_here = true;
		return true;
	}
	f->rr = NULL;
	if (f->type != DNS_TYPE_DS)
		return false;
	switch (cache_rrset_negative(
		q->r->env.rrsets, f->name, f->type, q->class, now_ms, q->arena, &proof)) {
	case CACHE_NEGATIVE_NONE:
		return false;
	case CACHE_NEGATIVE_NXDOMAIN:
		f->rcode = DNS_RCODE_NXDOMAIN;
		break;
	case CACHE_NEGATIVE_NODATA:
		f->rcode = DNS_RCODE_NOERROR;
		break;
	}
	if (proof.security == RRSET_BOGUS)
		return false;
	for (unsigned i = 0; i < proof.n; i++)
		f->proof[f->n_proof++] = proof.rr[i];
	f->is_here = true;
	return true;
}

/* The answer under judgement is the fact itself: keys sign themselves. */
static bool valid_from_answer(struct valid *v, struct valid_fact *f)
{
	if (f->type != DNS_TYPE_DNSKEY || v->q->type != f->type ||
		!dname_equal(f->name, v->q->target))
		return false;
	f->n_tries = VALID_TRIES_MAX;
	valid_take_result(v, f, &v->q->out);
	return true;
}

static unsigned valid_index(const struct valid *v, const struct valid_fact *f)
{
	unsigned i = 0;

	while (v->facts[i] != f)
		i++;
	return i;
}

/* False: it has to be waited for. */
static bool valid_load(struct valid *v, struct valid_fact *f)
{
	struct query_sub_ask ask = {
		.name = f->name,
		.type = f->type,
		.on_done = valid_on_fact,
		.charge = BUDGET_LINKS,
		.tag = valid_index(v, f),
	};
	char text[DNAME_TEXT_MAX];

	if (f->is_here)
		return true;
	if (f->is_pending)
		return false;
	if (f->n_tries == 0) {
		if (valid_from_answer(v, f))
			return true;
		f->n_tries = 1;
		if (valid_from_cache(v, f))
			return true;
	} else {
		ask.is_fresh = true;
		ask.doubted = f->from.ip.family ? &f->from : NULL;
	}
	f->n_tries++;
	ITER_TRACE(v->q, "chain of trust: ask for the %s of %s",
		f->type == DNS_TYPE_DS ? "DS" : "DNSKEY", dname_format(f->name, text));
	if (query_sub_start(v->q, &ask) != 0) {
		f->is_here = f->has_failed = true;
		return true;
	}
	f->is_pending = true;
	return false;
}

/* It did not stand the test. True: it is asked for again. */
static bool valid_again(struct valid *v, struct valid_fact *f)
{
	if (f->n_tries >= VALID_TRIES_MAX || v->is_limited)
		return false;
	f->is_here = f->has_failed = f->is_judged = false;
	f->rr = NULL;
	f->n_proof = 0;
	return true;
}

/* ---- links ---- */

static void valid_store_no_ds(struct valid *v, struct valid_fact *f)
{
	struct query *q = v->q;
	struct cache_proof proof = {.rank = RRSET_RANK_REFERRAL, .security = RRSET_SECURE};
	uint32_t ttl = UINT32_MAX;

	for (unsigned i = 0; i < f->n_proof && proof.n < 8; i++) {
		if (f->proof[i]->security != RRSET_SECURE)
			continue;
		if (f->proof[i]->ttl < ttl)
			ttl = f->proof[i]->ttl;
		proof.rr[proof.n++] = f->proof[i];
	}
	if (proof.n > 0 && f->rcode == DNS_RCODE_NOERROR)
		cache_rrset_put_negative(q->r->env.rrsets, f->name, DNS_TYPE_DS, q->class,
			CACHE_NEGATIVE_NODATA, &proof, ttl, resolver_now_ms(q->r));
}

static enum valid_link valid_judge_no_ds(
	struct valid *v, struct valid_fact *f, const struct valid_zone *z)
{
	bool is_nxdomain = f->rcode == DNS_RCODE_NXDOMAIN;
	enum nsec_verdict verdict;
	struct denial d;

	valid_gather(v, f->proof, f->n_proof, z, &d);
	verdict = is_nxdomain ? denial_nxdomain(&d, f->name) : denial_no_ds(&d, f->name);
	/* Some servers deny names that only have names beneath them; their records tell the truth.
	 */
	if (is_nxdomain && verdict == NSEC_UNPROVEN) {
		verdict = denial_no_ds(&d, f->name);
		is_nxdomain = false;
	}
	switch (verdict) {
	case NSEC_PROVEN:
		valid_store_no_ds(v, f);
		return is_nxdomain ? VALID_LINK_END : VALID_LINK_INSECURE;
	case NSEC_NO_CUT:
		valid_store_no_ds(v, f);
		return VALID_LINK_NO_CUT;
	case NSEC_INSECURE:
		valid_store_no_ds(v, f);
		return VALID_LINK_INSECURE;
	default:
		if (verdict == NSEC_LIMIT)
			v->is_limited = true;
		valid_note(v, verdict == NSEC_LIMIT ? DNS_EDE_OTHER : DNS_EDE_NSEC_MISSING);
		return VALID_LINK_BROKEN;
	}
}

/* An alias stands at the name, so no delegation does; unless a wildcard is made to stand there. */
static enum valid_link valid_judge_alias(
	struct valid *v, struct valid_fact *f, const struct valid_zone *z)
{
	enum nsec_verdict verdict;
	struct denial d;

	if (!valid_is_expanded(f->rr))
		return VALID_LINK_NO_CUT;
	valid_gather(v, f->proof, f->n_proof, z, &d);
	verdict = denial_wildcard(&d, f->name, valid_labels(f->rr, z->name));
	return valid_of_nsec(v, verdict) == VALID_BOGUS ? VALID_LINK_BROKEN : VALID_LINK_NO_CUT;
}

static enum valid_link valid_judge_ds(
	struct valid *v, struct valid_fact *f, const struct valid_zone *z)
{
	enum rrsig_result r;
	enum dns_ede why;

	if (f->has_failed) {
		valid_note(v, DNS_EDE_NO_REACHABLE_AUTHORITY);
		return VALID_LINK_BROKEN;
	}
	if (!f->rr)
		return valid_judge_no_ds(v, f, z);
	r = valid_verify(v, f->rr, z);
	if (r != RRSIG_GENUINE) {
		valid_note(v, rrsig_ede(r));
		return VALID_LINK_BROKEN;
	}
	if (f->rr->type == DNS_TYPE_CNAME)
		return valid_judge_alias(v, f, z);
	valid_store(v, f->rr);
	if (ds_is_any_usable(v->env.crypto, f->rr, &why))
		return VALID_LINK_SECURE;
	valid_note(v, why);
	return VALID_LINK_INSECURE;
}

/* ds NULL: by the anchors of the zone. */
static enum valid_link valid_judge_keys(
	struct valid *v, struct valid_fact *f, const struct rrset *ds)
{
	struct rrsig_proof proof;
	enum rrsig_result r;

	if (f->has_failed || !f->rr || f->rr->type != DNS_TYPE_DNSKEY) {
		valid_note(v, DNS_EDE_DNSKEY_MISSING);
		return VALID_LINK_BROKEN;
	}
	if (f->rr->security == RRSET_SECURE)
		return VALID_LINK_SECURE;
	r = ds ? ds_verify_keys(&v->env, ds, f->rr, f->name, &proof)
	       : anchors_verify(v->conf, &v->env, f->rr, f->name, &proof);
	if (r == RRSIG_KEY_UNSUPPORTED) {
		valid_note(v, DNS_EDE_UNSUPPORTED_ALGORITHM);
		return VALID_LINK_INSECURE;
	}
	if (r != RRSIG_GENUINE) {
		valid_note(v, rrsig_ede(r));
		return VALID_LINK_BROKEN;
	}
	f->rr->security = RRSET_SECURE;
	if (proof.ttl < f->rr->ttl)
		f->rr->ttl = proof.ttl;
	if (ds && ds->ttl < f->rr->ttl)
		f->rr->ttl = ds->ttl;
	valid_store(v, f->rr);
	return VALID_LINK_SECURE;
}

/* Load and judge, again where that may help. */
static enum valid_link valid_link(
	struct valid *v, struct valid_fact *f, const struct valid_zone *z, const struct rrset *ds)
{
	if (!f) {
		v->is_limited = true;
		return VALID_LINK_BROKEN;
	}
	for (;;) {
		int ede = v->ede;

		if (!valid_load(v, f))
			return VALID_LINK_WAITS;
		if (!f->is_judged) {
			f->verdict = (uint8_t)(f->type == DNS_TYPE_DS ? valid_judge_ds(v, f, z)
								      : valid_judge_keys(v, f, ds));
			f->is_judged = true;
			f->ede = v->ede;
		}
		valid_note(v, f->ede);
		if (f->verdict != VALID_LINK_BROKEN || !valid_again(v, f))
			return (enum valid_link)f->verdict;
		v->ede = ede;
	}
}

static enum valid_link valid_keys(
	struct valid *v, const uint8_t *zone, const struct rrset *ds, struct valid_zone *out)
{
	struct valid_fact *f = valid_fact(v, zone, DNS_TYPE_DNSKEY);
	enum valid_link link = valid_link(v, f, NULL, ds);

	if (link == VALID_LINK_SECURE)
		*out = (struct valid_zone){.name = zone, .keys = f->rr};
	return link;
}

/* The answer itself may bring the proof that there is no DS at name. */
static bool valid_is_denied_here(struct valid *v, const uint8_t *name, const struct valid_zone *z)
{
	const struct query_result *out = &v->q->out;
	struct denial d;

	valid_gather(v, (struct rrset *const *)out->authority, out->n_authority, z, &d);
	return d.n_nsec + d.n_nsec3 > 0 && denial_no_ds(&d, name) == NSEC_PROVEN;
}

/* Is there a delegation at name? *z moves on when there is. */
static enum valid_link valid_step(struct valid *v, const uint8_t *name, struct valid_zone *z)
{
	struct valid_fact *f = valid_fact(v, name, DNS_TYPE_DS);
	enum valid_link link;

	if (f && f->n_tries == 0 && valid_is_denied_here(v, name, z))
		return VALID_LINK_INSECURE;
	link = valid_link(v, f, z, NULL);
	return link == VALID_LINK_SECURE ? valid_keys(v, name, f->rr, z) : link;
}

enum valid_verdict valid_chain(struct valid *v, const uint8_t *stop, struct valid_zone *out)
{
	const uint8_t *anchor = anchors_find(v->conf, stop);
	unsigned n, last = dname_labels(stop);
	enum valid_link link;

	if (!anchor)
		return VALID_INSECURE;
	n = dname_labels(anchor);
	link = valid_keys(v, dname_suffix(stop, n), NULL, out);
	while (n < last && (link == VALID_LINK_SECURE || link == VALID_LINK_NO_CUT))
		link = valid_step(v, dname_suffix(stop, ++n), out);
	switch (link) {
	case VALID_LINK_WAITS:
		return VALID_WAITS;
	case VALID_LINK_BROKEN:
		return VALID_BOGUS;
	case VALID_LINK_INSECURE:
		return VALID_INSECURE;
	default:
		return VALID_SECURE;
	}
}
