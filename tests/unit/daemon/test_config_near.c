/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/config_schema.h"

static void distance_counts_edits_and_swaps(void **state)
{
	(void)state;
	assert_int_equal(config_near("subnet", "subnet", 3), 0);
	assert_int_equal(config_near("subnt", "subnet", 3), 1);
	assert_int_equal(config_near("sbunet", "subnet", 3), 1);
	assert_int_equal(config_near("SUBNET", "subnet", 3), 0);
	assert_int_equal(config_near("cache_size", "cache-size", 3), 0);
	assert_int_equal(config_near("kitten", "sitting", 3), 3);
	assert_int_equal(config_near("abc", "xyz", 2), 3);
	assert_int_equal(config_near("", "abc", 3), 3);
	assert_int_equal(config_near("", "", 0), 0);
}

static void the_start_of_a_word_is_just_near_enough(void **state)
{
	(void)state;
	assert_int_equal(config_near("warning", "warn", 2), 2);
	assert_int_equal(config_near("rebind", "rebind-protection", 2), 2);
	assert_int_equal(config_near("min", "min-ttl", 1), 2);
}

static void long_words_are_far_from_everything(void **state)
{
	char word[200];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(config_near(word, word, 3), 4);
	word[63] = '\0';
	assert_int_equal(config_near(word, word, 3), 0);
}

static void short_words_get_no_wild_guesses(void **state)
{
	static const char *const words[] = {"mac", "pd", "ra", NULL};

	(void)state;
	assert_null(config_near_word(words, "xx"));
	assert_string_equal(config_near_word(words, "mca"), "mac");
	assert_string_equal(config_near_word(words, "RA"), "ra");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_edits_and_swaps),
		cmocka_unit_test(the_start_of_a_word_is_just_near_enough),
		cmocka_unit_test(long_words_are_far_from_everything),
		cmocka_unit_test(short_words_get_no_wild_guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
