/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/suffixset.h"

#include <string.h>

#include "base/xalloc.h"

/* Each label extends the hash of what is right of it, so that a walk hashes every label once. A
 * slot holds 32 bits of the hash; a hit is confirmed by the node's parent and label, so ids are
 * exact. */

struct slot {
	uint32_t tag;
	uint32_t id; /* SUFFIXSET_NONE: empty */
};

struct node {
	uint32_t parent;
	uint32_t label; /* offset in labels: length octet and lower-case octets */
};

struct suffixset {
	struct hash_key key;
	struct slot *slots;
	size_t n_slots; /* power of two, at most half full */
	struct node *nodes;
	size_t n_nodes, nodes_cap;
	uint8_t *labels;
	size_t labels_len, labels_cap;
};

#define FIRST_SLOTS 1024

static uint64_t hash_mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9fb21c651e98df25u;
	return h ^ h >> 32;
}

/* The lower-case label (length octet first) in out[64]; returns its octets. */
static size_t copy_label(const uint8_t *label, uint8_t *out)
{
	size_t len = 1 + (size_t)*label;

	memcpy(out, label, len);
	dname_lower(out, len);
	return len;
}

static uint64_t hash_label(uint64_t h, const uint8_t *label, size_t len)
{
	for (; len >= 8; label += 8, len -= 8) {
		uint64_t word;

		memcpy(&word, label, 8);
		h = hash_mix(h, word);
	}
	return len ? hash_mix(h, hash_tail(label, len)) : h;
}

static uint64_t hash_root(const struct suffixset *s)
{
	return s->key.k0 ^ hash_rotate(s->key.k1, 32);
}

static void clear_slots(struct slot *slots, size_t n)
{
	memset(slots, 0xff, n * sizeof(*slots));
}

struct suffixset *suffixset_new(const struct hash_key *key)
{
	struct suffixset *s = xcalloc(1, sizeof(*s));

	s->key = *key;
	s->n_slots = FIRST_SLOTS;
	s->slots = xalloc(s->n_slots * sizeof(*s->slots));
	clear_slots(s->slots, s->n_slots);
	s->nodes_cap = FIRST_SLOTS / 2;
	s->nodes = xalloc(s->nodes_cap * sizeof(*s->nodes));
	s->nodes[0] = (struct node){.parent = SUFFIXSET_NONE};
	s->n_nodes = 1;
	return s;
}

void suffixset_free(struct suffixset *s)
{
	if (!s)
		return;
	xfree(s->slots);
	xfree(s->nodes);
	xfree(s->labels);
	xfree(s);
}

size_t suffixset_count(const struct suffixset *s)
{
	return s->n_nodes;
}

static bool is_child(
	const struct suffixset *s, uint32_t id, uint32_t parent, const uint8_t *label, size_t len)
{
	const struct node *n = &s->nodes[id];

	return n->parent == parent && memcmp(s->labels + n->label, label, len) == 0;
}

/* The child of parent with this lower-case label; h is the hash up to and with it. */
static uint32_t find_child(
	const struct suffixset *s, uint32_t parent, uint64_t h, const uint8_t *label, size_t len)
{
	for (size_t i = h & (s->n_slots - 1);; i = (i + 1) & (s->n_slots - 1)) {
		const struct slot *slot = &s->slots[i];

		if (slot->id == SUFFIXSET_NONE)
			return SUFFIXSET_NONE;
		if (slot->tag == h >> 32 && is_child(s, slot->id, parent, label, len))
			return slot->id;
	}
}

static void put_slot(struct suffixset *s, uint64_t h, uint32_t id)
{
	size_t i = h & (s->n_slots - 1);

	while (s->slots[i].id != SUFFIXSET_NONE)
		i = (i + 1) & (s->n_slots - 1);
	s->slots[i] = (struct slot){.tag = (uint32_t)(h >> 32), .id = id};
}

