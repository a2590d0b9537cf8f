/* SPDX-License-Identifier: Apache-2.0 */
/* Config, devices files and interfaces to a dhcp_conf. All memory is one arena that goes with it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "daemon/build.h"
#include "daemon/devices.h"
#include "net/iface.h"

#define BUILD_DHCP_ARENA_MAX ((size_t)512 << 20) /* DEVICES_MAX lines of several files fit */

struct build {
	const struct config *c;
	const struct build_host *host;
	const struct build_domains *domains;
	struct config_report *rep;
	struct build_dhcp *out;
	const char *path;
	struct dhcp_device *file_devices;
	size_t n_file_devices, cap_file_devices;
};

static void *build_take(struct build *b, size_t len)
{
	void *p = arena_zalloc(b->out->arena, len ? len : 1);

	if (!p)
		abort(); /* the config and its files are bounded far below */
	return p;
}

static const char *build_text(struct build *b, const char *s)
{
	size_t len = s ? strlen(s) + 1 : 0;

	return s ? memcpy(build_take(b, len), s, len) : NULL;
}

static const void *build_copy(struct build *b, const void *data, size_t len)
{
	return len ? memcpy(build_take(b, len), data, len) : NULL;
}

static const char *const *build_texts(struct build *b, const char *const *list, size_t n)
{
	const char **out = build_take(b, n * sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = build_text(b, list[i]);
	return out;
}

static struct dhcp_bytes build_bytes(struct build *b, const struct config_bytes *v)
{
	return (struct dhcp_bytes){.data = build_copy(b, v->data, v->len), .len = v->len};
}

static const struct dhcp_bytes *build_bytes_list(
	struct build *b, const struct config_bytes *list, size_t n)
{
	struct dhcp_bytes *out = build_take(b, n * sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = build_bytes(b, &list[i]);
	return out;
}

static const uint32_t *build_addresses(
	struct build *b, const struct ip *list, size_t n, size_t *out_n)
{
	uint32_t *out = build_take(b, n * sizeof(*out));

	*out_n = 0;
	for (size_t i = 0; i < n; i++)
		if (list[i].family == AF_INET)
			out[(*out_n)++] = ip_to4(&list[i]);
	return out;
}

static const struct dhcp_range *build_ranges(
	struct build *b, const struct ip_range *list, size_t n, size_t *out_n)
{
	struct dhcp_range *out = build_take(b, n * sizeof(*out));

	*out_n = n;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct dhcp_range){ip_to4(&list[i].first), ip_to4(&list[i].last)};
	return out;
}

static const struct dhcp_option *build_options(
	struct build *b, const struct config_option *list, size_t n)
{
	struct dhcp_option *out = build_take(b, n * sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = (struct dhcp_option){.code = list[i].code,
			.force = list[i].force,
			.len = (uint16_t)list[i].len,
			.data = build_copy(b, list[i].data, list[i].len)};
	return out;
}

static struct dhcp_boot build_boot_files(struct build *b, const struct config_boot *f)
{
	return (struct dhcp_boot){.bios = build_text(b, f->bios),
		.uefi = build_text(b, f->uefi),
		.uefi_ia32 = build_text(b, f->uefi_ia32),
		.uefi_arm64 = build_text(b, f->uefi_arm64),
		.http = build_text(b, f->http),
		.ipxe = build_text(b, f->ipxe),
		.server = f->server.family == AF_INET ? ip_to4(&f->server) : 0};
}

/* ---- devices ---- */

static void build_device(struct build *b, const struct config_device *d, struct dhcp_device *out)
{
	struct dhcp_mac *macs = build_take(b, d->n_mac * sizeof(*macs));

	for (size_t i = 0; i < d->n_mac; i++)
		memcpy(macs[i].bytes, d->mac[i].bytes, sizeof(macs[i].bytes));
	*out = (struct dhcp_device){.name = build_text(b, d->name),
		.macs = macs,
		.n_macs = d->n_mac,
		.client_id = build_bytes(b, &d->client_id),
		.address = d->address.family == AF_INET ? ip_to4(&d->address) : 0,
		.tags = build_texts(b, d->tags, d->n_tags),
		.n_tags = d->n_tags,
		.options = build_options(b, d->option, d->n_option),
		.n_options = d->n_option,
		.boot = build_boot_files(b, &d->boot),
		.lease_s = d->lease_s};
}

static const struct dhcp_device *build_device_list(
	struct build *b, const struct config_device *list, size_t n)
{
	struct dhcp_device *out = build_take(b, n * sizeof(*out));

	for (size_t i = 0; i < n; i++)
		build_device(b, &list[i], &out[i]);
	return out;
}

/* A further line of the same name and address: one more MAC for the device before it. */
static bool build_joins(
	struct build *b, struct dhcp_device *last, const struct devices_line *d, uint32_t address)
{
	struct dhcp_mac *macs;

	if (d->id_len || !last->n_macs || last->address != address ||
		strcmp(last->name, d->name) != 0)
		return false;
	macs = build_take(b, (last->n_macs + 1) * sizeof(*macs));
	memcpy(macs, last->macs, last->n_macs * sizeof(*macs));
	memcpy(macs[last->n_macs].bytes, d->mac, sizeof(d->mac));
	last->macs = macs;
	last->n_macs++;
	return true;
}

static void build_on_device(void *arg, const struct devices_line *d)
{
	uint32_t address = d->ip.family == AF_INET ? ip_to4(&d->ip) : 0;
	struct build *b = arg;
	const char **tags;
	struct dhcp_device *out;

	if (d->ip.family == AF_INET6)
		return; /* a name only; zones have it */
	if (b->n_file_devices &&
		build_joins(b, &b->file_devices[b->n_file_devices - 1], d, address))
		return;
	if (b->n_file_devices == b->cap_file_devices) {
		b->cap_file_devices = b->cap_file_devices ? 2 * b->cap_file_devices : 64;
		b->file_devices =
			xrealloc(b->file_devices, b->cap_file_devices * sizeof(*b->file_devices));
	}
	out = &b->file_devices[b->n_file_devices++];
	tags = build_take(b, d->n_tags * sizeof(*tags));
	for (size_t i = 0; i < d->n_tags; i++)
		tags[i] = build_text(b, d->tags[i]);
	*out = (struct dhcp_device){.name = build_text(b, d->name),
		.address = address,
		.tags = tags,
		.n_tags = d->n_tags};
	if (d->id_len) {
		out->client_id = (struct dhcp_bytes){build_copy(b, d->id, d->id_len), d->id_len};
	} else {
		out->macs = build_copy(b, d->mac, sizeof(d->mac));
		out->n_macs = 1;
	}
}

static void build_on_bad_line(void *arg, unsigned line, const char *why)
{
	struct build *b = arg;

	config_report_add(b->rep, CONFIG_WARNING,
		(struct config_where){.file = b->path, .line = line, .column = 1},
		"%s; the line is left out", why);
}

/* The devices of the top: config first, then the files; config wins where both name one. */
static void build_top_devices(struct build *b)
{
	const struct config *c = b->c;
	struct dhcp_device *all;

	for (size_t i = 0; i < c->n_devices; i++) {
		size_t len;
		char *text;

		if (build_read_file(c->devices[i], &text, &len) != 0)
			continue; /* build_zones has told */
		b->path = c->devices[i];
		devices_parse(text, len, build_on_device, build_on_bad_line, b);
		xfree(text);
	}
	all = build_take(b, (c->n_device + b->n_file_devices) * sizeof(*all));
	for (size_t i = 0; i < c->n_device; i++)
		build_device(b, &c->device[i], &all[i]);
	if (b->n_file_devices)
		memcpy(all + c->n_device, b->file_devices, b->n_file_devices * sizeof(*all));
	xfree(b->file_devices);
	b->out->conf.devices = all;
	b->out->conf.n_devices = c->n_device + b->n_file_devices;
}

/* ---- classes ---- */

static void build_class(struct build *b, const struct config_class *c, struct dhcp_class *out)
{
	struct dhcp_mac_prefix *macs = build_take(b, c->n_mac * sizeof(*macs));

	for (size_t i = 0; i < c->n_mac; i++) {
		memcpy(macs[i].bytes, c->mac[i].bytes, sizeof(macs[i].bytes));
		macs[i].len = c->mac[i].len;
	}
	*out = (struct dhcp_class){.name = build_text(b, c->name),
		.vendors = build_texts(b, c->vendor, c->n_vendor),
		.n_vendors = c->n_vendor,
		.user_classes = build_texts(b, c->user_class, c->n_user_class),
		.n_user_classes = c->n_user_class,
		.archs = build_copy(b, c->arch, c->n_arch * sizeof(*c->arch)),
		.n_archs = c->n_arch,
		.circuit_ids = build_bytes_list(b, c->circuit_id, c->n_circuit_id),
		.n_circuit_ids = c->n_circuit_id,
		.remote_ids = build_bytes_list(b, c->remote_id, c->n_remote_id),
		.n_remote_ids = c->n_remote_id,
		.macs = macs,
		.n_macs = c->n_mac,
		.tags = build_texts(b, c->tag, c->n_tag),
		.n_tags = c->n_tag,
		.has_local_mac = c->local_mac != CONFIG_LOCAL_EITHER,
		.local_mac = c->local_mac == CONFIG_LOCAL_YES,
		.lease_s = c->lease_s,
		.options = build_options(b, c->option, c->n_option),
		.n_options = c->n_option,
		.boot = build_boot_files(b, &c->boot),
		.ignore = c->ignore};
	out->pools = build_ranges(b, c->pool, c->n_pool, &out->n_pools);
}

static const struct dhcp_class *build_class_list(
	struct build *b, const struct config_class *list, size_t n)
{
	struct dhcp_class *out = build_take(b, n * sizeof(*out));

	for (size_t i = 0; i < n; i++)
		build_class(b, &list[i], &out[i]);
	return out;
}

/* ---- lans ---- */

static unsigned build_domain_index(struct build *b, const char *domain)
{
	for (size_t i = 0; i < b->domains->n; i++)
		if (strcasecmp(b->domains->names[i], domain) == 0 &&
			strcasecmp(domain, b->c->domain) != 0)
			return (unsigned)i + 1;
	return 0;
}

/* Lans of one network share a wire; each other lan has one of its own. */
static uint16_t build_wire(const struct config *c, size_t lan)
{
	for (size_t i = 0; i < c->n_network; i++)
		for (size_t k = 0; k < c->network[i].n_lans; k++)
			if (strcmp(c->network[i].lans[k], c->lan[lan].name) == 0)
				return (uint16_t)(c->n_lan + i);
	return (uint16_t)lan;
}

static void build_lan(struct build *b, size_t i, struct dhcp_lan *out)
{
	const struct config_lan *l = &b->c->lan[i];

	*out = (struct dhcp_lan){.name = build_text(b, l->name),
		.wire = build_wire(b->c, i),
		.subnet = ip_to4(&l->subnet.ip),
		.prefix_len = l->subnet.len,
		.router = l->router.family == AF_INET ? ip_to4(&l->router) : 0,
		.domain = build_text(b, l->domain),
		.domain_index = build_domain_index(b, l->domain),
		.lease_s = l->lease_s,
		.min_lease_s = l->min_lease_s,
		.max_lease_s = l->max_lease_s,
		.authoritative = l->authoritative,
		.rapid_commit = l->rapid_commit,
		.probe = l->probe,
		.devices = build_device_list(b, l->device, l->n_device),
		.n_devices = l->n_device,
		.classes = build_class_list(b, l->class, l->n_class),
		.n_classes = l->n_class,
		.options = build_options(b, l->option, l->n_option),
		.n_options = l->n_option,
		.boot = build_boot_files(b, &l->boot)};
	out->ifindex = build_host_lan(b->host, l, &out->address);
	out->pools = build_ranges(b, l->pool, l->n_pool, &out->n_pools);
	out->dns = build_addresses(b, l->dns, l->n_dns, &out->n_dns);
	out->relays = build_addresses(b, l->relay, l->n_relay, &out->n_relays);
}

static void build_lans(struct build *b)
{
	struct dhcp_lan *lans = build_take(b, b->c->n_lan * sizeof(*lans));
	size_t n = 0;

	for (size_t i = 0; i < b->c->n_lan; i++)
		if (b->c->lan[i].subnet.ip.family)
			build_lan(b, i, &lans[n++]);
	b->out->conf.lans = lans;
	b->out->conf.n_lans = n;
}

/* Every IPv4 address of ours. */
static void build_own(struct build *b)
{
	uint32_t *own = build_take(b, b->host->n_ifaces * IFACE_MAX_ADDR * sizeof(*own));
	size_t n = 0;

	for (size_t i = 0; i < b->host->n_ifaces; i++)
		for (size_t k = 0; k < b->host->ifaces[i].n_addrs; k++)
			if (b->host->ifaces[i].addrs[k].ip.family == AF_INET)
				own[n++] = ip_to4(&b->host->ifaces[i].addrs[k].ip);
	b->out->conf.own = own;
	b->out->conf.n_own = n;
}

/* Labels that no client may have: the host's own, and the names of config, which zones know. */
static void build_reserved(struct build *b)
{
	const char **reserved = build_take(b, sizeof(*reserved));

	if (b->host->name[0])
		reserved[b->out->conf.n_reserved++] = build_text(b, b->host->name);
	b->out->conf.reserved = reserved;
}

int build_dhcp(const struct config *c, const struct build_host *h,
	const struct build_domains *domains, struct config_report *rep, struct build_dhcp **out)
{
	struct build b = {.c = c, .host = h, .domains = domains, .rep = rep};

	b.out = xcalloc(1, sizeof(*b.out));
	b.out->pool = arena_pool_new(65536, 0);
	b.out->arena = arena_new(b.out->pool, BUILD_DHCP_ARENA_MAX);
	build_lans(&b);
	build_top_devices(&b);
	b.out->conf.classes = build_class_list(&b, c->class, c->n_class);
	b.out->conf.n_classes = c->n_class;
	build_own(&b);
	build_reserved(&b);
	*out = b.out;
	return 0;
}

void build_dhcp_free(struct build_dhcp *b)
{
	if (!b)
		return;
	arena_free(b->arena);
	arena_pool_free(b->pool);
	xfree(b);
}
