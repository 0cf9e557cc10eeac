/* SPDX-License-Identifier: Apache-2.0 */
/* task/output_*: what each layout's tensors say, by hand for a few boxes and by an implementation in NumPy
 * for many. */
#include "task/detections.h"
#include "task/recipe.h"

#include "task_outcomes.h"

/* ---- by hand ---- */

static void test_logits_become_a_softmax(void **state)
{
	/* e^0, e^ln2, e^ln5 of 8 */
	const float logits[] = {0, 0.6931472f, 1.6094379f};
	struct engine_tensor t = sample_tensor(logits, DIMS(1, 3, 1, 1));
	struct recipe r = sample_recipe(OUTPUT_CLASSIFICATION, 28, 28, 3);
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 3);
	const float scores[] = {0.625f, 0.25f, 0.125f};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(o.shapes.items[i].kind, SHAPE_CLASS);
		assert_int_equal(o.shapes.items[i].label, 2 - i);
		assert_float_equal(o.shapes.items[i].score, scores[i], 1e-6);
	}
	arena_release(&o.arena);
}

static void test_probabilities_stay_and_the_background_goes(void **state)
{
	const float scores[] = {0.5f, 0.005f, 0.4f, NAN, 0.095f};
	struct engine_tensor t = sample_tensor(scores, DIMS(1, 5));
	struct recipe r = sample_recipe(OUTPUT_CLASSIFICATION, 28, 28, 5);
	r.probabilities = true;
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 3); /* the floor and the NaN */
	assert_int_equal(o.shapes.items[0].label, 0);
	assert_int_equal(o.shapes.items[2].label, 4);
	arena_release(&o.arena);

	r.background = BACKGROUND_FIRST;
	o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 2);
	assert_int_equal(o.shapes.items[0].label, 1);
	assert_float_equal(o.shapes.items[0].score, 0.4, 1e-6);
	arena_release(&o.arena);

	r.background = BACKGROUND_LAST;
	o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 2);
	assert_int_equal(o.shapes.items[0].label, 0);
	arena_release(&o.arena);
}

static void test_infinite_logits_do_no_harm(void **state)
{
	const float logits[] = {-INFINITY, INFINITY, NAN, 3};
	struct engine_tensor t = sample_tensor(logits, DIMS(1, 4));
	struct recipe r = sample_recipe(OUTPUT_CLASSIFICATION, 28, 28, 4);
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 1);
	assert_int_equal(o.shapes.items[0].label, 1);
	assert_float_equal(o.shapes.items[0].score, 1, 1e-6);
	arena_release(&o.arena);
}

/* Set what a cell of YOLOX's grid says, two classes. */
static void put_cell(
	float *rows, size_t cell, float x, float y, float w, float h, float objectness, float a, float b)
{
	const float row[] = {x, y, w, h, objectness, a, b};
	memcpy(rows + 7 * cell, row, sizeof(row));
}

static void test_yolox_cells_are_decoded(void **state)
{
	/* 64 x 32: 8x4 cells of stride 8, 4x2 of 16, 2x1 of 32; map: model = image * 0.5 + (0, 4) */
	const struct tensor_map map = {0.5f, 0.5f, 0, 4, 120, 50};
	float *rows;
	struct engine_tensor t = sample_zeros(&rows, DIMS(1, 42, 7));
	struct recipe r = sample_recipe(OUTPUT_YOLOX_RAW, 64, 32, 2);
	/* Column 2, row 1 of stride 8: centre (2.5*8, 1.25*8) = (20, 10), size (8, 16): model 16…24, 2…18. */
	put_cell(rows, 1 * 8 + 2, 0.5f, 0.25f, 0, 0.6931472f, 0.9f, 0.2f, 0.5f);
	/* The last cell, column 1 of stride 32: centre (48, 16), size (32, 32): model 32…64, 0…32, beyond the
	 * image. */
	put_cell(rows, 41, 0.5f, 0.5f, 0, 0, 0.8f, 0.9f, 0.1f);
	/* Objectness below the floor, score below the floor, NaN, and a box of infinite size. */
	put_cell(rows, 0, 0, 0, 0, 0, 0.009f, 1, 1);
	put_cell(rows, 1, 0, 0, 0, 0, 0.05f, 0.1f, 0.1f);
	put_cell(rows, 2, 0, 0, 0, 0, 0.9f, NAN, NAN);
	put_cell(rows, 3, 0, 0, 200, 0, 0.9f, 0.9f, 0);
	put_cell(rows, 4, NAN, 0, 0, 0, 0.9f, 0.9f, 0);
	struct outcome o = read_outputs(&r, &t, 1, &map);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 2);
	expect_box(&o.shapes.items[0], 0, 0.72f, 64, 0, 120, 50);
	expect_box(&o.shapes.items[1], 1, 0.45f, 32, 0, 48, 28);
	arena_release(&o.arena);
	free(rows);
}

