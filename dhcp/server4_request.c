/* SPDX-License-Identifier: Apache-2.0 */
/* DISCOVER, and REQUEST in its four states (RFC 2131 4.3.1, 4.3.2, table 4). */
#include "base/log.h"
#include "dhcp/server4_state.h"

/* Worth asking the wire: we are on it, and the client was not the last to use the address. */
static bool server4_needs_probe(const struct server4_ctx *c, uint32_t addr, const struct offer *o)
{
	return c->lan->probe && !c->is_relayed && c->lan->address && c->lan->ifindex &&
	       !o->is_probed && !server4_own_lease(c, addr);
}

/* True: the request waits for the wire's answer. */
static bool server4_start_probe(struct server4_ctx *c, struct offer *o)
{
	if (!o->is_probing) {
		if (probe_start(c->s->probes, o->addr, c->lan->ifindex, c->client.hw,
			    c->now.mono_ms) < 0) {
			c->s->counters.probe_skipped++;
			return false;
		}
		o->is_probing = true;
		c->s->counters.probe++;
		c->out->ip = o->addr;
		c->out->ifindex = c->lan->ifindex;
	}
	probe_keep(c->s->probes, o->addr, c->pkt, c->len, c->in, sizeof(*c->in));
	return true;
}

enum server4_verdict server4_discover(struct server4_ctx *c)
{
	bool was_probing;
	struct offer *o;
	uint32_t addr;

	if (!server4_choose(c, &addr))
		return SERVER4_DROP;
	o = server4_hold(c, addr);
	if (!o)
		return SERVER4_DROP;
	was_probing = o->is_probing;
	if (server4_needs_probe(c, addr, o) && server4_start_probe(c, o))
		return was_probing ? server4_drop(&c->s->counters.drop_pending) : SERVER4_HOLD;
	if (c->lan->rapid_commit && opt4_has(&c->req->opts, DHCP_OPT_RAPID_COMMIT) && !o->stage)
		return server4_grant(c, addr, true);
	return server4_send_offer(c, addr);
}

/* The client took another server's offer. */
static enum server4_verdict server4_is_elsewhere(struct server4_ctx *c)
{
	struct offer *o = server4_own_offer(c);

	if (o && offer_is_idle(o))
		server4_unhold(c->s, o);
	return server4_drop(&c->s->counters.drop_other_server);
}

static enum server4_verdict server4_selecting(struct server4_ctx *c, uint32_t addr)
{
	const struct dhcp_lan *lan = server4_lan_on_wire(c, addr);

	if (lan && lan != c->lan)
		server4_move(c, lan);
	if (lan && server4_can_have(c, addr, true))
		return server4_grant(c, addr, true);
	return server4_send_nak(c, "the address is not available");
}

/* We have a record of the client on this wire, of whatever address (RFC 2131 4.3.2). */
static bool server4_is_known(const struct server4_ctx *c)
{
	const struct lease *l = lease_first_of(c->s->leases, &c->client);

	while (l && !server4_lan_on_wire(c, l->addr))
		l = lease_next_of(l, &c->client);
	return l || server4_own_offer(c);
}

/* Its live lease is another one: then its notion of its address is wrong. */
static bool server4_has_another(const struct server4_ctx *c, uint32_t addr)
{
	const struct lease *l = lease_first_of(c->s->leases, &c->client);

	while (l && (l->state != LEASE_BOUND || !server4_lan_on_wire(c, l->addr)))
		l = lease_next_of(l, &c->client);
	return l && !server4_own_lease(c, addr);
}

/* INIT-REBOOT, RENEWING, REBINDING: the client says it has addr. */
static enum server4_verdict server4_has_already(struct server4_ctx *c, uint32_t addr, bool is_new)
{
	const struct dhcp_lan *lan = server4_lan_on_wire(c, addr);

	if (!lan)
		return c->lan->authoritative || c->is_relayed
			       ? server4_send_nak(c, "the address belongs to another network")
			       : server4_drop(&c->s->counters.drop_unknown);
	if (lan != c->lan)
		server4_move(c, lan);
	/* Not known to us: a server with authority may adopt what its lost state had granted, as
	 * long as nobody else has a claim on it. */
	if (!c->lan->authoritative && !server4_is_known(c))
		return server4_drop(&c->s->counters.drop_unknown);
	if (!server4_has_another(c, addr) && server4_can_have(c, addr, false))
		return server4_grant(c, addr, is_new);
	return server4_send_nak(c, "the address is not yours");
}

enum server4_verdict server4_request(struct server4_ctx *c)
{
	uint32_t server_id = 0, asked = 0, ciaddr = c->req->ciaddr;
	bool has_server = opt4_u32(&c->req->opts, DHCP_OPT_SERVER_ID, &server_id);
	bool has_asked = opt4_u32(&c->req->opts, DHCP_OPT_REQUESTED_IP, &asked) && asked;

	if (has_server && !server4_is_ours(c, server_id))
		return server4_is_elsewhere(c);
	if (has_server && has_asked)
		return server4_selecting(c, asked);
	if (ciaddr)
		return server4_has_already(c, ciaddr, false);
	if (has_asked)
		return server4_has_already(c, asked, true);
	return server4_drop(&c->s->counters.drop_incomplete);
}
