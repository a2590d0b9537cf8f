/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/import_dnsmasq.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/import_dnsmasq_parts.h"
#include "daemon/import_file.h"

enum { NOTE_TEXT_MAX = 512, RESULT_NOTES_MAX = 100000 };

static void add_note(struct import_result *r, uint32_t line, enum import_verdict verdict,
	const char *directive, const char *text)
{
	if (r->n_notes == RESULT_NOTES_MAX)
		return;
	if (r->n_notes == r->cap_notes) {
		r->cap_notes = r->cap_notes ? r->cap_notes * 2 : 64;
		r->notes = xrealloc(r->notes, r->cap_notes * sizeof(*r->notes));
	}
	r->notes[r->n_notes++] = (struct import_note){
		line, verdict, xstrdup(directive), text ? xstrdup(text) : NULL};
}

void import_note(struct import *im, enum import_verdict verdict, const char *fmt, ...)
{
	char text[NOTE_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add_note(im->result, im->line, verdict, im->directive, text);
	im->noted = true;
}

/* One part of a value: a plain word, or text in quotes with backslashes. */
static char *take_part(char *p, char **out_part)
{
	char *write = p, *end;
	bool quoted = false;

	while (*p == ' ' || *p == '\t')
		p++;
	*out_part = write = end = p;
	for (; *p && (quoted || *p != ','); p++) {
		if (*p == '"') {
			quoted = !quoted;
			end = write;
			continue;
		}
		if (quoted && *p == '\\' && p[1])
			p++;
		*write++ = *p;
		if (quoted || !isspace((unsigned char)*p))
			end = write;
	}
	p = *p ? p + 1 : NULL;
	*end = '\0';
	return p;
}

size_t import_split(struct import *im, char *value, char **parts)
{
	size_t n = 0;

	for (char *p = value; p && *p;) {
		if (n == IMPORT_PARTS_MAX) {
			import_note(im, IMPORT_CANNOT, "more than %d values", IMPORT_PARTS_MAX);
			break;
		}
		p = take_part(p, &parts[n++]);
	}
	return n;
}

void import_set_dns(struct import *im, const char *key, const char *text)
{
	import_set(im->doc, im->dns, key, text);
}

/* Cuts a comment: # at the start or after a blank, outside quotes. */
static void cut_comment(char *line)
{
	bool quoted = false, blank = true;

	for (; *line; line++) {
		if (*line == '"')
			quoted = !quoted;
		if (*line == '#' && blank && !quoted) {
			*line = '\0';
			return;
		}
		if (quoted && *line == '\\' && line[1])
			line++;
		blank = isspace((unsigned char)*line);
	}
}

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	for (len = strlen(text); len && isspace((unsigned char)text[len - 1]);)
		text[--len] = '\0';
	return text;
}

static const struct import_directive *find_directive(const char *name)
{
	const struct import_directive *tables[] = {import_dns_directives, import_dhcp_directives};

	for (size_t i = 0; i < 2; i++)
		for (const struct import_directive *d = tables[i]; d->name; d++)
			if (strcmp(d->name, name) == 0)
				return d;
	return NULL;
}

static void read_line(struct import *im, char *line, int pass)
{
	const struct import_directive *d;
	char *name, *value;

	cut_comment(line);
	name = trim(line);
	if (!*name)
		return;
	value = strchr(name, '=');
	if (value)
		*value++ = '\0';
	name = trim(name);
	im->directive = name;
	im->noted = false;
	d = find_directive(name);
	if (d ? d->pass != pass : pass > 0)
		return;
	if (!d)
		import_note(im, IMPORT_CANNOT, "not known to this importer");
	else if (!d->read)
		add_note(im->result, im->line, d->verdict, name, d->text);
	else
		d->read(im, value ? trim(value) : line + strlen(line));
	if (d && d->read && !im->noted)
		add_note(im->result, im->line, IMPORT_KEPT, name, NULL);
}

static void read_lines(struct import *im, const char *text, size_t len, int pass)
{
	im->line = 0;
	for (const char *p = text, *end = text + len, *next; p < end; p = next) {
		char *line;

		next = memchr(p, '\n', (size_t)(end - p));
		line = xstrndup(p, (size_t)((next ? next : end) - p));
		next = next ? next + 1 : end;
		im->line++;
		read_line(im, line, pass);
		xfree(line);
	}
}

