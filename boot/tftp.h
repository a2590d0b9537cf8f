/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The TFTP server: read requests only (RFC 1350, 2347, 2348, 2349, 7440). Owns the requests'
 * listeners it is handed and one connected socket for each transfer; what to send when is decided
 * by boot/transfer (pure), which files by boot/bootroot, for whom by boot/bootpolicy. Lives on the
 * boot thread; a cold file may block that thread for one read, nothing else. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "boot/bootpolicy.h"

struct bootroot;
struct loop;
struct tftp;
struct udp;

struct tftp_counters {
	uint64_t requests;  /* RRQ and WRQ that could be read */
	uint64_t malformed; /* packets at the listener that could not */
	uint64_t refused;   /* ERROR sent: not allowed, absent, WRQ, ... */
	uint64_t dropped;   /* not even an ERROR: over TFTP_REFUSALS_PER_S */
	uint64_t started, finished, failed;
	uint64_t blocks, bytes; /* DATA sent, with retransmissions */
	uint64_t retransmits;	/* blocks sent again */
	uint32_t active;
};

/* conf and root are borrowed until tftp_set_conf or tftp_free. root NULL: every request is refused.
 */
struct tftp *tftp_new(struct loop *loop, const struct boot_conf *conf, struct bootroot *root);
/* A socket from udp_open, bound to port 69 (dst set unless wildcard, so that the address a request
 * was sent to is known); taken over, closed by tftp_free or tftp_unlisten. Any number. */
MUST_CHECK int tftp_listen(struct tftp *t, struct udp *u);
/* Stop listening on every socket taken so far (addresses changed); transfers go on. */
void tftp_unlisten(struct tftp *t);
/* Reload: new requests see the new conf and root; transfers go on with the files they hold. The old
 * conf may be freed when this returns, the old root closed (bootroot_close keeps held files). */
void tftp_set_conf(struct tftp *t, const struct boot_conf *conf, struct bootroot *root);
/* Ends all transfers (ERROR to each client). NULL allowed. */
void tftp_free(struct tftp *t);

/* Read on the boot thread; copy across. */
struct tftp_counters tftp_counters(const struct tftp *t);
