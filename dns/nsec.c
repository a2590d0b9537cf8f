/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/nsec.h"

#include <string.h>

#include "base/rbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"

#define NXNAME 128 /* RFC 9824 3.1: in a bitmap, the name does not exist */

const char *nsec_verdict_text(enum nsec_verdict v)
{
	static const char *const TEXT[] = {
		[NSEC_UNPROVEN] = "not proven",
		[NSEC_PROVEN] = "proven",
		[NSEC_NO_CUT] = "proven not to be a delegation",
		[NSEC_INSECURE] = "insecure by opt-out or iterations",
		[NSEC_LIMIT] = "the budget of the query is used up",
	};

	return TEXT[v];
}

bool nsec_types_has(const struct nsec_types *t, uint16_t type)
{
	struct rbuf b = rbuf_of(t->bits, t->len);

	while (rbuf_left(&b)) {
		uint8_t window = rbuf_u8(&b), len = rbuf_u8(&b);
		const uint8_t *bits = rbuf_take(&b, len);

		if (!bits || window > type >> 8)
			return false;
		if (window == type >> 8)
			return (type & 0xff) / 8 < len &&
			       bits[(type & 0xff) / 8] & 0x80 >> (type & 7);
	}
	return false;
}

bool nsec_types_is_cut(const struct nsec_types *t)
{
	return nsec_types_has(t, DNS_TYPE_NS) && !nsec_types_has(t, DNS_TYPE_SOA);
}

/* Nothing but what denial itself brings. */
static bool is_empty(const struct nsec_types *t)
{
	struct rbuf b = rbuf_of(t->bits, t->len);

	while (rbuf_left(&b)) {
		unsigned window = rbuf_u8(&b), len = rbuf_u8(&b);
		const uint8_t *bits = rbuf_take(&b, len);

		for (unsigned i = 0; bits && i < 8 * len; i++) {
			unsigned type = window << 8 | i;

			if ((bits[i / 8] & 0x80 >> (i & 7)) && type != DNS_TYPE_RRSIG &&
				type != DNS_TYPE_NSEC && type != NXNAME)
				return false;
		}
	}
	return true;
}

bool nsec_types_lack(const struct nsec_types *t, uint16_t type, bool is_root)
{
	if (type == DNS_TYPE_ANY)
		return is_empty(t);
	if (nsec_types_has(t, type) || nsec_types_has(t, DNS_TYPE_CNAME))
		return false;
	if (type == DNS_TYPE_DS)
		return is_root || !nsec_types_has(t, DNS_TYPE_SOA);
	return !nsec_types_is_cut(t);
}

int nsec_parse(const struct rrset *rr, const uint8_t *zone, uint8_t labels, struct nsec *out)
{
	const uint8_t *owner = rrset_owner(rr);
	struct rrset_iter it = rrset_begin(rr);
	uint8_t next[DNAME_MAX];
	struct nsec n = {.owner = owner, .zone = zone};
	struct rbuf b;
	size_t len;

	if (rr->type != DNS_TYPE_NSEC || rr->n_rr != 1 || !rrset_next(&it))
		return ERR_MALFORMED;
	/* what a wildcard was expanded to stood nowhere in the zone's chain */
	if (labels + (unsigned)dname_is_wildcard(owner) != dname_labels(owner))
		return ERR_MALFORMED;
	b = rbuf_of(it.rdata, it.len);
	if (dname_parse_plain(&b, next, &len) != 0)
		return ERR_MALFORMED;
	n.next = it.rdata;
	n.types = (struct nsec_types){it.rdata + b.pos, (uint16_t)rbuf_left(&b)};
	if (!dname_is_under(owner, zone) || !dname_is_under(n.next, zone))
		return ERR_MALFORMED;
	/* the chain rises until it comes back to the apex */
	if (!dname_equal(n.next, zone) && dname_compare(owner, n.next) >= 0)
		return ERR_MALFORMED;
	*out = n;
	return 0;
}

