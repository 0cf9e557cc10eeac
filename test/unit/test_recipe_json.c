/* SPDX-License-Identifier: Apache-2.0 */
/* task/recipe_json: a recipe's JSON form, written, read back, and corrected by people. */
#include "task/recipe.h"

#include "base/str.h"
#include "task_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct recipe detr_recipe(void)
{
	struct recipe r = sample_recipe(OUTPUT_DETR, 640, 480, 81);
	r.input.fit = FIT_STRETCH;
	r.input.pad_value = 114;
	r.input.scale = 1.0f / 255;
	const float mean[] = {0.485f, 0.456f, 0.406f}, std[] = {0.229f, 0.224f, 0.225f};
	memcpy(r.input.mean, mean, sizeof(mean));
	memcpy(r.input.std, std, sizeof(std));
	r.background = BACKGROUND_LAST;
	r.nms_iou = 1;
	snprintf(r.features_output, sizeof(r.features_output), "/backbone/Conv_output_0");
	r.polygon_tolerance = 2;
	r.region_area_min = 0.001f;
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		r.origins[f] = recipe_field_applies(r.output, f) ? f % ORIGIN_COUNT : ORIGIN_GUESSED;
	return r;
}

static const char detr_json[] =
	"{\"task\":\"detection\",\"width\":640,\"height\":480,\"fit\":\"stretch\",\"pad\":\"center\",\"pad_"
	"value\":114,"
	"\"colour\":\"rgb\",\"layout\":\"nchw\",\"sample\":\"float32\",\"scale\":0.003921569,\"mean\":[0.485,"
	"0.456,0.406],"
	"\"std\":[0.229,0.224,0.225],\"output\":\"detr\",\"tensors\":[0,1],\"class_count\":81,\"background\":"
	"\"last\","
	"\"probabilities\":false,\"nms_iou\":1.0,\"features_output\":\"/backbone/Conv_output_0\",\"from\":{"
	"\"task\":\"guessed\",\"width\":\"read\",\"height\":\"given\",\"fit\":\"guessed\",\"pad\":\"read\","
	"\"pad_value\":\"given\","
	"\"colour\":\"guessed\",\"layout\":\"read\",\"sample\":\"given\",\"scale\":\"guessed\",\"mean\":"
	"\"read\",\"std\":\"given\","
	"\"output\":\"guessed\",\"tensors\":\"read\",\"class_count\":\"given\",\"background\":\"guessed\","
	"\"probabilities\":\"read\","
	"\"nms_iou\":\"given\",\"features_output\":\"given\"}}";

static const char *print(const struct recipe *r, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_doc_set_root(doc, recipe_json(r, doc));
	return (const char *)json_print(doc, a).data;
}

static enum status parse(const char *text, struct arena *a, struct recipe *out, struct err *err)
{
	yyjson_doc *doc;
	assert_int_equal(json_parse(span_of_text(text), a, &doc, err), ST_OK);
	return recipe_parse(yyjson_doc_get_root(doc), out, err);
}

static enum status apply(const char *text, struct recipe *r, struct err *err)
{
	struct arena a;
	arena_init(&a);
	yyjson_doc *doc;
	assert_int_equal(json_parse(span_of_text(text), &a, &doc, err), ST_OK);
	enum status st = recipe_apply(r, yyjson_doc_get_root(doc), err);
	arena_release(&a);
	return st;
}

static void test_it_prints_flat(void **state)
{
	struct arena a;
	arena_init(&a);
	struct recipe r = detr_recipe();
	assert_string_equal(print(&r, &a), detr_json);
	arena_release(&a);
}

static void test_what_is_printed_is_read(void **state)
{
	struct arena a;
	arena_init(&a);
	struct recipe r = detr_recipe(), back;
	struct err err;
	assert_int_equal(parse(detr_json, &a, &back, &err), ST_OK);
	assert_true(back.input.scale == r.input.scale);
	assert_memory_equal(back.input.mean, r.input.mean, sizeof(r.input.mean));
	assert_memory_equal(back.origins, r.origins, sizeof(r.origins));
	assert_memory_equal(back.tensors, r.tensors, sizeof(r.tensors));
	assert_int_equal(back.background, BACKGROUND_LAST);
	assert_string_equal(print(&back, &a), detr_json);
	arena_release(&a);
}

