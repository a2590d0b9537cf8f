/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/resolver/fake_net.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/rcu.h"
#include "base/wheel.h"
#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/msg_write.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"
#include "resolver/acl.h"
#include "unit/resolver/fake_auth.h"

/* A question under way. */
struct fake_flight {
	struct fake_flight *next;
	uint64_t handle;
	struct transport_ask ask;
	uint8_t bytes[512];
};

/* Something that will happen: bytes for a flight, or the end of it. */
struct fake_event {
	struct fake_event *next;
	int64_t due_ms;
	uint64_t handle;
	int err;
	size_t len;
	uint8_t bytes[];
};

struct fake_call {
	struct fake_call *next;
	struct fake_net *net;
	struct fake_answer answer;
	int64_t start_ms;
	uint8_t query[600];
};

static void bad(const char *what, const char *text)
{
	fprintf(stderr, "bad test data: %s: %s\n", what, text);
	abort();
}

static void read_name(const char *text, uint8_t *out, size_t *len)
{
	if (dname_read(text, out, len) != 0)
		bad("name", text);
}

/* ---- transport ---- */

static struct fake_flight **find_flight(struct fake_net *n, uint64_t handle)
{
	struct fake_flight **f = &n->flights;

	while (*f && (*f)->handle != handle)
		f = &(*f)->next;
	return f;
}

static void end_flight(struct fake_net *n, uint64_t handle)
{
	struct fake_flight **link = find_flight(n, handle), *f = *link;

	if (!f)
		return;
	*link = f->next;
	free(f);
	n->n_open--;
}

static void add_event(struct fake_net *n, uint64_t handle, int64_t due_ms, int err,
	const uint8_t *bytes, size_t len)
{
	struct fake_event *e = calloc(1, sizeof(*e) + len), **link = &n->events;

	e->due_ms = due_ms;
	e->handle = handle;
	e->err = err;
	e->len = len;
	if (len)
		memcpy(e->bytes, bytes, len);
	/* In the order of time, and of arrival among equals. */
	while (*link && (*link)->due_ms <= due_ms)
		link = &(*link)->next;
	e->next = *link;
	*link = e;
}

void fake_reply(struct fake_ask *ask, const uint8_t *bytes, size_t len, int delay_ms)
{
	add_event(ask->net, ask->handle, ask->net->now_ms + delay_ms, 0, bytes, len);
}

void fake_reply_truth(struct fake_ask *ask, int extra_ms)
{
	static uint8_t out[65535];
	struct fake_server *s = ask->server;
	size_t len = fake_auth_answer(s, ask, out, sizeof(out));
	int trips = ask->is_tcp ? 2 : 1;

	if (len > 0)
		fake_reply(ask, out, len, s->rtt_ms * trips + extra_ms);
}

static void write_lines(struct msg_writer *w, enum dns_section section, const char *text)
{
	char *copy = strdup(text ? text : ""), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct rrtext_rr rr;

		if (rrtext_read(line, 3600, NULL, &rr) != 0)
			bad("record", line);
		if (msg_write_rr(w, section, rr.owner, rr.type, rr.class, rr.ttl, rr.rdata,
			    rr.rdlen) != 0)
			bad("space", line);
	}
	free(copy);
}

void fake_reply_text(struct fake_ask *ask, uint16_t flags, const char *answer,
	const char *authority, const char *additional, int delay_ms)
{
	static uint8_t out[65535];
	struct msg_writer w;
	size_t len;

	msg_write_begin(
		&w, out, sizeof(out), ask->q.id, (uint16_t)(DNS_FLAG_QR | flags), &ask->q.q);
	write_lines(&w, DNS_SECTION_ANSWER, answer);
	write_lines(&w, DNS_SECTION_AUTHORITY, authority);
	write_lines(&w, DNS_SECTION_ADDITIONAL, additional);
	len = msg_write_end(&w);
	fake_reply(ask, out, len, delay_ms);
}

