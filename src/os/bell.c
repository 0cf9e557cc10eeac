/* SPDX-License-Identifier: Apache-2.0 */
/* A futex on the count: the kernel compares it with what was heard and sleeps in one step. */
#include "os/bell.h"

#include "base/check.h"
#include "os/clock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void bell_init(struct bell *b)
{
	atomic_init(&b->count, 0);
	atomic_init(&b->sleepers, 0);
}

uint32_t bell_count(const struct bell *b)
{
	return atomic_load(&b->count);
}

void bell_ring(struct bell *b)
{
	atomic_fetch_add(&b->count, 1);
	/* Whoever counts as a sleeper after this look compares the count after the addition. */
	if (atomic_load(&b->sleepers) > 0)
		syscall(SYS_futex, &b->count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

bool bell_wait(struct bell *b, uint32_t heard, int64_t deadline_us)
{
	atomic_fetch_add(&b->sleepers, 1);
	while (atomic_load(&b->count) == heard) {
		int64_t left_us = deadline_us - clock_mono_us();
		if (left_us <= 0)
			break;
		struct timespec t = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
		long result = syscall(SYS_futex, &b->count, FUTEX_WAIT_PRIVATE, heard, &t, NULL, 0);
		CHECK(result == 0 || errno == EAGAIN || errno == ETIMEDOUT || errno == EINTR);
	}
	atomic_fetch_sub(&b->sleepers, 1);
	return atomic_load(&b->count) != heard;
}
