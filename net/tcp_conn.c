/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a client. Bytes gather in `in`; each whole message goes up as a query; answers
 * gather in `out`. Whatever changes a connection marks it dirty, and tcp_conn_settle, once a turn,
 * draws the conclusions: write, read on or not, close, timer.
 *
 * Queries are held back while TCP_PIPELINE of them are under way or the client does not read its
 * answers: then nothing is read from it either, and TCP's own window slows it down. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/tcp_parts.h"

static void tcp_conn_on_ready(void *arg, unsigned events, int err);
static void tcp_conn_on_due(struct wheel_timer *timer, int64_t now_ms);

/* ---- life ---- */

static void tcp_conn_arm(struct tcp_conn *c);

struct tcp_conn *tcp_conn_new(struct tcp *t, int fd, uint32_t index, const struct ip_port *peer)
{
	struct tcp_conn *c = xcalloc(1, sizeof(*c));
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	c->tcp = t;
	c->fd = fd;
	c->index = index;
	c->peer = *peer;
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		c->local = ip_port_from_sockaddr(&sa);
	c->watch = loop_watch_new(t->loop, fd, tcp_conn_on_ready, c);
	if (!c->watch) {
		xfree(c);
		return NULL;
	}
	c->since_ms = loop_now_ms(t->loop);
	c->timer.on_due = tcp_conn_on_due;
	loop_watch_set(c->watch, LOOP_READ);
	tcp_conn_arm(c);
	return c;
}

static void tcp_conn_free_long(struct tcp_conn *c)
{
	if (!c->long_in)
		return;
	xfree(c->long_in);
	c->long_in = NULL;
	c->tcp->n_long--;
}

void tcp_conn_close(struct tcp_conn *c)
{
	if (c->is_in_use) {
		c->is_doomed = true;
		return;
	}
	wheel_cancel(loop_wheel(c->tcp->loop), &c->timer);
	tcp_forget(c);
	loop_watch_free(c->watch);
	close(c->fd);
	tcp_conn_free_long(c);
	xfree(c->out);
	xfree(c);
}

/* ---- timers ---- */

static bool tcp_conn_is_idle(const struct tcp_conn *c)
{
	return c->under_way == 0 && c->out_len == 0;
}

static int64_t tcp_conn_due(const struct tcp_conn *c)
{
	if (c->is_blocked)
		return c->since_ms + TCP_WRITE_MS;
	if (c->under_way)
		return c->since_ms + TCP_ANSWER_MS;
	if (c->in_len || c->long_in)
		return c->message_ms + TCP_MESSAGE_MS;
	if (!c->has_asked)
		return c->since_ms + TCP_FIRST_MS;
	return c->since_ms + (tcp_is_crowded(c->tcp) ? TCP_IDLE_BUSY_MS : TCP_IDLE_MS);
}

static void tcp_conn_arm(struct tcp_conn *c)
{
	wheel_start(loop_wheel(c->tcp->loop), &c->timer, tcp_conn_due(c));
}

static void tcp_conn_on_due(struct wheel_timer *timer, int64_t now_ms)
{
	struct tcp_conn *c = (struct tcp_conn *)((char *)timer - offsetof(struct tcp_conn, timer));

	(void)now_ms;
	if (c->is_blocked)
		c->tcp->stats.overflows++;
	else
		c->tcp->stats.timeouts++;
	tcp_conn_close(c);
}

/* ---- answers ---- */

/* False: the connection is dead. */
static bool tcp_conn_write(struct tcp_conn *c)
{
	while (c->out_at < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			c->out_at += (size_t)n;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			return false;
	}
	if (c->out_at < c->out_len)
		return true;
	c->out_at = c->out_len = 0;
	if (c->out_cap > TCP_OUT_KEPT) {
		xfree(c->out);
		c->out = NULL;
		c->out_cap = 0;
	}
	return true;
}

static bool tcp_conn_make_room(struct tcp_conn *c, size_t len)
{
	size_t cap = c->out_cap ? c->out_cap : TCP_OUT_KEPT;

	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
		c->out_len -= c->out_at;
		c->out_at = 0;
	}
	if (c->out_len + len > TCP_OUT_MAX)
		return false;
	while (cap < c->out_len + len)
		cap *= 2;
	if (cap > TCP_OUT_MAX)
		cap = TCP_OUT_MAX;
	if (cap > c->out_cap) {
		c->out = xrealloc(c->out, cap);
		c->out_cap = cap;
	}
	return true;
}

void tcp_conn_reply(struct tcp_conn *c, const void *bytes, size_t len)
{
	tcp_set_dirty(c);
	if (c->under_way)
		c->under_way--;
	if (!c->is_blocked)
		c->since_ms = loop_now_ms(c->tcp->loop);
	if (len > 65535)
		return;
	/* What does not fit with the rest may fit once the kernel has taken some. */
	if (!tcp_conn_make_room(c, len + 2) &&
		(!tcp_conn_write(c) || !tcp_conn_make_room(c, len + 2))) {
		c->tcp->stats.overflows++;
		c->is_doomed = true;
		return;
	}
	c->out[c->out_len++] = (uint8_t)(len >> 8);
	c->out[c->out_len++] = (uint8_t)len;
	memcpy(c->out + c->out_len, bytes, len);
	c->out_len += len;
}

/* ---- queries ---- */

/* Answers that are ready at once must be written before they fill the buffer. */
static bool tcp_conn_may_ask(const struct tcp_conn *c)
{
	return c->under_way < TCP_PIPELINE && !c->is_blocked && !c->is_doomed && !c->is_leaving &&
	       c->out_len - c->out_at <= TCP_OUT_MAX / 2;
}

