/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tensors, the scores [1,N,C] and the boxes [1,N,4] (or [1,N,1,4]) of N places: SSD and its kin
 * (UltraFace: Linzaer's Ultra-Light-Fast-Generic-Face-Detector), YOLOv4's and YOLO-NAS' exports. Corners or
 * centre form, in pixels or in fractions of the input's sides; a softmax with a background class or a sigmoid
 * a class.
 *
 * No shape tells these, and none tells boxes from the raw offsets of SSD, which need priors that the graph no
 * longer has. The values of the probe run do.
 */
#include "task/output.h"

#include "task/box_values.h"
#include "task/detections.h"

#include <math.h>

#define SCORES 0
#define BOXES 1

static bool is_rows(const struct output_shape *s)
{
	return output_is_float(s) && s->rank == 3 && output_dim_may_be(s->dims[0], 1);
}

/* [1,N,4] or [1,N,1,4]: in memory they are the same. */
static bool is_boxes(const struct output_shape *s)
{
	bool deep = s->rank == 4 && output_dim_may_be(s->dims[2], 1);
	return output_is_float(s) && (s->rank == 3 || deep) && output_dim_may_be(s->dims[0], 1) &&
	       output_dim_may_be(s->dims[s->rank - 1], 4);
}

static bool can_pair(const struct output_shape *scores, const struct output_shape *boxes)
{
	if (!is_rows(scores) || !is_boxes(boxes))
		return false;
	return output_dim_may_be(scores->dims[1], boxes->dims[1]) || boxes->dims[1] == -1;
}

static int points_for_names(const char *scores, const char *boxes)
{
	static const char *const of_scores[] = {"score", "conf", "cls", "class", "prob", "logit", NULL};
	static const char *const of_boxes[] = {"box", "loc", NULL};
	return output_name_has(scores, of_scores) + output_name_has(boxes, of_boxes) +
	       !output_name_has(scores, of_boxes);
}

/* The pair whose names speak for it most, or else the first that can be one. */
static bool find_pair(const struct output_probe *p, uint32_t pair[2])
{
	int best = -1;
	for (unsigned i = 0; i < p->graph->output_count; i++) {
		struct output_shape scores = output_shape_known(p, i);
		for (unsigned k = 0; k < p->graph->output_count; k++) {
			struct output_shape boxes = output_shape_known(p, k);
			if (i == k || !can_pair(&scores, &boxes) || scores.dims[2] < 1 ||
				scores.dims[2] > RECIPE_CLASSES_MAX)
				continue;
			int points = points_for_names(p->graph->outputs[i].name, p->graph->outputs[k].name);
			if (points <= best)
				continue;
			best = points;
			pair[SCORES] = i;
			pair[BOXES] = k;
		}
	}
	return best >= 0;
}

/* What the scores are on grey, where a detector sees nothing. */
struct scores_seen {
	struct output_range range;
	bool distribution;          /* each row sums to 1: a softmax, so one class is the background */
	bool first_wins, last_wins; /* that class is the best of most rows */
};

static struct scores_seen see_scores(const struct output_rows *rows, uint32_t classes)
{
	struct scores_seen s = {.range = output_range_seen(rows, 0, classes)};
	size_t sums = 0, first = 0, last = 0;
	for (size_t i = 0; i < rows->count; i++) {
		double sum = 0;
		uint32_t best = 0;
		for (uint32_t k = 0; k < classes; k++) {
			float value = output_value(rows, i, k);
			sum += value;
			if (value > output_value(rows, i, best))
				best = k;
		}
		sums += fabs(sum - 1) < 0.01;
		first += best == 0;
		last += best == classes - 1;
	}
	bool several = rows->count > 0 && classes > 1;
	s.distribution = several && output_range_is_unit(s.range) && sums == rows->count;
	s.first_wins = several && first * 10 >= rows->count * 8;
	s.last_wins = several && last * 10 >= rows->count * 8;
	return s;
}

static void find_scores(const struct output_probe *p, struct recipe *r)
{
	struct output_rows rows = {output_probe_tensor(p, r->tensors[SCORES]), 0, r->class_count, 1};
	if (rows.tensor != NULL)
		rows.count = (size_t)rows.tensor->shape[1];
	struct scores_seen s = see_scores(&rows, r->class_count);
	bool one_less = p->label_count > 0 && p->label_count + 1 == r->class_count;
	bool as_many = p->label_count == r->class_count;
	/* A softmax that says the same class everywhere in grey settles it, whatever the labels say. */
	bool settled = s.distribution && (s.first_wins || s.last_wins);
	bool has_background = settled || one_less || (!as_many && (s.distribution || s.first_wins));
	r->background = !has_background                ? BACKGROUND_NONE
			: s.last_wins && !s.first_wins ? BACKGROUND_LAST
						       : BACKGROUND_FIRST;
	bool told = settled || as_many || (one_less && (s.first_wins || s.last_wins));
	recipe_mark(r, RECIPE_BACKGROUND, told ? ORIGIN_READ : ORIGIN_GUESSED);
	bool said = output_operator_tells(p->graph->outputs[r->tensors[SCORES]].made_by, &r->probabilities);
	if (!said)
		r->probabilities = !s.range.finite || (output_range_is_unit(s.range) && s.range.high > 0);
	recipe_mark(r, RECIPE_PROBABILITIES, said || s.range.finite ? ORIGIN_READ : ORIGIN_GUESSED);
}

static struct box_values see_boxes(const struct output_probe *p, unsigned index)
{
	const struct engine_tensor *t = output_probe_tensor(p, index);
	struct output_rows rows = {t, t == NULL ? 0 : (size_t)t->shape[1], 4, 1};
	return box_values_of_places(&rows, p->width, p->height);
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	uint32_t pair[2];
	if (!find_pair(p, pair))
		return OUTPUT_NO;
	struct box_values boxes = see_boxes(p, pair[BOXES]);
	/* Whoever names the layout is believed, unless most boxes would be turned inside out. */
	if (!boxes.are_boxes && (!p->chosen || boxes.negative_share > 0.5f))
		return output_doubt(why, p, pair[BOXES],
			"has the shape of boxes, but as many of its values are negative as those of raw SSD "
			"offsets, "
			"which need priors that the graph does not have: export the model with its "
			"post-processing");
	struct output_shape scores = output_shape_known(p, pair[SCORES]);
	r->tensors[SCORES] = pair[SCORES];
	r->tensors[BOXES] = pair[BOXES];
	recipe_mark(r, RECIPE_TENSORS, p->graph->output_count == 2 ? ORIGIN_READ : ORIGIN_GUESSED);
	r->class_count = (uint32_t)scores.dims[2];
	recipe_mark(r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	find_scores(p, r);
	r->box_form = boxes.form;
	r->box_unit = boxes.unit;
	recipe_mark(r, RECIPE_BOX_FORM, boxes.form_told ? ORIGIN_READ : ORIGIN_GUESSED);
	recipe_mark(r, RECIPE_BOX_UNIT, boxes.unit_told ? ORIGIN_READ : ORIGIN_GUESSED);
	recipe_mark(r, RECIPE_NMS_IOU, ORIGIN_GUESSED);
	return OUTPUT_FITS;
}

static void convention(struct recipe *r)
{
	r->input.fit = FIT_STRETCH;
	r->input.scale = 1;
	for (int c = 0; c < 3; c++) {
		r->input.mean[c] = 127;
		r->input.std[c] = 128;
	}
}

static enum status check(const struct recipe *r, const struct output_shape *shapes, struct err *err)
{
	if (can_pair(&shapes[SCORES], &shapes[BOXES]) &&
		output_dim_may_be(shapes[SCORES].dims[2], r->class_count) &&
		shapes[SCORES].dims[1] <= DETECTIONS_CELLS_MAX)
		return ST_OK;
	char scores[OUTPUT_SHAPE_TEXT_SIZE], boxes[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE,
		"The layout boxes_scores with %u classes has [1,N,%u] and [1,N,4], but the model's outputs "
		"are %s and %s.",
		r->class_count, r->class_count, output_shape_print(&shapes[SCORES], scores),
		output_shape_print(&shapes[BOXES], boxes));
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	size_t first = r->background == BACKGROUND_FIRST;
	uint32_t choices = recipe_label_count(r);
	float *scratch = ARENA_ARRAY(a, float, r->class_count), box_scratch[4];
	struct detections d;
	detections_init(&d, a);
	for (size_t i = 0; i < (size_t)tensors[SCORES]->shape[1]; i++) {
		const float *values =
			output_floats(tensors[SCORES], i * r->class_count, r->class_count, scratch);
		int32_t label = detections_best(values + first, choices);
		float score = detections_score(r, values, values[first + (size_t)label]);
		if (score >= d.floor)
			detections_add(&d,
				detections_box(r, output_floats(tensors[BOXES], 4 * i, 4, box_scratch)),
				score, label);
	}
	detections_shapes(&d, r->nms_iou, map, a, out);
	return ST_OK;
}

const struct output_ops output_boxes_scores = {
	.tensor_count = 2,
	.has_background = true,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
