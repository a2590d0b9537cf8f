/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_read.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/config_kind.h"
#include "daemon/config_limits.h"

/* Where one row of one struct is being read. */
struct place {
	struct config_reader *r;
	const struct config_row *row;
	const struct config_node *key;
	const struct config_node *value;
	const struct config_path *path; /* ends with the row's key */
	bool failed;			/* the value could not be read */
};

static void read_section(struct config_reader *r, const struct config_section *s,
	const struct config_node *map, void *base, const struct config_path *path);

const char *config_path_format(const struct config_path *path, char *buf)
{
	const char *names[CONFIG_DEPTH_MAX];
	size_t n = 0, len = 0;

	for (; path && n < CONFIG_DEPTH_MAX; path = path->up)
		names[n++] = path->name;
	buf[0] = '\0';
	while (n-- && len < CONFIG_PATH_LEN) {
		int more = snprintf(
			buf + len, CONFIG_PATH_LEN - len, "%s%s", len ? "." : "", names[n]);
		len += more > 0 ? (size_t)more : 0;
	}
	return buf;
}

void config_read_error(struct config_reader *r, const struct config_node *n, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	config_report_add(r->rep, CONFIG_ERROR, config_tree_where(r->tree, n), "%s", text);
}

static const char *node_name(const struct config_node *n)
{
	switch (n->kind) {
	case CONFIG_NODE_LIST:
		return "a list";
	case CONFIG_NODE_MAP:
		return "a map";
	default:
		return "nothing";
	}
}

static void set_place(struct place *p, const void *field, const struct config_node *n)
{
	config_store_place(p->r->store, field, n->file, n->line, n->column);
}

/* What the reader of a kind says, after the key it is about. */
static void complain(struct place *p, const struct config_node *n, const char *text)
{
	char path[CONFIG_PATH_LEN];

	config_read_error(p->r, n, "%s: %s", config_path_format(p->path, path), text);
}

static bool read_value(struct place *p, const struct config_node *n, void *out)
{
	struct config_value v = {
		.text = n->text, .row = p->row, .store = p->r->store, .folder = p->r->folder};
	char text[CONFIG_COMPLAINT_MAX];

	if (n->kind != CONFIG_NODE_SCALAR) {
		snprintf(text, sizeof(text), "expected %s, found %s",
			config_kind_get(p->row->kind)->expected, node_name(n));
		complain(p, n, text);
		return false;
	}
	if (config_kind_read(p->row->kind, &v, out) == 0)
		return true;
	if (p->row->list && strchr(n->text, ',') && !strstr(v.complaint, "put a -")) {
		size_t len = strlen(v.complaint);

		snprintf(v.complaint + len, sizeof(v.complaint) - len,
			"; a list is written [ one, two ]");
	}
	complain(p, n, v.complaint);
	return false;
}

static void read_scalar(struct place *p, void *field)
{
	struct config_node word;
	char path[CONFIG_PATH_LEN];

	if (p->value->broken || (p->value->kind == CONFIG_NODE_NONE && p->row->blank))
		return;
	/* `answer: null` is a word here, whatever YAML calls it. */
	if (p->value->kind == CONFIG_NODE_NONE && p->row->kind == CONFIG_WORD &&
		p->value->text[0]) {
		word = *p->value;
		word.kind = CONFIG_NODE_SCALAR;
		p->value = &word;
	}
	if (p->value->kind == CONFIG_NODE_NONE) {
		config_read_error(
			p->r, p->key, "%s has no value", config_path_format(p->path, path));
		return;
	}
	if (p->value->also) {
		struct config_where first = config_tree_where(p->r->tree, p->value);

		config_read_error(p->r, p->value->also, "%s is given again; first at %s:%u",
			config_path_format(p->path, path), first.file, first.line);
	}
	set_place(p, field, p->value);
	p->failed = !read_value(p, p->value, field);
}

static size_t count_one(const struct config_node *value)
{
	return value->kind == CONFIG_NODE_LIST ? value->n : 1;
}

static size_t count_items(const struct config_node *value)
{
	size_t n = 0;

	for (; value; value = value->also) {
		for (size_t i = 0; value->kind == CONFIG_NODE_MAP && i < value->n; i++)
			n += count_one(value->pair[i].value);
		n += count_one(value);
	}
	return n;
}

struct list {
	char *items;
	size_t n;
	size_t item_len;
};

static void read_item(struct place *p, struct list *list, const struct config_node *n)
{
	void *item = list->items + list->n * list->item_len;

	if (n->broken || !read_value(p, n, item))
		return;
	set_place(p, item, n);
	list->n++;
}

