/* SPDX-License-Identifier: Apache-2.0 */
/* A check of a version's recipe as a job: from files that were sent to a ranked list in the job's row. */
#ifndef GYRE_LEARN_CHECK_JOB_H
#define GYRE_LEARN_CHECK_JOB_H

#include "jobs/jobs.h"
#include "learn/truths.h"
#include "store/model_rows.h"

struct check_request {
	const struct model_version_row *version;
	const char *model_name;
	const struct truths_file *files;
	size_t file_count;
	const char *who;
	/* Called when the bytes of the files are needed no more, once, also when nothing is started. */
	void (*release)(void *arg);
	void *arg;
};

/*
 * Reads the annotations at once, so that what is wrong with them is an answer and not a failed job: errors as
 * truths_make(), and ST_CONFLICT when the version cannot run. The model runs in a process of its own, behind
 * those that serve.
 */
enum status check_start(struct jobs *jobs, struct blob *blobs, const struct check_request *request,
	struct arena *a, struct job_row *job, struct err *err) MUST_CHECK;

#endif
