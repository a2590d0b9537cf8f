/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl/rpl_entry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dname.h"
#include "dns/msg_write.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"

enum { RPL_UDP_SIZE = 4096 };

/* ---- queries ---- */

static bool has_question(
	const struct rpl_packet *want, unsigned match, const struct question *q, uint16_t opcode)
{
	const uint8_t *name = want->q.name;

	if (match & RPL_MATCH_OPCODE && opcode != (want->flags >> 11 & 15))
		return false;
	if (!want->has_question)
		return true;
	if (match & RPL_MATCH_QTYPE && (q->type != want->q.type || q->class != want->q.class))
		return false;
	if (match & RPL_MATCH_QNAME && (q->name_len == 0 || !dname_equal(q->name, name)))
		return false;
	if (match & RPL_MATCH_SUBDOMAIN && (q->name_len == 0 || !dname_is_under(q->name, name)))
		return false;
	return !(match & RPL_MATCH_QCASE) || memcmp(q->name, name, want->q.name_len) == 0;
}

bool rpl_entry_matches(const struct rpl_entry *e, const struct rpl_asked *a)
{
	const struct edns *edns = &a->q->edns;

	if ((e->match & RPL_MATCH_TCP && !a->is_tcp) || (e->match & RPL_MATCH_UDP && a->is_tcp))
		return false;
	if ((e->match & RPL_MATCH_EDNS && !edns->present) ||
		(e->match & RPL_MATCH_NO_EDNS && edns->present))
		return false;
	if ((e->match & RPL_MATCH_DO && !edns->is_do) ||
		(e->match & RPL_MATCH_COOKIE && edns->cookie_len == 0))
		return false;
	return has_question(&e->packet, e->match, &a->q->q, a->q->opcode);
}

static bool refers(const struct rpl_packet *p, const uint8_t *name)
{
	if (p->rcode != 0 || p->n_rr[DNS_SECTION_ANSWER] > 0 || p->flags & DNS_FLAG_AA)
		return false;
	for (const struct rpl_rr *rr = p->rr[DNS_SECTION_AUTHORITY]; rr; rr = rr->next)
		if (rr->type == DNS_TYPE_NS && dname_is_under(name, rr->owner))
			return true;
	return false;
}

bool rpl_entry_covers(const struct rpl_entry *e, const struct rpl_asked *a)
{
	const struct rpl_packet *p = &e->packet;

	if (!p->has_question || p->adjust & RPL_SILENT ||
		!dname_is_under(a->q->q.name, p->q.name) || a->q->q.class != p->q.class)
		return false;
	return p->rcode == DNS_RCODE_NXDOMAIN || refers(p, a->q->q.name);
}

/* ---- replies ---- */

static const uint8_t SERVER_COOKIE[8] = "scripted";

static void write_opt(struct msg_writer *w, const struct rpl_packet *p, const struct rpl_asked *a)
{
	struct edns_reply opt = {.udp_size = RPL_UDP_SIZE,
		.rcode = p->rcode,
		.is_do = a->q->edns.is_do,
		.ede = p->ede};
	uint8_t cookie[16];

	if (p->adjust & (RPL_COOKIE | RPL_WRONG_COOKIE) && a->q->edns.cookie_len >= 8) {
		memcpy(cookie, a->q->edns.cookie, 8);
		memcpy(cookie + 8, SERVER_COOKIE, 8);
		if (p->adjust & RPL_WRONG_COOKIE)
			cookie[0] ^= 1;
		opt.cookie = cookie;
		opt.cookie_len = 16;
	}
	if (a->q->edns.present && !(p->adjust & RPL_NO_EDNS))
		(void)!msg_write_opt(w, &opt);
}

/* The question as the server sends it back: with copy_id in the query's own case. */
static const struct question *question_of(
	const struct rpl_packet *p, const struct rpl_asked *a, bool copy_query, struct question *q)
{
	if (p->adjust & RPL_COPY_QUERY || copy_query)
		*q = a->q->q;
	else if (!p->has_question_section)
		*q = a->q->q;
	else if (!p->has_question)
		return NULL;
	else
		*q = p->q;
	if (p->adjust & RPL_COPY_ID && dname_equal(q->name, a->q->q.name))
		memcpy(q->name, a->q->q.name, q->name_len);
	if (p->adjust & RPL_WRONG_CASE)
		dname_lower(q->name, q->name_len);
	return q;
}

