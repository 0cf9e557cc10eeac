/* SPDX-License-Identifier: Apache-2.0 */
/* What an experiment logs: values, lines that grow, tables, images, its parameters and labels. */
#include "api/experiment_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "base/check.h"
#include "os/clock.h"

#define IDS_MAX 10000            /* of one request */
#define LOG_BYTES_MAX (4u << 20) /* of one log's data */

static const char *const types[] = {
	"VALUE", "IMAGE", "LINE", "TABLE", "BAR", "HEATMAP", "LABELMAP", "EVALUATION"};

static yyjson_mut_val *log_json(yyjson_mut_doc *doc, const struct experiment_log_row *row, struct arena *a)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_id(doc, object, "experiment_id", row->experiment_id);
	api_add_text(doc, object, "name", row->name);
	api_add_text(doc, object, "type", row->type);
	api_add_json(doc, object, "data", row->data, a);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

static enum status reply_log(
	struct http_request *req, struct http_reply *reply, const struct experiment_log_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, log_json(doc, row, req->arena));
	return http_reply_json(req, reply, doc);
}

static enum status reply_by_id(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct experiment_log_row row;
	TRY(api_read(req, &reader, err));
	TRY(experiment_log_rows_by_id(reader.conn, id, req->arena, &row, err));
	return reply_log(req, reply, &row);
}

/* ---- write ---- */

/*
 * Two lines become one: {"x": […], "y": […]} member by member where both are objects of lists or values, else
 * a list that goes on.
 */
static yyjson_mut_val *joined(yyjson_mut_doc *doc, yyjson_val *before, yyjson_val *more)
{
	yyjson_val *key, *value;
	size_t i, n;
	if (yyjson_is_obj(before) && yyjson_is_obj(more)) {
		yyjson_mut_val *object = yyjson_val_mut_copy(doc, before);
		yyjson_obj_foreach (more, i, n, key, value) {
			yyjson_val *old = yyjson_obj_get(before, yyjson_get_str(key));
			yyjson_mut_val *name = yyjson_mut_strcpy(doc, yyjson_get_str(key));
			yyjson_mut_obj_put(object, name,
				old ? joined(doc, old, value) : yyjson_val_mut_copy(doc, value));
		}
		return object;
	}
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	yyjson_val *const parts[] = {before, more};
	for (size_t p = 0; p < COUNT_OF(parts); p++) {
		if (!yyjson_is_arr(parts[p])) {
			yyjson_mut_arr_append(list, yyjson_val_mut_copy(doc, parts[p]));
			continue;
		}
		yyjson_arr_foreach (parts[p], i, n, value)
			yyjson_mut_arr_append(list, yyjson_val_mut_copy(doc, value));
	}
	return list;
}

static enum status append(struct experiment_log_row *row, const char *data, struct arena *a, struct err *err)
{
	yyjson_doc *before, *more;
	TRY(json_parse(span_of_text(row->data), a, &before, err));
	TRY(json_parse(span_of_text(data), a, &more, err));
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_doc_set_root(doc, joined(doc, yyjson_doc_get_root(before), yyjson_doc_get_root(more)));
	struct span text = json_print(doc, a);
	if (text.size > LOG_BYTES_MAX)
		return err_set(err, ST_TOO_LARGE, "The log \"%.200s\" is full: it has %u MiB.", row->name,
			LOG_BYTES_MAX >> 20);
	row->data = (const char *)text.data;
	return ST_OK;
}

enum status experiment_log_put(
	struct db_conn *c, struct experiment_log_row *log, bool keep, struct arena *a, struct err *err)
{
	struct experiment_log_row old;
	bool found;
	TRY(experiment_log_rows_by_name(c, log->experiment_id, log->name, a, &old, &found, err));
	if (!found) {
		log->created_us = clock_unix_us();
		log->id = uuid_v7(log->created_us / 1000);
		return experiment_log_rows_insert(c, log, err);
	}
	log->id = old.id;
	if (strcmp(log->type, old.type) != 0)
		return err_set(err, ST_CONFLICT, "The log \"%.200s\" is a %s, not a %s: choose another name.",
			log->name, old.type, log->type);
	if (strcmp(log->type, "LINE") == 0) {
		TRY(append(&old, log->data, a, err));
		return experiment_log_rows_update(c, &old, err);
	}
	if (keep)
		return err_set(
			err, ST_CONFLICT, "This experiment has a log named \"%.200s\" already.", log->name);
	old.data = log->data;
	return experiment_log_rows_update(c, &old, err);
}

struct writing {
	struct experiment_log_row log;
	bool keep;
	struct arena *arena;
};

static enum status write_log(struct db_conn *c, void *arg, struct err *err)
{
	struct writing *w = arg;
	struct experiment_row experiment;
	TRY(experiment_rows_by_id(c, w->log.experiment_id, w->arena, &experiment, err));
	return experiment_log_put(c, &w->log, w->keep, w->arena, err);
}

