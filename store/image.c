/* SPDX-License-Identifier: Apache-2.0 */
/* File: magic, then chunks of: length u32 | CRC-32C u32 | bytes. The CRC covers the bytes and the
 * chunk's index. A chunk of length 0 ends it; a file without one was cut. */
#include "store/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/rbuf.h"
#include "base/wbuf.h"
#include "base/xalloc.h"
#include "store/statedir.h"
#include "store/store_inside.h"
#include "store/store_limits.h"

static const char IMAGE_MAGIC[8] = "LTHNIMG1";
#define IMAGE_HEAD 8
#define IMAGE_NAME 96

struct image_writer {
	struct store *s;
	char name[IMAGE_NAME], temp[IMAGE_NAME];
	int fd, err;
	uint32_t index;
	uint64_t total;
	size_t len; /* of what is gathered in chunk */
	uint8_t chunk[IMAGE_HEAD + IMAGE_CHUNK];
};

static int image_name(const char *name, const char *end, char out[IMAGE_NAME])
{
	int n = snprintf(out, IMAGE_NAME, "%s.image%s", name, end);

	return n < 0 || n >= IMAGE_NAME || strchr(name, '/') ? ERR_MALFORMED : 0;
}

static uint32_t image_crc(const void *data, size_t len, uint32_t index)
{
	uint8_t bytes[4];

	wbuf_set32(bytes, index);
	return crc32c_update(crc32c(bytes, sizeof(bytes)), data, len);
}

static void image_write(struct image_writer *w, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len && !w->err) {
		ssize_t n = write(w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			w->err = err_from_errno(errno);
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

int image_begin(struct store *s, const char *name, struct image_writer **out)
{
	struct image_writer *w = xalloc(sizeof(*w));
	int err;

	w->s = s;
	w->err = 0;
	w->index = 0;
	w->total = w->len = 0;
	err = s->read_only ? ERR_DENIED : image_name(name, "", w->name);
	if (!err)
		err = image_name(name, ".new", w->temp);
	if (!err) {
		w->fd = openat(s->dir_fd, w->temp,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
		err = w->fd < 0 ? err_from_errno(errno) : 0;
	}
	if (err) {
		xfree(w);
		return err;
	}
	image_write(w, IMAGE_MAGIC, sizeof(IMAGE_MAGIC));
	*out = w;
	return 0;
}

/* Writes what is gathered; with nothing gathered, the end mark. */
static void image_flush(struct image_writer *w)
{
	wbuf_set32(w->chunk, (uint32_t)w->len);
	wbuf_set32(w->chunk + 4, image_crc(w->chunk + IMAGE_HEAD, w->len, w->index++));
	image_write(w, w->chunk, IMAGE_HEAD + w->len);
	w->len = 0;
}

void image_add(struct image_writer *w, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (len > IMAGE_MAX - w->total)
		w->err = ERR_LIMIT;
	if (w->err)
		return;
	w->total += len;
	while (len) {
		size_t n = IMAGE_CHUNK - w->len < len ? IMAGE_CHUNK - w->len : len;

		memcpy(w->chunk + IMAGE_HEAD + w->len, p, n);
		w->len += n;
		p += n;
		len -= n;
		if (w->len == IMAGE_CHUNK)
			image_flush(w);
	}
}

int image_finish(struct image_writer *w)
{
	int err;

	if (w->len)
		image_flush(w);
	image_flush(w);
	if (!w->err && fdatasync(w->fd) < 0)
		w->err = err_from_errno(errno);
	if (!w->err && renameat(w->s->dir_fd, w->temp, w->s->dir_fd, w->name) < 0)
		w->err = err_from_errno(errno);
	if (!w->err)
		w->err = statedir_sync(w->s->dir_fd);
	err = w->err;
	image_abandon(w);
	return err;
}

void image_abandon(struct image_writer *w)
{
	if (!w)
		return;
	close(w->fd);
	(void)unlinkat(w->s->dir_fd, w->temp, 0);
	xfree(w);
}

/* ERR_TRUNC when the file ends first. */
static int image_read(int fd, void *out, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = read(fd, (uint8_t *)out + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_from_errno(errno) : ERR_TRUNC;
		got += (size_t)n;
	}
	return 0;
}

static int image_walk(
	int fd, uint8_t *chunk, int (*fn)(const void *chunk, size_t len, void *arg), void *arg)
{
	uint8_t head[IMAGE_HEAD];
	int err = image_read(fd, head, sizeof(IMAGE_MAGIC));

	if (err || memcmp(head, IMAGE_MAGIC, sizeof(IMAGE_MAGIC)) != 0)
		return err ? err : ERR_CORRUPT;
	for (uint32_t index = 0;; index++) {
		struct rbuf b = rbuf_of(head, sizeof(head));
		uint32_t len, crc;

		if ((err = image_read(fd, head, sizeof(head))) < 0)
			return err;
		len = rbuf_u32(&b);
		crc = rbuf_u32(&b);
		if (len > IMAGE_CHUNK)
			return ERR_CORRUPT;
		if ((err = image_read(fd, chunk, len)) < 0)
			return err;
		if (crc != image_crc(chunk, len, index))
			return ERR_CORRUPT;
		if (!len)
			return 0;
		if ((err = fn(chunk, len, arg)) != 0)
			return err;
	}
}

int image_each(struct store *s, const char *name,
	int (*fn)(const void *chunk, size_t len, void *arg), void *arg)
{
	char file[IMAGE_NAME];
	uint8_t *chunk;
	int err = image_name(name, "", file), fd;

	if (err)
		return err;
	fd = openat(s->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_from_errno(errno);
	chunk = xalloc(IMAGE_CHUNK);
	err = image_walk(fd, chunk, fn, arg);
	xfree(chunk);
	close(fd);
	return err == ERR_TRUNC ? ERR_CORRUPT : err;
}

int image_del(struct store *s, const char *name)
{
	char file[IMAGE_NAME];
	int err = image_name(name, "", file);

	if (err)
		return err;
	if (unlinkat(s->dir_fd, file, 0) < 0 && errno != ENOENT)
		return err_from_errno(errno);
	return 0;
}
