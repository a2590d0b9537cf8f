/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The transport over real sockets: how the resolver speaks to the servers of the world. Belongs to
 * one loop; every worker has its own and draws ports from the whole range.
 *
 * UDP: every ask has a socket of its own, bound to a port drawn from the CSPRNG out of all
 * unprivileged ports (net/port.h), and connected, so
 * that the kernel drops what comes from elsewhere. There are never two questions on one port.
 * TCP: connections are kept per server, pipelined, closed when idle.
 *
 * It never retries, chooses no server, and knows no policy (which addresses may be asked is the
 * caller's). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "net/transport.h"

#define UPSTREAM_MAX_SOCKETS 4096 /* UDP asks under way; less where RLIMIT_NOFILE is low */
#define UPSTREAM_MAX_SOURCES 8

struct loop;
struct rand_source;
struct upstream;

struct upstream_conf {
	struct loop *loop;
	struct rand_source *rand; /* borrowed, this thread's */
	unsigned max_sockets;	  /* 0: UPSTREAM_MAX_SOCKETS */
	/* Addresses to ask from, by family; a family with none uses what routing chooses. */
	struct ip sources[UPSTREAM_MAX_SOURCES];
	size_t n_sources;
	bool no_ipv4, no_ipv6; /* start says ERR_UNREACHABLE for that family */
};

struct upstream_stats {
	uint64_t udp_asks, tcp_asks, replies;
	uint64_t timeouts, unreachable, cancelled;
	uint64_t strays;   /* datagrams nobody was waiting for, or from elsewhere */
	uint64_t rejected; /* replies the caller did not take */
	uint64_t sockets_opened, port_in_use, no_sockets; /* no_sockets: refused with ERR_LIMIT */
	uint64_t tcp_connects, tcp_reused;
	unsigned udp_open, tcp_open; /* now */
};

struct upstream *upstream_new(const struct upstream_conf *conf);
/* Closes everything; asks under way end without a callback. NULL allowed. */
void upstream_free(struct upstream *u);
struct transport *upstream_transport(struct upstream *u); /* life: u */
const struct upstream_stats *upstream_stats(const struct upstream *u);
