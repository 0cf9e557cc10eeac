/* SPDX-License-Identifier: Apache-2.0 */
/* task/recipe: pairs of scores and boxes, final boxes and masks are found from shapes, names, labels and
 * values. */
#include "task/recipe.h"

#include "base/str.h"
#include "task/output.h"
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

/* ---- pairs ---- */

#define PLACES 300 /* 20 x 15 cells of 16 pixels */

struct pair {
	struct engine_description graph;
	struct engine_tensor probe[2];
	float boxes[PLACES * 4], scores[PLACES * 4];
};

/* Corners in fractions, and scores of so many classes, all of them 0. */
static void make_pair(struct pair *p, uint32_t classes)
{
	*p = (struct pair){.graph = sample_graph(DIMS(1, 3, 240, 320))};
	sample_output(&p->graph, "scores", DIMS(1, PLACES, classes));
	sample_output(&p->graph, "boxes", DIMS(1, PLACES, 4));
	p->probe[0] = sample_tensor(p->scores, DIMS(1, PLACES, classes));
	p->probe[1] = sample_tensor(p->boxes, DIMS(1, PLACES, 4));
	for (size_t i = 0; i < PLACES; i++) {
		float x = ((float)(i % 20) + 0.5f) / 20, y = ((float)(i / 20) + 0.5f) / 15;
		const float box[] = {x - 0.03f, y - 0.04f, x + 0.03f, y + 0.04f};
		memcpy(p->boxes + 4 * i, box, sizeof(box));
	}
}

static void set_scores(struct pair *p, size_t classes, const float *row)
{
	for (size_t i = 0; i < PLACES * classes; i++)
		p->scores[i] = row[i % classes];
}

static void test_a_pair_is_found_by_its_values(void **state)
{
	struct pair p;
	make_pair(&p, 2);
	set_scores(&p, 2, (const float[]){0.9f, 0.1f});
	struct recipe r = find(&p.graph, p.probe, TASK_DETECTION, 1);
	assert_int_equal(r.output, OUTPUT_BOXES_SCORES);
	assert_int_equal(r.class_count, 2);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	assert_true(r.probabilities);
	assert_int_equal(r.box_form, BOX_FORM_CORNERS);
	assert_int_equal(r.box_unit, BOX_UNIT_FRACTION);
	assert_int_equal(r.input.fit, FIT_STRETCH);
	assert_true(r.input.scale == 1 && r.input.mean[1] == 127 && r.input.std[2] == 128);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_READ);
	expect_found(&r, RECIPE_TENSORS, ORIGIN_READ);
	expect_found(&r, RECIPE_BACKGROUND, ORIGIN_READ);
	expect_found(&r, RECIPE_PROBABILITIES, ORIGIN_READ);
	expect_found(&r, RECIPE_BOX_FORM, ORIGIN_READ);
	expect_found(&r, RECIPE_BOX_UNIT, ORIGIN_READ);
	expect_found(&r, RECIPE_SCALE, ORIGIN_GUESSED);
	/* Without a probe run it is guessed. */
	r = find(&p.graph, NULL, TASK_DETECTION, 1);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	expect_found(&r, RECIPE_BOX_FORM, ORIGIN_GUESSED);
	expect_found(&r, RECIPE_BOX_UNIT, ORIGIN_GUESSED);
	expect_found(&r, RECIPE_BACKGROUND, ORIGIN_GUESSED);
	/* As many labels as classes, though one says the same everywhere: then a label is the background's.
	 */
	struct err err;
	r = find(&p.graph, p.probe, TASK_DETECTION, 2);
	assert_int_equal(recipe_check(&r, &p.graph, 2, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "there must be 1 labels, and not 2: leave the background's out."));
}

