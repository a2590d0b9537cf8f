/* SPDX-License-Identifier: Apache-2.0 */
/* RELEASE and DECLINE, from the holder only, and INFORM. What they end ends in memory at once, the
 * name with it; the disk follows. Should that write fail the record is written again later, and if
 * the machine dies before, the address merely stays with the client until its time is over. */
#include "base/log.h"
#include "dhcp/server4_state.h"

static void server4_warn_foreign(const struct server4_ctx *c, const char *what, uint32_t addr)
{
	char who[CLIENT4_TEXT_LEN], text[IP_TEXT_LEN];
	struct ip ip = ip_from4(addr);

	c->s->counters.drop_not_holder++;
	log_limited(LOG_LEVEL_WARN, DHCP_NOT_HOLDER,
		"%s of %s by %s, who does not hold it: ignored", what, ip_format(&ip, text),
		client4_format(&c->client, who));
}

/* The bound lease that the message speaks of; NULL: dropped and counted. */
static struct lease *server4_held_lease(struct server4_ctx *c, const char *what, uint32_t addr)
{
	struct lease *l = server4_own_lease(c, addr);
	const struct offer *o = offer_get(c->s->offers, addr);
	uint32_t server_id = 0;

	if (opt4_u32(&c->req->opts, DHCP_OPT_SERVER_ID, &server_id) &&
		!server4_is_ours(c, server_id)) {
		c->s->counters.drop_other_server++;
		return NULL;
	}
	if (o && o->stage) {
		c->s->counters.drop_pending++;
		return NULL;
	}
	if (!l || l->state != LEASE_BOUND) {
		server4_warn_foreign(c, what, addr);
		return NULL;
	}
	return l;
}

static enum server4_verdict server4_stage_end(struct server4_ctx *c, struct lease *l)
{
	c->out->stage = server4_stage_lease(c->s, l, SERVER4_FREE, c->now);
	return c->out->stage ? SERVER4_STAGE : SERVER4_DROP;
}

enum server4_verdict server4_release(struct server4_ctx *c)
{
	struct lease *l = server4_held_lease(c, "RELEASE", c->req->ciaddr);

	if (!l)
		return SERVER4_DROP;
	server4_unpublish(c->s, l);
	l->last_seen_s = c->now.wall_s;
	lease_end(c->s->leases, l, LEASE_RELEASED, c->now.mono_ms);
	return server4_stage_end(c, l);
}

/* False: this client has declined enough for an hour. */
static bool server4_believe_decline(struct server4_ctx *c)
{
	uint64_t hash = client4_hash(&c->s->opts.key, &c->client);
	struct server4_decliner *d = &c->s->decliners[hash % SERVER4_DECLINERS];

	if (d->client != hash || c->now.mono_ms - d->since_ms > 3600 * 1000)
		*d = (struct server4_decliner){.client = hash, .since_ms = c->now.mono_ms};
	return d->n++ < DHCP_DECLINES_PER_HOUR;
}

enum server4_verdict server4_decline(struct server4_ctx *c)
{
	char who[CLIENT4_TEXT_LEN], text[IP_TEXT_LEN];
	struct lease_record rec;
	struct lease *l;
	struct ip ip;
	uint32_t addr;
	int64_t rest_s;

	if (!opt4_u32(&c->req->opts, DHCP_OPT_REQUESTED_IP, &addr))
		return server4_drop(&c->s->counters.drop_incomplete);
	l = server4_held_lease(c, "DECLINE", addr);
	if (!l)
		return SERVER4_DROP;
	if (!server4_believe_decline(c))
		return server4_drop(&c->s->counters.drop_decline_limit);
	ip = ip_from4(addr);
	log_limited(LOG_LEVEL_WARN, DHCP_DECLINED, "%s declined by %s: somebody else uses it",
		ip_format(&ip, text), client4_format(&c->client, who));
	rest_s = reserve_of_address(c->s->reserve, addr) ? DHCP_QUARANTINE_DEVICE_S
							 : DHCP_QUARANTINE_S;
	if (offer_get(c->s->offers, addr)) /* its own, not staged */
		server4_unhold(c->s, offer_get(c->s->offers, addr));
	server4_unpublish(c->s, l);
	lease_to_record(c->s->leases, l, c->s->offset_ms, &rec);
	rec.state = LEASE_DECLINED;
	rec.hostname[0] = '\0';
	rec.expires_s = c->now.wall_s + rest_s;
	rec.last_seen_s = c->now.wall_s;
	l = lease_put(c->s->leases, &rec, c->now.mono_ms + rest_s * 1000, c->now.mono_ms);
	return l ? server4_stage_end(c, l) : SERVER4_DROP;
}

enum server4_verdict server4_inform(struct server4_ctx *c)
{
	uint32_t addr = c->req->ciaddr ? c->req->ciaddr : c->in->peer;
	const struct dhcp_lan *lan = server4_lan_on_wire(c, addr);

	/* The answer goes to ciaddr: only within the lan, or strangers could aim it. */
	if (!addr || !lan)
		return server4_drop(&c->s->counters.drop_incomplete);
	if (lan != c->lan)
		server4_move(c, lan);
	return server4_send_inform(c);
}
