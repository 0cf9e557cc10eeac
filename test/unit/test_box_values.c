/* SPDX-License-Identifier: Apache-2.0 */
/* task/box_values: what form and unit boxes have, told by their values: made-up ones in each, and a real
 * SSD's. */
#include "task/box_values.h"

#include "task_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define WIDTH 320
#define HEIGHT 240

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static float chance(uint32_t *seed, float low, float high)
{
	return low + (high - low) * (float)next(seed) / 0x1p24f;
}

/* A box for each of the cells of stride 16, with some noise. */
static struct engine_tensor places(float **values, enum box_form form, enum box_unit unit, uint32_t seed)
{
	enum { COLUMNS = WIDTH / 16, ROWS = HEIGHT / 16 };
	struct engine_tensor t = sample_zeros(values, DIMS(1, COLUMNS * ROWS, 4));
	for (size_t i = 0; i < COLUMNS * ROWS; i++) {
		float x = (float)(i % COLUMNS) * 16 + chance(&seed, 4, 12);
		float y = (float)(i / COLUMNS) * 16 + chance(&seed, 4, 12);
		float w = chance(&seed, 5, 90), h = chance(&seed, 5, 90), *v = *values + 4 * i;
		float x_side = unit == BOX_UNIT_PIXELS ? 1 : WIDTH,
		      y_side = unit == BOX_UNIT_PIXELS ? 1 : HEIGHT;
		const float corners[] = {(x - w / 2) / x_side, (y - h / 2) / y_side, (x + w / 2) / x_side,
			(y + h / 2) / y_side};
		const float turned[] = {corners[1], corners[0], corners[3], corners[2]};
		const float centre[] = {x / x_side, y / y_side, w / x_side, h / y_side};
		const float *forms[] = {corners, turned, centre};
		memcpy(v, forms[form], sizeof(corners));
	}
	return t;
}

static struct output_rows rows_of(const struct engine_tensor *t)
{
	return (struct output_rows){t, (size_t)t->shape[1], 4, 1, 0};
}

static void test_places_tell_form_and_unit(void **state)
{
	for (enum box_form form = 0; form < BOX_FORM_COUNT; form++) {
		for (enum box_unit unit = 0; unit < BOX_UNIT_COUNT; unit++) {
			float *values;
			struct engine_tensor t = places(&values, form, unit, 7);
			struct output_rows rows = rows_of(&t);
			struct box_values b = box_values_of_places(&rows, WIDTH, HEIGHT);
			assert_true(b.are_boxes && b.form_told && b.unit_told);
			assert_int_equal(b.form, form);
			assert_int_equal(b.unit, unit);
			/* The input's size unknown: pixels cannot be told from what is larger by chance. */
			b = box_values_of_places(&rows, 0, 0);
			assert_int_equal(b.unit, unit);
			assert_int_equal(b.unit_told, unit == BOX_UNIT_FRACTION);
			free(values);
		}
	}
}

static void test_raw_offsets_are_no_boxes(void **state)
{
	float *values;
	struct engine_tensor t = sample_zeros(&values, DIMS(1, 300, 4));
	struct output_rows rows = rows_of(&t);
	uint32_t seed = 3;
	for (size_t i = 0; i < 1200; i++)
		values[i] = chance(&seed, -3, 2);
	struct box_values b = box_values_of_places(&rows, WIDTH, HEIGHT);
	assert_false(b.are_boxes);
	assert_true(b.negative_share > 0.5f);
	free(values);
}