static void test_v8_is_read_in_both_forms(void **state)
{
	/* Three boxes, two classes; the second overlaps the first (IoU 0.82) and has another class, the third
	 * has the same. */
	const float boxes[3][6] = {
		{50, 40, 20, 10, 0.1f, 0.8f},
		{51, 40, 20, 10, 0.7f, 0.2f},
		{51, 40.5f, 20, 10, 0.3f, 0.6f},
	};
	float standard[6 * 7] = {0}, transposed[7 * 6] = {0};
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 6; k++) {
			standard[k * 7 + i] = boxes[i][k];
			transposed[i * 6 + k] = boxes[i][k];
		}
	}
	struct engine_tensor forms[] = {
		sample_tensor(standard, DIMS(1, 6, 7)), sample_tensor(transposed, DIMS(1, 7, 6))};
	struct recipe r = sample_recipe(OUTPUT_YOLO_V8, 64, 64, 2);
	for (int i = 0; i < 2; i++) {
		struct outcome o = read_outputs(&r, &forms[i], 1, &as_it_is);
		assert_int_equal(o.status, ST_OK);
		assert_int_equal(o.shapes.count, 2);
		expect_box(&o.shapes.items[0], 1, 0.8f, 40, 35, 60, 45);
		expect_box(&o.shapes.items[1], 0, 0.7f, 41, 35, 61, 45);
		arena_release(&o.arena);
	}
	r.nms_iou = 1;
	struct outcome o = read_outputs(&r, &forms[0], 1, &as_it_is);
	assert_int_equal(o.shapes.count, 3);
	expect_box(&o.shapes.items[2], 1, 0.6f, 41, 35.5f, 61, 45.5f);
	arena_release(&o.arena);
}

static void test_detr_has_a_sigmoid_or_a_softmax(void **state)
{
	/* logits 0 and ln3 and -ln3: sigmoid 0.5, 0.75, 0.25; softmax of the first query 3:9:1 (times 1/3).
	 */
	const float ln3 = 1.0986123f, logits[] = {0, ln3, -ln3, -9, -9, 9};
	const float boxes[] = {0.5f, 0.5f, 0.2f, 0.4f, 0.25f, 0.25f, 0.1f, 0.1f};
	struct engine_tensor t[] = {
		sample_tensor(boxes, DIMS(1, 2, 4)), sample_tensor(logits, DIMS(1, 2, 3))};
	struct recipe r = sample_recipe(OUTPUT_DETR, 200, 100, 3);
	r.tensors[0] = 1;
	r.tensors[1] = 0;
	struct outcome o = read_outputs(&r, t, 2, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 2);
	expect_box(&o.shapes.items[0], 2, 1 / (1 + expf(-9)), 40, 20, 60, 30);
	expect_box(&o.shapes.items[1], 1, 0.75f, 80, 30, 120, 70);
	arena_release(&o.arena);
	r.background = BACKGROUND_LAST;
	o = read_outputs(&r, t, 2, &as_it_is);
	assert_int_equal(o.shapes.count, 1); /* the second query says "no object" */
	expect_box(&o.shapes.items[0], 1, 9.0f / 13, 80, 30, 120, 70);
	arena_release(&o.arena);
	r.background = BACKGROUND_FIRST;
	o = read_outputs(&r, t, 2, &as_it_is);
	expect_box(&o.shapes.items[0], 1, 1, 40, 20, 60, 30);
	expect_box(&o.shapes.items[1], 0, 9.0f / 13, 80, 30, 120, 70);
	arena_release(&o.arena);
}

