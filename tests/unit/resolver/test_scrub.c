/* SPDX-License-Identifier: Apache-2.0 */
/* Replies with more in them than was asked for (A7, A8): nothing foreign is cached or used. The
 * world: victim.com is served by VICTIM, evil.com by EVIL, which spoils each reply in one way. */
#include "unit/resolver/fake_test.h"

#define VICTIM "192.0.2.10"
#define EVIL   "192.0.2.66"

struct poison {
	const char *what;
	uint16_t flags;
	const char *answer, *authority, *additional;
};

static struct fake_net *world(void)
{
	struct fake_net *n = fake_new(11);

	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	fake_zone(n, TLD, "com.",
		"victim NS ns.victim\nns.victim A " VICTIM "\n"
		"evil NS ns.evil\nns.evil A " EVIL "\n");
	fake_zone(n, VICTIM, "victim.com.",
		"@ NS ns\nns A " VICTIM "\nwww A 203.0.113.10\nmail A 203.0.113.11\n");
	fake_zone(n, EVIL, "evil.com.", "@ NS ns\nns A " EVIL "\nwww A 203.0.113.66\n");
	return n;
}

static bool apply(struct fake_ask *ask, void *arg)
{
	const struct poison *p = arg;

	fake_reply_text(ask, p->flags, p->answer, p->authority, p->additional, 1);
	return true;
}

static const struct poison POISONS[] = {
	{"parent NS in the authority section", DNS_FLAG_AA, "www.evil.com. A 203.0.113.66",
		"com. 86400 NS ns.evil.com.", "ns.evil.com. A " EVIL},
	{"root NS in the authority section", DNS_FLAG_AA, "www.evil.com. A 203.0.113.66",
		". 86400 NS ns.evil.com.", "ns.evil.com. A " EVIL},
	{"sibling NS in the authority section", DNS_FLAG_AA, "www.evil.com. A 203.0.113.66",
		"victim.com. 86400 NS ns.evil.com.", "ns.evil.com. A " EVIL},
	{"own NS next to an answer", DNS_FLAG_AA, "www.evil.com. A 203.0.113.66",
		"evil.com. 86400 NS ns.victim.com.", "ns.victim.com. A " EVIL},
	{"foreign A in the answer", DNS_FLAG_AA,
		"www.evil.com. A 203.0.113.66\nwww.victim.com. 86400 A " EVIL, NULL, NULL},
	{"foreign A in the additional section", DNS_FLAG_AA, "www.evil.com. A 203.0.113.66", NULL,
		"www.victim.com. 86400 A " EVIL},
	{"alias to the victim with its address", DNS_FLAG_AA,
		"www.evil.com. CNAME www.victim.com.\nwww.victim.com. 86400 A " EVIL, NULL, NULL},
	{"glue for others in a referral", 0, NULL, "www.evil.com. NS ns.victim.com.",
		"ns.victim.com. 86400 A " EVIL},
	{"DNAME at the parent", DNS_FLAG_AA, "com. 86400 DNAME evil.com.\nwww.evil.com. A 1.2.3.4",
		NULL, NULL},
	{"DNAME of the victim in the authority section", DNS_FLAG_AA,
		"www.evil.com. A 203.0.113.66", "victim.com. 86400 DNAME evil.com.", NULL},
	{"NS in an NXDOMAIN", DNS_FLAG_AA | DNS_RCODE_NXDOMAIN, NULL,
		"evil.com. SOA a. b. 1 2 3 4 5\nvictim.com. 86400 NS ns.evil.com.",
		"ns.evil.com. A " EVIL},
	{"SOA of the parent denies", DNS_FLAG_AA | DNS_RCODE_NXDOMAIN, NULL,
		"com. 86400 SOA a. b. 1 2 3 4 86400", NULL},
	{"referral to a sibling", 0, NULL, "victim.com. 86400 NS ns.evil.com.",
		"ns.evil.com. A " EVIL},
	{"referral upward", 0, NULL, "com. 86400 NS ns.evil.com.", "ns.evil.com. A " EVIL},
	{"alias chain through the victim", DNS_FLAG_AA,
		"www.evil.com. CNAME mail.victim.com.\nmail.victim.com. CNAME www.evil.com.", NULL,
		NULL},
};

