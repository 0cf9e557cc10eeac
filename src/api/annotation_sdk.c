/* SPDX-License-Identifier: Apache-2.0 */
#include "api/annotation_sdk.h"

#include "base/check.h"

#include <math.h>

static const struct {
	const char *list, *points; /* points: the member of a shape that holds them */
} kinds[ANNOTATION_KIND_COUNT] = {
	[ANNOTATION_RECTANGLE] = {"rectangles", NULL},
	[ANNOTATION_POLYGON] = {"polygons", "polygon"},
	[ANNOTATION_CLASSIFICATION] = {"classifications", NULL},
	[ANNOTATION_LINE] = {"lines", "line"},
	[ANNOTATION_POINT] = {"points", "point"},
	[ANNOTATION_KEYPOINTS] = {"keypoints", "keypoints"},
};

const char *annotation_sdk_key(enum annotation_kind kind)
{
	return kinds[kind].list;
}

bool annotation_sdk_kind(const char *key, enum annotation_kind *out)
{
	for (enum annotation_kind k = 0; k < ANNOTATION_KIND_COUNT; k++) {
		if (strcmp(kinds[k].list, key) == 0) {
			*out = k;
			return true;
		}
	}
	return false;
}

/* ---- reading ---- */

static enum status change_points(
	yyjson_val *object, struct arena *a, struct annotation_shape_row *s, struct err *err)
{
	const char *key = kinds[s->kind].points;
	yyjson_val *points = yyjson_obj_get(object, key);
	if (points == NULL || yyjson_is_null(points))
		return ST_OK;
	if (!yyjson_is_arr(points))
		return err_set(err, ST_INVALID, "\"%s\" must be a list.", key);
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_doc_set_root(doc, yyjson_val_mut_copy(doc, points));
	s->points = (const char *)json_print(doc, a).data;
	s->area = -1;
	s->flags &= ~ANNOTATION_BOX_GIVEN;
	return ST_OK;
}

static enum status change_rectangle(yyjson_val *object, struct annotation_shape_row *s, struct err *err)
{
	double w = s->w, h = s->h;
	TRY(json_number(object, "x", &s->x, err));
	TRY(json_number(object, "y", &s->y, err));
	TRY(json_number(object, "w", &s->w, err));
	TRY(json_number(object, "h", &s->h, err));
	if (w != s->w || h != s->h)
		s->area = -1;
	return ST_OK;
}

enum status annotation_sdk_change(
	yyjson_val *object, struct arena *a, struct annotation_shape_row *shape, struct err *err)
{
	TRY(api_json_id(object, "label_id", false, &shape->label_id, err));
	TRY(api_json_prose(object, "text", &shape->text, err));
	if (shape->kind == ANNOTATION_RECTANGLE)
		return change_rectangle(object, shape, err);
	return kinds[shape->kind].points ? change_points(object, a, shape, err) : ST_OK;
}

static enum status parse_shape(
	yyjson_val *object, struct arena *a, struct annotation_shape_row *s, struct err *err)
{
	static const char *const sides[] = {"x", "y", "w", "h"};
	if (!yyjson_is_obj(object))
		return err_set(err, ST_INVALID, "it is not an object.");
	for (size_t i = 0; s->kind == ANNOTATION_RECTANGLE && i < COUNT_OF(sides); i++) {
		if (!yyjson_is_num(yyjson_obj_get(object, sides[i])))
			return err_set(err, ST_INVALID, "it needs the numbers x, y, w and h.");
	}
	if (kinds[s->kind].points && yyjson_obj_get(object, kinds[s->kind].points) == NULL)
		return err_set(err, ST_INVALID, "it needs the list \"%s\".", kinds[s->kind].points);
	if (yyjson_obj_get(object, "label_id") == NULL)
		return err_set(err, ST_INVALID, "it needs a \"label_id\".");
	return annotation_sdk_change(object, a, s, err);
}

