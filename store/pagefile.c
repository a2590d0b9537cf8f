/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of pages stands in store/page.h. */
#include "store/pagefile.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/page.h"
#include "store/store_limits.h"

#define NO_ROOT	  SIZE_MAX
#define DEPTH_MAX 32
#define KEY_MAX	  511
#define PSIZE_MIN 4096 /* LMDB takes the system's page size, up to 32 KiB */
#define PSIZE_MAX 32768

/* Pages that a transaction took and gave back are never written: the file may end before the last
 * page that was ever numbered. By no more than what one of our transactions can take. */
#define TAIL_SLACK ((uint64_t)16 << 20)

struct bound {
	const uint8_t *key; /* NULL: none */
	size_t len;
};

enum tree_kind { TREE_FREE, TREE_MAIN, TREE_TABLE };

struct tree {
	enum tree_kind kind;
	char name[KEY_MAX]; /* TABLE */
	size_t name_len;
	size_t n_branch, n_leaf, n_overflow, n_entries; /* counted */
	uint64_t last_free_txn;				/* FREE: largest key */
};

struct walk {
	int fd;
	size_t psize, n_pages;
	uint64_t file_len;
	uint64_t *seen;			   /* a bit a page */
	uint8_t *level[2 * DEPTH_MAX + 1]; /* a page buffer for each depth, main and table tree */
	uint8_t *big;			   /* a value gathered from overflow pages */
	bool unmarked;			   /* look only: pages may belong to another tree too */
	const struct pagefile_visitor *visitor;
	struct pagefile_verdict *verdict;
};

static int fail(struct walk *w, const char *what, uint64_t page)
{
	if (!w->verdict->what) {
		w->verdict->what = what;
		w->verdict->page = page;
	}
	return ERR_CORRUPT;
}

static int read_at(int fd, void *out, size_t len, uint64_t at)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (uint8_t *)out + got, len - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? ERR_IO : ERR_TRUNC;
		got += (size_t)n;
	}
	return 0;
}

/* Reads page `number` and checks what is common to all pages. */
static int page_read(struct walk *w, size_t number, uint8_t *out, struct page_head *head)
{
	int err;

	if (number < 2 || number >= w->n_pages)
		return fail(w, "a reference to a page that is not in the file", number);
	err = read_at(w->fd, out, w->psize, (uint64_t)number * w->psize);
	if (err)
		return fail(w,
			err == ERR_TRUNC ? "the file ends before a page that is in use"
					 : "a page cannot be read",
			number);
	memcpy(head, out, sizeof(*head));
	if (head->number != number)
		return fail(w, "a page bears another page's number", number);
	return 0;
}

/* A page may be used once. */
static int page_mark(struct walk *w, size_t number)
{
	uint64_t bit = (uint64_t)1 << (number % 64);

	if (number < 2 || number >= w->n_pages)
		return fail(w, "a reference to a page that is not in the file", number);
	if (w->unmarked)
		return 0;
	if (w->seen[number / 64] & bit)
		return fail(w, "a page is in use twice", number);
	w->seen[number / 64] |= bit;
	return 0;
}

/* LMDB inserts at `upper` and believes it: all nodes must lie between it and the end, exactly. */
static int page_check_space(struct walk *w, const uint8_t *page, const struct page_head *head)
{
	bool leaf = head->flags & PAGE_LEAF;
	size_t n = page_n_nodes(head), least = w->psize, sum = 0;

	if (head->lower % 2 || head->lower < sizeof(*head) || head->lower > head->upper ||
		head->upper > w->psize || head->pad)
		return fail(w, "a page's bounds are impossible", head->number);
	for (size_t i = 0; i < n; i++) {
		struct page_node node;
		uint16_t at;

		if (!page_node(page, w->psize, i, leaf, &node))
			return fail(w, "an entry leaves its page", head->number);
		memcpy(&at, page + sizeof(*head) + 2 * i, 2);
		least = at < least ? at : least;
		sum += page_node_len(&node, leaf);
	}
	if (least != head->upper || sum != w->psize - head->upper)
		return fail(w, "the entries of a page do not fill their place", head->number);
	return 0;
}

