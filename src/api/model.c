/* SPDX-License-Identifier: Apache-2.0 */
/* Models: the entries of the registry. */
#include "api/model_json.h"
#include "api/nouns.h"
#include "api/tag_json.h"
#include "os/clock.h"

yyjson_mut_val *model_json(yyjson_mut_doc *doc, const struct model_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_text(doc, object, "description", row->description);
	yyjson_mut_obj_add_bool(doc, object, "private", true);
	api_add_text(doc, object, "type", row->type ? row->type : "NOT_CONFIGURED");
	yyjson_mut_obj_add_int(doc, object, "versions", row->version_count);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

static enum status reply_model(struct http_request *req, struct http_reply *reply, struct db_conn *c,
	const struct model_row *row, struct err *err)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root = model_json(doc, row);
	yyjson_mut_doc_set_root(doc, root);
	TRY(tag_json_of(c, row->id, doc, root, req->arena, err));
	return http_reply_json(req, reply, doc);
}

static enum status reply_by_id(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct model_row row;
	TRY(api_read(req, &reader, err));
	TRY(model_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_model(req, reply, reader.conn, &row, err);
}

static enum status insert_model(struct db_conn *c, void *arg, struct err *err)
{
	return model_rows_insert(c, arg, err);
}

enum status api_model_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct model_row row = {.description = "", .organization_id = api_of(req)->organization_id};
	TRY(api_check_organization(req, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &row.name, err));
	TRY(api_json_prose(body, "description", &row.description, err));
	row.created_us = clock_unix_us();
	row.id = uuid_v7(row.created_us / 1000);
	TRY(api_write(req, "model.create", row.id, insert_model, &row, err));
	reply->code = 201;
	return reply_by_id(req, reply, row.id, err);
}

enum status api_model_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct model_row *rows;
	size_t count;
	int64_t total;
	TRY(api_check_organization(req, err));
	TRY(api_page_of(req, QUERY_NOUN_model, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(model_rows_list(reader.conn, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, model_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_model_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct model_row row;
	struct uuid id;
	const char *name = http_query(req, "name"), *id_text = http_query(req, "id");
	TRY(api_check_organization(req, err));
	if (name == NULL && id_text == NULL)
		return err_set(
			err, ST_INVALID, "The query must say the \"name\" or the \"id\" of the model.");
	if (name == NULL && !uuid_parse(id_text, &id))
		return err_set(err, ST_MISSING, "There is no model with the id %.100s.", id_text);
	TRY(api_read(req, &reader, err));
	if (name)
		TRY(model_rows_by_name(reader.conn, name, req->arena, &row, err));
	else
		TRY(model_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_model(req, reply, reader.conn, &row, err);
}

/* There is no public registry here; the SDK may look into it. */
enum status api_model_list_public(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	return api_reply_list(req, reply, doc, yyjson_mut_arr(doc), 0);
}

enum status api_model_find_public(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return err_set(err, ST_MISSING, "There is no such public model.");
}

enum status api_model_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "model", &id, err));
	return reply_by_id(req, reply, id, err);
}

struct patch {
	struct uuid id;
	const char *name, *description; /* NULL: stays */
	struct arena *arena;
};

static enum status patch_model(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	struct model_row row;
	TRY(model_rows_by_id(c, p->id, p->arena, &row, err));
	if (p->name)
		row.name = p->name;
	if (p->description)
		row.description = p->description;
	return model_rows_update(c, &row, err);
}

enum status api_model_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "model", &p.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &p.name, err));
	TRY(api_json_prose(body, "description", &p.description, err));
	TRY(api_write(req, "model.update", p.id, patch_model, &p, err));
	return reply_by_id(req, reply, p.id, err);
}

static enum status delete_model(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	const char *deployment;
	TRY(model_rows_deployment(c, p->id, p->arena, &deployment, err));
	if (deployment)
		return err_set(err, ST_CONFLICT,
			"A version of this model is, or was, in the deployment %.200s: delete that first.",
			deployment);
	return model_rows_delete(c, p->id, err);
}

enum status api_model_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p = {.arena = req->arena};
	TRY(api_id(req, "id", "model", &p.id, err));
	TRY(api_write(req, "model.delete", p.id, delete_model, &p, err));
	return http_reply_empty(reply, 204);
}
