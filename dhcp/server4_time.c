/* SPDX-License-Identifier: Apache-2.0 */
/* What happens without a packet: probes end, leases and offers end, the wall clock steps. */
#include <string.h>

#include "base/log.h"
#include "dhcp/server4_state.h"

/* Differences below this are the grain of a clock that counts seconds. */
enum { SERVER4_CLOCK_GRAIN_MS = 1500, SERVER4_SWEEP_MS = 1000 };

/* Leases end by the monotonic clock, so a step of the wall clock ends none. But the disk and the
 * names hold Unix times, and those must follow (reliability J2). */
void server4_watch_clock(struct server4 *s, struct server4_now now)
{
	int64_t offset = now.wall_s * 1000 - now.mono_ms;
	int64_t diff = offset - s->offset_ms;

	if (!s->is_offset_set) {
		s->offset_ms = offset;
		s->is_offset_set = true;
		return;
	}
	if (diff > -SERVER4_CLOCK_GRAIN_MS && diff < SERVER4_CLOCK_GRAIN_MS)
		return;
	s->offset_ms = offset;
	if (diff > -DHCP_CLOCK_STEP_S * 1000 && diff < DHCP_CLOCK_STEP_S * 1000)
		return;
	s->counters.clock_step++;
	s->is_restating = true;
	s->restate_at = 0;
	log_limited(LOG_LEVEL_WARN, DHCP_CLOCK_STEP,
		"the wall clock stepped by %lld s: leases keep their length and are written anew",
		(long long)(diff / 1000));
}

static bool server4_must_restate(const struct server4 *s, const struct lease *l)
{
	int64_t diff = lease_expires_s(l, s->offset_ms) - l->stored_s;

	if (l->is_dirty)
		return true;
	return l->is_on_disk && l->state == LEASE_BOUND &&
	       (diff > DHCP_CLOCK_STEP_S || diff < -DHCP_CLOCK_STEP_S);
}

void server4_note_stored(struct server4 *s, const struct lease *l, struct server4_now now)
{
	if (server4_must_restate(s, l) && !s->restate_due_ms)
		s->restate_due_ms = now.mono_ms;
}

/* The same lease by the new clock: its past moves along with its end. */
static void server4_shift(struct lease *l, int64_t expires_s)
{
	int64_t by_s = expires_s - l->stored_s;

	if (l->state != LEASE_BOUND || expires_s == LEASE_FOREVER || !l->is_on_disk)
		return;
	l->stored_s = expires_s;
	l->start_s += by_s;
	l->last_seen_s += by_s;
}

/* One record written anew, or none to write for now. */
static enum server4_verdict server4_restate(
	struct server4 *s, struct server4_now now, struct server4_reply *out)
{
	struct lease *l;

	for (unsigned i = 0; s->is_restating && i < DHCP_SWEEP_BATCH * 8; i++) {
		const struct offer *o;

		l = lease_walk(s->leases, &s->restate_at);
		if (!l) {
			s->is_restating = false;
			break;
		}
		o = offer_get(s->offers, l->addr);
		if (!server4_must_restate(s, l) || (o && o->stage))
			continue; /* an ACK that is under way writes it */
		server4_shift(l, lease_expires_s(l, s->offset_ms));
		if (l->is_named)
			server4_publish(s, l, l->name_domain, l->name_owner);
		out->stage = server4_stage_lease(s, l, SERVER4_RESTATE, now);
		return out->stage ? SERVER4_STAGE : SERVER4_IDLE;
	}
	return SERVER4_IDLE;
}

static void server4_expire_one(struct server4 *s, struct lease *l, int64_t now_ms)
{
	if (l->state == LEASE_DECLINED) {
		lease_del(s->leases, l);
		return;
	}
	server4_unpublish(s, l);
	lease_end(s->leases, l, LEASE_EXPIRED, now_ms);
	s->counters.expired++;
}

/* True: there may be more. */
static bool server4_sweep(struct server4 *s, int64_t now_ms)
{
	struct offer *o = offer_older_first(s->offers, NULL);
	struct lease *l;
	unsigned n = 0;

	while (n < DHCP_SWEEP_BATCH && (l = lease_next_due(s->leases, now_ms))) {
		server4_expire_one(s, l, now_ms);
		n++;
	}
	while (o && o->due_ms <= now_ms && n < 2 * DHCP_SWEEP_BATCH) {
		struct offer *next = offer_older_first(s->offers, o);

		if (offer_is_idle(o))
			server4_unhold(s, o);
		o = next;
		n++;
	}
	return n >= DHCP_SWEEP_BATCH;
}