static int key_compare(
	enum tree_kind kind, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int c;

	if (kind == TREE_FREE && a_len == sizeof(size_t) && b_len == sizeof(size_t)) {
		size_t x, y;

		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		return x < y ? -1 : x > y;
	}
	c = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return c ? c : a_len < b_len ? -1 : a_len > b_len;
}

static bool key_is_within(enum tree_kind kind, const struct page_node *n, const struct bound *from,
	const struct bound *to)
{
	if (from->key && key_compare(kind, n->key, n->key_len, from->key, from->len) < 0)
		return false;
	return !to->key || key_compare(kind, n->key, n->key_len, to->key, to->len) < 0;
}

/* The value of a leaf node, from its page or from overflow pages into w->big. */
static int node_value(struct walk *w, struct tree *t, const struct page_node *n,
	const uint8_t **out, size_t *out_len)
{
	struct page_head head;
	uint32_t n_pages;
	size_t number;
	int err;

	*out = n->data;
	*out_len = n->child;
	if (!(n->flags & NODE_BIG))
		return 0;
	memcpy(&number, n->data, sizeof(number));
	if (n->child > STORE_RECORD_MAX + w->psize && t->kind != TREE_FREE)
		return fail(w, "a value is longer than any we write", number);
	if ((err = page_read(w, number, w->level[0], &head)) < 0)
		return err;
	memcpy(&n_pages, (uint8_t *)&head.lower, sizeof(n_pages));
	if (head.flags != PAGE_OVERFLOW || n_pages > w->n_pages - number ||
		sizeof(head) + n->child > (uint64_t)n_pages * w->psize)
		return fail(w, "a long value's pages are impossible", number);
	for (uint32_t i = 0; i < n_pages; i++)
		if ((err = page_mark(w, number + i)) < 0)
			return err;
	t->n_overflow += n_pages;
	w->big = xrealloc(w->big, n->child + 1);
	if (read_at(w->fd, w->big, n->child, (uint64_t)number * w->psize + sizeof(head)))
		return fail(w, "the file ends before a page that is in use", number);
	*out = w->big;
	return 0;
}

static int tree_walk(struct walk *w, struct tree *t, const struct page_tree *d, unsigned level);

/* A record of the list of free pages: count, then page numbers, descending. */
static int leaf_item_free(struct walk *w, struct tree *t, const struct page_node *n,
	const uint8_t *data, size_t len, size_t page)
{
	size_t count, number, before = SIZE_MAX;
	int err;

	if (n->key_len != sizeof(size_t) || len < sizeof(size_t) || len % sizeof(size_t))
		return fail(w, "an entry of the free list has an impossible length", page);
	memcpy(&t->last_free_txn, n->key, sizeof(size_t));
	memcpy(&count, data, sizeof(count));
	if (count > len / sizeof(size_t) - 1)
		return fail(w, "an entry of the free list is cut short", page);
	for (size_t i = 1; i <= count; i++) {
		memcpy(&number, data + i * sizeof(size_t), sizeof(number));
		if (number >= before)
			return fail(w, "the free list is not in order", page);
		before = number;
		if ((err = page_mark(w, number)) < 0)
			return err;
	}
	return 0;
}

/* An entry of the main database: a table and its root. */
static int leaf_item_table(
	struct walk *w, const struct page_node *n, const uint8_t *data, size_t len, unsigned level)
{
	struct tree table = {.kind = TREE_TABLE, .name_len = n->key_len};
	struct page_tree desc;

	if (!(n->flags & NODE_TABLE) || len != sizeof(desc) || n->key_len > sizeof(table.name))
		return fail(w, "an entry of the main database is no table", 0);
	memcpy(table.name, n->key, n->key_len);
	memcpy(&desc, data, sizeof(desc));
	if (desc.flags || desc.pad)
		return fail(w, "a table has unknown flags", 0);
	if (w->visitor->on_table && !w->unmarked)
		w->visitor->on_table(table.name, table.name_len, w->visitor->arg);
	return tree_walk(w, &table, &desc, level);
}

