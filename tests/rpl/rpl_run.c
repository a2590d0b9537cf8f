/* SPDX-License-Identifier: Apache-2.0 */
/* Replays scenarios of the Deckard / Unbound testbound language against a resolver in this process,
 * over the simulated Internet of the resolver's unit tests: no sockets, virtual time.
 *
 *   rpl_run [-v] FILE...      one line a file: pass, FAIL with the step, or skip; exit code 1 when
 *                             one failed
 *
 * Of the language it knows: config keys stub-addr, stub-name, forward-addr, query-minimization,
 * harden-glue, do-not-query-localhost, do-ip4, do-ip6, feature-list; RANGE, ENTRY with MATCH,
 * ADJUST, REPLY, SECTION and RAW; STEP QUERY, CHECK_ANSWER, TIME_PASSES and REPLY. A file without
 * query-minimization is run with it on and off. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/rcu.h"
#include "dns/dname.h"
#include "dns/msg_write.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"
#include "resolver/acl.h"
#include "resolver/front.h"
#include "unit/resolver/fake_net.h"

enum { RPL_LINES = 60, RPL_HELD = 32 };

enum rpl_match {
	RPL_OPCODE = 1,
	RPL_QTYPE = 2,
	RPL_QNAME = 4,
	RPL_SUBDOMAIN = 8,
	RPL_QCASE = 16,
	RPL_FLAGS = 32,
	RPL_RCODE = 64,
	RPL_TTL = 128,
	RPL_ANSWER = 256,
	RPL_AUTHORITY = 512,
	RPL_ADDITIONAL = 1024,
	RPL_TCP = 2048,
	RPL_UDP = 4096
};

struct rpl_entry {
	struct rpl_entry *next;
	unsigned match;
	bool copy_id, copy_query, raw_id, silent;
	uint16_t flags;
	uint16_t rcode;
	bool is_do;
	bool has_question, no_question;
	struct question q;
	unsigned n[3]; /* lines of each section */
	struct rrtext_rr *rr[3][RPL_LINES];
	uint8_t *raw;
	size_t raw_len;
};

struct rpl_range {
	struct rpl_range *next;
	int from, to;
	unsigned n_addrs;
	struct ip addrs[16];
	struct rpl_entry *entries;
};

enum rpl_action { RPL_QUERY, RPL_CHECK, RPL_PASS, RPL_REPLY };

struct rpl_step {
	struct rpl_step *next;
	int id;
	enum rpl_action action;
	long elapse_s;
	struct ip_port client;
	struct rpl_entry *entry;
};

struct rpl {
	const char *path;
	bool is_verbose;
	char config[100][512];
	unsigned n_config;
	struct rpl_range *ranges;
	struct rpl_step *steps;
	/* running */
	int now;
	struct fake_net *net;
	struct fake_ask held[RPL_HELD];
	uint8_t held_bytes[RPL_HELD][512];
	unsigned n_held;
	bool has_answer;
	uint8_t answer[65535];
	size_t answer_len;
	char why[1024];
};

static void die(const struct rpl *r, const char *what, const char *text)
{
	fprintf(stderr, "%s: %s: %s\n", r->path, what, text);
	exit(2);
}

/* ---- reading ---- */

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

/* Next line that says something; false at the end. */
static bool next_line(FILE *f, char *buf, size_t cap, char **out)
{
	while (fgets(buf, (int)cap, f)) {
		char *s = trim(buf);

		if (*s && *s != ';' && *s != '#') {
			*out = s;
			return true;
		}
	}
	return false;
}

static void strip_comment(char *s)
{
	bool quoted = false;

	for (; *s; s++) {
		if (*s == '"')
			quoted = !quoted;
		if (*s == ';' && !quoted) {
			*s = 0;
			return;
		}
	}
}

