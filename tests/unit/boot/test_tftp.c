/* SPDX-License-Identifier: Apache-2.0 */
/* The server on loopback: with the clients people have, where they are installed, and with a socket
 * that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "boot/boot_limits.h"
#include "boot/bootroot.h"
#include "boot/tftp.h"
#include "net/loop.h"
#include "net/udp.h"

enum { SMALL = 3000, BIG = 3000001, EXACT = 512 * 4 };

struct server {
	char base[64], root[80];
	struct loop *loop;
	struct bootroot *files;
	struct boot_conf conf;
	struct ip_prefix clients[2];
	struct tftp *tftp;
	struct tftp_counters counters; /* copied on the loop */
	pthread_t thread;
	uint16_t port, port6;
	uint8_t *big;
};

static void *run(void *arg)
{
	loop_run(((struct server *)arg)->loop);
	return NULL;
}

static void put_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static uint16_t listen_on(struct server *s, const char *ip)
{
	struct udp_conf conf = {.dst = true};
	struct udp *u;

	assert_int_equal(ip_read(ip, &conf.bind.ip), 0);
	if (udp_open(&conf, &u))
		return 0;
	assert_int_equal(tftp_listen(s->tftp, u), 0);
	return udp_bound(u).port;
}

static int setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	struct rand_source *r = rand_new_seeded(1);

	(void)log_open("/dev/null", LOG_LEVEL_ERROR);
	strcpy(s->base, "/tmp/lanthorn-tftp-XXXXXX");
	if (!mkdtemp(s->base))
		return -1;
	(void)snprintf(s->root, sizeof(s->root), "%s/root", s->base);
	mkdir(s->root, 0755);
	s->big = malloc(BIG);
	rand_bytes(r, s->big, BIG);
	rand_free(r);
	put_file(s->root, "big", s->big, BIG);
	put_file(s->root, "small", s->big, SMALL);
	put_file(s->root, "exact", s->big, EXACT);
	put_file(s->root, "empty", "", 0);
	s->loop = loop_new();
	if (bootroot_open(s->root, &s->files))
		return -1;
	assert_int_equal(ip_prefix_read("127.0.0.1", &s->clients[0]), 0);
	assert_int_equal(ip_prefix_read("::1", &s->clients[1]), 0);
	s->conf = (struct boot_conf){.root = s->root, .clients = s->clients, .n_clients = 2};
	s->tftp = tftp_new(s->loop, &s->conf, s->files);
	s->port = listen_on(s, "127.0.0.1");
	s->port6 = listen_on(s, "::1");
	assert_true(s->port);
	*state = s;
	return pthread_create(&s->thread, NULL, run, s);
}

static int teardown(void **state)
{
	struct server *s = *state;
	char command[200];

	loop_stop(s->loop);
	pthread_join(s->thread, NULL);
	tftp_free(s->tftp);
	bootroot_close(s->files);
	loop_free(s->loop);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", s->base);
	(void)!system(command);
	free(s->big);
	free(s);
	return 0;
}

static void copy_counters(void *arg)
{
	struct server *s = arg;

	__atomic_store_n(&s->counters.requests, UINT64_MAX, __ATOMIC_SEQ_CST);
	s->counters = tftp_counters(s->tftp);
}

static struct tftp_counters counters_of(struct server *s)
{
	__atomic_store_n(&s->counters.requests, UINT64_MAX, __ATOMIC_SEQ_CST);
	loop_post(s->loop, copy_counters, s);
	while (__atomic_load_n(&s->counters.requests, __ATOMIC_SEQ_CST) == UINT64_MAX)
		usleep(500);
	usleep(1000);
	return s->counters;
}

/* ---- programs ---- */

struct program {
	const char *name, *command; /* $PORT $FILE $OUT */
};

