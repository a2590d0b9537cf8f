/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/edns.h"

#include <string.h>

#define COOKIE_CLIENT_LEN 8  /* RFC 7873 4 */
#define COOKIE_MIN_LEN	  16 /* with a server part of at least 8 */
#define COOKIE_MAX_LEN	  40
#define EDE_TEXT_MAX	  200 /* an explanation, not a letter; keeps a reply below 1232 octets */

static void parse_cookie(struct rbuf *b, struct edns *out)
{
	size_t len = b->len;

	/* RFC 7873 5.2: only the first counts. */
	if (out->cookie_len || out->cookie_malformed)
		return;
	if (len != COOKIE_CLIENT_LEN && (len < COOKIE_MIN_LEN || len > COOKIE_MAX_LEN)) {
		out->cookie_malformed = true;
		return;
	}
	rbuf_copy(b, out->cookie, len);
	out->cookie_len = (uint8_t)len;
}

static void parse_option(uint16_t code, struct rbuf *b, struct edns *out)
{
	switch (code) {
	case EDNS_OPTION_COOKIE:
		parse_cookie(b, out);
		break;
	case EDNS_OPTION_KEEPALIVE:
		out->has_keepalive = true;
		break;
	case EDNS_OPTION_EDE:
		if (out->ede == DNS_EDE_NONE && b->len >= 2)
			out->ede = rbuf_u16(b);
		break;
	default:
		break;
	}
}

int edns_parse(struct rbuf *b, struct edns *out)
{
	uint16_t udp_size = rbuf_u16(b);
	uint32_t ttl = rbuf_u32(b);
	uint16_t rdlen = rbuf_u16(b);
	struct rbuf options = rbuf_sub(b, rdlen);
	struct edns e = {.present = true, .ede = DNS_EDE_NONE};

	if (b->bad)
		return ERR_TRUNC;
	e.is_do = ttl & 0x8000;
	e.version = (uint8_t)(ttl >> 16);
	e.ext_rcode = (uint8_t)(ttl >> 24);
	e.udp_size = udp_size < DNS_UDP_PLAIN_LEN ? DNS_UDP_PLAIN_LEN : udp_size;
	/* The options of another version may mean something else: BADVERS answers it. */
	for (unsigned i = 0; e.version == 0 && i < EDNS_OPTION_MAX && rbuf_left(&options); i++) {
		uint16_t code = rbuf_u16(&options);
		uint16_t len = rbuf_u16(&options);
		struct rbuf one = rbuf_sub(&options, len);

		if (options.bad)
			return ERR_MALFORMED;
		parse_option(code, &one, &e);
	}
	*out = e;
	return 0;
}

static size_t text_len(const struct edns_reply *r)
{
	return r->ede_text ? strnlen(r->ede_text, EDE_TEXT_MAX) : 0;
}

size_t edns_write_len(const struct edns_reply *r)
{
	size_t len = EDNS_PLAIN_LEN;

	if (r->cookie_len)
		len += 4 + (size_t)r->cookie_len;
	if (r->ede != DNS_EDE_NONE)
		len += 6 + text_len(r);
	return len;
}

void edns_write(struct wbuf *b, const struct edns_reply *r)
{
	wbuf_u8(b, 0);
	wbuf_u16(b, DNS_TYPE_OPT);
	wbuf_u16(b, r->udp_size);
	wbuf_u8(b, r->rcode >> 4 & 0xff);
	wbuf_u8(b, r->version);
	wbuf_u16(b, r->is_do ? 0x8000 : 0);
	wbuf_u16(b, (unsigned)(edns_write_len(r) - EDNS_PLAIN_LEN));
	if (r->cookie_len) {
		wbuf_u16(b, EDNS_OPTION_COOKIE);
		wbuf_u16(b, r->cookie_len);
		wbuf_put(b, r->cookie, r->cookie_len);
	}
	if (r->ede != DNS_EDE_NONE) {
		wbuf_u16(b, EDNS_OPTION_EDE);
		wbuf_u16(b, (unsigned)(2 + text_len(r)));
		wbuf_u16(b, (unsigned)r->ede);
		wbuf_put(b, r->ede_text, text_len(r));
	}
}
