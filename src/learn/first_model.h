/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A first model, from labelled pictures alone: what can be made of a dataset version, how long that is about
 * to take, and the experiment that does it.
 */
#ifndef GYRE_LEARN_FIRST_MODEL_H
#define GYRE_LEARN_FIRST_MODEL_H

#include "learn/training.h"
#include "learn/training_set.h"

#define FIRST_MODEL_PROJECT "First models"
#define FIRST_MODEL_IMAGES_FEW 30 /* fewer labelled pictures: it is said that more would help */

struct first_model_choice {
	const char *arch, *title; /* "det-t", "Fast" */
	double minutes;           /* on this machine, roughly */
	uint32_t side;            /* pixels of the network's input */
	int64_t epochs;
};

struct first_model {
	const char *reason; /* why not, a sentence; NULL: it can be */
	const char *type;   /* of the dataset version: OBJECT_DETECTION … */
	struct training_set set;
	struct first_model_choice choices[2]; /* the first one is what to begin with */
	size_t choice_count;
};

/* threads: of a training. ST_MISSING: there is no such dataset version. */
enum status first_model_read(struct db_conn *c, struct uuid dataset_version_id, unsigned threads,
	struct arena *a, struct first_model *out, struct err *err) MUST_CHECK;

struct first_model_wish {
	struct uuid dataset_version_id, organization_id;
	struct uuid project_id; /* zero: FIRST_MODEL_PROJECT, made when it is not there */
	const char *arch;       /* NULL: the first choice */
	const char *name;       /* of the model, which must be new, and of its experiment */
	const char *description, *who;
	const char *parameters; /* JSON object: over those of the choice; NULL: none */
	const struct first_model *facts;
};
/* For a job of the recorder: experiment, datasets, parameters and training. ST_INVALID, ST_CONFLICT: the
 * name. */
enum status first_model_open(struct db_conn *c, const struct first_model_wish *wish, int64_t now_us,
	struct arena *a, struct training_row *out, struct err *err) MUST_CHECK;

#endif
