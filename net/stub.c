/* SPDX-License-Identifier: Apache-2.0 */
/* How c-ares is used, and why so.
 *
 * A channel carries one ask at a time. c-ares asks one server from one port for as long as anything
 * is pending, cannot cancel a single query, and cannot change servers while busy: with one ask a
 * channel none of this matters. The socket closes with the answer, so every ask has a fresh port,
 * which our own socket functions draw and bind.
 *
 * Datagrams are read here first and judged by the asker; only one that was taken goes on to c-ares,
 * so that a bad packet cannot end its query (an empty datagram ends it in 1.18), and an answer over
 * 512 bytes arrives whole (without its own EDNS c-ares cuts it). Over TCP c-ares reads by itself;
 * what it found is delivered when none of its functions is on the stack, where any callback may
 * cancel or start what it likes. Timeouts are ours; its own is set out of reach. */
#include "net/stub.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/wheel.h"
#include "base/xalloc.h"
#include "net/loop.h"
#include "net/port.h"

enum {
	STUB_RX_LEN = 4096,
	STUB_HEADER_LEN = 12,
	STUB_MAX_QUERY = 4096,
	STUB_READS = 8,		     /* datagrams in one go: a flood must not hold the loop */
	STUB_NEVER_MS = 3600 * 1000, /* the timeout of c-ares, which must not come before ours */
};

struct stub_channel {
	struct stub *stub;
	uint32_t index, generation;
	ares_channel ares; /* NULL: none yet */
	struct ip_port server;
	bool is_tcp;
	unsigned uses;
	int64_t used_ms;
	int fd;
	struct loop_watch *watch;
	/* of the ask under way */
	bool is_busy;
	bool has_ended; /* c-ares has called back */
	bool had_icmp;
	int status; /* with which it called back */
	struct transport_ask ask;
	struct wheel_timer timer;
	const uint8_t *handed; /* a datagram for c-ares to read */
	size_t handed_len;
	uint8_t *answer; /* over TCP */
	size_t answer_len;
};

struct stub {
	struct transport transport; /* first */
	struct stub_conf conf;
	struct stub_stats stats;
	struct stub_channel *channels;
	uint32_t n_channels;
	uint64_t ports_in_use;
	uint8_t rx[STUB_RX_LEN];
};

/* ---- the sockets of c-ares ---- */

static void stub_on_ready(void *arg, unsigned events, int err);

static ares_socket_t stub_socket(int family, int type, int protocol, void *arg)
{
	struct stub_channel *c = arg;
	struct stub *s = c->stub;
	const struct ip *source = family == AF_INET ? &s->conf.source4 : &s->conf.source6;
	struct ip local = source->family ? *source : (struct ip){.family = (uint8_t)family};
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol), one = 1, err = 0;

	if (fd < 0)
		return -1;
	if (type == SOCK_DGRAM) {
		err = port_bind(fd, &local, s->conf.rand, &s->ports_in_use);
	} else {
		struct ip_port at = {.ip = local};
		struct sockaddr_storage sa;
		socklen_t len = ip_port_to_sockaddr(&at, &sa);

		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (source->family && bind(fd, (struct sockaddr *)&sa, len) < 0)
			err = ERR_UNREACHABLE;
	}
	if (err < 0) {
		close(fd);
		errno = EADDRNOTAVAIL;
		return -1;
	}
	c->fd = fd;
	return fd;
}

static int stub_close(ares_socket_t fd, void *arg)
{
	struct stub_channel *c = arg;

	/* c-ares tells stub_on_state first; an early failure it does not tell. */
	loop_watch_free(c->watch);
	c->watch = NULL;
	c->fd = -1;
	return close(fd);
}

static int stub_connect(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len, void *arg)
{
	(void)arg;
	return connect(fd, to, len);
}

/* UDP: what stub_on_ready has read and the asker has taken, once. TCP: the stream. */
static ares_ssize_t stub_recvfrom(ares_socket_t fd, void *buf, size_t cap, int flags,
	struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
	struct stub_channel *c = arg;
	struct sockaddr_storage sa;
	socklen_t len;
	size_t n;

	if (c->is_tcp)
		return recv(fd, buf, cap, flags | MSG_DONTWAIT);
	if (!c->handed) {
		errno = EAGAIN;
		return -1;
	}
	n = c->handed_len < cap ? c->handed_len : cap;
	memcpy(buf, c->handed, n);
	c->handed = NULL;
	len = ip_port_to_sockaddr(&c->server, &sa);
	if (from && from_len) {
		memcpy(from, &sa, *from_len < len ? *from_len : len);
		*from_len = len;
	}
	return (ares_ssize_t)n;
}

