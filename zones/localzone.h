/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Static data of ours: owner names with their RRsets, and where our zones begin. Lookups follow
 * RFC 4592: an empty non-terminal exists, a wildcard answers below its closest encloser only. One
 * fact may come from several places; the better rank wins by type, and the first comer among
 * equals where only one can stand. Built by one thread, then read by all (life: config). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "dns/rrset.h"
#include "zones/suffixset.h"

/* Most octets of one RRset: what has to fit into an answer made on the fly. */
#define LOCALZONE_SET_MAX 6000

/* Who says so, best first. */
enum localzone_rank {
	LOCALZONE_FIXED = 0, /* what an RFC lays down: localhost */
	LOCALZONE_RECORD,    /* configuration: records, devices */
	LOCALZONE_DERIVED,   /* PTRs that follow from a record's address */
	LOCALZONE_HOSTS,     /* hosts files */
	LOCALZONE_HOSTS_PTR,
	LOCALZONE_DEFAULT /* built in, may be replaced */
};

struct localzone_set {
	struct localzone_set *next;
	const char *source; /* static text */
	uint8_t rank;	    /* enum localzone_rank */
	struct rrset *rr;
};

struct localzone_node {
	struct localzone_set *sets;
	uint32_t wildcard; /* id of the child "*", 0: none */
	uint32_t zone;	   /* 1 + index of the zone that begins here, 0: none */
};

struct localzone;

struct localzone *localzone_new(const struct hash_key *key);
void localzone_free(struct localzone *z); /* NULL allowed */

/* One RR. ERR_EXISTS: a CNAME would stand beside other data of the same rank, or a second CNAME.
 * ERR_LIMIT: the set or the zone is full. 0 also when a better rank holds the place already. */
MUST_CHECK int localzone_add(struct localzone *z, const uint8_t *name, uint16_t type, uint32_t ttl,
	const uint8_t *rdata, size_t len, enum localzone_rank rank, const char *source);
/* Makes name exist; its node may be changed until reading begins, and moves with the next add. */
MUST_CHECK int localzone_make(
	struct localzone *z, const uint8_t *name, struct localzone_node **out);

/* As suffixset_find. */
unsigned localzone_find(
	const struct localzone *z, const uint8_t *name, uint32_t ids[DNAME_LABELS_MAX + 1]);
const struct localzone_node *localzone_node(const struct localzone *z, uint32_t id);
/* The node of exactly this name, or NULL. */
const struct localzone_node *localzone_get(const struct localzone *z, const uint8_t *name);
/* The set of a type, or NULL. */
const struct localzone_set *localzone_set(const struct localzone_node *n, uint16_t type);
/* Names that have data. */
size_t localzone_count(const struct localzone *z);
