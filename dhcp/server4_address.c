/* SPDX-License-Identifier: Apache-2.0 */
/* Which address a client gets. In order: its device's own; the one it has or had; the one it is
 * being offered; the one it asks for; a free one; the one whose lease ended longest ago; one whose
 * offer nobody took up; the one declined longest ago. */
#include "base/log.h"
#include "dhcp/server4_state.h"

/* Ended leases, and offers, looked at from the oldest before giving up: those in front may just be
 * promised to others. */
enum { SERVER4_LOOK_MAX = 256 };

struct lease *server4_own_lease(const struct server4_ctx *c, uint32_t addr)
{
	struct lease *l = lease_get(c->s->leases, addr);

	return l && lease_is_of(l, &c->client) ? l : NULL;
}

struct offer *server4_own_offer(const struct server4_ctx *c)
{
	struct offer *o = offer_first_of(c->s->offers, &c->client);

	while (o && !server4_lan_on_wire(c, o->addr))
		o = offer_next_of(o);
	return o;
}

static uint32_t server4_device_address(const struct server4_ctx *c)
{
	return c->device && c->device->address && dhcp_lan_has(c->lan, c->device->address)
		       ? c->device->address
		       : 0;
}

static const struct dhcp_class *server4_pool_class(const struct server4_ctx *c)
{
	for (size_t i = 0; i < c->n_classes; i++) {
		for (unsigned p = 0; c->classes[i]->n_pools && p < pick_count(c->s->pick); p++) {
			if (c->s->pools[p].class == c->classes[i] && c->s->pools[p].lan == c->lan)
				return c->classes[i];
		}
	}
	return NULL;
}

/* The client may use this pool: its class's where it has one, else the lan's. */
static bool server4_is_pool(
	const struct server4_ctx *c, unsigned pool, const struct dhcp_class *class)
{
	return pool < pick_count(c->s->pick) && c->s->pools[pool].lan == c->lan &&
	       c->s->pools[pool].class == class;
}

/* Another client of the same device holds it: the device moves. */
static bool server4_is_same_device(const struct server4_ctx *c, const struct client4 *other)
{
	return c->device && reserve_find(c->s->reserve, c->lan, other) == c->device;
}

/* A foreign client stands in the way at addr, by lease or by offer. */
static bool server4_is_held(const struct server4_ctx *c, uint32_t addr, bool ended_too)
{
	const struct lease *l = lease_get(c->s->leases, addr);
	const struct offer *o = offer_get(c->s->offers, addr);
	struct client4 other;

	if (o && !client4_equal(&o->client, &c->client) &&
		!(server4_is_same_device(c, &o->client) && offer_is_idle(o)))
		return true;
	if (!l || lease_is_of(l, &c->client))
		return false;
	if (l->state == LEASE_DECLINED)
		return true;
	other = lease_client(l);
	if (server4_is_same_device(c, &other))
		return false;
	return l->state == LEASE_BOUND || ended_too;
}

bool server4_may_have(const struct server4_ctx *c, uint32_t addr)
{
	const struct dhcp_device *owner = reserve_of_address(c->s->reserve, addr);
	uint32_t fixed = server4_device_address(c);

	if (!dhcp_lan_has(c->lan, addr))
		return false;
	if (owner && owner == c->device)
		return true;
	/* The device's own stands ready: then it may have no other. (Another device's is blocked in
	 * its pool.) */
	if (fixed && !server4_is_held(c, fixed, false))
		return false;
	return !pick_is_blocked(c->s->pick, addr) &&
	       server4_is_pool(c, pick_pool_of(c->s->pick, addr), server4_pool_class(c));
}

bool server4_can_have(const struct server4_ctx *c, uint32_t addr, bool is_ours)
{
	return server4_may_have(c, addr) && !server4_is_held(c, addr, !is_ours);
}

/* The client's lease in this lan that it may go on with: a live one before ended ones, and the
 * latest of those. */
static struct lease *server4_previous(const struct server4_ctx *c)
{
	struct lease *best = NULL;
	struct lease *l = lease_first_of(c->s->leases, &c->client);

