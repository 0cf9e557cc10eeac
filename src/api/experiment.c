/* SPDX-License-Identifier: Apache-2.0 */
/* Experiments: create, list, read, change, delete. Their parts are in experiment_*.c and artifact.c. */
#include "api/experiment_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "base/check.h"
#include "os/clock.h"
#include "store/project_rows.h"

static const char *const statuses[] = {"RUNNING", "CANCELED", "TERMINATED", "FAILED", "WAITING", "SUCCESS"};

#define IDS_MAX 1000 /* of one request */

yyjson_mut_val *experiment_json(yyjson_mut_doc *doc, const struct experiment_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_text(doc, object, "description", row->description);
	api_add_id(doc, object, "project_id", row->project_id);
	api_add_text(doc, object, "status", row->status);
	api_add_id(doc, object, "base_model_version_id", row->base_model_version_id);
	api_add_id(doc, object, "base_experiment_id", row->base_experiment_id);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

static enum status reply_row(
	struct http_request *req, struct http_reply *reply, const struct experiment_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, experiment_json(doc, row));
	return http_reply_json(req, reply, doc);
}

enum status experiment_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row row;
	TRY(api_read(req, &reader, err));
	TRY(experiment_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_row(req, reply, &row);
}

/* ---- create ---- */

struct creation {
	struct experiment_row row;
	const char *parameters; /* JSON, or NULL */
	struct arena *arena;
};

static enum status insert_experiment(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *new = arg;
	struct project_row project;
	const struct experiment_row *row = &new->row;
	TRY(project_rows_by_id(c, row->project_id, new->arena, &project, err));
	TRY(experiment_rows_insert(c, row, err));
	if (new->parameters) {
		struct experiment_log_row log = {.experiment_id = row->id,
			.name = "parameters",
			.type = "TABLE",
			.data = new->parameters};
		TRY(experiment_log_put(c, &log, false, new->arena, err));
	}
	if (!uuid_is_zero(row->base_experiment_id))
		TRY(experiment_inherit(c, row->id, row->base_experiment_id, new->arena, err));
	if (!uuid_is_zero(row->base_model_version_id))
		TRY(experiment_inherit_version(
			c, row->id, row->base_model_version_id, INHERIT_WHERE_NONE, new->arena, err));
	return ST_OK;
}

enum status api_experiment_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct creation new = {.row = {.description = "", .status = "WAITING"}, .arena = req->arena};
	TRY(api_id(req, "id", "project", &new.row.project_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &new.row.name, err));
	TRY(api_json_prose(body, "description", &new.row.description, err));
	TRY(api_json_stored(req, body, "parameters", &new.parameters, err));
	TRY(api_json_id(body, "base_experiment_id", false, &new.row.base_experiment_id, err));
	TRY(api_json_id(body, "base_model_version_id", false, &new.row.base_model_version_id, err));
	new.row.created_us = clock_unix_us();
	new.row.id = uuid_v7(new.row.created_us / 1000);
	TRY(api_write(req, "experiment.create", new.row.id, insert_experiment, &new, err));
	reply->code = 201;
	return experiment_reply(req, reply, new.row.id, err);
}

/* ---- read ---- */

