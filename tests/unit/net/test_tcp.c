/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "net/loop.h"
#include "net/tcp.h"

enum { MAX_HELD = 4096 };

/* Echoes. A query that begins with 'H' is held until release; 'D' is dropped; 'B' gets a big
 * answer; 'X' is echoed and then hung up on. */
struct service {
	struct loop *loop;
	struct tcp *tcp;
	struct ip_port at;
	int listener;
	uint64_t held[MAX_HELD], last;
	uint8_t held_byte[MAX_HELD];
	size_t n_held, queries, last_len;
	struct ip_port peer, local;
	bool refuses;
};

static void service_on_query(void *arg, const struct tcp_query *q)
{
	static const uint8_t BIG[8000];
	struct service *s = arg;

	s->queries++;
	s->last = q->conn;
	s->last_len = q->len;
	s->peer = *q->peer;
	s->local = *q->local;
	if (q->len && q->bytes[0] == 'H') {
		s->held_byte[s->n_held] = q->bytes[1];
		s->held[s->n_held++] = q->conn;
	} else if (q->len && q->bytes[0] == 'D') {
		tcp_drop(s->tcp, q->conn);
	} else if (q->len && q->bytes[0] == 'B') {
		tcp_reply(s->tcp, q->conn, BIG, sizeof(BIG));
	} else {
		tcp_reply(s->tcp, q->conn, q->bytes, q->len);
		if (q->len && q->bytes[0] == 'X')
			tcp_hang_up(s->tcp, q->conn);
	}
}

static bool service_may_connect(void *arg, const struct ip_port *peer)
{
	struct service *s = arg;

	assert_int_equal(AF_INET, peer->ip.family);
	return !s->refuses;
}

static void service_open(struct service *s, unsigned max_conns, unsigned max_per_ip)
{
	struct tcp_conf conf = {.arg = s,
		.on_query = service_on_query,
		.may_connect = service_may_connect,
		.max_conns = max_conns,
		.max_per_ip = max_per_ip};
	struct ip_port any;
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	memset(s, 0, sizeof(*s));
	s->loop = loop_new();
	s->tcp = tcp_new(s->loop, &conf);
	assert_int_equal(0, ip_port_read("127.0.0.1:0", 0, &any));
	assert_int_equal(0, tcp_open(&any, true, &s->listener));
	assert_int_equal(0, getsockname(s->listener, (struct sockaddr *)&sa, &len));
	s->at = ip_port_from_sockaddr(&sa);
	assert_int_equal(0, tcp_listen(s->tcp, s->listener));
}

static void service_close(struct service *s)
{
	tcp_free(s->tcp);
	loop_free(s->loop);
}

static int client_from(const struct service *s, uint32_t source)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
	struct timeval patience = {.tv_sec = 5};
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&s->at, &sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	assert_int_equal(0, bind(fd, (struct sockaddr *)&from, sizeof(from)));
	assert_int_equal(0, connect(fd, (struct sockaddr *)&sa, len));
	return fd;
}

static int client(const struct service *s)
{
	return client_from(s, INADDR_LOOPBACK);
}

static void send_query(int fd, const char *text)
{
	uint8_t msg[300];
	size_t len = strlen(text);

	msg[0] = (uint8_t)(len >> 8);
	msg[1] = (uint8_t)len;
	memcpy(msg + 2, text, len);
	assert_int_equal(len + 2, send(fd, msg, len + 2, MSG_NOSIGNAL));
}

/* Turns until the client can read something, or the end. */
static void turn_until_readable(struct service *s, int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		loop_turn(s->loop, true);
}

static void expect_reply(struct service *s, int fd, const char *text)
{
	uint8_t msg[300];
	size_t len = strlen(text);

	turn_until_readable(s, fd);
	assert_int_equal(len + 2, recv(fd, msg, len + 2, MSG_WAITALL));
	assert_int_equal(len, msg[0] << 8 | msg[1]);
	assert_memory_equal(text, msg + 2, len);
}

static void expect_end(struct service *s, int fd)
{
	char byte;
	ssize_t n;

	turn_until_readable(s, fd);
	n = recv(fd, &byte, 1, 0);
	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	close(fd);
}

static void turn_until_open(struct service *s, unsigned n)
{
	while (tcp_stats(s->tcp)->open < n)
		loop_turn(s->loop, true);
}

static void queries_are_answered_on_one_connection(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	send_query(fd, "first");
	expect_reply(&s, fd, "first");
	send_query(fd, "second");
	expect_reply(&s, fd, "second");
	assert_int_equal(127, s.peer.ip.bytes[0]);
	assert_true(ip_port_equal(&s.at, &s.local));
	assert_true(tcp_is_open(s.tcp, s.last));
	close(fd);
	while (tcp_stats(s.tcp)->open)
		loop_turn(s.loop, true);
	assert_false(tcp_is_open(s.tcp, s.last));
	service_close(&s);
}

