/* SPDX-License-Identifier: Apache-2.0 */
/* The wheel has a bucket for each second, LEASE_WHEEL of them, used round after round: a lease lies
 * in the bucket of its end and is met once a round until that end has come. With a million leases
 * of twelve hours a second's bucket holds 244. What is put with an end that has passed goes into
 * the bucket that is looked at next. */
#include "dhcp/lease.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dhcp/dhcp_limits.h"

/* Slack: what rounding up in server4_load (1) and lease_expires_s (2) can add to what is stored. */
enum { LEASE_WHEEL = 4096, LEASE_LANS = 255, LEASE_STORED_SLACK_S = 4 };

struct lease_list {
	struct lease *first, *last;
	uint64_t n;
};

struct lease_table {
	struct hash_key key;
	struct pick *pick;
	struct table by_addr, by_client;
	struct lease **slots; /* all of them, for walks */
	size_t n_slots, cap_slots;
	struct lease *wheel[LEASE_WHEEL];
	int64_t wheel_s; /* second looked at next, once something was put */
	bool is_wheel_set;
	struct lease_list *ended, *declined; /* by pool */
	unsigned n_pools;
	struct lease_stats stats;
	char lans[LEASE_LANS + 1][16]; /* [0] is "" */
	unsigned n_lans;
};

struct lease_table *lease_table_new(const struct hash_key *key)
{
	struct lease_table *t = xcalloc(1, sizeof(*t));

	t->key = *key;
	t->n_lans = 1;
	return t;
}

void lease_table_free(struct lease_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_slots; i++) {
		xfree(t->slots[i]->bytes);
		xfree(t->slots[i]);
	}
	table_fini(&t->by_addr);
	table_fini(&t->by_client);
	xfree(t->slots);
	xfree(t->ended);
	xfree(t->declined);
	xfree(t);
}

/* ---- links ---- */

static struct lease *lease_of_addr_node(struct table_node *n)
{
	return (struct lease *)((char *)n - offsetof(struct lease, by_addr));
}

static struct lease *lease_of_client_node(struct table_node *n)
{
	return (struct lease *)((char *)n - offsetof(struct lease, by_client));
}

static uint64_t lease_hash_addr(const struct lease_table *t, uint32_t addr)
{
	return hash_bytes(&t->key, &addr, sizeof(addr));
}

static bool lease_is_ended(const struct lease *l)
{
	return l->state == LEASE_RELEASED || l->state == LEASE_EXPIRED;
}

static struct lease_list *lease_list_of(const struct lease_table *t, const struct lease *l)
{
	if (l->pool >= t->n_pools || l->state == LEASE_BOUND)
		return NULL;
	return l->state == LEASE_DECLINED ? &t->declined[l->pool] : &t->ended[l->pool];
}

static void lease_list_add(struct lease_table *t, struct lease *l)
{
	struct lease_list *list = lease_list_of(t, l);

	l->old_next = l->old_prev = NULL;
	if (!list)
		return;
	l->old_prev = list->last;
	if (list->last)
		list->last->old_next = l;
	else
		list->first = l;
	list->last = l;
	list->n++;
}

static void lease_list_del(struct lease_table *t, struct lease *l)
{
	struct lease_list *list = lease_list_of(t, l);

	if (!list)
		return;
	if (l->old_prev)
		l->old_prev->old_next = l->old_next;
	else
		list->first = l->old_next;
	if (l->old_next)
		l->old_next->old_prev = l->old_prev;
	else
		list->last = l->old_prev;
	l->old_next = l->old_prev = NULL;
	list->n--;
}

