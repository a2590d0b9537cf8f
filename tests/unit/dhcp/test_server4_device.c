/* SPDX-License-Identifier: Apache-2.0 */
/* Devices with addresses and names of their own, and classes. */
#include "fake_lan.h"

#define NAS IP4(10, 77, 0, 10)

struct house {
	struct fake_lan lan; /* first: fixtures hand it on */
	struct dhcp_device devices[3];
	struct dhcp_mac macs[4];
	struct dhcp_class classes[2];
	struct dhcp_range range;
};

static int setup(void **state)
{
	struct house *h = xcalloc(1, sizeof(*h));

	fake_conf(&h->lan);
	for (unsigned i = 0; i < 4; i++)
		memcpy(h->macs[i].bytes, fake_client(0x100 + i).mac, 6);
	h->devices[0] =
		(struct dhcp_device){.name = "nas", .macs = h->macs, .n_macs = 2, .address = NAS};
	h->devices[1] = (struct dhcp_device){.macs = h->macs + 2,
		.n_macs = 1,
		.address = FAKE_POOL_LO, /* inside the pool */
		.lease_s = 600};
	h->devices[2] =
		(struct dhcp_device){.name = "tv", .client_id = {(const uint8_t *)"\x01tv-id", 6}};
	h->lan.lans[0].devices = h->devices;
	h->lan.lans[0].n_devices = 3;
	*state = h;
	return 0;
}

static void a_device_gets_its_address_and_name(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(0x100);

	fake_start(f);
	c.name = "whatever";
	assert_int_equal(NAS, fake_lease(f, &c));
	assert_string_equal("nas", fake_name_of(f, NAS));
	assert_string_equal("nas", fake_stored(f, NAS)->hostname);
}

static void a_devices_address_is_never_given_to_others(void **state)
{
	struct fake_lan *f = *state;
	unsigned n = 0;

	fake_start(f);
	for (unsigned i = 0; i < 30; i++) {
		struct fake_client c = fake_client(i);
		struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);

		fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, FAKE_POOL_LO);
		fake_send(f, &c, &p);
		if (fake_type(f) != DHCP_OFFER)
			continue;
		assert_int_not_equal(FAKE_POOL_LO, fake_yiaddr(f));
		n++;
	}
	assert_int_equal(19, n);
	fake_reboot(f, &(struct fake_client){.mac = {2, 1}, .xid = 9}, FAKE_POOL_LO);
	assert_int_equal(DHCP_NAK, fake_type(f));
}

static void a_device_moves_between_its_cards(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client wire = fake_client(0x100), air = fake_client(0x101);

	fake_start(f);
	assert_int_equal(NAS, fake_lease(f, &wire));
	assert_int_equal(NAS, fake_lease(f, &air));
	assert_int_equal(NAS, fake_address_of(f, "nas"));
	assert_memory_equal(air.mac, fake_stored(f, NAS)->hw, 6);
	/* The card that lost it is told when it comes back. */
	fake_renew(f, &wire, NAS);
	assert_int_equal(DHCP_ACK, fake_type(f)); /* it is the same device again */
}

static void a_device_is_known_by_its_identifier_with_or_without_type(void **state)
{
	struct fake_lan *f = *state;
	struct house *h = *state;
	struct fake_client c = fake_client(1);

	fake_start(f);
	c.id = "\x01tv-id";
	assert_string_equal("tv", (fake_lease(f, &c), fake_name_of(f, fake_yiaddr(f))));
	h->devices[2].client_id = (struct dhcp_bytes){(const uint8_t *)"tv-id", 5};
	server4_configure(f->s, &f->conf, f->now);
	fake_lease(f, &c);
	assert_string_equal("tv", fake_name_of(f, fake_yiaddr(f)));
}

static void a_device_may_have_its_own_lease_time(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(0x102);

	fake_start(f);
	assert_int_equal(FAKE_POOL_LO, fake_lease(f, &c));
	assert_int_equal(600, fake_u32(f, DHCP_OPT_LEASE));
}

