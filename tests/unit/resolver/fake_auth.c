/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/resolver/fake_auth.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dname.h"
#include "dns/msg_write.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"

struct fake_rr {
	struct fake_rr *next;
	uint8_t owner[DNAME_MAX];
	uint16_t type;
	uint32_t ttl;
	size_t rdlen;
	uint8_t rdata[];
};

struct fake_zone {
	struct fake_zone *next;
	uint8_t apex[DNAME_MAX];
	struct fake_rr *rrs;
};

static void bad(const char *what, const char *text)
{
	fprintf(stderr, "bad test data: %s: %s\n", what, text);
	abort();
}

static void add_rr(struct fake_zone *z, const char *line)
{
	struct rrtext_rr rr;
	struct fake_rr *new, **link = &z->rrs;

	if (rrtext_read(line, 3600, z->apex, &rr) != 0)
		bad("record", line);
	new = calloc(1, sizeof(*new) + rr.rdlen);
	memcpy(new->owner, rr.owner, rr.owner_len);
	dname_lower(new->owner, rr.owner_len);
	new->type = rr.type;
	new->ttl = rr.ttl;
	new->rdlen = rr.rdlen;
	memcpy(new->rdata, rr.rdata, rr.rdlen);
	while (*link)
		link = &(*link)->next;
	*link = new;
}

static bool has(const struct fake_zone *z, const uint8_t *owner, uint16_t type)
{
	for (const struct fake_rr *r = z->rrs; r; r = r->next) {
		if (dname_equal(r->owner, owner) && (type == DNS_TYPE_ANY || r->type == type))
			return true;
	}
	return false;
}

void fake_auth_zone_new(struct fake_server *s, const char *apex, const char *records)
{
	struct fake_zone *z = calloc(1, sizeof(*z));
	char *copy = strdup(records), *save = NULL;
	size_t len;

	if (dname_read(apex, z->apex, &len) != 0)
		bad("apex", apex);
	dname_lower(z->apex, len);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		while (isspace((unsigned char)*line))
			line++;
		if (*line && *line != ';')
			add_rr(z, line);
	}
	if (!has(z, z->apex, DNS_TYPE_SOA))
		add_rr(z, "@ 3600 IN SOA ns.invalid. admin.invalid. 1 3600 600 86400 300");
	free(copy);
	z->next = s->zones;
	s->zones = z;
}

void fake_auth_zones_free(struct fake_server *s)
{
	struct fake_zone *z;
	struct fake_rr *r;

	while ((z = s->zones)) {
		s->zones = z->next;
		while ((r = z->rrs)) {
			z->rrs = r->next;
			free(r);
		}
		free(z);
	}
}

/* ---- answering ---- */

struct reply {
	struct msg_writer w;
	const struct fake_zone *z;
	bool is_aa;
	uint16_t rcode;
	uint16_t type;
	bool is_full;
};

static void put(
	struct reply *p, enum dns_section section, const struct fake_rr *r, const uint8_t *owner)
{
	if (msg_write_rr(&p->w, section, owner ? owner : r->owner, r->type, DNS_CLASS_IN, r->ttl,
		    r->rdata, r->rdlen) != 0)
		p->is_full = true;
}

/* All of an owner's records of a type, with the signatures over them. Returns how many. */
static unsigned put_set(struct reply *p, enum dns_section section, const uint8_t *owner,
	uint16_t type, const uint8_t *as)
{
	unsigned n = 0;

	for (const struct fake_rr *r = p->z->rrs; r; r = r->next) {
		bool is_sig = r->type == DNS_TYPE_RRSIG && type != DNS_TYPE_ANY &&
			      rrset_sig_covers(r->rdata) == type;

		if (!dname_equal(r->owner, owner))
			continue;
		if (r->type != type && type != DNS_TYPE_ANY && !is_sig)
			continue;
		put(p, section, r, as);
		n += !is_sig;
	}
	return n;
}

