/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/zonefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns/dns_const.h"
#include "dns/root_anchors.h"
#include "dns/root_hints.h"

/* What the callback saw, as text. */
struct seen {
	char text[2000];
	unsigned n;
	int stop_at; /* record that ends the reading with ERR_EXISTS */
};

static int note(void *arg, unsigned line, const struct rrtext_rr *rr)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);

	snprintf(s->text + at, sizeof(s->text) - at, "%u: ", line);
	at = strlen(s->text);
	rrtext_format(rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, rr->rdlen, s->text + at,
		sizeof(s->text) - at - 1);
	strcat(s->text, "\n");
	return (int)++s->n == s->stop_at ? ERR_EXISTS : 0;
}

static int parse(const char *text, struct seen *s, struct zonefile_error *e)
{
	static const uint8_t example[] = "\7example";

	*s = (struct seen){.stop_at = s->stop_at};
	*e = (struct zonefile_error){.line = 99};
	return zonefile_parse(text, strlen(text), example, 3600, note, s, e);
}

static void records_come_with_their_lines(void **state)
{
	struct seen s = {0};
	struct zonefile_error e;

	(void)state;
	assert_int_equal(parse("; a comment\n"
			       "@ IN NS ns\n"
			       "\n"
			       "$TTL 60\n"
			       "ns A 192.0.2.1\n"
			       "   AAAA 2001:db8::1\n"
			       "$ORIGIN sub.example.\n"
			       "mx 5 IN MX ( 10\n"
			       "  mail )\n"
			       "last TXT \"no line end\"",
				 &s, &e),
		0);
	assert_string_equal(s.text, "2: example. 3600 IN NS ns.example.\n"
				    "5: ns.example. 60 IN A 192.0.2.1\n"
				    "6: ns.example. 60 IN AAAA 2001:db8::1\n"
				    "9: mx.sub.example. 5 IN MX 10 mail.sub.example.\n"
				    "10: last.sub.example. 60 IN TXT \"no line end\"\n");
}

static void a_bad_line_is_named_and_ends_the_reading(void **state)
{
	struct seen s = {0};
	struct zonefile_error e;

	(void)state;
	assert_int_equal(parse("a A 1.2.3.4\nb A 1.2.3\nc A 1.2.3.4\n", &s, &e), ERR_MALFORMED);
	assert_int_equal(s.n, 1);
	assert_int_equal(e.line, 2);
	assert_true(strlen(e.why) > 0);
	assert_int_equal(parse("\n\nnonsense\n", &s, &e), ERR_MALFORMED);
	assert_int_equal(e.line, 3);
}

static void includes_are_refused(void **state)
{
	struct seen s = {0};
	struct zonefile_error e;

	(void)state;
	assert_int_equal(parse("$INCLUDE /etc/passwd\n", &s, &e), ERR_MALFORMED);
	assert_int_equal(e.line, 1);
	assert_int_equal(s.n, 0);
}

static void the_callback_can_end_the_reading(void **state)
{
	struct seen s = {.stop_at = 2};
	struct zonefile_error e;

	(void)state;
	assert_int_equal(parse("a A 1.1.1.1\nb A 1.1.1.1\nc A 1.1.1.1\n", &s, &e), ERR_EXISTS);
	assert_int_equal(s.n, 2);
	assert_int_equal(e.line, 2);
}

static void empty_and_odd_files_are_survived(void **state)
{
	struct seen s = {0};
	struct zonefile_error e;

	(void)state;
	assert_int_equal(parse("", &s, &e), 0);
	assert_int_equal(parse("\n\n; x", &s, &e), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(zonefile_parse("a\0b", 3, NULL, 0, note, &s, &e), ERR_MALFORMED);
	assert_int_equal(zonefile_parse("", ZONEFILE_MAX + 1, NULL, 0, note, &s, &e), ERR_LIMIT);
	assert_int_equal(zonefile_read("/nonexistent/file", NULL, 0, note, &s, &e), ERR_ABSENT);
	assert_int_equal(e.line, 0);
}

static void files_of_the_distribution_are_what_is_built_in(void **state)
{
	struct seen s = {0};
	struct zonefile_error e;

	(void)state;
	if (access("/usr/share/dns/root.ds", R_OK) != 0)
		skip();
	assert_int_equal(zonefile_read("/usr/share/dns/root.ds", NULL, 0, note, &s, &e), 0);
	for (size_t i = 0; i < ROOT_ANCHORS_COUNT; i++) {
		char text[200];

		rrtext_format_rdata(
			DNS_TYPE_DS, root_anchors_ds(i), ROOT_ANCHORS_LEN, text, sizeof(text));
		assert_non_null(strstr(s.text, text));
	}
	s = (struct seen){0};
	assert_int_equal(zonefile_read("/usr/share/dns/root.key", NULL, 0, note, &s, &e), 0);
	assert_int_equal(s.n, 2);
	s = (struct seen){0};
	assert_int_equal(zonefile_read("/usr/share/dns/root.hints", NULL, 0, note, &s, &e), 0);
	assert_int_equal(s.n, 39);
}

static void hints_are_thirteen_names_with_both_addresses(void **state)
{
	struct root_hint a = root_hints_get(0), m = root_hints_get(ROOT_HINTS_COUNT - 1);
	char text[DNAME_TEXT_MAX];

	(void)state;
	assert_string_equal(dname_format(a.name, text), "a.root-servers.net.");
	assert_string_equal(dname_format(m.name, text), "m.root-servers.net.");
	assert_string_equal(ip_format(&a.ip4, text), "198.41.0.4");
	assert_string_equal(ip_format(&m.ip6, text), "2001:dc3::35");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_with_their_lines),
		cmocka_unit_test(a_bad_line_is_named_and_ends_the_reading),
		cmocka_unit_test(includes_are_refused),
		cmocka_unit_test(the_callback_can_end_the_reading),
		cmocka_unit_test(empty_and_odd_files_are_survived),
		cmocka_unit_test(files_of_the_distribution_are_what_is_built_in),
		cmocka_unit_test(hints_are_thirteen_names_with_both_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
