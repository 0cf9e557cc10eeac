/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and locks: thin, with CHECKs instead of return codes. */
#ifndef GYRE_OS_THREAD_H
#define GYRE_OS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef pthread_t thread_handle;

void thread_start(thread_handle *out, const char *name, void (*run)(void *),
	void *arg); /* name: at most 15 characters */
void thread_join(thread_handle t);
/* From now on the calling thread runs after others that want the CPU (nice 10). There is no way back. */
void thread_stand_back(void);

static inline void mutex_lock(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
}

static inline void mutex_unlock(pthread_mutex_t *m)
{
	pthread_mutex_unlock(m);
}

void cond_init(pthread_cond_t *c); /* on the monotonic clock */
/* False when the deadline (clock_mono_us) has passed; deadline_us <= 0 waits without end. */
bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_us);

#endif
