/* SPDX-License-Identifier: Apache-2.0 */
/* Model versions: create, list, read, change, delete. What clients may write of one is read in
 * model_version_fields.c. */
#include "api/model_admission.h"
#include "api/model_json.h"
#include "api/model_version_fields.h"
#include "api/nouns.h"
#include "api/tag_json.h"
#include "os/clock.h"
#include "store/dataset_rows.h"
#include "store/experiment_rows.h"

#include <inttypes.h>
#include <stdlib.h>

static enum status reply_version(struct http_request *req, struct http_reply *reply, struct db_conn *c,
	const struct model_version_row *row, struct err *err)
{
	struct model_row model;
	TRY(model_rows_by_id(c, row->model_id, req->arena, &model, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root;
	TRY(model_version_json(req, c, doc, row, &model, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	TRY(tag_json_of(c, row->id, doc, root, req->arena, err));
	return http_reply_json(req, reply, doc);
}

enum status model_version_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row row;
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, id, req->arena, &row, err));
	return reply_version(req, reply, reader.conn, &row, err);
}

enum status model_check_free(
	struct db_conn *c, const struct model_version_row *row, bool past, struct arena *a, struct err *err)
{
	const char *deployment;
	TRY(model_rows_version_deployment(c, row->id, past, a, &deployment, err));
	if (deployment == NULL)
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"Version %" PRId64 " %s the deployment %.200s, so this cannot change: %s.", row->version,
		past ? "is, or was, in" : "is in", deployment,
		past ? "delete that first" : "make a new version");
}

/* ---- create ---- */

struct creation {
	struct model_version_row row;
	struct arena *arena;
};

static enum status insert_version(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *new = arg;
	struct model_row model;
	TRY(model_rows_by_id(c, new->row.model_id, new->arena, &model, err));
	TRY(model_rows_next_version(c, new->row.model_id, &new->row.version, err));
	if (new->row.name == NULL)
		new->row.name = arena_printf(new->arena, "v%" PRId64, new->row.version);
	return model_rows_version_insert(c, &new->row, err);
}

enum status api_model_version_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct model_version_fields fields;
	struct creation new = {
		.row = {.description = "",
			.type = "NOT_CONFIGURED",
			.framework = "NOT_CONFIGURED",
			.state = "EMPTY"},
		.arena = req->arena,
	};
	TRY(api_id(req, "id", "model", &new.row.model_id, err));
	TRY(api_body(req, &body, err));
	TRY(model_version_fields_read(req, body, &fields, err));
	TRY(model_version_fields_apply(&fields, req->arena, &new.row, err));
	if (fields.recipe)
		TRY(admission_given(NULL, fields.recipe, req->arena, &new.row.recipe, err));
	new.row.created_us = clock_unix_us();
	new.row.id = uuid_v7(new.row.created_us / 1000);
	TRY(api_write(req, "model_version.create", new.row.id, insert_version, &new, err));
	reply->code = 201;
	return model_version_reply(req, reply, new.row.id, err);
}

/* ---- read ---- */

