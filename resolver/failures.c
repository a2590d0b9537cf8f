/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/failures.h"

#include <string.h>

#include "base/xalloc.h"
#include "resolver/resolver_limits.h"

struct failures_slot {
	uint64_t hash;
	int64_t until_ms;
	uint32_t epoch;
	uint32_t last_s; /* how long it was remembered last */
};

struct failures {
	struct failures_slot slots[RESOLVER_FAILURES];
};

struct failures *failures_new(void)
{
	return xcalloc(1, sizeof(struct failures));
}

void failures_free(struct failures *f)
{
	xfree(f);
}

int64_t failures_left_ms(const struct failures *f, uint64_t hash, uint32_t epoch, int64_t now_ms)
{
	const struct failures_slot *s = &f->slots[hash % RESOLVER_FAILURES];

	if (s->hash != hash || s->epoch != epoch || s->until_ms <= now_ms)
		return 0;
	return s->until_ms - now_ms;
}

uint32_t failures_put(
	struct failures *f, uint64_t hash, bool is_local, uint32_t epoch, int64_t now_ms)
{
	struct failures_slot *s = &f->slots[hash % RESOLVER_FAILURES];
	uint32_t last_s = 0;

	/* It failed again soon after it was tried again. */
	if (s->hash == hash && s->epoch == epoch &&
		now_ms - s->until_ms < (int64_t)RESOLVER_FAILURE_MAX_S * 1000)
		last_s = s->last_s;
	if (is_local)
		last_s = RESOLVER_FAILURE_LOCAL_S;
	else if (last_s < RESOLVER_FAILURE_MIN_S)
		last_s = RESOLVER_FAILURE_MIN_S;
	else
		last_s = last_s * 2 < RESOLVER_FAILURE_MAX_S ? last_s * 2 : RESOLVER_FAILURE_MAX_S;
	*s = (struct failures_slot){
		.hash = hash,
		.until_ms = now_ms + (int64_t)last_s * 1000,
		.epoch = epoch,
		.last_s = last_s,
	};
	return last_s;
}

void failures_del(struct failures *f, uint64_t hash)
{
	struct failures_slot *s = &f->slots[hash % RESOLVER_FAILURES];

	if (s->hash == hash)
		*s = (struct failures_slot){0};
}

void failures_flush(struct failures *f)
{
	memset(f, 0, sizeof(*f));
}
