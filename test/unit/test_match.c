/* SPDX-License-Identifier: Apache-2.0 */
/* Matching: each rule of COCO's and VOC's by a case of its own. Whole evaluations are in test_score.c. */
#include "task/match.h"

#include "base/check.h"
#include "task/score.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;
static struct match_outcome out;

static int set_up(void **state)
{
	arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&arena);
	return 0;
}

static void match_with(struct match_rules rules, const struct match_truth *t, size_t truths,
	const struct match_guess *g, size_t guesses)
{
	match_label(&rules, t, truths, g, guesses, &arena, &out);
}

static void match_by_coco(
	const struct match_truth *t, size_t truths, const struct match_guess *g, size_t guesses)
{
	match_with(score_rules_coco(false), t, truths, g, guesses);
}

static bool is_matched(size_t answer, enum match_area area, unsigned iou)
{
	return out.matches[answer].matched & MATCH_BIT(area, iou);
}

static bool is_ignored(size_t answer, enum match_area area, unsigned iou)
{
	return out.matches[answer].ignored & MATCH_BIT(area, iou);
}

#define TRUTH(x, y, w, h)                                                                                    \
	{                                                                                                    \
		.box = {x, y, w, h}, .area = -1                                                              \
	}
#define GUESS(s, x, y, w, h)                                                                                 \
	{                                                                                                    \
		.score = (s), .box = { x, y, w, h }                                                          \
	}

static void test_overlap(void **state)
{
	struct match_rules coco = score_rules_coco(false), voc = score_rules_voc(0.5, true);
	struct match_truth t = TRUTH(0, 0, 10, 10);
	struct match_guess same = GUESS(1, 0, 0, 10, 10), half = GUESS(1, 5, 0, 10, 10);
	struct match_guess beside = GUESS(1, 10, 0, 10, 10), empty = GUESS(1, 5, 5, 0, 3);
	assert_float_equal(match_iou(&coco, &same, &t), 1, 0);
	assert_float_equal(match_iou(&coco, &half, &t), 50.0 / 150, 1e-15);
	assert_float_equal(match_iou(&coco, &beside, &t), 0, 0);
	assert_float_equal(match_iou(&coco, &empty, &t), 0, 0);
	/* 11 columns and rows a box; those from 5 to 10 are shared, or that of 10. */
	assert_float_equal(match_iou(&voc, &half, &t), 66.0 / 176, 1e-15);
	assert_float_equal(match_iou(&voc, &beside, &t), 11.0 / 231, 1e-15);
	t.crowd = true;
	assert_float_equal(match_iou(&coco, &half, &t), 0.5, 0);
	assert_float_equal(match_iou(&voc, &half, &t), 66.0 / 176, 1e-15); /* VOC knows no crowds */
}

static void test_a_box_of_floats(void **state)
{
	struct match_box b = match_box_of((struct box){1.5f, 2.25f, 11, 4.75f});
	assert_float_equal(b.x, 1.5, 0);
	assert_float_equal(b.y, 2.25, 0);
	assert_float_equal(b.width, 9.5, 0);
	assert_float_equal(b.height, 2.5, 0);
}

static void test_the_best_answer_takes_the_object(void **state)
{
	const struct match_truth t[] = {TRUTH(0, 0, 10, 10)};
	const struct match_guess g[] = {GUESS(0.5, 0, 0, 10, 10), GUESS(0.9, 1, 0, 10, 10)};
	match_by_coco(t, 1, g, 2);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.truths[MATCH_ALL], 1);
	assert_float_equal(out.matches[0].score, 0.9, 0); /* IoU 0.818: up to 0.8 */
	assert_true(is_matched(0, MATCH_ALL, 6));
	assert_false(is_matched(0, MATCH_ALL, 7));
	assert_false(is_matched(1, MATCH_ALL, 6)); /* taken */
	assert_true(is_matched(1, MATCH_ALL, 7));  /* free at 0.85 */
	assert_int_equal(out.matches[1].rank, 1);
}

