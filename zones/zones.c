/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/zones.h"

#include <string.h>

#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/rrtype.h"
#include "zones/zones_snapshot.h"

/* How a question is answered here, in this order:
 *
 *	1. data of the exact name: records and devices, then hosts (localzone keeps the better)
 *	2. a lease's name, or the PTR of a lease's address
 *	3. a wildcard of the closest encloser (RFC 4592)
 *	4. the zone the name lies in: ours and special ones say NODATA or NXDOMAIN with an SOA,
 *	   a forward zone or none at all means: resolve
 *
 * A CNAME starts over with its target. One walk through the tree of names serves 1, 3 and 4, and
 * ends at the first label that is not in it, so a stranger's name costs next to nothing. */

/* One question on its way. */
struct ask {
	const struct zones *z;
	const struct question *q;
	bool is_loopback; /* the client is ourselves */
	int64_t wall_s;
	uint8_t *mem;
	size_t left;
	struct trace *trace;
	struct zones_answer *out;
	/* the name looked at now, and what the walk found */
	const uint8_t *name;
	unsigned labels, matched;
	uint32_t ids[DNAME_LABELS_MAX + 1];
	uint32_t loop_id; /* its node in the loopback data, SUFFIXSET_NONE */
	const struct zone *zone;
};

/* What a step says. NEXT: not mine. */
enum step { STEP_NEXT, STEP_DONE, STEP_RESOLVE, STEP_CNAME };

/* ---- putting RRsets into the answer ---- */

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

/* No room, or too many CNAMEs: an honest error. */
static enum step give_up(struct ask *a)
{
	a->out->rcode = DNS_RCODE_SERVFAIL;
	a->out->n_answer = a->out->n_authority = 0;
	return STEP_DONE;
}

static enum step put_answer(struct ask *a, const struct rrset *rr)
{
	if (!rr || a->out->n_answer >= ZONES_ANSWER_MAX)
		return give_up(a);
	a->out->answer[a->out->n_answer++] = rr;
	return STEP_DONE;
}

/* An RRset of n equally long records, made now. */
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

/* A set of static data under the name that was asked. The stored one will do when both names are
 * equal: the case of the question comes back by compression. */
static const struct rrset *renamed(struct ask *a, const struct rrset *rr)
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

/* NODATA or NXDOMAIN. Without a zone the name itself is the top of one. */
static enum step negative(struct ask *a, uint16_t rcode, const uint8_t *apex)
{
	struct rrset *soa = make_soa(a, apex, negative_ttl(a->zone));

	if (!soa)
		return give_up(a);
	a->out->rcode = rcode;
	a->out->authority[a->out->n_authority++] = soa;
	return STEP_DONE;
}

static enum step nodata(struct ask *a)
{
	bool is_ours = a->zone && a->zone->kind != ZONE_FORWARD;

	return negative(a, DNS_RCODE_NOERROR, is_ours ? a->zone->name : a->name);
}

/* SOA and NS at the top of a zone of ours. */
static enum step answer_apex(struct ask *a)
{
	const struct zone *zone = a->zone;
	uint16_t type = a->q->type;
	const uint8_t *server = server_of(a->z, zone->name);

	if (type == DNS_TYPE_NS)
		return put_answer(a, make_set(a, a->name, DNS_TYPE_NS, ZONES_SPECIAL_TTL_S, server,
					     dname_len(server)));
	if (type == DNS_TYPE_SOA || type == DNS_TYPE_ANY)
		return put_answer(a, make_soa(a, zone->name, negative_ttl(zone)));
	return STEP_NEXT;
}

static bool is_apex(const struct ask *a)
{
	return a->zone && a->zone->labels == a->labels && a->zone->kind != ZONE_FORWARD &&
	       a->zone->kind != ZONE_ABSENT;
}

/* The name exists but has no such type. A forwarded zone's own top is known better out there. */
static enum step no_such_type(struct ask *a)
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
	return nodata(a);
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