static void read_match(struct rpl_entry *e, char *words)
{
	static const struct {
		const char *word;
		unsigned bits;
	} WORDS[] = {{"opcode", RPL_OPCODE}, {"qtype", RPL_QTYPE}, {"qname", RPL_QNAME},
		{"subdomain", RPL_SUBDOMAIN}, {"question", RPL_QTYPE | RPL_QNAME},
		{"qcase", RPL_QCASE}, {"flags", RPL_FLAGS}, {"rcode", RPL_RCODE}, {"ttl", RPL_TTL},
		{"answer", RPL_ANSWER}, {"authority", RPL_AUTHORITY},
		{"additional", RPL_ADDITIONAL}, {"tcp", RPL_TCP}, {"udp", RPL_UDP},
		{"all", RPL_OPCODE | RPL_QTYPE | RPL_QNAME | RPL_FLAGS | RPL_RCODE | RPL_ANSWER |
				RPL_AUTHORITY | RPL_ADDITIONAL}};
	char *save = NULL;

	for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
			if (strcasecmp(w, WORDS[i].word) == 0)
				e->match |= WORDS[i].bits;
		}
	}
}

static void read_reply(struct rpl_entry *e, char *words)
{
	static const struct {
		const char *word;
		uint16_t flag, rcode;
	} WORDS[] = {{"QR", DNS_FLAG_QR, 0}, {"AA", DNS_FLAG_AA, 0}, {"TC", DNS_FLAG_TC, 0},
		{"RD", DNS_FLAG_RD, 0}, {"RA", DNS_FLAG_RA, 0}, {"AD", DNS_FLAG_AD, 0},
		{"CD", DNS_FLAG_CD, 0}, {"FORMERR", 0, 1}, {"SERVFAIL", 0, 2}, {"NXDOMAIN", 0, 3},
		{"NOTIMP", 0, 4}, {"NOTIMPL", 0, 4}, {"REFUSED", 0, 5}, {"YXDOMAIN", 0, 6},
		{"NOTAUTH", 0, 9}};
	char *save = NULL;

	for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (strcasecmp(w, "DO") == 0)
			e->is_do = true;
		for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
			if (strcasecmp(w, WORDS[i].word) != 0)
				continue;
			e->flags |= WORDS[i].flag;
			if (WORDS[i].rcode)
				e->rcode = WORDS[i].rcode;
		}
	}
}

static void read_question(const struct rpl *r, struct rpl_entry *e, char *line)
{
	char *save = NULL, *name = strtok_r(line, " \t", &save), *w;
	size_t len = 0;

	e->has_question = true;
	e->q.class = DNS_CLASS_IN;
	if (!name || dname_read(name, e->q.name, &len) != 0)
		die(r, "question", name ? name : "");
	e->q.name_len = (uint8_t)len;
	while ((w = strtok_r(NULL, " \t", &save))) {
		if (strcasecmp(w, "IN") == 0)
			continue;
		if (strcasecmp(w, "CH") == 0)
			e->q.class = DNS_CLASS_CH;
		else if (strcasecmp(w, "ANY") == 0 && !e->q.type && *save &&
			 rrtype_read(trim(save), &e->q.type) == 0)
			e->q.class = DNS_CLASS_ANY;
		else if (rrtype_read(w, &e->q.type) != 0)
			die(r, "type", w);
	}
}

static struct rpl_entry *read_entry(struct rpl *r, FILE *f)
{
	struct rpl_entry *e = calloc(1, sizeof(*e));
	char buf[16384], *s;
	int section = -2; /* -1: question */
	bool is_raw = false;

