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

/* The key of keys that ds speaks of. */
static bool find_key(struct crypto *c, const struct ds *ds, const struct rrset *keys,
	const uint8_t *zone, struct dnskey *out)
{
	struct rrset_iter it = rrset_begin(keys);

	for (unsigned i = 0; i < RRSIG_KEYS_PER_TAG; i++) {
		if (!dnskey_find(&it, ds->algorithm, ds->tag, out))
			return false;
		if (ds_matches(c, ds, zone, out))
			return true; /* a second one with this digest would be the same */
	}
	return false;
}

/* The keys that usable records of a set speak of, each once. */
struct entries {
	struct dnskey key[DS_TRIED_MAX];
	unsigned n;
	bool is_any_missing; /* a record speaks of a key that is not there */
};

static void add_entry(struct entries *e, const struct dnskey *key)
{
	for (unsigned i = 0; i < e->n; i++) {
		if (e->key[i].rdata == key->rdata)
			return;
	}
	e->key[e->n++] = *key;
}

static void find_entries(struct crypto *c, const struct rrset *set, const struct rrset *keys,
	const uint8_t *zone, struct entries *out)
{
	bool no_sha1 = has_better_than_sha1(c, set);
	struct rrset_iter it = rrset_begin(set);
	unsigned n_tried = 0;
	struct dnskey key;
	struct ds ds;

	*out = (struct entries){0};
	while (n_tried < DS_TRIED_MAX && next_usable(c, &it, &ds)) {
		if (no_sha1 && ds.digest_type == CRYPTO_SHA1)
			continue;
		n_tried++;
		if (find_key(c, &ds, keys, zone, &key))
			add_entry(out, &key);
		else
			out->is_any_missing = true;
	}
}

enum rrsig_result ds_verify_keys(const struct rrsig_env *env, const struct rrset *set,
	const struct rrset *keys, const uint8_t *zone, struct rrsig_proof *out)
{
	enum rrsig_result worst = RRSIG_NO_DS_KEY;
	struct entries entries;
	unsigned n_odd_sizes = 0;

	find_entries(env->crypto, set, keys, zone, &entries);
	*out = (struct rrsig_proof){0};
	for (unsigned i = 0; i < entries.n; i++) {
		struct rrsig_proof proof;
		enum rrsig_result r = rrsig_verify_by_key(env, keys, zone, &entries.key[i], &proof);

		if (r == RRSIG_MISSING || r == RRSIG_NO_KEY)
			r = RRSIG_NO_DS_SIG;
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
	if (entries.n && entries.n == n_odd_sizes && !entries.is_any_missing)
		return RRSIG_KEY_UNSUPPORTED;
	return worst;
}
