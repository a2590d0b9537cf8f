/* SPDX-License-Identifier: Apache-2.0 */
/* Writers, eviction, and how the size classes share the memory.
 *
 * Shards. Hashes are divided among up to 256 shards of at least SHARD_PAGES pages. A shard has its
 * own part of the index, its own pages and one mutex; all writing for a hash happens under it, so
 * inside a shard there is one writer and the rest is plain sequential code. Writers are misses:
 * rare enough for a mutex, which, unlike a spinlock, also behaves when its holder loses the CPU.
 *
 * Pages. All shards draw pages from the front of one arena, so what is resident is what is used. A
 * shard may draw its quota; pages never change shards, the keyed hash keeps these even.
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
#include "resolver/cache_slab.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/xalloc.h"
#include "resolver/cache_rrset.h"

#define SHARDS_MAX   256
#define SHARD_PAGES  64	 /* 4 MiB: enough that every class can hold a page of its own */
#define CLOCK_STEPS  512 /* slots a hand may pass for one put: some 5 us */
#define CLOCK_PEEK   7	 /* slots ahead of the hand looked at for an expired value */
#define MOVE_MAX     64	 /* popular values moved when a page changes its class */
#define AGE_SLACK_MS 1000
#define HUGE_PAGE    ((size_t)2 << 20)
#define NO_PAGE	     UINT32_MAX
#define PAGES_MAX    ((size_t)UINT32_MAX / (CACHE_SLAB_PAGE / CACHE_SLAB_UNIT) - 1)
#define BUCKET_BYTES (CACHE_SLAB_WAYS * sizeof(uint64_t))
#define N_CLASSES    18

static const uint32_t CLASS_BYTES[N_CLASSES] = {128, 192, 256, 320, 384, 512, 640, 768, 1024, 1280,
	1536, 2048, 3072, 4096, 8192, 16384, 32768, CACHE_SLAB_PAGE};

struct cache_slab_page {
	uint32_t next;	    /* ring of its class */
	uint32_t free_next; /* list of the pages of its class with free slots */
	uint16_t free_slot; /* first free slot + 1, chained through their heads' hash; 0: none */
	uint16_t shard;
	uint8_t class;
	uint8_t is_ready; /* atomic, set once: shard may be read */
};

/* One size class of one shard. */
struct size_class {
	uint32_t n_pages;
	uint32_t hand_page, hand_slot; /* the next slot the hand looks at; no page: NO_PAGE */
	uint32_t fill_page, fill_slot; /* the next slot of a fresh page; none: NO_PAGE */
	uint32_t free_page;	       /* pages with slots given back */
	uint32_t lap_left;	       /* slots to the end of the lap */
	uint32_t churn;		       /* bytes evicted since it last asked for a page */
	int64_t lap_start_ms, last_lap_ms;
};

struct cache_slab_shard {
	pthread_mutex_t lock;
	uint32_t id, n_pages, quota;
	struct size_class classes[N_CLASSES];
	uint64_t entries, inserted, evicted, expired; /* atomic: read by usage without the lock */
} __attribute__((aligned(128)));

static void count(uint64_t *n, int64_t by)
{
	__atomic_store_n(n, __atomic_load_n(n, __ATOMIC_RELAXED) + (uint64_t)by, __ATOMIC_RELAXED);
}

static uint32_t class_for(size_t len)
{
	uint32_t c = 0;

	while (CLASS_BYTES[c] < len + sizeof(struct cache_slab_head))
		c++;
	return c;
}

static uint32_t class_slots(uint32_t c)
{
	return CACHE_SLAB_PAGE / CLASS_BYTES[c];
}

static struct cache_slab_head *page_slot(
	const struct cache_slab *s, uint32_t page, uint32_t c, uint32_t i)
{
	return (struct cache_slab_head *)(s->arena + (size_t)page * CACHE_SLAB_PAGE +
					  (size_t)i * CLASS_BYTES[c]);
}

static uint32_t slot_page(const struct cache_slab *s, const struct cache_slab_head *slot)
{
	return (uint32_t)((size_t)((const uint8_t *)slot - s->arena) / CACHE_SLAB_PAGE);
}

static uint32_t slot_word(const struct cache_slab *s, const struct cache_slab_head *slot)
{
	return (uint32_t)((size_t)((const uint8_t *)slot - s->arena) / CACHE_SLAB_UNIT) + 1;
}

