/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How well the pixels of a class are found: those in both, in the truth and in the answer, of one image after
 * the other. The sums are divided at the end, so that each pixel counts the same, whatever its image.
 */
#ifndef GYRE_TASK_OVERLAP_H
#define GYRE_TASK_OVERLAP_H

#include "base/arena.h"
#include "task/match.h"

/* Pixels of one label. */
struct overlap {
	int32_t label;
	uint64_t both, truth, guess;
};

/* Of one image: an entry a label that either has, rising. Shapes of one label are united. All masks are of
 * one size. Answers below the threshold are none. Arena memory. */
struct overlap *overlap_of_image(const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count, double threshold, struct arena *a,
	size_t *count);

/* What is in both by what is in either: true positives by themselves, false ones of both kinds. -1: neither
 * has a pixel. */
double overlap_iou(struct overlap sum);
double overlap_dice(struct overlap sum);
/* The mean over the labels with a pixel in the truth or in an answer; -1: there is none. */
double overlap_mean_iou(const struct overlap *sums, size_t count);

#endif