static int leaf_item(
	struct walk *w, struct tree *t, const struct page_node *n, size_t page, unsigned level)
{
	struct pagefile_item item = {.table = t->name, .table_len = t->name_len};
	uint16_t allowed = t->kind == TREE_MAIN ? NODE_TABLE : NODE_BIG;
	int err;

	if (n->flags & ~allowed)
		return fail(w, "an entry has unknown flags", page);
	if ((err = node_value(w, t, n, &item.data, &item.len)) < 0)
		return err;
	t->n_entries++;
	if (t->kind == TREE_FREE)
		return leaf_item_free(w, t, n, item.data, item.len, page);
	if (t->kind == TREE_MAIN)
		return leaf_item_table(w, n, item.data, item.len, level + 1);
	item.key = n->key;
	item.key_len = n->key_len;
	if (w->visitor->on_item && !w->unmarked)
		w->visitor->on_item(&item, w->visitor->arg);
	return 0;
}

static int walk_page(struct walk *w, struct tree *t, size_t number, unsigned depth, unsigned level,
	struct bound from, struct bound to);

static int walk_branch(struct walk *w, struct tree *t, const uint8_t *page,
	const struct page_head *head, unsigned depth, unsigned level, struct bound from,
	struct bound to)
{
	size_t n = page_n_nodes(head);
	struct bound low = from;
	int err;

	t->n_branch++;
	if (n < 2)
		return fail(w, "a branch page has a single child", head->number);
	for (size_t i = 0; i < n; i++) {
		struct page_node node, next;
		struct bound high = to;

		if (!page_node(page, w->psize, i, false, &node))
			return fail(w, "a branch page is damaged", head->number);
		if (i + 1 < n) {
			if (!page_node(page, w->psize, i + 1, false, &next))
				return fail(w, "a branch page is damaged", head->number);
			high = (struct bound){next.key, next.key_len};
			if (!key_is_within(t->kind, &next, &low, &to) ||
				(low.key &&
					!key_compare(t->kind, next.key, next.key_len, low.key,
						low.len) &&
					i))
				return fail(w, "the keys of a branch page are not in order",
					head->number);
		}
		err = walk_page(w, t, node.child, depth - 1, level + 1, low, high);
		if (err)
			return err;
		low = high;
	}
	return 0;
}

static int walk_leaf(struct walk *w, struct tree *t, const uint8_t *page,
	const struct page_head *head, unsigned level, struct bound from, struct bound to)
{
	size_t n = page_n_nodes(head);
	struct page_node node, before = {.key = NULL};
	int err;

	t->n_leaf++;
	if (!n)
		return fail(w, "a leaf page is empty", head->number);
	for (size_t i = 0; i < n; i++, before = node) {
		(void)page_node(page, w->psize, i, true, &node);
		if (!node.key_len || !key_is_within(t->kind, &node, &from, &to) ||
			(i && key_compare(t->kind, before.key, before.key_len, node.key,
				      node.key_len) >= 0))
			return fail(w, "the keys of a page are not in order", head->number);
		if ((err = leaf_item(w, t, &node, head->number, level)) < 0)
			return err;
	}
	return 0;
}

/* depth: levels from here to the leaves, 1 for a leaf. level: index of the page buffer to use. */
static int walk_page(struct walk *w, struct tree *t, size_t number, unsigned depth, unsigned level,
	struct bound from, struct bound to)
{
	struct page_head head;
	uint8_t *page;
	int err;

	if (!w->level[level])
		w->level[level] = xalloc(w->psize);
	page = w->level[level];
	if ((err = page_mark(w, number)) < 0 || (err = page_read(w, number, page, &head)) < 0)
		return err;
	if (head.flags != (depth > 1 ? PAGE_BRANCH : PAGE_LEAF))
		return fail(w, "a page is of the wrong kind", number);
	if ((err = page_check_space(w, page, &head)) < 0)
		return err;
	if (depth > 1)
		return walk_branch(w, t, page, &head, depth, level, from, to);
	return walk_leaf(w, t, page, &head, level, from, to);
}

