/* SPDX-License-Identifier: Apache-2.0 */
/* Two models side by side: what is true of a picture, and what the report says of the numbers. */
#include "base/json.h"
#include "learn/side_by_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_truths(void **state)
{
	struct arena a;
	arena_init(&a);
	const float ring[] = {1, 1, 5, 1, 5, 5, 1, 5};
	const struct labelled_ring rings[] = {{ring, 4}};
	struct labelled_shape shapes[] = {{.kind = SHAPE_POLYGON,
						  .label = 2,
						  .box = {1, 1, 5, 5},
						  .rings = rings,
						  .ring_count = 1,
						  .area = 16},
		{.kind = SHAPE_BOX, .label = 1, .box = {0, 0, 2, 2}, .area = -1, .difficult = true}};
	const struct training_picture p = {.shapes = shapes, .shape_count = 2};
	size_t count;
	struct match_truth *t = side_truths(TASK_DETECTION, &p, 10, 8, &a, &count);
	assert_true(count == 2 && t[0].label == 2 && t[0].box.width == 4 && t[0].area == 16);
	assert_true(t[1].crowd && t[1].area < 0);
	t = side_truths(TASK_SEGMENTATION, &p, 10, 8, &a, &count);
	assert_int_equal(mask_area(t[0].mask), 16);
	t = side_truths(TASK_CLASSIFICATION, &p, 10, 8, &a, &count);
	assert_true(count == 1 && t[0].label == 2);
	arena_release(&a);
}

static yyjson_val *report(struct arena *a, struct paired_result *p, bool champion)
{
	static const char *labels[] = {"a", "b"};
	static double first[60] = {1, 0, 0.5}, second[60] = {0, 1, 0.5};
	static const struct side_picture pictures[60] = {
		{.filename = "x"}, {.filename = "y"}, {.filename = "z"}};
	const struct training_set set = {.labels = labels, .label_count = 2};
	struct err err;
	yyjson_doc *doc;
	p->first_utility = first;
	p->second_utility = second;
	const struct side_report r = {
		.set = &set, .all = p, .pictures = pictures, .before = p, .has_champion = champion};
	assert_int_equal(json_parse(span_of_text(side_report_json(&r, a)), a, &doc, &err), ST_OK);
	return yyjson_doc_get_root(doc);
}

static const char *text(yyjson_val *root, const char *key)
{
	return yyjson_get_str(yyjson_obj_get(root, key));
}

static void test_report(void **state)
{
	struct arena a;
	arena_init(&a);
	struct paired_label label = {1, 30, 0.5, 0.75, 0.1, 0.4, 0};
	struct paired_result p = {.images = 3,
		.metric = "AP",
		.first = 0.5,
		.second = 0.625,
		.first50 = 0.75,
		.second50 = -1,
		.difference = 0.125,
		.low = 0.0625,
		.high = 0.25,
		.labels = &label,
		.label_count = 1};
	yyjson_val *root = report(&a, &p, true);
	assert_non_null(
		strstr(text(root, "sentence"), "Not sure: AP 62.5 % instead of 50.0 % on 3 pictures"));
	assert_true(yyjson_get_bool(yyjson_obj_get(root, "few")));
	yyjson_val *better = yyjson_arr_get_first(yyjson_obj_get(root, "better"));
	assert_string_equal(text(better, "filename"), "y");
	assert_int_equal(yyjson_arr_size(yyjson_obj_get(root, "better")), 1); /* z stayed as it was */
	assert_string_equal(text(yyjson_arr_get_first(yyjson_obj_get(root, "worse")), "filename"), "x");
	assert_true(yyjson_get_real(yyjson_obj_get(yyjson_obj_get(root, "difference"), "low")) == 0.0625);
	assert_true(yyjson_is_null(yyjson_obj_get(root, "candidate50")));
	assert_string_equal(text(yyjson_arr_get_first(yyjson_obj_get(root, "classes")), "label"), "b");
	assert_non_null(
		strstr(text(yyjson_obj_get(root, "forgetting"), "sentence"), "forgot nothing, and learned"));
	p.images = 60;
	assert_int_equal(strncmp(text(report(&a, &p, true), "sentence"), "Better: ", 8), 0);
	p.low = -0.1;
	assert_int_equal(strncmp(text(report(&a, &p, true), "sentence"), "No difference", 13), 0);
	p.high = -0.01;
	assert_int_equal(strncmp(text(report(&a, &p, true), "sentence"), "Worse: ", 7), 0);
	root = report(&a, &p, false);
	assert_true(yyjson_is_null(yyjson_obj_get(root, "champion")) &&
		    yyjson_is_null(yyjson_obj_get(root, "difference")));
	assert_true(yyjson_is_null(yyjson_obj_get(root, "forgetting")));
	assert_int_equal(yyjson_arr_size(yyjson_obj_get(root, "worse")), 0);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_truths), cmocka_unit_test(test_report)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
