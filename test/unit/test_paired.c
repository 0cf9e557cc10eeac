/* SPDX-License-Identifier: Apache-2.0 */
/* Two models on the same pictures: against pycocotools and NumPy on the same resamples
 * (test/golden/paired.py). */
#include "task/paired.h"

#include "base/check.h"
#include "os/clock.h"
#include "score_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define LABELS 6
#define PICTURES 40

struct all {
	const char *kind;
	size_t images;
	double first, second, first50, second50, low, high;
};
struct label {
	const char *kind;
	int32_t label;
	double first, second, low, high;
};
static const struct all all_goldens[] = {
#define ALL(kind, ...) {#kind, __VA_ARGS__},
#define LABEL(kind, ...)
#include "../golden/paired.txt"
#undef ALL
#undef LABEL
};
static const struct label label_goldens[] = {
#define ALL(kind, ...)
#define LABEL(kind, ...) {#kind, __VA_ARGS__},
#include "../golden/paired.txt"
#undef ALL
#undef LABEL
};

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

static void expect(const char *kind, const char *metric, const struct paired_result *got)
{
	size_t seen = 0;
	for (size_t i = 0; i < COUNT_OF(all_goldens); i++) {
		const struct all *g = &all_goldens[i];
		if (strcmp(g->kind, kind) != 0)
			continue;
		assert_string_equal(got->metric, metric);
		assert_int_equal(got->images, g->images);
		assert_float_equal(got->first, g->first, 1e-12);
		assert_float_equal(got->second, g->second, 1e-12);
		assert_float_equal(got->first50, g->first50, 1e-12);
		assert_float_equal(got->second50, g->second50, 1e-12);
		assert_float_equal(got->difference, g->second - g->first, 1e-12);
		assert_float_equal(got->low, g->low, 1e-12);
		assert_float_equal(got->high, g->high, 1e-12);
	}
	for (size_t i = 0; i < COUNT_OF(label_goldens); i++) {
		const struct label *g = &label_goldens[i];
		if (strcmp(g->kind, kind) != 0)
			continue;
		const struct paired_label *l = &got->labels[seen++];
		assert_int_equal(l->label, g->label);
		assert_float_equal(l->first, g->first, 1e-12);
		assert_float_equal(l->second, g->second, 1e-12);
		assert_float_equal(l->low, g->low, 1e-12);
		assert_float_equal(l->high, g->high, 1e-12);
		assert_true(l->truths > 0);
	}
	assert_int_equal(got->label_count, seen);
}

/* The second model leaves every third answer out and turns scores around. */
static void add_picture(struct paired *p, const struct sample_image *image, size_t at)
{
	struct match_guess first[SAMPLE_GUESSES_MAX], second[SAMPLE_GUESSES_MAX];
	size_t count = 0;
	for (size_t g = 0; g < image->guess_count; g++) {
		first[g] = image->guesses[g];
		first[g].score += (double)(at * 16 + g) * 1e-7;
		if ((at + g) % 3 == 0)
			continue;
		second[count] = first[g];
		second[count++].score = 1.5 - first[g].score;
	}
	paired_add(p, image->truths, image->truth_count, first, image->guess_count, second, count);
}

static void test_boxes_are_as_pycocotools_has_them(void **state)
{
	struct paired *p = paired_new(TASK_DETECTION, LABELS);
	size_t at = 0;
	for (uint64_t seed = 7000; seed < 7012; seed++) {
		struct sample_case *c = ARENA_NEW(&arena, struct sample_case);
		sample_case_fill(c, seed);
		for (size_t i = 0; i < c->image_count; i++)
			add_picture(p, &c->images[i], at++);
	}
	struct paired_result result, again;
	paired_read(p, 11, &arena, &result);
	expect("boxes", "AP", &result);
	paired_read(p, 11, &arena, &again);
	assert_float_equal(again.low, result.low, 0);
	paired_read(p, 12, &arena, &again);
	assert_true(again.low != result.low);
	for (size_t i = 0; i < result.images; i++)
		assert_true(result.first_utility[i] >= 0 && result.first_utility[i] <= 1);
	paired_free(p);
}

