/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrtype.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns/dname.h"
#include "dns/dns_const.h"

/* A type's rdata, field by field:
 *	1 2 4 6 8 9  an integer or address of 1, 2, 4, 6, 8 or 16 (9) octets
 *	n  a name that senders may compress (RFC 1035 types; RFC 3597 4)
 *	d  a name that must not be compressed when sent, but is expanded when it is
 *	p  a name never compressed; lower case in canonical form
 *	P  a name never compressed; case kept in canonical form (RFC 6840 5.1)
 *	s  a character-string;  S one or more of them up to the end
 *	h  an octet that counts what follows;  H the same, not empty
 *	b  a type bitmap up to the end (RFC 4034 4.1.2)
 *	v  SvcParams up to the end (RFC 9460 2.2)
 *	*  anything up to the end;  + the same, not empty */
struct row {
	const char *name;
	const char *fields;
};

#define LOW_TYPES 110

static const struct row LOW[LOW_TYPES] = {
	[1] = {"A", "4"},
	[2] = {"NS", "n"},
	[3] = {"MD", "n"},
	[4] = {"MF", "n"},
	[5] = {"CNAME", "n"},
	[6] = {"SOA", "nn44444"},
	[7] = {"MB", "n"},
	[8] = {"MG", "n"},
	[9] = {"MR", "n"},
	[10] = {"NULL", "*"},
	[11] = {"WKS", "41*"},
	[12] = {"PTR", "n"},
	[13] = {"HINFO", "ss"},
	[14] = {"MINFO", "nn"},
	[15] = {"MX", "2n"},
	[16] = {"TXT", "S"},
	[17] = {"RP", "dd"},
	[18] = {"AFSDB", "2d"},
	[19] = {"X25", "s"},
	[20] = {"ISDN", "S"},
	[21] = {"RT", "2d"},
	[22] = {"NSAP", "*"},
	[24] = {"SIG", "2114442d*"},
	[25] = {"KEY", "211*"},
	[26] = {"PX", "2dd"},
	[27] = {"GPOS", "sss"},
	[28] = {"AAAA", "9"},
	[29] = {"LOC", "*"},
	[30] = {"NXT", "d*"},
	[33] = {"SRV", "222d"},
	[35] = {"NAPTR", "22sssd"},
	[36] = {"KX", "2d"},
	[37] = {"CERT", "221*"},
	[39] = {"DNAME", "d"},
	[41] = {"OPT", "*"},
	[42] = {"APL", "*"},
	[43] = {"DS", "211+"},
	[44] = {"SSHFP", "11*"},
	[45] = {"IPSECKEY", "*"},
	[46] = {"RRSIG", "2114442p+"},
	[47] = {"NSEC", "Pb"},
	[48] = {"DNSKEY", "211*"},
	[49] = {"DHCID", "*"},
	[50] = {"NSEC3", "112hHb"},
	[51] = {"NSEC3PARAM", "112h"},
	[52] = {"TLSA", "111*"},
	[53] = {"SMIMEA", "111*"},
	[55] = {"HIP", "*"},
	[59] = {"CDS", "211*"},
	[60] = {"CDNSKEY", "211*"},
	[61] = {"OPENPGPKEY", "*"},
	[62] = {"CSYNC", "42b"},
	[63] = {"ZONEMD", "411*"},
	[64] = {"SVCB", "2Pv"},
	[65] = {"HTTPS", "2Pv"},
	[99] = {"SPF", "S"},
	[100] = {"UINFO", "*"},
	[101] = {"UID", "*"},
	[102] = {"GID", "*"},
	[103] = {"UNSPEC", "*"},
	[104] = {"NID", "28"},
	[105] = {"L32", "24"},
	[106] = {"L64", "28"},
	[107] = {"LP", "2P"},
	[108] = {"EUI48", "6"},
	[109] = {"EUI64", "8"},
};

static const struct {
	uint16_t type;
	struct row row;
} HIGH[] = {
	{DNS_TYPE_TKEY, {"TKEY", "*"}},
	{DNS_TYPE_TSIG, {"TSIG", "*"}},
	{DNS_TYPE_IXFR, {"IXFR", "*"}},
	{DNS_TYPE_AXFR, {"AXFR", "*"}},
	{DNS_TYPE_MAILB, {"MAILB", "*"}},
	{DNS_TYPE_MAILA, {"MAILA", "*"}},
	{DNS_TYPE_ANY, {"ANY", "*"}},
	{256, {"URI", "22*"}},
	{DNS_TYPE_CAA, {"CAA", "1H*"}},
	{258, {"AVC", "S"}},
	{260, {"AMTRELAY", "*"}},
	{32768, {"TA", "211*"}},
	{32769, {"DLV", "211*"}},
};

