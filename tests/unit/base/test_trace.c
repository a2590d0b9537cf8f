/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/trace.h"

static void nothing_is_off(void **state)
{
	(void)state;
	trace_add(NULL, "%s", "x");
	assert_string_equal(trace_text(NULL), "");
	trace_free(NULL);
}

static void lines_end_once(void **state)
{
	struct trace *t = trace_new(100);

	(void)state;
	assert_string_equal(trace_text(t), "");
	trace_add(t, "one %d", 1);
	trace_add(t, "two\n");
	trace_add(t, "%s", "");
	assert_string_equal(trace_text(t), "one 1\ntwo\n\n");
	trace_free(t);
}

static void past_the_cap_lines_are_counted(void **state)
{
	struct trace *t = trace_new(20);

	(void)state;
	trace_add(t, "0123456789");
	trace_add(t, "0123456789");
	trace_add(t, "x"); /* would fit, but the text has no holes */
	assert_string_equal(trace_text(t), "0123456789\n... and 2 more lines\n");
	trace_add(t, "y");
	assert_string_equal(trace_text(t), "0123456789\n... and 3 more lines\n");
	trace_free(t);
}

static void a_line_that_just_fits_is_kept(void **state)
{
	struct trace *t = trace_new(12), *u = trace_new(11);

	(void)state;
	trace_add(t, "0123456789"); /* and the newline and the NUL */
	trace_add(u, "0123456789");
	assert_string_equal(trace_text(t), "0123456789\n");
	assert_string_equal(trace_text(u), "... and 1 more lines\n");
	trace_free(t);
	trace_free(u);
}

static void any_cap_holds(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 40; cap++) {
		struct trace *t = trace_new(cap);

		for (int i = 0; i < 5; i++)
			trace_add(t, "line %d", i);
		assert_true(strlen(trace_text(t)) <= cap + 64);
		if (cap > 35)
			assert_string_equal(
				trace_text(t), "line 0\nline 1\nline 2\nline 3\nline 4\n");
		trace_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_off),
		cmocka_unit_test(lines_end_once),
		cmocka_unit_test(past_the_cap_lines_are_counted),
		cmocka_unit_test(a_line_that_just_fits_is_kept),
		cmocka_unit_test(any_cap_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
