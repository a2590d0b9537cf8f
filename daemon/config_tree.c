/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/config_kind.h"
#include "daemon/config_limits.h"

enum { TREE_CHUNK = 65536, TREE_TEXT_PER_NODE = 64, TREE_MERGES_MAX = 16 };

struct config_tree {
	struct config_store *store;
	struct config_report *rep;
	struct arena_pool *pool;
	struct arena *arena;
	size_t nodes_left;
	bool over; /* the budget is used up and that has been said */
};

struct config_tree *config_tree_new(struct config_store *store, struct config_report *rep)
{
	struct config_tree *t = xcalloc(1, sizeof(*t));

	t->store = store;
	t->rep = rep;
	t->pool = arena_pool_new(TREE_CHUNK, 0);
	t->arena = arena_new(t->pool, SIZE_MAX); /* bounded by nodes and by the length of files */
	t->nodes_left = CONFIG_NODES_MAX;
	return t;
}

void config_tree_free(struct config_tree *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	arena_pool_free(t->pool);
	xfree(t);
}

struct config_where config_tree_where(const struct config_tree *t, const struct config_node *n)
{
	return (struct config_where){config_store_file_name(t->store, n->file), n->line, n->column};
}

static void *tree_alloc(struct config_tree *t, size_t n, size_t len)
{
	void *p = arena_zalloc(t->arena, n * len);

	assert(p);
	return p;
}

/* Syntax errors: libyaml's words with, where we can guess it, what the writer did. */

struct problem {
	const char *says; /* part of libyaml's text */
	char at;	  /* the character there, 0: any */
	const char *means;
};

static const struct problem PROBLEMS[] = {
	{"cannot start any token", '\t', "a tab stands here; YAML is indented with spaces"},
	{"cannot start any token", '@', "text that begins with @ must be put in quotes"},
	{"cannot start any token", '`', "text that begins with ` must be put in quotes"},
	{"cannot start any token", '%', "text that begins with % must be put in quotes"},
	{"did not find expected node content", ':',
		"inside [ ] and { } text that begins with a colon must be put in quotes: \"::1\""},
	{"did not find expected node content", ',', "something is missing before this comma"},
	{"expected alphabetic or numeric", 0,
		"a name that begins with * or & must be put in quotes: \"*.apps.home.arpa\""},
	{"mapping values are not allowed", 0,
		"a second \": \" on one line, or this line is indented too far; put text that "
		"holds "
		"\": \" in quotes"},
	{"could not find expected ':'", 0, "a key without a \": \" after it"},
	{"did not find expected key", 0,
		"this line is not indented like the others of its block, or a quote or bracket "
		"before "
		"it is not closed"},
	{"did not find expected '-' indicator", 0,
		"this line is not indented like the others of its list"},
	{"did not find expected ',' or ']'", 0, "a list that began with [ lacks a comma or its ]"},
	{"did not find expected ',' or '}'", 0, "a map that began with { lacks a comma or its }"},
	{"found unexpected end of stream", 0, "the file ends inside quotes"},
	{"found undefined alias", 0,
		"this * refers to an & that is not there; put plain text that "
		"begins with * in quotes"},
	{"control characters are not allowed", 0, "a control character stands here"},
	{"invalid leading UTF-8 octet", 0, "the text is not UTF-8"},
	{"invalid trailing UTF-8 octet", 0, "the text is not UTF-8"},
};

static const char *problem_meaning(const char *says, char at)
{
	for (size_t i = 0; i < sizeof(PROBLEMS) / sizeof(PROBLEMS[0]); i++)
		if (strstr(says, PROBLEMS[i].says) && (!PROBLEMS[i].at || PROBLEMS[i].at == at))
			return PROBLEMS[i].means;
	return NULL;
}

/* The byte at a line and column counted from 0, the column in characters. */
static char byte_at(const char *text, size_t len, size_t line, size_t column)
{
	size_t i = 0;

	for (; line && i < len; i++)
		if (text[i] == '\n')
			line--;
	for (; column && i < len && text[i] != '\n'; column--)
		do
			i++;
		while (i < len && ((unsigned char)text[i] & 0xc0) == 0x80);
	return i < len ? text[i] : '\0';
}

