/* SPDX-License-Identifier: Apache-2.0 */
/* The DHCPv4 server under a fake LAN: the exchanges of RFC 2131, their states and refusals. */
#include "fake_lan.h"

static void discover_gets_an_offer_from_the_pool(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	assert_int_equal(SERVER4_SEND, fake_discover(f, &c));
	assert_int_equal(DHCP_OFFER, fake_type(f));
	assert_in_range(fake_yiaddr(f), FAKE_POOL_LO, FAKE_POOL_HI);
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_SERVER_ID));
	assert_int_equal(3600, fake_u32(f, DHCP_OPT_LEASE));
	assert_int_equal(1800, fake_u32(f, DHCP_OPT_T1));
	assert_int_equal(3150, fake_u32(f, DHCP_OPT_T2));
	assert_int_equal(0xffffff00, fake_u32(f, DHCP_OPT_MASK));
	assert_int_equal(IP4(10, 77, 0, 254), fake_u32(f, DHCP_OPT_ROUTER));
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_DNS));
	assert_int_equal(IP4(10, 77, 0, 255), fake_u32(f, DHCP_OPT_BROADCAST));
	assert_string_equal("lab.test", fake_text(f, DHCP_OPT_DOMAIN));
	assert_int_equal(0, f->n_disk); /* offers are memory only */
}

static void an_offer_goes_to_the_link_address_unless_broadcast_is_asked(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	fake_discover(f, &c);
	assert_int_equal(SERVER4_TO_LINK, f->out.path);
	assert_memory_equal(c.mac, f->out.mac, 6);
	assert_int_equal(fake_yiaddr(f), f->out.ip);
	assert_int_equal(68, f->out.port);
	assert_int_equal(FAKE_IF, f->out.ifindex);
	assert_int_equal(FAKE_SERVER, f->out.source);
	c.flags = DHCP_FLAG_BROADCAST;
	fake_discover(f, &c);
	assert_int_equal(SERVER4_TO_BROADCAST, f->out.path);
}

static void an_ack_waits_for_the_commit(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p;
	uint32_t addr;
	struct server4_stage *st;

	c.name = "alpha";
	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	p = fake_selecting(&c, addr);
	assert_int_equal(SERVER4_STAGE, fake_offer_in(f, &c, &p, 0));
	st = f->out.stage;
	assert_int_equal(0, fake_state(f, addr));
	assert_string_equal("", fake_name_of(f, addr));
	fake_commit(f, st);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
	assert_string_equal("alpha", fake_name_of(f, addr));
	assert_int_equal(addr, fake_address_of(f, "alpha"));
	assert_string_equal("alpha", fake_stored(f, addr)->hostname);
	assert_string_equal("br0", fake_stored(f, addr)->lan);
	assert_int_equal(f->now.wall_s + 3600, fake_stored(f, addr)->expires_s);
}

static void a_failed_commit_sends_nothing_and_the_next_try_works(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	f->commit_err = ERR_FULL;
	assert_int_equal(SERVER4_DROP, fake_select(f, &c, addr));
	assert_true(f->was_staged);
	assert_int_equal(0, fake_state(f, addr));
	assert_int_equal(1, fake_counters(f).commit_failed);
	f->commit_err = 0;
	fake_select(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(addr, fake_yiaddr(f));
}

static void a_failed_renewal_keeps_the_old_lease(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);
	struct lease_record rec;

	fake_pass(f, 1800000);
	f->commit_err = ERR_IO;
	assert_int_equal(SERVER4_DROP, fake_renew(f, &c, addr));
	assert_int_equal(0, server4_lease(f->s, addr, f->now, &rec));
	assert_int_equal(LEASE_BOUND, rec.state);
	assert_int_equal(fake_stored(f, addr)->expires_s, rec.expires_s);
}

