/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sandbox.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||       \
	HAS_FEATURE(thread_sanitizer) || HAS_FEATURE(memory_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define SYSCALL_MAX 0x3fffffff /* above are those of the x32 ABI */
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define SYSCALL_MAX 0x3fffffff
#endif

#define THREADS_BYTES                                                                                        \
	(256ULL << 20) /* of address space: stacks of threads started later, the allocator's arenas */

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t written = write(fd, text, strlen(text));
	(void)written; /* a preference, not a need */
	close(fd);
}

static void limit(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit r;
	if (getrlimit(resource, &r) == 0 && (r.rlim_max == RLIM_INFINITY || r.rlim_max > value)) {
		r = (struct rlimit){value, value};
		setrlimit(resource, &r);
	}
}

void sandbox_begin(int32_t parent_pid, int fd_first_closed)
{
	/* The parent may have ended before the first call; after it, its end is ours. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent_pid)
		_exit(1);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	limit(RLIMIT_CORE, 0);
	write_text("/proc/self/oom_score_adj", "500");
	close_range((unsigned)fd_first_closed, ~0U, 0);
	CHECK(chdir("/") == 0);
}

#ifdef ARCHITECTURE

/* Answered with EPERM. What sanitizers need to print a report is refused in plain builds only. */
static const int refused[] = {
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_process_madvise,
	SYS_kcmp,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	SYS_kill,
	SYS_tkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_unlinkat,
	SYS_renameat2,
	SYS_linkat,
	SYS_symlinkat,
	SYS_mkdirat,
	SYS_mknodat,
	SYS_fchmodat,
	SYS_fchownat,
	SYS_truncate,
	SYS_ftruncate,
	SYS_open_by_handle_at,
	SYS_name_to_handle_at,
	SYS_memfd_create,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_swapon,
	SYS_swapoff,
	SYS_reboot,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_sethostname,
	SYS_acct,
	SYS_quotactl,
	SYS_setuid,
	SYS_setgid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_shmget,
	SYS_shmat,
	SYS_msgget,
	SYS_semget,
	SYS_mq_open,
	SYS_inotify_init1,
	SYS_fanotify_init,
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
#ifdef SYS_unlink
	SYS_unlink,
	SYS_rename,
	SYS_link,
	SYS_symlink,
	SYS_mkdir,
	SYS_rmdir,
	SYS_mknod,
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
	SYS_creat,
	SYS_renameat,
#endif
#if !SANITIZED
	SYS_openat,
	SYS_openat2,
#ifdef SYS_open
	SYS_open,
#endif
#endif
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(code) ANSWER(SECCOMP_RET_ERRNO | (code))
/* The next `skip` instructions are for this system call alone. */
#define UNLESS_CALL(number, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, (skip))

static enum status install_filter(struct err *err)
{
	const uint32_t own_pid = (uint32_t)getpid();
	const struct sock_filter head[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		ANSWER(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYSCALL_MAX, 0, 1),
		ANSWER(SECCOMP_RET_KILL_PROCESS),
		/* clone3's flags lie in memory, where they cannot be judged: ENOSYS makes the C library use
		   clone. */
		UNLESS_CALL(SYS_clone3, 1),
		REFUSE(ENOSYS),
		/* Threads, but no processes. */
		UNLESS_CALL(SYS_clone, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
		ANSWER(SECCOMP_RET_ALLOW),
		REFUSE(EPERM),
		/* Signals to itself (abort), but to nobody else; limits of itself only. */
		UNLESS_CALL(SYS_tgkill, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_pid, 0, 1),
		ANSWER(SECCOMP_RET_ALLOW),
		REFUSE(EPERM),
		UNLESS_CALL(SYS_prlimit64, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		ANSWER(SECCOMP_RET_ALLOW),
		REFUSE(EPERM),
	};
	struct sock_filter program[COUNT_OF(head) + 2 * COUNT_OF(refused) + 1];
	memcpy(program, head, sizeof(head));
	unsigned short size = COUNT_OF(head);
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		program[size++] = (struct sock_filter)UNLESS_CALL((uint32_t)refused[i], 1);
		program[size++] = (struct sock_filter)REFUSE(EPERM);
	}
	program[size++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	struct sock_fprog filter = {.len = size, .filter = program};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0)
		return ST_OK;
	/* A container's own filter may forbid to add one; the other limits hold. */
	if (errno == EPERM || errno == EACCES || errno == ENOSYS || errno == EINVAL)
		return ST_OK;
	return err_errno(err, "The system-call filter of a model's process cannot be set");
}

#else

static enum status install_filter(struct err *err)
{
	return ST_OK;
}

#endif

static uint64_t address_space_bytes(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The server's log is not for a model to write to. */
static void drop_standard_error(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

enum status sandbox_enter(uint64_t memory_bytes_max, struct err *err)
{
	uint64_t now_bytes = address_space_bytes();
	if (sandbox_is_whole()) {
		drop_standard_error();
		limit(RLIMIT_FSIZE, 0);
		if (memory_bytes_max && now_bytes)
			limit(RLIMIT_AS, now_bytes + THREADS_BYTES + memory_bytes_max);
		limit(RLIMIT_NOFILE, 0);
	}
	return install_filter(err);
}

bool sandbox_is_whole(void)
{
	return !SANITIZED;
}
