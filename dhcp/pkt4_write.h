/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A DHCPv4 reply as it is put together and written. Options are gathered by number (a later one of
 * the same number replaces the earlier), then written in this order: the message type, the server
 * id and the times; those that must be sent; those the client listed (option 55), in its order;
 * the relay's own (82) last. What does not fit into the options field goes whole into `file` and
 * `sname` where these are free (option 52); what fits nowhere is left out, from the end of that
 * order, and counted. Options over 255 bytes are written in parts (RFC 3396). Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dhcp/dhcp_const.h"
#include "dhcp/dhcp_limits.h"

/* Bytes of options that are made on the spot and not borrowed. */
#define PKT4_SCRATCH_LEN 2048

enum pkt4_want {
	PKT4_IF_ASKED, /* when option 55 lists it, or there is no option 55 */
	PKT4_ONLY_IF_LISTED,
	PKT4_ALWAYS,
};

struct pkt4_option {
	uint8_t code;
	uint8_t want; /* enum pkt4_want */
	uint16_t len;
	const uint8_t *data;
};

struct pkt4_reply {
	uint8_t type; /* option 53 */
	uint8_t htype, hlen;
	uint32_t xid;
	uint16_t flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr; /* host order */
	uint8_t chaddr[16];
	const char *file;     /* NULL none; cut to 127 bytes: check before */
	const uint8_t *asked; /* option 55 of the request, NULL none; borrowed */
	size_t n_asked;
	const uint8_t *relay; /* option 82 to echo, NULL none; borrowed */
	size_t relay_len;
	size_t max_len; /* largest message the client takes, see pkt4_max_len */
	size_t n_options;
	struct pkt4_option options[DHCP_REPLY_OPTIONS_MAX];
	uint8_t place[256]; /* index + 1 into options, 0 none */
	size_t scratch_len;
	uint8_t scratch[PKT4_SCRATCH_LEN];
};

/* Empties the reply; every field is 0. */
void pkt4_reply_init(struct pkt4_reply *r);

/* Add or replace an option. data is borrowed until the message is written. Options past
 * DHCP_REPLY_OPTIONS_MAX, or over DHCP_OPTION_MAX bytes, are not taken. A reply keeps the stronger
 * `want` of the two when it replaces. */
void pkt4_put(
	struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const void *data, size_t len);
/* The same with a copy; data lies outside the reply. */
void pkt4_put_copy(
	struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const void *data, size_t len);
void pkt4_put_u8(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, uint8_t v);
void pkt4_put_u16(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, uint16_t v);
void pkt4_put_u32(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, uint32_t v);
/* n addresses in host order. */
void pkt4_put_ips(
	struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const uint32_t *ips, size_t n);
void pkt4_put_text(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const char *text);
/* Never send this one, whatever was or will be put. */
void pkt4_ban(struct pkt4_reply *r, uint8_t code);
bool pkt4_is_put(const struct pkt4_reply *r, uint8_t code);

/* What a client that sent option 57 with this value (0: none) takes as a UDP payload. */
size_t pkt4_max_len(uint16_t max_size);

/* The message; *out_len is at least DHCP_PACKET_MIN. *n_cut: options left out. ERR_SPACE: cap is
 * under DHCP_PACKET_MAX, or not even the message type fits beside option 82. */
MUST_CHECK int pkt4_write(
	const struct pkt4_reply *r, uint8_t *out, size_t cap, size_t *out_len, unsigned *n_cut);
