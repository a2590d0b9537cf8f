/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The boot thread: a loop of its own for TFTP (and later HTTP), so that a cold file never delays a
 * lease or a name. Made in main; afterwards the service thread speaks to it by posts. */
#include <stdbool.h>

#include "base/err.h"
#include "boot/bootpolicy.h"
#include "boot/tftp.h"

struct bootloop;

struct bootloop *bootloop_new(void);	/* NULL when the kernel gives no loop */
void bootloop_free(struct bootloop *b); /* after bootloop_join; NULL allowed */
MUST_CHECK int bootloop_start(struct bootloop *b);
void bootloop_stop(struct bootloop *b);
void bootloop_join(struct bootloop *b);

/* Bind port 69 on the wildcard address of both families (both closed to who is no client).
 * ERR_BUSY, ERR_DENIED; a host without IPv6 is no error. Main or service thread. Once. */
MUST_CHECK int bootloop_bind(struct bootloop *b);
bool bootloop_is_bound(const struct bootloop *b);

/* Serve by this from now on. conf is taken over (one block, xfree). The root is opened here, so
 * that an error is told: ERR_ABSENT, ERR_DENIED; the old one goes on then and conf is freed. */
MUST_CHECK int bootloop_set(struct bootloop *b, struct boot_conf *conf);
/* As of the end of the thread's last turn. Any thread. */
struct tftp_counters bootloop_counters(struct bootloop *b);
