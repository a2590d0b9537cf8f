/* SPDX-License-Identifier: Apache-2.0 */
/* An RRset with signatures and the keys of its zone, all of a stranger: nothing verifies, nothing
 * is read or written outside, and the work has its bound. Octets 0-1: type; 2: how many labels of
 * the owner are the zone's; then the owner, and blocks of a kind octet (record, signature, key), a
 * length octet in units of one, and the rdata. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "base/rbuf.h"
#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/rrsig.h"
#include "dns/rrtype.h"

#define CAP 70000
#define NOW 1782864000 /* 2026-07-01 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *arg, enum crypto_cost cost)
{
	((unsigned *)arg)[cost]++;
	return 0;
}

/* Another first octet in the rdata, and not in another case. */
static bool change(struct rrset *rr)
{
	struct rrset_iter it = rrset_begin(rr);

	if (!rrset_next(&it) || it.is_sig || it.len == 0)
		return false;
	rr->data[it.rdata - rr->data] ^= 0x81;
	return true;
}

static void verify(struct crypto *c, struct rrset *rr, const struct rrset *keys,
	const uint8_t *zone, size_t scratch_len)
{
	unsigned costs[3] = {0};
	const struct crypto_meter meter = {count, costs};
	uint8_t *scratch = xalloc(scratch_len + 1); /* exact, for ASan */
	const struct rrsig_env env = {c, &meter, scratch, scratch_len, NOW, 3600};
	struct rrsig_proof proof;
	enum rrsig_result r = rrsig_verify_rrset(&env, rr, zone, keys, &proof);

	assert(*rrsig_text(r) && (r == RRSIG_GENUINE) == (rrsig_ede(r) == DNS_EDE_NONE));
	assert(costs[CRYPTO_COST_CHECK] <= RRSET_SIG_MAX * RRSIG_KEYS_PER_TAG * CRYPTO_P384_UNITS);
	assert(costs[CRYPTO_COST_FAILURE] + (r == RRSIG_GENUINE) <= costs[CRYPTO_COST_CHECK]);
	assert(!proof.has_sig || proof.sig.signature_len);
	assert(r != RRSIG_GENUINE || (proof.has_sig && rr->n_rr && proof.ttl <= rr->ttl));
	/* a point of small order on an Edwards curve takes anything; its owner's own affair */
	if (r == RRSIG_GENUINE && proof.sig.algorithm < CRYPTO_ED25519 && change(rr)) {
		assert(rrsig_verify_rrset(&env, rr, zone, keys, &proof) != RRSIG_GENUINE);
		change(rr);
	}
	xfree(scratch);
}

/* The signatures judged alone: what passes has to be possible. */
static void check(const struct rrset *rr, const uint8_t *zone)
{
	struct rrset_iter it = rrset_begin(rr);

	while (rrset_next(&it)) {
		struct rrsig s;

		if (!it.is_sig || rrsig_parse(it.rdata, it.len, &s) != 0)
			continue;
		assert(s.signature + s.signature_len == it.rdata + it.len);
		assert(s.signer + s.signer_len == s.signature);
		if (rrsig_check(&s, rr, zone, NOW, 0) != RRSIG_GENUINE)
			continue;
		assert(s.type == rr->type && s.labels >= dname_labels(zone));
		assert(s.labels <= dname_labels(rrset_owner(rr)));
		assert(dname_is_under(rrset_owner(rr), zone));
	}
}

static void take(struct rbuf *b, struct rrset *rr, struct rrset *keys)
{
	uint8_t kind = rbuf_u8(b);
	uint16_t n = rbuf_u16(b);
	size_t len = n < rbuf_left(b) ? n : rbuf_left(b);
	const uint8_t *p = rbuf_take(b, len);

	if (!p)
		return;
	if (kind % 3 == 0)
		(void)!rrset_add(rr, CAP, p, len);
	else if (kind % 3 == 1)
		(void)!rrset_add_sig(rr, CAP, p, len);
	else
		(void)!rrset_add(keys, CAP, p, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(8) uint8_t mem[CAP], key_mem[CAP];
	static struct crypto *c;
	struct rbuf b = rbuf_of(data, size);
	uint16_t type = rbuf_u16(&b);
	uint8_t labels = rbuf_u8(&b);
	struct rrset *rr, *keys;
	uint8_t owner[DNAME_MAX];
	const uint8_t *zone;
	size_t len;

	if (!c)
		c = crypto_new();
	if (dname_parse_plain(&b, owner, &len) != 0)
		return 0;
	zone = dname_suffix(owner, labels % (dname_labels(owner) + 1));
	rr = rrset_init(mem, CAP, owner, type, DNS_CLASS_IN, 3600);
	keys = rrset_init(key_mem, CAP, zone, DNS_TYPE_DNSKEY, DNS_CLASS_IN, 3600);
	while (rbuf_left(&b))
		take(&b, rr, keys);
	check(rr, zone);
	verify(c, rr, keys, zone, RRSIG_SCRATCH_MAX);
	verify(c, rr, keys, zone, 4 * (size_t)labels);
	return 0;
}
