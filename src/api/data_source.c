/* SPDX-License-Identifier: Apache-2.0 */
/* Data sources: where images came from. */
#include "api/api.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/data_source_rows.h"
#include "watch/watch.h"

static yyjson_mut_val *source_json(yyjson_mut_doc *doc, const struct data_source_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

static enum status reply_source(
	struct http_request *req, struct http_reply *reply, const struct data_source_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, source_json(doc, row));
	return http_reply_json(req, reply, doc);
}

static enum status insert_source(struct db_conn *c, void *arg, struct err *err)
{
	return data_source_rows_insert(c, arg, err);
}

enum status api_data_source_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct data_source_row row = {.created_us = clock_unix_us()};
	TRY(api_check_organization(req, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &row.name, err));
	row.id = uuid_v7(row.created_us / 1000);
	TRY(api_write(req, "data_source.create", row.id, insert_source, &row, err));
	reply->code = 201;
	return reply_source(req, reply, &row);
}

enum status api_data_source_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct data_source_row *rows;
	size_t count;
	int64_t total;
	TRY(api_check_organization(req, err));
	TRY(api_page(req, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(data_source_rows_list(reader.conn, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, source_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_data_source_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct data_source_row row;
	const char *name;
	TRY(api_check_organization(req, err));
	TRY(api_query_text(req, "name", &name, err));
	TRY(api_read(req, &reader, err));
	TRY(data_source_rows_by_name(reader.conn, name, req->arena, &row, err));
	return reply_source(req, reply, &row);
}

enum status api_data_source_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct data_source_row row;
	struct uuid id;
	TRY(api_id(req, "id", "data source", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(data_source_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_source(req, reply, &row);
}

struct rename {
	struct uuid id;
	const char *before;
	const char *name;
	struct arena *arena;
	struct data_source_row row; /* as it is then */
};

static enum status rename_source(struct db_conn *c, void *arg, struct err *err)
{
	struct rename *r = arg;
	TRY(data_source_rows_by_id(c, r->id, r->arena, &r->row, err));
	r->before = r->row.name;
	if (r->name)
		TRY(data_source_rows_rename(c, r->id, r->name, err));
	return data_source_rows_by_id(c, r->id, r->arena, &r->row, err);
}

/* It is done; what was counted follows, now or at the next start. */
static void follow_name(struct http_request *req, const char *before, const char *now)
{
	struct err why;
	if (strcmp(before, now) != 0 && watch_source_renamed(api_of(req)->watch, before, now, &why) != ST_OK)
		log_err("source_not_renamed", &why);
}

enum status api_data_source_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct rename r = {.arena = req->arena};
	TRY(api_id(req, "id", "data source", &r.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &r.name, err));
	TRY(api_write(req, "data_source.update", r.id, rename_source, &r, err));
	follow_name(req, r.before, r.row.name);
	return reply_source(req, reply, &r.row);
}

static enum status delete_source(struct db_conn *c, void *arg, struct err *err)
{
	struct rename *r = arg;
	TRY(data_source_rows_by_id(c, r->id, r->arena, &r->row, err));
	return data_source_rows_delete(c, r->id, err);
}

enum status api_data_source_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rename r = {.arena = req->arena};
	TRY(api_id(req, "id", "data source", &r.id, err));
	TRY(api_write(req, "data_source.delete", r.id, delete_source, &r, err));
	follow_name(req, r.row.name, "");
	return http_reply_empty(reply, 204);
}
