/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges become lans, hosts become devices. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "daemon/config.h"
#include "daemon/config_kind.h"
#include "daemon/config_limits.h"
#include "daemon/import_dnsmasq_parts.h"

/* "12h", "45m", "3600", "infinite": a lease time, in the form we take; NULL when it is none. */
static const char *lease_text(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (strcasecmp(text, "infinite") == 0)
		return "infinite";
	if (!digits || strspn(text + digits, "smhdwSMHDW") > 1 ||
		(text[digits] && (!strchr("smhdwSMHDW", text[digits]) || text[digits + 1])))
		return NULL;
	return text;
}

static struct ip_prefix prefix_of(const struct ip *ip, unsigned len)
{
	struct ip_prefix p = {.ip = *ip, .len = (uint8_t)len};

	for (unsigned bit = len; bit < ip_len(ip) * 8; bit++)
		p.ip.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return p;
}

static bool mask_length(const char *text, unsigned *out)
{
	struct ip ip;
	uint32_t mask;
	unsigned len;

	if (ip_read(text, &ip) < 0 || ip.family != AF_INET)
		return false;
	mask = ip_to4(&ip);
	len = mask ? 32 - (unsigned)__builtin_ctz(mask) : 0;
	if (!len || mask != ~0u << (32 - len))
		return false;
	*out = len;
	return true;
}

/* set: the tag of its range, a name where no interface is known. */
static struct import_lan *new_lan(
	struct import *im, const struct ip_prefix *subnet, const char *interface, const char *set)
{
	char name[16], text[IP_TEXT_LEN];
	struct import_lan *lan;

	if (im->n_lan == IMPORT_LANS_MAX)
		return NULL;
	if (!interface && im->n_lan < im->n_iface)
		interface = im->iface[im->n_lan];
	if (!interface) {
		if (set)
			snprintf(name, sizeof(name), "%.15s", set);
		else
			snprintf(name, sizeof(name), "lan%zu", im->n_lan);
		interface = import_text(im->doc, name, strlen(name));
		import_note(im, IMPORT_CHANGED,
			"the lan is called %s; put the name of its interface there", name);
	}
	lan = &im->lan[im->n_lan++];
	*lan = (struct import_lan){
		.node = import_map(im->doc, import_map(im->doc, im->root, "lan"), interface),
		.subnet = *subnet,
		.interface = interface,
		.line = im->line,
	};
	import_set(im->doc, lan->node, subnet->ip.family == AF_INET ? "subnet" : "prefix",
		ip_prefix_format(subnet, text));
	return lan;
}

/* What stands in a range before its addresses. */
struct range {
	char *parts[IMPORT_PARTS_MAX];
	size_t n, i; /* i: the part that is next */
	const char *set, *interface;
	struct ip first;
};

static void range_4(struct import *im, struct range *r)
{
	struct ip last = r->first;
	bool is_static = false, proxy = false, guessed = true;
	unsigned len = 24;
	const char *lease = NULL;
	char pool[2 * IP_TEXT_LEN], a[IP_TEXT_LEN], b[IP_TEXT_LEN];
	struct ip_prefix subnet;
	struct import_lan *lan;

	for (; r->i < r->n; r->i++) {
		const char *part = r->parts[r->i];
		struct ip ip;

		if (strcmp(part, "static") == 0)
			is_static = true;
		else if (strcmp(part, "proxy") == 0)
			proxy = true;
		else if (mask_length(part, &len))
			guessed = false;
		else if (ip_read(part, &ip) == 0 && guessed)
			last = ip;
		else if (lease_text(part))
			lease = lease_text(part);
	}
	subnet = prefix_of(&r->first, len);
	while (guessed && subnet.len && !ip_prefix_has(&subnet, &last))
		subnet = prefix_of(&r->first, subnet.len - 1u);
	if (guessed)
		import_note(im, IMPORT_CHANGED, "no netmask is given; %s is a guess",
			ip_prefix_format(&subnet, a));
	lan = import_lan_of(im, &r->first);
	if (!lan)
		lan = new_lan(im, &subnet, r->interface, r->set);
	if (!lan)
		return;
	if (r->set)
		lan->tag = import_text(im->doc, r->set, strlen(r->set));
	if (proxy)
		import_set(im->doc, import_map(im->doc, lan->node, "boot"), "proxy", "yes");
	snprintf(pool, sizeof(pool), "%s-%s", ip_format(&r->first, a), ip_format(&last, b));
	if (!is_static && !proxy)
		import_add(im->doc, lan->node, "pool", pool);
	if (lease)
		import_set(im->doc, lan->node, "lease", lease);
}

static void range_6(struct import *im, struct range *r)
{
	struct ip last = {.family = 0}, ip;
	uint64_t len = 64, number;
	char pool[2 * IP_TEXT_LEN], a[IP_TEXT_LEN], b[IP_TEXT_LEN];
	struct import_lan *lan = r->set ? import_lan_by_tag(im, r->set) : NULL;
	struct ip_prefix prefix;

	for (; r->i < r->n; r->i++) {
		const char *part = r->parts[r->i];

		if (strncmp(part, "constructor:", 12) == 0) {
			import_note(im, IMPORT_CANNOT,
				"write the prefix of %s as prefix of its lan", part + 12);
			return;
		}
		if (ip_read(part, &ip) == 0 && ip.family == AF_INET6)
			last = ip;
		else if (config_number_read(part, part + strlen(part), &number) == 0)
			len = number;
	}
	if (len > 128)
		len = 64;
	prefix = prefix_of(&r->first, (unsigned)len);
	if (!lan && r->interface)
		lan = import_lan_by_tag(im, r->interface);
	if (!lan && im->n_lan)
		lan = &im->lan[0];
	if (!lan)
		lan = new_lan(im, &prefix, r->interface, r->set);
	if (!lan)
		return;
	import_set(im->doc, lan->node, "prefix", ip_prefix_format(&prefix, a));
	if (!last.family)
		return;
	snprintf(pool, sizeof(pool), "%s-%s", ip_format(&r->first, a), ip_format(&last, b));
	import_add(im->doc, lan->node, "pool6", pool);
}

