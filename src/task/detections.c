/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates fill twice the room that NMS may see; when it is full the better half stays, and its worst score
 * becomes the new floor. So a million candidates cost a few sorts and never a quadratic NMS.
 */
#include "task/detections.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

#define ROOM ((size_t)2 * DETECTIONS_CANDIDATES_MAX)
/* What NMS may keep: more than are wanted, as boxes in the padding fall away after it. */
#define KEPT_MAX ((size_t)2 * SHAPES_MAX)

void detections_init(struct detections *d, struct arena *a)
{
	d->candidates = arena_alloc(a, ROOM * sizeof(struct candidate));
	d->count = 0;
	d->floor = SHAPE_SCORE_FLOOR;
}

/* Falling score; equal ones by label and place, so that the order is the same on every C library. */
static int compare(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->label != b->label)
		return a->label < b->label ? -1 : 1;
	if (a->box.x1 != b->box.x1)
		return a->box.x1 < b->box.x1 ? -1 : 1;
	if (a->box.y1 != b->box.y1)
		return a->box.y1 < b->box.y1 ? -1 : 1;
	return 0;
}

static void keep_better_half(struct detections *d)
{
	qsort(d->candidates, d->count, sizeof(d->candidates[0]), compare);
	d->count = DETECTIONS_CANDIDATES_MAX;
	/* An equal score later on came too late. */
	d->floor = nextafterf(d->candidates[d->count - 1].score, INFINITY);
}

void detections_add(struct detections *d, struct box box, float score, int32_t label)
{
	if (!(score >= d->floor) || !isfinite(score))
		return;
	if (!isfinite(box.x1) || !isfinite(box.y1) || !isfinite(box.x2) || !isfinite(box.y2))
		return;
	if (d->count == ROOM)
		keep_better_half(d);
	if (score < d->floor)
		return;
	d->candidates[d->count++] = (struct candidate){box, fminf(score, 1), label};
}

void detections_add_centre(
	struct detections *d, float x, float y, float width, float height, float score, int32_t label)
{
	struct box box = {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
	detections_add(d, box, score, label);
}

int32_t detections_best(const float *scores, uint32_t count)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < count; i++)
		if (scores[i] > scores[best] || isnan(scores[best]))
			best = i;
	return (int32_t)best;
}

float detections_score(const struct recipe *r, const float *values, float value)
{
	if (r->probabilities)
		return value;
	if (r->background == BACKGROUND_NONE)
		return 1 / (1 + expf(-value));
	float sum = 0;
	for (uint32_t k = 0; k < r->class_count; k++)
		sum += expf(values[k] - value);
	return 1 / sum;
}

struct box detections_box(const struct recipe *r, const float values[4])
{
	struct box b = {values[0], values[1], values[2], values[3]};
	if (r->box_form == BOX_FORM_CORNERS_YX)
		b = (struct box){values[1], values[0], values[3], values[2]};
	else if (r->box_form == BOX_FORM_CENTER)
		b = (struct box){values[0] - values[2] / 2, values[1] - values[3] / 2,
			values[0] + values[2] / 2, values[1] + values[3] / 2};
	if (r->box_unit == BOX_UNIT_PIXELS)
		return b;
	float width = (float)r->input.width, height = (float)r->input.height;
	return (struct box){b.x1 * width, b.y1 * height, b.x2 * width, b.y2 * height};
}

enum status detections_label(const struct recipe *r, double number, int32_t *label, struct err *err)
{
	*label = -1;
	if (!(number >= 0) || number != floor(number))
		return ST_OK;
	if (number >= r->class_count)
		return err_set(err, ST_FAILED,
			"The model says class %.0f of a box, but the recipe has %u (from 0): correct the "
			"labels, or \"background\" and \"class_count\" in the recipe.",
			number, r->class_count);
	bool is_background = (r->background == BACKGROUND_FIRST && number == 0) ||
			     (r->background == BACKGROUND_LAST && number == r->class_count - 1);
	if (!is_background)
		*label = (int32_t)number - (r->background == BACKGROUND_FIRST);
	return ST_OK;
}

static struct box map_back(struct box b, const struct tensor_map *map)
{
	struct box out = {
		(b.x1 - map->offset_x) / map->scale_x,
		(b.y1 - map->offset_y) / map->scale_y,
		(b.x2 - map->offset_x) / map->scale_x,
		(b.y2 - map->offset_y) / map->scale_y,
	};
	return box_clip(out, (float)map->image_width, (float)map->image_height);
}

void detections_shapes(struct detections *d, float nms_iou, const struct tensor_map *map, struct arena *a,
	struct shapes *out)
{
	CHECK(map->scale_x > 0 && map->scale_y > 0);
	if (d->count > DETECTIONS_CANDIDATES_MAX)
		keep_better_half(d);
	size_t kept = d->count;
	if (nms_iou < 1)
		kept = box_nms(d->candidates, d->count, nms_iou, KEPT_MAX);
	else
		qsort(d->candidates, d->count, sizeof(d->candidates[0]), compare);
	*out = (struct shapes){.items = ARENA_ARRAY(a, struct shape, kept < SHAPES_MAX ? kept : SHAPES_MAX)};
	for (size_t i = 0; i < kept && out->count < SHAPES_MAX; i++) {
		const struct candidate *c = &d->candidates[i];
		struct box box = map_back(c->box, map);
		if (!(box_area(box) > 0) || !isfinite(box.x1 + box.y1 + box.x2 + box.y2))
			continue;
		out->items[out->count++] =
			(struct shape){.kind = SHAPE_BOX, .label = c->label, .score = c->score, .box = box};
	}
}