static void a_repeated_request_does_not_commit_twice(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p, again;
	struct server4_stage *st;

	fake_discover(f, &c);
	p = fake_selecting(&c, fake_yiaddr(f));
	again = p;
	assert_int_equal(SERVER4_STAGE, fake_offer_in(f, &c, &p, 0));
	st = f->out.stage;
	p = again;
	assert_int_equal(SERVER4_DROP, fake_offer_in(f, &c, &p, 0));
	assert_int_equal(1, fake_counters(f).drop_pending);
	fake_commit(f, st);
	assert_int_equal(DHCP_ACK, fake_type(f));
	/* The ACK was lost: the same question again is answered from memory. */
	f->now.mono_ms += 4000;
	p = again;
	assert_int_equal(SERVER4_SEND, fake_offer_in(f, &c, &p, 0));
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(3596, fake_u32(f, DHCP_OPT_LEASE));
	assert_int_equal(1, fake_counters(f).repeat);
}

static void a_repetition_near_the_end_is_written(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	f->lans[0].lease_s = DHCP_REPEAT_MS / 1000;
	server4_configure(f->s, &f->conf, f->now);
	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	fake_select(f, &c, addr);
	f->now.mono_ms += 5000;
	fake_select(f, &c, addr);
	assert_true(f->was_staged);
	assert_int_equal(DHCP_REPEAT_MS / 1000, fake_u32(f, DHCP_OPT_LEASE));
}

static void a_renewal_is_acked_to_the_client_and_lasts_longer(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);

	fake_pass(f, 1800000);
	fake_renew(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_true(f->was_staged);
	assert_int_equal(SERVER4_TO_IP, f->out.path);
	assert_int_equal(addr, f->out.ip);
	assert_int_equal(68, f->out.port);
	assert_int_equal(f->now.wall_s + 3600, fake_stored(f, addr)->expires_s);
	fake_pass(f, 3500000);
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
}

static void a_rebinding_is_acked(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);

	fake_pass(f, 3200000);
	fake_rebind(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(addr, f->out.ip);
}

static void a_reboot_confirms_the_address(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);

	fake_reboot(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(addr, fake_yiaddr(f));
	assert_int_equal(SERVER4_TO_LINK, f->out.path);
}

static void a_reboot_with_a_foreign_address_is_refused(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	fake_reboot(f, &c, IP4(192, 168, 9, 9));
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_equal(SERVER4_TO_BROADCAST, f->out.path);
	assert_false(fake_has(f, DHCP_OPT_LEASE));
	assert_false(fake_has(f, DHCP_OPT_ROUTER));
	assert_true(fake_has(f, DHCP_OPT_MESSAGE));
	assert_int_equal(0, fake_yiaddr(f));
}

static void an_unknown_client_is_not_answered_without_authority(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	f->lans[0].authoritative = false;
	server4_configure(f->s, &f->conf, f->now);
	assert_int_equal(SERVER4_DROP, fake_reboot(f, &c, IP4(192, 168, 9, 9)));
	assert_int_equal(SERVER4_DROP, fake_reboot(f, &c, FAKE_POOL_LO + 3));
	assert_int_equal(SERVER4_DROP, fake_renew(f, &c, FAKE_POOL_LO + 3));
	assert_int_equal(3, fake_counters(f).drop_unknown);
}

static void with_authority_a_free_address_of_a_lost_lease_is_adopted(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	fake_renew(f, &c, FAKE_POOL_LO + 7);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(FAKE_POOL_LO + 7, fake_yiaddr(f));
}

