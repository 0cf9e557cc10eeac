/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Final boxes in three tensors, boxes [1,K,4], scores [1,K] and classes [1,K], or each without the batch:
 * TensorFlow's detection models (whose fourth, num_detections, is not needed: the scores after it are 0),
 * torchvision's (boxes, labels, scores), and exports with EfficientNMS' outputs. Classes may be whole numbers
 * of any type.
 *
 * Scores and classes have one shape: types and names tell which is which.
 */
#include "task/output.h"

#include "task/box_values.h"
#include "task/detections.h"

#include <string.h>

#define BOXES 0
#define SCORES 1
#define CLASSES 2

static bool is_boxes(const struct output_shape *s)
{
	bool batched = s->rank == 3 && output_dim_may_be(s->dims[0], 1);
	return output_is_float(s) && (batched || s->rank == 2) && output_dim_may_be(s->dims[s->rank - 1], 4);
}

/* One number for each of the boxes. */
static bool is_list(const struct output_shape *s, const struct output_shape *boxes)
{
	if (!output_is_number(s) || s->rank != boxes->rank - 1)
		return false;
	int64_t count = s->dims[s->rank - 1], wanted = boxes->dims[boxes->rank - 2];
	return (s->rank == 1 || output_dim_may_be(s->dims[0], 1)) &&
	       (count == -1 || output_dim_may_be(wanted, count));
}

static bool fits(const struct output_shape shapes[3])
{
	return is_boxes(&shapes[BOXES]) && is_list(&shapes[SCORES], &shapes[BOXES]) &&
	       output_is_float(&shapes[SCORES]) && is_list(&shapes[CLASSES], &shapes[BOXES]);
}

/* How sure names and types make it, 0…6: below 3 the three may be in another order, or something else. -1: a
 * name says that it is not they. */
static int points_of(const struct output_probe *p, const uint32_t at[3])
{
	static const char *const boxes[] = {"box", "dets", NULL}, *const scores[] = {"score", "conf", NULL},
				 *const classes[] = {"class", "label", "cls", NULL},
				 *const others[] = {"raw", "multi", "anchor", "num", NULL};
	const struct engine_port *outputs = p->graph->outputs;
	for (int i = 0; i < 3; i++)
		if (output_name_has(outputs[at[i]].name, others))
			return -1;
	struct output_shape s = output_shape_known(p, at[CLASSES]);
	bool counted = output_name_has(outputs[at[CLASSES]].name, classes) &&
		       !output_name_has(outputs[at[CLASSES]].name, scores);
	return output_name_has(outputs[at[BOXES]].name, boxes) +
	       output_name_has(outputs[at[SCORES]].name, scores) + counted + 3 * !output_is_float(&s);
}

/* The three outputs that are it most surely. Returns its points, -1: there are none. */
static int find_parts(const struct output_probe *p, uint32_t parts[3])
{
	int best = -1;
	unsigned count = p->graph->output_count;
	for (uint32_t all = 0; all < count * count * count; all++) {
		uint32_t at[3] = {all / (count * count), all / count % count, all % count};
		if (at[0] == at[1] || at[0] == at[2] || at[1] == at[2])
			continue;
		struct output_shape shapes[3];
		for (int i = 0; i < 3; i++)
			shapes[i] = output_shape_known(p, at[i]);
		int points = fits(shapes) ? points_of(p, at) : -1;
		if (points <= best)
			continue;
		best = points;
		memcpy(parts, at, sizeof(at));
	}
	return best;
}

/* By whom it was made decides what is usual: TensorFlow's boxes are y first, in fractions; both it and
 * torchvision count a background class that they never name. */
