/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/leasename.h"

#include <string.h>

#include "base/hash.h"
#include "base/rcumap.h"
#include "base/xalloc.h"
#include "dns/dname.h"

/* Two maps: (domain, label) -> device with its addresses, and address -> (domain, label). The first
 * is the truth: an address counts only while the device it leads to lists it. So one exchange of
 * a device's entry makes a name and its PTR appear or vanish in the same instant. */

/* Buckets for as many; a hundred thousand leases make chains of three. */
#define EXPECTED 32768

struct device {
	struct rcumap_node node; /* first: the map hands it back */
	uint64_t owner;
	unsigned domain;
	unsigned n_addrs;
	uint8_t label_len;
	char label[DNAME_LABEL_MAX + 1]; /* lower case */
	struct ip addrs[LEASENAME_ADDRS];
	int64_t expires[LEASENAME_ADDRS];
};

struct address {
	struct rcumap_node node;
	struct ip ip;
	unsigned domain;
	uint8_t label_len;
	char label[DNAME_LABEL_MAX + 1];
};

struct leasename {
	struct rcumap *devices, *addresses;
	struct hash_key key;
};

/* What is looked for, and what entries are compared with. */
struct device_key {
	unsigned domain;
	uint8_t label_len;
	char label[DNAME_LABEL_MAX + 1];
};

static void free_device(struct rcumap_node *n)
{
	xfree((struct device *)n);
}

static void free_address(struct rcumap_node *n)
{
	xfree((struct address *)n);
}

struct leasename *leasename_new(void)
{
	struct leasename *n = xcalloc(1, sizeof(*n));

	n->devices = rcumap_new(EXPECTED, free_device);
	n->addresses = rcumap_new(EXPECTED, free_address);
	n->key = hash_key_random();
	return n;
}

void leasename_free(struct leasename *n)
{
	if (!n)
		return;
	rcumap_free(n->devices);
	rcumap_free(n->addresses);
	xfree(n);
}

static bool make_key(unsigned domain, const void *label, size_t len, struct device_key *out)
{
	if (len < 1 || len > DNAME_LABEL_MAX)
		return false;
	out->domain = domain;
	out->label_len = (uint8_t)len;
	memcpy(out->label, label, len);
	out->label[len] = '\0';
	dname_lower((uint8_t *)out->label, len);
	return true;
}

static uint64_t hash_device(const struct leasename *n, const struct device_key *k)
{
	return hash_bytes(&n->key, k->label, k->label_len) ^ (uint64_t)k->domain << 32;
}

static bool is_device(const struct rcumap_node *node, const void *key)
{
	const struct device *d = (const struct device *)node;
	const struct device_key *k = key;

	return d->domain == k->domain && d->label_len == k->label_len &&
	       memcmp(d->label, k->label, k->label_len) == 0;
}

static bool is_address(const struct rcumap_node *node, const void *key)
{
	return ip_equal(&((const struct address *)node)->ip, key);
}

static struct device *get_device(const struct leasename *n, const struct device_key *k)
{
	return (struct device *)rcumap_get(n->devices, hash_device(n, k), is_device, k);
}

static struct address *get_address(const struct leasename *n, const struct ip *ip)
{
	return (struct address *)rcumap_get(n->addresses, ip_hash(&n->key, ip), is_address, ip);
}

/* The place of ip in a device, or -1. */
static int find_place(const struct device *d, const struct ip *ip)
{
	for (unsigned i = 0; i < d->n_addrs; i++) {
		if (ip_equal(&d->addrs[i], ip))
			return (int)i;
	}
	return -1;
}

static void put_device(struct leasename *n, struct device *d, const struct device_key *k)
{
	(void)rcumap_put(n->devices, &d->node, hash_device(n, k), is_device, k);
}

/* Takes ip out of a device's entry. */
static void drop_from_device(struct leasename *n, const struct device_key *k, const struct ip *ip)
{
	struct device *old = get_device(n, k), *d;
	int at = old ? find_place(old, ip) : -1;

	if (at < 0)
		return;
	if (old->n_addrs == 1) {
		rcumap_del(n->devices, &old->node);
		return;
	}
	d = xmemdup(old, sizeof(*old));
	d->n_addrs--;
	for (unsigned i = (unsigned)at; i < d->n_addrs; i++) {
		d->addrs[i] = d->addrs[i + 1];
		d->expires[i] = d->expires[i + 1];
	}
	put_device(n, d, k);
}

