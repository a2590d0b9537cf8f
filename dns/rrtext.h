/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Presentation text of records (RFC 1035 5.1), both ways, through ldns: `record.NAME.rr` of the
 * configuration, what `lanthorn lookup` and `explain` print. Never on a packet's path: ldns uses
 * malloc. Any thread. Reading is for text of the operator; formatting takes rdata of strangers,
 * checks it before ldns sees it, and falls back to the form of RFC 3597 (\# 3 0a0b0c). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/dname.h"
#include "dns/rrset.h"

#define RRTEXT_RDATA_MAX 4096 /* octets of rdata read from one line; a config file needs less */
#define RRTEXT_LINE_MAX	 9000 /* text of one record; ldns gives up at 10230 */

struct rrtext_rr {
	uint8_t owner[DNAME_MAX];
	uint8_t owner_len;
	uint16_t type, class;
	uint32_t ttl;
	size_t rdlen;
	uint8_t rdata[RRTEXT_RDATA_MAX];
};

/* The rdata alone: (DNS_TYPE_MX, "10 mail.example."). Relative names are taken below origin (NULL:
 * the root). ERR_MALFORMED, ERR_LIMIT. */
MUST_CHECK int rrtext_read_rdata(uint16_t type, const char *text, const uint8_t *origin,
	uint8_t *out, size_t cap, size_t *out_len);
/* A whole record: "name [ttl] [IN] type rdata". */
MUST_CHECK int rrtext_read(
	const char *text, uint32_t default_ttl, const uint8_t *origin, struct rrtext_rr *out);

/* A record in uncompressed wire form, as ldns hands it out. ERR_MALFORMED, ERR_LIMIT. */
MUST_CHECK int rrtext_from_wire(const uint8_t *wire, size_t len, struct rrtext_rr *out);

/* NUL-terminated, cut to cap. Returns buf. */
char *rrtext_format_rdata(uint16_t type, const uint8_t *rdata, size_t len, char *buf, size_t cap);
/* One line without its end: "owner ttl IN type rdata". */
char *rrtext_format(const uint8_t *owner, uint16_t type, uint16_t class, uint32_t ttl,
	const uint8_t *rdata, size_t len, char *buf, size_t cap);
/* All records, and the signatures when with_sigs, a line each; the caller xfrees it. */
char *rrtext_format_rrset(const struct rrset *rr, bool with_sigs);