static void lease_wheel_add(struct lease_table *t, struct lease *l, int64_t now_ms)
{
	int64_t due_s = l->due_ms / 1000;
	struct lease **bucket;

	if (!t->is_wheel_set)
		t->wheel_s = now_ms / 1000;
	t->is_wheel_set = true;
	if (l->due_ms == LEASE_NEVER || lease_is_ended(l))
		return;
	if (due_s < t->wheel_s)
		due_s = t->wheel_s;
	bucket = &t->wheel[(uint64_t)due_s % LEASE_WHEEL];
	l->wheel_next = *bucket;
	l->wheel_link = bucket;
	if (*bucket)
		(*bucket)->wheel_link = &l->wheel_next;
	*bucket = l;
}

static void lease_wheel_del(struct lease *l)
{
	if (!l->wheel_link)
		return;
	*l->wheel_link = l->wheel_next;
	if (l->wheel_next)
		l->wheel_next->wheel_link = l->wheel_link;
	l->wheel_link = NULL;
	l->wheel_next = NULL;
}

static uint64_t *lease_tally(struct lease_table *t, const struct lease *l)
{
	if (l->state == LEASE_BOUND)
		return &t->stats.n_bound;
	return l->state == LEASE_DECLINED ? &t->stats.n_declined : &t->stats.n_ended;
}

/* Into and out of everything that depends on state, time or client. */
static void lease_link(struct lease_table *t, struct lease *l, int64_t now_ms)
{
	struct client4 c = lease_client(l);

	l->pool = t->pick ? pick_pool_of(t->pick, l->addr) : PICK_NO_POOL;
	if (t->pick)
		pick_take(t->pick, l->addr);
	table_put(&t->by_client, &l->by_client, client4_hash(&t->key, &c));
	lease_list_add(t, l);
	lease_wheel_add(t, l, now_ms);
	(*lease_tally(t, l))++;
}

static void lease_unlink(struct lease_table *t, struct lease *l)
{
	(*lease_tally(t, l))--;
	lease_wheel_del(l);
	lease_list_del(t, l);
	table_del(&t->by_client, &l->by_client);
}

/* ---- pools ---- */

static int lease_compare_due(const void *a, const void *b)
{
	const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;

	return x->due_ms < y->due_ms ? -1 : x->due_ms > y->due_ms;
}

void lease_repool(struct lease_table *t, struct pick *pick)
{
	struct lease **old = xalloc((t->n_slots + 1) * sizeof(*old));
	size_t n_old = 0;

	t->pick = pick;
	t->n_pools = pick_count(pick);
	xfree(t->ended);
	xfree(t->declined);
	t->ended = xcalloc(t->n_pools + 1, sizeof(*t->ended));
	t->declined = xcalloc(t->n_pools + 1, sizeof(*t->declined));
	for (size_t i = 0; i < t->n_slots; i++) {
		struct lease *l = t->slots[i];

		l->pool = pick_pool_of(pick, l->addr);
		l->old_next = l->old_prev = NULL;
		pick_take(pick, l->addr);
		if (l->state != LEASE_BOUND)
			old[n_old++] = l;
	}
	if (n_old)
		qsort(old, n_old, sizeof(*old), lease_compare_due);
	for (size_t i = 0; i < n_old; i++)
		lease_list_add(t, old[i]);
	xfree(old);
}

struct lease *lease_oldest_ended(const struct lease_table *t, unsigned pool)
{
	return pool < t->n_pools ? t->ended[pool].first : NULL;
}

struct lease *lease_oldest_declined(const struct lease_table *t, unsigned pool)
{
	return pool < t->n_pools ? t->declined[pool].first : NULL;
}

/* ---- finding ---- */

struct lease *lease_get(const struct lease_table *t, uint32_t addr)
{
	struct table_node *n = table_find(&t->by_addr, lease_hash_addr(t, addr));

	while (n && lease_of_addr_node(n)->addr != addr)
		n = table_next(n);
	return n ? lease_of_addr_node(n) : NULL;
}

struct client4 lease_client(const struct lease *l)
{
	struct client4 c = {
		.hw_type = l->hw_type,
		.hw_len = l->hw_len,
		.id_len = l->id_len,
		.id = l->bytes,
		.is_by_id = l->is_by_id,
	};

