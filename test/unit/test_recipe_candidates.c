/* SPDX-License-Identifier: Apache-2.0 */
/* task/recipe_candidates: which recipes are tried beside the one that was found. */
#include "task/recipe.h"

#include "task/output.h"
#include "task_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct recipe list[RECIPE_CANDIDATES_MAX];

static bool same_input(const struct tensor_spec *a, const struct tensor_spec *b)
{
	bool placed = a->fit == b->fit && (a->fit != FIT_LETTERBOX || a->pad_at == b->pad_at);
	bool scaled = a->scale == b->scale && memcmp(a->mean, b->mean, sizeof(a->mean)) == 0 &&
		      memcmp(a->std, b->std, sizeof(a->std)) == 0;
	return placed && scaled && a->colour == b->colour;
}

static bool same(const struct recipe *a, const struct recipe *b)
{
	return same_input(&a->input, &b->input) && a->background == b->background &&
	       a->box_form == b->box_form && a->box_unit == b->box_unit && a->row_order == b->row_order &&
	       a->class_count == b->class_count;
}

/* As JSON it is taken: consistent, in range. */
static void expect_readable(const struct recipe *r)
{
	struct arena a;
	arena_init(&a);
	yyjson_mut_doc *doc = json_new(&a);
	yyjson_mut_doc_set_root(doc, recipe_json(r, doc));
	yyjson_doc *again;
	struct recipe back;
	struct err err = {0};
	if (json_parse(json_print(doc, &a), &a, &again, &err) != ST_OK ||
		recipe_parse(yyjson_doc_get_root(again), &back, &err) != ST_OK)
		fail_msg("%s", err.text);
	arena_release(&a);
}

static size_t candidates(const struct recipe *found, uint32_t labels)
{
	size_t count = recipe_candidates(found, labels, list);
	assert_in_range(count, 1, RECIPE_CANDIDATES_MAX);
	assert_memory_equal(&list[0], found, sizeof(*found));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++)
			assert_false(same(&list[i], &list[k]));
		expect_readable(&list[i]);
		assert_true(labels == 0 || recipe_label_count(&list[i]) == labels);
	}
	return count;
}

static void expect_listed(size_t count, const struct recipe *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (same(&list[i], wanted))
			return;
	fail_msg("it is not among the %zu", count);
}

static struct recipe yolox(void)
{
	struct recipe r = sample_recipe(OUTPUT_YOLOX_RAW, 416, 416, 80);
	r.input.colour = COLOUR_BGR;
	r.input.fit = FIT_LETTERBOX;
	r.input.pad_at = PAD_BOTTOM_RIGHT;
	r.input.pad_value = 114;
	return r;
}

static void test_a_wrong_recipe_leads_to_the_right_one(void **state)
{
	struct recipe right = yolox(), wrong = right;
	assert_int_equal(candidates(&right, 80), 2 * 4 * 3);
	wrong.input.colour = COLOUR_RGB; /* all of them at once, as a person gave them */
	wrong.input.scale = 1.0f / 255;
	wrong.input.fit = FIT_STRETCH;
	wrong.input.pad_at = PAD_CENTER;
	recipe_mark(&wrong, RECIPE_COLOUR, ORIGIN_GIVEN);
	recipe_mark(&wrong, RECIPE_SCALE, ORIGIN_GIVEN);
	recipe_mark(&wrong, RECIPE_FIT, ORIGIN_GIVEN);
	size_t count = candidates(&wrong, 80);
	assert_int_equal(count, 2 * 4 * 3);
	expect_listed(count, &right);
	for (size_t i = 1; i < 7; i++) { /* one change each first */
		struct tensor_spec in = list[i].input;
		bool placed = in.fit != wrong.input.fit,
		     scaled = in.scale != wrong.input.scale || in.mean[0] != wrong.input.mean[0];
		unsigned changes = (in.colour != wrong.input.colour) + placed + scaled;
		assert_int_equal(changes, 1);
	}
}

static void test_changed_fields_are_guessed(void **state)
{
	struct recipe r = yolox();
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		recipe_mark(&r, f, ORIGIN_GIVEN);
	size_t count = candidates(&r, 80);
	for (size_t i = 0; i < count; i++) {
		enum origin colour = list[i].input.colour == r.input.colour ? ORIGIN_GIVEN : ORIGIN_GUESSED;
		enum origin scale = list[i].input.scale == r.input.scale ? ORIGIN_GIVEN : ORIGIN_GUESSED;
		assert_int_equal(list[i].origins[RECIPE_COLOUR], colour);
		assert_int_equal(list[i].origins[RECIPE_SCALE], scale);
		assert_int_equal(list[i].origins[RECIPE_WIDTH], ORIGIN_GIVEN);
	}
}

static void test_mean_turns_with_the_colours(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_CLASSIFICATION, 224, 224, 1000);
	output_convention_imagenet(&r);
	r.input.fit = FIT_CENTER_CROP;
	size_t count = candidates(&r, 1000), turned = 0;
	assert_int_equal(count, 2 * 4 * 3);
	for (size_t i = 0; i < count; i++) {
		if (list[i].input.colour != COLOUR_BGR || list[i].input.mean[2] == list[i].input.mean[0])
			continue;
		assert_float_equal(list[i].input.mean[0], 0.406, 1e-6);
		assert_float_equal(list[i].input.mean[2], 0.485, 1e-6);
		assert_float_equal(list[i].input.std[0], 0.225, 1e-6);
		turned++;
	}
	assert_int_equal(turned, 3);
	/* And from there back again. */
	struct recipe bgr = list[1].input.colour == COLOUR_BGR ? list[1] : list[0];
	for (size_t i = 0; i < count; i++)
		if (list[i].input.colour == COLOUR_BGR && list[i].input.mean[0] > 0.4f &&
			list[i].input.mean[0] < 0.41f && list[i].input.fit == FIT_CENTER_CROP)
			bgr = list[i];
	count = candidates(&bgr, 1000);
	assert_int_equal(count, 24);
	expect_listed(count, &r);
}

