/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YOLOX before its boxes are decoded (Ge et al. 2021, YOLOX: Exceeding YOLO Series in 2021): one row a cell
 * of the grids of strides 8, 16 and 32, [1,N,5+C]: x, y as offsets from the cell in strides, logarithms of
 * width and height in strides, objectness, C class scores (both sigmoid already). A box's score is objectness
 * times class score.
 *
 * Rows that are decoded already (yolo_v5) have the same shape: only the values of the probe run tell them
 * apart.
 */
#include "task/output.h"

#include "task/detections.h"

#include <math.h>

#define STRIDE_FIRST 8
#define STRIDE_LAST 32

static bool is_candidate(const struct output_shape *s)
{
	return output_is_float(s) && s->rank == 3 && output_dim_may_be(s->dims[0], 1);
}

/* What the values say, where the shape has as many rows as the grids have cells. */
static enum output_fit find_by_values(const struct output_probe *p, unsigned index,
	const struct output_shape *s, const struct output_grid *g, struct err *why)
{
	bool has_labels_of_v8 = p->label_count > 0 && p->label_count == s->dims[2] - 4;
	const struct engine_tensor *t = output_probe_tensor(p, index);
	if (t == NULL)
		return has_labels_of_v8
			       ? OUTPUT_NO
			       : output_doubt(why, p, index,
					 "has the shape of rows of boxes with an objectness, but "
					 "without a probe run it cannot be told whether they are YOLOX's "
					 "raw grid: give \"output\" in the recipe");
	struct output_rows rows = {t, (size_t)s->dims[1], (size_t)s->dims[2], 1};
	enum output_boxes boxes = output_boxes_seen(&rows, g->width, g->height);
	if (boxes == BOXES_PIXELS)
		return OUTPUT_NO; /* decoded: of yolo_v8 or yolo_v5 */
	if (boxes != BOXES_RAW)
		return has_labels_of_v8
			       ? OUTPUT_NO
			       : output_doubt(why, p, index,
					 "has the shape of rows of boxes with an objectness, but its "
					 "values are neither YOLOX's raw grid nor boxes in pixels");
	if (!output_range_is_unit(output_range_seen(&rows, 4, (size_t)s->dims[2])))
		return output_doubt(why, p, index,
			"has the shape of rows of boxes with an objectness, but its scores are not in 0…1 "
			"(before the sigmoid?), which is not read yet");
	return OUTPUT_FITS;
}

static enum output_fit find_in(
	const struct output_probe *p, unsigned index, const struct output_shape *s, struct err *why)
{
	struct output_grid g = {p->width, p->height, STRIDE_FIRST, STRIDE_LAST, 1};
	if (s->dims[2] < 6 || s->dims[2] > 5 + RECIPE_CLASSES_MAX)
		return OUTPUT_NO;
	bool fits = output_grid_fits(&g, s->dims[1]);
	if (p->chosen)
		return fits || s->dims[1] == -1 ? OUTPUT_FITS : OUTPUT_NO;
	return fits ? find_by_values(p, index, s, &g, why) : OUTPUT_NO;
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
	output_convention_letterbox(r, PAD_BOTTOM_RIGHT);
	r->input.scale = 1;
	if (r->input.colour == COLOUR_RGB)
		r->input.colour = COLOUR_BGR;
}

static enum status check(const struct recipe *r, const struct output_shape *shapes, struct err *err)
{
	if (r->input.width % STRIDE_LAST != 0 || r->input.height % STRIDE_LAST != 0)
		return err_set(err, ST_UNPROCESSABLE,
			"The layout yolox_raw needs an input whose sides are multiples of %d, not %u x %u.",
			STRIDE_LAST, r->input.width, r->input.height);
	int64_t rows = (int64_t)output_grid_cells(r->input.width, r->input.height, STRIDE_FIRST, STRIDE_LAST);
	int64_t values = 5 + (int64_t)r->class_count;
	const struct output_shape *s = &shapes[0];
	if (is_candidate(s) && output_dim_may_be(s->dims[1], rows) && output_dim_may_be(s->dims[2], values))
		return ST_OK;
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE,
		"The layout yolox_raw with %u classes and an input of %u x %u has [1,%lld,%lld], but the "
		"model's output is %s.",
		r->class_count, r->input.width, r->input.height, (long long)rows, (long long)values,
		output_shape_print(s, text));
}

/* One cell's row; x and y count cells of this stride. */
static void read_row(
	const float *row, uint32_t stride, uint32_t x, uint32_t y, uint32_t class_count, struct detections *d)
{
	int32_t label = detections_best(row + 5, class_count);
	float score = row[4] * row[5 + label], pixels = (float)stride;
	if (score >= d->floor)
		detections_add_centre(d, (row[0] + (float)x) * pixels, (row[1] + (float)y) * pixels,
			expf(row[2]) * pixels, expf(row[3]) * pixels, score, label);
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	size_t values = 5 + (size_t)r->class_count, row = 0;
	float *scratch = arena_alloc(a, values * sizeof(float));
	struct detections d;
	detections_init(&d, a);
	for (uint32_t stride = STRIDE_FIRST; stride <= STRIDE_LAST; stride *= 2) {
		uint32_t columns = r->input.width / stride, cells = columns * (r->input.height / stride);
		for (uint32_t cell = 0; cell < cells; cell++, row++) {
			/* Class scores are at most 1: without an objectness above the floor there is no score
			 * above it. */
			float objectness = *output_floats(tensors[0], row * values + 4, 1, scratch);
			if (!(objectness >= d.floor))
				continue;
			const float *at = output_floats(tensors[0], row * values, values, scratch);
			read_row(at, stride, cell % columns, cell / columns, r->class_count, &d);
		}
	}
	detections_shapes(&d, r->nms_iou, map, a, out);
	return ST_OK;
}

const struct output_ops output_yolox_raw = {
	.tensor_count = 1,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
