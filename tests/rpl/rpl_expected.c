/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl/rpl_expected.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { EXPECTED_LINE_MAX = 500 };

struct rpl_expected {
	struct rpl_expected *next; /* the first is an empty head */
	char *name, *reason;
};

static void give_up(const char *path, unsigned line, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", path, line, what);
	exit(2);
}

static void read_line(struct rpl_expected *list, const char *path, unsigned number, char *line)
{
	size_t name = strcspn(line, " \t\n"), gap = strspn(line + name, " \t");
	char *reason = line + name + gap;
	struct rpl_expected *e;

	reason[strcspn(reason, "\n")] = '\0';
	if (*line == '#' || *line == '\n' || !*line)
		return;
	if (!*reason)
		give_up(path, number, "a scenario without a reason");
	e = xcalloc(1, sizeof(*e));
	e->name = xstrndup(line, name);
	e->reason = xstrdup(reason);
	e->next = list->next;
	list->next = e;
}

struct rpl_expected *rpl_expected_read(const char *path)
{
	struct rpl_expected *list = xcalloc(1, sizeof(*list));
	char line[EXPECTED_LINE_MAX];
	unsigned number = 0;
	FILE *f;

	if (!path)
		return list;
	f = fopen(path, "re");
	if (!f)
		give_up(path, 0, strerror(errno));
	while (fgets(line, sizeof(line), f))
		read_line(list, path, ++number, line);
	fclose(f);
	return list;
}

void rpl_expected_free(struct rpl_expected *e)
{
	while (e) {
		struct rpl_expected *next = e->next;

		xfree(e->name);
		xfree(e->reason);
		xfree(e);
		e = next;
	}
}

const char *rpl_expected_get(const struct rpl_expected *e, const char *path)
{
	size_t len = strlen(path), dot = strlen(".rpl");

	if (len > dot && strcmp(path + len - dot, ".rpl") == 0)
		len -= dot;
	for (e = e->next; e; e = e->next) {
		size_t n = strlen(e->name);

		if (n <= len && memcmp(path + len - n, e->name, n) == 0 &&
			(n == len || path[len - n - 1] == '/'))
			return e->reason;
	}
	return NULL;
}
