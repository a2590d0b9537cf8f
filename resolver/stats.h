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
	X(STATS_JOINED, "joined", "questions that joined a live one")                              \
	X(STATS_REPEATED, "repeated", "questions a waiting client sent again")                     \
	X(STATS_SUBS, "sub_queries", "questions of our own, asked to answer another")              \
	X(STATS_LATE, "late", "UDP clients not answered: too late to be of use")                   \
	X(STATS_JOSTLED, "jostled", "old questions that lost their slot to a new one")             \
	X(STATS_CACHED_FAILURES, "cached_failures", "questions not tried again yet (RFC 9520)")    \
	X(STATS_FAILURES, "failures", "questions that ended in SERVFAIL")                          \
	X(STATS_STALE, "stale", "questions answered with expired data (RFC 8767)")                 \
	X(STATS_REBIND, "rebind", "answers with private addresses removed")                        \
	X(STATS_LOOPS, "forward_loops", "questions that came back from whom we had asked")         \
	X(STATS_LIMIT_QUERIES, "limit_queries", "questions refused: all slots taken")              \
	X(STATS_LIMIT_WAITERS, "limit_waiters", "clients not taken: too many wait for one name")   \
	X(STATS_LIMIT_CLIENT, "limit_client", "questions dropped: too many of one client wait")    \
	X(STATS_LIMIT_DEPTH, "limit_depth", "sub-questions refused: too deep")                     \
	X(STATS_LIMIT_CIRCLE, "limit_circle", "sub-questions refused: waiting in a circle")        \
	X(STATS_LIMIT_ARENA, "limit_arena", "questions given up: their memory is full")            \
	X(STATS_LIMIT_SENDS, "limit_sends", "budgets without packets left")                        \
	X(STATS_LIMIT_NAME, "limit_name", "questions that had their share of packets")             \
	X(STATS_LIMIT_TRIES, "limit_tries", "questions that had their tries at one zone")          \
	X(STATS_LIMIT_BYTES, "limit_bytes", "budgets without bytes left")                          \
	X(STATS_LIMIT_WALL, "limit_wall", "budgets without time left")                             \
	X(STATS_LIMIT_CHAIN, "limit_chain", "alias chains too long or in a circle")                \
	X(STATS_LIMIT_NS_LOOKUPS, "limit_ns_lookups", "budgets without server lookups left")       \
	X(STATS_LIMIT_NS_NX, "limit_ns_nx", "budgets that met too many servers without a name")    \
	X(STATS_LIMIT_SIGS, "limit_sigs", "budgets without signature checks left")                 \
	X(STATS_LIMIT_SIG_FAILS, "limit_sig_fails", "budgets that met too many bad signatures")    \
	X(STATS_LIMIT_HASHES, "limit_hashes", "budgets without NSEC3 hashes left")                 \
	X(STATS_LIMIT_LINKS, "limit_links", "budgets without lookups of keys left")                \
	X(STATS_SECURE, "secure", "answers that were proven")                                      \
	X(STATS_INSECURE, "insecure", "answers found to be from unsigned zones")                   \
	X(STATS_BOGUS, "bogus", "answers that should have been provable and were not")             \
	/* exchange and iter */                                                                    \
	X(STATS_SENT_UDP, "sent_udp", "questions sent to servers over UDP")                        \
	X(STATS_SENT_TCP, "sent_tcp", "questions sent to servers over TCP")                        \
	X(STATS_TIMEOUTS, "timeouts", "questions a server did not answer in its time")             \
	X(STATS_UNREACHABLE, "unreachable", "servers that could not be reached")                   \
	X(STATS_TCP_FAILED, "tcp_failed", "TCP questions that ended without an answer")            \
	X(STATS_BAD_REPLIES, "bad_replies", "packets that were no answer to what was asked")       \
	X(STATS_WRONG_ID, "wrong_id", "packets with a wrong ID")                                   \
	X(STATS_WRONG_CASE, "wrong_case", "replies with the name in another case")                 \
	X(STATS_SPOOF_TCP, "spoof_tcp", "questions moved to TCP by suspicious packets")            \
	X(STATS_TRUNCATED_REPLIES, "truncated_replies", "replies with TC")                         \
	X(STATS_NO_EDNS, "no_edns", "questions asked again without EDNS")                          \
	X(STATS_LAME, "lame", "replies of servers that do not serve the zone")                     \
	X(STATS_SERVER_FAILURES, "server_failures", "SERVFAIL, REFUSED and senseless replies")     \
	X(STATS_REFERRALS, "referrals", "referrals followed")                                      \
	X(STATS_QMIN_OFF, "qmin_off", "names asked whole: a server broke on a part")               \
	X(STATS_PROBES, "probes", "servers asked only to learn about them")                        \
	X(STATS_PRIMED, "primed", "times the root was asked for itself")

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
