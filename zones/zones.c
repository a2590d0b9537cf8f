/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/zones.h"

#include <string.h>

#include "dns/dname.h"
#include "dns/rrtype.h"
#include "zones/zones_answer.h"

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
	enum step step = zones_put(a, zones_renamed(a, set->rr));

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
		const struct localzone_set *set =
			localzone_set(n, zones_address_type(&hit->addrs[i]));
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
		return zones_answer_lease(a, hit);
	if (!is_known)
		return STEP_NEXT;
	a->out->source = main_node && main_node->sets ? main_node->sets->source : "hosts";
	return zones_no_such_type(a);
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
		is_leased = zones_find_lease(a, index_of(a->z, a->zone), a->name, &hit);
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
			zones_find_lease(a, z->domains[d] - 1, a->name, &hit) ? &hit : NULL);
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
		zones_find_lease(
			a, index_of(z, a->zone), dname_suffix(a->name, a->matched + 1), &hit))
		return STEP_NEXT;
	n = localzone_node(z->data, n->wildcard);
	if (!n->sets)
		return STEP_NEXT;
	set = matching_set(n, a->q->type);
	if (set)
		return answer_set(a, set);
	a->out->source = n->sets->source;
	return a->zone && a->zone->kind != ZONE_FORWARD
		       ? zones_nodata(a)
		       : zones_negative(a, DNS_RCODE_NOERROR, dname_suffix(a->name, a->matched));
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
		return zones_negative(a, DNS_RCODE_NXDOMAIN, a->name);
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
		return zones_negative(a, DNS_RCODE_NXDOMAIN, a->zone->name);
	if (is_known && (a->zone->labels != a->labels || !a->zone->is_forwarded))
		return zones_no_such_type(a);
	if (a->zone->is_forwarded)
		return STEP_RESOLVE;
	return zones_negative(a, DNS_RCODE_NXDOMAIN, a->zone->name);
}

static enum step answer_name(struct ask *a)
{
	enum step step;

	walk(a);
	step = step_exact(a);
	if (step == STEP_NEXT && a->labels == 1)
		step = step_bare(a);
	if (step == STEP_NEXT && a->zone && a->zone->kind != ZONE_LEASE)
		step = zones_answer_lease_ptr(a);
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
			zones_give_up(&a);
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