static uint8_t slot_ref(const struct cache_slab_head *slot)
{
	return __atomic_load_n(&slot->ref, __ATOMIC_RELAXED);
}

static bool slot_has_expired(const struct cache_slab_head *slot, int64_t now_ms)
{
	return slot->expires_s <= (uint64_t)now_ms / 1000;
}

/* ---- index ---- */

/* The word that names slot, or NULL. */
static uint64_t *index_find(const struct cache_slab *s, const struct cache_slab_head *slot)
{
	uint64_t want = (slot->hash & ~(uint64_t)UINT32_MAX) | slot_word(s, slot);

	for (int second = 0; second < 2; second++) {
		uint64_t *bucket = cache_slab_bucket(s, slot->hash, second);

		for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++)
			if (bucket[i] == want)
				return &bucket[i];
	}
	return NULL;
}

/* The slot's value is no longer to be found; the slot is still nobody's. */
static void slot_unlink(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot)
{
	uint64_t *word = index_find(s, slot);

	assert(word && slot->expires_s);
	if (word)
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
	count(&sh->entries, -1);
}

/* A slot without a value goes to the free ones of its class. */
static void slot_give_back(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot)
{
	uint32_t page = slot_page(s, slot);
	struct cache_slab_page *p = &s->pages[page];
	struct size_class *k = &sh->classes[p->class];
	size_t at = (size_t)((uint8_t *)slot - s->arena) % CACHE_SLAB_PAGE;

	__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->hash, p->free_slot, __ATOMIC_RELAXED);
	if (p->free_slot == 0) {
		p->free_next = k->free_page;
		k->free_page = page;
	}
	p->free_slot = (uint16_t)(at / CLASS_BYTES[p->class] + 1);
}

static void slot_release(
	struct cache_slab *s, struct cache_slab_shard *sh, struct cache_slab_head *slot)
{
	slot_unlink(s, sh, slot);
	slot_give_back(s, sh, slot);
}

static uint64_t *bucket_room(uint64_t *bucket)
{
	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++)
		if (bucket[i] == 0)
			return &bucket[i];
	return NULL;
}

/* Moves a value of this bucket that is at home here to its second one; the word it left, or NULL.
 * Readers look at home first, so they do not miss it on its way. */
static uint64_t *bucket_push(const struct cache_slab *s, uint64_t *bucket)
{
	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++) {
		uint64_t hash = cache_slab_slot(s, bucket[i])->hash, *room;

		if (cache_slab_bucket(s, hash, false) != bucket)
			continue;
		room = bucket_room(cache_slab_bucket(s, hash, true));
		if (room == NULL)
			continue;
		__atomic_store_n(room, bucket[i], __ATOMIC_RELEASE);
		__atomic_store_n(&bucket[i], 0, __ATOMIC_RELEASE);
		return &bucket[i];
	}
	return NULL;
}

/* The word of the least used value of a full bucket, which is evicted. */
static uint64_t *bucket_evict(
	struct cache_slab *s, struct cache_slab_shard *sh, uint64_t *bucket, int64_t now_ms)
{
	unsigned found = 0;
	int least = CACHE_SLAB_REF_MAX + 1;

	for (unsigned i = 0; i < CACHE_SLAB_WAYS; i++) {
		const struct cache_slab_head *slot = cache_slab_slot(s, bucket[i]);
		int worth = slot_has_expired(slot, now_ms) ? -1 : slot_ref(slot);

		if (worth < least) {
			least = worth;
			found = i;
		}
	}
	slot_release(s, sh, cache_slab_slot(s, bucket[found]));
	count(&sh->evicted, 1);
	return &bucket[found];
}

/* A free word for a new slot of this hash. */
static uint64_t *index_room(
	struct cache_slab *s, struct cache_slab_shard *sh, uint64_t hash, int64_t now_ms)
{
	uint64_t *first = cache_slab_bucket(s, hash, false);
	uint64_t *second = cache_slab_bucket(s, hash, true);
	uint64_t *word = bucket_room(first);

	if (word == NULL)
		word = bucket_room(second);
	if (word == NULL)
		word = bucket_push(s, first);
	if (word == NULL)
		word = bucket_push(s, second);
	return word ? word : bucket_evict(s, sh, first, now_ms);
}

