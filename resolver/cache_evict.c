/* SPDX-License-Identifier: Apache-2.0 */
/* Where free slots come from: fresh pages, slots given back, CLOCK, and other classes.
 *
 * Within a class: CLOCK. Each class of a shard has its pages in a ring and a hand that starts at a
 * place of its own (a fixed start lets a scan evict in step with insertion). A new value starts at
 * 0, a hit raises the counter to at most 3, the hand takes one off; what it finds at 0 or expired
 * is taken. A little ahead of the hand an expired value is preferred. The hand's way is bounded, so
 * a put costs a bounded time however hot everything is.
 *
 * Between classes: equal age. How long a class's hand needs for one lap is how long an unused value
 * of that size survives. When a class has evicted a page's worth, it compares: if another class's
 * lap takes more than twice as long, it takes over the page at that class's hand. Popular values of
 * that page move to other slots of their class first; a page of nothing but popular values is
 * cooled instead, like a value under CLOCK, and its class counts as young again. Nobody loses the
 * last page this way, but a class that has none at all takes one without asking. So when answers
 * grow from small to large (or back) the memory follows within a few laps, and a flood of fat
 * answers evicts fat answers first.
 *
 * A page that changes its class could show an old reader a head that was never one: data under an
 * attacker's influence, read at old boundaries. The shard's layout number grows between the removal
 * of the page's words from the index and the first write to it; readers compare it before and
 * after, like the slot's own number. */
#include <assert.h>

#include "resolver/cache_inner.h"

#define CLOCK_STEPS  512 /* slots a hand may pass for one put: some 5 us */
#define CLOCK_PEEK   7	 /* slots ahead of the hand looked at for an expired value */
#define MOVE_MAX     64	 /* popular values moved when a page changes its class */
#define AGE_SLACK_MS 1000

void cache_evict_give_back(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot)
{
	uint32_t page = cache_slot_page(s, slot);
	struct cache_slab_page *p = &s->pages[page];
	struct cache_slab_class *k = &sh->classes[p->class];
	size_t at = (size_t)((uint8_t *)slot - s->arena) % CACHE_SLAB_PAGE;

	__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->hash, p->free_slot, __ATOMIC_RELAXED);
	if (p->free_slot == 0) {
		p->free_next = k->free_page;
		k->free_page = page;
	}
	p->free_slot = (uint16_t)(at / CACHE_CLASS_BYTES[p->class] + 1);
}

uint64_t *cache_evict_word(
	struct cache_slab *s, struct cache_slab_shard *sh, uint64_t hash, int64_t now_ms)
{
	uint64_t *bucket = cache_slab_bucket(sh->view->index, sh->view->n_buckets, hash, false);
	struct cache_slab_head *victim;
	unsigned found = 0;
	int least = CACHE_SLAB_REF_MAX + 1;

	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++) {
		const struct cache_slab_head *slot = cache_slab_slot(s, bucket[i]);
		int worth = cache_slot_has_expired(slot, now_ms) ? -1 : cache_slot_ref(slot);

		if (worth < least) {
			least = worth;
			found = i;
		}
	}
	victim = cache_slab_slot(s, bucket[found]);
	cache_index_unlink(s, sh, victim);
	cache_evict_give_back(s, sh, victim);
	cache_count(&sh->evicted, 1);
	return &bucket[found];
}

/* ---- pages ---- */

static void class_add_page(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t c,
	uint32_t page, int64_t now_ms)
{
	struct cache_slab_class *k = &sh->classes[c];

	s->pages[page].class = (uint8_t)c;
	if (k->n_pages++ == 0) {
		s->pages[page].next = page;
		k->hand_page = page;
		k->hand_slot = (uint32_t)(page * 0x9e3779b9u) % cache_class_slots(c);
		k->lap_left = 0;
		k->lap_start_ms = now_ms;
		k->last_lap_ms = 0;
	} else {
		s->pages[page].next = s->pages[k->hand_page].next;
		s->pages[k->hand_page].next = page;
	}
	k->lap_left += cache_class_slots(c);
	k->fill_page = page;
	k->fill_slot = 0;
	k->churn = 0;
}

/* Takes the page at the hand out of the class. Its values are still in the index. */
static uint32_t class_drop_page(struct cache_slab *s, struct cache_slab_class *k, uint32_t c)
{
	uint32_t page = k->hand_page, before = page;

	for (uint32_t *link = &k->free_page; *link != CACHE_NO_PAGE;
		link = &s->pages[*link].free_next) {
		if (*link == page) {
			*link = s->pages[page].free_next;
			break;
		}
	}
	s->pages[page].free_slot = 0;
	while (s->pages[before].next != page)
		before = s->pages[before].next;
	s->pages[before].next = s->pages[page].next;
	if (k->fill_page == page)
		k->fill_page = CACHE_NO_PAGE;
	k->hand_slot = 0;
	k->hand_page = --k->n_pages ? s->pages[page].next : CACHE_NO_PAGE;
	if (k->lap_left > k->n_pages * cache_class_slots(c))
		k->lap_left = k->n_pages * cache_class_slots(c);
	return page;
}

