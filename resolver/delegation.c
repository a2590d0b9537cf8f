/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/delegation.h"

#include <string.h>

#include "dns/dname.h"
#include "dns/dns_const.h"
#include "resolver/cache_rrset.h"
#include "resolver/resolver_conf.h"

bool delegation_may_ask(const struct resolver_conf *conf, const struct ip *ip)
{
	const uint8_t *b = ip->bytes;
	static const uint8_t zero[16];

	if (ip->family == AF_INET) {
		/* "This network", multicast, reserved and broadcast are nobody's address. */
		if (!conf->ipv4 || b[0] == 0 || b[0] >= 224)
			return false;
	} else if (ip->family == AF_INET6) {
		/* Link-local without a scope leads nowhere; mapped ones are IPv4 in disguise. */
		if (!conf->ipv6 || b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
			(memcmp(b, zero, 10) == 0 && b[10] == 0xff) || memcmp(b, zero, 16) == 0)
			return false;
	} else {
		return false;
	}
	if (ip_is_loopback(ip))
		return conf->query_localhost;
	for (size_t i = 0; i < conf->n_own; i++) {
		if (ip_equal(&conf->own[i], ip))
			return false;
	}
	return true;
}

/* False when it is there already, must not be asked, or there is no room. */
static bool delegation_add_addr(struct delegation *d, unsigned i, const struct ip_port *at)
{
	struct delegation_ns *ns = i < d->n_ns ? &d->ns[i] : NULL;

	if (d->n_addrs >= DELEGATION_ADDRS_MAX || (ns && ns->n_addrs >= RESOLVER_NS_ADDRS_MAX))
		return false;
	for (unsigned k = 0; k < d->n_addrs; k++) {
		if (ip_port_equal(&d->addrs[k].at, at))
			return false;
	}
	d->addrs[d->n_addrs++] = (struct delegation_addr){.at = *at, .ns = (uint8_t)i};
	if (ns)
		ns->n_addrs++;
	return true;
}

/* conf NULL: any address may be asked. */
static size_t delegation_add_rrset(
	struct delegation *d, unsigned i, const struct rrset *rr, const struct resolver_conf *conf)
{
	struct rrset_iter it = rrset_begin(rr);
	struct ip_port at = {.port = DNS_PORT};
	size_t n = 0;

	while (rrset_next(&it) && !it.is_sig) {
		if (rr->type == DNS_TYPE_A && it.len == 4) {
			at.ip = (struct ip){.family = AF_INET};
			memcpy(at.ip.bytes, it.rdata, 4);
		} else if (rr->type == DNS_TYPE_AAAA && it.len == 16) {
			at.ip = ip_from6(it.rdata);
		} else {
			continue;
		}
		if ((!conf || delegation_may_ask(conf, &at.ip)) && delegation_add_addr(d, i, &at))
			n++;
	}
	return n;
}

size_t delegation_add_addrs(
	struct delegation *d, unsigned i, const struct rrset *rr, const struct resolver_conf *conf)
{
	return delegation_add_rrset(d, i, rr, conf);
}

static struct delegation *delegation_new(
	const struct delegation_in *in, enum delegation_kind kind, const uint8_t *zone)
{
	struct delegation *d = arena_alloc(in->arena, sizeof(*d));
	uint8_t *copy = d ? arena_memdup(in->arena, zone, dname_len(zone)) : NULL;

	if (!copy)
		return NULL;
	d->kind = kind;
	d->zone = copy;
	d->n_ns = d->n_addrs = 0;
	d->expires_ms = INT64_MAX;
	d->is_referral = false;
	return d;
}

/* Takes the names of the servers, RESOLVER_NS_MAX from a random one on. They stay where they are:
 * rr lies in the query's arena. */
static void delegation_add_names(
	const struct delegation_in *in, struct delegation *d, const struct rrset *rr)
{
	unsigned skip = 0;
	struct rrset_iter it = rrset_begin(rr);

	if (rr->n_rr > RESOLVER_NS_MAX)
		skip = rand_below(in->r->env.rand, rr->n_rr - RESOLVER_NS_MAX + 1u);
	while (rrset_next(&it) && !it.is_sig && d->n_ns < RESOLVER_NS_MAX) {
		if (skip > 0)
			skip--;
		else
			d->ns[d->n_ns++] = (struct delegation_ns){.name = it.rdata};
	}
}

static void delegation_add_cached(
	const struct delegation_in *in, struct delegation *d, unsigned i, uint16_t type)
{
	struct rrset *rr = cache_rrset_get(
		in->r->env.rrsets, d->ns[i].name, type, DNS_CLASS_IN, in->now_ms, 0, in->arena);

	if (rr && rr->security != RRSET_BOGUS)
		(void)delegation_add_addrs(d, i, rr, in->conf);
}

static void delegation_add_all_cached(const struct delegation_in *in, struct delegation *d)
{
	for (unsigned i = 0; i < d->n_ns; i++) {
		if (in->conf->ipv4)
			delegation_add_cached(in, d, i, DNS_TYPE_A);
		if (in->conf->ipv6)
			delegation_add_cached(in, d, i, DNS_TYPE_AAAA);
	}
}

