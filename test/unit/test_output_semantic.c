/* SPDX-License-Identifier: Apache-2.0 */
/* task/output_semantic: tensors in all their forms, by hand, and regions as scipy finds them. */
#include "task/recipe.h"

#include "task/polygon.h"
#include "task_outcomes.h"

/* An 8 x 4 image, the input of its size, three classes. */
static struct recipe recipe_of(uint32_t classes)
{
	struct recipe r = sample_recipe(OUTPUT_SEMANTIC, 8, 4, classes);
	r.probabilities = false;
	return r;
}

static const struct tensor_map small_map = {1, 1, 0, 0, 8, 4};

/* Class 1 in columns 0…2, class 2 in 3…7. */
static size_t class_at(size_t x)
{
	return x < 3 ? 1 : 2;
}

static void expect_halves(const struct outcome *o, float score, int32_t left, int32_t right)
{
	size_t wanted = (left >= 0) + (right >= 0);
	assert_int_equal(o->status, ST_OK);
	assert_int_equal(o->shapes.count, wanted);
	for (size_t i = 0; i < wanted; i++) {
		const struct shape *s = &o->shapes.items[i];
		bool is_left = s->label == left;
		assert_int_equal(s->kind, SHAPE_POLYGON);
		assert_true(is_left || s->label == right);
		assert_float_equal(s->score, score, 1e-5);
		assert_true(polygon_area(s->points, s->point_count) == (is_left ? 12 : 20));
		assert_true(s->box.x1 == (is_left ? 0 : 3) && s->box.x2 == (is_left ? 3 : 8));
		assert_true(s->box.y1 == 0 && s->box.y2 == 4);
	}
}

static void test_logits_in_planes_and_interleaved(void **state)
{
	/* e^ln8 of e^ln8 + 1 + 1 = 0.8 */
	float planar[3 * 4 * 8] = {0}, interleaved[4 * 8 * 3] = {0};
	for (size_t i = 0; i < 32; i++)
		planar[class_at(i % 8) * 32 + i] = interleaved[i * 3 + class_at(i % 8)] = 2.0794415f;
	struct engine_tensor forms[] = {
		sample_tensor(planar, DIMS(1, 3, 4, 8)), sample_tensor(interleaved, DIMS(1, 4, 8, 3))};
	struct recipe r = recipe_of(3);
	for (int i = 0; i < 2; i++) {
		static const struct {
			enum background background;
			int32_t left, right;
		} cases[] = {{BACKGROUND_NONE, 1, 2}, {BACKGROUND_FIRST, 0, 1}, {BACKGROUND_LAST, 1, -1}};
		for (size_t k = 0; k < COUNT_OF(cases); k++) {
			r.background = cases[k].background;
			struct outcome o = read_outputs(&r, &forms[i], 1, &small_map);
			expect_halves(&o, 0.8f, cases[k].left, cases[k].right);
			arena_release(&o.arena);
		}
	}
	r.probabilities = true; /* as they come, at most 1 */
	for (size_t i = 0; i < 96; i++)
		planar[i] = planar[i] > 0 ? 0.625f : 0.125f;
	struct outcome o = read_outputs(&r, &forms[0], 1, &small_map);
	expect_halves(&o, 0.625f, 1, -1);
	arena_release(&o.arena);
}

static void test_half_floats_in_planes(void **state)
{
	static uint16_t planar[3 * 32] __attribute__((aligned(4)));
	for (size_t i = 0; i < 32; i++)
		planar[class_at(i % 8) * 32 + i] = 0x3a00; /* 0.75 */
	struct engine_tensor t = {.type = ENGINE_FLOAT16,
		.rank = 4,
		.shape = {1, 3, 4, 8},
		.data = planar,
		.size = sizeof(planar)};
	struct recipe r = recipe_of(3);
	r.probabilities = true;
	struct outcome o = read_outputs(&r, &t, 1, &small_map);
	expect_halves(&o, 0.75f, 1, 2);
	arena_release(&o.arena);
}

