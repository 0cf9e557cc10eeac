/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model's process may not do. A model is data, but its data drives a large
 * C++ library: should that be taken over, the process has no network, no files, no
 * other processes and a bounded memory. In sanitizer builds the limits that would
 * break the sanitizers themselves (address space, files) are left out.
 */
#ifndef GYRE_ENGINE_SANDBOX_H
#define GYRE_ENGINE_SANDBOX_H

#include "base/err.h"

#include <stdint.h>

/*
 * First thing in the child: dies with its parent's spawning thread, no core dumps, no new privileges, the
 * first to go when memory runs out, working folder /, no descriptors from fd_first_closed on. Ends the
 * process if the parent is gone already.
 */
void sandbox_begin(int32_t parent_pid, int fd_first_closed);

/*
 * Before a model's bytes are looked at, with all files open that will be needed: memory_bytes_max more of
 * address space than now (0: no limit), no more descriptors, standard
 * error is /dev/null, and the system-call filter (x86-64 and
 * AArch64; elsewhere there is none). Threads can still be started.
 */
enum status sandbox_enter(uint64_t memory_bytes_max, struct err *err) MUST_CHECK;

/* False in sanitizer builds. */
bool sandbox_is_whole(void);

#endif