static void test_older_recipes_are_read(void **state)
{
	struct arena a;
	arena_init(&a);
	struct recipe r;
	struct err err;
	const char *least = "{\"task\":\"detection\",\"width\":416,\"height\":416,\"output\":\"yolox_raw\","
			    "\"class_count\":80}";
	assert_int_equal(parse(least, &a, &r, &err), ST_OK);
	assert_true(r.nms_iou == 0.45f && r.input.std[2] == 1);
	assert_int_equal(r.origins[RECIPE_WIDTH], ORIGIN_GUESSED);
	assert_int_equal(
		parse("{\"task\":\"detection\",\"height\":416,\"output\":\"yolox_raw\",\"class_count\":80}",
			&a, &r, &err),
		ST_INVALID);
	assert_string_equal(err.text, "\"width\" is missing in a stored recipe.");
	assert_int_equal(parse("[1]", &a, &r, &err), ST_INVALID);
	arena_release(&a);
}

static void test_from_is_read_strictly(void **state)
{
	static const char *const bad[] = {
		"[]", "{\"width\":\"found\"}", "{\"widht\":\"read\"}", "{\"width\":1}", "\"read\""};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct arena a;
		arena_init(&a);
		struct recipe r;
		struct err err;
		const char *text = arena_printf(&a,
			"{\"task\":\"detection\",\"width\":416,\"height\":416,\"output\":\"yolox_raw\","
			"\"class_count\":80,\"from\":%s}",
			bad[i]);
		assert_int_equal(parse(text, &a, &r, &err), ST_INVALID);
		assert_non_null(strstr(err.text, "\"from\""));
		arena_release(&a);
	}
}

static void test_given_fields_are_marked(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_YOLOX_RAW, 416, 416, 80);
	struct err err;
	const char *given = "{\"fit\": \"letterbox\", \"pad\": \"bottom_right\", \"colour\": \"bgr\", "
			    "\"scale\": 1, \"mean\": 0.5, "
			    "\"std\": [1, 2, 3], \"layout\": null, \"task\": \"OBJECT_DETECTION\", \"from\": "
			    "{\"fit\": \"read\"}}";
	assert_int_equal(apply(given, &r, &err), ST_OK);
	assert_int_equal(r.input.pad_at, PAD_BOTTOM_RIGHT);
	assert_int_equal(r.input.colour, COLOUR_BGR);
	assert_true(r.input.mean[0] == 0.5f && r.input.mean[2] == 0.5f && r.input.std[2] == 3);
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++) {
		bool given_field = f == RECIPE_FIT || f == RECIPE_PAD || f == RECIPE_COLOUR ||
				   f == RECIPE_SCALE || f == RECIPE_MEAN || f == RECIPE_STD ||
				   f == RECIPE_TASK;
		assert_int_equal(r.origins[f], given_field ? ORIGIN_GIVEN : ORIGIN_GUESSED);
	}
}

