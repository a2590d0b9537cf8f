/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Taking in a changed configuration, hosts or devices file, or interface without losing anything:
 * the new objects are built by a pool job, any error leaves the old ones serving, then pointers are
 * swapped on the service thread. One at a time; what is asked for meanwhile follows after. */
#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/config_text.h"

struct service;
struct reload;

struct reload *reload_new(struct service *s);
void reload_free(struct reload *r); /* NULL allowed; after the loop */

/* How it ended: err 0 and what changed, or the errors in rep. Borrowed for the call. */
struct reload_result {
	int err;
	const struct config_report *report;
	const struct config_changes *changes; /* NULL unless the configuration file was read */
};
typedef void (*reload_done_fn)(void *arg, const struct reload_result *result);

/* Read the configuration file again. on_done may be NULL. */
void reload_config(struct reload *r, reload_done_fn on_done, void *arg);
/* The same configuration, but files or interfaces changed: build anew from it. */
void reload_refresh(struct reload *r);
