/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/zones_answer.h"

#include <string.h>

/* ---- putting RRsets into the answer ---- */

/* Room in the caller's memory, aligned; NULL when it is used up. */
static void *take(struct ask *a, size_t len)
{
	size_t pad = -(uintptr_t)a->mem & 7;
	void *p = a->mem + pad;

	len += pad;
	if (a->left < len)
		return NULL;
	a->mem += len;
	a->left -= len;
	return p;
}

enum step zones_give_up(struct ask *a)
{
	a->out->rcode = DNS_RCODE_SERVFAIL;
	a->out->n_answer = a->out->n_authority = 0;
	return STEP_DONE;
}

enum step zones_put(struct ask *a, const struct rrset *rr)
{
	if (!rr || a->out->n_answer >= ZONES_ANSWER_MAX)
		return zones_give_up(a);
	a->out->answer[a->out->n_answer++] = rr;
	return STEP_DONE;
}

/* An RRset of one record, made now. */
static struct rrset *make_set(struct ask *a, const uint8_t *owner, uint16_t type, uint32_t ttl,
	const uint8_t *rdata, size_t len)
{
	size_t cap = sizeof(struct rrset) + dname_len(owner) + sizeof(uint16_t) + len;
	struct rrset *rr = take(a, cap);

	if (!rr)
		return NULL;
	rrset_init(rr, cap, owner, type, DNS_CLASS_IN, ttl);
	rr->rank = RRSET_RANK_LOCAL;
	rr->security = RRSET_INSECURE;
	return rrset_add(rr, cap, rdata, len) == 0 ? rr : NULL;
}

const struct rrset *zones_renamed(struct ask *a, const struct rrset *rr)
{
	struct rrset_iter it = rrset_begin(rr);
	struct rrset *copy;
	size_t cap;

	if (dname_equal(rrset_owner(rr), a->name))
		return rr;
	cap = rr->size - rr->owner_len + dname_len(a->name);
	copy = take(a, cap);
	if (!copy)
		return NULL;
	rrset_init(copy, cap, a->name, rr->type, rr->class, rr->ttl);
	copy->rank = rr->rank;
	copy->security = rr->security;
	while (rrset_next(&it)) {
		if (rrset_add(copy, cap, it.rdata, it.len) != 0)
			return NULL;
	}
	return copy;
}

/* ---- SOA and NS ---- */

static uint32_t negative_ttl(const struct zone *zone)
{
	bool is_special = zone && (zone->kind == ZONE_EMPTY || zone->kind == ZONE_ABSENT);

	return is_special ? ZONES_SPECIAL_TTL_S : ZONES_NEGATIVE_TTL_S;
}

/* MNAME and NS: ourselves where we have a domain; else the zone's own name, as in RFC 6303 3. */
static const uint8_t *server_of(const struct zones *z, const uint8_t *apex)
{
	return z->server[0] ? z->server : apex;
}

static struct rrset *make_soa(struct ask *a, const uint8_t *apex, uint32_t ttl)
{
	static const uint8_t nobody[] = "\6nobody\7invalid";
	uint8_t rdata[2 * DNAME_MAX + 20];
	struct wbuf w = wbuf_of(rdata, sizeof(rdata));
	const uint8_t *server = server_of(a->z, apex);
	const uint8_t *hostmaster = a->z->server[0] ? a->z->hostmaster : nobody;

	wbuf_put(&w, server, dname_len(server));
	wbuf_put(&w, hostmaster, dname_len(hostmaster));
	wbuf_u32(&w, 1);      /* serial: nobody transfers it */
	wbuf_u32(&w, 3600);   /* refresh */
	wbuf_u32(&w, 1200);   /* retry */
	wbuf_u32(&w, 604800); /* expire */
	wbuf_u32(&w, ttl);    /* minimum: the negative TTL, RFC 2308 4 */
	return make_set(a, apex, DNS_TYPE_SOA, ttl, rdata, w.len);
}

enum step zones_negative(struct ask *a, uint16_t rcode, const uint8_t *apex)
{
	struct rrset *soa = make_soa(a, apex, negative_ttl(a->zone));

	if (!soa)
		return zones_give_up(a);
	a->out->rcode = rcode;
	a->out->authority[a->out->n_authority++] = soa;
	return STEP_DONE;
}

enum step zones_nodata(struct ask *a)
{
	bool is_ours = a->zone && a->zone->kind != ZONE_FORWARD;

	return zones_negative(a, DNS_RCODE_NOERROR, is_ours ? a->zone->name : a->name);
}

/* SOA and NS at the top of a zone of ours. */
static enum step answer_apex(struct ask *a)
{
	const struct zone *zone = a->zone;
	uint16_t type = a->q->type;
	const uint8_t *server = server_of(a->z, zone->name);

	if (type == DNS_TYPE_NS)
		return zones_put(a, make_set(a, a->name, DNS_TYPE_NS, ZONES_SPECIAL_TTL_S, server,
					    dname_len(server)));
	if (type == DNS_TYPE_SOA || type == DNS_TYPE_ANY)
		return zones_put(a, make_soa(a, zone->name, negative_ttl(zone)));
	return STEP_NEXT;
}

