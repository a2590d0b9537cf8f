/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the boot server serves and to whom, as one immutable value. Built by the daemon from the
 * configuration; read on the boot thread. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct boot_conf {
	const char *root;		 /* directory; NULL: nothing is served */
	const struct ip_prefix *clients; /* who may fetch, TFTP and HTTP; none: nobody */
	size_t n_clients;
	uint32_t max_transfers;	 /* 0: BOOT_TRANSFERS_MAX */
	uint32_t max_per_client; /* 0: BOOT_TRANSFERS_PER_CLIENT */
};

/* A v4-mapped address counts as IPv4. Link-local IPv6 is allowed where any IPv6 prefix is: it
 * cannot come from further than the wire. */
bool bootpolicy_allows(const struct boot_conf *conf, const struct ip *client);
