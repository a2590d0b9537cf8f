/* SPDX-License-Identifier: Apache-2.0 */
#include "store/statedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

/* A daemon that was told to stop needs a moment; a restart should not fail for that. */
#define STATEDIR_LOCK_TRIES 20
/* Less room than this is none: more than one of our transactions. */
#define STATEDIR_ROOM_MIN      (1024 * 1024)
#define STATEDIR_LOCK_PAUSE_NS (25 * 1000 * 1000)

/* A directory that is gone after a power cut takes its leases along. */
static int statedir_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent =
		!slash ? xstrdup(".") : xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	xfree(parent);
	if (fd < 0)
		return err_from_errno(errno);
	err = statedir_sync(fd);
	close(fd);
	return err;
}

static int statedir_mkdir(const char *path, uid_t uid, gid_t gid)
{
	if (mkdir(path, 0755) == 0) {
		int err = statedir_sync_parent(path);

		if (err)
			return err;
		if ((uid != (uid_t)-1 || gid != (gid_t)-1) && chown(path, uid, gid) < 0)
			return err_from_errno(errno);
		return 0;
	}
	return errno == EEXIST ? 0 : err_from_errno(errno);
}

int statedir_make(const char *dir, uid_t uid, gid_t gid, int *out_fd)
{
	char *path = xstrdup(dir);
	int err = 0, fd;

	for (char *p = path + 1; *path && !err; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = 0;
		/* parents are root's as usual; the directory itself is the daemon's */
		err = was ? statedir_mkdir(path, (uid_t)-1, (gid_t)-1)
			  : statedir_mkdir(path, uid, gid);
		*p = was;
		if (!was)
			break;
	}
	xfree(path);
	if (err)
		return err;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_from_errno(errno);
	*out_fd = fd;
	return 0;
}

static void statedir_read_pid(int fd, char *text, size_t cap)
{
	char pid[32];
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = 0;
	pid[strspn(pid, "0123456789")] = 0;
	(void)snprintf(text, cap, "the state directory is in use by process %s", pid);
}

static void statedir_write_pid(int fd)
{
	char pid[32];
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	/* only for people to read: a full disk must not keep the daemon down */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) != n)
		(void)!ftruncate(fd, 0);
}

/* What root makes in passing (the command line) belongs to the owner of the directory. */
static void statedir_give(int dir_fd, int fd)
{
	struct stat st;

	if (geteuid() == 0 && fstat(dir_fd, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

int statedir_lock(int dir_fd, bool shared, char *text, size_t text_cap, int *out_fd)
{
	const struct timespec pause = {.tv_nsec = STATEDIR_LOCK_PAUSE_NS};
	int fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	int tries = STATEDIR_LOCK_TRIES;

	if (fd < 0 && shared)
		fd = openat(dir_fd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_from_errno(errno);
	statedir_give(dir_fd, fd);
	while (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || !--tries) {
			int err = errno == EWOULDBLOCK ? ERR_BUSY : err_from_errno(errno);

			statedir_read_pid(fd, text, text_cap);
			close(fd);
			return err;
		}
		nanosleep(&pause, NULL);
	}
	if (!shared)
		statedir_write_pid(fd);
	*out_fd = fd;
	return 0;
}

static void statedir_chown_all(int dir_fd, const char *sub, uid_t uid, gid_t gid)
{
	int fd = openat(dir_fd, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (const struct dirent *e; (e = readdir(dir));)
		if (strncmp(e->d_name, "leases-", 7) == 0)
			(void)!fchownat(fd, e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW);
	(void)!fchown(fd, uid, gid);
	closedir(dir);
}

void statedir_chown(int dir_fd, uid_t uid, gid_t gid)
{
	static const char *const NAMES[] = {"lock", "data.mdb", "data.mdb-lock"};

	if (uid == (uid_t)-1 && gid == (gid_t)-1)
		return;
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		(void)!fchownat(dir_fd, NAMES[i], uid, gid, AT_SYMLINK_NOFOLLOW);
	statedir_chown_all(dir_fd, "snapshots", uid, gid);
	(void)!fchown(dir_fd, uid, gid);
}

int statedir_sync(int dir_fd)
{
	return fsync(dir_fd) == 0 ? 0 : err_from_errno(errno);
}

int statedir_judge_err(int dir_fd, int err)
{
	struct statvfs vfs;

	if (err != ERR_IO || fstatvfs(dir_fd, &vfs) < 0)
		return err;
	return (uint64_t)vfs.f_bavail * vfs.f_frsize < STATEDIR_ROOM_MIN ? ERR_FULL : err;
}
