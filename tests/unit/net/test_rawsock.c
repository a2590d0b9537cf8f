/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes are tested anywhere; the sockets in a network namespace of its own, as root. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net/rawsock.h"

static struct ip_port at(const char *text)
{
	struct ip_port p;

	assert_int_equal(0, ip_port_read(text, 0, &p));
	return p;
}

/* The sum over a header with its checksum in place is 0xffff. */
static unsigned sum16(const uint8_t *p, size_t len, unsigned sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (unsigned)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void a_datagram_has_the_checksums_of_its_headers(void **state)
{
	struct ip_port from = at("192.168.1.1:67"), to = at("192.168.1.100:68");
	uint8_t payload[301], packet[400];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(payload); n++) {
		assert_int_equal(
			0, rawsock_udp4(&from, &to, payload, n, packet, sizeof(packet), &len));
		assert_int_equal(RAWSOCK_IP_UDP_LEN + n, len);
		assert_int_equal(len, packet[2] << 8 | packet[3]);
		assert_int_equal(8 + n, packet[24] << 8 | packet[25]);
		assert_int_equal(0xffff, sum16(packet, 20, 0));
		assert_int_equal(0xffff,
			sum16(packet + 20, 8 + n, sum16(packet + 12, 8, 17 + 8 + (unsigned)n)));
		assert_memory_equal(payload, packet + 28, n);
	}
	for (unsigned sum = 0, ones = 0; sum <= 0xffff; sum++) {
		payload[0] = (uint8_t)(sum >> 8);
		payload[1] = (uint8_t)sum;
		assert_int_equal(0, rawsock_udp4(&from, &to, payload, 2, packet, 400, &len));
		assert_true(packet[26] || packet[27]); /* 0 would mean: no checksum */
		ones += packet[26] == 0xff && packet[27] == 0xff;
		assert_true(sum < 0xffff || ones > 0);
	}
	assert_int_equal(67, packet[20] << 8 | packet[21]);
	assert_int_equal(68, packet[22] << 8 | packet[23]);
	len = 7;
	assert_int_equal(ERR_SPACE, rawsock_udp4(&from, &to, payload, 301, packet, 328, &len));
	assert_int_equal(ERR_SPACE, rawsock_udp4(&from, &to, payload, RAWSOCK_MAX_PAYLOAD + 1,
					    packet, sizeof(packet), &len));
	assert_int_equal(7, len);
}

static void arp_is_written_and_parsed_alike_and_nothing_else_is(void **state)
{
	struct rawsock_arp arp = {.op = 2, .sender_mac = {1, 2, 3, 4, 5, 6}, .target_mac = {9}};
	struct rawsock_arp back = {.op = 77};
	uint8_t wire[64] = {0};

	(void)state;
	arp.sender = at("10.0.0.1").ip;
	arp.target = at("10.0.0.2").ip;
	rawsock_arp_write(&arp, wire);
	for (size_t n = 0; n < RAWSOCK_ARP_LEN; n++)
		assert_int_equal(ERR_TRUNC, rawsock_arp_parse(wire, n, &back));
	assert_int_equal(77, back.op);
	assert_int_equal(0, rawsock_arp_parse(wire, sizeof(wire), &back)); /* padded */
	assert_int_equal(2, back.op);
	assert_memory_equal(arp.sender_mac, back.sender_mac, 6);
	assert_true(ip_equal(&arp.sender, &back.sender) && ip_equal(&arp.target, &back.target));
	for (size_t i = 0; i < 8; i++) {
		wire[i] ^= 0x40;
		assert_int_equal(ERR_MALFORMED, rawsock_arp_parse(wire, sizeof(wire), &back));
		wire[i] ^= 0x40;
	}
}

static void an_echo_reply_is_ours_or_it_is_not(void **state)
{
	uint8_t reply[28] = {0x45, [20] = 0, [24] = 0x12, [25] = 0x34, [26] = 0, [27] = 9};
	uint8_t request[8];
	uint16_t seq = 0;

	(void)state;
	assert_int_equal(0, rawsock_echo_parse(reply, sizeof(reply), 0x1234, &seq));
	assert_int_equal(9, seq);
	assert_int_equal(ERR_MALFORMED, rawsock_echo_parse(reply, sizeof(reply), 0x1235, &seq));
	assert_int_equal(ERR_TRUNC, rawsock_echo_parse(reply, 27, 0x1234, &seq));
	reply[0] = 0x46;
	assert_int_equal(ERR_TRUNC, rawsock_echo_parse(reply, sizeof(reply), 0x1234, &seq));
	reply[0] = 0x44;
	assert_int_equal(ERR_MALFORMED, rawsock_echo_parse(reply, sizeof(reply), 0x1234, &seq));
	assert_true(rawsock_echo_parse(reply, 0, 0x1234, &seq) < 0);
	rawsock_echo_write(0x1234, 5, request);
	assert_int_equal(8, request[0]);
	assert_int_equal(0xffff, sum16(request, sizeof(request), 0));
}

/* ---- on a wire: la is ours, lb the client's, in one namespace ---- */

