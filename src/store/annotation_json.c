/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes of annotations as JSON and back. */
#include "store/annotation_json.h"

#include "base/check.h"

#include <math.h>

static const struct {
	const char *type, *points; /* points: the member that holds them, NULL: none */
} kinds[ANNOTATION_KIND_COUNT] = {
	[ANNOTATION_RECTANGLE] = {"rectangle", NULL},
	[ANNOTATION_POLYGON] = {"polygon", "polygon"},
	[ANNOTATION_CLASSIFICATION] = {"classification", NULL},
	[ANNOTATION_LINE] = {"line", "line"},
	[ANNOTATION_POINT] = {"point", "point"},
	[ANNOTATION_KEYPOINTS] = {"keypoints", "keypoints"},
};

/* ---- to JSON ---- */

yyjson_mut_val *annotation_json_number(yyjson_mut_doc *doc, double value)
{
	if (fabs(value) < 1e15 && value == floor(value))
		return yyjson_mut_sint(doc, (int64_t)value);
	return yyjson_mut_real(doc, value);
}

static void add_points(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const struct annotation_shape_row *s, struct arena *a)
{
	yyjson_doc *stored;
	/* What is stored was checked when it was written. */
	if (json_parse(span_of_text(s->points), a, &stored, NULL) != ST_OK)
		return;
	yyjson_val *root = yyjson_doc_get_root(stored), *rings = yyjson_obj_get(root, "rings");
	if (rings)
		yyjson_mut_obj_add_val(doc, object, "rings", yyjson_val_mut_copy(doc, rings));
	else
		yyjson_mut_obj_add_val(doc, object, kinds[s->kind].points, yyjson_val_mut_copy(doc, root));
}

static void add_box(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct annotation_shape_row *s)
{
	yyjson_mut_val *box = yyjson_mut_obj_add_arr(doc, object, "box");
	yyjson_mut_arr_append(box, annotation_json_number(doc, s->x));
	yyjson_mut_arr_append(box, annotation_json_number(doc, s->y));
	yyjson_mut_arr_append(box, annotation_json_number(doc, s->w));
	yyjson_mut_arr_append(box, annotation_json_number(doc, s->h));
}

static yyjson_mut_val *shape_json(yyjson_mut_doc *doc, const struct annotation_shape_row *s, struct arena *a)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	yyjson_mut_obj_add_str(doc, object, "type", kinds[s->kind].type);
	if (s->kind == ANNOTATION_RECTANGLE) {
		yyjson_mut_obj_add_val(doc, object, "x", annotation_json_number(doc, s->x));
		yyjson_mut_obj_add_val(doc, object, "y", annotation_json_number(doc, s->y));
		yyjson_mut_obj_add_val(doc, object, "w", annotation_json_number(doc, s->w));
		yyjson_mut_obj_add_val(doc, object, "h", annotation_json_number(doc, s->h));
	} else if (s->points) {
		add_points(doc, object, s, a);
	}
	yyjson_mut_obj_add_str(doc, object, "label", s->label);
	if (s->area >= 0)
		yyjson_mut_obj_add_val(doc, object, "area", annotation_json_number(doc, s->area));
	if (s->flags & ANNOTATION_BOX_GIVEN)
		add_box(doc, object, s);
	if (s->flags & ANNOTATION_CROWD)
		yyjson_mut_obj_add_bool(doc, object, "crowd", true);
	if (s->flags & ANNOTATION_DIFFICULT)
		yyjson_mut_obj_add_bool(doc, object, "difficult", true);
	if (s->text)
		yyjson_mut_obj_add_str(doc, object, "text", s->text);
	return object;
}

yyjson_mut_val *annotation_json_shapes(
	yyjson_mut_doc *doc, const struct annotation_shape_row *shapes, size_t count, struct arena *a)
{
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(list, shape_json(doc, &shapes[i], a));
	return list;
}

/* ---- from JSON ---- */

static enum status parse_type(yyjson_val *object, struct annotation_shape_row *s, struct err *err)
{
	const char *type = NULL;
	TRY(json_text_required(object, "type", &type, err));
	for (enum annotation_kind k = 0; k < ANNOTATION_KIND_COUNT; k++) {
		if (strcmp(kinds[k].type, type) == 0) {
			s->kind = k;
			return ST_OK;
		}
	}
	return err_set(err, ST_INVALID,
		"\"type\" must be rectangle, polygon, classification, line, point or keypoints, not "
		"\"%.50s\".",
		type);
}

static enum status parse_side(yyjson_val *object, const char *key, double *out, struct err *err)
{
	if (!yyjson_is_num(yyjson_obj_get(object, key)))
		return err_set(err, ST_INVALID, "A rectangle needs the number \"%s\".", key);
	return json_number(object, key, out, err);
}

static enum status parse_rectangle(yyjson_val *object, struct annotation_shape_row *s, struct err *err)
{
	TRY(parse_side(object, "x", &s->x, err));
	TRY(parse_side(object, "y", &s->y, err));
	TRY(parse_side(object, "w", &s->w, err));
	return parse_side(object, "h", &s->h, err);
}

