/* SPDX-License-Identifier: Apache-2.0 */
/* Times follow RFC 6298: rto = srtt + 4 rttvar, doubled for each timeout in a row. Timeouts belong
 * to an epoch; those of an older epoch do not count, which is how everything is forgotten at once.
 * Lameness and the families need no exactness: they are single relaxed words. */
#include "resolver/servers.h"

#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "dns/dname.h"

enum { SERVERS_WAYS = 4, SERVERS_FAMILIES = 2, SERVERS_SHIFT_MAX = 6 };

struct servers_entry {
	struct ip_port at; /* family 0: free */
	uint8_t n_timeouts;
	uint8_t traits;
	uint8_t cookie_len;
	bool is_known;
	uint32_t epoch; /* that n_timeouts belongs to */
	uint32_t srtt_us, rttvar_us;
	int64_t heard_ms;  /* last change: eviction, age */
	int64_t probe_ms;  /* when dead: not before this */
	int64_t traits_ms; /* traits other than EDNS_OK hold until then */
	uint8_t cookie[SERVERS_COOKIE_MAX];
};

struct servers_bucket {
	uint32_t lock;
	struct servers_entry way[SERVERS_WAYS];
} __attribute__((aligned(64)));

struct servers_family {
	uint32_t n_fails; /* servers in a row without an answer */
	int64_t rest_until_ms;
};

struct servers {
	struct hash_key key, cookie_key;
	size_t n_buckets; /* power of two */
	struct servers_bucket *buckets;
	uint64_t *lame; /* SERVERS_LAME words: 40 bits of hash, 24 bits of seconds */
	/* relaxed atomics */
	uint32_t epoch;
	uint32_t n_silent; /* timeouts since the last reply of anybody */
	int64_t silent_since_ms;
	struct servers_family family[SERVERS_FAMILIES];
};

#define servers_load(p)	    __atomic_load_n((p), __ATOMIC_RELAXED)
#define servers_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

struct servers *servers_new(size_t n_entries)
{
	struct servers *s = xcalloc(1, sizeof(*s));
	size_t n = 1;

	if (n_entries == 0)
		n_entries = SERVERS_ENTRIES;
	while (n * SERVERS_WAYS < n_entries)
		n *= 2;
	s->key = hash_key_random();
	s->cookie_key = hash_key_random();
	s->n_buckets = n;
	s->buckets = xcalloc(n, sizeof(*s->buckets));
	s->lame = xcalloc(SERVERS_LAME, sizeof(*s->lame));
	s->epoch = 1;
	return s;
}

void servers_free(struct servers *s)
{
	if (!s)
		return;
	xfree(s->buckets);
	xfree(s->lame);
	xfree(s);
}

static uint64_t servers_hash(const struct hash_key *key, const struct ip_port *at)
{
	uint8_t flat[1 + 16 + 2 + 4];

	flat[0] = at->ip.family;
	memcpy(flat + 1, at->ip.bytes, 16);
	memcpy(flat + 17, &at->port, 2);
	memcpy(flat + 19, &at->scope_id, 4);
	return hash_bytes(key, flat, sizeof(flat));
}

static void servers_lock(struct servers_bucket *b)
{
	while (__atomic_exchange_n(&b->lock, 1, __ATOMIC_ACQUIRE)) {
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#endif
	}
}

static void servers_unlock(struct servers_bucket *b)
{
	__atomic_store_n(&b->lock, 0, __ATOMIC_RELEASE);
}

static struct servers_bucket *servers_bucket(struct servers *s, const struct ip_port *at)
{
	return &s->buckets[servers_hash(&s->key, at) & (s->n_buckets - 1)];
}

/* With the bucket locked. NULL when it is not there. */
static struct servers_entry *servers_find(struct servers_bucket *b, const struct ip_port *at)
{
	for (int i = 0; i < SERVERS_WAYS; i++) {
		if (b->way[i].at.ip.family && ip_port_equal(&b->way[i].at, at))
			return &b->way[i];
	}
	return NULL;
}

/* With the bucket locked. Takes the place of whoever was unused longest. */
static struct servers_entry *servers_make(
	struct servers *s, struct servers_bucket *b, const struct ip_port *at, int64_t now_ms)
{
	struct servers_entry *e = servers_find(b, at), *oldest = &b->way[0];