static const struct row *find_row(uint16_t type)
{
	if (type < LOW_TYPES)
		return LOW[type].name ? &LOW[type] : NULL;
	for (size_t i = 0; i < sizeof(HIGH) / sizeof(HIGH[0]); i++) {
		if (HIGH[i].type == type)
			return &HIGH[i].row;
	}
	return NULL;
}

const char *rrtype_name(uint16_t type, char *buf)
{
	const struct row *row = find_row(type);

	if (row)
		return row->name;
	snprintf(buf, 16, "TYPE%u", (unsigned)type);
	return buf;
}

int rrtype_read(const char *text, uint16_t *out)
{
	unsigned long v;
	char *end;

	for (uint16_t type = 0; type < LOW_TYPES; type++) {
		if (LOW[type].name && strcasecmp(LOW[type].name, text) == 0) {
			*out = type;
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(HIGH) / sizeof(HIGH[0]); i++) {
		if (strcasecmp(HIGH[i].row.name, text) == 0) {
			*out = HIGH[i].type;
			return 0;
		}
	}
	if (strncasecmp(text, "TYPE", 4) != 0 || text[4] < '0' || text[4] > '9')
		return ERR_MALFORMED;
	v = strtoul(text + 4, &end, 10);
	if (*end || end - text > 9)
		return ERR_MALFORMED;
	if (v > UINT16_MAX)
		return ERR_RANGE;
	*out = (uint16_t)v;
	return 0;
}

unsigned rrtype_n_integers(uint16_t type)
{
	const struct row *row = find_row(type);

	return row ? (unsigned)strspn(row->fields, "12") : 0;
}

bool rrtype_is_meta(uint16_t type)
{
	return type == DNS_TYPE_OPT || type == 0 || (type >= 128 && type <= 255);
}

static void copy_fixed(struct rbuf *b, size_t n, struct wbuf *out)
{
	const uint8_t *p = rbuf_take(b, n);

	if (p)
		wbuf_put(out, p, n);
}

static void copy_counted(struct rbuf *b, struct wbuf *out)
{
	uint8_t n = rbuf_u8(b);

	wbuf_u8(out, n);
	copy_fixed(b, n, out);
}

static int copy_name(struct rbuf *b, bool is_plain, struct wbuf *out)
{
	uint8_t name[DNAME_MAX];
	size_t len;
	int err = is_plain ? dname_parse_plain(b, name, &len) : dname_parse(b, name, &len);

	if (err == 0)
		wbuf_put(out, name, len);
	return err;
}

/* Window blocks in rising order, 1 to 32 octets each (RFC 4034 4.1.2). */
static int check_bitmap(struct rbuf b)
{
	int last = -1;

	while (rbuf_left(&b)) {
		uint8_t window = rbuf_u8(&b);
		uint8_t len = rbuf_u8(&b);

		rbuf_skip(&b, len);
		if (b.bad || len < 1 || len > 32 || window <= last)
			return ERR_MALFORMED;
		last = window;
	}
	return 0;
}

/* Keys in rising order, each with its length (RFC 9460 2.2). */
static int check_svcparams(struct rbuf b)
{
	int last = -1;

	while (rbuf_left(&b)) {
		uint16_t key = rbuf_u16(&b);
		uint16_t len = rbuf_u16(&b);

		rbuf_skip(&b, len);
		if (b.bad || key <= last)
			return ERR_MALFORMED;
		last = key;
	}
	return 0;
}

/* One field from b to out. */
static int copy_field(char field, struct rbuf *b, struct wbuf *out)
{
	switch (field) {
	case 'n':
	case 'd':
		return copy_name(b, false, out);
	case 'p':
	case 'P':
		return copy_name(b, true, out);
	case 'S':
		do
			copy_counted(b, out);
		while (rbuf_left(b));
		return 0;
	case 'H':
		if (rbuf_left(b) && b->base[b->pos] == 0)
			return ERR_MALFORMED;
		copy_counted(b, out);
		return 0;
	case 's':
	case 'h':
		copy_counted(b, out);
		return 0;
	case 'b':
		if (check_bitmap(*b) != 0)
			return ERR_MALFORMED;
		break;
	case 'v':
		if (check_svcparams(*b) != 0)
			return ERR_MALFORMED;
		break;
	case '+':
		if (rbuf_left(b) == 0)
			return ERR_MALFORMED;
		break;
	case '*':
		break;
	default:
		copy_fixed(b, field == '9' ? 16 : (size_t)(field - '0'), out);
		return 0;
	}
	copy_fixed(b, rbuf_left(b), out);
	return 0;
}

int rrtype_expand_rdata(struct rbuf *b, uint16_t type, uint16_t rdlen, struct wbuf *out)
{
	const struct row *row = find_row(type);
	struct rbuf field = *b; /* ends where the rdata ends, yet sees the message before it */
	size_t start = out->len;
	int err = 0;

	rbuf_skip(b, rdlen);
	if (b->bad)
		return ERR_TRUNC;
	field.len = field.pos + rdlen;
	for (const char *f = row ? row->fields : "*"; *f && err == 0; f++)
		err = copy_field(*f, &field, out);
	if (err == 0 && (field.bad || field.pos != field.len))
		err = ERR_MALFORMED;
	if (err == 0 && out->bad)
		err = ERR_SPACE;
	if (err == ERR_TRUNC)
		err = ERR_MALFORMED; /* a field runs over the rdata's end */
	if (err != 0)
		out->len = start;
	return err;
}

/* Length of a name within len octets; 0 when it runs over. */
static size_t name_len_within(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len) {
		if (p[n] == 0)
			return n + 1;
		n += 1 + (size_t)p[n];
	}
	return 0;
}