static void test_maps_of_classes_of_any_type(void **state)
{
	int64_t wide[32] __attribute__((aligned(4)));
	uint8_t bytes[32] __attribute__((aligned(4)));
	float reals[32];
	for (size_t i = 0; i < 32; i++) {
		wide[i] = (int64_t)class_at(i % 8);
		bytes[i] = (uint8_t)class_at(i % 8);
		reals[i] = (float)class_at(i % 8);
	}
	const struct engine_tensor maps[] = {
		{.type = ENGINE_INT64, .rank = 3, .shape = {1, 4, 8}, .data = wide, .size = sizeof(wide)},
		{.type = ENGINE_INT64, .rank = 4, .shape = {1, 1, 4, 8}, .data = wide, .size = sizeof(wide)},
		{.type = ENGINE_UINT8,
			.rank = 4,
			.shape = {1, 4, 8, 1},
			.data = bytes,
			.size = sizeof(bytes)},
		sample_tensor(reals, DIMS(1, 4, 8)),
	};
	struct recipe r = recipe_of(3);
	r.background = BACKGROUND_FIRST;
	for (size_t i = 0; i < COUNT_OF(maps); i++) {
		struct outcome o = read_outputs(&r, &maps[i], 1, &small_map);
		expect_halves(&o, 1, 0, 1);
		arena_release(&o.arena);
	}
	/* A number that is no class, as 255 for "ignore", is nothing. */
	for (size_t i = 0; i < 32; i++)
		bytes[i] = i % 8 < 3 ? 1 : 255;
	struct outcome o = read_outputs(&r, &maps[2], 1, &small_map);
	expect_halves(&o, 1, 0, -1);
	arena_release(&o.arena);
}

static void test_one_class_is_a_matter_of_degree(void **state)
{
	float values[32];
	for (size_t i = 0; i < 32; i++)
		values[i] = i % 8 < 3 ? 1.3862944f : -3; /* ln 4: 0.8 */
	struct engine_tensor t = sample_tensor(values, DIMS(1, 1, 4, 8));
	struct recipe r = recipe_of(1);
	struct outcome o = read_outputs(&r, &t, 1, &small_map);
	expect_halves(&o, 0.8f, 0, -1);
	arena_release(&o.arena);
	for (size_t i = 0; i < 32; i++)
		values[i] = i % 8 < 3 ? 0.5f : 0.49f;
	r.probabilities = true;
	o = read_outputs(&r, &t, 1, &small_map);
	expect_halves(&o, 0.5f, 0, -1);
	arena_release(&o.arena);
}

static void test_values_that_are_no_numbers_do_no_harm(void **state)
{
	float planar[3 * 32];
	for (size_t i = 0; i < 96; i++)
		planar[i] = NAN;
	for (size_t y = 0; y < 4; y++) {
		planar[32 + y * 8] = 2;            /* class 1, beside NaN */
		planar[64 + y * 8 + 7] = INFINITY; /* no certainty */
	}
	struct engine_tensor t = sample_tensor(planar, DIMS(1, 3, 4, 8));
	struct recipe r = recipe_of(3);
	r.probabilities = true;
	struct outcome o = read_outputs(&r, &t, 1, &small_map);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 2); /* as it comes: both at most 1 */
	arena_release(&o.arena);
	r.probabilities = false;
	o = read_outputs(&r, &t, 1, &small_map);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 0); /* a softmax with NaN in it */
	arena_release(&o.arena);
}