	if (!e) {
		for (int i = 0; i < SERVERS_WAYS; i++) {
			if (!b->way[i].at.ip.family) {
				oldest = &b->way[i];
				break;
			}
			if (b->way[i].heard_ms < oldest->heard_ms)
				oldest = &b->way[i];
		}
		e = oldest;
		*e = (struct servers_entry){.at = *at, .epoch = servers_load(&s->epoch)};
	}
	if (e->epoch != servers_load(&s->epoch)) {
		e->epoch = servers_load(&s->epoch);
		e->n_timeouts = 0;
		e->probe_ms = 0;
	}
	e->heard_ms = now_ms;
	return e;
}

static uint32_t servers_rto(const struct servers_entry *e, unsigned n_timeouts)
{
	uint64_t ms = SERVERS_RTO_FIRST_MS;
	unsigned shift = n_timeouts < SERVERS_SHIFT_MAX ? n_timeouts : SERVERS_SHIFT_MAX;

	if (e && e->is_known)
		ms = ((uint64_t)e->srtt_us + 4 * (uint64_t)e->rttvar_us) / 1000;
	if (ms < SERVERS_RTO_FLOOR_MS)
		ms = SERVERS_RTO_FLOOR_MS;
	ms <<= shift;
	return ms < SERVERS_RTO_MAX_MS ? (uint32_t)ms : SERVERS_RTO_MAX_MS;
}

void servers_get(
	struct servers *s, const struct ip_port *at, int64_t now_ms, struct servers_info *out)
{
	struct servers_bucket *b = servers_bucket(s, at);
	struct servers_entry *e;

	*out = (struct servers_info){.rto_ms = SERVERS_RTO_FIRST_MS};
	servers_lock(b);
	e = servers_find(b, at);
	if (e) {
		bool is_current = e->epoch == servers_load(&s->epoch);

		out->is_known = e->is_known;
		out->n_timeouts = is_current ? e->n_timeouts : 0;
		out->is_dead = out->n_timeouts >= SERVERS_DEAD_AFTER;
		out->traits = now_ms < e->traits_ms ? e->traits : e->traits & SERVERS_EDNS_OK;
		out->cookie_len = e->cookie_len;
		memcpy(out->cookie, e->cookie, e->cookie_len);
		out->srtt_ms = e->srtt_us / 1000;
		out->rttvar_ms = e->rttvar_us / 1000;
		out->rto_ms = servers_rto(e, out->n_timeouts);
		out->heard_ms = e->heard_ms;
	}
	servers_unlock(b);
}

static struct servers_family *servers_family(const struct servers *s, int family)
{
	return (struct servers_family *)&s->family[family == AF_INET6];
}

/* The first word from anybody: what was counted while nobody could answer counts no more. */
static void servers_on_word(struct servers *s, int family, int64_t now_ms)
{
	struct servers_family *f = servers_family(s, family);

	if (servers_is_offline(s, now_ms))
		servers_forget_failures(s);
	if (servers_load(&s->n_silent))
		servers_store(&s->n_silent, 0);
	if (servers_load(&f->n_fails) || servers_load(&f->rest_until_ms)) {
		servers_store(&f->n_fails, 0);
		servers_store(&f->rest_until_ms, 0);
	}
}

void servers_on_reply(struct servers *s, const struct ip_port *at, int64_t rtt_ms, int64_t now_ms)
{
	struct servers_bucket *b = servers_bucket(s, at);
	struct servers_entry *e;

	servers_on_word(s, at->ip.family, now_ms);
	servers_lock(b);
	e = servers_make(s, b, at, now_ms);
	e->n_timeouts = 0;
	e->probe_ms = 0;
	if (rtt_ms >= 0) {
		uint32_t rtt_us = rtt_ms < 60000 ? (uint32_t)rtt_ms * 1000 : 60000000;

		if (!e->is_known) {
			e->srtt_us = rtt_us;
			e->rttvar_us = rtt_us / 2;
		} else {
			uint32_t off =
				rtt_us > e->srtt_us ? rtt_us - e->srtt_us : e->srtt_us - rtt_us;

			e->rttvar_us = e->rttvar_us / 4 * 3 + off / 4;
			e->srtt_us = e->srtt_us / 8 * 7 + rtt_us / 8;
		}
		e->is_known = true;
	}
	servers_unlock(b);
}

