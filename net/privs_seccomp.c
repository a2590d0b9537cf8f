/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp: a list of the system calls that the daemon and its libraries make. Everything else is
 * answered "not implemented", which is what the C library knows how to live with when it tries
 * something newer than this list (EPERM would be taken for a verdict on the arguments). What only
 * an intruder would call is answered "not permitted".
 *
 * The lists are names, not numbers: a name that this architecture or this libseccomp does not know
 * is passed over, so the 32-bit and the newer calls can stand here for all. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "net/privs_parts.h"

enum {
	PRIVS_OPTIMIZE_TREE = 2, /* libseccomp: a binary tree instead of a row of comparisons */
	PRIVS_CALL_LEN = 32,
};

static const char PRIVS_CALLS[] =
	/* files */
	"read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 open "
	"openat openat2 close close_range stat fstat lstat newfstatat statx access "
	"faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd rename "
	"renameat renameat2 unlink unlinkat mkdir mkdirat rmdir link linkat symlink "
	"symlinkat truncate ftruncate fallocate fsync fdatasync sync_file_range fcntl "
	"flock chmod fchmod fchmodat chown fchown fchownat umask utimensat lseek "
	"sendfile copy_file_range statfs fstatfs fadvise64 readahead inotify_init1 "
	"inotify_add_watch inotify_rm_watch dup dup2 dup3 pipe pipe2 ioctl "
	/* memory (mmap and mprotect: below) */
	"munmap mremap madvise brk mlock mlock2 munlock msync mincore membarrier "
	/* threads (clone: below), signals, end */
	"futex futex_waitv set_robust_list get_robust_list rseq set_tid_address gettid "
	"getpid getppid tgkill sched_yield sched_getaffinity sched_setaffinity "
	"sched_getparam sched_getscheduler getcpu restart_syscall arch_prctl prctl "
	"rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait "
	"rt_sigsuspend sigaltstack signalfd4 pause exit exit_group "
	/* time */
	"clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times "
	"timerfd_create timerfd_settime timerfd_gettime "
	/* waiting */
	"epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll "
	"ppoll select pselect6 eventfd eventfd2 "
	/* network (socket: below) */
	"socketpair bind listen accept accept4 connect getsockname getpeername "
	"setsockopt getsockopt send sendto recv recvfrom sendmsg recvmsg sendmmsg "
	"recvmmsg shutdown "
	/* who and where we are */
	"uname sysinfo getrandom getrlimit prlimit64 getrusage getuid geteuid getgid "
	"getegid getresuid getresgid getgroups capget "
	/* the same on 32 bit */
	"mmap2 _llseek fcntl64 stat64 fstat64 lstat64 fstatat64 ftruncate64 truncate64 "
	"statfs64 fstatfs64 sendfile64 _newselect ugetrlimit sigreturn clock_gettime64 "
	"clock_getres_time64 clock_nanosleep_time64 futex_time64 recvmmsg_time64 "
	"ppoll_time64 pselect6_time64 utimensat_time64 timerfd_settime64 "
	"timerfd_gettime64 rt_sigtimedwait_time64 fadvise64_64 arm_fadvise64_64 "
	"sync_file_range2 arm_sync_file_range cacheflush set_tls getuid32 geteuid32 "
	"getgid32 getegid32 getresuid32 getresgid32 getgroups32 fchown32 chown32 ";

/* Another program, another process, other memory: what an intruder wants first. */
static const char PRIVS_FORBIDDEN[] =
	"execve execveat fork vfork ptrace process_vm_readv process_vm_writev "
	"process_madvise pidfd_getfd memfd_create mount umount2 pivot_root chroot "
	"unshare setns bpf userfaultfd perf_event_open init_module finit_module "
	"kexec_load io_uring_setup keyctl add_key request_key kill setuid setgid "
	"setresuid setresgid ";

static const int PRIVS_FAMILIES[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET};

static const char PRIVS_SANITIZER_CALLS[] =
	"ptrace wait4 kill clone process_vm_readv personality mmap mprotect setrlimit ";

/* Adds a rule for a name; one that is unknown here is no error. */
static int privs_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned n,
	const struct scmp_arg_cmp *args)
{
	int number = seccomp_syscall_resolve_name(name), rc;

	if (number == __NR_SCMP_ERROR)
		return 0;
	rc = seccomp_rule_add_array(filter, action, number, n, args);
	/* EDOM: not on this architecture. EEXIST: allowed already. */
	return rc == -EDOM || rc == -EEXIST ? 0 : rc;
}

/* A rule for each name of a list. */
static int privs_rules(scmp_filter_ctx filter, uint32_t action, const char *names)
{
	char name[PRIVS_CALL_LEN];
	int rc = 0;

	while (rc >= 0 && *names) {
		size_t len = strcspn(names, " ");

		snprintf(name, sizeof(name), "%.*s", (int)len, names);
		rc = privs_rule(filter, action, name, 0, NULL);
		names += len + strspn(names + len, " ");
	}
	return rc;
}

/* Calls that are right with some arguments only. */
static int privs_argument_rules(scmp_filter_ctx filter)
{
	static const char *const MAPPERS[] = {"mmap", "mmap2", "mprotect"};
	struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	struct scmp_arg_cmp exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
	struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	struct scmp_arg_cmp process = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < sizeof(MAPPERS) / sizeof(MAPPERS[0]); i++) {
		rc = privs_rule(filter, SCMP_ACT_ALLOW, MAPPERS[i], 1, &no_exec);
		if (rc >= 0)
			rc = privs_rule(filter, SCMP_ACT_ERRNO(EACCES), MAPPERS[i], 1, &exec);
	}
	/* clone3 hides its flags from us and is "not implemented": the C library then uses clone.
	 */
	if (rc >= 0)
		rc = privs_rule(filter, SCMP_ACT_ALLOW, "clone", 1, &thread);
	if (rc >= 0)
		rc = privs_rule(filter, SCMP_ACT_ERRNO(EPERM), "clone", 1, &process);
	return rc;
}

static int privs_socket_rules(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(PRIVS_FAMILIES) / sizeof(PRIVS_FAMILIES[0]); i++) {
		struct scmp_arg_cmp family = {
			.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)PRIVS_FAMILIES[i]};
		int rc = privs_rule(filter, SCMP_ACT_ALLOW, "socket", 1, &family);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int privs_build(scmp_filter_ctx filter)
{
	int rc = privs_rules(filter, SCMP_ACT_ALLOW, PRIVS_CALLS);

	if (rc >= 0 && PRIVS_SANITIZED)
		rc = privs_rules(filter, SCMP_ACT_ALLOW, PRIVS_SANITIZER_CALLS);
	else if (rc >= 0)
		rc = privs_argument_rules(filter);
	if (rc >= 0)
		rc = privs_socket_rules(filter);
	if (rc >= 0)
		rc = privs_rules(filter, SCMP_ACT_ERRNO(EPERM), PRIVS_FORBIDDEN);
	return rc;
}

int privs_filter(struct privs_report *out)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int rc = filter ? 0 : -ENOMEM;

	if (rc >= 0)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, PRIVS_OPTIMIZE_TREE);
	if (rc >= 0)
		rc = privs_build(filter);
	if (rc >= 0)
		rc = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (rc < 0) {
		snprintf(
			out->filter_error, sizeof(out->filter_error), "seccomp: %s", strerror(-rc));
		return err_from_errno(-rc);
	}
	out->filtered = true;
	return 0;
}
