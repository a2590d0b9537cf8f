/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "dns/rrtype.h"
#include "rpl/rpl_reader.h"

enum { RPL_FILE_MAX = 8 << 20, RPL_ARENA_MAX = 256 << 20 };

/* ---- lines and words ---- */

_Noreturn void rpl_give_up(const struct rpl_reader *r, const char *what, const char *text)
{
	fprintf(stderr, "%s:%u: %s: %s\n", r->s->path, r->line, what, text ? text : "");
	exit(2);
}

void *rpl_take(struct rpl_reader *r, size_t len)
{
	void *p = arena_zalloc(r->s->arena, len ? len : 1);

	if (!p)
		rpl_give_up(r, "scenario", "too large");
	return p;
}

char *rpl_take_text(struct rpl_reader *r, const char *text)
{
	size_t len = strlen(text) + 1;

	return memcpy(rpl_take(r, len), text, len);
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static void strip_comment(char *s)
{
	bool is_quoted = false;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '"')
			is_quoted = !is_quoted;
		else if (*s == ';' && !is_quoted)
			*s = '\0';
		if (!*s)
			return;
	}
}

char *rpl_line(struct rpl_reader *r)
{
	while (*r->next) {
		char *s = r->next;
		size_t len = strcspn(s, "\n");

		r->next += len + (s[len] == '\n');
		r->line++;
		s[len] = '\0';
		if (!r->keeps_comments || *trim(s) == ';')
			strip_comment(s);
		s = trim(s);
		if (*s)
			return s;
	}
	return NULL;
}

char *rpl_word(char **rest)
{
	char *s = *rest + strspn(*rest, " \t");
	size_t len = strcspn(s, " \t");

	if (!*s)
		return NULL;
	*rest = s + len + (s[len] != '\0');
	s[len] = '\0';
	return s;
}

/* ---- configuration ---- */

/* key: value, the value perhaps in quotes, perhaps with a comment behind "#" or ";". */
static void read_option(struct rpl_reader *r, char *line)
{
	struct rpl_option *o = &r->s->options[r->s->n_options];
	char *colon = strchr(line, ':'), *value, *comment;

	if (*line == '#')
		return;
	if (!colon || r->s->n_options == RPL_CONFIG_MAX)
		rpl_give_up(r, "configuration", line);
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	o->line = r->line;
	o->key = trim(line);
	o->comment = "";
	/* Lines for our own configuration stand as they are, white space and all. */
	if (strcmp(o->key, "yaml") == 0) {
		o->value = colon + 1 + (colon[1] == ' ');
		r->s->n_options++;
		return;
	}
	if (*value == '"') {
		value++;
		comment = value + strcspn(value, "\"");
	} else {
		comment = value + strcspn(value, "#;");
	}
	if (*comment) {
		*comment++ = '\0';
		o->comment = trim(comment + strspn(comment, " \t#;"));
	}
	o->value = trim(value);
	r->s->n_options++;
}

static void read_config(struct rpl_reader *r)
{
	char *line;

	r->keeps_comments = true;
	while ((line = rpl_line(r))) {
		if (strncmp(line, "CONFIG_END", 10) == 0) {
			r->keeps_comments = false;
			return;
		}
		read_option(r, line);
	}
	rpl_give_up(r, "configuration", "no CONFIG_END");
}

/* ---- ranges ---- */

static void read_address(struct rpl_reader *r, struct rpl_range *g, char *rest)
{
	char *word;

	while ((word = rpl_word(&rest))) {
		if (strcmp(word, "ADDRESS") == 0)
			continue;
		if (g->n_addresses == RPL_ADDRESSES_MAX ||
			ip_read(word, &g->addresses[g->n_addresses]) != 0)
			rpl_give_up(r, "address", word);
		g->n_addresses++;
	}
}

static struct rpl_range *read_range(struct rpl_reader *r, char *head)
{
	struct rpl_range *g = rpl_take(r, sizeof(*g));
	struct rpl_entry **last = &g->entries;
	char *line;

