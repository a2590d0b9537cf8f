/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Addresses promised in memory: offered and not yet asked for, under an ARP probe, or waiting for
 * the disk. At most one for an address and DHCP_OFFERS_MAX in all, oldest first; nothing of it ever
 * reaches the disk, so strangers who only ask cost memory alone, and that is bounded. One thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/table.h"
#include "dhcp/client4.h"

struct server4_stage;

struct offer {
	struct table_node by_addr, by_client;
	struct offer *next, *prev; /* by age */
	int64_t made_ms, due_ms;
	struct server4_stage *stage; /* not NULL: its ACK waits for the disk; the offer stays */
	struct client4 client;	     /* id is its own copy */
	uint64_t circuit;	     /* hash of the relay's circuit, 0 none */
	uint32_t addr;
	bool is_probing; /* a question is out; the offer stays */
	bool is_probed;	 /* and it was not answered */
};

struct offer_table;
struct offer_table *offer_table_new(const struct hash_key *key);
void offer_table_free(struct offer_table *t); /* NULL allowed */

struct offer *offer_get(const struct offer_table *t, uint32_t addr);
struct offer *offer_first_of(const struct offer_table *t, const struct client4 *c);
struct offer *offer_next_of(const struct offer *o);

/* A new one; the address must have none. ERR_LIMIT: DHCP_OFFERS_MAX stand, or circuit (0: none) has
 * DHCP_OFFERS_PER_CIRCUIT. */
MUST_CHECK int offer_put(struct offer_table *t, uint32_t addr, const struct client4 *c,
	uint64_t circuit, int64_t now_ms, struct offer **out);
/* Made again now: lasts longer, and is the youngest. */
void offer_renew(struct offer_table *t, struct offer *o, int64_t now_ms);
void offer_del(struct offer_table *t, struct offer *o);

/* From the oldest: first with NULL. */
struct offer *offer_older_first(const struct offer_table *t, const struct offer *after);
/* Neither staged nor probing: it may be taken back. */
static inline bool offer_is_idle(const struct offer *o)
{
	return !o->stage && !o->is_probing;
}
size_t offer_count(const struct offer_table *t);
