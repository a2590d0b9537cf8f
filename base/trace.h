/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A bounded text of how an answer came about. NULL means off and costs one branch;
 * `lanthorn explain` and `why` turn it on for one query. Lines past the cap are counted, not kept.
 */
#include <stdarg.h>
#include <stddef.h>

struct trace;
struct trace *trace_new(size_t cap);
void trace_free(struct trace *t);
void trace_add(struct trace *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* NUL-terminated text, lines end in \n; lives as long as t. "" for NULL. */
const char *trace_text(struct trace *t);
