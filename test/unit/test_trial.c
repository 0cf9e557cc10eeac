/* SPDX-License-Identifier: Apache-2.0 */
/* predict/trial.h: another recipe on the same model, with the answers of serving where it is the same recipe.
 */
#include "predict/trial.h"

#include "serve_world.h"

static struct world w;
static struct model *model;

/* Red in the upper left, blue in the lower right, on a picture that is no square. */
static struct span picture(void)
{
	static const struct world_box boxes[] = {{20, 20, 60, 40, 0}, {200, 100, 80, 50, 2}};
	return world_draw(&w.arena, 320, 180, 120, boxes, 2);
}

static enum status recipe_with(const char *changes, struct recipe *out, struct err *err)
{
	yyjson_doc *doc;
	TRY(json_parse(span_of_text(changes), &w.arena, &doc, err));
	return trial_recipe(model, yyjson_doc_get_root(doc), out, err);
}

static struct trial run(const struct recipe *recipe, bool shows)
{
	struct trial t = {.model = model,
		.recipe = recipe,
		.arena = &w.arena,
		.seat_timeout_us = PATIENCE_US,
		.show = shows};
	WORLD_OK(trial_run(&t, picture(), WORLD_ERR));
	return t;
}

static void refuses(const char *changes, enum status expected, const char *part)
{
	struct recipe r;
	struct err err = {.text = ""};
	world_refused(recipe_with(changes, &r, &err), expected, &err, part);
}

static void test_the_models_own_recipe_answers_as_serving_does(void **state)
{
	struct recipe own;
	WORLD_OK(trial_recipe(model, NULL, &own, WORLD_ERR));
	struct trial t = run(&own, false);
	struct prediction p = {.bytes = picture(),
		.model = model,
		.arena = &w.arena,
		.seat_deadline_us = clock_mono_us() + PATIENCE_US};
	WORLD_OK(predict_decode(&p, WORLD_ERR));
	WORLD_OK(predict_seat(&p, WORLD_ERR));
	WORLD_OK(predict_preprocess(&p, WORLD_ERR));
	WORLD_OK(predict_infer(&p, WORLD_ERR));
	WORLD_OK(predict_postprocess(&p, WORLD_ERR));
	predict_release(&p);
	assert_true(t.shapes.count >= 2);
	assert_int_equal(t.shapes.count, p.shapes.count);
	assert_memory_equal(t.shapes.items, p.shapes.items, t.shapes.count * sizeof(t.shapes.items[0]));
	assert_int_equal(t.info.width, 320);
	assert_null(t.seen.pixels);
	for (enum trial_step s = 0; s < TRIAL_STEP_COUNT; s++)
		assert_true(t.step_us[s] >= 0);
	assert_true(t.step_us[TRIAL_INFER] > 0);
	trial_release(&t);
}

static int32_t label_at(const struct trial *t, float x)
{
	for (size_t i = 0; i < t->shapes.count; i++)
		if (t->shapes.items[i].score > 0.3f && t->shapes.items[i].box.x1 < x &&
			t->shapes.items[i].box.x2 > x)
			return t->shapes.items[i].label;
	return -1;
}

static void test_another_order_of_colours_turns_red_and_blue(void **state)
{
	struct recipe rgb, bgr;
	WORLD_OK(recipe_with("{\"colour\": \"rgb\"}", &rgb, WORLD_ERR));
	WORLD_OK(recipe_with("{\"colour\": \"bgr\"}", &bgr, WORLD_ERR));
	struct trial a = run(&rgb, true), b = run(&bgr, true);
	assert_true(label_at(&a, 50) != -1 && label_at(&a, 240) != -1);
	assert_int_equal(label_at(&a, 50), label_at(&b, 240));
	assert_int_equal(label_at(&a, 240), label_at(&b, 50));
	/* What a person sees is the same. */
	assert_int_equal(a.seen.width, model->recipe.input.width);
	assert_memory_equal(a.seen.pixels, b.seen.pixels, (size_t)3 * a.seen.width * a.seen.height);
	trial_release(&a);
	trial_release(&b);
	assert_true(model->recipe.input.colour == rgb.input.colour ||
		    model->recipe.input.colour == bgr.input.colour);
}

static void test_pixels_that_the_caller_has(void **state)
{
	struct image image;
	WORLD_OK(image_decode(picture(), NULL, &image, WORLD_ERR));
	struct trial whole = run(&model->recipe, false);
	for (int i = 0; i < 2; i++) { /* the image stays the caller's */
		struct trial t = {.model = model,
			.recipe = &model->recipe,
			.arena = &w.arena,
			.seat_timeout_us = PATIENCE_US};
		WORLD_OK(trial_run_on(&t, &image, WORLD_ERR));
		assert_int_equal(t.shapes.count, whole.shapes.count);
		assert_memory_equal(
			t.shapes.items, whole.shapes.items, t.shapes.count * sizeof(t.shapes.items[0]));
	}
	image_release(&image);
}

static void test_what_does_not_fit(void **state)
{
	refuses("{\"width\": 64}", ST_UNPROCESSABLE, "64");
	refuses("{\"colour\": \"grey\"}", ST_UNPROCESSABLE, "input");
	refuses("{\"task\": \"classification\", \"output\": \"classification\"}", ST_UNPROCESSABLE, "task");
	refuses("{\"features_output\": \"another\"}", ST_UNPROCESSABLE, "features_output");
	refuses("{\"class_count\": 7}", ST_UNPROCESSABLE, "7");
	refuses("{\"scale\": -1}", ST_INVALID, "scale");
	refuses("{\"wrong\": 1}", ST_INVALID, "wrong");
	refuses("[]", ST_INVALID, "object");
}

static void test_what_is_no_picture(void **state)
{
	struct trial t = {.model = model,
		.recipe = &model->recipe,
		.arena = &w.arena,
		.seat_timeout_us = PATIENCE_US,
		.show = true};
	struct err err;
	world_refused(trial_run(&t, span_of_text("text"), &err), ST_UNSUPPORTED, &err, ".");
	struct span cut = picture();
	cut.size /= 2;
	world_refused(trial_run(&t, cut, &err), ST_UNPROCESSABLE, &err, ".");
	struct budget pixels;
	budget_init(&pixels, "memory for decoded images", 1000);
	t.pixels = &pixels;
	world_refused(trial_run(&t, picture(), &err), ST_UNAVAILABLE, &err, "memory");
	assert_int_equal(pixels.used, 0);
	trial_release(&t);
}

static int open_world(void **state)
{
	world_open(&w);
	struct model_version_row row = world_read_version(&w, world_add_sample(&w));
	WORLD_OK(model_open(&row, "finder", w.blobs, &model, WORLD_ERR));
	return 0;
}

static int close_world(void **state)
{
	model_drop(model);
	world_close(&w);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_the_models_own_recipe_answers_as_serving_does),
		TEST(test_another_order_of_colours_turns_red_and_blue),
		TEST(test_pixels_that_the_caller_has),
		TEST(test_what_does_not_fit),
		TEST(test_what_is_no_picture),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
