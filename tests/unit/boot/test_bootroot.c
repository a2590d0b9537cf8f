/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "boot/boot_limits.h"
#include "boot/bootroot.h"

struct fixture {
	char base[64], root[80];
	struct bootroot *r;
};

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void put_link(const struct fixture *f, const char *name, const char *target)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->root, name);
	assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[200];

	strcpy(f->base, "/tmp/lanthorn-boot-XXXXXX");
	if (!mkdtemp(f->base))
		return -1;
	(void)snprintf(f->root, sizeof(f->root), "%s/root", f->base);
	mkdir(f->root, 0755);
	(void)snprintf(path, sizeof(path), "%s/a", f->root);
	mkdir(path, 0755);
	put_file(f->base, "secret", "secret");
	put_file(f->root, "pxelinux.0", "boot me");
	put_file(f->root, "a/b", "deep");
	*state = f;
	return bootroot_open(f->root, &f->r);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[200];

	bootroot_close(f->r);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->base);
	(void)!system(command);
	free(f);
	return 0;
}

/* 0 and the file's first bytes, or the error. */
static int get(struct fixture *f, const char *name, char text[32])
{
	struct bootfile *file;
	int err = bootroot_get(f->r, name, strlen(name), &file);
	ssize_t n;

	if (err)
		return err;
	n = pread(file->fd, text, 31, 0);
	assert_true(n >= 0);
	text[n] = 0;
	assert_int_equal(file->size, n);
	bootroot_put(f->r, file);
	return 0;
}

static void a_file_is_found_however_firmware_writes_its_name(void **state)
{
	static const char *const NAMES[] = {
		"a/b", "/a/b", "//a/b", "\\a\\b", "a\\b", "/a//b", "./a/./b", "a/../a/b"};
	char text[32];

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		assert_int_equal(get(*state, NAMES[i], text), 0);
		assert_string_equal(text, "deep");
	}
}

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void nothing_outside_is_ever_opened(void **state)
{
	static const char *const NAMES[] = {"../secret", "/../secret", "..\\secret",
		"a/../../secret", "a\\..\\..\\secret", "/etc/passwd", "etc/passwd", "..", "/", "",
		".", "a", "a/", "%2e%2e/secret", "..%2fsecret", "....//secret", "..;/secret",
		"/proc/self/environ", "../../../../../../../../proc/1/environ", "out",
		"outdir/secret", "outdir/passwd", "abs", "abs/passwd", "loop", "dangling", "magic",
		"magic/secret", "pxelinux.0/", "pxelinux.0/..", "pxelinux.0/../pxelinux.0"};
	struct fixture *f = *state;
	char text[32] = "", target[200];
	int n = open_fds();

	put_link(f, "out", "../secret");
	put_link(f, "outdir", "..");
	put_link(f, "abs", "/etc");
	put_link(f, "loop", "loop");
	put_link(f, "dangling", "nowhere");
	put_link(f, "magic", "/proc/self/cwd");
	(void)snprintf(target, sizeof(target), "%s/pxelinux.0", f->root);
	put_link(f, "absolute-inside", target);
	assert_int_equal(get(f, "absolute-inside", text), ERR_DENIED);
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		int err = get(f, NAMES[i], text);

		if (err != ERR_DENIED && err != ERR_ABSENT)
			fail_msg("%s: %s", NAMES[i], err_text(err));
	}
	assert_string_equal(text, "");
	assert_int_equal(open_fds(), n);
	assert_int_equal(
		bootroot_get(f->r, "pxelinux.0\0.txt", 15, &(struct bootfile *){NULL}), ERR_ABSENT);
}

static void a_link_that_stays_inside_is_followed(void **state)
{
	struct fixture *f = *state;
	char text[32];

	put_link(f, "default", "a/b");
	put_link(f, "a/up", "../pxelinux.0");
	put_link(f, "dir", "a");
	assert_int_equal(get(f, "default", text), 0);
	assert_string_equal(text, "deep");
	assert_int_equal(get(f, "dir/up", text), 0);
	assert_string_equal(text, "boot me");
}

