/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs from polygons. An edge between corners on the grid of fifths is walked in whole fifths along its
 * longer side. Where it steps from 5c + 2 to 5c + 3 it passes the middle of column c, and there the inside
 * begins or ends. Each such place is computed directly, with the arithmetic that a walk would have, so that
 * an edge costs by the columns of the image that it crosses, wherever its ends are.
 */
#include "task/mask.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define FIFTHS 5
#define CORNER_MAX 1e9 /* in pixels; farther corners are moved here */

struct switches {
	uint32_t *at; /* pixels, counted down the columns, at which the inside begins or ends; any order */
	size_t count;
	uint32_t width, height;
};

struct corner {
	int64_t x, y; /* fifths of a pixel */
};

static struct corner corner_of(const double *point)
{
	double x = fmin(fmax(point[0], -CORNER_MAX), CORNER_MAX);
	double y = fmin(fmax(point[1], -CORNER_MAX), CORNER_MAX);
	return (struct corner){(int64_t)(FIFTHS * x + 0.5), (int64_t)(FIFTHS * y + 0.5)};
}

/* The edge passes the middle of column c at y fifths. */
static void add_switch(struct switches *s, uint32_t column, int64_t y)
{
	double row = ceil(((double)y + 0.5) / FIFTHS - 0.5);
	row = fmin(fmax(row, 0), s->height);
	s->at[s->count++] = column * s->height + (uint32_t)row;
}

/* Columns whose middles lie between two fifths. */
static bool columns_between(int64_t from, int64_t to, uint32_t width, int64_t *first, int64_t *last)
{
	*first = from <= 2 ? 0 : (from - 2 + FIFTHS - 1) / FIFTHS; /* 5c + 2 >= from */
	*last = to < 3 ? -1 : (to - 3) / FIFTHS;                   /* 5c + 3 <= to */
	if (*last >= (int64_t)width)
		*last = (int64_t)width - 1;
	return *first <= *last;
}

/* At least as wide as high: one step a fifth of x. */
static void add_flat_edge(struct switches *s, struct corner a, struct corner b)
{
	if (a.x > b.x)
		add_flat_edge(s, b, a);
	int64_t first, last;
	if (a.x >= b.x || !columns_between(a.x, b.x, s->width, &first, &last))
		return;
	double slope = (double)(b.y - a.y) / (double)(b.x - a.x);
	for (int64_t column = first; column <= last; column++) {
		double step = (double)(FIFTHS * column + 2 - a.x);
		int64_t before = (int64_t)((double)a.y + slope * step + 0.5);
		int64_t after = (int64_t)((double)a.y + slope * (step + 1) + 0.5);
		add_switch(s, (uint32_t)column, before < after ? before : after);
	}
}

static int64_t steep_x(struct corner a, double slope, int64_t step)
{
	return (int64_t)((double)a.x + slope * (double)step + 0.5);
}

/* The first step at which x is right of a column's middle (slope > 0) or left of it (slope < 0). */
static int64_t steep_step(struct corner a, double slope, int64_t steps, int64_t column)
{
	int64_t middle = FIFTHS * column + 2;
	int64_t step = (int64_t)(((double)middle + 0.5 - (double)a.x) / slope);
	step = step < 0 ? 0 : step > steps ? steps : step;
	while (step > 0 && (steep_x(a, slope, step - 1) > middle) == (slope > 0))
		step--;
	while (step < steps && (steep_x(a, slope, step) > middle) != (slope > 0))
		step++;
	return step;
}

/* Higher than wide: one step a fifth of y. */
static void add_steep_edge(struct switches *s, struct corner a, struct corner b)
{
	if (a.y > b.y)
		add_steep_edge(s, b, a);
	int64_t first, last, left = a.x < b.x ? a.x : b.x, right = a.x < b.x ? b.x : a.x;
	if (a.y >= b.y || !columns_between(left, right, s->width, &first, &last))
		return;
	double slope = (double)(b.x - a.x) / (double)(b.y - a.y);
	for (int64_t column = first; column <= last; column++)
		add_switch(s, (uint32_t)column, a.y + steep_step(a, slope, b.y - a.y, column) - 1);
}

static bool is_flat(struct corner a, struct corner b)
{
	return llabs(a.x - b.x) >= llabs(a.y - b.y);
}

static int compare_positions(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Two switches at one place are none. */
static size_t cancel_pairs(uint32_t *at, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && at[kept - 1] == at[i])
			kept--;
		else
			at[kept++] = at[i];
	}
	return kept;
}

/* Switches, rising and all different, to runs. */
static struct mask mask_of_switches(
	const uint32_t *at, size_t count, uint32_t width, uint32_t height, struct arena *a)
{
	uint32_t pixels = width * height, position = 0;
	uint32_t *runs = ARENA_ARRAY(a, uint32_t, count + 1);
	size_t run_count = 0;
	for (size_t i = 0; i < count && at[i] < pixels; i++) {
		runs[run_count++] = at[i] - position;
		position = at[i];
	}
	if (position < pixels || run_count == 0)
		runs[run_count++] = pixels - position;
	return (struct mask){width, height, runs, run_count};
}

