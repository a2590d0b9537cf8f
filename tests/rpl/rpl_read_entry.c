/* SPDX-License-Identifier: Apache-2.0 */
/* Entries: what a message has to be like, and what it is made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"
#include "rpl/rpl_reader.h"

enum { RPL_TTL_S = 3600, RPL_RAW_MAX = 65535, RPL_LINE_MAX = 16384 };

struct word {
	const char *text;
	unsigned value;
};

static const struct word MATCHES[] = {
	{"opcode", RPL_MATCH_OPCODE},
	{"qtype", RPL_MATCH_QTYPE},
	{"qname", RPL_MATCH_QNAME},
	{"qcase", RPL_MATCH_QCASE | RPL_MATCH_QNAME},
	{"subdomain", RPL_MATCH_SUBDOMAIN},
	{"question", RPL_MATCH_QUESTION},
	{"flags", RPL_MATCH_FLAGS},
	{"rcode", RPL_MATCH_RCODE},
	{"ttl", RPL_MATCH_TTL},
	{"answer", RPL_MATCH_ANSWER},
	{"authority", RPL_MATCH_AUTHORITY},
	{"additional", RPL_MATCH_ADDITIONAL},
	{"edns", RPL_MATCH_EDNS},
	{"no_edns", RPL_MATCH_NO_EDNS},
	{"tcp", RPL_MATCH_TCP},
	{"udp", RPL_MATCH_UDP},
	{"ede", RPL_MATCH_EDE},
	{"do", RPL_MATCH_DO},
	{"cookie", RPL_MATCH_COOKIE},
	{"all", RPL_MATCH_ALL},
	{NULL, 0},
};

static const struct word ADJUSTS[] = {
	{"copy_id", RPL_COPY_ID},
	{"copy_query", RPL_COPY_QUERY},
	{"raw_id", RPL_RAW_ID},
	{"do_not_answer", RPL_SILENT},
	{"wrong_id", RPL_WRONG_ID},
	{"wrong_case", RPL_WRONG_CASE},
	{"no_edns", RPL_NO_EDNS},
	{"cookie", RPL_COOKIE},
	{"wrong_cookie", RPL_WRONG_COOKIE},
	{"icmp", RPL_ICMP},
	{"close", RPL_CLOSE},
	{NULL, 0},
};

static const struct word FLAGS[] = {
	{"QR", DNS_FLAG_QR},
	{"AA", DNS_FLAG_AA},
	{"TC", DNS_FLAG_TC},
	{"RD", DNS_FLAG_RD},
	{"RA", DNS_FLAG_RA},
	{"AD", DNS_FLAG_AD},
	{"CD", DNS_FLAG_CD},
	{"QUERY", 0},
	{"IQUERY", 1 << 11},
	{"STATUS", 2 << 11},
	{"NOTIFY", 4 << 11},
	{"UPDATE", 5 << 11},
	{NULL, 0},
};

static const struct word RCODES[] = {
	{"NOERROR", 0},
	{"FORMERR", 1},
	{"SERVFAIL", 2},
	{"NXDOMAIN", 3},
	{"NOTIMP", 4},
	{"NOTIMPL", 4},
	{"REFUSED", 5},
	{"YXDOMAIN", 6},
	{"YXRRSET", 7},
	{"NXRRSET", 8},
	{"NOTAUTH", 9},
	{"NOTZONE", 10},
	{"BADVERS", 16},
	{"BADCOOKIE", 23},
	{NULL, 0},
};

static const struct word *find_word(const struct word *list, const char *text)
{
	for (; list->text; list++)
		if (strcasecmp(list->text, text) == 0)
			return list;
	return NULL;
}

/* ---- names and types ---- */

const uint8_t *rpl_read_name(struct rpl_reader *r, const char *text)
{
	uint8_t name[DNAME_MAX];
	size_t len;

	if (dname_read(text, name, &len) != 0)
		rpl_give_up(r, "name", text);
	return memcpy(rpl_take(r, len), name, len);
}

uint16_t rpl_read_type(struct rpl_reader *r, const char *text)
{
	uint16_t type;

	if (rrtype_read(text, &type) != 0)
		rpl_give_up(r, "type", text);
	return type;
}

