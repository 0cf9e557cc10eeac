/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job that makes a reference of Training Data: for each image its statistics, and the champion's
 * predictions and features by the code that serves (predict/), in a process that stands back for those that
 * serve; then the outlier model; then the champion's earlier predictions are looked back at.
 */
#ifndef GYRE_WATCH_REFERENCE_JOB_H
#define GYRE_WATCH_REFERENCE_JOB_H

#include "base/budget.h"
#include "jobs/jobs.h"
#include "store/blob.h"
#include "watch/watch.h"

#define REFERENCE_IMAGES_MIN 20     /* fewer tell nothing */
#define REFERENCE_EVALUATION_MIN 30 /* evaluation images: then they are the reference, as held out */
#define REFERENCE_BACK_MAX 50000    /* earlier predictions that are looked back at */

struct reference_world {
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	struct budget *pixel_budget; /* NULL: no limit */
	struct jobs *jobs;
	struct references *kept; /* for pages, or NULL: watch/reference.h */
	struct watch *watch;     /* NULL: nothing is looked back at */
	_Atomic int64_t poke_us; /* clock_mono_us before which reference_poke() does not look; from 0 */
};

/*
 * Starts a job for the deployment's Training Data as it is set, and its champion, unless a READY or RUNNING
 * reference is the very thing (anew: unless it is RUNNING). *row.id zero: nothing was started. Images of
 * production that are not enough yet are waited for. Called when Training Data is set, and when the champion
 * changes.
 */
enum status reference_start(struct reference_world *world, struct uuid deployment_id, bool anew,
	const char *who, struct arena *a, struct job_row *row, struct err *err) MUST_CHECK;
/* The same for a version that may become the champion: a shadow, so that drift goes on when it does. */
enum status reference_start_version(struct reference_world *world, struct uuid deployment_id,
	struct uuid version_id, bool anew, const char *who, struct arena *a, struct job_row *row,
	struct err *err) MUST_CHECK;
/* Training Data is another, or off: jobs for what it was are cancelled. */
enum status reference_stop(
	struct reference_world *world, struct uuid deployment_id, struct err *err) MUST_CHECK;
/* A prediction of the deployment was counted: those that wait for images of production may have enough. Looks
 * rarely, as looking takes time. */
void reference_poke(struct reference_world *world, struct uuid deployment_id);
/* After a restart: what was cut short begins anew. */
enum status reference_resume(struct reference_world *world, struct err *err) MUST_CHECK;

#endif
