/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/daemon/config_case.h"

static void an_unknown_key_names_the_nearest(void **state)
{
	(void)state;
	case_says("lan:\n  br0:\n    subnet: 10.0.0.0/24\n    subnt: 10.0.0.0/24\n",
		":4:5: unknown key \"subnt\" in lan.br0; did you mean \"subnet\"?\n");
	case_says("domian: x\n", ":1:1: unknown key \"domian\"; did you mean \"domain\"?\n");
	case_says("dns: { Cache_Size: 1G }\n",
		":1:8: unknown key \"Cache_Size\" in dns; did you mean \"cache-size\"?\n");
	case_says("lease: 12h\n", ":1:1: unknown key \"lease\"; it belongs in lan.NAME\n");
	case_says("dns: { domain: x }\n",
		":1:8: unknown key \"domain\" in dns; it belongs at the top of the file\n");
	case_says("zzzzzz: 1\n", ":1:1: unknown key \"zzzzzz\"\n");
}

static void all_errors_come_at_once_in_order(void **state)
{
	(void)state;
	case_says("dns:\n"
		  "  workers: 0\n"
		  "  ipv6: perhaps\n"
		  "hostss: x\n"
		  "dns2: 1\n"
		  "domain: a..b\n",
		":2:12: dns.workers: \"0\" is out of range: 1 to 64\n"
		":3:9: dns.ipv6: expected yes or no, found \"perhaps\"\n"
		":4:1: unknown key \"hostss\"; did you mean \"hosts\"?\n"
		":5:1: unknown key \"dns2\"; did you mean \"dns\"?\n"
		":6:9: domain: \"a..b\" has an empty label between dots\n");
}

static void a_key_given_twice_is_an_error(void **state)
{
	(void)state;
	case_says("domain: a\ndomain: b\n", ":2:1: \"domain\" is given twice; first at line 1\n");
	case_says("forward:\n  A.example: { to: 9.9.9.9 }\n  a.example.: { to: 9.9.9.9 }\n",
		":3:3: \"a.example.\" is the same as \"A.example\" at line 2\n");
}

static void a_wrong_type_says_what_was_expected(void **state)
{
	(void)state;
	case_says("dns: 5\n", ":1:6: dns: expected keys and values, found \"5\"\n");
	case_says("dns: [ 5 ]\n", ":1:6: dns: expected keys and values, found a list\n");
	case_says("dns:\n  workers:2\n",
		":2:3: dns: expected keys and values, found \"workers:2\"; a space must follow the "
		"colon\n");
	case_says("lan: br0\n", ":1:6: lan: expected entries as NAME: { ... }, found text\n");
	case_says("domain: [ a ]\n",
		":1:9: domain: expected a domain name such as home.arpa, found a list\n");
	case_says("dns: { workers: { a: 1 } }\n",
		":1:17: dns.workers: expected a whole number, found a map\n");
	case_says("dns: { allow: [ [ 10.0.0.0/8 ] ] }\n",
		":1:17: dns.allow: expected an address or a network such as 192.168.1.0/24, found "
		"a "
		"list\n");
	case_says("domain:\n", ":1:1: domain has no value\n");
	case_says("just text\n", ":1:1: \"key: value\" lines are expected\n");
}

static void a_single_value_is_a_list_of_one(void **state)
{
	struct config *c = case_good("dns: { listen: 127.0.0.1, allow: 10.0.0.0/8 }\nhosts: /h\n");

	(void)state;
	assert_int_equal(c->dns.n_listen, 1);
	assert_int_equal(c->dns.n_allow, 1);
	assert_int_equal(c->n_hosts, 1);
	config_free(c);
	c = case_good("dns: { listen: [] }\nhosts:\n");
	assert_int_equal(c->dns.n_listen, 0);
	assert_int_equal(c->n_hosts, 0);
	config_free(c);
	case_says("dns: { allow: 10.0.0.0/8, 11.0.0.0/8 }\n",
		":1:27: unknown key \"11.0.0.0/8\" in dns; a list is written [ one, two ]\n");
	case_says("dns:\n  allow: 10.0.0.0/8, 11.0.0.0/8\n",
		":2:10: dns.allow: expected an address or a network such as 192.168.1.0/24, found "
		"\"10.0.0.0/8, 11.0.0.0/8\"; a list is written [ one, two ]\n");
}

