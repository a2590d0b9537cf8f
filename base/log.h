/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Log lines with stable IDs. Only the layer that decides logs (zones, resolver, dhcp,
 * boot, daemon, and net/ for sockets); base, dns and store never do. Every ID stands in
 * LOG_ID_LIST and in doc/messages.md (a test compares them). Any thread; one write(2) a line.
 *
 * What a stranger can trigger is logged through log_limited: at most LOG_LIMIT_PER_MIN lines a
 * minute for each ID, then one line that tells how many were left out. */
#include <stdbool.h>
#include <stdint.h>

#include "base/log_ids.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define LOG_LIMIT_PER_MIN 5

/* to: "stderr", "syslog", or a file's path, reopened by log_reopen. Until called: warnings to
 * stderr. Under systemd (JOURNAL_STREAM) stderr lines carry <N> priorities and no time. */
int log_open(const char *to, enum log_level level);
int log_reopen(void); /* after SIGUSR1 or logrotate */
void log_close(void);
bool log_is_on(enum log_level level);

void log_write(enum log_level level, enum log_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void log_limited(enum log_level level, enum log_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(id, ...) log_write(LOG_LEVEL_ERROR, id, __VA_ARGS__)
#define log_warn(id, ...)  log_write(LOG_LEVEL_WARN, id, __VA_ARGS__)
#define log_info(id, ...)  log_write(LOG_LEVEL_INFO, id, __VA_ARGS__)
#define log_debug(id, ...)                                                                         \
	do {                                                                                       \
		if (log_is_on(LOG_LEVEL_DEBUG))                                                    \
			log_write(LOG_LEVEL_DEBUG, id, __VA_ARGS__);                               \
	} while (0)
