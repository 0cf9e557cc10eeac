/* SPDX-License-Identifier: Apache-2.0 */
/* One annotation, and the shapes in it. */
#include "api/annotation_sdk.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "store/dataset_rows.h"

#include <stdio.h>

static enum status read_annotation(struct http_request *req, struct annotation_row *row, struct err *err)
{
	API_READER reader = {0};
	struct uuid id;
	TRY(api_id(req, "id", "annotation", &id, err));
	TRY(api_read(req, &reader, err));
	return annotation_rows_by_id(reader.conn, id, req->arena, row, err);
}

static enum status reply_annotation(
	struct http_request *req, struct http_reply *reply, const struct annotation_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, annotation_sdk_json(doc, row));
	return http_reply_json(req, reply, doc);
}

enum status api_annotation_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct annotation_row row;
	TRY(read_annotation(req, &row, err));
	return reply_annotation(req, reply, &row);
}

/* ---- changes ---- */

struct change {
	enum { CHANGE_ABOUT, CHANGE_SHAPES, CHANGE_MORE_SHAPES, CHANGE_DELETE } what;
	struct uuid id;
	yyjson_val *body;
	const char *who;
	struct arena *arena;
	struct annotation_row row; /* as it is then */
};

/* Its version is open, and has changed. */
static enum status touch_version(struct db_conn *c, const struct change *change, struct err *err)
{
	struct asset_row asset;
	TRY(asset_rows_by_id(c, change->row.asset_id, change->arena, &asset, err));
	return dataset_version_rows_touch(c, asset.dataset_version_id, err);
}

static enum status change_annotation(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	struct annotation_row *row = &change->row;
	TRY(annotation_rows_by_id(c, change->id, change->arena, row, err));
	TRY(touch_version(c, change, err));
	if (change->what == CHANGE_DELETE)
		return annotation_rows_delete(c, row->id, err);
	TRY(annotation_sdk_about(change->body, &row->status, &row->duration, err));
	row->updated_us = clock_unix_us();
	if (change->what == CHANGE_ABOUT)
		return annotation_rows_update(c, row, err);
	row->who = change->who;
	row->client_id = NULL;
	TRY(annotation_sdk_parse(change->body, change->arena, &row->shapes, &row->shape_count, err));
	if (change->what == CHANGE_SHAPES)
		TRY(annotation_rows_save(c, row, change->arena, err));
	else
		TRY(annotation_rows_add(c, row, change->arena, err));
	return annotation_rows_by_id(c, change->id, change->arena, row, err);
}

static enum status run_change(
	struct http_request *req, const char *action, struct change *change, struct err *err)
{
	change->arena = req->arena;
	change->who = caller_of(req)->user_name;
	TRY(api_id(req, "id", "annotation", &change->id, err));
	if (change->what != CHANGE_DELETE)
		TRY(api_body(req, &change->body, err));
	return api_write(req, action, change->id, change_annotation, change, err);
}

enum status api_annotation_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.what = CHANGE_ABOUT};
	TRY(run_change(req, "annotation.update", &change, err));
	return reply_annotation(req, reply, &change.row);
}

enum status api_annotation_save(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.what = CHANGE_SHAPES};
	TRY(run_change(req, "annotation.save", &change, err));
	return reply_annotation(req, reply, &change.row);
}

enum status api_annotation_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.what = CHANGE_DELETE};
	TRY(run_change(req, "annotation.delete", &change, err));
	return http_reply_empty(reply, 204);
}

/* ---- shapes of one kind, which the path says: …/{rectangles}, …/bulk-{rectangles} ---- */

static enum status read_kind(struct http_request *req, enum annotation_kind *out, struct err *err)
{
	const char *text = http_param(req, "kind");
	const char *key = strncmp(text, "bulk-", 5) == 0 ? text + 5 : text;
	bool bulk = key != text;
	if (annotation_sdk_kind(key, out) && bulk == (req->method == HTTP_POST))
		return ST_OK;
	return err_set(err, ST_MISSING, "There is no kind of shapes called \"%.50s\".", key);
}

static yyjson_mut_val *shapes_json(yyjson_mut_doc *doc, const struct annotation_row *row,
	enum annotation_kind kind, size_t from, struct arena *a)
{
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = from; i < row->shape_count; i++) {
		if (row->shapes[i].kind == kind)
			yyjson_mut_arr_append(items, annotation_sdk_shape(doc, &row->shapes[i], a));
	}
	return items;
}

