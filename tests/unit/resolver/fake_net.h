/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A simulated Internet for the resolver's tests: servers that hold zones written as text, with the
 * faults of real ones, behind the transport interface; a virtual clock; seeded randomness. Nothing
 * sleeps and nothing opens a socket: fake_ask runs the clock until the answer is there. One struct
 * fake_net holds everything, the resolver under test too. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "dns/msg_parse.h"
#include "net/transport.h"
#include "resolver/cache.h"
#include "resolver/cache_rrset.h"
#include "resolver/query.h"
#include "resolver/resolver.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

struct fake_net;
struct fake_server;

/* What is wrong with a server. */
enum fake_fault {
	FAKE_DEAD = 1 << 0,	    /* never answers */
	FAKE_NO_EDNS = 1 << 1,	    /* FORMERR, with the question, to any OPT */
	FAKE_NO_EDNS_BARE = 1 << 2, /* FORMERR of 12 bytes */
	FAKE_DROPS_EDNS = 1 << 3,   /* no answer to any OPT */
	FAKE_SERVFAIL = 1 << 4,
	FAKE_REFUSED = 1 << 5,
	FAKE_UPWARD = 1 << 6,	      /* refers to the root, whatever is asked */
	FAKE_TCP_ONLY = 1 << 7,	      /* TC over UDP */
	FAKE_NO_TCP = 1 << 8,	      /* TCP: connection refused */
	FAKE_TCP_CLOSES = 1 << 9,     /* TCP: accepts and closes */
	FAKE_FOLDS_CASE = 1 << 10,    /* answers in lower case */
	FAKE_DENIES_ENTS = 1 << 11,   /* NXDOMAIN for empty non-terminals */
	FAKE_REFUSES_PARTS = 1 << 12, /* REFUSED unless a record of the name exists */
	FAKE_RECURSIVE = 1 << 13,     /* a forwarder: RA, no AA */
	FAKE_UNREACHABLE = 1 << 14,   /* no route */
	FAKE_ICMP = 1 << 15,	      /* port unreachable */
	FAKE_COOKIES = 1 << 16,	      /* gives and wants server cookies */
	FAKE_NO_SOA = 1 << 17,	      /* denies without SOA */
	FAKE_FORMERR_PARTS = 1 << 18  /* FORMERR unless a record of the name exists */
};

/* A packet on its way to a server, for hooks. */
struct fake_ask {
	struct fake_net *net;
	struct fake_server *server;
	uint64_t handle;
	bool is_tcp;
	const uint8_t *bytes;
	size_t len;
	struct msg_query q;
};

struct fake_server {
	struct fake_server *next;
	struct ip_port at;
	unsigned faults;
	int rtt_ms;
	int loss_percent;
	unsigned n_udp, n_tcp; /* questions received */
	/* Called first; true: it did what there was to do. */
	bool (*hook)(struct fake_ask *ask, void *arg);
	void *hook_arg;
	struct fake_zone *zones;
};

struct fake_answer {
	bool is_there;
	uint16_t rcode;
	uint16_t flags;
	int ede;
	int64_t took_ms;
	unsigned n_answer, n_authority, n_additional;
	char text[8192]; /* the answer section, "owner ttl IN type rdata" a line, lower case */
	char authority[4096];
	uint8_t *wire;
	size_t len;
};

struct fake_net {
	struct transport iterate, forward; /* both lead here */
	struct resolver *r;
	struct resolver_conf *conf; /* changed by tests before and between questions */
	void *conf_slot;
	struct stats *stats;
	struct resolver_env env;
	int64_t now_ms;
	unsigned n_sent;	   /* packets from the resolver, all servers */
	unsigned n_forwarded;	   /* of these, through the forward transport */
	unsigned n_answers;	   /* sent to clients */
	unsigned n_open, max_open; /* asks under way */
	unsigned most_open;	   /* asks there are sockets for; 0: any number */
	char log[65536];	   /* "ip name type\n" for each question a server saw */
	size_t log_len;
	struct fake_server *servers;
	/* When set: every address has a server, with this hook. */
	bool (*any_hook)(struct fake_ask *ask, void *arg);
	void *any_hook_arg;
	struct fake_flight *flights;
	struct fake_event *events;
	uint64_t next_handle;
	struct fake_call *calls;
	uint16_t next_id;
};

/* Defaults: everything a plain configuration has, but no priming, no rebinding filter, no stale
 * data; root hints must be given by fake_root. */
struct fake_net *fake_new(uint64_t seed);
void fake_free(struct fake_net *n);
/* Makes the root: its servers (one address each), and their zone text. */
void fake_root(struct fake_net *n, const char *ip, const char *zone_text);
/* The server at that address ("192.0.2.1", "[::1]:53"), made when new. */
struct fake_server *fake_server(struct fake_net *n, const char *at);
/* Gives it a zone: apex and records, a line each, names relative to the apex. A SOA is added. */
struct fake_server *fake_zone(
	struct fake_net *n, const char *at, const char *apex, const char *records);
void fake_zone_clear(struct fake_server *s);
/* A forward or stub zone in the config. */
void fake_forward(struct fake_net *n, const char *zone, bool is_stub, const char *to);

/* A packet to the resolver, as if from the server that was asked, delay_ms from now. */
void fake_reply(struct fake_ask *ask, const uint8_t *bytes, size_t len, int delay_ms);
/* What the server itself would say, after its rtt plus extra. */
void fake_reply_truth(struct fake_ask *ask, int extra_ms);
/* A reply to ask written from text: flags word (QR and ID are added), sections as text. */
void fake_reply_text(struct fake_ask *ask, uint16_t flags, const char *answer,
	const char *authority, const char *additional, int delay_ms);

/* Ask as a client would and run the clock until the answer or 15 s have passed. type is a name:
 * "A". The answer is valid until fake_free. */
const struct fake_answer *fake_ask(struct fake_net *n, const char *name, const char *type);

enum fake_client_flag { FAKE_DO = 1, FAKE_CD = 2, FAKE_TCP = 4, FAKE_PREFETCH = 8, FAKE_UDP = 16 };
/* Ask from a given address without running the clock; the answer fills in later. */
struct fake_answer *fake_ask_from(
	struct fake_net *n, const char *client, const char *name, const char *type, unsigned flags);
void fake_run(struct fake_net *n, int64_t ms);
void fake_run_until(struct fake_net *n, const bool *done, int64_t ms);
/* How often a server at ip (NULL: any) saw that name (NULL: any) and type (NULL: any). */
unsigned fake_seen(const struct fake_net *n, const char *ip, const char *name, const char *type);
void fake_log_clear(struct fake_net *n);
uint64_t fake_stat(const struct fake_net *n, enum stats_counter c);
/* Is such an RRset in the cache (of any rank)? Text of its rdata joined by blanks, or NULL; valid
 * until the next call. */
const char *fake_cached(struct fake_net *n, const char *name, const char *type);
/* RRsets in the RRset cache. */
size_t fake_cache_count(struct fake_net *n);
