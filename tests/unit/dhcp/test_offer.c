/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/offer.h"

#include "dhcp/dhcp_limits.h"
#include "fake_lan.h"

static const struct hash_key KEY = {5, 6};

static struct client4 client(unsigned n)
{
	return client4_of(1, fake_client(n).mac, 6, NULL, 0);
}

static void offers_are_found_and_forgotten(void **state)
{
	struct offer_table *t = offer_table_new(&KEY);
	struct client4 a = client(1), b = client(2);
	struct offer *o, *p;

	(void)state;
	assert_int_equal(0, offer_put(t, 10, &a, 0, 1000, &o));
	assert_int_equal(0, offer_put(t, 11, &b, 0, 2000, &p));
	assert_ptr_equal(o, offer_get(t, 10));
	assert_ptr_equal(p, offer_first_of(t, &b));
	assert_null(offer_next_of(p));
	assert_ptr_equal(o, offer_older_first(t, NULL));
	offer_renew(t, o, 3000);
	assert_ptr_equal(p, offer_older_first(t, NULL));
	assert_int_equal(3000 + DHCP_OFFER_MS, o->due_ms);
	offer_del(t, p);
	assert_null(offer_get(t, 11));
	assert_null(offer_first_of(t, &b));
	assert_int_equal(1, offer_count(t));
	offer_table_free(t);
}

static void the_identifier_is_an_offers_own(void **state)
{
	struct offer_table *t = offer_table_new(&KEY);
	uint8_t *id = xmemdup("\xffgone", 5);
	struct client4 c = client4_of(1, fake_client(1).mac, 6, id, 5);
	struct client4 again;
	struct offer *o;

	(void)state;
	assert_int_equal(0, offer_put(t, 10, &c, 0, 0, &o));
	xfree(id); /* the packet is over */
	again = client4_of(1, fake_client(2).mac, 6, (const uint8_t *)"\xffgone", 5);
	assert_ptr_equal(o, offer_first_of(t, &again));
	offer_table_free(t);
}

static void the_table_and_each_circuit_have_a_ceiling(void **state)
{
	struct offer_table *t = offer_table_new(&KEY);
	struct offer *o;
	unsigned n = 0;

	(void)state;
	for (uint32_t i = 0; i < DHCP_OFFERS_PER_CIRCUIT + 3; i++) {
		struct client4 c = client(i);

		n += offer_put(t, i, &c, 77, 0, &o) == 0;
	}
	assert_int_equal(DHCP_OFFERS_PER_CIRCUIT, n);
	offer_del(t, offer_get(t, 0));
	for (uint32_t i = 1000; offer_count(t) < DHCP_OFFERS_MAX; i++) {
		struct client4 c = client(i);

		assert_int_equal(0, offer_put(t, i, &c, i == 1000 ? 77 : 0, 0, &o));
	}
	assert_int_equal(ERR_LIMIT, offer_put(t, 5, &(struct client4){.hw_len = 6}, 0, 0, &o));
	offer_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_are_found_and_forgotten),
		cmocka_unit_test(the_identifier_is_an_offers_own),
		cmocka_unit_test(the_table_and_each_circuit_have_a_ceiling),
	};

	return FAKE_RUN(tests);
}
