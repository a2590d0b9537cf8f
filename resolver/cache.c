/* SPDX-License-Identifier: Apache-2.0 */
/* A value of the slab: struct entry, the TTL offsets padded to eight octets, then the wire from its
 * fifth octet on (the counts; id and flags are the client's) with the question in lower case. The
 * question is the key: it is compared after the copy, so the name is not kept twice. */
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
#define REACH_LINES    2 /* cache lines of an entry fetched ahead: 128 octets */
#define MARK_REFRESHED 1 /* of a slot: somebody was elected */

struct entry {
	uint32_t stored_s, ttl_s;
	uint32_t generation;
	uint16_t wire_len;
	uint16_t rcode;
	int16_t ede;
	uint8_t security;
	uint8_t n_ttl;
	uint16_t question_len;
	uint8_t bits; /* enum entry_bit */
	uint8_t pad;
};
enum entry_bit { ENTRY_AA = 1, ENTRY_DO = 2, ENTRY_CD = 4 };

_Static_assert(sizeof(struct entry) == 24, "part of what an answer costs");
/* The generation is in the second word, beside the lengths. */
#define GENERATION_WORD (offsetof(struct entry, generation) / 8)

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
	__builtin_prefetch(cache_slab_bucket(c->slab, hash, false));
	__builtin_prefetch(cache_slab_bucket(c->slab, hash, true));
}

void cache_reach(const struct cache *c, uint64_t hash)
{
	const uint64_t *bucket = cache_slab_bucket(c->slab, hash, false);
	uint32_t hits = cache_slab_tags(bucket, hash);
	uint64_t word;

	if (hits == 0) {
		bucket = cache_slab_bucket(c->slab, hash, true);
		hits = cache_slab_tags(bucket, hash);
		if (hits == 0)
			return;
	}
	word = __atomic_load_n(&bucket[__builtin_ctz(hits)], __ATOMIC_RELAXED);
	if ((uint32_t)word == 0)
		return;
	for (int i = 0; i < REACH_LINES; i++)
		__builtin_prefetch((const uint8_t *)cache_slab_slot(c->slab, word) + 64 * i);
}

/* ---- reading ---- */

static size_t offsets_len(unsigned n_ttl)
{
	return (n_ttl * sizeof(uint16_t) + 7) & ~(size_t)7;
}

static uint32_t entry_age_s(const struct entry *e, int64_t now_ms)
{
	int64_t age = now_ms / 1000 - e->stored_s;

	/* cache-clock may be the wall's, which also goes backwards */
	return age > 0 ? (uint32_t)age : 0;
}

/* Copies one slot out. false when what was read cannot be an answer to a question of q's length,
 * torn readings included; nothing is believed yet. */
static bool find_copy(const struct cache_slab_head *slot, const struct cache_question *q,
	uint8_t *mem, size_t cap, struct entry *e, struct answer_blob *out)
{
	uint32_t len = cache_slab_len(slot);
	size_t skip, n;

	cache_slab_copy(slot, 0, e, sizeof(*e));
	skip = offsets_len(e->n_ttl);
	if (e->n_ttl > ANSWER_TTL_OFFSETS || e->question_len != q->name_len + 4 ||
		e->wire_len < DNS_HEADER_LEN + e->question_len ||
		sizeof(*e) + skip + e->wire_len - WIRE_FROM != len)
		return false;
	/* Whole words where there is room: what they hold beyond the wire is zeros. */
	n = (((size_t)e->wire_len - WIRE_FROM + 7) & ~(size_t)7) + WIRE_FROM;
	if (n > cap)
		n = e->wire_len <= cap ? e->wire_len : DNS_HEADER_LEN + (size_t)e->question_len;
	cache_slab_copy(slot, ENTRY_WORDS, out->ttl_off, skip);
	cache_slab_copy(slot, ENTRY_WORDS + skip / 8, mem + WIRE_FROM, n - WIRE_FROM);
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

static void fill_blob(const struct entry *e, const uint8_t *mem, struct answer_blob *out)
{
	out->len = e->wire_len;
	out->rcode = e->rcode;
	out->security = e->security;
	out->n_ttl = e->n_ttl;
	out->question_len = e->question_len;
	out->is_aa = e->bits & ENTRY_AA;
	out->ede = e->ede;
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
			uint8_t ref;

			is_torn = !cache_slab_is_same(&w);
			if (is_torn || !is_fit || !is_question(q, &e, mem + DNS_HEADER_LEN))
				continue;
			*age_s = entry_age_s(&e, now_ms);
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

	return e.question_len == q->name_len + 4 && is_question(q, &e, question);
}

void cache_put(struct cache *c, const struct cache_question *q, const struct answer_blob *blob,
	uint32_t generation, int64_t now_ms)
{
	/* The value up to the end of the question, and to the next word: in lower case. */
	struct {
		struct entry e;
		uint8_t rest[OFFSETS_MAX + 8 + QUESTION_MAX + 8];
	} head;
	size_t offsets = offsets_len(blob->n_ttl), kept = (size_t)blob->len - WIRE_FROM, front;
	struct cache_slab_piece pieces[2];
	uint64_t expires_s = (uint64_t)now_ms / 1000 + blob->ttl_s;

	if (blob->ttl_s == 0 || blob->n_ttl > ANSWER_TTL_OFFSETS ||
		blob->question_len != q->name_len + 4u ||
		blob->len < DNS_HEADER_LEN + blob->question_len ||
		!dname_equal(blob->wire + DNS_HEADER_LEN, q->name))
		return;
	head.e = (struct entry){
		.stored_s = (uint32_t)(now_ms / 1000),
		.ttl_s = blob->ttl_s,
		.generation = generation,
		.wire_len = blob->len,
		.rcode = blob->rcode,
		.ede = blob->ede,
		.security = blob->security,
		.n_ttl = blob->n_ttl,
		.question_len = blob->question_len,
		.bits = (uint8_t)(question_bits(q) | (blob->is_aa ? ENTRY_AA : 0)),
	};
	memset(head.rest, 0, offsets);
	memcpy(head.rest, blob->ttl_off, blob->n_ttl * sizeof(uint16_t));
	front = ((size_t)DNS_HEADER_LEN - WIRE_FROM + blob->question_len + 7) & ~(size_t)7;
	if (front > kept)
		front = kept;
	memcpy(head.rest + offsets, blob->wire + WIRE_FROM, front);
	dname_lower(head.rest + offsets + DNS_HEADER_LEN - WIRE_FROM, q->name_len);
	pieces[0] = (struct cache_slab_piece){&head, sizeof(head.e) + offsets + front};
	pieces[1] = (struct cache_slab_piece){blob->wire + WIRE_FROM + front, kept - front};
	cache_slab_lock(c->slab, q->hash);
	(void)cache_slab_put(c->slab, q->hash, match_question, q, pieces, 2,
		expires_s < UINT32_MAX ? (uint32_t)expires_s : UINT32_MAX, now_ms);
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