	if (sscanf(head, "RANGE_BEGIN %d %d", &g->from, &g->to) != 2)
		rpl_give_up(r, "range", head);
	while ((line = rpl_line(r))) {
		if (strncmp(line, "RANGE_END", 9) == 0)
			return g;
		if (strncmp(line, "ADDRESS", 7) == 0) {
			read_address(r, g, line);
		} else if (strncmp(line, "ENTRY_BEGIN", 11) == 0) {
			*last = rpl_read_entry(r);
			last = &(*last)->next;
		} else {
			rpl_give_up(r, "range", line);
		}
	}
	rpl_give_up(r, "range", "no RANGE_END");
}

/* ---- steps ---- */

static const struct {
	const char *word;
	enum rpl_action action;
	bool has_entry, has_number;
} ACTIONS[] = {
	{"QUERY", RPL_QUERY, true, false},
	{"CHECK_ANSWER", RPL_CHECK_ANSWER, true, false},
	{"CHECK_NO_ANSWER", RPL_CHECK_NO_ANSWER, false, false},
	{"CHECK_ANSWERS", RPL_CHECK_ANSWERS, false, true},
	{"CHECK_TIME", RPL_CHECK_TIME, false, true},
	{"CHECK_SENT", RPL_CHECK_SENT, false, true},
	{"CHECK_OUT_QUERY", RPL_CHECK_OUT_QUERY, true, false},
	{"CHECK_NO_OUT_QUERY", RPL_CHECK_NO_OUT_QUERY, true, false},
	{"CHECK_CACHE", RPL_CHECK_CACHE, true, false},
	{"CHECK_NO_CACHE", RPL_CHECK_NO_CACHE, true, false},
	{"CHECK_STAT", RPL_CHECK_STAT, false, true},
	{"TIME_PASSES", RPL_TIME_PASSES, false, false},
	{"REPLY", RPL_REPLY, true, false},
	{"NETWORK_CHANGED", RPL_NETWORK_CHANGED, false, false},
	{"NOTHING", RPL_NOTHING, false, false},
};

static char *need_word(struct rpl_reader *r, char **rest, const char *what)
{
	char *word = rpl_word(rest);

	if (!word)
		rpl_give_up(r, "step", what);
	return word;
}

static uint64_t read_number(struct rpl_reader *r, const char *word)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(word, &end, 10);
	if (errno || *end || end == word)
		rpl_give_up(r, "number", word);
	return n;
}

static struct ip read_ip(struct rpl_reader *r, const char *word)
{
	struct ip ip;

	if (ip_read(word, &ip) != 0)
		rpl_give_up(r, "address", word);
	return ip;
}

/* "OP N", for CHECK_STAT with a name before. */
static void read_comparison(struct rpl_reader *r, struct rpl_step *s, char **rest)
{
	static const char *const WORDS[] = {
		[RPL_EQ] = "=", [RPL_LE] = "<=", [RPL_GE] = ">=", [RPL_NE] = "!="};
	const char *word;

	if (s->action == RPL_CHECK_STAT)
		s->stat = need_word(r, rest, "which counter?");
	word = need_word(r, rest, "=, <=, >= or != is missing");
	for (s->compare = RPL_EQ; strcmp(word, WORDS[s->compare]) != 0; s->compare++)
		if (s->compare == RPL_NE)
			rpl_give_up(r, "comparison", word);
	s->number = read_number(r, need_word(r, rest, "how many?"));
}

