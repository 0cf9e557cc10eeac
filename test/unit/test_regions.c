/* SPDX-License-Identifier: Apache-2.0 */
/* task/regions: masks to polygons in image pixels: drawn ones, the rules for small and many, maps and
 * padding. */
#include "task/regions.h"

#include "base/check.h"
#include "os/clock.h"
#include "task/polygon.h"
#include "task_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct world {
	struct arena arena;
	struct recipe recipe;
	struct tensor_map map;
	struct region_mask mask;
	struct shapes shapes;
};

/* A mask over an input of its own size, over an image of the same size. */
static void begin(struct world *w, uint32_t width, uint32_t height)
{
	*w = (struct world){.recipe = sample_recipe(OUTPUT_SEMANTIC, width, height, 3),
		.map = {1, 1, 0, 0, width, height}};
	arena_init(&w->arena);
	region_mask_init(&w->mask, width, height, &w->arena);
}

static void set(struct world *w, uint32_t x, uint32_t y, int32_t label, float score)
{
	w->mask.labels[y * w->mask.width + x] = label;
	w->mask.scores[y * w->mask.width + x] = score;
}

static void find(struct world *w)
{
	regions_shapes(&w->mask, &w->recipe, &w->map, &w->arena, &w->shapes);
	(void)shapes_pack(&w->shapes, &w->arena); /* holds every rule of a shape */
}

static void rectangle(struct world *w, uint32_t x1, uint32_t y1, uint32_t x2, uint32_t y2, int32_t label)
{
	for (uint32_t y = y1; y < y2; y++)
		for (uint32_t x = x1; x < x2; x++)
			set(w, x, y, label, 0.75f);
}

static void expect_polygon(
	const struct shape *s, int32_t label, float score, struct box box, double area, double error)
{
	assert_int_equal(s->kind, SHAPE_POLYGON);
	assert_int_equal(s->label, label);
	assert_float_equal(s->score, score, 1e-6);
	assert_float_equal(s->box.x1, box.x1, 1e-3);
	assert_float_equal(s->box.y1, box.y1, 1e-3);
	assert_float_equal(s->box.x2, box.x2, 1e-3);
	assert_float_equal(s->box.y2, box.y2, 1e-3);
	assert_true(fabs(polygon_area(s->points, s->point_count) - area) <= error * area);
}

static void test_touching_classes_are_apart(void **state)
{
	struct world w;
	begin(&w, 20, 10);
	rectangle(&w, 0, 0, 10, 10, 1); /* to the border on three sides */
	rectangle(&w, 10, 0, 20, 10, 0);
	rectangle(&w, 12, 2, 16, 6, -1);   /* a hole: not cut out */
	for (uint32_t i = 0; i < 100; i++) /* the mean of 0.5 and 1 */
		w.mask.scores[i / 10 * 20 + i % 10] = i % 2 ? 1 : 0.5f;
	find(&w);
	assert_int_equal(w.shapes.count, 2);
	expect_polygon(&w.shapes.items[0], 0, 0.75f, (struct box){10, 0, 20, 10}, 100, 0);
	expect_polygon(&w.shapes.items[1], 1, 0.75f, (struct box){0, 0, 10, 10}, 100, 0);
	assert_int_equal(w.shapes.items[0].point_count, 4);
	arena_release(&w.arena);
}

static void test_cells_that_touch_at_a_corner_are_two_regions(void **state)
{
	struct world w;
	begin(&w, 8, 8);
	rectangle(&w, 0, 0, 4, 4, 1);
	rectangle(&w, 4, 4, 8, 8, 1);
	find(&w);
	assert_int_equal(w.shapes.count, 2);
	arena_release(&w.arena);
}

static void test_small_regions_fall_away(void **state)
{
	struct world w;
	begin(&w, 100, 100);
	rectangle(&w, 0, 0, 10, 10, 1);
	rectangle(&w, 20, 0, 29, 10, 1);
	w.recipe.region_area_min = 0.01f;
	find(&w);
	assert_int_equal(w.shapes.count, 1);
	assert_float_equal(w.shapes.items[0].box.x2, 10, 1e-3);
	arena_release(&w.arena);
}

/* Pixels drawn into a mask of a quarter of the sides; the image is half the input's size. */
static void test_a_mask_is_mapped_to_the_image(void **state)
{
	struct world w;
	begin(&w, 40, 20);
	w.recipe.input.width = 160;
	w.recipe.input.height = 80;
	w.map = (struct tensor_map){2, 2, 0, 0, 80, 40};
	rectangle(&w, 5, 3, 30, 17, 2);
	find(&w);
	assert_int_equal(w.shapes.count, 1);
	expect_polygon(&w.shapes.items[0], 2, 0.75f, (struct box){10, 6, 60, 34}, 50 * 28, 1e-6);
	arena_release(&w.arena);
}

