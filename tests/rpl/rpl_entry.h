/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an entry of a scenario means: does a query match it, which bytes does it answer with, and is
 * an answer the one it describes. Pure but for the reports. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpl/rpl_scenario.h"

/* A query that arrived at a simulated server. */
struct rpl_asked {
	const struct ip_port *server;
	bool is_tcp;
	const uint8_t *bytes;
	size_t len;
	const struct msg_query *q;
};

bool rpl_entry_matches(const struct rpl_entry *e, const struct rpl_asked *a);
/* Is e a referral or an NXDOMAIN at or above the question's name? Such an entry serves questions
 * that no entry scripts. */
bool rpl_entry_covers(const struct rpl_entry *e, const struct rpl_asked *a);
/* The packet's octets. copy_query: the question is the query's whatever the packet says. Returns
 * the length; 0: nothing at all. */
size_t rpl_entry_write(const struct rpl_packet *p, const struct rpl_asked *a, bool copy_query,
	uint8_t *out, size_t cap);

/* Is wire what the entry describes? Writes what differs to why, which holds RPL_WHY_LEN. */
enum { RPL_WHY_LEN = 8192 };
bool rpl_entry_is(const struct rpl_entry *e, const uint8_t *wire, size_t len, char *why);
