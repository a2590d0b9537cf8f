/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/ds.h"

#include <string.h>

#include "base/rbuf.h"
#include "dns/dname.h"

int ds_parse(const uint8_t *rdata, size_t len, struct ds *out)
{
	struct rbuf b = rbuf_of(rdata, len);
	struct ds ds = {0};

	ds.tag = rbuf_u16(&b);
	ds.algorithm = rbuf_u8(&b);
	ds.digest_type = rbuf_u8(&b);
	ds.digest_len = (uint16_t)rbuf_left(&b);
	ds.digest = rbuf_take(&b, ds.digest_len);
	if (b.bad || ds.digest_len == 0 || len > UINT16_MAX)
		return ERR_MALFORMED;
	*out = ds;
	return 0;
}

bool ds_is_usable(const struct crypto *c, const struct ds *ds)
{
	return crypto_is_trusted(c, ds->algorithm) && crypto_has_digest(c, ds->digest_type);
}

/* The next usable record of a walk. */
static bool next_usable(const struct crypto *c, struct rrset_iter *it, struct ds *out)
{
	while (rrset_next(it) && !it->is_sig) {
		if (ds_parse(it->rdata, it->len, out) == 0 && ds_is_usable(c, out))
			return true;
	}
	return false;
}

bool ds_is_any_usable(const struct crypto *c, const struct rrset *set, enum dns_ede *why)
{
	struct rrset_iter it = rrset_begin(set);
	struct ds ds;

	*why = DNS_EDE_UNSUPPORTED_ALGORITHM;
	while (rrset_next(&it) && !it.is_sig) {
		if (ds_parse(it.rdata, it.len, &ds) != 0)
			continue;
		if (ds_is_usable(c, &ds))
			return true;
		if (crypto_is_trusted(c, ds.algorithm))
			*why = DNS_EDE_UNSUPPORTED_DIGEST;
	}
	return false;
}

/* RFC 4509 3: with a better digest present SHA-1 does not count, or who breaks SHA-1 need only
 * strip the zone's other keys. */
static bool has_better_than_sha1(const struct crypto *c, const struct rrset *set)
{
	struct rrset_iter it = rrset_begin(set);
	struct ds ds;

	while (next_usable(c, &it, &ds)) {
		if (ds.digest_type != CRYPTO_SHA1)
			return true;
	}
	return false;
}

bool ds_matches(
	struct crypto *c, const struct ds *ds, const uint8_t *zone, const struct dnskey *key)
{
	uint8_t owner[DNAME_MAX], digest[CRYPTO_DIGEST_MAX];

	if (ds->tag != key->tag || ds->algorithm != key->algorithm)
		return false;
	if (ds->digest_len == 0 || ds->digest_len != crypto_digest_len(ds->digest_type))
		return false;
	/* RFC 4034 5.1.4: canonical owner, then the whole rdata */
	return crypto_digest(c, ds->digest_type, owner, dname_copy_lower(zone, owner), key->rdata,
		       key->rdlen, digest) == 0 &&
	       memcmp(digest, ds->digest, ds->digest_len) == 0;
}

/* Are keys signed by the key that ds speaks of? */
static enum rrsig_result verify_by_ds(const struct rrsig_env *env, const struct ds *ds,
	const struct rrset *keys, const uint8_t *zone, struct rrsig_proof *out)
{
	struct rrset_iter it = rrset_begin(keys);
	struct dnskey key;

	for (unsigned i = 0; i < RRSIG_KEYS_PER_TAG; i++) {
		enum rrsig_result r;

		if (!dnskey_find(&it, ds->algorithm, ds->tag, &key))
			break;
		if (!ds_matches(env->crypto, ds, zone, &key))
			continue;
		/* a second key with this digest would be the same key */
		r = rrsig_verify_by_key(env, keys, zone, &key, out);
		return r == RRSIG_MISSING || r == RRSIG_NO_KEY ? RRSIG_NO_DS_SIG : r;
	}
	return RRSIG_NO_DS_KEY;
}

enum rrsig_result ds_verify_keys(const struct rrsig_env *env, const struct rrset *set,
	const struct rrset *keys, const uint8_t *zone, struct rrsig_proof *out)
{
	bool no_sha1 = has_better_than_sha1(env->crypto, set);
	struct rrset_iter it = rrset_begin(set);
	enum rrsig_result worst = RRSIG_NO_DS_KEY;
	unsigned n = 0, n_odd_sizes = 0;
	struct ds ds;

	*out = (struct rrsig_proof){0};
	while (n < DS_TRIED_MAX && next_usable(env->crypto, &it, &ds)) {
		struct rrsig_proof proof = {0};
		enum rrsig_result r;

		if (no_sha1 && ds.digest_type == CRYPTO_SHA1)
			continue;
		n++;
		r = verify_by_ds(env, &ds, keys, zone, &proof);
		if (r == RRSIG_GENUINE || r == RRSIG_LIMIT) {
			*out = proof;
			return r;
		}
		n_odd_sizes += r == RRSIG_KEY_UNSUPPORTED;
		if (r != RRSIG_KEY_UNSUPPORTED && r > worst) {
			worst = r;
			*out = proof;
		}
	}
	return n && n == n_odd_sizes ? RRSIG_KEY_UNSUPPORTED : worst;
}
