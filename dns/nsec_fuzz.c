/* SPDX-License-Identifier: Apache-2.0 */
/* An NSEC record of a stranger: what it says hangs together. Octet 0: labels of the signature; 1:
 * labels of the owner that are the zone's; 2-3: a type; then owner, a name to ask about, rdata. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "base/rbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/nsec.h"

#define CAP 70000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct nsec *n, const uint8_t *name, uint16_t type)
{
	bool covers = nsec_covers(n, name), is_ent = nsec_is_ent(n, name);
	bool denies = nsec_denies(n, name);
	enum nsec_verdict nodata = nsec_nodata(n, 1, name, type);

	assert(covers == (is_ent || denies) && !(is_ent && denies));
	assert(!covers || !dname_equal(n->owner, name));
	assert(!covers || dname_is_under(name, n->zone));
	if (denies)
		assert(nsec_closest(n, name) < dname_labels(name));
	/* one record cannot say that name is there and is not */
	if (nsec_nxdomain(n, 1, name) == NSEC_PROVEN)
		assert(denies && nodata == NSEC_UNPROVEN);
	if (nsec_types_has(&n->types, type) && dname_equal(n->owner, name))
		assert(nodata == NSEC_UNPROVEN);
	for (unsigned labels = 0; labels < dname_labels(name); labels++) {
		if (nsec_wildcard(n, 1, name, labels) == NSEC_PROVEN)
			assert(denies);
	}
	if (nsec_no_ds(n, 1, name) == NSEC_PROVEN)
		assert(dname_equal(n->owner, name) && nsec_types_is_cut(&n->types));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(8) uint8_t mem[CAP];
	struct rbuf b = rbuf_of(data, size);
	uint8_t labels = rbuf_u8(&b), zone_labels = rbuf_u8(&b);
	uint16_t type = rbuf_u16(&b);
	uint8_t owner[DNAME_MAX], name[DNAME_MAX];
	const uint8_t *zone;
	struct rrset *rr;
	struct nsec n;
	size_t len;

	if (dname_parse_plain(&b, owner, &len) != 0 || dname_parse_plain(&b, name, &len) != 0)
		return 0;
	zone = dname_suffix(owner, zone_labels % (dname_labels(owner) + 1));
	rr = rrset_init(mem, CAP, owner, DNS_TYPE_NSEC, DNS_CLASS_IN, 60);
	len = rbuf_left(&b);
	if (rrset_add(rr, CAP, rbuf_take(&b, len), len) != 0)
		return 0;
	if (nsec_parse(rr, zone, labels, &n) != 0)
		return 0;
	assert(dname_is_under(n.next, zone) && dname_is_under(n.owner, zone));
	ask(&n, name, type);
	ask(&n, owner, type);
	ask(&n, n.next, type);
	ask(&n, zone, type);
	return 0;
}
