/* SPDX-License-Identifier: Apache-2.0 */
/* Which lan a request belongs to, whom of the relays we believe, and what goes back to them. */
#include "fake_lan.h"

static struct fake_client far_client(unsigned n)
{
	struct fake_client c = fake_client(n);

	c.giaddr = FAKE_FAR_GW;
	return c;
}

static void a_listed_relay_gets_its_own_lans_addresses(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = far_client(1);

	fake_discover(f, &c);
	assert_int_equal(DHCP_OFFER, fake_type(f));
	assert_in_range(fake_yiaddr(f), IP4(10, 78, 0, 50), IP4(10, 78, 0, 69));
	assert_int_equal(FAKE_FAR_GW, fake_u32(f, DHCP_OPT_ROUTER));
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_SERVER_ID));
	assert_int_equal(SERVER4_TO_IP, f->out.path);
	assert_int_equal(FAKE_FAR_GW, f->out.ip);
	assert_int_equal(67, f->out.port);
	assert_int_not_equal(0, fake_lease(f, &c));
	assert_string_equal("far", f->disk[0].lan);
}

static void a_giaddr_in_our_own_subnet_is_accepted(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	c.giaddr = IP4(10, 77, 0, 10);
	assert_in_range(fake_lease(f, &c), FAKE_POOL_LO, FAKE_POOL_HI);
	assert_int_equal(IP4(10, 77, 0, 10), f->out.ip);
}

static void strangers_relays_are_dropped(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	c.giaddr = IP4(203, 0, 113, 1);
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c));
	c.giaddr = IP4(10, 78, 0, 2); /* in a lan reached by relays, but not one of them */
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c));
	c.giaddr = FAKE_SERVER; /* ourselves */
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c));
	assert_int_equal(3, fake_counters(f).drop_relay);
}

static void the_relays_source_may_be_the_listed_address(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p;
	struct server4_arrival in;

	c.giaddr = IP4(10, 78, 0, 2);
	p = fake_begin(&c, DHCP_DISCOVER);
	in = fake_arrival(f, &c, 0);
	in.peer = FAKE_RELAY;
	assert_int_equal(SERVER4_SEND, server4_answer(f->s, p.bytes, p.len, &in, f->now, &f->out));
	assert_int_equal(IP4(10, 78, 0, 2), f->out.ip);
}

static void option_82_comes_back_last_and_whole(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = far_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	static const uint8_t info[] = {1, 4, 'e', 't', 'h', '3', 2, 3, 9, 9, 9};
	struct pkt4 r;
	const uint8_t *data;
	size_t len;

	fake_opt(&p, DHCP_OPT_RELAY, info, sizeof(info));
	fake_send(f, &c, &p);
	fake_parse(f, &r);
	data = opt4_get(&r.opts, DHCP_OPT_RELAY, &len);
	assert_int_equal(sizeof(info), len);
	assert_memory_equal(info, data, len);
	assert_int_equal(DHCP_OPT_END, data[len]);
}

static void option_82_of_a_client_is_not_echoed(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	static const uint8_t info[] = {1, 1, 'x', 11, 4, 9, 9, 9, 9};

	fake_opt(&p, DHCP_OPT_RELAY, info, sizeof(info));
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_OFFER, fake_type(f));
	assert_false(fake_has(f, DHCP_OPT_RELAY));
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_SERVER_ID));
}

static void link_selection_moves_the_lan_for_believed_relays(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	static const uint8_t link[] = {5, 4, 10, 78, 0, 0};
	static const uint8_t nowhere[] = {5, 4, 10, 99, 0, 0};
	struct fake_pkt p;

	c.giaddr = IP4(10, 77, 0, 10);
	p = fake_begin(&c, DHCP_DISCOVER);
	fake_opt(&p, DHCP_OPT_RELAY, link, sizeof(link));
	fake_send(f, &c, &p);
	assert_in_range(fake_yiaddr(f), IP4(10, 78, 0, 50), IP4(10, 78, 0, 69));
	assert_int_equal(IP4(10, 77, 0, 10), f->out.ip);
	p = fake_begin(&c, DHCP_DISCOVER);
	fake_opt(&p, DHCP_OPT_RELAY, nowhere, sizeof(nowhere));
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
}