static void test_grey_and_bytes_have_fewer(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_CLASSIFICATION, 28, 28, 10);
	r.input.colour = COLOUR_GREY;
	r.input.fit = FIT_STRETCH;
	recipe_mark(&r, RECIPE_COLOUR, ORIGIN_READ);
	recipe_mark(&r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	assert_int_equal(candidates(&r, 10), 3 * 3);
	r.input.sample = SAMPLE_UINT8;
	assert_int_equal(candidates(&r, 10), 3);
}

static void test_scalings_that_are_nearly_the_same_are_one(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_BOXES_SCORES, 320, 240, 2);
	r.input.fit = FIT_STRETCH;
	for (int c = 0; c < 3; c++) {
		r.input.mean[c] = 127;
		r.input.std[c] = 128;
	}
	r.background = BACKGROUND_FIRST;
	recipe_mark(&r, RECIPE_BACKGROUND, ORIGIN_READ);
	recipe_mark(&r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	recipe_mark(&r, RECIPE_BOX_FORM, ORIGIN_READ);
	recipe_mark(&r, RECIPE_BOX_UNIT, ORIGIN_READ);
	size_t count = candidates(&r, 1);
	assert_int_equal(count, 2 * 4 * 3); /* -1…1 is (x - 127) / 128 */
	for (size_t i = 0; i < count; i++)
		assert_true(list[i].input.scale == 1 || fabsf(list[i].input.scale - 1.0f / 255) < 1e-9f);
}

static void test_backgrounds_fit_the_labels(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_SEMANTIC, 257, 257, 21);
	r.input.fit = FIT_STRETCH;
	r.background = BACKGROUND_FIRST;
	recipe_mark(&r, RECIPE_CLASS_COUNT, ORIGIN_READ); /* a score a class: they are counted */
	assert_int_equal(candidates(&r, 20), 24 * 2 + 0); /* first, last */
	assert_int_equal(candidates(&r, 0), RECIPE_CANDIDATES_MAX);
	r.background = BACKGROUND_NONE;
	assert_int_equal(candidates(&r, 21), 24);
	/* The class itself: as many classes as labels, or one more. */
	recipe_mark(&r, RECIPE_CLASS_COUNT, ORIGIN_GUESSED);
	size_t count = candidates(&r, 21), with = 0;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list[i].class_count, list[i].background == BACKGROUND_NONE ? 21 : 22);
		with += list[i].background == BACKGROUND_FIRST;
	}
	assert_true(with > 10);
	recipe_mark(&r, RECIPE_BACKGROUND, ORIGIN_READ);
	assert_int_equal(candidates(&r, 21), 24);
	/* Of one class none can be a background. */
	r = sample_recipe(OUTPUT_SEMANTIC, 64, 64, 1);
	recipe_mark(&r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	assert_int_equal(candidates(&r, 0), 24);
}

static void test_boxes_that_nothing_told_are_varied(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_END_TO_END, 640, 640, 80), wanted;
	r.input.fit = FIT_LETTERBOX;
	r.input.scale = 1.0f / 255;
	size_t count = candidates(&r, 80);
	assert_int_equal(count, RECIPE_CANDIDATES_MAX);
	wanted = r; /* all of the input's conventions */
	wanted.input.colour = COLOUR_BGR;
	wanted.input.scale = 1;
	wanted.input.pad_at = PAD_BOTTOM_RIGHT;
	expect_listed(count, &wanted);
	wanted = r;
	wanted.row_order = ROW_CLASS_SCORE;
	expect_listed(count, &wanted);
	wanted.input.scale = 1;
	expect_listed(count, &wanted);
	wanted = r;
	wanted.box_form = BOX_FORM_CENTER;
	wanted.box_unit = BOX_UNIT_FRACTION;
	expect_listed(count, &wanted);
	wanted = r;
	wanted.background = BACKGROUND_FIRST;
	wanted.class_count = 81;
	expect_listed(count, &wanted);

	r = sample_recipe(OUTPUT_BOXES_SCORES, 320, 240, 2);
	recipe_mark(&r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	recipe_mark(&r, RECIPE_BOX_UNIT, ORIGIN_READ);
	count = candidates(&r, 2);
	wanted = r;
	wanted.box_form = BOX_FORM_CORNERS_YX;
	expect_listed(count, &wanted);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i].box_unit, r.box_unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_wrong_recipe_leads_to_the_right_one),
		cmocka_unit_test(test_changed_fields_are_guessed),
		cmocka_unit_test(test_mean_turns_with_the_colours),
		cmocka_unit_test(test_grey_and_bytes_have_fewer),
		cmocka_unit_test(test_scalings_that_are_nearly_the_same_are_one),
		cmocka_unit_test(test_backgrounds_fit_the_labels),
		cmocka_unit_test(test_boxes_that_nothing_told_are_varied),
	};
	return cmocka_run_group_tests_name("recipe_candidates", tests, NULL, NULL);
}
