/* SPDX-License-Identifier: Apache-2.0 */
/* task/recipe: what is found from graphs and probe runs, what is refused and in which words, what fits. */
#include "task/recipe.h"

#include "base/str.h"
#include "task_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect_found(const struct recipe *r, enum recipe_field f, enum origin o)
{
	if (r->origins[f] != o)
		fail_msg(
			"%s is %s, not %s", recipe_field_name(f), origin_name(r->origins[f]), origin_name(o));
}

static struct recipe find(const struct engine_description *d, const struct engine_tensor *probe,
	enum task task, uint32_t labels)
{
	struct recipe r;
	struct err err = {0};
	if (recipe_find(d, probe, task, labels, &r, &err) != ST_OK)
		fail_msg("%s", err.text);
	if (recipe_check(&r, d, 0, &err) != ST_OK)
		fail_msg("%s", err.text);
	return r;
}

static void refuse(const struct engine_description *d, const struct engine_tensor *probe, enum task task,
	uint32_t labels, const char *word)
{
	struct recipe r;
	struct err err;
	assert_int_equal(recipe_find(d, probe, task, labels, &r, &err), ST_UNPROCESSABLE);
	if (strstr(err.text, word) == NULL)
		fail_msg("no \"%s\" in: %s", word, err.text);
	assert_true(text_ends_with(err.text, ".") || text_ends_with(err.text, "?"));
}

/* ---- the input ---- */

static struct recipe find_with_input(enum engine_type type, const int64_t *input, enum task task)
{
	struct engine_description d = sample_graph(input);
	d.inputs[0].type = type;
	if (task == TASK_CLASSIFICATION)
		sample_output(&d, "scores", DIMS(1, 10));
	else
		sample_output(&d, "output0", DIMS(1, 84, -1));
	return find(&d, NULL, task, 0);
}

static void test_input_of_mnist(void **state)
{
	struct recipe r = find_with_input(ENGINE_FLOAT32, DIMS(1, 1, 28, 28), TASK_CLASSIFICATION);
	assert_int_equal(r.input.width, 28);
	assert_int_equal(r.input.colour, COLOUR_GREY);
	assert_int_equal(r.input.layout, LAYOUT_NCHW);
	assert_int_equal(r.input.fit, FIT_STRETCH);
	assert_true(r.input.scale == 1 && r.input.mean[0] == 0 && r.input.std[0] == 1);
	expect_found(&r, RECIPE_WIDTH, ORIGIN_READ);
	expect_found(&r, RECIPE_COLOUR, ORIGIN_READ);
	expect_found(&r, RECIPE_LAYOUT, ORIGIN_READ);
	expect_found(&r, RECIPE_SAMPLE, ORIGIN_READ);
	expect_found(&r, RECIPE_SCALE, ORIGIN_GUESSED);
	expect_found(&r, RECIPE_TASK, ORIGIN_GIVEN);
}

static void test_input_of_a_torchvision_classifier(void **state)
{
	struct recipe r = find_with_input(ENGINE_FLOAT16, DIMS(-1, 3, -1, -1), TASK_CLASSIFICATION);
	assert_int_equal(r.input.width, 224);
	assert_int_equal(r.input.height, 224);
	assert_int_equal(r.input.sample, SAMPLE_FLOAT16);
	assert_int_equal(r.input.fit, FIT_CENTER_CROP);
	assert_int_equal(r.input.colour, COLOUR_RGB);
	assert_float_equal(r.input.scale, 1.0 / 255, 1e-9);
	assert_float_equal(r.input.mean[2], 0.406, 1e-6);
	assert_float_equal(r.input.std[0], 0.229, 1e-6);
	expect_found(&r, RECIPE_WIDTH, ORIGIN_GUESSED);
	expect_found(&r, RECIPE_COLOUR, ORIGIN_GUESSED);
}

static void test_input_of_bytes_with_channels_last(void **state)
{
	struct recipe r = find_with_input(ENGINE_UINT8, DIMS(1, 300, 400, 3), TASK_DETECTION);
	assert_int_equal(r.input.layout, LAYOUT_NHWC);
	assert_int_equal(r.input.width, 400);
	assert_int_equal(r.input.height, 300);
	assert_int_equal(r.input.sample, SAMPLE_UINT8);
	assert_true(r.input.scale == 1 && r.input.std[1] == 1);
}

