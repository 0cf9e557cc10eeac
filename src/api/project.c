/* SPDX-License-Identifier: Apache-2.0 */
/* Projects: where experiments live. Their dataset versions are in project_dataset.c. */
#include "api/nouns.h"
#include "api/project_json.h"
#include "os/clock.h"
#include "store/project_rows.h"

static yyjson_mut_val *project_json(yyjson_mut_doc *doc, const struct project_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_text(doc, object, "description", row->description);
	yyjson_mut_obj_add_int(doc, object, "experiments", row->experiment_count);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

enum status project_reply(struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct project_row row;
	TRY(api_read(req, &reader, err));
	TRY(project_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, project_json(doc, &row));
	return http_reply_json(req, reply, doc);
}

static enum status insert_project(struct db_conn *c, void *arg, struct err *err)
{
	return project_rows_insert(c, arg, err);
}

enum status api_project_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct project_row row = {.description = "", .organization_id = api_of(req)->organization_id};
	TRY(api_check_organization(req, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &row.name, err));
	TRY(api_json_prose(body, "description", &row.description, err));
	row.created_us = clock_unix_us();
	row.id = uuid_v7(row.created_us / 1000);
	TRY(api_write(req, "project.create", row.id, insert_project, &row, err));
	reply->code = 201;
	return project_reply(req, reply, row.id, err);
}

enum status api_project_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct project_row *rows;
	size_t count;
	int64_t total;
	TRY(api_check_organization(req, err));
	TRY(api_page_of(req, QUERY_NOUN_project, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(project_rows_list(reader.conn, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, project_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_project_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct project_row row;
	struct uuid id;
	const char *name = http_query(req, "name"), *id_text = http_query(req, "id");
	TRY(api_check_organization(req, err));
	if (name == NULL && id_text == NULL)
		return err_set(
			err, ST_INVALID, "The query must say the \"name\" or the \"id\" of the project.");
	if (name == NULL && !uuid_parse(id_text, &id))
		return err_set(err, ST_MISSING, "There is no project with the id %.100s.", id_text);
	TRY(api_read(req, &reader, err));
	if (name)
		TRY(project_rows_by_name(reader.conn, name, req->arena, &row, err));
	else
		TRY(project_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, project_json(doc, &row));
	return http_reply_json(req, reply, doc);
}

enum status api_project_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "project", &id, err));
	return project_reply(req, reply, id, err);
}

struct patch {
	struct uuid id;
	const char *name, *description; /* NULL: stays */
	struct arena *arena;
};

static enum status patch_project(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	struct project_row row;
	TRY(project_rows_by_id(c, p->id, p->arena, &row, err));
	if (p->name)
		row.name = p->name;
	if (p->description)
		row.description = p->description;
	return project_rows_update(c, &row, err);
}

enum status api_project_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct patch p = {.arena = req->arena};
	TRY(api_id(req, "id", "project", &p.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &p.name, err));
	TRY(api_json_prose(body, "description", &p.description, err));
	TRY(api_write(req, "project.update", p.id, patch_project, &p, err));
	return project_reply(req, reply, p.id, err);
}

static enum status delete_project(struct db_conn *c, void *arg, struct err *err)
{
	return project_rows_delete(c, *(const struct uuid *)arg, err);
}

enum status api_project_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "project", &id, err));
	TRY(api_write(req, "project.delete", id, delete_project, &id, err));
	return http_reply_empty(reply, 204);
}
