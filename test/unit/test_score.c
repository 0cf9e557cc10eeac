/* SPDX-License-Identifier: Apache-2.0 */
/* Scores: COCO's published numbers, its tools' on made-up cases, VOC's, and that order does not matter. */
#include "task/score.h"

#include "base/check.h"
#include "base/json.h"
#include "data_samples.h"
#include "score_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

static void expect_numbers(const struct score_numbers *n, const double *expected, double tolerance)
{
	const double got[] = {n->ap, n->ap50, n->ap75, n->ap_small, n->ap_medium, n->ap_large, n->ar1,
		n->ar10, n->ar100, n->ar_small, n->ar_medium, n->ar_large};
	for (size_t i = 0; i < COUNT_OF(got); i++) {
		if (!(fabs(got[i] - expected[i]) <= tolerance))
			fail_msg("number %zu is %.16g, expected %.16g", i, got[i], expected[i]);
	}
}

static struct score *new_score(struct match_rules rules)
{
	return score_new(&rules);
}

/* ---- made-up cases ---- */

static const struct {
	const char *kind;
	uint64_t seed;
	double numbers[12];
} coco_goldens[] = {
#define COCO(kind, seed, ...) {#kind, seed, {__VA_ARGS__}},
#define VOC(...)
#define RINGS(...)
#include "../golden/score.txt"
#undef COCO
#undef VOC
};

static const struct {
	uint64_t seed;
	double iou;
	int inclusive;
	double every_point, eleven_points;
} voc_goldens[] = {
#define COCO(...)
#define VOC(...) {__VA_ARGS__},
#include "../golden/score.txt"
};

static void add_image(struct score *s, const struct sample_image *image)
{
	score_add(s, image->id, image->truths, image->truth_count, image->guesses, image->guess_count);
}

static void test_coco_numbers_are_those_of_the_reference(void **state)
{
	for (size_t i = 0; i < COUNT_OF(coco_goldens); i++) {
		bool masks = strcmp(coco_goldens[i].kind, "masks") == 0;
		struct sample_case c;
		struct arena a;
		arena_init(&a);
		sample_case_fill(&c, coco_goldens[i].seed);
		if (masks)
			sample_case_masks(&c, coco_goldens[i].seed, &a);
		struct score *s = new_score(score_rules_coco(masks));
		for (size_t k = 0; k < c.image_count; k++)
			add_image(s, &c.images[k]);
		struct score_summary summary;
		score_read(s, &a, &summary);
		assert_int_equal(summary.images, c.image_count);
		expect_numbers(&summary.numbers, coco_goldens[i].numbers, 1e-12);
		score_free(s);
		arena_release(&a);
	}
}

static void test_voc_numbers_are_those_of_the_rules(void **state)
{
	for (size_t i = 0; i < COUNT_OF(voc_goldens); i++) {
		struct sample_case c;
		struct arena a;
		arena_init(&a);
		sample_case_fill(&c, voc_goldens[i].seed);
		struct score *s = new_score(score_rules_voc(voc_goldens[i].iou, voc_goldens[i].inclusive));
		for (size_t k = c.image_count; k-- > 0;)
			add_image(s, &c.images[k]);
		struct score_voc_summary summary;
		score_read_voc(s, &a, &summary);
		assert_float_equal(summary.every_point[0], voc_goldens[i].every_point, 1e-12);
		assert_float_equal(summary.eleven_points[0], voc_goldens[i].eleven_points, 1e-12);
		score_free(s);
		arena_release(&a);
	}
}

/* ---- images come and go ---- */

static void expect_same(struct score *a, struct score *b)
{
	struct score_summary x, y;
	score_read(a, &arena, &x);
	score_read(b, &arena, &y);
	assert_int_equal(x.images, y.images);
	assert_int_equal(x.truths, y.truths);
	assert_int_equal(x.guesses, y.guesses);
	assert_memory_equal(&x.numbers, &y.numbers, sizeof(x.numbers));
	assert_int_equal(x.label_count, y.label_count);
	for (size_t i = 0; i < x.label_count; i++) {
		assert_int_equal(x.labels[i].label, y.labels[i].label);
		assert_memory_equal(&x.labels[i], &y.labels[i], sizeof(x.labels[i]));
	}
}

