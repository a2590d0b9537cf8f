/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A DNS message taken apart: header, one question, EDNS, and an index of its records by offset.
 * Two depths: msg_parse_query for what clients send (hot path; header, question and OPT only) and
 * msg_parse for what servers answer. Pure; borrows the bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/edns.h"
#include "dns/rrset.h"

#define MSG_RR_MAX                                                                                 \
	1024 /* records indexed per message; more is ERR_LIMIT (a 64 KiB reply of glue) */

struct question {
	uint8_t name[DNAME_MAX]; /* case as sent */
	uint8_t name_len;
	uint16_t type, class;
};

struct msg_rr {
	uint16_t owner; /* offset of the owner name in the message */
	uint16_t type, class;
	uint16_t rdata, rdlen; /* offset and length of the rdata as it stands */
	uint8_t section;       /* enum dns_section */
	uint32_t ttl;	       /* sign bit set is 0, RFC 2181 8 */
};

struct msg {
	const uint8_t *wire;
	size_t len;
	uint16_t id, flags; /* flags: the second word whole */
	uint8_t opcode;
	uint16_t rcode; /* with the EDNS part */
	uint16_t counts[4];
	struct question q;
	struct edns edns;
	uint16_t n_rr;
	struct msg_rr rr[MSG_RR_MAX]; /* wire order; OPT is left out */
};

/* What a client sent. Fills out as far as it came, so that an error can be answered:
 * 0 sound; ERR_TRUNC shorter than a header, or QR set: drop; ERR_MALFORMED: FORMERR (QDCOUNT != 1
 * (RFC 9619), bad name, bad OPT, AN/NS records in a query are tolerated and skipped only when well
 * formed). *has_question tells whether out->q was read. Trailing bytes are tolerated. */
struct msg_query {
	uint16_t id, flags;
	uint8_t opcode;
	bool has_question;
	uint16_t question_len; /* octets of the question as sent, to be echoed from offset 12 */
	struct question q;
	struct edns edns;
};
MUST_CHECK int msg_parse_query(const uint8_t *wire, size_t len, struct msg_query *out);

/* What a server answered. QDCOUNT 0 or 1 (0: q.name_len is 0). ERR_TRUNC, ERR_MALFORMED, ERR_LIMIT.
 * A reply with TC that ends inside a record is sound up to there. Trailing bytes are tolerated.
 * Does not touch rr[] past n_rr. */
MUST_CHECK int msg_parse(const uint8_t *wire, size_t len, struct msg *out);

/* Records of one section grouped into RRsets, rdata names expanded, RRSIGs beside what they cover,
 * duplicates dropped, TTL the lowest of the set. A set over its limits ends the call with
 * ERR_LIMIT. A record whose rdata is malformed for its type is ERR_MALFORMED. Sets of RRSIGs that
 * cover nothing present are returned as RRsets of type RRSIG. All memory from a (life: query). rank
 * and security are 0. At most max sets are written to out; more are ERR_LIMIT, as is an arena that
 * is used up. */
MUST_CHECK int msg_parse_rrsets(const struct msg *m, enum dns_section section, struct arena *a,
	struct rrset **out, size_t max, size_t *n_out);
