/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two models on the same pictures: what the second gains over the first. AP of boxes, accuracy of classes,
 * IoU of pixels; intervals by paired bootstrap over pictures (Efron and Tibshirani 1993; the same resample
 * for both, percentiles), and each picture's own utility, so that pictures that got better or worse can be
 * shown.
 */
#ifndef GYRE_TASK_PAIRED_H
#define GYRE_TASK_PAIRED_H

#include "base/arena.h"
#include "task/match.h"
#include "task/score.h"
#include "task/task.h"

#define PAIRED_REPLICATES 500
#define PAIRED_MARGIN 0.01   /* of a class: less is no loss */
#define PAIRED_IMAGES_FEW 30 /* below: the interval says nothing, and it is said */

struct paired;                                                   /* one thread at a time */
struct paired *paired_new(enum task task, uint32_t label_count); /* never NULL */
void paired_free(struct paired *p);

/* Answers of at least so much count for utilities and, of segmentation, for pixels. Before the first picture.
 * Without it: detection takes for each model the threshold where its F1 over all is highest, else 0. */
void paired_thresholds(struct paired *p, double first, double second);

/* A picture with what is true of it and what each model said, labels of all on one count from 0. Classes: the
 * one truth, and each model's best guess (count 0: none). Segmentation: masks of one size. Shapes are not
 * kept. */
void paired_add(struct paired *p, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *first, size_t first_count, const struct match_guess *second,
	size_t second_count);

struct paired_label {
	int32_t label;
	uint64_t truths;      /* objects; pictures, of classes; pixels, of segmentation */
	double first, second; /* AP, recall of the class, or IoU */
	double low, high;     /* 95 % of second - first */
	double chance;        /* how likely the second is not worse by more than PAIRED_MARGIN: the share of
				 resamples */
};
struct paired_result {
	size_t images;
	const char *metric;           /* "AP", "accuracy", "IoU" */
	double first, second;         /* 0…1; -1: nothing to find */
	double first50, second50;     /* AP at IoU 0.5; -1: other tasks */
	double difference, low, high; /* second - first, and 95 %; nothing to find: 0, and -1…1 */
	struct paired_label *labels;  /* that have something to find, rising */
	size_t label_count;
	/* By picture in order of adding, 0…1: F1 at IoU 0.5 (a wrong label is wrong; 1 where nothing is and
	 * nothing is said); right 1, wrong 0; mean IoU of the labels that are there or said. */
	double *first_utility, *second_utility;
};
/* All in the arena; the same seed gives the same interval. */
void paired_read(struct paired *p, uint64_t seed, struct arena *a, struct paired_result *out);
/* The same of scores that are there already, of boxes or masks, with the same images and truths (a CHECK); no
 * utilities. */
void paired_read_scores(struct score *first, struct score *second, uint32_t label_count, uint64_t seed,
	struct arena *a, struct paired_result *out);

#endif