static void test_classes_are_as_numpy_has_them(void **state)
{
	struct paired *p = paired_new(TASK_CLASSIFICATION, LABELS);
	uint64_t chance = 5;
	for (size_t i = 0; i < 300; i++) {
		struct match_truth truth = {.label = (int32_t)chance_below(&chance, 5)};
		struct match_guess first = {.label = truth.label}, second = {.label = truth.label};
		if (chance_below(&chance, 10) >= 7)
			first.label = (int32_t)chance_below(&chance, 5);
		if (chance_below(&chance, 10) >= 8)
			second.label = (int32_t)chance_below(&chance, 6);
		paired_add(p, &truth, 1, &first, 1, &second, second.label < 5);
	}
	struct paired_result result;
	paired_read(p, 12, &arena, &result);
	expect("classes", "accuracy", &result);
	double right = 0;
	for (size_t i = 0; i < 300; i++)
		right += result.second_utility[i];
	assert_float_equal(right / 300, result.second, 1e-12);
	paired_free(p);
}

static size_t fill_shapes(uint64_t *chance, double x, double y, size_t count, struct mask *out)
{
	for (size_t k = 0; k < count; k++)
		out[k] = chance_mask(chance, (struct match_box){x, y, 60.0 + 10.0 * (double)k, 80}, &arena);
	return count;
}

static void test_pixels_are_as_numpy_has_them(void **state)
{
	struct paired *p = paired_new(TASK_SEGMENTATION, LABELS);
	uint64_t chance = 9;
	for (size_t i = 0; i < PICTURES; i++) {
		struct mask masks[4];
		struct match_truth truths[4] = {0};
		struct match_guess said[2][4] = {0};
		size_t counts[2], truth_count;
		truth_count = fill_shapes(&chance, 20, 20, chance_below(&chance, 3) + 1, masks);
		for (size_t k = 0; k < truth_count; k++)
			truths[k] = (struct match_truth){.label = (int32_t)k, .mask = masks[k]};
		for (int m = 0; m < 2; m++) {
			counts[m] = fill_shapes(&chance, 24, 18, chance_below(&chance, 4), masks);
			for (size_t k = 0; k < counts[m]; k++)
				said[m][k] = (struct match_guess){
					.label = (int32_t)k, .score = 0.5, .mask = masks[k]};
		}
		paired_add(p, truths, truth_count, said[0], counts[0], said[1], counts[1]);
	}
	struct paired_result result;
	paired_read(p, 13, &arena, &result);
	expect("pixels", "IoU", &result);
	paired_free(p);
}

static void test_a_picture_is_worth_its_f1(void **state)
{
	struct paired *p = paired_new(TASK_DETECTION, 2);
	const struct match_box here = {0, 0, 40, 40}, there = {60, 60, 40, 40};
	const struct match_truth truths[2] = {
		{.label = 0, .box = here, .area = -1}, {.label = 1, .box = there, .area = -1}};
	const struct match_guess both[2] = {
		{.label = 0, .score = 0.9, .box = here}, {.label = 1, .score = 0.3, .box = there}};
	const struct match_guess mixed[2] = {
		{.label = 1, .score = 0.9, .box = here}, {.label = 1, .score = 0.8, .box = there}};
	paired_thresholds(p, 0.5, 0.25);
	paired_add(p, truths, 2, both, 2, both, 2);  /* at 0.5 one is found, at 0.25 both are */
	paired_add(p, truths, 2, mixed, 2, NULL, 0); /* one by a wrong name: wrong, and missed */
	paired_add(p, NULL, 0, NULL, 0, mixed, 1);   /* nothing is there */
	struct paired_result r;
	paired_read(p, 1, &arena, &r);
	const double first[] = {2.0 / 3, 0.5, 1}, second[] = {1, 0, 0};
	for (size_t i = 0; i < 3; i++) {
		assert_float_equal(r.first_utility[i], first[i], 1e-12);
		assert_float_equal(r.second_utility[i], second[i], 1e-12);
	}
	paired_free(p);
	p = paired_new(TASK_DETECTION, 2); /* of its own accord it takes the threshold where F1 is highest */
	paired_add(p, truths, 2, both, 2, NULL, 0);
	paired_read(p, 1, &arena, &r);
	assert_float_equal(r.first_utility[0], 1, 0);
	assert_float_equal(r.second_utility[0], 0, 0);
	paired_free(p);
}

