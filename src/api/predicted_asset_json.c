/* SPDX-License-Identifier: Apache-2.0 */
#include "api/predicted_asset_json.h"

#include "api/data_json.h"
#include "api/tag_json.h"
#include "deploy/model.h"
#include "os/clock.h"
#include "serve/pipeline.h"
#include "store/deployment_rows.h"
#include "store/prediction_list_rows.h"
#include "store/queue_rows.h"
#include "store/review_draft_rows.h"

static enum status find_labels(struct predicted_printer *p, struct uuid version_id,
	const char *const **labels, uint32_t *count, struct err *err)
{
	size_t i = 0;
	while (i < p->version_count && !uuid_equal(p->versions[i].version_id, version_id))
		i++;
	if (i == p->version_count) {
		if (p->version_count == PREDICTED_VERSIONS_MAX)
			p->version_count = i = 0;
		p->versions[i].version_id = version_id;
		TRY(model_labels_of(p->conn, version_id, p->req->arena, &p->versions[i].labels,
			&p->versions[i].count, err));
		p->version_count++;
	}
	*labels = (const char *const *)p->versions[i].labels;
	*count = p->versions[i].count;
	return ST_OK;
}

static enum status find_threshold(struct predicted_printer *p, struct uuid deployment_id, struct err *err)
{
	struct deployment_row deployment;
	if (uuid_equal(p->deployment_id, deployment_id))
		return ST_OK;
	TRY(deployment_rows_by_id(p->conn, deployment_id, p->req->arena, &deployment, err));
	p->deployment_id = deployment_id;
	p->deployment_threshold = deployment.threshold;
	return ST_OK;
}

static void add_steps(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *steps_us, struct arena *a)
{
	yyjson_doc *steps;
	struct err ignored;
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, object, "steps_ms"), *copy;
	if (json_parse(span_of_text(steps_us), a, &steps, &ignored) != ST_OK)
		return;
	yyjson_val *key, *value;
	size_t i, n;
	yyjson_obj_foreach (yyjson_doc_get_root(steps), i, n, key, value) {
		copy = yyjson_mut_real(doc, yyjson_get_num(value) / 1e3);
		yyjson_mut_obj_add(out, yyjson_mut_strcpy(doc, yyjson_get_str(key)), copy);
	}
}

static enum status add_prediction(
	struct predicted_printer *p, yyjson_mut_val *list, const struct prediction_row *row, struct err *err)
{
	yyjson_mut_doc *doc = p->doc;
	struct arena *a = p->req->arena;
	double threshold = p->threshold < 0 ? row->threshold : p->threshold;
	const char *const *labels;
	uint32_t label_count;
	struct shapes shapes;
	int64_t hidden;
	TRY(find_labels(p, row->model_version_id, &labels, &label_count, err));
	TRY(shapes_unpack(row->shapes, a, &shapes, err));
	yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
	api_add_id(doc, object, "id", row->id);
	yyjson_mut_obj_add_bool(doc, object, "is_shadow", row->is_shadow);
	api_add_id(doc, object, "model_version_id", row->model_version_id);
	api_add_time(doc, object, "created_at", row->created_us);
	yyjson_mut_obj_add_real(doc, object, "threshold", row->threshold);
	yyjson_mut_obj_add_real(doc, object, "latency", (double)row->latency_us / 1e6);
	add_steps(doc, object, row->steps_us, a);
	yyjson_mut_val *shown = serve_shapes_json(doc, &shapes, labels, label_count, threshold, &hidden, a);
	yyjson_mut_obj_add_val(doc, object, "shapes", shown);
	yyjson_mut_obj_add_int(doc, object, "hidden", hidden);
	return ST_OK;
}

/* The champion's first, then those of the shadows. */
static enum status add_predictions(struct predicted_printer *p, yyjson_mut_val *object,
	const struct prediction_row *champion, struct err *err)
{
	struct prediction_row *shadows;
	size_t count;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(p->doc, object, "predictions");
	TRY(add_prediction(p, list, champion, err));
	TRY(prediction_rows_shadows(
		p->conn, champion->predicted_asset_id, p->req->arena, &shadows, &count, err));
	for (size_t i = 0; i < count; i++)
		TRY(add_prediction(p, list, &shadows[i], err));
	return ST_OK;
}

/* ---- what people said ---- */

static void add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
	if (value < 0)
		yyjson_mut_obj_add_null(doc, object, key);
	else
		yyjson_mut_obj_add_real(doc, object, key, value);
}

yyjson_mut_val *review_json(yyjson_mut_doc *doc, const struct review_row *row, struct arena *a)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_time(doc, object, "created_at", row->created_us);
	api_add_text(doc, object, "who", row->who);
	api_add_text(doc, object, "kind", row->kind);
	api_add_text(doc, object, "reason", row->reason);
	api_add_json(doc, object, "shapes", row->shapes, a);
	add_number(doc, object, "seconds", row->seconds);
	if (row->keys < 0)
		yyjson_mut_obj_add_null(doc, object, "keys");
	else
		yyjson_mut_obj_add_int(doc, object, "keys", row->keys);
	return object;
}

static enum status add_reviews(
	struct predicted_printer *p, yyjson_mut_val *object, struct uuid id, struct err *err)
{
	struct review_row *rows;
	size_t count;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(p->doc, object, "reviews");
	TRY(review_rows_of_asset(p->conn, id, p->req->arena, &rows, &count, err));
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(list, review_json(p->doc, &rows[i], p->req->arena));
	return ST_OK;
}

