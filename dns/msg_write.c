/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/msg_write.h"

#include <string.h>

#include "dns/rrtype.h"

/* Compression: every suffix of a name that is written in full is remembered by its offset and a
 * hash, up to MSG_WRITE_NAMES_MAX. A new name is looked up from its longest suffix on; the first
 * hit ends it with a pointer. The hash is not keyed: whoever builds colliding names gains longer
 * chains, and MSG_WRITE_STEPS_MAX ends that. */

#define POINTER_MAX 0x3fff
#define CHAIN_END   UINT8_MAX

_Static_assert(MSG_WRITE_NAMES_MAX < CHAIN_END, "chain[] holds an index of names[]");

/* What is needed to take back a record that did not fit. */
struct mark {
	size_t len;
	uint16_t counts[4], n_names, n_ttl;
	bool ttl_overflow;
};

static struct mark take_mark(const struct msg_writer *w)
{
	struct mark m = {.len = w->b.len,
		.n_names = w->n_names,
		.n_ttl = w->n_ttl,
		.ttl_overflow = w->ttl_overflow};

	memcpy(m.counts, w->counts, sizeof(m.counts));
	return m;
}

static int take_back(struct msg_writer *w, const struct mark *m)
{
	w->b.len = m->len;
	w->b.bad = false;
	w->n_ttl = m->n_ttl;
	w->ttl_overflow = m->ttl_overflow;
	memcpy(w->counts, m->counts, sizeof(m->counts));
	while (w->n_names > m->n_names) {
		uint16_t i = --w->n_names;

		w->buckets[w->tags[i] % MSG_WRITE_BUCKETS] = w->chain[i];
	}
	return ERR_SPACE;
}

/* Hash of each suffix, from the root leftwards: tags[i] is of the name that starts at off[i]. */
static unsigned hash_suffixes(
	const uint8_t *name, uint8_t off[DNAME_LABELS_MAX], uint32_t tags[DNAME_LABELS_MAX])
{
	unsigned n = 0;
	uint32_t h = 2166136261u;

	for (const uint8_t *p = name; *p && n < DNAME_LABELS_MAX; p += 1 + *p)
		off[n++] = (uint8_t)(p - name);
	for (unsigned i = n; i-- > 0;) {
		const uint8_t *label = name + off[i];

		/* | 0x20 makes case equal, and a few other octets with it: only a hash */
		for (unsigned k = 0; k <= *label; k++)
			h = (h ^ (label[k] | 0x20u)) * 16777619u;
		h ^= h >> 15;
		tags[i] = h;
	}
	return n;
}

/* The name at an offset of our own message equals name. What stands there we wrote: pointers lead
 * backwards. */
static bool equals_written(const struct msg_writer *w, size_t at, const uint8_t *name)
{
	for (;;) {
		const uint8_t *p = w->b.base + at;

		if (*p >= 0xc0) {
			at = (size_t)(p[0] << 8 | p[1]) & POINTER_MAX;
			continue;
		}
		if (*p != *name)
			return false;
		if (*p == 0)
			return true;
		for (unsigned i = 1; i <= *p; i++) {
			uint8_t a = p[i], b = name[i];

			if (a != b && ((a ^ b) != 0x20 || (a | 0x20) < 'a' || (a | 0x20) > 'z'))
				return false;
		}
		at += 1 + (size_t)*p;
		name += 1 + *name;
	}
}

/* Offset of an equal name written before; 0: none. */
static uint16_t find_written(struct msg_writer *w, uint32_t tag, const uint8_t *name)
{
	w->steps++;
	for (uint8_t i = w->buckets[tag % MSG_WRITE_BUCKETS]; i != CHAIN_END; i = w->chain[i]) {
		w->steps++;
		if (w->tags[i] == tag && equals_written(w, w->names[i], name))
			return w->names[i];
	}
	return 0;
}

static void remember(struct msg_writer *w, uint32_t tag, size_t at)
{
	uint8_t *bucket = &w->buckets[tag % MSG_WRITE_BUCKETS];

	if (w->n_names >= MSG_WRITE_NAMES_MAX || at > POINTER_MAX)
		return;
	w->names[w->n_names] = (uint16_t)at;
	w->tags[w->n_names] = tag;
	w->chain[w->n_names] = *bucket;
	*bucket = (uint8_t)w->n_names++;
}

static void write_name(struct msg_writer *w, const uint8_t *name)
{
	uint8_t off[DNAME_LABELS_MAX];
	uint32_t tags[DNAME_LABELS_MAX];
	unsigned n, i;
	size_t start = w->b.len;
	uint16_t found = 0;

	if (w->steps >= MSG_WRITE_STEPS_MAX) {
		wbuf_put(&w->b, name, dname_len(name));
		return;
	}
	n = hash_suffixes(name, off, tags);
	for (i = 0; i < n; i++) {
		found = find_written(w, tags[i], name + off[i]);
		if (found)
			break;
	}
	/* i labels in full, then a pointer or the root */
	wbuf_put(&w->b, name, i < n ? off[i] : dname_len(name) - 1);
	if (found)
		wbuf_u16(&w->b, 0xc000u | found);
	else
		wbuf_u8(&w->b, 0);
	if (w->b.bad)
		return;
	for (unsigned k = 0; k < i; k++)
		remember(w, tags[k], start + off[k]);
}

