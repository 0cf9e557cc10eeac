/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the log of predictions by position into watch.db: roll-ups, samples, outlier scores, detectors; and
 * raises what alerts are about. Windows and position are one transaction: each prediction counts once,
 * whatever crashes, and the file can be made again from the log (docs/internals/rollups.md).
 *
 * One thread, the tail. It delays nobody: it reads with readers of its own, and watch.db has its own writer.
 */
#ifndef GYRE_WATCH_WATCH_H
#define GYRE_WATCH_WATCH_H

#include "jobs/jobs.h"
#include "store/blob.h"
#include "store/recorder.h"

/* Told that something of a deployment was counted (at most once a second each) or that an alert opened or
 * closed: for live pages. On the tail's thread. */
typedef void watch_changed(void *arg, struct uuid deployment_id, bool alerts);

struct quality;
struct watch_options {
	const char *path; /* of watch.db; it is made, or made anew when it is of another schema or log */
	struct db_readers *readers; /* of gyre.db, of its own */
	struct recorder *recorder;  /* of gyre.db: failures, alerts */
	struct quality *quality;    /* of alerts about AP; NULL: there are none */
	watch_changed *changed;     /* or NULL */
	void *changed_arg;
};

struct watch;
enum status watch_open(const struct watch_options *options, struct watch **out, struct err *err) MUST_CHECK;
enum status watch_start(struct watch *w, struct err *err) MUST_CHECK; /* the tail */
void watch_stop(struct watch *w);  /* stores what is at hand, ends the tail; the rest may still be called */
void watch_close(struct watch *w); /* NULL is fine */

/* Whether it was started: else nothing is counted, and pages say so. */
bool watch_is_on(struct watch *w);

/* A prediction became durable. Wakes the tail; takes no lock. */
void watch_recorded(struct watch *w);
/* A request ended without a prediction: counted in memory, in the database some seconds later. Thread-safe.
 */
void watch_failed(
	struct watch *w, struct uuid deployment_id, int http_status, const char *step, const char *text);
/* The deployment's threshold is another one: roll-ups at it are made by a job; until then its view is a
 * sample. */
enum status watch_threshold_changed(struct watch *w, struct jobs *jobs, struct uuid deployment_id,
	double threshold, const char *who, struct err *err) MUST_CHECK;
/* After a start: such jobs that were cut short begin anew, and those of a file that was made anew. */
enum status watch_resume(struct watch *w, struct jobs *jobs, struct err *err) MUST_CHECK;
/* Which view is at the deployment's threshold as it is now. *ready false: it is not counted yet, or no view
 * is; then a sample says what there is. log: gyre.db; watch: watch.db. */
enum status watch_view_now(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id, bool *recut,
	bool *ready, struct err *err) MUST_CHECK;
/* A data source has another name ("": it was deleted): what was counted follows. After that is stored. */
enum status watch_source_renamed(
	struct watch *w, const char *from, const char *to, struct err *err) MUST_CHECK;
/* It is gone: so is what was counted. */
enum status watch_forget(struct watch *w, struct uuid deployment_id, struct err *err) MUST_CHECK;

/* Readers of watch.db, for pages. */
struct db_readers *watch_readers(struct watch *w);
struct recorder *watch_recorder(struct watch *w);
/* The log up to here is counted; for waiting in tests and /metrics: the lag. */
int64_t watch_position(struct watch *w);

/* Everything anew from the log beside what is stored, and each difference in a sentence. The server need not
 * run; nobody else may write watch.db meanwhile. Up to the tail's position. */
struct audit {
	int64_t position, predictions;
	size_t rollups, heats, samples; /* compared */
	size_t differences;
	const char *first[20]; /* sentences of the first differences */
};
enum status watch_audit(struct db *log, const char *watch_path, struct arena *a, struct audit *out,
	struct err *err) MUST_CHECK;

#endif
