/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The memory of one configuration and the places its fields were read from. Only the reader
 * (config_read.c and what it calls) writes it, in one thread, before config_load returns; after
 * that it is as immutable as the config it belongs to. Not for use outside config*.c. */
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"

struct config_store;

/* A config whose fields are all zero, with its store. */
struct config *config_store_new(void);
void config_store_free(struct config *c);

/* Zeroed; never NULL. Lives as long as the config. */
void *config_store_alloc(struct config_store *s, size_t n, size_t len);
char *config_store_text(struct config_store *s, const char *text, size_t len);
void *config_store_copy(struct config_store *s, const void *data, size_t len);

/* Remember that the thing at `field` was written there. file: an index from config_store_file. */
void config_store_place(
	struct config_store *s, const void *field, uint32_t file, uint32_t line, uint32_t column);
uint32_t config_store_file(struct config_store *s, const char *name);
const char *config_store_file_name(const struct config_store *s, uint32_t file);
/* After the last place: makes config_where work. */
void config_store_seal(struct config_store *s);
