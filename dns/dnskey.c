/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/dnskey.h"

#include <string.h>

#include "base/rbuf.h"

#define FIXED_LEN 4 /* flags, protocol, algorithm */
#define PROTOCOL  3 /* RFC 4034 2.1.2 */
#define RSAMD5	  1

int dnskey_parse(const uint8_t *rdata, size_t len, struct dnskey *out)
{
	struct rbuf b = rbuf_of(rdata, len);
	struct dnskey k = {.rdata = rdata, .rdlen = (uint16_t)len};

	k.flags = rbuf_u16(&b);
	k.protocol = rbuf_u8(&b);
	k.algorithm = rbuf_u8(&b);
	k.key_len = (uint16_t)rbuf_left(&b);
	k.key = rbuf_take(&b, k.key_len);
	if (b.bad || k.key_len == 0 || len > UINT16_MAX)
		return ERR_MALFORMED;
	k.tag = dnskey_tag(rdata, len);
	*out = k;
	return 0;
}

uint16_t dnskey_tag(const uint8_t *rdata, size_t len)
{
	uint32_t sum = 0;

	/* RFC 4034 B.1: the most significant 16 of the modulus' last 24 bits */
	if (len >= FIXED_LEN + 3 && rdata[3] == RSAMD5)
		return (uint16_t)(rdata[len - 3] << 8 | rdata[len - 2]);
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? rdata[i] : (uint32_t)rdata[i] << 8;
	return (uint16_t)(sum + (sum >> 16));
}

bool dnskey_is_zone_key(const struct dnskey *k)
{
	return (k->flags & DNSKEY_ZONE) && k->protocol == PROTOCOL && !dnskey_is_revoked(k);
}

bool dnskey_is_revoked(const struct dnskey *k)
{
	return k->flags & DNSKEY_REVOKE;
}

bool dnskey_is_sep(const struct dnskey *k)
{
	return k->flags & DNSKEY_SEP;
}

bool dnskey_is_same(const struct dnskey *a, const struct dnskey *b)
{
	return a->algorithm == b->algorithm && a->key_len == b->key_len &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

bool dnskey_find(struct rrset_iter *it, uint8_t algorithm, uint16_t tag, struct dnskey *out)
{
	struct dnskey k;

	while (rrset_next(it) && !it->is_sig) {
		if (it->len <= FIXED_LEN || it->rdata[3] != algorithm)
			continue;
		if (dnskey_parse(it->rdata, it->len, &k) == 0 && k.tag == tag &&
			dnskey_is_zone_key(&k)) {
			*out = k;
			return true;
		}
	}
	return false;
}