static void a_new_reservation_takes_hold_at_the_next_question(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(0x100);
	uint32_t addr;

	f->lans[0].n_devices = 0;
	fake_start(f);
	addr = fake_lease(f, &c);
	assert_in_range(addr, FAKE_POOL_LO, FAKE_POOL_HI);
	f->lans[0].n_devices = 3;
	server4_configure(f->s, &f->conf, f->now);
	fake_reboot(f, &c, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_equal(NAS, fake_lease(f, &c));
	assert_int_equal(LEASE_RELEASED, fake_state(f, addr));
}

static void a_reservation_held_by_another_waits_for_it(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client other = fake_client(1), device = fake_client(0x102);
	uint32_t addr;

	f->lans[0].n_devices = 0;
	fake_start(f);
	fake_reboot(f, &other, FAKE_POOL_LO);
	assert_int_equal(DHCP_ACK, fake_type(f));
	f->lans[0].n_devices = 3;
	server4_configure(f->s, &f->conf, f->now);
	addr = fake_lease(f, &device); /* something meanwhile */
	assert_int_not_equal(0, addr);
	assert_int_not_equal(FAKE_POOL_LO, addr);
	fake_renew(f, &other, FAKE_POOL_LO); /* it is sent away */
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_not_equal(0, fake_lease(f, &other));
	fake_rebind(f, &device, addr); /* and the device fetched */
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_equal(FAKE_POOL_LO, fake_lease(f, &device));
}

static void a_devices_declined_address_rests_shortly(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(0x100);

	fake_start(f);
	fake_lease(f, &c);
	fake_decline(f, &c, NAS);
	assert_in_range(fake_lease(f, &c), FAKE_POOL_LO, FAKE_POOL_HI);
	fake_pass(f, DHCP_QUARANTINE_DEVICE_S * 1000 + 2000);
	assert_int_equal(NAS, fake_lease(f, &c));
}

static void classes_choose_pool_lease_and_options(void **state)
{
	struct fake_lan *f = *state;
	struct house *h = *state;
	static const char *const vendors[] = {"Cisco", "udhcp"};
	static const uint8_t ntp[] = {10, 77, 0, 3};
	static const struct dhcp_option options[] = {
		{.code = DHCP_OPT_NTP, .force = true, .len = 4, .data = ntp},
		{.code = DHCP_OPT_ROUTER, .len = 0}};
	struct fake_client phone = fake_client(1), plain = fake_client(2);
	struct fake_pkt p;

	h->range = (struct dhcp_range){IP4(10, 77, 0, 200), IP4(10, 77, 0, 202)};
	h->classes[0] = (struct dhcp_class){.name = "phones",
		.vendors = vendors,
		.n_vendors = 2,
		.pools = &h->range,
		.n_pools = 1,
		.lease_s = 300,
		.options = options,
		.n_options = 2};
	f->conf.classes = h->classes;
	f->conf.n_classes = 1;
	fake_start(f);
	p = fake_begin(&phone, DHCP_DISCOVER);
	fake_opt(&p, DHCP_OPT_VENDOR_CLASS, "udhcp 1.35.0", 12);
	fake_send(f, &phone, &p);
	assert_in_range(fake_yiaddr(f), IP4(10, 77, 0, 200), IP4(10, 77, 0, 202));
	assert_int_equal(300, fake_u32(f, DHCP_OPT_LEASE));
	assert_int_equal(IP4(10, 77, 0, 3), fake_u32(f, DHCP_OPT_NTP));
	assert_false(fake_has(f, DHCP_OPT_ROUTER));
	fake_discover(f, &plain);
	assert_in_range(fake_yiaddr(f), FAKE_POOL_LO, FAKE_POOL_HI);
	assert_false(fake_has(f, DHCP_OPT_NTP));
	fake_reboot(f, &plain, IP4(10, 77, 0, 201)); /* not a phone */
	assert_int_equal(DHCP_NAK, fake_type(f));
}

static void a_class_can_be_ignored(void **state)
{
	struct fake_lan *f = *state;
	struct house *h = *state;
	struct fake_client random = {.mac = {0x02, 1, 2, 3, 4, 5}, .xid = 4};
	struct fake_client real = fake_client(2);

	h->classes[0] = (struct dhcp_class){
		.name = "random", .has_local_mac = true, .local_mac = true, .ignore = true};
	f->lans[0].classes = h->classes;
	f->lans[0].n_classes = 1;
	fake_start(f);
	assert_int_equal(SERVER4_DROP, fake_discover(f, &random));
	assert_int_equal(1, fake_counters(f).drop_ignored);
	assert_int_equal(SERVER4_SEND, fake_discover(f, &real));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_gets_its_address_and_name),
		TEST(a_devices_address_is_never_given_to_others),
		TEST(a_device_moves_between_its_cards),
		TEST(a_device_is_known_by_its_identifier_with_or_without_type),
		TEST(a_device_may_have_its_own_lease_time),
		TEST(a_new_reservation_takes_hold_at_the_next_question),
		TEST(a_reservation_held_by_another_waits_for_it),
		TEST(a_devices_declined_address_rests_shortly),
		TEST(classes_choose_pool_lease_and_options),
		TEST(a_class_can_be_ignored),
	};

	return FAKE_RUN(tests);
}
