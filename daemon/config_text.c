/* SPDX-License-Identifier: Apache-2.0 */
/* A loaded configuration as text, and two of them side by side. Both walk the option table. */
#include "daemon/config_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/config_kind.h"
#include "daemon/config_options.h"
#include "daemon/config_read.h"

/* Numbers, words and yes stay plain; the rest is quoted where YAML needs it. */
static void write_value(const struct config_row *row, const void *in, FILE *out)
{
	char *text = config_kind_text(row, in);

	if (row->kind == CONFIG_BOOL || row->kind == CONFIG_PTR || row->kind == CONFIG_INT ||
		row->kind == CONFIG_WORD)
		fputs(text, out);
	else
		config_yaml_write(text, out);
	xfree(text);
}

static void write_list(const struct config_row *row, const char *base, FILE *out)
{
	size_t n = *(const size_t *)(base + row->count_offset);
	size_t size = config_kind_get(row->kind)->size;
	const char *items = *(const char *const *)(base + row->offset);

	fputs("[ ", out);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(", ", out);
		write_value(row, items + i * size, out);
	}
	fputs(" ]", out);
}

static void write_options(const struct config_row *row, const char *base, FILE *out)
{
	size_t n = *(const size_t *)(base + row->count_offset);
	const struct config_option *o = *(const struct config_option *const *)(base + row->offset);
	char number[4];

	fputs("{ ", out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s", i ? ", " : "");
		config_yaml_write(config_options_name(o[i].code, number), out);
		fputs(": ", out);
		config_options_write(&o[i], out);
	}
	fputs(" }", out);
}

/* The value of a leaf on one line, malloced; NULL when there is none. */
static char *leaf_text(const struct config_row *row, const char *base)
{
	bool many = row->list || row->kind == CONFIG_OPTIONS;
	char *text = NULL;
	size_t len;
	FILE *f;

	if (many ? *(const size_t *)(base + row->count_offset) == 0
		 : config_kind_is_unset(row, base + row->offset))
		return NULL;
	f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	if (row->kind == CONFIG_OPTIONS)
		write_options(row, base, f);
	else if (row->list)
		write_list(row, base, f);
	else
		write_value(row, base + row->offset, f);
	fclose(f);
	return text;
}

struct dump {
	const struct config *c;
	FILE *out;
	int indent;
	bool only_set; /* inside what is not built: reading defaults of it back would warn */
};

/* A dump holds what was included, so it includes nothing. */
static bool is_dumped(const struct dump *d, const struct config_row *row, const char *base)
{
	if (base == (const char *)d->c && strcmp(row->key, "include") == 0)
		return false;
	if (row->kind == CONFIG_SECTION || row->kind == CONFIG_MAP)
		return true;
	return !(row->later || d->only_set) || config_is_set(d->c, base + row->offset);
}

static void dump_section(const struct dump *d, const struct config_section *s, const char *base);

/* "name:" and what is in it, or "name: {}". */
static void dump_named(const struct dump *d, const struct config_section *s, const char *name,
	const char *base, bool even_empty)
{
	struct dump inner = {.c = d->c, .indent = d->indent + 1, .only_set = d->only_set};
	char *text = NULL;
	size_t len = 0;

	inner.out = open_memstream(&text, &len);
	if (!inner.out)
		return;
	dump_section(&inner, s, base);
	fclose(inner.out);
	if (len || even_empty) {
		fprintf(d->out, "%*s", d->indent * 2, "");
		config_yaml_write(name, d->out);
		fprintf(d->out, ":%s\n%s", len ? "" : " {}", text);
	}
	xfree(text);
}

static void dump_map(const struct dump *d, const struct config_row *row, const char *base)
{
	struct dump inner = *d;
	size_t n = *(const size_t *)(base + row->count_offset);
	const char *entries = *(const char *const *)(base + row->offset);

	inner.indent++;
	inner.only_set = d->only_set || row->later;
	if (n)
		fprintf(d->out, "%*s%s:\n", d->indent * 2, "", row->key);
	for (size_t i = 0; i < n; i++) {
		const char *entry = entries + i * row->section->size;

		dump_named(&inner, row->section, *(const char *const *)entry, entry, true);
	}
}

static void dump_section(const struct dump *d, const struct config_section *s, const char *base)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct config_row *row = &s->rows[i];
		struct dump inner = *d;
		char *text;

		if (!is_dumped(d, row, base))
			continue;
		inner.only_set = d->only_set || row->later;
		if (row->kind == CONFIG_SECTION) {
			dump_named(&inner, row->section, row->key, base + row->offset, false);
		} else if (row->kind == CONFIG_MAP) {
			dump_map(d, row, base);
		} else if ((text = leaf_text(row, base))) {
			fprintf(d->out, "%*s%s: %s\n", d->indent * 2, "", row->key, text);
			xfree(text);
		}
	}
}

