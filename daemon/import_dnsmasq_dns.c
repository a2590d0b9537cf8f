/* SPDX-License-Identifier: Apache-2.0 */
/* The directives about names, and those about the daemon itself. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/config_kind.h"
#include "daemon/import_dnsmasq_parts.h"

static struct import_node *top(struct import *im, const char *key)
{
	return import_map(im->doc, im->root, key);
}

static struct import_node *record(struct import *im, const char *name)
{
	return import_map(im->doc, top(im, "record"), name);
}

static bool is_domain(const char *text)
{
	return text[0] && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					    "0123456789-_.")] == '\0';
}

/* "10.0.0.1#5353" and "::1" into "10.0.0.1:5353" and "[::1]:53"; NULL when it is neither. */
static const char *server_text(struct import *im, char *value, char *buf, size_t cap)
{
	char *at = strchr(value, '@'), *hash = strchr(value, '#');
	const char *port = "53";
	struct ip ip;

	if (at) {
		*at = '\0';
		import_note(im, IMPORT_CHANGED, "the source (@%s) is left out; see dns.outgoing",
			at + 1);
	}
	if (hash) {
		*hash = '\0';
		port = hash + 1;
	}
	if (ip_read(value, &ip) < 0)
		return NULL;
	if (!hash)
		snprintf(buf, cap, "%s", value);
	else
		snprintf(buf, cap, "%s%s%s:%s", ip.family == AF_INET ? "" : "[", value,
			ip.family == AF_INET ? "" : "]", port);
	return buf;
}

/* "/a/b/rest": calls fn for each domain with what stands behind the last slash. */
static bool each_domain(struct import *im, char *value,
	void (*fn)(struct import *im, const char *domain, char *rest))
{
	char *rest = strrchr(value, '/'), *save, *copy;

	if (value[0] != '/' || rest == value)
		return false;
	*rest++ = '\0';
	for (char *d = strtok_r(value + 1, "/", &save); d; d = strtok_r(NULL, "/", &save)) {
		if (strncmp(d, "*.", 2) == 0)
			d += 2;
		copy = import_text(im->doc, rest, strlen(rest));
		if (is_domain(d))
			fn(im, d, copy);
		else
			import_note(im, IMPORT_CANNOT, "\"%s\" is not a domain", d);
	}
	return true;
}

static bool is_own(const struct import *im, const char *domain)
{
	size_t len = strlen(domain), own = im->domain ? strlen(im->domain) : 0;

	return im->domain && len >= own && strcasecmp(domain + len - own, im->domain) == 0 &&
	       (len == own || domain[len - own - 1] == '.');
}

static bool is_reverse(const char *domain)
{
	size_t len = strlen(domain);

	return len > 5 && strcasecmp(domain + len - 5, ".arpa") == 0;
}

static void keep_local(struct import *im, const char *domain)
{
	if (!is_own(im, domain) && !is_reverse(domain))
		import_note(im, IMPORT_CANNOT,
			"names below %s are asked for outside; only one domain is ours alone",
			domain);
}

static void forward_domain(struct import *im, const char *domain, char *rest)
{
	char buf[IP_TEXT_LEN + 16];

	if (!*rest) {
		keep_local(im, domain);
		return;
	}
	if (strcmp(rest, "#") == 0) {
		import_note(im, IMPORT_CANNOT, "%s to the usual servers: there is no exception",
			domain);
		return;
	}
	if (!server_text(im, rest, buf, sizeof(buf))) {
		import_note(im, IMPORT_CANNOT, "\"%s\" is not an address", rest);
		return;
	}
	import_add(im->doc, import_map(im->doc, top(im, "forward"), domain), "to", buf);
}

static void read_server(struct import *im, char *value)
{
	char buf[IP_TEXT_LEN + 16];

	if (value[0] == '/') {
		if (!each_domain(im, value, forward_domain))
			import_note(im, IMPORT_CANNOT,
				"names without dots are never asked for outside");
		return;
	}
	if (!server_text(im, value, buf, sizeof(buf))) {
		import_note(im, IMPORT_CANNOT, "\"%s\" is not an address", value);
		return;
	}
	im->forwards = true;
	import_add(im->doc, import_map(im->doc, top(im, "forward"), "."), "to", buf);
}

static void read_local(struct import *im, char *value)
{
	if (value[0] != '/' || !each_domain(im, value, forward_domain))
		read_server(im, value);
}