static void write_rdata(struct msg_writer *w, uint16_t type, const uint8_t *rdata, size_t len)
{
	size_t pos = 0, name_pos, done = 0;
	uint8_t *rdlen = wbuf_reserve(&w->b, 2);
	size_t start = w->b.len;

	while (rrtype_next_name(type, rdata, len, &pos, &name_pos)) {
		wbuf_put(&w->b, rdata + done, name_pos - done);
		write_name(w, rdata + name_pos);
		done = pos;
	}
	wbuf_put(&w->b, rdata + done, len - done);
	if (rdlen)
		wbuf_set16(rdlen, (unsigned)(w->b.len - start));
}

static void write_record(struct msg_writer *w, enum dns_section section, const uint8_t *owner,
	uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata, size_t rdlen)
{
	write_name(w, owner);
	wbuf_u16(&w->b, type);
	wbuf_u16(&w->b, class);
	if (w->n_ttl < MSG_WRITE_TTL_MAX)
		w->ttl_off[w->n_ttl++] = (uint16_t)w->b.len;
	else
		w->ttl_overflow = true;
	wbuf_u32(&w->b, ttl);
	write_rdata(w, type, rdata, rdlen);
	w->counts[section + 1]++;
}

void msg_write_begin(struct msg_writer *w, uint8_t *buf, size_t cap, uint16_t id, uint16_t flags,
	const struct question *q)
{
	/* Offsets are 16 bits wide, as is a message over TCP. */
	w->b = wbuf_of(buf, cap < UINT16_MAX ? cap : UINT16_MAX);
	memset(w->counts, 0, sizeof(w->counts));
	memset(w->buckets, CHAIN_END, sizeof(w->buckets));
	w->steps = w->n_names = w->n_ttl = 0;
	w->ttl_overflow = false;
	wbuf_u16(&w->b, id);
	wbuf_u16(&w->b, flags);
	wbuf_reserve(&w->b, 8);
	if (!q)
		return;
	write_name(w, q->name);
	wbuf_u16(&w->b, q->type);
	wbuf_u16(&w->b, q->class);
	w->counts[0] = 1;
}

int msg_write_rrset(struct msg_writer *w, enum dns_section section, const struct rrset *rr,
	uint32_t ttl, bool with_sigs)
{
	struct rrset_iter it = rrset_begin(rr);
	struct mark mark = take_mark(w);

	if (w->b.bad)
		return ERR_SPACE;
	while (rrset_next(&it)) {
		if (it.is_sig && !with_sigs)
			break;
		write_record(w, section, rrset_owner(rr), it.is_sig ? DNS_TYPE_RRSIG : rr->type,
			rr->class, ttl, it.rdata, it.len);
		if (w->b.bad)
			return take_back(w, &mark);
	}
	return 0;
}

int msg_write_rr(struct msg_writer *w, enum dns_section section, const uint8_t *owner,
	uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata, size_t rdlen)
{
	struct mark mark = take_mark(w);

	if (w->b.bad)
		return ERR_SPACE;
	write_record(w, section, owner, type, class, ttl, rdata, rdlen);
	return w->b.bad ? take_back(w, &mark) : 0;
}

int msg_write_opt(struct msg_writer *w, const struct edns_reply *r)
{
	if (w->b.bad || w->b.cap - w->b.len < edns_write_len(r))
		return ERR_SPACE;
	edns_write(&w->b, r);
	w->counts[3]++;
	return 0;
}

size_t msg_write_end(struct msg_writer *w)
{
	if (w->b.len < DNS_HEADER_LEN)
		return 0;
	for (int i = 0; i < 4; i++)
		wbuf_set16(w->b.base + 4 + 2 * i, w->counts[i]);
	return w->b.len;
}

int msg_write_query(uint8_t *buf, size_t cap, uint16_t id, uint16_t flags, const struct question *q,
	const struct edns_reply *edns, size_t *out_len)
{
	struct wbuf b = wbuf_of(buf, cap);

	wbuf_u16(&b, id);
	wbuf_u16(&b, flags);
	wbuf_u16(&b, 1);
	wbuf_u32(&b, 0);
	wbuf_u16(&b, edns ? 1 : 0);
	wbuf_put(&b, q->name, q->name_len);
	wbuf_u16(&b, q->type);
	wbuf_u16(&b, q->class);
	if (edns)
		edns_write(&b, edns);
	if (b.bad)
		return ERR_SPACE;
	*out_len = b.len;
	return 0;
}