static void a_query_in_single_bytes_is_put_together(void **state)
{
	static const uint8_t MSG[] = {0, 3, 'a', 'b', 'c', 0, 2, 'd', 'e', 0, 0};
	struct service s;
	int fd;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	for (size_t i = 0; i < sizeof(MSG); i++) {
		assert_int_equal(1, send(fd, &MSG[i], 1, 0));
		loop_turn(s.loop, true);
	}
	expect_reply(&s, fd, "abc");
	expect_reply(&s, fd, "de");
	expect_reply(&s, fd, "");
	close(fd);
	service_close(&s);
}

static void a_hundred_queries_in_one_segment_are_answered_in_any_order(void **state)
{
	enum { N = TCP_PIPELINE };
	uint8_t msg[4 * N];
	struct service s;
	int fd;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	for (int i = 0; i < N; i++)
		memcpy(msg + (ptrdiff_t)4 * i, (uint8_t[]){0, 2, 'H', (uint8_t)(i + 1)}, 4);
	assert_int_equal(sizeof(msg), send(fd, msg, sizeof(msg), 0));
	/* The client says that it has no more to ask: it still gets what it asked for. */
	shutdown(fd, SHUT_WR);
	while (s.n_held < N)
		loop_turn(s.loop, true);
	loop_turn(s.loop, false); /* hears the end */
	loop_turn(s.loop, false);
	assert_int_equal(1, tcp_stats(s.tcp)->open);
	for (int i = N - 1; i >= 0; i--)
		tcp_reply(s.tcp, s.held[i], &s.held_byte[i], 1);
	for (int i = N - 1; i >= 0; i--)
		expect_reply(&s, fd, (char[]){(char)(i + 1), 0});
	expect_end(&s, fd);
	service_close(&s);
}

static void more_than_the_pipeline_waits_its_turn(void **state)
{
	enum { N = TCP_PIPELINE + 50 };
	struct service s;
	int fd;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	for (int i = 0; i < N; i++)
		send_query(fd, "Hx");
	while (s.n_held < TCP_PIPELINE)
		loop_turn(s.loop, true);
	loop_turn(s.loop, false);
	loop_turn(s.loop, false);
	assert_int_equal(TCP_PIPELINE, s.n_held);
	for (size_t i = 0; i < 10; i++)
		tcp_reply(s.tcp, s.held[i], "y", 1);
	for (size_t i = 10; i < 20; i++)
		tcp_drop(s.tcp, s.held[i]);
	while (s.n_held < TCP_PIPELINE + 20)
		loop_turn(s.loop, true);
	loop_turn(s.loop, false);
	assert_int_equal(TCP_PIPELINE + 20, s.n_held);
	for (size_t i = 20; i < N; i++) {
		while (s.n_held <= i)
			loop_turn(s.loop, true);
		tcp_reply(s.tcp, s.held[i], "y", 1);
	}
	for (int i = 0; i < N - 10; i++)
		expect_reply(&s, fd, "y");
	close(fd);
	service_close(&s);
}

