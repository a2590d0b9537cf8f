/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A LAN in one thread: a server4 with a configuration, a clock that tests move, a disk that tests
 * let fail or lag, and clients that write and read messages. No socket, no file, no sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rcu.h"
#include "base/xalloc.h"
#include "dhcp/dhcp_const.h"
#include "dhcp/pkt4_parse.h"
#include "dhcp/server4.h"
#include "zones/leasename.h"

#define IP4(a, b, c, d)                                                                            \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define UNUSED __attribute__((unused))

enum { FAKE_IF = 7, FAKE_IF_B = 8, FAKE_LANS = 4, FAKE_DISK = 4096 };

/* The house: br0 10.77.0.0/24 with a pool of 20, and behind relays far 10.78.0.0/24. */
#define FAKE_SERVER  IP4(10, 77, 0, 1)
#define FAKE_POOL_LO IP4(10, 77, 0, 100)
#define FAKE_POOL_HI IP4(10, 77, 0, 119)
#define FAKE_RELAY   IP4(10, 77, 0, 2)
#define FAKE_FAR_GW  IP4(10, 78, 0, 1)

struct fake_lan {
	struct server4 *s;
	struct server4_opts opts;
	struct dhcp_conf conf;
	struct dhcp_lan lans[FAKE_LANS];
	struct dhcp_range pool, far_pool;
	uint32_t own[4], relays[4];
	struct server4_now now;
	struct leasename *names;
	struct lease_record *disk; /* what was committed, by address */
	size_t n_disk;
	int commit_err;	   /* given to the next commits */
	const char *owned; /* label the configuration has */
	struct server4_reply out;
	enum server4_verdict verdict; /* of the last packet, after the commit */
	bool was_staged;
};

UNUSED static bool fake_is_owned(
	void *arg, unsigned domain, const char *label, uint32_t except_addr)
{
	struct fake_lan *f = arg;

	(void)domain;
	(void)except_addr;
	return f->owned && strcmp(f->owned, label) == 0;
}

UNUSED static void fake_conf(struct fake_lan *f)
{
	memset(f, 0, sizeof(*f));
	f->pool = (struct dhcp_range){FAKE_POOL_LO, FAKE_POOL_HI};
	f->far_pool = (struct dhcp_range){IP4(10, 78, 0, 50), IP4(10, 78, 0, 69)};
	f->own[0] = FAKE_SERVER;
	f->relays[0] = FAKE_RELAY;
	f->relays[1] = FAKE_FAR_GW;
	f->lans[0] = (struct dhcp_lan){.name = "br0",
		.ifindex = FAKE_IF,
		.address = FAKE_SERVER,
		.wire = 0,
		.subnet = IP4(10, 77, 0, 0),
		.prefix_len = 24,
		.pools = &f->pool,
		.n_pools = 1,
		.router = IP4(10, 77, 0, 254),
		.domain = "lab.test",
		.lease_s = 3600,
		.min_lease_s = 120,
		.max_lease_s = 86400,
		.authoritative = true,
		.rapid_commit = true};
	f->lans[1] = f->lans[0];
	f->lans[1].name = "far";
	f->lans[1].ifindex = 0;
	f->lans[1].address = 0;
	f->lans[1].wire = 1;
	f->lans[1].subnet = IP4(10, 78, 0, 0);
	f->lans[1].pools = &f->far_pool;
	f->lans[1].router = FAKE_FAR_GW;
	f->lans[1].relays = f->relays;
	f->lans[1].n_relays = 2;
	f->conf = (struct dhcp_conf){.lans = f->lans, .n_lans = 2, .own = f->own, .n_own = 1};
	f->now = (struct server4_now){.mono_ms = 1000000, .wall_s = 1790000000};
	f->opts = (struct server4_opts){.key = {1, 2}, .is_name_owned = fake_is_owned, .arg = f};
}

UNUSED static void fake_start(struct fake_lan *f)
{
	f->names = leasename_new();
	f->opts.names = f->names;
	f->disk = xcalloc(FAKE_DISK, sizeof(*f->disk));
	f->s = server4_new(&f->opts, &f->conf, f->now);
	server4_loaded(f->s, f->now);
}

UNUSED static void fake_stop(struct fake_lan *f)
{
	server4_free(f->s);
	leasename_free(f->names);
	xfree(f->disk);
}

/* As by kill -9: only what the disk has comes back. */
UNUSED static void fake_restart(struct fake_lan *f)
{
	server4_free(f->s);
	leasename_free(f->names);
	f->names = leasename_new();
	f->opts.names = f->names;
	f->s = server4_new(&f->opts, &f->conf, f->now);
	for (size_t i = 0; i < f->n_disk; i++)
		assert_int_equal(0, server4_load(f->s, &f->disk[i], f->now));
	server4_loaded(f->s, f->now);
}