static struct device_key key_of(const struct address *a)
{
	struct device_key k;

	(void)make_key(a->domain, a->label, a->label_len, &k);
	return k;
}

static void put_address(struct leasename *n, const struct device_key *k, const struct ip *ip)
{
	struct address *a = xcalloc(1, sizeof(*a));

	a->ip = *ip;
	a->domain = k->domain;
	a->label_len = k->label_len;
	memcpy(a->label, k->label, sizeof(k->label));
	(void)rcumap_put(n->addresses, &a->node, ip_hash(&n->key, ip), is_address, ip);
}

static int put(struct leasename *n, const struct device_key *k, const struct ip *ip, uint64_t owner,
	int64_t expires_wall_s)
{
	struct device *old = get_device(n, k), *d;
	struct address *was = get_address(n, ip);
	int at = old ? find_place(old, ip) : -1;

	if (old && old->owner != owner)
		return ERR_EXISTS;
	if ((at < 0 && old && old->n_addrs == LEASENAME_ADDRS) ||
		(!was && rcumap_count(n->addresses) >= LEASENAME_MAX))
		return ERR_LIMIT;
	if (was && at < 0) { /* the address changes its name */
		struct device_key other = key_of(was);

		drop_from_device(n, &other, ip);
	}
	if (at < 0)
		put_address(n, k, ip);
	if (old) {
		d = xmemdup(old, sizeof(*old));
	} else {
		d = xcalloc(1, sizeof(*d));
		d->owner = owner;
		d->domain = k->domain;
		d->label_len = k->label_len;
		memcpy(d->label, k->label, sizeof(k->label));
	}
	if (at < 0)
		at = (int)d->n_addrs++;
	d->addrs[at] = *ip;
	d->expires[at] = expires_wall_s;
	put_device(n, d, k);
	return 0;
}

int leasename_put(struct leasename *n, unsigned domain, const char *label, const struct ip *ip,
	uint64_t owner, int64_t expires_wall_s)
{
	struct device_key k;
	int err;

	if (!make_key(domain, label, strlen(label), &k))
		return ERR_RANGE;
	rcu_enter();
	err = put(n, &k, ip, owner, expires_wall_s);
	rcu_leave();
	return err;
}

void leasename_del(struct leasename *n, const struct ip *ip)
{
	struct address *a;

	rcu_enter();
	a = get_address(n, ip);
	if (a) {
		struct device_key k = key_of(a);

		drop_from_device(n, &k, ip);
		rcumap_del(n->addresses, &a->node);
	}
	rcu_leave();
}

int leasename_owner(const struct leasename *n, unsigned domain, const char *label, uint64_t *owner)
{
	const struct device *d = NULL;
	struct device_key k;

	rcu_enter();
	if (make_key(domain, label, strlen(label), &k))
		d = get_device(n, &k);
	if (d)
		*owner = d->owner;
	rcu_leave();
	return d ? 0 : ERR_ABSENT;
}

bool leasename_find(const struct leasename *n, unsigned domain, const uint8_t *label,
	size_t label_len, struct leasename_hit *out)
{
	const struct device *d;
	struct device_key k;

	if (!make_key(domain, label, label_len, &k))
		return false;
	d = get_device(n, &k);
	if (!d)
		return false;
	out->n_addrs = d->n_addrs;
	memcpy(out->addrs, d->addrs, sizeof(out->addrs));
	memcpy(out->expires, d->expires, sizeof(out->expires));
	return true;
}

bool leasename_find_ip(const struct leasename *n, const struct ip *ip, char label[64],
	unsigned *domain, int64_t *expires_wall_s)
{
	const struct address *a = get_address(n, ip);
	const struct device *d;
	struct device_key k;
	int at;

	if (!a)
		return false;
	k = key_of(a);
	d = get_device(n, &k);
	at = d ? find_place(d, ip) : -1;
	if (at < 0)
		return false;
	memcpy(label, d->label, sizeof(d->label));
	*domain = d->domain;
	*expires_wall_s = d->expires[at];
	return true;
}

size_t leasename_count(const struct leasename *n)
{
	return rcumap_count(n->addresses);
}
