/* SPDX-License-Identifier: Apache-2.0 */
/* Also keeps doc/man/lanthorn.yaml.5 and contrib/lanthorn.schema.json in step with the option
 * table: with LANTHORN_RENEW=1 in the environment it writes them instead of comparing. */
#include "unit/daemon/config_case.h"

#include <jansson.h>

#include "daemon/config_kind.h"
#include "daemon/config_schema.h"

static const char ALL[] =
	"domain: lan.example\n"
	"user: none\n"
	"log: { level: debug, to: /var/log/x }\n"
	"dns: { listen: [ 127.0.0.1, \"[::1]:54\" ], workers: 3, cache-size: 1G, serve-stale: no,\n"
	"  ratelimit: 20, outgoing: [ 10.0.0.1, \"fd00::1\" ], cache-clock: wall }\n"
	"forward: { \".\": { to: 9.9.9.9, validate: no } }\n"
	"stub: { corp.example: { to: [ 10.0.0.2, 10.0.0.3 ] } }\n"
	"record:\n"
	"  \"*.x\": { a: 10.0.0.1, txt: [ 'a \"b\" \\c', \"tab\\u00e9 \\u2028\", \"yes\", null ], "
	"ptr: no. }\n"
	"  y: { cname: z, ttl: 90 }\n"
	"lan:\n"
	"  eth0.7: { subnet: 10.0.0.0/24, pool: 10.0.0.9-10.0.0.99, lease: infinite, relay: [ "
	"10.0.0.2, \"fd00::2\" ],\n"
	"    prefix: \"fd77::/64\", pool6: \"fd77::1 - fd77::ff\", pd: \"fd78::/48 to 64\", "
	"managed: no,\n"
	"    option: { 3: [], 252: { value: x, force: yes }, domain-search: [ a.b, c ] },\n"
	"    class: { c: { arch: [ uefi, 9 ], vendor: \"PXE Client\", circuit-id: \"00:01\" } },\n"
	"    device: { a: { client-id: \"01:02\", lease: 1h30m }, b: { client-id: \"hex:6e6f\" } } "
	"}\n"
	"boot: { http: no, clients: 10.0.0.0/8 }\n"
	"block: { lists: /x, answer: null }\n";

static void a_dump_loads_to_the_same_dump(void **state)
{
	char *said, *first, *second;
	struct config *c, *again;

	(void)state;
	c = case_load("record: { x: { txt: [ null ] } }\n", &said);
	assert_null(c);
	free(said);
	first = strdup(ALL);
	memcpy(strstr(first, "null ]"), "nul_ ]", 6);
	c = case_load(first, &said);
	free(first);
	assert_non_null(c);
	free(said);
	first = case_dump(c);
	again = case_load(first, &said);
	assert_non_null(again);
	free(said);
	second = case_dump(again);
	assert_string_equal(first, second);
	assert_int_equal(again->lan[0].lease_s, CONFIG_INFINITE);
	assert_string_equal(again->record[0].txt[0], "a \"b\" \\c");
	assert_string_equal(again->record[0].txt[1], "tab\xc3\xa9 \xe2\x80\xa8");
	assert_string_equal(again->record[0].ptr.target, "no");
	assert_false(again->dns.serve_stale_s);
	assert_false(again->lan[0].managed);
	assert_true(again->lan[0].ra);
	assert_true(again->lan[0].option[1].force);
	assert_int_equal(again->lan[0].device[0].lease_s, 5400);
	free(first);
	free(second);
	config_free(c);
	config_free(again);
}

static void a_dump_of_what_is_good_says_nothing(void **state)
{
	struct config *c = config_default();
	char *text = case_dump(c);

	(void)state;
	config_free(case_good(text));
	free(text);
	config_free(c);
}

static char *diff(const char *old_yaml, const char *new_yaml)
{
	struct config_changes changes = {.n = 0};
	struct config *a = case_good(old_yaml), *b = case_good(new_yaml);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	config_diff(a, b, &changes);
	config_changes_print(&changes, f);
	fclose(f);
	config_changes_fini(&changes);
	config_free(a);
	config_free(b);
	return text;
}