/* A page nobody has used, or CACHE_NO_PAGE. */
static uint32_t page_draw(struct cache_slab *s, struct cache_slab_shard *sh)
{
	uint32_t page;

	if (sh->n_pages == sh->quota)
		return CACHE_NO_PAGE;
	page = __atomic_fetch_add(&s->pages_used, 1, __ATOMIC_RELAXED);
	assert(page < s->n_pages); /* the quotas add up to no more */
	sh->n_pages++;
	s->pages[page].shard = (uint16_t)sh->id;
	__atomic_store_n(&s->pages[page].is_ready, 1, __ATOMIC_RELEASE);
	return page;
}

static int64_t class_age_ms(const struct cache_slab_class *k, int64_t now_ms)
{
	int64_t lap = now_ms - k->lap_start_ms;

	return lap > k->last_lap_ms ? lap : k->last_lap_ms;
}

/* ---- CLOCK ---- */

static struct cache_slab_head *hand_slot(
	const struct cache_slab *s, const struct cache_slab_class *k, uint32_t c)
{
	return cache_page_slot(s, k->hand_page, c, k->hand_slot);
}

static void hand_move(struct cache_slab *s, struct cache_slab_class *k, uint32_t c, int64_t now_ms)
{
	if (++k->hand_slot >= cache_class_slots(c)) {
		k->hand_slot = 0;
		k->hand_page = s->pages[k->hand_page].next;
	}
	if (k->lap_left <= 1) {
		k->last_lap_ms = now_ms - k->lap_start_ms;
		k->lap_start_ms = now_ms;
		k->lap_left = k->n_pages * cache_class_slots(c);
	} else {
		k->lap_left--;
	}
}

/* The hand stands before a value that nobody asked for. If one close ahead on its page has expired,
 * it goes there: what it leaves out has one lap more. */
static void hand_seek_expired(
	const struct cache_slab *s, struct cache_slab_class *k, uint32_t c, int64_t now_ms)
{
	uint32_t end = k->hand_slot + 1 + CLOCK_PEEK;

	for (uint32_t i = k->hand_slot + 1; i < end && i < cache_class_slots(c); i++) {
		if (cache_slot_has_expired(cache_page_slot(s, k->hand_page, c, i), now_ms)) {
			uint32_t left_out = i - k->hand_slot;

			k->hand_slot = i;
			k->lap_left = k->lap_left > left_out ? k->lap_left - left_out : 1;
			return;
		}
	}
}

/* A free slot of a class that has pages; what was in it is gone. */
static struct cache_slab_head *class_evict(
	struct cache_slab *s, struct cache_slab_shard *sh, uint32_t c, int64_t now_ms)
{
	struct cache_slab_class *k = &sh->classes[c];
	struct cache_slab_head *slot;

	for (int steps = 0; steps < CLOCK_STEPS; steps++) {
		uint8_t ref;

		slot = hand_slot(s, k, c);
		if (cache_slot_has_expired(slot, now_ms))
			break;
		ref = cache_slot_ref(slot);
		if (ref == 0) {
			hand_seek_expired(s, k, c, now_ms);
			break;
		}
		__atomic_store_n(&slot->ref, (uint8_t)(ref - 1), __ATOMIC_RELAXED);
		hand_move(s, k, c, now_ms);
	}
	slot = hand_slot(s, k, c);
	hand_move(s, k, c, now_ms);
	k->churn += CACHE_CLASS_BYTES[c];
	assert(slot->expires_s); /* free slots are taken first */
	cache_count(cache_slot_has_expired(slot, now_ms) ? &sh->expired : &sh->evicted, 1);
	cache_index_unlink(s, sh, slot);
	return slot;
}

/* A slot that was given back or, of a fresh page, never used; or NULL. */
static struct cache_slab_head *class_free(
	const struct cache_slab *s, struct cache_slab_class *k, uint32_t c)
{
	struct cache_slab_head *slot;

	if (k->free_page != CACHE_NO_PAGE) {
		struct cache_slab_page *p = &s->pages[k->free_page];

		slot = cache_page_slot(s, k->free_page, c, p->free_slot - 1u);
		p->free_slot = (uint16_t)slot->hash;
		if (p->free_slot == 0)
			k->free_page = p->free_next;
		return slot;
	}
	if (k->fill_page == CACHE_NO_PAGE)
		return NULL;
	slot = cache_page_slot(s, k->fill_page, c, k->fill_slot);
	if (++k->fill_slot == cache_class_slots(c))
		k->fill_page = CACHE_NO_PAGE;
	return slot;
}

/* ---- a page changes its class ---- */

