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
#include "watch/watch.h"

struct reference_world {
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	struct budget *pixel_budget;
	struct jobs *jobs;
	struct watch *watch;
};

/* Starts a job for the deployment's Training Data as it is set, and its champion, unless a READY or RUNNING
 * reference is the very thing. *row.id zero: nothing was started. Called when Training Data is set, and when
 * the champion changes. */
enum status reference_start(const struct reference_world *world, struct uuid deployment_id, const char *who,
	struct arena *a, struct job_row *row, struct err *err) MUST_CHECK;
/* After a restart: what was cut short begins anew. */
enum status reference_resume(const struct reference_world *world, struct err *err) MUST_CHECK;

#endif
