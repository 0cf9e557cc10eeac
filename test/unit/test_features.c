/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of an image that drift looks at: each one written out again, the drawn shape, places and ties.
 */
#include "watch/features.h"

#include "base/check.h"
#include "drift_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

static bool equal(double a, double b)
{
	return (isnan(a) && isnan(b)) || is_near(a, b, 1e-12);
}

static void of_an_image_with_one_box(void **state)
{
	struct made m;
	struct chance c = {1};
	double v[FEATURE_COUNT];
	make_image(&m, &c, 7, TASK_DETECTION);
	m.seen.shapes.count = 1;
	m.shapes[0] = (struct shape){.kind = SHAPE_BOX,
		.label = 4,
		.score = 0.625F,
		.box = {.x1 = 64, .y1 = 48, .x2 = 192, .y2 = 112}};
	m.seen.stats = (struct seen_stats){.brightness = 100,
		.contrast = 20,
		.blur = 255,
		.mean_rgb = {60, 20, 40},
		.entropy = 5,
		.dark = 0,
		.bright = 0};
	features_of(&m.seen, 0.5, TASK_DETECTION, NULL, 0.75, v);
	const struct {
		enum feature f;
		double value;
	} expected[] = {{FEATURE_BRIGHTNESS, 100}, {FEATURE_CONTRAST, 20}, {FEATURE_SHARPNESS, 8},
		{FEATURE_ENTROPY, 5}, {FEATURE_RED, 0.5}, {FEATURE_BLUE, 1.0 / 3}, {FEATURE_OBJECTS, 1},
		{FEATURE_SCORE_MAX, 0.625}, {FEATURE_SCORE_MEAN, 0.625},
		{FEATURE_BOX_SIZE, sqrt(128 * 64 / (640.0 * 480))}, {FEATURE_BOX_RATIO, 1},
		{FEATURE_BOX_X, 128 / 640.0}, {FEATURE_BOX_Y, 80 / 480.0}, {FEATURE_LABEL, 4},
		{FEATURE_OUTLIER, 0.75}, {FEATURE_COMPONENT_1, (double)NAN},
		{FEATURE_COMPONENT_4, (double)NAN}};
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		if (!equal(v[expected[i].f], expected[i].value))
			fail_msg("%s is %g, expected %g", feature_name(expected[i].f), v[expected[i].f],
				expected[i].value);
	/* None at a higher threshold: then it has no box, but a highest score. */
	features_of(&m.seen, 0.63, TASK_DETECTION, NULL, (double)NAN, v);
	assert_true(equal(v[FEATURE_OBJECTS], 0) && equal(v[FEATURE_SCORE_MAX], 0.625));
	assert_true(isnan(v[FEATURE_SCORE_MEAN]) && isnan(v[FEATURE_BOX_X]) && isnan(v[FEATURE_LABEL]));
	assert_true(isnan(v[FEATURE_OUTLIER]));
	/* What the table says is not of a task is none of it; a class below the threshold is "no answer". */
	m.shapes[0].kind = SHAPE_CLASS;
	features_of(&m.seen, 0.63, TASK_CLASSIFICATION, NULL, 0, v);
	assert_true(isnan(v[FEATURE_OBJECTS]) && isnan(v[FEATURE_BOX_SIZE]) && equal(v[FEATURE_LABEL], -1));
	features_of(&m.seen, 0.625, TASK_CLASSIFICATION, NULL, 0, v);
	assert_true(equal(v[FEATURE_LABEL], 4) && equal(v[FEATURE_SCORE_MAX], 0.625));
}

/* Scores count as they are shown: 0.49996 is 0.5 on every page. */
static void the_threshold_is_that_of_answers(void **state)
{
	struct made m;
	struct chance c = {2};
	double v[FEATURE_COUNT];
	make_image(&m, &c, 8, TASK_DETECTION);
	m.seen.shapes.count = 2;
	m.shapes[0] = (struct shape){.kind = SHAPE_BOX, .score = 0.49996F, .box = {0, 0, 10, 10}};
	m.shapes[1] = (struct shape){.kind = SHAPE_BOX, .score = 0.49994F, .box = {0, 0, 10, 10}};
	features_of(&m.seen, 0.5, TASK_DETECTION, NULL, 0, v);
	assert_true(equal(v[FEATURE_OBJECTS], 1));
}

