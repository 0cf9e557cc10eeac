/* SPDX-License-Identifier: Apache-2.0 */
/* The dataset versions of an experiment, by role: "train", "test". */
#include "api/dataset_json.h"
#include "api/experiment_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "store/dataset_rows.h"

#define IDS_MAX 1000 /* of one request */

static enum status dataset_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct experiment_dataset_row *row, yyjson_mut_val **out, struct err *err)
{
	struct dataset_version_row version;
	yyjson_mut_val *inner;
	TRY(dataset_version_rows_by_id(c, row->dataset_version_id, req->arena, &version, err));
	TRY(dataset_version_json(req, c, doc, &version, &inner, err));
	*out = yyjson_mut_obj(doc);
	api_add_text(doc, *out, "name", row->name);
	yyjson_mut_obj_add_int(doc, *out, "revision", row->revision);
	yyjson_mut_obj_add_val(doc, *out, "dataset_version", inner);
	return ST_OK;
}

static enum status read_rows(struct http_request *req, struct api_reader *reader,
	struct experiment_dataset_row **rows, size_t *count, struct err *err)
{
	struct experiment_row experiment;
	struct uuid id;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_read(req, reader, err));
	TRY(experiment_rows_by_id(reader->conn, id, req->arena, &experiment, err));
	return experiment_rows_datasets(reader->conn, id, req->arena, rows, count, err);
}

enum status api_experiment_datasets(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct experiment_dataset_row *rows;
	size_t count;
	TRY(read_rows(req, &reader, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		TRY(dataset_json(req, reader.conn, doc, &rows[i], &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

enum status api_experiment_dataset_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct experiment_dataset_row *rows;
	size_t count;
	const char *name;
	yyjson_mut_val *root;
	TRY(api_query_text(req, "name", &name, err));
	TRY(read_rows(req, &reader, &rows, &count, err));
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		yyjson_mut_doc *doc = json_new(req->arena);
		TRY(dataset_json(req, reader.conn, doc, &rows[i], &root, err));
		yyjson_mut_doc_set_root(doc, root);
		return http_reply_json(req, reply, doc);
	}
	return err_set(err, ST_MISSING, "This experiment has no dataset version named \"%.200s\".", name);
}

struct attachment {
	struct uuid experiment_id;
	const char *name;
	struct uuid *ids;
	size_t count;
	struct arena *arena;
};

static enum status attach(struct db_conn *c, void *arg, struct err *err)
{
	const struct attachment *a = arg;
	struct experiment_row row;
	TRY(experiment_rows_by_id(c, a->experiment_id, a->arena, &row, err));
	return experiment_rows_attach(c, a->experiment_id, a->name, a->ids[0], err);
}

enum status api_experiment_dataset_attach(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct uuid version;
	struct attachment a = {.ids = &version, .count = 1, .arena = req->arena};
	TRY(api_id(req, "id", "experiment", &a.experiment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &a.name, err));
	TRY(api_json_id(body, "dataset_version_id", true, &version, err));
	TRY(api_write(req, "experiment.attach_dataset", a.experiment_id, attach, &a, err));
	return experiment_reply(req, reply, a.experiment_id, err);
}

static enum status detach(struct db_conn *c, void *arg, struct err *err)
{
	const struct attachment *a = arg;
	for (size_t i = 0; i < a->count; i++)
		TRY(experiment_rows_detach(c, a->experiment_id, a->ids[i], err));
	return ST_OK;
}

enum status api_experiment_dataset_detach(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct attachment a = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &a.experiment_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", IDS_MAX, &a.ids, &a.count, err));
	TRY(api_write(req, "experiment.detach_dataset", a.experiment_id, detach, &a, err));
	return http_reply_empty(reply, 204);
}
