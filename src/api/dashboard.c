/* SPDX-License-Identifier: Apache-2.0 */
/* What a deployment was sent and said, counted: GET /api/deployment/{id}/dashboard. */
#include "api/dashboard_json.h"
#include "api/nouns.h"
#include "api/quality_json.h"
#include "base/check.h"
#include "os/clock.h"
#include "watch/watch.h"

#include <math.h>
#include <stdlib.h>

#define TIME_S_MAX 4e9 /* 2096 */
#define DAY_S 86400.0

/* ---- the request ---- */

static bool is_given(const struct http_request *req, const char *key)
{
	const char *text = http_query(req, key);
	return text && *text;
}

static enum status read_times(struct http_request *req, struct dashboard_filter *out, struct err *err)
{
	double from = -1, to = -1;
	TRY(quality_number(req, "from", 0, TIME_S_MAX, &from, err));
	TRY(quality_number(req, "to", 0, TIME_S_MAX, &to, err));
	out->recent = from < 0 && to < 0;
	if (from < 0 && to >= 0)
		from = to > DAY_S ? to - DAY_S : 0;
	if (to >= 0 && to <= from)
		return err_set(err, ST_INVALID, "\"to\" must be after \"from\".");
	out->from_us = from > 0 ? llround(from * 1e6) : 0;
	out->to_us = to > 0 ? llround(to * 1e6) : 0;
	return ST_OK;
}

static enum status read_threshold(struct http_request *req, struct dashboard_filter *out, struct err *err)
{
	const char *text = http_query(req, "threshold");
	if (!is_given(req, "threshold") || strcmp(text, "answered") == 0)
		return ST_OK;
	out->cut = strcmp(text, "setting") == 0 ? DASHBOARD_SETTING : DASHBOARD_VALUE;
	if (out->cut == DASHBOARD_SETTING)
		return ST_OK;
	char *end;
	out->threshold = strtod(text, &end);
	if (*end || !(out->threshold >= 0 && out->threshold <= 1))
		return err_set(err, ST_INVALID,
			"\"threshold\" must be \"answered\", \"setting\" or a number from 0 to 1.");
	return ST_OK;
}

enum status dashboard_filter_of(struct http_request *req, struct dashboard_filter *out, struct err *err)
{
	*out = (struct dashboard_filter){0};
	TRY(read_times(req, out, err));
	TRY(read_threshold(req, out, err));
	if (is_given(req, "version") && !uuid_parse(http_query(req, "version"), &out->version_id))
		return err_set(err, ST_INVALID, "\"version\" must be the id of a model version.");
	out->source = is_given(req, "source") ? http_query(req, "source") : NULL;
	out->label = is_given(req, "label") ? http_query(req, "label") : NULL;
	const char **tags = ARENA_ARRAY(req->arena, const char *, QUALITY_TAGS_MAX);
	size_t count = http_query_all(req, "tag", tags, QUALITY_TAGS_MAX);
	out->tags = tags;
	out->tag_count = count < QUALITY_TAGS_MAX ? count : QUALITY_TAGS_MAX;
	return ST_OK;
}

enum status dashboard_reader(struct http_request *req, struct api_reader *out, struct err *err)
{
	out->pool = watch_readers(api_of(req)->watch);
	return db_reader_take(out->pool, &out->conn, err);
}

/* ---- the answer ---- */

void dashboard_add(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
	if (isfinite(value))
		yyjson_mut_obj_add_real(doc, object, key, value);
	else
		yyjson_mut_obj_add_null(doc, object, key);
}

void dashboard_add_basis(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard_basis *basis)
{
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "basis");
	yyjson_mut_obj_add_str(doc, out, "kind", basis->sample ? "sample" : "all");
	yyjson_mut_obj_add_uint(doc, out, "images", basis->images);
	yyjson_mut_obj_add_uint(doc, out, "of", basis->of);
	api_add_text(doc, out, "sentence", basis->sentence);
}

static void add_texts(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const char *key, const char *const *items, size_t count)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, key);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_add_str(doc, list, items[i]);
}

