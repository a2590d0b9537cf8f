/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/cli.h"
#include "daemon/service.h"
#include "daemon/verbs.h"
#include "net/loop.h"

struct control_conn {
	struct control *control;
	struct control_conn *next, **link;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct control_call *call; /* NULL: still reading, or writing the answer */
	char *in;
	size_t in_len;
	char *out; /* NULL: no answer yet */
	size_t out_len, out_done;
};

struct control_call {
	struct control *control;
	struct control_call *next, **link;
	struct control_conn *conn; /* NULL: the client has gone */
};

struct control {
	struct service *service;
	char *path;
	int fd;
	struct loop_watch *watch;
	unsigned n_conns;
	struct control_conn *conns;
	struct control_call *calls;
};

static void control_accept_again(struct control *c);

/* ---- connections ---- */

static void control_close(struct control_conn *n)
{
	struct control *c = n->control;

	*n->link = n->next;
	if (n->next)
		n->next->link = n->link;
	if (n->call)
		n->call->conn = NULL;
	loop_watch_free(n->watch);
	loop_timer_free(n->timer);
	close(n->fd);
	xfree(n->in);
	xfree(n->out);
	xfree(n);
	c->n_conns--;
	control_accept_again(c);
}

static void control_on_idle(void *arg)
{
	control_close(arg);
}

/* Returns false when the connection has gone. */
static bool control_write(struct control_conn *n)
{
	while (n->out_done < n->out_len) {
		ssize_t w =
			send(n->fd, n->out + n->out_done, n->out_len - n->out_done, MSG_NOSIGNAL);

		if (w < 0 && (errno == EAGAIN || errno == EINTR)) {
			loop_timer_start(n->timer, CONTROL_IDLE_MS, 0);
			loop_watch_set(n->watch, LOOP_WRITE);
			return true;
		}
		if (w <= 0)
			break;
		n->out_done += (size_t)w;
	}
	control_close(n);
	return false;
}

static void control_reply(struct control_call *call, json_t *reply)
{
	struct control_conn *n = call->conn;

	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	xfree(call);
	if (n) {
		n->call = NULL;
		n->out = json_dumps(reply, JSON_COMPACT);
		n->out_len = n->out ? strlen(n->out) : 0;
		control_write(n);
	}
	json_decref(reply);
}

void control_answer_with(struct control_call *call, int exit_code, json_t *result)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "exit", json_integer(exit_code));
	json_object_set_new(reply, "result", result);
	control_reply(call, reply);
}

void control_answer(struct control_call *call, json_t *result)
{
	control_answer_with(call, CLI_OK, result);
}

void control_refuse(struct control_call *call, int exit_code, const char *fmt, ...)
{
	json_t *reply = json_object();
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(reply, "exit", json_integer(exit_code));
	json_object_set_new(reply, "error", json_string(text));
	control_reply(call, reply);
}

const char *control_arg(const json_t *request, size_t n)
{
	return json_string_value(json_array_get(json_object_get(request, "args"), n));
}

static void control_run(struct control_conn *n)
{
	struct control *c = n->control;
	struct control_call *call = xcalloc(1, sizeof(*call));
	json_t *request = json_loadb(n->in, n->in_len, 0, NULL);
	const char *name = json_string_value(json_object_get(request, "verb"));
	control_verb_fn verb = name ? verbs_find(name) : NULL;

	*call = (struct control_call){.control = c, .conn = n, .next = c->calls, .link = &c->calls};
	if (c->calls)
		c->calls->link = &call->next;
	c->calls = call;
	n->call = call;
	loop_timer_stop(n->timer);
	loop_watch_set(n->watch, 0);
	if (verb)
		verb(c->service, request, call);
	else
		control_refuse(call, CLI_USAGE, "%s",
			name ? "this daemon does not know that verb"
			     : "the request is not a JSON object with a verb");
	json_decref(request);
}

static void control_on_ready(void *arg, unsigned events, int err)
{
	struct control_conn *n = arg;
	ssize_t r;

	(void)err;
	if (n->out) {
		control_write(n);
		return;
	}
	r = recv(n->fd, n->in + n->in_len, CONTROL_REQUEST_MAX - n->in_len, 0);
	if (r < 0 && (errno == EAGAIN || errno == EINTR) && !(events & LOOP_ERROR))
		return;
	if (r <= 0) {
		control_close(n);
		return;
	}
	n->in_len += (size_t)r;
	if (memchr(n->in + n->in_len - r, '\n', (size_t)r))
		control_run(n);
	else if (n->in_len == CONTROL_REQUEST_MAX)
		control_close(n);
}

static void control_add(struct control *c, int fd)
{
	struct control_conn *n = xcalloc(1, sizeof(*n));

	*n = (struct control_conn){.control = c, .fd = fd, .next = c->conns, .link = &c->conns};
	n->in = xalloc(CONTROL_REQUEST_MAX);
	n->timer = loop_timer_new(c->service->loop, control_on_idle, n);
	n->watch = loop_watch_new(c->service->loop, fd, control_on_ready, n);
	if (c->conns)
		c->conns->link = &n->next;
	c->conns = n;
	c->n_conns++;
	if (!n->watch) {
		control_close(n);
		return;
	}
	loop_watch_set(n->watch, LOOP_READ);
	loop_timer_start(n->timer, CONTROL_IDLE_MS, 0);
}

static void control_on_connect(void *arg, unsigned events, int err)
{
	struct control *c = arg;

	(void)events;
	(void)err;
	while (c->n_conns < CONTROL_CONNS_MAX) {
		int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		control_add(c, fd);
	}
	loop_watch_set(c->watch, 0);
}

static void control_accept_again(struct control *c)
{
	if (c->watch && c->n_conns < CONTROL_CONNS_MAX)
		loop_watch_set(c->watch, LOOP_READ);
}

/* ---- life ---- */

static int control_listen(struct control *c)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (strlen(c->path) >= sizeof(sa.sun_path))
		return ERR_LIMIT;
	strncpy(sa.sun_path, c->path, sizeof(sa.sun_path) - 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return err_from_errno(errno);
	unlink(c->path); /* the state dir is locked: nobody else's */
	if (bind(c->fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0 ||
		chmod(c->path, 0660) != 0 || listen(c->fd, CONTROL_CONNS_MAX) != 0)
		return err_from_errno(errno);
	return 0;
}

int control_open(struct service *s, struct control **out)
{
	struct control *c = xcalloc(1, sizeof(*c));
	uid_t uid;
	gid_t gid;
	int err;

	c->service = s;
	c->fd = -1;
	c->path = xasprintf("%s/" CLI_SOCKET_NAME, s->config->state_dir);
	err = control_listen(c);
	if (!err && strcmp(s->config->user, "none") != 0 &&
		privs_find_user(s->config->user, &uid, &gid) == 0)
		(void)!chown(c->path, uid, gid);
	if (!err) {
		c->watch = loop_watch_new(s->loop, c->fd, control_on_connect, c);
		if (!c->watch)
			err = ERR_IO;
	}
	if (err) {
		control_free(c);
		return err;
	}
	loop_watch_set(c->watch, LOOP_READ);
	*out = c;
	return 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	loop_watch_free(c->watch);
	c->watch = NULL;
	while (c->conns)
		control_close(c->conns);
	while (c->calls) {
		struct control_call *call = c->calls;

		c->calls = call->next;
		xfree(call);
	}
	if (c->fd >= 0) {
		close(c->fd);
		unlink(c->path);
	}
	xfree(c->path);
	xfree(c);
}
