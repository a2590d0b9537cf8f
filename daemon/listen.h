/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where DNS is served: the list of addresses that the configuration and the interfaces of the
 * moment ask for, and the sockets that stand for it, one of each kind for every worker. Applied in
 * main before the privileges go, then again by the service thread whenever an interface or the
 * configuration changes: what is new is bound, what is gone is closed, the rest is not touched. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define LISTEN_MAX 256 /* addresses; half of WORKER_SOCKETS, so that slots rest before reuse */

struct config;
struct iface_list;
struct worker;

struct listen_at {
	struct ip_port at;
	uint32_t id;  /* of the sockets at the workers; 0: not open */
	int last_err; /* why it is not open; told once */
	bool is_wanted;
};

struct listen {
	struct worker **workers;
	unsigned n_workers;
	uint32_t next_id;
	bool is_retry_due; /* an address was busy: apply again in a moment */
	size_t n;
	struct listen_at list[LISTEN_MAX];
};

void listen_init(struct listen *l, struct worker **workers, unsigned n_workers);
/* The addresses wanted now. Returns how many of cap were written. Pure. */
size_t listen_want(
	const struct config *c, const struct iface_list *ifaces, struct ip_port *out, size_t cap);
/* Returns 0 when all that can be open is, or the first error that waiting will not mend (ERR_BUSY:
 * the port is another program's; ERR_DENIED), after logging it with the remedy. Addresses that do
 * not exist yet are no error. */
MUST_CHECK int listen_apply(
	struct listen *l, const struct config *c, const struct iface_list *ifaces);
size_t listen_open_count(const struct listen *l);