static void add_head(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard *d,
	const struct dashboard_filter *f)
{
	static const char *const cuts[] = {"answered", "setting", "value"};
	yyjson_mut_obj_add_real(doc, root, "from", (double)d->range.from_us / 1e6);
	yyjson_mut_obj_add_real(doc, root, "to", (double)d->range.to_us / 1e6);
	yyjson_mut_obj_add_int(doc, root, "step_s", d->range.step_s);
	yyjson_mut_obj_add_str(doc, root, "task", task_wire_name(d->task));
	yyjson_mut_val *threshold = yyjson_mut_obj_add_obj(doc, root, "threshold");
	yyjson_mut_obj_add_str(doc, threshold, "mode", cuts[f->cut]);
	dashboard_add(doc, threshold, "value", d->threshold);
	dashboard_add(doc, threshold, "floor", d->floor);
	dashboard_add_basis(doc, root, &d->basis);
	yyjson_mut_obj_add_bool(doc, root, "behind", d->behind);
}

static void add_versions(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard *d)
{
	static const char *const roles[] = {"champion", "shadow", "past"};
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "versions");
	for (size_t i = 0; i < d->version_count; i++) {
		const struct dashboard_version *v = &d->versions[i];
		yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
		api_add_id(doc, out, "id", v->id);
		api_add_text(doc, out, "name", v->name);
		api_add_text(doc, out, "model_name", v->model_name);
		yyjson_mut_obj_add_int(doc, out, "version", v->version);
		yyjson_mut_obj_add_str(doc, out, "role", roles[v->role]);
		yyjson_mut_obj_add_uint(doc, out, "predictions", v->predictions);
	}
	yyjson_mut_val *markers = yyjson_mut_obj_add_arr(doc, root, "markers");
	for (size_t i = 0; i < d->marker_count; i++) {
		const struct dashboard_marker *m = &d->markers[i];
		yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, markers);
		yyjson_mut_obj_add_real(doc, out, "at", (double)m->at_us / 1e6);
		api_add_text(doc, out, "from_version", m->from_version);
		api_add_text(doc, out, "to_version", m->to_version);
		yyjson_mut_obj_add_str(doc, out, "what", m->what);
	}
}

static double quantile_ms(const struct summary *s, double q)
{
	return s->predictions ? sketch_quantile(s->latencies, q) / 1e3 : (double)NAN;
}

static void add_totals(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard *d)
{
	const struct summary *s = &d->total;
	const double images = (double)s->predictions;
	int64_t now_us = clock_unix_us(), to_us = d->range.to_us < now_us ? d->range.to_us : now_us;
	double seconds = (double)(to_us - d->range.from_us) / 1e6;
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "totals");
	yyjson_mut_obj_add_uint(doc, out, "predictions", s->predictions);
	yyjson_mut_obj_add_uint(doc, out, "failed", d->failed);
	yyjson_mut_obj_add_uint(doc, out, "refused", d->refused);
	dashboard_add(doc, out, "mean_latency_ms",
		s->predictions ? (double)s->latency_sum_us / 1e3 / images : (double)NAN);
	dashboard_add(doc, out, "p50_ms", quantile_ms(s, 0.5));
	dashboard_add(doc, out, "p90_ms", quantile_ms(s, 0.9));
	dashboard_add(doc, out, "p99_ms", quantile_ms(s, 0.99));
	yyjson_mut_obj_add_uint(doc, out, "shapes", s->shapes);
	yyjson_mut_obj_add_uint(doc, out, "without_shapes", s->without_shapes);
	dashboard_add(doc, out, "images_per_s", seconds > 0 ? images / seconds : (double)NAN);
}

static void add_point(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct dashboard_point *p)
{
	yyjson_mut_obj_add_real(doc, out, "at", (double)p->at_us / 1e6);
	yyjson_mut_obj_add_uint(doc, out, "predictions", p->predictions);
	dashboard_add(doc, out, "mean_latency_ms", p->mean_latency_ms);
	dashboard_add(doc, out, "p50_ms", p->p50_ms);
	dashboard_add(doc, out, "p99_ms", p->p99_ms);
}

