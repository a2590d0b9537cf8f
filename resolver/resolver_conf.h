/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the resolver was told: one immutable snapshot, built from the config off the loops and
 * swapped by RCU. Borrowed for a turn; never kept across callbacks. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/rcu.h"
#include "dns/rrset.h"
#include "zones/zones.h"

struct acl; /* resolver/acl.h */

/* A forward zone (through c-ares) or a stub zone (its authorities, asked iteratively). */
struct resolver_forward {
	const uint8_t *zone; /* wire name */
	bool is_stub;
	bool validate;
	size_t n_to;
	const struct ip_port *to;
};

struct resolver_conf {
	uint32_t generation; /* grows with every swap: entries judged under an older one are judged
				again */
	struct zones *zones; /* owned */
	struct acl *acl;     /* owned */
	size_t n_forwards;
	struct resolver_forward *forwards; /* longest zone first */
	size_t n_hints;			   /* root servers: NS and A/AAAA RRsets, rank LOCAL */
	const struct rrset **hints;
	bool validate; /* kept for the validator */
	bool qname_minimisation, case_randomisation, prefetch, minimal_responses, cookies;
	bool rebind_protection, prime, harden_glue, query_localhost;
	bool ipv4, ipv6; /* families used upstream */
	uint32_t min_ttl_s, max_ttl_s, max_negative_ttl_s, serve_stale_s;
	uint16_t edns_size;
	bool log_queries;
	size_t n_rebind_allow; /* names whose answers, and those beneath, may hold private addresses
				*/
	const uint8_t **rebind_allow;
	size_t n_anchors; /* DS and DNSKEY RRsets that are trusted; at most one of each per name */
	const struct rrset **anchors;
	size_t n_negative; /* names that, with those beneath, are not validated (RFC 7646) */
	const uint8_t **negative;
	uint32_t signature_skew_s;
	size_t n_own; /* our own addresses: never asked as servers */
	const struct ip *own;
	void *owned; /* arena or block freed with it */
	void (*free_owned)(void *owned);
	struct rcu_later later;
};

/* Longest forward or stub zone that holds name, or NULL. */
const struct resolver_forward *resolver_conf_forward(
	const struct resolver_conf *c, const uint8_t *name);
/* Puts the forwards in the order resolver_conf_forward needs; whoever fills them calls it last. */
void resolver_conf_sort(struct resolver_conf *c);
/* Frees zones, acl, owned (by free_owned) and c itself, which came from xcalloc. NULL allowed. */
void resolver_conf_free(struct resolver_conf *c);
