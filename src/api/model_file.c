/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a model version. The first ONNX file is what the version runs: it is admitted when it is
 * stored. */
#include "api/model_admission.h"
#include "api/model_json.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "os/clock.h"
#include "store/object_rows.h"

static yyjson_mut_val *file_json(
	struct http_request *req, yyjson_mut_doc *doc, const struct model_file_row *row)
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

static enum status reply_file(
	struct http_request *req, struct http_reply *reply, const struct model_file_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, file_json(req, doc, row));
	return http_reply_json(req, reply, doc);
}

/* ---- create ---- */

struct creation {
	struct model_file_row file;
	struct object_row object;
	struct model_version_row before; /* as it was read */
	struct model_version_row after;  /* admitted with this file */
	bool admitted;
	struct arena *arena;
};

static enum status insert_file(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *new = arg;
	struct model_version_row row;
	TRY(model_rows_version_by_id(c, new->file.model_version_id, new->arena, &row, err));
	TRY(model_rows_file_insert(c, &new->file, err));
	if (!new->admitted)
		return ST_OK;
	TRY(model_admission_check_same(&new->before, &row, err));
	row.onnx_sha256 = new->after.onnx_sha256;
	row.framework = new->after.framework;
	row.state = new->after.state;
	row.state_text = new->after.state_text;
	row.labels = new->after.labels;
	row.recipe = new->after.recipe;
	row.graph = new->after.graph;
	return model_rows_version_update(c, &row, err);
}

static enum status read_creation(struct http_request *req, struct creation *new, struct err *err)
{
	yyjson_val *body;
	struct model_file_row *file = &new->file;
	TRY(api_id(req, "id", "model version", &file->model_version_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &file->name, err));
	TRY(api_json_name(body, "filename", true, &file->filename, err));
	TRY(json_text_required(body, "object_name", &file->object_name, err));
	return json_bool(body, "large", &file->large, err);
}

static enum status read_stored(struct http_request *req, struct creation *new, struct err *err)
{
	API_READER reader = {0};
	struct model_file_row other;
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, new->file.model_version_id, req->arena, &new->before, err));
	TRY(object_rows_stored(reader.conn, new->file.object_name, req->arena, &new->object, err));
	/* Said before the model is opened, which takes a while. */
	enum status st =
		model_rows_file_by_name(reader.conn, new->before.id, new->file.name, req->arena, &other, err);
	if (st == ST_OK)
		return err_set(err, ST_CONFLICT,
			"This version has a file named \"%s\" already; delete it first.", new->file.name);
	return st == ST_MISSING ? ST_OK : st;
}

enum status api_model_file_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct creation *new = ARENA_NEW(req->arena, struct creation);
	new->arena = req->arena;
	TRY(read_creation(req, new, err));
	TRY(read_stored(req, new, err));
	bool is_onnx = admission_is_onnx(new->file.filename) || admission_is_onnx(new->file.name);
	/* A refused file is no reason to refuse a better one. */
	if (is_onnx && strcmp(new->before.state, "READY") != 0) {
		new->after = new->before;
		new->after.onnx_sha256 = new->object.sha256;
		TRY(admission_run(api_of(req)->blobs, &new->after, new->before.recipe, req->arena, err));
		new->admitted = true;
	}
	new->file.created_us = clock_unix_us();
	new->file.id = uuid_v7(new->file.created_us / 1000);
	TRY(api_write(req, "model_file.create", new->file.id, insert_file, new, err));
	reply->code = 201;
	return reply_file(req, reply, &new->file);
}

/* ---- read ---- */

enum status api_model_file_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row version;
	struct model_file_row *rows;
	struct uuid id;
	size_t count;
	TRY(api_id(req, "id", "model version", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, id, req->arena, &version, err));
	TRY(model_rows_file_list(reader.conn, id, req->arena, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, file_json(req, doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

enum status api_model_file_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row version;
	struct model_file_row row;
	struct uuid id;
	const char *name;
	TRY(api_id(req, "id", "model version", &id, err));
	TRY(api_query_text(req, "name", &name, err));
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, id, req->arena, &version, err));
	TRY(model_rows_file_by_name(reader.conn, id, name, req->arena, &row, err));
	return reply_file(req, reply, &row);
}

enum status api_model_file_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct model_file_row row;
	struct uuid id;
	TRY(api_id(req, "id", "model file", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(model_rows_file_by_id(reader.conn, id, req->arena, &row, err));
	return reply_file(req, reply, &row);
}

/* ---- delete ---- */

struct deletion {
	struct uuid id;
	struct arena *arena;
};

/* Without its model the version is empty again; what a person gave of the recipe stays. */
static enum status empty_version(
	struct db_conn *c, struct model_version_row *version, struct arena *a, struct err *err)
{
	TRY(model_check_free(c, version, true, a, err));
	TRY(admission_given(version->recipe, NULL, a, &version->recipe, err));
	version->onnx_sha256 = version->state_text = version->graph = NULL;
	version->state = "EMPTY";
	return model_rows_version_update(c, version, err);
}

static enum status delete_file(struct db_conn *c, void *arg, struct err *err)
{
	const struct deletion *d = arg;
	struct model_file_row file;
	struct model_version_row version;
	struct object_row object;
	TRY(model_rows_file_by_id(c, d->id, d->arena, &file, err));
	TRY(model_rows_version_by_id(c, file.model_version_id, d->arena, &version, err));
	TRY(object_rows_by_name(c, file.object_name, d->arena, &object, err));
	if (version.onnx_sha256 && object.sha256 && strcmp(version.onnx_sha256, object.sha256) == 0)
		TRY(empty_version(c, &version, d->arena, err));
	return model_rows_file_delete(c, d->id, err);
}

enum status api_model_file_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct deletion d = {.arena = req->arena};
	TRY(api_id(req, "id", "model file", &d.id, err));
	TRY(api_write(req, "model_file.delete", d.id, delete_file, &d, err));
	return http_reply_empty(reply, 204);
}