static void test_dynamic_sides(void **state)
{
	struct recipe r = find_with_input(ENGINE_FLOAT32, DIMS(1, 3, -1, -1), TASK_DETECTION);
	assert_int_equal(r.input.width, 640);
	r = find_with_input(ENGINE_FLOAT32, DIMS(1, 3, 480, -1), TASK_DETECTION);
	assert_int_equal(r.input.width, 480);
	expect_found(&r, RECIPE_HEIGHT, ORIGIN_READ);
	expect_found(&r, RECIPE_WIDTH, ORIGIN_GUESSED);

	struct engine_description d = sample_graph(DIMS(-1, 3, -1, -1));
	sample_output(&d, "output0", DIMS(1, 84, -1));
	d.metadata_count = 1;
	d.metadata[0] = (struct engine_property){"imgsz", "[384, 512]"};
	r = find(&d, NULL, TASK_DETECTION, 0);
	assert_int_equal(r.input.height, 384);
	assert_int_equal(r.input.width, 512);
	expect_found(&r, RECIPE_WIDTH, ORIGIN_READ);
	static const char *const nonsense[] = {
		"[0, 3]", "[999999999999999999999]", "640", "[640", "[, ]", ""};
	for (size_t i = 0; i < COUNT_OF(nonsense); i++) {
		snprintf(d.metadata[0].value, sizeof(d.metadata[0].value), "%s", nonsense[i]);
		r = find(&d, NULL, TASK_DETECTION, 0);
		assert_int_equal(r.input.width, 640);
		expect_found(&r, RECIPE_WIDTH, ORIGIN_GUESSED);
	}
}

static void test_inputs_that_are_no_image(void **state)
{
	static const struct {
		int64_t dims[6];
		const char *word;
	} cases[] = {
		{{1, 3, 224}, "four dimensions"},
		{{8, 3, 224, 224}, "batch of 1"},
		{{1, 4, 224, 224}, "1 or 3 channels"},
		{{1, 3, 9000, 224}, "1 to 4096"},
		{{1, 3, 224, -2}, "1 to 4096"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct engine_description d = sample_graph(cases[i].dims);
		sample_output(&d, "scores", DIMS(1, 10));
		refuse(&d, NULL, TASK_CLASSIFICATION, 0, cases[i].word);
	}
	struct engine_description d = sample_graph(DIMS(1, 3, 224, 224));
	sample_output(&d, "scores", DIMS(1, 10));
	d.inputs[0].type = ENGINE_INT64;
	refuse(&d, NULL, TASK_CLASSIFICATION, 0, "int64");
	d.input_count = 2;
	refuse(&d, NULL, TASK_CLASSIFICATION, 0, "2 inputs");
	d.input_count = 1;
	d.inputs[0].rank = -1;
	refuse(&d, NULL, TASK_CLASSIFICATION, 0, "unknown shape");
}

/* ---- classification ---- */

static void test_probabilities_or_logits(void **state)
{
	static const struct {
		float values[4];
		bool probabilities;
		enum origin origin;
	} cases[] = {
		{{0.25f, 0.25f, 0.5f, 0}, true, ORIGIN_READ},
		{{-1, 0.5f, 1, 0.5f}, false, ORIGIN_READ},
		{{7, 0, 3, 2}, false, ORIGIN_READ},
		{{0.5f, 0.4f, 0.9f, 0.1f}, false, ORIGIN_GUESSED},
		{{NAN, 0.5f, 0.5f, 0}, false, ORIGIN_GUESSED},
	};
	struct engine_description d = sample_graph(DIMS(1, 3, 32, 32));
	sample_output(&d, "scores", DIMS(-1, 4, 1, 1));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct engine_tensor probe = sample_tensor(cases[i].values, DIMS(1, 4, 1, 1));
		struct recipe r = find(&d, &probe, TASK_CLASSIFICATION, 4);
		assert_int_equal(r.probabilities, cases[i].probabilities);
		expect_found(&r, RECIPE_PROBABILITIES, cases[i].origin);
	}
	static const struct {
		const char *made_by;
		bool probabilities;
		enum origin origin;
	} operators[] = {{"Softmax", true, ORIGIN_READ}, {"Sigmoid", true, ORIGIN_READ},
		{"LogSoftmax", false, ORIGIN_READ}, {"Gemm", false, ORIGIN_GUESSED}};
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		snprintf(d.outputs[0].made_by, sizeof(d.outputs[0].made_by), "%s", operators[i].made_by);
		struct recipe r = find(&d, NULL, TASK_CLASSIFICATION, 4);
		assert_int_equal(r.probabilities, operators[i].probabilities);
		expect_found(&r, RECIPE_PROBABILITIES, operators[i].origin);
	}
}

