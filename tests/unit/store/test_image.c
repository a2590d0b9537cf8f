/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/storetest.h"

#include "base/rand.h"
#include "store/image.h"
#include "store/store_limits.h"

struct sink {
	uint8_t *bytes;
	size_t len, n_chunks;
};

static int take(const void *chunk, size_t len, void *arg)
{
	struct sink *sink = arg;

	sink->bytes = realloc(sink->bytes, sink->len + len);
	memcpy(sink->bytes + sink->len, chunk, len);
	sink->len += len;
	sink->n_chunks++;
	return 0;
}

static int refuse(const void *chunk, size_t len, void *arg)
{
	(void)chunk;
	(void)len;
	(void)arg;
	return 7;
}

static void save(struct store *s, const uint8_t *data, size_t len, size_t piece)
{
	struct image_writer *w;

	assert_int_equal(image_begin(s, "cache", &w), 0);
	for (size_t done = 0; done < len; done += piece)
		image_add(w, data + done, len - done < piece ? len - done : piece);
	assert_int_equal(image_finish(w), 0);
}

static void an_image_comes_back_as_it_was(void **state)
{
	static const size_t LENGTHS[] = {
		0, 1, IMAGE_CHUNK - 1, IMAGE_CHUNK, IMAGE_CHUNK + 1, 3 * IMAGE_CHUNK + 77};
	struct store *s = store_open_ok(*state, NULL);
	struct rand_source *r = rand_new_seeded(3);
	uint8_t *data = malloc(4 * IMAGE_CHUNK);

	assert_int_equal(image_each(s, "cache", take, NULL), ERR_ABSENT);
	for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
		struct sink sink = {0};

		rand_bytes(r, data, LENGTHS[i]);
		save(s, data, LENGTHS[i], 1 + rand_below(r, 100000));
		assert_int_equal(image_each(s, "cache", take, &sink), 0);
		assert_int_equal(sink.len, LENGTHS[i]);
		if (sink.len)
			assert_memory_equal(sink.bytes, data, sink.len);
		free(sink.bytes);
	}
	assert_int_equal(image_each(s, "cache", refuse, NULL), 7);
	assert_int_equal(image_del(s, "cache"), 0);
	assert_int_equal(image_del(s, "cache"), 0);
	assert_int_equal(image_each(s, "cache", take, NULL), ERR_ABSENT);
	store_close(s);
	free(data);
	rand_free(r);
}

static void an_unfinished_image_leaves_the_old_one(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct image_writer *w;
	struct sink sink = {0};

	save(s, (const uint8_t *)"old", 3, 3);
	assert_int_equal(image_begin(s, "cache", &w), 0);
	image_add(w, "new", 3);
	image_abandon(w);
	assert_int_equal(image_each(s, "cache", take, &sink), 0);
	assert_memory_equal(sink.bytes, "old", 3);
	assert_int_equal(access(path_of(*state, "cache.image.new"), F_OK), -1);
	free(sink.bytes);
	assert_int_equal(image_begin(s, "../cache", &w), ERR_MALFORMED);
	store_close(s);
}

static void a_damaged_image_yields_no_wrong_byte(void **state)
{
	struct store *s = store_open_ok(*state, NULL);
	struct rand_source *r = rand_new_seeded(4);
	size_t len = 2 * IMAGE_CHUNK + 1000, file_len;
	uint8_t *data = malloc(len);
	char path[400];

	rand_bytes(r, data, len);
	save(s, data, len, 5000);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "cache.image"));
	uint8_t *p = file_read(path, &file_len);
	for (int i = 0; i < 60; i++) {
		struct sink sink = {0};
		size_t at = i < 20 ? (size_t)i : rand_below(r, (uint32_t)file_len);

		p[at] ^= 4;
		file_write(path, p, i % 2 ? file_len : at); /* flipped, or cut */
		p[at] ^= 4;
		assert_int_equal(image_each(s, "cache", take, &sink), ERR_CORRUPT);
		assert_true(sink.len <= len);
		if (sink.len)
			assert_memory_equal(sink.bytes, data, sink.len);
		free(sink.bytes);
	}
	free(p);
	free(data);
	rand_free(r);
	store_close(s);
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH(an_image_comes_back_as_it_was),
		SCRATCH(an_unfinished_image_leaves_the_old_one),
		SCRATCH(a_damaged_image_yields_no_wrong_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
