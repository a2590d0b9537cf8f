/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* CRC-32C (Castagnoli, RFC 3720 B.4), as kept in every stored record. Uses the SSE4.2
 * instruction where the CPU has it, a table elsewhere; both give the same number.
 * Pure, any thread. It finds accidents, not forgers. */
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *data, size_t len);
/* Goes on from an earlier result (0 to begin): update(update(0, a), b) is crc32c of a then b. */
uint32_t crc32c_update(uint32_t crc, const void *data, size_t len);
/* The table alone; tests compare it with the instruction. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);
