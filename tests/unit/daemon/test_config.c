/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/daemon/config_case.h"

#include <sys/stat.h>
#include <unistd.h>

static const char SAMPLE[] = "state-dir: /var/lib/lanthorn\n"
			     "domain: Home.Arpa.\n"
			     "dns:\n"
			     "  listen: [ \"0.0.0.0:53\", \"[::]:5353\" ]\n"
			     "  workers: 2\n"
			     "  cache-size: 64M\n"
			     "  allow: [ 192.168.1.0/24 ]\n"
			     "  root-hints: root.hints\n"
			     "forward:\n"
			     "  Corp.Example: { to: [ 10.0.0.53, \"10.0.0.54:5353\" ] }\n"
			     "  \".\": { to: 9.9.9.9 }\n"
			     "hosts: [ /etc/hosts, hosts ]\n"
			     "record:\n"
			     "  \"*.apps.home.arpa\": { a: 192.168.1.10, txt: [ one, two ] }\n"
			     "lan:\n"
			     "  br0:\n"
			     "    subnet: 192.168.1.0/24\n"
			     "    pool: [ 192.168.1.100 - 192.168.1.199 ]\n"
			     "    router: 192.168.1.1\n"
			     "    device:\n"
			     "      NAS: { mac: [ \"00:11:22:33:44:55\", 0-11-22-33-44-56 ],\n"
			     "             address: 192.168.1.10, client-id: \"01:00:11\" }\n"
			     "    option: { ntp-servers: [ 192.168.1.1 ] }\n"
			     "    boot: { bios: pxelinux.0, uefi: shimx64.efi, http: \"\" }\n"
			     "boot: { root: /srv/boot }\n";

static void the_sample_becomes_typed_fields(void **state)
{
	struct config *c = case_good(SAMPLE);
	const struct config_lan *lan = &c->lan[0];

	(void)state;
	assert_string_equal(c->domain, "home.arpa");
	assert_int_equal(c->dns.n_listen, 2);
	assert_int_equal(c->dns.listen[0].port, 53);
	assert_int_equal(c->dns.listen[1].port, 5353);
	assert_int_equal(c->dns.listen[1].ip.family, AF_INET6);
	assert_int_equal(c->dns.workers, 2);
	assert_int_equal(c->dns.cache_size, 64 << 20);
	assert_int_equal(c->dns.allow[0].len, 24);
	assert_string_equal(c->dns.root_hints, "/etc/root.hints");
	assert_string_equal(c->forward[0].name, "corp.example");
	assert_int_equal(c->forward[0].to[0].port, 53);
	assert_int_equal(c->forward[0].to[1].port, 5353);
	assert_false(c->forward[0].validate); /* all private */
	assert_true(c->forward[1].validate);
	assert_string_equal(c->forward[1].name, ".");
	assert_string_equal(c->hosts[0], "/etc/hosts");
	assert_string_equal(c->hosts[1], "/etc/hosts");
	assert_string_equal(c->record[0].name, "*.apps.home.arpa");
	assert_int_equal(c->record[0].n_txt, 2);
	assert_int_equal(c->record[0].ttl_s, 300);
	assert_true(c->record[0].ptr.from_addresses);
	assert_int_equal(c->n_lan, 1);
	assert_string_equal(lan->interface, "br0");
	assert_string_equal(lan->domain, "home.arpa");
	assert_string_equal(case_ip(&lan->pool[0].first), "192.168.1.100");
	assert_string_equal(case_ip(&lan->pool[0].last), "192.168.1.199");
	assert_int_equal(lan->lease_s, 43200);
	assert_int_equal(lan->min_lease_s, 120);
	assert_int_equal(lan->max_lease_s, 43200);
	assert_string_equal(lan->device[0].name, "nas");
	assert_int_equal(lan->device[0].n_mac, 2);
	assert_memory_equal(lan->device[0].mac[1].bytes, "\x00\x11\x22\x33\x44\x56", 6);
	assert_int_equal(lan->device[0].client_id.len, 3);
	assert_int_equal(lan->option[0].code, 42);
	assert_memory_equal(lan->option[0].data, "\xc0\xa8\x01\x01", 4);
	assert_string_equal(lan->boot.bios, "pxelinux.0");
	assert_null(lan->boot.http);
	assert_true(lan->probe && lan->rapid_commit && lan->authoritative);
	assert_false(lan->ra);
	assert_string_equal(c->boot.root, "/srv/boot");
	config_free(c);
}

