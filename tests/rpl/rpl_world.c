/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl/rpl_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/rcu.h"
#include "base/wheel.h"
#include "base/xalloc.h"
#include "dns/rrtype.h"
#include "resolver/cache.h"
#include "resolver/front.h"
#include "resolver/resolver_limits.h"
#include "resolver/servers.h"

enum {
	WORLD_CACHE = 4 << 20,
	WORLD_SERVERS = 4096,
	WORLD_START_MS = 1000000,
	WORLD_REPLY_MAX = 65535
};

/* A question under way: found by its handle, and in the order in which their times end. */
struct rpl_flight {
	struct rpl_flight *bucket_next;
	struct rpl_flight *prev, *next;
	uint64_t handle;
	int64_t due_ms;
	struct transport_ask ask;
};

/* A packet on its way to us, or the news that there will be none. */
struct rpl_event {
	struct rpl_event *next;
	int64_t due_ms;
	uint64_t handle;
	int err;
	size_t len;
	uint8_t bytes[];
};

/* ---- transport ---- */

static struct rpl_flight **find_flight(struct rpl_world *w, uint64_t handle)
{
	struct rpl_flight **f = &w->flights[handle % RPL_WORLD_BUCKETS];

	while (*f && (*f)->handle != handle)
		f = &(*f)->bucket_next;
	return f;
}

static void add_flight(struct rpl_world *w, struct rpl_flight *f)
{
	struct rpl_flight **bucket = &w->flights[f->handle % RPL_WORLD_BUCKETS];
	struct rpl_flight *before = w->last_due;

	f->bucket_next = *bucket;
	*bucket = f;
	while (before && before->due_ms > f->due_ms)
		before = before->prev;
	f->prev = before;
	f->next = before ? before->next : w->first_due;
	*(before ? &before->next : &w->first_due) = f;
	*(f->next ? &f->next->prev : &w->last_due) = f;
}

static void end_flight(struct rpl_world *w, uint64_t handle)
{
	struct rpl_flight **link = find_flight(w, handle), *f = *link;

	if (!f)
		return;
	*link = f->bucket_next;
	*(f->prev ? &f->prev->next : &w->first_due) = f->next;
	*(f->next ? &f->next->prev : &w->last_due) = f->prev;
	xfree(f);
}

static void add_event(struct rpl_world *w, uint64_t handle, int delay_ms, int err,
	const uint8_t *bytes, size_t len)
{
	struct rpl_event *e = xcalloc(1, sizeof(*e) + len), **link = &w->events;

	e->due_ms = w->now_ms + delay_ms;
	e->handle = handle;
	e->err = err;
	e->len = len;
	if (len)
		memcpy(e->bytes, bytes, len);
	while (*link && (*link)->due_ms <= e->due_ms)
		link = &(*link)->next;
	e->next = *link;
	*link = e;
}

void rpl_world_reply(
	struct rpl_world *w, uint64_t handle, const uint8_t *bytes, size_t len, int delay_ms)
{
	add_event(w, handle, delay_ms, 0, bytes, len);
}

void rpl_world_fail(struct rpl_world *w, uint64_t handle, int err, int delay_ms)
{
	add_event(w, handle, delay_ms, err, NULL, 0);
}

static struct rpl_sent *note_sent(struct rpl_world *w, const struct transport_ask *ask)
{
	struct rpl_sent *s = xcalloc(1, sizeof(*s) + ask->query_len);

	s->server = ask->server;
	s->is_tcp = ask->tcp;
	s->question = w->question;
	s->len = ask->query_len;
	memcpy(s->bytes, ask->query, ask->query_len);
	if (msg_parse_query(s->bytes, s->len, &s->q) != 0) {
		fprintf(stderr, "the resolver sent garbage\n");
		abort();
	}
	*w->last_sent = s;
	w->last_sent = &s->next;
	if (w->is_verbose) {
		char ip[IP_TEXT_LEN], name[DNAME_TEXT_MAX], type[16];

		fprintf(stderr, "  %lld ms: to %s%s %s %s\n",
			(long long)(w->now_ms - WORLD_START_MS), ip_format(&s->server.ip, ip),
			s->is_tcp ? " tcp" : "", dname_format(s->q.q.name, name),
			rrtype_name(s->q.q.type, type));
	}
	return s;
}

