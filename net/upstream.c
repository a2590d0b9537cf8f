/* SPDX-License-Identifier: Apache-2.0 */
#include "net/upstream.h"

#include <assert.h>
#include <string.h>
#include <sys/resource.h>

#include "base/rand.h"
#include "base/xalloc.h"
#include "net/upstream_parts.h"

enum {
	UPSTREAM_MIN_SOCKETS = 16,
	UPSTREAM_HEADER_LEN = 12,
	UPSTREAM_MAX_QUERY = 4096,
};

/* ---- slots ---- */

uint64_t upstream_handle(const struct upstream_slot *s)
{
	return (uint64_t)s->generation << 32 | s->index;
}

struct upstream_slot *upstream_find(struct upstream *u, uint64_t handle)
{
	uint32_t index = (uint32_t)handle;
	struct upstream_slot *s = &u->slots[index < u->n_used ? index : 0];

	return s->is_live && upstream_handle(s) == handle ? s : NULL;
}

static struct upstream_slot *upstream_take_slot(struct upstream *u)
{
	struct upstream_slot *s = u->free_slots;

	if (s) {
		u->free_slots = s->next;
	} else if (u->n_used < u->n_slots) {
		s = &u->slots[u->n_used];
		s->index = u->n_used++;
		s->up = u;
	} else {
		return NULL;
	}
	if (++s->generation == 0)
		s->generation = 1;
	s->is_live = true;
	s->had_icmp = s->was_reused = false;
	s->fd = -1;
	s->conn = NULL;
	s->next = NULL;
	s->link = NULL;
	s->copy = NULL;
	return s;
}

void upstream_end(struct upstream_slot *s)
{
	struct upstream *u = s->up;

	assert(s->is_live);
	wheel_cancel(loop_wheel(u->conf.loop), &s->timer);
	if (s->ask.tcp)
		upstream_tcp_end(s);
	else
		upstream_udp_end(s);
	xfree(s->copy);
	s->copy = NULL;
	s->is_live = false;
	s->next = u->free_slots;
	u->free_slots = s;
}

void upstream_fail(struct upstream_slot *s, int err)
{
	struct transport_ask ask = s->ask;

	if (err == ERR_TIMEOUT)
		s->up->stats.timeouts++;
	else
		s->up->stats.unreachable++;
	upstream_end(s);
	ask.on_fail(ask.arg, err);
}

static void upstream_on_due(struct wheel_timer *timer, int64_t now_ms)
{
	struct upstream_slot *s =
		(struct upstream_slot *)((char *)timer - offsetof(struct upstream_slot, timer));

	(void)now_ms;
	if (s->ask.tcp)
		upstream_tcp_on_timeout(s);
	upstream_fail(s, s->had_icmp ? ERR_UNREACHABLE : ERR_TIMEOUT);
}

/* ---- the transport's face ---- */

static int upstream_start(
	struct transport *t, const struct transport_ask *ask, uint64_t *out_handle)
{
	struct upstream *u = (struct upstream *)t;
	struct upstream_slot *s;
	int family = ask->server.ip.family, err;

	if ((family == AF_INET && u->conf.no_ipv4) || (family == AF_INET6 && u->conf.no_ipv6) ||
		(family != AF_INET && family != AF_INET6))
		return ERR_UNREACHABLE;
	if (ask->query_len < UPSTREAM_HEADER_LEN || ask->query_len > UPSTREAM_MAX_QUERY)
		return ERR_RANGE;
	s = upstream_take_slot(u);
	if (!s) {
		u->stats.no_sockets++;
		return ERR_LIMIT;
	}
	s->ask = *ask;
	s->id = (uint16_t)(ask->query[0] << 8 | ask->query[1]);
	s->timer.on_due = upstream_on_due;
	err = ask->tcp ? upstream_tcp_start(s) : upstream_udp_start(s);
	if (err < 0) {
		if (err == ERR_LIMIT)
			u->stats.no_sockets++;
		upstream_end(s);
		return err;
	}
	if (ask->tcp)
		u->stats.tcp_asks++;
	else
		u->stats.udp_asks++;
	wheel_start(loop_wheel(u->conf.loop), &s->timer,
		loop_now_ms(u->conf.loop) + (ask->timeout_ms > 0 ? ask->timeout_ms : 1));
	*out_handle = upstream_handle(s);
	return 0;
}

static void upstream_cancel(struct transport *t, uint64_t handle)
{
	struct upstream *u = (struct upstream *)t;
	struct upstream_slot *s = upstream_find(u, handle);

	if (!s)
		return;
	u->stats.cancelled++;
	upstream_end(s);
}

static const struct transport_ops UPSTREAM_OPS = {upstream_start, upstream_cancel};

/* ---- the whole ---- */

bool upstream_source(struct upstream *u, int family, struct ip *out)
{
	const struct ip *usable[UPSTREAM_MAX_SOURCES];
	uint32_t n = 0;

	for (size_t i = 0; i < u->conf.n_sources; i++)
		if (u->conf.sources[i].family == family)
			usable[n++] = &u->conf.sources[i];
	if (n == 0)
		return false;
	*out = *usable[n == 1 ? 0 : rand_below(u->conf.rand, n)];
	return true;
}

/* Half of what the process may open is left to clients, files and the other loops; the daemon
 * divides further when it names max_sockets. */
static unsigned upstream_socket_limit(const struct upstream_conf *conf)
{
	unsigned max = conf->max_sockets ? conf->max_sockets : UPSTREAM_MAX_SOCKETS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < max)
		max = (unsigned)(limit.rlim_cur / 2);
	return max > UPSTREAM_MIN_SOCKETS ? max : UPSTREAM_MIN_SOCKETS;
}

struct upstream *upstream_new(const struct upstream_conf *conf)
{
	struct upstream *u = xcalloc(1, sizeof(*u));

	u->transport.ops = &UPSTREAM_OPS;
	u->conf = *conf;
	assert(conf->n_sources <= UPSTREAM_MAX_SOURCES);
	u->max_sockets = upstream_socket_limit(conf);
	u->n_slots = u->max_sockets + UPSTREAM_MAX_TCP_ASKS;
	u->slots = xcalloc(u->n_slots, sizeof(*u->slots));
	u->stream = xalloc(UPSTREAM_STREAM_LEN);
	if (upstream_udp_init(u) < 0) {
		upstream_free(u);
		return NULL;
	}
	return u;
}

void upstream_free(struct upstream *u)
{
	if (!u)
		return;
	for (uint32_t i = 0; i < u->n_used; i++)
		if (u->slots[i].is_live)
			upstream_end(&u->slots[i]);
	upstream_tcp_fini(u);
	upstream_udp_fini(u);
	xfree(u->slots);
	xfree(u->stream);
	xfree(u);
}

struct transport *upstream_transport(struct upstream *u)
{
	return &u->transport;
}

const struct upstream_stats *upstream_stats(const struct upstream *u)
{
	return &u->stats;
}
