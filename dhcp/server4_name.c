/* SPDX-License-Identifier: Apache-2.0 */
/* Names of clients. Whoever holds a name keeps it; config and hosts files own theirs; some are
 * nobody's. Between the grant and its commit a name is claimed in memory, so that two requests of
 * one moment cannot both be promised it. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dhcp/server4_state.h"
#include "zones/leasename.h"

/* How often name-xxxx is tried with other digits. */
enum { SERVER4_SUFFIXES = 4, SERVER4_DUID_AT = 5 };

uint64_t server4_owner(
	const struct server4 *s, const struct dhcp_device *d, const struct client4 *c)
{
	uint8_t key[258];
	size_t len;

	if (d && d->name) {
		len = strnlen(d->name, sizeof(key) - 1);
		key[0] = 'D';
		memcpy(key + 1, d->name, len);
		return hash_bytes(&s->opts.key, key, len + 1);
	}
	/* RFC 4361: IAID and DUID; the DUID is the machine, over both families. */
	if (c->is_by_id && c->id[0] == 255 && c->id_len > SERVER4_DUID_AT) {
		len = (size_t)c->id_len - SERVER4_DUID_AT;
		key[0] = 'U';
		memcpy(key + 1, c->id + SERVER4_DUID_AT, len);
		return hash_bytes(&s->opts.key, key, len + 1);
	}
	return client4_hash(&s->opts.key, c);
}

static uint64_t server4_claim_hash(const struct server4 *s, unsigned domain, const char *label)
{
	return hash_bytes(&s->opts.key, label, strlen(label)) ^ domain;
}

/* A staged ACK of another has the name. */
static bool server4_is_claimed(
	const struct server4 *s, unsigned domain, const char *label, uint64_t owner)
{
	struct table_node *n = table_find(&s->claims, server4_claim_hash(s, domain, label));

	for (; n; n = table_next(n)) {
		const struct server4_stage *st = (const struct server4_stage *)n;

		if (st->domain == domain && st->owner != owner &&
			strcmp(st->rec.hostname, label) == 0)
			return true;
	}
	return false;
}

static bool server4_is_name_free(
	const struct server4_ctx *c, const char *label, uint32_t addr, uint64_t owner)
{
	const struct server4_opts *o = &c->s->opts;
	unsigned domain = c->lan->domain_index;
	uint64_t holder;

	if (server4_is_claimed(c->s, domain, label, owner))
		return false;
	if (o->is_name_owned && o->is_name_owned(o->arg, domain, label, addr))
		return false;
	return !o->names || leasename_owner(o->names, domain, label, &holder) < 0 ||
	       holder == owner;
}

/* The same number for a client in every run of the daemon. */
static uint64_t server4_lasting_identity(const struct client4 *c)
{
	static const struct hash_key key = {0x6c616e74686f726e, 0x636c69656e742034};

	return client4_hash(&key, c);
}

static void server4_refuse(struct server4_ctx *c, const char *label, char out[DDNAME_LEN],
	uint32_t addr, uint64_t owner)
{
	char who[CLIENT4_TEXT_LEN];

	for (unsigned i = 0; i < SERVER4_SUFFIXES; i++) {
		ddname_suffix(label, server4_lasting_identity(&c->client), i, out);
		if (server4_is_name_free(c, out, addr, owner))
			break;
		out[0] = '\0';
	}
	if (c->req->type != DHCP_DISCOVER) {
		c->s->counters.name_refused++;
		log_limited(LOG_LEVEL_INFO, DHCP_NAME_REFUSED,
			"%s asked for the name %s, which another holds: it gets %s",
			client4_format(&c->client, who), label, out[0] ? out : "none");
	}
}

void server4_name(
	struct server4_ctx *c, uint32_t addr, const struct lease *old, char out[DDNAME_LEN])
{
	uint64_t owner = server4_owner(c->s, c->device, &c->client);
	struct ddname_asked asked = ddname_asked(&c->req->opts);
	char label[DDNAME_LEN];

	out[0] = '\0';
	if (c->device && c->device->name) { /* config wins */
		snprintf(out, DDNAME_LEN, "%s", c->device->name);
		return;
	}
	ddname_clean(&asked, label);
	if (!label[0] && old) /* it names none now: the name it had before */
		ddname_clean_text(old->bytes + old->id_len, old->asked_len, label);
	if (!label[0])
		return;
	if (ddname_is_reserved(label, c->s->conf->reserved, c->s->conf->n_reserved)) {
		if (c->req->type != DHCP_DISCOVER)
			c->s->counters.name_refused++;
		return;
	}
	if (server4_is_name_free(c, label, addr, owner))
		memcpy(out, label, DDNAME_LEN);
	else
		server4_refuse(c, label, out, addr, owner);
}

/* ---- into the lease zone and out of it ---- */

void server4_publish(struct server4 *s, struct lease *l, unsigned domain, uint64_t owner)
{
	const char *text = (const char *)l->bytes + l->id_len + l->asked_len;
	struct ip ip = ip_from4(l->addr);
	char label[DDNAME_LEN];

	if (!s->opts.names || l->host_len == 0)
		return;
	memcpy(label, text, l->host_len);
	label[l->host_len] = '\0';
	l->is_named = leasename_put(s->opts.names, domain, label, &ip, owner,
			      lease_expires_s(l, s->offset_ms)) == 0;
	l->name_owner = owner;
	l->name_domain = domain;
}

void server4_unpublish(struct server4 *s, struct lease *l)
{
	struct ip ip = ip_from4(l->addr);

	if (s->opts.names && l->is_named)
		leasename_del(s->opts.names, &ip);
	l->is_named = false;
}

/* What the snapshot says of a lease's name. False: it has none, or not any more. */
static bool server4_known_name(
	const struct server4 *s, const struct lease *l, unsigned *domain, uint64_t *owner)
{
	const struct dhcp_lan *lan = server4_lan_of(s, l->addr);
	struct client4 c = lease_client(l);
	const struct dhcp_device *d;
	char label[DDNAME_LEN];

	if (!lan || l->state != LEASE_BOUND || l->host_len == 0)
		return false;
	d = reserve_find(s->reserve, lan, &c);
	*domain = lan->domain_index;
	*owner = server4_owner(s, d, &c);
	memcpy(label, l->bytes + l->id_len + l->asked_len, l->host_len);
	label[l->host_len] = '\0';
	if (d && d->name && strcmp(d->name, label) == 0)
		return true;
	return !ddname_is_reserved(label, s->conf->reserved, s->conf->n_reserved) &&
	       !(s->opts.is_name_owned &&
		       s->opts.is_name_owned(s->opts.arg, *domain, label, l->addr));
}

void server4_publish_known(struct server4 *s, struct lease *l)
{
	unsigned domain;
	uint64_t owner;
	bool is_good = server4_known_name(s, l, &domain, &owner);

	if (l->is_named && is_good && l->name_domain == domain && l->name_owner == owner)
		return;
	server4_unpublish(s, l);
	if (is_good)
		server4_publish(s, l, domain, owner);
}
