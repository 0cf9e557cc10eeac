/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/deployment/{id}/drift: watch/drift.h as JSON; and the SDK's service ks_drift. */
#include "api/drift_json.h"
#include "api/nouns.h"
#include "api/quality_json.h"
#include "api/stats.h"
#include "watch/reference_job.h"
#include "watch/watch.h"

#include <inttypes.h>
#include <math.h>

#define TIME_S_MAX 1e11

static const char *const moves[] = {[SEQUENTIAL_NONE] = NULL,
	[SEQUENTIAL_LOWER] = "lower",
	[SEQUENTIAL_HIGHER] = "higher",
	[SEQUENTIAL_WIDER] = "wider",
	[SEQUENTIAL_NARROWER] = "narrower"};

void drift_add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
	if (isfinite(value))
		yyjson_mut_obj_add_real(doc, object, key, value);
	else
		yyjson_mut_obj_add_null(doc, object, key);
}

void drift_add_reference(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct reference_used *r, struct arena *a)
{
	char id[UUID_TEXT_SIZE];
	if (r == NULL) {
		yyjson_mut_obj_add_null(doc, root, "reference");
		return;
	}
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "reference");
	uuid_format(r->id, id);
	yyjson_mut_obj_add_strcpy(doc, object, "id", id);
	yyjson_mut_obj_add_int(doc, object, "images", r->images);
	yyjson_mut_obj_add_bool(doc, object, "held_out", r->held_out);
	yyjson_mut_obj_add_bool(doc, object, "small", r->images < REFERENCE_SMALL);
	yyjson_mut_obj_add_str(doc, object, "sentence",
		arena_printf(a, "Measured against %" PRId64 " %s.%s", r->images,
			r->production ? "images that this deployment saw"
			: r->held_out ? "held-out images of Training Data"
				      : "images of Training Data that may have been trained on",
			r->images < REFERENCE_SMALL ? " That is a small reference: only larger shifts can be "
						      "told from chance."
						    : ""));
}

/* ---- the answer ---- */

static void add_quantiles(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const double *values)
{
	yyjson_mut_val *inner = yyjson_mut_obj_add_obj(doc, object, key);
	yyjson_mut_obj_add_val(
		doc, inner, "quantiles", yyjson_mut_arr_with_real(doc, values, DRIFT_QUANTILES));
}

static void add_feature(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct drift_feature *f)
{
	yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
	yyjson_mut_obj_add_str(doc, item, "name", feature_name(f->feature));
	yyjson_mut_obj_add_str(doc, item, "title", feature_title(f->feature));
	yyjson_mut_obj_add_str(doc, item, "unit", feature_unit(f->feature));
	yyjson_mut_obj_add_str(
		doc, item, "kind", feature_kind_of(f->feature) == FEATURE_OF_IMAGE ? "image" : "model");
	yyjson_mut_obj_add_uint(doc, item, "reference_images", f->reference_count);
	yyjson_mut_obj_add_uint(doc, item, "images", f->count);
	yyjson_mut_obj_add_real(doc, item, "d", f->d);
	yyjson_mut_obj_add_real(doc, item, "low", f->low);
	yyjson_mut_obj_add_real(doc, item, "high", f->high);
	yyjson_mut_obj_add_real(doc, item, "p", f->p);
	yyjson_mut_obj_add_real(doc, item, "p_adjusted", f->p_adjusted);
	yyjson_mut_obj_add_bool(doc, item, "drifted", f->drifted);
	yyjson_mut_obj_add_real(doc, item, "critical_d", f->critical_d);
	yyjson_mut_obj_add_bool(doc, item, "may_alarm", f->may_alarm);
	add_quantiles(doc, item, "reference", f->reference_quantiles);
	add_quantiles(doc, item, "window", f->quantiles);
	drift_add_number(doc, item, "strength", f->strength);
	api_add_text(doc, item, "moved", moves[f->moved]);
}

static void add_window(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct drift_report *r, struct arena *a)
{
	yyjson_mut_val *window = yyjson_mut_obj_add_obj(doc, root, "window");
	yyjson_mut_obj_add_uint(doc, window, "images", r->images);
	yyjson_mut_obj_add_uint(doc, window, "effective", r->effective);
	drift_add_number(doc, window, "from", r->effective ? (double)r->from_us / 1e6 : NAN);
	drift_add_number(doc, window, "to", r->effective ? (double)r->to_us / 1e6 : NAN);
	yyjson_mut_obj_add_str(doc, window, "basis",
		arena_printf(a,
			"The newest %zu images that count, of %zu%s: near-duplicates and frames that depend "
			"on "
			"each other are left out.",
			r->effective, r->images, r->more ? " newest" : ""));
}

