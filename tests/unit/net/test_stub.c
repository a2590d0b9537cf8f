/* SPDX-License-Identifier: Apache-2.0 */
/* The server is a socket in the same thread: on loopback a datagram has arrived by the time send
 * returns. Queries are real ones, for c-ares reads them: "ab." type A, in a case of our own. */
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
#include "net/loop.h"
#include "net/stub.h"

enum { QUERY_LEN = 20, RCODE_REFUSED = 5 };

struct lab {
	struct loop *loop;
	struct rand_source *rand;
	struct stub *stub;
	struct transport *t;
	int server, listener;
	struct ip_port server_at, listener_at;
};

/* Replies with 'W' in their last byte are not taken. */
struct ask {
	struct lab *lab;
	uint64_t handle;
	unsigned replies, taken, failed;
	int err;
	uint8_t last[2048];
	size_t last_len;
	bool cancels_itself;
	struct ask *starts;
};

static void ask_start(struct ask *a, struct lab *lab, bool tcp, uint16_t id, int timeout_ms);

static enum transport_verdict ask_on_reply(void *arg, const uint8_t *bytes, size_t len)
{
	struct ask *a = arg;

	assert_int_equal(0, a->taken + a->failed);
	a->replies++;
	if (a->cancels_itself)
		transport_cancel(a->lab->t, a->handle);
	if (a->starts)
		ask_start(a->starts, a->lab, false, 77, 1000);
	a->last_len = len < sizeof(a->last) ? len : sizeof(a->last);
	memcpy(a->last, bytes, a->last_len);
	if (bytes[len - 1] == 'W')
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
}

static void make_query(uint8_t query[QUERY_LEN], uint16_t id)
{
	memcpy(query, (uint8_t[]){0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 'a', 'B', 0, 0, 1, 0, 1},
		QUERY_LEN);
	query[0] = (uint8_t)(id >> 8);
	query[1] = (uint8_t)id;
}

static int ask_try(struct ask *a, struct lab *lab, bool tcp, uint16_t id, int timeout_ms)
{
	uint8_t query[QUERY_LEN];
	struct transport_ask ask = {.server = tcp ? lab->listener_at : lab->server_at,
		.query = query,
		.query_len = QUERY_LEN,
		.tcp = tcp,
		.timeout_ms = timeout_ms,
		.arg = a,
		.on_reply = ask_on_reply,
		.on_fail = ask_on_fail};

	a->lab = lab;
	make_query(query, id);
	return transport_start(lab->t, &ask, &a->handle);
}

static void ask_start(struct ask *a, struct lab *lab, bool tcp, uint16_t id, int timeout_ms)
{
	assert_int_equal(0, ask_try(a, lab, tcp, id, timeout_ms));
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
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(0, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	if (type == SOCK_STREAM)
		assert_int_equal(0, listen(fd, 16));
	return fd;
}

static void lab_open(struct lab *lab, unsigned max_channels)
{
	struct stub_conf conf = {.max_channels = max_channels};

	*lab = (struct lab){.loop = loop_new(), .rand = rand_new()};
	conf.loop = lab->loop;
	conf.rand = lab->rand;
	lab->stub = stub_new(&conf);
	lab->t = stub_transport(lab->stub);
	lab->server = socket_at(SOCK_DGRAM, 0);
	lab->server_at = bound_at(lab->server);
	lab->listener = socket_at(SOCK_STREAM, 0);
	lab->listener_at = bound_at(lab->listener);
}

static void lab_close(struct lab *lab)
{
	stub_free(lab->stub);
	close(lab->server);
	close(lab->listener);
	loop_free(lab->loop);
	rand_free(lab->rand);
}

static struct sockaddr_in lab_query(struct lab *lab, uint8_t query[QUERY_LEN])
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	assert_int_equal(QUERY_LEN,
		recvfrom(lab->server, query, QUERY_LEN, 0, (struct sockaddr *)&from, &len));
	return from;
}

