/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
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

#include "net/loop.h"
#include "net/udp.h"

/* Echoes with the first byte raised by one. Packets that begin with 'L' are answered late, those
 * with 'S' never. */
struct echo {
	struct loop *loop;
	struct udp *udp;
	size_t seen, batches, largest, zero_len;
	size_t stop_after;
	struct udp_from last;
};

static void echo_on_batch(void *arg, struct udp *u, struct udp_batch *b, int64_t now_ms)
{
	struct echo *e = arg;

	assert_true(now_ms > 0);
	e->batches++;
	e->largest = b->n > e->largest ? b->n : e->largest;
	for (size_t i = 0; i < b->n; i++) {
		const struct udp_rx *rx = &b->rx[i];

		e->last = *rx->from;
		assert_int_equal(0, b->tx_len[i]);
		if (rx->len == 0) {
			e->zero_len++;
		} else if (rx->bytes[0] == 'L') {
			udp_send(u, rx->from, rx->bytes, rx->len);
		} else if (rx->bytes[0] != 'S') {
			memcpy(b->tx[i], rx->bytes, rx->len);
			b->tx[i][0]++;
			b->tx_len[i] = rx->len;
		}
	}
	e->seen += b->n;
	if (e->seen >= e->stop_after)
		loop_stop(e->loop);
}

static struct ip_port at(const char *text)
{
	struct ip_port p;

	assert_int_equal(0, ip_port_read(text, 0, &p));
	return p;
}

static struct echo *echo_start(struct echo *e, const char *bind)
{
	struct udp_conf conf = {.bind = at(bind)};

	*e = (struct echo){.loop = loop_new()};
	assert_int_equal(0, udp_open(&conf, &e->udp));
	assert_int_equal(0, udp_start(e->udp, e->loop, echo_on_batch, e));
	return e;
}

static void echo_end(struct echo *e)
{
	udp_close(e->udp);
	loop_free(e->loop);
}

static void echo_run(struct echo *e, size_t packets)
{
	e->stop_after = e->seen + packets;
	loop_run(e->loop);
}

/* A client's socket, connected to the echo's port at that address: the kernel drops answers from
 * any other source. */
static int client_to(const struct echo *e, const char *addr)
{
	struct ip_port to = at(addr);
	struct sockaddr_storage sa;
	struct timeval patience = {.tv_sec = 5};
	socklen_t len;
	int fd = socket(to.ip.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.port = udp_bound(e->udp).port;
	len = ip_port_to_sockaddr(&to, &sa);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&sa, len));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void expect(int fd, const char *text)
{
	char buf[5000];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	assert_int_equal(strlen(text), n);
	assert_memory_equal(text, buf, (size_t)n);
}

static void expect_nothing(int fd)
{
	char byte;

	assert_int_equal(-1, recv(fd, &byte, 1, MSG_DONTWAIT));
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void answers_come_from_the_address_that_was_asked(void **state)
{
	static const struct {
		const char *bind, *ask;
	} CASES[] = {{"127.0.0.1:0", "127.0.0.1"}, {"0.0.0.0:0", "127.0.0.1"},
		{"0.0.0.0:0", "127.9.8.7"}, {"[::1]:0", "::1"}, {"[::]:0", "::1"}};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct echo e;
		int fd;

		if (CASES[i].bind[0] == '[' && !has_ipv6())
			continue;
		echo_start(&e, CASES[i].bind);
		fd = client_to(&e, CASES[i].ask);
		assert_int_equal(3, send(fd, "abc", 3, 0));
		assert_int_equal(3, send(fd, "Lbc", 3, 0));
		echo_run(&e, 2);
		expect(fd, "bbc");
		expect(fd, "Lbc");
		assert_int_equal(2, udp_stats(e.udp)->sent);
		if (e.last.local.family) {
			struct ip want;

			assert_int_equal(0, ip_read(CASES[i].ask, &want));
			assert_true(ip_equal(&want, &e.last.local));
			assert_true(e.last.ifindex > 0);
		} else {
			assert_true(i == 0 || i == 3);
		}
		close(fd);
		echo_end(&e);
	}
}

