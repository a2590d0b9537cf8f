/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What every test over the simulated Internet begins with: cmocka, a small world, shorthands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rcu.h"
#include "dns/dns_const.h"
#include "resolver/resolver_limits.h"
#include "unit/resolver/fake_net.h"

#define ROOT "198.41.0.4"
#define TLD  "192.5.6.30"
#define AUTH "192.0.2.53"

#define TEST(name) static void name(void **state __attribute__((unused)))

/* Root, com, org and example.com with a few names. */
static inline struct fake_net *small_world(void)
{
	struct fake_net *n = fake_new(1);

	fake_root(n, ROOT,
		"com. NS a.gtld.com.\n"
		"org. NS a.gtld.com.\n"
		"a.gtld.com. A " TLD "\n");
	fake_zone(n, TLD, "org.",
		"other NS ns.other\n"
		"ns.other A 192.0.2.99\n");
	fake_zone(n, TLD, "com.",
		"example NS ns1.example\n"
		"ns1.example A " AUTH "\n"
		"a.gtld A " TLD "\n");
	fake_zone(n, "192.0.2.99", "other.org.",
		"@ NS ns\n"
		"ns A 192.0.2.99\n"
		"www A 203.0.113.99\n"
		"to-example CNAME www.example.com.\n");
	fake_zone(n, AUTH, "example.com.",
		"@ NS ns1\n"
		"ns1 A " AUTH "\n"
		"www 300 A 203.0.113.1\n"
		"www 300 A 203.0.113.2\n"
		"alias 300 CNAME www\n"
		"out 300 CNAME www.other.org.\n"
		"a.b.c.d TXT \"deep\"\n"
		"*.wild TXT \"any\"\n"
		"zone 300 DNAME other.org.\n");
	return n;
}

static inline void assert_has(const struct fake_answer *a, const char *line)
{
	if (!a->is_there || !strstr(a->text, line))
		fail_msg(
			"no \"%s\" in rcode %d \"%s\"", line, a->is_there ? a->rcode : -1, a->text);
}

static inline void assert_rcode(const struct fake_answer *a, unsigned rcode)
{
	assert_true(a->is_there);
	assert_int_equal(rcode, a->rcode);
}

static inline int test_enter(void **state)
{
	(void)state;
	rcu_thread_register();
	return 0;
}

static inline int test_leave(void **state)
{
	(void)state;
	rcu_thread_unregister();
	return 0;
}

#define RUN_TESTS(tests) cmocka_run_group_tests(tests, test_enter, test_leave)
