/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Errors and warnings about text files that people write, each with file, line and column: the
 * configuration, the importers. A reader adds to it and goes on, so that one run tells everything;
 * whoever asked prints or logs it. Bounded: past CONFIG_REPORT_MAX messages are only counted. One
 * thread at a time. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define CONFIG_REPORT_MAX 200 /* more than anybody reads in one go */

enum config_level { CONFIG_ERROR, CONFIG_WARNING };

/* line and column count from 1; line 0: the file as a whole; file NULL: no file. */
struct config_where {
	const char *file;
	uint32_t line;
	uint32_t column;
};

struct config_message {
	enum config_level level;
	char *file; /* own copies; NULL when none */
	uint32_t line;
	uint32_t column;
	char *text;
};

struct config_report {
	struct config_message *list;
	size_t n;
	size_t cap;
	size_t n_errors; /* these two count the ones left out too */
	size_t n_warnings;
};

/* An all-zero report is ready for use; fini frees the messages and makes it so again. */
void config_report_fini(struct config_report *rep);
void config_report_add(struct config_report *rep, enum config_level level,
	struct config_where where, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* By file (in order of first mention), line, column. */
void config_report_sort(struct config_report *rep);
/* "lanthorn.yaml:14:5: error: text" without the newline, malloced (xfree). */
char *config_report_format(const struct config_message *m);
/* All of it, a line each, then how many were left out. */
void config_report_print(const struct config_report *rep, FILE *out);
