/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl/rpl_play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dname.h"
#include "dns/msg_write.h"
#include "rpl/rpl_check.h"
#include "rpl/rpl_config.h"
#include "rpl/rpl_world.h"

enum {
	PLAY_RTT_MS = 1,
	PLAY_SETTLE_MS = 200,  /* packets under way may arrive between two steps */
	PLAY_RESEND_MS = 3000, /* a client over UDP asks again */
	PLAY_RESENDS = 5,
	PLAY_REPLIES_MAX = 64, /* STEP REPLY in one scenario */
	PLAY_MESSAGE_MAX = 65535
};

struct play {
	const struct rpl_scenario *s;
	const struct rpl_play_options *o;
	struct rpl_world *w;
	int now; /* number of the step under way */
	unsigned n_used;
	const struct rpl_step *used[PLAY_REPLIES_MAX]; /* REPLY steps that were needed */
	uint16_t next_id;
	uint8_t query[PLAY_MESSAGE_MAX];
	size_t query_len;
};

/* ---- the servers ---- */

static bool speaks_for(const struct play *p, const struct rpl_range *g, const struct ip *ip)
{
	if (p->now < g->from || p->now > g->to)
		return false;
	for (unsigned i = 0; i < g->n_addresses; i++)
		if (ip_equal(&g->addresses[i], ip))
			return true;
	return g->n_addresses == 0;
}

static const struct rpl_entry *find_entry(const struct play *p, const struct rpl_asked *a)
{
	for (const struct rpl_range *g = p->s->ranges; g; g = g->next) {
		if (!speaks_for(p, g, &a->server->ip))
			continue;
		for (const struct rpl_entry *e = g->entries; e; e = e->next)
			if (rpl_entry_matches(e, a))
				return e;
	}
	return NULL;
}

/* The referral or NXDOMAIN for a question that is not scripted: the nearest above. */
static const struct rpl_entry *find_cover(const struct play *p, const struct rpl_asked *a)
{
	const struct rpl_entry *best = NULL;

	for (const struct rpl_range *g = p->s->ranges; g; g = g->next) {
		if (!speaks_for(p, g, &a->server->ip))
			continue;
		for (const struct rpl_entry *e = g->entries; e; e = e->next)
			if (rpl_entry_covers(e, a) &&
				(!best || dname_labels(e->packet.q.name) >
						  dname_labels(best->packet.q.name)))
				best = e;
	}
	return best;
}

/* A STEP REPLY that is still to come answers one question. */
static const struct rpl_entry *find_reply_step(struct play *p, const struct rpl_asked *a)
{
	for (const struct rpl_step *s = p->s->steps; s; s = s->next) {
		bool is_used = false;

		if (s->action != RPL_REPLY || s->id < p->now || !rpl_entry_matches(s->entry, a))
			continue;
		for (unsigned i = 0; i < p->n_used; i++)
			is_used |= p->used[i] == s;
		if (is_used || p->n_used == PLAY_REPLIES_MAX)
			continue;
		p->used[p->n_used++] = s;
		return s->entry;
	}
	return NULL;
}

static void send_entry(struct play *p, const struct rpl_entry *e, const struct rpl_asked *a,
	uint64_t handle, bool copy_query)
{
	static uint8_t out[PLAY_MESSAGE_MAX];

	for (const struct rpl_packet *k = &e->packet; k; k = k->next) {
		int delay_ms = PLAY_RTT_MS * (a->is_tcp ? 2 : 1) + k->delay_ms;
		size_t len;

		if (k->adjust & RPL_ICMP) {
			rpl_world_fail(p->w, handle, ERR_UNREACHABLE,
				delay_ms + (a->is_tcp ? 0 : TRANSPORT_ICMP_GRACE_MS));
			continue;
		}
		if (k->adjust & RPL_CLOSE) {
			rpl_world_fail(p->w, handle, ERR_CLOSED, delay_ms);
			continue;
		}
		len = rpl_entry_write(k, a, copy_query, out, sizeof(out));
		if (len > 0)
			rpl_world_reply(p->w, handle, out, len, delay_ms);
	}
}

