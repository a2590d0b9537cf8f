/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl/rpl_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/build.h"
#include "dns/dname.h"

enum { CONFIG_WALL_S = 1767225600 /* 2026-01-01, where a scenario does not say */ };

/* What is written, and where its files lie. */
struct writing {
	const struct rpl_scenario *s;
	FILE *out;
	char folder[256];
	char hints[300], anchors[300];
	bool has_hints, has_anchors, qname_minimisation;
};

static _Noreturn void give_up(const struct rpl_scenario *s, unsigned line, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", s->path, line, what);
	exit(2);
}

/* ---- looking into the scenario ---- */

static const struct rpl_option *find_option(
	const struct rpl_scenario *s, const char *key, const struct rpl_option *after)
{
	const struct rpl_option *o = after ? after + 1 : s->options;

	for (; o < s->options + s->n_options; o++)
		if (strcmp(o->key, key) == 0)
			return o;
	return NULL;
}

static bool is_no(const char *value)
{
	return strcasecmp(value, "no") == 0 || strcasecmp(value, "off") == 0;
}

bool rpl_config_has_minimisation(const struct rpl_scenario *s, bool *out)
{
	const struct rpl_option *o = find_option(s, "query-minimization", NULL);

	if (o)
		*out = !is_no(o->value);
	return o != NULL;
}

