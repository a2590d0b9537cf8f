/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From the configuration and what the host looks like to the immutable snapshots that the rooms
 * read: resolver_conf (with its zones and access list), dhcp_conf, boot_conf. Pure but for the
 * files that the configuration names (hosts, devices, root hints), which may block: a pool job's
 * work. Trouble with those files is a warning at the place of the key; the rest is served. Nothing
 * here keeps state but struct build_domains. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "boot/bootpolicy.h"
#include "daemon/config.h"
#include "dhcp/dhcp_conf.h"
#include "resolver/resolver_conf.h"

#define BUILD_DOMAINS_MAX 64	      /* different lan.NAME.domain since the start */
#define BUILD_FILE_MAX	  (64u << 20) /* one hosts or devices file */

struct iface;
struct iface_list;
struct leasename;

/* The lease zones in a fixed order, so that an index means the same for as long as we run: 0 is
 * `domain`, the rest in order of first use. Service thread. */
struct build_domains {
	size_t n;
	char *names[BUILD_DOMAINS_MAX];
};
void build_domains_fini(struct build_domains *d);
/* Takes in every lan's domain. Past the limit a lan's names go to the global domain (with a
 * warning). */
void build_domains_add(struct build_domains *d, const struct config *c, struct config_report *rep);

/* What the build needs to know of the host, copied so that a pool job can read it. */
struct build_host {
	size_t n_ifaces;
	struct iface *ifaces;
	char name[64]; /* first label of the host's name, lower case */
};
void build_host_read(const struct iface_list *ifaces, struct build_host *out);
void build_host_fini(struct build_host *h);
/* The index of the lan's interface, 0 when it is not there; *address: our first IPv4 address on it
 * inside the lan's subnet, host order, 0 when there is none. */
uint32_t build_host_lan(
	const struct build_host *h, const struct config_lan *lan, uint32_t *address);

/* The zones alone. *out is set in either case. */
MUST_CHECK int build_zones(const struct config *c, const struct build_host *h,
	const struct build_domains *domains, struct leasename *leases, struct config_report *rep,
	struct zones **out);
/* ERR_MALFORMED: root hints or a record that cannot be used, told in rep. */
MUST_CHECK int build_resolver(const struct config *c, const struct build_host *h,
	const struct build_domains *domains, struct leasename *leases, uint32_t generation,
	struct config_report *rep, struct resolver_conf **out);

/* A dhcp_conf with the memory behind it. */
struct build_dhcp {
	struct dhcp_conf conf;
	struct arena_pool *pool;
	struct arena *arena;
};
MUST_CHECK int build_dhcp(const struct config *c, const struct build_host *h,
	const struct build_domains *domains, struct config_report *rep, struct build_dhcp **out);
void build_dhcp_free(struct build_dhcp *b);

/* One block; free with xfree. */
struct boot_conf *build_boot(const struct config *c);

/* The whole file, xalloc'd with a NUL behind it. ERR_ABSENT, ERR_DENIED, ERR_LIMIT, ERR_IO. */
MUST_CHECK int build_read_file(const char *path, char **out, size_t *out_len);
