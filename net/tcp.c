/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/tcp_parts.h"

enum {
	TCP_USER_MS = 10000,	/* data a client does not acknowledge that long is lost */
	TCP_SNDBUF = 64 * 1024, /* what the kernel may hold for a client that does not read */
};

/* ---- the table ---- */

uint64_t tcp_handle(const struct tcp_conn *c)
{
	return (uint64_t)c->tcp->slots[c->index].generation << 32 | c->index;
}

static struct tcp_conn *tcp_find(const struct tcp *t, uint64_t handle)
{
	uint32_t index = (uint32_t)handle;
	struct tcp_conn *c = index < t->n_used ? t->slots[index].conn : NULL;

	return c && !c->is_doomed && tcp_handle(c) == handle ? c : NULL;
}

/* False when the table is full. */
static bool tcp_take_slot(struct tcp *t, uint32_t *out_index)
{
	if (t->first_free) {
		*out_index = t->first_free - 1;
		t->first_free = t->slots[*out_index].next_free;
	} else if (t->n_used < t->conf.max_conns) {
		*out_index = t->n_used++;
	} else {
		return false;
	}
	if (++t->slots[*out_index].generation == 0)
		t->slots[*out_index].generation = 1;
	return true;
}

static void tcp_give_slot(struct tcp *t, uint32_t index)
{
	t->slots[index].conn = NULL;
	t->slots[index].next_free = t->first_free;
	t->first_free = index + 1;
}

void tcp_forget(struct tcp_conn *c)
{
	struct tcp *t = c->tcp;

	tcp_set_idle(c, false);
	if (c->is_dirty) {
		struct tcp_conn **link = &t->dirty;

		while (*link != c)
			link = &(*link)->dirty_next;
		*link = c->dirty_next;
	}
	tcp_give_slot(t, c->index);
	t->stats.open--;
}

void tcp_set_idle(struct tcp_conn *c, bool is_idle)
{
	struct tcp *t = c->tcp;

	if (is_idle == (c->idle_link != NULL))
		return;
	if (is_idle) {
		c->idle_next = NULL;
		c->idle_link = t->idle_tail;
		*t->idle_tail = c;
		t->idle_tail = &c->idle_next;
		return;
	}
	*c->idle_link = c->idle_next;
	if (c->idle_next)
		c->idle_next->idle_link = c->idle_link;
	else
		t->idle_tail = c->idle_link;
	c->idle_link = NULL;
}

void tcp_set_dirty(struct tcp_conn *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->dirty_next = c->tcp->dirty;
	c->tcp->dirty = c;
}

static void tcp_on_turn_end(void *arg)
{
	struct tcp *t = arg;

	while (t->dirty) {
		struct tcp_conn *c = t->dirty;

		t->dirty = c->dirty_next;
		c->is_dirty = false;
		tcp_conn_settle(c);
	}
}

/* Queries that were held back until answers were written: not delivered at the end of a turn, for
 * what they set going could not be flushed any more before the loop sleeps. */
static void tcp_on_resume(void *arg)
{
	struct tcp *t = arg;

	for (uint32_t i = 0; i < t->n_used; i++)
		if (t->slots[i].conn && t->slots[i].conn->is_held)
			tcp_conn_resume(t->slots[i].conn);
}

bool tcp_is_crowded(const struct tcp *t)
{
	return t->stats.open > t->conf.max_conns / 4 * 3;
}

/* ---- who may come in, and who has to go ---- */

static bool tcp_evict(struct tcp *t)
{
	if (!t->idle)
		return false;
	t->stats.evicted++;
	tcp_conn_close(t->idle);
	return true;
}

/* Above three quarters, whoever has been idle for TCP_IDLE_BUSY_MS need not wait for its timer. */
static void tcp_thin_out(struct tcp *t)
{
	int64_t now_ms = loop_now_ms(t->loop);

	while (tcp_is_crowded(t) && t->idle && now_ms - t->idle->since_ms >= TCP_IDLE_BUSY_MS)
		(void)tcp_evict(t);
}

static unsigned tcp_count_of(const struct tcp *t, const struct ip *ip)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < t->n_used; i++)
		n += t->slots[i].conn && ip_equal(&t->slots[i].conn->peer.ip, ip);
	return n;
}

static void tcp_admit(struct tcp *t, int fd, const struct sockaddr_storage *sa)
{
	struct ip_port peer = ip_port_from_sockaddr(sa);
	struct tcp_conn *c;
	uint32_t index;

	tcp_thin_out(t);
	if ((t->conf.may_connect && !t->conf.may_connect(t->conf.arg, &peer)) ||
		tcp_count_of(t, &peer.ip) >= t->conf.max_per_ip ||
		(!tcp_take_slot(t, &index) && !(tcp_evict(t) && tcp_take_slot(t, &index)))) {
		t->stats.refused++;
		close(fd);
		return;
	}
	c = tcp_conn_new(t, fd, index, &peer);
	if (!c) {
		tcp_give_slot(t, index);
		t->stats.refused++;
		close(fd);
		return;
	}
	t->slots[index].conn = c;
	t->stats.accepted++;
	t->stats.open++;
	tcp_set_idle(c, true);
}

/* ---- listeners ---- */

