/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dname.h"
#include "resolver/qmin.h"
#include "resolver/resolver_limits.h"

#define TEST(name) static void name(void **state __attribute__((unused)))

static uint8_t name[DNAME_MAX];

static void set(const char *text)
{
	size_t len;

	assert_int_equal(0, dname_read(text, name, &len));
}

static const char *next(struct qmin *m)
{
	static char text[DNAME_TEXT_MAX];

	return dname_format(qmin_next(m, name), text);
}

TEST(one_label_at_a_time_below_the_cut)
{
	struct qmin m = {0};

	set("a.b.example.com");
	assert_string_equal("com.", next(&m));
	qmin_rebase(&m, 1);
	assert_string_equal("example.com.", next(&m));
	assert_string_equal("b.example.com.", next(&m));
	assert_string_equal("a.b.example.com.", next(&m));
	assert_string_equal("a.b.example.com.", next(&m));
}

TEST(a_long_name_takes_ten_steps)
{
	struct qmin m = {0};
	unsigned n = 0, last = 0;

	set("1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.ip6.arpa");
	while (m.labels < 34) {
		qmin_next(&m, name);
		n++;
		assert_true(m.labels > last);
		if (n <= RESOLVER_QMIN_SINGLE)
			assert_int_equal(last + 1, m.labels);
		last = m.labels;
	}
	assert_int_equal(RESOLVER_QMIN_STEPS, n);
}

TEST(the_longest_name_takes_ten_steps_too)
{
	struct qmin m = {0};
	unsigned n = 0;
	size_t at = 0;

	for (int i = 0; i < 127; i++) {
		name[at++] = 1;
		name[at++] = 'a';
	}
	name[at] = 0;
	while (m.labels < 127) {
		qmin_next(&m, name);
		n++;
	}
	assert_int_equal(RESOLVER_QMIN_STEPS, n);
}

TEST(labels_with_an_underscore_are_never_alone)
{
	struct qmin m = {.labels = 2};

	set("_25._tcp.mail.example.com");
	assert_string_equal("mail.example.com.", next(&m));
	assert_string_equal("_25._tcp.mail.example.com.", next(&m));
	m = (struct qmin){.labels = 2};
	set("x._domainkey.example.com");
	assert_string_equal("x._domainkey.example.com.", next(&m));
}

TEST(turned_off_it_gives_the_whole_name)
{
	struct qmin m = {.is_off = true};

	set("a.b.example.com");
	assert_string_equal("a.b.example.com.", next(&m));
}

TEST(the_root_is_whole)
{
	struct qmin m = {0};

	set(".");
	assert_string_equal(".", next(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_label_at_a_time_below_the_cut),
		cmocka_unit_test(a_long_name_takes_ten_steps),
		cmocka_unit_test(the_longest_name_takes_ten_steps_too),
		cmocka_unit_test(labels_with_an_underscore_are_never_alone),
		cmocka_unit_test(turned_off_it_gives_the_whole_name),
		cmocka_unit_test(the_root_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