static void test_classes_and_labels(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 224, 224));
	sample_output(&d, "features", DIMS(1, 512));
	sample_output(&d, "scores", DIMS(1, 1001));
	struct recipe r = find(&d, NULL, TASK_CLASSIFICATION, 1000);
	assert_int_equal(r.tensors[0], 1);
	expect_found(&r, RECIPE_TENSORS, ORIGIN_GUESSED);
	assert_int_equal(r.class_count, 1001);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	assert_int_equal(recipe_label_count(&r), 1000);

	static const struct {
		enum background background;
		uint32_t classes, labels;
		const char *word; /* NULL: it fits */
	} cases[] = {
		{BACKGROUND_FIRST, 1001, 1000, NULL},
		{BACKGROUND_FIRST, 1001, 1001,
			"1001 classes of which one is the background, so there must be 1000 labels"},
		{BACKGROUND_NONE, 1001, 1001, NULL},
		{BACKGROUND_NONE, 1001, 1000, "\"background\": \"first\""},
		{BACKGROUND_NONE, 1001, 1002, "leave it out"},
		{BACKGROUND_NONE, 1001, 80, "1001 classes, but there are 80 labels"},
		{BACKGROUND_NONE, 1001, 0, NULL},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err;
		r.background = cases[i].background;
		enum status st = recipe_check(&r, &d, cases[i].labels, &err);
		assert_int_equal(st, cases[i].word ? ST_UNPROCESSABLE : ST_OK);
		if (cases[i].word)
			assert_non_null(strstr(err.text, cases[i].word));
	}
}

static void test_classes_that_the_graph_does_not_count(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 224, 224));
	sample_output(&d, "scores", DIMS(-1, -1));
	refuse(&d, NULL, TASK_CLASSIFICATION, 0, "give the labels");
	struct recipe r = find(&d, NULL, TASK_CLASSIFICATION, 7);
	assert_int_equal(r.class_count, 7);
	expect_found(&r, RECIPE_CLASS_COUNT, ORIGIN_GUESSED);
	const float values[] = {-1, 2, 3};
	struct engine_tensor probe = sample_tensor(values, DIMS(1, 3));
	r = find(&d, &probe, TASK_CLASSIFICATION, 0);
	assert_int_equal(r.class_count, 3);
	d.outputs[0].rank = -1;
	r = find(&d, &probe, TASK_CLASSIFICATION, 0);
	assert_int_equal(r.class_count, 3);
}

/* ---- detection ---- */

/* Values of rows of boxes over the grids of a 64 x 64 input, 84 cells. */
enum rows { ROWS_RAW, ROWS_PIXELS, ROWS_UNIT, ROWS_ZERO };
#define SIDE 64
#define CELLS 84

static float row_value(enum rows kind, size_t cell, size_t k)
{
	size_t stride = cell < 64 ? 8 : cell < 80 ? 16 : 32, first = cell < 64 ? 0 : cell < 80 ? 64 : 80;
	size_t columns = SIDE / stride, x = (cell - first) % columns, y = (cell - first) / columns;
	float centre = ((float)(k == 0 ? x : y) + 0.5f) * (float)stride,
	      noise = (float)((cell * 7 + k * 3) % 11) / 11;
	if (kind == ROWS_ZERO)
		return 0;
	if (k >= 4)
		return noise * 0.001f;
	if (kind == ROWS_RAW)
		return noise * 5 - 2;
	float pixels = k < 2 ? centre + noise - 0.5f : 10 + noise;
	return kind == ROWS_PIXELS ? pixels : pixels / SIDE;
}