/* Where the packet does not say which address it came to (multicast), the kernel has to choose. In
 * a namespace with a further address. */
static void without_a_source_of_its_own_an_answer_gets_the_routes(void **state)
{
	struct ip_port client_at = at("192.0.2.1:0");
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&client_at, &sa);
	struct sockaddr_in source;
	struct timeval patience = {.tv_sec = 5};
	struct udp_from to = {.ifindex = 0};
	struct echo e;
	char byte;
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 ||
		system("ip link set lo up && ip addr add 192.0.2.1/32 dev lo") != 0)
		skip();
	echo_start(&e, "0.0.0.0:0");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(0, bind(fd, (struct sockaddr *)&sa, len));
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&sa, &len));
	client_at = ip_port_from_sockaddr(&sa);
	udp_set_peer(&to, &client_at);
	udp_send(e.udp, &to, "x", 1);
	loop_turn(e.loop, false);
	len = sizeof(source);
	assert_int_equal(1, recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&source, &len));
	assert_int_equal(0xc0000201, ntohl(source.sin_addr.s_addr));
	assert_int_equal(udp_bound(e.udp).port, ntohs(source.sin_port));
	close(fd);
	echo_end(&e);
}

static void a_socket_of_one_address_tells_the_interface_when_asked_to(void **state)
{
	struct udp_conf conf = {.bind = at("127.0.0.1:0"), .dst = true};
	struct echo e = {.loop = loop_new()};
	int fd;

	(void)state;
	assert_int_equal(0, udp_open(&conf, &e.udp));
	assert_int_equal(0, udp_start(e.udp, e.loop, echo_on_batch, &e));
	fd = client_to(&e, "127.0.0.1");
	assert_int_equal(1, send(fd, "x", 1, 0));
	echo_run(&e, 1);
	expect(fd, "y");
	assert_true(e.last.ifindex > 0);
	close(fd);
	echo_end(&e);
}

static void a_burst_is_taken_in_full_batches(void **state)
{
	enum { BURST = 200 };
	struct echo e;
	int fd;

	(void)state;
	echo_start(&e, "127.0.0.1:0");
	fd = client_to(&e, "127.0.0.1");
	for (int i = 0; i < BURST; i++)
		assert_int_equal(3, send(fd, "abc", 3, 0));
	echo_run(&e, BURST);
	assert_int_equal(UDP_BATCH, e.largest);
	assert_int_equal(4, e.batches);
	for (int i = 0; i < BURST; i++)
		expect(fd, "bbc");
	assert_int_equal(BURST, udp_stats(e.udp)->received);
	assert_int_equal(BURST, udp_stats(e.udp)->sent);
	close(fd);
	echo_end(&e);
}

static void unanswered_packets_leave_no_gap(void **state)
{
	struct echo e;
	int fd;

	(void)state;
	echo_start(&e, "0.0.0.0:0");
	fd = client_to(&e, "127.0.0.1");
	for (int i = 0; i < 10; i++)
		assert_int_equal(2, send(fd, i % 3 ? "S-" : "a-", 2, 0));
	echo_run(&e, 10);
	for (int i = 0; i < 4; i++)
		expect(fd, "b-");
	expect_nothing(fd);
	close(fd);
	echo_end(&e);
}

