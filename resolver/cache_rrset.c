/* SPDX-License-Identifier: Apache-2.0 */
/* A value of the slab is a struct fact, then either one RRset block or, for something that does not
 * exist, its name in lower case and the RRsets that prove it, each on an eight-octet boundary. The
 * RRset of a type and the NODATA of that type have one key: they can only replace each other. The
 * NXDOMAIN of a name has the key of type 0, which no RRset has. */
#include "resolver/cache_rrset.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "resolver/cache_slab.h"

#define TYPE_NXDOMAIN 0
#define PROOF_MAX     8	 /* RRsets of struct cache_proof */
#define RENEW_PART    10 /* in the last tenth of its life a proven set may be replaced */

enum fact_kind { FACT_RRSET, FACT_NODATA, FACT_NXDOMAIN };

struct fact {
	uint32_t stored_s;
	uint32_t ttl_s;
	uint16_t type, class;
	uint8_t kind; /* enum fact_kind */
	uint8_t rank, security;
	uint8_t n;	  /* RRsets of a proof */
	uint8_t name_len; /* of a proof; an RRset holds its owner itself */
	uint8_t is_glue;  /* it is, or replaced, what a parent told about an address */
	uint8_t pad[6];
};
#define FACT_WORDS (sizeof(struct fact) / 8)
_Static_assert(sizeof(struct fact) == 24, "whole words");
#define SECURITY_WORD (offsetof(struct fact, security) / 8)

struct cache_rrset {
	struct cache_slab *slab;
	struct hash_key key;
};

/* What is looked for; the last three are for readers only. */
struct fact_key {
	const uint8_t *name;
	size_t name_len;
	uint16_t type, class;
	uint64_t hash;
	bool is_negative;
	uint32_t stale_s;
	int64_t now_ms;
};

struct cache_rrset *cache_rrset_new(size_t bytes)
{
	struct cache_rrset *c = xcalloc(1, sizeof(*c));

	c->slab = cache_slab_new(bytes);
	c->key = hash_key_random();
	return c;
}

void cache_rrset_free(struct cache_rrset *c)
{
	if (c == NULL)
		return;
	cache_slab_free(c->slab);
	xfree(c);
}

static struct fact_key key_of(
	const struct cache_rrset *c, const uint8_t *name, uint16_t type, uint16_t class)
{
	struct fact_key k = {
		.name = name, .name_len = dname_len(name), .type = type, .class = class};
	/* The kind goes into the key of the name's hash: one pass, no copy. */
	struct hash_key key = {c->key.k0, c->key.k1 ^ ((uint64_t)type << 16 | class)};

	k.hash = dname_hash(&key, name, k.name_len);
	return k;
}

static uint32_t seconds(int64_t now_ms)
{
	return (uint32_t)(now_ms / 1000);
}

static uint32_t fact_age_s(const struct fact *f, int64_t now_ms)
{
	int64_t age = (int64_t)seconds(now_ms) - f->stored_s;

	return age > 0 ? (uint32_t)age : 0;
}

static bool fact_has_expired(const struct fact *f, int64_t now_ms)
{
	return fact_age_s(f, now_ms) >= f->ttl_s;
}

/* Both kinds have the name first behind the struct fact, an RRset after its own header. */
static size_t name_at(const struct fact *f)
{
	return sizeof(*f) + (f->kind == FACT_RRSET ? offsetof(struct rrset, data) : 0);
}

static bool match_key(const void *arg, const struct cache_slab_head *slot)
{
	const struct fact_key *k = arg;
	struct fact f;

	memcpy(&f, slot->value, sizeof(f));
	return f.type == k->type && f.class == k->class &&
	       dname_equal((const uint8_t *)slot->value + name_at(&f), k->name);
}

/* ---- reading ---- */

/* Is it worth copying? */
static bool fact_is_wanted(const struct fact *f, const struct fact_key *k)
{
	uint32_t age = fact_age_s(f, k->now_ms);

	return f->type == k->type && f->class == k->class &&
	       (f->kind != FACT_RRSET) == k->is_negative &&
	       (age < f->ttl_s || age - f->ttl_s < k->stale_s);
}

/* What follows the struct fact of a slot, in the arena; *f its head. NULL and *is_torn when it
 * changed under way, NULL when it is not wanted, not k's, or the arena is full. */
static uint8_t *read_slot(const struct cache_slab_walk *w, const struct fact_key *k,
	struct arena *a, struct fact *f, bool *is_torn)
{
	uint32_t len = cache_slab_len(w->slot);
	uint8_t *body;

