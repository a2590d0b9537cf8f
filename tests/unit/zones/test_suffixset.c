/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/suffixset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct hash_key KEY = {1, 2};

static const uint8_t *name(const char *text)
{
	static uint8_t store[4][DNAME_MAX];
	static unsigned i;
	size_t len;
	uint8_t *out = store[i++ % 4];

	assert_int_equal(dname_read(text, out, &len), 0);
	return out;
}

static uint32_t add(struct suffixset *s, const char *text)
{
	uint32_t id;

	assert_int_equal(suffixset_add(s, name(text), &id), 0);
	return id;
}

static void ancestors_come_along_and_ids_are_dense(void **state)
{
	struct suffixset *s = suffixset_new(&KEY);

	(void)state;
	assert_int_equal(suffixset_count(s), 1);
	assert_int_equal(add(s, "."), SUFFIXSET_ROOT);
	assert_int_equal(add(s, "a.b.c"), 3);
	assert_int_equal(add(s, "C"), 1);
	assert_int_equal(add(s, "B.c"), 2);
	assert_int_equal(add(s, "x.b.c"), 4);
	assert_int_equal(suffixset_count(s), 5);
	assert_int_equal(suffixset_get(s, name("A.b.C")), 3);
	assert_int_equal(suffixset_get(s, name("y.b.c")), SUFFIXSET_NONE);
	assert_int_equal(suffixset_get(s, name("b")), SUFFIXSET_NONE);
	suffixset_free(s);
	suffixset_free(NULL);
}

static void a_walk_ends_at_the_first_missing_label(void **state)
{
	struct suffixset *s = suffixset_new(&KEY);
	uint32_t ids[DNAME_LABELS_MAX + 1];

	(void)state;
	add(s, "nas.home.arpa");
	assert_int_equal(suffixset_find(s, name("x.y.nas.home.arpa"), ids), 3);
	assert_int_equal(ids[0], SUFFIXSET_ROOT);
	assert_int_equal(ids[3], suffixset_get(s, name("nas.home.arpa")));
	assert_int_equal(suffixset_find(s, name("nas.home.com"), ids), 0);
	assert_int_equal(suffixset_find(s, name("tv.home.arpa"), ids), 2);
	assert_int_equal(suffixset_find(s, name("."), ids), 0);
	suffixset_free(s);
}

/* Labels that hold each other's octets, and one that holds a whole name's. */
static void labels_are_compared_whole(void **state)
{
	struct suffixset *s = suffixset_new(&KEY);

	(void)state;
	add(s, "ab.c");
	add(s, "a.bc");
	assert_int_equal(suffixset_get(s, name("a.b.c")), SUFFIXSET_NONE);
	assert_int_equal(suffixset_get(s, name("abc")), SUFFIXSET_NONE);
	assert_int_equal(suffixset_get(s, name("ab\\001c")), SUFFIXSET_NONE);
	assert_int_equal(suffixset_get(s, name("a.c")), SUFFIXSET_NONE);
	assert_true(suffixset_get(s, name("ab.c")) != SUFFIXSET_NONE);
	suffixset_free(s);
}

static void many_names_are_all_found_again(void **state)
{
	struct suffixset *s = suffixset_new(&KEY);
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		snprintf(text, sizeof(text), "host%u.Sub%u.example", i, i % 100);
		add(s, text);
	}
	assert_int_equal(suffixset_count(s), 1 + 1 + 100 + 30000);
	for (unsigned i = 0; i < 30000; i++) {
		snprintf(text, sizeof(text), "HOST%u.sub%u.Example", i, i % 100);
		assert_true(suffixset_get(s, name(text)) != SUFFIXSET_NONE);
		snprintf(text, sizeof(text), "host%u.sub%u.example", i, (i + 1) % 100);
		assert_int_equal(suffixset_get(s, name(text)), SUFFIXSET_NONE);
	}
	suffixset_free(s);
}

static void labels_of_every_length_are_kept(void **state)
{
	struct suffixset *s = suffixset_new(&KEY);
	char text[64] = "";
	uint32_t ids[63];

	(void)state;
	for (unsigned i = 0; i < 63; i++) {
		text[i] = 'k';
		ids[i] = add(s, text);
	}
	memset(text, 'K', sizeof(text));
	for (unsigned i = 63; i-- > 0;) {
		text[i + 1] = '\0';
		assert_int_equal(suffixset_get(s, name(text)), ids[i]);
	}
	suffixset_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ancestors_come_along_and_ids_are_dense),
		cmocka_unit_test(a_walk_ends_at_the_first_missing_label),
		cmocka_unit_test(labels_are_compared_whole),
		cmocka_unit_test(many_names_are_all_found_again),
		cmocka_unit_test(labels_of_every_length_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