/* Length of a field at p; 0 when it runs over or is the rest of the rdata. */
static size_t field_len(char field, const uint8_t *p, size_t len)
{
	size_t n;

	switch (field) {
	case 'n':
	case 'd':
	case 'p':
	case 'P':
		return name_len_within(p, len);
	case 's':
	case 'h':
	case 'H':
		n = len ? 1 + (size_t)p[0] : 0;
		break;
	case '9':
		n = 16;
		break;
	default:
		if (field < '1' || field > '8')
			return 0;
		n = (size_t)(field - '0');
		break;
	}
	return n <= len ? n : 0;
}

/* The next name of one of these kinds at or after *pos; as rrtype_next_name. */
static bool next_name(const struct row *row, const char *kinds, const uint8_t *rdata, size_t len,
	size_t *pos, size_t *name_pos)
{
	size_t at = 0;

	if (!row)
		return false;
	for (const char *f = row->fields; *f && at < len; f++) {
		size_t n = field_len(*f, rdata + at, len - at);

		if (n == 0)
			return false;
		if (at >= *pos && strchr(kinds, *f)) {
			*name_pos = at;
			*pos = at + n;
			return true;
		}
		at += n;
	}
	return false;
}

bool rrtype_next_name(
	uint16_t type, const uint8_t *rdata, size_t len, size_t *pos, size_t *name_pos)
{
	return next_name(find_row(type), "n", rdata, len, pos, name_pos);
}

void rrtype_lower_rdata(uint16_t type, uint8_t *rdata, size_t len)
{
	const struct row *row = find_row(type);
	size_t pos = 0, name_pos;

	while (next_name(row, "ndp", rdata, len, &pos, &name_pos))
		dname_lower(rdata + name_pos, pos - name_pos);
}

bool rrtype_rdata_equal(uint16_t type, const uint8_t *a, const uint8_t *b, size_t len)
{
	const struct row *row;
	size_t pos = 0, done = 0, name_pos;

	if (len == 0 || memcmp(a, b, len) == 0)
		return true;
	row = find_row(type);
	while (next_name(row, "ndp", a, len, &pos, &name_pos)) {
		if (name_len_within(b + name_pos, len - name_pos) != pos - name_pos ||
			!dname_equal(a + name_pos, b + name_pos) ||
			memcmp(a + done, b + done, name_pos - done) != 0)
			return false;
		done = pos;
	}
	return done > 0 && memcmp(a + done, b + done, len - done) == 0;
}
