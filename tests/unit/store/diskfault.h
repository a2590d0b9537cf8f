/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The disk, between LMDB and the kernel: symbols of the test program win over libc's for liblmdb
 * too. Every write to the watched file can be recorded, and any call can be made to fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum disk_call { DISK_WRITE, DISK_META_WRITE, DISK_SYNC, DISK_N_CALLS };

struct disk_op {
	enum disk_call call;
	uint64_t at;
	size_t len;
	uint8_t *data;
};

static struct {
	ino_t inode; /* of the watched file, 0: none */
	bool recording;
	struct disk_op *ops;
	size_t n_ops, cap;
	/* the call number `fail_at` of this kind fails, `fail_times` of them in a row */
	enum disk_call fail_call;
	long fail_at, fail_times;
	int fail_errno;
	bool fail_short; /* half of a failing write is done, as a full disk does it */
	long n_calls[DISK_N_CALLS];
} disk;

#define EXPORTED __attribute__((visibility("default"), used))

static inline void disk_watch(const char *path)
{
	struct stat st;

	disk.inode = stat(path, &st) == 0 ? st.st_ino : 0;
}

static inline bool disk_is_watched(int fd)
{
	struct stat st;

	return disk.inode && fstat(fd, &st) == 0 && st.st_ino == disk.inode;
}

static inline void disk_record(enum disk_call call, uint64_t at, const void *data, size_t len)
{
	struct disk_op *op;

	if (!disk.recording)
		return;
	if (disk.n_ops == disk.cap) {
		disk.cap = disk.cap ? 2 * disk.cap : 1024;
		disk.ops = realloc(disk.ops, disk.cap * sizeof(*disk.ops));
	}
	op = &disk.ops[disk.n_ops++];
	*op = (struct disk_op){.call = call, .at = at, .len = len};
	if (len) {
		op->data = malloc(len);
		memcpy(op->data, data, len);
	}
}

static inline void disk_forget(void)
{
	for (size_t i = 0; i < disk.n_ops; i++)
		free(disk.ops[i].data);
	free(disk.ops);
	disk.ops = NULL;
	disk.n_ops = disk.cap = 0;
}

static inline void disk_fail(enum disk_call call, long at, long times, int errnum)
{
	memset(disk.n_calls, 0, sizeof(disk.n_calls));
	disk.fail_call = call;
	disk.fail_at = at;
	disk.fail_times = times;
	disk.fail_errno = errnum;
}

static inline bool disk_fails(enum disk_call call)
{
	long n = disk.n_calls[call]++;

	return disk.fail_times && call == disk.fail_call && n >= disk.fail_at &&
	       n < disk.fail_at + disk.fail_times;
}

static inline enum disk_call disk_write_kind(int fd)
{
	return fcntl(fd, F_GETFL) & O_DSYNC ? DISK_META_WRITE : DISK_WRITE;
}

EXPORTED ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (disk_is_watched(fd)) {
		enum disk_call kind = disk_write_kind(fd);

		if (disk_fails(kind)) {
			if (disk.fail_short && len > 1)
				(void)!syscall(SYS_pwrite64, fd, data, len / 2, at);
			errno = disk.fail_errno;
			return -1;
		}
		disk_record(kind, (uint64_t)at, data, len);
	}
	return syscall(SYS_pwrite64, fd, data, len, at);
}

EXPORTED ssize_t writev(int fd, const struct iovec *iov, int n)
{
	if (disk_is_watched(fd)) {
		enum disk_call kind = disk_write_kind(fd);
		uint64_t at = (uint64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);

		if (disk_fails(kind)) {
			if (disk.fail_short)
				(void)!syscall(SYS_writev, fd, iov, (n + 1) / 2);
			errno = disk.fail_errno;
			return -1;
		}
		for (int i = 0; i < n; i++) {
			disk_record(kind, at, iov[i].iov_base, iov[i].iov_len);
			at += iov[i].iov_len;
		}
	}
	return syscall(SYS_writev, fd, iov, n);
}

EXPORTED int fdatasync(int fd)
{
	if (disk_is_watched(fd)) {
		if (disk_fails(DISK_SYNC)) {
			errno = disk.fail_errno;
			return -1;
		}
		disk_record(DISK_SYNC, 0, NULL, 0);
	}
	return (int)syscall(SYS_fdatasync, fd);
}