/* [1, cells, values], or [1, values, cells] */
static struct engine_tensor rows_tensor(float **data, enum rows kind, int64_t values, bool by_value)
{
	struct engine_tensor t =
		sample_zeros(data, by_value ? DIMS(1, values, CELLS) : DIMS(1, CELLS, values));
	for (size_t i = 0; i < CELLS; i++)
		for (size_t k = 0; k < (size_t)values; k++)
			(*data)[by_value ? k * CELLS + i : i * (size_t)values + k] = row_value(kind, i, k);
	return t;
}

static void test_yolox_is_found_by_its_values(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, SIDE, SIDE));
	sample_output(&d, "output", DIMS(1, CELLS, 7));
	float *data;
	struct engine_tensor probe = rows_tensor(&data, ROWS_RAW, 7, false);
	struct recipe r = find(&d, &probe, TASK_DETECTION, 2);
	assert_int_equal(r.output, OUTPUT_YOLOX_RAW);
	assert_int_equal(r.class_count, 2);
	assert_int_equal(r.input.colour, COLOUR_BGR);
	assert_int_equal(r.input.fit, FIT_LETTERBOX);
	assert_int_equal(r.input.pad_at, PAD_BOTTOM_RIGHT);
	assert_int_equal(r.input.pad_value, 114);
	assert_true(r.input.scale == 1 && r.nms_iou == 0.45f);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_READ);
	expect_found(&r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	expect_found(&r, RECIPE_PAD, ORIGIN_GUESSED);
	refuse(&d, NULL, TASK_DETECTION, 2, "without a probe run");
	/* As many labels as yolo_v8 would have classes do not make raw values decoded. */
	struct err err;
	r = find(&d, &probe, TASK_DETECTION, 3);
	assert_int_equal(r.output, OUTPUT_YOLOX_RAW);
	assert_int_equal(recipe_check(&r, &d, 3, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "2 classes, but there are 3 labels"));
	data[6] = -3; /* a score that is a logit */
	refuse(&d, &probe, TASK_DETECTION, 2, "not in 0…1");
	free(data);
	probe = rows_tensor(&data, ROWS_ZERO, 7, false); /* nothing speaks against it */
	assert_int_equal(find(&d, &probe, TASK_DETECTION, 2).output, OUTPUT_YOLOX_RAW);
	free(data);
}

static void test_decoded_rows_are_told_by_values_and_labels(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, SIDE, SIDE));
	sample_output(&d, "output", DIMS(1, CELLS, 7));
	float *data;
	struct engine_tensor probe = rows_tensor(&data, ROWS_PIXELS, 7, false);
	refuse(&d, &probe, TASK_DETECTION, 0, "may also hold an objectness");
	refuse(&d, &probe, TASK_DETECTION, 9, "may also hold an objectness");
	/* As many labels as classes after an objectness: yolo_v5 with one box a cell. */
	struct recipe r = find(&d, &probe, TASK_DETECTION, 2);
	assert_int_equal(r.output, OUTPUT_YOLO_V5);
	assert_int_equal(r.class_count, 2);
	assert_int_equal(r.input.pad_at, PAD_CENTER);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_READ);
	/* With as many labels as there are values after the boxes, they are yolo_v8, transposed. */
	r = find(&d, &probe, TASK_DETECTION, 3);
	assert_int_equal(r.output, OUTPUT_YOLO_V8);
	assert_int_equal(r.class_count, 3);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_READ);
	r = find(&d, NULL, TASK_DETECTION, 3);
	assert_int_equal(r.output, OUTPUT_YOLO_V8);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_GUESSED);
	free(data);
	probe = rows_tensor(&data, ROWS_UNIT, 7, false);
	refuse(&d, &probe, TASK_DETECTION, 3, "in 0…1 and not in pixels");
	free(data);
}