/* The images of ten cases, as if they were one. */
static struct sample_case *many_images(size_t *count)
{
	struct sample_case *cases = ARENA_ARRAY(&arena, struct sample_case, 10);
	*count = 0;
	for (size_t i = 0; i < 10; i++) {
		sample_case_fill(&cases[i], 300 + i);
		for (size_t k = 0; k < cases[i].image_count; k++)
			cases[i].images[k].id = (int64_t)(*count)++ * 7 - 50;
	}
	return cases;
}

static struct sample_image *nth_image(struct sample_case *cases, size_t n)
{
	for (size_t i = 0;; i++) {
		if (n < cases[i].image_count)
			return &cases[i].images[n];
		n -= cases[i].image_count;
	}
}

static void test_the_order_of_images_does_not_matter(void **state)
{
	size_t count;
	struct sample_case *cases = many_images(&count);
	struct score *forth = new_score(score_rules_coco(false)), *back = new_score(score_rules_coco(false));
	for (size_t i = 0; i < count; i++) {
		add_image(forth, nth_image(cases, i));
		add_image(back, nth_image(cases, count - 1 - i));
		if (i % 5 == 0) { /* reading between changes nothing */
			struct score_summary summary;
			score_read(back, &arena, &summary);
		}
	}
	expect_same(forth, back);
	score_free(forth);
	score_free(back);
}

static void test_removed_and_replaced_images_leave_nothing(void **state)
{
	size_t count;
	struct sample_case *cases = many_images(&count);
	struct score *plain = new_score(score_rules_coco(false)), *moved = new_score(score_rules_coco(false));
	uint64_t chance = 4711;
	for (size_t i = 0; i < count; i++)
		if (i % 3 != 0)
			add_image(plain, nth_image(cases, i));
	for (int step = 0; step < 400; step++) {
		struct sample_image *image = nth_image(cases, chance_below(&chance, (uint32_t)count));
		struct sample_image other = *nth_image(cases, chance_below(&chance, (uint32_t)count));
		other.id = image->id;
		if (chance_below(&chance, 3) == 0)
			score_remove(moved, image->id);
		else
			add_image(moved, &other);
	}
	for (size_t i = 0; i < count; i++) {
		if (i % 3 != 0)
			add_image(moved, nth_image(cases, i));
		else
			score_remove(moved, nth_image(cases, i)->id);
	}
	assert_false(score_remove(moved, nth_image(cases, 0)->id));
	expect_same(plain, moved);
	score_free(plain);
	score_free(moved);
}

static void test_merged_parts_are_the_whole(void **state)
{
	size_t count;
	struct sample_case *cases = many_images(&count);
	struct score *whole = new_score(score_rules_coco(false)), *parts[3], *merged[2];
	for (int i = 0; i < 3; i++)
		parts[i] = new_score(score_rules_coco(false));
	for (size_t i = 0; i < count; i++) {
		add_image(whole, nth_image(cases, i));
		add_image(parts[i * i % 3], nth_image(cases, i)); /* the third stays empty */
	}
	for (int way = 0; way < 2; way++) {
		merged[way] = new_score(score_rules_coco(false));
		for (int i = 0; i < 3; i++)
			score_merge(merged[way], parts[way ? 2 - i : i]);
		expect_same(whole, merged[way]);
	}
	/* A merged image can be replaced as any other. */
	add_image(merged[0], nth_image(cases, 1));
	expect_same(whole, merged[0]);
	for (int i = 0; i < 3; i++)
		score_free(parts[i]);
	score_free(merged[0]);
	score_free(merged[1]);
	score_free(whole);
}

/* A label whose images were all removed has a place in one score and none in the other. */
static void test_merged_labels_that_are_gone(void **state)
{
	struct score *from = new_score(score_rules_coco(false)), *into = new_score(score_rules_coco(false));
	for (int32_t i = 0; i < 40; i++) {
		const struct match_truth t = {.label = i, .box = {0, 0, 10, 10}, .area = -1};
		score_add(from, i, &t, 1, NULL, 0);
		score_remove(from, i);
	}
	const struct match_truth t = {.label = 50, .box = {0, 0, 10, 10}, .area = -1};
	score_add(from, 7, &t, 1, NULL, 0);
	score_merge(into, from);
	struct score_summary summary;
	score_read(into, &arena, &summary);
	assert_int_equal(summary.label_count, 1);
	assert_int_equal(summary.labels[0].label, 50);
	assert_int_equal(summary.truths, 1);
	score_free(from);
	score_free(into);
}

