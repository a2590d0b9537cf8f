/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one source of randomness: the kernel's CSPRNG, read 4 KiB at a time into a
 * buffer that belongs to one thread. Used bytes are wiped. Tests seed instead. */
#include <stddef.h>
#include <stdint.h>

struct rand_source;
struct rand_source *rand_new(void);
/* Deterministic, for tests and simulation only. */
struct rand_source *rand_new_seeded(uint64_t seed);
void rand_free(struct rand_source *r);

void rand_bytes(struct rand_source *r, void *out, size_t len);
uint16_t rand_u16(struct rand_source *r);
uint32_t rand_u32(struct rand_source *r);
uint64_t rand_u64(struct rand_source *r);
/* Uniform in [0, n), n > 0, without modulo bias. */
uint32_t rand_below(struct rand_source *r, uint32_t n);
