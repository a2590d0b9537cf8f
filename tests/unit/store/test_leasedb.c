/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/storetest.h"

#include "base/rand.h"
#include "store/record.h"
#include "store/store_limits.h"

static void round_trip(const struct lease_record *r)
{
	uint8_t key[LEASEDB_KEY_MAX], data[LEASEDB_BYTES_MAX];
	size_t key_len, len;
	struct lease_record back;

	memset(&back, 0x5a, sizeof(back));
	assert_int_equal(leasedb_write_key(&r->ip, r->prefix_len, key, &key_len), 0);
	assert_int_equal(leasedb_write(r, data, sizeof(data), &len), 0);
	assert_int_equal(leasedb_parse(key, key_len, data, len, &back), 0);
	assert_memory_equal(&back, r, sizeof(back));
	for (size_t cut = 0; cut < len; cut++) {
		struct lease_record untouched = {.iaid = 99};

		assert_int_equal(leasedb_parse(key, key_len, data, cut, &untouched), ERR_TRUNC);
		assert_int_equal(untouched.iaid, 99);
	}
}

static void every_field_survives_the_trip(void **state)
{
	const uint8_t v6[16] = {0xfd, 0x77, [15] = 9};
	struct lease_record r = lease_of(77, 3);

	(void)state;
	round_trip(&r);
	r.expires_s = LEASE_FOREVER;
	r.start_s = -1; /* a clock before 1970 */
	r.last_seen_s = INT64_MAX;
	r.state = LEASE_DECLINED;
	round_trip(&r);
	r.ip = ip_from6(v6);
	r.prefix_len = 56;
	r.hw_len = 16;
	r.id_len = 255;
	r.asked_len = 255;
	memset(r.hw, 0xff, sizeof(r.hw));
	memset(r.id, 0xff, sizeof(r.id));
	memset(r.asked, 0, sizeof(r.asked));
	memset(r.hostname, 'h', 63);
	memset(r.lan, 'l', 15);
	round_trip(&r);
	r = (struct lease_record){.ip = ip_from6(v6), .prefix_len = 128, .state = LEASE_BOUND};
	round_trip(&r);
}

static void a_field_out_of_range_is_refused(void **state)
{
	struct lease_record good = lease_of(1, 1), r = good;
	uint8_t data[LEASEDB_BYTES_MAX], key[LEASEDB_KEY_MAX];
	struct ip none = {0};
	size_t len;

	(void)state;
	r.hw_len = 17;
	assert_int_equal(leasedb_write(&r, data, sizeof(data), &len), ERR_MALFORMED);
	r = good;
	r.state = 0;
	assert_int_equal(leasedb_write(&r, data, sizeof(data), &len), ERR_MALFORMED);
	r.state = LEASE_DECLINED + 1;
	assert_int_equal(leasedb_write(&r, data, sizeof(data), &len), ERR_MALFORMED);
	r = good;
	memset(r.hostname, 'h', sizeof(r.hostname)); /* no NUL */
	assert_int_equal(leasedb_write(&r, data, sizeof(data), &len), ERR_MALFORMED);
	r = good;
	memset(r.lan, 'l', sizeof(r.lan));
	assert_int_equal(leasedb_write(&r, data, sizeof(data), &len), ERR_MALFORMED);
	assert_int_equal(leasedb_write(&good, data, 40, &len), ERR_SPACE);
	assert_int_equal(leasedb_write_key(&none, 0, key, &len), ERR_MALFORMED);
	assert_int_equal(leasedb_write_key(&good.ip, 33, key, &len), ERR_MALFORMED);
}

static void a_record_of_a_later_minor_version_is_read(void **state)
{
	struct lease_record r = lease_of(5, 5), back;
	uint8_t key[LEASEDB_KEY_MAX], data[LEASEDB_BYTES_MAX + 8] = {0};
	size_t key_len, len;

	(void)state;
	assert_int_equal(leasedb_write_key(&r.ip, 32, key, &key_len), 0);
	assert_int_equal(leasedb_write(&r, data, LEASEDB_BYTES_MAX, &len), 0);
	data[0]++;
	assert_int_equal(leasedb_parse(key, key_len, data, len + 8, &back), 0);
	assert_memory_equal(&back, &r, sizeof(r));
	data[0] = 0;
	assert_int_equal(leasedb_parse(key, key_len, data, len, &back), ERR_MALFORMED);
}

static void keys_follow_the_order_of_addresses(void **state)
{
	static const uint32_t ADDRS[] = {0, 1, 255, 256, 0x0a000001, 0x7fffffff, 0xc0a80101};
	uint8_t a[LEASEDB_KEY_MAX] = {0}, b[LEASEDB_KEY_MAX] = {0};
	size_t a_len, b_len;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(ADDRS) / sizeof(ADDRS[0]); i++) {
		struct ip x = ip_from4(ADDRS[i]), y = ip_from4(ADDRS[i + 1]);

		assert_int_equal(leasedb_write_key(&x, 32, a, &a_len), 0);
		assert_int_equal(leasedb_write_key(&y, 32, b, &b_len), 0);
		assert_int_equal(a_len, 6);
		assert_true(memcmp(a, b, a_len) < 0);
	}
}