static void test_odd_tensors_fail_with_a_sentence(void **state)
{
	static float values[64];
	struct recipe r = recipe_of(3);
	struct engine_tensor t = sample_tensor(values, DIMS(1, 4, 4, 4));
	expect_failure(
		&r, &t, 1, "[1,3,H,W], [1,H,W,3] or [1,H,W], but the model's output is float32[1,4,4,4]");
	t = sample_tensor(values, DIMS(2, 3, 2, 2));
	expect_failure(&r, &t, 1, "float32[2,3,2,2]");
	t = sample_tensor(values, DIMS(16, 4));
	expect_failure(&r, &t, 1, "float32[16,4]");
	t = (struct engine_tensor){
		.type = ENGINE_INT64, .rank = 4, .shape = {1, 3, 2, 2}, .data = values, .size = 96};
	expect_failure(&r, &t, 1, "int64[1,3,2,2]");
	t.type = ENGINE_OTHER;
	expect_failure(&r, &t, 1, "not as large");
	uint8_t *large = calloc(4097, 1024);
	CHECK(large != NULL);
	t = (struct engine_tensor){.type = ENGINE_UINT8,
		.rank = 3,
		.shape = {1, 4097, 1024},
		.data = large,
		.size = 4097 * 1024};
	expect_failure(&r, &t, 1, "more than 4194304 pixels");
	free(large);
	t = (struct engine_tensor){.type = ENGINE_UINT8, .rank = 3, .shape = {1, INT64_MAX / 8, 0}};
	struct outcome o = read_outputs(&r, &t, 1, &small_map);
	assert_int_equal(o.status, ST_OK);
	assert_int_equal(o.shapes.count, 0);
	arena_release(&o.arena);
}

/* ---- by scipy ---- */

static const struct region_golden {
	int32_t label;
	float score;
	double area;
	float x1, y1, x2, y2;
} regions[] = {
#define REGION(label, score, area, x1, y1, x2, y2) {label, score, area, x1, y1, x2, y2},
#include "../golden/regions.txt"
#undef REGION
};

/* As logits() in test/golden/regions.py. */
static float logit(uint32_t class, uint32_t y, uint32_t x)
{
	return uniform(class * 48 + y / 5 * 8 + x / 5, 30) * 4 + uniform(class * 1200 + y * 40 + x, 31) * 2;
}

static void test_regions_agree_with_scipy(void **state)
{
	static float planar[5 * 1200], interleaved[1200 * 5];
	for (uint32_t class = 0; class < 5; class ++)
		for (uint32_t i = 0; i < 1200; i++)
			planar[class * 1200 + i] = interleaved[i * 5 + class] = logit(class, i / 40, i % 40);
	struct engine_tensor forms[] = {
		sample_tensor(planar, DIMS(1, 5, 30, 40)), sample_tensor(interleaved, DIMS(1, 30, 40, 5))};
	struct recipe r = sample_recipe(OUTPUT_SEMANTIC, 160, 120, 5);
	r.background = BACKGROUND_FIRST;
	r.probabilities = false;
	r.region_area_min = 0.002f;
	const struct tensor_map map = {0.8f, 0.8f, 0, 8, 200, 130};
	for (int i = 0; i < 2; i++) {
		struct outcome o = read_outputs(&r, &forms[i], 1, &map);
		assert_int_equal(o.status, ST_OK);
		assert_int_equal(o.shapes.count, COUNT_OF(regions));
		assert_true(COUNT_OF(regions) >= 20);
		for (size_t k = 0; k < COUNT_OF(regions); k++) {
			const struct shape *s = &o.shapes.items[k];
			assert_int_equal(s->label, regions[k].label);
			assert_float_equal(s->score, regions[k].score, 1e-5);
			assert_true(fabs(polygon_area(s->points, s->point_count) - regions[k].area) < 0.1);
			assert_float_equal(s->box.x1, regions[k].x1, 2e-3);
			assert_float_equal(s->box.y1, regions[k].y1, 2e-3);
			assert_float_equal(s->box.x2, regions[k].x2, 2e-3);
			assert_float_equal(s->box.y2, regions[k].y2, 2e-3);
		}
		arena_release(&o.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logits_in_planes_and_interleaved),
		cmocka_unit_test(test_half_floats_in_planes),
		cmocka_unit_test(test_maps_of_classes_of_any_type),
		cmocka_unit_test(test_one_class_is_a_matter_of_degree),
		cmocka_unit_test(test_values_that_are_no_numbers_do_no_harm),
		cmocka_unit_test(test_odd_tensors_fail_with_a_sentence),
		cmocka_unit_test(test_regions_agree_with_scipy),
	};
	return cmocka_run_group_tests_name("output_semantic", tests, NULL, NULL);
}
