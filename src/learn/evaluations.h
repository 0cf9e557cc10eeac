/* SPDX-License-Identifier: Apache-2.0 */
/* How right the answers are that somebody else's training gave on assets: against the annotations of these,
 * by the numbers of task/score. */
#ifndef GYRE_LEARN_EVALUATIONS_H
#define GYRE_LEARN_EVALUATIONS_H

#include "base/uuid.h"
#include "jobs/jobs.h"

struct evaluations_request {
	struct uuid experiment_id;
	const char *type;              /* "OBJECT_DETECTION", "SEGMENTATION" or "CLASSIFICATION" */
	const char *annotation_status; /* only annotations of this status are the truth; NULL: all */
	const struct uuid *ids;        /* of the evaluations; count 0: all */
	size_t count;
	const char *who;
};

/*
 * A job "evaluate". Its result, which also becomes the experiment's log "evaluation" (EVALUATION):
 * {"images", "coco": {12 numbers, or null where nothing was to be found}, "labels": [{"label", "ap", "ap50",
 * "truths"}]}, for classes {"images", "classification": {"accuracy", "precision", "recall", "f1"}}. An image
 * without an annotation does not count. ST_INVALID: no such type.
 */
enum status evaluations_start(struct jobs *jobs, struct db_readers *readers, struct recorder *recorder,
	const struct evaluations_request *request, struct arena *a, struct job_row *job,
	struct err *err) MUST_CHECK;

#endif
