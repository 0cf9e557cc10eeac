/* SPDX-License-Identifier: Apache-2.0 */
#include "task/drawn.h"

#include "base/check.h"

#include <math.h>

#define SAME_PIXELS 0.02

/* ---- reading ---- */

struct reading {
	struct arena *arena;
	struct err *err;
	double width, height; /* 0: unknown */
	size_t place;         /* of the shape, from 1 */
	size_t points;        /* of all shapes so far */
};

static enum status refuse(const struct reading *r, const char *what)
{
	return err_set(r->err, ST_INVALID, "Shape %zu %s.", r->place, what);
}

static bool has_controls(const char *text)
{
	for (const uint8_t *c = (const uint8_t *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
			return true;
	return false;
}

static enum status read_label(struct reading *r, yyjson_val *object, struct drawn_shape *out)
{
	const char *text = NULL;
	size_t characters = 0;
	TRY(json_text(object, "label", &text, r->err));
	if (text == NULL || text[strspn(text, " ")] == '\0')
		return refuse(r, "has no label: \"label\" must be a name");
	for (const char *c = text; *c; c++)
		characters += ((uint8_t)*c & 0xc0) != 0x80;
	if (characters > DRAWN_LABEL_CHARACTERS_MAX)
		return refuse(r, "has a label that is too long: 200 characters are the most");
	if (has_controls(text))
		return refuse(r, "has control characters in its label");
	out->label = arena_strdup(r->arena, text);
	return ST_OK;
}

/* Inside the image, or so little beyond that it is cut off. */
static bool clip(double *value, double size)
{
	if (!isfinite(*value) || *value < -DRAWN_OUTSIDE_MAX ||
		(size > 0 && *value > size + DRAWN_OUTSIDE_MAX))
		return false;
	*value = *value < 0 ? 0 : size > 0 && *value > size ? size : *value;
	return true;
}

static enum status read_box(struct reading *r, yyjson_val *object, struct drawn_shape *out)
{
	static const char *const keys[] = {"x", "y", "w", "h"};
	double v[4];
	for (size_t i = 0; i < 4; i++) {
		yyjson_val *value = yyjson_obj_get(object, keys[i]);
		if (!yyjson_is_num(value))
			return refuse(r, "needs the numbers x, y, w and h");
		v[i] = yyjson_get_num(value);
	}
	if (!(v[2] > 0 && v[3] > 0))
		return refuse(r, "has no area: w and h must be above 0");
	double right = v[0] + v[2], bottom = v[1] + v[3], x = v[0], y = v[1];
	if (!clip(&x, r->width) || !clip(&y, r->height) || !clip(&right, r->width) ||
		!clip(&bottom, r->height) || right <= x || bottom <= y)
		return refuse(r, "lies outside of the image");
	out->kind = SHAPE_BOX;
	out->x = x;
	out->y = y;
	/* What was inside stays as it was said, to the last digit. */
	out->w = x == v[0] && right == v[0] + v[2] ? v[2] : right - x;
	out->h = y == v[1] && bottom == v[1] + v[3] ? v[3] : bottom - y;
	return ST_OK;
}

static enum status read_ring(struct reading *r, yyjson_val *list, struct drawn_ring *out)
{
	size_t i, count = yyjson_arr_size(list);
	if (count < 3)
		return refuse(r, "has fewer than 3 points");
	r->points += count;
	if (r->points > DRAWN_POINTS_MAX)
		return refuse(r, "is one too many: all shapes together may have 100000 points");
	double *points = ARENA_ARRAY(r->arena, double, 2 * count);
	yyjson_val *point;
	size_t n;
	yyjson_arr_foreach (list, i, n, point) {
		yyjson_val *x = yyjson_arr_get(point, 0), *y = yyjson_arr_get(point, 1);
		if (yyjson_arr_size(point) != 2 || !yyjson_is_num(x) || !yyjson_is_num(y))
			return refuse(r, "has a point that is not [x, y]");
		points[2 * i] = yyjson_get_num(x);
		points[2 * i + 1] = yyjson_get_num(y);
		if (!clip(&points[2 * i], r->width) || !clip(&points[2 * i + 1], r->height))
			return refuse(r, "lies outside of the image");
	}
	*out = (struct drawn_ring){points, count};
	return ST_OK;
}

static void find_bounds(struct drawn_shape *s)
{
	double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
	for (size_t r = 0; r < s->ring_count; r++) {
		for (size_t i = 0; i < s->rings[r].point_count; i++) {
			left = fmin(left, s->rings[r].points[2 * i]);
			right = fmax(right, s->rings[r].points[2 * i]);
			top = fmin(top, s->rings[r].points[2 * i + 1]);
			bottom = fmax(bottom, s->rings[r].points[2 * i + 1]);
		}
	}
	s->x = left;
	s->y = top;
	s->w = right - left;
	s->h = bottom - top;
}

static enum status read_polygon(struct reading *r, yyjson_val *object, struct drawn_shape *out)
{
	yyjson_val *one = yyjson_obj_get(object, "polygon"), *many = yyjson_obj_get(object, "rings");
	size_t count = many ? yyjson_arr_size(many) : 1, i, n;
	if ((many == NULL && !yyjson_is_arr(one)) || count == 0)
		return refuse(r, "needs \"polygon\", a list of points, or \"rings\", a list of such lists");
	if (count > DRAWN_POINTS_MAX / 3)
		return refuse(r, "has too many parts");
	struct drawn_ring *rings = ARENA_ARRAY(r->arena, struct drawn_ring, count);
	yyjson_val *ring;
	if (many == NULL)
		TRY(read_ring(r, one, &rings[0]));
	yyjson_arr_foreach (many, i, n, ring)
		TRY(read_ring(r, ring, &rings[i]));
	out->kind = SHAPE_POLYGON;
	out->rings = rings;
	out->ring_count = count;
	find_bounds(out);
	return out->w > 0 && out->h > 0 ? ST_OK : refuse(r, "has no area");
}

static enum status read_shape(
	struct reading *r, yyjson_val *object, const char *type, struct drawn_shape *out)
{
	r->place++;
	if (!yyjson_is_obj(object))
		return refuse(r, "must be an object");
	TRY(read_label(r, object, out));
	if (strcmp(type, "rectangle") == 0)
		return read_box(r, object, out);
	if (strcmp(type, "polygon") == 0)
		return read_polygon(r, object, out);
	out->kind = SHAPE_CLASS;
	return strcmp(type, "classification") == 0
		       ? ST_OK
		       : refuse(r, "is of a type that cannot be reviewed: there are rectangle, polygon and "
				   "classification");
}

static struct reading begin(int64_t width, int64_t height, struct arena *a, struct err *err)
{
	return (struct reading){.arena = a, .err = err, .width = (double)width, .height = (double)height};
}

static enum status check_count(size_t count, struct err *err)
{
	return count <= DRAWN_SHAPES_MAX
		       ? ST_OK
		       : err_set(err, ST_INVALID, "These are %zu shapes; an image can have %d.", count,
				 DRAWN_SHAPES_MAX);
}

enum status drawn_read(yyjson_val *list, int64_t width, int64_t height, struct arena *a,
	struct drawn_shapes *out, struct err *err)
{
	struct reading r = begin(width, height, a, err);
	size_t i, n, count = yyjson_arr_size(list);
	yyjson_val *object;
	if (!yyjson_is_arr(list))
		return err_set(err, ST_INVALID,
			"\"shapes\" must be a list of shapes; an empty one says that "
			"there is nothing on the image.");
	TRY(check_count(count, err));
	*out = (struct drawn_shapes){ARENA_ARRAY(a, struct drawn_shape, count), count};
	yyjson_arr_foreach (list, i, n, object) {
		const char *type = yyjson_get_str(yyjson_obj_get(object, "type"));
		TRY(read_shape(&r, object, type ? type : "", &out->items[i]));
	}
	return ST_OK;
}

enum status drawn_parse(const char *json, struct arena *a, struct drawn_shapes *out, struct err *err)
{
	yyjson_doc *doc;
	TRY(json_parse(span_of_text(json), a, &doc, err));
	return drawn_read(yyjson_doc_get_root(doc), 0, 0, a, out, err);
}

enum status drawn_read_sdk(yyjson_val *object, int64_t width, int64_t height, struct arena *a,
	struct drawn_shapes *out, struct err *err)
{
	static const struct {
		const char *key, *type;
	} lists[] = {
		{"rectangles", "rectangle"}, {"polygons", "polygon"}, {"classifications", "classification"}};
	struct reading r = begin(width, height, a, err);
	size_t count = 0, i, n;
	for (size_t k = 0; k < COUNT_OF(lists); k++) {
		yyjson_val *list = yyjson_obj_get(object, lists[k].key);
		if (list && !yyjson_is_null(list) && !yyjson_is_arr(list))
			return err_set(err, ST_INVALID, "\"%s\" must be a list.", lists[k].key);
		count += yyjson_arr_size(list);
	}
	if (yyjson_arr_size(yyjson_obj_get(object, "lines")) ||
		yyjson_arr_size(yyjson_obj_get(object, "points")))
		return err_set(err, ST_INVALID,
			"Lines and points cannot be reviewed: no model here answers with "
			"them. Leave them out.");
	TRY(check_count(count, err));
	*out = (struct drawn_shapes){ARENA_ARRAY(a, struct drawn_shape, count), 0};
	for (size_t k = 0; k < COUNT_OF(lists); k++) {
		yyjson_val *shape;
		yyjson_arr_foreach (yyjson_obj_get(object, lists[k].key), i, n, shape)
			TRY(read_shape(&r, shape, lists[k].type, &out->items[out->count++]));
	}
	return ST_OK;
}

/* ---- printing ---- */

static void add_ring(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct drawn_ring *ring)
{
	for (size_t i = 0; i < ring->point_count; i++) {
		yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, list);
		yyjson_mut_arr_add_real(doc, point, ring->points[2 * i]);
		yyjson_mut_arr_add_real(doc, point, ring->points[2 * i + 1]);
	}
}

static void add_place(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct drawn_shape *s)
{
	if (s->kind == SHAPE_BOX) {
		yyjson_mut_obj_add_real(doc, object, "x", s->x);
		yyjson_mut_obj_add_real(doc, object, "y", s->y);
		yyjson_mut_obj_add_real(doc, object, "w", s->w);
		yyjson_mut_obj_add_real(doc, object, "h", s->h);
	} else if (s->kind == SHAPE_POLYGON && s->ring_count == 1) {
		add_ring(doc, yyjson_mut_obj_add_arr(doc, object, "polygon"), &s->rings[0]);
	} else if (s->kind == SHAPE_POLYGON) {
		yyjson_mut_val *rings = yyjson_mut_obj_add_arr(doc, object, "rings");
		for (size_t i = 0; i < s->ring_count; i++)
			add_ring(doc, yyjson_mut_arr_add_arr(doc, rings), &s->rings[i]);
	}
}

const char *drawn_print(const struct drawn_shapes *shapes, struct arena *a)
{
	static const char *const kinds[SHAPE_KIND_COUNT] = {
		[SHAPE_CLASS] = "classification", [SHAPE_BOX] = "rectangle", [SHAPE_POLYGON] = "polygon"};
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	yyjson_mut_doc_set_root(doc, list);
	for (size_t i = 0; i < shapes->count; i++) {
		const struct drawn_shape *s = &shapes->items[i];
		yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_str(doc, object, "type", kinds[s->kind]);
		add_place(doc, object, s);
		yyjson_mut_obj_add_str(doc, object, "label", s->label);
	}
	return (const char *)json_print(doc, a).data;
}

/* ---- comparing ---- */

static bool near(double a, double b)
{
	return fabs(a - b) <= SAME_PIXELS;
}

static bool same_rings(const struct drawn_shape *a, const struct drawn_shape *b)
{
	if (a->ring_count != b->ring_count)
		return false;
	for (size_t r = 0; r < a->ring_count; r++) {
		const struct drawn_ring *x = &a->rings[r], *y = &b->rings[r];
		if (x->point_count != y->point_count)
			return false;
		for (size_t i = 0; i < 2 * x->point_count; i++)
			if (!near(x->points[i], y->points[i]))
				return false;
	}
	return true;
}

static bool same_shape(const struct drawn_shape *a, const struct drawn_shape *b)
{
	if (a->kind != b->kind || strcmp(a->label, b->label) != 0)
		return false;
	if (a->kind == SHAPE_POLYGON)
		return same_rings(a, b);
	return a->kind == SHAPE_CLASS ||
	       (near(a->x, b->x) && near(a->y, b->y) && near(a->x + a->w, b->x + b->w) &&
		       near(a->y + a->h, b->y + b->h));
}

bool drawn_same(const struct drawn_shapes *a, const struct drawn_shapes *b, struct arena *arena)
{
	if (a->count != b->count)
		return false;
	bool *taken = ARENA_ARRAY(arena, bool, b->count);
	for (size_t i = 0; i < a->count; i++) {
		size_t k = 0;
		while (k < b->count && (taken[k] || !same_shape(&a->items[i], &b->items[k])))
			k++;
		if (k == b->count)
			return false;
		taken[k] = true;
	}
	return true;
}