static void anothers_address_is_refused_in_every_state(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr = fake_lease(f, &a);

	fake_select(f, &b, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	fake_reboot(f, &b, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	fake_renew(f, &b, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	fake_rebind(f, &b, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_equal(SERVER4_TO_BROADCAST, f->out.path);
}

static void addresses_outside_the_pool_are_refused(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	fake_select(f, &c, IP4(10, 77, 0, 20));
	assert_int_equal(DHCP_NAK, fake_type(f));
	fake_reboot(f, &c, FAKE_SERVER);
	assert_int_equal(DHCP_NAK, fake_type(f));
	fake_reboot(f, &c, IP4(10, 77, 0, 254));
	assert_int_equal(DHCP_NAK, fake_type(f));
}

static void choosing_another_server_frees_the_offer(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p;

	fake_discover(f, &c);
	assert_int_equal(1, server4_stats(f->s).n_offers);
	p = fake_begin(&c, DHCP_REQUEST);
	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, fake_yiaddr(f));
	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, IP4(10, 77, 0, 9));
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
	assert_int_equal(0, server4_stats(f->s).n_offers);
	assert_int_equal(20, server4_lan_stats(f->s, 0).n_free);
}

static void a_client_gets_its_address_again(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr = fake_lease(f, &a);

	fake_lease(f, &b);
	assert_int_equal(addr, fake_lease(f, &a)); /* while bound */
	fake_release(f, &a, addr);
	fake_lease(f, &(struct fake_client){.mac = {2, 0, 0, 0, 0, 9}, .xid = 5});
	assert_int_equal(addr, fake_lease(f, &a)); /* after its release */
	fake_pass(f, 4000000);
	assert_int_equal(LEASE_EXPIRED, fake_state(f, addr));
	assert_int_equal(addr, fake_lease(f, &a)); /* after its end */
}

static void the_requested_address_is_given_when_free(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	struct fake_pkt p = fake_begin(&a, DHCP_DISCOVER);

	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, FAKE_POOL_LO + 11);
	fake_send(f, &a, &p);
	assert_int_equal(FAKE_POOL_LO + 11, fake_yiaddr(f));
	p = fake_begin(&b, DHCP_DISCOVER);
	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, FAKE_POOL_LO + 11);
	fake_send(f, &b, &p);
	assert_int_not_equal(FAKE_POOL_LO + 11, fake_yiaddr(f));
	p = fake_begin(&b, DHCP_DISCOVER);
	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, IP4(10, 77, 0, 5));
	fake_send(f, &b, &p);
	assert_in_range(fake_yiaddr(f), FAKE_POOL_LO, FAKE_POOL_HI);
}

static void a_released_lease_is_gone_at_once(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p;
	uint32_t addr;

	c.name = "alpha";
	addr = fake_lease(f, &c);
	p = fake_begin(&c, DHCP_RELEASE);
	fake_ciaddr(&p, addr);
	assert_int_equal(SERVER4_STAGE, fake_offer_in(f, &c, &p, addr));
	assert_string_equal("", fake_name_of(f, addr)); /* before the disk knows */
	assert_int_equal(0, fake_address_of(f, "alpha"));
	fake_commit(f, f->out.stage);
	assert_int_equal(SERVER4_DROP, f->verdict);
	assert_int_equal(LEASE_RELEASED, fake_stored(f, addr)->state);
	assert_int_equal(LEASE_RELEASED, fake_state(f, addr));
}

static void a_release_that_could_not_be_written_is_written_later(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);

	f->commit_err = ERR_IO;
	fake_release(f, &c, addr);
	assert_int_equal(LEASE_BOUND, fake_stored(f, addr)->state);
	fake_pass(f, 15000);
	f->commit_err = 0;
	fake_pass(f, 15000);
	assert_int_equal(LEASE_RELEASED, fake_stored(f, addr)->state);
}

static void a_foreign_release_is_ignored(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr = fake_lease(f, &a);

	assert_int_equal(SERVER4_DROP, fake_release(f, &b, addr));
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
	assert_int_equal(1, fake_counters(f).drop_not_holder);
}

static void a_release_beside_a_staged_renewal_is_ignored(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);
	struct fake_pkt p = fake_begin(&c, DHCP_REQUEST);
	struct server4_stage *st;

	fake_ciaddr(&p, addr);
	assert_int_equal(SERVER4_STAGE, fake_offer_in(f, &c, &p, addr));
	st = f->out.stage;
	assert_int_equal(SERVER4_DROP, fake_release(f, &c, addr));
	assert_false(f->was_staged);
	fake_commit(f, st);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
	assert_int_equal(LEASE_BOUND, fake_stored(f, addr)->state);
}

static void a_declined_address_rests(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1);
	uint32_t addr = fake_lease(f, &a), next;

	assert_int_equal(SERVER4_DROP, fake_decline(f, &a, addr));
	assert_int_equal(LEASE_DECLINED, fake_state(f, addr));
	assert_int_equal(LEASE_DECLINED, fake_stored(f, addr)->state);
	next = fake_lease(f, &a);
	assert_int_not_equal(0, next);
	assert_int_not_equal(addr, next);
	fake_restart(f);
	assert_int_equal(LEASE_DECLINED, fake_state(f, addr));
	fake_pass(f, (int64_t)DHCP_QUARANTINE_S * 1000 + 2000);
	assert_int_equal(0, fake_state(f, addr));
}

