/* SPDX-License-Identifier: Apache-2.0 */
/* learn/measure.h: one number for how right shapes are, worked out by hand. */
#include "learn/measure.h"

#include "base/check.h"
#include "os/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const bool all[4] = {true, true, true, true}, first_two[4] = {true, true, false, false};

static bool is(double value, double expected)
{
	return value > expected - 1e-9 && value < expected + 1e-9;
}

static struct shape box(int32_t label, float score, float x, float y, float side)
{
	return (struct shape){
		.kind = SHAPE_BOX, .label = label, .score = score, .box = {x, y, x + side, y + side}};
}

static struct match_truth true_box(int32_t label, double x, double y, double side)
{
	return (struct match_truth){.label = label, .box = {x, y, side, side}, .area = -1};
}

static struct measure_value read_and_free(struct measure *m)
{
	struct measure_value v;
	measure_read(m, &v);
	measure_free(m);
	return v;
}

/* Of two boxes one is found, both times with the best score: precision 1 up to a recall of a half. */
static void test_boxes(void **state)
{
	struct measure *m = measure_new(TASK_DETECTION, all, 4, 2);
	struct match_truth truths[] = {true_box(0, 10, 10, 50), true_box(0, 200, 200, 50)};
	struct shape shapes[] = {box(0, 0.9f, 10, 10, 50), box(0, 0.1f, 500, 500, 50)};
	for (size_t picture = 0; picture < 2; picture++)
		measure_add(m, picture, &(struct truth){truths, 2, 0}, &(struct shapes){shapes, 2}, 640, 640);
	struct measure_value v = read_and_free(m);
	assert_true(v.value > 0.504 && v.value < 0.506); /* 51 of COCO's 101 recalls */
	assert_true(is(v.value50, v.value));
	assert_true(is(v.certainty, (double)0.9f / 2));
	assert_int_equal(v.pictures, 2);
}

/* A box that is off: 50 x 50 moved by 10 is an IoU of 2/3, which passes 4 of the 10 thresholds. */
static void test_certainty_of_boxes(void **state)
{
	struct match_truth truths[] = {
		true_box(0, 10, 10, 50), true_box(1, 100, 100, 50), true_box(2, 300, 300, 50)};
	truths[2].crowd = true;
	struct shape shapes[] = {box(0, 0.8f, 20, 10, 50), box(1, 0.5f, 10, 10, 50),
		box(1, 0.25f, 100, 100, 50), box(2, 0.9f, 300, 300, 50)};
	struct measure *m = measure_new(TASK_DETECTION, all, 4, 1);
	measure_add(m, 0, &(struct truth){truths, 3, 0}, &(struct shapes){shapes, 4}, 640, 640);
	assert_true(is(read_and_free(m).certainty, ((double)0.8f * 4 / 10 + 0.25) / 2));
}

/* A label that the pictures do not have is no mistake of the model. */
static void test_labels_that_do_not_count(void **state)
{
	struct match_truth truth = true_box(1, 10, 10, 50);
	struct shape shapes[] = {box(3, 0.9f, 100, 100, 50), box(1, 0.8f, 10, 10, 50), box(9, 0.7f, 0, 0, 9)};
	struct measure *m = measure_new(TASK_DETECTION, first_two, 4, 1);
	measure_add(m, 0, &(struct truth){&truth, 1, 0}, &(struct shapes){shapes, 3}, 640, 640);
	assert_true(is(read_and_free(m).value, 1));
	struct measure *none = measure_new(TASK_DETECTION, all, 4, 1);
	measure_add(none, 0, &(struct truth){&truth, 1, 0}, &(struct shapes){0}, 640, 640);
	struct measure_value v = read_and_free(none);
	assert_true(v.value == 0 && v.value50 == 0);
}

static void test_classes(void **state)
{
	static const int32_t truths[] = {0, 1, 1, 2}, guesses[] = {0, 1, 0, -1};
	struct measure *m = measure_new(TASK_CLASSIFICATION, all, 4, 4);
	for (size_t i = 0; i < 4; i++) {
		struct shape shapes[] = {{.kind = SHAPE_CLASS, .label = guesses[i], .score = 0.6f},
			{.kind = SHAPE_CLASS,
				.label = guesses[i] == truths[i] ? 3 : truths[i],
				.score = 0.4f}};
		measure_add(m, i, &(struct truth){.label = truths[i]},
			&(struct shapes){shapes, guesses[i] == -1 ? 0 : 2}, 8, 8);
	}
	struct measure_value v = read_and_free(m);
	assert_true(v.value == 0.5 && v.value50 == -1);
	assert_true(is(v.certainty, ((double)0.6f + (double)0.6f + (double)0.4f) / 4));
}