static uint16_t id_of(const struct rpl_packet *p, const struct rpl_asked *a)
{
	if (p->adjust & RPL_WRONG_ID)
		return (uint16_t)(a->q->id + 1);
	return p->adjust & RPL_COPY_ID ? a->q->id : 0;
}

static size_t write_sections(const struct rpl_packet *p, const struct rpl_asked *a, bool copy_query,
	uint8_t *out, size_t cap)
{
	struct msg_writer w;
	struct question q;

	msg_write_begin(&w, out, cap, id_of(p, a), (uint16_t)(p->flags | (p->rcode & 15)),
		question_of(p, a, copy_query, &q));
	for (int s = 0; s < 3; s++) {
		for (const struct rpl_rr *rr = p->rr[s]; rr; rr = rr->next) {
			if (msg_write_rr(&w, (enum dns_section)s, rr->owner, rr->type, rr->class,
				    rr->ttl, rr->rdata, rr->rdlen) != 0) {
				fprintf(stderr, "a scripted reply is too long\n");
				exit(2);
			}
		}
	}
	write_opt(&w, p, a);
	return msg_write_end(&w);
}

static size_t write_raw(
	const struct rpl_packet *p, const struct rpl_asked *a, uint8_t *out, size_t cap)
{
	size_t len = p->raw_len < cap ? p->raw_len : cap;

	memcpy(out, p->raw, len);
	if (!(p->adjust & RPL_RAW_ID) && len >= 2)
		memcpy(out, a->bytes, 2);
	return len;
}

size_t rpl_entry_write(const struct rpl_packet *p, const struct rpl_asked *a, bool copy_query,
	uint8_t *out, size_t cap)
{
	size_t len;

	if (p->adjust & RPL_SILENT)
		return 0;
	len = p->is_raw ? write_raw(p, a, out, cap) : write_sections(p, a, copy_query, out, cap);
	for (unsigned i = 0; i < p->n_patches; i++)
		if (p->patches[i].at + (size_t)p->patches[i].len <= cap)
			memcpy(out + p->patches[i].at, p->patches[i].bytes, p->patches[i].len);
	return p->keep >= 0 && (size_t)p->keep < len ? (size_t)p->keep : len;
}

/* ---- answers ---- */

static bool differs(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool differs(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, RPL_WHY_LEN, fmt, ap);
	va_end(ap);
	return false;
}

/* One record of the answer, out of the message. */
struct got_rr {
	uint8_t owner[DNAME_MAX];
	const struct msg_rr *at;
	size_t rdlen;
	uint8_t *rdata;
	bool is_used;
};

struct got {
	unsigned n;
	struct got_rr rr[MSG_RR_MAX];
	uint8_t rdata[4 * 65536]; /* expanded */
};

static bool read_section(const struct msg *m, enum dns_section section, struct got *out)
{
	size_t used = 0;

	out->n = 0;
	for (unsigned i = 0; i < m->n_rr; i++) {
		struct got_rr *g = &out->rr[out->n];
		struct rbuf b = rbuf_of(m->wire, m->len);
		struct wbuf w = wbuf_of(out->rdata + used, sizeof(out->rdata) - used);
		size_t len;

		if (m->rr[i].section != section)
			continue;
		b.pos = m->rr[i].owner;
		if (dname_parse(&b, g->owner, &len) != 0)
			return false;
		b.pos = m->rr[i].rdata;
		if (rrtype_expand_rdata(&b, m->rr[i].type, m->rr[i].rdlen, &w) != 0)
			return false;
		g->at = &m->rr[i];
		g->rdata = out->rdata + used;
		g->rdlen = w.len;
		g->is_used = false;
		used += w.len;
		out->n++;
	}
	return true;
}

static bool same_rr(const struct rpl_rr *want, const struct got_rr *got, bool with_ttl)
{
	return want->type == got->at->type && want->class == got->at->class &&
	       want->rdlen == got->rdlen && (!with_ttl || want->ttl == got->at->ttl) &&
	       dname_equal(want->owner, got->owner) &&
	       rrtype_rdata_equal(want->type, want->rdata, got->rdata, got->rdlen);
}

