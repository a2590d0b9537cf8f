/* SPDX-License-Identifier: Apache-2.0 */
/* room: net
 * What net/udp costs over the least that a UDP responder can cost: a bare loop of recvmmsg and
 * sendmmsg. Both echo the same packets in turn, round after round in one run, for on a shared
 * machine only ratios of the same minute mean anything.
 *
 *   bench_udp [rounds=9] [seconds a round=0.5] [window=512]
 *
 * A child sends from a second core: closed loop, `window` packets in flight over 8 sockets. Prints
 * CPU time (not wall time) per packet of the responder, and the median ratio to the bare loop. */
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/udp.h"

enum { SOCKETS = 8, QUERY_LEN = 45, ANSWER_LEN = 61, MAX_ROUNDS = 101, N_MODES = 3 };

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

/* ---- the sender ---- */

static void send_for_ever(uint16_t port, int window)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	static uint8_t out[QUERY_LEN], in[64][512];
	int fd[SOCKETS], flying[SOCKETS] = {0}, buf = 4 << 20;
	struct iovec out_iov = {out, sizeof(out)}, in_iov[64];
	struct mmsghdr out_hdr[64], in_hdr[64];

	for (int i = 0; i < 64; i++) {
		in_iov[i] = (struct iovec){in[i], sizeof(in[i])};
		out_hdr[i].msg_hdr = (struct msghdr){.msg_iov = &out_iov, .msg_iovlen = 1};
		in_hdr[i].msg_hdr = (struct msghdr){.msg_iov = &in_iov[i], .msg_iovlen = 1};
	}
	for (int s = 0; s < SOCKETS; s++) {
		fd[s] = socket(AF_INET, SOCK_DGRAM, 0);
		setsockopt(fd[s], SOL_SOCKET, SO_RCVBUF, &buf, sizeof(buf));
		if (connect(fd[s], (struct sockaddr *)&a, sizeof(a)) < 0)
			_exit(1);
	}
	for (int s = 0;; s = (s + 1) % SOCKETS) {
		int n = window / SOCKETS - flying[s];

		n = n > 64 ? 64 : n;
		if (n > 0 && (n = sendmmsg(fd[s], out_hdr, (unsigned)n, 0)) > 0)
			flying[s] += n;
		n = recvmmsg(fd[s], in_hdr, 64, MSG_DONTWAIT, NULL);
		if (n > 0)
			flying[s] -= n;
	}
}

/* ---- the responders ---- */

static uint32_t answer(const uint8_t *query, size_t len, uint8_t *out)
{
	memcpy(out, query, len);
	out[2] |= 0x80;
	memset(out + len, 0xaa, ANSWER_LEN - QUERY_LEN);
	return (uint32_t)(len + ANSWER_LEN - QUERY_LEN);
}

static uint64_t run_bare(int fd, double until)
{
	enum { N = 64, LEN = 512 };
	static uint8_t bufs[N][LEN];
	struct sockaddr_in from[N];
	struct mmsghdr m[N];
	struct iovec v[N];
	uint64_t packets = 0;

	while (now_of(CLOCK_MONOTONIC) < until) {
		int n;

		for (int i = 0; i < N; i++) {
			v[i] = (struct iovec){bufs[i], LEN};
			m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
				.msg_namelen = sizeof(from[i]),
				.msg_iov = &v[i],
				.msg_iovlen = 1};
		}
		n = recvmmsg(fd, m, N, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			v[i].iov_len = answer(bufs[i], m[i].msg_len, bufs[i]);
		if (n > 0 && sendmmsg(fd, m, (unsigned)n, 0) > 0)
			packets += (unsigned)n;
	}
	return packets;
}

struct responder {
	struct loop *loop;
	double until;
};

static void respond(void *arg, struct udp *u, struct udp_batch *b, int64_t now_ms)
{
	struct responder *r = arg;

	(void)u;
	(void)now_ms;
	for (size_t i = 0; i < b->n; i++)
		b->tx_len[i] = answer(b->rx[i].bytes, b->rx[i].len, b->tx[i]);
	if (now_of(CLOCK_MONOTONIC) >= r->until)
		loop_stop(r->loop);
}

/* ---- rounds ---- */

static const char *const MODES[N_MODES] = {
	"bare recvmmsg/sendmmsg", "net/udp, one address", "net/udp, wildcard"};

/* CPU nanoseconds a packet. */
static double run_round(int mode, double seconds, int window)
{
	struct udp_conf conf = {.bind = {.ip = {.family = AF_INET}}};
	struct responder r = {.loop = loop_new()};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct udp *u = NULL;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), buf = 4 << 20;
	uint16_t port;
	uint64_t packets;
	double cpu;
	pid_t child;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buf, sizeof(buf));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		exit(1);
	getsockname(fd, (struct sockaddr *)&a, &len);
	port = ntohs(a.sin_port);
	if (mode) {
		if (mode == 1)
			memcpy(conf.bind.ip.bytes, &a.sin_addr, 4);
		if (udp_open(&conf, &u) < 0 || udp_start(u, r.loop, respond, &r) < 0)
			exit(1);
		port = udp_bound(u).port;
	}
	child = fork();
	if (child == 0) {
		pin(1);
		send_for_ever(port, window);
	}
	pin(0);
	r.until = now_of(CLOCK_MONOTONIC) + seconds;
	cpu = now_of(CLOCK_THREAD_CPUTIME_ID);
	if (mode) {
		loop_run(r.loop);
		packets = udp_stats(u)->sent;
	} else {
		packets = run_bare(fd, r.until);
	}
	cpu = now_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
	if (mode && getenv("BENCH_VERBOSE"))
		printf("  %.1f packets a batch\n",
			(double)udp_stats(u)->received / (double)udp_stats(u)->batches);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	udp_close(u);
	loop_free(r.loop);
	close(fd);
	return cpu * 1e9 / (double)packets;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 9, window = argc > 3 ? atoi(argv[3]) : 512;
	double seconds = argc > 2 ? atof(argv[2]) : 0.5;
	static double ns[N_MODES][MAX_ROUNDS], ratio[N_MODES][MAX_ROUNDS];

	if (rounds < 1 || rounds > MAX_ROUNDS || seconds <= 0 || window < SOCKETS)
		return 2;
	for (int round = 0; round < rounds; round++)
		for (int mode = 0; mode < N_MODES; mode++) {
			ns[mode][round] = run_round(mode, seconds, window);
			ratio[mode][round] = ns[mode][round] / ns[0][round];
		}
	for (int mode = 0; mode < N_MODES; mode++) {
		qsort(ns[mode], (size_t)rounds, sizeof(double), compare);
		qsort(ratio[mode], (size_t)rounds, sizeof(double), compare);
		printf("%-24s %6.0f ns a packet (median), ratio %.3f (%.3f to %.3f)\n", MODES[mode],
			ns[mode][rounds / 2], ratio[mode][rounds / 2], ratio[mode][rounds / 4],
			ratio[mode][rounds - 1 - rounds / 4]);
	}
	return 0;
}
