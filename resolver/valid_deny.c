/* SPDX-License-Identifier: Apache-2.0 */
/* Denials: NXDOMAIN, NODATA, and that nothing stands closer than the wildcard that an answer was
 * made from. What they prove says dns/denial.h; here the records are found and verified. */
#include "dns/dname.h"
#include "resolver/cache_rrset.h"
#include "resolver/resolver_conf.h"
#include "resolver/valid_parts.h"

static bool valid_is_proof(const struct rrset *rr)
{
	return rr->type == DNS_TYPE_NSEC || rr->type == DNS_TYPE_NSEC3;
}

void valid_gather(struct valid *v, struct rrset *const *sets, size_t n, const struct valid_zone *z,
	struct denial *out)
{
	denial_init(out, z->name, v->env.crypto, &v->meter);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *signer;

		if (!valid_is_proof(sets[i]))
			continue;
		signer = valid_signer(v, sets[i]);
		if (!signer || !dname_equal(signer, z->name))
			continue;
		if (valid_verify(v, sets[i], z) == RRSIG_GENUINE)
			(void)!denial_add(out, sets[i], valid_labels(sets[i], z->name));
	}
}

enum valid_verdict valid_of_nsec(struct valid *v, enum nsec_verdict verdict)
{
	switch (verdict) {
	case NSEC_PROVEN:
		return VALID_SECURE;
	case NSEC_INSECURE:
		return VALID_INSECURE;
	case NSEC_LIMIT:
		v->is_limited = true;
		valid_note(v, DNS_EDE_OTHER);
		return VALID_BOGUS;
	default:
		valid_note(v, DNS_EDE_NSEC_MISSING);
		return VALID_BOGUS;
	}
}

enum valid_verdict valid_deny_closer(
	struct valid *v, const struct rrset *rr, const struct valid_zone *z)
{
	struct query *q = v->q;
	struct denial d;

	valid_gather(v, (struct rrset *const *)q->out.authority, q->out.n_authority, z, &d);
	return valid_of_nsec(v, denial_wildcard(&d, rrset_owner(rr), valid_labels(rr, z->name)));
}

/* Whose denial is it? The signer of the SOA, or else of the deepest proof above the name. */
static const uint8_t *valid_denier(struct valid *v)
{
	const struct query *q = v->q;
	const uint8_t *best = NULL;

	for (unsigned i = 0; i < q->out.n_authority; i++) {
		const struct rrset *rr = q->out.authority[i];
		const uint8_t *signer = valid_signer(v, rr);

		/* What is signed beside it belongs to an alias on the way here. */
		if (rr->type == DNS_TYPE_SOA && rr->n_sig == 0)
			return NULL;
		if (!signer || !dname_is_under(q->target, signer))
			continue;
		/* The zone above an anchor may say that the whole zone is gone, by its SOA. */
		if (rr->type != DNS_TYPE_SOA && !valid_may_sign(v, q->target, q->type, signer))
			continue;
		/* A DS is denied by the zone above the cut. */
		if (q->type == DNS_TYPE_DS && q->target[0] && dname_equal(q->target, signer))
			continue;
		if (rr->type == DNS_TYPE_SOA)
			return signer;
		if (valid_is_proof(rr) && (!best || dname_labels(signer) > dname_labels(best)))
			best = signer;
	}
	return best;
}

static void valid_store_denial(struct valid *v, bool is_nxdomain)
{
	struct query *q = v->q;
	struct cache_proof proof = {.rank = RRSET_RANK_AUTHORITY_AA, .security = RRSET_SECURE};
	const struct rrset *soa = NULL;
	uint32_t ttl = UINT32_MAX;

	for (unsigned i = 0; i < q->out.n_authority && proof.n < 8; i++) {
		struct rrset *rr = (struct rrset *)q->out.authority[i];

		if (rr->security != RRSET_SECURE)
			continue;
		if (rr->type == DNS_TYPE_SOA)
			soa = rr;
		if (rr->ttl < ttl)
			ttl = rr->ttl;
		proof.rr[proof.n++] = rr;
	}
	if (soa && proof.rr[0] == soa)
		cache_rrset_put_negative(q->r->env.rrsets, q->target, q->type, q->class,
			is_nxdomain ? CACHE_NEGATIVE_NXDOMAIN : CACHE_NEGATIVE_NODATA, &proof, ttl,
			resolver_now_ms(q->r));
}

/* The SOA is no part of the proof, but says how long it holds. */
static bool valid_is_soa_sound(struct valid *v, const struct valid_zone *z, bool *is_new)
{
	for (unsigned i = 0; i < v->q->out.n_authority; i++) {
		struct rrset *rr = (struct rrset *)v->q->out.authority[i];
		enum rrsig_result r;

		if (rr->type != DNS_TYPE_SOA)
			continue;
		*is_new = rr->security != RRSET_SECURE;
		r = valid_verify(v, rr, z);
		if (r == RRSIG_GENUINE)
			continue;
		valid_note(v, rrsig_ede(r));
		return false;
	}
	return true;
}

enum valid_verdict valid_deny(struct valid *v, bool is_nxdomain)
{
	struct query *q = v->q;
	const uint8_t *signer = valid_denier(v), *stop = signer ? signer : q->target;
	struct valid_zone z = {0};
	enum valid_verdict verdict;
	enum nsec_verdict proven;
	struct denial d;
	bool is_new = false;

	if (q->out.n_authority > 0 && q->out.authority[0]->rank == RRSET_RANK_LOCAL)
		return VALID_INSECURE;
	if (!signer && q->type == DNS_TYPE_DS && q->target[0])
		stop = dname_strip(q->target, 1);
	verdict = valid_chain(v, stop, &z);
	if (verdict != VALID_SECURE)
		return verdict;
	if (!signer) {
		valid_note(v, q->out.n_authority ? DNS_EDE_RRSIGS_MISSING : DNS_EDE_NSEC_MISSING);
		return VALID_BOGUS;
	}
	if (!valid_is_soa_sound(v, &z, &is_new))
		return VALID_BOGUS;
	valid_gather(v, (struct rrset *const *)q->out.authority, q->out.n_authority, &z, &d);
	proven = is_nxdomain ? denial_nxdomain(&d, q->target)
			     : denial_nodata(&d, q->target, q->type);
	/* The zone above answers for an unsigned one beneath, and proves that it is. */
	if (proven == NSEC_UNPROVEN && q->type != DNS_TYPE_DS &&
		denial_no_ds(&d, q->target) == NSEC_PROVEN)
		return VALID_INSECURE;
	verdict = valid_of_nsec(v, proven);
	if (verdict == VALID_SECURE && is_new)
		valid_store_denial(v, is_nxdomain);
	return verdict;
}
