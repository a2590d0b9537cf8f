/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Master files (RFC 1035 5) to records in wire form, through ldns: root hints, trust anchors. Files
 * of the operator, read at start and reload, never on a packet's path. $INCLUDE is refused, so that
 * a file reads no other. Stops at the first bad line and tells which. Any thread; keeps nothing. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/rrtext.h"

#define ZONEFILE_MAX (4u << 20) /* octets; hints and anchors are a few KiB, a root zone 2.2 MiB */

struct zonefile_error {
	unsigned line; /* 0: the file as a whole */
	char why[128];
};

/* rr is borrowed for the call. A result other than 0 ends the reading and is returned. */
typedef int zonefile_on_rr(void *arg, unsigned line, const struct rrtext_rr *rr);

/* origin NULL: the root. default_ttl: for records without one before any $TTL. ERR_LIMIT,
 * ERR_MALFORMED or what on_rr returned; *error is set then. */
MUST_CHECK int zonefile_parse(const char *text, size_t len, const uint8_t *origin,
	uint32_t default_ttl, zonefile_on_rr *on_rr, void *arg, struct zonefile_error *error);
/* The same from a file; also ERR_ABSENT, ERR_DENIED, ERR_IO. */
MUST_CHECK int zonefile_read(const char *path, const uint8_t *origin, uint32_t default_ttl,
	zonefile_on_rr *on_rr, void *arg, struct zonefile_error *error);