static const struct fake_rr *first(const struct reply *p, const uint8_t *owner, uint16_t type)
{
	for (const struct fake_rr *r = p->z->rrs; r; r = r->next) {
		if (r->type == type && dname_equal(r->owner, owner))
			return r;
	}
	return NULL;
}

static bool has_below(const struct fake_zone *z, const uint8_t *name)
{
	for (const struct fake_rr *r = z->rrs; r; r = r->next) {
		if (dname_is_under(r->owner, name) && !dname_equal(r->owner, name))
			return true;
	}
	return false;
}

static void put_glue(struct reply *p, const uint8_t *cut)
{
	for (const struct fake_rr *r = p->z->rrs; r; r = r->next) {
		if (r->type != DNS_TYPE_NS || !dname_equal(r->owner, cut))
			continue;
		put_set(p, DNS_SECTION_ADDITIONAL, r->rdata, DNS_TYPE_A, NULL);
		put_set(p, DNS_SECTION_ADDITIONAL, r->rdata, DNS_TYPE_AAAA, NULL);
	}
}

static void refer(struct reply *p, const uint8_t *cut)
{
	p->is_aa = false;
	put_set(p, DNS_SECTION_AUTHORITY, cut, DNS_TYPE_NS, NULL);
	put_set(p, DNS_SECTION_AUTHORITY, cut, DNS_TYPE_DS, NULL);
	put_set(p, DNS_SECTION_AUTHORITY, cut, DNS_TYPE_NSEC, NULL);
	put_glue(p, cut);
}

static void deny(struct reply *p, const struct fake_server *s, bool is_nxdomain)
{
	if (is_nxdomain)
		p->rcode = DNS_RCODE_NXDOMAIN;
	if (!(s->faults & FAKE_NO_SOA))
		put_set(p, DNS_SECTION_AUTHORITY, p->z->apex, DNS_TYPE_SOA, NULL);
}

/* The cut at or above name, below the apex; NULL when name is ours. */
static const uint8_t *find_cut(const struct reply *p, const uint8_t *name)
{
	unsigned apex = dname_labels(p->z->apex), all = dname_labels(name);

	for (unsigned n = apex + 1; n <= all; n++) {
		const uint8_t *at = dname_suffix(name, n);

		if (n == all && p->type == DNS_TYPE_DS)
			return NULL;
		if (has(p->z, at, DNS_TYPE_NS))
			return at;
	}
	return NULL;
}

/* One name. Returns the name to go on with, in `next`, or NULL. */
static const uint8_t *answer_name(
	struct reply *p, const struct fake_server *s, const uint8_t *name, uint8_t *next)
{
	const uint8_t *cut = find_cut(p, name), *source = name;
	const struct fake_rr *alias;
	size_t len;

