/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/dataset_shapes.h"

#include "base/check.h"
#include "base/json.h"
#include "base/str.h"
#include "formats/writers.h"

#include <math.h>
#include <stdlib.h>

#define POINTS_BYTES_MAX (64u << 20) /* the text of one polygon's points */

/* ---- to rows ---- */

static const char *points_text(const struct labelled_shape *shape, struct arena *a)
{
	struct str s;
	char number[NUMBER_BYTES];
	str_init(&s, POINTS_BYTES_MAX);
	bool several = shape->ring_count > 1;
	if (several)
		str_append(&s, "{\"rings\":[");
	for (uint32_t r = 0; r < shape->ring_count; r++) {
		const struct labelled_ring *ring = &shape->rings[r];
		str_append(&s, r ? ",[" : "[");
		for (uint32_t i = 0; i < ring->point_count; i++) {
			number_text(ring->points[2 * i], number);
			str_printf(&s, "%s[%s,", i ? "," : "", number);
			number_text(ring->points[2 * i + 1], number);
			str_printf(&s, "%s]", number);
		}
		str_append(&s, "]");
	}
	if (several)
		str_append(&s, "]}");
	CHECK(!s.full);
	const char *text = arena_strdup(a, str_text(&s));
	str_release(&s);
	return text;
}

static struct box bounds_of(const struct labelled_shape *shape)
{
	struct box b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
	for (uint32_t r = 0; r < shape->ring_count; r++) {
		const struct labelled_ring *ring = &shape->rings[r];
		for (uint32_t i = 0; i < ring->point_count; i++) {
			b.x1 = fminf(b.x1, ring->points[2 * i]);
			b.x2 = fmaxf(b.x2, ring->points[2 * i]);
			b.y1 = fminf(b.y1, ring->points[2 * i + 1]);
			b.y2 = fmaxf(b.y2, ring->points[2 * i + 1]);
		}
	}
	return b;
}

static void set_side(float start, float end, double *at, double *size)
{
	char text[NUMBER_BYTES];
	*at = number_text(start, text);
	size_text(*at, end, text);
	*size = strtod(text, NULL);
}

static void to_row(const struct labelled_shape *s, struct arena *a, struct annotation_shape_row *row)
{
	struct labelled_shape without = *s;
	without.area = -1;
	/* An area that is the shape's own says nothing: COCO files always have one. */
	row->area = s->area == labelled_area(&without) ? -1 : s->area;
	row->flags = (s->crowd ? ANNOTATION_CROWD : 0) | (s->difficult ? ANNOTATION_DIFFICULT : 0);
	row->kind = s->kind == SHAPE_CLASS ? ANNOTATION_CLASSIFICATION : ANNOTATION_RECTANGLE;
	if (s->kind == SHAPE_CLASS)
		return;
	set_side(s->box.x1, s->box.x2, &row->x, &row->w);
	set_side(s->box.y1, s->box.y2, &row->y, &row->h);
	if (s->kind != SHAPE_POLYGON)
		return;
	struct box bounds = bounds_of(s);
	row->kind = ANNOTATION_POLYGON;
	row->points = points_text(s, a);
	if (memcmp(&bounds, &s->box, sizeof(bounds)) != 0)
		row->flags |= ANNOTATION_BOX_GIVEN;
}

struct annotation_shape_row *dataset_shapes_to_rows(
	const struct labelled_shape *shapes, size_t count, const struct uuid *label_ids, struct arena *a)
{
	struct annotation_shape_row *rows = ARENA_ARRAY(a, struct annotation_shape_row, count + 1);
	for (size_t i = 0; i < count; i++) {
		to_row(&shapes[i], a, &rows[i]);
		rows[i].label_id = label_ids[shapes[i].label];
	}
	return rows;
}

/* ---- from rows ---- */

