/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* ThreadSanitizer does not see the barriers inside liburcu (inline assembly and the membarrier
 * system call). These macros tell it of the two orders that liburcu guarantees: a read section
 * that ended comes before the callbacks of its grace period, and what was written into a node
 * comes before its being found. Empty in other builds. Included by rcu.c and rcumap.c only. What
 * liburcu does with its own memory is left to liburcu (called_from_lib, in rcu.c); that is no
 * blanket: a callback of ours that frees too early is still reported. */

#if defined(__SANITIZE_THREAD__)
#define RCU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RCU_TSAN 1
#endif
#endif

#ifdef RCU_TSAN
#include <sanitizer/tsan_interface.h>
#define RCU_TSAN_ACQUIRE(p) __tsan_acquire((void *)(p))
#define RCU_TSAN_RELEASE(p) __tsan_release((void *)(p))
#else
#define RCU_TSAN_ACQUIRE(p) ((void)(p))
#define RCU_TSAN_RELEASE(p) ((void)(p))
#endif