/* ---- probes ---- */

static enum server4_verdict server4_answer_kept(
	struct server4 *s, struct server4_now now, struct server4_reply *out)
{
	const struct probe_result *p = s->probed;
	struct server4_arrival in;
	struct pkt4 req;
	struct server4_ctx c = {
		.s = s, .req = &req, .in = &in, .pkt = p->pkt, .len = p->len, .now = now};

	memcpy(&in, p->extra, sizeof(in));
	c.out = out;
	if (p->len == 0 || pkt4_parse(&req, p->pkt, p->len) < 0)
		return SERVER4_DROP;
	if (now.mono_ms - in.arrived_ms > DHCP_REPLY_MS) /* the offer stands for the next one */
		return server4_drop(&s->counters.drop_late);
	return server4_answer_parsed(&c);
}

static void server4_note_conflict(struct server4 *s, struct server4_now now)
{
	const struct probe_result *p = s->probed;
	struct offer *o = offer_get(s->offers, p->addr);
	struct client4 other = client4_of(DHCP_HTYPE_ETHERNET, p->mac, sizeof(p->mac), NULL, 0);
	char who[CLIENT4_TEXT_LEN], text[IP_TEXT_LEN];
	struct ip ip = ip_from4(p->addr);

	if (o)
		server4_unhold(s, o);
	server4_quarantine(s, p->addr, DHCP_CONFLICT_S, now);
	s->counters.conflict++;
	log_limited(LOG_LEVEL_WARN, DHCP_CONFLICT,
		"%s is used by %s without a lease: not handed out", ip_format(&ip, text),
		client4_format(&other, who));
}

static enum server4_verdict server4_next_probe(
	struct server4 *s, struct server4_now now, struct server4_reply *out)
{
	enum server4_verdict v = SERVER4_DROP;

	while (v == SERVER4_DROP) {
		struct offer *o;

		probe_next(s->probes, now.mono_ms, s->probed);
		if (s->probed->event == PROBE_NONE)
			return SERVER4_IDLE;
		if (s->probed->event == PROBE_ASK) {
			out->ip = s->probed->addr;
			out->ifindex = s->probed->ifindex;
			return SERVER4_HOLD;
		}
		o = offer_get(s->offers, s->probed->addr);
		if (o)
			o->is_probing = false;
		if (s->probed->event == PROBE_CONFLICT)
			server4_note_conflict(s, now);
		else if (o)
			o->is_probed = true;
		v = server4_answer_kept(s, now, out);
	}
	return v;
}

enum server4_verdict server4_on_timer(
	struct server4 *s, struct server4_now now, struct server4_reply *out)
{
	enum server4_verdict v;

	server4_watch_clock(s, now);
	v = server4_next_probe(s, now, out);
	if (v != SERVER4_IDLE)
		return v;
	if (now.mono_ms >= s->sweep_ms)
		s->sweep_ms = server4_sweep(s, now.mono_ms) ? now.mono_ms
							    : now.mono_ms + SERVER4_SWEEP_MS;
	if (s->restate_due_ms && now.mono_ms >= s->restate_due_ms) {
		s->restate_due_ms = 0;
		s->is_restating = true;
		s->restate_at = 0;
	}
	return server4_restate(s, now, out);
}

int64_t server4_next_ms(const struct server4 *s, struct server4_now now)
{
	int64_t next = s->sweep_ms, probe = probe_next_ms(s->probes);

	if (next > now.mono_ms + SERVER4_SWEEP_MS)
		next = now.mono_ms + SERVER4_SWEEP_MS;
	if (probe < next)
		next = probe;
	if (s->restate_due_ms && s->restate_due_ms < next)
		next = s->restate_due_ms;
	return s->is_restating ? now.mono_ms : next;
}

void server4_on_arp(
	struct server4 *s, uint32_t ifindex, uint32_t ip, const uint8_t mac[DHCP_MAC_LEN])
{
	probe_on_arp(s->probes, ifindex, ip, mac);
}
