/* SPDX-License-Identifier: Apache-2.0 */
/* The pure half: IPv4, UDP and ARP bytes. */
#include <netinet/in.h>
#include <string.h>

#include "base/rbuf.h"
#include "base/wbuf.h"
#include "net/rawsock.h"

enum {
	RAWSOCK_IP_LEN = 20,
	RAWSOCK_UDP_LEN = 8,
	RAWSOCK_TTL = 64,
	RAWSOCK_ARP_ETHER = 1,
	RAWSOCK_ARP_IPV4 = 0x0800,
};

/* The one's complement sum of RFC 1071, not yet folded; sums of even lengths may be added. */
static uint32_t rawsock_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len >= 2; p += 2, len -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return len ? sum + (uint32_t)(p[0] << 8) : sum;
}

static uint16_t rawsock_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The pseudo header (RFC 768) takes part; a sum of 0 is sent as 0xffff, for 0 means none. */
static void rawsock_udp_checksum(uint8_t *ip, size_t udp_len)
{
	uint32_t sum = rawsock_sum(ip + 12, 8, IPPROTO_UDP + (uint32_t)udp_len);
	uint16_t folded = rawsock_fold(rawsock_sum(ip + RAWSOCK_IP_LEN, udp_len, sum));

	wbuf_set16(ip + RAWSOCK_IP_LEN + 6, folded ? folded : 0xffff);
}

int rawsock_udp4(const struct ip_port *from, const struct ip_port *to, const void *payload,
	size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
	struct wbuf b = wbuf_of(out, cap);
	size_t udp_len = RAWSOCK_UDP_LEN + len;

	if (len > RAWSOCK_MAX_PAYLOAD)
		return ERR_SPACE;
	wbuf_u8(&b, 0x45);
	wbuf_u8(&b, 0x10); /* low delay, as DHCP servers mark it */
	wbuf_u16(&b, (unsigned)(RAWSOCK_IP_LEN + udp_len));
	wbuf_u32(&b, 0); /* no ID, no fragments */
	wbuf_u8(&b, RAWSOCK_TTL);
	wbuf_u8(&b, IPPROTO_UDP);
	wbuf_u16(&b, 0);
	wbuf_put(&b, from->ip.bytes, 4);
	wbuf_put(&b, to->ip.bytes, 4);
	wbuf_u16(&b, from->port);
	wbuf_u16(&b, to->port);
	wbuf_u16(&b, (unsigned)udp_len);
	wbuf_u16(&b, 0);
	wbuf_put(&b, payload, len);
	if (b.bad)
		return ERR_SPACE;
	wbuf_set16(out + 10, rawsock_fold(rawsock_sum(out, RAWSOCK_IP_LEN, 0)));
	rawsock_udp_checksum(out, udp_len);
	*out_len = b.len;
	return 0;
}

void rawsock_arp_write(const struct rawsock_arp *arp, uint8_t out[RAWSOCK_ARP_LEN])
{
	struct wbuf b = wbuf_of(out, RAWSOCK_ARP_LEN);

	wbuf_u16(&b, RAWSOCK_ARP_ETHER);
	wbuf_u16(&b, RAWSOCK_ARP_IPV4);
	wbuf_u8(&b, 6);
	wbuf_u8(&b, 4);
	wbuf_u16(&b, arp->op);
	wbuf_put(&b, arp->sender_mac, 6);
	wbuf_put(&b, arp->sender.bytes, 4);
	wbuf_put(&b, arp->target_mac, 6);
	wbuf_put(&b, arp->target.bytes, 4);
}

/* Frames are padded, so more bytes than RAWSOCK_ARP_LEN are usual. */
int rawsock_arp_parse(const void *bytes, size_t len, struct rawsock_arp *out)
{
	struct rbuf b = rbuf_of(bytes, len);
	struct rawsock_arp arp = {.sender.family = AF_INET, .target.family = AF_INET};
	uint16_t hardware = rbuf_u16(&b);
	uint16_t protocol = rbuf_u16(&b);
	uint8_t mac_len = rbuf_u8(&b);
	uint8_t ip_bytes = rbuf_u8(&b);

	arp.op = rbuf_u16(&b);
	rbuf_copy(&b, arp.sender_mac, 6);
	rbuf_copy(&b, arp.sender.bytes, 4);
	rbuf_copy(&b, arp.target_mac, 6);
	rbuf_copy(&b, arp.target.bytes, 4);
	if (b.bad)
		return ERR_TRUNC;
	if (hardware != RAWSOCK_ARP_ETHER || protocol != RAWSOCK_ARP_IPV4 || mac_len != 6 ||
		ip_bytes != 4 || (arp.op != 1 && arp.op != 2))
		return ERR_MALFORMED;
	*out = arp;
	return 0;
}

/* What a raw ICMP socket delivers: the IPv4 header, then the message. */
int rawsock_echo_parse(const void *bytes, size_t len, uint16_t id, uint16_t *out_seq)
{
	struct rbuf b = rbuf_of(bytes, len);
	size_t header = (size_t)(rbuf_u8(&b) & 0x0f) * 4;
	uint8_t type;
	uint16_t its_id, seq;

	if (header < RAWSOCK_IP_LEN)
		return ERR_MALFORMED;
	rbuf_skip(&b, header - 1);
	type = rbuf_u8(&b);
	rbuf_skip(&b, 3); /* code, checksum: the kernel has looked */
	its_id = rbuf_u16(&b);
	seq = rbuf_u16(&b);
	if (b.bad)
		return ERR_TRUNC;
	if (type != 0 || its_id != id)
		return ERR_MALFORMED;
	*out_seq = seq;
	return 0;
}

void rawsock_echo_write(uint16_t id, uint16_t seq, uint8_t out[8])
{
	struct wbuf b = wbuf_of(out, 8);

	wbuf_u16(&b, 8 << 8); /* echo request, code 0 */
	wbuf_u16(&b, 0);
	wbuf_u16(&b, id);
	wbuf_u16(&b, seq);
	wbuf_set16(out + 2, rawsock_fold(rawsock_sum(out, 8, 0)));
}
