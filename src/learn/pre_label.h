/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model labels first, people correct: what a version answers about the assets of a dataset version becomes
 * annotations that wait (PENDING) and are called "gyre: <model> v<n>". A job; the model runs in a process
 * that stands back for those that serve. What people drew stays.
 */
#ifndef GYRE_LEARN_PRE_LABEL_H
#define GYRE_LEARN_PRE_LABEL_H

#include "base/json.h"
#include "jobs/jobs.h"
#include "store/blob.h"
#include "store/dataset_rows.h"
#include "store/model_rows.h"

struct pre_label {
	const struct dataset_version_row *dataset;
	const struct model_version_row *version;
	const char *model_name;
	double threshold;      /* answers of at least so much; 0…1 */
	bool only_unlabelled;  /* assets without any annotation; else what is new is added to those they have
				*/
	bool make_labels;      /* that the dataset version lacks; else their shapes are left out */
	yyjson_val *label_map; /* object, the model's name → the dataset's; NULL: the same names */
	const char *who;       /* the person who asked */
};

/*
 * The job's result: {"images", "annotated", "shapes", "labels_new", "left_out", "failed"}. ST_CONFLICT: the
 * model cannot run, or answers another kind of data than the dataset version has; ST_LOCKED.
 */
enum status pre_label_start(struct jobs *jobs, struct db_readers *readers, struct recorder *recorder,
	struct blob *blobs, const struct pre_label *request, struct arena *a, struct job_row *job,
	struct err *err) MUST_CHECK;

#endif