	memcpy(c.hw, l->hw, sizeof(c.hw));
	return c;
}

bool lease_is_of(const struct lease *l, const struct client4 *c)
{
	if (l->state == LEASE_DECLINED || l->is_by_id != c->is_by_id)
		return false;
	if (l->is_by_id)
		return l->id_len == c->id_len && memcmp(l->bytes, c->id, l->id_len) == 0;
	return l->hw_type == c->hw_type && l->hw_len == c->hw_len &&
	       memcmp(l->hw, c->hw, l->hw_len) == 0;
}

static struct lease *lease_pass_others(struct table_node *n, const struct client4 *c)
{
	while (n && !lease_is_of(lease_of_client_node(n), c))
		n = table_next(n);
	return n ? lease_of_client_node(n) : NULL;
}

struct lease *lease_first_of(const struct lease_table *t, const struct client4 *c)
{
	return lease_pass_others(table_find(&t->by_client, client4_hash(&t->key, c)), c);
}

struct lease *lease_next_of(const struct lease *l, const struct client4 *c)
{
	return lease_pass_others(table_next(&l->by_client), c);
}

struct lease *lease_walk(const struct lease_table *t, size_t *at)
{
	return *at < t->n_slots ? t->slots[(*at)++] : NULL;
}

/* ---- changing ---- */

static uint8_t lease_lan_index(struct lease_table *t, const char *name)
{
	for (unsigned i = 0; i < t->n_lans; i++) {
		if (strcmp(t->lans[i], name) == 0)
			return (uint8_t)i;
	}
	if (t->n_lans > LEASE_LANS)
		return 0;
	memcpy(t->lans[t->n_lans], name, strnlen(name, sizeof(t->lans[0]) - 1));
	return (uint8_t)t->n_lans++;
}

/* A new lease object at a slot and under its address, otherwise empty; NULL: full. */
static struct lease *lease_new(struct lease_table *t, uint32_t addr)
{
	struct lease *l;

	if (t->n_slots == DHCP_LEASES_MAX)
		return NULL;
	if (t->n_slots == t->cap_slots) {
		t->cap_slots = t->cap_slots ? t->cap_slots * 2 : 64;
		t->slots = xrealloc(t->slots, t->cap_slots * sizeof(*t->slots));
	}
	l = xcalloc(1, sizeof(*l));
	l->addr = addr;
	l->slot = (uint32_t)t->n_slots;
	t->slots[t->n_slots++] = l;
	table_put(&t->by_addr, &l->by_addr, lease_hash_addr(t, addr));
	return l;
}

static void lease_fill(struct lease_table *t, struct lease *l, const struct lease_record *rec)
{
	struct client4 c = client4_of(rec->hw_type, rec->hw, rec->hw_len, rec->id, rec->id_len);
	size_t host_len = strnlen(rec->hostname, sizeof(rec->hostname) - 1);

	l->state = (uint8_t)rec->state;
	l->hw_type = c.hw_type;
	l->hw_len = c.hw_len;
	memcpy(l->hw, c.hw, sizeof(l->hw));
	l->is_by_id = c.is_by_id;
	l->id_len = rec->id_len;
	l->asked_len = rec->asked_len;
	l->host_len = (uint8_t)host_len;
	l->bytes = xrealloc(l->bytes, (size_t)rec->id_len + rec->asked_len + host_len + 1);
	memcpy(l->bytes, rec->id, rec->id_len);
	memcpy(l->bytes + rec->id_len, rec->asked, rec->asked_len);
	memcpy(l->bytes + rec->id_len + rec->asked_len, rec->hostname, host_len);
	l->lan = lease_lan_index(t, rec->lan);
	l->start_s = rec->start_s;
	l->last_seen_s = rec->last_seen_s;
	l->stored_s = rec->expires_s;
	l->is_on_disk = rec->expires_s != 0;
}

