/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/deployment/{id}/outliers: watch/outliers.h as JSON; and the SDK's service ae_outlier. */
#include "api/drift_json.h"
#include "api/nouns.h"
#include "api/quality_json.h"
#include "api/stats.h"
#include "store/deployment_rows.h"
#include "store/reference_rows.h"
#include "watch/outliers.h"
#include "watch/watch.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define TIME_S_MAX 1e11
#define ITEMS_MAX 10000

static void add_points(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *key,
	const struct outlier_row *rows, size_t count)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, key);
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		api_add_id(doc, item, "predicted_asset_id", rows[i].predicted_asset_id);
		yyjson_mut_obj_add_real(doc, item, "at", (double)rows[i].created_us / 1e6);
		yyjson_mut_obj_add_real(doc, item, "score", rows[i].score);
		yyjson_mut_obj_add_real(doc, item, "rank", rows[i].rank);
	}
}

static void add_report(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct outliers_report *r, struct arena *a)
{
	yyjson_mut_obj_add_real(doc, root, "limit", 1);
	yyjson_mut_obj_add_real(doc, root, "rank", OUTLIER_RANK);
	add_points(doc, root, "points", r->points, r->point_count);
	api_add_text(doc, root, "sampled",
		r->sampled ? arena_printf(a,
				     "%zu of %" PRId64
				     " images, spread over the time, and the newest %d outliers.",
				     r->point_count, r->images, OUTLIERS_ALWAYS)
			   : NULL);
	add_points(doc, root, "worst", r->worst, r->worst_count);
	yyjson_mut_val *counts = yyjson_mut_obj_add_obj(doc, root, "counts");
	yyjson_mut_obj_add_int(doc, counts, "images", r->images);
	yyjson_mut_obj_add_int(doc, counts, "outliers", r->outliers);
	drift_add_number(doc, counts, "share", r->share);
	drift_add_number(doc, counts, "low", r->low);
	drift_add_number(doc, counts, "high", r->high);
}

/* What is measured against, and what cannot be told. */
static enum status add_reference(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct uuid deployment_id, struct err *err)
{
	struct reference_row row;
	struct span packed = {0};
	bool found;
	TRY(reference_rows_current(c, deployment_id, false, req->arena, &row, &found, err));
	if (found)
		TRY(reference_rows_outlier(c, row.id, req->arena, &packed, err));
	const struct reference_used used = found ? (struct reference_used){row.id, row.images, row.held_out,
							   strcmp(row.kind, "PRODUCTION") == 0}
						 : (struct reference_used){0};
	drift_add_reference(doc, root, found ? &used : NULL, req->arena);
	yyjson_mut_val *missing = yyjson_mut_obj_add_arr(doc, root, "missing");
	if (found && row.note)
		yyjson_mut_arr_add_str(doc, missing, row.note);
	if (found && packed.size == 0)
		yyjson_mut_arr_add_str(doc, missing, "There is no outlier score for this reference.");
	return ST_OK;
}

static enum status read_filter(
	struct http_request *req, struct outlier_filter *f, double *points, struct err *err)
{
	double from = 0, to = 0;
	TRY(api_id(req, "id", "deployment", &f->deployment_id, err));
	TRY(quality_number(req, "from", 0, TIME_S_MAX, &from, err));
	TRY(quality_number(req, "to", 0, TIME_S_MAX, &to, err));
	TRY(quality_number(req, "limit", 1, OUTLIERS_POINTS_MAX, points, err));
	f->from_us = llround(from * 1e6);
	f->to_us = llround(to * 1e6);
	const char *source = http_query(req, "source"), *version = http_query(req, "version");
	f->source = source && *source ? source : NULL;
	if (version && *version && !uuid_parse(version, &f->version_id))
		return err_set(err, ST_INVALID, "\"version\" must be the id of a model version.");
	return ST_OK;
}

enum status api_deployment_outliers(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct db_readers *watches = watch_readers(api_of(req)->watch);
	struct db_conn *watch;
	struct deployment_row deployment;
	struct outlier_filter filter = {0};
	struct outliers_report report;
	double points = OUTLIERS_POINTS_MAX;
	yyjson_mut_doc *doc;
	TRY(read_filter(req, &filter, &points, err));
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, filter.deployment_id, req->arena, &deployment, err));
	TRY(db_reader_take(watches, &watch, err));
	enum status st = outliers_read(reader.conn, watch, &filter, (size_t)points, req->arena, &report, err);
	db_reader_give(watches, watch);
	TRY(st);
	yyjson_mut_val *root = api_object(req, &doc);
	add_report(doc, root, &report, req->arena);
	TRY(add_reference(req, reader.conn, doc, root, filter.deployment_id, err));
	return http_reply_json(req, reply, doc);
}

/* ---- the SDK's service ae_outlier ---- */

static bool is_in(struct uuid id, const struct uuid *ids, size_t count)
{
	size_t i = 0;
	while (i < count && !uuid_equal(ids[i], id))
		i++;
	return i < count;
}

/* By the ids and tags of the query. */
static enum status is_asked_for(struct http_request *req, struct db_conn *c, const struct quality_filter *f,
	const struct outlier_row *row, bool *asked, struct err *err)
{
	const char **tags;
	size_t count;
	*asked = (f->only_count == 0 || is_in(row->predicted_asset_id, f->only, f->only_count)) &&
		 !is_in(row->predicted_asset_id, f->without, f->without_count);
	if (!*asked || f->tag_count == 0)
		return ST_OK;
	TRY(reference_rows_tags(c, row->predicted_asset_id, req->arena, &tags, &count, err));
	*asked = false;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < f->tag_count; k++)
			*asked = *asked || strcmp(tags[i], f->tags[k]) == 0;
	return ST_OK;
}

enum status stats_outliers_each(struct http_request *req, const struct stats_query *query,
	yyjson_mut_doc *doc, yyjson_mut_val *root, struct err *err)
{
	API_READER reader = {0};
	struct db_readers *watches = watch_readers(api_of(req)->watch);
	struct db_conn *watch;
	const struct outlier_filter filter = {.deployment_id = query->deployment_id,
		.from_us = query->filter.from_us,
		.to_us = query->filter.to_us,
		.version_id = query->filter.version_id};
	struct outlier_row *rows;
	size_t found, count = 0;
	TRY(db_reader_take(watches, &watch, err));
	enum status st =
		outlier_rows_list(watch, &filter, OUTLIER_NEWEST, ITEMS_MAX, req->arena, &rows, &found, err);
	db_reader_give(watches, watch);
	TRY(st);
	TRY(api_read(req, &reader, err));
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < found; i++) {
		bool asked;
		TRY(is_asked_for(req, reader.conn, &query->filter, &rows[i], &asked, err));
		if (!asked)
			continue;
		const struct stats_item item = {rows[i].predicted_asset_id, rows[i].prediction_id,
			rows[i].version_id, rows[i].created_us};
		yyjson_mut_val *stats = stats_add_item(doc, items, &item);
		yyjson_mut_obj_add_real(doc, stats, "ae_outlier", rows[i].score);
		yyjson_mut_obj_add_real(doc, stats, "outlier_rank", rows[i].rank);
		yyjson_mut_obj_add_bool(doc, stats, "is_outlier", rows[i].rank <= OUTLIER_RANK);
		count++;
	}
	yyjson_mut_obj_add_uint(doc, root, "count", count);
	yyjson_mut_obj_add_val(doc, root, "items", items);
	return ST_OK;
}
