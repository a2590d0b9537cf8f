/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the types of RRs are like: their text, whether they are data or meta, and where names stand
 * in their rdata. One table row per type. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rbuf.h"
#include "base/wbuf.h"
#include "dns/rcode.h" /* who prints a type mostly prints a code, too */

/* "A", "TYPE65280". buf of 16. Returns buf or static text. */
const char *rrtype_name(uint16_t type, char *buf);
MUST_CHECK int rrtype_read(const char *text, uint16_t *out); /* any case; TYPEn */
/* How many integers of one or two octets the rdata begins with: 1 for MX, 3 for SRV, 0 for NS. */
unsigned rrtype_n_integers(uint16_t type);
bool rrtype_is_meta(
	uint16_t type); /* OPT, 128..255 and TSIG, AXFR, ANY ..: never cached, RFC 6895 3.1 */

/* Copy the rdata of a record that stands in a message (b is a cursor over the message at the
 * rdata), rdlen octets, to out with names expanded (types of RFC 3597 4, plus DNAME, SRV, NSEC,
 * RRSIG names checked plain). Checks the fixed parts' lengths of the types it knows. ERR_MALFORMED,
 * ERR_TRUNC, ERR_SPACE. */
MUST_CHECK int rrtype_expand_rdata(struct rbuf *b, uint16_t type, uint16_t rdlen, struct wbuf *out);
/* Next name in an expanded rdata whose compression RFC 3597 4 allows: call with *pos = 0; returns
 * false when there is no further one; *name_pos is where it starts, *pos moves behind it. */
bool rrtype_next_name(
	uint16_t type, const uint8_t *rdata, size_t len, size_t *pos, size_t *name_pos);
/* Canonical form for DNSSEC (RFC 4034 6.2, 6840 5.1): lower-cases names inside an expanded rdata.
 */
void rrtype_lower_rdata(uint16_t type, uint8_t *rdata, size_t len);
/* Two expanded rdata of len octets each are the same: octet by octet, but names as names, whose
 * case does not count (RFC 2181 5, RFC 4343). */
bool rrtype_rdata_equal(uint16_t type, const uint8_t *a, const uint8_t *b, size_t len);
