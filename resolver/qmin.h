/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* QNAME minimisation, RFC 9156: which ancestor of the wanted name is asked for next below a zone
 * cut. The first RESOLVER_QMIN_SINGLE steps add a label each; the rest is spread over what remains
 * of RESOLVER_QMIN_STEPS, so that a name of 127 labels costs no more than one of 11. A label that
 * begins with an underscore is never asked for alone: no zone is cut there, and many servers
 * answer such ancestors wrongly. Pure. */
#include <stdbool.h>
#include <stdint.h>

struct qmin {
	uint8_t labels; /* of the name asked last; the zone's own at first */
	uint8_t steps;	/* taken for this question, over all its zones and aliases */
	bool is_off;	/* the whole name from now on: a server broke on a part of it */
};

/* The cut has moved to a zone of so many labels. */
static inline void qmin_rebase(struct qmin *m, unsigned zone_labels)
{
	m->labels = (uint8_t)zone_labels;
}

/* The next ancestor of name (or name itself) to ask for; borrowed from name. Moves m on. */
const uint8_t *qmin_next(struct qmin *m, const uint8_t *name);