/* Where a reader's offset, which counts bytes, stands. */
static void offset_where(const char *text, size_t offset, struct config_where *where)
{
	where->line = where->column = 1;
	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			where->line++;
			where->column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			where->column++;
		}
	}
}

static void report_syntax(struct config_tree *t, const yaml_parser_t *p, const char *name,
	const char *text, size_t len)
{
	struct config_where where = {.file = name};
	const char *says = p->problem ? p->problem : "it cannot be read";
	const char *means;

	if (p->error == YAML_READER_ERROR) {
		offset_where(text, p->problem_offset < len ? p->problem_offset : len, &where);
	} else {
		where.line = (uint32_t)p->problem_mark.line + 1;
		where.column = (uint32_t)p->problem_mark.column + 1;
	}
	means = problem_meaning(
		says, byte_at(text, len, p->problem_mark.line, p->problem_mark.column));
	if (means && p->context && p->context_mark.line != p->problem_mark.line)
		config_report_add(t->rep, CONFIG_ERROR, where, "%s (the block began at line %zu)",
			means, p->context_mark.line + 1);
	else if (means)
		config_report_add(t->rep, CONFIG_ERROR, where, "%s", means);
	else
		config_report_add(t->rep, CONFIG_ERROR, where, "not valid YAML: %s%s%s", says,
			p->context ? " " : "", p->context ? p->context : "");
}

/* From libyaml's nodes to ours. */

struct build {
	struct config_tree *t;
	yaml_document_t *doc;
	uint32_t file;
};

static struct config_node *build_node(struct build *b, int index, unsigned depth);

static void complain_at(struct build *b, const struct config_node *n, const char *text)
{
	config_report_add(b->t->rep, CONFIG_ERROR, config_tree_where(b->t, n), "%s", text);
}

static struct config_node *new_node(struct build *b, const yaml_node_t *y)
{
	struct config_node *n = tree_alloc(b->t, 1, sizeof(*n));

	n->file = b->file;
	n->line = (uint32_t)y->start_mark.line + 1;
	n->column = (uint32_t)y->start_mark.column + 1;
	return n;
}

static bool is_null(const yaml_node_t *y)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp((const char *)y->data.scalar.value, words[i]) == 0)
			return true;
	return false;
}

static void build_scalar(struct build *b, const yaml_node_t *y, struct config_node *n)
{
	const char *text = (const char *)y->data.scalar.value;
	size_t len = y->data.scalar.length;
	char *copy;

	n->text = "";
	if (is_null(y)) {
		n->text = len > 1 ? "null" : "";
		return;
	}
	/* Long texts cost more, or one text and many aliases of it would cost nothing. */
	b->t->nodes_left -= len / TREE_TEXT_PER_NODE < b->t->nodes_left ? len / TREE_TEXT_PER_NODE
									: b->t->nodes_left;
	/* A block scalar (| or >) ends with the newline of its last line. */
	while (len && text[len - 1] == '\n')
		len--;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
			complain_at(b, n, "a control character or line break is inside this text");
			n->broken = true;
			return;
		}
	}
	copy = tree_alloc(b->t, 1, len + 1);
	memcpy(copy, text, len);
	n->kind = CONFIG_NODE_SCALAR;
	n->text = copy;
}

static void build_list(struct build *b, const yaml_node_t *y, struct config_node *n, unsigned depth)
{
	const yaml_node_item_t *item = y->data.sequence.items.start;
	size_t count = (size_t)(y->data.sequence.items.top - item);

	n->kind = CONFIG_NODE_LIST;
	n->item = tree_alloc(b->t, count, sizeof(*n->item));
	for (size_t i = 0; i < count; i++) {
		n->item[n->n] = build_node(b, item[i], depth);
		if (!n->item[n->n])
			return;
		n->n++;
	}
}

static int compare_keys(const void *a, const void *b)
{
	const struct config_pair *x = *(const struct config_pair *const *)a;
	const struct config_pair *y = *(const struct config_pair *const *)b;
	int order = strcmp(x->key->text, y->key->text);

	return order ? order : (x > y) - (x < y);
}