struct lease *lease_put(
	struct lease_table *t, const struct lease_record *rec, int64_t due_ms, int64_t now_ms)
{
	struct lease *l = lease_get(t, ip_to4(&rec->ip));

	if (l)
		lease_unlink(t, l);
	else
		l = lease_new(t, ip_to4(&rec->ip));
	if (!l)
		return NULL;
	lease_fill(t, l, rec);
	l->due_ms = due_ms;
	l->put_ms = now_ms;
	lease_link(t, l, now_ms);
	return l;
}

void lease_end(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_ms)
{
	lease_unlink(t, l);
	l->state = (uint8_t)state;
	l->due_ms = now_ms;
	lease_link(t, l, now_ms);
}

void lease_pass(struct lease_table *t, struct lease *l)
{
	lease_list_del(t, l);
	lease_list_add(t, l);
}

void lease_del(struct lease_table *t, struct lease *l)
{
	lease_unlink(t, l);
	table_del(&t->by_addr, &l->by_addr);
	t->slots[l->slot] = t->slots[--t->n_slots];
	t->slots[l->slot]->slot = l->slot;
	if (t->pick)
		pick_give(t->pick, l->addr);
	xfree(l->bytes);
	xfree(l);
}

struct lease *lease_next_due(struct lease_table *t, int64_t now_ms)
{
	int64_t now_s = now_ms / 1000;

	if (!t->is_wheel_set)
		return NULL;
	if (now_s - t->wheel_s > LEASE_WHEEL)
		t->wheel_s = now_s - LEASE_WHEEL;
	for (;; t->wheel_s++) {
		struct lease *l = t->wheel[(uint64_t)t->wheel_s % LEASE_WHEEL];

		while (l && l->due_ms > now_ms)
			l = l->wheel_next;
		if (l)
			return l;
		if (t->wheel_s >= now_s)
			return NULL;
	}
}

/* ---- reading ---- */

int64_t lease_expires_s(const struct lease *l, int64_t offset_ms)
{
	int64_t s;

	if (l->due_ms == LEASE_NEVER)
		return LEASE_FOREVER;
	/* Up, and one more for the offset's own cut-off second: a lease that comes back from the
	 * disk must not end before its client thinks so. */
	s = (l->due_ms + offset_ms + 1999) / 1000;
	if (s > l->stored_s - LEASE_STORED_SLACK_S && s < l->stored_s + LEASE_STORED_SLACK_S)
		return l->stored_s;
	return s;
}

void lease_to_record(const struct lease_table *t, const struct lease *l, int64_t offset_ms,
	struct lease_record *out)
{
	const uint8_t *asked = l->bytes + l->id_len;

	*out = (struct lease_record){
		.ip = ip_from4(l->addr),
		.prefix_len = 32,
		.state = (enum lease_state)l->state,
		.hw_type = l->hw_type,
		.hw_len = l->hw_len,
		.id_len = l->id_len,
		.asked_len = l->asked_len,
		.start_s = l->start_s,
		.expires_s = lease_expires_s(l, offset_ms),
		.last_seen_s = l->last_seen_s,
	};
	memcpy(out->hw, l->hw, sizeof(out->hw));
	memcpy(out->id, l->bytes, l->id_len);
	memcpy(out->asked, asked, l->asked_len);
	memcpy(out->hostname, asked + l->asked_len, l->host_len);
	memcpy(out->lan, t->lans[l->lan], sizeof(out->lan));
}

struct lease_stats lease_stats(const struct lease_table *t)
{
	return t->stats;
}

size_t lease_count(const struct lease_table *t)
{
	return t->n_slots;
}

struct lease_stats lease_pool_stats(const struct lease_table *t, unsigned pool)
{
	if (pool >= t->n_pools)
		return (struct lease_stats){0};
	return (struct lease_stats){.n_ended = t->ended[pool].n, .n_declined = t->declined[pool].n};
}
