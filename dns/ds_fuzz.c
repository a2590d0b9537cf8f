/* SPDX-License-Identifier: Apache-2.0 */
/* The DS records and the DNSKEY RRset of a stranger's zone: only the right digest matches, and the
 * work has its bound. The zone's name, then blocks of a kind octet (DS, DNSKEY, signature of the
 * DNSKEYs), two octets of length, and the rdata. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "base/rbuf.h"
#include "dns/dname.h"
#include "dns/ds.h"

#define CAP 70000
#define NOW 1782864000 /* 2026-07-01 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pair(
	struct crypto *c, const struct ds *ds, const uint8_t *zone, const struct dnskey *k)
{
	uint8_t digest[CRYPTO_DIGEST_MAX], owner[DNAME_MAX];
	size_t len = dname_copy_lower(zone, owner);
	struct ds right = *ds;

	if (crypto_digest(c, ds->digest_type, owner, len, k->rdata, k->rdlen, digest) != 0) {
		assert(!ds_is_usable(c, ds) && !ds_matches(c, ds, zone, k));
		return;
	}
	right.digest = digest;
	right.digest_len = (uint16_t)crypto_digest_len(ds->digest_type);
	right.tag = k->tag;
	right.algorithm = k->algorithm;
	assert(ds_matches(c, &right, zone, k));
	right.tag ^= 1;
	assert(!ds_matches(c, &right, zone, k));
	right.tag = k->tag;
	digest[right.digest_len - 1] ^= 1;
	assert(!ds_matches(c, &right, zone, k));
}

static void check_pairs(
	struct crypto *c, const struct rrset *set, const struct rrset *keys, const uint8_t *zone)
{
	struct rrset_iter i = rrset_begin(set);

	while (rrset_next(&i)) {
		struct rrset_iter k = rrset_begin(keys);
		struct dnskey key;
		struct ds ds;

		if (ds_parse(i.rdata, i.len, &ds) != 0)
			continue;
		assert(ds.digest + ds.digest_len == i.rdata + i.len);
		while (rrset_next(&k) && !k.is_sig) {
			if (dnskey_parse(k.rdata, k.len, &key) == 0)
				check_pair(c, &ds, zone, &key);
		}
	}
}

static int count(void *arg, enum crypto_cost cost)
{
	((unsigned *)arg)[cost]++;
	return 0;
}

static void verify(
	struct crypto *c, const struct rrset *set, const struct rrset *keys, const uint8_t *zone)
{
	static uint8_t scratch[RRSIG_SCRATCH_MAX];
	unsigned costs[3] = {0};
	const struct crypto_meter meter = {count, costs};
	const struct rrsig_env env = {c, &meter, scratch, sizeof(scratch), NOW, 3600};
	struct rrsig_proof proof;
	enum rrsig_result r = ds_verify_keys(&env, set, keys, zone, &proof);
	enum dns_ede why;

	assert(costs[CRYPTO_COST_CHECK] <= RRSET_SIG_MAX * RRSIG_KEYS_PER_TAG * CRYPTO_P384_UNITS);
	if (r == RRSIG_GENUINE) {
		assert(ds_is_any_usable(c, set, &why));
		assert(rrsig_verify_rrset(&env, keys, zone, keys, &proof) == RRSIG_GENUINE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(8) uint8_t mem[CAP], key_mem[CAP];
	static struct crypto *c;
	struct rbuf b = rbuf_of(data, size);
	struct rrset *set, *keys;
	uint8_t zone[DNAME_MAX];
	size_t zone_len;

	if (!c)
		c = crypto_new();
	if (dname_parse_plain(&b, zone, &zone_len) != 0)
		return 0;
	set = rrset_init(mem, CAP, zone, DNS_TYPE_DS, DNS_CLASS_IN, 3600);
	keys = rrset_init(key_mem, CAP, zone, DNS_TYPE_DNSKEY, DNS_CLASS_IN, 3600);
	while (rbuf_left(&b)) {
		uint8_t kind = rbuf_u8(&b);
		uint16_t n = rbuf_u16(&b);
		size_t len = n < rbuf_left(&b) ? n : rbuf_left(&b);
		const uint8_t *p = rbuf_take(&b, len);

		if (!p)
			break;
		if (kind % 3 == 0)
			(void)!rrset_add(set, CAP, p, len);
		else if (kind % 3 == 1)
			(void)!rrset_add(keys, CAP, p, len);
		else
			(void)!rrset_add_sig(keys, CAP, p, len);
	}
	check_pairs(c, set, keys, zone);
	verify(c, set, keys, zone);
	return 0;
}
