/* SPDX-License-Identifier: Apache-2.0 */
/* Everything we answer ourselves, from the configuration and the files it names, into a zones
 * snapshot. */
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/build.h"
#include "daemon/devices.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"

#define BUILD_LOCAL_TTL_S                                                                          \
	60 /* hosts, devices and records without a ttl: they may change any minute */

struct build {
	const struct config *c;
	const struct build_host *host;
	struct config_report *rep;
	struct zones_builder *zones;
	const void *where; /* the key that a file's warnings are told at */
	const char *path;
	bool has_failed;
};

static void build_bad_record(struct build *b, const void *where, const char *name, int err)
{
	config_report_add(b->rep, CONFIG_ERROR, config_where(b->c, where), "record %s: %s", name,
		err == ERR_EXISTS ? "a CNAME cannot stand beside other data of the name"
				  : err_text(err));
	b->has_failed = true;
}

/* Names in records are whole, as they are everywhere in the file; but a bare one, as in a hosts
 * file, is of the domain. xfree the result. */
static char *build_whole_target(const struct build *b, uint16_t type, const char *text)
{
	const char *last = strrchr(text, ' ');
	bool has_target = type == DNS_TYPE_CNAME || type == DNS_TYPE_PTR || type == DNS_TYPE_MX ||
			  type == DNS_TYPE_SRV;

	last = last ? last + 1 : text;
	if (!has_target || strchr(last, '.'))
		return xstrdup(text);
	return xasprintf("%s.%s", text, b->c->domain);
}

static void build_record_text(struct build *b, const struct config_record *r, uint16_t type,
	const char *text, const void *where)
{
	char *whole = build_whole_target(b, type, text);
	uint8_t rdata[RRTEXT_RDATA_MAX];
	size_t len;
	int err = rrtext_read_rdata(type, whole, NULL, rdata, sizeof(rdata), &len);

	xfree(whole);
	if (err) {
		config_report_add(b->rep, CONFIG_ERROR, config_where(b->c, where),
			"record %s: \"%s\" is not the data of a record of this type", r->name,
			text);
		b->has_failed = true;
		return;
	}
	err = zones_builder_record(b->zones, r->name, type, r->ttl_s, rdata, len);
	if (err)
		build_bad_record(b, where, r->name, err);
}

/* TXT text is one string as the user wrote it: up to 255 octets a character-string. */
static void build_record_txt(
	struct build *b, const struct config_record *r, const char *const *text)
{
	size_t left = strlen(*text), len = 0;
	uint8_t rdata[RRTEXT_RDATA_MAX];
	const char *at = *text;
	int err = left > 3800 ? ERR_LIMIT : 0;

	do {
		size_t n = left > 255 ? 255 : left;

		if (err)
			break;
		rdata[len++] = (uint8_t)n;
		memcpy(rdata + len, at, n);
		len += n;
		at += n;
		left -= n;
	} while (left);
	if (!err)
		err = zones_builder_record(b->zones, r->name, DNS_TYPE_TXT, r->ttl_s, rdata, len);
	if (err)
		build_bad_record(b, text, r->name, err);
}

/* "TYPE rdata" */
static void build_record_rr(struct build *b, const struct config_record *r, const char *const *text)
{
	char type_name[32];
	uint16_t type;
	int n = 0;

	if (sscanf(*text, " %31s %n", type_name, &n) != 1 || !n ||
		rrtype_read(type_name, &type) != 0) {
		config_report_add(b->rep, CONFIG_ERROR, config_where(b->c, text),
			"record %s: rr must be a type and its data, as in \"TXT hello\"", r->name);
		b->has_failed = true;
		return;
	}
	build_record_text(b, r, type, *text + n, text);
}

static void build_address(struct build *b, const char *name, const struct ip *ip, uint32_t ttl,
	bool ptr, const char *source, const void *where)
{
	int err = zones_builder_address(b->zones, name, ip, ttl, ptr, source);

	if (err)
		build_bad_record(b, where, name, err);
}

static void build_record(struct build *b, const struct config_record *r)
{
	for (size_t i = 0; i < r->n_a; i++)
		build_address(
			b, r->name, &r->a[i], r->ttl_s, r->ptr.from_addresses, "record", &r->a[i]);
	for (size_t i = 0; i < r->n_aaaa; i++)
		build_address(b, r->name, &r->aaaa[i], r->ttl_s, r->ptr.from_addresses, "record",
			&r->aaaa[i]);
	if (r->cname)
		build_record_text(b, r, DNS_TYPE_CNAME, r->cname, &r->cname);
	if (r->ptr.target)
		build_record_text(b, r, DNS_TYPE_PTR, r->ptr.target, &r->ptr.target);
	for (size_t i = 0; i < r->n_mx; i++)
		build_record_text(b, r, DNS_TYPE_MX, r->mx[i], &r->mx[i]);
	for (size_t i = 0; i < r->n_srv; i++)
		build_record_text(b, r, DNS_TYPE_SRV, r->srv[i], &r->srv[i]);
	for (size_t i = 0; i < r->n_caa; i++)
		build_record_text(b, r, DNS_TYPE_CAA, r->caa[i], &r->caa[i]);
	for (size_t i = 0; i < r->n_txt; i++)
		build_record_txt(b, r, &r->txt[i]);
	for (size_t i = 0; i < r->n_rr; i++)
		build_record_rr(b, r, &r->rr[i]);
}

static void build_device_name(struct build *b, const char *name, const char *domain,
	const struct ip *ip, const void *where)
{
	char full[320];

	if (!name || !ip->family)
		return;
	snprintf(full, sizeof(full), "%s.%s", name, domain);
	build_address(b, full, ip, BUILD_LOCAL_TTL_S, true, "device", where);
}

