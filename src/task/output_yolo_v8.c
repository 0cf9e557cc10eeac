/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoded boxes and scores without an objectness, as YOLOv8 and its successors export them: [1,4+C,N], each
 * value a row of N, or transposed [1,N,4+C]. The transposed form has the shape of YOLOX's raw grid and of
 * rows with an objectness (yolo_v5): it is believed when the label count says so, and the values of the probe
 * run do not deny it.
 */
#include "task/output.h"

#include "task/detections.h"

/* One of the two ways to see the tensor. */
struct form {
	bool transposed;
	int64_t values, boxes; /* -1: not known */
};

static struct form form_of(const struct output_shape *s, bool transposed)
{
	return (struct form){transposed, s->dims[transposed ? 2 : 1], s->dims[transposed ? 1 : 2]};
}

static bool is_candidate(const struct output_shape *s)
{
	return output_is_float(s) && s->rank == 3 && output_dim_may_be(s->dims[0], 1);
}

static bool holds_classes(struct form f)
{
	return f.values >= 5 && f.values <= 4 + RECIPE_CLASSES_MAX;
}

static struct output_rows rows_of(const struct engine_tensor *t, struct form f)
{
	size_t values = (size_t)f.values, boxes = (size_t)f.boxes;
	return (struct output_rows){t, boxes, f.transposed ? values : 1, f.transposed ? 1 : boxes};
}

static enum output_fit found(struct recipe *r, unsigned index, struct form f, enum origin origin)
{
	output_found_boxes(r, index, f.values - 4);
	recipe_mark(r, RECIPE_OUTPUT, origin);
	return OUTPUT_FITS;
}

/* Which kind of boxes the probe run showed, and whether the scores after them are none. */
static enum output_boxes seen(const struct output_probe *p, unsigned index, struct form f,
	const struct output_grid *g, bool *no_scores)
{
	const struct engine_tensor *t = output_probe_tensor(p, index);
	*no_scores = false;
	if (t == NULL || f.boxes < 1)
		return BOXES_UNKNOWN;
	struct output_rows rows = rows_of(t, f);
	*no_scores = !output_range_is_unit(output_range_seen(&rows, 4, (size_t)f.values));
	return output_boxes_seen(&rows, g->width, g->height);
}

static const char in_unit[] =
	"has the shape of yolo_v8, but its boxes are in 0…1 and not in pixels, which is not read yet";
static const char more_than_scores[] = "has the shape of yolo_v8, but the values after its boxes are not all "
				       "scores in 0…1 (key points, angles or mask "
				       "coefficients?), which is not read yet";

static enum output_fit find_standard(const struct output_probe *p, unsigned index,
	const struct output_shape *s, struct recipe *r, struct err *why)
{
	struct form f = form_of(s, false);
	struct output_grid g;
	bool gridded = output_grid_find(p, f.boxes, 1, &g);
	/* Off any known grid it must at least be the only output, and long: [1,300,6] are final boxes of
	 * another layout. */
	bool plausible = gridded || f.boxes == -1 || (f.boxes > f.values && p->graph->output_count == 1);
	if (!holds_classes(f) || !plausible)
		return OUTPUT_NO;
	if (!gridded)
		g.width = p->width, g.height = p->height;
	if (output_metadata_deny_detection(p) && !p->chosen)
		return output_doubt(why, p, index,
			"has the shape of yolo_v8, but its metadata say that it does more than detect boxes, "
			"which is not read yet");
	bool no_scores;
	enum output_boxes boxes = seen(p, index, f, &g, &no_scores);
	if (boxes == BOXES_UNIT && !p->chosen)
		return output_doubt(why, p, index, in_unit);
	if (no_scores && !p->chosen)
		return output_doubt(why, p, index, more_than_scores);
	return found(r, index, f, gridded || boxes == BOXES_PIXELS ? ORIGIN_READ : ORIGIN_GUESSED);
}

