/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease_json.h"

#include <netinet/in.h>

#include "base/codec.h"

const char *lease_json_state(enum lease_state state)
{
	switch (state) {
	case LEASE_BOUND:
		return "bound";
	case LEASE_RELEASED:
		return "released";
	case LEASE_EXPIRED:
		return "expired";
	case LEASE_DECLINED:
		return "declined";
	}
	return "unknown";
}

static json_t *lease_json_hex(const uint8_t *data, size_t len)
{
	char text[3 * 255 + 1];

	if (!len)
		return json_null();
	return json_string(codec_hex(data, len, ':', text, sizeof(text)));
}

static json_t *lease_json_text(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

json_t *lease_json(const struct lease_record *r)
{
	char address[IP_TEXT_LEN], asked[4 * 255 + 1];
	bool is_v4 = r->ip.family == AF_INET;
	json_t *o = json_object();

	json_object_set_new(o, "address", json_string(ip_format(&r->ip, address)));
	json_object_set_new(o, "mac", lease_json_hex(r->hw, r->hw_len));
	json_object_set_new(o, "client_id", is_v4 ? lease_json_hex(r->id, r->id_len) : json_null());
	json_object_set_new(o, "duid", is_v4 ? json_null() : lease_json_hex(r->id, r->id_len));
	json_object_set_new(o, "hostname", lease_json_text(r->hostname));
	json_object_set_new(o, "state", json_string(lease_json_state(r->state)));
	json_object_set_new(o, "expires",
		r->expires_s == LEASE_FOREVER ? json_null() : json_integer(r->expires_s));
	json_object_set_new(o, "lan", lease_json_text(r->lan));
	json_object_set_new(o, "start", json_integer(r->start_s));
	json_object_set_new(o, "last_seen", json_integer(r->last_seen_s));
	json_object_set_new(o, "asked",
		lease_json_text(codec_escape(r->asked, r->asked_len, asked, sizeof(asked))));
	return o;
}
