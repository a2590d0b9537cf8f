/* SPDX-License-Identifier: Apache-2.0 */
/* A value of the slab: struct entry, the TTL offsets from the second on padded to eight octets,
 * then the wire from its fifth octet on (the counts; id and flags are the client's) with the
 * question in lower case. The question is the key: it is compared after the copy, so the name is
 * not kept twice. What follows from the slot's head (when it was stored, how long the wire is) is
 * not kept either: most names' addresses fit into 96 octets. */
#include "resolver/cache.h"

#include <assert.h>
#include <string.h>

#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "resolver/cache_slab.h"

#define WIRE_FROM      4  /* octets of the wire that are not kept */
#define PREFETCH_PART  10 /* a popular answer is refreshed in the last tenth of its life */
#define ENTRY_WORDS    (sizeof(struct entry) / 8)
#define QUESTION_MAX   (DNAME_MAX + 4)
#define OFFSETS_MAX    (ANSWER_TTL_OFFSETS * sizeof(uint16_t))
#define MARK_REFRESHED 1 /* of a slot: somebody was elected */

struct entry {
	uint32_t ttl_s;
	uint32_t generation;
	uint16_t ttl_off; /* the first */
	uint16_t rcode;
	uint8_t n_ttl;
	uint8_t name_len;
	uint8_t bits; /* enum entry_bit, security above */
	uint8_t ede;  /* EDE_NONE */
};
enum entry_bit { ENTRY_AA = 1, ENTRY_DO = 2, ENTRY_CD = 4 };
#define SECURITY_SHIFT 4
#define EDE_NONE       UINT8_MAX

_Static_assert(sizeof(struct entry) == 16, "part of what an answer costs");
/* The generation shares the first word with the TTL. */
#define GENERATION_WORD 0

struct cache {
	struct cache_slab *slab;
	struct hash_key key;
};

struct cache *cache_new(size_t bytes)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	c->slab = cache_slab_new(bytes);
	c->key = hash_key_random();
	return c;
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	cache_slab_free(c->slab);
	xfree(c);
}

const struct hash_key *cache_key(const struct cache *c)
{
	return &c->key;
}

static uint8_t question_bits(const struct cache_question *q)
{
	return (uint8_t)((q->is_do ? ENTRY_DO : 0) | (q->is_cd ? ENTRY_CD : 0));
}

uint64_t cache_hash(const struct cache *c, const struct cache_question *q)
{
	uint64_t kind = (uint64_t)q->type << 32 | (uint64_t)q->class << 16 | question_bits(q);
	/* The kind goes into the key of the name's hash: one pass, no copy. */
	struct hash_key key = {c->key.k0, c->key.k1 ^ kind};

	return dname_hash(&key, q->name, q->name_len);
}

void cache_prefetch(const struct cache *c, uint64_t hash)
{
	const struct cache_slab_view *v = cache_slab_view(c->slab, hash);

	__builtin_prefetch(cache_slab_bucket_now(v, hash, false));
	__builtin_prefetch(cache_slab_bucket_now(v, hash, true));
}

void cache_reach(const struct cache *c, uint64_t hash)
{
	const struct cache_slab_view *v = cache_slab_view(c->slab, hash);
	const uint64_t *bucket = cache_slab_bucket_now(v, hash, false);
	uint32_t hits = cache_slab_tags(bucket, hash);
	const uint8_t *slot;
	uint64_t word;

	if (hits == 0) {
		bucket = cache_slab_bucket_now(v, hash, true);
		hits = cache_slab_tags(bucket, hash);
		if (hits == 0)
			return;
	}
	word = __atomic_load_n(&bucket[__builtin_ctz(hits)], __ATOMIC_RELAXED);
	if ((uint32_t)word == 0)
		return;
	/* the two lines of a plain answer; more follow by themselves */
	slot = (const uint8_t *)cache_slab_slot(c->slab, word);
	__builtin_prefetch(slot);
	__builtin_prefetch(slot + 64);
}

/* ---- reading ---- */

/* Octets of the offsets behind the entry. */
static size_t offsets_len(unsigned n_ttl)
{
	return n_ttl < 2 ? 0 : ((n_ttl - 1) * sizeof(uint16_t) + 7) & ~(size_t)7;
}

/* Seconds since it was stored; ttl_s or more: expired. */
static uint32_t entry_age_s(const struct entry *e, uint32_t expires_s, int64_t now_ms)
{
	int64_t age = (int64_t)e->ttl_s - ((int64_t)expires_s - now_ms / 1000);

	/* cache-clock may be the wall's, which also goes backwards */
	return age > 0 ? (uint32_t)age : 0;
}

/* Copies one slot out. false when what was read cannot be an answer to a question of q's length,
 * torn readings included; nothing is believed yet. */
