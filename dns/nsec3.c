/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/nsec3.h"

#include <string.h>

#include "base/rbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"

#define HASH_SHA1 1 /* RFC 5155 11 */
#define OPT_OUT	  1 /* RFC 5155 3.1.2.1 */

void nsec3_format_hash(const uint8_t hash[NSEC3_HASH_LEN], char out[NSEC3_TEXT_LEN])
{
	static const char DIGITS[] = "0123456789abcdefghijklmnopqrstuv";

	for (size_t i = 0; i < NSEC3_TEXT_LEN; i++) {
		size_t bit = 5 * i, at = bit / 8;
		unsigned two = (unsigned)hash[at] << 8;

		if (at + 1 < NSEC3_HASH_LEN)
			two |= hash[at + 1];
		out[i] = DIGITS[two >> (11 - bit % 8) & 31];
	}
}

static int read_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'v')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'V')
		return c - 'A' + 10;
	return -1;
}

int nsec3_read_hash(const char text[NSEC3_TEXT_LEN], uint8_t out[NSEC3_HASH_LEN])
{
	uint8_t hash[NSEC3_HASH_LEN];
	unsigned bits = 0, n_bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < NSEC3_TEXT_LEN; i++) {
		int digit = read_digit(text[i]);

		if (digit < 0)
			return ERR_MALFORMED;
		bits = bits << 5 | (unsigned)digit;
		n_bits += 5;
		if (n_bits >= 8) {
			n_bits -= 8;
			hash[n++] = (uint8_t)(bits >> n_bits);
		}
	}
	memcpy(out, hash, sizeof(hash));
	return 0;
}

/* The owner: the hash, and nothing between it and the zone. */
static int read_owner(const uint8_t *owner, const uint8_t *zone, uint8_t labels, struct nsec3 *out)
{
	if (owner[0] != NSEC3_TEXT_LEN || !dname_equal(dname_strip(owner, 1), zone))
		return ERR_MALFORMED;
	if (labels != dname_labels(owner))
		return ERR_MALFORMED;
	return nsec3_read_hash((const char *)owner + 1, out->owner);
}

int nsec3_parse(const struct rrset *rr, const uint8_t *zone, uint8_t labels, struct nsec3 *out)
{
	struct rrset_iter it = rrset_begin(rr);
	struct nsec3 n = {0};
	uint8_t algorithm, flags, next_len;
	struct rbuf b;

	if (rr->type != DNS_TYPE_NSEC3 || rr->n_rr != 1 || !rrset_next(&it) ||
		read_owner(rrset_owner(rr), zone, labels, &n) != 0)
		return ERR_MALFORMED;
	b = rbuf_of(it.rdata, it.len);
	algorithm = rbuf_u8(&b);
	flags = rbuf_u8(&b);
	n.iterations = rbuf_u16(&b);
	n.salt_len = rbuf_u8(&b);
	n.salt = rbuf_take(&b, n.salt_len);
	next_len = rbuf_u8(&b);
	n.next = rbuf_take(&b, next_len);
	if (b.bad)
		return ERR_MALFORMED;
	if (algorithm != HASH_SHA1 || (flags & ~OPT_OUT))
		return ERR_UNSUPPORTED;
	if (next_len != NSEC3_HASH_LEN)
		return ERR_MALFORMED;
	n.is_opt_out = flags & OPT_OUT;
	n.types.len = (uint16_t)rbuf_left(&b);
	n.types.bits = rbuf_take(&b, n.types.len);
	*out = n;
	return 0;
}

bool nsec3_covers(const struct nsec3 *n, const uint8_t hash[NSEC3_HASH_LEN])
{
	bool is_after = memcmp(n->owner, hash, NSEC3_HASH_LEN) < 0;
	bool is_before = memcmp(hash, n->next, NSEC3_HASH_LEN) < 0;

	if (memcmp(n->owner, n->next, NSEC3_HASH_LEN) < 0)
		return is_after && is_before;
	/* the last of the chain, or the only one */
	return is_after || is_before;
}

int nsec3_hash(struct crypto *c, const struct crypto_meter *meter, const struct nsec3 *n,
	const uint8_t *name, uint8_t out[NSEC3_HASH_LEN])
{
	uint8_t lower[DNAME_MAX];

	return crypto_nsec3(c, meter, lower, dname_copy_lower(name, lower), n->salt, n->salt_len,
		n->iterations, out);
}

static const struct nsec3 *find_match(const struct nsec3_set *set, const uint8_t *hash)
{
	for (size_t i = 0; i < set->n; i++) {
		if (memcmp(set->rr[i].owner, hash, NSEC3_HASH_LEN) == 0)
			return &set->rr[i];
	}
	return NULL;
}