/* Fetches a file with a program; false: it is not installed. */
static bool fetch_with(struct server *s, const struct program *program, const char *file,
	const void *want, size_t len)
{
	char command[400], out[200], port[16];
	uint8_t *got = malloc(len + 2);
	int fd, rc;

	(void)snprintf(command, sizeof(command), "command -v %s >/dev/null", program->name);
	if (system(command) != 0) {
		free(got);
		return false;
	}
	(void)snprintf(out, sizeof(out), "%s/out", s->base);
	(void)snprintf(port, sizeof(port), "%u", (unsigned)s->port);
	(void)snprintf(command, sizeof(command), "exec >/dev/null 2>&1; %s", program->command);
	setenv("PORT", port, 1);
	setenv("FILE", file, 1);
	setenv("OUT", out, 1);
	unlink(out);
	rc = system(command);
	if (rc)
		fail_msg("%s: exit %d", program->command, rc);
	fd = open(out, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, len + 2), (ssize_t)len);
	assert_memory_equal(got, want, len);
	close(fd);
	free(got);
	return true;
}

static void the_clients_people_have_get_their_files(void **state)
{
	static const struct program PROGRAMS[] = {
		{"curl", "curl -s -m 20 tftp://127.0.0.1:$PORT/$FILE -o $OUT"},
		{"curl", "curl -s -m 20 --tftp-no-options tftp://127.0.0.1:$PORT/$FILE -o $OUT"},
		{"curl", "curl -s -m 20 --tftp-blksize 1428 tftp://127.0.0.1:$PORT/$FILE -o $OUT"},
		{"curl", "curl -s -m 20 --tftp-blksize 65464 tftp://127.0.0.1:$PORT/$FILE -o $OUT"},
		{"busybox", "busybox tftp -g -r $FILE -l $OUT 127.0.0.1 $PORT"},
		{"busybox", "busybox tftp -g -b 1428 -r $FILE -l $OUT 127.0.0.1 $PORT"},
		{"tftp", "tftp -m binary 127.0.0.1 $PORT -c get $FILE $OUT"},
		{"atftp", "atftp -g -r $FILE -l $OUT 127.0.0.1 $PORT"},
		{"atftp", "atftp --option 'blksize 1428' --option 'windowsize 16' -g -r $FILE "
			  "-l $OUT 127.0.0.1 $PORT"},
		{"atftp", "atftp --option 'blksize 1428' --option 'windowsize 64' -g -r $FILE "
			  "-l $OUT 127.0.0.1 $PORT"},
	};
	const size_t n_programs = sizeof(PROGRAMS) / sizeof(PROGRAMS[0]);
	struct server *s = *state;
	unsigned n = 0;

	for (size_t i = 0; i < n_programs; i++) {
		if (!fetch_with(s, &PROGRAMS[i], "big", s->big, BIG))
			continue;
		n++;
		(void)fetch_with(s, &PROGRAMS[i], "small", s->big, SMALL);
		(void)fetch_with(s, &PROGRAMS[i], "exact", s->big, EXACT);
	}
	printf("%u of %zu client programs are installed\n", n, n_programs);
	usleep(20000);
	assert_int_equal(counters_of(s).failed, 0);
	assert_int_equal(counters_of(s).finished, 3 * n);
}

/* ---- a socket of ours ---- */

struct peer {
	int fd;
	struct sockaddr_in server, from; /* from: of the last packet */
	uint8_t packet[2048];
	ssize_t len;
};

static void peer_open(struct server *s, struct peer *p)
{
	const struct timeval wait = {.tv_sec = 2};
	struct sockaddr_in me = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	memset(p, 0, sizeof(*p));
	p->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&me, sizeof(me)), 0);
	(void)setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	p->server = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(s->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void send_to(struct peer *p, const struct sockaddr_in *to, const void *data, size_t len)
{
	assert_int_equal(sendto(p->fd, data, len, 0, (const struct sockaddr *)to, sizeof(*to)),
		(ssize_t)len);
}

#define REQUEST(p, text) send_to(p, &(p)->server, text, sizeof(text) - 1)

static bool receive(struct peer *p)
{
	socklen_t len = sizeof(p->from);

	p->len =
		recvfrom(p->fd, p->packet, sizeof(p->packet), 0, (struct sockaddr *)&p->from, &len);
	return p->len > 0;
}

static bool anything_within_ms(struct peer *p, int ms)
{
	struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN};

	return poll(&poll_fd, 1, ms) > 0;
}

