/* SPDX-License-Identifier: Apache-2.0 */
/* A value of the slab is either one RRset block as it is, its ttl field being its whole life, or,
 * for something that does not exist, a struct denial, the name in lower case and the RRsets that
 * prove it, each on an eight-octet boundary. Which of them it is stands in the slot's kind, when it
 * ends in its expires_s. The RRset of a type and the NODATA of that type have one key: they can
 * only replace each other. The NXDOMAIN of a name has the key of type 0, which no RRset has. */
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

enum fact_kind {
	FACT_RRSET,
	FACT_NODATA,
	FACT_NXDOMAIN,
	FACT_KIND = 3, /* bits of the above in a slot's kind */
	FACT_GLUE = 4  /* flag: it is, or replaced, what a parent told about an address */
};

struct denial {
	uint32_t ttl_s;
	uint16_t type, class;
	uint8_t rank, security;
	uint8_t n; /* RRsets of the proof */
	uint8_t name_len;
	uint8_t pad[4];
};
_Static_assert(sizeof(struct denial) == 16, "whole words");

/* Either of them as the rules see it. */
struct fact {
	uint32_t expires_s, ttl_s;
	uint16_t type, class;
	enum fact_kind kind;
	uint8_t rank, security;
	bool is_glue;
};
#define FACT_WORDS 3 /* of a value, that tell it: an RRset's header or more than a denial */
_Static_assert(sizeof(struct rrset) <= FACT_WORDS * 8, "the header is read first");
#define RRSET_SECURITY_WORD (offsetof(struct rrset, security) / 8)

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

static struct fact fact_of(const uint64_t words[FACT_WORDS], uint16_t kind, uint32_t expires_s)
{
	struct fact f = {.expires_s = expires_s,
		.kind = (enum fact_kind)(kind & FACT_KIND),
		.is_glue = kind & FACT_GLUE};
	struct rrset rr;
	struct denial d;

	if (f.kind == FACT_RRSET) {
		memcpy(&rr, words, sizeof(rr));
		f.ttl_s = rr.ttl;
		f.type = rr.type;
		f.class = rr.class;
		f.rank = rr.rank;
		f.security = rr.security;
	} else {
		memcpy(&d, words, sizeof(d));
		f.ttl_s = d.ttl_s;
		f.type = d.type;
		f.class = d.class;
		f.rank = d.rank;
		f.security = d.security;
	}
	return f;
}

/* With the lock held, or of a copy. */
static struct fact fact_in(const struct cache_slab_head *slot)
{
	return fact_of(slot->value, slot->kind, slot->expires_s);
}

/* What is left of its life; 0: expired. A clock that went backwards gives no more than it had. */
static uint32_t fact_left_s(const struct fact *f, int64_t now_ms)
{
	int64_t left = (int64_t)f->expires_s - now_ms / 1000;

	if (left > f->ttl_s)
		return f->ttl_s;
	return left > 0 ? (uint32_t)left : 0;
}

static bool fact_has_expired(const struct fact *f, int64_t now_ms)
{
	return fact_left_s(f, now_ms) == 0;
}

static const uint8_t *fact_name(const struct cache_slab_head *slot)
{
	const uint8_t *value = (const uint8_t *)slot->value;

	if ((slot->kind & FACT_KIND) == FACT_RRSET)
		return rrset_owner((const struct rrset *)value);
	return value + sizeof(struct denial);
}

static bool match_key(const void *arg, const struct cache_slab_head *slot)
{
	const struct fact_key *k = arg;
	struct fact f = fact_in(slot);

	return f.type == k->type && f.class == k->class && dname_equal(fact_name(slot), k->name);
}

/* ---- reading ---- */

/* Is it worth copying? */
static bool fact_is_wanted(const struct fact *f, const struct fact_key *k)
{
	return f->type == k->type && f->class == k->class &&
	       (f->kind != FACT_RRSET) == k->is_negative &&
	       (int64_t)f->expires_s + k->stale_s > k->now_ms / 1000;
}

/* The value of a slot in the arena; *f what it is. NULL and *is_torn when it changed under way,
 * NULL when it is not wanted, not k's, or the arena is full. */
static uint8_t *read_slot(const struct cache_slab_walk *w, const struct fact_key *k,
	struct arena *a, struct fact *f, bool *is_torn)
{
	uint32_t len = cache_slab_len(w->slot);
	uint64_t words[FACT_WORDS];
	const uint8_t *name;
	uint8_t *value;

