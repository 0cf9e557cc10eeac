/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of processes that may outlive us: known by the number of their leader and the time it was started,
 * as numbers are given again.
 */
#ifndef GYRE_OS_PROC_GROUP_H
#define GYRE_OS_PROC_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* When a process was started, in the kernel's ticks since boot; 0: there is no such process. */
int64_t proc_group_start(pid_t leader);
/* To all of the group, unless its leader's number belongs to another process by now. */
void proc_group_signal(pid_t leader, int64_t start, int signal_number);
/* What its processes used so far, with those that ended before them, and have in memory now; 0: none runs. */
void proc_group_usage(pid_t leader, int64_t *cpu_us, int64_t *memory_bytes);

/* A child that has ended is forgotten by the kernel; nothing else happens. */
void proc_reap(pid_t child);

/* Whether any process holds the lock of an open file: file_lock_take() got it and passed the descriptor on.
 */
int file_lock_take(const char *path); /* the descriptor, close-on-exec; -1: it is held, or cannot be made */

#endif