static int tree_walk(struct walk *w, struct tree *t, const struct page_tree *d, unsigned level)
{
	const struct bound none = {NULL, 0};
	int err = 0;

	if (d->root == NO_ROOT) {
		if (d->depth)
			return fail(w, "an empty tree has a depth", 0);
	} else if (!d->depth || d->depth > DEPTH_MAX || level + d->depth > 2 * DEPTH_MAX) {
		return fail(w, "a tree's depth is impossible", d->root);
	} else {
		err = walk_page(w, t, d->root, d->depth, level, none, none);
	}
	if (!err && (t->n_branch != d->n_branch || t->n_leaf != d->n_leaf ||
			    t->n_overflow != d->n_overflow || t->n_entries != d->n_entries))
		err = fail(w, "a tree does not hold as much as it says", d->root);
	return err;
}

static bool psize_is_valid(size_t psize)
{
	return psize >= PSIZE_MIN && psize <= PSIZE_MAX && !(psize & (psize - 1));
}

static int meta_check(
	struct walk *w, const struct page_meta *m, const struct page_head *head, int i)
{
	if (head->number != (size_t)i || !(head->flags & PAGE_META) || m->magic != META_MAGIC)
		return fail(w, "a meta page is none", (uint64_t)i);
	if (!psize_is_valid(m->free_tree.pad) || m->address ||
		(m->free_tree.flags & ~FLAG_NOSUBDIR) != FLAG_INTKEY || m->main_tree.flags ||
		m->main_tree.pad || m->txn % 2 != (m->txn ? (size_t)i : 0))
		return fail(w, "a meta page is damaged", (uint64_t)i);
	return 0;
}

/* Reads both meta pages; newest gets the index of the one that counts. The second page is where the
 * first one's page size says. */
static int metas_read(struct walk *w, struct page_meta m[2], int *newest)
{
	struct page_head head;
	size_t at = 0;
	int err;

	for (int i = 0; i < 2; i++) {
		uint8_t bytes[sizeof(head) + sizeof(*m)];

		if (read_at(w->fd, bytes, sizeof(bytes), at))
			return fail(w, "the file ends within its meta pages", (uint64_t)i);
		memcpy(&head, bytes, sizeof(head));
		memcpy(&m[i], bytes + sizeof(head), sizeof(*m));
		if ((err = meta_check(w, &m[i], &head, i)) < 0)
			return err;
		at = m[0].free_tree.pad;
	}
	if (m[0].free_tree.pad != m[1].free_tree.pad || m[0].version != m[1].version)
		return fail(w, "the meta pages disagree", 0);
	if (m[0].version != META_VERSION)
		return ERR_VERSION;
	*newest = m[1].txn > m[0].txn;
	w->psize = m[0].free_tree.pad;
	return 0;
}

/* Walks one tree of a meta page that may be the older one: errors are told by the return value and
 * leave no trace in the verdict; nothing is marked. */
static int meta_last_free(struct walk *w, const struct page_meta *m, uint64_t *out)
{
	struct pagefile_verdict ignored = {0}, *verdict = w->verdict;
	struct tree tree = {.kind = TREE_FREE};
	int err;

	w->verdict = &ignored;
	w->unmarked = true;
	err = tree_walk(w, &tree, &m->free_tree, 1);
	w->unmarked = false;
	w->verdict = verdict;
	*out = tree.last_free_txn;
	return err;
}

/* A flipped bit in a transaction number would silently choose the state before the last commit.
 * What gives it away: commit n puts the pages it gave up into the free list under n, so the
 * newest number there is the meta page's own. (The first commits give up none.) */
static int metas_check_age(
	struct walk *w, const struct page_meta m[2], int newest, uint64_t last_free)
{
	const struct page_meta *now = &m[newest], *old = &m[!newest];
	uint64_t old_last_free;