static void without_a_file_it_is_a_validating_resolver(void **state)
{
	struct config *c = config_default();

	(void)state;
	assert_string_equal(c->state_dir, "/var/lib/lanthorn");
	assert_string_equal(c->domain, "home.arpa");
	assert_string_equal(c->user, "lanthorn");
	assert_true(c->sandbox);
	assert_true(c->dns.validate);
	assert_int_equal(c->dns.n_listen, 0);
	assert_int_equal(c->dns.workers, 0);
	assert_int_equal(c->dns.cache_size, 128 << 20);
	assert_int_equal(c->dns.serve_stale_s, 86400);
	assert_int_equal(c->dns.max_ttl_s, 86400);
	assert_int_equal(c->dns.max_negative_ttl_s, 3600);
	assert_int_equal(c->dns.edns_size, 1232);
	assert_int_equal(c->dns.ratelimit, 0);
	assert_int_equal(c->dns.signature_skew_s, 3600);
	assert_int_equal(c->dns.cache_clock, CONFIG_CLOCK_MONOTONIC);
	assert_false(c->dns.query_localhost);
	assert_int_equal(c->n_lan + c->n_forward + c->n_hosts + c->n_device, 0);
	assert_null(c->boot.root);
	assert_int_equal(c->http.listen.ip.family, 0);
	assert_int_equal(c->log.level, CONFIG_LOG_INFO);
	assert_null(c->log.to);
	assert_int_equal(c->n_source, 0);
	assert_false(config_is_set(c, &c->dns.workers));
	config_free(c);
}

static void an_empty_file_is_as_none(void **state)
{
	static const char *const empty[] = {
		"", "\n", "# nothing\n", "---\n", "~\n", "dns:\nlan:\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		config_free(case_good(empty[i]));
}

static void every_field_knows_where_it_was_written(void **state)
{
	struct config *c = case_good(SAMPLE);
	struct config_where w = config_where(c, &c->dns.workers);

	(void)state;
	assert_string_equal(w.file, "/etc/t.yaml");
	assert_int_equal(w.line, 5);
	assert_int_equal(w.column, 12);
	w = config_where(c, &c->lan[0]);
	assert_int_equal(w.line, 16);
	assert_int_equal(w.column, 3);
	w = config_where(c, &c->lan[0].device[0].mac[1]);
	assert_int_equal(w.line, 21);
	assert_int_equal(w.column, 42);
	assert_int_equal(config_where(c, &c->dns.prefetch).line, 0);
	config_free(c);
}

/* Included files. */

static char dir[] = "/tmp/lanthorn-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/lanthorn-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"main.yaml", "a.yaml", "b.yaml"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct config *load_main(char **said)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/main.yaml", dir);
	err = config_load(path, &c, &rep);
	assert_int_equal(err, rep.n_errors ? ERR_MALFORMED : 0);
	*said = case_messages(&rep);
	config_report_fini(&rep);
	return c;
}

static void included_files_add_to_what_stands(void **state)
{
	char *said, expected[128];
	struct config *c;

	(void)state;
	write_file("main.yaml", "include: [ a.yaml ]\n"
				"hosts: h1\n"
				"lan: { br0: { subnet: 10.0.0.0/24 } }\n");
	write_file("a.yaml", "include: b.yaml\n"
			     "hosts: h2\n"
			     "lan: { br0: { router: 10.0.0.1 }, br1: { subnet: 10.0.1.0/24 } }\n");
	write_file("b.yaml", "hosts: [ h3 ]\n"
			     "dns: { workers: 3 }\n");
	c = load_main(&said);
	assert_string_equal(said, "");
	assert_int_equal(c->n_hosts, 3);
	snprintf(expected, sizeof(expected), "%s/h3", dir);
	assert_string_equal(c->hosts[2], expected);
	assert_int_equal(c->n_lan, 2);
	assert_string_equal(case_ip(&c->lan[0].router), "10.0.0.1");
	assert_int_equal(c->dns.workers, 3);
	assert_int_equal(c->n_source, 3);
	assert_non_null(strstr(config_where(c, &c->lan[0].router).file, "a.yaml"));
	assert_int_equal(config_where(c, &c->lan[0].router).line, 3);
	config_free(c);
	free(said);
}

