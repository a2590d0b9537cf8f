/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the scenarios of tests/dhcp/ (the language stands in its README.md). A bug in the server
 * becomes a file there before it is mended. With file names as arguments only those run. */
#include <arpa/inet.h>
#include <dirent.h>

#include "base/codec.h"
#include "fake_lan.h"

enum { SCN_WORDS = 64, SCN_CLIENTS = 16, SCN_DEVICES = 8, SCN_LINE = 1024 };

struct scn_client {
	char name[16];
	struct fake_client c;
	char host[64];
	uint8_t prl[64];
	uint8_t id[64];
	size_t id_len;
	uint32_t addr; /* of its last OFFER or ACK */
};

struct scn {
	struct fake_lan lan;
	struct dhcp_range pools[FAKE_LANS];
	uint32_t relays[FAKE_LANS][4];
	struct dhcp_device devices[SCN_DEVICES];
	struct dhcp_mac macs[SCN_DEVICES];
	char names[SCN_DEVICES][64];
	char words_kept[64][128]; /* texts that the snapshot borrows */
	size_t n_kept, n_devices;
	struct scn_client clients[SCN_CLIENTS];
	size_t n_clients;
	bool is_started;
	const char *file;
	unsigned line;
	char *word[SCN_WORDS];
	size_t n_words, at;
};

static void scn_fail(struct scn *s, const char *what, const char *got)
{
	print_error("%s:%u: %s %s\n", s->file, s->line, what, got);
	fail();
}

/* ---- words ---- */

static const char *scn_peek(struct scn *s)
{
	return s->at < s->n_words ? s->word[s->at] : "";
}

static const char *scn_next(struct scn *s)
{
	if (s->at >= s->n_words)
		scn_fail(s, "a word is missing after", s->n_words ? s->word[s->n_words - 1] : "");
	return s->word[s->at++];
}

static bool scn_take(struct scn *s, const char *word)
{
	if (strcmp(scn_peek(s), word) != 0)
		return false;
	s->at++;
	return true;
}

static uint32_t scn_ip_of(struct scn *s, const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		scn_fail(s, "no address:", text);
	return ntohl(a.s_addr);
}

static uint32_t scn_ip(struct scn *s)
{
	return scn_ip_of(s, scn_next(s));
}

static uint32_t scn_number(struct scn *s)
{
	return (uint32_t)strtoul(scn_next(s), NULL, 0);
}

/* "90s", "5m", "2h", "1d", or seconds; a sign allowed. */
static int64_t scn_seconds(struct scn *s)
{
	char *end;
	int64_t v = strtoll(scn_next(s), &end, 10);

	return v * (*end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1);
}

static const char *scn_keep(struct scn *s, const char *text)
{
	assert_true(s->n_kept < 64);
	snprintf(s->words_kept[s->n_kept], sizeof(s->words_kept[0]), "%s", text);
	return s->words_kept[s->n_kept++];
}

/* ---- the house ---- */

static const char **scn_boot_file(struct dhcp_lan *l, const char *word)
{
	if (strcmp(word, "bios") == 0)
		return &l->boot.bios;
	if (strcmp(word, "uefi") == 0)
		return &l->boot.uefi;
	if (strcmp(word, "http") == 0)
		return &l->boot.http;
	return strcmp(word, "ipxe") == 0 ? &l->boot.ipxe : NULL;
}

/* A word of a lan that stands alone. */
static bool scn_lan_flag(struct scn *s, struct dhcp_lan *l)
{
	if (scn_take(s, "probe"))
		l->probe = true;
	else if (scn_take(s, "rapid"))
		l->rapid_commit = true;
	else if (scn_take(s, "quiet"))
		l->authoritative = false;
	else
		return false;
	return true;
}

static void scn_lan_word(struct scn *s, size_t i, struct dhcp_lan *l)
{
	const char **file;

	if (scn_lan_flag(s, l))
		return;
	if (scn_take(s, "address")) {
		l->address = scn_ip(s);
		l->ifindex = FAKE_IF + (uint32_t)i;
		s->lan.own[s->lan.conf.n_own++] = l->address;
	} else if (scn_take(s, "pool")) {
		char *dash = strchr(scn_peek(s), '-');

		if (!dash)
			scn_fail(s, "no range:", scn_peek(s));
		*dash = '\0';
		s->pools[i].last = scn_ip_of(s, dash + 1);
		s->pools[i].first = scn_ip(s);
		l->n_pools = 1;
	} else if (scn_take(s, "router")) {
		l->router = scn_ip(s);
	} else if (scn_take(s, "domain")) {
		l->domain = scn_keep(s, scn_next(s));
	} else if (scn_take(s, "lease")) {
		l->lease_s = (uint32_t)scn_seconds(s);
	} else if (scn_take(s, "max")) {
		l->max_lease_s = (uint32_t)scn_seconds(s);
	} else if (scn_take(s, "relay")) {
		s->relays[i][l->n_relays++] = scn_ip(s);
	} else if (scn_take(s, "wire")) {
		l->wire = (uint16_t)scn_number(s);
	} else if ((file = scn_boot_file(l, scn_peek(s)))) {
		s->at++;
		*file = scn_keep(s, scn_next(s));
	} else {
		scn_fail(s, "unknown:", scn_next(s));
	}
}

