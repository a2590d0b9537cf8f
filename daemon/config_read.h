/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From the tree of a file to the fields of struct config, driven by the option table. Reports
 * everything it finds and goes on. Not for use outside config*.c. */
#include "daemon/config_report.h"
#include "daemon/config_schema.h"
#include "daemon/config_store.h"
#include "daemon/config_tree.h"

struct config_reader {
	struct config *config;
	struct config_store *store;
	struct config_tree *tree;
	struct config_report *rep;
	const char *folder; /* where relative paths start */
};

/* "lan" . "br0" . "pool", from the inside out; lives on the stack of those who read. */
struct config_path {
	const struct config_path *up; /* NULL: the top */
	const char *name;
};

enum { CONFIG_PATH_LEN = 256 };

/* "lan.br0.pool"; "" for NULL. buf: CONFIG_PATH_LEN. */
const char *config_path_format(const struct config_path *path, char *buf);

/* Fills every field: presets first, then what root says. */
void config_read(struct config_reader *r, const struct config_node *root);
/* The value of a row of kind OPTIONS (config_options_read.c). base: the struct it stands in. */
void config_options_read(struct config_reader *r, const struct config_row *row,
	const struct config_node *value, void *base, const struct config_path *path);

/* Report something about a node. */
void config_read_error(struct config_reader *r, const struct config_node *n, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* What depends on other keys: lan.domain, min-lease, forward.validate ... (config_check.c). */
void config_derive(struct config *c);
/* What no single key can tell: pools outside subnets, addresses given twice ... */
void config_check(const struct config *c, struct config_report *rep);
/* The part of it about devices (config_check_device.c). */
void config_check_devices(const struct config *c, struct config_report *rep);

#define config_error(c, rep, field, ...)                                                           \
	config_report_add(rep, CONFIG_ERROR, config_where(c, field), __VA_ARGS__)
#define config_warn(c, rep, field, ...)                                                            \
	config_report_add(rep, CONFIG_WARNING, config_where(c, field), __VA_ARGS__)
/* Why no host of the subnet may have this address, or NULL when one may. */
const char *config_check_host(const struct ip_prefix *subnet, const struct ip *ip);
