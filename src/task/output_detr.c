/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DETR and its successors: Q queries, each with class logits and one box, centre form in 0…1 of the input.
 * With a background class ("no object") the scores are a softmax over all classes (Carion et al. 2020),
 * without one each class has its sigmoid, as trained with the focal loss (Deformable DETR, DINO, RT-DETR).
 *
 * Other pairs of scores and boxes (boxes_scores) have the same shapes: only names tell, or a person.
 */
#include "task/output.h"

#include "task/detections.h"

#include <string.h>
#include <strings.h>

#define SCORES 0
#define BOXES 1
/* A set of queries is final; more of them than this are cells of a grid, and overlap. */
#define QUERIES_MAX 1000

static bool is_rows(const struct output_shape *s)
{
	return output_is_float(s) && s->rank == 3 && output_dim_may_be(s->dims[0], 1);
}

/* The names of DETR's and RT-DETR's exports, and RF-DETR's "labels" and "dets". */
static bool names_match(const char *scores, const char *boxes)
{
	if (strcasecmp(scores, "labels") == 0 && strcasecmp(boxes, "dets") == 0)
		return true;
	return strcasestr(scores, "logit") != NULL && strcasestr(boxes, "box") != NULL;
}

static bool can_pair(const struct output_shape *scores, const struct output_shape *boxes)
{
	if (!is_rows(scores) || !is_rows(boxes) || !output_dim_may_be(boxes->dims[2], 4))
		return false;
	return output_dim_may_be(scores->dims[1], boxes->dims[1]) || boxes->dims[1] == -1;
}

/* The pair whose names match, or else the first that can be one. */
static bool find_pair(const struct output_probe *p, uint32_t pair[2], bool *named)
{
	bool any = false;
	for (unsigned i = 0; i < p->graph->output_count; i++) {
		struct output_shape scores = output_shape_known(p, i);
		for (unsigned k = 0; k < p->graph->output_count; k++) {
			struct output_shape boxes = output_shape_known(p, k);
			if (i == k || !can_pair(&scores, &boxes) || scores.dims[2] < 1 ||
				scores.dims[2] > RECIPE_CLASSES_MAX)
				continue;
			*named = names_match(p->graph->outputs[i].name, p->graph->outputs[k].name);
			if (any && !*named)
				continue;
			pair[SCORES] = i;
			pair[BOXES] = k;
			any = true;
			if (*named)
				return true;
		}
	}
	*named = false;
	return any;
}

/* In plain grey nearly every query of a softmax model says "no object", loudly. */
static bool last_class_wins(const struct output_rows *rows, size_t classes)
{
	size_t wins = 0;
	for (size_t i = 0; i < rows->count; i++) {
		float last = output_value(rows, i, classes - 1);
		bool best = last > 0;
		for (size_t k = 0; k + 1 < classes && best; k++)
			best = output_value(rows, i, k) < last;
		wins += best;
	}
	return rows->count > 0 && wins * 10 >= rows->count * 8;
}

static void find_scores(const struct output_probe *p, struct recipe *r)
{
	struct output_rows rows = {output_probe_tensor(p, r->tensors[SCORES]), 0, r->class_count, 1};
	if (rows.tensor != NULL)
		rows.count = (size_t)rows.tensor->shape[1];
	bool counted = p->label_count == r->class_count || p->label_count + 1 == r->class_count;
	bool last = p->label_count + 1 == r->class_count && p->label_count > 0;
	if (!counted && r->class_count > 1)
		last = last_class_wins(&rows, r->class_count);
	r->background = last ? BACKGROUND_LAST : BACKGROUND_NONE;
	recipe_mark(r, RECIPE_BACKGROUND, counted ? ORIGIN_READ : ORIGIN_GUESSED);
	struct output_range range = output_range_seen(&rows, 0, r->class_count);
	r->probabilities = range.finite && output_range_is_unit(range) && range.high > 0;
	recipe_mark(r, RECIPE_PROBABILITIES, range.finite ? ORIGIN_READ : ORIGIN_GUESSED);
}

/* Centres outside 0…1 by more than a little: these boxes are not what we think. */
static bool boxes_are_not_unit(const struct output_probe *p, unsigned index)
{
	const struct engine_tensor *t = output_probe_tensor(p, index);
	if (t == NULL)
		return false;
	struct output_rows rows = {t, (size_t)t->shape[1], 4, 1};
	struct output_range centres = output_range_seen(&rows, 0, 2);
	return centres.low < -0.5f || centres.high > 1.5f;
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	uint32_t pair[2];
	bool named;
	if (!find_pair(p, pair, &named))
		return OUTPUT_NO;
	if (!named && !p->chosen)
		return OUTPUT_NO;
	if (!p->chosen && boxes_are_not_unit(p, pair[BOXES]))
		return output_doubt(why, p, pair[BOXES], "is named as DETR's boxes, but they are not in 0…1");
	struct output_shape known = output_shape_known(p, pair[SCORES]);
	r->tensors[SCORES] = pair[SCORES];
	r->tensors[BOXES] = pair[BOXES];
	recipe_mark(r, RECIPE_TENSORS, named ? ORIGIN_READ : ORIGIN_GUESSED);
	r->class_count = (uint32_t)known.dims[2];
	recipe_mark(r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	find_scores(p, r);
	struct output_grid g = {p->width, p->height, 8, 32, 1};
	bool dense = known.dims[1] > QUERIES_MAX || output_grid_fits(&g, known.dims[1]);
	r->nms_iou = dense ? 0.45f : 1;
	recipe_mark(r, RECIPE_NMS_IOU, ORIGIN_GUESSED);
	return OUTPUT_FITS;
}

static void convention(struct recipe *r)
{
	r->input.fit = FIT_STRETCH;
	output_convention_imagenet(r);
}

static enum status check(const struct recipe *r, const struct output_shape *shapes, struct err *err)
{
	if (can_pair(&shapes[SCORES], &shapes[BOXES]) &&
		output_dim_may_be(shapes[SCORES].dims[2], r->class_count) &&
		shapes[SCORES].dims[1] <= DETECTIONS_CELLS_MAX)
		return ST_OK;
	char scores[OUTPUT_SHAPE_TEXT_SIZE], boxes[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE,
		"The layout detr with %u classes has [1,Q,%u] and [1,Q,4], but the model's outputs are %s "
		"and %s.",
		r->class_count, r->class_count, output_shape_print(&shapes[SCORES], scores),
		output_shape_print(&shapes[BOXES], boxes));
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	size_t first = r->background == BACKGROUND_FIRST;
	uint32_t choices = r->class_count - (r->background != BACKGROUND_NONE);
	float *scratch = ARENA_ARRAY(a, float, r->class_count), box_scratch[4];
	float width = (float)r->input.width, height = (float)r->input.height;
	struct detections d;
	detections_init(&d, a);
	for (size_t q = 0; q < (size_t)tensors[SCORES]->shape[1]; q++) {
		const float *logits =
			output_floats(tensors[SCORES], q * r->class_count, r->class_count, scratch);
		int32_t label = detections_best(logits + first, choices);
		float score = detections_score(r, logits, logits[first + (size_t)label]);
		if (!(score >= d.floor))
			continue;
		const float *box = output_floats(tensors[BOXES], 4 * q, 4, box_scratch);
		detections_add_centre(
			&d, box[0] * width, box[1] * height, box[2] * width, box[3] * height, score, label);
	}
	detections_shapes(&d, r->nms_iou, map, a, out);
	return ST_OK;
}

const struct output_ops output_detr = {
	.tensor_count = 2,
	.has_background = true,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
