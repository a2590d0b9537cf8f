/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/class4.h"

#include "fake_lan.h"

struct asked {
	struct fake_pkt pkt;
	struct pkt4 req;
	struct client4 client;
	struct class4_view view;
};

static struct fake_pkt request(void)
{
	struct fake_client c = fake_client(0x0a0b0c);

	return fake_begin(&c, DHCP_DISCOVER);
}

static const struct class4_view *view(struct asked *a)
{
	assert_int_equal(0, pkt4_parse(&a->req, a->pkt.bytes, a->pkt.len));
	a->client = client4_of(1, a->req.chaddr, 6, NULL, 0);
	a->view.req = &a->req;
	a->view.client = &a->client;
	return &a->view;
}

static void a_class_without_conditions_holds_for_all(void **state)
{
	struct asked a = {.pkt = request()};

	(void)state;
	assert_true(class4_matches(&(struct dhcp_class){.name = "all"}, view(&a)));
}

static void vendor_is_a_prefix(void **state)
{
	static const char *const vendors[] = {"Cisco", "PXE"};
	struct dhcp_class c = {.vendors = vendors, .n_vendors = 2};
	struct asked a = {.pkt = request()};

	(void)state;
	assert_false(class4_matches(&c, view(&a)));
	fake_opt(&a.pkt, DHCP_OPT_VENDOR_CLASS, "PXEClient", 9);
	assert_true(class4_matches(&c, view(&a)));
	a.pkt = request();
	fake_opt(&a.pkt, DHCP_OPT_VENDOR_CLASS, "PX", 2);
	assert_false(class4_matches(&c, view(&a)));
}

static void user_classes_come_bare_or_in_parts(void **state)
{
	(void)state;
	assert_true(class4_is_user_class((const uint8_t *)"iPXE", 4, "iPXE"));
	assert_true(class4_is_user_class((const uint8_t *)"\4iPXE", 5, "iPXE"));
	assert_true(class4_is_user_class((const uint8_t *)"\3abc\4iPXE", 9, "iPXE"));
	assert_false(class4_is_user_class((const uint8_t *)"\3abc\5iPXE", 9, "iPXE"));
	assert_false(class4_is_user_class((const uint8_t *)"iPXE2", 5, "iPXE"));
	assert_false(class4_is_user_class((const uint8_t *)"", 0, "iPXE"));
}

static void architectures_stand_for_the_numbers_of_the_registry(void **state)
{
	(void)state;
	assert_true(class4_is_arch(0, DHCP_ARCH_BIOS));
	assert_true(class4_is_arch(6, DHCP_ARCH_UEFI_IA32));
	assert_true(class4_is_arch(7, DHCP_ARCH_UEFI));
	assert_true(class4_is_arch(9, DHCP_ARCH_UEFI));
	assert_false(class4_is_arch(16, DHCP_ARCH_UEFI));
	assert_true(class4_is_arch(11, DHCP_ARCH_UEFI_ARM64));
	assert_true(class4_is_arch(16, DHCP_ARCH_HTTP));
	assert_true(class4_is_arch(19, DHCP_ARCH_HTTP));
	assert_true(class4_is_arch(27, 27));
	assert_false(class4_is_arch(7, DHCP_ARCH_BIOS));
}

static void all_conditions_must_hold(void **state)
{
	static const char *const vendors[] = {"PXEClient"};
	static const uint32_t archs[] = {DHCP_ARCH_BIOS, 7};
	static const struct dhcp_mac_prefix macs[] = {{{0x00, 0x16, 0x3e}, 3}};
	struct dhcp_class c = {.vendors = vendors,
		.n_vendors = 1,
		.archs = archs,
		.n_archs = 2,
		.macs = macs,
		.n_macs = 1};
	struct asked a = {.pkt = request()};

	(void)state;
	fake_opt(&a.pkt, DHCP_OPT_VENDOR_CLASS, "PXEClient", 9);
	assert_false(class4_matches(&c, view(&a)));
	fake_opt(&a.pkt, DHCP_OPT_ARCH, "\0\6\0\7", 4); /* a list */
	assert_true(class4_matches(&c, view(&a)));
	a.pkt.bytes[28] = 0x11;
	assert_false(class4_matches(&c, view(&a)));
}

static void relay_ids_come_from_believed_relays_only(void **state)
{
	static const uint8_t info[] = {1, 2, 'p', '7', 2, 1, 'r'};
	static const struct dhcp_bytes circuits[] = {{(const uint8_t *)"p7", 2}};
	static const struct dhcp_bytes remotes[] = {{(const uint8_t *)"r", 1}};
	struct dhcp_class c = {.circuit_ids = circuits,
		.n_circuit_ids = 1,
		.remote_ids = remotes,
		.n_remote_ids = 1};
	struct asked a = {.pkt = request()};

	(void)state;
	fake_opt(&a.pkt, DHCP_OPT_RELAY, info, sizeof(info));
	assert_false(class4_matches(&c, view(&a)));
	a.view.relay = info;
	a.view.relay_len = sizeof(info);
	assert_true(class4_matches(&c, view(&a)));
	a.view.relay_len = 4;
	assert_false(class4_matches(&c, view(&a)));
}

static void tags_are_the_devices(void **state)
{
	static const char *const want[] = {"iot", "guest"};
	static const char *const has[] = {"kids", "guest"};
	struct dhcp_device d = {.tags = has, .n_tags = 2};
	struct dhcp_class c = {.tags = want, .n_tags = 2};
	struct asked a = {.pkt = request()};

	(void)state;
	assert_false(class4_matches(&c, view(&a)));
	a.view.device = &d;
	assert_true(class4_matches(&c, view(&a)));
	d.n_tags = 1;
	assert_false(class4_matches(&c, view(&a)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_class_without_conditions_holds_for_all),
		cmocka_unit_test(vendor_is_a_prefix),
		cmocka_unit_test(user_classes_come_bare_or_in_parts),
		cmocka_unit_test(architectures_stand_for_the_numbers_of_the_registry),
		cmocka_unit_test(all_conditions_must_hold),
		cmocka_unit_test(relay_ids_come_from_believed_relays_only),
		cmocka_unit_test(tags_are_the_devices),
	};

	return FAKE_RUN(tests);
}
