/* SPDX-License-Identifier: Apache-2.0 */
/* How right a deployment's models are, by its reviews: GET /api/deployment/{id}/quality. */
#include "api/nouns.h"
#include "api/quality_json.h"
#include "base/check.h"

#include <math.h>
#include <stdlib.h>

#define TIME_S_MAX 1e11

enum status quality_number(const struct http_request *req, const char *key, double low, double high,
	double *out, struct err *err)
{
	const char *text = http_query(req, key);
	if (text == NULL || *text == '\0')
		return ST_OK;
	char *end;
	double value = strtod(text, &end);
	if (*end || !isfinite(value) || value < low || value > high)
		return err_set(err, ST_INVALID, "\"%s\" must be a number from %g to %g.", key, low, high);
	*out = value;
	return ST_OK;
}

void quality_tags(struct http_request *req, const char *key, struct quality_filter *f)
{
	const char **tags = ARENA_ARRAY(req->arena, const char *, QUALITY_TAGS_MAX);
	size_t count = http_query_all(req, key, tags, QUALITY_TAGS_MAX);
	f->tags = tags;
	f->tag_count = count < QUALITY_TAGS_MAX ? count : QUALITY_TAGS_MAX;
	while (f->tag_count && *f->tags[f->tag_count - 1] == '\0')
		f->tag_count--;
}

static const char *text_of(const struct http_request *req, const char *key)
{
	const char *text = http_query(req, key);
	return text && *text ? text : NULL;
}

static enum status read_filter(struct http_request *req, struct quality_filter *f, struct err *err)
{
	double from = 0, to = 0, intervals = 1;
	*f = (struct quality_filter){
		.threshold = -1, .source = text_of(req, "source"), .label = text_of(req, "label")};
	TRY(quality_number(req, "from", 0, TIME_S_MAX, &from, err));
	TRY(quality_number(req, "to", 0, TIME_S_MAX, &to, err));
	TRY(quality_number(req, "threshold", 0, 1, &f->threshold, err));
	TRY(quality_number(req, "intervals", 0, 1, &intervals, err));
	quality_tags(req, "tag", f);
	f->from_us = llround(from * 1e6);
	f->to_us = llround(to * 1e6);
	f->intervals = intervals > 0;
	const char *version = text_of(req, "version");
	if (version && !uuid_parse(version, &f->version_id))
		return err_set(err, ST_INVALID, "\"version\" must be the id of a model version.");
	return ST_OK;
}

void quality_add(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
	if (value < 0)
		yyjson_mut_obj_add_null(doc, object, key);
	else
		yyjson_mut_obj_add_real(doc, object, key, value);
}

yyjson_mut_val *quality_coco(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct score_numbers *n)
{
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, object, key);
	const struct {
		const char *key;
		double value;
	} numbers[] = {{"AP", n->ap}, {"AP50", n->ap50}, {"AP75", n->ap75}, {"AP_small", n->ap_small},
		{"AP_medium", n->ap_medium}, {"AP_large", n->ap_large}, {"AR_1", n->ar1}, {"AR_10", n->ar10},
		{"AR_100", n->ar100}, {"AR_small", n->ar_small}, {"AR_medium", n->ar_medium},
		{"AR_large", n->ar_large}};
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		quality_add(doc, out, numbers[i].key, numbers[i].value);
	return out;
}

/* A reader's number and interval; null where it was made of no image. A difference may be below 0. */
static yyjson_mut_val *add_estimate(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
	const struct estimate *e, bool difference)
{
	if (e->images == 0) {
		yyjson_mut_obj_add_null(doc, object, key);
		return NULL;
	}
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, object, key);
	if (difference) {
		yyjson_mut_obj_add_real(doc, out, "value", e->value);
		yyjson_mut_obj_add_real(doc, out, "low", e->low);
		yyjson_mut_obj_add_real(doc, out, "high", e->high);
	} else {
		quality_add(doc, out, "value", e->value);
		quality_add(doc, out, "low", e->low);
		quality_add(doc, out, "high", e->high);
	}
	yyjson_mut_obj_add_uint(doc, out, "images", e->images);
	return out;
}