static void find_habits(const struct output_probe *p, struct recipe *r)
{
	const struct engine_port *boxes = &p->graph->outputs[r->tensors[BOXES]],
				 *classes = &p->graph->outputs[r->tensors[CLASSES]];
	bool tensorflow = strcasestr(boxes->name, "detection_boxes") != NULL;
	bool torchvision = boxes->rank == 2 && classes->type == ENGINE_INT64;
	const struct engine_tensor *t = output_probe_tensor(p, r->tensors[BOXES]);
	struct output_rows rows = {t, t == NULL ? 0 : (size_t)t->shape[t->rank - 2], 4, 1};
	struct box_values seen = box_values_of_finals(&rows);
	r->box_form = tensorflow ? BOX_FORM_CORNERS_YX : seen.form;
	r->box_unit = !seen.unit_told && tensorflow ? BOX_UNIT_FRACTION : seen.unit;
	r->background = tensorflow || torchvision ? BACKGROUND_FIRST : BACKGROUND_NONE;
	recipe_mark(r, RECIPE_BOX_FORM, ORIGIN_GUESSED);
	recipe_mark(r, RECIPE_BOX_UNIT, seen.unit_told ? ORIGIN_READ : ORIGIN_GUESSED);
	recipe_mark(r, RECIPE_BACKGROUND, ORIGIN_GUESSED);
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	uint32_t parts[3];
	int points = find_parts(p, parts);
	if (points < 0)
		return OUTPUT_NO;
	if (points < 3 && !p->chosen)
		return output_doubt(why, p, parts[BOXES],
			"has the shape of final boxes, and others those of their scores and classes, but "
			"neither names nor "
			"types say which is which: give \"output\": \"end_to_end_parts\" and \"tensors\" "
			"(boxes, scores, "
			"classes) in the recipe");
	if (p->label_count == 0)
		return output_doubt(why, p, parts[CLASSES],
			"numbers the classes, but does not say how many there are: give the labels");
	memcpy(r->tensors, parts, sizeof(parts));
	recipe_mark(r, RECIPE_TENSORS, points >= 3 ? ORIGIN_READ : ORIGIN_GUESSED);
	r->probabilities = true;
	recipe_mark(r, RECIPE_PROBABILITIES, ORIGIN_READ);
	r->nms_iou = 1;
	recipe_mark(r, RECIPE_NMS_IOU, ORIGIN_READ);
	find_habits(p, r);
	r->class_count = p->label_count + (r->background != BACKGROUND_NONE);
	recipe_mark(r, RECIPE_CLASS_COUNT, ORIGIN_GUESSED);
	return OUTPUT_FITS;
}

static void convention(struct recipe *r)
{
	r->input.fit = FIT_STRETCH;
	r->input.scale = 1.0f / 255;
}

static enum status check(const struct recipe *r, const struct output_shape *shapes, struct err *err)
{
	if (fits(shapes) && shapes[BOXES].dims[shapes[BOXES].rank - 2] <= DETECTIONS_CELLS_MAX)
		return ST_OK;
	char boxes[OUTPUT_SHAPE_TEXT_SIZE], scores[OUTPUT_SHAPE_TEXT_SIZE], classes[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE,
		"The layout end_to_end_parts has boxes [1,K,4], scores [1,K] and classes [1,K], or each "
		"without the 1, but "
		"the model's outputs are %s, %s and %s.",
		output_shape_print(&shapes[BOXES], boxes), output_shape_print(&shapes[SCORES], scores),
		output_shape_print(&shapes[CLASSES], classes));
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	const struct engine_tensor *boxes = tensors[BOXES];
	float scratch[4];
	struct detections d;
	detections_init(&d, a);
	for (size_t i = 0; i < (size_t)boxes->shape[boxes->rank - 2]; i++) {
		float score = *output_floats(tensors[SCORES], i, 1, scratch);
		if (!(score >= d.floor))
			continue;
		int32_t label;
		TRY(detections_label(r, output_number(tensors[CLASSES], i), &label, err));
		if (label >= 0)
			detections_add(
				&d, detections_box(r, output_floats(boxes, 4 * i, 4, scratch)), score, label);
	}
	detections_shapes(&d, r->nms_iou, map, a, out);
	return ST_OK;
}

const struct output_ops output_end_to_end_parts = {
	.tensor_count = 3,
	.has_background = true,
	.takes_integers = true,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
