/* SPDX-License-Identifier: Apache-2.0 */
/* Which anchor counts for a name, and what negative anchors take out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/root_anchors.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_anchors_nothing_is_judged),
		cmocka_unit_test(the_closest_anchor_counts),
		cmocka_unit_test(a_negative_anchor_counts_unless_an_anchor_is_closer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
