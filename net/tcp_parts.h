/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What tcp.c (the table of connections, listeners, who has to go) and tcp_conn.c (one connection:
 * framing, reading, writing, timers) know of each other. For no other file. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wheel.h"
#include "net/loop.h"
#include "net/tcp.h"

#define TCP_MAX_LISTENERS 64
#define TCP_ACCEPTS	  16   /* connections taken in one go */
#define TCP_OUT_KEPT	  4096 /* send buffers up to this length are kept for the next answer */

struct tcp_conn {
	struct tcp_conn *idle_next, **idle_link; /* of tcp.idle; NULL link: has work to do */
	struct tcp_conn *dirty_next;
	struct tcp *tcp;
	uint32_t index;
	int fd;
	struct loop_watch *watch;
	struct wheel_timer timer;
	struct ip_port peer, local;
	int64_t since_ms;   /* accepted, or the last whole query or answer */
	int64_t message_ms; /* the first byte of the query being received */
	unsigned under_way; /* queries without an answer yet */
	bool has_asked;	    /* a first byte came */
	bool is_dirty;	    /* in the list of those to look at when the turn ends */
	bool is_blocked;    /* the kernel takes no more answers */
	bool has_ended;	    /* the client will send no more */
	bool is_leaving;    /* close once the answers are out */
	bool is_held;	    /* has queries to deliver on the next turn */
	bool is_in_use;	    /* a caller up the stack holds it: no free */
	bool is_doomed;
	uint8_t in[TCP_IN_LEN];
	size_t in_len;
	uint8_t *long_in; /* a query that does not fit `in`, without its length field */
	size_t long_len, long_need;
	uint8_t *out;
	size_t out_cap, out_len, out_at;
};

struct tcp_slot {
	struct tcp_conn *conn; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct tcp_listener {
	int fd;
	struct tcp *tcp;
	struct loop_watch *watch;
};

struct tcp {
	struct tcp_conf conf;
	struct tcp_stats stats;
	struct loop *loop;
	struct loop_hook hook;
	struct loop_timer *pause;
	struct loop_timer *resume; /* running when a connection is held */
	struct tcp_listener *listeners[TCP_MAX_LISTENERS];
	size_t n_listeners;
	struct tcp_slot *slots;
	uint32_t n_used, first_free;	    /* first_free: index + 1, or 0 */
	struct tcp_conn *idle, **idle_tail; /* who has been idle longest comes first */
	struct tcp_conn *dirty;
	unsigned n_long;
};

/* tcp.c */
uint64_t tcp_handle(const struct tcp_conn *c);
void tcp_forget(struct tcp_conn *c); /* takes it out of the table */
void tcp_set_idle(struct tcp_conn *c, bool is_idle);
void tcp_set_dirty(struct tcp_conn *c);
bool tcp_is_crowded(const struct tcp *t);

/* tcp_conn.c */
struct tcp_conn *tcp_conn_new(struct tcp *t, int fd, uint32_t index, const struct ip_port *peer);
void tcp_conn_close(struct tcp_conn *c);
void tcp_conn_reply(struct tcp_conn *c, const void *bytes, size_t len);
/* At the end of a turn: writes, reads on, closes, sets the timer. May free c; calls nobody. */
void tcp_conn_settle(struct tcp_conn *c);
/* Delivers what was held back. */
void tcp_conn_resume(struct tcp_conn *c);