TEST(poison_is_neither_cached_nor_used)
{
	for (unsigned i = 0; i < sizeof(POISONS) / sizeof(POISONS[0]); i++) {
		struct fake_net *n = world();
		struct poison p = POISONS[i];
		const struct fake_answer *a;
		char before[64];

		fake_ask(n, "evil.com", "NS");
		snprintf(before, sizeof(before), "%s", fake_cached(n, "com", "NS"));
		fake_server(n, EVIL)->hook = apply;
		fake_server(n, EVIL)->hook_arg = &p;
		fake_ask(n, "www.evil.com", "A");
		fake_server(n, EVIL)->hook = NULL;
		if (strcmp(before, fake_cached(n, "com", "NS")) != 0 ||
			fake_cached(n, "victim.com", "NS") ||
			fake_cached(n, "www.victim.com", "A") ||
			fake_cached(n, "ns.victim.com", "A") || fake_cached(n, "com", "DNAME") ||
			fake_cached(n, "victim.com", "DNAME") ||
			fake_cached(n, "mail.victim.com", "CNAME") || fake_cached(n, ".", "NS")) {
			/* What the truth itself brought in is fine. */
			const char *ns = fake_cached(n, "ns.victim.com", "A");

			if (!ns || strcmp(ns, VICTIM) != 0)
				fail_msg("%s: cached", p.what);
		}
		a = fake_ask(n, "www.victim.com", "A");
		if (!strstr(a->text, "203.0.113.10"))
			fail_msg("%s: %s", p.what, a->text);
		a = fake_ask(n, "new.victim.com", "A");
		if (a->rcode != DNS_RCODE_NXDOMAIN)
			fail_msg("%s: rcode %d", p.what, a->rcode);
		fake_free(n);
	}
}

TEST(the_end_of_an_alias_in_another_zone_is_asked_for_there)
{
	struct fake_net *n = world();
	struct poison p = {"", DNS_FLAG_AA,
		"www.evil.com. CNAME www.victim.com.\nwww.victim.com. A " EVIL, NULL, NULL};
	const struct fake_answer *a;

	fake_server(n, EVIL)->hook = apply;
	fake_server(n, EVIL)->hook_arg = &p;
	n->conf->qname_minimisation = false;
	a = fake_ask(n, "www.evil.com", "A");
	assert_has(a, "www.victim.com. 3600 in a 203.0.113.10");
	assert_null(strstr(a->text, EVIL));
	fake_free(n);
}

TEST(over_udp_the_end_of_an_alias_is_asked_for_even_in_the_same_zone)
{
	struct fake_net *n = world();
	struct poison p = {"", DNS_FLAG_AA,
		"rnd.victim.com. CNAME www.victim.com.\nwww.victim.com. 86400 A " EVIL, NULL, NULL};
	const struct fake_answer *a;

	/* Somebody forges one reply to a name of no interest. */
	fake_ask(n, "mail.victim.com", "A");
	fake_server(n, VICTIM)->hook = apply;
	fake_server(n, VICTIM)->hook_arg = &p;
	fake_ask_from(n, "10.0.0.1", "rnd.victim.com", "A", 0);
	fake_server(n, VICTIM)->hook = NULL;
	fake_run(n, 1000);
	a = fake_ask(n, "www.victim.com", "A");
	assert_has(a, "203.0.113.10");
	assert_null(strstr(a->text, EVIL));
	fake_free(n);
}

TEST(over_udp_a_denial_of_the_end_of_an_alias_is_not_believed_either)
{
	struct fake_net *n = world();
	struct poison p = {"", DNS_FLAG_AA | DNS_RCODE_NXDOMAIN,
		"rnd.victim.com. CNAME www.victim.com.",
		"victim.com. 86400 SOA a. b. 1 2 3 4 86400", NULL};

	fake_ask(n, "mail.victim.com", "A");
	fake_server(n, VICTIM)->hook = apply;
	fake_server(n, VICTIM)->hook_arg = &p;
	fake_ask_from(n, "10.0.0.1", "rnd.victim.com", "A", 0);
	fake_server(n, VICTIM)->hook = NULL;
	fake_run(n, 1000);
	assert_has(fake_ask(n, "www.victim.com", "A"), "203.0.113.10");
	fake_free(n);
}

TEST(over_tcp_a_chain_within_the_zone_is_taken_whole)
{
	struct fake_net *n = world();

	fake_zone_clear(fake_server(n, VICTIM));
	fake_zone(n, VICTIM, "victim.com.", "a CNAME b\nb CNAME c\nc A 203.0.113.3\n");
	fake_server(n, VICTIM)->faults = FAKE_TCP_ONLY;
	assert_has(fake_ask(n, "a.victim.com", "A"), "c.victim.com. 3600 in a 203.0.113.3");
	assert_int_equal(1, fake_server(n, VICTIM)->n_tcp);
	fake_free(n);
}

