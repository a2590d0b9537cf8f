/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The state directory itself: made with its parents, locked against a second daemon, and given to
 * the daemon's user. Inside store/ only. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Makes dir and its parents (0755) when missing; *out_fd is open on it. uid, gid: owner of what is
 * made here and of dir, -1: leave. */
MUST_CHECK int statedir_make(const char *dir, uid_t uid, gid_t gid, int *out_fd);
/* Takes <dir>/lock, shared or for oneself, waiting a moment for a holder that is just ending. In it
 * stands our pid. ERR_BUSY: text gets the holder's pid. */
MUST_CHECK int statedir_lock(int dir_fd, bool shared, char *text, size_t text_cap, int *out_fd);
/* Hands the files of the store in dir to uid:gid. Failures are left to be noticed by those who
 * cannot write then. */
void statedir_chown(int dir_fd, uid_t uid, gid_t gid);
/* fsync of a directory, so that names in it are durable. */
MUST_CHECK int statedir_sync(int dir_fd);
/* What err means on this disk: LMDB calls a write that was cut short, as a filling disk does it, an
 * I/O error. ERR_FULL for ERR_IO when there is hardly any room, else err. */
int statedir_judge_err(int dir_fd, int err);
