/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/lease.h"

#include "dhcp/dhcp_limits.h"
#include "fake_lan.h"

static const struct hash_key KEY = {3, 4};

static struct lease_record record(uint32_t addr, unsigned client)
{
	struct lease_record r = {.ip = ip_from4(addr),
		.prefix_len = 32,
		.state = LEASE_BOUND,
		.hw_type = 1,
		.hw_len = 6,
		.expires_s = 5000};

	memcpy(r.hw, fake_client(client).mac, 6);
	return r;
}

static struct client4 client(unsigned n)
{
	return client4_of(1, fake_client(n).mac, 6, NULL, 0);
}

struct fixture {
	struct lease_table *t;
	struct pick *pick;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->pick = pick_new();
	pick_add(f->pick, 100, 199);
	f->t = lease_table_new(&KEY);
	lease_repool(f->t, f->pick);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lease_table_free(f->t);
	pick_free(f->pick);
	xfree(f);
	return 0;
}

static void a_record_goes_in_and_comes_out_whole(void **state)
{
	struct fixture *f = *state;
	struct lease_record r = record(101, 7), out;
	struct lease *l;

	r.id_len = 3;
	memcpy(r.id, "\0id", 3);
	r.asked_len = 5;
	memcpy(r.asked, "Al\nfa", 5);
	strcpy(r.hostname, "alfa");
	strcpy(r.lan, "br0");
	r.start_s = 10;
	r.last_seen_s = 20;
	l = lease_put(f->t, &r, 4000000, 0);
	lease_to_record(f->t, l, 1000000, &out);
	assert_memory_equal(&r, &out, sizeof(r));
}

static void leases_are_found_by_address_and_by_client(void **state)
{
	struct fixture *f = *state;
	struct lease_record a = record(101, 1), b = record(102, 1), c = record(103, 2);
	struct client4 one = client(1);
	struct lease *l;
	unsigned n = 0;

	lease_put(f->t, &a, 1000, 0);
	lease_put(f->t, &b, 1000, 0);
	lease_put(f->t, &c, 1000, 0);
	assert_int_equal(102, lease_get(f->t, 102)->addr);
	assert_null(lease_get(f->t, 104));
	for (l = lease_first_of(f->t, &one); l; l = lease_next_of(l, &one))
		n++;
	assert_int_equal(2, n);
	lease_put(f->t, &(struct lease_record){.ip = ip_from4(101), .state = LEASE_DECLINED}, 9, 0);
	assert_int_equal(102, lease_first_of(f->t, &one)->addr);
	assert_null(lease_next_of(lease_first_of(f->t, &one), &one));
	assert_int_equal(3, lease_count(f->t));
}

static void leases_end_when_due_and_not_before(void **state)
{
	struct fixture *f = *state;

	/* Over several rounds of the wheel, in steps of every size. */
	for (uint32_t i = 0; i < 100; i++) {
		struct lease_record r = record(100 + i, i);

		lease_put(f->t, &r, (int64_t)i * i * 10000 + 500, 0);
	}
	for (int64_t now = 0; now < 110 * 110 * 10000; now += 7777777) {
		struct lease *l;

		while ((l = lease_next_due(f->t, now))) {
			assert_true(l->due_ms <= now);
			lease_end(f->t, l, LEASE_EXPIRED, now);
		}
		for (uint32_t i = 0; i < 100; i++) {
			bool is_over = (int64_t)i * i * 10000 + 500 <= now;

			l = lease_get(f->t, 100 + i);
			assert_int_equal(is_over ? LEASE_EXPIRED : LEASE_BOUND, l->state);
		}
	}
	assert_int_equal(0, lease_stats(f->t).n_bound);
	assert_int_equal(100, lease_pool_stats(f->t, 0).n_ended);
}

static void an_end_in_the_past_is_met_at_once(void **state)
{
	struct fixture *f = *state;
	struct lease_record r = record(100, 1), s = record(101, 2);

	lease_put(f->t, &r, 90000, 50000);
	assert_null(lease_next_due(f->t, 60000));
	lease_put(f->t, &s, 1000, 60000);
	assert_int_equal(101, lease_next_due(f->t, 60000)->addr);
}

