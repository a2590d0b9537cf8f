/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/denial.h"

#include "dns/dns_const.h"

void denial_init(struct denial *d, const uint8_t *zone, struct crypto *crypto,
	const struct crypto_meter *meter)
{
	d->zone = zone;
	d->crypto = crypto;
	d->meter = meter;
	d->n_nsec = d->n_nsec3 = 0;
}

int denial_add(struct denial *d, const struct rrset *rr, uint8_t labels)
{
	int err;

	if (d->n_nsec + d->n_nsec3 >= DENIAL_MAX)
		return ERR_LIMIT;
	if (rr->type == DNS_TYPE_NSEC) {
		err = nsec_parse(rr, d->zone, labels, &d->nsec[d->n_nsec]);
		d->n_nsec = (uint8_t)(d->n_nsec + (err == 0));
	} else {
		err = nsec3_parse(rr, d->zone, labels, &d->nsec3[d->n_nsec3]);
		d->n_nsec3 = (uint8_t)(d->n_nsec3 + (err == 0));
	}
	return err;
}

/* A zone has one kind of chain, or while it changes from one to the other two: each reply is of
 * one. NSEC first, which costs nothing. */
static struct nsec3_set hashed(const struct denial *d)
{
	return (struct nsec3_set){d->crypto, d->meter, d->zone, d->nsec3, d->n_nsec3};
}

enum nsec_verdict denial_nxdomain(const struct denial *d, const uint8_t *name)
{
	struct nsec3_set set = hashed(d);
	enum nsec_verdict v = nsec_nxdomain(d->nsec, d->n_nsec, name);

	return v == NSEC_UNPROVEN ? nsec3_nxdomain(&set, name) : v;
}

enum nsec_verdict denial_nodata(const struct denial *d, const uint8_t *name, uint16_t type)
{
	struct nsec3_set set = hashed(d);
	enum nsec_verdict v = nsec_nodata(d->nsec, d->n_nsec, name, type);

	return v == NSEC_UNPROVEN ? nsec3_nodata(&set, name, type) : v;
}

enum nsec_verdict denial_wildcard(const struct denial *d, const uint8_t *name, unsigned labels)
{
	struct nsec3_set set = hashed(d);
	enum nsec_verdict v = nsec_wildcard(d->nsec, d->n_nsec, name, labels);

	return v == NSEC_UNPROVEN ? nsec3_wildcard(&set, name, labels) : v;
}

enum nsec_verdict denial_no_ds(const struct denial *d, const uint8_t *name)
{
	struct nsec3_set set = hashed(d);
	enum nsec_verdict v = nsec_no_ds(d->nsec, d->n_nsec, name);

	return v == NSEC_UNPROVEN ? nsec3_no_ds(&set, name) : v;
}
