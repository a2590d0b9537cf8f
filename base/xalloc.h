/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The only way to malloc in the house (ADR 8). Out of memory aborts: whatever
 * a packet can grow is a bounded pool that sheds load before this is reached. */
#include <stddef.h>

void *xalloc(size_t len);	     /* uninitialised */
void *xcalloc(size_t n, size_t len); /* zeroed; overflow of n * len aborts */
void *xrealloc(void *p, size_t len);
void *xmemdup(const void *p, size_t len);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* xfree(NULL) is allowed. */
void xfree(void *p);