static void one_value_in_two_files_is_an_error(void **state)
{
	char *said;

	(void)state;
	write_file("main.yaml", "include: a.yaml\ndns: { workers: 1 }\n");
	write_file("a.yaml", "\ndns: { workers: 2 }\n");
	assert_null(load_main(&said));
	assert_non_null(strstr(said, "a.yaml:2:17: dns.workers is given again; first at"));
	assert_non_null(strstr(said, "main.yaml:2"));
	free(said);
}

static void a_file_that_includes_itself_is_an_error(void **state)
{
	char *said;

	(void)state;
	write_file("main.yaml", "include: a.yaml\n");
	write_file("a.yaml", "include: [ b.yaml, main.yaml, nowhere.yaml ]\n");
	write_file("b.yaml", "include: a.yaml\n");
	assert_null(load_main(&said));
	assert_non_null(strstr(said, "b.yaml:1:10: include: "));
	assert_non_null(strstr(said, "a.yaml is part of this configuration already"));
	assert_non_null(strstr(said, "main.yaml is part of this configuration already"));
	assert_non_null(strstr(said, "nowhere.yaml: there is no such file"));
	free(said);
}

static void a_missing_main_file_says_so(void **state)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;
	char *said;

	(void)state;
	assert_int_equal(config_load("/nowhere/x.yaml", &c, &rep), ERR_ABSENT);
	said = case_messages(&rep);
	assert_string_equal(said, "/nowhere/x.yaml: there is no such file\n");
	assert_null(c);
	free(said);
	config_report_fini(&rep);
	assert_int_equal(config_load("/", &c, &rep), ERR_UNSUPPORTED);
	config_report_fini(&rep);
}

static void an_image_loads_without_the_disk(void **state)
{
	struct config_report rep = {.n = 0};
	struct config *c, *again = NULL;
	uint8_t *image;
	char *said, *a, *b;
	size_t len;

	(void)state;
	write_file("main.yaml", "include: [ a.yaml ]\nhosts: h1\n");
	write_file("a.yaml", "dns: { workers: 7 }\n");
	c = load_main(&said);
	free(said);
	config_image_write(c, &image, &len);
	write_file("a.yaml", "dns: { workers: broken }\n");
	assert_int_equal(config_image_load(image, len, &again, &rep), 0);
	assert_int_equal(again->dns.workers, 7);
	a = case_dump(c);
	b = case_dump(again);
	assert_string_equal(a, b);
	config_free(again);
	free(a);
	free(b);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(config_image_load(image, cut, &again, &rep), 0);
	image[4]++;
	assert_int_equal(config_image_load(image, len, &again, &rep), ERR_VERSION);
	config_report_fini(&rep);
	xfree(image);
	config_free(c);
}

static void the_image_of_no_file_is_the_default(void **state)
{
	struct config_report rep = {.n = 0};
	struct config *c = config_default(), *again = NULL;
	uint8_t *image;
	size_t len;

	(void)state;
	config_image_write(c, &image, &len);
	assert_int_equal(config_image_load(image, len, &again, &rep), 0);
	assert_int_equal(again->dns.edns_size, 1232);
	config_free(again);
	config_free(c);
	xfree(image);
}

static void the_commented_example_loads_without_a_word(void **state)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;
	char path[4096], *said;
	char *end;

	(void)state;
	snprintf(path, sizeof(path), "%s", __FILE__);
	end = strstr(path, "/tests/unit/daemon/");
	assert_non_null(end);
	strcpy(end, "/contrib/lanthorn.yaml.example");
	assert_int_equal(config_load(path, &c, &rep), 0);
	said = case_messages(&rep);
	assert_string_equal(said, "");
	assert_string_equal(c->lan[0].device[1].name, "printer");
	free(said);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_becomes_typed_fields),
		cmocka_unit_test(without_a_file_it_is_a_validating_resolver),
		cmocka_unit_test(an_empty_file_is_as_none),
		cmocka_unit_test(every_field_knows_where_it_was_written),
		cmocka_unit_test_setup_teardown(
			included_files_add_to_what_stands, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			one_value_in_two_files_is_an_error, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			a_file_that_includes_itself_is_an_error, make_dir, remove_dir),
		cmocka_unit_test(a_missing_main_file_says_so),
		cmocka_unit_test_setup_teardown(
			an_image_loads_without_the_disk, make_dir, remove_dir),
		cmocka_unit_test(the_image_of_no_file_is_the_default),
		cmocka_unit_test(the_commented_example_loads_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
