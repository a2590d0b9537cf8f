/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Priming, RFC 9609: when the root's own servers are known from hints only, the root is asked for
 * them, in the background; the query that noticed goes on with the hints meanwhile. At most once in
 * RESOLVER_PRIME_RETRY_MS per worker. */
struct resolver;

void prime_start(struct resolver *r);
