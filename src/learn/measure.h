/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How well shapes agree with what is known of pictures, as one number: AP of boxes for a detector, accuracy
 * for a classifier, mean IoU of the classes' pixels for segmentation.
 */
#ifndef GYRE_LEARN_MEASURE_H
#define GYRE_LEARN_MEASURE_H

#include "task/match.h"
#include "task/shape.h"

/* What is true of a picture; labels are the model's. */
struct truth {
	const struct match_truth *shapes; /* detection: boxes; segmentation: masks of the picture's size */
	size_t shape_count;
	int32_t label; /* classification */
};

struct measure_value {
	double value;   /* 0…1 */
	double value50; /* AP at an IoU of 0.5; -1 for other tasks */
	/* How sure the model is of what is right, 0…1; it tells recipes apart on far fewer pictures than
	 * value does. Detection: mean over the true boxes of the score of what found them, times the share of
	 * COCO's IoU thresholds that it passes (0: not found). Classification: mean score of the right class.
	 * Segmentation: value. */
	double certainty;
	size_t pictures;   /* that were added */
	uint64_t evidence; /* equal when (but for chance) the shapes of all pictures were the same */
};

struct measure;

/* labels: which of the model's label_count are measured; shapes of the others do not count. */
struct measure *measure_new(enum task task, const bool *labels, uint32_t label_count, size_t picture_count);
void measure_free(struct measure *m);
/* Any thread. Each picture (0…picture_count-1) once; the order does not matter. width, height: of the
 * picture. */
void measure_add(struct measure *m, size_t picture, const struct truth *truth, const struct shapes *shapes,
	uint32_t width, uint32_t height);
void measure_read(struct measure *m, struct measure_value *out);
const char *measure_name(enum task task); /* "AP", "accuracy", "IoU" */

#endif
