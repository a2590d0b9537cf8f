/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Says so in one write, without the memory that is not there, and leaves a core for the reader. */
static _Noreturn void xalloc_die(void)
{
	static const char text[] = "lanthorn: out of memory, stopping\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	abort();
}

void *xalloc(size_t len)
{
	void *p = malloc(len ? len : 1);

	if (!p)
		xalloc_die();
	return p;
}

void *xcalloc(size_t n, size_t len)
{
	void *p = calloc(n ? n : 1, len ? len : 1); /* calloc itself refuses an overflow */

	if (!p)
		xalloc_die();
	return p;
}

void *xrealloc(void *p, size_t len)
{
	void *q = realloc(p, len ? len : 1);

	if (!q)
		xalloc_die();
	return q;
}

void *xmemdup(const void *p, size_t len)
{
	void *q = xalloc(len);

	if (len)
		memcpy(q, p, len);
	return q;
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *xstrndup(const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *q = xalloc(n + 1);

	memcpy(q, s, n);
	q[n] = '\0';
	return q;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *s = NULL;
	int n;

	va_start(args, fmt);
	n = vasprintf(&s, fmt, args);
	va_end(args);
	if (n < 0)
		xalloc_die();
	return s;
}

void xfree(void *p)
{
	free(p);
}