static void ack(struct peer *p, uint16_t block)
{
	const uint8_t packet[] = {0, 4, (uint8_t)(block >> 8), (uint8_t)block};

	send_to(p, &p->from, packet, sizeof(packet));
}

static void expect_error(struct peer *p, int code)
{
	assert_true(receive(p));
	assert_int_equal(p->packet[1], 5);
	assert_int_equal(p->packet[3], code);
	assert_int_equal(p->packet[p->len - 1], 0);
}

static void what_is_not_served_is_refused_with_its_code(void **state)
{
	struct server *s = *state;
	struct peer p;

	peer_open(s, &p);
	REQUEST(&p, "\0\1nothing\0octet\0");
	expect_error(&p, 1);
	REQUEST(&p, "\0\1../secret\0octet\0");
	expect_error(&p, 2);
	REQUEST(&p, "\0\2small\0octet\0");
	expect_error(&p, 4);
	REQUEST(&p, "\0\1small\0netascii\0");
	expect_error(&p, 4);
	REQUEST(&p, "\0\1small\0mail\0");
	expect_error(&p, 4);
	REQUEST(&p, "\0\1small\0octet"); /* no NUL: dropped */
	REQUEST(&p, "\0\4\0\1");
	assert_false(anything_within_ms(&p, 50));
	assert_int_equal(counters_of(s).malformed, 2);
	assert_int_equal(counters_of(s).refused, 5);
	assert_int_equal(counters_of(s).started, 0);
	close(p.fd);
}

static void refusals_have_a_ceiling(void **state)
{
	struct server *s = *state;
	struct tftp_counters c;
	struct peer p;

	peer_open(s, &p);
	for (int i = 0; i < 5 * TFTP_REFUSALS_PER_S; i++) {
		REQUEST(&p, "\0\1nothing\0octet\0");
		if (i % 50 == 49)
			usleep(2000);
	}
	usleep(20000);
	c = counters_of(s);
	assert_true(c.refused <= 2 * TFTP_REFUSALS_PER_S);
	assert_true(c.dropped > 0);
	close(p.fd);
}

static void options_are_granted_within_bounds(void **state)
{
	struct server *s = *state;
	struct peer p;

	peer_open(s, &p);
	REQUEST(&p, "\0\1big\0octet\0blksize\00070000\0tsize\0000\0windowsize\000999\0");
	assert_true(receive(&p));
	static const char WANT[] = "\0\6blksize\00065464\0tsize\0003000001\0windowsize\0002\0";
	assert_int_equal(p.len, sizeof(WANT) - 1);
	assert_memory_equal(p.packet, WANT, sizeof(WANT) - 1);
	/* the first answer comes from a port of its own, and so does all else */
	assert_int_not_equal(ntohs(p.from.sin_port), s->port);
	send_to(&p, &p.from, "\0\5\0\10enough", 11); /* only the size was wanted */
	usleep(20000);
	assert_int_equal(counters_of(s).active, 0);
	close(p.fd);
}

static void a_stranger_cannot_disturb_a_transfer(void **state)
{
	struct server *s = *state;
	struct peer p, stranger;
	struct sockaddr_in tid;
	uint16_t block;

	peer_open(s, &p);
	peer_open(s, &stranger);
	REQUEST(&p, "\0\1small\0octet\0");
	for (block = 1; block <= SMALL / 512 + 1; block++) {
		assert_true(receive(&p));
		assert_int_equal(p.packet[1], 3);
		assert_int_equal(p.packet[3], block);
		tid = p.from;
		(void)sendto(
			stranger.fd, "\0\5\0\0die", 8, 0, (struct sockaddr *)&tid, sizeof(tid));
		(void)sendto(stranger.fd, "\0\4\0\1", 4, 0, (struct sockaddr *)&tid, sizeof(tid));
		ack(&p, block);
	}
	usleep(20000);
	assert_int_equal(counters_of(s).finished, 1);
	assert_int_equal(counters_of(s).failed, 0);
	close(p.fd);
	close(stranger.fd);
}