static void test_three_rows_a_cell_are_v5(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, SIDE, SIDE));
	sample_output(&d, "output", DIMS(1, 3 * CELLS, 7));
	struct recipe r = find(&d, NULL, TASK_DETECTION, 2);
	assert_int_equal(r.output, OUTPUT_YOLO_V5);
	assert_int_equal(r.class_count, 2);
	assert_float_equal(r.input.scale, 1.0 / 255, 1e-9);
	assert_int_equal(r.input.colour, COLOUR_RGB);
	float *data;
	struct engine_tensor probe = sample_zeros(&data, DIMS(1, 3 * CELLS, 7));
	static const struct {
		enum rows rows;
		const char *word; /* NULL: taken */
	} cases[] = {
		{ROWS_PIXELS, NULL}, {ROWS_RAW, "not decoded yet"}, {ROWS_UNIT, "0…1 and not in pixels"}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t k = 0; k < 3 * CELLS * 7; k++)
			data[k] = row_value(cases[i].rows, k / 7 % CELLS, k % 7);
		if (cases[i].word)
			refuse(&d, &probe, TASK_DETECTION, 2, cases[i].word);
		else
			assert_int_equal(find(&d, &probe, TASK_DETECTION, 2).output, OUTPUT_YOLO_V5);
	}
	for (size_t k = 0; k < 3 * CELLS * 7; k++)
		data[k] = row_value(ROWS_PIXELS, k / 7 % CELLS, k % 7) + (k == 13 ? 40 : 0);
	refuse(&d, &probe, TASK_DETECTION, 2, "mask coefficients");
	free(data);
	d.inputs[0].shape[2] = d.inputs[0].shape[3] = d.outputs[0].shape[1] =
		-1; /* known by the probe alone */
	probe = sample_zeros(&data, DIMS(1, 3 * CELLS, 7));
	for (size_t k = 0; k < 3 * CELLS * 7; k++)
		data[k] = row_value(ROWS_PIXELS, k / 7 % CELLS, k % 7);
	assert_int_equal(find(&d, &probe, TASK_DETECTION, 2).output, OUTPUT_YOLO_V5);
	free(data);
}

static void test_dynamic_grids(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, -1, -1));
	sample_output(&d, "output", DIMS(1, -1, 7));
	float *data;
	struct engine_tensor probe = rows_tensor(&data, ROWS_RAW, 7, false);
	assert_int_equal(find(&d, &probe, TASK_DETECTION, 2).output, OUTPUT_YOLOX_RAW);
	free(data);
	probe = rows_tensor(&data, ROWS_PIXELS, 7, false);
	assert_int_equal(find(&d, &probe, TASK_DETECTION, 2).output, OUTPUT_YOLO_V5);
	/* One side fixed: the other is known from how the probe was run. */
	d.inputs[0].shape[2] = SIDE;
	d.probe_rank = 4;
	memcpy(d.probe_shape, DIMS(1, 3, SIDE, 2 * SIDE), 4 * sizeof(int64_t));
	refuse(&d, &probe, TASK_DETECTION, 3, "no number of an image in the batch");
	d.probe_shape[3] = SIDE;
	assert_int_equal(find(&d, &probe, TASK_DETECTION, 3).output, OUTPUT_YOLO_V8);
	free(data);
}

static void test_v8_is_found_by_its_shape(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 640, 640));
	sample_output(&d, "output0", DIMS(1, 84, 8400));
	struct recipe r = find(&d, NULL, TASK_DETECTION, 80);
	assert_int_equal(r.output, OUTPUT_YOLO_V8);
	assert_int_equal(r.class_count, 80);
	assert_int_equal(r.input.colour, COLOUR_RGB);
	assert_int_equal(r.input.fit, FIT_LETTERBOX);
	assert_int_equal(r.input.pad_at, PAD_CENTER);
	assert_float_equal(r.input.scale, 1.0 / 255, 1e-9);
	assert_true(r.input.mean[0] == 0 && r.input.std[0] == 1);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_READ);
	d.outputs[0].shape[2] = 1234; /* no grid: still the only long output, but guessed */
	r = find(&d, NULL, TASK_DETECTION, 80);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_GUESSED);
	sample_output(&d, "other", DIMS(1, 9, 9));
	refuse(&d, NULL, TASK_DETECTION, 80, "fit none of the layouts");
}

