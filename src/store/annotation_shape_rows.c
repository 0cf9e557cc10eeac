/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the shapes of annotations, and what their points must be like. */
#include "base/check.h"
#include "base/json.h"
#include "os/clock.h"
#include "store/annotation_rows.h"

#include <math.h>

static const char *const kind_names[ANNOTATION_KIND_COUNT] = {
	[ANNOTATION_RECTANGLE] = "RECTANGLE",
	[ANNOTATION_POLYGON] = "POLYGON",
	[ANNOTATION_CLASSIFICATION] = "CLASSIFICATION",
	[ANNOTATION_LINE] = "LINE",
	[ANNOTATION_POINT] = "POINT",
	[ANNOTATION_KEYPOINTS] = "KEYPOINTS",
};

const char *annotation_kind_name(enum annotation_kind kind)
{
	CHECK(kind < ANNOTATION_KIND_COUNT);
	return kind_names[kind];
}

static enum annotation_kind kind_of(const char *name)
{
	enum annotation_kind kind = 0;
	while (strcmp(kind_names[kind], name) != 0) {
		kind++;
		CHECK(kind < ANNOTATION_KIND_COUNT);
	}
	return kind;
}

#define SELECT                                                                                               \
	"SELECT s.id, s.kind, s.label_id, l.name, s.x, s.y, s.w, s.h, s.points, s.area, s.flags, s.text,"    \
	" s.annotation_id FROM annotation_shape s JOIN label l ON l.id = s.label_id"

static void read_row(struct db_query *q, struct arena *a, struct annotation_shape_row *out)
{
	*out = (struct annotation_shape_row){
		.id = db_uuid(q, 0),
		.kind = kind_of(db_text(q, 1, a)),
		.label_id = db_uuid(q, 2),
		.label = db_text(q, 3, a),
		.x = db_real(q, 4),
		.y = db_real(q, 5),
		.w = db_real(q, 6),
		.h = db_real(q, 7),
		.points = db_text(q, 8, a),
		.area = db_is_null(q, 9) ? -1 : db_real(q, 9),
		.flags = db_integer(q, 10),
		.text = db_text(q, 11, a),
	};
}

enum status annotation_shape_rows_read(struct db_conn *c, struct uuid annotation_id, struct arena *a,
	struct annotation_shape_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE s.annotation_id = $1 ORDER BY s.position");
	db_bind_uuid(&q, annotation_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no shape with the id %s.", text);
}

enum status annotation_shape_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct annotation_shape_row *out, struct uuid *annotation_id, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE s.id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found) {
		read_row(&q, a, out);
		*annotation_id = db_uuid(&q, 12);
	}
	TRY(db_done(&q, err));
	return found ? ST_OK : missing(id, err);
}

enum status annotation_shape_rows_count(
	struct db_conn *c, struct uuid annotation_id, int64_t *count, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT coalesce(max(position) + 1, 0) FROM annotation_shape WHERE annotation_id = $1");
	db_bind_uuid(&q, annotation_id);
	return rows_number(&q, count, err);
}

/* ---- points ---- */

struct extent {
	double x1, y1, x2, y2;
	size_t points;
};

static bool is_number(double value)
{
	return fabs(value) <= ANNOTATION_NUMBER_MAX; /* false for what is no number */
}

static bool add_point(yyjson_val *point, size_t numbers, struct extent *e)
{
	double at[3] = {0};
	if (!yyjson_is_arr(point) || yyjson_arr_size(point) != numbers)
		return false;
	for (size_t i = 0; i < numbers; i++) {
		yyjson_val *value = yyjson_arr_get(point, i);
		at[i] = yyjson_get_num(value);
		if (!yyjson_is_num(value) || !is_number(at[i]))
			return false;
	}
	if (e->points++ == 0)
		e->x1 = e->x2 = at[0], e->y1 = e->y2 = at[1];
	e->x1 = fmin(e->x1, at[0]);
	e->x2 = fmax(e->x2, at[0]);
	e->y1 = fmin(e->y1, at[1]);
	e->y2 = fmax(e->y2, at[1]);
	return e->points <= ANNOTATION_POINTS_MAX;
}

static bool add_points(yyjson_val *list, size_t numbers, size_t points_min, struct extent *e)
{
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) < points_min)
		return false;
	size_t i, count;
	yyjson_val *point;
	yyjson_arr_foreach (list, i, count, point) {
		if (!add_point(point, numbers, e))
			return false;
	}
	return true;
}

static bool add_rings(yyjson_val *root, struct extent *e)
{
	if (!yyjson_is_obj(root))
		return add_points(root, 2, 3, e);
	yyjson_val *rings = yyjson_obj_get(root, "rings"), *ring;
	if (!yyjson_is_arr(rings) || yyjson_arr_size(rings) == 0)
		return false;
	size_t i, count;
	yyjson_arr_foreach (rings, i, count, ring) {
		if (!add_points(ring, 2, 3, e))
			return false;
	}
	return true;
}

static bool measure(const struct annotation_shape_row *s, yyjson_val *root, struct extent *e)
{
	switch (s->kind) {
	case ANNOTATION_POLYGON: return add_rings(root, e);
	case ANNOTATION_LINE: return add_points(root, 2, 2, e);
	case ANNOTATION_POINT: return add_point(root, 2, e);
	default: return add_points(root, 3, 1, e);
	}
}