static ares_ssize_t stub_sendv(ares_socket_t fd, const struct iovec *iov, int n, void *arg)
{
	struct msghdr h = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};

	(void)arg;
	return sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static const struct ares_socket_functions STUB_SOCKETS = {
	stub_socket, stub_close, stub_connect, stub_recvfrom, stub_sendv};

static void stub_on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct stub_channel *c = arg;

	if (!readable && !writable) {
		loop_watch_free(c->watch);
		c->watch = NULL;
		return;
	}
	if (!c->watch)
		c->watch = loop_watch_new(c->stub->conf.loop, fd, stub_on_ready, c);
	if (c->watch)
		loop_watch_set(
			c->watch, (readable ? LOOP_READ : 0u) | (writable ? LOOP_WRITE : 0u));
}

/* ---- channels ---- */

/* Everything that a channel would otherwise look for in resolv.conf, hosts or the environment is
 * set, the server too (the real one follows: the options know neither IPv6 nor ports). */
static int stub_init(struct stub_channel *c)
{
	struct in_addr nobody = {.s_addr = 0};
	char lookups[] = "b";
	struct ares_options o = {.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC |
					  ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
					  (c->is_tcp ? ARES_FLAG_USEVC : 0),
		.timeout = STUB_NEVER_MS,
		.tries = 1,
		.ndots = 1,
		.servers = &nobody,
		.nservers = 1,
		.lookups = lookups,
		.sock_state_cb = stub_on_state,
		.sock_state_cb_data = c};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		   ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
		   ARES_OPT_SORTLIST | ARES_OPT_NOROTATE;

#ifdef ARES_OPT_UDP_MAX_QUERIES
	o.udp_max_queries = 1;
	mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
#ifdef ARES_OPT_QUERY_CACHE
	o.qcache_max_ttl = 0; /* the cache is above us */
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	return ares_init_options(&c->ares, &o, mask);
}

static int stub_set_server(struct stub_channel *c)
{
	struct ares_addr_port_node node = {.family = c->server.ip.family,
		.udp_port = c->server.port,
		.tcp_port = c->server.port};

	memcpy(&node.addr, c->server.ip.bytes, ip_len(&c->server.ip));
	return ares_set_servers_ports(c->ares, &node);
}

static void stub_drop_channel(struct stub_channel *c)
{
	if (!c->ares)
		return;
	ares_destroy(c->ares);
	c->ares = NULL;
	c->stub->stats.channels--;
}

static int stub_make_channel(struct stub_channel *c, const struct transport_ask *ask)
{
	c->server = ask->server;
	c->is_tcp = ask->tcp;
	c->uses = 0;
	if (stub_init(c) != ARES_SUCCESS) {
		c->ares = NULL;
		return ERR_INTERNAL;
	}
	c->stub->stats.channels++;
	c->stub->stats.channels_made++;
	ares_set_socket_functions(c->ares, &STUB_SOCKETS, c);
	if (stub_set_server(c) != ARES_SUCCESS) {
		stub_drop_channel(c);
		return ERR_INTERNAL;
	}
	return 0;
}

/* An idle channel to that server, or an empty one, or the one that has been idle longest, which
 * then serves another server. NULL: all are busy. */
static struct stub_channel *stub_choose(struct stub *s, const struct transport_ask *ask)
{
	struct stub_channel *empty = NULL, *oldest = NULL;

	for (uint32_t i = 0; i < s->n_channels; i++) {
		struct stub_channel *c = &s->channels[i];

		if (c->is_busy)
			continue;
		if (!c->ares)
			empty = empty ? empty : c;
		else if (c->is_tcp == ask->tcp && ip_port_equal(&c->server, &ask->server))
			return c;
		else if (!oldest || c->used_ms < oldest->used_ms)
			oldest = c;
	}
	if (empty || !oldest)
		return empty;
	stub_drop_channel(oldest);
	return oldest;
}

/* ---- the life of an ask ---- */

static uint64_t stub_handle(const struct stub_channel *c)
{
	return (uint64_t)c->generation << 32 | c->index;
}

