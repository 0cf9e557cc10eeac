/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waking those who sleep, without a lock: ringing costs an atomic addition, and a system call only when
 * somebody sleeps. A ring between bell_count() and bell_wait() is not missed.
 *
 *	for (;;) {
 *		uint32_t heard = bell_count(bell);
 *		if (!do_what_there_is_to_do())
 *			bell_wait(bell, heard, clock_mono_us() + SECOND_US);
 *	}
 */
#ifndef GYRE_OS_BELL_H
#define GYRE_OS_BELL_H

#include <stdbool.h>
#include <stdint.h>

struct bell {
	_Atomic uint32_t count;
	_Atomic uint32_t sleepers;
};

void bell_init(struct bell *b);
void bell_ring(struct bell *b); /* all who sleep; never waits */
uint32_t bell_count(const struct bell *b);
/* Until it has rung since bell_count() was `heard` (true), or until deadline_us (clock_mono_us; false). */
bool bell_wait(struct bell *b, uint32_t heard, int64_t deadline_us);

#endif
