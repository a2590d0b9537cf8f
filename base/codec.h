/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Bytes to text and back: hex, MAC addresses, and escaping of strangers' text. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Lower-case hex of n bytes, `sep` between bytes when not 0; NUL-terminated and
 * cut to cap. Returns buf. */
char *codec_hex(const void *data, size_t n, char sep, char *buf, size_t cap);
/* Hex digits, colons and dashes between bytes allowed ("00:11", "00-11", "0011").
 * *out_len is set on success. */
MUST_CHECK int codec_unhex(const char *text, uint8_t *out, size_t cap, size_t *out_len);
/* Exactly six bytes as 00:11:22:33:44:55 (single digits allowed: 0:1:..). */
MUST_CHECK int codec_mac_read(const char *text, uint8_t out[6]);
/* n bytes of a stranger for a log or terminal: printable ASCII stays, '\\' and all
 * else become \xNN. NUL-terminated and cut to cap. Returns buf. */
char *codec_escape(const void *data, size_t n, char *buf, size_t cap);
