/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile or crowded lan can cost: starvation, pools that are full, declines, floods. */
#include "fake_lan.h"

/* Fill the pool of twenty with bound leases. */
static void fill(struct fake_lan *f, unsigned from)
{
	for (unsigned i = 0; i < 20; i++) {
		struct fake_client c = fake_client(from + i);

		assert_int_not_equal(0, fake_lease(f, &c));
	}
}

static void a_full_pool_gives_no_answer(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(100);

	fill(f, 0);
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c));
	assert_int_equal(1, fake_counters(f).drop_no_address);
	assert_int_equal(0, server4_lan_stats(f->s, 0).n_free);
}

static void a_full_pool_reuses_the_lease_that_ended_longest_ago(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(100), d = fake_client(101);
	struct fake_client first = fake_client(5), second = fake_client(3);

	fill(f, 0);
	fake_release(f, &first, FAKE_POOL_LO + 5);
	fake_pass(f, 5000);
	fake_release(f, &second, FAKE_POOL_LO + 3);
	assert_int_equal(FAKE_POOL_LO + 5, fake_lease(f, &c));
	assert_int_equal(FAKE_POOL_LO + 3, fake_lease(f, &d));
	assert_int_equal(2, fake_counters(f).reused);
}

static void the_order_of_ended_leases_survives_a_restart(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(100);
	struct fake_client first = fake_client(5), second = fake_client(3);

	fill(f, 0);
	fake_release(f, &first, FAKE_POOL_LO + 5);
	fake_pass(f, 5000);
	fake_release(f, &second, FAKE_POOL_LO + 3);
	fake_restart(f);
	assert_int_equal(FAKE_POOL_LO + 5, fake_lease(f, &c));
}