	while (next_line(f, buf, sizeof(buf), &s)) {
		if (strncmp(s, "ENTRY_END", 9) == 0) {
			e->no_question = section != -2 && !e->has_question;
			return e;
		}
		if (is_raw) {
			e->raw = malloc(65535);
			if (codec_unhex(s, e->raw, 65535, &e->raw_len) != 0)
				die(r, "raw", s);
			is_raw = false;
			continue;
		}
		strip_comment(s);
		s = trim(s);
		if (!*s)
			continue;
		if (strncmp(s, "MATCH", 5) == 0) {
			read_match(e, s + 5);
		} else if (strncmp(s, "ADJUST", 6) == 0) {
			e->copy_id |= strstr(s, "copy_id") != NULL;
			e->copy_query |= strstr(s, "copy_query") != NULL;
			e->raw_id |= strstr(s, "raw_id") != NULL;
			e->silent |= strstr(s, "do_not_answer") != NULL;
		} else if (strncmp(s, "REPLY", 5) == 0 || strncmp(s, "FLAGS", 5) == 0) {
			read_reply(e, s + 5);
		} else if (strncmp(s, "RAW", 3) == 0) {
			is_raw = true;
		} else if (strncmp(s, "SECTION", 7) == 0) {
			char *w = trim(s + 7);

			section = strncmp(w, "QUESTION", 8) == 0      ? -1
				  : strncmp(w, "ANSWER", 6) == 0      ? 0
				  : strncmp(w, "AUTHORITY", 9) == 0   ? 1
				  : strncmp(w, "ADDITIONAL", 10) == 0 ? 2
								      : -2;
		} else if (section == -1) {
			read_question(r, e, s);
		} else if (section >= 0) {
			struct rrtext_rr *rr = calloc(1, sizeof(*rr));

			if (rrtext_read(s, 3600, NULL, rr) != 0) {
				/* Some are broken on purpose. */
				if (r->is_verbose)
					fprintf(stderr, "  cannot read: %s\n", s);
				free(rr);
				continue;
			}
			if (e->n[section] < RPL_LINES)
				e->rr[section][e->n[section]++] = rr;
		}
	}
	die(r, "entry", "no end");
	return NULL;
}

static void read_range(struct rpl *r, FILE *f, const char *head)
{
	struct rpl_range *g = calloc(1, sizeof(*g)), **link = &r->ranges;
	struct rpl_entry **last = &g->entries;
	char buf[16384], *s;

	if (sscanf(head, "RANGE_BEGIN %d %d", &g->from, &g->to) != 2)
		die(r, "range", head);
	while (next_line(f, buf, sizeof(buf), &s)) {
		if (strncmp(s, "RANGE_END", 9) == 0)
			break;
		strip_comment(s);
		s = trim(s);
		if (strncmp(s, "ADDRESS", 7) == 0) {
			char *save = NULL;

			for (char *w = strtok_r(s + 7, " \t", &save); w && g->n_addrs < 16;
				w = strtok_r(NULL, " \t", &save)) {
				if (strcmp(w, "ADDRESS") == 0)
					continue;
				if (ip_read(w, &g->addrs[g->n_addrs++]) != 0)
					die(r, "address", w);
			}
		} else if (strncmp(s, "ENTRY_BEGIN", 11) == 0) {
			*last = read_entry(r, f);
			last = &(*last)->next;
		}
	}
	while (*link)
		link = &(*link)->next;
	*link = g;
}

static void read_step(struct rpl *r, FILE *f, char *head)
{
	struct rpl_step *s = calloc(1, sizeof(*s)), **link = &r->steps;
	char action[32] = "", buf[16384], *line;
	char *p;

	strip_comment(head);
	if (sscanf(head, "STEP %d %31s", &s->id, action) != 2)
		die(r, "step", head);
	if (ip_port_read("127.0.0.1:4242", 53, &s->client) != 0)
		die(r, "client", head);
	p = strstr(head, "ADDRESS");
	if (p && ip_read(trim(p + 7), &s->client.ip) != 0)
		die(r, "client", p);
	if (strcmp(action, "TIME_PASSES") == 0) {
		s->action = RPL_PASS;
		p = strstr(head, "ELAPSE");
		s->elapse_s = p ? strtol(p + 6, NULL, 10) : 0;
	} else {
		s->action = strcmp(action, "QUERY") == 0	  ? RPL_QUERY
			    : strcmp(action, "CHECK_ANSWER") == 0 ? RPL_CHECK
								  : RPL_REPLY;
		if (!next_line(f, buf, sizeof(buf), &line) || strncmp(line, "ENTRY_BEGIN", 11) != 0)
			die(r, "step", "no entry");
		s->entry = read_entry(r, f);
	}
	while (*link)
		link = &(*link)->next;
	*link = s;
}

