/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rcu.h"

#include <urcu/urcu-memb.h>

#include "base/rcu_tsan.h"

/* Only its address counts: what ThreadSanitizer takes for the grace periods. */
static const char RCU_TSAN_GRACE;

#ifdef RCU_TSAN
const char *__tsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:liburcu-memb.so\ncalled_from_lib:liburcu-common.so\n";
}
#endif

_Static_assert(sizeof(((struct rcu_later *)0)->opaque) >= sizeof(struct rcu_head),
	"struct rcu_later has no room for liburcu's head");

void rcu_thread_register(void)
{
	urcu_memb_register_thread();
}

void rcu_thread_unregister(void)
{
	urcu_memb_unregister_thread();
}

void rcu_enter(void)
{
	urcu_memb_read_lock();
}

void rcu_leave(void)
{
	RCU_TSAN_RELEASE(&RCU_TSAN_GRACE);
	urcu_memb_read_unlock();
}

void rcu_publish(void **where, void *object)
{
	__atomic_store_n(where, object, __ATOMIC_RELEASE);
}

void *rcu_get(void *const *where)
{
	return __atomic_load_n(where, __ATOMIC_ACQUIRE);
}

static void rcu_run_later(struct rcu_head *head)
{
	struct rcu_later *node = (struct rcu_later *)head;

	RCU_TSAN_ACQUIRE(&RCU_TSAN_GRACE);
	node->fn(node->object);
}

void rcu_free_later(struct rcu_later *node, void (*fn)(void *object), void *object)
{
	node->fn = fn;
	node->object = object;
	RCU_TSAN_RELEASE(&RCU_TSAN_GRACE);
	urcu_memb_call_rcu((struct rcu_head *)node->opaque, rcu_run_later);
}

void rcu_barrier_all(void)
{
	urcu_memb_barrier();
	RCU_TSAN_ACQUIRE(&RCU_TSAN_GRACE);
}
