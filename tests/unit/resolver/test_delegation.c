/* SPDX-License-Identifier: Apache-2.0 */
/* Which cut is found, and which addresses may be asked there. */
#include "base/arena.h"
#include "dns/dname.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"
#include "resolver/delegation.h"
#include "unit/resolver/fake_test.h"

static struct arena_pool *pool;
static struct arena *arena;
static uint8_t name[DNAME_MAX];

static struct delegation_in in_of(struct fake_net *n)
{
	return (struct delegation_in){
		.r = n->r, .conf = n->conf, .arena = arena, .now_ms = n->now_ms};
}

static const uint8_t *wire(const char *text)
{
	size_t len;

	assert_int_equal(0, dname_read(text, name, &len));
	return name;
}

static struct rrset *make(const char *text)
{
	struct rrtext_rr rr;
	struct rrset *set = arena_alloc(arena, 4096);
	char *copy = strdup(text), *save = NULL;
	bool is_first = true;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		assert_int_equal(0, rrtext_read(l, 3600, NULL, &rr));
		if (is_first)
			set = rrset_init(set, 4096, rr.owner, rr.type, rr.class, rr.ttl);
		is_first = false;
		assert_int_equal(0, rrset_add(set, 4096, rr.rdata, rr.rdlen));
	}
	free(copy);
	return set;
}

static void cache(struct fake_net *n, const char *text, enum rrset_rank rank)
{
	struct rrset *rr = make(text);

	rr->rank = (uint8_t)rank;
	assert_true(cache_rrset_put(n->env.rrsets, rr, n->now_ms));
}

static struct delegation *find(struct fake_net *n, const char *text)
{
	struct delegation_in in = in_of(n);

	return delegation_find(&in, wire(text), DNAME_LABELS_MAX);
}

static void assert_zone(const struct delegation *d, const char *text)
{
	assert_true(dname_equal(d->zone, wire(text)));
}

TEST(without_anything_the_hints_are_found)
{
	struct fake_net *n = small_world();
	struct delegation *d = find(n, "www.example.com");

	assert_int_equal(DELEGATION_HINTS, d->kind);
	assert_int_equal(1, d->n_addrs);
	assert_int_equal(0, d->zone[0]);
	fake_free(n);
}

TEST(without_hints_there_is_nowhere_to_go)
{
	struct fake_net *n = fake_new(1);

	assert_null(find(n, "www.example.com"));
	assert_rcode(fake_ask(n, "www.example.com", "A"), DNS_RCODE_SERVFAIL);
	fake_free(n);
}

TEST(the_deepest_usable_cut_is_found)
{
	struct fake_net *n = small_world();

	cache(n, "com. NS a.com.", RRSET_RANK_REFERRAL);
	cache(n, "a.com. A 192.0.2.1", RRSET_RANK_ADDITIONAL);
	cache(n, "example.com. NS ns.example.com.", RRSET_RANK_REFERRAL);
	/* Its only server lies in itself and has no address: of no use. */
	assert_zone(find(n, "www.example.com"), "com");
	cache(n, "ns.example.com. A 192.0.2.2", RRSET_RANK_ADDITIONAL);
	assert_zone(find(n, "www.example.com"), "example.com");
	assert_zone(find(n, "example.com"), "example.com");
	assert_zone(find(n, "other.com"), "com");
	/* A server elsewhere can be looked up. */
	cache(n, "far.com. NS ns.elsewhere.org.", RRSET_RANK_REFERRAL);
	assert_zone(find(n, "www.far.com"), "far.com");
	assert_int_equal(0, find(n, "www.far.com")->n_addrs);
	fake_free(n);
}

TEST(the_number_of_labels_can_be_limited)
{
	struct fake_net *n = small_world();
	struct delegation_in in = in_of(n);

	cache(n, "example.com. NS ns.example.com.", RRSET_RANK_REFERRAL);
	cache(n, "ns.example.com. A 192.0.2.2", RRSET_RANK_ADDITIONAL);
	assert_int_equal(0, delegation_find(&in, wire("www.example.com"), 1)->zone[0]);
	fake_free(n);
}

TEST(both_families_come_in_and_switched_off_ones_stay_out)
{
	struct fake_net *n = small_world();

	cache(n, "com. NS a.com.\ncom. NS b.com.", RRSET_RANK_REFERRAL);
	cache(n, "a.com. A 192.0.2.1\na.com. A 192.0.2.2", RRSET_RANK_ADDITIONAL);
	cache(n, "a.com. AAAA 2001:db8::1", RRSET_RANK_ADDITIONAL);
	/* The same address twice counts once. */
	cache(n, "b.com. A 192.0.2.1\nb.com. A 192.0.2.3", RRSET_RANK_ADDITIONAL);
	assert_int_equal(4, find(n, "x.com")->n_addrs);
	n->conf->ipv6 = false;
	assert_int_equal(3, find(n, "x.com")->n_addrs);
	n->conf->ipv6 = true;
	n->conf->ipv4 = false;
	assert_int_equal(1, find(n, "x.com")->n_addrs);
	fake_free(n);
}

