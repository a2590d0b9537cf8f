/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/client4.h"

#include <string.h>

#include "base/codec.h"
#include "dhcp/dhcp_const.h"

struct client4 client4_of(
	uint8_t hw_type, const uint8_t *hw, size_t hw_len, const uint8_t *id, size_t id_len)
{
	struct client4 c = {
		.hw_type = hw_type,
		.hw_len = (uint8_t)(hw_len > sizeof(c.hw) ? sizeof(c.hw) : hw_len),
		.id_len = (uint8_t)(id_len > 255 ? 255 : id_len),
		.id = id,
	};

	if (c.hw_len)
		memcpy(c.hw, hw, c.hw_len);
	c.is_by_id = c.id_len > 0 && !(c.hw_len && c.id_len == c.hw_len + 1 && id[0] == hw_type &&
					     memcmp(id + 1, c.hw, c.hw_len) == 0);
	return c;
}

bool client4_is_nobody(const struct client4 *c)
{
	static const uint8_t none[16];

	return !c->is_by_id && memcmp(c->hw, none, c->hw_len) == 0;
}

bool client4_equal(const struct client4 *a, const struct client4 *b)
{
	if (a->is_by_id != b->is_by_id)
		return false;
	if (a->is_by_id)
		return a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0;
	return a->hw_type == b->hw_type && a->hw_len == b->hw_len &&
	       memcmp(a->hw, b->hw, a->hw_len) == 0;
}

uint64_t client4_hash(const struct hash_key *key, const struct client4 *c)
{
	uint8_t hw[18];

	if (c->is_by_id)
		return hash_bytes(key, c->id, c->id_len);
	hw[0] = 0; /* no identifier of use begins like this and has our length */
	hw[1] = c->hw_type;
	memcpy(hw + 2, c->hw, c->hw_len);
	return hash_bytes(key, hw, 2u + c->hw_len);
}

bool client4_is_random(const struct client4 *c)
{
	return c->hw_type == DHCP_HTYPE_ETHERNET && c->hw_len == 6 && (c->hw[0] & 3) == 2;
}

char *client4_format(const struct client4 *c, char buf[CLIENT4_TEXT_LEN])
{
	if (c->hw_len)
		return codec_hex(c->hw, c->hw_len, ':', buf, CLIENT4_TEXT_LEN);
	return codec_hex(c->id, c->id_len, 0, buf, CLIENT4_TEXT_LEN);
}
