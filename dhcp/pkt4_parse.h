/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A DHCPv4 message read from a datagram: the fixed fields of RFC 2131 figure 1 and its options.
 * Judges form only, never sense. Borrows from the datagram. Pure. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dhcp/opt4.h"

struct pkt4 {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr; /* host order */
	const uint8_t *chaddr;			 /* 16 bytes, hlen of them count */
	uint8_t type;				 /* option 53; 0: none, a BOOTP message */
	struct opt4 opts;
};

/* ERR_TRUNC: shorter than its header. ERR_MALFORMED: hlen over 16, no cookie, broken options, more
 * than one message type, or longer than DHCP_PACKET_MAX. p must not be moved afterwards. */
MUST_CHECK int pkt4_parse(struct pkt4 *p, const uint8_t *pkt, size_t len);
