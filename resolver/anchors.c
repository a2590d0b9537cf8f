/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/anchors.h"

#include <stddef.h>

#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/ds.h"

static int anchors_closest_negative(const struct resolver_conf *c, const uint8_t *name)
{
	int best = -1;

	for (size_t i = 0; i < c->n_negative; i++) {
		int labels = (int)dname_labels(c->negative[i]);

		if (labels > best && dname_is_under(name, c->negative[i]))
			best = labels;
	}
	return best;
}

const uint8_t *anchors_find(const struct resolver_conf *c, const uint8_t *name)
{
	const uint8_t *found = NULL;
	int best = anchors_closest_negative(c, name);

	for (size_t i = 0; i < c->n_anchors; i++) {
		const uint8_t *zone = rrset_owner(c->anchors[i]);
		int labels = (int)dname_labels(zone);

		if (labels > best && dname_is_under(name, zone)) {
			best = labels;
			found = zone;
		}
	}
	return found;
}

/* Is one of the keys that are anchors in keys, not revoked, and has it signed them? */
static enum rrsig_result anchors_verify_by_keys(const struct rrsig_env *env,
	const struct rrset *anchor, const struct rrset *keys, const uint8_t *zone,
	struct rrsig_proof *out)
{
	enum rrsig_result worst = RRSIG_KEY_UNSUPPORTED;
	struct rrset_iter a = rrset_begin(anchor);
	struct dnskey want, key;

	while (rrset_next(&a) && !a.is_sig) {
		struct rrset_iter k = rrset_begin(keys);
		enum rrsig_result r = RRSIG_NO_DS_KEY;

		if (dnskey_parse(a.rdata, a.len, &want) != 0 ||
			!crypto_is_trusted(env->crypto, want.algorithm))
			continue;
		while (rrset_next(&k) && !k.is_sig && r == RRSIG_NO_DS_KEY) {
			if (dnskey_parse(k.rdata, k.len, &key) == 0 && dnskey_is_zone_key(&key) &&
				dnskey_is_same(&want, &key))
				r = rrsig_verify_by_key(env, keys, zone, &key, out);
		}
		if (r == RRSIG_GENUINE || r == RRSIG_LIMIT)
			return r;
		/* Unsupported only if all are: else stripping the good key from an answer would
		 * make the zone insecure. */
		if (r != RRSIG_KEY_UNSUPPORTED && (worst == RRSIG_KEY_UNSUPPORTED || r > worst))
			worst = r;
	}
	return worst;
}

enum rrsig_result anchors_verify(const struct resolver_conf *c, const struct rrsig_env *env,
	const struct rrset *keys, const uint8_t *zone, struct rrsig_proof *out)
{
	enum rrsig_result worst = RRSIG_KEY_UNSUPPORTED;

	*out = (struct rrsig_proof){0};
	for (size_t i = 0; i < c->n_anchors; i++) {
		const struct rrset *anchor = c->anchors[i];
		enum dns_ede why;
		enum rrsig_result r;

		if (!dname_equal(rrset_owner(anchor), zone))
			continue;
		if (anchor->type == DNS_TYPE_DNSKEY)
			r = anchors_verify_by_keys(env, anchor, keys, zone, out);
		else if (ds_is_any_usable(env->crypto, anchor, &why))
			r = ds_verify_keys(env, anchor, keys, zone, out);
		else
			r = RRSIG_KEY_UNSUPPORTED;
		if (r == RRSIG_GENUINE || r == RRSIG_LIMIT)
			return r;
		if (r != RRSIG_KEY_UNSUPPORTED)
			worst = r;
	}
	return worst;
}
