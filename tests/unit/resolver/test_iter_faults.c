/* SPDX-License-Identifier: Apache-2.0 */
/* Servers as they are: dead, slow, lame, old, broken. The answer must be found all the same. */
#include "unit/resolver/fake_test.h"

/* example.com on three servers. */
static struct fake_net *three_servers(uint64_t seed)
{
	struct fake_net *n = fake_new(seed);

	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	fake_zone(n, TLD, "com.",
		"example NS ns1.example\nexample NS ns2.example\nexample NS ns3.example\n"
		"ns1.example A 192.0.2.1\nns2.example A 192.0.2.2\nns3.example A 192.0.2.3\n");
	for (int i = 1; i <= 3; i++) {
		char at[32];

		snprintf(at, sizeof(at), "192.0.2.%d", i);
		fake_zone(n, at, "example.com.",
			"www 60 A 203.0.113.1\nw1 A 203.0.113.1\nw2 A 203.0.113.1\n"
			"w3 A 203.0.113.1\na.b.c A 203.0.113.8\n* 1 TXT \"x\"\n");
	}
	return n;
}

static void all_faulty(struct fake_net *n, unsigned faults)
{
	for (int i = 1; i <= 3; i++) {
		char at[32];

		snprintf(at, sizeof(at), "192.0.2.%d", i);
		fake_server(n, at)->faults = faults;
	}
}

TEST(two_dead_servers_of_three_cost_time_but_no_answer)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct fake_net *n = three_servers(seed);
		const struct fake_answer *a;

		fake_server(n, "192.0.2.1")->faults = FAKE_DEAD;
		fake_server(n, "192.0.2.3")->faults = FAKE_DEAD;
		a = fake_ask(n, "www.example.com", "A");
		assert_has(a, "203.0.113.1");
		assert_in_range(a->took_ms, 60, 1000);
		fake_free(n);
	}
}

TEST(dead_servers_are_learned_and_avoided)
{
	struct fake_net *n = three_servers(4);
	char name[64];

	fake_server(n, "192.0.2.1")->faults = FAKE_DEAD;
	fake_server(n, "192.0.2.3")->faults = FAKE_DEAD;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "n%d.example.com", i);
		assert_rcode(fake_ask(n, name, "TXT"), DNS_RCODE_NOERROR);
	}
	fake_log_clear(n);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "m%d.example.com", i);
		assert_rcode(fake_ask(n, name, "TXT"), DNS_RCODE_NOERROR);
	}
	/* Asked again now and then, never banned, never in the way. */
	assert_in_range(n->n_sent, 100, 104);
	fake_free(n);
}

TEST(a_dead_server_that_comes_back_is_used_again)
{
	struct fake_net *n = three_servers(4);
	char name[64];
	unsigned before;

	fake_server(n, "192.0.2.1")->faults = FAKE_DEAD;
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "n%d.example.com", i);
		fake_ask(n, name, "TXT");
	}
	fake_server(n, "192.0.2.1")->faults = 0;
	before = fake_server(n, "192.0.2.1")->n_udp;
	for (int i = 0; i < 60; i++) {
		fake_run(n, 60 * 1000);
		snprintf(name, sizeof(name), "m%d.example.com", i);
		assert_rcode(fake_ask(n, name, "TXT"), DNS_RCODE_NOERROR);
	}
	assert_in_range(fake_server(n, "192.0.2.1")->n_udp - before, 3, 60);
	fake_free(n);
}

TEST(near_servers_are_preferred_to_far_ones)
{
	struct fake_net *n = three_servers(7);
	char name[64];

	fake_server(n, "192.0.2.1")->rtt_ms = 200;
	fake_server(n, "192.0.2.2")->rtt_ms = 10;
	fake_server(n, "192.0.2.3")->rtt_ms = 300;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d.example.com", i);
		assert_rcode(fake_ask(n, name, "TXT"), DNS_RCODE_NOERROR);
	}
	assert_in_range(fake_server(n, "192.0.2.2")->n_udp, 85, 120);
	fake_free(n);
}

TEST(equally_near_servers_share_the_load)
{
	struct fake_net *n = three_servers(7);
	char name[64];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%d.example.com", i);
		assert_rcode(fake_ask(n, name, "TXT"), DNS_RCODE_NOERROR);
	}
	for (int i = 1; i <= 3; i++) {
		snprintf(name, sizeof(name), "192.0.2.%d", i);
		assert_in_range(fake_server(n, name)->n_udp, 60, 140);
	}
	fake_free(n);
}

