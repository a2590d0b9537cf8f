/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Address probes (RFC 5227 in the server's hands): a DISCOVER whose answer waits a moment while an
 * ARP question is out, any number of them at once up to DHCP_PROBES_MAX. Keeps the request so that
 * it can be answered as if it had just come. A pure scheduler: says when to ask and what came of
 * it, sends nothing. One thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dhcp/dhcp_limits.h"

struct probe;

enum probe_event {
	PROBE_NONE,	/* nothing is due */
	PROBE_ASK,	/* ask again for addr on ifindex */
	PROBE_CLEAR,	/* nobody answered: take the request back and answer it */
	PROBE_CONFLICT, /* somebody else uses the address: quarantine it, answer the request anew */
};

struct probe_table;
struct probe_table *probe_new(void);
void probe_free(struct probe_table *t); /* NULL allowed */

/* Begins; the caller sends the first question itself. mac: the client's own, whose answer is no
 * conflict. extra: what the caller keeps with the request (its arrival), copied. ERR_LIMIT:
 * DHCP_PROBES_MAX run, or pkt is over DHCP_PACKET_MAX. */
MUST_CHECK int probe_start(struct probe_table *t, uint32_t addr, uint32_t ifindex,
	const uint8_t mac[6], int64_t now_ms);
/* The request that waits for addr: the latest one is kept. No-op when no probe for addr runs. */
void probe_keep(struct probe_table *t, uint32_t addr, const uint8_t *pkt, size_t len,
	const void *extra, size_t extra_len);
/* The probe goes without an end (its offer went). */
void probe_cancel(struct probe_table *t, uint32_t addr);

/* mac said it uses ip on ifindex. */
void probe_on_arp(struct probe_table *t, uint32_t ifindex, uint32_t ip, const uint8_t mac[6]);

#define PROBE_EXTRA_MAX 64
struct probe_result {
	enum probe_event event;
	uint32_t addr, ifindex;
	uint8_t mac[6]; /* CONFLICT: who */
	uint8_t extra[PROBE_EXTRA_MAX];
	size_t len; /* of pkt; 0: no request was kept */
	uint8_t pkt[DHCP_PACKET_MAX];
};
/* One thing that is due; CLEAR and CONFLICT end the probe. Call until PROBE_NONE. */
void probe_next(struct probe_table *t, int64_t now_ms, struct probe_result *out);
/* When the next thing is due; INT64_MAX: nothing runs. */
int64_t probe_next_ms(const struct probe_table *t);
size_t probe_count(const struct probe_table *t);
