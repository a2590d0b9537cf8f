/* SPDX-License-Identifier: Apache-2.0 */
/* Probes on timers, and a wall clock that jumps. */
#include "fake_lan.h"

static void probing(struct fake_lan *f)
{
	f->lans[0].probe = true;
	server4_configure(f->s, &f->conf, f->now);
}

/* Run the timers until a verdict other than IDLE comes, or ms have passed. */
static enum server4_verdict wait(struct fake_lan *f, int64_t ms)
{
	int64_t end = f->now.mono_ms + ms;

	for (;;) {
		int64_t next;

		f->verdict = server4_on_timer(f->s, f->now, &f->out);
		if (f->verdict != SERVER4_IDLE && f->verdict != SERVER4_DROP)
			return f->verdict;
		next = server4_next_ms(f->s, f->now);
		if (next <= f->now.mono_ms)
			next = f->now.mono_ms + 1;
		if (next > end)
			return f->verdict;
		f->now.mono_ms = next;
		f->now.wall_s = 1790000000 + (next - 1000000) / 1000;
	}
}

static void an_unknown_address_is_asked_about_before_it_is_offered(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	int64_t start;
	uint32_t addr;

	probing(f);
	start = f->now.mono_ms;
	assert_int_equal(SERVER4_HOLD, fake_discover(f, &c));
	addr = f->out.ip;
	assert_in_range(addr, FAKE_POOL_LO, FAKE_POOL_HI);
	assert_int_equal(FAKE_IF, f->out.ifindex);
	assert_int_equal(SERVER4_HOLD, wait(f, 1000)); /* asked twice */
	assert_int_equal(addr, f->out.ip);
	assert_int_equal(SERVER4_SEND, wait(f, 1000));
	assert_int_equal(DHCP_OFFER, fake_type(f));
	assert_int_equal(addr, fake_yiaddr(f));
	assert_in_range(f->now.mono_ms - start, DHCP_PROBE_MS, DHCP_PROBE_MS + 50);
	fake_select(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	/* Known now: no more waiting for this client. */
	assert_int_equal(SERVER4_SEND, fake_discover(f, &c));
}

static void an_address_in_use_is_not_offered(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	static const uint8_t other[6] = {9, 9, 9, 9, 9, 9};
	uint32_t addr;

	probing(f);
	fake_discover(f, &c);
	addr = f->out.ip;
	server4_on_arp(f->s, FAKE_IF, addr, other);
	assert_int_equal(SERVER4_HOLD, wait(f, 50)); /* the next address at once */
	assert_int_not_equal(addr, f->out.ip);
	assert_int_equal(LEASE_DECLINED, fake_state(f, addr));
	assert_int_equal(1, fake_counters(f).conflict);
	assert_int_equal(0, f->n_disk); /* strangers cause no writes */
	wait(f, 200);
	assert_int_equal(SERVER4_SEND, wait(f, 1000));
	assert_int_not_equal(addr, fake_yiaddr(f));
	fake_pass(f, DHCP_CONFLICT_S * 1000 + 2000);
	assert_int_equal(0, fake_state(f, addr));
}

static void an_address_taken_back_from_its_rest_is_asked_about_again(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	f->pool.last = f->pool.first; /* there is no other */
	probing(f);
	fake_discover(f, &c);
	server4_on_arp(f->s, FAKE_IF, FAKE_POOL_LO, (const uint8_t *)"other!");
	assert_int_equal(SERVER4_IDLE, wait(f, 500)); /* no answer, and no storm of questions */
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c));
	wait(f, DHCP_QUARANTINE_MIN_MS);
	assert_int_equal(SERVER4_HOLD, fake_discover(f, &c));
	assert_int_equal(FAKE_POOL_LO, f->out.ip);
}

static void the_clients_own_arp_is_no_conflict(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	probing(f);
	fake_discover(f, &c);
	addr = f->out.ip;
	server4_on_arp(f->s, FAKE_IF, addr, c.mac);
	server4_on_arp(f->s, FAKE_IF + 5, addr, (const uint8_t *)"zzzzzz"); /* another wire */
	wait(f, 200);
	assert_int_equal(SERVER4_SEND, wait(f, 1000));
	assert_int_equal(addr, fake_yiaddr(f));
}

