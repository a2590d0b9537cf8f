/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/import_doc.h"

#include <string.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/config_kind.h"

enum { DOC_CHUNK = 16384 };

enum doc_kind { DOC_MAP, DOC_LIST, DOC_VALUE };

struct import_node {
	enum doc_kind kind;
	const char *key;  /* in its map; NULL in a list */
	const char *text; /* VALUE */
	struct import_node *first, *last, *next;
};

struct import_doc {
	struct arena_pool *pool;
	struct arena *arena;
	struct import_node root;
};

struct import_doc *import_doc_new(void)
{
	struct import_doc *d = xcalloc(1, sizeof(*d));

	d->pool = arena_pool_new(DOC_CHUNK, 0);
	d->arena = arena_new(d->pool, SIZE_MAX); /* bounded by the file that is imported */
	return d;
}

void import_doc_free(struct import_doc *d)
{
	if (!d)
		return;
	arena_free(d->arena);
	arena_pool_free(d->pool);
	xfree(d);
}

struct import_node *import_doc_root(struct import_doc *d)
{
	return &d->root;
}

char *import_text(struct import_doc *d, const char *text, size_t len)
{
	char *copy = arena_alloc(d->arena, len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

struct import_node *import_get(const struct import_node *map, const char *key)
{
	for (struct import_node *n = map->first; n; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

static struct import_node *append(struct import_doc *d, struct import_node *to, const char *key)
{
	struct import_node *n = arena_zalloc(d->arena, sizeof(*n));

	n->key = key ? import_text(d, key, strlen(key)) : NULL;
	if (to->last)
		to->last->next = n;
	else
		to->first = n;
	to->last = n;
	return n;
}

struct import_node *import_map(struct import_doc *d, struct import_node *map, const char *key)
{
	struct import_node *n = import_get(map, key);

	return n ? n : append(d, map, key);
}

void import_set(struct import_doc *d, struct import_node *map, const char *key, const char *text)
{
	struct import_node *n = import_map(d, map, key);

	n->kind = DOC_VALUE;
	n->text = import_text(d, text, strlen(text));
}

void import_add(struct import_doc *d, struct import_node *map, const char *key, const char *text)
{
	struct import_node *list = import_map(d, map, key), *item;

	list->kind = DOC_LIST;
	for (item = list->first; text && item; item = item->next)
		if (strcmp(item->text, text) == 0)
			return;
	if (!text)
		return;
	item = append(d, list, NULL);
	item->kind = DOC_VALUE;
	item->text = import_text(d, text, strlen(text));
}

/* yes and no are values of ours; as text of somebody they never come here. */
static void write_text(const char *text, FILE *out)
{
	if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)
		fputs(text, out);
	else
		config_yaml_write(text, out);
}

static void write_list(const struct import_node *list, FILE *out)
{
	fputs(list->first ? "[ " : "[", out);
	for (const struct import_node *n = list->first; n; n = n->next) {
		write_text(n->text, out);
		fputs(n->next ? ", " : " ", out);
	}
	fputs("]\n", out);
}

static void write_map(const struct import_node *map, int depth, FILE *out)
{
	for (const struct import_node *n = map->first; n; n = n->next) {
		if (n->kind == DOC_MAP && !n->first && depth != 1 && depth != 3)
			continue;
		fprintf(out, "%*s", depth * 2, "");
		config_yaml_write(n->key, out);
		fputs(n->kind == DOC_MAP && n->first ? ":\n" : ": ", out);
		if (n->kind == DOC_VALUE) {
			write_text(n->text, out);
			fputc('\n', out);
		} else if (n->kind == DOC_LIST) {
			write_list(n, out);
		} else if (n->first) {
			write_map(n, depth + 1, out);
		} else {
			fputs("{}\n", out);
		}
	}
}

void import_doc_write(const struct import_doc *d, FILE *out)
{
	write_map(&d->root, 0, out);
}