	cache_slab_copy(w->slot, 0, f, sizeof(*f));
	*is_torn = !cache_slab_is_same(w);
	if (*is_torn || !fact_is_wanted(f, k))
		return NULL;
	len -= (uint32_t)sizeof(*f);
	body = arena_alloc(a, len);
	if (body == NULL)
		return NULL;
	cache_slab_copy(w->slot, FACT_WORDS, body, len);
	*is_torn = !cache_slab_is_same(w);
	if (*is_torn || !dname_equal(body + name_at(f) - sizeof(*f), k->name))
		return NULL;
	(void)cache_slab_touch(w->slot);
	return body;
}

static uint8_t *read_key(
	struct cache_rrset *c, const struct fact_key *k, struct arena *a, struct fact *f)
{
	for (int tries = 0; tries < CACHE_SLAB_TRIES; tries++) {
		struct cache_slab_walk w = cache_slab_begin(c->slab, k->hash);
		bool is_torn = false;

		while (!is_torn && cache_slab_next(&w)) {
			uint8_t *body = read_slot(&w, k, a, f, &is_torn);

			if (body)
				return body;
		}
		if (!is_torn)
			return NULL;
	}
	return NULL;
}

/* The copy of an RRset as its fact sees it: the verdict and the time that is left stand there. */
static void rrset_refresh(struct rrset *rr, const struct fact *f, int64_t now_ms)
{
	uint32_t age = fact_age_s(f, now_ms);

	rr->ttl = age < f->ttl_s ? f->ttl_s - age : 0;
	rr->security = f->security;
}

struct rrset *cache_rrset_get(struct cache_rrset *c, const uint8_t *name, uint16_t type,
	uint16_t class, int64_t now_ms, uint32_t stale_s, struct arena *a)
{
	struct fact_key k = key_of(c, name, type, class);
	struct fact f;
	struct rrset *rr;

	k.stale_s = stale_s;
	k.now_ms = now_ms;
	rr = (struct rrset *)read_key(c, &k, a, &f);
	if (rr)
		rrset_refresh(rr, &f, now_ms);
	return rr;
}

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

/* Fills out with the RRsets of a proof that lies in body. */
static void read_proof(const struct fact *f, uint8_t *body, uint32_t age_s, struct cache_proof *out)
{
	uint8_t *p = body + padded(f->name_len);

	*out = (struct cache_proof){.security = f->security, .rank = f->rank, .n = f->n};
	for (unsigned i = 0; i < f->n; i++) {
		out->rr[i] = (struct rrset *)p;
		out->rr[i]->ttl = out->rr[i]->ttl > age_s ? out->rr[i]->ttl - age_s : 1;
		p += padded(out->rr[i]->size);
	}
}

enum cache_negative cache_rrset_negative(struct cache_rrset *c, const uint8_t *name, uint16_t type,
	uint16_t class, int64_t now_ms, struct arena *a, struct cache_proof *out)
{
	const uint16_t types[] = {TYPE_NXDOMAIN, type};

	for (unsigned i = 0; i < 2; i++) {
		struct fact_key k = key_of(c, name, types[i], class);
		struct fact f;
		uint8_t *body;

		k.is_negative = true;
		k.now_ms = now_ms;
		body = read_key(c, &k, a, &f);
		if (body == NULL)
			continue;
		read_proof(&f, body, fact_age_s(&f, now_ms), out);
		return f.kind == FACT_NODATA ? CACHE_NEGATIVE_NODATA : CACHE_NEGATIVE_NXDOMAIN;
	}
	return CACHE_NEGATIVE_NONE;
}

/* ---- writing ---- */

/* Where a fact lies in the order of RFC 2181 5.4.1. The SOA that proves an absence stands in the
 * authority section, yet it is the answer of that server. */
static unsigned fact_rank(const struct fact *f)
{
	if (f->kind != FACT_RRSET && f->rank == RRSET_RANK_AUTHORITY_AA)
		return RRSET_RANK_ANSWER_AA;
	if (f->kind != FACT_RRSET && f->rank == RRSET_RANK_AUTHORITY_NA)
		return RRSET_RANK_ANSWER_NA;
	return f->rank;
}

