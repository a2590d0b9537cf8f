/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One worker's resolver: what its parts share. The daemon makes one per worker thread and lends it
 * the shared tables and the loop's tools; the parts (front, query, iter, exchange, forward) take a
 * pointer to it and keep no state of their own elsewhere. Nothing here knows a socket: packets come
 * in through front_answer and leave through the functions of struct resolver_env, so a whole
 * resolver runs in a test with a virtual clock. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/ip.h"
#include "base/rand.h"
#include "base/trace.h"
#include "base/wheel.h"
#include "dns/msg_parse.h"
#include "net/transport.h"

struct cache;	      /* resolver/cache.h: wire answers, shared by all workers */
struct cache_rrset;   /* resolver/cache_rrset.h: RRsets, shared */
struct servers;	      /* resolver/servers.h: what we know of remote servers, shared */
struct resolver_conf; /* resolver/resolver_conf.h: immutable snapshot */
struct stats;	      /* resolver/stats.h: this worker's counters */
struct query_table;   /* resolver/query_state.h: live questions, for joining */
struct failures;      /* resolver/failures.h */
struct scout_table;   /* resolver/scout.h */
struct crypto;
struct scrub_out; /* resolver/scrub.h */

/* Where an answer goes. Plain data, copied with each waiting client. */
enum client_kind { CLIENT_UDP, CLIENT_TCP, CLIENT_CALL };
struct client {
	enum client_kind kind;
	uint16_t socket;  /* UDP: index of the worker's socket it came in on */
	uint32_t ifindex; /* UDP on a wildcard socket: interface and ... */
	struct ip local;  /* ... destination address, to answer from */
	struct ip_port peer;
	uint64_t conn; /* TCP: handle */
	void (*on_answer)(void *arg, const uint8_t *wire,
		size_t len); /* CLIENT_CALL (CLI lookup, prefetch: NULL) */
	void *arg;
	struct trace *trace; /* CLIENT_CALL only; NULL: off */
};

struct resolver_env {
	struct cache *cache;
	struct cache_rrset *rrsets;
	struct servers *servers;
	struct transport *iterate; /* net/upstream */
	struct transport *forward; /* net/stub, over c-ares */
	struct wheel *wheel;
	struct rand_source *rand;
	struct stats *stats;
	void *const *conf; /* RCU pointer to the current struct resolver_conf; read with rcu_get
			      each turn */
	/* Send a late answer. Copies wire. Must not call back into the resolver. */
	void (*send)(void *arg, const struct client *c, const uint8_t *wire, size_t len);
	void *send_arg;
	int64_t (*now_ms)(void *arg); /* the loop's cached monotonic clock, or a virtual one */
	int64_t (*wall_s)(void *arg);
	void *clock_arg;
	size_t max_queries; /* live questions, RESOLVER_QUERIES_MAX */
};

struct resolver {
	struct resolver_env env;
	struct hash_key key;
	struct arena_pool *arenas;
	struct query_table *queries;
	struct scout_table *scouts;
	struct failures *failures;  /* questions not to be tried again yet */
	uint8_t *scratch;	    /* 64 KiB for encoding, turn */
	uint8_t *out;		    /* 64 KiB, one client's reply, turn */
	uint8_t *local;		    /* ZONES_BLOCK_LEN for answers of our own zones, turn */
	uint8_t *in;		    /* 64 KiB, the reply being judged, turn */
	struct msg *msg;	    /* the same taken apart */
	struct scrub_out *scrubbed; /* what of it may be used; RRsets of the query's life */
	struct crypto *crypto;	    /* dns/crypto.h */
	uint8_t *signed_data;	    /* RRSIG_SCRATCH_MAX octets, turn */
	int64_t prime_after_ms;	    /* no priming before this */
	int64_t spoof_second; /* wrong packets moved n_spoof questions to TCP in this second */
	uint32_t n_spoof;
};

/* env is copied; what it points to outlives the resolver. Every entry (front_*, query_start, and
 * the callbacks of transports and timers) runs inside an RCU read section of the worker's thread.
 */
/* NULL when OpenSSL lacks what every validator must have (see crypto_new). */
struct resolver *resolver_new(const struct resolver_env *env);
/* Cancels every live query without answering (the daemon drains first). */
void resolver_free(struct resolver *r);

static inline int64_t resolver_now_ms(const struct resolver *r)
{
	return r->env.now_ms(r->env.clock_arg);
}
const struct resolver_conf *resolver_conf(
	const struct resolver *r); /* inside an RCU read section; life: turn */
/* The network is back or has changed: failures that were remembered are forgotten, here and in the
 * shared table of servers. The worker's thread. */
void resolver_network_changed(struct resolver *r);
/* Questions in work; 0 when drained. */
size_t resolver_live(const struct resolver *r);
