/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A DNS worker: one thread with its loop, its sockets and its resolver. Made in main, started after
 * privileges are dropped; from then on the service thread speaks to it by posts only (worker_add_*,
 * worker_call and worker_stop may be called from the service thread at any time). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "net/upstream.h"
#include "resolver/resolver.h"
#include "resolver/stats.h"

#define WORKER_MAX	64   /* threads; far more than a LAN needs */
#define WORKER_SOCKETS	512  /* listening addresses of one worker; slots are reused round robin */
#define WORKER_DRAIN_MS 2000 /* how long live questions may still be answered at shutdown */

struct worker;

/* What all workers share, owned by the daemon. */
struct worker_shared {
	struct cache *cache;
	struct cache_rrset *rrsets;
	struct servers *servers;
	void *const *resolver_conf; /* RCU */
	struct ip outgoing[UPSTREAM_MAX_SOURCES];
	size_t n_outgoing;
	unsigned n_workers;
};

/* NULL when the kernel gives no loop, or OpenSSL lacks what a validator must have. */
struct worker *worker_new(const struct worker_shared *shared, unsigned index);
void worker_free(struct worker *w); /* after worker_join */
MUST_CHECK int worker_start(struct worker *w);
/* Ask it to stop reading, answer what is live for up to WORKER_DRAIN_MS, and end. */
void worker_stop(struct worker *w);
void worker_join(struct worker *w);

/* The socket is the worker's from here on, also when it is closed. id names it for
 * worker_del_socket. */
void worker_add_socket(struct worker *w, uint32_t id, struct udp *udp, int tcp_fd);
void worker_del_socket(struct worker *w, uint32_t id);

/* Resolve as a client on this host would. wire: a query message (copied). on_answer runs on the
 * worker's thread with an empty answer when there is none; trace may be NULL and must outlive the
 * answer. */
void worker_call(struct worker *w, const uint8_t *wire, size_t len, struct trace *trace,
	void (*on_answer)(void *arg, const uint8_t *wire, size_t len), void *arg);

/* A link or a route came: forget what made servers look dead. */
void worker_network_changed(struct worker *w);

/* Counters, read while the worker writes them (each is a word on its own). */
const struct stats *worker_stats(const struct worker *w);
struct worker_net_stats {
	uint64_t udp_received, udp_sent, udp_dropped, udp_send_blocked, udp_send_errors;
	struct tcp_stats tcp;
	struct upstream_stats upstream;
};
/* As of the end of the worker's last turn. */
void worker_net_stats(const struct worker *w, struct worker_net_stats *out);