static void scn_lan(struct scn *s)
{
	size_t i = s->lan.conf.n_lans++;
	struct dhcp_lan *l = &s->lan.lans[i];
	char *slash;

	assert_true(i < FAKE_LANS);
	*l = (struct dhcp_lan){.name = scn_keep(s, scn_next(s)),
		.wire = (uint16_t)i,
		.pools = &s->pools[i],
		.relays = s->relays[i],
		.domain = "lab.test",
		.lease_s = 3600,
		.authoritative = true};
	slash = strchr(scn_peek(s), '/');
	if (!slash)
		scn_fail(s, "no subnet:", scn_peek(s));
	*slash = '\0';
	l->prefix_len = (uint8_t)atoi(slash + 1);
	l->subnet = scn_ip(s);
	while (s->at < s->n_words)
		scn_lan_word(s, i, l);
}

static void scn_device(struct scn *s)
{
	struct dhcp_device *d = &s->devices[s->n_devices];

	snprintf(s->names[s->n_devices], sizeof(s->names[0]), "%s", scn_next(s));
	*d = (struct dhcp_device){.name = s->names[s->n_devices]};
	while (s->at < s->n_words) {
		if (scn_take(s, "mac")) {
			assert_int_equal(
				0, codec_mac_read(scn_next(s), s->macs[s->n_devices].bytes));
			d->macs = &s->macs[s->n_devices];
			d->n_macs = 1;
		} else if (scn_take(s, "address")) {
			d->address = scn_ip(s);
		} else {
			scn_fail(s, "unknown:", scn_next(s));
		}
	}
	s->lan.lans[0].devices = s->devices;
	s->lan.lans[0].n_devices = ++s->n_devices;
}

static void scn_client(struct scn *s)
{
	struct scn_client *c = &s->clients[s->n_clients++];

	assert_true(s->n_clients <= SCN_CLIENTS);
	snprintf(c->name, sizeof(c->name), "%s", scn_next(s));
	c->c.xid = (uint32_t)s->n_clients << 16;
	while (s->at < s->n_words) {
		if (scn_take(s, "mac")) {
			assert_int_equal(0, codec_mac_read(scn_next(s), c->c.mac));
		} else if (scn_take(s, "host")) {
			snprintf(c->host, sizeof(c->host), "%s", scn_next(s));
			c->c.name = c->host;
		} else if (scn_take(s, "id")) {
			assert_int_equal(
				0, codec_unhex(scn_next(s), c->id, sizeof(c->id), &c->id_len));
		} else if (scn_take(s, "broadcast")) {
			c->c.flags = DHCP_FLAG_BROADCAST;
		} else if (scn_take(s, "via")) {
			c->c.giaddr = scn_ip(s);
		} else if (scn_take(s, "on")) {
			c->c.ifindex = scn_number(s);
		} else if (scn_take(s, "prl")) {
			char *p = (char *)(uintptr_t)scn_next(s);

			c->c.prl = c->prl;
			while (*p) {
				c->prl[c->c.n_prl++] = (uint8_t)strtoul(p, &p, 10);
				p += *p == ',';
			}
		} else {
			scn_fail(s, "unknown:", scn_next(s));
		}
	}
}

static void scn_start(struct scn *s)
{
	if (!s->is_started)
		fake_start(&s->lan);
	s->is_started = true;
}

/* ---- messages ---- */

static void scn_opt_text(struct fake_pkt *p, uint8_t code, const char *text)
{
	fake_opt(p, code, text, strlen(text));
}

