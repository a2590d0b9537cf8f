/* SPDX-License-Identifier: Apache-2.0 */
/* The order that promise 1 is about: staged (nothing has changed but memory's reservation), on the
 * disk, bound and named, sent. While a stage is out its address has an offer that points to it: so
 * nobody else gets the address, and the client's repetition is known as one. */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "dhcp/server4_state.h"

/* Stages kept for reuse; the rest of a burst is given back. */
enum { SERVER4_STAGES_KEPT = 256 };

static struct server4_stage *server4_stage_new(struct server4 *s, enum server4_kind kind)
{
	struct server4_stage *st = s->free_stages;

	if (s->n_staged >= DHCP_STAGED_MAX) {
		s->counters.drop_busy++;
		return NULL;
	}
	if (st) {
		s->free_stages = st->next;
		s->n_free_stages--;
	} else {
		st = xalloc(sizeof(*st));
	}
	st->kind = kind;
	st->n_changes = 0;
	st->prev = NULL;
	st->next = s->stages;
	if (s->stages)
		s->stages->prev = st;
	s->stages = st;
	s->n_staged++;
	return st;
}

static void server4_stage_del(struct server4 *s, struct server4_stage *st)
{
	if (st->kind == SERVER4_ACK && st->rec.hostname[0])
		table_del(&s->claims, &st->claim);
	if (st->prev)
		st->prev->next = st->next;
	else
		s->stages = st->next;
	if (st->next)
		st->next->prev = st->prev;
	s->n_staged--;
	if (s->n_free_stages >= SERVER4_STAGES_KEPT) {
		xfree(st);
		return;
	}
	st->next = s->free_stages;
	s->free_stages = st;
	s->n_free_stages++;
}

const struct lease_change *server4_changes(const struct server4_stage *stage, size_t *out_n)
{
	*out_n = stage->n_changes;
	return stage->changes;
}

static void server4_add_change(struct server4_stage *st, const struct lease_record *rec)
{
	st->changes[st->n_changes++] = (struct lease_change){.op = LEASE_PUT, .record = rec};
}

/* ---- records ---- */

/* What the client calls itself, as text, or what it called itself before. */
static void server4_keep_asked(
	const struct server4_ctx *c, const struct lease *old, struct lease_record *rec)
{
	struct ddname_asked a = ddname_asked(&c->req->opts);
	size_t n = 0;

	if (!a.raw || a.len == 0) {
		rec->asked_len = old ? old->asked_len : 0;
		if (old)
			memcpy(rec->asked, old->bytes + old->id_len, old->asked_len);
		return;
	}
	if (!a.is_wire) {
		rec->asked_len = (uint8_t)(a.len > 255 ? 255 : a.len);
		memcpy(rec->asked, a.raw, rec->asked_len);
		return;
	}
	for (size_t at = 0; at < a.len && a.raw[at] && at + 1 + a.raw[at] <= a.len;) {
		size_t label = a.raw[at];

		if (label > 63 || n + label + 1 > sizeof(rec->asked))
			break;
		if (n)
			rec->asked[n++] = '.';
		memcpy(rec->asked + n, a.raw + at + 1, label);
		n += label;
		at += 1 + label;
	}
	rec->asked_len = (uint8_t)n;
}

static void server4_fill_record(const struct server4_ctx *c, uint32_t addr, const struct lease *old,
	const char *label, uint32_t lease_s, struct lease_record *rec)
{
	*rec = (struct lease_record){
		.ip = ip_from4(addr),
		.prefix_len = 32,
		.state = LEASE_BOUND,
		.hw_type = c->client.hw_type,
		.hw_len = c->client.hw_len,
		.id_len = c->client.id_len,
		.start_s = old && old->state == LEASE_BOUND ? old->start_s : c->now.wall_s,
		.expires_s =
			lease_s == DHCP_LEASE_FOREVER ? LEASE_FOREVER : c->now.wall_s + lease_s,
		.last_seen_s = c->now.wall_s,
	};
	memcpy(rec->hw, c->client.hw, sizeof(rec->hw));
	if (c->client.id_len)
		memcpy(rec->id, c->client.id, c->client.id_len);
	memcpy(rec->hostname, label, strlen(label) + 1);
	memcpy(rec->lan, c->lan->name, strnlen(c->lan->name, sizeof(rec->lan) - 1));
	server4_keep_asked(c, old, rec);
}

/* Another live lease of the client on the same wire: given up with this ACK. */
static struct lease *server4_given_up(const struct server4_ctx *c, uint32_t addr)
{
	struct lease *l = lease_first_of(c->s->leases, &c->client);