/* ---- limits ---- */

static void test_at_most_300_and_the_best(void **state)
{
	enum { N = 20000 };
	float *rows;
	struct engine_tensor t = sample_zeros(&rows, DIMS(1, 5, N));
	for (size_t i = 0; i < N; i++) { /* far apart; the score rises, so that the best come last */
		rows[i] = (float)(i % 200) * 5 + 2;
		rows[N + i] = (float)(i / 200) * 5 + 2;
		rows[2 * N + i] = rows[3 * N + i] = 2;
		rows[4 * N + i] = 0.02f + (float)i / (2 * N);
	}
	struct recipe r = sample_recipe(OUTPUT_YOLO_V8, 640, 640, 1);
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, SHAPES_MAX);
	for (size_t i = 0; i < SHAPES_MAX; i++)
		assert_float_equal(o.shapes.items[i].score, 0.02 + (double)(N - 1 - i) / (2 * N), 1e-6);
	arena_release(&o.arena);
	free(rows);
}

static void test_equal_scores_beyond_the_room_keep_the_first(void **state)
{
	struct arena a;
	arena_init(&a);
	struct detections d;
	detections_init(&d, &a);
	const float right = 100000;
	for (int i = 0; i < 3 * DETECTIONS_CANDIDATES_MAX; i++)
		detections_add(&d, (struct box){right - (float)i, 0, right - (float)i + 1, 1}, 1, 0);
	struct shapes out;
	detections_shapes(&d, 0.45f, &(struct tensor_map){1, 1, 0, 0, 200000, 10}, &a, &out);
	assert_int_equal(out.count, SHAPES_MAX);
	assert_true(d.count <= DETECTIONS_CANDIDATES_MAX);
	for (size_t i = 0; i < out.count;
		i++) /* what came after the room was full is as good, but too late */
		assert_true(out.items[i].box.x1 > right - 2 * DETECTIONS_CANDIDATES_MAX);
	arena_release(&a);
}

static void test_boxes_outside_the_image_fall_away(void **state)
{
	/* In the padding left of it, without area, inverted, and one that is half inside. */
	const float rows[] = {2, 50, 30, 10, /**/ 50, 50, 50, 50, /**/ 4, 0, -5, 20, /**/ 10, 10, 10, 20,
		/**/ 0.9f, 0.8f, 0.7f, 0.6f};
	struct engine_tensor t = sample_tensor(rows, DIMS(1, 5, 4));
	struct recipe r = sample_recipe(OUTPUT_YOLO_V8, 64, 64, 1);
	struct outcome o = read_outputs(&r, &t, 1, &(struct tensor_map){1, 1, 8, 0, 60, 100});
	assert_int_equal(o.shapes.count, 1);
	expect_box(&o.shapes.items[0], 0, 0.6f, 0, 40, 12, 60);
	arena_release(&o.arena);
}

static void test_scores_just_above_one_are_one(void **state)
{
	const float rows[] = {10, 50, 10, 50, 4, 4, 4, 4, 1.0004f, INFINITY};
	struct engine_tensor t = sample_tensor(rows, DIMS(1, 5, 2));
	struct recipe r = sample_recipe(OUTPUT_YOLO_V8, 64, 64, 1);
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 1);
	assert_true(o.shapes.items[0].score == 1);
	arena_release(&o.arena);
}

