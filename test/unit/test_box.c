/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes: known numbers, the definition, and OpenCV's suppression. */
#include "vision/box.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_areas_and_overlaps(void **state)
{
	struct box a = {0, 0, 10, 10}, b = {5, 5, 15, 15}, inside = {2, 2, 4, 7};
	assert_float_equal(box_area(a), 100, 0);
	assert_float_equal(box_iou(a, a), 1, 0);
	assert_float_equal(box_iou(a, b), 25.0 / 175, 1e-6);
	assert_float_equal(box_iou(b, a), box_iou(a, b), 0);
	assert_float_equal(box_iou(a, inside), 0.1, 1e-6);
	assert_float_equal(box_iou(a, (struct box){10, 0, 20, 10}), 0, 0); /* they touch */
	assert_float_equal(box_iou(a, (struct box){11, 11, 20, 20}), 0, 0);
	assert_float_equal(box_iou((struct box){-5, -5, 5, 5}, a), 25.0 / 175, 1e-6);
}

static void test_empty_and_odd_boxes(void **state)
{
	struct box a = {0, 0, 10, 10}, empty = {3, 3, 3, 8}, inverted = {8, 8, 2, 2}, nan = {NAN, 0, 5, 5};
	assert_float_equal(box_area(empty), 0, 0);
	assert_float_equal(box_area(inverted), 0, 0);
	assert_float_equal(box_area(nan), 0, 0);
	assert_float_equal(box_iou(empty, empty), 0, 0);
	assert_float_equal(box_iou(a, inverted), 0, 0);
	assert_float_equal(box_iou(inverted, inverted), 0, 0);
}

static void test_clip(void **state)
{
	struct box b = box_clip((struct box){-5, 10, 700, 300}, 640, 200);
	assert_float_equal(b.x1, 0, 0);
	assert_float_equal(b.y1, 10, 0);
	assert_float_equal(b.x2, 640, 0);
	assert_float_equal(b.y2, 200, 0);
	b = box_clip((struct box){650, -20, 700, -10}, 640, 200); /* outside: empty, on the border */
	assert_float_equal(box_area(b), 0, 0);
	assert_float_equal(b.x1, 640, 0);
	b = box_clip((struct box){NAN, -INFINITY, INFINITY, NAN}, 640, 200);
	assert_float_equal(b.x1, 0, 0);
	assert_float_equal(b.x2, 640, 0);
	assert_float_equal(box_area(b), 0, 0);
}

static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

static void test_nms_equals_opencv(void **state)
{
	/* OpenCV 5.0 on the same 40 boxes: cv2.dnn.NMSBoxesBatched(boxes, scores, labels, 0.0, 0.5), and
	 * NMSBoxes without labels. A candidate's number is remembered in the thousandths of its score, which
	 * are all different. */
	static const int by_label[] = {4, 25, 35, 18, 28, 37, 1, 34, 19, 9, 5, 27, 8, 10, 33, 16, 21, 12, 29,
		15, 39, 26, 30, 14, 7, 24, 13, 0, 38, 23, 17, 6, 31, 3, 11};
	static const int together[] = {4, 25, 35, 18, 28, 1, 34, 19, 9, 5, 27, 8, 10, 33, 16, 21, 12, 29, 15,
		39, 30, 14, 7, 24, 13, 0, 38, 23, 6, 31};
	struct candidate all[40], work[40];
	uint32_t number = 7;
	for (int i = 0; i < 40; i++) {
		uint32_t x = next_number(&number), y = next_number(&number);
		uint32_t w = 20 + next_number(&number) % 40, h = 20 + next_number(&number) % 40;
		all[i].box = (struct box){
			(float)(x % 100), (float)(y % 100), (float)(x % 100 + w), (float)(y % 100 + h)};
		all[i].score = (float)(next_number(&number) % 1000) / 1000;
		all[i].label = (int32_t)(next_number(&number) % 3);
	}
	memcpy(work, all, sizeof(all));
	assert_int_equal(box_nms(work, 40, 0.5f, 100), COUNT_OF(by_label));
	for (size_t i = 0; i < COUNT_OF(by_label); i++)
		assert_memory_equal(&work[i], &all[by_label[i]], sizeof(all[0]));
	memcpy(work, all, sizeof(all));
	assert_int_equal(box_nms(work, 40, 0.5f, 7), 7); /* at most so many, the best */
	for (size_t i = 0; i < 7; i++)
		assert_memory_equal(&work[i], &all[by_label[i]], sizeof(all[0]));
	for (int i = 0; i < 40; i++)
		all[i].label = 0;
	memcpy(work, all, sizeof(all));
	assert_int_equal(box_nms(work, 40, 0.5f, 100), COUNT_OF(together));
	for (size_t i = 0; i < COUNT_OF(together); i++)
		assert_memory_equal(&work[i], &all[together[i]], sizeof(all[0]));
}

