/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percentiles of positive values within 1 %, from counts that merge by addition (DDSketch: Masson, Rim, Lee,
 * VLDB 2019). A value falls into bin ceil(ln x / ln g), g = (1 + 0.01) / (1 - 0.01).
 */
#ifndef GYRE_STATS_SKETCH_H
#define GYRE_STATS_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#define SKETCH_BINS 2048 /* from 1 microsecond; values below 1 count as 1, above the last bin as the last */

unsigned sketch_bin(double value);
double sketch_value(unsigned bin); /* what is said of a bin: within 1 % of all that fell into it */
/* The q-quantile (0…1, nearest rank) of counts; 0 when there are none. */
double sketch_quantile(const uint64_t counts[SKETCH_BINS], double q);

#endif