static void a_request_sent_twice_begins_one_transfer(void **state)
{
	struct server *s = *state;
	struct peer p;

	peer_open(s, &p);
	REQUEST(&p, "\0\1small\0octet\0");
	REQUEST(&p, "\0\1small\0octet\0");
	usleep(30000);
	REQUEST(&p, "\0\1small\0octet\0"); /* a client in a hurry: block 1 again */
	assert_true(receive(&p));
	struct sockaddr_in first = p.from;
	assert_true(receive(&p));
	assert_int_equal(p.from.sin_port, first.sin_port);
	assert_int_equal(counters_of(s).started, 1);
	/* after it has answered, the same port begins anew */
	ack(&p, 1);
	assert_true(receive(&p));
	REQUEST(&p, "\0\1small\0octet\0");
	do
		assert_true(receive(&p));
	while (p.from.sin_port == first.sin_port);
	assert_int_equal(p.packet[3], 1);
	assert_int_equal(counters_of(s).started, 2);
	assert_int_equal(counters_of(s).active, 1);
	close(p.fd);
}

static void a_closed_client_port_ends_the_transfer(void **state)
{
	struct server *s = *state;
	struct peer p;

	peer_open(s, &p);
	REQUEST(&p, "\0\1big\0octet\0blksize\0001428\0windowsize\0008\0");
	assert_true(receive(&p));
	ack(&p, 0);
	assert_true(receive(&p));
	close(p.fd);
	for (int i = 0; i < 100 && counters_of(s).active; i++)
		usleep(10000);
	assert_int_equal(counters_of(s).active, 0);
	assert_int_equal(counters_of(s).failed, 1);
}

static void a_file_cut_in_mid_transfer_is_an_error_for_the_client(void **state)
{
	struct server *s = *state;
	char path[200];
	struct peer p;

	peer_open(s, &p);
	REQUEST(&p, "\0\1big\0octet\0");
	assert_true(receive(&p));
	(void)snprintf(path, sizeof(path), "%s/big", s->root);
	assert_int_equal(truncate(path, 700), 0);
	ack(&p, 1);
	expect_error(&p, 0);
	assert_int_equal(counters_of(s).failed, 1);
	close(p.fd);
}

static void a_file_replaced_in_mid_transfer_is_served_to_its_end(void **state)
{
	struct server *s = *state;
	char from[200], to[200];
	struct peer p;
	size_t got = 0;

	peer_open(s, &p);
	REQUEST(&p, "\0\1small\0octet\0");
	assert_true(receive(&p));
	put_file(s->base, "new", "new", 3);
	(void)snprintf(from, sizeof(from), "%s/new", s->base);
	(void)snprintf(to, sizeof(to), "%s/small", s->root);
	assert_int_equal(rename(from, to), 0);
	for (uint16_t block = 1;; block++) {
		assert_int_equal(p.packet[3], block);
		assert_memory_equal(p.packet + 4, s->big + got, (size_t)p.len - 4);
		got += (size_t)p.len - 4;
		ack(&p, block);
		if (p.len < 516)
			break;
		assert_true(receive(&p));
	}
	assert_int_equal(got, SMALL);
	close(p.fd);
}

static void one_client_has_so_many_transfers_and_no_more(void **state)
{
	enum { N = BOOT_TRANSFERS_PER_CLIENT };
	static struct peer peers[N + 1];
	struct server *s = *state;

	for (int i = 0; i < N; i++) {
		peer_open(s, &peers[i]);
		REQUEST(&peers[i], "\0\1small\0octet\0");
		assert_true(receive(&peers[i]));
	}
	peer_open(s, &peers[N]);
	REQUEST(&peers[N], "\0\1small\0octet\0");
	expect_error(&peers[N], 0);
	assert_int_equal(counters_of(s).active, N);
	/* one that has been silent for a while makes room */
	for (int round = 0; round < 12; round++) {
		usleep(200000);
		for (int i = 1; i < N; i++)
			ack(&peers[i], 0); /* a duplicate: they are there */
	}
	REQUEST(&peers[N], "\0\1small\0octet\0");
	assert_true(receive(&peers[N]));
	assert_int_equal(peers[N].packet[1], 3);
	assert_int_equal(counters_of(s).active, N);
	for (int i = 0; i <= N; i++)
		close(peers[i].fd);
}

