/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The options of one DHCPv4 message, found once and looked up by number: options field, then
 * `file` and `sname` where option 52 says that they hold options too; all parts of one number are
 * joined in that order (RFC 3396). A view borrows from the packet and from itself: it must not be
 * moved or copied while in use. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dhcp/dhcp_limits.h"

struct opt4 {
	uint64_t has[4];
	bool file_taken, sname_taken; /* they hold options, not names */
	uint16_t len[256];
	const uint8_t *data[256];
	uint8_t joined[DHCP_PACKET_MAX]; /* the options that came in parts */
};

/* pkt: a whole message with its fixed header and cookie (DHCP_HEADER_LEN) checked by the caller,
 * at most DHCP_PACKET_MAX long. ERR_MALFORMED: a length runs past its field, or option 52 is
 * nonsense. A missing END is taken for one. */
MUST_CHECK int opt4_parse(struct opt4 *o, const uint8_t *pkt, size_t len);

static inline bool opt4_has(const struct opt4 *o, uint8_t code)
{
	return o->has[code >> 6] >> (code & 63) & 1;
}

/* Borrowed bytes of an option and their number; NULL and 0 when it is absent. An option of no bytes
 * is there with a length of 0. */
const uint8_t *opt4_get(const struct opt4 *o, uint8_t code, size_t *out_len);
/* True and *out when the option is there with exactly that many bytes (u16: or more, by twos). */
bool opt4_u8(const struct opt4 *o, uint8_t code, uint8_t *out);
bool opt4_u16(const struct opt4 *o, uint8_t code, uint16_t *out);
bool opt4_u32(const struct opt4 *o, uint8_t code, uint32_t *out);

/* A sub-option inside an option (82, 43): first of that code; NULL when absent or when a length
 * runs past the end before it is met. */
const uint8_t *opt4_sub(const uint8_t *data, size_t len, uint8_t code, size_t *out_len);