static void read_file(struct rpl *r)
{
	FILE *f = fopen(r->path, "r");
	char buf[16384], *s;
	bool in_config = true;

	if (!f)
		die(r, "cannot open", r->path);
	while (next_line(f, buf, sizeof(buf), &s)) {
		if (strncmp(s, "CONFIG_END", 10) == 0) {
			in_config = false;
		} else if (in_config) {
			char *hash = strchr(s, '#');

			if (hash)
				*hash = 0;
			snprintf(r->config[r->n_config++ % 100], 512, "%s", trim(s));
		} else if (strncmp(s, "RANGE_BEGIN", 11) == 0) {
			read_range(r, f, s);
		} else if (strncmp(s, "STEP", 4) == 0) {
			read_step(r, f, s);
		}
	}
	fclose(f);
}

/* ---- the servers ---- */

static bool entry_matches(const struct rpl_entry *e, const struct fake_ask *a)
{
	const struct question *q = &a->q.q;

	if (e->match & RPL_QTYPE && e->has_question && q->type != e->q.type)
		return false;
	if (e->match & RPL_QNAME && e->has_question && !dname_equal(q->name, e->q.name))
		return false;
	if (e->match & RPL_SUBDOMAIN && e->has_question && !dname_is_under(q->name, e->q.name))
		return false;
	if ((e->match & RPL_TCP && !a->is_tcp) || (e->match & RPL_UDP && a->is_tcp))
		return false;
	return true;
}

static void send_entry(struct rpl *r, const struct rpl_entry *e, struct fake_ask *a)
{
	static uint8_t out[65535];
	struct question q = e->has_question && !e->copy_query ? e->q : a->q.q;
	struct edns_reply opt = {.udp_size = 4096, .is_do = a->q.edns.is_do, .ede = DNS_EDE_NONE};
	struct msg_writer w;

	if (e->silent)
		return;
	if (e->raw) {
		uint8_t *copy = malloc(e->raw_len);

		memcpy(copy, e->raw, e->raw_len);
		if (!e->raw_id && e->raw_len >= 2)
			memcpy(copy, a->bytes, 2);
		fake_reply(a, copy, e->raw_len, 5);
		free(copy);
		return;
	}
	if (e->copy_id && dname_equal(q.name, a->q.q.name))
		memcpy(q.name, a->q.q.name, q.name_len);
	msg_write_begin(&w, out, sizeof(out), e->copy_id ? a->q.id : 0,
		(uint16_t)(e->flags | e->rcode), e->no_question ? NULL : &q);
	for (int s = 0; s < 3; s++) {
		for (unsigned i = 0; i < e->n[s]; i++) {
			const struct rrtext_rr *rr = e->rr[s][i];

			if (msg_write_rr(&w, (enum dns_section)s, rr->owner, rr->type, rr->class,
				    rr->ttl, rr->rdata, rr->rdlen) != 0)
				die(r, "reply", "too long");
		}
	}
	if (a->q.edns.present && msg_write_opt(&w, &opt) != 0)
		die(r, "reply", "too long");
	fake_reply(a, out, msg_write_end(&w), 5);
}