enum status api_annotation_shapes(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct annotation_row row;
	enum annotation_kind kind;
	TRY(read_kind(req, &kind, err));
	TRY(read_annotation(req, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = shapes_json(doc, &row, kind, 0, req->arena);
	return api_reply_list(req, reply, doc, items, (int64_t)yyjson_mut_arr_size(items));
}

enum status api_annotation_add_shapes(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.what = CHANGE_MORE_SHAPES};
	enum annotation_kind kind;
	TRY(read_kind(req, &kind, err));
	TRY(api_body(req, &change.body, err));
	size_t given = yyjson_arr_size(yyjson_obj_get(change.body, annotation_sdk_key(kind)));
	if (given == 0 || given > ANNOTATION_SHAPES_MAX || yyjson_obj_size(change.body) != 1)
		return err_set(err, ST_INVALID, "The body must have \"%s\" alone, a list of 1 to %d shapes.",
			annotation_sdk_key(kind), ANNOTATION_SHAPES_MAX);
	TRY(run_change(req, "annotation.save", &change, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_val(doc, root, annotation_sdk_key(kind),
		shapes_json(doc, &change.row, kind, change.row.shape_count - given, req->arena));
	reply->code = 201;
	return http_reply_json(req, reply, doc);
}

/* ---- one shape: /api/rectangle/{id}, /api/polygon/{id}, … ---- */

struct shape_change {
	struct uuid id;
	const char *kind; /* as the path says: "rectangle" */
	yyjson_val *body; /* NULL: it is deleted */
	struct arena *arena;
	struct annotation_shape_row row;
};

static enum status read_shape(
	struct db_conn *c, struct shape_change *change, struct annotation_row *of, struct err *err)
{
	struct uuid annotation_id;
	TRY(annotation_shape_rows_by_id(c, change->id, change->arena, &change->row, &annotation_id, err));
	const char *list = annotation_sdk_key(change->row.kind);
	if (strncmp(list, change->kind, strlen(change->kind)) != 0)
		return err_set(err, ST_MISSING, "The shape with that id is one of \"%s\", not a %s.", list,
			change->kind);
	return annotation_rows_by_id(c, annotation_id, change->arena, of, err);
}

static enum status change_shape(struct db_conn *c, void *arg, struct err *err)
{
	struct shape_change *change = arg;
	struct annotation_row of;
	struct asset_row asset;
	struct uuid annotation_id;
	TRY(read_shape(c, change, &of, err));
	TRY(asset_rows_by_id(c, of.asset_id, change->arena, &asset, err));
	TRY(dataset_version_rows_touch(c, asset.dataset_version_id, err));
	if (change->body == NULL)
		return annotation_shape_rows_delete(c, change->id, err);
	TRY(annotation_sdk_change(change->body, change->arena, &change->row, err));
	TRY(annotation_shape_rows_update(c, &change->row, change->arena, err));
	return annotation_shape_rows_by_id(c, change->id, change->arena, &change->row, &annotation_id, err);
}

/* "/api/rectangle/{id}" */
static enum status begin_shape(struct http_request *req, struct shape_change *change, struct err *err)
{
	static const char prefix[] = "/api/";
	const char *kind = req->route->pattern + sizeof(prefix) - 1;
	change->arena = req->arena;
	change->kind = arena_strndup(req->arena, kind, strcspn(kind, "/"));
	return api_id(req, "id", change->kind, &change->id, err);
}

static enum status reply_shape(
	struct http_request *req, struct http_reply *reply, const struct annotation_shape_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, annotation_sdk_shape(doc, row, req->arena));
	return http_reply_json(req, reply, doc);
}

enum status api_shape_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct shape_change shape = {0};
	struct annotation_row of;
	TRY(begin_shape(req, &shape, err));
	TRY(api_read(req, &reader, err));
	TRY(read_shape(reader.conn, &shape, &of, err));
	return reply_shape(req, reply, &shape.row);
}

enum status api_shape_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct shape_change change = {0};
	TRY(begin_shape(req, &change, err));
	TRY(api_body(req, &change.body, err));
	TRY(api_write(req, "annotation.save", change.id, change_shape, &change, err));
	return reply_shape(req, reply, &change.row);
}

enum status api_shape_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct shape_change change = {0};
	TRY(begin_shape(req, &change, err));
	TRY(api_write(req, "annotation.save", change.id, change_shape, &change, err));
	return http_reply_empty(reply, 204);
}
