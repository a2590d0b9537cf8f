/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/localzone.h"

#include <string.h>

#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/dns_const.h"

struct localzone {
	struct suffixset *names;
	struct localzone_node *nodes; /* by id */
	size_t n_nodes, nodes_cap;
};

struct localzone *localzone_new(const struct hash_key *key)
{
	struct localzone *z = xcalloc(1, sizeof(*z));

	z->names = suffixset_new(key);
	z->nodes_cap = 256;
	z->nodes = xcalloc(z->nodes_cap, sizeof(*z->nodes));
	z->n_nodes = 1;
	return z;
}

static void free_set(struct localzone_set *set)
{
	xfree(set->rr);
	xfree(set);
}

void localzone_free(struct localzone *z)
{
	if (!z)
		return;
	for (size_t i = 0; i < z->n_nodes; i++) {
		struct localzone_set *next;

		for (struct localzone_set *set = z->nodes[i].sets; set; set = next) {
			next = set->next;
			free_set(set);
		}
	}
	suffixset_free(z->names);
	xfree(z->nodes);
	xfree(z);
}

/* Nodes for all ids that the set of names has given out. */
static void cover_ids(struct localzone *z)
{
	size_t need = suffixset_count(z->names);

	if (need > z->nodes_cap) {
		z->nodes_cap = 2 * need;
		z->nodes = xrealloc(z->nodes, z->nodes_cap * sizeof(*z->nodes));
	}
	memset(z->nodes + z->n_nodes, 0, (need - z->n_nodes) * sizeof(*z->nodes));
	z->n_nodes = need;
}

int localzone_make(struct localzone *z, const uint8_t *name, struct localzone_node **out)
{
	uint32_t id, parent;
	int err = suffixset_add(z->names, name, &id);

	if (err != 0)
		return err;
	cover_ids(z);
	if (dname_is_wildcard(name)) {
		parent = suffixset_get(z->names, dname_strip(name, 1));
		z->nodes[parent].wildcard = id;
	}
	*out = &z->nodes[id];
	return 0;
}

static void drop_set(struct localzone_node *n, struct localzone_set *set)
{
	struct localzone_set **link = &n->sets;

	while (*link != set)
		link = &(*link)->next;
	*link = set->next;
	free_set(set);
}

/* Does a set stand in the way of a record of this type? Its own type does, and a CNAME stands alone
 * (RFC 1034 3.6.2). */
static bool is_in_the_way(const struct localzone_set *set, uint16_t type, bool *is_clash)
{
	*is_clash = (set->rr->type == DNS_TYPE_CNAME) != (type == DNS_TYPE_CNAME);
	return *is_clash || set->rr->type == type;
}

/* Makes room for a record of this type and rank, or tells that it loses (*is_beaten) or clashes. */
static int settle(
	struct localzone_node *n, uint16_t type, enum localzone_rank rank, bool *is_beaten)
{
	struct localzone_set *next;
	bool is_clash;
	int err = 0;

	*is_beaten = false;
	for (const struct localzone_set *set = n->sets; set; set = set->next) {
		if (!is_in_the_way(set, type, &is_clash))
			continue;
		if (set->rank < rank)
			*is_beaten = true;
		if (set->rank == rank && is_clash)
			err = ERR_EXISTS;
	}
	if (*is_beaten || err != 0)
		return *is_beaten ? 0 : err;
	for (struct localzone_set *set = n->sets; set; set = next) {
		next = set->next;
		if (is_in_the_way(set, type, &is_clash) && set->rank > rank)
			drop_set(n, set);
	}
	return 0;
}

static struct localzone_set *new_set(struct localzone_node *n, const uint8_t *name, uint16_t type,
	uint32_t ttl, enum localzone_rank rank, const char *source)
{
	struct localzone_set *set = xcalloc(1, sizeof(*set)), **link = &n->sets;
	size_t cap = sizeof(struct rrset) + dname_len(name);

	set->rr = rrset_init(xalloc(cap), cap, name, type, DNS_CLASS_IN, ttl);
	set->rr->rank = RRSET_RANK_LOCAL;
	set->rr->security = RRSET_INSECURE;
	set->rank = (uint8_t)rank;
	set->source = source;
	while (*link) /* in the order they came, so that ANY is steady */
		link = &(*link)->next;
	*link = set;
	return set;
}

int localzone_add(struct localzone *z, const uint8_t *name, uint16_t type, uint32_t ttl,
	const uint8_t *rdata, size_t len, enum localzone_rank rank, const char *source)
{
	struct localzone_node *n;
	struct localzone_set *set;
	bool is_beaten;
	uint16_t had;
	size_t cap;
	int err = localzone_make(z, name, &n);

	if (err == 0)
		err = settle(n, type, rank, &is_beaten);
	if (err != 0 || is_beaten)
		return err;
	set = (struct localzone_set *)localzone_set(n, type);
	if (set && (rank == LOCALZONE_DERIVED || rank == LOCALZONE_HOSTS_PTR))
		return 0; /* one PTR an address: the first */
	cap = (set ? set->rr->size : sizeof(struct rrset) + DNAME_MAX) + sizeof(uint16_t) + len;
	if (cap > LOCALZONE_SET_MAX)
		return ERR_LIMIT;
	if (!set)
		set = new_set(n, name, type, ttl, rank, source);
	cap = set->rr->size + sizeof(uint16_t) + len;
	set->rr = xrealloc(set->rr, cap);
	had = set->rr->n_rr;
	err = rrset_add(set->rr, cap, rdata, len);
	if (err == 0 && type == DNS_TYPE_CNAME && had == 1 && set->rr->n_rr == 2) {
		set->rr->n_rr = 1;
		set->rr->size -= (uint32_t)(sizeof(uint16_t) + len);
		return ERR_EXISTS;
	}
	if (err == 0 && ttl < set->rr->ttl)
		set->rr->ttl = ttl;
	return err;
}

unsigned localzone_find(
	const struct localzone *z, const uint8_t *name, uint32_t ids[DNAME_LABELS_MAX + 1])
{
	return suffixset_find(z->names, name, ids);
}

const struct localzone_node *localzone_node(const struct localzone *z, uint32_t id)
{
	return &z->nodes[id];
}

const struct localzone_node *localzone_get(const struct localzone *z, const uint8_t *name)
{
	uint32_t id = suffixset_get(z->names, name);

	return id == SUFFIXSET_NONE ? NULL : &z->nodes[id];
}

const struct localzone_set *localzone_set(const struct localzone_node *n, uint16_t type)
{
	for (const struct localzone_set *set = n->sets; set; set = set->next) {
		if (set->rr->type == type)
			return set;
	}
	return NULL;
}

size_t localzone_count(const struct localzone *z)
{
	size_t n = 0;

	for (size_t i = 0; i < z->n_nodes; i++)
		n += z->nodes[i].sets != NULL;
	return n;
}
