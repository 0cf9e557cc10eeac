/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe of a model version: how an image becomes its tensor, and how its
 * outputs become shapes. Pure data with a JSON form, stored with the version.
 * Each field knows where it came from: READ (from the graph, its metadata or a
 * probe run), GIVEN (by a person) or GUESSED (a convention of the layout).
 * Fields, values and how each is found: docs/reference/recipe.md.
 */
#ifndef GYRE_TASK_RECIPE_H
#define GYRE_TASK_RECIPE_H

#include "base/json.h"
#include "engine/engine.h"
#include "task/shape.h"
#include "vision/tensor.h"

#define RECIPE_SIDE_MAX 4096 /* of the model's input, pixels */
#define RECIPE_CLASSES_MAX 65536
#define RECIPE_TENSORS_MAX 4 /* outputs that one layout reads */

/* The table of output layouts: OUTPUT(NAME, "json name", task, "what it is") */
enum output_layout {
#define OUTPUT(name, text, task, help) OUTPUT_##name,
#include "task/outputs.def"
#undef OUTPUT
	OUTPUT_COUNT
};

enum origin { ORIGIN_GUESSED, ORIGIN_READ, ORIGIN_GIVEN, ORIGIN_COUNT };

/* A class of the output that means "nothing": it has no label and never becomes a shape. With one, DETR's
 * scores are softmax. */
enum background { BACKGROUND_NONE, BACKGROUND_FIRST, BACKGROUND_LAST, BACKGROUND_COUNT };

/* The four numbers of a box, where the layout leaves that open. Those of the YOLO family and of DETR are of
 * one kind each, and have no such field. */
enum box_form { BOX_FORM_CORNERS, BOX_FORM_CORNERS_YX, BOX_FORM_CENTER, BOX_FORM_COUNT };
enum box_unit { BOX_UNIT_PIXELS, BOX_UNIT_FRACTION, BOX_UNIT_COUNT }; /* of the input, or of its sides */
/* What follows the box in a row of final boxes. */
enum row_order { ROW_SCORE_CLASS, ROW_CLASS_SCORE, ROW_ORDER_COUNT };

enum recipe_field { /* one for each JSON field, in the order printed */
#define FIELD(name, text, kind, member, low, high, help) RECIPE_##name,
#include "task/recipe_fields.def"
#undef FIELD
	RECIPE_FIELD_COUNT
};

struct recipe {
	enum task task;
	struct tensor_spec input;
	enum output_layout output;
	uint32_t tensors[RECIPE_TENSORS_MAX]; /* index of the graph's output, for each that the layout reads;
						 the rest 0 */
	uint32_t class_count;                 /* of the output, with a background class */
	enum background background;
	bool probabilities;        /* the scores are already 0…1, no softmax or sigmoid */
	float nms_iou;             /* detection: class-aware NMS above this IoU; 1: none */
	enum box_form box_form;    /* boxes_scores and those with NMS inside */
	enum box_unit box_unit;    /* the same */
	enum row_order row_order;  /* end_to_end */
	float polygon_tolerance;   /* segmentation: how far an outline may be from the mask, image pixels */
	float region_area_min;     /* segmentation: share of the image that a region must cover, 0…1 */
	char features_output[128]; /* "" for none */
	enum origin origins[RECIPE_FIELD_COUNT];
};

/*
 * Find the recipe from the graph's description and, when given, the outputs of its probe run (on constant
 * grey, as many as outputs; NULL: shapes and metadata alone). label_count 0: unknown. ST_UNPROCESSABLE with a
 * sentence that names the outputs seen and the layouts known when nothing fits, or what cannot be told apart.
 */
enum status recipe_find(const struct engine_description *d, const struct engine_tensor *probe, enum task task,
	uint32_t label_count, struct recipe *out, struct err *err) MUST_CHECK;

/*
 * As recipe_find, then recipe_apply of what a person gave (a JSON object, or NULL). A given "output" is
 * believed where shapes allow it, so that a model whose layout cannot be told by itself can still be
 * deployed. ST_INVALID for a bad object.
 */
enum status recipe_find_given(const struct engine_description *d, const struct engine_tensor *probe,
	enum task task, uint32_t label_count, yyjson_val *given, struct recipe *out,
	struct err *err) MUST_CHECK;

