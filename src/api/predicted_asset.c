/* SPDX-License-Identifier: Apache-2.0 */
/* What deployments saw, and what their champions and shadows said of it: the log, read with a threshold
 * applied. */
#include "api/api.h"
#include "api/data_json.h"
#include "api/nouns.h"
#include "base/check.h"
#include "deploy/model.h"
#include "serve/pipeline.h"
#include "store/deployment_rows.h"
#include "store/prediction_rows.h"

#include <stdlib.h>

#define VERSIONS_MAX 64

/* Labels of the versions met on one page of the log. */
struct label_cache {
	struct db_conn *conn;
	struct {
		struct uuid version_id;
		const char **labels;
		uint32_t count;
	} items[VERSIONS_MAX];
	size_t count;
};

static enum status find_labels(struct label_cache *cache, struct uuid version_id, struct arena *a,
	const char *const **labels, uint32_t *count, struct err *err)
{
	size_t i = 0;
	while (i < cache->count && !uuid_equal(cache->items[i].version_id, version_id))
		i++;
	if (i == cache->count) {
		if (cache->count == VERSIONS_MAX)
			cache->count = i = 0;
		cache->items[i].version_id = version_id;
		TRY(model_labels_of(
			cache->conn, version_id, a, &cache->items[i].labels, &cache->items[i].count, err));
		cache->count++;
	}
	*labels = (const char *const *)cache->items[i].labels;
	*count = cache->items[i].count;
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

/* threshold < 0: the one in force when it was answered. */
static enum status add_prediction(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct prediction_row *p,
	double threshold, struct label_cache *cache, struct arena *a, struct err *err)
{
	const char *const *labels;
	uint32_t label_count;
	struct shapes shapes;
	int64_t hidden;
	TRY(find_labels(cache, p->model_version_id, a, &labels, &label_count, err));
	TRY(shapes_unpack(p->shapes, a, &shapes, err));
	yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
	api_add_id(doc, object, "id", p->id);
	yyjson_mut_obj_add_bool(doc, object, "is_shadow", p->is_shadow);
	api_add_id(doc, object, "model_version_id", p->model_version_id);
	api_add_time(doc, object, "created_at", p->created_us);
	yyjson_mut_obj_add_real(doc, object, "threshold", p->threshold);
	yyjson_mut_obj_add_real(doc, object, "latency", (double)p->latency_us / 1e6);
	add_steps(doc, object, p->steps_us, a);
	yyjson_mut_val *shown = serve_shapes_json(
		doc, &shapes, labels, label_count, threshold < 0 ? p->threshold : threshold, &hidden, a);
	yyjson_mut_obj_add_val(doc, object, "shapes", shown);
	yyjson_mut_obj_add_int(doc, object, "hidden", hidden);
	return ST_OK;
}

/* The champion's first, then those of the shadows. */
static enum status add_predictions(yyjson_mut_doc *doc, yyjson_mut_val *list,
	const struct prediction_row *champion, double threshold, struct label_cache *cache, struct arena *a,
	struct err *err)
{
	struct prediction_row *shadows;
	size_t count;
	TRY(add_prediction(doc, list, champion, threshold, cache, a, err));
	TRY(prediction_rows_shadows(cache->conn, champion->predicted_asset_id, a, &shadows, &count, err));
	for (size_t i = 0; i < count; i++)
		TRY(add_prediction(doc, list, &shadows[i], threshold, cache, a, err));
	return ST_OK;
}

static enum status predicted_json(struct http_request *req, yyjson_mut_doc *doc,
	const struct predicted_row *row, double threshold, struct label_cache *cache, yyjson_mut_val **out,
	struct err *err)
{
	yyjson_mut_val *object = *out = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->prediction.predicted_asset_id);
	api_add_id(doc, object, "oracle_prediction_id", row->prediction.id);
	api_add_id(doc, object, "deployment_id", row->prediction.deployment_id);
	api_add_text(doc, object, "status", row->asset_status);
	api_add_time(doc, object, "created_at", row->prediction.created_us);
	api_add_text(doc, object, "source", row->source);
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
	yyjson_mut_obj_add_val(doc, object, "data", data_json(req, doc, &data));
	yyjson_mut_val *predictions = yyjson_mut_obj_add_arr(doc, object, "predictions");
	yyjson_mut_obj_add_arr(doc, object, "reviews");
	return add_predictions(doc, predictions, &row->prediction, threshold, cache, req->arena, err);
}