enum status api_model_version_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct model_row model;
	struct model_version_row *rows;
	struct uuid id;
	size_t count;
	int64_t total;
	TRY(api_id(req, "id", "model", &id, err));
	TRY(api_page_of(req, QUERY_NOUN_model_version, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(model_rows_by_id(reader.conn, id, req->arena, &model, err));
	TRY(model_rows_version_list(reader.conn, id, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		TRY(model_version_json(req, reader.conn, doc, &rows[i], &model, &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}

/* ?version= (a number) or ?name=. */
enum status api_model_version_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row row;
	struct model_row model;
	struct uuid id;
	const char *number = http_query(req, "version"), *name = http_query(req, "name");
	TRY(api_id(req, "id", "model", &id, err));
	if (number == NULL && name == NULL)
		return err_set(
			err, ST_INVALID, "The query must say the \"version\" (its number) or the \"name\".");
	if (number &&
		(*number == '\0' || strlen(number) > 9 || strspn(number, "0123456789") != strlen(number)))
		return err_set(err, ST_INVALID, "\"version\" must be a number from 0.");
	TRY(api_read(req, &reader, err));
	TRY(model_rows_by_id(reader.conn, id, req->arena, &model, err));
	if (number)
		TRY(model_rows_version_by_number(
			reader.conn, id, strtoll(number, NULL, 10), req->arena, &row, err));
	else
		TRY(model_rows_version_by_name(reader.conn, id, name, req->arena, &row, err));
	return reply_version(req, reply, reader.conn, &row, err);
}

enum status api_model_version_find_by_id(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *text;
	struct uuid id;
	TRY(api_check_organization(req, err));
	TRY(api_query_text(req, "id", &text, err));
	if (!uuid_parse(text, &id))
		return err_set(err, ST_MISSING, "There is no model version with the id %.100s.", text);
	return model_version_reply(req, reply, id, err);
}

enum status api_model_version_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "model version", &id, err));
	return model_version_reply(req, reply, id, err);
}

/* Where a version comes from: no experiments are kept yet. */
/* The dataset versions that it was trained on, as they were. */
static enum status add_datas(struct db_conn *c, struct uuid experiment_id, yyjson_mut_doc *doc,
	yyjson_mut_val *object, struct arena *a, struct err *err)
{
	struct experiment_dataset_row *rows = NULL;
	size_t count = 0;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "datas");
	if (!uuid_is_zero(experiment_id))
		TRY(experiment_rows_datasets(c, experiment_id, a, &rows, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct dataset_version_row version;
		TRY(dataset_version_rows_by_id(c, rows[i].dataset_version_id, a, &version, err));
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		api_add_id(doc, item, "id", version.dataset_id);
		api_add_text(doc, item, "name", rows[i].name);
		api_add_id(doc, item, "version_id", version.id);
		yyjson_mut_obj_add_int(doc, item, "revision", rows[i].revision);
		yyjson_mut_obj_add_obj(doc, item, "repartition");
	}
	return ST_OK;
}

enum status api_model_version_context(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row row;
	struct uuid id;
	TRY(api_id(req, "id", "model version", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_id(doc, root, "id", row.id);
	api_add_id(doc, root, "experiment_id", row.experiment_id);
	TRY(add_datas(reader.conn, row.experiment_id, doc, root, req->arena, err));
	api_add_json(doc, root, "parameters", row.parameters, req->arena);
	return http_reply_json(req, reply, doc);
}

/* ---- change ---- */

struct patch {
	struct uuid id;
	struct model_version_fields fields;
	struct arena *arena;
	struct model_version_row before; /* as it was read */
	struct model_version_row after;  /* with the fields; admitted when `admitted` */
	bool admitted;
};

static enum status patch_version(struct db_conn *c, void *arg, struct err *err)
{
	struct patch *p = arg;
	struct model_version_row row;
	TRY(model_rows_version_by_id(c, p->id, p->arena, &row, err));
	TRY(model_admission_check_same(&p->before, &row, err));
	TRY(model_version_fields_apply(&p->fields, p->arena, &row, err));
	if (model_version_fields_need_admission(&p->before, &row))
		TRY(model_check_free(c, &row, false, p->arena, err));
	row.recipe = p->after.recipe;
	if (p->admitted) {
		row.state = p->after.state;
		row.state_text = p->after.state_text;
		row.graph = p->after.graph;
	}
	return model_rows_version_update(c, &row, err);
}

static enum status read_before(struct http_request *req, struct patch *p, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, p->id, req->arena, &p->before, err));
	p->after = p->before;
	TRY(model_version_fields_apply(&p->fields, req->arena, &p->after, err));
	if (model_version_fields_need_admission(&p->before, &p->after))
		TRY(model_check_free(reader.conn, &p->before, false, req->arena, err));
	return ST_OK;
}

/* Labels and type say how the outputs are read, so the file must still fit them. */
static enum status admit_again(struct http_request *req, struct patch *p, struct err *err)
{
	const char *given;
	if (p->before.onnx_sha256 == NULL || !model_version_fields_need_admission(&p->before, &p->after))
		return ST_OK;
	TRY(admission_given(p->before.recipe, NULL, req->arena, &given, err));
	TRY(admission_run(api_of(req)->blobs, &p->after, given, req->arena, err));
	if (strcmp(p->after.state, "READY") != 0)
		return err_set(err, ST_UNPROCESSABLE, "%s", p->after.state_text);
	p->admitted = true;
	return ST_OK;
}

enum status api_model_version_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct patch *p = ARENA_NEW(req->arena, struct patch);
	p->arena = req->arena;
	TRY(api_id(req, "id", "model version", &p->id, err));
	TRY(api_body(req, &body, err));
	TRY(model_version_fields_read(req, body, &p->fields, err));
	TRY(read_before(req, p, err));
	if (p->fields.recipe && p->before.onnx_sha256)
		return err_set(err, ST_CONFLICT,
			"A recipe does not change once there is a file: POST it to "
			"/api/model/version/{id}/recipe,"
			" which makes a new version.");
	if (p->fields.recipe)
		TRY(admission_given(p->before.recipe, p->fields.recipe, req->arena, &p->after.recipe, err));
	TRY(admit_again(req, p, err));
	TRY(api_write(req, "model_version.update", p->id, patch_version, p, err));
	return model_version_reply(req, reply, p->id, err);
}

/* ---- delete ---- */

static enum status delete_version(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	struct model_version_row row;
	TRY(model_rows_version_by_id(c, p->id, p->arena, &row, err));
	TRY(model_check_free(c, &row, true, p->arena, err));
	return model_rows_version_delete(c, p->id, err);
}

enum status api_model_version_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch *p = ARENA_NEW(req->arena, struct patch);
	p->arena = req->arena;
	TRY(api_id(req, "id", "model version", &p->id, err));
	TRY(api_write(req, "model_version.delete", p->id, delete_version, p, err));
	return http_reply_empty(reply, 204);
}
