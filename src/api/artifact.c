/* SPDX-License-Identifier: Apache-2.0 */
/* What an experiment makes: files, by name. */
#include "api/experiment_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "os/clock.h"
#include "store/object_rows.h"

#define IDS_MAX 10000 /* of one request */

static yyjson_mut_val *artifact_json(
	struct http_request *req, yyjson_mut_doc *doc, const struct artifact_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_text(doc, object, "filename", row->filename);
	api_add_text(doc, object, "object_name", row->object_name);
	yyjson_mut_obj_add_bool(doc, object, "large", row->large);
	api_add_text(doc, object, "presigned_url",
		presign_download_url(api_of(req), row->object_name, req->arena));
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

static enum status reply_artifact(
	struct http_request *req, struct http_reply *reply, const struct artifact_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, artifact_json(req, doc, row));
	return http_reply_json(req, reply, doc);
}

/* The object must have its bytes: an artifact without them would be lost when its name expires. */
static enum status check_stored(struct db_conn *c, const char *object_name, struct arena *a, struct err *err)
{
	struct object_row object;
	return object_rows_stored(c, object_name, a, &object, err);
}

/* ---- write ---- */

struct writing {
	struct artifact_row row;
	struct arena *arena;
	/* A change: NULL stays. */
	const char *name, *filename, *object_name;
	bool large, has_large;
};

static enum status insert_artifact(struct db_conn *c, void *arg, struct err *err)
{
	const struct writing *w = arg;
	struct experiment_row experiment;
	TRY(experiment_rows_by_id(c, w->row.experiment_id, w->arena, &experiment, err));
	TRY(check_stored(c, w->row.object_name, w->arena, err));
	return artifact_rows_insert(c, &w->row, err);
}

enum status api_artifact_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct writing w = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &w.row.experiment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &w.row.name, err));
	TRY(api_json_name(body, "filename", true, &w.row.filename, err));
	TRY(json_text_required(body, "object_name", &w.row.object_name, err));
	TRY(json_bool(body, "large", &w.row.large, err));
	w.row.created_us = clock_unix_us();
	w.row.id = uuid_v7(w.row.created_us / 1000);
	TRY(api_write(req, "artifact.create", w.row.id, insert_artifact, &w, err));
	reply->code = 201;
	return reply_artifact(req, reply, &w.row);
}

static enum status update_artifact(struct db_conn *c, void *arg, struct err *err)
{
	struct writing *w = arg;
	TRY(artifact_rows_by_id(c, w->row.id, w->arena, &w->row, err));
	const char *replaced = w->object_name ? w->row.object_name : NULL;
	if (w->object_name)
		TRY(check_stored(c, w->object_name, w->arena, err));
	w->row.name = w->name ? w->name : w->row.name;
	w->row.filename = w->filename ? w->filename : w->row.filename;
	w->row.object_name = w->object_name ? w->object_name : w->row.object_name;
	w->row.large = w->has_large ? w->large : w->row.large;
	TRY(artifact_rows_update(c, &w->row, err));
	return replaced ? object_rows_release(c, replaced, err) : ST_OK;
}

enum status api_artifact_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct writing w = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "artifact", &w.row.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &w.name, err));
	TRY(api_json_name(body, "filename", false, &w.filename, err));
	TRY(json_text(body, "object_name", &w.object_name, err));
	w.has_large = yyjson_obj_get(body, "large") != NULL;
	TRY(json_bool(body, "large", &w.large, err));
	TRY(api_write(req, "artifact.update", w.row.id, update_artifact, &w, err));
	return reply_artifact(req, reply, &w.row);
}

struct deletion {
	struct uuid *ids;
	size_t count;
	struct arena *arena;
};

static enum status delete_artifacts(struct db_conn *c, void *arg, struct err *err)
{
	const struct deletion *d = arg;
	for (size_t i = 0; i < d->count; i++) {
		struct artifact_row row;
		TRY(artifact_rows_by_id(c, d->ids[i], d->arena, &row, err));
		TRY(artifact_rows_delete(c, row.id, err));
		TRY(object_rows_release(c, row.object_name, err));
	}
	return ST_OK;
}

enum status api_artifact_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct deletion d = {&id, 1, req->arena};
	TRY(api_id(req, "id", "artifact", &id, err));
	TRY(api_write(req, "artifact.delete", id, delete_artifacts, &d, err));
	return http_reply_empty(reply, 204);
}

enum status api_artifact_delete_many(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct deletion d = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", IDS_MAX, &d.ids, &d.count, err));
	TRY(api_write(req, "artifact.delete", id, delete_artifacts, &d, err));
	return http_reply_empty(reply, 204);
}

/* ---- read ---- */

static enum status list_rows(struct http_request *req, const struct rows_page *page,
	struct artifact_row **rows, size_t *count, int64_t *total, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row experiment;
	struct uuid id;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(experiment_rows_by_id(reader.conn, id, req->arena, &experiment, err));
	return artifact_rows_list(reader.conn, id, page, req->arena, rows, count, total, err);
}

enum status api_artifact_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page;
	struct artifact_row *rows;
	size_t count;
	int64_t total;
	TRY(api_page(req, &page, err));
	TRY(list_rows(req, &page, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, artifact_json(req, doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_artifact_ids(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page = {.limit = IDS_MAX};
	struct artifact_row *rows;
	size_t count;
	int64_t total;
	TRY(list_rows(req, &page, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *ids = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		id_list_append(doc, ids, rows[i].id);
	yyjson_mut_doc_set_root(doc, ids);
	return http_reply_json(req, reply, doc);
}

enum status api_artifact_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct artifact_row row;
	struct uuid id;
	const char *name;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_query_text(req, "name", &name, err));
	TRY(api_read(req, &reader, err));
	TRY(artifact_rows_by_name(reader.conn, id, name, req->arena, &row, err));
	return reply_artifact(req, reply, &row);
}

enum status api_artifact_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct artifact_row row;
	struct uuid id;
	TRY(api_id(req, "id", "artifact", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(artifact_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_artifact(req, reply, &row);
}
