/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn rather than fork: the server's many threads and gigabytes of pages are neither copied nor at
 * risk. */
#include "os/proc.h"

#include "base/check.h"
#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 256
#define KEEP_MAX 32
#define ARGUMENTS_MAX 16

static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	CHECK(posix_spawnattr_init(attributes) == 0);
	CHECK(posix_spawnattr_setsigmask(attributes, &none) == 0);
	CHECK(posix_spawnattr_setsigdefault(attributes, &all) == 0);
	CHECK(posix_spawnattr_setpgroup(attributes, 0) == 0);
	CHECK(posix_spawnattr_setflags(attributes,
		      POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) == 0);
}

/* Copies above all targets first: a source may carry a number that is the target of another one. */
static enum status lift_fds(const struct proc_options *o, int *lifted, struct err *err)
{
	for (unsigned i = 0; i < o->fd_count; i++) {
		lifted[i] = fcntl(o->fds[i], F_DUPFD_CLOEXEC, PROC_FDS_FIRST + FDS_MAX);
		if (lifted[i] >= 0)
			continue;
		enum status st = err_errno(err, "A file descriptor for a child process cannot be copied");
		while (i > 0)
			close(lifted[--i]);
		return st;
	}
	return ST_OK;
}

static void set_actions(posix_spawn_file_actions_t *actions, const int *lifted, unsigned count)
{
	CHECK(posix_spawn_file_actions_init(actions) == 0);
	CHECK(posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0);
	CHECK(posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0);
	for (unsigned i = 0; i < count; i++)
		CHECK(posix_spawn_file_actions_adddup2(actions, lifted[i], PROC_FDS_FIRST + (int)i) == 0);
}

/* The few variables that are passed on, as NAME=value; the texts are to be freed. */
static void pick_environment(const char *const *keep, char *out[KEEP_MAX + 1])
{
	unsigned count = 0;
	for (; keep && *keep; keep++) {
		const char *value = getenv(*keep);
		if (value == NULL)
			continue;
		CHECK(count < KEEP_MAX);
		CHECK(asprintf(&out[count++], "%s=%s", *keep, value) >= 0);
	}
	out[count] = NULL;
}

static int spawn(const struct proc_options *o, const int *lifted, pid_t *pid)
{
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	char *environment[KEEP_MAX + 1];
	set_attributes(&attributes);
	set_actions(&actions, lifted, o->fd_count);
	pick_environment(o->keep, environment);
	/* posix_spawn takes char *const[] for history's sake and does not write. */
	char *argv[ARGUMENTS_MAX + 1];
	unsigned count = 0;
	while (o->argv[count])
		count++;
	CHECK(count <= ARGUMENTS_MAX);
	memcpy(argv, o->argv, (count + 1) * sizeof(*argv));
	int code = posix_spawn(pid, o->path, &actions, &attributes, argv, environment);
	for (char **e = environment; *e; e++)
		free(*e);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return code;
}

enum status proc_spawn(const struct proc_options *o, struct proc *out, struct err *err)
{
	int lifted[FDS_MAX] = {0};
	CHECK(o->fd_count <= FDS_MAX);
	*out = (struct proc){.pidfd = -1};
	TRY(lift_fds(o, lifted, err));
	int code = spawn(o, lifted, &out->pid);
	for (unsigned i = 0; i < o->fd_count; i++)
		close(lifted[i]);
	if (code != 0) {
		errno = code;
		return err_errno(err, "A child process of %s cannot be started", o->path);
	}
	/* Not reaped by anybody else, so the number cannot have been given to another process yet. */
	out->pidfd = pidfd_open(out->pid, 0);
	if (out->pidfd >= 0)
		return ST_OK;
	enum status st = err_errno(err, "The child process of %s cannot be watched", o->path);
	kill(out->pid, SIGKILL);
	waitpid(out->pid, NULL, 0);
	return st;
}

int64_t proc_cpu_us(const struct proc *p)
{
	clockid_t clock;
	struct timespec t;
	if (p->pidfd < 0 || clock_getcpuclockid(p->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
		return -1;
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void proc_stand_back(void)
{
	/* Preferences, not needs: nice alone where the policy may not be set. */
	(void)setpriority(PRIO_PROCESS, 0, 10);
	(void)sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
}

void proc_signal(const struct proc *p, int signal_number)
{
	if (p->pidfd >= 0)
		pidfd_send_signal(p->pidfd, signal_number, NULL, 0);
}

static void describe_end(const siginfo_t *info, char text[PROC_END_TEXT_SIZE])
{
	if (info->si_code == CLD_EXITED)
		snprintf(text, PROC_END_TEXT_SIZE, "exited with code %d", info->si_status);
	else
		snprintf(text, PROC_END_TEXT_SIZE, "was ended by signal %d (%s)", info->si_status,
			sigdescr_np(info->si_status) ? sigdescr_np(info->si_status) : "unknown");
}

bool proc_wait(struct proc *p, int64_t deadline_us, char text[PROC_END_TEXT_SIZE])
{
	CHECK(p->pidfd >= 0);
	for (;;) {
		int64_t left_us = deadline_us - clock_mono_us();
		int timeout_ms = deadline_us <= 0     ? -1
				 : left_us <= 0       ? 0
				 : left_us > 60000000 ? 60000
						      : (int)((left_us + 999) / 1000);
		struct pollfd wait = {.fd = p->pidfd, .events = POLLIN};
		int ready = poll(&wait, 1, timeout_ms);
		if (ready > 0)
			break;
		if (ready == 0 && timeout_ms == 0)
			return false;
		CHECK(ready == 0 || errno == EINTR);
	}
	siginfo_t info = {0};
	int result;
	do
		result = waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED);
	while (result != 0 && errno == EINTR);
	if (result == 0)
		describe_end(&info, text);
	else /* SIGCHLD is ignored in this process: the kernel reaped it */
		snprintf(text, PROC_END_TEXT_SIZE, "ended");
	close(p->pidfd);
	*p = (struct proc){.pidfd = -1};
	return true;
}
