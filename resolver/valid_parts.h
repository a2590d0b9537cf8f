/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What valid.c, valid_deny.c and valid_chain.c share: the state of one query's validation (life:
 * query) and the verification of an RRset. For these alone. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/denial.h"
#include "dns/rrsig.h"
#include "resolver/query_state.h"
#include "resolver/valid.h"

#define VALID_FACTS_MAX 64 /* DS and DNSKEY RRsets one query looks at; more than it may fetch */
#define VALID_TRIES_MAX 3  /* for one of them: the cache, a server, another server */
#define VALID_PROOF_MAX 9  /* RRsets of a denial */

/* A DNSKEY or DS RRset, or the news that there is none. */
struct valid_fact {
	const uint8_t *name; /* life: query */
	uint16_t type;
	uint8_t n_tries;
	bool is_pending, is_here;
	bool has_failed; /* asked, no answer */
	bool is_judged;
	uint8_t verdict; /* enum valid_link, when judged */
	int ede;	 /* and why */
	uint16_t rcode;
	struct ip_port from; /* who gave it */
	struct rrset *rr;    /* the RRset, or a CNAME at the name, or NULL */
	uint8_t n_proof;
	struct rrset *proof[VALID_PROOF_MAX];
};

struct valid {
	struct query *q;
	const struct resolver_conf *conf; /* life: turn; renewed by each valid_run */
	struct rrsig_env env;
	struct crypto_meter meter;
	int ede;
	bool is_limited; /* the budget ran out */
	uint8_t n_facts;
	struct valid_fact *facts[VALID_FACTS_MAX];
};

/* The zone at the end of a chain. */
struct valid_zone {
	const uint8_t *name;
	const struct rrset *keys;
};

/* ---- valid.c ---- */

/* Notes why something is bogus; the first reason stays. */
void valid_note(struct valid *v, int ede);
/* rr is genuine by the keys of z: computes that at most once. Marks it; cuts its TTL. */
enum rrsig_result valid_verify(struct valid *v, struct rrset *rr, const struct valid_zone *z);
/* Least count of labels that the signatures by zone speak of. */
uint8_t valid_labels(const struct rrset *rr, const uint8_t *zone);
/* The first signer that may stand above rr (strictly above: for DS); NULL: unsigned. */
const uint8_t *valid_signer(struct valid *v, const struct rrset *rr);
/* Nobody above the closest anchor speaks for name. */
bool valid_may_sign(struct valid *v, const uint8_t *name, uint16_t type, const uint8_t *signer);
/* The cache shall know. */
void valid_store(struct valid *v, const struct rrset *rr);

/* ---- valid_chain.c ---- */

/* From the closest anchor down to stop, as far as there are delegations. VALID_SECURE: *out is the
 * zone that holds stop. */
enum valid_verdict valid_chain(struct valid *v, const uint8_t *stop, struct valid_zone *out);

/* ---- valid_deny.c ---- */

/* The genuine NSEC and NSEC3 records of the zone among sets. */
void valid_gather(struct valid *v, struct rrset *const *sets, size_t n, const struct valid_zone *z,
	struct denial *out);
/* In the validator's words, the reason noted. */
enum valid_verdict valid_of_nsec(struct valid *v, enum nsec_verdict verdict);
/* The denial in q->out: of q->target, or of its type. */
enum valid_verdict valid_deny(struct valid *v, bool is_nxdomain);
/* An answer was expanded from a wildcard: is it proven that nothing stands closer? */
enum valid_verdict valid_deny_closer(
	struct valid *v, const struct rrset *rr, const struct valid_zone *z);
