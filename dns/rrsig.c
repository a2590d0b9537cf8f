/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrsig.h"

#include <string.h>

#include "base/rbuf.h"
#include "base/wbuf.h"
#include "dns/dname.h"
#include "dns/rrtype.h"

#define FIXED_LEN 18 /* octets of the rdata before the signer */

static const struct {
	const char *text;
	enum dns_ede ede;
} RESULTS[] = {
#define RRSIG_ROW(name, ede, text) [name] = {text, ede},
	RRSIG_RESULTS(RRSIG_ROW)
#undef RRSIG_ROW
};

const char *rrsig_text(enum rrsig_result r)
{
	return RESULTS[r].text;
}

enum dns_ede rrsig_ede(enum rrsig_result r)
{
	return RESULTS[r].ede;
}

int rrsig_parse(const uint8_t *rdata, size_t len, struct rrsig *out)
{
	struct rbuf b = rbuf_of(rdata, len);
	uint8_t signer[DNAME_MAX];
	struct rrsig s = {.rdata = rdata, .rdlen = (uint16_t)len};
	size_t signer_len;

	s.type = rbuf_u16(&b);
	s.algorithm = rbuf_u8(&b);
	s.labels = rbuf_u8(&b);
	s.original_ttl = rbuf_u32(&b);
	s.expiration = rbuf_u32(&b);
	s.inception = rbuf_u32(&b);
	s.tag = rbuf_u16(&b);
	if (b.bad || len > UINT16_MAX)
		return ERR_MALFORMED;
	s.signer = rdata + b.pos;
	if (dname_parse_plain(&b, signer, &signer_len) != 0)
		return ERR_MALFORMED;
	s.signer_len = (uint8_t)signer_len;
	s.signature_len = (uint16_t)rbuf_left(&b);
	s.signature = rbuf_take(&b, s.signature_len);
	if (s.signature_len == 0)
		return ERR_MALFORMED;
	*out = s;
	return 0;
}

/* Labels as an RRSIG counts them: without the root and a leading "*" (RFC 4034 3.1.3). */
static unsigned signed_labels(const uint8_t *owner)
{
	return dname_labels(owner) - dname_is_wildcard(owner);
}

/* RFC 4034 3.1.5: times are serial numbers (RFC 1982). */
static int64_t serial_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static enum rrsig_result check_time(const struct rrsig *sig, int64_t now_s, uint32_t skew_s)
{
	uint32_t now = (uint32_t)now_s;

	if (serial_diff(sig->expiration, sig->inception) < 0)
		return RRSIG_BACKWARDS;
	if (serial_diff(now, sig->inception) + skew_s < 0)
		return RRSIG_NOT_YET;
	if (serial_diff(sig->expiration, now) + skew_s < 0)
		return RRSIG_EXPIRED;
	return RRSIG_GENUINE;
}

/* RFC 4035 5.3.1, and what it forgot: with fewer labels than the signer's own name a signature
 * would cover a wildcard above the signer's zone, and speak for its neighbours (Unbound
 * CVE-2026-44690, PowerDNS CVE-2026-52688, BIND CVE-2026-11721). */
enum rrsig_result rrsig_check(const struct rrsig *sig, const struct rrset *rr, const uint8_t *zone,
	int64_t now_s, uint32_t skew_s)
{
	const uint8_t *owner = rrset_owner(rr);
	unsigned labels = signed_labels(owner);

	if (sig->type != rr->type)
		return RRSIG_OTHER_TYPE;
	if (!dname_equal(sig->signer, zone) || !dname_is_under(owner, zone))
		return RRSIG_OTHER_SIGNER;
	/* A DS stands at the parent's side of the cut: its signer is above it. */
	if (rr->type == DNS_TYPE_DS && dname_equal(owner, zone))
		return RRSIG_OTHER_SIGNER;
	if (sig->labels > labels)
		return RRSIG_TOO_MANY_LABELS;
	if (sig->labels < dname_labels(sig->signer))
		return RRSIG_TOO_FEW_LABELS;
	if (rr->type == DNS_TYPE_DS && sig->labels < labels)
		return RRSIG_WILDCARD_DS;
	return check_time(sig, now_s, skew_s);
}

