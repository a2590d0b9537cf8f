/* SPDX-License-Identifier: Apache-2.0 */
/* Forward zones (through the other transport) and stub zones. */
#include "resolver/failures.h"
#include "unit/resolver/fake_test.h"

#define UP1 "10.0.0.53"
#define UP2 "10.0.0.54"

static struct fake_net *world(void)
{
	struct fake_net *n = small_world();

	fake_forward(n, "corp.example.", false, UP1 " " UP2);
	fake_zone(n, UP1, "corp.example.", "www A 203.0.113.5\nout CNAME www.other.org.\n")
		->faults = FAKE_RECURSIVE;
	fake_zone(n, UP2, "corp.example.", "www A 203.0.113.5\nout CNAME www.other.org.\n")
		->faults = FAKE_RECURSIVE;
	return n;
}

static uint16_t flags_seen;
static struct edns edns_seen;

static bool look(struct fake_ask *ask, void *arg)
{
	(void)arg;
	flags_seen = ask->q.flags;
	edns_seen = ask->q.edns;
	return false;
}

TEST(a_forward_zone_is_asked_whole_with_rd_and_do)
{
	struct fake_net *n = world();

	fake_server(n, UP1)->hook = fake_server(n, UP2)->hook = look;
	assert_has(fake_ask(n, "www.corp.example", "A"), "203.0.113.5");
	assert_int_equal(1, n->n_sent);
	assert_int_equal(1, n->n_forwarded);
	assert_int_equal(DNS_FLAG_RD, flags_seen);
	assert_true(edns_seen.is_do);
	fake_free(n);
}

TEST(other_names_do_not_go_to_the_forwarder)
{
	struct fake_net *n = world();

	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(0, n->n_forwarded);
	fake_free(n);
}

TEST(an_alias_out_of_the_forward_zone_is_resolved_by_the_usual_rules)
{
	struct fake_net *n = world();
	const struct fake_answer *a = fake_ask(n, "out.corp.example", "A");

	assert_has(a, "out.corp.example. 3600 in cname www.other.org.");
	assert_has(a, "www.other.org. 3600 in a 203.0.113.99");
	assert_int_equal(1, fake_seen(n, "192.0.2.99", "www.other.org.", "A"));
	fake_free(n);
}

TEST(an_alias_into_the_forward_zone_goes_to_the_forwarder)
{
	struct fake_net *n = world();

	fake_zone(n, "192.0.2.99", "in.other.org.", "@ CNAME www.corp.example.\n");
	assert_has(fake_ask(n, "in.other.org", "A"), "203.0.113.5");
	assert_int_equal(1, n->n_forwarded);
	fake_free(n);
}

TEST(the_next_upstream_is_asked_when_one_fails)
{
	static const unsigned FAULTS[] = {
		FAKE_SERVFAIL, FAKE_REFUSED, FAKE_DEAD, FAKE_ICMP, FAKE_UNREACHABLE};

	for (unsigned f = 0; f < 5; f++) {
		for (int which = 0; which < 2; which++) {
			struct fake_net *n = world();

			fake_server(n, which ? UP1 : UP2)->faults |= FAULTS[f];
			assert_has(fake_ask(n, "www.corp.example", "A"), "203.0.113.5");
			fake_free(n);
		}
	}
}

TEST(a_dead_upstream_is_avoided_after_a_while)
{
	struct fake_net *n = world();
	char name[64];

	fake_server(n, UP1)->faults |= FAKE_DEAD;
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "n%d.corp.example", i);
		assert_rcode(fake_ask(n, name, "A"), DNS_RCODE_NXDOMAIN);
	}
	assert_in_range(fake_server(n, UP1)->n_udp, 0, 6);
	fake_free(n);
}

TEST(servfail_of_all_upstreams_is_servfail)
{
	struct fake_net *n = world();

	fake_server(n, UP1)->faults |= FAKE_SERVFAIL;
	fake_server(n, UP2)->faults |= FAKE_SERVFAIL;
	assert_rcode(fake_ask(n, "www.corp.example", "A"), DNS_RCODE_SERVFAIL);
	assert_int_equal(2, n->n_sent);
	fake_free(n);
}

TEST(a_truncated_answer_of_a_forwarder_is_fetched_over_tcp)
{
	struct fake_net *n = world();

	fake_server(n, UP1)->faults |= FAKE_TCP_ONLY;
	fake_server(n, UP2)->faults |= FAKE_TCP_ONLY;
	assert_has(fake_ask(n, "www.corp.example", "A"), "203.0.113.5");
	assert_int_equal(2, n->n_forwarded);
	fake_free(n);
}

