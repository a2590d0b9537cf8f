/* SPDX-License-Identifier: Apache-2.0 */
/* Resolution from the root down over the simulated Internet: the ordinary ways. */
#include "unit/resolver/fake_test.h"

TEST(a_name_is_resolved_from_the_root_down)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "www.example.com", "A");

	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_int_equal(2, a->n_answer);
	assert_has(a, "www.example.com. 300 in a 203.0.113.1");
	assert_has(a, "www.example.com. 300 in a 203.0.113.2");
	assert_int_equal(3, n->n_sent);
	assert_int_equal(0, a->flags & (DNS_FLAG_AA | DNS_FLAG_AD));
	assert_int_not_equal(0, a->flags & DNS_FLAG_RA);
	fake_free(n);
}

TEST(the_root_and_the_tld_never_see_the_whole_name)
{
	struct fake_net *n = small_world();

	fake_ask(n, "www.example.com", "A");
	assert_int_equal(1, fake_seen(n, ROOT, "com.", "A"));
	assert_int_equal(1, fake_seen(n, TLD, "example.com.", "A"));
	assert_int_equal(1, fake_seen(n, AUTH, "www.example.com.", "A"));
	assert_int_equal(0, fake_seen(n, ROOT, "www.example.com.", NULL));
	fake_free(n);
}

TEST(without_minimisation_everybody_is_asked_for_all)
{
	struct fake_net *n = small_world();

	n->conf->qname_minimisation = false;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, fake_seen(n, ROOT, "www.example.com.", "A"));
	assert_int_equal(1, fake_seen(n, TLD, "www.example.com.", "A"));
	fake_free(n);
}

TEST(the_second_question_for_a_name_costs_no_packet)
{
	struct fake_net *n = small_world();

	fake_ask(n, "www.example.com", "A");
	fake_log_clear(n);
	assert_has(fake_ask(n, "WWW.example.com", "A"), "203.0.113.1");
	assert_int_equal(0, n->n_sent);
	fake_free(n);
}

TEST(the_second_name_of_a_zone_costs_one_packet)
{
	struct fake_net *n = small_world();

	fake_ask(n, "www.example.com", "A");
	fake_log_clear(n);
	assert_has(fake_ask(n, "alias.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, n->n_sent);
	fake_free(n);
}

TEST(an_alias_within_the_zone_comes_in_one_answer)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "alias.example.com", "A");

	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_has(a, "alias.example.com. 300 in cname www.example.com.");
	assert_has(a, "www.example.com. 300 in a 203.0.113.1");
	fake_free(n);
}

TEST(an_alias_to_another_zone_is_followed_there)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "out.example.com", "A");

	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_has(a, "out.example.com. 300 in cname www.other.org.");
	assert_has(a, "www.other.org. 3600 in a 203.0.113.99");
	assert_int_equal(1, fake_seen(n, "192.0.2.99", "www.other.org.", "A"));
	fake_free(n);
}

TEST(an_alias_asked_for_itself_is_not_followed)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "out.example.com", "CNAME");

	assert_has(a, "out.example.com. 300 in cname www.other.org.");
	assert_int_equal(1, a->n_answer);
	fake_free(n);
}

TEST(a_dname_makes_an_alias_and_is_followed)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "www.zone.example.com", "A");

	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_has(a, "zone.example.com. 300 in dname other.org.");
	assert_has(a, "www.zone.example.com. 300 in cname www.other.org.");
	assert_has(a, "www.other.org. 3600 in a 203.0.113.99");
	fake_free(n);
}

TEST(a_dname_that_makes_the_name_too_long_is_yxdomain)
{
	struct fake_net *n = small_world();
	char name[400], label[64];
	const struct fake_answer *a;

	memset(label, 'x', 63);
	label[63] = 0;
	fake_zone(n, AUTH, "long.example.com.",
		"@ DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com.\n");
	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.",
		"example NS ns1.example\nns1.example A " AUTH "\n"
		"long.example NS ns1.example\n");
	snprintf(name, sizeof(name), "%s.%s.%.61s.long.example.com", label, label, label);
	a = fake_ask(n, name, "A");
	assert_rcode(a, DNS_RCODE_YXDOMAIN);
	assert_has(a, "dname");
	fake_free(n);
}

