/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A hash map that many threads read without a lock while one changes it, over liburcu's
 * lock-free table. It owns its buckets, not the entries: a node is embedded in the caller's entry,
 * and an entry that was replaced or deleted goes to the map's free function once no reader
 * can hold it any more (on liburcu's helper thread, so that function touches nothing else).
 *
 * Reads stand inside rcu_enter/rcu_leave, and what they return lives until rcu_leave. Writers are
 * serialised by the caller (one thread, or his lock) and are registered with rcu_thread_register
 * like readers. An entry is never changed while it is in the map: put a new one instead.
 * The caller hashes (hash_bytes, keyed) and compares; the map never looks into an entry. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rcu.h"

struct rcumap;

/* Embedded in an entry; any content before rcumap_put. */
struct rcumap_node {
	_Alignas(8) void *opaque[2]; /* liburcu's node */
	uint64_t hash;
	struct rcu_later later;
	void (*on_free)(struct rcumap_node *n);
};

/* Is n the entry of this key? Called for nodes of the same hash only. */
typedef bool rcumap_eq(const struct rcumap_node *n, const void *key);

/* n_expected sizes the buckets once and for all: more entries work, with longer chains. on_free may
 * be NULL when entries are never freed. */
struct rcumap *rcumap_new(size_t n_expected, void (*on_free)(struct rcumap_node *n));
/* Hands every entry to on_free and frees the map. No reader may be left; not on a packet's path
 * (waits for liburcu); never inside a read section. NULL allowed. */
void rcumap_free(struct rcumap *m);

/* Inside a read section, any thread, O(1), no lock: the entry, or NULL. Borrowed until rcu_leave.
 */
struct rcumap_node *rcumap_get(struct rcumap *m, uint64_t hash, rcumap_eq *eq, const void *key);

/* Writer only. Adds n in place of an entry equal to key, which is freed later; a reader finds the
 * old one or the new one at any instant. True when there was one. The map takes n over. */
bool rcumap_put(
	struct rcumap *m, struct rcumap_node *n, uint64_t hash, rcumap_eq *eq, const void *key);
/* Writer only. Takes n, which is in the map, out of it and frees it later. */
void rcumap_del(struct rcumap *m, struct rcumap_node *n);

/* Any registered thread: fn for every entry, in no order, until it returns false. Holds a read
 * section throughout. The writer's fn may delete the entry it is given; entries that come or go
 * meanwhile may be met or not. */
void rcumap_each(struct rcumap *m, bool (*fn)(struct rcumap_node *n, void *arg), void *arg);

/* Entries now, as the writer sees it. */
size_t rcumap_count(const struct rcumap *m);