/* Scores that are there already give the same numbers as adding picture by picture. */
static void test_scores_are_compared_as_they_are(void **state)
{
	const struct match_rules rules = score_rules_coco(false);
	struct paired *p = paired_new(TASK_DETECTION, LABELS);
	struct score *scores[2] = {score_new(&rules), score_new(&rules)};
	int64_t at = 0;
	for (uint64_t seed = 40; seed < 60; seed++) {
		struct sample_case *c = ARENA_NEW(&arena, struct sample_case);
		sample_case_fill(c, seed);
		for (size_t i = 0; i < c->image_count; i++, at++) {
			const struct sample_image *m = &c->images[i];
			size_t half = m->guess_count / 2;
			score_add(scores[0], at, m->truths, m->truth_count, m->guesses, m->guess_count);
			score_add(scores[1], at, m->truths, m->truth_count, m->guesses, half);
			paired_add(
				p, m->truths, m->truth_count, m->guesses, m->guess_count, m->guesses, half);
		}
	}
	struct paired_result each, ready;
	paired_read(p, 4, &arena, &each);
	paired_read_scores(scores[0], scores[1], LABELS, 4, &arena, &ready);
	assert_true(ready.images == each.images && ready.label_count == each.label_count);
	assert_true(ready.second == each.second && ready.low == each.low && ready.high == each.high);
	for (size_t i = 0; i < ready.label_count; i++) {
		assert_true(ready.labels[i].low == each.labels[i].low);
		assert_true(ready.labels[i].chance == each.labels[i].chance);
		/* It says the same as the interval does, one-sided. */
		assert_true(ready.labels[i].high > -PAIRED_MARGIN || ready.labels[i].chance < 0.03);
		assert_true(ready.labels[i].low < -PAIRED_MARGIN || ready.labels[i].chance > 0.97);
	}
	score_free(scores[0]);
	score_free(scores[1]);
	paired_free(p);
}

static void test_nothing_is_nothing(void **state)
{
	for (enum task task = 0; task < TASK_COUNT; task++) {
		struct paired *p = paired_new(task, 2);
		struct paired_result r;
		paired_read(p, 1, &arena, &r);
		assert_int_equal(r.images + r.label_count, 0);
		assert_true(r.first < 0 && r.difference == 0 && r.low == -1 && r.high == 1);
		paired_free(p);
	}
}

static void test_the_same_model_has_no_difference(void **state)
{
	struct paired *p = paired_new(TASK_DETECTION, LABELS);
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct sample_case *c = ARENA_NEW(&arena, struct sample_case);
		sample_case_fill(c, seed);
		for (size_t i = 0; i < c->image_count; i++)
			paired_add(p, c->images[i].truths, c->images[i].truth_count, c->images[i].guesses,
				c->images[i].guess_count, c->images[i].guesses, c->images[i].guess_count);
	}
	struct paired_result r;
	int64_t before = clock_mono_us();
	paired_read(p, 3, &arena, &r);
	print_message("%zu pictures, %d resamples: %.2f s\n", r.images, PAIRED_REPLICATES,
		(double)(clock_mono_us() - before) / 1e6);
	assert_float_equal(r.difference, 0, 0);
	assert_float_equal(r.low, 0, 0);
	assert_float_equal(r.high, 0, 0);
	for (size_t i = 0; i < r.label_count; i++)
		assert_true(r.labels[i].low == 0 && r.labels[i].high == 0);
	paired_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_boxes_are_as_pycocotools_has_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_classes_are_as_numpy_has_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pixels_are_as_numpy_has_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_picture_is_worth_its_f1, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scores_are_compared_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_is_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_same_model_has_no_difference, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