/* Which images those are, so that anybody can work out the numbers anew. */
static void add_ids(
	struct http_request *req, yyjson_mut_doc *doc, yyjson_mut_val *root, const struct drift_report *r)
{
	const char *wanted = http_query(req, "ids");
	if (wanted == NULL || strcmp(wanted, "1") != 0)
		return;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, yyjson_mut_obj_get(root, "window"), "ids");
	for (size_t i = 0; i < r->effective; i++) {
		char text[UUID_TEXT_SIZE];
		uuid_format(r->ids[i], text);
		yyjson_mut_arr_add_strcpy(doc, list, text);
	}
}

/* The dashboard's filter may name another version than the one that has a reference. */
static void add_version(
	struct http_request *req, yyjson_mut_doc *doc, yyjson_mut_val *root, const struct drift_report *r)
{
	struct uuid version;
	if (r->reference && uuid_parse(http_query(req, "version"), &version) &&
		!uuid_equal(version, r->reference->version_id))
		yyjson_mut_arr_add_str(doc, yyjson_mut_obj_get(root, "missing"),
			"Only the champion is compared with Training Data: this is of its images, not of the "
			"version that was chosen.");
}

static void add_detectors(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct drift_report *r, struct arena *a)
{
	const struct detectors_state *s = &r->detectors;
	bool on = r->has_detectors, seen = on && s->seen > 0;
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "detectors");
	yyjson_mut_obj_add_uint(doc, object, "seen", on ? s->seen : 0);
	yyjson_mut_obj_add_uint(doc, object, "effective", on ? s->effective : 0);
	drift_add_number(doc, object, "thinning", seen ? s->thinning : NAN);
	drift_add_number(doc, object, "tolerance", on ? s->tolerance : NAN);
	yyjson_mut_obj_add_int(doc, object, "budget_images", (int64_t)DETECTORS_IMAGES);
	yyjson_mut_obj_add_str(doc, object, "state",
		r->reference == NULL ? "off"
		: seen               ? "watching"
				     : "waiting");
	const char *sentence = "Without Training Data nothing is watched.";
	if (r->reference && !seen)
		sentence = "They begin with the next image.";
	else if (r->reference)
		sentence = arena_printf(a,
			"They have seen %" PRIu64 " images since the reference was ready, of which %" PRIu64
			" count. At most one false alarm in 100,000 images, on average.",
			s->seen, s->effective);
	yyjson_mut_obj_add_str(doc, object, "sentence", sentence);
}

static void add_places(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct drift_report *r)
{
	yyjson_mut_val *where = yyjson_mut_obj_add_arr(doc, root, "where");
	for (size_t i = 0; i < r->where_count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, where);
		yyjson_mut_obj_add_str(doc, item, "by", r->where[i].by);
		yyjson_mut_obj_add_str(doc, item, "name", r->where[i].name);
		yyjson_mut_obj_add_uint(doc, item, "images", r->where[i].images);
		yyjson_mut_obj_add_str(doc, item, "feature", feature_name(r->features[0].feature));
		yyjson_mut_obj_add_real(doc, item, "d", r->where[i].d);
		yyjson_mut_obj_add_real(doc, item, "p", r->where[i].p);
	}
	yyjson_mut_val *examples = yyjson_mut_obj_add_arr(doc, root, "examples");
	for (size_t i = 0; i < r->example_count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, examples);
		api_add_id(doc, item, "predicted_asset_id", r->examples[i].predicted_asset_id);
		yyjson_mut_obj_add_real(doc, item, "value", r->examples[i].value);
		api_add_time(doc, item, "created_at", r->examples[i].created_us);
	}
	yyjson_mut_val *missing = yyjson_mut_obj_add_arr(doc, root, "missing");
	for (size_t i = 0; i < r->missing_count; i++)
		yyjson_mut_arr_add_str(doc, missing, r->missing[i]);
}

static void add_report(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct drift_report *r, struct arena *a)
{
	struct reference_used used = {0};
	if (r->reference)
		used = (struct reference_used){r->reference->id, (int64_t)r->reference->images,
			r->reference->held_out, r->reference->production};
	drift_add_reference(doc, root, r->reference ? &used : NULL, a);
	add_window(doc, root, r, a);
	yyjson_mut_obj_add_real(doc, root, "threshold", r->threshold);
	yyjson_mut_obj_add_real(doc, root, "alpha", DRIFT_ALPHA);
	yyjson_mut_obj_add_real(doc, root, "d_min", DRIFT_D_MIN);
	yyjson_mut_val *features = yyjson_mut_obj_add_arr(doc, root, "features");
	for (size_t i = 0; i < r->feature_count; i++)
		add_feature(doc, features, &r->features[i]);
	add_detectors(doc, root, r, a);
	add_places(doc, root, r);
}

