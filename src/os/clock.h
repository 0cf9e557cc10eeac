/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GYRE_OS_CLOCK_H
#define GYRE_OS_CLOCK_H

#include <stdint.h>

int64_t clock_unix_us(void); /* microseconds since 1970, UTC */
int64_t clock_unix_ms(void);
int64_t clock_mono_us(void);       /* microseconds since some start, never going back */
int64_t clock_thread_cpu_us(void); /* CPU time of the calling thread */
/* RFC 3339 in UTC with microseconds, "2026-11-24T06:01:02.000003Z" (28 bytes with the NUL). */
void clock_format(int64_t unix_us, char out[28]);

#endif