/* The class to take a page from: the one with the longest lap. */
static uint32_t steal_from(
	const struct cache_slab_shard *sh, uint32_t taker, uint32_t min_pages, int64_t now_ms)
{
	uint32_t found = CACHE_CLASSES;
	int64_t oldest = -1;

	for (uint32_t c = 0; c < CACHE_CLASSES; c++) {
		const struct cache_slab_class *k = &sh->classes[c];

		if (c == taker || k->n_pages < min_pages || class_age_ms(k, now_ms) <= oldest)
			continue;
		oldest = class_age_ms(k, now_ms);
		found = c;
	}
	return found;
}

/* The page at the hand holds too many popular values to take it: take one off each and go on. */
static bool steal_cool(struct cache_slab *s, struct cache_slab_class *k, uint32_t c, int64_t now_ms)
{
	uint32_t n = cache_class_slots(c), popular = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct cache_slab_head *slot = cache_page_slot(s, k->hand_page, c, i);

		popular += !cache_slot_has_expired(slot, now_ms) && cache_slot_ref(slot) > 0;
	}
	if (popular <= MOVE_MAX && popular < n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct cache_slab_head *slot = cache_page_slot(s, k->hand_page, c, i);
		uint8_t ref = cache_slot_ref(slot);

		if (ref)
			__atomic_store_n(&slot->ref, (uint8_t)(ref - 1), __ATOMIC_RELAXED);
	}
	k->hand_slot = 0;
	k->hand_page = s->pages[k->hand_page].next;
	k->lap_start_ms = now_ms;
	k->last_lap_ms = 0;
	return true;
}

/* Bring a popular value of a page that goes away to another slot of its class. */
static void steal_move(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t c,
	struct cache_slab_head *from, int64_t now_ms)
{
	struct cache_slab_head *to = class_free(s, &sh->classes[c], c);
	struct cache_slab_piece piece = {from->value, from->len};
	struct cache_slab_value value = {&piece, 1, from->expires_s, from->kind};

	if (to == NULL)
		to = class_evict(s, sh, c, now_ms);
	cache_slab_write(to, from->hash, &value, (uint8_t)(cache_slot_ref(from) - 1));
	cache_index_set(s, cache_index_find(s, sh, from), to);
	__atomic_store_n(&from->expires_s, 0, __ATOMIC_RELAXED);
}

/* Give the page at donor's hand to taker. */
static void steal_page(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t donor,
	uint32_t taker, int64_t now_ms)
{
	struct cache_slab_class *k = &sh->classes[donor];
	uint32_t page = class_drop_page(s, k, donor), moved = 0;

	for (uint32_t i = 0; i < cache_class_slots(donor); i++) {
		struct cache_slab_head *slot = cache_page_slot(s, page, donor, i);

		if (slot->expires_s == 0)
			continue;
		if (k->n_pages && moved < MOVE_MAX && cache_slot_ref(slot) > 0 &&
			!cache_slot_has_expired(slot, now_ms)) {
			steal_move(s, sh, donor, slot, now_ms);
			moved++;
			continue;
		}
		cache_count(cache_slot_has_expired(slot, now_ms) ? &sh->expired : &sh->evicted, 1);
		cache_index_unlink(s, sh, slot);
	}
	__atomic_store_n(&sh->view->layout, sh->view->layout + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (uint32_t i = 0; i < cache_class_slots(taker); i++) {
		struct cache_slab_head *slot = cache_page_slot(s, page, taker, i);

		__atomic_store_n(&slot->seq, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->hash, 0, __ATOMIC_RELAXED);
	}
	class_add_page(s, sh, taker, page, now_ms);
}

static bool steal(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t taker, int64_t now_ms)
{
	struct cache_slab_class *k = &sh->classes[taker];
	uint32_t donor = steal_from(sh, taker, 2, now_ms);

	k->churn = 0;
	if (k->n_pages == 0) {
		if (donor == CACHE_CLASSES)
			donor = steal_from(sh, taker, 1, now_ms);
		if (donor == CACHE_CLASSES)
			return false;
	} else if (donor == CACHE_CLASSES ||
		   class_age_ms(&sh->classes[donor], now_ms) <=
			   2 * class_age_ms(k, now_ms) + AGE_SLACK_MS ||
		   steal_cool(s, &sh->classes[donor], donor, now_ms)) {
		return false;
	}
	steal_page(s, sh, donor, taker, now_ms);
	return true;
}

struct cache_slab_head *cache_evict_slot(
	struct cache_slab *s, struct cache_slab_shard *sh, uint32_t c, int64_t now_ms)
{
	struct cache_slab_class *k = &sh->classes[c];
	struct cache_slab_head *slot = class_free(s, k, c);
	uint32_t page;

	if (slot)
		return slot;
	page = page_draw(s, sh);
	if (page != CACHE_NO_PAGE)
		class_add_page(s, sh, c, page, now_ms);
	else if ((k->n_pages == 0 || k->churn >= CACHE_SLAB_PAGE) && !steal(s, sh, c, now_ms) &&
		 k->n_pages == 0)
		return NULL;
	slot = class_free(s, k, c);
	return slot ? slot : class_evict(s, sh, c, now_ms);
}
