/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/resolver.h"

#include <assert.h>

#include "base/rcu.h"
#include "base/xalloc.h"
#include "dns/crypto.h"
#include "dns/rrsig.h"
#include "resolver/failures.h"
#include "resolver/query_state.h"
#include "resolver/query_table.h"
#include "resolver/resolver_conf.h"
#include "resolver/resolver_limits.h"
#include "resolver/scout.h"
#include "resolver/scrub.h"
#include "resolver/servers.h"

enum {
	RESOLVER_CHUNK = 16 * 1024, /* one chunk holds all of a plain miss */
	RESOLVER_CHUNKS_KEPT = 512,
	RESOLVER_SCRATCH = 64 * 1024
};

struct resolver *resolver_new(const struct resolver_env *env)
{
	struct resolver *r = xcalloc(1, sizeof(*r));

	assert(env->rrsets && env->servers && env->wheel && env->rand && env->stats && env->conf);
	r->env = *env;
	if (r->env.max_queries == 0)
		r->env.max_queries = RESOLVER_QUERIES_MAX;
	rand_bytes(r->env.rand, &r->key, sizeof(r->key));
	r->arenas = arena_pool_new(RESOLVER_CHUNK, RESOLVER_CHUNKS_KEPT);
	r->queries = query_table_new();
	r->scouts = scout_table_new(r);
	r->failures = failures_new();
	r->scratch = xalloc(RESOLVER_SCRATCH);
	r->out = xalloc(RESOLVER_SCRATCH);
	r->local = xalloc(ZONES_BLOCK_LEN);
	r->in = xalloc(RESOLVER_SCRATCH);
	r->msg = xalloc(sizeof(*r->msg));
	r->scrubbed = xalloc(sizeof(*r->scrubbed));
	r->crypto = crypto_new();
	r->signed_data = xalloc(RRSIG_SCRATCH_MAX);
	if (!r->crypto) {
		resolver_free(r);
		return NULL;
	}
	return r;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	while (r->queries->all)
		query_free(r->queries->all);
	query_table_free(r->queries);
	scout_table_free(r->scouts);
	failures_free(r->failures);
	arena_pool_free(r->arenas);
	xfree(r->scratch);
	xfree(r->out);
	xfree(r->local);
	xfree(r->in);
	xfree(r->msg);
	xfree(r->scrubbed);
	crypto_free(r->crypto);
	xfree(r->signed_data);
	xfree(r);
}

const struct resolver_conf *resolver_conf(const struct resolver *r)
{
	return rcu_get(r->env.conf);
}

size_t resolver_live(const struct resolver *r)
{
	return query_table_count(r->queries);
}

void resolver_network_changed(struct resolver *r)
{
	servers_forget_failures(r->env.servers);
	failures_flush(r->failures);
	r->prime_after_ms = 0;
}
