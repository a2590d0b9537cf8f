/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* CRC-32C (Castagnoli, RFC 3720 B.4), as kept in every stored record. */
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *data, size_t len);
