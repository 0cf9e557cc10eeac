/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for what; and pixels of classes. */
#include "task/confusion.h"
#include "task/overlap.h"

#include "base/check.h"
#include "score_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;

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

static struct match_truth truth_at(int32_t label, double x, double width)
{
	return (struct match_truth){.label = label, .box = {x, 0, width, 10}, .area = -1};
}

static struct match_guess guess_at(int32_t label, double x, double width, double score)
{
	return (struct match_guess){.label = label, .score = score, .box = {x, 0, width, 10}};
}

static void expect_pair(struct confusion_pair p, double score, int32_t guess, int32_t truth)
{
	assert_float_equal(p.score, score, 0);
	assert_int_equal(p.guess, guess);
	assert_int_equal(p.truth, truth);
}

/* ---- pairs ---- */

static void test_the_best_answer_takes_the_object_whatever_its_label(void **state)
{
	const struct match_truth truths[] = {truth_at(0, 0, 10), truth_at(1, 100, 10), truth_at(2, 200, 10)};
	const struct match_guess guesses[] = {
		guess_at(0, 0, 10, 0.5),   /* the same box, but not the surest */
		guess_at(3, 1, 10, 0.9),   /* takes the first object for something else */
		guess_at(1, 104, 10, 0.8), /* IoU 6/14: too little */
		guess_at(2, 200, 10, 0.7),
	};
	size_t count;
	const struct confusion_pair *pairs = confusion_pairs(false, truths, 3, guesses, 4, &arena, &count);
	assert_int_equal(count, 5);
	expect_pair(pairs[0], 0.9, 3, 0);
	expect_pair(pairs[1], 0.8, 1, CONFUSION_NONE);
	expect_pair(pairs[2], 0.7, 2, 2);
	expect_pair(pairs[3], 0.5, 0, CONFUSION_NONE);
	expect_pair(pairs[4], 0, CONFUSION_NONE, 1);
}

static void test_half_is_enough_and_the_higher_overlap_wins(void **state)
{
	const struct match_truth truths[] = {truth_at(0, 0, 10), truth_at(1, 2, 10), truth_at(2, 2, 10)};
	const struct match_guess half[] = {guess_at(5, 0, 20, 1)}; /* IoU 0.5, with all three */
	const struct match_guess near[] = {guess_at(5, 3, 10, 1)};
	size_t count;
	const struct confusion_pair *pairs = confusion_pairs(false, truths, 1, half, 1, &arena, &count);
	assert_int_equal(count, 1);
	expect_pair(pairs[0], 1, 5, 0);
	pairs = confusion_pairs(false, truths, 3, near, 1, &arena, &count);
	assert_int_equal(count, 3);
	expect_pair(pairs[0], 1, 5, 1); /* of two equals the first */
	pairs = confusion_pairs(false, truths, 0, near, 0, &arena, &count);
	assert_int_equal(count, 0);
}

static void expect_equal(const struct confusion *a, const struct confusion *b)
{
	size_t side = a->label_count + 1;
	assert_int_equal(a->label_count, b->label_count);
	assert_memory_equal(a->cells, b->cells, side * side * sizeof(*a->cells));
}

/* One list of pairs serves every threshold: as if the answers below it had not been there. */
static void test_a_threshold_leaves_what_was_paired(void **state)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct sample_case c;
		sample_case_fill(&c, seed);
		for (size_t i = 0; i < c.image_count; i++) {
			const struct sample_image *image = &c.images[i];
			size_t all;
			const struct confusion_pair *pairs = confusion_pairs(false, image->truths,
				image->truth_count, image->guesses, image->guess_count, &arena, &all);
			for (double threshold = 0; threshold < 1.1; threshold += 0.25) {
				struct match_guess high[SAMPLE_GUESSES_MAX];
				size_t count = 0, some;
				for (size_t g = 0; g < image->guess_count; g++)
					if (image->guesses[g].score >= threshold)
						high[count++] = image->guesses[g];
				const struct confusion_pair *fewer = confusion_pairs(
					false, image->truths, image->truth_count, high, count, &arena, &some);
				struct confusion a, b;
				confusion_init(&a, 6, &arena);
				confusion_init(&b, 6, &arena);
				confusion_add(&a, pairs, all, threshold);
				confusion_add(&b, fewer, some, 0);
				expect_equal(&a, &b);
			}
		}
	}
}

static void test_cells(void **state)
{
	const struct confusion_pair pairs[] = {
		{0.9, 1, 0}, {0.8, 1, 1}, {0.4, 0, 0}, {0.7, 0, CONFUSION_NONE}, {0, CONFUSION_NONE, 1}};
	struct confusion c;
	confusion_init(&c, 2, &arena);
	confusion_add(&c, pairs, COUNT_OF(pairs), 0.5);
	assert_int_equal(confusion_cell(&c, 0, 1), 1);
	assert_int_equal(confusion_cell(&c, 1, 1), 1);
	assert_int_equal(confusion_cell(&c, 0, 0), 0);
	assert_int_equal(confusion_cell(&c, 0, CONFUSION_NONE), 1); /* its answer is too unsure */
	assert_int_equal(confusion_cell(&c, 1, CONFUSION_NONE), 1);
	assert_int_equal(confusion_cell(&c, CONFUSION_NONE, 0), 1);
	assert_int_equal(confusion_cell(&c, CONFUSION_NONE, CONFUSION_NONE), 0);
	assert_int_equal(c.cells[2 * 3 + 0], 1); /* the last row is of nothing */
	const struct confusion_pair one = confusion_pair_of_classes(1, CONFUSION_NONE, 0.3);
	expect_pair(one, 0, CONFUSION_NONE, 1);
}