static void subnet_selection_counts_only_through_a_relay(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client near = fake_client(1), relayed = fake_client(2);
	struct fake_pkt p = fake_begin(&near, DHCP_DISCOVER);

	fake_opt_ip(&p, DHCP_OPT_SUBNET_SELECTION, IP4(10, 78, 0, 0));
	fake_send(f, &near, &p);
	assert_in_range(fake_yiaddr(f), FAKE_POOL_LO, FAKE_POOL_HI);
	relayed.giaddr = IP4(10, 77, 0, 10);
	p = fake_begin(&relayed, DHCP_DISCOVER);
	fake_opt_ip(&p, DHCP_OPT_SUBNET_SELECTION, IP4(10, 78, 0, 0));
	fake_send(f, &relayed, &p);
	assert_in_range(fake_yiaddr(f), IP4(10, 78, 0, 50), IP4(10, 78, 0, 69));
}

static void a_relays_server_id_stands_in_ours(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = far_client(1);
	static const uint8_t info[] = {11, 4, 10, 78, 0, 1};
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	uint32_t addr;

	fake_opt(&p, DHCP_OPT_RELAY, info, sizeof(info));
	fake_send(f, &c, &p);
	assert_int_equal(FAKE_FAR_GW, fake_u32(f, DHCP_OPT_SERVER_ID));
	addr = fake_yiaddr(f);
	p = fake_begin(&c, DHCP_REQUEST);
	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, addr);
	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, FAKE_FAR_GW);
	fake_opt(&p, DHCP_OPT_RELAY, info, sizeof(info));
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_ACK, fake_type(f));
}

static void broken_option_82_does_no_harm(void **state)
{
	struct fake_lan *f = *state;
	static const uint8_t bad[][8] = {{1, 9, 'x'}, {5, 200, 1}, {5}, {1, 0}, {5, 3, 1, 2, 3},
		{11, 0}, {0, 0, 0}, {255, 255}};
	static const size_t len[] = {3, 3, 1, 2, 5, 2, 3, 2};

	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		struct fake_client c = far_client(1);
		struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);

		fake_opt(&p, DHCP_OPT_RELAY, bad[i], len[i]);
		fake_send(f, &c, &p);
		assert_int_equal(DHCP_OFFER, fake_type(f));
		assert_true(fake_has(f, DHCP_OPT_RELAY));
	}
}

static void a_long_option_82_is_echoed_in_parts(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = far_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	uint8_t info[255];
	struct pkt4 r;
	size_t len;

	memset(info, 'c', sizeof(info));
	info[0] = 1;
	info[1] = 253;
	fake_opt(&p, DHCP_OPT_RELAY, info, sizeof(info));
	fake_opt(&p, DHCP_OPT_RELAY, info, 40); /* and a second one */
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_OFFER, fake_type(f));
	fake_parse(f, &r);
	assert_non_null(opt4_get(&r.opts, DHCP_OPT_RELAY, &len));
	assert_int_equal(295, len);
}

static void a_nak_through_a_relay_asks_it_to_broadcast(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = far_client(1);
	struct pkt4 r;

	fake_reboot(f, &c, IP4(192, 168, 9, 9));
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_equal(SERVER4_TO_IP, f->out.path);
	assert_int_equal(FAKE_FAR_GW, f->out.ip);
	fake_parse(f, &r);
	assert_true(r.flags & DHCP_FLAG_BROADCAST);
	assert_int_equal(FAKE_FAR_GW, r.giaddr);
}

