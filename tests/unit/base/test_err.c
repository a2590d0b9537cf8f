/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void every_code_has_its_own_text(void **state)
{
	static const int codes[] = {
#define X(name, value, text) name,
		ERR_LIST(X)
#undef X
	};
	size_t n = sizeof(codes) / sizeof(codes[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_true(codes[i] < 0);
		assert_string_not_equal(err_text(codes[i]), err_text(-10000));
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(codes[i], codes[j]);
	}
	assert_string_equal(err_text(0), "no error");
	assert_string_equal(err_text(12345), "unknown error");
}

static void errno_becomes_the_nearest_code(void **state)
{
	(void)state;
	assert_int_equal(err_from_errno(0), 0);
	assert_int_equal(err_from_errno(EACCES), ERR_DENIED);
	assert_int_equal(err_from_errno(ENOENT), ERR_ABSENT);
	assert_int_equal(err_from_errno(ENOSPC), ERR_FULL);
	assert_int_equal(err_from_errno(EADDRINUSE), ERR_BUSY);
	assert_int_equal(err_from_errno(EMFILE), ERR_LIMIT);
	assert_int_equal(err_from_errno(EAGAIN), ERR_AGAIN);
	assert_int_equal(err_from_errno(EHOSTUNREACH), ERR_UNREACHABLE);
	assert_int_equal(err_from_errno(EIO), ERR_IO);
	assert_int_equal(err_from_errno(99999), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_its_own_text),
		cmocka_unit_test(errno_becomes_the_nearest_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
