/* SPDX-License-Identifier: Apache-2.0 */
#include "net/port.h"

#include <errno.h>
#include <stddef.h>

#include "base/rand.h"

enum {
	PORT_MIN = 1024,
	PORT_TRIES = 10, /* with half of all ports taken, one bind in 1,000 still fails */
};

/* Ports that a neighbour on this host may want to bind at any time and that have no second choice:
 * OpenVPN, RADIUS, SSDP, NFS, STUN, IPsec, VXLAN, SIP, mDNS, LLMNR, GENEVE, VXLAN (old), WireGuard.
 * Ascending. */
static const uint16_t PORT_RESERVED[] = {
	1194, 1812, 1813, 1900, 2049, 3478, 4500, 4789, 5060, 5353, 5355, 6081, 8472, 51820, 51821};

enum { PORT_N_RESERVED = sizeof(PORT_RESERVED) / sizeof(PORT_RESERVED[0]) };

uint16_t port_random(struct rand_source *rand)
{
	uint32_t port = PORT_MIN + rand_below(rand, 65536 - PORT_MIN - PORT_N_RESERVED);

	for (size_t i = 0; i < PORT_N_RESERVED && port >= PORT_RESERVED[i]; i++)
		port++;
	return (uint16_t)port;
}

int port_bind(int fd, const struct ip *local, struct rand_source *rand, uint64_t *in_use)
{
	struct ip_port at = {.ip = *local};

	for (int try = 0; try < PORT_TRIES; try++) {
		struct sockaddr_storage sa;
		socklen_t len;

		at.port = port_random(rand);
		len = ip_port_to_sockaddr(&at, &sa);
		if (bind(fd, (struct sockaddr *)&sa, len) == 0)
			return 0;
		if (errno == EADDRNOTAVAIL)
			return ERR_UNREACHABLE;
		if (errno != EADDRINUSE && errno != EACCES)
			return err_from_errno(errno);
		(*in_use)++;
	}
	return ERR_LIMIT;
}
