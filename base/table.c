/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <assert.h>

#include "base/xalloc.h"

enum { TABLE_MIN_BUCKETS = 16 };

static struct table_node **table_bucket(const struct table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->n_buckets - 1)];
}

/* Nodes of one hash keep their order, so a find meets the same one before and after. */
static void table_grow(struct table *t)
{
	size_t n_old = t->n_buckets;
	struct table_node **old = t->buckets;

	t->n_buckets = n_old ? n_old * 2 : TABLE_MIN_BUCKETS;
	t->buckets = xcalloc(t->n_buckets, sizeof(*t->buckets));
	for (size_t i = 0; i < n_old; i++) {
		struct table_node **low = &t->buckets[i], **high = &t->buckets[i + n_old];
		struct table_node *n, *next;

		for (n = old[i]; n; n = next) {
			struct table_node ***end = n->hash & n_old ? &high : &low;

			next = n->next;
			n->next = NULL;
			**end = n;
			*end = &n->next;
		}
	}
	xfree(old);
}

void table_fini(struct table *t)
{
	xfree(t->buckets);
	*t = (struct table){0};
}

void table_put(struct table *t, struct table_node *n, uint64_t hash)
{
	struct table_node **bucket;

	if (t->count >= t->n_buckets)
		table_grow(t);
	bucket = table_bucket(t, hash);
	n->hash = hash;
	n->next = *bucket;
	*bucket = n;
	t->count++;
}

void table_del(struct table *t, struct table_node *n)
{
	struct table_node **at = table_bucket(t, n->hash);

	while (*at != n) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = n->next;
	n->next = NULL;
	t->count--;
}

struct table_node *table_next(const struct table_node *n)
{
	struct table_node *m = n->next;

	while (m && m->hash != n->hash)
		m = m->next;
	return m;
}

struct table_node *table_find(const struct table *t, uint64_t hash)
{
	struct table_node *n;

	if (t->n_buckets == 0)
		return NULL;
	n = *table_bucket(t, hash);
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

void table_each(struct table *t, void (*fn)(struct table_node *n, void *arg), void *arg)
{
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct table_node *n, *next;

		for (n = t->buckets[i]; n; n = next) {
			next = n->next;
			fn(n, arg);
		}
	}
}
