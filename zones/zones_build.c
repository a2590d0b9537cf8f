/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "dns/dname.h"
#include "zones/hosts.h"
#include "zones/special.h"
#include "zones/zones_snapshot.h"

struct zones_builder {
	struct zones *z;
	uint32_t ttl_s;
	/* the first lease zone's name, behind bare names; root: none */
	uint8_t domain[DNAME_MAX];
};

/* ---- zones ---- */

/* The zone that begins at exactly this name: an old one is turned into the new kind. */
static int add_zone(struct zones *z, const uint8_t *name, enum zone_kind kind, uint32_t *index)
{
	struct localzone_node *n;
	struct zone *zone;
	int err = localzone_make(z->data, name, &n);

	if (err != 0)
		return err;
	if (!n->zone) {
		if (z->n_zones == z->zones_cap) {
			z->zones_cap = 2 * z->zones_cap + 64;
			z->zones = xrealloc(z->zones, z->zones_cap * sizeof(*z->zones));
		}
		n->zone = (uint32_t)++z->n_zones;
	}
	zone = &z->zones[n->zone - 1];
	zone->kind = kind;
	zone->is_forwarded = false;
	zone->name_len = (uint8_t)dname_copy_lower(name, zone->name);
	zone->labels = (uint8_t)dname_labels(name);
	if (index)
		*index = n->zone;
	return 0;
}

static int add_zone_text(struct zones *z, const char *text, enum zone_kind kind, uint32_t *index)
{
	uint8_t name[DNAME_MAX];
	size_t len;
	int err = dname_read(text, name, &len);

	return err != 0 ? err : add_zone(z, name, kind, index);
}

static int add_special_record(struct zones *z, const struct special_record *r)
{
	uint8_t name[DNAME_MAX], rdata[DNAME_MAX];
	struct ip ip;
	size_t len;
	int err = dname_read(r->name, name, &len);

	if (err == 0 && ip_read(r->text, &ip) == 0) {
		len = ip_len(&ip);
		memcpy(rdata, ip.bytes, len);
	} else if (err == 0) {
		err = dname_read(r->text, rdata, &len);
	}
	if (err != 0)
		return err;
	/* RFC 6761 6.3: localhost is what it is; the rest may be replaced. */
	return localzone_add(z->data, name, r->type, ZONES_SPECIAL_TTL_S, rdata, len,
		strstr(r->name, "localhost") ? LOCALZONE_FIXED : LOCALZONE_DEFAULT, "special");
}

/* Is a special zone or record taken over by a forward or stub zone at this very name? Those below
 * it take their part by being deeper. */
static bool is_forwarded(const struct zones_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_forwarded; i++) {
		size_t len = strlen(conf->forwarded[i]);

		if (len && conf->forwarded[i][len - 1] == '.')
			len--;
		if (len == strlen(name) && strncasecmp(conf->forwarded[i], name, len) == 0)
			return true;
	}
	return false;
}

static int add_special(struct zones *z, const struct zones_conf *conf)
{
	int err = 0;

	for (size_t i = 0; special_get(i).name && err == 0; i++) {
		struct special s = special_get(i);

		err = add_zone_text(
			z, s.name, s.kind == SPECIAL_EMPTY ? ZONE_EMPTY : ZONE_ABSENT, NULL);
	}
	for (size_t i = 0; special_record_get(i).name && err == 0; i++) {
		struct special_record r = special_record_get(i);

		if (!is_forwarded(conf, r.name))
			err = add_special_record(z, &r);
	}
	return err;
}

/* The reverse zones of a prefix whose length need not end with a label: up to 128 of octets, or 8
 * of nibbles. */
static int add_reverse(struct zones *z, const struct ip_prefix *p)
{
	unsigned bits = p->ip.family == AF_INET ? 8 : 4;
	unsigned whole = (p->len + bits - 1) / bits; /* labels of the address part */
	unsigned all = p->ip.family == AF_INET ? 4 : 32;
	unsigned n = 1u << (whole * bits - p->len);
	struct ip ip = p->ip;
	int err = 0;

	for (unsigned i = 0; i < n && whole > 0 && err == 0; i++) {
		uint8_t name[DNAME_MAX];
		unsigned at = whole * bits - bits; /* first bit of the last label */
		unsigned shift = 8 - bits - at % 8;

		ip.bytes[at / 8] = (uint8_t)(p->ip.bytes[at / 8] + (i << shift));
		dname_from_ip(&ip, name);
		err = add_zone(z, dname_strip(name, all - whole), ZONE_REVERSE, NULL);
	}
	return err;
}

/* After all of our own: a forward below one of ours is deeper and so wins; one at its very name
 * is asked for what we do not know; else it is a zone of its own. */
