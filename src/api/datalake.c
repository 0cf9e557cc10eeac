/* SPDX-License-Identifier: Apache-2.0 */
/* Datalakes: find and read. The first start makes the one named "default". */
#include "api/api.h"
#include "api/nouns.h"
#include "store/datalake_rows.h"

static yyjson_mut_val *datalake_json(
	struct http_request *req, yyjson_mut_doc *doc, const struct datalake_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_id(doc, object, "connector_id", api_of(req)->connector_id);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

static enum status reply_datalake(
	struct http_request *req, struct http_reply *reply, const struct datalake_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, datalake_json(req, doc, row));
	return http_reply_json(req, reply, doc);
}

/* ?id= or ?name=, or the default. */
enum status api_datalake_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct datalake_row row;
	struct uuid id;
	const char *id_text = http_query(req, "id"), *name = http_query(req, "name");
	TRY(api_check_organization(req, err));
	if (id_text && !uuid_parse(id_text, &id))
		return err_set(err, ST_MISSING, "There is no datalake with the id %.100s.", id_text);
	TRY(api_read(req, &reader, err));
	if (id_text)
		TRY(datalake_rows_by_id(reader.conn, id, req->arena, &row, err));
	else if (name)
		TRY(datalake_rows_by_name(reader.conn, name, req->arena, &row, err));
	else
		TRY(datalake_rows_default(reader.conn, req->arena, &row, err));
	return reply_datalake(req, reply, &row);
}

enum status api_datalake_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct datalake_row *rows;
	size_t count;
	int64_t total;
	TRY(api_check_organization(req, err));
	TRY(api_page(req, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(datalake_rows_list(reader.conn, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, datalake_json(req, doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_datalake_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct datalake_row row;
	struct uuid id;
	TRY(api_id(req, "id", "datalake", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(datalake_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_datalake(req, reply, &row);
}
