/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Champion and candidate on the same labelled pictures, by the steps that serve: what each said of a picture
 * beside what is true of it, in the labels of one set. Numbers: task/paired.h.
 */
#ifndef GYRE_LEARN_SIDE_BY_SIDE_H
#define GYRE_LEARN_SIDE_BY_SIDE_H

#include "base/json.h"
#include "deploy/model.h"
#include "learn/training_set.h"
#include "task/paired.h"
#include "vision/image.h"

#define SIDE_BY_SIDE_SHOWN 24 /* pictures that got better, and worse */

/* What is true of a picture, for its task; in the arena. Masks are of the picture's size. */
struct match_truth *side_truths(enum task task, const struct training_picture *picture, uint32_t width,
	uint32_t height, struct arena *a, size_t *count);

/* A model, and what its labels are called in the set: -1 for one that the set does not have. */
struct side_model {
	const struct model *model;
	int32_t *labels;
};
void side_model_set(
	struct side_model *m, const struct model *model, const struct training_set *set, struct arena *a);
/* Its answer about a decoded picture: all shapes, or the best class. ST_FAILED: it fails on it. */
enum status side_guesses(const struct side_model *m, const struct image *image, enum task task,
	struct arena *a, struct match_guess **guesses, size_t *count, struct err *err) MUST_CHECK;

/* One picture of the comparison, in the order of paired_add. */
struct side_picture {
	struct uuid asset_id, data_id;
	const char *filename;
};
struct side_report {
	const struct training_set *set;
	const struct paired_result *all;
	const struct side_picture *pictures; /* all->images */
	const struct paired_result
		*before; /* of pictures that the training before was measured on; or NULL */
	bool has_champion;
	const char *champion, *candidate; /* how sentences call them: "version 3" */
};
/* The evaluation as it is stored: docs of api/openapi.yaml, TrainingEvaluation. */
const char *side_report_json(const struct side_report *r, struct arena *a);

#endif
