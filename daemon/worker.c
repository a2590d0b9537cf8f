/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/rcu.h"
#include "base/xalloc.h"
#include "net/loop.h"
#include "net/stub.h"
#include "resolver/acl.h"
#include "resolver/front.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"

#define WORKER_DRAIN_STEP_MS 10
#define WORKER_PUBLISHED     ((sizeof(struct worker_net_stats) + 7) / 8)

struct worker_socket {
	struct worker *worker;
	struct udp *udp; /* NULL: the slot is free */
	int tcp_fd;	 /* -1: none */
	uint32_t id;
};

struct worker {
	struct worker_shared shared;
	unsigned index;
	pthread_t thread;
	bool is_started;
	struct loop *loop;
	struct rand_source *rand;
	struct upstream *upstream;
	struct stub *stub;
	struct resolver *resolver;
	struct stats *stats;
	struct tcp *tcp;
	struct loop_timer *drain;
	bool is_stopping;
	int64_t drain_until_ms;
	struct loop_hook hook;
	uint64_t published[WORKER_PUBLISHED]; /* struct worker_net_stats, word by word */
	uint16_t next_slot;
	unsigned n_slots;	  /* those ever used are the first ones */
	struct udp_stats retired; /* of sockets closed since, so that totals never fall */
	struct worker_socket sockets[WORKER_SOCKETS];
	struct front_slot slots[UDP_BATCH];
	struct client clients[UDP_BATCH];
	uint8_t tcp_out[65535];
};

/* ---- packets ---- */

static void worker_client_udp(struct client *c, uint16_t socket, const struct udp_from *from)
{
	c->kind = CLIENT_UDP;
	c->socket = socket;
	c->ifindex = from->ifindex;
	c->local = from->local;
	c->peer = udp_peer(from);
}

static void worker_on_batch(void *arg, struct udp *u, struct udp_batch *b, int64_t now_ms)
{
	struct worker_socket *s = arg;
	struct worker *w = s->worker;
	uint16_t slot = (uint16_t)(s - w->sockets);

	(void)u;
	(void)now_ms;
	for (size_t i = 0; i < b->n; i++) {
		if (!b->rx[i].len)
			continue;
		worker_client_udp(&w->clients[i], slot, b->rx[i].from);
		front_stage(
			w->resolver, &w->slots[i], b->rx[i].bytes, b->rx[i].len, &w->clients[i]);
	}
	for (size_t i = 0; i < b->n; i++)
		if (b->rx[i].len)
			front_reach(w->resolver, &w->slots[i]);
	for (size_t i = 0; i < b->n; i++) {
		size_t len;

		if (b->rx[i].len && front_answer(w->resolver, &w->slots[i], &w->clients[i],
					    b->tx[i], UDP_TX_LEN, &len) == FRONT_SEND)
			b->tx_len[i] = (uint32_t)len;
	}
}

static void worker_on_tcp(void *arg, const struct tcp_query *q)
{
	struct worker *w = arg;
	struct client c = {
		.kind = CLIENT_TCP, .conn = q->conn, .peer = *q->peer, .local = q->local->ip};
	size_t len;

	switch (front_one(
		w->resolver, q->bytes, q->len, &c, w->tcp_out, sizeof(w->tcp_out), &len)) {
	case FRONT_SEND:
		tcp_reply(w->tcp, q->conn, w->tcp_out, len);
		break;
	case FRONT_DROP:
		tcp_drop(w->tcp, q->conn);
		break;
	case FRONT_LATER:
		break;
	}
}

static bool worker_may_connect(void *arg, const struct ip_port *peer)
{
	struct worker *w = arg;

	return acl_allows(resolver_conf(w->resolver)->acl, &peer->ip);
}

/* The answer of a question that took a while. len 0: there will be none. */
static void worker_send(void *arg, const struct client *c, const uint8_t *wire, size_t len)
{
	struct worker *w = arg;
	struct udp_from to = {.local = c->local, .ifindex = c->ifindex};

	switch (c->kind) {
	case CLIENT_UDP:
		udp_set_peer(&to, &c->peer);
		if (len && c->socket < WORKER_SOCKETS && w->sockets[c->socket].udp)
			udp_send(w->sockets[c->socket].udp, &to, wire, len);
		break;
	case CLIENT_TCP:
		if (len)
			tcp_reply(w->tcp, c->conn, wire, len);
		else
			tcp_drop(w->tcp, c->conn);
		break;
	case CLIENT_CALL:
		if (c->on_answer)
			c->on_answer(c->arg, wire, len);
		break;
	}
}

static int64_t worker_now_ms(void *arg)
{
	return loop_now_ms(((struct worker *)arg)->loop);
}

static int64_t worker_wall_s(void *arg)
{
	(void)arg;
	return clock_wall_s();
}

/* ---- counts ---- */