TEST(servers_beyond_the_first_timeout_are_still_heard)
{
	struct fake_net *n = three_servers(7);
	const struct fake_answer *a;

	for (int i = 1; i <= 3; i++) {
		char at[32];

		snprintf(at, sizeof(at), "192.0.2.%d", i);
		fake_server(n, at)->rtt_ms = 900;
	}
	a = fake_ask(n, "www.example.com", "A");
	assert_has(a, "203.0.113.1");
	assert_in_range(a->took_ms, 900, 1100);
	fake_free(n);
}

TEST(lame_servers_are_left_for_others_and_remembered)
{
	static const unsigned FAULTS[] = {FAKE_REFUSED, FAKE_UPWARD};

	for (unsigned f = 0; f < 2; f++) {
		struct fake_net *n = three_servers(2 + f);
		char name[64];

		fake_server(n, "192.0.2.1")->faults = FAULTS[f];
		fake_server(n, "192.0.2.2")->faults = FAULTS[f];
		for (int i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "n%d.example.com", i);
			assert_rcode(fake_ask(n, name, "TXT"), DNS_RCODE_NOERROR);
		}
		assert_in_range(fake_server(n, "192.0.2.1")->n_udp, 0, 1);
		assert_in_range(fake_server(n, "192.0.2.2")->n_udp, 0, 1);
		fake_free(n);
	}
}

TEST(when_all_are_lame_the_failure_costs_few_packets_and_is_remembered)
{
	struct fake_net *n = three_servers(2);

	all_faulty(n, FAKE_REFUSED);
	assert_rcode(fake_ask(n, "www.example.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 3, 8);
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "www.example.com", "A"), DNS_RCODE_SERVFAIL);
	assert_int_equal(0, n->n_sent);
	fake_free(n);
}

TEST(servfail_of_one_server_is_not_the_answer)
{
	struct fake_net *n = three_servers(2);

	fake_server(n, "192.0.2.1")->faults = FAKE_SERVFAIL;
	fake_server(n, "192.0.2.2")->faults = FAKE_SERVFAIL;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	fake_free(n);
}

TEST(a_truncated_answer_is_fetched_over_tcp)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->faults = FAKE_TCP_ONLY;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, fake_server(n, AUTH)->n_udp);
	assert_int_equal(1, fake_server(n, AUTH)->n_tcp);
	fake_free(n);
}

TEST(a_server_that_truncates_and_closes_is_asked_four_times_at_most)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->faults = FAKE_TCP_ONLY | FAKE_TCP_CLOSES;
	assert_rcode(fake_ask(n, "www.example.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(fake_server(n, AUTH)->n_udp + fake_server(n, AUTH)->n_tcp, 2, 4);
	fake_free(n);
}

TEST(servers_from_before_edns_are_asked_without_and_remembered)
{
	static const unsigned FAULTS[] = {FAKE_NO_EDNS, FAKE_NO_EDNS_BARE, FAKE_DROPS_EDNS};

	for (unsigned f = 0; f < 3; f++) {
		struct fake_net *n = small_world();
		const struct fake_answer *a;
		unsigned before;

		fake_server(n, AUTH)->faults = FAULTS[f];
		a = fake_ask(n, "www.example.com", "A");
		assert_has(a, "203.0.113.1");
		assert_in_range(a->took_ms, 0, f == 0 ? 100 : f == 1 ? 500 : 1400);
		before = n->n_sent;
		assert_has(fake_ask(n, "alias.example.com", "A"), "203.0.113.1");
		assert_int_equal(1, n->n_sent - before);
		fake_free(n);
	}
}

TEST(a_server_that_knows_edns_is_not_called_old_for_lost_packets)
{
	struct fake_net *n = small_world();
	struct servers_info info;

	fake_ask(n, "www.example.com", "A");
	fake_server(n, AUTH)->faults = FAKE_DROPS_EDNS;
	fake_ask(n, "alias.example.com", "A");
	servers_get(n->env.servers, &fake_server(n, AUTH)->at, n->now_ms, &info);
	assert_int_equal(0, info.traits & SERVERS_NO_EDNS);
	fake_free(n);
}

TEST(servers_that_break_on_parts_of_a_name_get_it_whole)
{
	static const unsigned FAULTS[] = {FAKE_DENIES_ENTS, FAKE_REFUSES_PARTS, FAKE_FORMERR_PARTS};

	for (unsigned f = 0; f < 3; f++) {
		struct fake_net *n = small_world();

		fake_server(n, AUTH)->faults = FAULTS[f];
		assert_has(fake_ask(n, "a.b.c.d.example.com", "TXT"), "\"deep\"");
		assert_in_range(n->n_sent, 4, 6);
		assert_int_equal(1, fake_stat(n, STATS_QMIN_OFF));
		fake_free(n);
	}
}

TEST(thirty_percent_loss_is_survived)
{
	unsigned n_good = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct fake_net *n = three_servers(seed);

		for (struct fake_server *s = n->servers; s; s = s->next)
			s->loss_percent = 30;
		n_good += fake_ask(n, "www.example.com", "A")->rcode == 0;
		fake_free(n);
	}
	assert_int_equal(40, n_good);
}

