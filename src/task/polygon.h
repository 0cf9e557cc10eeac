/* SPDX-License-Identifier: Apache-2.0 */
/* Outlines of regions of cells, and their simplification. Pure; only for src/task. */
#ifndef GYRE_TASK_POLYGON_H
#define GYRE_TASK_POLYGON_H

#include <stdbool.h>
#include <stdint.h>

/* Rows of cells, each with the mark of what it belongs to. */
struct cell_grid {
	uint32_t width, height;
	const int32_t *cells;
};

/*
 * The outer outline of a region: the cells of one mark that hang together by their sides, (x, y) being its
 * first by rows. Corners of cells, x, y, x, y …, clockwise as seen (y down) from the first cell's upper left,
 * only where the outline turns. Its area is that of the region and its holes. points NULL: only counted. Each
 * side of a cell is walked once. Returns the count of points, at least 4.
 */
uint32_t polygon_trace(const struct cell_grid *g, uint32_t x, uint32_t y, float *points);

/* Area within a ring of points, 0 or more (shoelace formula). */
double polygon_area(const float *points, uint32_t count);

/*
 * Drop points of a ring, in place, so that what was dropped is within tolerance of what stays (Douglas and
 * Peucker 1973), as found in pieces of at most 1,024 points, each with its ends: so its time is linear in
 * count even for the worst ring. stays is room for count flags. Returns how many stay: at least 2, in order,
 * the first among them.
 */
uint32_t polygon_simplify(float *points, uint32_t count, float tolerance, bool *stays);

#endif