static uint16_t read_class(struct rpl_reader *r, const char *text)
{
	static const struct word CLASSES[] = {{"IN", DNS_CLASS_IN}, {"CH", DNS_CLASS_CH}, {"HS", 4},
		{"NONE", 254}, {"ANY", DNS_CLASS_ANY}, {NULL, 0}};
	const struct word *w = find_word(CLASSES, text);

	if (w)
		return (uint16_t)w->value;
	if (strncasecmp(text, "CLASS", 5) != 0)
		rpl_give_up(r, "class", text);
	return (uint16_t)atoi(text + 5);
}

/* ---- the lines of an entry ---- */

static void read_match(struct rpl_reader *r, struct rpl_entry *e, char *rest)
{
	char *text;

	while ((text = rpl_word(&rest))) {
		const struct word *w = find_word(MATCHES, text);

		if (!w)
			rpl_give_up(r, "MATCH", text);
		e->match |= w->value;
	}
}

/* patch=AT:HEX */
static void read_patch(struct rpl_reader *r, struct rpl_packet *p, const char *text)
{
	struct rpl_patch *patch = &p->patches[p->n_patches];
	const char *colon = strchr(text, ':');
	uint8_t bytes[256];
	size_t len;

	if (!colon || p->n_patches == RPL_PATCHES_MAX ||
		codec_unhex(colon + 1, bytes, sizeof(bytes), &len) != 0)
		rpl_give_up(r, "patch", text);
	patch->at = (uint16_t)atoi(text);
	patch->len = (uint16_t)len;
	patch->bytes = memcpy(rpl_take(r, len), bytes, len);
	p->n_patches++;
}

static void read_adjust(struct rpl_reader *r, struct rpl_packet *p, char *rest)
{
	char *text;

	while ((text = rpl_word(&rest))) {
		const struct word *w = find_word(ADJUSTS, text);

		if (w)
			p->adjust |= w->value;
		else if (strncmp(text, "delay=", 6) == 0)
			p->delay_ms = atoi(text + 6);
		else if (strncmp(text, "cut=", 4) == 0)
			p->keep = atoi(text + 4);
		else if (strncmp(text, "patch=", 6) == 0)
			read_patch(r, p, text + 6);
		else
			rpl_give_up(r, "ADJUST", text);
	}
}

static void read_reply(struct rpl_reader *r, struct rpl_packet *p, char *rest)
{
	const struct word *w;
	char *text;

	while ((text = rpl_word(&rest))) {
		if (strcasecmp(text, "DO") == 0)
			p->is_do = true;
		else if (strncmp(text, "EDE=", 4) == 0)
			p->ede = atoi(text + 4);
		else if ((w = find_word(FLAGS, text)))
			p->flags |= (uint16_t)w->value;
		else if ((w = find_word(RCODES, text)))
			p->rcode = (uint16_t)w->value;
		else
			rpl_give_up(r, "REPLY", text);
	}
}

/* name [ttl] [class] type */
static void read_question(struct rpl_reader *r, struct rpl_packet *p, char *rest)
{
	char *words[5];
	unsigned n = 0;
	size_t len;

	while (n < 5 && (words[n] = rpl_word(&rest)))
		n++;
	if (n < 2 || n > 4)
		rpl_give_up(r, "question", n ? words[0] : "");
	if (dname_read(words[0], p->q.name, &len) != 0)
		rpl_give_up(r, "name", words[0]);
	p->q.name_len = (uint8_t)len;
	p->q.class = n == 2 ? DNS_CLASS_IN : read_class(r, words[n - 2]);
	p->q.type = rpl_read_type(r, words[n - 1]);
	p->has_question = true;
}

/* Some scenarios have more "=" behind their base64 than there should be. */
static bool read_padded(const char *line, struct rrtext_rr *out)
{
	size_t len = strlen(line);
	char copy[RPL_LINE_MAX];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, line, len + 1);
	while (len > 0 && copy[len - 1] == '=') {
		copy[--len] = '\0';
		if (rrtext_read(copy, RPL_TTL_S, NULL, out) == 0)
			return true;
	}
	return false;
}

