/* SPDX-License-Identifier: Apache-2.0 */
/* Each test locks a forked child down and lets it try what it should not be able to do: what
 * privs_lock_down does cannot be undone in this process. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/loop.h"
#include "net/privs_parts.h"

#define EXPECT(what)                                                                               \
	do {                                                                                       \
		errno = 0;                                                                         \
		if (!(what)) {                                                                     \
			fprintf(stderr, "in the child: not so: %s (errno %d)\n", #what, errno);    \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

struct places {
	char base[64], state[96], config[96], secret[96], secret_file[128], config_file[128];
};

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(1, write(fd, "x", 1));
	close(fd);
	assert_int_equal(0, chmod(path, 0666));
}

static void places_make(struct places *p)
{
	snprintf(p->base, sizeof(p->base), "/tmp/privs-test-XXXXXX");
	assert_non_null(mkdtemp(p->base));
	assert_int_equal(0, chmod(p->base, 0755));
	snprintf(p->state, sizeof(p->state), "%s/state", p->base);
	snprintf(p->config, sizeof(p->config), "%s/config", p->base);
	snprintf(p->secret, sizeof(p->secret), "%s/secret", p->base);
	snprintf(p->config_file, sizeof(p->config_file), "%s/c", p->config);
	snprintf(p->secret_file, sizeof(p->secret_file), "%s/x", p->secret);
	assert_int_equal(0, mkdir(p->state, 0777));
	assert_int_equal(0, chmod(p->state, 0777));
	assert_int_equal(0, mkdir(p->config, 0777));
	assert_int_equal(0, chmod(p->config, 0777));
	assert_int_equal(0, mkdir(p->secret, 0777));
	write_file(p->config_file);
	write_file(p->secret_file);
}

static void places_remove(const struct places *p)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/data", p->state);
	unlink(path);
	unlink(p->config_file);
	unlink(p->secret_file);
	rmdir(p->state);
	rmdir(p->config);
	rmdir(p->secret);
	assert_int_equal(0, rmdir(p->base));
}

static struct privs_conf conf_of(const struct places *p, const char *user)
{
	return (struct privs_conf){.user = user,
		.sandbox = true,
		.read_paths = {p->config, "/no/such/path"},
		.n_read_paths = 2,
		.write_paths = {p->state},
		.n_write_paths = 1};
}

static void in_child(void (*check)(const struct places *p))
{
	struct places p;
	int status;
	pid_t pid;

	places_make(&p);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		check(&p);
		exit(0); /* not _exit: LeakSanitizer has to work in there as well */
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	places_remove(&p);
	assert_true(WIFEXITED(status));
	assert_int_equal(0, WEXITSTATUS(status));
}

static void lock(const struct places *p, const char *user, struct privs_report *out)
{
	struct privs_conf conf = conf_of(p, user);

	EXPECT(privs_lock_down(&conf, out) == 0);
	EXPECT(out->landlocked && out->filtered && out->no_new_privs);
	EXPECT(out->landlock_error[0] == 0 && out->filter_error[0] == 0);
	EXPECT(out->paths_skipped == 1);
}

