/* SPDX-License-Identifier: Apache-2.0 */
/* Making, joining and ending questions. The limits met here, in the order they are met:
 * - a question seen already from a client that still waits only renews the wait;
 * - a client address has at most RESOLVER_WAITERS_PER_CLIENT questions waiting (counted by keyed
 *   hash, so two addresses may share a counter; what is over is dropped, not answered: the source
 *   may be forged, DNSBomb);
 * - a question has at most RESOLVER_WAITERS_PER_QUERY clients;
 * - a question that failed a moment ago is answered from that memory (RFC 9520);
 * - when all slots are taken, the oldest of the late half that is older than RESOLVER_JOSTLE_MS
 *   makes room; if there is none the newcomer is refused.
 * A UDP client is not answered after RESOLVER_WAIT_MS: it has asked again by then, and answers that
 * pile up and leave together are somebody's weapon. */
#include "resolver/query.h"

#include <assert.h>
#include <string.h>

#include "base/ip.h"
#include "base/trace.h"
#include "base/xalloc.h"
#include "dns/dname.h"
#include "resolver/cache.h"
#include "resolver/failures.h"
#include "resolver/query_state.h"
#include "resolver/query_table.h"
#include "resolver/resolver_conf.h"
#include "resolver/servers.h"
#include "resolver/stats.h"

/* ---- lists ---- */

