/* SPDX-License-Identifier: Apache-2.0 */
/* Masks: by hand, by the definition, and by COCO's own tools. */
#include "task/mask.h"

#include "base/check.h"
#include "score_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
	arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&arena);
	return 0;
}

static struct mask polygon(const double *points, size_t count, uint32_t width, uint32_t height)
{
	struct mask_ring ring = {points, count};
	return mask_of_rings(&ring, 1, width, height, &arena);
}

/* One character a pixel, row by row. */
static void expect_pixels(struct mask m, const char *rows)
{
	size_t run = 0, left = m.run_count ? m.runs[0] : 0;
	assert_int_equal(strlen(rows), m.width * m.height);
	for (uint32_t x = 0; x < m.width; x++) {
		for (uint32_t y = 0; y < m.height; y++) {
			while (left == 0)
				left = m.runs[++run];
			assert_int_equal(rows[y * m.width + x], run % 2 ? '#' : '.');
			left--;
		}
	}
	assert_int_equal(left, 0);
	assert_int_equal(run, m.run_count - 1);
}

static void test_a_rectangle_of_whole_pixels(void **state)
{
	const double points[] = {1, 1, 4, 1, 4, 3, 1, 3};
	struct mask m = polygon(points, 4, 5, 4);
	expect_pixels(m, "....."
			 ".###."
			 ".###."
			 ".....");
	assert_int_equal(mask_area(m), 6);
	struct mask_bounds b = mask_bounds(m);
	assert_int_equal(b.left, 1);
	assert_int_equal(b.top, 1);
	assert_int_equal(b.right, 4);
	assert_int_equal(b.bottom, 3);
}

static void test_the_whole_image_and_nothing(void **state)
{
	const double all[] = {0, 0, 5, 0, 5, 4, 0, 4}, beyond[] = {-9, -9, 90, -9, 90, 90, -9, 90};
	assert_int_equal(mask_area(polygon(all, 4, 5, 4)), 20);
	assert_int_equal(mask_area(polygon(beyond, 4, 5, 4)), 20);
	const double outside[] = {6, 6, 9, 6, 9, 9}, line[] = {1, 1, 3, 3};
	const double broken[] = {1, 1, NAN, 3, 3, 1}, far[] = {1, 1, INFINITY, 3, 3, 1};
	assert_int_equal(mask_area(polygon(outside, 3, 5, 4)), 0);
	assert_int_equal(mask_area(polygon(line, 2, 5, 4)), 0);
	assert_int_equal(mask_area(polygon(broken, 3, 5, 4)), 0);
	assert_int_equal(mask_area(polygon(far, 3, 5, 4)), 0);
	struct mask none = mask_of_rings(NULL, 0, 5, 4, &arena);
	expect_pixels(none, "....................");
	assert_int_equal(mask_bounds(none).right, 0);
	assert_int_equal(mask_area(mask_of_rings(NULL, 0, 0, 0, &arena)), 0);
}

static void test_far_corners_cost_nothing(void **state)
{
	const double points[] = {-1e300, -1e300, 1e300, -1e300, 1e300, 1e300, -1e300, 1e300};
	assert_int_equal(mask_area(polygon(points, 4, 500, 400)), 500 * 400);
}

static void test_several_rings_are_their_union(void **state)
{
	const double left[] = {0, 0, 2, 0, 2, 2, 0, 2}, right[] = {1, 1, 4, 1, 4, 3, 1, 3};
	struct mask_ring rings[] = {{left, 4}, {right, 4}};
	struct mask both = mask_of_rings(rings, 2, 4, 3, &arena);
	expect_pixels(both, "##.."
			    "####"
			    ".###");
	struct mask a = polygon(left, 4, 4, 3), b = polygon(right, 4, 4, 3);
	assert_int_equal(mask_shared_area(a, b), 1);
	assert_int_equal(mask_shared_area(both, b), 6);
}

static void test_a_ring_that_crosses_itself_is_even_odd(void **state)
{
	/* The same square twice around is nothing. */
	const double twice[] = {1, 1, 4, 1, 4, 3, 1, 3, 1, 1, 4, 1, 4, 3, 1, 3};
	assert_int_equal(mask_area(polygon(twice, 8, 5, 4)), 0);
}

/* union + shared = a + b, and a bound holds its mask. */
static void test_areas_add_up(void **state)
{
	uint64_t chance = 77;
	for (int i = 0; i < 500; i++) {
		struct match_box first = chance_box(&chance), second = chance_moved(&chance, first);
		struct mask a = chance_mask(&chance, first, &arena), b = chance_mask(&chance, second, &arena);
		struct mask both = mask_union(a, b, &arena);
		assert_int_equal(mask_area(both) + mask_shared_area(a, b), mask_area(a) + mask_area(b));
		assert_int_equal(mask_shared_area(both, a), mask_area(a));
		struct mask_bounds r = mask_bounds(a);
		double frame[] = {r.left, r.top, r.right, r.top, r.right, r.bottom, r.left, r.bottom};
		struct mask around = polygon(frame, 4, SAMPLE_WIDTH, SAMPLE_HEIGHT);
		assert_int_equal(mask_area(around), (r.right - r.left) * (r.bottom - r.top));
		assert_int_equal(mask_shared_area(around, a), mask_area(a));
	}
}

/* ---- the reference ---- */

struct golden_rings {
	uint64_t seed, area;
	uint32_t total;
};

static const struct golden_rings goldens[] = {
#define COCO(...)
#define VOC(...)
#define RINGS(seed, area, total) {seed, area, total},
#include "../golden/score.txt"
};

static void test_pixels_are_those_of_the_reference(void **state)
{
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		uint64_t chance = goldens[i].seed + 5000;
		struct match_box box = chance_box(&chance);
		struct mask m = chance_mask(&chance, box, &arena);
		uint32_t total = 0;
		for (size_t k = 0; k < m.run_count; k++)
			total = total * 31 + m.runs[k] + (uint32_t)k;
		assert_int_equal(mask_area(m), goldens[i].area);
		assert_int_equal(total, goldens[i].total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_rectangle_of_whole_pixels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_whole_image_and_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_far_corners_cost_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_several_rings_are_their_union, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_ring_that_crosses_itself_is_even_odd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_areas_add_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pixels_are_those_of_the_reference, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