static void test_scores_of_a_pair(void **state)
{
	static const struct {
		float row[3];
		uint32_t labels;
		enum background background;
		bool probabilities;
		enum origin of_background;
	} cases[] = {
		{{0.01f, 0.02f, 0.01f}, 3, BACKGROUND_NONE, true, ORIGIN_READ}, /* a sigmoid each */
		{{0.01f, 0.02f, 0.01f}, 0, BACKGROUND_NONE, true, ORIGIN_GUESSED},
		{{0.01f, 0.02f, 0.97f}, 2, BACKGROUND_LAST, true, ORIGIN_READ}, /* a softmax */
		{{0.97f, 0.02f, 0.01f}, 0, BACKGROUND_FIRST, true, ORIGIN_READ},
		{{0.3f, 0.4f, 0.3f}, 2, BACKGROUND_FIRST, true, ORIGIN_GUESSED}, /* which one does not show */
		{{7, -2, -3}, 2, BACKGROUND_FIRST, false, ORIGIN_READ},          /* logits */
		{{-7, -6, -8}, 3, BACKGROUND_NONE, false, ORIGIN_READ},
		{{7, -2, -3}, 0, BACKGROUND_FIRST, false, ORIGIN_GUESSED},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pair p;
		make_pair(&p, 3);
		set_scores(&p, 3, cases[i].row);
		struct recipe r = find(&p.graph, p.probe, TASK_DETECTION, cases[i].labels);
		if (r.background != cases[i].background || r.probabilities != cases[i].probabilities)
			fail_msg("case %zu: background %d, probabilities %d", i, r.background,
				r.probabilities);
		expect_found(&r, RECIPE_BACKGROUND, cases[i].of_background);
	}
}

static void test_raw_offsets_are_refused(void **state)
{
	struct pair p;
	struct recipe r = {0};
	struct err err;
	make_pair(&p, 2);
	set_scores(&p, 2, (const float[]){0.9f, 0.1f});
	for (size_t i = 0; i < PLACES * 4; i++) /* of both signs, as logarithms of sizes are */
		p.boxes[i] = (float)(i * 7919 % 101) / 20 - 3;
	refuse(&p.graph, p.probe, TASK_DETECTION, 1, "raw SSD offsets, which need priors");
	yyjson_doc *doc = yyjson_read("{\"output\": \"boxes_scores\"}", 26, 0);
	assert_non_null(doc);
	assert_int_equal(
		recipe_find_given(&p.graph, p.probe, TASK_DETECTION, 1, yyjson_doc_get_root(doc), &r, &err),
		ST_UNPROCESSABLE);
	/* A few boxes that are turned inside out are no matter; of many a person must be sure. */
	make_pair(&p, 2);
	for (size_t i = 0; i < 20; i++)
		p.boxes[4 * i] = 2;
	r = find(&p.graph, p.probe, TASK_DETECTION, 1);
	assert_int_equal(r.box_form, BOX_FORM_CORNERS);
	expect_found(&r, RECIPE_BOX_FORM, ORIGIN_GUESSED);
	for (size_t i = 0; i < 60; i++)
		p.boxes[4 * i + 2] = p.boxes[4 * i + 3] = -1;
	refuse(&p.graph, p.probe, TASK_DETECTION, 1, "raw SSD offsets");
	assert_int_equal(
		recipe_find_given(&p.graph, p.probe, TASK_DETECTION, 1, yyjson_doc_get_root(doc), &r, &err),
		ST_OK);
	yyjson_doc_free(doc);
}

static void test_pairs_of_four_classes_are_told_by_names(void **state)
{
	struct pair p;
	make_pair(&p, 4);
	struct recipe r = find(&p.graph, NULL, TASK_DETECTION, 4);
	assert_int_equal(r.tensors[0], 0);
	assert_int_equal(r.tensors[1], 1);
	snprintf(p.graph.outputs[0].name, sizeof(p.graph.outputs[0].name), "loc");
	snprintf(p.graph.outputs[1].name, sizeof(p.graph.outputs[1].name), "conf");
	r = find(&p.graph, NULL, TASK_DETECTION, 4);
	assert_int_equal(r.tensors[0], 1);
	assert_int_equal(r.tensors[1], 0);
	sample_output(&p.graph, "features", DIMS(1, PLACES, 64));
	r = find(&p.graph, NULL, TASK_DETECTION, 4);
	assert_int_equal(r.tensors[0], 1);
	expect_found(&r, RECIPE_TENSORS, ORIGIN_GUESSED);
}