static void note(struct fake_net *n, const struct fake_ask *a)
{
	char ip[IP_TEXT_LEN], name[DNAME_TEXT_MAX], type[16];
	uint8_t lower[DNAME_MAX];
	size_t room = sizeof(n->log) - n->log_len;
	int len;

	dname_copy_lower(a->q.q.name, lower);
	len = snprintf(n->log + n->log_len, room, "%s %s %s%s\n", ip_format(&a->server->at.ip, ip),
		dname_format(lower, name), rrtype_name(a->q.q.type, type), a->is_tcp ? " tcp" : "");
	if (len > 0 && (size_t)len < room)
		n->log_len += (size_t)len;
	if (getenv("FAKE_LOG"))
		fprintf(stderr, "%lld  %s %s %s%s\n", (long long)n->now_ms, ip, name,
			rrtype_name(a->q.q.type, type), a->is_tcp ? " tcp" : "");
}

static struct fake_server *lookup_server(struct fake_net *n, const struct ip_port *at)
{
	for (struct fake_server *s = n->servers; s; s = s->next) {
		if (ip_port_equal(&s->at, at))
			return s;
	}
	return NULL;
}

static struct fake_server *add_server(struct fake_net *n, const struct ip_port *at)
{
	struct fake_server *s = calloc(1, sizeof(*s));

	s->at = *at;
	s->rtt_ms = 20;
	s->next = n->servers;
	n->servers = s;
	return s;
}

static void arrive(struct fake_net *n, struct fake_flight *f)
{
	struct fake_ask a = {
		.net = n,
		.server = lookup_server(n, &f->ask.server),
		.handle = f->handle,
		.is_tcp = f->ask.tcp,
		.bytes = f->bytes,
		.len = f->ask.query_len,
	};

	add_event(n, f->handle, n->now_ms + f->ask.timeout_ms, ERR_TIMEOUT, NULL, 0);
	if (!a.server && n->any_hook)
		a.server = add_server(n, &f->ask.server);
	if (!a.server)
		return;
	if (msg_parse_query(f->bytes, f->ask.query_len, &a.q) != 0)
		bad("query", "the resolver sent garbage");
	a.server->n_udp += !a.is_tcp;
	a.server->n_tcp += a.is_tcp;
	note(n, &a);
	if (n->any_hook && n->any_hook(&a, n->any_hook_arg))
		return;
	if (a.server->hook && a.server->hook(&a, a.server->hook_arg))
		return;
	if (a.is_tcp && a.server->faults & (FAKE_NO_TCP | FAKE_TCP_CLOSES)) {
		add_event(n, f->handle, n->now_ms + a.server->rtt_ms,
			a.server->faults & FAKE_NO_TCP ? ERR_UNREACHABLE : ERR_CLOSED, NULL, 0);
		return;
	}
	if (a.server->faults & FAKE_ICMP) {
		add_event(n, f->handle, n->now_ms + a.server->rtt_ms, ERR_UNREACHABLE, NULL, 0);
		return;
	}
	if (a.server->loss_percent && !a.is_tcp &&
		rand_below(n->env.rand, 100) < (uint32_t)a.server->loss_percent)
		return;
	fake_reply_truth(&a, 0);
}

static int transport_begin(
	struct fake_net *n, const struct transport_ask *ask, uint64_t *out_handle)
{
	struct fake_server *s = lookup_server(n, &ask->server);
	struct fake_flight *f;

	if (s && s->faults & FAKE_UNREACHABLE)
		return ERR_UNREACHABLE;
	if (n->most_open && n->n_open >= n->most_open)
		return ERR_LIMIT;
	if (ask->query_len > sizeof(f->bytes) || ask->timeout_ms <= 0)
		bad("ask", "too long, or no time");
	f = calloc(1, sizeof(*f));
	f->handle = ++n->next_handle;
	f->ask = *ask;
	memcpy(f->bytes, ask->query, ask->query_len);
	f->next = n->flights;
	n->flights = f;
	n->n_sent++;
	n->n_open++;
	if (n->n_open > n->max_open)
		n->max_open = n->n_open;
	*out_handle = f->handle;
	arrive(n, f);
	return 0;
}

