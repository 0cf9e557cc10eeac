/* SPDX-License-Identifier: Apache-2.0 */
/* task/output_yolo_v5, _boxes_scores, _end_to_end, _end_to_end_parts: by hand for a few boxes, by NumPy for
 * many. */
#include "task/detections.h"
#include "task/recipe.h"

#include "task_outcomes.h"

/* ---- by hand ---- */

static void test_v5_scores_are_products(void **state)
{
	const float rows[] = {
		50,
		40,
		20,
		10,
		0.8f,
		0.5f,
		0.25f,
		/**/ 50,
		40,
		20,
		10,
		0.5f,
		0.9f,
		0.1f, /* overlaps the next */
		51,
		40,
		20,
		10,
		0.9f,
		0.9f,
		0.1f,
		/**/ 5,
		5,
		4,
		4,
		0.009f,
		1,
		1, /* no object */
		5,
		5,
		4,
		4,
		0.1f,
		0.05f,
		0.05f,
		/**/ 30,
		30,
		NAN,
		4,
		0.9f,
		0.9f,
		0,
	};
	struct engine_tensor t = sample_tensor(rows, DIMS(1, 6, 7));
	struct recipe r = sample_recipe(OUTPUT_YOLO_V5, 64, 64, 2);
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 1);
	expect_box(&o.shapes.items[0], 0, 0.81f, 41, 35, 61, 45);
	arena_release(&o.arena);
	r.nms_iou = 1;
	o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 3);
	expect_box(&o.shapes.items[1], 0, 0.45f, 40, 35, 60, 45);
	expect_box(&o.shapes.items[2], 0, 0.4f, 40, 35, 60, 45);
	arena_release(&o.arena);
}

/* One box, 20…60 by 10…40 of an input of 100 x 50, in each form and unit. */
static void test_boxes_in_all_forms(void **state)
{
	static const struct {
		enum box_form form;
		enum box_unit unit;
		float values[4];
	} cases[] = {
		{BOX_FORM_CORNERS, BOX_UNIT_PIXELS, {20, 10, 60, 40}},
		{BOX_FORM_CORNERS_YX, BOX_UNIT_PIXELS, {10, 20, 40, 60}},
		{BOX_FORM_CENTER, BOX_UNIT_PIXELS, {40, 25, 40, 30}},
		{BOX_FORM_CORNERS, BOX_UNIT_FRACTION, {0.2f, 0.2f, 0.6f, 0.8f}},
		{BOX_FORM_CORNERS_YX, BOX_UNIT_FRACTION, {0.2f, 0.2f, 0.8f, 0.6f}},
		{BOX_FORM_CENTER, BOX_UNIT_FRACTION, {0.4f, 0.5f, 0.4f, 0.6f}},
	};
	/* Background, two classes; the second place is background. */
	const float scores[] = {0.1f, 0.2f, 0.7f, 0.995f, 0.002f, 0.003f};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		float boxes[8] = {0};
		memcpy(boxes, cases[i].values, sizeof(cases[i].values));
		struct engine_tensor t[] = {
			sample_tensor(scores, DIMS(1, 2, 3)), sample_tensor(boxes, DIMS(1, 2, 4))};
		struct recipe r = sample_recipe(OUTPUT_BOXES_SCORES, 100, 50, 3);
		r.background = BACKGROUND_FIRST;
		r.box_form = cases[i].form;
		r.box_unit = cases[i].unit;
		struct outcome o = read_outputs(&r, t, 2, &as_it_is);
		assert_int_equal(o.status, ST_OK);
		assert_int_equal(o.shapes.count, 1);
		expect_box(&o.shapes.items[0], 1, 0.7f, 20, 10, 60, 40);
		arena_release(&o.arena);
		t[1] = sample_tensor(boxes, DIMS(1, 2, 1, 4));
		o = read_outputs(&r, t, 2, &as_it_is);
		assert_int_equal(o.shapes.count, 1);
		arena_release(&o.arena);
	}
}