static uint16_t address_type(const struct ip *ip)
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
		if (address_type(&hit->addrs[i]) != type || hit->expires[i] <= a->wall_s)
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

/* The live lease under a label of a lease zone. The domains of several lans may be one zone. */
static bool find_lease(
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

static enum step answer_lease(struct ask *a, const struct leasename_hit *hit)
{
	uint16_t type = a->q->type;
	bool is_full = false;
	struct rrset *rr = NULL;

	if (type == DNS_TYPE_A || type == DNS_TYPE_ANY)
		rr = make_addresses(a, hit, DNS_TYPE_A, &is_full);
	if (!rr && (type == DNS_TYPE_AAAA || type == DNS_TYPE_ANY))
		rr = make_addresses(a, hit, DNS_TYPE_AAAA, &is_full);
	if (is_full)
		return give_up(a);
	a->out->source = "lease";
	return rr ? put_answer(a, rr) : nodata(a);
}

/* The PTR of a leased address. */
static enum step answer_lease_ptr(struct ask *a)
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
		return nodata(a);
	zone = &z->zones[z->domains[domain] - 1];
	len = strlen(label);
	wire[0] = (uint8_t)len;
	memcpy(wire + 1, label, len);
	if (dname_join(wire, len + 1, zone->name, target, &len) != 0)
		return nodata(a);
	return put_answer(
		a, make_set(a, a->name, DNS_TYPE_PTR, lease_ttl(a, expires), target, len));
}

/* ---- static data ---- */

/* The set that answers a type: the type itself, a CNAME, for ANY the first (RFC 8482 4.1). */
static const struct localzone_set *matching_set(const struct localzone_node *n, uint16_t type)
{
	const struct localzone_set *set;

	if (type == DNS_TYPE_ANY)
		return n->sets;
	set = localzone_set(n, type);
	return set ? set : localzone_set(n, DNS_TYPE_CNAME);
}

static enum step answer_set(struct ask *a, const struct localzone_set *set)
{
	struct rrset_iter it;
	enum step step = put_answer(a, renamed(a, set->rr));

	a->out->source = set->source;
	if (a->out->rcode == DNS_RCODE_SERVFAIL || set->rr->type != DNS_TYPE_CNAME ||
		a->q->type == DNS_TYPE_CNAME || a->q->type == DNS_TYPE_ANY)
		return step;
	it = rrset_begin(set->rr);
	(void)rrset_next(&it);
	a->out->target = it.rdata;
	return STEP_CNAME;
}

/* Has the node one of the addresses of this lease? Then it is the same device. */
static bool is_same_device(const struct localzone_node *n, const struct leasename_hit *hit)
{
	for (unsigned i = 0; i < hit->n_addrs; i++) {
		const struct localzone_set *set = localzone_set(n, address_type(&hit->addrs[i]));
		struct rrset_iter it;

		if (!set)
			continue;
		it = rrset_begin(set->rr);
		while (rrset_next(&it)) {
			if (memcmp(it.rdata, hit->addrs[i].bytes, it.len) == 0)
				return true;
		}
	}
	return false;
}

/* Data of a node: main and loopback are the same name in both trees, either may be NULL. hit: the
 * lease under that name or NULL. A lease adds nothing to a static name, unless it is the lease of
 * that very device: its fixed IPv4 address here, its IPv6 address from the lease. */
static enum step answer_node(struct ask *a, const struct localzone_node *main_node,
	const struct localzone_node *loopback, const struct leasename_hit *hit)
{
	const struct localzone_set *set = NULL;
	bool is_known = false;

	if (main_node && main_node->sets) {
		is_known = true;
		set = matching_set(main_node, a->q->type);
	}
	if (!set && loopback && loopback->sets) {
		is_known = true;
		set = matching_set(loopback, a->q->type);
	}
	if (set)
		return answer_set(a, set);
	if (hit && (!is_known || (main_node && is_same_device(main_node, hit))))
		return answer_lease(a, hit);
	if (!is_known)
		return STEP_NEXT;
	a->out->source = main_node && main_node->sets ? main_node->sets->source : "hosts";
	return no_such_type(a);
}