static void a_query_of_the_longest_kind_is_received_and_answered(void **state)
{
	enum { LEN = 65535 };
	uint8_t *msg = xcalloc(1, LEN + 2), *back = xcalloc(1, LEN + 2);
	struct service s;
	size_t sent = 0, got = 0;
	int fd;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	msg[0] = msg[1] = 0xff;
	msg[2] = 'a';
	msg[LEN + 1] = 'z';
	while (got < LEN + 2) {
		ssize_t n = send(fd, msg + sent, LEN + 2 - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		loop_turn(s.loop, false);
		n = recv(fd, back + got, LEN + 2 - got, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(msg, back, LEN + 2);
	send_query(fd, "after");
	expect_reply(&s, fd, "after");
	close(fd);
	service_close(&s);
	xfree(msg);
	xfree(back);
}

static void long_queries_beyond_the_few_allowed_are_cut_off(void **state)
{
	static const uint8_t HEAD[] = {0x40, 0, 'a'};
	struct service s;
	int fds[TCP_MAX_LONG + 1];
	uint8_t fill[TCP_IN_LEN] = {0};

	(void)state;
	service_open(&s, 0, 0);
	for (int i = 0; i <= TCP_MAX_LONG; i++) {
		fds[i] = client(&s);
		turn_until_open(&s, (unsigned)i + 1);
		assert_int_equal(sizeof(HEAD), send(fds[i], HEAD, sizeof(HEAD), 0));
		assert_int_equal(sizeof(fill), send(fds[i], fill, sizeof(fill), 0));
		loop_turn(s.loop, true);
	}
	expect_end(&s, fds[TCP_MAX_LONG]);
	assert_int_equal(TCP_MAX_LONG, tcp_stats(s.tcp)->open);
	for (int i = 0; i < TCP_MAX_LONG; i++)
		close(fds[i]);
	service_close(&s);
}

static void a_client_that_never_reads_is_closed_with_little_memory(void **state)
{
	uint8_t query[] = {0, 1, 'B'};
	struct service s;
	int64_t start;
	int fd, small = 4096;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	turn_until_open(&s, 1);
	start = clock_mono_ms();
	while (tcp_stats(s.tcp)->open) {
		for (int i = 0; i < 20; i++)
			(void)send(fd, query, sizeof(query), MSG_DONTWAIT | MSG_NOSIGNAL);
		loop_turn(s.loop, true);
	}
	assert_true(clock_mono_ms() - start < 2 * TCP_WRITE_MS);
	assert_int_equal(1, tcp_stats(s.tcp)->overflows);
	close(fd);
	service_close(&s);
}

/* Half a megabyte of answers, ready at once, to a client that begins to read when they all are. */
static void a_client_that_reads_late_gets_all_its_answers(void **state)
{
	enum { N = 60, BIG_LEN = 8002 };
	uint8_t queries[3 * N], answer[BIG_LEN];
	struct service s;
	size_t got = 0;
	int fd, small = 4096;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < N; i++)
		memcpy(queries + (ptrdiff_t)3 * i, (uint8_t[]){0, 1, 'B'}, 3);
	assert_int_equal(sizeof(queries), send(fd, queries, sizeof(queries), 0));
	turn_until_readable(&s, fd);
	loop_turn(s.loop, false);
	assert_true(s.queries < N);
	while (got < (size_t)N * BIG_LEN) {
		ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);

		assert_true(n > 0 || (n < 0 && errno == EAGAIN));
		got += n > 0 ? (size_t)n : 0;
		loop_turn(s.loop, false);
	}
	assert_int_equal(N, s.queries);
	assert_int_equal(0, tcp_stats(s.tcp)->overflows);
	close(fd);
	service_close(&s);
}

static void a_reply_to_a_connection_that_has_gone_reaches_nobody(void **state)
{
	struct service s;
	int first, second;

	(void)state;
	service_open(&s, 1, 0);
	first = client(&s);
	send_query(first, "H1");
	while (!s.n_held)
		loop_turn(s.loop, true);
	/* A reset while we owe an answer. */
	setsockopt(first, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(first);
	while (tcp_stats(s.tcp)->open)
		loop_turn(s.loop, true);
	second = client(&s);
	send_query(second, "hello");
	expect_reply(&s, second, "hello");
	assert_int_equal((uint32_t)s.held[0], (uint32_t)s.last); /* the same place in the table */
	tcp_reply(s.tcp, s.held[0], "ghost", 5);
	tcp_drop(s.tcp, s.held[0]);
	tcp_hang_up(s.tcp, s.held[0]);
	tcp_reply(s.tcp, UINT64_MAX, "ghost", 5);
	assert_int_equal(2, tcp_stats(s.tcp)->stale);
	send_query(second, "again");
	expect_reply(&s, second, "again");
	close(second);
	service_close(&s);
}

static void one_client_gets_no_more_than_its_share(void **state)
{
	struct service s;
	int fds[4], other;

	(void)state;
	service_open(&s, 10, 3);
	for (int i = 0; i < 4; i++)
		fds[i] = client(&s);
	other = client_from(&s, 0x7f000002);
	turn_until_open(&s, 4);
	expect_end(&s, fds[3]);
	send_query(other, "me too");
	expect_reply(&s, other, "me too");
	assert_int_equal(1, tcp_stats(s.tcp)->refused);
	s.refuses = true;
	fds[3] = client_from(&s, 0x7f000003);
	expect_end(&s, fds[3]);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(other);
	service_close(&s);
}

static void when_the_table_is_full_the_longest_idle_makes_room(void **state)
{
	struct service s;
	int fds[4], newcomer;

	(void)state;
	service_open(&s, 4, 0);
	for (int i = 0; i < 4; i++) {
		fds[i] = client(&s);
		turn_until_open(&s, (unsigned)i + 1);
	}
	send_query(fds[0], "H0"); /* busy: may not be thrown out */
	while (!s.n_held)
		loop_turn(s.loop, true);
	send_query(fds[1], "lively");
	expect_reply(&s, fds[1], "lively");
	newcomer = client(&s);
	send_query(newcomer, "served");
	expect_reply(&s, newcomer, "served");
	expect_end(&s, fds[2]);
	assert_int_equal(1, tcp_stats(s.tcp)->evicted);
	send_query(fds[3], "H3");
	send_query(fds[1], "H1");
	send_query(newcomer, "Hn");
	while (s.n_held < 4)
		loop_turn(s.loop, true);
	/* Everybody is being served: now the newcomer is the one who has to wait. */
	fds[2] = client(&s);
	expect_end(&s, fds[2]);
	assert_int_equal(1, tcp_stats(s.tcp)->refused);
	tcp_reply(s.tcp, s.held[0], "done", 4);
	expect_reply(&s, fds[0], "done");
	close(fds[0]);
	close(fds[1]);
	close(fds[3]);
	close(newcomer);
	service_close(&s);
}

static void who_says_nothing_is_closed_and_who_dawdles_too(void **state)
{
	struct service s;
	int mute, slow;
	int64_t start = clock_mono_ms();

	(void)state;
	service_open(&s, 0, 0);
	mute = client(&s);
	slow = client(&s);
	assert_int_equal(1, send(slow, "", 1, 0));
	expect_end(&s, mute);
	assert_in_range(clock_mono_ms() - start, TCP_FIRST_MS - 2, TCP_MESSAGE_MS - 2);
	expect_end(&s, slow);
	assert_in_range(clock_mono_ms() - start, TCP_MESSAGE_MS - 2, TCP_MESSAGE_MS + 4000);
	assert_int_equal(2, tcp_stats(s.tcp)->timeouts);
	service_close(&s);
}

static void hanging_up_sends_what_is_queued_first(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	send_query(fd, "X bye");
	send_query(fd, "not heard");
	expect_reply(&s, fd, "X bye");
	expect_end(&s, fd);
	assert_int_equal(1, s.queries);
	service_close(&s);
}

static void running_out_of_descriptors_pauses_and_recovers(void **state)
{
	struct rlimit old, tight;
	struct service s;
	int idle, next, probe;

	(void)state;
	service_open(&s, 0, 0);
	idle = client(&s);
	turn_until_open(&s, 1);
	next = client(&s);
	send_query(next, "late");
	probe = dup(0);
	close(probe);
	assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &old));
	tight = old;
	tight.rlim_cur = (rlim_t)probe; /* not one more */
	assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &tight));
	expect_reply(&s, next, "late"); /* in the place of the idle one */
	assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &old));
	assert_true(tcp_stats(s.tcp)->paused >= 1);
	expect_end(&s, idle);
	close(next);
	service_close(&s);
}

