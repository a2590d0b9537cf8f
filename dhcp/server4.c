/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life, and the one door its packets come through. */
#include "dhcp/server4.h"

#include <string.h>

#include "base/xalloc.h"
#include "dhcp/server4_state.h"

struct server4 *server4_new(
	const struct server4_opts *opts, const struct dhcp_conf *conf, struct server4_now now)
{
	struct server4 *s = xcalloc(1, sizeof(*s));

	_Static_assert(sizeof(struct server4_arrival) <= PROBE_EXTRA_MAX, "kept with a probe");
	s->opts = *opts;
	s->leases = lease_table_new(&s->opts.key);
	s->offers = offer_table_new(&s->opts.key);
	s->probes = probe_new();
	s->probed = xcalloc(1, sizeof(*s->probed));
	s->sweep_ms = now.mono_ms;
	server4_configure(s, conf, now);
	return s;
}

static void server4_free_stages(struct server4_stage *st)
{
	while (st) {
		struct server4_stage *next = st->next;

		xfree(st);
		st = next;
	}
}

void server4_free(struct server4 *s)
{
	if (!s)
		return;
	server4_free_stages(s->stages);
	server4_free_stages(s->free_stages);
	offer_table_free(s->offers);
	lease_table_free(s->leases);
	probe_free(s->probes);
	reserve_free(s->reserve);
	pick_free(s->pick);
	table_fini(&s->claims);
	xfree(s->probed);
	xfree(s->pools);
	xfree(s);
}

/* ---- from the disk ---- */

/* Thirty thousand years: no clock says so, and sums of such times fit. */
#define SERVER4_TIME_MAX (INT64_C(1) << 40)

static bool server4_is_time(int64_t s)
{
	return s > -SERVER4_TIME_MAX && s < SERVER4_TIME_MAX;
}

/* A clock behind the record's own last sign of life is wrong: then the lease has its whole length
 * before it, no more. */
static int64_t server4_left_s(const struct lease_record *r, int64_t wall_s)
{
	return r->expires_s - (wall_s > r->last_seen_s ? wall_s : r->last_seen_s);
}

int server4_load(struct server4 *s, const struct lease_record *record, struct server4_now now)
{
	int64_t left_s, due_ms;
	const struct lease_record *rec = record;
	struct lease_record ended;

	if (record->ip.family != AF_INET || record->prefix_len != 32 ||
		!server4_is_time(record->expires_s) || !server4_is_time(record->start_s) ||
		!server4_is_time(record->last_seen_s))
		return ERR_RANGE;
	left_s = server4_left_s(record, now.wall_s);
	/* One more second: the clock's fraction was cut off when the record was written. */
	due_ms = now.mono_ms + (left_s + 1) * 1000;
	if (record->state == LEASE_DECLINED) {
		if (left_s <= 0)
			return 0;
		if (left_s > DHCP_QUARANTINE_S)
			due_ms = now.mono_ms + (int64_t)DHCP_QUARANTINE_S * 1000;
	} else if (record->expires_s == LEASE_FOREVER && record->state == LEASE_BOUND) {
		due_ms = LEASE_NEVER;
	} else if (record->state == LEASE_BOUND && left_s < 0) {
		ended = *record;
		ended.state = LEASE_EXPIRED;
		rec = &ended;
	}
	return lease_put(s->leases, rec, due_ms, now.mono_ms) ? 0 : ERR_LIMIT;
}

void server4_loaded(struct server4 *s, struct server4_now now)
{
	struct lease *l;
	size_t at = 0;

	server4_watch_clock(s, now);
	lease_repool(s->leases, s->pick);
	s->is_loaded = true;
	while ((l = lease_walk(s->leases, &at)))
		server4_publish_known(s, l);
}

/* ---- packets ---- */

enum server4_verdict server4_drop(uint64_t *counter)
{
	(*counter)++;
	return SERVER4_DROP;
}

static enum server4_verdict server4_dispatch(struct server4_ctx *c)
{
	struct dhcp_counters *n = &c->s->counters;

