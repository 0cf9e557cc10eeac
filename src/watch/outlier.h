/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How unusual an image is, against a reference: the larger of two surprises, of its features' Mahalanobis
 * distance (stats/gaussian.h) and of its pixels' statistics (the one that is farthest out of its usual
 * range); the larger one is ranked (metrics.md 2). "Unusual", not "unknown class". The rank is against
 * reference images that the model was not fitted on. docs/internals/drift.md.
 */
#ifndef GYRE_WATCH_OUTLIER_H
#define GYRE_WATCH_OUTLIER_H

#include "stats/gaussian.h"
#include "watch/seen.h"

#define OUTLIER_RANK 0.01 /* an outlier at and below it: 1 % of images as usual as the reference's */

struct outlier_model;
struct outlier_value {
	double score;    /* >= 0; 1: the limit, the value at OUTLIER_RANK */
	double rank;     /* (1 + reference images at least as unusual) / (n + 1) */
	double distance; /* of features, squared Mahalanobis; NAN: none */
	double z;        /* the largest of the pixels': as rare as exp(-z), on its side; NAN: none */
	int z_feature;   /* which one that is: enum feature */
};

/* Of images with calibration[i] only ranks are taken. features_size 0: pixels alone. */
enum status outlier_fit(const struct seen *images, const bool *calibration, size_t count, struct arena *a,
	struct outlier_model **out, struct err *err) MUST_CHECK;
struct span outlier_pack(const struct outlier_model *m, struct arena *a);
enum status outlier_unpack(
	struct span packed, struct arena *a, struct outlier_model **out, struct err *err) MUST_CHECK;
void outlier_measure(const struct outlier_model *m, const struct seen *seen, struct outlier_value *out);
const struct gaussian *outlier_gaussian(const struct outlier_model *m); /* NULL: no features */
size_t outlier_calibration(const struct outlier_model *m);              /* images its ranks are of */
double outlier_smallest_rank(const struct outlier_model *m);

#endif
