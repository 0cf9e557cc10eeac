/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a feature vector is from those of a reference: Mahalanobis distance of L2-normalised vectors to the
 * nearest class mean, with one shared, shrunken covariance (Mahalanobis++: Mueller, Hein, 2025; shrinkage:
 * Ledoit, Wolf, 2004); and the principal components of the same vectors. metrics.md 2.3. Pure.
 */
#ifndef GYRE_STATS_GAUSSIAN_H
#define GYRE_STATS_GAUSSIAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#define GAUSSIAN_SIZE_MAX 256
#define GAUSSIAN_CLASSES_MAX 64
#define GAUSSIAN_COMPONENTS 8

struct gaussian;
/* count vectors of `size`, row by row; classes: of each, 0…class_count-1, or NULL: one. All in the arena.
 * ST_INVALID: fewer than 10, or all alike. */
enum status gaussian_fit(const float *vectors, size_t count, unsigned size, const int32_t *classes,
	unsigned class_count, struct arena *a, struct gaussian **out, struct err *err) MUST_CHECK;
unsigned gaussian_size(const struct gaussian *g);
double gaussian_distance(const struct gaussian *g, const float *vector); /* squared; >= 0 */
/* On the first principal components of the normalised vectors; unused ones are 0. */
void gaussian_project(const struct gaussian *g, const float *vector, double out[GAUSSIAN_COMPONENTS]);
struct span gaussian_pack(const struct gaussian *g, struct arena *a);
enum status gaussian_unpack(
	struct span packed, struct arena *a, struct gaussian **out, struct err *err) MUST_CHECK;

#endif
