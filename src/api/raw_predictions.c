/* SPDX-License-Identifier: Apache-2.0 */
#include "api/raw_predictions.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

#define SENT_MAX 10000    /* predictions of one image */
#define LABEL_MAX 1000000 /* an index */

struct lists {
	const char *what;
	yyjson_val *classes, *scores, *places; /* places: boxes or masks; NULL for classes */
	size_t count;
};

static enum status read_lists(
	yyjson_val *object, const char *what, enum task task, struct lists *out, struct err *err)
{
	static const char *const places[TASK_COUNT] = {
		[TASK_DETECTION] = "detection_boxes", [TASK_SEGMENTATION] = "detection_masks"};
	if (!yyjson_is_obj(object))
		return err_set(err, ST_INVALID,
			"\"%s\" must be an object with detection_classes, detection_scores and what belongs "
			"to the "
			"task.",
			what);
	*out = (struct lists){.what = what,
		.classes = yyjson_obj_get(object, "detection_classes"),
		.scores = yyjson_obj_get(object, "detection_scores")};
	out->count = yyjson_arr_size(out->classes);
	if (!yyjson_is_arr(out->classes) || !yyjson_is_arr(out->scores) ||
		yyjson_arr_size(out->scores) != out->count)
		return err_set(err, ST_INVALID,
			"\"detection_classes\" and \"detection_scores\" of \"%s\" must be lists of one "
			"length.",
			what);
	if (places[task]) {
		out->places = yyjson_obj_get(object, places[task]);
		if (!yyjson_is_arr(out->places) || yyjson_arr_size(out->places) != out->count)
			return err_set(err, ST_INVALID,
				"\"%s\" of \"%s\" must be a list as long as \"detection_classes\".",
				places[task], what);
	}
	if (out->count > SENT_MAX)
		return err_set(err, ST_INVALID, "\"%s\" has more than %d predictions.", what, SENT_MAX);
	return ST_OK;
}

static float clipped(double value, double max)
{
	return (float)fmin(fmax(value, 0), max);
}

static enum status read_box(const struct lists *l, yyjson_val *box, uint32_t width, uint32_t height,
	struct shape *out, struct err *err)
{
	double side[4];
	for (size_t i = 0; i < 4; i++) {
		side[i] = yyjson_get_num(yyjson_arr_get(box, i));
		if (yyjson_arr_size(box) != 4 || !yyjson_is_num(yyjson_arr_get(box, i)) || !isfinite(side[i]))
			return err_set(err, ST_INVALID,
				"A box in \"%s\" must be [top, left, bottom, right], numbers of pixels.",
				l->what);
	}
	out->kind = SHAPE_BOX;
	out->box = (struct box){clipped(side[1], width), clipped(side[0], height), clipped(side[3], width),
		clipped(side[2], height)};
	return ST_OK;
}

static enum status read_mask(const struct lists *l, yyjson_val *mask, uint32_t width, uint32_t height,
	struct arena *a, struct shape *out, struct err *err)
{
	yyjson_val *point;
	size_t i, n = yyjson_arr_size(mask);
	if (n < 3 || n > SHAPE_POINTS_MAX)
		return err_set(err, ST_INVALID, "An outline in \"%s\" must have from 3 to %d points.",
			l->what, SHAPE_POINTS_MAX);
	float *points = ARENA_ARRAY(a, float, 2 * n);
	out->kind = SHAPE_POLYGON;
	out->box = (struct box){INFINITY, INFINITY, 0, 0};
	yyjson_arr_foreach (mask, i, n, point) {
		yyjson_val *x = yyjson_arr_get(point, 0), *y = yyjson_arr_get(point, 1);
		if (yyjson_arr_size(point) != 2 || !yyjson_is_num(x) || !yyjson_is_num(y))
			return err_set(
				err, ST_INVALID, "A point of an outline in \"%s\" must be [x, y].", l->what);
		points[2 * i] = clipped(yyjson_get_num(x), width);
		points[2 * i + 1] = clipped(yyjson_get_num(y), height);
		out->box.x1 = fminf(out->box.x1, points[2 * i]);
		out->box.y1 = fminf(out->box.y1, points[2 * i + 1]);
		out->box.x2 = fmaxf(out->box.x2, points[2 * i]);
		out->box.y2 = fmaxf(out->box.y2, points[2 * i + 1]);
	}
	out->points = points;
	out->point_count = (uint32_t)n;
	return ST_OK;
}

static enum status read_one(const struct lists *l, size_t i, enum task task, uint32_t width, uint32_t height,
	struct arena *a, struct shape *out, struct err *err)
{
	yyjson_val *label = yyjson_arr_get(l->classes, i), *score = yyjson_arr_get(l->scores, i);
	double value = yyjson_get_num(score);
	if (!yyjson_is_int(label) || yyjson_get_sint(label) < 0 || yyjson_get_sint(label) > LABEL_MAX)
		return err_set(err, ST_INVALID,
			"Class %zu of \"%s\" must be the index of a label, from 0 on.", i, l->what);
	if (!yyjson_is_num(score) || !(value >= 0 && value <= 1))
		return err_set(
			err, ST_INVALID, "Score %zu of \"%s\" must be a number from 0 to 1.", i, l->what);
	*out = (struct shape){
		.kind = SHAPE_CLASS, .label = (int32_t)yyjson_get_sint(label), .score = (float)value};
	if (task == TASK_DETECTION)
		return read_box(l, yyjson_arr_get(l->places, i), width, height, out, err);
	if (task == TASK_SEGMENTATION)
		return read_mask(l, yyjson_arr_get(l->places, i), width, height, a, out, err);
	return ST_OK;
}

/* By falling score; the order in which they were sent breaks ties. */
struct placed {
	struct shape shape;
	size_t place;
};

static int by_score(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	if (x->shape.score != y->shape.score)
		return x->shape.score < y->shape.score ? 1 : -1;
	return (x->place > y->place) - (x->place < y->place);
}

/* A box or outline that is outside of the image, or has no area, says nothing. */
static bool says_something(const struct shape *s)
{
	return s->score >= SHAPE_SCORE_FLOOR &&
	       (s->kind == SHAPE_CLASS || (s->box.x2 > s->box.x1 && s->box.y2 > s->box.y1));
}

enum status raw_predictions_read(yyjson_val *object, const char *what, enum task task, uint32_t width,
	uint32_t height, struct arena *a, struct shapes *out, struct err *err)
{
	struct lists l = {0};
	TRY(read_lists(object, what, task, &l, err));
	struct placed *placed = ARENA_ARRAY(a, struct placed, l.count + 1);
	size_t count = 0;
	for (size_t i = 0; i < l.count; i++) {
		placed[count].place = i;
		TRY(read_one(&l, i, task, width, height, a, &placed[count].shape, err));
		count += says_something(&placed[count].shape);
	}
	if (count)
		qsort(placed, count, sizeof(placed[0]), by_score);
	out->count = count < SHAPES_MAX ? count : SHAPES_MAX;
	out->items = ARENA_ARRAY(a, struct shape, out->count + 1);
	for (size_t i = 0; i < out->count; i++)
		out->items[i] = placed[i].shape;
	return ST_OK;
}
