/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Watches the hosts and devices files by inotify, each through its folder, so that an editor's
 * rename is seen too. Tells once, WATCH_SETTLE_MS after the last change. Service thread. */
#include "base/err.h"

#define WATCH_SETTLE_MS 100 /* an editor's write, rename and chmod come as one */
#define WATCH_FILES_MAX 1024

struct config;
struct loop;
struct watch;

/* NULL when the kernel gives no inotify: files are then read at reload only. */
struct watch *watch_new(struct loop *l, void (*on_change)(void *arg), void *arg);
void watch_free(struct watch *w); /* NULL allowed */
/* Watch the files of c from now on. No-op for NULL. */
void watch_set(struct watch *w, const struct config *c);
