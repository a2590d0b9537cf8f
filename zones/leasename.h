/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Names of DHCP clients: label -> addresses and address -> label, an RCU map written by the
 * service thread right after the durable commit and right before the ACK leaves (promise 1), read
 * by every worker without a lock. Bounded by LEASENAME_MAX. First holder of a name keeps it
 * (DESIGN, decision 7). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define LEASENAME_MAX	1000000 /* entries; more than any LAN has leases, so memory stays bounded */
#define LEASENAME_ADDRS 8	/* addresses one label may hold (v4 and v6 of one device) */

struct leasename;
struct leasename *leasename_new(void);
void leasename_free(struct leasename *n);

/* Service thread only. domain: index of the lease zone (0: the global domain; lan domains follow in
 * the order of zones_conf.lan_domains). owner: identity of the device (hash of client-id/DUID or
 * MAC): the same owner may hold several addresses. ERR_EXISTS: another owner holds the label. */
MUST_CHECK int leasename_put(struct leasename *n, unsigned domain, const char *label,
	const struct ip *ip, uint64_t owner, int64_t expires_wall_s);
void leasename_del(struct leasename *n, const struct ip *ip); /* name and PTR vanish together */
/* Who holds it: 0 and *owner, or ERR_ABSENT. */
MUST_CHECK int leasename_owner(
	const struct leasename *n, unsigned domain, const char *label, uint64_t *owner);

/* Any thread inside an RCU read section. Both copy out. */
struct leasename_hit {
	unsigned n_addrs;
	struct ip addrs[LEASENAME_ADDRS];
	int64_t expires[LEASENAME_ADDRS];
};
bool leasename_find(const struct leasename *n, unsigned domain, const uint8_t *label,
	size_t label_len, struct leasename_hit *out);
bool leasename_find_ip(const struct leasename *n, const struct ip *ip, char label[64],
	unsigned *domain, int64_t *expires_wall_s);
size_t leasename_count(const struct leasename *n);