static void read_step_words(struct rpl_reader *r, struct rpl_step *s, char *rest)
{
	char *word;

	while ((word = rpl_word(&rest))) {
		if (strcmp(word, "ADDRESS") == 0)
			s->client = s->address = read_ip(r, need_word(r, &rest, "which address?"));
		else if (strcmp(word, "ELAPSE") == 0)
			s->elapse_ms = (int64_t)(atof(need_word(r, &rest, "how long?")) * 1000);
		else if (strcmp(word, "REPEAT") == 0)
			s->repeat = (unsigned)read_number(r, need_word(r, &rest, "how often?"));
		else if (strcmp(word, "QNAME") == 0)
			s->qname = rpl_read_name(r, need_word(r, &rest, "which name?"));
		else if (strcmp(word, "QTYPE") == 0)
			s->qtype = rpl_read_type(r, need_word(r, &rest, "which type?"));
		else if (strcmp(word, "SPREAD") == 0)
			s->spread = true;
		else if (strcmp(word, "TCP") == 0)
			s->is_tcp = true;
		else if (strcmp(word, "UDP") == 0)
			s->is_udp = true;
		else if (strcmp(word, "TOTAL") == 0)
			s->is_total = true;
		else
			rpl_give_up(r, "step", word);
	}
}

static struct rpl_step *read_step(struct rpl_reader *r, char *head)
{
	struct rpl_step *s = rpl_take(r, sizeof(*s));
	char *rest = head, *word;
	size_t i = 0;

	rpl_word(&rest); /* STEP */
	s->line = r->line;
	s->repeat = 1;
	s->id = (int)read_number(r, need_word(r, &rest, "which number?"));
	word = need_word(r, &rest, "what is to be done?");
	while (i < sizeof(ACTIONS) / sizeof(ACTIONS[0]) && strcmp(word, ACTIONS[i].word) != 0)
		i++;
	if (i == sizeof(ACTIONS) / sizeof(ACTIONS[0]))
		rpl_give_up(r, "step", word);
	s->action = ACTIONS[i].action;
	if (ACTIONS[i].has_number)
		read_comparison(r, s, &rest);
	read_step_words(r, s, rest);
	if (ACTIONS[i].has_entry) {
		word = rpl_line(r);
		if (!word || strncmp(word, "ENTRY_BEGIN", 11) != 0)
			rpl_give_up(r, "step", "no ENTRY_BEGIN");
		s->entry = rpl_read_entry(r);
	}
	return s;
}

/* ---- the file ---- */

static void read_body(struct rpl_reader *r)
{
	struct rpl_range **last_range = &r->s->ranges;
	struct rpl_step **last_step = &r->s->steps;
	char *line;

	while ((line = rpl_line(r))) {
		if (strncmp(line, "SCENARIO_END", 12) == 0)
			return;
		if (strncmp(line, "SCENARIO_BEGIN", 14) == 0) {
			r->s->title = trim(line + 14);
		} else if (strncmp(line, "RANGE_BEGIN", 11) == 0) {
			*last_range = read_range(r, line);
			last_range = &(*last_range)->next;
		} else if (strncmp(line, "STEP", 4) == 0) {
			*last_step = read_step(r, line);
			last_step = &(*last_step)->next;
		} else {
			rpl_give_up(r, "scenario", line);
		}
	}
	rpl_give_up(r, "scenario", "no SCENARIO_END");
}

static char *read_text(struct rpl_reader *r)
{
	FILE *f = fopen(r->s->path, "re");
	char *text = rpl_take(r, RPL_FILE_MAX);
	size_t len;

	if (!f)
		rpl_give_up(r, "cannot open", strerror(errno));
	len = fread(text, 1, RPL_FILE_MAX - 1, f);
	if (ferror(f) || !feof(f))
		rpl_give_up(r, "cannot read", ferror(f) ? strerror(errno) : "too long");
	fclose(f);
	if (memchr(text, '\0', len))
		rpl_give_up(r, "cannot read", "a NUL in it");
	return text;
}

struct rpl_scenario *rpl_read(const char *path)
{
	struct rpl_scenario *s = xcalloc(1, sizeof(*s));
	struct rpl_reader r = {.s = s};

	s->path = path;
	s->title = "";
	s->pool = arena_pool_new(1 << 20, 1);
	s->arena = arena_new(s->pool, RPL_ARENA_MAX);
	r.next = read_text(&r);
	read_config(&r);
	read_body(&r);
	return s;
}

void rpl_free(struct rpl_scenario *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	arena_pool_free(s->pool);
	xfree(s);
}
