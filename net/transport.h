/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Ask one server one question, once: the interface under resolver/exchange, and the one vtable in
 * the house. net/upstream (sockets), net/stub (c-ares) and the tests' simulated Internet stand
 * behind it. One transport serves one thread.
 *
 * The contract of an implementation:
 * - start either fails (negative, nothing will be called back) or promises exactly one end:
 *   on_reply returned TRANSPORT_TAKE, or on_fail was called, or cancel was called before either.
 * - no callback from inside start or cancel.
 * - on_reply sees only bytes that came from the server's address and port to the port that asked,
 *   12 bytes at least. Whether they answer the question (ID, question, case, QR) is the caller's
 *   verdict: TRANSPORT_WAIT leaves the wait going, so a bad packet never ends it (A11). Each WAIT
 *   also costs the local port its future: it is not used again.
 * - an ICMP error does not end the wait either: it only cuts it to TRANSPORT_ICMP_GRACE_MS. A true
 *   answer within that time wins; then on_fail says ERR_UNREACHABLE. (It quotes our random port, so
 *   it is as hard to forge as an answer is; but a forged answer must win the ID too.)
 * - no retries, no other server, no change from UDP to TCP: all that is the caller's budget. One
 *   exception: an ask put on an idle TCP connection that the server was about to close is put on
 *   a fresh one, once, within its own time.
 * - a callback may start and cancel asks, its own handle too (which has no effect in on_fail). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define TRANSPORT_ICMP_GRACE_MS 100 /* a LAN's or metropolitan RTT; a dead server costs no more */

enum transport_verdict {
	TRANSPORT_TAKE, /* this is it: done */
	TRANSPORT_WAIT, /* not an answer to the question: go on waiting */
};

struct transport_ask {
	struct ip_port server;
	/* A whole message, 12 bytes at least; the first two are the ID. Needed during start only:
	 * it is sent or copied by the time start returns. */
	const uint8_t *query;
	size_t query_len;
	bool tcp;
	int timeout_ms; /* > 0; from start to on_fail(ERR_TIMEOUT), connecting included */
	void *arg;
	/* bytes: without TCP's length field, borrowed until the callback returns. */
	enum transport_verdict (*on_reply)(void *arg, const uint8_t *bytes, size_t len);
	/* err: ERR_TIMEOUT, ERR_UNREACHABLE, ERR_CLOSED (TCP), ERR_MALFORMED (TCP framing). */
	void (*on_fail)(void *arg, int err);
};

struct transport;
struct transport_ops {
	int (*start)(struct transport *t, const struct transport_ask *ask, uint64_t *out_handle);
	void (*cancel)(struct transport *t, uint64_t handle);
};
/* First member of every implementation. */
struct transport {
	const struct transport_ops *ops;
};

/* *out_handle is never 0. Fails with ERR_LIMIT (sockets used up: shed or try later),
 * ERR_UNREACHABLE (no route, family switched off), ERR_DENIED (firewall), ERR_IO. */
MUST_CHECK static inline int transport_start(
	struct transport *t, const struct transport_ask *ask, uint64_t *out_handle)
{
	return t->ops->start(t, ask, out_handle);
}

/* Nothing is called back for it any more. No-op for a handle that has ended, and for 0. */
static inline void transport_cancel(struct transport *t, uint64_t handle)
{
	t->ops->cancel(t, handle);
}
