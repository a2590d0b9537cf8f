/* SPDX-License-Identifier: Apache-2.0 */
/* From a scrubbed reply to the RRset cache. TTLs are clamped here, once, for the cache and the
 * answer alike. Data is stored unchecked: what the validator finds out it stores itself. */
#include "dns/dname.h"
#include "dns/rrtype.h"
#include "resolver/cache_rrset.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"

static void iter_clamp(struct rrset *rr, const struct resolver_conf *conf)
{
	if (rr->ttl < conf->min_ttl_s)
		rr->ttl = conf->min_ttl_s;
	if (rr->ttl > conf->max_ttl_s)
		rr->ttl = conf->max_ttl_s;
}

static bool iter_is_aa(const struct query *q)
{
	return q->r->msg->flags & DNS_FLAG_AA;
}

static void iter_put(struct query *q, struct rrset *rr, enum rrset_rank rank)
{
	const struct resolver_conf *conf = resolver_conf(q->r);

	iter_clamp(rr, conf);
	rr->rank = (uint8_t)rank;
	rr->security = RRSET_UNCHECKED;
	if (rr->ttl > 0 && !rrtype_is_meta(rr->type))
		(void)cache_rrset_put(q->r->env.rrsets, rr, resolver_now_ms(q->r));
}

/* A CNAME made from a DNAME is not data of anybody; the DNAME before it is. */
static bool iter_is_made(const struct scrub_out *s, unsigned i)
{
	return i > 0 && s->answer[i]->type == DNS_TYPE_CNAME &&
	       s->answer[i - 1]->type == DNS_TYPE_DNAME;
}

void iter_store_answer(struct query *q, const struct scrub_out *s)
{
	enum rrset_rank rank = iter_is_aa(q) ? RRSET_RANK_ANSWER_AA : RRSET_RANK_ANSWER_NA;
	/* Only the first owner of a chain is what the AA bit speaks of (RFC 1035 4.1.1), but all of
	 * it lies in the zone that was asked. */
	for (unsigned i = 0; i < s->n_answer; i++) {
		bool is_beside = s->answer[i]->type == DNS_TYPE_DNAME && q->type != DNS_TYPE_DNAME;

		/* A DNAME speaks for names that were not asked for: never stored unsigned. */
		if (iter_is_made(s, i) || (is_beside && s->answer[i]->n_sig == 0))
			iter_clamp(s->answer[i], resolver_conf(q->r));
		else
			iter_put(q, s->answer[i], rank);
	}
	for (unsigned i = 0; i < s->n_proof; i++)
		iter_clamp(s->proof[i], resolver_conf(q->r));
	if (s->has_answer && q->type == DNS_TYPE_NS) {
		for (unsigned i = 0; i < s->n_glue; i++)
			iter_put(q, s->glue[i], RRSET_RANK_ADDITIONAL);
	}
}

/* RFC 2308 5: the lesser of the SOA's TTL and its MINIMUM. */
static uint32_t iter_negative_ttl(const struct rrset *soa, const struct resolver_conf *conf)
{
	struct rrset_iter it = rrset_begin(soa);
	uint32_t ttl = soa->ttl;

	if (rrset_next(&it) && it.len >= 4) {
		const uint8_t *p = it.rdata + it.len - 4;
		uint32_t minimum =
			(uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];

		if (minimum < ttl)
			ttl = minimum;
	}
	if (ttl < conf->min_ttl_s)
		ttl = conf->min_ttl_s;
	return ttl < conf->max_negative_ttl_s ? ttl : conf->max_negative_ttl_s;
}

/* RFC 8767 5: a denial refreshes what it denies. What has expired, kept for the day when no server
 * answers, must not come back after it. A NODATA takes its place; an NXDOMAIN alone, which has a
 * place of its own, would not. */
static void iter_deny_expired(struct query *q, const uint8_t *name, uint16_t type,
	const struct cache_proof *proof, uint32_t ttl_s)
{
	uint32_t stale_s = resolver_conf(q->r)->serve_stale_s;
	int64_t now_ms = resolver_now_ms(q->r);

	if (stale_s > 0 &&
		cache_rrset_get(q->r->env.rrsets, name, type, q->class, now_ms, stale_s, q->arena))
		cache_rrset_put_negative(q->r->env.rrsets, name, type, q->class,
			CACHE_NEGATIVE_NODATA, proof, ttl_s, now_ms);
}

/* Without SOA nothing says how long, and it is not stored (RFC 2308 5). */
void iter_store_negative(struct query *q, const struct scrub_out *s, bool is_nxdomain)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	struct cache_proof proof = {
		.rank = iter_is_aa(q) ? RRSET_RANK_AUTHORITY_AA : RRSET_RANK_AUTHORITY_NA,
	};
	uint32_t ttl;

	if (!s->soa)
		return;
	ttl = iter_negative_ttl(s->soa, conf);
	s->soa->ttl = ttl;
	proof.rr[proof.n++] = s->soa;
	for (unsigned i = 0; i < s->n_proof && proof.n < 8; i++) {
		if (s->proof[i]->ttl > ttl)
			s->proof[i]->ttl = ttl;
		proof.rr[proof.n++] = s->proof[i];
	}
	if (ttl == 0)
		return;
	cache_rrset_put_negative(q->r->env.rrsets, s->target, q->asking_type, q->class,
		is_nxdomain ? CACHE_NEGATIVE_NXDOMAIN : CACHE_NEGATIVE_NODATA, &proof, ttl,
		resolver_now_ms(q->r));
	if (is_nxdomain)
		iter_deny_expired(q, s->target, q->asking_type, &proof, ttl);
	iter_deny_expired(q, s->target, DNS_TYPE_CNAME, &proof, ttl);
}

void iter_store_referral(struct query *q, const struct scrub_out *s)
{
	int64_t left_s = (q->at->expires_ms - resolver_now_ms(q->r)) / 1000;

	/* A cut lives no longer than the one above it, or it could outlive its deletion there. */
	if (left_s < (int64_t)s->ns->ttl)
		s->ns->ttl = left_s > 0 ? (uint32_t)left_s : 1;
	iter_put(q, s->ns, RRSET_RANK_REFERRAL);
	for (unsigned i = 0; i < s->n_glue; i++)
		iter_put(q, s->glue[i], RRSET_RANK_ADDITIONAL);
	if (s->ds) {
		iter_put(q, s->ds, RRSET_RANK_AUTHORITY_NA);
	} else if (s->n_proof > 0) {
		/* That there is no DS; for the validator, not for clients: the rank says so. */
		struct cache_proof proof = {.rank = RRSET_RANK_REFERRAL};
		uint32_t ttl = s->ns->ttl;

		for (unsigned i = 0; i < s->n_proof && proof.n < 8; i++) {
			iter_clamp(s->proof[i], resolver_conf(q->r));
			if (s->proof[i]->ttl < ttl)
				ttl = s->proof[i]->ttl;
			proof.rr[proof.n++] = s->proof[i];
		}
		cache_rrset_put_negative(q->r->env.rrsets, rrset_owner(s->ns), DNS_TYPE_DS,
			q->class, CACHE_NEGATIVE_NODATA, &proof, ttl, resolver_now_ms(q->r));
	}
}
