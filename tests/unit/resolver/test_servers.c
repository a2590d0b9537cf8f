/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/ip.h"
#include "resolver/servers.h"

#define TEST(name) static void name(void **state __attribute__((unused)))

static const int64_t T = 1000000;

static struct ip_port at(const char *text)
{
	struct ip_port p;

	assert_int_equal(0, ip_port_read(text, 53, &p));
	return p;
}

static struct servers_info get(struct servers *s, const char *text, int64_t now_ms)
{
	struct servers_info info;
	struct ip_port p = at(text);

	servers_get(s, &p, now_ms, &info);
	return info;
}

static void reply(struct servers *s, const char *text, int64_t rtt_ms, int64_t now_ms)
{
	struct ip_port p = at(text);

	servers_on_reply(s, &p, rtt_ms, now_ms);
}

static void time_out(struct servers *s, const char *text, int64_t now_ms)
{
	struct ip_port p = at(text);

	servers_on_timeout(s, &p, now_ms);
}

TEST(the_unknown_get_four_hundred_milliseconds)
{
	struct servers *s = servers_new(64);
	struct servers_info i = get(s, "192.0.2.1", T);

	assert_false(i.is_known);
	assert_int_equal(400, i.rto_ms);
	assert_int_equal(0, i.traits);
	servers_free(s);
}

TEST(times_follow_rfc_6298)
{
	struct servers *s = servers_new(64);
	struct servers_info i;

	reply(s, "192.0.2.1", 100, T);
	i = get(s, "192.0.2.1", T);
	assert_true(i.is_known);
	assert_int_equal(100, i.srtt_ms);
	assert_int_equal(50, i.rttvar_ms);
	assert_int_equal(300, i.rto_ms);
	reply(s, "192.0.2.1", 200, T + 1);
	i = get(s, "192.0.2.1", T + 1);
	assert_int_equal(112, i.srtt_ms);  /* 7/8 100 + 1/8 200 */
	assert_int_equal(62, i.rttvar_ms); /* 3/4 50 + 1/4 100 */
	for (int k = 0; k < 100; k++)
		reply(s, "192.0.2.1", 3, T + k);
	assert_int_equal(50, get(s, "192.0.2.1", T).rto_ms); /* the floor */
	servers_free(s);
}

TEST(each_timeout_doubles_the_wait_up_to_a_cap_and_a_reply_ends_it)
{
	struct servers *s = servers_new(64);

	reply(s, "192.0.2.1", 20, T);
	assert_int_equal(60, get(s, "192.0.2.1", T).rto_ms);
	time_out(s, "192.0.2.1", T);
	assert_int_equal(120, get(s, "192.0.2.1", T).rto_ms);
	for (int k = 0; k < 20; k++)
		time_out(s, "192.0.2.1", T);
	assert_int_equal(SERVERS_RTO_MAX_MS, get(s, "192.0.2.1", T).rto_ms);
	reply(s, "192.0.2.1", 20, T);
	assert_in_range(get(s, "192.0.2.1", T).rto_ms, 50, 60);
	servers_free(s);
}

TEST(three_timeouts_make_it_dead_and_probes_come_rarer)
{
	struct servers *s = servers_new(64);
	struct ip_port p = at("192.0.2.1");
	int64_t now = T;

	time_out(s, "192.0.2.1", now);
	time_out(s, "192.0.2.1", now);
	assert_false(get(s, "192.0.2.1", now).is_dead);
	time_out(s, "192.0.2.1", now);
	assert_true(get(s, "192.0.2.1", now).is_dead);
	assert_false(servers_take_probe(s, &p, true, now));
	assert_false(servers_take_probe(s, &p, true, now + SERVERS_PROBE_MIN_MS - 1));
	assert_true(servers_take_probe(s, &p, true, now + SERVERS_PROBE_MIN_MS));
	/* Once only. */
	assert_false(servers_take_probe(s, &p, true, now + SERVERS_PROBE_MIN_MS));
	time_out(s, "192.0.2.1", now);
	assert_false(servers_take_probe(s, &p, true, now + SERVERS_PROBE_MIN_MS));
	assert_true(servers_take_probe(s, &p, true, now + 2 * SERVERS_PROBE_MIN_MS));
	for (int k = 0; k < 50; k++)
		time_out(s, "192.0.2.1", now);
	assert_true(servers_take_probe(s, &p, true, now + SERVERS_PROBE_MAX_MS));
	servers_free(s);
}

TEST(only_the_unknown_the_dead_and_the_old_are_worth_a_probe)
{
	struct servers *s = servers_new(64);
	struct ip_port p = at("192.0.2.1"), q = at("192.0.2.2");

	assert_true(servers_take_probe(s, &p, false, T));
	assert_false(servers_take_probe(s, &p, false, T + 1));
	assert_false(servers_take_probe(s, &q, true, T));
	reply(s, "192.0.2.1", 10, T);
	assert_false(servers_take_probe(s, &p, false, T + 61 * 1000));
	assert_true(servers_take_probe(s, &p, false, T + SERVERS_FRESH_MS));
	servers_free(s);
}

