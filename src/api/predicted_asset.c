/* SPDX-License-Identifier: Apache-2.0 */
/* What deployments saw, and what their champions and shadows said of it: the log, read with a threshold
 * applied. */
#include "api/api.h"
#include "api/nouns.h"
#include "api/predicted_asset_json.h"
#include "base/check.h"
#include "learn/choose.h"
#include "store/deployment_rows.h"
#include "store/prediction_list_rows.h"

#include <math.h>
#include <stdlib.h>

#define TIME_MAX 1e11 /* seconds */

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

static enum status read_number(const struct http_request *req, const char *name, double *out, struct err *err)
{
	const char *text = http_query(req, name);
	*out = (double)NAN;
	if (text == NULL || *text == '\0')
		return ST_OK;
	char *end;
	*out = strtod(text, &end);
	return *end == '\0' && isfinite(*out)
		       ? ST_OK
		       : err_set(err, ST_INVALID, "\"%s\" must be a number, not \"%.100s\".", name, text);
}

static const char *query_name(const struct http_request *req, const char *name)
{
	const char *text = http_query(req, name);
	return text && *text ? text : NULL;
}

static enum status read_statuses(
	const struct http_request *req, struct prediction_filter *out, struct err *err)
{
	static const char *const known[] = {"TO REVIEW", "REVIEWED", "SUBMITTED", "SKIPPED"};
	const char *given[PREDICTION_STATUSES_MAX];
	size_t count = http_query_all(req, "status", given, PREDICTION_STATUSES_MAX);
	for (size_t i = 0; i < count && i < PREDICTION_STATUSES_MAX; i++) {
		size_t k = 0;
		if (given[i][0] == '\0')
			continue;
		while (k < COUNT_OF(known) && strcmp(known[k], given[i]) != 0)
			k++;
		if (k == COUNT_OF(known))
			return err_set(err, ST_INVALID,
				"There is no status \"%.100s\": an image is TO REVIEW, REVIEWED, SUBMITTED "
				"or SKIPPED.",
				given[i]);
		out->statuses[out->status_count++] = known[k];
	}
	return ST_OK;
}

static enum status read_filter(struct http_request *req, struct prediction_filter *out, struct err *err)
{
	double from, to;
	const char *version = query_name(req, "version");
	*out = (struct prediction_filter){.source = query_name(req, "source"),
		.tag = query_name(req, "tag"),
		.label = query_name(req, "label")};
	TRY(api_id(req, "id", "deployment", &out->deployment_id, err));
	TRY(api_page_of(req, QUERY_NOUN_predicted_asset, &out->page, err));
	TRY(read_statuses(req, out, err));
	TRY(read_number(req, "score_min", &out->score_min, err));
	TRY(read_number(req, "score_max", &out->score_max, err));
	TRY(read_number(req, "from", &from, err));
	TRY(read_number(req, "to", &to, err));
	if ((!isnan(from) && fabs(from) > TIME_MAX) || (!isnan(to) && fabs(to) > TIME_MAX))
		return err_set(err, ST_INVALID, "\"from\" and \"to\" are seconds since 1970.");
	out->from_us = isnan(from) ? 0 : (int64_t)(from * 1e6);
	out->to_us = isnan(to) ? 0 : (int64_t)(to * 1e6);
	if (version && !uuid_parse(version, &out->version_id))
		return err_set(err, ST_INVALID, "\"version\" must be the id of a model version.");
	return ST_OK;
}

enum status api_predicted_asset_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct prediction_filter filter;
	struct deployment_row deployment;
	struct predicted_printer printer;
	struct uuid *ids;
	size_t count;
	int64_t total = 0;
	double threshold;
	yyjson_mut_val *items;
	TRY(read_filter(req, &filter, err));
	TRY(read_threshold(req, &threshold, err));
	if (prediction_filter_needs_digest(&filter))
		TRY(choose_digest(api_of(req)->readers, api_of(req)->recorder, filter.deployment_id, err));
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, filter.deployment_id, req->arena, &deployment, err));
	filter.label_score = threshold < 0 ? deployment.threshold : threshold;
	TRY(prediction_list_rows_ids(reader.conn, &filter, req->arena, &ids, &count, &total, err));
	predicted_printer_init(&printer, req, reader.conn, threshold);
	TRY(predicted_json_ids(&printer, ids, count, &items, err));
	return api_reply_list(req, reply, printer.doc, items, total);
}

/* Finds the row by whatever the request names. */
typedef enum status find_row(
	struct http_request *req, struct db_conn *c, struct predicted_row *row, struct err *err);

static enum status reply_one(
	struct http_request *req, struct http_reply *reply, find_row *find, struct err *err)
{
	API_READER reader = {0};
	struct predicted_row row;
	struct predicted_printer printer;
	double threshold;
	yyjson_mut_val *root;
	TRY(read_threshold(req, &threshold, err));
	TRY(api_read(req, &reader, err));
	TRY(find(req, reader.conn, &row, err));
	predicted_printer_init(&printer, req, reader.conn, threshold);
	TRY(predicted_json(&printer, &row, &root, err));
	yyjson_mut_doc_set_root(printer.doc, root);
	return http_reply_json(req, reply, printer.doc);
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
