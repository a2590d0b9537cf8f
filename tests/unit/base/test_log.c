/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

struct scratch {
	char dir[64], path[96], moved[96];
	char text[16384];
};

static int scratch_setup(void **state)
{
	static struct scratch s;

	snprintf(s.dir, sizeof(s.dir), "/tmp/test_log.XXXXXX");
	assert_non_null(mkdtemp(s.dir));
	snprintf(s.path, sizeof(s.path), "%s/log", s.dir);
	snprintf(s.moved, sizeof(s.moved), "%s/log.1", s.dir);
	*state = &s;
	return 0;
}

static int scratch_teardown(void **state)
{
	struct scratch *s = *state;

	log_close();
	unlink(s->path);
	unlink(s->moved);
	return rmdir(s->dir);
}

static const char *text_of(struct scratch *s, const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;

	if (f) {
		n = fread(s->text, 1, sizeof(s->text) - 1, f);
		fclose(f);
	}
	s->text[n] = '\0';
	return s->text;
}

static size_t lines_with(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

static void a_line_has_time_level_id_and_text(void **state)
{
	struct scratch *s = *state;
	const char *text;
	int y, mo, d, h, mi, sec, ms, at = 0;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	log_info(DAEMON_START, "version %d", 7);
	text = text_of(s, s->path);
	assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &y, &mo, &d, &h, &mi, &sec,
				 &ms, &at),
		7);
	assert_string_equal(text + at, " info DAEMON_START version 7\n");
}

static void lower_levels_are_left_out(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(log_open(s->path, LOG_LEVEL_WARN), 0);
	log_info(DAEMON_START, "no");
	log_debug(DAEMON_START, "no");
	log_limited(LOG_LEVEL_INFO, DAEMON_START, "no");
	log_warn(DAEMON_STOP, "yes");
	log_error(DAEMON_STOP, "yes");
	assert_int_equal(lines_with(text_of(s, s->path), "\n"), 2);
	assert_int_equal(lines_with(s->text, "no"), 0);
	assert_true(log_is_on(LOG_LEVEL_ERROR));
	assert_false(log_is_on(LOG_LEVEL_DEBUG));
}

static void one_line_stays_one_line(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	log_info(DAEMON_START, "a\nb\x1b[31mc\r");
	assert_non_null(strstr(text_of(s, s->path), "a?b?[31mc?\n"));
	assert_int_equal(lines_with(s->text, "\n"), 1);
}

static void a_long_line_is_cut_and_marked(void **state)
{
	struct scratch *s = *state;
	char long_text[8000];
	size_t n;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	log_info(DAEMON_START, "%s", long_text);
	log_info(DAEMON_STOP, "next");
	n = strlen(text_of(s, s->path));
	assert_true(n < 2200);
	assert_int_equal(lines_with(s->text, "\n"), 2);
	assert_non_null(strstr(s->text, "xxx...\n"));
}

static void a_flood_is_limited_by_id(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	for (int i = 0; i < 1000; i++) {
		log_limited(LOG_LEVEL_WARN, DHCP_POOL_EMPTY, "full %d", i);
		log_limited(LOG_LEVEL_WARN, BOOT_REFUSED, "no %d", i);
	}
	log_close();
	text_of(s, s->path);
	assert_int_equal(lines_with(s->text, "POOL_EMPTY full"), LOG_LIMIT_PER_MIN);
	assert_int_equal(lines_with(s->text, "REFUSED no"), LOG_LIMIT_PER_MIN);
	assert_int_equal(lines_with(s->text, "left out for a minute"), 2);
	assert_int_equal(lines_with(s->text, "995 more lines like this were left out"), 2);
}

static void reopen_follows_a_rotated_file(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	log_info(DAEMON_START, "old");
	assert_int_equal(rename(s->path, s->moved), 0);
	log_info(DAEMON_START, "still old");
	assert_int_equal(log_reopen(), 0);
	log_info(DAEMON_START, "new");
	assert_int_equal(lines_with(text_of(s, s->moved), "old"), 2);
	assert_int_equal(lines_with(text_of(s, s->path), "new"), 1);
}

