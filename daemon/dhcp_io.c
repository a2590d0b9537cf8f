/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dhcp_io.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/build.h"
#include "dhcp/commit.h"
#include "net/iface.h"
#include "net/loop.h"
#include "net/rawsock.h"
#include "net/udp.h"
#include "store/leasedb.h"

#define DHCP_IO_SERVER_PORT 67
#define DHCP_IO_CLIENT_PORT 68

struct dhcp_io {
	struct dhcp_io_opts opts;
	struct build_dhcp *conf;
	struct server4 *server;
	struct commit *commit;
	struct udp *udp;
	struct rawsock *raw;
	struct loop_timer *timer;
	struct loop_hook hook;
	struct server4_reply reply; /* turn: the verdict at work */
};

struct server4_now dhcp_io_now(struct dhcp_io *d)
{
	(void)d;
	return (struct server4_now){.mono_ms = clock_boot_ms(), .wall_s = clock_wall_s()};
}

static struct server4_now dhcp_io_commit_now(void *arg)
{
	return dhcp_io_now(arg);
}

/* ---- out ---- */

static void dhcp_io_send_frame(struct dhcp_io *d, const struct server4_reply *r)
{
	const struct ip_port from = {.ip = ip_from4(r->source), .port = DHCP_IO_SERVER_PORT};
	const struct ip_port to = {.ip = ip_from4(r->ip), .port = DHCP_IO_CLIENT_PORT};
	int err = rawsock_send_udp4(
		d->raw, r->ifindex, r->mac, DHCP_MAC_LEN, &from, &to, r->bytes, r->len);

	if (err)
		log_limited(LOG_LEVEL_WARN, DAEMON_DHCP_SEND_FAILED,
			"a DHCP reply could not be sent on interface %u: %s", r->ifindex,
			err_text(err));
}

static void dhcp_io_send(void *arg, const struct server4_reply *r)
{
	struct udp_from to = {.local = ip_from4(r->source), .ifindex = r->ifindex};
	struct ip_port peer = {.ip = ip_from4(r->ip), .port = r->port};
	struct dhcp_io *d = arg;

	if (r->path == SERVER4_TO_LINK) {
		dhcp_io_send_frame(d, r);
		return;
	}
	if (!d->udp)
		return;
	if (r->path == SERVER4_TO_BROADCAST)
		peer = (struct ip_port){
			.ip = ip_from4(INADDR_BROADCAST), .port = DHCP_IO_CLIENT_PORT};
	udp_set_peer(&to, &peer);
	udp_send(d->udp, &to, r->bytes, r->len);
}

static const struct dhcp_lan *dhcp_io_lan(const struct dhcp_io *d, uint32_t ifindex)
{
	for (size_t i = 0; i < d->conf->conf.n_lans; i++)
		if (d->conf->conf.lans[i].ifindex == ifindex)
			return &d->conf->conf.lans[i];
	return NULL;
}

static void dhcp_io_probe(struct dhcp_io *d, const struct server4_reply *r)
{
	const struct iface *f = iface_by_index(d->opts.ifaces, r->ifindex);
	const struct ip target = ip_from4(r->ip);

	/* A probe that does not go is one that nobody answers: the address is offered. */
	if (f && f->has_mac)
		(void)!rawsock_arp_probe(d->raw, r->ifindex, f->mac, &target);
}

static void dhcp_io_do(struct dhcp_io *d, enum server4_verdict v)
{
	switch (v) {
	case SERVER4_SEND:
		dhcp_io_send(d, &d->reply);
		break;
	case SERVER4_STAGE:
		commit_add(d->commit, d->reply.stage);
		break;
	case SERVER4_HOLD:
		dhcp_io_probe(d, &d->reply);
		break;
	case SERVER4_DROP:
	case SERVER4_IDLE:
		break;
	}
}

/* ---- in ---- */

/* A broadcast reached no address of ours in particular: the lan's own stands for it. */
static void dhcp_io_arrival(struct dhcp_io *d, const struct udp_from *from,
	struct server4_arrival *in, struct server4_now now)
{
	const struct ip_port peer = udp_peer(from);
	const struct dhcp_lan *lan = dhcp_io_lan(d, from->ifindex);
	uint32_t local = from->local.family == AF_INET ? ip_to4(&from->local) : 0;
	bool is_ours = false;

	for (size_t i = 0; i < d->conf->conf.n_own; i++)
		is_ours = is_ours || d->conf->conf.own[i] == local;
	*in = (struct server4_arrival){.ifindex = from->ifindex,
		.local = is_ours || !lan ? local : lan->address,
		.peer = peer.ip.family == AF_INET ? ip_to4(&peer.ip) : 0,
		.peer_port = peer.port,
		.is_broadcast = !is_ours,
		.arrived_ms = now.mono_ms};
}

static void dhcp_io_on_batch(void *arg, struct udp *u, struct udp_batch *b, int64_t now_ms)
{
	struct dhcp_io *d = arg;
	struct server4_now now = dhcp_io_now(d);

	(void)u;
	(void)now_ms;
	for (size_t i = 0; i < b->n; i++) {
		struct server4_arrival in;

		if (!b->rx[i].len)
			continue;
		dhcp_io_arrival(d, b->rx[i].from, &in, now);
		dhcp_io_do(d, server4_answer(d->server, b->rx[i].bytes, b->rx[i].len, &in, now,
				      &d->reply));
	}
}

static void dhcp_io_on_arp(void *arg, uint32_t ifindex, const struct rawsock_arp *arp)
{
	struct dhcp_io *d = arg;

	if (arp->sender.family == AF_INET && ip_to4(&arp->sender))
		server4_on_arp(d->server, ifindex, ip_to4(&arp->sender), arp->sender_mac);
}

