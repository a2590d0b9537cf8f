/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/offer.h"

#include "base/xalloc.h"
#include "dhcp/dhcp_limits.h"

/* How many offers one circuit has. */
struct offer_circuit {
	struct table_node node;
	unsigned n;
};

struct offer_table {
	struct hash_key key;
	struct table by_addr, by_client, circuits;
	struct offer *first, *last;
};

struct offer_table *offer_table_new(const struct hash_key *key)
{
	struct offer_table *t = xcalloc(1, sizeof(*t));

	t->key = *key;
	return t;
}

void offer_table_free(struct offer_table *t)
{
	if (!t)
		return;
	while (t->first)
		offer_del(t, t->first);
	table_fini(&t->by_addr);
	table_fini(&t->by_client);
	table_fini(&t->circuits);
	xfree(t);
}

static struct offer *offer_of_addr_node(struct table_node *n)
{
	return (struct offer *)((char *)n - offsetof(struct offer, by_addr));
}

static struct offer *offer_of_client_node(struct table_node *n)
{
	return (struct offer *)((char *)n - offsetof(struct offer, by_client));
}

static uint64_t offer_hash_addr(const struct offer_table *t, uint32_t addr)
{
	return hash_bytes(&t->key, &addr, sizeof(addr));
}

struct offer *offer_get(const struct offer_table *t, uint32_t addr)
{
	struct table_node *n = table_find(&t->by_addr, offer_hash_addr(t, addr));

	while (n && offer_of_addr_node(n)->addr != addr)
		n = table_next(n);
	return n ? offer_of_addr_node(n) : NULL;
}

static struct offer *offer_pass_others(struct table_node *n, const struct client4 *c)
{
	while (n && !client4_equal(&offer_of_client_node(n)->client, c))
		n = table_next(n);
	return n ? offer_of_client_node(n) : NULL;
}

struct offer *offer_first_of(const struct offer_table *t, const struct client4 *c)
{
	return offer_pass_others(table_find(&t->by_client, client4_hash(&t->key, c)), c);
}

struct offer *offer_next_of(const struct offer *o)
{
	return offer_pass_others(table_next(&o->by_client), &o->client);
}

/* ---- circuits: a table node's hash is the whole key, it is a keyed hash already ---- */

static struct offer_circuit *offer_circuit_get(const struct offer_table *t, uint64_t circuit)
{
	return (struct offer_circuit *)table_find(&t->circuits, circuit);
}

static void offer_circuit_add(struct offer_table *t, uint64_t circuit)
{
	struct offer_circuit *c = circuit ? offer_circuit_get(t, circuit) : NULL;

	if (!circuit)
		return;
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		table_put(&t->circuits, &c->node, circuit);
	}
	c->n++;
}

static void offer_circuit_del(struct offer_table *t, uint64_t circuit)
{
	struct offer_circuit *c = circuit ? offer_circuit_get(t, circuit) : NULL;

	if (!c || --c->n)
		return;
	table_del(&t->circuits, &c->node);
	xfree(c);
}

/* ---- changing ---- */

static void offer_append(struct offer_table *t, struct offer *o, int64_t now_ms)
{
	o->made_ms = now_ms;
	o->due_ms = now_ms + DHCP_OFFER_MS;
	o->next = NULL;
	o->prev = t->last;
	if (t->last)
		t->last->next = o;
	else
		t->first = o;
	t->last = o;
}

static void offer_detach(struct offer_table *t, struct offer *o)
{
	if (o->prev)
		o->prev->next = o->next;
	else
		t->first = o->next;
	if (o->next)
		o->next->prev = o->prev;
	else
		t->last = o->prev;
}

int offer_put(struct offer_table *t, uint32_t addr, const struct client4 *c, uint64_t circuit,
	int64_t now_ms, struct offer **out)
{
	struct offer_circuit *of = circuit ? offer_circuit_get(t, circuit) : NULL;
	struct offer *o;

	if (t->by_addr.count >= DHCP_OFFERS_MAX || (of && of->n >= DHCP_OFFERS_PER_CIRCUIT))
		return ERR_LIMIT;
	o = xcalloc(1, sizeof(*o));
	o->addr = addr;
	o->client = *c;
	o->client.id = c->id_len ? xmemdup(c->id, c->id_len) : NULL;
	o->circuit = circuit;
	offer_circuit_add(t, circuit);
	table_put(&t->by_addr, &o->by_addr, offer_hash_addr(t, addr));
	table_put(&t->by_client, &o->by_client, client4_hash(&t->key, c));
	offer_append(t, o, now_ms);
	*out = o;
	return 0;
}

void offer_renew(struct offer_table *t, struct offer *o, int64_t now_ms)
{
	offer_detach(t, o);
	offer_append(t, o, now_ms);
}

void offer_del(struct offer_table *t, struct offer *o)
{
	offer_detach(t, o);
	offer_circuit_del(t, o->circuit);
	table_del(&t->by_addr, &o->by_addr);
	table_del(&t->by_client, &o->by_client);
	xfree((void *)(uintptr_t)o->client.id);
	xfree(o);
}

struct offer *offer_older_first(const struct offer_table *t, const struct offer *after)
{
	return after ? after->next : t->first;
}

size_t offer_count(const struct offer_table *t)
{
	return t->by_addr.count;
}
