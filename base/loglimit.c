/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loglimit.h"

static uint32_t loglimit_over(uint32_t n_seen, uint32_t most)
{
	return n_seen > most ? n_seen - most : 0;
}

/* Two threads that open a new window at once: one wins the exchange and resets the count; the
 * other's event is then counted in either window. Off by one at worst, and never unbounded. */
enum loglimit_verdict loglimit_admit(
	struct loglimit *l, int64_t now_ms, uint32_t most, uint32_t *out_dropped)
{
	int64_t began = __atomic_load_n(&l->window_ms, __ATOMIC_RELAXED);
	uint32_t seen;

	*out_dropped = 0;
	if (began == 0 || now_ms + 1 - began >= LOGLIMIT_WINDOW_MS) {
		if (__atomic_compare_exchange_n(&l->window_ms, &began, now_ms + 1, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			seen = __atomic_exchange_n(&l->n_seen, 0, __ATOMIC_RELAXED);
			*out_dropped = loglimit_over(seen, most);
		}
	}
	seen = __atomic_load_n(&l->n_seen, __ATOMIC_RELAXED);
	if (seen < UINT32_MAX - 1024) /* stays at the top rather than starting over */
		seen = __atomic_add_fetch(&l->n_seen, 1, __ATOMIC_RELAXED);
	if (seen > most)
		return LOGLIMIT_DROP;
	return seen == most ? LOGLIMIT_LAST : LOGLIMIT_WRITE;
}

uint32_t loglimit_flush(struct loglimit *l, uint32_t most)
{
	__atomic_store_n(&l->window_ms, 0, __ATOMIC_RELAXED);
	return loglimit_over(__atomic_exchange_n(&l->n_seen, 0, __ATOMIC_RELAXED), most);
}