static void only_the_holder_declines_and_not_without_end(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr = fake_lease(f, &a);

	assert_int_equal(SERVER4_DROP, fake_decline(f, &b, addr));
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
	for (int i = 0; i < DHCP_DECLINES_PER_HOUR; i++) {
		fake_decline(f, &a, addr);
		assert_int_equal(LEASE_DECLINED, fake_state(f, addr));
		addr = fake_lease(f, &a);
	}
	fake_decline(f, &a, addr);
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
	assert_int_equal(1, fake_counters(f).drop_decline_limit);
	fake_pass(f, 3601000);
	addr = fake_lease(f, &a);
	fake_decline(f, &a, addr);
	assert_int_equal(LEASE_DECLINED, fake_state(f, addr));
}

static void inform_gets_options_without_an_address(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_INFORM);

	fake_ciaddr(&p, IP4(10, 77, 0, 33));
	fake_send_from(f, &c, &p, IP4(10, 77, 0, 33));
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(0, fake_yiaddr(f));
	assert_false(fake_has(f, DHCP_OPT_LEASE));
	assert_false(fake_has(f, DHCP_OPT_T1));
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_DNS));
	assert_int_equal(SERVER4_TO_IP, f->out.path);
	assert_int_equal(IP4(10, 77, 0, 33), f->out.ip);
	p = fake_begin(&c, DHCP_INFORM); /* no aiming at others */
	fake_ciaddr(&p, IP4(8, 8, 8, 8));
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
}

static void rapid_commit_needs_two_messages(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);

	fake_opt(&p, DHCP_OPT_RAPID_COMMIT, "", 0);
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_true(f->was_staged);
	assert_true(fake_has(f, DHCP_OPT_RAPID_COMMIT));
	assert_int_equal(LEASE_BOUND, fake_state(f, fake_yiaddr(f)));
	f->lans[0].rapid_commit = false;
	server4_configure(f->s, &f->conf, f->now);
	p = fake_begin(&c, DHCP_DISCOVER);
	fake_opt(&p, DHCP_OPT_RAPID_COMMIT, "", 0);
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_OFFER, fake_type(f));
}

static void the_lease_time_asked_for_is_bounded(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	static const uint32_t asked[] = {60, 120, 7200, 86400, 1000000, 0xffffffff};
	static const uint32_t given[] = {120, 120, 7200, 86400, 86400, 86400};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);

		fake_opt_ip(&p, DHCP_OPT_LEASE, asked[i]);
		fake_send(f, &c, &p);
		assert_int_equal(given[i], fake_u32(f, DHCP_OPT_LEASE));
	}
}

static void an_endless_lease_is_one(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	f->lans[0].lease_s = DHCP_LEASE_FOREVER;
	server4_configure(f->s, &f->conf, f->now);
	addr = fake_lease(f, &c);
	assert_int_equal(DHCP_LEASE_FOREVER, fake_u32(f, DHCP_OPT_LEASE));
	assert_false(fake_has(f, DHCP_OPT_T1));
	assert_true(fake_stored(f, addr)->expires_s == LEASE_FOREVER);
	fake_restart(f);
	f->now.mono_ms += INT64_C(40) * 365 * 86400 * 1000;
	f->now.wall_s += INT64_C(40) * 365 * 86400;
	while (server4_on_timer(f->s, f->now, &f->out) != SERVER4_IDLE)
		;
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
}