TEST(addresses_and_ports_are_told_apart)
{
	struct servers *s = servers_new(64);

	reply(s, "192.0.2.1", 10, T);
	assert_false(get(s, "192.0.2.1:5353", T).is_known);
	assert_false(get(s, "192.0.2.2", T).is_known);
	assert_false(get(s, "[::ffff:192.0.2.1]:53", T).is_known);
	servers_free(s);
}

TEST(traits_hold_for_a_quarter_of_an_hour)
{
	struct servers *s = servers_new(64);
	struct ip_port p = at("192.0.2.1");

	servers_set_trait(s, &p, SERVERS_NO_EDNS, T);
	servers_set_trait(s, &p, SERVERS_NO_CASE, T);
	assert_int_equal(SERVERS_NO_EDNS | SERVERS_NO_CASE, get(s, "192.0.2.1", T).traits);
	assert_int_equal(0, get(s, "192.0.2.1", T + SERVERS_TRAIT_MS).traits);
	servers_set_trait(s, &p, SERVERS_EDNS_OK, T);
	assert_int_equal(SERVERS_EDNS_OK | SERVERS_NO_CASE, get(s, "192.0.2.1", T).traits);
	servers_set_trait(s, &p, SERVERS_NO_EDNS, T);
	assert_int_equal(SERVERS_NO_EDNS | SERVERS_NO_CASE, get(s, "192.0.2.1", T).traits);
	servers_free(s);
}

TEST(cookies_are_kept_and_ours_are_stable_and_different)
{
	struct servers *s = servers_new(64);
	struct ip_port p = at("192.0.2.1"), q = at("192.0.2.2");
	uint8_t a[8], b[8], c[8];

	servers_set_cookie(s, &p, (const uint8_t *)"0123456789abcdef", 16, T);
	assert_int_equal(16, get(s, "192.0.2.1", T).cookie_len);
	assert_memory_equal("0123456789abcdef", get(s, "192.0.2.1", T).cookie, 16);
	servers_client_cookie(s, &p, a);
	servers_client_cookie(s, &q, b);
	servers_client_cookie(s, &p, c);
	assert_memory_equal(a, c, 8);
	assert_memory_not_equal(a, b, 8);
	servers_free(s);
}

TEST(lameness_is_of_a_server_and_a_zone_and_passes)
{
	struct servers *s = servers_new(64);
	struct ip_port p = at("192.0.2.1"), q = at("192.0.2.2");
	const uint8_t *a = (const uint8_t *)"\1a", *upper = (const uint8_t *)"\1A",
		      *b = (const uint8_t *)"\1b";

	servers_set_lame(s, &p, a, T);
	assert_true(servers_is_lame(s, &p, a, T));
	assert_true(servers_is_lame(s, &p, upper, T));
	assert_false(servers_is_lame(s, &p, b, T));
	assert_false(servers_is_lame(s, &q, a, T));
	assert_true(servers_is_lame(s, &p, a, T + SERVERS_TRAIT_MS - 2000));
	assert_false(servers_is_lame(s, &p, a, T + SERVERS_TRAIT_MS + 1000));
	servers_free(s);
}

TEST(a_family_rests_after_six_servers_and_returns_with_one_reply)
{
	struct servers *s = servers_new(64);
	char text[64];

	for (int i = 0; i < 6; i++) {
		assert_false(servers_family_is_down(s, AF_INET6, T));
		snprintf(text, sizeof(text), "2001:db8::%d", i + 1);
		time_out(s, text, T);
		time_out(s, text, T); /* the same server counts once */
	}
	assert_true(servers_family_is_down(s, AF_INET6, T));
	assert_false(servers_family_is_down(s, AF_INET, T));
	assert_false(servers_family_is_down(s, AF_INET6, T + SERVERS_FAMILY_REST_MS));
	/* One failure more and it rests again. */
	time_out(s, "2001:db8::99", T + SERVERS_FAMILY_REST_MS);
	assert_true(servers_family_is_down(s, AF_INET6, T + SERVERS_FAMILY_REST_MS));
	reply(s, "2001:db8::1", 10, T + SERVERS_FAMILY_REST_MS);
	assert_false(servers_family_is_down(s, AF_INET6, T + SERVERS_FAMILY_REST_MS));
	servers_free(s);
}

TEST(two_unreachable_servers_are_enough)
{
	struct servers *s = servers_new(64);
	struct ip_port p = at("2001:db8::1"), q = at("2001:db8::2");

	servers_on_unreachable(s, &p, T);
	assert_false(servers_family_is_down(s, AF_INET6, T));
	servers_on_unreachable(s, &q, T);
	assert_true(servers_family_is_down(s, AF_INET6, T));
	servers_free(s);
}