/* rev-server=192.168.0.0/16,10.0.0.1: the reverse zone of whole bytes. */
static void read_rev_server(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX], zone[64], buf[IP_TEXT_LEN + 16];
	size_t n = import_split(im, value, parts);
	struct ip_prefix p;
	const uint8_t *b = p.ip.bytes;

	if (n < 2 || ip_prefix_read(parts[0], &p) < 0 || p.ip.family != AF_INET || p.len % 8 ||
		p.len < 8 || !server_text(im, parts[1], buf, sizeof(buf))) {
		import_note(im, IMPORT_CANNOT, "write the reverse zone under forward");
		return;
	}
	if (p.len == 8)
		snprintf(zone, sizeof(zone), "%u.in-addr.arpa", b[0]);
	else if (p.len == 16)
		snprintf(zone, sizeof(zone), "%u.%u.in-addr.arpa", b[1], b[0]);
	else
		snprintf(zone, sizeof(zone), "%u.%u.%u.in-addr.arpa", b[2], b[1], b[0]);
	import_add(im->doc, import_map(im->doc, top(im, "forward"), zone), "to", buf);
}

static void add_address(struct import *im, const char *name, const struct ip *ip, const char *text)
{
	import_add(im->doc, record(im, name), ip->family == AF_INET ? "a" : "aaaa", text);
}

static void address_domain(struct import *im, const char *domain, char *rest)
{
	char wild[300];
	struct ip ip;

	if (!*rest || strcmp(rest, "#") == 0 || strcmp(rest, "0.0.0.0") == 0 ||
		strcmp(rest, "::") == 0) {
		import_note(
			im, IMPORT_CANNOT, "write %s into a file that block.lists names", domain);
		return;
	}
	if (ip_read(rest, &ip) < 0) {
		import_note(im, IMPORT_CANNOT, "\"%s\" is not an address", rest);
		return;
	}
	snprintf(wild, sizeof(wild), "*.%s", domain);
	add_address(im, domain, &ip, rest);
	add_address(im, wild, &ip, rest);
}

static void read_address(struct import *im, char *value)
{
	if (!each_domain(im, value, address_domain))
		import_note(im, IMPORT_CANNOT, "one address for every name there is");
}

/* host-record=name[,name...][,address...][,ttl] */
static void read_host_record(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts), n_names = 0;
	struct ip ip;

	while (n_names < n && ip_read(parts[n_names], &ip) < 0 &&
		parts[n_names][strspn(parts[n_names], "0123456789")])
		n_names++;
	for (size_t i = 0; i < n_names; i++) {
		for (size_t j = n_names; j < n; j++) {
			if (ip_read(parts[j], &ip) == 0)
				add_address(im, parts[i], &ip, parts[j]);
			else
				import_set(im->doc, record(im, parts[i]), "ttl", parts[j]);
		}
	}
	if (!n_names || n_names == n)
		import_note(im, IMPORT_CANNOT, "a name and an address are expected");
}

/* cname=alias[,alias...],target[,ttl] */
static void read_cname(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	const char *ttl = NULL;

	if (n > 2 && !parts[n - 1][strspn(parts[n - 1], "0123456789")])
		ttl = parts[--n];
	if (n < 2) {
		import_note(im, IMPORT_CANNOT, "an alias and a target are expected");
		return;
	}
	for (size_t i = 0; i + 1 < n; i++) {
		import_set(im->doc, record(im, parts[i]), "cname", parts[n - 1]);
		if (ttl)
			import_set(im->doc, record(im, parts[i]), "ttl", ttl);
	}
}

static void read_mx(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX], text[400];
	size_t n = import_split(im, value, parts);

	if (n < 2) {
		import_note(im, IMPORT_CANNOT, "name the mail server under record");
		return;
	}
	snprintf(text, sizeof(text), "%s %s", n > 2 ? parts[2] : "1", parts[1]);
	import_add(im->doc, record(im, parts[0]), "mx", text);
}

/* srv-host=_service._proto[.domain][,target[,port[,priority[,weight]]]] */
static void read_srv(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX], text[400];
	size_t n = import_split(im, value, parts);

	if (n == 0)
		return;
	snprintf(text, sizeof(text), "%s %s %s %s", n > 3 ? parts[3] : "0", n > 4 ? parts[4] : "0",
		n > 2 ? parts[2] : "1", n > 1 && *parts[1] ? parts[1] : ".");
	import_add(im->doc, record(im, parts[0]), "srv", text);
}

