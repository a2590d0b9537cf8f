/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rcumap.h"

#include <assert.h>
#include <stdlib.h>
#include <urcu/rculfhash.h>
#include <urcu/urcu-memb.h>

#include "base/rcu_tsan.h"
#include "base/xalloc.h"

/* Buckets cost 16 bytes each; 2^18 of them serve a million names with chains of four. */
enum { RCUMAP_MIN_BUCKETS = 64, RCUMAP_MAX_BUCKETS = 1 << 18 };

struct rcumap {
	struct cds_lfht *table;
	void (*on_free)(struct rcumap_node *n);
	size_t count; /* the writer's */
};

struct rcumap_match {
	uint64_t hash;
	rcumap_eq *eq;
	const void *key;
};

_Static_assert(sizeof(struct cds_lfht_node) <= sizeof(((struct rcumap_node *)0)->opaque),
	"struct rcumap_node has no room for liburcu's node");
_Static_assert(offsetof(struct rcumap_node, opaque) == 0, "a node is liburcu's node first");

static int rcumap_match_node(struct cds_lfht_node *node, const void *key)
{
	const struct rcumap_node *n = (const struct rcumap_node *)node;
	const struct rcumap_match *match = key;

	RCU_TSAN_ACQUIRE(node);
	return n->hash == match->hash && match->eq(n, match->key);
}

/* No automatic resizing: it would run a thread of liburcu's own beside ours. */
struct rcumap *rcumap_new(size_t n_expected, void (*on_free)(struct rcumap_node *n))
{
	struct rcumap *m = xcalloc(1, sizeof(*m));
	unsigned long n_buckets = RCUMAP_MIN_BUCKETS;

	while (n_buckets < n_expected && n_buckets < RCUMAP_MAX_BUCKETS)
		n_buckets *= 2;
	m->table = cds_lfht_new_flavor(
		n_buckets, RCUMAP_MIN_BUCKETS, n_buckets, 0, &urcu_memb_flavor, NULL);
	if (!m->table)
		abort();
	m->on_free = on_free;
	return m;
}

static bool rcumap_drop(struct rcumap_node *n, void *arg)
{
	rcumap_del(arg, n);
	return true;
}

void rcumap_free(struct rcumap *m)
{
	int rc;

	if (!m)
		return;
	rcumap_each(m, rcumap_drop, m);
	rc = cds_lfht_destroy(m->table, NULL);
	assert(rc == 0);
	(void)rc;
	xfree(m);
}

struct rcumap_node *rcumap_get(struct rcumap *m, uint64_t hash, rcumap_eq *eq, const void *key)
{
	struct rcumap_match match = {.hash = hash, .eq = eq, .key = key};
	struct cds_lfht_iter iter;

	cds_lfht_lookup(m->table, (unsigned long)hash, rcumap_match_node, &match, &iter);
	return (struct rcumap_node *)cds_lfht_iter_get_node(&iter);
}

static void rcumap_run_free(void *object)
{
	struct rcumap_node *n = object;

	n->on_free(n);
}

static void rcumap_free_later(struct rcumap *m, struct rcumap_node *n)
{
	if (!m->on_free)
		return;
	n->on_free = m->on_free;
	rcu_free_later(&n->later, rcumap_run_free, n);
}

bool rcumap_put(
	struct rcumap *m, struct rcumap_node *n, uint64_t hash, rcumap_eq *eq, const void *key)
{
	struct rcumap_match match = {.hash = hash, .eq = eq, .key = key};
	struct cds_lfht_node *node = (struct cds_lfht_node *)n->opaque, *old;

	n->hash = hash;
	cds_lfht_node_init(node);
	RCU_TSAN_RELEASE(node);
	rcu_enter();
	old = cds_lfht_add_replace(m->table, (unsigned long)hash, rcumap_match_node, &match, node);
	rcu_leave();
	if (old)
		rcumap_free_later(m, (struct rcumap_node *)old);
	else
		m->count++;
	return old != NULL;
}

void rcumap_del(struct rcumap *m, struct rcumap_node *n)
{
	int rc;

	rcu_enter();
	rc = cds_lfht_del(m->table, (struct cds_lfht_node *)n->opaque);
	rcu_leave();
	assert(rc == 0);
	if (rc == 0) {
		m->count--;
		rcumap_free_later(m, n);
	}
}

void rcumap_each(struct rcumap *m, bool (*fn)(struct rcumap_node *n, void *arg), void *arg)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;
	bool go_on = true;

	rcu_enter();
	cds_lfht_first(m->table, &iter);
	while (go_on && (node = cds_lfht_iter_get_node(&iter))) {
		RCU_TSAN_ACQUIRE(node);
		go_on = fn((struct rcumap_node *)node, arg);
		cds_lfht_next(m->table, &iter);
	}
	rcu_leave();
}

size_t rcumap_count(const struct rcumap *m)
{
	return m->count;
}