static void index_set(
	const struct cache_slab *s, uint64_t *word, const struct cache_slab_head *slot)
{
	uint64_t value = (slot->hash & ~(uint64_t)UINT32_MAX) | slot_word(s, slot);

	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* ---- slots ---- */

static void slot_begin(struct cache_slab_head *slot)
{
	__atomic_store_n(&slot->seq, slot->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void slot_end(struct cache_slab_head *slot)
{
	__atomic_store_n(&slot->seq, slot->seq + 1, __ATOMIC_RELEASE);
}

/* Length of the value the pieces make. */
static size_t pieces_len(const struct cache_slab_piece *pieces, size_t n_pieces)
{
	size_t len = 0;

	for (size_t i = 0; i < n_pieces; i++)
		if (pieces[i].len)
			len = ((len + 7) & ~(size_t)7) + pieces[i].len;
	return len;
}

static void slot_write(struct cache_slab_head *slot, uint64_t hash,
	const struct cache_slab_piece *pieces, size_t n_pieces, uint32_t expires_s, uint8_t ref)
{
	size_t at = 0;

	slot_begin(slot);
	__atomic_store_n(&slot->ref, ref, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->mark, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->hash, hash, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->expires_s, expires_s, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->len, (uint32_t)pieces_len(pieces, n_pieces), __ATOMIC_RELAXED);
	for (size_t i = 0; i < n_pieces; i++) {
		const uint8_t *p = pieces[i].data;

		for (size_t left = pieces[i].len; left;) {
			size_t n = left < 8 ? left : 8;
			uint64_t word = 0;

			memcpy(&word, p, n);
			__atomic_store_n(&slot->value[at++], word, __ATOMIC_RELAXED);
			p += n;
			left -= n;
		}
	}
	slot_end(slot);
}

/* ---- pages ---- */

static void class_add_page(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t c,
	uint32_t page, int64_t now_ms)
{
	struct size_class *k = &sh->classes[c];

	s->pages[page].class = (uint8_t)c;
	if (k->n_pages++ == 0) {
		s->pages[page].next = page;
		k->hand_page = page;
		k->hand_slot = (uint32_t)(page * 0x9e3779b9u) % class_slots(c);
		k->lap_left = 0;
		k->lap_start_ms = now_ms;
		k->last_lap_ms = 0;
	} else {
		s->pages[page].next = s->pages[k->hand_page].next;
		s->pages[k->hand_page].next = page;
	}
	k->lap_left += class_slots(c);
	k->fill_page = page;
	k->fill_slot = 0;
	k->churn = 0;
}

/* Takes the page at the hand out of the class. Its values are still in the index. */
static uint32_t class_drop_page(struct cache_slab *s, struct size_class *k, uint32_t c)
{
	uint32_t page = k->hand_page, before = page;

	for (uint32_t *link = &k->free_page; *link != NO_PAGE; link = &s->pages[*link].free_next) {
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
		k->fill_page = NO_PAGE;
	k->hand_slot = 0;
	k->hand_page = --k->n_pages ? s->pages[page].next : NO_PAGE;
	if (k->lap_left > k->n_pages * class_slots(c))
		k->lap_left = k->n_pages * class_slots(c);
	return page;
}

/* A page nobody has used, or NO_PAGE. */
static uint32_t page_draw(struct cache_slab *s, struct cache_slab_shard *sh)
{
	uint32_t page;

	if (sh->n_pages == sh->quota)
		return NO_PAGE;
	page = __atomic_fetch_add(&s->pages_used, 1, __ATOMIC_RELAXED);
	assert(page < s->n_pages); /* the quotas add up to no more */
	sh->n_pages++;
	s->pages[page].shard = (uint16_t)sh->id;
	__atomic_store_n(&s->pages[page].is_ready, 1, __ATOMIC_RELEASE);
	return page;
}

static int64_t class_age_ms(const struct size_class *k, int64_t now_ms)
{
	int64_t lap = now_ms - k->lap_start_ms;

	return lap > k->last_lap_ms ? lap : k->last_lap_ms;
}

/* ---- CLOCK ---- */

static struct cache_slab_head *hand_slot(
	const struct cache_slab *s, const struct size_class *k, uint32_t c)
{
	return page_slot(s, k->hand_page, c, k->hand_slot);
}

static void hand_move(struct cache_slab *s, struct size_class *k, uint32_t c, int64_t now_ms)
{
	if (++k->hand_slot >= class_slots(c)) {
		k->hand_slot = 0;
		k->hand_page = s->pages[k->hand_page].next;
	}
	if (k->lap_left <= 1) {
		k->last_lap_ms = now_ms - k->lap_start_ms;
		k->lap_start_ms = now_ms;
		k->lap_left = k->n_pages * class_slots(c);
	} else {
		k->lap_left--;
	}
}

/* The hand stands before a value that nobody asked for. If one close ahead on its page has expired,
 * it goes there: what it leaves out has one lap more. */
static void hand_seek_expired(
	const struct cache_slab *s, struct size_class *k, uint32_t c, int64_t now_ms)
{
	uint32_t end = k->hand_slot + 1 + CLOCK_PEEK;

	for (uint32_t i = k->hand_slot + 1; i < end && i < class_slots(c); i++) {
		if (slot_has_expired(page_slot(s, k->hand_page, c, i), now_ms)) {
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
	struct size_class *k = &sh->classes[c];
	struct cache_slab_head *slot;

	for (int steps = 0; steps < CLOCK_STEPS; steps++) {
		uint8_t ref;

		slot = hand_slot(s, k, c);
		if (slot_has_expired(slot, now_ms))
			break;
		ref = slot_ref(slot);
		if (ref == 0) {
			hand_seek_expired(s, k, c, now_ms);
			break;
		}
		__atomic_store_n(&slot->ref, (uint8_t)(ref - 1), __ATOMIC_RELAXED);
		hand_move(s, k, c, now_ms);
	}
	slot = hand_slot(s, k, c);
	hand_move(s, k, c, now_ms);
	k->churn += CLASS_BYTES[c];
	assert(slot->expires_s); /* free slots are taken first */
	count(slot_has_expired(slot, now_ms) ? &sh->expired : &sh->evicted, 1);
	slot_unlink(s, sh, slot);
	return slot;
}

/* A slot that was given back or, of a fresh page, never used; or NULL. */
static struct cache_slab_head *class_free(
	const struct cache_slab *s, struct size_class *k, uint32_t c)
{
	struct cache_slab_head *slot;

	if (k->free_page != NO_PAGE) {
		struct cache_slab_page *p = &s->pages[k->free_page];

		slot = page_slot(s, k->free_page, c, p->free_slot - 1u);
		p->free_slot = (uint16_t)slot->hash;
		if (p->free_slot == 0)
			k->free_page = p->free_next;
		return slot;
	}
	if (k->fill_page == NO_PAGE)
		return NULL;
	slot = page_slot(s, k->fill_page, c, k->fill_slot);
	if (++k->fill_slot == class_slots(c))
		k->fill_page = NO_PAGE;
	return slot;
}

/* ---- a page changes its class ---- */

/* The class to take a page from: the one with the longest lap. */
static uint32_t steal_from(
	const struct cache_slab_shard *sh, uint32_t taker, uint32_t min_pages, int64_t now_ms)
{
	uint32_t found = N_CLASSES;
	int64_t oldest = -1;

	for (uint32_t c = 0; c < N_CLASSES; c++) {
		const struct size_class *k = &sh->classes[c];

		if (c == taker || k->n_pages < min_pages || class_age_ms(k, now_ms) <= oldest)
			continue;
		oldest = class_age_ms(k, now_ms);
		found = c;
	}
	return found;
}

/* The page at the hand holds too many popular values to take it: take one off each and go on. */
static bool steal_cool(struct cache_slab *s, struct size_class *k, uint32_t c, int64_t now_ms)
{
	uint32_t n = class_slots(c), popular = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct cache_slab_head *slot = page_slot(s, k->hand_page, c, i);

		popular += !slot_has_expired(slot, now_ms) && slot_ref(slot) > 0;
	}
	if (popular <= MOVE_MAX && popular < n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct cache_slab_head *slot = page_slot(s, k->hand_page, c, i);
		uint8_t ref = slot_ref(slot);

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

	if (to == NULL)
		to = class_evict(s, sh, c, now_ms);
	slot_write(to, from->hash, &piece, 1, from->expires_s, (uint8_t)(slot_ref(from) - 1));
	index_set(s, index_find(s, from), to);
	__atomic_store_n(&from->expires_s, 0, __ATOMIC_RELAXED);
}

/* Give the page at donor's hand to taker. */
static void steal_page(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t donor,
	uint32_t taker, int64_t now_ms)
{
	struct size_class *k = &sh->classes[donor];
	uint32_t page = class_drop_page(s, k, donor), moved = 0;
	uint32_t *layout = s->layouts + sh->id * CACHE_SLAB_LAYOUT_STRIDE;

	for (uint32_t i = 0; i < class_slots(donor); i++) {
		struct cache_slab_head *slot = page_slot(s, page, donor, i);

		if (slot->expires_s == 0)
			continue;
		if (k->n_pages && moved < MOVE_MAX && slot_ref(slot) > 0 &&
			!slot_has_expired(slot, now_ms)) {
			steal_move(s, sh, donor, slot, now_ms);
			moved++;
			continue;
		}
		count(slot_has_expired(slot, now_ms) ? &sh->expired : &sh->evicted, 1);
		slot_unlink(s, sh, slot);
	}
	__atomic_store_n(layout, *layout + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (uint32_t i = 0; i < class_slots(taker); i++) {
		struct cache_slab_head *slot = page_slot(s, page, taker, i);

		__atomic_store_n(&slot->seq, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->hash, 0, __ATOMIC_RELAXED);
	}
	class_add_page(s, sh, taker, page, now_ms);
}

static bool steal(struct cache_slab *s, struct cache_slab_shard *sh, uint32_t taker, int64_t now_ms)
{
	struct size_class *k = &sh->classes[taker];
	uint32_t donor = steal_from(sh, taker, 2, now_ms);

	k->churn = 0;
	if (k->n_pages == 0) {
		if (donor == N_CLASSES)
			donor = steal_from(sh, taker, 1, now_ms);
		if (donor == N_CLASSES)
			return false;
	} else if (donor == N_CLASSES ||
		   class_age_ms(&sh->classes[donor], now_ms) <=
			   2 * class_age_ms(k, now_ms) + AGE_SLACK_MS ||
		   steal_cool(s, &sh->classes[donor], donor, now_ms)) {
		return false;
	}
	steal_page(s, sh, donor, taker, now_ms);
	return true;
}

/* A free slot for a value of this class. */
static struct cache_slab_head *slot_new(
	struct cache_slab *s, struct cache_slab_shard *sh, uint32_t c, int64_t now_ms)
{
	struct size_class *k = &sh->classes[c];
	struct cache_slab_head *slot = class_free(s, k, c);
	uint32_t page;

	if (slot)
		return slot;
	page = page_draw(s, sh);
	if (page != NO_PAGE)
		class_add_page(s, sh, c, page, now_ms);
	else if ((k->n_pages == 0 || k->churn >= CACHE_SLAB_PAGE) && !steal(s, sh, c, now_ms) &&
		 k->n_pages == 0)
		return NULL;
	slot = class_free(s, k, c);
	return slot ? slot : class_evict(s, sh, c, now_ms);
}

/* ---- public ---- */

static struct cache_slab_shard *shard_of(const struct cache_slab *s, uint64_t hash)
{
	return &s->shards[cache_slab_shard_of(s, hash)];
}

static void shard_init(struct cache_slab_shard *sh, uint32_t id, uint32_t quota)
{
	sh->id = id;
	sh->quota = quota;
	pthread_mutex_init(&sh->lock, NULL);
	for (uint32_t c = 0; c < N_CLASSES; c++)
		sh->classes[c].hand_page = sh->classes[c].fill_page = sh->classes[c].free_page =
			NO_PAGE;
}

/* One mapping: index, layout numbers, then the pages on a page's boundary and one page more, which
 * a torn length may read. */
static bool slab_map(struct cache_slab *s, size_t index_len, size_t layouts_len)
{
	size_t front = index_len + layouts_len;
	uintptr_t base, arena;

	s->map_len = front + ((size_t)s->n_pages + 2) * CACHE_SLAB_PAGE + HUGE_PAGE;
	s->map = mmap(NULL, s->map_len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->map == MAP_FAILED)
		return false;
	base = ((uintptr_t)s->map + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
	arena = (base + front + CACHE_SLAB_PAGE - 1) & ~(uintptr_t)(CACHE_SLAB_PAGE - 1);
	s->index = (uint64_t *)base;
	s->layouts = (uint32_t *)(base + index_len);
	s->arena = (uint8_t *)arena;
	/* Fewer TLB misses where the kernel can; and what people looked up has no place in a core
	 * file. */
	(void)madvise(s->map, s->map_len, MADV_HUGEPAGE);
	(void)madvise(s->map, s->map_len, MADV_DONTDUMP);
	return true;
}

/* Divide bytes into index and pages and map them. */
static bool slab_size(struct cache_slab *s, size_t bytes)
{
	size_t index_per_page = CACHE_SLAB_PAGE / CLASS_BYTES[0] * sizeof(uint64_t) * 4 / 3;
	size_t n_pages = bytes / (CACHE_SLAB_PAGE + index_per_page), n_shards = 1, n_buckets;

	if (n_pages > PAGES_MAX)
		n_pages = PAGES_MAX;
	while (n_shards < SHARDS_MAX && n_pages / (n_shards * 2) >= SHARD_PAGES)
		n_shards *= 2;
	n_pages -= n_pages % n_shards;
	n_buckets = n_pages / n_shards * index_per_page / BUCKET_BYTES;
	s->n_pages = (uint32_t)n_pages;
	s->n_buckets = (uint32_t)n_buckets;
	s->shard_mask = (uint32_t)n_shards - 1;
	return slab_map(s, n_buckets * n_shards * BUCKET_BYTES,
		n_shards * CACHE_SLAB_LAYOUT_STRIDE * sizeof(uint32_t));
}

struct cache_slab *cache_slab_new(size_t bytes)
{
	struct cache_slab *s = xcalloc(1, sizeof(*s));

	/* Address space is short only on small machines: there a smaller cache is better than none.
	 */
	while (!slab_size(s, bytes > CACHE_SLAB_MIN ? bytes : CACHE_SLAB_MIN)) {
		if (bytes <= CACHE_SLAB_MIN)
			abort();
		bytes /= 2;
	}
	s->shards = xcalloc(s->shard_mask + 1, sizeof(*s->shards));
	s->pages = xcalloc(s->n_pages, sizeof(*s->pages));
	for (uint32_t i = 0; i <= s->shard_mask; i++)
		shard_init(&s->shards[i], i, s->n_pages / (s->shard_mask + 1));
	return s;
}

void cache_slab_free(struct cache_slab *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i <= s->shard_mask; i++)
		pthread_mutex_destroy(&s->shards[i].lock);
	munmap(s->map, s->map_len);
	xfree(s->shards);
	xfree(s->pages);
	xfree(s);
}

void cache_slab_lock(struct cache_slab *s, uint64_t hash)
{
	pthread_mutex_lock(&shard_of(s, hash)->lock);
}

void cache_slab_unlock(struct cache_slab *s, uint64_t hash)
{
	pthread_mutex_unlock(&shard_of(s, hash)->lock);
}

struct cache_slab_head *cache_slab_get(
	struct cache_slab *s, uint64_t hash, cache_slab_match match, const void *arg)
{
	struct cache_slab_walk w = cache_slab_begin(s, hash);

	while (cache_slab_next(&w))
		if (match(arg, w.slot))
			return w.slot;
	return NULL;
}

/* A slot of have bytes serves a value of want as well: no move for a few bytes more or less. */
static bool class_still_fits(uint32_t have, uint32_t want)
{
	return CLASS_BYTES[want] <= CLASS_BYTES[have] && CLASS_BYTES[want] * 2 >= CLASS_BYTES[have];
}

bool cache_slab_put(struct cache_slab *s, uint64_t hash, cache_slab_match match, const void *arg,
	const struct cache_slab_piece *pieces, size_t n_pieces, uint32_t expires_s, int64_t now_ms)
{
	struct cache_slab_shard *sh = shard_of(s, hash);
	struct cache_slab_head *old, *slot;
	size_t len = pieces_len(pieces, n_pieces);
	uint32_t c;

	if (len > CACHE_SLAB_VALUE_MAX)
		return false;
	if (expires_s == 0)
		expires_s = 1;
	c = class_for(len);
	count(&sh->inserted, 1);
	old = cache_slab_get(s, hash, match, arg);
	if (old && class_still_fits(s->pages[slot_page(s, old)].class, c)) {
		slot_write(old, hash, pieces, n_pieces, expires_s, slot_ref(old));
		return true;
	}
	slot = slot_new(s, sh, c, now_ms);
	if (slot == NULL)
		return false;
	/* Once more: making room may have moved or evicted it. */
	old = cache_slab_get(s, hash, match, arg);
	slot_write(slot, hash, pieces, n_pieces, expires_s, old ? slot_ref(old) : 0);
	if (old) {
		index_set(s, index_find(s, old), slot);
		slot_give_back(s, sh, old);
	} else {
		index_set(s, index_room(s, sh, hash, now_ms), slot);
		count(&sh->entries, 1);
	}
	return true;
}

void cache_slab_set_word(struct cache_slab_head *slot, size_t i, uint64_t word)
{
	slot_begin(slot);
	__atomic_store_n(&slot->value[i], word, __ATOMIC_RELAXED);
	slot_end(slot);
}

void cache_slab_del(struct cache_slab *s, struct cache_slab_head *slot)
{
	slot_release(s, shard_of(s, slot->hash), slot);
}

/* ---- walks over everything ---- */

/* Locks the shard of a page in use; NULL when the page was never used. */
static struct cache_slab_shard *page_lock(struct cache_slab *s, uint32_t page)
{
	struct cache_slab_shard *sh;

	if (!__atomic_load_n(&s->pages[page].is_ready, __ATOMIC_ACQUIRE))
		return NULL;
	sh = &s->shards[s->pages[page].shard];
	pthread_mutex_lock(&sh->lock);
	return sh;
}

size_t cache_slab_sweep(
	struct cache_slab *s, bool (*fn)(void *arg, const struct cache_slab_head *slot), void *arg)
{
	size_t dropped = 0;

	for (uint32_t page = 0; page < s->n_pages; page++) {
		struct cache_slab_shard *sh = page_lock(s, page);
		uint32_t c;

		if (sh == NULL)
			continue;
		c = s->pages[page].class;
		for (uint32_t i = 0; i < class_slots(c); i++) {
			struct cache_slab_head *slot = page_slot(s, page, c, i);

			if (slot->expires_s && fn(arg, slot)) {
				slot_release(s, sh, slot);
				dropped++;
			}
		}
		pthread_mutex_unlock(&sh->lock);
	}
	return dropped;
}

/* Copies slot i of the page, as it is carved now. false: no such slot. *is_used: it holds a value.
 */
static bool each_copy(struct cache_slab *s, uint32_t page, uint32_t i, struct cache_slab_head *copy,
	bool *is_used)
{
	struct cache_slab_shard *sh = page_lock(s, page);
	struct cache_slab_head *slot;
	uint32_t c;

	if (sh == NULL)
		return false;
	c = s->pages[page].class;
	slot = page_slot(s, page, c, i);
	*is_used = i < class_slots(c) && slot->expires_s;
	if (*is_used) {
		copy->hash = slot->hash;
		copy->expires_s = slot->expires_s;
		copy->len = slot->len;
		cache_slab_copy(slot, 0, copy->value, slot->len);
	}
	pthread_mutex_unlock(&sh->lock);
	return i < class_slots(c);
}

void cache_slab_each(
	struct cache_slab *s, void (*fn)(void *arg, struct cache_slab_head *copy), void *arg)
{
	struct cache_slab_head *copy = xcalloc(1, CACHE_SLAB_PAGE);
	bool is_used;

	for (uint32_t page = 0; page < s->n_pages; page++)
		for (uint32_t i = 0; each_copy(s, page, i, copy, &is_used); i++)
			if (is_used)
				fn(arg, copy);
	xfree(copy);
}

void cache_slab_usage(const struct cache_slab *s, struct cache_usage *out)
{
	size_t index = (size_t)s->n_buckets * (s->shard_mask + 1) * BUCKET_BYTES;

	*out = (struct cache_usage){
		.bytes = index + (size_t)__atomic_load_n(&s->pages_used, __ATOMIC_RELAXED) *
					 CACHE_SLAB_PAGE,
		.capacity = index + (size_t)s->n_pages * CACHE_SLAB_PAGE,
	};
	for (uint32_t i = 0; i <= s->shard_mask; i++) {
		const struct cache_slab_shard *sh = &s->shards[i];

		out->entries += __atomic_load_n(&sh->entries, __ATOMIC_RELAXED);
		out->inserted += __atomic_load_n(&sh->inserted, __ATOMIC_RELAXED);
		out->evicted += __atomic_load_n(&sh->evicted, __ATOMIC_RELAXED);
		out->expired += __atomic_load_n(&sh->expired, __ATOMIC_RELAXED);
	}
}