static enum status list_rows(struct http_request *req, const struct rows_page *page,
	struct experiment_row **rows, size_t *count, int64_t *total, struct err *err)
{
	API_READER reader = {0};
	struct project_row project;
	struct uuid id;
	TRY(api_id(req, "id", "project", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(project_rows_by_id(reader.conn, id, req->arena, &project, err));
	return experiment_rows_list(reader.conn, id, page, req->arena, rows, count, total, err);
}

enum status api_experiment_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page;
	struct experiment_row *rows;
	size_t count;
	int64_t total;
	TRY(api_page_of(req, QUERY_NOUN_experiment, &page, err));
	TRY(list_rows(req, &page, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, experiment_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_experiment_ids(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page = {.limit = 100000};
	struct experiment_row *rows;
	size_t count;
	int64_t total;
	TRY(list_rows(req, &page, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *ids = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		id_list_append(doc, ids, rows[i].id);
	yyjson_mut_doc_set_root(doc, ids);
	return http_reply_json(req, reply, doc);
}

/* Within a project by name or id; within the organization by id alone. */
static enum status find(
	struct http_request *req, struct http_reply *reply, const struct uuid *project_id, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row row;
	struct uuid id;
	const char *id_text = http_query(req, "id"), *name = project_id ? http_query(req, "name") : NULL;
	if (name == NULL && id_text == NULL)
		return err_set(err, ST_INVALID, "The query must say the \"id\"%s of the experiment.",
			project_id ? " or the \"name\"" : "");
	if (name == NULL && !uuid_parse(id_text, &id))
		return err_set(err, ST_MISSING, "There is no experiment with the id %.100s.", id_text);
	TRY(api_read(req, &reader, err));
	if (name)
		TRY(experiment_rows_by_name(reader.conn, *project_id, name, req->arena, &row, err));
	else
		TRY(experiment_rows_by_id(reader.conn, id, req->arena, &row, err));
	if (project_id && !uuid_equal(*project_id, row.project_id))
		return err_set(err, ST_MISSING, "That experiment is in another project.");
	return reply_row(req, reply, &row);
}

enum status api_experiment_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid project_id;
	TRY(api_id(req, "id", "project", &project_id, err));
	return find(req, reply, &project_id, err);
}

enum status api_experiment_find_by_id(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(api_check_organization(req, err));
	return find(req, reply, NULL, err);
}

enum status api_experiment_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "experiment", &id, err));
	return experiment_reply(req, reply, id, err);
}

/* ---- change ---- */

struct patch {
	struct uuid id;
	const char *name, *description, *status; /* NULL: stays */
	struct arena *arena;
};

static enum status patch_experiment(struct db_conn *c, void *arg, struct err *err)
{
	const struct patch *p = arg;
	struct experiment_row row;
	TRY(experiment_rows_by_id(c, p->id, p->arena, &row, err));
	if (p->name)
		row.name = p->name;
	if (p->description)
		row.description = p->description;
	if (p->status)
		row.status = p->status;
	return experiment_rows_update(c, &row, err);
}

static enum status check_status(const char *status, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (strcmp(statuses[i], status) == 0)
			return ST_OK;
	return err_set(err, ST_INVALID,
		"\"status\" must be WAITING, RUNNING, SUCCESS, FAILED, CANCELED or TERMINATED, not "
		"\"%.50s\".",
		status);
}

enum status api_experiment_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct patch p = {.arena = req->arena};
	TRY(api_id(req, "id", "experiment", &p.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &p.name, err));
	TRY(api_json_prose(body, "description", &p.description, err));
	TRY(json_text(body, "status", &p.status, err));
	if (p.status)
		TRY(check_status(p.status, err));
	TRY(api_write(req, "experiment.update", p.id, patch_experiment, &p, err));
	return experiment_reply(req, reply, p.id, err);
}

/* The status of the training itself, as a trainer elsewhere tells it. */
enum status api_experiment_job_status(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return api_experiment_patch(req, reply, err);
}

/* ---- what it starts from ---- */

struct base {
	struct uuid id, base_id;
	enum inherit_parameters parameters;
	struct arena *arena;
};

static enum status set_base_version(struct db_conn *c, void *arg, struct err *err)
{
	const struct base *b = arg;
	struct experiment_row row;
	TRY(experiment_rows_by_id(c, b->id, b->arena, &row, err));
	row.base_model_version_id = b->base_id;
	TRY(experiment_inherit_version(c, b->id, b->base_id, b->parameters, b->arena, err));
	return experiment_rows_update(c, &row, err);
}

enum status api_experiment_set_model(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct base b = {.arena = req->arena};
	TRY(api_id(req, "id", "experiment", &b.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "model_version_id", true, &b.base_id, err));
	yyjson_val *attach = yyjson_obj_get(body, "do_attach_base_parameters");
	b.parameters = yyjson_is_true(attach)    ? INHERIT_ALWAYS
		       : yyjson_is_false(attach) ? INHERIT_NEVER
						 : INHERIT_WHERE_NONE;
	TRY(api_write(req, "experiment.set_model", b.id, set_base_version, &b, err));
	return experiment_reply(req, reply, b.id, err);
}

static enum status set_base_experiment(struct db_conn *c, void *arg, struct err *err)
{
	const struct base *b = arg;
	struct experiment_row row, from;
	TRY(experiment_rows_by_id(c, b->id, b->arena, &row, err));
	TRY(experiment_rows_by_id(c, b->base_id, b->arena, &from, err));
	if (uuid_equal(b->id, b->base_id))
		return err_set(err, ST_INVALID, "An experiment cannot start from itself.");
	row.base_experiment_id = b->base_id;
	if (uuid_is_zero(row.base_model_version_id))
		row.base_model_version_id = from.base_model_version_id;
	TRY(experiment_inherit(c, b->id, b->base_id, b->arena, err));
	return experiment_rows_update(c, &row, err);
}

enum status api_experiment_set_experiment(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct base b = {.arena = req->arena};
	TRY(api_id(req, "id", "experiment", &b.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "base_experiment_id", true, &b.base_id, err));
	TRY(api_write(req, "experiment.set_experiment", b.id, set_base_experiment, &b, err));
	return experiment_reply(req, reply, b.id, err);
}

/* ---- delete ---- */

struct deletion {
	struct uuid project_id; /* zero: any */
	struct uuid *ids;
	size_t count;
	struct arena *arena;
};

static enum status delete_experiments(struct db_conn *c, void *arg, struct err *err)
{
	const struct deletion *d = arg;
	for (size_t i = 0; i < d->count; i++) {
		struct experiment_row row;
		TRY(experiment_rows_by_id(c, d->ids[i], d->arena, &row, err));
		if (!uuid_is_zero(d->project_id) && !uuid_equal(d->project_id, row.project_id))
			return err_set(
				err, ST_MISSING, "The experiment %.200s is in another project.", row.name);
		TRY(experiment_rows_delete(c, row.id, err));
	}
	return ST_OK;
}

enum status api_experiment_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct deletion d = {.ids = &id, .count = 1, .arena = req->arena};
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_write(req, "experiment.delete", id, delete_experiments, &d, err));
	return http_reply_empty(reply, 204);
}

/* All or none. */
enum status api_experiment_delete_many(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct deletion d = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "project", &d.project_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", IDS_MAX, &d.ids, &d.count, err));
	TRY(api_write(req, "experiment.delete", d.project_id, delete_experiments, &d, err));
	return http_reply_empty(reply, 204);
}
