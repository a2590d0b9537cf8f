/* SPDX-License-Identifier: Apache-2.0 */
/* Two netlink sockets. One hears the kernel's events and never asks; it is opened first, so that
 * what changes while we list is heard. The other lists: it asks and reads to the end, which takes
 * the kernel some 100 us and no disk or network, so it may be done on the loop. An event says what
 * is, not what changed, so hearing it twice does no harm. */
#include "net/iface.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/xalloc.h"
#include "net/loop.h"

/* <net/if.h> and the kernel's headers do not go together; these two are the same in both. */
#ifndef IFF_RUNNING
#define IFF_RUNNING 0x40
#endif

enum {
	IFACE_EVENT_BUF = 1 << 20, /* some 1,400 events, before a turn of the loop takes them */
	IFACE_LIST_TRIES = 5,	   /* a list that changed while it was read is read again */
	IFACE_EVENT_ROUNDS = 64,   /* datagrams of events taken in one go */
	IFACE_BUF = 32768,	   /* the kernel's largest datagram of a list */
};

struct iface_list {
	struct iface *ifaces; /* by index */
	size_t n, cap;
	uint64_t generation, relists;
	bool has_changed;
	bool is_incomplete; /* an event spoke of something we do not know */
	struct mnl_socket *events;
	struct loop_watch *watch;
	void (*on_change)(void *arg);
	void *arg;
	char buf[IFACE_BUF];
};

/* ---- the list ---- */

/* Where index is or would be. */
static size_t iface_place(const struct iface_list *list, uint32_t index)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (list->ifaces[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct iface *iface_find(const struct iface_list *list, uint32_t index)
{
	size_t i = iface_place(list, index);

	return i < list->n && list->ifaces[i].index == index ? &list->ifaces[i] : NULL;
}

/* NULL when there are too many. */
static struct iface *iface_find_or_add(struct iface_list *list, uint32_t index)
{
	size_t i = iface_place(list, index);

	if (i < list->n && list->ifaces[i].index == index)
		return &list->ifaces[i];
	if (list->n == IFACE_MAX)
		return NULL;
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 8;
		list->ifaces = xrealloc(list->ifaces, list->cap * sizeof(*list->ifaces));
	}
	memmove(&list->ifaces[i + 1], &list->ifaces[i], (list->n - i) * sizeof(*list->ifaces));
	list->n++;
	memset(&list->ifaces[i], 0, sizeof(list->ifaces[i]));
	list->ifaces[i].index = index;
	list->has_changed = true;
	return &list->ifaces[i];
}

static void iface_remove(struct iface_list *list, uint32_t index)
{
	size_t i = iface_place(list, index);

	if (i >= list->n || list->ifaces[i].index != index)
		return;
	list->n--;
	memmove(&list->ifaces[i], &list->ifaces[i + 1], (list->n - i) * sizeof(*list->ifaces));
	list->has_changed = true;
}

/* ---- netlink messages ---- */

static int iface_on_link_attr(const struct nlattr *a, void *arg)
{
	struct iface *i = arg;
	uint16_t type = mnl_attr_get_type(a), len = mnl_attr_get_payload_len(a);

	if (type == IFLA_IFNAME && len > 0 && len <= IFNAMSIZ) {
		memset(i->name, 0, sizeof(i->name));
		memcpy(i->name, mnl_attr_get_payload(a), len - 1u);
	} else if (type == IFLA_MTU && len == sizeof(uint32_t)) {
		i->mtu = mnl_attr_get_u32(a);
	} else if (type == IFLA_ADDRESS && len == sizeof(i->mac)) {
		memcpy(i->mac, mnl_attr_get_payload(a), sizeof(i->mac));
		i->has_mac = !i->loopback;
	}
	return MNL_CB_OK;
}

static void iface_take_link(struct iface_list *list, const struct nlmsghdr *h)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	struct iface *i, old;

	/* A bridge speaks of its ports in the same words: a port that leaves it is not deleted. */
	if (info->ifi_family != AF_UNSPEC)
		return;
	if (h->nlmsg_type == RTM_DELLINK) {
		iface_remove(list, (uint32_t)info->ifi_index);
		return;
	}
	i = iface_find_or_add(list, (uint32_t)info->ifi_index);
	if (!i)
		return;
	memcpy(&old, i, sizeof(old));
	i->up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING);
	i->loopback = info->ifi_flags & IFF_LOOPBACK;
	i->point_to_point = info->ifi_flags & IFF_POINTOPOINT;
	(void)mnl_attr_parse(h, sizeof(*info), iface_on_link_attr, i);
	if (memcmp(&old, i, sizeof(old)) != 0)
		list->has_changed = true;
}

