/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: the main file and what it includes become one tree, the tree becomes fields, the
 * fields are checked together. */
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rbuf.h"
#include "base/wbuf.h"
#include "base/xalloc.h"
#include "daemon/config_limits.h"
#include "daemon/config_read.h"

struct load {
	struct config *c;
	struct config_tree *tree;
	struct config_report *rep;
	struct config_node *root;
	const char *shown;		   /* the main file as messages call it */
	char *folder;			   /* of the main file, absolute */
	const struct config_source *given; /* includes come from here and not from the disk */
	size_t n_given;
	struct config_source source[CONFIG_FILES_MAX];
	size_t n_source;
};

/* The whole file in memory of the config. */
static int read_file(struct load *l, const char *path, struct config_source *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	size_t len = 0;
	char *text;
	int err = 0;

	if (fd < 0)
		return err_from_errno(errno);
	/* Pipes are fine: lanthornd --check -c /dev/stdin. */
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		close(fd);
		return ERR_UNSUPPORTED;
	}
	text = xalloc(CONFIG_FILE_MAX + 1);
	while (len <= CONFIG_FILE_MAX) {
		ssize_t n = read(fd, text + len, CONFIG_FILE_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = err_from_errno(errno);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	if (err == 0 && len > CONFIG_FILE_MAX)
		err = ERR_LIMIT;
	if (err == 0)
		*out = (struct config_source){
			.text = config_store_text(l->c->store, text, len), .len = len};
	xfree(text);
	return err;
}

static const char *file_problem(int err)
{
	switch (err) {
	case ERR_ABSENT:
		return "there is no such file";
	case ERR_LIMIT:
		return "the file is larger than 1 MiB";
	case ERR_UNSUPPORTED:
		return "it is a folder, not a file";
	default:
		return err_text(err);
	}
}

/* "dir/file" -> "dir", made absolute; malloced. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char cwd[4096];

	if (slash && path[0] == '/')
		return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	if (!getcwd(cwd, sizeof(cwd)))
		return xstrdup("");
	if (!slash)
		return xstrdup(cwd);
	return xasprintf("%s/%.*s", strcmp(cwd, "/") == 0 ? "" : cwd, (int)(slash - path), path);
}

static int given_file(const struct load *l, const char *path, struct config_source *out)
{
	for (size_t i = 0; i < l->n_given; i++) {
		if (strcmp(l->given[i].path, path) == 0) {
			out->text =
				config_store_text(l->c->store, l->given[i].text, l->given[i].len);
			out->len = l->given[i].len;
			return 0;
		}
	}
	return ERR_ABSENT;
}

static void parse_source(struct load *l, const struct config_source *s, unsigned depth);

static void include_one(struct load *l, const struct config_node *item, unsigned depth)
{
	struct config_source s = {.path = NULL};
	struct config_where where = config_tree_where(l->tree, item);
	char *path;
	int err;

	if (item->kind != CONFIG_NODE_SCALAR)
		return; /* the reader of the key will say so */
	path = item->text[0] == '/' || !l->folder[0]
		       ? xstrdup(item->text)
		       : xasprintf(
				 "%s/%s", strcmp(l->folder, "/") == 0 ? "" : l->folder, item->text);
	for (size_t i = 0; i < l->n_source; i++) {
		if (strcmp(l->source[i].path, path) == 0) {
			config_report_add(l->rep, CONFIG_ERROR, where,
				"include: %s is part of this configuration already", path);
			goto out;
		}
	}
	if (l->n_source == CONFIG_FILES_MAX || depth == CONFIG_INCLUDE_DEPTH_MAX) {
		config_report_add(l->rep, CONFIG_ERROR, where, "include: %s",
			depth == CONFIG_INCLUDE_DEPTH_MAX ? "nested too deeply" : "too many files");
		goto out;
	}
	err = l->given ? given_file(l, path, &s) : read_file(l, path, &s);
	if (err < 0) {
		config_report_add(l->rep, CONFIG_ERROR, where, "include: cannot read %s: %s", path,
			file_problem(err));
		goto out;
	}
	s.path = config_store_text(l->c->store, path, strlen(path));
	parse_source(l, &s, depth);
out:
	xfree(path);
}

static void parse_source(struct load *l, const struct config_source *s, unsigned depth)
{
	const struct config_node *include;
	struct config_node *root;

	l->source[l->n_source++] = *s;
	root = config_tree_parse(l->tree, depth ? s->path : l->shown, s->text, s->len);
	if (!root)
		return;
	include = config_tree_get(root, "include");
	if (l->root)
		config_tree_merge(l->tree, l->root, root);
	else
		l->root = root;
	if (include && include->kind == CONFIG_NODE_SCALAR)
		include_one(l, include, depth + 1);
	for (size_t i = 0; include && include->kind == CONFIG_NODE_LIST && i < include->n; i++)
		include_one(l, include->item[i], depth + 1);
}

static void interpret(struct load *l)
{
	struct config_reader r = {.config = l->c,
		.store = l->c->store,
		.tree = l->tree,
		.rep = l->rep,
		.folder = l->folder};

	config_read(&r, l->root);
	config_store_seal(l->c->store);
	config_derive(l->c);
	config_check(l->c, l->rep);
}

/* main: its text is copied by now or static. Kept under its absolute path, so that an image means
 * the same from another working directory; shown as the caller called it. */
