/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boot/bootpolicy.h"

static bool allowed(const struct boot_conf *conf, const char *text)
{
	struct ip ip;

	assert_int_equal(ip_read(text, &ip), 0);
	return bootpolicy_allows(conf, &ip);
}

static void only_the_prefixes_given_may_fetch(void **state)
{
	struct ip_prefix clients[2];
	struct boot_conf conf = {.clients = clients, .n_clients = 1};

	(void)state;
	assert_int_equal(ip_prefix_read("192.168.1.0/24", &clients[0]), 0);
	assert_int_equal(ip_prefix_read("fd77::/64", &clients[1]), 0);
	assert_true(allowed(&conf, "192.168.1.77"));
	assert_true(allowed(&conf, "::ffff:192.168.1.77"));
	assert_false(allowed(&conf, "192.168.2.1"));
	assert_false(allowed(&conf, "::ffff:192.168.2.1"));
	assert_false(allowed(&conf, "fd77::1"));
	assert_false(allowed(&conf, "fe80::1"));
	conf.n_clients = 2;
	assert_true(allowed(&conf, "fd77::1"));
	assert_true(allowed(&conf, "fe80::1"));
	assert_false(allowed(&conf, "fd77:0:0:1::1"));
	assert_false(allowed(&conf, "2001:db8::1"));
	conf.n_clients = 0;
	assert_false(allowed(&conf, "192.168.1.77"));
	assert_false(allowed(&conf, "127.0.0.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_the_prefixes_given_may_fetch)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