static void known_clients_keep_theirs_while_strangers_flood(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client known = fake_client(1), back = fake_client(2);
	uint32_t addr = fake_lease(f, &known), was = fake_lease(f, &back);
	size_t on_disk = f->n_disk;

	fake_release(f, &back, was);
	for (unsigned i = 0; i < 100000; i++) {
		struct fake_client c = fake_client(0x10000 + i);

		fake_discover(f, &c);
		if (i % 1000 == 0)
			fake_pass(f, 100);
	}
	assert_int_equal(on_disk, f->n_disk);
	assert_true(server4_stats(f->s).n_offers <= 20);
	fake_renew(f, &known, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	fake_reboot(f, &known, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
}

static void an_unanswered_offer_makes_room_after_two_seconds(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client honest = fake_client(500);

	for (unsigned i = 0; i < 20; i++) {
		struct fake_client c = fake_client(i);

		fake_discover(f, &c);
	}
	assert_int_equal(SERVER4_DROP, fake_discover(f, &honest));
	fake_pass(f, DHCP_OFFER_MIN_MS);
	assert_int_not_equal(0, fake_lease(f, &honest));
	assert_int_equal(1, fake_counters(f).offer_revoked);
}

static void offers_end_after_thirty_seconds(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	fake_discover(f, &c);
	assert_int_equal(19, server4_lan_stats(f->s, 0).n_free);
	fake_pass(f, DHCP_OFFER_MS + 1500);
	assert_int_equal(0, server4_stats(f->s).n_offers);
	assert_int_equal(20, server4_lan_stats(f->s, 0).n_free);
}

static void an_offer_under_commit_is_never_given_away(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1), other = fake_client(2);
	struct server4_stage *st;
	struct fake_pkt p;
	uint32_t addr;

	f->pool.last = f->pool.first;
	server4_configure(f->s, &f->conf, f->now);
	fake_discover(f, &c);
	addr = fake_yiaddr(f);
	p = fake_selecting(&c, addr);
	fake_offer_in(f, &c, &p, 0);
	st = f->out.stage;
	fake_pass(f, DHCP_OFFER_MS * 2); /* the slowest of disks */
	assert_int_equal(SERVER4_DROP, fake_discover(f, &other));
	fake_select(f, &other, addr);
	assert_int_equal(DHCP_NAK, fake_type(f));
	fake_commit(f, st);
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
}

static void the_oldest_declined_address_is_taken_back_when_nothing_is_left(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(100);

	for (unsigned i = 0; i < 20; i++) {
		struct fake_client bad = fake_client(i);
		uint32_t addr = fake_lease(f, &bad);

		fake_decline(f, &bad, addr);
		fake_pass(f, 1000);
	}
	assert_int_equal(20, server4_lan_stats(f->s, 0).n_declined);
	assert_int_equal(FAKE_POOL_LO, fake_lease(f, &c));
	assert_int_equal(1, fake_counters(f).decline_reclaimed);
}

static void too_many_acks_at_the_disk_are_shed(void **state)
{
	struct fake_lan *f = *state;
	static struct server4_stage *stages[DHCP_STAGED_MAX];
	size_t n = 0;
	struct fake_client c;
	struct fake_pkt p;

	f->lans[0].subnet = IP4(10, 77, 0, 0);
	f->lans[0].prefix_len = 16;
	f->pool = (struct dhcp_range){IP4(10, 77, 16, 0), IP4(10, 77, 255, 0)};
	server4_configure(f->s, &f->conf, f->now);
	for (unsigned i = 0; n < DHCP_STAGED_MAX; i++) {
		c = fake_client(i);
		fake_discover(f, &c);
		p = fake_selecting(&c, fake_yiaddr(f));
		assert_int_equal(SERVER4_STAGE, fake_offer_in(f, &c, &p, 0));
		stages[n++] = f->out.stage;
	}
	c = fake_client(0xfffff);
	fake_discover(f, &c);
	p = fake_selecting(&c, fake_yiaddr(f));
	assert_int_equal(SERVER4_DROP, fake_offer_in(f, &c, &p, 0));
	assert_int_equal(1, fake_counters(f).drop_busy);
	f->commit_err = ERR_LIMIT;
	while (n)
		fake_commit(f, stages[--n]);
	assert_int_equal(0, server4_stats(f->s).n_staged);
}

static void random_macs_do_not_push_out_other_leases(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client home = fake_client(1);
	uint32_t addr = fake_lease(f, &home);

	/* A phone that makes up a new MAC each time it comes, for a long time. */
	for (unsigned i = 0; i < 200; i++) {
		struct fake_client c = {
			.mac = {0x02, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}, .xid = i};
		uint32_t got = fake_lease(f, &c);

		assert_int_not_equal(0, got);
		assert_int_not_equal(addr, got);
		fake_pass(f, 600000);
		if (i % 2 == 0)
			fake_renew(f, &home, addr);
	}
	assert_int_equal(LEASE_BOUND, fake_state(f, addr));
}

static void a_large_pool_of_ended_leases_serves_many_at_once(void **state)
{
	struct fake_lan *f = *state;
	unsigned n = 0;

	f->lans[0].prefix_len = 16;
	f->pool = (struct dhcp_range){IP4(10, 77, 1, 0), IP4(10, 77, 2, 255)};
	server4_configure(f->s, &f->conf, f->now);
	for (unsigned i = 0; i < 512; i++) {
		struct fake_client c = fake_client(i);

		assert_int_not_equal(0, fake_lease(f, &c));
	}
	fake_pass(f, 3610000);
	for (unsigned i = 0; i < 512; i++) {
		struct fake_client c = fake_client(0x10000 + i);

		n += fake_discover(f, &c) == SERVER4_SEND;
	}
	assert_int_equal(512, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(a_full_pool_gives_no_answer),
		FAKE_TEST(a_full_pool_reuses_the_lease_that_ended_longest_ago),
		FAKE_TEST(the_order_of_ended_leases_survives_a_restart),
		FAKE_TEST(known_clients_keep_theirs_while_strangers_flood),
		FAKE_TEST(an_unanswered_offer_makes_room_after_two_seconds),
		FAKE_TEST(offers_end_after_thirty_seconds),
		FAKE_TEST(an_offer_under_commit_is_never_given_away),
		FAKE_TEST(the_oldest_declined_address_is_taken_back_when_nothing_is_left),
		FAKE_TEST(too_many_acks_at_the_disk_are_shed),
		FAKE_TEST(a_large_pool_of_ended_leases_serves_many_at_once),
		FAKE_TEST(random_macs_do_not_push_out_other_leases),
	};

	return FAKE_RUN(tests);
}
