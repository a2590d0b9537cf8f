/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/daemon/config_case.h"

#include "daemon/import_dnsmasq_leases.h"

static struct import_leases leases;
static char *said;

static void read_text(const char *text)
{
	struct config_report rep = {.n = 0};

	assert_int_equal(import_leases_read("l", text, strlen(text), &leases, &rep), 0);
	said = case_messages(&rep);
	config_report_fini(&rep);
}

static int tidy(void **state)
{
	(void)state;
	import_leases_fini(&leases);
	free(said);
	said = NULL;
	return 0;
}

static void a_line_becomes_a_lease(void **state)
{
	const struct import_lease *l;

	(void)state;
	read_text("1763635200 00:11:22:33:44:55 192.168.1.100 laptop 01:00:11:22:33:44:55\n"
		  "0 0:1:2:3:4:5 192.168.1.101 * *\n"
		  "17 20-80:00:00:48:fe:80 10.0.0.3 Name_1 ff:00\n"
		  "17 * 10.0.0.4 x 00:61\n");
	assert_string_equal(said, "");
	assert_int_equal(leases.n, 4);
	l = leases.list;
	assert_int_equal(l->expires_s, 1763635200);
	assert_int_equal(l->hw_len, 6);
	assert_int_equal(l->hw_type, 1);
	assert_memory_equal(l->hw, "\x00\x11\x22\x33\x44\x55", 6);
	assert_string_equal(case_ip(&l->ip), "192.168.1.100");
	assert_string_equal(l->hostname, "laptop");
	assert_int_equal(l->client_id_len, 7);
	assert_int_equal(l->client_id[0], 1);
	assert_int_equal(leases.list[1].expires_s, 0);
	assert_null(leases.list[1].hostname);
	assert_null(leases.list[1].client_id);
	assert_int_equal(leases.list[2].hw_type, 0x20);
	assert_int_equal(leases.list[2].line, 3);
	assert_int_equal(leases.list[3].hw_len, 0);
}

static void a_bad_line_is_named_and_the_rest_is_kept(void **state)
{
	(void)state;
	read_text("x 00:11:22:33:44:55 10.0.0.1 a *\n"
		  "\n"
		  "1 00:11:22:33:44:55 10.0.0.2 b *\r\n"
		  "1 00:11:22:33:44:55 10.0.0.300 c *\n"
		  "1 00:zz 10.0.0.3 d *\n"
		  "1 2 3\n"
		  "1 * 10.0.0.4 e *\n"
		  "1 00:11:22:33:44:55 10.0.0.5 f nothex\n"
		  "1 00:11:22:33:44:55 10.0.0.6 g");
	assert_int_equal(leases.n, 2);
	assert_string_equal(leases.list[0].hostname, "b");
	assert_string_equal(leases.list[1].hostname, "g");
	assert_string_equal(said,
		"l:1:1: the time of expiry is not a number; this lease is left out\n"
		"l:4:1: the address is none; this lease is left out\n"
		"l:5:1: the hardware address is none; this lease is left out\n"
		"l:6:1: expected \"EXPIRY MAC ADDRESS NAME CLIENT-ID\"; this lease is left out\n"
		"l:7:1: neither a hardware address nor a client-id tells whose it is; this lease "
		"is "
		"left out\n"
		"l:8:1: the client-id is not bytes as 01:00:11; this lease is left out\n");
}

static void the_ipv6_half_is_counted(void **state)
{
	(void)state;
	read_text("1 00:11:22:33:44:55 10.0.0.1 a *\n"
		  "duid 00:01:00:01:2b:aa:bb:cc:00:11:22:33:44:55\n"
		  "1763635200 287454020 fd00::100 laptop 00:01:00:01:aa\n"
		  "1763635200 T287454020 fd00::101 * 00:01:00:01:aa\n");
	assert_int_equal(leases.n, 1);
	assert_int_equal(leases.n_v6, 2);
	assert_string_equal(
		said, "l: warning: 2 DHCPv6 leases are left out: their clients ask again\n");
}

static void a_binary_file_only_brings_complaints(void **state)
{
	struct config_report rep = {.n = 0};
	static const char bytes[] = "1 00:11:22:33:44:55 10.0.0.1 a\0b *\n\xff\xfe\n";

	(void)state;
	assert_int_equal(import_leases_read("l", bytes, sizeof(bytes) - 1, &leases, &rep), 0);
	assert_int_equal(leases.n, 0);
	assert_int_equal(rep.n_errors, 2);
	config_report_fini(&rep);
}

static void a_missing_file_says_so(void **state)
{
	struct config_report rep = {.n = 0};

	(void)state;
	assert_int_equal(import_leases_load("/nowhere", &leases, &rep), ERR_ABSENT);
	assert_int_equal(rep.n_errors, 1);
	config_report_fini(&rep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_line_becomes_a_lease, tidy),
		cmocka_unit_test_teardown(a_bad_line_is_named_and_the_rest_is_kept, tidy),
		cmocka_unit_test_teardown(the_ipv6_half_is_counted, tidy),
		cmocka_unit_test_teardown(a_binary_file_only_brings_complaints, tidy),
		cmocka_unit_test_teardown(a_missing_file_says_so, tidy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
