/* SPDX-License-Identifier: Apache-2.0 */
/* Two walks over the same regions: the first notes where each option is and how long all its parts
 * are; when something came in parts a second one puts them together. Both are linear. */
#include "dhcp/opt4.h"

#include <string.h>

#include "dhcp/dhcp_const.h"

typedef void (*opt4_part_fn)(struct opt4 *o, uint8_t code, const uint8_t *data, size_t len);

static int opt4_walk(struct opt4 *o, const uint8_t *at, size_t len, opt4_part_fn on_part)
{
	const uint8_t *end = at + len;

	while (at < end && *at != DHCP_OPT_END) {
		uint8_t code = *at++;

		if (code == DHCP_OPT_PAD)
			continue;
		if (at == end || (size_t)(end - at) < 1u + *at)
			return ERR_MALFORMED;
		on_part(o, code, at + 1, *at);
		at += 1 + *at;
	}
	return 0;
}

static void opt4_note(struct opt4 *o, uint8_t code, const uint8_t *data, size_t len)
{
	if (!opt4_has(o, code)) {
		o->has[code >> 6] |= UINT64_C(1) << (code & 63);
		o->data[code] = data;
		o->len[code] = (uint16_t)len;
		return;
	}
	o->data[code] = NULL; /* in parts */
	o->len[code] = (uint16_t)(o->len[code] + len);
}

/* Room in `joined` for each option in parts; data points behind what is there already. */
static bool opt4_lay_out(struct opt4 *o)
{
	uint8_t *at = o->joined;
	bool in_parts = false;

	for (unsigned word = 0; word < 4; word++) {
		for (uint64_t bits = o->has[word]; bits; bits &= bits - 1) {
			unsigned code = word * 64 + (unsigned)__builtin_ctzll(bits);

			if (o->data[code])
				continue;
			o->data[code] = at;
			at += o->len[code];
			o->len[code] = 0;
			in_parts = true;
		}
	}
	return in_parts;
}

static void opt4_join(struct opt4 *o, uint8_t code, const uint8_t *data, size_t len)
{
	size_t at;

	if (o->data[code] < o->joined || o->data[code] >= o->joined + sizeof(o->joined))
		return;
	at = (size_t)(o->data[code] - o->joined) + o->len[code];
	memcpy(o->joined + at, data, len);
	o->len[code] = (uint16_t)(o->len[code] + len);
}

static int opt4_walk_all(struct opt4 *o, const uint8_t *pkt, size_t len, opt4_part_fn on_part)
{
	int err = opt4_walk(o, pkt + DHCP_HEADER_LEN, len - DHCP_HEADER_LEN, on_part);
	uint8_t overload = 0;

	if (err < 0 || !opt4_has(o, DHCP_OPT_OVERLOAD))
		return err;
	if (!opt4_u8(o, DHCP_OPT_OVERLOAD, &overload) || overload < 1 || overload > 3)
		return ERR_MALFORMED;
	o->file_taken = overload & 1;
	o->sname_taken = overload & 2;
	if (o->file_taken)
		err = opt4_walk(o, pkt + DHCP_FILE_AT, DHCP_FILE_LEN, on_part);
	if (err == 0 && o->sname_taken)
		err = opt4_walk(o, pkt + DHCP_SNAME_AT, DHCP_SNAME_LEN, on_part);
	return err;
}

int opt4_parse(struct opt4 *o, const uint8_t *pkt, size_t len)
{
	int err;

	memset(o->has, 0, sizeof(o->has));
	o->file_taken = o->sname_taken = false;
	if (len < DHCP_HEADER_LEN || len > DHCP_PACKET_MAX)
		return ERR_MALFORMED;
	err = opt4_walk_all(o, pkt, len, opt4_note);
	if (err == 0 && opt4_lay_out(o))
		err = opt4_walk_all(o, pkt, len, opt4_join);
	return err;
}

const uint8_t *opt4_get(const struct opt4 *o, uint8_t code, size_t *out_len)
{
	*out_len = 0;
	if (!opt4_has(o, code))
		return NULL;
	*out_len = o->len[code];
	return o->data[code];
}

bool opt4_u8(const struct opt4 *o, uint8_t code, uint8_t *out)
{
	if (!opt4_has(o, code) || o->len[code] != 1 || !o->data[code])
		return false;
	*out = o->data[code][0];
	return true;
}

bool opt4_u16(const struct opt4 *o, uint8_t code, uint16_t *out)
{
	if (!opt4_has(o, code) || o->len[code] < 2 || o->len[code] % 2 || !o->data[code])
		return false;
	*out = (uint16_t)(o->data[code][0] << 8 | o->data[code][1]);
	return true;
}

bool opt4_u32(const struct opt4 *o, uint8_t code, uint32_t *out)
{
	const uint8_t *p = o->data[code];

	if (!opt4_has(o, code) || o->len[code] != 4 || !p)
		return false;
	*out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return true;
}

const uint8_t *opt4_sub(const uint8_t *data, size_t len, uint8_t code, size_t *out_len)
{
	*out_len = 0;
	while (len >= 2 && len >= 2u + data[1]) {
		size_t whole = 2u + data[1];

		if (data[0] == code) {
			*out_len = data[1];
			return data + 2;
		}
		data += whole;
		len -= whole;
	}
	return NULL;
}