/* rr: { SSHFP: "4 2 123", TLSA: [ ... ] } says the same as rr: [ "SSHFP 4 2 123", ... ]. */
static void read_rr_map(struct place *p, struct list *list, const struct config_node *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct config_node *value = map->pair[i].value;
		bool many = value->kind == CONFIG_NODE_LIST;

		for (size_t j = 0; j < count_one(value); j++) {
			struct config_node item = many ? *value->item[j] : *value;
			char *text = NULL;

			if (item.kind == CONFIG_NODE_SCALAR)
				item.text = text =
					xasprintf("%s %s", map->pair[i].key->text, item.text);
			read_item(p, list, &item);
			xfree(text);
		}
	}
}

static void read_list(struct place *p, char *base)
{
	const struct config_kind_info *info = config_kind_get(p->row->kind);
	struct list list = {.item_len = info->size};

	list.items = config_store_alloc(p->r->store, count_items(p->value), info->size);
	for (const struct config_node *v = p->value; v; v = v->also) {
		if (v->kind == CONFIG_NODE_LIST)
			for (size_t i = 0; i < v->n; i++)
				read_item(p, &list, v->item[i]);
		else if (v->kind == CONFIG_NODE_MAP && p->row->kind == CONFIG_RR)
			read_rr_map(p, &list, v);
		else if (v->kind != CONFIG_NODE_NONE)
			read_item(p, &list, v);
	}
	set_place(p, base + p->row->offset, p->key);
	*(void **)(base + p->row->offset) = list.items;
	*(size_t *)(base + p->row->count_offset) = list.n;
}

/* An entry of a map; its struct begins with its name. */
static void read_entry(struct place *p, const struct config_pair *pair, void *entry)
{
	const struct config_section *s = p->row->section;
	struct config_row name_row = {.key = "", .kind = s->name_kind};
	struct config_path path = {.up = p->path, .name = pair->key->text};
	struct place name = {.r = p->r, .row = &name_row, .path = p->path};

	set_place(p, entry, pair->key);
	if (!read_value(&name, pair->key, entry))
		*(const char **)entry =
			config_store_text(p->r->store, pair->key->text, strlen(pair->key->text));
	read_section(p->r, s, pair->value, entry, &path);
}

struct entry_name {
	const char *name;
	size_t i;
};

static int compare_names(const void *a, const void *b)
{
	const struct entry_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->i > y->i) - (x->i < y->i);
}

/* Names that differ only in case, or by a final dot; equal ones were found in the tree. */
static void report_same_names(struct place *p, const char *entries, size_t n)
{
	struct entry_name *names = xcalloc(n, sizeof(*names));
	const struct config_pair *pair = p->value->pair;

	for (size_t i = 0; i < n; i++)
		names[i] = (struct entry_name){
			*(const char *const *)(entries + i * p->row->section->size), i};
	if (n)
		qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 1; i < n; i++) {
		const struct config_node *first = pair[names[i - 1].i].key;
		const struct config_node *again = pair[names[i].i].key;

		if (strcmp(names[i].name, names[i - 1].name) == 0 &&
			strcmp(first->text, again->text) != 0)
			config_read_error(p->r, again, "\"%s\" is the same as \"%s\" at line %u",
				again->text, first->text, first->line);
	}
	xfree(names);
}

static void read_map(struct place *p, char *base)
{
	const struct config_node *map = p->value;
	size_t len = p->row->section->size;
	char path[CONFIG_PATH_LEN], *entries;

	set_place(p, base + p->row->offset, p->key);
	if (map->kind == CONFIG_NODE_NONE && !map->also)
		return;
	if (map->kind != CONFIG_NODE_MAP || map->also) {
		const struct config_node *n = map->also ? map->also : map;

		config_read_error(p->r, n, "%s: expected entries as NAME: { ... }, found %s",
			config_path_format(p->path, path),
			n->kind == CONFIG_NODE_SCALAR ? "text" : node_name(n));
		return;
	}
	if (map->n > p->row->max) {
		config_read_error(p->r, p->key, "%s has %zu entries; at most %u are allowed",
			config_path_format(p->path, path), map->n, (unsigned)p->row->max);
		return;
	}
	entries = config_store_alloc(p->r->store, map->n, len);
	*(void **)(base + p->row->offset) = entries;
	*(size_t *)(base + p->row->count_offset) = map->n;
	for (size_t i = 0; i < map->n; i++)
		read_entry(p, &map->pair[i], entries + i * len);
	report_same_names(p, entries, map->n);
}

/* Does what was written want a thing that is not built? `ra: no` does not. */
static bool asks(const struct place *p, const char *base)
{
	const void *field = base + p->row->offset;

	switch (p->row->kind) {
	case CONFIG_BOOL:
		return *(const bool *)field;
	case CONFIG_INT:
		return *(const uint32_t *)field != 0;
	case CONFIG_SECTION:
		return p->value->n > 0;
	default:
		return !p->row->count_offset || *(const size_t *)(base + p->row->count_offset) > 0;
	}
}

