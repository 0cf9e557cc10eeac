/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Final boxes, with NMS (or a set of queries) inside the graph, a row each: [1,K,6] or [K,6] of box, score
 * and class (YOLOv8 with nms, YOLOv10), or [K,7] with the number of the image first (YOLOv7: batch, box,
 * class, score). K may be dynamic and 0. Rows that pad to a fixed K have a score of 0 or a class of -1.
 *
 * Of score and class the one that holds whole numbers is the class, where the probe run shows any.
 */
#include "task/output.h"

#include "task/box_values.h"
#include "task/detections.h"

#include <math.h>

#define ROWS_LEAST 6
#define ROWS_OF_BATCH 7

/* Rows of how many values; 0: these are no rows of final boxes. */
static uint32_t values_of(const struct output_shape *s)
{
	bool flat = s->rank == 2, batched = s->rank == 3 && output_dim_may_be(s->dims[0], 1);
	if (!output_is_float(s) || (!flat && !batched))
		return 0;
	int64_t values = s->dims[s->rank - 1];
	return values == ROWS_LEAST || values == ROWS_OF_BATCH ? (uint32_t)values : 0;
}

static int64_t rows_of(const struct output_shape *s)
{
	return s->dims[s->rank - 2];
}

/* As many rows as cells are boxes of a grid, before any NMS: but not where the graph leaves their number open
 * while it fixes the input. */
static bool counts_cells(const struct output_probe *p, unsigned index, const struct output_shape *s)
{
	struct output_shape stated;
	struct output_grid g;
	output_shape_port(&p->graph->outputs[index], &stated);
	bool fixed = true;
	for (int i = 1; i < p->graph->inputs[0].rank; i++)
		fixed &= p->graph->inputs[0].shape[i] != -1;
	if (fixed && stated.rank == s->rank && rows_of(&stated) == -1)
		return false;
	return output_grid_find(p, rows_of(s), 1, &g) || output_grid_find(p, rows_of(s), 3, &g);
}

/* Values of one column in rows that hold something. */
struct column {
	size_t count;
	bool whole, unit; /* all are whole numbers from -1; all are in 0…1 */
};

static bool row_is_empty(const struct output_rows *rows, size_t i, uint32_t values)
{
	for (size_t k = 0; k < values; k++)
		if (output_value(rows, i, k) != 0)
			return false;
	return true;
}

static struct column see_column(const struct output_rows *rows, size_t k, uint32_t values)
{
	struct column c = {0, true, true};
	for (size_t i = 0; i < rows->count; i++) {
		if (row_is_empty(rows, i, values))
			continue;
		float value = output_value(rows, i, k);
		c.whole &= value == floorf(value) && value >= -1;
		c.unit &= value >= -1e-3f && value <= 1 + 1e-3f;
		c.count++;
	}
	return c;
}

static void find_order(const struct output_rows *rows, uint32_t values, struct recipe *r)
{
	struct column last = see_column(rows, values - 1, values),
		      other = see_column(rows, values - 2, values);
	bool told = last.count > 0 && last.whole != other.whole;
	bool class_last = told ? last.whole : values == ROWS_LEAST;
	r->row_order = class_last ? ROW_SCORE_CLASS : ROW_CLASS_SCORE;
	recipe_mark(r, RECIPE_ROW_ORDER, told ? ORIGIN_READ : ORIGIN_GUESSED);
}

/* NULL: nothing that the probe run shows speaks against it. */
static const char *denied(const struct output_rows *rows, uint32_t values)
{
	struct column first = see_column(rows, 0, values);
	struct column last = see_column(rows, values - 1, values),
		      other = see_column(rows, values - 2, values);
	if (values == ROWS_OF_BATCH && first.count > 0 && !(first.whole && first.unit))
		return "has the shape of end_to_end, but the first of its seven columns is no number of an "
		       "image in the "
		       "batch, which is not read yet";
	if (last.count > 0 && !(last.whole && other.unit) && !(other.whole && last.unit))
		return "has the shape of end_to_end, but its last two columns are no class and no score in "
		       "0…1";
	return NULL;
}

