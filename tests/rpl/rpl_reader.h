/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The text of a scenario, line by line, for rpl_read.c and rpl_read_entry.c. Lines come without
 * white space around them, without comments (";" outside quotes) and never empty. */
#include <stdbool.h>
#include <stddef.h>

#include "rpl/rpl_scenario.h"

struct rpl_reader {
	struct rpl_scenario *s;
	char *next; /* in the file's text, which is cut up while it is read */
	unsigned line;
	bool keeps_comments; /* inside the configuration */
};

/* The next line, or NULL at the end; valid for good, may be written to. */
char *rpl_line(struct rpl_reader *r);
/* The next word of *rest, cut off and moved over; NULL when none is left. */
char *rpl_word(char **rest);
void *rpl_take(struct rpl_reader *r, size_t len); /* zeroed, the scenario's */
char *rpl_take_text(struct rpl_reader *r, const char *text);
_Noreturn void rpl_give_up(const struct rpl_reader *r, const char *what, const char *text);

/* From behind ENTRY_BEGIN to ENTRY_END. */
struct rpl_entry *rpl_read_entry(struct rpl_reader *r);
const uint8_t *rpl_read_name(struct rpl_reader *r, const char *text);
uint16_t rpl_read_type(struct rpl_reader *r, const char *text);
