/* SPDX-License-Identifier: Apache-2.0 */
/* The server of these tests is a socket in the same thread: on loopback a datagram has arrived by
 * the time send returns, so nothing here needs to sleep. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "net/upstream_parts.h"

struct lab {
	struct loop *loop;
	struct rand_source *rand;
	struct upstream *up;
	struct transport *t;
	int server, listener;
	struct ip_port server_at, listener_at;
	struct ask *watched;
};

/* One ask and what came of it. Replies whose third byte is 'T' are taken. */
struct ask {
	struct lab *lab;
	uint64_t handle;
	unsigned replies, taken, failed;
	int err;
	uint8_t last[64];
	size_t last_len;
	struct ask *cancels; /* from within on_reply */
	struct ask *starts;
};

static void ask_start(struct ask *a, struct lab *lab, bool tcp, uint16_t id, int timeout_ms);

static enum transport_verdict ask_on_reply(void *arg, const uint8_t *bytes, size_t len)
{
	struct ask *a = arg;

	assert_int_equal(0, a->taken + a->failed);
	a->replies++;
	a->last_len = len < sizeof(a->last) ? len : sizeof(a->last);
	memcpy(a->last, bytes, a->last_len);
	if (a->cancels)
		transport_cancel(a->lab->t, a->cancels->handle);
	if (a->starts)
		ask_start(a->starts, a->lab, false, 9, 1000);
	if (bytes[2] != 'T')
		return TRANSPORT_WAIT;
	a->taken++;
	return TRANSPORT_TAKE;
}

static void ask_on_fail(void *arg, int err)
{
	struct ask *a = arg;

	assert_int_equal(0, a->taken + a->failed);
	a->failed++;
	a->err = err;
	transport_cancel(a->lab->t, a->handle);
}

static struct transport_ask ask_of(
	struct ask *a, const struct ip_port *server, bool tcp, const uint8_t *query, int timeout_ms)
{
	return (struct transport_ask){.server = *server,
		.query = query,
		.query_len = 20,
		.tcp = tcp,
		.timeout_ms = timeout_ms,
		.arg = a,
		.on_reply = ask_on_reply,
		.on_fail = ask_on_fail};
}

static void ask_start(struct ask *a, struct lab *lab, bool tcp, uint16_t id, int timeout_ms)
{
	uint8_t query[20] = {(uint8_t)(id >> 8), (uint8_t)id, 'Q'};
	struct transport_ask ask =
		ask_of(a, tcp ? &lab->listener_at : &lab->server_at, tcp, query, timeout_ms);

	a->lab = lab;
	assert_int_equal(0, transport_start(lab->t, &ask, &a->handle));
	assert_int_not_equal(0, a->handle);
}

static struct ip_port bound_at(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&sa, &len));
	return ip_port_from_sockaddr(&sa);
}

static int socket_at(int type, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(0, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	if (type == SOCK_STREAM)
		assert_int_equal(0, listen(fd, 16));
	return fd;
}

static void lab_open(struct lab *lab, unsigned max_sockets)
{
	struct upstream_conf conf = {.max_sockets = max_sockets};

	*lab = (struct lab){.loop = loop_new(), .rand = rand_new()};
	conf.loop = lab->loop;
	conf.rand = lab->rand;
	lab->up = upstream_new(&conf);
	lab->t = upstream_transport(lab->up);
	lab->server = socket_at(SOCK_DGRAM, 0);
	lab->server_at = bound_at(lab->server);
	lab->listener = socket_at(SOCK_STREAM, 0);
	lab->listener_at = bound_at(lab->listener);
}

static void lab_close(struct lab *lab)
{
	upstream_free(lab->up);
	close(lab->server);
	close(lab->listener);
	loop_free(lab->loop);
	rand_free(lab->rand);
}

/* The query that waits at the server, and where it came from. */
static struct sockaddr_in lab_query(struct lab *lab, uint8_t query[20])
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	assert_int_equal(20, recvfrom(lab->server, query, 20, 0, (struct sockaddr *)&from, &len));
	return from;
}

static void send_from(int fd, const struct sockaddr_in *to, uint16_t id, char third, size_t len)
{
	uint8_t reply[64] = {(uint8_t)(id >> 8), (uint8_t)id, (uint8_t)third};

	assert_int_equal(len, sendto(fd, reply, len, 0, (const struct sockaddr *)to, sizeof(*to)));
}

