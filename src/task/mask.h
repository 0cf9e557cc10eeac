/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of pixels as run lengths down the columns, as COCO counts them: pixels outside, inside, outside …
 * A polygon covers the very pixels that COCO's reference tools give it, so that scores agree with theirs.
 */
#ifndef GYRE_TASK_MASK_H
#define GYRE_TASK_MASK_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define MASK_PIXELS_MAX UINT32_MAX /* width * height */

struct mask {
	uint32_t width, height; /* pixels of the image */
	const uint32_t *runs;   /* sum: width * height; the first, of pixels outside, may be 0, no other is */
	size_t run_count;
};

struct mask_ring {
	const double *points; /* x, y, x, y … in pixels; closed by itself */
	size_t point_count;
};

/*
 * The pixels inside a polygon (even-odd), or inside any of several: corners at a fifth of a pixel, edges of
 * whole fifths, a pixel's row decided at its middle. This is the rule of the reference implementation of
 * COCO. Points may lie outside the image. A ring of fewer than 3 points, or with a number that is not finite,
 * has no pixels. The runs live in the arena. Takes time by the columns that edges cross.
 */
struct mask mask_of_rings(
	const struct mask_ring *rings, size_t ring_count, uint32_t width, uint32_t height, struct arena *a);
struct mask mask_union(struct mask a, struct mask b, struct arena *arena); /* of one size */

uint64_t mask_area(struct mask m);                       /* pixels */
uint64_t mask_shared_area(struct mask a, struct mask b); /* pixels in both, which are of one size */

/* Columns and rows from which to which (not included) there are pixels; all 0 when there are none. */
struct mask_bounds {
	uint32_t left, top, right, bottom;
};
struct mask_bounds mask_bounds(struct mask m);

#endif
