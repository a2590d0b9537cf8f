/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The layout of an LMDB 0.9 data file, as far as it is needed to judge one without LMDB; used by
 * pagefile.c alone. Pure: only what lies inside the page given is ever touched.
 *
 * The file is an array of pages. Pages 0 and 1 are meta pages, written alternately: the one with
 * the larger transaction number counts. A meta page has the roots of two B+trees: the list of free
 * pages (keyed by transaction) and the main database, whose values are the roots of the tables.
 * Numbers are in the machine's own order and width.
 *
 * page:  number | pad u16 | flags u16 | lower u16, upper u16 (or: count u32) | offsets u16 ...
 * node:  size or child, low and high u16 | flags u16 | key length u16 | key | data
 *
 * Nodes lie without gaps from `upper` to the page's end. A value too large for its page stands on
 * overflow pages of its own, the node has their number. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAGE_BRANCH   0x01
#define PAGE_LEAF     0x02
#define PAGE_OVERFLOW 0x04
#define PAGE_META     0x08
#define NODE_BIG      0x01
#define NODE_TABLE    0x02
#define NODE_HEAD     8

#define META_MAGIC    0xBEEFC0DEu
#define META_VERSION  1
#define FLAG_INTKEY   0x08   /* of the tree of free pages; LMDB keeps it in the meta's flags */
#define FLAG_NOSUBDIR 0x4000 /* harmless flag of the environment that lands there too */
#define KEY_MAX	      511    /* LMDB's own bound */

struct page_head {
	size_t number;
	uint16_t pad, flags, lower, upper;
};

struct page_tree {
	uint32_t pad;
	uint16_t flags, depth;
	size_t n_branch, n_leaf, n_overflow, n_entries, root;
};

struct page_meta {
	uint32_t magic, version;
	size_t address, map_len;
	struct page_tree free_tree, main_tree;
	size_t last_page, txn;
};

struct page_node {
	size_t child; /* branch: page; leaf: data length */
	uint16_t flags;
	const uint8_t *key, *data;
	size_t key_len;
};

static_assert(sizeof(struct page_head) == sizeof(size_t) + 8, "as LMDB lays it out");
static_assert(sizeof(struct page_tree) == 8 + 5 * sizeof(size_t), "as LMDB lays it out");

/* Node i of a branch or leaf page; false when it does not lie inside the page. */
static inline bool page_node(
	const uint8_t *page, size_t psize, size_t i, bool leaf, struct page_node *out)
{
	uint16_t at, part[4]; /* low, high, flags, key length */
	size_t inside;

	memcpy(&at, page + sizeof(struct page_head) + 2 * i, 2);
	if (at % 2 || at < sizeof(struct page_head) || (size_t)at + NODE_HEAD > psize)
		return false;
	memcpy(part, page + at, sizeof(part));
	*out = (struct page_node){.flags = leaf ? part[2] : 0,
		.child = (size_t)part[0] | (size_t)part[1] << 16,
		.key = page + at + NODE_HEAD,
		.data = page + at + NODE_HEAD + part[3],
		.key_len = part[3]};
#if SIZE_MAX > 0xffffffff
	if (!leaf)
		out->child |= (size_t)part[2] << 32;
#endif
	inside = NODE_HEAD + out->key_len;
	if (leaf)
		inside += out->flags & NODE_BIG ? sizeof(size_t) : out->child;
	return out->key_len <= KEY_MAX && inside <= psize - at;
}

static inline size_t page_node_len(const struct page_node *n, bool leaf)
{
	size_t len = NODE_HEAD + n->key_len;

	if (leaf)
		len += n->flags & NODE_BIG ? sizeof(size_t) : n->child;
	return (len + 1) & ~(size_t)1;
}

static inline size_t page_n_nodes(const struct page_head *head)
{
	return head->lower < sizeof(*head) ? 0 : (head->lower - sizeof(*head)) / 2;
}
