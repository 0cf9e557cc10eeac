/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals and weighted estimates; AP by weighted images. Whether intervals hold is test_coverage.c. */
#include "task/estimate.h"
#include "task/score_view.h"

#include "base/check.h"
#include "score_samples.h"

#include <math.h>
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

/* ---- shares ---- */

/* SciPy: binomtest(right, count).proportion_ci(method='wilson'). */
static void test_wilsons_interval(void **state)
{
	const struct {
		uint64_t right, count;
		double low, high;
	} cases[] = {{8, 10, 0.4901624715366418, 0.9433178485456248}, {0, 10, 0, 0.27753279986288926},
		{10, 10, 0.7224672001371109, 1}, {150, 300, 0.4437795161339169, 0.5562204838660831}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct estimate e = estimate_share(cases[i].right, cases[i].count);
		assert_float_equal(e.value, (double)cases[i].right / (double)cases[i].count, 0);
		assert_float_equal(e.low, cases[i].low, 1e-12);
		assert_float_equal(e.high, cases[i].high, 1e-12);
		assert_int_equal(e.images, cases[i].count);
	}
	assert_true(estimate_share(0, 0).value < 0);
}

static void test_chances_weigh(void **state)
{
	const double values[] = {1, 0, 1, 1}, chances[] = {0.5, 0.1, 1, 0.25};
	/* weights 2, 10, 1, 4 of 17; right 7 */
	struct estimate e = estimate_mean(values, chances, 4);
	double mean = 7.0 / 17, variance = 0;
	const double weights[] = {2, 10, 1, 4};
	for (size_t i = 0; i < 4; i++)
		variance += pow(weights[i] * (values[i] - mean), 2);
	variance = variance / (17 * 17) * 4 / 3;
	assert_float_equal(e.value, mean, 1e-15);
	assert_int_equal(e.images, 4);
	assert_true(e.low < mean && e.high > mean && e.low >= 0 && e.high <= 1);
	/* Wilson's interval is wider than a normal one would be of the same variance cut at 0 and 1. */
	assert_true(e.high - e.low > fmin(1, mean + sqrt(variance)) - fmax(0, mean - sqrt(variance)));
	assert_int_equal(estimate_mean(NULL, NULL, 0).images, 0);
}

/* As many as there are, with equal chances, are a plain sample: Wilson's interval, a little wider by
 * Student. */
static void test_equal_chances_are_a_plain_sample(void **state)
{
	double values[400], chances[400];
	for (size_t i = 0; i < 400; i++) {
		values[i] = i < 340;
		chances[i] = 0.07;
	}
	struct estimate weighted = estimate_mean(values, chances, 400), plain = estimate_share(340, 400);
	assert_float_equal(weighted.value, plain.value, 1e-12);
	assert_float_equal(weighted.low, plain.low, 1e-3);
	assert_float_equal(weighted.high, plain.high, 1e-3);
	assert_true(weighted.low <= plain.low && weighted.high >= plain.high);
	for (size_t i = 0; i < 400; i++)
		values[i] = 1;
	weighted = estimate_mean(values, chances, 400);
	assert_float_equal(weighted.value, 1, 0);
	assert_true(weighted.low > 0.98 && weighted.low < 0.995); /* not 1: 400 right ones are no proof */
}

static void test_differences(void **state)
{
	double a[100], b[100];
	for (size_t i = 0; i < 100; i++)
		a[i] = b[i] = i % 3 == 0;
	struct estimate e = estimate_mean_difference(a, b, 100);
	assert_float_equal(e.value, 0, 0);
	assert_true(e.low < 0 && e.high > 0 && e.high < 0.05);
	for (size_t i = 0; i < 30; i++)
		b[i] = 0;
	e = estimate_mean_difference(a, b, 100);
	assert_float_equal(e.value, 0.1, 1e-12);
	assert_true(e.low > 0 && e.high < 0.2);
}

/* ---- AP ---- */

/* Images of some cases, under ids of their own; scores that are never the same. */
static struct score *score_of_cases(uint64_t first, size_t cases, bool masks)
{
	const struct match_rules rules = score_rules_coco(masks);
	struct score *s = score_new(&rules);
	int64_t id = 0;
	for (size_t i = 0; i < cases; i++) {
		struct sample_case *c = ARENA_NEW(&arena, struct sample_case);
		sample_case_fill(c, first + i);
		for (size_t k = 0; k < c->image_count; k++, id++) {
			for (size_t g = 0; g < c->images[k].guess_count; g++)
				c->images[k].guesses[g].score += (double)(id * 16 + (int64_t)g) * 1e-7;
			score_add(s, id, c->images[k].truths, c->images[k].truth_count, c->images[k].guesses,
				c->images[k].guess_count);
		}
	}
	return s;
}

