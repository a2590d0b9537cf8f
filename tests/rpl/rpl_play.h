/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Plays a scenario step by step and judges it. */
#include <stdbool.h>
#include <stdint.h>

#include "rpl/rpl_entry.h"

struct rpl_play_options {
	uint64_t seed; /* of everything random */
	bool is_verbose;
};

/* True when it went as the scenario says; else why (RPL_WHY_LEN) tells where it did not. Without a
 * word on QNAME minimisation in the scenario it is played with and without. */
bool rpl_play(const struct rpl_scenario *s, const struct rpl_play_options *o, char *why);
