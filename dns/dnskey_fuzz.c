/* SPDX-License-Identifier: Apache-2.0 */
/* A DNSKEY of a stranger: its tag, and its key against a signature that it cannot have made. Octets
 * 0-1: length of the rdata, which follows; the rest: the signature. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "dns/crypto.h"
#include "dns/dnskey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void verify(const struct dnskey *k, const uint8_t *sig, size_t len)
{
	static const uint8_t TEXT[] = "not signed by anyone";
	static struct crypto *c;
	struct crypto_counts before;
	enum crypto_verdict v;

	if (!c)
		c = crypto_new();
	assert(c);
	before = crypto_counts(c);
	v = crypto_verify(c, NULL, k->algorithm, k->key, k->key_len, TEXT, sizeof(TEXT), sig, len);
	/* a point of small order on an Edwards curve takes anything; its owner's own affair */
	if (v == CRYPTO_GENUINE && k->algorithm >= CRYPTO_ED25519)
		return;
	assert(v != CRYPTO_GENUINE && v != CRYPTO_LIMIT);
	assert(crypto_counts(c).n_keys == before.n_keys);
	assert(crypto_counts(c).checks - before.checks == (v == CRYPTO_FORGED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dnskey k;
	size_t len;

	if (size < 2)
		return 0;
	len = (size_t)(data[0] << 8 | data[1]);
	if (len > size - 2)
		len = size - 2;
	if (dnskey_parse(data + 2, len, &k) != 0)
		return 0;
	assert(k.tag == dnskey_tag(data + 2, len));
	assert(k.key + k.key_len == data + 2 + len && k.rdlen == len);
	assert(dnskey_is_same(&k, &k));
	assert(!(dnskey_is_zone_key(&k) && dnskey_is_revoked(&k)));
	verify(&k, data + 2 + len, size - 2 - len);
	return 0;
}
