/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A zone cut with the servers to ask there: found in the RRset cache, taken from a referral, from
 * the root hints, or given by the config (forward and stub zones). All in the query's arena (life:
 * query); nothing of the config is kept by pointer. Bounded: RESOLVER_NS_MAX names looked at,
 * RESOLVER_NS_ADDRS_MAX addresses of each, DELEGATION_ADDRS_MAX in all, no address twice. It never
 * asks anybody; who lacks addresses is told so. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "dns/rrset.h"
#include "resolver/resolver.h"
#include "resolver/resolver_limits.h"

#define DELEGATION_ADDRS_MAX 32 /* 13 servers of both families, and some */
#define DELEGATION_NO_NS     UINT8_MAX

enum delegation_kind {
	DELEGATION_ZONE,   /* iterate from here */
	DELEGATION_HINTS,  /* the root, from hints: time to prime */
	DELEGATION_STUB,   /* iterate, from given authorities */
	DELEGATION_FORWARD /* ask for the whole answer */
};

struct delegation_addr {
	struct ip_port at;
	uint8_t ns;	   /* index into ns, DELEGATION_NO_NS when given by the config */
	uint8_t tries;	   /* packets sent there for the present question */
	bool is_failed;	   /* gave no use for the present question */
	bool is_lame;	   /* does not serve this zone */
	bool is_recursive; /* has offered an answer out of its cache */
	bool is_plain;	   /* this query talks to it without EDNS */
	bool is_tcp;	   /* this question goes there over TCP */
	uint8_t n_tcp_fails;
};

struct delegation_ns {
	const uint8_t *name; /* life: query */
	uint8_t n_addrs;
	uint8_t n_pending; /* sub-queries under way for it */
	uint8_t n_asked;   /* families of addresses that this query looked up */
};

struct delegation {
	enum delegation_kind kind;
	const uint8_t *zone; /* life: query */
	uint8_t n_ns, n_addrs;
	int64_t expires_ms; /* no cut below it may be remembered for longer (phoenix domains) */
	bool is_referral;   /* told by the parent in this very query: going up will not help */
	struct delegation_ns ns[RESOLVER_NS_MAX];
	struct delegation_addr addrs[DELEGATION_ADDRS_MAX];
};

struct resolver_forward;

struct delegation_in {
	struct resolver *r;
	const struct resolver_conf *conf; /* life: turn */
	struct arena *arena;
	int64_t now_ms;
};

/* The deepest cut at or above name that has at most max_labels labels and somebody to ask: a known
 * address or a name server that may be looked up elsewhere. In the end the root hints. NULL when
 * there are none or the arena is full. */
struct delegation *delegation_find(
	const struct delegation_in *in, const uint8_t *name, unsigned max_labels);
/* What a parent told: ns is the NS RRset, its addresses are in glue or in the cache. */
struct delegation *delegation_from_referral(const struct delegation_in *in, const struct rrset *ns,
	struct rrset *const *glue, size_t n_glue);
struct delegation *delegation_from_conf(
	const struct delegation_in *in, const struct resolver_forward *f);

/* Adds the addresses of an A or AAAA RRset to the name server of index i (or DELEGATION_NO_NS).
 * Returns how many are new and may be asked. */
size_t delegation_add_addrs(
	struct delegation *d, unsigned i, const struct rrset *rr, const struct resolver_conf *conf);
/* May a server at this address be asked at all: its family is in use, it is a unicast address, not
 * ourselves, not loopback unless told. */
bool delegation_may_ask(const struct resolver_conf *conf, const struct ip *ip);
/* Forget what the last question taught about the servers, but not who is lame or plain. */
void delegation_new_question(struct delegation *d);