/* ---- final boxes ---- */

static void test_columns_of_final_boxes(void **state)
{
	static const struct {
		float row[7];
		int64_t values;
		enum row_order order;
		enum origin origin;
	} cases[] = {
		{{10, 20, 30, 40, 0.7f, 3}, 6, ROW_SCORE_CLASS, ORIGIN_READ},
		{{10, 20, 30, 40, 3, 0.7f}, 6, ROW_CLASS_SCORE, ORIGIN_READ},
		{{0, 10, 20, 30, 40, 3, 0.7f}, 7, ROW_CLASS_SCORE, ORIGIN_READ},
		{{0, 10, 20, 30, 40, 0.7f, 3}, 7, ROW_SCORE_CLASS, ORIGIN_READ},
		{{0}, 6, ROW_SCORE_CLASS, ORIGIN_GUESSED}, /* nothing is found in grey */
		{{0}, 7, ROW_CLASS_SCORE, ORIGIN_GUESSED},
		{{10, 20, 30, 40, 1, 0}, 6, ROW_SCORE_CLASS, ORIGIN_GUESSED}, /* both could be either */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct engine_description d = sample_graph(DIMS(1, 3, 640, 640));
		sample_output(&d, "output0", DIMS(1, 20, cases[i].values));
		float values[140] = {0};
		for (int k = 0; k < 3; k++) /* three rows, the rest is padding */
			memcpy(values + k * cases[i].values, cases[i].row,
				(size_t)cases[i].values * sizeof(float));
		struct engine_tensor probe = sample_tensor(values, DIMS(1, 20, cases[i].values));
		struct recipe r = find(&d, &probe, TASK_DETECTION, 80);
		assert_int_equal(r.output, OUTPUT_END_TO_END);
		assert_int_equal(r.row_order, cases[i].order);
		expect_found(&r, RECIPE_ROW_ORDER, cases[i].origin);
		expect_found(&r, RECIPE_BOX_UNIT, cases[i].row[1] != 0 ? ORIGIN_READ : ORIGIN_GUESSED);
		assert_int_equal(r.class_count, 80);
		assert_true(r.nms_iou == 1);
		assert_int_equal(r.input.fit, FIT_LETTERBOX);
		assert_int_equal(r.input.pad_at, PAD_CENTER);
	}
}

static void test_final_boxes_without_rows(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 416, 416));
	sample_output(&d, "detections", DIMS(-1, 7));
	float nothing = 0;
	struct engine_tensor probe = sample_tensor(&nothing, DIMS(1, 7));
	probe.shape[0] = 0;
	probe.size = 0;
	struct recipe r = find(&d, &probe, TASK_DETECTION, 80);
	assert_int_equal(r.output, OUTPUT_END_TO_END);
	assert_int_equal(r.row_order, ROW_CLASS_SCORE);
	refuse(&d, &probe, TASK_DETECTION, 0, "give the labels");
}