static enum status add_draft(
	struct predicted_printer *p, yyjson_mut_val *object, struct uuid id, struct err *err)
{
	struct review_draft_row row;
	bool found;
	TRY(review_draft_rows_read(p->conn, id, p->req->arena, &row, &found, err));
	if (!found) {
		yyjson_mut_obj_add_null(p->doc, object, "draft");
		return ST_OK;
	}
	yyjson_mut_val *draft = yyjson_mut_obj_add_obj(p->doc, object, "draft");
	yyjson_mut_obj_add_int(p->doc, draft, "revision", row.revision);
	api_add_json(p->doc, draft, "shapes", row.shapes, p->req->arena);
	api_add_text(p->doc, draft, "who", row.who);
	api_add_time(p->doc, draft, "updated_at", row.updated_us);
	return ST_OK;
}

static enum status add_lease(
	struct predicted_printer *p, yyjson_mut_val *object, struct uuid id, struct err *err)
{
	const struct caller *caller = caller_of(p->req);
	struct queue_lease row;
	bool found;
	TRY(queue_rows_lease(p->conn, id, p->now_us, p->req->arena, &row, &found, err));
	if (!found) {
		yyjson_mut_obj_add_null(p->doc, object, "lease");
		return ST_OK;
	}
	yyjson_mut_val *lease = yyjson_mut_obj_add_obj(p->doc, object, "lease");
	api_add_text(p->doc, lease, "who", row.who);
	api_add_time(p->doc, lease, "until", row.until_us);
	yyjson_mut_obj_add_bool(p->doc, lease, "mine", caller && uuid_equal(caller->user_id, row.user_id));
	return ST_OK;
}

static enum status add_state(
	struct predicted_printer *p, yyjson_mut_val *object, struct uuid id, struct err *err)
{
	struct predicted_state state;
	TRY(prediction_list_rows_state(p->conn, id, p->req->arena, &state, err));
	yyjson_mut_obj_add_int(p->doc, object, "revision", state.revision);
	if (state.chosen_us == 0) {
		yyjson_mut_obj_add_null(p->doc, object, "chosen");
		return ST_OK;
	}
	yyjson_mut_val *chosen = yyjson_mut_obj_add_obj(p->doc, object, "chosen");
	api_add_text(p->doc, chosen, "why", state.chosen_why);
	api_add_time(p->doc, chosen, "at", state.chosen_us);
	add_number(p->doc, chosen, "chance", state.chance);
	return ST_OK;
}

/* Those of the predicted image, and those that its data was given when it was predicted on. */
static enum status add_tags(
	struct predicted_printer *p, yyjson_mut_val *object, const struct predicted_row *row, struct err *err)
{
	const struct uuid targets[] = {row->prediction.predicted_asset_id, row->data_id};
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(p->doc, object, "tags");
	for (size_t t = 0; t < 2; t++) {
		struct tag_row *tags;
		size_t count;
		TRY(tag_rows_of(p->conn, targets[t], p->req->arena, &tags, &count, err));
		for (size_t i = 0; i < count; i++)
			yyjson_mut_arr_append(list, tag_json(p->doc, &tags[i]));
	}
	return ST_OK;
}

/* ---- all of it ---- */

void predicted_printer_init(
	struct predicted_printer *p, struct http_request *req, struct db_conn *c, double threshold)
{
	*p = (struct predicted_printer){.req = req,
		.conn = c,
		.doc = json_new(req->arena),
		.threshold = threshold,
		.now_us = clock_unix_us()};
}

static void add_image(struct predicted_printer *p, yyjson_mut_val *object, const struct predicted_row *row)
{
	api_add_text(p->doc, object, "source", row->source);
	struct data_row data = {
		.id = row->data_id,
		.object_name = row->object_name,
		.filename = row->filename,
		.content_type = row->content_type,
		.width = row->width,
		.height = row->height,
		.metadata = row->metadata,
		.custom_metadata = row->custom_metadata,
		.source_name = row->source,
		.created_us = row->prediction.created_us,
	};
	yyjson_mut_obj_add_val(p->doc, object, "data", data_json(p->req, p->doc, &data));
}

enum status predicted_json(
	struct predicted_printer *p, const struct predicted_row *row, yyjson_mut_val **out, struct err *err)
{
	yyjson_mut_val *object = *out = yyjson_mut_obj(p->doc);
	struct uuid id = row->prediction.predicted_asset_id;
	TRY(find_threshold(p, row->prediction.deployment_id, err));
	api_add_id(p->doc, object, "id", id);
	api_add_id(p->doc, object, "oracle_prediction_id", row->prediction.id);
	api_add_id(p->doc, object, "deployment_id", row->prediction.deployment_id);
	api_add_text(p->doc, object, "status", row->asset_status);
	api_add_time(p->doc, object, "created_at", row->prediction.created_us);
	yyjson_mut_obj_add_real(p->doc, object, "threshold", p->deployment_threshold);
	add_image(p, object, row);
	TRY(add_predictions(p, object, &row->prediction, err));
	TRY(add_reviews(p, object, id, err));
	TRY(add_draft(p, object, id, err));
	TRY(add_state(p, object, id, err));
	TRY(add_lease(p, object, id, err));
	return add_tags(p, object, row, err);
}

enum status predicted_json_ids(struct predicted_printer *p, const struct uuid *ids, size_t count,
	yyjson_mut_val **items, struct err *err)
{
	*items = yyjson_mut_arr(p->doc);
	for (size_t i = 0; i < count; i++) {
		struct predicted_row row;
		yyjson_mut_val *item;
		enum status st = prediction_rows_by_asset(p->conn, ids[i], p->req->arena, &row, err);
		if (st == ST_MISSING)
			continue;
		TRY(st);
		TRY(predicted_json(p, &row, &item, err));
		yyjson_mut_arr_append(*items, item);
	}
	return ST_OK;
}