static void test_v8_with_more_than_boxes(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, SIDE, SIDE));
	sample_output(&d, "output0", DIMS(1, 56, CELLS));
	float *data;
	struct engine_tensor probe = rows_tensor(&data, ROWS_PIXELS, 56, true);
	assert_int_equal(find(&d, &probe, TASK_DETECTION, 0).class_count, 52);
	data[20 * CELLS] = 31.5f; /* a key point */
	refuse(&d, &probe, TASK_DETECTION, 0, "key points");
	free(data);
	probe = rows_tensor(&data, ROWS_UNIT, 56, true);
	refuse(&d, &probe, TASK_DETECTION, 0, "in 0…1 and not in pixels");
	free(data);
	d.metadata_count = 1;
	d.metadata[0] = (struct engine_property){"task", "segment"};
	refuse(&d, NULL, TASK_DETECTION, 0, "more than detect");
	d.metadata[0] = (struct engine_property){"task", "detect"};
	assert_int_equal(find(&d, NULL, TASK_DETECTION, 0).class_count, 52);
}

static void test_final_boxes_are_not_taken_for_v8(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 640, 640));
	sample_output(&d, "output0", DIMS(1, 300, 6));
	assert_int_equal(find(&d, NULL, TASK_DETECTION, 80).output, OUTPUT_END_TO_END);
	d.inputs[0].shape[2] = d.inputs[0].shape[3] = -1;
	assert_int_equal(find(&d, NULL, TASK_DETECTION, 80).output, OUTPUT_END_TO_END);
	d.outputs[0].shape[2] = 5;
	refuse(&d, NULL, TASK_DETECTION, 80, "\"output0\" float32[1,300,5]");
	refuse(&d, NULL, TASK_DETECTION, 80,
		"detr, yolo_v8, yolox_raw, yolo_v5, end_to_end_parts, boxes_scores, end_to_end.");
}

static struct engine_description detr_graph(
	const char *scores, const char *boxes, int64_t queries, int64_t classes)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 640, 640));
	sample_output(&d, boxes, DIMS(1, queries, 4));
	sample_output(&d, scores, DIMS(1, queries, classes));
	return d;
}

static void test_detr_is_found_by_names(void **state)
{
	struct engine_description d = detr_graph("pred_logits", "pred_boxes", 300, 80);
	sample_output(&d, "last_hidden_state", DIMS(1, 300, 256));
	struct recipe r = find(&d, NULL, TASK_DETECTION, 80);
	assert_int_equal(r.output, OUTPUT_DETR);
	assert_int_equal(r.tensors[0], 1);
	assert_int_equal(r.tensors[1], 0);
	assert_int_equal(r.background, BACKGROUND_NONE);
	assert_int_equal(r.input.fit, FIT_STRETCH);
	assert_float_equal(r.input.mean[0], 0.485, 1e-6);
	assert_true(r.nms_iou == 1);
	assert_false(r.probabilities);
	expect_found(&r, RECIPE_BACKGROUND, ORIGIN_READ);
	expect_found(&r, RECIPE_TENSORS, ORIGIN_READ);
	r = find(&d, NULL, TASK_DETECTION, 79);
	assert_int_equal(r.background, BACKGROUND_LAST);
	d = detr_graph("labels", "dets", 300, 91);
	assert_int_equal(find(&d, NULL, TASK_DETECTION, 91).output, OUTPUT_DETR);
	d = detr_graph("pred_logits", "pred_boxes", 8400, 80); /* cells of a grid, and no set */
	assert_true(find(&d, NULL, TASK_DETECTION, 80).nms_iou == 0.45f);
	d = detr_graph("scores", "boxes", 4420, 2); /* SSD's */
	assert_int_equal(find(&d, NULL, TASK_DETECTION, 2).output, OUTPUT_BOXES_SCORES);
	/* Four classes: both outputs have the same shape, and only the names tell. */
	d = detr_graph("logits", "pred_boxes", 100, 4);
	r = find(&d, NULL, TASK_DETECTION, 4);
	assert_int_equal(r.tensors[0], 1);
}