static bool find_copy(const struct cache_slab_head *slot, const struct cache_question *q,
	uint8_t *mem, size_t cap, struct entry *e, struct answer_blob *out)
{
	uint32_t len = cache_slab_len(slot);
	size_t question = DNS_HEADER_LEN + (size_t)q->name_len + 4, skip, n;

	cache_slab_copy(slot, 0, e, sizeof(*e));
	skip = sizeof(*e) + offsets_len(e->n_ttl);
	if (e->n_ttl > ANSWER_TTL_OFFSETS || e->name_len != q->name_len ||
		len < skip + question - WIRE_FROM)
		return false;
	out->len = (uint16_t)(len - skip + WIRE_FROM);
	/* Whole words where there is room: what they hold beyond the wire is zeros. */
	n = ((out->len - WIRE_FROM + 7u) & ~(size_t)7) + WIRE_FROM;
	if (n > cap)
		n = out->len <= cap ? out->len : question;
	out->ttl_off[0] = e->ttl_off;
	cache_slab_copy(slot, ENTRY_WORDS, out->ttl_off + 1,
		e->n_ttl < 2 ? 0 : (e->n_ttl - 1u) * sizeof(uint16_t));
	cache_slab_copy(slot, skip / 8, mem + WIRE_FROM, n - WIRE_FROM);
	return true;
}

static bool is_question(
	const struct cache_question *q, const struct entry *e, const uint8_t *question)
{
	const uint8_t *tail = question + q->name_len;

	if ((e->bits & (ENTRY_DO | ENTRY_CD)) != question_bits(q) ||
		(tail[0] << 8 | tail[1]) != q->type || (tail[2] << 8 | tail[3]) != q->class)
		return false;
	/* most clients write in lower case */
	return memcmp(question, q->name, q->name_len) == 0 || dname_equal(question, q->name);
}