	for (; l; l = lease_next_of(l, &c->client)) {
		if (!server4_can_have(c, l->addr, false))
			continue;
		if (!best || (l->state == LEASE_BOUND && best->state != LEASE_BOUND) ||
			((l->state == LEASE_BOUND) == (best->state == LEASE_BOUND) &&
				l->due_ms > best->due_ms))
			best = l;
	}
	return best;
}

static bool server4_choose_known(const struct server4_ctx *c, uint32_t *out)
{
	uint32_t fixed = server4_device_address(c), asked = 0;
	const struct offer *o;
	const struct lease *l;

	if (fixed && server4_can_have(c, fixed, true)) {
		*out = fixed;
		return true;
	}
	l = server4_previous(c);
	o = server4_own_offer(c);
	if (l)
		*out = l->addr;
	else if (o && server4_can_have(c, o->addr, true))
		*out = o->addr;
	else if (opt4_u32(&c->req->opts, DHCP_OPT_REQUESTED_IP, &asked) &&
		 server4_may_have(c, asked) && pick_is_free(c->s->pick, asked))
		*out = asked;
	else
		return false;
	return true;
}

static bool server4_choose_free(const struct server4_ctx *c, uint32_t *out)
{
	const struct dhcp_class *class = server4_pool_class(c);

	if (lease_count(c->s->leases) + c->s->n_staged >= DHCP_LEASES_MAX)
		return false;
	for (unsigned pool = 0; pool < pick_count(c->s->pick); pool++) {
		if (server4_is_pool(c, pool, class) && pick_find(c->s->pick, pool, out) == 0)
			return true;
	}
	return false;
}

/* A full table of leases makes room by the same way: the new lease takes the old one's object. */
static bool server4_choose_ended(const struct server4_ctx *c, uint32_t *out)
{
	const struct dhcp_class *class = server4_pool_class(c);

	for (unsigned pool = 0; pool < pick_count(c->s->pick); pool++) {
		struct lease *l = lease_oldest_ended(c->s->leases, pool);

		if (!server4_is_pool(c, pool, class))
			continue;
		for (unsigned i = 0; l && i < SERVER4_LOOK_MAX; i++, l = l->old_next) {
			if (pick_is_blocked(c->s->pick, l->addr) ||
				offer_get(c->s->offers, l->addr))
				continue;
			c->s->counters.reused++;
			lease_pass(c->s->leases, l);
			*out = l->addr;
			return true;
		}
	}
	return false;
}

static bool server4_choose_offered(const struct server4_ctx *c, uint32_t *out)
{
	const struct dhcp_class *class = server4_pool_class(c);
	struct offer *o = offer_older_first(c->s->offers, NULL);

	for (unsigned i = 0; o && i < SERVER4_LOOK_MAX;
		i++, o = offer_older_first(c->s->offers, o)) {
		const struct lease *l;

		if (c->now.mono_ms - o->made_ms < DHCP_OFFER_MIN_MS)
			return false;
		l = lease_get(c->s->leases, o->addr);
		if (!offer_is_idle(o) || (l && l->state == LEASE_BOUND) ||
			pick_is_blocked(c->s->pick, o->addr) ||
			!server4_is_pool(c, pick_pool_of(c->s->pick, o->addr), class))
			continue;
		*out = o->addr;
		server4_unhold(c->s, o);
		c->s->counters.offer_revoked++;
		return true;
	}
	return false;
}

static bool server4_choose_declined(const struct server4_ctx *c, uint32_t *out)
{
	const struct dhcp_class *class = server4_pool_class(c);

	for (unsigned pool = 0; pool < pick_count(c->s->pick); pool++) {
		struct lease *l = lease_oldest_declined(c->s->leases, pool);

		while (l &&
			(pick_is_blocked(c->s->pick, l->addr) || offer_get(c->s->offers, l->addr)))
			l = l->old_next;
		if (!l || !server4_is_pool(c, pool, class) ||
			c->now.mono_ms - l->put_ms < DHCP_QUARANTINE_MIN_MS)
			continue;
		*out = l->addr;
		lease_del(c->s->leases, l);
		c->s->counters.decline_reclaimed++;
		return true;
	}
	return false;
}