static int begin(struct rpl_world *w, const struct transport_ask *ask, uint64_t *out_handle)
{
	struct rpl_flight *f = xcalloc(1, sizeof(*f));
	const struct rpl_sent *s = note_sent(w, ask);
	struct rpl_asked asked = {&s->server, s->is_tcp, s->bytes, s->len, &s->q};

	f->handle = ++w->next_handle;
	f->due_ms = w->now_ms + ask->timeout_ms;
	f->ask = *ask;
	f->ask.query = s->bytes;
	add_flight(w, f);
	*out_handle = f->handle;
	w->on_asked(w->arg, &asked, f->handle);
	return 0;
}

#define WORLD_OF(t, member)                                                                        \
	((struct rpl_world *)(void *)((char *)(t)-offsetof(struct rpl_world, member)))

static int iterate_start(struct transport *t, const struct transport_ask *ask, uint64_t *out)
{
	return begin(WORLD_OF(t, iterate), ask, out);
}

static void iterate_cancel(struct transport *t, uint64_t handle)
{
	end_flight(WORLD_OF(t, iterate), handle);
}

static int forward_start(struct transport *t, const struct transport_ask *ask, uint64_t *out)
{
	return begin(WORLD_OF(t, forward), ask, out);
}

static void forward_cancel(struct transport *t, uint64_t handle)
{
	end_flight(WORLD_OF(t, forward), handle);
}

static const struct transport_ops ITERATE = {iterate_start, iterate_cancel};
static const struct transport_ops FORWARD = {forward_start, forward_cancel};

/* ---- time ---- */

static void happen(struct rpl_world *w, const struct rpl_event *e)
{
	struct rpl_flight *f = *find_flight(w, e->handle);
	struct transport_ask ask;

	if (!f)
		return;
	ask = f->ask;
	if (e->err) {
		end_flight(w, e->handle);
		ask.on_fail(ask.arg, e->err);
	} else if (e->len >= DNS_HEADER_LEN &&
		   ask.on_reply(ask.arg, e->bytes, e->len) == TRANSPORT_TAKE) {
		end_flight(w, e->handle);
	}
}

static void turn(struct rpl_world *w)
{
	struct rpl_event *e = w->events;
	struct rpl_flight *f = w->first_due;

	rcu_enter();
	if (e && e->due_ms <= w->now_ms) {
		w->events = e->next;
		happen(w, e);
		xfree(e);
	} else if (f && f->due_ms <= w->now_ms) {
		struct transport_ask ask = f->ask;

		end_flight(w, f->handle);
		ask.on_fail(ask.arg, ERR_TIMEOUT);
	} else {
		wheel_run(w->env.wheel, w->now_ms);
	}
	rcu_leave();
}

/* One step of the world, not beyond until_ms. False: nothing happens before it. */
static bool step(struct rpl_world *w, int64_t until_ms)
{
	int64_t next_ms = wheel_next(w->env.wheel);
	struct rpl_flight *f = w->first_due;

	if (next_ms < 0)
		next_ms = INT64_MAX;
	if (w->events && w->events->due_ms < next_ms)
		next_ms = w->events->due_ms;
	if (f && f->due_ms < next_ms)
		next_ms = f->due_ms;
	if (next_ms > until_ms)
		return false;
	if (next_ms > w->now_ms)
		w->now_ms = next_ms;
	turn(w);
	return true;
}

void rpl_world_run(struct rpl_world *w, int64_t ms, const bool *done)
{
	int64_t until_ms = w->now_ms + ms;

	while (!(done && *done)) {
		if (!step(w, until_ms)) {
			w->now_ms = until_ms;
			return;
		}
	}
}

void rpl_world_settle(struct rpl_world *w, int64_t ms)
{
	int64_t until_ms = w->now_ms + ms;

	while (w->events && w->events->due_ms <= until_ms && step(w, until_ms))
		;
}

void rpl_world_network_changed(struct rpl_world *w)
{
	servers_forget_failures(w->env.servers);
	w->conf->generation++;
}

static int64_t now_ms(void *arg)
{
	return ((struct rpl_world *)arg)->now_ms;
}