static void a_renewal_that_was_routed_belongs_to_the_clients_lan(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = far_client(1);
	uint32_t addr = fake_lease(f, &c);

	c.giaddr = 0;
	fake_renew(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(addr, f->out.ip);
	assert_int_equal(FAKE_FAR_GW, fake_u32(f, DHCP_OPT_ROUTER));
	/* Refused, it hears of it where it is. */
	fake_renew(f, &(struct fake_client){.mac = {2}, .xid = 1}, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_equal(SERVER4_TO_IP, f->out.path);
	assert_int_equal(addr, f->out.ip);
}

static void the_relays_source_port_is_answered(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = far_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	static const uint8_t info[] = {19, 0};
	struct server4_arrival in = fake_arrival(f, &c, 0);

	fake_opt(&p, DHCP_OPT_RELAY, info, sizeof(info));
	in.peer_port = 40000;
	server4_answer(f->s, p.bytes, p.len, &in, f->now, &f->out);
	assert_int_equal(40000, f->out.port);
}

static void a_client_that_moves_has_a_lease_in_each_lan_and_one_name(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client near = fake_client(1), far = far_client(1);
	uint32_t a, b;

	near.name = far.name = "laptop";
	a = fake_lease(f, &near);
	b = fake_lease(f, &far);
	assert_int_equal(LEASE_BOUND, fake_state(f, a));
	assert_int_equal(LEASE_BOUND, fake_state(f, b));
	assert_int_equal(b, fake_address_of(f, "laptop"));
	assert_string_equal("", fake_name_of(f, a));
	fake_reboot(f, &near, a);
	assert_int_equal(a, fake_address_of(f, "laptop"));
}

static void lans_on_one_wire_help_each_other_out(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c;
	uint32_t addr = 0;

	f->lans[1].wire = 0;
	fake_start(f);
	for (unsigned i = 0; i < 21; i++) {
		c = fake_client(i);
		addr = fake_lease(f, &c);
		assert_int_not_equal(0, addr);
	}
	assert_in_range(addr, IP4(10, 78, 0, 50), IP4(10, 78, 0, 69));
	assert_int_equal(FAKE_FAR_GW, fake_u32(f, DHCP_OPT_ROUTER));
	fake_reboot(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	fake_renew(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
}

static void one_circuit_cannot_take_every_offer(void **state)
{
	struct fake_lan *f = *state;
	static const uint8_t info[] = {1, 2, 'p', '1'};
	unsigned n = 0;

	f->far_pool.last = IP4(10, 78, 0, 250);
	fake_start(f);
	for (unsigned i = 0; i < 200; i++) {
		struct fake_client c = far_client(i);
		struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);

		fake_opt(&p, DHCP_OPT_RELAY, info, sizeof(info));
		n += fake_send(f, &c, &p) == SERVER4_SEND;
	}
	assert_int_equal(DHCP_OFFERS_PER_CIRCUIT, n);
	assert_int_equal(200 - n, fake_counters(f).drop_circuit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(a_listed_relay_gets_its_own_lans_addresses),
		FAKE_TEST(a_giaddr_in_our_own_subnet_is_accepted),
		FAKE_TEST(strangers_relays_are_dropped),
		FAKE_TEST(the_relays_source_may_be_the_listed_address),
		FAKE_TEST(option_82_comes_back_last_and_whole),
		FAKE_TEST(option_82_of_a_client_is_not_echoed),
		FAKE_TEST(link_selection_moves_the_lan_for_believed_relays),
		FAKE_TEST(subnet_selection_counts_only_through_a_relay),
		FAKE_TEST(a_relays_server_id_stands_in_ours),
		FAKE_TEST(broken_option_82_does_no_harm),
		FAKE_TEST(a_long_option_82_is_echoed_in_parts),
		FAKE_TEST(a_nak_through_a_relay_asks_it_to_broadcast),
		FAKE_TEST(a_renewal_that_was_routed_belongs_to_the_clients_lan),
		FAKE_TEST(the_relays_source_port_is_answered),
		FAKE_TEST(a_client_that_moves_has_a_lease_in_each_lan_and_one_name),
		FAKE_TEST_CONF(lans_on_one_wire_help_each_other_out),
		FAKE_TEST_CONF(one_circuit_cannot_take_every_offer),
	};

	return FAKE_RUN(tests);
}
