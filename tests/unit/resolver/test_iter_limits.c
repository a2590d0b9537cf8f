/* SPDX-License-Identifier: Apache-2.0 */
/* Work multipliers (B1-B6): each limit at and past it, and never more than the budget of packets.
 */
#include "resolver/failures.h"
#include "unit/resolver/fake_test.h"

static const struct fake_answer *ask_within_budget(
	struct fake_net *n, const char *name, const char *type)
{
	const struct fake_answer *a;

	fake_log_clear(n);
	a = fake_ask(n, name, type);
	assert_true(a->is_there);
	assert_in_range(n->n_sent, 0, RESOLVER_SENDS_MAX);
	return a;
}

static struct fake_net *root_and_com(const char *com)
{
	struct fake_net *n = fake_new(21);

	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	fake_zone(n, TLD, "com.", com);
	return n;
}

/* ---- chains (B4) ---- */

static struct fake_net *chain_world(int len)
{
	struct fake_net *n = root_and_com("example NS ns.example\nns.example A " AUTH "\n");
	char text[4000] = "", line[64];

	for (int i = 0; i < len; i++) {
		snprintf(line, sizeof(line), "c%d CNAME c%d\n", i, i + 1);
		strcat(text, line);
	}
	snprintf(line, sizeof(line), "c%d A 203.0.113.1\n", len);
	strcat(text, line);
	fake_zone(n, AUTH, "example.com.", text);
	return n;
}