static enum status parse_list(yyjson_val *list, enum annotation_kind kind, struct arena *a,
	struct annotation_shape_row *shapes, size_t *count, struct err *err)
{
	struct err inner;
	size_t i, size;
	yyjson_val *object;
	yyjson_arr_foreach (list, i, size, object) {
		struct annotation_shape_row *s = &shapes[(*count)++];
		*s = (struct annotation_shape_row){.kind = kind, .area = -1};
		if (parse_shape(object, a, s, &inner) != ST_OK)
			return err_set(err, ST_INVALID, "Element %zu of \"%s\" cannot be used: %s", i,
				kinds[kind].list, inner.text);
	}
	return ST_OK;
}

enum status annotation_sdk_parse(yyjson_val *object, struct arena *a, struct annotation_shape_row **shapes,
	size_t *count, struct err *err)
{
	size_t all = 0;
	yyjson_val *tracks = yyjson_obj_get(object, "tracks");
	if (yyjson_is_arr(tracks) && yyjson_arr_size(tracks) > 0)
		return err_set(
			err, ST_INVALID, "Tracks are of videos, and there are none here: give the frames.");
	for (enum annotation_kind k = 0; k < ANNOTATION_KIND_COUNT; k++) {
		yyjson_val *list = yyjson_obj_get(object, kinds[k].list);
		if (list && !yyjson_is_null(list) && !yyjson_is_arr(list))
			return err_set(err, ST_INVALID, "\"%s\" must be a list.", kinds[k].list);
		all += yyjson_arr_size(list);
	}
	if (all > ANNOTATION_SHAPES_MAX)
		return err_set(
			err, ST_INVALID, "An annotation has at most %d shapes.", ANNOTATION_SHAPES_MAX);
	*shapes = ARENA_ARRAY(a, struct annotation_shape_row, all + 1);
	*count = 0;
	for (enum annotation_kind k = 0; k < ANNOTATION_KIND_COUNT; k++)
		TRY(parse_list(yyjson_obj_get(object, kinds[k].list), k, a, *shapes, count, err));
	return ST_OK;
}

enum status annotation_sdk_about(yyjson_val *object, const char **status, double *duration, struct err *err)
{
	TRY(json_text(object, "status", status, err));
	if (*status && !annotation_status_known(*status))
		return err_set(err, ST_INVALID,
			"\"status\" must be PENDING, SKIPPED, ACCEPTED or REFUSED, not \"%.50s\".", *status);
	TRY(json_number(object, "duration", duration, err));
	if (!(*duration >= 0 && *duration < 1e12))
		return err_set(err, ST_INVALID, "\"duration\" must be seconds, 0 or more.");
	return ST_OK;
}

/* ---- writing ---- */

yyjson_mut_val *annotation_sdk_json(yyjson_mut_doc *doc, const struct annotation_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_id(doc, object, "asset_id", row->asset_id);
	api_add_text(doc, object, "status", row->status);
	yyjson_mut_obj_add_real(doc, object, "duration", row->duration);
	api_add_text(doc, object, "who", row->who);
	yyjson_mut_obj_add_int(doc, object, "revision", row->revision);
	api_add_time(doc, object, "created_at", row->created_us);
	api_add_time(doc, object, "updated_at", row->updated_us);
	return object;
}

static void add_box(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct annotation_shape_row *s)
{
	yyjson_mut_obj_add_val(doc, object, "x", annotation_json_number(doc, s->x));
	yyjson_mut_obj_add_val(doc, object, "y", annotation_json_number(doc, s->y));
	yyjson_mut_obj_add_val(doc, object, "w", annotation_json_number(doc, s->w));
	yyjson_mut_obj_add_val(doc, object, "h", annotation_json_number(doc, s->h));
}

/* What a ring encloses, in square pixels (Gauss's formula). */
static double area_of(yyjson_val *points)
{
	double twice = 0, x0, y0;
	size_t i, count;
	yyjson_val *point, *last = yyjson_arr_get_last(points);
	x0 = yyjson_get_num(yyjson_arr_get(last, 0));
	y0 = yyjson_get_num(yyjson_arr_get(last, 1));
	yyjson_arr_foreach (points, i, count, point) {
		double x = yyjson_get_num(yyjson_arr_get(point, 0)),
		       y = yyjson_get_num(yyjson_arr_get(point, 1));
		twice += x0 * y - x * y0;
		x0 = x, y0 = y;
	}
	return fabs(twice) / 2;
}