static void run_until_over(struct lab *lab, const struct ask *a)
{
	while (!a->taken && !a->failed)
		loop_turn(lab->loop, true);
}

/* ---- ports ---- */

static void every_ask_leaves_from_a_port_of_its_own(void **state)
{
	enum { ASKS = 400 };
	static uint8_t seen[65536];
	unsigned distinct = 0, low = 0;
	struct lab lab;

	(void)state;
	lab_open(&lab, 0);
	for (int i = 0; i < ASKS; i++) {
		struct ask a = {0};
		uint8_t query[20];
		struct sockaddr_in from;

		ask_start(&a, &lab, false, (uint16_t)i, 1000);
		from = lab_query(&lab, query);
		distinct += seen[ntohs(from.sin_port)]++ == 0;
		low += ntohs(from.sin_port) < 32768;
		send_from(lab.server, &from, (uint16_t)i, 'T', 20);
		run_until_over(&lab, &a);
		assert_int_equal(1, a.taken);
	}
	assert_true(distinct > ASKS * 98 / 100);
	assert_in_range(low, ASKS * 35 / 100, ASKS * 65 / 100);
	assert_int_equal(0, upstream_stats(lab.up)->udp_open);
	assert_int_equal(ASKS, upstream_stats(lab.up)->replies);
	lab_close(&lab);
}

/* ---- UDP ---- */

static void a_bad_packet_does_not_end_the_wait(void **state)
{
	struct ask a = {0};
	struct lab lab;
	uint8_t query[20];
	struct sockaddr_in from;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&a, &lab, false, 7, 5000);
	from = lab_query(&lab, query);
	assert_int_equal('Q', query[2]);
	for (int i = 0; i < 14; i++)
		send_from(lab.server, &from, 7, 'F', 20);
	send_from(lab.server, &from, 7, 'T', 11); /* no header */
	send_from(lab.server, &from, 7, 'T', 0);
	send_from(lab.server, &from, 7, 'T', 12);
	run_until_over(&lab, &a);
	assert_int_equal(1, a.taken);
	assert_int_equal(15, a.replies);
	assert_int_equal(12, a.last_len);
	assert_int_equal(14, upstream_stats(lab.up)->rejected);
	assert_int_equal(2, upstream_stats(lab.up)->strays);
	lab_close(&lab);
}

static void what_comes_from_elsewhere_is_never_seen(void **state)
{
	struct ask a = {0};
	struct lab lab;
	uint8_t query[20];
	struct sockaddr_in from;
	int forger;

	(void)state;
	lab_open(&lab, 0);
	forger = socket_at(SOCK_DGRAM, 0);
	ask_start(&a, &lab, false, 7, 5000);
	from = lab_query(&lab, query);
	send_from(forger, &from, 7, 'T', 20);
	loop_turn(lab.loop, false);
	assert_int_equal(0, a.replies);
	send_from(lab.server, &from, 7, 'T', 21);
	run_until_over(&lab, &a);
	assert_int_equal(1, a.replies);
	assert_int_equal(21, a.last_len);
	close(forger);
	lab_close(&lab);
}

static void a_late_answer_reaches_nobody(void **state)
{
	struct ask first = {0}, second = {0};
	struct lab lab;
	uint8_t query[20];
	struct sockaddr_in from_first, from_second;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&first, &lab, false, 1, 5000);
	from_first = lab_query(&lab, query);
	transport_cancel(lab.t, first.handle);
	transport_cancel(lab.t, first.handle);
	transport_cancel(lab.t, 0);
	ask_start(&second, &lab, false, 1, 5000);
	assert_int_equal((uint32_t)first.handle, (uint32_t)second.handle); /* the same slot */
	transport_cancel(lab.t, first.handle);
	from_second = lab_query(&lab, query);
	assert_true(from_first.sin_port != from_second.sin_port);
	send_from(lab.server, &from_first, 1, 'T', 20);
	(void)recv(lab.server, query, 1, MSG_DONTWAIT); /* takes the ICMP error */
	loop_turn(lab.loop, false);
	assert_int_equal(0, first.replies + second.replies);
	send_from(lab.server, &from_second, 1, 'T', 20);
	run_until_over(&lab, &second);
	assert_int_equal(0, first.replies + first.failed);
	assert_int_equal(1, upstream_stats(lab.up)->cancelled);
	lab_close(&lab);
}