/* dhcp-range=[tag:T,][set:T,]FIRST[,LAST|MODE[,MASK[,BROADCAST]]][,LEASE] */
void import_read_range(struct import *im, char *value)
{
	struct range r = {.i = 0};

	r.n = import_split(im, value, r.parts);
	for (; r.i < r.n; r.i++) {
		const char *part = r.parts[r.i];

		if (strncmp(part, "set:", 4) == 0)
			r.set = part + 4;
		else if (strncmp(part, "tag:", 4) == 0)
			r.interface = import_text(im->doc, part + 4, strlen(part + 4));
		else if (strchr(part, ':') || strchr(part, '.'))
			break;
		else /* the oldest way to name an interface */
			r.interface = import_text(im->doc, part, strlen(part));
	}
	if (r.i == r.n || ip_read(r.parts[r.i], &r.first) < 0) {
		import_note(im, IMPORT_CANNOT, "its first address is not one");
		return;
	}
	r.i++;
	if (r.first.family == AF_INET)
		range_4(im, &r);
	else
		range_6(im, &r);
}

/* Hosts. */

struct host {
	const char *mac[IMPORT_PARTS_MAX], *tag[IMPORT_PARTS_MAX];
	size_t n_mac, n_tag;
	const char *client_id, *name, *lease, *address, *address6;
	struct ip ip;
	bool ignore;
};

static void host_part(struct host *h, char *part)
{
	uint8_t bytes[20];
	struct ip ip;
	size_t len = strlen(part);

	if (part[0] == '[' && len > 1 && part[len - 1] == ']') {
		part[len - 1] = '\0';
		h->address6 = part + 1;
	} else if (strncmp(part, "id:", 3) == 0) {
		h->client_id = strcmp(part, "id:*") == 0 ? NULL : part + 3;
	} else if (strncmp(part, "set:", 4) == 0 || strncmp(part, "net:", 4) == 0) {
		h->tag[h->n_tag++] = part + 4;
	} else if (strcmp(part, "ignore") == 0) {
		h->ignore = true;
	} else if (ip_read(part, &ip) == 0 && ip.family == AF_INET) {
		h->address = part;
		h->ip = ip;
	} else if (config_hex_read(part, bytes, sizeof(bytes)) == 6 || strchr(part, '*')) {
		h->mac[h->n_mac++] = part;
	} else if (lease_text(part)) {
		h->lease = part;
	} else if (part[0]) {
		h->name = part;
	}
}

/* Names of our own for hosts without one. */
static const char *host_name(struct import *im, const struct host *h, char *buf, size_t cap)
{
	size_t n = 0;

	if (h->name) {
		snprintf(buf, cap, "%.*s", (int)strcspn(h->name, "."), h->name);
		return buf;
	}
	snprintf(buf, cap, "host-");
	n = strlen(buf);
	for (const char *p = h->n_mac	  ? h->mac[0]
			     : h->address ? h->address
					  : "x";
		*p && n + 1 < cap && n < CONFIG_LABEL_MAX; p++)
		if (isalnum((unsigned char)*p))
			buf[n++] = *p;
	buf[n] = '\0';
	import_note(im, IMPORT_CHANGED, "it has no name; it is called %s", buf);
	return buf;
}

static struct import_node *device_of(struct import *im, const struct host *h)
{
	struct import_lan *lan = h->address ? import_lan_of(im, &h->ip) : NULL;
	struct import_node *parent = lan ? lan->node : im->root;
	char name[80];

	if (h->address && !lan && im->n_lan) {
		import_note(im, IMPORT_CANNOT, "%s is in the network of no dhcp-range", h->address);
		return NULL;
	}
	return import_map(im->doc, import_map(im->doc, parent, "device"),
		host_name(im, h, name, sizeof(name)));
}

static void add_device(struct import *im, const struct host *h)
{
	struct import_node *device = device_of(im, h);

	if (!device)
		return;
	for (size_t i = 0; i < h->n_mac; i++)
		import_add(im->doc, device, "mac", h->mac[i]);
	for (size_t i = 0; i < h->n_tag; i++)
		import_add(im->doc, device, "tags", h->tag[i]);
	if (h->client_id)
		import_set(im->doc, device, "client-id", h->client_id);
	if (h->address)
		import_set(im->doc, device, "address", h->address);
	if (h->address6)
		import_set(im->doc, device, "address6", h->address6);
	if (h->lease)
		import_set(im->doc, device, "lease", h->lease);
	if (!h->n_mac && !h->client_id && h->name)
		import_note(im, IMPORT_CHANGED,
			"known by its host name there; here by mac or client-id");
}

void import_read_host(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	struct host h = {.name = NULL};

	for (size_t i = 0; i < n; i++)
		host_part(&h, parts[i]);
	for (size_t i = 0; i < h.n_mac; i++) {
		if (!strchr(h.mac[i], '*'))
			continue;
		import_note(im, IMPORT_CANNOT, "a pattern of MACs is a class; see class");
		return;
	}
	if (h.ignore) {
		import_set(im->doc, import_need_class(im, "ignored"), "ignore", "yes");
		h.tag[h.n_tag < IMPORT_PARTS_MAX ? h.n_tag++ : 0] = "ignored";
	}
	add_device(im, &h);
}
