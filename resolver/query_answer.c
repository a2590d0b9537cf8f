/* SPDX-License-Identifier: Apache-2.0 */
/* From a query's result to packets and cache entries. The message is written once for clients that
 * want DNSSEC records and once for those that do not, as far as either waits; each waiter gets its
 * own patched copy. */
#include <string.h>

#include "dns/dname.h"
#include "dns/msg_write.h"
#include "dns/rrtype.h"
#include "resolver/cache.h"
#include "resolver/failures.h"
#include "resolver/query_state.h"
#include "resolver/query_table.h"
#include "resolver/rebind.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

void query_send(struct resolver *r, const struct client *c, const uint8_t *wire, size_t len)
{
	if (c->kind == CLIENT_CALL) {
		if (c->on_answer)
			c->on_answer(c->arg, wire, len);
		return;
	}
	r->env.send(r->env.send_arg, c, wire, len);
}

/* ---- writing ---- */

/* RRsets that only a client with DO gets (RFC 4035 3.2.1). */
static bool query_is_dnssec_only(const struct rrset *rr)
{
	return rr->type == DNS_TYPE_NSEC || rr->type == DNS_TYPE_NSEC3 ||
	       rr->type == DNS_TYPE_RRSIG || rr->type == DNS_TYPE_DS;
}

/* 0 means expired: RFC 8767 4 gives it a TTL again. */
static uint32_t query_ttl(const struct query_result *out, const struct rrset *rr)
{
	if (out->is_stale && rr->ttl < RESOLVER_STALE_TTL_S)
		return RESOLVER_STALE_TTL_S;
	return rr->ttl;
}

struct query_writer {
	struct msg_writer w;
	const struct query_result *out;
	bool is_do;
	uint32_t ttl_s; /* lowest so far */
};

/* A chain that passes one DNAME twice has it twice; the message has no two equal records. */
static bool query_is_said(const struct rrset *const *sets, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (sets[k]->type == sets[i]->type &&
			dname_equal(rrset_owner(sets[k]), rrset_owner(sets[i])))
			return true;
	}
	return false;
}

static int query_write_section(struct query_writer *qw, enum dns_section section,
	const struct rrset *const *sets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rrset *rr = sets[i];
		uint32_t ttl = query_ttl(qw->out, rr);
		int err;

		if (rr->type == DNS_TYPE_DNAME && query_is_said(sets, i))
			continue;
		if (section != DNS_SECTION_ANSWER && !qw->is_do && query_is_dnssec_only(rr))
			continue;
		err = msg_write_rrset(&qw->w, section, rr, ttl, qw->is_do);
		if (err != 0)
			return err;
		if (ttl < qw->ttl_s)
			qw->ttl_s = ttl;
	}
	return 0;
}

/* The blob's wire lies in r->scratch until the turn ends. */
static int query_write(
	struct query *q, const struct query_result *out, bool is_do, struct answer_blob *blob)
{
	struct query_writer qw = {.out = out, .is_do = is_do, .ttl_s = UINT32_MAX};
	uint16_t flags = DNS_FLAG_QR | DNS_FLAG_RA | (out->rcode & 15);
	int err;

	msg_write_begin(&qw.w, q->r->scratch, UINT16_MAX, 0, flags, &q->asked);
	err = query_write_section(&qw, DNS_SECTION_ANSWER, out->answer, out->n_answer);
	if (err == 0)
		err = query_write_section(
			&qw, DNS_SECTION_AUTHORITY, out->authority, out->n_authority);
	if (err != 0)
		return err;
	blob->len = (uint16_t)msg_write_end(&qw.w);
	blob->rcode = out->rcode;
	blob->security = out->security;
	blob->question_len = (uint16_t)(q->asked.name_len + 4);
	blob->is_aa = false;
	blob->ede = (int16_t)out->ede;
	blob->ttl_s = qw.ttl_s == UINT32_MAX ? 0 : qw.ttl_s;
	blob->wire = q->r->scratch;
	blob->n_ttl = 0;
	if (qw.w.ttl_overflow || qw.w.n_ttl > ANSWER_TTL_OFFSETS) {
		blob->ttl_s = 0; /* too many to age them: not for the cache */
	} else {
		blob->n_ttl = (uint8_t)qw.w.n_ttl;
		memcpy(blob->ttl_off, qw.w.ttl_off, qw.w.n_ttl * sizeof(blob->ttl_off[0]));
	}
	return 0;
}

