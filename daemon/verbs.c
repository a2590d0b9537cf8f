/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/verbs.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/rcu.h"
#include "base/trace.h"
#include "base/xalloc.h"
#include "daemon/bootloop.h"
#include "daemon/cli.h"
#include "daemon/dhcp_io.h"
#include "daemon/lease_json.h"
#include "daemon/lookup.h"
#include "daemon/metrics.h"
#include "daemon/reload.h"
#include "daemon/service.h"
#include "daemon/verbs_lease.h"
#include "dns/rrtext.h"
#include "net/loop.h"
#include "resolver/cache.h"
#include "zones/zones.h"

/* ---- status ---- */

static json_t *verbs_listening(const struct service *s)
{
	json_t *list = json_array();
	char text[IP_TEXT_LEN];

	for (size_t i = 0; i < s->listen.n; i++)
		if (s->listen.list[i].id)
			json_array_append_new(
				list, json_string(ip_port_format(&s->listen.list[i].at, text)));
	return list;
}

static json_t *verbs_lans(struct service *s)
{
	const struct dhcp_conf *conf = dhcp_io_conf(s->dhcp);
	json_t *list = json_object();
	char text[IP_TEXT_LEN];

	for (size_t i = 0; i < conf->n_lans; i++) {
		struct server4_lan_stats l = server4_lan_stats(dhcp_io_server(s->dhcp), i);
		struct ip ip = ip_from4(conf->lans[i].address);
		const char *address = conf->lans[i].address    ? ip_format(&ip, text)
				      : conf->lans[i].n_relays ? "through relays"
							       : "interface not there";

		json_object_set_new(list, l.name,
			json_pack("{s:s, s:I, s:I, s:I}", "address", address, "pool",
				(json_int_t)l.n_pool, "never_used", (json_int_t)l.n_free, "ended",
				(json_int_t)l.n_ended));
	}
	return list;
}

static json_t *verbs_sandbox(const struct service *s)
{
	return json_pack("{s:b, s:b, s:b, s:i}", "user_changed", s->privs.user_changed, "seccomp",
		s->privs.filtered, "landlock", s->privs.landlocked, "uid", (int)s->privs.uid);
}

static json_t *verbs_store(const struct service *s)
{
	struct store_health h = store_health(s->store);

	return json_pack("{s:s, s:I, s:I, s:s, s:s}", "state_dir", store_dir(s->store),
		"used_bytes", (json_int_t)h.used_len, "failures", (json_int_t)h.n_failures,
		"health",
		h.failures_in_a_row >= 3 ? "degraded: no lease can be made durable" : "good",
		"found_at_start", s->found.text[0] ? s->found.text : "in order");
}

static void verbs_status(struct service *s, const json_t *request, struct control_call *call)
{
	struct server4_stats d = server4_stats(dhcp_io_server(s->dhcp));
	struct cache_usage cache;
	json_t *o = json_object();

	(void)request;
	cache_usage(s->cache, &cache);
	json_object_set_new(o, "version", json_string(LANTHORN_VERSION));
	json_object_set_new(o, "uptime_seconds", json_integer(clock_boot_s() - s->started_s));
	json_object_set_new(o, "configuration",
		json_string(s->is_last_good ? "the last good one: the file has errors"
					    : (s->config->n_source ? s->config_path : "built in")));
	json_object_set_new(o, "workers", json_integer(s->n_workers));
	json_object_set_new(o, "dns", verbs_listening(s));
	json_object_set_new(o, "cached_answers", json_integer((json_int_t)cache.entries));
	json_object_set_new(o, "dhcp", json_boolean(dhcp_io_is_bound(s->dhcp)));
	json_object_set_new(o, "leases", json_integer((json_int_t)d.n_bound));
	json_object_set_new(o, "lans", verbs_lans(s));
	json_object_set_new(o, "tftp", json_boolean(bootloop_is_bound(s->boot)));
	json_object_set_new(o, "store", verbs_store(s));
	json_object_set_new(o, "sandbox", verbs_sandbox(s));
	control_answer(call, o);
}

/* ---- names and cache ---- */