static int64_t wall_s(void *arg)
{
	struct rpl_world *w = arg;

	return w->wall_start_s + (w->now_ms - WORLD_START_MS) / 1000;
}

/* ---- clients ---- */

static void stop_waiting(struct rpl_call *c)
{
	if (c->number == c->world->question && c->world->n_waiting > 0)
		c->world->n_waiting--;
	c->world->is_quiet = c->world->n_waiting == 0;
}

static void on_answer(struct rpl_call *c, const uint8_t *wire, size_t len)
{
	if (c->is_over) {
		fprintf(stderr, "a second answer to one question\n");
		abort();
	}
	c->is_over = true;
	c->end_ms = c->world->now_ms;
	c->wire = xmemdup(wire, len);
	c->len = len;
	stop_waiting(c);
}

static void on_send(void *arg, const struct client *client, const uint8_t *wire, size_t len)
{
	(void)arg;
	on_answer((struct rpl_call *)(uintptr_t)client->conn, wire, len);
}

struct rpl_call *rpl_world_ask(struct rpl_world *w, const struct ip_port *client, bool is_tcp,
	const uint8_t *wire, size_t len)
{
	static uint8_t out[WORLD_REPLY_MAX];
	struct rpl_call *call = xcalloc(1, sizeof(*call));
	struct client c = {.kind = is_tcp ? CLIENT_TCP : CLIENT_UDP,
		.peer = *client,
		.conn = (uint64_t)(uintptr_t)call};
	size_t out_len = 0;

	call->world = w;
	call->number = w->question;
	call->start_ms = w->now_ms;
	call->next = w->calls;
	w->calls = call;
	w->n_waiting++;
	w->is_quiet = false;
	rcu_enter();
	switch (front_one(w->r, wire, len, &c, out, sizeof(out), &out_len)) {
	case FRONT_SEND:
		on_answer(call, out, out_len);
		break;
	case FRONT_DROP:
		stop_waiting(call);
		break;
	case FRONT_LATER:
		break;
	}
	rcu_leave();
	return call;
}

/* ---- the world ---- */

struct rpl_world *rpl_world_new(struct resolver_conf *conf, int64_t wall_start_s, uint64_t seed)
{
	struct rpl_world *w = xcalloc(1, sizeof(*w));

	w->iterate.ops = &ITERATE;
	w->forward.ops = &FORWARD;
	w->now_ms = WORLD_START_MS;
	w->wall_start_s = wall_start_s;
	w->last_sent = &w->sent;
	w->conf = conf;
	w->conf_slot = conf;
	w->stats = stats_new();
	w->env = (struct resolver_env){
		.cache = cache_new(WORLD_CACHE),
		.rrsets = cache_rrset_new(WORLD_CACHE),
		.servers = servers_new(WORLD_SERVERS),
		.iterate = &w->iterate,
		.forward = &w->forward,
		.wheel = wheel_new(w->now_ms),
		.rand = rand_new_seeded(seed),
		.stats = w->stats,
		.conf = &w->conf_slot,
		.send = on_send,
		.send_arg = w,
		.now_ms = now_ms,
		.wall_s = wall_s,
		.clock_arg = w,
		.max_queries = RESOLVER_QUERIES_MAX,
	};
	w->r = resolver_new(&w->env);
	return w;
}

static void free_lists(struct rpl_world *w)
{
	while (w->calls) {
		struct rpl_call *c = w->calls;

		w->calls = c->next;
		xfree(c->wire);
		xfree(c);
	}
	while (w->sent) {
		struct rpl_sent *s = w->sent;

		w->sent = s->next;
		xfree(s);
	}
	while (w->events) {
		struct rpl_event *e = w->events;

		w->events = e->next;
		xfree(e);
	}
}

void rpl_world_free(struct rpl_world *w)
{
	if (!w)
		return;
	rcu_enter();
	resolver_free(w->r);
	rcu_leave();
	while (w->first_due)
		end_flight(w, w->first_due->handle);
	free_lists(w);
	cache_free(w->env.cache);
	cache_rrset_free(w->env.rrsets);
	servers_free(w->env.servers);
	wheel_free(w->env.wheel);
	rand_free(w->env.rand);
	stats_free(w->stats);
	resolver_conf_free(w->conf);
	xfree(w);
}
