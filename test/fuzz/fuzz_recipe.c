/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that people or a damaged row give as a recipe: whatever it says, what is taken is in range, and is the
 * same after printing and reading it again. And its outputs: whatever the tensors hold, the shapes can be
 * packed.
 */
#include "base/check.h"
#include "task/output.h"
#include "task/recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct recipe *r)
{
	const struct tensor_spec *in = &r->input;
	CHECK(r->task < TASK_COUNT && r->output < OUTPUT_COUNT && output_task(r->output) == r->task);
	CHECK(in->width >= 1 && in->width <= RECIPE_SIDE_MAX && in->height >= 1 &&
		in->height <= RECIPE_SIDE_MAX);
	CHECK(in->fit <= FIT_CENTER_CROP && in->pad_at <= PAD_BOTTOM_RIGHT && in->colour <= COLOUR_GREY);
	CHECK(in->layout <= LAYOUT_NHWC && in->sample <= SAMPLE_FLOAT16);
	CHECK(in->scale > 0 && in->scale <= 1e3f);
	for (int c = 0; c < 3; c++) {
		CHECK(in->std[c] > 0 && in->std[c] <= 1e4f);
		CHECK(fabsf(in->mean[c]) <= 1e4f);
	}
	CHECK(r->class_count >= 1 && r->class_count <= RECIPE_CLASSES_MAX && recipe_label_count(r) >= 1);
	CHECK(r->background < BACKGROUND_COUNT);
	CHECK(r->nms_iou >= 0 && r->nms_iou <= 1);
	CHECK(r->box_form < BOX_FORM_COUNT && r->box_unit < BOX_UNIT_COUNT && r->row_order < ROW_ORDER_COUNT);
	CHECK(r->polygon_tolerance >= 0 && r->polygon_tolerance <= 1000);
	CHECK(r->region_area_min >= 0 && r->region_area_min <= 1);
	CHECK(memchr(r->features_output, '\0', sizeof(r->features_output)) != NULL);
	for (int i = 0; i < RECIPE_TENSORS_MAX; i++)
		CHECK(r->tensors[i] < ENGINE_TENSORS_MAX);
	for (int f = 0; f < RECIPE_FIELD_COUNT; f++)
		CHECK(r->origins[f] < ORIGIN_COUNT);
}

static void check_round_trip(const struct recipe *r, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_doc_set_root(doc, recipe_json(r, doc));
	struct span text = json_print(doc, a);
	yyjson_doc *again;
	struct recipe back;
	struct err err;
	CHECK(json_parse(text, a, &again, &err) == ST_OK);
	CHECK(recipe_parse(yyjson_doc_get_root(again), &back, &err) == ST_OK);
	doc = json_new(a);
	yyjson_mut_doc_set_root(doc, recipe_json(&back, doc));
	CHECK(span_equal(text, json_print(doc, a)));
}

/* Tensors as the recipe wants them, filled with the input's own bytes over and over. */
static void check_reading(const struct recipe *r, struct span fill, struct arena *a)
{
	if (r->class_count > 300 || r->input.width > 256 || r->input.height > 256 || fill.size == 0)
		return;
	int64_t classes = r->class_count,
		cells = (int64_t)output_grid_cells(r->input.width, r->input.height, 8, 32);
	struct engine_tensor tensors[ENGINE_TENSORS_MAX];
	size_t elements = (size_t)(cells + 100) * (size_t)(classes + 5), bytes = elements * sizeof(float);
	uint8_t *values = arena_alloc(a, bytes);
	for (size_t i = 0; i < bytes; i++)
		values[i] = fill.data[i % fill.size];
	for (int i = 0; i < ENGINE_TENSORS_MAX; i++) {
		struct engine_tensor *t = &tensors[i];
		*t = (struct engine_tensor){.type = ENGINE_FLOAT32,
			.rank = 3,
			.shape = {1, cells, 0},
			.data = values,
			.size = bytes};
		switch (r->output) {
		case OUTPUT_YOLOX_RAW: t->shape[2] = 5 + classes; break;
		case OUTPUT_YOLO_V8: t->shape[2] = 4 + classes; break;
		case OUTPUT_YOLO_V5: t->shape[2] = 5 + classes; break;
		case OUTPUT_DETR:
		case OUTPUT_BOXES_SCORES: t->shape[2] = r->tensors[1] == (uint32_t)i ? 4 : classes; break;
		case OUTPUT_END_TO_END: t->shape[2] = 6 + fill.data[fill.size / 2] % 2; break;
		case OUTPUT_END_TO_END_PARTS:
			t->shape[2] = 4;
			t->rank = r->tensors[0] == (uint32_t)i ? 3 : 2;
			break;
		case OUTPUT_SEMANTIC:
			t->rank = 4;
			t->shape[1] = classes;
			t->shape[2] = cells / 8 + 1;
			t->shape[3] = 8;
			break;
		default: t->rank = 2; t->shape[1] = classes;
		}
		if (fill.data[0] & 1)
			t->type = ENGINE_FLOAT16;
	}
	struct shapes shapes;
	struct err err;
	struct tensor_map map = {0.5f, 0.25f, 1, 2, 300, 200};
	if (recipe_read(r, tensors, ENGINE_TENSORS_MAX, &map, a, &shapes, &err) == ST_OK)
		(void)shapes_pack(&shapes, a); /* holds every rule of a shape */
}

/* All candidates are recipes, too. */
static void check_candidates(const struct recipe *r, struct arena *a)
{
	struct recipe *list = arena_alloc(a, RECIPE_CANDIDATES_MAX * sizeof(*list));
	size_t count = recipe_candidates(r, r->class_count % 3 ? recipe_label_count(r) : 0, list);
	CHECK(count >= 1 && count <= RECIPE_CANDIDATES_MAX);
	for (size_t i = 0; i < count; i++)
		check_ranges(&list[i]);
	check_round_trip(&list[count - 1], a);
}

static void try_recipe(yyjson_val *root, struct span fill, struct arena *a)
{
	struct recipe r;
	struct err err;
	if (recipe_parse(root, &r, &err) != ST_OK)
		r = recipe_blank(TASK_DETECTION);
	else
		check_reading(&r, fill, a);
	check_ranges(&r);
	check_round_trip(&r, a);
	check_candidates(&r, a);
	if (recipe_apply(&r, root, &err) == ST_OK) {
		check_ranges(&r);
		check_round_trip(&r, a);
		check_reading(&r, fill, a);
	} else {
		CHECK(err.status == ST_INVALID && strlen(err.text) > 10);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct err err;
	yyjson_doc *doc;
	arena_init(&a);
	if (json_parse(span_of(data, size), &a, &doc, &err) == ST_OK)
		try_recipe(yyjson_doc_get_root(doc), span_of(data, size), &a);
	arena_release(&a);
	return 0;
}