static void verbs_print_answer(FILE *f, const struct zones_answer *a)
{
	for (unsigned i = 0; i < a->n_answer; i++) {
		char *text = rrtext_format_rrset(a->answer[i], false);

		fputs(text, f);
		xfree(text);
	}
}

/* The question as zones_decide sees it; false when it is not ours. */
static bool verbs_why_type(
	struct service *s, FILE *f, const uint8_t *name, size_t len, uint16_t type)
{
	const struct resolver_conf *conf = rcu_get(&s->resolver_conf);
	struct question q = {.name_len = (uint8_t)len, .type = type, .class = DNS_CLASS_IN};
	const struct ip here = ip_from4(0x7f000001);
	struct trace *t = trace_new(8192);
	uint8_t *mem = xalloc(ZONES_BLOCK_LEN);
	struct zones_answer a = {0};
	enum zones_verdict v;

	memcpy(q.name, name, len);
	v = zones_decide(conf->zones, &q, &here, clock_wall_s(), mem, ZONES_BLOCK_LEN, t, &a);
	if (v != ZONES_RESOLVE) {
		fputs(trace_text(t), f);
		fprintf(f, "%s%s\n", a.n_answer ? "source: " : "no such data; ",
			a.source ? a.source : "");
		verbs_print_answer(f, &a);
	}
	xfree(mem);
	trace_free(t);
	return v != ZONES_RESOLVE;
}

static int verbs_why_lease(const struct lease_record *r, void *arg)
{
	void **pair = arg;
	FILE *f = pair[0];
	const char *label = pair[1];
	char *text;
	json_t *o;

	if (strcasecmp(r->hostname, label) != 0)
		return 0;
	o = lease_json(r);
	text = json_dumps(o, JSON_COMPACT);
	fprintf(f, "lease: %s\n", text ? text : "");
	xfree(text);
	json_decref(o);
	return 0;
}

static void verbs_why(struct service *s, const json_t *request, struct control_call *call)
{
	const char *arg = control_arg(request, 0);
	uint8_t name[DNAME_MAX];
	char label[64] = "", *text = NULL;
	void *pair[2];
	size_t len, text_len;
	bool is_ours;
	FILE *f;

	if (!arg || dname_read(arg, name, &len) != 0) {
		control_refuse(call, CLI_USAGE, "\"%s\" is not a domain name", arg ? arg : "");
		return;
	}
	f = open_memstream(&text, &text_len);
	snprintf(label, sizeof(label), "%.*s", (int)strcspn(arg, "."), arg);
	is_ours = verbs_why_type(s, f, name, len, DNS_TYPE_A);
	if (is_ours)
		verbs_why_type(s, f, name, len, DNS_TYPE_AAAA);
	else
		fprintf(f, "%s is not ours: it is resolved (`lanthorn explain %s`)\n", arg, arg);
	pair[0] = f;
	pair[1] = label;
	server4_each(dhcp_io_server(s->dhcp), dhcp_io_now(s->dhcp), verbs_why_lease, pair);
	fclose(f);
	control_answer_with(call, is_ours ? CLI_OK : CLI_NO, json_string(text));
	xfree(text);
}

static void verbs_cache_flush(struct service *s, const json_t *request, struct control_call *call)
{
	const char *arg = control_arg(request, 0);
	uint8_t name[DNAME_MAX];
	char text[64];
	size_t n, len;

	if (arg && dname_read(arg, name, &len) != 0) {
		control_refuse(call, CLI_USAGE, "\"%s\" is not a domain name", arg);
		return;
	}
	n = cache_flush(s->cache, arg ? name : NULL, true);
	n += cache_rrset_flush(s->rrsets, arg ? name : NULL, true);
	snprintf(text, sizeof(text), "%zu entries forgotten", n);
	control_answer(call, json_string(text));
}

#define VERBS_DUMP_MAX (64u << 20) /* text of a dump; the rest is left out and said so */

/* Made on the pool: the whole cache as text would keep leases waiting. */
struct verbs_dump {
	struct service *service;
	struct control_call *call;
	FILE *f;
	char *text;
	size_t len;
	bool is_full;
};

