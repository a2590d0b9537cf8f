/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to servers, shared by asks. An ask goes on a connection to its server that has room
 * and carries no other ask with the same ID, or a new one is opened. A reply belongs to the ask
 * whose ID it bears. A connection with nothing to do stays for UPSTREAM_IDLE_MS.
 *
 * Servers close idle connections when they like, so an ask may be written to one that is closing:
 * such an ask, and only such, moves to a fresh connection once (RFC 7766 6.2.4). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/upstream_parts.h"

enum { UPSTREAM_HEADER_LEN = 12 };

struct upstream_conn {
	struct upstream_conn *next, **link; /* of upstream.conns */
	struct upstream *up;
	struct ip_port server;
	int fd;
	struct loop_watch *watch;
	struct wheel_timer idle;
	bool is_open;	  /* connected */
	bool has_replied; /* at least one reply came: it is known to work */
	bool is_spent;	  /* a timeout, or another reason not to give it more asks */
	bool is_reading;  /* frees wait until reading is done */
	bool is_doomed;
	struct upstream_slot *asks;
	unsigned n_asks;
	uint8_t *out; /* UPSTREAM_CONN_OUT, while there is something to write */
	size_t out_len, out_at;
	uint8_t head[2]; /* the length field of the reply being received */
	size_t head_len;
	uint8_t *in; /* a reply that came in pieces */
	size_t in_len, in_need;
};

static void upstream_conn_on_ready(void *arg, unsigned events, int err);

/* ---- connections ---- */

static void upstream_conn_unlink(struct upstream_conn *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
}

static void upstream_conn_link(struct upstream_conn *c)
{
	struct upstream *u = c->up;

	c->next = u->conns;
	c->link = &u->conns;
	if (u->conns)
		u->conns->link = &c->next;
	u->conns = c;
}

/* No ask may be on it. */
static void upstream_conn_close(struct upstream_conn *c)
{
	struct upstream *u = c->up;

	if (c->is_reading) {
		c->is_doomed = true;
		return;
	}
	wheel_cancel(loop_wheel(u->conf.loop), &c->idle);
	upstream_conn_unlink(c);
	loop_watch_free(c->watch);
	close(c->fd);
	u->stats.tcp_open--;
	xfree(c->out);
	xfree(c->in);
	xfree(c);
}

static void upstream_conn_on_idle(struct wheel_timer *timer, int64_t now_ms)
{
	(void)now_ms;
	upstream_conn_close(
		(struct upstream_conn *)((char *)timer - offsetof(struct upstream_conn, idle)));
}

/* The last ask has left. */
static void upstream_conn_rest(struct upstream_conn *c)
{
	struct loop *l = c->up->conf.loop;

	if (c->is_spent || !c->is_open)
		upstream_conn_close(c);
	else
		wheel_start(loop_wheel(l), &c->idle, loop_now_ms(l) + UPSTREAM_IDLE_MS);
}

static bool upstream_conn_suits(const struct upstream_conn *c, const struct upstream_slot *s)
{
	if (c->is_spent || c->is_doomed || c->n_asks >= UPSTREAM_CONN_ASKS ||
		!ip_port_equal(&c->server, &s->ask.server) ||
		c->out_len + 2 + s->ask.query_len > UPSTREAM_CONN_OUT)
		return false;
	for (const struct upstream_slot *other = c->asks; other; other = other->next)
		if (other->id == s->id)
			return false;
	return true;
}

static struct upstream_conn *upstream_conn_find(struct upstream *u, const struct upstream_slot *s)
{
	for (struct upstream_conn *c = u->conns; c; c = c->next)
		if (upstream_conn_suits(c, s))
			return c;
	return NULL;
}

/* Closes the connection that has been idle longest. */
static bool upstream_conn_evict(struct upstream *u)
{
	struct upstream_conn *oldest = NULL;

	for (struct upstream_conn *c = u->conns; c; c = c->next)
		if (c->n_asks == 0 && !c->is_doomed && !c->is_reading)
			oldest = c;
	if (!oldest)
		return false;
	upstream_conn_close(oldest);
	return true;
}