/* What a line adds to its message. */
static void scn_add(struct scn *s, struct fake_pkt *p)
{
	uint8_t bytes[255];
	size_t len;

	while (s->at < s->n_words && strcmp(scn_peek(s), "->") != 0) {
		if (scn_take(s, "ask")) {
			fake_opt_ip(p, DHCP_OPT_REQUESTED_IP, scn_ip(s));
		} else if (scn_take(s, "server")) {
			fake_opt_ip(p, DHCP_OPT_SERVER_ID, scn_ip(s));
		} else if (scn_take(s, "ciaddr")) {
			fake_ciaddr(p, scn_ip(s));
		} else if (scn_take(s, "lease")) {
			fake_opt_ip(p, DHCP_OPT_LEASE, (uint32_t)scn_seconds(s));
		} else if (scn_take(s, "rapid")) {
			fake_opt(p, DHCP_OPT_RAPID_COMMIT, "", 0);
		} else if (scn_take(s, "vendor")) {
			scn_opt_text(p, DHCP_OPT_VENDOR_CLASS, scn_next(s));
		} else if (scn_take(s, "user")) {
			scn_opt_text(p, DHCP_OPT_USER_CLASS, scn_next(s));
		} else if (scn_take(s, "arch")) {
			uint32_t arch = scn_number(s);

			fake_opt(p, DHCP_OPT_ARCH, (uint8_t[]){0, (uint8_t)arch}, 2);
		} else if (scn_take(s, "opt")) {
			uint8_t code = (uint8_t)scn_number(s);

			assert_int_equal(0, codec_unhex(scn_next(s), bytes, sizeof(bytes), &len));
			fake_opt(p, code, bytes, len);
		} else {
			scn_fail(s, "unknown:", scn_next(s));
		}
	}
}

static struct fake_pkt scn_begin(struct scn_client *c, uint8_t type)
{
	struct fake_pkt p = fake_begin(&c->c, type);

	if (c->id_len)
		fake_opt(&p, DHCP_OPT_CLIENT_ID, c->id, c->id_len);
	return p;
}

/* The message a verb stands for; *from: it is sent by unicast from there. False: no such verb. */
static bool scn_message(
	struct scn *s, struct scn_client *c, const char *verb, struct fake_pkt *p, uint32_t *from)
{
	static const struct {
		const char *verb;
		uint8_t type;
		bool asks, names_server, has_ciaddr, is_unicast;
	} verbs[] = {
		{"discover", DHCP_DISCOVER, false, false, false, false},
		{"select", DHCP_REQUEST, true, true, false, false},
		{"reboot", DHCP_REQUEST, true, false, false, false},
		{"renew", DHCP_REQUEST, false, false, true, true},
		{"rebind", DHCP_REQUEST, false, false, true, false},
		{"request", DHCP_REQUEST, false, false, false, false},
		{"release", DHCP_RELEASE, false, true, true, true},
		{"decline", DHCP_DECLINE, true, true, false, false},
		{"inform", DHCP_INFORM, false, false, true, true},
	};
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		uint32_t addr = c->addr;

		if (strcmp(verbs[i].verb, verb) != 0)
			continue;
		if ((verbs[i].asks || verbs[i].has_ciaddr) && s->at < s->n_words &&
			strchr(scn_peek(s), '.'))
			addr = scn_ip(s);
		*p = scn_begin(c, verbs[i].type);
		if (verbs[i].asks)
			fake_opt_ip(p, DHCP_OPT_REQUESTED_IP, addr);
		if (verbs[i].names_server)
			fake_opt_ip(p, DHCP_OPT_SERVER_ID, s->lan.own[0]);
		if (verbs[i].has_ciaddr)
			fake_ciaddr(p, addr);
		*from = verbs[i].is_unicast ? addr : 0;
		return true;
	}
	return false;
}

/* ---- expectations ---- */

static void scn_expect_option(struct scn *s, bool is_file)
{
	char got[512] = "", want[512];
	const uint8_t *data;
	struct pkt4 r;
	size_t len;

	fake_parse(&s->lan, &r);
	if (is_file) {
		snprintf(got, sizeof(got), "%s", (const char *)s->lan.out.bytes + DHCP_FILE_AT);
		snprintf(want, sizeof(want), "%s", scn_next(s));
	} else {
		data = opt4_get(&r.opts, (uint8_t)scn_number(s), &len);
		snprintf(want, sizeof(want), "%s", scn_next(s));
		if (data && strncmp(want, "0x", 2) == 0) {
			strcpy(got, "0x");
			codec_hex(data, len, 0, got + 2, sizeof(got) - 2);
		} else if (data && len == 4 && strchr(want, '.')) {
			snprintf(got, sizeof(got), "%u.%u.%u.%u", data[0], data[1], data[2],
				data[3]);
		} else if (data) {
			codec_escape(data, len, got, sizeof(got));
		}
	}
	if (strcmp(got, want) != 0)
		scn_fail(s, "got", got);
}