/* May fresh stand where old stands? */
static bool may_replace(const struct fact *old, const struct fact *fresh, int64_t now_ms)
{
	uint32_t age = fact_age_s(old, now_ms);
	bool is_renewal = (uint64_t)(old->ttl_s - age) * RENEW_PART < old->ttl_s;

	if (fact_has_expired(old, now_ms))
		return true;
	if (old->security == RRSET_BOGUS && fresh->security != RRSET_BOGUS)
		return fresh->rank >= RRSET_RANK_AUTHORITY_NA;
	/* What is proven and fresh does not give way to a claim: a forged answer would otherwise
	 * turn a good name bogus. */
	if (old->security == RRSET_SECURE && fresh->security != RRSET_SECURE &&
		fresh->rank != RRSET_RANK_LOCAL)
		return is_renewal && fresh->security != RRSET_BOGUS &&
		       fact_rank(fresh) >= fact_rank(old);
	return fact_rank(fresh) >= fact_rank(old);
}

/* Ghost domains: a child that renews its own delegation would live on after the parent took it
 * away. So an NS RRset, or an address the parent told, takes what life is left of what it replaces;
 * only the parent's referral gives a new one. */
static void keep_from_ghosts(const struct fact *old, struct fact *fresh, int64_t now_ms)
{
	bool is_from_parent = fresh->rank == RRSET_RANK_ADDITIONAL ||
			      fresh->rank == RRSET_RANK_REFERRAL || fresh->rank == RRSET_RANK_LOCAL;
	uint32_t left;

	if (fresh->kind != FACT_RRSET || old->kind != FACT_RRSET || fact_has_expired(old, now_ms))
		return;
	fresh->is_glue |= old->is_glue;
	if (is_from_parent || (fresh->type != DNS_TYPE_NS && !fresh->is_glue))
		return;
	left = old->ttl_s - fact_age_s(old, now_ms);
	if (fresh->ttl_s > left)
		fresh->ttl_s = left;
}

/* Judges and stores under k; pieces[0] becomes *fresh. */
static bool put_fact(struct cache_rrset *c, const struct fact_key *k, struct fact *fresh,
	struct cache_slab_piece *pieces, size_t n_pieces, int64_t now_ms)
{
	struct cache_slab_head *slot;
	uint64_t expires_s;
	bool is_stored = false;

	if (fresh->ttl_s == 0)
		return false;
	cache_slab_lock(c->slab, k->hash);
	slot = cache_slab_get(c->slab, k->hash, match_key, k);
	if (slot) {
		struct fact old;

		memcpy(&old, slot->value, sizeof(old));
		if (!may_replace(&old, fresh, now_ms))
			goto out;
		keep_from_ghosts(&old, fresh, now_ms);
	}
	pieces[0] = (struct cache_slab_piece){fresh, sizeof(*fresh)};
	expires_s = (uint64_t)fresh->stored_s + fresh->ttl_s;
	is_stored = cache_slab_put(c->slab, k->hash, match_key, k, pieces, n_pieces,
		expires_s < UINT32_MAX ? (uint32_t)expires_s : UINT32_MAX, now_ms);
out:
	cache_slab_unlock(c->slab, k->hash);
	return is_stored;
}

/* The name exists after all. */
static void forget_nxdomain(struct cache_rrset *c, const struct rrset *rr)
{
	struct fact_key k = key_of(c, rrset_owner(rr), TYPE_NXDOMAIN, rr->class);
	struct cache_slab_head *slot;

	cache_slab_lock(c->slab, k.hash);
	slot = cache_slab_get(c->slab, k.hash, match_key, &k);
	if (slot)
		cache_slab_del(c->slab, slot);
	cache_slab_unlock(c->slab, k.hash);
}

bool cache_rrset_put(struct cache_rrset *c, const struct rrset *rr, int64_t now_ms)
{
	struct fact_key k = key_of(c, rrset_owner(rr), rr->type, rr->class);
	struct fact fresh = {
		.stored_s = seconds(now_ms),
		.ttl_s = rr->ttl,
		.type = rr->type,
		.class = rr->class,
		.kind = FACT_RRSET,
		.rank = rr->rank,
		.security = rr->security,
		.is_glue = rr->rank == RRSET_RANK_ADDITIONAL &&
			   (rr->type == DNS_TYPE_A || rr->type == DNS_TYPE_AAAA),
	};
	struct cache_slab_piece pieces[2] = {{NULL, 0}, {rr, rr->size}};

	assert(rr->type != TYPE_NXDOMAIN && rr->n_rr > 0);
	if (!put_fact(c, &k, &fresh, pieces, 2, now_ms))
		return false;
	if (rr->rank >= RRSET_RANK_AUTHORITY_NA)
		forget_nxdomain(c, rr);
	return true;
}