static void test_what_cannot_be_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		const char *json, *word;
	} cases[] = {
		{"[]", "JSON object"},
		{"{\"widht\": 1}", "\"widht\" is no field of a recipe; its fields are: task width height "},
		{"{\"width\": 0}", "1 to 4096"},
		{"{\"width\": 4097}", "1 to 4096"},
		{"{\"width\": 416.0}", "whole number"},
		{"{\"width\": -5}", "1 to 4096"},
		{"{\"width\": 18446744073709551615}", "1 to 4096"},
		{"{\"width\": \"416\"}", "whole number"},
		{"{\"pad_value\": 256}", "0 to 255"},
		{"{\"scale\": 0}", "1e-06 to 1000"},
		{"{\"std\": 0}", "0.0001 to 10000"},
		{"{\"std\": [1, 1, 0]}", "0.0001 to 10000"},
		{"{\"mean\": [1, 1]}", "three numbers"},
		{"{\"mean\": [1, 1, \"1\"]}", "\"mean\""},
		{"{\"mean\": {}}", "three numbers"},
		{"{\"nms_iou\": 1.01}", "0 to 1"},
		{"{\"fit\": \"Letterbox\"}", "letterbox, stretch, center_crop"},
		{"{\"fit\": 1}", "letterbox, stretch, center_crop"},
		{"{\"colour\": \"\"}", "rgb, bgr, grey"},
		{"{\"task\": \"pose\"}", "classification, detection, segmentation"},
		{"{\"task\": \"classification\"}",
			"yolox_raw is one of detection, but its task is classification"},
		{"{\"output\": \"classification\"}",
			"classification is one of classification, but its task is detection"},
		{"{\"background\": \"first\"}", "yolox_raw has no background"},
		{"{\"output\": \"detr\"}", "must name as many"},
		{"{\"output\": \"detr\", \"tensors\": [1, 1]}", "must name as many"},
		{"{\"output\": \"detr\", \"tensors\": [1, 0], \"class_count\": 1, \"background\": \"last\"}",
			"and no other"},
		{"{\"tensors\": [0, 1]}", "reads 1 of"},
		{"{\"tensors\": []}", "1 to 4"},
		{"{\"tensors\": [0, 1, 2, 3, 4]}", "1 to 4"},
		{"{\"tensors\": [16]}", "0 to 15"},
		{"{\"tensors\": 0}", "1 to 4"},
		{"{\"class_count\": 65537}", "1 to 65536"},
		{"{\"probabilities\": 1}", "true or false"},
		{"{\"features_output\": \"a\\u0000b\"}", "127 bytes"},
		{"{\"features_output\": 1}", "127 bytes"},
		{"{\"colour\": \"bgr\", \"\\u00e9\\u0001\": 1}", "\"???\""},
	};
	const struct recipe before = sample_recipe(OUTPUT_YOLOX_RAW, 416, 416, 80);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct recipe r = before;
		struct err err = {0};
		if (apply(cases[i].json, &r, &err) != ST_INVALID)
			fail_msg("%s is taken", cases[i].json);
		if (strstr(err.text, cases[i].word) == NULL)
			fail_msg("%s: no \"%s\" in: %s", cases[i].json, cases[i].word, err.text);
		assert_true(text_ends_with(err.text, "."));
		assert_memory_equal(&r, &before, sizeof(r));
	}
}

static void test_fields_of_other_layouts(void **state)
{
	struct arena a;
	arena_init(&a);
	struct recipe r = sample_recipe(OUTPUT_YOLOX_RAW, 416, 416, 80), back;
	struct err err;
	assert_null(strstr(print(&r, &a), "box_form"));
	assert_null(strstr(print(&r, &a), "polygon_tolerance"));
	static const struct {
		const char *json, *word;
	} bad[] = {
		{"{\"polygon_tolerance\": 3}", "with the output yolox_raw has no \"polygon_tolerance\""},
		{"{\"box_form\": \"corners\"}", "has no \"box_form\""},
		{"{\"output\": \"boxes_scores\", \"tensors\": [0, 1], \"row_order\": \"score_class\"}",
			"no \"row_order\""},
		{"{\"box_unit\": \"percent\"}", "pixels, fraction"},
		{"{\"output\": \"semantic\"}", "semantic is one of segmentation"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(apply(bad[i].json, &r, &err), ST_INVALID);
		if (strstr(err.text, bad[i].word) == NULL)
			fail_msg("no \"%s\" in: %s", bad[i].word, err.text);
	}
	/* A layout that has them keeps them; another forgets them. */
	const char *given =
		"{\"output\": \"end_to_end\", \"box_form\": \"center\", \"box_unit\": \"fraction\", "
		"\"row_order\": \"class_score\", \"background\": \"first\"}";
	assert_int_equal(apply(given, &r, &err), ST_OK);
	assert_int_equal(parse(print(&r, &a), &a, &back, &err), ST_OK);
	assert_int_equal(back.box_form, BOX_FORM_CENTER);
	assert_int_equal(back.box_unit, BOX_UNIT_FRACTION);
	assert_int_equal(back.row_order, ROW_CLASS_SCORE);
	assert_int_equal(back.origins[RECIPE_ROW_ORDER], ORIGIN_GIVEN);
	assert_int_equal(apply("{\"output\": \"yolo_v5\", \"background\": \"none\"}", &back, &err), ST_OK);
	assert_int_equal(back.box_form, BOX_FORM_CORNERS);
	assert_int_equal(back.origins[RECIPE_ROW_ORDER], ORIGIN_GUESSED);
	arena_release(&a);
}

static void test_classes_follow_the_background_where_labels_count_them(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_END_TO_END, 640, 640, 1);
	struct err err;
	assert_int_equal(apply("{\"background\": \"first\"}", &r, &err), ST_OK);
	assert_int_equal(r.class_count, 2);
	assert_int_equal(apply("{\"nms_iou\": 1}", &r, &err), ST_OK);
	assert_int_equal(r.class_count, 2);
	assert_int_equal(apply("{\"background\": \"none\"}", &r, &err), ST_OK);
	assert_int_equal(r.class_count, 1);
	assert_int_equal(apply("{\"background\": \"first\", \"class_count\": 7}", &r, &err), ST_OK);
	assert_int_equal(r.class_count, 7);
	/* Where a tensor counts them it has as many as it has. */
	r = sample_recipe(OUTPUT_CLASSIFICATION, 640, 640, 1001);
	assert_int_equal(apply("{\"background\": \"first\"}", &r, &err), ST_OK);
	assert_int_equal(r.class_count, 1001);
}