TEST(an_unknown_name_is_nxdomain_with_the_soa_and_remembered)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "nope.example.com", "A");

	assert_rcode(a, DNS_RCODE_NXDOMAIN);
	assert_non_null(strstr(a->authority, "example.com. 300 in soa"));
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "nope.example.com", "AAAA"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(0, n->n_sent);
	fake_run(n, 301000);
	assert_rcode(fake_ask(n, "nope.example.com", "AAAA"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(1, n->n_sent);
	fake_free(n);
}

TEST(a_missing_type_is_nodata_for_that_type_only)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "www.example.com", "AAAA");

	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_int_equal(0, a->n_answer);
	assert_non_null(strstr(a->authority, "soa"));
	fake_log_clear(n);
	fake_ask(n, "www.example.com", "AAAA");
	assert_int_equal(0, n->n_sent);
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, n->n_sent);
	fake_free(n);
}

TEST(a_denial_without_soa_is_passed_on_but_not_remembered)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->faults = FAKE_NO_SOA;
	assert_rcode(fake_ask(n, "nope.example.com", "A"), DNS_RCODE_NXDOMAIN);
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "nope.example.com", "A"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(1, n->n_sent);
	fake_free(n);
}

TEST(a_proven_denial_covers_all_beneath_it)
{
	struct fake_net *n = small_world();
	struct cache_proof proof = {.security = RRSET_SECURE, .rank = RRSET_RANK_AUTHORITY_AA};
	static const uint8_t name[] = "\4gone\7example\3com";

	cache_rrset_put_negative(n->env.rrsets, name, DNS_TYPE_A, DNS_CLASS_IN,
		CACHE_NEGATIVE_NXDOMAIN, &proof, 60, n->now_ms);
	n->conf->validate = true;
	assert_rcode(fake_ask(n, "a.b.gone.example.com", "TXT"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(0, n->n_sent);
	/* An unproven one does not: some servers deny empty non-terminals. */
	proof.security = RRSET_UNCHECKED;
	cache_rrset_put_negative(n->env.rrsets, (const uint8_t *)"\1b\1c\1d\7example\3com",
		DNS_TYPE_A, DNS_CLASS_IN, CACHE_NEGATIVE_NXDOMAIN, &proof, 60, n->now_ms);
	assert_has(fake_ask(n, "a.b.c.d.example.com", "TXT"), "\"deep\"");
	fake_free(n);
}

TEST(an_alias_to_nowhere_is_nxdomain_with_the_alias)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a;

	fake_zone(n, AUTH, "gone.example.com.", "@ A 192.0.2.1\ndead CNAME nowhere.example.com.\n");
	a = fake_ask(n, "dead.gone.example.com", "A");
	assert_rcode(a, DNS_RCODE_NXDOMAIN);
	assert_has(a, "dead.gone.example.com. 3600 in cname nowhere.example.com.");
	fake_free(n);
}

TEST(a_deep_name_is_reached_through_empty_labels)
{
	struct fake_net *n = small_world();

	assert_has(fake_ask(n, "a.b.c.d.example.com", "TXT"), "\"deep\"");
	/* com, example, d, c, b one by one, then a: RFC 9156 2.3. */
	assert_int_equal(1, fake_seen(n, AUTH, "d.example.com.", "A"));
	assert_int_equal(1, fake_seen(n, AUTH, "c.d.example.com.", "A"));
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "x.b.c.d.example.com", "TXT"), DNS_RCODE_NXDOMAIN);
	assert_int_equal(0, fake_seen(n, AUTH, "c.d.example.com.", "A"));
	fake_free(n);
}

TEST(a_part_of_a_name_that_was_answered_is_not_asked_for_again)
{
	struct fake_net *n = small_world();

	fake_zone_clear(fake_server(n, AUTH));
	fake_zone(n, AUTH, "example.com.", "p A 203.0.113.1\n*.p A 203.0.113.2\n");
	assert_has(fake_ask(n, "x.p.example.com", "A"), "203.0.113.2");
	assert_int_equal(1, fake_seen(n, AUTH, "p.example.com.", "A"));
	fake_log_clear(n);
	assert_has(fake_ask(n, "y.p.example.com", "A"), "203.0.113.2");
	assert_int_equal(1, n->n_sent);
	fake_free(n);
}

