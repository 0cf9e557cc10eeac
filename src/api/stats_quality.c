/* SPDX-License-Identifier: Apache-2.0 */
/* The services of get_stats() that need reviews: object_detection, classification and label_distribution. */
#include "api/quality_json.h"
#include "api/stats.h"
#include "watch/dashboard.h"

/* ---- of all of them ---- */

static void add_labels(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct quality_report *r,
	const struct quality_version *v)
{
	yyjson_mut_val *labels = yyjson_mut_obj_add_obj(doc, root, "labels");
	for (size_t i = 0; i < v->label_count; i++) {
		const struct quality_label *l = &v->labels[i];
		yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, labels, r->labels[l->label]);
		yyjson_mut_obj_add_uint(doc, out, "truths", l->truths);
		quality_add(doc, out, "ap_50_95", l->ap);
		quality_add(doc, out, "ap_50", l->ap50);
		yyjson_mut_obj_add_real(doc, out, "precision", l->counts.precision);
		yyjson_mut_obj_add_real(doc, out, "recall", l->counts.recall);
		yyjson_mut_obj_add_real(doc, out, "f1", l->counts.f1);
	}
}

static void add_detection(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct score_numbers *n)
{
	quality_add(doc, stats, "ap_50_95", n->ap);
	quality_add(doc, stats, "ap_50", n->ap50);
	quality_add(doc, stats, "ap_75", n->ap75);
	quality_add(doc, stats, "ap_small", n->ap_small);
	quality_add(doc, stats, "ap_medium", n->ap_medium);
	quality_add(doc, stats, "ap_large", n->ap_large);
	quality_add(doc, stats, "ar_1", n->ar1);
	quality_add(doc, stats, "ar_10", n->ar10);
	quality_add(doc, stats, "ar_100", n->ar100);
	quality_add(doc, stats, "ar_small", n->ar_small);
	quality_add(doc, stats, "ar_medium", n->ar_medium);
	quality_add(doc, stats, "ar_large", n->ar_large);
}

static void add_reviewed(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct quality_report *r,
	const struct quality_version *v)
{
	yyjson_mut_val *reviews = yyjson_mut_obj_add_obj(doc, stats, "reviews");
	for (size_t i = 0; i < v->label_count; i++) {
		const struct quality_label *l = &v->labels[i];
		if (l->truths)
			yyjson_mut_obj_add_uint(doc, reviews, r->labels[l->label], l->truths);
	}
}

static const struct quality_version *version_of(const struct quality_report *r)
{
	static const struct quality_version none = {.coco = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}};
	return r->version_count ? &r->versions[0] : &none;
}

static enum status read_all(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct quality_report *report, yyjson_mut_val **stats, struct err *err)
{
	TRY(quality_read(
		api_of(req)->quality, query->deployment_id, &query->filter, req->arena, report, err));
	const struct quality_version *v = version_of(report);
	api_add_id(doc, root, "model_id", v->id);
	yyjson_mut_obj_add_uint(doc, root, "count", v->images);
	*stats = yyjson_mut_obj_add_obj(doc, root, "stats");
	return ST_OK;
}

enum status stats_labels(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct err *err)
{
	struct quality_report report;
	struct dashboard d = {0};
	yyjson_mut_val *stats;
	TRY(read_all(req, query, doc, root, &report, &stats, err));
	add_reviewed(doc, stats, &report, version_of(&report));
	enum status st = stats_dashboard(req, query, &d, err);
	if (st == ST_OK)
		stats_add_predicted(doc, stats, "predictions", &d);
	dashboard_release(&d);
	return st;
}

enum status stats_quality(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct err *err)
{
	struct quality_report report;
	yyjson_mut_val *stats;
	TRY(read_all(req, query, doc, root, &report, &stats, err));
	const struct quality_version *v = version_of(&report);
	if (report.task == TASK_CLASSIFICATION) {
		yyjson_mut_obj_add_real(doc, stats, "accuracy", v->classes.accuracy);
		yyjson_mut_obj_add_real(doc, stats, "precision", v->classes.precision_mean);
		yyjson_mut_obj_add_real(doc, stats, "recall", v->classes.recall_mean);
		yyjson_mut_obj_add_real(doc, stats, "f1", v->classes.f1_mean);
	} else {
		add_detection(doc, stats, &v->coco);
	}
	add_labels(doc, root, &report, v);
	return ST_OK;
}

/* ---- of each ---- */

typedef void add_stats(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct quality_report *r,
	const struct quality_image *image);

static void add_image_labels(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct quality_report *r,
	const struct quality_image *image)
{
	for (size_t i = 0; i < image->truth_count; i++) {
		const char *name = r->labels[image->truths[i]];
		yyjson_mut_val *before = yyjson_mut_obj_get(stats, name);
		if (before)
			yyjson_mut_set_uint(before, yyjson_mut_get_uint(before) + 1);
		else
			yyjson_mut_obj_add_uint(doc, stats, name, 1);
	}
}

static void add_image_quality(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct quality_report *r,
	const struct quality_image *image)
{
	if (r->task == TASK_CLASSIFICATION) {
		bool named = image->truth != CONFUSION_NONE, answered = image->guess != CONFUSION_NONE;
		api_add_text(doc, stats, "truth", named ? r->labels[image->truth] : NULL);
		api_add_text(doc, stats, "answer", answered ? r->labels[image->guess] : NULL);
		yyjson_mut_obj_add_bool(doc, stats, "right", image->truth == image->guess);
		return;
	}
	quality_add(doc, stats, "ap_50_95", image->ap);
	yyjson_mut_obj_add_uint(doc, stats, "found", image->found);
	yyjson_mut_obj_add_uint(doc, stats, "wrong", image->wrong);
	yyjson_mut_obj_add_uint(doc, stats, "missed", image->missed);
}

static enum status read_each(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, add_stats *add, struct err *err)
{
	struct quality_report report;
	struct quality_image *images;
	size_t count;
	TRY(quality_read_images(api_of(req)->quality, query->deployment_id, &query->filter, req->arena,
		&images, &count, &report, err));
	yyjson_mut_obj_add_uint(doc, root, "count", count);
	yyjson_mut_val *items = yyjson_mut_obj_add_arr(doc, root, "items");
	for (size_t i = 0; i < count; i++) {
		const struct stats_item item = {images[i].predicted_asset_id, images[i].prediction_id,
			images[i].version_id, images[i].created_us};
		add(doc, stats_add_item(doc, items, &item), &report, &images[i]);
	}
	return ST_OK;
}

enum status stats_labels_each(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct err *err)
{
	return read_each(req, query, doc, root, add_image_labels, err);
}

enum status stats_quality_each(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct err *err)
{
	return read_each(req, query, doc, root, add_image_quality, err);
}