/* One record's rdata in canonical form. */
struct slice {
	const uint8_t *p;
	size_t len;
};

/* RFC 4034 6.3: as strings of octets; what ends first comes first. */
static int compare(const struct slice *a, const struct slice *b)
{
	int c = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);

	return c ? c : (a->len > b->len) - (a->len < b->len);
}

/* Canonical rdata of all records, sorted, each once. Their octets go to *scratch, which moves on.
 * Returns how many; 0 when the scratch is too small. Insertion: nearly all sets have one record or
 * come sorted, and a set has at most RRSET_RR_MAX. */
static size_t sort_rdata(const struct rrset *rr, struct wbuf *scratch, struct slice out[])
{
	struct rrset_iter it = rrset_begin(rr);
	size_t n = 0;

	while (rrset_next(&it) && !it.is_sig) {
		uint8_t *p = wbuf_reserve(scratch, it.len);
		struct slice s = {p, it.len};
		size_t at = n;
		int order = -1;

		if (!p)
			return 0;
		memcpy(p, it.rdata, it.len);
		rrtype_lower_rdata(rr->type, p, it.len);
		while (at > 0 && (order = compare(&out[at - 1], &s)) > 0)
			at--;
		if (at > 0 && order == 0)
			continue; /* RFC 4034 6.3: a duplicate that differed in case alone */
		memmove(out + at + 1, out + at, (n - at) * sizeof(*out));
		out[at] = s;
		n++;
	}
	return n;
}

/* The owner's name as it was signed: lower case, and the wildcard's where it was expanded. */
static size_t put_owner(const struct rrset *rr, const struct rrsig *sig, uint8_t out[DNAME_MAX + 2])
{
	const uint8_t *owner = rrset_owner(rr);

	if (sig->labels >= signed_labels(owner))
		return dname_copy_lower(owner, out);
	out[0] = 1;
	out[1] = '*';
	return 2 + dname_copy_lower(dname_suffix(owner, sig->labels), out + 2);
}

/* RFC 4034 3.1.8.1: the RRSIG's rdata without the signature, then each record. */
static bool put_signed_data(
	const struct rrset *rr, const struct rrsig *sig, struct wbuf *scratch, struct slice *out)
{
	struct slice sorted[RRSET_RR_MAX];
	uint8_t owner[DNAME_MAX + 2], *start;
	size_t owner_len = put_owner(rr, sig, owner);
	size_t n = sort_rdata(rr, scratch, sorted);

	start = wbuf_reserve(scratch, FIXED_LEN + sig->signer_len);
	if (n == 0 || !start)
		return false;
	memcpy(start, sig->rdata, FIXED_LEN + sig->signer_len);
	dname_lower(start + FIXED_LEN, sig->signer_len);
	for (size_t i = 0; i < n; i++) {
		wbuf_put(scratch, owner, owner_len);
		wbuf_u16(scratch, rr->type);
		wbuf_u16(scratch, rr->class);
		wbuf_u32(scratch, sig->original_ttl);
		wbuf_u16(scratch, (unsigned)sorted[i].len);
		wbuf_put(scratch, sorted[i].p, sorted[i].len);
	}
	*out = (struct slice){start, (size_t)(scratch->base + scratch->len - start)};
	return !scratch->bad;
}

enum rrsig_result rrsig_verify(const struct rrsig_env *env, const struct rrset *rr,
	const struct rrsig *sig, const struct dnskey *key)
{
	static const enum rrsig_result RESULT[] = {
		[CRYPTO_GENUINE] = RRSIG_GENUINE,
		[CRYPTO_FORGED] = RRSIG_FORGED,
		[CRYPTO_KEY_MALFORMED] = RRSIG_KEY_MALFORMED,
		[CRYPTO_KEY_UNSUPPORTED] = RRSIG_KEY_UNSUPPORTED,
		[CRYPTO_UNSUPPORTED] = RRSIG_UNSUPPORTED,
		[CRYPTO_LIMIT] = RRSIG_LIMIT,
	};
	struct wbuf scratch = wbuf_of(env->scratch, env->scratch_len);
	struct slice data;

	if (!put_signed_data(rr, sig, &scratch, &data))
		return RRSIG_LIMIT;
	return RESULT[crypto_verify(env->crypto, env->meter, sig->algorithm, key->key, key->key_len,
		data.p, data.len, sig->signature, sig->signature_len)];
}