static int add_forward(struct zones *z, const char *text)
{
	uint8_t name[DNAME_MAX];
	struct localzone_node *n;
	size_t len;
	int err = dname_read(text, name, &len);

	if (err == 0)
		err = localzone_make(z->data, name, &n);
	if (err != 0)
		return err;
	if (n->zone && z->zones[n->zone - 1].kind <= ZONE_REVERSE) {
		z->zones[n->zone - 1].is_forwarded = true;
		return 0;
	}
	return add_zone(z, name, ZONE_FORWARD, NULL);
}

static int add_domain(struct zones *z, size_t index, const char *text)
{
	if (!text || !*text || strcmp(text, ".") == 0)
		return 0;
	return add_zone_text(z, text, ZONE_LEASE, &z->domains[index]);
}

/* ---- our own name ---- */

static int name_ourselves(struct zones_builder *b, const char *server_name)
{
	static const uint8_t hostmaster[] = "\12hostmaster";
	struct zones *z = b->z;
	struct localzone_node *n;
	uint8_t name[DNAME_MAX];
	size_t len;
	int err = dname_read(server_name ? server_name : "lanthorn", name, &len);

	if (err != 0)
		return err;
	memcpy(z->server_label, name + 1, name[0]);
	z->server_label[name[0]] = '\0';
	dname_lower((uint8_t *)z->server_label, name[0]);
	if (b->domain[0] == 0)
		return 0; /* SOAs name themselves */
	if (dname_labels(name) == 1) {
		err = dname_join(name, len - 1, b->domain, z->server, &len);
		if (err != 0)
			return err;
	} else {
		dname_copy(name, z->server);
	}
	err = dname_join(hostmaster, sizeof(hostmaster) - 1, b->domain, z->hostmaster, &len);
	if (err != 0)
		return err;
	/* What SOA and NS point to exists, with or without an address. */
	return dname_is_under(z->server, b->domain) ? localzone_make(z->data, z->server, &n) : 0;
}

static int add_all(struct zones_builder *b, const struct zones_conf *conf)
{
	struct zones *z = b->z;
	int err = conf->special_zones ? add_special(z, conf) : 0;

	for (size_t i = 0; i < conf->n_lan_prefixes && err == 0; i++)
		err = add_reverse(z, &conf->lan_prefixes[i]);
	for (size_t i = 0; i < conf->n_lan_domains && err == 0; i++)
		err = add_domain(z, i + 1, conf->lan_domains[i]);
	if (err == 0)
		err = add_domain(z, 0, conf->domain);
	if (err == 0 && z->domains[0])
		dname_copy(z->zones[z->domains[0] - 1].name, b->domain);
	if (err == 0)
		err = name_ourselves(b, conf->server_name);
	for (size_t i = 0; i < conf->n_forwarded && err == 0; i++)
		err = add_forward(z, conf->forwarded[i]);
	return err;
}

struct zones_builder *zones_builder_new(const struct zones_conf *conf)
{
	struct zones_builder *b = xcalloc(1, sizeof(*b));
	struct hash_key key = hash_key_random();

	b->ttl_s = conf->local_ttl_s ? conf->local_ttl_s : 60;
	b->z = xcalloc(1, sizeof(*b->z));
	b->z->data = localzone_new(&key);
	b->z->loopback = localzone_new(&key);
	b->z->leases = conf->leases;
	b->z->has_special = conf->special_zones;
	b->z->n_domains = 1 + conf->n_lan_domains;
	b->z->domains = xcalloc(b->z->n_domains, sizeof(*b->z->domains));
	if (add_all(b, conf) != 0) {
		zones_free(b->z);
		xfree(b);
		return NULL;
	}
	return b;
}

/* ---- data ---- */

/* Text of the configuration to a name: bare ones ("nas", "*", "*.apps") get the domain. */
static int read_name(const struct zones_builder *b, const char *text, uint8_t *out)
{
	size_t len, text_len = strlen(text);
	int err = dname_read(text, out, &len);

	if (err != 0 || text[text_len - 1] == '.')
		return err;
	if (dname_labels(out) != 1 && !(dname_labels(out) == 2 && dname_is_wildcard(out)))
		return 0;
	return dname_join(out, len - 1, b->domain, out, &len);
}

int zones_builder_record(struct zones_builder *b, const char *name, uint16_t type, uint32_t ttl,
	const uint8_t *rdata, size_t len)
{
	uint8_t owner[DNAME_MAX];
	int err = read_name(b, name, owner);

	if (err != 0)
		return err;
	return localzone_add(b->z->data, owner, type, ttl ? ttl : b->ttl_s, rdata, len,
		LOCALZONE_RECORD, "record");
}

static int add_address(struct zones_builder *b, struct localzone *to, const uint8_t *owner,
	const struct ip *ip, uint32_t ttl, enum localzone_rank rank, const char *source)
{
	return localzone_add(to, owner, ip->family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA,
		ttl ? ttl : b->ttl_s, ip->bytes, ip_len(ip), rank, source);
}

static int add_ptr(struct zones_builder *b, struct localzone *to, const struct ip *ip,
	const uint8_t *target, uint32_t ttl, enum localzone_rank rank, const char *source)
{
	uint8_t owner[DNAME_MAX];

	dname_from_ip(ip, owner);
	return localzone_add(to, owner, DNS_TYPE_PTR, ttl ? ttl : b->ttl_s, target,
		dname_len(target), rank, source);
}

