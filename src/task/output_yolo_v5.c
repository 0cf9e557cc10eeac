/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoded boxes with an objectness, as YOLOv5, YOLOv7 and YOLOX (decoded in the graph) export them:
 * [1,N,5+C], centre x, y, width and height in input pixels, objectness, C class scores, all sigmoid already.
 * A box's score is objectness times class score. N counts three boxes a cell (anchors), or one.
 *
 * With one box a cell the shape is also that of YOLOX's raw grid and of yolo_v8, transposed: the values of
 * the probe run rule out the first, the count of labels the second.
 */
#include "task/output.h"

#include "task/detections.h"

#define ANCHORS 3

static bool is_candidate(const struct output_shape *s)
{
	return output_is_float(s) && s->rank == 3 && output_dim_may_be(s->dims[0], 1) && s->dims[2] >= 6 &&
	       s->dims[2] <= 5 + RECIPE_CLASSES_MAX;
}

/* Three boxes a cell: nothing else has so many, but do the values agree? */
static enum output_fit find_with_anchors(const struct output_probe *p, unsigned index,
	const struct output_shape *s, const struct output_grid *g, struct err *why)
{
	const struct engine_tensor *t = output_probe_tensor(p, index);
	if (t == NULL)
		return OUTPUT_FITS;
	struct output_rows rows = {t, (size_t)s->dims[1], (size_t)s->dims[2], 1};
	enum output_boxes boxes = output_boxes_seen(&rows, g->width, g->height);
	if (boxes == BOXES_RAW)
		return output_doubt(why, p, index,
			"has the shape of yolo_v5, but its boxes are not decoded yet, which is not read: "
			"export the "
			"model with its detection layer");
	if (boxes == BOXES_UNIT)
		return output_doubt(why, p, index,
			"has the shape of yolo_v5, but its boxes are in 0…1 and not in pixels, which is not "
			"read yet");
	if (!output_range_is_unit(output_range_seen(&rows, 4, (size_t)s->dims[2])))
		return output_doubt(why, p, index,
			"has the shape of yolo_v5, but the values after its boxes are not all scores in 0…1 "
			"(mask "
			"coefficients, or before the sigmoid?), which is not read yet");
	return OUTPUT_FITS;
}

/* One box a cell: the values must be decoded, and there must be as many labels as classes after an
 * objectness. */
static enum output_fit find_without_anchors(const struct output_probe *p, unsigned index,
	const struct output_shape *s, const struct output_grid *g)
{
	const struct engine_tensor *t = output_probe_tensor(p, index);
	if (t == NULL || p->label_count != s->dims[2] - 5)
		return OUTPUT_NO;
	struct output_rows rows = {t, (size_t)s->dims[1], (size_t)s->dims[2], 1};
	bool decoded = output_boxes_seen(&rows, g->width, g->height) == BOXES_PIXELS;
	return decoded && output_range_is_unit(output_range_seen(&rows, 4, (size_t)s->dims[2])) ? OUTPUT_FITS
												: OUTPUT_NO;
}

static enum output_fit find_in(
	const struct output_probe *p, unsigned index, const struct output_shape *s, struct err *why)
{
	struct output_grid g;
	if (p->chosen)
		return OUTPUT_FITS;
	if (output_grid_find(p, s->dims[1], ANCHORS, &g))
		return find_with_anchors(p, index, s, &g, why);
	if (output_grid_find(p, s->dims[1], 1, &g))
		return find_without_anchors(p, index, s, &g);
	return OUTPUT_NO;
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	enum output_fit best = OUTPUT_NO;
	for (unsigned i = 0; i < p->graph->output_count; i++) {
		struct output_shape s = output_shape_known(p, i);
		enum output_fit fit = is_candidate(&s) ? find_in(p, i, &s, why) : OUTPUT_NO;
		if (fit == OUTPUT_FITS) {
			output_found_boxes(r, i, s.dims[2] - 5);
			return fit;
		}
		best = fit > best ? fit : best;
	}
	return best;
}

static void convention(struct recipe *r)
{
	output_convention_letterbox(r, PAD_CENTER);
	r->input.scale = 1.0f / 255;
}

static enum status check(const struct recipe *r, const struct output_shape *shapes, struct err *err)
{
	const struct output_shape *s = &shapes[0];
	if (output_is_float(s) && s->rank == 3 && output_dim_may_be(s->dims[0], 1) &&
		output_dim_may_be(s->dims[2], 5 + (int64_t)r->class_count) &&
		s->dims[1] <= DETECTIONS_CELLS_MAX)
		return ST_OK;
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE,
		"The recipe has the layout yolo_v5 with %u classes, so [1,N,%u], but the model's output is "
		"%s.",
		r->class_count, 5 + r->class_count, output_shape_print(s, text));
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	size_t values = 5 + (size_t)r->class_count;
	float *scratch = arena_alloc(a, values * sizeof(float));
	struct detections d;
	detections_init(&d, a);
	for (size_t i = 0; i < (size_t)tensors[0]->shape[1]; i++) {
		/* Class scores are at most 1: without an objectness above the floor there is no score above
		 * it. */
		float objectness = *output_floats(tensors[0], i * values + 4, 1, scratch);
		if (!(objectness >= d.floor))
			continue;
		const float *row = output_floats(tensors[0], i * values, values, scratch);
		int32_t label = detections_best(row + 5, r->class_count);
		detections_add_centre(&d, row[0], row[1], row[2], row[3], row[4] * row[5 + label], label);
	}
	detections_shapes(&d, r->nms_iou, map, a, out);
	return ST_OK;
}

const struct output_ops output_yolo_v5 = {
	.tensor_count = 1,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
