/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/budget.h"

#include <assert.h>

#include "base/xalloc.h"
#include "resolver/resolver_limits.h"
#include "resolver/stats.h"

static const struct {
	uint16_t most;
	enum stats_counter counter;
} BUDGET[BUDGET_ITEMS] = {
	[BUDGET_SENDS] = {RESOLVER_SENDS_MAX, STATS_LIMIT_SENDS},
	[BUDGET_NS_LOOKUPS] = {RESOLVER_NS_LOOKUPS_MAX, STATS_LIMIT_NS_LOOKUPS},
	[BUDGET_NS_NX] = {RESOLVER_NS_NX_MAX, STATS_LIMIT_NS_NX},
	[BUDGET_SIGS] = {RESOLVER_SIGS_MAX, STATS_LIMIT_SIGS},
	[BUDGET_SIG_FAILS] = {RESOLVER_SIG_FAILS_MAX, STATS_LIMIT_SIG_FAILS},
	[BUDGET_HASHES] = {RESOLVER_HASHES_MAX, STATS_LIMIT_HASHES},
	[BUDGET_LINKS] = {RESOLVER_LINKS_MAX, STATS_LIMIT_LINKS},
};

struct budget *budget_new(struct budget_pool *pool, struct stats *stats, int64_t now_ms)
{
	struct budget *b = pool->free;

	if (b)
		pool->free = b->next_free;
	else
		b = xalloc(sizeof(*b));
	*b = (struct budget){
		.n_refs = 1,
		.bytes_left = RESOLVER_BYTES_MAX,
		.deadline_ms = now_ms + RESOLVER_WALL_MS,
		.stats = stats,
	};
	for (int i = 0; i < BUDGET_ITEMS; i++)
		b->left[i] = BUDGET[i].most;
	return b;
}

struct budget *budget_ref(struct budget *b)
{
	b->n_refs++;
	return b;
}

void budget_unref(struct budget_pool *pool, struct budget *b)
{
	if (!b)
		return;
	assert(b->n_refs > 0);
	if (--b->n_refs > 0)
		return;
	b->next_free = pool->free;
	pool->free = b;
}

void budget_pool_fini(struct budget_pool *pool)
{
	struct budget *b;

	while ((b = pool->free)) {
		pool->free = b->next_free;
		xfree(b);
	}
}

/* One count per budget that ran dry, not one per refusal. */
static int budget_refuse(struct budget *b, enum stats_counter counter)
{
	if (!b->is_spent)
		stats_add(b->stats, counter);
	b->is_spent = true;
	return ERR_LIMIT;
}

int budget_take(struct budget *b, enum budget_item item, int64_t now_ms)
{
	if (now_ms >= b->deadline_ms)
		return budget_refuse(b, STATS_LIMIT_WALL);
	if (b->left[item] == 0)
		return budget_refuse(b, BUDGET[item].counter);
	b->left[item]--;
	return 0;
}

void budget_give_back(struct budget *b, enum budget_item item)
{
	assert(b->left[item] < BUDGET[item].most);
	b->left[item]++;
}

int budget_take_bytes(struct budget *b, size_t n)
{
	if (n > b->bytes_left) {
		b->bytes_left = 0;
		return budget_refuse(b, STATS_LIMIT_BYTES);
	}
	b->bytes_left -= (uint32_t)n;
	return 0;
}