static int load_sources(const struct config_source *main, const struct config_source *given,
	size_t n_given, struct config *c, struct config **out, struct config_report *rep)
{
	const char *slash = strrchr(main->path, '/');
	size_t had = rep->n_errors;
	struct config_source first = *main;
	char *path;
	struct load l = {.c = c,
		.rep = rep,
		.shown = main->path,
		.folder = folder_of(main->path),
		.given = given,
		.n_given = n_given};

	path = xasprintf("%s/%s", strcmp(l.folder, "/") == 0 ? "" : l.folder,
		slash ? slash + 1 : main->path);
	first.path = config_store_text(c->store, path, strlen(path));
	xfree(path);
	l.tree = config_tree_new(c->store, rep);
	parse_source(&l, &first, 0);
	if (l.root)
		interpret(&l);
	c->n_source = l.n_source;
	c->source = config_store_copy(c->store, l.source, l.n_source * sizeof(*l.source));
	config_tree_free(l.tree);
	xfree(l.folder);
	config_report_sort(rep);
	if (rep->n_errors > had) {
		config_free(c);
		return ERR_MALFORMED;
	}
	*out = c;
	return 0;
}

int config_load(const char *path, struct config **out, struct config_report *rep)
{
	struct load l = {.c = config_store_new()};
	struct config_source s = {.path = NULL};
	int err = read_file(&l, path, &s);

	if (err < 0) {
		config_report_add(rep, CONFIG_ERROR, (struct config_where){.file = path}, "%s",
			file_problem(err));
		config_free(l.c);
		return err;
	}
	s.path = config_store_text(l.c->store, path, strlen(path));
	return load_sources(&s, NULL, 0, l.c, out, rep);
}

int config_load_text(const char *name, const char *text, size_t len, struct config **out,
	struct config_report *rep)
{
	struct config *c = config_store_new();
	struct config_source s = {.path = config_store_text(c->store, name, strlen(name)),
		.text = config_store_text(c->store, text, len),
		.len = len};

	if (len > CONFIG_FILE_MAX) {
		config_report_add(rep, CONFIG_ERROR, (struct config_where){.file = name}, "%s",
			file_problem(ERR_LIMIT));
		config_free(c);
		return ERR_MALFORMED;
	}
	return load_sources(&s, NULL, 0, c, out, rep);
}

struct config *config_default(void)
{
	static const struct config_source nothing = {.path = "/", .text = "", .len = 0};
	struct config_report rep = {.n = 0};
	struct config *c = NULL;

	/* Presets cannot fail: a test loads them. */
	if (load_sources(&nothing, NULL, 0, config_store_new(), &c, &rep) < 0)
		abort();
	c->n_source = 0;
	config_report_fini(&rep);
	return c;
}

void config_free(struct config *c)
{
	config_store_free(c);
}

/* An image: magic, version, count of files, then per file the lengths and bytes of its name and
 * its text. Integers are big endian. Whoever stores it adds a checksum. */

static const uint8_t IMAGE_MAGIC[] = {'L', 'n', 'C', 'f', 1};

void config_image_write(const struct config *c, uint8_t **out_image, size_t *out_len)
{
	size_t len = sizeof(IMAGE_MAGIC) + 4;
	struct wbuf b;

	for (size_t i = 0; i < c->n_source; i++)
		len += 4 + strlen(c->source[i].path) + 4 + c->source[i].len;
	b = wbuf_of(xalloc(len), len);
	wbuf_put(&b, IMAGE_MAGIC, sizeof(IMAGE_MAGIC));
	wbuf_u32(&b, (uint32_t)c->n_source);
	for (size_t i = 0; i < c->n_source; i++) {
		wbuf_u32(&b, (uint32_t)strlen(c->source[i].path));
		wbuf_put(&b, c->source[i].path, strlen(c->source[i].path));
		wbuf_u32(&b, (uint32_t)c->source[i].len);
		wbuf_put(&b, c->source[i].text, c->source[i].len);
	}
	*out_image = b.base;
	*out_len = b.len;
}

static int image_parse(
	struct rbuf *b, struct config_store *store, struct config_source *out, size_t *out_n)
{
	const uint8_t *magic = rbuf_take(b, sizeof(IMAGE_MAGIC));
	uint32_t n;

	if (!magic || memcmp(magic, IMAGE_MAGIC, sizeof(IMAGE_MAGIC) - 1) != 0)
		return ERR_CORRUPT;
	if (magic[sizeof(IMAGE_MAGIC) - 1] != IMAGE_MAGIC[sizeof(IMAGE_MAGIC) - 1])
		return ERR_VERSION;
	n = rbuf_u32(b);
	if (b->bad || n > CONFIG_FILES_MAX)
		return ERR_CORRUPT;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t path_len = rbuf_u32(b);
		const char *path = (const char *)rbuf_take(b, path_len);
		uint32_t text_len = rbuf_u32(b);
		const char *text = (const char *)rbuf_take(b, text_len);

		if (!path || !text || text_len > CONFIG_FILE_MAX || memchr(path, 0, path_len))
			return ERR_CORRUPT;
		out[i].path = config_store_text(store, path, path_len);
		out[i].text = config_store_text(store, text, text_len);
		out[i].len = text_len;
	}
	*out_n = n;
	return rbuf_left(b) ? ERR_CORRUPT : 0;
}

int config_image_load(
	const uint8_t *image, size_t len, struct config **out, struct config_report *rep)
{
	struct config_source source[CONFIG_FILES_MAX] = {{.path = NULL}};
	struct rbuf b = rbuf_of(image, len);
	struct config *c = config_store_new();
	size_t n = 0;
	int err = len > CONFIG_IMAGE_MAX ? ERR_LIMIT : image_parse(&b, c->store, source, &n);

	if (err == 0 && n == 0) {
		config_free(c);
		*out = config_default();
		return 0;
	}
	if (err < 0) {
		config_report_add(rep, CONFIG_ERROR, (struct config_where){.file = NULL},
			"the kept configuration cannot be used: %s", err_text(err));
		config_free(c);
		return err;
	}
	return load_sources(&source[0], source, n, c, out, rep);
}