/* Doubles the slots. The hashes are made again: a parent's id is below its children's. */
static void grow_slots(struct suffixset *s)
{
	uint64_t *hashes = xalloc(s->n_nodes * sizeof(*hashes));

	s->n_slots *= 2;
	s->slots = xrealloc(s->slots, s->n_slots * sizeof(*s->slots));
	clear_slots(s->slots, s->n_slots);
	hashes[0] = hash_root(s);
	for (uint32_t id = 1; id < s->n_nodes; id++) {
		const uint8_t *label = s->labels + s->nodes[id].label;

		hashes[id] = hash_label(hashes[s->nodes[id].parent], label, 1 + (size_t)*label);
		put_slot(s, hashes[id], id);
	}
	xfree(hashes);
}

static uint32_t add_child(
	struct suffixset *s, uint32_t parent, uint64_t h, const uint8_t *label, size_t len)
{
	uint32_t id = (uint32_t)s->n_nodes;

	if (s->n_nodes == s->nodes_cap) {
		s->nodes_cap *= 2;
		s->nodes = xrealloc(s->nodes, s->nodes_cap * sizeof(*s->nodes));
	}
	if (s->labels_cap - s->labels_len < len) {
		s->labels_cap = 2 * s->labels_cap + 4096;
		s->labels = xrealloc(s->labels, s->labels_cap);
	}
	memcpy(s->labels + s->labels_len, label, len);
	s->nodes[id] = (struct node){.parent = parent, .label = (uint32_t)s->labels_len};
	s->labels_len += len;
	s->n_nodes++;
	if (2 * s->n_nodes > s->n_slots)
		grow_slots(s); /* puts the new one in, too */
	else
		put_slot(s, h, id);
	return id;
}

/* Offsets of the labels, leftmost first; returns how many. */
static unsigned label_offsets(const uint8_t *name, uint8_t off[DNAME_LABELS_MAX])
{
	unsigned n = 0;

	for (const uint8_t *p = name; *p && n < DNAME_LABELS_MAX; p += 1 + *p)
		off[n++] = (uint8_t)(p - name);
	return n;
}

int suffixset_add(struct suffixset *s, const uint8_t *name, uint32_t *out_id)
{
	uint8_t off[DNAME_LABELS_MAX], label[1 + DNAME_LABEL_MAX];
	unsigned n = label_offsets(name, off);
	uint64_t h = hash_root(s);
	uint32_t id = SUFFIXSET_ROOT;

	if (s->n_nodes + n > SUFFIXSET_MAX)
		return ERR_LIMIT;
	while (n-- > 0) {
		size_t len = copy_label(name + off[n], label);
		uint32_t child;

		h = hash_label(h, label, len);
		child = find_child(s, id, h, label, len);
		id = child != SUFFIXSET_NONE ? child : add_child(s, id, h, label, len);
	}
	*out_id = id;
	return 0;
}

unsigned suffixset_find(
	const struct suffixset *s, const uint8_t *name, uint32_t ids[DNAME_LABELS_MAX + 1])
{
	uint8_t off[DNAME_LABELS_MAX], label[1 + DNAME_LABEL_MAX];
	unsigned n = label_offsets(name, off), matched = 0;
	uint64_t h = hash_root(s);

	ids[0] = SUFFIXSET_ROOT;
	while (matched < n) {
		size_t len = copy_label(name + off[n - matched - 1], label);
		uint32_t child;

		h = hash_label(h, label, len);
		child = find_child(s, ids[matched], h, label, len);
		if (child == SUFFIXSET_NONE)
			break;
		ids[++matched] = child;
	}
	return matched;
}

uint32_t suffixset_get(const struct suffixset *s, const uint8_t *name)
{
	uint32_t ids[DNAME_LABELS_MAX + 1];
	unsigned matched = suffixset_find(s, name, ids);

	return matched == dname_labels(name) ? ids[matched] : SUFFIXSET_NONE;
}