static void read_txt(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);

	if (n > 2)
		import_note(im, IMPORT_CHANGED, "its texts are one each");
	for (size_t i = 1; i < n; i++)
		import_add(im->doc, record(im, parts[0]), "txt", parts[i]);
}

static void read_ptr(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];

	if (import_split(im, value, parts) == 2)
		import_set(im->doc, record(im, parts[0]), "ptr", parts[1]);
	else
		import_note(im, IMPORT_CANNOT, "a name and its target are expected");
}

static void read_caa(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX], text[1024];

	if (import_split(im, value, parts) == 4) {
		snprintf(text, sizeof(text), "%s %s \"%s\"", parts[1], parts[2], parts[3]);
		import_add(im->doc, record(im, parts[0]), "caa", text);
	} else {
		import_note(im, IMPORT_CANNOT, "name, flags, tag and value are expected");
	}
}

/* dns-rr=name,number[,hex] */
static void read_rr(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX], text[1200], hex[1024];
	size_t n = import_split(im, value, parts), len = 0;

	for (const char *p = n > 2 ? parts[2] : ""; *p && len + 1 < sizeof(hex); p++)
		if (*p != ':' && *p != ' ')
			hex[len++] = *p;
	hex[len] = '\0';
	if (n < 2 || len % 2) {
		import_note(im, IMPORT_CANNOT, "name, number and hex digits are expected");
		return;
	}
	snprintf(text, sizeof(text), "TYPE%s \\# %zu %s", parts[1], len / 2, hex);
	import_add(im->doc, record(im, parts[0]), "rr", text);
}

/* domain=name[,range[,local]]: with a range it is that of a lan. */
static void read_domain(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	struct ip_range range;
	struct ip_prefix prefix;
	struct ip ip;

	if (n == 0 || strcmp(parts[0], "#") == 0) {
		import_note(im, IMPORT_CANNOT, "name the domain; resolv.conf is not read");
		return;
	}
	if (n == 1) {
		im->domain = import_text(im->doc, parts[0], strlen(parts[0]));
		import_set(im->doc, im->root, "domain", parts[0]);
		return;
	}
	if (ip_prefix_read(parts[1], &prefix) == 0)
		ip = prefix.ip;
	else if (ip_range_read(parts[1], &range) == 0)
		ip = range.first;
	else {
		import_note(im, IMPORT_CANNOT, "write it as domain of the lan it is for");
		return;
	}
	for (size_t i = 0; i < im->n_lan; i++) {
		if (ip_prefix_has(&im->lan[i].subnet, &ip)) {
			import_set(im->doc, im->lan[i].node, "domain", parts[0]);
			return;
		}
	}
	import_note(im, IMPORT_CANNOT, "no dhcp-range is in %s", parts[1]);
}

static void read_interface(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);

	for (size_t i = 0; i < n; i++)
		if (strcmp(parts[i], "lo") != 0 && im->n_iface < IMPORT_IFACES_MAX)
			im->iface[im->n_iface++] = import_text(im->doc, parts[i], strlen(parts[i]));
}

static void read_listen(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);

	for (size_t i = 0; i < n; i++) {
		bool v6 = strchr(parts[i], ':');
		char text[IP_TEXT_LEN + 16];

		snprintf(text, sizeof(text), "%s%s%s:%s", v6 ? "[" : "", parts[i], v6 ? "]" : "",
			im->port ? im->port : "53");
		import_add(im->doc, im->dns, "listen", text);
	}
}

static void read_port(struct import *im, char *value)
{
	if (strcmp(value, "0") == 0)
		import_note(im, IMPORT_CANNOT, "DNS is always answered");
	else
		im->port = import_text(im->doc, value, strlen(value));
}

static void read_hosts(struct import *im, char *value)
{
	import_add(im->doc, im->root, "hosts", value);
}

static void read_hosts_dir(struct import *im, char *value)
{
	import_note(im, IMPORT_CHANGED, "name each file of %s under hosts", value);
}

static void read_no_hosts(struct import *im, char *value)
{
	(void)value;
	im->no_hosts = true;
}

static void read_rebind_stop(struct import *im, char *value)
{
	(void)value;
	im->rebind_stop = true;
}

static void rebind_domain(struct import *im, const char *domain, char *rest)
{
	(void)rest;
	import_add(im->doc, im->dns, "rebind-allow", domain);
}

