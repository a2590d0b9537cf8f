/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"

/* Kept free at the end for the line that counts what was left out. */
enum { TRACE_NOTE_LEN = 64 };

struct trace {
	size_t len, cap;
	size_t n_dropped;
	char text[];
};

struct trace *trace_new(size_t cap)
{
	struct trace *t = xalloc(sizeof(*t) + cap + TRACE_NOTE_LEN);

	*t = (struct trace){.cap = cap};
	t->text[0] = '\0';
	return t;
}

void trace_free(struct trace *t)
{
	xfree(t);
}

void trace_add(struct trace *t, const char *fmt, ...)
{
	size_t room;
	va_list args;
	int n;

	if (!t)
		return;
	room = t->cap - t->len;
	va_start(args, fmt);
	n = vsnprintf(t->text + t->len, room, fmt, args);
	va_end(args);
	/* Once a line was left out all later ones are, so that the text has no holes. */
	if (t->n_dropped || n < 0 || (size_t)n + 2 > room) {
		if (room)
			t->text[t->len] = '\0';
		t->n_dropped++;
		return;
	}
	t->len += (size_t)n;
	if (n == 0 || t->text[t->len - 1] != '\n')
		t->text[t->len++] = '\n';
	t->text[t->len] = '\0';
}

const char *trace_text(struct trace *t)
{
	if (!t)
		return "";
	if (t->n_dropped)
		snprintf(
			t->text + t->len, TRACE_NOTE_LEN, "... and %zu more lines\n", t->n_dropped);
	return t->text;
}