static void test_nothing_at_all(void **state)
{
	const double none[12] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
	struct score *s = new_score(score_rules_coco(false));
	struct score_summary summary;
	score_read(s, &arena, &summary);
	expect_numbers(&summary.numbers, none, 0);
	score_add(s, 1, NULL, 0, NULL, 0);
	score_read(s, &arena, &summary);
	assert_int_equal(summary.images, 1);
	expect_numbers(&summary.numbers, none, 0);
	score_free(s);
	score_free(NULL);
}

static void test_counts_at_a_confidence(void **state)
{
	struct score *s = new_score(score_rules_coco(false));
	const struct match_truth t[] = {{.label = 0, .box = {0, 0, 10, 10}, .area = -1},
		{.label = 0, .box = {20, 0, 10, 10}, .area = -1},
		{.label = 1, .box = {50, 0, 10, 10}, .area = -1},
		{.label = 1, .box = {70, 0, 50, 50}, .area = -1, .crowd = true}};
	const struct match_guess g[] = {{.label = 0, .score = 0.9, .box = {0, 0, 10, 10}},
		{.label = 0, .score = 0.6, .box = {0, 0, 10, 9}},
		{.label = 0, .score = 0.4, .box = {20, 0, 10, 10}},
		{.label = 1, .score = 0.8, .box = {80, 10, 9, 9}},
		{.label = 2, .score = 0.5, .box = {1, 1, 3, 3}}};
	score_add(s, 1, t, COUNT_OF(t), g, COUNT_OF(g));
	struct score_counts all, *labels;
	size_t count;
	labels = score_read_at(s, 0.5, 0, &arena, &count, &all);
	assert_int_equal(count, 3);
	assert_int_equal(labels[0].found, 1);
	assert_int_equal(labels[0].wrong, 1);
	assert_int_equal(labels[0].missed, 1);
	assert_float_equal(labels[0].precision, 0.5, 0);
	assert_float_equal(labels[0].f1, 0.5, 0);
	assert_int_equal(labels[1].wrong, 0); /* in the crowd */
	assert_int_equal(labels[1].missed, 1);
	assert_float_equal(labels[1].precision, 0, 0);
	assert_int_equal(labels[2].wrong, 1);
	assert_int_equal(all.found, 1);
	assert_int_equal(all.wrong, 2);
	assert_float_equal(all.recall, 1.0 / 3, 1e-15);
	labels = score_read_at(s, 0.3, 0, &arena, &count, &all);
	assert_int_equal(labels[0].found, 2);
	assert_int_equal(labels[0].missed, 0);
	score_free(s);
}

/* ---- what others published ---- */

static void read_box(yyjson_val *list, struct match_box *b)
{
	b->x = yyjson_get_num(yyjson_arr_get(list, 0));
	b->y = yyjson_get_num(yyjson_arr_get(list, 1));
	b->width = yyjson_get_num(yyjson_arr_get(list, 2));
	b->height = yyjson_get_num(yyjson_arr_get(list, 3));
}

static struct mask mask_of_list(yyjson_val *counts, uint32_t width, uint32_t height)
{
	uint32_t *runs = ARENA_ARRAY(&arena, uint32_t, yyjson_arr_size(counts) + 1);
	size_t index, max;
	yyjson_val *count;
	yyjson_arr_foreach (counts, index, max, count) {
		runs[index] = (uint32_t)yyjson_get_uint(count);
	}
	return (struct mask){width, height, runs, yyjson_arr_size(counts)};
}

/* COCO's text form: numbers of 5 bits a character, low ones first, from the third on relative to the last but
 * one. */
static struct mask mask_of_text(const char *text, uint32_t width, uint32_t height)
{
	uint32_t *runs = ARENA_ARRAY(&arena, uint32_t, strlen(text) + 1);
	size_t count = 0;
	while (*text) {
		int64_t value = 0;
		unsigned shift = 0;
		for (int c = 32; c & 32; shift += 5) {
			c = *text++ - 48;
			value |= (int64_t)(c & 31) << shift;
			if (!(c & 32) && (c & 16))
				value -= (int64_t)1 << (shift + 5);
		}
		runs[count] = (uint32_t)(value + (count > 2 ? runs[count - 2] : 0));
		count++;
	}
	return (struct mask){width, height, runs, count};
}

