/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The catalogue of log IDs, grouped by room, alphabetical within a group. Cause and remedy of
 * each stand in doc/messages.md. An ID is never reused for something else. */

#define LOG_ID_LIST(X)                                                                             \
	/* resolver */                                                                             \
	X(RESOLVER_QUERY)                                                                          \
	X(RESOLVER_STEP)                                                                           \
	/* dhcp */                                                                                 \
	X(DHCP_CLOCK_STEP)                                                                         \
	X(DHCP_COMMIT_FAILED)                                                                      \
	X(DHCP_COMMIT_WORKS)                                                                       \
	X(DHCP_CONFLICT)                                                                           \
	X(DHCP_DECLINED)                                                                           \
	X(DHCP_NAME_REFUSED)                                                                       \
	X(DHCP_NOT_HOLDER)                                                                         \
	X(DHCP_POOL_EMPTY)                                                                         \
	X(DHCP_RELAY_UNKNOWN)                                                                      \
	/* boot */                                                                                 \
	X(BOOT_REFUSED)                                                                            \
	X(BOOT_SERVED)                                                                             \
	X(BOOT_UNFINISHED)                                                                         \
	/* daemon */                                                                               \
	X(DAEMON_BOOT_BIND)                                                                        \
	X(DAEMON_BOOT_ROOT)                                                                        \
	X(DAEMON_CACHE_IMAGE)                                                                      \
	X(DAEMON_CONFIG_ERROR)                                                                     \
	X(DAEMON_CONFIG_WARNING)                                                                   \
	X(DAEMON_DHCP_BIND)                                                                        \
	X(DAEMON_DHCP_SEND_FAILED)                                                                 \
	X(DAEMON_LAST_GOOD)                                                                        \
	X(DAEMON_LEASES_LOADED)                                                                    \
	X(DAEMON_LISTEN)                                                                           \
	X(DAEMON_LISTEN_ABSENT)                                                                    \
	X(DAEMON_LISTEN_FAILED)                                                                    \
	X(DAEMON_LOG_FAILED)                                                                       \
	X(DAEMON_NO_NETLINK)                                                                       \
	X(DAEMON_NO_THREAD)                                                                        \
	X(DAEMON_NO_USER)                                                                          \
	X(DAEMON_PORT_BUSY)                                                                        \
	X(DAEMON_REFRESHED)                                                                        \
	X(DAEMON_RELOADED)                                                                         \
	X(DAEMON_RELOAD_FAILED)                                                                    \
	X(DAEMON_SANDBOX)                                                                          \
	X(DAEMON_SNAPSHOT)                                                                         \
	X(DAEMON_START)                                                                            \
	X(DAEMON_STATE_BUSY)                                                                       \
	X(DAEMON_STATE_FAILED)                                                                     \
	X(DAEMON_STOP)                                                                             \
	X(DAEMON_STORE_DAMAGED)                                                                    \
	X(DAEMON_STORE_NEW)                                                                        \
	X(DAEMON_UNLISTEN)                                                                         \
	X(DAEMON_WATCH_FAILED)

enum log_id {
#define LOG_ID_ENUM(name) name,
	LOG_ID_LIST(LOG_ID_ENUM)
#undef LOG_ID_ENUM
		LOG_ID_COUNT
};

const char *log_id_name(enum log_id id);