#define NET_OF(t, member)                                                                          \
	((struct fake_net *)(void *)((char *)(t)-offsetof(struct fake_net, member)))

static int iterate_start(struct transport *t, const struct transport_ask *ask, uint64_t *out)
{
	return transport_begin(NET_OF(t, iterate), ask, out);
}

static void iterate_cancel(struct transport *t, uint64_t handle)
{
	end_flight(NET_OF(t, iterate), handle);
}

static int forward_start(struct transport *t, const struct transport_ask *ask, uint64_t *out)
{
	NET_OF(t, forward)->n_forwarded++;
	return transport_begin(NET_OF(t, forward), ask, out);
}

static void forward_cancel(struct transport *t, uint64_t handle)
{
	end_flight(NET_OF(t, forward), handle);
}

static const struct transport_ops ITERATE = {iterate_start, iterate_cancel};
static const struct transport_ops FORWARD = {forward_start, forward_cancel};

/* ---- time ---- */

static void happen(struct fake_net *n, struct fake_event *e)
{
	struct fake_flight *f = *find_flight(n, e->handle);
	struct transport_ask ask;

	if (!f)
		return;
	ask = f->ask;
	if (e->err) {
		end_flight(n, e->handle);
		ask.on_fail(ask.arg, e->err);
	} else if (ask.on_reply(ask.arg, e->bytes, e->len) == TRANSPORT_TAKE) {
		end_flight(n, e->handle);
	}
}

/* One step of the world, not beyond until_ms. False when nothing is left to happen before it. */
static bool step(struct fake_net *n, int64_t until_ms)
{
	int64_t timer_ms = wheel_next(n->env.wheel), next_ms = INT64_MAX;
	struct fake_event *e = n->events;

	if (timer_ms >= 0)
		next_ms = timer_ms > n->now_ms ? timer_ms : n->now_ms;
	if (e && e->due_ms < next_ms)
		next_ms = e->due_ms;
	if (next_ms > until_ms)
		return false;
	if (next_ms > n->now_ms)
		n->now_ms = next_ms;
	rcu_enter();
	if (e && e->due_ms <= n->now_ms) {
		n->events = e->next;
		happen(n, e);
		free(e);
	} else {
		wheel_run(n->env.wheel, n->now_ms);
	}
	rcu_leave();
	return true;
}

void fake_run_until(struct fake_net *n, const bool *done, int64_t ms)
{
	int64_t until_ms = n->now_ms + ms;

	while (!(done && *done)) {
		if (!step(n, until_ms)) {
			n->now_ms = until_ms;
			rcu_enter();
			wheel_run(n->env.wheel, n->now_ms);
			rcu_leave();
			return;
		}
	}
}

void fake_run(struct fake_net *n, int64_t ms)
{
	fake_run_until(n, NULL, ms);
}

static int64_t now_ms(void *arg)
{
	return ((struct fake_net *)arg)->now_ms;
}

static int64_t wall_s(void *arg)
{
	return 1763600000 + ((struct fake_net *)arg)->now_ms / 1000;
}

/* ---- clients ---- */

static void print_section(
	const struct msg *m, enum dns_section section, char *out, size_t cap, unsigned *n)
{
	struct arena_pool *pool = arena_pool_new(65536, 1);
	struct arena *a = arena_new(pool, 1 << 22);
	struct rrset *sets[200];
	size_t n_sets = 0, len = 0;

	out[0] = '\0';
	*n = 0;
	if (msg_parse_rrsets(m, section, a, sets, 200, &n_sets) != 0)
		bad("answer", "unreadable");
	for (size_t i = 0; i < n_sets; i++) {
		char *text = rrtext_format_rrset(sets[i], true);

		len += (size_t)snprintf(out + len, cap - len, "%s", text);
		xfree(text);
		*n += sets[i]->n_rr;
		if (len >= cap)
			break;
	}
	for (char *p = out; *p; p++)
		*p = *p == '\t' ? ' ' : (char)tolower((unsigned char)*p);
	arena_free(a);
	arena_pool_free(pool);
}

