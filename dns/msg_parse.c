/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/msg_parse.h"

#include <string.h>

#include "dns/rrtype.h"

static int parse_question(struct rbuf *b, struct question *out)
{
	size_t name_len;
	int err = dname_parse_plain(b, out->name, &name_len);

	if (err != 0)
		return err;
	out->name_len = (uint8_t)name_len;
	out->type = rbuf_u16(b);
	out->class = rbuf_u16(b);
	return b->bad ? ERR_TRUNC : 0;
}

/* The records of a query: everything is stepped over, but for the one OPT it may hold. */
static int scan_for_opt(struct rbuf *b, unsigned n_before, unsigned n_additional, struct edns *out)
{
	for (unsigned i = 0; i < n_before + n_additional; i++) {
		bool is_root = rbuf_left(b) && b->base[b->pos] == 0;
		uint16_t type;

		if (dname_skip(b) != 0)
			return ERR_MALFORMED;
		type = rbuf_u16(b);
		if (type == DNS_TYPE_OPT) {
			/* RFC 6891 6.1.1: one, owned by the root, in the additional section. */
			if (!is_root || i < n_before || out->present)
				return ERR_MALFORMED;
			if (edns_parse(b, out) != 0)
				return ERR_MALFORMED;
			continue;
		}
		rbuf_skip(b, 6); /* class, TTL */
		rbuf_skip(b, rbuf_u16(b));
		if (b->bad)
			return ERR_MALFORMED;
	}
	return 0;
}

int msg_parse_query(const uint8_t *wire, size_t len, struct msg_query *out)
{
	struct rbuf b = rbuf_of(wire, len);
	uint16_t counts[4];

	out->id = rbuf_u16(&b);
	out->flags = rbuf_u16(&b);
	for (int i = 0; i < 4; i++)
		counts[i] = rbuf_u16(&b);
	out->opcode = out->flags >> 11 & 15;
	out->has_question = false;
	out->question_len = 0;
	out->edns.present = false;
	out->edns.is_do = false;
	out->edns.version = 0;
	out->edns.ext_rcode = 0;
	out->edns.udp_size = DNS_UDP_PLAIN_LEN;
	out->edns.cookie_len = 0;
	out->edns.cookie_malformed = false;
	out->edns.has_keepalive = false;
	out->edns.ede = DNS_EDE_NONE;
	if (b.bad || out->flags & DNS_FLAG_QR)
		return ERR_TRUNC;
	if (counts[0] == 1 && parse_question(&b, &out->q) == 0) {
		out->has_question = true;
		out->question_len = (uint16_t)(b.pos - DNS_HEADER_LEN);
	}
	/* The sections of other opcodes mean other things; NOTIMP needs the question alone. */
	if (out->opcode != DNS_OPCODE_QUERY)
		return 0;
	if (!out->has_question)
		return ERR_MALFORMED;
	return scan_for_opt(&b, (unsigned)counts[1] + counts[2], counts[3], &out->edns);
}

/* One record of a reply. OPT goes to out->edns. */
static int parse_record(struct rbuf *b, enum dns_section section, struct msg *out)
{
	bool is_root = rbuf_left(b) && b->base[b->pos] == 0;
	size_t owner = b->pos;
	struct msg_rr rr;

	if (dname_skip(b) != 0)
		return b->bad ? ERR_TRUNC : ERR_MALFORMED;
	rr.type = rbuf_u16(b);
	if (rr.type == DNS_TYPE_OPT) {
		if (!is_root || section != DNS_SECTION_ADDITIONAL || out->edns.present)
			return ERR_MALFORMED;
		return edns_parse(b, &out->edns);
	}
	rr.class = rbuf_u16(b);
	rr.ttl = rbuf_u32(b);
	rr.rdlen = rbuf_u16(b);
	rr.owner = (uint16_t)owner;
	rr.rdata = (uint16_t)b->pos;
	rr.section = (uint8_t)section;
	rbuf_skip(b, rr.rdlen);
	if (b->bad)
		return ERR_TRUNC;
	if (rr.ttl > INT32_MAX)
		rr.ttl = 0; /* RFC 2181 8 */
	if (out->n_rr >= MSG_RR_MAX)
		return ERR_LIMIT;
	out->rr[out->n_rr++] = rr;
	return 0;
}

