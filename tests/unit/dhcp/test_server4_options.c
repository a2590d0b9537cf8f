/* SPDX-License-Identifier: Apache-2.0 */
/* Where options come from, and what no configuration may change. */
#include "fake_lan.h"

static const uint8_t ROUTES[] = {24, 192, 168, 5, 10, 77, 0, 7};
static const uint8_t MTU[] = {5, 120};
static const uint8_t NTP_LAN[] = {10, 77, 0, 3}, NTP_DEVICE[] = {10, 77, 0, 4};

static void the_device_wins_over_the_lan(void **state)
{
	static const struct dhcp_option lan[] = {{.code = DHCP_OPT_NTP, .len = 4, .data = NTP_LAN},
		{.code = DHCP_OPT_MTU, .len = 2, .data = MTU}};
	static const struct dhcp_option own[] = {
		{.code = DHCP_OPT_NTP, .len = 4, .data = NTP_DEVICE}, {.code = DHCP_OPT_DNS}};
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1), other = fake_client(2);
	struct dhcp_mac mac;
	struct dhcp_device d = {.macs = &mac, .n_macs = 1, .options = own, .n_options = 2};

	memcpy(mac.bytes, c.mac, 6);
	f->lans[0].options = lan;
	f->lans[0].n_options = 2;
	f->lans[0].devices = &d;
	f->lans[0].n_devices = 1;
	fake_start(f);
	fake_discover(f, &c);
	assert_int_equal(IP4(10, 77, 0, 4), fake_u32(f, DHCP_OPT_NTP));
	assert_true(fake_has(f, DHCP_OPT_MTU));
	assert_false(fake_has(f, DHCP_OPT_DNS));
	fake_discover(f, &other);
	assert_int_equal(IP4(10, 77, 0, 3), fake_u32(f, DHCP_OPT_NTP));
	assert_true(fake_has(f, DHCP_OPT_DNS));
}

static void facts_of_the_exchange_cannot_be_configured(void **state)
{
	static const uint8_t lie[] = {1, 2, 3, 4};
	static const struct dhcp_option lan[] = {
		{.code = DHCP_OPT_LEASE, .force = true, .len = 4, .data = lie},
		{.code = DHCP_OPT_SERVER_ID, .force = true, .len = 4, .data = lie},
		{.code = DHCP_OPT_TYPE, .force = true, .len = 1, .data = lie},
		{.code = DHCP_OPT_RELAY, .force = true, .len = 4, .data = lie},
		{.code = DHCP_OPT_SERVER_ID}, {.code = DHCP_OPT_LEASE}};
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	f->lans[0].options = lan;
	f->lans[0].n_options = 6;
	fake_start(f);
	fake_discover(f, &c);
	assert_int_equal(DHCP_OFFER, fake_type(f));
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_SERVER_ID));
	assert_int_equal(3600, fake_u32(f, DHCP_OPT_LEASE));
	assert_false(fake_has(f, DHCP_OPT_RELAY));
}

static void routes_are_given_under_both_numbers(void **state)
{
	static const uint8_t old[] = {1, 3, 249}, new[] = {1, 3, 121};
	static const struct dhcp_option lan[] = {
		{.code = DHCP_OPT_ROUTES, .len = sizeof(ROUTES), .data = ROUTES}};
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	f->lans[0].options = lan;
	f->lans[0].n_options = 1;
	fake_start(f);
	c.prl = old;
	c.n_prl = 3;
	fake_discover(f, &c);
	assert_memory_equal(ROUTES, fake_text(f, DHCP_OPT_ROUTES_MS), sizeof(ROUTES));
	assert_false(fake_has(f, DHCP_OPT_ROUTES));
	c.prl = new;
	fake_discover(f, &c);
	assert_memory_equal(ROUTES, fake_text(f, DHCP_OPT_ROUTES), sizeof(ROUTES));
	assert_false(fake_has(f, DHCP_OPT_ROUTES_MS));
}

static void dns_is_what_is_configured_or_where_the_packet_came(void **state)
{
	static const uint32_t dns[] = {IP4(9, 9, 9, 9), IP4(1, 1, 1, 1)};
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	struct server4_arrival in = fake_arrival(f, &c, 0);

	fake_start(f);
	in.local = IP4(10, 77, 0, 3); /* a second address of ours */
	server4_answer(f->s, p.bytes, p.len, &in, f->now, &f->out);
	f->verdict = SERVER4_SEND;
	assert_int_equal(IP4(10, 77, 0, 3), fake_u32(f, DHCP_OPT_DNS));
	f->lans[0].dns = dns;
	f->lans[0].n_dns = 2;
	server4_configure(f->s, &f->conf, f->now);
	fake_discover(f, &c);
	assert_memory_equal("\x09\x09\x09\x09\x01\x01\x01\x01", fake_text(f, DHCP_OPT_DNS), 8);
}

static void small_clients_get_what_fits(void **state)
{
	static uint8_t big[240];
	static const struct dhcp_option lan[] = {
		{.code = 200, .force = true, .len = 240, .data = big},
		{.code = 201, .force = true, .len = 100, .data = big},
		{.code = 202, .force = true, .len = 200, .data = big}};
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p;

	f->lans[0].options = lan;
	f->lans[0].n_options = 3;
	fake_start(f);
	fake_discover(f, &c);
	assert_true(f->out.len <= DHCP_PACKET_DEFAULT);
	assert_true(fake_has(f, 200) && fake_has(f, 201)); /* the second in `file` */
	assert_false(fake_has(f, 202));
	assert_true(fake_has(f, DHCP_OPT_SERVER_ID) && fake_has(f, DHCP_OPT_LEASE));
	assert_true(fake_counters(f).options_cut > 0);
	p = fake_begin(&c, DHCP_DISCOVER);
	fake_opt(&p, DHCP_OPT_MAX_SIZE, "\x05\xdc", 2);
	fake_send(f, &c, &p);
	assert_true(fake_has(f, 202));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST_CONF(the_device_wins_over_the_lan),
		FAKE_TEST_CONF(facts_of_the_exchange_cannot_be_configured),
		FAKE_TEST_CONF(routes_are_given_under_both_numbers),
		FAKE_TEST_CONF(dns_is_what_is_configured_or_where_the_packet_came),
		FAKE_TEST_CONF(small_clients_get_what_fits),
	};

	return FAKE_RUN(tests);
}
