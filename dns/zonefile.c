/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/zonefile.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dns/dns_const.h"

/* What ldns carries from line to line, and where it stands in the text. */
struct reader {
	FILE *fp;
	uint32_t ttl;
	ldns_rdf *origin, *prev;
	const char *text;
	size_t counted; /* line ends before here are in line */
	unsigned line;
};

/* The line of the record just read, or where its parentheses closed. Not ldns' own count, which
 * runs ahead over empty lines. */
static unsigned line_of(struct reader *r)
{
	long at = ftell(r->fp);
	size_t end = at > 0 ? (size_t)at : 0;

	while (end > r->counted && strchr(" \t\r\n", r->text[end - 1]))
		end--;
	for (; r->counted < end; r->counted++)
		r->line += r->text[r->counted] == '\n';
	return r->line;
}

static int fail(struct zonefile_error *error, unsigned line, int err, const char *why)
{
	error->line = line;
	snprintf(error->why, sizeof(error->why), "%s", why);
	return err;
}

/* One record of ldns to the callback, through its uncompressed wire form. */
static int deliver(
	const ldns_rr *rr, unsigned line, zonefile_on_rr *on_rr, void *arg, struct rrtext_rr *out)
{
	uint8_t *wire = NULL;
	size_t len;
	int err = ERR_MALFORMED;

	if (ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &len) == LDNS_STATUS_OK)
		err = rrtext_from_wire(wire, len, out);
	free(wire); /* ldns' own malloc */
	return err != 0 ? err : on_rr(arg, line, out);
}

static int read_records(
	struct reader *r, zonefile_on_rr *on_rr, void *arg, struct zonefile_error *error)
{
	struct rrtext_rr *out = xalloc(sizeof(*out));
	int err = 0;

	while (err == 0 && !feof(r->fp)) {
		ldns_rr *rr = NULL;
		ldns_status st = ldns_rr_new_frm_fp(&rr, r->fp, &r->ttl, &r->origin, &r->prev);
		unsigned line = line_of(r);

		switch (st) {
		case LDNS_STATUS_OK:
			err = deliver(rr, line, on_rr, arg, out);
			if (err != 0)
				fail(error, line, err, err_text(err));
			ldns_rr_free(rr);
			break;
		case LDNS_STATUS_SYNTAX_EMPTY:
		case LDNS_STATUS_SYNTAX_TTL:
		case LDNS_STATUS_SYNTAX_ORIGIN:
			break;
		default:
			err = fail(error, line, ERR_MALFORMED, ldns_get_errorstr_by_id(st));
			break;
		}
	}
	xfree(out);
	return err;
}

int zonefile_parse(const char *text, size_t len, const uint8_t *origin, uint32_t default_ttl,
	zonefile_on_rr *on_rr, void *arg, struct zonefile_error *error)
{
	static const uint8_t root[] = {0};
	struct reader r = {.ttl = default_ttl, .text = text, .line = 1};
	int err;

	if (len > ZONEFILE_MAX)
		return fail(error, 0, ERR_LIMIT, "the file is too large");
	if (len == 0)
		return 0;
	if (memchr(text, '\0', len))
		return fail(error, 0, ERR_MALFORMED, "the file holds a NUL octet");
	if (!origin)
		origin = root;
	/* fmemopen reads only: the const is safe. */
	r.fp = fmemopen((void *)(uintptr_t)text, len, "r");
	if (!r.fp)
		return fail(error, 0, ERR_IO, "cannot read from memory");
	r.origin = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, dname_len(origin), origin);
	err = read_records(&r, on_rr, arg, error);
	ldns_rdf_deep_free(r.origin);
	ldns_rdf_deep_free(r.prev);
	fclose(r.fp);
	return err;
}

int zonefile_read(const char *path, const uint8_t *origin, uint32_t default_ttl,
	zonefile_on_rr *on_rr, void *arg, struct zonefile_error *error)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t len;
	int err;

	if (!f) {
		err = err_from_errno(errno);
		return fail(error, 0, err, strerror(errno));
	}
	text = xalloc(ZONEFILE_MAX + 1);
	len = fread(text, 1, ZONEFILE_MAX + 1, f);
	if (ferror(f))
		err = fail(error, 0, ERR_IO, "cannot read the file");
	else
		err = zonefile_parse(text, len, origin, default_ttl, on_rr, arg, error);
	fclose(f);
	xfree(text);
	return err;
}