static void check_files(const struct places *p)
{
	struct privs_report report;
	char data[128], moved[128];
	int fd;

	lock(p, NULL, &report);
	EXPECT(!report.user_changed);
	EXPECT(open(p->secret_file, O_RDONLY) < 0 && errno == EACCES);
	EXPECT(open("/root", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
	EXPECT(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	EXPECT(open("/tmp/new", O_RDWR | O_CREAT, 0600) < 0 && errno == EACCES);
	EXPECT(open(p->config_file, O_RDONLY | O_CLOEXEC) >= 0);
	EXPECT(open(p->config_file, O_WRONLY) < 0 && errno == EACCES);
	EXPECT(unlink(p->config_file) < 0 && errno == EACCES);
	EXPECT(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
	EXPECT(open("/dev/urandom", O_RDONLY | O_CLOEXEC) >= 0);
	EXPECT(open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0);
	snprintf(data, sizeof(data), "%s/data.tmp", p->state);
	snprintf(moved, sizeof(moved), "%s/data", p->state);
	fd = open(data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	EXPECT(fd >= 0);
	EXPECT(ftruncate(fd, 8192) == 0 && fdatasync(fd) == 0);
	EXPECT(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	EXPECT(rename(data, moved) == 0);
	EXPECT(open(moved, O_RDWR | O_TRUNC | O_CLOEXEC) >= 0);
	/* Between folders too, as a snapshot is put in place. */
	snprintf(data, sizeof(data), "%s/sub", p->state);
	EXPECT(mkdir(data, 0700) == 0);
	snprintf(data, sizeof(data), "%s/sub/data", p->state);
	EXPECT(rename(moved, data) == 0 && rename(data, moved) == 0);
	snprintf(data, sizeof(data), "%s/sub", p->state);
	EXPECT(rmdir(data) == 0);
}

static void only_the_files_it_was_given_can_be_opened(void **state)
{
	(void)state;
	in_child(check_files);
}

static void *idle_thread(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static void job(void *arg)
{
	(void)arg;
}

static void job_done(void *arg, int err)
{
	EXPECT(err == 0);
	loop_stop(arg);
}

static void *new_page(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void check_calls(const struct places *p)
{
	char *argv[] = {(char *)"/bin/true", NULL}, *envp[] = {NULL};
	struct privs_report report;
	pthread_t thread;
	struct loop *l;
	int ran = 0;
	void *page;

	lock(p, NULL, &report);
	EXPECT(execve(argv[0], argv, envp) < 0 && errno == EPERM);
	EXPECT(syscall(SYS_execveat, AT_FDCWD, argv[0], argv, envp, 0) < 0 && errno == EPERM);
	EXPECT(syscall(SYS_mount, "x", "/tmp", "tmpfs", 0, NULL) < 0 && errno == EPERM);
	EXPECT(syscall(SYS_unshare, 0) < 0 && errno == EPERM);
	EXPECT(syscall(SYS_swapon, "x", 0) < 0 && errno == ENOSYS);
	EXPECT(socket(AF_ALG, SOCK_SEQPACKET, 0) < 0);
	if (!PRIVS_SANITIZED) {
		EXPECT(syscall(SYS_ptrace, 0, 0, 0, 0) < 0 && errno == EPERM);
		EXPECT(fork() < 0 && errno == EPERM);
		EXPECT(new_page(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED &&
			errno == EACCES);
		page = new_page(PROT_READ | PROT_WRITE);
		EXPECT(page != MAP_FAILED);
		EXPECT(mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EACCES);
	}
	/* What the daemon does all day still works. */
	EXPECT(pthread_create(&thread, NULL, idle_thread, &ran) == 0);
	EXPECT(pthread_join(thread, NULL) == 0 && ran == 1);
	l = loop_new();
	EXPECT(l != NULL);
	EXPECT(loop_job(l, job, job_done, l) == 0);
	loop_run(l);
	loop_free(l);
	EXPECT(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	EXPECT(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	EXPECT(privs_raise_files(64) >= 64);
}

static void no_program_can_be_started_and_threads_still_can(void **state)
{
	(void)state;
	in_child(check_calls);
}

static void check_user(const struct places *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(1)};
	struct privs_report report;
	gid_t group = 4;
	char data[128];
	int fd;

	EXPECT(setgroups(1, &group) == 0);
	lock(p, "nobody", &report);
	EXPECT(prctl(PR_CAPBSET_READ, 21 /* CAP_SYS_ADMIN */, 0, 0, 0) == 0);
	EXPECT(report.user_changed && report.user_error[0] == 0);
	EXPECT(report.uid == 65534 && getuid() == 65534 && geteuid() == 65534);
	EXPECT(getgid() == report.gid && report.gid != 0 && getgroups(0, NULL) == 0);
	EXPECT(setuid(0) < 0);
	EXPECT(open("/root/x", O_RDONLY) < 0 && errno == EACCES);
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	EXPECT(socket(AF_PACKET, SOCK_DGRAM, 0) >= 0);
	snprintf(data, sizeof(data), "%s/data", p->state);
	EXPECT(open(data, O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0);
	EXPECT(chown(data, 0, 0) < 0); /* CAP_CHOWN has gone with the rest */
}

static void the_user_changes_and_low_ports_stay_possible(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_child(check_user);
}

static void check_unknown_user(const struct places *p)
{
	struct privs_conf conf = conf_of(p, "no-such-user-here");
	struct privs_report report;

	EXPECT(privs_lock_down(&conf, &report) == ERR_ABSENT);
	EXPECT(strstr(report.user_error, "no-such-user-here"));
	EXPECT(!report.user_changed && report.landlocked && report.filtered);
}

static void a_step_that_fails_does_not_keep_the_others_from_being_done(void **state)
{
	(void)state;
	in_child(check_unknown_user);
}

static void check_nothing(const struct places *p)
{
	struct privs_conf conf = {.user = "none"};
	struct privs_report report;

	EXPECT(privs_lock_down(&conf, &report) == 0);
	EXPECT(!report.landlocked && !report.filtered && !report.user_changed);
	EXPECT(open(p->secret_file, O_RDONLY | O_CLOEXEC) >= 0);
}

static void none_means_none(void **state)
{
	(void)state;
	in_child(check_nothing);
}

static void users_are_found_by_name_and_number(void **state)
{
	uid_t uid = 7;
	gid_t gid = 7;

	(void)state;
	assert_int_equal(0, privs_find_user("root", &uid, &gid));
	assert_int_equal(0, uid);
	assert_int_equal(0, privs_find_user("4000000", &uid, &gid));
	assert_int_equal(4000000, uid);
	assert_int_equal(4000000, gid);
	assert_int_equal(ERR_ABSENT, privs_find_user("", &uid, &gid));
	assert_int_equal(ERR_ABSENT, privs_find_user("12x", &uid, &gid));
	assert_int_equal(ERR_ABSENT, privs_find_user("-1", &uid, &gid));
}

static void the_limit_of_descriptors_is_raised_as_far_as_it_goes(void **state)
{
	struct rlimit old, low;

	(void)state;
	assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &old));
	low = old;
	low.rlim_cur = 64;
	assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &low));
	assert_int_equal(old.rlim_max < 200 ? old.rlim_max : 200, privs_raise_files(200));
	assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &low));
	assert_int_equal(200, low.rlim_cur);
	assert_int_equal(200, privs_raise_files(10)); /* never lowered */
	assert_true(privs_raise_files(SIZE_MAX / 4) >= 200);
	setrlimit(RLIMIT_NOFILE, &old);
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_files_it_was_given_can_be_opened),
		cmocka_unit_test(no_program_can_be_started_and_threads_still_can),
		cmocka_unit_test(the_user_changes_and_low_ports_stay_possible),
		cmocka_unit_test(a_step_that_fails_does_not_keep_the_others_from_being_done),
		cmocka_unit_test(none_means_none),
		cmocka_unit_test(users_are_found_by_name_and_number),
		cmocka_unit_test(the_limit_of_descriptors_is_raised_as_far_as_it_goes),
	};

	if (!has_landlock())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