TEST(when_nothing_answers_we_are_offline_and_the_first_reply_forgives_all)
{
	struct servers *s = servers_new(64);
	char text[64];
	uint32_t epoch = servers_epoch(s);

	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i % 5);
		time_out(s, text, T + 100 * i);
	}
	assert_false(servers_is_offline(s, T + SERVERS_OFFLINE_MS - 1));
	assert_true(servers_is_offline(s, T + SERVERS_OFFLINE_MS));
	assert_true(get(s, "192.0.2.1", T).is_dead);
	reply(s, "192.0.2.77", 10, T + 5000);
	assert_false(servers_is_offline(s, T + 5000));
	assert_false(get(s, "192.0.2.1", T).is_dead);
	assert_int_equal(0, get(s, "192.0.2.1", T).n_timeouts);
	assert_int_equal(epoch + 1, servers_epoch(s));
	servers_free(s);
}

TEST(few_timeouts_or_a_reply_between_them_are_not_being_offline)
{
	struct servers *s = servers_new(64);

	for (int i = 0; i < SERVERS_OFFLINE_AFTER - 1; i++)
		time_out(s, "192.0.2.1", T);
	assert_false(servers_is_offline(s, T + 60000));
	reply(s, "192.0.2.2", 10, T);
	time_out(s, "192.0.2.1", T);
	assert_false(servers_is_offline(s, T + 60000));
	servers_free(s);
}

TEST(forgetting_on_demand_clears_timeouts_and_families)
{
	struct servers *s = servers_new(64);
	char text[64];

	reply(s, "192.0.2.1", 20, T);
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "2001:db8::%d", i + 1);
		time_out(s, text, T);
		time_out(s, "192.0.2.1", T);
	}
	servers_forget_failures(s);
	assert_false(get(s, "192.0.2.1", T).is_dead);
	assert_true(get(s, "192.0.2.1", T).is_known); /* what was measured stays */
	assert_false(servers_family_is_down(s, AF_INET6, T));
	servers_free(s);
}

TEST(the_table_is_bounded_and_forgets_who_was_unused_longest)
{
	struct servers *s = servers_new(4);
	char text[64];
	unsigned n = 0;

	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		reply(s, text, 10, T + i);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		n += get(s, text, T).is_known;
	}
	assert_int_equal(4, n);
	assert_true(get(s, "192.0.2.99", T).is_known);
	servers_free(s);
}

static void *hammer(void *arg)
{
	struct servers *s = arg;
	struct servers_info info;

	for (int i = 0; i < 20000; i++) {
		struct ip_port p = {.ip = ip_from4(0xc0000200u + (uint32_t)i % 50), .port = 53};

		if (i % 3 == 0)
			servers_on_reply(s, &p, i % 100, T + i);
		else if (i % 3 == 1)
			servers_on_timeout(s, &p, T + i);
		else
			servers_set_lame(s, &p, (const uint8_t *)"\1a", T + i);
		servers_get(s, &p, T + i, &info);
		(void)servers_is_lame(s, &p, (const uint8_t *)"\1a", T + i);
		(void)servers_family_is_down(s, AF_INET, T + i);
		if (i % 1000 == 0)
			servers_forget_failures(s);
	}
	return NULL;
}

TEST(threads_may_all_use_it)
{
	struct servers *s = servers_new(64);
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(0, pthread_create(&t[i], NULL, hammer, s));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	servers_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unknown_get_four_hundred_milliseconds),
		cmocka_unit_test(times_follow_rfc_6298),
		cmocka_unit_test(each_timeout_doubles_the_wait_up_to_a_cap_and_a_reply_ends_it),
		cmocka_unit_test(three_timeouts_make_it_dead_and_probes_come_rarer),
		cmocka_unit_test(only_the_unknown_the_dead_and_the_old_are_worth_a_probe),
		cmocka_unit_test(addresses_and_ports_are_told_apart),
		cmocka_unit_test(traits_hold_for_a_quarter_of_an_hour),
		cmocka_unit_test(cookies_are_kept_and_ours_are_stable_and_different),
		cmocka_unit_test(lameness_is_of_a_server_and_a_zone_and_passes),
		cmocka_unit_test(a_family_rests_after_six_servers_and_returns_with_one_reply),
		cmocka_unit_test(two_unreachable_servers_are_enough),
		cmocka_unit_test(
			when_nothing_answers_we_are_offline_and_the_first_reply_forgives_all),
		cmocka_unit_test(few_timeouts_or_a_reply_between_them_are_not_being_offline),
		cmocka_unit_test(forgetting_on_demand_clears_timeouts_and_families),
		cmocka_unit_test(the_table_is_bounded_and_forgets_who_was_unused_longest),
		cmocka_unit_test(threads_may_all_use_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
