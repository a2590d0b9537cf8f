/* SPDX-License-Identifier: Apache-2.0 */
/* Corners: replies that cannot be written, tables that are full, records out of range, messages to
 * other servers. */
#include "fake_lan.h"

/* A relay whose option 82 leaves no room for an answer. */
static void stuff(struct fake_pkt *p)
{
	uint8_t info[250] = {1, 248};

	for (int i = 0; i < 2; i++)
		fake_opt(p, DHCP_OPT_RELAY, info, sizeof(info));
}

static void a_reply_that_does_not_fit_is_not_begun(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p;
	uint32_t addr;

	c.giaddr = FAKE_FAR_GW;
	c.name = "alpha";
	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	p = fake_begin(&c, DHCP_DISCOVER);
	stuff(&p);
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
	p = fake_selecting(&c, addr);
	stuff(&p);
	assert_int_equal(SERVER4_DROP, fake_offer_in(f, &c, &p, 0));
	assert_int_equal(0, server4_stats(f->s).n_staged);
	fake_select(f, &c, addr); /* nothing is left over */
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(addr, fake_address_of(f, "alpha"));
	p = fake_selecting(&c, addr); /* the same again, repeated */
	stuff(&p);
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
}

static void messages_to_another_server_change_nothing(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);
	struct fake_pkt p = fake_begin(&c, DHCP_RELEASE);

	fake_ciaddr(&p, addr);
	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, IP4(10, 77, 0, 9));
	assert_int_equal(SERVER4_DROP, fake_send_from(f, &c, &p, addr));
	p = fake_begin(&c, DHCP_DECLINE);
	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, FAKE_SERVER);
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p)); /* of what? */
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
	assert_int_equal(1, fake_counters(f).drop_other_server);
	assert_int_equal(1, fake_counters(f).drop_incomplete);
}

static void a_decline_takes_the_clients_own_offer_along(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);

	fake_discover(f, &c); /* offers the same again */
	assert_int_equal(1, server4_stats(f->s).n_offers);
	fake_decline(f, &c, addr);
	assert_int_equal(0, server4_stats(f->s).n_offers);
	fake_select(f, &c, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
}

static void a_name_in_wire_form_is_kept_as_text(void **state)
{
	static const uint8_t wire[] = {
		4, 0, 0, 4, 'h', 'o', 's', 't', 3, 'l', 'a', 'b', 4, 't', 'e', 's', 't', 0};
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p;
	uint32_t addr;

	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	p = fake_selecting(&c, addr);
	fake_opt(&p, DHCP_OPT_FQDN, wire, sizeof(wire));
	fake_send(f, &c, &p);
	assert_int_equal(13, fake_stored(f, addr)->asked_len);
	assert_memory_equal("host.lab.test", fake_stored(f, addr)->asked, 13);
	assert_string_equal("host", fake_name_of(f, addr));
	c.xid++;
	fake_renew(f, &c, addr); /* names none: the text is good enough to go on with */
	assert_string_equal("host", fake_name_of(f, addr));
}

static void the_table_of_offers_makes_room_for_the_young(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c;

	f->lans[0].subnet = IP4(10, 0, 0, 0);
	f->lans[0].prefix_len = 8;
	f->conf.n_lans = 1;
	f->pool = (struct dhcp_range){IP4(10, 80, 0, 0), IP4(10, 90, 0, 0)};
	server4_configure(f->s, &f->conf, f->now);
	for (unsigned i = 0; i < DHCP_OFFERS_MAX; i++) {
		c = fake_client(i);
		assert_int_equal(SERVER4_SEND, fake_discover(f, &c));
	}
	c = fake_client(0xfffff0);
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c)); /* all too young to go */
	assert_int_equal(1, fake_counters(f).drop_busy);
	f->now.mono_ms += DHCP_OFFER_MIN_MS;
	assert_int_equal(SERVER4_SEND, fake_discover(f, &c));
	assert_int_equal(DHCP_OFFERS_MAX, server4_stats(f->s).n_offers);
}

static void a_packet_without_a_local_address_gets_the_lans(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	struct server4_arrival in = fake_arrival(f, &c, 0);

	in.local = DHCP_BROADCAST;
	f->verdict = server4_answer(f->s, p.bytes, p.len, &in, f->now, &f->out);
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_SERVER_ID));
	assert_int_equal(FAKE_SERVER, f->out.source);
	in.ifindex = 99;
	in.local = 0;
	f->conf.n_own = 0;
	server4_configure(f->s, &f->conf, f->now);
	assert_int_equal(SERVER4_DROP, server4_answer(f->s, p.bytes, p.len, &in, f->now, &f->out));
}

