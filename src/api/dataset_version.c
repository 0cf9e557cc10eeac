/* SPDX-License-Identifier: Apache-2.0 */
/* Dataset versions: labelled selections of data. */
#include "api/dataset_json.h"
#include "api/nouns.h"
#include "api/tag_json.h"
#include "base/check.h"
#include "learn/assets.h"
#include "os/clock.h"

enum status dataset_version_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct dataset_version_row *row, yyjson_mut_val **out, struct err *err)
{
	struct dataset_version_counts counts;
	yyjson_mut_val *object = *out = yyjson_mut_obj(doc);
	TRY(dataset_version_rows_counts(c, row->id, &counts, err));
	api_add_id(doc, object, "id", row->id);
	api_add_id(doc, object, "origin_id", row->dataset_id);
	api_add_text(doc, object, "origin_name", row->dataset_name);
	api_add_text(doc, object, "version", row->version);
	api_add_text(doc, object, "type", row->type);
	yyjson_mut_obj_add_null(doc, object, "annotation_campaign_id");
	api_add_text(doc, object, "description", row->description);
	yyjson_mut_obj_add_int(doc, object, "revision", row->revision);
	yyjson_mut_obj_add_bool(doc, object, "locked", row->locked_us != 0);
	api_add_time(doc, object, "locked_at", row->locked_us);
	api_add_text(doc, object, "hash", row->locked_hash);
	api_add_time(doc, object, "created_at", row->created_us);
	api_add_id(doc, object, "forked_from_id", row->forked_from_id);
	yyjson_mut_obj_add_int(doc, object, "assets", counts.assets);
	yyjson_mut_obj_add_int(doc, object, "annotated", counts.annotated);
	yyjson_mut_obj_add_int(doc, object, "labels", counts.labels);
	return tag_json_of(c, row->id, doc, object, req->arena, err);
}

static enum status reply_row(struct http_request *req, struct http_reply *reply, struct db_conn *c,
	const struct dataset_version_row *row, struct err *err)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root;
	TRY(dataset_version_json(req, c, doc, row, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

enum status dataset_version_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row row;
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_row(req, reply, reader.conn, &row, err);
}

enum status dataset_version_of_path(
	struct http_request *req, struct db_conn *c, struct dataset_version_row *out, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "dataset version", &id, err));
	return dataset_version_rows_by_id(c, id, req->arena, out, err);
}

enum status dataset_version_read(
	yyjson_val *body, bool required, struct dataset_version_row *row, struct err *err)
{
	static const char *const types[] = {"NOT_CONFIGURED", "CLASSIFICATION", "OBJECT_DETECTION",
		"SEGMENTATION", "POINT", "KEYPOINT", "LINE", "MULTI"};
	const char *type = NULL;
	TRY(api_json_name(body, "version", required, &row->version, err));
	TRY(api_json_prose(body, "description", &row->description, err));
	TRY(json_text(body, "type", &type, err));
	for (size_t i = 0; type && i < COUNT_OF(types); i++) {
		if (strcmp(types[i], type) != 0)
			continue;
		row->type = types[i];
		return ST_OK;
	}
	return type == NULL
		       ? ST_OK
		       : err_set(err, ST_INVALID,
				 "\"type\" must be an inference type like OBJECT_DETECTION, not \"%.100s\".",
				 type);
}

/* ---- those of a dataset ---- */

static enum status insert_version(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_insert(c, arg, err);
}

enum status api_dataset_version_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct dataset_version_row row = {.description = "", .type = "NOT_CONFIGURED"};
	TRY(api_id(req, "id", "dataset", &row.dataset_id, err));
	TRY(api_body(req, &body, err));
	TRY(dataset_version_read(body, true, &row, err));
	row.created_us = clock_unix_us();
	row.id = uuid_v7(row.created_us / 1000);
	TRY(api_write(req, "dataset_version.create", row.id, insert_version, &row, err));
	reply->code = 201;
	return dataset_version_reply(req, reply, row.id, err);
}

static enum status read_dataset(
	struct http_request *req, struct db_conn *c, struct dataset_row *out, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "dataset", &id, err));
	return dataset_rows_by_id(c, id, req->arena, out, err);
}