	if (cut) {
		refer(p, cut);
		return NULL;
	}
	for (unsigned n = dname_labels(p->z->apex); n < dname_labels(name); n++) {
		const uint8_t *at = dname_suffix(name, n);
		const struct fake_rr *d = first(p, at, DNS_TYPE_DNAME);

		if (!d)
			continue;
		put_set(p, DNS_SECTION_ANSWER, at, DNS_TYPE_DNAME, NULL);
		if (dname_join(name, dname_len(name) - dname_len(at), d->rdata, next, &len) != 0) {
			p->rcode = DNS_RCODE_YXDOMAIN;
			return NULL;
		}
		if (msg_write_rr(&p->w, DNS_SECTION_ANSWER, name, DNS_TYPE_CNAME, DNS_CLASS_IN,
			    d->ttl, next, len) != 0)
			p->is_full = true;
		return next;
	}
	if (!has(p->z, name, DNS_TYPE_ANY)) {
		uint8_t star[DNAME_MAX] = {1, '*'};
		unsigned n = dname_labels(name) - 1;

		if (has_below(p->z, name)) {
			deny(p, s, s->faults & FAKE_DENIES_ENTS);
			return NULL;
		}
		/* The closest ancestor that exists decides which wildcard there is. */
		while (n > dname_labels(p->z->apex) &&
			!has(p->z, dname_suffix(name, n), DNS_TYPE_ANY) &&
			!has_below(p->z, dname_suffix(name, n)))
			n--;
		dname_copy(dname_suffix(name, n), star + 2);
		if (!has(p->z, star, DNS_TYPE_ANY)) {
			deny(p, s, true);
			return NULL;
		}
		put_set(p, DNS_SECTION_AUTHORITY, star, DNS_TYPE_NSEC, NULL);
		source = first(p, star, DNS_TYPE_CNAME) ? first(p, star, DNS_TYPE_CNAME)->owner
			 : first(p, star, p->type)	? first(p, star, p->type)->owner
							: p->z->apex;
		if (source == p->z->apex) {
			deny(p, s, false);
			return NULL;
		}
	}
	if (put_set(p, DNS_SECTION_ANSWER, source, p->type, name) > 0) {
		if (p->type == DNS_TYPE_NS)
			put_glue(p, source);
		return NULL;
	}
	alias = first(p, source, DNS_TYPE_CNAME);
	if (alias) {
		put_set(p, DNS_SECTION_ANSWER, source, DNS_TYPE_CNAME, name);
		dname_copy(alias->rdata, next);
		return next;
	}
	deny(p, s, false);
	return NULL;
}

static const struct fake_zone *find_zone(
	const struct fake_server *s, const uint8_t *name, uint16_t type)
{
	const struct fake_zone *best = NULL;

	for (const struct fake_zone *z = s->zones; z; z = z->next) {
		if (!dname_is_under(name, z->apex))
			continue;
		if (type == DNS_TYPE_DS && dname_equal(name, z->apex) && z->apex[0])
			continue;
		if (!best || dname_labels(z->apex) > dname_labels(best->apex))
			best = z;
	}
	return best;
}

static void answer_question(struct reply *p, struct fake_server *s, const uint8_t *name)
{
	uint8_t buf[2][DNAME_MAX];
	unsigned n = 0;

	p->is_aa = true;
	while (name) {
		p->z = find_zone(s, name, p->type);
		if (!p->z) {
			if (n == 0) {
				p->is_aa = false;
				p->rcode = DNS_RCODE_REFUSED;
			}
			return;
		}
		if (n++ > 20)
			return;
		name = answer_name(p, s, name, buf[n & 1]);
	}
}

static bool exists(const struct fake_server *s, const uint8_t *name)
{
	const struct fake_zone *z = find_zone(s, name, 0);

	return z && has(z, name, DNS_TYPE_ANY);
}

static size_t bare(
	const struct fake_ask *ask, uint16_t rcode, bool with_question, uint8_t *out, size_t cap)
{
	struct msg_writer w;

	msg_write_begin(&w, out, cap, ask->q.id, (uint16_t)(DNS_FLAG_QR | rcode),
		with_question ? &ask->q.q : NULL);
	return msg_write_end(&w);
}

static size_t upward(const struct fake_ask *ask, uint8_t *out, size_t cap)
{
	static const uint8_t root[1] = "", target[] = "\1a\14root-servers\3net";
	struct msg_writer w;

	msg_write_begin(&w, out, cap, ask->q.id, DNS_FLAG_QR, &ask->q.q);
	(void)!msg_write_rr(&w, DNS_SECTION_AUTHORITY, root, DNS_TYPE_NS, DNS_CLASS_IN, 3600,
		target, sizeof(target));
	return msg_write_end(&w);
}

/* RFC 7873: a server cookie of 8 octets, the same for everybody here. */
static const uint8_t SERVER_COOKIE[8] = "baked!!";

