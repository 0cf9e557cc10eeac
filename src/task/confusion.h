/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model takes for what. Of an image, each answer is paired with the true object it lies on, whatever
 * its label: by falling score, with the free object of the highest IoU (of equals the first), at 0.5 or more.
 * An answer of a low score never changes what a higher one found, so the pairs of an image are made once and
 * serve every threshold.
 */
#ifndef GYRE_TASK_CONFUSION_H
#define GYRE_TASK_CONFUSION_H

#include "base/arena.h"
#include "task/match.h"

#define CONFUSION_NONE (-1)
#define CONFUSION_IOU 0.5

struct confusion_pair {
	double score;  /* of the answer; 0 without one */
	int32_t guess; /* its label; CONFUSION_NONE: an object that no answer lies on */
	int32_t truth; /* the object's; CONFUSION_NONE: the answer lies on none */
};

/* Of boxes, or of masks. At most truth_count + guess_count pairs, answers by falling score first; arena
 * memory. */
struct confusion_pair *confusion_pairs(bool masks, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count, struct arena *a, size_t *count);
/* A class of a whole image, and the one that the model is surest of; either may be CONFUSION_NONE. */
struct confusion_pair confusion_pair_of_classes(int32_t truth, int32_t guess, double score);

/* (label_count + 1)² counts, rows by truth, columns by answer, the last of each for none: an answer on
 * nothing is in the last row, an object without an answer in the last column. */
struct confusion {
	uint32_t label_count;
	uint64_t *cells;
};
void confusion_init(struct confusion *c, uint32_t label_count, struct arena *a);
/* Of answers of at least a threshold. Labels are below label_count (a CHECK). */
void confusion_add(struct confusion *c, const struct confusion_pair *pairs, size_t count, double threshold);
uint64_t confusion_cell(const struct confusion *c, int32_t truth, int32_t guess);

#endif