static void test_what_final_boxes_are_not(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 64, 64));
	sample_output(&d, "output", DIMS(1, 84, 6)); /* a row for each cell: of another layout */
	refuse(&d, NULL, TASK_DETECTION, 9, "may also hold an objectness");
	d.outputs[0].shape[1] = -1; /* but where the input is fixed and their number is not, NMS was inside */
	float *values;
	struct engine_tensor probe = sample_zeros(&values, DIMS(1, 84, 6));
	for (size_t i = 0; i < 84; i++)
		memcpy(values + 6 * i, (const float[]){20, 20, 50, 60, 0.25f, 8}, 6 * sizeof(float));
	assert_int_equal(find(&d, &probe, TASK_DETECTION, 9).output, OUTPUT_END_TO_END);
	d.outputs[0].shape[1] = 30;
	d.outputs[0].shape[2] = 7;
	free(values);
	probe = sample_zeros(&values, DIMS(1, 30, 7));
	for (size_t i = 0; i < 210; i++)
		values[i] = (float)(i % 7) + 1.5f; /* turned boxes: no batch */
	refuse(&d, &probe, TASK_DETECTION, 9, "no number of an image in the batch");
	for (size_t i = 0; i < 30; i++)
		values[7 * i] = 0;
	refuse(&d, &probe, TASK_DETECTION, 9, "no class and no score");
	d.metadata_count = 1;
	d.metadata[0] = (struct engine_property){"task", "obb"};
	refuse(&d, NULL, TASK_DETECTION, 9, "more than detect");
	free(values);
}

static void test_parts_are_told_by_types_and_names(void **state)
{
	/* As torchvision exports them: numbers for names. */
	struct engine_description d = sample_graph(DIMS(1, 3, -1, -1));
	sample_output(&d, "2815", DIMS(-1, 4));
	sample_output(&d, "2816", DIMS(-1));
	sample_output(&d, "2814", DIMS(-1));
	d.outputs[1].type = ENGINE_INT64;
	struct recipe r = find(&d, NULL, TASK_DETECTION, 90);
	assert_int_equal(r.output, OUTPUT_END_TO_END_PARTS);
	assert_memory_equal(r.tensors, ((const uint32_t[]){0, 2, 1, 0}), sizeof(r.tensors));
	assert_int_equal(r.background, BACKGROUND_FIRST);
	assert_int_equal(r.class_count, 91);
	assert_int_equal(recipe_label_count(&r), 90);
	assert_int_equal(r.box_unit, BOX_UNIT_PIXELS);
	d.outputs[1].type = ENGINE_FLOAT32;
	refuse(&d, NULL, TASK_DETECTION, 90, "neither names nor types");

	/* As TensorFlow's, with their raw boxes beside them. */
	d = sample_graph(DIMS(1, -1, -1, 3));
	d.inputs[0].type = ENGINE_UINT8;
	sample_output(&d, "detection_anchor_indices", DIMS(1, 100));
	sample_output(&d, "detection_boxes", DIMS(1, 100, 4));
	sample_output(&d, "detection_classes", DIMS(1, 100));
	sample_output(&d, "detection_multiclass_scores", DIMS(1, 100, 91));
	sample_output(&d, "detection_scores", DIMS(1, 100));
	sample_output(&d, "num_detections", DIMS(1));
	sample_output(&d, "raw_detection_boxes", DIMS(1, 1917, 4));
	sample_output(&d, "raw_detection_scores", DIMS(1, 1917, 91));
	r = find(&d, NULL, TASK_DETECTION, 90);
	assert_int_equal(r.output, OUTPUT_END_TO_END_PARTS);
	assert_memory_equal(r.tensors, ((const uint32_t[]){1, 4, 2, 0}), sizeof(r.tensors));
	assert_int_equal(r.box_form, BOX_FORM_CORNERS_YX);
	assert_int_equal(r.box_unit, BOX_UNIT_FRACTION);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	expect_found(&r, RECIPE_BOX_FORM, ORIGIN_GUESSED);

	/* And as of exports with NMS whose classes count from 0. */
	d = sample_graph(DIMS(1, 3, 640, 640));
	sample_output(&d, "num_dets", DIMS(1, 1));
	sample_output(&d, "det_boxes", DIMS(1, 100, 4));
	sample_output(&d, "det_scores", DIMS(1, 100));
	sample_output(&d, "det_classes", DIMS(1, 100));
	d.outputs[0].type = d.outputs[3].type = ENGINE_INT32;
	r = find(&d, NULL, TASK_DETECTION, 80);
	assert_int_equal(r.background, BACKGROUND_NONE);
	assert_int_equal(r.class_count, 80);
	assert_int_equal(r.box_form, BOX_FORM_CORNERS);
	refuse(&d, NULL, TASK_DETECTION, 0, "\"det_classes\" numbers the classes");
}