bool nsec_covers(const struct nsec *n, const uint8_t *name)
{
	if (!dname_is_under(name, n->zone) || dname_compare(n->owner, name) >= 0)
		return false;
	if (!dname_equal(n->next, n->zone) && dname_compare(name, n->next) >= 0)
		return false;
	/* RFC 6840 4.1: beneath a cut the child speaks; beneath a DNAME there is nothing to ask */
	return !dname_is_under(name, n->owner) ||
	       (!nsec_types_is_cut(&n->types) && !nsec_types_has(&n->types, DNS_TYPE_DNAME));
}

bool nsec_is_ent(const struct nsec *n, const uint8_t *name)
{
	return nsec_covers(n, name) && dname_is_under(n->next, name);
}

bool nsec_denies(const struct nsec *n, const uint8_t *name)
{
	return nsec_covers(n, name) && !dname_is_under(n->next, name);
}

unsigned nsec_closest(const struct nsec *n, const uint8_t *name)
{
	unsigned before = dname_common(n->owner, name), after = dname_common(n->next, name);

	return before > after ? before : after;
}

/* The wildcard that could stand for name, which n denies. */
static void get_wildcard(const struct nsec *n, const uint8_t *name, uint8_t out[DNAME_MAX])
{
	/* name has a label more than its closest encloser: there is room for "*" */
	out[0] = 1;
	out[1] = '*';
	dname_copy(dname_suffix(name, nsec_closest(n, name)), out + 2);
}

static bool any_denies(const struct nsec *set, size_t n, const uint8_t *name)
{
	for (size_t i = 0; i < n; i++) {
		if (nsec_denies(&set[i], name))
			return true;
	}
	return false;
}

/* By the record at name itself, or because there is nothing at it but something beneath. */
static bool any_lacks(const struct nsec *set, size_t n, const uint8_t *name, uint16_t type)
{
	for (size_t i = 0; i < n; i++) {
		if (nsec_is_ent(&set[i], name))
			return true;
		if (dname_equal(set[i].owner, name) &&
			nsec_types_lack(&set[i].types, type, *name == 0))
			return true;
	}
	return false;
}

enum nsec_verdict nsec_nxdomain(const struct nsec *set, size_t n, const uint8_t *name)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t wildcard[DNAME_MAX];

		if (!nsec_denies(&set[i], name))
			continue;
		get_wildcard(&set[i], name, wildcard);
		if (any_denies(set, n, wildcard))
			return NSEC_PROVEN;
	}
	return NSEC_UNPROVEN;
}

enum nsec_verdict nsec_nodata(const struct nsec *set, size_t n, const uint8_t *name, uint16_t type)
{
	if (any_lacks(set, n, name, type))
		return NSEC_PROVEN;
	for (size_t i = 0; i < n; i++) {
		uint8_t wildcard[DNAME_MAX];

		if (!nsec_denies(&set[i], name))
			continue;
		get_wildcard(&set[i], name, wildcard);
		if (any_lacks(set, n, wildcard, type))
			return NSEC_PROVEN;
	}
	return NSEC_UNPROVEN;
}

enum nsec_verdict nsec_wildcard(
	const struct nsec *set, size_t n, const uint8_t *name, unsigned labels)
{
	/* With the next closer name all beneath it is denied, and with it name. */
	if (labels >= dname_labels(name))
		return NSEC_UNPROVEN;
	return any_denies(set, n, dname_suffix(name, labels + 1)) ? NSEC_PROVEN : NSEC_UNPROVEN;
}

enum nsec_verdict nsec_no_ds(const struct nsec *set, size_t n, const uint8_t *name)
{
	for (size_t i = 0; i < n; i++) {
		const struct nsec_types *t = &set[i].types;

		if (nsec_covers(&set[i], name))
			return NSEC_NO_CUT;
		if (!dname_equal(set[i].owner, name))
			continue;
		/* the child's own record knows nothing of DS */
		if (nsec_types_has(t, DNS_TYPE_DS) || nsec_types_has(t, DNS_TYPE_SOA))
			return NSEC_UNPROVEN;
		return nsec_types_has(t, DNS_TYPE_NS) ? NSEC_PROVEN : NSEC_NO_CUT;
	}
	return NSEC_UNPROVEN;
}