static void a_callback_may_cancel_and_start(void **state)
{
	struct ask self = {0}, other = {0}, next = {0};
	struct lab lab;
	uint8_t query[20];
	struct sockaddr_in from_self, from_other, from_next;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&self, &lab, false, 1, 5000);
	from_self = lab_query(&lab, query);
	ask_start(&other, &lab, false, 2, 5000);
	from_other = lab_query(&lab, query);
	/* Both replies are there in one batch, and the first to be seen cancels both asks. */
	self.cancels = &other;
	other.cancels = &self;
	self.starts = other.starts = &next;
	send_from(lab.server, &from_self, 1, 'T', 20);
	send_from(lab.server, &from_other, 2, 'T', 20);
	loop_turn(lab.loop, true);
	loop_turn(lab.loop, false);
	assert_int_equal(1, self.replies + other.replies);
	from_next = lab_query(&lab, query);
	send_from(lab.server, &from_next, 9, 'T', 20);
	run_until_over(&lab, &next);

	/* Cancelling oneself makes the verdict void. */
	self = (struct ask){.cancels = &self};
	ask_start(&self, &lab, false, 3, 5000);
	from_self = lab_query(&lab, query);
	send_from(lab.server, &from_self, 3, 'T', 20);
	while (!self.replies)
		loop_turn(lab.loop, true);
	assert_int_equal(0, upstream_stats(lab.up)->udp_open);
	lab_close(&lab);
}

static void silence_ends_with_a_timeout_and_not_before(void **state)
{
	struct ask a = {0};
	struct lab lab;
	int64_t start;

	(void)state;
	lab_open(&lab, 0);
	start = clock_mono_ms();
	ask_start(&a, &lab, false, 1, 40);
	run_until_over(&lab, &a);
	assert_int_equal(ERR_TIMEOUT, a.err);
	assert_true(clock_mono_ms() - start >= 38);
	assert_int_equal(0, upstream_stats(lab.up)->udp_open);
	lab_close(&lab);
}

static void an_icmp_error_cuts_the_wait_but_truth_still_wins(void **state)
{
	struct ask a = {0}, b = {0};
	struct lab lab;
	struct sockaddr_storage sa;
	struct sockaddr_in client;
	socklen_t len = sizeof(sa);
	int64_t start;

	(void)state;
	lab_open(&lab, 0);
	close(lab.server);
	start = clock_mono_ms();
	ask_start(&a, &lab, false, 1, 60000);
	run_until_over(&lab, &a);
	assert_int_equal(ERR_UNREACHABLE, a.err);
	assert_true(clock_mono_ms() - start >= TRANSPORT_ICMP_GRACE_MS - 2);
	assert_true(clock_mono_ms() - start < 30000);

	ask_start(&b, &lab, false, 2, 60000);
	loop_turn(lab.loop, true); /* takes the ICMP error */
	assert_true(lab.up->slots[(uint32_t)b.handle].had_icmp);
	assert_int_equal(0, b.failed);
	lab.server = socket_at(SOCK_DGRAM, lab.server_at.port);
	assert_int_equal(
		0, getsockname(lab.up->slots[(uint32_t)b.handle].fd, (struct sockaddr *)&sa, &len));
	memcpy(&client, &sa, sizeof(client));
	send_from(lab.server, &client, 2, 'T', 20);
	run_until_over(&lab, &b);
	assert_int_equal(1, b.taken);
	lab_close(&lab);
}

static void asks_beyond_the_ceiling_are_refused(void **state)
{
	struct ask a[17] = {{0}};
	struct lab lab;
	uint8_t query[20] = {0};
	struct transport_ask one_more;

	(void)state;
	lab_open(&lab, 16);
	for (int i = 0; i < 16; i++)
		ask_start(&a[i], &lab, false, (uint16_t)i, 5000);
	one_more = ask_of(&a[16], &lab.server_at, false, query, 100);
	assert_int_equal(ERR_LIMIT, transport_start(lab.t, &one_more, &a[16].handle));
	assert_int_equal(1, upstream_stats(lab.up)->no_sockets);
	transport_cancel(lab.t, a[3].handle);
	assert_int_equal(0, transport_start(lab.t, &one_more, &a[16].handle));
	lab_close(&lab); /* with 16 asks under way */
}

