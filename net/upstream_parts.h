/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What upstream.c (handles, timers, the transport's face), upstream_udp.c (a socket for each ask)
 * and upstream_tcp.c (connections shared by asks) know of each other. For no other file.
 *
 * An ask lives in a slot of a fixed array. Its handle is the slot's number and a generation that
 * grows whenever an ask ends, so that whatever comes late (an event of this very batch, a cancel
 * from a callback) finds nothing. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wheel.h"
#include "net/loop.h"
#include "net/upstream.h"

#define UPSTREAM_RX_LEN	      4096 /* longest UDP reply taken; we announce 1,232 */
#define UPSTREAM_MAX_TCP_ASKS 1024 /* beside the UDP ones: TCP is the exception */
#define UPSTREAM_MAX_CONNS    512
#define UPSTREAM_CONN_ASKS    32    /* pipelined on one connection; then another one is opened */
#define UPSTREAM_CONN_OUT     16384 /* bytes waiting to be written on one connection */
#define UPSTREAM_IDLE_MS      10000 /* RFC 7766 6.2.3: a few seconds */
#define UPSTREAM_STREAM_LEN   65536 /* one read(2) of a connection */

struct upstream_conn;

struct upstream_slot {
	uint32_t index, generation;
	bool is_live;
	bool had_icmp;
	bool was_reused; /* TCP: put on a connection that had served others */
	struct transport_ask ask;
	struct upstream *up;
	struct wheel_timer timer;
	int fd;				    /* UDP */
	struct upstream_conn *conn;	    /* TCP; NULL: UDP */
	struct upstream_slot *next, **link; /* the free list, or the asks of one connection */
	uint16_t id;
	uint8_t *copy; /* TCP: of the query, for the one change of connection; or NULL */
};

struct upstream {
	struct transport transport; /* first */
	struct upstream_conf conf;
	struct upstream_stats stats;
	unsigned max_sockets;
	int epoll_fd;
	struct loop_watch *watch;
	struct upstream_slot *slots;
	uint32_t n_slots, n_used; /* slots from n_used on were never touched */
	struct upstream_slot *free_slots;
	unsigned tcp_asks;
	struct upstream_conn *conns; /* the latest used first */
	uint8_t rx[UPSTREAM_RX_LEN];
	uint8_t *stream; /* UPSTREAM_STREAM_LEN */
};

/* upstream.c */
uint64_t upstream_handle(const struct upstream_slot *s);
struct upstream_slot *upstream_find(struct upstream *u, uint64_t handle); /* NULL: has ended */
/* The ask is over: gives the slot back. Calls nobody. */
void upstream_end(struct upstream_slot *s);
void upstream_fail(struct upstream_slot *s, int err); /* ends, then calls on_fail */
/* A source address for this family into *out: false when routing may choose. */
bool upstream_source(struct upstream *u, int family, struct ip *out);

/* upstream_udp.c */
int upstream_udp_init(struct upstream *u);
void upstream_udp_fini(struct upstream *u);
int upstream_udp_start(struct upstream_slot *s);
void upstream_udp_end(struct upstream_slot *s);

/* upstream_tcp.c */
int upstream_tcp_start(struct upstream_slot *s);
void upstream_tcp_end(struct upstream_slot *s);
void upstream_tcp_on_timeout(struct upstream_slot *s);
void upstream_tcp_fini(struct upstream *u);