static bool ring_is_usable(const struct mask_ring *ring)
{
	for (size_t i = 0; i < 2 * ring->point_count; i++)
		if (!isfinite(ring->points[i]))
			return false;
	return ring->point_count >= 3;
}

/* How many columns the edges of a ring can cross. */
static size_t switches_max(const struct mask_ring *ring, uint32_t width)
{
	size_t sum = 0;
	for (size_t i = 0; i < ring->point_count; i++) {
		const double *next = ring->points + 2 * ((i + 1) % ring->point_count);
		double from = fmin(fmax(ring->points[2 * i], 0), width);
		double to = fmin(fmax(next[0], 0), width);
		sum += (size_t)fabs(from - to) + 2;
	}
	return sum;
}

static struct mask mask_of_ring(
	const struct mask_ring *ring, uint32_t width, uint32_t height, struct arena *a)
{
	if (!ring_is_usable(ring))
		return mask_of_switches(NULL, 0, width, height, a);
	struct switches s = {.width = width, .height = height};
	s.at = ARENA_ARRAY(a, uint32_t, switches_max(ring, width));
	struct corner from = corner_of(ring->points + 2 * (ring->point_count - 1));
	for (size_t i = 0; i < ring->point_count; i++) {
		struct corner to = corner_of(ring->points + 2 * i);
		if (is_flat(from, to))
			add_flat_edge(&s, from, to);
		else
			add_steep_edge(&s, from, to);
		from = to;
	}
	qsort(s.at, s.count, sizeof(*s.at), compare_positions);
	return mask_of_switches(s.at, cancel_pairs(s.at, s.count), width, height, a);
}

struct mask mask_of_rings(
	const struct mask_ring *rings, size_t ring_count, uint32_t width, uint32_t height, struct arena *a)
{
	CHECK((uint64_t)width * height <= MASK_PIXELS_MAX);
	struct mask all = mask_of_switches(NULL, 0, width, height, a);
	for (size_t i = 0; i < ring_count; i++) {
		struct mask one = mask_of_ring(&rings[i], width, height, a);
		all = i == 0 ? one : mask_union(all, one, a);
	}
	return all;
}

/* ---- walking the runs of two masks side by side ---- */

struct walk {
	const struct mask *mask;
	size_t run;    /* an odd one is inside */
	uint32_t left; /* pixels of it */
};

static struct walk walk_start(const struct mask *m)
{
	struct walk w = {m, 0, m->run_count ? m->runs[0] : 0};
	while (w.left == 0 && w.run + 1 < m->run_count)
		w.left = m->runs[++w.run];
	return w;
}

static void walk_on(struct walk *w, uint32_t pixels)
{
	w->left -= pixels;
	if (w->left == 0 && w->run + 1 < w->mask->run_count)
		w->left = w->mask->runs[++w->run];
}

static bool is_inside(const struct walk *w)
{
	return w->run % 2 == 1;
}

struct mask mask_union(struct mask a, struct mask b, struct arena *arena)
{
	CHECK(a.width == b.width && a.height == b.height);
	uint32_t *at = ARENA_ARRAY(arena, uint32_t, a.run_count + b.run_count + 1);
	struct walk x = walk_start(&a), y = walk_start(&b);
	uint32_t position = 0;
	size_t count = 0;
	bool inside = false;
	while (x.left > 0 && y.left > 0) {
		if ((is_inside(&x) || is_inside(&y)) != inside) {
			inside = !inside;
			at[count++] = position;
		}
		uint32_t pixels = x.left < y.left ? x.left : y.left;
		walk_on(&x, pixels);
		walk_on(&y, pixels);
		position += pixels;
	}
	return mask_of_switches(at, count, a.width, a.height, arena);
}

uint64_t mask_shared_area(struct mask a, struct mask b)
{
	CHECK(a.width == b.width && a.height == b.height);
	struct walk x = walk_start(&a), y = walk_start(&b);
	uint64_t area = 0;
	while (x.left > 0 && y.left > 0) {
		uint32_t pixels = x.left < y.left ? x.left : y.left;
		area += is_inside(&x) && is_inside(&y) ? pixels : 0;
		walk_on(&x, pixels);
		walk_on(&y, pixels);
	}
	return area;
}

uint64_t mask_area(struct mask m)
{
	uint64_t area = 0;
	for (size_t i = 1; i < m.run_count; i += 2)
		area += m.runs[i];
	return area;
}

struct mask_bounds mask_bounds(struct mask m)
{
	struct mask_bounds b = {UINT32_MAX, UINT32_MAX, 0, 0};
	uint32_t position = 0;
	for (size_t i = 0; i < m.run_count; position += m.runs[i++]) {
		if (i % 2 == 0 || m.runs[i] == 0)
			continue;
		uint32_t last = position + m.runs[i] - 1, left = position / m.height, right = last / m.height;
		uint32_t top = left == right ? position % m.height : 0;
		uint32_t bottom = left == right ? last % m.height : m.height - 1;
		b.left = left < b.left ? left : b.left;
		b.right = right + 1 > b.right ? right + 1 : b.right;
		b.top = top < b.top ? top : b.top;
		b.bottom = bottom + 1 > b.bottom ? bottom + 1 : b.bottom;
	}
	return b.right ? b : (struct mask_bounds){0};
}
