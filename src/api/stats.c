/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SDK's get_stats() asks for, of the services that need reviews: object_detection, classification
 * and label_distribution, of each reviewed image (predictions/stats) or of all of them (stats).
 */
#include "api/nouns.h"
#include "api/quality_json.h"
#include "base/check.h"
#include "os/clock.h"

#include <math.h>

#define IDS_MAX 1000
#define TIME_S_MAX 1e11

enum service { OBJECT_DETECTION, CLASSIFICATION, LABEL_DISTRIBUTION, SERVICE_COUNT };
static const char *const service_names[SERVICE_COUNT] = {
	"object_detection", "classification", "label_distribution"};

static enum status read_service(const struct http_request *req, enum service *out, struct err *err)
{
	const char *name;
	TRY(api_query_text(req, "service", &name, err));
	for (int i = 0; i < SERVICE_COUNT; i++) {
		if (strcmp(name, service_names[i]) != 0)
			continue;
		*out = (enum service)i;
		return ST_OK;
	}
	return err_set(err, ST_INVALID,
		"The service \"%s\" is not measured: object_detection, classification and "
		"label_distribution are, from reviews.",
		name);
}

/* What is no id names no image. */
static const struct uuid *read_ids(struct http_request *req, const char *key, size_t *count)
{
	const char **texts = ARENA_ARRAY(req->arena, const char *, IDS_MAX);
	struct uuid *ids = ARENA_ARRAY(req->arena, struct uuid, IDS_MAX);
	size_t all = http_query_all(req, key, texts, IDS_MAX);
	for (*count = 0; *count < all && *count < IDS_MAX; ++*count)
		if (!uuid_parse(texts[*count], &ids[*count]))
			ids[*count] = (struct uuid){{0xff}};
	return ids;
}

static enum status read_filter(struct http_request *req, struct quality_filter *f, struct err *err)
{
	double from = 0, to = 0, since = 0;
	*f = (struct quality_filter){.threshold = -1};
	TRY(quality_number(req, "from_timestamp", 0, TIME_S_MAX, &from, err));
	TRY(quality_number(req, "to_timestamp", 0, TIME_S_MAX, &to, err));
	TRY(quality_number(req, "since", 0, TIME_S_MAX, &since, err));
	f->from_us = llround(from * 1e6);
	f->to_us = llround(to * 1e6);
	if (since > 0 && clock_unix_us() - llround(since * 1e6) > f->from_us)
		f->from_us = clock_unix_us() - llround(since * 1e6);
	f->only = read_ids(req, "includes", &f->only_count);
	f->without = read_ids(req, "excludes", &f->without_count);
	quality_tags(req, "tags", f);
	const char *version = http_query(req, "model_id");
	if (version && *version && !uuid_parse(version, &f->version_id))
		return err_set(err, ST_INVALID, "\"model_id\" must be the id of a model version.");
	return ST_OK;
}

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

static void add_distribution(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct quality_report *r,
	const struct quality_version *v)
{
	yyjson_mut_val *reviews = yyjson_mut_obj_add_obj(doc, stats, "reviews");
	yyjson_mut_val *predictions = yyjson_mut_obj_add_obj(doc, stats, "predictions");
	for (size_t i = 0; i < v->label_count; i++) {
		const struct quality_label *l = &v->labels[i];
		if (l->truths)
			yyjson_mut_obj_add_uint(doc, reviews, r->labels[l->label], l->truths);
		if (l->counts.found + l->counts.wrong)
			yyjson_mut_obj_add_uint(
				doc, predictions, r->labels[l->label], l->counts.found + l->counts.wrong);
	}
}

static const struct quality_version *version_of(const struct quality_report *r)
{
	static const struct quality_version none = {.coco = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}};
	return r->version_count ? &r->versions[0] : &none;
}

static yyjson_mut_val *new_answer(
	struct http_request *req, yyjson_mut_doc **doc, enum service service, struct uuid deployment_id)
{
	yyjson_mut_val *root = api_object(req, doc);
	yyjson_mut_obj_add_str(*doc, root, "service", service_names[service]);
	api_add_id(*doc, root, "deployment_id", deployment_id);
	return root;
}

enum status api_deployment_stats(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct quality_filter filter;
	struct quality_report report;
	enum service service = LABEL_DISTRIBUTION;
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(read_service(req, &service, err));
	TRY(read_filter(req, &filter, err));
	TRY(quality_read(api_of(req)->quality, id, &filter, req->arena, &report, err));
	const struct quality_version *v = version_of(&report);
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = new_answer(req, &doc, service, id);
	api_add_id(doc, root, "model_id", v->id);
	yyjson_mut_obj_add_uint(doc, root, "count", v->images);
	yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, root, "stats");
	if (service == LABEL_DISTRIBUTION) {
		add_distribution(doc, stats, &report, v);
		return http_reply_json(req, reply, doc);
	}
	if (report.task == TASK_CLASSIFICATION) {
		yyjson_mut_obj_add_real(doc, stats, "accuracy", v->classes.accuracy);
		yyjson_mut_obj_add_real(doc, stats, "precision", v->classes.precision_mean);
		yyjson_mut_obj_add_real(doc, stats, "recall", v->classes.recall_mean);
		yyjson_mut_obj_add_real(doc, stats, "f1", v->classes.f1_mean);
	} else {
		add_detection(doc, stats, &v->coco);
	}
	add_labels(doc, root, &report, v);
	return http_reply_json(req, reply, doc);
}

/* ---- of each ---- */

static void add_image(yyjson_mut_doc *doc, yyjson_mut_val *list, enum service service,
	const struct quality_report *r, const struct quality_image *image)
{
	yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
	api_add_id(doc, out, "predicted_asset_id", image->predicted_asset_id);
	api_add_id(doc, out, "oracle_prediction_id", image->prediction_id);
	api_add_id(doc, out, "model_id", image->version_id);
	yyjson_mut_obj_add_real(doc, out, "timestamp", (double)image->created_us / 1e6);
	yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, out, "stats");
	if (service == LABEL_DISTRIBUTION) {
		for (size_t i = 0; i < image->truth_count; i++) {
			const char *name = r->labels[image->truths[i]];
			yyjson_mut_val *before = yyjson_mut_obj_get(stats, name);
			if (before)
				yyjson_mut_set_uint(before, yyjson_mut_get_uint(before) + 1);
			else
				yyjson_mut_obj_add_uint(doc, stats, name, 1);
		}
		return;
	}
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

enum status api_prediction_stats(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct quality_filter filter;
	struct quality_report report;
	struct quality_image *images;
	enum service service = LABEL_DISTRIBUTION;
	struct uuid id;
	size_t count;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(read_service(req, &service, err));
	TRY(read_filter(req, &filter, err));
	TRY(quality_read_images(
		api_of(req)->quality, id, &filter, req->arena, &images, &count, &report, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = new_answer(req, &doc, service, id);
	yyjson_mut_obj_add_uint(doc, root, "count", count);
	yyjson_mut_val *items = yyjson_mut_obj_add_arr(doc, root, "items");
	for (size_t i = 0; i < count; i++)
		add_image(doc, items, service, &report, &images[i]);
	return http_reply_json(req, reply, doc);
}
