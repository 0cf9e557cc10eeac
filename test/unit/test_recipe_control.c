/* SPDX-License-Identifier: Apache-2.0 */
/* task/recipe_control.h: every control offers what a recipe takes, and nothing else; guesses until they are
 * confirmed. */
#include "task/recipe_control.h"

#include "task_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena arena;

/* A detector of 80 classes, found without a probe. */
static struct recipe found_detector(void)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 416, 416));
	sample_output(&d, "output0", DIMS(1, 84, 3549));
	struct recipe r;
	struct err err;
	if (recipe_find(&d, NULL, TASK_DETECTION, 80, &r, &err) != ST_OK)
		fail_msg("%s", err.text);
	return r;
}

static struct recipe found_classifier(void)
{
	struct engine_description d = sample_graph(DIMS(1, 1, 28, 28));
	sample_output(&d, "scores", DIMS(1, 10));
	struct recipe r;
	struct err err;
	if (recipe_find(&d, NULL, TASK_CLASSIFICATION, 10, &r, &err) != ST_OK)
		fail_msg("%s", err.text);
	return r;
}

static enum status apply(struct recipe *r, enum recipe_field f, const char *value)
{
	yyjson_doc *doc;
	struct err err;
	const char *text = arena_printf(&arena, "{\"%s\": %s}", recipe_field_name(f), value);
	assert_int_equal(json_parse(span_of_text(text), &arena, &doc, &err), ST_OK);
	return recipe_apply(r, yyjson_doc_get_root(doc), &err);
}

static void test_each_choice_and_both_ends_are_taken(void **state)
{
	const struct recipe recipes[] = {found_detector(), found_classifier()};
	for (size_t i = 0; i < 2; i++) {
		for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++) {
			struct recipe_control c;
			recipe_control(&recipes[i], f, &c);
			if (!recipe_field_applies(recipes[i].output, f))
				continue;
			for (size_t k = 0; k < c.choice_count; k++) {
				struct recipe r = recipes[i];
				/* Another layout may read another number of outputs; that is said elsewhere.
				 */
				if (f != RECIPE_OUTPUT)
					assert_int_equal(
						apply(&r, f, arena_printf(&arena, "\"%s\"", c.choices[k])),
						ST_OK);
			}
			if (c.kind != CONTROL_INTEGER && c.kind != CONTROL_NUMBER)
				continue;
			struct recipe r = recipes[i];
			assert_true(c.low < c.high);
			assert_int_equal(apply(&r, f, arena_printf(&arena, "%.9g", c.low)), ST_OK);
			assert_int_equal(apply(&r, f, arena_printf(&arena, "%.9g", c.high)), ST_OK);
			assert_int_equal(
				apply(&r, f, arena_printf(&arena, "%.9g", c.high * 2 + 1)), ST_INVALID);
		}
	}
}

static bool offers(const struct recipe *r, enum recipe_field f, const char *choice)
{
	struct recipe_control c;
	recipe_control(r, f, &c);
	assert_int_equal(c.kind, CONTROL_CHOICE);
	for (size_t i = 0; i < c.choice_count; i++)
		if (strcmp(c.choices[i], choice) == 0)
			return true;
	return false;
}

static bool matters(const struct recipe *r, enum recipe_field f)
{
	struct recipe_control c;
	recipe_control(r, f, &c);
	return c.matters;
}

static void test_choices_are_those_of_the_task(void **state)
{
	struct recipe detector = found_detector(), classifier = found_classifier();
	assert_true(offers(&detector, RECIPE_OUTPUT, "yolo_v8") && offers(&detector, RECIPE_OUTPUT, "detr"));
	assert_false(offers(&detector, RECIPE_OUTPUT, "classification"));
	assert_true(offers(&classifier, RECIPE_OUTPUT, "classification"));
	assert_false(offers(&classifier, RECIPE_OUTPUT, "yolo_v8"));
	assert_false(offers(&detector, RECIPE_TASK, "classification"));
	assert_false(offers(&detector, RECIPE_BACKGROUND, "first"));
	assert_true(offers(&classifier, RECIPE_BACKGROUND, "first"));
}

