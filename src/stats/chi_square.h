/* SPDX-License-Identifier: Apache-2.0 */
/* The chi-square test of whether two samples are of one distribution over bins (labels). Pure. */
#ifndef GYRE_STATS_CHI_SQUARE_H
#define GYRE_STATS_CHI_SQUARE_H

#include <stddef.h>
#include <stdint.h>

#define CHI_SQUARE_EXPECTED_MIN 5.0 /* of each sample in each bin: below, bins are merged */

struct chi_square {
	double statistic, p;
	unsigned degrees; /* 0: nothing to compare (p is 1): an empty sample, or all in one bin */
};

/* P(X >= statistic) of a chi-square with that many degrees of freedom; 0 degrees: 1. */
double chi_square_p(double statistic, unsigned degrees);
/* Counts of two samples; bins that are too rare are one bin together (with the rarest of the others, if they
 * are too rare even so). Independent draws: of shapes, one an image. */
void chi_square_two_samples(const uint64_t *a, const uint64_t *b, size_t bin_count, struct chi_square *out);

#endif
