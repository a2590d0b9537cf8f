/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/daemon/config_case.h"

#include "base/codec.h"
#include "daemon/config_options.h"

/* The options of lan.a as "code=hex", blank separated, ! where forced. */
static char *encode(const char *options)
{
	char *yaml = xasprintf("lan: { a: { subnet: 10.0.0.0/24, option: %s } }\n", options);
	struct config *c = case_good(yaml);
	char *text = NULL, hex[2048];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; i < c->lan[0].n_option; i++) {
		const struct config_option *o = &c->lan[0].option[i];

		fprintf(f, "%s%u%s=%s", i ? " " : "", o->code, o->force ? "!" : "",
			codec_hex(o->data, o->len, 0, hex, sizeof(hex)));
	}
	fclose(f);
	config_free(c);
	xfree(yaml);
	return text;
}

static void check_encoded(const char *options, const char *expected)
{
	char *got = encode(options);

	assert_string_equal(got, expected);
	free(got);
}

static void says(const char *options, const char *expected)
{
	char *yaml = xasprintf("lan:\n  a:\n    subnet: 10.0.0.0/24\n    option: %s\n", options);

	case_says(yaml, expected);
	xfree(yaml);
}

static void names_and_numbers_mean_the_same(void **state)
{
	(void)state;
	check_encoded("{ ntp-server: 1.2.3.4 }", "42=01020304");
	check_encoded("{ NTP-Servers: [ 1.2.3.4, 1.2.3.5 ] }", "42=0102030401020305");
	check_encoded("{ 42: 1.2.3.4 }", "42=01020304");
	check_encoded("{ router: 10.0.0.1, dns-servers: 10.0.0.2 }", "3=0a000001 6=0a000002");
}

static void each_type_has_its_bytes(void **state)
{
	(void)state;
	check_encoded("{ mtu: 1500 }", "26=05dc");
	check_encoded("{ default-ttl: 64 }", "23=40");
	check_encoded("{ arp-timeout: 70000 }", "35=00011170");
	check_encoded("{ time-offset: -3600 }", "2=fffff1f0");
	check_encoded("{ time-offset: 3600 }", "2=00000e10");
	check_encoded("{ ip-forwarding: yes, 27: 0 }", "19=01 27=00");
	check_encoded("{ domain-name: lan }", "15=6c616e");
	check_encoded("{ wpad-url: \"http://w/p\" }", "252=687474703a2f2f772f70");
	check_encoded("{ path-mtu-plateau-table: [ 68, 1500 ] }", "25=004405dc");
	check_encoded("{ policy-filter: \"10.0.0.1 10.0.0.2\" }", "21=0a0000010a000002");
	check_encoded("{ vendor-encap: hex:01:02 }", "43=0102");
	check_encoded("{ v6-only: 1800 }", "108=00000708");
	check_encoded("{ captive-portal: \"https://p\" }", "114=68747470733a2f2f70");
}

static void a_search_list_is_labels(void **state)
{
	(void)state;
	check_encoded("{ domain-search: [ Home.Arpa, x. ] }", "119=04686f6d650461727061000178"
							      "00");
}

static void routes_are_as_long_as_their_prefix(void **state)
{
	(void)state;
	check_encoded("{ static-route: [ \"10.0.0.0/8 via 10.0.0.1\", \"default 10.0.0.2\" ] }",
		"121=080a0a000001000a000002");
	check_encoded("{ 121: \"192.168.1.128/25,10.0.0.1\" }", "121=19c0a801800a000001");
	check_encoded("{ 249: \"0.0.0.0/0 via 10.0.0.1\" }", "249=000a000001");
}

static void a_value_may_say_its_type(void **state)
{
	(void)state;
	check_encoded("{ 224: u8:7, 225: u16:7, 226: u32:7, 227: text:7, 228: hex:07 }",
		"224=07 225=0007 226=00000007 227=37 228=07");
	check_encoded("{ 224: [ u8:1, ip:10.0.0.1, text:ab ] }", "224=010a0000016162");
	check_encoded("{ 224: 10.0.0.1, 225: [ 10.0.0.1, 10.0.0.2 ], 226: words here }",
		"224=0a000001 225=0a0000010a000002 226=776f7264732068657265");
	check_encoded("{ ntp-server: hex:ff }", "42=ff");
}

static void an_empty_list_suppresses_and_force_forces(void **state)
{
	(void)state;
	check_encoded("{ router: [] }", "3=");
	check_encoded("{ 252: { value: x, force: yes }, 3: { value: [] } }", "252!=78 3=");
}

