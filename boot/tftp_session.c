/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "boot/tftp_parts.h"
#include "net/loop.h"

/* Room for a few windows: a full send buffer costs a pause. The kernel may give less. */
#define SESSION_SNDBUF (1 << 20)

/* IPv4 and UDP header, TFTP's own: what a packet must leave of the path MTU. */
#define HEADERS4 (20 + 8 + TFTP_DATA_HEAD)
#define HEADERS6 (40 + 8 + TFTP_DATA_HEAD)

/* ---- the socket ---- */

static bool is_link_local6(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/* A new port of the address the client asked, connected to it: nobody else's packets come in, and
 * the kernel answers strangers. */
static int socket_open(
	const struct ip_port *peer, const struct udp_from *from, const struct ip *local)
{
	struct ip_port source = {.ip = *local};
	struct sockaddr_storage sa;
	socklen_t len;
	int fd = socket(peer->ip.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int sndbuf = SESSION_SNDBUF;

	if (fd < 0)
		return -1;
	if (is_link_local6(local))
		source.scope_id = from->ifindex ? from->ifindex : peer->scope_id;
	len = ip_port_to_sockaddr(&source, &sa);
	if (local->family == peer->ip.family && bind(fd, (struct sockaddr *)&sa, len) < 0)
		goto fail;
	len = ip_port_to_sockaddr(peer, &sa);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0)
		goto fail;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	return fd;
fail:
	close(fd);
	return -1;
}

/* Largest block that fits one packet on the way there; ROMs cannot join fragments. */
static uint32_t largest_block(int fd, uint8_t family)
{
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int mtu = 0, headers = family == AF_INET ? HEADERS4 : HEADERS6;
	socklen_t len = sizeof(mtu);

	if (getsockopt(fd, level, family == AF_INET ? IP_MTU : IPV6_MTU, &mtu, &len) < 0 ||
		mtu < TFTP_BLKSIZE_DEFAULT + headers)
		return TFTP_BLKSIZE_DEFAULT;
	return mtu - headers < TFTP_BLKSIZE_MAX ? (uint32_t)(mtu - headers) : TFTP_BLKSIZE_MAX;
}

/* ---- options ---- */

static bool was_asked(const struct tftp_request *req, enum tftp_option option)
{
	for (size_t i = 0; i < req->n_options; i++)
		if (req->order[i] == option)
			return true;
	return false;
}

static uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* What of the wishes is granted: how the transfer will run, and the OACK that says so. */
static void grant(struct tftp_session *s, const struct tftp_request *req, struct transfer_conf *out)
{
	uint64_t granted[TFTP_N_OPTIONS] = {0};

	*out = (struct transfer_conf){.blksize = TFTP_BLKSIZE_DEFAULT,
		.window = 1,
		.oack = req->n_options > 0,
		.file_len = s->file->size};
	if (was_asked(req, TFTP_BLKSIZE))
		out->blksize =
			least(req->value[TFTP_BLKSIZE], largest_block(s->fd, s->peer.ip.family));
	if (was_asked(req, TFTP_WINDOWSIZE))
		out->window = least(req->value[TFTP_WINDOWSIZE],
			least(TFTP_WINDOW_MAX, TFTP_WINDOW_BYTES_MAX / out->blksize));
	if (!out->window)
		out->window = 1;
	if (was_asked(req, TFTP_TIMEOUT))
		out->timeout_s = (uint32_t)req->value[TFTP_TIMEOUT];
	granted[TFTP_BLKSIZE] = out->blksize;
	granted[TFTP_WINDOWSIZE] = out->window;
	granted[TFTP_TIMEOUT] = out->timeout_s;
	granted[TFTP_TSIZE] = s->file->size;
	s->oack_len = (uint16_t)tftp_pkt_write_oack(req, granted, s->oack, sizeof(s->oack));
}

/* ---- life and death ---- */

uint64_t tftp_client_hash(const struct tftp *t, const struct ip *client)
{
	return ip_hash(&t->key, client);
}

static void session_free(struct tftp_session *s)
{
	struct tftp *t = s->tftp;

	*(s->prev ? &s->prev->next : &t->oldest) = s->next;
	*(s->next ? &s->next->prev : &t->newest) = s->prev;
	table_del(&t->clients, &s->node);
	wheel_cancel(loop_wheel(t->loop), &s->timer);
	loop_watch_free(s->watch);
	close(s->fd);
	bootroot_put(s->root, s->file);
	t->counters.retransmits += s->transfer.n_resent;
	t->counters.active--;
	xfree(s);
}

static void session_log(const struct tftp_session *s)
{
	int64_t took_ms = (clock_mono_us() - s->start_us) / 1000;
	char peer[IP_TEXT_LEN], name[128];
	const struct transfer *x = &s->transfer;

	ip_format(&s->peer.ip, peer);
	codec_escape(s->name, strlen(s->name), name, sizeof(name));
	if (x->state == TRANSFER_FINISHED)
		log_limited(LOG_LEVEL_INFO, BOOT_SERVED,
			"%s got %s: %" PRIu64 " bytes in %" PRId64 " ms, blocks of %" PRIu32
			", window %" PRIu32 ", %" PRIu64 " sent again",
			peer, name, s->file->size, took_ms, x->blksize, x->window, x->n_resent);
	else
		log_limited(LOG_LEVEL_INFO, BOOT_UNFINISHED,
			"%s did not get all of %s: block %" PRIu64 " of %" PRIu64
			" was its last, after %" PRId64 " ms",
			peer, name, x->acked, x->n_blocks, took_ms);
}

void tftp_session_end(struct tftp_session *s, const char *text)
{
	uint8_t packet[TFTP_OACK_MAX];

	if (text) {
		size_t len = tftp_pkt_write_error(TFTP_UNDEFINED, text, packet, sizeof(packet));

		(void)!send(s->fd, packet, len, MSG_NOSIGNAL);
		s->transfer.state = TRANSFER_FAILED;
	}
	if (s->transfer.state == TRANSFER_FINISHED)
		s->tftp->counters.finished++;
	else
		s->tftp->counters.failed++;
	/* clients ask for the size alone and break off: no news */
	if (s->transfer.acked)
		session_log(s);
	session_free(s);
}

/* ---- events ---- */

static bool session_step(struct tftp_session *s, const struct transfer_step *step)
{
	int sent;

	switch (step->what) {
	case TRANSFER_SEND_OACK:
		(void)!send(s->fd, s->oack, s->oack_len, MSG_NOSIGNAL);
		return true;
	case TRANSFER_SEND_DATA:
		sent = tftp_send_blocks(s, step->first, step->n);
		if (sent < 0) {
			tftp_session_end(s, "the file changed or cannot be read");
			return false;
		}
		transfer_on_sent(&s->transfer, (uint32_t)sent, clock_mono_us());
		return true;
	case TRANSFER_END:
		tftp_session_end(s, NULL);
		return false;
	case TRANSFER_WAIT:
		wheel_start(loop_wheel(s->tftp->loop), &s->timer, (step->wake_us + 999) / 1000);
		return false;
	}
	return false;
}

void tftp_session_run(struct tftp_session *s)
{
	struct transfer_step step;

	do {
		step = transfer_next(&s->transfer, clock_mono_us());
	} while (session_step(s, &step));
}

static void on_due(struct wheel_timer *timer, int64_t now_ms)
{
	struct tftp_session *s =
		(struct tftp_session *)((uint8_t *)timer - offsetof(struct tftp_session, timer));

	(void)now_ms;
	tftp_session_run(s);
}

static void session_read(struct tftp_session *s)
{
	uint8_t packet[TFTP_OACK_MAX];
	struct tftp_reply reply;

	for (int i = 0; i < TFTP_READS_MAX; i++) {
		ssize_t n = recv(s->fd, packet, sizeof(packet), 0);

		if (n < 0 && errno == ECONNREFUSED)
			transfer_on_unreachable(&s->transfer);
		if (n < 0)
			break;
		if (!tftp_pkt_parse_reply(packet, (size_t)n, &reply))
			transfer_on_reply(&s->transfer, &reply, clock_mono_us());
	}
}

static void on_ready(void *arg, unsigned events, int err)
{
	struct tftp_session *s = arg;

	/* the only ICMP that a connected UDP socket ends for is "port unreachable"; a host that
	 * cannot be reached now may be back in a moment */
	if ((events & LOOP_ERROR) && err == err_from_errno(ECONNREFUSED))
		transfer_on_unreachable(&s->transfer);
	if (events & LOOP_READ)
		session_read(s);
	tftp_session_run(s);
}

struct tftp_session *tftp_session_new(struct tftp *t, const struct udp_from *from,
	const struct ip *bound, const struct tftp_request *req, struct bootfile *file)
{
	const struct ip *local = from->local.family ? &from->local : bound;
	struct ip_port peer = udp_peer(from);
	struct transfer_conf conf;
	struct tftp_session *s;
	int fd = socket_open(&peer, from, local);
	size_t name_len = req->name_len < TFTP_NAME_MAX ? req->name_len : TFTP_NAME_MAX;

	if (fd < 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->watch = loop_watch_new(t->loop, fd, on_ready, s);
	if (!s->watch) {
		close(fd);
		xfree(s);
		return NULL;
	}
	s->tftp = t;
	s->fd = fd;
	s->peer = peer;
	s->root = t->root;
	s->file = file;
	s->gso = true;
	s->timer.on_due = on_due;
	s->start_us = clock_mono_us();
	memcpy(s->name, req->name, name_len);
	grant(s, req, &conf);
	transfer_init(&s->transfer, &conf, s->start_us);
	table_put(&t->clients, &s->node, tftp_client_hash(t, &peer.ip));
	s->prev = t->newest;
	*(t->newest ? &t->newest->next : &t->oldest) = s;
	t->newest = s;
	t->counters.started++;
	t->counters.active++;
	loop_watch_set(s->watch, LOOP_READ);
	return s;
}
