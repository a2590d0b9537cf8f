/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrset.h"

#include <string.h>

#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/rrtype.h"

static uint16_t load_len(const uint8_t *p)
{
	uint16_t len;

	memcpy(&len, p, sizeof(len));
	return len;
}

struct rrset_iter rrset_begin(const struct rrset *rr)
{
	return (struct rrset_iter){.rr = rr, .next = rr->data + rr->owner_len};
}

bool rrset_next(struct rrset_iter *it)
{
	if (it->i >= it->rr->n_rr + it->rr->n_sig)
		return false;
	it->len = load_len(it->next);
	it->rdata = it->next + sizeof(uint16_t);
	it->next = it->rdata + it->len;
	it->is_sig = it->i >= it->rr->n_rr;
	it->i++;
	return true;
}

struct rrset *rrset_init(
	void *mem, size_t cap, const uint8_t *owner, uint16_t type, uint16_t class, uint32_t ttl)
{
	struct rrset *rr = mem;
	size_t owner_len = dname_len(owner);

	if (cap < sizeof(*rr) + owner_len)
		return NULL;
	*rr = (struct rrset){
		.size = (uint32_t)(sizeof(*rr) + owner_len),
		.ttl = ttl > INT32_MAX ? INT32_MAX : ttl,
		.type = type,
		.class = class,
		.owner_len = (uint8_t)owner_len,
	};
	memcpy(rr->data, owner, owner_len);
	return rr;
}

static bool holds(const struct rrset *rr, bool is_sig, const uint8_t *rdata, size_t len)
{
	struct rrset_iter it = rrset_begin(rr);
	uint16_t type = is_sig ? DNS_TYPE_RRSIG : rr->type;

	while (rrset_next(&it)) {
		if (it.is_sig == is_sig && it.len == len &&
			rrtype_rdata_equal(type, it.rdata, rdata, len))
			return true;
	}
	return false;
}

static int append(struct rrset *rr, size_t cap, const uint8_t *rdata, size_t len)
{
	uint16_t len16 = (uint16_t)len;
	uint8_t *p = (uint8_t *)rr + rr->size;

	if (cap > RRSET_SIZE_MAX)
		cap = RRSET_SIZE_MAX;
	if (len > UINT16_MAX || rr->size + sizeof(len16) + len > cap)
		return ERR_SPACE;
	memcpy(p, &len16, sizeof(len16));
	if (len)
		memcpy(p + sizeof(len16), rdata, len);
	rr->size += (uint32_t)(sizeof(len16) + len);
	return 0;
}

int rrset_add(struct rrset *rr, size_t cap, const uint8_t *rdata, size_t len)
{
	int err;

	if (holds(rr, false, rdata, len))
		return 0;
	if (rr->n_rr >= RRSET_RR_MAX || rr->n_sig)
		return ERR_LIMIT;
	err = append(rr, cap, rdata, len);
	if (err == 0)
		rr->n_rr++;
	return err;
}

int rrset_add_sig(struct rrset *rr, size_t cap, const uint8_t *rdata, size_t len)
{
	int err;

	if (holds(rr, true, rdata, len))
		return 0;
	if (rr->n_sig >= RRSET_SIG_MAX)
		return ERR_LIMIT;
	err = append(rr, cap, rdata, len);
	if (err == 0)
		rr->n_sig++;
	return err;
}

/* The least an RRSIG rdata holds: the fixed part and a root signer (RFC 4034 3.1). */
#define SIG_RDATA_MIN 19

bool rrset_is_sound(const struct rrset *rr, size_t len)
{
	size_t at;
	struct rbuf b;
	uint8_t name[DNAME_MAX];
	size_t name_len;

	if (len < sizeof(*rr) || rr->size != len || rr->size > RRSET_SIZE_MAX)
		return false;
	if (rr->n_rr > RRSET_RR_MAX || rr->n_sig > RRSET_SIG_MAX || rr->ttl > INT32_MAX)
		return false;
	if (rr->rank > RRSET_RANK_LOCAL || rr->security > RRSET_SECURE)
		return false;
	b = rbuf_of(rr->data, len - sizeof(*rr));
	if (dname_parse_plain(&b, name, &name_len) != 0 || name_len != rr->owner_len)
		return false;
	at = sizeof(*rr) + rr->owner_len;
	for (unsigned i = 0; i < (unsigned)rr->n_rr + rr->n_sig; i++) {
		size_t rdlen;

		if (len - at < sizeof(uint16_t))
			return false;
		rdlen = load_len((const uint8_t *)rr + at);
		at += sizeof(uint16_t);
		if (len - at < rdlen || (i >= rr->n_rr && rdlen < SIG_RDATA_MIN))
			return false;
		at += rdlen;
	}
	return at == len;
}

bool rrset_equal(const struct rrset *a, const struct rrset *b)
{
	struct rrset_iter it = rrset_begin(a);

	if (a->type != b->type || a->class != b->class || a->n_rr != b->n_rr ||
		a->n_sig != b->n_sig || !dname_equal(a->data, b->data))
		return false;
	/* No set holds a record twice, so equal counts and inclusion are equality. */
	while (rrset_next(&it)) {
		if (!holds(b, it.is_sig, it.rdata, it.len))
			return false;
	}
	return true;
}
