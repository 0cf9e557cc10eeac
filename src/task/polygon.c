/* SPDX-License-Identifier: Apache-2.0 */
#include "task/polygon.h"

#include "base/check.h"

#include <math.h>
#include <string.h>

#define PIECE_POINTS 1024

/* ---- tracing ---- */

/* Is it a cell of the region? Outside the grid there is none. */
static bool is_inside(const struct cell_grid *g, int64_t x, int64_t y, int32_t mark)
{
	return x >= 0 && y >= 0 && x < g->width && y < g->height && g->cells[y * g->width + x] == mark;
}

/*
 * Walk along the sides of cells with the region on the right hand: east, south, west, north are 0 to 3. At
 * each corner the two cells ahead decide. Where only the left one is of the region they touch at a corner:
 * turning right stays with the cell at hand, so regions hang together by sides alone.
 */
uint32_t polygon_trace(const struct cell_grid *g, uint32_t x, uint32_t y, float *points)
{
	static const int step[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
	/* From a corner, heading there: the cell ahead on the right, and the one on the left. */
	static const int right[4][2] = {{0, 0}, {-1, 0}, {-1, -1}, {0, -1}};
	static const int left[4][2] = {{0, -1}, {0, 0}, {-1, 0}, {-1, -1}};
	const int32_t mark = g->cells[(size_t)y * g->width + x];
	int64_t at_x = x, at_y = y;
	unsigned heading = 0;
	uint32_t count = 0;
	CHECK(!is_inside(g, at_x - 1, at_y, mark) && !is_inside(g, at_x, at_y - 1, mark));
	do {
		if (points != NULL) {
			points[2 * (size_t)count] = (float)at_x;
			points[2 * (size_t)count + 1] = (float)at_y;
		}
		count++;
		bool turned = false;
		while (!turned) {
			at_x += step[heading][0];
			at_y += step[heading][1];
			bool on_right =
				is_inside(g, at_x + right[heading][0], at_y + right[heading][1], mark);
			bool on_left = is_inside(g, at_x + left[heading][0], at_y + left[heading][1], mark);
			turned = !on_right || on_left;
			if (turned)
				heading = (heading + (on_right ? 3 : 1)) % 4;
		}
	} while (at_x != x || at_y != y);
	return count;
}

double polygon_area(const float *points, uint32_t count)
{
	double twice = 0;
	for (uint32_t i = 0; i < count; i++) {
		const float *a = points + 2 * (size_t)i, *b = points + 2 * (size_t)((i + 1) % count);
		twice += (double)a[0] * b[1] - (double)b[0] * a[1];
	}
	return fabs(twice) / 2;
}

/* ---- simplification ---- */

static double squared(double x, double y)
{
	return x * x + y * y;
}

/* Squared distance of a point from the line between two others, ends included. */
static double squared_distance(const float *point, const float *from, const float *to)
{
	double dx = (double)to[0] - from[0], dy = (double)to[1] - from[1];
	double px = (double)point[0] - from[0], py = (double)point[1] - from[1];
	double length = squared(dx, dy), along = length > 0 ? (px * dx + py * dy) / length : 0;
	along = fmax(0, fmin(along, 1));
	return squared(px - along * dx, py - along * dy);
}

struct piece {
	uint32_t first, last; /* points first … last, last may be count: the first again */
};

/* Mark what must stay between the ends of a piece. */
static void keep_far_points(
	const float *points, uint32_t count, struct piece piece, double tolerance, bool *stays)
{
	struct piece stack[PIECE_POINTS];
	unsigned depth = 0;
	stack[depth++] = piece;
	while (depth > 0) {
		struct piece p = stack[--depth];
		const float *from = points + 2 * (size_t)p.first, *to = points + 2 * (size_t)(p.last % count);
		double farthest = tolerance * tolerance;
		uint32_t at = 0;
		for (uint32_t i = p.first + 1; i < p.last; i++) {
			double distance = squared_distance(points + 2 * (size_t)i, from, to);
			if (distance > farthest) {
				farthest = distance;
				at = i;
			}
		}
		if (at == 0)
			continue;
		stays[at] = true;
		/* Pieces on the stack have no point in common but ends, and at least one of their own. */
		CHECK(depth + 2 <= PIECE_POINTS);
		if (at - p.first > 1)
			stack[depth++] = (struct piece){p.first, at};
		if (p.last - at > 1)
			stack[depth++] = (struct piece){at, p.last};
	}
}

/* The point farthest from the first: the two split the ring. */
static uint32_t farthest_from_first(const float *points, uint32_t count)
{
	uint32_t at = 0;
	double farthest = -1;
	for (uint32_t i = 0; i < count; i++) {
		double distance = squared((double)points[2 * (size_t)i] - points[0],
			(double)points[2 * (size_t)i + 1] - points[1]);
		if (distance > farthest) {
			farthest = distance;
			at = i;
		}
	}
	return at;
}

uint32_t polygon_simplify(float *points, uint32_t count, float tolerance, bool *stays)
{
	CHECK(count >= 2 && tolerance >= 0);
	memset(stays, 0, count * sizeof(*stays));
	stays[0] = stays[farthest_from_first(points, count)] = true;
	if (count > PIECE_POINTS)
		for (uint32_t i = 0; i < count; i += PIECE_POINTS)
			stays[i] = true;
	struct piece piece = {0, 0};
	for (uint32_t i = 1; i <= count; i++) {
		if (i < count && !stays[i])
			continue;
		piece.last = i;
		keep_far_points(points, count, piece, tolerance, stays);
		piece.first = i;
	}
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!stays[i])
			continue;
		memmove(points + 2 * (size_t)kept++, points + 2 * (size_t)i, 2 * sizeof(*points));
	}
	return kept;
}