TEST(a_name_of_many_labels_costs_ten_steps)
{
	struct fake_net *n = small_world();

	assert_rcode(fake_ask(n,
			     "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.wild."
			     "example.com",
			     "TXT"),
		DNS_RCODE_NOERROR);
	assert_in_range(n->n_sent, 3, 12);
	fake_free(n);
}

TEST(a_wildcard_answers_with_the_name_asked)
{
	struct fake_net *n = small_world();

	assert_has(fake_ask(n, "what.wild.example.com", "TXT"),
		"what.wild.example.com. 3600 in txt \"any\"");
	fake_free(n);
}

TEST(any_brings_what_the_server_has)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a = fake_ask(n, "www.example.com", "ANY");

	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_int_equal(2, a->n_answer);
	fake_free(n);
}

TEST(a_ds_is_asked_for_above_the_cut)
{
	struct fake_net *n = small_world();

	fake_ask(n, "www.example.com", "A");
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "example.com", "DS"), DNS_RCODE_NOERROR);
	assert_int_equal(1, fake_seen(n, TLD, "example.com.", "DS"));
	assert_int_equal(0, fake_seen(n, AUTH, NULL, NULL));
	fake_free(n);
}

static bool refer_always(struct fake_ask *ask, void *arg)
{
	fake_reply_text(ask, 0, NULL, arg, "ns1.example.com. A " AUTH, 1);
	return true;
}

TEST(a_ds_in_a_referral_is_the_answer_when_it_was_asked_for)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a;

	fake_server(n, TLD)->hook = refer_always;
	fake_server(n, TLD)->hook_arg =
		"example.com. NS ns1.example.com.\nexample.com. DS 1 13 2 "
		"f7ce052e55716f7e4a01782d3e276009b8f9af979e6ba181d26666222c22b68d";
	a = fake_ask(n, "example.com", "DS");
	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_has(a, "example.com. 3600 in ds 1 13 2 f7ce052e");
	assert_int_equal(0, fake_seen(n, AUTH, NULL, NULL));
	fake_free(n);
}

TEST(ns_of_a_referral_is_no_answer_to_a_client)
{
	struct fake_net *n = small_world();

	fake_ask(n, "www.example.com", "A");
	fake_log_clear(n);
	assert_has(fake_ask(n, "example.com", "NS"), "ns1.example.com.");
	assert_int_equal(1, fake_seen(n, AUTH, "example.com.", "NS"));
	/* Nor is glue. */
	assert_has(fake_ask(n, "ns1.example.com", "A"), AUTH);
	assert_int_equal(1, fake_seen(n, AUTH, "ns1.example.com.", "A"));
	fake_free(n);
}

TEST(a_zone_without_glue_is_reached_by_asking_for_the_servers)
{
	struct fake_net *n = small_world();

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "example NS ns.other.org.\n");
	fake_zone(n, TLD, "org.", "other NS ns.other\nns.other A 192.0.2.99\n");
	fake_zone(n, "192.0.2.99", "example.com.", "@ NS ns.other.org.\nwww A 203.0.113.7\n");
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.7");
	assert_int_equal(1, fake_seen(n, "192.0.2.99", "ns.other.org.", "A"));
	assert_in_range(n->n_sent, 5, 9);
	fake_free(n);
}

TEST(glueless_chains_are_followed_to_their_end)
{
	struct fake_net *n = fake_new(3);
	char text[2000] = "", line[200];

	fake_root(n, ROOT, "test. NS a.test.\na.test. A " TLD "\n");
	/* z0's server is in z1, z1's in z2 ... z5's has glue. */
	for (int i = 0; i < 5; i++) {
		snprintf(line, sizeof(line), "z%d NS ns.z%d\n", i, i + 1);
		strcat(text, line);
	}
	strcat(text, "z5 NS ns.z5\nns.z5 A " AUTH "\n");
	fake_zone(n, TLD, "test.", text);
	for (int i = 0; i <= 5; i++) {
		snprintf(line, sizeof(line), "z%d.test.", i);
		fake_zone(n, AUTH, line, "ns A " AUTH "\nwww A 203.0.113.5\n");
	}
	assert_has(fake_ask(n, "www.z0.test", "A"), "203.0.113.5");
	assert_in_range(n->n_sent, 8, 40);
	fake_free(n);
}

