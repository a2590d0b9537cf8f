/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/prime.h"

#include "dns/dns_const.h"
#include "resolver/query_state.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"

void prime_start(struct resolver *r)
{
	int64_t now_ms = resolver_now_ms(r);

	if (!resolver_conf(r)->prime || now_ms < r->prime_after_ms)
		return;
	r->prime_after_ms = now_ms + RESOLVER_PRIME_RETRY_MS;
	stats_add(r->env.stats, STATS_PRIMED);
	query_sub_detached(r, (const uint8_t *)"", DNS_TYPE_NS);
}