static int collect(const struct lease_record *r, void *arg)
{
	struct lease_record *last = arg;

	assert_true(ip_compare(&last->ip, &r->ip) < 0);
	*last = *r;
	return 0;
}

static int stop_at_third(const struct lease_record *r, void *arg)
{
	(void)r;
	return ++*(int *)arg == 3 ? 42 : 0;
}

static void a_walk_goes_by_address_and_can_be_ended(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct lease_record last = {0};
	int n = 0;

	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(put_lease(s, (i * 37) % 100, 1), 0);
	assert_int_equal(leasedb_each(s, collect, NULL, &last), 0);
	assert_int_equal(ip_to4(&last.ip), 0x0a000000u + 99);
	assert_int_equal(leasedb_each(s, stop_at_third, NULL, &n), 42);
	assert_int_equal(n, 3);
	store_close(s);
}

static void a_batch_is_written_whole_or_not_at_all(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct lease_record good = lease_of(1, 1), bad = lease_of(2, 1);
	struct lease_change both[] = {
		{.op = LEASE_PUT, .record = &good}, {.op = LEASE_PUT, .record = &bad}};

	bad.hw_len = 200;
	assert_int_equal(leasedb_commit(s, both, 2), ERR_MALFORMED);
	assert_int_equal(get_lease(s, 1), -1);
	assert_int_equal(leasedb_commit(s, both, 1), 0);
	assert_int_equal(get_lease(s, 1), 1);
	assert_int_equal(leasedb_commit(s, NULL, 0), 0);
	store_close(s);
}

static void deleting_is_done_and_may_be_repeated(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct lease_record r = lease_of(9, 1);
	struct lease_change del = {.op = LEASE_DEL, .record = &r};

	assert_int_equal(put_lease(s, 9, 1), 0);
	assert_int_equal(leasedb_commit(s, &del, 1), 0);
	assert_int_equal(get_lease(s, 9), -1);
	assert_int_equal(leasedb_commit(s, &del, 1), 0);
	store_close(s);
}

static void a_prefix_and_an_address_are_two_things(void **state)
{
	const uint8_t v6[16] = {0xfd, 0x77};
	struct lease_record r = {.ip = ip_from6(v6), .prefix_len = 56, .state = LEASE_BOUND}, back;
	struct lease_change c = {.op = LEASE_PUT, .record = &r};
	struct store *s = store_open_ok(*state, NULL);

	assert_int_equal(leasedb_commit(s, &c, 1), 0);
	assert_int_equal(leasedb_get(s, &r.ip, 128, &back), ERR_ABSENT);
	assert_int_equal(leasedb_get(s, &r.ip, 56, &back), 0);
	assert_memory_equal(&back, &r, sizeof(r));
	store_close(s);
}

static void an_envelope_believes_no_other_key_table_or_bit(void **state)
{
	uint8_t value[40];
	struct record_raw raw = {.table = RECORD_LEASE,
		.key = "abcd",
		.key_len = 4,
		.value = value,
		.value_len = 10 + RECORD_OVERHEAD};
	struct record rec;

	(void)state;
	record_write(RECORD_LEASE, 77, "abcd", 4, "0123456789", 10, value);
	assert_true(record_parse(&raw, &rec));
	assert_int_equal(rec.stamp, 77);
	assert_int_equal(rec.payload_len, 10);
	assert_memory_equal(rec.payload, "0123456789", 10);
	assert_int_equal(record_claimed_table(value, raw.value_len), RECORD_LEASE);
	raw.key = "abce";
	assert_false(record_parse(&raw, &rec));
	raw.key = "abcd";
	raw.table = RECORD_STATE;
	assert_false(record_parse(&raw, &rec));
	raw.table = RECORD_LEASE;
	for (size_t i = 0; i < raw.value_len * 8; i++) {
		value[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_false(record_parse(&raw, &rec));
		value[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < raw.value_len; n++) {
		struct record_raw cut = raw;

		cut.value_len = n;
		assert_false(record_parse(&cut, &rec));
	}
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_survives_the_trip),
		cmocka_unit_test(a_field_out_of_range_is_refused),
		cmocka_unit_test(a_record_of_a_later_minor_version_is_read),
		cmocka_unit_test(keys_follow_the_order_of_addresses),
		SCRATCH(a_walk_goes_by_address_and_can_be_ended),
		SCRATCH(a_batch_is_written_whole_or_not_at_all),
		SCRATCH(deleting_is_done_and_may_be_repeated),
		SCRATCH(a_prefix_and_an_address_are_two_things),
		cmocka_unit_test(an_envelope_believes_no_other_key_table_or_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