static void add_counts(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct score_counts *c)
{
	yyjson_mut_obj_add_real(doc, out, "precision", c->precision);
	yyjson_mut_obj_add_real(doc, out, "recall", c->recall);
	yyjson_mut_obj_add_real(doc, out, "f1", c->f1);
	yyjson_mut_obj_add_uint(doc, out, "found", c->found);
	yyjson_mut_obj_add_uint(doc, out, "wrong", c->wrong);
	yyjson_mut_obj_add_uint(doc, out, "missed", c->missed);
}

static void add_labels(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct quality_report *r,
	const struct quality_version *v)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "labels");
	for (size_t i = 0; i < v->label_count; i++) {
		const struct quality_label *l = &v->labels[i];
		yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_str(doc, out, "label", r->labels[l->label]);
		yyjson_mut_obj_add_uint(doc, out, "truths", l->truths);
		quality_add(doc, out, "ap", l->ap);
		quality_add(doc, out, "ap50", l->ap50);
		quality_add(doc, out, "iou", l->iou);
		add_counts(doc, out, &l->counts);
	}
}

static void add_classification(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct quality_report *r,
	const struct quality_version *v)
{
	const struct class_summary *s = &v->classes;
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, object, "classification");
	yyjson_mut_obj_add_real(doc, out, "accuracy", s->accuracy);
	yyjson_mut_obj_add_real(doc, out, "precision", s->precision_mean);
	yyjson_mut_obj_add_real(doc, out, "recall", s->recall_mean);
	yyjson_mut_obj_add_real(doc, out, "f1", s->f1_mean);
	yyjson_mut_obj_add_real(doc, out, "f1_weighted", s->f1_weighted);
	yyjson_mut_obj_add_uint(doc, out, "right", s->right);
	add_labels(doc, out, r, v);
}

static void add_segmentation(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct quality_report *r,
	const struct quality_version *v)
{
	yyjson_mut_val *out = quality_coco(doc, object, "segmentation", &v->coco);
	quality_add(doc, out, "mean_iou", v->mean_iou);
	quality_add(doc, out, "mean_dice", v->mean_dice);
	add_labels(doc, out, r, v);
}

static void add_point(yyjson_mut_doc *doc, yyjson_mut_val *list, const double *values, size_t count)
{
	yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, list);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_add_real(doc, point, values[i]);
}

static void add_thresholds(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct quality_version *v)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, key);
	for (int i = 0; i < SCORE_CONFIDENCES; i++) {
		const struct score_counts *c = &v->confidences[i];
		const double point[] = {i / 100.0, c->precision, c->recall, c->f1};
		add_point(doc, list, point, COUNT_OF(point));
	}
}

static void add_curves(
	yyjson_mut_doc *doc, yyjson_mut_val *object, enum task task, const struct quality_version *v)
{
	add_thresholds(doc, object, "thresholds", v);
	if (task == TASK_CLASSIFICATION) {
		add_thresholds(doc, object, "curve", v);
	} else if (v->curve[0] < 0) {
		yyjson_mut_obj_add_null(doc, object, "curve");
	} else {
		yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "curve");
		for (int i = 0; i < SCORE_RECALLS; i++) {
			const double point[] = {i / 100.0, v->curve[i]};
			add_point(doc, list, point, COUNT_OF(point));
		}
	}
	quality_add(doc, object, "best_threshold", v->best_confidence < 0 ? -1 : v->best_confidence / 100.0);
}