static void reply(int fd, const struct sockaddr_in *to, const uint8_t *query, uint8_t rcode,
	size_t len, char last)
{
	uint8_t msg[2048] = {0};

	memcpy(msg, query, QUERY_LEN);
	msg[2] |= 0x80;
	msg[3] = (uint8_t)(0x80 | rcode);
	msg[len - 1] = (uint8_t)last;
	assert_int_equal(len, sendto(fd, msg, len, 0, (const struct sockaddr *)to, sizeof(*to)));
}

static void run_until_over(struct lab *lab, const struct ask *a)
{
	while (!a->taken && !a->failed)
		loop_turn(lab->loop, true);
}

static void our_own_bytes_go_out_and_whole_answers_come_back(void **state)
{
	struct lab lab;
	uint8_t query[QUERY_LEN], want[QUERY_LEN];
	struct sockaddr_in from;

	(void)state;
	lab_open(&lab, 0);
	for (uint16_t id = 1; id <= 100; id++) {
		struct ask a = {0};

		ask_start(&a, &lab, false, (uint16_t)(id * 600), 5000);
		from = lab_query(&lab, query);
		make_query(want, (uint16_t)(id * 600));
		assert_memory_equal(want, query, QUERY_LEN);
		reply(lab.server, &from, query, 0, 1400, 'x');
		run_until_over(&lab, &a);
		assert_int_equal(1, a.taken);
		assert_int_equal(1400, a.last_len);
	}
	assert_int_equal(1, stub_stats(lab.stub)->channels);
	assert_int_equal(1 + 100 / STUB_CHANNEL_USES, stub_stats(lab.stub)->channels_made);
	assert_int_equal(0, stub_stats(lab.stub)->busy);
	lab_close(&lab);
}

static void ports_are_fresh_for_every_ask(void **state)
{
	enum { ASKS = 200 };
	static uint8_t seen[65536];
	unsigned distinct = 0;
	struct lab lab;

	(void)state;
	lab_open(&lab, 0);
	for (int i = 0; i < ASKS; i++) {
		struct ask a = {0};
		uint8_t query[QUERY_LEN];
		struct sockaddr_in from;

		ask_start(&a, &lab, false, (uint16_t)i, 5000);
		from = lab_query(&lab, query);
		distinct += seen[ntohs(from.sin_port)]++ == 0;
		reply(lab.server, &from, query, 0, QUERY_LEN, 'x');
		run_until_over(&lab, &a);
	}
	assert_true(distinct > ASKS * 97 / 100);
	lab_close(&lab);
}

/* What makes c-ares by itself retry, change the server, turn to TCP or give up. */
static void errors_and_truncation_are_the_askers_to_judge(void **state)
{
	static const uint8_t RCODES[] = {1, 2, 3, 4, RCODE_REFUSED};
	struct lab lab;
	uint8_t query[QUERY_LEN];
	struct sockaddr_in from;

	(void)state;
	lab_open(&lab, 0);
	for (size_t i = 0; i <= sizeof(RCODES); i++) {
		struct ask a = {0};

		ask_start(&a, &lab, false, 5, 5000);
		from = lab_query(&lab, query);
		query[2] |= i == sizeof(RCODES) ? 2 : 0; /* TC */
		reply(lab.server, &from, query, i < sizeof(RCODES) ? RCODES[i] : 0, QUERY_LEN, 'x');
		run_until_over(&lab, &a);
		assert_int_equal(1, a.taken);
		assert_int_equal(-1, recv(lab.server, query, 1, MSG_DONTWAIT)); /* asked once */
	}
	assert_int_equal(0, stub_stats(lab.stub)->busy);
	lab_close(&lab);
}

static void bad_packets_do_not_end_the_wait(void **state)
{
	struct ask a = {0};
	struct lab lab;
	uint8_t query[QUERY_LEN], other[QUERY_LEN];
	struct sockaddr_in from;
	int forger;

	(void)state;
	lab_open(&lab, 0);
	forger = socket_at(SOCK_DGRAM, 0);
	ask_start(&a, &lab, false, 5, 5000);
	from = lab_query(&lab, query);
	reply(forger, &from, query, 0, QUERY_LEN, 'x');
	assert_int_equal(0, sendto(lab.server, "", 0, 0, (struct sockaddr *)&from, sizeof(from)));
	assert_int_equal(
		11, sendto(lab.server, query, 11, 0, (struct sockaddr *)&from, sizeof(from)));
	make_query(other, 6);
	for (int i = 0; i < 12; i++)
		reply(lab.server, &from, other, RCODE_REFUSED, QUERY_LEN, 'W');
	reply(lab.server, &from, query, 0, 1000, 'x');
	run_until_over(&lab, &a);
	assert_int_equal(1, a.taken);
	assert_int_equal(13, a.replies);
	assert_int_equal(1000, a.last_len);
	close(forger);
	lab_close(&lab);
}