static enum output_fit found(const struct output_probe *p, unsigned index, const struct output_shape *s,
	struct recipe *r, struct err *why)
{
	uint32_t values = values_of(s);
	const struct engine_tensor *t = output_probe_tensor(p, index);
	struct output_rows rows = {t, t == NULL ? 0 : (size_t)rows_of(s), values, 1};
	const char *fault = p->chosen ? NULL : denied(&rows, values);
	if (fault != NULL)
		return output_doubt(why, p, index, fault);
	if (p->label_count == 0)
		return output_doubt(why, p, index,
			"has the shape of end_to_end, which does not say how many classes there are: give "
			"the labels");
	output_found_boxes(r, index, p->label_count);
	recipe_mark(r, RECIPE_CLASS_COUNT, ORIGIN_GUESSED);
	recipe_mark(r, RECIPE_BACKGROUND, ORIGIN_GUESSED);
	r->nms_iou = 1;
	recipe_mark(r, RECIPE_NMS_IOU, ORIGIN_READ);
	find_order(&rows, values, r);
	rows.first = values - ROWS_LEAST;
	struct box_values seen = box_values_of_finals(&rows);
	r->box_form = seen.form;
	r->box_unit = seen.unit;
	recipe_mark(r, RECIPE_BOX_FORM, seen.form_told ? ORIGIN_READ : ORIGIN_GUESSED);
	recipe_mark(r, RECIPE_BOX_UNIT, seen.unit_told ? ORIGIN_READ : ORIGIN_GUESSED);
	return OUTPUT_FITS;
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	enum output_fit best = OUTPUT_NO;
	for (unsigned i = 0; i < p->graph->output_count && best != OUTPUT_FITS; i++) {
		struct output_shape s = output_shape_known(p, i);
		if (values_of(&s) == 0 || (!p->chosen && counts_cells(p, i, &s)))
			continue;
		enum output_fit fit = OUTPUT_DOUBTFUL;
		if (output_metadata_deny_detection(p) && !p->chosen)
			output_doubt(why, p, i,
				"has the shape of end_to_end, but its metadata say that it does more than "
				"detect "
				"boxes, which is not read yet");
		else
			fit = found(p, i, &s, r, why);
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
	struct output_shape s = shapes[0];
	if (s.rank > 0 && s.dims[s.rank - 1] == -1)
		s.dims[s.rank - 1] = ROWS_LEAST;
	if (values_of(&s) != 0 && rows_of(&s) <= DETECTIONS_CELLS_MAX)
		return ST_OK;
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE,
		"The recipe has the layout end_to_end, so [1,K,6], [K,6], [1,K,7] or [K,7], but the model's "
		"output is %s.",
		output_shape_print(&shapes[0], text));
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	const struct engine_tensor *t = tensors[0];
	size_t values = (size_t)t->shape[t->rank - 1], box = values - ROWS_LEAST;
	size_t score = box + (r->row_order == ROW_SCORE_CLASS ? 4 : 5), class = box + 9 - (score - box);
	float scratch[ROWS_OF_BATCH];
	struct detections d;
	detections_init(&d, a);
	for (size_t i = 0; i < (size_t)t->shape[t->rank - 2]; i++) {
		const float *row = output_floats(t, i * values, values, scratch);
		/* One image was given: rows of another are padding. */
		if (!(row[score] >= d.floor) || (box == 1 && row[0] != 0))
			continue;
		int32_t label;
		TRY(detections_label(r, row[class], &label, err));
		if (label >= 0)
			detections_add(&d, detections_box(r, row + box), row[score], label);
	}
	detections_shapes(&d, r->nms_iou, map, a, out);
	return ST_OK;
}

const struct output_ops output_end_to_end = {
	.tensor_count = 1,
	.has_background = true,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
