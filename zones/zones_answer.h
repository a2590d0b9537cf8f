/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One local question on its way to its answer, for zones.c (the order of things) and zones_answer.c
 * (what goes into the answer: RRsets, SOA, NS, leases) alone. Lives on zones_decide's stack. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/dname.h"
#include "zones/zones_snapshot.h"

/* One question on its way. */
struct ask {
	const struct zones *z;
	const struct question *q;
	bool is_loopback; /* the client is ourselves */
	int64_t wall_s;
	uint8_t *mem;
	size_t left;
	struct trace *trace;
	struct zones_answer *out;
	/* the name looked at now, and what the walk found */
	const uint8_t *name;
	unsigned labels, matched;
	uint32_t ids[DNAME_LABELS_MAX + 1];
	uint32_t loop_id; /* its node in the loopback data, SUFFIXSET_NONE */
	const struct zone *zone;
};

/* What a step says. NEXT: not mine. */
enum step { STEP_NEXT, STEP_DONE, STEP_RESOLVE, STEP_CNAME };

/* No room, or too many CNAMEs: an honest error. */
enum step zones_give_up(struct ask *a);
/* rr NULL: there was no room. */
enum step zones_put(struct ask *a, const struct rrset *rr);
/* A set of static data under the name that was asked. The stored one will do when both names are
 * equal: the case of the question comes back by compression. NULL: no room. */
const struct rrset *zones_renamed(struct ask *a, const struct rrset *rr);

/* NODATA or NXDOMAIN with the SOA of apex. */
enum step zones_negative(struct ask *a, uint16_t rcode, const uint8_t *apex);
/* NODATA of our zone; without one the name itself is the top of one. */
enum step zones_nodata(struct ask *a);
/* The name exists but has no such type; at the top of a zone SOA and NS are found. */
enum step zones_no_such_type(struct ask *a);

uint16_t zones_address_type(const struct ip *ip);
/* The live lease under a label (length octet first) of a lease zone. */
bool zones_find_lease(
	const struct ask *a, uint32_t zone_index, const uint8_t *label, struct leasename_hit *out);
/* Its addresses, or NODATA. */
enum step zones_answer_lease(struct ask *a, const struct leasename_hit *hit);
/* The PTR of a leased address, or STEP_NEXT. */
enum step zones_answer_lease_ptr(struct ask *a);