static void fifty_at_once_wait_no_longer_than_one(void **state)
{
	struct fake_lan *f = *state;
	int64_t start;
	unsigned n = 0;

	f->pool = (struct dhcp_range){IP4(10, 77, 0, 100), IP4(10, 77, 0, 200)};
	probing(f);
	start = f->now.mono_ms;
	for (unsigned i = 0; i < 50; i++) {
		struct fake_client c = fake_client(i);

		assert_int_equal(SERVER4_HOLD, fake_discover(f, &c));
	}
	while (n < 50)
		n += wait(f, 1000) == SERVER4_SEND;
	assert_in_range(f->now.mono_ms - start, DHCP_PROBE_MS, DHCP_PROBE_MS + 50);
}

static void a_repeated_discover_is_answered_once_with_its_latest_number(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct pkt4 r;

	probing(f);
	fake_discover(f, &c);
	c.xid = 0xabcd;
	assert_int_equal(SERVER4_DROP, fake_discover(f, &c));
	wait(f, 200);
	assert_int_equal(SERVER4_SEND, wait(f, 1000));
	fake_parse(f, &r);
	assert_int_equal(0xabcd, r.xid);
	assert_int_equal(SERVER4_IDLE, wait(f, 900));
}

static void past_the_ceiling_offers_go_out_unprobed(void **state)
{
	struct fake_lan *f = *state;

	f->lans[0].prefix_len = 16;
	f->pool = (struct dhcp_range){IP4(10, 77, 16, 0), IP4(10, 77, 255, 0)};
	probing(f);
	for (unsigned i = 0; i < DHCP_PROBES_MAX + 10; i++) {
		struct fake_client c = fake_client(i);

		assert_int_equal(
			i < DHCP_PROBES_MAX ? SERVER4_HOLD : SERVER4_SEND, fake_discover(f, &c));
	}
	assert_int_equal(10, fake_counters(f).probe_skipped);
}

static void relayed_clients_are_not_probed(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	f->lans[1].probe = true;
	probing(f);
	c.giaddr = FAKE_FAR_GW;
	assert_int_equal(SERVER4_SEND, fake_discover(f, &c));
}

static void a_request_ahead_of_the_probe_is_granted(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	probing(f);
	fake_discover(f, &c);
	addr = f->out.ip;
	fake_reboot(f, &c, addr);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_int_equal(0, server4_stats(f->s).n_probing);
	assert_int_equal(SERVER4_IDLE, wait(f, 900));
}

static void rapid_commit_waits_for_the_probe_too(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);

	probing(f);
	fake_opt(&p, DHCP_OPT_RAPID_COMMIT, "", 0);
	assert_int_equal(SERVER4_HOLD, fake_send(f, &c, &p));
	wait(f, 200);
	assert_int_equal(SERVER4_STAGE, wait(f, 1000));
	fake_commit(f, f->out.stage);
	assert_int_equal(DHCP_ACK, fake_type(f));
}

/* ---- the wall clock ---- */

/* Let everything be said anew; returns how many records were written. */
static unsigned settle(struct fake_lan *f)
{
	enum server4_verdict v;
	unsigned n = 0;

	do {
		while ((v = server4_on_timer(f->s, f->now, &f->out)) == SERVER4_STAGE) {
			fake_commit(f, f->out.stage);
			n++;
		}
	} while (server4_next_ms(f->s, f->now) <= f->now.mono_ms);
	return n;
}

static void step(struct fake_lan *f, int64_t by_s)
{
	f->now.mono_ms += 1000;
	f->now.wall_s += 1 + by_s;
}

static void a_step_of_the_clock_ends_no_lease_and_none_lasts_longer(void **state)
{
	static const int64_t steps[] = {
		INT64_C(10) * 365 * 86400, INT64_C(-10) * 365 * 86400, -3600, 3600, 86400 * 40};
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct lease_record rec;
	uint32_t addr;

	c.name = "alpha";
	addr = fake_lease(f, &c);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		step(f, steps[i]);
		settle(f);
		assert_int_equal(LEASE_BOUND, fake_state(f, addr));
		assert_int_equal(addr, fake_address_of(f, "alpha"));
		assert_int_equal(0, server4_lease(f->s, addr, f->now, &rec));
		assert_in_range(rec.expires_s - f->now.wall_s, 3550, 3610);
		/* the disk says the same, so a restart changes nothing */
		assert_in_range(fake_stored(f, addr)->expires_s - f->now.wall_s, 3550, 3610);
		fake_restart(f);
		assert_int_equal(LEASE_BOUND, fake_state(f, addr));
		settle(f);
	}
	f->now.mono_ms += 3620 * 1000; /* each restart may add a second, never more */
	settle(f);
	assert_int_equal(LEASE_EXPIRED, fake_state(f, addr));
}

