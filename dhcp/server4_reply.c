/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply says and where it goes (RFC 2131 4.1, tables 3 and 5). An option comes from the
 * device, else from a class, else from the lan, else from what we know ourselves. */
#include <string.h>

#include "dhcp/server4_state.h"

/* Replies are put together here and written at once; too large for many stacks, so one a call. */
struct server4_draft {
	struct pkt4_reply reply;
	char url[PXE_URL_MAX];
	uint8_t search[256];
	uint8_t fqdn[DDNAME_FQDN_MAX];
};

static void server4_begin(const struct server4_ctx *c, struct pkt4_reply *r, uint8_t type)
{
	uint16_t max_size = 0;

	pkt4_reply_init(r);
	r->type = type;
	r->htype = c->req->htype;
	r->hlen = c->req->hlen;
	r->xid = c->req->xid;
	r->flags = c->req->flags;
	r->giaddr = c->req->giaddr;
	memcpy(r->chaddr, c->req->chaddr, sizeof(r->chaddr));
	r->asked = opt4_get(&c->req->opts, DHCP_OPT_REQUEST_LIST, &r->n_asked);
	/* RFC 3046 2.2: what a relay added goes back to it, unchanged; only to relays. */
	if (c->is_relayed) {
		r->relay = c->relay;
		r->relay_len = c->relay_len;
	}
	if (!opt4_u16(&c->req->opts, DHCP_OPT_MAX_SIZE, &max_size))
		max_size = 0;
	r->max_len = pkt4_max_len(max_size);
	pkt4_put_u32(r, DHCP_OPT_SERVER_ID, PKT4_ALWAYS, c->server_id);
	if (c->client.id_len) /* RFC 6842 */
		pkt4_put(r, DHCP_OPT_CLIENT_ID, PKT4_ALWAYS, c->client.id, c->client.id_len);
}

/* "a.b" as one name in wire form, for option 119 (RFC 3397). 0: none. */
static size_t server4_wire_name(const char *text, uint8_t out[256])
{
	size_t n = 0;

	while (*text) {
		size_t label = strcspn(text, ".");

		if (label == 0 || label > 63 || n + label + 2 > 255)
			return 0;
		out[n++] = (uint8_t)label;
		memcpy(out + n, text, label);
		n += label;
		text += label + (text[label] == '.');
	}
	if (n)
		out[n++] = 0;
	return n;
}

static void server4_put_ours(const struct server4_ctx *c, struct server4_draft *d)
{
	const struct dhcp_lan *lan = c->lan;
	struct pkt4_reply *r = &d->reply;
	size_t search;

	pkt4_put_u32(r, DHCP_OPT_MASK, PKT4_ALWAYS, dhcp_lan_mask(lan));
	if (lan->router)
		pkt4_put_u32(r, DHCP_OPT_ROUTER, PKT4_IF_ASKED, lan->router);
	if (lan->n_dns)
		pkt4_put_ips(r, DHCP_OPT_DNS, PKT4_IF_ASKED, lan->dns, lan->n_dns);
	else
		pkt4_put_ips(r, DHCP_OPT_DNS, PKT4_IF_ASKED, &c->local, 1);
	pkt4_put_u32(r, DHCP_OPT_BROADCAST, PKT4_IF_ASKED, lan->subnet | ~dhcp_lan_mask(lan));
	if (!lan->domain || !lan->domain[0])
		return;
	pkt4_put_text(r, DHCP_OPT_DOMAIN, PKT4_IF_ASKED, lan->domain);
	search = server4_wire_name(lan->domain, d->search);
	if (search)
		pkt4_put(r, DHCP_OPT_SEARCH, PKT4_ONLY_IF_LISTED, d->search, search);
}

/* Facts of the exchange, which no configuration may change. */
static bool server4_is_fact(uint8_t code)
{
	return code == DHCP_OPT_LEASE || code == DHCP_OPT_SERVER_ID || code == DHCP_OPT_CLIENT_ID ||
	       code == DHCP_OPT_FQDN || code == DHCP_OPT_RAPID_COMMIT;
}

static void server4_put_config(struct pkt4_reply *r, const struct dhcp_option *options, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct dhcp_option *o = &options[i];

		if (server4_is_fact(o->code))
			continue;
		if (o->len == 0)
			pkt4_ban(r, o->code);
		else
			pkt4_put(r, o->code, o->force ? PKT4_ALWAYS : PKT4_IF_ASKED, o->data,
				o->len);
	}
}