static struct mask read_mask(yyjson_val *segmentation, uint32_t width, uint32_t height)
{
	yyjson_val *counts = yyjson_obj_get(segmentation, "counts");
	if (counts)
		return yyjson_is_str(counts) ? mask_of_text(yyjson_get_str(counts), width, height)
					     : mask_of_list(counts, width, height);
	struct mask_ring *rings = ARENA_ARRAY(&arena, struct mask_ring, yyjson_arr_size(segmentation));
	size_t index, max, k, size;
	yyjson_val *ring, *number;
	yyjson_arr_foreach (segmentation, index, max, ring) {
		double *points = ARENA_ARRAY(&arena, double, yyjson_arr_size(ring));
		yyjson_arr_foreach (ring, k, size, number) {
			points[k] = yyjson_get_num(number);
		}
		rings[index] = (struct mask_ring){points, yyjson_arr_size(ring) / 2};
	}
	return mask_of_rings(rings, yyjson_arr_size(segmentation), width, height, &arena);
}

static yyjson_val *read_json(const char *name)
{
	yyjson_doc *doc;
	struct err err;
	assert_int_equal(json_parse(real_file(name, &arena), &arena, &doc, &err), ST_OK);
	return yyjson_doc_get_root(doc);
}

static int64_t member(yyjson_val *row, const char *key)
{
	return yyjson_get_sint(yyjson_obj_get(row, key));
}

/* The rows of a list that are of one image. */
static size_t rows_of(yyjson_val *list, int64_t image, yyjson_val **rows)
{
	size_t index, max, count = 0;
	yyjson_val *row;
	yyjson_arr_foreach (list, index, max, row) {
		if (member(row, "image_id") == image)
			rows[count++] = row;
	}
	return count;
}

static void add_coco_image(
	struct score *s, yyjson_val *image, yyjson_val *annotations, yyjson_val *results, bool masks)
{
	uint32_t width = (uint32_t)member(image, "width"), height = (uint32_t)member(image, "height");
	yyjson_val **rows =
		ARENA_ARRAY(&arena, yyjson_val *, yyjson_arr_size(annotations) + yyjson_arr_size(results));
	size_t truth_count = rows_of(annotations, member(image, "id"), rows);
	struct match_truth *truths = ARENA_ARRAY(&arena, struct match_truth, truth_count);
	for (size_t i = 0; i < truth_count; i++) {
		truths[i] = (struct match_truth){.label = (int32_t)member(rows[i], "category_id"),
			.area = yyjson_get_num(yyjson_obj_get(rows[i], "area")),
			.crowd = member(rows[i], "iscrowd") != 0};
		read_box(yyjson_obj_get(rows[i], "bbox"), &truths[i].box);
		if (masks)
			truths[i].mask = read_mask(yyjson_obj_get(rows[i], "segmentation"), width, height);
	}
	size_t guess_count = rows_of(results, member(image, "id"), rows);
	struct match_guess *guesses = ARENA_ARRAY(&arena, struct match_guess, guess_count);
	for (size_t i = 0; i < guess_count; i++) {
		guesses[i] = (struct match_guess){.label = (int32_t)member(rows[i], "category_id"),
			.score = yyjson_get_num(yyjson_obj_get(rows[i], "score"))};
		if (masks)
			guesses[i].mask = read_mask(yyjson_obj_get(rows[i], "segmentation"), width, height);
		else
			read_box(yyjson_obj_get(rows[i], "bbox"), &guesses[i].box);
	}
	score_add(s, member(image, "id"), truths, truth_count, guesses, guess_count);
}

static struct score *score_of_files(const char *truth, const char *results, bool masks)
{
	struct score *s = new_score(score_rules_coco(masks));
	yyjson_val *root = read_json(truth), *answers = read_json(results), *image;
	size_t index, max;
	yyjson_arr_foreach (yyjson_obj_get(root, "images"), index, max, image) {
		add_coco_image(s, image, yyjson_obj_get(root, "annotations"), answers, masks);
	}
	return s;
}

static void read_expected(yyjson_val *root, const char *key, double *numbers)
{
	for (size_t i = 0; i < 12; i++)
		numbers[i] = yyjson_get_num(yyjson_arr_get(yyjson_obj_get(root, key), i));
}

static const struct score_label *label_of(const struct score_summary *s, int32_t label)
{
	for (size_t i = 0; i < s->label_count; i++)
		if (s->labels[i].label == label)
			return &s->labels[i];
	return NULL;
}

#define VAL2014 "eval_coco/cocoapi_val2014_100/"