/* The checks of numbers are those of the rows, when they are inserted. */
static enum status parse_points(
	yyjson_val *object, struct annotation_shape_row *s, struct arena *a, struct err *err)
{
	const char *key = kinds[s->kind].points;
	yyjson_val *points = yyjson_obj_get(object, key);
	yyjson_val *rings = s->kind == ANNOTATION_POLYGON ? yyjson_obj_get(object, "rings") : NULL;
	if (!yyjson_is_arr(points) && !yyjson_is_arr(rings))
		return err_set(err, ST_INVALID, "It needs the list \"%s\".", key);
	yyjson_val *only = yyjson_arr_size(rings) == 1 ? yyjson_arr_get_first(rings) : NULL;
	if (only && !yyjson_is_arr(only))
		return err_set(err, ST_INVALID, "Each of \"rings\" must be a list of points.");
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root;
	if (only) {
		root = yyjson_val_mut_copy(doc, only);
	} else if (yyjson_is_arr(rings)) {
		root = yyjson_mut_obj(doc);
		yyjson_mut_obj_add_val(doc, root, "rings", yyjson_val_mut_copy(doc, rings));
	} else {
		root = yyjson_val_mut_copy(doc, points);
	}
	yyjson_mut_doc_set_root(doc, root);
	s->points = (const char *)json_print(doc, a).data;
	return ST_OK;
}

/* Of a polygon, where it was annotated and is not what the points say. */
static void parse_box(yyjson_val *object, struct annotation_shape_row *s)
{
	yyjson_val *box = yyjson_obj_get(object, "box");
	double *numbers[] = {&s->x, &s->y, &s->w, &s->h};
	if (s->kind != ANNOTATION_POLYGON || yyjson_arr_size(box) != COUNT_OF(numbers))
		return;
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		*numbers[i] = yyjson_get_num(yyjson_arr_get(box, i));
	s->flags |= ANNOTATION_BOX_GIVEN;
}

static enum status parse_rest(yyjson_val *object, struct annotation_shape_row *s, struct err *err)
{
	bool crowd = false, difficult = false;
	s->area = -1;
	TRY(json_text_required(object, "label", &s->label, err));
	TRY(json_text(object, "text", &s->text, err));
	TRY(json_number(object, "area", &s->area, err));
	TRY(json_bool(object, "crowd", &crowd, err));
	TRY(json_bool(object, "difficult", &difficult, err));
	s->flags = (crowd ? ANNOTATION_CROWD : 0) | (difficult ? ANNOTATION_DIFFICULT : 0);
	parse_box(object, s);
	return ST_OK;
}

static enum status parse_shape(
	yyjson_val *object, struct annotation_shape_row *s, struct arena *a, struct err *err)
{
	if (!yyjson_is_obj(object))
		return err_set(err, ST_INVALID, "It is not an object.");
	TRY(parse_type(object, s, err));
	TRY(parse_rest(object, s, err));
	if (s->kind == ANNOTATION_RECTANGLE)
		return parse_rectangle(object, s, err);
	return kinds[s->kind].points ? parse_points(object, s, a, err) : ST_OK;
}

enum status annotation_json_parse(yyjson_val *list, struct arena *a, struct annotation_shape_row **shapes,
	size_t *count, struct err *err)
{
	struct err inner;
	size_t i, size;
	yyjson_val *object;
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) > ANNOTATION_SHAPES_MAX)
		return err_set(err, ST_INVALID, "\"shapes\" must be a list of at most %d shapes.",
			ANNOTATION_SHAPES_MAX);
	*count = yyjson_arr_size(list);
	*shapes = ARENA_ARRAY(a, struct annotation_shape_row, *count + 1);
	yyjson_arr_foreach (list, i, size, object) {
		if (parse_shape(object, &(*shapes)[i], a, &inner) != ST_OK)
			return err_set(err, ST_INVALID, "Shape %zu cannot be read: %s", i + 1, inner.text);
	}
	return ST_OK;
}

enum status annotation_json_resolve(struct db_conn *c, struct uuid dataset_version_id, bool make,
	struct annotation_shape_row *shapes, size_t count, struct arena *a, size_t *made, struct err *err)
{
	*made = 0;
	for (size_t i = 0; i < count; i++) {
		struct label_row label;
		bool new = false;
		enum status st =
			make ? label_rows_ensure(c, dataset_version_id, shapes[i].label, a, &label, &new, err)
			     : label_rows_by_name(c, dataset_version_id, shapes[i].label, a, &label, err);
		if (st == ST_MISSING)
			return err_set(err, ST_INVALID,
				"The dataset version has no label named \"%.200s\": make it first, or ask "
				"for "
				"that with \"make_labels\".",
				shapes[i].label);
		TRY(st);
		shapes[i].label_id = label.id;
		*made += new;
	}
	return ST_OK;
}