static void read_rebind_ok(struct import *im, char *value)
{
	size_t len = strlen(value);
	char *text = import_text(im->doc, value, len + 1);

	if (value[0] != '/') {
		import_add(im->doc, im->dns, "rebind-allow", value);
		return;
	}
	if (len && text[len - 1] != '/')
		text[len] = '/';
	(void)each_domain(im, text, rebind_domain);
}

static void read_cache_size(struct import *im, char *value)
{
	import_note(im, IMPORT_CHANGED,
		"%s entries; ours is memory (dns.cache-size, 128M unless given)", value);
}

static void read_dnssec(struct import *im, char *value)
{
	(void)value;
	import_set_dns(im, "validate", "yes");
}

/* Numbers that keep their meaning, bounded by what we take. */
static void set_number(
	struct import *im, const char *key, const char *value, uint64_t min, uint64_t max)
{
	char text[24];
	uint64_t n, kept;

	if (config_number_read(value, value + strlen(value), &n) < 0) {
		import_note(im, IMPORT_CANNOT, "\"%s\" is not a number", value);
		return;
	}
	kept = n < min ? min : n > max ? max : n;
	if (kept != n)
		import_note(im, IMPORT_CHANGED, "%s became %" PRIu64, value, kept);
	snprintf(text, sizeof(text), "%" PRIu64, kept);
	import_set_dns(im, key, text);
}

static void read_max_ttl(struct import *im, char *value)
{
	set_number(im, "max-ttl", value, 1, 604800);
}

static void read_min_ttl(struct import *im, char *value)
{
	set_number(im, "min-ttl", value, 0, 3600);
}

static void read_edns(struct import *im, char *value)
{
	set_number(im, "edns-size", value, 512, 4096);
}

static void read_no_negative(struct import *im, char *value)
{
	(void)value;
	import_set_dns(im, "max-negative-ttl", "0");
}

static void read_stale(struct import *im, char *value)
{
	set_number(im, "serve-stale", *value ? value : "86400", 0, 604800);
}

static void read_log_queries(struct import *im, char *value)
{
	(void)value;
	import_set_dns(im, "log-queries", "yes");
}

static void read_log_facility(struct import *im, char *value)
{
	const char *to = strcmp(value, "-") == 0 ? "stderr" : value[0] == '/' ? value : "syslog";

	import_set(im->doc, top(im, "log"), "to", to);
}

#define ALWAYS	  IMPORT_KEPT, "always so"
#define NO_NEED	  IMPORT_KEPT, "there is no need for it here"
#define ELSEWHERE IMPORT_CANNOT, "import that file by itself"
#define MISSING	  IMPORT_CANNOT, NULL