/* Many exporters state no side of an output; then the probe run alone knows. */
static void test_open_sides_are_no_contradiction(void **state)
{
	static const float rows[20 * 6] = {10, 20, 30, 40, 0.7f, 3}, logits[5] = {-3, -2, -3, -4, -5},
				     boxes[4] = {0.5f, 0.5f, 0.25f, 0.25f};
	struct engine_description d = sample_graph(DIMS(1, 3, 416, 416));
	sample_output(&d, "out", DIMS(-1, -1, -1));
	struct engine_tensor probe[] = {sample_tensor(rows, DIMS(1, 20, 6)), {0}};
	assert_int_equal(find(&d, probe, TASK_DETECTION, 80).output, OUTPUT_END_TO_END);
	d.output_count = 0;
	sample_output(&d, "pred_logits", DIMS(-1, -1, -1));
	sample_output(&d, "pred_boxes", DIMS(-1, -1, -1));
	probe[0] = sample_tensor(logits, DIMS(1, 1, 5));
	probe[1] = sample_tensor(boxes, DIMS(1, 1, 4));
	assert_int_equal(find(&d, probe, TASK_DETECTION, 5).class_count, 5);
	d.output_count = 0;
	sample_output(&d, "probabilities", DIMS(-1, -1, -1));
	assert_int_equal(find(&d, probe, TASK_CLASSIFICATION, 5).class_count, 5);
}

/* ---- masks ---- */

static struct recipe find_mask(
	const int64_t *input, enum engine_type type, const int64_t *output, uint32_t labels)
{
	struct engine_description d = sample_graph(input);
	sample_output(&d, "mask", output);
	d.outputs[0].type = type;
	return find(&d, NULL, TASK_SEGMENTATION, labels);
}

