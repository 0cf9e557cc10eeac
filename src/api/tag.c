/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: those of a datalake are for its data, those of a dataset version for its assets, those of the
 * organization for models, versions, deployments … */
#include "api/nouns.h"
#include "api/tag_json.h"
#include "base/check.h"
#include "os/clock.h"
#include "store/datalake_rows.h"
#include "store/dataset_rows.h"

#define TARGETS_MAX 10000 /* of one attach */

yyjson_mut_val *tag_json(yyjson_mut_doc *doc, const struct tag_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_text(doc, object, "target_type", row->target_type);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

enum status tag_json_of(struct db_conn *c, struct uuid target_id, yyjson_mut_doc *doc, yyjson_mut_val *object,
	struct arena *a, struct err *err)
{
	struct tag_row *rows;
	size_t count;
	TRY(tag_rows_of(c, target_id, a, &rows, &count, err));
	yyjson_mut_val *tags = yyjson_mut_obj_add_arr(doc, object, "tags");
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(tags, tag_json(doc, &rows[i]));
	return ST_OK;
}

static enum status reply_tag(struct http_request *req, struct http_reply *reply, const struct tag_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, tag_json(doc, row));
	return http_reply_json(req, reply, doc);
}

static enum status check_target_type(const char *text, struct err *err)
{
	static const char *const types[] = {"DATA", "ASSET", "MODEL_VERSION", "MODEL", "DATASET_VERSION",
		"DATASET", "DEPLOYMENT", "PREDICTED_ASSET"};
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(types[i], text) == 0)
			return ST_OK;
	return err_set(err, ST_INVALID,
		"\"target_type\" must be a kind of thing like MODEL_VERSION, not \"%.100s\".", text);
}

/* ---- those of a scope ---- */

/* What is locked, stays as it is: its assets' tags too. */
static enum status check_open(struct db_conn *c, const struct tag_row *t, struct err *err)
{
	if (strcmp(t->target_type, "ASSET") != 0)
		return ST_OK;
	return dataset_version_rows_check_open(c, t->scope_id, err);
}

static enum status insert_tag(struct db_conn *c, void *arg, struct err *err)
{
	TRY(check_open(c, arg, err));
	return tag_rows_insert(c, arg, err);
}

static enum status create(struct http_request *req, struct http_reply *reply, yyjson_val *body,
	struct tag_row *row, struct err *err)
{
	TRY(api_json_name(body, "name", true, &row->name, err));
	row->created_us = clock_unix_us();
	row->id = uuid_v7(row->created_us / 1000);
	TRY(api_write(req, "tag.create", row->id, insert_tag, row, err));
	reply->code = 201;
	return reply_tag(req, reply, row);
}

static enum status list(struct http_request *req, struct http_reply *reply, struct uuid scope_id,
	const char *target_type, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct tag_row *rows;
	size_t count;
	int64_t total;
	TRY(api_page(req, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(tag_rows_list(reader.conn, scope_id, target_type, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, tag_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

static enum status find(struct http_request *req, struct http_reply *reply, struct uuid scope_id,
	const char *target_type, struct err *err)
{
	API_READER reader = {0};
	struct tag_row row;
	const char *name;
	TRY(api_query_text(req, "name", &name, err));
	TRY(api_read(req, &reader, err));
	TRY(tag_rows_by_name(reader.conn, scope_id, target_type, name, req->arena, &row, err));
	return reply_tag(req, reply, &row);
}

static enum status read_datalake(struct http_request *req, struct uuid *id, struct err *err)
{
	API_READER reader = {0};
	struct datalake_row row;
	TRY(api_id(req, "id", "datalake", id, err));
	TRY(api_read(req, &reader, err));
	return datalake_rows_by_id(reader.conn, *id, req->arena, &row, err);
}

enum status api_data_tag_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct tag_row row = {.target_type = "DATA"};
	yyjson_val *body;
	TRY(read_datalake(req, &row.scope_id, err));
	TRY(api_body(req, &body, err));
	return create(req, reply, body, &row, err);
}

enum status api_data_tag_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(read_datalake(req, &id, err));
	return list(req, reply, id, "DATA", err);
}

enum status api_data_tag_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(read_datalake(req, &id, err));
	return find(req, reply, id, "DATA", err);
}

static enum status read_version(struct http_request *req, struct uuid *id, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row row;
	TRY(api_id(req, "id", "dataset version", id, err));
	TRY(api_read(req, &reader, err));
	return dataset_version_rows_by_id(reader.conn, *id, req->arena, &row, err);
}

enum status api_asset_tag_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct tag_row row = {.target_type = "ASSET"};
	yyjson_val *body;
	TRY(read_version(req, &row.scope_id, err));
	TRY(api_body(req, &body, err));
	return create(req, reply, body, &row, err);
}

enum status api_asset_tag_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(read_version(req, &id, err));
	return list(req, reply, id, "ASSET", err);
}

enum status api_asset_tag_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(read_version(req, &id, err));
	return find(req, reply, id, "ASSET", err);
}