/* The definition, slowly: the best one left stays and takes away what overlaps it. Returns how many stay. */
static size_t slow_nms(
	const struct candidate *all, size_t count, float iou_max, size_t keep_max, size_t *kept)
{
	bool *gone = calloc(count + 1, 1);
	assert_non_null(gone);
	size_t stay = 0;
	while (stay < keep_max) {
		size_t best = count;
		for (size_t i = 0; i < count; i++)
			if (!gone[i] && (best == count || all[i].score > all[best].score))
				best = i;
		if (best == count)
			break;
		kept[stay++] = best;
		for (size_t i = 0; i < count; i++)
			if (all[i].label == all[best].label && box_iou(all[i].box, all[best].box) > iou_max)
				gone[i] = true;
		gone[best] = true;
	}
	free(gone);
	return stay;
}

static void test_nms_equals_its_definition(void **state)
{
	static struct candidate all[600], work[600];
	static size_t kept[600];
	uint32_t number = 1;
	for (size_t count = 0; count <= 600; count += 23)
		for (int round = 0; round < 3; round++) {
			for (size_t i = 0; i < count; i++) {
				float x = (float)(next_number(&number) % 997) / 7,
				      y = (float)(next_number(&number) % 997) / 7;
				float w = (float)(next_number(&number) % 500) / 9,
				      h = (float)(next_number(&number) % 500) / 9;
				all[i] = (struct candidate){.box = {x, y, x + w, y + h},
					.score = (float)(next_number(&number) %
							 50), /* many ties: they keep their order */
					.label = (int32_t)(next_number(&number) % 4)};
			}
			memcpy(work, all, sizeof(all));
			float iou_max = (float)round * 0.35f + 0.1f;
			size_t keep_max = round == 1 ? 17 : 600;
			size_t expected = slow_nms(all, count, iou_max, keep_max, kept);
			assert_int_equal(box_nms(work, count, iou_max, keep_max), expected);
			for (size_t i = 0; i < expected; i++)
				assert_memory_equal(&work[i], &all[kept[i]], sizeof(all[0]));
		}
}

static void test_nms_of_odd_input(void **state)
{
	struct candidate c[] = {
		{{0, 0, 9, 9}, NAN, 1},
		{{0, 0, 9, 9}, 0.1f, 1},
		{{NAN, 0, 9, NAN}, 0.5f, 1},
		{{4, 4, 4, 4}, 0.3f, 1},
		{{4, 4, 4, 4}, 0.2f, 1},
	};
	assert_int_equal(box_nms(c, 0, 0.5f, 10), 0);
	assert_int_equal(box_nms(c, 5, 0.5f, 0), 0);
	assert_int_equal(box_nms(c, 5, 0.5f, 10),
		4); /* NaN as a score is the lowest, and here a double of a better one */
	assert_float_equal(c[0].score, 0.5, 1e-6);
	assert_float_equal(c[3].score, 0.1, 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_areas_and_overlaps),
		cmocka_unit_test(test_empty_and_odd_boxes),
		cmocka_unit_test(test_clip),
		cmocka_unit_test(test_nms_equals_opencv),
		cmocka_unit_test(test_nms_equals_its_definition),
		cmocka_unit_test(test_nms_of_odd_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