TEST(unreachable_ipv6_is_learned)
{
	struct fake_net *n = fake_new(9);
	char line[256], text[4000] = "";

	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	for (int i = 0; i < 10; i++) {
		char at[64], zone[64];

		snprintf(line, sizeof(line),
			"z%d NS ns.z%d\nns.z%d A 192.0.2.%d\nns.z%d AAAA 2001:db8::%d\n", i, i, i,
			i + 1, i, i + 1);
		strcat(text, line);
		snprintf(zone, sizeof(zone), "z%d.com.", i);
		snprintf(at, sizeof(at), "192.0.2.%d", i + 1);
		fake_zone(n, at, zone, "www A 203.0.113.1\n");
		snprintf(at, sizeof(at), "2001:db8::%d", i + 1);
		fake_server(n, at)->faults = FAKE_UNREACHABLE;
	}
	fake_zone(n, TLD, "com.", text);
	for (int i = 0; i < 10; i++) {
		snprintf(line, sizeof(line), "www.z%d.com", i);
		assert_has(fake_ask(n, line, "A"), "203.0.113.1");
	}
	assert_in_range(fake_stat(n, STATS_UNREACHABLE), 2, 3);
	fake_free(n);
}

TEST(silent_ipv6_is_learned_from_six_servers)
{
	struct fake_net *n = fake_new(9);
	char line[256], text[8000] = "";
	unsigned n_v6 = 0;

	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	for (int i = 0; i < 30; i++) {
		char at[64], zone[64];

		snprintf(line, sizeof(line),
			"z%d NS ns.z%d\nns.z%d A 192.0.2.%d\nns.z%d AAAA 2001:db8::%d\n", i, i, i,
			i + 1, i, i + 1);
		strcat(text, line);
		snprintf(zone, sizeof(zone), "z%d.com.", i);
		snprintf(at, sizeof(at), "192.0.2.%d", i + 1);
		fake_zone(n, at, zone, "www A 203.0.113.1\n");
	}
	fake_zone(n, TLD, "com.", text);
	for (int i = 0; i < 30; i++) {
		snprintf(line, sizeof(line), "www.z%d.com", i);
		assert_has(fake_ask(n, line, "A"), "203.0.113.1");
	}
	(void)n_v6;
	/* A reply of IPv4 does not help IPv6; after six the family rests. */
	assert_in_range(fake_stat(n, STATS_TIMEOUTS), 6, 8);
	fake_free(n);
}

TEST(a_lost_uplink_is_forgotten_with_the_first_reply)
{
	struct fake_net *n = three_servers(3);
	char name[64];
	const struct fake_answer *a;

	fake_ask(n, "www.example.com", "A");
	all_faulty(n, FAKE_DEAD);
	fake_server(n, ROOT)->faults = FAKE_DEAD;
	fake_server(n, TLD)->faults = FAKE_DEAD;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n%d.example.com", i);
		fake_ask(n, name, "TXT");
	}
	assert_true(servers_is_offline(n->env.servers, n->now_ms));
	all_faulty(n, 0);
	fake_server(n, ROOT)->faults = 0;
	fake_server(n, TLD)->faults = 0;
	/* What failed while nothing worked is not held against anybody: within two seconds. */
	fake_run(n, 1100);
	a = fake_ask(n, "n199.example.com", "TXT");
	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_in_range(a->took_ms, 0, 500);
	fake_ask(n, "w1.example.com", "A");
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "m%d.example.com", i);
		fake_ask(n, name, "TXT");
	}
	for (int i = 1; i <= 3; i++) {
		struct servers_info info;

		snprintf(name, sizeof(name), "192.0.2.%d", i);
		servers_get(n->env.servers, &fake_server(n, name)->at, n->now_ms, &info);
		assert_false(info.is_dead);
	}
	fake_free(n);
}

