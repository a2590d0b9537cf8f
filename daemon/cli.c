/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/xalloc.h"

static int cli_connect(const char *state_dir)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, n;

	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/" CLI_SOCKET_NAME, state_dir);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static json_t *cli_request(const struct cli *c, const char *verb)
{
	json_t *o = json_object(), *args = json_array();

	for (int i = 0; i < c->n_args; i++)
		json_array_append_new(args, json_string(c->args[i]));
	json_object_set_new(o, "verb", json_string(verb));
	json_object_set_new(o, "args", args);
	if (c->leases)
		json_object_set(o, "leases", c->leases);
	if (c->all)
		json_object_set_new(o, "all", json_true());
	if (c->at)
		json_object_set_new(o, "at", json_string(c->at));
	if (c->once)
		json_object_set_new(o, "once", json_string(c->once));
	return o;
}

static int cli_send(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = strlen(text), done = 0;

	text[len++] = '\n'; /* the NUL's place */
	while (done < len) {
		ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	xfree(text);
	return done == len ? 0 : -1;
}

static json_t *cli_receive(int fd)
{
	size_t cap = 65536, len = 0;
	char *text = xalloc(cap);
	json_t *reply = NULL;
	ssize_t n;

	while (len < CLI_REPLY_MAX && (n = read(fd, text + len, cap - len)) > 0) {
		len += (size_t)n;
		if (len == cap)
			text = xrealloc(text, cap *= 2);
	}
	if (len)
		reply = json_loadb(text, len, 0, NULL);
	xfree(text);
	return reply;
}

int cli_ask(const struct cli *c, const char *verb, json_t **out, bool is_quiet)
{
	json_t *request, *reply = NULL;
	int fd = cli_connect(c->state_dir);

	if (fd < 0) {
		if (!is_quiet)
			fprintf(stderr,
				"lanthorn: no daemon answers at %s/" CLI_SOCKET_NAME " (%s).\n"
				"Is lanthornd running, and is this its state-dir? Try "
				"--state-dir.\n",
				c->state_dir, strerror(errno));
		return CLI_UNREACHABLE;
	}
	request = cli_request(c, verb);
	if (cli_send(fd, request) == 0)
		reply = cli_receive(fd);
	json_decref(request);
	close(fd);
	if (!json_is_object(reply)) {
		json_decref(reply);
		if (!is_quiet)
			fputs("lanthorn: the daemon closed the connection without an answer.\n",
				stderr);
		return CLI_UNREACHABLE;
	}
	*out = reply;
	return CLI_OK;
}

void cli_show(const struct cli *c, const json_t *result, cli_print_fn print)
{
	if (c->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
		putchar('\n');
	} else {
		print(result);
	}
}

int cli_run(const struct cli *c, const char *verb, cli_print_fn print)
{
	const json_t *result;
	const char *error;
	json_t *reply;
	int exit_code = cli_ask(c, verb, &reply, false);

	if (exit_code != CLI_OK)
		return exit_code;
	exit_code = (int)json_integer_value(json_object_get(reply, "exit"));
	result = json_object_get(reply, "result");
	if (result)
		cli_show(c, result, print);
	error = json_string_value(json_object_get(reply, "error"));
	if (error)
		fprintf(stderr, "lanthorn: %s\n", error);
	json_decref(reply);
	return exit_code;
}