static void a_longer_datagram_than_a_slot_is_dropped_and_counted(void **state)
{
	char big[UDP_RX_LEN + 1] = {'a'};
	struct echo e;
	int fd;

	(void)state;
	echo_start(&e, "127.0.0.1:0");
	fd = client_to(&e, "127.0.0.1");
	assert_int_equal(sizeof(big), send(fd, big, sizeof(big), 0));
	assert_int_equal(sizeof(big) - 1, send(fd, big, sizeof(big) - 1, 0));
	echo_run(&e, 2);
	assert_int_equal(1, e.zero_len);
	assert_int_equal(1, udp_stats(e.udp)->dropped);
	assert_int_equal(sizeof(big) - 1, recv(fd, big, sizeof(big), 0));
	expect_nothing(fd);
	close(fd);
	echo_end(&e);
}

/* 255.255.255.255 without SO_BROADCAST is refused with EACCES, as a firewall's EPERM would be. */
static void a_destination_that_fails_costs_only_its_own_packet(void **state)
{
	struct ip_port refused = at("255.255.255.255:9");
	struct udp_from bad;
	struct echo e;
	int fd;

	(void)state;
	echo_start(&e, "127.0.0.1:0");
	fd = client_to(&e, "127.0.0.1");
	assert_int_equal(1, send(fd, "a", 1, 0));
	echo_run(&e, 1);
	expect(fd, "b");
	bad = e.last;
	udp_set_peer(&bad, &refused);
	udp_send(e.udp, &bad, "1", 1);
	udp_send(e.udp, &e.last, "2", 1);
	udp_send(e.udp, &bad, "3", 1);
	udp_send(e.udp, &bad, "4", 1);
	udp_send(e.udp, &e.last, "5", 1);
	udp_send(e.udp, &bad, "6", 1);
	loop_turn(e.loop, false);
	expect(fd, "2");
	expect(fd, "5");
	assert_int_equal(3, udp_stats(e.udp)->sent);
	assert_int_equal(4, udp_stats(e.udp)->send_errors);
	close(fd);
	echo_end(&e);
}

static void more_late_answers_than_the_queue_holds_all_leave(void **state)
{
	struct echo e;
	int fd;

	(void)state;
	echo_start(&e, "127.0.0.1:0");
	fd = client_to(&e, "127.0.0.1");
	assert_int_equal(1, send(fd, "S", 1, 0));
	echo_run(&e, 1);
	for (int i = 0; i < UDP_LATE + 10; i++) {
		char c = (char)i;

		udp_send(e.udp, &e.last, &c, 1);
	}
	loop_turn(e.loop, false);
	for (int i = 0; i < UDP_LATE + 10; i++) {
		char c;

		assert_int_equal(1, recv(fd, &c, 1, 0));
		assert_int_equal((char)i, c);
	}
	udp_send(e.udp, &e.last, "", UDP_TX_LEN + 1);
	assert_int_equal(1, udp_stats(e.udp)->send_errors);
	close(fd);
	echo_end(&e);
}

/* Somebody else who is willing to share. */
static int bind_with(const struct ip_port *where, int option)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(where, &sa);
	int fd = socket(where->ip.family, SOCK_DGRAM, 0), one = 1, err = 0;

	setsockopt(fd, SOL_SOCKET, option, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, len) < 0)
		err = err_from_errno(errno);
	close(fd);
	return err;
}

/* Nothing is lost to sockets of the group that only send, with or without steering. */
static void many_clients_are_all_heard_by_a_group(void **state)
{
	enum { N = 3, CLIENTS = 300 };
	struct udp_conf conf = {.bind = at("127.0.0.1:0"), .reuseport = true};
	struct echo e[N] = {{0}};
	size_t seen = 0;
	int fds[CLIENTS];

	(void)state;
	for (int i = 0; i < N; i++) {
		e[i].loop = i ? e[0].loop : loop_new();
		assert_int_equal(0, udp_open(&conf, &e[i].udp));
		conf.bind = udp_bound(e[i].udp);
		e[i].stop_after = SIZE_MAX;
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(0, udp_start(e[i].udp, e[i].loop, echo_on_batch, &e[i]));
	assert_int_equal(ERR_BUSY, bind_with(&conf.bind, SO_REUSEADDR));
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_to(&e[0], "127.0.0.1");
		assert_int_equal(1, send(fds[i], "x", 1, 0));
	}
	while (seen < CLIENTS) {
		loop_turn(e[0].loop, true);
		seen = e[0].seen + e[1].seen + e[2].seen;
	}
	for (int i = 0; i < CLIENTS; i++) {
		expect(fds[i], "y");
		close(fds[i]);
	}
	for (int i = 0; i < N; i++)
		assert_in_range(e[i].seen, CLIENTS / N / 2, CLIENTS / N * 2);
	udp_close(e[1].udp);
	udp_close(e[2].udp);
	echo_end(&e[0]);
}