int zones_builder_address(struct zones_builder *b, const char *name, const struct ip *ip,
	uint32_t ttl, bool with_ptr, const char *source)
{
	uint8_t owner[DNAME_MAX];
	int err = read_name(b, name, owner);

	if (err == 0)
		err = add_address(b, b->z->data, owner, ip, ttl, LOCALZONE_RECORD, source);
	if (err != 0 || !with_ptr || dname_is_wildcard(owner))
		return err;
	return add_ptr(b, b->z->data, ip, owner, ttl, LOCALZONE_DERIVED, source);
}

/* ---- hosts ---- */

struct hosts_load {
	struct zones_builder *b;
	void (*on_bad)(void *arg, unsigned line, const char *why);
	void *arg;
};

static void on_hosts_bad(void *arg, unsigned line, const char *why)
{
	const struct hosts_load *l = arg;

	if (l->on_bad)
		l->on_bad(l->arg, line, why);
}

/* 0.0.0.0 and :: stand for "nowhere" in lists of unwanted names. */
static bool is_unspecified(const struct ip *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

static void on_hosts_name(void *arg, const struct hosts_name *entry)
{
	const struct hosts_load *l = arg;
	struct zones_builder *b = l->b;
	/* Debian's "127.0.1.1 myhost" is true for the machine itself and for nobody else. */
	struct localzone *to = ip_is_loopback(&entry->ip) ? b->z->loopback : b->z->data;
	uint8_t owner[DNAME_MAX];
	size_t len = dname_copy(entry->name, owner);
	int err = 0;

	if (entry->is_bare)
		err = dname_join(entry->name, len - 1, b->domain, owner, &len);
	if (err == 0)
		err = add_address(b, to, owner, &entry->ip, 0, LOCALZONE_HOSTS, "hosts");
	if (err == 0 && entry->is_canonical && !is_unspecified(&entry->ip))
		err = add_ptr(b, to, &entry->ip, owner, 0, LOCALZONE_HOSTS_PTR, "hosts");
	if (err != 0)
		on_hosts_bad(arg, entry->line,
			err == ERR_LIMIT ? "too many addresses for one name, or too many names"
					 : "a name is too long with the domain behind it");
}

int zones_builder_hosts(struct zones_builder *b, const char *path, const char *text, size_t len,
	void (*on_bad)(void *arg, unsigned line, const char *why), void *arg)
{
	struct hosts_load load = {.b = b, .on_bad = on_bad, .arg = arg};
	struct hosts_reader to = {.on_name = on_hosts_name, .on_bad = on_hosts_bad, .arg = &load};

	(void)path;
	hosts_read(text, len, &to);
	return 0;
}

struct zones *zones_builder_finish(struct zones_builder *b)
{
	struct zones *z = b->z;

	xfree(b);
	return z;
}

void zones_free(struct zones *z)
{
	if (!z)
		return;
	localzone_free(z->data);
	localzone_free(z->loopback);
	xfree(z->zones);
	xfree(z->domains);
	xfree(z);
}

/* ---- questions of dhcp and status ---- */

static bool holds_address(const struct localzone_node *n, const struct ip *ip)
{
	const struct localzone_set *set =
		localzone_set(n, ip->family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA);
	struct rrset_iter it;

	if (!set)
		return false;
	it = rrset_begin(set->rr);
	while (rrset_next(&it)) {
		if (memcmp(it.rdata, ip->bytes, ip_len(ip)) == 0)
			return true;
	}
	return false;
}

static bool owns_name(const struct zones *z, const uint8_t *name, const struct ip *except_for)
{
	const struct localzone_node *n = localzone_get(z->data, name);

	if (localzone_get(z->loopback, name))
		return true;
	/* An empty non-terminal is ours, too: something of ours lies below it. */
	return n && !(except_for && holds_address(n, except_for));
}

bool zones_owns_label(const struct zones *z, const char *label, const struct ip *except_for)
{
	uint8_t wire[DNAME_LABEL_MAX + 2], full[DNAME_MAX];
	size_t label_len = strlen(label), len;

	if (label_len < 1 || label_len > DNAME_LABEL_MAX)
		return false;
	wire[0] = (uint8_t)label_len;
	memcpy(wire + 1, label, label_len);
	wire[1 + label_len] = 0;
	if (strcasecmp(label, z->server_label) == 0 || owns_name(z, wire, except_for))
		return true;
	for (size_t d = 0; d < z->n_domains; d++) {
		if (z->domains[d] &&
			dname_join(wire, label_len + 1, z->zones[z->domains[d] - 1].name, full,
				&len) == 0 &&
			owns_name(z, full, except_for))
			return true;
	}
	return false;
}

size_t zones_count(const struct zones *z)
{
	return localzone_count(z->data) + localzone_count(z->loopback);
}