static void test_a_background_may_be_last_or_none(void **state)
{
	const float scores[] = {0.1f, 0.2f, 0.7f}, boxes[] = {1, 2, 3, 4};
	struct engine_tensor t[] = {
		sample_tensor(scores, DIMS(1, 1, 3)), sample_tensor(boxes, DIMS(1, 1, 4))};
	struct recipe r = sample_recipe(OUTPUT_BOXES_SCORES, 100, 50, 3);
	static const struct {
		enum background background;
		int32_t label;
		float score;
	} cases[] = {{BACKGROUND_NONE, 2, 0.7f}, {BACKGROUND_FIRST, 1, 0.7f}, {BACKGROUND_LAST, 1, 0.2f}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		r.background = cases[i].background;
		struct outcome o = read_outputs(&r, t, 2, &as_it_is);
		assert_int_equal(o.shapes.count, 1);
		expect_box(&o.shapes.items[0], cases[i].label, cases[i].score, 1, 2, 3, 4);
		arena_release(&o.arena);
	}
}

static void test_rows_of_final_boxes(void **state)
{
	/* Overlapping ones stay: NMS was inside. The third is padding, the fourth a score too low. */
	const float six[] = {10, 20, 30, 40, 0.9f, 1, /**/ 11, 20, 30, 40, 0.8f, 1, /**/ 0, 0, 0, 0, 0, 0,
		/**/ 1, 1, 5, 5, 0.004f, 77};
	struct engine_tensor t = sample_tensor(six, DIMS(1, 4, 6));
	struct recipe r = sample_recipe(OUTPUT_END_TO_END, 64, 64, 2);
	r.nms_iou = 1;
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 2);
	expect_box(&o.shapes.items[0], 1, 0.9f, 10, 20, 30, 40);
	expect_box(&o.shapes.items[1], 1, 0.8f, 11, 20, 30, 40);
	arena_release(&o.arena);
	t = sample_tensor(six, DIMS(4, 6));
	o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 2);
	arena_release(&o.arena);

	/* Batch, box, class, score; the second is of another image, the third has the class of padding. */
	const float seven[] = {0, 10, 20, 30, 40, 1, 0.9f, /**/ 1, 10, 20, 30, 40, 1, 0.8f, /**/ 0, 10, 20,
		30, 40, -1, 0.7f, /**/ 0, 5, 5, 9, 9, 0.5f, 0.7f};
	t = sample_tensor(seven, DIMS(4, 7));
	r.row_order = ROW_CLASS_SCORE;
	o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 1);
	expect_box(&o.shapes.items[0], 1, 0.9f, 10, 20, 30, 40);
	arena_release(&o.arena);
}

static void test_a_class_that_is_not_counted_fails(void **state)
{
	const float row[] = {10, 20, 30, 40, 0.9f, 2};
	struct engine_tensor t = sample_tensor(row, DIMS(1, 1, 6));
	struct recipe r = sample_recipe(OUTPUT_END_TO_END, 64, 64, 2);
	expect_failure(&r, &t, 1, "class 2 of a box, but the recipe has 2");
	r.class_count = 3;
	r.background = BACKGROUND_FIRST;
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 1);
	assert_int_equal(o.shapes.items[0].label, 1);
	arena_release(&o.arena);
	r.background = BACKGROUND_LAST;
	o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 0);
	arena_release(&o.arena);
}

static void test_no_rows_are_no_failure(void **state)
{
	float nothing = 0;
	struct recipe r = sample_recipe(OUTPUT_END_TO_END, 64, 64, 2);
	struct engine_tensor t = sample_tensor(&nothing, DIMS(1, 1, 6));
	t.shape[1] = 0;
	t.size = 0;
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 0);
	arena_release(&o.arena);
	t.rank = 2;
	t.shape[0] = 0;
	t.shape[1] = 7;
	t.data = NULL;
	o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	arena_release(&o.arena);
}