static void test_masks_are_found_in_all_forms(void **state)
{
	/* DeepLab's, with the background first among 21. */
	struct recipe r = find_mask(DIMS(1, 257, 257, 3), ENGINE_FLOAT32, DIMS(1, 257, 257, 21), 20);
	assert_int_equal(r.output, OUTPUT_SEMANTIC);
	assert_int_equal(r.class_count, 21);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	expect_found(&r, RECIPE_BACKGROUND, ORIGIN_READ);
	expect_found(&r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	assert_int_equal(r.input.fit, FIT_STRETCH);
	assert_float_equal(255 * r.input.scale - r.input.mean[0], 1, 1e-5);
	assert_true(r.polygon_tolerance == 2 && r.region_area_min == 0.001f);
	/* torchvision's, as many labels as classes. */
	r = find_mask(DIMS(1, 3, 520, 520), ENGINE_FLOAT32, DIMS(1, 21, 520, 520), 21);
	assert_int_equal(r.background, BACKGROUND_NONE);
	assert_float_equal(r.input.mean[0], 0.485, 1e-6);
	/* At a quarter of the input's resolution; the sides open. */
	assert_int_equal(
		find_mask(DIMS(1, 3, 512, 1024), ENGINE_FLOAT16, DIMS(1, 19, 128, 256), 19).class_count, 19);
	assert_int_equal(
		find_mask(DIMS(1, 3, -1, -1), ENGINE_FLOAT32, DIMS(1, 19, -1, -1), 19).class_count, 19);
	/* One class. */
	r = find_mask(DIMS(1, 3, 320, 320), ENGINE_FLOAT32, DIMS(1, 1, 320, 320), 1);
	assert_int_equal(r.class_count, 1);
	assert_int_equal(r.background, BACKGROUND_NONE);
	/* The class itself. */
	r = find_mask(DIMS(1, 513, 513, 3), ENGINE_INT64, DIMS(1, 513, 513), 20);
	assert_int_equal(r.class_count, 21);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	expect_found(&r, RECIPE_CLASS_COUNT, ORIGIN_GUESSED);
	expect_found(&r, RECIPE_BACKGROUND, ORIGIN_GUESSED);
}

static void test_masks_are_probed(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 16, 16));
	sample_output(&d, "logits", DIMS(1, 3, 16, 16));
	float values[3 * 256] = {0};
	struct engine_tensor probe = sample_tensor(values, DIMS(1, 3, 16, 16));
	for (size_t i = 0; i < 256; i++)
		values[i] = 5;
	struct recipe r = find(&d, &probe, TASK_SEGMENTATION, 0);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	assert_false(r.probabilities);
	expect_found(&r, RECIPE_BACKGROUND, ORIGIN_GUESSED);
	expect_found(&r, RECIPE_PROBABILITIES, ORIGIN_READ);
	assert_int_equal(find(&d, &probe, TASK_SEGMENTATION, 3).background, BACKGROUND_NONE);
	for (size_t i = 0; i < 256; i++) {
		values[i] = values[256 + i] = 0.1f;
		values[512 + i] = 0.8f;
	}
	r = find(&d, &probe, TASK_SEGMENTATION, 2);
	assert_int_equal(r.background, BACKGROUND_LAST);
	assert_true(r.probabilities);
	expect_found(&r, RECIPE_PROBABILITIES, ORIGIN_READ);

	/* A float map of whole numbers: 0 all over is a background, other classes are none. */
	d.outputs[0].rank = 3;
	memcpy(d.outputs[0].shape, DIMS(1, 16, 16), 3 * sizeof(int64_t));
	probe = sample_tensor(values, DIMS(1, 16, 16));
	refuse(&d, &probe, TASK_SEGMENTATION, 4, "neither a whole number");
	for (size_t i = 0; i < 256; i++)
		values[i] = 0;
	r = find(&d, &probe, TASK_SEGMENTATION, 4);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	assert_int_equal(r.class_count, 5);
	expect_found(&r, RECIPE_OUTPUT, ORIGIN_GUESSED);
	values[9] = 2;
	r = find(&d, &probe, TASK_SEGMENTATION, 4);
	assert_int_equal(r.background, BACKGROUND_NONE);
	assert_int_equal(r.class_count, 4);
	d.outputs[0].type = ENGINE_INT64;
	refuse(&d, NULL, TASK_SEGMENTATION, 0, "give the labels");
}

static void test_prototypes_of_instances_are_no_classes(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 640, 640));
	sample_output(&d, "output1", DIMS(1, 32, 160, 160));
	assert_int_equal(find(&d, NULL, TASK_SEGMENTATION, 32).output, OUTPUT_SEMANTIC);
	sample_output(&d, "output0", DIMS(1, 116, 8400));
	refuse(&d, NULL, TASK_SEGMENTATION, 80, "segmentation of instances is not read yet");
	d.output_count = 1;
	d.metadata_count = 1;
	d.metadata[0] = (struct engine_property){"task", "segment"};
	refuse(&d, NULL, TASK_SEGMENTATION, 32, "instances");
}

static void test_the_output_that_counts_the_labels_is_taken(void **state)
{
	struct engine_description d = sample_graph(DIMS(1, 3, 64, 64));
	sample_output(&d, "features", DIMS(1, 256, 8, 8));
	sample_output(&d, "out", DIMS(1, 21, 64, 64));
	struct recipe r = find(&d, NULL, TASK_SEGMENTATION, 20);
	assert_int_equal(r.tensors[0], 1);
	expect_found(&r, RECIPE_TENSORS, ORIGIN_GUESSED);
}

