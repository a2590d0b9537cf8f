/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The steps that look: at answers, at what was sent, into the cache, at counters. */
#include <stdbool.h>

#include "rpl/rpl_world.h"

/* Does what step s claims hold? why: RPL_WHY_LEN. Asserts that s is a CHECK step. */
bool rpl_check(struct rpl_world *w, const struct rpl_step *s, char *why);