static void only_regular_files_are_opened_and_nobody_waits(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char path[200], text[32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/fifo", f->root);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(get(f, "fifo", text), ERR_ABSENT); /* would hang otherwise */
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/socket", f->root);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(get(f, "socket", text), ERR_ABSENT);
	close(fd);
	(void)snprintf(path, sizeof(path), "%s/null", f->root);
	if (mknod(path, S_IFCHR | 0644, (dev_t)0x103) == 0)
		assert_int_equal(get(f, "null", text), ERR_ABSENT);
}

static void long_names_are_absent(void **state)
{
	char name[600];

	memset(name, 'n', sizeof(name));
	name[512] = 0;
	assert_int_equal(get(*state, name, name), ERR_ABSENT);
	memset(name, 'n', TFTP_NAME_MAX);
	name[TFTP_NAME_MAX] = 0;
	assert_int_equal(get(*state, name, name), ERR_ABSENT);
}

static void transfers_of_one_file_share_a_descriptor(void **state)
{
	struct fixture *f = *state;
	struct bootfile *a, *b, *c;
	char text[32];

	put_link(f, "default", "a/b");
	assert_int_equal(bootroot_get(f->r, "a/b", 3, &a), 0);
	assert_int_equal(bootroot_get(f->r, "default", 7, &b), 0);
	assert_ptr_equal(a, b);
	/* replaced by rename: who began with the old one keeps it */
	char from[200], to[200];
	put_file(f->root, "new", "newer");
	(void)snprintf(from, sizeof(from), "%s/new", f->root);
	(void)snprintf(to, sizeof(to), "%s/a/b", f->root);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(bootroot_get(f->r, "a/b", 3, &c), 0);
	assert_ptr_not_equal(a, c);
	assert_int_equal(pread(a->fd, text, 31, 0), 4);
	assert_int_equal(pread(c->fd, text, 31, 0), 5);
	bootroot_put(f->r, a);
	bootroot_put(f->r, c);
	assert_int_equal(pread(b->fd, text, 31, 0), 4);
	bootroot_put(f->r, b);
}

static void held_files_outlive_the_root(void **state)
{
	struct fixture *f = *state;
	struct bootfile *a;
	char text[32];

	assert_int_equal(bootroot_get(f->r, "a/b", 3, &a), 0);
	struct bootroot *old = f->r;
	bootroot_close(old);
	assert_int_equal(bootroot_open(f->root, &f->r), 0);
	assert_int_equal(pread(a->fd, text, 31, 0), 4);
	bootroot_put(old, a);
}

static void a_root_must_be_a_directory(void **state)
{
	struct fixture *f = *state;
	struct bootroot *r;
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/pxelinux.0", f->root);
	assert_int_equal(bootroot_open(path, &r), ERR_ABSENT);
	assert_int_equal(bootroot_open("/nonexistent/root", &r), ERR_ABSENT);
}

static void too_many_files_at_once_are_refused(void **state)
{
	struct fixture *f = *state;
	struct bootfile *held[BOOT_FILES_MAX], *one;
	char name[32];

	for (int i = 0; i <= BOOT_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		put_file(f->root, name, name);
	}
	for (int i = 0; i < BOOT_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(bootroot_get(f->r, name, strlen(name), &held[i]), 0);
	}
	(void)snprintf(name, sizeof(name), "f%d", BOOT_FILES_MAX);
	assert_int_equal(bootroot_get(f->r, name, strlen(name), &one), ERR_LIMIT);
	assert_int_equal(bootroot_get(f->r, "f0", 2, &one), 0);
	bootroot_put(f->r, one);
	for (int i = 0; i < BOOT_FILES_MAX; i++)
		bootroot_put(f->r, held[i]);
	assert_int_equal(bootroot_get(f->r, name, strlen(name), &one), 0);
	bootroot_put(f->r, one);
}

int main(void)
{
#define ROOTED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROOTED(a_file_is_found_however_firmware_writes_its_name),
		ROOTED(nothing_outside_is_ever_opened),
		ROOTED(a_link_that_stays_inside_is_followed),
		ROOTED(only_regular_files_are_opened_and_nobody_waits),
		ROOTED(long_names_are_absent),
		ROOTED(transfers_of_one_file_share_a_descriptor),
		ROOTED(held_files_outlive_the_root),
		ROOTED(a_root_must_be_a_directory),
		ROOTED(too_many_files_at_once_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