	while (l &&
		(l->addr == addr || l->state != LEASE_BOUND || !server4_lan_on_wire(c, l->addr)))
		l = lease_next_of(l, &c->client);
	return l;
}

/* ---- granting ---- */

/* The client asks again for what was just acknowledged: its ACK was lost, or ours crossed its
 * question. What is on the disk covers the time that is left, so nothing is written. */
static enum server4_verdict server4_repeat(struct server4_ctx *c, struct lease *l)
{
	char label[DDNAME_LEN];
	uint32_t left_s = DHCP_LEASE_FOREVER;

	memcpy(label, l->bytes + l->id_len + l->asked_len, l->host_len);
	label[l->host_len] = '\0';
	if (l->due_ms != LEASE_NEVER)
		left_s = (uint32_t)((l->due_ms - c->now.mono_ms) / 1000);
	if (!server4_write_ack(c, l->addr, left_s, label, c->out))
		return server4_drop(&c->s->counters.drop_malformed);
	c->s->counters.repeat++;
	c->s->counters.ack++;
	return SERVER4_SEND;
}

static bool server4_is_repeat(const struct server4_ctx *c, const struct lease *l)
{
	return l && l->state == LEASE_BOUND && l->is_on_disk && l->last_ack_ms &&
	       l->last_xid == c->req->xid && c->now.mono_ms - l->last_ack_ms < DHCP_REPEAT_MS &&
	       l->due_ms - c->now.mono_ms > DHCP_REPEAT_MS;
}

static void server4_fill_stage(struct server4_ctx *c, struct server4_stage *st, uint32_t addr,
	const struct lease *old, uint32_t lease_s)
{
	struct lease *given_up = server4_given_up(c, addr);

	st->addr = addr;
	st->xid = c->req->xid;
	st->arrived_ms = c->in->arrived_ms ? c->in->arrived_ms : c->now.mono_ms;
	st->due_ms = lease_s == DHCP_LEASE_FOREVER ? LEASE_NEVER
						   : c->now.mono_ms + (int64_t)lease_s * 1000;
	st->boots = pxe_kind(c->req) != PXE_NONE;
	st->domain = c->lan->domain_index;
	st->owner = server4_owner(c->s, c->device, &c->client);
	st->is_new |= !old || old->state != LEASE_BOUND;
	server4_add_change(st, &st->rec);
	if (!given_up)
		return;
	lease_to_record(c->s->leases, given_up, c->s->offset_ms, &st->old);
	st->old.state = LEASE_RELEASED;
	st->old.hostname[0] = '\0';
	server4_add_change(st, &st->old);
}

enum server4_verdict server4_grant(struct server4_ctx *c, uint32_t addr, bool is_new)
{
	struct lease *old = server4_own_lease(c, addr);
	uint32_t lease_s = server4_lease_s(c);
	struct server4_stage *st;
	char label[DDNAME_LEN];
	struct offer *o;

	if (server4_is_repeat(c, old))
		return server4_repeat(c, old);
	if (!lease_get(c->s->leases, addr) &&
		lease_count(c->s->leases) + c->s->n_staged >= DHCP_LEASES_MAX)
		return server4_drop(&c->s->counters.drop_busy);
	o = server4_hold(c, addr);
	if (!o)
		return SERVER4_DROP;
	if (o->stage)
		return server4_drop(&c->s->counters.drop_pending);
	st = server4_stage_new(c->s, SERVER4_ACK);
	if (!st)
		return SERVER4_DROP;
	server4_name(c, addr, old, label);
	server4_fill_record(c, addr, old, label, lease_s, &st->rec);
	st->is_new = is_new;
	server4_fill_stage(c, st, addr, old, lease_s);
	if (label[0])
		table_put(&c->s->claims, &st->claim,
			hash_bytes(&c->s->opts.key, label, strlen(label)) ^ st->domain);
	if (!server4_write_ack(c, addr, lease_s, label, &st->reply)) {
		server4_stage_del(c->s, st);
		return server4_drop(&c->s->counters.drop_malformed);
	}
	o->stage = st;
	if (o->is_probing) { /* the client is ahead of the probe */
		probe_cancel(c->s->probes, addr);
		o->is_probing = false;
	}
	c->out->stage = st;
	return SERVER4_STAGE;
}

struct server4_stage *server4_stage_lease(
	struct server4 *s, struct lease *l, enum server4_kind kind, struct server4_now now)
{
	struct server4_stage *st = server4_stage_new(s, kind);