static void add_series(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard *d)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "series");
	for (size_t i = 0; i < d->range.points; i++) {
		const struct dashboard_point *p = &d->points[i];
		yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
		add_point(doc, out, p);
		yyjson_mut_obj_add_uint(doc, out, "failed", p->failed);
		yyjson_mut_obj_add_uint(doc, out, "refused", p->refused);
		dashboard_add(doc, out, "brightness", p->brightness);
		dashboard_add(doc, out, "contrast", p->contrast);
		dashboard_add(doc, out, "blur", p->blur);
		dashboard_add(doc, out, "objects", p->objects);
		yyjson_mut_obj_add_uint(doc, out, "no_answer", p->no_answer);
	}
	yyjson_mut_val *shadows = yyjson_mut_obj_add_arr(doc, root, "shadows");
	for (size_t k = 0; k < d->shadow_count; k++) {
		yyjson_mut_val *shadow = yyjson_mut_arr_add_obj(doc, shadows);
		api_add_id(doc, shadow, "model_version_id", d->shadows[k].version_id);
		list = yyjson_mut_obj_add_arr(doc, shadow, "series");
		for (size_t i = 0; i < d->range.points; i++)
			add_point(doc, yyjson_mut_arr_add_obj(doc, list), &d->shadows[k].points[i]);
	}
}

/* ---- distributions ---- */

/* Edges are first, first + width, …; null where nothing was counted. */
static void add_histogram(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
	const uint64_t *counts, size_t count, double first, double width)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += counts[i];
	if (sum == 0) {
		yyjson_mut_obj_add_null(doc, object, key);
		return;
	}
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, object, key);
	yyjson_mut_val *edges = yyjson_mut_obj_add_arr(doc, out, "edges");
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, out, "counts");
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_add_uint(doc, list, counts[i]);
	for (size_t i = 0; i <= count; i++)
		yyjson_mut_arr_add_real(doc, edges, first + width * (double)i);
}
struct label {
	const char *name;
	uint64_t shapes, images;
};

static int most_first(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	if (x->shapes != y->shapes)
		return x->shapes > y->shapes ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void add_labels(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const struct dashboard *d, struct arena *a)
{
	const struct summary *s = &d->total;
	struct label *labels = ARENA_ARRAY(a, struct label, s->label_count + 1);
	size_t count = 0;
	for (uint32_t i = 0; i < s->label_count; i++)
		if (s->labels[i].shapes)
			labels[count++] =
				(struct label){d->labels[i], s->labels[i].shapes, s->labels[i].images};
	qsort(labels, count, sizeof(*labels), most_first);
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "labels");
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_str(doc, out, "label", labels[i].name);
		yyjson_mut_obj_add_uint(doc, out, "shapes", labels[i].shapes);
		yyjson_mut_obj_add_uint(doc, out, "images", labels[i].images);
	}
}

/* Of all labels together. */
static void add_shapes(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct summary *s, struct arena *a)
{
	struct summary_label *sum = ARENA_NEW(a, struct summary_label);
	for (uint32_t i = 0; i < s->label_count; i++) {
		for (size_t k = 0; k < SUMMARY_SCORES; k++)
			sum->scores[k] += s->labels[i].scores[k];
		for (size_t k = 0; k < SUMMARY_SIZES; k++)
			sum->sizes[k] += s->labels[i].sizes[k];
		for (size_t k = 0; k < SUMMARY_RATIOS; k++)
			sum->ratios[k] += s->labels[i].ratios[k];
	}
	add_histogram(doc, object, "scores", sum->scores, SUMMARY_SCORES, 0, 1.0 / SUMMARY_SCORES);
	add_histogram(doc, object, "sizes", sum->sizes, SUMMARY_SIZES, 0, 1.0 / SUMMARY_SIZES);
	add_histogram(doc, object, "ratios", sum->ratios, SUMMARY_RATIOS, -4, 0.25);
}

