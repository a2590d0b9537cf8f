/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who may ask: a list of prefixes, merged into disjoint ranges and searched by halves. Built with
 * the configuration, immutable, read by every worker for every packet. The default list (loopback,
 * connected networks, every lan) is the daemon's to compose. Others get no answer at all: a refusal
 * to a forged source would still be a packet at its victim. */
#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"

struct acl;

/* Copies the prefixes. n 0: nobody may ask. */
struct acl *acl_new(const struct ip_prefix *prefixes, size_t n);
void acl_free(struct acl *a); /* NULL allowed */
/* O(log n), no allocation. An address of no family is not allowed; nor is any by a NULL list. */
bool acl_allows(const struct acl *a, const struct ip *ip);
