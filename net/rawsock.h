/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Packets below UDP, for the service thread: DHCP answers to clients that have no address yet, ARP
 * probes, ICMP echo. Opened once in main (CAP_NET_RAW), then served by one loop.
 *
 * The kernel writes the link header, so this works on every link that has one. rawsock_udp4 and the
 * ARP functions that take bytes are pure. Nothing is retried and nothing waits: a packet that
 * does not go is the caller's error code. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define RAWSOCK_MAX_PAYLOAD 1472 /* UDP payload of one Ethernet frame */
#define RAWSOCK_IP_UDP_LEN  28	 /* IPv4 header without options, and UDP's */
#define RAWSOCK_ARP_LEN	    28	 /* ARP for Ethernet and IPv4 */

struct loop;
struct rawsock;

struct rawsock_arp {
	uint16_t op; /* 1 request, 2 reply */
	uint8_t sender_mac[6], target_mac[6];
	struct ip sender, target; /* sender 0.0.0.0 in a probe (RFC 5227) */
};

struct rawsock_conf {
	void *arg;
	/* Every well-formed ARP packet seen, our own excepted. */
	void (*on_arp)(void *arg, uint32_t ifindex, const struct rawsock_arp *arp);
	/* An echo reply to rawsock_ping. */
	void (*on_echo)(void *arg, const struct ip *from, uint16_t seq);
};

/* ERR_DENIED without CAP_NET_RAW. The ICMP part may be missing (rawsock_ping then says
 * ERR_UNSUPPORTED). */
MUST_CHECK int rawsock_open(struct rawsock **out);
/* Starts to listen for ARP and echo replies. */
MUST_CHECK int rawsock_start(struct rawsock *r, struct loop *l, const struct rawsock_conf *conf);
void rawsock_close(struct rawsock *r); /* NULL allowed */

/* One IPv4 UDP datagram from `from` to `to` (addresses and ports), in a frame to dst_mac out of
 * ifindex. mac_len: 1..8, as the link has. ERR_SPACE beyond RAWSOCK_MAX_PAYLOAD; else as sendto. */
MUST_CHECK int rawsock_send_udp4(struct rawsock *r, uint32_t ifindex, const uint8_t *dst_mac,
	size_t mac_len, const struct ip_port *from, const struct ip_port *to, const void *payload,
	size_t len);
/* Who has target? From 0.0.0.0 (RFC 5227 2.1.1), broadcast. mac: ours on that interface. */
MUST_CHECK int rawsock_arp_probe(
	struct rawsock *r, uint32_t ifindex, const uint8_t mac[6], const struct ip *target);
/* ICMP echo request. Replies come to on_echo with the same seq. */
MUST_CHECK int rawsock_ping(struct rawsock *r, const struct ip *target, uint16_t seq);

/* Writes IPv4 and UDP headers with checksums and the payload into out; *out_len on success. */
MUST_CHECK int rawsock_udp4(const struct ip_port *from, const struct ip_port *to,
	const void *payload, size_t len, uint8_t *out, size_t cap, size_t *out_len);
void rawsock_arp_write(const struct rawsock_arp *arp, uint8_t out[RAWSOCK_ARP_LEN]);
MUST_CHECK int rawsock_arp_parse(const void *bytes, size_t len, struct rawsock_arp *out);

/* An echo request without payload, and the sequence number of a reply with that ID (from bytes that
 * begin with the IPv4 header, as a raw socket delivers them). */
void rawsock_echo_write(uint16_t id, uint16_t seq, uint8_t out[8]);
MUST_CHECK int rawsock_echo_parse(const void *bytes, size_t len, uint16_t id, uint16_t *out_seq);