TEST(six_addresses_of_a_server_and_thirteen_servers_are_enough)
{
	struct fake_net *n = small_world();
	char text[4000] = "", line[64];

	for (int i = 0; i < 30; i++) {
		snprintf(line, sizeof(line), "com. NS n%d.com.\n", i);
		strcat(text, line);
	}
	cache(n, text, RRSET_RANK_REFERRAL);
	for (int i = 0; i < 30; i++) {
		text[0] = '\0';
		for (int k = 0; k < 9; k++) {
			snprintf(line, sizeof(line), "n%d.com. A 192.0.%d.%d\n", i, i, k + 1);
			strcat(text, line);
		}
		cache(n, text, RRSET_RANK_ADDITIONAL);
	}
	for (int round = 0; round < 20; round++) {
		struct delegation *d = find(n, "x.com");

		assert_int_equal(RESOLVER_NS_MAX, d->n_ns);
		assert_int_equal(DELEGATION_ADDRS_MAX, d->n_addrs);
		assert_int_equal(RESOLVER_NS_ADDRS_MAX, d->ns[0].n_addrs);
	}
	fake_free(n);
}

TEST(a_referral_takes_its_glue_and_fills_up_from_the_cache)
{
	struct fake_net *n = small_world();
	struct delegation_in in = in_of(n);
	struct rrset *glue[1];
	struct delegation *d;

	cache(n, "b.com. A 192.0.2.8", RRSET_RANK_ADDITIONAL);
	cache(n, "a.com. A 192.0.2.9", RRSET_RANK_ADDITIONAL);
	glue[0] = make("a.com. A 192.0.2.1");
	d = delegation_from_referral(&in, make("com. NS a.com.\ncom. NS b.com."), glue, 1);
	assert_true(d->is_referral);
	assert_int_equal(2, d->n_addrs);
	assert_int_equal(ip_to4(&d->addrs[0].at.ip), 0xc0000201);
	assert_int_equal(ip_to4(&d->addrs[1].at.ip), 0xc0000208);
	fake_free(n);
}

TEST(forward_and_stub_zones_come_from_the_config)
{
	struct fake_net *n = small_world();
	struct delegation *d;

	fake_forward(n, "corp.", false, "10.0.0.1 10.0.0.2");
	fake_forward(n, "lab.", true, "127.0.0.1:5300");
	d = find(n, "a.b.corp");
	assert_int_equal(DELEGATION_FORWARD, d->kind);
	assert_int_equal(2, d->n_addrs);
	d = find(n, "lab");
	assert_int_equal(DELEGATION_STUB, d->kind);
	assert_int_equal(5300, d->addrs[0].at.port);
	assert_int_equal(DELEGATION_HINTS, find(n, "corporate")->kind);
	fake_free(n);
}

TEST(a_new_question_forgives_all_but_lameness)
{
	struct fake_net *n = small_world();
	struct delegation *d = find(n, "com");

	d->addrs[0].tries = 3;
	d->addrs[0].is_failed = true;
	d->addrs[0].is_plain = true;
	delegation_new_question(d);
	assert_int_equal(0, d->addrs[0].tries);
	assert_false(d->addrs[0].is_failed);
	assert_true(d->addrs[0].is_plain);
	d->addrs[0].is_lame = true;
	delegation_new_question(d);
	assert_true(d->addrs[0].is_failed);
	fake_free(n);
}

static int enter(void **state)
{
	pool = arena_pool_new(65536, 4);
	arena = arena_new(pool, 16 << 20);
	return test_enter(state);
}

static int leave(void **state)
{
	arena_free(arena);
	arena_pool_free(pool);
	return test_leave(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_anything_the_hints_are_found),
		cmocka_unit_test(without_hints_there_is_nowhere_to_go),
		cmocka_unit_test(the_deepest_usable_cut_is_found),
		cmocka_unit_test(the_number_of_labels_can_be_limited),
		cmocka_unit_test(both_families_come_in_and_switched_off_ones_stay_out),
		cmocka_unit_test(six_addresses_of_a_server_and_thirteen_servers_are_enough),
		cmocka_unit_test(a_referral_takes_its_glue_and_fills_up_from_the_cache),
		cmocka_unit_test(forward_and_stub_zones_come_from_the_config),
		cmocka_unit_test(a_new_question_forgives_all_but_lameness),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