static void booleans_are_those_of_yaml(void **state)
{
	static const char *const yes[] = {"yes", "true", "on", "True", "ON", "\"yes\"", "y"};
	static const char *const no[] = {"no", "false", "off", "False", "NO", "'off'", "n"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct config *c;

		snprintf(text, sizeof(text), "dns: { log-queries: %s }\n", yes[i]);
		c = case_good(text);
		assert_true(c->dns.log_queries);
		config_free(c);
		snprintf(text, sizeof(text), "dns: { cookies: %s }\n", no[i]);
		c = case_good(text);
		assert_false(c->dns.cookies);
		config_free(c);
	}
}

static void durations_and_sizes_take_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} cases[] = {{"90", 90}, {"90s", 90}, {"2m", 120}, {"1h", 3600}, {"1d", 86400},
		{"1h30m", 5400}, {"0", 0}, {"off", 0}, {"no", 0}, {"1W", 604800}};
	char text[64];
	struct config *c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "dns: { serve-stale: %s }\n", cases[i].text);
		c = case_good(text);
		assert_int_equal(c->dns.serve_stale_s, cases[i].seconds);
		config_free(c);
	}
	c = case_good("dns: { cache-size: 2097152 }\n");
	assert_int_equal(c->dns.cache_size, 2 << 20);
	config_free(c);
	c = case_good("dns: { cache-size: 1g }\n");
	assert_int_equal(c->dns.cache_size, 1 << 30);
	config_free(c);
	c = case_good("lan: { a: { subnet: 10.0.0.0/24, lease: infinite } }\n");
	assert_int_equal(c->lan[0].lease_s, CONFIG_INFINITE);
	config_free(c);
	case_says("dns: { serve-stale: 8d }\n",
		":1:21: dns.serve-stale: \"8d\" is out of range: 0 to 1w\n");
	case_says("dns: { serve-stale: 99999999999999999999w }\n",
		":1:21: dns.serve-stale: \"99999999999999999999w\" is out of range: 0 to 1w\n");
	case_says("dns: { serve-stale: 1h30 }\n", ":1:21: dns.serve-stale: expected a duration "
						  "such as 12h (s, m, h, d, w; a bare number "
						  "is seconds), found \"1h30\"\n");
	case_says("dns: { cache-size: 1T }\n", ":1:20: dns.cache-size: expected a size such as 64M "
					       "(K, M, G; a bare number is bytes), "
					       "found \"1T\"\n");
	case_says("dns: { workers: -1 }\n",
		":1:17: dns.workers: expected a whole number, found \"-1\"\n");
}

static void addresses_explain_themselves(void **state)
{
	(void)state;
	case_says("lan: { a: { subnet: 192.168.1.7/24 } }\n",
		":1:21: lan.a.subnet: \"192.168.1.7/24\" is an address; the network is "
		"192.168.1.0/24\n");
	case_says("lan: { a: { subnet: 192.168.1.0 } }\n",
		":1:21: lan.a.subnet: \"192.168.1.0\" lacks its length, as in 192.168.1.0/24\n");
	case_says("lan: { a: { subnet: \"fd00::/64\" } }\n",
		":1:21: lan.a.subnet: \"fd00::/64\" is an IPv6 network; an IPv4 one is expected "
		"here\n");
	case_says("lan: { a: { subnet: 10.0.0.0/24, pool: 10.0.0.9-10.0.0.2 } }\n",
		":1:40: lan.a.pool: the first address, 10.0.0.9, is above the last, 10.0.0.2\n");
	case_says("lan: { a: { subnet: 10.0.0.0/24, pool: \"10.0.0.2,10.0.0.9\" } }\n",
		":1:40: lan.a.pool: \"10.0.0.2,10.0.0.9\": put a - between the first and the last "
		"address\n");
	case_says("dns: { listen: localhost }\n",
		":1:16: dns.listen: expected an address with or without a port, such as 10.0.0.53, "
		"\"10.0.0.53:5353\" or \"[::1]:53\", found \"localhost\"\n");
	case_says("device: { a: { mac: 00:11:22:33:44 } }\n",
		":1:21: device.a.mac: \"00:11:22:33:44\" has 5 bytes; a hardware address has 6\n");
}

