/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/jobs.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/executor.h"
#include "os/log.h"
#include "os/thread.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define STOPPED "The server stopped before this was done: start it again."

enum phase { PHASE_WAITING, PHASE_RUNNING, PHASE_ENDED };

/* Held by its call on the executor, and by the list of those that are not in the database yet. */
struct job {
	struct jobs *jobs;
	struct job_work work;
	_Atomic bool cancelled;
	_Atomic int holds;
	/* The rest is guarded by the jobs' lock; texts in the arena, but for the message. */
	enum phase phase;
	struct job_row row;
	char message[JOBS_MESSAGE_SIZE];
	int64_t told_us;
	struct arena arena;
	struct job *next;
};

struct jobs {
	struct jobs_options options;
	pthread_mutex_t start_lock; /* one start at a time, and none while stopping */
	bool stopped;               /* guarded by start_lock */
	struct executor *executor;
	pthread_mutex_t lock;   /* guards all below, and the progress of each job */
	struct job *unfinished; /* and those whose end could not be written */
	unsigned calls;         /* on the executor, under way or waiting */
	_Atomic bool stopping;
};

/* ---- what is told ---- */

static void tell(struct jobs *jobs, const struct job_row *row)
{
	if (jobs->options.changed)
		jobs->options.changed(jobs->options.changed_arg, row);
}

/* The row as it is now, its texts in a. With the lock held. */
static void copy_row(const struct job *job, struct arena *a, struct job_row *out)
{
	*out = job->row;
	out->kind = arena_strdup(a, job->row.kind);
	out->who = arena_strdup(a, job->row.who);
	out->message = arena_strdup(a, job->message);
	out->error = arena_strdup(a, job->row.error);
	out->result = arena_strdup(a, job->row.result);
}

static void tell_progress(struct job *job)
{
	struct arena a;
	struct job_row row;
	arena_init(&a);
	mutex_lock(&job->jobs->lock);
	copy_row(job, &a, &row);
	mutex_unlock(&job->jobs->lock);
	tell(job->jobs, &row);
	arena_release(&a);
}