static void tcp_set_listening(struct tcp *t, bool is_on)
{
	for (size_t i = 0; i < t->n_listeners; i++)
		loop_watch_set(t->listeners[i]->watch, is_on ? LOOP_READ : 0);
}

static void tcp_on_pause_over(void *arg)
{
	tcp_set_listening(arg, true);
}

/* A listener stays readable while there is nothing to accept with: looking away for a moment beats
 * spinning. One idle connection pays for the next client. */
static void tcp_on_no_resources(struct tcp *t)
{
	t->stats.paused++;
	(void)tcp_evict(t);
	tcp_set_listening(t, false);
	loop_timer_start(t->pause, TCP_PAUSE_MS, 0);
}

/* Without a free descriptor accept fails whether anybody is there or not. */
static bool tcp_is_awaited(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void tcp_on_connect(void *arg, unsigned events, int err)
{
	struct tcp_listener *l = arg;

	(void)events;
	(void)err;
	for (int i = 0; i < TCP_ACCEPTS; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			tcp_admit(l->tcp, fd, &sa);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue; /* the trouble of a connection that has gone already */
		if ((errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) &&
			tcp_is_awaited(l->fd))
			tcp_on_no_resources(l->tcp);
		return;
	}
}

/* Accepted sockets inherit all of these. */
static int tcp_set_options(int fd, int family, bool reuseport)
{
	int one = 1, user_ms = TCP_USER_MS, sndbuf = TCP_SNDBUF;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -1;
	if (reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
		return -1;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof(user_ms));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	return 0;
}

int tcp_open(const struct ip_port *bind_to, bool reuseport, int *out_fd)
{
	int family = bind_to->ip.family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(bind_to, &sa);

	if (fd < 0)
		return err_from_errno(errno);
	if (tcp_set_options(fd, family, reuseport) < 0 ||
		bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, TCP_BACKLOG) < 0) {
		int err = err_from_errno(errno);

		close(fd);
		return err;
	}
	*out_fd = fd;
	return 0;
}

int tcp_listen(struct tcp *t, int fd)
{
	struct tcp_listener *l;

	if (t->n_listeners == TCP_MAX_LISTENERS)
		return ERR_LIMIT;
	l = xcalloc(1, sizeof(*l));
	l->tcp = t;
	l->fd = fd;
	l->watch = loop_watch_new(t->loop, fd, tcp_on_connect, l);
	if (!l->watch) {
		xfree(l);
		return ERR_LIMIT;
	}
	loop_watch_set(l->watch, LOOP_READ);
	t->listeners[t->n_listeners++] = l;
	return 0;
}

void tcp_unlisten(struct tcp *t, int fd)
{
	for (size_t i = 0; i < t->n_listeners; i++) {
		struct tcp_listener *l = t->listeners[i];

		if (l->fd != fd)
			continue;
		loop_watch_free(l->watch);
		close(l->fd);
		xfree(l);
		t->listeners[i] = t->listeners[--t->n_listeners];
		return;
	}
}

/* ---- the whole ---- */

struct tcp *tcp_new(struct loop *l, const struct tcp_conf *conf)
{
	struct tcp *t = xcalloc(1, sizeof(*t));

	t->conf = *conf;
	if (!t->conf.max_conns)
		t->conf.max_conns = TCP_MAX_CONNS;
	if (!t->conf.max_per_ip)
		t->conf.max_per_ip = TCP_MAX_PER_IP;
	t->loop = l;
	t->slots = xcalloc(t->conf.max_conns, sizeof(*t->slots));
	t->idle_tail = &t->idle;
	t->pause = loop_timer_new(l, tcp_on_pause_over, t);
	t->resume = loop_timer_new(l, tcp_on_resume, t);
	t->hook.fn = tcp_on_turn_end;
	t->hook.arg = t;
	loop_on_turn_end(l, &t->hook);
	return t;
}

void tcp_free(struct tcp *t)
{
	if (!t)
		return;
	loop_hook_del(&t->hook);
	loop_timer_free(t->pause);
	loop_timer_free(t->resume);
	while (t->n_listeners)
		tcp_unlisten(t, t->listeners[0]->fd);
	for (uint32_t i = 0; i < t->n_used; i++)
		if (t->slots[i].conn)
			tcp_conn_close(t->slots[i].conn);
	xfree(t->slots);
	xfree(t);
}

void tcp_reply(struct tcp *t, uint64_t handle, const void *bytes, size_t len)
{
	struct tcp_conn *c = tcp_find(t, handle);

	if (!c) {
		t->stats.stale++;
		return;
	}
	t->stats.replies++;
	tcp_conn_reply(c, bytes, len);
}

void tcp_drop(struct tcp *t, uint64_t handle)
{
	struct tcp_conn *c = tcp_find(t, handle);

	if (!c)
		return;
	if (c->under_way)
		c->under_way--;
	tcp_set_dirty(c);
}

void tcp_hang_up(struct tcp *t, uint64_t handle)
{
	struct tcp_conn *c = tcp_find(t, handle);

	if (!c)
		return;
	c->is_leaving = true;
	tcp_set_dirty(c);
}

bool tcp_is_open(const struct tcp *t, uint64_t handle)
{
	return tcp_find(t, handle) != NULL;
}

const struct tcp_stats *tcp_stats(const struct tcp *t)
{
	return &t->stats;
}
