/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe of a model version: how an image becomes its tensor, and how its
 * outputs become shapes. Pure data with a JSON form, stored with the version.
 * Each field knows where it came from: READ (from the graph, its metadata or a
 * probe run), GIVEN (by a person) or GUESSED (a convention of the layout).
 */
#ifndef GYRE_TASK_RECIPE_H
#define GYRE_TASK_RECIPE_H

#include "base/json.h"
#include "engine/engine.h"
#include "task/shape.h"
#include "vision/tensor.h"

/* The table of output layouts: OUTPUT(NAME, "json name", task, "what it is") */
enum output_layout {
#define OUTPUT(name, text, task, help) OUTPUT_##name,
#include "task/outputs.def"
#undef OUTPUT
	OUTPUT_COUNT
};

enum origin { ORIGIN_GUESSED, ORIGIN_READ, ORIGIN_GIVEN };

enum recipe_field { /* one for each JSON field, in the order printed */
#define FIELD(name, text, help) RECIPE_##name,
#include "task/recipe_fields.def"
#undef FIELD
	RECIPE_FIELD_COUNT
};

struct recipe {
	enum task task;
	struct tensor_spec input;   /* JSON: width, height, fit, pad, pad_value, colour, layout, sample, scale, mean, std */
	enum output_layout output;
	uint32_t class_count;
	bool background_first;      /* class 0 of the output is "no object" (or class 0 of 1001): shifted away */
	bool probabilities;         /* classification, DETR-like: the scores are already 0…1, no softmax or sigmoid */
	float nms_iou;              /* detection: class-aware NMS above this IoU */
	char features_output[128];  /* "" for none */
	enum origin origins[RECIPE_FIELD_COUNT];
};

/*
 * Find the recipe from the graph's description and, when given, the outputs of its probe run (on constant grey, as many as
 * outputs; NULL: shapes and metadata alone). label_count 0: unknown. ST_UNPROCESSABLE with a sentence that names the outputs
 * seen and the layouts known when nothing fits.
 */
enum status recipe_find(const struct engine_description *d, const struct engine_tensor *probe, enum task task,
	uint32_t label_count, struct recipe *out, struct err *err) MUST_CHECK;

/* Overlay fields of a JSON object (only those present), marking them GIVEN. Unknown keys and values out of range are ST_INVALID. Fuzzed. */
enum status recipe_apply(struct recipe *r, yyjson_val *object, struct err *err) MUST_CHECK;
/* {"input": {"width": {"value": 416, "from": "read"}, …}, …}? No: flat and diffable:
 * {"task": …, "width": 416, …, "from": {"width": "read", …}} */
yyjson_mut_val *recipe_json(const struct recipe *r, yyjson_mut_doc *doc);
enum status recipe_parse(yyjson_val *object, struct recipe *out, struct err *err) MUST_CHECK; /* what recipe_json printed */
/* Does the recipe fit the graph (input size where fixed, output shapes, class count)? And the labels: label_count equal to
 * class_count, or class_count-1 with background_first. */
enum status recipe_check(const struct recipe *r, const struct engine_description *d, uint32_t label_count, struct err *err) MUST_CHECK;

/*
 * Outputs of one run → shapes in image pixels, clipped to the image, above SHAPE_SCORE_FLOOR, at most SHAPES_MAX, by falling
 * score. NaN scores are dropped. ST_FAILED when the tensors are not what the recipe says (a dynamic shape that came out odd).
 */
enum status recipe_read(const struct recipe *r, const struct engine_tensor *outputs, unsigned output_count,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err) MUST_CHECK;

#endif
