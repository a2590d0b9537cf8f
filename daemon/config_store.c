/* SPDX-License-Identifier: Apache-2.0 */
/* Fields never move once they are read, so the address of a field is its name: places are kept
 * sorted by address and found by bisection. */
#include "daemon/config_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/config_limits.h"

enum { STORE_CHUNK = 16384 };

struct store_place {
	const void *field;
	uint32_t file, line, column;
};

struct config_store {
	struct arena_pool *pool;
	struct arena *arena;
	struct store_place *place;
	size_t n_place, cap_place;
	const char *file[CONFIG_FILES_MAX];
	uint32_t n_file;
};

struct config *config_store_new(void)
{
	struct config_store *s = xcalloc(1, sizeof(*s));
	struct config *c;

	/* No cap: the reader's limits on bytes and nodes bound what is asked for here. */
	s->pool = arena_pool_new(STORE_CHUNK, 0);
	s->arena = arena_new(s->pool, SIZE_MAX);
	c = config_store_alloc(s, 1, sizeof(*c));
	c->store = s;
	return c;
}

void config_store_free(struct config *c)
{
	struct config_store *s;

	if (!c)
		return;
	s = c->store;
	arena_free(s->arena);
	arena_pool_free(s->pool);
	xfree(s->place);
	xfree(s);
}

void *config_store_alloc(struct config_store *s, size_t n, size_t len)
{
	void *p = arena_zalloc(s->arena, n * len);

	assert(p);
	return p;
}

char *config_store_text(struct config_store *s, const char *text, size_t len)
{
	char *copy = config_store_alloc(s, 1, len + 1);

	memcpy(copy, text, len);
	return copy;
}

void *config_store_copy(struct config_store *s, const void *data, size_t len)
{
	void *copy = config_store_alloc(s, 1, len);

	if (len)
		memcpy(copy, data, len);
	return copy;
}

uint32_t config_store_file(struct config_store *s, const char *name)
{
	assert(s->n_file < CONFIG_FILES_MAX);
	s->file[s->n_file] = config_store_text(s, name, strlen(name));
	return s->n_file++;
}

const char *config_store_file_name(const struct config_store *s, uint32_t file)
{
	return s->file[file];
}

void config_store_place(
	struct config_store *s, const void *field, uint32_t file, uint32_t line, uint32_t column)
{
	if (s->n_place == s->cap_place) {
		s->cap_place = s->cap_place ? s->cap_place * 2 : 64;
		s->place = xrealloc(s->place, s->cap_place * sizeof(*s->place));
	}
	s->place[s->n_place++] = (struct store_place){field, file, line, column};
}

static int store_compare(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct store_place *)a)->field;
	uintptr_t y = (uintptr_t)((const struct store_place *)b)->field;

	return (x > y) - (x < y);
}

void config_store_seal(struct config_store *s)
{
	if (s->n_place)
		qsort(s->place, s->n_place, sizeof(*s->place), store_compare);
}

struct config_where config_where(const struct config *c, const void *field)
{
	const struct config_store *s = c->store;
	struct store_place key = {.field = field};
	const struct store_place *p = NULL;

	if (s->n_place)
		p = bsearch(&key, s->place, s->n_place, sizeof(*p), store_compare);
	if (!p)
		return (struct config_where){.file = NULL};
	return (struct config_where){s->file[p->file], p->line, p->column};
}

bool config_is_set(const struct config *c, const void *field)
{
	return config_where(c, field).line != 0;
}
