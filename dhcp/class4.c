/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/class4.h"

#include <string.h>

#include "dhcp/dhcp_const.h"

bool class4_is_arch(uint16_t arch, uint32_t want)
{
	switch (want) { /* IANA "Processor Architecture Types" */
	case DHCP_ARCH_BIOS:
		return arch == 0;
	case DHCP_ARCH_UEFI_IA32:
		return arch == 6;
	case DHCP_ARCH_UEFI: /* RFC 4578 and its erratum name 7 and 9 the other way round */
		return arch == 7 || arch == 9;
	case DHCP_ARCH_UEFI_ARM64:
		return arch == 11;
	case DHCP_ARCH_HTTP:
		return (arch >= 15 && arch <= 20) || arch == 23 || arch == 24 || arch == 26 ||
		       arch == 28 || arch == 30 || arch == 38 || arch == 40;
	default:
		return arch == want;
	}
}

bool class4_is_user_class(const uint8_t *data, size_t len, const char *text)
{
	size_t want = strlen(text);
	const uint8_t *end = data + len;

	if (len == want && memcmp(data, text, want) == 0)
		return true;
	while (end - data >= 1 && (size_t)(end - data) >= 1u + *data) {
		if (*data == want && memcmp(data + 1, text, want) == 0)
			return true;
		data += 1 + *data;
	}
	return false;
}

static bool class4_vendor(const struct dhcp_class *c, const struct pkt4 *req)
{
	size_t len;
	const uint8_t *data = opt4_get(&req->opts, DHCP_OPT_VENDOR_CLASS, &len);

	for (size_t i = 0; i < c->n_vendors; i++) {
		size_t want = strlen(c->vendors[i]);

		if (len >= want && data && memcmp(data, c->vendors[i], want) == 0)
			return true;
	}
	return c->n_vendors == 0;
}

static bool class4_user_class(const struct dhcp_class *c, const struct pkt4 *req)
{
	size_t len;
	const uint8_t *data = opt4_get(&req->opts, DHCP_OPT_USER_CLASS, &len);

	for (size_t i = 0; i < c->n_user_classes; i++) {
		if (data && class4_is_user_class(data, len, c->user_classes[i]))
			return true;
	}
	return c->n_user_classes == 0;
}

static bool class4_arch(const struct dhcp_class *c, const struct pkt4 *req)
{
	size_t len;
	const uint8_t *data = opt4_get(&req->opts, DHCP_OPT_ARCH, &len);

	for (size_t i = 0; i < c->n_archs; i++) {
		for (size_t at = 0; at + 2 <= len; at += 2) {
			uint16_t arch = (uint16_t)(data[at] << 8 | data[at + 1]);

			if (class4_is_arch(arch, c->archs[i]))
				return true;
		}
	}
	return c->n_archs == 0;
}

static bool class4_relay(
	const struct dhcp_bytes *list, size_t n, const struct class4_view *v, uint8_t code)
{
	size_t len;
	const uint8_t *data = opt4_sub(v->relay, v->relay_len, code, &len);

	for (size_t i = 0; i < n; i++) {
		if (data && list[i].len == len && memcmp(list[i].data, data, len) == 0)
			return true;
	}
	return n == 0;
}

static bool class4_mac(const struct dhcp_class *c, const struct client4 *client)
{
	for (size_t i = 0; i < c->n_macs; i++) {
		const struct dhcp_mac_prefix *p = &c->macs[i];

		if (client->hw_len == DHCP_MAC_LEN && p->len <= DHCP_MAC_LEN &&
			memcmp(client->hw, p->bytes, p->len) == 0)
			return true;
	}
	return c->n_macs == 0;
}

static bool class4_tag(const struct dhcp_class *c, const struct dhcp_device *d)
{
	for (size_t i = 0; i < c->n_tags; i++) {
		for (size_t t = 0; d && t < d->n_tags; t++) {
			if (strcmp(c->tags[i], d->tags[t]) == 0)
				return true;
		}
	}
	return c->n_tags == 0;
}

bool class4_matches(const struct dhcp_class *c, const struct class4_view *v)
{
	if (c->has_local_mac && c->local_mac != client4_is_random(v->client))
		return false;
	return class4_vendor(c, v->req) && class4_user_class(c, v->req) && class4_arch(c, v->req) &&
	       class4_relay(c->circuit_ids, c->n_circuit_ids, v, DHCP_RELAY_CIRCUIT_ID) &&
	       class4_relay(c->remote_ids, c->n_remote_ids, v, DHCP_RELAY_REMOTE_ID) &&
	       class4_mac(c, v->client) && class4_tag(c, v->device);
}