TEST(over_tcp_too_a_chain_ends_where_a_forward_zone_begins)
{
	struct fake_net *n = world();
	const struct fake_answer *a;

	fake_forward(n, "corp.victim.com.", false, "10.0.0.53");
	fake_zone(n, "10.0.0.53", "corp.victim.com.", "host A 203.0.113.53\n")->faults =
		FAKE_RECURSIVE;
	fake_zone_clear(fake_server(n, VICTIM));
	fake_zone(n, VICTIM, "victim.com.", "a CNAME host.corp\nhost.corp A " EVIL "\n");
	fake_server(n, VICTIM)->faults = FAKE_TCP_ONLY;
	a = fake_ask(n, "a.victim.com", "A");
	assert_has(a, "host.corp.victim.com. 3600 in a 203.0.113.53");
	assert_null(strstr(a->text, EVIL));
	fake_free(n);
}

TEST(glue_in_a_forward_zone_is_not_taken_from_outside)
{
	struct fake_net *n = world();

	fake_forward(n, "corp.evil.com.", false, "10.0.0.53");
	fake_zone(n, "10.0.0.53", "corp.evil.com.", "ns A 203.0.113.53\n")->faults = FAKE_RECURSIVE;
	fake_zone_clear(fake_server(n, EVIL));
	fake_zone(n, EVIL, "evil.com.", "sub NS ns.corp\nns.corp 86400 A " EVIL "\n");
	fake_ask(n, "www.sub.evil.com", "A");
	assert_has(fake_ask(n, "ns.corp.evil.com", "A"), "203.0.113.53");
	assert_string_equal("203.0.113.53", fake_cached(n, "ns.corp.evil.com", "A"));
	fake_free(n);
}

TEST(addresses_of_others_than_the_servers_are_no_glue)
{
	struct fake_net *n = world();
	struct poison p = {"", 0, NULL, "sub.evil.com. NS ns.sub.evil.com.",
		"ns.sub.evil.com. A 192.0.2.68\nother.sub.evil.com. A 192.0.2.69\n"
		"ns.sub.evil.com. TXT \"x\""};

	fake_server(n, EVIL)->hook = apply;
	fake_server(n, EVIL)->hook_arg = &p;
	fake_ask(n, "www.sub.evil.com", "A");
	assert_non_null(fake_cached(n, "ns.sub.evil.com", "A"));
	assert_null(fake_cached(n, "ns.sub.evil.com", "TXT"));
	assert_null(fake_cached(n, "other.sub.evil.com", "A"));
	fake_free(n);
}

TEST(a_cut_does_not_outlive_the_one_above_it)
{
	struct fake_net *n = world();

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "evil 60 NS ns.evil\nns.evil 60 A " EVIL "\n");
	fake_zone_clear(fake_server(n, EVIL));
	fake_zone(n, EVIL, "evil.com.",
		"@ NS ns\nns A " EVIL "\nsub 86400 NS ns.sub\nns.sub 86400 A 192.0.2.67\n");
	fake_zone(n, "192.0.2.67", "sub.evil.com.", "* 1 A 203.0.113.67\n");
	assert_has(fake_ask(n, "a.sub.evil.com", "A"), "203.0.113.67");
	/* The parent drops evil.com; its child must go with it. */
	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "other A 1.2.3.4\n");
	fake_run(n, 61 * 1000);
	assert_rcode(fake_ask(n, "b.sub.evil.com", "A"), DNS_RCODE_NXDOMAIN);
	fake_free(n);
}

TEST(records_beside_the_chain_are_left_out_of_the_answer)
{
	struct fake_net *n = world();
	struct poison p = {"", DNS_FLAG_AA,
		"www.evil.com. A 203.0.113.66\nother.evil.com. A 1.2.3.4", NULL, NULL};
	const struct fake_answer *a;

	fake_server(n, EVIL)->hook = apply;
	fake_server(n, EVIL)->hook_arg = &p;
	a = fake_ask(n, "www.evil.com", "A");
	assert_int_equal(1, a->n_answer);
	assert_null(fake_cached(n, "other.evil.com", "A"));
	fake_free(n);
}

TEST(sibling_glue_is_glue_and_not_an_answer)
{
	struct fake_net *n = world();

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.",
		"third NS ns.victim\nns.victim A " VICTIM "\n"
		"victim NS ns.victim\n");
	fake_zone(n, VICTIM, "third.com.", "www A 203.0.113.3\n");
	assert_has(fake_ask(n, "www.third.com", "A"), "203.0.113.3");
	assert_string_equal(VICTIM, fake_cached(n, "ns.victim.com", "A"));
	fake_log_clear(n);
	assert_has(fake_ask(n, "ns.victim.com", "A"), VICTIM);
	assert_int_equal(1, fake_seen(n, VICTIM, "ns.victim.com.", "A"));
	fake_free(n);
}

TEST(glue_out_of_bailiwick_is_used_only_when_told)
{
	struct fake_net *n = world();

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "far NS ns.far.org.\nns.far.org. A 192.0.2.77\n");
	fake_zone(n, "192.0.2.77", "far.com.", "www A 203.0.113.77\n");
	assert_rcode(fake_ask(n, "www.far.com", "A"), DNS_RCODE_SERVFAIL);
	assert_null(fake_cached(n, "ns.far.org", "A"));
	n->conf->harden_glue = false;
	fake_run(n, 10000);
	assert_has(fake_ask(n, "www.far.com", "A"), "203.0.113.77");
	fake_free(n);
}