static void test_the_hundred_images_of_val2014(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	yyjson_val *expected = read_json(VAL2014 "expected.json");
	struct score_summary summary;
	double numbers[12];
	struct score *boxes = score_of_files(VAL2014 "instances_val2014_100.json",
		VAL2014 "instances_val2014_fakebbox100_results.json", false);
	score_read(boxes, &arena, &summary);
	read_expected(expected, "bbox", numbers);
	expect_numbers(&summary.numbers, numbers, 1e-12);
	assert_int_equal(summary.images, 100);
	assert_int_equal(summary.truths, 839 - 9); /* crowds do not count */
	assert_int_equal(summary.guesses, 734);
	size_t index, max;
	yyjson_val *key, *value;
	yyjson_obj_foreach (yyjson_obj_get(expected, "per_class_bbox_derived_with_pycocotools_2.0"), index,
		max, key, value) {
		const struct score_label *label =
			label_of(&summary, (int32_t)strtol(yyjson_get_str(key), NULL, 10));
		double ap = yyjson_get_num(yyjson_obj_get(value, "AP"));
		assert_float_equal((label ? label->numbers.ap : -1), ap, 1e-12);
		assert_float_equal((label ? label->numbers.ap50 : -1),
			yyjson_get_num(yyjson_obj_get(value, "AP50")), 1e-12);
	}
	score_free(boxes);
	struct score *masks = score_of_files(VAL2014 "instances_val2014_100.json",
		VAL2014 "instances_val2014_fakesegm100_results.json", true);
	score_read(masks, &arena, &summary);
	read_expected(expected, "segm", numbers);
	expect_numbers(&summary.numbers, numbers, 1e-12);
	score_free(masks);
}

static void test_four_images_of_torchmetrics(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	yyjson_val *expected = read_json("eval_coco/torchmetrics_legacy4/expected.json");
	struct score *s = score_of_files("eval_coco/torchmetrics_legacy4/gt.json",
		"eval_coco/torchmetrics_legacy4/detections.json", false);
	struct score_summary summary;
	double numbers[12];
	score_read(s, &arena, &summary);
	read_expected(expected, "bbox", numbers);
	expect_numbers(&summary.numbers, numbers, 0.005);
	read_expected(expected, "bbox_full_precision_derived_pycocotools", numbers);
	expect_numbers(&summary.numbers, numbers, 1e-12);
	assert_int_equal(summary.label_count, 6);
	for (size_t i = 0; i < 6; i++) {
		double ap = yyjson_get_num(yyjson_arr_get(yyjson_obj_get(expected, "map_per_class"), i));
		double ar = yyjson_get_num(yyjson_arr_get(yyjson_obj_get(expected, "mar_100_per_class"), i));
		assert_float_equal(summary.labels[i].numbers.ap, ap, 0.005);
		assert_float_equal(summary.labels[i].numbers.ar100, ar, 0.005);
	}
	score_free(s);
}

/* Lines of "object [confidence] x y width height". */
static size_t read_lines(const char *folder, int image, bool with_score, struct match_guess *out)
{
	const char *name = arena_printf(&arena, "eval_voc/padilla_case_1/%s/%05d.txt", folder, image);
	const char *text = (const char *)real_file(name, &arena).data;
	size_t count = 0;
	for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		char *at = strchr(line, ' ');
		if (at == NULL)
			break;
		struct match_guess *g = &out[count++];
		*g = (struct match_guess){.score = with_score ? strtod(at, &at) : 1};
		double *values[] = {&g->box.x, &g->box.y, &g->box.width, &g->box.height};
		for (size_t i = 0; i < 4; i++)
			*values[i] = strtod(at, &at);
	}
	return count;
}

static void test_seven_images_of_padilla(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	struct match_rules rules = {
		.voc = true, .inclusive_pixels = true, .iou_count = 4, .ious = {0.1, 0.3, 0.5, 0.75}};
	const double every[] = {0.3371980676, 0.2456866804, 0.0222222222, 0};
	const double eleven[] = {0.3333333333, 0.2683982683, 0.0303030303, 0};
	for (int inclusive = 1; inclusive >= 0; inclusive--) {
		rules.inclusive_pixels = inclusive;
		struct score *s = score_new(&rules);
		for (int image = 1; image <= 7; image++) {
			struct match_guess lines[50], guesses[50];
			struct match_truth truths[50];
			size_t truth_count = read_lines("gts", image, false, lines);
			for (size_t i = 0; i < truth_count; i++)
				truths[i] = (struct match_truth){.box = lines[i].box, .area = -1};
			score_add(s, image, truths, truth_count, guesses,
				read_lines("dets", image, true, guesses));
		}
		struct score_voc_summary summary;
		score_read_voc(s, &arena, &summary);
		assert_int_equal(summary.labels[0].truths, 15);
		for (size_t i = 0; inclusive && i < 4; i++) {
			assert_float_equal(summary.every_point[i], every[i], 1e-9);
			assert_float_equal(summary.eleven_points[i], eleven[i], 1e-9);
		}
		if (!inclusive) {
			assert_float_equal(summary.every_point[0], 0.2801328502, 1e-9);
			assert_float_equal(summary.every_point[1], 0.2253968254, 1e-9);
			assert_float_equal(summary.eleven_points[0], 0.3024538867, 1e-9);
		}
		score_free(s);
	}
}

