/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listen.h"

#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/porthold.h"
#include "daemon/worker.h"
#include "dns/dns_const.h"
#include "net/iface.h"

void listen_init(struct listen *l, struct worker **workers, unsigned n_workers)
{
	*l = (struct listen){.workers = workers, .n_workers = n_workers, .next_id = 1};
}

/* ---- what is wanted ---- */

struct listen_set {
	struct ip_port *out;
	size_t n, cap;
};

static void listen_add(struct listen_set *s, const struct ip *ip)
{
	struct ip_port at = {.ip = *ip, .port = DNS_PORT};

	for (size_t i = 0; i < s->n; i++)
		if (ip_port_equal(&s->out[i], &at))
			return;
	if (s->n < s->cap)
		s->out[s->n++] = at;
}

/* IPv4 addresses inside the lan's subnet, and all of IPv6 that is not link-local. */
static void listen_add_lan(
	struct listen_set *s, const struct config_lan *lan, const struct iface_list *ifaces)
{
	const struct iface *f = iface_by_name(ifaces, lan->interface);

	for (size_t i = 0; f && i < f->n_addrs; i++) {
		const struct iface_addr *a = &f->addrs[i];
		bool is_link_local = a->ip.family == AF_INET6 && a->ip.bytes[0] == 0xfe &&
				     (a->ip.bytes[1] & 0xc0) == 0x80;

		if (a->tentative || is_link_local)
			continue;
		if (a->ip.family == AF_INET && !ip_prefix_has(&lan->subnet, &a->ip))
			continue;
		listen_add(s, &a->ip);
	}
}

size_t listen_want(
	const struct config *c, const struct iface_list *ifaces, struct ip_port *out, size_t cap)
{
	struct listen_set s = {.out = out, .cap = cap};
	const struct ip loopback4 = ip_from4(0x7f000001);
	const struct ip loopback6 = ip_from6((const uint8_t[16]){[15] = 1});

	if (c->dns.n_listen) {
		for (size_t i = 0; i < c->dns.n_listen && s.n < cap; i++)
			out[s.n++] = c->dns.listen[i];
		return s.n;
	}
	listen_add(&s, &loopback4);
	if (iface_owns(ifaces, &loopback6))
		listen_add(&s, &loopback6);
	for (size_t i = 0; i < c->n_lan; i++)
		listen_add_lan(&s, &c->lan[i], ifaces);
	return s.n;
}

/* ---- sockets ---- */

/* SO_REUSEPORT would let us share a port with another lanthornd of the same user: one plain bind
 * first tells whether the port is free. */
static int listen_probe(const struct ip_port *at, bool *is_tcp)
{
	const struct udp_conf conf = {.bind = *at};
	struct udp *u;
	int fd, err;

	*is_tcp = false;
	err = udp_open(&conf, &u);
	if (err)
		return err;
	udp_close(u);
	*is_tcp = true;
	err = tcp_open(at, false, &fd);
	if (err)
		return err;
	close(fd);
	return 0;
}

struct listen_group {
	struct udp *udp[WORKER_MAX];
	int tcp[WORKER_MAX];
	unsigned n;
};

static int listen_open_group(const struct ip_port *at, unsigned n, struct listen_group *g)
{
	const struct udp_conf conf = {.bind = *at, .reuseport = true};
	int err = 0;

	for (g->n = 0; g->n < n && !err; g->n++) {
		g->tcp[g->n] = -1;
		g->udp[g->n] = NULL;
		err = udp_open(&conf, &g->udp[g->n]);
		if (!err)
			err = tcp_open(at, true, &g->tcp[g->n]);
	}
	if (!err && n > 1)
		err = udp_steer(g->udp[0], n, (uint32_t)hash_key_random().k0 | 1);
	for (unsigned i = 0; err && i < g->n; i++) {
		udp_close(g->udp[i]);
		if (g->tcp[i] >= 0)
			close(g->tcp[i]);
	}
	return err;
}