static void scn_expect_path(struct scn *s)
{
	const struct server4_reply *o = &s->lan.out;

	if (scn_take(s, "link")) {
		if (o->path != SERVER4_TO_LINK)
			scn_fail(s, "it does not go to the link address", "");
	} else if (scn_take(s, "broadcast")) {
		if (o->path != SERVER4_TO_BROADCAST)
			scn_fail(s, "it is not broadcast", "");
	} else if (o->path != SERVER4_TO_IP || o->ip != scn_ip(s)) {
		scn_fail(s, "it goes elsewhere than", s->word[s->at - 1]);
	}
}

static const char *scn_verdict(struct scn *s)
{
	static const char *const types[] = {"none", "", "offer", "", "", "ack", "nak"};

	if (s->lan.verdict == SERVER4_HOLD)
		return "probe";
	return types[fake_type(&s->lan)];
}

static void scn_expect(struct scn *s, struct scn_client *c)
{
	const char *want = scn_next(s);

	if (strcmp(want, scn_verdict(s)) != 0)
		scn_fail(s, "got", scn_verdict(s));
	if (s->lan.verdict == SERVER4_SEND && fake_type(&s->lan) != DHCP_NAK && c)
		c->addr = fake_yiaddr(&s->lan) ? fake_yiaddr(&s->lan) : c->addr;
	if (s->lan.verdict == SERVER4_HOLD && c)
		c->addr = s->lan.out.ip;
	while (s->at < s->n_words) {
		if (scn_take(s, "to")) {
			scn_expect_path(s);
		} else if (scn_take(s, "lease")) {
			if (fake_u32(&s->lan, DHCP_OPT_LEASE) != (uint32_t)scn_seconds(s))
				scn_fail(s, "the lease is not", s->word[s->at - 1]);
		} else if (scn_take(s, "opt")) {
			scn_expect_option(s, false);
		} else if (scn_take(s, "file")) {
			scn_expect_option(s, true);
		} else if (scn_take(s, "no")) {
			if (fake_has(&s->lan, (uint8_t)scn_number(s)))
				scn_fail(s, "there is option", s->word[s->at - 1]);
		} else if (c && c->addr != scn_ip(s)) {
			char text[IP_TEXT_LEN];
			struct ip ip = ip_from4(c->addr);

			scn_fail(s, "got", ip_format(&ip, text));
		}
	}
}

/* NAME VERB ... -> ... */
static void scn_exchange(struct scn *s, struct scn_client *c)
{
	const char *verb = scn_next(s);
	struct fake_pkt p;
	uint32_t from = 0;

	scn_start(s);
	if (strcmp(verb, "lease") == 0) { /* the usual four */
		c->addr = fake_lease(&s->lan, &c->c);
		if (!c->addr)
			scn_fail(s, "no lease for", c->name);
		if (scn_take(s, "->") && scn_ip(s) != c->addr)
			scn_fail(s, "another address than", s->word[s->at - 1]);
		return;
	}
	if (!scn_message(s, c, verb, &p, &from))
		scn_fail(s, "unknown:", verb);
	scn_add(s, &p);
	if (strcmp(verb, "select") != 0)
		c->c.xid++;
	fake_send_from(&s->lan, &c->c, &p, from);
	if (scn_take(s, "->"))
		scn_expect(s, c);
}

/* Time passes; the last thing that was sent meanwhile can be expected. */
static void scn_wait(struct scn *s)
{
	int64_t end = s->lan.now.mono_ms + scn_seconds(s) * 1000;
	enum server4_verdict last = SERVER4_DROP;
	static struct server4_reply kept;

	scn_start(s);
	while (s->lan.now.mono_ms < end) {
		enum server4_verdict v;

		s->lan.now.mono_ms += 20;
		s->lan.now.wall_s += s->lan.now.mono_ms % 1000 == 0;
		while ((v = server4_on_timer(s->lan.s, s->lan.now, &s->lan.out)) != SERVER4_IDLE) {
			s->lan.verdict = v;
			if (v == SERVER4_STAGE)
				fake_commit(&s->lan, s->lan.out.stage);
			if (s->lan.verdict == SERVER4_SEND) {
				last = SERVER4_SEND;
				kept = s->lan.out;
			}
		}
	}
	s->lan.verdict = last;
	s->lan.out = kept;
	if (scn_take(s, "->"))
		scn_expect(s, NULL);
}

static void scn_check_state(struct scn *s)
{
	static const char *const states[] = {"none", "bound", "released", "expired", "declined"};
	uint32_t addr = scn_ip(s);
	const char *got = states[fake_state(&s->lan, addr)];

	if (!scn_take(s, "->") || strcmp(scn_next(s), got) != 0)
		scn_fail(s, "the lease is", got);
}

