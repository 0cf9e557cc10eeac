/* SPDX-License-Identifier: Apache-2.0 */
/* The service metrics of get_stats(): what needs no reviews, of each prediction or of all together. */
#include "api/dashboard_json.h"
#include "api/stats.h"
#include "base/check.h"
#include "os/clock.h"
#include "task/shown.h"

#include <math.h>

#define ITEMS_MAX 10000

static struct dashboard_filter filter_of(const struct stats_query *query)
{
	const struct quality_filter *f = &query->filter;
	return (struct dashboard_filter){
		.from_us = f->from_us,
		.to_us = f->to_us,
		.version_id = f->version_id,
		.tags = f->tags,
		.tag_count = f->tag_count,
		.only = f->only,
		.only_count = f->only_count,
		.without = f->without,
		.without_count = f->without_count,
	};
}

enum status stats_dashboard(
	struct http_request *req, const struct stats_query *query, struct dashboard *out, struct err *err)
{
	API_READER log = {0};
	API_READER watch = {0};
	const struct dashboard_filter filter = filter_of(query);
	TRY(api_read(req, &log, err));
	TRY(dashboard_reader(req, &watch, err));
	return dashboard_read(
		log.conn, watch.conn, query->deployment_id, &filter, clock_unix_us(), req->arena, out, err);
}

void stats_add_predicted(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct dashboard *d)
{
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, object, key);
	for (uint32_t i = 0; i < d->total.label_count; i++)
		if (d->total.labels[i].shapes)
			yyjson_mut_obj_add_uint(doc, out, d->labels[i], d->total.labels[i].shapes);
}

/* ---- of all ---- */

static double mean(uint64_t sum, uint64_t count, double parts)
{
	return count ? (double)sum / parts / (double)count : (double)NAN;
}

static void add_latency(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct summary *s)
{
	static const struct {
		const char *key;
		double q;
	} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, stats, "latency");
	dashboard_add(doc, out, "mean", mean(s->latency_sum_us, s->predictions, 1e6));
	for (size_t i = 0; i < COUNT_OF(quantiles); i++)
		dashboard_add(doc, out, quantiles[i].key,
			s->predictions ? sketch_quantile(s->latencies, quantiles[i].q) / 1e6 : (double)NAN);
}

static void add_all(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct dashboard *d)
{
	const struct summary *s = &d->total;
	add_latency(doc, stats, s);
	dashboard_add(doc, stats, "width", mean(s->width_sum, s->predictions, 1));
	dashboard_add(doc, stats, "height", mean(s->height_sum, s->predictions, 1));
	yyjson_mut_val *ratios = yyjson_mut_obj_add_obj(doc, stats, "image_ratio");
	for (unsigned i = 0; i < SUMMARY_RATIO_NAMES; i++)
		yyjson_mut_obj_add_uint(doc, ratios, summary_image_ratio_name(i), s->image_ratios[i]);
	dashboard_add(doc, stats, "brightness", mean(s->brightness_sum, s->measured, 1e3));
	dashboard_add(doc, stats, "contrast", mean(s->contrast_sum, s->measured, 1e3));
	dashboard_add(doc, stats, "blur", mean(s->blur_sum, s->measured, 1e3));
	yyjson_mut_obj_add_uint(doc, stats, "shapes", s->shapes);
	yyjson_mut_obj_add_uint(doc, stats, "without_shapes", s->without_shapes);
	stats_add_predicted(doc, stats, "labels", d);
}

/* The SDK tells its user of "infos.info": that these numbers are not the newest. */
static void add_infos(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard *d)
{
	if (d->behind)
		api_add_text(doc, yyjson_mut_obj_add_obj(doc, root, "infos"), "info",
			"The newest predictions are not counted yet: ask again in a moment.");
	if (d->basis.sentence)
		yyjson_mut_obj_add_str(doc, root, "sentence", d->basis.sentence);
}

enum status stats_metrics(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct err *err)
{
	struct dashboard d = {0};
	enum status st = stats_dashboard(req, query, &d, err);
	if (st == ST_OK) {
		const bool all = uuid_is_zero(query->filter.version_id);
		api_add_id(doc, root, "model_id", all ? d.versions[0].id : query->filter.version_id);
		yyjson_mut_obj_add_uint(doc, root, "count", d.total.predictions);
		add_all(doc, yyjson_mut_obj_add_obj(doc, root, "stats"), &d);
		add_infos(doc, root, &d);
	}
	dashboard_release(&d);
	return st;
}

/* ---- of each ---- */

static void add_image(yyjson_mut_doc *doc, yyjson_mut_val *items, const struct dashboard_image *image)
{
	const struct log_row *row = image->row;
	const struct stats_item item = {row->predicted_asset_id, row->id, row->version_id, row->created_us};
	const struct shapes *shapes = &image->seen.shapes;
	const double width = row->width, height = row->height;
	yyjson_mut_val *stats = stats_add_item(doc, items, &item);
	uint64_t counted = 0;
	for (size_t i = 0; i < shapes->count; i++)
		counted += summary_counts(shapes, i, image->threshold);
	yyjson_mut_obj_add_real(doc, stats, "latency", (double)row->latency_us / 1e6);
	yyjson_mut_obj_add_uint(doc, stats, "width", row->width);
	yyjson_mut_obj_add_uint(doc, stats, "height", row->height);
	dashboard_add(doc, stats, "image_ratio", height > 0 ? width / height : (double)NAN);
	yyjson_mut_obj_add_str(doc, stats, "image_ratio_name",
		summary_image_ratio_name(summary_image_ratio(row->width, row->height)));
	yyjson_mut_obj_add_uint(doc, stats, "image_area", (uint64_t)row->width * row->height);
	yyjson_mut_obj_add_uint(doc, stats, "shapes", counted);
	dashboard_add(doc, stats, "score_max",
		shapes->count ? shown_score((double)shapes->items[0].score) : (double)NAN);
	dashboard_add(doc, stats, "brightness", image->seen.stats.brightness);
	dashboard_add(doc, stats, "contrast", image->seen.stats.contrast);
	dashboard_add(doc, stats, "blur", image->seen.stats.blur);
}

enum status stats_metrics_each(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct err *err)
{
	API_READER log = {0};
	API_READER watch = {0};
	const struct dashboard_filter filter = filter_of(query);
	struct dashboard_image *images;
	size_t count, listed = 0;
	TRY(api_read(req, &log, err));
	TRY(dashboard_reader(req, &watch, err));
	TRY(dashboard_read_images(log.conn, watch.conn, query->deployment_id, &filter, ITEMS_MAX + 1,
		clock_unix_us(), req->arena, &images, &count, err));
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count && listed < ITEMS_MAX; i++) {
		const int64_t at_us = images[i].row->created_us;
		if (at_us < filter.from_us || (filter.to_us && at_us >= filter.to_us))
			continue; /* of the minute, and not of the range */
		add_image(doc, items, &images[i]);
		listed++;
	}
	yyjson_mut_obj_add_uint(doc, root, "count", listed);
	yyjson_mut_obj_add_val(doc, root, "items", items);
	if (count > ITEMS_MAX)
		yyjson_mut_obj_add_str(doc, root, "sentence", "The 10,000 newest of more.");
	return ST_OK;
}
