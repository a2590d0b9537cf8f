/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Local ports that cannot be guessed: drawn uniformly by the CSPRNG from all unprivileged ports but
 * a few that neighbours on this host need. For the transports; any thread with a source of its own.
 * The kernel's own choice would come from half of the range (32768..60999). */
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

struct rand_source;

uint16_t port_random(struct rand_source *rand);
/* Binds fd to such a port on `local` (which may be unspecified, but has a family). ERR_UNREACHABLE:
 * local is not ours at present; ERR_LIMIT: all tries met ports in use, each counted in *in_use. */
MUST_CHECK int port_bind(
	int fd, const struct ip *local, struct rand_source *rand, uint64_t *in_use);
