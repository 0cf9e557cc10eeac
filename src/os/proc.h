/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: the same executable again, with few and known file descriptors, held by a pidfd. */
#ifndef GYRE_OS_PROC_H
#define GYRE_OS_PROC_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

#define PROC_FDS_FIRST 3 /* the first of proc_options.fds becomes this number in the child */
#define PROC_END_TEXT_SIZE 96

struct proc {
	pid_t pid;
	int pidfd; /* readable once the child has ended; -1: none */
};

struct proc_options {
	const char *path;        /* of the executable, e.g. "/proc/self/exe" */
	const char *const *argv; /* at most 16, ended by NULL */
	const char *const
		*keep; /* names of environment variables to pass on, ended by NULL; all others are left out */
	const int *fds;    /* become PROC_FDS_FIRST, …+1, … in the child; stay open and untouched here */
	unsigned fd_count; /* at most 256 */
};

/*
 * Start it: standard input and output are /dev/null, standard error is ours, a process group of its own (so
 * that Ctrl-C in a terminal reaches the parent alone), no blocked signals. Other descriptors that lack
 * O_CLOEXEC are inherited: the child closes them. PR_SET_PDEATHSIG in the child is tied to the calling
 * thread, which must then live on.
 */
enum status proc_spawn(const struct proc_options *o, struct proc *out, struct err *err) MUST_CHECK;
/* CPU time of all its threads so far; -1 when it was reaped. */
int64_t proc_cpu_us(const struct proc *p);
/* The calling process, and threads that it starts later, get the CPU when nobody else wants it. */
void proc_stand_back(void);
/* Never hits another process that got the same number; does nothing once the child was reaped. */
void proc_signal(const struct proc *p, int signal_number);
/*
 * Wait for its end until deadline_us (clock_mono_us; <= 0: without end), reap it and close the pidfd. False:
 * it still runs. text: "was ended by signal 9 (Killed)" or "exited with code 1".
 */
bool proc_wait(struct proc *p, int64_t deadline_us, char text[PROC_END_TEXT_SIZE]);

#endif