static void nobody_else_may_fetch(void **state)
{
	struct server *s = *state;
	struct sockaddr_in me = {.sin_family = AF_INET};
	struct peer p;

	peer_open(s, &p);
	close(p.fd);
	p.fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &me.sin_addr), 1);
	assert_int_equal(bind(p.fd, (struct sockaddr *)&me, sizeof(me)), 0);
	REQUEST(&p, "\0\1small\0octet\0");
	expect_error(&p, 2);
	close(p.fd);
}

static void ipv6_works_too(void **state)
{
	struct server *s = *state;
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const struct timeval wait = {.tv_sec = 2};
	uint8_t packet[600];
	int fd;

	if (!s->port6)
		skip();
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	to.sin6_port = htons(s->port6);
	(void)sendto(fd, "\0\1empty\0octet\0", 14, 0, (struct sockaddr *)&to, sizeof(to));
	socklen_t len = sizeof(to);
	assert_int_equal(recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&to, &len), 4);
	assert_memory_equal(packet, "\0\3\0\1", 4);
	(void)sendto(fd, "\0\4\0\1", 4, 0, (struct sockaddr *)&to, sizeof(to));
	usleep(20000);
	assert_int_equal(counters_of(s).finished, 1);
	close(fd);
}

struct reload {
	struct server *s;
	struct boot_conf conf;
	struct bootroot *files;
	atomic_bool done;
};

static void do_reload(void *arg)
{
	struct reload *r = arg;

	tftp_set_conf(r->s->tftp, &r->conf, r->files);
	bootroot_close(r->s->files);
	r->s->files = r->files;
	atomic_store(&r->done, true);
}

static void a_reload_leaves_transfers_alone(void **state)
{
	struct server *s = *state;
	static struct reload reload;
	char other[100];
	struct peer p, q;

	(void)snprintf(other, sizeof(other), "%s/other", s->base);
	mkdir(other, 0755);
	put_file(other, "small", "other", 5);
	reload.s = s;
	reload.conf = s->conf;
	atomic_store(&reload.done, false);
	assert_int_equal(bootroot_open(other, &reload.files), 0);
	peer_open(s, &p);
	REQUEST(&p, "\0\1small\0octet\0");
	assert_true(receive(&p));
	loop_post(s->loop, do_reload, &reload);
	while (!atomic_load(&reload.done))
		usleep(1000);
	for (uint16_t block = 1; block <= SMALL / 512; block++) {
		ack(&p, block);
		assert_true(receive(&p));
		assert_int_equal(p.packet[3], block + 1);
	}
	assert_memory_equal(p.packet + 4, s->big + SMALL / 512 * 512, SMALL % 512);
	ack(&p, SMALL / 512 + 1);
	peer_open(s, &q);
	REQUEST(&q, "\0\1small\0octet\0");
	assert_true(receive(&q));
	assert_int_equal(q.len, 4 + 5);
	ack(&q, 1);
	usleep(20000);
	assert_int_equal(counters_of(s).finished, 2);
	close(p.fd);
	close(q.fd);
}

int main(void)
{
#define SERVED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(the_clients_people_have_get_their_files),
		SERVED(what_is_not_served_is_refused_with_its_code),
		SERVED(refusals_have_a_ceiling),
		SERVED(options_are_granted_within_bounds),
		SERVED(a_stranger_cannot_disturb_a_transfer),
		SERVED(a_request_sent_twice_begins_one_transfer),
		SERVED(a_closed_client_port_ends_the_transfer),
		SERVED(a_file_cut_in_mid_transfer_is_an_error_for_the_client),
		SERVED(a_file_replaced_in_mid_transfer_is_served_to_its_end),
		SERVED(one_client_has_so_many_transfers_and_no_more),
		SERVED(nobody_else_may_fetch),
		SERVED(ipv6_works_too),
		SERVED(a_reload_leaves_transfers_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
