/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What of a reply may be used: the chain of CNAMEs and DNAMEs from the name that was asked to the
 * end that this server may speak for, and next to it only what its kind of reply calls for: SOA and
 * proofs of a denial, NS, DS and glue of a referral. All else is never looked at again (A7): other
 * people's records, NS records beside an answer, glue nobody needs, DNAMEs in the wrong section.
 *
 * Over UDP only the first alias of a chain is taken, and only what was asked for itself: whoever
 * forges one reply to a name that does not matter could else say where a name leads that does.
 *
 * Bailiwick: an owner counts only at or below the zone the server was asked about, and only while
 * the same forward or stub zone of the config governs it (A8: a forwarder of corp. says nothing
 * about com., nor the reverse). Pure but for the arena. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dns/msg_parse.h"
#include "dns/rrset.h"

struct resolver_conf;
struct resolver_forward;

#define SCRUB_ANSWER_MAX 32
#define SCRUB_PROOF_MAX	 8
#define SCRUB_GLUE_MAX	 32

struct scrub_in {
	const struct msg *m;
	const struct resolver_conf *conf;	 /* life: turn */
	const struct resolver_forward *governor; /* forward or stub zone of name, or NULL */
	struct arena *arena;
	const uint8_t *name; /* that was asked, lower case; life: query */
	uint16_t type;
	const uint8_t *zone; /* that the server speaks for */
	bool is_tcp;	     /* how it came */
	bool is_priming;     /* the addresses beside the root's NS are wanted */
};

struct scrub_out {
	bool has_answer;  /* the chain ends in what was asked for */
	bool is_too_long; /* a DNAME makes a name of more than 255 octets: YXDOMAIN */
	bool is_loop;	  /* the chain comes back to itself */
	uint8_t n_answer; /* chain and what it ends in, in order */
	uint8_t n_chain;  /* CNAMEs in it, made from DNAMEs or not */
	uint8_t n_proof, n_glue;
	const uint8_t *target; /* where the chain ends; name when there is none */
	struct rrset *soa;     /* of a zone that holds target */
	struct rrset *ns;      /* of a cut strictly below zone, above or at target */
	struct rrset *ds;      /* at the cut */
	struct rrset *answer[SCRUB_ANSWER_MAX];
	struct rrset *proof[SCRUB_PROOF_MAX]; /* NSEC and NSEC3 of the authority section */
	struct rrset *glue[SCRUB_GLUE_MAX];
};

/* ERR_MALFORMED, ERR_LIMIT: the reply is no good. ERR_SPACE: the arena is full. */
MUST_CHECK int scrub_reply(const struct scrub_in *in, struct scrub_out *out);

/* RFC 6672 2.2, 3.1: the CNAME that a DNAME makes of name, which is beneath its owner. ERR_LIMIT:
 * it would be too long. ERR_SPACE: the arena is full. */
MUST_CHECK int scrub_make_alias(
	struct arena *a, const struct rrset *dname, const uint8_t *name, struct rrset **out);