TEST(without_any_way_out_the_failure_is_ours_and_soon_forgotten)
{
	struct fake_net *n = small_world();

	fake_server(n, ROOT)->faults = FAKE_UNREACHABLE;
	assert_int_equal(DNS_EDE_NETWORK_ERROR, fake_ask(n, "www.example.com", "A")->ede);
	fake_server(n, ROOT)->faults = 0;
	fake_run(n, 1100);
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	fake_free(n);
}

TEST(icmp_unreachable_moves_on_at_once)
{
	struct fake_net *n = three_servers(3);
	const struct fake_answer *a;

	fake_server(n, "192.0.2.1")->faults = FAKE_ICMP;
	fake_server(n, "192.0.2.2")->faults = FAKE_ICMP;
	a = fake_ask(n, "www.example.com", "A");
	assert_has(a, "203.0.113.1");
	assert_in_range(a->took_ms, 0, 200);
	fake_free(n);
}

TEST(a_lone_server_where_nothing_listens_is_asked_once)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->faults = FAKE_ICMP;
	n->conf->qname_minimisation = false;
	assert_rcode(fake_ask(n, "www.example.com", "A"), DNS_RCODE_SERVFAIL);
	assert_int_equal(1, fake_server(n, AUTH)->n_udp);
	fake_free(n);
}

TEST(caches_are_believed_only_when_nobody_else_is_there)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct fake_net *n = three_servers(seed);
		const struct fake_answer *a;

		/* Two caches that know something old. */
		for (int i = 1; i <= 2; i++) {
			char at[32];

			snprintf(at, sizeof(at), "192.0.2.%d", i);
			fake_zone_clear(fake_server(n, at));
			fake_zone(n, at, "example.com.", "www A 203.0.113.99\n")->faults =
				FAKE_RECURSIVE;
		}
		a = fake_ask(n, "www.example.com", "A");
		assert_has(a, "203.0.113.1");
		fake_server(n, "192.0.2.3")->faults = FAKE_SERVFAIL;
		fake_run(n, 61 * 1000);
		a = fake_ask(n, "www.example.com", "A");
		assert_has(a, "203.0.113.99");
		fake_free(n);
	}
}

static bool say_nothing(struct fake_ask *ask, void *arg)
{
	(void)arg;
	fake_reply_text(ask, DNS_FLAG_AA, NULL, NULL, NULL, 5);
	return true;
}

TEST(an_empty_reply_is_checked_with_another_server)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct fake_net *n = three_servers(seed);

		fake_server(n, "192.0.2.1")->hook = say_nothing;
		n->conf->qname_minimisation = false;
		assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
		fake_free(n);
	}
}

TEST(empty_replies_of_two_servers_are_the_answer)
{
	struct fake_net *n = three_servers(1);
	const struct fake_answer *a;

	for (int i = 1; i <= 3; i++) {
		char at[32];

		snprintf(at, sizeof(at), "192.0.2.%d", i);
		fake_server(n, at)->hook = say_nothing;
	}
	a = fake_ask(n, "www.example.com", "A");
	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_int_equal(0, a->n_answer);
	assert_int_equal(2, fake_seen(n, NULL, "www.example.com.", "A"));
	/* And of the only one. */
	n->conf->qname_minimisation = false;
	fake_server(n, "192.0.2.1")->faults = fake_server(n, "192.0.2.2")->faults = FAKE_ICMP;
	fake_server(n, "192.0.2.1")->hook = fake_server(n, "192.0.2.2")->hook = NULL;
	assert_rcode(fake_ask(n, "w1.example.com", "A"), DNS_RCODE_NOERROR);
	fake_free(n);
}