static enum output_fit find_transposed(const struct output_probe *p, unsigned index,
	const struct output_shape *s, struct recipe *r, struct err *why)
{
	struct form f = form_of(s, true);
	struct output_grid g;
	if (!holds_classes(f) || !(output_grid_find(p, f.boxes, 1, &g) || (p->chosen && f.boxes == -1)))
		return OUTPUT_NO;
	if (p->chosen)
		return found(r, index, f, ORIGIN_READ);
	bool no_scores;
	enum output_boxes boxes = seen(p, index, f, &g, &no_scores);
	if (boxes == BOXES_RAW || p->label_count == f.values - 5)
		return OUTPUT_NO;
	if (boxes == BOXES_UNIT)
		return output_doubt(why, p, index, in_unit);
	if (no_scores)
		return output_doubt(why, p, index, more_than_scores);
	if (p->label_count == f.values - 4)
		return found(r, index, f, boxes == BOXES_PIXELS ? ORIGIN_READ : ORIGIN_GUESSED);
	return output_doubt(why, p, index,
		"has the shape of yolo_v8, but its rows may also hold an objectness: give as many labels as "
		"there are classes, or \"output\": \"yolo_v8\" or \"yolo_v5\" in the recipe");
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	enum output_fit best = OUTPUT_NO;
	for (unsigned i = 0; i < p->graph->output_count && best != OUTPUT_FITS; i++) {
		struct output_shape s = output_shape_known(p, i);
		if (!is_candidate(&s))
			continue;
		enum output_fit fit = find_standard(p, i, &s, r, why);
		if (fit == OUTPUT_NO)
			fit = find_transposed(p, i, &s, r, why);
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
	int64_t values = 4 + (int64_t)r->class_count;
	for (int transposed = 0; transposed < 2 && is_candidate(&shapes[0]); transposed++) {
		struct form f = form_of(&shapes[0], transposed);
		if (output_dim_may_be(f.values, values) && f.boxes <= DETECTIONS_CELLS_MAX)
			return ST_OK;
	}
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE,
		"The recipe has the layout yolo_v8 with %u classes, so [1,%lld,N] or [1,N,%lld], but the "
		"model's output is %s.",
		r->class_count, (long long)values, (long long)values, output_shape_print(&shapes[0], text));
}

/* [4+C,N]: the rows of scores are walked in order, each once, and the best of every box is kept on the way.
 */
static void read_standard(const struct recipe *r, const struct engine_tensor *t, size_t boxes,
	struct arena *a, struct detections *d)
{
	float *scratch = arena_alloc(a, boxes * sizeof(float));
	float *best = ARENA_ARRAY(a, float, boxes);
	int32_t *label = ARENA_ARRAY(a, int32_t, boxes);
	for (int32_t c = 0; c < (int32_t)r->class_count; c++) {
		const float *scores = output_floats(t, (4 + (size_t)c) * boxes, boxes, scratch);
		for (size_t i = 0; i < boxes; i++) {
			bool better = scores[i] > best[i];
			best[i] = better ? scores[i] : best[i];
			label[i] = better ? c : label[i];
		}
	}
	for (size_t i = 0; i < boxes; i++) {
		if (!(best[i] >= d->floor))
			continue;
		struct output_rows rows = {t, boxes, 1, boxes};
		float x = output_value(&rows, i, 0), y = output_value(&rows, i, 1);
		float w = output_value(&rows, i, 2), h = output_value(&rows, i, 3);
		detections_add_centre(d, x, y, w, h, best[i], label[i]);
	}
}

static void read_transposed(const struct recipe *r, const struct engine_tensor *t, size_t boxes,
	struct arena *a, struct detections *d)
{
	size_t values = 4 + (size_t)r->class_count;
	float *scratch = arena_alloc(a, values * sizeof(float));
	for (size_t i = 0; i < boxes; i++) {
		const float *row = output_floats(t, i * values, values, scratch);
		int32_t label = detections_best(row + 4, r->class_count);
		detections_add_centre(d, row[0], row[1], row[2], row[3], row[4 + label], label);
	}
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	const struct engine_tensor *t = tensors[0];
	struct detections d;
	detections_init(&d, a);
	/* Where both dimensions are 4+C, the usual form is meant. */
	if (t->shape[1] == 4 + (int64_t)r->class_count)
		read_standard(r, t, (size_t)t->shape[2], a, &d);
	else
		read_transposed(r, t, (size_t)t->shape[1], a, &d);
	detections_shapes(&d, r->nms_iou, map, a, out);
	return ST_OK;
}

const struct output_ops output_yolo_v8 = {
	.tensor_count = 1,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
