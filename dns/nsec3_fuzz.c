/* SPDX-License-Identifier: Apache-2.0 */
/* An NSEC3 record of a stranger: what it says hangs together, and hashes are counted. Octet 0:
 * labels of the signature; 1-2: a type; then owner, a name to ask about, rdata. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "base/rbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/nsec3.h"

#define CAP 70000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *arg, enum crypto_cost cost)
{
	assert(cost == CRYPTO_COST_HASH);
	(*(unsigned *)arg)++;
	return 0;
}

static void check_text(const struct nsec3 *n)
{
	char text[NSEC3_TEXT_LEN];
	uint8_t back[NSEC3_HASH_LEN];

	nsec3_format_hash(n->next, text);
	assert(nsec3_read_hash(text, back) == 0 && memcmp(back, n->next, sizeof(back)) == 0);
	assert(!nsec3_covers(n, n->owner) && !nsec3_covers(n, n->next));
}

static void ask(struct crypto *c, const struct nsec3 *n, const uint8_t *zone, const uint8_t *name,
	uint16_t type)
{
	unsigned hashes = 0;
	const struct crypto_meter meter = {count, &hashes};
	const struct nsec3_set set = {c, &meter, zone, n, 1};
	enum nsec_verdict nx = nsec3_nxdomain(&set, name), nodata, v;

	assert(hashes <= dname_labels(name) + 2);
	nodata = nsec3_nodata(&set, name, type);
	assert(!(nx == NSEC_PROVEN && nodata == NSEC_PROVEN));
	v = nsec3_no_ds(&set, name);
	if (v == NSEC_PROVEN)
		assert(nsec_types_is_cut(&n->types));
	v = nsec3_wildcard(&set, name, dname_labels(zone));
	if (n->iterations > NSEC3_ITERATIONS_MAX) {
		assert(hashes == 0 && nx != NSEC_PROVEN && nodata != NSEC_PROVEN);
		assert(v == (dname_is_under(name, zone) ? NSEC_INSECURE : NSEC_UNPROVEN));
	}
	if (!n->is_opt_out && n->iterations <= NSEC3_ITERATIONS_MAX)
		assert(nx != NSEC_INSECURE && nodata != NSEC_INSECURE && v != NSEC_INSECURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(8) uint8_t mem[CAP];
	static struct crypto *c;
	struct rbuf b = rbuf_of(data, size);
	uint8_t labels = rbuf_u8(&b);
	uint16_t type = rbuf_u16(&b);
	uint8_t owner[DNAME_MAX], name[DNAME_MAX];
	struct rrset *rr;
	struct nsec3 n;
	size_t len;

	if (!c)
		c = crypto_new();
	if (dname_parse_plain(&b, owner, &len) != 0 || *owner == 0 ||
		dname_parse_plain(&b, name, &len) != 0)
		return 0;
	rr = rrset_init(mem, CAP, owner, DNS_TYPE_NSEC3, DNS_CLASS_IN, 60);
	len = rbuf_left(&b);
	if (rrset_add(rr, CAP, rbuf_take(&b, len), len) != 0)
		return 0;
	if (nsec3_parse(rr, dname_strip(owner, 1), labels, &n) != 0)
		return 0;
	check_text(&n);
	ask(c, &n, dname_strip(owner, 1), name, type);
	ask(c, &n, dname_strip(owner, 1), dname_strip(owner, 1), type);
	return 0;
}
