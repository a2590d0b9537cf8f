/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl/rpl_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dname.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"

enum { CHECK_ARENA = 1 << 20 };

static bool fails(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool fails(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, RPL_WHY_LEN, fmt, ap);
	va_end(ap);
	return false;
}

static bool compare(const struct rpl_step *s, uint64_t n, const char *what, char *why)
{
	static const char *const WORDS[] = {"=", "<=", ">=", "!="};
	bool holds = false;

	switch (s->compare) {
	case RPL_EQ:
		holds = n == s->number;
		break;
	case RPL_LE:
		holds = n <= s->number;
		break;
	case RPL_GE:
		holds = n >= s->number;
		break;
	case RPL_NE:
		holds = n != s->number;
		break;
	}
	return holds || fails(why, "%s: %llu, wanted %s %llu", what, (unsigned long long)n,
				WORDS[s->compare], (unsigned long long)s->number);
}

/* ---- answers ---- */

static unsigned count_answers(const struct rpl_world *w)
{
	unsigned n = 0;

	for (const struct rpl_call *c = w->calls; c; c = c->next)
		n += c->number == w->question && c->is_over;
	return n;
}

static bool check_answer(const struct rpl_world *w, const struct rpl_step *s, char *why)
{
	if (count_answers(w) == 0)
		return fails(why, "no answer");
	for (const struct rpl_call *c = w->calls; c; c = c->next)
		if (c->number == w->question && c->is_over &&
			!rpl_entry_is(s->entry, c->wire, c->len, why))
			return false;
	return true;
}

static bool check_time(const struct rpl_world *w, const struct rpl_step *s, char *why)
{
	int64_t longest_ms = 0;

	for (const struct rpl_call *c = w->calls; c; c = c->next)
		if (c->number == w->question && c->is_over && c->end_ms - c->start_ms > longest_ms)
			longest_ms = c->end_ms - c->start_ms;
	return compare(s, (uint64_t)longest_ms, "milliseconds", why);
}

/* ---- what was sent ---- */

static bool is_counted(
	const struct rpl_world *w, const struct rpl_step *s, const struct rpl_sent *sent)
{
	if (!s->is_total && sent->question != w->question)
		return false;
	if (s->address.family && !ip_equal(&s->address, &sent->server.ip))
		return false;
	if ((s->is_tcp && !sent->is_tcp) || (s->is_udp && sent->is_tcp))
		return false;
	if (s->qname && !dname_is_under(sent->q.q.name, s->qname))
		return false;
	return !s->qtype || s->qtype == sent->q.q.type;
}

static bool check_sent(const struct rpl_world *w, const struct rpl_step *s, char *why)
{
	unsigned n = 0;

	for (const struct rpl_sent *sent = w->sent; sent; sent = sent->next)
		n += is_counted(w, s, sent);
	return compare(s, n, "packets sent", why);
}

static bool was_sent(const struct rpl_world *w, const struct rpl_step *s)
{
	for (const struct rpl_sent *sent = w->sent; sent; sent = sent->next) {
		struct rpl_asked asked = {
			&sent->server, sent->is_tcp, sent->bytes, sent->len, &sent->q};

		if (is_counted(w, s, sent) && rpl_entry_matches(s->entry, &asked))
			return true;
	}
	return false;
}

/* ---- memory ---- */

static bool holds_rdata(const struct rrset *set, const struct rpl_rr *rr)
{
	struct rrset_iter it = rrset_begin(set);

	while (rrset_next(&it) && !it.is_sig)
		if (it.len == rr->rdlen &&
			rrtype_rdata_equal(rr->type, it.rdata, rr->rdata, it.len))
			return true;
	return false;
}

static bool is_cached(const struct rpl_world *w, const struct rpl_rr *rr)
{
	struct arena_pool *pool = arena_pool_new(CHECK_ARENA, 0);
	struct arena *a = arena_new(pool, CHECK_ARENA);
	const struct rrset *set =
		cache_rrset_get(w->env.rrsets, rr->owner, rr->type, rr->class, w->now_ms, 0, a);
	bool is_there = set && holds_rdata(set, rr);

	arena_free(a);
	arena_pool_free(pool);
	return is_there;
}

static bool check_cache(const struct rpl_world *w, const struct rpl_step *s, char *why)
{
	bool wanted = s->action == RPL_CHECK_CACHE;
	char line[RRTEXT_LINE_MAX];

	for (int i = 0; i < 3; i++)
		for (const struct rpl_rr *rr = s->entry->packet.rr[i]; rr; rr = rr->next)
			if (is_cached(w, rr) != wanted)
				return fails(why, "%s: %s", wanted ? "not cached" : "cached",
					rrtext_format(rr->owner, rr->type, rr->class, rr->ttl,
						rr->rdata, rr->rdlen, line, sizeof(line)));
	return true;
}

static bool check_stat(const struct rpl_world *w, const struct rpl_step *s, char *why)
{
	for (int c = 0; c < STATS_COUNT; c++)
		if (strcmp(stats_name((enum stats_counter)c), s->stat) == 0)
			return compare(s, stats_get(w->stats, (enum stats_counter)c), s->stat, why);
	fprintf(stderr, "line %u: no counter is called %s\n", s->line, s->stat);
	exit(2);
}

bool rpl_check(struct rpl_world *w, const struct rpl_step *s, char *why)
{
	switch (s->action) {
	case RPL_CHECK_ANSWER:
		return check_answer(w, s, why);
	case RPL_CHECK_NO_ANSWER:
		return count_answers(w) == 0 || fails(why, "an answer");
	case RPL_CHECK_ANSWERS:
		return compare(s, count_answers(w), "answers", why);
	case RPL_CHECK_TIME:
		return check_time(w, s, why);
	case RPL_CHECK_SENT:
		return check_sent(w, s, why);
	case RPL_CHECK_OUT_QUERY:
		return was_sent(w, s) || fails(why, "this was not asked of a server");
	case RPL_CHECK_NO_OUT_QUERY:
		return !was_sent(w, s) || fails(why, "this was asked of a server");
	case RPL_CHECK_CACHE:
	case RPL_CHECK_NO_CACHE:
		return check_cache(w, s, why);
	case RPL_CHECK_STAT:
		return check_stat(w, s, why);
	default:
		abort();
	}
}
