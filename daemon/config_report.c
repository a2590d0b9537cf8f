/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { REPORT_TEXT_MAX = 1024 };

void config_report_fini(struct config_report *rep)
{
	for (size_t i = 0; i < rep->n; i++) {
		xfree(rep->list[i].file);
		xfree(rep->list[i].text);
	}
	xfree(rep->list);
	*rep = (struct config_report){.list = NULL};
}

void config_report_add(struct config_report *rep, enum config_level level,
	struct config_where where, const char *fmt, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list args;

	if (level == CONFIG_ERROR)
		rep->n_errors++;
	else
		rep->n_warnings++;
	if (rep->n == CONFIG_REPORT_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (rep->n == rep->cap) {
		rep->cap = rep->cap ? rep->cap * 2 : 8;
		rep->list = xrealloc(rep->list, rep->cap * sizeof(*rep->list));
	}
	rep->list[rep->n++] = (struct config_message){
		.level = level,
		.file = where.file ? xstrdup(where.file) : NULL,
		.line = where.line,
		.column = where.column,
		.text = xstrdup(text),
	};
}

/* The place of the file among those mentioned; the list is short and mostly one file. */
static size_t report_file_rank(const struct config_report *rep, const char *file)
{
	for (size_t i = 0; i < rep->n; i++)
		if (rep->list[i].file == file ||
			(file && rep->list[i].file && strcmp(rep->list[i].file, file) == 0))
			return i;
	return rep->n;
}

static bool report_is_after(const struct config_message *a, size_t rank_a,
	const struct config_message *b, size_t rank_b)
{
	if (rank_a != rank_b)
		return rank_a > rank_b;
	if (a->line != b->line)
		return a->line > b->line;
	return a->column > b->column;
}

/* An insertion sort, stable, of at most CONFIG_REPORT_MAX messages. */
void config_report_sort(struct config_report *rep)
{
	size_t rank[CONFIG_REPORT_MAX];

	for (size_t i = 0; i < rep->n; i++)
		rank[i] = report_file_rank(rep, rep->list[i].file);
	for (size_t i = 1; i < rep->n; i++) {
		struct config_message m = rep->list[i];
		size_t r = rank[i], j = i;

		for (; j > 0 && report_is_after(&rep->list[j - 1], rank[j - 1], &m, r); j--) {
			rep->list[j] = rep->list[j - 1];
			rank[j] = rank[j - 1];
		}
		rep->list[j] = m;
		rank[j] = r;
	}
}

char *config_report_format(const struct config_message *m)
{
	const char *level = m->level == CONFIG_ERROR ? "" : "warning: ";

	if (!m->file)
		return xasprintf("%s%s", level, m->text);
	if (!m->line)
		return xasprintf("%s: %s%s", m->file, level, m->text);
	return xasprintf("%s:%u:%u: %s%s", m->file, m->line, m->column, level, m->text);
}

void config_report_print(const struct config_report *rep, FILE *out)
{
	size_t left_out = rep->n_errors + rep->n_warnings - rep->n;

	for (size_t i = 0; i < rep->n; i++) {
		char *line = config_report_format(&rep->list[i]);

		fprintf(out, "%s\n", line);
		xfree(line);
	}
	if (left_out)
		fprintf(out, "... and %zu more\n", left_out);
}