/* *out_fd belongs to the caller also when this fails; -1 when there is none. */
static int upstream_conn_socket(struct upstream *u, const struct ip_port *server, int *out_fd)
{
	struct ip_port local = {.port = 0};
	struct sockaddr_storage sa;
	socklen_t len;
	int one = 1;

	*out_fd = socket(server->ip.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*out_fd < 0)
		return errno == EAFNOSUPPORT ? ERR_UNREACHABLE : err_from_errno(errno);
	(void)setsockopt(*out_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (upstream_source(u, server->ip.family, &local.ip)) {
		(void)setsockopt(*out_fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		len = ip_port_to_sockaddr(&local, &sa);
		if (bind(*out_fd, (struct sockaddr *)&sa, len) < 0)
			return ERR_UNREACHABLE;
	}
	len = ip_port_to_sockaddr(server, &sa);
	if (connect(*out_fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		return errno == EINVAL ? ERR_UNREACHABLE : err_from_errno(errno);
	return 0;
}

static int upstream_conn_open(
	struct upstream *u, const struct ip_port *server, struct upstream_conn **out)
{
	struct upstream_conn *c;
	int fd, err;

	if (u->stats.tcp_open >= UPSTREAM_MAX_CONNS && !upstream_conn_evict(u))
		return ERR_LIMIT;
	err = upstream_conn_socket(u, server, &fd);
	if (err < 0) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	c = xcalloc(1, sizeof(*c));
	c->up = u;
	c->server = *server;
	c->fd = fd;
	c->idle.on_due = upstream_conn_on_idle;
	c->watch = loop_watch_new(u->conf.loop, fd, upstream_conn_on_ready, c);
	if (!c->watch) {
		close(fd);
		xfree(c);
		return ERR_LIMIT;
	}
	loop_watch_set(c->watch, LOOP_READ | LOOP_WRITE);
	upstream_conn_link(c);
	u->stats.tcp_open++;
	u->stats.tcp_connects++;
	*out = c;
	return 0;
}

/* ---- writing ---- */

/* A failure shows itself again when the loop looks at the descriptor. */
static void upstream_conn_write(struct upstream_conn *c)
{
	while (c->is_open && c->out_at < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			c->out_at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (c->out_at == c->out_len) {
		xfree(c->out);
		c->out = NULL;
		c->out_len = c->out_at = 0;
	}
	loop_watch_set(c->watch, c->out || !c->is_open ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void upstream_conn_put(
	struct upstream_conn *c, struct upstream_slot *s, const uint8_t *query, size_t len)
{
	s->conn = c;
	s->next = c->asks;
	s->link = &c->asks;
	if (c->asks)
		c->asks->link = &s->next;
	c->asks = s;
	c->n_asks++;
	wheel_cancel(loop_wheel(c->up->conf.loop), &c->idle);
	if (!c->out)
		c->out = xalloc(UPSTREAM_CONN_OUT);
	c->out[c->out_len++] = (uint8_t)(len >> 8);
	c->out[c->out_len++] = (uint8_t)len;
	memcpy(c->out + c->out_len, query, len);
	c->out_len += len;
	upstream_conn_write(c);
}

static void upstream_conn_drop(struct upstream_slot *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->link = NULL;
	s->conn->n_asks--;
	s->conn = NULL;
}

int upstream_tcp_start(struct upstream_slot *s)
{
	struct upstream *u = s->up;
	struct upstream_conn *c;
	int err;

	if (u->tcp_asks >= UPSTREAM_MAX_TCP_ASKS)
		return ERR_LIMIT;
	c = upstream_conn_find(u, s);
	if (c) {
		u->stats.tcp_reused++;
		upstream_conn_unlink(c);
		upstream_conn_link(c);
		if (c->has_replied) {
			s->was_reused = true;
			s->copy = xmemdup(s->ask.query, s->ask.query_len);
		}
	} else {
		err = upstream_conn_open(u, &s->ask.server, &c);
		if (err < 0)
			return err;
	}
	u->tcp_asks++;
	upstream_conn_put(c, s, s->ask.query, s->ask.query_len);
	return 0;
}

void upstream_tcp_end(struct upstream_slot *s)
{
	struct upstream_conn *c = s->conn;

	if (!c)
		return;
	s->up->tcp_asks--;
	upstream_conn_drop(s);
	if (c->n_asks == 0)
		upstream_conn_rest(c);
}

/* A server that does not answer here will not answer the next one sooner. */
void upstream_tcp_on_timeout(struct upstream_slot *s)
{
	s->conn->is_spent = true;
}

void upstream_tcp_fini(struct upstream *u)
{
	while (u->conns)
		upstream_conn_close(u->conns);
}

/* ---- the end of a connection ---- */

static bool upstream_conn_move(struct upstream_slot *s)
{
	struct upstream_conn *fresh;

	if (!s->was_reused || !s->copy || upstream_conn_open(s->up, &s->ask.server, &fresh) < 0)
		return false;
	s->was_reused = false;
	upstream_conn_drop(s);
	upstream_conn_put(fresh, s, s->copy, s->ask.query_len);
	return true;
}

/* Closes c; its asks fail or move. */
static void upstream_conn_fail(struct upstream_conn *c, int err)
{
	c->is_spent = true;
	c->is_reading = true; /* keeps c here while callbacks cancel its asks */
	while (c->asks)
		if (!upstream_conn_move(c->asks))
			upstream_fail(c->asks, err);
	c->is_reading = false;
	upstream_conn_close(c);
}

/* ---- reading ---- */

static void upstream_conn_deliver(struct upstream_conn *c, const uint8_t *bytes, size_t len)
{
	struct upstream *u = c->up;
	struct upstream_slot *s = c->asks;
	enum transport_verdict verdict;
	uint64_t handle;

	while (s && (len < UPSTREAM_HEADER_LEN || s->id != (bytes[0] << 8 | bytes[1])))
		s = s->next;
	if (!s) {
		u->stats.strays++;
		return;
	}
	c->has_replied = true;
	handle = upstream_handle(s);
	verdict = s->ask.on_reply(s->ask.arg, bytes, len);
	if (upstream_find(u, handle) != s)
		return;
	if (verdict == TRANSPORT_TAKE) {
		u->stats.replies++;
		upstream_end(s);
	} else {
		u->stats.rejected++;
	}
}

/* Takes what belongs to the present message and returns how much that was. */
static size_t upstream_conn_feed(struct upstream_conn *c, const uint8_t *bytes, size_t len)
{
	size_t n;

	if (c->head_len < 2) {
		c->head[c->head_len++] = bytes[0];
		c->in_need = (size_t)(c->head[0] << 8 | c->head[1]);
		c->in_len = 0;
		return 1;
	}
	n = c->in_need - c->in_len < len ? c->in_need - c->in_len : len;
	if (n == c->in_need) { /* all of it lies here: no copy */
		c->head_len = 0;
		upstream_conn_deliver(c, bytes, n);
		return n;
	}
	if (!c->in)
		c->in = xalloc(c->in_need);
	memcpy(c->in + c->in_len, bytes, n);
	c->in_len += n;
	if (c->in_len == c->in_need) {
		uint8_t *whole = c->in;

		c->in = NULL;
		c->head_len = 0;
		upstream_conn_deliver(c, whole, c->in_need);
		xfree(whole);
	}
	return n;
}

/* False: the connection has ended with *out_err. */
static bool upstream_conn_read(struct upstream_conn *c, int *out_err)
{
	struct upstream *u = c->up;
	ssize_t n = recv(c->fd, u->stream, UPSTREAM_STREAM_LEN, MSG_DONTWAIT);
	size_t at = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	*out_err = n < 0 ? err_from_errno(errno) : ERR_CLOSED;
	if (n <= 0)
		return false;
	c->is_reading = true;
	while (at < (size_t)n && !c->is_doomed)
		at += upstream_conn_feed(c, u->stream + at, (size_t)n - at);
	c->is_reading = false;
	if (c->is_doomed)
		upstream_conn_close(c);
	return true;
}

static void upstream_conn_on_ready(void *arg, unsigned events, int err)
{
	struct upstream_conn *c = arg;

	if (events & LOOP_ERROR && !c->is_open) {
		upstream_conn_fail(c, err == ERR_CLOSED ? ERR_UNREACHABLE : err);
		return;
	}
	if (events & LOOP_ERROR)
		events = LOOP_READ; /* replies may lie there that came before the reset */
	if (events & LOOP_WRITE) {
		c->is_open = true;
		upstream_conn_write(c);
	}
	if (events & LOOP_READ && !upstream_conn_read(c, &err))
		upstream_conn_fail(c, err);
}