	if (!st) {
		l->is_dirty = true;
		s->restate_due_ms = now.mono_ms + SERVER4_RETRY_MS;
		return NULL;
	}
	lease_to_record(s->leases, l, s->offset_ms, &st->rec);
	st->addr = l->addr;
	server4_add_change(st, &st->rec);
	return st;
}

/* ---- the commit is over ---- */

/* Names the client's other leases had are this one's now: a client that moved is where it came to,
 * not where it was. */
static void server4_move_name(
	struct server4 *s, const struct server4_stage *st, const struct client4 *c)
{
	struct lease *l = lease_first_of(s->leases, c);

	for (; l; l = lease_next_of(l, c)) {
		if (l->addr != st->addr && l->is_named)
			server4_unpublish(s, l);
	}
}

static void server4_give_up(struct server4 *s, const struct server4_stage *st, int64_t now_ms)
{
	struct lease *l = lease_get(s->leases, ip_to4(&st->old.ip));
	struct client4 c =
		client4_of(st->rec.hw_type, st->rec.hw, st->rec.hw_len, st->rec.id, st->rec.id_len);

	if (!l || !lease_is_of(l, &c))
		return;
	server4_unpublish(s, l);
	if (l->state == LEASE_BOUND)
		lease_end(s->leases, l, LEASE_RELEASED, now_ms);
}

static bool server4_bind(struct server4 *s, struct server4_stage *st, struct server4_now now)
{
	struct lease *l = lease_get(s->leases, st->addr);
	struct client4 c;
	uint8_t host_len;

	if (st->n_changes > 1)
		server4_give_up(s, st, now.mono_ms);
	host_len = l ? l->host_len : 0;
	/* Another label or owner at this address: the old name goes first. */
	if (l && l->is_named &&
		(l->state != LEASE_BOUND || host_len != strlen(st->rec.hostname) ||
			memcmp(l->bytes + l->id_len + l->asked_len, st->rec.hostname, host_len) ||
			l->name_owner != st->owner || l->name_domain != st->domain))
		server4_unpublish(s, l);
	l = lease_put(s->leases, &st->rec, st->due_ms, now.mono_ms);
	if (!l)
		return false;
	l->last_xid = st->xid;
	l->last_ack_ms = now.mono_ms;
	l->is_dirty = false;
	server4_note_stored(s, l, now);
	c = lease_client(l);
	if (st->is_new)
		server4_move_name(s, st, &c);
	server4_publish(s, l, st->domain, st->owner);
	return true;
}

static enum server4_verdict server4_committed_ack(struct server4 *s, struct server4_stage *st,
	int err, struct server4_now now, struct server4_reply *out)
{
	struct offer *o = offer_get(s->offers, st->addr);

	assert(o && o->stage == st);
	o->stage = NULL;
	if (err < 0) { /* the promise stands, the client will ask again */
		offer_renew(s->offers, o, now.mono_ms);
		s->counters.commit_failed++;
		return SERVER4_DROP;
	}
	if (!server4_bind(s, st, now)) {
		s->counters.drop_busy++;
		return SERVER4_DROP;
	}
	server4_unhold(s, o);
	if (st->boots)
		server4_boot_done(s, st->rec.hw);
	if (now.mono_ms - st->arrived_ms > DHCP_REPLY_MS) {
		s->counters.drop_late++;
		return SERVER4_DROP;
	}
	*out = st->reply;
	s->counters.ack++;
	return SERVER4_SEND;
}

/* RELEASE, DECLINE and restated records: memory is ahead of the disk already. */
static void server4_committed_other(
	struct server4 *s, const struct server4_stage *st, int err, struct server4_now now)
{
	struct lease *l = lease_get(s->leases, st->addr);

	if (!l)
		return;
	if (err < 0) {
		l->is_dirty = true;
		s->restate_due_ms = now.mono_ms + SERVER4_RETRY_MS;
		return;
	}
	l->is_dirty = false;
	if (l->state == (uint8_t)st->rec.state) {
		l->stored_s = st->rec.expires_s;
		l->is_on_disk = true;
	}
}

enum server4_verdict server4_committed(struct server4 *s, struct server4_stage *stage, int err,
	struct server4_now now, struct server4_reply *out)
{
	enum server4_verdict v = SERVER4_DROP;

	server4_watch_clock(s, now);
	if (stage->kind == SERVER4_ACK)
		v = server4_committed_ack(s, stage, err, now, out);
	else
		server4_committed_other(s, stage, err, now);
	server4_stage_del(s, stage);
	return v;
}