/* ---- labels ---- */

static void test_a_label_of_the_background_is_left_out(void **state)
{
	static const char *const voc[] = {"Background", "aeroplane", "bicycle"}, *const none[] = {"road",
											 "sky", "car"};
	struct recipe r;
	struct err err;
	uint32_t skipped;
	struct engine_description d = sample_graph(DIMS(1, 3, 64, 64));
	sample_output(&d, "out", DIMS(1, 3, 64, 64));
	assert_int_equal(
		recipe_find_for_labels(&d, NULL, TASK_SEGMENTATION, voc, 3, NULL, &r, &skipped, &err), ST_OK);
	assert_int_equal(skipped, 1);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	assert_int_equal(recipe_check(&r, &d, 2, &err), ST_OK);
	assert_int_equal(
		recipe_find_for_labels(&d, NULL, TASK_SEGMENTATION, none, 3, NULL, &r, &skipped, &err),
		ST_OK);
	assert_int_equal(skipped, 0);
	assert_int_equal(r.background, BACKGROUND_NONE);
	/* Where it is a class like others it stays. */
	d = sample_graph(DIMS(1, 3, 64, 64));
	sample_output(&d, "scores", DIMS(1, 3));
	assert_int_equal(
		recipe_find_for_labels(&d, NULL, TASK_CLASSIFICATION, voc, 3, NULL, &r, &skipped, &err),
		ST_OK);
	assert_int_equal(skipped, 0);
	assert_int_equal(recipe_check(&r, &d, 3, &err), ST_OK);
	/* The 1,001 classes of ImageNet. */
	const char *names[1001];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		names[i] = i == 0 ? "background" : "thing";
	d.outputs[0].shape[1] = 1001;
	assert_int_equal(
		recipe_find_for_labels(&d, NULL, TASK_CLASSIFICATION, names, 1001, NULL, &r, &skipped, &err),
		ST_OK);
	assert_int_equal(skipped, 1);
	assert_int_equal(r.background, BACKGROUND_FIRST);
	/* Pairs, as UltraFace's list of two. */
	static const char *const face[] = {"BACKGROUND", "face"};
	struct pair p;
	make_pair(&p, 2);
	set_scores(&p, 2, (const float[]){0.9f, 0.1f});
	assert_int_equal(
		recipe_find_for_labels(&p.graph, p.probe, TASK_DETECTION, face, 2, NULL, &r, &skipped, &err),
		ST_OK);
	assert_int_equal(skipped, 1);
	/* One label alone is never left out. */
	d.outputs[0].shape[1] = 2;
	assert_int_equal(
		recipe_find_for_labels(&d, NULL, TASK_CLASSIFICATION, face, 1, NULL, &r, &skipped, &err),
		ST_OK);
	assert_int_equal(skipped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pair_is_found_by_its_values),
		cmocka_unit_test(test_scores_of_a_pair),
		cmocka_unit_test(test_raw_offsets_are_refused),
		cmocka_unit_test(test_pairs_of_four_classes_are_told_by_names),
		cmocka_unit_test(test_columns_of_final_boxes),
		cmocka_unit_test(test_final_boxes_without_rows),
		cmocka_unit_test(test_what_final_boxes_are_not),
		cmocka_unit_test(test_parts_are_told_by_types_and_names),
		cmocka_unit_test(test_open_sides_are_no_contradiction),
		cmocka_unit_test(test_masks_are_found_in_all_forms),
		cmocka_unit_test(test_masks_are_probed),
		cmocka_unit_test(test_prototypes_of_instances_are_no_classes),
		cmocka_unit_test(test_the_output_that_counts_the_labels_is_taken),
		cmocka_unit_test(test_a_label_of_the_background_is_left_out),
	};
	return cmocka_run_group_tests_name("recipe_layouts", tests, NULL, NULL);
}
