/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What we know of the servers of the world, by address and port: round-trip time, timeouts, what
 * they cannot do (EDNS, our 0x20), their cookie; and which of them is lame for which zone. One
 * table for all workers: buckets of four entries behind a spinlock that is held for some dozen
 * instructions. Bounded; the entry unused longest makes room.
 *
 * Nobody is banned: a server that does not answer is only asked last, and again from time to time.
 * When nothing at all answers, the fault is ours: servers_is_offline says so, and the first reply
 * after that wipes every timeout counted before it, so that a lost uplink costs nobody their
 * reputation. Any thread. Never looks at the network; time is given. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define SERVERS_ENTRIES	     16384 /* 2 MB; a busy LAN meets some thousand servers a day */
#define SERVERS_LAME	     16384 /* pairs of server and zone; 8 bytes each */
#define SERVERS_RTO_FLOOR_MS 50	   /* below this a busy server looks dead */
#define SERVERS_RTO_FIRST_MS 400   /* for the unknown: beyond most of the round trips of Earth */
#define SERVERS_RTO_MAX_MS   3000
#define SERVERS_DEAD_AFTER   3		      /* timeouts in a row */
#define SERVERS_PROBE_MIN_MS (60 * 1000)      /* the dead are asked again after this ... */
#define SERVERS_PROBE_MAX_MS (15 * 60 * 1000) /* ... doubling up to this */
#define SERVERS_FRESH_MS     (10 * 60 * 1000) /* a time this old is worth a look */
#define SERVERS_TRAIT_MS     (15 * 60 * 1000) /* how long "cannot do EDNS" and lameness last */
#define SERVERS_COOKIE_MAX   32		      /* RFC 7873 4: server cookie of 8 to 32 octets */
#define SERVERS_FAMILY_FAILS                                                                       \
	6 /* that many servers in a row with no answer, none in between: no such network */
#define SERVERS_FAMILY_REST_MS (60 * 1000) /* the family is tried again after this */
#define SERVERS_OFFLINE_AFTER  12	   /* timeouts of all servers in a row, over at least ... */
#define SERVERS_OFFLINE_MS     2000	   /* ... this long without any reply */

enum servers_trait {
	SERVERS_NO_EDNS = 1, /* answers only without OPT */
	SERVERS_EDNS_OK = 2, /* has answered with OPT */
	SERVERS_NO_CASE = 4, /* does not echo the case of names */
};

/* A copy, as of now. */
struct servers_info {
	bool is_known; /* has answered us */
	bool is_dead;  /* answers nothing lately */
	uint8_t n_timeouts;
	uint8_t traits;
	uint8_t cookie_len; /* of its server cookie, 0 none */
	uint8_t cookie[SERVERS_COOKIE_MAX];
	uint32_t srtt_ms, rttvar_ms; /* meaningful when is_known */
	uint32_t rto_ms;	     /* with the doubling for n_timeouts */
	int64_t heard_ms;	     /* of the last thing we noted about it */
};

struct servers;
/* n_entries is rounded up to a power of two; 0: SERVERS_ENTRIES. */
struct servers *servers_new(size_t n_entries);
void servers_free(struct servers *s); /* NULL allowed */

/* O(1). An unknown server gives the defaults. */
void servers_get(
	struct servers *s, const struct ip_port *at, int64_t now_ms, struct servers_info *out);
/* It answered; rtt_ms < 0: alive, but the time tells nothing (TCP). */
void servers_on_reply(struct servers *s, const struct ip_port *at, int64_t rtt_ms, int64_t now_ms);
/* No answer within its rto. */
void servers_on_timeout(struct servers *s, const struct ip_port *at, int64_t now_ms);
/* The kernel has no way to it (an ICMP message is a mere timeout: anybody may send one). */
void servers_on_unreachable(struct servers *s, const struct ip_port *at, int64_t now_ms);
/* It was not waited for to the end: at least this slow (another won the race). */
void servers_on_slower(
	struct servers *s, const struct ip_port *at, int64_t elapsed_ms, int64_t now_ms);
void servers_set_trait(
	struct servers *s, const struct ip_port *at, enum servers_trait t, int64_t now_ms);
void servers_set_cookie(struct servers *s, const struct ip_port *at, const uint8_t *cookie,
	size_t len, int64_t now_ms);
/* Is it worth a packet only to learn about it: thought dead and its time has come, or (unless
 * dead_only) never heard of, or not heard of for SERVERS_FRESH_MS? True at most once in
 * SERVERS_PROBE_MIN_MS for a server. */
bool servers_take_probe(
	struct servers *s, const struct ip_port *at, bool dead_only, int64_t now_ms);
/* Our client cookie towards this server (RFC 7873 4.1): stable, different for each server. */
void servers_client_cookie(const struct servers *s, const struct ip_port *at, uint8_t out[8]);

/* Lame: it does not serve that zone. Kept by hash; forgotten after SERVERS_TRAIT_MS. */
bool servers_is_lame(
	const struct servers *s, const struct ip_port *at, const uint8_t *zone, int64_t now_ms);
void servers_set_lame(
	struct servers *s, const struct ip_port *at, const uint8_t *zone, int64_t now_ms);

/* Nothing of this family (AF_INET, AF_INET6) has answered of late: there is no such network. */
bool servers_family_is_down(const struct servers *s, int family, int64_t now_ms);
/* Nothing at all answers: a failure now says nothing about those asked. */
bool servers_is_offline(const struct servers *s, int64_t now_ms);
/* The network is back or changed: all timeouts and rests are forgotten. O(1). */
void servers_forget_failures(struct servers *s);
/* Grows with each servers_forget_failures and each return from being offline. */
uint32_t servers_epoch(const struct servers *s);