static void worker_count(const struct worker *w, struct worker_net_stats *out)
{
	*out = (struct worker_net_stats){
		.udp_received = w->retired.received,
		.udp_sent = w->retired.sent,
		.udp_dropped = w->retired.dropped,
		.udp_send_blocked = w->retired.send_blocked,
		.udp_send_errors = w->retired.send_errors,
		.tcp = *tcp_stats(w->tcp),
		.upstream = *upstream_stats(w->upstream),
	};
	for (unsigned i = 0; i < w->n_slots; i++) {
		const struct udp_stats *u;

		if (!w->sockets[i].udp)
			continue;
		u = udp_stats(w->sockets[i].udp);
		out->udp_received += u->received;
		out->udp_sent += u->sent;
		out->udp_dropped += u->dropped;
		out->udp_send_blocked += u->send_blocked;
		out->udp_send_errors += u->send_errors;
	}
}

/* The turn ends: what it counted is there to be read, a word at a time and without a lock. */
static void worker_on_turn(void *arg)
{
	struct worker *w = arg;
	struct worker_net_stats now;
	uint64_t words[WORKER_PUBLISHED] = {0};

	worker_count(w, &now);
	memcpy(words, &now, sizeof(now));
	for (size_t i = 0; i < WORKER_PUBLISHED; i++)
		__atomic_store_n(&w->published[i], words[i], __ATOMIC_RELAXED);
}

void worker_net_stats(const struct worker *w, struct worker_net_stats *out)
{
	uint64_t words[WORKER_PUBLISHED];

	for (size_t i = 0; i < WORKER_PUBLISHED; i++)
		words[i] = __atomic_load_n(&w->published[i], __ATOMIC_RELAXED);
	memcpy(out, words, sizeof(*out));
}

/* ---- life ---- */

/* Goes on until nobody waits or time is up. */
static void worker_on_drain(void *arg)
{
	struct worker *w = arg;

	if (resolver_live(w->resolver) == 0 || loop_now_ms(w->loop) >= w->drain_until_ms)
		loop_stop(w->loop);
}

static bool worker_make_net(struct worker *w)
{
	struct upstream_conf up = {.loop = w->loop, .rand = w->rand};
	struct stub_conf stub = {.loop = w->loop, .rand = w->rand};
	const struct tcp_conf tcp = {.arg = w,
		.on_query = worker_on_tcp,
		.may_connect = worker_may_connect,
		.max_conns = TCP_MAX_CONNS / w->shared.n_workers};

	memcpy(up.sources, w->shared.outgoing, sizeof(up.sources));
	up.n_sources = w->shared.n_outgoing;
	for (size_t i = 0; i < w->shared.n_outgoing; i++) {
		if (w->shared.outgoing[i].family == AF_INET)
			stub.source4 = w->shared.outgoing[i];
		else
			stub.source6 = w->shared.outgoing[i];
	}
	w->upstream = upstream_new(&up);
	w->stub = stub_new(&stub);
	w->tcp = tcp_new(w->loop, &tcp);
	return w->upstream && w->stub && w->tcp;
}

struct worker *worker_new(const struct worker_shared *shared, unsigned index)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	struct resolver_env env = {
		.cache = shared->cache,
		.rrsets = shared->rrsets,
		.servers = shared->servers,
		.conf = shared->resolver_conf,
		.send = worker_send,
		.send_arg = w,
		.now_ms = worker_now_ms,
		.wall_s = worker_wall_s,
		.clock_arg = w,
	};

	w->shared = *shared;
	w->index = index;
	w->rand = rand_new();
	w->stats = stats_new();
	w->loop = loop_new();
	if (!w->loop || !worker_make_net(w)) {
		worker_free(w);
		return NULL;
	}
	loop_set_guard(w->loop, rcu_enter, rcu_leave);
	w->hook = (struct loop_hook){.fn = worker_on_turn, .arg = w};
	loop_on_turn_end(w->loop, &w->hook);
	w->drain = loop_timer_new(w->loop, worker_on_drain, w);
	env.iterate = upstream_transport(w->upstream);
	env.forward = stub_transport(w->stub);
	env.wheel = loop_wheel(w->loop);
	env.rand = w->rand;
	env.stats = w->stats;
	w->resolver = resolver_new(&env);
	if (!w->resolver) {
		worker_free(w);
		return NULL;
	}
	return w;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->resolver)
		resolver_free(w->resolver);
	for (size_t i = 0; i < WORKER_SOCKETS; i++)
		udp_close(w->sockets[i].udp);
	tcp_free(w->tcp);
	stub_free(w->stub);
	upstream_free(w->upstream);
	if (w->drain)
		loop_timer_free(w->drain);
	loop_hook_del(&w->hook);
	loop_free(w->loop);
	rand_free(w->rand);
	stats_free(w->stats);
	xfree(w);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];

	/* Landlock lets no thread write the name of another. */
	snprintf(name, sizeof(name), "dns-%u", w->index);
	pthread_setname_np(pthread_self(), name);
	rcu_thread_register();
	loop_run(w->loop);
	rcu_thread_unregister();
	return NULL;
}

int worker_start(struct worker *w)
{
	if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
		return ERR_LIMIT;
	w->is_started = true;
	return 0;
}