/* ---- masks ---- */

static struct mask rectangle(double x, double y, double w, double h)
{
	const double points[] = {x, y, x + w, y, x + w, y + h, x, y + h};
	const struct mask_ring ring = {points, 4};
	return mask_of_rings(&ring, 1, 100, 80, &arena);
}

static void test_masks_are_paired_by_their_pixels(void **state)
{
	const struct match_truth truths[] = {{.label = 0, .mask = rectangle(0, 0, 10, 10)},
		{.label = 1, .mask = rectangle(50, 50, 10, 10)}};
	const struct match_guess guesses[] = {{.label = 1, .score = 0.9, .mask = rectangle(0, 0, 10, 8)},
		{.label = 1, .score = 0.8, .mask = rectangle(56, 50, 10, 10)}};
	size_t count;
	const struct confusion_pair *pairs = confusion_pairs(true, truths, 2, guesses, 2, &arena, &count);
	assert_int_equal(count, 3);
	expect_pair(pairs[0], 0.9, 1, 0);
	expect_pair(pairs[1], 0.8, 1, CONFUSION_NONE);
	expect_pair(pairs[2], 0, CONFUSION_NONE, 1);
}

static void test_overlap_of_one_image(void **state)
{
	const struct match_truth truths[] = {{.label = 3, .mask = rectangle(0, 0, 10, 10)},
		{.label = 3, .mask = rectangle(5, 0, 10, 10)}, {.label = 7, .mask = rectangle(50, 50, 4, 5)}};
	const struct match_guess guesses[] = {{.label = 3, .score = 0.9, .mask = rectangle(0, 0, 10, 5)},
		{.label = 4, .score = 0.9, .mask = rectangle(80, 0, 3, 3)},
		{.label = 3, .score = 0.2, .mask = rectangle(0, 0, 100, 80)}};
	size_t count;
	struct overlap *o = overlap_of_image(truths, 3, guesses, 3, 0.5, &arena, &count);
	assert_int_equal(count, 3);
	assert_true(o[0].label == 3 && o[0].truth == 150 && o[0].guess == 50 && o[0].both == 50);
	assert_true(o[1].label == 4 && o[1].truth == 0 && o[1].guess == 9 && o[1].both == 0);
	assert_true(o[2].label == 7 && o[2].truth == 20 && o[2].guess == 0 && o[2].both == 0);
	assert_float_equal(overlap_iou(o[0]), 50 / 150.0, 0);
	assert_float_equal(overlap_dice(o[0]), 100 / 200.0, 0);
	assert_float_equal(overlap_mean_iou(o, 3), (50 / 150.0 + 0 + 0) / 3, 1e-15);
	assert_float_equal(overlap_iou((struct overlap){.label = 1}), -1, 0);
	assert_float_equal(overlap_mean_iou(o, 0), -1, 0);
	o = overlap_of_image(truths, 3, guesses, 3, 0, &arena, &count);
	assert_int_equal(o[0].guess, 8000);
	overlap_of_image(truths, 0, guesses, 0, 0, &arena, &count);
	assert_int_equal(count, 0);
}

/* Pixel by pixel. */
static void paint(bool *pixels, struct mask m)
{
	size_t at = 0;
	for (size_t i = 0; i < m.run_count; at += m.runs[i++])
		for (size_t k = 0; i % 2 == 1 && k < m.runs[i]; k++)
			pixels[at + k] = true;
}

static void test_overlap_is_what_counting_pixels_gives(void **state)
{
	enum { PIXELS = SAMPLE_WIDTH * SAMPLE_HEIGHT };
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct sample_case c;
		sample_case_fill(&c, seed);
		sample_case_masks(&c, seed, &arena);
		for (size_t i = 0; i < c.image_count; i++) {
			const struct sample_image *image = &c.images[i];
			size_t count;
			const struct overlap *o = overlap_of_image(image->truths, image->truth_count,
				image->guesses, image->guess_count, 0.4, &arena, &count);
			for (size_t k = 0; k < count; k++) {
				static bool truth[PIXELS], guess[PIXELS];
				uint64_t both = 0, true_pixels = 0, guessed = 0;
				memset(truth, 0, sizeof(truth));
				memset(guess, 0, sizeof(guess));
				for (size_t t = 0; t < image->truth_count; t++)
					if (image->truths[t].label == o[k].label)
						paint(truth, image->truths[t].mask);
				for (size_t g = 0; g < image->guess_count; g++)
					if (image->guesses[g].label == o[k].label &&
						image->guesses[g].score >= 0.4)
						paint(guess, image->guesses[g].mask);
				for (size_t p = 0; p < PIXELS; p++) {
					both += truth[p] && guess[p];
					true_pixels += truth[p];
					guessed += guess[p];
				}
				assert_true(o[k].both == both && o[k].truth == true_pixels &&
					    o[k].guess == guessed);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_best_answer_takes_the_object_whatever_its_label),
		cmocka_unit_test(test_half_is_enough_and_the_higher_overlap_wins),
		cmocka_unit_test(test_a_threshold_leaves_what_was_paired),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_masks_are_paired_by_their_pixels),
		cmocka_unit_test(test_overlap_of_one_image),
		cmocka_unit_test(test_overlap_is_what_counting_pixels_gives),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