static void a_family_can_be_switched_off_and_sources_chosen(void **state)
{
	struct lab lab;
	struct ask a = {0};
	struct upstream_conf conf;
	struct upstream *up;
	uint8_t query[20] = {0};
	struct sockaddr_in from;
	struct transport_ask ask;

	(void)state;
	lab_open(&lab, 0);
	conf = (struct upstream_conf){.loop = lab.loop, .rand = lab.rand, .n_sources = 2};
	assert_int_equal(0, ip_read("127.0.0.44", &conf.sources[0]));
	assert_int_equal(0, ip_read("2001:db8::1", &conf.sources[1]));
	up = upstream_new(&conf);
	ask = ask_of(&a, &lab.server_at, false, query, 5000);
	assert_int_equal(0, transport_start(upstream_transport(up), &ask, &a.handle));
	from = lab_query(&lab, query);
	assert_int_equal(0x7f00002c, ntohl(from.sin_addr.s_addr));
	assert_int_equal(0, ip_port_read("[2001:db8::53]:53", 53, &ask.server));
	assert_int_equal(ERR_UNREACHABLE, transport_start(upstream_transport(up), &ask, &a.handle));
	upstream_free(up);
	conf.no_ipv4 = true;
	up = upstream_new(&conf);
	ask.server = lab.server_at;
	assert_int_equal(ERR_UNREACHABLE, transport_start(upstream_transport(up), &ask, &a.handle));
	ask.query_len = 11;
	ask.server.ip.family = AF_INET6;
	assert_int_equal(ERR_RANGE, transport_start(upstream_transport(up), &ask, &a.handle));
	upstream_free(up);
	upstream_free(NULL);
	lab_close(&lab);
}

/* ---- TCP ---- */

/* Connections are accepted by the kernel; the loop finishes them. */
static int lab_accept(struct lab *lab)
{
	struct timeval patience = {.tv_sec = 5};
	int fd = accept(lab->listener, NULL, NULL);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static uint16_t read_query(int fd)
{
	uint8_t msg[22];

	assert_int_equal(sizeof(msg), recv(fd, msg, sizeof(msg), MSG_WAITALL));
	assert_int_equal(20, msg[0] << 8 | msg[1]);
	return (uint16_t)(msg[2] << 8 | msg[3]);
}

static void write_reply(int fd, uint16_t id, char third, size_t len)
{
	uint8_t *msg = xcalloc(1, len + 2);

	msg[0] = (uint8_t)(len >> 8);
	msg[1] = (uint8_t)len;
	msg[2] = (uint8_t)(id >> 8);
	msg[3] = (uint8_t)id;
	msg[4] = (uint8_t)third;
	assert_int_equal(len + 2, send(fd, msg, len + 2, 0));
	xfree(msg);
}

static void asks_share_a_connection_and_answers_come_in_any_order(void **state)
{
	struct ask a = {0}, b = {0}, same_id = {0};
	struct lab lab;
	int first, second;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&a, &lab, true, 1, 5000);
	ask_start(&b, &lab, true, 2, 5000);
	ask_start(&same_id, &lab, true, 1, 5000);
	loop_turn(lab.loop, true);
	first = lab_accept(&lab);
	second = lab_accept(&lab);
	assert_int_equal(1, read_query(first));
	assert_int_equal(2, read_query(first));
	while (loop_turn(lab.loop, false), recv(second, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) < 1)
		;
	assert_int_equal(1, read_query(second));
	write_reply(first, 99, 'T', 20); /* nobody's */
	write_reply(first, 2, 'F', 20);
	write_reply(first, 2, 'T', 20);
	write_reply(first, 1, 'T', 65535);
	run_until_over(&lab, &a);
	run_until_over(&lab, &b);
	assert_int_equal(2, b.replies);
	assert_int_equal(0, same_id.replies);
	write_reply(second, 1, 'T', 12);
	run_until_over(&lab, &same_id);
	assert_int_equal(2, upstream_stats(lab.up)->tcp_connects);
	assert_int_equal(1, upstream_stats(lab.up)->strays);
	close(first);
	close(second);
	lab_close(&lab);
}

static void a_reply_in_single_bytes_is_put_together(void **state)
{
	uint8_t msg[2 + 16] = {0, 16, 0, 5, 'T', [17] = 0xee};
	struct ask a = {0};
	struct lab lab;
	int fd;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&a, &lab, true, 5, 5000);
	loop_turn(lab.loop, true);
	fd = lab_accept(&lab);
	assert_int_equal(5, read_query(fd));
	for (size_t i = 0; i < sizeof(msg); i++) {
		assert_int_equal(0, a.replies);
		assert_int_equal(1, send(fd, &msg[i], 1, 0));
		loop_turn(lab.loop, true);
	}
	run_until_over(&lab, &a);
	assert_int_equal(16, a.last_len);
	assert_int_equal(0xee, a.last[15]);
	close(fd);
	lab_close(&lab);
}

