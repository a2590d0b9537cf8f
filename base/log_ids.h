/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The catalogue of log IDs, grouped by room, alphabetical within a group. Cause and remedy of
 * each stand in doc/messages.md. An ID is never reused for something else. */

#define LOG_ID_LIST(X)                                                                             \
	/* net */                                                                                  \
	X(NET_SOCKET_FAILED)                                                                       \
	/* zones */                                                                                \
	X(ZONES_HOSTS_LINE)                                                                        \
	/* resolver */                                                                             \
	X(RESOLVER_LIMIT)                                                                          \
	X(RESOLVER_QUERY)                                                                          \
	/* dhcp */                                                                                 \
	X(DHCP_POOL_EMPTY)                                                                         \
	/* boot */                                                                                 \
	X(BOOT_REFUSED)                                                                            \
	/* daemon */                                                                               \
	X(DAEMON_START)                                                                            \
	X(DAEMON_STOP)

enum log_id {
#define LOG_ID_ENUM(name) name,
	LOG_ID_LIST(LOG_ID_ENUM)
#undef LOG_ID_ENUM
		LOG_ID_COUNT
};

const char *log_id_name(enum log_id id);
