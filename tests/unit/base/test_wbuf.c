/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rbuf.h"
#include "base/wbuf.h"

static void what_was_written_is_read_back(void **state)
{
	uint8_t mem[32];
	struct wbuf w = wbuf_of(mem, sizeof(mem));
	struct rbuf r;

	(void)state;
	wbuf_u8(&w, 0x101); /* the low byte */
	wbuf_u16(&w, 0xfedc);
	wbuf_u32(&w, 0xfedcba98u);
	wbuf_u64(&w, 0x0123456789abcdefu);
	wbuf_put(&w, "xyz", 3);
	assert_false(w.bad);
	assert_int_equal(w.len, 18);
	r = rbuf_of(mem, w.len);
	assert_int_equal(rbuf_u8(&r), 1);
	assert_int_equal(rbuf_u16(&r), 0xfedc);
	assert_true(rbuf_u32(&r) == 0xfedcba98u);
	assert_true(rbuf_u64(&r) == 0x0123456789abcdefu);
	assert_memory_equal(rbuf_take(&r, 3), "xyz", 3);
}

static void what_does_not_fit_writes_nothing(void **state)
{
	uint8_t mem[4] = {7, 7, 7, 7};
	struct wbuf w = wbuf_of(mem, 3);

	(void)state;
	wbuf_u16(&w, 0x0102);
	wbuf_u16(&w, 0x0304);
	assert_true(w.bad);
	assert_int_equal(w.len, 2);
	assert_int_equal(mem[2], 7);
	wbuf_u8(&w, 9); /* would have fitted */
	assert_int_equal(mem[2], 7);
	assert_null(wbuf_reserve(&w, 0));
}

static void a_huge_length_does_not_wrap(void **state)
{
	uint8_t mem[8];
	struct wbuf w = wbuf_of(mem, sizeof(mem));

	(void)state;
	wbuf_u32(&w, 1);
	assert_null(wbuf_reserve(&w, SIZE_MAX - 1));
	assert_true(w.bad);
}

static void reserved_room_is_filled_in_later(void **state)
{
	uint8_t mem[8], *len;
	struct wbuf w = wbuf_of(mem, sizeof(mem));

	(void)state;
	len = wbuf_reserve(&w, 2);
	wbuf_u32(&w, 0);
	wbuf_set16(len, (unsigned)w.len);
	assert_int_equal(mem[0], 0);
	assert_int_equal(mem[1], 6);
	wbuf_put(&w, NULL, 0);
	assert_false(w.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(what_does_not_fit_writes_nothing),
		cmocka_unit_test(a_huge_length_does_not_wrap),
		cmocka_unit_test(reserved_room_is_filled_in_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