/* The ask is over; none of c-ares' functions may be on the stack. Calls nobody. */
static void stub_end(struct stub_channel *c)
{
	struct stub *s = c->stub;

	wheel_cancel(loop_wheel(s->conf.loop), &c->timer);
	c->is_busy = false;
	if (!c->has_ended)
		ares_cancel(c->ares); /* closes the socket too */
	c->has_ended = true;
	c->handed = NULL;
	xfree(c->answer);
	c->answer = NULL;
	s->stats.busy--;
	c->used_ms = loop_now_ms(s->conf.loop);
	if (c->uses >= STUB_CHANNEL_USES || c->fd >= 0)
		stub_drop_channel(c);
}

static void stub_fail(struct stub_channel *c, int err)
{
	struct transport_ask ask = c->ask;

	if (err == ERR_TIMEOUT)
		c->stub->stats.timeouts++;
	else
		c->stub->stats.failures++;
	stub_end(c);
	ask.on_fail(ask.arg, err);
}

static void stub_on_due(struct wheel_timer *timer, int64_t now_ms)
{
	struct stub_channel *c =
		(struct stub_channel *)((char *)timer - offsetof(struct stub_channel, timer));

	(void)now_ms;
	stub_fail(c, c->had_icmp ? ERR_UNREACHABLE : ERR_TIMEOUT);
}

static int stub_err(int status)
{
	switch (status) {
	case ARES_ECONNREFUSED:
		return ERR_UNREACHABLE;
	case ARES_ETIMEOUT:
		return ERR_TIMEOUT;
	case ARES_ENOMEM:
		return ERR_LIMIT;
	default:
		return ERR_CLOSED;
	}
}

/* c-ares is done with the query, one way or the other: only noted, for it is on the stack. */
static void stub_on_result(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct stub_channel *c = arg;

	(void)timeouts;
	if (!c->is_busy || c->has_ended)
		return;
	c->has_ended = true;
	c->status = status;
	if (c->is_tcp && status == ARES_SUCCESS && bytes && len > 0) {
		c->answer = xmemdup(bytes, (size_t)len);
		c->answer_len = (size_t)len;
	}
}

/* True when it was taken or the asker cancelled: c is not to be touched for this ask any more. */
static bool stub_offer(struct stub_channel *c, const uint8_t *bytes, size_t len)
{
	uint64_t handle = stub_handle(c);
	enum transport_verdict verdict = c->ask.on_reply(c->ask.arg, bytes, len);

	if (!c->is_busy || stub_handle(c) != handle)
		return true;
	if (verdict == TRANSPORT_WAIT) {
		c->stub->stats.rejected++;
		return false;
	}
	c->stub->stats.replies++;
	if (!c->is_tcp) {
		/* Lets c-ares end its query; if it does not like the answer, stub_end cancels. */
		c->handed = bytes;
		c->handed_len = len;
		ares_process_fd(c->ares, c->fd, ARES_SOCKET_BAD);
	}
	stub_end(c);
	return true;
}

/* ---- events ---- */

static void stub_on_icmp(struct stub_channel *c)
{
	struct loop *l = c->stub->conf.loop;
	int64_t due_ms = loop_now_ms(l) + TRANSPORT_ICMP_GRACE_MS;

	if (c->had_icmp)
		return;
	c->had_icmp = true;
	if (due_ms < c->timer.due_ms)
		wheel_start(loop_wheel(l), &c->timer, due_ms);
}

static bool stub_is_from(const struct sockaddr_storage *sa, const struct ip_port *server)
{
	struct ip_port from = ip_port_from_sockaddr(sa);

	return from.port == server->port && ip_equal(&from.ip, &server->ip);
}

static void stub_read_datagrams(struct stub_channel *c)
{
	struct stub *s = c->stub;

	for (int i = 0; i < STUB_READS; i++) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(c->fd, s->rx, sizeof(s->rx), MSG_DONTWAIT | MSG_TRUNC,
			(struct sockaddr *)&from, &from_len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			stub_on_icmp(c);
		else if (n < STUB_HEADER_LEN || n > STUB_RX_LEN || !stub_is_from(&from, &c->server))
			s->stats.rejected++;
		else if (stub_offer(c, s->rx, (size_t)n))
			return;
	}
}

/* The answer is the callback's until it returns, also when it cancels. */
static void stub_deliver_stream(struct stub_channel *c)
{
	uint8_t *answer = c->answer;
	size_t len = c->answer_len;

	c->answer = NULL;
	/* There will be no other answer to this query. */
	if (!answer || len < STUB_HEADER_LEN || !stub_offer(c, answer, len))
		stub_fail(c, ERR_MALFORMED);
	xfree(answer);
}