int msg_parse(const uint8_t *wire, size_t len, struct msg *out)
{
	struct rbuf b = rbuf_of(wire, len);
	int err;

	if (len > UINT16_MAX)
		return ERR_LIMIT;
	out->wire = wire;
	out->len = len;
	out->id = rbuf_u16(&b);
	out->flags = rbuf_u16(&b);
	for (int i = 0; i < 4; i++)
		out->counts[i] = rbuf_u16(&b);
	out->opcode = out->flags >> 11 & 15;
	out->rcode = out->flags & 15;
	out->n_rr = 0;
	out->q.name[0] = 0;
	out->q.name_len = 0;
	out->q.type = out->q.class = 0;
	out->edns = (struct edns){.udp_size = DNS_UDP_PLAIN_LEN, .ede = DNS_EDE_NONE};
	if (b.bad)
		return ERR_TRUNC;
	if (out->counts[0] > 1)
		return ERR_MALFORMED;
	if (out->counts[0] == 1) {
		err = parse_question(&b, &out->q);
		if (err != 0)
			return err;
	}
	for (int section = DNS_SECTION_ANSWER; section <= DNS_SECTION_ADDITIONAL; section++) {
		for (unsigned i = 0; i < out->counts[section + 1]; i++) {
			err = parse_record(&b, (enum dns_section)section, out);
			/* Some servers cut a truncated reply in the middle of a record. */
			if (err == ERR_TRUNC && out->flags & DNS_FLAG_TC)
				return 0;
			if (err != 0)
				return err;
		}
	}
	out->rcode |= (uint16_t)(out->edns.ext_rcode << 4);
	return 0;
}

/* ---- RRsets ----
 *
 * Two rounds over the section. The first puts each record into a group of equal owner, type and
 * class (RRSIGs apart, by what they cover); the second builds one block per group, records first,
 * then the signatures found for it. Groups are found through a hash of the owner, so a section of
 * a thousand owners costs a thousand lookups; equal 64-bit hashes are confirmed by comparing. */

#define GROUP_BUCKETS 256
#define GROUP_NONE    UINT16_MAX

struct group {
	uint64_t hash;
	uint16_t owner; /* offset of the first member's owner */
	uint16_t type, class;
	uint16_t covers;      /* of RRSIGs, else 0 */
	uint16_t first, last; /* members, chained by grouping.next */
	uint16_t chain;	      /* next group of the bucket */
	bool is_taken;	      /* RRSIGs that went beside their records */
};

struct grouping {
	const struct msg *m;
	size_t n_groups;
	struct group *groups;
	uint16_t *next; /* by index in m->rr */
	uint16_t buckets[GROUP_BUCKETS];
};

/* Only spreads owners over buckets: equal 64-bit hashes are confirmed, and a bucket that fills
 * costs at most MSG_RR_MAX integer compares a record. So a fixed key will do. */
static const struct hash_key GROUP_KEY = {0x6c616e74686f726eu, 0x67726f757073u};

static int owner_at(const struct msg *m, size_t offset, uint8_t *name, size_t *len)
{
	struct rbuf b = rbuf_of(m->wire, m->len);

	b.pos = offset;
	return dname_parse(&b, name, len);
}

static bool same_owner(
	const struct msg *m, const struct group *g, uint16_t offset, const uint8_t *name)
{
	uint8_t other[DNAME_MAX];
	size_t len;

	if (g->owner == offset)
		return true;
	return owner_at(m, g->owner, other, &len) == 0 && dname_equal(other, name);
}

/* The group of this type (and of what it covers, for RRSIGs) with the owner and class of another.
 */
static struct group *find_group(struct grouping *s, const struct group *of, uint16_t type,
	uint16_t covers, const uint8_t *owner)
{
	for (uint16_t i = s->buckets[of->hash % GROUP_BUCKETS]; i != GROUP_NONE;
		i = s->groups[i].chain) {
		struct group *g = &s->groups[i];

		if (g->hash == of->hash && g->type == type && g->covers == covers &&
			g->class == of->class && same_owner(s->m, g, of->owner, owner))
			return g;
	}
	return NULL;
}

static int group_record(struct grouping *s, uint16_t index)
{
	const struct msg_rr *rr = &s->m->rr[index];
	uint8_t owner[DNAME_MAX];
	size_t owner_len;
	struct group *g, probe;

	if (owner_at(s->m, rr->owner, owner, &owner_len) != 0)
		return ERR_MALFORMED;
	if (rr->type == DNS_TYPE_RRSIG && rr->rdlen < 2)
		return ERR_MALFORMED;
	probe = (struct group){
		.hash = dname_hash(&GROUP_KEY, owner, owner_len),
		.owner = rr->owner,
		.type = rr->type,
		.class = rr->class,
		.covers = rr->type == DNS_TYPE_RRSIG ? rrset_sig_covers(s->m->wire + rr->rdata) : 0,
		.first = index,
		.last = index,
	};
	s->next[index] = GROUP_NONE;
	g = find_group(s, &probe, probe.type, probe.covers, owner);
	if (g) {
		s->next[g->last] = index;
		g->last = index;
		return 0;
	}
	probe.chain = s->buckets[probe.hash % GROUP_BUCKETS];
	s->buckets[probe.hash % GROUP_BUCKETS] = (uint16_t)s->n_groups;
	s->groups[s->n_groups++] = probe;
	return 0;
}