static void put_opt(struct reply *p, const struct fake_server *s, const struct fake_ask *ask)
{
	uint8_t cookie[16];
	struct edns_reply e = {
		.udp_size = 1232,
		.rcode = p->rcode,
		.is_do = ask->q.edns.is_do,
		.ede = DNS_EDE_NONE,
	};

	if (s->faults & FAKE_COOKIES && ask->q.edns.cookie_len >= 8) {
		memcpy(cookie, ask->q.edns.cookie, 8);
		memcpy(cookie + 8, SERVER_COOKIE, 8);
		e.cookie = cookie;
		e.cookie_len = 16;
	}
	if (msg_write_opt(&p->w, &e) != 0)
		p->is_full = true;
}

static bool lacks_cookie(const struct fake_server *s, const struct fake_ask *ask)
{
	return s->faults & FAKE_COOKIES && !ask->is_tcp && ask->q.edns.cookie_len >= 8 &&
	       (ask->q.edns.cookie_len != 16 || memcmp(ask->q.edns.cookie + 8, SERVER_COOKIE, 8));
}

static size_t truncated(const struct fake_ask *ask, uint8_t *out, size_t cap)
{
	struct msg_writer w;

	msg_write_begin(
		&w, out, cap, ask->q.id, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_TC, &ask->q.q);
	return msg_write_end(&w);
}

size_t fake_auth_answer(struct fake_server *s, const struct fake_ask *ask, uint8_t *out, size_t cap)
{
	struct reply p = {.type = ask->q.q.type};
	struct question q = ask->q.q;
	uint16_t flags = DNS_FLAG_QR;
	uint8_t lower[DNAME_MAX];
	size_t limit = ask->is_tcp ? cap : ask->q.edns.present ? ask->q.edns.udp_size : 512;

	if (s->faults & FAKE_NO_EDNS && ask->q.edns.present)
		return bare(ask, DNS_RCODE_FORMERR, true, out, cap);
	if (s->faults & FAKE_NO_EDNS_BARE && ask->q.edns.present)
		return bare(ask, DNS_RCODE_FORMERR, false, out, cap);
	if (s->faults & FAKE_DEAD || (s->faults & FAKE_DROPS_EDNS && ask->q.edns.present))
		return 0;
	if (s->faults & FAKE_SERVFAIL)
		return bare(ask, DNS_RCODE_SERVFAIL, true, out, cap);
	if (s->faults & FAKE_REFUSED)
		return bare(ask, DNS_RCODE_REFUSED, true, out, cap);
	if (s->faults & FAKE_UPWARD)
		return upward(ask, out, cap);
	if (s->faults & FAKE_TCP_ONLY && !ask->is_tcp)
		return truncated(ask, out, cap);
	dname_copy_lower(q.name, lower);
	if (s->faults & FAKE_REFUSES_PARTS && !exists(s, lower))
		return bare(ask, DNS_RCODE_REFUSED, true, out, cap);
	if (s->faults & FAKE_FORMERR_PARTS && !exists(s, lower))
		return bare(ask, DNS_RCODE_FORMERR, true, out, cap);
	if (s->faults & FAKE_FOLDS_CASE)
		dname_lower(q.name, q.name_len);
	msg_write_begin(&p.w, out, cap, ask->q.id, 0, &q);
	if (lacks_cookie(s, ask))
		p.rcode = DNS_RCODE_BADCOOKIE;
	else
		answer_question(&p, s, lower);
	if (ask->q.edns.present && !(s->faults & FAKE_NO_EDNS))
		put_opt(&p, s, ask);
	flags |= (uint16_t)(p.rcode & 15);
	if (s->faults & FAKE_RECURSIVE)
		flags |= DNS_FLAG_RA;
	else if (p.is_aa)
		flags |= DNS_FLAG_AA;
	flags |= ask->q.flags & DNS_FLAG_RD;
	wbuf_set16(out + 2, flags);
	if (p.is_full || p.w.b.len > limit)
		return truncated(ask, out, cap);
	return msg_write_end(&p.w);
}