int64_t rpl_config_wall_s(const struct rpl_scenario *s)
{
	const struct rpl_option *date = find_option(s, "val-override-date", NULL);
	const struct rpl_option *stamp = find_option(s, "val-override-timestamp", NULL);
	struct tm tm = {0};

	if (stamp)
		return strtoll(stamp->value, NULL, 10);
	if (!date)
		return CONFIG_WALL_S;
	if (sscanf(date->value, "%4d%2d%2d%2d%2d%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		    &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		give_up(s, date->line, "not a date");
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return timegm(&tm);
}

/* The name that the scenario's root gives the server at ip: an NS record of an answer to ". NS"
 * with that address beside it. */
static const uint8_t *scripted_root(const struct rpl_scenario *s, const struct ip *ip)
{
	for (const struct rpl_range *g = s->ranges; g; g = g->next) {
		for (const struct rpl_entry *e = g->entries; e; e = e->next) {
			const struct rpl_packet *p = &e->packet;
			const struct rpl_rr *rr = p->rr[DNS_SECTION_ADDITIONAL];

			if (!p->has_question || p->q.type != DNS_TYPE_NS || p->q.name_len != 1)
				continue;
			for (; rr; rr = rr->next)
				if (rr->rdlen == ip_len(ip) &&
					memcmp(rr->rdata, ip->bytes, rr->rdlen) == 0)
					return rr->owner;
		}
	}
	return NULL;
}

static bool serves_root(const struct rpl_scenario *s, const struct ip *ip)
{
	for (const struct rpl_range *g = s->ranges; g; g = g->next) {
		bool is_it = false;

		for (unsigned i = 0; i < g->n_addresses; i++)
			is_it |= ip_equal(&g->addresses[i], ip);
		for (const struct rpl_entry *e = g->entries; is_it && e; e = e->next)
			if (e->packet.has_question && e->packet.q.name_len == 1)
				return true;
	}
	return false;
}

/* ---- files ---- */

static FILE *open_file(struct writing *w, const char *name, char *path, size_t cap)
{
	FILE *f;

	snprintf(path, cap, "%s/%s", w->folder, name);
	f = fopen(path, "we");
	if (!f)
		give_up(w->s, 0, "cannot write a temporary file");
	return f;
}

static void write_hint(FILE *f, const uint8_t *name, const struct ip *ip)
{
	char host[DNAME_TEXT_MAX], text[IP_TEXT_LEN];

	dname_format(name, host);
	fprintf(f, ". 3600000 IN NS %s\n%s 3600000 IN %s %s\n", host, host,
		ip->family == AF_INET ? "A" : "AAAA", ip_format(ip, text));
}

/* stub-addr names the root server, unless stub-name says it serves another zone. */
static bool is_root_server(
	const struct rpl_scenario *s, const struct rpl_option *name, const struct ip *ip)
{
	return !name || strcmp(name->value, ".") == 0 || serves_root(s, ip);
}

static void add_hint(struct writing *w, FILE *f, const struct rpl_option *o, const char *address)
{
	static const uint8_t usual[] = "\1k\14root-servers\3net";
	const struct rpl_option *stub = find_option(w->s, "stub-name", NULL);
	uint8_t name[DNAME_MAX];
	const uint8_t *found;
	size_t len;
	struct ip ip;

	if (ip_read(address, &ip) != 0)
		give_up(w->s, o->line, "not an address");
	if (!is_root_server(w->s, stub, &ip))
		return;
	w->has_hints = true;
	found = scripted_root(w->s, &ip);
	if (!found && stub && dname_read(stub->value, name, &len) == 0 && len > 1)
		found = name;
	if (!found && dname_read(o->comment, name, &len) == 0 && len > 1)
		found = name;
	write_hint(f, found ? found : usual, &ip);
}

/* "name = value" of a features line; false when it is another. */
static bool is_feature(const struct rpl_option *o, const char *name, char *value, size_t cap)
{
	size_t len = strlen(name);
	const char *s = o->value;

	if (strncmp(s, name, len) != 0)
		return false;
	s += len + strspn(s + len, " \t");
	if (*s++ != '=')
		return false;
	snprintf(value, cap, "%s", s + strspn(s, " \t"));
	return true;
}

static const struct rpl_option *next_feature(
	const struct rpl_scenario *s, const struct rpl_option *after)
{
	const struct rpl_option *o = after ? after + 1 : s->options;

	for (; o < s->options + s->n_options; o++)
		if (strcmp(o->key, "features") == 0 || strcmp(o->key, "feature-list") == 0)
			return o;
	return NULL;
}

static void write_hints(struct writing *w)
{
	FILE *f = open_file(w, "hints", w->hints, sizeof(w->hints));
	const struct rpl_option *o = NULL;
	char value[256];

	while ((o = find_option(w->s, "stub-addr", o)))
		add_hint(w, f, o, o->value);
	for (o = next_feature(w->s, NULL); o; o = next_feature(w->s, o))
		if (is_feature(o, "root_addr", value, sizeof(value)))
			add_hint(w, f, o, value);
	fclose(f);
}

static void write_anchors(struct writing *w)
{
	FILE *f = open_file(w, "anchors", w->anchors, sizeof(w->anchors));
	const struct rpl_option *o = NULL;

	while ((o = find_option(w->s, "trust-anchor", o))) {
		fprintf(f, "%s\n", o->value);
		w->has_anchors = true;
	}
	fclose(f);
}

/* ---- the YAML ---- */

/* The laboratory: nothing is asked or changed that the scenario did not script. */
static const struct {
	const char *key, *value;
} LABORATORY[] = {
	{"allow", "[ \"0.0.0.0/0\", \"::/0\" ]"},
	{"prime", "no"},
	{"case-randomisation", "no"},
	{"cookies", "no"},
	{"special-zones", "no"},
	{"rebind-protection", "no"},
	{"serve-stale", "off"},
	{"anchor-updates", "no"},
	{"minimal-responses", "no"},
	{"prefetch", "no"},
	{"edns-size", "4096"},
	{"signature-skew", "0"},
};

/* Keys of dns that a scenario sets itself. */
static const struct {
	const char *theirs, *ours;
	bool is_reversed;
} SWITCHES[] = {
	{"harden-glue", "harden-glue", false},
	{"do-not-query-localhost", "query-localhost", true},
	{"do-ip4", "ipv4", false},
	{"do-ip6", "ipv6", false},
};

static const struct {
	const char *theirs, *ours;
} FEATURES[] = {
	{"min_ttl", "min-ttl"},
	{"max_ttl", "max-ttl"},
	{"max_negative_ttl", "max-negative-ttl"},
	{"prefetch", "prefetch"},
};

/* option: KEY VALUE sets a key of dns in our own words. */
static const char *own_option(const struct rpl_scenario *s, const char *key)
{
	const struct rpl_option *o = NULL;
	size_t len = strlen(key);

	while ((o = find_option(s, "option", o)))
		if (strncmp(o->value, key, len) == 0 && o->value[len] == ' ')
			return o->value + len + 1;
	return NULL;
}

static bool feature_value(const struct rpl_scenario *s, const char *key, char *value, size_t cap)
{
	for (const struct rpl_option *o = next_feature(s, NULL); o; o = next_feature(s, o))
		if (is_feature(o, key, value, cap))
			return true;
	return false;
}

static void write_switches(struct writing *w)
{
	const struct rpl_scenario *s = w->s;
	const struct rpl_option *o;
	char value[256];

	for (size_t i = 0; i < sizeof(SWITCHES) / sizeof(SWITCHES[0]); i++) {
		o = find_option(s, SWITCHES[i].theirs, NULL);
		if (o)
			fprintf(w->out, "  %s: %s\n", SWITCHES[i].ours,
				is_no(o->value) != SWITCHES[i].is_reversed ? "no" : "yes");
	}
	for (size_t i = 0; i < sizeof(FEATURES) / sizeof(FEATURES[0]); i++)
		if (feature_value(s, FEATURES[i].theirs, value, sizeof(value)))
			fprintf(w->out, "  %s: %s\n", FEATURES[i].ours, value);
	for (size_t i = 0; i < sizeof(LABORATORY) / sizeof(LABORATORY[0]); i++)
		if (!own_option(s, LABORATORY[i].key) &&
			!(strcmp(LABORATORY[i].key, "prefetch") == 0 &&
				feature_value(s, "prefetch", value, sizeof(value))))
			fprintf(w->out, "  %s: %s\n", LABORATORY[i].key, LABORATORY[i].value);
	for (o = find_option(s, "option", NULL); o; o = find_option(s, "option", o)) {
		size_t len = strcspn(o->value, " ");

		fprintf(w->out, "  %.*s:%s\n", (int)len, o->value, o->value + len);
	}
}

static void write_dns(struct writing *w)
{
	const struct rpl_option *o = NULL;
	const char *comma = "";
	bool minimise = w->qname_minimisation;

	rpl_config_has_minimisation(w->s, &minimise);
	fprintf(w->out, "dns:\n  qname-minimisation: %s\n  validate: %s\n", minimise ? "yes" : "no",
		w->has_anchors ? "yes" : "no");
	if (w->has_hints)
		fprintf(w->out, "  root-hints: %s\n", w->hints);
	if (w->has_anchors)
		fprintf(w->out, "  trust-anchors: [ %s ]\n", w->anchors);
	write_switches(w);
	if (!find_option(w->s, "domain-insecure", NULL))
		return;
	fprintf(w->out, "  negative-trust-anchors: [");
	while ((o = find_option(w->s, "domain-insecure", o))) {
		fprintf(w->out, "%s \"%s\"", comma, o->value);
		comma = ",";
	}
	fprintf(w->out, " ]\n");
}

/* "zone addr ...": one entry of forward or stub. */
static void write_zone(struct writing *w, const char *zone, const char *addresses, bool is_stub)
{
	char copy[256], *save = NULL, *at;
	const char *comma = "";

	snprintf(copy, sizeof(copy), "%s", addresses);
	fprintf(w->out, "  \"%s\": { to: [", zone);
	for (at = strtok_r(copy, " \t", &save); at; at = strtok_r(NULL, " \t", &save)) {
		fprintf(w->out, "%s \"%s\"", comma, at);
		comma = ",";
	}
	fprintf(w->out, " ]%s }\n", is_stub ? "" : ", validate: yes");
}

static void write_zones(struct writing *w, bool is_stub)
{
	const char *name = is_stub ? "stub_zone" : "forward_zone";
	const struct rpl_option *o, *stub = find_option(w->s, "stub-name", NULL);
	char value[256], all[1024] = "";
	struct ip ip;

	fprintf(w->out, "%s:\n", is_stub ? "stub" : "forward");
	for (o = next_feature(w->s, NULL); o; o = next_feature(w->s, o)) {
		char *space;

		if (!is_feature(o, name, value, sizeof(value)))
			continue;
		space = strpbrk(value, " \t");
		if (!space)
			give_up(w->s, o->line, "a zone without addresses");
		*space = '\0';
		write_zone(w, value, space + 1, is_stub);
	}
	o = NULL;
	while (!is_stub && (o = find_option(w->s, "forward-addr", o)))
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", o->value);
	while (is_stub && stub && (o = find_option(w->s, "stub-addr", o)))
		if (ip_read(o->value, &ip) == 0 && !is_root_server(w->s, stub, &ip))
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", o->value);
	if (*all)
		write_zone(w, is_stub ? stub->value : ".", all, is_stub);
}

static bool has_zones(const struct rpl_scenario *s, bool is_stub)
{
	const struct rpl_option *stub = find_option(s, "stub-name", NULL);
	const struct rpl_option *addr = find_option(s, "stub-addr", NULL);
	char value[256];
	struct ip ip;

	if (feature_value(s, is_stub ? "stub_zone" : "forward_zone", value, sizeof(value)))
		return true;
	if (!is_stub)
		return find_option(s, "forward-addr", NULL) != NULL;
	return stub && addr && ip_read(addr->value, &ip) == 0 && !is_root_server(s, stub, &ip);
}

/* Keys this file knows; a scenario may not ask for what is not played. */
static void check_keys(const struct rpl_scenario *s)
{
	static const char *const KNOWN[] = {"stub-addr", "stub-name", "forward-addr",
		"trust-anchor", "domain-insecure", "val-override-date", "val-override-timestamp",
		"query-minimization", "harden-glue", "do-not-query-localhost", "do-ip4", "do-ip6",
		"feature-list", "features", "option", "yaml"};

	for (unsigned i = 0; i < s->n_options; i++) {
		bool is_known = false;

		for (size_t k = 0; k < sizeof(KNOWN) / sizeof(KNOWN[0]); k++)
			is_known |= strcmp(s->options[i].key, KNOWN[k]) == 0;
		if (!is_known)
			give_up(s, s->options[i].line, "this key is not known");
	}
}

static void write_yaml(struct writing *w)
{
	const struct rpl_option *o = NULL;

	write_dns(w);
	if (has_zones(w->s, false))
		write_zones(w, false);
	if (has_zones(w->s, true))
		write_zones(w, true);
	while ((o = find_option(w->s, "yaml", o)))
		fprintf(w->out, "%s\n", o->value);
}

/* ---- building ---- */

static struct resolver_conf *build(const struct rpl_scenario *s, const char *text, size_t len)
{
	struct config_report rep = {0};
	struct build_host host = {0};
	struct build_domains domains = {0};
	struct config *c = NULL;
	struct resolver_conf *conf = NULL;
	int err = config_load_text("scenario.yaml", text, len, &c, &rep);

	if (err == 0) {
		build_domains_add(&domains, c, &rep);
		err = build_resolver(c, &host, &domains, NULL, 1, &rep, &conf);
	}
	if (err != 0) {
		config_report_print(&rep, stderr);
		fprintf(stderr, "%s", text);
		give_up(s, 1, "its configuration cannot be said in ours");
	}
	config_report_fini(&rep);
	build_domains_fini(&domains);
	config_free(c);
	return conf;
}

static void make_folder(struct writing *w)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(w->folder, sizeof(w->folder), "%s/rpl-XXXXXX", tmp && *tmp ? tmp : P_tmpdir);
	if (!mkdtemp(w->folder))
		give_up(w->s, 0, "cannot make a temporary folder");
}

struct resolver_conf *rpl_config(
	const struct rpl_scenario *s, bool qname_minimisation, bool is_verbose)
{
	struct writing w = {.s = s, .qname_minimisation = qname_minimisation};
	struct resolver_conf *conf;
	char *text = NULL;
	size_t len = 0;

	check_keys(s);
	make_folder(&w);
	write_hints(&w);
	write_anchors(&w);
	w.out = open_memstream(&text, &len);
	write_yaml(&w);
	fclose(w.out);
	if (is_verbose)
		fprintf(stderr, "%s", text);
	conf = build(s, text, len);
	free(text);
	unlink(w.hints);
	unlink(w.anchors);
	rmdir(w.folder);
	return conf;
}