static void query_list_init(struct query_list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void query_unready(struct query *q)
{
	struct query_list *l = &q->r->queries->ready;

	if (!q->ready_link)
		return;
	*q->ready_link = q->ready_next;
	if (q->ready_next)
		q->ready_next->ready_link = q->ready_link;
	else
		l->last = q->ready_link;
	q->ready_link = NULL;
}

void query_ready(struct query *q)
{
	struct query_list *l = &q->r->queries->ready;

	if (q->ready_link)
		return;
	q->ready_next = NULL;
	q->ready_link = l->last;
	*l->last = q;
	l->last = &q->ready_next;
}

static void query_late_put(struct query *q)
{
	struct query_list *l = &q->r->queries->late;

	q->age_next = NULL;
	q->age_link = l->last;
	*l->last = q;
	l->last = &q->age_next;
	q->r->queries->n_late++;
}

static void query_late_del(struct query *q)
{
	struct query_list *l = &q->r->queries->late;

	if (!q->age_link)
		return;
	*q->age_link = q->age_next;
	if (q->age_next)
		q->age_next->age_link = q->age_link;
	else
		l->last = q->age_link;
	q->age_link = NULL;
	q->r->queries->n_late--;
}

struct query_table *query_table_new(void)
{
	struct query_table *t = xcalloc(1, sizeof(*t));

	query_list_init(&t->ready);
	query_list_init(&t->late);
	return t;
}

void query_table_free(struct query_table *t)
{
	if (!t)
		return;
	assert(t->n == 0);
	table_fini(&t->live);
	budget_pool_fini(&t->budgets);
	xfree(t);
}

size_t query_table_count(const struct query_table *t)
{
	return t->n;
}

void query_run_ready(struct resolver *r)
{
	struct query_table *t = r->queries;
	struct query *q;

	if (t->is_running)
		return;
	t->is_running = true;
	while ((q = t->ready.first)) {
		query_unready(q);
		(void)iter_run(q);
	}
	t->is_running = false;
}

/* ---- life ---- */

uint64_t query_hash(
	const struct resolver *r, const uint8_t *name, uint16_t type, uint16_t class, bool is_cd)
{
	uint64_t salt = (uint64_t)type << 32 | (uint64_t) class << 1 | is_cd;

	return dname_hash(&r->key, name, dname_len(name)) ^ salt * UINT64_C(0x9e3779b97f4a7c15);
}

struct query *query_live(
	const struct resolver *r, const uint8_t *name, uint16_t type, uint16_t class, bool is_cd)
{
	struct table_node *n =
		table_find(&r->queries->live, query_hash(r, name, type, class, is_cd));

	for (; n; n = table_next(n)) {
		struct query *q = (struct query *)n;

		if (q->type == type && q->class == class && q->is_cd == is_cd &&
			q->state != ITER_DONE && q->state != ITER_DROP &&
			dname_equal(q->name, name))
			return q;
	}
	return NULL;
}

struct query *query_new(struct resolver *r, const struct query_new *in)
{
	struct arena *a = arena_new(r->arenas, RESOLVER_ARENA_MAX);
	struct query *q = arena_zalloc(a, sizeof(*q));
	size_t len = dname_len(in->name);
	uint8_t *name = q ? arena_alloc(a, len) : NULL;

	if (!name) {
		arena_free(a);
		budget_unref(&r->queries->budgets, in->budget);
		return NULL;
	}
	dname_copy_lower(in->name, name);
	q->r = r;
	q->arena = a;
	q->budget = in->budget;
	q->name = q->target = q->asking = name;
	q->name_len = (uint8_t)len;
	q->type = q->asking_type = in->type;
	q->class = in->class;
	q->is_cd = in->is_cd;
	q->is_internal = in->is_internal;
	q->is_unlisted = in->is_unlisted;
	q->depth = in->depth;
	q->last_waiter = &q->waiters;
	q->start_ms = resolver_now_ms(r);
	q->max_labels = DNAME_LABELS_MAX;
	q->out.ede = DNS_EDE_NONE;
	q->all_next = r->queries->all;
	q->all_link = &r->queries->all;
	if (q->all_next)
		q->all_next->all_link = &q->all_next;
	r->queries->all = q;
	r->queries->n++;
	if (!q->is_unlisted)
		table_put(&r->queries->live, &q->node,
			query_hash(r, q->name, q->type, q->class, q->is_cd));
	iter_begin(q);
	return q;
}

static void query_forget_waiters(struct query *q)
{
	for (struct query_waiter *w = q->waiters; w; w = w->next)
		--*query_client_slot(q->r, &w->client.peer.ip);
	q->waiters = NULL;
	q->last_waiter = &q->waiters;
	q->n_waiters = 0;
	q->budget->trace = NULL;
}

void query_free(struct query *q)
{
	struct resolver *r = q->r;

	query_forget_waiters(q);
	query_sub_forget_children(q);
	exchange_cancel_all(q, false);
	wheel_cancel(r->env.wheel, &q->retry);
	wheel_cancel(r->env.wheel, &q->alarm);
	query_unready(q);
	query_late_del(q);
	if (!q->is_unlisted)
		table_del(&r->queries->live, &q->node);
	budget_unref(&r->queries->budgets, q->budget);
	*q->all_link = q->all_next;
	if (q->all_next)
		q->all_next->all_link = q->all_link;
	r->queries->n--;
	arena_free(q->arena);
}

/* ---- clients ---- */

uint16_t *query_client_slot(struct resolver *r, const struct ip *ip)
{
	return &r->queries->clients[ip_hash(&r->key, ip) % QUERY_CLIENT_SLOTS];
}

static void query_refuse(struct resolver *r, const struct query_ask *ask, uint16_t rcode, int ede)
{
	const struct resolver_conf *conf = resolver_conf(r);
	size_t len;

	if (!ask->client || ask->is_prefetch)
		return;
	len = answer_error(ask->shape, rcode, ede, conf->edns_size, r->out, UINT16_MAX);
	query_send(r, ask->client, r->out, len);
}

/* The same client asks the same once more, as stub resolvers do every few seconds. */
static bool query_renew(struct query *q, const struct query_ask *ask)
{
	for (struct query_waiter *w = q->waiters; w; w = w->next) {
		if (w->client.kind == CLIENT_UDP && ask->client->kind == CLIENT_UDP &&
			w->shape.id == ask->shape->id &&
			ip_port_equal(&w->client.peer, &ask->client->peer)) {
			w->since_ms = resolver_now_ms(q->r);
			return true;
		}
	}
	return false;
}

static bool query_add_waiter(struct query *q, const struct query_ask *ask)
{
	size_t bytes = DNS_HEADER_LEN + (size_t)ask->shape->question_len;
	uint16_t *slot = query_client_slot(q->r, &ask->client->peer.ip);
	struct query_waiter *w;
	uint8_t *copy;

	if (*slot >= RESOLVER_WAITERS_PER_CLIENT) {
		stats_add(q->r->env.stats, STATS_LIMIT_CLIENT);
		return false;
	}
	if (q->n_waiters >= RESOLVER_WAITERS_PER_QUERY) {
		stats_add(q->r->env.stats, STATS_LIMIT_WAITERS);
		return false;
	}
	w = arena_alloc(q->arena, sizeof(*w));
	copy = w ? arena_memdup(q->arena, ask->shape->query, bytes) : NULL;
	if (!copy) {
		stats_add(q->r->env.stats, STATS_LIMIT_ARENA);
		return false;
	}
	w->next = NULL;
	w->client = *ask->client;
	w->shape = *ask->shape;
	w->shape.query = copy;
	w->since_ms = resolver_now_ms(q->r);
	*q->last_waiter = w;
	q->last_waiter = &w->next;
	q->n_waiters++;
	++*slot;
	q->wants_do[w->shape.is_do] = true;
	return true;
}

/* The question came back from the very server that is being asked it (field note 30). */
static bool query_is_loop(const struct query *q, const struct client *c)
{
	if (!q->at || q->at->kind != DELEGATION_FORWARD)
		return false;
	for (int i = 0; i < QUERY_EXCHANGES; i++) {
		const struct exchange *x = &q->ex[i];

		if (exchange_is_open(x) && ip_equal(&q->at->addrs[x->plan.addr].at.ip, &c->peer.ip))
			return true;
	}
	return false;
}

static void query_join(struct query *q, const struct query_ask *ask)
{
	struct resolver *r = q->r;

	if (ask->is_prefetch || !ask->client)
		return;
	if (query_is_loop(q, ask->client)) {
		stats_add(r->env.stats, STATS_LOOPS);
		query_refuse(r, ask, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER);
		return;
	}
	if (query_renew(q, ask)) {
		stats_add(r->env.stats, STATS_REPEATED);
		return;
	}
	if (!query_add_waiter(q, ask))
		return;
	stats_add(r->env.stats, STATS_JOINED);
	if (q->is_internal && q->n_waiters == 1) {
		/* Now there is a client who pays for it; whoever started it may have spent all. */
		budget_unref(&r->queries->budgets, q->budget);
		q->budget = budget_new(&r->queries->budgets, r->env.stats, resolver_now_ms(r));
		q->asked = ask->msg->q;
		iter_begin(q);
	}
}

/* ---- starting ---- */

/* A slot for one more question of a client. */
static bool query_make_room(struct resolver *r)
{
	struct query_table *t = r->queries;
	struct query *oldest = t->late.first;

	if (t->n < r->env.max_queries)
		return true;
	if (!oldest || resolver_now_ms(r) - oldest->start_ms < RESOLVER_JOSTLE_MS) {
		stats_add(r->env.stats, STATS_LIMIT_QUERIES);
		return false;
	}
	stats_add(r->env.stats, STATS_JOSTLED);
	oldest->out.is_local = true;
	oldest->out.rcode = DNS_RCODE_SERVFAIL;
	oldest->out.n_answer = oldest->out.n_authority = 0;
	query_finish(oldest);
	return true;
}

/* CNAMEs of our own stand before what is resolved (ZONES_CNAME). They are borrowed: copy. */
static bool query_put_prefix(struct query *q, const struct query_ask *ask)
{
	for (size_t i = 0; i < ask->n_prefix; i++) {
		struct rrset *rr = arena_memdup(q->arena, ask->prefix[i], ask->prefix[i]->size);

		if (!rr || q->out.n_answer >= QUERY_ANSWER_MAX)
			return false;
		q->out.answer[q->out.n_answer++] = rr;
	}
	q->has_prefix = ask->n_prefix > 0;
	q->out.is_uncached = q->has_prefix;
	return true;
}

static void query_start_new(struct resolver *r, const struct query_ask *ask, const uint8_t *name)
{
	struct query_table *t = r->queries;
	struct trace *trace = ask->client ? ask->client->trace : NULL;
	struct query_new in = {
		.name = name,
		.type = ask->msg->q.type,
		.class = ask->msg->q.class,
		.is_cd = ask->msg->flags & DNS_FLAG_CD,
		.is_unlisted = trace || ask->n_prefix > 0,
	};
	struct query *q;

	if (!query_make_room(r)) {
		query_refuse(r, ask, DNS_RCODE_SERVFAIL, DNS_EDE_NOT_READY);
		return;
	}
	in.budget = budget_new(&t->budgets, r->env.stats, resolver_now_ms(r));
	in.budget->trace = trace;
	q = query_new(r, &in);
	if (!q)
		return;
	q->asked = ask->msg->q;
	q->is_prefetch = ask->is_prefetch;
	q->is_kept = ask->is_prefetch;
	if (ask->is_prefetch)
		q->wants_do[ask->msg->edns.is_do] = true;
	if (!query_put_prefix(q, ask) || (!ask->is_prefetch && !query_add_waiter(q, ask))) {
		query_free(q);
		return;
	}
	if (t->n > r->env.max_queries / 2)
		query_late_put(q);
	query_ready(q);
}

bool query_has_failed(const struct resolver *r, const uint8_t *name, uint16_t type, bool is_cd)
{
	uint64_t hash = query_hash(r, name, type, DNS_CLASS_IN, is_cd);

	return failures_left_ms(
		       r->failures, hash, servers_epoch(r->env.servers), resolver_now_ms(r)) > 0;
}

void query_start(struct resolver *r, const struct query_ask *ask)
{
	const uint8_t *name = ask->target ? ask->target : ask->msg->q.name;
	const struct question *question = &ask->msg->q;
	bool is_cd = ask->msg->flags & DNS_FLAG_CD;
	bool is_traced = ask->client && ask->client->trace;
	struct query *q = NULL;

	if (ask->n_prefix == 0 && !is_traced)
		q = query_live(r, name, question->type, question->class, is_cd);
	if (q) {
		query_join(q, ask);
	} else if (!is_traced && query_has_failed(r, name, question->type, is_cd)) {
		stats_add(r->env.stats, STATS_CACHED_FAILURES);
		query_refuse(r, ask, DNS_RCODE_SERVFAIL, DNS_EDE_CACHED_ERROR);
	} else {
		query_start_new(r, ask, name);
	}
	query_run_ready(r);
}

/* ---- ending ---- */

/* The parents copy what they need and go on in a later step. */
static void query_tell_parents(struct query *q)
{
	struct query_sub *s, *next;

	for (s = q->parents; s; s = next) {
		next = s->next_of_child;
		s->child = NULL;
		s->on_done(s, &q->out);
	}
	q->parents = NULL;
}

void query_finish(struct query *q)
{
	struct resolver *r = q->r;

	q->state = ITER_DONE;
	query_tell_parents(q);
	query_deliver(q, &q->out);
	stats_latency(r->env.stats, (uint64_t)(resolver_now_ms(r) - q->start_ms) * 1000);
	query_free(q);
}

void query_answer_waiters(struct query *q, struct query_result *out)
{
	query_deliver_stale(q, out);
	query_forget_waiters(q);
	q->is_kept = true;
}