/* One more server of this family that says nothing. */
static void servers_family_fail(struct servers *s, int family, uint32_t weight, int64_t now_ms)
{
	struct servers_family *f = servers_family(s, family);
	uint32_t n = servers_load(&f->n_fails) + weight;

	servers_store(&f->n_fails, n);
	if (n >= SERVERS_FAMILY_FAILS) {
		/* After the rest one failure more is enough for the next one. */
		servers_store(&f->n_fails, SERVERS_FAMILY_FAILS - 1);
		servers_store(&f->rest_until_ms, now_ms + SERVERS_FAMILY_REST_MS);
	}
}

static void servers_fail(
	struct servers *s, const struct ip_port *at, uint32_t family_weight, int64_t now_ms)
{
	struct servers_bucket *b = servers_bucket(s, at);
	struct servers_entry *e;
	bool is_first;

	servers_lock(b);
	e = servers_make(s, b, at, now_ms);
	is_first = e->n_timeouts == 0;
	if (e->n_timeouts < UINT8_MAX)
		e->n_timeouts++;
	if (e->n_timeouts >= SERVERS_DEAD_AFTER) {
		unsigned n = e->n_timeouts - SERVERS_DEAD_AFTER;
		int64_t rest = (int64_t)SERVERS_PROBE_MIN_MS << (n < 4 ? n : 4);

		e->probe_ms = now_ms + (rest < SERVERS_PROBE_MAX_MS ? rest : SERVERS_PROBE_MAX_MS);
	}
	servers_unlock(b);
	if (is_first || family_weight > 1)
		servers_family_fail(s, at->ip.family, family_weight, now_ms);
	if (__atomic_fetch_add(&s->n_silent, 1, __ATOMIC_RELAXED) == 0)
		servers_store(&s->silent_since_ms, now_ms);
}

void servers_on_timeout(struct servers *s, const struct ip_port *at, int64_t now_ms)
{
	servers_fail(s, at, 1, now_ms);
}

void servers_on_unreachable(struct servers *s, const struct ip_port *at, int64_t now_ms)
{
	/* The kernel's word weighs more than silence: two of them will do. */
	servers_fail(s, at, SERVERS_FAMILY_FAILS / 2, now_ms);
}

void servers_on_slower(
	struct servers *s, const struct ip_port *at, int64_t elapsed_ms, int64_t now_ms)
{
	struct servers_bucket *b = servers_bucket(s, at);
	struct servers_entry *e;

	if (elapsed_ms <= 0 || elapsed_ms > SERVERS_RTO_MAX_MS)
		return;
	servers_lock(b);
	e = servers_find(b, at);
	if (e && e->is_known && (uint32_t)elapsed_ms * 1000 > e->srtt_us) {
		e->srtt_us = e->srtt_us / 8 * 7 + (uint32_t)elapsed_ms * 1000 / 8;
		e->heard_ms = now_ms;
	}
	servers_unlock(b);
}

void servers_set_trait(
	struct servers *s, const struct ip_port *at, enum servers_trait t, int64_t now_ms)
{
	struct servers_bucket *b = servers_bucket(s, at);
	struct servers_entry *e;

	servers_lock(b);
	e = servers_make(s, b, at, now_ms);
	if (t == SERVERS_EDNS_OK) {
		e->traits = (uint8_t)((e->traits | SERVERS_EDNS_OK) & ~SERVERS_NO_EDNS);
	} else {
		if (now_ms >= e->traits_ms)
			e->traits &= SERVERS_EDNS_OK;
		if (t == SERVERS_NO_EDNS)
			e->traits &= (uint8_t)~SERVERS_EDNS_OK;
		e->traits |= (uint8_t)t;
		e->traits_ms = now_ms + SERVERS_TRAIT_MS;
	}
	servers_unlock(b);
}

