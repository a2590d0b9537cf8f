/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/answer.h"

#include <assert.h>
#include <string.h>

#include "base/wbuf.h"
#include "dns/dns_const.h"
#include "dns/edns.h"

#define FLAGS_OPCODE 0x7800
#define EDNS_DO	     0x8000 /* of the OPT's TTL */

/* Positions of the header's fields. */
enum { AT_FLAGS = 2, AT_COUNTS = 4, AT_ARCOUNT = 10 };

size_t answer_limit(const struct answer_client *c, uint16_t max_udp)
{
	size_t limit = c->udp_size < max_udp ? c->udp_size : max_udp;

	if (c->is_tcp)
		return UINT16_MAX;
	return limit < DNS_UDP_PLAIN_LEN ? DNS_UDP_PLAIN_LEN : limit;
}

/* Octets of our OPT: 0 for a client that sent none. */
static size_t opt_len(const struct answer_client *c, int ede)
{
	size_t len = EDNS_PLAIN_LEN;

	if (!c->has_edns)
		return 0;
	if (c->cookie_len)
		len += 4 + (size_t)c->cookie_len;
	if (ede != DNS_EDE_NONE)
		len += 6;
	return len;
}

/* Appends the OPT to a message of len octets; returns the new length. Room for it is there. */
static size_t put_opt(const struct answer_client *c, uint16_t rcode, int ede, uint16_t max_udp,
	uint8_t *out, size_t len)
{
	size_t opt = opt_len(c, ede);

	if (opt == EDNS_PLAIN_LEN) { /* most of them */
		uint8_t *p = out + len;

		p[0] = 0;
		wbuf_set16(p + 1, DNS_TYPE_OPT);
		wbuf_set16(p + 3, max_udp);
		wbuf_set32(p + 5, (uint32_t)(rcode >> 4) << 24 | (c->is_do ? EDNS_DO : 0));
		wbuf_set16(p + 9, 0);
	} else {
		struct wbuf b = wbuf_of(out + len, opt);

		edns_write(&b, &(struct edns_reply){.udp_size = max_udp,
				       .rcode = rcode,
				       .is_do = c->is_do,
				       .cookie_len = c->cookie_len,
				       .cookie = c->cookie,
				       .ede = ede});
	}
	wbuf_set16(out + AT_ARCOUNT, ((unsigned)out[AT_ARCOUNT] << 8 | out[AT_ARCOUNT + 1]) + 1);
	return len + opt;
}

/* Header and question alone, the counts of all else 0. Returns the length. */
static size_t put_bare(
	const struct answer_client *c, uint16_t rcode, unsigned more_flags, uint8_t *out)
{
	unsigned flags = DNS_FLAG_QR | DNS_FLAG_RA | more_flags |
			 (c->flags & (FLAGS_OPCODE | DNS_FLAG_RD | DNS_FLAG_CD));

	wbuf_set16(out, c->id);
	wbuf_set16(out + AT_FLAGS, flags | (rcode & 15));
	memset(out + AT_COUNTS, 0, 8);
	out[AT_COUNTS + 1] = c->question_len != 0;
	if (c->question_len)
		memcpy(out + DNS_HEADER_LEN, c->query + DNS_HEADER_LEN, c->question_len);
	return DNS_HEADER_LEN + (size_t)c->question_len;
}

static size_t without_records(const struct answer_client *c, uint16_t rcode, unsigned more_flags,
	int ede, uint16_t max_udp, uint8_t *out, size_t cap)
{
	size_t len;

	assert(cap >= DNS_HEADER_LEN + (size_t)c->question_len + opt_len(c, ede));
	(void)cap;
	len = put_bare(c, rcode, more_flags, out);
	return c->has_edns ? put_opt(c, rcode, ede, max_udp, out, len) : len;
}

size_t answer_cut(const struct answer_client *c, uint16_t rcode, bool is_aa, int ede,
	uint16_t max_udp, uint8_t *out, size_t cap)
{
	unsigned flags = DNS_FLAG_TC | (is_aa ? DNS_FLAG_AA : 0);

	return without_records(c, rcode, flags, ede, max_udp, out, cap);
}

size_t answer_error(const struct answer_client *c, uint16_t rcode, int ede, uint16_t max_udp,
	uint8_t *out, size_t cap)
{
	return without_records(c, rcode, 0, ede, max_udp, out, cap);
}

/* RFC 6840 5.7, 5.8: AD tells those who asked for it, by DO or by AD, and only of proven data. */
static unsigned ad_flag(const struct answer_blob *blob, const struct answer_client *c)
{
	bool is_asked = c->is_do || (c->flags & DNS_FLAG_AD);

	return blob->security == RRSET_SECURE && is_asked ? DNS_FLAG_AD : 0;
}

static void age_ttls(const struct answer_blob *blob, uint32_t age_s, uint8_t *out)
{
	for (unsigned i = 0; i < blob->n_ttl; i++) {
		uint8_t *p = out + blob->ttl_off[i];
		uint32_t ttl;

		memcpy(&ttl, p, 4);
		ttl = __builtin_bswap32(ttl);
		ttl = ttl > age_s ? ttl - age_s : 1;
		wbuf_set32(p, ttl);
	}
}

size_t answer_patch(const struct answer_blob *blob, const struct answer_client *c, uint32_t age_s,
	uint16_t max_udp, uint8_t *out, size_t cap)
{
	size_t limit = answer_limit(c, max_udp), len = blob->len;
	unsigned flags = DNS_FLAG_QR | DNS_FLAG_RA | (c->flags & (DNS_FLAG_RD | DNS_FLAG_CD)) |
			 (blob->is_aa ? DNS_FLAG_AA : 0);
	int ede = blob->ede;

	assert(cap >= DNS_UDP_PLAIN_LEN);
	if (limit > cap)
		limit = cap;
	/* An explanation is not worth a second round over TCP. */
	if (len + opt_len(c, ede) > limit)
		ede = DNS_EDE_NONE;
	if (len + opt_len(c, ede) > limit)
		return answer_cut(c, blob->rcode, blob->is_aa, blob->ede, max_udp, out, cap);
	assert(c->question_len == blob->question_len);
	if (out != blob->wire)
		memcpy(out + AT_COUNTS, blob->wire + AT_COUNTS, len - AT_COUNTS);
	wbuf_set16(out, c->id);
	wbuf_set16(out + AT_FLAGS, flags | ad_flag(blob, c) | (blob->rcode & 15));
	memcpy(out + DNS_HEADER_LEN, c->query + DNS_HEADER_LEN, c->question_len);
	if (age_s)
		age_ttls(blob, age_s, out);
	return c->has_edns ? put_opt(c, blob->rcode, ede, max_udp, out, len) : len;
}
