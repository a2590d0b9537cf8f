/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The trust anchors of the root zone (IANA root-anchors.xml), for when no `dns.trust-anchors` is
 * given: the key of 2017 and its successor, both valid in 2026. Static data. */
#include <stddef.h>
#include <stdint.h>

#define ROOT_ANCHORS_COUNT 2
#define ROOT_ANCHORS_LEN   36 /* DS rdata: tag, algorithm, digest type, SHA-256 */

/* DS rdata in wire form, i < ROOT_ANCHORS_COUNT; static. */
const uint8_t *root_anchors_ds(size_t i);
