/* SPDX-License-Identifier: Apache-2.0 */
#include "os/executor.h"

#include "base/check.h"
#include "os/thread.h"

#include <stdio.h>
#include <stdlib.h>

struct work {
	void (*run)(void *);
	void *arg;
};

struct executor {
	pthread_mutex_t lock; /* guards all below but the threads */
	pthread_cond_t some;
	bool stopping;
	unsigned first, count, room; /* ring of waiting work */
	struct work *ring;
	unsigned thread_count;
	thread_handle threads[];
};

static bool next_work(struct executor *e, struct work *out)
{
	mutex_lock(&e->lock);
	while (e->count == 0 && !e->stopping)
		cond_wait_until(&e->some, &e->lock, 0);
	bool found = e->count > 0;
	if (found) {
		*out = e->ring[e->first];
		e->first = (e->first + 1) % e->room;
		e->count--;
	}
	mutex_unlock(&e->lock);
	return found;
}

static void work_until_stopped(void *arg)
{
	struct work work;
	while (next_work(arg, &work))
		work.run(work.arg);
}

struct executor *executor_new(const char *name, unsigned threads, unsigned queue_max)
{
	CHECK(threads > 0 && queue_max > 0);
	struct executor *e = calloc(1, sizeof(*e) + threads * sizeof(e->threads[0]));
	CHECK(e != NULL);
	e->ring = calloc(queue_max, sizeof(*e->ring));
	CHECK(e->ring != NULL);
	e->room = queue_max;
	e->thread_count = threads;
	CHECK(pthread_mutex_init(&e->lock, NULL) == 0);
	cond_init(&e->some);
	for (unsigned i = 0; i < threads; i++) {
		char thread_name[16];
		snprintf(thread_name, sizeof(thread_name), "%.11s-%u", name, i % 1000);
		thread_start(&e->threads[i], thread_name, work_until_stopped, e);
	}
	return e;
}

enum status executor_post(struct executor *e, void (*run)(void *), void *arg, struct err *err)
{
	mutex_lock(&e->lock);
	bool taken = !e->stopping && e->count < e->room;
	if (taken) {
		e->ring[(e->first + e->count) % e->room] = (struct work){run, arg};
		e->count++;
		pthread_cond_signal(&e->some);
	}
	bool stopping = e->stopping;
	mutex_unlock(&e->lock);
	if (taken)
		return ST_OK;
	if (stopping)
		return err_set(err, ST_UNAVAILABLE, "The server is stopping.");
	return err_set(err, ST_UNAVAILABLE,
		"The server is busy: %u requests are waiting already; try again shortly.", e->room);
}

unsigned executor_waiting(struct executor *e)
{
	mutex_lock(&e->lock);
	unsigned count = e->count;
	mutex_unlock(&e->lock);
	return count;
}

void executor_free(struct executor *e)
{
	mutex_lock(&e->lock);
	e->stopping = true;
	pthread_cond_broadcast(&e->some);
	mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->thread_count; i++)
		thread_join(e->threads[i]);
	pthread_cond_destroy(&e->some);
	pthread_mutex_destroy(&e->lock);
	free(e->ring);
	free(e);
}