TEST(a_name_server_with_a_name_of_ours_is_nobody)
{
	struct zones_conf zc = {.domain = "home.arpa", .local_ttl_s = 60};
	struct zones_builder *b = zones_builder_new(&zc);
	struct fake_net *n = fake_new(3);
	struct ip ip = ip_from4(0xc0a80105);

	assert_int_equal(0, zones_builder_address(b, "nas", &ip, 60, true, "record"));
	n->conf->zones = zones_builder_finish(b);
	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	fake_zone(n, TLD, "com.", "evil NS nas.home.arpa.\n");
	fake_zone(n, "192.168.1.5", "evil.com.", "www A 203.0.113.66\n");
	assert_rcode(fake_ask(n, "www.evil.com", "A"), DNS_RCODE_SERVFAIL);
	assert_int_equal(0, fake_server(n, "192.168.1.5")->n_udp);
	assert_int_equal(0, fake_seen(n, NULL, "arpa.", NULL));
	fake_free(n);
}

TEST(forbidden_addresses_are_never_asked)
{
	static const char *const BAD[] = {
		"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.66"};
	static struct ip own;
	struct fake_net *n = fake_new(3);

	own = fake_server(n, "192.0.2.66")->at.ip;
	n->conf->own = &own;
	n->conf->n_own = 1;
	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	fake_zone(n, TLD, "com.",
		"bad NS a.bad\na.bad A 127.0.0.1\na.bad A 0.0.0.0\na.bad A 224.0.0.1\n"
		"a.bad A 255.255.255.255\na.bad A 192.0.2.66\na.bad AAAA ::1\n"
		"a.bad AAAA ::ffff:127.0.0.1\na.bad AAAA ff02::1\na.bad AAAA fe80::1\n");
	for (unsigned i = 0; i < 5; i++)
		fake_zone(n, BAD[i], "bad.com.", "www A 203.0.113.66\n");
	assert_rcode(fake_ask(n, "www.bad.com", "A"), DNS_RCODE_SERVFAIL);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(0, fake_server(n, BAD[i])->n_udp);
	n->conf->query_localhost = true;
	fake_run(n, 6000);
	assert_has(fake_ask(n, "www.bad.com", "A"), "203.0.113.66");
	assert_int_equal(1, fake_seen(n, "127.0.0.1", NULL, NULL));
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_dead_servers_of_three_cost_time_but_no_answer),
		cmocka_unit_test(dead_servers_are_learned_and_avoided),
		cmocka_unit_test(a_dead_server_that_comes_back_is_used_again),
		cmocka_unit_test(near_servers_are_preferred_to_far_ones),
		cmocka_unit_test(equally_near_servers_share_the_load),
		cmocka_unit_test(servers_beyond_the_first_timeout_are_still_heard),
		cmocka_unit_test(lame_servers_are_left_for_others_and_remembered),
		cmocka_unit_test(when_all_are_lame_the_failure_costs_few_packets_and_is_remembered),
		cmocka_unit_test(servfail_of_one_server_is_not_the_answer),
		cmocka_unit_test(a_truncated_answer_is_fetched_over_tcp),
		cmocka_unit_test(a_server_that_truncates_and_closes_is_asked_four_times_at_most),
		cmocka_unit_test(servers_from_before_edns_are_asked_without_and_remembered),
		cmocka_unit_test(a_server_that_knows_edns_is_not_called_old_for_lost_packets),
		cmocka_unit_test(servers_that_break_on_parts_of_a_name_get_it_whole),
		cmocka_unit_test(thirty_percent_loss_is_survived),
		cmocka_unit_test(unreachable_ipv6_is_learned),
		cmocka_unit_test(silent_ipv6_is_learned_from_six_servers),
		cmocka_unit_test(a_lost_uplink_is_forgotten_with_the_first_reply),
		cmocka_unit_test(without_any_way_out_the_failure_is_ours_and_soon_forgotten),
		cmocka_unit_test(icmp_unreachable_moves_on_at_once),
		cmocka_unit_test(a_lone_server_where_nothing_listens_is_asked_once),
		cmocka_unit_test(caches_are_believed_only_when_nobody_else_is_there),
		cmocka_unit_test(an_empty_reply_is_checked_with_another_server),
		cmocka_unit_test(empty_replies_of_two_servers_are_the_answer),
		cmocka_unit_test(a_name_server_with_a_name_of_ours_is_nobody),
		cmocka_unit_test(forbidden_addresses_are_never_asked),
	};

	return RUN_TESTS(tests);
}
