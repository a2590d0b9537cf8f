/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From what a client calls itself to the one label it may have in the local zone. A name is
 * cleaned, never a reason to refuse a lease. What nobody may take is refused; what another holds
 * becomes name-xxxx, the same for that client each time. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/opt4.h"

#define DDNAME_LEN 64 /* a label of 63 octets and its NUL */

/* The name a client sent: the FQDN option (81) before the host name (12). raw is borrowed. */
struct ddname_asked {
	const uint8_t *raw; /* text, or wire form where is_wire; NULL: none */
	size_t len;
	bool has_fqdn; /* option 81 was there */
	bool is_wire;  /* its E bit */
	uint8_t fqdn_flags;
};
struct ddname_asked ddname_asked(const struct opt4 *opts);

/* One lower-case label of letters, digits and hyphens: the first label of the name, blanks,
 * underscores and other signs turned into hyphens, hyphens at the ends gone, cut to 63. "" when
 * nothing is left, when control characters are inside, or when the whole is an IPv4 address. */
void ddname_clean(const struct ddname_asked *asked, char out[DDNAME_LEN]);
/* The same of plain text. */
void ddname_clean_text(const uint8_t *text, size_t len, char out[DDNAME_LEN]);

/* Names no client may have (wpad, isatap, localhost, ...), ours from the configuration included. */
bool ddname_is_reserved(const char *label, const char *const *ours, size_t n_ours);

/* name-xxxx: the label cut so that it fits, and four hex digits of identity, which must be the same
 * over restarts. try: 0, 1, ... for another one. */
void ddname_suffix(const char *label, uint64_t identity, unsigned try, char out[DDNAME_LEN]);

/* Option 81 of a reply (RFC 4702 3): flags by what the client asked, and label.domain in its own
 * encoding. granted "" means no name: the client's own is sent back with N. *out_len 0: does not
 * fit or was not asked for. domain may be "". */
enum { DDNAME_FQDN_MAX = 3 + 256 };
void ddname_fqdn_reply(const struct ddname_asked *asked, const char *granted, const char *domain,
	uint8_t out[DDNAME_FQDN_MAX], size_t *out_len);
