/* SPDX-License-Identifier: Apache-2.0 */
/* Which anchor counts for a name, and what negative anchors take out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dns/crypto.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/dnskey.h"
#include "dns/root_anchors.h"
#include "dns/rrsig.h"
#include "resolver/anchors.h"

#define TEST(name) static void name(void **state __attribute__((unused)))

static const uint8_t ROOT[] = {0};
static const uint8_t COM[] = "\3com";
static const uint8_t EXAMPLE[] = "\7example\3com";
static const uint8_t WWW[] = "\3www\7example\3com";
static const uint8_t ORG[] = "\3org";

static const struct rrset *anchor(uint8_t *mem, size_t cap, const uint8_t *zone)
{
	struct rrset *rr = rrset_init(mem, cap, zone, DNS_TYPE_DS, DNS_CLASS_IN, 86400);

	assert_int_equal(0, rrset_add(rr, cap, root_anchors_ds(0), ROOT_ANCHORS_LEN));
	return rr;
}

TEST(without_anchors_nothing_is_judged)
{
	struct resolver_conf conf = {0};

	assert_null(anchors_find(&conf, WWW));
}

TEST(the_closest_anchor_counts)
{
	_Alignas(8) uint8_t a[256], b[256];
	const struct rrset *list[] = {anchor(a, sizeof(a), ROOT), anchor(b, sizeof(b), EXAMPLE)};
	struct resolver_conf conf = {.n_anchors = 2, .anchors = list};

	assert_true(dname_equal(EXAMPLE, anchors_find(&conf, WWW)));
	assert_true(dname_equal(EXAMPLE, anchors_find(&conf, EXAMPLE)));
	assert_true(dname_equal(ROOT, anchors_find(&conf, COM)));
	conf.n_anchors = 1;
	conf.anchors = list + 1;
	assert_null(anchors_find(&conf, ORG));
}

TEST(a_negative_anchor_counts_unless_an_anchor_is_closer)
{
	_Alignas(8) uint8_t a[256], b[256];
	const struct rrset *list[] = {anchor(a, sizeof(a), ROOT), anchor(b, sizeof(b), EXAMPLE)};
	const uint8_t *negative[] = {COM};
	struct resolver_conf conf = {
		.n_anchors = 2, .anchors = list, .n_negative = 1, .negative = negative};

	assert_null(anchors_find(&conf, COM));
	assert_true(dname_equal(EXAMPLE, anchors_find(&conf, WWW)));
	assert_true(dname_equal(ROOT, anchors_find(&conf, ORG)));
	negative[0] = EXAMPLE; /* as close: it wins */
	assert_null(anchors_find(&conf, WWW));
}

/* A DNSKEY of the zone com: 0x0101, protocol 3. */
static size_t dnskey(uint8_t *out, uint8_t algorithm, const uint8_t *key, size_t len)
{
	const uint8_t head[] = {1, 1, 3, algorithm};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), key, len);
	return sizeof(head) + len;
}

/* An RRSIG over DNSKEY com that names the key, with a signature of 64 octets of nothing. */
static size_t rrsig(uint8_t *out, const uint8_t *key, size_t key_len)
{
	uint16_t tag = dnskey_tag(key, key_len);
	uint8_t head[] = {0, DNS_TYPE_DNSKEY, 8, 1, 0, 1, 0x51, 0x80, 0x6b, 0x49, 0xd2, 0, 0x6b,
		0x49, 0xd1, 0, (uint8_t)(tag >> 8), (uint8_t)tag};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), COM, sizeof(COM));
	memset(out + sizeof(head) + sizeof(COM), 7, 64);
	return sizeof(head) + sizeof(COM) + 64;
}

/* An attacker takes the good key out of an answer and leaves the one of a size that we do not
 * check. */
TEST(a_key_of_odd_size_beside_a_good_one_does_not_make_the_zone_insecure)
{
	_Alignas(8) uint8_t anchor_mem[1024], keys_mem[1024];
	static uint8_t scratch[RRSIG_SCRATCH_MAX];
	uint8_t odd[128], good[64], sig[160], modulus[68] = {3, 1, 0, 1};
	struct rrsig_env env = {.crypto = crypto_new(),
		.scratch = scratch,
		.scratch_len = sizeof(scratch),
		.now_s = 0x6b49d180};
	struct rrset *a, *k;
	struct rrsig_proof proof;
	size_t odd_len, good_len;

	memset(modulus + 4, 0xc5, 64);
	odd_len = dnskey(odd, 8, modulus, sizeof(modulus));
	memset(sig, 0x11, 32);
	good_len = dnskey(good, 15, sig, 32);
	a = rrset_init(anchor_mem, sizeof(anchor_mem), COM, DNS_TYPE_DNSKEY, DNS_CLASS_IN, 86400);
	assert_int_equal(0, rrset_add(a, sizeof(anchor_mem), good, good_len));
	assert_int_equal(0, rrset_add(a, sizeof(anchor_mem), odd, odd_len));
	k = rrset_init(keys_mem, sizeof(keys_mem), COM, DNS_TYPE_DNSKEY, DNS_CLASS_IN, 86400);
	assert_int_equal(0, rrset_add(k, sizeof(keys_mem), odd, odd_len));
	assert_int_equal(0, rrset_add_sig(k, sizeof(keys_mem), sig, rrsig(sig, odd, odd_len)));
	{
		const struct rrset *both[] = {a}, *alone[] = {k};
		struct resolver_conf conf = {.n_anchors = 1, .anchors = both};

		assert_int_not_equal(
			RRSIG_KEY_UNSUPPORTED, anchors_verify(&conf, &env, k, COM, &proof));
		conf.anchors = alone;
		assert_int_equal(
			RRSIG_KEY_UNSUPPORTED, anchors_verify(&conf, &env, k, COM, &proof));
	}
	crypto_free(env.crypto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_anchors_nothing_is_judged),
		cmocka_unit_test(the_closest_anchor_counts),
		cmocka_unit_test(a_negative_anchor_counts_unless_an_anchor_is_closer),
		cmocka_unit_test(
			a_key_of_odd_size_beside_a_good_one_does_not_make_the_zone_insecure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
