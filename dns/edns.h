/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* EDNS(0), RFC 6891: what an OPT record says and how ours is written. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rbuf.h"
#include "base/wbuf.h"
#include "dns/dns_const.h"

#define EDNS_OPTION_MAX 32 /* options looked at; the rest are skipped (Unbound CVE-2026-41292) */
#define EDNS_PLAIN_LEN	11 /* an OPT record without options */

enum edns_option {
	EDNS_OPTION_ECS = 8,
	EDNS_OPTION_COOKIE = 10,
	EDNS_OPTION_KEEPALIVE = 11,
	EDNS_OPTION_PADDING = 12,
	EDNS_OPTION_EDE = 15
};

struct edns {
	bool present;
	bool is_do;
	uint8_t version;
	uint8_t ext_rcode;  /* upper 8 bits of the rcode */
	uint16_t udp_size;  /* at least 512 once parsed */
	uint8_t cookie_len; /* 0: none; 8 client only; 16..40 client and server */
	bool cookie_malformed;
	bool has_keepalive;
	uint8_t cookie[40];
	int ede; /* first extended error in a reply, DNS_EDE_NONE */
};

/* b stands behind the OPT's owner (root) and TYPE: class, TTL, rdlen, rdata follow. */
MUST_CHECK int edns_parse(struct rbuf *b, struct edns *out);

/* Append an OPT. ede DNS_EDE_NONE: no option; ede_text NULL or short text; cookie_len 0: none. */
struct edns_reply {
	uint16_t udp_size;
	uint16_t rcode; /* whole; its upper 8 bits go here */
	bool is_do;
	uint8_t version;
	uint8_t cookie_len;
	const uint8_t *cookie;
	int ede;
	const char *ede_text;
};
void edns_write(struct wbuf *b, const struct edns_reply *r);
size_t edns_write_len(const struct edns_reply *r);