static void test_padding_is_no_part_of_the_image(void **state)
{
	struct world w;
	begin(&w, 32, 32);
	/* An image of 64 x 32 letterboxed in the middle: rows 8…24. */
	w.map = (struct tensor_map){0.5f, 0.5f, 0, 8, 64, 32};
	struct region_bounds b = region_mask_bounds(&w.mask, &w.recipe.input, &w.map);
	assert_int_equal(b.column_first, 0);
	assert_int_equal(b.column_end, 32);
	assert_int_equal(b.row_first, 8);
	assert_int_equal(b.row_end, 24);
	/* An image of 7 x 5 cropped to its middle: all cells are in it. */
	w.map = (struct tensor_map){6.4f, 6.4f, -6.4f, 0, 7, 5};
	b = region_mask_bounds(&w.mask, &w.recipe.input, &w.map);
	assert_int_equal(b.column_end - b.column_first, 32);
	assert_int_equal(b.row_end - b.row_first, 32);
	/* A mask of 3 x 3 cells over 32 x 32 pixels, of which the image has the left 10: not even half a
	 * cell. */
	w.mask.width = w.mask.height = 3;
	w.map = (struct tensor_map){1, 1, 0, 0, 5, 32};
	b = region_mask_bounds(&w.mask, &w.recipe.input, &w.map);
	assert_int_equal(b.column_end, 0);
	w.map.image_width = 6;
	b = region_mask_bounds(&w.mask, &w.recipe.input, &w.map);
	assert_int_equal(b.column_end, 1);
	arena_release(&w.arena);
}

static void test_outlines_end_at_the_image(void **state)
{
	struct world w;
	begin(&w, 8, 8);
	w.recipe.input.width = w.recipe.input.height = 64;
	w.map = (struct tensor_map){1, 1, 0, 0, 60, 50}; /* the last cells are half outside */
	rectangle(&w, 4, 4, 8, 7, 0);
	find(&w);
	assert_int_equal(w.shapes.count, 1);
	expect_polygon(&w.shapes.items[0], 0, 0.75f, (struct box){32, 32, 60, 50}, 28 * 18, 1e-6);
	arena_release(&w.arena);
}

/* ---- drawn masks ---- */

enum figure { DISC, RING, TRIANGLE, CROSS, STAR, FIGURE_COUNT };

static bool is_in(enum figure f, double x, double y)
{
	double r = hypot(x, y), angle = atan2(y, x);
	switch (f) {
	case DISC: return r < 0.8;
	case RING: return r < 0.8 && r > 0.5 && fabs(angle) < 2.5; /* open, so that there is no hole */
	case TRIANGLE: return y > -0.6 && y < 0.6 && fabs(x) < (y + 0.6) / 1.5;
	case CROSS: return (fabs(x) < 0.15 && fabs(y) < 0.8) || (fabs(y) < 0.15 && fabs(x) < 0.8);
	default: return r < 0.55 + 0.3 * cos(5 * angle);
	}
}

static void test_areas_agree_with_pixel_counts(void **state)
{
	static const uint32_t sides[] = {32, 129, 257, 512};
	double worst = 0;
	for (int f = 0; f < FIGURE_COUNT; f++) {
		for (size_t i = 0; i < COUNT_OF(sides); i++) {
			struct world w;
			uint32_t side = sides[i], cells = 0;
			begin(&w, side, side);
			w.recipe.polygon_tolerance = 2;
			w.map = (struct tensor_map){(float)side / 640, (float)side / 480, 0, 0, 640, 480};
			for (uint32_t k = 0; k < side * side; k++) {
				double x = (k % side + 0.5) / side * 2 - 1,
				       y = ((double)(k / side) + 0.5) / side * 2 - 1;
				if (is_in((enum figure)f, x, y)) {
					set(&w, k % side, k / side, f % 3, 1);
					cells++;
				}
			}
			find(&w);
			assert_int_equal(w.shapes.count, 1);
			const struct shape *s = &w.shapes.items[0];
			double pixels = cells * 640.0 * 480 / side / side;
			double error = fabs(polygon_area(s->points, s->point_count) - pixels) / pixels;
			worst = fmax(worst, error);
			if (error > 0.03)
				fail_msg("figure %d at %u: the area is %.1f %% off", f, side, error * 100);
			assert_true(s->point_count < 400);
			arena_release(&w.arena);
		}
	}
	print_message("           at most %.2f %% off at a tolerance of 2 pixels\n", worst * 100);
}

