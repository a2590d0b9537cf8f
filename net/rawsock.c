/* SPDX-License-Identifier: Apache-2.0 */
/* Three sockets: one that only sends IPv4 frames (its protocol is 0, so nothing is delivered to
 * it), one for ARP both ways, one for ICMP echo. A filter in the kernel lets through of ARP what
 * is Ethernet and IPv4, and of ICMP the replies to our own echo requests. */
#include "net/rawsock.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/loop.h"

enum {
	RAWSOCK_READS = 64, /* packets taken in one go */
	RAWSOCK_BUF = 256,
};

struct rawsock {
	int ip_fd, arp_fd, icmp_fd; /* -1: none */
	struct loop_watch *arp_watch, *icmp_watch;
	struct rawsock_conf conf;
	uint16_t echo_id;
};

/* ---- opening ---- */

static int rawsock_open_packet(uint16_t protocol)
{
	return socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		protocol ? htons(protocol) : 0);
}

/* Type 0 (echo reply) with our ID: the filter sees the IPv4 header first. */
static void rawsock_filter_echo(int fd, uint16_t id)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	(void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static void rawsock_filter_arp(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x00010800, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0604, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	(void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* ARP is listened to from rawsock_start on: nobody would read it before. */
int rawsock_open(struct rawsock **out)
{
	struct rawsock *r = xcalloc(1, sizeof(*r));

	r->ip_fd = rawsock_open_packet(0);
	r->arp_fd = rawsock_open_packet(0);
	if (r->ip_fd < 0 || r->arp_fd < 0) {
		int err = err_from_errno(errno);

		r->icmp_fd = -1;
		rawsock_close(r);
		return err;
	}
	r->icmp_fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	r->echo_id = (uint16_t)getpid();
	if (r->icmp_fd >= 0)
		rawsock_filter_echo(r->icmp_fd, r->echo_id);
	rawsock_filter_arp(r->arp_fd);
	*out = r;
	return 0;
}

void rawsock_close(struct rawsock *r)
{
	if (!r)
		return;
	loop_watch_free(r->arp_watch);
	loop_watch_free(r->icmp_watch);
	if (r->ip_fd >= 0)
		close(r->ip_fd);
	if (r->arp_fd >= 0)
		close(r->arp_fd);
	if (r->icmp_fd >= 0)
		close(r->icmp_fd);
	xfree(r);
}

/* ---- receiving ---- */

static void rawsock_on_arp(void *arg, unsigned events, int err)
{
	struct rawsock *r = arg;
	uint8_t buf[RAWSOCK_BUF];

	(void)err;
	(void)events; /* an error (an interface went down) has been taken off the socket */
	for (int i = 0; i < RAWSOCK_READS; i++) {
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		struct rawsock_arp arp;
		ssize_t n = recvfrom(r->arp_fd, buf, sizeof(buf), MSG_DONTWAIT,
			(struct sockaddr *)&from, &from_len);

		if (n < 0)
			return;
		if (from.sll_pkttype == PACKET_OUTGOING ||
			rawsock_arp_parse(buf, (size_t)n, &arp) < 0)
			continue;
		if (r->conf.on_arp)
			r->conf.on_arp(r->conf.arg, (uint32_t)from.sll_ifindex, &arp);
	}
}

static void rawsock_on_icmp(void *arg, unsigned events, int err)
{
	struct rawsock *r = arg;
	uint8_t buf[RAWSOCK_BUF];

	(void)err;
	(void)events;
	for (int i = 0; i < RAWSOCK_READS; i++) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		uint16_t seq;
		ssize_t n = recvfrom(r->icmp_fd, buf, sizeof(buf), MSG_DONTWAIT,
			(struct sockaddr *)&from, &from_len);

		if (n < 0)
			return;
		if (rawsock_echo_parse(buf, (size_t)n, r->echo_id, &seq) == 0 && r->conf.on_echo) {
			struct ip_port peer = ip_port_from_sockaddr(&from);

			r->conf.on_echo(r->conf.arg, &peer.ip, seq);
		}
	}
}

int rawsock_start(struct rawsock *r, struct loop *l, const struct rawsock_conf *conf)
{
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};

	r->conf = *conf;
	if (bind(r->arp_fd, (struct sockaddr *)&all, sizeof(all)) < 0)
		return err_from_errno(errno);
	r->arp_watch = loop_watch_new(l, r->arp_fd, rawsock_on_arp, r);
	if (!r->arp_watch)
		return ERR_LIMIT;
	loop_watch_set(r->arp_watch, LOOP_READ);
	if (r->icmp_fd < 0)
		return 0;
	r->icmp_watch = loop_watch_new(l, r->icmp_fd, rawsock_on_icmp, r);
	if (!r->icmp_watch)
		return ERR_LIMIT;
	loop_watch_set(r->icmp_watch, LOOP_READ);
	return 0;
}

/* ---- sending ---- */

static int rawsock_send(int fd, uint32_t ifindex, uint16_t protocol, const uint8_t *mac,
	size_t mac_len, const void *bytes, size_t len)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)ifindex,
		.sll_halen = (uint8_t)mac_len};

	if (mac_len < 1 || mac_len > sizeof(to.sll_addr))
		return ERR_RANGE;
	memcpy(to.sll_addr, mac, mac_len);
	if (sendto(fd, bytes, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_from_errno(errno);
	return 0;
}

int rawsock_send_udp4(struct rawsock *r, uint32_t ifindex, const uint8_t *dst_mac, size_t mac_len,
	const struct ip_port *from, const struct ip_port *to, const void *payload, size_t len)
{
	uint8_t packet[RAWSOCK_IP_UDP_LEN + RAWSOCK_MAX_PAYLOAD];
	size_t packet_len;
	int err = rawsock_udp4(from, to, payload, len, packet, sizeof(packet), &packet_len);

	if (err < 0)
		return err;
	return rawsock_send(r->ip_fd, ifindex, ETH_P_IP, dst_mac, mac_len, packet, packet_len);
}

int rawsock_arp_probe(
	struct rawsock *r, uint32_t ifindex, const uint8_t mac[6], const struct ip *target)
{
	static const uint8_t EVERYBODY[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct rawsock_arp arp = {.op = ARPOP_REQUEST, .target = *target};
	uint8_t packet[RAWSOCK_ARP_LEN];

	memcpy(arp.sender_mac, mac, sizeof(arp.sender_mac));
	rawsock_arp_write(&arp, packet);
	return rawsock_send(r->arp_fd, ifindex, ETH_P_ARP, EVERYBODY, sizeof(EVERYBODY), packet,
		sizeof(packet));
}

int rawsock_ping(struct rawsock *r, const struct ip *target, uint16_t seq)
{
	struct ip_port to = {.ip = *target};
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&to, &sa);
	uint8_t packet[8];

	if (r->icmp_fd < 0 || target->family != AF_INET)
		return ERR_UNSUPPORTED;
	rawsock_echo_write(r->echo_id, seq, packet);
	if (sendto(r->icmp_fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&sa, len) <
		0)
		return err_from_errno(errno);
	return 0;
}