static bool is_hint(const struct play *p, const struct ip *ip)
{
	const struct resolver_conf *c = p->w->conf;

	for (size_t i = 0; i < c->n_hints; i++) {
		struct rrset_iter it = rrset_begin(c->hints[i]);

		while (rrset_next(&it))
			if (c->hints[i]->type != DNS_TYPE_NS && it.len == ip_len(ip) &&
				memcmp(it.rdata, ip->bytes, it.len) == 0)
				return true;
	}
	return false;
}

/* What no entry scripts: the root knows its servers, all else is SERVFAIL. */
static void send_unscripted(struct play *p, const struct rpl_asked *a, uint64_t handle)
{
	static uint8_t out[PLAY_MESSAGE_MAX];
	const struct resolver_conf *c = p->w->conf;
	const struct question *q = &a->q->q;
	bool is_root = q->type == DNS_TYPE_NS && q->name_len == 1 && is_hint(p, &a->server->ip);
	struct msg_writer w;
	int err = 0;

	msg_write_begin(&w, out, sizeof(out), a->q->id,
		is_root ? DNS_FLAG_QR | DNS_FLAG_AA : DNS_FLAG_QR | DNS_RCODE_SERVFAIL, q);
	for (size_t i = 0; is_root && i < c->n_hints; i++)
		err |= msg_write_rrset(&w,
			c->hints[i]->type == DNS_TYPE_NS ? DNS_SECTION_ANSWER
							 : DNS_SECTION_ADDITIONAL,
			c->hints[i], c->hints[i]->ttl, false);
	if (err)
		abort(); /* hints fit into a message */
	rpl_world_reply(p->w, handle, out, msg_write_end(&w), PLAY_RTT_MS);
}

static void on_asked(void *arg, const struct rpl_asked *a, uint64_t handle)
{
	struct play *p = arg;
	const struct rpl_entry *e = find_entry(p, a);

	if (!e)
		e = find_reply_step(p, a);
	if (e) {
		send_entry(p, e, a, handle, false);
		return;
	}
	e = find_cover(p, a);
	if (p->o->is_verbose)
		fprintf(stderr, "    (not scripted)\n");
	if (e)
		send_entry(p, e, a, handle, true);
	else
		send_unscripted(p, a, handle);
}

/* ---- the client ---- */

/* "$" in the name asked for stands for the number of the repetition. */
static struct question numbered(const struct question *q, unsigned number)
{
	char text[DNAME_TEXT_MAX], out[DNAME_TEXT_MAX + 16];
	struct question numbered = *q;
	char *sign;
	size_t len;

	dname_format(q->name, text);
	sign = strchr(text, '$');
	if (!sign)
		return numbered;
	/* Some escape it. */
	len = (size_t)(sign - text);
	if (len > 0 && text[len - 1] == '\\')
		len--;
	snprintf(out, sizeof(out), "%.*s%u%s", (int)len, text, number, sign + 1);
	if (dname_read(out, numbered.name, &len) != 0)
		abort();
	numbered.name_len = (uint8_t)len;
	return numbered;
}

static void write_query(struct play *p, const struct rpl_step *s, unsigned number)
{
	const struct rpl_packet *k = &s->entry->packet;
	struct question q = numbered(&k->q, number);
	struct edns_reply opt = {.udp_size = 4096, .is_do = k->is_do, .ede = DNS_EDE_NONE};
	bool has_edns = !(k->adjust & RPL_NO_EDNS);

	if (k->is_raw) {
		memcpy(p->query, k->raw, k->raw_len);
		p->query_len = k->raw_len;
	} else if (msg_write_query(p->query, sizeof(p->query), ++p->next_id, k->flags, &q,
			   has_edns ? &opt : NULL, &p->query_len) != 0) {
		fprintf(stderr, "%s:%u: cannot write the query\n", p->s->path, s->line);
		exit(2);
	}
	for (unsigned i = 0; i < k->n_patches; i++)
		if (k->patches[i].at + (size_t)k->patches[i].len <= sizeof(p->query))
			memcpy(p->query + k->patches[i].at, k->patches[i].bytes, k->patches[i].len);
	if (k->keep >= 0 && (size_t)k->keep < p->query_len)
		p->query_len = (size_t)k->keep;
}

