/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Average precision with a weight for each image: what is found, what is wrong and what there was to find
 * count as often as the image's weight says. With weights of 1 it is the AP of score_read(); with 0 and 1
 * that of some images; with 1/chance an estimate for all images that could have been chosen; with random
 * counts what another sample would have shown. All sizes, COCO's rules.
 */
#ifndef GYRE_TASK_SCORE_VIEW_H
#define GYRE_TASK_SCORE_VIEW_H

#include "task/score.h"

struct score_view;

/* Of a score as it is now; lives in the arena, and does not look at the score again. */
struct score_view *score_view_new(struct score *s, struct arena *a);
size_t score_view_count(const struct score_view *v);          /* images */
const int64_t *score_view_images(const struct score_view *v); /* rising: weights are in this order */
size_t score_view_records(const struct score_view *v);

struct score_view_value {
	double ap, ap50; /* means over the labels with something to find; -1: there is none */
};
/* weights: at least 0, one an image; NULL: all 1. One thread at a time. */
struct score_view_value score_view_ap(const struct score_view *v, const double *weights);

/* The same of each label that has something to find, rising; -1: not on these images. `out` has room for all.
 */
size_t score_view_labels(const struct score_view *v);
int32_t score_view_label(const struct score_view *v, size_t i);
uint64_t score_view_objects(const struct score_view *v, size_t i);
void score_view_label_ap(const struct score_view *v, const double *weights, struct score_view_value *out);
struct score_view_value score_view_mean(const struct score_view_value *labels, size_t count);

#endif