static void test_detr_is_probed(void **state)
{
	struct engine_description d = detr_graph("pred_logits", "pred_boxes", 2, 3);
	float boxes[] = {0.5f, 0.5f, 0.2f, 0.4f, 0.25f, 0.25f, 2.1f, 0.1f}, logits[] = {-3, -4, 5, -3, -4, 6};
	struct engine_tensor probe[] = {
		sample_tensor(boxes, DIMS(1, 2, 4)), sample_tensor(logits, DIMS(1, 2, 3))};
	struct recipe r = find(&d, probe, TASK_DETECTION, 0);
	assert_int_equal(r.background, BACKGROUND_LAST);
	expect_found(&r, RECIPE_BACKGROUND, ORIGIN_GUESSED);
	r = find(&d, probe, TASK_DETECTION, 3);
	assert_int_equal(r.background, BACKGROUND_NONE);
	expect_found(&r, RECIPE_PROBABILITIES, ORIGIN_READ);
	logits[2] = logits[5] = -5;
	assert_int_equal(find(&d, probe, TASK_DETECTION, 0).background, BACKGROUND_NONE);
	const float scores[] = {0.1f, 0.2f, 0.3f, 0, 0, 1};
	memcpy(logits, scores, sizeof(scores));
	assert_true(find(&d, probe, TASK_DETECTION, 3).probabilities);
	boxes[0] = 320; /* named so, but in pixels */
	assert_int_equal(find(&d, probe, TASK_DETECTION, 3).output, OUTPUT_BOXES_SCORES);
	boxes[2] = -3; /* and of no form at all: the first doubt is told */
	refuse(&d, probe, TASK_DETECTION, 3, "not in 0…1");
	boxes[0] = 0.5f;
	boxes[2] = 0.2f;
	/* A probe that is not as the graph says is not looked at. */
	probe[1] = sample_tensor(logits, DIMS(1, 6));
	probe[0].size = 3;
	r = find(&d, probe, TASK_DETECTION, 3);
	assert_false(r.probabilities);
	expect_found(&r, RECIPE_PROBABILITIES, ORIGIN_GUESSED);
}

/* ---- what a person says ---- */

static enum status find_given(const struct engine_description *d, enum task task, const char *json,
	struct recipe *r, struct err *err)
{
	struct arena a;
	arena_init(&a);
	yyjson_doc *doc;
	assert_int_equal(json_parse(span_of_text(json), &a, &doc, err), ST_OK);
	enum status st = recipe_find_given(d, NULL, task, 0, yyjson_doc_get_root(doc), r, err);
	arena_release(&a);
	return st;
}

static void test_a_given_layout_is_believed(void **state)
{
	struct recipe r;
	struct err err;
	struct engine_description d = sample_graph(DIMS(1, 3, SIDE, SIDE));
	sample_output(&d, "output", DIMS(1, CELLS, 7));
	assert_int_equal(
		find_given(&d, TASK_DETECTION, "{\"output\": \"yolox_raw\", \"colour\": \"rgb\"}", &r, &err),
		ST_OK);
	assert_int_equal(r.output, OUTPUT_YOLOX_RAW);
	assert_int_equal(r.input.colour, COLOUR_RGB);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_GIVEN);
	expect_found(&r, RECIPE_COLOUR, ORIGIN_GIVEN);
	expect_found(&r, RECIPE_PAD, ORIGIN_GUESSED);
	assert_int_equal(find_given(&d, TASK_DETECTION, "{\"output\": \"yolo_v8\"}", &r, &err), ST_OK);
	assert_int_equal(r.class_count, 3);
	assert_int_equal(
		find_given(&d, TASK_DETECTION, "{\"output\": \"detr\"}", &r, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "cannot be detr: pred_logits"));
	assert_int_equal(
		find_given(&d, TASK_DETECTION, "{\"output\": \"classification\"}", &r, &err), ST_INVALID);
	assert_non_null(strstr(err.text, "one of classification, but the model's type is detection"));
	assert_int_equal(find_given(&d, TASK_DETECTION, "{\"output\": \"yolox\"}", &r, &err), ST_INVALID);
	assert_non_null(strstr(err.text, "yolox_raw"));
	assert_int_equal(find_given(&d, TASK_DETECTION, "[]", &r, &err), ST_UNPROCESSABLE);

	d = detr_graph("scores", "boxes", 4420, 2);
	assert_int_equal(find_given(&d, TASK_DETECTION, "{\"output\": \"detr\"}", &r, &err), ST_OK);
	assert_int_equal(r.tensors[0], 1);
}

