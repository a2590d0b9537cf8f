/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Read-copy-update, liburcu's memb flavour, wrapped so that no other file sees it.
 * Threads that read register once; a read section covers a packet batch or a timer
 * turn. Never synchronise on a loop: hand old objects to rcu_free_later. */
#include <stddef.h>

void rcu_thread_register(void);
void rcu_thread_unregister(void);
void rcu_enter(void); /* nests */
void rcu_leave(void);

/* Publish and read a pointer to an immutable object. */
void rcu_publish(void **where, void *object);
void *rcu_get(void *const *where); /* inside a read section */

/* Calls fn(object) on a helper thread after every current reader has left. The node is inside the
 * object or freed by fn. */
struct rcu_later {
	void *opaque[2]; /* struct rcu_head */
	void (*fn)(void *object);
	void *object;
};
/* Any registered thread, inside a read section or not; never blocks. */
void rcu_free_later(struct rcu_later *node, void (*fn)(void *object), void *object);
/* Waits until everything handed to rcu_free_later ran. Shutdown and tests only;
 * never inside a read section. */
void rcu_barrier_all(void);
