/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

/* SipHash-1-3 of the bytes 0, 1, 2 ... under the key 00 01 .. 0f, as published with the standard
 * libraries that use it; the index is the length. */
static const uint8_t PUBLISHED[][8] = {
	{0xdc, 0xc4, 0x0f, 0x05, 0x58, 0x01, 0xac, 0xab},
	{0x93, 0xca, 0x57, 0x7d, 0xf3, 0x9b, 0xf4, 0xc9},
	{0x4d, 0xd4, 0xc7, 0x4d, 0x02, 0x9b, 0xcb, 0x82},
	{0xfb, 0xf7, 0xdd, 0xe7, 0xb8, 0x0a, 0xf8, 0x8b},
	{0x28, 0x83, 0xd3, 0x88, 0x60, 0x57, 0x75, 0xcf},
	{0x67, 0x3b, 0x53, 0x49, 0x2f, 0xd5, 0xf9, 0xde},
	{0xa7, 0x22, 0x9f, 0xc5, 0x50, 0x2b, 0x0d, 0xc5},
	{0x40, 0x11, 0xb1, 0x9b, 0x98, 0x7d, 0x92, 0xd3},
	{0x8e, 0x9a, 0x29, 0x8d, 0x11, 0x95, 0x90, 0x36},
	{0xe4, 0x3d, 0x06, 0x6c, 0xb3, 0x8e, 0xa4, 0x25},
	{0x7f, 0x09, 0xff, 0x92, 0xee, 0x85, 0xde, 0x79},
	{0x52, 0xc3, 0x4d, 0xf9, 0xc1, 0x18, 0xc1, 0x70},
	{0xa2, 0xd9, 0xb4, 0x57, 0xb1, 0x84, 0xa3, 0x78},
	{0xa7, 0xff, 0x29, 0x12, 0x0c, 0x76, 0x6f, 0x30},
	{0x34, 0x5d, 0xf9, 0xc0, 0x11, 0xa1, 0x5a, 0x60},
	{0x56, 0x99, 0x51, 0x2a, 0x6d, 0xd8, 0x20, 0xd3},
	{0x66, 0x8b, 0x90, 0x7d, 0x1a, 0xdd, 0x4f, 0xcc},
};
/* The last of that list, 63 bytes. */
static const uint8_t PUBLISHED_63[8] = {0xa8, 0xb3, 0xbb, 0xb7, 0x62, 0x90, 0x19, 0x9d};

static const struct hash_key KEY = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static uint64_t number(const uint8_t le[8])
{
	uint64_t n;

	memcpy(&n, le, 8);
	return le64toh(n);
}

/* Each input in an allocation of its exact size, so that a sanitizer sees one byte too many. */
static uint64_t hash_first(size_t len)
{
	uint8_t *data = xalloc(len);
	uint64_t h;

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)i;
	h = hash_bytes(&KEY, data, len);
	xfree(data);
	return h;
}

static void it_agrees_with_the_published_vectors(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(PUBLISHED) / 8; len++)
		assert_true(hash_first(len) == number(PUBLISHED[len]));
	assert_true(hash_first(63) == number(PUBLISHED_63));
	assert_true(hash_bytes(&KEY, NULL, 0) == number(PUBLISHED[0]));
}

/* Under the all-zero key, another published list. */
static void it_agrees_under_another_key(void **state)
{
	static const uint8_t data[2] = {0, 1};
	struct hash_key zero = {0, 0};

	(void)state;
	assert_true(hash_bytes(&zero, data, 0) == 0xd1fba762150c532cu);
	assert_true(hash_bytes(&zero, data, 1) == 0x68a914128e01e473u);
}

static void alignment_does_not_matter(void **state)
{
	uint8_t mem[64];

	(void)state;
	for (size_t shift = 0; shift < 9; shift++) {
		for (size_t i = 0; i < 30; i++)
			mem[shift + i] = (uint8_t)i;
		assert_true(hash_bytes(&KEY, mem + shift, 30) == hash_first(30));
	}
}

static void random_keys_differ(void **state)
{
	struct hash_key a = hash_key_random(), b = hash_key_random();

	(void)state;
	assert_true(a.k0 != b.k0 && a.k1 != b.k1 && a.k0 != a.k1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_the_published_vectors),
		cmocka_unit_test(it_agrees_under_another_key),
		cmocka_unit_test(alignment_does_not_matter),
		cmocka_unit_test(random_keys_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
