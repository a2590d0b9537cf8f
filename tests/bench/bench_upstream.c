/* SPDX-License-Identifier: Apache-2.0 */
/* room: net
 * CPU time of one question to a server over net/upstream, answered by an echo in another process:
 * what the transport adds to a miss.
 *
 *   bench_upstream [seconds=1] [asks in flight=64] [tcp]
 */
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/rand.h"
#include "net/loop.h"
#include "net/upstream.h"

enum { QUERY_LEN = 50 };

struct bench {
	struct loop *loop;
	struct transport *t;
	struct transport_ask ask;
	uint8_t query[QUERY_LEN];
	uint16_t next_id;
	uint64_t done, failed;
	double until;
};

static double now_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void echo_udp(int fd)
{
	uint8_t buf[512];

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n > 0)
			(void)sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

static void echo_tcp(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		uint8_t buf[65536];
		ssize_t n;

		if (fork() != 0) {
			close(fd);
			continue;
		}
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			(void)send(fd, buf, (size_t)n, MSG_NOSIGNAL);
		_exit(0);
	}
}

static void start_one(struct bench *b)
{
	uint64_t handle;

	b->query[0] = (uint8_t)(b->next_id >> 8);
	b->query[1] = (uint8_t)b->next_id++;
	if (transport_start(b->t, &b->ask, &handle) < 0)
		exit(1);
}

static void again(struct bench *b)
{
	if (now_of(CLOCK_MONOTONIC) < b->until)
		start_one(b);
	else
		loop_stop(b->loop);
}

static enum transport_verdict on_reply(void *arg, const uint8_t *bytes, size_t len)
{
	struct bench *b = arg;

	(void)bytes;
	(void)len;
	b->done++;
	again(b);
	return TRANSPORT_TAKE;
}

static void on_fail(void *arg, int err)
{
	struct bench *b = arg;

	(void)err;
	b->failed++;
	again(b);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1, cpu;
	int flying = argc > 2 ? atoi(argv[2]) : 64, tcp = argc > 3;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct bench b = {.loop = loop_new()};
	struct upstream_conf conf = {.loop = b.loop, .rand = rand_new()};
	struct upstream *up = upstream_new(&conf);
	int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	pid_t child;

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || (tcp && listen(fd, 64) < 0))
		return 1;
	getsockname(fd, (struct sockaddr *)&a, &len);
	child = fork();
	if (child == 0) {
		pin(1);
		setpgid(0, 0);
		if (tcp)
			echo_tcp(fd);
		echo_udp(fd);
	}
	pin(0);
	b.t = upstream_transport(up);
	b.ask = (struct transport_ask){
		.server = {.ip = ip_from4(INADDR_LOOPBACK), .port = ntohs(a.sin_port)},
		.query = b.query,
		.query_len = QUERY_LEN,
		.tcp = tcp,
		.timeout_ms = 1000,
		.arg = &b,
		.on_reply = on_reply,
		.on_fail = on_fail};
	b.until = now_of(CLOCK_MONOTONIC) + seconds;
	cpu = now_of(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < flying; i++)
		start_one(&b);
	loop_run(b.loop);
	cpu = now_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
	printf("%lu asks, %lu failed, %.2f us of CPU each\n", (unsigned long)b.done,
		(unsigned long)b.failed, cpu * 1e6 / (double)(b.done + b.failed));
	kill(-child, SIGKILL);
	waitpid(child, NULL, 0);
	upstream_free(up);
	rand_free(conf.rand);
	loop_free(b.loop);
	return 0;
}
