/* SPDX-License-Identifier: Apache-2.0 */
/* Options: read, look everything up, write anew, read again: what fits must come back the same. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dhcp/class4.h"
#include "dhcp/ddname.h"
#include "dhcp/pkt4_parse.h"
#include "dhcp/pkt4_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

static void opt4_fuzz_names(const struct opt4 *o)
{
	struct ddname_asked asked = ddname_asked(o);
	uint8_t fqdn[DDNAME_FQDN_MAX];
	char label[DDNAME_LEN];
	size_t len;

	ddname_clean(&asked, label);
	CHECK(strlen(label) < DDNAME_LEN);
	for (const char *c = label; *c; c++)
		CHECK((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-');
	CHECK(!label[0] || (label[0] != '-' && label[strlen(label) - 1] != '-'));
	ddname_fqdn_reply(&asked, label, "lab.test", fqdn, &len);
	CHECK(len <= sizeof(fqdn));
}

static void opt4_fuzz_round(const struct opt4 *o)
{
	static struct pkt4_reply r;
	static struct pkt4 back;
	uint8_t out[DHCP_PACKET_MAX];
	size_t len, left;
	unsigned n_cut, n_lost = 0;

	pkt4_reply_init(&r);
	r.type = DHCP_ACK;
	r.max_len = DHCP_PACKET_MAX;
	r.relay = opt4_get(o, DHCP_OPT_RELAY, &r.relay_len);
	for (unsigned code = 1; code < 255; code++) {
		const uint8_t *data = opt4_get(o, (uint8_t)code, &left);

		if (data)
			pkt4_put(&r, (uint8_t)code, PKT4_ALWAYS, data, left);
	}
	if (pkt4_write(&r, out, sizeof(out), &len, &n_cut) < 0)
		return;
	CHECK(pkt4_parse(&back, out, len) == 0);
	for (unsigned code = 1; code < 255; code++) {
		size_t back_len;
		const uint8_t *was = opt4_get(o, (uint8_t)code, &left);
		const uint8_t *is = opt4_get(&back.opts, (uint8_t)code, &back_len);

		if (!was || (!pkt4_is_put(&r, (uint8_t)code) && code != DHCP_OPT_RELAY))
			continue;
		if (!is) {
			n_lost++;
			continue;
		}
		CHECK(left == back_len && (left == 0 || memcmp(was, is, left) == 0));
	}
	CHECK(n_lost == n_cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct opt4 o;
	size_t len = DHCP_HEADER_LEN + size, sub;
	const uint8_t *relay;
	uint8_t *pkt;

	if (size < 4 || len > DHCP_PACKET_MAX)
		return 0;
	pkt = xcalloc(1, len);
	/* The first bytes also fill `file` and `sname`, for overloads. */
	for (size_t i = 0; i < DHCP_SNAME_LEN + DHCP_FILE_LEN; i++)
		pkt[DHCP_SNAME_AT + i] = data[i % size];
	memcpy(pkt + DHCP_HEADER_LEN, data, size);
	if (opt4_parse(&o, pkt, len) == 0) {
		for (unsigned code = 0; code < 256; code++) {
			const uint8_t *p = opt4_get(&o, (uint8_t)code, &sub);

			CHECK(sub <= len && (p || sub == 0));
			if (p)
				(void)class4_is_user_class(p, sub, "iPXE");
		}
		relay = opt4_get(&o, DHCP_OPT_RELAY, &sub);
		for (unsigned code = 0; code < 256; code++) {
			size_t n;

			(void)opt4_sub(relay, sub, (uint8_t)code, &n);
			CHECK(n <= sub);
		}
		opt4_fuzz_names(&o);
		opt4_fuzz_round(&o);
	}
	xfree(pkt);
	return 0;
}