/* Where one RRset is put together before its size is known. */
struct assembly {
	_Alignas(struct rrset) uint8_t block[RRSET_SIZE_MAX];
	uint8_t rdata[RRSET_SIZE_MAX];
};

static int add_members(
	const struct grouping *s, const struct group *g, bool as_sigs, struct assembly *x)
{
	struct rrset *set = (struct rrset *)x->block;

	for (uint16_t i = g->first; i != GROUP_NONE; i = s->next[i]) {
		const struct msg_rr *rr = &s->m->rr[i];
		struct wbuf rdata = wbuf_of(x->rdata, sizeof(x->rdata));
		struct rbuf b = rbuf_of(s->m->wire, s->m->len);
		int err;

		b.pos = rr->rdata;
		err = rrtype_expand_rdata(&b, rr->type, rr->rdlen, &rdata);
		if (err != 0)
			return err == ERR_SPACE ? ERR_LIMIT : ERR_MALFORMED;
		if (as_sigs)
			err = rrset_add_sig(set, sizeof(x->block), rdata.base, rdata.len);
		else
			err = rrset_add(set, sizeof(x->block), rdata.base, rdata.len);
		if (err != 0)
			return ERR_LIMIT;
		if (rr->ttl < set->ttl)
			set->ttl = rr->ttl;
	}
	return 0;
}

/* The other signatures of this owner that cover nothing present: one RRset of type RRSIG. */
static int add_lone_sigs(
	struct grouping *s, const struct group *of, const uint8_t *owner, struct assembly *x)
{
	int err = 0;

	for (uint16_t i = s->buckets[of->hash % GROUP_BUCKETS]; i != GROUP_NONE && err == 0;
		i = s->groups[i].chain) {
		struct group *g = &s->groups[i];

		if (g == of || g->is_taken || g->hash != of->hash || g->type != of->type ||
			g->class != of->class || !same_owner(s->m, g, of->owner, owner))
			continue;
		g->is_taken = true;
		err = add_members(s, g, false, x);
	}
	return err;
}

static int build_group(struct grouping *s, struct group *g, struct arena *a, struct assembly *x,
	struct rrset **out)
{
	struct rrset *set = (struct rrset *)x->block;
	uint8_t owner[DNAME_MAX];
	size_t owner_len;
	int err = owner_at(s->m, g->owner, owner, &owner_len);

	if (err != 0)
		return ERR_MALFORMED;
	set = rrset_init(x->block, sizeof(x->block), owner, g->type, g->class, INT32_MAX);
	err = add_members(s, g, false, x);
	if (err == 0 && g->type == DNS_TYPE_RRSIG) {
		err = add_lone_sigs(s, g, owner, x);
	} else if (err == 0) {
		struct group *sigs = find_group(s, g, DNS_TYPE_RRSIG, g->type, owner);

		if (sigs)
			err = add_members(s, sigs, true, x);
	}
	if (err != 0)
		return err;
	*out = arena_memdup(a, set, set->size);
	return *out ? 0 : ERR_LIMIT;
}

/* Marks signatures that have records to stand beside. */
static void take_sigs(struct grouping *s)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		struct group *sigs = &s->groups[i];
		uint8_t owner[DNAME_MAX];
		size_t len;

		if (sigs->type != DNS_TYPE_RRSIG || owner_at(s->m, sigs->owner, owner, &len) != 0)
			continue;
		sigs->is_taken = sigs->covers != DNS_TYPE_RRSIG &&
				 find_group(s, sigs, sigs->covers, 0, owner) != NULL;
	}
}

int msg_parse_rrsets(const struct msg *m, enum dns_section section, struct arena *a,
	struct rrset **out, size_t max, size_t *n_out)
{
	struct group groups[MSG_RR_MAX];
	uint16_t next[MSG_RR_MAX];
	struct grouping s = {.m = m, .groups = groups, .next = next};
	struct assembly x;
	size_t n = 0;
	int err = 0;

	memset(s.buckets, 0xff, sizeof(s.buckets));
	for (uint16_t i = 0; i < m->n_rr && err == 0; i++) {
		if (m->rr[i].section == section)
			err = group_record(&s, i);
	}
	if (err != 0)
		return err;
	take_sigs(&s);
	for (size_t i = 0; i < s.n_groups; i++) {
		if (groups[i].is_taken)
			continue;
		if (n >= max)
			return ERR_LIMIT;
		err = build_group(&s, &groups[i], a, &x, &out[n]);
		if (err != 0)
			return err;
		n++;
	}
	*n_out = n;
	return 0;
}