static void on_answer(void *arg, const uint8_t *wire, size_t len)
{
	struct fake_call *c = arg;
	struct fake_answer *a = &c->answer;
	static struct msg m;

	if (a->is_there)
		bad("answer", "a second one to one question");
	if (msg_parse(wire, len, &m) != 0)
		bad("answer", "the resolver sent garbage");
	a->is_there = true;
	a->rcode = m.rcode;
	a->flags = m.flags;
	a->ede = m.edns.ede;
	a->took_ms = c->net->now_ms - c->start_ms;
	a->len = len;
	a->wire = memcpy(malloc(len), wire, len);
	print_section(&m, DNS_SECTION_ANSWER, a->text, sizeof(a->text), &a->n_answer);
	print_section(
		&m, DNS_SECTION_AUTHORITY, a->authority, sizeof(a->authority), &a->n_authority);
	a->n_additional = m.counts[3];
	c->net->n_answers++;
}

/* UDP and TCP clients: the call is found by its number, kept in `conn`. */
static void on_send(void *arg, const struct client *c, const uint8_t *wire, size_t len)
{
	struct fake_net *n = arg;

	for (struct fake_call *call = n->calls; call; call = call->next) {
		if ((uint64_t)(uintptr_t)call == c->conn) {
			on_answer(call, wire, len);
			return;
		}
	}
}

struct fake_answer *fake_ask_from(
	struct fake_net *n, const char *client, const char *name, const char *type, unsigned flags)
{
	struct fake_call *call = calloc(1, sizeof(*call));
	struct client c = {.kind = CLIENT_CALL, .on_answer = on_answer, .arg = call};
	struct edns_reply edns = {.udp_size = 1232, .is_do = flags & FAKE_DO, .ede = DNS_EDE_NONE};
	uint16_t head = DNS_FLAG_RD | (flags & FAKE_CD ? DNS_FLAG_CD : 0);
	struct question q = {.class = DNS_CLASS_IN};
	struct answer_client shape;
	struct msg_query msg;
	size_t len;

	read_name(name, q.name, &len);
	q.name_len = (uint8_t)len;
	if (rrtype_read(type, &q.type) != 0)
		bad("type", type);
	if (msg_write_query(
		    call->query, sizeof(call->query), ++n->next_id, head, &q, &edns, &len) != 0 ||
		msg_parse_query(call->query, len, &msg) != 0)
		bad("question", name);
	if (flags & (FAKE_UDP | FAKE_TCP))
		c.kind = flags & FAKE_UDP ? CLIENT_UDP : CLIENT_TCP;
	c.conn = (uint64_t)(uintptr_t)call;
	if (ip_port_read(client, 1024, &c.peer) != 0)
		bad("client", client);
	shape = (struct answer_client){
		.query = call->query,
		.question_len = msg.question_len,
		.id = msg.id,
		.flags = msg.flags,
		.is_tcp = !(flags & FAKE_UDP),
		.has_edns = true,
		.is_do = flags & FAKE_DO,
		.udp_size = 1232,
	};
	call->net = n;
	call->start_ms = n->now_ms;
	call->answer.ede = DNS_EDE_NONE;
	call->next = n->calls;
	n->calls = call;
	rcu_enter();
	query_start(n->r, &(struct query_ask){
				  .msg = &msg,
				  .shape = &shape,
				  .client = &c,
				  .is_prefetch = flags & FAKE_PREFETCH,
			  });
	rcu_leave();
	return &call->answer;
}

const struct fake_answer *fake_ask(struct fake_net *n, const char *name, const char *type)
{
	struct fake_answer *a = fake_ask_from(n, "192.168.1.100", name, type, 0);

	fake_run_until(n, &a->is_there, 15000);
	return a;
}

/* ---- the world ---- */

struct fake_server *fake_server(struct fake_net *n, const char *at)
{
	struct ip_port p;
	struct fake_server *s;

	if (ip_port_read(at, 53, &p) != 0)
		bad("address", at);
	s = lookup_server(n, &p);
	return s ? s : add_server(n, &p);
}

