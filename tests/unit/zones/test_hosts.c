/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dname.h"

static char seen[4000];

static void on_name(void *arg, const struct hosts_name *n)
{
	char ip[IP_TEXT_LEN], name[DNAME_TEXT_MAX];
	size_t at = strlen(seen);

	(void)arg;
	snprintf(seen + at, sizeof(seen) - at, "%u %s %s%s%s\n", n->line, ip_format(&n->ip, ip),
		dname_format(n->name, name), n->is_bare ? " bare" : "",
		n->is_canonical ? " first" : "");
}

static void on_bad(void *arg, unsigned line, const char *why)
{
	size_t at = strlen(seen);

	(void)arg;
	snprintf(seen + at, sizeof(seen) - at, "%u bad: %s\n", line, why);
}

static const char *read_text(const char *text, size_t len)
{
	struct hosts_reader to = {.on_name = on_name, .on_bad = on_bad};
	char *exact = malloc(len ? len : 1);

	memcpy(exact, text, len);
	seen[0] = '\0';
	hosts_read(exact, len, &to);
	free(exact);
	return seen;
}

static void names_come_with_line_address_and_rank(void **state)
{
	(void)state;
	assert_string_equal(read_text("# a\n\n192.168.1.1 gw gw.home.arpa #x\r\n::1\tv6.\n", 45),
		"3 192.168.1.1 gw. bare first\n"
		"3 192.168.1.1 gw.home.arpa.\n"
		"4 ::1 v6. first\n");
}

static void a_file_without_a_last_line_end_and_an_empty_one(void **state)
{
	(void)state;
	assert_string_equal(read_text("1.1.1.1 a", 9), "1 1.1.1.1 a. bare first\n");
	assert_string_equal(read_text("", 0), "");
	assert_string_equal(read_text("\n", 1), "");
	assert_string_equal(read_text("\xef\xbb\xbf"
				      "1.1.1.1 a\n",
				    13),
		"1 1.1.1.1 a. bare first\n");
}

static void bad_lines_are_told_one_by_one(void **state)
{
	(void)state;
	assert_string_equal(read_text("1.1.1.1 a\0b\n1.1.1.1 c\n", 22),
		"1 bad: the line holds a NUL octet\n2 1.1.1.1 c. bare first\n");
	assert_string_equal(
		read_text("1.1.1.256 a\n", 12), "1 bad: it does not begin with an address\n");
	assert_string_equal(read_text("1.1.1.1 # x\n", 12), "1 bad: no name follows the address\n");
	assert_string_equal(
		read_text("1.1.1.1 .\n", 10), "1 bad: a name is too long or has an empty part\n");
}

static void long_lines_are_skipped_whole(void **state)
{
	static char text[HOSTS_LINE_MAX + 100];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "1.1.1.1 a", 9);
	text[HOSTS_LINE_MAX] = '\n';
	memcpy(text + HOSTS_LINE_MAX + 1, "2.2.2.2 b", 9);
	assert_string_equal(read_text(text, HOSTS_LINE_MAX + 10),
		"1 1.1.1.1 a. bare first\n2 2.2.2.2 b. bare first\n");
	text[HOSTS_LINE_MAX] = ' ';
	text[HOSTS_LINE_MAX + 1] = '\n';
	assert_string_equal(read_text(text, HOSTS_LINE_MAX + 2), "1 bad: the line is too long\n");
}

static void nobody_has_to_listen_to_what_is_bad(void **state)
{
	struct hosts_reader to = {.on_name = on_name};

	(void)state;
	hosts_read("junk\n", 5, &to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_with_line_address_and_rank),
		cmocka_unit_test(a_file_without_a_last_line_end_and_an_empty_one),
		cmocka_unit_test(bad_lines_are_told_one_by_one),
		cmocka_unit_test(long_lines_are_skipped_whole),
		cmocka_unit_test(nobody_has_to_listen_to_what_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