TEST(the_addresses_of_a_lost_glue_are_fetched_from_the_parent)
{
	struct fake_net *n = small_world();

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "example 3600 NS ns1.example\nns1.example 60 A " AUTH "\n");
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	fake_run(n, 400 * 1000);
	fake_log_clear(n);
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, fake_seen(n, TLD, NULL, NULL));
	fake_free(n);
}

TEST(a_moved_zone_is_found_again_through_its_parent)
{
	struct fake_net *n = small_world();

	fake_ask(n, "www.example.com", "A");
	fake_server(n, AUTH)->faults = FAKE_DEAD;
	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "example NS ns2.example\nns2.example A 192.0.2.54\n");
	fake_zone(n, "192.0.2.54", "example.com.", "alias A 203.0.113.54\n");
	assert_has(fake_ask(n, "alias.example.com", "A"), "203.0.113.54");
	fake_free(n);
}

TEST(ttls_are_clamped)
{
	struct fake_net *n = small_world();

	n->conf->min_ttl_s = 400;
	assert_has(fake_ask(n, "www.example.com", "A"), "www.example.com. 400 in a");
	n->conf->min_ttl_s = 0;
	n->conf->max_ttl_s = 1000;
	assert_has(fake_ask(n, "a.b.c.d.example.com", "TXT"), "1000 in txt");
	n->conf->max_negative_ttl_s = 7;
	assert_non_null(strstr(fake_ask(n, "no.example.com", "A")->authority, " 7 in soa"));
	fake_free(n);
}

TEST(both_families_of_servers_are_used)
{
	struct fake_net *n = fake_new(5);

	fake_root(n, "2001:db8::1", "com. NS a.com.\na.com. AAAA 2001:db8::2\n");
	fake_zone(n, "2001:db8::2", "com.", "www A 203.0.113.1\n");
	assert_has(fake_ask(n, "www.com", "A"), "203.0.113.1");
	n->conf->ipv6 = false;
	assert_rcode(fake_ask(n, "w.com", "A"), DNS_RCODE_SERVFAIL);
	fake_free(n);
}

TEST(the_root_is_primed_once_in_the_background)
{
	struct fake_net *n = fake_new(5);

	n->conf->prime = true;
	fake_root(n, ROOT,
		". NS real.root.\nreal.root. A 198.41.0.5\ncom. NS a.com.\na.com. A " TLD "\n");
	fake_zone(n, "198.41.0.5", ".", "com. NS a.com.\na.com. A " TLD "\norg. A 192.0.2.1\n");
	fake_zone(n, TLD, "com.", "www A 203.0.113.1\n");
	assert_has(fake_ask(n, "www.com", "A"), "203.0.113.1");
	fake_run(n, 1000);
	assert_int_equal(1, fake_seen(n, ROOT, ".", "NS"));
	assert_non_null(fake_cached(n, "real.root", "A"));
	assert_string_equal("198.41.0.5", fake_cached(n, "real.root", "A"));
	fake_log_clear(n);
	assert_has(fake_ask(n, "org", "A"), "192.0.2.1");
	assert_int_equal(1, fake_seen(n, "198.41.0.5", "org.", "A"));
	fake_free(n);
}

static bool fail_ns(struct fake_ask *ask, void *arg)
{
	(void)arg;
	if (ask->q.q.type != DNS_TYPE_NS)
		return false;
	fake_reply_text(ask, DNS_RCODE_SERVFAIL, NULL, NULL, NULL, 1);
	return true;
}

TEST(the_root_that_does_not_answer_for_itself_is_asked_once_a_minute)
{
	struct fake_net *n = small_world();
	static const char *const NAMES[] = {"a.test", "b.lan", "c.xyz", "d.dev", "e.app"};

	n->conf->prime = true;
	fake_server(n, ROOT)->hook = fail_ns;
	for (int i = 0; i < 5; i++) {
		assert_rcode(fake_ask(n, NAMES[i], "A"), DNS_RCODE_NXDOMAIN);
		fake_run(n, 2000);
	}
	assert_int_equal(1, fake_seen(n, ROOT, ".", "NS"));
	fake_run(n, RESOLVER_PRIME_RETRY_MS);
	fake_ask(n, "f.zip", "A");
	assert_int_equal(2, fake_seen(n, ROOT, ".", "NS"));
	fake_free(n);
}

