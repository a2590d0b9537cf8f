/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/storetest.h"

#include "base/rand.h"
#include "store/statedb.h"
#include "store/store_limits.h"
#include "store/txn.h"

static void expect(struct store *s, const char *name, const void *data, size_t len)
{
	void *got;
	size_t got_len;

	assert_int_equal(statedb_get(s, name, &got, &got_len), 0);
	assert_int_equal(got_len, len);
	assert_memory_equal(got, data, len);
	assert_int_equal(((char *)got)[len], 0);
	xfree(got);
}

static int count_item(const struct txn_item *item, void *arg)
{
	(void)item;
	++*(int *)arg;
	return 0;
}

static int n_records(struct store *s)
{
	struct txn *t;
	int n = 0;

	assert_int_equal(txn_read(s, &t), 0);
	assert_int_equal(txn_each(t, TXN_STATE, NULL, 0, count_item, &n), 0);
	txn_abort(t);
	return n;
}

static void values_of_every_length_come_back(void **state)
{
	static const size_t LENGTHS[] = {0, 1, 100, 4096, STATEDB_CHUNK - 1, STATEDB_CHUNK,
		STATEDB_CHUNK + 1, STATEDB_CHUNK * STATEDB_TXN_CHUNKS,
		STATEDB_CHUNK * STATEDB_TXN_CHUNKS + 1, 3000001, 5};
	uint8_t *data = malloc(3000001);
	struct rand_source *r = rand_new_seeded(1);
	struct store *s = store_open_ok(*state, NULL);

	for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
		rand_bytes(r, data, LENGTHS[i]);
		assert_int_equal(statedb_put(s, "config", data, LENGTHS[i]), 0);
		assert_int_equal(statedb_put(s, "confi", "x", 1), 0);
		assert_int_equal(statedb_put(s, "configs", "y", 1), 0);
		expect(s, "config", data, LENGTHS[i]);
		size_t n_chunks = (LENGTHS[i] + STATEDB_CHUNK - 1) / STATEDB_CHUNK;
		assert_int_equal(n_records(s), 3 + (n_chunks > 1 ? n_chunks : 0));
	}
	store_close(s);
	s = store_open_ok(*state, NULL);
	expect(s, "config", data, 5);
	expect(s, "confi", "x", 1);
	store_close(s);
	rand_free(r);
	free(data);
}

static void what_is_deleted_is_gone_with_its_chunks(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	uint8_t *data = calloc(1, 500000);
	void *got;
	size_t len;

	assert_int_equal(statedb_get(s, "x", &got, &len), ERR_ABSENT);
	assert_int_equal(statedb_del(s, "x"), 0);
	assert_int_equal(statedb_put(s, "x", data, 500000), 0);
	assert_true(n_records(s) > 5);
	assert_int_equal(statedb_del(s, "x"), 0);
	assert_int_equal(n_records(s), 0);
	assert_int_equal(statedb_get(s, "x", &got, &len), ERR_ABSENT);
	store_close(s);
	free(data);
}

static void names_and_lengths_have_bounds(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	char name[STATEDB_NAME_MAX + 2];
	void *got;
	size_t len;

	memset(name, 'n', sizeof(name));
	name[STATEDB_NAME_MAX + 1] = 0;
	assert_int_equal(statedb_put(s, name, "x", 1), ERR_MALFORMED);
	assert_int_equal(statedb_get(s, name, &got, &len), ERR_MALFORMED);
	assert_int_equal(statedb_put(s, "", "x", 1), ERR_MALFORMED);
	name[STATEDB_NAME_MAX] = 0;
	assert_int_equal(statedb_put(s, name, "x", 1), 0);
	expect(s, name, "x", 1);
	assert_int_equal(statedb_put(s, "big", "x", STATEDB_VALUE_MAX + 1), ERR_LIMIT);
	store_close(s);
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH(values_of_every_length_come_back),
		SCRATCH(what_is_deleted_is_gone_with_its_chunks),
		SCRATCH(names_and_lengths_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
