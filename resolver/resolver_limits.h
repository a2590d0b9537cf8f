/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Every ceiling of the resolver, with its reason. One budget per client query is handed to all its
 * sub-queries and never reset (BIND CVE-2026-1519, Unbound CVE-2026-50045 are what happens
 * otherwise); it is charged where the packet leaves and where the crypto runs. Each limit has a
 * counter in stats.h. */

#define RESOLVER_QUERIES_MAX	   4096 /* live questions per worker (Unbound 2048) */
#define RESOLVER_WAITERS_PER_QUERY 100	/* clients joined to one question */
#define RESOLVER_WAITERS_PER_CLIENT                                                                \
	1000 /* questions one client address may have waiting (Unbound's value) */
#define RESOLVER_WAIT_MS                                                                           \
	1900 /* a waiter is answered within this or dropped ... see query.c (DNSBomb) */
#define RESOLVER_JOSTLE_MS	200 /* when full, a question older than this may lose its slot */
#define RESOLVER_SENDS_MAX	100 /* upstream packets per client query */
#define RESOLVER_BYTES_MAX	(100 * 1024) /* upstream bytes taken per client query (PowerDNS) */
#define RESOLVER_WALL_MS	7000	     /* whole life of a client query */
#define RESOLVER_CHAIN_MAX	11	     /* CNAME/DNAME steps (Unbound, BIND) */
#define RESOLVER_DEPTH_MAX	7	     /* sub-queries below a client query (BIND) */
#define RESOLVER_NS_MAX		13  /* name servers looked at per delegation (BIND, PowerDNS) */
#define RESOLVER_NS_ADDRS_MAX	6   /* addresses per name server (BIND CVE-2026-3592) */
#define RESOLVER_NS_LOOKUPS_MAX 10  /* missing-address lookups per client query: NXNSAttack */
#define RESOLVER_NS_NX_MAX	5   /* of these, that may end in NXDOMAIN */
#define RESOLVER_QMIN_STEPS	10  /* RFC 9156 2.3 MAX_MINIMISE_COUNT */
#define RESOLVER_QMIN_SINGLE	4   /* RFC 9156 2.3 MINIMISE_ONE_LAB */
#define RESOLVER_SIGS_MAX	32  /* signature checks per client query: KeyTrap */
#define RESOLVER_SIG_FAILS_MAX	4   /* of these, that may fail (reliability.md section 3) */
#define RESOLVER_HASHES_MAX	600 /* NSEC3 hashes per client query: PowerDNS's value */
#define RESOLVER_LINKS_MAX	40  /* DS and DNSKEY lookups per client query (dnsmasq's value) */
#define RESOLVER_SENDS_PER_NAME 50  /* of RESOLVER_SENDS_MAX, for one name and its chain (BIND) */
#define RESOLVER_TRIES_MAX	16  /* packets for one question to the servers of one zone */
#define RESOLVER_TRIES_SERVER	6   /* of these, to one address */
#define RESOLVER_BAD_REPLIES	10  /* wrong packets to one question before TCP is asked instead */
#define RESOLVER_SPOOF_TCP_RATE                                                                    \
	100 /* questions a second that wrong packets may move to TCP: a flood cannot do more */
#define RESOLVER_STALE_WAIT_MS	 1800 /* RFC 8767 5: client response timer */
#define RESOLVER_STALE_TTL_S	 30   /* RFC 8767 4 */
#define RESOLVER_FAILURES	 4096 /* failures remembered per worker; a slot is 24 bytes */
#define RESOLVER_FAILURE_LOCAL_S 1    /* for failures of our own making: shed, budget, no network */
#define RESOLVER_PRIME_RETRY_MS	 (60 * 1000)
#define RESOLVER_ARENA_MAX	 (1024 * 1024) /* memory of one client query */
#define RESOLVER_FAILURE_MIN_S	 5	       /* RFC 9520: a failure is remembered ... */
#define RESOLVER_FAILURE_MAX_S	 300	       /* ... doubling up to this */