static void test_parts_with_classes_of_any_type(void **state)
{
	const float boxes[] = {10, 20, 30, 40, 1, 2, 3, 4, 0, 0, 0, 0}, scores[] = {0.5f, 0.75f, 0};
	const int64_t wide[] __attribute__((aligned(4))) = {1, 0, 0};
	const int32_t narrow[] = {1, 0, 0};
	const uint8_t bytes[] __attribute__((aligned(4))) = {1, 0, 0};
	const float reals[] = {1, 0, 0};
	const double doubles[] = {1, 0, 0};
	const struct {
		enum engine_type type;
		const void *data;
		size_t size;
	} cases[] = {{ENGINE_INT64, wide, sizeof(wide)}, {ENGINE_INT32, narrow, sizeof(narrow)},
		{ENGINE_UINT8, bytes, sizeof(bytes)}, {ENGINE_INT8, bytes, sizeof(bytes)},
		{ENGINE_FLOAT32, reals, sizeof(reals)}, {ENGINE_DOUBLE, doubles, sizeof(doubles)}};
	struct recipe r = sample_recipe(OUTPUT_END_TO_END_PARTS, 64, 64, 2);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct engine_tensor t[] = {sample_tensor(boxes, DIMS(1, 3, 4)),
			sample_tensor(scores, DIMS(1, 3)),
			{.type = cases[i].type,
				.rank = 2,
				.shape = {1, 3},
				.data = cases[i].data,
				.size = cases[i].size}};
		for (int batched = 1; batched >= 0; batched--) {
			struct outcome o = read_outputs(&r, t, 3, &as_it_is);
			assert_int_equal(o.status, ST_OK);
			assert_int_equal(o.shapes.count, 2);
			expect_box(&o.shapes.items[0], 0, 0.75f, 1, 2, 3, 4);
			expect_box(&o.shapes.items[1], 1, 0.5f, 10, 20, 30, 40);
			arena_release(&o.arena);
			t[0] = sample_tensor(boxes, DIMS(3, 4));
			t[1] = sample_tensor(scores, DIMS(3));
			t[2].rank = 1;
			t[2].shape[0] = 3;
		}
		t[2].shape[0] = 2;
		expect_failure(&r, t, 3, "boxes [1,K,4], scores [1,K] and classes [1,K]");
	}
}

static void test_odd_tensors_fail_with_a_sentence(void **state)
{
	float values[64] = {0};
	struct recipe v5 = sample_recipe(OUTPUT_YOLO_V5, 64, 64, 2),
		      pair = sample_recipe(OUTPUT_BOXES_SCORES, 64, 64, 2),
		      rows = sample_recipe(OUTPUT_END_TO_END, 64, 64, 2);
	struct engine_tensor t[2] = {
		sample_tensor(values, DIMS(1, 5, 6)), sample_tensor(values, DIMS(1, 5, 4))};
	expect_failure(&v5, t, 1, "[1,N,7], but the model's output is float32[1,5,6]");
	expect_failure(&pair, t, 2, "float32[1,5,6] and float32[1,5,4]");
	t[0] = sample_tensor(values, DIMS(1, 4, 2));
	expect_failure(&pair, t, 2, "float32[1,4,2] and float32[1,5,4]");
	t[0] = sample_tensor(values, DIMS(2, 2, 6));
	expect_failure(&rows, t, 1, "float32[2,2,6]");
	t[0] = sample_tensor(values, DIMS(1, 2, 8));
	expect_failure(&rows, t, 1, "float32[1,2,8]");
	t[0] = sample_tensor(values, DIMS(1, 2, 6));
	t[0].type = ENGINE_INT64;
	t[0].size = 96;
	expect_failure(&rows, t, 1, "int64, not float32");
}

/* ---- by NumPy ---- */

#define PLACES 120
#define FINALS 40

static void test_v5_agrees_with_numpy(void **state)
{
	enum { VALUES = 5 + GOLDEN_CLASSES };
	float *v;
	struct engine_tensor t = sample_zeros(&v, DIMS(1, GOLDEN_CELLS, VALUES));
	for (uint32_t i = 0; i < GOLDEN_CELLS * VALUES; i++) {
		float u = uniform(i, 10);
		uint32_t k = i % VALUES;
		v[i] = k == 0 ? u * 96 : k == 1 ? u * 64 : k < 4 ? u * 40 : k == 4 ? u * u : u;
	}
	struct recipe r = sample_recipe(OUTPUT_YOLO_V5, 96, 64, GOLDEN_CLASSES);
	expect_golden("yolo_v5", &r, &t, 1);
	expect_golden_half("yolo_v5_half", &r, &t);
	free(v);
}

/* Corners in 0…1, as sample_corners in test/golden/outputs.py. */
static void fill_corners(float *boxes, uint32_t count, uint32_t seed)
{
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < 2; k++) {
			float low = uniform(4 * i + k, seed) * 0.75f;
			boxes[4 * i + k] = low;
			boxes[4 * i + 2 + k] = low + uniform(4 * i + 2 + k, seed) * 0.25f;
		}
	}
}