static const struct nsec3 *find_cover(const struct nsec3_set *set, const uint8_t *hash)
{
	for (size_t i = 0; i < set->n; i++) {
		if (nsec3_covers(&set->rr[i], hash))
			return &set->rr[i];
	}
	return NULL;
}

/* May the set be asked about name at all? NSEC_PROVEN stands for yes. One chain has one salt and
 * one count of iterations; a set of several is a mixture of replies, or an attempt to bring in a
 * chain whose iterations make everything insecure. */
static enum nsec_verdict check_set(const struct nsec3_set *set, const uint8_t *name)
{
	const struct nsec3 *first = set->rr;

	if (set->n == 0 || !dname_is_under(name, set->zone))
		return NSEC_UNPROVEN;
	for (size_t i = 1; i < set->n; i++) {
		const struct nsec3 *n = &set->rr[i];

		if (n->iterations != first->iterations || n->salt_len != first->salt_len ||
			memcmp(n->salt, first->salt, n->salt_len) != 0)
			return NSEC_UNPROVEN;
	}
	return first->iterations > NSEC3_ITERATIONS_MAX ? NSEC_INSECURE : NSEC_PROVEN;
}

/* Too many iterations: nothing is hashed, and what would be proven is insecure. What the records
 * could not prove whatever the hashes are is still not proven; so one old record of a zone does not
 * make everything in it insecure. */

/* Between owner and next there is more than what a signer puts around a single hash (RFC 7129 B):
 * of a million names two are 2^120 apart. */
static bool is_wide(const struct nsec3 *n)
{
	return memcmp(n->owner, n->next, sizeof(uint64_t)) != 0 ||
	       memcmp(n->owner, n->next, NSEC3_HASH_LEN) == 0;
}

/* One that matches an ancestor and one that covers what is below it; a single one may do both. */
static bool may_deny(const struct nsec3_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct nsec3 *n = &set->rr[i];

		if (nsec_types_is_cut(&n->types) || nsec_types_has(&n->types, DNS_TYPE_DNAME))
			continue;
		if (set->n > 1 || is_wide(n))
			return true;
	}
	return false;
}

/* One at name itself, without type: there is an SOA at the apex and nowhere else. */
static bool may_lack(const struct nsec3_set *set, const uint8_t *name, uint16_t type)
{
	bool is_apex = dname_equal(name, set->zone);

	for (size_t i = 0; i < set->n; i++) {
		const struct nsec_types *t = &set->rr[i].types;

		if (nsec_types_has(t, DNS_TYPE_SOA) == is_apex &&
			nsec_types_lack(t, type, *name == 0))
			return true;
	}
	return false;
}

static enum nsec_verdict insecure_if(bool it_may_be)
{
	return it_may_be ? NSEC_INSECURE : NSEC_UNPROVEN;
}

static enum nsec_verdict hash_name(
	const struct nsec3_set *set, const uint8_t *name, uint8_t hash[NSEC3_HASH_LEN])
{
	return nsec3_hash(set->crypto, set->meter, set->rr, name, hash) == 0 ? NSEC_PROVEN
									     : NSEC_LIMIT;
}

/* RFC 5155 8.3: the closest ancestor of a name that is proven to exist, and what covers the name
 * one label longer. */
struct encloser {
	unsigned labels;	   /* of the ancestor */
	const struct nsec3 *match; /* its record */
	const struct nsec3 *cover; /* NULL: the ancestor is the name itself, or nothing covers */
};

/* From the name upwards: at most one hash per label. */
static enum nsec_verdict find_encloser(
	const struct nsec3_set *set, const uint8_t *name, struct encloser *out)
{
	unsigned top = dname_labels(set->zone), labels = dname_labels(name);
	enum nsec_verdict v = check_set(set, name);
	uint8_t hash[NSEC3_HASH_LEN];

	*out = (struct encloser){0};
	for (; v == NSEC_PROVEN; labels--) {
		v = hash_name(set, dname_suffix(name, labels), hash);
		if (v != NSEC_PROVEN)
			break;
		out->match = find_match(set, hash);
		out->labels = labels;
		if (out->match)
			return NSEC_PROVEN;
		out->cover = find_cover(set, hash);
		if (labels == top)
			return NSEC_UNPROVEN;
	}
	return v;
}

/* Has name been found not to exist? RFC 5155 8.3: an ancestor at a cut or a DNAME speaks for
 * nothing beneath it. */
