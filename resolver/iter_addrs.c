/* SPDX-License-Identifier: Apache-2.0 */
/* Name servers without an address: each is a question of its own, two with both families, taken
 * from the client's budget of such lookups (NXNSAttack). One name at a time, from a random one on;
 * the first address that comes is used. A name below the zone itself is not asked for: without glue
 * the way to it leads through itself. */
#include "base/rand.h"
#include "dns/dname.h"
#include "resolver/iter_steps.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"

static bool iter_can_look_up(const struct delegation *d, const struct delegation_ns *ns)
{
	return !ns->is_asked && ns->n_addrs == 0 && !dname_is_under(ns->name, d->zone);
}

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
	if (out->rcode == DNS_RCODE_NXDOMAIN)
		(void)!budget_take(q->budget, BUDGET_NS_NX, resolver_now_ms(q->r));
	if (q->state != ITER_AWAIT_ADDRS)
		return;
	if (n > 0)
		iter_wake(q, ITER_PICK_SERVER);
	else if (ns->n_pending == 0)
		iter_wake(q, ITER_GLUELESS);
}

static int iter_look_up(struct query *q, unsigned i, uint16_t type)
{
	struct query_sub_ask ask = {
		.name = q->at->ns[i].name,
		.type = type,
		.on_done = iter_on_addr,
		.tag = i,
	};
	int err;

	if (q->budget->left[BUDGET_NS_NX] == 0)
		return ERR_LIMIT;
	err = budget_take(q->budget, BUDGET_NS_LOOKUPS, resolver_now_ms(q->r));
	if (err != 0)
		return err;
	err = query_sub_start(q, &ask);
	if (err == 0)
		q->at->ns[i].n_pending++;
	return err;
}

enum iter_state iter_glueless(struct query *q)
{
	struct delegation *d = q->at;
	const struct resolver_conf *conf = resolver_conf(q->r);
	int64_t now_ms = resolver_now_ms(q->r);
	unsigned start = d->n_ns > 1 ? rand_below(q->r->env.rand, d->n_ns) : 0;
	char text[DNAME_TEXT_MAX];

	for (unsigned k = 0; k < d->n_ns; k++) {
		unsigned i = (start + k) % d->n_ns;
		struct delegation_ns *ns = &d->ns[i];

		if (!iter_can_look_up(d, ns))
			continue;
		ns->is_asked = true;
		ITER_TRACE(q, "look for the address of %s", dname_format(ns->name, text));
		if (conf->ipv4)
			(void)!iter_look_up(q, i, DNS_TYPE_A);
		if (conf->ipv6 && (!conf->ipv4 || !servers_family_is_down(
							  q->r->env.servers, AF_INET6, now_ms)))
			(void)!iter_look_up(q, i, DNS_TYPE_AAAA);
		if (ns->n_pending > 0)
			return ITER_AWAIT_ADDRS;
	}
	return iter_out_of_servers(q);
}