struct fake_server *fake_zone(
	struct fake_net *n, const char *at, const char *apex, const char *records)
{
	struct fake_server *s = fake_server(n, at);

	fake_auth_zone_new(s, apex, records);
	return s;
}

void fake_zone_clear(struct fake_server *s)
{
	fake_auth_zones_free(s);
}

static struct rrset *make_rrset(const char *owner, uint16_t type, const uint8_t *rdata, size_t len)
{
	uint8_t name[DNAME_MAX];
	size_t name_len, cap = sizeof(struct rrset) + DNAME_MAX + len + 8;
	struct rrset *rr = calloc(1, cap);

	read_name(owner, name, &name_len);
	rr = rrset_init(rr, cap, name, type, DNS_CLASS_IN, 3600000);
	if (rrset_add(rr, cap, rdata, len) != 0)
		bad("hint", owner);
	rr->rank = RRSET_RANK_LOCAL;
	return rr;
}

void fake_root(struct fake_net *n, const char *ip, const char *zone_text)
{
	char host[48];
	uint8_t name[DNAME_MAX];
	struct ip_port at;
	size_t len;
	const struct rrset **hints;

	snprintf(host, sizeof(host), "k%zu.root-servers.test.", n->conf->n_hints / 2);
	fake_zone(n, ip, ".", zone_text);
	if (ip_port_read(ip, 53, &at) != 0)
		bad("address", ip);
	read_name(host, name, &len);
	hints = realloc((void *)n->conf->hints, (n->conf->n_hints + 2) * sizeof(*hints));
	hints[n->conf->n_hints++] = make_rrset(".", DNS_TYPE_NS, name, len);
	hints[n->conf->n_hints++] = make_rrset(host,
		at.ip.family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA, at.ip.bytes, ip_len(&at.ip));
	n->conf->hints = hints;
}

void fake_forward(struct fake_net *n, const char *zone, bool is_stub, const char *to)
{
	struct resolver_conf *c = n->conf;
	uint8_t name[DNAME_MAX];
	size_t len, n_to = 0;
	struct ip_port *all = calloc(8, sizeof(*all));
	char *copy = strdup(to), *save = NULL;

	read_name(zone, name, &len);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		if (ip_port_read(p, 53, &all[n_to++]) != 0)
			bad("address", p);
	}
	free(copy);
	c->forwards = realloc(c->forwards, (c->n_forwards + 1) * sizeof(*c->forwards));
	c->forwards[c->n_forwards++] = (struct resolver_forward){
		.zone = memcpy(malloc(len), name, len),
		.is_stub = is_stub,
		.n_to = n_to,
		.to = all,
	};
	for (size_t i = c->n_forwards - 1; i > 0; i--) {
		struct resolver_forward *f = &c->forwards[i], tmp = *f;

		if (dname_labels(f[-1].zone) >= dname_labels(f->zone))
			break;
		*f = f[-1];
		f[-1] = tmp;
	}
}

struct fake_net *fake_new(uint64_t seed)
{
	struct fake_net *n = calloc(1, sizeof(*n));

	n->iterate.ops = &ITERATE;
	n->forward.ops = &FORWARD;
	n->now_ms = 1000000;
	n->conf = xcalloc(1, sizeof(*n->conf));
	*n->conf = (struct resolver_conf){
		.generation = 1,
		.qname_minimisation = true,
		.case_randomisation = true,
		.cookies = true,
		.minimal_responses = true,
		.harden_glue = true,
		.ipv4 = true,
		.ipv6 = true,
		.max_ttl_s = 86400,
		.max_negative_ttl_s = 3600,
		.edns_size = 1232,
	};
	n->conf_slot = n->conf;
	n->stats = stats_new();
	n->env = (struct resolver_env){
		.cache = cache_new(4 << 20),
		.rrsets = cache_rrset_new(4 << 20),
		.servers = servers_new(1024),
		.iterate = &n->iterate,
		.forward = &n->forward,
		.wheel = wheel_new(n->now_ms),
		.rand = rand_new_seeded(seed),
		.stats = n->stats,
		.conf = &n->conf_slot,
		.send = on_send,
		.send_arg = n,
		.now_ms = now_ms,
		.wall_s = wall_s,
		.clock_arg = n,
	};
	n->r = resolver_new(&n->env);
	return n;
}