/* ---- classes ---- */

static void test_a_matrix_of_classes(void **state)
{
	/* truth 0: 5 as 0, 1 as 1, 1 as none; truth 1: 2 as 1, 2 as 0; label 2 never; label 3 only answered.
	 */
	static const int rows[][3] = {
		{0, 0, 5}, {0, 1, 1}, {0, CLASS_NONE, 1}, {1, 1, 2}, {1, 0, 1}, {1, 3, 1}};
	struct class_counts c, half, other;
	class_counts_init(&c, 4, &arena);
	class_counts_init(&half, 4, &arena);
	class_counts_init(&other, 4, &arena);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int k = 0; k < rows[i][2]; k++) {
			class_counts_add(&c, rows[i][0], rows[i][1], 1);
			class_counts_add(k % 2 ? &half : &other, rows[i][0], rows[i][1], 1);
		}
	}
	class_counts_add(&c, 2, 2, 1);
	class_counts_add(&c, 2, 2, -1);
	class_counts_merge(&half, &other);
	assert_memory_equal(half.cells, c.cells, 4 * 5 * sizeof(*c.cells));
	struct class_summary s;
	class_counts_read(&c, &arena, &s);
	assert_int_equal(s.images, 11);
	assert_int_equal(s.right, 7);
	assert_float_equal(s.accuracy, 7.0 / 11, 1e-15);
	assert_int_equal(s.labels[0].truths, 7);
	assert_int_equal(s.labels[0].guesses, 6);
	assert_float_equal(s.labels[0].precision, 5.0 / 6, 1e-15);
	assert_float_equal(s.labels[0].recall, 5.0 / 7, 1e-15);
	assert_float_equal(s.labels[0].f1, 10.0 / 13, 1e-15);
	assert_float_equal(s.labels[1].precision, 2.0 / 3, 1e-15);
	assert_float_equal(s.labels[1].recall, 0.5, 1e-15);
	assert_float_equal(s.labels[2].f1, 0, 0);
	assert_float_equal(s.labels[3].precision, 0, 0);
	/* Means over 0, 1 and 3. */
	assert_float_equal(s.precision_mean, (5.0 / 6 + 2.0 / 3) / 3, 1e-15);
	assert_float_equal(s.recall_mean, (5.0 / 7 + 0.5) / 3, 1e-15);
	assert_float_equal(s.f1_mean, (10.0 / 13 + 4.0 / 7) / 3, 1e-15);
	assert_float_equal(s.f1_weighted, (7 * 10.0 / 13 + 4 * 4.0 / 7) / 11, 1e-15);
}

static void test_no_classes_at_all(void **state)
{
	struct class_counts c;
	struct class_summary s;
	class_counts_init(&c, 0, &arena);
	class_counts_read(&c, &arena, &s);
	assert_int_equal(s.images, 0);
	assert_float_equal(s.accuracy, 0, 0);
	assert_float_equal(s.f1_mean, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coco_numbers_are_those_of_the_reference),
		cmocka_unit_test(test_voc_numbers_are_those_of_the_rules),
		cmocka_unit_test(test_the_order_of_images_does_not_matter),
		cmocka_unit_test(test_removed_and_replaced_images_leave_nothing),
		cmocka_unit_test(test_merged_parts_are_the_whole),
		cmocka_unit_test(test_merged_labels_that_are_gone),
		cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_counts_at_a_confidence),
		cmocka_unit_test(test_the_hundred_images_of_val2014),
		cmocka_unit_test(test_four_images_of_torchmetrics),
		cmocka_unit_test(test_seven_images_of_padilla),
		cmocka_unit_test(test_a_matrix_of_classes),
		cmocka_unit_test(test_no_classes_at_all),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
