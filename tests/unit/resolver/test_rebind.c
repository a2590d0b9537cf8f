/* SPDX-License-Identifier: Apache-2.0 */
/* Private addresses behind public names (E1). */
#include "dns/dname.h"
#include "unit/resolver/fake_test.h"

static struct fake_net *world(const char *records)
{
	struct fake_net *n = small_world();

	n->conf->rebind_protection = true;
	fake_zone_clear(fake_server(n, AUTH));
	fake_zone(n, AUTH, "example.com.", records);
	return n;
}

TEST(every_private_address_is_taken_out)
{
	static const char *const V4[] = {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"100.64.0.1", "169.254.1.1", "127.0.0.1", "0.0.0.1"};
	static const char *const V6[] = {"::1", "::", "fc00::1", "fd12::1", "fe80::1",
		"::ffff:192.168.1.1", "64:ff9b::10.0.0.1"};
	char line[128];

	for (unsigned i = 0; i < 8; i++) {
		struct fake_net *n;
		const struct fake_answer *a;

		snprintf(line, sizeof(line), "evil A %s\n", V4[i]);
		n = world(line);
		a = fake_ask(n, "evil.example.com", "A");
		assert_rcode(a, DNS_RCODE_NOERROR);
		assert_int_equal(0, a->n_answer);
		assert_int_equal(DNS_EDE_BLOCKED, a->ede);
		fake_free(n);
	}
	for (unsigned i = 0; i < 7; i++) {
		struct fake_net *n;

		snprintf(line, sizeof(line), "evil AAAA %s\n", V6[i]);
		n = world(line);
		assert_int_equal(0, fake_ask(n, "evil.example.com", "AAAA")->n_answer);
		fake_free(n);
	}
}

TEST(public_addresses_stay_beside_them)
{
	struct fake_net *n = world("mix A 203.0.113.5\nmix A 192.168.1.1\nmix A 172.32.0.1\n");
	const struct fake_answer *a = fake_ask(n, "mix.example.com", "A");

	assert_int_equal(2, a->n_answer);
	assert_has(a, "203.0.113.5");
	assert_has(a, "172.32.0.1");
	assert_int_equal(1, fake_stat(n, STATS_REBIND));
	/* The same from the caches. */
	assert_int_equal(2, fake_ask(n, "mix.example.com", "A")->n_answer);
	fake_free(n);
}

TEST(an_alias_does_not_help)
{
	struct fake_net *n = world("a CNAME b\nb A 192.168.1.1\n");
	const struct fake_answer *a = fake_ask(n, "a.example.com", "A");

	assert_has(a, "a.example.com. 3600 in cname b.example.com.");
	assert_null(strstr(a->text, "192.168.1.1"));
	fake_free(n);
}

TEST(service_bindings_with_private_hints_are_taken_out)
{
	struct fake_net *n = world("@ HTTPS 1 . alpn=h2 ipv4hint=203.0.113.1,192.168.1.1\n"
				   "ok HTTPS 1 . alpn=h2 ipv4hint=203.0.113.1\n"
				   "six SVCB 1 . ipv6hint=fd00::1\n");

	assert_int_equal(0, fake_ask(n, "example.com", "HTTPS")->n_answer);
	assert_int_equal(1, fake_ask(n, "ok.example.com", "HTTPS")->n_answer);
	assert_int_equal(0, fake_ask(n, "six.example.com", "SVCB")->n_answer);
	fake_free(n);
}

TEST(allowed_names_and_all_beneath_keep_theirs)
{
	static const uint8_t allow[] = "\4plex\7example\3com";
	static const uint8_t *list[] = {allow};
	struct fake_net *n = world("a.plex A 192.168.1.1\nplexx A 192.168.1.1\n"
				   "in.plex CNAME plexx\nout CNAME a.plex\n");

	n->conf->rebind_allow = list;
	n->conf->n_rebind_allow = 1;
	assert_int_equal(1, fake_ask(n, "a.plex.example.com", "A")->n_answer);
	assert_int_equal(0, fake_ask(n, "plexx.example.com", "A")->n_answer);
	/* The name asked for counts, and the owner's. */
	assert_int_equal(2, fake_ask(n, "in.plex.example.com", "A")->n_answer);
	assert_int_equal(2, fake_ask(n, "out.example.com", "A")->n_answer);
	n->conf->rebind_allow = NULL;
	fake_free(n);
}

TEST(forward_zones_keep_theirs)
{
	struct fake_net *n = world("");

	fake_forward(n, "corp.", false, "10.0.0.53");
	fake_zone(n, "10.0.0.53", "corp.", "www A 10.0.0.7\n")->faults = FAKE_RECURSIVE;
	assert_int_equal(1, fake_ask(n, "www.corp", "A")->n_answer);
	fake_free(n);
}

TEST(an_alias_from_outside_into_a_local_zone_is_no_way_in)
{
	struct fake_net *n = world("nas CNAME nas.home.arpa.\n");
	struct zones_conf zc = {.domain = "home.arpa", .local_ttl_s = 60};
	struct zones_builder *b = zones_builder_new(&zc);
	struct ip ip = ip_from4(0xc0a80105);
	struct cache_question q = {.name = (const uint8_t *)"\3nas\7example\3com",
		.name_len = 17,
		.type = DNS_TYPE_A,
		.class = 1};
	static uint8_t mem[65535];
	struct answer_blob blob;
	uint32_t age;
	const struct fake_answer *a;

	assert_int_equal(0, zones_builder_address(b, "nas", &ip, 60, true, "record"));
	n->conf->zones = zones_builder_finish(b);
	a = fake_ask(n, "nas.example.com", "A");
	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_null(strstr(a->text, "192.168.1.5"));
	/* And nobody was asked for the local name. */
	assert_int_equal(0, fake_seen(n, NULL, "nas.home.arpa.", NULL));
	assert_int_equal(0, fake_seen(n, ROOT, "arpa.", NULL));
	n->conf->rebind_protection = false;
	a = fake_ask(n, "nas.example.com", "A");
	assert_has(a, "nas.home.arpa. 60 in a 192.168.1.5");
	/* What is ours changes when it likes: never in the wire cache. */
	q.hash = cache_hash(n->env.cache, &q);
	assert_int_equal(CACHE_MISS,
		cache_find(n->env.cache, &q, 1, n->now_ms, mem, sizeof(mem), &blob, &age));
	fake_free(n);
}

TEST(turned_off_nothing_is_touched)
{
	struct fake_net *n = world("evil A 192.168.1.1\n");

	n->conf->rebind_protection = false;
	assert_int_equal(1, fake_ask(n, "evil.example.com", "A")->n_answer);
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_private_address_is_taken_out),
		cmocka_unit_test(public_addresses_stay_beside_them),
		cmocka_unit_test(an_alias_does_not_help),
		cmocka_unit_test(service_bindings_with_private_hints_are_taken_out),
		cmocka_unit_test(allowed_names_and_all_beneath_keep_theirs),
		cmocka_unit_test(forward_zones_keep_theirs),
		cmocka_unit_test(an_alias_from_outside_into_a_local_zone_is_no_way_in),
		cmocka_unit_test(turned_off_nothing_is_touched),
	};

	return RUN_TESTS(tests);
}
