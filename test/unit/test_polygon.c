/* SPDX-License-Identifier: Apache-2.0 */
/* task/polygon: outlines of drawn and of random masks, against a flood from outside, and their
 * simplification. */
#include "task/polygon.h"

#include "base/check.h"
#include "os/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIDE_MAX 256

struct drawing {
	int32_t cells[SIDE_MAX * SIDE_MAX];
	struct cell_grid grid;
};

static void draw_blank(struct drawing *d, uint32_t width, uint32_t height)
{
	memset(d, 0, sizeof(*d));
	d->grid = (struct cell_grid){width, height, d->cells};
}

/* Rows of '#' and ' ', separated by '/'. */
static void draw(struct drawing *d, const char *text)
{
	uint32_t x = 0, y = 0, width = 0;
	for (const char *c = text; *c && *c != '/'; c++)
		width++;
	draw_blank(d, width, 1);
	for (const char *c = text; *c; c++) {
		if (*c == '/') {
			y++;
			x = 0;
			continue;
		}
		d->cells[y * width + x++] = *c == '#';
	}
	d->grid.height = y + 1;
}

/* The first cell by rows. */
static uint32_t first_cell(const struct drawing *d)
{
	uint32_t i = 0;
	while (d->cells[i] != 1)
		i++;
	return i;
}

static uint32_t trace(const struct drawing *d, float *points)
{
	uint32_t at = first_cell(d), width = d->grid.width;
	uint32_t count = polygon_trace(&d->grid, at % width, at / width, NULL);
	if (points != NULL)
		assert_int_equal(polygon_trace(&d->grid, at % width, at / width, points), count);
	return count;
}

static void expect_points(const char *text, const float *expected, uint32_t count)
{
	struct drawing *d = malloc(sizeof(*d));
	CHECK(d != NULL);
	draw(d, text);
	float points[64];
	assert_int_equal(trace(d, NULL), count);
	trace(d, points);
	for (uint32_t i = 0; i < 2 * count; i++)
		if (points[i] != expected[i])
			fail_msg("%s: number %u is %g, not %g", text, i, (double)points[i],
				(double)expected[i]);
	free(d);
}

#define POINTS(...) (const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / 8

static void test_outlines_by_hand(void **state)
{
	expect_points("#", POINTS(0, 0, 1, 0, 1, 1, 0, 1));
	expect_points("###/###", POINTS(0, 0, 3, 0, 3, 2, 0, 2)); /* all of the grid: its border */
	expect_points("   /  #/   ", POINTS(2, 1, 3, 1, 3, 2, 2, 2));
	expect_points("## /###/ # ", POINTS(0, 0, 2, 0, 2, 1, 3, 1, 3, 2, 2, 2, 2, 3, 1, 3, 1, 2, 0, 2));
	/* A hole is not walked, a corner that touches is not crossed. */
	expect_points("###/# #/###", POINTS(0, 0, 3, 0, 3, 3, 0, 3));
	expect_points("# / #", POINTS(0, 0, 1, 0, 1, 1, 0, 1));
	/* The region closes around a corner where two of its cells touch: it is one, and the corner is passed
	 * twice. */
	expect_points("###/# #/## ", POINTS(0, 0, 3, 0, 3, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 3, 0, 3));
}

static void test_areas_of_polygons(void **state)
{
	const float square[] = {0, 0, 2, 0, 2, 2, 0, 2}, turned[] = {0, 0, 0, 2, 2, 2, 2, 0},
		    line[] = {0, 0, 5, 5};
	assert_true(polygon_area(square, 4) == 4);
	assert_true(polygon_area(turned, 4) == 4);
	assert_true(polygon_area(line, 2) == 0);
}

/* ---- random masks ---- */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Cells of the grid that a flood from outside does not reach by sides or corners. */
static uint32_t enclosed(const struct drawing *d, uint8_t *reached, uint32_t *queue)
{
	uint32_t width = d->grid.width + 2, height = d->grid.height + 2, end = 0;
	memset(reached, 0, (size_t)width * height);
	reached[0] = 1;
	queue[end++] = 0;
	for (uint32_t at = 0; at < end; at++) {
		int x = (int)(queue[at] % width), y = (int)(queue[at] / width);
		for (int k = 0; k < 9; k++) {
			int nx = x + k % 3 - 1, ny = y + k / 3 - 1;
			if (nx < 0 || ny < 0 || nx >= (int)width || ny >= (int)height)
				continue;
			uint32_t cell = (uint32_t)ny * width + (uint32_t)nx;
			bool framed = nx > 0 && ny > 0 && nx < (int)width - 1 && ny < (int)height - 1;
			if (reached[cell] ||
				(framed &&
					d->cells[(uint32_t)(ny - 1) * d->grid.width + (uint32_t)nx - 1] == 1))
				continue;
			reached[cell] = 1;
			queue[end++] = cell;
		}
	}
	return width * height - end;
}

/* Leave only the region of the first cell. */
static void keep_first_region(struct drawing *d, uint32_t *queue)
{
	uint32_t width = d->grid.width, end = 0;
	queue[end] = first_cell(d);
	d->cells[queue[end++]] = 2;
	for (uint32_t at = 0; at < end; at++) {
		uint32_t x = queue[at] % width, y = queue[at] / width;
		const uint32_t near[] = {queue[at] - 1, queue[at] + 1, queue[at] - width, queue[at] + width};
		const bool there[] = {x > 0, x + 1 < width, y > 0, y + 1 < d->grid.height};
		for (int k = 0; k < 4; k++) {
			if (!there[k] || d->cells[near[k]] != 1)
				continue;
			d->cells[near[k]] = 2;
			queue[end++] = near[k];
		}
	}
	for (uint32_t i = 0; i < width * d->grid.height; i++)
		d->cells[i] = d->cells[i] == 2;
}