/* Older Windows asks for classless routes under a number of its own (249, the same form). */
static void server4_put_routes_ms(struct pkt4_reply *r)
{
	const struct pkt4_option *routes;

	if (!pkt4_is_put(r, DHCP_OPT_ROUTES) || pkt4_is_put(r, DHCP_OPT_ROUTES_MS))
		return;
	routes = &r->options[r->place[DHCP_OPT_ROUTES] - 1];
	pkt4_put(r, DHCP_OPT_ROUTES_MS, PKT4_ONLY_IF_LISTED, routes->data, routes->len);
}

/* From the least to the most particular: a later one replaces. */
static void server4_put_options(const struct server4_ctx *c, struct server4_draft *d)
{
	server4_put_ours(c, d);
	server4_put_config(&d->reply, c->lan->options, c->lan->n_options);
	for (size_t i = c->n_classes; i-- > 0;)
		server4_put_config(&d->reply, c->classes[i]->options, c->classes[i]->n_options);
	if (c->device)
		server4_put_config(&d->reply, c->device->options, c->device->n_options);
	server4_put_routes_ms(&d->reply);
}

static void server4_put_name(
	const struct server4_ctx *c, struct server4_draft *d, const char *label)
{
	struct ddname_asked asked = ddname_asked(&c->req->opts);
	size_t len;

	if (label[0])
		pkt4_put_copy(
			&d->reply, DHCP_OPT_HOSTNAME, PKT4_ONLY_IF_LISTED, label, strlen(label));
	ddname_fqdn_reply(&asked, label, c->lan->domain ? c->lan->domain : "", d->fqdn, &len);
	if (len) /* RFC 4702 4: only to clients that sent it, and then always */
		pkt4_put(&d->reply, DHCP_OPT_FQDN, PKT4_ALWAYS, d->fqdn, len);
}

static void server4_put_times(struct pkt4_reply *r, uint32_t lease_s)
{
	pkt4_put_u32(r, DHCP_OPT_LEASE, PKT4_ALWAYS, lease_s);
	if (lease_s == DHCP_LEASE_FOREVER)
		return;
	pkt4_put_u32(r, DHCP_OPT_T1, PKT4_ALWAYS, lease_s / 2);
	pkt4_put_u32(r, DHCP_OPT_T2, PKT4_ALWAYS, (uint32_t)((uint64_t)lease_s * 7 / 8));
}

/* ---- where to ---- */

/* RFC 8357: the relay wants it at the port it sent from. */
static uint16_t server4_relay_port(const struct server4_ctx *c)
{
	size_t len;

	return opt4_sub(c->relay, c->relay_len, DHCP_RELAY_SOURCE_PORT, &len) && c->in->peer_port
		       ? c->in->peer_port
		       : DHCP_SERVER_PORT;
}

static void server4_address_to(
	const struct server4_ctx *c, const struct pkt4_reply *r, struct server4_reply *out)
{
	bool is_ethernet = c->req->htype == DHCP_HTYPE_ETHERNET && c->req->hlen == DHCP_MAC_LEN;

	out->ifindex = c->in->ifindex;
	out->source = c->local;
	out->port = DHCP_CLIENT_PORT;
	out->path = SERVER4_TO_IP;
	if (c->is_relayed && !(r->type == DHCP_ACK && c->req->type == DHCP_INFORM)) {
		out->ip = c->req->giaddr;
		out->port = server4_relay_port(c);
	} else if (r->type == DHCP_NAK) {
		/* A routed renewal: nobody hears our broadcast there. */
		bool is_far =
			!c->in->is_broadcast && c->req->ciaddr && c->lan->ifindex != c->in->ifindex;

		out->path = is_far ? SERVER4_TO_IP : SERVER4_TO_BROADCAST;
		out->ip = is_far ? c->req->ciaddr : DHCP_BROADCAST;
	} else if (r->ciaddr) {
		out->ip = r->ciaddr;
	} else if ((c->req->flags & DHCP_FLAG_BROADCAST) || !is_ethernet) {
		out->path = SERVER4_TO_BROADCAST;
		out->ip = DHCP_BROADCAST;
	} else {
		out->path = SERVER4_TO_LINK;
		out->ip = r->yiaddr;
		memcpy(out->mac, c->req->chaddr, sizeof(out->mac));
	}
}

