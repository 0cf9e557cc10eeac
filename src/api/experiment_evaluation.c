/* SPDX-License-Identifier: Apache-2.0 */
/* What an experiment's model answered on assets, and how right that was. */
#include "api/experiment_json.h"
#include "api/id_list.h"
#include "api/job_json.h"
#include "api/nouns.h"
#include "base/check.h"
#include "learn/evaluations.h"
#include "os/clock.h"

#include <math.h>

#define EVALUATIONS_MAX 1000 /* of one request */
#define SHAPES_MAX_EACH 10000
#define IDS_MAX 10000

/* ---- write ---- */

static const struct {
	const char *list, *type;
	const char *const *numbers;
} forms[] = {
	{"rectangles", "rectangle", (const char *const[]){"x", "y", "w", "h", "score", NULL}},
	{"polygons", "polygon", (const char *const[]){"score", NULL}},
	{"classifications", "classification", (const char *const[]){"score", NULL}},
};

static enum status check_polygon(yyjson_val *polygon, struct err *err)
{
	yyjson_val *point;
	size_t i, n;
	if (!yyjson_is_arr(polygon) || yyjson_arr_size(polygon) < 3)
		return err_set(err, ST_INVALID, "\"polygon\" must be a list of at least 3 points.");
	yyjson_arr_foreach (polygon, i, n, point)
		if (yyjson_arr_size(point) != 2 || !yyjson_is_num(yyjson_arr_get(point, 0)) ||
			!yyjson_is_num(yyjson_arr_get(point, 1)))
			return err_set(err, ST_INVALID, "Point %zu of \"polygon\" must be [x, y].", i);
	return ST_OK;
}

static enum status add_shape(
	yyjson_mut_doc *doc, yyjson_mut_val *list, yyjson_val *shape, size_t form, struct err *err)
{
	struct uuid label;
	TRY(api_json_id(shape, "label_id", true, &label, err));
	yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
	yyjson_mut_obj_add_str(doc, out, "type", forms[form].type);
	api_add_id(doc, out, "label_id", label);
	for (const char *const *name = forms[form].numbers; *name; name++) {
		double value = NAN;
		TRY(json_number(shape, *name, &value, err));
		if (!isfinite(value))
			return err_set(err, ST_INVALID, "\"%s\" of a shape in \"%s\" must be a number.",
				*name, forms[form].list);
		yyjson_mut_obj_add_real(doc, out, *name, value);
	}
	if (strcmp(forms[form].type, "polygon") != 0)
		return ST_OK;
	yyjson_val *polygon = yyjson_obj_get(shape, "polygon");
	TRY(check_polygon(polygon, err));
	yyjson_mut_obj_add_val(doc, out, "polygon", yyjson_val_mut_copy(doc, polygon));
	return ST_OK;
}

static enum status read_evaluation(
	struct http_request *req, yyjson_val *object, struct evaluation_row *out, struct err *err)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	yyjson_mut_doc_set_root(doc, list);
	TRY(api_json_id(object, "asset_id", true, &out->asset_id, err));
	for (size_t f = 0; f < COUNT_OF(forms); f++) {
		yyjson_val *shapes = yyjson_obj_get(object, forms[f].list), *shape;
		size_t i, n;
		if (yyjson_arr_size(shapes) > SHAPES_MAX_EACH)
			return err_set(err, ST_INVALID, "\"%s\" has more than %d shapes.", forms[f].list,
				SHAPES_MAX_EACH);
		yyjson_arr_foreach (shapes, i, n, shape)
			TRY(add_shape(doc, list, shape, f, err));
	}
	out->shapes = (const char *)json_print(doc, req->arena).data;
	return ST_OK;
}

struct addition {
	struct evaluation_row *rows;
	size_t count;
	bool replace;
};

static enum status put_evaluations(struct db_conn *c, void *arg, struct err *err)
{
	const struct addition *add = arg;
	for (size_t i = 0; i < add->count; i++)
		TRY(evaluation_rows_put(c, &add->rows[i], add->replace, err));
	return ST_OK;
}

enum status api_experiment_evaluations_add(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body, *value;
	struct uuid id;
	const char *type = "REPLACE";
	size_t i, n;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_body(req, &body, err));
	TRY(json_text(body, "import_type", &type, err));
	yyjson_val *list = yyjson_obj_get(body, "evaluations");
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) > EVALUATIONS_MAX)
		return err_set(
			err, ST_INVALID, "\"evaluations\" must be a list of at most %d.", EVALUATIONS_MAX);
	struct addition add = {
		.rows = ARENA_ARRAY(req->arena, struct evaluation_row, yyjson_arr_size(list) + 1),
		.count = yyjson_arr_size(list),
		.replace = strcmp(type, "KEEP") != 0};
	yyjson_arr_foreach (list, i, n, value) {
		struct evaluation_row *row = &add.rows[i];
		TRY(read_evaluation(req, value, row, err));
		row->experiment_id = id;
		row->created_us = clock_unix_us();
		row->id = uuid_v7(row->created_us / 1000);
	}
	TRY(api_write(req, "experiment.evaluations", id, put_evaluations, &add, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_int(doc, root, "added", (int64_t)add.count);
	return http_reply_json(req, reply, doc);
}

/* ---- read ---- */

static yyjson_mut_val *evaluation_json(yyjson_mut_doc *doc, const struct evaluation_row *row, struct arena *a)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_id(doc, object, "asset_id", row->asset_id);
	api_add_json(doc, object, "shapes", row->shapes, a);
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

enum status api_evaluation_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct evaluation_row row;
	struct uuid id;
	TRY(api_id(req, "id", "evaluation", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(evaluation_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, evaluation_json(doc, &row, req->arena));
	return http_reply_json(req, reply, doc);
}

static enum status delete_evaluation(struct db_conn *c, void *arg, struct err *err)
{
	return evaluation_rows_delete(c, *(const struct uuid *)arg, err);
}

enum status api_evaluation_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "evaluation", &id, err));
	TRY(api_write(req, "evaluation.delete", id, delete_evaluation, &id, err));
	return http_reply_empty(reply, 204);
}

enum status api_experiment_evaluations(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct experiment_row experiment;
	struct evaluation_row *rows;
	struct uuid id;
	size_t count;
	int64_t total;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_page(req, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(experiment_rows_by_id(reader.conn, id, req->arena, &experiment, err));
	TRY(evaluation_rows_list(reader.conn, id, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, evaluation_json(doc, &rows[i], req->arena));
	return api_reply_list(req, reply, doc, items, total);
}

/* ---- measure ---- */

static enum status check_there(struct http_request *req, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row row;
	TRY(api_read(req, &reader, err));
	return experiment_rows_by_id(reader.conn, id, req->arena, &row, err);
}

enum status api_experiment_evaluate(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct evaluations_request request = {.who = caller_of(req)->user_name};
	struct uuid *ids = NULL;
	struct job_row job;
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &request.experiment_id, err));
	TRY(api_body(req, &body, err));
	TRY(json_text_required(body, "inference_type", &request.type, err));
	TRY(json_text(body, "status", &request.annotation_status, err));
	if (yyjson_obj_get(body, "evaluation_ids"))
		TRY(id_list_read(req, body, "evaluation_ids", IDS_MAX, &ids, &request.count, err));
	request.ids = ids;
	TRY(check_there(req, request.experiment_id, err));
	TRY(evaluations_start(api_of(req)->jobs, api_of(req)->readers, api_of(req)->recorder, &request,
		req->arena, &job, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, job_json(doc, &job, req->arena));
	return http_reply_json(req, reply, doc);
}
