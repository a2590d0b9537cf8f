/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is rendered from the option table and from a loaded configuration: the man page, the JSON
 * Schema for editors, the effective configuration as YAML, and the difference between two. Called
 * by main (--dump-man, --dump-schema, --check), control (reload) and tests. Pure but for the FILE.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct config;

/* lanthorn.yaml(5) in mdoc. The committed doc/man/lanthorn.yaml.5 is this output. */
void config_text_man(FILE *out);
/* JSON Schema, draft-07. The committed contrib/lanthorn.schema.json is this output. */
void config_text_schema(FILE *out);
/* Every key with the value that holds, defaults included, as YAML that loads to the same. */
void config_text_dump(const struct config *c, FILE *out);

/* One key that differs. */
struct config_change {
	char *path;	/* "lan.br0.lease" */
	char *old_text; /* NULL: was not there (a map entry) */
	char *new_text; /* NULL: is gone */
	bool restart;	/* takes effect at the next start only */
};

#define CONFIG_CHANGES_MAX 1000 /* entries kept; the rest is counted */

struct config_changes {
	struct config_change *list;
	size_t n;
	size_t cap;
	size_t n_left_out;
	size_t n_restart; /* how many need a restart, the left out included */
};

/* What changes from old to new, key by key in the order of the man page; 0-initialised by the
 * caller, freed by config_changes_fini. */
void config_diff(
	const struct config *old, const struct config *new_config, struct config_changes *out);
void config_changes_fini(struct config_changes *changes);
/* "lan.br0.lease: 12h -> 6h" a line, marked where a restart is needed. */
void config_changes_print(const struct config_changes *changes, FILE *out);