static void test_the_wrong_task_is_named(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 640, 640));
	sample_output(&d, "output0", DIMS(1, 84, 8400));
	refuse(&d, NULL, TASK_CLASSIFICATION, 80, "they fit yolo_v8: is its type detection?");
	refuse(&d, NULL, TASK_SEGMENTATION, 80, "they fit yolo_v8: is its type detection?");
	d.outputs[0].rank = 4;
	d.outputs[0].shape[3] = 21;
	refuse(&d, NULL, TASK_SEGMENTATION, 21, "read for segmentation: semantic.");
	sample_output(&d, "scores", DIMS(1, 10));
	refuse(&d, NULL, TASK_DETECTION, 10, "they fit classification");
	d.outputs[1].type = ENGINE_INT64;
	for (int i = 0; i < 3; i++)
		sample_output(&d, "\x01\xff a name that goes on and on and on and on and on and on",
			DIMS(1, 2, 3, 4, 5));
	refuse(&d, NULL, TASK_DETECTION, 10,
		"\"?? a name that goes on and on and on and on ...\" float32[1,2,3,4,5] and 2 more");
}

static void test_a_recipe_must_fit_its_graph(void **state)
{
	struct err err;
	struct engine_description d = sample_graph(DIMS(1, 3, SIDE, SIDE));
	sample_output(&d, "output", DIMS(1, CELLS, 7));
	const struct recipe good = sample_recipe(OUTPUT_YOLOX_RAW, SIDE, SIDE, 2);
	assert_int_equal(recipe_check(&good, &d, 2, &err), ST_OK);
	struct recipe bad[8];
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = good;
	bad[0].input.width = 96;
	bad[1].input.colour = COLOUR_GREY;
	bad[2].input.layout = LAYOUT_NHWC;
	bad[3].input.sample = SAMPLE_UINT8;
	bad[4].tensors[0] = 1;
	bad[5].class_count = 3;
	bad[6].output = OUTPUT_CLASSIFICATION;
	bad[7].output = OUTPUT_DETR;
	static const char *const words[] = {"float32[1,3,64,96]", "float32[1,1,64,64]", "float32[1,64,64,3]",
		"uint8[1,3,64,64]", "output 1", "[1,84,8]", "2 classes", "output 1"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (bad[i].output == OUTPUT_DETR)
			bad[i].tensors[1] = 1;
		assert_int_equal(recipe_check(&bad[i], &d, 0, &err), ST_UNPROCESSABLE);
		if (strstr(err.text, words[i]) == NULL)
			fail_msg("no \"%s\" in: %s", words[i], err.text);
	}
	d.inputs[0].shape[2] = d.inputs[0].shape[3] = d.outputs[0].shape[1] = -1;
	bad[0].input.height = 90;
	assert_int_equal(recipe_check(&bad[0], &d, 0, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "multiples of 32, not 96 x 90"));
	bad[0].input.height = 32;
	assert_int_equal(recipe_check(&bad[0], &d, 0, &err), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_of_mnist),
		cmocka_unit_test(test_input_of_a_torchvision_classifier),
		cmocka_unit_test(test_input_of_bytes_with_channels_last),
		cmocka_unit_test(test_dynamic_sides),
		cmocka_unit_test(test_inputs_that_are_no_image),
		cmocka_unit_test(test_probabilities_or_logits),
		cmocka_unit_test(test_classes_and_labels),
		cmocka_unit_test(test_classes_that_the_graph_does_not_count),
		cmocka_unit_test(test_yolox_is_found_by_its_values),
		cmocka_unit_test(test_decoded_rows_are_told_by_values_and_labels),
		cmocka_unit_test(test_three_rows_a_cell_are_v5),
		cmocka_unit_test(test_dynamic_grids),
		cmocka_unit_test(test_v8_is_found_by_its_shape),
		cmocka_unit_test(test_v8_with_more_than_boxes),
		cmocka_unit_test(test_final_boxes_are_not_taken_for_v8),
		cmocka_unit_test(test_detr_is_found_by_names),
		cmocka_unit_test(test_detr_is_probed),
		cmocka_unit_test(test_a_given_layout_is_believed),
		cmocka_unit_test(test_the_wrong_task_is_named),
		cmocka_unit_test(test_a_recipe_must_fit_its_graph),
	};
	return cmocka_run_group_tests_name("recipe", tests, NULL, NULL);
}
