/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What one worker counted. A struct stats belongs to one thread, which alone adds to it; control
 * and the metrics read it at any time and sum over the workers, so the numbers are never locked and
 * may be a moment apart. A row of STATS_LIST is the whole of a new counter: enum, name of the
 * metric (prefix lanthorn_dns_, suffix _total) and help text. Nothing here is reset. */
#include <stddef.h>
#include <stdint.h>

/* Grouped by who counts, in the order of a query's way through the house. */
#define STATS_LIST(X)                                                                              \
	/* front */                                                                                \
	X(STATS_UDP, "queries_udp", "queries that came over UDP")                                  \
	X(STATS_TCP, "queries_tcp", "queries that came over TCP")                                  \
	X(STATS_CALLS, "queries_call", "questions of our own (control, prefetch)")                 \
	X(STATS_DENIED, "denied", "packets from outside the access list, not answered")            \
	X(STATS_GARBAGE, "garbage", "packets dropped: too short, or replies")                      \
	X(STATS_FORMERR, "formerr", "malformed queries")                                           \
	X(STATS_NOTIMP, "notimp", "queries of an opcode or type not served")                       \
	X(STATS_REFUSED, "refused", "queries refused")                                             \
	X(STATS_BADVERS, "badvers", "queries with an EDNS version above 0")                        \
	X(STATS_NORECURSE, "norecurse", "queries without RD that no cache or zone answered")       \
	X(STATS_ANY, "any", "ANY questions answered minimally (RFC 8482)")                         \
	X(STATS_LOCAL, "local", "answers from our own zones and leases")                           \
	X(STATS_LOCAL_DROP, "local_drop", "queries our own zones do not answer at all")            \
	X(STATS_HITS, "cache_hits", "answers from the wire cache")                                 \
	X(STATS_REJUDGED, "cache_rejudged", "cached answers judged again after a reload")          \
	X(STATS_MISSES, "cache_misses", "questions handed to the resolver")                        \
	X(STATS_PREFETCH, "prefetches", "answers refreshed before they expire")                    \
	X(STATS_TRUNCATED, "truncated", "replies sent with TC")                                    \
	/* query */                                                                                \
	X(STATS_JOINED, "joined", "questions that joined a live one")

enum stats_counter {
#define STATS_ENUM(id, name, help) id,
	STATS_LIST(STATS_ENUM)
#undef STATS_ENUM
		STATS_COUNT
};

/* Time from question to answer of what went upstream: bucket i holds what took less than
 * stats_latency_bound_us(i), the last one all the rest. Doubling from 128 us to 8.4 s. */
#define STATS_LATENCY_BUCKETS 18

struct stats {
	uint64_t n[STATS_COUNT];
	uint64_t latency[STATS_LATENCY_BUCKETS];
	uint64_t latency_sum_us;
} __attribute__((aligned(128))); /* two workers never share a line, nor a pair of lines */

/* Zeroed, on its own cache lines. Freed by stats_free. */
struct stats *stats_new(void);
void stats_free(struct stats *s); /* NULL allowed */

/* The owner's thread only. */
static inline void stats_bump(uint64_t *n, uint64_t by)
{
	__atomic_store_n(n, __atomic_load_n(n, __ATOMIC_RELAXED) + by, __ATOMIC_RELAXED);
}

static inline void stats_add(struct stats *s, enum stats_counter c)
{
	stats_bump(&s->n[c], 1);
}

static inline void stats_add_n(struct stats *s, enum stats_counter c, uint64_t by)
{
	stats_bump(&s->n[c], by);
}

void stats_latency(struct stats *s, uint64_t us);

/* Any thread. */
static inline uint64_t stats_get(const struct stats *s, enum stats_counter c)
{
	return __atomic_load_n(&s->n[c], __ATOMIC_RELAXED);
}

/* Adds what from holds to into (which nobody else touches). */
void stats_sum(struct stats *into, const struct stats *from);
const char *stats_name(enum stats_counter c);
const char *stats_help(enum stats_counter c);
uint64_t stats_latency_bound_us(size_t bucket); /* UINT64_MAX for the last */