static void test_odd_tensors_fail_with_a_sentence(void **state)
{
	float values[64] = {0};
	struct recipe v8 = sample_recipe(OUTPUT_YOLO_V8, 64, 64, 2),
		      yolox = sample_recipe(OUTPUT_YOLOX_RAW, 64, 32, 2);
	struct recipe detr = sample_recipe(OUTPUT_DETR, 64, 64, 2),
		      cls = sample_recipe(OUTPUT_CLASSIFICATION, 64, 64, 5);
	struct engine_tensor t[2] = {
		sample_tensor(values, DIMS(1, 7, 9)), sample_tensor(values, DIMS(1, 2, 4))};
	expect_failure(&v8, t, 1, "float32[1,7,9]");
	expect_failure(&yolox, t, 1, "[1,42,7]");
	expect_failure(&cls, t, 1, "5 classes");
	expect_failure(&detr, t, 1, "1 outputs");
	t[0] = sample_tensor(values, DIMS(1, 3, 2)); /* 3 queries of scores, 2 of boxes */
	expect_failure(&detr, t, 2, "float32[1,3,2] and float32[1,2,4]");
	t[0] = sample_tensor(values, DIMS(1, 6, 8));
	t[0].size--;
	expect_failure(&v8, t, 1, "not as large");
	t[0] = sample_tensor(values, DIMS(1, 6, INT64_MAX));
	expect_failure(&v8, t, 1, "not as large");
	t[0] = sample_tensor(values, DIMS(1, 6, -8));
	expect_failure(&v8, t, 1, "not as large");
	t[0] = sample_tensor(values, DIMS(1, 6, 8));
	t[0].type = ENGINE_INT32;
	expect_failure(&v8, t, 1, "int32");
	t[0] = sample_tensor(values, DIMS(2, 6, 4));
	expect_failure(&v8, t, 1, "float32[2,6,4]");
	t[0] = (struct engine_tensor){.type = ENGINE_FLOAT32, .rank = 9};
	expect_failure(&v8, t, 1, "not as large");
}

static void test_no_boxes_are_no_failure(void **state)
{
	float value = 0;
	struct engine_tensor t = sample_tensor(&value, DIMS(1, 6, 1));
	t.shape[2] = 0;
	t.size = 0;
	struct recipe r = sample_recipe(OUTPUT_YOLO_V8, 64, 64, 2);
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 0);
	arena_release(&o.arena);
}

static void test_half_floats(void **state)
{
	/* 1/3 rounded, largest subnormal, -2, infinity, NaN, 1: only the class scores are looked at. */
	static const uint16_t halves[]
		__attribute__((aligned(4))) = {0x3555, 0x03ff, 0xc000, 0x7c00, 0x7e00, 0x3800};
	struct engine_tensor t = {
		.type = ENGINE_FLOAT16, .rank = 2, .shape = {1, 6}, .data = halves, .size = sizeof(halves)};
	struct recipe r = sample_recipe(OUTPUT_CLASSIFICATION, 28, 28, 6);
	r.probabilities = true;
	struct outcome o = read_outputs(&r, &t, 1, &as_it_is);
	assert_int_equal(o.shapes.count, 2);
	assert_int_equal(o.shapes.items[0].label, 5);
	assert_true(o.shapes.items[0].score == 0.5f);
	assert_true(o.shapes.items[1].score == 0x1.554p-2f);
	arena_release(&o.arena);
}

/* ---- by NumPy ---- */

static void test_yolox_agrees_with_numpy(void **state)
{
	float *v;
	struct engine_tensor t = sample_zeros(&v, DIMS(1, GOLDEN_CELLS, 5 + GOLDEN_CLASSES));
	for (uint32_t i = 0; i < GOLDEN_CELLS * (5 + GOLDEN_CLASSES); i++) {
		float u = uniform(i, 1);
		switch (i % (5 + GOLDEN_CLASSES)) {
		case 0:
		case 1: v[i] = u * 2 - 0.5f; break;
		case 2:
		case 3: v[i] = u * 3 - 1; break;
		case 4: v[i] = u * u * u; break;
		default: v[i] = u;
		}
	}
	struct recipe r = sample_recipe(OUTPUT_YOLOX_RAW, 96, 64, GOLDEN_CLASSES);
	expect_golden("yolox_raw", &r, &t, 1);
	expect_golden_half("yolox_raw_half", &r, &t);
	free(v);
}

