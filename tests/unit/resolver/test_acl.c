/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

static struct acl *acl_of(const char *const *texts, size_t n)
{
	struct ip_prefix prefixes[16];

	assert_true(n <= 16);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ip_prefix_read(texts[i], &prefixes[i]), 0);
	return acl_new(prefixes, n);
}

static bool allows(const struct acl *a, const char *text)
{
	struct ip ip;

	assert_int_equal(ip_read(text, &ip), 0);
	return acl_allows(a, &ip);
}

static void addresses_inside_a_prefix_may_ask(void **state)
{
	const char *const texts[] = {
		"192.168.1.0/24", "10.0.0.5", "127.0.0.0/8", "fd77::/64", "::1", "fe80::/10"};
	struct acl *a = acl_of(texts, 6);

	(void)state;
	assert_true(allows(a, "192.168.1.0"));
	assert_true(allows(a, "192.168.1.255"));
	assert_false(allows(a, "192.168.0.255"));
	assert_false(allows(a, "192.168.2.0"));
	assert_true(allows(a, "10.0.0.5"));
	assert_false(allows(a, "10.0.0.4"));
	assert_false(allows(a, "10.0.0.6"));
	assert_true(allows(a, "127.255.255.255"));
	assert_false(allows(a, "128.0.0.0"));
	assert_true(allows(a, "fd77::ffff:ffff:ffff:ffff"));
	assert_false(allows(a, "fd77:0:0:1::"));
	assert_false(allows(a, "fd76:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_true(allows(a, "::1"));
	assert_false(allows(a, "::2"));
	assert_true(allows(a, "febf:ffff::1"));
	assert_false(allows(a, "fec0::"));
	acl_free(a);
}

static void the_families_do_not_mix(void **state)
{
	const char *const v4[] = {"0.0.0.0/0"}, *const v6[] = {"::/0"};
	struct acl *a = acl_of(v4, 1), *b = acl_of(v6, 1);

	(void)state;
	assert_true(allows(a, "255.255.255.255"));
	assert_true(allows(a, "0.0.0.0"));
	assert_false(allows(a, "::"));
	assert_true(allows(b, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(allows(b, "1.2.3.4"));
	acl_free(a);
	acl_free(b);
}

static void an_empty_list_allows_nobody(void **state)
{
	struct acl *a = acl_new(NULL, 0);
	struct ip none = {.family = 0};

	(void)state;
	assert_false(allows(a, "127.0.0.1"));
	assert_false(allows(a, "::1"));
	assert_false(acl_allows(a, &none));
	assert_false(allows(NULL, "127.0.0.1"));
	acl_free(a);
	acl_free(NULL);
}

/* Overlapping prefixes of all lengths, one after another: merged or not, the same answers. */
static void merging_changes_no_answer(void **state)
{
	struct rand_source *r = rand_new_seeded(9);

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct ip_prefix p[12];
		struct acl *a;

		for (int i = 0; i < 12; i++) {
			bool is_v4 = i % 2;
			unsigned bits = is_v4 ? 32 : 128;

			p[i] = (struct ip_prefix){.ip.family = is_v4 ? AF_INET : AF_INET6,
				.len = (uint8_t)rand_below(r, bits + 1)};
			for (unsigned k = 0; k < bits / 8; k++)
				p[i].ip.bytes[k] = (uint8_t)(rand_below(r, 2) * 255);
			for (unsigned k = p[i].len; k < bits; k++)
				p[i].ip.bytes[k / 8] &= (uint8_t) ~(0x80 >> k % 8);
		}
		a = acl_new(p, 12);
		for (int i = 0; i < 200; i++) {
			struct ip ip = {.family = i % 2 ? AF_INET : AF_INET6};
			bool want = false;

			for (unsigned k = 0; k < (i % 2 ? 4 : 16); k++)
				ip.bytes[k] = (uint8_t)(rand_below(r, 3) ? rand_below(r, 2) * 255
									 : rand_below(r, 256));
			for (int k = 0; k < 12; k++)
				want |= ip_prefix_has(&p[k], &ip);
			assert_int_equal(acl_allows(a, &ip), want);
		}
		acl_free(a);
	}
	rand_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_inside_a_prefix_may_ask),
		cmocka_unit_test(the_families_do_not_mix),
		cmocka_unit_test(an_empty_list_allows_nobody),
		cmocka_unit_test(merging_changes_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