static void names_are_checked_and_lowered(void **state)
{
	struct config *c = case_good("dns: { rebind-allow: [ PLEX.Direct., _x.example ] }\n");

	(void)state;
	assert_string_equal(c->dns.rebind_allow[0], "plex.direct");
	assert_string_equal(c->dns.rebind_allow[1], "_x.example");
	config_free(c);
	case_says("domain: \"*.x\"\n", ":1:9: domain: \"*.x\": a * may only stand for the whole "
				       "first label of a record\n");
	case_says("record: { \"a.*.x\": { a: 10.0.0.1 } }\n",
		":1:11: record: \"a.*.x\": a * may only stand for the whole first label\n");
	case_says("domain: b\xc3\xbc"
		  "cher.example\n",
		":1:9: domain: \"b\xc3\xbc"
		"cher.example\" has letters beyond a-z; write its xn-- form\n");
	case_says("domain: a b\n", ":1:9: domain: \"a b\" has a space in it\n");
	case_says("device: { nas.lan: { address: 10.0.0.1 } }\n",
		":1:11: device: \"nas.lan\": a host name is one label; the domain comes from the "
		"lan\n");
	case_says("lan: { a: { interface: averyverylonginterface, subnet: 10.0.0.0/24 } }\n",
		":1:24: lan.a.interface: \"averyverylonginterface\" is longer than the 15 "
		"characters of "
		"an interface name\n");
}

static void a_word_out_of_a_set_names_the_set(void **state)
{
	(void)state;
	case_says("log: { level: warning }\n", ":1:15: log.level: \"warning\" is not one of error, "
					       "warn, info, debug; did you mean "
					       "warn?\n");
	case_says("log: { to: stdout }\n",
		":1:12: log.to: \"stdout\" is neither stderr nor syslog nor a path with a /\n");
	case_says("dns: { cache-clock: sundial }\n",
		":1:21: dns.cache-clock: \"sundial\" is not one of monotonic, wall\n");
}

static void what_is_not_built_warns_when_asked_for(void **state)
{
	(void)state;
	case_says("block: { lists: /x, answer: null }\n",
		":1:1: warning: block is not built yet and does nothing\n");
	case_says("lan: { a: { subnet: 10.0.0.0/24, ra: no, managed: no } }\nblock:\n", "");
	case_says("dns: { ratelimit: 10 }\n",
		":1:8: warning: dns.ratelimit is not built yet and does nothing\n");
	case_says("dns: { ratelimit: off }\n", "");
}

static void syntax_errors_guess_the_cause(void **state)
{
	(void)state;
	case_says(
		"dns:\n\tworkers: 2\n", ":2:1: a tab stands here; YAML is indented with spaces\n");
	case_says("record:\n  *.x: { a: 10.0.0.1 }\n", ":2:4: a name that begins with * or & must "
						       "be put in quotes: \"*.apps.home.arpa\"\n");
	case_says("a: b: c\n",
		":1:5: a second \": \" on one line, or this line is indented too far; "
		"put text that holds \": \" in quotes\n");
	case_says("dns: { listen: [ ::1 ] }\n",
		":1:18: inside [ ] and { } text that begins with a colon must be put in quotes: "
		"\"::1\"\n");
	case_says("dns: { workers: 1\nhosts: x\n", ":2:6: a map that began with { lacks a comma or "
						   "its } (the block began at line 1)\n");
	case_says("domain: \xff\xfe\n", ":1:9: the text is not UTF-8\n");
	case_says("domain: a\n---\ndomain: b\n",
		":2:1: a second document (---) begins here; one is "
		"read\n");
	case_says("domain: !!int 5\n", ":1:9: tags (such as !!int) are not used here\n");
	case_says("domain: \"a\\tb\"\n",
		":1:9: a control character or line break is inside this text\n");
}