/* Seconds that the signature leaves the RRset. Expired by our clock and valid by the skew alone:
 * look again soon. */
static uint32_t cap_ttl(const struct rrsig_env *env, const struct rrset *rr, const struct rrsig *s)
{
	int64_t left = serial_diff(s->expiration, (uint32_t)env->now_s);
	uint32_t ttl = rr->ttl < s->original_ttl ? rr->ttl : s->original_ttl;

	if (left <= 0) {
		left += env->skew_s;
		if (left > RRSIG_SKEWED_TTL_S)
			left = RRSIG_SKEWED_TTL_S;
	}
	return left < ttl ? (uint32_t)left : ttl;
}

static enum rrsig_result try_key(const struct rrsig_env *env, const struct rrset *rr,
	const struct rrsig *sig, const struct dnskey *key)
{
	if (sig->algorithm != key->algorithm || sig->tag != key->tag)
		return RRSIG_NO_KEY;
	return rrsig_verify(env, rr, sig, key);
}

static enum rrsig_result try_keys(const struct rrsig_env *env, const struct rrset *rr,
	const struct rrsig *sig, const struct rrset *keys)
{
	struct rrset_iter it = rrset_begin(keys);
	enum rrsig_result worst = RRSIG_NO_KEY;
	struct dnskey key;

	for (unsigned i = 0; i < RRSIG_KEYS_PER_TAG; i++) {
		enum rrsig_result r;

		if (!dnskey_find(&it, sig->algorithm, sig->tag, &key))
			break;
		r = rrsig_verify(env, rr, sig, &key);
		if (r == RRSIG_GENUINE || r == RRSIG_LIMIT)
			return r;
		if (r > worst)
			worst = r;
	}
	return worst;
}

/* One signature, by one of keys or by key. */
static enum rrsig_result judge(const struct rrsig_env *env, const struct rrset *rr,
	const uint8_t *zone, const struct rrsig *sig, const struct rrset *keys,
	const struct dnskey *key)
{
	enum rrsig_result r = rrsig_check(sig, rr, zone, env->now_s, env->skew_s);

	if (r != RRSIG_GENUINE)
		return r;
	if (!crypto_is_trusted(env->crypto, sig->algorithm))
		return RRSIG_UNSUPPORTED;
	return keys ? try_keys(env, rr, sig, keys) : try_key(env, rr, sig, key);
}

static enum rrsig_result judge_all(const struct rrsig_env *env, const struct rrset *rr,
	const uint8_t *zone, const struct rrset *keys, const struct dnskey *key,
	struct rrsig_proof *out)
{
	struct rrset_iter it = rrset_begin(rr);
	enum rrsig_result worst = RRSIG_MISSING;

	*out = (struct rrsig_proof){0};
	while (rrset_next(&it)) {
		enum rrsig_result r = RRSIG_MALFORMED;
		struct rrsig sig;
		bool is_sound;

		if (!it.is_sig)
			continue;
		is_sound = rrsig_parse(it.rdata, it.len, &sig) == 0;
		if (is_sound)
			r = judge(env, rr, zone, &sig, keys, key);
		if (r != RRSIG_GENUINE && r <= worst)
			continue;
		worst = r;
		out->has_sig = is_sound;
		if (is_sound)
			out->sig = sig;
		if (r == RRSIG_GENUINE || r == RRSIG_LIMIT)
			break;
	}
	if (worst == RRSIG_GENUINE) {
		out->is_wildcard = out->sig.labels < signed_labels(rrset_owner(rr));
		out->ttl = cap_ttl(env, rr, &out->sig);
	}
	return worst;
}

enum rrsig_result rrsig_verify_rrset(const struct rrsig_env *env, const struct rrset *rr,
	const uint8_t *zone, const struct rrset *keys, struct rrsig_proof *out)
{
	return judge_all(env, rr, zone, keys, NULL, out);
}

enum rrsig_result rrsig_verify_by_key(const struct rrsig_env *env, const struct rrset *rr,
	const uint8_t *zone, const struct dnskey *key, struct rrsig_proof *out)
{
	return judge_all(env, rr, zone, NULL, key, out);
}
