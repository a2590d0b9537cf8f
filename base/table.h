/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An intrusive chained hash table for one thread. The caller hashes, compares and
 * owns the entries; the table owns its bucket array, which doubles as it fills.
 * Nothing a packet can reach grows it without a ceiling: callers check count. */
#include <stddef.h>
#include <stdint.h>

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

struct table {
	struct table_node **buckets;
	size_t n_buckets; /* power of two, or 0 before the first put */
	size_t count;
};

void table_fini(struct table *t); /* frees the buckets, not the entries */
void table_put(struct table *t, struct table_node *n, uint64_t hash);
/* n must be in the table. */
void table_del(struct table *t, struct table_node *n);
/* First node with this hash, or NULL; then table_next for further ones. */
struct table_node *table_find(const struct table *t, uint64_t hash);
struct table_node *table_next(const struct table_node *n);

/* Calls fn on every node; fn may delete the node it is given and no other. */
void table_each(struct table *t, void (*fn)(struct table_node *n, void *arg), void *arg);
