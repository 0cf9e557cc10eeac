/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed number of threads and a bounded queue. Posting a thing is giving it. */
#ifndef GYRE_OS_EXECUTOR_H
#define GYRE_OS_EXECUTOR_H

#include "base/err.h"

struct executor;

struct executor *executor_new(const char *name, unsigned threads, unsigned queue_max);
/* ST_UNAVAILABLE when the queue is full or the executor is stopping; run() is not called then. */
enum status executor_post(struct executor *e, void (*run)(void *), void *arg, struct err *err) MUST_CHECK;
unsigned executor_waiting(struct executor *e);
/* Refuses new work, runs what was accepted, joins, frees. */
void executor_free(struct executor *e);

#endif