/* ---- disk ---- */

UNUSED static struct lease_record *fake_stored(struct fake_lan *f, uint32_t addr)
{
	for (size_t i = 0; i < f->n_disk; i++) {
		if (ip_to4(&f->disk[i].ip) == addr)
			return &f->disk[i];
	}
	return NULL;
}

UNUSED static void fake_write(struct fake_lan *f, const struct server4_stage *st)
{
	size_t n;
	const struct lease_change *changes = server4_changes(st, &n);

	for (size_t i = 0; i < n; i++) {
		const struct lease_record *rec = changes[i].record;
		struct lease_record *at = fake_stored(f, ip_to4(&rec->ip));
		uint8_t bytes[LEASEDB_BYTES_MAX];
		size_t len;

		assert_int_equal(LEASE_PUT, changes[i].op);
		assert_int_equal(0, leasedb_write(rec, bytes, sizeof(bytes), &len));
		if (!at) {
			assert_true(f->n_disk < FAKE_DISK);
			at = &f->disk[f->n_disk++];
		}
		*at = *rec;
	}
}

UNUSED static void fake_commit(struct fake_lan *f, struct server4_stage *st)
{
	int err = f->commit_err;

	if (err == 0)
		fake_write(f, st);
	f->verdict = server4_committed(f->s, st, err, f->now, &f->out);
}

/* ---- messages ---- */

struct fake_client {
	uint8_t mac[6];
	const char *name;   /* option 12 */
	const char *id;	    /* option 61, text with its type byte */
	const uint8_t *prl; /* option 55 */
	size_t n_prl;
	uint16_t flags;
	uint32_t ifindex; /* 0: FAKE_IF */
	uint32_t giaddr;
	uint32_t xid;
};

UNUSED static struct fake_client fake_client(unsigned n)
{
	return (struct fake_client){
		.mac = {0x00, 0x16, 0x3e, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
		.xid = 0x1000 + n};
}

struct fake_pkt {
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t len;
};

UNUSED static void fake_opt(struct fake_pkt *p, uint8_t code, const void *data, size_t len)
{
	assert_true(p->len + 2 + len < sizeof(p->bytes));
	p->bytes[p->len++] = code;
	p->bytes[p->len++] = (uint8_t)len;
	if (len)
		memcpy(p->bytes + p->len, data, len);
	p->len += len;
}

UNUSED static void fake_opt_ip(struct fake_pkt *p, uint8_t code, uint32_t ip)
{
	uint8_t b[4] = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip};

	fake_opt(p, code, b, 4);
}

UNUSED static void fake_set32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

UNUSED static struct fake_pkt fake_begin(const struct fake_client *c, uint8_t type)
{
	struct fake_pkt p = {.len = DHCP_HEADER_LEN};

	p.bytes[0] = DHCP_BOOTREQUEST;
	p.bytes[1] = DHCP_HTYPE_ETHERNET;
	p.bytes[2] = 6;
	p.bytes[3] = c->giaddr ? 1 : 0;
	fake_set32(p.bytes + 4, c->xid);
	p.bytes[10] = (uint8_t)(c->flags >> 8);
	fake_set32(p.bytes + 24, c->giaddr);
	memcpy(p.bytes + 28, c->mac, 6);
	fake_set32(p.bytes + 236, DHCP_COOKIE);
	if (type)
		fake_opt(&p, DHCP_OPT_TYPE, &type, 1);
	if (c->id)
		fake_opt(&p, DHCP_OPT_CLIENT_ID, c->id, strlen(c->id));
	if (c->name)
		fake_opt(&p, DHCP_OPT_HOSTNAME, c->name, strlen(c->name));
	if (c->prl)
		fake_opt(&p, DHCP_OPT_REQUEST_LIST, c->prl, c->n_prl);
	return p;
}

UNUSED static void fake_ciaddr(struct fake_pkt *p, uint32_t addr)
{
	fake_set32(p->bytes + 12, addr);
}

UNUSED static struct server4_arrival fake_arrival(
	struct fake_lan *f, const struct fake_client *c, uint32_t unicast_from)
{
	return (struct server4_arrival){.ifindex = c->ifindex ? c->ifindex : FAKE_IF,
		.local = FAKE_SERVER,
		.peer = c->giaddr ? c->giaddr : unicast_from,
		.peer_port = c->giaddr ? 67 : 68,
		.is_broadcast = !c->giaddr && !unicast_from,
		.arrived_ms = f->now.mono_ms};
}

