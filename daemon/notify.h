/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Tells systemd how we are (sd_notify(3)'s datagram, which needs no library). Silent when not
 * started by it. NOTIFY_SOCKET is read once by notify_open, before privileges are dropped. */
#include <stdint.h>

struct notify {
	int fd;		     /* -1: nobody listens */
	int64_t watchdog_ms; /* ping at least this often; 0: no watchdog */
};

void notify_open(struct notify *n);
void notify_close(struct notify *n);
/* state: "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..." and the like. */
void notify_send(const struct notify *n, const char *state);
