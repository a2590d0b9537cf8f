/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The transport for forward zones and the daemon's own lookups, over c-ares: the stub resolver's
 * job. Belongs to one loop. The only file that knows ares.h is stub.c.
 *
 * Each ask has a c-ares channel to itself for as long as it runs: one server, one try, our own
 * message (ID, case, EDNS as the caller wrote them), and a socket on a random port that is closed
 * with the answer. So cancelling is exact and no two questions share a port. Channels are kept for
 * reuse by the same server, and retired after a few dozen asks.
 *
 * It never reads resolv.conf or hosts, never retries, never turns to TCP by itself. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "net/transport.h"

#define STUB_MAX_CHANNELS 128 /* asks under way; a channel weighs some 75 kB */
#define STUB_CHANNEL_USES 32  /* asks before a channel is made anew */

struct loop;
struct rand_source;
struct stub;

struct stub_conf {
	struct loop *loop;
	struct rand_source *rand;   /* borrowed, this thread's */
	unsigned max_channels;	    /* 0: STUB_MAX_CHANNELS */
	struct ip source4, source6; /* family 0: what routing chooses */
};

struct stub_stats {
	uint64_t asks, replies, timeouts, failures, rejected, cancelled;
	uint64_t channels_made, no_channels; /* no_channels: refused with ERR_LIMIT */
	unsigned channels, busy;	     /* now */
};

/* Never NULL. */
struct stub *stub_new(const struct stub_conf *conf);
void stub_free(struct stub *s); /* asks under way end without a callback; NULL allowed */
struct transport *stub_transport(struct stub *s); /* life: s */
const struct stub_stats *stub_stats(const struct stub *s);