/* False: not what a file could hold. */
static bool read_ring(yyjson_val *points, struct arena *a, struct labelled_ring *out)
{
	size_t i, count;
	yyjson_val *point;
	if (yyjson_arr_size(points) < 3 || yyjson_arr_size(points) > SHAPE_POINTS_MAX)
		return false;
	float *numbers = ARENA_ARRAY(a, float, 2 * yyjson_arr_size(points));
	yyjson_arr_foreach (points, i, count, point) {
		numbers[2 * i] = (float)yyjson_get_num(yyjson_arr_get(point, 0));
		numbers[2 * i + 1] = (float)yyjson_get_num(yyjson_arr_get(point, 1));
	}
	*out = (struct labelled_ring){numbers, (uint32_t)count};
	return true;
}

static bool read_rings(const char *text, struct arena *a, struct labelled_shape *s)
{
	yyjson_doc *doc;
	if (json_parse(span_of_text(text), a, &doc, NULL) != ST_OK)
		return false;
	yyjson_val *root = yyjson_doc_get_root(doc), *list = yyjson_obj_get(root, "rings"), *ring;
	struct labelled_ring *rings = ARENA_ARRAY(a, struct labelled_ring, yyjson_arr_size(list) + 1);
	s->rings = rings;
	s->ring_count = 0;
	if (list == NULL && read_ring(root, a, &rings[0]))
		s->ring_count = 1;
	size_t i, count;
	yyjson_arr_foreach (list, i, count, ring)
		s->ring_count += read_ring(ring, a, &rings[s->ring_count]);
	return s->ring_count > 0;
}

static bool has_area(struct box b)
{
	return b.x2 > b.x1 && b.y2 > b.y1;
}

static bool from_row(const struct annotation_shape_row *row, struct arena *a, struct labelled_shape *s)
{
	s->area = row->area;
	s->crowd = row->flags & ANNOTATION_CROWD;
	s->difficult = row->flags & ANNOTATION_DIFFICULT;
	if (row->kind == ANNOTATION_CLASSIFICATION) {
		s->kind = SHAPE_CLASS;
		return true;
	}
	if (row->kind != ANNOTATION_RECTANGLE && row->kind != ANNOTATION_POLYGON)
		return false;
	s->kind = row->kind == ANNOTATION_POLYGON ? SHAPE_POLYGON : SHAPE_BOX;
	s->box = (struct box){
		(float)row->x, (float)row->y, (float)(row->x + row->w), (float)(row->y + row->h)};
	if (s->kind == SHAPE_POLYGON && !read_rings(row->points, a, s))
		return false;
	struct box bounds = s->kind == SHAPE_POLYGON ? bounds_of(s) : s->box;
	if (s->kind == SHAPE_POLYGON && !(row->flags & ANNOTATION_BOX_GIVEN))
		s->box = bounds;
	s->degenerate = !has_area(s->box) || !has_area(bounds);
	return true;
}

struct labelled_shape *dataset_shapes_from_rows(const struct annotation_shape_row *rows, size_t count,
	int32_t (*label_of)(void *arg, struct uuid label_id), void *arg, struct arena *a, size_t *shape_count,
	size_t *skipped)
{
	struct labelled_shape *shapes = ARENA_ARRAY(a, struct labelled_shape, count + 1);
	*shape_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct labelled_shape *s = &shapes[*shape_count];
		*s = (struct labelled_shape){.label = label_of(arg, rows[i].label_id)};
		if (s->label >= 0 && from_row(&rows[i], a, s))
			(*shape_count)++;
		else
			(*skipped)++;
	}
	return shapes;
}

/* ---- the same? ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool dataset_shapes_same(const struct annotation_shape_row *a, const struct annotation_shape_row *b)
{
	bool area = a->area == b->area || (a->area < 0 && b->area < 0);
	if (a->kind != b->kind || !uuid_equal(a->label_id, b->label_id) || a->flags != b->flags || !area ||
		!same_text(a->points, b->points) || !same_text(a->text, b->text))
		return false;
	if (a->kind != ANNOTATION_RECTANGLE && !(a->flags & ANNOTATION_BOX_GIVEN))
		return true;
	return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}
