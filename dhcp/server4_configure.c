/* SPDX-License-Identifier: Apache-2.0 */
/* Pools, devices and names by a snapshot: at start and at each reload. */
#include "base/xalloc.h"
#include "dhcp/server4_state.h"
#include "zones/leasename.h"

static void server4_add_range(struct server4 *s, const struct dhcp_lan *lan,
	const struct dhcp_class *class, const struct dhcp_range *range)
{
	uint32_t mask = dhcp_lan_mask(lan);
	uint32_t low = lan->subnet & mask, high = lan->subnet | ~mask;
	uint32_t first = range->first < low ? low : range->first;
	uint32_t last = range->last > high ? high : range->last;
	unsigned n;

	if (first > last)
		return;
	n = pick_add(s->pick, first, last);
	s->pools = xrealloc(s->pools, (n + 1) * sizeof(*s->pools));
	s->pools[n] = (struct server4_pool){.lan = lan, .class = class};
}

static void server4_add_class_pools(
	struct server4 *s, const struct dhcp_lan *lan, const struct dhcp_class *classes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t p = 0; p < classes[i].n_pools; p++)
			server4_add_range(s, lan, &classes[i], &classes[i].pools[p]);
	}
}

static void server4_block(uint32_t addr, void *arg)
{
	pick_block((struct pick *)arg, addr);
}

/* A class's pool before the lan's: where they overlap the addresses are the class's. */
void server4_build_pools(struct server4 *s)
{
	const struct dhcp_conf *conf = s->conf;

	pick_free(s->pick);
	s->pick = pick_new();
	for (size_t i = 0; i < conf->n_lans; i++) {
		const struct dhcp_lan *lan = &conf->lans[i];

		server4_add_class_pools(s, lan, lan->classes, lan->n_classes);
		server4_add_class_pools(s, lan, conf->classes, conf->n_classes);
		for (size_t p = 0; p < lan->n_pools; p++)
			server4_add_range(s, lan, NULL, &lan->pools[p]);
		if (lan->prefix_len < 31) { /* the network itself and its broadcast address */
			pick_block(s->pick, lan->subnet & dhcp_lan_mask(lan));
			pick_block(s->pick, lan->subnet | ~dhcp_lan_mask(lan));
		}
		pick_block(s->pick, lan->router);
		pick_block(s->pick, lan->address);
	}
	for (size_t i = 0; i < conf->n_own; i++)
		pick_block(s->pick, conf->own[i]);
	reserve_each_address(s->reserve, server4_block, s->pick);
}

void server4_configure(struct server4 *s, const struct dhcp_conf *conf, struct server4_now now)
{
	size_t at = 0;
	struct lease *l;

	server4_watch_clock(s, now);
	s->conf = conf;
	reserve_free(s->reserve);
	s->reserve = reserve_new(conf, &s->opts.key);
	server4_build_pools(s);
	lease_repool(s->leases, s->pick);
	for (struct offer *o = offer_older_first(s->offers, NULL); o;
		o = offer_older_first(s->offers, o))
		pick_take(s->pick, o->addr);
	while (s->is_loaded && (l = lease_walk(s->leases, &at)))
		server4_publish_known(s, l);
}
