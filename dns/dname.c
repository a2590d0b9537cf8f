/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/dname.h"

#include <endian.h>
#include <string.h>

#include "base/ip.h"
#include "dns/dns_const.h"

/* The two high bits of a label's first octet: 00 a length, 11 a pointer (RFC 1035 4.1.4); 01 and
 * 10 were never put to use. */
#define POINTER_BITS 0xc0u
#define POINTER_MASK 0x3fffu

/* ASCII lower case of eight octets at once. An octet is upper case when adding (0x80 - 'A') carries
 * into its top bit and adding (0x7f - 'Z') does not; octets above 0x7f stay as they are. */
static inline uint64_t fold8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t low = x & 0x7f * ones;
	uint64_t from_a = low + (0x80 - 'A') * ones;
	uint64_t past_z = low + (0x7f - 'Z') * ones;
	uint64_t upper = (from_a ^ past_z) & ~x & 0x80 * ones;

	return x | upper >> 2;
}

static inline uint64_t load8(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, 8);
	return x;
}

static inline uint8_t fold1(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Equal but for case, len octets. */
static bool fold_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		if (fold8(load8(a + i)) != fold8(load8(b + i)))
			return false;
	}
	for (; i < len; i++) {
		if (fold1(a[i]) != fold1(b[i]))
			return false;
	}
	return true;
}

static int fail(struct rbuf *b, int err)
{
	b->bad = true;
	return err;
}

/* Copy a label with its length octet. Nearly all are short: 16 octets at once where both sides have
 * them save the call; what is behind the label is overwritten by the next. */
static inline void copy_label(
	uint8_t *out, size_t room, const uint8_t *label, size_t left, size_t n)
{
	if (n <= 16 && room >= 16 && left >= 16)
		memcpy(out, label, 16);
	else
		memcpy(out, label, n);
}

int dname_parse(struct rbuf *b, uint8_t *out, size_t *out_len)
{
	const uint8_t *base = b->base;
	size_t end = b->len, at = b->pos, part = b->pos, after = 0, n = 0;
	unsigned jumps = 0;

	if (b->bad)
		return ERR_TRUNC;
	for (;;) {
		size_t len;

		if (at >= end)
			return fail(b, ERR_TRUNC);
		len = base[at];
		if (len >= POINTER_BITS) {
			size_t target;

			if (at + 2 > end)
				return fail(b, ERR_TRUNC);
			target = (len << 8 | base[at + 1]) & POINTER_MASK;
			/* Strictly backwards from where this part began: each jump shortens
			 * what is left, so no loop can be built. Nothing named stands in the
			 * header. */
			if (target >= part || target < DNS_HEADER_LEN ||
				++jumps > DNAME_POINTERS_MAX)
				return fail(b, ERR_MALFORMED);
			if (!after)
				after = at + 2;
			part = at = target;
			continue;
		}
		if (len > DNAME_LABEL_MAX)
			return fail(b, ERR_MALFORMED);
		if (n + 1 + len > DNAME_MAX) /* the root label, too, has to fit */
			return fail(b, ERR_MALFORMED);
		if (end - at < 1 + len)
			return fail(b, ERR_TRUNC);
		copy_label(out + n, DNAME_MAX - n, base + at, end - at, 1 + len);
		n += 1 + len;
		at += 1 + len;
		if (len == 0)
			break;
	}
	b->pos = after ? after : at;
	*out_len = n;
	return 0;
}

int dname_parse_plain(struct rbuf *b, uint8_t *out, size_t *out_len)
{
	const uint8_t *p = b->base + b->pos;
	size_t left = rbuf_left(b);
	size_t n = 0;

	for (;;) {
		size_t len;

		if (n >= left)
			return fail(b, ERR_TRUNC);
		len = p[n];
		if (len > DNAME_LABEL_MAX)
			return fail(b, ERR_MALFORMED);
		n += 1 + len;
		if (n > DNAME_MAX)
			return fail(b, ERR_MALFORMED);
		if (len == 0)
			break;
	}
	memcpy(out, p, n);
	b->pos += n;
	*out_len = n;
	return 0;
}

