/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/probe.h"

#include "fake_lan.h"

static const uint8_t A[6] = {1}, B[6] = {2};

static enum probe_event next(struct probe_table *t, int64_t now, struct probe_result *r)
{
	probe_next(t, now, r);
	return r->event;
}

static void a_quiet_address_is_asked_about_twice_and_clear(void **state)
{
	struct probe_table *t = probe_new();
	static struct probe_result r;

	(void)state;
	assert_true(probe_next_ms(t) == INT64_MAX);
	assert_int_equal(0, probe_start(t, 10, 7, A, 1000));
	probe_keep(t, 10, (const uint8_t *)"packet", 6, "extra", 5);
	assert_int_equal(1000 + DHCP_PROBE_AGAIN_MS, probe_next_ms(t));
	assert_int_equal(PROBE_NONE, next(t, 1000, &r));
	assert_int_equal(PROBE_ASK, next(t, 1000 + DHCP_PROBE_AGAIN_MS, &r));
	assert_int_equal(10, r.addr);
	assert_int_equal(7, r.ifindex);
	assert_int_equal(PROBE_NONE, next(t, 1000 + DHCP_PROBE_MS - 1, &r));
	assert_int_equal(1000 + DHCP_PROBE_MS, probe_next_ms(t));
	assert_int_equal(PROBE_CLEAR, next(t, 1000 + DHCP_PROBE_MS, &r));
	assert_int_equal(6, r.len);
	assert_memory_equal("packet", r.pkt, 6);
	assert_memory_equal("extra", r.extra, 5);
	assert_int_equal(0, probe_count(t));
	probe_free(t);
}

static void an_answer_is_a_conflict_at_once(void **state)
{
	struct probe_table *t = probe_new();
	static struct probe_result r;

	(void)state;
	assert_int_equal(0, probe_start(t, 10, 7, A, 1000));
	probe_on_arp(t, 7, 11, B);
	probe_on_arp(t, 8, 10, B);
	probe_on_arp(t, 7, 10, A);
	assert_int_equal(PROBE_NONE, next(t, 1001, &r));
	probe_on_arp(t, 7, 10, B);
	assert_true(probe_next_ms(t) <= 1001);
	assert_int_equal(PROBE_CONFLICT, next(t, 1001, &r));
	assert_memory_equal(B, r.mac, 6);
	assert_int_equal(0, r.len);
	probe_free(t);
}

static void probes_run_side_by_side_up_to_a_ceiling(void **state)
{
	struct probe_table *t = probe_new();
	static struct probe_result r;
	unsigned n = 0;

	(void)state;
	for (uint32_t i = 0; i < DHCP_PROBES_MAX; i++)
		assert_int_equal(0, probe_start(t, i, 7, A, 1000));
	assert_int_equal(ERR_LIMIT, probe_start(t, 9999, 7, A, 1000));
	probe_cancel(t, 5);
	probe_cancel(t, 5);
	while (next(t, 5000, &r) == PROBE_CLEAR)
		n++;
	assert_int_equal(DHCP_PROBES_MAX - 1, n);
	probe_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_address_is_asked_about_twice_and_clear),
		cmocka_unit_test(an_answer_is_a_conflict_at_once),
		cmocka_unit_test(probes_run_side_by_side_up_to_a_ceiling),
	};

	return FAKE_RUN(tests);
}