static void worker_close_socket(struct worker *w, struct worker_socket *s)
{
	const struct udp_stats *u;

	if (s->udp) {
		u = udp_stats(s->udp);
		w->retired.received += u->received;
		w->retired.sent += u->sent;
		w->retired.dropped += u->dropped;
		w->retired.send_blocked += u->send_blocked;
		w->retired.send_errors += u->send_errors;
		udp_close(s->udp);
		s->udp = NULL;
	}
	if (s->tcp_fd >= 0) {
		tcp_unlisten(w->tcp, s->tcp_fd);
		s->tcp_fd = -1;
	}
}

static void worker_on_stop(void *arg)
{
	struct worker *w = arg;

	if (w->is_stopping)
		return;
	w->is_stopping = true;
	w->drain_until_ms = loop_now_ms(w->loop) + WORKER_DRAIN_MS;
	loop_timer_start(w->drain, 0, WORKER_DRAIN_STEP_MS);
}

void worker_stop(struct worker *w)
{
	loop_post(w->loop, worker_on_stop, w);
}

void worker_join(struct worker *w)
{
	if (w->is_started)
		pthread_join(w->thread, NULL);
	w->is_started = false;
}

/* ---- from the service thread ---- */

struct worker_message {
	struct worker *worker;
	uint32_t id;
	struct udp *udp;
	int tcp_fd;
	struct trace *trace;
	void (*on_answer)(void *arg, const uint8_t *wire, size_t len);
	void *arg;
	size_t len;
	uint8_t wire[];
};

static void worker_on_add(void *arg)
{
	struct worker_message *m = arg;
	struct worker *w = m->worker;
	struct worker_socket *s = NULL;

	for (unsigned i = 0; i < WORKER_SOCKETS; i++) {
		s = &w->sockets[w->next_slot];
		w->next_slot = (uint16_t)((w->next_slot + 1) % WORKER_SOCKETS);
		if (!s->udp)
			break;
	}
	if (s->udp) { /* all slots taken: the caller keeps below WORKER_SOCKETS */
		udp_close(m->udp);
		close(m->tcp_fd);
		goto out;
	}
	if (w->n_slots <= (unsigned)(s - w->sockets))
		w->n_slots = (unsigned)(s - w->sockets) + 1;
	*s = (struct worker_socket){.worker = w, .udp = m->udp, .tcp_fd = -1, .id = m->id};
	if (udp_start(s->udp, w->loop, worker_on_batch, s) != 0) {
		udp_close(s->udp);
		s->udp = NULL;
	}
	if (m->tcp_fd >= 0 && tcp_listen(w->tcp, m->tcp_fd) == 0)
		s->tcp_fd = m->tcp_fd;
	else if (m->tcp_fd >= 0)
		close(m->tcp_fd);
out:
	xfree(m);
}

void worker_add_socket(struct worker *w, uint32_t id, struct udp *udp, int tcp_fd)
{
	struct worker_message *m = xcalloc(1, sizeof(*m));

	*m = (struct worker_message){.worker = w, .id = id, .udp = udp, .tcp_fd = tcp_fd};
	loop_post(w->loop, worker_on_add, m);
}

static void worker_on_del(void *arg)
{
	struct worker_message *m = arg;
	struct worker *w = m->worker;

	for (size_t i = 0; i < WORKER_SOCKETS; i++)
		if (w->sockets[i].udp && w->sockets[i].id == m->id)
			worker_close_socket(w, &w->sockets[i]);
	xfree(m);
}

void worker_del_socket(struct worker *w, uint32_t id)
{
	struct worker_message *m = xcalloc(1, sizeof(*m));

	*m = (struct worker_message){.worker = w, .id = id};
	loop_post(w->loop, worker_on_del, m);
}

static void worker_on_network(void *arg)
{
	struct worker *w = arg;

	resolver_network_changed(w->resolver);
}

void worker_network_changed(struct worker *w)
{
	loop_post(w->loop, worker_on_network, w);
}

static void worker_on_call(void *arg)
{
	struct worker_message *m = arg;
	struct worker *w = m->worker;
	struct client c = {.kind = CLIENT_CALL,
		.peer = {.ip = ip_from4(0x7f000001)},
		.on_answer = m->on_answer,
		.arg = m->arg,
		.trace = m->trace};
	size_t len;

	switch (front_one(w->resolver, m->wire, m->len, &c, w->tcp_out, sizeof(w->tcp_out), &len)) {
	case FRONT_SEND:
		m->on_answer(m->arg, w->tcp_out, len);
		break;
	case FRONT_DROP:
		m->on_answer(m->arg, NULL, 0);
		break;
	case FRONT_LATER:
		break;
	}
	xfree(m);
}

void worker_call(struct worker *w, const uint8_t *wire, size_t len, struct trace *trace,
	void (*on_answer)(void *arg, const uint8_t *wire, size_t len), void *arg)
{
	struct worker_message *m = xcalloc(1, sizeof(*m) + len);

	m->worker = w;
	m->trace = trace;
	m->on_answer = on_answer;
	m->arg = arg;
	m->len = len;
	memcpy(m->wire, wire, len);
	loop_post(w->loop, worker_on_call, m);
}

const struct stats *worker_stats(const struct worker *w)
{
	return w->stats;
}
