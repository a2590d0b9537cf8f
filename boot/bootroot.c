/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/bootroot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "boot/boot_limits.h"

/* The head of a file that the kernel is asked to read ahead when it is opened: enough that a cold
 * disk is ahead of the first windows, little enough that a request costs an attacker's victim
 * nothing. */
#define BOOTROOT_AHEAD (4 << 20)

struct bootroot {
	int dir_fd;
	bool closed; /* waits for its last files */
	struct bootfile **files;
	size_t n_files, cap;
};

static int open_beneath(int dir_fd, const char *name, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	for (;;) {
		long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

		/* EAGAIN: something was renamed while the kernel looked for ".." */
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			return (int)fd;
	}
}

int bootroot_open(const char *root, struct bootroot **out)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), probe;
	struct bootroot *r;

	if (fd < 0)
		return errno == ENOTDIR ? ERR_ABSENT : err_from_errno(errno);
	probe = open_beneath(fd, ".", O_PATH);
	if (probe < 0) {
		int err = errno == ENOSYS ? ERR_UNSUPPORTED : err_from_errno(errno);

		close(fd);
		return err;
	}
	close(probe);
	r = xcalloc(1, sizeof(*r));
	r->dir_fd = fd;
	*out = r;
	return 0;
}

static void bootroot_free(struct bootroot *r)
{
	xfree(r->files);
	xfree(r);
}

static void file_close(struct bootroot *r, size_t i)
{
	close(r->files[i]->fd);
	xfree(r->files[i]);
	r->files[i] = r->files[--r->n_files];
}

void bootroot_close(struct bootroot *r)
{
	if (!r)
		return;
	close(r->dir_fd);
	r->closed = true;
	if (!r->n_files)
		bootroot_free(r);
}

int bootroot_clean_name(const char *name, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	if (memchr(name, 0, len))
		return ERR_MALFORMED;
	while (len && (*name == '/' || *name == '\\')) {
		name++;
		len--;
	}
	if (!len)
		return ERR_MALFORMED;
	if (len >= cap)
		return ERR_SPACE;
	for (; n < len; n++)
		out[n] = name[n] == '\\' ? '/' : name[n];
	out[n] = 0;
	return 0;
}

static bool file_is(const struct bootfile *f, const struct stat *st)
{
	return f->dev == (uint64_t)st->st_dev && f->inode == (uint64_t)st->st_ino &&
	       f->size == (uint64_t)st->st_size && f->mtime.tv_sec == st->st_mtim.tv_sec &&
	       f->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static struct bootfile *file_add(struct bootroot *r, int fd, const struct stat *st)
{
	struct bootfile *f = xcalloc(1, sizeof(*f));

	*f = (struct bootfile){.fd = fd,
		.size = (uint64_t)st->st_size,
		.mtime = st->st_mtim,
		.dev = (uint64_t)st->st_dev,
		.inode = (uint64_t)st->st_ino};
	if (r->n_files == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 16;
		r->files = xrealloc(r->files, r->cap * sizeof(struct bootfile *));
	}
	r->files[r->n_files++] = f;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	(void)posix_fadvise(fd, 0, BOOTROOT_AHEAD, POSIX_FADV_WILLNEED);
	return f;
}

/* ERR_DENIED for what leads out, ERR_ABSENT for what is no regular file. */
static int open_err(int errnum)
{
	switch (errnum) {
	case EXDEV: /* would leave the root */
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENXIO: /* a socket, a device without a driver */
	case EINVAL:
		return ERR_ABSENT;
	default:
		return err_from_errno(errnum);
	}
}

int bootroot_get(struct bootroot *r, const char *name, size_t len, struct bootfile **out)
{
	char clean[TFTP_NAME_MAX + 1];
	struct stat st;
	int fd;

	if (bootroot_clean_name(name, len, clean, sizeof(clean)) < 0)
		return ERR_ABSENT;
	/* O_NONBLOCK: a FIFO must not wait for its writer; it is refused below */
	fd = open_beneath(r->dir_fd, clean, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return open_err(errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return ERR_ABSENT;
	}
	for (size_t i = 0; i < r->n_files; i++)
		if (file_is(r->files[i], &st)) {
			close(fd);
			r->files[i]->refs++;
			*out = r->files[i];
			return 0;
		}
	if (r->n_files == BOOT_FILES_MAX) {
		close(fd);
		return ERR_LIMIT;
	}
	*out = file_add(r, fd, &st);
	(*out)->refs = 1;
	return 0;
}

void bootroot_put(struct bootroot *r, struct bootfile *f)
{
	if (--f->refs)
		return;
	for (size_t i = 0; i < r->n_files; i++)
		if (r->files[i] == f) {
			file_close(r, i);
			break;
		}
	if (r->closed && !r->n_files)
		bootroot_free(r);
}