static struct shape square(int32_t label, float points[8], float x, float y, float side)
{
	const float corners[8] = {x, y, x + side, y, x + side, y + side, x, y + side};
	memcpy(points, corners, sizeof(corners));
	return (struct shape){
		.kind = SHAPE_POLYGON, .label = label, .score = 1, .points = points, .point_count = 4};
}

static struct mask square_mask(double x, double y, double side, struct arena *a)
{
	const double corners[8] = {x, y, x + side, y, x + side, y + side, x, y + side};
	struct mask_ring ring = {corners, 4};
	return mask_of_rings(&ring, 1, 100, 100, a);
}

/* Label 0: a square of 40, of which the half is found, and another of 20 found whole in two pieces. Label 1:
 * missed. Label 2 is guessed, but nowhere true. */
static void test_pixels(void **state)
{
	struct arena a;
	arena_init(&a);
	struct match_truth truths[] = {{.label = 0, .mask = square_mask(0, 0, 40, &a)},
		{.label = 0, .mask = square_mask(60, 60, 20, &a)},
		{.label = 1, .mask = square_mask(0, 60, 20, &a)}};
	float points[4][8];
	struct shape shapes[] = {square(0, points[0], 0, 20, 20), square(0, points[1], 20, 20, 20),
		square(0, points[2], 60, 60, 20), square(2, points[3], 80, 0, 20)};
	struct measure *m = measure_new(TASK_SEGMENTATION, all, 4, 1);
	measure_add(m, 0, &(struct truth){truths, 3, 0}, &(struct shapes){shapes, 4}, 100, 100);
	struct measure_value v = read_and_free(m);
	double expected = ((800.0 + 400) / (1600 + 400) + 0) / 2;
	assert_true(is(v.value, expected));
	arena_release(&a);
}

static void test_evidence_tells_answers_apart(void **state)
{
	struct match_truth truth = true_box(0, 10, 10, 50);
	uint64_t seen[4];
	for (size_t i = 0; i < 4; i++) {
		struct shape shape = box(0, i == 1 ? 0.8f : 0.9f, i == 2 ? 11 : 10, 10, 50);
		struct measure *m = measure_new(TASK_DETECTION, all, 4, 2);
		for (size_t k = 0; k < 2; k++)
			measure_add(m, i == 3 ? 1 - k : k, &(struct truth){&truth, 1, 0},
				&(struct shapes){&shape, 1}, 640, 640);
		seen[i] = read_and_free(m).evidence;
	}
	assert_true(seen[0] != seen[1] && seen[0] != seen[2] && seen[1] != seen[2]);
	assert_true(seen[0] == seen[3]); /* whatever the order */
}

/* ---- many threads ---- */

#define PICTURES 400
#define THREADS 4

static struct measure *shared;

static void add_share(void *arg)
{
	size_t share = (size_t)(uintptr_t)arg;
	struct match_truth truth = true_box(0, 10, 10, 50);
	for (size_t i = share; i < PICTURES; i += THREADS) {
		struct shape shape = box(0, 0.5f, i % 4 ? 10 : 300, 10, 50);
		measure_add(shared, i, &(struct truth){&truth, 1, 0}, &(struct shapes){&shape, 1}, 640, 640);
	}
}

static void test_threads_add_up(void **state)
{
	struct measure_value values[2];
	for (int i = 0; i < 2; i++) {
		thread_handle threads[THREADS];
		shared = measure_new(TASK_DETECTION, all, 4, PICTURES);
		for (size_t t = 0; t < THREADS; t++)
			thread_start(&threads[t], "adder", add_share, (void *)(uintptr_t)t);
		for (size_t t = 0; t < THREADS; t++)
			thread_join(threads[t]);
		values[i] = read_and_free(shared);
	}
	assert_int_equal(values[0].pictures, PICTURES);
	assert_true(values[0].value == values[1].value && values[0].evidence == values[1].evidence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boxes),
		cmocka_unit_test(test_certainty_of_boxes),
		cmocka_unit_test(test_labels_that_do_not_count),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_pixels),
		cmocka_unit_test(test_evidence_tells_answers_apart),
		cmocka_unit_test(test_threads_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