static struct ip_port client_of(const struct rpl_step *s, unsigned i)
{
	struct ip_port client = {.ip = s->client, .port = (uint16_t)(4242 + i)};

	if (!client.ip.family)
		client.ip = ip_from4(0x7f000001);
	if (s->spread && client.ip.family == AF_INET)
		client.ip = ip_from4(ip_to4(&client.ip) + i);
	return client;
}

static void ask(struct play *p, const struct rpl_step *s, unsigned i)
{
	struct ip_port client = client_of(s, i);

	rpl_world_ask(p->w, &client, s->is_tcp, p->query, p->query_len);
}

static void do_query(struct play *p, const struct rpl_step *s)
{
	p->w->question++;
	p->w->n_waiting = 0;
	p->w->is_quiet = true;
	for (unsigned i = 0; i < s->repeat; i++) {
		write_query(p, s, i);
		ask(p, s, i);
	}
	if (!s->next || s->next->action != RPL_CHECK_ANSWER) {
		rpl_world_settle(p->w, PLAY_SETTLE_MS);
		return;
	}
	for (int i = 0; i < PLAY_RESENDS && !p->w->is_quiet; i++) {
		if (i > 0 && s->repeat == 1 && !s->is_tcp) {
			p->w->n_waiting = 0; /* the one before will not be answered any more */
			ask(p, s, 0);
		}
		rpl_world_run(p->w, PLAY_RESEND_MS, &p->w->is_quiet);
	}
	rpl_world_settle(p->w, PLAY_SETTLE_MS);
}

/* ---- the steps ---- */

static void say(const struct play *p, const struct rpl_step *s)
{
	if (p->o->is_verbose)
		fprintf(stderr, " step %d (line %u)\n", s->id, s->line);
}

static bool play_step(struct play *p, const struct rpl_step *s, char *why)
{
	p->now = s->id;
	say(p, s);
	switch (s->action) {
	case RPL_QUERY:
		do_query(p, s);
		return true;
	case RPL_TIME_PASSES:
		rpl_world_run(p->w, s->elapse_ms, NULL);
		return true;
	case RPL_NETWORK_CHANGED:
		rpl_world_network_changed(p->w);
		return true;
	case RPL_REPLY: /* was found when the question came */
	case RPL_NOTHING:
		return true;
	default:
		return rpl_check(p->w, s, why);
	}
}

static bool play_once(
	const struct rpl_scenario *s, const struct rpl_play_options *o, bool qmin, char *why)
{
	struct play p = {.s = s, .o = o};
	struct resolver_conf *conf = rpl_config(s, qmin, o->is_verbose);
	char what[RPL_WHY_LEN];
	bool is_good = true;

	p.w = rpl_world_new(conf, rpl_config_wall_s(s), o->seed);
	p.w->is_verbose = o->is_verbose;
	p.w->on_asked = on_asked;
	p.w->arg = &p;
	for (const struct rpl_step *step = s->steps; step && is_good; step = step->next) {
		is_good = play_step(&p, step, what);
		if (!is_good)
			snprintf(why, RPL_WHY_LEN, "step %d (line %u)%s: %.8000s", step->id,
				step->line, qmin ? "" : ", not minimised", what);
	}
	rpl_world_free(p.w);
	return is_good;
}

bool rpl_play(const struct rpl_scenario *s, const struct rpl_play_options *o, char *why)
{
	bool qmin = true;

	if (rpl_config_has_minimisation(s, &qmin))
		return play_once(s, o, qmin, why);
	return play_once(s, o, true, why) && play_once(s, o, false, why);
}
