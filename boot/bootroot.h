/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The directory of boot files, and the open files in it. A name is opened beneath the root by
 * openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS): no "..", absolute path or symbolic link can
 * lead out of it, whatever races. Links that stay inside are followed: people keep "pxelinux.0 ->
 * syslinux/pxelinux.0" in such directories, and the kernel checks each step.
 *
 * Regular files only. Transfers of one file share one descriptor (by inode and time of change), so
 * that a file replaced by rename is served to its end to those who began with it. One thread
 * (boot); used by TFTP here and by HTTP in daemon/. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

struct bootroot;

/* Open while anybody holds it. Read with pread at your own offset; never mmap (a truncated file
 * would be a SIGBUS). */
struct bootfile {
	int fd;
	uint64_t size; /* when opened */
	struct timespec mtime;
	uint64_t dev, inode;
	uint32_t refs; /* bootroot's own */
};

/* root must be a directory. ERR_ABSENT, ERR_DENIED, ERR_UNSUPPORTED (kernel without openat2). */
MUST_CHECK int bootroot_open(const char *root, struct bootroot **out);
/* Files still held stay usable and are closed with their last bootroot_put. NULL allowed. */
void bootroot_close(struct bootroot *r);

/* name: len raw bytes from a stranger. Leading slashes are dropped and '\\' counts as '/' (firmware
 * of Windows' lineage asks so). *out is held by the caller until bootroot_put.
 * ERR_ABSENT (also: a directory, a device, a FIFO, a NUL inside, empty), ERR_DENIED (leads out, or
 * no permission), ERR_LIMIT (BOOT_FILES_MAX), ERR_IO. */
MUST_CHECK int bootroot_get(
	struct bootroot *r, const char *name, size_t len, struct bootfile **out);
void bootroot_put(struct bootroot *r, struct bootfile *f);

/* The name as bootroot_get looks it up: NUL-terminated, relative; for tests and logs. ERR_SPACE,
 * ERR_MALFORMED (NUL inside or empty). */
MUST_CHECK int bootroot_clean_name(const char *name, size_t len, char *out, size_t cap);