TEST(a_chain_of_eleven_is_followed_and_one_of_twelve_is_not)
{
	struct fake_net *n = chain_world(RESOLVER_CHAIN_MAX);

	assert_has(ask_within_budget(n, "c0.example.com", "A"), "203.0.113.1");
	fake_free(n);
	n = chain_world(RESOLVER_CHAIN_MAX + 1);
	assert_rcode(ask_within_budget(n, "c0.example.com", "A"), DNS_RCODE_SERVFAIL);
	assert_int_equal(1, fake_stat(n, STATS_LIMIT_CHAIN));
	fake_free(n);
	/* The same when it comes in one reply. */
	n = chain_world(RESOLVER_CHAIN_MAX);
	fake_server(n, AUTH)->faults = FAKE_TCP_ONLY;
	assert_has(ask_within_budget(n, "c0.example.com", "A"), "203.0.113.1");
	fake_free(n);
	n = chain_world(RESOLVER_CHAIN_MAX + 1);
	fake_server(n, AUTH)->faults = FAKE_TCP_ONLY;
	assert_rcode(ask_within_budget(n, "c0.example.com", "A"), DNS_RCODE_SERVFAIL);
	fake_free(n);
	n = chain_world(50);
	assert_rcode(ask_within_budget(n, "c0.example.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 1, 15);
	fake_free(n);
}

TEST(a_chain_over_many_zones_ends_too)
{
	char text[4000] = "", line[128];
	struct fake_net *n;

	for (int i = 0; i < 30; i++) {
		snprintf(line, sizeof(line), "z%d NS ns.z%d\nns.z%d A " AUTH "\n", i, i, i);
		strcat(text, line);
	}
	n = root_and_com(text);
	for (int i = 0; i < 30; i++) {
		char zone[32];

		snprintf(zone, sizeof(zone), "z%d.com.", i);
		snprintf(line, sizeof(line), "www CNAME www.z%d.com.\n", i + 1);
		fake_zone(n, AUTH, zone, line);
	}
	n->conf->qname_minimisation = false;
	assert_rcode(ask_within_budget(n, "www.z0.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 1, 30);
	fake_free(n);
}

TEST(loops_of_one_two_and_three_names_fail)
{
	static const char *const LOOPS[] = {
		"a CNAME a\n", "a CNAME b\nb CNAME a\n", "a CNAME b\nb CNAME c\nc CNAME a\n"};

	for (int i = 0; i < 3; i++) {
		struct fake_net *n = root_and_com("example NS ns.example\nns.example A " AUTH "\n");

		fake_zone(n, AUTH, "example.com.", LOOPS[i]);
		assert_rcode(ask_within_budget(n, "a.example.com", "A"), DNS_RCODE_SERVFAIL);
		assert_in_range(n->n_sent, 1, 11);
		fake_free(n);
	}
}

TEST(a_loop_over_two_zones_fails)
{
	struct fake_net *n = root_and_com(
		"one NS ns.one\nns.one A 192.0.2.1\ntwo NS ns.two\nns.two A 192.0.2.2\n");

	fake_zone(n, "192.0.2.1", "one.com.", "www CNAME www.two.com.\n");
	fake_zone(n, "192.0.2.2", "two.com.", "www CNAME www.one.com.\n");
	assert_rcode(ask_within_budget(n, "www.one.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 1, 11);
	fake_free(n);
}

TEST(a_dname_onto_itself_ends_in_yxdomain_or_failure)
{
	struct fake_net *n = root_and_com("example NS ns.example\nns.example A " AUTH "\n");
	const struct fake_answer *a;

	fake_zone(n, AUTH, "example.com.", "d DNAME x.d.example.com.\n");
	a = ask_within_budget(n, "a.d.example.com", "A");
	assert_true(a->rcode == DNS_RCODE_SERVFAIL || a->rcode == DNS_RCODE_YXDOMAIN);
	assert_in_range(n->n_sent, 1, 30);
	fake_free(n);
}

/* ---- name servers without addresses (B1, NXNSAttack) ---- */

static struct fake_net *nxns_world(int n_ns, const char *suffix)
{
	char *text = calloc(1, 65536), line[128];
	struct fake_net *n = root_and_com("evil NS ns.evil\nns.evil A 192.0.2.66\n"
					  "victim NS ns.victim\nns.victim A " AUTH "\n");

	for (int i = 0; i < n_ns; i++) {
		snprintf(line, sizeof(line), "sub NS n%d%s\n", i, suffix);
		strcat(text, line);
	}
	fake_zone(n, "192.0.2.66", "evil.com.", text);
	fake_zone(n, AUTH, "victim.com.", "www A 203.0.113.1\n");
	free(text);
	return n;
}

TEST(a_referral_to_a_hundred_names_of_a_victim_costs_it_ten_packets)
{
	struct fake_net *n = nxns_world(90, ".victim.com.");
	const struct fake_answer *a = ask_within_budget(n, "www.sub.evil.com", "A");

	assert_rcode(a, DNS_RCODE_SERVFAIL);
	assert_in_range(fake_server(n, AUTH)->n_udp, 1, 10);
	/* They do not exist: five are enough to see that. */
	assert_in_range(fake_server(n, AUTH)->n_udp, 1, RESOLVER_NS_NX_MAX + 1);
	/* Nor has what does not exist an address of the other family. */
	assert_int_equal(0, fake_seen(n, AUTH, NULL, "AAAA"));
	assert_int_equal(1, fake_stat(n, STATS_FAILURES));
	fake_free(n);
}

TEST(a_victim_that_does_not_answer_gets_few_packets_too)
{
	struct fake_net *n = nxns_world(90, ".victim.com.");

	fake_server(n, AUTH)->faults = FAKE_DEAD;
	ask_within_budget(n, "www.sub.evil.com", "A");
	assert_in_range(fake_server(n, AUTH)->n_udp, 1, 16);
	fake_free(n);
}

TEST(name_servers_that_exist_without_addresses_use_up_ten_lookups)
{
	struct fake_net *n = nxns_world(90, ".victim.com.");
	char text[8000] = "", line[64];

	for (int i = 0; i < 90; i++) {
		snprintf(line, sizeof(line), "n%d TXT \"no address\"\n", i);
		strcat(text, line);
	}
	fake_zone_clear(fake_server(n, AUTH));
	fake_zone(n, AUTH, "victim.com.", text);
	assert_rcode(ask_within_budget(n, "www.sub.evil.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(fake_server(n, AUTH)->n_udp, 5, 10 + 1);
	assert_int_equal(1, fake_stat(n, STATS_LIMIT_NS_LOOKUPS));
	fake_free(n);
}

/* ---- big delegations (B2) ---- */

static bool big_referral(struct fake_ask *ask, void *arg)
{
	char *text = calloc(1, 1 << 17), line[64];
	int n = *(int *)arg;

	for (int i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "sub.evil.com. NS n%d.sub.evil.com.\n", i);
		strcat(text, line);
	}
	fake_reply_text(ask, 0, NULL, text, NULL, 1);
	free(text);
	return true;
}

TEST(a_referral_with_1500_servers_is_refused)
{
	struct fake_net *n = nxns_world(1, ".victim.com.");
	int count = 1000; /* what fits into 64 KiB */

	fake_server(n, "192.0.2.66")->hook = big_referral;
	fake_server(n, "192.0.2.66")->hook_arg = &count;
	n->conf->qname_minimisation = false;
	assert_rcode(ask_within_budget(n, "www.sub.evil.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 1, 10);
	fake_free(n);
}

/* ---- compositions (B3, CAMP) ---- */

TEST(aliases_times_glueless_servers_times_labels_stay_within_the_budget)
{
	char *text = calloc(1, 1 << 16), line[256];
	struct fake_net *n;

	/* Each of 20 zones has 10 servers in the next zones and an alias of 8 labels into the next.
	 */
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 10; k++) {
			snprintf(line, sizeof(line), "z%d NS n%d.a.b.c.d.z%d.com.\n", i, k,
				(i + k + 1) % 20);
			strcat(text, line);
		}
	}
	strcat(text, "z19 NS real\nreal A " AUTH "\n");
	n = root_and_com(text);
	for (int i = 0; i < 20; i++) {
		char zone[32];

		snprintf(zone, sizeof(zone), "z%d.com.", i);
		snprintf(line, sizeof(line), "*.e.f.g.h CNAME x.e.f.g.h.z%d.com.\n", (i + 1) % 20);
		fake_zone(n, AUTH, zone, line);
	}
	ask_within_budget(n, "x.e.f.g.h.z0.com", "A");
	ask_within_budget(n, "y.e.f.g.h.z19.com", "A");
	free(text);
	fake_free(n);
}

TEST(a_dead_zone_with_many_servers_costs_sixteen_packets)
{
	char text[8000] = "", line[128];
	struct fake_net *n;

	for (int i = 0; i < 13; i++) {
		snprintf(line, sizeof(line),
			"dead NS n%d.dead\nn%d.dead A 192.0.2.%d\nn%d.dead AAAA 2001:db8::%d\n", i,
			i, i + 1, i, i + 1);
		strcat(text, line);
	}
	n = root_and_com(text);
	assert_rcode(ask_within_budget(n, "www.dead.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 8, RESOLVER_TRIES_MAX + 2 + 4);
	fake_free(n);
}

TEST(servers_that_fail_at_once_are_asked_sixteen_times_in_all)
{
	char text[8000] = "", line[128];
	struct fake_net *n;

	for (int i = 0; i < 13; i++) {
		snprintf(line, sizeof(line),
			"bad NS n%d.bad\nn%d.bad A 192.0.2.%d\nn%d.bad AAAA 2001:db8::%d\n", i, i,
			i + 1, i, i + 1);
		strcat(text, line);
	}
	n = root_and_com(text);
	for (int i = 0; i < 13; i++) {
		snprintf(line, sizeof(line), "192.0.2.%d", i + 1);
		fake_server(n, line)->faults = FAKE_SERVFAIL;
		snprintf(line, sizeof(line), "2001:db8::%d", i + 1);
		fake_server(n, line)->faults = FAKE_SERVFAIL;
	}
	n->conf->qname_minimisation = false;
	assert_rcode(ask_within_budget(n, "www.bad.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 2 + 14, 2 + RESOLVER_TRIES_MAX + 1);
	fake_free(n);
}

TEST(one_name_costs_fifty_packets_at_most)
{
	uint64_t n_limited = 0;

	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct fake_net *n = fake_new(seed);
		char name[256] = "test.", text[4000], line[200], at[32];

		fake_root(n, ROOT, "test. NS a.test.\na.test. A 192.0.0.9\n");
		/* Ten cuts, each with ten servers of which nine fail. */
		for (int level = 0; level < 10; level++) {
			char child[256];

			snprintf(child, sizeof(child), "l%d.%.200s", level, name);
			text[0] = '\0';
			for (int i = 0; i < 10; i++) {
				snprintf(line, sizeof(line),
					"l%d NS n%d.l%d\nn%d.l%d A 192.0.%d.%d\n", level, i, level,
					i, level, level + 1, i);
				strcat(text, line);
				snprintf(at, sizeof(at), "192.0.%d.%d", level + 1, i);
				fake_server(n, at)->faults = i < 9 ? FAKE_SERVFAIL : 0;
			}
			snprintf(at, sizeof(at), "192.0.%d.9", level);
			fake_zone(n, at, name, text);
			strcpy(name, child);
		}
		fake_zone(n, "192.0.10.9", name, "@ A 203.0.113.1\n");
		n->conf->qname_minimisation = false;
		ask_within_budget(n, name, "A");
		/* Scouts are not of the name's account. */
		assert_in_range(
			n->n_sent - fake_stat(n, STATS_PROBES), 12, RESOLVER_SENDS_PER_NAME);
		n_limited += fake_stat(n, STATS_LIMIT_NAME) > 0;
		fake_free(n);
	}
	assert_in_range(n_limited, 1, 10);
}

/* ---- circles (B5, TsuNAME) ---- */

TEST(two_zones_served_by_each_other_fail_once_in_five_seconds)
{
	struct fake_net *n = root_and_com("one NS ns.two.com.\ntwo NS ns.one.com.\n");
	unsigned n_attempts = 0, before;

	for (int i = 0; i < 1000; i++) {
		before = n->n_sent;
		assert_rcode(fake_ask(n, "www.one.com", "A"), DNS_RCODE_SERVFAIL);
		n_attempts += n->n_sent != before;
		fake_run(n, 10);
	}
	assert_in_range(n_attempts, 1, 3);
	assert_in_range(n->n_sent, 1, 12 * n_attempts);
	fake_free(n);
}

TEST(a_circle_of_three_and_one_onto_itself_end)
{
	struct fake_net *n =
		root_and_com("a NS ns.b.com.\nb NS ns.c.com.\nc NS ns.a.com.\nself NS ns.self\n");
	const struct fake_answer *a;

	a = ask_within_budget(n, "www.a.com", "A");
	assert_rcode(a, DNS_RCODE_SERVFAIL);
	/* Seen at once, not waited out. */
	assert_in_range(a->took_ms, 0, 1000);
	a = ask_within_budget(n, "www.self.com", "A");
	assert_rcode(a, DNS_RCODE_SERVFAIL);
	assert_in_range(a->took_ms, 0, 1000);
	assert_int_equal(0, resolver_live(n->r));
	fake_free(n);
}

TEST(a_circle_with_a_way_out_is_resolved)
{
	struct fake_net *n =
		root_and_com("a NS ns.b.com.\na NS out\nb NS ns.a.com.\nout A " AUTH "\n");

	fake_zone(n, AUTH, "a.com.", "www A 203.0.113.1\nns A " AUTH "\n");
	fake_zone(n, AUTH, "b.com.", "www A 203.0.113.2\nns A " AUTH "\n");
	assert_has(ask_within_budget(n, "www.a.com", "A"), "203.0.113.1");
	assert_has(ask_within_budget(n, "www.b.com", "A"), "203.0.113.2");
	fake_free(n);
}

TEST(failures_are_remembered_twice_as_long_each_time)
{
	struct fake_net *n = root_and_com("one NS ns.two.com.\ntwo NS ns.one.com.\n");
	static const int64_t LONG[] = {5, 10, 20, 40, 80, 160, 300, 300};

	for (unsigned i = 0; i < 8; i++) {
		uint64_t tries = fake_stat(n, STATS_FAILURES);

		assert_rcode(fake_ask(n, "www.one.com", "A"), DNS_RCODE_SERVFAIL);
		assert_true(fake_stat(n, STATS_FAILURES) > tries);
		tries = fake_stat(n, STATS_FAILURES);
		fake_run(n, LONG[i] * 1000 - 100);
		assert_int_equal(DNS_EDE_CACHED_ERROR, fake_ask(n, "www.one.com", "A")->ede);
		assert_int_equal(tries, fake_stat(n, STATS_FAILURES));
		fake_run(n, 200);
	}
	fake_free(n);
}

/* ---- depth ---- */

TEST(glueless_zones_deeper_than_the_limit_fail_in_few_packets)
{
	char text[4000] = "", line[64];
	struct fake_net *n;

	for (int i = 0; i < 30; i++) {
		snprintf(line, sizeof(line), "z%d NS ns.z%d\n", i, i + 1);
		strcat(text, line);
	}
	n = root_and_com(text);
	assert_rcode(ask_within_budget(n, "www.z0.com", "A"), DNS_RCODE_SERVFAIL);
	assert_int_not_equal(0, fake_stat(n, STATS_LIMIT_DEPTH));
	assert_in_range(n->n_sent, 5, 40);
	assert_int_equal(0, resolver_live(n->r));
	fake_free(n);
}

/* ---- time and bytes ---- */

TEST(a_question_ends_after_seven_seconds)
{
	char text[8000] = "", line[128];
	struct fake_net *n;
	const struct fake_answer *a;

	for (int i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "dead NS n%d.dead\nn%d.dead A 192.0.2.%d\n", i, i,
			i + 1);
		strcat(text, line);
	}
	n = root_and_com(text);
	a = ask_within_budget(n, "www.dead.com", "A");
	assert_rcode(a, DNS_RCODE_SERVFAIL);
	assert_in_range(a->took_ms, 3000, RESOLVER_WALL_MS + 50);
	assert_int_equal(DNS_EDE_NO_REACHABLE_AUTHORITY, a->ede);
	assert_int_equal(0, resolver_live(n->r));
	fake_free(n);
}

static bool fat(struct fake_ask *ask, void *arg)
{
	uint8_t *b = calloc(1, 60000);

	(void)arg;
	memcpy(b, ask->bytes, 12 + (size_t)ask->q.question_len);
	b[2] |= 0x80;
	b[3] = DNS_RCODE_SERVFAIL;
	b[10] = b[11] = 0;
	fake_reply(ask, b, 60000, 1);
	free(b);
	return true;
}

TEST(a_hundred_kilobytes_of_replies_are_enough)
{
	char text[8000] = "", line[128];
	struct fake_net *n;

	for (int i = 0; i < 8; i++) {
		snprintf(line, sizeof(line), "fat NS n%d.fat\nn%d.fat A 192.0.2.%d\n", i, i, i + 1);
		strcat(text, line);
	}
	n = root_and_com(text);
	for (int i = 0; i < 8; i++) {
		snprintf(line, sizeof(line), "192.0.2.%d", i + 1);
		fake_server(n, line)->hook = fat;
	}
	assert_rcode(ask_within_budget(n, "www.fat.com", "A"), DNS_RCODE_SERVFAIL);
	assert_in_range(n->n_sent, 3, 5);
	assert_int_equal(1, fake_stat(n, STATS_LIMIT_BYTES));
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_of_eleven_is_followed_and_one_of_twelve_is_not),
		cmocka_unit_test(a_chain_over_many_zones_ends_too),
		cmocka_unit_test(loops_of_one_two_and_three_names_fail),
		cmocka_unit_test(a_loop_over_two_zones_fails),
		cmocka_unit_test(a_dname_onto_itself_ends_in_yxdomain_or_failure),
		cmocka_unit_test(a_referral_to_a_hundred_names_of_a_victim_costs_it_ten_packets),
		cmocka_unit_test(a_victim_that_does_not_answer_gets_few_packets_too),
		cmocka_unit_test(name_servers_that_exist_without_addresses_use_up_ten_lookups),
		cmocka_unit_test(a_referral_with_1500_servers_is_refused),
		cmocka_unit_test(
			aliases_times_glueless_servers_times_labels_stay_within_the_budget),
		cmocka_unit_test(a_dead_zone_with_many_servers_costs_sixteen_packets),
		cmocka_unit_test(servers_that_fail_at_once_are_asked_sixteen_times_in_all),
		cmocka_unit_test(one_name_costs_fifty_packets_at_most),
		cmocka_unit_test(two_zones_served_by_each_other_fail_once_in_five_seconds),
		cmocka_unit_test(a_circle_of_three_and_one_onto_itself_end),
		cmocka_unit_test(a_circle_with_a_way_out_is_resolved),
		cmocka_unit_test(failures_are_remembered_twice_as_long_each_time),
		cmocka_unit_test(glueless_zones_deeper_than_the_limit_fail_in_few_packets),
		cmocka_unit_test(a_question_ends_after_seven_seconds),
		cmocka_unit_test(a_hundred_kilobytes_of_replies_are_enough),
	};

	return RUN_TESTS(tests);
}