static void a_renewal_moves_the_end(void **state)
{
	struct fixture *f = *state;
	struct lease_record r = record(100, 1);

	lease_put(f->t, &r, 5000, 0);
	lease_put(f->t, &r, 50000, 4000);
	assert_null(lease_next_due(f->t, 49000));
	assert_non_null(lease_next_due(f->t, 50000));
	assert_int_equal(1, lease_count(f->t));
}

static void the_longest_ended_comes_first(void **state)
{
	struct fixture *f = *state;
	static const uint32_t order[] = {105, 101, 103, 102, 104};

	for (uint32_t i = 101; i <= 105; i++) {
		struct lease_record r = record(i, i);

		lease_put(f->t, &r, 1000000, 0);
	}
	for (unsigned i = 0; i < 5; i++)
		lease_end(f->t, lease_get(f->t, order[i]), LEASE_RELEASED, 1000 * (i + 1));
	assert_int_equal(105, lease_oldest_ended(f->t, 0)->addr);
	lease_repool(f->t, f->pick); /* sorted anew */
	assert_int_equal(105, lease_oldest_ended(f->t, 0)->addr);
	lease_pass(f->t, lease_get(f->t, 105));
	assert_int_equal(101, lease_oldest_ended(f->t, 0)->addr);
	lease_del(f->t, lease_get(f->t, 101));
	assert_int_equal(103, lease_oldest_ended(f->t, 0)->addr);
	assert_null(lease_oldest_declined(f->t, 0));
	assert_null(lease_oldest_ended(f->t, 9));
}

static void pools_know_what_is_taken(void **state)
{
	struct fixture *f = *state;
	struct lease_record r = record(150, 1);
	struct pick *other = pick_new();

	lease_put(f->t, &r, 1000, 0);
	assert_false(pick_is_free(f->pick, 150));
	lease_end(f->t, lease_get(f->t, 150), LEASE_EXPIRED, 0);
	assert_false(pick_is_free(f->pick, 150)); /* remembered for its client */
	pick_add(other, 140, 160);
	lease_repool(f->t, other);
	assert_false(pick_is_free(other, 150));
	lease_del(f->t, lease_get(f->t, 150));
	assert_true(pick_is_free(other, 150));
	lease_repool(f->t, f->pick);
	pick_free(other);
}

static void the_walk_meets_everyone(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;
	size_t at = 0;

	for (uint32_t i = 0; i < 100; i++) {
		struct lease_record r = record(100 + i, i);

		lease_put(f->t, &r, 1000, 0);
	}
	for (uint32_t i = 0; i < 50; i++)
		lease_del(f->t, lease_get(f->t, 100 + 2 * i));
	while (lease_walk(f->t, &at))
		n++;
	assert_int_equal(50, n);
	assert_int_equal(50, pick_stats(f->pick, 0).n_free);
}

static void the_table_has_a_ceiling(void **state)
{
	struct fixture *f = *state;
	struct lease_record r = record(0, 1);

	for (uint32_t i = 0; i < DHCP_LEASES_MAX; i++) {
		r.ip = ip_from4(IP4(10, 0, 0, 0) + i);
		memcpy(r.hw, &i, 4);
		if (!lease_put(f->t, &r, 1000, 0))
			fail();
	}
	r.ip = ip_from4(5);
	assert_null(lease_put(f->t, &r, 1000, 0));
	r.ip = ip_from4(IP4(10, 0, 0, 0));
	assert_non_null(lease_put(f->t, &r, 2000, 0)); /* what is there can change */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_goes_in_and_comes_out_whole),
		TEST(leases_are_found_by_address_and_by_client),
		TEST(leases_end_when_due_and_not_before),
		TEST(an_end_in_the_past_is_met_at_once),
		TEST(a_renewal_moves_the_end),
		TEST(the_longest_ended_comes_first),
		TEST(pools_know_what_is_taken),
		TEST(the_walk_meets_everyone),
		TEST(the_table_has_a_ceiling),
	};

	return FAKE_RUN(tests);
}