static void lines_go_behind_what_others_wrote(void **state)
{
	struct scratch *s = *state;
	FILE *f;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	log_info(DAEMON_START, "first");
	f = fopen(s->path, "a");
	fputs("somebody else\n", f);
	fclose(f);
	log_info(DAEMON_START, "last");
	assert_int_equal(lines_with(text_of(s, s->path), "\n"), 3);
	assert_int_equal(lines_with(s->text, "somebody else\n"), 1);
}

enum { WRITERS = 4, LINES = 500 };

static void *writer(void *arg)
{
	char fill[201];

	memset(fill, 'a' + (int)(intptr_t)arg, 200);
	fill[200] = '\0';
	for (int i = 0; i < LINES; i++) {
		log_info(DAEMON_START, "%s|", fill);
		log_limited(LOG_LEVEL_INFO, BOOT_REFUSED, "no %d", i);
	}
	return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
	struct scratch *s = *state;
	size_t n_whole = 0, n_limited = 0;
	pthread_t thread[WRITERS];
	char line[4096];
	FILE *f;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	for (intptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, writer, (void *)i), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(log_reopen(), 0);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	f = fopen(s->path, "r");
	while (fgets(line, sizeof(line), f)) {
		char *text = strstr(line, "DAEMON_START ");

		n_limited += strstr(line, "BOOT_REFUSED no") != NULL;
		if (text && strspn(text + 13, (char[]){text[13], '\0'}) == 200 &&
			strcmp(text + 213, "|\n") == 0)
			n_whole++;
	}
	fclose(f);
	assert_int_equal(n_whole, WRITERS * LINES);
	/* Threads that open a window at once may each let one more through. */
	assert_in_range(n_limited, LOG_LIMIT_PER_MIN, LOG_LIMIT_PER_MIN + WRITERS);
}

static void a_failed_reopen_keeps_the_old_file(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	assert_int_equal(rename(s->path, s->moved), 0);
	assert_int_equal(mkdir(s->path, 0700), 0);
	assert_true(log_reopen() < 0);
	log_info(DAEMON_START, "kept");
	assert_int_equal(lines_with(text_of(s, s->moved), "kept"), 1);
	assert_int_equal(rmdir(s->path), 0);
}

static void a_path_that_cannot_be_opened_is_an_error(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(log_open("/no/such/folder/log", LOG_LEVEL_INFO), ERR_ABSENT);
	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	assert_int_equal(log_open("/no/such/folder/log", LOG_LEVEL_INFO), ERR_ABSENT);
	log_info(DAEMON_START, "kept"); /* the earlier target goes on */
	assert_int_equal(lines_with(text_of(s, s->path), "kept"), 1);
}

static void errno_survives_a_line(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(log_open(s->path, LOG_LEVEL_INFO), 0);
	errno = EXDEV;
	log_info(DAEMON_START, "x");
	log_limited(LOG_LEVEL_INFO, DAEMON_START, "x");
	assert_int_equal(errno, EXDEV);
}

static void under_systemd_lines_carry_priorities(void **state)
{
	struct scratch *s = *state;
	int saved = dup(STDERR_FILENO);
	FILE *f = fopen(s->path, "w");
	struct stat st;
	char stream[64];

	assert_int_equal(fstat(fileno(f), &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	dup2(fileno(f), STDERR_FILENO);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	log_warn(DAEMON_STOP, "soon");
	dup2(saved, STDERR_FILENO);
	setenv("JOURNAL_STREAM", "1:1", 1); /* somebody else's stream */
	close(saved);
	fclose(f);
	assert_string_equal(text_of(s, s->path), "<4>DAEMON_STOP soon\n");
	unsetenv("JOURNAL_STREAM");
}

static void every_id_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(log_id_name(DAEMON_START), "DAEMON_START");
	assert_string_equal(log_id_name((enum log_id)LOG_ID_COUNT), "UNKNOWN");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		T(a_line_has_time_level_id_and_text),
		T(lower_levels_are_left_out),
		T(one_line_stays_one_line),
		T(a_long_line_is_cut_and_marked),
		T(a_flood_is_limited_by_id),
		T(reopen_follows_a_rotated_file),
		T(lines_go_behind_what_others_wrote),
		T(lines_of_many_threads_stay_whole),
		T(a_failed_reopen_keeps_the_old_file),
		T(a_path_that_cannot_be_opened_is_an_error),
		T(errno_survives_a_line),
		T(under_systemd_lines_carry_priorities),
		T(every_id_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