static void aliases_and_merges_save_repetition(void **state)
{
	struct config *c = case_good("lan:\n"
				     "  a: &a\n"
				     "    subnet: 10.0.0.0/24\n"
				     "    lease: 1h\n"
				     "    boot: &boot { bios: x.0, server: 10.0.0.9 }\n"
				     "  b: { <<: *a, subnet: 10.0.1.0/24 }\n"
				     "  c: { subnet: 10.0.2.0/24, boot: *boot }\n");

	(void)state;
	assert_int_equal(c->lan[1].lease_s, 3600);
	assert_string_equal(c->lan[1].boot.bios, "x.0");
	assert_int_equal(c->lan[1].subnet.ip.bytes[2], 1);
	assert_string_equal(c->lan[2].boot.bios, "x.0");
	config_free(c);
}

static void a_bomb_of_aliases_ends_in_a_message(void **state)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;
	char *text = calloc(1, 200 * 1024);
	char *said;

	(void)state;
	strcpy(text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++) {
		char line[128];

		snprintf(line, sizeof(line), "a%d: &a%d [*a%d", i, i, i - 1);
		strcat(text, line);
		for (int j = 0; j < 9; j++) {
			snprintf(line, sizeof(line), ", *a%d", i - 1);
			strcat(text, line);
		}
		strcat(text, "]\n");
	}
	assert_int_equal(config_load_text("t", text, strlen(text), &c, &rep), ERR_MALFORMED);
	said = case_messages(&rep);
	assert_non_null(strstr(said, "too much in one configuration"));
	free(said);
	config_report_fini(&rep);
	/* One long text and many aliases of it. */
	strcpy(text, "a: &a \"");
	memset(text + strlen(text), 'x', 100 * 1024);
	strcat(text, "\"\nb: [");
	for (int i = 0; i < 10000; i++)
		strcat(text + 100 * 1024, "*a ,");
	strcat(text, "]\n");
	assert_int_equal(config_load_text("t", text, strlen(text), &c, &rep), ERR_MALFORMED);
	said = case_messages(&rep);
	assert_non_null(strstr(said, "too much in one configuration"));
	free(said);
	config_report_fini(&rep);
	free(text);
	case_says("hosts: &a [ *a ]\n", ":1:8: nested too deeply (does an alias hold itself?)\n");
}

static void a_report_is_bounded_and_counts_the_rest(void **state)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;
	char *text = NULL, *said;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	for (int i = 0; i < 1000; i++)
		fprintf(f, "key%d: 1\n", i);
	fclose(f);
	assert_int_equal(config_load_text("t", text, len, &c, &rep), ERR_MALFORMED);
	assert_int_equal(rep.n, CONFIG_REPORT_MAX);
	assert_int_equal(rep.n_errors, 1000);
	said = case_messages(&rep);
	assert_non_null(strstr(said, "... and 800 more\n"));
	free(said);
	free(text);
	config_report_fini(&rep);
}