static void add_distributions(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard *d, struct arena *a)
{
	const struct summary *s = &d->total;
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "distributions");
	add_labels(doc, out, d, a);
	add_histogram(doc, out, "objects", s->objects, SUMMARY_OBJECTS, 0, 1);
	add_shapes(doc, out, s, a);
	add_histogram(doc, out, "image_areas", s->areas, SUMMARY_AREAS, 0, 0.5);
	yyjson_mut_val *ratios = yyjson_mut_obj_add_arr(doc, out, "image_ratios");
	for (unsigned i = 0; i < SUMMARY_RATIO_NAMES; i++) {
		yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, ratios);
		yyjson_mut_obj_add_str(doc, one, "name", summary_image_ratio_name(i));
		yyjson_mut_obj_add_uint(doc, one, "images", s->image_ratios[i]);
	}
	add_histogram(doc, out, "brightness", s->brightness, SUMMARY_LUMA, 0, 4);
	add_histogram(doc, out, "contrast", s->contrast, SUMMARY_LUMA, 0, 2);
	add_histogram(doc, out, "blur", s->blur, SUMMARY_BLUR, 0, 0.25);
}

static void add_failures(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard *d)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "failed");
	for (size_t i = 0; i < d->failure_count; i++) {
		const struct failure_sum *f = &d->failures[i];
		yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_int(doc, out, "http_status", f->http_status);
		yyjson_mut_obj_add_str(doc, out, "step", f->step);
		yyjson_mut_obj_add_int(doc, out, "count", f->count);
		yyjson_mut_obj_add_real(doc, out, "last_at", (double)f->last_us / 1e6);
		api_add_text(doc, out, "text", f->last_text);
	}
}

static enum status reply_dashboard(struct http_request *req, struct http_reply *reply, struct dashboard *d,
	const struct dashboard_filter *filter)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	if (!watch_is_on(api_of(req)->watch))
		d->basis.sentence = "Nothing is counted: the setting \"watch\" is off.";
	add_head(doc, root, d, filter);
	add_versions(doc, root, d);
	add_texts(doc, root, "sources", d->sources, d->source_count);
	add_texts(doc, root, "labels", d->labels, d->label_count);
	add_totals(doc, root, d);
	add_series(doc, root, d);
	add_distributions(doc, root, d, req->arena);
	add_failures(doc, root, d);
	return http_reply_json(req, reply, doc);
}

enum status api_deployment_dashboard(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER log = {0};
	API_READER watch = {0};
	struct dashboard_filter filter;
	struct dashboard d = {0};
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(dashboard_filter_of(req, &filter, err));
	TRY(api_read(req, &log, err));
	TRY(dashboard_reader(req, &watch, err));
	enum status st =
		dashboard_read(log.conn, watch.conn, id, &filter, clock_unix_us(), req->arena, &d, err);
	if (st == ST_OK)
		st = reply_dashboard(req, reply, &d, &filter);
	dashboard_release(&d);
	return st;
}

/* ---- where ---- */

static void add_grid(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *key, const uint64_t *cells)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, key);
	for (size_t i = 0; i < (size_t)HEAT_SIDE * HEAT_SIDE; i++)
		yyjson_mut_arr_add_uint(doc, list, cells[i]);
}

enum status api_deployment_heatmap(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER log = {0};
	API_READER watch = {0};
	struct dashboard_filter filter;
	struct dashboard_heat *heat = ARENA_NEW(req->arena, struct dashboard_heat);
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(dashboard_filter_of(req, &filter, err));
	TRY(api_read(req, &log, err));
	TRY(dashboard_reader(req, &watch, err));
	TRY(dashboard_read_heat(log.conn, watch.conn, id, &filter, clock_unix_us(), req->arena, heat, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_int(doc, root, "side", HEAT_SIDE);
	add_grid(doc, root, "centres", heat->centres);
	add_grid(doc, root, "coverage", heat->coverage);
	yyjson_mut_obj_add_uint(doc, root, "images", heat->images);
	yyjson_mut_obj_add_uint(doc, root, "shapes", heat->shapes);
	api_add_text(doc, root, "label", filter.label);
	dashboard_add_basis(doc, root, &heat->basis);
	return http_reply_json(req, reply, doc);
}
