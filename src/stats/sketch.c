/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sketch.h"

#include <math.h>

#define ACCURACY 0.01
#define GROWTH ((1 + ACCURACY) / (1 - ACCURACY)) /* of one bin over the one before */

unsigned sketch_bin(double value)
{
	if (!(value > 1))
		return 0;
	double bin = ceil(log(value) / log(GROWTH));
	return bin < SKETCH_BINS - 1 ? (unsigned)bin : SKETCH_BINS - 1;
}

/* Bin k holds (g^(k-1), g^k]; this is 1 % above the one end and 1 % below the other. */
double sketch_value(unsigned bin)
{
	return 2 * pow(GROWTH, bin) / (GROWTH + 1);
}

double sketch_quantile(const uint64_t counts[SKETCH_BINS], double q)
{
	uint64_t count = 0, seen = 0;
	for (unsigned i = 0; i < SKETCH_BINS; i++)
		count += counts[i];
	if (count == 0)
		return 0;
	double rank = ceil(q * (double)count);
	for (unsigned i = 0; i < SKETCH_BINS; i++) {
		seen += counts[i];
		if (seen > 0 && (double)seen >= rank)
			return sketch_value(i);
	}
	return sketch_value(SKETCH_BINS - 1);
}