	cache_slab_copy(w->slot, 0, words, sizeof(words));
	*f = fact_of(words, cache_slab_kind(w->slot), cache_slab_expires_s(w->slot));
	*is_torn = !cache_slab_is_same(w);
	if (*is_torn || !fact_is_wanted(f, k))
		return NULL;
	value = arena_alloc(a, len);
	if (value == NULL)
		return NULL;
	cache_slab_copy(w->slot, 0, value, len);
	*is_torn = !cache_slab_is_same(w);
	name = value +
	       (f->kind == FACT_RRSET ? offsetof(struct rrset, data) : sizeof(struct denial));
	if (*is_torn || !dname_equal(name, k->name))
		return NULL;
	(void)cache_slab_touch(w->slot);
	return value;
}

static uint8_t *read_key(
	struct cache_rrset *c, const struct fact_key *k, struct arena *a, struct fact *f)
{
	for (int tries = 0; tries < CACHE_SLAB_TRIES; tries++) {
		struct cache_slab_walk w = cache_slab_begin(c->slab, k->hash);
		bool is_torn = false;

		while (!is_torn && cache_slab_next(&w)) {
			uint8_t *value = read_slot(&w, k, a, f, &is_torn);

			if (value)
				return value;
		}
		if (!is_torn)
			return NULL;
	}
	return NULL;
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
		rr->ttl = fact_left_s(&f, now_ms);
	return rr;
}

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

/* Fills out with the RRsets of a proof that lies in value. */
static void read_proof(uint8_t *value, uint32_t age_s, struct cache_proof *out)
{
	const struct denial *d = (const struct denial *)value;
	uint8_t *p = value + sizeof(*d) + padded(d->name_len);

	*out = (struct cache_proof){.security = d->security, .rank = d->rank, .n = d->n};
	for (unsigned i = 0; i < d->n; i++) {
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
		uint8_t *value;

		k.is_negative = true;
		k.now_ms = now_ms;
		value = read_key(c, &k, a, &f);
		if (value == NULL)
			continue;
		read_proof(value, f.ttl_s - fact_left_s(&f, now_ms), out);
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
	bool is_renewal = (uint64_t)fact_left_s(old, now_ms) * RENEW_PART < old->ttl_s;

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
	uint32_t left = fact_left_s(old, now_ms);

	if (fresh->kind != FACT_RRSET || old->kind != FACT_RRSET || left == 0)
		return;
	fresh->is_glue |= old->is_glue;
	if (is_from_parent || (fresh->type != DNS_TYPE_NS && !fresh->is_glue))
		return;
	if (fresh->ttl_s > left)
		fresh->ttl_s = left;
}

static uint32_t expires_at_s(uint32_t ttl_s, int64_t now_ms)
{
	uint64_t at = (uint64_t)now_ms / 1000 + ttl_s;

	return at < UINT32_MAX ? (uint32_t)at : UINT32_MAX;
}

/* Judges fresh; when it may be stored *fresh has the life it may have. With the lock held. */
static bool judge(
	struct cache_rrset *c, const struct fact_key *k, struct fact *fresh, int64_t now_ms)
{
	const struct cache_slab_head *slot = cache_slab_get(c->slab, k->hash, match_key, k);
	struct fact old;

	if (slot == NULL)
		return true;
	old = fact_in(slot);
	if (!may_replace(&old, fresh, now_ms))
		return false;
	keep_from_ghosts(&old, fresh, now_ms);
	return true;
}

static bool store(struct cache_rrset *c, const struct fact_key *k, const struct fact *fresh,
	const struct cache_slab_piece *pieces, size_t n_pieces, int64_t now_ms)
{
	struct cache_slab_value value = {.pieces = pieces,
		.n_pieces = n_pieces,
		.expires_s = expires_at_s(fresh->ttl_s, now_ms),
		.kind = (uint16_t)(fresh->kind | (fresh->is_glue ? FACT_GLUE : 0))};

	return cache_slab_put(c->slab, k->hash, match_key, k, &value, now_ms);
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
		.ttl_s = rr->ttl,
		.type = rr->type,
		.class = rr->class,
		.kind = FACT_RRSET,
		.rank = rr->rank,
		.security = rr->security,
		.is_glue = rr->rank == RRSET_RANK_ADDITIONAL &&
			   (rr->type == DNS_TYPE_A || rr->type == DNS_TYPE_AAAA),
	};
	uint64_t first;
	/* The first word, size and ttl, is written anew: its life may be cut. */
	struct cache_slab_piece pieces[] = {
		{&first, sizeof(first)}, {(const uint8_t *)rr + 8, rr->size - 8}};
	struct rrset head;
	bool is_stored = false;

	assert(rr->type != TYPE_NXDOMAIN && rr->n_rr > 0);
	if (rr->ttl == 0)
		return false;
	cache_slab_lock(c->slab, k.hash);
	if (judge(c, &k, &fresh, now_ms)) {
		memcpy(&head, rr, sizeof(head));
		head.ttl = fresh.ttl_s;
		memcpy(&first, &head, sizeof(first));
		is_stored = store(c, &k, &fresh, pieces, 2, now_ms);
	}
	cache_slab_unlock(c->slab, k.hash);
	if (is_stored && rr->rank >= RRSET_RANK_AUTHORITY_NA)
		forget_nxdomain(c, rr);
	return is_stored;
}

