/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dns_const.h"

static const uint8_t OWNER[] = "\1a\7example";
static const uint8_t SIG[20] = {0, 1};

static struct rrset *sample(void *mem, size_t cap)
{
	struct rrset *rr = rrset_init(mem, cap, OWNER, DNS_TYPE_A, 1, 300);

	assert_int_equal(rrset_add(rr, cap, (const uint8_t *)"abcd", 4), 0);
	assert_int_equal(rrset_add(rr, cap, (const uint8_t *)"abce", 4), 0);
	assert_int_equal(rrset_add_sig(rr, cap, SIG, sizeof(SIG)), 0);
	return rr;
}

static void a_walk_sees_records_then_signatures(void **state)
{
	_Alignas(struct rrset) uint8_t mem[256];
	struct rrset *rr = sample(mem, sizeof(mem));
	struct rrset_iter it = rrset_begin(rr);

	(void)state;
	assert_true(rrset_next(&it) && !it.is_sig && it.len == 4);
	assert_memory_equal(it.rdata, "abcd", 4);
	assert_true(rrset_next(&it) && !it.is_sig);
	assert_memory_equal(it.rdata, "abce", 4);
	assert_true(rrset_next(&it) && it.is_sig && it.len == 20);
	assert_false(rrset_next(&it));
	assert_memory_equal(rrset_owner(rr), OWNER, sizeof(OWNER));
}

static void equal_records_are_kept_once(void **state)
{
	_Alignas(struct rrset) uint8_t mem[256];
	struct rrset *rr = rrset_init(mem, sizeof(mem), OWNER, DNS_TYPE_A, 1, 300);

	(void)state;
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"abcd", 4), 0);
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"abcd", 4), 0);
	assert_int_equal(rr->n_rr, 1);
}

static void names_that_differ_in_case_alone_are_equal(void **state)
{
	_Alignas(struct rrset) uint8_t mem[256];
	struct rrset *rr = rrset_init(mem, sizeof(mem), OWNER, DNS_TYPE_MX, 1, 300);

	(void)state;
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\0\1\2mx", 6), 0);
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\0\1\2MX", 6), 0);
	assert_int_equal(rr->n_rr, 1);
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\0\2\2MX", 6), 0);
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\0\1\1m\0x", 6), 0);
	assert_int_equal(rr->n_rr, 3);
	rr->type = DNS_TYPE_TXT;
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\0\2\2mX", 6), 0);
	assert_int_equal(rr->n_rr, 4);
}

static void limits_hold_and_leave_it_sound(void **state)
{
	_Alignas(struct rrset) uint8_t mem[4096];
	struct rrset *rr = rrset_init(mem, sizeof(mem), OWNER, DNS_TYPE_A, 1, 300);
	uint8_t rdata[20] = {0};

	(void)state;
	assert_null(rrset_init(mem, sizeof(struct rrset) + 5, OWNER, 1, 1, 1));
	for (unsigned i = 0; i < RRSET_RR_MAX; i++) {
		rdata[3] = (uint8_t)i;
		assert_int_equal(rrset_add(rr, sizeof(mem), rdata, 4), 0);
	}
	rdata[3] = RRSET_RR_MAX;
	assert_int_equal(rrset_add(rr, sizeof(mem), rdata, 4), ERR_LIMIT);
	for (unsigned i = 0; i < RRSET_SIG_MAX; i++) {
		rdata[3] = (uint8_t)i;
		assert_int_equal(rrset_add_sig(rr, sizeof(mem), rdata, 20), 0);
	}
	rdata[3] = RRSET_SIG_MAX;
	assert_int_equal(rrset_add_sig(rr, sizeof(mem), rdata, 20), ERR_LIMIT);
	assert_int_equal(rrset_add(rr, rr->size + 5, (const uint8_t *)"wxyz", 4), ERR_LIMIT);
	assert_true(rrset_is_sound(rr, rr->size));
	rr = rrset_init(mem, sizeof(mem), OWNER, DNS_TYPE_A, 1, 300);
	assert_int_equal(rrset_add(rr, rr->size + 5, (const uint8_t *)"wxyz", 4), ERR_SPACE);
	assert_int_equal(rrset_add(rr, rr->size + 6, (const uint8_t *)"wxyz", 4), 0);
	assert_int_equal(rrset_add_sig(rr, rr->size, rdata, 20), ERR_SPACE);
}

static void soundness_finds_every_broken_length(void **state)
{
	_Alignas(struct rrset) uint8_t mem[256], bent[256];
	struct rrset *rr = sample(mem, sizeof(mem)), *b = (struct rrset *)bent;
	size_t size = rr->size;

	(void)state;
	for (size_t len = 0; len < size; len++)
		assert_false(rrset_is_sound(rr, len));
	assert_true(rrset_is_sound(rr, size));
#define BENT(change)                                                                               \
	do {                                                                                       \
		memcpy(bent, mem, size);                                                           \
		change;                                                                            \
		assert_false(rrset_is_sound(b, size));                                             \
	} while (0)
	BENT(b->size++);
	BENT(b->n_rr++);
	BENT(b->n_rr--);
	BENT(b->n_rr = RRSET_RR_MAX + 1);
	BENT(b->n_sig = RRSET_SIG_MAX + 1);
	BENT(b->owner_len--);
	BENT(b->data[0] = 200);
	BENT(b->data[b->owner_len] = 99);
	BENT(b->rank = RRSET_RANK_LOCAL + 1);
	BENT(b->security = RRSET_SECURE + 1);
	BENT(b->ttl = 0x80000000u);
	/* a signature too short to say what it covers */
	BENT(b->n_rr = 1; b->n_sig = 2);
#undef BENT
}

static void equality_ignores_order_ttl_and_owner_case(void **state)
{
	_Alignas(struct rrset) uint8_t mem[256], other[256];
	struct rrset *a = sample(mem, sizeof(mem));
	struct rrset *b =
		rrset_init(other, sizeof(other), (const uint8_t *)"\1A\7EXAMPLE", DNS_TYPE_A, 1, 5);

	(void)state;
	assert_int_equal(rrset_add(b, sizeof(other), (const uint8_t *)"abce", 4), 0);
	assert_false(rrset_equal(a, b));
	assert_int_equal(rrset_add(b, sizeof(other), (const uint8_t *)"abcd", 4), 0);
	assert_false(rrset_equal(a, b));
	assert_int_equal(rrset_add_sig(b, sizeof(other), SIG, sizeof(SIG)), 0);
	assert_true(rrset_equal(a, b));
	b->type = DNS_TYPE_AAAA;
	assert_false(rrset_equal(a, b));
}

static void ttl_is_clamped(void **state)
{
	_Alignas(struct rrset) uint8_t mem[256];

	(void)state;
	assert_int_equal(rrset_init(mem, 256, OWNER, 1, 1, UINT32_MAX)->ttl, INT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_sees_records_then_signatures),
		cmocka_unit_test(equal_records_are_kept_once),
		cmocka_unit_test(names_that_differ_in_case_alone_are_equal),
		cmocka_unit_test(limits_hold_and_leave_it_sound),
		cmocka_unit_test(soundness_finds_every_broken_length),
		cmocka_unit_test(equality_ignores_order_ttl_and_owner_case),
		cmocka_unit_test(ttl_is_clamped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