/* Hand in; a stage stays out in f->out.stage. */
UNUSED static enum server4_verdict fake_offer_in(
	struct fake_lan *f, const struct fake_client *c, struct fake_pkt *p, uint32_t unicast_from)
{
	struct server4_arrival in = fake_arrival(f, c, unicast_from);
	uint8_t *exact;

	p->bytes[p->len++] = DHCP_OPT_END;
	exact = xmemdup(p->bytes, p->len); /* ASan sees a read past the end */
	f->verdict = server4_answer(f->s, exact, p->len, &in, f->now, &f->out);
	xfree(exact);
	f->was_staged = f->verdict == SERVER4_STAGE;
	return f->verdict;
}

/* Hand in, and commit what it stages. */
UNUSED static enum server4_verdict fake_send_from(
	struct fake_lan *f, const struct fake_client *c, struct fake_pkt *p, uint32_t unicast_from)
{
	if (fake_offer_in(f, c, p, unicast_from) == SERVER4_STAGE)
		fake_commit(f, f->out.stage);
	return f->verdict;
}

UNUSED static enum server4_verdict fake_send(
	struct fake_lan *f, const struct fake_client *c, struct fake_pkt *p)
{
	return fake_send_from(f, c, p, 0);
}

/* ---- replies ---- */

UNUSED static void fake_parse(const struct fake_lan *f, struct pkt4 *out)
{
	assert_true(f->out.len >= DHCP_PACKET_MIN);
	assert_int_equal(0, pkt4_parse(out, f->out.bytes, f->out.len));
	assert_int_equal(DHCP_BOOTREPLY, out->op);
}

UNUSED static uint8_t fake_type(const struct fake_lan *f)
{
	struct pkt4 p;

	if (f->verdict != SERVER4_SEND)
		return 0;
	fake_parse(f, &p);
	return p.type;
}

UNUSED static uint32_t fake_yiaddr(const struct fake_lan *f)
{
	struct pkt4 p;

	fake_parse(f, &p);
	return p.yiaddr;
}

UNUSED static uint32_t fake_u32(const struct fake_lan *f, uint8_t code)
{
	struct pkt4 p;
	uint32_t v = 0;

	fake_parse(f, &p);
	assert_true(opt4_u32(&p.opts, code, &v));
	return v;
}

UNUSED static bool fake_has(const struct fake_lan *f, uint8_t code)
{
	struct pkt4 p;

	fake_parse(f, &p);
	return opt4_has(&p.opts, code);
}

/* An option as text; "" when it is not there. */
UNUSED static const char *fake_text(const struct fake_lan *f, uint8_t code)
{
	static char text[DHCP_OPTION_MAX + 1];
	struct pkt4 p;
	const uint8_t *data;
	size_t len;

	fake_parse(f, &p);
	data = opt4_get(&p.opts, code, &len);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

/* ---- exchanges ---- */

UNUSED static enum server4_verdict fake_discover(struct fake_lan *f, const struct fake_client *c)
{
	struct fake_pkt p = fake_begin(c, DHCP_DISCOVER);

	return fake_send(f, c, &p);
}

UNUSED static struct fake_pkt fake_selecting(const struct fake_client *c, uint32_t addr)
{
	struct fake_pkt p = fake_begin(c, DHCP_REQUEST);

	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, addr);
	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, FAKE_SERVER);
	return p;
}

UNUSED static enum server4_verdict fake_select(
	struct fake_lan *f, const struct fake_client *c, uint32_t addr)
{
	struct fake_pkt p = fake_selecting(c, addr);

	return fake_send(f, c, &p);
}

UNUSED static enum server4_verdict fake_reboot(
	struct fake_lan *f, const struct fake_client *c, uint32_t addr)
{
	struct fake_pkt p = fake_begin(c, DHCP_REQUEST);

	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, addr);
	return fake_send(f, c, &p);
}

UNUSED static enum server4_verdict fake_renew(
	struct fake_lan *f, const struct fake_client *c, uint32_t addr)
{
	struct fake_pkt p = fake_begin(c, DHCP_REQUEST);

	fake_ciaddr(&p, addr);
	return fake_send_from(f, c, &p, addr);
}

UNUSED static enum server4_verdict fake_rebind(
	struct fake_lan *f, const struct fake_client *c, uint32_t addr)
{
	struct fake_pkt p = fake_begin(c, DHCP_REQUEST);

	fake_ciaddr(&p, addr);
	return fake_send(f, c, &p);
}

