/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/qmin.h"

#include "dns/dname.h"
#include "resolver/resolver_limits.h"

const uint8_t *qmin_next(struct qmin *m, const uint8_t *name)
{
	unsigned all = dname_labels(name), left, add = 1;
	const uint8_t *next;

	if (m->labels >= all || m->is_off || m->steps >= RESOLVER_QMIN_STEPS) {
		m->labels = (uint8_t)all;
		return name;
	}
	left = all - m->labels;
	if (m->steps >= RESOLVER_QMIN_SINGLE) {
		unsigned steps_left = RESOLVER_QMIN_STEPS - m->steps;

		add = (left + steps_left - 1) / steps_left;
	}
	m->steps++;
	m->labels = (uint8_t)(m->labels + add);
	next = dname_suffix(name, m->labels);
	while (m->labels < all && next[0] > 0 && next[1] == '_') {
		m->labels++;
		next = dname_suffix(name, m->labels);
	}
	return next;
}