static void read_row(struct place *p, char *base)
{
	char path[CONFIG_PATH_LEN];

	switch (p->row->kind) {
	case CONFIG_SECTION:
		read_section(p->r, p->row->section, p->value, base + p->row->offset, p->path);
		break;
	case CONFIG_MAP:
		read_map(p, base);
		break;
	case CONFIG_OPTIONS:
		config_options_read(p->r, p->row, p->value, base, p->path);
		break;
	default:
		if (p->row->list)
			read_list(p, base);
		else
			read_scalar(p, base + p->row->offset);
	}
	if (p->row->later && !p->failed && asks(p, base))
		config_report_add(p->r->rep, CONFIG_WARNING, config_tree_where(p->r->tree, p->key),
			"%s is not built yet and does nothing", config_path_format(p->path, path));
}

static void report_unknown(struct config_reader *r, const struct config_section *s,
	const struct config_pair *pair, const struct config_path *path)
{
	const struct config_node *key = pair->key;
	char where[CONFIG_PATH_LEN], quote[CONFIG_QUOTE_LEN];
	const char *near = config_schema_near(s, key->text);
	const char *title = near ? NULL : config_schema_elsewhere(s, key->text);

	config_quote(key->text, quote);
	config_path_format(path, where);
	if (near)
		config_read_error(r, key, "unknown key %s%s%s; did you mean \"%s\"?", quote,
			path ? " in " : "", where, near);
	else if (title)
		config_read_error(r, key, "unknown key %s%s%s; it belongs %s%s", quote,
			path ? " in " : "", where, *title ? "in " : "at the top of the file",
			title);
	else
		config_read_error(r, key, "unknown key %s%s%s%s", quote, path ? " in " : "", where,
			pair->value->kind == CONFIG_NODE_NONE ? "; a list is written [ one, two ]"
							      : "");
}

/* Defaults, of the sections inside too. A test reads every preset, so none can fail. */
static void set_presets(struct config_reader *r, const struct config_section *s, char *base)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct config_row *row = &s->rows[i];
		struct config_value v = {.text = row->preset, .row = row, .store = r->store};

		if (row->kind == CONFIG_SECTION)
			set_presets(r, row->section, base + row->offset);
		else if (row->preset && config_kind_read(row->kind, &v, base + row->offset) < 0)
			config_report_add(r->rep, CONFIG_ERROR, (struct config_where){.line = 0},
				"the default of %s: %s", row->key, v.complaint);
	}
}

static void report_missing(struct config_reader *r, const struct config_section *s,
	const struct config_node *map, const char *base, const struct config_path *path)
{
	char where[CONFIG_PATH_LEN];

	for (size_t i = 0; i < s->n_rows; i++) {
		const struct config_row *row = &s->rows[i];
		const struct config_node *value = NULL;

		if (!row->required || *(const size_t *)(base + row->count_offset) > 0)
			continue;
		if (map->kind == CONFIG_NODE_MAP)
			value = config_tree_get(map, row->key);
		/* A value that was wrong has been reported. */
		if (!value || value->kind == CONFIG_NODE_NONE ||
			(value->kind == CONFIG_NODE_LIST && value->n == 0))
			config_read_error(r, value ? value : map, "%s needs \"%s\": %s",
				config_path_format(path, where), row->key, row->help);
	}
}

static void read_section(struct config_reader *r, const struct config_section *s,
	const struct config_node *map, void *base, const struct config_path *path)
{
	char where[CONFIG_PATH_LEN], quote[CONFIG_QUOTE_LEN];
	size_t n = map->kind == CONFIG_NODE_MAP ? map->n : 0;

	set_presets(r, s, base);
	if (map->kind == CONFIG_NODE_SCALAR) {
		const char *colon = strchr(map->text, ':');

		config_read_error(r, map, "%s: expected keys and values, found %s%s",
			config_path_format(path, where), config_quote(map->text, quote),
			colon && colon[1] ? "; a space must follow the colon" : "");
		return;
	}
	if (map->kind == CONFIG_NODE_LIST || map->also) {
		config_read_error(r, map->also ? map->also : map,
			"%s: expected keys and values, found %s", config_path_format(path, where),
			map->also ? "it twice, and not as maps" : "a list");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct config_pair *pair = &map->pair[i];
		struct config_path inner = {.up = path, .name = pair->key->text};
		struct place p = {.r = r,
			.row = config_schema_get(s, pair->key->text),
			.key = pair->key,
			.value = pair->value,
			.path = &inner};

		if (p.row)
			read_row(&p, base);
		else
			report_unknown(r, s, pair, path);
	}
	report_missing(r, s, map, base, path);
}

void config_read(struct config_reader *r, const struct config_node *root)
{
	read_section(r, &config_schema, root, r->config, NULL);
}
