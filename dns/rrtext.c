/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rrtext.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rbuf.h"
#include "base/wbuf.h"
#include "base/xalloc.h"
#include "dns/dns_const.h"
#include "dns/rrtype.h"

/* Octets of a record with a root owner before its rdata. */
#define RR_FIXED_LEN 11
/* Longest text of one record: an owner, and 64 KiB of rdata in hex or escaped. A type bitmap of
 * all 65,536 types is longer and gets cut. */
#define FORMAT_MAX (DNAME_TEXT_MAX + 64 + 4 * 65536)

int rrtext_from_wire(const uint8_t *wire, size_t len, struct rrtext_rr *out)
{
	struct rbuf b = rbuf_of(wire, len);
	struct wbuf rdata = wbuf_of(out->rdata, sizeof(out->rdata));
	size_t owner_len;
	uint16_t rdlen;
	int err = dname_parse_plain(&b, out->owner, &owner_len);

	if (err != 0)
		return ERR_MALFORMED;
	out->owner_len = (uint8_t)owner_len;
	out->type = rbuf_u16(&b);
	out->class = rbuf_u16(&b);
	out->ttl = rbuf_u32(&b);
	rdlen = rbuf_u16(&b);
	/* ldns lets some things pass that we would not take from the wire. */
	err = rrtype_expand_rdata(&b, out->type, rdlen, &rdata);
	if (err == ERR_SPACE)
		return ERR_LIMIT;
	out->rdlen = rdata.len;
	return err == ERR_TRUNC ? ERR_MALFORMED : err;
}

/* The rdata's text within that of a record: what follows the type. NULL when not found. */
static const char *find_rdata(const char *text, uint16_t type)
{
	const char *p = text + strcspn(text, " \t"); /* the owner */

	while (*(p += strspn(p, " \t"))) {
		size_t len = strcspn(p, " \t");
		char word[16];
		uint16_t found;

		snprintf(word, sizeof(word), "%.*s", (int)(len < 15 ? len : 15), p);
		p += len;
		if (rrtype_read(word, &found) == 0 && found == type)
			return p;
	}
	return NULL;
}

/* ldns cuts an integer that is too large for its field ("MX 99999 mail") instead of refusing it: so
 * those that the rdata begins with are compared with what was stored. */
static bool are_integers_kept(const char *text, const struct rrtext_rr *rr)
{
	static const char digits[] = "0123456789";
	char stored[64];
	const char *a = find_rdata(text, rr->type), *b = stored;

	rrtext_format_rdata(rr->type, rr->rdata, rr->rdlen, stored, sizeof(stored));
	for (unsigned n = rrtype_n_integers(rr->type); a && n > 0; n--) {
		size_t len_a, len_b;

		a += strspn(a, " \t");
		b += strspn(b, " ");
		len_a = strcspn(a, " \t");
		len_b = strcspn(b, " ");
		if ((strchr(digits, *a) || *a == '-' || *a == '+') && strspn(b, digits) == len_b &&
			strtoll(a, NULL, 10) != strtoll(b, NULL, 10))
			return false;
		a += len_a;
		b += len_b;
	}
	return true;
}

int rrtext_read(
	const char *text, uint32_t default_ttl, const uint8_t *origin, struct rrtext_rr *out)
{
	ldns_rdf *above = NULL, *prev = NULL;
	ldns_rr *rr = NULL;
	uint8_t *wire = NULL;
	size_t len;
	int err = ERR_MALFORMED;

	if (strlen(text) > RRTEXT_LINE_MAX)
		return ERR_LIMIT;
	if (strpbrk(text, "\n\r"))
		return ERR_MALFORMED;
	if (origin)
		above = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, dname_len(origin), origin);
	if (ldns_rr_new_frm_str(&rr, text, default_ttl, above, &prev) == LDNS_STATUS_OK &&
		ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &len) == LDNS_STATUS_OK)
		err = rrtext_from_wire(wire, len, out);
	if (err == 0 && !are_integers_kept(text, out))
		err = ERR_MALFORMED;
	free(wire); /* ldns' own malloc */
	ldns_rr_free(rr);
	ldns_rdf_deep_free(prev);
	ldns_rdf_deep_free(above);
	return err;
}

int rrtext_read_rdata(uint16_t type, const char *text, const uint8_t *origin, uint8_t *out,
	size_t cap, size_t *out_len)
{
	char name[16];
	struct rrtext_rr rr;
	char *line;
	int err;

	if (strlen(text) > RRTEXT_LINE_MAX)
		return ERR_LIMIT;
	line = xasprintf(". 0 IN %s %s", rrtype_name(type, name), text);
	err = rrtext_read(line, 0, origin, &rr);
	xfree(line);
	if (err != 0)
		return err;
	if (rr.type != type)
		return ERR_MALFORMED;
	if (rr.rdlen > cap)
		return ERR_LIMIT;
	memcpy(out, rr.rdata, rr.rdlen);
	*out_len = rr.rdlen;
	return 0;
}

