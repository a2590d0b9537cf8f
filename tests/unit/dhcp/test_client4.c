/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/client4.h"

#include "fake_lan.h"

static const uint8_t MAC[6] = {0x00, 0x16, 0x3e, 1, 2, 3};
static const uint8_t MAC_ID[7] = {1, 0x00, 0x16, 0x3e, 1, 2, 3};
static const struct hash_key KEY = {1, 2};

static void the_identifier_counts_before_the_address(void **state)
{
	struct client4 a = client4_of(1, MAC, 6, (const uint8_t *)"\xffone", 4);
	struct client4 b =
		client4_of(1, (const uint8_t *)"abcdef", 6, (const uint8_t *)"\xffone", 4);
	struct client4 c = client4_of(1, MAC, 6, (const uint8_t *)"\xfftwo", 4);

	(void)state;
	assert_true(client4_equal(&a, &b));
	assert_true(client4_hash(&KEY, &a) == client4_hash(&KEY, &b));
	assert_false(client4_equal(&a, &c));
}

static void an_identifier_that_repeats_the_address_is_none(void **state)
{
	struct client4 plain = client4_of(1, MAC, 6, NULL, 0);
	struct client4 same = client4_of(1, MAC, 6, MAC_ID, 7);
	struct client4 other_type = client4_of(6, MAC, 6, MAC_ID, 7);
	struct client4 shorter = client4_of(1, MAC, 6, MAC_ID, 6);

	(void)state;
	assert_true(client4_equal(&plain, &same));
	assert_true(client4_hash(&KEY, &plain) == client4_hash(&KEY, &same));
	assert_int_equal(7, same.id_len); /* kept, for echo and record */
	assert_false(client4_equal(&plain, &other_type));
	assert_false(client4_equal(&plain, &shorter));
}

static void hardware_types_and_lengths_tell_apart(void **state)
{
	struct client4 a = client4_of(1, MAC, 6, NULL, 0), b = client4_of(6, MAC, 6, NULL, 0);
	struct client4 c = client4_of(1, MAC, 5, NULL, 0);

	(void)state;
	assert_false(client4_equal(&a, &b));
	assert_false(client4_equal(&a, &c));
	assert_true(client4_hash(&KEY, &a) != client4_hash(&KEY, &b));
}

static void nobody_is_one_without_either(void **state)
{
	static const uint8_t zero[16];
	struct client4 a = client4_of(1, zero, 6, NULL, 0), b = client4_of(1, zero, 0, NULL, 0);
	struct client4 c = client4_of(32, zero, 0, (const uint8_t *)"\xffx", 2);

	(void)state;
	assert_true(client4_is_nobody(&a));
	assert_true(client4_is_nobody(&b));
	assert_false(client4_is_nobody(&c));
}

static void made_up_addresses_are_seen(void **state)
{
	static const uint8_t firsts[] = {0x00, 0x02, 0x06, 0xfe, 0x03, 0x01};
	static const bool want[] = {false, true, true, true, false, false};

	(void)state;
	for (size_t i = 0; i < sizeof(firsts); i++) {
		uint8_t mac[6] = {firsts[i], 1, 2, 3, 4, 5};
		struct client4 c = client4_of(1, mac, 6, NULL, 0);

		assert_int_equal(want[i], client4_is_random(&c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_identifier_counts_before_the_address),
		cmocka_unit_test(an_identifier_that_repeats_the_address_is_none),
		cmocka_unit_test(hardware_types_and_lengths_tell_apart),
		cmocka_unit_test(nobody_is_one_without_either),
		cmocka_unit_test(made_up_addresses_are_seen),
	};

	return FAKE_RUN(tests);
}
