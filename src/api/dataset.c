/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets: named series of versions. */
#include "api/dataset_json.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "api/tag_json.h"
#include "learn/assets.h"
#include "os/clock.h"

/* What a list shows of the newest version. */
static enum status add_newest(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	yyjson_mut_val *object, struct uuid dataset_id, struct err *err)
{
	struct dataset_version_row newest;
	int64_t assets = 0;
	const char *cover = NULL;
	bool found;
	TRY(dataset_version_rows_newest(c, dataset_id, req->arena, &newest, &found, err));
	if (found) {
		TRY(asset_rows_count(c, newest.id, &assets, err));
		TRY(asset_rows_cover(c, newest.id, req->arena, &cover, err));
		yyjson_mut_val *version = yyjson_mut_obj_add_obj(doc, object, "newest_version");
		api_add_id(doc, version, "id", newest.id);
		api_add_text(doc, version, "version", newest.version);
	} else {
		yyjson_mut_obj_add_null(doc, object, "newest_version");
	}
	yyjson_mut_obj_add_int(doc, object, "assets", assets);
	api_add_text(
		doc, object, "cover", cover ? presign_download_url(api_of(req), cover, req->arena) : NULL);
	return ST_OK;
}

static enum status dataset_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct dataset_row *row, yyjson_mut_val **out, struct err *err)
{
	struct uuid *ids;
	size_t versions;
	yyjson_mut_val *object = *out = yyjson_mut_obj(doc);
	TRY(dataset_rows_version_ids(c, row->id, req->arena, &ids, &versions, err));
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_text(doc, object, "description", row->description);
	yyjson_mut_obj_add_bool(doc, object, "private", true);
	yyjson_mut_obj_add_int(doc, object, "versions", (int64_t)versions);
	TRY(add_newest(req, c, doc, object, row->id, err));
	api_add_time(doc, object, "created_at", row->created_us);
	return tag_json_of(c, row->id, doc, object, req->arena, err);
}

static enum status reply_dataset(struct http_request *req, struct http_reply *reply, struct db_conn *c,
	const struct dataset_row *row, struct err *err)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root;
	TRY(dataset_json(req, c, doc, row, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

static enum status reply_by_id(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct dataset_row row;
	TRY(api_read(req, &reader, err));
	TRY(dataset_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_dataset(req, reply, reader.conn, &row, err);
}

static enum status insert_dataset(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_rows_insert(c, arg, err);
}

enum status api_dataset_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct dataset_row row = {.description = "", .organization_id = api_of(req)->organization_id};
	TRY(api_check_organization(req, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &row.name, err));
	TRY(api_json_prose(body, "description", &row.description, err));
	row.created_us = clock_unix_us();
	row.id = uuid_v7(row.created_us / 1000);
	TRY(api_write(req, "dataset.create", row.id, insert_dataset, &row, err));
	reply->code = 201;
	return reply_by_id(req, reply, row.id, err);
}

enum status api_dataset_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct dataset_row *rows;
	size_t count;
	int64_t total;
	TRY(api_check_organization(req, err));
	TRY(api_page_of(req, QUERY_NOUN_dataset, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(dataset_rows_list(reader.conn, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		TRY(dataset_json(req, reader.conn, doc, &rows[i], &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_dataset_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct dataset_row row;
	struct uuid id;
	const char *name = http_query(req, "name"), *id_text = http_query(req, "id");
	TRY(api_check_organization(req, err));
	if (name == NULL && id_text == NULL)
		return err_set(
			err, ST_INVALID, "The query must say the \"name\" or the \"id\" of the dataset.");
	if (name == NULL && !uuid_parse(id_text, &id))
		return err_set(err, ST_MISSING, "There is no dataset with the id %.100s.", id_text);
	TRY(api_read(req, &reader, err));
	if (name)
		TRY(dataset_rows_by_name(reader.conn, name, req->arena, &row, err));
	else
		TRY(dataset_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_dataset(req, reply, reader.conn, &row, err);
}

enum status api_dataset_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "dataset", &id, err));
	return reply_by_id(req, reply, id, err);
}

struct patch {
	struct uuid id;
	const char *name, *description; /* NULL: stays */
	struct arena *arena;
};

static enum status patch_dataset(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	struct dataset_row row;
	TRY(dataset_rows_by_id(c, p->id, p->arena, &row, err));
	if (p->name)
		row.name = p->name;
	if (p->description)
		row.description = p->description;
	return dataset_rows_update(c, &row, err);
}

enum status api_dataset_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "dataset", &p.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &p.name, err));
	TRY(api_json_prose(body, "description", &p.description, err));
	TRY(api_write(req, "dataset.update", p.id, patch_dataset, &p, err));
	return reply_by_id(req, reply, p.id, err);
}

static enum status delete_dataset(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	return dataset_rows_delete(c, p->id, err);
}

/* All versions can be deleted, before any of their assets goes. */
static enum status read_deletable(
	struct http_request *req, struct uuid dataset_id, struct uuid **ids, size_t *count, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	TRY(dataset_rows_version_ids(reader.conn, dataset_id, req->arena, ids, count, err));
	for (size_t i = 0; i < *count; i++)
		TRY(dataset_version_rows_check_deletable(reader.conn, (*ids)[i], err));
	return ST_OK;
}

enum status api_dataset_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p = {.arena = req->arena};
	const struct assets_store store = {api_of(req)->readers, api_of(req)->recorder};
	struct uuid *ids;
	size_t count;
	TRY(api_id(req, "id", "dataset", &p.id, err));
	TRY(read_deletable(req, p.id, &ids, &count, err));
	for (size_t i = 0; i < count; i++)
		TRY(assets_delete_all(&store, ids[i], err));
	TRY(api_write(req, "dataset.delete", p.id, delete_dataset, &p, err));
	return http_reply_empty(reply, 204);
}
