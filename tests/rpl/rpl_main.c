/* SPDX-License-Identifier: Apache-2.0 */
/* Replays scenarios against a resolver in this process.
 *
 *   rpl [-v] [--seed N] [--expected LIST] FILE...
 *
 * A line for each; exit code 0 when every scenario went as it should, which for one of the list
 * means that it failed; 1 otherwise; 2 when something could not be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rcu.h"
#include "rpl/rpl_expected.h"
#include "rpl/rpl_play.h"

enum { MAIN_SEED = 1 };

struct tally {
	unsigned passed, failed, expected, surprises;
};

static void judge(
	const char *path, const struct rpl_play_options *o, const char *reason, struct tally *t)
{
	struct rpl_scenario *s = rpl_read(path);
	static char why[RPL_WHY_LEN];
	bool is_good = rpl_play(s, o, why);

	if (is_good && reason) {
		t->surprises++;
		printf("PASSES, remove it from the list of expected failures: %s\n", path);
	} else if (is_good) {
		t->passed++;
		printf("pass %s\n", path);
	} else if (reason) {
		t->expected++;
		printf("fails as expected %s: %s\n  %s\n", path, reason, why);
	} else {
		t->failed++;
		printf("FAIL %s: %s\n  %s\n", path, s->title, why);
	}
	rpl_free(s);
}

static int usage(void)
{
	fprintf(stderr, "usage: rpl [-v] [--seed N] [--expected LIST] FILE...\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct rpl_play_options o = {.seed = MAIN_SEED};
	struct rpl_expected *expected;
	const char *list = NULL;
	struct tally t = {0};
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-v") == 0)
			o.is_verbose = true;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			o.seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--expected") == 0 && i + 1 < argc)
			list = argv[++i];
		else
			return usage();
	}
	if (i == argc)
		return usage();
	expected = rpl_expected_read(list);
	rcu_thread_register();
	for (; i < argc; i++)
		judge(argv[i], &o, rpl_expected_get(expected, argv[i]), &t);
	rcu_thread_unregister();
	rpl_expected_free(expected);
	printf("%u passed, %u failed, %u failed as expected, %u passed against expectation\n",
		t.passed, t.failed, t.expected, t.surprises);
	return t.failed + t.surprises > 0;
}
