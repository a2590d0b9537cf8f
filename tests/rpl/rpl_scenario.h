/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One replay scenario, read: what was configured, which simulated servers say what while which step
 * runs, and the steps. rpl_read.c and rpl_read_entry.c fill it from text and nobody changes it
 * afterwards; rpl_play.c may play it several times. All memory is the scenario's arena. The
 * language is told in README.md beside this file. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ip.h"
#include "dns/msg_parse.h"

enum { RPL_ADDRESSES_MAX = 64, RPL_CONFIG_MAX = 200, RPL_PATCHES_MAX = 8 };

/* What of an entry has to agree (MATCH). */
enum rpl_match {
	RPL_MATCH_OPCODE = 1 << 0,
	RPL_MATCH_QTYPE = 1 << 1,
	RPL_MATCH_QNAME = 1 << 2,
	RPL_MATCH_QCASE = 1 << 3,
	RPL_MATCH_SUBDOMAIN = 1 << 4,
	RPL_MATCH_FLAGS = 1 << 5,
	RPL_MATCH_RCODE = 1 << 6,
	RPL_MATCH_TTL = 1 << 7,
	RPL_MATCH_ANSWER = 1 << 8,
	RPL_MATCH_AUTHORITY = 1 << 9,
	RPL_MATCH_ADDITIONAL = 1 << 10,
	RPL_MATCH_EDNS = 1 << 11,
	RPL_MATCH_NO_EDNS = 1 << 12,
	RPL_MATCH_TCP = 1 << 13,
	RPL_MATCH_UDP = 1 << 14,
	RPL_MATCH_EDE = 1 << 15,
	RPL_MATCH_DO = 1 << 16,
	RPL_MATCH_COOKIE = 1 << 17,
	RPL_MATCH_QUESTION = RPL_MATCH_QTYPE | RPL_MATCH_QNAME,
	RPL_MATCH_ALL = RPL_MATCH_OPCODE | RPL_MATCH_QUESTION | RPL_MATCH_FLAGS | RPL_MATCH_RCODE |
			RPL_MATCH_ANSWER | RPL_MATCH_AUTHORITY | RPL_MATCH_ADDITIONAL
};

/* How a packet is made (ADJUST). */
enum rpl_adjust {
	RPL_COPY_ID = 1 << 0,
	RPL_COPY_QUERY = 1 << 1,
	RPL_RAW_ID = 1 << 2,
	RPL_SILENT = 1 << 3,	 /* do_not_answer */
	RPL_WRONG_ID = 1 << 4,	 /* the query's ID + 1 */
	RPL_WRONG_CASE = 1 << 5, /* the question in lower case */
	RPL_NO_EDNS = 1 << 6,	 /* no OPT although the query had one */
	RPL_COOKIE = 1 << 7,	 /* the client's cookie and a server's behind it */
	RPL_WRONG_COOKIE = 1 << 8,
	RPL_ICMP = 1 << 9,  /* no packet: the address cannot be reached */
	RPL_CLOSE = 1 << 10 /* no packet: TCP is closed */
};

struct rpl_rr {
	struct rpl_rr *next;
	const uint8_t *owner, *rdata;
	uint32_t ttl;
	uint16_t type, class, rdlen;
};

struct rpl_patch {
	uint16_t at, len;
	const uint8_t *bytes;
};

/* One message. An entry has one, and one for each EXTRA_PACKET. */
struct rpl_packet {
	struct rpl_packet *next;
	unsigned adjust; /* of enum rpl_adjust */
	uint16_t flags, rcode;
	int ede;
	bool is_do;
	bool has_question_section, has_question;
	struct question q;
	struct rpl_rr *rr[3]; /* by enum dns_section */
	unsigned n_rr[3];
	const uint8_t *raw; /* RAW: the whole message */
	size_t raw_len;
	bool is_raw;
	int delay_ms; /* after the round trip */
	int keep;     /* cut=N: octets kept; -1: all */
	unsigned n_patches;
	struct rpl_patch patches[RPL_PATCHES_MAX];
};

struct rpl_entry {
	struct rpl_entry *next;
	unsigned line;	/* in the file */
	unsigned match; /* of enum rpl_match */
	struct rpl_packet packet;
};

struct rpl_range {
	struct rpl_range *next;
	int from, to;
	unsigned n_addresses;
	struct ip addresses[RPL_ADDRESSES_MAX]; /* none: every one */
	struct rpl_entry *entries;
};

enum rpl_action {
	RPL_QUERY,
	RPL_CHECK_ANSWER,
	RPL_CHECK_NO_ANSWER, /* of the last QUERY, up to now */
	RPL_CHECK_ANSWERS,   /* how many */
	RPL_CHECK_TIME,	     /* how long the last one took, ms */
	RPL_CHECK_SENT,	     /* packets to servers since the last QUERY, or TOTAL */
	RPL_CHECK_OUT_QUERY,
	RPL_CHECK_NO_OUT_QUERY,
	RPL_CHECK_CACHE, /* records that are in the RRset cache */
	RPL_CHECK_NO_CACHE,
	RPL_CHECK_STAT,
	RPL_TIME_PASSES,
	RPL_REPLY,
	RPL_NETWORK_CHANGED,
	RPL_NOTHING
};

enum rpl_compare { RPL_EQ, RPL_LE, RPL_GE, RPL_NE };

struct rpl_step {
	struct rpl_step *next;
	int id;
	unsigned line;
	enum rpl_action action;
	int64_t elapse_ms;
	/* QUERY */
	struct ip client; /* family 0: the usual one */
	bool is_tcp;	  /* CHECK_SENT: only these */
	bool is_udp;
	bool spread; /* each repetition from the next address */
	unsigned repeat;
	/* CHECK_x OP N */
	enum rpl_compare compare;
	uint64_t number;
	bool is_total;
	const char *stat;
	struct ip address;    /* CHECK_SENT: only to it */
	const uint8_t *qname; /* only at or beneath it */
	uint16_t qtype;	      /* only this one; 0: any */
	struct rpl_entry *entry;
};

struct rpl_option {
	unsigned line;
	const char *key, *value, *comment; /* never NULL; without quotes */
};

struct rpl_scenario {
	const char *path, *title;
	struct arena_pool *pool;
	struct arena *arena;
	unsigned n_options;
	struct rpl_option options[RPL_CONFIG_MAX];
	struct rpl_range *ranges;
	struct rpl_step *steps;
};

/* Reads the file. What cannot be read ends the program with exit code 2, told with file and line:
 * a scenario that is not understood must not look like a resolver that fails. */
struct rpl_scenario *rpl_read(const char *path);
void rpl_free(struct rpl_scenario *s);
