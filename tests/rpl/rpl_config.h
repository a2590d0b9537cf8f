/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A scenario's configuration in our own words: lanthorn.yaml with the laboratory switches, read by
 * the daemon's parser and built by the daemon's builder, so that what is played is what a user can
 * configure. */
#include <stdbool.h>
#include <stdint.h>

#include "rpl/rpl_scenario.h"

struct resolver_conf;

/* qname_minimisation is for scenarios that do not say. What cannot be said in our configuration
 * ends the program with exit code 2. */
struct resolver_conf *rpl_config(
	const struct rpl_scenario *s, bool qname_minimisation, bool is_verbose);
/* Does the scenario choose between on and off? */
bool rpl_config_has_minimisation(const struct rpl_scenario *s, bool *out);
/* The clock when it starts, seconds of 1970. */
int64_t rpl_config_wall_s(const struct rpl_scenario *s);
