/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations of one asset: the SDK's list of them, and the one that our pages draw. */
#include "api/annotation_sdk.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "store/dataset_rows.h"

#define CLIENT_ID_BYTES_MAX 100

static enum status read_rows(
	struct http_request *req, struct annotation_row **rows, size_t *count, struct err *err)
{
	API_READER reader = {0};
	struct asset_row asset;
	struct uuid id;
	TRY(api_id(req, "id", "asset", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(asset_rows_by_id(reader.conn, id, req->arena, &asset, err));
	return annotation_rows_of_asset(reader.conn, id, req->arena, rows, count, err);
}

enum status api_asset_annotation_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct annotation_row *rows;
	size_t count;
	TRY(read_rows(req, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, annotation_sdk_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

static enum status reply_annotation(
	struct http_request *req, struct http_reply *reply, const struct annotation_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, annotation_sdk_json(doc, row));
	return http_reply_json(req, reply, doc);
}

/* The last that was made. */
enum status api_asset_annotation_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct annotation_row *rows;
	size_t count;
	TRY(read_rows(req, &rows, &count, err));
	if (count == 0)
		return err_set(err, ST_MISSING, "The asset has no annotation yet.");
	return reply_annotation(req, reply, &rows[0]);
}

static enum status insert_annotation(struct db_conn *c, void *arg, struct err *err)
{
	struct annotation_row *row = arg;
	struct asset_row asset;
	struct arena a;
	arena_init(&a);
	enum status st = asset_rows_by_id(c, row->asset_id, &a, &asset, err);
	if (st == ST_OK)
		st = dataset_version_rows_touch(c, asset.dataset_version_id, err);
	if (st == ST_OK)
		st = annotation_rows_insert(c, row, &a, err);
	arena_release(&a);
	return st;
}

enum status api_asset_annotation_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	int64_t now_us = clock_unix_us();
	struct annotation_row row = {.id = uuid_v7(now_us / 1000),
		.status = "PENDING",
		.created_us = now_us,
		.updated_us = now_us,
		.who = caller_of(req)->user_name,
		.revision = 1};
	const char *status = NULL;
	yyjson_val *body;
	TRY(api_id(req, "id", "asset", &row.asset_id, err));
	TRY(api_body(req, &body, err));
	TRY(annotation_sdk_about(body, &status, &row.duration, err));
	if (status)
		row.status = status;
	TRY(api_write(req, "annotation.create", row.id, insert_annotation, &row, err));
	reply->code = 201;
	return reply_annotation(req, reply, &row);
}

/* ---- the one that our pages draw ---- */

struct drawing {
	struct uuid asset_id;
	int64_t base_revision;
	const char *client_id, *status, *who;
	double seconds; /* that the person took for it; 0: not said */
	bool make_labels;
	struct annotation_shape_row *shapes;
	size_t shape_count;
	struct arena *arena;
	struct annotation_row row; /* as it is stored then */
	bool found;
};

static yyjson_mut_val *drawing_json(yyjson_mut_doc *doc, const struct annotation_row *row, struct arena *a)
{
	yyjson_mut_val *object = annotation_sdk_json(doc, row);
	yyjson_mut_obj_add_val(
		doc, object, "shapes", annotation_json_shapes(doc, row->shapes, row->shape_count, a));
	return object;
}

static enum status read_drawing(struct http_request *req, struct drawing *d, struct err *err)
{
	yyjson_val *body;
	TRY(api_id(req, "id", "asset", &d->asset_id, err));
	TRY(api_body(req, &body, err));
	if (!yyjson_is_uint(yyjson_obj_get(body, "base_revision")))
		return err_set(err, ST_INVALID,
			"\"base_revision\" must be the revision that was drawn on, 0 where there was none.");
	TRY(json_integer(body, "base_revision", &d->base_revision, err));
	TRY(json_text_required(body, "client_id", &d->client_id, err));
	if (strlen(d->client_id) > CLIENT_ID_BYTES_MAX)
		return err_set(err, ST_INVALID, "\"client_id\" has at most %d bytes.", CLIENT_ID_BYTES_MAX);
	TRY(annotation_sdk_about(body, &d->status, &d->seconds, err));
	TRY(json_number(body, "seconds", &d->seconds, err));
	if (!(d->seconds >= 0 && d->seconds < 1e12))
		return err_set(err, ST_INVALID, "\"seconds\" must be 0 or more.");
	TRY(json_bool(body, "make_labels", &d->make_labels, err));
	return annotation_json_parse(
		yyjson_obj_get(body, "shapes"), req->arena, &d->shapes, &d->shape_count, err);
}

static enum status store_drawing(struct db_conn *c, struct drawing *d, struct err *err)
{
	int64_t now_us = clock_unix_us();
	struct annotation_row row = {.id = uuid_v7(now_us / 1000),
		.asset_id = d->asset_id,
		.status = "PENDING",
		.created_us = now_us};
	if (d->found)
		row = d->row;
	if (d->status)
		row.status = d->status;
	row.duration += d->seconds;
	row.who = d->who;
	row.client_id = d->client_id;
	row.updated_us = now_us;
	row.shapes = d->shapes;
	row.shape_count = d->shape_count;
	if (d->found)
		TRY(annotation_rows_save(c, &row, d->arena, err));
	else
		TRY(annotation_rows_insert(c, &row, d->arena, err));
	return annotation_rows_by_id(c, row.id, d->arena, &d->row, err);
}

static enum status check_base(const struct drawing *d, struct err *err)
{
	if (d->base_revision == (d->found ? d->row.revision : 0))
		return ST_OK;
	if (!d->found)
		return err_set(err, ST_CONFLICT, "The annotation that was drawn on is gone meanwhile.");
	return err_set(err, ST_CONFLICT,
		"%.60s has changed this annotation meanwhile: look at it before you save yours.", d->row.who);
}

/* The same operation again is what it was; one on what is not the newest is a conflict. */
static enum status write_drawing(struct db_conn *c, void *arg, struct err *err)
{
	struct drawing *d = arg;
	struct asset_row asset;
	size_t made;
	TRY(asset_rows_by_id(c, d->asset_id, d->arena, &asset, err));
	TRY(annotation_rows_newest(c, d->asset_id, d->arena, &d->row, &d->found, err));
	if (d->found && d->row.client_id && strcmp(d->row.client_id, d->client_id) == 0)
		return ST_OK;
	TRY(check_base(d, err));
	TRY(dataset_version_rows_touch(c, asset.dataset_version_id, err));
	TRY(annotation_json_resolve(c, asset.dataset_version_id, d->make_labels, d->shapes, d->shape_count,
		d->arena, &made, err));
	return store_drawing(c, d, err);
}

/* {"message", "detail": [what is stored]} */
static enum status reply_conflict(
	struct http_request *req, struct http_reply *reply, const struct drawing *d, const char *message)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_strcpy(doc, root, "message", message);
	yyjson_mut_val *detail = yyjson_mut_obj_add_arr(doc, root, "detail");
	if (d->found)
		yyjson_mut_arr_append(detail, drawing_json(doc, &d->row, req->arena));
	reply->code = 409;
	return http_reply_json(req, reply, doc);
}

enum status api_asset_annotation_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct annotation_row *rows;
	size_t count;
	TRY(read_rows(req, &rows, &count, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_val(doc, root, "annotation",
		count ? drawing_json(doc, &rows[0], req->arena) : yyjson_mut_null(doc));
	return http_reply_json(req, reply, doc);
}

enum status api_asset_annotation_put(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct drawing d = {.arena = req->arena, .who = caller_of(req)->user_name};
	TRY(read_drawing(req, &d, err));
	enum status st = api_write(req, "annotation.save", d.asset_id, write_drawing, &d, err);
	if (st == ST_CONFLICT)
		return reply_conflict(req, reply, &d, err->text);
	TRY(st);
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_val(doc, root, "annotation", drawing_json(doc, &d.row, req->arena));
	return http_reply_json(req, reply, doc);
}