/* The asker takes what c-ares would pass over: a reply without its question. */
static void an_answer_that_c_ares_would_not_know_is_taken_all_the_same(void **state)
{
	struct ask a = {0}, b = {0};
	struct lab lab;
	uint8_t query[QUERY_LEN];
	struct sockaddr_in from;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&a, &lab, false, 5, 5000);
	from = lab_query(&lab, query);
	query[5] = 0;
	reply(lab.server, &from, query, 1, QUERY_LEN, 'x');
	run_until_over(&lab, &a);
	assert_int_equal(1, a.taken);
	ask_start(&b, &lab, false, 6, 5000);
	from = lab_query(&lab, query);
	reply(lab.server, &from, query, 0, QUERY_LEN, 'x');
	run_until_over(&lab, &b);
	assert_int_equal(1, b.taken);
	lab_close(&lab);
}

static void cancelling_is_exact(void **state)
{
	struct ask first = {0}, second = {0}, self = {.cancels_itself = true}, next = {0};
	struct lab lab;
	uint8_t query[QUERY_LEN];
	struct sockaddr_in from_first, from_second;

	(void)state;
	lab_open(&lab, 0);
	ask_start(&first, &lab, false, 1, 5000);
	ask_start(&second, &lab, false, 1, 5000);
	from_first = lab_query(&lab, query);
	from_second = lab_query(&lab, query);
	assert_true(from_first.sin_port != from_second.sin_port);
	transport_cancel(lab.t, first.handle);
	transport_cancel(lab.t, first.handle);
	transport_cancel(lab.t, 0);
	reply(lab.server, &from_first, query, 0, QUERY_LEN, 'x');
	(void)recv(lab.server, query, 0, MSG_DONTWAIT); /* takes the ICMP error */
	reply(lab.server, &from_second, query, 0, QUERY_LEN, 'x');
	run_until_over(&lab, &second);
	assert_int_equal(0, first.replies + first.failed);

	self.starts = &next;
	ask_start(&self, &lab, false, 2, 5000);
	from_first = lab_query(&lab, query);
	reply(lab.server, &from_first, query, 0, QUERY_LEN, 'x');
	while (!self.replies)
		loop_turn(lab.loop, true);
	from_second = lab_query(&lab, query);
	reply(lab.server, &from_second, query, 0, QUERY_LEN, 'x');
	run_until_over(&lab, &next);
	assert_int_equal(1, next.taken);
	assert_int_equal(0, stub_stats(lab.stub)->busy);
	lab_close(&lab);
}

static void silence_is_a_timeout_and_a_closed_port_is_unreachable(void **state)
{
	struct ask silent = {0}, closed = {0};
	struct lab lab;
	int64_t start = clock_mono_ms();

	(void)state;
	lab_open(&lab, 0);
	ask_start(&silent, &lab, false, 1, 40);
	run_until_over(&lab, &silent);
	assert_int_equal(ERR_TIMEOUT, silent.err);
	assert_true(clock_mono_ms() - start >= 38);
	close(lab.server);
	start = clock_mono_ms();
	ask_start(&closed, &lab, false, 1, 60000);
	run_until_over(&lab, &closed);
	assert_int_equal(ERR_UNREACHABLE, closed.err);
	assert_in_range(clock_mono_ms() - start, TRANSPORT_ICMP_GRACE_MS - 2, 30000);
	lab.server = socket_at(SOCK_DGRAM, 0);
	lab_close(&lab);
}