static void test_what_shows_nothing_is_a_guess(void **state)
{
	float *values;
	struct engine_tensor t = sample_zeros(&values, DIMS(1, 300, 4));
	struct output_rows rows = rows_of(&t);
	struct box_values b = box_values_of_places(&rows, WIDTH, HEIGHT); /* zeros */
	assert_true(b.are_boxes && !b.form_told && !b.unit_told);
	values[17] = NAN;
	b = box_values_of_places(&rows, WIDTH, HEIGHT);
	assert_true(b.are_boxes && !b.form_told && !b.unit_told);
	values[17] = INFINITY;
	b = box_values_of_places(&rows, WIDTH, HEIGHT);
	assert_true(b.are_boxes && !b.form_told && !b.unit_told);
	rows.count = 0;
	rows.tensor = NULL;
	b = box_values_of_places(&rows, WIDTH, HEIGHT);
	assert_true(b.are_boxes && !b.form_told && !b.unit_told);
	assert_int_equal(b.form, BOX_FORM_CORNERS);
	assert_int_equal(b.unit, BOX_UNIT_FRACTION);
	b = box_values_of_finals(&rows);
	assert_true(b.are_boxes && !b.form_told && !b.unit_told);
	assert_int_equal(b.unit, BOX_UNIT_PIXELS);
	free(values);
}

static void test_final_boxes_tell_what_they_can(void **state)
{
	float values[80] = {0}; /* padded with zeros */
	struct engine_tensor t = sample_tensor(values, DIMS(1, 20, 4));
	struct output_rows rows = rows_of(&t);
	const float box[] = {10, 20, 30, 40};
	memcpy(values, box, sizeof(box));
	struct box_values b = box_values_of_finals(&rows);
	assert_true(b.unit_told && b.unit == BOX_UNIT_PIXELS);
	assert_true(!b.form_told && b.form == BOX_FORM_CORNERS); /* one box may be so by chance */
	for (size_t i = 0; i < 12; i++)
		memcpy(values + 4 * i, box, sizeof(box));
	b = box_values_of_finals(&rows);
	assert_true(b.form_told && b.form == BOX_FORM_CORNERS);
	for (size_t i = 0; i < 48; i++)
		values[i] /= 50;
	b = box_values_of_finals(&rows);
	assert_true(b.unit_told && b.unit == BOX_UNIT_FRACTION);
	for (size_t i = 0; i < 12; i++)
		values[4 * i + 2] = 0.1f; /* narrower than it is far from the left */
	b = box_values_of_finals(&rows);
	assert_int_equal(b.form, BOX_FORM_CENTER);
	assert_false(b.form_told);
}

/* ---- of a real model ---- */

enum stage { offsets, centres, corners };

static const struct {
	enum stage stage;
	float values[4];
} real[] = {
#define BOX(stage, a, b, c, d) {stage, {a, b, c, d}},
#include "../golden/ultraface_boxes.txt"
#undef BOX
};

static void test_stages_of_a_real_model(void **state)
{
	static float values[4 * COUNT_OF(real)];
	for (enum stage stage = offsets; stage <= corners; stage++) {
		size_t count = 0;
		for (size_t i = 0; i < COUNT_OF(real); i++)
			if (real[i].stage == stage)
				memcpy(values + 4 * count++, real[i].values, sizeof(real[i].values));
		assert_int_equal(count, 130);
		struct engine_tensor t = sample_tensor(values, DIMS(1, (int64_t)count, 4));
		struct output_rows rows = rows_of(&t);
		struct box_values b = box_values_of_places(&rows, WIDTH, HEIGHT);
		assert_int_equal(b.are_boxes, stage != offsets);
		if (stage == offsets)
			continue;
		assert_int_equal(b.form, stage == centres ? BOX_FORM_CENTER : BOX_FORM_CORNERS);
		assert_true(b.unit_told && b.unit == BOX_UNIT_FRACTION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_tell_form_and_unit),
		cmocka_unit_test(test_raw_offsets_are_no_boxes),
		cmocka_unit_test(test_what_shows_nothing_is_a_guess),
		cmocka_unit_test(test_final_boxes_tell_what_they_can),
		cmocka_unit_test(test_stages_of_a_real_model),
	};
	return cmocka_run_group_tests_name("box_values", tests, NULL, NULL);
}