static void a_start_in_1970_makes_no_lease_immortal(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1), d = fake_client(2);
	int64_t true_s = f->now.wall_s;
	uint32_t a = fake_lease(f, &c), b;

	f->now.wall_s = 100; /* no clock of its own */
	fake_restart(f);
	assert_int_equal(LEASE_BOUND, fake_state(f, a));
	b = fake_lease(f, &d);
	f->now.mono_ms += 60000;
	f->now.wall_s = true_s + 90; /* the network told the time */
	settle(f);
	assert_int_equal(LEASE_BOUND, fake_state(f, a));
	assert_int_equal(LEASE_BOUND, fake_state(f, b));
	assert_in_range(fake_stored(f, b)->expires_s - f->now.wall_s, 3500, 3600);
	f->now.mono_ms += 3600 * 1000;
	f->now.wall_s += 3600;
	settle(f);
	assert_int_equal(LEASE_EXPIRED, fake_state(f, a));
	assert_int_equal(LEASE_EXPIRED, fake_state(f, b));
}

static void a_failed_restatement_is_tried_again(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr = fake_lease(f, &c);

	step(f, 86400);
	f->commit_err = ERR_IO;
	settle(f);
	f->commit_err = 0;
	assert_true(fake_stored(f, addr)->expires_s < f->now.wall_s);
	f->now.mono_ms += 11000;
	f->now.wall_s += 11;
	assert_int_equal(1, settle(f));
	assert_true(fake_stored(f, addr)->expires_s > f->now.wall_s);
}

static void what_an_ack_is_about_to_write_is_not_written_anew(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct server4_stage *st;
	struct fake_pkt p;
	uint32_t addr;

	c.name = "old";
	addr = fake_lease(f, &c);
	c.name = "new";
	p = fake_begin(&c, DHCP_REQUEST);
	fake_ciaddr(&p, addr);
	fake_offer_in(f, &c, &p, addr);
	st = f->out.stage;
	step(f, 86400);
	assert_int_equal(0, settle(f)); /* it would come after the ACK, with the old name */
	fake_commit(f, st);
	assert_string_equal("new", fake_stored(f, addr)->hostname);
	assert_string_equal("new", fake_name_of(f, addr));
	/* What it wrote was by the clock of before: once more. */
	assert_int_equal(1, settle(f));
	assert_in_range(fake_stored(f, addr)->expires_s - f->now.wall_s, 3590, 3610);
	assert_int_equal(0, settle(f));
}

static void small_corrections_write_nothing(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	fake_lease(f, &c);
	step(f, 5);
	assert_int_equal(0, settle(f));
	assert_int_equal(0, fake_counters(f).clock_step);
}

static void thousands_of_leases_end_in_the_same_second(void **state)
{
	struct fake_lan *f = *state;

	f->lans[0].prefix_len = 16;
	f->pool = (struct dhcp_range){IP4(10, 77, 16, 0), IP4(10, 77, 255, 0)};
	server4_configure(f->s, &f->conf, f->now);
	for (unsigned i = 0; i < 4000; i++) {
		struct fake_client c = fake_client(i);

		assert_int_not_equal(0, fake_lease(f, &c));
	}
	assert_int_equal(4000, server4_stats(f->s).n_bound);
	fake_pass(f, 3601500);
	assert_int_equal(0, server4_stats(f->s).n_bound);
	assert_int_equal(4000, server4_stats(f->s).n_ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(an_unknown_address_is_asked_about_before_it_is_offered),
		FAKE_TEST(an_address_in_use_is_not_offered),
		FAKE_TEST(an_address_taken_back_from_its_rest_is_asked_about_again),
		FAKE_TEST(the_clients_own_arp_is_no_conflict),
		FAKE_TEST(fifty_at_once_wait_no_longer_than_one),
		FAKE_TEST(a_repeated_discover_is_answered_once_with_its_latest_number),
		FAKE_TEST(past_the_ceiling_offers_go_out_unprobed),
		FAKE_TEST(relayed_clients_are_not_probed),
		FAKE_TEST(a_request_ahead_of_the_probe_is_granted),
		FAKE_TEST(rapid_commit_waits_for_the_probe_too),
		FAKE_TEST(a_step_of_the_clock_ends_no_lease_and_none_lasts_longer),
		FAKE_TEST(a_start_in_1970_makes_no_lease_immortal),
		FAKE_TEST(a_failed_restatement_is_tried_again),
		FAKE_TEST(what_an_ack_is_about_to_write_is_not_written_anew),
		FAKE_TEST(small_corrections_write_nothing),
		FAKE_TEST(thousands_of_leases_end_in_the_same_second),
	};

	return FAKE_RUN(tests);
}