static void test_the_later_of_equal_objects_is_taken(void **state)
{
	const struct match_truth t[] = {TRUTH(0, 0, 10, 10), {.box = {0, 0, 10, 10}, .area = 5000}};
	const struct match_guess g[] = {GUESS(0.9, 0, 0, 10, 10)};
	match_by_coco(t, 2, g, 1);
	assert_true(is_matched(0, MATCH_ALL, 0));
	assert_false(is_ignored(0, MATCH_ALL, 0));
	/* Of the middle size is only the second; the first does not count there, the answer neither. */
	assert_int_equal(out.truths[MATCH_SMALL], 1);
	assert_int_equal(out.truths[MATCH_MEDIUM], 1);
	assert_false(is_ignored(0, MATCH_MEDIUM, 0));
	assert_true(is_matched(0, MATCH_MEDIUM, 0));
}

static void test_an_object_that_counts_comes_before_a_better_crowd(void **state)
{
	const struct match_truth t[] = {
		{.box = {0, 0, 10, 10}, .area = -1, .crowd = true}, TRUTH(0, 0, 10, 6)};
	const struct match_guess g[] = {
		GUESS(0.9, 0, 0, 10, 10), GUESS(0.8, 0, 0, 10, 10), GUESS(0.7, 0, 0, 5, 5)};
	match_by_coco(t, 2, g, 3);
	assert_int_equal(out.truths[MATCH_ALL], 1);
	assert_true(is_matched(0, MATCH_ALL, 0));
	assert_false(is_ignored(0, MATCH_ALL, 0));
	/* At 0.75 only the crowd is left, again and again. */
	for (size_t i = 0; i < 3; i++) {
		assert_true(is_matched(i, MATCH_ALL, 5));
		assert_true(is_ignored(i, MATCH_ALL, 5));
	}
	assert_true(is_ignored(1, MATCH_ALL, 0));
}

static void test_answers_of_another_size_do_not_count(void **state)
{
	const struct match_guess g[] = {
		GUESS(0.9, 0, 0, 10, 10), GUESS(0.8, 0, 0, 32, 32), GUESS(0.7, 0, 0, 200, 50)};
	match_by_coco(NULL, 0, g, 3);
	assert_false(is_ignored(0, MATCH_ALL, 0));
	assert_false(is_ignored(0, MATCH_SMALL, 0));
	assert_true(is_ignored(0, MATCH_MEDIUM, 9));
	assert_false(is_ignored(1, MATCH_SMALL, 0)); /* 1024 belongs to both */
	assert_false(is_ignored(1, MATCH_MEDIUM, 0));
	assert_true(is_ignored(1, MATCH_LARGE, 0));
	assert_true(is_ignored(2, MATCH_MEDIUM, 0));
	assert_false(is_ignored(2, MATCH_LARGE, 0));
}

static void test_the_area_of_the_file_decides(void **state)
{
	const struct match_truth t[] = {{.box = {0, 0, 100, 100}, .area = 1000}};
	match_by_coco(t, 1, NULL, 0);
	assert_int_equal(out.count, 0);
	assert_int_equal(out.truths[MATCH_ALL], 1);
	assert_int_equal(out.truths[MATCH_SMALL], 1);
	assert_int_equal(out.truths[MATCH_LARGE], 0);
}

static void test_a_perfect_answer_is_found_at_one(void **state)
{
	struct match_rules rules = {.iou_count = 1, .ious = {1}};
	const struct match_truth t[] = {TRUTH(0.1, 0.7, 1.3, 2.9)};
	const struct match_guess g[] = {GUESS(0.9, 0.1, 0.7, 1.3, 2.9)};
	match_with(rules, t, 1, g, 1);
	assert_true(is_matched(0, MATCH_ALL, 0));
}

static void test_a_hundred_answers_and_the_order_of_equals(void **state)
{
	struct match_guess g[120] = {0};
	for (size_t i = 0; i < COUNT_OF(g); i++)
		g[i] = (struct match_guess)GUESS(i == 119 ? 0.6 : 0.5, (double)i, 0, 1, 1);
	g[3].score = NAN;
	const struct match_truth t[] = {TRUTH(98, 0, 1, 1), TRUTH(100, 0, 1, 1)};
	match_by_coco(t, 2, g, COUNT_OF(g));
	assert_int_equal(out.count, MATCH_GUESSES_MAX); /* 119, 0, 1, 2, 4 … 99 */
	assert_float_equal(out.matches[0].score, 0.6, 0);
	assert_true(is_matched(98, MATCH_ALL, 0));
	for (size_t i = 0; i < out.count; i++)
		assert_int_equal(is_matched(i, MATCH_ALL, 0), i == 98);
	match_with(score_rules_voc(0.5, false), t, 2, g, COUNT_OF(g)); /* VOC takes all */
	assert_int_equal(out.count, COUNT_OF(g));
	assert_true(is_matched(99 + 0, MATCH_ALL, 0) || is_matched(100, MATCH_ALL, 0));
	assert_true(out.matches[119].score < 0); /* NaN is last */
}