/* A device of no particular lan is named in the domain of the lan that its address lies in. */
static const char *build_domain_for(const struct config *c, const struct ip *ip)
{
	for (size_t i = 0; i < c->n_lan; i++)
		if (ip_prefix_has(&c->lan[i].subnet, ip))
			return c->lan[i].domain;
	return c->domain;
}

static void build_config_devices(struct build *b)
{
	const struct config *c = b->c;

	for (size_t i = 0; i < c->n_device; i++) {
		const struct config_device *d = &c->device[i];

		build_device_name(b, d->name, build_domain_for(c, &d->address), &d->address, d);
		build_device_name(b, d->name, build_domain_for(c, &d->address), &d->address6, d);
	}
	for (size_t k = 0; k < c->n_lan; k++) {
		for (size_t i = 0; i < c->lan[k].n_device; i++) {
			const struct config_device *d = &c->lan[k].device[i];

			build_device_name(b, d->name, c->lan[k].domain, &d->address, d);
			build_device_name(b, d->name, c->lan[k].domain, &d->address6, d);
		}
	}
}

static void build_on_bad_line(void *arg, unsigned line, const char *why)
{
	struct build *b = arg;

	config_report_add(b->rep, CONFIG_WARNING,
		(struct config_where){.file = b->path, .line = line, .column = 1},
		"%s; the line is left out", why);
}

static void build_ignore_line(void *arg, unsigned line, const char *why)
{
	(void)arg;
	(void)line;
	(void)why; /* build_dhcp reads the same file and tells */
}

static void build_on_device(void *arg, const struct devices_line *d)
{
	struct build *b = arg;

	build_device_name(b, d->name, build_domain_for(b->c, &d->ip), &d->ip, b->where);
}

/* Calls read with the text of each file that can be read; the others are warned of. */
static void build_files(struct build *b, const char *const *paths, size_t n,
	void (*read)(struct build *b, const char *text, size_t len))
{
	for (size_t i = 0; i < n; i++) {
		size_t len;
		char *text;
		int err = build_read_file(paths[i], &text, &len);

		if (err) {
			config_report_add(b->rep, CONFIG_WARNING, config_where(b->c, &paths[i]),
				"%s cannot be read (%s); it is taken in when it can", paths[i],
				err_text(err));
			continue;
		}
		b->path = paths[i];
		b->where = &paths[i];
		read(b, text, len);
		xfree(text);
	}
}

static void build_hosts(struct build *b, const char *text, size_t len)
{
	int err = zones_builder_hosts(b->zones, b->path, text, len, build_on_bad_line, b);

	if (err)
		config_report_add(b->rep, CONFIG_WARNING, config_where(b->c, b->where),
			"%s is only taken in part: %s", b->path, err_text(err));
}

static void build_devices(struct build *b, const char *text, size_t len)
{
	devices_parse(text, len, build_on_device, build_ignore_line, b);
}

/* Our own name stands for our addresses on the lans. */
static void build_own_name(struct build *b)
{
	for (size_t i = 0; i < b->c->n_lan && b->host->name[0]; i++) {
		uint32_t address;
		struct ip ip;

		build_host_lan(b->host, &b->c->lan[i], &address);
		ip = ip_from4(address);
		if (address)
			build_device_name(b, b->host->name, b->c->domain, &ip, &b->c->lan[i]);
	}
}

int build_zones(const struct config *c, const struct build_host *h,
	const struct build_domains *domains, struct leasename *leases, struct config_report *rep,
	struct zones **out)
{
	const char **forwarded = xcalloc(c->n_forward + c->n_stub + 1, sizeof(*forwarded));
	struct ip_prefix *lans = xcalloc(2 * c->n_lan + 1, sizeof(*lans));
	struct build b = {.c = c, .host = h, .rep = rep};
	size_t n_forwarded = 0, n_lans = 0;
	struct zones_conf conf = {.domain = c->domain,
		.special_zones = c->dns.special_zones,
		.leases = leases,
		.lan_prefixes = lans,
		.lan_domains = (const char *const *)domains->names,
		.n_lan_domains = domains->n,
		.forwarded = forwarded,
		.server_name = h->name[0] ? h->name : NULL,
		.local_ttl_s = BUILD_LOCAL_TTL_S};

	for (size_t i = 0; i < c->n_forward; i++)
		forwarded[n_forwarded++] = c->forward[i].name;
	for (size_t i = 0; i < c->n_stub; i++)
		forwarded[n_forwarded++] = c->stub[i].name;
	for (size_t i = 0; i < c->n_lan; i++) {
		if (c->lan[i].subnet.ip.family)
			lans[n_lans++] = c->lan[i].subnet;
		if (c->lan[i].prefix.ip.family)
			lans[n_lans++] = c->lan[i].prefix;
	}
	conf.n_forwarded = n_forwarded;
	conf.n_lan_prefixes = n_lans;
	b.zones = zones_builder_new(&conf);
	for (size_t i = 0; i < c->n_record; i++)
		build_record(&b, &c->record[i]);
	build_config_devices(&b);
	build_files(&b, (const char *const *)c->devices, c->n_devices, build_devices);
	build_files(&b, (const char *const *)c->hosts, c->n_hosts, build_hosts);
	build_own_name(&b);
	*out = zones_builder_finish(b.zones);
	xfree(forwarded);
	xfree(lans);
	return b.has_failed ? ERR_MALFORMED : 0;
}
