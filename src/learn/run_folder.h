/* SPDX-License-Identifier: Apache-2.0 */
/* What a training is made of, as its stages read it: base, pictures, parameters; and the logs they write. */
#ifndef GYRE_LEARN_RUN_FOLDER_H
#define GYRE_LEARN_RUN_FOLDER_H

#include "base/json.h"
#include "learn/stages.h"
#include "learn/training_set.h"
#include "store/model_rows.h"

struct run_plan {
	bool has_base;
	struct model_version_row base;
	struct training_set set;
	const char *parameters; /* JSON; NULL: none */
};

/* ST_INVALID with the sentence: what cannot be trained. */
enum status run_plan_read(struct training *t, struct run_plan *out, struct err *err) MUST_CHECK;

/*
 * Parameters of an experiment (flat, or within {"data": …}) as job.json has them: "hyper" with every key that
 * the contract knows (null where nothing was given) and all others as they are, and "input_size".
 */
enum status run_add_parameters(const char *parameters, yyjson_mut_doc *doc, yyjson_mut_val *root,
	struct arena *a, struct err *err) MUST_CHECK;
/* {"0": "a", …} */
const char *run_labelmap(const struct training_set *set, struct arena *a);

/* For jobs of the recorder: a log of the experiment, made or replaced. */
enum status run_put_log(struct db_conn *c, struct training *t, const char *name, const char *type,
	const char *data, struct arena *a, struct err *err) MUST_CHECK;
/* A point of a LINE {"x": […], "y": […]}; points from x on, of an earlier try, are forgotten. */
enum status run_put_point(struct db_conn *c, struct training *t, const char *name, double x, double y,
	struct arena *a, struct err *err) MUST_CHECK;

#endif