static void free_conf(struct resolver_conf *c)
{
	for (size_t i = 0; i < c->n_hints; i++)
		free((void *)c->hints[i]);
	free((void *)c->hints);
	for (size_t i = 0; i < c->n_forwards; i++) {
		free((void *)c->forwards[i].zone);
		free((void *)c->forwards[i].to);
	}
	free(c->forwards);
	zones_free(c->zones);
	acl_free(c->acl);
	xfree(c);
}

void fake_free(struct fake_net *n)
{
	resolver_free(n->r);
	for (struct fake_event *e; (e = n->events);) {
		n->events = e->next;
		free(e);
	}
	while (n->flights)
		end_flight(n, n->flights->handle);
	for (struct fake_call *c; (c = n->calls);) {
		n->calls = c->next;
		free(c->answer.wire);
		free(c);
	}
	for (struct fake_server *s; (s = n->servers);) {
		n->servers = s->next;
		fake_auth_zones_free(s);
		free(s);
	}
	cache_free(n->env.cache);
	cache_rrset_free(n->env.rrsets);
	servers_free(n->env.servers);
	wheel_free(n->env.wheel);
	rand_free(n->env.rand);
	stats_free(n->stats);
	free_conf(n->conf);
	free(n);
}

/* ---- looking ---- */

static bool matches(const char *pattern, const char *word, size_t len)
{
	return !pattern || (strlen(pattern) == len && strncasecmp(pattern, word, len) == 0);
}

unsigned fake_seen(const struct fake_net *n, const char *ip, const char *name, const char *type)
{
	unsigned count = 0;

	for (const char *p = n->log; *p; p = strchr(p, '\n') + 1) {
		size_t a = strcspn(p, " "), b = strcspn(p + a + 1, " ");
		size_t c = strcspn(p + a + b + 2, " \n");

		count += matches(ip, p, a) && matches(name, p + a + 1, b) &&
			 matches(type, p + a + b + 2, c);
	}
	return count;
}

void fake_log_clear(struct fake_net *n)
{
	n->log_len = 0;
	n->log[0] = '\0';
	n->n_sent = n->n_forwarded = 0;
}

uint64_t fake_stat(const struct fake_net *n, enum stats_counter c)
{
	return stats_get(n->stats, c);
}

const char *fake_cached(struct fake_net *n, const char *name, const char *type)
{
	static char out[4096];
	struct arena_pool *pool = arena_pool_new(65536, 1);
	struct arena *a = arena_new(pool, 1 << 20);
	uint8_t wire[DNAME_MAX];
	uint16_t t = 0;
	size_t len = 0;
	struct rrset *rr;

	read_name(name, wire, &len);
	if (rrtype_read(type, &t) != 0)
		bad("type", type);
	rr = cache_rrset_get(n->env.rrsets, wire, t, DNS_CLASS_IN, n->now_ms, 0, a);
	len = 0;
	out[0] = '\0';
	if (rr) {
		struct rrset_iter it = rrset_begin(rr);

		while (rrset_next(&it) && !it.is_sig) {
			char text[1024];

			rrtext_format_rdata(t, it.rdata, it.len, text, sizeof(text));
			len += (size_t)snprintf(
				out + len, sizeof(out) - len, "%s%s", len ? " " : "", text);
		}
	}
	arena_free(a);
	arena_pool_free(pool);
	return rr ? out : NULL;
}

static void count_one(void *arg, const struct rrset *rr, uint32_t ttl)
{
	(void)rr;
	(void)ttl;
	++*(size_t *)arg;
}

size_t fake_cache_count(struct fake_net *n)
{
	size_t count = 0;

	cache_rrset_each(n->env.rrsets, n->now_ms, count_one, &count);
	return count;
}
