/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/acl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Both ends included. IPv4 uses only the low half of an address. */
struct acl_addr {
	uint64_t hi, lo;
};
struct acl_range {
	struct acl_addr first, last;
};

/* Sorted, disjoint, no two adjoining. */
struct acl_family {
	size_t n;
	struct acl_range *ranges;
};

struct acl {
	struct acl_family v4, v6;
};

static int addr_compare(struct acl_addr a, struct acl_addr b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

static uint64_t load_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

static struct acl_addr addr_of(const struct ip *ip)
{
	if (ip->family == AF_INET)
		return (struct acl_addr){0, load_be64(ip->bytes) >> 32};
	return (struct acl_addr){load_be64(ip->bytes), load_be64(ip->bytes + 8)};
}

static struct acl_range range_of(const struct ip_prefix *p)
{
	struct acl_range r = {addr_of(&p->ip), addr_of(&p->ip)};
	unsigned bits = p->ip.family == AF_INET ? 32 : 128;
	unsigned host = p->len < bits ? bits - p->len : 0;

	if (host >= 64)
		r.last.lo = UINT64_MAX;
	else
		r.last.lo |= ((uint64_t)1 << host) - 1;
	if (host >= 128)
		r.last.hi = UINT64_MAX;
	else if (host > 64)
		r.last.hi |= ((uint64_t)1 << (host - 64)) - 1;
	return r;
}

static int range_compare(const void *a, const void *b)
{
	const struct acl_range *x = a, *y = b;

	return addr_compare(x->first, y->first);
}

static void family_finish(struct acl_family *f)
{
	size_t kept = 0;

	qsort(f->ranges, f->n, sizeof(*f->ranges), range_compare);
	for (size_t i = 0; i < f->n; i++) {
		struct acl_range *before = kept ? &f->ranges[kept - 1] : NULL;

		if (before == NULL || addr_compare(f->ranges[i].first, before->last) > 0)
			f->ranges[kept++] = f->ranges[i];
		else if (addr_compare(f->ranges[i].last, before->last) > 0)
			before->last = f->ranges[i].last;
	}
	f->n = kept;
}

struct acl *acl_new(const struct ip_prefix *prefixes, size_t n)
{
	struct acl *a = xcalloc(1, sizeof(*a));

	a->v4.ranges = xcalloc(n, sizeof(*a->v4.ranges));
	a->v6.ranges = xcalloc(n, sizeof(*a->v6.ranges));
	for (size_t i = 0; i < n; i++) {
		struct acl_family *f = prefixes[i].ip.family == AF_INET ? &a->v4 : &a->v6;

		f->ranges[f->n++] = range_of(&prefixes[i]);
	}
	family_finish(&a->v4);
	family_finish(&a->v6);
	return a;
}

void acl_free(struct acl *a)
{
	if (a == NULL)
		return;
	xfree(a->v4.ranges);
	xfree(a->v6.ranges);
	xfree(a);
}

bool acl_allows(const struct acl *a, const struct ip *ip)
{
	const struct acl_family *f;
	struct acl_addr addr;
	size_t low = 0, high;

	if (a == NULL || (ip->family != AF_INET && ip->family != AF_INET6))
		return false;
	f = ip->family == AF_INET ? &a->v4 : &a->v6;
	addr = addr_of(ip);
	for (high = f->n; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (addr_compare(addr, f->ranges[mid].first) < 0)
			high = mid;
		else if (addr_compare(addr, f->ranges[mid].last) > 0)
			low = mid + 1;
		else
			return true;
	}
	return false;
}
