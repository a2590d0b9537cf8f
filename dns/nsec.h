/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* NSEC records (RFC 4034 4) and what a set of them proves (RFC 4035 5.4, RFC 6840 4). The records
 * handed in are already verified, by keys of one zone; here it is decided what they say. Pure.
 *
 * A record counts only for its own zone: its owner and its next owner must lie in it (BIND
 * CVE-2026-13321), its signature must not come from a wildcard (CVE-2017-15105), and the record at
 * a delegation or a DNAME says nothing about names beneath. Minimally covering records (RFC 4470)
 * and compact answers (RFC 9824) need nothing special. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/rrset.h"

/* What a denial amounts to; NSEC3 answers in the same words. */
enum nsec_verdict {
	NSEC_UNPROVEN, /* the records do not say so: bogus */
	NSEC_PROVEN,
	NSEC_NO_CUT,   /* asked for a delegation without DS: there is no delegation at this name */
	NSEC_INSECURE, /* opt-out, or too many iterations: cannot be proven and need not be */
	NSEC_LIMIT     /* the budget of hashes is used up */
};
const char *nsec_verdict_text(enum nsec_verdict v); /* static */

/* A type bitmap (RFC 4034 4.1.2). */
struct nsec_types {
	const uint8_t *bits;
	uint16_t len;
};
bool nsec_types_has(const struct nsec_types *t, uint16_t type);
/* Parent side of a zone cut: NS without SOA. */
bool nsec_types_is_cut(const struct nsec_types *t);
/* Nothing of type at the name, by the bitmap of its own record? Not when the type or a CNAME is
 * there; not for DS by the child's own record unless it is the root, nor for anything but DS by the
 * parent's (RFC 6840 4.1, 4.3). */
bool nsec_types_lack(const struct nsec_types *t, uint16_t type, bool is_root);

struct nsec {
	const uint8_t *owner, *next, *zone; /* life: the RRset and the zone name handed in */
	struct nsec_types types;
};

/* rr: a verified NSEC RRset of zone; labels: of the signature that verified it. ERR_MALFORMED: it
 * proves nothing: more than one record, a wildcard's expansion, owner or next owner outside zone,
 * or a next owner that does not come later. */
MUST_CHECK int nsec_parse(
	const struct rrset *rr, const uint8_t *zone, uint8_t labels, struct nsec *out);

/* name lies strictly between owner and next in the zone's order, and n may speak about it. It is
 * then no owner of records; whether it is an empty non-terminal says nsec_is_ent(). */
bool nsec_covers(const struct nsec *n, const uint8_t *name);
/* n covers name and its next owner lies beneath: name is there and empty. */
bool nsec_is_ent(const struct nsec *n, const uint8_t *name);
/* n covers name and there is nothing at it or beneath. */
bool nsec_denies(const struct nsec *n, const uint8_t *name);
/* n denies name: how many labels the closest name has that does exist. */
unsigned nsec_closest(const struct nsec *n, const uint8_t *name);

/* The questions of a validator. set: n records of one zone; name within it, or nothing is proven.
 */

/* Neither name nor a wildcard that could stand for it exists. */
enum nsec_verdict nsec_nxdomain(const struct nsec *set, size_t n, const uint8_t *name);
/* name exists, itself, empty or by a wildcard, and has nothing of type. */
enum nsec_verdict nsec_nodata(const struct nsec *set, size_t n, const uint8_t *name, uint16_t type);
/* An answer for name was expanded from the wildcard below its ancestor with this many labels: there
 * is nothing closer. */
enum nsec_verdict nsec_wildcard(
	const struct nsec *set, size_t n, const uint8_t *name, unsigned labels);
/* NSEC_PROVEN: name is a delegation without DS. NSEC_NO_CUT: it is none. */
enum nsec_verdict nsec_no_ds(const struct nsec *set, size_t n, const uint8_t *name);