/* ---- the steps ---- */

static void walk(struct ask *a)
{
	const struct zones *z = a->z;

	a->labels = dname_labels(a->name);
	a->matched = localzone_find(z->data, a->name, a->ids);
	a->zone = NULL;
	for (unsigned i = a->matched + 1; i-- > 0;) {
		uint32_t zone = localzone_node(z->data, a->ids[i])->zone;

		if (zone) {
			a->zone = &z->zones[zone - 1];
			break;
		}
	}
}

static const struct localzone_node *loopback_node(const struct ask *a, const uint8_t *name)
{
	return a->is_loopback ? localzone_get(a->z->loopback, name) : NULL;
}

static uint32_t index_of(const struct zones *z, const struct zone *zone)
{
	return (uint32_t)(zone - z->zones);
}

static enum step step_exact(struct ask *a)
{
	const struct localzone_node *n = NULL;
	struct leasename_hit hit;
	bool is_leased = false;

	if (a->matched == a->labels)
		n = localzone_node(a->z->data, a->ids[a->matched]);
	if (a->zone && a->zone->kind == ZONE_LEASE && a->labels == a->zone->labels + 1u)
		is_leased = find_lease(a, index_of(a->z, a->zone), a->name, &hit);
	return answer_node(a, n, loopback_node(a, a->name), is_leased ? &hit : NULL);
}

/* `nas` alone: the host of one of our domains. */
static enum step step_bare(struct ask *a)
{
	const struct zones *z = a->z;

	for (size_t d = 0; d < z->n_domains && a->labels == 1; d++) {
		uint8_t full[DNAME_MAX];
		const struct zone *zone;
		struct leasename_hit hit;
		enum step step;
		size_t len;

		if (!z->domains[d])
			continue;
		zone = &z->zones[z->domains[d] - 1];
		if (dname_join(a->name, 1 + (size_t)*a->name, zone->name, full, &len) != 0)
			continue;
		step = answer_node(a, localzone_get(z->data, full), loopback_node(a, full),
			find_lease(a, z->domains[d] - 1, a->name, &hit) ? &hit : NULL);
		if (step != STEP_NEXT)
			return step;
	}
	return STEP_NEXT;
}

static enum step step_wildcard(struct ask *a)
{
	const struct zones *z = a->z;
	const struct localzone_node *n = localzone_node(z->data, a->ids[a->matched]);
	struct leasename_hit hit;
	const struct localzone_set *set;

	if (a->matched == a->labels || !n->wildcard)
		return STEP_NEXT;
	/* Below a device's name that name is the closest encloser, not the zone. */
	if (a->zone && a->zone->kind == ZONE_LEASE && a->matched == a->zone->labels &&
		find_lease(a, index_of(z, a->zone), dname_suffix(a->name, a->matched + 1), &hit))
		return STEP_NEXT;
	n = localzone_node(z->data, n->wildcard);
	if (!n->sets)
		return STEP_NEXT;
	set = matching_set(n, a->q->type);
	if (set)
		return answer_set(a, set);
	a->out->source = n->sets->source;
	return a->zone && a->zone->kind != ZONE_FORWARD
		       ? nodata(a)
		       : negative(a, DNS_RCODE_NOERROR, dname_suffix(a->name, a->matched));
}

/* A single label that is no host of ours. What is asked for hosts stays here: names of a LAN's
 * machines must not go to the root servers, and no top-level domain is a host (RFC 7085). What is
 * asked about top-level domains themselves goes on. */
static enum step single_label(struct ask *a)
{
	switch (a->q->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
	case DNS_TYPE_PTR:
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
	case DNS_TYPE_ANY:
		a->out->source = "special";
		return negative(a, DNS_RCODE_NXDOMAIN, a->name);
	default:
		return STEP_RESOLVE;
	}
}

