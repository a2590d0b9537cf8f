/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/rebind.h"

#include <string.h>

#include "base/ip.h"
#include "base/rbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "resolver/resolver_conf.h"

enum { REBIND_IPV4HINT = 4, REBIND_IPV6HINT = 6 }; /* RFC 9460 14.3.2 */

static bool rebind_is_private4(const uint8_t *b)
{
	struct ip ip = {.family = AF_INET};

	memcpy(ip.bytes, b, 4);
	return ip_is_private(&ip);
}

static bool rebind_is_private6(const uint8_t *b)
{
	struct ip ip = ip_from6(b);

	return ip_is_private(&ip);
}

/* Any address among the hints? Records that cannot be read have none. */
static bool rebind_has_private_hint(const uint8_t *rdata, size_t len)
{
	struct rbuf b = rbuf_of(rdata, len);

	rbuf_skip(&b, 2);
	if (dname_skip(&b) != 0)
		return false;
	while (rbuf_left(&b) >= 4) {
		uint16_t key = rbuf_u16(&b);
		struct rbuf value = rbuf_sub(&b, rbuf_u16(&b));
		size_t step = key == REBIND_IPV4HINT ? 4 : 16;

		if (key != REBIND_IPV4HINT && key != REBIND_IPV6HINT)
			continue;
		while (rbuf_left(&value) >= step) {
			const uint8_t *p = rbuf_take(&value, step);

			if (step == 4 ? rebind_is_private4(p) : rebind_is_private6(p))
				return true;
		}
	}
	return false;
}

static bool rebind_is_private(uint16_t type, const uint8_t *rdata, size_t len)
{
	switch (type) {
	case DNS_TYPE_A:
		return len == 4 && rebind_is_private4(rdata);
	case DNS_TYPE_AAAA:
		return len == 16 && rebind_is_private6(rdata);
	default:
		return rebind_has_private_hint(rdata, len);
	}
}

static bool rebind_is_allowed(const struct resolver_conf *conf, const uint8_t *name)
{
	for (size_t i = 0; i < conf->n_rebind_allow; i++) {
		if (dname_is_under(name, conf->rebind_allow[i]))
			return true;
	}
	return resolver_conf_forward(conf, name) != NULL;
}

static unsigned rebind_count(const struct rrset *rr)
{
	struct rrset_iter it = rrset_begin(rr);
	unsigned n = 0;

	while (rrset_next(&it) && !it.is_sig)
		n += rebind_is_private(rr->type, it.rdata, it.len);
	return n;
}

static struct rrset *rebind_without(const struct rrset *rr, struct arena *a)
{
	struct rrset *out = arena_alloc(a, rr->size);
	struct rrset_iter it = rrset_begin(rr);

	if (out)
		out = rrset_init(out, rr->size, rrset_owner(rr), rr->type, rr->class, rr->ttl);
	if (!out)
		return NULL;
	out->rank = rr->rank;
	out->security = RRSET_INSECURE;
	while (rrset_next(&it) && !it.is_sig) {
		if (!rebind_is_private(rr->type, it.rdata, it.len) &&
			rrset_add(out, rr->size, it.rdata, it.len) != 0)
			return NULL;
	}
	return out;
}

size_t rebind_filter(const struct resolver_conf *conf, const uint8_t *asked,
	const struct rrset **sets, uint8_t *n, struct arena *a)
{
	size_t n_removed = 0;
	uint8_t kept = 0;

	for (uint8_t i = 0; i < *n; i++) {
		const struct rrset *rr = sets[i];
		unsigned bad;

		sets[kept++] = rr;
		if (rr->type != DNS_TYPE_A && rr->type != DNS_TYPE_AAAA &&
			rr->type != DNS_TYPE_SVCB && rr->type != DNS_TYPE_HTTPS)
			continue;
		bad = rebind_count(rr);
		if (bad == 0 || rebind_is_allowed(conf, asked) ||
			rebind_is_allowed(conf, rrset_owner(rr)))
			continue;
		n_removed += bad;
		rr = bad < rr->n_rr ? rebind_without(rr, a) : NULL;
		if (rr)
			sets[kept - 1] = rr;
		else
			kept--;
	}
	*n = kept;
	return n_removed;
}