/* One of the list of a loaded annotation. points: NULL where there are none. */
static void add_loaded(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct annotation_shape_row *s,
	yyjson_val *points, bool whole)
{
	yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
	if (s->kind == ANNOTATION_RECTANGLE)
		add_box(doc, object, s);
	if (points)
		yyjson_mut_obj_add_val(doc, object, kinds[s->kind].points, yyjson_val_mut_copy(doc, points));
	api_add_text(doc, object, "label", s->label);
	api_add_text(doc, object, "text", s->text);
	yyjson_mut_obj_add_null(doc, object, "attributes");
	/* The SDK's own COCO files need it of polygons. */
	double area = whole && s->area >= 0 ? s->area : s->kind == ANNOTATION_POLYGON ? area_of(points) : -1;
	if (area >= 0)
		yyjson_mut_obj_add_val(doc, object, "area", annotation_json_number(doc, area));
}

/* The SDK knows no polygons of several parts: each part is one. */
static void load_shape(
	yyjson_mut_doc *doc, yyjson_mut_val *list, const struct annotation_shape_row *s, struct arena *a)
{
	yyjson_doc *stored;
	if (kinds[s->kind].points == NULL || s->points == NULL ||
		json_parse(span_of_text(s->points), a, &stored, NULL) != ST_OK) {
		add_loaded(doc, list, s, NULL, true);
		return;
	}
	yyjson_val *root = yyjson_doc_get_root(stored), *rings = yyjson_obj_get(root, "rings"), *ring;
	size_t i, count;
	if (rings == NULL)
		add_loaded(doc, list, s, root, true);
	yyjson_arr_foreach (rings, i, count, ring)
		add_loaded(doc, list, s, ring, false);
}

yyjson_mut_val *annotation_sdk_loaded(yyjson_mut_doc *doc, const struct annotation_row *row, struct arena *a)
{
	yyjson_mut_val *object = annotation_sdk_json(doc, row), *lists[ANNOTATION_KIND_COUNT];
	for (enum annotation_kind k = 0; k < ANNOTATION_KIND_COUNT; k++)
		lists[k] = yyjson_mut_obj_add_arr(doc, object, kinds[k].list);
	for (size_t i = 0; i < row->shape_count; i++)
		load_shape(doc, lists[row->shapes[i].kind], &row->shapes[i], a);
	return object;
}

static void add_whole_box(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct annotation_shape_row *s)
{
	int64_t x = llround(s->x), y = llround(s->y);
	yyjson_mut_obj_add_int(doc, object, "x", x);
	yyjson_mut_obj_add_int(doc, object, "y", y);
	yyjson_mut_obj_add_int(doc, object, "w", llround(s->x + s->w) - x);
	yyjson_mut_obj_add_int(doc, object, "h", llround(s->y + s->h) - y);
}

static void add_points(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const struct annotation_shape_row *s, struct arena *a)
{
	yyjson_doc *stored;
	if (json_parse(span_of_text(s->points), a, &stored, NULL) != ST_OK)
		return;
	yyjson_val *points = yyjson_doc_get_root(stored), *rings = yyjson_obj_get(points, "rings");
	if (rings) {
		yyjson_mut_obj_add_val(doc, object, "rings", yyjson_val_mut_copy(doc, rings));
		points = yyjson_arr_get_first(rings);
	}
	yyjson_mut_obj_add_val(doc, object, kinds[s->kind].points, yyjson_val_mut_copy(doc, points));
}

yyjson_mut_val *annotation_sdk_shape(
	yyjson_mut_doc *doc, const struct annotation_shape_row *shape, struct arena *a)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", shape->id);
	if (shape->kind == ANNOTATION_RECTANGLE)
		add_whole_box(doc, object, shape);
	else if (shape->points)
		add_points(doc, object, shape, a);
	if (shape->kind == ANNOTATION_POINT)
		yyjson_mut_obj_add_int(doc, object, "order", 0);
	yyjson_mut_val *label = yyjson_mut_obj_add_obj(doc, object, "label");
	api_add_id(doc, label, "id", shape->label_id);
	api_add_text(doc, label, "name", shape->label);
	api_add_text(doc, object, "text", shape->text);
	return object;
}
