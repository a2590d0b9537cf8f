/* SPDX-License-Identifier: Apache-2.0 */
/* The message headers of both directions stand ready in arrays that point at the slots. What the
 * kernel leaves as it was is never written again: receiving resets only the control length, and
 * sending fills in the slot and the peer. The slots are a cache line longer than their payload, for
 * at a stride of a power of two the heads of all packets would fall into the same few cache sets.
 *
 * Answers leave through a second socket on the same address, the twin. A socket that an epoll set
 * watches pays for each datagram it sends: when the kernel frees it, it wakes whoever may wait for
 * room to write, which is the epoll set, 190 ns of 1,960 for an echo here. The twin is in no set.
 * It must receive nothing, so it is connected to a port of our own host that nobody sends from. The
 * two share the port by SO_REUSEADDR (not SO_REUSEPORT: the twin must not be in the group that the
 * kernel spreads packets over), which the first loses again before it is used, so that nobody else
 * can bind the port. Where there can be no twin we do without. */
#include "net/udp.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/loop.h"

enum {
	UDP_LINE = 64,
	UDP_RX_STRIDE = UDP_RX_LEN + UDP_LINE,
	UDP_TX_STRIDE = UDP_TX_LEN + UDP_LINE,
	UDP_RCVBUF = 4 << 20, /* a burst of 5,000 queries at the kernel's price of a small packet */
	UDP_CONTROL_LEN = 40, /* one in6_pktinfo with its header */
	UDP_NOBODY_PORT = 1,  /* the twin's peer: privileged, and no client's source port */
};

_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) <= UDP_CONTROL_LEN, "no room for pktinfo");
_Static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) <= UDP_CONTROL_LEN, "no room for pktinfo");

union udp_control {
	struct cmsghdr align;
	uint8_t bytes[UDP_CONTROL_LEN];
};

/* Packets on their way out. */
struct udp_out {
	bool needs_main; /* one has no source of its own: the twin's would be wrong */
	struct mmsghdr hdr[UDP_LATE];
	struct iovec iov[UDP_LATE];
	union udp_control control[UDP_LATE];
	unsigned n;
};

struct udp {
	int fd;
	int tx_fd; /* the twin; or fd */
	int family;
	bool is_wildcard;
	bool tells_dst; /* the kernel says where a packet arrived */
	bool pin_iface;
	socklen_t name_len;
	struct ip_port bound;
	struct loop *loop;
	struct loop_watch *watch;
	struct loop_hook hook;
	udp_batch_fn on_batch;
	void *arg;
	struct udp_stats stats;
	struct udp_batch batch;
	struct mmsghdr rx_hdr[UDP_BATCH];
	struct iovec rx_iov[UDP_BATCH];
	union udp_control rx_control[UDP_BATCH];
	struct udp_from from[UDP_BATCH];
	struct udp_out out;
	struct udp_out late;
	struct udp_from late_to[UDP_LATE];
	uint8_t *rx_mem, *tx_mem, *late_mem; /* as allocated */
	uint8_t *late_first;
};

_Static_assert((int)UDP_BATCH <= (int)UDP_LATE, "a batch must fit struct udp_out");

/* ---- sending ---- */

/* No address that could be a source: the kernel has to choose one. */
static bool udp_is_bare_source(const struct ip *local)
{
	return local->family == 0 || (local->family == AF_INET6 && local->bytes[0] == 0xff);
}

/* Multicast cannot be a source and link-local needs its link. */
static bool udp_needs_iface(const struct udp *u, const struct ip *local)
{
	if (u->pin_iface)
		return true;
	return local->family == AF_INET6 &&
	       (local->bytes[0] == 0xff ||
		       (local->bytes[0] == 0xfe && (local->bytes[1] & 0xc0) == 0x80));
}