void cache_rrset_put_negative(struct cache_rrset *c, const uint8_t *name, uint16_t type,
	uint16_t class, enum cache_negative kind, const struct cache_proof *proof, uint32_t ttl_s,
	int64_t now_ms)
{
	uint16_t key_type = kind == CACHE_NEGATIVE_NXDOMAIN ? TYPE_NXDOMAIN : type;
	struct fact_key k = key_of(c, name, key_type, class);
	struct fact fresh = {
		.ttl_s = ttl_s,
		.type = key_type,
		.class = class,
		.kind = kind == CACHE_NEGATIVE_NXDOMAIN ? FACT_NXDOMAIN : FACT_NODATA,
		.rank = proof->rank,
		.security = proof->security,
	};
	struct denial d = {.ttl_s = ttl_s,
		.type = key_type,
		.class = class,
		.rank = proof->rank,
		.security = proof->security,
		.n = proof->n,
		.name_len = (uint8_t)k.name_len};
	uint8_t lower[DNAME_MAX];
	struct cache_slab_piece pieces[2 + PROOF_MAX] = {{&d, sizeof(d)}, {lower, k.name_len}};

	assert(kind != CACHE_NEGATIVE_NONE && proof->n <= PROOF_MAX);
	if (ttl_s == 0)
		return;
	memcpy(lower, name, k.name_len);
	dname_lower(lower, k.name_len);
	for (unsigned i = 0; i < proof->n; i++)
		pieces[2 + i] = (struct cache_slab_piece){proof->rr[i], proof->rr[i]->size};
	cache_slab_lock(c->slab, k.hash);
	if (judge(c, &k, &fresh, now_ms))
		(void)store(c, &k, &fresh, pieces, 2 + (size_t)proof->n, now_ms);
	cache_slab_unlock(c->slab, k.hash);
}

void cache_rrset_set_security(
	struct cache_rrset *c, const struct rrset *rr, enum rrset_security s, int64_t now_ms)
{
	struct fact_key k = key_of(c, rrset_owner(rr), rr->type, rr->class);
	struct cache_slab_head *slot;
	struct fact f;

	cache_slab_lock(c->slab, k.hash);
	slot = cache_slab_get(c->slab, k.hash, match_key, &k);
	if (slot) {
		f = fact_in(slot);
		/* The same data with worse signatures takes nothing from what was proven. */
		if (f.kind == FACT_RRSET && !fact_has_expired(&f, now_ms) &&
			(f.security != RRSET_SECURE || s == RRSET_SECURE) &&
			rrset_equal((const struct rrset *)slot->value, rr)) {
			uint64_t words[FACT_WORDS];
			uint8_t verdict = (uint8_t)s;

			memcpy(words, slot->value, sizeof(words));
			memcpy((uint8_t *)words + offsetof(struct rrset, security), &verdict, 1);
			cache_slab_set_word(slot, RRSET_SECURITY_WORD, words[RRSET_SECURITY_WORD]);
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

	if (fl->name == NULL)
		return true;
	return fl->is_tree ? dname_is_under(fact_name(slot), fl->name)
			   : dname_equal(fact_name(slot), fl->name);
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
	struct rrset *rr = (struct rrset *)copy->value;
	struct fact f = fact_in(copy);

	if (f.kind != FACT_RRSET || fact_has_expired(&f, e->now_ms))
		return;
	rr->ttl = fact_left_s(&f, e->now_ms);
	e->fn(e->arg, rr, rr->ttl);
}

void cache_rrset_each(struct cache_rrset *c, int64_t now_ms,
	void (*fn)(void *arg, const struct rrset *rr, uint32_t ttl_left_s), void *arg)
{
	struct each e = {now_ms, fn, arg};

	cache_slab_each(c->slab, each_fact, &e);
}
