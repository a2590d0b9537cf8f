/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"

static void nothing_is_still_memory(void **state)
{
	void *p = xalloc(0), *q = xrealloc(NULL, 0);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	xfree(p);
	xfree(q);
	xfree(NULL);
}

static void zeroed_and_copied(void **state)
{
	uint8_t *z = xcalloc(3, 5), zero[15] = {0};
	char *d = xmemdup("abc", 4), *s = xstrdup("hello"), *n = xstrndup("hello", 3);
	char *m = xstrndup("hi", 10), *f = xasprintf("%s-%d", "x", 42);

	(void)state;
	assert_memory_equal(z, zero, 15);
	assert_string_equal(d, "abc");
	assert_string_equal(s, "hello");
	assert_string_equal(n, "hel");
	assert_string_equal(m, "hi");
	assert_string_equal(f, "x-42");
	xfree(z);
	xfree(d);
	xfree(s);
	xfree(n);
	xfree(m);
	xfree(f);
}

static void strndup_never_reads_past_its_length(void **state)
{
	char *raw = xalloc(3), *s; /* no NUL inside: ASan would see a longer read */

	(void)state;
	memcpy(raw, "abc", 3);
	s = xstrndup(raw, 3);
	assert_string_equal(s, "abc");
	xfree(s);
	xfree(raw);
}

/* Runs in a child, where the allocator reports failure rather than stopping by itself. */
static void overflow_aborts(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		xfree(xcalloc(SIZE_MAX / 2, 16));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* Under a sanitizer its own report ends the child. */
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_still_memory),
		cmocka_unit_test(zeroed_and_copied),
		cmocka_unit_test(strndup_never_reads_past_its_length),
		cmocka_unit_test(overflow_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