	switch (c->req->type) {
	case DHCP_DISCOVER:
		n->discover++;
		return server4_discover(c);
	case DHCP_REQUEST:
		n->request++;
		return server4_request(c);
	case DHCP_DECLINE:
		n->decline++;
		return server4_decline(c);
	case DHCP_RELEASE:
		n->release++;
		return server4_release(c);
	case DHCP_INFORM:
		n->inform++;
		return server4_inform(c);
	default:
		return server4_drop(c->req->type ? &n->drop_type : &n->drop_bootp);
	}
}

enum server4_verdict server4_answer_parsed(struct server4_ctx *c)
{
	struct dhcp_counters *n = &c->s->counters;
	const uint8_t *id;
	size_t id_len;

	if (c->req->op != DHCP_BOOTREQUEST)
		return server4_drop(&n->drop_type);
	if (c->req->hops > DHCP_HOPS_MAX)
		return server4_drop(&n->drop_hops);
	id = opt4_get(&c->req->opts, DHCP_OPT_CLIENT_ID, &id_len);
	c->client = client4_of(c->req->htype, c->req->chaddr, c->req->hlen, id, id_len);
	if (client4_is_nobody(&c->client))
		return server4_drop(&n->drop_malformed);
	if (!server4_find_lan(c))
		return SERVER4_DROP;
	server4_identify(c);
	if (server4_is_ignored(c))
		return server4_drop(&n->drop_ignored);
	return server4_dispatch(c);
}

enum server4_verdict server4_answer(struct server4 *s, const uint8_t *pkt, size_t len,
	const struct server4_arrival *arrival, struct server4_now now, struct server4_reply *out)
{
	struct server4_arrival in = *arrival;
	struct pkt4 req;
	struct server4_ctx c = {
		.s = s, .req = &req, .in = &in, .pkt = pkt, .len = len, .now = now, .out = out};

	server4_watch_clock(s, now);
	out->stage = NULL;
	if (in.arrived_ms == 0)
		in.arrived_ms = now.mono_ms;
	if (now.mono_ms - in.arrived_ms > DHCP_REPLY_MS)
		return server4_drop(&s->counters.drop_late);
	if (pkt4_parse(&req, pkt, len) < 0)
		return server4_drop(&s->counters.drop_malformed);
	return server4_answer_parsed(&c);
}

/* ---- looking in ---- */

int server4_each(struct server4 *s, struct server4_now now, server4_lease_fn fn, void *arg)
{
	struct lease_record rec;
	struct lease *l;
	size_t at = 0;
	int stop = 0;

	server4_watch_clock(s, now);
	while (!stop && (l = lease_walk(s->leases, &at))) {
		lease_to_record(s->leases, l, s->offset_ms, &rec);
		stop = fn(&rec, arg);
	}
	return stop;
}

int server4_lease(struct server4 *s, uint32_t ip, struct server4_now now, struct lease_record *out)
{
	const struct lease *l = lease_get(s->leases, ip);

	server4_watch_clock(s, now);
	if (!l)
		return ERR_ABSENT;
	lease_to_record(s->leases, l, s->offset_ms, out);
	return 0;
}

struct server4_lan_stats server4_lan_stats(const struct server4 *s, size_t i)
{
	struct server4_lan_stats out = {.name = s->conf->lans[i].name};

	for (unsigned p = 0; p < pick_count(s->pick); p++) {
		struct pick_stats picks = pick_stats(s->pick, p);
		struct lease_stats leases = lease_pool_stats(s->leases, p);

		if (s->pools[p].lan != &s->conf->lans[i])
			continue;
		out.n_pool += picks.n_usable;
		out.n_free += picks.n_free;
		out.n_ended += leases.n_ended;
		out.n_declined += leases.n_declined;
	}
	return out;
}

struct server4_stats server4_stats(const struct server4 *s)
{
	struct lease_stats leases = lease_stats(s->leases);

	return (struct server4_stats){
		.counters = s->counters,
		.n_bound = leases.n_bound,
		.n_ended = leases.n_ended,
		.n_declined = leases.n_declined,
		.n_offers = offer_count(s->offers),
		.n_staged = s->n_staged,
		.n_probing = probe_count(s->probes),
	};
}
