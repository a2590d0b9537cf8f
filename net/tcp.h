/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DNS over TCP for clients (RFC 7766): connections, framing, pipelining, limits. It owns the
 * listeners and a bounded table of connections of one loop; all calls on that loop's thread.
 *
 * Each complete query goes to on_query with a connection's handle; the answer comes back through
 * tcp_reply at any later time and in any order. Handles carry a generation, so a reply to a
 * connection that has gone is dropped, never sent to its successor. Replies are gathered and leave
 * with one write a connection at the end of the turn.
 *
 * Whoever is slow pays: a first byte is awaited 2 s, a started query 5 s, the next query 10 s (2 s
 * once the table is three quarters full), a client that does not read its answers 2 s. When the
 * table is full, the connection that has been idle longest goes. It never looks inside a message
 * and never waits. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define TCP_MAX_CONNS	 1024  /* of one table (C1); PowerDNS holds the same */
#define TCP_MAX_PER_IP	 32    /* one client cannot fill the table alone (C1) */
#define TCP_FIRST_MS	 2000  /* connect to first byte */
#define TCP_MESSAGE_MS	 5000  /* first to last byte of one query: 1 byte/5 s loses */
#define TCP_IDLE_MS	 10000 /* RFC 7766 6.2.3: "a few seconds" */
#define TCP_IDLE_BUSY_MS 2000  /* the same above 75 % of TCP_MAX_CONNS */
#define TCP_WRITE_MS	 2000  /* answers waiting for the client to read (C2) */
#define TCP_ANSWER_MS	 30000 /* a query that we never answered, beyond any resolver's patience */
#define TCP_PIPELINE	 100   /* queries under way on one connection; then no reading */
#define TCP_OUT_MAX	 (64 * 1024 + 2) /* answers waiting on one connection: one of the longest */
#define TCP_IN_LEN	 2048		 /* what every connection has to receive into */
#define TCP_MAX_LONG	 16		 /* connections that may receive a longer query at a time */
#define TCP_BACKLOG	 256
#define TCP_PAUSE_MS	 100 /* no accept after the process ran out of descriptors (C5) */

struct loop;
struct tcp;

/* bytes and the struct are borrowed until the callback returns. */
struct tcp_query {
	uint64_t conn;
	const uint8_t *bytes;
	size_t len; /* 0..65535 */
	const struct ip_port *peer, *local;
	int64_t now_ms;
};

struct tcp_conf {
	void *arg;
	/* Answer with tcp_reply or give up with tcp_drop, now or later; exactly one of both. */
	void (*on_query)(void *arg, const struct tcp_query *q);
	/* false: closed without a word. NULL: everybody may. */
	bool (*may_connect)(void *arg, const struct ip_port *peer);
	unsigned max_conns; /* 0: TCP_MAX_CONNS; workers share the total among them */
	unsigned max_per_ip;
};

struct tcp_stats {
	uint64_t accepted, refused, queries, replies;
	uint64_t evicted;   /* idle, closed to make room */
	uint64_t timeouts;  /* slow, closed */
	uint64_t overflows; /* did not read, closed */
	uint64_t stale;	    /* replies to connections that had gone */
	uint64_t paused;    /* times accept was paused for want of descriptors */
	unsigned open;	    /* now */
};

/* A bound, listening socket; errors as udp_open. Any thread. */
MUST_CHECK int tcp_open(const struct ip_port *bind, bool reuseport, int *out_fd);

struct tcp *tcp_new(struct loop *l, const struct tcp_conf *conf);
void tcp_free(struct tcp *t); /* closes everything; NULL allowed; not from a callback */
/* Accepts from fd, which belongs to t from now on. ERR_LIMIT past 64 listeners. */
MUST_CHECK int tcp_listen(struct tcp *t, int fd);
/* Closes that listener; its connections live on. No-op for an fd that is none of ours. */
void tcp_unlisten(struct tcp *t, int fd);

/* bytes are copied; len 0..65535. A conn that has gone is no error. */
void tcp_reply(struct tcp *t, uint64_t conn, const void *bytes, size_t len);
/* The query gets no answer. */
void tcp_drop(struct tcp *t, uint64_t conn);
/* Close it, now or once its queued answers are out. */
void tcp_hang_up(struct tcp *t, uint64_t conn);
bool tcp_is_open(const struct tcp *t, uint64_t conn);
const struct tcp_stats *tcp_stats(const struct tcp *t);
