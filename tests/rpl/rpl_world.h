/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A resolver in a world without sockets and without time of its own: behind its transports stands a
 * callback that says what servers answer, in front of it clients are numbered questions, and the
 * clock moves when nothing is left to happen. Same seed, same run. One thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/cache_rrset.h"
#include "resolver/resolver.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"
#include "rpl/rpl_entry.h"

struct rpl_world;

enum { RPL_WORLD_BUCKETS = 4096 }; /* of the questions under way */

/* A packet that the resolver sent, kept for the checks. */
struct rpl_sent {
	struct rpl_sent *next;
	struct ip_port server;
	bool is_tcp;
	uint32_t question; /* number of the client's question before it; 0: none yet */
	struct msg_query q;
	size_t len;
	uint8_t bytes[];
};

/* A client's question. */
struct rpl_call {
	struct rpl_call *next;
	struct rpl_world *world;
	uint32_t number; /* of the QUERY step, from 1 */
	int64_t start_ms, end_ms;
	bool is_over;  /* answered */
	uint8_t *wire; /* the answer */
	size_t len;
};

struct rpl_world {
	struct transport iterate, forward;
	struct resolver *r;
	struct resolver_env env;
	struct resolver_conf *conf;
	void *conf_slot;
	struct stats *stats;
	int64_t now_ms, wall_start_s;
	uint64_t next_handle, next_event;
	struct rpl_flight *flights[RPL_WORLD_BUCKETS], *first_due, *last_due;
	struct rpl_event *events;
	struct rpl_sent *sent, **last_sent;
	struct rpl_call *calls;
	uint32_t question;  /* of the last QUERY step; the caller counts */
	unsigned n_waiting; /* clients of that question, still to be answered */
	bool is_quiet;	    /* none */
	bool is_verbose;
	/* What a server says: calls rpl_world_reply or rpl_world_fail with handle, or does nothing.
	 */
	void (*on_asked)(void *arg, const struct rpl_asked *asked, uint64_t handle);
	void *arg;
};

/* conf is taken over. Never NULL. */
struct rpl_world *rpl_world_new(struct resolver_conf *conf, int64_t wall_start_s, uint64_t seed);
void rpl_world_free(struct rpl_world *w);

void rpl_world_reply(
	struct rpl_world *w, uint64_t handle, const uint8_t *bytes, size_t len, int delay_ms);
void rpl_world_fail(struct rpl_world *w, uint64_t handle, int err, int delay_ms);

/* One question of a client, sent over UDP or TCP. Its answer may be there when it returns. */
struct rpl_call *rpl_world_ask(struct rpl_world *w, const struct ip_port *client, bool is_tcp,
	const uint8_t *wire, size_t len);

/* What the daemon does when netlink tells it that an interface has changed. */
void rpl_world_network_changed(struct rpl_world *w);

/* Everything that happens within ms; stops early when *done (NULL: never). */
void rpl_world_run(struct rpl_world *w, int64_t ms, const bool *done);
/* Until nothing is on its way any more, within ms. */
void rpl_world_settle(struct rpl_world *w, int64_t ms);
