/* SPDX-License-Identifier: Apache-2.0 */
/* cli/demo_camera.h: pictures are the same again, boxes hold what was drawn, and a lamp that fails is seen.
 */
#include "cli/demo_camera.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define SCENES 60u

static void test_the_same_again(void **state)
{
	struct demo_scene first, again, other;
	demo_scene_draw(5, 1, 1, &first);
	demo_scene_draw(5, 1, 1, &again);
	demo_scene_draw(5, 2, 1, &other);
	size_t size = 3u * DEMO_SIDE * DEMO_SIDE;
	assert_int_equal(first.image.width, DEMO_SIDE);
	assert_memory_equal(first.image.pixels, again.image.pixels, size);
	assert_int_equal(first.count, again.count);
	assert_true(memcmp(first.image.pixels, other.image.pixels, size) != 0);
	demo_scene_release(&first);
	demo_scene_release(&again);
	demo_scene_release(&other);
}

static void test_every_label_is_there_and_every_box_inside(void **state)
{
	unsigned seen[DEMO_LABEL_COUNT] = {0};
	for (uint32_t number = 0; number < SCENES; number++) {
		struct demo_scene scene;
		demo_scene_draw(7, number, 1, &scene);
		assert_in_range(scene.count, 1, DEMO_PARTS_MAX);
		for (size_t i = 0; i < scene.count; i++) {
			const struct demo_part *p = &scene.parts[i];
			assert_true(p->label < DEMO_LABEL_COUNT);
			seen[p->label]++;
			assert_true(p->x >= 0 && p->y >= 0);
			assert_true(p->x + p->width <= DEMO_SIDE && p->y + p->height <= DEMO_SIDE);
			assert_true(fmaxf(p->width, p->height) >= 24 && fminf(p->width, p->height) >= 10);
		}
		demo_scene_release(&scene);
	}
	for (unsigned label = 0; label < DEMO_LABEL_COUNT; label++)
		assert_true(seen[label] >= SCENES / 6);
}

static double luma_of(const struct demo_scene *scene, int x, int y)
{
	const uint8_t *p = scene->image.pixels + 3 * ((size_t)y * DEMO_SIDE + (size_t)x);
	return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

/* The truth is of the picture: metal, which is lighter than the belt, is in the boxes and not elsewhere. */
static void test_boxes_hold_the_parts(void **state)
{
	double inside = 0, outside = 0, inside_count = 0, outside_count = 0;
	for (uint32_t number = 0; number < SCENES; number++) {
		struct demo_scene scene;
		demo_scene_draw(7, number, 1, &scene);
		for (int y = 0; y < (int)DEMO_SIDE; y++) {
			for (int x = 0; x < (int)DEMO_SIDE; x++) {
				bool in = false, near = false;
				for (size_t i = 0; i < scene.count; i++) {
					const struct demo_part *p = &scene.parts[i];
					float right = p->x + p->width, bottom = p->y + p->height;
					in |= (float)x >= p->x && (float)x < right && (float)y >= p->y &&
					      (float)y < bottom;
					near |= (float)x >= p->x - 4 && (float)x < right + 6 &&
						(float)y >= p->y - 4 && (float)y < bottom + 6;
				}
				bool metal = luma_of(&scene, x, y) > 118;
				inside += in && metal;
				inside_count += in;
				outside += !near && metal;
				outside_count += !near;
			}
		}
		demo_scene_release(&scene);
	}
	assert_true(inside / inside_count > 0.3);
	assert_true(outside / outside_count < 0.002);
}

static void test_a_lamp_that_fails(void **state)
{
	for (uint32_t number = 0; number < 8; number++) {
		struct demo_scene day, failed;
		struct image_stats good, bad;
		demo_scene_draw(7, number, 1, &day);
		demo_scene_draw(7, number, 0, &failed);
		image_measure(&day.image, &good);
		image_measure(&failed.image, &bad);
		assert_true(bad.brightness < 0.6F * good.brightness);
		/* yellow */
		assert_true(bad.mean_rgb[2] < 0.85F * bad.mean_rgb[0]);
		assert_true(good.mean_rgb[2] > 0.9F * good.mean_rgb[0]);
		/* What lies there is the same. */
		assert_int_equal(day.count, failed.count);
		assert_memory_equal(day.parts, failed.parts, day.count * sizeof(day.parts[0]));
		demo_scene_release(&day);
		demo_scene_release(&failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_again),
		cmocka_unit_test(test_every_label_is_there_and_every_box_inside),
		cmocka_unit_test(test_boxes_hold_the_parts),
		cmocka_unit_test(test_a_lamp_that_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