static void scn_check_name(struct scn *s)
{
	uint32_t got = fake_address_of(&s->lan, scn_next(s));
	char text[IP_TEXT_LEN] = "none";
	struct ip ip = ip_from4(got);

	if (got)
		ip_format(&ip, text);
	if (!scn_take(s, "->") || strcmp(scn_next(s), text) != 0)
		scn_fail(s, "the name stands for", text);
}

static void scn_count(struct scn *s)
{
#define SCN_COUNTER(field, help) {#field, offsetof(struct dhcp_counters, field)},
	static const struct {
		const char *name;
		size_t at;
	} rows[] = {DHCP_COUNTER_LIST(SCN_COUNTER)};
	struct dhcp_counters n = fake_counters(&s->lan);
	const char *name = scn_next(s);
	char text[24] = "unknown";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, name) == 0)
			snprintf(text, sizeof(text), "%llu",
				(unsigned long long)*(uint64_t *)((char *)&n + rows[i].at));
	}
	if (!scn_take(s, "->") || strcmp(scn_next(s), text) != 0)
		scn_fail(s, "the counter is", text);
}

/* ---- a file ---- */

static void scn_statement(struct scn *s)
{
	const char *verb = scn_next(s);

	for (size_t i = 0; i < s->n_clients; i++) {
		if (strcmp(s->clients[i].name, verb) == 0) {
			scn_exchange(s, &s->clients[i]);
			return;
		}
	}
	if (strcmp(verb, "lan") == 0) {
		scn_lan(s);
	} else if (strcmp(verb, "device") == 0) {
		scn_device(s);
	} else if (strcmp(verb, "client") == 0) {
		scn_client(s);
	} else if (strcmp(verb, "wait") == 0) {
		scn_wait(s);
	} else if (strcmp(verb, "state") == 0) {
		scn_check_state(s);
	} else if (strcmp(verb, "name") == 0) {
		scn_check_name(s);
	} else if (strcmp(verb, "count") == 0) {
		scn_count(s);
	} else if (strcmp(verb, "restart") == 0) {
		fake_restart(&s->lan);
	} else if (strcmp(verb, "reload") == 0) {
		server4_configure(s->lan.s, &s->lan.conf, s->lan.now);
	} else if (strcmp(verb, "disk") == 0) {
		s->lan.commit_err = scn_take(s, "fails") ? ERR_IO : 0;
	} else if (strcmp(verb, "clock") == 0) {
		s->lan.now.wall_s += scn_seconds(s);
	} else if (strcmp(verb, "owned") == 0) {
		s->lan.owned = scn_keep(s, scn_next(s));
	} else if (strcmp(verb, "arp") == 0) {
		uint32_t addr = scn_ip(s);
		uint8_t mac[6];

		assert_int_equal(0, codec_mac_read(scn_next(s), mac));
		server4_on_arp(s->lan.s, FAKE_IF, addr, mac);
	} else {
		scn_fail(s, "unknown:", verb);
	}
}

static void scn_line(struct scn *s, char *line)
{
	char *save = NULL, *comment = strchr(line, '#');

	if (comment)
		*comment = '\0';
	s->n_words = s->at = 0;
	for (char *w = strtok_r(line, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save)) {
		assert_true(s->n_words < SCN_WORDS);
		s->word[s->n_words++] = w;
	}
	if (!s->n_words)
		return;
	scn_statement(s);
}

static void scn_run(const char *path)
{
	struct scn *s = xcalloc(1, sizeof(*s));
	char line[SCN_LINE];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	fake_conf(&s->lan);
	s->lan.conf.n_lans = s->lan.conf.n_own = 0;
	s->file = path;
	while (fgets(line, sizeof(line), f)) {
		s->line++;
		scn_line(s, line);
	}
	fclose(f);
	if (s->is_started)
		fake_stop(&s->lan);
	xfree(s);
}

static char **scn_files;
static int scn_n_files;

static void every_scenario_holds(void **state)
{
	char dir[1024], path[2048];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	(void)state;
	for (int i = 0; i < scn_n_files; i++)
		scn_run(scn_files[i]);
	if (scn_n_files)
		return;
	snprintf(dir, sizeof(dir), "%.*s../../dhcp", (int)(strrchr(__FILE__, '/') + 1 - __FILE__),
		__FILE__);
	d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (len < 4 || strcmp(e->d_name + len - 4, ".scn") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		scn_run(path);
		n++;
	}
	closedir(d);
	assert_true(n > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_scenario_holds)};

	scn_files = argv + 1;
	scn_n_files = argc - 1;
	return FAKE_RUN(tests);
}