/* Of three shapes each is drawn a third of the time, by the asset's id alone. */
static void one_shape_is_drawn(void **state)
{
	struct made m, again;
	struct chance c = {3};
	unsigned drawn[3] = {0};
	for (uint64_t n = 1; n <= 30000; n++) {
		double v[FEATURE_COUNT], w[FEATURE_COUNT];
		m.row = (struct log_row){
			.predicted_asset_id = made_id(n), .id = made_id(n + 1), .width = 9, .height = 9};
		m.seen = (struct seen){.row = &m.row, .shapes = {m.shapes, 3}};
		for (int i = 0; i < 3; i++)
			m.shapes[i] = (struct shape){
				.kind = SHAPE_BOX, .label = i, .score = 0.9F, .box = {1, 1, 2 + (float)i, 2}};
		features_of(&m.seen, 0.5, TASK_DETECTION, NULL, 0, v);
		drawn[(int)v[FEATURE_LABEL]]++;
		assert_true(equal(v[FEATURE_BOX_RATIO], log2(1 + v[FEATURE_LABEL]))); /* all of one shape */
		if (n > 100)
			continue;
		again = m;
		again.row.id = made_id(5);
		again.row.position = 77;
		again.seen.row = &again.row;
		features_of(&again.seen, 0.5, TASK_DETECTION, NULL, 0, w);
		assert_true(equal(v[FEATURE_LABEL], w[FEATURE_LABEL]));
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(drawn[i], 9700, 10300); /* 3.7 deviations */
	assert_true(chance_share(&c) < 1);
}

static void components_come_from_the_features(void **state)
{
	struct reference *r = made_reference(200, TASK_DETECTION, 0.5);
	struct made m;
	struct chance c = {4};
	double v[FEATURE_COUNT], expected[GAUSSIAN_COMPONENTS];
	float vector[MADE_FEATURES];
	make_image(&m, &c, 9, TASK_DETECTION);
	assert_true(features_vector(m.row.features, MADE_FEATURES, vector));
	gaussian_project(outlier_gaussian(r->outlier), vector, expected);
	features_of(&m.seen, 0.5, TASK_DETECTION, outlier_gaussian(r->outlier), 0, v);
	for (int i = 0; i < FEATURE_COUNT - FEATURE_COMPONENT_1; i++)
		assert_true(equal(v[FEATURE_COMPONENT_1 + i], expected[i]));
	/* Features of another size, or none, are not compared. */
	assert_false(features_vector(m.row.features, MADE_FEATURES - 1, vector));
	m.features[3] = 0x7c00; /* infinity */
	assert_false(features_vector(m.row.features, MADE_FEATURES, vector));
	m.row.features = (struct span){0};
	features_of(&m.seen, 0.5, TASK_DETECTION, outlier_gaussian(r->outlier), 0, v);
	assert_true(isnan(v[FEATURE_COMPONENT_1]));
	reference_drop(r);
}

/* Of values that are as the reference's, places are uniform, ties or not: the largest gap to the diagonal of
 * 20,000 places is below what KS allows at 0.001, and the mean of squares is 1/3. */
static void places_are_uniform(void **state)
{
	for (unsigned kinds = 1; kinds <= 1000; kinds *= 10) {
		struct chance c = {kinds};
		static double reference[20000], places[20000];
		for (size_t i = 0; i < COUNT_OF(reference); i++)
			reference[i] = chance_below(&c, kinds);
		qsort(reference, COUNT_OF(reference), sizeof(double), by_value);
		for (size_t i = 0; i < COUNT_OF(places); i++)
			places[i] = feature_place(reference, COUNT_OF(reference), chance_below(&c, kinds),
				FEATURE_LABEL, made_id(i + 1));
		qsort(places, COUNT_OF(places), sizeof(double), by_value);
		double gap = 0;
		for (size_t i = 0; i < COUNT_OF(places); i++)
			gap = fmax(gap, fabs(places[i] - (double)(i + 1) / COUNT_OF(places)));
		assert_true(gap < 1.95 * sqrt(2.0 / COUNT_OF(places)));
		assert_true(places[0] >= 0 && places[COUNT_OF(places) - 1] < 1);
	}
	const double one[] = {5};
	assert_true(feature_place(one, 1, 9, FEATURE_OBJECTS, made_id(1)) >= 0.5);
	assert_true(feature_place(one, 1, 1, FEATURE_OBJECTS, made_id(1)) < 0.5);
}

static void the_table(void **state)
{
	for (int f = 0; f < FEATURE_COUNT; f++) {
		assert_true(strlen(feature_name((enum feature)f)) > 0 &&
			    strlen(feature_title((enum feature)f)) > 0);
		assert_non_null(feature_unit((enum feature)f));
		bool any = false;
		for (int t = 0; t < TASK_COUNT; t++)
			any |= feature_is_of((enum feature)f, (enum task)t);
		assert_true(any);
		/* watch/outlier.c counts on those of pixels being the first. */
		assert_true((feature_kind_of((enum feature)f) == FEATURE_OF_IMAGE) == (f < FEATURE_OBJECTS));
		for (int g = 0; g < f; g++)
			assert_string_not_equal(feature_name((enum feature)f), feature_name((enum feature)g));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_an_image_with_one_box),
		cmocka_unit_test(the_threshold_is_that_of_answers),
		cmocka_unit_test(one_shape_is_drawn),
		cmocka_unit_test(components_come_from_the_features),
		cmocka_unit_test(places_are_uniform),
		cmocka_unit_test(the_table),
	};
	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