static void leases_survive_a_restart_with_their_names(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	c.name = "alpha";
	addr = fake_lease(f, &c);
	fake_restart(f);
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
	assert_int_equal(addr, fake_address_of(f, "alpha"));
	fake_renew(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
}

static void a_request_for_an_offer_of_before_a_restart_is_granted(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	fake_restart(f);
	fake_select(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
}

static void plain_bootp_and_servers_messages_are_dropped(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, 0);

	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
	assert_int_equal(1, fake_counters(f).drop_bootp);
	p = fake_begin(&c, DHCP_OFFER);
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
	p = fake_begin(&c, DHCP_DISCOVER);
	p.bytes[0] = DHCP_BOOTREPLY;
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
	assert_int_equal(2, fake_counters(f).drop_type);
	p = fake_begin(&c, DHCP_DISCOVER);
	p.bytes[3] = DHCP_HOPS_MAX + 1;
	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
	assert_int_equal(1, fake_counters(f).drop_hops);
}

static void a_client_without_any_identity_is_dropped(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = {.xid = 3};
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);

	assert_int_equal(SERVER4_DROP, fake_send(f, &c, &p));
	p = fake_begin(&c, DHCP_DISCOVER);
	p.bytes[2] = 0; /* no hardware address, but an identifier: RFC 4390 */
	fake_opt(&p, DHCP_OPT_CLIENT_ID,
		"\xff"
		"abcdefgh",
		9);
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_OFFER, fake_type(f));
	assert_int_equal(SERVER4_TO_BROADCAST, f->out.path);
}

static void what_waited_two_seconds_is_not_answered(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	struct server4_arrival in = fake_arrival(f, &c, 0);
	uint32_t addr;

	f->now.mono_ms += DHCP_REPLY_MS + 1;
	assert_int_equal(SERVER4_DROP, server4_answer(f->s, p.bytes, p.len, &in, f->now, &f->out));
	assert_int_equal(1, fake_counters(f).drop_late);
	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	p = fake_selecting(&c, addr);
	fake_offer_in(f, &c, &p, 0);
	f->now.mono_ms += DHCP_REPLY_MS + 1; /* a slow disk */
	fake_commit(f, f->out.stage);
	assert_int_equal(SERVER4_DROP, f->verdict);
	assert_int_equal(LEASE_BOUND, fake_state(f, addr)); /* what is written holds */
}

static void the_client_identifier_is_the_identity_and_is_echoed(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2), c = fake_client(1);
	uint32_t addr;

	a.id = b.id = "\xff"
		      "one-machine";
	addr = fake_lease(f, &a);
	assert_int_equal(addr, fake_lease(f, &b)); /* another card of it */
	assert_string_equal(a.id, fake_text(f, DHCP_OPT_CLIENT_ID));
	assert_int_not_equal(addr, fake_lease(f, &c)); /* the same card, other identity */
	assert_false(fake_has(f, DHCP_OPT_CLIENT_ID));
}

static void an_identifier_that_repeats_the_mac_is_the_mac(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(0x010203), b = fake_client(0x010203);
	char id[8] = {1, 0x00, 0x16, 0x3e, 1, 2, 3};
	struct fake_pkt p;
	uint32_t addr = fake_lease(f, &a);

	p = fake_begin(&b, DHCP_DISCOVER);
	fake_opt(&p, DHCP_OPT_CLIENT_ID, id, 7);
	fake_send(f, &b, &p);
	assert_int_equal(addr, fake_yiaddr(f));
}

static void an_interface_without_a_lan_is_not_served(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	c.ifindex = 99;
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c));
	assert_int_equal(1, fake_counters(f).drop_lan);
}

static void addresses_that_are_taken_in_a_pool_are_nobodys(void **state)
{
	struct fake_lan *f = *state;
	static const uint32_t taken[] = {
		IP4(10, 77, 0, 0), FAKE_SERVER, IP4(10, 77, 0, 254), IP4(10, 77, 0, 255)};
	struct fake_client c = fake_client(1);

	f->pool = (struct dhcp_range){IP4(10, 77, 0, 0), IP4(10, 77, 0, 255)};
	server4_configure(f->s, &f->conf, f->now);
	assert_int_equal(252, server4_lan_stats(f->s, 0).n_pool);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		fake_select(f, &c, taken[i]);
		assert_int_equal(DHCP_NAK, fake_type(f));
		fake_reboot(f, &c, taken[i]);
		assert_int_equal(DHCP_NAK, fake_type(f));
	}
	assert_int_equal(IP4(10, 77, 0, 2), fake_lease(f, &c));
}

