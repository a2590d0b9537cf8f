/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request comes from. A relay is believed when its giaddr lies in a subnet we are connected
 * to, or stands among a lan's `relay`, or its source does; only then do link selection (82.5),
 * subnet selection (118) and server-id override (82.11) count. */
#include "base/log.h"
#include "dhcp/class4.h"
#include "dhcp/server4_state.h"

static bool server4_is_in(const uint32_t *list, size_t n, uint32_t addr)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == addr)
			return true;
	}
	return false;
}

static bool server4_is_own(const struct server4 *s, uint32_t addr)
{
	return server4_is_in(s->conf->own, s->conf->n_own, addr);
}

const struct dhcp_lan *server4_lan_of(const struct server4 *s, uint32_t addr)
{
	for (size_t i = 0; i < s->conf->n_lans; i++) {
		if (dhcp_lan_has(&s->conf->lans[i], addr))
			return &s->conf->lans[i];
	}
	return NULL;
}

static const struct dhcp_lan *server4_lan_by_interface(const struct server4 *s, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < s->conf->n_lans; i++) {
		if (s->conf->lans[i].ifindex == ifindex)
			return &s->conf->lans[i];
	}
	return NULL;
}

/* The lan a giaddr speaks for; NULL: not a relay of ours. */
static const struct dhcp_lan *server4_lan_by_relay(const struct server4_ctx *c, uint32_t giaddr)
{
	const struct dhcp_lan *lan = server4_lan_of(c->s, giaddr);
	const struct dhcp_conf *conf = c->s->conf;

	if (lan && (lan->address || server4_is_in(lan->relays, lan->n_relays, giaddr) ||
			   server4_is_in(lan->relays, lan->n_relays, c->in->peer)))
		return lan;
	for (size_t i = 0; !lan && i < conf->n_lans; i++) {
		if (server4_is_in(conf->lans[i].relays, conf->lans[i].n_relays, giaddr))
			return &conf->lans[i];
	}
	return NULL;
}

static uint32_t server4_relay_ip(const struct server4_ctx *c, uint8_t code)
{
	size_t len;
	const uint8_t *data = opt4_sub(c->relay, c->relay_len, code, &len);

	return data && len == 4 ? (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 |
					  (uint32_t)data[2] << 8 | data[3]
				: 0;
}

/* RFC 3046, 3527, 5107, 3011: what a believed relay adds. */
static bool server4_read_relay(struct server4_ctx *c)
{
	uint32_t link, override;
	const uint8_t *circuit;
	size_t len;

	c->relay = opt4_get(&c->req->opts, DHCP_OPT_RELAY, &c->relay_len);
	link = server4_relay_ip(c, DHCP_RELAY_LINK_SELECTION);
	if (!link && !opt4_u32(&c->req->opts, DHCP_OPT_SUBNET_SELECTION, &link))
		link = 0;
	if (link) {
		c->lan = server4_lan_of(c->s, link);
		if (!c->lan)
			return false;
	}
	override = server4_relay_ip(c, DHCP_RELAY_SERVER_ID);
	if (override)
		c->server_id = override;
	circuit = opt4_sub(c->relay, c->relay_len, DHCP_RELAY_CIRCUIT_ID, &len);
	if (circuit)
		c->circuit = (hash_bytes(&c->s->opts.key, circuit, len) ^ c->req->giaddr) | 1;
	return true;
}

static bool server4_find_relayed(struct server4_ctx *c)
{
	uint32_t giaddr = c->req->giaddr;

	c->is_relayed = true;
	c->lan = server4_is_own(c->s, giaddr) ? NULL : server4_lan_by_relay(c, giaddr);
	if (c->lan && server4_read_relay(c))
		return true;
	c->s->counters.drop_relay++;
	log_limited(LOG_LEVEL_WARN, DHCP_RELAY_UNKNOWN,
		"a relay with giaddr %u.%u.%u.%u is in no lan of ours and not among their relays",
		giaddr >> 24, giaddr >> 16 & 255, giaddr >> 8 & 255, giaddr & 255);
	return false;
}

/* Our address as the client sees it. */
static bool server4_find_local(struct server4_ctx *c)
{
	c->local = c->in->local;
	if (c->local == 0 || c->local == DHCP_BROADCAST)
		c->local = c->lan ? c->lan->address : 0;
	if (c->local == 0 && c->s->conf->n_own)
		c->local = c->s->conf->own[0];
	c->server_id = c->local;
	return c->local != 0;
}

bool server4_find_lan(struct server4_ctx *c)
{
	const struct dhcp_lan *here = server4_lan_by_interface(c->s, c->in->ifindex);
	const struct dhcp_lan *there;

	c->lan = here;
	if (!server4_find_local(c)) {
		c->s->counters.drop_lan++;
		return false;
	}
	if (c->req->giaddr)
		return server4_find_relayed(c);
	/* A renewal or INFORM that was routed to us: the lan is the client's. */
	if (!c->in->is_broadcast && c->req->ciaddr && c->in->peer == c->req->ciaddr) {
		there = server4_lan_of(c->s, c->req->ciaddr);
		if (there && (!here || there->wire != here->wire))
			c->lan = there;
	}
	if (!c->lan)
		c->s->counters.drop_lan++;
	return c->lan != NULL;
}

bool server4_is_ours(const struct server4_ctx *c, uint32_t server_id)
{
	return server_id == c->server_id || server4_is_own(c->s, server_id);
}

const struct dhcp_lan *server4_lan_on_wire(const struct server4_ctx *c, uint32_t addr)
{
	const struct dhcp_conf *conf = c->s->conf;

	if (dhcp_lan_has(c->lan, addr))
		return c->lan;
	for (size_t i = 0; i < conf->n_lans; i++) {
		if (conf->lans[i].wire == c->lan->wire && dhcp_lan_has(&conf->lans[i], addr))
			return &conf->lans[i];
	}
	return NULL;
}

static void server4_add_classes(struct server4_ctx *c, const struct dhcp_class *classes, size_t n)
{
	struct class4_view v = {.req = c->req,
		.client = &c->client,
		.device = c->device,
		.relay = c->relay,
		.relay_len = c->relay_len};

	for (size_t i = 0; i < n && c->n_classes < SERVER4_CLASSES_MAX; i++) {
		if (class4_matches(&classes[i], &v))
			c->classes[c->n_classes++] = &classes[i];
	}
}

void server4_move(struct server4_ctx *c, const struct dhcp_lan *lan)
{
	c->lan = lan;
	c->device = reserve_find(c->s->reserve, lan, &c->client);
	c->n_classes = 0;
	server4_add_classes(c, lan->classes, lan->n_classes);
	server4_add_classes(c, c->s->conf->classes, c->s->conf->n_classes);
}

void server4_identify(struct server4_ctx *c)
{
	const struct dhcp_conf *conf = c->s->conf;
	const struct dhcp_lan *first = c->lan;

	for (size_t i = 0; i < conf->n_lans; i++) {
		const struct dhcp_lan *lan = &conf->lans[i];
		const struct dhcp_device *d;

		if (lan->wire != first->wire)
			continue;
		d = reserve_find(c->s->reserve, lan, &c->client);
		if (d && d->address && dhcp_lan_has(lan, d->address)) {
			server4_move(c, lan);
			return;
		}
	}
	server4_move(c, first);
}

bool server4_is_ignored(const struct server4_ctx *c)
{
	for (size_t i = 0; i < c->n_classes; i++) {
		if (c->classes[i]->ignore)
			return true;
	}
	return false;
}
