/* SPDX-License-Identifier: Apache-2.0 */
/* What test/golden/drift.py says, and the generator of its samples. */
#ifndef GYRE_TEST_DRIFT_SAMPLES_H
#define GYRE_TEST_DRIFT_SAMPLES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct chance {
	uint64_t state;
};

static inline uint32_t chance_below(struct chance *c, uint32_t count)
{
	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((c->state >> 33) % count);
}

/* In [0, 1). */
static inline double chance_share(struct chance *c)
{
	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	return (double)(c->state >> 11) * 0x1p-53;
}

/* Of the standard normal distribution. */
static inline double chance_normal(struct chance *c)
{
	double u = chance_share(c) + 0x1p-60;
	return sqrt(-2 * log(u)) * cos(6.283185307179586 * chance_share(c));
}

static inline int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Within a share of the expected value. */
static inline int is_near(double value, double expected, double share)
{
	return fabs(value - expected) <= share * fabs(expected) || fabs(value - expected) < 1e-300;
}

#endif