enum status api_tag_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct tag_row row = {.scope_id = api_of(req)->organization_id};
	yyjson_val *body;
	TRY(api_check_organization(req, err));
	TRY(api_body(req, &body, err));
	TRY(json_text_required(body, "target_type", &row.target_type, err));
	TRY(check_target_type(row.target_type, err));
	if (strcmp(row.target_type, "ASSET") == 0)
		return err_set(err, ST_INVALID,
			"Tags of assets belong to a dataset version: make it there, with POST "
			"/api/dataset/version/{id}/tags.");
	return create(req, reply, body, &row, err);
}

enum status api_tag_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *target_type = http_query(req, "target_type");
	TRY(api_check_organization(req, err));
	if (target_type)
		TRY(check_target_type(target_type, err));
	return list(req, reply, api_of(req)->organization_id, target_type, err);
}

enum status api_tag_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *target_type;
	TRY(api_check_organization(req, err));
	TRY(api_query_text(req, "target_type", &target_type, err));
	TRY(check_target_type(target_type, err));
	return find(req, reply, api_of(req)->organization_id, target_type, err);
}

/* ---- one tag ---- */

enum status api_tag_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct tag_row row;
	struct uuid id;
	TRY(api_id(req, "id", "tag", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(tag_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_tag(req, reply, &row);
}

struct change {
	struct uuid id;
	const char *name; /* of a PATCH */
	struct uuid *targets;
	size_t target_count;
	struct arena *arena;
	struct tag_row row; /* as it is then */
	int64_t count;      /* of targets that were changed */
};

static enum status rename_tag(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	TRY(tag_rows_by_id(c, change->id, change->arena, &change->row, err));
	if (change->name == NULL)
		return ST_OK;
	TRY(check_open(c, &change->row, err));
	change->row.name = change->name;
	return tag_rows_rename(c, &change->row, err);
}

enum status api_tag_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "tag", &change.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &change.name, err));
	TRY(api_write(req, "tag.update", change.id, rename_tag, &change, err));
	return reply_tag(req, reply, &change.row);
}

static enum status delete_tag(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	TRY(tag_rows_by_id(c, change->id, change->arena, &change->row, err));
	TRY(check_open(c, &change->row, err));
	return tag_rows_delete(c, change->id, err);
}

enum status api_tag_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena};
	TRY(api_id(req, "id", "tag", &change.id, err));
	TRY(api_write(req, "tag.delete", change.id, delete_tag, &change, err));
	return http_reply_empty(reply, 204);
}

/* ---- what it is on ---- */

static enum status read_targets(struct http_request *req, struct change *change, struct err *err)
{
	yyjson_doc *doc;
	TRY(http_json(req, &doc, err));
	yyjson_val *list_of_ids = yyjson_doc_get_root(doc), *value;
	size_t i, count;
	if (!yyjson_is_arr(list_of_ids) || yyjson_arr_size(list_of_ids) > TARGETS_MAX)
		return err_set(err, ST_INVALID, "The body must be a list of at most %d ids.", TARGETS_MAX);
	change->targets = ARENA_ARRAY(req->arena, struct uuid, yyjson_arr_size(list_of_ids) + 1);
	yyjson_arr_foreach (list_of_ids, i, count, value) {
		const char *text = yyjson_get_str(value);
		if (text == NULL || !uuid_parse(text, &change->targets[i]))
			return err_set(err, ST_INVALID, "Element %zu of the list is not an id (a UUID).", i);
	}
	change->target_count = count;
	return ST_OK;
}

static enum status attach(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	TRY(tag_rows_by_id(c, change->id, change->arena, &change->row, err));
	TRY(check_open(c, &change->row, err));
	for (size_t i = 0; i < change->target_count; i++) {
		bool attached;
		TRY(tag_rows_attach(c, &change->row, change->targets[i], &attached, err));
		change->count += attached;
	}
	return ST_OK;
}

static enum status detach(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	TRY(tag_rows_by_id(c, change->id, change->arena, &change->row, err));
	TRY(check_open(c, &change->row, err));
	for (size_t i = 0; i < change->target_count; i++) {
		bool detached;
		TRY(tag_rows_detach(c, change->id, change->targets[i], &detached, err));
		change->count += detached;
	}
	return ST_OK;
}

static enum status change_targets(struct http_request *req, struct http_reply *reply, const char *action,
	recorder_job *job, struct err *err)
{
	struct change change = {.arena = req->arena};
	TRY(api_id(req, "id", "tag", &change.id, err));
	TRY(read_targets(req, &change, err));
	TRY(api_write(req, action, change.id, job, &change, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_val(doc, root, "tag", tag_json(doc, &change.row));
	yyjson_mut_obj_add_int(doc, root, "count", change.count);
	return http_reply_json(req, reply, doc);
}

enum status api_tag_attach(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change_targets(req, reply, "tag.attach", attach, err);
}

enum status api_tag_detach(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change_targets(req, reply, "tag.detach", detach, err);
}