static void stub_serve_stream(struct stub_channel *c, unsigned events)
{
	ares_process_fd(c->ares, events & (LOOP_READ | LOOP_ERROR) ? c->fd : ARES_SOCKET_BAD,
		events & (LOOP_WRITE | LOOP_ERROR) ? c->fd : ARES_SOCKET_BAD);
	if (!c->has_ended)
		return;
	if (c->status == ARES_SUCCESS)
		stub_deliver_stream(c);
	else
		stub_fail(c, stub_err(c->status));
}

static void stub_on_ready(void *arg, unsigned events, int err)
{
	struct stub_channel *c = arg;

	if (!c->is_busy)
		return;
	if (c->is_tcp) {
		stub_serve_stream(c, events);
		return;
	}
	if (events & LOOP_ERROR && err < 0)
		stub_on_icmp(c);
	if (events & LOOP_READ)
		stub_read_datagrams(c);
}

/* ---- the transport's face ---- */

/* c-ares may fail at once, and calls back from inside ares_send when it does. */
static int stub_send(struct stub_channel *c, const struct transport_ask *ask)
{
	c->ask = *ask;
	c->is_busy = true;
	c->stub->stats.busy++;
	c->has_ended = c->had_icmp = false;
	c->status = ARES_SUCCESS;
	c->uses++;
	if (++c->generation == 0)
		c->generation = 1;
	ares_send(c->ares, ask->query, (int)ask->query_len, stub_on_result, c);
	if (!c->has_ended && c->watch)
		return 0;
	stub_end(c);
	return c->status == ARES_ENOMEM ? ERR_LIMIT : ERR_UNREACHABLE;
}

static int stub_start(struct transport *t, const struct transport_ask *ask, uint64_t *out_handle)
{
	struct stub *s = (struct stub *)t;
	struct stub_channel *c;
	int family = ask->server.ip.family, err = 0;

	if (family != AF_INET && family != AF_INET6)
		return ERR_UNREACHABLE;
	if (ask->query_len < STUB_HEADER_LEN || ask->query_len > STUB_MAX_QUERY)
		return ERR_RANGE;
	c = stub_choose(s, ask);
	if (!c) {
		s->stats.no_channels++;
		return ERR_LIMIT;
	}
	if (!c->ares)
		err = stub_make_channel(c, ask);
	if (err == 0)
		err = stub_send(c, ask);
	if (err < 0)
		return err;
	s->stats.asks++;
	wheel_start(loop_wheel(s->conf.loop), &c->timer,
		loop_now_ms(s->conf.loop) + (ask->timeout_ms > 0 ? ask->timeout_ms : 1));
	*out_handle = stub_handle(c);
	return 0;
}

static void stub_cancel(struct transport *t, uint64_t handle)
{
	struct stub *s = (struct stub *)t;
	uint32_t index = (uint32_t)handle;

	if (index >= s->n_channels || !s->channels[index].is_busy ||
		stub_handle(&s->channels[index]) != handle)
		return;
	s->stats.cancelled++;
	stub_end(&s->channels[index]);
}

static const struct transport_ops STUB_OPS = {stub_start, stub_cancel};

/* ---- the whole ---- */

struct stub *stub_new(const struct stub_conf *conf)
{
	struct stub *s = xcalloc(1, sizeof(*s));

	s->transport.ops = &STUB_OPS;
	s->conf = *conf;
	s->n_channels = conf->max_channels ? conf->max_channels : STUB_MAX_CHANNELS;
	s->channels = xcalloc(s->n_channels, sizeof(*s->channels));
	for (uint32_t i = 0; i < s->n_channels; i++) {
		s->channels[i].stub = s;
		s->channels[i].index = i;
		s->channels[i].fd = -1;
		s->channels[i].timer.on_due = stub_on_due;
	}
	return s;
}

void stub_free(struct stub *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_channels; i++) {
		if (s->channels[i].is_busy)
			stub_end(&s->channels[i]);
		stub_drop_channel(&s->channels[i]);
	}
	xfree(s->channels);
	xfree(s);
}

struct transport *stub_transport(struct stub *s)
{
	return &s->transport;
}

const struct stub_stats *stub_stats(const struct stub *s)
{
	return &s->stats;
}