enum status api_dataset_version_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct dataset_row dataset;
	struct rows_page page;
	struct dataset_version_row *rows;
	size_t count;
	int64_t total;
	TRY(api_page_of(req, QUERY_NOUN_dataset_version, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(read_dataset(req, reader.conn, &dataset, err));
	TRY(dataset_version_rows_list(
		reader.conn, dataset.id, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		TRY(dataset_version_json(req, reader.conn, doc, &rows[i], &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}

/* dataset_id zero: of any. */
static enum status find_by_id(struct http_request *req, struct db_conn *c, struct uuid dataset_id,
	struct dataset_version_row *out, struct err *err)
{
	const char *text = http_query(req, "id");
	struct uuid id;
	if (text == NULL)
		return err_set(err, ST_INVALID, "The query must say the \"id\" of the dataset version%s.",
			uuid_is_zero(dataset_id) ? "" : ", or its \"version\"");
	if (!uuid_parse(text, &id))
		return err_set(err, ST_MISSING, "There is no dataset version with the id %.100s.", text);
	TRY(dataset_version_rows_by_id(c, id, req->arena, out, err));
	if (uuid_is_zero(dataset_id) || uuid_equal(dataset_id, out->dataset_id))
		return ST_OK;
	return err_set(err, ST_MISSING, "This dataset has no version with the id %.100s.", text);
}

enum status api_dataset_version_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct dataset_row dataset;
	struct dataset_version_row row;
	const char *version = http_query(req, "version");
	TRY(api_read(req, &reader, err));
	TRY(read_dataset(req, reader.conn, &dataset, err));
	if (version)
		TRY(dataset_version_rows_by_name(reader.conn, dataset.id, version, req->arena, &row, err));
	else
		TRY(find_by_id(req, reader.conn, dataset.id, &row, err));
	return reply_row(req, reply, reader.conn, &row, err);
}

enum status api_dataset_version_find_by_id(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row row;
	TRY(api_check_organization(req, err));
	TRY(api_read(req, &reader, err));
	TRY(find_by_id(req, reader.conn, (struct uuid){{0}}, &row, err));
	return reply_row(req, reply, reader.conn, &row, err);
}

/* ---- one version ---- */

enum status api_dataset_version_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "dataset version", &id, err));
	return dataset_version_reply(req, reply, id, err);
}

struct patch {
	struct uuid id;
	yyjson_val *body;
	struct arena *arena;
};

static enum status patch_version(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	struct dataset_version_row row;
	TRY(dataset_version_rows_check_open(c, p->id, err));
	TRY(dataset_version_rows_by_id(c, p->id, p->arena, &row, err));
	TRY(dataset_version_read(p->body, false, &row, err));
	return dataset_version_rows_update(c, &row, err);
}

enum status api_dataset_version_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p = {.arena = req->arena};
	TRY(api_id(req, "id", "dataset version", &p.id, err));
	TRY(api_body(req, &p.body, err));
	TRY(api_write(req, "dataset_version.update", p.id, patch_version, &p, err));
	return dataset_version_reply(req, reply, p.id, err);
}

static enum status delete_version(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	return dataset_version_rows_delete(c, p->id, err);
}

static enum status check_deletable(struct http_request *req, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	return dataset_version_rows_check_deletable(reader.conn, id, err);
}

/* Its assets first, so that the last step is short. */
enum status api_dataset_version_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p = {.arena = req->arena};
	const struct assets_store store = {api_of(req)->readers, api_of(req)->recorder};
	TRY(api_id(req, "id", "dataset version", &p.id, err));
	TRY(check_deletable(req, p.id, err));
	TRY(assets_delete_all(&store, p.id, err));
	TRY(api_write(req, "dataset_version.delete", p.id, delete_version, &p, err));
	return http_reply_empty(reply, 204);
}

/* ---- the lock ---- */

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

enum status api_dataset_version_lock(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const struct assets_store store = {api_of(req)->readers, api_of(req)->recorder};
	struct uuid id;
	TRY(api_id(req, "id", "dataset version", &id, err));
	TRY(assets_lock(&store, id, err));
	TRY(api_write(req, "dataset_version.lock", id, nothing, NULL, err)); /* for the audit log */
	return dataset_version_reply(req, reply, id, err);
}

static enum status unlock_version(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	return dataset_version_rows_set_locked(c, p->id, 0, NULL, err);
}

enum status api_dataset_version_unlock(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p = {.arena = req->arena};
	TRY(api_id(req, "id", "dataset version", &p.id, err));
	TRY(api_write(req, "dataset_version.unlock", p.id, unlock_version, &p, err));
	return dataset_version_reply(req, reply, p.id, err);
}