/* What the attributes of an address message tell. */
struct iface_reading {
	struct iface_addr addr;
	size_t len; /* of an address of its family; 0: not a family of ours */
	uint32_t flags;
	bool has_local, has_any;
};

static int iface_on_addr_attr(const struct nlattr *a, void *arg)
{
	struct iface_reading *r = arg;
	uint16_t type = mnl_attr_get_type(a), len = mnl_attr_get_payload_len(a);

	/* On a point-to-point link IFA_ADDRESS is the other end and IFA_LOCAL ours. */
	if ((type == IFA_LOCAL || (type == IFA_ADDRESS && !r->has_local)) && r->len &&
		len == r->len) {
		memcpy(r->addr.ip.bytes, mnl_attr_get_payload(a), len);
		r->has_local = type == IFA_LOCAL;
		r->has_any = true;
	} else if (type == IFA_FLAGS && len == sizeof(uint32_t)) {
		r->flags = mnl_attr_get_u32(a);
	}
	return MNL_CB_OK;
}

/* False when the message is not about an address of a family we know. */
static bool iface_read_addr(const struct nlmsghdr *h, struct iface_addr *out)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
	struct iface_reading r;

	memset(&r, 0, sizeof(r));
	r.len = info->ifa_family == AF_INET ? 4 : info->ifa_family == AF_INET6 ? 16 : 0;
	r.flags = info->ifa_flags;
	(void)mnl_attr_parse(h, sizeof(*info), iface_on_addr_attr, &r);
	r.addr.ip.family = info->ifa_family;
	r.addr.prefix_len = info->ifa_prefixlen;
	r.addr.tentative = ((r.flags & IFA_F_TENTATIVE) && !(r.flags & IFA_F_OPTIMISTIC)) ||
			   (r.flags & IFA_F_DADFAILED);
	r.addr.deprecated = r.flags & IFA_F_DEPRECATED;
	memcpy(out, &r.addr, sizeof(*out)); /* padding too: it is compared as bytes */
	return r.has_any;
}

static void iface_take_addr(struct iface_list *list, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
	struct iface *i = iface_find(list, info->ifa_index);
	struct iface_addr addr;
	size_t at = 0;

	if (!iface_read_addr(h, &addr))
		return;
	if (!i) {
		list->is_incomplete |= h->nlmsg_type == RTM_NEWADDR && list->n < IFACE_MAX;
		return;
	}
	while (at < i->n_addrs && (!ip_equal(&i->addrs[at].ip, &addr.ip) ||
					  i->addrs[at].prefix_len != addr.prefix_len))
		at++;
	if (h->nlmsg_type == RTM_DELADDR) {
		if (at == i->n_addrs)
			return;
		i->n_addrs--;
		memmove(&i->addrs[at], &i->addrs[at + 1], (i->n_addrs - at) * sizeof(addr));
		memset(&i->addrs[i->n_addrs], 0, sizeof(addr));
		list->has_changed = true;
	} else if (at < i->n_addrs ? memcmp(&i->addrs[at], &addr, sizeof(addr)) != 0
				   : at < IFACE_MAX_ADDR) {
		memcpy(&i->addrs[at], &addr, sizeof(addr));
		i->n_addrs += at == i->n_addrs;
		list->has_changed = true;
	}
}

static int iface_on_message(const struct nlmsghdr *h, void *arg)
{
	struct iface_list *list = arg;
	size_t len = mnl_nlmsg_get_payload_len(h);

	if ((h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK) &&
		len >= sizeof(struct ifinfomsg))
		iface_take_link(list, h);
	else if ((h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR) &&
		 len >= sizeof(struct ifaddrmsg))
		iface_take_addr(list, h);
	return MNL_CB_OK;
}

/* ---- listing ---- */

/* Errors as errno, EINTR when the list changed while it was read. */
static int iface_dump(struct iface_list *list, struct mnl_socket *s, uint16_t type)
{
	char request[MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg)] = {0};
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	unsigned portid = mnl_socket_get_portid(s);
	int more = MNL_CB_OK;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = type;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return errno;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(s, list->buf, sizeof(list->buf));

		if (n < 0 && errno == EINTR)
			continue;
		more = n < 0 ? MNL_CB_ERROR
			     : mnl_cb_run(
				       list->buf, (size_t)n, type, portid, iface_on_message, list);
	}
	return more < 0 ? errno : 0;
}