static void a_server_that_closes_fails_what_was_asked_on_a_new_connection(void **state)
{
	struct ask a = {0}, b = {0};
	struct lab lab;
	int fd;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&a, &lab, true, 1, 5000);
	ask_start(&b, &lab, true, 2, 5000);
	a.cancels = b.cancels = NULL;
	fd = lab_accept(&lab);
	close(fd);
	run_until_over(&lab, &a);
	run_until_over(&lab, &b);
	assert_int_equal(ERR_CLOSED, a.err);
	assert_int_equal(ERR_CLOSED, b.err);
	assert_int_equal(1, upstream_stats(lab.up)->tcp_connects);
	assert_int_equal(0, upstream_stats(lab.up)->tcp_open);
	lab_close(&lab);
}

static void an_ask_on_a_connection_that_was_closing_moves_to_a_new_one_once(void **state)
{
	struct ask a = {0}, b = {0};
	struct lab lab;
	int fd;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&a, &lab, true, 1, 5000);
	fd = lab_accept(&lab);
	loop_turn(lab.loop, true);
	assert_int_equal(1, read_query(fd));
	write_reply(fd, 1, 'T', 20);
	run_until_over(&lab, &a);
	assert_int_equal(1, upstream_stats(lab.up)->tcp_open);
	close(fd);
	ask_start(&b, &lab, true, 2, 5000); /* the loop has not seen the end yet */
	assert_int_equal(1, upstream_stats(lab.up)->tcp_reused);
	while (upstream_stats(lab.up)->tcp_connects < 2)
		loop_turn(lab.loop, true);
	fd = lab_accept(&lab);
	loop_turn(lab.loop, true);
	assert_int_equal(2, read_query(fd));
	assert_int_equal(0, b.failed);
	close(fd);
	run_until_over(&lab, &b);
	assert_int_equal(ERR_CLOSED, b.err);
	assert_int_equal(2, upstream_stats(lab.up)->tcp_connects);
	lab_close(&lab);
}

static void a_refused_connection_is_unreachable_and_a_mute_one_times_out(void **state)
{
	struct ask refused = {0}, mute = {0}, cancelled = {0};
	struct lab lab;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&mute, &lab, true, 1, 50);
	ask_start(&cancelled, &lab, true, 2, 50);
	transport_cancel(lab.t, cancelled.handle);
	run_until_over(&lab, &mute);
	assert_int_equal(ERR_TIMEOUT, mute.err);
	assert_int_equal(0, cancelled.failed);
	assert_int_equal(0, upstream_stats(lab.up)->tcp_open); /* not used again */
	close(lab.listener);
	ask_start(&refused, &lab, true, 1, 5000);
	run_until_over(&lab, &refused);
	assert_int_equal(ERR_UNREACHABLE, refused.err);
	lab.listener = socket_at(SOCK_STREAM, 0);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ask_leaves_from_a_port_of_its_own),
		cmocka_unit_test(a_bad_packet_does_not_end_the_wait),
		cmocka_unit_test(what_comes_from_elsewhere_is_never_seen),
		cmocka_unit_test(a_late_answer_reaches_nobody),
		cmocka_unit_test(a_callback_may_cancel_and_start),
		cmocka_unit_test(silence_ends_with_a_timeout_and_not_before),
		cmocka_unit_test(an_icmp_error_cuts_the_wait_but_truth_still_wins),
		cmocka_unit_test(asks_beyond_the_ceiling_are_refused),
		cmocka_unit_test(a_family_can_be_switched_off_and_sources_chosen),
		cmocka_unit_test(asks_share_a_connection_and_answers_come_in_any_order),
		cmocka_unit_test(a_reply_in_single_bytes_is_put_together),
		cmocka_unit_test(a_server_that_closes_fails_what_was_asked_on_a_new_connection),
		cmocka_unit_test(an_ask_on_a_connection_that_was_closing_moves_to_a_new_one_once),
		cmocka_unit_test(a_refused_connection_is_unreachable_and_a_mute_one_times_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