/* The texts of the report are copied, as it goes before the answer does. */
static enum status read_report(struct http_request *req, const struct drift_request *request,
	struct drift_report *out, struct err *err)
{
	API_READER reader = {0};
	struct db_readers *watches = watch_readers(api_of(req)->watch);
	struct db_conn *watch;
	TRY(api_read(req, &reader, err));
	TRY(db_reader_take(watches, &watch, err));
	enum status st = drift_read(reader.conn, watch, request, req->arena, out, err);
	db_reader_give(watches, watch);
	return st;
}

static enum status read_request(struct http_request *req, struct drift_request *r, struct err *err)
{
	struct quality_filter filter = {0};
	double from = 0, to = 0, images = DRIFT_IMAGES_DEFAULT;
	*r = (struct drift_request){.threshold = -1, .kept = api_of(req)->references->kept};
	TRY(api_id(req, "id", "deployment", &r->deployment_id, err));
	TRY(quality_number(req, "from", 0, TIME_S_MAX, &from, err));
	TRY(quality_number(req, "to", 0, TIME_S_MAX, &to, err));
	TRY(quality_number(req, "images", 1, DRIFT_IMAGES_MAX, &images, err));
	const char *threshold = http_query(req, "threshold");
	if (threshold && strcmp(threshold, "answered") != 0 && strcmp(threshold, "setting") != 0)
		TRY(quality_number(req, "threshold", 0, 1, &r->threshold, err));
	quality_tags(req, "tag", &filter);
	r->tags = filter.tags;
	r->tag_count = filter.tag_count;
	r->from_us = llround(from * 1e6);
	r->to_us = llround(to * 1e6);
	r->images = (size_t)images;
	r->source = http_query(req, "source");
	r->label = http_query(req, "label");
	if (r->source && *r->source == '\0')
		r->source = NULL;
	if (r->label && *r->label == '\0')
		r->label = NULL;
	return ST_OK;
}

enum status api_deployment_drift(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct drift_request request;
	struct drift_report report = {0};
	yyjson_mut_doc *doc;
	TRY(read_request(req, &request, err));
	yyjson_mut_val *root = api_object(req, &doc);
	enum status st = read_report(req, &request, &report, err);
	if (st == ST_OK) {
		add_report(doc, root, &report, req->arena);
		add_ids(req, doc, root, &report);
		add_version(req, doc, root, &report);
		st = http_reply_json(req, reply, doc); /* prints: before the note it quotes is gone */
	}
	reference_drop(report.reference);
	return st;
}

/* ---- the SDK's service ks_drift ---- */

static void add_drift(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct drift_report *r)
{
	bool drifted = false;
	yyjson_mut_val *drift = yyjson_mut_obj_add_obj(doc, stats, "ks_drift");
	for (size_t i = 0; i < r->feature_count; i++)
		drifted = drifted || r->features[i].drifted;
	yyjson_mut_obj_add_bool(doc, drift, "is_drift", drifted);
	yyjson_mut_obj_add_real(doc, drift, "threshold", DRIFT_ALPHA);
	yyjson_mut_val *features = yyjson_mut_obj_add_arr(doc, drift, "features");
	for (size_t i = 0; i < r->feature_count; i++) {
		const struct drift_feature *f = &r->features[i];
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, features);
		yyjson_mut_obj_add_str(doc, item, "name", feature_name(f->feature));
		yyjson_mut_obj_add_real(doc, item, "distance", f->d);
		yyjson_mut_obj_add_real(doc, item, "p_val", f->p);
		yyjson_mut_obj_add_real(doc, item, "p_adjusted", f->p_adjusted);
		yyjson_mut_obj_add_bool(doc, item, "is_drift", f->drifted);
	}
}

enum status stats_drift(struct http_request *req, const struct stats_query *query, yyjson_mut_doc *doc,
	yyjson_mut_val *root, struct err *err)
{
	const struct drift_request request = {.deployment_id = query->deployment_id,
		.from_us = query->filter.from_us,
		.to_us = query->filter.to_us,
		.tags = query->filter.tags,
		.tag_count = query->filter.tag_count,
		.threshold = -1,
		.images = DRIFT_IMAGES_DEFAULT,
		.kept = api_of(req)->references->kept};
	struct drift_report report = {0};
	enum status st = read_report(req, &request, &report, err);
	if (st == ST_OK) {
		struct uuid version = report.reference ? report.reference->version_id : (struct uuid){{0}};
		api_add_id(doc, root, "model_id", version);
		yyjson_mut_obj_add_uint(doc, root, "count", report.effective);
		add_drift(doc, yyjson_mut_obj_add_obj(doc, root, "stats"), &report);
	}
	reference_drop(report.reference);
	return st;
}
