/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The control socket: <state-dir>/control.sock, a JSON object a line in, one out, then the
 * connection is closed. Who may open the socket file may ask (mode 0660). Service thread. What a
 * verb does stands in verbs.c; an answer may come later. */
#include <jansson.h>

#include "base/err.h"

#define CONTROL_CONNS_MAX   64		/* open at a time; more wait in the backlog */
#define CONTROL_REQUEST_MAX (64 * 1024) /* one request */
#define CONTROL_IDLE_MS	    10000 /* for a request to come whole; and for its answer to be read */

struct control;
struct control_call; /* one request under way */
struct service;

/* Before privileges are dropped: makes the socket file, owned by uid/gid when not -1. ERR_IO,
 * ERR_DENIED. */
MUST_CHECK int control_open(struct service *s, struct control **out);
void control_free(struct control *c); /* removes the socket file; NULL allowed */

/* A verb gets its arguments (borrowed) and a call that it must end once, now or later, on the
 * service thread; the client may have gone meanwhile, which changes nothing for the verb. result is
 * taken over. exit_code: enum cli_exit. */
typedef void (*control_verb_fn)(
	struct service *s, const json_t *request, struct control_call *call);
void control_answer(struct control_call *call, json_t *result);
void control_answer_with(struct control_call *call, int exit_code, json_t *result);
void control_refuse(struct control_call *call, int exit_code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The n-th text of "args", or NULL. Borrowed. */
const char *control_arg(const json_t *request, size_t n);