static enum status read_threshold(const struct http_request *req, double *threshold, struct err *err)
{
	const char *text = http_query(req, "threshold");
	*threshold = -1;
	if (text == NULL || *text == '\0')
		return ST_OK;
	char *end;
	*threshold = strtod(text, &end);
	if (*end || !(*threshold >= 0 && *threshold <= 1))
		return err_set(err, ST_INVALID, "\"threshold\" must be a number from 0 to 1.");
	return ST_OK;
}

enum status api_predicted_asset_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct deployment_row deployment;
	struct predicted_row *rows;
	struct uuid id;
	size_t count;
	int64_t total = 0;
	double threshold;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_page(req, &page, err));
	if (page.order != ROWS_OLDEST && page.order != ROWS_NEWEST)
		return err_set(
			err, ST_INVALID, "Predicted images can be ordered by created_at or -created_at.");
	TRY(read_threshold(req, &threshold, err));
	bool oldest_first = http_query(req, "order_by") && page.order == ROWS_OLDEST;
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, id, req->arena, &deployment, err));
	TRY(prediction_rows_list(reader.conn, id, oldest_first, page.limit, page.offset, req->arena, &rows,
		&count, &total, err));
	struct label_cache cache = {.conn = reader.conn};
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		TRY(predicted_json(req, doc, &rows[i], threshold, &cache, &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}

/* Finds the row by whatever the request names. */
typedef enum status find_row(
	struct http_request *req, struct db_conn *c, struct predicted_row *row, struct err *err);

static enum status reply_one(
	struct http_request *req, struct http_reply *reply, find_row *find, struct err *err)
{
	API_READER reader = {0};
	struct predicted_row row;
	double threshold;
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root;
	TRY(read_threshold(req, &threshold, err));
	TRY(api_read(req, &reader, err));
	TRY(find(req, reader.conn, &row, err));
	struct label_cache cache = {.conn = reader.conn};
	TRY(predicted_json(req, doc, &row, threshold, &cache, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

static enum status find_by_id(
	struct http_request *req, struct db_conn *c, struct predicted_row *row, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "predicted image", &id, err));
	return prediction_rows_by_asset(c, id, req->arena, row, err);
}

enum status api_predicted_asset_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return reply_one(req, reply, find_by_id, err);
}

/* The image of a prediction, with its champion's: also when the prediction is a shadow's. */
static enum status find_by_prediction(
	struct db_conn *c, struct uuid id, struct arena *a, struct predicted_row *row, struct err *err)
{
	TRY(prediction_rows_by_id(c, id, a, row, err));
	return row->prediction.is_shadow
		       ? prediction_rows_by_asset(c, row->prediction.predicted_asset_id, a, row, err)
		       : ST_OK;
}

static enum status find_by_query(
	struct http_request *req, struct db_conn *c, struct predicted_row *row, struct err *err)
{
	struct uuid deployment_id, id;
	TRY(api_id(req, "id", "deployment", &deployment_id, err));
	if (uuid_parse(http_query(req, "id"), &id))
		return prediction_rows_by_asset(c, id, req->arena, row, err);
	if (uuid_parse(http_query(req, "oracle_prediction_id"), &id))
		return find_by_prediction(c, id, req->arena, row, err);
	if (uuid_parse(http_query(req, "data_id"), &id))
		return prediction_rows_find_data(c, deployment_id, id, req->arena, row, err);
	static const char *const keys[] = {"filename", "object_name"};
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (http_query(req, keys[i]))
			return prediction_rows_find(
				c, deployment_id, keys[i], http_query(req, keys[i]), req->arena, row, err);
	return err_set(err, ST_INVALID,
		"Give id, oracle_prediction_id, data_id, filename or object_name of the predicted image to "
		"find.");
}

enum status api_predicted_asset_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return reply_one(req, reply, find_by_query, err);
}

static enum status delete_asset(struct db_conn *c, void *arg, struct err *err)
{
	bool existed;
	TRY(prediction_rows_delete_asset(c, *(struct uuid *)arg, &existed, err));
	return existed ? ST_OK : err_set(err, ST_MISSING, "There is no such predicted image.");
}

enum status api_predicted_asset_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "predicted image", &id, err));
	TRY(api_write(req, "predicted_asset.delete", id, delete_asset, &id, err));
	return http_reply_empty(reply, 204);
}
