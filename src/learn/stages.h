/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of a training (stages.def), each a function in stage_<name>.c, and what they share. Who runs
 * them is training.c: it writes down what is done, and calls no stage again that is.
 */
#ifndef GYRE_LEARN_STAGES_H
#define GYRE_LEARN_STAGES_H

#include "learn/training.h"
#include "store/experiment_rows.h"

/* A training that is worked on, by one thread. */
struct training {
	struct trainings *all;
	const struct trainings_options *options;
	struct training_row row; /* as it is in the database; written with the stage's end */
	struct experiment_row experiment;
	const char *folder;  /* of its files: <data>/runs/<id> */
	struct arena *arena; /* as long as the training is worked on: texts of row and of details */
	/* A stage sets at most one of these: what others want to know of it (a JSON object), or, where it had
	 * nothing to do, the sentence that says why. */
	const char *detail, *passed;
};

/*
 * ST_OK: it is done. Its own writes come before, in transactions of their own that may happen again: a killed
 * server begins the stage anew. It may set members of row that its end writes (candidate_id, evaluation,
 * decision, message …). Anything else is the end of the training, FAILED with err's sentence; but where
 * training_leaving() is true, whatever it says is taken for that.
 */
typedef enum status training_stage(struct training *t, struct err *err);

#define STAGE(name, title, help) training_stage stage_##name;
#include "learn/stages.def"
#undef STAGE

/* It was cancelled, or the server stops: the stage returns soon, with any error. Any thread. */
bool training_leaving(const struct training *t);
/* What it does now, for pages: "12 of 60 pictures". */
void training_say(struct training *t, const char *format, ...) PRINTF_LIKE(2, 3);
/* Writes the row as it is now, with what `job` writes (NULL: nothing), in one transaction, and tells pages.
 */
enum status training_write(struct training *t, recorder_job *job, void *arg, struct err *err) MUST_CHECK;
/* What a stage that is done left behind, in the training's arena; NULL: nothing, or it is not done. */
enum status training_detail(
	struct training *t, const char *stage, const char **detail, struct err *err) MUST_CHECK;

#endif
