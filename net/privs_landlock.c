/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: no file can be opened from here on but beneath the paths given. What is open already
 * stays open; sockets are none of its business here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/privs_parts.h"

/* Known to kernels newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define PRIVS_ALL_V1 ((1ULL << 13) - 1) /* EXECUTE to MAKE_SYM: what the first version knew */

#define PRIVS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define PRIVS_WRITE                                                                                \
	(PRIVS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |              \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                     \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                       \
		LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER |                           \
		LANDLOCK_ACCESS_FS_TRUNCATE)
/* The rights that make sense for something that is not a folder. */
#define PRIVS_FILE                                                                                 \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

/* What the C library and the sanitizers open by themselves. */
static const char *const PRIVS_BASE_READ[] = {"/dev/urandom", "/dev/random", "/etc/localtime",
	"/usr/share/zoneinfo", "/proc/self", "/proc/sys/vm/overcommit_memory",
	"/sys/devices/system/cpu"};
static const char *const PRIVS_BASE_WRITE[] = {"/dev/null"};

/* The head of struct landlock_ruleset_attr, which grows with the kernel's versions. */
struct privs_ruleset {
	uint64_t handled_access_fs;
};

static int privs_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static uint64_t privs_known_rights(int abi)
{
	uint64_t rights = PRIVS_ALL_V1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

/* False when there is no such path. */
static bool privs_allow_path(int ruleset, const char *path, uint64_t rights, int *out_errno)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;
	bool ok;

	*out_errno = 0;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return false;
	ok = fstat(rule.parent_fd, &st) == 0;
	if (ok && !S_ISDIR(st.st_mode))
		rule.allowed_access &= PRIVS_FILE;
	if (ok && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		*out_errno = errno;
	close(rule.parent_fd);
	return ok;
}

/* Returns an errno of the first rule that the kernel refused. */
static int privs_allow(
	int ruleset, const char *const *paths, size_t n, uint64_t rights, size_t *skipped)
{
	int first = 0;

	for (size_t i = 0; i < n; i++) {
		int errnum;

		if (!privs_allow_path(ruleset, paths[i], rights, &errnum))
			(*skipped)++;
		else if (errnum && !first)
			first = errnum;
	}
	return first;
}

static int privs_allow_all(
	int ruleset, uint64_t known, const struct privs_conf *conf, struct privs_report *out)
{
	uint64_t read = PRIVS_READ & known, write = PRIVS_WRITE & known;
	size_t ours = 0; /* missing ones of our own list are nobody's concern */
	int e;

	e = privs_allow(ruleset, PRIVS_BASE_READ,
		sizeof(PRIVS_BASE_READ) / sizeof(PRIVS_BASE_READ[0]), read, &ours);
	if (!e)
		e = privs_allow(ruleset, PRIVS_BASE_WRITE,
			sizeof(PRIVS_BASE_WRITE) / sizeof(PRIVS_BASE_WRITE[0]), write, &ours);
	if (!e)
		e = privs_allow(
			ruleset, conf->read_paths, conf->n_read_paths, read, &out->paths_skipped);
	if (!e)
		e = privs_allow(ruleset, conf->write_paths, conf->n_write_paths, write,
			&out->paths_skipped);
	return e;
}

int privs_landlock(const struct privs_conf *conf, struct privs_report *out)
{
	struct privs_ruleset attr;
	int ruleset, e = 0;

	out->landlock_abi = privs_landlock_abi();
	if (!out->landlock_abi) {
		snprintf(out->landlock_error, sizeof(out->landlock_error),
			"this kernel has no Landlock");
		return ERR_UNSUPPORTED;
	}
	attr.handled_access_fs = privs_known_rights(out->landlock_abi);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		e = errno;
	if (!e)
		e = privs_allow_all(ruleset, attr.handled_access_fs, conf, out);
	if (!e && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		e = errno;
	if (ruleset >= 0)
		close(ruleset);
	if (e) {
		snprintf(out->landlock_error, sizeof(out->landlock_error), "Landlock: %s",
			strerror(e));
		return err_from_errno(e);
	}
	out->landlocked = true;
	return 0;
}
