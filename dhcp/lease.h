/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* All leases in memory: found by address and by client, ended by time, the longest ended of a pool
 * found first. The disk holds the same records (store/leasedb); this table is loaded from it at
 * start and is the truth while we run.
 *
 * Time: a lease ends by the monotonic clock (due_ms). Its Unix end is what the disk holds
 * (stored_s); when the wall clock steps the two part, and lease_restate tells which records to
 * write anew. So a step neither ends leases nor makes them last.
 * One thread. Tells the pools (dhcp/pick) which addresses are taken. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/table.h"
#include "dhcp/client4.h"
#include "dhcp/pick.h"
#include "store/leasedb.h"

#define LEASE_NEVER INT64_MAX /* due_ms of a lease that does not end */

struct lease {
	struct table_node by_addr, by_client;
	struct lease *wheel_next, **wheel_link; /* the second it ends in; NULL: not running */
	struct lease *old_next, *old_prev;	/* ended ones of its pool, longest ended first */
	int64_t due_ms;	     /* BOUND: end; DECLINED: end of the rest; else when it ended */
	int64_t put_ms;	     /* when it was last put */
	int64_t stored_s;    /* expires_s of the record on the disk; 0: it has none */
	int64_t start_s;     /* Unix */
	int64_t last_seen_s; /* Unix */
	uint8_t *bytes;	     /* id, asked, hostname (no NUL), one after the other */
	uint32_t addr;
	uint32_t pool; /* PICK_NO_POOL: in none */
	uint32_t slot;
	uint32_t last_xid; /* of the REQUEST last acknowledged, at last_ack_ms */
	int64_t last_ack_ms;
	uint64_t name_owner;  /* while is_named */
	unsigned name_domain; /* the same */
	uint8_t state;	      /* enum lease_state */
	uint8_t hw_type, hw_len, hw[16];
	uint8_t id_len, asked_len, host_len, lan; /* lan: index of lease_lan_name */
	bool is_by_id;
	bool is_named;	 /* its name is in zones/leasename now */
	bool is_dirty;	 /* the disk has another record; it is to be written again */
	bool is_on_disk; /* false: a conflict found by a probe; memory only */
};

struct lease_table;
/* pick: may be NULL until lease_repool. key: for the client index. */
struct lease_table *lease_table_new(const struct hash_key *key);
void lease_table_free(struct lease_table *t); /* NULL allowed */

/* The pools were built anew: take every address there, sort the ended ones. O(n log n). */
void lease_repool(struct lease_table *t, struct pick *pick);

/* By address; NULL when nothing is known of it. Declined ones too. */
struct lease *lease_get(const struct lease_table *t, uint32_t addr);
/* The client's leases one after the other, in any lan and state but DECLINED; NULL ends. */
struct lease *lease_first_of(const struct lease_table *t, const struct client4 *c);
struct lease *lease_next_of(const struct lease *l, const struct client4 *c);
struct client4 lease_client(const struct lease *l); /* borrows from l */
bool lease_is_of(const struct lease *l, const struct client4 *c);

/* Make the lease of rec->ip what rec says (any earlier one at that address is overwritten), in
 * rec->state, ending at due_ms. rec->expires_s becomes stored_s; a record of expires_s 0 is in
 * memory only. NULL: the table is full. */
struct lease *lease_put(
	struct lease_table *t, const struct lease_record *rec, int64_t due_ms, int64_t now_ms);
/* BOUND to RELEASED or EXPIRED. */
void lease_end(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_ms);
void lease_del(struct lease_table *t, struct lease *l);
/* A bound lease whose time is over, or a declined one whose rest is; NULL: none at now_ms. The
 * caller must end or delete it. */
struct lease *lease_next_due(struct lease_table *t, int64_t now_ms);
/* An ended one was just promised to somebody: look at the others first from now on. */
void lease_pass(struct lease_table *t, struct lease *l);
/* The longest ended one of a pool, or the longest declined one; NULL. */
struct lease *lease_oldest_ended(const struct lease_table *t, unsigned pool);
struct lease *lease_oldest_declined(const struct lease_table *t, unsigned pool);

/* offset_ms: wall clock minus monotonic clock. */
int64_t lease_expires_s(const struct lease *l, int64_t offset_ms);
void lease_to_record(const struct lease_table *t, const struct lease *l, int64_t offset_ms,
	struct lease_record *out);

/* Walk that may be spread over many turns: the lease after `at` in the table's order, from 0; NULL
 * ends. A lease put or deleted meanwhile may be missed or met twice. */
struct lease *lease_walk(const struct lease_table *t, size_t *at);

struct lease_stats {
	uint64_t n_bound, n_ended, n_declined;
};
struct lease_stats lease_stats(const struct lease_table *t);
size_t lease_count(const struct lease_table *t);
/* The same of one pool; n_bound is not kept by pool and 0. */
struct lease_stats lease_pool_stats(const struct lease_table *t, unsigned pool);
