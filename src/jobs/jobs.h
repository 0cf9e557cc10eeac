/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long work: a check of recipes, an import, a training. A job has its row before
 * its work begins; while it runs, its progress is in memory; when it ends, status,
 * result or sentence are in the row. A row that is RUNNING when a server starts was
 * cut short by the end of the one before, and is FAILED from then on.
 *
 * Jobs run on a few threads of their own, in the order of their start. A job looks
 * now and then whether it was cancelled, and leaves.
 */
#ifndef GYRE_JOBS_JOBS_H
#define GYRE_JOBS_JOBS_H

#include "base/arena.h"
#include "store/job_rows.h"
#include "store/recorder.h"

#define JOBS_UNFINISHED_MAX 64  /* that run or wait for a thread */
#define JOBS_MESSAGE_SIZE 200   /* bytes of a message, with its NUL */
#define JOBS_TELL_US_MIN 100000 /* between two words about one job's progress */

struct jobs;
struct job;

/*
 * The work, on a thread of the jobs. ST_OK: *result is a JSON text in the arena (NULL: none), the job is a
 * SUCCESS. Anything else is its end too: TERMINATED when it was cancelled, FAILED with err's sentence if not.
 */
typedef enum status job_run(
	struct job *job, void *arg, struct arena *a, const char **result, struct err *err);

struct job_work {
	const char *kind;      /* "check" */
	struct uuid object_id; /* what it is about; zero: nothing */
	const char *who;
	job_run *run;
	void *arg;
	void (*release)(void *arg); /* called once, after run or instead of it; NULL: nothing to release */
};

struct jobs_options {
	struct db_readers *readers;
	struct recorder *recorder;
	unsigned threads;
	/* Told of a start, of progress (at most every JOBS_TELL_US_MIN) and of the end, on whichever thread;
	 * NULL: nobody. Must not call back into here. The row lives as long as the call. */
	void (*changed)(void *arg, const struct job_row *row);
	void *changed_arg;
};

/* Marks what the server before left RUNNING. */
enum status jobs_new(const struct jobs_options *options, struct jobs **out, struct err *err) MUST_CHECK;
/*
 * No job starts from now on; those that run are told to leave and are waited for, and are FAILED, like those
 * that wait. The rest may still be called.
 */
void jobs_stop(struct jobs *jobs);
/* Whether it was stopped: what ends now was not cancelled by a person, and may begin anew after a restart. */
bool jobs_stopping(const struct jobs *jobs);
void jobs_free(struct jobs *jobs); /* stops first, if that was not done */

/*
 * A new job: its row is durable and is given in *row (texts in the arena). Only with ST_OK does arg belong to
 * the job. ST_UNAVAILABLE: too many are unfinished, or the server is stopping.
 */
enum status jobs_start(struct jobs *jobs, const struct job_work *work, struct arena *a, struct job_row *row,
	struct err *err) MUST_CHECK;
/* As it is now. ST_MISSING. */
enum status jobs_get(
	struct jobs *jobs, struct uuid id, struct arena *a, struct job_row *row, struct err *err) MUST_CHECK;
/* As job_rows_list, with the progress of those that run. */
enum status jobs_list(struct jobs *jobs, struct uuid object_id, int64_t limit, int64_t offset,
	struct arena *a, struct job_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;
/* One that waits ends at once, one that runs when it looks. ST_CONFLICT: it has ended; ST_MISSING. */
enum status jobs_cancel(struct jobs *jobs, struct uuid id, struct err *err) MUST_CHECK;

/* ---- for the work ---- */

/* How far it is (0…1) and what it does: "12 of 20 pictures". Any thread that works for the job. */
void job_progress(struct job *job, double progress, const char *format, ...) PRINTF_LIKE(3, 4);
/* Somebody does not want it any more, or the server is stopping: leave. Any thread. */
bool job_cancelled(const struct job *job);

#endif
