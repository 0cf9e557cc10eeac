/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How sure a number is that was measured on some images: 95 % intervals, and estimates for all images of
 * which those reviewed were chosen with known chances. The unit is the image, never the box. What is meant is
 * how good the model is on such images, not on exactly these, so that reviewing all of them leaves an
 * interval. docs/decisions/0058-honest-quality.md, docs/internals/quality.md.
 */
#ifndef GYRE_TASK_ESTIMATE_H
#define GYRE_TASK_ESTIMATE_H

#include "task/score_view.h"

struct estimate {
	double value, low, high; /* -1 each where there is nothing to say */
	size_t images;
};

/* right of count; Wilson's interval. */
struct estimate estimate_share(uint64_t right, uint64_t count);
/*
 * The mean of values (0…1) that were seen with chances above 0: Hájek's estimator, sum(y/p) / sum(1/p), its
 * linearised variance sum((y - m)²/p²) / sum(1/p)², and Wilson's interval for as many images as would have
 * that variance in a plain sample. At 0 and 1, where the variance says nothing: for Kish's number,
 * sum(1/p)² / sum(1/p²).
 */
struct estimate estimate_mean(const double *values, const double *chances, size_t count);

/*
 * AP, and its interval from Poisson's bootstrap over images: in each replicate an image counts k times with
 * probability 1/(e k!), decided by a hash of the image and the replicate, so that the same images always give
 * the same interval. AP of few images is too high (its envelope picks maxima) by about as much as the
 * replicates are above it: the interval is around what is left. weights: by view, NULL: all 1.
 */
struct estimate estimate_ap(const struct score_view *v, const double *weights);
/* AP of one less AP of another on the images of both, which must be the same (a CHECK); -1…1. Each replicate
 * counts an image as often for both. */
struct estimate estimate_ap_difference(
	const struct score_view *a, const struct score_view *b, const double *weights);
/* The same of two shares: values of both on the same images, 1 or 0 (or between). */
struct estimate estimate_mean_difference(const double *a, const double *b, size_t count);

/* How often an image counts in a replicate; the mean over replicates is 1. */
unsigned estimate_poisson(int64_t image, uint32_t replicate);

#endif
