/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From a stored wire answer to a client's packet. A blob is a whole message without OPT (id 0,
 * question as first asked, owner names compressed to the question) with the offsets of its TTLs;
 * answer_patch turns it into one client's reply: id, flags, the client's own case of the name, aged
 * TTLs, OPT, or TC. The cache stores blobs, query_finish and the local names make them, and both
 * ways end here. Pure, no allocation. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/msg_parse.h"
#include "dns/rrset.h"

#define ANSWER_TTL_OFFSETS 64 /* an answer with more TTL fields is sent but not cached as wire */

struct answer_blob {
	uint16_t len;	/* of wire */
	uint16_t rcode; /* whole, with the EDNS part */
	uint16_t question_len;
	uint8_t security; /* enum rrset_security */
	uint8_t n_ttl;
	bool is_aa;
	int16_t ede;	/* enum dns_ede or DNS_EDE_NONE */
	uint32_t ttl_s; /* lowest TTL: how long it may be served */
	uint16_t ttl_off[ANSWER_TTL_OFFSETS];
	const uint8_t *wire;
};

/* What of the client's query shapes its reply. */
struct answer_client {
	const uint8_t *query; /* as received; the question is echoed from offset 12 */
	uint16_t question_len;
	uint16_t id, flags; /* of the query */
	bool is_tcp;
	bool has_edns, is_do;
	uint16_t udp_size;  /* what it takes, 512 without EDNS; capped by ours */
	uint8_t cookie_len; /* of the reply's cookie; 0 none */
	uint8_t cookie[40];
};

/* Most bytes a reply to c may have: 512, what its EDNS allows up to max_udp, or 65535 over TCP. */
size_t answer_limit(const struct answer_client *c, uint16_t max_udp);
/* Write the reply into out (out == blob->wire: in place; no other overlap). age_s is subtracted
 * from each TTL, never below 1 (age 0 leaves them alone). max_udp is our own EDNS size. Returns its
 * length, always > 0 for cap >= 512 + 40: what does not fit is sent as TC with the question only,
 * so of a blob longer than answer_limit only the fields are looked at, not its wire. */
size_t answer_patch(const struct answer_blob *blob, const struct answer_client *c, uint32_t age_s,
	uint16_t max_udp, uint8_t *out, size_t cap);
/* A reply that says only that it did not fit: TC, no records. */
size_t answer_cut(const struct answer_client *c, uint16_t rcode, bool is_aa, int ede,
	uint16_t max_udp, uint8_t *out, size_t cap);
/* A reply without records: FORMERR, REFUSED, NOTIMP, BADVERS, SERVFAIL ... with ede or
 * DNS_EDE_NONE. The question is echoed unless question_len is 0. */
size_t answer_error(const struct answer_client *c, uint16_t rcode, int ede, uint16_t max_udp,
	uint8_t *out, size_t cap);