static void dhcp_io_arm(struct dhcp_io *d, struct server4_now now)
{
	int64_t wait = server4_next_ms(d->server, now) - now.mono_ms;

	loop_timer_start(d->timer, wait > 0 ? wait : 1, 0);
}

static void dhcp_io_on_timer(void *arg)
{
	struct dhcp_io *d = arg;
	struct server4_now now = dhcp_io_now(d);
	enum server4_verdict v;

	while ((v = server4_on_timer(d->server, now, &d->reply)) != SERVER4_IDLE)
		dhcp_io_do(d, v);
	dhcp_io_arm(d, now);
}

/* The turn ends: what was staged in it goes to the disk in one piece. A probe may have been started
 * that is due before the timer. */
static void dhcp_io_on_turn(void *arg)
{
	struct dhcp_io *d = arg;

	commit_flush(d->commit);
	if (d->udp)
		dhcp_io_arm(d, dhcp_io_now(d));
}

/* ---- life ---- */

static int dhcp_io_submit(void *arg, const struct lease_change *changes, size_t n,
	committer_done_fn on_done, void *done_arg)
{
	struct dhcp_io *d = arg;

	return committer_submit(*d->opts.committer, changes, n, on_done, done_arg);
}

struct dhcp_io *dhcp_io_new(const struct dhcp_io_opts *opts, struct build_dhcp *conf)
{
	struct dhcp_io *d = xcalloc(1, sizeof(*d));
	const struct server4_opts server = {.key = hash_key_random(),
		.names = opts->names,
		.is_name_owned = opts->is_name_owned,
		.arg = opts->arg};
	struct commit_opts commit = {.submit = dhcp_io_submit,
		.submit_arg = d,
		.send = dhcp_io_send,
		.send_arg = d,
		.now = dhcp_io_commit_now,
		.now_arg = d};

	d->opts = *opts;
	d->conf = conf;
	d->server = server4_new(&server, &conf->conf, dhcp_io_now(d));
	commit.server = d->server;
	d->commit = commit_new(&commit);
	d->timer = loop_timer_new(opts->loop, dhcp_io_on_timer, d);
	d->hook = (struct loop_hook){.fn = dhcp_io_on_turn, .arg = d};
	loop_on_turn_end(opts->loop, &d->hook);
	return d;
}

void dhcp_io_free(struct dhcp_io *d)
{
	if (!d)
		return;
	dhcp_io_unbind(d);
	loop_hook_del(&d->hook);
	loop_timer_free(d->timer);
	commit_free(d->commit);
	server4_free(d->server);
	rawsock_close(d->raw);
	build_dhcp_free(d->conf);
	xfree(d);
}

struct dhcp_io_loading {
	struct dhcp_io *d;
	struct server4_now now;
	size_t n, n_bad;
};

static int dhcp_io_on_lease(const struct lease_record *record, void *arg)
{
	struct dhcp_io_loading *l = arg;
	int err;

	if (record->ip.family != AF_INET)
		return 0;
	err = server4_load(l->d->server, record, l->now);
	if (err == ERR_LIMIT)
		return err;
	if (err)
		l->n_bad++;
	else
		l->n++;
	return 0;
}

static void dhcp_io_on_bad(const void *key, size_t key_len, void *arg)
{
	struct dhcp_io_loading *l = arg;

	(void)key;
	(void)key_len;
	l->n_bad++;
}

int dhcp_io_load(struct dhcp_io *d, struct store *s, size_t *out_n, size_t *out_bad)
{
	struct dhcp_io_loading l = {.d = d, .now = dhcp_io_now(d)};
	int err = leasedb_each(s, dhcp_io_on_lease, dhcp_io_on_bad, &l);

	server4_loaded(d->server, l.now);
	*out_n = l.n;
	*out_bad = l.n_bad;
	return err;
}

int dhcp_io_open_raw(struct dhcp_io *d)
{
	const struct rawsock_conf conf = {.arg = d, .on_arp = dhcp_io_on_arp};
	int err;

	if (d->raw)
		return 0;
	err = rawsock_open(&d->raw);
	return err ? err : rawsock_start(d->raw, d->opts.loop, &conf);
}

int dhcp_io_bind(struct dhcp_io *d)
{
	const struct udp_conf conf = {.bind = {.ip = ip_from4(0), .port = DHCP_IO_SERVER_PORT},
		.broadcast = true,
		.dst = true,
		.pin_iface = true};
	int err;

	if (d->udp)
		return 0;
	err = dhcp_io_open_raw(d);
	if (!err)
		err = udp_open(&conf, &d->udp);
	if (err)
		return err;
	err = udp_start(d->udp, d->opts.loop, dhcp_io_on_batch, d);
	if (err) {
		udp_close(d->udp);
		d->udp = NULL;
		return err;
	}
	dhcp_io_arm(d, dhcp_io_now(d));
	return 0;
}

bool dhcp_io_is_bound(const struct dhcp_io *d)
{
	return d->udp != NULL;
}

void dhcp_io_unbind(struct dhcp_io *d)
{
	udp_close(d->udp);
	d->udp = NULL;
	loop_timer_stop(d->timer);
}

void dhcp_io_configure(struct dhcp_io *d, struct build_dhcp *conf)
{
	struct build_dhcp *old = d->conf;

	d->conf = conf;
	server4_configure(d->server, &conf->conf, dhcp_io_now(d));
	build_dhcp_free(old);
}

struct server4 *dhcp_io_server(struct dhcp_io *d)
{
	return d->server;
}

size_t dhcp_io_pending(const struct dhcp_io *d)
{
	return commit_pending(d->commit);
}

const struct dhcp_conf *dhcp_io_conf(const struct dhcp_io *d)
{
	return &d->conf->conf;
}