static bool is_referral_or_nx(const struct rpl_entry *e, const struct fake_ask *a)
{
	if (!e->has_question)
		return false;
	if (e->rcode == DNS_RCODE_NXDOMAIN)
		return dname_is_under(a->q.q.name, e->q.name);
	if (e->rcode != 0 || e->n[0] > 0)
		return false;
	for (unsigned i = 0; i < e->n[1]; i++) {
		if (e->rr[1][i]->type == DNS_TYPE_NS && !(e->flags & DNS_FLAG_AA) &&
			dname_is_under(a->q.q.name, e->rr[1][i]->owner))
			return true;
	}
	return false;
}

static bool will_be_replied(const struct rpl *r)
{
	for (const struct rpl_step *s = r->steps; s; s = s->next) {
		if (s->id > r->now && s->action == RPL_REPLY)
			return true;
	}
	return false;
}

static bool serves(const struct rpl *r, const struct rpl_range *g, const struct ip *ip)
{
	if (r->now < g->from || r->now > g->to)
		return false;
	for (unsigned i = 0; i < g->n_addrs; i++) {
		if (ip_equal(&g->addrs[i], ip))
			return true;
	}
	return g->n_addrs == 0;
}

static struct rpl_entry *find_entry(const struct rpl *r, const struct fake_ask *a,
	bool (*matches)(const struct rpl_entry *, const struct fake_ask *))
{
	for (struct rpl_range *g = r->ranges; g; g = g->next) {
		if (!serves(r, g, &a->server->at.ip))
			continue;
		for (struct rpl_entry *e = g->entries; e; e = e->next) {
			if (matches(e, a))
				return e;
		}
	}
	return NULL;
}

static bool on_ask(struct fake_ask *a, void *arg)
{
	struct rpl *r = arg;
	struct rpl_entry *e = find_entry(r, a, entry_matches);
	static const uint8_t root[1];
	char name[DNAME_TEXT_MAX], type[16], ip[IP_TEXT_LEN];

	if (r->is_verbose)
		fprintf(stderr, "  [%d] %s %s %s%s\n", r->now, ip_format(&a->server->at.ip, ip),
			dname_format(a->q.q.name, name), rrtype_name(a->q.q.type, type),
			e ? "" : " (not scripted)");
	if (!e && will_be_replied(r) && r->n_held < RPL_HELD) {
		memcpy(r->held_bytes[r->n_held], a->bytes, a->len);
		r->held[r->n_held] = *a;
		r->held[r->n_held].bytes = r->held_bytes[r->n_held];
		r->n_held++;
		return true;
	}
	if (!e)
		e = find_entry(r, a, is_referral_or_nx);
	if (e) {
		struct rpl_entry as = *e;

		as.copy_query |= !entry_matches(e, a);
		send_entry(r, &as, a);
	} else if (a->q.q.type == DNS_TYPE_NS && dname_equal(a->q.q.name, root)) {
		char answer[128], extra[128], host[64] = "k.root-servers.net.";

		snprintf(answer, sizeof(answer), ". 3600 IN NS %s", host);
		snprintf(extra, sizeof(extra), "%s 3600 IN A %s", host,
			ip_format(&a->server->at.ip, ip));
		fake_reply_text(a, DNS_FLAG_AA, answer, NULL,
			a->server->at.ip.family == AF_INET ? extra : NULL, 5);
	} else {
		fake_reply_text(a, DNS_RCODE_SERVFAIL, NULL, NULL, NULL, 5);
	}
	return true;
}

/* ---- setting up ---- */

static const char *config(const struct rpl *r, const char *key, unsigned nth)
{
	size_t len = strlen(key);

	for (unsigned i = 0; i < r->n_config && i < 100; i++) {
		const char *s = r->config[i];

		if (strncmp(s, key, len) == 0 && s[len] == ':' && nth-- == 0) {
			s += len + 1;
			while (isspace((unsigned char)*s) || *s == '"')
				s++;
			return s;
		}
	}
	return NULL;
}

static bool is_no(const char *s)
{
	return s && (strncmp(s, "no", 2) == 0 || strncmp(s, "off", 3) == 0);
}