static void test_voc_answers_belong_to_the_best_object(void **state)
{
	const struct match_truth t[] = {TRUTH(0, 0, 10, 10), TRUTH(2, 0, 10, 10)};
	const struct match_guess g[] = {GUESS(0.9, 0, 0, 10, 10), GUESS(0.8, 0.5, 0, 10, 10)};
	/* The second answer overlaps the second object enough, but is that of the first, which is taken. */
	match_with(score_rules_voc(0.5, false), t, 2, g, 2);
	assert_true(is_matched(0, MATCH_ALL, 0));
	assert_false(is_matched(1, MATCH_ALL, 0));
	assert_false(is_ignored(1, MATCH_ALL, 0));
	match_by_coco(t, 2, g, 2);
	assert_true(is_matched(1, MATCH_ALL, 0));
}

static void test_voc_difficult_objects_do_not_count(void **state)
{
	const struct match_truth t[] = {{.box = {0, 0, 10, 10}, .area = -1, .difficult = true}};
	const struct match_guess g[] = {
		GUESS(0.9, 0, 0, 10, 10), GUESS(0.8, 0, 0, 10, 9), GUESS(0.7, 30, 0, 10, 9)};
	match_with(score_rules_voc(0.5, true), t, 1, g, 3);
	assert_int_equal(out.truths[MATCH_ALL], 0);
	assert_true(is_ignored(0, MATCH_ALL, 0));
	assert_true(is_ignored(1, MATCH_ALL, 0));
	assert_false(is_ignored(2, MATCH_ALL, 0));
	assert_false(is_matched(2, MATCH_ALL, 0));
}

static void test_masks_are_matched_by_pixels(void **state)
{
	/* A triangle and its square: the box is the same, half of the pixels are. */
	const double square[] = {0, 0, 40, 0, 40, 40, 0, 40}, triangle[] = {0, 0, 40, 0, 0, 40};
	struct mask_ring rings[] = {{square, 4}, {triangle, 3}};
	struct match_truth t = {.box = {0, 0, 40, 40}, .area = -1};
	struct match_guess g = {.score = 1, .box = {0, 0, 40, 40}};
	t.mask = mask_of_rings(&rings[0], 1, 64, 48, &arena);
	g.mask = mask_of_rings(&rings[1], 1, 64, 48, &arena);
	struct match_rules rules = score_rules_coco(true);
	double shared = (double)mask_area(g.mask) / 1600;
	assert_true(shared > 0.48 && shared < 0.53);
	assert_float_equal(match_iou(&rules, &g, &t), shared, 1e-15);
	match_with(rules, &t, 1, &g, 1);
	assert_int_equal(is_matched(0, MATCH_ALL, 0), shared >= 0.5);
	assert_int_equal(out.truths[MATCH_MEDIUM], 1);
	assert_false(is_ignored(0, MATCH_SMALL, 0)); /* the triangle has at most 1024 pixels */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_a_box_of_floats),
		cmocka_unit_test(test_the_best_answer_takes_the_object),
		cmocka_unit_test(test_the_later_of_equal_objects_is_taken),
		cmocka_unit_test(test_an_object_that_counts_comes_before_a_better_crowd),
		cmocka_unit_test(test_answers_of_another_size_do_not_count),
		cmocka_unit_test(test_the_area_of_the_file_decides),
		cmocka_unit_test(test_a_perfect_answer_is_found_at_one),
		cmocka_unit_test(test_a_hundred_answers_and_the_order_of_equals),
		cmocka_unit_test(test_voc_answers_belong_to_the_best_object),
		cmocka_unit_test(test_voc_difficult_objects_do_not_count),
		cmocka_unit_test(test_masks_are_matched_by_pixels),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
