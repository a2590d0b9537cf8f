/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Records from text for tests: whole signed zones (tests/unit/dns/zones) or a few lines, as RRsets
 * with their signatures. What fails, fails the test. */
#include <stddef.h>
#include <stdint.h>

#include "dns/rrset.h"

#define FAKE_SCRATCH_LEN 200000

struct fake_zone;
struct fake_zone *fake_zone_open(const char *file); /* of tests/unit/dns/zones */
struct fake_zone *fake_zone_parse(const char *text);
void fake_zone_close(struct fake_zone *z);

/* The RRset with its signatures; lives as long as z. */
struct rrset *fake_zone_get(struct fake_zone *z, const char *owner, const char *type);
/* All of them: NULL past the last. */
struct rrset *fake_zone_at(struct fake_zone *z, size_t i);

/* Wire form of a name; good for the next 63 calls. */
const uint8_t *fake_name(const char *text);
/* A copy with another owner, of the same kind of memory as z's. */
struct rrset *fake_zone_renamed(struct fake_zone *z, const struct rrset *rr, const uint8_t *owner);