static double ap_of(struct score *s)
{
	struct score_summary summary;
	score_read(s, &arena, &summary);
	return summary.numbers.ap;
}

static void test_without_weights_it_is_the_ap(void **state)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct score *s = score_of_cases(seed, 1 + seed % 5, false);
		struct score_summary summary;
		score_read(s, &arena, &summary);
		struct score_view *v = score_view_new(s, &arena);
		double *ones = ARENA_ARRAY(&arena, double, score_view_count(v) + 1);
		for (size_t i = 0; i < score_view_count(v); i++)
			ones[i] = 1;
		assert_int_equal(score_view_count(v), summary.images);
		assert_float_equal(score_view_ap(v, NULL).ap, summary.numbers.ap, 1e-14);
		assert_float_equal(score_view_ap(v, NULL).ap50, summary.numbers.ap50, 1e-14);
		assert_float_equal(score_view_ap(v, ones).ap, summary.numbers.ap, 1e-14);
		score_free(s);
	}
}

static bool is_odd(int64_t image, void *arg)
{
	return image % 2 == 1;
}

static void test_weights_of_0_leave_images_out(void **state)
{
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct score *s = score_of_cases(seed, 6, false);
		struct score *odd = score_select(s, SCORE_ALL_LABELS, is_odd, NULL);
		struct score_view *v = score_view_new(s, &arena);
		double *weights = ARENA_ARRAY(&arena, double, score_view_count(v));
		for (size_t i = 0; i < score_view_count(v); i++)
			weights[i] = score_view_images(v)[i] % 2 == 1;
		assert_float_equal(score_view_ap(v, weights).ap, ap_of(odd), 1e-14);
		score_free(s);
		score_free(odd);
	}
}

/* An image of weight 3 is as good as three of it; and only proportions count. */
static void test_weights_count_images_several_times(void **state)
{
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct score *s = score_of_cases(seed, 4, false), *repeated = score_of_cases(seed, 4, false);
		struct score_view *v = score_view_new(s, &arena);
		double *weights = ARENA_ARRAY(&arena, double, score_view_count(v));
		int64_t id = 0;
		for (size_t i = 0; i < score_view_count(v); i++)
			weights[i] = 1 + (double)(i % 3);
		for (size_t i = 0; i < 4; i++) {
			struct sample_case c;
			sample_case_fill(&c, seed + i);
			for (size_t k = 0; k < c.image_count; k++, id++) {
				for (size_t g = 0; g < c.images[k].guess_count; g++)
					c.images[k].guesses[g].score += (double)(id * 16 + (int64_t)g) * 1e-7;
				for (int64_t more = 1; more <= id % 3; more++)
					score_add(repeated, id + 1000 * more, c.images[k].truths,
						c.images[k].truth_count, c.images[k].guesses,
						c.images[k].guess_count);
			}
		}
		assert_float_equal(score_view_ap(v, weights).ap, ap_of(repeated), 1e-12);
		double before = score_view_ap(v, weights).ap;
		for (size_t i = 0; i < score_view_count(v); i++)
			weights[i] *= 8;
		assert_float_equal(score_view_ap(v, weights).ap, before, 1e-12);
		score_free(s);
		score_free(repeated);
	}
}

/* ---- the bootstrap ---- */

static void test_draws_are_poissons(void **state)
{
	double counts[6] = {0}, sum = 0, squares = 0;
	const double expected[] = {0.367879, 0.367879, 0.183940, 0.061313, 0.015328, 0.003066};
	const int images = 2000, replicates = 100;
	for (int64_t i = 0; i < images; i++) {
		for (uint32_t r = 0; r < (uint32_t)replicates; r++) {
			unsigned count = estimate_poisson(i, r);
			assert_int_equal(count, estimate_poisson(i, r));
			sum += count;
			squares += count * count;
			if (count < 6)
				counts[count]++;
		}
	}
	double n = images * replicates;
	assert_float_equal(sum / n, 1, 0.01);
	assert_float_equal(squares / n - 1, 1, 0.03);
	for (size_t i = 0; i < 6; i++)
		assert_float_equal(counts[i] / n, expected[i], 0.005);
}

