/* SPDX-License-Identifier: Apache-2.0 */
/* One ask, one socket, one port. A pool of ports that are used several times would save 3 us of the
 * 7 us that an exchange costs the kernel here, and give away what the ports are for: whoever runs a
 * name server that we ask learns the ports of the pool, and the next question to somebody else
 * leaves from one of them. So every question has a port that nobody has seen before (A1, A3).
 *
 * The sockets sit in an epoll set of their own, which the loop sees as one descriptor: a socket
 * costs one epoll_ctl, none to leave (close does that), and no libuv handle. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/port.h"
#include "net/upstream_parts.h"

enum {
	UPSTREAM_EVENTS = 64,
	UPSTREAM_ROUNDS = 4, /* batches of events before other descriptors have their turn */
	UPSTREAM_READS = 8,  /* datagrams of one socket in one go: a flood must not hold the loop */
	UPSTREAM_HEADER_LEN = 12,
};

/* Errors in the order they are met; the fd is the slot's, so upstream_end closes it. */
static int upstream_udp_connect(struct upstream_slot *s)
{
	struct upstream *u = s->up;
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = upstream_handle(s)};
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(&s->ask.server, &sa);
	int family = s->ask.server.ip.family, err;
	struct ip local = {.family = (uint8_t)family};

	s->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return errno == EAFNOSUPPORT ? ERR_UNREACHABLE : err_from_errno(errno);
	u->stats.udp_open++;
	u->stats.sockets_opened++;
	(void)upstream_source(u, family, &local);
	err = port_bind(s->fd, &local, u->conf.rand, &u->stats.port_in_use);
	if (err < 0)
		return err;
	if (connect(s->fd, (struct sockaddr *)&sa, len) < 0)
		return errno == EINVAL ? ERR_UNREACHABLE : err_from_errno(errno);
	if (epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, s->fd, &event) < 0)
		return err_from_errno(errno);
	return 0;
}

int upstream_udp_start(struct upstream_slot *s)
{
	struct upstream *u = s->up;
	ssize_t n;
	int err;

	if (u->stats.udp_open >= u->max_sockets)
		return ERR_LIMIT;
	err = upstream_udp_connect(s);
	if (err < 0)
		return err;
	n = send(s->fd, s->ask.query, s->ask.query_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* A full queue is a lost datagram, for which there are timeouts. */
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
		return err_from_errno(errno);
	return 0;
}

void upstream_udp_end(struct upstream_slot *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	s->up->stats.udp_open--;
}

/* ---- replies ---- */

static bool upstream_udp_is_from(const struct sockaddr_storage *sa, const struct ip_port *server)
{
	struct sockaddr_storage want;

	(void)ip_port_to_sockaddr(server, &want);
	if (sa->ss_family != want.ss_family)
		return false;
	if (sa->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)sa;
		const struct sockaddr_in *b = (const struct sockaddr_in *)&want;

		return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
	}
	return ((const struct sockaddr_in6 *)sa)->sin6_port ==
		       ((const struct sockaddr_in6 *)&want)->sin6_port &&
	       memcmp(&((const struct sockaddr_in6 *)sa)->sin6_addr,
		       &((const struct sockaddr_in6 *)&want)->sin6_addr, 16) == 0;
}

/* The wait goes on, but not for long: see transport.h. */
static void upstream_udp_on_icmp(struct upstream_slot *s)
{
	struct loop *l = s->up->conf.loop;
	int64_t due_ms = loop_now_ms(l) + TRANSPORT_ICMP_GRACE_MS;

	if (s->had_icmp)
		return;
	s->had_icmp = true;
	if (due_ms < s->timer.due_ms)
		wheel_start(loop_wheel(l), &s->timer, due_ms);
}

/* True: look for another datagram on this socket. */
static bool upstream_udp_read(struct upstream *u, struct upstream_slot *s)
{
	uint64_t handle = upstream_handle(s);
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	enum transport_verdict verdict;
	ssize_t n = recvfrom(s->fd, u->rx, sizeof(u->rx), MSG_DONTWAIT | MSG_TRUNC,
		(struct sockaddr *)&from, &from_len);

	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return false;
		upstream_udp_on_icmp(s);
		return true;
	}
	/* Until it was connected the socket took packets from anywhere. */
	if (n < UPSTREAM_HEADER_LEN || n > UPSTREAM_RX_LEN ||
		!upstream_udp_is_from(&from, &s->ask.server)) {
		u->stats.strays++;
		return true;
	}
	verdict = s->ask.on_reply(s->ask.arg, u->rx, (size_t)n);
	if (upstream_find(u, handle) != s)
		return false; /* cancelled by the callback */
	if (verdict == TRANSPORT_TAKE) {
		u->stats.replies++;
		upstream_end(s);
		return false;
	}
	u->stats.rejected++;
	return true;
}

static void upstream_udp_on_ready(void *arg, unsigned events, int err)
{
	struct upstream *u = arg;
	struct epoll_event ready[UPSTREAM_EVENTS];

	(void)events;
	(void)err;
	for (int round = 0; round < UPSTREAM_ROUNDS; round++) {
		int n = epoll_wait(u->epoll_fd, ready, UPSTREAM_EVENTS, 0);

		for (int i = 0; i < n; i++) {
			struct upstream_slot *s = upstream_find(u, ready[i].data.u64);

			/* An earlier event of this batch may have ended it. */
			for (int k = 0; s && k < UPSTREAM_READS; k++)
				if (!upstream_udp_read(u, s))
					break;
		}
		if (n < UPSTREAM_EVENTS)
			return;
	}
}

int upstream_udp_init(struct upstream *u)
{
	u->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (u->epoll_fd < 0)
		return err_from_errno(errno);
	u->watch = loop_watch_new(u->conf.loop, u->epoll_fd, upstream_udp_on_ready, u);
	if (!u->watch)
		return ERR_LIMIT;
	loop_watch_set(u->watch, LOOP_READ);
	return 0;
}

void upstream_udp_fini(struct upstream *u)
{
	loop_watch_free(u->watch);
	u->watch = NULL;
	if (u->epoll_fd >= 0)
		close(u->epoll_fd);
}