/* clang-format off */
const struct import_directive import_dns_directives[] = {
	{"add-cpe-id", NULL, MISSING, 2},
	{"add-mac", NULL, MISSING, 2},
	{"add-subnet", NULL, MISSING, 2},
	{"addn-hosts", read_hosts, 0, NULL, 2},
	{"address", read_address, 0, NULL, 2},
	{"alias", NULL, MISSING, 2},
	{"all-servers", NULL, IMPORT_CHANGED, "the best server is asked, and others when it "
	 "fails", 2},
	{"bind-dynamic", NULL, ALWAYS, 2},
	{"bind-interfaces", NULL, ALWAYS, 2},
	{"bogus-nxdomain", NULL, MISSING, 2},
	{"bogus-priv", NULL, ALWAYS, 2},
	{"caa-record", read_caa, 0, NULL, 2},
	{"cache-rr", NULL, ALWAYS, 2},
	{"cache-size", read_cache_size, 0, NULL, 2},
	{"cname", read_cname, 0, NULL, 2},
	{"conf-dir", NULL, IMPORT_CANNOT, "import its files each by itself", 2},
	{"conf-file", NULL, ELSEWHERE, 2},
	{"dns-forward-max", NULL, NO_NEED, 2},
	{"dns-loop-detect", NULL, NO_NEED, 2},
	{"dns-rr", read_rr, 0, NULL, 2},
	{"dnssec", read_dnssec, 0, NULL, 2},
	{"dnssec-check-unsigned", NULL, ALWAYS, 2},
	{"dnssec-no-timecheck", NULL, IMPORT_KEPT, "a clock that is wrong at start is noticed", 2},
	{"dnssec-timestamp", NULL, IMPORT_KEPT, "the state dir keeps a lower bound of the time", 2},
	{"do-0x20-encode", NULL, ALWAYS, 2},
	{"domain", read_domain, 0, NULL, 1},
	{"domain-needed", NULL, ALWAYS, 2},
	{"edns-packet-max", read_edns, 0, NULL, 2},
	{"except-interface", NULL, IMPORT_CHANGED, "only interfaces of a lan and loopback are "
	 "answered on", 2},
	{"expand-hosts", NULL, ALWAYS, 2},
	{"filter-A", NULL, MISSING, 2},
	{"filter-AAAA", NULL, MISSING, 2},
	{"filterwin2k", NULL, MISSING, 2},
	{"group", NULL, IMPORT_CHANGED, "the group of user", 2},
	{"host-record", read_host_record, 0, NULL, 2},
	{"hostsdir", read_hosts_dir, 0, NULL, 2},
	{"interface", read_interface, 0, NULL, 0},
	{"ipset", NULL, MISSING, 2},
	{"keep-in-foreground", NULL, ALWAYS, 2},
	{"listen-address", read_listen, 0, NULL, 2},
	{"local", read_local, 0, NULL, 2},
	{"local-service", NULL, ALWAYS, 2},
	{"local-ttl", NULL, IMPORT_CHANGED, "set ttl of the records", 2},
	{"localise-queries", NULL, MISSING, 2},
	{"log-async", NULL, NO_NEED, 2},
	{"log-facility", read_log_facility, 0, NULL, 2},
	{"log-queries", read_log_queries, 0, NULL, 2},
	{"max-cache-ttl", read_max_ttl, 0, NULL, 2},
	{"max-ttl", read_max_ttl, 0, NULL, 2},
	{"min-cache-ttl", read_min_ttl, 0, NULL, 2},
	{"mx-host", read_mx, 0, NULL, 2},
	{"naptr-record", NULL, IMPORT_CANNOT, "write it under record as rr", 2},
	{"neg-ttl", NULL, NO_NEED, 2},
	{"nftset", NULL, MISSING, 2},
	{"no-daemon", NULL, ALWAYS, 2},
	{"no-hosts", read_no_hosts, 0, NULL, 0},
	{"no-negcache", read_no_negative, 0, NULL, 2},
	{"no-poll", NULL, NO_NEED, 2},
	{"no-resolv", NULL, ALWAYS, 2},
	{"pid-file", NULL, NO_NEED, 2},
	{"port", read_port, 0, NULL, 0},
	{"proxy-dnssec", NULL, MISSING, 2},
	{"ptr-record", read_ptr, 0, NULL, 2},
	{"query-port", NULL, IMPORT_CHANGED, "ports are always random", 2},
	{"rebind-domain-ok", read_rebind_ok, 0, NULL, 2},
	{"rebind-localhost-ok", NULL, MISSING, 2},
	{"resolv-file", NULL, IMPORT_CHANGED, "it is not read; without forward we resolve "
	 "ourselves", 2},
	{"rev-server", read_rev_server, 0, NULL, 2},
	{"server", read_server, 0, NULL, 2},
	{"servers-file", NULL, ELSEWHERE, 2},
	{"srv-host", read_srv, 0, NULL, 2},
	{"stop-dns-rebind", read_rebind_stop, 0, NULL, 0},
	{"strict-order", NULL, IMPORT_CHANGED, "the best server is asked first", 2},
	{"trust-anchor", NULL, IMPORT_KEPT, "both root keys are built in", 2},
	{"txt-record", read_txt, 0, NULL, 2},
	{"use-stale-cache", read_stale, 0, NULL, 2},
	{"user", NULL, IMPORT_CHANGED, "we become the user lanthorn; see user", 2},
	{NULL, NULL, 0, NULL, 2},
};
/* clang-format on */

void import_dns_finish(struct import *im)
{
	char text[64];

	if (!im->no_hosts)
		import_add(im->doc, im->root, "hosts", "/etc/hosts");
	if (!im->forwards)
		import_note(im, IMPORT_CHANGED,
			"no server is named: we ask the servers of the root, not those of "
			"resolv.conf");
	if (!im->rebind_stop)
		import_note(im, IMPORT_CHANGED,
			"private addresses of public names are removed; see "
			"dns.rebind-protection");
	if (im->port && strcmp(im->port, "53") != 0 && !import_get(im->dns, "listen")) {
		snprintf(text, sizeof(text), "0.0.0.0:%s", im->port);
		import_add(im->doc, im->dns, "listen", text);
		snprintf(text, sizeof(text), "[::]:%s", im->port);
		import_add(im->doc, im->dns, "listen", text);
	}
}