void config_text_dump(const struct config *c, FILE *out)
{
	struct dump d = {.c = c, .out = out};

	dump_section(&d, &config_schema, (const char *)c);
}

/* Two side by side. */

static void add_change(struct config_changes *out, const struct config_row *row,
	const struct config_path *path, char *old_text, char *new_text)
{
	char text[CONFIG_PATH_LEN];
	bool restart = row->effect == CONFIG_RESTART;

	out->n_restart += restart;
	if (out->n == CONFIG_CHANGES_MAX) {
		out->n_left_out++;
		xfree(old_text);
		xfree(new_text);
		return;
	}
	if (out->n == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 16;
		out->list = xrealloc(out->list, out->cap * sizeof(*out->list));
	}
	out->list[out->n++] = (struct config_change){
		xstrdup(config_path_format(path, text)), old_text, new_text, restart};
}

static void diff_section(const struct config_section *s, const char *old, const char *new,
	const struct config_path *path, struct config_changes *out);

static void diff_leaf(const struct config_row *row, const char *old, const char *new,
	const struct config_path *path, struct config_changes *out)
{
	char *a = leaf_text(row, old);
	char *b = leaf_text(row, new);

	if (a == b || (a && b && strcmp(a, b) == 0)) {
		xfree(a);
		xfree(b);
		return;
	}
	add_change(out, row, path, a ? a : xstrdup("none"), b ? b : xstrdup("none"));
}

struct entries {
	const char **sorted; /* pointers to entries, whose first field is the name */
	size_t n;
};

static int compare_entries(const void *a, const void *b)
{
	return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

static struct entries sort_entries(const struct config_row *row, const char *base)
{
	struct entries e = {.n = *(const size_t *)(base + row->count_offset)};
	const char *entry = *(const char *const *)(base + row->offset);

	e.sorted = xcalloc(e.n, sizeof(*e.sorted));
	for (size_t i = 0; i < e.n; i++)
		e.sorted[i] = entry + i * row->section->size;
	if (e.n)
		qsort(e.sorted, e.n, sizeof(*e.sorted), compare_entries);
	return e;
}

static void diff_map(const struct config_row *row, const char *old, const char *new,
	const struct config_path *path, struct config_changes *out)
{
	struct entries a = sort_entries(row, old), b = sort_entries(row, new);

	for (size_t i = 0, j = 0; i < a.n || j < b.n;) {
		int order = i == a.n   ? 1
			    : j == b.n ? -1
				       : compare_entries(&a.sorted[i], &b.sorted[j]);
		const char *entry = order <= 0 ? a.sorted[i] : b.sorted[j];
		struct config_path inner = {path, *(const char *const *)entry};

		if (order == 0)
			diff_section(row->section, entry, b.sorted[j], &inner, out);
		else if (order < 0)
			add_change(out, row, &inner, xstrdup("there"), NULL);
		else
			add_change(out, row, &inner, NULL, xstrdup("there"));
		i += order <= 0;
		j += order >= 0;
	}
	xfree(a.sorted);
	xfree(b.sorted);
}

static void diff_section(const struct config_section *s, const char *old, const char *new,
	const struct config_path *path, struct config_changes *out)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct config_row *row = &s->rows[i];
		struct config_path inner = {path, row->key};

		if (row->kind == CONFIG_SECTION)
			diff_section(
				row->section, old + row->offset, new + row->offset, &inner, out);
		else if (row->kind == CONFIG_MAP)
			diff_map(row, old, new, &inner, out);
		else if (s != &config_schema || strcmp(row->key, "include") != 0)
			diff_leaf(row, old, new, &inner, out);
	}
}

void config_diff(
	const struct config *old, const struct config *new_config, struct config_changes *out)
{
	diff_section(&config_schema, (const char *)old, (const char *)new_config, NULL, out);
}

void config_changes_fini(struct config_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		xfree(changes->list[i].path);
		xfree(changes->list[i].old_text);
		xfree(changes->list[i].new_text);
	}
	xfree(changes->list);
	*changes = (struct config_changes){.list = NULL};
}

void config_changes_print(const struct config_changes *changes, FILE *out)
{
	for (size_t i = 0; i < changes->n; i++) {
		const struct config_change *ch = &changes->list[i];
		const char *note = ch->restart ? " (at the next start)" : "";

		if (!ch->old_text)
			fprintf(out, "%s: added%s\n", ch->path, note);
		else if (!ch->new_text)
			fprintf(out, "%s: removed%s\n", ch->path, note);
		else
			fprintf(out, "%s: %s -> %s%s\n", ch->path, ch->old_text, ch->new_text,
				note);
	}
	if (changes->n_left_out)
		fprintf(out, "... and %zu more\n", changes->n_left_out);
}