void job_progress(struct job *job, double progress, const char *format, ...)
{
	char message[JOBS_MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	int64_t now_us = clock_mono_us();
	mutex_lock(&job->jobs->lock);
	job->row.progress = progress < 0 ? 0 : progress > 1 ? 1 : progress;
	memcpy(job->message, message, sizeof(message));
	bool due = now_us - job->told_us >= JOBS_TELL_US_MIN;
	if (due)
		job->told_us = now_us;
	mutex_unlock(&job->jobs->lock);
	if (due)
		tell_progress(job);
}

bool job_cancelled(const struct job *job)
{
	return atomic_load(&job->cancelled) || atomic_load(&job->jobs->stopping);
}

bool jobs_stopping(const struct jobs *jobs)
{
	return atomic_load(&jobs->stopping);
}

/* ---- the end ---- */

static enum status write_end(struct db_conn *c, void *arg, struct err *err)
{
	return job_rows_finish(c, arg, err);
}

static void job_drop(struct job *job)
{
	int before = atomic_fetch_sub(&job->holds, 1);
	CHECK(before > 0);
	if (before > 1)
		return;
	arena_release(&job->arena);
	free(job);
}

static void forget(struct job *job)
{
	struct jobs *jobs = job->jobs;
	mutex_lock(&jobs->lock);
	struct job **at = &jobs->unfinished;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	mutex_unlock(&jobs->lock);
	job_drop(job);
}

/* With the lock held. */
static void set_end(struct job *job, enum status st, const char *result, const struct err *err)
{
	struct job_row *row = &job->row;
	row->finished_us = clock_unix_us();
	if (st == ST_OK) {
		row->status = "SUCCESS";
		row->progress = 1;
		row->result = result;
	} else if (atomic_load(&job->cancelled)) {
		row->status = "TERMINATED";
		snprintf(job->message, sizeof(job->message), "It was cancelled.");
	} else {
		row->status = "FAILED";
		row->error =
			arena_strdup(&job->arena, atomic_load(&job->jobs->stopping) ? STOPPED : err->text);
	}
	job->phase = PHASE_ENDED;
}

/*
 * Into the row, and out of memory. A job whose row cannot be written stays in memory as it ended; the next
 * start of a server finds the row RUNNING and calls it FAILED.
 */
static void end_job(struct job *job, enum status st, const char *result, const struct err *err)
{
	struct jobs *jobs = job->jobs;
	struct arena a;
	struct job_row row;
	arena_init(&a);
	mutex_lock(&jobs->lock);
	set_end(job, st, result, err);
	copy_row(job, &a, &row);
	mutex_unlock(&jobs->lock);
	struct err failure;
	if (recorder_run(jobs->options.recorder, write_end, &row, &failure) == ST_OK)
		forget(job);
	else
		log_err("job_not_recorded", &failure);
	log_event(LOG_LEVEL_INFO, "job_ended", "kind", row.kind, "status", row.status, "error",
		row.error ? row.error : "", NULL);
	tell(jobs, &row);
	arena_release(&a);
}

static void release_work(const struct job *job)
{
	if (job->work.release)
		job->work.release(job->work.arg);
}

/* What an executor's thread does for each job. */
static void run_job(void *arg)
{
	struct job *job = arg;
	struct jobs *jobs = job->jobs;
	mutex_lock(&jobs->lock);
	bool waits = job->phase == PHASE_WAITING; /* else it was cancelled before its turn */
	if (waits)
		job->phase = PHASE_RUNNING;
	mutex_unlock(&jobs->lock);
	if (waits) {
		struct err err = {0};
		const char *result = NULL;
		struct arena a;
		arena_init(&a);
		enum status st = ST_UNAVAILABLE;
		if (!job_cancelled(job))
			st = job->work.run(job, job->work.arg, &a, &result, &err);
		release_work(job);
		end_job(job, st, arena_strdup(&job->arena, result), &err);
		arena_release(&a);
	}
	mutex_lock(&jobs->lock);
	CHECK(jobs->calls > 0);
	jobs->calls--;
	mutex_unlock(&jobs->lock);
	job_drop(job);
}

/* ---- start ---- */

static enum status insert_row(struct db_conn *c, void *arg, struct err *err)
{
	return job_rows_insert(c, arg, err);
}

static struct job *new_job(struct jobs *jobs, const struct job_work *work)
{
	struct job *job = calloc(1, sizeof(*job));
	CHECK(job != NULL);
	arena_init(&job->arena);
	job->jobs = jobs;
	job->work = *work;
	atomic_init(&job->holds, 2);
	int64_t now_us = clock_unix_us();
	snprintf(job->message, sizeof(job->message), "Waits for its turn.");
	job->row = (struct job_row){
		.id = uuid_v7(now_us / 1000),
		.kind = arena_strdup(&job->arena, work->kind),
		.status = "RUNNING",
		.object_id = work->object_id,
		.who = arena_strdup(&job->arena, work->who),
		.message = job->message,
		.created_us = now_us,
	};
	return job;
}

/* With start_lock held: room for one more, and a row for it. */
static enum status admit(struct jobs *jobs, const struct job *job, struct err *err)
{
	if (jobs->stopped)
		return err_set(err, ST_UNAVAILABLE, "The server is stopping.");
	mutex_lock(&jobs->lock);
	bool full = jobs->calls >= JOBS_UNFINISHED_MAX;
	mutex_unlock(&jobs->lock);
	if (full)
		return err_set(err, ST_UNAVAILABLE,
			"%d jobs are running or waiting already: cancel one, or try again later.",
			JOBS_UNFINISHED_MAX);
	return recorder_run(jobs->options.recorder, insert_row, (void *)(uintptr_t)&job->row, err);
}

enum status jobs_start(
	struct jobs *jobs, const struct job_work *work, struct arena *a, struct job_row *row, struct err *err)
{
	struct job *job = new_job(jobs, work);
	mutex_lock(&jobs->start_lock);
	enum status st = admit(jobs, job, err);
	if (st != ST_OK) {
		mutex_unlock(&jobs->start_lock);
		arena_release(&job->arena);
		free(job);
		return st;
	}
	mutex_lock(&jobs->lock);
	job->next = jobs->unfinished;
	jobs->unfinished = job;
	jobs->calls++;
	copy_row(job, a, row);
	mutex_unlock(&jobs->lock);
	tell(jobs, row);
	/* It has room for as many as are admitted. */
	CHECK(executor_post(jobs->executor, run_job, job, NULL) == ST_OK);
	mutex_unlock(&jobs->start_lock);
	return ST_OK;
}

/* ---- look, cancel ---- */

/* With the lock held. */
static struct job *find(struct jobs *jobs, struct uuid id)
{
	for (struct job *job = jobs->unfinished; job; job = job->next)
		if (uuid_equal(job->row.id, id))
			return job;
	return NULL;
}

static bool get_unfinished(struct jobs *jobs, struct uuid id, struct arena *a, struct job_row *row)
{
	mutex_lock(&jobs->lock);
	const struct job *job = find(jobs, id);
	if (job)
		copy_row(job, a, row);
	mutex_unlock(&jobs->lock);
	return job != NULL;
}

enum status jobs_get(struct jobs *jobs, struct uuid id, struct arena *a, struct job_row *row, struct err *err)
{
	/* In this order: its row is written before it leaves the memory. */
	if (get_unfinished(jobs, id, a, row))
		return ST_OK;
	struct db_conn *c;
	TRY(db_reader_take(jobs->options.readers, &c, err));
	enum status st = job_rows_by_id(c, id, a, row, err);
	db_reader_give(jobs->options.readers, c);
	return st;
}

enum status jobs_list(struct jobs *jobs, struct uuid object_id, int64_t limit, int64_t offset,
	struct arena *a, struct job_row **items, size_t *count, int64_t *total, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(jobs->options.readers, &c, err));
	enum status st = job_rows_list(c, object_id, limit, offset, a, items, count, total, err);
	db_reader_give(jobs->options.readers, c);
	TRY(st);
	for (size_t i = 0; i < *count; i++)
		if ((*items)[i].finished_us == 0)
			get_unfinished(jobs, (*items)[i].id, a, &(*items)[i]);
	return ST_OK;
}