/* Makes the packet leave from the address it was sent to. Returns the control length. */
static size_t udp_write_source(
	const struct udp *u, const struct udp_from *to, union udp_control *control)
{
	struct cmsghdr *c = &control->align;
	uint32_t ifindex = udp_needs_iface(u, &to->local) ? to->ifindex : 0;

	if (to->local.family == AF_INET && u->family == AF_INET) {
		struct in_pktinfo info = {.ipi_ifindex = (int)ifindex};

		memcpy(&info.ipi_spec_dst, to->local.bytes, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	if (to->local.family == AF_INET6 && u->family == AF_INET6) {
		struct in6_pktinfo info = {.ipi6_ifindex = ifindex};

		if (!udp_is_bare_source(&to->local))
			memcpy(&info.ipi6_addr, to->local.bytes, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	return 0;
}

static inline void udp_queue(
	struct udp *u, struct udp_out *out, struct udp_from *to, void *bytes, size_t len)
{
	struct msghdr *h = &out->hdr[out->n].msg_hdr;
	struct iovec *iov = &out->iov[out->n];

	iov->iov_base = bytes;
	iov->iov_len = len;
	h->msg_name = &to->peer;
	if (u->is_wildcard) {
		h->msg_controllen = udp_write_source(u, to, &out->control[out->n]);
		h->msg_control = h->msg_controllen ? &out->control[out->n] : NULL;
		out->needs_main |= udp_is_bare_source(&to->local);
	}
	out->n++;
}

/* sendmmsg stops at the first datagram that fails and tells why when asked again: that one is
 * lost, the others go on. A full send buffer is the exception: it would refuse them all. */
static void udp_send_all(struct udp *u, struct udp_out *out)
{
	int fd = out->needs_main ? u->fd : u->tx_fd;
	unsigned done = 0;

	while (done < out->n) {
		int n = sendmmsg(fd, out->hdr + done, out->n - done, MSG_DONTWAIT);

		if (n > 0) {
			u->stats.sent += (unsigned)n;
			done += (unsigned)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			u->stats.send_blocked += out->n - done;
			break;
		} else if (errno == ENOBUFS) {
			u->stats.send_blocked++;
			done++;
		} else if (errno != EINTR) {
			u->stats.send_errors++;
			done++;
		}
	}
	out->n = 0;
	out->needs_main = false;
}

static void udp_on_turn_end(void *arg)
{
	struct udp *u = arg;

	if (u->late.n)
		udp_send_all(u, &u->late);
}

void udp_send(struct udp *u, const struct udp_from *to, const void *bytes, size_t len)
{
	unsigned slot;
	uint8_t *mem;

	if (len > UDP_TX_LEN) {
		u->stats.send_errors++;
		return;
	}
	if (u->late.n == UDP_LATE)
		udp_send_all(u, &u->late);
	slot = u->late.n;
	mem = u->late_first + (size_t)slot * UDP_TX_STRIDE;
	memcpy(mem, bytes, len);
	u->late_to[slot] = *to;
	udp_queue(u, &u->late, &u->late_to[slot], mem, len);
	if (!u->loop)
		udp_send_all(u, &u->late);
}

/* ---- receiving ---- */

static void udp_read_dst(const struct udp *u, struct msghdr *h, struct udp_from *from)
{
	from->local.family = 0;
	from->ifindex = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			from->local = (struct ip){.family = AF_INET};
			memcpy(from->local.bytes, &info.ipi_spec_dst, 4);
			from->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			from->local = (struct ip){.family = AF_INET6};
			memcpy(from->local.bytes, &info.ipi6_addr, 16);
			from->ifindex = info.ipi6_ifindex;
		}
	}
	h->msg_controllen = u->tells_dst ? UDP_CONTROL_LEN : 0;
}

static void udp_take_batch(struct udp *u, unsigned n)
{
	struct udp_batch *b = &u->batch;

	b->n = n;
	u->stats.batches++;
	u->stats.received += n;
	for (unsigned i = 0; i < n; i++) {
		struct msghdr *h = &u->rx_hdr[i].msg_hdr;
		const struct udp_from *from = &u->from[i];

		b->rx[i].len = u->rx_hdr[i].msg_len;
		b->tx_len[i] = 0;
		if (u->tells_dst)
			udp_read_dst(u, h, &u->from[i]);
		/* sin_port and sin6_port lie at the same place. */
		if (h->msg_flags & MSG_TRUNC || from->peer.in.sin_port == 0) {
			b->rx[i].len = 0;
			u->stats.dropped++;
		}
	}
}

static void udp_answer_batch(struct udp *u)
{
	struct udp_batch *b = &u->batch;

	for (size_t i = 0; i < b->n; i++)
		if (b->tx_len[i] && b->tx_len[i] <= UDP_TX_LEN)
			udp_queue(u, &u->out, &u->from[i], b->tx[i], b->tx_len[i]);
	if (u->out.n)
		udp_send_all(u, &u->out);
}

/* A batch that is not full emptied the socket: asking again would cost a call to hear so. */
static void udp_on_ready(void *arg, unsigned events, int err)
{
	struct udp *u = arg;
	int64_t now_ms = loop_now_ms(u->loop);

	(void)err;
	if (events & LOOP_ERROR)
		u->stats.receive_errors++;
	if (!(events & LOOP_READ))
		return;
	for (int round = 0; round < UDP_ROUNDS; round++) {
		int n = recvmmsg(u->fd, u->rx_hdr, UDP_BATCH, MSG_DONTWAIT, NULL);

		if (n <= 0) {
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				u->stats.receive_errors++;
			return;
		}
		udp_take_batch(u, (unsigned)n);
		u->on_batch(u->arg, u, &u->batch, now_ms);
		udp_answer_batch(u);
		if (n < UDP_BATCH)
			return;
	}
}

/* ---- opening ---- */

static bool udp_is_unspecified(const struct ip *ip)
{
	static const uint8_t ZERO[16];

	return memcmp(ip->bytes, ZERO, sizeof(ZERO)) == 0;
}

static int udp_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* What both sockets need to send. */
static int udp_set_sending(int fd, const struct udp_conf *conf)
{
	bool is_v6 = conf->bind.ip.family == AF_INET6;

	if (is_v6 && udp_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
		return -1;
	if (conf->broadcast && udp_set(fd, SOL_SOCKET, SO_BROADCAST, 1) < 0)
		return -1;
	/* A6: never DF, and never believe an ICMP that says paths have become narrow. */
	(void)udp_set(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		is_v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
		is_v6 ? IPV6_PMTUDISC_OMIT : IP_PMTUDISC_OMIT);
	return 0;
}

/* What makes an error is what we could not live without. */
static int udp_set_options(int fd, const struct udp_conf *conf, bool tells_dst)
{
	bool is_v6 = conf->bind.ip.family == AF_INET6;
	int rcvbuf = conf->rcvbuf ? conf->rcvbuf : UDP_RCVBUF;

	if (udp_set_sending(fd, conf) < 0)
		return -1;
	if (conf->reuseport && (udp_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 ||
				       udp_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0))
		return -1;
	if (tells_dst && udp_set(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
				 is_v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1) < 0)
		return -1;
	if (udp_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, rcvbuf) < 0)
		(void)udp_set(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf);
	return 0;
}

/* ---- the twin ---- */

/* Our own end of a conversation with ourselves that will never take place. */
static struct ip_port udp_nobody(const struct ip_port *bound)
{
	struct ip_port nobody = *bound;

	if (udp_is_unspecified(&bound->ip)) {
		nobody.ip.bytes[bound->ip.family == AF_INET ? 3 : 15] = 1;
		if (bound->ip.family == AF_INET)
			nobody.ip.bytes[0] = 127;
	}
	nobody.port = UDP_NOBODY_PORT;
	return nobody;
}

static bool udp_bind_twin(int fd, const struct udp_conf *conf, const struct ip_port *bound)
{
	struct ip_port nobody = udp_nobody(bound);
	struct sockaddr_storage sa;
	socklen_t len = ip_port_to_sockaddr(bound, &sa);

	if (udp_set_sending(fd, conf) < 0 || udp_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
		bind(fd, (struct sockaddr *)&sa, len) < 0)
		return false;
	len = ip_port_to_sockaddr(&nobody, &sa);
	return connect(fd, (struct sockaddr *)&sa, len) == 0;
}

/* The further sockets of a group have to be bound beside this one and its twin, so a group's port
 * can be shared until its sockets start. */
static int udp_open_twin(struct udp *u, const struct udp_conf *conf)
{
	int fd = socket(u->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_from_errno(errno);
	(void)udp_set(u->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (udp_bind_twin(fd, conf, &u->bound))
		u->tx_fd = fd;
	else
		close(fd);
	if (!conf->reuseport)
		(void)udp_set(u->fd, SOL_SOCKET, SO_REUSEADDR, 0);
	return 0;
}

/* Memory for n slots; *out_first is the first, on a cache line of its own. */
static uint8_t *udp_slots(size_t n, size_t stride, uint8_t **out_first)
{
	uint8_t *mem = xalloc(n * stride + UDP_LINE);

	*out_first = mem + (UDP_LINE - (uintptr_t)mem % UDP_LINE) % UDP_LINE;
	return mem;
}

static void udp_init_out(const struct udp *u, struct udp_out *out)
{
	for (unsigned i = 0; i < UDP_LATE; i++) {
		out->hdr[i].msg_hdr = (struct msghdr){
			.msg_iov = &out->iov[i], .msg_iovlen = 1, .msg_namelen = u->name_len};
	}
}

static void udp_init_slots(struct udp *u)
{
	uint8_t *rx, *tx;

	u->rx_mem = udp_slots(UDP_BATCH, UDP_RX_STRIDE, &rx);
	u->tx_mem = udp_slots(UDP_BATCH, UDP_TX_STRIDE, &tx);
	u->late_mem = udp_slots(UDP_LATE, UDP_TX_STRIDE, &u->late_first);
	for (unsigned i = 0; i < UDP_BATCH; i++, rx += UDP_RX_STRIDE, tx += UDP_TX_STRIDE) {
		u->rx_iov[i] = (struct iovec){rx, UDP_RX_LEN};
		u->rx_hdr[i].msg_hdr = (struct msghdr){.msg_name = &u->from[i].peer,
			.msg_namelen = u->name_len,
			.msg_iov = &u->rx_iov[i],
			.msg_iovlen = 1};
		if (u->tells_dst) {
			u->rx_hdr[i].msg_hdr.msg_control = &u->rx_control[i];
			u->rx_hdr[i].msg_hdr.msg_controllen = UDP_CONTROL_LEN;
		}
		u->batch.rx[i] = (struct udp_rx){.bytes = rx, .from = &u->from[i]};
		u->batch.tx[i] = tx;
	}
	udp_init_out(u, &u->out);
	udp_init_out(u, &u->late);
}

static struct udp *udp_make(int fd, const struct udp_conf *conf, bool tells_dst)
{
	struct udp *u = xcalloc(1, sizeof(*u));
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	u->fd = u->tx_fd = fd;
	u->family = conf->bind.ip.family;
	u->is_wildcard = udp_is_unspecified(&conf->bind.ip);
	u->tells_dst = tells_dst;
	u->pin_iface = conf->pin_iface;
	u->name_len =
		u->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	u->bound = conf->bind;
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		u->bound = ip_port_from_sockaddr(&sa);
	udp_init_slots(u);
	return u;
}

int udp_open(const struct udp_conf *conf, struct udp **out)
{
	bool tells_dst = conf->dst || udp_is_unspecified(&conf->bind.ip);
	struct sockaddr_storage sa;
	struct udp *u;
	socklen_t len;
	int fd, err;

	fd = socket(conf->bind.ip.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_from_errno(errno);
	len = ip_port_to_sockaddr(&conf->bind, &sa);
	if (udp_set_options(fd, conf, tells_dst) < 0 || bind(fd, (struct sockaddr *)&sa, len) < 0) {
		err = err_from_errno(errno);
		close(fd);
		return err;
	}
	u = udp_make(fd, conf, tells_dst);
	err = udp_open_twin(u, conf);
	if (err < 0) {
		udp_close(u);
		return err;
	}
	*out = u;
	return 0;
}

int udp_start(struct udp *u, struct loop *l, udp_batch_fn on_batch, void *arg)
{
	u->watch = loop_watch_new(l, u->fd, udp_on_ready, u);
	if (!u->watch)
		return ERR_LIMIT;
	(void)udp_set(u->fd, SOL_SOCKET, SO_REUSEADDR, 0);
	u->loop = l;
	u->on_batch = on_batch;
	u->arg = arg;
	u->hook.fn = udp_on_turn_end;
	u->hook.arg = u;
	loop_on_turn_end(l, &u->hook);
	loop_watch_set(u->watch, LOOP_READ);
	return 0;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	loop_hook_del(&u->hook);
	loop_watch_free(u->watch);
	if (u->tx_fd != u->fd)
		close(u->tx_fd);
	close(u->fd);
	xfree(u->rx_mem);
	xfree(u->tx_mem);
	xfree(u->late_mem);
	xfree(u);
}

/* ---- options of a living socket ---- */

/* (id * key mod 2^32) >> 16 is spread over 0..65535, times n and shifted again over 0..n-1. Offset
 * 0 is the first byte of the UDP payload; a packet too short for an ID goes to the first socket. */
int udp_steer(struct udp *u, unsigned n, uint32_t key)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, key),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, n),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (n == 0 || n > 65535)
		return ERR_RANGE;
	if (setsockopt(u->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0)
		return err_from_errno(errno);
	return 0;
}

int udp_join(struct udp *u, const struct ip *group, uint32_t ifindex)
{
	struct group_req req = {.gr_interface = ifindex};
	struct ip_port at = {.ip = *group};

	if (group->family != u->family)
		return ERR_RANGE;
	(void)ip_port_to_sockaddr(&at, &req.gr_group);
	if (setsockopt(u->fd, u->family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, MCAST_JOIN_GROUP,
		    &req, sizeof(req)) < 0 &&
		errno != EADDRINUSE)
		return err_from_errno(errno);
	return 0;
}

/* ---- small things ---- */

struct ip_port udp_peer(const struct udp_from *from)
{
	struct sockaddr_storage sa = {.ss_family = 0};

	memcpy(&sa, &from->peer, sizeof(from->peer));
	return ip_port_from_sockaddr(&sa);
}

void udp_set_peer(struct udp_from *from, const struct ip_port *peer)
{
	struct sockaddr_storage sa;

	(void)ip_port_to_sockaddr(peer, &sa);
	memcpy(&from->peer, &sa, sizeof(from->peer));
}

struct ip_port udp_bound(const struct udp *u)
{
	return u->bound;
}

const struct udp_stats *udp_stats(const struct udp *u)
{
	return &u->stats;
}