static void read_rr(struct rpl_reader *r, struct rpl_packet *p, int section, const char *line)
{
	static struct rrtext_rr text;
	struct rpl_rr *rr = rpl_take(r, sizeof(*rr)), **link = &p->rr[section];
	uint8_t *bytes;

	if (rrtext_read(line, RPL_TTL_S, NULL, &text) != 0 && !read_padded(line, &text))
		rpl_give_up(r, "record", line);
	bytes = rpl_take(r, (size_t)text.owner_len + text.rdlen);
	memcpy(bytes, text.owner, text.owner_len);
	memcpy(bytes + text.owner_len, text.rdata, text.rdlen);
	*rr = (struct rpl_rr){.owner = bytes,
		.rdata = bytes + text.owner_len,
		.ttl = text.ttl,
		.type = text.type,
		.class = text.class,
		.rdlen = (uint16_t)text.rdlen};
	while (*link)
		link = &(*link)->next;
	*link = rr;
	p->n_rr[section]++;
}

/* $GENERATE from-to record: the record once for each number, which stands for "$" in it. */
static void read_generate(struct rpl_reader *r, struct rpl_packet *p, int section, char *rest)
{
	unsigned from, to;
	char *range = rpl_word(&rest);
	char line[RPL_LINE_MAX];

	if (!range || sscanf(range, "%u-%u", &from, &to) != 2)
		rpl_give_up(r, "$GENERATE", range);
	for (unsigned i = from; i <= to; i++) {
		size_t len = 0;

		for (const char *s = rest; *s && len < sizeof(line) - 16; s++) {
			if (*s == '$')
				len += (size_t)snprintf(line + len, 16, "%u", i);
			else
				line[len++] = *s;
		}
		line[len] = '\0';
		read_rr(r, p, section, line);
	}
}

static void read_raw(struct rpl_reader *r, struct rpl_packet *p)
{
	static uint8_t bytes[RPL_RAW_MAX];
	const char *hex = rpl_line(r);

	if (!hex || codec_unhex(hex, bytes, sizeof(bytes), &p->raw_len) != 0)
		rpl_give_up(r, "RAW", hex);
	p->raw = memcpy(rpl_take(r, p->raw_len), bytes, p->raw_len);
	p->is_raw = true;
}

static int read_section(struct rpl_reader *r, struct rpl_packet *p, const char *text)
{
	static const char *const SECTIONS[] = {"ANSWER", "AUTHORITY", "ADDITIONAL"};

	for (int i = 0; text && i < 3; i++)
		if (strcmp(text, SECTIONS[i]) == 0)
			return i;
	if (!text || strcmp(text, "QUESTION") != 0)
		rpl_give_up(r, "SECTION", text);
	p->has_question_section = true;
	return -1;
}

static struct rpl_packet *start_packet(struct rpl_reader *r, struct rpl_packet *last)
{
	if (!last)
		return NULL;
	last->next = rpl_take(r, sizeof(*last));
	last->next->keep = -1;
	last->next->ede = DNS_EDE_NONE;
	return last->next;
}

struct rpl_entry *rpl_read_entry(struct rpl_reader *r)
{
	struct rpl_entry *e = rpl_take(r, sizeof(*e));
	struct rpl_packet *p = &e->packet;
	int section = -1;
	char *line;

	e->line = r->line;
	p->keep = -1;
	p->ede = DNS_EDE_NONE;
	while ((line = rpl_line(r))) {
		char whole[64], *rest = line, *word;

		snprintf(whole, sizeof(whole), "%.*s", (int)strcspn(line, " \t"), line);
		word = whole;
		if (strcmp(word, "ENTRY_END") == 0)
			return e;
		if (strcmp(word, "EXTRA_PACKET") == 0)
			p = start_packet(r, p);
		else if (strcmp(word, "MATCH") == 0)
			read_match(r, e, line + 5);
		else if (strcmp(word, "ADJUST") == 0)
			read_adjust(r, p, line + 6);
		else if (strcmp(word, "REPLY") == 0 || strcmp(word, "FLAGS") == 0)
			read_reply(r, p, line + 5);
		else if (strcmp(word, "RAW") == 0)
			read_raw(r, p);
		else if (strcmp(word, "SECTION") == 0 && rpl_word(&rest))
			section = read_section(r, p, rpl_word(&rest));
		else if (strcmp(word, "$GENERATE") == 0 && section >= 0)
			read_generate(r, p, section, line + 9);
		else if (section >= 0)
			read_rr(r, p, section, line);
		else
			read_question(r, p, line);
	}
	rpl_give_up(r, "entry", "no ENTRY_END");
}