/* RFC 3597 5. */
static char *format_unknown(const uint8_t *rdata, size_t len, char *buf, size_t cap)
{
	size_t at = (size_t)snprintf(buf, cap, "\\# %zu%s", len, len ? " " : "");

	for (size_t i = 0; i < len && at + 3 <= cap; i++, at += 2)
		snprintf(buf + at, cap - at, "%02x", rdata[i]);
	return buf;
}

/* The rdata as it would pass from the wire? ldns is shown nothing else. */
static bool is_sound(uint16_t type, const uint8_t *rdata, size_t len)
{
	uint8_t copy[RRTEXT_RDATA_MAX];
	struct rbuf b = rbuf_of(rdata, len);
	struct wbuf w = wbuf_of(copy, sizeof(copy));

	return len <= sizeof(copy) && rrtype_expand_rdata(&b, type, (uint16_t)len, &w) == 0;
}

/* ldns' text of the rdata, to be freed with free(); NULL when it has none. */
static char *ldns_rdata_text(uint16_t type, const uint8_t *rdata, size_t len)
{
	uint8_t wire[RR_FIXED_LEN + RRTEXT_RDATA_MAX];
	struct wbuf w = wbuf_of(wire, sizeof(wire));
	ldns_rr *rr = NULL;
	ldns_buffer *text;
	size_t pos = 0;
	char *s = NULL;

	wbuf_u8(&w, 0);
	wbuf_u16(&w, type);
	wbuf_u16(&w, DNS_CLASS_IN);
	wbuf_u32(&w, 0);
	wbuf_u16(&w, (unsigned)len);
	wbuf_put(&w, rdata, len);
	if (w.bad || ldns_wire2rr(&rr, wire, w.len, &pos, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		return NULL;
	text = ldns_buffer_new(LDNS_MIN_BUFLEN);
	for (size_t i = 0; text && i < ldns_rr_rd_count(rr); i++) {
		if (i)
			ldns_buffer_printf(text, " ");
		if (ldns_rdf2buffer_str(text, ldns_rr_rdf(rr, i)) != LDNS_STATUS_OK)
			break;
		if (i + 1 == ldns_rr_rd_count(rr))
			s = ldns_buffer_export2str(text);
	}
	ldns_buffer_free(text);
	ldns_rr_free(rr);
	return s;
}

char *rrtext_format_rdata(uint16_t type, const uint8_t *rdata, size_t len, char *buf, size_t cap)
{
	char *s = is_sound(type, rdata, len) ? ldns_rdata_text(type, rdata, len) : NULL;
	size_t text_len;

	if (!s)
		return format_unknown(rdata, len, buf, cap);
	text_len = strlen(s);
	while (text_len && s[text_len - 1] == ' ')
		s[--text_len] = '\0'; /* ldns ends a type bitmap with one */
	snprintf(buf, cap, "%s", s);
	free(s);
	return buf;
}

char *rrtext_format(const uint8_t *owner, uint16_t type, uint16_t class, uint32_t ttl,
	const uint8_t *rdata, size_t len, char *buf, size_t cap)
{
	char name[DNAME_TEXT_MAX], type_buf[16], class_buf[16];
	int n;

	snprintf(class_buf, sizeof(class_buf), "CLASS%u", (unsigned)class);
	n = snprintf(buf, cap, "%s %u %s %s ", dname_format(owner, name), ttl,
		class == DNS_CLASS_IN ? "IN" : class_buf, rrtype_name(type, type_buf));
	if ((size_t)n < cap)
		rrtext_format_rdata(type, rdata, len, buf + n, cap - (size_t)n);
	return buf;
}

char *rrtext_format_rrset(const struct rrset *rr, bool with_sigs)
{
	char *text = xstrdup(""), *line = xalloc(FORMAT_MAX);
	size_t at = 0;
	struct rrset_iter it = rrset_begin(rr);

	while (rrset_next(&it)) {
		size_t len;

		if (it.is_sig && !with_sigs)
			break;
		rrtext_format(rrset_owner(rr), it.is_sig ? DNS_TYPE_RRSIG : rr->type, rr->class,
			rr->ttl, it.rdata, it.len, line, FORMAT_MAX);
		len = strlen(line);
		text = xrealloc(text, at + len + 2);
		memcpy(text + at, line, len);
		at += len;
		text[at++] = '\n';
		text[at] = '\0';
	}
	xfree(line);
	return text;
}
