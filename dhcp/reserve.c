/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/reserve.h"

#include <string.h>

#include "base/table.h"
#include "base/xalloc.h"
#include "dhcp/dhcp_const.h"

enum reserve_kind { RESERVE_ID = 1, RESERVE_MAC, RESERVE_ADDRESS };

struct reserve_entry {
	struct table_node node;
	enum reserve_kind kind;
	const struct dhcp_lan *lan; /* NULL: every lan */
	const struct dhcp_device *device;
	const uint8_t *key; /* borrowed; ADDRESS: the device's field */
	size_t len;
};

struct reserve {
	struct hash_key key;
	struct table table;
	struct reserve_entry *entries;
	size_t n, cap;
};

static void reserve_add(struct reserve *r, enum reserve_kind kind, const struct dhcp_lan *lan,
	const struct dhcp_device *d, const void *key, size_t len)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->entries = xrealloc(r->entries, r->cap * sizeof(*r->entries));
	}
	r->entries[r->n++] = (struct reserve_entry){
		.kind = kind, .lan = lan, .device = d, .key = key, .len = len};
}

static void reserve_add_devices(
	struct reserve *r, const struct dhcp_lan *lan, const struct dhcp_device *devices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct dhcp_device *d = &devices[i];

		for (size_t m = 0; m < d->n_macs; m++)
			reserve_add(r, RESERVE_MAC, lan, d, d->macs[m].bytes, DHCP_MAC_LEN);
		if (d->client_id.len)
			reserve_add(r, RESERVE_ID, lan, d, d->client_id.data, d->client_id.len);
		if (d->address)
			reserve_add(r, RESERVE_ADDRESS, lan, d, &d->address, sizeof(d->address));
	}
}

static uint64_t reserve_hash(
	const struct reserve *r, enum reserve_kind kind, const void *key, size_t len)
{
	return hash_bytes(&r->key, key, len) + kind;
}

struct reserve *reserve_new(const struct dhcp_conf *conf, const struct hash_key *key)
{
	struct reserve *r = xcalloc(1, sizeof(*r));

	r->key = *key;
	for (size_t i = 0; i < conf->n_lans; i++)
		reserve_add_devices(
			r, &conf->lans[i], conf->lans[i].devices, conf->lans[i].n_devices);
	reserve_add_devices(r, NULL, conf->devices, conf->n_devices);
	for (size_t i = r->n; i-- > 0;) { /* the first of equals is found first */
		struct reserve_entry *e = &r->entries[i];

		table_put(&r->table, &e->node, reserve_hash(r, e->kind, e->key, e->len));
	}
	return r;
}

void reserve_free(struct reserve *r)
{
	if (!r)
		return;
	table_fini(&r->table);
	xfree(r->entries);
	xfree(r);
}

static bool reserve_is(
	const struct reserve_entry *e, enum reserve_kind kind, const void *key, size_t len)
{
	return e->kind == kind && e->len == len && memcmp(e->key, key, len) == 0;
}

static const struct dhcp_device *reserve_find_key(const struct reserve *r,
	const struct dhcp_lan *lan, enum reserve_kind kind, const void *key, size_t len)
{
	const struct dhcp_device *everywhere = NULL;
	struct table_node *n = table_find(&r->table, reserve_hash(r, kind, key, len));

	for (; n; n = table_next(n)) {
		const struct reserve_entry *e = (const struct reserve_entry *)n;

		if (!reserve_is(e, kind, key, len))
			continue;
		if (e->lan == lan)
			return e->device;
		if (!e->lan && !everywhere)
			everywhere = e->device;
	}
	return everywhere;
}

const struct dhcp_device *reserve_find(
	const struct reserve *r, const struct dhcp_lan *lan, const struct client4 *c)
{
	const struct dhcp_device *d = NULL;

	if (c->id_len)
		d = reserve_find_key(r, lan, RESERVE_ID, c->id, c->id_len);
	if (!d && c->id_len > 1)
		d = reserve_find_key(r, lan, RESERVE_ID, c->id + 1, c->id_len - 1u);
	if (!d && c->hw_len == DHCP_MAC_LEN)
		d = reserve_find_key(r, lan, RESERVE_MAC, c->hw, DHCP_MAC_LEN);
	return d;
}

const struct dhcp_device *reserve_of_address(const struct reserve *r, uint32_t addr)
{
	struct table_node *n =
		table_find(&r->table, reserve_hash(r, RESERVE_ADDRESS, &addr, sizeof(addr)));

	while (n &&
		!reserve_is((const struct reserve_entry *)n, RESERVE_ADDRESS, &addr, sizeof(addr)))
		n = table_next(n);
	return n ? ((const struct reserve_entry *)n)->device : NULL;
}

void reserve_each_address(const struct reserve *r, void (*fn)(uint32_t addr, void *arg), void *arg)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->entries[i].kind == RESERVE_ADDRESS)
			fn(r->entries[i].device->address, arg);
	}
}