static void word(const char *s, char *out, size_t cap)
{
	size_t n = strcspn(s, " \t\";");

	snprintf(out, cap, "%.*s", (int)n, s);
}

static void apply_feature(struct rpl *r, const char *s)
{
	char key[64] = "", a[256] = "", rest[512] = "";

	if (sscanf(s, "%63[a-z0-9_] = %255s %511[^\n]", key, a, rest) < 2)
		return;
	if (strcmp(key, "min_ttl") == 0)
		r->net->conf->min_ttl_s = (uint32_t)atoi(a);
	if (strcmp(key, "max_ttl") == 0)
		r->net->conf->max_ttl_s = (uint32_t)atoi(a);
	if (strcmp(key, "max_negative_ttl") == 0)
		r->net->conf->max_negative_ttl_s = (uint32_t)atoi(a);
	if (strcmp(key, "prefetch") == 0)
		r->net->conf->prefetch = strncmp(a, "yes", 3) == 0;
	if (strcmp(key, "stub_zone") == 0 || strcmp(key, "forward_zone") == 0)
		fake_forward(r->net, a, key[0] == 's', rest);
}

static void set_up(struct rpl *r, bool qmin)
{
	struct ip_prefix all[2] = {{.ip = {.family = AF_INET}}, {.ip = {.family = AF_INET6}}};
	struct resolver_conf *c;
	const char *s, *name = config(r, "stub-name", 0);
	char to[256], zone[256] = ".";

	r->net = fake_new(1);
	c = r->net->conf;
	c->acl = acl_new(all, 2);
	c->qname_minimisation = qmin;
	c->case_randomisation = c->cookies = false;
	c->edns_size = 4096;
	c->harden_glue = !is_no(config(r, "harden-glue", 0));
	c->query_localhost = is_no(config(r, "do-not-query-localhost", 0));
	c->ipv4 = !is_no(config(r, "do-ip4", 0));
	c->ipv6 = !is_no(config(r, "do-ip6", 0));
	if (name)
		word(name, zone, sizeof(zone));
	if (strcmp(zone, "rootns.") == 0)
		strcpy(zone, "."); /* the name of the root server, not of a zone */
	for (unsigned i = 0; (s = config(r, "stub-addr", i)); i++) {
		word(s, to, sizeof(to));
		if (strcmp(zone, ".") == 0)
			fake_root(r->net, to, "");
		else
			fake_forward(r->net, zone, true, to);
	}
	for (unsigned i = 0; (s = config(r, "forward-addr", i)); i++) {
		word(s, to, sizeof(to));
		fake_forward(r->net, ".", false, to);
	}
	for (unsigned i = 0; (s = config(r, "feature-list", i)); i++)
		apply_feature(r, s);
	for (unsigned i = 0; (s = config(r, "features", i)); i++)
		apply_feature(r, s);
	r->net->any_hook = on_ask;
	r->net->any_hook_arg = r;
}

/* ---- the client ---- */

static void on_answer(void *arg, const uint8_t *wire, size_t len)
{
	struct rpl *r = arg;

	r->has_answer = true;
	memcpy(r->answer, wire, len);
	r->answer_len = len;
}

static void do_query(struct rpl *r, const struct rpl_step *s)
{
	struct client c = {
		.kind = CLIENT_CALL, .on_answer = on_answer, .arg = r, .peer = s->client};
	struct edns_reply opt = {.udp_size = 4096, .is_do = s->entry->is_do, .ede = DNS_EDE_NONE};
	static uint8_t query[65535], out[65535];
	size_t len = 0, out_len = 0;

	r->has_answer = false;
	if (s->entry->raw) {
		memcpy(query, s->entry->raw, s->entry->raw_len);
		len = s->entry->raw_len;
	} else if (msg_write_query(query, sizeof(query), 4711, s->entry->flags, &s->entry->q, &opt,
			   &len) != 0) {
		die(r, "query", "cannot write it");
	}
	rcu_enter();
	if (front_one(r->net->r, query, len, &c, out, sizeof(out), &out_len) == FRONT_SEND)
		on_answer(r, out, out_len);
	rcu_leave();
	if (!will_be_replied(r))
		fake_run_until(r->net, &r->has_answer, s->entry->raw ? 100 : 20000);
	else
		fake_run(r->net, 20);
}

