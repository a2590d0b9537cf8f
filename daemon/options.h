/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The command line of lanthornd. Read once in main, before anything else. */
#include <stdbool.h>

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK,	     /* --check: read the configuration, report, exit */
	OPTIONS_DUMP_MAN,    /* --dump-man: lanthorn.yaml(5) from the option table */
	OPTIONS_DUMP_SCHEMA, /* --dump-schema: the JSON Schema from the same table */
	OPTIONS_DUMP_CONFIG, /* --dump-config: the effective configuration */
	OPTIONS_EXIT	     /* done already (--help, --version, wrong use); see exit_code */
};

struct options {
	enum options_action action;
	const char *config_path; /* CONFIG_PATH_DEFAULT unless -c */
	bool is_config_given;	 /* -c: a missing file is an error; else we run without one */
	bool is_foreground;	 /* -f: log to stderr */
	int exit_code;
};

/* Prints help, version and complaints itself. argv must live as long as out. */
void options_read(int argc, char **argv, struct options *out);