static bool is_denied(const struct encloser *e)
{
	return e->cover && !nsec_types_is_cut(&e->match->types) &&
	       !nsec_types_has(&e->match->types, DNS_TYPE_DNAME);
}

/* What is denied by an opt-out record may still be a delegation without DS. */
static enum nsec_verdict opt_out(const struct nsec3 *cover, enum nsec_verdict otherwise)
{
	return cover->is_opt_out ? NSEC_INSECURE : otherwise;
}

/* Hash of the wildcard below the ancestor. */
static enum nsec_verdict hash_wildcard(const struct nsec3_set *set, const uint8_t *name,
	const struct encloser *e, uint8_t hash[NSEC3_HASH_LEN])
{
	uint8_t wildcard[DNAME_MAX] = {1, '*'};

	/* name has at least one label more than the ancestor: there is room */
	dname_copy(dname_suffix(name, e->labels), wildcard + 2);
	return hash_name(set, wildcard, hash);
}

enum nsec_verdict nsec3_nxdomain(const struct nsec3_set *set, const uint8_t *name)
{
	uint8_t hash[NSEC3_HASH_LEN];
	struct encloser e;
	enum nsec_verdict v = find_encloser(set, name, &e);

	if (v == NSEC_INSECURE)
		return insecure_if(may_deny(set));
	if (v != NSEC_PROVEN)
		return v;
	if (!is_denied(&e))
		return NSEC_UNPROVEN;
	v = hash_wildcard(set, name, &e, hash);
	if (v != NSEC_PROVEN)
		return v;
	return find_cover(set, hash) ? opt_out(e.cover, NSEC_PROVEN) : NSEC_UNPROVEN;
}

enum nsec_verdict nsec3_nodata(const struct nsec3_set *set, const uint8_t *name, uint16_t type)
{
	uint8_t hash[NSEC3_HASH_LEN];
	const struct nsec3 *match;
	struct encloser e;
	enum nsec_verdict v = find_encloser(set, name, &e);

	if (v == NSEC_INSECURE)
		return insecure_if(may_lack(set, name, type) || may_deny(set));
	if (v != NSEC_PROVEN)
		return v;
	if (e.labels == dname_labels(name))
		return nsec_types_lack(&e.match->types, type, *name == 0) ? NSEC_PROVEN
									  : NSEC_UNPROVEN;
	if (!is_denied(&e))
		return NSEC_UNPROVEN;
	if (type == DNS_TYPE_DS && e.cover->is_opt_out)
		return NSEC_INSECURE; /* RFC 5155 8.6 */
	v = hash_wildcard(set, name, &e, hash);
	if (v != NSEC_PROVEN)
		return v;
	match = find_match(set, hash);
	if (match && !nsec_types_lack(&match->types, type, false))
		return NSEC_UNPROVEN;
	/* RFC 5155 7.1: an empty name above delegations without DS may have no record either */
	return opt_out(e.cover, match ? NSEC_PROVEN : NSEC_UNPROVEN);
}

enum nsec_verdict nsec3_wildcard(const struct nsec3_set *set, const uint8_t *name, unsigned labels)
{
	enum nsec_verdict v = check_set(set, name);
	const struct nsec3 *cover;
	uint8_t hash[NSEC3_HASH_LEN];

	if (v != NSEC_PROVEN)
		return v;
	if (labels >= dname_labels(name) || labels < dname_labels(set->zone))
		return NSEC_UNPROVEN;
	v = hash_name(set, dname_suffix(name, labels + 1), hash);
	if (v != NSEC_PROVEN)
		return v;
	cover = find_cover(set, hash);
	return cover ? opt_out(cover, NSEC_PROVEN) : NSEC_UNPROVEN;
}

enum nsec_verdict nsec3_no_ds(const struct nsec3_set *set, const uint8_t *name)
{
	struct encloser e;
	enum nsec_verdict v = find_encloser(set, name, &e);

	if (v == NSEC_INSECURE)
		return insecure_if(may_lack(set, name, DNS_TYPE_DS) || may_deny(set));
	if (v != NSEC_PROVEN)
		return v;
	if (e.labels < dname_labels(name))
		return is_denied(&e) ? opt_out(e.cover, NSEC_NO_CUT) : NSEC_UNPROVEN;
	if (nsec_types_has(&e.match->types, DNS_TYPE_DS) ||
		nsec_types_has(&e.match->types, DNS_TYPE_SOA))
		return NSEC_UNPROVEN;
	return nsec_types_has(&e.match->types, DNS_TYPE_NS) ? NSEC_PROVEN : NSEC_NO_CUT;
}
