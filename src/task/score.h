/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How right a model is, from images whose truth is known: COCO's numbers and VOC's average precision for
 * shapes, accuracy and its relatives for classes. Images are added, replaced and removed one by one, in any
 * order, and the numbers depend on nothing but which images there are. What is kept of an image is 32 bytes
 * an answer. Formulas: COCO's and VOC's development kits; docs/decisions/0033.
 */
#ifndef GYRE_TASK_SCORE_H
#define GYRE_TASK_SCORE_H

#include "base/arena.h"
#include "task/match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- shapes ---- */

struct score; /* one thread at a time */

/* COCO: IoU 0.5, 0.55 … 0.95. masks: of polygons instead of boxes. */
struct match_rules score_rules_coco(bool masks);
/* Pascal VOC at one IoU, 0.5 in the challenge, which counts pixels inclusively. */
struct match_rules score_rules_voc(double iou, bool inclusive_pixels);

struct score *score_new(const struct match_rules *rules); /* never NULL; the caller frees it */
void score_free(struct score *s);                         /* NULL is fine */

/*
 * What is true of an image and what the model said of it, labels of both on the same count from 0. Both may
 * be none: an image without objects counts the wrong answers on it. An image that was added before is
 * replaced. Equals by score are ordered by image (so that numbers agree with COCO's where images are its
 * ids), then by place. Truths and guesses are not kept.
 */
void score_add(struct score *s, int64_t image, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count);
bool score_remove(struct score *s, int64_t image); /* false: it was not there */
/* Take over the images of another, which stays as it is; rules must be equal and no image be in both
 * (CHECKs). */
void score_merge(struct score *into, const struct score *from);
/* A score of the wanted images alone (NULL: all), and of one label or all: what it reads is what it would be,
 * had nothing else been added. */
#define SCORE_ALL_LABELS (-1)
struct score *score_select(
	const struct score *s, int32_t label, bool (*wanted)(int64_t image, void *arg), void *arg);

/* Of one image alone; of none where it was not added. Costs by the answers with the image's labels. */
struct score *score_of_image(const struct score *s, int64_t image);

/* COCO's twelve numbers, each 0…1, or -1 where nothing was to be found. */
struct score_numbers {
	double ap, ap50, ap75, ap_small, ap_medium, ap_large;
	double ar1, ar10, ar100, ar_small, ar_medium, ar_large;
};

struct score_label {
	int32_t label;
	uint64_t truths; /* that count: no crowds */
	uint64_t guesses;
	struct score_numbers numbers;
};

struct score_summary {
	size_t images;
	uint64_t truths, guesses;
	struct score_numbers numbers; /* means over labels with something to find */
	struct score_label *labels;   /* all that occur, rising; arena memory */
	size_t label_count;
};

/* Under COCO's rules (a CHECK). ap50 and ap75 are -1 where the rules lack that IoU. Costs by the labels that
 * changed since it was last read. */
void score_read(struct score *s, struct arena *a, struct score_summary *out);

/* Average precision over all recalls (VOC 2010 and later), and at recalls 0, 0.1 … 1 (2007). */
struct score_voc_label {
	int32_t label;
	uint64_t truths; /* that count: none that are difficult */
	double every_point[MATCH_IOU_MAX],
		eleven_points[MATCH_IOU_MAX]; /* by the rules' IoUs; -1: no truth */
};

struct score_voc_summary {
	double every_point[MATCH_IOU_MAX], eleven_points[MATCH_IOU_MAX]; /* means; -1: no truth at all */
	struct score_voc_label *labels; /* all that occur, rising; arena memory */
	size_t label_count;
};

/* Under VOC's rules (a CHECK). */
void score_read_voc(struct score *s, struct arena *a, struct score_voc_summary *out);

/* Answers of at least a confidence, at one of the rules' IoUs (by its place there), over all sizes. */
struct score_counts {
	int32_t label;
	uint64_t found, wrong, missed;
	double precision, recall, f1; /* 0 where there is nothing to divide by */
};

/* label_count of them, rising by label, and the sum of all (label -1) in *all. */
struct score_counts *score_read_at(struct score *s, double confidence, unsigned iou, struct arena *a,
	size_t *label_count, struct score_counts *all);

/* COCO's precision at the recalls 0, 0.01 … 1, a mean over the labels with something to find (or of one
 * label), over all sizes; -1 where there is nothing to find. */
#define SCORE_RECALLS 101
void score_read_curve(struct score *s, unsigned iou, int32_t label, double precision[SCORE_RECALLS]);
/* score_read_at() at the confidences 0, 0.01 … 1, of all labels together or of one. */
#define SCORE_CONFIDENCES 101
void score_read_confidences(
	const struct score *s, unsigned iou, int32_t label, struct score_counts out[SCORE_CONFIDENCES]);
/* Which of them has the highest F1, the highest of several; -1: all are 0. */
int score_best_confidence(const struct score_counts counts[SCORE_CONFIDENCES]);

/* ---- classes ---- */

#define CLASS_NONE (-1) /* the model named no class */

/* Counts of (true class, answered class); plain numbers, so that adding up two is merging them. */
struct class_counts {
	uint32_t label_count;
	uint64_t *cells; /* label_count rows of label_count + 1: the last column is CLASS_NONE */
};

void class_counts_init(struct class_counts *c, uint32_t label_count, struct arena *a);
/* amount: 1 to add an image, -1 to take it back. truth in 0…label_count-1, guess there or CLASS_NONE
 * (CHECKs). */
void class_counts_add(struct class_counts *c, int32_t truth, int32_t guess, int amount);
void class_counts_merge(struct class_counts *into, const struct class_counts *from);

struct class_score {
	uint64_t truths, guesses, right;
	double precision, recall, f1; /* 0 where there is nothing to divide by */
};

struct class_summary {
	uint64_t images, right;
	double accuracy;                             /* 0 without images */
	double precision_mean, recall_mean, f1_mean; /* over labels that are true or answered at least once */
	double f1_weighted;                          /* by truths */
	struct class_score *labels;                  /* label_count of them; arena memory */
};

void class_counts_read(const struct class_counts *c, struct arena *a, struct class_summary *out);

#endif
