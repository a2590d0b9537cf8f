/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A YAML file as a plain tree: maps in the order they were written, lists, scalars, each with its
 * place. The only user of libyaml. Syntax errors, duplicate keys and what no configuration needs
 * (tags, several documents, control characters) are reported here; what keys mean is none of its
 * business. Aliases are written out, `<<` merges maps, and both spend from a budget of nodes.
 * Not for use outside config*.c; one thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config_report.h"
#include "daemon/config_store.h"

enum config_node_kind { CONFIG_NODE_NONE, CONFIG_NODE_SCALAR, CONFIG_NODE_LIST, CONFIG_NODE_MAP };

struct config_node {
	enum config_node_kind kind; /* NONE: a key without a value */
	uint32_t file, line, column;
	bool broken;	  /* has been reported */
	const char *text; /* SCALAR: NUL-terminated; NONE: "null" where that was written, or "" */
	size_t n;	  /* LIST, MAP */
	struct config_node **item;
	struct config_pair *pair;
	struct config_node *also; /* the same key in another file, when both are not maps */
};

struct config_pair {
	struct config_node *key; /* always a SCALAR */
	struct config_node *value;
};

struct config_tree;

/* Both are borrowed for the life of the tree. */
struct config_tree *config_tree_new(struct config_store *store, struct config_report *rep);
void config_tree_free(struct config_tree *t);

/* The root map of a text; an empty text is an empty map. NULL when the report tells why. name is
 * the one for messages. */
struct config_node *config_tree_parse(
	struct config_tree *t, const char *name, const char *text, size_t len);
/* Adds the keys of `from` to `into`, map into map; what both have and is not a map hangs at
 * `also`. Both must be MAPs of this tree. */
void config_tree_merge(
	struct config_tree *t, struct config_node *into, const struct config_node *from);
/* The value of a key, or NULL. */
const struct config_node *config_tree_get(const struct config_node *map, const char *key);

struct config_where config_tree_where(const struct config_tree *t, const struct config_node *n);
