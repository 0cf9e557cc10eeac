/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which images of a stream count, as those of a camera are no independent draws (metrics.md 1.5): of pictures
 * that look like one of the last 64 of the same source only the first, and of the rest so many that what is
 * kept is about as good as independent: one in tau = (1 + rho) / (1 - rho), rho the correlation of an image's
 * value with that of the image before it. rho is learnt as it goes, from what was seen before, so that
 * whether an image counts never depends on itself.
 */
#ifndef GYRE_WATCH_THIN_H
#define GYRE_WATCH_THIN_H

#include "watch/seen.h"

#define THIN_SOURCES 16 /* each by itself; those that come later share the last one */
#define THIN_RECENT 64
#define THIN_HASH_BITS 6 /* of 64 that may differ in pictures that look alike … */
#define THIN_LUMA                                                                                            \
	8 /* … and how much, of 255, their brightness: the same place at night is another picture          \
	   */

enum thin_value { THIN_OUTLIER, THIN_BRIGHTNESS, THIN_VALUES };

/* Plain data, without pointers: copied and stored as it is. */
struct thin_series {
	/* The block of values that is being filled: */
	uint32_t values;
	double first, last, sum, squares, products; /* products: of each value and the one before it */
	/* Of the blocks before: */
	double blocks, correlations; /* how many, and the sum of theirs: older ones fade */
};
struct thin_source {
	uint64_t name; /* its hash; 0: not used */
	uint64_t seen;
	uint64_t looks[THIN_RECENT]; /* dHashes of the last pictures … */
	uint8_t lumas[THIN_RECENT];  /* and their mean brightness … */
	uint64_t kept_looks;         /* … bit i: looks[i] is one to compare with */
	uint32_t at, filled;         /* where the next one goes; how many there are */
	struct thin_series series[THIN_VALUES];
	double credit; /* a kept image costs 1, each brings 1 / tau */
};
struct thin {
	struct thin_source sources[THIN_SOURCES];
	uint64_t seen, alike, kept;
};

void thin_reset(struct thin *t);
/* Whether the image counts. values: their places among the reference's, 0…1; NAN: not known. */
bool thin_keeps(struct thin *t, const struct seen *seen, const double values[THIN_VALUES]);
/* One of how many images of all sources counts, by what is known now; >= 1. */
double thin_factor(const struct thin *t);

/* Which of the images count, by the same rules, for windows: keep[i]. Oldest first. *effective: how many. The
 * correlation is that of the window; outliers: NULL or NAN where there is no score. */
void thin_window(
	const struct seen *images, const double *outliers, size_t count, bool *keep, size_t *effective);

#endif