TEST(a_proof_in_a_referral_that_there_is_no_ds_is_no_answer_to_a_client)
{
	struct fake_net *n = small_world();

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.",
		"example NS ns1.example\nns1.example A " AUTH "\n"
		"example NSEC f.com. NS RRSIG NSEC\n");
	fake_ask(n, "www.example.com", "A");
	fake_log_clear(n);
	assert_rcode(fake_ask(n, "example.com", "DS"), DNS_RCODE_NOERROR);
	assert_int_equal(1, fake_seen(n, TLD, "example.com.", "DS"));
	fake_free(n);
}

TEST(a_client_that_wants_dnssec_gets_signatures_and_others_do_not)
{
	struct fake_net *n = small_world();
	struct fake_answer *plain, *with_do;

	fake_zone(n, AUTH, "signed.example.com.",
		"www A 203.0.113.1\n"
		"www RRSIG A 13 4 3600 20300101000000 20200101000000 1 signed.example.com. AAAA\n");
	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.",
		"signed.example NS ns1.example\nns1.example A " AUTH "\nexample NS ns1.example\n");
	plain = fake_ask_from(n, "10.0.0.1", "www.signed.example.com", "A", 0);
	with_do = fake_ask_from(n, "10.0.0.2", "www.signed.example.com", "A", FAKE_DO);
	fake_run(n, 5000);
	assert_has(plain, "203.0.113.1");
	assert_null(strstr(plain->text, "rrsig"));
	assert_has(with_do, "rrsig a 13");
	assert_int_equal(1, fake_seen(n, NULL, "www.signed.example.com.", "A"));
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_resolved_from_the_root_down),
		cmocka_unit_test(the_root_and_the_tld_never_see_the_whole_name),
		cmocka_unit_test(without_minimisation_everybody_is_asked_for_all),
		cmocka_unit_test(the_second_question_for_a_name_costs_no_packet),
		cmocka_unit_test(the_second_name_of_a_zone_costs_one_packet),
		cmocka_unit_test(an_alias_within_the_zone_comes_in_one_answer),
		cmocka_unit_test(an_alias_to_another_zone_is_followed_there),
		cmocka_unit_test(an_alias_asked_for_itself_is_not_followed),
		cmocka_unit_test(a_dname_makes_an_alias_and_is_followed),
		cmocka_unit_test(a_dname_that_makes_the_name_too_long_is_yxdomain),
		cmocka_unit_test(an_unknown_name_is_nxdomain_with_the_soa_and_remembered),
		cmocka_unit_test(a_missing_type_is_nodata_for_that_type_only),
		cmocka_unit_test(a_denial_without_soa_is_passed_on_but_not_remembered),
		cmocka_unit_test(a_proven_denial_covers_all_beneath_it),
		cmocka_unit_test(an_alias_to_nowhere_is_nxdomain_with_the_alias),
		cmocka_unit_test(a_deep_name_is_reached_through_empty_labels),
		cmocka_unit_test(a_part_of_a_name_that_was_answered_is_not_asked_for_again),
		cmocka_unit_test(a_name_of_many_labels_costs_ten_steps),
		cmocka_unit_test(a_wildcard_answers_with_the_name_asked),
		cmocka_unit_test(any_brings_what_the_server_has),
		cmocka_unit_test(a_ds_is_asked_for_above_the_cut),
		cmocka_unit_test(a_ds_in_a_referral_is_the_answer_when_it_was_asked_for),
		cmocka_unit_test(ns_of_a_referral_is_no_answer_to_a_client),
		cmocka_unit_test(a_zone_without_glue_is_reached_by_asking_for_the_servers),
		cmocka_unit_test(glueless_chains_are_followed_to_their_end),
		cmocka_unit_test(the_addresses_of_a_lost_glue_are_fetched_from_the_parent),
		cmocka_unit_test(a_moved_zone_is_found_again_through_its_parent),
		cmocka_unit_test(ttls_are_clamped),
		cmocka_unit_test(both_families_of_servers_are_used),
		cmocka_unit_test(the_root_is_primed_once_in_the_background),
		cmocka_unit_test(the_root_that_does_not_answer_for_itself_is_asked_once_a_minute),
		cmocka_unit_test(
			a_proof_in_a_referral_that_there_is_no_ds_is_no_answer_to_a_client),
		cmocka_unit_test(a_client_that_wants_dnssec_gets_signatures_and_others_do_not),
	};

	return RUN_TESTS(tests);
}
