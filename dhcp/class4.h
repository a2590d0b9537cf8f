/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which classes of the configuration a request belongs to. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/client4.h"
#include "dhcp/dhcp_conf.h"
#include "dhcp/pkt4_parse.h"

/* What of a request classes look at. */
struct class4_view {
	const struct pkt4 *req;
	const struct client4 *client;
	const struct dhcp_device *device; /* NULL none */
	const uint8_t *relay;		  /* option 82 of a relay we trust; NULL none */
	size_t relay_len;
};

/* All conditions the class gives hold; a class without any holds for everybody. */
bool class4_matches(const struct dhcp_class *c, const struct class4_view *v);

/* Whether number `arch` of option 93 is what `want` (a number or enum dhcp_arch) stands for. */
bool class4_is_arch(uint16_t arch, uint32_t want);
/* Whether option 77 is, or has among its parts (RFC 3004), this text. Many clients send the bare
 * text without lengths. */
bool class4_is_user_class(const uint8_t *data, size_t len, const char *text);
