/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A YAML document under construction: maps of maps, values and lists, in the order they were made.
 * For the importers. One thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct import_doc;  /* the whole, owns all memory */
struct import_node; /* a map, a list or a value; lives as long as the doc */

struct import_doc *import_doc_new(void);
void import_doc_free(struct import_doc *d);
struct import_node *import_doc_root(struct import_doc *d);

/* The map at a key, made when missing. */
struct import_node *import_map(struct import_doc *d, struct import_node *map, const char *key);
/* Looks only; NULL when missing. */
struct import_node *import_get(const struct import_node *map, const char *key);
/* Sets a value, in place of what was there. */
void import_set(struct import_doc *d, struct import_node *map, const char *key, const char *text);
/* Appends to the list at a key unless the list has it. An empty list: import_add with NULL. */
void import_add(struct import_doc *d, struct import_node *map, const char *key, const char *text);
/* A copy of a text that lives as long as the doc. */
char *import_text(struct import_doc *d, const char *text, size_t len);

/* Maps that stayed empty are left out, but for those within a map of names (device: { x: {} }). */
void import_doc_write(const struct import_doc *d, FILE *out);