static void do_reply(struct rpl *r, const struct rpl_step *s)
{
	for (unsigned i = 0; i < r->n_held; i++) {
		if (!entry_matches(s->entry, &r->held[i]))
			continue;
		send_entry(r, s->entry, &r->held[i]);
		r->held[i] = r->held[--r->n_held];
		memcpy(r->held_bytes[i], r->held_bytes[r->n_held], 512);
		r->held[i].bytes = r->held_bytes[i];
		break;
	}
	fake_run(r->net, 20);
}

/* ---- checking ---- */

static void describe(const struct rrtext_rr *rr, bool with_ttl, char *out, size_t cap)
{
	rrtext_format(rr->owner, rr->type, rr->class, with_ttl ? rr->ttl : 0, rr->rdata, rr->rdlen,
		out, cap);
	for (char *p = out; *p; p++)
		*p = *p == '\t' ? ' ' : (char)tolower((unsigned char)*p);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned got_lines(const struct msg *m, enum dns_section section, bool with_ttl, char **out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n_rr && n < 2 * RPL_LINES; i++) {
		static struct rrtext_rr rr;
		struct rbuf b = rbuf_of(m->wire, m->len);
		struct wbuf w = wbuf_of(rr.rdata, sizeof(rr.rdata));
		size_t len;

		if (m->rr[i].section != section)
			continue;
		b.pos = m->rr[i].owner;
		if (dname_parse(&b, rr.owner, &len) != 0)
			continue;
		b.pos = m->rr[i].rdata;
		if (rrtype_expand_rdata(&b, m->rr[i].type, m->rr[i].rdlen, &w) != 0)
			continue;
		rr.owner_len = (uint8_t)len;
		rr.type = m->rr[i].type;
		rr.class = m->rr[i].class;
		rr.ttl = m->rr[i].ttl;
		rr.rdlen = w.len;
		out[n] = malloc(RRTEXT_LINE_MAX);
		describe(&rr, with_ttl, out[n], RRTEXT_LINE_MAX);
		n++;
	}
	qsort(out, n, sizeof(*out), by_text);
	return n;
}

static bool same_section(struct rpl *r, const struct rpl_entry *e, const struct msg *m,
	enum dns_section section, const char *name)
{
	char *want[RPL_LINES], *got[2 * RPL_LINES];
	unsigned n_want = e->n[section], n_got;
	bool with_ttl = e->match & RPL_TTL, same;

	for (unsigned i = 0; i < n_want; i++) {
		want[i] = malloc(RRTEXT_LINE_MAX);
		describe(e->rr[section][i], with_ttl, want[i], RRTEXT_LINE_MAX);
	}
	qsort(want, n_want, sizeof(*want), by_text);
	n_got = got_lines(m, section, with_ttl, got);
	same = n_want == n_got;
	for (unsigned i = 0; same && i < n_want; i++)
		same = strcmp(want[i], got[i]) == 0;
	if (!same) {
		snprintf(r->why, sizeof(r->why), "%s: wanted %u, got %u", name, n_want, n_got);
		for (unsigned i = 0; r->is_verbose && i < n_want; i++)
			fprintf(stderr, "    want %s\n", want[i]);
		for (unsigned i = 0; r->is_verbose && i < n_got; i++)
			fprintf(stderr, "    got  %s\n", got[i]);
	}
	for (unsigned i = 0; i < n_want; i++)
		free(want[i]);
	for (unsigned i = 0; i < n_got; i++)
		free(got[i]);
	return same;
}