struct wire {
	struct loop *loop;
	struct rawsock *raw;
	uint32_t la, lb;
	unsigned arps, echoes;
	struct rawsock_arp arp;
	uint32_t arp_ifindex;
	uint16_t seq;
};

static const uint8_t MAC_A[6] = {2, 0, 0, 0, 0, 0xa}, MAC_B[6] = {2, 0, 0, 0, 0, 0xb};

static void wire_on_arp(void *arg, uint32_t ifindex, const struct rawsock_arp *arp)
{
	struct wire *w = arg;

	w->arps++;
	w->arp = *arp;
	w->arp_ifindex = ifindex;
}

static void wire_on_echo(void *arg, const struct ip *from, uint16_t seq)
{
	struct wire *w = arg;

	assert_int_equal(AF_INET, from->family);
	w->echoes++;
	w->seq = seq;
}

static void wire_open(struct wire *w)
{
	struct rawsock_conf conf = {.arg = w, .on_arp = wire_on_arp, .on_echo = wire_on_echo};

	if (unshare(CLONE_NEWNET) < 0 ||
		system("ip link set lo up && "
		       "ip link add la address 02:00:00:00:00:0a type veth peer name lb address "
		       "02:00:00:00:00:0b && ip addr add 192.0.2.50/32 dev lb && "
		       "ip link set la up arp off && ip link set lb up") != 0)
		skip();
	/* Until the kernel has noticed the carrier, frames are dropped. */
	while (system("ip link show la | grep -q 'state UP' && "
		      "ip link show lb | grep -q 'state UP'") != 0)
		;
	*w = (struct wire){.loop = loop_new()};
	w->la = if_nametoindex("la");
	w->lb = if_nametoindex("lb");
	assert_int_equal(0, rawsock_open(&w->raw));
	assert_int_equal(0, rawsock_start(w->raw, w->loop, &conf));
}

static void wire_close(struct wire *w)
{
	rawsock_close(w->raw);
	loop_free(w->loop);
}

#define AWAIT(w, what)                                                                             \
	do {                                                                                       \
		int64_t deadline_ms = clock_mono_ms() + 5000;                                      \
		while (!(what) && clock_mono_ms() < deadline_ms)                                   \
			loop_turn((w)->loop, false);                                               \
		assert_true(what);                                                                 \
	} while (0)

static void an_answer_reaches_a_client_that_has_no_address_yet(void **state)
{
	struct ip_port from = at("192.0.2.1:67"), to = at("192.0.2.50:68");
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(68)};
	struct timeval patience = {.tv_sec = 5};
	char buf[16];
	struct wire w;
	int fd;

	(void)state;
	wire_open(&w);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(0, bind(fd, (struct sockaddr *)&any, sizeof(any)));
	(void)!system("echo 0 > /proc/sys/net/ipv4/conf/lb/rp_filter; "
		      "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter");
	assert_int_equal(0, rawsock_send_udp4(w.raw, w.la, MAC_B, 6, &from, &to, "offer", 5));
	assert_int_equal(5, recv(fd, buf, sizeof(buf), 0));
	assert_memory_equal("offer", buf, 5);
	assert_int_equal(ERR_RANGE, rawsock_send_udp4(w.raw, w.la, MAC_B, 9, &from, &to, "x", 1));
	assert_true(rawsock_send_udp4(w.raw, 9999, MAC_B, 6, &from, &to, "x", 1) < 0);
	close(fd);
	wire_close(&w);
}

static void a_probe_is_answered_by_who_has_the_address(void **state)
{
	struct ip taken = at("192.0.2.50").ip, unused = at("192.0.2.51").ip;
	struct wire w;

	(void)state;
	wire_open(&w);
	assert_int_equal(0, rawsock_arp_probe(w.raw, w.la, MAC_A, &unused));
	assert_int_equal(0, rawsock_arp_probe(w.raw, w.la, MAC_A, &taken));
	AWAIT(&w, w.arps && w.arp.op == 2);
	assert_int_equal(w.la, w.arp_ifindex);
	assert_true(ip_equal(&taken, &w.arp.sender));
	assert_memory_equal(MAC_B, w.arp.sender_mac, 6);
	wire_close(&w);
}

static void an_echo_comes_back_with_its_number(void **state)
{
	struct ip taken = at("127.0.0.1").ip, six = at("::1").ip;
	struct wire w;

	(void)state;
	wire_open(&w);
	assert_int_equal(0, rawsock_ping(w.raw, &taken, 4711));
	AWAIT(&w, w.echoes == 1);
	assert_int_equal(4711, w.seq);
	assert_int_equal(ERR_UNSUPPORTED, rawsock_ping(w.raw, &six, 1));
	wire_close(&w);
	rawsock_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_has_the_checksums_of_its_headers),
		cmocka_unit_test(arp_is_written_and_parsed_alike_and_nothing_else_is),
		cmocka_unit_test(an_echo_reply_is_ours_or_it_is_not),
		cmocka_unit_test(an_answer_reaches_a_client_that_has_no_address_yet),
		cmocka_unit_test(a_probe_is_answered_by_who_has_the_address),
		cmocka_unit_test(an_echo_comes_back_with_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