void cache_rrset_put_negative(struct cache_rrset *c, const uint8_t *name, uint16_t type,
	uint16_t class, enum cache_negative kind, const struct cache_proof *proof, uint32_t ttl_s,
	int64_t now_ms)
{
	uint16_t key_type = kind == CACHE_NEGATIVE_NXDOMAIN ? TYPE_NXDOMAIN : type;
	struct fact_key k = key_of(c, name, key_type, class);
	struct fact fresh = {
		.stored_s = seconds(now_ms),
		.ttl_s = ttl_s,
		.type = key_type,
		.class = class,
		.kind = kind == CACHE_NEGATIVE_NXDOMAIN ? FACT_NXDOMAIN : FACT_NODATA,
		.rank = proof->rank,
		.security = proof->security,
		.n = proof->n,
		.name_len = (uint8_t)k.name_len,
	};
	uint8_t lower[DNAME_MAX];
	struct cache_slab_piece pieces[2 + PROOF_MAX];

	assert(kind != CACHE_NEGATIVE_NONE && proof->n <= PROOF_MAX);
	memcpy(lower, name, k.name_len);
	dname_lower(lower, k.name_len);
	pieces[1] = (struct cache_slab_piece){lower, k.name_len};
	for (unsigned i = 0; i < proof->n; i++)
		pieces[2 + i] = (struct cache_slab_piece){proof->rr[i], proof->rr[i]->size};
	(void)put_fact(c, &k, &fresh, pieces, 2 + (size_t)proof->n, now_ms);
}

void cache_rrset_set_security(
	struct cache_rrset *c, const struct rrset *rr, enum rrset_security s, int64_t now_ms)
{
	struct fact_key k = key_of(c, rrset_owner(rr), rr->type, rr->class);
	struct cache_slab_head *slot;

	cache_slab_lock(c->slab, k.hash);
	slot = cache_slab_get(c->slab, k.hash, match_key, &k);
	if (slot) {
		const uint8_t *body = (const uint8_t *)slot->value + sizeof(struct fact);
		struct fact f;

		memcpy(&f, slot->value, sizeof(f));
		if (f.kind == FACT_RRSET && !fact_has_expired(&f, now_ms) &&
			rrset_equal((const struct rrset *)body, rr)) {
			uint64_t word;

			f.security = (uint8_t)s;
			memcpy(&word, (uint8_t *)&f + SECURITY_WORD * 8, 8);
			cache_slab_set_word(slot, SECURITY_WORD, word);
		}
	}
	cache_slab_unlock(c->slab, k.hash);
}

/* ---- control ---- */

struct flush {
	const uint8_t *name;
	bool is_tree;
};

static bool flush_wants(void *arg, const struct cache_slab_head *slot)
{
	const struct flush *fl = arg;
	const uint8_t *name;
	struct fact f;

	if (fl->name == NULL)
		return true;
	memcpy(&f, slot->value, sizeof(f));
	name = (const uint8_t *)slot->value + name_at(&f);
	return fl->is_tree ? dname_is_under(name, fl->name) : dname_equal(name, fl->name);
}

size_t cache_rrset_flush(struct cache_rrset *c, const uint8_t *name, bool is_tree)
{
	struct flush fl = {name, is_tree};

	return cache_slab_sweep(c->slab, flush_wants, &fl);
}

void cache_rrset_usage(const struct cache_rrset *c, struct cache_usage *out)
{
	cache_slab_usage(c->slab, out);
}

struct each {
	int64_t now_ms;
	void (*fn)(void *arg, const struct rrset *rr, uint32_t ttl_left_s);
	void *arg;
};

static void each_fact(void *arg, struct cache_slab_head *copy)
{
	const struct each *e = arg;
	struct rrset *rr = (struct rrset *)((uint8_t *)copy->value + sizeof(struct fact));
	struct fact f;

	memcpy(&f, copy->value, sizeof(f));
	if (f.kind != FACT_RRSET || fact_has_expired(&f, e->now_ms))
		return;
	rrset_refresh(rr, &f, e->now_ms);
	e->fn(e->arg, rr, rr->ttl);
}

void cache_rrset_each(struct cache_rrset *c, int64_t now_ms,
	void (*fn)(void *arg, const struct rrset *rr, uint32_t ttl_left_s), void *arg)
{
	struct each e = {now_ms, fn, arg};

	cache_slab_each(c->slab, each_fact, &e);
}