/* The order in which people read a configuration. */
static void make_order(struct import *im)
{
	static const char *const keys[] = {"state-dir", "domain", "user", "log", "dns", "forward",
		"hosts", "devices", "record", "lan", "class", "device", "boot", NULL};

	im->root = import_doc_root(im->doc);
	for (size_t i = 0; keys[i]; i++)
		(void)import_map(im->doc, im->root, keys[i]);
	im->dns = import_map(im->doc, im->root, "dns");
}

/* Our own reader has the last word. */
static void judge(struct import_result *r)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;

	if (config_load_text("/etc/lanthorn/lanthorn.yaml", r->yaml, strlen(r->yaml), &c, &rep) <
		0) {
		for (size_t i = 0; i < rep.n; i++) {
			char *text;

			if (rep.list[i].level != CONFIG_ERROR)
				continue;
			text = xasprintf("line %u of it needs a hand: %s", rep.list[i].line,
				rep.list[i].text);
			add_note(r, 0, IMPORT_CANNOT, "the result", text);
			xfree(text);
		}
	}
	config_report_fini(&rep);
	config_free(c);
}

/* The result as a whole comes last. */
static int compare_notes(const void *a, const void *b)
{
	const struct import_note *x = a, *y = b;
	uint32_t i = x->line - 1, j = y->line - 1;

	return (i > j) - (i < j);
}

static void write_yaml(struct import *im)
{
	size_t len;
	FILE *f = open_memstream(&im->result->yaml, &len);

	if (!f) {
		im->result->yaml = xstrdup("");
		return;
	}
	fputs("# Made from a dnsmasq.conf by lanthorn import dnsmasq.\n", f);
	import_doc_write(im->doc, f);
	fclose(f);
}

void import_dnsmasq_read(const char *text, size_t len, struct import_result *out)
{
	struct import *im = xcalloc(1, sizeof(*im));

	*out = (struct import_result){.yaml = NULL};
	im->result = out;
	im->doc = import_doc_new();
	make_order(im);
	for (int pass = 0; pass < IMPORT_PASSES; pass++)
		read_lines(im, text, len, pass);
	im->directive = "the whole";
	im->line = 0;
	import_dns_finish(im);
	import_dhcp_finish(im);
	write_yaml(im);
	import_doc_free(im->doc);
	xfree(im);
	judge(out);
	if (out->n_notes)
		qsort(out->notes, out->n_notes, sizeof(*out->notes), compare_notes);
}

int import_dnsmasq_load(const char *path, struct import_result *out)
{
	char *text;
	size_t len;
	int err = import_file_read(path, IMPORT_CONF_MAX, &text, &len);

	*out = (struct import_result){.yaml = NULL};
	if (err < 0)
		return err;
	import_dnsmasq_read(text, len, out);
	xfree(text);
	return 0;
}

void import_result_fini(struct import_result *result)
{
	for (size_t i = 0; i < result->n_notes; i++) {
		xfree(result->notes[i].directive);
		xfree(result->notes[i].text);
	}
	xfree(result->notes);
	xfree(result->yaml);
	*result = (struct import_result){.yaml = NULL};
}

void import_result_print(const struct import_result *result, const char *name, int kept, FILE *out)
{
	static const char *const words[] = {"kept", "changed", "cannot"};
	size_t count[3] = {0};

	for (size_t i = 0; i < result->n_notes; i++) {
		const struct import_note *n = &result->notes[i];

		count[n->verdict]++;
		if (n->verdict == IMPORT_KEPT && !kept)
			continue;
		if (n->line)
			fprintf(out, "%s:%u: ", name, n->line);
		fprintf(out, "%s: %s%s%s\n", words[n->verdict], n->directive, n->text ? ": " : "",
			n->text ? n->text : "");
	}
	fprintf(out, "%zu kept, %zu changed, %zu cannot\n", count[IMPORT_KEPT],
		count[IMPORT_CHANGED], count[IMPORT_CANNOT]);
}