int dname_skip(struct rbuf *b)
{
	size_t n = 0;

	if (b->bad)
		return ERR_TRUNC;
	for (;;) {
		uint8_t len = rbuf_u8(b);

		if (b->bad)
			return ERR_TRUNC;
		if (len == 0)
			return 0;
		if (len >= POINTER_BITS) {
			rbuf_skip(b, 1);
			return b->bad ? ERR_TRUNC : 0;
		}
		n += 1 + (size_t)len;
		if (len > DNAME_LABEL_MAX || n >= DNAME_MAX)
			return fail(b, ERR_MALFORMED);
		rbuf_skip(b, len);
		if (b->bad)
			return ERR_TRUNC;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One octet of a label: plain, \X or \DDD. Returns how much text it took; 0 on a bad escape. */
static size_t read_octet(const char *s, uint8_t *out)
{
	int v;

	if (s[0] != '\\') {
		*out = (uint8_t)s[0];
		return 1;
	}
	if (s[1] == '\0')
		return 0;
	if (!is_digit(s[1])) {
		*out = (uint8_t)s[1];
		return 2;
	}
	if (!is_digit(s[2]) || !is_digit(s[3]))
		return 0;
	v = (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
	if (v > 255)
		return 0;
	*out = (uint8_t)v;
	return 4;
}

int dname_read(const char *text, uint8_t out[DNAME_MAX], size_t *out_len)
{
	uint8_t name[DNAME_MAX];
	size_t label = 0, n = 1; /* name[label] is the length octet of the open label */

	if (strcmp(text, ".") == 0) {
		out[0] = 0;
		*out_len = 1;
		return 0;
	}
	while (*text) {
		size_t took;

		if (*text == '.') {
			if (n - label == 1)
				return ERR_MALFORMED; /* an empty label */
			if (n >= DNAME_MAX)
				return ERR_RANGE;
			name[label] = (uint8_t)(n - label - 1);
			label = n++;
			text++;
			continue;
		}
		if (n - label > DNAME_LABEL_MAX || n >= DNAME_MAX - 1)
			return ERR_RANGE;
		took = read_octet(text, &name[n]);
		if (took == 0)
			return ERR_MALFORMED;
		n++;
		text += took;
	}
	if (n == 1)
		return ERR_MALFORMED;
	name[label] = (uint8_t)(n - label - 1);
	if (n - label > 1)
		name[n++] = 0; /* no last dot: the root is implied */
	memcpy(out, name, n);
	*out_len = n;
	return 0;
}

static char *format_octet(char *p, uint8_t c)
{
	if (c <= ' ' || c >= 0x7f) {
		*p++ = '\\';
		*p++ = (char)('0' + c / 100);
		*p++ = (char)('0' + c / 10 % 10);
		*p++ = (char)('0' + c % 10);
		return p;
	}
	if (strchr(".\\\"();@$", c))
		*p++ = '\\';
	*p++ = (char)c;
	return p;
}

char *dname_format(const uint8_t *name, char *buf)
{
	char *p = buf;

	if (*name == 0)
		*p++ = '.';
	while (*name) {
		for (unsigned i = 1; i <= *name; i++)
			p = format_octet(p, name[i]);
		*p++ = '.';
		name += 1 + *name;
	}
	*p = '\0';
	return buf;
}

size_t dname_len(const uint8_t *name)
{
	const uint8_t *p = name;

	while (*p)
		p += 1 + *p;
	return (size_t)(p - name) + 1;
}

unsigned dname_labels(const uint8_t *name)
{
	unsigned n = 0;

	for (; *name; name += 1 + *name)
		n++;
	return n;
}

bool dname_equal(const uint8_t *a, const uint8_t *b)
{
	size_t n = 0;

	/* Labels of equal lengths first, so that neither is read past its end. */
	for (;;) {
		if (a[n] != b[n])
			return false;
		if (a[n] == 0)
			break;
		n += 1 + (size_t)a[n];
	}
	return fold_equal(a, b, n);
}

bool dname_is_under(const uint8_t *name, const uint8_t *zone)
{
	size_t zone_len = dname_len(zone), len = dname_len(name);

	while (len > zone_len) {
		len -= 1 + (size_t)*name;
		name += 1 + *name;
	}
	return len == zone_len && fold_equal(name, zone, len);
}

/* Offsets of the labels, leftmost first; returns how many. */
static unsigned label_offsets(const uint8_t *name, uint8_t off[DNAME_LABELS_MAX])
{
	unsigned n = 0;

	for (const uint8_t *p = name; *p && n < DNAME_LABELS_MAX; p += 1 + *p)
		off[n++] = (uint8_t)(p - name);
	return n;
}

unsigned dname_common(const uint8_t *a, const uint8_t *b)
{
	uint8_t off_a[DNAME_LABELS_MAX], off_b[DNAME_LABELS_MAX];
	unsigned n_a = label_offsets(a, off_a), n_b = label_offsets(b, off_b);
	unsigned n = 0;

	while (n < n_a && n < n_b) {
		const uint8_t *la = a + off_a[n_a - n - 1], *lb = b + off_b[n_b - n - 1];

		if (*la != *lb || !fold_equal(la + 1, lb + 1, *la))
			break;
		n++;
	}
	return n;
}

static int compare_labels(const uint8_t *a, const uint8_t *b)
{
	unsigned len = *a < *b ? *a : *b;

	for (unsigned i = 1; i <= len; i++) {
		uint8_t ca = fold1(a[i]), cb = fold1(b[i]);

		if (ca != cb)
			return ca < cb ? -1 : 1;
	}
	return (*a > *b) - (*a < *b);
}

int dname_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t off_a[DNAME_LABELS_MAX], off_b[DNAME_LABELS_MAX];
	unsigned n_a = label_offsets(a, off_a), n_b = label_offsets(b, off_b);

	for (unsigned n = 0; n < n_a && n < n_b; n++) {
		int c = compare_labels(a + off_a[n_a - n - 1], b + off_b[n_b - n - 1]);

		if (c != 0)
			return c;
	}
	return (n_a > n_b) - (n_a < n_b);
}

const uint8_t *dname_strip(const uint8_t *name, unsigned n)
{
	while (n-- > 0 && *name)
		name += 1 + *name;
	return name;
}

const uint8_t *dname_suffix(const uint8_t *name, unsigned n)
{
	unsigned labels = dname_labels(name);

	return n < labels ? dname_strip(name, labels - n) : name;
}

void dname_lower(uint8_t *name, size_t len)
{
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t x = fold8(load8(name + i));

		memcpy(name + i, &x, 8);
	}
	for (; i < len; i++)
		name[i] = fold1(name[i]);
}

size_t dname_copy_lower(const uint8_t *name, uint8_t *out)
{
	size_t len = dname_copy(name, out);

	dname_lower(out, len);
	return len;
}

size_t dname_copy(const uint8_t *name, uint8_t *out)
{
	size_t len = dname_len(name);

	memcpy(out, name, len);
	return len;
}

int dname_join(const uint8_t *prefix, size_t prefix_len_without_root, const uint8_t *suffix,
	uint8_t *out, size_t *out_len)
{
	size_t suffix_len = dname_len(suffix);

	if (prefix_len_without_root + suffix_len > DNAME_MAX)
		return ERR_SPACE;
	/* out may be prefix or suffix itself */
	memmove(out + prefix_len_without_root, suffix, suffix_len);
	memmove(out, prefix, prefix_len_without_root);
	*out_len = prefix_len_without_root + suffix_len;
	return 0;
}

/* Equals hash_bytes over the lower-cased name; the folding costs no copy. */
uint64_t dname_hash(const struct hash_key *key, const uint8_t *name, size_t len)
{
	struct hash_state s = {
		.v0 = key->k0 ^ 0x736f6d6570736575u,
		.v1 = key->k1 ^ 0x646f72616e646f6du,
		.v2 = key->k0 ^ 0x6c7967656e657261u,
		.v3 = key->k1 ^ 0x7465646279746573u,
	};

	for (size_t at = 0; at + 8 <= len; at += 8)
		hash_word(&s, le64toh(fold8(load8(name + at))));
	hash_word(&s, (uint64_t)len << 56 | fold8(hash_tail(name, len)));
	s.v2 ^= 0xff;
	hash_round(&s);
	hash_round(&s);
	hash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

bool dname_is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

static const uint8_t IN_ADDR_ARPA[] = "\7in-addr\4arpa";
static const uint8_t IP6_ARPA[] = "\3ip6\4arpa";

size_t dname_from_ip(const struct ip *ip, uint8_t out[DNAME_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	if (ip->family == AF_INET) {
		for (int i = 3; i >= 0; i--) {
			uint8_t v = ip->bytes[i], *len = &out[n++];

			if (v >= 100)
				out[n++] = (uint8_t)('0' + v / 100);
			if (v >= 10)
				out[n++] = (uint8_t)('0' + v / 10 % 10);
			out[n++] = (uint8_t)('0' + v % 10);
			*len = (uint8_t)(&out[n] - len - 1);
		}
		memcpy(out + n, IN_ADDR_ARPA, sizeof(IN_ADDR_ARPA));
		return n + sizeof(IN_ADDR_ARPA);
	}
	for (int i = 15; i >= 0; i--) {
		out[n++] = 1;
		out[n++] = (uint8_t)hex[ip->bytes[i] & 15];
		out[n++] = 1;
		out[n++] = (uint8_t)hex[ip->bytes[i] >> 4];
	}
	memcpy(out + n, IP6_ARPA, sizeof(IP6_ARPA));
	return n + sizeof(IP6_ARPA);
}

static bool read_decimal(const uint8_t *label, uint8_t *out)
{
	unsigned v = 0;

	if (label[0] < 1 || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return false;
	for (unsigned i = 1; i <= label[0]; i++) {
		if (!is_digit((char)label[i]))
			return false;
		v = v * 10 + (label[i] - '0');
	}
	*out = (uint8_t)v;
	return v <= 255;
}

static bool read_nibble(const uint8_t *label, uint8_t *out)
{
	uint8_t c = fold1(label[1]);

	if (label[0] != 1)
		return false;
	if (is_digit((char)c))
		*out = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*out = (uint8_t)(c - 'a' + 10);
	else
		return false;
	return true;
}

bool dname_to_ip(const uint8_t *name, struct ip *out)
{
	unsigned labels = dname_labels(name);
	struct ip ip = {0};

	if (labels == 6 && dname_equal(dname_strip(name, 4), IN_ADDR_ARPA)) {
		ip.family = AF_INET;
		for (int i = 3; i >= 0; i--, name += 1 + *name) {
			if (!read_decimal(name, &ip.bytes[i]))
				return false;
		}
	} else if (labels == 34 && dname_equal(dname_strip(name, 32), IP6_ARPA)) {
		ip.family = AF_INET6;
		for (int i = 15; i >= 0; i--) {
			uint8_t low, high;

			if (!read_nibble(name, &low) || !read_nibble(name + 2, &high))
				return false;
			ip.bytes[i] = (uint8_t)(high << 4 | low);
			name += 4;
		}
	} else {
		return false;
	}
	*out = ip;
	return true;
}
