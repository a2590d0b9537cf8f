/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/bootpolicy.h"

#include <string.h>

static struct ip unmapped(const struct ip *ip)
{
	static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
	struct ip v4 = {.family = AF_INET};

	if (ip->family != AF_INET6 || memcmp(ip->bytes, MAPPED, sizeof(MAPPED)) != 0)
		return *ip;
	memcpy(v4.bytes, ip->bytes + 12, 4);
	return v4;
}

static bool is_link_local6(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool bootpolicy_allows(const struct boot_conf *conf, const struct ip *client)
{
	struct ip ip = unmapped(client);

	for (size_t i = 0; i < conf->n_clients; i++)
		if (ip_prefix_has(&conf->clients[i], &ip) ||
			(is_link_local6(&ip) && conf->clients[i].ip.family == AF_INET6))
			return true;
	return false;
}