static void one_client_is_spread_over_the_group_by_its_ids(void **state)
{
	enum { N = 3, PACKETS = 900 };
	struct udp_conf conf = {.bind = at("127.0.0.1:0"), .reuseport = true};
	struct echo e[N] = {{0}};
	size_t seen = 0;
	int fd;

	(void)state;
	for (int i = 0; i < N; i++) {
		e[i].loop = i ? e[0].loop : loop_new();
		assert_int_equal(0, udp_open(&conf, &e[i].udp));
		conf.bind = udp_bound(e[i].udp);
		e[i].stop_after = SIZE_MAX;
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(0, udp_start(e[i].udp, e[i].loop, echo_on_batch, &e[i]));
	assert_int_equal(0, udp_steer(e[1].udp, N, 0x9e3779b1u));
	assert_int_equal(ERR_RANGE, udp_steer(e[1].udp, 0, 1));
	fd = client_to(&e[0], "127.0.0.1");
	for (int i = 0; i < PACKETS; i++) {
		uint8_t q[12] = {(uint8_t)(i >> 8), (uint8_t)i};

		assert_int_equal(sizeof(q), send(fd, q, sizeof(q), 0));
	}
	while (seen < PACKETS) {
		loop_turn(e[0].loop, true);
		seen = e[0].seen + e[1].seen + e[2].seen;
	}
	for (int i = 0; i < N; i++)
		assert_in_range(e[i].seen, PACKETS / N * 8 / 10, PACKETS / N * 12 / 10);
	close(fd);
	udp_close(e[1].udp);
	udp_close(e[2].udp);
	echo_end(&e[0]);
}

static void what_cannot_be_bound_says_why(void **state)
{
	struct udp_conf conf = {.bind = at("127.0.0.1:0")};
	struct udp *first, *second;

	(void)state;
	assert_int_equal(0, udp_open(&conf, &first));
	conf.bind = udp_bound(first);
	assert_int_equal(ERR_BUSY, udp_open(&conf, &second));
	assert_int_equal(ERR_BUSY, bind_with(&conf.bind, SO_REUSEADDR));
	assert_int_equal(ERR_BUSY, bind_with(&conf.bind, SO_REUSEPORT));
	conf.bind = at("192.0.2.77:0");
	assert_int_equal(ERR_ABSENT, udp_open(&conf, &second));
	udp_close(first);
	udp_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_from_the_address_that_was_asked),
		cmocka_unit_test(a_socket_of_one_address_tells_the_interface_when_asked_to),
		cmocka_unit_test(a_burst_is_taken_in_full_batches),
		cmocka_unit_test(unanswered_packets_leave_no_gap),
		cmocka_unit_test(a_longer_datagram_than_a_slot_is_dropped_and_counted),
		cmocka_unit_test(a_destination_that_fails_costs_only_its_own_packet),
		cmocka_unit_test(more_late_answers_than_the_queue_holds_all_leave),
		cmocka_unit_test(many_clients_are_all_heard_by_a_group),
		cmocka_unit_test(one_client_is_spread_over_the_group_by_its_ids),
		cmocka_unit_test(what_cannot_be_bound_says_why),
		cmocka_unit_test(without_a_source_of_its_own_an_answer_gets_the_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