	if (now->txn > 2 && last_free != now->txn)
		return fail(w, "a meta page's transaction number is damaged", (uint64_t)newest);
	if (!meta_last_free(w, old, &old_last_free) && old_last_free > old->txn)
		return fail(w, "a meta page's transaction number is damaged", (uint64_t)!newest);
	return 0;
}

static void walk_fini(struct walk *w)
{
	for (size_t i = 0; i < sizeof(w->level) / sizeof(w->level[0]); i++)
		xfree(w->level[i]);
	xfree(w->seen);
	xfree(w->big);
}

static int walk_file(struct walk *w)
{
	struct tree free_tree = {.kind = TREE_FREE}, main_tree = {.kind = TREE_MAIN};
	struct page_meta m[2];
	int newest, err;

	if ((err = metas_read(w, m, &newest)) < 0)
		return err;
	w->verdict->txn = m[newest].txn;
	if (m[newest].last_page < 1 || m[newest].last_page > (SIZE_MAX >> 17))
		return fail(w, "the number of pages is impossible", (uint64_t)newest);
	w->n_pages = m[newest].last_page + 1;
	w->verdict->used_len = (uint64_t)w->n_pages * w->psize;
	if (w->verdict->used_len > w->file_len + TAIL_SLACK)
		return fail(w, "the file is shorter than it says it is", (uint64_t)newest);
	w->seen = xcalloc(w->n_pages / 64 + 1, sizeof(*w->seen));
	w->level[0] = xalloc(w->psize);
	if ((err = tree_walk(w, &free_tree, &m[newest].free_tree, 1)) < 0 ||
		(err = tree_walk(w, &main_tree, &m[newest].main_tree, 1)) < 0)
		return err;
	return metas_check_age(w, m, newest, free_tree.last_free_txn);
}

int pagefile_check(int fd, const struct pagefile_visitor *visitor, struct pagefile_verdict *out)
{
	struct walk w = {.fd = fd, .visitor = visitor, .verdict = out};
	struct stat st;
	int err;

	*out = (struct pagefile_verdict){0};
	if (fstat(fd, &st) < 0)
		return err_from_errno(errno);
	w.file_len = (uint64_t)st.st_size;
	err = walk_file(&w);
	walk_fini(&w);
	return err;
}

/* The items of one page that may be anything. */
static void carve_page(struct walk *w, const uint8_t *page, size_t number)
{
	struct tree unknown = {.kind = TREE_TABLE};
	struct page_head head;
	size_t n;

	memcpy(&head, page, sizeof(head));
	if (head.number != number || head.flags != PAGE_LEAF || head.lower > w->psize)
		return;
	n = page_n_nodes(&head);
	for (size_t i = 0; i < n; i++) {
		struct pagefile_item item = {0};
		struct page_node node;

		if (!page_node(page, w->psize, i, true, &node) || (node.flags & ~NODE_BIG) ||
			node_value(w, &unknown, &node, &item.data, &item.len))
			continue;
		item.key = node.key;
		item.key_len = node.key_len;
		w->visitor->on_item(&item, w->visitor->arg);
	}
}

void pagefile_carve(int fd, const struct pagefile_visitor *visitor)
{
	struct pagefile_verdict ignored = {0};
	struct walk w = {.fd = fd, .visitor = visitor, .verdict = &ignored, .unmarked = true};
	uint8_t *page;
	struct stat st;
	struct page_meta m[2] = {0};
	int newest;

	if (fstat(fd, &st) < 0)
		return;
	/* LMDB takes the page size of the system that made the file: ours, when it cannot be read
	 */
	if (metas_read(&w, m, &newest))
		w.psize = psize_is_valid(m[0].free_tree.pad) ? m[0].free_tree.pad
							     : (size_t)sysconf(_SC_PAGESIZE);
	w.n_pages = (size_t)((uint64_t)st.st_size / w.psize);
	w.level[0] = xalloc(w.psize);
	page = xalloc(w.psize);
	for (size_t i = 2; i < w.n_pages; i++)
		if (!read_at(fd, page, w.psize, (uint64_t)i * w.psize))
			carve_page(&w, page, i);
	xfree(page);
	walk_fini(&w);
}
