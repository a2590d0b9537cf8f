/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/stats.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define STATS_ALIGN	    128
#define STATS_LATENCY_SHIFT 7 /* the first bucket ends at 2^7 us */

static const struct {
	const char *name, *help;
} STATS[] = {
#define STATS_ROW(id, text, about) [id] = {text, about},
	STATS_LIST(STATS_ROW)
#undef STATS_ROW
};

/* xalloc aligns to 16; the block's own address is kept in the word before the struct. */
struct stats *stats_new(void)
{
	uint8_t *block = xcalloc(1, sizeof(struct stats) + STATS_ALIGN + sizeof(void *));
	uintptr_t at = ((uintptr_t)block + sizeof(void *) + STATS_ALIGN - 1) &
		       ~(uintptr_t)(STATS_ALIGN - 1);

	((void **)at)[-1] = block;
	return (struct stats *)at;
}

void stats_free(struct stats *s)
{
	if (s)
		xfree(((void **)s)[-1]);
}

void stats_latency(struct stats *s, uint64_t us)
{
	size_t bucket = 0;

	while (bucket + 1 < STATS_LATENCY_BUCKETS && us >= stats_latency_bound_us(bucket))
		bucket++;
	stats_bump(&s->latency[bucket], 1);
	stats_bump(&s->latency_sum_us, us);
}

void stats_sum(struct stats *into, const struct stats *from)
{
	for (size_t i = 0; i < STATS_COUNT; i++)
		into->n[i] += __atomic_load_n(&from->n[i], __ATOMIC_RELAXED);
	for (size_t i = 0; i < STATS_LATENCY_BUCKETS; i++)
		into->latency[i] += __atomic_load_n(&from->latency[i], __ATOMIC_RELAXED);
	into->latency_sum_us += __atomic_load_n(&from->latency_sum_us, __ATOMIC_RELAXED);
}

const char *stats_name(enum stats_counter c)
{
	assert(c < STATS_COUNT);
	return STATS[c].name;
}

const char *stats_help(enum stats_counter c)
{
	assert(c < STATS_COUNT);
	return STATS[c].help;
}

uint64_t stats_latency_bound_us(size_t bucket)
{
	if (bucket + 1 >= STATS_LATENCY_BUCKETS)
		return UINT64_MAX;
	return (uint64_t)1 << (STATS_LATENCY_SHIFT + bucket);
}
