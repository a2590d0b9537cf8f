/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/reserve.h"

#include "fake_lan.h"

static const struct hash_key KEY = {5, 6};

static void collect(uint32_t addr, void *arg)
{
	*(uint32_t *)arg ^= addr;
}

static void devices_are_found_by_what_they_have(void **state)
{
	struct dhcp_mac macs[3] = {
		{{1, 1, 1, 1, 1, 1}}, {{2, 2, 2, 2, 2, 2}}, {{3, 3, 3, 3, 3, 3}}};
	struct dhcp_device own[] = {
		{.name = "a", .macs = macs, .n_macs = 2, .address = 10},
		{.name = "b", .client_id = {(const uint8_t *)"\0bee", 4}, .address = 11},
	};
	struct dhcp_device all[] = {
		{.name = "g", .macs = macs + 1, .n_macs = 2},
		{.name = "dup", .macs = macs + 1, .n_macs = 2},
	};
	struct dhcp_lan lans[2] = {{.name = "x", .devices = own, .n_devices = 2}, {.name = "y"}};
	struct dhcp_conf conf = {.lans = lans, .n_lans = 2, .devices = all, .n_devices = 2};
	struct reserve *r = reserve_new(&conf, &KEY);
	struct client4 c = client4_of(1, macs[0].bytes, 6, NULL, 0);
	uint32_t seen = 0;

	(void)state;
	assert_ptr_equal(&own[0], reserve_find(r, &lans[0], &c));
	assert_null(reserve_find(r, &lans[1], &c)); /* another lan's */
	c = client4_of(1, macs[1].bytes, 6, NULL, 0);
	assert_ptr_equal(&own[0], reserve_find(r, &lans[0], &c)); /* the lan's own first */
	assert_ptr_equal(&all[0], reserve_find(r, &lans[1], &c)); /* then the first of equals */
	c = client4_of(1, macs[2].bytes, 6, (const uint8_t *)"\0bee", 4);
	assert_ptr_equal(&own[1], reserve_find(r, &lans[0], &c)); /* identifier before MAC */
	assert_ptr_equal(&all[0], reserve_find(r, &lans[1], &c));
	assert_ptr_equal(&own[0], reserve_of_address(r, 10));
	assert_null(reserve_of_address(r, 12));
	reserve_each_address(r, collect, &seen);
	assert_int_equal(10 ^ 11, seen);
	reserve_free(r);
}

static void without_devices_nobody_is_one(void **state)
{
	struct dhcp_conf conf = {0};
	struct reserve *r = reserve_new(&conf, &KEY);
	struct client4 c = client4_of(1, fake_client(1).mac, 6, NULL, 0);

	(void)state;
	assert_null(reserve_find(r, NULL, &c));
	assert_null(reserve_of_address(r, 1));
	reserve_free(r);
	reserve_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_found_by_what_they_have),
		cmocka_unit_test(without_devices_nobody_is_one),
	};

	return FAKE_RUN(tests);
}