static int listen_open(struct listen *l, struct listen_at *a, bool *is_tcp)
{
	struct listen_group g;
	int err = listen_probe(&a->at, is_tcp);

	if (!err)
		err = listen_open_group(&a->at, l->n_workers, &g);
	if (err)
		return err;
	a->id = l->next_id++;
	for (unsigned i = 0; i < l->n_workers; i++)
		worker_add_socket(l->workers[i], a->id, g.udp[i], g.tcp[i]);
	return 0;
}

static void listen_close(struct listen *l, struct listen_at *a)
{
	for (unsigned i = 0; a->id && i < l->n_workers; i++)
		worker_del_socket(l->workers[i], a->id);
	a->id = 0;
}

/* ---- keeping both together ---- */

static void listen_mark(struct listen *l, const struct ip_port *want, size_t n_want)
{
	for (size_t i = 0; i < l->n; i++)
		l->list[i].is_wanted = false;
	for (size_t w = 0; w < n_want; w++) {
		size_t i = 0;

		while (i < l->n && !ip_port_equal(&l->list[i].at, &want[w]))
			i++;
		if (i == l->n && l->n < LISTEN_MAX)
			l->list[l->n++] = (struct listen_at){.at = want[w]};
		if (i < l->n)
			l->list[i].is_wanted = true;
	}
}

/* True when sockets were closed: the workers do so a moment later. */
static bool listen_drop_unwanted(struct listen *l)
{
	bool has_closed = false;
	char text[IP_TEXT_LEN];
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->list[i].is_wanted) {
			l->list[kept++] = l->list[i];
			continue;
		}
		if (l->list[i].id)
			log_info(DAEMON_UNLISTEN, "DNS is no longer served on %s",
				ip_port_format(&l->list[i].at, text));
		has_closed = has_closed || l->list[i].id;
		listen_close(l, &l->list[i]);
	}
	l->n = kept;
	return has_closed;
}

static void listen_complain(const struct listen_at *a, int err, bool is_tcp)
{
	char at[IP_TEXT_LEN], why[512];

	ip_port_format(&a->at, at);
	if (err == ERR_BUSY)
		log_error(DAEMON_PORT_BUSY, "cannot serve DNS on %s (%s): %s", at,
			is_tcp ? "TCP" : "UDP", porthold_text(&a->at, is_tcp, why, sizeof(why)));
	else if (err == ERR_ABSENT)
		log_warn(DAEMON_LISTEN_ABSENT,
			"%s is not an address of this host yet; DNS is served on it when it comes",
			at);
	else
		log_error(DAEMON_LISTEN_FAILED, "cannot serve DNS on %s: %s", at, err_text(err));
}

int listen_apply(struct listen *l, const struct config *c, const struct iface_list *ifaces)
{
	struct ip_port want[LISTEN_MAX];
	char text[IP_TEXT_LEN];
	bool has_closed;
	int first = 0;

	listen_mark(l, want, listen_want(c, ifaces, want, LISTEN_MAX));
	has_closed = listen_drop_unwanted(l);
	l->is_retry_due = false;
	for (size_t i = 0; i < l->n; i++) {
		struct listen_at *a = &l->list[i];
		bool is_tcp;
		int err;

		if (a->id)
			continue;
		err = listen_open(l, a, &is_tcp);
		if (err == ERR_BUSY)
			l->is_retry_due = true;
		if (err == ERR_BUSY && has_closed)
			continue; /* most likely by a socket of ours on its way out */
		if (!err)
			log_info(
				DAEMON_LISTEN, "DNS is served on %s", ip_port_format(&a->at, text));
		else if (err != a->last_err)
			listen_complain(a, err, is_tcp);
		a->last_err = err;
		if (err && err != ERR_ABSENT && !first)
			first = err;
	}
	return first;
}

size_t listen_open_count(const struct listen *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->list[i].id != 0;
	return n;
}