static void test_areas_of_random_masks(void **state)
{
	static struct drawing d;
	static uint8_t reached[(SIDE_MAX + 2) * (SIDE_MAX + 2)];
	static uint32_t queue[(SIDE_MAX + 2) * (SIDE_MAX + 2)];
	static float points[8 * SIDE_MAX * SIDE_MAX];
	uint32_t seed = 20;
	for (int round = 0; round < 400; round++) {
		draw_blank(&d, 1 + next(&seed) % 40, 1 + next(&seed) % 40);
		uint32_t density = 30 + next(&seed) % 60, cells = d.grid.width * d.grid.height;
		for (uint32_t i = 0; i < cells; i++)
			d.cells[i] = next(&seed) % 100 < density;
		d.cells[next(&seed) % cells] = 1;
		keep_first_region(&d, queue);
		uint32_t count = trace(&d, points), area = enclosed(&d, reached, queue);
		if (polygon_area(points, count) != area)
			fail_msg("round %d: area %g, not %u", round, polygon_area(points, count), area);
		for (uint32_t i = 0; i < count; i++) { /* every second side is level */
			const float *a = points + 2 * i, *b = points + 2 * ((i + 1) % count);
			assert_true(i % 2 == 0 ? a[1] == b[1] && a[0] != b[0] : a[0] == b[0] && a[1] != b[1]);
		}
	}
}

/* ---- simplification ---- */

static float distance_to_ring(const float *p, const float *ring, uint32_t count)
{
	double nearest = INFINITY;
	for (uint32_t i = 0; i < count; i++) {
		const float *a = ring + 2 * i, *b = ring + 2 * ((i + 1) % count);
		double dx = (double)b[0] - a[0], dy = (double)b[1] - a[1], px = (double)p[0] - a[0],
		       py = (double)p[1] - a[1];
		double length = dx * dx + dy * dy, t = length > 0 ? (px * dx + py * dy) / length : 0;
		t = fmax(0, fmin(1, t));
		nearest = fmin(nearest, hypot(px - t * dx, py - t * dy));
	}
	return (float)nearest;
}

static void draw_disc(struct drawing *d, uint32_t side, double radius)
{
	draw_blank(d, side, side);
	for (uint32_t i = 0; i < side * side; i++)
		d->cells[i] =
			hypot(i % side + 0.5 - side / 2.0, (double)(i / side) + 0.5 - side / 2.0) < radius;
}

static void test_simplified_outlines_are_near(void **state)
{
	static struct drawing d;
	static float ring[8 * SIDE_MAX * SIDE_MAX], simple[8 * SIDE_MAX * SIDE_MAX];
	static bool stays[4 * SIDE_MAX * SIDE_MAX];
	static const float tolerances[] = {0, 0.5f, 1, 2, 5};
	draw_disc(&d, 200, 90);
	uint32_t count = trace(&d, ring), last = count + 1;
	for (size_t i = 0; i < sizeof(tolerances) / sizeof(tolerances[0]); i++) {
		memcpy(simple, ring, 2 * (size_t)count * sizeof(*ring));
		uint32_t kept = polygon_simplify(simple, count, tolerances[i], stays);
		assert_true(kept < last && kept >= 4);
		last = kept;
		if (tolerances[i] == 0)
			assert_int_equal(kept, count);
		for (uint32_t k = 0; k < count; k++)
			assert_true(distance_to_ring(ring + 2 * k, simple, kept) <= tolerances[i] + 1e-4f);
		double cells = 3.14159265 * 90 * 90;
		assert_true(
			fabs(polygon_area(simple, kept) - cells) < (tolerances[i] < 5 ? 0.03 : 0.08) * cells);
	}
	assert_true(last <= 16);
	print_message("           a disc of radius 90: %u points of %u at a tolerance of 5\n", last, count);
}

/* A comb: every point of its outline matters, and no part is a shortcut of another. */
static void test_the_worst_ring_takes_linear_time(void **state)
{
	enum { TEETH = 100000 };
	uint32_t count = 0;
	float *ring = malloc(8 * TEETH * sizeof(*ring));
	bool *stays = malloc(4 * TEETH);
	CHECK(ring != NULL && stays != NULL);
	for (uint32_t i = 0; i < TEETH;
		i++) { /* distances rise all the way, so that each split takes one point off */
		ring[2 * count] = (float)i;
		ring[2 * count++ + 1] = (float)(i % 2) * (10 + (float)i);
	}
	ring[2 * count] = TEETH / 2;
	ring[2 * count++ + 1] = -10;
	int64_t before_us = clock_mono_us();
	uint32_t kept = polygon_simplify(ring, count, 1, stays);
	int64_t took_us = clock_mono_us() - before_us;
	print_message("           %u points of %u in %lld us\n", kept, count, (long long)took_us);
	assert_true(kept > TEETH / 2);
	assert_in_range(took_us, 0, 2000000);
	free(ring);
	free(stays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outlines_by_hand),
		cmocka_unit_test(test_areas_of_polygons),
		cmocka_unit_test(test_areas_of_random_masks),
		cmocka_unit_test(test_simplified_outlines_are_near),
		cmocka_unit_test(test_the_worst_ring_takes_linear_time),
	};
	return cmocka_run_group_tests_name("polygon", tests, NULL, NULL);
}
