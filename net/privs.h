/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the process may do, and the giving up of it. Called by main alone, in this order, while
 * there is one thread: privs_raise_files, (bind sockets, open stores), privs_lock_down, start
 * threads. Capabilities, Landlock and seccomp act per thread and are inherited by those started
 * later.
 *
 * After privs_lock_down: another user with CAP_NET_BIND_SERVICE and CAP_NET_RAW and nothing else,
 * no new privileges, no files outside the paths given, no program can be started, no process
 * created, no memory made executable. Nothing here logs or exits: the report tells what was
 * reached, and main decides what of it is worth a warning. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define PRIVS_MAX_PATHS 64 /* paths of each kind */
#define PRIVS_TEXT_LEN	160

struct privs_conf {
	const char *user; /* name or number; NULL or "none": keep the caller's identity */
	bool sandbox;	  /* Landlock and seccomp */
	/* Everything beneath stays readable, or readable and writable. Files or folders; what does
	 * not exist is skipped and counted. /dev/null, /dev/urandom and what the C library reads
	 * (/etc/localtime, /usr/share/zoneinfo, /proc/self) need not be named. */
	const char *read_paths[PRIVS_MAX_PATHS];
	size_t n_read_paths;
	const char *write_paths[PRIVS_MAX_PATHS];
	size_t n_write_paths;
};

/* Each text is empty where that step succeeded or was not asked for. */
struct privs_report {
	bool user_changed, no_new_privs, landlocked, filtered;
	int landlock_abi; /* 0: the kernel has none */
	uid_t uid;	  /* now */
	gid_t gid;
	size_t paths_skipped;
	char user_error[PRIVS_TEXT_LEN];
	char landlock_error[PRIVS_TEXT_LEN];
	char filter_error[PRIVS_TEXT_LEN];
};

/* ERR_ABSENT for an unknown name. */
MUST_CHECK int privs_find_user(const char *user, uid_t *out_uid, gid_t *out_gid);
/* Raises the soft limit of open descriptors towards want, as far as the hard limit or, for root,
 * the kernel allows. Returns the limit that holds now. */
size_t privs_raise_files(size_t want);
/* Does all it can, in spite of steps that fail. 0 when every step asked for was reached; otherwise
 * the first failure's code, with the report telling the rest. out is always filled. */
MUST_CHECK int privs_lock_down(const struct privs_conf *conf, struct privs_report *out);