static void verbs_on_rrset(void *arg, const struct rrset *rr, uint32_t ttl_left_s)
{
	static const char *const security[] = {
		"unchecked", "bogus", "indeterminate", "insecure", "secure"};
	struct verbs_dump *d = arg;
	char *text;

	if (d->is_full)
		return;
	text = rrtext_format_rrset(rr, false);
	fprintf(d->f, "; %u s left, rank %u, %s\n%s", ttl_left_s, rr->rank,
		rr->security < 5 ? security[rr->security] : "?", text);
	xfree(text);
	if (ftell(d->f) > (long)VERBS_DUMP_MAX) {
		d->is_full = true;
		fputs("; the rest is left out\n", d->f);
	}
}

static void verbs_dump_work(void *arg)
{
	struct verbs_dump *d = arg;

	d->f = open_memstream(&d->text, &d->len);
	cache_rrset_each(d->service->rrsets, clock_mono_ms(), verbs_on_rrset, d);
	fclose(d->f);
}

static void verbs_dump_done(void *arg, int err)
{
	struct verbs_dump *d = arg;

	if (!err) /* else the loop has ended, and the call with it */
		control_answer(d->call, json_string(d->text));
	xfree(d->text);
	xfree(d);
}

static void verbs_cache_dump(struct service *s, const json_t *request, struct control_call *call)
{
	struct verbs_dump *d = xcalloc(1, sizeof(*d));

	(void)request;
	*d = (struct verbs_dump){.service = s, .call = call};
	if (loop_job(s->loop, verbs_dump_work, verbs_dump_done, d) == 0)
		return;
	xfree(d);
	control_refuse(call, CLI_NO, "no thread for it now; try again");
}

/* ---- the rest ---- */

static void verbs_reload_done(void *arg, const struct reload_result *r)
{
	struct control_call *call = arg;
	json_t *lines = json_array();

	for (size_t i = 0; i < r->report->n; i++) {
		char *text = config_report_format(&r->report->list[i]);

		json_array_append_new(lines, json_string(text));
		xfree(text);
	}
	for (size_t i = 0; r->changes && i < r->changes->n; i++) {
		const struct config_change *c = &r->changes->list[i];
		char *text = xasprintf("%s: %s -> %s%s", c->path,
			c->old_text ? c->old_text : "(none)", c->new_text ? c->new_text : "(none)",
			c->restart ? " (needs a restart)" : "");

		json_array_append_new(lines, json_string(text));
		xfree(text);
	}
	if (r->err == ERR_BUSY)
		json_array_append_new(lines, json_string("too many reloads wait already"));
	else if (r->err)
		json_array_append_new(lines,
			json_string("not taken in: the configuration before goes on serving"));
	else if (!json_array_size(lines))
		json_array_append_new(lines, json_string("nothing changed"));
	control_answer_with(call, r->err ? CLI_NO : CLI_OK, lines);
}

static void verbs_reload(struct service *s, const json_t *request, struct control_call *call)
{
	(void)request;
	reload_config(s->reload, verbs_reload_done, call);
}

static void verbs_metrics(struct service *s, const json_t *request, struct control_call *call)
{
	char *text = metrics_text(s);

	(void)request;
	control_answer(call, json_string(text));
	xfree(text);
}

static const struct {
	const char *name;
	control_verb_fn fn;
} VERBS[] = {
	{"status", verbs_status},
	{"leases", verbs_leases},
	{"devices", verbs_devices},
	{"import-leases", verbs_import_leases},
	{"lookup", lookup_verb},
	{"explain", lookup_explain_verb},
	{"why", verbs_why},
	{"cache-flush", verbs_cache_flush},
	{"cache-dump", verbs_cache_dump},
	{"reload", verbs_reload},
	{"metrics", verbs_metrics},
	{"boot-once", verbs_boot_once},
};

control_verb_fn verbs_find(const char *name)
{
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++)
		if (strcmp(VERBS[i].name, name) == 0)
			return VERBS[i].fn;
	return NULL;
}
