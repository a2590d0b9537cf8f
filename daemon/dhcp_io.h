/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The sockets, timers and the way to the disk around dhcp/server4: reads port 67, does what the
 * verdicts say, carries ACKs over the commit thread. Service thread only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dhcp/server4.h"

struct build_dhcp;
struct committer;
struct dhcp_io;
struct iface_list;
struct loop;
struct store;

struct dhcp_io_opts {
	struct loop *loop;
	struct committer *const *committer; /* started behind us */
	const struct iface_list *ifaces;    /* for our MAC addresses; outlives it */
	struct leasename *names;
	bool (*is_name_owned)(void *arg, unsigned domain, const char *label, uint32_t except_addr);
	void *arg;
};

/* Takes conf over. */
struct dhcp_io *dhcp_io_new(const struct dhcp_io_opts *opts, struct build_dhcp *conf);
void dhcp_io_free(struct dhcp_io *d); /* NULL allowed; after committer_stop and its posts */

/* All leases of the store into memory and their names into DNS. *out_n: how many; *out_bad: damaged
 * ones left out. */
MUST_CHECK int dhcp_io_load(struct dhcp_io *d, struct store *s, size_t *out_n, size_t *out_bad);
/* For replies to clients without an address; before privileges are dropped. */
MUST_CHECK int dhcp_io_open_raw(struct dhcp_io *d);
/* Bind port 67 and listen: the last thing of a start. ERR_BUSY, ERR_DENIED. No-op when bound. */
MUST_CHECK int dhcp_io_bind(struct dhcp_io *d);
bool dhcp_io_is_bound(const struct dhcp_io *d);
/* No more packets; what is staged still goes to the disk and out. */
void dhcp_io_unbind(struct dhcp_io *d);
/* Another snapshot; takes conf over and frees the old one. */
void dhcp_io_configure(struct dhcp_io *d, struct build_dhcp *conf);

struct server4 *dhcp_io_server(struct dhcp_io *d);
struct server4_now dhcp_io_now(struct dhcp_io *d);
size_t dhcp_io_pending(const struct dhcp_io *d); /* ACKs on their way */
const struct dhcp_conf *dhcp_io_conf(const struct dhcp_io *d);
