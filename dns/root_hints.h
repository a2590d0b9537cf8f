/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The root servers as published by InterNIC, for when no `dns.root-hints` is given. They only have
 * to be right enough to ask one server for the current list (priming, RFC 8109). Static data. */
#include <stddef.h>

#include "base/ip.h"

#define ROOT_HINTS_COUNT 13
#define ROOT_HINTS_TTL	 3600000 /* seconds */

struct root_hint {
	uint8_t name[20]; /* wire form: x.root-servers.net. */
	struct ip ip4, ip6;
};

/* i < ROOT_HINTS_COUNT. */
struct root_hint root_hints_get(size_t i);
