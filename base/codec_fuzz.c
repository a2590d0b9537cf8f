/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes survive the way to hex and back; text that is read as hex does, too; escaped bytes are
 * printable whatever they were. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CODEC_FUZZ_LEN = 256 };

static void codec_fuzz_expect(int is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[CODEC_FUZZ_LEN + 1], out[CODEC_FUZZ_LEN * 4 + 1];
	uint8_t back[CODEC_FUZZ_LEN], mac[6], mac_back[6];
	size_t n;

	if (size > CODEC_FUZZ_LEN)
		return 0;
	for (int sep = 0; sep < 2; sep++) {
		codec_hex(data, size, sep ? ':' : 0, out, sizeof(out));
		codec_fuzz_expect(codec_unhex(out, back, sizeof(back), &n) == 0);
		codec_fuzz_expect(n == size && (n == 0 || memcmp(back, data, n) == 0));
	}
	codec_escape(data, size, out, sizeof(out));
	for (const char *c = out; *c; c++)
		codec_fuzz_expect(*c >= 0x20 && *c < 0x7f);
	codec_escape(data, size, out, size);
	memcpy(text, data, size);
	text[size] = '\0';
	if (codec_unhex(text, back, sizeof(back), &n) == 0)
		codec_fuzz_expect(n <= size);
	if (codec_mac_read(text, mac) == 0) {
		codec_hex(mac, 6, ':', out, sizeof(out));
		codec_fuzz_expect(codec_mac_read(out, mac_back) == 0);
		codec_fuzz_expect(memcmp(mac, mac_back, 6) == 0);
	}
	return 0;
}