/* Is there anybody to ask, or a name that can be looked up without asking this very zone? */
static bool delegation_is_usable(const struct delegation *d)
{
	if (d->n_addrs > 0)
		return true;
	for (unsigned i = 0; i < d->n_ns; i++) {
		if (!dname_is_under(d->ns[i].name, d->zone))
			return true;
	}
	return false;
}

static struct delegation *delegation_from_hints(const struct delegation_in *in)
{
	struct delegation *d = delegation_new(in, DELEGATION_HINTS, (const uint8_t *)"");
	const struct resolver_conf *conf = in->conf;

	if (!d)
		return NULL;
	/* The hints live with the config, so their names are copied with their RRset. */
	for (size_t i = 0; i < conf->n_hints; i++) {
		const struct rrset *rr = conf->hints[i];

		if (rr->type != DNS_TYPE_NS)
			continue;
		rr = arena_memdup(in->arena, rr, rr->size);
		if (!rr)
			return NULL;
		delegation_add_names(in, d, rr);
	}
	for (size_t i = 0; i < conf->n_hints; i++) {
		for (unsigned k = 0; k < d->n_ns; k++) {
			const struct rrset *rr = conf->hints[i];

			/* Told by the admin: any address, of a family in use. */
			if (rr->type == DNS_TYPE_A ? !conf->ipv4 : !conf->ipv6)
				continue;
			if (dname_equal(d->ns[k].name, rrset_owner(rr)))
				(void)delegation_add_rrset(d, k, rr, NULL);
		}
	}
	return d->n_addrs > 0 ? d : NULL;
}

struct delegation *delegation_from_conf(
	const struct delegation_in *in, const struct resolver_forward *f)
{
	struct delegation *d =
		delegation_new(in, f->is_stub ? DELEGATION_STUB : DELEGATION_FORWARD, f->zone);

	/* Told by the admin: any address may be asked, loopback too. */
	for (size_t i = 0; d && i < f->n_to; i++)
		(void)delegation_add_addr(d, DELEGATION_NO_NS, &f->to[i]);
	return d;
}

static struct delegation *delegation_from_cache(const struct delegation_in *in, const uint8_t *zone)
{
	struct rrset *rr = cache_rrset_get(
		in->r->env.rrsets, zone, DNS_TYPE_NS, DNS_CLASS_IN, in->now_ms, 0, in->arena);
	struct delegation *d;

	if (!rr || rr->security == RRSET_BOGUS)
		return NULL;
	d = delegation_new(in, DELEGATION_ZONE, zone);
	if (!d)
		return NULL;
	d->expires_ms = in->now_ms + (int64_t)rr->ttl * 1000;
	delegation_add_names(in, d, rr);
	delegation_add_all_cached(in, d);
	return delegation_is_usable(d) ? d : NULL;
}

struct delegation *delegation_find(
	const struct delegation_in *in, const uint8_t *name, unsigned max_labels)
{
	const struct resolver_forward *stub = resolver_conf_forward(in->conf, name);
	unsigned labels = dname_labels(name);

	if (stub && !stub->is_stub)
		return delegation_from_conf(in, stub);
	for (;; labels--, name = dname_strip(name, 1)) {
		if (stub && dname_equal(name, stub->zone))
			return delegation_from_conf(in, stub);
		if (labels <= max_labels) {
			struct delegation *d = delegation_from_cache(in, name);

			if (d)
				return d;
		}
		if (labels == 0)
			return delegation_from_hints(in);
	}
}

struct delegation *delegation_from_referral(const struct delegation_in *in, const struct rrset *ns,
	struct rrset *const *glue, size_t n_glue)
{
	struct delegation *d = delegation_new(in, DELEGATION_ZONE, rrset_owner(ns));

	if (!d)
		return NULL;
	d->is_referral = true;
	d->expires_ms = in->now_ms + (int64_t)ns->ttl * 1000;
	delegation_add_names(in, d, ns);
	for (unsigned i = 0; i < d->n_ns; i++) {
		bool has_glue = false;

		for (size_t k = 0; k < n_glue; k++) {
			if (!dname_equal(rrset_owner(glue[k]), d->ns[i].name))
				continue;
			has_glue = true;
			(void)delegation_add_addrs(d, i, glue[k], in->conf);
		}
		if (has_glue)
			continue;
		if (in->conf->ipv4)
			delegation_add_cached(in, d, i, DNS_TYPE_A);
		if (in->conf->ipv6)
			delegation_add_cached(in, d, i, DNS_TYPE_AAAA);
	}
	return d;
}

void delegation_new_question(struct delegation *d)
{
	for (unsigned i = 0; i < d->n_addrs; i++) {
		struct delegation_addr *a = &d->addrs[i];

		a->tries = 0;
		a->n_tcp_fails = 0;
		a->is_failed = a->is_lame;
		a->is_tcp = false;
	}
}
