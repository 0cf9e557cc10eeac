/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detector of change that may be looked at after every value (Shiryaev–Roberts e-detector: Shin, Ramdas,
 * Rinaldo, "E-detectors", 2022; metrics.md 1.6). Of values u that are uniform on [0, 1] as long as nothing
 * has changed, but for a tolerance, it alarms on average at most once in `c` values, however long one
 * watches.
 */
#ifndef GYRE_STATS_SEQUENTIAL_H
#define GYRE_STATS_SEQUENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#define SEQUENTIAL_BETS 7
enum sequential_change {
	SEQUENTIAL_NONE,
	SEQUENTIAL_LOWER,
	SEQUENTIAL_HIGHER,
	SEQUENTIAL_WIDER,
	SEQUENTIAL_NARROWER
};
const char *sequential_change_name(enum sequential_change c); /* "lower"; of NONE NULL */

/* Plain data: copied and stored as it is. First index: of u, of 2|u - 1/2|; second: upward, downward. */
struct sequential {
	double bets[2][2][SEQUENTIAL_BETS];
	double sums[2][2]; /* Page's cumulative sum of what is well past the tolerance, never below 0 … */
	uint64_t since[2][2]; /* … and after how many values it last was 0: where the change is guessed */
	uint64_t seen;
};

void sequential_reset(struct sequential *s);
/* u in [0, 1]; tolerance: eps. How strong the evidence is, as a share of what alarms (1 and more: alarm), is
 * written to *strength. The result is the change that this evidence is of; it may be below an alarm. */
enum sequential_change sequential_add(
	struct sequential *s, double u, double tolerance, double limit, double *strength);
/* How many values since a change of this kind began, as far as is known. */
uint64_t sequential_changed(const struct sequential *s, enum sequential_change c);
/* c' for one stream so that `features` of them together alarm at most once in `images` values on average. */
double sequential_limit(unsigned features, double images);
/*
 * The tolerance that a reference of this size needs: max(0.03, 3.5 / sqrt(12 n)), at most 1/2. What counts is
 * how far the mean place of an unchanged stream can be from 1/2 because the reference is a sample, and that
 * is distributed as the mean of n uniform values; the bound on the whole distribution function
 * (Dvoretzky-Kiefer-Wolfowitz, 1.36 / sqrt(n)) is larger than it has to be. docs/internals/drift.md has the
 * false alarms that were counted.
 */
double sequential_tolerance(uint64_t reference_size);

#endif