/* The bounds of a shape with points; those of a rectangle as they are. */
static enum status check_shape(struct annotation_shape_row *s, struct arena *a, struct err *err)
{
	CHECK(s->kind < ANNOTATION_KIND_COUNT);
	if (!(s->area <= ANNOTATION_NUMBER_MAX * ANNOTATION_NUMBER_MAX))
		return err_set(err, ST_INVALID, "The area of a shape is beyond all pixels.");
	if (s->kind == ANNOTATION_CLASSIFICATION)
		return ST_OK;
	bool given = s->kind == ANNOTATION_RECTANGLE || (s->flags & ANNOTATION_BOX_GIVEN);
	bool good = is_number(s->x) && is_number(s->y) && is_number(s->w) && is_number(s->h) && s->w >= 0 &&
		    s->h >= 0;
	if (given && !good)
		return err_set(err, ST_INVALID,
			"A rectangle needs x, y, w and h in pixels, w and h of 0 or more, none beyond %.0f.",
			ANNOTATION_NUMBER_MAX);
	if (s->kind == ANNOTATION_RECTANGLE)
		return ST_OK;
	struct extent e = {0};
	yyjson_doc *doc = NULL;
	CHECK(s->points);
	TRY(json_parse(span_of_text(s->points), a, &doc, err));
	if (!measure(s, yyjson_doc_get_root(doc), &e))
		return err_set(err, ST_INVALID,
			"The points of a shape of the kind %s are not lists of as many finite numbers as "
			"that "
			"needs, or there are too few or more than %d of them.",
			kind_names[s->kind], ANNOTATION_POINTS_MAX);
	if (!given)
		s->x = e.x1, s->y = e.y1, s->w = e.x2 - e.x1, s->h = e.y2 - e.y1;
	return ST_OK;
}

/* ---- writing ---- */

static void bind_box(struct db_query *q, const struct annotation_shape_row *s)
{
	bool box = s->kind != ANNOTATION_CLASSIFICATION;
	double values[] = {s->x, s->y, s->w, s->h};
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		if (box)
			db_bind_real(q, values[i]);
		else
			db_bind_null(q);
	}
	bool points = box && s->kind != ANNOTATION_RECTANGLE;
	db_bind_text(q, points ? s->points : NULL);
	if (s->area >= 0)
		db_bind_real(q, s->area);
	else
		db_bind_null(q);
}

static enum status foreign_label(struct err *err)
{
	return err_set(err, ST_INVALID, "The label of a shape is not one of the dataset version's labels.");
}

static enum status insert_shape(struct db_conn *c, const struct annotation_shape_row *s,
	struct uuid annotation_id, struct uuid dataset_version_id, int64_t position, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO annotation_shape (id, annotation_id, position, kind, x, y, w, h, points, area,"
		" flags, text, label_id) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, id"
		" FROM label WHERE id = $13 AND dataset_version_id = $14");
	db_bind_uuid(&q, uuid_is_zero(s->id) ? uuid_v7(clock_unix_ms()) : s->id);
	db_bind_uuid(&q, annotation_id);
	db_bind_integer(&q, position);
	db_bind_text(&q, kind_names[s->kind]);
	bind_box(&q, s);
	db_bind_integer(&q, s->flags);
	db_bind_text(&q, s->text);
	db_bind_uuid(&q, s->label_id);
	db_bind_uuid(&q, dataset_version_id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : foreign_label(err);
}

enum status annotation_shape_rows_insert(struct db_conn *c, const struct annotation_row *row,
	struct uuid dataset_version_id, int64_t first, struct arena *a, struct err *err)
{
	if (first + (int64_t)row->shape_count > ANNOTATION_SHAPES_MAX)
		return err_set(
			err, ST_INVALID, "An annotation has at most %d shapes.", ANNOTATION_SHAPES_MAX);
	for (size_t i = 0; i < row->shape_count; i++) {
		struct annotation_shape_row shape = row->shapes[i];
		TRY(check_shape(&shape, a, err));
		TRY(insert_shape(c, &shape, row->id, dataset_version_id, first + (int64_t)i, err));
	}
	return ST_OK;
}

/* The annotation of a shape has changed. */
static enum status revise(struct db_conn *c, struct uuid shape_id, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE annotation SET revision = revision + 1, updated_us = $1"
			    " WHERE id = (SELECT annotation_id FROM annotation_shape WHERE id = $2)");
	db_bind_integer(&q, clock_unix_us());
	db_bind_uuid(&q, shape_id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(shape_id, err);
}

enum status annotation_shape_rows_update(
	struct db_conn *c, const struct annotation_shape_row *s, struct arena *a, struct err *err)
{
	struct annotation_shape_row shape = *s;
	TRY(revise(c, s->id, err));
	TRY(check_shape(&shape, a, err));
	struct db_query q = db_query(c,
		"UPDATE annotation_shape SET x = $1, y = $2, w = $3, h = $4, points = $5, area = $6, flags = "
		"$7,"
		" text = $8, label_id = $9 WHERE id = $10 AND EXISTS (SELECT 1 FROM label mine, label other"
		" WHERE mine.id = annotation_shape.label_id AND other.id = $9"
		" AND mine.dataset_version_id = other.dataset_version_id)");
	bind_box(&q, &shape);
	db_bind_integer(&q, shape.flags);
	db_bind_text(&q, shape.text);
	db_bind_uuid(&q, shape.label_id);
	db_bind_uuid(&q, shape.id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : foreign_label(err);
}

enum status annotation_shape_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	TRY(revise(c, id, err));
	struct db_query q = db_query(c, "DELETE FROM annotation_shape WHERE id = $1");
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}
