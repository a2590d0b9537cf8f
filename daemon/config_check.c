/* SPDX-License-Identifier: Apache-2.0 */
/* What only several keys together can tell. A field that was written but could not be read is
 * set and zero; it has been reported, so nothing is said about it here. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/config_kind.h"
#include "daemon/config_options.h"
#include "daemon/config_read.h"

#define MIN_LEASE_PRESET 120 /* below this a LAN of telephones asks every minute */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void derive_lease(const struct config *c, struct config_lan *lan)
{
	bool has_lease = config_is_set(c, &lan->lease_s);

	if (!has_lease && lan->max_lease_s)
		lan->lease_s = least(lan->lease_s, lan->max_lease_s);
	if (!has_lease && lan->min_lease_s)
		lan->lease_s = most(lan->lease_s, lan->min_lease_s);
	if (!lan->min_lease_s)
		lan->min_lease_s = least(MIN_LEASE_PRESET, lan->lease_s);
	if (!lan->max_lease_s)
		lan->max_lease_s = lan->lease_s;
}

void config_derive(struct config *c)
{
	for (size_t i = 0; i < c->n_forward; i++) {
		struct config_forward *f = &c->forward[i];
		bool private = f->n_to > 0;

		for (size_t j = 0; j < f->n_to; j++)
		private = private && ip_is_private(&f->to[j].ip);
		if (!config_is_set(c, &f->validate))
			f->validate = !private;
	}
	for (size_t i = 0; i < c->n_lan; i++) {
		struct config_lan *lan = &c->lan[i];

		if (!lan->interface)
			lan->interface = lan->name;
		if (!lan->domain)
			lan->domain = c->domain;
		if (!config_is_set(c, &lan->ra))
			lan->ra = lan->prefix.ip.family != 0;
		if (!config_is_set(c, &lan->managed))
			lan->managed = lan->n_pool6 > 0;
		derive_lease(c, lan);
	}
}

const struct config_lan *config_get_lan(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_lan; i++)
		if (strcmp(c->lan[i].name, name) == 0)
			return &c->lan[i];
	return NULL;
}

const char *config_check_host(const struct ip_prefix *subnet, const struct ip *ip)
{
	uint32_t net, mask, addr;

	if (!ip_prefix_has(subnet, ip))
		return "outside the subnet";
	if (ip->family != AF_INET || subnet->len > 30)
		return NULL;
	net = ip_to4(&subnet->ip);
	mask = subnet->len ? ~0u << (32 - subnet->len) : 0;
	addr = ip_to4(ip);
	if (addr == net)
		return "the address of the subnet itself";
	return addr == (net | ~mask) ? "the broadcast address of the subnet" : NULL;
}

/* `where`: "lan.br0.pool". */
static void check_pool(const struct config *c, struct config_report *rep, const char *where,
	const struct ip_prefix *subnet, const struct ip_range *pool)
{
	const char *first = config_check_host(subnet, &pool->first);
	const char *last = config_check_host(subnet, &pool->last);
	char net[IP_TEXT_LEN], ip[IP_TEXT_LEN];

	ip_prefix_format(subnet, net);
	if (first)
		config_error(c, rep, pool, "%s: its first address, %s, is %s %s", where,
			ip_format(&pool->first, ip), first, net);
	if (last && !(first && ip_equal(&pool->first, &pool->last)))
		config_error(c, rep, pool, "%s: its last address, %s, is %s %s", where,
			ip_format(&pool->last, ip), last, net);
}

