/* SPDX-License-Identifier: Apache-2.0 */
#include "os/thread.h"

#include "base/check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct start {
	char name[16];
	void (*run)(void *);
	void *arg;
};

static void *begin(void *arg)
{
	struct start start = *(struct start *)arg;
	free(arg);
	/* By the thread itself: from outside it goes through /proc, which may be closed to us, and loses to a
	 * thread that ends at once. */
	CHECK(pthread_setname_np(pthread_self(), start.name) == 0);
	start.run(start.arg);
	return NULL;
}

void thread_start(thread_handle *out, const char *name, void (*run)(void *), void *arg)
{
	struct start *start = malloc(sizeof(*start));
	CHECK(start != NULL);
	*start = (struct start){.run = run, .arg = arg};
	CHECK(strlen(name) < sizeof(start->name));
	memcpy(start->name, name, strlen(name) + 1);
	/* Signals are the main thread's business. */
	sigset_t all, before;
	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	CHECK(pthread_create(out, NULL, begin, start) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

void thread_join(thread_handle t)
{
	CHECK(pthread_join(t, NULL) == 0);
}

void thread_stand_back(void)
{
	/* Linux keeps a nice value for each thread. It may have been raised further from outside: a
	   preference, not a need. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
}

void cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attributes;
	CHECK(pthread_condattr_init(&attributes) == 0);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(c, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
}

bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_us)
{
	if (deadline_us <= 0) {
		CHECK(pthread_cond_wait(c, m) == 0);
		return true;
	}
	struct timespec t = {.tv_sec = deadline_us / 1000000, .tv_nsec = (deadline_us % 1000000) * 1000};
	int result = pthread_cond_timedwait(c, m, &t);
	CHECK(result == 0 || result == ETIMEDOUT);
	return result == 0;
}