static struct lease_record record(uint32_t addr, enum lease_state state, int64_t expires_s)
{
	struct lease_record r = {.ip = ip_from4(addr),
		.prefix_len = 32,
		.state = state,
		.hw_type = 1,
		.hw_len = 6,
		.expires_s = expires_s};

	memcpy(r.hw, fake_client(1).mac, 6);
	return r;
}

static void strange_records_are_loaded_within_bounds(void **state)
{
	struct fake_lan *f = *state;
	struct lease_record r = record(FAKE_POOL_LO, LEASE_BOUND, f->now.wall_s + 60);
	struct lease_record v6 = r, prefix = r;

	assert_int_equal(0, server4_load(f->s, &r, f->now));
	assert_int_equal(LEASE_BOUND, fake_state(f, FAKE_POOL_LO));
	r = record(FAKE_POOL_LO + 1, LEASE_BOUND, -5);
	assert_int_equal(0, server4_load(f->s, &r, f->now));
	assert_int_equal(LEASE_EXPIRED, fake_state(f, FAKE_POOL_LO + 1));
	r.expires_s = INT64_MIN;
	assert_int_equal(ERR_RANGE, server4_load(f->s, &r, f->now));
	r.expires_s = INT64_MAX;
	assert_int_equal(ERR_RANGE, server4_load(f->s, &r, f->now));
	r = record(FAKE_POOL_LO + 1, LEASE_RELEASED, 5);
	r.last_seen_s = INT64_MAX;
	assert_int_equal(ERR_RANGE, server4_load(f->s, &r, f->now));
	r = record(FAKE_POOL_LO + 2, LEASE_DECLINED, f->now.wall_s + 100 * DHCP_QUARANTINE_S);
	assert_int_equal(0, server4_load(f->s, &r, f->now));
	r = record(FAKE_POOL_LO + 3, LEASE_DECLINED, f->now.wall_s - 5);
	assert_int_equal(0, server4_load(f->s, &r, f->now));
	assert_int_equal(0, fake_state(f, FAKE_POOL_LO + 3));
	v6.ip = ip_from6((const uint8_t[16]){0xfd});
	assert_int_equal(ERR_RANGE, server4_load(f->s, &v6, f->now));
	prefix.prefix_len = 24;
	assert_int_equal(ERR_RANGE, server4_load(f->s, &prefix, f->now));
	server4_loaded(f->s, f->now);
	fake_pass(f, (int64_t)DHCP_QUARANTINE_S * 1000 + 5000);
	assert_int_equal(0, fake_state(f, FAKE_POOL_LO + 2));
}

static void two_cards_of_a_device_ask_at_once(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	struct dhcp_mac macs[2];
	struct dhcp_device d = {
		.name = "nas", .macs = macs, .n_macs = 2, .address = IP4(10, 77, 0, 10)};
	struct server4_stage *st;
	struct fake_pkt p;

	memcpy(macs[0].bytes, a.mac, 6);
	memcpy(macs[1].bytes, b.mac, 6);
	f->lans[0].devices = &d;
	f->lans[0].n_devices = 1;
	server4_configure(f->s, &f->conf, f->now);
	fake_discover(f, &a);
	fake_discover(f, &b); /* takes the idle offer over */
	assert_int_equal(d.address, fake_yiaddr(f));
	assert_int_equal(1, server4_stats(f->s).n_offers);
	p = fake_selecting(&b, d.address);
	fake_offer_in(f, &b, &p, 0);
	st = f->out.stage;
	fake_discover(f, &a); /* but not one on its way to the disk */
	assert_int_not_equal(d.address, f->verdict == SERVER4_SEND ? fake_yiaddr(f) : 0);
	fake_commit(f, st);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(d.address, fake_address_of(f, "nas"));
}

static void walks_end_when_told(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct lease_record rec;

	assert_int_equal(ERR_ABSENT, server4_lease(f->s, FAKE_POOL_LO, f->now, &rec));
	fake_lease(f, &c);
	assert_int_equal(1, server4_stats(f->s).n_bound);
	assert_string_equal("br0", server4_lan_stats(f->s, 0).name);
	assert_int_equal(19, server4_lan_stats(f->s, 0).n_free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(a_reply_that_does_not_fit_is_not_begun),
		FAKE_TEST(messages_to_another_server_change_nothing),
		FAKE_TEST(a_decline_takes_the_clients_own_offer_along),
		FAKE_TEST(a_name_in_wire_form_is_kept_as_text),
		FAKE_TEST(the_table_of_offers_makes_room_for_the_young),
		FAKE_TEST(a_packet_without_a_local_address_gets_the_lans),
		FAKE_TEST(strange_records_are_loaded_within_bounds),
		FAKE_TEST(two_cards_of_a_device_ask_at_once),
		FAKE_TEST(walks_end_when_told),
	};

	return FAKE_RUN(tests);
}