static void test_a_recipe_of_masks(void **state)
{
	struct arena a;
	arena_init(&a);
	struct recipe r;
	struct err err;
	const char *least = "{\"task\":\"segmentation\",\"width\":257,\"height\":257,\"output\":\"semantic\","
			    "\"class_count\":21}";
	assert_int_equal(parse(least, &a, &r, &err), ST_OK);
	assert_true(r.polygon_tolerance == 2 && r.region_area_min == 0.001f);
	assert_int_equal(apply("{\"polygon_tolerance\": 0.5, \"region_area_min\": 0}", &r, &err), ST_OK);
	assert_non_null(strstr(print(&r, &a), "\"polygon_tolerance\":0.5,\"region_area_min\":0.0,"));
	assert_int_equal(apply("{\"polygon_tolerance\": -1}", &r, &err), ST_INVALID);
	assert_int_equal(apply("{\"region_area_min\": 1.5}", &r, &err), ST_INVALID);
	arena_release(&a);
}

static void test_long_texts(void **state)
{
	struct recipe r = sample_recipe(OUTPUT_YOLOX_RAW, 416, 416, 80);
	struct err err;
	char json[200];
	snprintf(json, sizeof(json), "{\"features_output\": \"%0127d\"}", 7);
	assert_int_equal(apply(json, &r, &err), ST_OK);
	assert_int_equal(strlen(r.features_output), 127);
	snprintf(json, sizeof(json), "{\"features_output\": \"%0128d\"}", 7);
	assert_int_equal(apply(json, &r, &err), ST_INVALID);
	assert_int_equal(apply("{\"features_output\": \"\"}", &r, &err), ST_OK);
	assert_string_equal(r.features_output, "");
}

static void test_every_line_of_the_tables_is_told(void **state)
{
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		assert_true(recipe_field_name(f)[0] != '\0' && recipe_field_help(f)[0] != '\0');
	for (enum output_layout o = 0; o < OUTPUT_COUNT; o++)
		assert_true(output_name(o)[0] != '\0' && output_help(o)[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_prints_flat),
		cmocka_unit_test(test_what_is_printed_is_read),
		cmocka_unit_test(test_older_recipes_are_read),
		cmocka_unit_test(test_from_is_read_strictly),
		cmocka_unit_test(test_given_fields_are_marked),
		cmocka_unit_test(test_what_cannot_be_is_refused_and_changes_nothing),
		cmocka_unit_test(test_fields_of_other_layouts),
		cmocka_unit_test(test_classes_follow_the_background_where_labels_count_them),
		cmocka_unit_test(test_a_recipe_of_masks),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_every_line_of_the_tables_is_told),
	};
	return cmocka_run_group_tests_name("recipe_json", tests, NULL, NULL);
}