static void a_listener_can_go_while_its_connections_stay(void **state)
{
	struct service s;
	struct sockaddr_storage sa;
	int fd, gone;

	(void)state;
	service_open(&s, 0, 0);
	fd = client(&s);
	turn_until_open(&s, 1);
	tcp_unlisten(s.tcp, s.listener);
	tcp_unlisten(s.tcp, -1);
	gone = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		-1, connect(gone, (struct sockaddr *)&sa, ip_port_to_sockaddr(&s.at, &sa)));
	close(gone);
	send_query(fd, "still here");
	expect_reply(&s, fd, "still here");
	close(fd);
	service_close(&s);
	tcp_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_answered_on_one_connection),
		cmocka_unit_test(a_query_in_single_bytes_is_put_together),
		cmocka_unit_test(a_hundred_queries_in_one_segment_are_answered_in_any_order),
		cmocka_unit_test(more_than_the_pipeline_waits_its_turn),
		cmocka_unit_test(a_query_of_the_longest_kind_is_received_and_answered),
		cmocka_unit_test(long_queries_beyond_the_few_allowed_are_cut_off),
		cmocka_unit_test(a_client_that_never_reads_is_closed_with_little_memory),
		cmocka_unit_test(a_client_that_reads_late_gets_all_its_answers),
		cmocka_unit_test(a_reply_to_a_connection_that_has_gone_reaches_nobody),
		cmocka_unit_test(one_client_gets_no_more_than_its_share),
		cmocka_unit_test(when_the_table_is_full_the_longest_idle_makes_room),
		cmocka_unit_test(who_says_nothing_is_closed_and_who_dawdles_too),
		cmocka_unit_test(hanging_up_sends_what_is_queued_first),
		cmocka_unit_test(running_out_of_descriptors_pauses_and_recovers),
		cmocka_unit_test(a_listener_can_go_while_its_connections_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