/* Pointers to the pairs, in the order of their keys, equal ones as written. Freed with xfree. */
static const struct config_pair **sorted_pairs(const struct config_node *map)
{
	const struct config_pair **sorted = xcalloc(map->n, sizeof(*sorted));

	for (size_t i = 0; i < map->n; i++)
		sorted[i] = &map->pair[i];
	if (map->n)
		qsort(sorted, map->n, sizeof(*sorted), compare_keys);
	return sorted;
}

static const struct config_pair *find_sorted(
	const struct config_pair **sorted, size_t n, const char *key)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(sorted[mid]->key->text, key);

		if (order == 0)
			return sorted[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void report_duplicates(struct build *b, const struct config_node *map)
{
	const struct config_pair **sorted = sorted_pairs(map);
	char quote[CONFIG_QUOTE_LEN];

	for (size_t i = 1, first = 0; i < map->n; i++) {
		if (strcmp(sorted[i]->key->text, sorted[first]->key->text) != 0) {
			first = i;
			continue;
		}
		config_report_add(b->t->rep, CONFIG_ERROR, config_tree_where(b->t, sorted[i]->key),
			"%s is given twice; first at line %u",
			config_quote(sorted[i]->key->text, quote), sorted[first]->key->line);
	}
	xfree(sorted);
}

/* The pairs of `from` that `map` has not (YAML's merge key, "<<"). */
static void merge_pairs(struct build *b, struct config_node *map, const struct config_node *from)
{
	const struct config_pair **sorted = sorted_pairs(map);
	size_t had = map->n;
	struct config_pair *all = tree_alloc(b->t, map->n + from->n, sizeof(*all));

	memcpy(all, map->pair, map->n * sizeof(*all));
	for (size_t i = 0; i < from->n; i++)
		if (!find_sorted(sorted, had, from->pair[i].key->text))
			all[map->n++] = from->pair[i];
	xfree(sorted);
	map->pair = all;
}

static void build_merge(struct build *b, struct config_node *map, const struct config_node *merge)
{
	bool ok = merge->kind == CONFIG_NODE_MAP ||
		  (merge->kind == CONFIG_NODE_LIST && merge->n <= TREE_MERGES_MAX);

	if (merge->kind == CONFIG_NODE_MAP)
		merge_pairs(b, map, merge);
	for (size_t i = 0; ok && merge->kind == CONFIG_NODE_LIST && i < merge->n; i++) {
		if (merge->item[i]->kind == CONFIG_NODE_MAP)
			merge_pairs(b, map, merge->item[i]);
		else
			ok = false;
	}
	if (!ok)
		complain_at(b, merge,
			"<< takes a map (an alias such as *name), or a list of a few maps");
}

static void build_map(struct build *b, const yaml_node_t *y, struct config_node *n, unsigned depth)
{
	const yaml_node_pair_t *pair = y->data.mapping.pairs.start;
	size_t count = (size_t)(y->data.mapping.pairs.top - pair);
	struct config_node *merge = NULL;

	n->kind = CONFIG_NODE_MAP;
	n->pair = tree_alloc(b->t, count, sizeof(*n->pair));
	for (size_t i = 0; i < count; i++) {
		struct config_node *key = build_node(b, pair[i].key, depth);
		struct config_node *value = build_node(b, pair[i].value, depth);

		if (!key || !value)
			return;
		if (key->kind == CONFIG_NODE_SCALAR && strcmp(key->text, "<<") == 0)
			merge = value;
		else if (key->kind == CONFIG_NODE_SCALAR)
			n->pair[n->n++] = (struct config_pair){key, value};
		else if (key->kind == CONFIG_NODE_NONE)
			complain_at(b, key,
				"a key is missing before this colon; put text that begins "
				"with a colon, such as \"::1\", in quotes");
		else
			complain_at(b, key, "a key must be plain text");
	}
	report_duplicates(b, n);
	if (merge)
		build_merge(b, n, merge);
}

static bool has_foreign_tag(const yaml_node_t *y)
{
	const char *plain = y->type == YAML_SCALAR_NODE	    ? YAML_DEFAULT_SCALAR_TAG
			    : y->type == YAML_SEQUENCE_NODE ? YAML_DEFAULT_SEQUENCE_TAG
							    : YAML_DEFAULT_MAPPING_TAG;

	return y->tag && strcmp((const char *)y->tag, plain) != 0;
}

/* NULL when the budget is used up. */
static struct config_node *build_node(struct build *b, int index, unsigned depth)
{
	const yaml_node_t *y = yaml_document_get_node(b->doc, index);
	struct config_node *n;

	if (!y || b->t->over)
		return NULL;
	n = new_node(b, y);
	if (b->t->nodes_left == 0 || depth == CONFIG_DEPTH_MAX) {
		b->t->over = true;
		complain_at(b, n,
			depth == CONFIG_DEPTH_MAX ? "nested too deeply (does an alias hold itself?)"
						  : "too much in one configuration");
		return NULL;
	}
	b->t->nodes_left--;
	if (has_foreign_tag(y))
		complain_at(b, n, "tags (such as !!int) are not used here");
	switch (y->type) {
	case YAML_SCALAR_NODE:
		build_scalar(b, y, n);
		break;
	case YAML_SEQUENCE_NODE:
		build_list(b, y, n, depth + 1);
		break;
	case YAML_MAPPING_NODE:
		build_map(b, y, n, depth + 1);
		break;
	default:
		break;
	}
	return n;
}

static struct config_node *build_root(struct config_tree *t, yaml_document_t *doc, uint32_t file)
{
	struct build b = {.t = t, .doc = doc, .file = file};
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	struct config_node *n;

	if (!root) {
		n = tree_alloc(t, 1, sizeof(*n));
		*n = (struct config_node){
			.kind = CONFIG_NODE_MAP, .file = file, .line = 1, .column = 1};
		return n;
	}
	n = build_node(&b, 1, 0);
	if (n && n->kind == CONFIG_NODE_NONE)
		n->kind = CONFIG_NODE_MAP;
	if (n && n->kind != CONFIG_NODE_MAP) {
		complain_at(&b, n, "\"key: value\" lines are expected");
		return NULL;
	}
	return n;
}

struct config_node *config_tree_parse(
	struct config_tree *t, const char *name, const char *text, size_t len)
{
	uint32_t file = config_store_file(t->store, name);
	struct config_node *root = NULL;
	yaml_document_t doc, second;
	yaml_parser_t p;

	if (!yaml_parser_initialize(&p))
		return NULL;
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	if (!yaml_parser_load(&p, &doc)) {
		report_syntax(t, &p, name, text, len);
		yaml_parser_delete(&p);
		return NULL;
	}
	root = build_root(t, &doc, file);
	if (yaml_document_get_root_node(&doc)) {
		if (!yaml_parser_load(&p, &second)) {
			report_syntax(t, &p, name, text, len);
			root = NULL;
		} else {
			if (yaml_document_get_root_node(&second))
				config_report_add(t->rep, CONFIG_ERROR,
					(struct config_where){
						name, (uint32_t)second.start_mark.line + 1, 1},
					"a second document (---) begins here; one is read");
			yaml_document_delete(&second);
		}
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&p);
	/* A tree without its ends would only bring more errors. */
	return t->over ? NULL : root;
}

/* Adding files to one another. */

static void hang_also(struct config_tree *t, struct config_node **where, struct config_node *value)
{
	struct config_node *copy = tree_alloc(t, 1, sizeof(*copy));

	/* Copies, since an alias may have put one node in two places. */
	*copy = *value;
	while (*where)
		where = &(*where)->also;
	*where = copy;
}

void config_tree_merge(
	struct config_tree *t, struct config_node *into, const struct config_node *from)
{
	const struct config_pair **sorted = sorted_pairs(into);
	size_t had = into->n;
	struct config_pair *all = tree_alloc(t, into->n + from->n, sizeof(*all));

	memcpy(all, into->pair, into->n * sizeof(*all));
	for (size_t i = 0; i < from->n; i++) {
		const struct config_pair *old = find_sorted(sorted, had, from->pair[i].key->text);
		struct config_node *value = from->pair[i].value;

		if (!old)
			all[into->n++] = from->pair[i];
		else if (old->value->kind == CONFIG_NODE_MAP && value->kind == CONFIG_NODE_MAP)
			config_tree_merge(t, old->value, value);
		else
			hang_also(t, &old->value->also, value);
	}
	xfree(sorted);
	into->pair = all;
}

const struct config_node *config_tree_get(const struct config_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->pair[i].key->text, key) == 0)
			return map->pair[i].value;
	return NULL;
}