static void test_v8_agrees_with_numpy(void **state)
{
	float *v;
	struct engine_tensor t = sample_zeros(&v, DIMS(1, 4 + GOLDEN_CLASSES, GOLDEN_CELLS));
	for (uint32_t i = 0; i < (4 + GOLDEN_CLASSES) * GOLDEN_CELLS; i++) {
		float u = uniform(i, 2);
		uint32_t k = i / GOLDEN_CELLS;
		v[i] = k == 0 ? u * 96 : k == 1 ? u * 64 : k < 4 ? u * 40 : u * u * u;
	}
	struct recipe r = sample_recipe(OUTPUT_YOLO_V8, 96, 64, GOLDEN_CLASSES);
	expect_golden("yolo_v8", &r, &t, 1);
	expect_golden_half("yolo_v8_half", &r, &t);
	free(v);
}

static void test_detr_agrees_with_numpy(void **state)
{
	enum { QUERIES = 60 };
	static float logits[QUERIES * GOLDEN_CLASSES], boxes[QUERIES * 4];
	struct engine_tensor t[] = {sample_tensor(logits, DIMS(1, QUERIES, GOLDEN_CLASSES)),
		sample_tensor(boxes, DIMS(1, QUERIES, 4))};
	struct recipe r = sample_recipe(OUTPUT_DETR, 96, 64, GOLDEN_CLASSES);
	for (uint32_t seed = 3; seed <= 4; seed++) {
		for (uint32_t i = 0; i < QUERIES * GOLDEN_CLASSES; i++)
			logits[i] = uniform(i, seed) * 8 - 6;
		for (uint32_t i = 0; i < QUERIES * 4; i++)
			boxes[i] = uniform(i, seed + 1000);
		r.background = seed == 4 ? BACKGROUND_LAST : BACKGROUND_NONE;
		r.nms_iou = seed == 4 ? 1 : 0.45f;
		expect_golden(seed == 4 ? "detr_softmax" : "detr_sigmoid", &r, t, 2);
	}
}

static void test_classification_agrees_with_numpy(void **state)
{
	static float logits[40];
	for (uint32_t i = 0; i < 40; i++)
		logits[i] = uniform(i, 5) * 12;
	struct engine_tensor t = sample_tensor(logits, DIMS(1, 40));
	struct recipe r = sample_recipe(OUTPUT_CLASSIFICATION, 28, 28, 40);
	expect_golden("classification", &r, &t, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logits_become_a_softmax),
		cmocka_unit_test(test_probabilities_stay_and_the_background_goes),
		cmocka_unit_test(test_infinite_logits_do_no_harm),
		cmocka_unit_test(test_yolox_cells_are_decoded),
		cmocka_unit_test(test_v8_is_read_in_both_forms),
		cmocka_unit_test(test_detr_has_a_sigmoid_or_a_softmax),
		cmocka_unit_test(test_at_most_300_and_the_best),
		cmocka_unit_test(test_equal_scores_beyond_the_room_keep_the_first),
		cmocka_unit_test(test_boxes_outside_the_image_fall_away),
		cmocka_unit_test(test_scores_just_above_one_are_one),
		cmocka_unit_test(test_odd_tensors_fail_with_a_sentence),
		cmocka_unit_test(test_no_boxes_are_no_failure),
		cmocka_unit_test(test_half_floats),
		cmocka_unit_test(test_yolox_agrees_with_numpy),
		cmocka_unit_test(test_v8_agrees_with_numpy),
		cmocka_unit_test(test_detr_agrees_with_numpy),
		cmocka_unit_test(test_classification_agrees_with_numpy),
	};
	return cmocka_run_group_tests_name("outputs", tests, NULL, NULL);
}