UNUSED static enum server4_verdict fake_release(
	struct fake_lan *f, const struct fake_client *c, uint32_t addr)
{
	struct fake_pkt p = fake_begin(c, DHCP_RELEASE);

	fake_ciaddr(&p, addr);
	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, FAKE_SERVER);
	return fake_send_from(f, c, &p, addr);
}

UNUSED static enum server4_verdict fake_decline(
	struct fake_lan *f, const struct fake_client *c, uint32_t addr)
{
	struct fake_pkt p = fake_begin(c, DHCP_DECLINE);

	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, addr);
	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, FAKE_SERVER);
	return fake_send(f, c, &p);
}

/* DISCOVER to ACK; the address, 0: no. */
UNUSED static uint32_t fake_lease(struct fake_lan *f, struct fake_client *c)
{
	uint32_t addr;

	fake_discover(f, c);
	if (fake_type(f) != DHCP_OFFER)
		return 0;
	addr = fake_yiaddr(f);
	fake_select(f, c, addr);
	if (fake_type(f) != DHCP_ACK || fake_yiaddr(f) != addr)
		return 0;
	c->xid += 0x10000;
	return addr;
}

/* Time passes; what is due happens, and is committed. Replies go nowhere. */
UNUSED static void fake_pass(struct fake_lan *f, int64_t ms)
{
	int64_t end = f->now.mono_ms + ms;

	for (;;) {
		int64_t next = server4_next_ms(f->s, f->now), step;
		enum server4_verdict v;

		step = next <= f->now.mono_ms ? 0 : next - f->now.mono_ms;
		if (step == 0)
			step = 1;
		if (f->now.mono_ms + step > end)
			step = end - f->now.mono_ms;
		f->now.mono_ms += step;
		f->now.wall_s = 1790000000 + (f->now.mono_ms - 1000000) / 1000;
		while ((v = server4_on_timer(f->s, f->now, &f->out)) != SERVER4_IDLE) {
			f->verdict = v;
			if (v == SERVER4_STAGE)
				fake_commit(f, f->out.stage);
		}
		if (f->now.mono_ms >= end)
			return;
	}
}

UNUSED static enum lease_state fake_state(struct fake_lan *f, uint32_t addr)
{
	struct lease_record rec;

	return server4_lease(f->s, addr, f->now, &rec) < 0 ? 0 : rec.state;
}

/* What the lease zone says of an address; "" for nothing. */
UNUSED static const char *fake_name_of(struct fake_lan *f, uint32_t addr)
{
	static char label[64];
	struct ip ip = ip_from4(addr);
	unsigned domain;
	int64_t expires;

	label[0] = '\0';
	rcu_enter();
	if (!leasename_find_ip(f->names, &ip, label, &domain, &expires))
		label[0] = '\0';
	rcu_leave();
	return label;
}

/* The one address of a name; 0: none. */
UNUSED static uint32_t fake_address_of(struct fake_lan *f, const char *label)
{
	struct leasename_hit hit;
	bool found;

	rcu_enter();
	found = leasename_find(f->names, 0, (const uint8_t *)label, strlen(label), &hit);
	rcu_leave();
	if (!found)
		return 0;
	assert_int_equal(1, hit.n_addrs);
	return ip_to4(&hit.addrs[0]);
}

UNUSED static struct dhcp_counters fake_counters(const struct fake_lan *f)
{
	return server4_stats(f->s).counters;
}

UNUSED static int fake_setup(void **state)
{
	struct fake_lan *f = xcalloc(1, sizeof(*f));

	fake_conf(f);
	fake_start(f);
	*state = f;
	return 0;
}

/* The configuration alone: the test changes it and calls fake_start. */
UNUSED static int fake_setup_conf(void **state)
{
	struct fake_lan *f = xcalloc(1, sizeof(*f));

	fake_conf(f);
	*state = f;
	return 0;
}

UNUSED static int fake_teardown(void **state)
{
	fake_stop(*state);
	xfree(*state);
	return 0;
}

UNUSED static int fake_group_setup(void **state)
{
	(void)state;
	rcu_thread_register();
	return 0;
}

UNUSED static int fake_group_teardown(void **state)
{
	(void)state;
	rcu_barrier_all();
	rcu_thread_unregister();
	return 0;
}

#define FAKE_TEST(fn)	   cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
#define FAKE_TEST_CONF(fn) cmocka_unit_test_setup_teardown(fn, fake_setup_conf, fake_teardown)
#define FAKE_RUN(tests)	   cmocka_run_group_tests(tests, fake_group_setup, fake_group_teardown)
