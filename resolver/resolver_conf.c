/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/resolver_conf.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "dns/dname.h"
#include "resolver/acl.h"

static int longer_first(const void *a, const void *b)
{
	const struct resolver_forward *x = a, *y = b;

	return (int)dname_labels(y->zone) - (int)dname_labels(x->zone);
}

void resolver_conf_sort(struct resolver_conf *c)
{
	if (c->n_forwards)
		qsort(c->forwards, c->n_forwards, sizeof(*c->forwards), longer_first);
}

const struct resolver_forward *resolver_conf_forward(
	const struct resolver_conf *c, const uint8_t *name)
{
	for (size_t i = 0; i < c->n_forwards; i++) {
		if (dname_is_under(name, c->forwards[i].zone))
			return &c->forwards[i];
	}
	return NULL;
}

void resolver_conf_free(struct resolver_conf *c)
{
	if (c == NULL)
		return;
	zones_free(c->zones);
	acl_free(c->acl);
	if (c->free_owned)
		c->free_owned(c->owned);
	xfree(c);
}