/* ---- sending and storing ---- */

static void query_send_all(struct query *q, const struct answer_blob *blob, bool is_do)
{
	struct resolver *r = q->r;
	const struct resolver_conf *conf = resolver_conf(r);
	int64_t now_ms = resolver_now_ms(r);

	for (struct query_waiter *w = q->waiters; w; w = w->next) {
		size_t len;

		if (w->shape.is_do != is_do)
			continue;
		if (w->client.kind == CLIENT_UDP && now_ms - w->since_ms > RESOLVER_WAIT_MS) {
			stats_add(r->env.stats, STATS_LATE);
			continue;
		}
		len = answer_patch(blob, &w->shape, 0, conf->edns_size, r->out, UINT16_MAX);
		query_send(r, &w->client, r->out, len);
	}
}

static void query_store(struct query *q, const struct answer_blob *blob, bool is_do)
{
	struct resolver *r = q->r;
	struct cache_question cq = {
		.name = q->asked.name,
		.name_len = q->asked.name_len,
		.type = q->type,
		.class = q->class,
		.is_do = is_do,
		.is_cd = q->is_cd,
	};

	if (!r->env.cache || blob->ttl_s == 0)
		return;
	cq.hash = cache_hash(r->env.cache, &cq);
	cache_put(r->env.cache, &cq, blob, resolver_conf(r)->generation, resolver_now_ms(r));
}

/* failure_s: how long a result without records may be served. */
static void query_emit(struct query *q, const struct query_result *out, uint32_t failure_s)
{
	for (int is_do = 0; is_do <= 1; is_do++) {
		struct answer_blob blob;

		if (!q->wants_do[is_do])
			continue;
		if (query_write(q, out, is_do, &blob) != 0) {
			/* More than a message can hold. */
			static const struct query_result too_much = {
				.rcode = DNS_RCODE_SERVFAIL,
				.ede = DNS_EDE_OTHER,
			};

			if (query_write(q, &too_much, is_do, &blob) != 0)
				return;
			failure_s = RESOLVER_FAILURE_MIN_S;
		}
		if (failure_s)
			blob.ttl_s = failure_s;
		if (q->waiters)
			query_send_all(q, &blob, is_do);
		if (!out->is_uncached)
			query_store(q, &blob, is_do);
	}
}

static void query_filter(struct query *q, struct query_result *out)
{
	const struct resolver_conf *conf = resolver_conf(q->r);
	size_t n;

	if (!conf->rebind_protection || !q->was_upstream)
		return;
	n = rebind_filter(conf, q->asked.name, out->answer, &out->n_answer, q->arena);
	if (n == 0)
		return;
	stats_add(q->r->env.stats, STATS_REBIND);
	out->security = RRSET_INSECURE;
	out->ede = DNS_EDE_BLOCKED;
}

/* Returns for how many seconds the failure is remembered; 0: it is none. */
static uint32_t query_note_failure(struct query *q, const struct query_result *out)
{
	struct resolver *r = q->r;
	uint64_t hash = query_hash(r, q->name, q->type, q->class, q->is_cd);
	uint32_t failure_s;

	if (out->rcode != DNS_RCODE_SERVFAIL) {
		failures_del(r->failures, hash);
		return 0;
	}
	stats_add(r->env.stats, STATS_FAILURES);
	failure_s = failures_put(r->failures, hash, out->is_local, servers_epoch(r->env.servers),
		resolver_now_ms(r));
	return failure_s;
}

void query_deliver(struct query *q, struct query_result *out)
{
	uint32_t failure_s = query_note_failure(q, out);

	/* Expired data that replaced a failure: the failure counts, the data is served. */
	if (out->is_stale) {
		query_deliver_stale(q, out);
		return;
	}
	if (!q->waiters && !q->is_kept)
		return;
	query_filter(q, out);
	query_emit(q, out, failure_s);
}

void query_deliver_stale(struct query *q, struct query_result *out)
{
	stats_add(q->r->env.stats, STATS_STALE);
	out->is_stale = true;
	query_filter(q, out);
	query_emit(q, out, 0);
}
