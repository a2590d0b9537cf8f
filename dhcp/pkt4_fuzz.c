/* SPDX-License-Identifier: Apache-2.0 */
/* Whole requests through the whole server: a stream of datagrams, each with a length and a few bits
 * on how it came, against a small configuration with devices, classes, relays and boot files.
 * Every reply must be one that we would read ourselves. */
#include <stdlib.h>
#include <string.h>

#include "base/rcu.h"
#include "base/xalloc.h"
#include "dhcp/dhcp_const.h"
#include "dhcp/pkt4_parse.h"
#include "dhcp/server4.h"
#include "zones/leasename.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

enum { PKT4_FUZZ_IF = 3, PKT4_FUZZ_PACKETS = 16 };

static void pkt4_fuzz_check(const struct server4_reply *r)
{
	struct pkt4 p;
	uint8_t *exact = xalloc(r->len);

	CHECK(r->len >= DHCP_PACKET_MIN && r->len <= DHCP_PACKET_MAX);
	memcpy(exact, r->bytes, r->len);
	CHECK(pkt4_parse(&p, exact, r->len) == 0);
	CHECK(p.op == DHCP_BOOTREPLY);
	CHECK(p.type == DHCP_OFFER || p.type == DHCP_ACK || p.type == DHCP_NAK);
	CHECK(opt4_has(&p.opts, DHCP_OPT_SERVER_ID));
	CHECK(p.type != DHCP_OFFER || p.yiaddr);
	CHECK(p.type != DHCP_NAK || !p.yiaddr);
	xfree(exact);
}

static void pkt4_fuzz_obey(struct server4 *s, enum server4_verdict v, struct server4_now now,
	struct server4_reply *out)
{
	if (v == SERVER4_SEND)
		pkt4_fuzz_check(out);
	if (v == SERVER4_HOLD && (out->ip & 1))
		server4_on_arp(s, out->ifindex, out->ip, (const uint8_t *)"\1other");
	if (v == SERVER4_STAGE) {
		uint8_t bytes[LEASEDB_BYTES_MAX];
		size_t n, len;
		const struct lease_change *c = server4_changes(out->stage, &n);

		for (size_t i = 0; i < n; i++)
			CHECK(leasedb_write(c[i].record, bytes, sizeof(bytes), &len) == 0);
		if (server4_committed(s, out->stage, 0, now, out) == SERVER4_SEND)
			pkt4_fuzz_check(out);
	}
}

/* What the packets fall on. Static parts, since the harness runs in one thread. */
static struct server4 *pkt4_fuzz_server(struct leasename *names, struct server4_now now)
{
	static const uint32_t own[] = {0x0a4d0001}, relays[] = {0x0a4d0002};
	static const struct dhcp_range pool = {0x0a4d0064, 0x0a4d0068};
	static const struct dhcp_range class_pool = {0x0a4d00c8, 0x0a4d00c9};
	static const struct dhcp_range far_pool = {0x0a4e0032, 0x0a4e0034};
	static const struct dhcp_mac mac = {{0, 1, 2, 3, 4, 5}};
	static const struct dhcp_option options[] = {{.code = DHCP_OPT_NTP,
							     .force = true,
							     .len = 4,
							     .data = (const uint8_t *)"\n\n\n\n"},
		{.code = DHCP_OPT_BROADCAST, .len = 0}};
	static const struct dhcp_device device = {
		.name = "nas", .macs = &mac, .n_macs = 1, .address = 0x0a4d000a};
	static const char *const vendors[] = {"PXE"};
	static const struct dhcp_class class = {.vendors = vendors,
		.n_vendors = 1,
		.pools = &class_pool,
		.n_pools = 1,
		.options = options,
		.n_options = 2};
	static struct dhcp_lan lans[2];
	static struct dhcp_conf conf;
	struct server4_opts opts = {.key = {1, 2}, .names = names};

	lans[0] = (struct dhcp_lan){.name = "br0",
		.ifindex = PKT4_FUZZ_IF,
		.address = own[0],
		.subnet = 0x0a4d0000,
		.prefix_len = 24,
		.pools = &pool,
		.n_pools = 1,
		.router = 0x0a4d00fe,
		.domain = "lab.test",
		.lease_s = 3600,
		.max_lease_s = 86400,
		.authoritative = true,
		.rapid_commit = true,
		.probe = true,
		.devices = &device,
		.n_devices = 1,
		.classes = &class,
		.n_classes = 1,
		.options = options,
		.n_options = 1,
		.boot = {.bios = "b.0", .uefi = "u.efi", .http = "h.efi", .ipxe = "http://x/i"}};
	lans[1] = lans[0];
	lans[1].name = "far";
	lans[1].ifindex = 0;
	lans[1].address = 0;
	lans[1].wire = 1;
	lans[1].subnet = 0x0a4e0000;
	lans[1].pools = &far_pool;
	lans[1].relays = relays;
	lans[1].n_relays = 1;
	lans[1].n_devices = 0;
	conf = (struct dhcp_conf){.lans = lans, .n_lans = 2, .own = own, .n_own = 1};
	return server4_new(&opts, &conf, now);
}

static void pkt4_fuzz_run(struct server4 *s, const uint8_t *data, size_t size)
{
	struct server4_now now = {.mono_ms = 100000, .wall_s = 1790000000};
	static struct server4_reply out;

	for (unsigned n = 0; n < PKT4_FUZZ_PACKETS && size >= 3; n++) {
		size_t len = (size_t)(data[0] << 8 | data[1]) % (DHCP_PACKET_MAX + 2);
		struct server4_arrival in = {.ifindex = PKT4_FUZZ_IF,
			.local = 0x0a4d0001,
			.peer = data[2] & 1   ? 0x0a4d0064
				: data[2] & 2 ? 0x0a4d0002
					      : 0,
			.peer_port = 68,
			.is_broadcast = !(data[2] & 3)};
		enum server4_verdict v;
		uint8_t *exact;

		now.mono_ms += (int64_t)(data[2] >> 2) * (data[2] >> 2) * 100;
		now.wall_s = 1790000000 + now.mono_ms / 1000 * (data[2] & 4 ? 2 : 1);
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		exact = xalloc(len);
		memcpy(exact, data, len);
		pkt4_fuzz_obey(s, server4_answer(s, exact, len, &in, now, &out), now, &out);
		xfree(exact);
		while ((v = server4_on_timer(s, now, &out)) != SERVER4_IDLE)
			pkt4_fuzz_obey(s, v, now, &out);
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct leasename *names;
	struct server4_now now = {.mono_ms = 100000, .wall_s = 1790000000};
	struct server4 *s;

	if (!names) {
		rcu_thread_register();
		names = leasename_new();
	}
	s = pkt4_fuzz_server(names, now);
	server4_loaded(s, now);
	pkt4_fuzz_run(s, data, size);
	server4_free(s);
	for (uint32_t addr = 0; addr < 256; addr++) {
		struct ip near = ip_from4(0x0a4d0000 + addr), far = ip_from4(0x0a4e0000 + addr);

		leasename_del(names, &near);
		leasename_del(names, &far);
	}
	return 0;
}
