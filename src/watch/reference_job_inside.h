/* SPDX-License-Identifier: Apache-2.0 */
/* Inside reference_job*.c only. */
#ifndef GYRE_WATCH_REFERENCE_JOB_INSIDE_H
#define GYRE_WATCH_REFERENCE_JOB_INSIDE_H

#include "store/model_rows.h"
#include "store/reference_rows.h"
#include "store/training_data_rows.h"
#include "task/task.h"
#include "watch/outlier.h"
#include "watch/reference_job.h"

#include <stdatomic.h>

/* An image that the reference is to have. */
struct reference_item {
	struct uuid asset_id;
	const char *sha256; /* NULL: not known, or gone */
	const char *name;   /* for people; NULL: its id */
	/* What the log has of it already; image_stats NULL: nothing. shapes NULL data: another version's. */
	const char *image_stats;
	struct span shapes, features;
	uint32_t width, height;
};

struct reference_job {
	struct arena arena; /* of all below */
	struct reference_world *world;
	struct uuid deployment_id;
	struct uuid reference_id, version_id;
	_Atomic bool ran;

	/* read when it begins */
	struct training_data_row set;
	struct reference_row row;
	struct model_version_row version;
	const char *model_name;
	enum task task;
	struct reference_item *items;
	size_t count;
	int64_t all;     /* assets of the dataset version; images of the log */
	int64_t repeats; /* assets that show what another does */
	bool limited;    /* not all were taken */

	/* found */
	size_t images, skipped;
	const char *skipped_text; /* names and why, of the first */
	size_t with_features;
};

/* What is to be looked at, and how: fills the part "read when it begins". */
enum status reference_plan(struct reference_job *r, struct err *err) MUST_CHECK;
/* The whole work. */
enum status reference_run(
	struct job *job, void *arg, struct arena *a, const char **result, struct err *err) MUST_CHECK;
/* The champion's earlier predictions get their scores; *looked: how many. */
enum status reference_look_back(struct reference_job *r, const struct outlier_model *model, struct job *job,
	size_t *looked, struct err *err) MUST_CHECK;

#endif
