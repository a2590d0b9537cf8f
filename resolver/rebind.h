/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rebinding protection (E1): a public name may not lead a browser to an address of the LAN.
 * Records that hold private addresses (A, AAAA, hints of SVCB and HTTPS) are taken out of what came
 * from outside. Exempt are forward and stub zones and the names of rebind-allow with all beneath:
 * the owner's, or the name the client asked for. Pure but for the arena. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dns/rrset.h"

struct resolver_conf;

/* Goes through n RRsets of an answer to `asked`; one that loses records is replaced by a copy
 * without them and without signatures, or taken out. Returns how many records were removed; *n is
 * updated. A set for which the arena has no room is taken out whole. */
size_t rebind_filter(const struct resolver_conf *conf, const uint8_t *asked,
	const struct rrset **sets, uint8_t *n, struct arena *a);
