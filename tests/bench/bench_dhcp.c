/* SPDX-License-Identifier: Apache-2.0 */
/* The DHCPv4 server in one thread without sockets and without a disk: whole DISCOVER-OFFER-
 * REQUEST-ACK exchanges of new clients with names, renewals, and DISCOVERs of a flood; CPU time.
 * With a folder as argument the ACKs go through dhcp/commit and the store there, fsync and all.
 *   bench_dhcp [leases] [store-folder] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/rcu.h"
#include "base/xalloc.h"
#include "dhcp/dhcp_const.h"
#include "dhcp/server4.h"
#include "store/store.h"
#include "zones/leasename.h"

#define OURS	 0x0a4d0001u
#define CLIENT_N 0x100000u
#define BATCH	 32

struct bench {
	struct server4 *s;
	struct store *store;
	struct server4_now now;
	struct server4_reply out;
	uint8_t pkt[400];
	size_t len;
	struct lease_change changes[BATCH];
	struct server4_stage *stages[BATCH];
	size_t n_stages;
	unsigned long n_acks;
};

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void opt(struct bench *b, uint8_t code, const void *data, size_t len)
{
	b->pkt[b->len++] = code;
	b->pkt[b->len++] = (uint8_t)len;
	memcpy(b->pkt + b->len, data, len);
	b->len += len;
}

static void opt_ip(struct bench *b, uint8_t code, uint32_t ip)
{
	uint8_t v[4];

	put32(v, ip);
	opt(b, code, v, 4);
}

static void begin(struct bench *b, uint32_t client, uint8_t type, uint32_t ciaddr)
{
	static const uint8_t prl[] = {1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42};
	char name[24];

	memset(b->pkt, 0, DHCP_HEADER_LEN);
	b->pkt[0] = 1;
	b->pkt[1] = 1;
	b->pkt[2] = 6;
	put32(b->pkt + 4, client * 4 + type);
	put32(b->pkt + 12, ciaddr);
	b->pkt[29] = 0x16;
	put32(b->pkt + 30, client);
	put32(b->pkt + 236, DHCP_COOKIE);
	b->len = DHCP_HEADER_LEN;
	opt(b, DHCP_OPT_TYPE, &type, 1);
	snprintf(name, sizeof(name), "host-%u", client);
	opt(b, DHCP_OPT_HOSTNAME, name, strlen(name));
	opt(b, DHCP_OPT_REQUEST_LIST, prl, sizeof(prl));
}

static enum server4_verdict answer(struct bench *b, uint32_t ciaddr)
{
	struct server4_arrival in = {
		.ifindex = 2, .local = OURS, .peer = ciaddr, .is_broadcast = !ciaddr};

	b->pkt[b->len++] = DHCP_OPT_END;
	return server4_answer(b->s, b->pkt, b->len, &in, b->now, &b->out);
}

static void commit(struct bench *b)
{
	if (b->store && b->n_stages && leasedb_commit(b->store, b->changes, b->n_stages) < 0)
		abort();
	for (size_t i = 0; i < b->n_stages; i++)
		b->n_acks +=
			server4_committed(b->s, b->stages[i], 0, b->now, &b->out) == SERVER4_SEND;
	b->n_stages = 0;
}

static void staged(struct bench *b, enum server4_verdict v)
{
	size_t n;

	if (v != SERVER4_STAGE)
		abort();
	b->changes[b->n_stages] = server4_changes(b->out.stage, &n)[0];
	b->stages[b->n_stages++] = b->out.stage;
	if (b->n_stages == BATCH)
		commit(b);
}

static uint32_t yiaddr(const struct bench *b)
{
	const uint8_t *p = b->out.bytes + 16;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void dora(struct bench *b, uint32_t client)
{
	uint32_t addr;

	begin(b, client, DHCP_DISCOVER, 0);
	if (answer(b, 0) != SERVER4_SEND)
		abort();
	addr = yiaddr(b);
	begin(b, client, DHCP_REQUEST, 0);
	opt_ip(b, DHCP_OPT_REQUESTED_IP, addr);
	opt_ip(b, DHCP_OPT_SERVER_ID, OURS);
	staged(b, answer(b, 0));
}

static void renew(struct bench *b, uint32_t client)
{
	uint32_t addr = 0x0a4e0000u + client; /* addresses come in order */

	begin(b, client, DHCP_REQUEST, addr);
	staged(b, answer(b, addr));
}

static void flood(struct bench *b, uint32_t client)
{
	begin(b, client + CLIENT_N, DHCP_DISCOVER, 0);
	(void)answer(b, 0);
}

static void run(struct bench *b, const char *what, uint32_t n, void (*fn)(struct bench *, uint32_t))
{
	double start = cpu_s(), took, wall = (double)clock_mono_us();

	b->now.mono_ms += 100000;
	b->now.wall_s += 100;
	for (uint32_t i = 0; i < n; i++)
		fn(b, i);
	commit(b);
	took = cpu_s() - start;
	wall = ((double)clock_mono_us() - wall) / 1e6;
	printf("%-28s %8u in %6.3f s CPU: %9.0f /s CPU, %9.0f /s wall\n", what, n, took,
		(double)n / took, (double)n / wall);
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000, own[] = {OURS};
	const struct dhcp_range pool = {0x0a4e0000u, 0x0a5dffffu};
	const struct dhcp_lan lan = {.name = "br0",
		.ifindex = 2,
		.address = OURS,
		.subnet = 0x0a000000u,
		.prefix_len = 8,
		.pools = &pool,
		.n_pools = 1,
		.router = OURS,
		.domain = "lab.test",
		.lease_s = 43200,
		.authoritative = true};
	const struct dhcp_conf conf = {.lans = &lan, .n_lans = 1, .own = own, .n_own = 1};
	struct bench *b = xcalloc(1, sizeof(*b));
	struct server4_opts opts = {.key = hash_key_random()};
	struct store_report report;

	rcu_thread_register();
	opts.names = leasename_new();
	b->now = (struct server4_now){1000000, 1790000000};
	if (argc > 2 &&
		store_open(argv[2], &(struct store_opts){.uid = (uid_t)-1, .gid = (gid_t)-1},
			&b->store, &report) < 0) {
		fprintf(stderr, "%s\n", report.text);
		return 1;
	}
	b->s = server4_new(&opts, &conf, b->now);
	server4_loaded(b->s, b->now);
	run(b, "DORA, new clients", n, dora);
	run(b, "renewals", n, renew);
	run(b, "DORA, known clients", n, dora);
	run(b, "DISCOVER flood", n, flood);
	printf("%lu acks\n", b->n_acks);
	server4_free(b->s);
	leasename_free(opts.names);
	store_close(b->store);
	rcu_barrier_all();
	xfree(b);
	return 0;
}