static void mistakes_are_told_apart(void **state)
{
	(void)state;
	says("{ ntp-serves: 1.2.3.4 }", ":4:15: lan.a.option: no DHCP option is called "
					"\"ntp-serves\"; did you mean \"ntp-server\"?\n");
	says("{ quux: 1 }", ":4:15: lan.a.option: no DHCP option is called \"quux\"; a number "
			    "from 1 to 254 will do\n");
	says("{ 255: 1 }", ":4:15: lan.a.option: no DHCP option is called \"255\"; a number from "
			   "1 to 254 will do\n");
	says("{ 51: 3600 }",
		":4:15: lan.a.option.51: option 51 cannot be set: set \"lease\" instead\n");
	says("{ 42: 1.2.3.4, ntp: 1.2.3.5 }",
		":4:28: lan.a.option.ntp: option 42 is given twice\n");
	says("{ mtu: 70000 }", ":4:20: lan.a.option.mtu: expected a number from 0 to 65535, "
			       "found \"70000\"\n");
	says("{ mtu: [ 1, 2 ] }", ":4:25: lan.a.option.mtu: it takes one value\n");
	says("{ broadcast: [ 10.0.0.1, 10.0.0.2 ] }",
		":4:38: lan.a.option.broadcast: it takes one value\n");
	says("{ 224: 5 }", ":4:20: lan.a.option.224: option 224 is not known here; say how many "
			   "bytes \"5\" has: u8:5, u16:5 or u32:5\n");
	says("{ router: }",
		":4:23: lan.a.option.router: expected a value (or [] to never send it)\n");
	says("{ router: here }", ":4:23: lan.a.option.router: expected an IPv4 address such as "
				 "192.168.1.1, found \"here\"\n");
	says("{ 43: abc }", ":4:19: lan.a.option.43: its bytes are written hex:0102ff, or "
			    "text:abc; found \"abc\"\n");
	says("{ 3: { valu: 1.2.3.4 } }",
		":4:18: lan.a.option.3: \"value\" is missing\n"
		":4:20: lan.a.option.3: only \"value\" and \"force\" are known here\n");
	says("{ static-route: 10.0.0.1/8 10.0.0.1 }",
		":4:29: lan.a.option.static-route: \"10.0.0.1/8\" is not a network such as "
		"10.0.0.0/8: \"10.0.0.1/8\" is an address; the network is 10.0.0.0/8\n");
	says("[ router ]", ":4:13: lan.a.option: expected options as NAME: VALUE\n");
}

static void too_long_a_value_is_refused(void **state)
{
	char *text = NULL, *options;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	fputs("[ 10.0.0.1", f);
	for (int i = 0; i < 255; i++)
		fputs(", 10.0.0.1", f);
	fputs(" ]", f);
	fclose(f);
	options = xasprintf("{ 42: %s }", text);
	says(options, ":4:19: lan.a.option.42: it is longer than 1020 bytes\n");
	xfree(options);
	free(text);
}

/* What is written out reads back to the same bytes, for every option of the table and any bytes. */
static void writing_reads_back(void **state)
{
	static const struct config_option cases[] = {
		{.code = 3, .data = (const uint8_t *)"\x0a\x00\x00\x01", .len = 4},
		{.code = 3, .data = (const uint8_t *)"\x0a\x00\x00", .len = 3},
		{.code = 26, .data = (const uint8_t *)"\x05\xdc", .len = 2},
		{.code = 15, .data = (const uint8_t *)"a\"b\\c", .len = 5},
		{.code = 15, .data = (const uint8_t *)"hex:1", .len = 5},
		{.code = 15, .data = (const uint8_t *)"a\nb", .len = 3},
		{.code = 15, .data = (const uint8_t *)"no", .len = 2},
		{.code = 19, .data = (const uint8_t *)"\x02", .len = 1},
		{.code = 19, .data = (const uint8_t *)"\x01", .len = 1, .force = true},
		{.code = 2, .data = (const uint8_t *)"\x80\x00\x00\x00", .len = 4},
		{.code = 119,
			.data = (const uint8_t *)"\x01"
						 "a\x00\x02"
						 "bc\x01"
						 "d\x00",
			.len = 9},
		{.code = 119,
			.data = (const uint8_t *)"\x01"
						 "A\x00",
			.len = 3},
		{.code = 119, .data = (const uint8_t *)"\x00", .len = 1},
		{.code = 121, .data = (const uint8_t *)"\x00\x0a\x00\x00\x01", .len = 5},
		{.code = 121, .data = (const uint8_t *)"\x01\xff\x0a\x00\x00\x01", .len = 6},
		{.code = 200, .data = (const uint8_t *)"\x00\xff", .len = 2},
		{.code = 252, .data = NULL, .len = 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL, *got, *expected, hex[64], number[4], *options;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		config_options_write(&cases[i], f);
		fclose(f);
		options = xasprintf("{ %s: %s }", config_options_name(cases[i].code, number), text);
		got = encode(options);
		expected = xasprintf("%u%s=%s", cases[i].code, cases[i].force ? "!" : "",
			codec_hex(cases[i].data, cases[i].len, 0, hex, sizeof(hex)));
		assert_string_equal(got, expected);
		xfree(options);
		xfree(expected);
		free(got);
		free(text);
	}
}

static void no_name_stands_for_two_codes(void **state)
{
	size_t n;
	const struct config_option_row *rows = config_options_list(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || rows[i].code > rows[i - 1].code);
		assert_null(config_options_reserved(rows[i].code));
		for (size_t j = 0; j < CONFIG_OPTION_NAMES_MAX && rows[i].name[j]; j++)
			assert_int_equal(config_options_code(rows[i].name[j]), rows[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_mean_the_same),
		cmocka_unit_test(each_type_has_its_bytes),
		cmocka_unit_test(a_search_list_is_labels),
		cmocka_unit_test(routes_are_as_long_as_their_prefix),
		cmocka_unit_test(a_value_may_say_its_type),
		cmocka_unit_test(an_empty_list_suppresses_and_force_forces),
		cmocka_unit_test(mistakes_are_told_apart),
		cmocka_unit_test(too_long_a_value_is_refused),
		cmocka_unit_test(writing_reads_back),
		cmocka_unit_test(no_name_stands_for_two_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