static bool is_apex(const struct ask *a)
{
	return a->zone && a->zone->labels == a->labels && a->zone->kind != ZONE_FORWARD &&
	       a->zone->kind != ZONE_ABSENT;
}

enum step zones_no_such_type(struct ask *a)
{
	if (is_apex(a) && !a->zone->is_forwarded) {
		/* DS is the parent's: a validator behind us needs the proof that there is none
		 * (RFC 8375 4 for home.arpa). localhost has no parent that knows it. */
		if (a->q->type == DNS_TYPE_DS && (a->labels > 1 || a->zone->kind == ZONE_LEASE))
			return STEP_RESOLVE;
		if (answer_apex(a) == STEP_DONE)
			return STEP_DONE;
	} else if (is_apex(a) && (a->q->type == DNS_TYPE_SOA || a->q->type == DNS_TYPE_NS)) {
		return STEP_RESOLVE;
	}
	return zones_nodata(a);
}

/* ---- leases ---- */

static uint32_t lease_ttl(const struct ask *a, int64_t expires_wall_s)
{
	int64_t third = (expires_wall_s - a->wall_s) / 3;

	/* A third of what is left: a name that moves is stale for less than the lease's renewal. */
	if (third > ZONES_LEASE_TTL_S)
		return ZONES_LEASE_TTL_S;
	return third < 1 ? 1 : (uint32_t)third;
}

uint16_t zones_address_type(const struct ip *ip)
{
	return ip->family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA;
}

/* The addresses of one family that are still leased. NULL: none (or no room: *is_full). */
static struct rrset *make_addresses(
	struct ask *a, const struct leasename_hit *hit, uint16_t type, bool *is_full)
{
	size_t cap = sizeof(struct rrset) + DNAME_MAX + LEASENAME_ADDRS * (2 + 16);
	uint32_t ttl = ZONES_LEASE_TTL_S;
	struct rrset *rr = NULL;

	for (unsigned i = 0; i < hit->n_addrs; i++) {
		if (zones_address_type(&hit->addrs[i]) != type || hit->expires[i] <= a->wall_s)
			continue;
		if (!rr) {
			rr = take(a, cap);
			if (!rr) {
				*is_full = true;
				return NULL;
			}
			rrset_init(rr, cap, a->name, type, DNS_CLASS_IN, ttl);
			rr->rank = RRSET_RANK_LOCAL;
			rr->security = RRSET_INSECURE;
		}
		if (lease_ttl(a, hit->expires[i]) < ttl)
			ttl = lease_ttl(a, hit->expires[i]);
		if (rrset_add(rr, cap, hit->addrs[i].bytes, ip_len(&hit->addrs[i])) != 0)
			break; /* cannot be: cap holds LEASENAME_ADDRS */
	}
	if (rr)
		rr->ttl = ttl;
	return rr;
}

static bool is_live(const struct ask *a, const struct leasename_hit *hit)
{
	for (unsigned i = 0; i < hit->n_addrs; i++) {
		if (hit->expires[i] > a->wall_s)
			return true;
	}
	return false;
}

bool zones_find_lease(
	const struct ask *a, uint32_t zone_index, const uint8_t *label, struct leasename_hit *out)
{
	const struct zones *z = a->z;

	for (unsigned d = 0; z->leases && d < z->n_domains; d++) {
		if (z->domains[d] == zone_index + 1 &&
			leasename_find(z->leases, d, label + 1, *label, out) && is_live(a, out))
			return true;
	}
	return false;
}

enum step zones_answer_lease(struct ask *a, const struct leasename_hit *hit)
{
	uint16_t type = a->q->type;
	bool is_full = false;
	struct rrset *rr = NULL;

	if (type == DNS_TYPE_A || type == DNS_TYPE_ANY)
		rr = make_addresses(a, hit, DNS_TYPE_A, &is_full);
	if (!rr && (type == DNS_TYPE_AAAA || type == DNS_TYPE_ANY))
		rr = make_addresses(a, hit, DNS_TYPE_AAAA, &is_full);
	if (is_full)
		return zones_give_up(a);
	a->out->source = "lease";
	return rr ? zones_put(a, rr) : zones_nodata(a);
}

enum step zones_answer_lease_ptr(struct ask *a)
{
	const struct zones *z = a->z;
	uint8_t target[DNAME_MAX], wire[1 + DNAME_LABEL_MAX];
	const struct zone *zone;
	struct ip ip;
	char label[DNAME_LABEL_MAX + 1];
	unsigned domain;
	int64_t expires;
	size_t len;

	if (!z->leases || !dname_to_ip(a->name, &ip) ||
		!leasename_find_ip(z->leases, &ip, label, &domain, &expires) ||
		expires <= a->wall_s || domain >= z->n_domains || !z->domains[domain])
		return STEP_NEXT;
	a->out->source = "lease";
	if (a->q->type != DNS_TYPE_PTR && a->q->type != DNS_TYPE_ANY)
		return zones_nodata(a);
	zone = &z->zones[z->domains[domain] - 1];
	len = strlen(label);
	wire[0] = (uint8_t)len;
	memcpy(wire + 1, label, len);
	if (dname_join(wire, len + 1, zone->name, target, &len) != 0)
		return zones_nodata(a);
	return zones_put(a, make_set(a, a->name, DNS_TYPE_PTR, lease_ttl(a, expires), target, len));
}