static void check_pools(const struct config *c, struct config_report *rep, const char *where,
	const struct ip_prefix *subnet, const struct ip_range *pool, size_t n)
{
	char a[IP_TEXT_LEN], b[IP_TEXT_LEN];

	for (size_t i = 0; i < n; i++) {
		if (subnet->ip.family)
			check_pool(c, rep, where, subnet, &pool[i]);
		for (size_t j = 0; j < i; j++)
			if (ip_compare(&pool[i].first, &pool[j].last) <= 0 &&
				ip_compare(&pool[j].first, &pool[i].last) <= 0)
				config_error(c, rep, &pool[i],
					"%s: %s-%s overlaps the pool of line %u", where,
					ip_format(&pool[i].first, a), ip_format(&pool[i].last, b),
					config_where(c, &pool[j]).line);
	}
}

static void check_lease(
	const struct config *c, struct config_report *rep, const struct config_lan *lan)
{
	const void *field = config_is_set(c, &lan->max_lease_s) ? (const void *)&lan->max_lease_s
								: &lan->min_lease_s;

	if (lan->min_lease_s > lan->max_lease_s)
		config_error(c, rep, field, "lan.%s: min-lease is above max-lease", lan->name);
	else if (lan->lease_s < lan->min_lease_s)
		config_error(c, rep, &lan->lease_s, "lan.%s: lease is below min-lease", lan->name);
	else if (lan->lease_s > lan->max_lease_s)
		config_error(c, rep, &lan->lease_s, "lan.%s: lease is above max-lease", lan->name);
}

/* RFC 3442: a client that takes option 121 ignores the router option. */
static void check_routes(
	const struct config *c, struct config_report *rep, const struct config_lan *lan)
{
	for (size_t i = 0; i < lan->n_option && lan->router.family; i++) {
		const struct config_option *o = &lan->option[i];
		bool has_default = o->len == 0;

		if (o->code != 121)
			continue;
		for (size_t at = 0; at < o->len;) {
			has_default = has_default || o->data[at] == 0;
			at += 1 + (o->data[at] + 7u) / 8 + 4;
		}
		if (!has_default)
			config_warn(c, rep, o,
				"lan.%s: clients that take these routes ignore router; add "
				"\"default "
				"via ...\"",
				lan->name);
	}
}

static void check_v4(
	const struct config *c, struct config_report *rep, const struct config_lan *lan)
{
	char where[128], net[IP_TEXT_LEN], ip[IP_TEXT_LEN];
	const char *why = NULL;

	snprintf(where, sizeof(where), "lan.%s.pool", lan->name);
	check_pools(c, rep, where, &lan->subnet, lan->pool, lan->n_pool);
	for (size_t i = 0; i < lan->n_class; i++) {
		const struct config_class *class = &lan->class[i];

		snprintf(where, sizeof(where), "lan.%s.class.%s.pool", lan->name, class->name);
		check_pools(c, rep, where, &lan->subnet, class->pool, class->n_pool);
	}
	if (lan->subnet.ip.family && lan->router.family)
		why = config_check_host(&lan->subnet, &lan->router);
	if (why)
		config_error(c, rep, &lan->router, "lan.%s.router: %s is %s %s", lan->name,
			ip_format(&lan->router, ip), why, ip_prefix_format(&lan->subnet, net));
	if (!config_is_set(c, &lan->subnet) && (lan->n_pool || lan->router.family))
		config_error(c, rep, lan->n_pool ? (const void *)lan->pool : &lan->router,
			"lan.%s: a pool or router needs a subnet", lan->name);
}

static void check_v6(
	const struct config *c, struct config_report *rep, const struct config_lan *lan)
{
	char where[128];

	snprintf(where, sizeof(where), "lan.%s.pool6", lan->name);
	check_pools(c, rep, where, &lan->prefix, lan->pool6, lan->n_pool6);
	if (lan->n_pool6 && !config_is_set(c, &lan->prefix))
		config_error(c, rep, lan->pool6, "lan.%s: a pool6 needs a prefix", lan->name);
}