static void test_what_matters_depends_on_the_rest(void **state)
{
	struct recipe r = found_detector();
	assert_int_equal(r.input.fit, FIT_LETTERBOX);
	assert_true(matters(&r, RECIPE_PAD) && matters(&r, RECIPE_PAD_VALUE) && matters(&r, RECIPE_NMS_IOU));
	r.input.fit = FIT_STRETCH;
	assert_false(matters(&r, RECIPE_PAD) || matters(&r, RECIPE_PAD_VALUE));
	assert_true(matters(&r, RECIPE_SCALE) && matters(&r, RECIPE_MEAN) && matters(&r, RECIPE_STD));
	r.input.sample = SAMPLE_UINT8;
	assert_false(matters(&r, RECIPE_SCALE) || matters(&r, RECIPE_MEAN) || matters(&r, RECIPE_STD));
	assert_false(matters(&r, RECIPE_FEATURES_OUTPUT) || matters(&r, RECIPE_TASK));
	assert_false(matters(&r, RECIPE_BACKGROUND));
	struct recipe classifier = found_classifier();
	assert_true(matters(&classifier, RECIPE_BACKGROUND));
	assert_false(matters(&classifier, RECIPE_NMS_IOU));
}

static void test_guesses_are_guesses_until_they_are_confirmed(void **state)
{
	struct recipe r = found_detector();
	assert_true(recipe_field_is_guess(&r, RECIPE_COLOUR) && recipe_field_is_guess(&r, RECIPE_FIT));
	assert_false(recipe_field_is_guess(&r, RECIPE_WIDTH));      /* read */
	assert_false(recipe_field_is_guess(&r, RECIPE_BACKGROUND)); /* means nothing here */
	assert_int_equal(apply(&r, RECIPE_COLOUR, "\"bgr\""), ST_OK);
	assert_false(recipe_field_is_guess(&r, RECIPE_COLOUR));
	struct recipe before = r;
	recipe_confirm(&r);
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++) {
		assert_false(recipe_field_is_guess(&r, f));
		if (before.origins[f] != ORIGIN_GUESSED)
			assert_int_equal(r.origins[f], before.origins[f]);
	}
	/* Nothing but the origins changes, and a stored recipe says so. */
	memcpy(before.origins, r.origins, sizeof(r.origins));
	assert_memory_equal(&before, &r, sizeof(r));
	yyjson_mut_doc *doc = json_new(&arena);
	yyjson_mut_doc_set_root(doc, recipe_json(&r, doc));
	yyjson_doc *stored;
	struct recipe again;
	struct err err;
	assert_int_equal(json_parse(json_print(doc, &arena), &arena, &stored, &err), ST_OK);
	assert_int_equal(recipe_parse(yyjson_doc_get_root(stored), &again, &err), ST_OK);
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		assert_false(recipe_field_is_guess(&again, f));
}

static void test_conventions_are_what_is_found(void **state)
{
	struct recipe found[] = {found_detector(), found_classifier()};
	for (size_t i = 0; i < 2; i++) {
		struct recipe r = found[i];
		r.input.scale = 0.5f;
		r.input.mean[1] = 3;
		r.input.std[2] = 9;
		r.input.fit = FIT_CENTER_CROP;
		r.input.pad_at = PAD_BOTTOM_RIGHT;
		r.input.pad_value = 7;
		if (r.input.colour == COLOUR_RGB)
			r.input.colour = COLOUR_BGR;
		recipe_follow_convention(&r);
		assert_memory_equal(&r.input, &found[i].input, sizeof(r.input));
	}
}

static int make(void **state)
{
	arena_init(&arena);
	return 0;
}

static int release(void **state)
{
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_choice_and_both_ends_are_taken),
		cmocka_unit_test(test_choices_are_those_of_the_task),
		cmocka_unit_test(test_what_matters_depends_on_the_rest),
		cmocka_unit_test(test_guesses_are_guesses_until_they_are_confirmed),
		cmocka_unit_test(test_conventions_are_what_is_found),
	};
	return cmocka_run_group_tests(tests, make, release);
}