static bool take_one(struct got *got, const struct rpl_rr *want, bool with_ttl)
{
	for (unsigned i = 0; i < got->n; i++) {
		if (!got->rr[i].is_used && same_rr(want, &got->rr[i], with_ttl)) {
			got->rr[i].is_used = true;
			return true;
		}
	}
	return false;
}

static size_t add_text(char *why, size_t at, char sign, const char *line)
{
	int n = at < RPL_WHY_LEN ? snprintf(why + at, RPL_WHY_LEN - at, "\n    %c %s", sign, line)
				 : 0;

	return at + (size_t)(n > 0 ? n : 0);
}

static bool same_section(const struct rpl_entry *e, const struct msg *m, enum dns_section section,
	const char *name, char *why)
{
	static struct got got;
	const struct rpl_packet *p = &e->packet;
	bool with_ttl = e->match & RPL_MATCH_TTL, same = true;
	char line[RRTEXT_LINE_MAX];
	size_t at;

	if (!read_section(m, section, &got))
		return differs(why, "%s section: unreadable", name);
	at = (size_t)snprintf(why, RPL_WHY_LEN,
		"%s section: %u records, %u wanted (+ too many, "
		"- missing)",
		name, got.n, p->n_rr[section]);
	for (const struct rpl_rr *rr = p->rr[section]; rr; rr = rr->next) {
		if (take_one(&got, rr, with_ttl))
			continue;
		same = false;
		at = add_text(why, at, '-',
			rrtext_format(rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, rr->rdlen,
				line, sizeof(line)));
	}
	for (unsigned i = 0; i < got.n; i++) {
		const struct got_rr *g = &got.rr[i];

		if (g->is_used)
			continue;
		same = false;
		at = add_text(why, at, '+',
			rrtext_format(g->owner, g->at->type, g->at->class, g->at->ttl, g->rdata,
				g->rdlen, line, sizeof(line)));
	}
	return same;
}

static bool same_head(const struct rpl_entry *e, const struct msg *m, char *why)
{
	const uint16_t flags = DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_TC | DNS_FLAG_RD | DNS_FLAG_RA |
			       DNS_FLAG_AD | DNS_FLAG_CD;
	const struct rpl_packet *p = &e->packet;
	unsigned question = RPL_MATCH_OPCODE | RPL_MATCH_QUESTION | RPL_MATCH_QCASE;
	char name[DNAME_TEXT_MAX] = "none", type[16], want[16], got[16];

	if (e->match & RPL_MATCH_RCODE && m->rcode != p->rcode)
		return differs(why, "rcode %s, wanted %s", rcode_name(m->rcode, got),
			rcode_name(p->rcode, want));
	if (e->match & RPL_MATCH_FLAGS && (m->flags & flags) != (p->flags & flags))
		return differs(why, "flags %04x, wanted %04x", m->flags & flags, p->flags & flags);
	if (e->match & RPL_MATCH_EDE && m->edns.ede != p->ede)
		return differs(why, "extended error %d, wanted %d", m->edns.ede, p->ede);
	if ((e->match & RPL_MATCH_EDNS && !m->edns.present) ||
		(e->match & RPL_MATCH_NO_EDNS && m->edns.present))
		return differs(why, "EDNS or none");
	if (has_question(p, e->match & question, &m->q, m->opcode))
		return true;
	return differs(why, "question %s %s, opcode %u",
		m->q.name_len ? dname_format(m->q.name, name) : name, rrtype_name(m->q.type, type),
		m->opcode);
}

bool rpl_entry_is(const struct rpl_entry *e, const uint8_t *wire, size_t len, char *why)
{
	static const struct {
		unsigned match;
		enum dns_section section;
		const char *name;
	} SECTIONS[] = {{RPL_MATCH_ANSWER, DNS_SECTION_ANSWER, "answer"},
		{RPL_MATCH_AUTHORITY, DNS_SECTION_AUTHORITY, "authority"},
		{RPL_MATCH_ADDITIONAL, DNS_SECTION_ADDITIONAL, "additional"}};
	static struct msg m;

	if (msg_parse(wire, len, &m) != 0)
		return differs(why, "unreadable answer");
	if (!same_head(e, &m, why))
		return false;
	for (int i = 0; i < 3; i++)
		if (e->match & SECTIONS[i].match &&
			!same_section(e, &m, SECTIONS[i].section, SECTIONS[i].name, why))
			return false;
	return true;
}