static void channels_are_bounded_and_move_to_other_servers(void **state)
{
	struct ask a[3] = {{0}};
	struct lab lab;
	uint8_t query[QUERY_LEN];
	struct sockaddr_in from;
	int other;

	(void)state;
	lab_open(&lab, 2);
	ask_start(&a[0], &lab, false, 0, 5000);
	ask_start(&a[1], &lab, false, 1, 5000);
	assert_int_equal(ERR_LIMIT, ask_try(&a[2], &lab, false, 2, 5000));
	assert_int_equal(1, stub_stats(lab.stub)->no_channels);
	transport_cancel(lab.t, a[0].handle);
	(void)lab_query(&lab, query);
	(void)lab_query(&lab, query);
	other = lab.server;
	lab.server = socket_at(SOCK_DGRAM, 0);
	lab.server_at = bound_at(lab.server);
	ask_start(&a[2], &lab, false, 2, 5000);
	from = lab_query(&lab, query);
	reply(lab.server, &from, query, 0, QUERY_LEN, 'x');
	run_until_over(&lab, &a[2]);
	assert_int_equal(2, stub_stats(lab.stub)->channels);
	close(other);
	lab_close(&lab); /* with a[1] under way */
}

static void over_tcp_an_answer_comes_whole_or_not_at_all(void **state)
{
	struct ask a = {0}, self = {.cancels_itself = true}, wrong = {0}, cut = {0}, refused = {0};
	struct lab lab;
	uint8_t msg[2 + 3000] = {3000 >> 8, 3000 & 0xff};
	int fd;

	(void)state;
	lab_open(&lab, 0);
	for (int i = 0; i < 3; i++) {
		struct ask *ask = i == 0 ? &a : i == 1 ? &self : &wrong;

		ask_start(ask, &lab, true, 9, 5000);
		loop_turn(lab.loop, true);
		fd = accept(lab.listener, NULL, NULL);
		assert_int_equal(2 + QUERY_LEN, recv(fd, msg, 2 + QUERY_LEN, MSG_WAITALL));
		assert_int_equal(QUERY_LEN, msg[0] << 8 | msg[1]);
		msg[0] = 3000 >> 8;
		msg[1] = 3000 & 0xff;
		msg[4] |= 0x80;
		msg[3001] = i == 2 ? 'W' : 'x';
		assert_int_equal(1000, send(fd, msg, 1000, 0));
		loop_turn(lab.loop, true);
		assert_int_equal(0, ask->replies);
		assert_int_equal(2002, send(fd, msg + 1000, 2002, 0));
		while (!ask->replies)
			loop_turn(lab.loop, true);
		assert_int_equal(sizeof(ask->last), ask->last_len);
		close(fd);
	}
	assert_int_equal(1, a.taken);
	assert_int_equal(0, self.failed);
	assert_int_equal(ERR_MALFORMED, wrong.err);

	ask_start(&cut, &lab, true, 9, 5000);
	loop_turn(lab.loop, true);
	fd = accept(lab.listener, NULL, NULL);
	assert_int_equal(2 + QUERY_LEN, recv(fd, msg, 2 + QUERY_LEN, MSG_WAITALL));
	close(fd);
	run_until_over(&lab, &cut);
	assert_int_equal(1, cut.failed);
	close(lab.listener);
	if (ask_try(&refused, &lab, true, 9, 5000) == 0)
		run_until_over(&lab, &refused);
	assert_int_equal(0, refused.taken);
	assert_int_equal(0, stub_stats(lab.stub)->busy);
	lab.listener = socket_at(SOCK_STREAM, 0);
	lab_close(&lab);
	stub_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_bytes_go_out_and_whole_answers_come_back),
		cmocka_unit_test(ports_are_fresh_for_every_ask),
		cmocka_unit_test(errors_and_truncation_are_the_askers_to_judge),
		cmocka_unit_test(bad_packets_do_not_end_the_wait),
		cmocka_unit_test(an_answer_that_c_ares_would_not_know_is_taken_all_the_same),
		cmocka_unit_test(cancelling_is_exact),
		cmocka_unit_test(silence_is_a_timeout_and_a_closed_port_is_unreachable),
		cmocka_unit_test(channels_are_bounded_and_move_to_other_servers),
		cmocka_unit_test(over_tcp_an_answer_comes_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