TEST(a_forwarder_of_one_zone_says_nothing_about_others)
{
	struct fake_net *n = world();
	struct poison p = {"", DNS_FLAG_RA,
		"www.corp. CNAME www.victim.com.\nwww.victim.com. 86400 A " EVIL,
		"com. 86400 NS ns.corp.\nvictim.com. 86400 NS ns.corp.", "ns.corp. A " EVIL};
	const struct fake_answer *a;

	fake_forward(n, "corp.", false, "10.0.0.53");
	fake_server(n, "10.0.0.53")->hook = apply;
	fake_server(n, "10.0.0.53")->hook_arg = &p;
	a = fake_ask(n, "www.corp", "A");
	assert_has(a, "www.victim.com. 3600 in a 203.0.113.10");
	assert_null(strstr(a->text, EVIL));
	assert_string_equal("203.0.113.10", fake_cached(n, "www.victim.com", "A"));
	assert_string_equal("ns.victim.com.", fake_cached(n, "victim.com", "NS"));
	fake_free(n);
}

TEST(the_world_says_nothing_about_a_forward_zone)
{
	struct fake_net *n = world();
	struct poison p = {"", DNS_FLAG_AA,
		"www.evil.com. CNAME host.corp.evil.com.\nhost.corp.evil.com. 86400 A " EVIL, NULL,
		"x.corp.evil.com. A " EVIL};
	const struct fake_answer *a;

	fake_forward(n, "corp.evil.com.", false, "10.0.0.53");
	fake_zone(n, "10.0.0.53", "corp.evil.com.", "host A 203.0.113.53\n")->faults =
		FAKE_RECURSIVE;
	fake_server(n, EVIL)->hook = apply;
	fake_server(n, EVIL)->hook_arg = &p;
	a = fake_ask(n, "www.evil.com", "A");
	assert_has(a, "host.corp.evil.com. 3600 in a 203.0.113.53");
	assert_null(strstr(a->text, EVIL));
	fake_free(n);
}

TEST(a_child_cannot_keep_its_delegation_alive)
{
	struct fake_net *n = world();
	char name[64];

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "evil 600 NS ns.evil\nns.evil 600 A " EVIL "\n");
	fake_zone_clear(fake_server(n, EVIL));
	fake_zone(
		n, EVIL, "evil.com.", "@ 86400 NS ns\nns 86400 A " EVIL "\n*.x 1 A 203.0.113.66\n");
	assert_rcode(fake_ask(n, "a.x.evil.com", "A"), DNS_RCODE_NOERROR);
	/* The parent lets go; the child's own NS and address are asked for again and again. */
	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "other A 1.2.3.4\n");
	for (int i = 0; i < 20; i++) {
		fake_ask(n, "evil.com", "NS");
		fake_ask(n, "ns.evil.com", "A");
		fake_run(n, 60 * 1000);
		snprintf(name, sizeof(name), "b%d.x.evil.com", i);
		fake_ask(n, name, "A");
	}
	assert_rcode(fake_ask(n, "c.x.evil.com", "A"), DNS_RCODE_NXDOMAIN);
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(poison_is_neither_cached_nor_used),
		cmocka_unit_test(the_end_of_an_alias_in_another_zone_is_asked_for_there),
		cmocka_unit_test(over_udp_the_end_of_an_alias_is_asked_for_even_in_the_same_zone),
		cmocka_unit_test(over_udp_a_denial_of_the_end_of_an_alias_is_not_believed_either),
		cmocka_unit_test(over_tcp_a_chain_within_the_zone_is_taken_whole),
		cmocka_unit_test(over_tcp_too_a_chain_ends_where_a_forward_zone_begins),
		cmocka_unit_test(glue_in_a_forward_zone_is_not_taken_from_outside),
		cmocka_unit_test(addresses_of_others_than_the_servers_are_no_glue),
		cmocka_unit_test(a_cut_does_not_outlive_the_one_above_it),
		cmocka_unit_test(records_beside_the_chain_are_left_out_of_the_answer),
		cmocka_unit_test(sibling_glue_is_glue_and_not_an_answer),
		cmocka_unit_test(glue_out_of_bailiwick_is_used_only_when_told),
		cmocka_unit_test(a_forwarder_of_one_zone_says_nothing_about_others),
		cmocka_unit_test(the_world_says_nothing_about_a_forward_zone),
		cmocka_unit_test(a_child_cannot_keep_its_delegation_alive),
	};

	return RUN_TESTS(tests);
}