/* One caller refreshes what has been asked for since the hand came by and is about to expire. */
static bool elect(struct cache_slab_head *slot, uint8_t ref, const struct entry *e, uint32_t age_s)
{
	uint8_t mark = 0;

	return ref > 0 && (uint64_t)(e->ttl_s - age_s) * PREFETCH_PART < e->ttl_s &&
	       __atomic_load_n(&slot->mark, __ATOMIC_RELAXED) == 0 &&
	       __atomic_compare_exchange_n(&slot->mark, &mark, MARK_REFRESHED, false,
		       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The rest of it; find_copy has set the length and the offsets. */
static void fill_blob(const struct entry *e, const uint8_t *mem, struct answer_blob *out)
{
	out->rcode = e->rcode;
	out->security = e->bits >> SECURITY_SHIFT;
	out->n_ttl = e->n_ttl;
	out->question_len = (uint16_t)(e->name_len + 4);
	out->is_aa = e->bits & ENTRY_AA;
	out->ede = e->ede == EDE_NONE ? DNS_EDE_NONE : e->ede;
	out->ttl_s = e->ttl_s;
	out->wire = mem;
}

enum cache_result cache_find(struct cache *c, const struct cache_question *q, uint32_t generation,
	int64_t now_ms, uint8_t *mem, size_t cap, struct answer_blob *out, uint32_t *age_s)
{
	for (int tries = 0; tries < CACHE_SLAB_TRIES; tries++) {
		struct cache_slab_walk w = cache_slab_begin(c->slab, q->hash);
		bool is_torn = false;

		while (!is_torn && cache_slab_next(&w)) {
			struct entry e;
			bool is_fit = find_copy(w.slot, q, mem, cap, &e, out);
			uint32_t expires_s = cache_slab_expires_s(w.slot);
			uint8_t ref;

			is_torn = !cache_slab_is_same(&w);
			if (is_torn || !is_fit || !is_question(q, &e, mem + DNS_HEADER_LEN))
				continue;
			*age_s = entry_age_s(&e, expires_s, now_ms);
			if (*age_s >= e.ttl_s)
				return CACHE_MISS;
			fill_blob(&e, mem, out);
			ref = cache_slab_touch(w.slot);
			if (e.generation != generation)
				return CACHE_OLD_POLICY;
			return elect(w.slot, ref, &e, *age_s) ? CACHE_HIT_REFRESH : CACHE_HIT;
		}
		if (!is_torn)
			return CACHE_MISS;
	}
	return CACHE_MISS;
}

/* ---- writing ---- */

/* Where the question stands in a slot's value; under the lock. */
static const uint8_t *slot_question(const struct cache_slab_head *slot, struct entry *e)
{
	memcpy(e, slot->value, sizeof(*e));
	return (const uint8_t *)slot->value + sizeof(*e) + offsets_len(e->n_ttl) + DNS_HEADER_LEN -
	       WIRE_FROM;
}

static bool match_question(const void *arg, const struct cache_slab_head *slot)
{
	const struct cache_question *q = arg;
	struct entry e;
	const uint8_t *question = slot_question(slot, &e);

	return e.name_len == q->name_len && is_question(q, &e, question);
}

/* What precedes the wire, and the wire up to the end of the question and the next word. */
struct front_piece {
	struct entry e;
	uint8_t rest[OFFSETS_MAX + 8 + QUESTION_MAX + 8];
};

static struct entry entry_of(
	const struct cache_question *q, const struct answer_blob *blob, uint32_t generation)
{
	bool is_told = blob->ede >= 0 && blob->ede < EDE_NONE;

	return (struct entry){
		.ttl_s = blob->ttl_s,
		.generation = generation,
		.ttl_off = blob->n_ttl ? blob->ttl_off[0] : 0,
		.rcode = blob->rcode,
		.n_ttl = blob->n_ttl,
		.name_len = q->name_len,
		.bits = (uint8_t)(question_bits(q) | (blob->is_aa ? ENTRY_AA : 0) |
				  blob->security << SECURITY_SHIFT),
		.ede = is_told ? (uint8_t)blob->ede : EDE_NONE,
	};
}

static bool is_storable(const struct cache_question *q, const struct answer_blob *blob)
{
	return blob->ttl_s > 0 && blob->n_ttl <= ANSWER_TTL_OFFSETS &&
	       blob->question_len == q->name_len + 4u &&
	       blob->len >= DNS_HEADER_LEN + blob->question_len &&
	       dname_equal(blob->wire + DNS_HEADER_LEN, q->name);
}

void cache_put(struct cache *c, const struct cache_question *q, const struct answer_blob *blob,
	uint32_t generation, int64_t now_ms)
{
	size_t offsets, front, kept = (size_t)blob->len - WIRE_FROM;
	uint64_t expires_s = (uint64_t)now_ms / 1000 + blob->ttl_s;
	struct cache_slab_piece pieces[2];
	struct cache_slab_value value = {.pieces = pieces,
		.n_pieces = 2,
		.expires_s = expires_s < UINT32_MAX ? (uint32_t)expires_s : UINT32_MAX};
	struct front_piece head;

	if (!is_storable(q, blob))
		return;
	offsets = offsets_len(blob->n_ttl);
	head.e = entry_of(q, blob, generation);
	memset(head.rest, 0, offsets);
	if (blob->n_ttl > 1)
		memcpy(head.rest, blob->ttl_off + 1, (blob->n_ttl - 1u) * sizeof(uint16_t));
	front = ((size_t)DNS_HEADER_LEN - WIRE_FROM + blob->question_len + 7) & ~(size_t)7;
	if (front > kept)
		front = kept;
	memcpy(head.rest + offsets, blob->wire + WIRE_FROM, front);
	dname_lower(head.rest + offsets + DNS_HEADER_LEN - WIRE_FROM, q->name_len);
	pieces[0] = (struct cache_slab_piece){&head, sizeof(head.e) + offsets + front};
	pieces[1] = (struct cache_slab_piece){blob->wire + WIRE_FROM + front, kept - front};
	cache_slab_lock(c->slab, q->hash);
	(void)cache_slab_put(c->slab, q->hash, match_question, q, &value, now_ms);
	cache_slab_unlock(c->slab, q->hash);
}

void cache_restamp(struct cache *c, const struct cache_question *q, uint32_t generation)
{
	struct cache_slab_head *slot;

	cache_slab_lock(c->slab, q->hash);
	slot = cache_slab_get(c->slab, q->hash, match_question, q);
	if (slot) {
		struct entry e;
		uint64_t word;

		memcpy(&e, slot->value, sizeof(e));
		e.generation = generation;
		memcpy(&word, (uint8_t *)&e + GENERATION_WORD * 8, 8);
		cache_slab_set_word(slot, GENERATION_WORD, word);
	}
	cache_slab_unlock(c->slab, q->hash);
}

/* ---- control ---- */

struct flush {
	const uint8_t *name;
	bool is_tree;
};

static bool flush_wants(void *arg, const struct cache_slab_head *slot)
{
	const struct flush *f = arg;
	struct entry e;
	const uint8_t *name = slot_question(slot, &e);

	if (f->name == NULL)
		return true;
	return f->is_tree ? dname_is_under(name, f->name) : dname_equal(name, f->name);
}

size_t cache_flush(struct cache *c, const uint8_t *name, bool is_tree)
{
	struct flush f = {name, is_tree};

	return cache_slab_sweep(c->slab, flush_wants, &f);
}

void cache_usage(const struct cache *c, struct cache_usage *out)
{
	cache_slab_usage(c->slab, out);
}
