/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of our own. A child is listed like any other question, so two parents that need the
 * same address share it, and a client that asks for it joins it. The graph of who waits for whom
 * must have no circle: before an edge to a live question is added, everything that question waits
 * for is searched for the parent. Each question has few children and is visited once a search
 * (q->mark), so the search is bounded by the live questions it can reach. */
#include <assert.h>

#include "dns/dname.h"
#include "resolver/query_state.h"
#include "resolver/query_table.h"
#include "resolver/stats.h"

static void query_sub_unlink_child(struct query_sub *s)
{
	if (!s->child)
		return;
	*s->link_of_child = s->next_of_child;
	if (s->next_of_child)
		s->next_of_child->link_of_child = s->link_of_child;
	s->child = NULL;
}

/* Does q, by whatever way, wait for `for_whom`? Breadth first, the questions found chained by
 * search_next. */
static bool query_sub_waits_for(struct query *q, const struct query *for_whom)
{
	uint32_t mark = ++q->r->queries->mark;
	struct query *last = q;

	q->mark = mark;
	q->search_next = NULL;
	for (; q; q = q->search_next) {
		if (q == for_whom)
			return true;
		for (struct query_sub *s = q->children; s; s = s->next_of_parent) {
			if (!s->child || s->child->mark == mark)
				continue;
			s->child->mark = mark;
			s->child->search_next = NULL;
			last->search_next = s->child;
			last = s->child;
		}
	}
	return false;
}

static struct query *query_sub_new(
	struct resolver *r, struct query *parent, const uint8_t *name, uint16_t type)
{
	struct query_new in = {
		.name = name,
		.type = type,
		.class = DNS_CLASS_IN,
		.is_internal = true,
	};
	struct query *q;

	/* Sub-questions may take all slots but never push out a client's. */
	if (r->queries->n >= r->env.max_queries) {
		stats_add(r->env.stats, STATS_LIMIT_QUERIES);
		return NULL;
	}
	if (parent) {
		in.depth = (uint8_t)(parent->depth + 1);
		in.is_cd = parent->is_cd;
		in.budget = budget_ref(parent->budget);
	} else {
		in.budget = budget_new(&r->queries->budgets, r->env.stats, resolver_now_ms(r));
	}
	q = query_new(r, &in);
	if (!q)
		return NULL;
	stats_add(r->env.stats, STATS_SUBS);
	query_ready(q);
	return q;
}

int query_sub_start(struct query *parent, const struct query_sub_ask *ask)
{
	struct resolver *r = parent->r;
	struct query *child;
	struct query_sub *s = arena_alloc(parent->arena, sizeof(*s));

	if (!s)
		return ERR_LIMIT;
	child = query_live(r, ask->name, ask->type, DNS_CLASS_IN, parent->is_cd);
	if (child && query_sub_waits_for(child, parent)) {
		stats_add(r->env.stats, STATS_LIMIT_CIRCLE);
		return ERR_BUSY;
	}
	if (!child) {
		if (query_has_failed(r, ask->name, ask->type, parent->is_cd))
			return ERR_ABSENT;
		if (parent->depth >= RESOLVER_DEPTH_MAX) {
			stats_add(r->env.stats, STATS_LIMIT_DEPTH);
			return ERR_LIMIT;
		}
		if (budget_take(parent->budget, ask->charge, resolver_now_ms(r)) != 0)
			return ERR_LIMIT;
		child = query_sub_new(r, parent, ask->name, ask->type);
		if (!child)
			return ERR_LIMIT;
		child->is_fresh = ask->is_fresh;
		if (ask->doubted)
			child->doubted = *ask->doubted;
	}
	*s = (struct query_sub){
		.parent = parent,
		.child = child,
		.on_done = ask->on_done,
		.tag = ask->tag,
		.next_of_child = child->parents,
		.link_of_child = &child->parents,
		.next_of_parent = parent->children,
	};
	if (child->parents)
		child->parents->link_of_child = &s->next_of_child;
	child->parents = s;
	parent->children = s;
	return 0;
}

void query_sub_detached(struct resolver *r, const uint8_t *name, uint16_t type)
{
	struct query *q = query_live(r, name, type, DNS_CLASS_IN, false);

	if (q)
		return;
	q = query_sub_new(r, NULL, name, type);
	if (q)
		q->is_kept = true;
}

void query_sub_forget_children(struct query *parent)
{
	struct query_sub *s, *next;

	for (s = parent->children; s; s = next) {
		struct query *child = s->child;

		next = s->next_of_parent;
		query_sub_unlink_child(s);
		if (!child || child->parents || child->n_waiters > 0 || child->is_kept)
			continue;
		/* Freed from the ready list, so that a long line of them takes no stack. */
		child->state = ITER_DROP;
		query_ready(child);
	}
	parent->children = NULL;
}