/* Any value but null, as text to be stored. */
static enum status read_data(struct http_request *req, yyjson_val *body, const char **out, struct err *err)
{
	yyjson_val *data = yyjson_obj_get(body, "data");
	if (data == NULL || yyjson_is_null(data))
		return err_set(err, ST_INVALID, "\"data\" is missing: it is what the log says.");
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, yyjson_val_mut_copy(doc, data));
	struct span text = json_print(doc, req->arena);
	if (text.size > LOG_BYTES_MAX)
		return err_set(err, ST_TOO_LARGE, "\"data\" is larger than %u MiB.", LOG_BYTES_MAX >> 20);
	*out = (const char *)text.data;
	return ST_OK;
}

static enum status check_type(const char *type, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(types[i], type) == 0)
			return ST_OK;
	return err_set(err, ST_INVALID,
		"\"type\" must be a kind of log like VALUE, LINE or TABLE, not \"%.50s\".", type);
}

enum status api_experiment_log_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct writing w = {.arena = req->arena};
	const char *conflict = http_query(req, "raise_on_conflict");
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &w.log.experiment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &w.log.name, err));
	TRY(json_text_required(body, "type", &w.log.type, err));
	TRY(check_type(w.log.type, err));
	TRY(read_data(req, body, &w.log.data, err));
	w.keep = conflict && (strcmp(conflict, "True") == 0 || strcmp(conflict, "true") == 0);
	TRY(api_write(req, "experiment.log", w.log.experiment_id, write_log, &w, err));
	reply->code = 201;
	return reply_by_id(req, reply, w.log.id, err);
}

/* ---- read ---- */

static enum status list_rows(struct http_request *req, const struct rows_page *page,
	struct experiment_log_row **rows, size_t *count, int64_t *total, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row experiment;
	struct uuid id;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(experiment_rows_by_id(reader.conn, id, req->arena, &experiment, err));
	return experiment_log_rows_list(reader.conn, id, page, req->arena, rows, count, total, err);
}

enum status api_experiment_log_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page;
	struct experiment_log_row *rows;
	size_t count;
	int64_t total;
	TRY(api_page(req, &page, err));
	TRY(list_rows(req, &page, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, log_json(doc, &rows[i], req->arena));
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_experiment_log_ids(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page = {.limit = IDS_MAX};
	struct experiment_log_row *rows;
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

enum status api_experiment_log_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct experiment_log_row row;
	struct uuid id;
	const char *name;
	bool found;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_query_text(req, "name", &name, err));
	TRY(api_read(req, &reader, err));
	TRY(experiment_log_rows_by_name(reader.conn, id, name, req->arena, &row, &found, err));
	if (!found)
		return err_set(err, ST_MISSING, "This experiment has no log named \"%.200s\".", name);
	return reply_log(req, reply, &row);
}

enum status api_log_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "log", &id, err));
	return reply_by_id(req, reply, id, err);
}

/* ---- change ---- */

struct change {
	struct uuid id;
	const char *name, *data; /* NULL: stays */
	bool append;
	struct arena *arena;
};

static enum status change_log(struct db_conn *c, void *arg, struct err *err)
{
	const struct change *change = arg;
	struct experiment_log_row row;
	TRY(experiment_log_rows_by_id(c, change->id, change->arena, &row, err));
	if (change->append && strcmp(row.type, "LINE") != 0)
		return err_set(
			err, ST_CONFLICT, "Only a LINE grows; \"%.200s\" is a %s.", row.name, row.type);
	if (change->append)
		TRY(append(&row, change->data, change->arena, err));
	else if (change->data)
		row.data = change->data;
	if (change->name)
		row.name = change->name;
	return experiment_log_rows_update(c, &row, err);
}

enum status api_log_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "log", &change.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &change.name, err));
	if (yyjson_obj_get(body, "data"))
		TRY(read_data(req, body, &change.data, err));
	TRY(api_write(req, "log.update", change.id, change_log, &change, err));
	return reply_by_id(req, reply, change.id, err);
}

enum status api_log_append(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.append = true, .arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "log", &change.id, err));
	TRY(api_body(req, &body, err));
	TRY(read_data(req, body, &change.data, err));
	TRY(api_write(req, "log.append", change.id, change_log, &change, err));
	return reply_by_id(req, reply, change.id, err);
}

struct deletion {
	struct uuid *ids;
	size_t count;
};

static enum status delete_logs(struct db_conn *c, void *arg, struct err *err)
{
	const struct deletion *d = arg;
	for (size_t i = 0; i < d->count; i++)
		TRY(experiment_log_rows_delete(c, d->ids[i], err));
	return ST_OK;
}

enum status api_log_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct deletion d = {&id, 1};
	TRY(api_id(req, "id", "log", &id, err));
	TRY(api_write(req, "log.delete", id, delete_logs, &d, err));
	return http_reply_empty(reply, 204);
}

enum status api_experiment_log_delete_many(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct deletion d = {0};
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", IDS_MAX, &d.ids, &d.count, err));
	TRY(api_write(req, "log.delete", id, delete_logs, &d, err));
	return http_reply_empty(reply, 204);
}