static int iface_list_once(struct iface_list *list)
{
	struct timeval patience = {.tv_sec = 1};
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int e;

	if (!s)
		return errno;
	(void)setsockopt(
		mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	e = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : 0;
	if (!e) {
		list->n = 0;
		list->is_incomplete = false;
		e = iface_dump(list, s, RTM_GETLINK);
	}
	if (!e)
		e = iface_dump(list, s, RTM_GETADDR);
	mnl_socket_close(s);
	return e;
}

/* On failure the list holds what was read; events go on correcting it. */
static int iface_list_all(struct iface_list *list)
{
	int e = 0;

	for (int try = 0; try < IFACE_LIST_TRIES; try++) {
		e = iface_list_once(list);
		if (e != EINTR)
			break;
	}
	list->has_changed = true;
	return e == 0 || e == EINTR ? 0 : err_from_errno(e);
}

/* ---- events ---- */

static struct mnl_socket *iface_open_events(void)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int buf = IFACE_EVENT_BUF;

	if (!s)
		return NULL;
	if (setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &buf, sizeof(buf)) < 0)
		(void)setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUF, &buf, sizeof(buf));
	if (mnl_socket_bind(s, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
		    MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	return s;
}

/* False when events were lost. */
static bool iface_take_events(struct iface_list *list)
{
	for (int round = 0; round < IFACE_EVENT_ROUNDS; round++) {
		ssize_t n = mnl_socket_recvfrom(list->events, list->buf, sizeof(list->buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno != ENOBUFS;
		(void)mnl_cb_run(list->buf, (size_t)n, 0, 0, iface_on_message, list);
	}
	return true;
}

static void iface_on_ready(void *arg, unsigned events, int err)
{
	struct iface_list *list = arg;

	(void)err;
	/* ENOBUFS may have been taken off the socket as its error. */
	if (events & LOOP_ERROR || !iface_take_events(list) || list->is_incomplete) {
		while (!iface_take_events(list))
			;
		list->relists++;
		(void)iface_list_all(list);
	}
	if (!list->has_changed)
		return;
	list->has_changed = false;
	list->generation++;
	list->on_change(list->arg);
}

/* ---- for others ---- */

int iface_open(struct iface_list **out)
{
	struct iface_list *list = xcalloc(1, sizeof(*list));
	int err;

	list->events = iface_open_events();
	err = list->events ? iface_list_all(list) : err_from_errno(errno);
	if (err < 0) {
		iface_close(list);
		return err;
	}
	list->has_changed = false;
	*out = list;
	return 0;
}

int iface_start(struct iface_list *list, struct loop *l, void (*on_change)(void *arg), void *arg)
{
	list->watch = loop_watch_new(l, mnl_socket_get_fd(list->events), iface_on_ready, list);
	if (!list->watch)
		return ERR_LIMIT;
	list->on_change = on_change;
	list->arg = arg;
	loop_watch_set(list->watch, LOOP_READ);
	return 0;
}

void iface_close(struct iface_list *list)
{
	if (!list)
		return;
	loop_watch_free(list->watch);
	if (list->events)
		mnl_socket_close(list->events);
	xfree(list->ifaces);
	xfree(list);
}

size_t iface_count(const struct iface_list *list)
{
	return list->n;
}

const struct iface *iface_at(const struct iface_list *list, size_t i)
{
	return i < list->n ? &list->ifaces[i] : NULL;
}

const struct iface *iface_by_name(const struct iface_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->ifaces[i].name, name) == 0)
			return &list->ifaces[i];
	return NULL;
}

const struct iface *iface_by_index(const struct iface_list *list, uint32_t index)
{
	return iface_find(list, index);
}

bool iface_owns(const struct iface_list *list, const struct ip *ip)
{
	if (ip->family == AF_INET && ip->bytes[0] == 127)
		return true;
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->ifaces[i].n_addrs; k++)
			if (ip_equal(&list->ifaces[i].addrs[k].ip, ip))
				return true;
	return false;
}

/* The network of an address, whose host bits an address has set. */
static bool iface_addr_covers(const struct iface_addr *a, const struct ip *ip)
{
	struct ip_prefix prefix = {.ip = a->ip, .len = a->prefix_len};

	return ip_prefix_has(&prefix, ip);
}

const struct iface *iface_toward(const struct iface_list *list, const struct ip *ip)
{
	const struct iface *best = NULL;
	int best_len = -1;

	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->ifaces[i].n_addrs; k++) {
			const struct iface_addr *a = &list->ifaces[i].addrs[k];

			if (a->prefix_len > best_len && iface_addr_covers(a, ip)) {
				best = &list->ifaces[i];
				best_len = a->prefix_len;
			}
		}
	return best;
}

uint64_t iface_generation(const struct iface_list *list)
{
	return list->generation;
}

uint64_t iface_relists(const struct iface_list *list)
{
	return list->relists;
}