static void add_confusion(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct quality_report *r,
	const struct quality_version *v)
{
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, object, "confusion");
	yyjson_mut_val *labels = yyjson_mut_obj_add_arr(doc, out, "labels");
	yyjson_mut_val *cells = yyjson_mut_obj_add_arr(doc, out, "cells");
	size_t count = v->confusion.label_count, side = count + 1;
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_add_str(doc, labels, r->labels[v->confusion_labels[i]]);
	yyjson_mut_arr_add_str(doc, labels, "background");
	for (size_t row = 0; row < side; row++) {
		yyjson_mut_val *line = yyjson_mut_arr_add_arr(doc, cells);
		for (size_t column = 0; column < side; column++)
			yyjson_mut_arr_add_uint(doc, line, v->confusion.cells[row * side + column]);
	}
}

static void add_version(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct quality_report *r,
	const struct quality_version *v)
{
	static const char *const roles[] = {"champion", "shadow", "past"};
	yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
	bool classes = r->task == TASK_CLASSIFICATION;
	api_add_id(doc, out, "model_version_id", v->id);
	api_add_text(doc, out, "name", v->name);
	api_add_text(doc, out, "model_name", v->model_name);
	yyjson_mut_obj_add_int(doc, out, "version", v->version);
	yyjson_mut_obj_add_str(doc, out, "role", roles[v->role]);
	yyjson_mut_obj_add_uint(doc, out, "images", v->images);
	if (r->task == TASK_DETECTION)
		quality_coco(doc, out, "coco", &v->coco);
	if (classes)
		add_classification(doc, out, r, v);
	if (r->task == TASK_SEGMENTATION)
		add_segmentation(doc, out, r, v);
	yyjson_mut_val *main = add_estimate(doc, out, "ap", &v->estimate, false);
	if (main)
		yyjson_mut_obj_add_str(doc, main, "method", classes ? "wilson" : "bootstrap");
	add_estimate(doc, out, "weighted", &v->weighted, false);
	add_estimate(doc, out, "random_only", &v->random_only, false);
	add_estimate(doc, out, "difference", &v->difference, true);
	add_counts(doc, yyjson_mut_obj_add_obj(doc, out, "at_threshold"), &v->at_threshold);
	add_labels(doc, out, r, v);
	add_curves(doc, out, r->task, v);
	add_confusion(doc, out, r, v);
}

static void add_windows(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct quality_report *r)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "over_time");
	for (size_t w = 0; w < r->window_count; w++) {
		const struct quality_window *window = &r->windows[w];
		yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_real(doc, out, "from", (double)window->from_us / 1e6);
		yyjson_mut_obj_add_real(doc, out, "to", (double)window->to_us / 1e6);
		yyjson_mut_obj_add_uint(doc, out, "images", window->images);
		yyjson_mut_val *values = yyjson_mut_obj_add_obj(doc, out, "values");
		for (size_t i = 0; i < r->version_count; i++) {
			char id[UUID_TEXT_SIZE];
			uuid_format(r->versions[i].id, id);
			yyjson_mut_val *key = yyjson_mut_strcpy(doc, id);
			yyjson_mut_obj_add(values, key,
				window->values[i] < 0 ? yyjson_mut_null(doc)
						      : yyjson_mut_real(doc, window->values[i]));
		}
	}
}

enum status api_deployment_quality(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct quality_filter filter;
	struct quality_report report;
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(read_filter(req, &filter, err));
	TRY(quality_read(api_of(req)->quality, id, &filter, req->arena, &report, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_str(doc, root, "task", task_wire_name(report.task));
	yyjson_mut_obj_add_uint(doc, root, "reviewed", report.reviewed);
	yyjson_mut_obj_add_uint(doc, root, "with_chance", report.with_chance);
	yyjson_mut_obj_add_real(doc, root, "threshold", report.threshold);
	yyjson_mut_val *versions = yyjson_mut_obj_add_arr(doc, root, "versions");
	for (size_t i = 0; i < report.version_count; i++)
		add_version(doc, versions, &report, &report.versions[i]);
	add_windows(doc, root, &report);
	return http_reply_json(req, reply, doc);
}