static void a_broadcast_from_the_wrong_network_is_refused(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	c.giaddr = FAKE_FAR_GW;
	addr = fake_lease(f, &c);
	c.giaddr = 0; /* carried over to br0, it still has its far address */
	fake_rebind(f, &c, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	assert_int_equal(SERVER4_TO_BROADCAST, f->out.path);
}

static void an_offer_stands_over_a_reload(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr;

	fake_discover(f, &a);
	addr = fake_yiaddr(f);
	server4_configure(f->s, &f->conf, f->now);
	fake_discover(f, &b);
	assert_int_not_equal(addr, fake_yiaddr(f));
	fake_select(f, &a, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
}

static void a_lease_in_its_last_second_survives_a_restart(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);

	f->now.mono_ms += 3600000 - 1;
	f->now.wall_s += 3600; /* its fraction is unknown */
	fake_restart(f);
	f->now.mono_ms += 900;
	while (server4_on_timer(f->s, f->now, &f->out) != SERVER4_IDLE)
		;
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(discover_gets_an_offer_from_the_pool),
		FAKE_TEST(an_offer_goes_to_the_link_address_unless_broadcast_is_asked),
		FAKE_TEST(an_ack_waits_for_the_commit),
		FAKE_TEST(a_failed_commit_sends_nothing_and_the_next_try_works),
		FAKE_TEST(a_failed_renewal_keeps_the_old_lease),
		FAKE_TEST(a_repeated_request_does_not_commit_twice),
		FAKE_TEST(a_repetition_near_the_end_is_written),
		FAKE_TEST(a_renewal_is_acked_to_the_client_and_lasts_longer),
		FAKE_TEST(a_rebinding_is_acked),
		FAKE_TEST(a_reboot_confirms_the_address),
		FAKE_TEST(a_reboot_with_a_foreign_address_is_refused),
		FAKE_TEST(an_unknown_client_is_not_answered_without_authority),
		FAKE_TEST(with_authority_a_free_address_of_a_lost_lease_is_adopted),
		FAKE_TEST(anothers_address_is_refused_in_every_state),
		FAKE_TEST(addresses_outside_the_pool_are_refused),
		FAKE_TEST(choosing_another_server_frees_the_offer),
		FAKE_TEST(a_client_gets_its_address_again),
		FAKE_TEST(the_requested_address_is_given_when_free),
		FAKE_TEST(a_released_lease_is_gone_at_once),
		FAKE_TEST(a_release_that_could_not_be_written_is_written_later),
		FAKE_TEST(a_foreign_release_is_ignored),
		FAKE_TEST(a_release_beside_a_staged_renewal_is_ignored),
		FAKE_TEST(a_declined_address_rests),
		FAKE_TEST(only_the_holder_declines_and_not_without_end),
		FAKE_TEST(inform_gets_options_without_an_address),
		FAKE_TEST(rapid_commit_needs_two_messages),
		FAKE_TEST(the_lease_time_asked_for_is_bounded),
		FAKE_TEST(an_endless_lease_is_one),
		FAKE_TEST(leases_survive_a_restart_with_their_names),
		FAKE_TEST(a_request_for_an_offer_of_before_a_restart_is_granted),
		FAKE_TEST(plain_bootp_and_servers_messages_are_dropped),
		FAKE_TEST(a_client_without_any_identity_is_dropped),
		FAKE_TEST(what_waited_two_seconds_is_not_answered),
		FAKE_TEST(the_client_identifier_is_the_identity_and_is_echoed),
		FAKE_TEST(an_identifier_that_repeats_the_mac_is_the_mac),
		FAKE_TEST(an_interface_without_a_lan_is_not_served),
		FAKE_TEST(addresses_that_are_taken_in_a_pool_are_nobodys),
		FAKE_TEST(a_broadcast_from_the_wrong_network_is_refused),
		FAKE_TEST(an_offer_stands_over_a_reload),
		FAKE_TEST(a_lease_in_its_last_second_survives_a_restart),
	};

	return FAKE_RUN(tests);
}