void servers_set_cookie(struct servers *s, const struct ip_port *at, const uint8_t *cookie,
	size_t len, int64_t now_ms)
{
	struct servers_bucket *b = servers_bucket(s, at);
	struct servers_entry *e;

	if (len > SERVERS_COOKIE_MAX)
		return;
	servers_lock(b);
	e = servers_make(s, b, at, now_ms);
	e->cookie_len = (uint8_t)len;
	memcpy(e->cookie, cookie, len);
	servers_unlock(b);
}

bool servers_take_probe(struct servers *s, const struct ip_port *at, bool dead_only, int64_t now_ms)
{
	struct servers_bucket *b = servers_bucket(s, at);
	struct servers_entry *e;
	bool is_worth, is_dead;
	int64_t heard_ms;

	servers_lock(b);
	e = servers_find(b, at);
	heard_ms = e ? e->heard_ms : now_ms;
	is_dead = e && e->epoch == servers_load(&s->epoch) && e->n_timeouts >= SERVERS_DEAD_AFTER;
	is_worth = is_dead ||
		   (!dead_only && (!e || !e->is_known || now_ms - e->heard_ms >= SERVERS_FRESH_MS));
	if (e && now_ms < e->probe_ms)
		is_worth = false;
	if (is_worth) {
		e = servers_make(s, b, at, now_ms);
		e->heard_ms = heard_ms;
		e->probe_ms = now_ms + SERVERS_PROBE_MIN_MS;
	}
	servers_unlock(b);
	return is_worth;
}

void servers_client_cookie(const struct servers *s, const struct ip_port *at, uint8_t out[8])
{
	uint64_t h = servers_hash(&s->cookie_key, at);

	memcpy(out, &h, 8);
}

/* ---- lameness: hash of (server, zone) -> until when, in one word ---- */

enum { SERVERS_LAME_BITS = 24 };
#define SERVERS_LAME_MASK ((UINT64_C(1) << SERVERS_LAME_BITS) - 1)

static uint64_t *servers_lame_word(
	const struct servers *s, const struct ip_port *at, const uint8_t *zone, uint64_t *out_tag)
{
	uint64_t h = dname_hash(&s->key, zone, dname_len(zone)) ^ servers_hash(&s->cookie_key, at);

	*out_tag = h & ~SERVERS_LAME_MASK;
	return &s->lame[h & (SERVERS_LAME - 1)];
}

bool servers_is_lame(
	const struct servers *s, const struct ip_port *at, const uint8_t *zone, int64_t now_ms)
{
	uint64_t tag, word = servers_load(servers_lame_word(s, at, zone, &tag));
	uint64_t left;

	if (!word || (word & ~SERVERS_LAME_MASK) != tag)
		return false;
	left = ((word & SERVERS_LAME_MASK) - (uint64_t)(now_ms / 1000)) & SERVERS_LAME_MASK;
	return left > 0 && left <= SERVERS_TRAIT_MS / 1000;
}

void servers_set_lame(
	struct servers *s, const struct ip_port *at, const uint8_t *zone, int64_t now_ms)
{
	uint64_t tag, *word = servers_lame_word(s, at, zone, &tag);
	uint64_t until = (uint64_t)(now_ms + SERVERS_TRAIT_MS) / 1000 & SERVERS_LAME_MASK;

	servers_store(word, tag | until);
}

/* ---- the network as a whole ---- */

bool servers_family_is_down(const struct servers *s, int family, int64_t now_ms)
{
	return now_ms < servers_load(&servers_family(s, family)->rest_until_ms);
}

bool servers_is_offline(const struct servers *s, int64_t now_ms)
{
	return servers_load(&s->n_silent) >= SERVERS_OFFLINE_AFTER &&
	       now_ms - servers_load(&s->silent_since_ms) >= SERVERS_OFFLINE_MS;
}

void servers_forget_failures(struct servers *s)
{
	__atomic_fetch_add(&s->epoch, 1, __ATOMIC_RELAXED);
	servers_store(&s->n_silent, 0);
	for (int i = 0; i < SERVERS_FAMILIES; i++) {
		servers_store(&s->family[i].n_fails, 0);
		servers_store(&s->family[i].rest_until_ms, 0);
	}
}

uint32_t servers_epoch(const struct servers *s)
{
	return servers_load(&s->epoch);
}
