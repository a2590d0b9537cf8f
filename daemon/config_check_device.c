/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, of which there may be tens of thousands: what must be given once is sorted and equal
 * neighbours are reported. One identity may stand in two lans (a laptop that moves), but not
 * twice in one, nor both in a lan and at the top; one address may stand once. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/xalloc.h"
#include "daemon/config_kind.h"
#include "daemon/config_read.h"

struct key {
	const uint8_t *bytes;
	size_t len;
	const void *field; /* for config_where */
	const struct config_device *device;
	const struct config_lan *lan; /* NULL: the top */
};

struct keys {
	struct key *list;
	size_t n;
};

static int compare_bytes(const struct key *a, const struct key *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->bytes, b->bytes, len) : 0;

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* The top first, then lan by lan, each in the order of the file. */
static int compare_keys(const void *x, const void *y)
{
	const struct key *a = x, *b = y;
	int order = compare_bytes(a, b);

	if (order)
		return order;
	if (a->lan != b->lan)
		return (a->lan > b->lan) - (a->lan < b->lan);
	return (a->field > b->field) - (a->field < b->field);
}

static void add_key(struct keys *keys, const uint8_t *bytes, size_t len, const void *field,
	const struct config_device *device, const struct config_lan *lan)
{
	if (len)
		keys->list[keys->n++] = (struct key){bytes, len, field, device, lan};
}

/* once: whichever lan it is in. */
static void report_same(const struct config *c, struct config_report *rep, struct keys *keys,
	const char *what, bool once)
{
	if (keys->n)
		qsort(keys->list, keys->n, sizeof(*keys->list), compare_keys);
	for (size_t i = 1, first = 0; i < keys->n; i++) {
		const struct key *k = &keys->list[i], *before = &keys->list[i - 1];

		if (compare_bytes(k, before) != 0) {
			first = i;
			continue;
		}
		/* The first of a run is the top's, if the top has one. */
		if (!once && k->lan != before->lan && keys->list[first].lan)
			continue;
		if (!once && k->lan != before->lan)
			before = &keys->list[first];
		config_error(c, rep, k->field, "device.%s: its %s is that of device.%s at line %u",
			k->device->name, what, before->device->name,
			config_where(c, before->field).line);
	}
}

struct gather {
	struct keys macs, client_ids, duids, addresses;
};

static size_t count_devices(const struct config *c, size_t *out_macs)
{
	size_t n = c->n_device;

	*out_macs = 0;
	for (size_t i = 0; i < c->n_device; i++)
		*out_macs += c->device[i].n_mac;
	for (size_t i = 0; i < c->n_lan; i++) {
		n += c->lan[i].n_device;
		for (size_t j = 0; j < c->lan[i].n_device; j++)
			*out_macs += c->lan[i].device[j].n_mac;
	}
	return n;
}

static void gather(struct gather *g, const struct config_device *d, const struct config_lan *lan)
{
	for (size_t i = 0; i < d->n_mac; i++)
		add_key(&g->macs, d->mac[i].bytes, 6, &d->mac[i], d, lan);
	add_key(&g->client_ids, d->client_id.data, d->client_id.len, &d->client_id, d, lan);
	add_key(&g->duids, d->duid.data, d->duid.len, &d->duid, d, lan);
	add_key(&g->addresses, d->address.bytes, ip_len(&d->address), &d->address, d, lan);
	add_key(&g->addresses, d->address6.bytes, ip_len(&d->address6), &d->address6, d, lan);
}

static void check_in_lan(const struct config *c, struct config_report *rep,
	const struct config_device *d, const struct config_lan *lan)
{
	char ip[IP_TEXT_LEN], net[IP_TEXT_LEN];
	const char *why = NULL;

	if (d->address.family && lan->subnet.ip.family)
		why = config_check_host(&lan->subnet, &d->address);
	if (why)
		config_error(c, rep, &d->address, "lan.%s.device.%s: %s is %s %s", lan->name,
			d->name, ip_format(&d->address, ip), why,
			ip_prefix_format(&lan->subnet, net));
	else if (d->address.family && ip_equal(&d->address, &lan->router))
		config_error(c, rep, &d->address, "lan.%s.device.%s: %s is the router's address",
			lan->name, d->name, ip_format(&d->address, ip));
	if (d->address6.family && lan->prefix.ip.family &&
		!ip_prefix_has(&lan->prefix, &d->address6))
		config_error(c, rep, &d->address6, "lan.%s.device.%s: %s is outside the prefix %s",
			lan->name, d->name, ip_format(&d->address6, ip),
			ip_prefix_format(&lan->prefix, net));
}

/* At the top the address tells the lan. Without any lan it is a name with an address. */
static void check_at_top(
	const struct config *c, struct config_report *rep, const struct config_device *d)
{
	char ip[IP_TEXT_LEN];

	if (!d->address.family || !c->n_lan)
		return;
	for (size_t i = 0; i < c->n_lan; i++) {
		const struct config_lan *lan = &c->lan[i];

		if (lan->subnet.ip.family && ip_prefix_has(&lan->subnet, &d->address)) {
			check_in_lan(c, rep, d, lan);
			return;
		}
	}
	config_error(c, rep, &d->address, "device.%s: %s is in no lan's subnet", d->name,
		ip_format(&d->address, ip));
}

static void check_device(const struct config *c, struct config_report *rep,
	const struct config_device *d, const struct config_lan *lan)
{
	if (!config_is_set(c, &d->mac) && !config_is_set(c, &d->client_id) &&
		!config_is_set(c, &d->duid) && !config_is_set(c, &d->address) &&
		!config_is_set(c, &d->address6))
		config_error(c, rep, d,
			"device.%s: a mac, client-id or duid tells it from others; none is given",
			d->name);
	if (lan)
		check_in_lan(c, rep, d, lan);
	else
		check_at_top(c, rep, d);
}

void config_check_devices(const struct config *c, struct config_report *rep)
{
	size_t n_macs, n = count_devices(c, &n_macs);
	struct gather g = {.macs.list = xcalloc(n_macs, sizeof(struct key)),
		.client_ids.list = xcalloc(n, sizeof(struct key)),
		.duids.list = xcalloc(n, sizeof(struct key)),
		.addresses.list = xcalloc(2 * n, sizeof(struct key))};

	for (size_t i = 0; i < c->n_device; i++) {
		check_device(c, rep, &c->device[i], NULL);
		gather(&g, &c->device[i], NULL);
	}
	for (size_t i = 0; i < c->n_lan; i++) {
		const struct config_lan *lan = &c->lan[i];

		for (size_t j = 0; j < lan->n_device; j++) {
			check_device(c, rep, &lan->device[j], lan);
			gather(&g, &lan->device[j], lan);
		}
	}
	report_same(c, rep, &g.macs, "mac", false);
	report_same(c, rep, &g.client_ids, "client-id", false);
	report_same(c, rep, &g.duids, "duid", false);
	report_same(c, rep, &g.addresses, "address", true);
	xfree(g.macs.list);
	xfree(g.client_ids.list);
	xfree(g.duids.list);
	xfree(g.addresses.list);
}