static void test_pairs_agree_with_numpy(void **state)
{
	static float logits[PLACES * GOLDEN_CLASSES], boxes[PLACES * 4];
	struct engine_tensor t[] = {sample_tensor(logits, DIMS(1, PLACES, GOLDEN_CLASSES)),
		sample_tensor(boxes, DIMS(1, PLACES, 4))};
	struct recipe r = sample_recipe(OUTPUT_BOXES_SCORES, 96, 64, GOLDEN_CLASSES);
	r.probabilities = false;
	for (uint32_t i = 0; i < PLACES * GOLDEN_CLASSES; i++)
		logits[i] = uniform(i, 11) * 8 - 4;
	fill_corners(boxes, PLACES, 12);
	r.background = BACKGROUND_FIRST;
	r.box_unit = BOX_UNIT_FRACTION;
	expect_golden("boxes_scores_corners", &r, t, 2);
	for (uint32_t i = 0; i < PLACES * GOLDEN_CLASSES; i++)
		logits[i] = uniform(i, 13) * 8 - 6;
	for (uint32_t i = 0; i < PLACES * 4; i++)
		boxes[i] = uniform(i, 14) * 60;
	r.background = BACKGROUND_NONE;
	r.box_form = BOX_FORM_CENTER;
	r.box_unit = BOX_UNIT_PIXELS;
	expect_golden("boxes_scores_centres", &r, t, 2);
}

static void test_final_boxes_agree_with_numpy(void **state)
{
	static float rows[FINALS * 7], boxes[FINALS * 4], scores[FINALS], classes[FINALS];
	struct recipe r = sample_recipe(OUTPUT_END_TO_END, 96, 64, GOLDEN_CLASSES);
	r.row_order = ROW_CLASS_SCORE;
	r.box_unit = BOX_UNIT_FRACTION;
	r.nms_iou = 1;
	fill_corners(boxes, FINALS, 15);
	for (uint32_t i = 0; i < FINALS; i++) {
		memcpy(rows + 7 * i + 1, boxes + 4 * i, 4 * sizeof(float));
		rows[7 * i + 5] = floorf(uniform(i, 16) * GOLDEN_CLASSES);
		rows[7 * i + 6] = uniform(i, 17);
	}
	struct engine_tensor t = sample_tensor(rows, DIMS(FINALS, 7));
	expect_golden("end_to_end", &r, &t, 1);

	r = sample_recipe(OUTPUT_END_TO_END_PARTS, 96, 64, GOLDEN_CLASSES);
	r.background = BACKGROUND_FIRST;
	r.box_form = BOX_FORM_CORNERS_YX;
	r.box_unit = BOX_UNIT_FRACTION;
	r.nms_iou = 1;
	fill_corners(boxes, FINALS, 18);
	for (uint32_t i = 0; i < FINALS; i++) {
		classes[i] = floorf(uniform(i, 19) * GOLDEN_CLASSES);
		scores[i] = uniform(i, 20);
	}
	struct engine_tensor parts[] = {sample_tensor(boxes, DIMS(1, FINALS, 4)),
		sample_tensor(scores, DIMS(1, FINALS)), sample_tensor(classes, DIMS(1, FINALS))};
	expect_golden("end_to_end_parts", &r, parts, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v5_scores_are_products),
		cmocka_unit_test(test_boxes_in_all_forms),
		cmocka_unit_test(test_a_background_may_be_last_or_none),
		cmocka_unit_test(test_rows_of_final_boxes),
		cmocka_unit_test(test_a_class_that_is_not_counted_fails),
		cmocka_unit_test(test_no_rows_are_no_failure),
		cmocka_unit_test(test_parts_with_classes_of_any_type),
		cmocka_unit_test(test_odd_tensors_fail_with_a_sentence),
		cmocka_unit_test(test_v5_agrees_with_numpy),
		cmocka_unit_test(test_pairs_agree_with_numpy),
		cmocka_unit_test(test_final_boxes_agree_with_numpy),
	};
	return cmocka_run_group_tests_name("output_boxes", tests, NULL, NULL);
}
