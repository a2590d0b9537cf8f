/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/devices.h"

struct seen {
	unsigned n_good, n_bad, bad_line;
	struct devices_line last;
	char why[128];
};

static void on_device(void *arg, const struct devices_line *d)
{
	struct seen *s = arg;

	s->n_good++;
	s->last = *d;
}

static void on_bad(void *arg, unsigned line, const char *why)
{
	struct seen *s = arg;

	s->n_bad++;
	s->bad_line = line;
	strncpy(s->why, why, sizeof(s->why) - 1);
}

static struct seen parse(const char *text)
{
	struct seen s = {0};

	devices_parse(text, strlen(text), on_device, on_bad, &s);
	return s;
}

static void a_line_is_a_device(void **state)
{
	struct seen s = parse("00:11:22:33:44:55 192.168.1.10 NAS disk quiet # the big one\n");

	(void)state;
	assert_int_equal(s.n_good, 1);
	assert_int_equal(s.n_bad, 0);
	assert_memory_equal(s.last.mac, "\x00\x11\x22\x33\x44\x55", 6);
	assert_int_equal(ip_to4(&s.last.ip), 0xc0a8010a);
	assert_string_equal(s.last.name, "nas");
	assert_int_equal(s.last.n_tags, 2);
	assert_string_equal(s.last.tags[1], "quiet");
}

static void comments_and_empty_lines_are_nothing(void **state)
{
	struct seen s = parse("\n# nothing\n   \t\n#\n");

	(void)state;
	assert_int_equal(s.n_good + s.n_bad, 0);
}

static void a_bad_line_is_told_with_its_number_and_the_rest_counts(void **state)
{
	struct seen s = parse("00:11:22:33:44:55 192.168.1.10 nas\n"
			      "gibberish 192.168.1.11 tv\n"
			      "00:11:22:33:44:66 192.168.1.12 tv");

	(void)state;
	assert_int_equal(s.n_good, 2);
	assert_int_equal(s.n_bad, 1);
	assert_int_equal(s.bad_line, 2);
}

static void a_dash_takes_an_address_from_the_pool(void **state)
{
	struct seen s = parse("00:11:22:33:44:55 - tv\n");

	(void)state;
	assert_int_equal(s.n_good, 1);
	assert_int_equal(s.last.ip.family, 0);
}

static void a_client_identifier_is_hex_of_another_length_or_said_to_be_one(void **state)
{
	struct seen a = parse("01:00:11:22:33:44:55 10.0.0.1 a\n");
	struct seen b = parse("id:001122334455 10.0.0.1 b\n");

	(void)state;
	assert_int_equal(a.last.id_len, 7);
	assert_int_equal(b.last.id_len, 6);
}

static void names_that_are_no_host_names_are_refused(void **state)
{
	static const char *const names[] = {"-a", "a-", "a.b", "a_b", "",
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char line[200];
		struct seen s;

		snprintf(line, sizeof(line), "00:11:22:33:44:55 10.0.0.1 %s\n", names[i]);
		s = parse(line);
		assert_int_equal(s.n_good, 0);
		assert_int_equal(s.n_bad, 1);
	}
}

static void too_many_tags_are_refused(void **state)
{
	struct seen s = parse("00:11:22:33:44:55 10.0.0.1 a 1 2 3 4 5 6 7 8 9\n");

	(void)state;
	assert_int_equal(s.n_bad, 1);
}

static void a_missing_end_of_line_is_no_trouble(void **state)
{
	(void)state;
	assert_int_equal(parse("00:11:22:33:44:55 10.0.0.1 a").n_good, 1);
	assert_int_equal(parse("00:11:22:33:44:55").n_bad, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_device),
		cmocka_unit_test(comments_and_empty_lines_are_nothing),
		cmocka_unit_test(a_bad_line_is_told_with_its_number_and_the_rest_counts),
		cmocka_unit_test(a_dash_takes_an_address_from_the_pool),
		cmocka_unit_test(a_client_identifier_is_hex_of_another_length_or_said_to_be_one),
		cmocka_unit_test(names_that_are_no_host_names_are_refused),
		cmocka_unit_test(too_many_tags_are_refused),
		cmocka_unit_test(a_missing_end_of_line_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
