/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A server's UDP socket that receives and sends in batches. It owns the socket, 64 receive slots,
 * 64 send slots and a bounded queue of late answers, all allocated when it opens: no packet
 * allocates, and at load a packet costs 2/64 of a system call.
 *
 * Opened in main (bind needs the capability), started on one loop, and from then on used by that
 * loop's thread alone. The handler gets a whole batch, so that it can parse and prefetch all before
 * it answers the first: it writes the answer to b->rx[i] into b->tx[i] and its length into
 * b->tx_len[i]; 0 sends nothing. After it returns, one sendmmsg takes them all, each from the
 * address its question came to.
 *
 * It never looks at what is inside a packet, never waits for room in a send buffer (a datagram that
 * does not go is dropped and counted), and lets no error of one destination touch the others. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define UDP_BATCH  64	/* packets of one recvmmsg and one sendmmsg */
#define UDP_ROUNDS 4	/* batches taken before other sockets of the loop have their turn */
#define UDP_RX_LEN 2048 /* longest datagram taken; a query beyond 1,232 bytes is junk already */
#define UDP_TX_LEN 4096 /* longest answer; EDNS 1,232 is what strangers get, DHCP needs 1,500 */
#define UDP_LATE   128	/* late answers gathered before they are sent without waiting */

struct loop;
struct udp;

/* Where a datagram came from, and to which of our addresses: what it takes to answer it. Plain
 * bytes: copy it to answer later through udp_send. */
struct udp_from {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} peer;
	struct ip local;  /* family 0 where the socket is bound to one address */
	uint32_t ifindex; /* arrived here; 0 where the socket is bound to one address */
};

struct udp_rx {
	const uint8_t *bytes;
	uint32_t len; /* 0: was longer than UDP_RX_LEN, or unanswerable (port 0); nothing to do */
	struct udp_from *from;
};

struct udp_batch {
	size_t n;
	struct udp_rx rx[UDP_BATCH];
	uint8_t *tx[UDP_BATCH];	    /* UDP_TX_LEN bytes each */
	uint32_t tx_len[UDP_BATCH]; /* 0 when on_batch is called */
};

struct udp_conf {
	struct ip_port bind;
	bool reuseport; /* one of several sockets on the same address, one a worker; all are
			   opened before the first of them starts */
	bool broadcast; /* may send to broadcast addresses (DHCP) */
	bool dst;	/* tell the interface and local address also on a socket that is bound to
			   one address; a wildcard socket always tells */
	bool pin_iface; /* answers leave by the interface the question came by (DHCP), whatever
			   the routing table says; a wildcard socket only */
	int rcvbuf;	/* bytes; 0: UDP_RCVBUF */
};

struct udp_stats {
	uint64_t received, batches; /* datagrams; recvmmsg calls that brought any */
	uint64_t sent;
	uint64_t dropped;      /* received, but too long or from port 0 */
	uint64_t send_blocked; /* not sent: the send buffer was full */
	uint64_t send_errors;  /* not sent: refused by firewall, route or size */
	uint64_t receive_errors;
};

/* b is borrowed until the callback returns. now_ms: loop_now_ms, read for this batch. */
typedef void (*udp_batch_fn)(void *arg, struct udp *u, struct udp_batch *b, int64_t now_ms);

/* Binds. ERR_DENIED, ERR_BUSY (address in use), ERR_ABSENT (not an address of this host, or no such
 * family), ERR_LIMIT (descriptors). */
MUST_CHECK int udp_open(const struct udp_conf *conf, struct udp **out);
/* From here on on_batch is called on l's thread. */
MUST_CHECK int udp_start(struct udp *u, struct loop *l, udp_batch_fn on_batch, void *arg);
/* Stops, flushes nothing, closes. NULL allowed. Not from within on_batch. */
void udp_close(struct udp *u);

/* Spreads the packets of a group of n reuseport sockets (all open by now) by DNS ID instead of by
 * client, so that a single busy forwarder keeps every worker busy. Call on one socket of the
 * group. key: odd and random, or a client could aim at one worker. */
MUST_CHECK int udp_steer(struct udp *u, unsigned n, uint32_t key);
/* Joins a multicast group on an interface (ff02::1:2 for DHCPv6). Again is harmless. */
MUST_CHECK int udp_join(struct udp *u, const struct ip *group, uint32_t ifindex);

/* Queues a copy of an answer; it leaves with others at the end of the turn. For answers that were
 * not ready within their batch. Before udp_start it is sent at once. to->peer may be changed
 * (DHCP: broadcast). len beyond UDP_TX_LEN: dropped and counted. */
void udp_send(struct udp *u, const struct udp_from *to, const void *bytes, size_t len);

struct ip_port udp_peer(const struct udp_from *from);
void udp_set_peer(struct udp_from *from, const struct ip_port *peer);
struct ip_port udp_bound(const struct udp *u); /* with the port the kernel chose for port 0 */
const struct udp_stats *udp_stats(const struct udp *u);