static void a_difference_is_told_key_by_key(void **state)
{
	char *text = diff(
		"dns: { workers: 2, allow: 10.0.0.0/8 }\n"
		"lan: { a: { subnet: 10.0.0.0/24, device: { x: { mac: 0:1:2:3:4:5 } } },\n"
		"       b: { subnet: 10.0.1.0/24 } }\n",
		"dns: { workers: 4, allow: 10.0.0.0/8, prefetch: no }\n"
		"lan: { c: { subnet: 10.0.2.0/24 },\n"
		"       a: { subnet: 10.0.0.0/24, lease: 6h, router: 10.0.0.1,\n"
		"            option: { mtu: 1400 }, device: { y: { mac: 0:1:2:3:4:5 } } } }\n");

	(void)state;
	assert_string_equal(text, "dns.workers: 2 -> 4 (at the next start)\n"
				  "dns.prefetch: yes -> no\n"
				  "lan.a.router: none -> 10.0.0.1\n"
				  "lan.a.lease: 12h -> 6h\n"
				  "lan.a.max-lease: 12h -> 6h\n"
				  "lan.a.device.x: removed\n"
				  "lan.a.device.y: added\n"
				  "lan.a.option: none -> { mtu: [ 1400 ] }\n"
				  "lan.b: removed\n"
				  "lan.c: added\n");
	free(text);
}

static void the_same_in_other_words_is_no_difference(void **state)
{
	char *text = diff(
		"dns: { serve-stale: 1d, allow: 10.0.0.0/8 }\nforward: { X.: { to: 9.9.9.9 } }\n",
		"forward: { x: { to: [ \"9.9.9.9:53\" ] } }\n"
		"dns: { allow: [ 10.0.0.0/8 ], serve-stale: 86400, prefetch: true }\n");

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void compare_file(const char *name, void (*render)(FILE *out))
{
	char path[4096], *text = NULL, *kept = NULL, *end;
	size_t len, kept_len;
	FILE *f = open_memstream(&text, &len), *file, *copy;
	int c;

	render(f);
	fclose(f);
	snprintf(path, sizeof(path), "%s", __FILE__);
	end = strstr(path, "/tests/unit/daemon/");
	assert_non_null(end);
	snprintf(end, sizeof(path) - (size_t)(end - path), "/%s", name);
	if (getenv("LANTHORN_RENEW")) {
		file = fopen(path, "w");
		assert_non_null(file);
		fwrite(text, 1, len, file);
		fclose(file);
	}
	file = fopen(path, "r");
	assert_non_null(file);
	copy = open_memstream(&kept, &kept_len);
	while ((c = fgetc(file)) != EOF)
		fputc(c, copy);
	fclose(copy);
	fclose(file);
	if (kept_len != len || memcmp(text, kept, len) != 0)
		fail_msg("%s is stale; renew it: LANTHORN_RENEW=1 BUILD/tests/test_config_text",
			name);
	free(text);
	free(kept);
}

static void the_man_page_is_that_of_the_table(void **state)
{
	(void)state;
	compare_file("doc/man/lanthorn.yaml.5", config_text_man);
}

static void the_schema_is_that_of_the_table(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	json_t *root;

	(void)state;
	compare_file("contrib/lanthorn.schema.json", config_text_schema);
	config_text_schema(f);
	fclose(f);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_non_null(json_object_get(json_object_get(root, "definitions"), "lan"));
	json_decref(root);
	free(text);
}

/* Every row once, sections inside others too. */
static void each_row(const struct config_section *s, unsigned depth)
{
	assert_true(depth < 8);
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct config_row *row = &s->rows[i];
		size_t size = config_kind_get(row->kind)->size;
		bool many = row->list || row->kind == CONFIG_MAP || row->kind == CONFIG_OPTIONS;

		assert_non_null(row->help);
		assert_true(strlen(row->help) > 5);
		assert_ptr_equal(config_schema_get(s, row->key), row);
		assert_true(row->offset + (many ? sizeof(void *) : size) <= s->size);
		assert_int_equal(many, row->count_offset != 0);
		assert_int_equal(row->kind == CONFIG_MAP || row->kind == CONFIG_SECTION,
			row->section != NULL);
		assert_false(row->preset && (row->list || row->section));
		if (row->kind == CONFIG_INT || row->kind == CONFIG_SIZE ||
			row->kind == CONFIG_DURATION)
			assert_true(row->max > row->min);
		if (row->section)
			each_row(row->section, depth + 1);
	}
}

static void every_row_is_whole(void **state)
{
	(void)state;
	each_row(&config_schema, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_loads_to_the_same_dump),
		cmocka_unit_test(a_dump_of_what_is_good_says_nothing),
		cmocka_unit_test(a_difference_is_told_key_by_key),
		cmocka_unit_test(the_same_in_other_words_is_no_difference),
		cmocka_unit_test(the_man_page_is_that_of_the_table),
		cmocka_unit_test(the_schema_is_that_of_the_table),
		cmocka_unit_test(every_row_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
