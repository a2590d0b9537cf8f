/* SPDX-License-Identifier: Apache-2.0 */
/* Name servers without an address: each lookup is a question of its own, taken from the client's
 * budget of such lookups (NXNSAttack). One at a time: IPv4 of every name from a random one on, then
 * IPv6 (the other way round where IPv4 is off or seems down); the first address that comes is used.
 * A name below the zone itself is asked for only when no server has an address: its question then
 * goes to the servers above, which may know after all; if not, it waits for itself and is refused.
 */
#include "base/rand.h"
#include "dns/dname.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"

/* An A or AAAA lookup is done: tag = index of the name server. */
static void iter_on_addr(struct query_sub *s, const struct query_result *out)
{
	struct query *q = s->parent;
	struct delegation_ns *ns = &q->at->ns[s->tag];
	const struct resolver_conf *conf = resolver_conf(q->r);
	size_t n = 0;

	ns->n_pending--;
	for (unsigned i = 0; i < out->n_answer; i++)
		n += delegation_add_addrs(q->at, s->tag, out->answer[i], conf);
	if (out->rcode == DNS_RCODE_NXDOMAIN) {
		ns->n_asked = UINT8_MAX; /* of no family */
		(void)!budget_take(q->budget, BUDGET_NS_NX, resolver_now_ms(q->r));
	}
	if (q->state != ITER_AWAIT_ADDRS)
		return;
	if (n > 0)
		iter_wake(q, ITER_PICK_SERVER);
	else if (ns->n_pending == 0)
		iter_wake(q, ITER_GLUELESS);
}

/* Which types to ask for, in which order. Returns how many. */
static unsigned iter_families(struct query *q, uint16_t types[2])
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	bool is_down = servers_family_is_down(q->r->env.servers, AF_INET, resolver_now_ms(q->r));
	unsigned n = 0;

	if (conf->ipv6 && conf->ipv4 && is_down)
		types[n++] = DNS_TYPE_AAAA;
	if (conf->ipv4)
		types[n++] = DNS_TYPE_A;
	if (conf->ipv6 && n < 2)
		types[n++] = DNS_TYPE_AAAA;
	return n;
}

/* The name server asked about least, from a random one on; -1 when none is left. */
static int iter_choose_ns(struct query *q, unsigned n_families)
{
	const struct delegation *d = q->at;
	unsigned start = d->n_ns > 1 ? rand_below(q->r->env.rand, d->n_ns) : 0;
	int best = -1;

	for (unsigned k = 0; k < d->n_ns; k++) {
		unsigned i = (start + k) % d->n_ns;
		const struct delegation_ns *ns = &d->ns[i];

		if (ns->n_addrs > 0 || ns->n_asked >= n_families ||
			(d->n_addrs > 0 && dname_is_under(ns->name, d->zone)))
			continue;
		if (best < 0 || ns->n_asked < d->ns[best].n_asked)
			best = (int)i;
	}
	return best;
}

enum iter_state iter_glueless(struct query *q)
{
	uint16_t types[2];
	unsigned n_families = iter_families(q, types);
	char text[DNAME_TEXT_MAX];
	int i;

	while (q->budget->left[BUDGET_NS_NX] > 0 && (i = iter_choose_ns(q, n_families)) >= 0) {
		struct delegation_ns *ns = &q->at->ns[i];
		struct query_sub_ask ask = {
			.name = ns->name,
			.type = types[ns->n_asked],
			.on_done = iter_on_addr,
			.tag = (unsigned)i,
			.charge = BUDGET_NS_LOOKUPS,
		};

		ns->n_asked++;
		ITER_TRACE(q, "look for the address of %s", dname_format(ns->name, text));
		if (query_sub_start(q, &ask) == 0) {
			ns->n_pending++;
			return ITER_AWAIT_ADDRS;
		}
	}
	return iter_out_of_servers(q);
}