static void test_thin_regions_keep_their_area(void **state)
{
	struct world w;
	begin(&w, 200, 200);
	rectangle(&w, 10, 10, 190, 11, 0); /* a line of one pixel */
	rectangle(&w, 50, 50, 52, 52, 1);  /* a dot of two */
	for (uint32_t i = 0; i < 80; i++)  /* a diagonal of steps */
		rectangle(&w, 100 + i, 80 + i, 102 + i, 81 + i, 2);
	w.recipe.polygon_tolerance = 10;
	find(&w);
	assert_int_equal(w.shapes.count, 3);
	static const double areas[] = {180, 4, 160};
	for (int i = 0; i < 3; i++) {
		const struct shape *s = &w.shapes.items[i];
		double area = polygon_area(s->points, s->point_count);
		assert_true(fabs(area - areas[s->label]) <= 0.05 * areas[s->label]);
	}
	arena_release(&w.arena);
}

/* ---- limits ---- */

static void test_the_largest_regions_stay(void **state)
{
	struct world w;
	begin(&w, 1024, 1024);
	/* 4,096 regions in a grid of 64 x 64, each one pixel wide and 1 to 8 long. */
	for (uint32_t i = 0; i < 4096; i++) {
		uint32_t x = i % 64 * 16, y = i / 64 * 16, length = 1 + i % 8;
		rectangle(&w, x, y, x + length, y + 1, (int32_t)(i % 3));
	}
	find(&w);
	assert_int_equal(w.shapes.count, SHAPES_MAX);
	for (size_t i = 0; i < w.shapes.count; i++)
		assert_true(w.shapes.items[i].box.x2 - w.shapes.items[i].box.x1 == 8);
	arena_release(&w.arena);
}

static void test_points_are_bounded(void **state)
{
	struct world w;
	begin(&w, 1024, 512);
	/* Two combs whose outlines have some 200,000 corners between them. */
	for (uint32_t y = 0; y < 512; y++) {
		for (uint32_t x = 0; x < 1024; x++) {
			bool spine = y % 4 == 1 || x == 0 || x == 1023;
			bool tooth = y % 4 == 0 && x % 2 == 0;
			if (spine || tooth)
				set(&w, x, y, y < 256, 1);
		}
	}
	int64_t before_us = clock_mono_us();
	find(&w);
	int64_t took_us = clock_mono_us() - before_us;
	assert_int_equal(w.shapes.count, 2);
	for (size_t i = 0; i < w.shapes.count; i++)
		assert_in_range(w.shapes.items[i].point_count, 3, SHAPE_POINTS_MAX);
	print_message("           %u and %u points in %lld us\n", w.shapes.items[0].point_count,
		w.shapes.items[1].point_count, (long long)took_us);
	assert_in_range(took_us, 0, 5000000);
	arena_release(&w.arena);
}

static void test_a_checkerboard_takes_linear_time(void **state)
{
	struct world w;
	begin(&w, 2048, 2048);
	for (uint32_t i = 0; i < 2048 * 2048; i++)
		set(&w, i % 2048, i / 2048, (i + i / 2048) % 2 ? 0 : -1, 1);
	int64_t before_us = clock_mono_us();
	find(&w);
	int64_t took_us = clock_mono_us() - before_us;
	assert_int_equal(w.shapes.count, SHAPES_MAX);
	print_message("           2,097,152 regions in %lld us\n", (long long)took_us);
	assert_in_range(took_us, 0, 10000000);
	arena_release(&w.arena);
}

static void test_nothing_is_nothing(void **state)
{
	struct world w;
	begin(&w, 16, 16);
	find(&w);
	assert_int_equal(w.shapes.count, 0);
	arena_release(&w.arena);
	begin(&w, 0, 16);
	find(&w);
	assert_int_equal(w.shapes.count, 0);
	struct region_bounds b = region_mask_bounds(&w.mask, &w.recipe.input, &w.map);
	assert_int_equal(b.row_end, 0);
	arena_release(&w.arena);
	begin(&w, 16, 16);
	rectangle(&w, 2, 2, 9, 9, 0);
	for (uint32_t i = 0; i < 256; i++)
		w.mask.scores[i] = 0.001f; /* below the floor */
	find(&w);
	assert_int_equal(w.shapes.count, 0);
	arena_release(&w.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_touching_classes_are_apart),
		cmocka_unit_test(test_cells_that_touch_at_a_corner_are_two_regions),
		cmocka_unit_test(test_small_regions_fall_away),
		cmocka_unit_test(test_a_mask_is_mapped_to_the_image),
		cmocka_unit_test(test_padding_is_no_part_of_the_image),
		cmocka_unit_test(test_outlines_end_at_the_image),
		cmocka_unit_test(test_areas_agree_with_pixel_counts),
		cmocka_unit_test(test_thin_regions_keep_their_area),
		cmocka_unit_test(test_the_largest_regions_stay),
		cmocka_unit_test(test_points_are_bounded),
		cmocka_unit_test(test_a_checkerboard_takes_linear_time),
		cmocka_unit_test(test_nothing_is_nothing),
	};
	return cmocka_run_group_tests_name("regions", tests, NULL, NULL);
}
