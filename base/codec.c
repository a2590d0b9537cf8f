/* SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"

#include <stdbool.h>
#include <string.h>

static const char CODEC_DIGITS[] = "0123456789abcdef";

char *codec_hex(const void *data, size_t n, char sep, char *buf, size_t cap)
{
	const uint8_t *p = data;
	size_t at = 0;

	if (cap == 0)
		return buf;
	for (size_t i = 0; i < n; i++) {
		size_t need = i > 0 && sep ? 3 : 2;

		if (cap - at <= need)
			break;
		if (need == 3)
			buf[at++] = sep;
		buf[at++] = CODEC_DIGITS[p[i] >> 4];
		buf[at++] = CODEC_DIGITS[p[i] & 15];
	}
	buf[at] = '\0';
	return buf;
}

/* Value of a hex digit, or -1. */
static int codec_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int codec_unhex(const char *text, uint8_t *out, size_t cap, size_t *out_len)
{
	size_t n = 0;

	while (*text) {
		int high, low;

		if (n > 0 && (*text == ':' || *text == '-'))
			text++;
		high = codec_digit(text[0]);
		low = high < 0 ? -1 : codec_digit(text[1]);
		if (low < 0)
			return ERR_MALFORMED;
		if (n == cap)
			return ERR_SPACE;
		out[n++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	*out_len = n;
	return 0;
}

int codec_mac_read(const char *text, uint8_t out[6])
{
	uint8_t mac[6];

	for (size_t i = 0; i < 6; i++) {
		int digit = codec_digit(*text), low;

		if (digit < 0)
			return ERR_MALFORMED;
		low = codec_digit(*++text);
		if (low >= 0) {
			digit = digit << 4 | low;
			text++;
		}
		mac[i] = (uint8_t)digit;
		if (i < 5 && *text != ':' && *text != '-')
			return ERR_MALFORMED;
		if (i < 5)
			text++;
	}
	if (*text)
		return ERR_MALFORMED;
	memcpy(out, mac, 6);
	return 0;
}

char *codec_escape(const void *data, size_t n, char *buf, size_t cap)
{
	const uint8_t *p = data;
	size_t at = 0;

	if (cap == 0)
		return buf;
	for (size_t i = 0; i < n; i++) {
		bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';

		if (cap - at <= (plain ? 1u : 4u))
			break;
		if (plain) {
			buf[at++] = (char)p[i];
			continue;
		}
		buf[at++] = '\\';
		buf[at++] = 'x';
		buf[at++] = CODEC_DIGITS[p[i] >> 4];
		buf[at++] = CODEC_DIGITS[p[i] & 15];
	}
	buf[at] = '\0';
	return buf;
}
