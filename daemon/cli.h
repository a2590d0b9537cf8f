/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the verbs of `lanthorn` share: options, the request to the daemon, the exit codes. The
 * program asks over a unix socket in the state dir, one JSON object a line each way:
 * {"verb": "leases", "args": ["..."], "all": true} -> {"exit": 0, "result": ...} or
 * {"exit": 1, "error": "..."}. */
#include <jansson.h>
#include <stdbool.h>

enum cli_exit { CLI_OK = 0, CLI_NO = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3 };

#define CLI_SOCKET_NAME "control.sock"
#define CLI_REPLY_MAX	(256 << 20) /* a million leases as JSON; more is refused */
#define CLI_STATE_DIR	"/var/lib/lanthorn"

struct cli {
	const char *state_dir;
	bool json;	  /* --json: print the result as it came */
	bool all;	  /* --all: leases that are not bound too */
	const char *at;	  /* --at TIME */
	const char *once; /* --once FILE */
	json_t *leases;	  /* import: sent along; borrowed */
	char **args;	  /* behind the verb */
	int n_args;
};

/* Ask the running daemon. CLI_OK and *out (new reference) for any reply; CLI_UNREACHABLE after a
 * message on stderr, unless quiet. */
int cli_ask(const struct cli *c, const char *verb, json_t **out, bool is_quiet);
/* Ask, complain about an error reply, print the result by print or as JSON. Returns the exit code.
 */
typedef void (*cli_print_fn)(const json_t *result);
int cli_run(const struct cli *c, const char *verb, cli_print_fn print);
/* Print one result (JSON with --json). */
void cli_show(const struct cli *c, const json_t *result, cli_print_fn print);

/* cli_print.c: for people. */
void cli_print_leases(const json_t *result);
void cli_print_status(const json_t *result);
void cli_print_text(const json_t *result);   /* a string */
void cli_print_report(const json_t *result); /* an array of lines */

struct store;
/* CLI_OK and *out, or the exit code after a message. For when no daemon runs. */
int cli_open_store(const struct cli *c, bool read_only, struct store **out);
/* cli_offline.c, cli_import.c: verbs on files and on the store itself. Exit code. */
int cli_leases_offline(const struct cli *c);
int cli_import_leases(const struct cli *c, const char *path);
int cli_import_dnsmasq(const struct cli *c, const char *path);
int cli_check(const struct cli *c, const char *path);