static void records_take_any_type_as_text(void **state)
{
	struct config *c = case_good("record:\n"
				     "  a.home.arpa:\n"
				     "    rr: [ \"sshfp 4 2 1234\", \"TYPE65280 \\\\# 0\" ]\n"
				     "    ptr: no\n"
				     "  b.home.arpa:\n"
				     "    rr: { tlsa: [ 3 1 1 aa, 3 1 1 bb ], loc: 1 N }\n"
				     "  10.1.168.192.in-addr.arpa: { ptr: nas.home.arpa }\n");

	(void)state;
	assert_string_equal(c->record[0].rr[0], "SSHFP 4 2 1234");
	assert_string_equal(c->record[0].rr[1], "TYPE65280 \\# 0");
	assert_false(c->record[0].ptr.from_addresses);
	assert_int_equal(c->record[1].n_rr, 3);
	assert_string_equal(c->record[1].rr[1], "TLSA 3 1 1 bb");
	assert_string_equal(c->record[1].rr[2], "LOC 1 N");
	assert_string_equal(c->record[2].ptr.target, "nas.home.arpa");
	config_free(c);
	case_says("record: { a: { rr: SSHFP } }\n", ":1:20: record.a.rr: expected a type and its "
						    "data such as \"SSHFP 4 2 123456\", found "
						    "\"SSHFP\"\n");
}

static void classes_take_words_numbers_and_bytes(void **state)
{
	char *said;
	struct config *c =
		case_load("class:\n"
			  "  c:\n"
			  "    arch: [ uefi, 16, 0 ]\n"
			  "    mac: [ 00:11:22, \"52-54:1\", \"aa:bb:*:*:*:*\" ]\n"
			  "    circuit-id: [ port7, \"00:01\", \"hex:dead\", \"text:a:b\" ]\n"
			  "    local-mac: true\n",
			&said);

	(void)state;
	assert_null(c); /* 52-54:* mixes separators */
	free(said);
	c = case_load("class:\n"
		      "  c:\n"
		      "    arch: [ uefi, 16, 0 ]\n"
		      "    mac: [ 00:11:22, \"52-54\", \"aa:bb:*:*:*:*\" ]\n"
		      "    circuit-id: [ port7, \"00:01\", \"hex:dead\", \"text:a:b\" ]\n"
		      "    local-mac: true\n",
		&said);
	assert_non_null(c);
	free(said);
	assert_int_equal(c->class[0].arch[0], CONFIG_ARCH_UEFI);
	assert_int_equal(c->class[0].arch[1], 16);
	assert_int_equal(c->class[0].mac[0].len, 3);
	assert_int_equal(c->class[0].mac[1].len, 2);
	assert_int_equal(c->class[0].mac[2].len, 2);
	assert_int_equal(c->class[0].circuit_id[0].len, 5);
	assert_int_equal(c->class[0].circuit_id[1].len, 2);
	assert_memory_equal(c->class[0].circuit_id[2].data, "\xde\xad", 2);
	assert_memory_equal(c->class[0].circuit_id[3].data, "a:b", 3);
	assert_int_equal(c->class[0].local_mac, CONFIG_LOCAL_YES);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_key_names_the_nearest),
		cmocka_unit_test(all_errors_come_at_once_in_order),
		cmocka_unit_test(a_key_given_twice_is_an_error),
		cmocka_unit_test(a_wrong_type_says_what_was_expected),
		cmocka_unit_test(a_single_value_is_a_list_of_one),
		cmocka_unit_test(booleans_are_those_of_yaml),
		cmocka_unit_test(durations_and_sizes_take_units),
		cmocka_unit_test(addresses_explain_themselves),
		cmocka_unit_test(names_are_checked_and_lowered),
		cmocka_unit_test(a_word_out_of_a_set_names_the_set),
		cmocka_unit_test(what_is_not_built_warns_when_asked_for),
		cmocka_unit_test(syntax_errors_guess_the_cause),
		cmocka_unit_test(aliases_and_merges_save_repetition),
		cmocka_unit_test(a_bomb_of_aliases_ends_in_a_message),
		cmocka_unit_test(a_report_is_bounded_and_counts_the_rest),
		cmocka_unit_test(records_take_any_type_as_text),
		cmocka_unit_test(classes_take_words_numbers_and_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
