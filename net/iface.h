/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The interfaces and addresses of this host, kept current by netlink. Belongs to one thread (the
 * service thread); others get copies from the daemon.
 *
 * iface_open lists everything at once; iface_start then follows the kernel's events. When events
 * were lost (ENOBUFS) everything is listed again. Nothing here opens or binds sockets: who listens
 * where is the daemon's decision, made in on_change. */
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define IFACE_MAX      512 /* interfaces kept; a host of containers has a few hundred */
#define IFACE_MAX_ADDR 32  /* addresses kept of one interface */

struct iface_addr {
	struct ip ip;
	uint8_t prefix_len; /* bits */
	bool tentative;	    /* IPv6 duplicate detection under way or failed: cannot be bound yet */
	bool deprecated;    /* IPv6: not for new conversations */
};

struct iface {
	uint32_t index;
	char name[IFNAMSIZ];
	uint8_t mac[6]; /* zero where has_mac is not set */
	bool has_mac;
	bool up; /* administratively up and with carrier */
	bool loopback;
	bool point_to_point;
	uint32_t mtu;
	size_t n_addrs;
	struct iface_addr addrs[IFACE_MAX_ADDR];
};

struct loop;
struct iface_list;

/* ERR_IO or ERR_DENIED where netlink does not answer. */
MUST_CHECK int iface_open(struct iface_list **out);
/* on_change is called after a batch of events that changed something, never from inside here. */
MUST_CHECK int iface_start(
	struct iface_list *list, struct loop *l, void (*on_change)(void *arg), void *arg);
void iface_close(struct iface_list *list); /* NULL allowed */

/* In the order of their index; borrowed until the next on_change. */
size_t iface_count(const struct iface_list *list);
const struct iface *iface_at(const struct iface_list *list, size_t i);
const struct iface *iface_by_name(const struct iface_list *list, const char *name); /* or NULL */
const struct iface *iface_by_index(const struct iface_list *list, uint32_t index);  /* or NULL */
/* Is ip one of our addresses? All of 127/8 is. */
bool iface_owns(const struct iface_list *list, const struct ip *ip);
/* The interface with a connected network that ip lies in (longest prefix), or NULL. */
const struct iface *iface_toward(const struct iface_list *list, const struct ip *ip);
/* Counts changes: differs when anything has. */
uint64_t iface_generation(const struct iface_list *list);
/* How often events were lost and everything was listed again. */
uint64_t iface_relists(const struct iface_list *list);