static void check_boot(const struct config *c, struct config_report *rep, const char *where,
	const struct config_boot *boot)
{
	const char *const *files[] = {&boot->bios, &boot->uefi, &boot->uefi_ia32, &boot->uefi_arm64,
		&boot->http, &boot->http6, &boot->ipxe};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!*files[i] || strstr(*files[i], "://") || c->boot.root || boot->server.family)
			continue;
		config_warn(c, rep, files[i],
			"%s: nobody serves %s; set root in the boot section at the top, or server "
			"here",
			where, *files[i]);
		return;
	}
}

static void check_lan(
	const struct config *c, struct config_report *rep, const struct config_lan *lan)
{
	char where[128];

	if (!config_is_set(c, &lan->subnet) && !config_is_set(c, &lan->prefix))
		config_error(
			c, rep, lan, "lan.%s needs a subnet such as 192.168.1.0/24", lan->name);
	/* With relays the name need not be an interface. */
	if (strlen(lan->interface) > 15 && !lan->n_relay)
		config_error(c, rep, lan,
			"lan.%s: no interface can have so long a name; set \"interface\"",
			lan->name);
	check_v4(c, rep, lan);
	check_v6(c, rep, lan);
	check_lease(c, rep, lan);
	check_routes(c, rep, lan);
	snprintf(where, sizeof(where), "lan.%s.boot", lan->name);
	check_boot(c, rep, where, &lan->boot);
}

static bool overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->ip.family && a->ip.family == b->ip.family &&
	       (ip_prefix_has(a, &b->ip) || ip_prefix_has(b, &a->ip));
}

static const struct config_network *network_of(const struct config *c, const char *lan)
{
	for (size_t i = 0; i < c->n_network; i++)
		for (size_t j = 0; j < c->network[i].n_lans; j++)
			if (strcmp(c->network[i].lans[j], lan) == 0)
				return &c->network[i];
	return NULL;
}

static void check_two_lans(const struct config *c, struct config_report *rep,
	const struct config_lan *a, const struct config_lan *b)
{
	char x[IP_TEXT_LEN], y[IP_TEXT_LEN];
	const struct config_network *net;

	if (overlaps(&a->subnet, &b->subnet))
		config_error(c, rep, &b->subnet, "lan.%s: %s overlaps %s of lan.%s", b->name,
			ip_prefix_format(&b->subnet, x), ip_prefix_format(&a->subnet, y), a->name);
	if (overlaps(&a->prefix, &b->prefix))
		config_error(c, rep, &b->prefix, "lan.%s: %s overlaps %s of lan.%s", b->name,
			ip_prefix_format(&b->prefix, x), ip_prefix_format(&a->prefix, y), a->name);
	/* Many relays may be reached through one interface. */
	if (strcmp(a->interface, b->interface) != 0 || a->n_relay || b->n_relay)
		return;
	net = network_of(c, a->name);
	if (!net || net != network_of(c, b->name))
		config_error(c, rep,
			config_is_set(c, &b->interface) ? (const void *)&b->interface : b,
			"lan.%s is on %s, as lan.%s is; put both in one network", b->name,
			b->interface, a->name);
}

static void check_networks(const struct config *c, struct config_report *rep)
{
	for (size_t i = 0; i < c->n_network; i++) {
		const struct config_network *net = &c->network[i];

		for (size_t j = 0; j < net->n_lans; j++) {
			const struct config_network *first = network_of(c, net->lans[j]);

			if (!config_get_lan(c, net->lans[j]))
				config_error(c, rep, &net->lans[j],
					"network.%s: there is no lan.%s", net->name, net->lans[j]);
			else if (first != net)
				config_error(c, rep, &net->lans[j],
					"network.%s: lan.%s is in network.%s already", net->name,
					net->lans[j], first->name);
		}
	}
}

