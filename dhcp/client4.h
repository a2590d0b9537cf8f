/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who a DHCPv4 client is: its client identifier, or else its hardware address (RFC 2131 4.2, RFC
 * 4361 4.2). An identifier that only repeats hardware type and address counts as none: boot ROMs,
 * boot loaders and systems of one machine then are one client. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/* Borrows id from packet or lease. */
struct client4 {
	uint8_t hw_type, hw_len; /* hw_len <= 16 */
	uint8_t hw[16];
	uint8_t id_len; /* as sent, with its type byte; 0 none */
	const uint8_t *id;
	bool is_by_id; /* id is the identity, not hw */
};

/* id_len over 255 is cut: no honest client has it. */
struct client4 client4_of(
	uint8_t hw_type, const uint8_t *hw, size_t hw_len, const uint8_t *id, size_t id_len);
/* Neither hardware address nor identifier. */
bool client4_is_nobody(const struct client4 *c);
bool client4_equal(const struct client4 *a, const struct client4 *b);
uint64_t client4_hash(const struct hash_key *key, const struct client4 *c);
/* Ethernet address whose "locally administered" bit is set: made up by the client (RFC 7844). */
bool client4_is_random(const struct client4 *c);
/* "00:11:22:33:44:55", or the identifier in hex when there is no hardware address. For log lines.
 */
#define CLIENT4_TEXT_LEN 64
char *client4_format(const struct client4 *c, char buf[CLIENT4_TEXT_LEN]);
