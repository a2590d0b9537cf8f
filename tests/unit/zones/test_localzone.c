/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/localzone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dname.h"
#include "dns/dns_const.h"

static const struct hash_key KEY = {1, 2};
static const uint8_t NAS[] = "\3nas\4home\4arpa", WILD[] = "\1*\4home\4arpa";

static int add(struct localzone *z, uint16_t type, const char *rdata, size_t len, uint32_t ttl,
	enum localzone_rank rank)
{
	return localzone_add(z, NAS, type, ttl, (const uint8_t *)rdata, len, rank, "x");
}

static const struct rrset *get(struct localzone *z, uint16_t type)
{
	const struct localzone_set *set = localzone_set(localzone_get(z, NAS), type);

	return set ? set->rr : NULL;
}

static void records_of_one_rank_gather(void **state)
{
	struct localzone *z = localzone_new(&KEY);

	(void)state;
	assert_int_equal(add(z, DNS_TYPE_A, "abcd", 4, 60, LOCALZONE_HOSTS), 0);
	assert_int_equal(add(z, DNS_TYPE_A, "abce", 4, 30, LOCALZONE_HOSTS), 0);
	assert_int_equal(add(z, DNS_TYPE_A, "abcd", 4, 60, LOCALZONE_HOSTS), 0);
	assert_int_equal(get(z, DNS_TYPE_A)->n_rr, 2);
	assert_int_equal(get(z, DNS_TYPE_A)->ttl, 30);
	assert_int_equal(get(z, DNS_TYPE_A)->rank, RRSET_RANK_LOCAL);
	assert_true(rrset_is_sound(get(z, DNS_TYPE_A), get(z, DNS_TYPE_A)->size));
	assert_int_equal(localzone_count(z), 1);
	localzone_free(z);
	localzone_free(NULL);
}

static void the_better_rank_wins_by_type_in_any_order(void **state)
{
	struct localzone *z = localzone_new(&KEY);

	(void)state;
	assert_int_equal(add(z, DNS_TYPE_A, "host", 4, 60, LOCALZONE_HOSTS), 0);
	assert_int_equal(add(z, DNS_TYPE_AAAA, "0123456789abcdef", 16, 60, LOCALZONE_HOSTS), 0);
	assert_int_equal(add(z, DNS_TYPE_A, "conf", 4, 60, LOCALZONE_RECORD), 0);
	assert_int_equal(add(z, DNS_TYPE_A, "more", 4, 60, LOCALZONE_HOSTS), 0);
	assert_int_equal(get(z, DNS_TYPE_A)->n_rr, 1);
	assert_memory_equal(get(z, DNS_TYPE_A)->data + sizeof(NAS) + 2, "conf", 4);
	assert_non_null(get(z, DNS_TYPE_AAAA));
	/* a better CNAME clears the name; a worse one is not taken */
	assert_int_equal(add(z, DNS_TYPE_CNAME, "\1a", 3, 60, LOCALZONE_HOSTS), 0);
	assert_null(get(z, DNS_TYPE_CNAME));
	assert_int_equal(add(z, DNS_TYPE_CNAME, "\1a", 3, 60, LOCALZONE_FIXED), 0);
	assert_null(get(z, DNS_TYPE_A));
	assert_null(get(z, DNS_TYPE_AAAA));
	assert_non_null(get(z, DNS_TYPE_CNAME));
	assert_int_equal(add(z, DNS_TYPE_A, "conf", 4, 60, LOCALZONE_FIXED), ERR_EXISTS);
	assert_int_equal(add(z, DNS_TYPE_CNAME, "\1b", 3, 60, LOCALZONE_FIXED), ERR_EXISTS);
	assert_int_equal(get(z, DNS_TYPE_CNAME)->n_rr, 1);
	localzone_free(z);
}

static void derived_ptrs_keep_the_first(void **state)
{
	struct localzone *z = localzone_new(&KEY);

	(void)state;
	assert_int_equal(add(z, DNS_TYPE_PTR, "\1a", 3, 60, LOCALZONE_HOSTS_PTR), 0);
	assert_int_equal(add(z, DNS_TYPE_PTR, "\1b", 3, 60, LOCALZONE_HOSTS_PTR), 0);
	assert_memory_equal(get(z, DNS_TYPE_PTR)->data + sizeof(NAS) + 2, "\1a", 3);
	assert_int_equal(add(z, DNS_TYPE_PTR, "\1c", 3, 60, LOCALZONE_DERIVED), 0);
	assert_memory_equal(get(z, DNS_TYPE_PTR)->data + sizeof(NAS) + 2, "\1c", 3);
	assert_int_equal(get(z, DNS_TYPE_PTR)->n_rr, 1);
	localzone_free(z);
}

static void a_set_ends_where_an_answer_would(void **state)
{
	static char big[LOCALZONE_SET_MAX];
	struct localzone *z = localzone_new(&KEY);

	(void)state;
	assert_int_equal(add(z, 65280, big, sizeof(big), 60, LOCALZONE_RECORD), ERR_LIMIT);
	assert_null(get(z, 65280));
	assert_int_equal(add(z, 65280, big, 3000, 60, LOCALZONE_RECORD), 0);
	assert_int_equal(add(z, 65280, big, 3001, 60, LOCALZONE_RECORD), ERR_LIMIT);
	assert_int_equal(get(z, 65280)->n_rr, 1);
	localzone_free(z);
}

static void the_parent_knows_its_wildcard(void **state)
{
	struct localzone *z = localzone_new(&KEY);
	struct localzone_node *n;
	const struct localzone_node *parent;

	(void)state;
	assert_int_equal(localzone_make(z, WILD, &n), 0);
	parent = localzone_get(z, WILD + 2);
	assert_ptr_equal(localzone_node(z, parent->wildcard), localzone_get(z, WILD));
	assert_int_equal(localzone_count(z), 0);
	assert_null(localzone_get(z, NAS));
	localzone_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_one_rank_gather),
		cmocka_unit_test(the_better_rank_wins_by_type_in_any_order),
		cmocka_unit_test(derived_ptrs_keep_the_first),
		cmocka_unit_test(a_set_ends_where_an_answer_would),
		cmocka_unit_test(the_parent_knows_its_wildcard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
