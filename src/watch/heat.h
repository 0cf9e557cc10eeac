/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where on images shapes are: a grid of 64 x 64 over the picture, whatever its size. Centres are counted;
 * coverage is kept as a difference array, so that a box costs four additions and the area is exact to a cell
 * (metrics.md 7). Adds up, as summaries do.
 */
#ifndef GYRE_WATCH_HEAT_H
#define GYRE_WATCH_HEAT_H

#include "watch/seen.h"

#define HEAT_SIDE 64

struct heat {
	uint64_t images; /* that have such a shape */
	uint64_t shapes;
	uint32_t centres[HEAT_SIDE * HEAT_SIDE]; /* row by row */
	int32_t edges[(HEAT_SIDE + 1) * (HEAT_SIDE + 1)];
};

/* Shapes of this label at the threshold; label -1: of any. Classes have no place. */
void heat_add(struct heat *h, const struct seen *seen, int32_t label, double threshold);
void heat_merge(struct heat *into, const struct heat *from);
/* How many shapes' boxes touch each cell. */
void heat_coverage(const struct heat *h, uint32_t out[HEAT_SIDE * HEAT_SIDE]);
struct span heat_pack(const struct heat *h, struct arena *a); /* canonical */
enum status heat_unpack_into(struct heat *into, struct span packed, struct err *err) MUST_CHECK;

#endif
