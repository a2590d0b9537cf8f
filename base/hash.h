/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SipHash-1-3, keyed once at start: the only hash for keys that strangers choose. */
#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* Random key from the kernel. */
struct hash_key hash_key_random(void);
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);