/*
 * As recipe_find_given, but told the labels themselves (label_count of them, none NULL). Lists of labels
 * often begin with the background's name ("background", "__background__", "bg", any case), where the model
 * counts a background class first: such a label is none of the version's. *skipped is how many at the front
 * (0 or 1) the caller is to leave out before it stores them; with the rest recipe_check agrees.
 */
enum status recipe_find_for_labels(const struct engine_description *d, const struct engine_tensor *probe,
	enum task task, const char *const *labels, uint32_t label_count, yyjson_val *given,
	struct recipe *out, uint32_t *skipped, struct err *err) MUST_CHECK;

/*
 * Overlay fields of a JSON object (only those present and not null), marking them GIVEN; "from" is passed
 * over, so that a printed recipe can be edited and given back. Unknown keys, values out of range, fields that
 * contradict each other and fields that do not apply to the layout are ST_INVALID, and *r stays as it was.
 * Where labels count the classes (final boxes, maps of classes) class_count follows a change of background.
 * Fuzzed.
 */
enum status recipe_apply(struct recipe *r, yyjson_val *object, struct err *err) MUST_CHECK;
/* Flat and diffable: {"task": …, "width": 416, …, "from": {"width": "read", …}}; only fields that apply. */
yyjson_mut_val *recipe_json(const struct recipe *r, yyjson_mut_doc *doc);
/* What recipe_json printed; fields that an older version did not print have their default. ST_INVALID.
 * Fuzzed. */
enum status recipe_parse(yyjson_val *object, struct recipe *out, struct err *err) MUST_CHECK;

/* Does the recipe fit the graph (input size where fixed, sample type, output shapes, class count)? And the
 * labels: label_count equal to recipe_label_count, or 0 for unknown. ST_UNPROCESSABLE. */
enum status recipe_check(const struct recipe *r, const struct engine_description *d, uint32_t label_count,
	struct err *err) MUST_CHECK;

/*
 * All recipes that a model of this recipe could plausibly need, to be tried on labelled pictures: *found
 * first, then the likeliest, those with few changes. All mixtures of the input's conventions come in; of what
 * the outputs mean, each change by itself and with one of the input. No duplicates, RECIPE_CANDIDATES_MAX at
 * most.
 *
 * What is READ stays, what is GUESSED or GIVEN (people err too) is varied. Colour: rgb and bgr; mean and std
 * turn with it; grey stays. Scale, mean and std: 0…255, 0…1, -1…1 and ImageNet's (but for grey); what differs
 * from another by less than 2 % of the range is left out; uint8 has none. Fit and pad: for detection and
 * segmentation letterbox in the middle and in the corner and stretch, for classification center_crop, stretch
 * and letterbox in the middle. Background: none, first or last where the layout may have one and label_count
 * labels (0: unknown) still fit; class_count follows where no tensor counts the classes. Then box_form,
 * box_unit and row_order where the layout has them.
 *
 * Each candidate is consistent and fits the graph that *found fits; its changed fields are GUESSED. Pure.
 * Returns how many.
 */
#define RECIPE_CANDIDATES_MAX 64
size_t recipe_candidates(
	const struct recipe *found, uint32_t label_count, struct recipe out[RECIPE_CANDIDATES_MAX]);

/* As models of its layout take images by convention: colour (grey stays), scale, mean, std, fit and pad. */
void recipe_follow_convention(struct recipe *r);

/* How many labels the model has: class_count, less a background class. */
uint32_t recipe_label_count(const struct recipe *r);

/*
 * Outputs of one run → shapes in image pixels, clipped to the image, above SHAPE_SCORE_FLOOR, at most
 * SHAPES_MAX, by falling score. Scores and boxes that are not finite are dropped, empty boxes too. ST_FAILED
 * when the tensors are not what the recipe says (a dynamic shape that came out odd, a class that it does not
 * count). The shapes live in the arena.
 */
enum status recipe_read(const struct recipe *r, const struct engine_tensor *outputs, unsigned output_count,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err) MUST_CHECK;

const char *output_name(enum output_layout o); /* "yolox_raw" */
const char *output_help(enum output_layout o); /* one line */
enum task output_task(enum output_layout o);
const char *origin_name(enum origin o);             /* "read" */
const char *recipe_field_name(enum recipe_field f); /* "width" */
const char *recipe_field_help(enum recipe_field f);
/* Has the field a meaning for recipes of this layout? Those that have not are neither printed nor taken. */
bool recipe_field_applies(enum output_layout o, enum recipe_field f);
/* May recipes of this layout have a background class? */
bool output_has_background(enum output_layout o);

#endif
