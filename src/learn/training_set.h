/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pictures of a training: of all dataset versions that an experiment has, each on one side. What is kept
 * to measure with reaches no trainer, whatever version it came from; a picture is known by its bytes.
 */
#ifndef GYRE_LEARN_TRAINING_SET_H
#define GYRE_LEARN_TRAINING_SET_H

#include "formats/formats.h"
#include "store/experiment_rows.h"
#include "task/task.h"

#define TRAINING_SPLIT_SHARE 0.2 /* of a set that says nothing of how it is to be split */
#define TRAINING_SPLIT_BELOW 0.1 /* is kept to measure with: then it is split */

enum training_side { TRAINING_TRAIN, TRAINING_VAL, TRAINING_TEST, TRAINING_SIDE_COUNT };

struct training_picture {
	struct uuid asset_id, data_id;
	const char *filename, *sha256;
	uint32_t width, height; /* as shown */
	enum training_side side;
	bool labelled;
	struct labelled_shape *shapes; /* of the task; labels of the set */
	size_t shape_count;
};

struct training_set {
	enum task task;
	const char **labels; /* the base's, in its order; then those that only the data has */
	size_t label_count, base_label_count;
	size_t *label_shapes; /* by label: on the sides that are trained on */
	struct training_picture
		*pictures; /* labelled ones, by asset of the versions in order of their names */
	size_t count, side_counts[TRAINING_SIDE_COUNT];
	size_t images;         /* with those that are not labelled */
	size_t objects;        /* shapes that are trained on */
	bool split;            /* test is a share that was drawn here */
	const char **warnings; /* sentences */
	size_t warning_count;
};

struct training_wanted {
	const struct experiment_dataset_row *datasets; /* train, val, test; any other is trained on too */
	size_t dataset_count;
	enum task task;
	const char *const *base_labels;
	size_t base_label_count;
};

/* Everything in the arena. ST_INVALID with the sentence: there is nothing to train on. */
enum status training_set_read(struct db_conn *c, const struct training_wanted *wanted, struct arena *a,
	struct training_set *out, struct err *err) MUST_CHECK;

#endif