TEST(denials_of_a_forwarder_are_kept)
{
	struct fake_net *n = world();

	assert_rcode(fake_ask(n, "no.corp.example", "A"), DNS_RCODE_NXDOMAIN);
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "no.corp.example", "AAAA"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(0, n->n_sent);
	fake_free(n);
}

TEST(forwarding_the_root_makes_us_a_forwarder)
{
	struct fake_net *n = fake_new(3);

	fake_forward(n, ".", false, UP1);
	fake_zone(
		n, UP1, ".", "www.example.com. A 203.0.113.1\nalias.test. CNAME www.example.com.\n")
		->faults = FAKE_RECURSIVE;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_has(fake_ask(n, "alias.test", "A"), "www.example.com. 3600 in a 203.0.113.1");
	assert_rcode(fake_ask(n, "no.test", "A"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(3, n->n_sent);
	assert_int_equal(3, n->n_forwarded);
	fake_free(n);
}

TEST(the_longest_forward_zone_wins)
{
	struct fake_net *n = fake_new(3);

	fake_forward(n, ".", false, UP1);
	fake_forward(n, "corp.example.", false, UP2);
	fake_zone(n, UP1, ".", "alias.test. CNAME www.corp.example.\nwww.corp.example. A 6.6.6.6\n")
		->faults = FAKE_RECURSIVE;
	fake_zone(n, UP2, "corp.example.", "www A 203.0.113.5\n")->faults = FAKE_RECURSIVE;
	assert_has(fake_ask(n, "www.corp.example", "A"), "203.0.113.5");
	assert_has(fake_ask(n, "alias.test", "A"), "www.corp.example. 3600 in a 203.0.113.5");
	fake_free(n);
}

TEST(a_stub_zone_is_iterated_from_its_own_servers)
{
	struct fake_net *n = small_world();

	fake_forward(n, "lab.", true, "10.0.0.60:5300");
	fake_zone(n, "10.0.0.60:5300", "lab.",
		"www A 203.0.113.6\nsub NS ns.sub\nns.sub A 10.0.0.61\n");
	fake_zone(n, "10.0.0.61", "sub.lab.", "host A 203.0.113.7\n");
	assert_has(fake_ask(n, "www.lab", "A"), "203.0.113.6");
	assert_has(fake_ask(n, "host.sub.lab", "A"), "203.0.113.7");
	assert_int_equal(0, n->n_forwarded);
	assert_int_equal(0, fake_seen(n, ROOT, NULL, NULL));
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "no.sub.lab", "A"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(1, n->n_sent);
	fake_free(n);
}

TEST(a_stub_on_loopback_may_be_asked)
{
	struct fake_net *n = small_world();

	fake_forward(n, "lab.", true, "127.0.0.1:5300");
	fake_zone(n, "127.0.0.1:5300", "lab.", "www A 203.0.113.6\n");
	assert_has(fake_ask(n, "www.lab", "A"), "203.0.113.6");
	fake_free(n);
}

TEST(forwarders_are_protected_by_case_and_moved_to_tcp_too)
{
	struct fake_net *n = world();

	fake_server(n, UP1)->faults |= FAKE_FOLDS_CASE;
	fake_server(n, UP2)->faults |= FAKE_FOLDS_CASE;
	assert_has(fake_ask(n, "www.corp.example", "A"), "203.0.113.5");
	assert_int_equal(1, fake_server(n, UP1)->n_tcp + fake_server(n, UP2)->n_tcp);
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forward_zone_is_asked_whole_with_rd_and_do),
		cmocka_unit_test(other_names_do_not_go_to_the_forwarder),
		cmocka_unit_test(an_alias_out_of_the_forward_zone_is_resolved_by_the_usual_rules),
		cmocka_unit_test(an_alias_into_the_forward_zone_goes_to_the_forwarder),
		cmocka_unit_test(the_next_upstream_is_asked_when_one_fails),
		cmocka_unit_test(a_dead_upstream_is_avoided_after_a_while),
		cmocka_unit_test(servfail_of_all_upstreams_is_servfail),
		cmocka_unit_test(a_truncated_answer_of_a_forwarder_is_fetched_over_tcp),
		cmocka_unit_test(denials_of_a_forwarder_are_kept),
		cmocka_unit_test(forwarding_the_root_makes_us_a_forwarder),
		cmocka_unit_test(the_longest_forward_zone_wins),
		cmocka_unit_test(a_stub_zone_is_iterated_from_its_own_servers),
		cmocka_unit_test(a_stub_on_loopback_may_be_asked),
		cmocka_unit_test(forwarders_are_protected_by_case_and_moved_to_tcp_too),
	};

	return RUN_TESTS(tests);
}
