/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of labels: a tree in each dataset version (COCO's supercategories). */
#include "api/label_json.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "store/dataset_rows.h"

static yyjson_mut_val *group_json(yyjson_mut_doc *doc, const struct label_group_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_id(doc, object, "parent_id", row->parent_id);
	return object;
}

static enum status reply_group(
	struct http_request *req, struct http_reply *reply, const struct label_group_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, group_json(doc, row));
	return http_reply_json(req, reply, doc);
}

enum status api_label_group_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct label_group_row *rows;
	struct uuid id;
	size_t count;
	TRY(label_read_version(req, &id, err));
	TRY(api_read(req, &reader, err));
	TRY(label_group_rows_list(reader.conn, id, req->arena, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, group_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

static enum status insert_group(struct db_conn *c, void *arg, struct err *err)
{
	const struct label_group_row *row = arg;
	TRY(dataset_version_rows_touch(c, row->dataset_version_id, err));
	return label_group_rows_insert(c, row, err);
}

enum status api_label_group_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct label_group_row row = {.created_us = clock_unix_us()};
	yyjson_val *body;
	row.id = uuid_v7(row.created_us / 1000);
	TRY(label_read_version(req, &row.dataset_version_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &row.name, err));
	TRY(api_json_id(body, "parent_id", false, &row.parent_id, err));
	TRY(api_write(req, "label_group.create", row.id, insert_group, &row, err));
	reply->code = 201;
	return reply_group(req, reply, &row);
}

enum status api_label_group_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct label_group_row row;
	struct uuid id;
	TRY(api_id(req, "id", "label group", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(label_group_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_group(req, reply, &row);
}

struct change {
	struct uuid id;
	const char *name;
	struct uuid parent_id;
	bool parent, remove;
	struct label_group_row row;
	struct arena *arena;
};

static enum status change_group(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	struct label_group_row *row = &change->row;
	TRY(label_group_rows_by_id(c, change->id, change->arena, row, err));
	TRY(dataset_version_rows_touch(c, row->dataset_version_id, err));
	if (change->remove)
		return label_group_rows_delete(c, row->id, err);
	if (change->name)
		row->name = change->name;
	if (change->parent)
		row->parent_id = change->parent_id;
	return label_group_rows_update(c, row, err);
}

enum status api_label_group_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "label group", &change.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &change.name, err));
	TRY(api_json_id(body, "parent_id", false, &change.parent_id, err));
	change.parent = yyjson_obj_get(body, "parent_id") != NULL;
	TRY(api_write(req, "label_group.update", change.id, change_group, &change, err));
	return reply_group(req, reply, &change.row);
}

enum status api_label_group_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena, .remove = true};
	TRY(api_id(req, "id", "label group", &change.id, err));
	TRY(api_write(req, "label_group.delete", change.id, change_group, &change, err));
	return http_reply_empty(reply, 204);
}
