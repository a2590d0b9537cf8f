/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Writing DNS messages with name compression. The writer is on the caller's stack; output in the
 * caller's buffer. A record or RRset that does not fit leaves the message as it was before it (for
 * TC). Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wbuf.h"
#include "dns/dns_const.h"
#include "dns/msg_parse.h"
#include "dns/rrset.h"

#define MSG_WRITE_NAMES_MAX                                                                        \
	120 /* names remembered for compression; CVE-2024-8508 (Unbound's value) */
#define MSG_WRITE_TTL_MAX 512 /* TTL offsets noted for the wire cache; more: not cacheable */
#define MSG_WRITE_BUCKETS 128 /* of the hash over those names; power of two */
#define MSG_WRITE_STEPS_MAX                                                                        \
	8192 /* suffixes looked up and names compared per message, then no more compression:       \
		bounds the work that colliding names or long ones can make (CVE-2024-8508); a      \
		reply of a thousand ordinary records needs a third of it */

struct msg_writer {
	struct wbuf b;
	uint16_t counts[4];
	uint16_t steps; /* of MSG_WRITE_STEPS_MAX */
	uint16_t n_names;
	uint16_t names[MSG_WRITE_NAMES_MAX]; /* offsets of names already written */
	uint32_t tags[MSG_WRITE_NAMES_MAX];  /* hash of the name there */
	uint8_t chain[MSG_WRITE_NAMES_MAX];  /* next name of the bucket */
	uint8_t buckets[MSG_WRITE_BUCKETS];
	uint16_t n_ttl;
	bool ttl_overflow;
	uint16_t ttl_off[MSG_WRITE_TTL_MAX]; /* offset of each TTL field written */
};

/* Header and question; q NULL: no question. buf shorter than that marks w->b bad, and all that
 * follows is ERR_SPACE. */
void msg_write_begin(struct msg_writer *w, uint8_t *buf, size_t cap, uint16_t id, uint16_t flags,
	const struct question *q);
/* All records of rr (and its RRSIGs when with_sigs) with this TTL. ERR_SPACE: nothing was written.
 */
MUST_CHECK int msg_write_rrset(struct msg_writer *w, enum dns_section section,
	const struct rrset *rr, uint32_t ttl, bool with_sigs);
/* One record; owner and rdata as given (names inside rdata are compressed for the types of RFC 3597
 * 4). */
MUST_CHECK int msg_write_rr(struct msg_writer *w, enum dns_section section, const uint8_t *owner,
	uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata, size_t rdlen);
/* An OPT at the end (counts as additional). */
MUST_CHECK int msg_write_opt(struct msg_writer *w, const struct edns_reply *r);
/* Patches the counts; returns the length. rcode's lower 4 bits are in flags already. */
size_t msg_write_end(struct msg_writer *w);

/* An upstream query: header with id and RD when rd, question, OPT (size, DO, cookie) unless edns is
 * NULL. 0x20 is the caller's: the case of q->name is sent as given. */
MUST_CHECK int msg_write_query(uint8_t *buf, size_t cap, uint16_t id, uint16_t flags,
	const struct question *q, const struct edns_reply *edns, size_t *out_len);