static enum step step_zone(struct ask *a)
{
	bool is_known = a->matched == a->labels; /* an empty non-terminal or a zone's top */

	if (!a->zone || a->zone->kind == ZONE_FORWARD) {
		bool is_root_forward = a->zone && a->zone->labels == 0;

		if (a->labels == 1 && a->z->has_special && (!a->zone || is_root_forward))
			return single_label(a);
		return STEP_RESOLVE;
	}
	a->out->source =
		a->zone->kind == ZONE_LEASE || a->zone->kind == ZONE_REVERSE ? "zone" : "special";
	if (a->zone->kind == ZONE_ABSENT)
		return negative(a, DNS_RCODE_NXDOMAIN, a->zone->name);
	if (is_known && (a->zone->labels != a->labels || !a->zone->is_forwarded))
		return no_such_type(a);
	if (a->zone->is_forwarded)
		return STEP_RESOLVE;
	return negative(a, DNS_RCODE_NXDOMAIN, a->zone->name);
}

static enum step answer_name(struct ask *a)
{
	enum step step;

	walk(a);
	step = step_exact(a);
	if (step == STEP_NEXT && a->labels == 1)
		step = step_bare(a);
	if (step == STEP_NEXT && a->zone && a->zone->kind != ZONE_LEASE)
		step = answer_lease_ptr(a);
	if (step == STEP_NEXT)
		step = step_wildcard(a);
	if (step == STEP_NEXT)
		step = step_zone(a);
	return step;
}

static void note(const struct ask *a, enum step step)
{
	static const char *const texts[] = {"?", "answered here", "to be resolved", "a CNAME"};
	char name[DNAME_TEXT_MAX], rcode[16];

	if (!a->trace)
		return;
	trace_add(a->trace, "zones: %s: %s, %s%s%s", dname_format(a->name, name), texts[step],
		step == STEP_RESOLVE ? "not ours"
		: a->out->source     ? a->out->source
				     : "zone",
		step == STEP_DONE ? ", " : "",
		step == STEP_DONE ? rcode_name(a->out->rcode, rcode) : "");
}

enum zones_verdict zones_decide(const struct zones *z, const struct question *q,
	const struct ip *client, int64_t wall_s, uint8_t *mem, size_t cap, struct trace *trace,
	struct zones_answer *out)
{
	struct ask a = {.z = z,
		.q = q,
		.is_loopback = client && ip_is_loopback(client),
		.wall_s = wall_s,
		.mem = mem,
		.left = cap,
		.trace = trace,
		.out = out,
		.name = q->name};

	out->rcode = DNS_RCODE_NOERROR;
	out->is_aa = true;
	out->n_answer = out->n_authority = 0;
	out->target = NULL;
	out->ede = DNS_EDE_NONE;
	out->source = NULL;
	for (unsigned links = 0;; links++) {
		enum step step = answer_name(&a);

		note(&a, step);
		if (step == STEP_DONE)
			return ZONES_ANSWER;
		if (step == STEP_RESOLVE)
			return links ? ZONES_CNAME : ZONES_RESOLVE;
		if (links == ZONES_CHAIN_MAX) {
			give_up(&a);
			return ZONES_ANSWER;
		}
		a.name = out->target;
	}
}

bool zones_is_local(const struct zones *z, const uint8_t *name)
{
	uint32_t ids[DNAME_LABELS_MAX + 1];
	unsigned matched = localzone_find(z->data, name, ids);
	const struct localzone_node *n = localzone_node(z->data, ids[matched]);

	if (matched == dname_labels(name) ? n->sets != NULL : n->wildcard != 0)
		return true;
	for (unsigned i = matched + 1; i-- > 0;) {
		n = localzone_node(z->data, ids[i]);
		if (n->zone)
			return z->zones[n->zone - 1].kind != ZONE_FORWARD;
	}
	return false;
}