static bool check(struct rpl *r, const struct rpl_entry *e)
{
	const uint16_t flags = DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_TC | DNS_FLAG_RD | DNS_FLAG_RA |
			       DNS_FLAG_AD | DNS_FLAG_CD;
	static struct msg m;

	if (!r->has_answer) {
		snprintf(r->why, sizeof(r->why), "no answer");
		return false;
	}
	if (msg_parse(r->answer, r->answer_len, &m) != 0) {
		snprintf(r->why, sizeof(r->why), "unreadable answer");
		return false;
	}
	if (e->match & RPL_RCODE && m.rcode != e->rcode) {
		snprintf(r->why, sizeof(r->why), "rcode %u, wanted %u", m.rcode, e->rcode);
		return false;
	}
	if (e->match & RPL_FLAGS && (m.flags & flags) != e->flags) {
		snprintf(r->why, sizeof(r->why), "flags %04x, wanted %04x", m.flags & flags,
			e->flags);
		return false;
	}
	if (e->match & RPL_QTYPE && e->has_question && m.q.type != e->q.type) {
		snprintf(r->why, sizeof(r->why), "type");
		return false;
	}
	if (e->match & RPL_QNAME && e->has_question && !dname_equal(m.q.name, e->q.name)) {
		snprintf(r->why, sizeof(r->why), "name");
		return false;
	}
	return (!(e->match & RPL_ANSWER) || same_section(r, e, &m, DNS_SECTION_ANSWER, "answer")) &&
	       (!(e->match & RPL_AUTHORITY) ||
		       same_section(r, e, &m, DNS_SECTION_AUTHORITY, "authority")) &&
	       (!(e->match & RPL_ADDITIONAL) ||
		       same_section(r, e, &m, DNS_SECTION_ADDITIONAL, "additional"));
}

/* ---- running ---- */

static bool run(struct rpl *r, bool qmin)
{
	bool is_good = true;

	set_up(r, qmin);
	r->n_held = 0;
	r->now = 0;
	for (struct rpl_step *s = r->steps; s && is_good; s = s->next) {
		r->now = s->id;
		if (r->is_verbose)
			fprintf(stderr, " step %d\n", s->id);
		switch (s->action) {
		case RPL_QUERY:
			do_query(r, s);
			break;
		case RPL_PASS:
			fake_run(r->net, s->elapse_s * 1000);
			break;
		case RPL_REPLY:
			do_reply(r, s);
			break;
		case RPL_CHECK:
			if (!r->has_answer)
				fake_run_until(r->net, &r->has_answer, 20000);
			is_good = check(r, s->entry);
			if (!is_good)
				printf("FAIL %s step %d%s: %s\n", r->path, s->id,
					qmin ? "" : " (no minimisation)", r->why);
			break;
		}
	}
	fake_free(r->net);
	return is_good;
}

int main(int argc, char **argv)
{
	unsigned n_passed = 0, n_failed = 0, n_skipped = 0;
	bool is_verbose = false;

	rcu_thread_register();
	for (int i = 1; i < argc; i++) {
		struct rpl *r;
		const char *qmin;
		bool is_good = true;

		if (strcmp(argv[i], "-v") == 0) {
			is_verbose = true;
			continue;
		}
		r = calloc(1, sizeof(*r));
		r->path = argv[i];
		r->is_verbose = is_verbose;
		read_file(r);
		if (config(r, "trust-anchor", 0) || config(r, "trust-anchor-file", 0)) {
			n_skipped++;
			continue;
		}
		qmin = config(r, "query-minimization", 0);
		if (!qmin || !is_no(qmin))
			is_good = run(r, true);
		if (is_good && (!qmin || is_no(qmin)))
			is_good = run(r, false);
		n_passed += is_good;
		n_failed += !is_good;
	}
	printf("%u passed, %u failed, %u skipped (validation)\n", n_passed, n_failed, n_skipped);
	rcu_thread_unregister();
	return n_failed > 0;
}