static enum status over(struct jobs *jobs, struct uuid id, struct err *err)
{
	struct arena a;
	struct job_row row;
	arena_init(&a);
	enum status st = jobs_get(jobs, id, &a, &row, err);
	if (st == ST_OK)
		st = err_set(err, ST_CONFLICT, "This job has ended already (%s), so it cannot be cancelled.",
			row.status);
	arena_release(&a);
	return st;
}

enum status jobs_cancel(struct jobs *jobs, struct uuid id, struct err *err)
{
	mutex_lock(&jobs->lock);
	struct job *job = find(jobs, id);
	if (job && job->phase == PHASE_ENDED)
		job = NULL;
	bool waits = job && job->phase == PHASE_WAITING;
	if (job)
		atomic_store(&job->cancelled, true);
	if (waits) { /* then nobody else ends it */
		job->phase = PHASE_ENDED;
		atomic_fetch_add(&job->holds, 1);
	}
	mutex_unlock(&jobs->lock);
	if (waits) {
		release_work(job);
		end_job(job, ST_UNAVAILABLE, NULL, NULL);
		job_drop(job);
	}
	return job ? ST_OK : over(jobs, id, err);
}

/* ---- all of them ---- */

struct left {
	int64_t count;
};

static enum status fail_left(struct db_conn *c, void *arg, struct err *err)
{
	struct left *left = arg;
	return job_rows_fail_running(c, clock_unix_us(), STOPPED, &left->count, err);
}

enum status jobs_new(const struct jobs_options *options, struct jobs **out, struct err *err)
{
	struct left left = {0};
	TRY(recorder_run(options->recorder, fail_left, &left, err));
	if (left.count > 0)
		log_event(
			LOG_LEVEL_WARN, "jobs_cut_short", "count", left.count == 1 ? "one" : "several", NULL);
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	CHECK(jobs != NULL);
	jobs->options = *options;
	CHECK(pthread_mutex_init(&jobs->start_lock, NULL) == 0);
	CHECK(pthread_mutex_init(&jobs->lock, NULL) == 0);
	jobs->executor = executor_new("job", options->threads, JOBS_UNFINISHED_MAX);
	*out = jobs;
	return ST_OK;
}

void jobs_stop(struct jobs *jobs)
{
	mutex_lock(&jobs->start_lock);
	bool first = !jobs->stopped;
	jobs->stopped = true;
	mutex_unlock(&jobs->start_lock);
	if (!first)
		return;
	atomic_store(&jobs->stopping, true);
	executor_free(jobs->executor);
}

void jobs_free(struct jobs *jobs)
{
	jobs_stop(jobs);
	while (jobs->unfinished)
		forget(jobs->unfinished);
	pthread_mutex_destroy(&jobs->start_lock);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}
