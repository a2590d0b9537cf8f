/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The two halves of the sandbox, for privs.c alone. Each returns 0 or an error of err.h and, with
 * an error, a text of at most PRIVS_TEXT_LEN. */
#include "net/privs.h"

/* Under a sanitizer more is needed: LeakSanitizer stops the process with a tracer of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PRIVS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define PRIVS_SANITIZED 1
#endif
#endif
#ifndef PRIVS_SANITIZED
#define PRIVS_SANITIZED 0
#endif

/* privs_landlock.c: files. Fills landlock_abi and paths_skipped too. */
MUST_CHECK int privs_landlock(const struct privs_conf *conf, struct privs_report *out);
/* privs_seccomp.c: system calls. */
MUST_CHECK int privs_filter(struct privs_report *out);