static bool server4_finish(struct server4_ctx *c, struct pkt4_reply *r, struct server4_reply *out)
{
	unsigned n_cut;

	if (pkt4_write(r, out->bytes, sizeof(out->bytes), &out->len, &n_cut) < 0)
		return false;
	c->s->counters.options_cut += n_cut;
	server4_address_to(c, r, out);
	return true;
}

static enum server4_verdict server4_sent(struct server4_ctx *c, bool is_written, uint64_t *counter)
{
	if (!is_written)
		return server4_drop(&c->s->counters.drop_malformed);
	(*counter)++;
	return SERVER4_SEND;
}

/* ---- the four replies ---- */

uint32_t server4_lease_s(const struct server4_ctx *c)
{
	uint32_t lease_s = c->device ? c->device->lease_s : 0;
	uint32_t max = c->lan->max_lease_s, asked;

	for (size_t i = 0; !lease_s && i < c->n_classes; i++)
		lease_s = c->classes[i]->lease_s;
	if (lease_s) /* said for this client: it may ask for less */
		max = lease_s;
	else
		lease_s = c->lan->lease_s;
	if (max < lease_s)
		max = lease_s;
	if (opt4_u32(&c->req->opts, DHCP_OPT_LEASE, &asked) && asked) {
		lease_s = asked > max ? max : asked;
		if (lease_s < c->lan->min_lease_s)
			lease_s = c->lan->min_lease_s < max ? c->lan->min_lease_s : max;
	}
	return lease_s ? lease_s : 1;
}

/* OFFER and ACK differ in little. */
static bool server4_write_grant(struct server4_ctx *c, uint8_t type, uint32_t addr,
	uint32_t lease_s, const char *label, struct server4_reply *out)
{
	struct server4_draft d;

	server4_begin(c, &d.reply, type);
	d.reply.yiaddr = addr;
	server4_put_times(&d.reply, lease_s);
	server4_put_options(c, &d);
	server4_put_name(c, &d, label);
	server4_put_boot(c, &d.reply, d.url);
	if (type == DHCP_ACK && c->req->ciaddr == addr)
		d.reply.ciaddr = addr; /* never another's: the reply would go there */
	if (type == DHCP_ACK && c->req->type == DHCP_DISCOVER) /* RFC 4039 4 */
		pkt4_put(&d.reply, DHCP_OPT_RAPID_COMMIT, PKT4_ALWAYS, "", 0);
	return server4_finish(c, &d.reply, out);
}

bool server4_write_ack(struct server4_ctx *c, uint32_t addr, uint32_t lease_s, const char *label,
	struct server4_reply *r)
{
	return server4_write_grant(c, DHCP_ACK, addr, lease_s, label, r);
}

enum server4_verdict server4_send_offer(struct server4_ctx *c, uint32_t addr)
{
	char label[DDNAME_LEN];

	server4_name(c, addr, server4_own_lease(c, addr), label);
	return server4_sent(c,
		server4_write_grant(c, DHCP_OFFER, addr, server4_lease_s(c), label, c->out),
		&c->s->counters.offer);
}

enum server4_verdict server4_send_nak(struct server4_ctx *c, const char *why)
{
	struct server4_draft d;

	server4_begin(c, &d.reply, DHCP_NAK);
	if (c->is_relayed) /* RFC 2131 4.3.2: the relay must broadcast it */
		d.reply.flags |= DHCP_FLAG_BROADCAST;
	pkt4_put_text(&d.reply, DHCP_OPT_MESSAGE, PKT4_ALWAYS, why);
	return server4_sent(c, server4_finish(c, &d.reply, c->out), &c->s->counters.nak);
}

/* RFC 2131 4.3.5: no address, no times. */
enum server4_verdict server4_send_inform(struct server4_ctx *c)
{
	struct server4_draft d;

	server4_begin(c, &d.reply, DHCP_ACK);
	d.reply.ciaddr = c->req->ciaddr ? c->req->ciaddr : c->in->peer;
	pkt4_ban(&d.reply, DHCP_OPT_LEASE);
	pkt4_ban(&d.reply, DHCP_OPT_T1);
	pkt4_ban(&d.reply, DHCP_OPT_T2);
	server4_put_options(c, &d);
	server4_put_boot(c, &d.reply, d.url);
	return server4_sent(c, server4_finish(c, &d.reply, c->out), &c->s->counters.ack);
}