static void test_the_interval_of_an_ap(void **state)
{
	struct score *few = score_of_cases(500, 10, false), *many = score_of_cases(500, 160, false);
	struct score_view *small = score_view_new(few, &arena), *large = score_view_new(many, &arena);
	struct estimate a = estimate_ap(small, NULL), b = estimate_ap(large, NULL),
			again = estimate_ap(small, NULL);
	assert_float_equal(a.value, ap_of(few), 1e-14);
	assert_true(a.low <= a.value && a.value <= a.high && a.low >= 0 && a.high <= 1);
	assert_memory_equal(&a, &again, sizeof(a));
	assert_int_equal(a.images, score_view_count(small));
	/* 16 times the images: about a quarter as wide */
	assert_true(b.high - b.low < 0.5 * (a.high - a.low) && b.high - b.low > 0.1 * (a.high - a.low));
	struct estimate none = estimate_ap_difference(small, small, NULL);
	assert_float_equal(none.value, 0, 0);
	assert_true(none.low <= 0 && none.high >= 0 && none.high < 1e-12);
	score_free(few);
	score_free(many);
}

static void test_nothing_to_estimate(void **state)
{
	const struct match_rules rules = score_rules_coco(false);
	struct score *s = score_new(&rules);
	struct score_view *v = score_view_new(s, &arena);
	assert_int_equal(score_view_count(v), 0);
	assert_int_equal(score_view_records(v), 0);
	assert_float_equal(score_view_ap(v, NULL).ap, -1, 0);
	assert_int_equal(estimate_ap(v, NULL).images, 0);
	score_add(s, 1, NULL, 0, NULL, 0);
	assert_float_equal(estimate_ap(score_view_new(s, &arena), NULL).value, -1, 0);
	score_free(s);
}

/* ---- what a score reads besides its numbers ---- */

static void test_counts_at_all_confidences(void **state)
{
	struct score *s = score_of_cases(40, 12, false);
	struct score_counts all[SCORE_CONFIDENCES], one[SCORE_CONFIDENCES], sum;
	double best = -1;
	size_t labels;
	score_read_confidences(s, 0, SCORE_ALL_LABELS, all);
	for (int i = 0; i < SCORE_CONFIDENCES; i++) {
		const struct score_counts *each = score_read_at(s, i / 100.0, 0, &arena, &labels, &sum);
		assert_true(all[i].found == sum.found && all[i].wrong == sum.wrong &&
			    all[i].missed == sum.missed);
		assert_float_equal(all[i].f1, sum.f1, 0);
		score_read_confidences(s, 0, each[1].label, one);
		assert_memory_equal(&one[i], &each[1], sizeof(one[i]));
		best = fmax(best, sum.f1);
	}
	assert_float_equal(all[score_best_confidence(all)].f1, best, 0);
	score_free(s);
}

static void test_the_curve_is_the_ap_before_it_is_summed(void **state)
{
	struct score *s = score_of_cases(70, 12, false);
	struct score_summary summary;
	double precision[SCORE_RECALLS], sum = 0;
	score_read(s, &arena, &summary);
	score_read_curve(s, 0, SCORE_ALL_LABELS, precision);
	for (int i = 0; i < SCORE_RECALLS; i++) {
		assert_true(i == 0 || precision[i] <= precision[i - 1]);
		sum += precision[i];
	}
	assert_float_equal(sum / SCORE_RECALLS, summary.numbers.ap50, 1e-12);
	struct score *label = score_select(s, summary.labels[0].label, NULL, NULL);
	assert_float_equal(ap_of(label), summary.labels[0].numbers.ap, 0);
	score_read_curve(s, 0, 99, precision);
	assert_float_equal(precision[0], -1, 0);
	score_free(label);
	score_free(s);
}

static bool is_nine(int64_t image, void *arg)
{
	return image == 9;
}

static void test_one_image(void **state)
{
	struct score *s = score_of_cases(70, 12, false);
	struct score *one = score_of_image(s, 9),
		     *selected = score_select(s, SCORE_ALL_LABELS, is_nine, NULL);
	struct score *none = score_of_image(s, -4);
	struct score_summary a, b;
	score_read(one, &arena, &a);
	score_read(selected, &arena, &b);
	assert_true(a.images == 1 && a.guesses == b.guesses && a.truths == b.truths && a.guesses > 0);
	assert_memory_equal(&a.numbers, &b.numbers, sizeof(a.numbers));
	score_read(none, &arena, &a);
	assert_int_equal(a.images, 0);
	score_free(none);
	score_free(one);
	score_free(selected);
	score_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wilsons_interval),
		cmocka_unit_test(test_chances_weigh),
		cmocka_unit_test(test_equal_chances_are_a_plain_sample),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_without_weights_it_is_the_ap),
		cmocka_unit_test(test_weights_of_0_leave_images_out),
		cmocka_unit_test(test_weights_count_images_several_times),
		cmocka_unit_test(test_draws_are_poissons),
		cmocka_unit_test(test_the_interval_of_an_ap),
		cmocka_unit_test(test_nothing_to_estimate),
		cmocka_unit_test(test_counts_at_all_confidences),
		cmocka_unit_test(test_the_curve_is_the_ap_before_it_is_summed),
		cmocka_unit_test(test_one_image),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