static void check_dns(const struct config *c, struct config_report *rep)
{
	const struct config_dns *dns = &c->dns;

	if (dns->min_ttl_s > dns->max_ttl_s)
		config_error(c, rep, &dns->min_ttl_s, "dns.min-ttl is above max-ttl");
	if (!dns->ipv4 && !dns->ipv6)
		config_error(c, rep, &dns->ipv6, "dns: ipv4 and ipv6 are both off");
	if (!dns->minimal_responses)
		config_warn(c, rep, &dns->minimal_responses,
			"dns.minimal-responses: no is built for ANY only; answers stay minimal");
	for (size_t i = 0; i < dns->n_allow; i++)
		if (dns->allow[i].len == 0)
			config_warn(c, rep, &dns->allow[i],
				"dns.allow: the whole Internet may ask; attackers use such "
				"servers");
	/* A client that is told to ask us and then is not heard. */
	for (size_t i = 0; i < c->n_lan && dns->n_allow; i++) {
		const struct config_lan *lan = &c->lan[i];
		char net[IP_TEXT_LEN];
		bool found = !lan->subnet.ip.family || lan->n_dns;

		for (size_t j = 0; j < dns->n_allow && !found; j++)
			found = overlaps(&dns->allow[j], &lan->subnet);
		if (!found)
			config_warn(c, rep, &dns->allow,
				"dns.allow leaves out %s, where lan.%s tells clients to ask us",
				ip_prefix_format(&lan->subnet, net), lan->name);
	}
}

static void check_zones(const struct config *c, struct config_report *rep)
{
	if (strcmp(c->domain, ".") == 0)
		config_error(c, rep, &c->domain, "domain: the root cannot be ours");
	for (size_t i = 0; i < c->n_lan; i++)
		if (strcmp(c->lan[i].domain, ".") == 0 && config_is_set(c, &c->lan[i].domain))
			config_error(c, rep, &c->lan[i].domain,
				"lan.%s.domain: the root cannot be ours", c->lan[i].name);
	for (size_t i = 0; i < c->n_stub; i++)
		for (size_t j = 0; j < c->n_forward; j++)
			if (strcmp(c->stub[i].name, c->forward[j].name) == 0)
				config_error(c, rep, &c->stub[i],
					"\"%s\" is in forward at line %u and in stub here; one of "
					"them",
					c->stub[i].name, config_where(c, &c->forward[j]).line);
}

/* Written, though perhaps wrongly. */
static bool is_any_set(const struct config *c, const struct config_record *r)
{
	const void *const fields[] = {
		&r->a, &r->aaaa, &r->cname, &r->mx, &r->txt, &r->srv, &r->caa, &r->ptr, &r->rr};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (config_is_set(c, fields[i]))
			return true;
	return false;
}

static void check_records(const struct config *c, struct config_report *rep)
{
	for (size_t i = 0; i < c->n_record; i++) {
		const struct config_record *r = &c->record[i];
		size_t others = r->n_a + r->n_aaaa + r->n_mx + r->n_txt + r->n_srv + r->n_caa +
				r->n_rr + (r->ptr.target != NULL);

		if (r->cname && others)
			config_error(c, rep, &r->cname,
				"record.%s: a cname allows nothing else beside it", r->name);
		else if (!r->cname && !others && !is_any_set(c, r))
			config_warn(c, rep, r, "record.%s says nothing", r->name);
	}
}

static void check_top_classes(const struct config *c, struct config_report *rep)
{
	for (size_t i = 0; i < c->n_class; i++) {
		char where[128];

		snprintf(where, sizeof(where), "class.%s.boot", c->class[i].name);
		check_boot(c, rep, where, &c->class[i].boot);
	}
}

void config_check(const struct config *c, struct config_report *rep)
{
	for (size_t i = 0; i < c->n_lan; i++) {
		check_lan(c, rep, &c->lan[i]);
		for (size_t j = 0; j < i; j++)
			check_two_lans(c, rep, &c->lan[j], &c->lan[i]);
	}
	check_networks(c, rep);
	check_dns(c, rep);
	check_zones(c, rep);
	check_records(c, rep);
	check_top_classes(c, rep);
	config_check_devices(c, rep);
}