static void tcp_conn_deliver(struct tcp_conn *c, const uint8_t *bytes, size_t len)
{
	struct tcp *t = c->tcp;
	struct tcp_query q = {.conn = tcp_handle(c),
		.bytes = bytes,
		.len = len,
		.peer = &c->peer,
		.local = &c->local,
		.now_ms = loop_now_ms(t->loop)};

	t->stats.queries++;
	c->under_way++;
	c->since_ms = q.now_ms;
	tcp_set_idle(c, false); /* so that it comes last in the row when it is idle again */
	t->conf.on_query(t->conf.arg, &q);
}

/* A query longer than `in`: the rest of it is read straight into memory of its own. False when too
 * many are doing that. */
static bool tcp_conn_begin_long(
	struct tcp_conn *c, const uint8_t *have, size_t have_len, size_t need)
{
	if (c->tcp->n_long >= TCP_MAX_LONG)
		return false;
	c->tcp->n_long++;
	c->long_in = xalloc(need);
	c->long_need = need;
	c->long_len = have_len;
	memcpy(c->long_in, have, have_len);
	return true;
}

static void tcp_conn_end_long(struct tcp_conn *c)
{
	if (c->long_len < c->long_need || !tcp_conn_may_ask(c))
		return;
	tcp_conn_deliver(c, c->long_in, c->long_len);
	tcp_conn_free_long(c);
}

/* Delivers every whole message that `in` holds, as far as the client may ask. */
static void tcp_conn_parse(struct tcp_conn *c)
{
	size_t at = 0;

	if (c->long_in)
		tcp_conn_end_long(c);
	while (!c->long_in && c->in_len - at >= 2 && tcp_conn_may_ask(c)) {
		size_t need = (size_t)(c->in[at] << 8 | c->in[at + 1]), have = c->in_len - at - 2;

		if (have >= need) {
			tcp_conn_deliver(c, c->in + at + 2, need);
			at += 2 + need;
		} else if (need + 2 <= sizeof(c->in)) {
			break;
		} else if (tcp_conn_begin_long(c, c->in + at + 2, have, need)) {
			at = c->in_len;
		} else {
			c->is_doomed = true;
		}
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	if (at)
		c->message_ms = loop_now_ms(c->tcp->loop);
}

static bool tcp_conn_has_query(const struct tcp_conn *c)
{
	if (c->long_in)
		return c->long_len == c->long_need;
	return c->in_len >= 2 && c->in_len - 2 >= (size_t)(c->in[0] << 8 | c->in[1]);
}

/* ---- the turn ---- */

static void tcp_conn_read(struct tcp_conn *c)
{
	uint8_t *into = c->long_in ? c->long_in + c->long_len : c->in + c->in_len;
	size_t room = c->long_in ? c->long_need - c->long_len : sizeof(c->in) - c->in_len;
	ssize_t n;

	if (room == 0 || c->has_ended)
		return;
	n = recv(c->fd, into, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		c->is_doomed = true;
		return;
	}
	if (n == 0) {
		c->has_ended = true;
		return;
	}
	if (c->in_len == 0 && !c->long_in)
		c->message_ms = loop_now_ms(c->tcp->loop);
	c->has_asked = true;
	if (c->long_in)
		c->long_len += (size_t)n;
	else
		c->in_len += (size_t)n;
}

static bool tcp_conn_is_over(const struct tcp_conn *c)
{
	if (c->is_doomed)
		return true;
	if (c->out_len > 0)
		return false;
	return c->is_leaving || (c->has_ended && c->under_way == 0 && !c->is_held);
}

static unsigned tcp_conn_wants(const struct tcp_conn *c)
{
	bool has_room = c->long_in ? c->long_len < c->long_need : c->in_len < sizeof(c->in);

	return (c->is_blocked ? LOOP_WRITE : 0u) |
	       (!c->has_ended && has_room && tcp_conn_may_ask(c) ? LOOP_READ : 0u);
}

void tcp_conn_settle(struct tcp_conn *c)
{
	bool was_blocked = c->is_blocked;

	if (!tcp_conn_write(c))
		c->is_doomed = true;
	c->is_blocked = c->out_len > 0;
	c->is_held = tcp_conn_has_query(c) && tcp_conn_may_ask(c);
	if (c->is_held)
		loop_timer_start(c->tcp->resume, 0, 0);
	if (tcp_conn_is_over(c)) {
		tcp_conn_close(c);
		return;
	}
	if (c->is_blocked && !was_blocked)
		c->since_ms = loop_now_ms(c->tcp->loop);
	loop_watch_set(c->watch, tcp_conn_wants(c));
	tcp_set_idle(c, tcp_conn_is_idle(c));
	tcp_conn_arm(c);
}

static void tcp_conn_on_ready(void *arg, unsigned events, int err)
{
	struct tcp_conn *c = arg;

	(void)err;
	if (events & LOOP_ERROR)
		c->is_doomed = true;
	if (events & LOOP_READ && !c->is_doomed) {
		c->is_in_use = true;
		tcp_conn_read(c);
		tcp_conn_parse(c);
		c->is_in_use = false;
	}
	tcp_set_dirty(c);
}

void tcp_conn_resume(struct tcp_conn *c)
{
	c->is_held = false;
	c->is_in_use = true;
	tcp_conn_parse(c);
	c->is_in_use = false;
	tcp_set_dirty(c);
}