typedef bool (*server4_choice_fn)(const struct server4_ctx *c, uint32_t *out);

/* Try one way in this lan and then in the others of the wire. */
static bool server4_choose_by(struct server4_ctx *c, server4_choice_fn choice, uint32_t *out)
{
	const struct dhcp_lan *first = c->lan;

	if (choice(c, out))
		return true;
	for (size_t i = 0; i < c->s->conf->n_lans; i++) {
		const struct dhcp_lan *lan = &c->s->conf->lans[i];

		if (lan->wire != first->wire || lan == first)
			continue;
		server4_move(c, lan);
		if (choice(c, out))
			return true;
	}
	if (c->lan != first)
		server4_move(c, first);
	return false;
}

bool server4_choose(struct server4_ctx *c, uint32_t *out)
{
	static const server4_choice_fn ways[] = {server4_choose_known, server4_choose_free,
		server4_choose_ended, server4_choose_offered, server4_choose_declined};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (server4_choose_by(c, ways[i], out))
			return true;
	}
	c->s->counters.drop_no_address++;
	log_limited(
		LOG_LEVEL_WARN, DHCP_POOL_EMPTY, "lan %s: no address left to offer", c->lan->name);
	return false;
}

/* ---- promises ---- */

/* When no more offers fit the oldest idle one goes, unless it is too young. */
static void server4_make_room(struct server4 *s, int64_t now_ms)
{
	struct offer *o = offer_older_first(s->offers, NULL);

	if (offer_count(s->offers) < DHCP_OFFERS_MAX)
		return;
	for (unsigned i = 0; o && i < SERVER4_LOOK_MAX; i++, o = offer_older_first(s->offers, o)) {
		if (!offer_is_idle(o))
			continue;
		if (now_ms - o->made_ms >= DHCP_OFFER_MIN_MS)
			server4_unhold(s, o);
		return;
	}
}

struct offer *server4_hold(struct server4_ctx *c, uint32_t addr)
{
	struct offer *o = offer_get(c->s->offers, addr);
	struct offer *own = server4_own_offer(c);

	if (own && own->addr != addr && offer_is_idle(own))
		server4_unhold(c->s, own); /* one a client */
	if (o && client4_equal(&o->client, &c->client)) {
		offer_renew(c->s->offers, o, c->now.mono_ms);
		return o;
	}
	if (o && offer_is_idle(o)) /* another client of the same device */
		server4_unhold(c->s, o);
	else if (o) {
		c->s->counters.drop_pending++;
		return NULL;
	}
	server4_make_room(c->s, c->now.mono_ms);
	if (offer_put(c->s->offers, addr, &c->client, c->circuit, c->now.mono_ms, &o) < 0) {
		(*(offer_count(c->s->offers) < DHCP_OFFERS_MAX ? &c->s->counters.drop_circuit
							       : &c->s->counters.drop_busy))++;
		return NULL;
	}
	pick_take(c->s->pick, addr);
	return o;
}

void server4_unhold(struct server4 *s, struct offer *o)
{
	uint32_t addr = o->addr;

	if (o->is_probing)
		probe_cancel(s->probes, addr);
	offer_del(s->offers, o);
	if (!lease_get(s->leases, addr))
		pick_give(s->pick, addr);
}

void server4_quarantine(struct server4 *s, uint32_t addr, int64_t seconds, struct server4_now now)
{
	struct lease *l = lease_get(s->leases, addr);
	struct lease_record rec = {.ip = ip_from4(addr), .prefix_len = 32, .state = LEASE_DECLINED};

	rec.start_s = rec.last_seen_s = now.wall_s;
	if (l)
		server4_unpublish(s, l);
	(void)lease_put(s->leases, &rec, now.mono_ms + seconds * 1000, now.mono_ms);
}
