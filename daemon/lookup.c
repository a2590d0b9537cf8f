/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs lookup and explain: a question put to a worker as a client on this host would, and the
 * answer as text. The question travels to the worker and back by posts. */
#include "daemon/lookup.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "base/xalloc.h"
#include "daemon/cli.h"
#include "daemon/service.h"
#include "dns/msg_parse.h"
#include "dns/msg_write.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"
#include "net/loop.h"

#define LOOKUP_TRACE_MAX  (256 * 1024) /* text of one explain */
#define LOOKUP_ARENA_MAX  (1 << 20)
#define LOOKUP_RRSETS_MAX 256

struct lookup {
	struct service *service;
	struct control_call *call;
	struct trace *trace; /* NULL: lookup */
	int64_t started_us;
	int64_t took_us;
	uint8_t *wire; /* NULL: there was no answer at all */
	size_t len;
};

/* ---- text ---- */

static void lookup_print_section(FILE *f, const struct msg *m, enum dns_section section)
{
	static const char *const names[] = {"answer", "authority", "additional"};
	struct rrset *sets[LOOKUP_RRSETS_MAX];
	struct arena_pool *pool = arena_pool_new(65536, 0);
	struct arena *a = arena_new(pool, LOOKUP_ARENA_MAX);
	size_t n = 0;

	if (msg_parse_rrsets(m, section, a, sets, LOOKUP_RRSETS_MAX, &n) == 0 && n) {
		fprintf(f, "%s:\n", names[section]);
		for (size_t i = 0; i < n; i++) {
			char *text = rrtext_format_rrset(sets[i], true);

			fputs(text, f);
			xfree(text);
		}
	}
	arena_free(a);
	arena_pool_free(pool);
}

static int lookup_print(FILE *f, const struct lookup *l)
{
	struct msg *m = xalloc(sizeof(*m));
	char rcode[16];
	int exit_code = CLI_NO;

	if (!l->wire || msg_parse(l->wire, l->len, m) != 0) {
		fputs("no answer: the question was dropped\n", f);
	} else {
		fprintf(f, "%s%s, %.1f ms", rcode_name(m->rcode, rcode),
			m->flags & DNS_FLAG_AD ? ", authentic (AD)" : "",
			(double)l->took_us / 1000);
		if (m->edns.ede != DNS_EDE_NONE)
			fprintf(f, ", extended error %d", m->edns.ede);
		fputs("\n", f);
		for (int s = DNS_SECTION_ANSWER; s <= DNS_SECTION_ADDITIONAL; s++)
			lookup_print_section(f, m, (enum dns_section)s);
		if (m->rcode == DNS_RCODE_NOERROR && m->counts[1] > 0)
			exit_code = CLI_OK;
	}
	xfree(m);
	return exit_code;
}

static void lookup_on_home(void *arg)
{
	struct lookup *l = arg;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int exit_code;

	fputs(trace_text(l->trace), f);
	exit_code = lookup_print(f, l);
	fclose(f);
	control_answer_with(l->call, exit_code, json_string(text));
	xfree(text);
	xfree(l->wire);
	trace_free(l->trace);
	xfree(l);
}

/* On the worker's thread. */
static void lookup_on_answer(void *arg, const uint8_t *wire, size_t len)
{
	struct lookup *l = arg;

	l->took_us = clock_mono_us() - l->started_us;
	if (len) {
		l->wire = xmemdup(wire, len);
		l->len = len;
	}
	loop_post(l->service->loop, lookup_on_home, l);
}

/* ---- the question ---- */

static bool lookup_question(const json_t *request, struct control_call *call, struct question *q)
{
	const char *name = control_arg(request, 0), *type = control_arg(request, 1);
	size_t len;

	*q = (struct question){.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	if (!name || dname_read(name, q->name, &len) != 0) {
		control_refuse(call, CLI_USAGE, "\"%s\" is not a domain name", name ? name : "");
		return false;
	}
	q->name_len = (uint8_t)len;
	if (type && rrtype_read(type, &q->type) != 0) {
		control_refuse(call, CLI_USAGE, "\"%s\" is not a type of record", type);
		return false;
	}
	return true;
}

static void lookup_start(
	struct service *s, const json_t *request, struct control_call *call, bool is_traced)
{
	const struct edns_reply edns = {.udp_size = 65535, .is_do = is_traced, .ede = DNS_EDE_NONE};
	uint8_t wire[DNAME_MAX + 64];
	struct question q;
	struct lookup *l;
	size_t len;

	if (!lookup_question(request, call, &q))
		return;
	if (msg_write_query(wire, sizeof(wire), 1, DNS_FLAG_RD | DNS_FLAG_AD, &q, &edns, &len) !=
		0) {
		control_refuse(call, CLI_USAGE, "the question does not fit in a message");
		return;
	}
	l = xcalloc(1, sizeof(*l));
	*l = (struct lookup){.service = s,
		.call = call,
		.trace = is_traced ? trace_new(LOOKUP_TRACE_MAX) : NULL,
		.started_us = clock_mono_us()};
	worker_call(s->workers[0], wire, len, l->trace, lookup_on_answer, l);
}

void lookup_verb(struct service *s, const json_t *request, struct control_call *call)
{
	lookup_start(s, request, call, false);
}

void lookup_explain_verb(struct service *s, const json_t *request, struct control_call *call)
{
	lookup_start(s, request, call, true);
}
