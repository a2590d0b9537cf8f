/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A small authoritative server for the simulated Internet: zones as lists of records, answered by
 * RFC 1034 4.3.2 with referrals, aliases, wildcards and denials. No DNSSEC of its own; signatures
 * and proofs written in the zone text are handed out as the records they are. */
#include <stddef.h>
#include <stdint.h>

#include "unit/resolver/fake_net.h"

struct fake_zone;
void fake_auth_zone_new(struct fake_server *s, const char *apex, const char *records);
void fake_auth_zones_free(struct fake_server *s);
/* What s says to ask, faults included. Returns the length; 0: nothing at all. */
size_t fake_auth_answer(
	struct fake_server *s, const struct fake_ask *ask, uint8_t *out, size_t cap);
