/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a model's candidates, one by one, to the shapes of an image: the best are kept, overlapping ones of a
 * class are dropped, the rest goes back to image pixels. Shared by all layouts of detection. Only for
 * src/task.
 */
#ifndef GYRE_TASK_DETECTIONS_H
#define GYRE_TASK_DETECTIONS_H

#include "task/recipe.h"
#include "task/shape.h"
#include "vision/tensor.h"

/* Candidates that NMS sees: the best by score. Bounds its time, whatever a model says. */
#define DETECTIONS_CANDIDATES_MAX 4096
/* Cells or queries that an output may have: a 3840 x 3840 input has 302,400 cells. */
#define DETECTIONS_CELLS_MAX (1u << 20)

struct detections {
	struct candidate *candidates; /* in the model's pixels */
	size_t count;
	float floor; /* what scores less (or as much, once full) cannot be among the best */
};

void detections_init(struct detections *d, struct arena *a);

/* Offer a box in the model's pixels. Scores below SHAPE_SCORE_FLOOR, scores and corners that are not finite
 * are dropped; a score above 1 by rounding counts as 1. */
void detections_add(struct detections *d, struct box box, float score, int32_t label);

/* The same of a box in centre form. */
void detections_add_centre(
	struct detections *d, float x, float y, float width, float height, float score, int32_t label);

/* Index of the highest of count scores (at least one), the first of equal ones; NaN is never the highest,
 * unless all are. */
int32_t detections_best(const float *scores, uint32_t count);

/* The score that one of a box's class_count values means: as it is if they are probabilities, else its
 * softmax among all where one is a background's, else its sigmoid. */
float detections_score(const struct recipe *r, const float *values, float value);

/* Four numbers in the recipe's box_form and box_unit, in the model's pixels. */
struct box detections_box(const struct recipe *r, const float values[4]);

/*
 * The label of a class that the model named by its number: *label -1 for the background, for -1 (padding) and
 * for what is no whole number. ST_FAILED for a class that the recipe does not count: its labels would be
 * wrong.
 */
enum status detections_label(
	const struct recipe *r, double number, int32_t *label, struct err *err) MUST_CHECK;

/* Class-aware NMS above nms_iou (1: none), map back, clip; boxes without area are dropped. The shapes live in
 * the arena. */
void detections_shapes(struct detections *d, float nms_iou, const struct tensor_map *map, struct arena *a,
	struct shapes *out);

#endif
